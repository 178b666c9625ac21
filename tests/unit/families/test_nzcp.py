"""NZ COVID Pass: each layer, each claim and each member, refused where the specification says."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import cbor2
import pytest

from healthcert.encoding import base32
from healthcert.encoding.algorithms import Algorithm
from healthcert.errors import Code, DecodeError, Step, VerificationError
from healthcert.families.nzcp.family import NZCP
from healthcert.families.protocol import Decoded, Finding
from healthcert.limits import DEFAULT_LIMITS
from healthcert.model import HealthCertificate
from tests.support_nzcp import CLAIMS, CTI, END, HOLDER, ISSUER, KID, START, Press, claims_with, issued, without


def decode(text: str) -> Decoded:
    return NZCP.decode(text, DEFAULT_LIMITS)


def parse(claims: Any) -> tuple[HealthCertificate, tuple[Finding, ...]]:
    return NZCP.parse(decode(Press(claims=claims).text()), frozenset(NZCP.kinds))


def refused(text: str) -> Code:
    with pytest.raises(DecodeError) as caught:
        decode(text)
    assert caught.value.step is Step.DECODE
    return caught.value.code


# --- The form ---


@pytest.mark.parametrize("text", ["NZCP:/1/AB", "NZCP:/2/AB", "NZCP:/", "NZCP:/x"])
def test_it_is_told_by_its_scheme(text: str) -> None:
    assert NZCP.recognises(text)


@pytest.mark.parametrize("text", ["", "NZCP:1/AB", "nzcp:/1/AB", " NZCP:/1/AB", "HC1:NZCP:/1/", "NZCP"])
def test_anything_else_is_not(text: str) -> None:
    assert not NZCP.recognises(text)


@pytest.mark.parametrize(
    ("prefix", "code"),
    [
        ("NZCP:/2/", Code.UNSUPPORTED_VERSION),
        ("NZCP:/0/", Code.UNSUPPORTED_VERSION),
        ("NZCP:/10/", Code.UNSUPPORTED_VERSION),
        ("NZCP:/01/", Code.INVALID_SCHEME_PREFIX),
        ("NZCP:/-1/", Code.INVALID_SCHEME_PREFIX),
        ("NZCP:/1.0/", Code.INVALID_SCHEME_PREFIX),
        ("NZCP:/\u0661/", Code.INVALID_SCHEME_PREFIX),
        ("NZCP://", Code.INVALID_SCHEME_PREFIX),
        ("NZCP:/1", Code.INVALID_SCHEME_PREFIX),
        ("NZCP:/" + "9" * 4000 + "/", Code.INVALID_SCHEME_PREFIX),
        ("NZCP:/1//", Code.BASE_32_DECODING_FAILED),
        ("NZCP:/1/1/", Code.BASE_32_DECODING_FAILED),
    ],
)
def test_only_the_first_version_is_read(prefix: str, code: Code) -> None:
    assert refused(Press(prefix=prefix).text()) is code


def test_base32_has_one_spelling() -> None:
    text = Press().text()
    body = text.removeprefix("NZCP:/1/")
    for other in (body.lower(), body + "=", body + "======", body[:-1], body + "A", body.replace("A", "1"), " " + body):
        assert refused("NZCP:/1/" + other) in (Code.BASE_32_DECODING_FAILED, Code.COSE_DESERIALIZATION_FAILED)
    assert refused("NZCP:/1/" + body.lower()) is Code.BASE_32_DECODING_FAILED
    assert refused("NZCP:/1/") is Code.COSE_DESERIALIZATION_FAILED


@pytest.mark.parametrize(
    "text", ["AB======", "ab", "A", "AAA", "AAAAAA", "AB", "A_A_", "+A", "AÄ", "A\ud800", "0A", "8A", "A "]
)
def test_base32_refuses_what_no_bytes_are_written_as(text: str) -> None:
    with pytest.raises(DecodeError) as caught:
        base32.decode(text)
    assert caught.value.code is Code.BASE_32_DECODING_FAILED


@pytest.mark.parametrize("data", [b"", b"\0", b"\0\0", b"\xff" * 5, bytes(range(256))])
def test_base32_keeps_leading_zeros(data: bytes) -> None:
    assert base32.decode(base32.encode(data)) == data


@pytest.mark.parametrize("tag", [None, 17, 61, 98])
def test_the_message_is_tagged_as_a_cose_sign1(tag: int | None) -> None:
    assert refused(Press(tag=tag).text()) is Code.COSE_DESERIALIZATION_FAILED


def test_a_cwt_tag_around_it_is_not_the_form_of_a_pass() -> None:
    inner = base32.decode(Press().text().removeprefix("NZCP:/1/"))
    assert refused("NZCP:/1/" + base32.encode(b"\xd8\x3d" + inner)) is Code.COSE_DESERIALIZATION_FAILED


@pytest.mark.parametrize("claims", [[], "vc", 1, {1.5: 1}])
def test_the_payload_is_a_map_of_claims(claims: Any) -> None:
    assert refused(Press(claims=claims).text()) is Code.CBOR_DESERIALIZATION_FAILED


# --- The headers and the signer ---


def test_what_it_says_of_its_signer() -> None:
    decoded = decode(Press().text())
    assert (decoded.kid, decoded.issuer, decoded.algorithm) == (KID.encode(), ISSUER, Algorithm.ES256)
    assert decoded.algorithms == {Algorithm.ES256}
    assert decoded.domains == frozenset(("NZCP",))
    assert decoded.needs == {"exp", "nbf"}
    assert decoded.kinds == ("NZ COVID Pass",)
    assert NZCP.check_signer(decoded) is None
    assert NZCP.entry_types(decoded) == frozenset()


def test_a_kid_of_text_is_the_same_as_one_of_bytes() -> None:
    # The specification has text, its samples bytes.
    assert decode(Press(protected={4: KID, 1: -7}).text()).kid == KID.encode()


@pytest.mark.parametrize("kid", [1, None, [KID], {"kid": KID}, 1.5])
def test_a_kid_of_another_type_is_none(kid: Any) -> None:
    if kid is None:
        assert decode(Press(protected={4: kid, 1: -7}).text()).kid is None
    else:
        assert refused(Press(protected={4: kid, 1: -7}).text()) is Code.COSE_DESERIALIZATION_FAILED


def test_nothing_is_taken_from_the_unprotected_header() -> None:
    decoded = decode(Press(protected={}, unprotected={4: KID.encode(), 1: -7}).text())
    assert (decoded.kid, decoded.algorithm, decoded.algorithm_label) == (None, None, "none")
    decoded = decode(Press(unprotected={4: b"key-2", 1: -35, "note": 1}).text())
    assert (decoded.kid, decoded.algorithm) == (KID.encode(), Algorithm.ES256)


@pytest.mark.parametrize(("alg", "label"), [(-257, "-257"), ("ES256", "unreadable"), (10**30, "unreadable")])
def test_an_unknown_algorithm_is_named_in_short(alg: Any, label: str) -> None:
    decoded = decode(Press(protected={4: KID, 1: alg}).text())
    assert (decoded.algorithm, decoded.algorithm_label) == (None, label)


def test_an_algorithm_of_other_families_is_not_of_this_one() -> None:
    decoded = decode(Press(protected={4: KID, 1: -37}).text())
    assert decoded.algorithm is Algorithm.PS256
    assert decoded.algorithm not in decoded.algorithms


@pytest.mark.parametrize(
    "issuer",
    [
        "did:key:z6Mk",
        "https://nzcp.example",
        "did:web:",
        "did:web:a b",
        "did:web:a#key-1",
        "did:web:a/b",
        "did:web:é",
        "",
    ],
)
def test_an_issuer_that_is_no_did_of_the_web_is_told(issuer: str) -> None:
    decoded = decode(Press(claims=CLAIMS | {1: issuer}).text())
    problem = NZCP.check_signer(decoded)
    assert decoded.issuer == issuer
    assert problem == "iss is not a DID of the web"


@pytest.mark.parametrize("issuer", ["did:web:a.nz", "did:web:a.nz%3A8443", "did:web:a.nz:user:alice"])
def test_a_did_may_have_a_port_and_a_path(issuer: str) -> None:
    assert NZCP.check_signer(decode(Press(claims=CLAIMS | {1: issuer}).text())) is None


@pytest.mark.parametrize("claims", [without(1), CLAIMS | {1: 5}])
def test_an_issuer_that_is_missing_is_told(claims: Any) -> None:
    decoded = decode(Press(claims=claims).text())
    assert (decoded.issuer, NZCP.check_signer(decoded)) == (None, "iss is missing, or no text")


# --- The claims ---


def test_times_that_are_numbers_of_another_kind_are_told() -> None:
    decoded = decode(Press(claims=CLAIMS | {5: 1.5, 4: cbor2.CBORTag(1, 2000000000)}).text())
    assert [finding.code for finding in decoded.findings] == [Code.TAGGED_TIME, Code.FLOAT_TIME]
    assert {finding.step for finding in decoded.findings} == {Step.TIME}
    assert (decoded.claims.not_before, decoded.claims.expires_at) == (1.5, 2000000000)


@pytest.mark.parametrize("value", ["2021-11-02", None, True, -1, 1635883530000])
def test_times_that_are_no_moment_are_told(value: Any) -> None:
    decoded = decode(Press(claims=CLAIMS | {4: value}).text())
    assert decoded.claims.invalid == ("exp",)


def test_what_a_pass_says() -> None:
    certificate, findings = parse(CLAIMS)
    assert findings == ()
    assert (certificate.family, certificate.version) == ("NZ COVID Pass", "1.0.0")
    assert certificate.holder == HOLDER
    assert certificate.events == ()
    assert (certificate.issuer, certificate.issued_at, certificate.expires_at) == (ISSUER, START, END)
    assert certificate.identifiers == (f"urn:uuid:{CTI}",)
    assert certificate.raw == CLAIMS["vc"]
    assert certificate.other == {}


def test_a_person_may_have_one_name() -> None:
    certificate, findings = parse(claims_with(familyName=...))
    assert (certificate.holder.family_name, certificate.holder.name, findings) == (None, "Zoé Aroha", ())


def test_a_family_name_of_nothing_is_none() -> None:
    certificate, findings = parse(claims_with(familyName=None))
    assert certificate.holder.family_name is None
    assert [finding.code for finding in findings] == [Code.NULL_FIELD]
    assert parse(claims_with(familyName=" "))[0].holder.family_name is None


def test_a_name_that_is_too_long_is_told() -> None:
    certificate, findings = parse(claims_with(givenName="x" * 101, familyName="y" * 100))
    assert certificate.holder.given_name == "x" * 101
    assert [(f.code, f.detail) for f in findings] == [
        (Code.TEXT_TOO_LONG, "vc.credentialSubject.givenName: more than 100 characters")
    ]


def test_what_is_not_known_is_kept() -> None:
    claims = claims_with()
    claims |= {2: "subject", "note": 1}
    claims["vc"]["issuanceDate"] = "2021"
    claims["vc"]["credentialSubject"]["nhi"] = "ZZZ0016"
    certificate, findings = parse(claims)
    assert findings == ()
    assert certificate.other == {"sub": "subject", '"note"': 1, "issuanceDate": "2021"}
    assert certificate.holder.other == {"nhi": "ZZZ0016"}


@pytest.mark.parametrize(
    ("claims", "named"),
    [
        (without("vc"), "vc"),
        (CLAIMS | {"vc": []}, "vc"),
        (without(7), "cti"),
        (CLAIMS | {7: CTI.bytes[:15]}, "cti"),
        (CLAIMS | {7: CTI.bytes + b"0"}, "cti"),
        (CLAIMS | {7: CTI.urn}, "cti"),
        (claims_with(context=...), "vc.@context"),
        (claims_with(context=[]), "vc.@context"),
        (claims_with(context="https://www.w3.org/2018/credentials/v1"), "vc.@context"),
        (claims_with(context=CLAIMS["vc"]["@context"][::-1]), "vc.@context"),
        (claims_with(context=[CLAIMS["vc"]["@context"][0], {}]), "vc.@context"),
        (claims_with(type=...), "vc.type"),
        (claims_with(type=["VerifiableCredential"]), "vc.type"),
        (claims_with(type=["PublicCovidPass", "VerifiableCredential"]), "vc.type"),
        (claims_with(type=["VerifiableCredential", "PublicCovidPass", "More"]), "vc.type"),
        (claims_with(type=["VerifiableCredential", 1]), "vc.type"),
        (claims_with(type="PublicCovidPass"), "vc.type"),
        (claims_with(version=...), "vc.version"),
        (claims_with(version="1.0.1"), "vc.version"),
        (claims_with(version=1), "vc.version"),
        (claims_with(credentialSubject=...), "vc.credentialSubject"),
        (claims_with(credentialSubject=[]), "vc.credentialSubject"),
        (claims_with(givenName=...), "vc.credentialSubject.givenName"),
        (claims_with(givenName=None), "vc.credentialSubject.givenName"),
        (claims_with(givenName=""), "vc.credentialSubject.givenName"),
        (claims_with(givenName=5), "vc.credentialSubject.givenName"),
        (claims_with(familyName=["x"]), "vc.credentialSubject.familyName"),
        (claims_with(dob=...), "vc.credentialSubject.dob"),
        (claims_with(dob="1984"), "vc.credentialSubject.dob"),
        (claims_with(dob="1984-02-30"), "vc.credentialSubject.dob"),
        (claims_with(dob="19840229"), "vc.credentialSubject.dob"),
        (claims_with(dob="1984-W09-3"), "vc.credentialSubject.dob"),
        (claims_with(dob="29/02/1984"), "vc.credentialSubject.dob"),
        (claims_with(dob="1984-02-29T00:00:00Z"), "vc.credentialSubject.dob"),
        (claims_with(dob="１９８４-02-29"), "vc.credentialSubject.dob"),
        (claims_with(dob=cbor2.CBORTag(1004, "1984-02-29")), "vc.credentialSubject.dob"),
        (claims_with(dob=datetime(1984, 2, 29, tzinfo=UTC).timestamp()), "vc.credentialSubject.dob"),
    ],
)
def test_what_has_to_be_there_is_refused_by_name(claims: Any, named: str) -> None:
    with pytest.raises(VerificationError) as caught:
        parse(claims)
    assert (caught.value.code, caught.value.step) == (Code.SCHEMA_VALIDATION_FAILED, Step.CONTENT)
    assert caught.value.detail.split(":")[0] == named


def test_another_type_of_pass_is_not_supported() -> None:
    with pytest.raises(VerificationError) as caught:
        parse(claims_with(type=["VerifiableCredential", "MyOtherPass"]))
    assert caught.value.code is Code.CONTENT_NOT_SUPPORTED
    assert "MyOtherPass" not in caught.value.detail


def test_the_layers_go_from_the_outside_in() -> None:
    text = issued()
    layers = list(NZCP.layers(text, DEFAULT_LIMITS))
    assert [layer.name for layer in layers] == ["base32", "COSE_Sign1", "CWT"]
    assert layers[0].content == {"prefix": "NZCP:/1/"}
    assert layers[1].content["protected"] == {"kid": KID.encode(), "alg": "ES256"}
    assert layers[2].content["iss"] == ISSUER
    damaged = NZCP.layers(text[:40], DEFAULT_LIMITS)
    assert next(damaged).name == "base32"
    with pytest.raises(DecodeError):
        next(damaged)


def test_nothing_shown_of_it_has_a_name_in_it() -> None:
    decoded = decode(issued())
    certificate, _ = NZCP.parse(decoded, ())
    for shown in (repr(decoded), repr(certificate), repr(decoded.claims), repr(certificate.holder)):
        assert "Exemplaire" not in shown
        assert "1984" not in shown
