"""The keys that certificates are looked up by: what goes into each, and what is never taken for one."""

from __future__ import annotations

import base64
import json
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from healthcert.encoding.algorithms import Algorithm
from healthcert.errors import Code, RevocationError, Step
from healthcert.revocation import identifiers
from healthcert.revocation.identifiers import IdentifierType, Subject

R, S = bytes(range(1, 33)), bytes(31) + b"\x05"
SIGNATURE = R + S
CI = "URN:UVCI:01DE/A23234242/50CUH2UMZUJW382VP58G2Q#F"
CURVES = {
    Algorithm.ES256: (ec.SECP256R1(), 32),
    Algorithm.ES384: (ec.SECP384R1(), 48),
    Algorithm.ES512: (ec.SECP521R1(), 66),
}
WHOLE = (Algorithm.PS256, Algorithm.PS384, Algorithm.PS512, Algorithm.EdDSA)


def truncated(data: bytes) -> bytes:
    return sha256(data).digest()[:16]


def check(error: RevocationError) -> None:
    assert (error.code, error.step) == (Code.REVOCATION_LIST_UNREADABLE, Step.REVOCATION)


# --- Types ---


def test_codes_are_bytes_that_lead_back() -> None:
    codes = [kind.code for kind in IdentifierType]
    assert len(set(codes)) == len(codes)
    assert all(0 <= code < 256 for code in codes)
    assert [IdentifierType.from_code(code) for code in codes] == list(IdentifierType)
    assert [IdentifierType.from_code(code) for code in (0x0A, 0x0B, 0x0C)] == ["SIGNATURE", "UCI", "COUNTRYCODEUCI"]
    assert IdentifierType.from_code(0x0D) is None


def test_every_key_is_as_wide_as_its_type_says() -> None:
    keys = identifiers.hcert_identifiers(
        signature=SIGNATURE, algorithm=Algorithm.ES256, entries=[(CI, "DE")], issuer="DE"
    )
    keys |= identifiers.shc_identifiers("a-rid", None)
    keys |= identifiers.shc_identifiers(None, {})
    keys |= identifiers.twoddoc_identifiers("DC04")
    assert set(keys) == set(IdentifierType)
    assert [len(values[0]) for kind, values in keys.items()] == [kind.width for kind in keys]
    assert {kind: kind.width for kind in IdentifierType} == {
        "SIGNATURE": 16,
        "UCI": 16,
        "COUNTRYCODEUCI": 16,
        "NL-PROOF": 16,
        "UVCI": 32,
        "FR-DCC": 32,
        "FR-2DDOC": 32,
        "SHC-RID": 24,
        "SHC-FHIR": 24,
    }


def test_subject_shows_nothing() -> None:
    subject = Subject(kid=b"kid", country="FR", identifiers={IdentifierType.UCI: (b"secret",)})
    assert repr(subject) == "Subject(...)"
    assert (subject.issuer, subject.not_before) == (None, None)


# --- Signatures ---


@pytest.mark.parametrize("algorithm", CURVES)
def test_the_second_signature_that_anybody_can_make_has_the_same_keys(algorithm: Algorithm) -> None:
    curve, size = CURVES[algorithm]
    key = ec.derive_private_key(7, curve)
    signature = algorithm.sign(key, b"what is signed")
    # The order is the least number that is no private key: the implementation's is held against OpenSSL's.
    order = identifiers._ECDSA[algorithm][1]
    assert ec.derive_private_key(order - 1, curve).curve.name == curve.name
    with pytest.raises(ValueError, match="out of range"):
        ec.derive_private_key(order, curve)

    s = int.from_bytes(signature[size:], "big")
    twin = signature[:size] + (order - s).to_bytes(size, "big")
    assert twin != signature
    assert algorithm.verify(key.public_key(), twin, b"what is signed")

    lower = min(signature, twin)
    assert identifiers.signature_hash(signature, algorithm) == truncated(signature[:size])
    assert identifiers.signature_hash(twin, algorithm) == truncated(signature[:size])
    assert identifiers.dutch_proof_id(signature, algorithm) == truncated(lower)
    assert identifiers.dutch_proof_id(twin, algorithm) == truncated(lower)


