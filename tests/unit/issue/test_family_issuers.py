"""Issuers of the other families: what their signers must be, when they may sign, and what they hand out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

import healthcert as hc
from healthcert.issue.pki import new_barcode_signer, new_dsc
from healthcert.lists import jwk
from tests import issuing
from tests.issuing import CASES, DID, PLAIN, URL
from tests.support import CLOCK, DAY, NOW, VACCINATION, csca, dsc


def refused(call: Callable[[], object]) -> tuple[str, str | None]:
    with pytest.raises(hc.IssueError) as caught:
        call()
    return caught.value.code, caught.value.step


# --- Signers ---


def test_a_key_signer_from_a_file(tmp_path: Path) -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    path = tmp_path / "key.pem"
    path.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    signer = hc.KeySigner.load(path)
    assert repr(signer) == "KeySigner(ES256)"
    assert signer.public_key == hc.KeySigner(private).public_key
    assert signer.algorithm.verify(private.public_key(), signer.sign(b"data"), b"data")
    path.write_bytes(b"nothing")
    with pytest.raises(hc.IssueError, match="SIGNER_KEY_UNREADABLE"):
        hc.KeySigner.load(path)


def test_a_key_signer_of_a_curve_that_signs_nothing() -> None:
    with pytest.raises(hc.IssueError, match="UNSUITABLE_PUBLIC_KEY_TYPE"):
        hc.KeySigner(ec.generate_private_key(ec.SECP256K1()))


def test_a_digest_is_signed_where_the_scheme_has_digests() -> None:
    with pytest.raises(hc.IssueError, match="SIGNING_FAILED"):
        hc.KeySigner(Ed25519PrivateKey.generate()).sign(bytes(32), prehashed=True)


def key(private: Any) -> hc.KeySigner:
    return hc.KeySigner(private)


P384, ED = ec.generate_private_key(ec.SECP384R1()), Ed25519PrivateKey.generate()
SMALL_RSA = rsa.generate_private_key(public_exponent=65537, key_size=1024)


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda: hc.ShcIssuer(key(P384), issuer=URL), "ALGORITHM_NOT_ACCEPTED"),
        (lambda: hc.ShcIssuer(issuing.rsa(), issuer=URL), "ALGORITHM_NOT_ACCEPTED"),
        (lambda: hc.NzcpIssuer(key(ED), issuer=DID), "ALGORITHM_NOT_ACCEPTED"),
        (lambda: hc.DivocIssuer(issuing.key(), issuer=DID), "ALGORITHM_NOT_ACCEPTED"),
        (lambda: hc.DivocIssuer(key(SMALL_RSA), issuer=DID), "PUBLIC_KEY_TOO_WEAK"),
        (lambda: hc.TwoDDocIssuer(key(ED), authority="FR00", certificate_id="0001"), "ALGORITHM_NOT_ACCEPTED"),
    ],
)
def test_a_key_of_another_kind_issues_nothing(make: Callable[[], object], code: str) -> None:
    assert refused(make) == (code, "signature")


class Lying:
    """A signer that says of itself what it is not."""

    def __init__(self, **changes: Any) -> None:
        self.public_key = changes.get("public_key", issuing.key().public_key)
        self.algorithm = changes.get("algorithm", hc.Algorithm.ES256)

    def sign(self, data: bytes, *, prehashed: bool = False) -> bytes:
        return issuing.key().sign(data)


def test_a_signer_whose_parts_do_not_fit() -> None:
    rsa_key = issuing.rsa().public_key
    assert refused(lambda: hc.ShcIssuer(Lying(public_key=rsa_key), issuer=URL)) == (
        "UNSUITABLE_PUBLIC_KEY_TYPE",
        "signature",
    )
    with pytest.raises(hc.TrustError, match="CERTIFICATE_UNREADABLE"):
        hc.ShcIssuer(Lying(public_key=b"no key"), issuer=URL)


class Both:
    """A signer with a certificate that happens to have the key at hand as well, in a form of its own."""

    def __init__(self) -> None:
        inner = dsc().signer()
        self.kid, self.algorithm, self.certificate = inner.kid, inner.algorithm, inner.certificate
        self.public_key = dsc().key.public_key()
        self.sign = inner.sign


def test_a_certificate_counts_whatever_else_a_signer_has() -> None:
    assert hc.Issuer(Both(), country="FR", clock=CLOCK).issue(VACCINATION, holder=PLAIN).text.startswith("HC1:")
    assert hc.LightIssuer(Both(), issuer="CH BAG", clock=CLOCK).issue(holder=PLAIN).text.startswith("LT1:")


@pytest.mark.parametrize("make", [hc.LightIssuer, hc.Issuer])
def test_what_needs_a_certificate_is_not_issued_with_a_key_alone(make: Any) -> None:
    names = {"issuer": "CH BAG"} if make is hc.LightIssuer else {"country": "FR"}
    assert refused(lambda: make(issuing.key(), **names)) == ("CERTIFICATE_UNREADABLE", "signature")


def test_the_same_key_with_a_certificate_names_itself_alike() -> None:
    with_certificate = hc.ShcIssuer(dsc().signer(), issuer=URL, clock=CLOCK)
    assert with_certificate.kid == jwk.thumbprint(hc.KeySigner(dsc().key).public_key)
    assert with_certificate.issue(issuing.SHC_DOSE, holder=PLAIN).text.startswith("shc:/")


# --- When ---


@pytest.mark.parametrize("at", [NOW - 21 * DAY, NOW + 2 * 365 * DAY])
@pytest.mark.parametrize(
    "issue",
    [
        lambda clock: issuing.seals_at(clock).issue(issuing.SEAL_DOSE, holder=issuing.SEAL_HOLDER),
        lambda clock: hc.LightIssuer(dsc().signer(), issuer="CH BAG", clock=clock).issue(holder=PLAIN),
        lambda clock: hc.TwoDDocIssuer(
            issuing.leaf().signer(), authority="FR00", certificate_id="0001", clock=clock
        ).issue(issuing.DOC_DOSE, holder=PLAIN),
        lambda clock: hc.ShcIssuer(dsc().signer(), issuer=URL, clock=clock).issue(issuing.SHC_DOSE, holder=PLAIN),
    ],
    ids=["vds-nc", "light", "2d-doc", "shc"],
)
def test_a_certificate_outside_its_validity_issues_nothing(issue: Callable[[hc.Clock], object], at: Any) -> None:
    code = "PUBLIC_KEY_NOT_YET_VALID" if at < NOW else "PUBLIC_KEY_EXPIRED"
    assert refused(lambda: issue(hc.FixedClock(at))) == (code, "time")


EARLY = hc.FixedClock(NOW - 400 * DAY)
_TESTED = replace(issuing.SEAL_TEST, sampled_at=NOW + DAY, resulted_at=NOW + 2 * DAY)


@pytest.mark.parametrize(
    "issue",
    [
        lambda: hc.ShcIssuer(issuing.key(), issuer=URL, clock=EARLY).issue(issuing.SHC_DOSE, holder=PLAIN),
        lambda: hc.ShcIssuer(issuing.key(), issuer=URL, clock=EARLY).issue(issuing.SHC_TEST, holder=PLAIN),
        lambda: hc.DivocIssuer(issuing.rsa(), issuer=DID, clock=EARLY).issue(
            issuing.DIVOC_DOSE, holder=issuing.DIVOC_HOLDER
        ),
        lambda: hc.TwoDDocIssuer(issuing.key(), authority="FR00", certificate_id="0001", clock=EARLY).issue(
            issuing.DOC_TEST, holder=PLAIN
        ),
        lambda: issuing.seals().issue(
            issuing.SEAL_DOSE, replace(issuing.SEAL_DOSE, date=(NOW + 3 * DAY).date()), holder=issuing.SEAL_HOLDER
        ),
        lambda: issuing.seals().issue(_TESTED, holder=issuing.SEAL_TESTED),
        lambda: issuing.dvc().issue(replace(issuing.DVC_DOSE, date=(NOW + 3 * DAY).date()), holder=issuing.DVC_HOLDER),
    ],
)
def test_an_event_that_is_still_to_come(issue: Callable[[], object]) -> None:
    assert refused(issue) == ("EVENT_IN_FUTURE", "content")


def test_what_has_an_end_never_outlives_its_certificate() -> None:
    short = new_dsc(csca(), "Short", now=NOW - DAY, validity=2 * DAY)
    issuer = hc.LightIssuer(short.signer(), issuer="CH BAG", clock=CLOCK)
    assert issuer.issue(holder=PLAIN).expires == NOW + DAY
    assert issuing.light().issue(holder=PLAIN).expires == NOW + 2 * DAY


@pytest.mark.parametrize(
    ("make", "expires"),
    [
        (lambda: issuing.nzcp().issue(holder=PLAIN), NOW + 183 * DAY),
        (lambda: hc.NzcpIssuer(issuing.key(), issuer=DID, validity=DAY, clock=CLOCK).issue(holder=PLAIN), NOW + DAY),
        (lambda: issuing.shc().issue(issuing.SHC_DOSE, holder=PLAIN), None),
        (
            lambda: hc.ShcIssuer(issuing.key(), issuer=URL, validity=DAY, clock=CLOCK).issue(
                issuing.SHC_DOSE, holder=PLAIN
            ),
            NOW + DAY,
        ),
        (
            lambda: hc.DivocIssuer(issuing.rsa(), issuer=DID, validity=DAY, clock=CLOCK).issue(
                issuing.DIVOC_DOSE, holder=issuing.DIVOC_HOLDER
            ),
            NOW + DAY,
        ),
        (lambda: issuing.dvc().issue(issuing.DVC_DOSE, holder=issuing.DVC_HOLDER), NOW + 365 * DAY),
    ],
)
def test_how_long_each_lives(make: Callable[[], hc.IssuedCertificate], expires: Any) -> None:
    issued = make()
    assert (issued.issued_at, issued.expires) == (NOW, expires)
    assert repr(issued) == f"IssuedCertificate(expires={expires.isoformat() if expires else None})"


@pytest.mark.parametrize("validity", [timedelta(0), timedelta(days=-1), timedelta(milliseconds=999)])
def test_a_validity_of_nothing(validity: timedelta) -> None:
    with pytest.raises(ValueError, match="at least a second"):
        hc.NzcpIssuer(issuing.key(), issuer=DID, validity=validity)


def test_the_moment_is_in_whole_seconds() -> None:
    clock = hc.FixedClock(NOW + timedelta(microseconds=1))
    issued = hc.NzcpIssuer(issuing.key(), issuer=DID, validity=1.5 * timedelta(seconds=1), clock=clock).issue(
        holder=PLAIN
    )
    assert (issued.issued_at, issued.expires) == (NOW, NOW + timedelta(seconds=1))


# --- Who ---


@pytest.mark.parametrize("issuer", ["DEU", "FR", "XXX", ""])
def test_a_seal_is_of_the_state_of_its_signer(issuer: str) -> None:
    signer = issuing.seal_signer().signer()
    assert refused(lambda: hc.VdsNcIssuer(signer, issuer=issuer, clock=CLOCK)) == ("FIELD_INVALID", "content")


def test_a_certificate_for_other_things_seals_nothing() -> None:
    signer = dsc(hc.EntryType.TEST).signer()  # the extended key usage of the EU's, and not of seals
    assert refused(lambda: hc.VdsNcIssuer(signer, issuer="FRA", clock=CLOCK)) == ("KEY_USAGE_MISMATCH", "usage")


def test_a_signer_of_tests_seals_no_vaccination() -> None:
    pair = new_barcode_signer(csca(), "Tests", now=NOW - DAY, usages=[hc.EntryType.TEST])
    issuer = hc.VdsNcIssuer(pair.signer(), issuer="FRA", clock=CLOCK)
    assert issuer.issue(issuing.SEAL_TEST, holder=issuing.SEAL_TESTED).text
    assert refused(lambda: issuer.issue(issuing.SEAL_DOSE, holder=issuing.SEAL_HOLDER)) == (
        "KEY_USAGE_MISMATCH",
        "usage",
    )


def test_a_sibling_of_the_dcc_is_of_the_country_of_its_dsc() -> None:
    assert refused(lambda: hc.DvcIssuer(dsc().signer(), issuer="DE", validity=DAY)) == ("FIELD_INVALID", "content")
    # The text of Switzerland's iss is no country's code: there is nothing to compare.
    assert hc.LightIssuer(dsc().signer(), issuer="CH BAG", clock=CLOCK).issue(holder=PLAIN).text.startswith("LT1:")


@pytest.mark.parametrize(
    "call",
    [
        lambda: hc.ShcIssuer(issuing.key(), issuer="http://cards.example", clock=CLOCK).issue(
            issuing.SHC_DOSE, holder=PLAIN
        ),
        lambda: hc.ShcIssuer(issuing.key(), issuer=URL + "/", clock=CLOCK).issue(issuing.SHC_DOSE, holder=PLAIN),
        lambda: issuing.shc().issue(holder=PLAIN),
        lambda: issuing.shc().issue(issuing.EXEMPTION, holder=PLAIN),
        lambda: issuing.shc().issue(issuing.SHC_DOSE, holder=PLAIN, rid="no rid!"),
        lambda: hc.NzcpIssuer(issuing.key(), issuer="did:key:z6Mk", clock=CLOCK).issue(holder=PLAIN),
        lambda: hc.NzcpIssuer(issuing.key(), issuer=DID, key="#1", clock=CLOCK).issue(holder=PLAIN),
        lambda: hc.DivocIssuer(issuing.rsa(), issuer="health.example", clock=CLOCK).issue(
            issuing.DIVOC_DOSE, holder=issuing.DIVOC_HOLDER
        ),
        lambda: hc.DivocIssuer(issuing.rsa(), issuer=DID, method="did:web:other", clock=CLOCK).issue(
            issuing.DIVOC_DOSE, holder=issuing.DIVOC_HOLDER
        ),
        lambda: hc.TwoDDocIssuer(issuing.key(), authority="FR", certificate_id="1", clock=CLOCK).issue(
            issuing.DOC_DOSE, holder=PLAIN
        ),
        lambda: issuing.documents().issue(issuing.EXEMPTION, holder=PLAIN),
        lambda: issuing.seals().issue(holder=issuing.SEAL_HOLDER),
        lambda: hc.LinkIssuer(dsc().signer(), issuer="FR", validity=DAY, clock=CLOCK).issue("https://x.example"),
    ],
)
def test_what_a_family_cannot_say(call: Callable[[], object]) -> None:
    assert refused(call) == ("FIELD_INVALID", "content")


# --- What comes out ---


def test_identifiers_are_made_where_the_event_has_none_and_kept_where_it_has() -> None:
    made = {issuing.seals().issue(issuing.SEAL_DOSE, holder=issuing.SEAL_HOLDER).certificate_id for _ in range(20)}
    assert len(made) == 20
    assert all(one is not None and len(one) == 12 and one[:2] == "FR" for one in made)
    named = replace(issuing.SEAL_DOSE, certificate_id="MINE-1")
    assert issuing.seals().issue(named, holder=issuing.SEAL_HOLDER).certificate_id == "MINE-1"
    number = issuing.divoc().issue(issuing.DIVOC_DOSE, holder=issuing.DIVOC_HOLDER).certificate_id
    assert number is not None
    assert (len(number), number.isdecimal()) == (11, True)
    two = [replace(issuing.SEAL_DOSE, dose=dose) for dose in (1, 2)]
    report = hc.Verifier(issuing.of(csca(), domain="ICAO"), clock=CLOCK).examine(
        issuing.seals().issue(*two, holder=issuing.SEAL_HOLDER).text
    )
    assert report.certificate is not None
    assert len({event.certificate_id for event in report.certificate.events}) == 1
    assert len(report.certificate.events) == 2


def test_the_barcode_is_that_of_the_family() -> None:
    assert type(CASES["2d-doc vaccination"].issue().symbol()).__name__ == "DataMatrix"
    card = CASES["shc vaccination"].issue()
    assert card.qr().version <= 22
    assert len(card.qr().modules) < len(replace(card, max_version=None).qr(error_correction="H").modules)
    with pytest.raises(hc.IssueError, match="BARCODE_TOO_LARGE"):
        card.qr(error_correction="H")


@settings(max_examples=30, deadline=None)
@given(st.text(max_size=20), st.text(max_size=20), st.sampled_from(["1984-02-29", "1984", "", "x"]))
def test_any_name_is_issued_or_refused_by_name(family: str, given_name: str, born: str) -> None:
    holder = hc.Holder(family_name=family, given_name=given_name, birth_date=born)
    makers: list[Callable[[], hc.IssuedCertificate]] = [
        lambda: issuing.nzcp().issue(holder=holder),
        lambda: issuing.shc().issue(issuing.SHC_DOSE, holder=holder),
        lambda: issuing.light().issue(holder=holder),
        lambda: issuing.documents().issue(issuing.DOC_DOSE, holder=holder),
    ]
    for make in makers:
        detail = _refusal(make)
        # Whatever was given, its field is named, and nothing of it is told.
        assert detail is None or detail.startswith(("family_name", "given_name", "birth_date")), detail


def _refusal(make: Callable[[], hc.IssuedCertificate]) -> str | None:
    try:
        issued = make()
    except hc.IssueError as error:
        return error.detail
    return None if issued.text else ""
