"""A certificate that is issued and then revoked is refused by every form that a list can have, and so is its twin."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import cache
from pathlib import Path

import pytest

import healthcert as hc
from healthcert.encoding import base45, cose, deflate
from healthcert.issue.pki import KeyKind, KeyPair, new_dsc
from healthcert.lists.x509 import parse_certificate
from healthcert.publish import covpass, slices, swiss_revocations
from healthcert.publish.batches import make_batches
from healthcert.publish.revocation_bundle import export_revocations
from healthcert.publish.revoked import RevokedEntry, entries_of_certificate
from healthcert.revocation.coordinates import Mode
from healthcert.revocation.feed import RevocationFeed
from healthcert.revocation.files import Given
from healthcert.revocation.identifiers import IdentifierType
from tests.support import CLOCK, DAY, NOW, VACCINATION, csca, dsc, issue, trust

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # of P-256
EU_TYPES = (IdentifierType.SIGNATURE, IdentifierType.UCI, IdentifierType.COUNTRYCODEUCI)
Files = Mapping[str, bytes]


@cache
def uploader() -> KeyPair:
    return new_dsc(csca(), "Upload", now=NOW - DAY)


def anchor() -> hc.TrustAnchor:
    der = uploader().certificate_der()
    found = parse_certificate(der)
    return hc.TrustAnchor("upload", found.spki, der, found.common_name)


def batches(entries: list[RevokedEntry]) -> Files:
    made = make_batches(entries, uploader().signer(), now=NOW)
    return {f"00000000-0000-4000-8000-{number:012d}": batch.message for number, batch in enumerate(made)}


def sliced(filter_: str, mode: Mode) -> Callable[[list[RevokedEntry]], Files]:
    return lambda entries: dict(slices.publish(entries, now=NOW, filter=filter_, mode=mode))


def tree(entries: list[RevokedEntry]) -> Files:
    return dict(covpass.publish(entries, uploader().signer(), timestamp=NOW))


FORMS: dict[str, tuple[str, Callable[[list[RevokedEntry]], Files]]] = {
    "batches": ("dgcg", batches),
    "tree": ("covpass", tree),
} | {
    f"{filter_} {mode}": ("distribution", sliced(filter_, mode))
    for filter_ in ("BLOOMFILTER", "VARHASHLIST")
    for mode in Mode
}


def twin(text: str) -> str:
    """The same certificate with the other ``s`` that verifies, which anybody can compute."""
    message = cose.decode_sign1(deflate.inflate(base45.decode(text[4:]), limit=100_000), max_depth=16)
    r, s = message.signature[:32], int.from_bytes(message.signature[32:], "big")
    other = cose.assemble_sign1(message.protected_bytes, message.payload, r + (ORDER - s).to_bytes(32, "big"))
    return "HC1:" + base45.encode(deflate.deflate(other))


def installed(folder: Path, format_: str, files: Files) -> hc.RevocationStore:
    store = hc.RevocationStore.open(folder)
    feed = RevocationFeed(name=format_, format=format_, anchors=(anchor(),))
    change = hc.install_revocations(store, feed, Given(files), clock=CLOCK)
    assert change.skipped == ()
    return store


def judged(text: str, store: hc.RevocationStore, *pairs: KeyPair) -> hc.Report:
    policy = hc.Policy(revocation=hc.RevocationCheck.REQUIRED)
    return hc.Verifier(trust(*pairs), revocation=store, policy=policy, clock=hc.FixedClock(NOW + DAY / 2)).examine(text)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("type_", EU_TYPES)
def test_revoked_by_each_type_in_each_form(tmp_path: Path, type_: IdentifierType, form: str) -> None:
    text, other = issue().text, issue().text
    format_, publish = FORMS[form]
    store = installed(tmp_path / "store", format_, publish(entries_of_certificate(text, (type_,))))
    for shown in (text, twin(text)):
        report = judged(shown, store)
        assert (report.outcome, report.code) == (hc.Outcome.REFUSED, hc.Code.REVOKED), report.detail
    for shown in (other, twin(other)):
        assert judged(shown, store).outcome is hc.Outcome.ACCEPTED
    # What a verifier without a network carries says the same.
    bundle = tmp_path / "bundle"
    export_revocations(store, uploader().signer(), bundle, now=NOW, life=timedelta(days=7))
    carried = hc.RevocationStore.open(tmp_path / "carried")
    hc.import_revocations(carried, bundle, (anchor(),), clock=CLOCK)
    assert judged(text, carried).code is hc.Code.REVOKED
    assert judged(other, carried).outcome is hc.Outcome.ACCEPTED


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("type_", EU_TYPES)
def test_revoked_with_an_rsa_key(tmp_path: Path, type_: IdentifierType, form: str) -> None:
    pair = dsc(kind=KeyKind.RSA_3072)
    text, other = issue(pair=pair).text, issue(pair=pair).text
    format_, publish = FORMS[form]
    store = installed(tmp_path / "store", format_, publish(entries_of_certificate(text, (type_,))))
    assert judged(text, store, pair).code is hc.Code.REVOKED
    assert judged(other, store, pair).outcome is hc.Outcome.ACCEPTED


def _key(text: str, type_: IdentifierType) -> bytes:
    (entry,) = entries_of_certificate(text, (type_,))
    return entry.key


def _uvci(text: str) -> str:
    (identifier,) = judged_certificate(text).identifiers
    return identifier


def judged_certificate(text: str) -> hc.HealthCertificate:
    certificate = hc.Verifier(trust(), clock=CLOCK).examine(text).certificate
    assert certificate is not None
    return certificate


def swiss(text: str) -> Files:
    return {"list.jws": swiss_revocations.publish([_uvci(text)], uploader().signer(), now=NOW)}


def french(text: str) -> Files:
    elements = [{"hash": _key(text, IdentifierType.FR_DCC).hex(), "active": True}]
    return {"dcc.json": json.dumps({"elements": elements, "lastIndexBlacklist": 1}).encode()}


@pytest.mark.parametrize(("format_", "publish"), [("ch", swiss), ("fr", french)])
def test_revoked_by_a_countrys_own_list(tmp_path: Path, format_: str, publish: Callable[[str], Files]) -> None:
    text, other = issue().text, issue().text
    store = installed(tmp_path / "store", format_, publish(text))
    for shown in (text, twin(text)):
        assert judged(shown, store).code is hc.Code.REVOKED
    policy = hc.Policy()
    verifier = hc.Verifier(trust(), revocation=store, policy=policy, clock=CLOCK)
    assert verifier.examine(other).outcome is hc.Outcome.ACCEPTED


def test_the_twin_is_a_valid_certificate_of_its_own() -> None:
    text = issue(VACCINATION).text
    assert twin(text) != text
    assert hc.Verifier(trust(), clock=CLOCK).examine(twin(text)).outcome is hc.Outcome.ACCEPTED
