"""The operator's file of sources: what it sets, and every way in which it is refused."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import healthcert as hc
from healthcert.trust.config import Configured
from tests.unit.trust.lists import signer_of_lists

GOOD = """
[[source]]
name = "de"
url = "https://lists.example/de"
anchors = ["signer.pem"]
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with an anchor, which is not the one that the program runs in."""
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/signer.pem").write_bytes(signer_of_lists().certificate_pem())
    monkeypatch.chdir(tmp_path)
    return tmp_path / "etc"


def load(folder: Path, text: str | bytes) -> tuple[Configured, ...]:
    data = text.encode() if isinstance(text, str) else text
    (folder / "sources.toml").write_bytes(data)
    return hc.load_sources(folder / "sources.toml")


def refusal(folder: Path, text: str | bytes) -> str:
    with pytest.raises(hc.TrustError) as caught:
        load(folder, text)
    assert caught.value.code == "TRUST_CONFIG_INVALID"
    return caught.value.detail


def test_a_source_in_four_lines(folder: Path) -> None:
    (one,) = load(folder, GOOD)
    feed = one.feed
    assert (feed.name, feed.format, feed.url) == ("de", "de", "https://lists.example/de")
    assert [anchor.certificate for anchor in feed.anchors] == [signer_of_lists().certificate_der()]
    assert (feed.environment, feed.max_age, feed.max_loss) == ("production", timedelta(hours=48), 0.25)
    assert (one.connection.ca, one.connection.client_certificate, one.connection.client_key) == (None, None, None)


def test_every_field(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIST_TOKEN", "hush")
    first, second = load(
        folder,
        """
        environment = "test"
        max_age = "7d"
        [[source]]
        name = "home"
        format = "nl"
        url = "https://lists.example/nl"
        anchors = ["signer.pem", "./signer.pem"]
        subject = "The signer"
        max_age = "1h"
        max_loss = 1
        options = {page = "2"}
        secrets = {token = "LIST_TOKEN"}
        ca = "ca.pem"
        client_certificate = "client.pem"
        client_key = "/keys/client.key.pem"
        [[source]]
        name = "gb"
        url = "https://lists.example/gb"
        """,
    )
    feed = first.feed
    assert (feed.name, feed.format, len(feed.anchors), feed.max_loss) == ("home", "nl", 2, 1.0)
    assert {anchor.subject for anchor in feed.anchors} == {"The signer"}
    assert (feed.options, feed.secrets) == ({"page": "2"}, {"token": "hush"})
    assert (feed.max_age, second.feed.max_age) == (timedelta(hours=1), timedelta(days=7))
    assert first.feed.environment == second.feed.environment == "test"
    # Names of files are relative to the file of sources.
    connection = first.connection
    assert (connection.ca, connection.client_certificate) == (folder / "ca.pem", folder / "client.pem")
    assert connection.client_key == Path("/keys/client.key.pem")
    assert "hush" not in repr(first) + repr(feed)


def test_lists_that_nothing_vouches_for_need_no_anchor(folder: Path) -> None:
    (one,) = load(folder, '[[source]]\nname = "gb"\nurl = "https://lists.example/gb"')
    assert one.feed.anchors == ()
    (one,) = load(folder, '[[source]]\nname = "cwa"\nurl = "https://x.example/"\noptions = {unsigned = "yes"}')
    assert one.feed.anchors == ()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it names no [[source]]"),
        ("name =", "not TOML"),
        (b"name = '\xff'", "not UTF-8"),
        ("a = " + "[" * 100_000, "cannot|can be read"),
        ("a = " + "9" * 5000, "can be read"),
        (GOOD.replace("[[source]]", "[source]"), "Expected `array`"),
        (GOOD + "surl = 1", "unknown field `surl`"),
        ("maxage = '1h'" + GOOD, "unknown field `maxage`"),
        ("environment = 'prod'" + GOOD, "Invalid enum value 'prod'"),
        ("max_age = 48" + GOOD, "Expected `str`, got `int`"),
        ("max_age = '2 days'" + GOOD, "de: max_age: a number and one of"),
        (GOOD + 'max_age = "0h"', "de: max_age"),
        (GOOD + 'max_age = ""', "de: max_age"),
        (GOOD + "max_loss = 1.01", "<= 1.0"),
        (GOOD + "max_loss = -0.1", ">= 0.0"),
        (GOOD + "max_loss = nan", ">= 0.0"),
        (GOOD + "max_loss = '25%'", "Expected `float`"),
        (GOOD.replace('"de"', '""'), "matching regex"),
        (GOOD.replace('"de"', '"d e"'), "matching regex"),
        (GOOD.replace('"de"', '"de\\n"'), "matching regex"),
        (GOOD.replace('"de"', f'"{"d" * 65}"'), "matching regex"),
        (GOOD.replace('"de"', '"local"') + 'format = "de"', "local is the name of the keys that were added by hand"),
        (GOOD.replace("name =", "format ="), "missing required field `name`"),
        (GOOD.replace('"de"', '"ger"'), "ger: no such format; there are: dgcg, dcc-zip, de,"),
        (GOOD + 'format = "ger"', "de: no such format"),
        (GOOD.replace("url", "# url"), "missing required field `url`"),
        (GOOD.replace("https://lists.example/de", ""), "length >= 1"),
        (GOOD.replace("https", "h" * 2000), "length <= 2000"),
        (GOOD + GOOD, "two sources of one name: de"),
        (GOOD.replace("anchors", "# anchors"), "de: lists of this format are signed: name the anchors"),
        (GOOD.replace("signer.pem", ""), "matching regex"),
        (GOOD.replace("signer.pem", "signer\\u0000.pem"), "matching regex"),
        (GOOD + 'ca = "c\\u0000a"', "matching regex"),
        (GOOD + "options = {days = 3}", "Expected `str`, got `int`"),
        (GOOD + 'client_certificate = "c.pem"', "de: client_certificate and client_key go together"),
        (GOOD + 'client_key = "c.pem"', "de: client_certificate and client_key go together"),
        (GOOD + 'secrets = {token = "UNSET_VARIABLE"}', "de: the environment variable UNSET_VARIABLE is not set"),
        (GOOD + 'secrets = {token = "EMPTY_VARIABLE"}', "de: the environment variable EMPTY_VARIABLE is not set"),
    ],
)
def test_what_is_wrong_is_told(folder: Path, text: str | bytes, why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("UNSET_VARIABLE", raising=False)
    monkeypatch.setenv("EMPTY_VARIABLE", "")
    detail = refusal(folder, text)
    assert any(part in detail for part in why.split("|")), detail


def test_a_secret_that_was_written_into_the_file_is_not_repeated(folder: Path) -> None:
    assert "hunter2" not in refusal(folder, GOOD + 'secrets = {token = "hunter2"}')


def test_an_anchor_that_is_none(folder: Path) -> None:
    (folder / "signer.pem").write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    with pytest.raises(hc.TrustError, match="TRUST_ANCHOR_UNREADABLE"):
        load(folder, GOOD)
    (folder / "signer.pem").unlink()
    with pytest.raises(FileNotFoundError):
        load(folder, GOOD)


def test_a_file_of_sources_is_bounded(folder: Path) -> None:
    with pytest.raises(hc.DecodeError, match="INPUT_TOO_LONG"):
        load(folder, b"#" * (hc.Limits().key_file_bytes + 1))


_WORDS = st.sampled_from(
    [*GOOD.split(), "[[source]]", "[", "]", "{", "}", "'", '"', "=", "max_loss", "nan", "1979-05-27", "0x", "\\u0000"]
)


@settings(max_examples=75, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.one_of(st.binary(max_size=200), st.text(max_size=200), st.lists(_WORDS, max_size=30).map(" ".join)),
    st.integers(0, len(GOOD)),
)
def test_nothing_else_is_raised(written: str | bytes, where: int) -> None:
    given_text = written.encode("utf-8", "replace") if isinstance(written, str) else written
    with tempfile.TemporaryDirectory() as folder:
        for text in (given_text, GOOD[:where].encode() + given_text + GOOD[where:].encode()):
            file = Path(folder) / "sources.toml"
            file.write_bytes(text)
            with suppress(hc.HealthCertError, FileNotFoundError, IsADirectoryError):
                hc.load_sources(file)
