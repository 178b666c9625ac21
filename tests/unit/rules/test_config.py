"""The operator's file of sources: the lists of rules in it, and every way in which they are refused."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import healthcert as hc
from healthcert.errors import RuleError
from healthcert.rules.config import ConfiguredRules, load_rule_sources
from healthcert.rules.sources.registry import SOURCES, source_named
from tests.support import csca
from tests.unit.rules.lists import anchor

GOOD = """
[[rules]]
name = "eu"
format = "service"
url = "https://rules.example"
anchors = ["signer.pem"]
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with an anchor, which is not the one that the program runs in."""
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/signer.pem").write_bytes(csca().certificate_pem())
    monkeypatch.chdir(tmp_path)
    return tmp_path / "etc"


def load(folder: Path, text: str | bytes, *only: str, **more: object) -> tuple[ConfiguredRules, ...]:
    data = text.encode() if isinstance(text, str) else text
    (folder / "sources.toml").write_bytes(data)
    return load_rule_sources(folder / "sources.toml", only, **more)  # type: ignore[arg-type]


def test_a_source_in_five_lines(folder: Path) -> None:
    (one,) = load(folder, GOOD)
    feed = one.feed
    assert (feed.name, feed.format, feed.url) == ("eu", "service", "https://rules.example")
    assert [found.certificate for found in feed.anchors] == [csca().certificate_der()]
    assert (feed.environment, feed.max_age, feed.max_loss) == ("production", timedelta(hours=48), 0.25)
    assert (one.connection.ca, one.connection.client_certificate, one.connection.client_key) == (None, None, None)


def test_every_field(folder: Path) -> None:
    first, second = load(
        folder,
        """
        environment = "test"
        max_age = "7d"
        [[rules]]
        name = "dgcg"
        url = "https://rules.example"
        anchors = ["signer.pem"]
        max_age = "1h"
        max_loss = 1
        options = {countries = "FR,DE"}
        ca = "ca.pem"
        client_certificate = "client.pem"
        client_key = "/keys/client.key.pem"
        [[rules]]
        name = "given"
        format = "bundle"
        url = "https://rules.example/rules.json"
        """,
    )
    assert (first.feed.format, first.feed.environment, first.feed.max_age) == ("dgcg", "test", timedelta(hours=1))
    assert (first.feed.max_loss, first.feed.options) == (1, {"countries": "FR,DE"})
    assert (first.connection.ca, first.connection.client_certificate) == (folder / "ca.pem", folder / "client.pem")
    assert (second.feed.format, second.feed.max_age, second.feed.anchors) == ("bundle", timedelta(days=7), ())


def test_lists_of_other_kinds_stand_in_the_same_file(folder: Path) -> None:
    text = GOOD + '[[source]]\nname = "gb"\nurl = "https://keys.example"\n'
    assert [one.feed.name for one in load(folder, text)] == ["eu"]
    assert [one.feed.name for one in hc.load_sources(folder / "sources.toml")] == ["gb"]
    with pytest.raises(RuleError, match=r"names no \[\[rules\]\]"):
        load(folder, '[[source]]\nname = "gb"\nurl = "https://keys.example"\n')
    load(folder, GOOD)
    with pytest.raises(hc.TrustError, match=r"names no \[\[source\]\]"):
        hc.load_sources(folder / "sources.toml")


def test_only_those_that_are_asked_for(folder: Path) -> None:
    text = GOOD + GOOD.replace('"eu"', '"other"')
    assert [one.feed.name for one in load(folder, text, "other")] == ["other"]
    with pytest.raises(RuleError, match="no such source: none"):
        load(folder, text, "none")


def test_upload_certificates_are_those_of_the_trust_store_where_none_is_named(folder: Path) -> None:
    gateway = '[[rules]]\nname = "dgcg"\nurl = "https://rules.example"\n'
    (one,) = load(folder, gateway, uploaders=[anchor()])
    assert one.feed.anchors == (anchor(),)
    (one,) = load(folder, gateway + 'anchors = ["signer.pem"]\n', uploaders=[anchor()] * 3)
    assert len(one.feed.anchors) == 1
    # They sign rules, and nothing else.
    with pytest.raises(RuleError, match="are signed"):
        load(folder, GOOD.replace('anchors = ["signer.pem"]', ""), uploaders=[anchor()])


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "names no [[rules]]"),
        ("rules = 1", "Expected `array`"),
        (GOOD + "more = 1", "unknown field"),
        (GOOD + GOOD, "two sources of one name: eu"),
        (GOOD.replace('"eu"', '"local"'), "local is the name of rules that no source gave"),
        (GOOD.replace('"service"', '"none"'), "no such format"),
        (GOOD.replace('"service"', '"folder"'), "not fetched"),
        (GOOD.replace('anchors = ["signer.pem"]', ""), "are signed"),
        (GOOD + 'options = {page = "1"}', "no option page"),
        (GOOD + 'options = {token = "hush"}', "token is secret"),
        (GOOD + 'max_age = "soon"', "max_age"),
        (GOOD + 'client_key = "key.pem"', "go together"),
        (b"\xff", "not UTF-8"),
        ("[[rules]", "not TOML"),
    ],
)
def test_what_is_wrong_is_said(folder: Path, text: str | bytes, why: str) -> None:
    with pytest.raises(RuleError) as caught:
        load(folder, text)
    assert caught.value.code == "RULE_CONFIG_INVALID"
    assert why in caught.value.detail
    assert "hush" not in caught.value.detail


@pytest.mark.parametrize("name", SOURCES)
def test_every_format_is_there_under_its_name(name: str) -> None:
    source = source_named(name)
    assert source.name == name
    assert source.title
    assert isinstance(source.anchored, bool)
    assert not source.anchored or "unsigned" in source.options or name == "dgcg"


def test_a_format_that_there_is_not() -> None:
    with pytest.raises(RuleError, match=r"RULE_CONFIG_INVALID.*dgcg, service"):
        source_named("none")


@given(st.text(max_size=40), st.sampled_from(["name", "url", "format", "max_age", "anchors", "options"]))
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_no_text_gives_another_error(text: str, field: str) -> None:
    with tempfile.TemporaryDirectory() as name, suppress(hc.HealthCertError, OSError):
        file = Path(name) / "sources.toml"
        file.write_text(f"[[rules]]\n{field} = '''{text}'''\n{text}", "utf-8", errors="replace")
        assert load_rule_sources(file)