@pytest.mark.parametrize("algorithm", WHOLE)
def test_of_other_signatures_all_counts_whatever_their_length(algorithm: Algorithm) -> None:
    for signature in (SIGNATURE, bytes(256), b"\xff" * 64):
        assert identifiers.signature_hash(signature, algorithm) == truncated(signature)
        assert identifiers.dutch_proof_id(signature, algorithm) == truncated(signature)


@pytest.mark.parametrize("algorithm", CURVES)
@pytest.mark.parametrize("length", [0, 3, 63, 65, 95, 97, 131, 133, 256])
def test_signature_of_another_length_is_none(algorithm: Algorithm, length: int) -> None:
    for compute in (identifiers.signature_hash, identifiers.dutch_proof_id):
        with pytest.raises(RevocationError) as caught:
            compute(bytes(length), algorithm)
        check(caught.value)


@pytest.mark.parametrize("s", [bytes(32), b"\xff" * 32, identifiers._ECDSA[Algorithm.ES256][1].to_bytes(32, "big")])
def test_signature_whose_s_is_out_of_range_is_none(s: bytes) -> None:
    with pytest.raises(RevocationError) as caught:
        identifiers.dutch_proof_id(R + s, Algorithm.ES256)
    check(caught.value)


# --- Identifiers of an HCERT ---


def test_identifier_is_hashed_as_it_is_written() -> None:
    assert identifiers.uci_hash(CI).hex() == "423bd0a847634ce8dea5dd5e9400f287"
    assert identifiers.uvci_hash(CI)[:16] == identifiers.uci_hash(CI)
    assert identifiers.uci_hash(CI.lower()) != identifiers.uci_hash(CI)
    assert identifiers.uci_hash("é") == truncated(b"\xc3\xa9")


def test_country_stands_before_the_identifier() -> None:
    assert identifiers.country_uci_hash("DE", CI).hex() == "7dfb27c9adf0551f0600585a9641a026"
    assert identifiers.country_uci_hash("de", CI) != identifiers.country_uci_hash("DE", CI)
    assert identifiers.french_dcc_hash("fr", "urn:1") == sha256(b"FRurn:1").digest()


def test_country_is_that_of_issuer_and_entry() -> None:
    def keys(co: str | None, issuer: str | None) -> tuple[bytes, ...] | None:
        return identifiers.hcert_identifiers(
            signature=SIGNATURE, algorithm=Algorithm.ES256, entries=[("1", co)], issuer=issuer
        ).get(IdentifierType.COUNTRYCODEUCI)

    assert keys("DE", "DE") == (truncated(b"DE1"),)
    assert keys("FR", "DE") == (truncated(b"DE1"), truncated(b"FR1"))
    assert keys(None, "DE") == (truncated(b"DE1"),)
    assert keys("FR", None) == (truncated(b"FR1"),)
    assert keys(None, None) is None


def test_every_entry_counts_once() -> None:
    found = identifiers.hcert_identifiers(
        signature=SIGNATURE,
        algorithm=Algorithm.ES256,
        entries=iter([("1", "DE"), ("2", None), ("1", "DE")]),
        issuer=None,
    )
    assert found == {
        IdentifierType.SIGNATURE: (truncated(R),),
        IdentifierType.NL_PROOF: (truncated(SIGNATURE),),
        IdentifierType.UCI: (truncated(b"1"), truncated(b"2")),
        IdentifierType.COUNTRYCODEUCI: (truncated(b"DE1"),),
        IdentifierType.UVCI: (sha256(b"1").digest(), sha256(b"2").digest()),
        IdentifierType.FR_DCC: (sha256(b"DE1").digest(),),
    }


