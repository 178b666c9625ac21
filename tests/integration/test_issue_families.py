"""Whatever is issued is accepted by the letter of its specification: as text, as a picture, and from any signer."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

import healthcert as hc
from healthcert.families import KINDS
from healthcert.publish import shc_crl
from healthcert.publish.issuer_keys import shc_key_set
from healthcert.revocation.files import Given
from tests import issuing
from tests.issuing import CASES, Case
from tests.support import CLOCK, DAY, NOW, dsc, trust

STRICT = replace(hc.Policy.strict(), families=KINDS)
USUAL = replace(hc.Policy(), families=KINDS)

every = pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))


def examined(case: Case, text: str) -> hc.Report:
    return hc.Verifier(case.trust(), policy=USUAL if case.warnings else STRICT, clock=CLOCK).examine(text)


def accepted(case: Case, text: str) -> hc.HealthCertificate:
    report = examined(case, text)
    assert (report.outcome, report.code, report.detail) == (hc.Outcome.ACCEPTED, hc.Code.OK, "")
    assert tuple(one.code for one in report.warnings) == case.warnings
    assert report.family == case.kind
    assert report.certificate is not None
    return report.certificate


@every
def test_what_is_issued_is_accepted_without_a_warning(case: Case) -> None:
    issued = case.issue()
    found = accepted(case, issued.text)
    assert found.holder.birth_date == case.holder.birth_date
    assert found.holder.name.casefold().split() == _bare(case, found.holder.name).casefold().split()
    assert [event.entry_type for event in found.events] == [event.entry_type for event in case.events]
    for given, read in zip(case.events, found.events, strict=True):
        if not isinstance(given, hc.Exemption):
            assert not isinstance(read, hc.Exemption)
            assert read.day == given.day
    if issued.expires is None:
        assert found.expires_at is None
    else:
        assert found.expires_at == issued.expires
    assert issued.issued_at == NOW
    if issued.certificate_id is not None and case.kind != "SMART Health Card":
        assert issued.certificate_id in found.identifiers


def _bare(case: Case, read: str) -> str:
    """The holder's name as the family spells it; one that has no letters with marks leaves the marks out."""
    name = case.holder.name
    return name.replace("é", "e") if read.isascii() else name


@every
def test_its_barcode_is_read_back_and_accepted(case: Case, tmp_path: Path) -> None:
    issued = case.issue()
    picture = tmp_path / "code.png"
    issued.symbol().save(picture)
    (text,) = hc.read_barcodes(picture)
    assert text == issued.text
    accepted(case, text)


@every
def test_it_is_refused_without_the_key(case: Case) -> None:
    other = issuing.by_name("another", "SHC")
    report = hc.Verifier(other, policy=USUAL, clock=CLOCK).examine(case.issue().text)
    assert report.outcome is not hc.Outcome.ACCEPTED
    assert report.step is hc.Step.TRUST
    assert report.certificate is None


# --- Signers that are elsewhere ---


class Remote:
    """A service that holds a key and no certificate, and signs digests where its scheme has them."""

    def __init__(self, inner: hc.KeySigner, answer: Callable[[bytes], bytes] | None = None) -> None:
        self.public_key, self.algorithm = inner.public_key, inner.algorithm
        self._inner, self._answer = inner, answer
        self.asked = 0

    def sign(self, data: bytes, *, prehashed: bool = False) -> bytes:
        self.asked += 1
        if self._answer is not None:
            return self._answer(data)
        if self.algorithm is hc.Algorithm.EdDSA:
            return self._inner.sign(data)
        return self._inner.sign(hashlib.sha256(data).digest(), prehashed=True)


REMOTE: dict[str, Callable[[hc.BareSigner], hc.IssuedCertificate]] = {
    "shc vaccination": lambda signer: hc.ShcIssuer(signer, issuer=issuing.URL, clock=CLOCK).issue(
        issuing.SHC_DOSE, holder=issuing.PLAIN
    ),
    "nzcp": lambda signer: hc.NzcpIssuer(signer, issuer=issuing.DID, clock=CLOCK).issue(holder=issuing.PLAIN),
    "divoc vaccination": lambda signer: hc.DivocIssuer(signer, issuer="did:example:health", clock=CLOCK).issue(
        issuing.DIVOC_DOSE, holder=issuing.DIVOC_HOLDER
    ),
    "divoc test": lambda signer: hc.DivocIssuer(signer, issuer="did:example:health", clock=CLOCK).issue(
        issuing.DIVOC_TEST, holder=issuing.DIVOC_HOLDER
    ),
}


def key_of(name: str) -> hc.KeySigner:
    match name:
        case "divoc vaccination":
            return issuing.rsa()
        case "divoc test":
            return issuing.ed25519()
        case _:
            return issuing.key()


@pytest.mark.parametrize("name", REMOTE)
def test_a_service_that_signs_elsewhere(name: str) -> None:
    service = Remote(key_of(name))
    issued = REMOTE[name](service)
    assert service.asked == 1
    accepted(CASES[name], issued.text)


