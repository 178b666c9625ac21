"""The trusted list of 2D-Doc: whose signature it takes, over what, and which authorities stand on it."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings

import healthcert as hc
from healthcert.barcode.write import DataMatrix
from healthcert.encoding.algorithms import Algorithm
from healthcert.errors import Code, TrustError
from healthcert.families.twoddoc.encode import unsigned
from healthcert.issue.pki import KeyKind, new_csca
from healthcert.lists.anchors import TrustAnchor
from healthcert.trust.keys import Assurance
from healthcert.trust.sources.protocol import Known, Role, TrustList
from healthcert.trust.sources.registry import source_named
from healthcert.trust.sources.tsl import TrustedServices
from healthcert.trust.sources.twoddoc import SigningCertificates
from tests.support import DAY, NOW
from tests.support_twoddoc import HOLDER, VACCINATION
from tests.unit.trust.sources.tsl_lists import (
    ECDSA_SHA256,
    ENVELOPED,
    EXCLUSIVE,
    ListPress,
    Service,
    authority,
    leaf,
    operator,
    seal,
)
from tests.unit.trust.sources.world import (
    FEW,
    Table,
    answer,
    b64,
    certificate_anchor,
    context,
    damaged,
    key_anchor,
    loaded,
    problems,
    refusal,
    spki_of,
)

SOURCE = TrustedServices()
SEALED = context(certificate_anchor(seal()))
GOOD = ListPress().xml()


def load(press: ListPress, *anchors: TrustAnchor) -> TrustList:
    return SOURCE.load({"list": press.xml()}, context(*anchors) if anchors else SEALED)


def refused(press: ListPress, *anchors: TrustAnchor) -> str:
    return refusal(SOURCE, {"list": press.xml()}, context(*anchors) if anchors else SEALED)


def told(data: bytes) -> str:
    with pytest.raises(TrustError) as caught:
        SOURCE.load({"list": data}, SEALED)
    return f"{caught.value.code}: {caught.value.detail}"


# --- What is on it ---


def test_the_list_and_its_authorities() -> None:
    found = load(ListPress(services=(Service("FR03"), Service("FR04"))))
    assert [(one.role, one.country, one.domain) for one in found.authorities] == [(Role.CSCA, "FR", "2D-DOC")] * 2
    assert [one.certificate for one in found.authorities] == [authority(n).certificate_der() for n in ("FR03", "FR04")]
    assert (found.keys, found.skipped, found.assurance) == ((), (), Assurance.SIGNED_LIST)
    assert (found.counter, found.issued_at) == (22, datetime(2021, 8, 10, 11, tzinfo=UTC))
    assert found.expires_at == datetime(2022, 2, 10, 11, tzinfo=UTC)
    assert found.signer == certificate_anchor(seal())


def test_it_is_found_under_its_name() -> None:
    assert isinstance(source_named("tsl"), TrustedServices)
    assert isinstance(source_named("2d-doc"), SigningCertificates)


@pytest.mark.parametrize(
    ("service", "why"),
    [
        (Service(status="http://uri.etsi.org/TrstSvc/Svcstatus/withdrawn"), "not a service in force"),
        (Service(status="http://uri.etsi.org/TrstSvc/Svcstatus/expired"), "not a service in force"),
        (Service(status=""), "not a service in force"),
        (Service(since="2021-09-01T00:00:00Z"), "not a service in force yet"),
        (Service(since="soon"), "not a service in force yet"),
        (Service(type="http://uri.etsi.org/TrstSvc/Svctype/TSA"), "not a service that certifies"),
        (Service(certificate=b64(seal().certificate_der())), "not an authority that may sign certificates"),
        (Service(certificate="!"), "not a readable X.509 certificate"),
        (Service(certificate=""), "not a readable X.509 certificate"),
    ],
)
def test_services_that_are_skipped(service: Service, why: str) -> None:
    found = load(ListPress(services=(Service("FR04"), service)))
    assert problems(found) == [("service 2", why)]
    assert len(found.authorities) == 1


def test_an_authority_without_its_identifier_is_skipped() -> None:
    press = ListPress()
    data = press.with_(
        services=(Service("FR03"), Service("FR04", certificate=b64(authority("FR03").certificate_der())))
    )
    assert len(load(data).authorities) == 1  # one certificate, listed twice
    unnamed = Service("IDnow", certificate=b64(authority("FR03").certificate_der()))
    assert problems(load(press.with_(services=(unnamed,)))) == [("service 1", "no identifier of an authority")]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"scheme": "FR:eIDAS"}, "TRUST_LIST_NOT_AUTHENTIC"),
        ({"scheme": ""}, "TRUST_LIST_NOT_AUTHENTIC"),
        ({"root": "Other"}, "TRUST_LIST_UNREADABLE"),
        ({"sequence": ""}, "TRUST_LIST_UNREADABLE"),
        ({"sequence": "-1"}, "TRUST_LIST_UNREADABLE"),
        ({"sequence": "1" * 10}, "TRUST_LIST_UNREADABLE"),
        ({"issued": "yesterday"}, "TRUST_LIST_UNREADABLE"),
        ({"issued": "2021-09-10T11:00:00Z"}, "TRUST_LIST_NOT_AUTHENTIC"),
    ],
)
def test_signed_documents_that_are_no_such_list(changes: dict[str, str], code: str) -> None:
    assert refused(ListPress(**changes)) == code  # type: ignore[arg-type]


def test_the_bounds() -> None:
    two = ListPress(services=(Service("FR03"), Service("FR04"))).xml()
    assert refusal(SOURCE, {"list": two}, context(certificate_anchor(seal()), limits=FEW)) == "INPUT_TOO_LONG"
    small = hc.Limits(list_bytes=len(GOOD) - 1)
    assert refusal(SOURCE, {"list": GOOD}, context(certificate_anchor(seal()), limits=small)) == "TRUST_LIST_UNREADABLE"


# --- Who signed it ---


@pytest.mark.parametrize(
    "anchor", [certificate_anchor(seal()), key_anchor(spki_of(seal())), certificate_anchor(operator())]
)
def test_the_seal_its_key_or_the_authority_above_may_be_pinned(anchor: TrustAnchor) -> None:
    assert load(ListPress(), anchor).signer == anchor


def test_a_seal_on_a_curve() -> None:
    pair = seal(KeyKind.EC_P256)
    press = ListPress(signer=pair, method=ECDSA_SHA256)
    assert len(load(press, certificate_anchor(operator())).authorities) == 1
    assert refused(press.with_(method="http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384"), certificate_anchor(pair))


def test_anybody_elses_seal() -> None:
    stranger = new_csca("FR", "Services Applicatifs", now=NOW - 30 * DAY)
    press = ListPress(signer=stranger, method=ECDSA_SHA256)
    assert refused(press) == "TRUST_LIST_NOT_AUTHENTIC"
    # The certificate that comes with it is not the one that signed.
    assert refused(press.with_(certificates=(seal().certificate_der(),))) == "TRUST_LIST_NOT_AUTHENTIC"
    assert refusal(SOURCE, {"list": GOOD}, context()) == "TRUST_ANCHOR_MISSING"


def test_a_small_key_is_no_seal() -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    pair = type(seal())(key, seal().certificate)
    spki = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert refused(ListPress(signer=pair, certificates=()), key_anchor(spki)) == "TRUST_LIST_NOT_AUTHENTIC"


# --- What is signed ---


def test_both_ways_of_leaving_the_signature_out() -> None:
    assert load(ListPress(transforms=ENVELOPED)).authorities == load(ListPress()).authorities


@pytest.mark.parametrize(
    "changes",
    [
        {"transforms": f'<ds:Transform Algorithm="{EXCLUSIVE}"/>'},
        {"transforms": ENVELOPED.replace(EXCLUSIVE, "http://www.w3.org/TR/2001/REC-xml-c14n-20010315")},
        {"transforms": ENVELOPED.replace(f'{EXCLUSIVE}"/>', f'{EXCLUSIVE}"><x xmlns="{EXCLUSIVE}"/></ds:Transform>')},
        {"transforms": ListPress().transforms.replace("subtract", "intersect")},
        {"transforms": ListPress().transforms.replace("/descendant::ds:Signature", "/descendant::*")},
        {"properties_transform": ENVELOPED},
        {"canonical": "http://www.w3.org/2001/10/xml-exc-c14n#WithComments"},
        {"method": "http://www.w3.org/2000/09/xmldsig#rsa-sha1"},
        {"method": "http://www.w3.org/2000/09/xmldsig#hmac-sha1"},
        {"digest": "http://www.w3.org/2000/09/xmldsig#sha1"},
        {"uri": "#p"},
        {"uri": "#other"},
        {"uri": "http://example.test/"},
        {"more_references": '<ds:Reference URI=""/>'},
        {"more_references": '<ds:Reference URI="#other"/>'},
        {"more_references": "<ds:Reference/>"},
        {"certificates": ()},
    ],
)
def test_a_signature_over_anything_else(changes: dict[str, object]) -> None:
    anchor = certificate_anchor(operator())
    assert len(load(ListPress(), anchor).authorities) == 1
    assert refused(ListPress(**changes), anchor) == "TRUST_LIST_NOT_AUTHENTIC"  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"<tsl:TSLSequenceNumber>22", b"<tsl:TSLSequenceNumber>23"),
        (b"Autorit", b"Autorite"),
        (b"\t<tsl:TrustServiceProviderList>", b"<tsl:TrustServiceProviderList>"),
        (b"08:19:41Z", b"08:19:42Z"),
        (b'TSLTag="http', b'TSLTag="https'),
        (b"<ds:Object>", b"<ds:Object><xades:SignedProperties Id='p'/>"),
        (b"</ds:Signature>", b"</ds:Signature><ds:Signature/>"),
        (b"<ds:Signature ", b"<tsl:Other><ds:Signature/></tsl:Other><ds:Signature "),
        (b"<ds:SignatureValue", b"<ds:SignatureValue/><ds:SignatureValue"),
        (b"<ds:KeyInfo>", b"<ds:SignedInfo/><ds:KeyInfo>"),
        (b"</tsl:SchemeInformation>", b"</tsl:SchemeInformation><tsl:SchemeInformation/>"),
    ],
)
def test_what_was_changed_afterwards(old: bytes, new: bytes) -> None:
    assert GOOD.count(old) == 1
    assert "NOT_AUTHENTIC" in told(GOOD.replace(old, new))


def test_what_is_not_signed_changes_nothing() -> None:
    commented = GOOD.replace(b"\t<tsl:TrustServiceProviderList>", b"\t<!-- new --><tsl:TrustServiceProviderList>")
    quoted = GOOD.replace(b'xml:lang="fr"', b"xml:lang='fr'")
    for data in (commented, quoted):
        assert data != GOOD
        found = SOURCE.load({"list": data}, SEALED)
        assert found.signed == SOURCE.load({"list": GOOD}, SEALED).signed


def test_a_list_without_a_signature() -> None:
    assert "not signed" in told(ListPress().body("").encode())
    # Wrapped deeper, it would be a signature over something else.
    signature = GOOD[GOOD.index(b"<ds:Signature ") : GOOD.index(b"</tsl:TrustServiceStatusList>")]
    assert "under the root" in told(GOOD.replace(signature, b"<tsl:More>" + signature + b"</tsl:More>"))


def test_bare_signed_info_is_read_with_what_is_declared_around_it() -> None:
    moved = GOOD.replace(b' xmlns:unused="urn:unused"', b' xmlns:unused="urn:unused" xmlns:more="urn:more"')
    assert SOURCE.load({"list": moved}, SEALED).counter == 22


# --- XML that means harm ---


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<",
        b"\xef\xbb\xbf",
        b"not xml",
        b"<a>&undefined;</a>",
        GOOD[:-1],
        GOOD + b"<a/>",
        GOOD.decode("utf-8").encode("utf-16"),
        GOOD.replace("é".encode(), b"\xe9"),
        GOOD.replace(b"<tsl:TrustServiceStatusList", b"<!DOCTYPE x><tsl:TrustServiceStatusList", 1),
        GOOD.replace(b"<tsl:TrustServiceStatusList", b'<!DOCTYPE x [<!ENTITY a "b">]><tsl:TrustServiceStatusList', 1),
        b"<a>" * 40 + b"</a>" * 40,
        b"<r>" + b"<a/>" * 200_001 + b"</r>",
    ],
)
def test_what_is_no_such_document(data: bytes) -> None:
    assert told(data).startswith("TRUST_LIST_UNREADABLE")


@settings(max_examples=75, deadline=None)
@given(damaged(GOOD))
def test_a_damaged_list_is_refused_or_the_same(data: bytes) -> None:
    found = loaded(SOURCE, {"list": data}, SEALED)
    assert found is None or found.signed == SOURCE.load({"list": GOOD}, SEALED).signed


def test_fetching() -> None:
    fetcher = Table({"https://list.test/tsl.xml": answer(GOOD, etag='"1"')})
    fetched = SOURCE.fetch(fetcher, "https://list.test/tsl.xml", Known(), SEALED)
    assert fetched is not None
    assert fetched.parts == {"list": GOOD}


# --- Certificates under their names ---

LEAVES = SigningCertificates()


def leaves(items: object, *, tsl: bytes | None = GOOD) -> TrustList:
    parts = {"list": json.dumps(items).encode()} | ({} if tsl is None else {"tsl": tsl})
    return LEAVES.load(parts, SEALED)


def bare() -> str:
    key = ec.generate_private_key(ec.SECP384R1()).public_key()
    return b64(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


def test_a_certificate_under_an_authority_of_the_list() -> None:
    found = leaves({"FR03/AHP1": b64(leaf().certificate_der())})
    (key,) = found.keys
    assert (key.kid, key.spki, key.domain, key.country) == (b"FR03AHP1", spki_of(leaf()), "2D-DOC", "FR")
    assert [link.subject for link in key.chain] == ["FR03", "pinned.pem"]
    assert (found.assurance, found.counter, found.documents) == (Assurance.SIGNED_CHAIN, None, {"tsl": 22})
    assert len(found.authorities) == 1
    assert key.not_before == leaf().certificate.not_valid_before_utc


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("FR04/AHP1", b64(leaf().certificate_der()), "no authority of that name on the trusted list"),
        ("FR03/AHP1", b64(leaf("AHP1", "FR05").certificate_der()), "another issuer is named"),
        ("FR03/AHP1", b64(authority().certificate_der()), "an authority, which signs no documents"),
        ("FR03/AHP1", b64(seal().certificate_der()), "not a key on P-256, P-384 or P-521"),
        ("FR03/AHP1", bare(), "a bare public key, which no authority has certified"),
        ("FR03/AHP1", "!", "neither a certificate nor a public key in base64"),
        ("FR03/AHP1", 1, "neither a certificate nor a public key in base64"),
        ("FR03/AHP1", b64(b"0\x00"), "the public key cannot be read"),
        ("fr03/ahp1", b64(leaf().certificate_der()), "its name is not that of an authority and a certificate"),
        ("FR03-AHP1", b64(leaf().certificate_der()), "its name is not that of an authority and a certificate"),
        ("FR03/AHP12", b64(leaf().certificate_der()), "its name is not that of an authority and a certificate"),
    ],
)
def test_entries_that_are_skipped(name: str, value: object, why: str) -> None:
    found = leaves({name: value})
    assert problems(found) == [("entry 1", why)]
    assert found.keys == ()


def test_without_the_trusted_list_nothing_vouches_for_them() -> None:
    found = leaves({"FR03/AHP1": b64(leaf().certificate_der()), "FR03AHP2": bare()}, tsl=None)
    assert [key.kid for key in found.keys] == [b"FR03AHP1", b"FR03AHP2"]
    assert {key.domain for key in found.keys} == {"2D-DOC"}
    assert (found.assurance, found.authorities, found.signer) == (Assurance.TLS_ONLY, (), None)


def test_a_trusted_list_that_does_not_hold_is_not_left_out() -> None:
    with pytest.raises(TrustError) as caught:
        leaves({"FR03/AHP1": b64(leaf().certificate_der())}, tsl=GOOD.replace(b">22<", b">23<"))
    assert caught.value.code is Code.TRUST_LIST_NOT_AUTHENTIC


def test_fetching_both() -> None:
    items = json.dumps({"FR03/AHP1": b64(leaf().certificate_der())}).encode()
    table = Table(
        {"https://list.test/keys": answer(items, etag='"1"'), "https://list.test/tsl": answer(GOOD, etag='"2"')}
    )
    under = context(certificate_anchor(seal()), tsl="https://list.test/tsl")
    fetched = LEAVES.fetch(table, "https://list.test/keys", Known(), under)
    assert fetched is not None
    assert fetched.parts == {"list": items, "tsl": GOOD}
    assert len(LEAVES.load(fetched.parts, under).keys) == 1
    known = Known(parts=fetched.parts, validators=fetched.validators)
    assert LEAVES.fetch(table, "https://list.test/keys", known, under) is None


@pytest.mark.parametrize(
    ("signed_on", "code"),
    [
        (NOW, Code.OK),
        (NOW - 19 * DAY, Code.OK),
        (NOW - 20 * DAY, Code.OK),  # the day on which the certificate began
        (NOW - 21 * DAY, Code.PUBLIC_KEY_NOT_YET_VALID),
    ],
)
def test_what_such_a_certificate_signed_is_accepted(signed_on: datetime, code: Code) -> None:
    store = hc.TrustStore(leaves({"FR03/AHP1": b64(leaf().certificate_der())}).keys)
    message = unsigned(
        event=VACCINATION,
        holder=HOLDER,
        issued_at=signed_on,
        expires_at=None,
        algorithm=Algorithm.ES256,
        authority="FR03",
        certificate_id="AHP1",
    )
    wire = message.assemble(leaf().signer().sign(message.to_be_signed))
    (text,) = hc.read_barcodes(DataMatrix.of(wire.text).png())
    # A document outlives the certificate that signed it.
    for at in (NOW, NOW + 10_000 * DAY):
        report = hc.Verifier(store, clock=hc.FixedClock(at)).examine(text)
        assert (report.code, report.warnings) == (code, () if code is Code.OK else report.warnings)