def test_certificate_without_entries_has_its_signature() -> None:
    found = identifiers.hcert_identifiers(signature=b"\1", algorithm=Algorithm.PS256, entries=(), issuer="DE")
    assert set(found) == {IdentifierType.SIGNATURE, IdentifierType.NL_PROOF}


def test_only_what_is_asked_for_is_computed() -> None:
    found = identifiers.hcert_identifiers(
        signature=b"no signature of this algorithm",
        algorithm=Algorithm.ES256,
        entries=[(CI, "DE")],
        issuer="DE",
        types={IdentifierType.UCI, IdentifierType.SHC_RID},
    )
    assert found == {IdentifierType.UCI: (identifiers.uci_hash(CI),)}


@pytest.mark.parametrize(
    "compute",
    [
        identifiers.uci_hash,
        identifiers.uvci_hash,
        identifiers.french_2ddoc_hash,
        lambda text: identifiers.country_uci_hash("DE", text),
        lambda text: identifiers.french_dcc_hash(text, "1"),
    ],
)
def test_text_that_has_no_bytes_is_refused(compute: object) -> None:
    assert callable(compute)
    with pytest.raises(RevocationError) as caught:
        compute("\ud800")
    check(caught.value)


# --- 2D-DOC ---


def test_2ddoc_is_hashed_up_to_its_signature() -> None:
    expected = sha256(b"DC04FR0000\x1dL1JEAN").digest()
    assert identifiers.french_2ddoc_hash("DC04FR0000\x1dL1JEAN\x1fSIGNATURE\x1fMORE") == expected
    assert identifiers.french_2ddoc_hash("DC04FR0000\x1dL1JEAN") == expected
    assert identifiers.twoddoc_identifiers("DC04FR0000\x1dL1JEAN\x1fX") == {IdentifierType.FR_2DDOC: (expected,)}


# --- SMART Health Cards ---


@pytest.mark.parametrize("rid", ["a", "vwAjHdarZuc", "-_azAZ09", "x" * 24])
def test_rid_is_its_own_key(rid: str) -> None:
    key = identifiers.rid_key(rid)
    assert len(key) == 24
    assert key.rstrip(b"\0").decode() == rid


@pytest.mark.parametrize(
    "rid", ["", "x" * 25, "a=", "a+b", "a/b", "a.1636977600", "a\n", "a\0", "é", " a", None, 5, b"a"]
)
def test_what_is_no_rid_is_refused(rid: object) -> None:
    with pytest.raises(RevocationError) as caught:
        identifiers.rid_key(rid)
    check(caught.value)


def test_rid_of_a_bundle() -> None:
    canonical = b'{"a":1,"b":[]}'
    inner = base64.urlsafe_b64encode(canonical).rstrip(b"=")
    expected = base64.urlsafe_b64encode(sha256(inner).digest()[:8]).rstrip(b"=").decode()
    assert identifiers.fhir_rid({"b": [], "a": 1.0}) == expected
    assert identifiers.fhir_rid(json.loads('{"a":1,"b":[]}')) == expected
    assert len(expected) == 11


def test_bundle_counts_only_without_a_rid() -> None:
    bundle = {"resourceType": "Bundle"}
    assert identifiers.shc_identifiers("rid", bundle) == {IdentifierType.SHC_RID: (identifiers.rid_key("rid"),)}
    computed = identifiers.rid_key(identifiers.fhir_rid(bundle))
    assert identifiers.shc_identifiers(None, bundle) == {IdentifierType.SHC_FHIR: (computed,)}
    assert identifiers.shc_identifiers(None, None) == {}


def test_bundle_that_has_no_canonical_form_is_refused() -> None:
    with pytest.raises(RevocationError) as caught:
        identifiers.shc_identifiers(None, {"value": float("nan")})
    check(caught.value)