@pytest.mark.parametrize("name", REMOTE)
@pytest.mark.parametrize("answer", [lambda _: bytes(64), lambda _: b"", lambda _: bytes(384)])
def test_a_service_that_errs_hands_out_nothing(name: str, answer: Callable[[bytes], bytes]) -> None:
    with pytest.raises(hc.IssueError) as caught:
        REMOTE[name](Remote(key_of(name), answer))
    assert (caught.value.code, caught.value.step) == ("SIGNING_FAILED", "signature")


# --- Revocation of cards ---


def test_an_issued_card_is_revoked_by_its_rid(tmp_path: Path) -> None:
    issuer = issuing.shc()
    rid = hc.rid_for(bytes(range(32)), issuer.kid, "patient 7")
    revoked = issuer.issue(issuing.SHC_DOSE, holder=issuing.PLAIN, rid=rid)
    other = issuer.issue(issuing.SHC_DOSE, holder=issuing.PLAIN, rid=hc.rid_for(bytes(range(32)), issuer.kid, "8"))
    assert revoked.certificate_id == rid
    crl = shc_crl.publish(issuer.kid, {rid: None})
    keys = shc_key_set([issuing.key().public_key], issuer=issuing.URL, crls=[crl])
    store = hc.RevocationStore.open(tmp_path)
    feed = hc.RevocationFeed(name="cards", format="shc", options={"issuer": issuing.URL}, max_age=DAY)
    change = hc.install_revocations(store, feed, Given({f"{issuer.kid}.json": crl, "jwks.json": keys}), clock=CLOCK)
    assert change.records == 1
    trust = issuing.vouched("shc", keys, issuer=issuing.URL)
    required = replace(STRICT, revocation=hc.RevocationCheck.REQUIRED)
    verifier = hc.Verifier(trust, revocation=store, policy=required, clock=CLOCK)
    report = verifier.examine(revoked.text)
    assert (report.outcome, report.code, report.step) == (hc.Outcome.REFUSED, hc.Code.REVOKED, hc.Step.REVOCATION)
    assert verifier.examine(other.text).outcome is hc.Outcome.ACCEPTED


# --- What only one family has ---


def doses(count: int) -> list[hc.Vaccination]:
    """Doses of which each takes room of its own, which those of one batch would not when compressed."""
    batches = (hashlib.sha256(bytes([number])).hexdigest()[:40] for number in range(count))
    return [replace(issuing.SHC_DOSE, batch=batch) for batch in batches]


def test_a_card_for_a_file_may_be_larger_than_a_code() -> None:
    issuer = issuing.shc()
    with pytest.raises(hc.IssueError, match="BARCODE_TOO_LARGE"):
        issuer.issue(*doses(30), holder=issuing.PLAIN)
    issued = issuer.issue(*doses(30), holder=issuing.PLAIN, file_only=True)
    with pytest.raises(hc.IssueError, match="BARCODE_TOO_LARGE"):
        issued.symbol()
    verifier = hc.Verifier(issuing.shc_trust(), clock=CLOCK)
    report = verifier.examine(issued.text)
    assert report.outcome is hc.Outcome.ACCEPTED
    assert report.certificate is not None
    assert len(report.certificate.events) == 30
    small = issuer.issue(issuing.SHC_TEST, holder=issuing.PLAIN)
    cards = json.loads(hc.ShcIssuer.file_of(issued, small))["verifiableCredential"]
    assert [verifier.examine(card).outcome for card in cards] == [hc.Outcome.ACCEPTED] * 2


def test_the_largest_card_fits_the_version_that_is_allowed() -> None:
    issuer = issuing.shc()

    def fits(count: int) -> hc.IssuedCertificate | None:
        try:
            return issuer.issue(*doses(count), holder=issuing.PLAIN)
        except hc.IssueError:
            return None

    found = [issued for count in range(1, 30) if (issued := fits(count)) is not None]
    assert len(found) < 29
    assert len(found[-1].binary) > 1100
    assert max(issued.qr().version for issued in found) <= 22


def test_a_bundle_of_the_issuer_s_own() -> None:
    from healthcert.families.shc.compose import bundle_for

    issued = issuing.shc().issue_bundle(bundle_for([issuing.SHC_DOSE], issuing.PLAIN))
    accepted(CASES["shc vaccination"], issued.text)


def test_a_signed_link() -> None:
    link = "vhlink:/" + issuing.shlink_payload()
    issued = hc.LinkIssuer(dsc().signer(), issuer="FR", validity=DAY, clock=CLOCK).issue(link)
    report = hc.Verifier(trust(), policy=USUAL, clock=CLOCK).examine(issued.text)
    assert report.outcome is hc.Outcome.ACCEPTED, report.detail
    assert report.certificate is not None
    assert report.certificate.links == (link,)
