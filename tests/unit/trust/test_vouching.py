"""Who vouches for the signer of a seal; and that each check, taken away, would let an attack through."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

import healthcert as hc
from healthcert.encoding import ber, jcs
from healthcert.errors import Code, Step, TrustError
from healthcert.issue.pki import KeyPair, new_barcode_signer, new_csca, new_dsc
from healthcert.issue.signer import PemSigner
from healthcert.lists.x509 import Certificate, parse_certificate
from healthcert.model import EntryType
from healthcert.trust import authorities, vouching
from healthcert.trust.generation import Head, make_generation
from healthcert.trust.keys import Assurance, Link
from healthcert.trust.sources.protocol import Authority, Role
from healthcert.trust.vouching import vouched
from tests.support import DAY, NOW
from tests.support_seals import (
    SEALS,
    TESTED,
    VACCINATED,
    barcode_signer,
    base64url,
    changed,
    examine,
    seal,
    state,
    store,
)

ICAO = frozenset({"ICAO"})
EXTENDED = x509.ExtendedKeyUsage([x509.ObjectIdentifier("2.23.136.1.1.14.2")])
Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@dataclass(frozen=True)
class Pair:
    """A private key and its certificate, which no strict parser needs to take."""

    key: Key
    der: bytes

    def certificate_der(self) -> bytes:
        return self.der

    def signer(self) -> PemSigner:
        return PemSigner(self.key, self.der)


def name_of(country: str | None, name: str) -> x509.Name:
    found = [x509.NameAttribute(NameOID.COMMON_NAME, name)]
    return x509.Name(found if country is None else [x509.NameAttribute(NameOID.COUNTRY_NAME, country), *found])


def make(
    country: str | None,
    name: str,
    issuer: Any = None,
    *extensions: x509.ExtensionType,
    key: Key | None = None,
    issuer_name: x509.Name | None = None,
    start: datetime = NOW - 30 * DAY,
    end: datetime = NOW + 900 * DAY,
    digest: hashes.SHA256 | hashes.SHA384 | None = None,
    alter: Callable[[bytes], bytes] = lambda signed: signed,
) -> Pair:
    """A certificate under ``issuer``, or self-signed; ``alter`` changes what is signed before it is."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    above = parse_name(issuer.certificate_der()) if issuer else name_of(country, name)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name_of(country, name))
        .issuer_name(issuer_name or above)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
    )
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    digest, above_key = digest or hashes.SHA256(), issuer.key if issuer else key
    made = builder.sign(above_key, digest).public_bytes(Encoding.DER)
    signed, algorithm, _ = ber.read(made).children()
    altered = alter(signed.raw)
    if altered == signed.raw:
        return Pair(key, made)
    assert isinstance(above_key, ec.EllipticCurvePrivateKey)
    signature = above_key.sign(altered, ec.ECDSA(digest))
    return Pair(key, der(0x30, altered, odd(algorithm.raw), der(0x03, b"\0" + signature)))


def parse_name(certificate: bytes) -> x509.Name:
    return x509.load_der_x509_certificate(certificate).subject


def authority(country: str | None = "FR", name: str = "State CSCA", issuer: Any = None, **changes: Any) -> Pair:
    ca = x509.BasicConstraints(ca=True, path_length=0)
    return make(country, name, issuer, ca, **changes)


