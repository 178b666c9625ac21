"""The German lists as CovPass shipped them: complete, unchanged, and good for what was signed in their time."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest

import healthcert as hc
from healthcert.encoding import base45, cose, cwt, deflate
from healthcert.trust.sources.de import German
from healthcert.trust.sources.protocol import Context, TrustList
from tests.conftest import interop_folder

LISTS = interop_folder() / "trust-lists/covpass"
ASSURED = interop_folder() / "hcert-other/dcc-quality-assurance"
FETCHED = datetime(2023, 12, 1, tzinfo=UTC)  # the newest entry of the demo list is of the day before
pytestmark = pytest.mark.usefixtures("interop")


@cache
def data(name: str) -> bytes:
    return (LISTS / name / "dsc-list.json").read_bytes()


def context(name: str) -> Context:
    return Context(hc.load_anchors(LISTS / name / "dsc-list-signing-key.pem"), FETCHED)


@cache
def load(name: str, anchor_of: str | None = None) -> TrustList:
    return German().load({"list": data(name)}, context(anchor_of or name))


def test_every_entry_of_the_list_in_use() -> None:
    found = load("prod")
    assert (len(found.keys), found.skipped, found.assurance) == (829, (), hc.Assurance.SIGNED_LIST)
    assert len({key.kid for key in found.keys}) == 829
    # Counted with other tools: 77 countries, 334 certificates without a usage of the EU DCC among their extensions.
    assert len({key.country for key in found.keys}) == 77
    assert {key.domain for key in found.keys} == {"DCC"}
    unlimited = sum(key.usages is None for key in found.keys)
    assert 334 <= unlimited < 829


@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")
def test_certificates_that_strict_readers_refuse_are_among_them() -> None:
    from cryptography.x509 import load_der_x509_certificate

    refused: Counter[str | None] = Counter()
    for key in load("prod").keys:
        assert key.certificate is not None
        try:
            assert load_der_x509_certificate(key.certificate).extensions is not None
        except ValueError:
            refused[key.country] += 1
            assert key.public_key is not None
    assert refused == {"FI": 5, "ES": 1}


def test_the_demo_list() -> None:
    found = load("demo")
    assert len(found.keys) > 100
    assert found.assurance is hc.Assurance.SIGNED_LIST
    with pytest.raises(hc.TrustError, match="TRUST_LIST_NOT_AUTHENTIC"):
        load("demo", "prod")


def test_the_list_whose_signature_is_another_key_s() -> None:
    """Its publisher put another key beside it."""
    with pytest.raises(hc.TrustError, match="TRUST_LIST_NOT_AUTHENTIC") as caught:
        load("test")
    assert "P-256" in caught.value.detail or "does not verify" in caught.value.detail


def test_no_byte_of_the_list_can_be_changed() -> None:
    whole, known = data("prod"), context("prod")
    choose = random.Random(2021)
    for place in [*range(100), *choose.sample(range(100, len(whole)), 300)]:
        changed = bytearray(whole)
        changed[place] ^= 1 << choose.randrange(8)
        with pytest.raises(hc.TrustError) as caught:
            German().load({"list": bytes(changed)}, known)
        assert caught.value.code in ("TRUST_LIST_NOT_AUTHENTIC", "TRUST_LIST_UNREADABLE"), place


@pytest.mark.parametrize("change", [lambda d: d[:-1], lambda d: d + b"x", lambda d: b"\n" + d, lambda _: b""])
def test_nor_can_it_be_cut_or_lengthened(change: object) -> None:
    assert callable(change)
    with pytest.raises(hc.TrustError):
        German().load({"list": change(data("prod"))}, context("prod"))


# --- Certificates that are signed with keys of the demo list ---

_STRANGERS = {  # as the README beside the data says: an unknown kid
    "JO/1.0.0/VAC_booster.png": 1,
    "SE/1.3.0": 5,
}


def samples() -> Iterator[tuple[str, str]]:
    if not ASSURED.is_dir():
        return
    for line in (ASSURED / "decoded.tsv").read_text("utf-8").splitlines()[1:]:
        path, _, text = line.partition("\t")
        yield path, text


@cache
def demo_store() -> hc.TrustStore:
    store = hc.TrustStore()
    known = context("demo")
    feed = hc.Feed(name="de", format="de", anchors=known.anchors)
    hc.install_list(store, feed, {"list": data("demo")}, clock=hc.FixedClock(FETCHED))
    return store


def fitting(text: str) -> datetime:
    """The last moment at which the certificate, its key and the list are all good."""
    message = cose.decode_sign1(deflate.inflate(base45.decode(text[4:]), limit=100_000), max_depth=16)
    end = cwt.decode_claims(message.payload, max_depth=16).expires_at
    assert end is not None
    kid = message.signer.kid
    assert isinstance(kid, bytes)
    keys = demo_store().candidates(kid, domains=frozenset(("DCC",)))
    ends = [key.not_after for key in keys if key.not_after] + [datetime.fromtimestamp(end, UTC), FETCHED]
    return min(ends)


def test_curated_certificates_of_many_countries() -> None:
    signed, unknown = [], []
    for path, text in samples():
        report = hc.Verifier(demo_store(), clock=hc.FixedClock(fitting(text))).examine(text)
        if report[hc.Step.SIGNATURE].outcome is hc.StepResult.PASSED:
            # A signature may be good and its key too weak to be believed: RSA of 1024 bits.
            weak = path.startswith("MK/")
            assert report[hc.Step.TRUST].code == ("PUBLIC_KEY_TOO_WEAK" if weak else "OK"), path
            assert report.key is not None
            assert [p.source for p in report.key.provenance] == ["de"]
            signed.append(path)
        else:
            assert (report.code, report.step) == ("KEY_NOT_IN_TRUST_LIST", "trust"), path
            unknown.append(path)
    assert (len(signed), len(unknown)) == (132, 6)
    for place, count in _STRANGERS.items():
        assert sum(path.startswith(place) for path in unknown) == count


def test_they_are_not_signed_with_keys_of_the_list_in_use() -> None:
    """Acceptance keys and production keys are different ones."""
    production = hc.TrustStore(load("prod").keys)
    for _, text in samples():
        report = hc.Verifier(production, clock=hc.FixedClock(FETCHED)).examine(text)
        assert report.outcome is not hc.Outcome.ACCEPTED


def test_the_command_loads_the_list(tmp_path: Path) -> None:
    from click.testing import CliRunner

    from healthcert_cli.root import group

    arguments = ["trust", "add", "--source", "de", "--store", str(tmp_path / "t.db")]
    for name, code in (("prod", 0), ("test", 1)):
        folder = LISTS / name
        anchor = ["--anchor", str(folder / "dsc-list-signing-key.pem")]
        done = CliRunner().invoke(group, [*arguments, *anchor, str(folder / "dsc-list.json")])
        assert done.exit_code == code, done.output
    assert "TRUST_LIST_NOT_AUTHENTIC" in done.output
    assert len(hc.TrustStore.open(tmp_path / "t.db")) == 829
