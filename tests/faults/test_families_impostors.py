"""Attempts to have something believed that is not so, one for each way there is, against a verifier of a border."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import cbor2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

import healthcert as hc
from healthcert.encoding import base32, cose, deflate
from healthcert.encoding.algorithms import Algorithm
from healthcert.families.shc.encode import _base64url
from healthcert.families.shc.forms import to_digits
from healthcert.issue.pki import KeyPair, new_barcode_signer, new_csca, new_dsc
from healthcert.lists import jwk
from healthcert.lists.x509 import parse_certificate
from healthcert.model import Scan
from healthcert.publish.shc_crl import publish
from healthcert.revocation.feed import RevocationFeed
from healthcert.revocation.files import Given
from healthcert.trust.sources.protocol import Context
from healthcert.trust.sources.registry import source_named
from tests import support_divoc as divoc
from tests import support_nzcp as nzcp
from tests import support_seals as seals
from tests import support_shc as shc
from tests import support_twoddoc as twoddoc
from tests.issuing import CASES, leaf
from tests.support import CLOCK, DAY, NOW

OTHER_URL = "https://other.example.org"


@cache
def stranger() -> ec.EllipticCurvePrivateKey:
    """A key that nobody trusts."""
    return ec.derive_private_key(0xBAD, ec.SECP256R1())


def spki_of(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def judged(trust: hc.TrustStore, text: str | bytes, at: datetime = NOW, **stores: Any) -> hc.Report:
    return hc.Verifier(trust, clock=hc.FixedClock(at), **stores).examine(text)


def refused(report: hc.Report, step: str, code: str) -> None:
    assert (report.outcome, report.step, report.code) == ("refused", step, code), report.detail


# --- SMART Health Cards ---


def card(key: ec.EllipticCurvePrivateKey, *, header: dict[str, Any] | None = None, **claims: Any) -> str:
    """A card that ``key`` signed, under its own kid unless the header says otherwise."""
    payload = json.dumps(shc.claims() | claims, separators=(",", ":")).encode()
    head = {"zip": "DEF", "alg": "ES256", "kid": jwk.thumbprint(spki_of(key))} | (header or {})
    signed = _base64url(json.dumps(head).encode()) + b"." + _base64url(deflate.deflate(payload, raw=True))
    return (signed + b"." + _base64url(Algorithm.ES256.sign(key, signed))).decode()


def two_issuers() -> hc.TrustStore:
    """Two issuers, each with a key of its own."""
    other = hc.TrustedKey(
        kid=jwk.thumbprint(spki_of(stranger())).encode(), spki=spki_of(stranger()), domain="SHC", issuer=OTHER_URL
    )
    return hc.TrustStore([*shc.store(), other])


def test_one_issuers_key_signs_nothing_for_another() -> None:
    assert judged(two_issuers(), card(shc.key())).code == "OK"
    assert judged(two_issuers(), card(stranger(), iss=OTHER_URL)).code == "OK"
    refused(judged(two_issuers(), card(stranger())), "trust", "KEY_NOT_IN_TRUST_LIST")
    refused(judged(two_issuers(), card(shc.key(), iss=OTHER_URL)), "trust", "KEY_NOT_IN_TRUST_LIST")


@pytest.mark.parametrize(
    "issuer",
    [
        *(
            shc.ISSUER + "/",
            shc.ISSUER + "#",
            shc.ISSUER + "?",
            shc.ISSUER + "/.",
            shc.ISSUER.upper(),
            " " + shc.ISSUER,
        ),
        *(shc.ISSUER.replace("https", "HTTPS"), shc.ISSUER.replace(".org", ".org:443"), shc.ISSUER + "\0"),
        *(shc.ISSUER.replace("issuer", "%69ssuer"), shc.ISSUER.replace("e", "\u0435", 1), ""),
    ],
)
def test_an_issuer_in_another_spelling_is_another(issuer: str) -> None:
    assert judged(two_issuers(), card(shc.key(), iss=issuer)).step == "trust"


def test_an_issuers_key_under_another_kid_of_it() -> None:
    report = judged(two_issuers(), card(stranger(), header={"kid": shc.kid()}))
    refused(report, "signature", "SIGNATURE_INVALID")


@pytest.mark.parametrize("kid", ["", "x" * 2900, "\0", shc.kid() + " ", shc.kid() + "=", shc.kid()[:8], "*", "%"])
def test_odd_kids_of_a_card_mean_no_key(kid: str) -> None:
    report = judged(two_issuers(), card(shc.key(), header={"kid": kid}))
    refused(report, "trust", "KEY_NOT_IN_TRUST_LIST")
    assert len(report.detail) < 300


def test_a_kid_that_is_there_twice_means_none() -> None:
    other = jwk.thumbprint(spki_of(stranger()))
    head = f'{{"zip":"DEF","alg":"ES256","kid":"{shc.kid()}","kid":"{other}"}}'.encode()
    payload = shc.Press().jws().split(".")[1].encode()
    signed = _base64url(head) + b"." + payload
    token = (signed + b"." + _base64url(Algorithm.ES256.sign(stranger(), signed))).decode()
    refused(judged(two_issuers(), token), "decode", "JWS_DESERIALIZATION_FAILED")


def test_keys_that_come_with_a_card_are_not_taken() -> None:
    mine = jwk.jwk_of(spki_of(stranger()))
    certificate = KeyPair(stranger(), self_signed(stranger())).certificate_der()
    for header in (
        {"jwk": mine},
        {"jku": "https://evil.example/jwks.json"},
        {"x5c": [base64.b64encode(certificate).decode()]},
        {"x5u": "https://evil.example/cert"},
        {"iss": shc.ISSUER},
    ):
        report = judged(shc.store(), card(stranger(), header=header))
        refused(report, "trust", "KEY_NOT_IN_TRUST_LIST")
        # Beside the name of a key that is trusted they make no difference either.
        report = judged(shc.store(), card(stranger(), header=header | {"kid": shc.kid()}))
        refused(report, "signature", "SIGNATURE_INVALID")


@pytest.mark.parametrize("alg", ["none", "None", "", "HS256", "PS256", "RS256", "ES384", "ES256K", "EdDSA", "es256"])
def test_another_algorithm_than_the_cards_own_is_refused(alg: str) -> None:
    refused(judged(shc.store(), card(shc.key(), header={"alg": alg})), "signature", "ALGORITHM_NOT_ACCEPTED")


def test_a_policy_that_names_algorithms_lets_no_key_be_used_for_another() -> None:
    everything = hc.Policy(algorithms=frozenset(Algorithm))
    for alg in ("PS256", "ES384", "ES512", "EdDSA"):
        verifier = hc.Verifier(shc.store(), policy=everything, clock=CLOCK)
        report = verifier.examine(card(shc.key(), header={"alg": alg}))
        refused(report, "signature", "UNSUITABLE_PUBLIC_KEY_TYPE")


def test_parts_of_two_cards_make_none() -> None:
    one, other = shc.Press().parts(3), shc.Press(shc.claims(shc.bundle(shc.TEST))).parts(3)
    collector = hc.PartCollector()
    assert [collector.add(part) for part in (one[0], other[1], one[2])] == [None, None, None]
    assert "do not make a card" in collector.describe()
    for first, second in ((one, other), (other, one)):
        text = "shc:/" + "".join(part.rpartition("/")[2] for part in (first[0], second[1], first[2]))
        assert judged(shc.store(), text).outcome is hc.Outcome.REFUSED


def test_one_bad_card_spoils_its_document_wherever_it_stands() -> None:
    good, bad = card(shc.key()), card(stranger())
    for cards in ([good, bad], [bad, good], [good] * 5 + [bad], [good, good[:-4] + "AAAA"], [good, "eyJ"], [good, ""]):
        for document in (
            {"verifiableCredential": cards},
            {"resourceType": "Parameters", "parameter": [
                {"name": "verifiableCredential", "valueString": one} for one in cards
            ]},
        ):  # fmt: skip
            report = judged(shc.store(), json.dumps(document))
            assert report.outcome is hc.Outcome.REFUSED
            if report.step != "recognise":
                assert [one.outcome for one in report.beside] == ["accepted"] * (len(cards) - 1)
    assert judged(shc.store(), json.dumps({"verifiableCredential": [good, good]})).outcome is hc.Outcome.ACCEPTED


def test_nothing_that_is_no_card_hides_in_a_document_of_cards() -> None:
    seal, divoc_text = seals.seal(), divoc.text(divoc.signed())
    for stowaway in (seal, divoc_text, nzcp.issued(), shc.Press().text(), json.dumps({"verifiableCredential": []})):
        report = judged(shc.store(), json.dumps({"verifiableCredential": [card(shc.key()), stowaway]}))
        refused(report, "recognise", "JSON_DESERIALIZATION_FAILED")


def with_crl(folder: Path, issuer: str, *rids: str) -> hc.RevocationStore:
    store = hc.RevocationStore.open(folder)
    feed = RevocationFeed(name=issuer, format="shc", options={"issuer": issuer})
    files = {f"{shc.kid()}.json": publish(shc.kid(), dict.fromkeys(rids))}
    assert not hc.install_revocations(store, feed, Given(files), clock=CLOCK).skipped
    return store


def test_a_rid_is_revoked_by_its_own_issuer_alone(tmp_path: Path) -> None:
    vc = shc.claims()["vc"]
    revoked = card(shc.key(), vc=vc | {"rid": "revoked"})
    mine, others = with_crl(tmp_path / "a", shc.ISSUER, "revoked"), with_crl(tmp_path / "b", OTHER_URL, "revoked")
    refused(judged(shc.store(), revoked, revocation=mine), "revocation", "REVOKED")
    assert judged(shc.store(), revoked, revocation=others).outcome is hc.Outcome.ACCEPTED
    spelled = card(shc.key(), vc=vc | {"rid": "revoked="})
    refused(judged(shc.store(), spelled, revocation=mine), "content", "SCHEMA_VALIDATION_FAILED")


@pytest.mark.parametrize("member", ["modifierExtension", "implicitRules"])
@pytest.mark.parametrize("resource", [shc.DOSE, shc.TEST], ids=["dose", "test"])
def test_what_a_modifier_may_turn_round_is_not_read(resource: dict[str, Any], member: str) -> None:
    modified = shc.with_(resource, **{member: [{"url": "https://example.org/not-done", "valueBoolean": True}]})
    assert shc.refused(shc.bundle(modified))[0] == "NO_ENTRY"
    certificate = shc.certificate(shc.bundle(modified, shc.DOSE), "FIELD_UNEXPECTED")
    assert [event.entry_type for event in certificate.events] == ["vaccination"]
    assert certificate.other == {f"{resource['resourceType']} entry[1]": modified}


@pytest.mark.parametrize("part", ["performer", "protocolApplied"])
def test_nor_one_in_a_part_of_it(part: str) -> None:
    modified = shc.with_(shc.DOSE, **{part: [{"modifierExtension": [{"url": "https://example.org/x"}]}]})
    assert shc.refused(shc.bundle(modified))[0] == "NO_ENTRY"


# --- A key of one domain in another family ---


def everybody(domain: str) -> hc.TrustStore:
    """The keys of all cases, each under its own kid and issuer, as keys of this domain."""
    store = hc.TrustStore()
    for case in CASES.values():
        store.add([replace(key, domain=domain) for key in case.trust()])
    return store


@pytest.mark.parametrize("domain", ["DCC", "SHC", "NZCP", "ICAO", "DIVOC", "2D-DOC", "ICVP", "CH-LIGHT"])
@pytest.mark.parametrize("name", CASES)
def test_a_key_of_one_domain_signs_in_no_other(name: str, domain: str) -> None:
    case = CASES[name]
    own = {key.domain for key in case.trust()}
    issued = case.issue()
    text = Scan.of(issued.binary) if case.kind == "DIVOC" else issued.text
    policy = hc.Policy(families=frozenset({case.kind}))
    report = hc.Verifier(everybody(domain), policy=policy, clock=CLOCK).examine(text)
    assert (report.outcome is hc.Outcome.ACCEPTED) == (domain in own), report.detail


# --- NZ COVID Pass ---


@cache
def did_document() -> bytes:
    """A DID document with a key that makes assertions, and one that is only listed."""
    methods = [
        {
            "id": f"{nzcp.ISSUER}#{name}",
            "controller": nzcp.ISSUER,
            "type": "JsonWebKey2020",
            "publicKeyJwk": jwk.jwk_of(spki),
        }
        for name, spki in (("key-1", nzcp.trusted_key().spki), ("key-2", spki_of(stranger())))
    ]
    document = {"id": nzcp.ISSUER, "verificationMethod": methods, "assertionMethod": [f"{nzcp.ISSUER}#key-1"]}
    return json.dumps({"@context": "https://w3.org/ns/did/v1"} | document).encode()


def passes() -> hc.TrustStore:
    context = Context((), NOW, options={"issuer": nzcp.ISSUER})
    return hc.TrustStore(source_named("nzcp").load({"list": did_document()}, context).keys)


def signed_by(key: ec.EllipticCurvePrivateKey, protected: dict[Any, Any], claims: dict[Any, Any]) -> str:
    head, payload = cbor2.dumps(protected), cbor2.dumps(claims)
    signature = Algorithm.ES256.sign(key, cose.sig_structure(head, payload))
    return "NZCP:/1/" + base32.encode(cose.assemble_sign1(head, payload, signature))


def test_a_key_that_is_not_listed_for_assertions_makes_none() -> None:
    assert judged(passes(), nzcp.Press().text(), nzcp.NOW).code == "OK"
    text = signed_by(stranger(), {4: b"key-2", 1: -7}, nzcp.CLAIMS)
    refused(judged(passes(), text, nzcp.NOW), "trust", "KEY_NOT_IN_TRUST_LIST")


@pytest.mark.parametrize(
    "kid", [b"", "", b"key-1\0", b"KEY-1", b"#key-1", f"{nzcp.ISSUER}#key-1", b"key-1" * 400, "key-\u0661"]
)
def test_odd_kids_of_a_pass_mean_no_key(kid: Any) -> None:
    report = judged(passes(), nzcp.Press(protected={4: kid, 1: -7}).text(), nzcp.NOW)
    refused(report, "trust", "KEY_NOT_IN_TRUST_LIST")
    assert len(report.detail) < 300


def test_what_is_not_signed_in_the_header_of_a_pass_names_nothing() -> None:
    for press in (
        nzcp.Press(protected={1: -7}, unprotected={4: b"key-1"}),
        nzcp.Press(protected={4: b"key-1"}, unprotected={1: -7}),
    ):
        assert judged(passes(), press.text(), nzcp.NOW).outcome is hc.Outcome.REFUSED


@pytest.mark.parametrize("alg", [-8, -35, -36, -37, 5, 0, None, "ES256", -7.0, [-7]])
def test_another_algorithm_than_that_of_passes_is_refused(alg: Any) -> None:
    report = judged(passes(), nzcp.Press(protected={4: b"key-1", 1: alg}).text(), nzcp.NOW)
    refused(report, "signature", "ALGORITHM_NOT_ACCEPTED")


def test_another_did_under_the_same_kid_has_other_keys() -> None:
    text = nzcp.Press(claims=nzcp.CLAIMS | {1: "did:web:evil.example"}).text()
    refused(judged(passes(), text, nzcp.NOW), "trust", "KEY_NOT_IN_TRUST_LIST")


# --- ICAO VDS-NC ---


def self_signed(key: Any, *, ca: bool = False, country: str = "FR", name: str = "State CSCA") -> x509.Certificate:
    subject = x509.Name(
        [x509.NameAttribute(NameOID.COUNTRY_NAME, country), x509.NameAttribute(NameOID.COMMON_NAME, name)]
    )
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW - DAY)
        .not_valid_after(NOW + 900 * DAY)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )


def german() -> KeyPair:
    return new_csca("DE", "State CSCA", now=NOW - 30 * DAY)


@cache
def german_authority() -> KeyPair:
    """A trusted authority of the same name, of another country."""
    return new_csca("DE", "State CSCA", now=NOW - 30 * DAY)


def under_a_signer() -> KeyPair:
    """A certificate issued with the key of one who signs seals, and may not certify."""
    key, above = ec.generate_private_key(ec.SECP256R1()), seals.barcode_signer()
    subject = x509.Name([x509.NameAttribute(NameOID.COUNTRY_NAME, "FR"), x509.NameAttribute(NameOID.COMMON_NAME, "X")])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(above.certificate.subject)
        .public_key(key.public_key())
        .serial_number(2)
        .not_valid_before(NOW - DAY)
        .not_valid_after(NOW + 900 * DAY)
        .sign(above.key, hashes.SHA256())
    )
    return KeyPair(key, made)


USAGES = (hc.EntryType.VACCINATION, hc.EntryType.TEST)
IMPOSTORS: dict[str, Callable[[], KeyPair]] = {
    "certified by nobody": lambda: KeyPair(stranger(), self_signed(stranger())),
    "certified by itself, as an authority": lambda: KeyPair(stranger(), self_signed(stranger(), ca=True)),
    "certified by an authority of the same name": lambda: new_barcode_signer(
        new_csca("FR", "State CSCA", now=NOW - 30 * DAY), "Barcode Signer", now=NOW - DAY
    ),
    "of another country": lambda: new_barcode_signer(german_authority(), "Barcode Signer", now=NOW - DAY),
    "certified by a signer": under_a_signer,
    "the authority itself": seals.state,
    "for another purpose": lambda: new_dsc(seals.state(), "DSC", now=NOW - DAY, usages=USAGES),
}


@pytest.mark.parametrize("name", IMPOSTORS)
def test_who_may_not_sign_seals_signs_none(name: str) -> None:
    store = seals.store(seals.state(), german_authority())
    assert judged(store, seals.seal()).code == "OK"
    report = judged(store, seals.seal(pair=IMPOSTORS[name]()))
    assert (report.outcome, report.step) == ("refused", "trust")
    assert report.code in ("KEY_NOT_CHAINED", "KEY_NOT_IN_TRUST_LIST")


def test_a_trusted_certificate_vouches_for_no_other_key() -> None:
    genuine = seals.barcode_signer().certificate_der()
    pair = KeyPair(stranger(), self_signed(stranger()))
    refused(judged(seals.store(), seals.seal(pair=pair, certificate=genuine)), "signature", "SIGNATURE_INVALID")


def test_an_authority_that_has_ended_vouches_for_nothing_any_more() -> None:
    authority = new_csca("FR", "Short CSCA", now=NOW - 30 * DAY, validity=timedelta(days=40))
    pair = new_barcode_signer(authority, "B", now=NOW - DAY)
    text, store = seals.seal(pair=pair), seals.store(authority)
    assert judged(store, text).code == "OK"
    refused(judged(store, text, NOW + 20 * DAY), "time", "PUBLIC_KEY_EXPIRED")
    # What was found of it while it was valid makes no difference, nor does the order.
    assert judged(store, text).code == "OK"


@pytest.mark.parametrize("country", ["DEU", "D", "UTO", "XXX", "fra", "FR", "", None, "FRA "])
def test_a_seal_of_another_state_than_its_signers(country: Any) -> None:
    report = judged(seals.store(), seals.seal(seals.changed(seals.VACCINATED, "hdr.is", country)))
    assert (report.outcome, report.step) == ("refused", "trust")


@pytest.mark.parametrize("alg", ["ES384", "ES512", "PS256", "HS256", "none", "", None, ["ES256"]])
def test_another_algorithm_than_the_signers_is_refused(alg: Any) -> None:
    report = judged(seals.store(), seals.seal(alg=alg))
    assert (report.outcome, report.step) == ("refused", "signature")


def test_what_is_beside_the_signed_part_of_a_seal_is_not_read() -> None:
    seal = json.loads(seals.seal())
    seal |= {"msg": seals.TESTED["msg"], "hdr": seals.TESTED["hdr"]}
    seal["sig"]["data"] = seals.TESTED
    report = judged(seals.store(), json.dumps(seal))
    assert report.certificate is not None
    assert [event.entry_type for event in report.certificate.events] == ["vaccination"] * 2
    assert [warning.code for warning in report.warnings] == ["FIELD_UNEXPECTED"]


# --- DIVOC ---

ATTACKS: dict[str, tuple[Any, ...]] = {
    "a member that no context knows": ("credentialSubject", "fullName", "Mallory"),
    "a member of another place": ("credentialSubject", "certificateId", "1"),
    "an IRI for a name": ("credentialSubject", "https://schema.org/name", "Mallory"),
    "a term with its prefix": ("credentialSubject", "schema:name", "Mallory"),
    "a keyword": ("credentialSubject", "@reverse", {}),
    "a context of its own": ("credentialSubject", "@context", {"name": None}),
    "two values": ("credentialSubject", "name", ["Asha Example", "Mallory"]),
    "a value with a type": ("credentialSubject", "name", {"@value": "Mallory"}),
    "another identifier": ("credentialSubject", "id", "did:evil:1"),
    "a second proof": ("proof", "domain", "example.org"),
    "a holder": ("holder", "name", "Mallory"),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_what_the_proof_does_not_cover_changes_nothing(name: str) -> None:
    place, member, value = ATTACKS[name]
    document = divoc.signed()
    document[place] = dict(document.get(place, {})) | {member: value}
    report = judged(divoc.store(), divoc.text(document))
    if report.outcome is hc.Outcome.ACCEPTED:
        assert report.warnings
        assert "Mallory" not in json.dumps(report.to_dict())
        assert report.certificate is not None
        assert report.certificate.holder.name == "Asha Example"
    else:
        assert "Mallory" not in report.detail


def test_a_proof_of_anothers_making_is_none() -> None:
    document, genuine = divoc.signed(), divoc.signed(divoc.TEST_DOCUMENT)
    refused(judged(divoc.store(), divoc.text(document | {"proof": genuine["proof"]})), "signature", "SIGNATURE_INVALID")


@pytest.mark.parametrize("proof", [[], {}, None, "x", [{"type": "x"}]])
def test_a_proof_that_is_none(proof: Any) -> None:
    report = judged(divoc.store(), divoc.text(divoc.signed() | {"proof": proof}))
    assert report.outcome is hc.Outcome.REFUSED


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "none", "b64": False, "crit": ["b64"]},
        {"alg": "HS256", "b64": False, "crit": ["b64"]},
        {"alg": "PS256", "b64": False, "crit": ["b64"]},
        {"alg": "ES256", "b64": False, "crit": ["b64"]},
        {"alg": "EdDSA", "b64": True, "crit": ["b64"]},
        {"alg": "EdDSA", "b64": False, "crit": ["b64", "x"]},
        {"alg": "EdDSA", "b64": False},
        {"alg": "EdDSA"},
        {"alg": "none", "b64": False, "crit": ["b64"], "jwk": {"kty": "oct", "k": ""}},
    ],
)
def test_another_header_of_the_proof_is_refused(header: dict[str, Any]) -> None:
    assert judged(divoc.store(), divoc.text(divoc.signed(header=header))).outcome is hc.Outcome.REFUSED


@pytest.mark.parametrize(
    "contexts",
    [
        [divoc.CREDENTIALS],
        [divoc.V2, divoc.CREDENTIALS],
        [divoc.CREDENTIALS, divoc.V1],
        [divoc.CREDENTIALS, divoc.TEST_V1],
        [divoc.CREDENTIALS, divoc.V2, {"name": "https://schema.org/alternateName"}],
        [divoc.CREDENTIALS, {"name": None}],
        [divoc.CREDENTIALS, "https://evil.example/v2"],
        [divoc.CREDENTIALS, divoc.V2 + "/"],
        [divoc.CREDENTIALS, divoc.V2, divoc.V2],
        divoc.V2,
    ],
)
def test_other_contexts_are_not_taken(contexts: Any) -> None:
    report = judged(divoc.store(), divoc.text(divoc.signed() | {"@context": contexts}))
    assert report.outcome is not hc.Outcome.ACCEPTED
    assert report.certificate is None


def test_which_of_its_names_a_context_goes_by_is_not_signed_and_not_told() -> None:
    other = "https://divoc.lgcc.gov.lk/credentials/vaccination/v2"
    genuine = divoc.signed()
    versions = set()
    for name in (divoc.V2, other):
        report = judged(divoc.store(), divoc.text(genuine | {"@context": [divoc.CREDENTIALS, name]}))
        assert report.certificate is not None
        versions.add(report.certificate.version)
    assert versions == {divoc.V2}


@pytest.mark.parametrize(
    "issuer",
    [
        *("did:india", "did:INDIA", "did:indonesia#1", "did:example:other", "https://user@cowin.gov.in/"),
        *("https://cowin.gov.in./", "HTTPS://COWIN.GOV.IN/", "https://cowin.gov.in:443x/", "https:cowin.gov.in"),
        *("http://c%6fwin.gov.in/", "https:///cowin.gov.in/", "https://www.pedulilindungi.id"),
    ],
)
def test_a_key_speaks_for_no_issuer_that_is_known_to_have_another(issuer: str) -> None:
    report = judged(divoc.store(), divoc.text(divoc.signed(divoc.DOCUMENT | {"issuer": issuer})))
    refused(report, "trust", "ISSUER_INVALID")


def test_a_number_that_has_no_exact_form_is_not_signed() -> None:
    genuine = divoc.signed(divoc.changed(divoc.DOCUMENT, "credentialSubject", "address", "postalCode", value=10**22))
    for number in (10**22, 10**22 + 1):
        document = divoc.changed(genuine, "credentialSubject", "address", "postalCode", value=number)
        refused(judged(divoc.store(), divoc.text(document)), "decode", "CANONICALIZATION_FAILED")


# --- 2D-Doc ---


def documents_signed_by(*keys: hc.TrustedKey) -> hc.TrustStore:
    return hc.TrustStore([replace(key, kid=twoddoc.KID, domain="2D-DOC") for key in keys])


def leaf_key(pair: KeyPair) -> hc.TrustedKey:
    found = parse_certificate(pair.certificate_der())
    return hc.TrustedKey(
        kid=b"", spki=found.spki, certificate=found.der, not_before=found.not_before, not_after=found.not_after
    )


def stamped(day: str, pair: KeyPair) -> str:
    """A document with this day of signature, signed with the key of ``pair``."""
    press = twoddoc.Press(header=f"DC04FR0000011E6D{day}{{type}}01FR")
    return press.signed + "\x1f" + base32.encode(pair.signer().sign(press.signed.encode()))


def day(moment: datetime) -> str:
    return f"{(moment.date() - datetime(2000, 1, 1, tzinfo=NOW.tzinfo).date()).days:04X}"


def test_two_keys_under_one_name_sign_each_their_own() -> None:
    both = documents_signed_by(leaf_key(leaf()), hc.TrustedKey(kid=b"", spki=twoddoc.spki()))
    assert judged(both, twoddoc.Press().text()).code == "OK"
    assert judged(both, stamped(day(NOW - DAY), leaf())).code == "OK"
    pair = KeyPair(stranger(), self_signed(stranger()))
    refused(judged(both, stamped(day(NOW - DAY), pair)), "signature", "SIGNATURE_INVALID")


def test_an_expired_key_signs_nothing_new() -> None:
    store, later = documents_signed_by(leaf_key(leaf())), leaf().certificate.not_valid_after_utc + 10 * DAY
    # A document outlives the certificate, on whose days it has to have been signed.
    assert judged(store, stamped(day(NOW - DAY), leaf()), later).code == "OK"
    refused(judged(store, stamped(day(later - DAY), leaf()), later), "time", "PUBLIC_KEY_EXPIRED")
    refused(judged(store, stamped(day(NOW - 90 * DAY), leaf()), later), "time", "PUBLIC_KEY_NOT_YET_VALID")
    refused(judged(store, stamped(day(later + 2 * DAY), leaf()), later), "time", "CWT_NOT_YET_VALID")
    # Without a day nothing says that it was signed in time.
    refused(judged(store, stamped("FFFF", leaf()), later), "time", "PUBLIC_KEY_EXPIRED")


def test_the_day_of_the_signature_is_part_of_what_is_signed() -> None:
    genuine = stamped(day(NOW - DAY), leaf())
    for changed in (genuine[:16] + day(NOW - 2 * DAY) + genuine[20:], genuine[:16] + "FFFF" + genuine[20:]):
        report = judged(documents_signed_by(leaf_key(leaf())), changed)
        refused(report, "signature", "SIGNATURE_INVALID")


@pytest.mark.parametrize("behind", ["\x1dL0MALLORY\x1d", "\x1d", "\x1f", "\x1dDC04", "=\x1dL9"])
def test_what_stands_behind_the_signature_is_not_read(behind: str) -> None:
    report = judged(twoddoc.store(), twoddoc.Press().text() + behind)
    if report.outcome is hc.Outcome.ACCEPTED:
        assert report.certificate is not None
        assert report.certificate.holder == twoddoc.HOLDER
        assert "MALLORY" not in json.dumps(report.to_dict())


def test_a_second_message_does_not_ride_on_the_signature() -> None:
    genuine = twoddoc.Press()
    for text in (
        genuine.signed + "\x1d" + "L0MALLORY\x1d" + genuine.text()[len(genuine.signed) :],
        genuine.text() + "\x1f" + genuine.text(),
        genuine.signed + "\x1f" + genuine.text(),
        genuine.text().replace("\x1f", "\x1fL0MALLORY\x1f"),
        genuine.text().replace("\x1f", "<US>L0MALLORY\x1f"),
    ):
        assert judged(twoddoc.store(), text).outcome is hc.Outcome.REFUSED


def test_a_text_is_not_read_by_the_version_of_other_bytes() -> None:
    """Text and bytes of a scan that tell two versions, whose headers are of two lengths."""
    press = replace(twoddoc.vaccination(L1="ZOÉ\x1d"), header="DC02FR0000011E6D1E6D{type}")
    data = press.text().encode()
    assert judged(twoddoc.store(), Scan(press.text(), data)).code == "OK"
    refused(judged(twoddoc.store(), Scan("DC04" + press.text()[4:], data)), "decode", "TWODDOC_DESERIALIZATION_FAILED")


def test_a_key_on_another_curve_does_not_sign() -> None:
    text = twoddoc.Press(algorithm=Algorithm.ES384).text()
    refused(judged(twoddoc.store(), text), "signature", "UNSUITABLE_PUBLIC_KEY_TYPE")


def test_digits_of_a_card_have_one_spelling() -> None:
    digits = to_digits(shc.Press().jws().encode())
    for text in (f"shc:/ {digits}", f"shc:/{digits} ", f"shc:/{digits[:2]} {digits[2:]}", f"shc:/{digits}\0"):
        assert judged(shc.store(), text).outcome is hc.Outcome.REFUSED
    arabic = digits.translate({ord("0") + n: ord("٠") + n for n in range(10)})
    assert judged(shc.store(), f"shc:/{arabic}").outcome is hc.Outcome.REFUSED