def der(tag: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    size = len(body)
    octets = size.to_bytes((size.bit_length() + 7) // 8 or 1, "big")
    return bytes((tag,)) + (bytes((size,)) if size < 0x80 else bytes((0x80 | len(octets),)) + octets) + body


def odd(algorithm: bytes) -> bytes:
    """An AlgorithmIdentifier with an element too many, as Japan's signer has it."""
    return der(0x30, ber.read(algorithm).body, b"\x05\x00")


def with_odd_algorithm(signed: bytes) -> bytes:
    parts = ber.read(signed).children()
    return der(0x30, *(odd(part.raw) if number == 2 else part.raw for number, part in enumerate(parts)))


def document_types(*types: str, version: bytes = b"\0") -> x509.UnrecognizedExtension:
    listed = der(0x31, *(der(0x13, name.encode()) for name in types))
    return raw_document_types(der(0x30, der(0x02, version), listed))


def raw_document_types(value: bytes) -> x509.UnrecognizedExtension:
    return x509.UnrecognizedExtension(x509.ObjectIdentifier("2.23.136.1.1.6.2"), value)


def on_list(
    *ders: bytes | None,
    role: Role = Role.CSCA,
    domain: str | None = "ICAO",
    assurance: Assurance = Assurance.SIGNED_LIST,
    expires_at: datetime | None = None,
    trust: hc.TrustStore | None = None,
    source: str = "icao",
) -> hc.TrustStore:
    """A store that has these authorities from a list."""
    trust = hc.TrustStore() if trust is None else trust
    head = Head(
        source=source,
        format="icao",
        assurance=assurance,
        digest=source.encode(),
        signed=source.encode(),
        fetched_at=NOW - DAY,
        loaded_at=NOW - DAY,
        expires_at=expires_at,
    )
    found = tuple(Authority(role, one, "FR", domain) for one in ders)
    with trust.transaction() as change:
        change.put(make_generation(head, (), found), {})
    return trust


def ask(trust: hc.TrustStore, signer: Any = None, issuer: str | None = "FRA", **changes: Any) -> hc.TrustedKey:
    certificate = (signer or barcode_signer()).certificate_der()
    asked: dict[str, Any] = {"domains": ICAO, "issuer": issuer, "now": NOW} | changes
    (key,) = vouched(trust, certificate, **asked)
    return key


def usages_of(trust: hc.TrustStore, signer: Any = None) -> set[EntryType] | None:
    allowed = ask(trust, signer).usages
    return None if allowed is None else set(allowed)


def refusal(trust: hc.TrustStore, signer: Any = None, issuer: str | None = "FRA", **changes: Any) -> tuple[Code, str]:
    with pytest.raises(TrustError) as caught:
        ask(trust, signer, issuer, **changes)
    assert caught.value.step is Step.TRUST
    return caught.value.code, caught.value.detail


# --- Those who vouch ---


@pytest.mark.parametrize("trust", [store(), store(domain=None), on_list(state().certificate_der())])
def test_an_authority_vouches_for_its_signers(trust: hc.TrustStore) -> None:
    signer, csca = barcode_signer(), state()
    key = ask(trust)
    assert (key.certificate, key.kid) == (signer.certificate_der(), parse_certificate(signer.certificate_der()).kid)
    assert (key.country, key.domain, key.issuer) == ("FR", "ICAO", None)
    assert key.usages == frozenset((EntryType.VACCINATION, EntryType.TEST))
    assert key.chain == (Link("CSCA", "State CSCA", parse_certificate(csca.certificate_der()).fingerprint),)
    assert key.not_before == NOW - 20 * DAY
    assert key.not_after == NOW - 20 * DAY + timedelta(days=730)


def test_the_list_that_has_the_authority_is_told() -> None:
    listed = ask(on_list(state().certificate_der(), expires_at=NOW + DAY))
    assert [(one.source, one.assurance, one.expires_at) for one in listed.provenance] == [
        ("icao", Assurance.SIGNED_LIST, NOW + DAY)
    ]
    assert [(one.source, one.assurance) for one in ask(store()).provenance] == [("local", Assurance.LOCAL)]


def test_an_old_list_is_judged_like_one_of_keys() -> None:
    trust = on_list(state().certificate_der(), expires_at=NOW - 30 * DAY)
    report = examine(seal(), trust=trust)
    assert (report.outcome, report.code) == ("undetermined", Code.TRUST_LIST_EXPIRED)
    stale = examine(seal(), trust=on_list(state().certificate_der(), expires_at=NOW - DAY))
    assert (stale.outcome, [one.code for one in stale.warnings]) == ("accepted", [Code.TRUST_LIST_STALE])


def test_an_authority_may_be_there_under_several_certificates() -> None:
    """Doc 9303-12: a key may have a certificate signed by itself, and one that links it to the key before."""
    key = ec.generate_private_key(ec.SECP384R1())
    before, after = authority(), authority(key=key, end=NOW + 10 * DAY)
    link = authority(issuer=before, key=key, end=NOW - DAY)
    longest = authority(key=key, end=NOW + 300 * DAY)
    signer = make("FR", "Signer", after, EXTENDED, digest=hashes.SHA384())
    for several in ((link, after, longest), (longest, after, link)):
        assert ask(on_list(*(one.der for one in several)), signer).not_after == NOW + 300 * DAY
    assert ask(on_list(link.der), signer).not_after == NOW - DAY
    assert ask(on_list(before.der, after.der), signer).not_after == NOW + 10 * DAY


def test_a_key_identifier_chooses_among_authorities_of_one_name() -> None:
    others = [authority() for _ in range(40)]
    csca = authority(key=(key := ec.generate_private_key(ec.SECP256R1())))
    named = make(
        "FR",
        "State CSCA",
        None,
        x509.BasicConstraints(ca=True, path_length=0),
        x509.SubjectKeyIdentifier.from_public_key(key.public_key()),
        key=key,
    )
    signer = make("FR", "Signer", csca, EXTENDED, x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()))
    trust = on_list(*(one.der for one in others), named.der)
    assert ask(trust, signer).chain[0].fingerprint == parse_certificate(named.der).fingerprint
    # Without one, no more than a few are tried: whoever lists many must not cost as much as they like.
    assert refusal(on_list(*(one.der for one in others), csca.der), signer)[0] is Code.KEY_NOT_CHAINED


def test_certificates_as_odd_as_japans_are_read() -> None:
    """An element too many in the AlgorithmIdentifier, and ECDSA with SHA-384, as families of strict parsers refuse."""
    csca = authority("JP", "e-passportCSCA", key=ec.generate_private_key(ec.SECP384R1()), digest=hashes.SHA384())
    signer = make("JP", "Signer", csca, EXTENDED, digest=hashes.SHA384(), alter=with_odd_algorithm)
    with pytest.raises(ValueError, match=r"."):
        x509.load_der_x509_certificate(signer.der).signature_algorithm_parameters  # noqa: B018
    trust = store(csca)
    assert ask(trust, signer, "JPN").country == "JP"
    data = changed(VACCINATED, "hdr.is", "JPN")
    assert examine(seal(data, pair=signer), trust=trust).outcome == "accepted"
    other = authority("JP", "e-passportCSCA", key=ec.generate_private_key(ec.SECP384R1()))
    assert refusal(store(other), signer, "JPN")[0] is Code.KEY_NOT_CHAINED


def test_rsa_authorities_vouch_too() -> None:
    csca = authority(key=rsa.generate_private_key(public_exponent=65537, key_size=2048))
    assert ask(on_list(csca.der), make("FR", "Signer", csca, EXTENDED)).country == "FR"


def test_a_signer_ends_with_its_authority() -> None:
    csca = authority(end=NOW - DAY)
    signer = make("FR", "Signer", csca, EXTENDED)
    assert ask(on_list(csca.der), signer).not_after == NOW - DAY
    report = examine(seal(pair=signer), trust=on_list(csca.der))
    assert (report.code, report.step) == (Code.PUBLIC_KEY_EXPIRED, Step.TIME)


@pytest.mark.parametrize(
    ("types", "usages"),
    [
        (("NV",), {EntryType.VACCINATION}),
        (("NT",), {EntryType.TEST}),
        (("NT", "NV", "P"), {EntryType.VACCINATION, EntryType.TEST}),
        (("P", "AC"), set()),
        ((), set()),
    ],
)
def test_document_types_limit_what_is_signed(types: tuple[str, ...], usages: set[EntryType]) -> None:
    signer = make("FR", "Signer", state(), EXTENDED, document_types(*types))
    assert usages_of(store(), signer) == usages
    for data, needed in ((VACCINATED, EntryType.VACCINATION), (TESTED, EntryType.TEST)):
        report = examine(seal(data, pair=signer))
        if needed in usages:
            assert report.outcome == "accepted"
        else:
            assert (report.code, report.step) == (Code.KEY_USAGE_MISMATCH, Step.USAGE)


@pytest.mark.parametrize(
    "value",
    [b"", b"\x30\x00", b"\x30\x03\x02\x01\x00", der(0x30, b"\x02\x01\x01", der(0x31, b"\x13\x02NV")), b"\x31\x00",
     der(0x30, b"\x02\x01\x00", der(0x30, b"\x13\x02NV")), der(0x30, b"\x02\x01\x00", der(0x31, b"\x13\x02\xff\xff"))],
)  # fmt: skip
def test_document_types_that_cannot_be_read_allow_nothing(value: bytes) -> None:
    signer = make("FR", "Signer", state(), EXTENDED, raw_document_types(value))
    assert refusal(store(), signer)[0] is Code.CERTIFICATE_UNREADABLE


def test_without_document_types_any_is_signed() -> None:
    assert usages_of(store(), make("FR", "Signer", state(), EXTENDED)) is None


def test_what_the_operator_allows_an_authority_limits_its_signers() -> None:
    trust = hc.TrustStore.from_certificates(state().certificate_der(), usages=[EntryType.TEST], domain="ICAO")
    assert usages_of(trust) == {EntryType.TEST}
    assert usages_of(trust, make("FR", "Signer", state(), EXTENDED)) == {EntryType.TEST}


# --- Certificates that are pinned ---


def test_a_signer_that_was_added_by_hand_needs_nobody_else() -> None:
    stranger = make("FR", "worker of Friesland", authority("FR", "nobody"))
    assert ask(store(stranger), stranger).certificate == stranger.der
    # The samples of ICAO are of Utopia, by signers of anywhere.
    assert ask(store(stranger), stranger, "UTO").country == "FR"
    for issuer in ("DEU", "XYZ", None):
        assert refusal(store(stranger), stranger, issuer)[0] is Code.KEY_NOT_CHAINED


def test_a_bare_key_under_the_certificates_kid_is_a_pin_too() -> None:
    certificate = parse_certificate(barcode_signer().certificate_der())
    trust = hc.TrustStore()
    trust.add_public_key(certificate.spki, kid=certificate.kid, domain="ICAO")
    assert (ask(trust).certificate, usages_of(trust)) == (None, {EntryType.VACCINATION, EntryType.TEST})
    other = hc.TrustStore()
    other.add_public_key(parse_certificate(state().certificate_der()).spki, kid=certificate.kid, domain="ICAO")
    assert refusal(other)[0] is Code.KEY_NOT_IN_TRUST_LIST


def test_a_pin_is_for_its_domain() -> None:
    assert refusal(store(barcode_signer(), domain="DCC"))[0] is Code.KEY_NOT_IN_TRUST_LIST
    assert ask(store(barcode_signer(), domain=None)).domain is None


def test_a_pin_is_limited_by_its_certificate_and_its_operator() -> None:
    signer = make("FR", "Signer", authority(), EXTENDED, document_types("NV"))
    assert usages_of(store(signer), signer) == {EntryType.VACCINATION}
    trust = hc.TrustStore.from_certificates(signer.der, usages=[EntryType.TEST], domain="ICAO")
    assert usages_of(trust, signer) == set()
    web = make("FR", "Server", authority(), x509.ExtendedKeyUsage([x509.ObjectIdentifier("1.3.6.1.5.5.7.3.1")]))
    assert refusal(store(web), web)[0] is Code.KEY_NOT_CHAINED


def test_an_authority_is_no_signer_unless_its_bare_key_is_pinned() -> None:
    csca = parse_certificate(state().certificate_der())
    for trust in (store(), store(domain=None), on_list(csca.der)):
        assert refusal(trust, state()) == (
            Code.KEY_NOT_CHAINED,
            "the certificate is an authority's, which signs no seals",
        )
        assert examine(seal(pair=state()), trust=trust).outcome == "refused"
    deliberate = hc.TrustStore()
    deliberate.add_public_key(csca.spki, kid=csca.kid, domain="ICAO")
    assert ask(deliberate, state()).spki == csca.spki


# --- Those who do not ---


def test_an_empty_store_is_told_from_one_without_the_authority() -> None:
    assert refusal(hc.TrustStore())[0] is Code.TRUST_STORE_EMPTY
    assert refusal(on_list(authority("DE").der))[0] is Code.KEY_NOT_IN_TRUST_LIST
    assert refusal(store(new_csca("DE", "Other", now=NOW - DAY)))[0] is Code.KEY_NOT_IN_TRUST_LIST
    assert examine(seal(), trust=hc.TrustStore()).outcome == "undetermined"


@pytest.mark.parametrize(
    "trust",
    [
        on_list(state().certificate_der(), role=Role.UPLOAD),
        on_list(state().certificate_der(), role=Role.TLS),
        on_list(state().certificate_der(), domain="DCC"),
        on_list(state().certificate_der(), domain=None),
        on_list(b"no certificate", None),
        store(domain="DCC"),
    ],
)
def test_what_is_trusted_for_something_else_vouches_for_no_signer(trust: hc.TrustStore) -> None:
    assert refusal(trust)[0] is Code.KEY_NOT_IN_TRUST_LIST


def test_only_what_says_so_is_an_authority() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    for extensions in ((), (x509.BasicConstraints(ca=False, path_length=None),)):
        above = make("FR", "State CSCA", None, *extensions, key=key)
        signer = make("FR", "Signer", above, EXTENDED)
        assert refusal(store(above), signer)[0] is Code.KEY_NOT_IN_TRUST_LIST


def test_authorities_that_are_not_known_surely_enough_are_told() -> None:
    trust = on_list(state().certificate_der(), assurance=Assurance.TLS_ONLY)
    sure = frozenset({Assurance.SIGNED_LIST, Assurance.LOCAL})
    code, detail = refusal(trust, assurances=sure)
    assert (code, "tls_only" in detail) == (Code.KEY_ASSURANCE_TOO_LOW, True)
    assert ask(trust, assurances=frozenset(Assurance)).provenance[0].assurance is Assurance.TLS_ONLY
    assert ask(trust).country == "FR"


@pytest.mark.parametrize("certificate", [b"", b"\x30\x00", b"x" * 70_000])
def test_what_is_no_certificate_is_refused(certificate: bytes) -> None:
    with pytest.raises(TrustError) as caught:
        vouched(store(), certificate, domains=ICAO, issuer="FRA", now=NOW)
    assert caught.value.code is Code.CERTIFICATE_UNREADABLE


# --- Each check by what gets through without it ---


def forged() -> Pair:
    """By an authority of the same name that nobody trusts."""
    return make("FR", "Signer", authority(), EXTENDED)


def another_name() -> Pair:
    return make("FR", "Signer", state(), EXTENDED, issuer_name=name_of("FR", "Nobody"))


def another_key_id() -> Pair:
    other = ec.generate_private_key(ec.SECP256R1()).public_key()
    return make("FR", "Signer", state(), EXTENDED, x509.AuthorityKeyIdentifier.from_issuer_public_key(other))


def of_another_country() -> Pair:
    return make("DE", "Signer", state(), EXTENDED)


def for_a_web_server() -> Pair:
    return make("FR", "Signer", state(), x509.ExtendedKeyUsage([x509.ObjectIdentifier("1.3.6.1.5.5.7.3.1")]))


def for_european_certificates() -> KeyPair:
    return new_dsc(state(), "DSC", now=NOW - DAY, usages=[EntryType.VACCINATION])


def for_passports() -> Pair:
    return make("FR", "Signer", state(), document_types("P"))


def for_european_certificates_of_any_kind() -> KeyPair:
    """A DSC need not say what it is for, and may then sign any EU DCC."""
    return new_dsc(state(), "DSC", now=NOW - DAY)


def an_authority() -> KeyPair:
    return state()


def below_an_authority_below() -> Pair:
    """By one that the authority certified as a signer, and not as an authority."""
    return make("FR", "Signer", make("FR", "State CSCA", state()), EXTENDED)


ATTACKS: dict[Callable[[], Any], tuple[str, str]] = {
    forged: ("lists.x509.verify_oid", "FRA"),
    another_key_id: ("lists.x509.Certificate.problem_with_issuer", "FRA"),
    of_another_country: ("trust.vouching._problem", "DEU"),
    for_a_web_server: ("trust.vouching._check_purpose", "FRA"),
    for_european_certificates: ("trust.vouching._check_purpose", "FRA"),
    for_european_certificates_of_any_kind: ("trust.vouching._check_purpose", "FRA"),
    for_passports: ("trust.vouching._for_documents", "FRA"),
    an_authority: ("trust.vouching._is_authority", "FRA"),
    below_an_authority_below: ("lists.x509.verify_oid", "FRA"),
}
WITHOUT: dict[str, Callable[..., Any]] = {
    "lists.x509.verify_oid": lambda *_: True,
    "lists.x509.Certificate.problem_with_issuer": lambda *_: None,
    "trust.vouching._problem": lambda authority, signer: signer.problem_with_issuer(authority.certificate),
    "trust.vouching._check_purpose": lambda *_, **__: None,
    "trust.vouching._check_state": lambda *_, **__: None,
    "trust.vouching._for_documents": lambda key, _: key,
    "trust.vouching._is_authority": lambda _: False,
}


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
def test_each_check_keeps_an_attack_out(attack: Callable[[], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    check, issuer = ATTACKS[attack]
    text = seal(changed(VACCINATED, "hdr.is", issuer), pair=attack())
    report = examine(text)
    assert report.outcome == "refused"
    assert report.step in (Step.TRUST, Step.USAGE)
    assert report.certificate is None or report.step is Step.USAGE
    monkeypatch.setattr(f"healthcert.{check}", WITHOUT[check])
    assert examine(text).outcome == "accepted"


def test_the_state_that_a_seal_names_is_its_signers(monkeypatch: pytest.MonkeyPatch) -> None:
    text = seal(changed(VACCINATED, "hdr.is", "DEU"))
    report = examine(text)
    assert (report.code, report.step) == (Code.KEY_NOT_CHAINED, Step.TRUST)
    monkeypatch.setattr(vouching, "_check_state", WITHOUT["trust.vouching._check_state"])
    assert examine(text).outcome == "accepted"


@pytest.mark.parametrize("issuer", ["UTO", "XYZ", "DEU", None])
def test_an_authority_vouches_for_its_own_state_alone(issuer: str | None) -> None:
    code, detail = refusal(store(), issuer=issuer)
    assert (code, detail) == (Code.KEY_NOT_CHAINED, "the signer is not of the country that the seal names")


def test_an_authority_of_the_same_name_elsewhere_is_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """RFC 5280 §6.1.3 (a)(4): found by name; a certificate that names another issuer finds none."""
    assert refusal(store(), another_name())[0] is Code.KEY_NOT_IN_TRUST_LIST
    monkeypatch.setattr(Certificate, "problem_with_issuer", lambda *_: None)
    assert refusal(store(), another_name())[0] is Code.KEY_NOT_IN_TRUST_LIST


def test_a_signature_by_the_certificate_is_still_needed() -> None:
    """A chain that holds says nothing of the seal: anybody may copy the certificate out of another one."""
    thief = ec.generate_private_key(ec.SECP256R1())
    signed = PemSigner(thief, make("FR", "Thief", key=thief).der).sign(jcs.canonical(VACCINATED))
    report = examine(seal(sigvl=base64url(signed)))
    assert (report.code, report.step) == (Code.SIGNATURE_INVALID, Step.SIGNATURE)


# --- What is remembered ---


def test_an_authoritys_signature_is_checked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    trust, calls = store(), []
    original = Certificate.problem_with_issuer

    def counted(self: Certificate, authority: Certificate) -> str | None:
        calls.append(self)
        return original(self, authority)

    monkeypatch.setattr(Certificate, "problem_with_issuer", counted)
    first = ask(trust)
    assert ask(trust, now=NOW + DAY) is first
    assert len(calls) == 1
    # What is asked of another state, or of another store, is another question.
    assert refusal(trust, issuer="DEU")[0] is Code.KEY_NOT_CHAINED
    trust.add_public_key(parse_certificate(state().certificate_der()).spki, kid=b"x", domain="ICAO")
    assert ask(trust) is not first
    assert len(calls) == 3


def test_an_authority_that_leaves_the_store_vouches_no_more() -> None:
    trust = store()
    assert ask(trust).country == "FR"
    trust.remove(parse_certificate(state().certificate_der()).kid)
    assert refusal(trust)[0] is Code.TRUST_STORE_EMPTY


def test_what_is_found_is_not_kept_for_a_store_that_changed_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    trust = store()
    original = vouching._pinned

    def meanwhile(*args: Any) -> Any:
        found = original(*args)
        other = hc.TrustStore.from_certificates(authority("DE").der)
        thread = threading.Thread(target=trust.add, args=([*other],))
        thread.start()
        thread.join()
        return found

    monkeypatch.setattr(vouching, "_pinned", meanwhile)
    before = trust.authorities(domains=ICAO)
    assert ask(trust).country == "FR"
    assert trust.authorities(domains=ICAO) is not before
    assert before.signers == {}
    assert trust.authorities(domains=ICAO).signers == {}


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(authorities, "_MAX_KNOWN", 3)
    trust = store()
    for _ in range(5):
        ask(trust, make("FR", "Signer", state(), EXTENDED))
        assert len(trust.authorities(domains=ICAO).signers) <= 3


def test_the_authorities_of_a_store_are_the_same_until_it_changes() -> None:
    trust = store()
    assert trust.authorities(domains=ICAO) is trust.authorities(domains=ICAO)
    assert trust.authorities(domains=ICAO) is not trust.authorities(domains=frozenset({"DCC"}))


def test_a_seal_through_a_verifier_shows_the_chain() -> None:
    report = examine(seal(), policy=SEALS)
    assert report.key is not None
    assert [one.subject for one in report.key.chain] == ["State CSCA"]
    assert state().certificate_der() != report.key.certificate == barcode_signer().certificate_der()


def test_new_barcode_signers_are_of_the_profile() -> None:
    """Doc 9303-12 §7.1.3: three extensions, and none of a document signer's."""
    made = x509.load_der_x509_certificate(barcode_signer().certificate_der())
    found = {extension.oid.dotted_string: extension.critical for extension in made.extensions}
    assert found == {"2.5.29.35": False, "2.5.29.37": True, "2.23.136.1.1.6.2": False}
    only = new_barcode_signer(state(), "Tests", now=NOW, usages=[EntryType.TEST])
    assert usages_of(store(), only) == {EntryType.TEST}
    for wrong in ([], [EntryType.RECOVERY]):
        with pytest.raises(hc.IssueError, match="usages: of "):
            new_barcode_signer(state(), "Signer", now=NOW, usages=wrong)
    with pytest.raises(hc.IssueError) as caught:
        new_barcode_signer(state(), "Signer", now=NOW + timedelta(days=9999))
    assert caught.value.code is Code.PUBLIC_KEY_EXPIRED
    with pytest.raises(hc.IssueError) as caught:
        new_barcode_signer(barcode_signer(), "Signer", now=NOW)
    assert caught.value.code is Code.SIGNER_KEY_MISMATCH
