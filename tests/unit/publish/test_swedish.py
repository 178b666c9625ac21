"""What is published in the Swedish form is what the Swedish source reads."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from healthcert.encoding import jws
from healthcert.errors import Code, IssueError, TrustError
from healthcert.issue.pki import KeyKind, KeyPair, new_csca, new_dsc
from healthcert.lists.x509 import kid_of
from healthcert.model import EntryType
from healthcert.publish.swedish import publish
from healthcert.trust.sources.protocol import Context, TrustList
from healthcert.trust.sources.se import Swedish
from tests.support import DAY, NOW, csca, dsc
from tests.support_lists import anchor_of, b64, chain

GERMAN = new_dsc(new_csca("DE", "CSCA", now=NOW - 9 * DAY), "DSC", now=NOW - 9 * DAY, usages=[EntryType.RECOVERY])
CERTIFICATES = [pair.certificate_der() for pair in (dsc(), GERMAN, dsc(EntryType.TEST), dsc(kind=KeyKind.RSA_3072))]
SIGNERS = chain("DSC-TL signer")


def published(certificates: list[bytes], by: KeyPair = SIGNERS.leaf, **more: Any) -> bytes:
    more = {"chain": [SIGNERS.between.certificate_der()]} | more if by is SIGNERS.leaf else more
    parts = publish(certificates, by.signer(), issued_at=NOW, expires_at=NOW + 2 * DAY, **more)
    assert set(parts) == set(Swedish.parts)
    return parts["list"]


def load(data: bytes, anchor: Any = None) -> TrustList:
    return Swedish().load({"list": data}, Context((anchor or SIGNERS.anchor(),), NOW))


def claims(data: bytes) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(jws.read(data).payload)
    return found


def test_what_is_published_is_read() -> None:
    found = load(published(CERTIFICATES))
    assert {key.certificate for key in found.keys} == set(CERTIFICATES)
    assert {(key.country, key.usages) for key in found.keys} == {
        ("FR", None),
        ("FR", frozenset((EntryType.TEST,))),
        ("DE", frozenset((EntryType.RECOVERY,))),
    }
    assert (found.issued_at, found.expires_at, found.skipped) == (NOW, NOW + 2 * DAY, ())


@pytest.mark.parametrize("kind", KeyKind)
def test_the_signers_certificate_may_be_the_pinned_one(kind: KeyKind) -> None:
    signer = new_dsc(csca(), "List", now=NOW - DAY, kind=kind)
    assert len(load(published(CERTIFICATES, signer), anchor_of(signer)).keys) == 4
    assert len(load(published(CERTIFICATES, signer), anchor_of(csca())).keys) == 4


def test_without_its_chain_it_is_not_believed() -> None:
    with pytest.raises(TrustError) as caught:
        load(published(CERTIFICATES, chain=()))
    assert caught.value.code == Code.TRUST_LIST_NOT_AUTHENTIC


def test_its_form_is_that_of_the_specification() -> None:
    """DSC-TL §2."""
    data = published(CERTIFICATES)
    header = jws.read(data).header
    assert (header["typ"], header["alg"]) == ("JOSE", "ES256")
    assert header["x5c"] == [b64(pair.certificate_der()) for pair in (SIGNERS.leaf, SIGNERS.between)]
    said = claims(data)
    assert (said["iss"], said["iat"], said["exp"]) == (
        "DSC-TL signer",
        int(NOW.timestamp()),
        int((NOW + 2 * DAY).timestamp()),
    )
    assert list(said["dsc_trust_list"]) == ["FR", "DE"]
    kid = b64(GERMAN.signer().kid)
    assert said["dsc_trust_list"]["DE"]["eku"] == {kid: ["1.3.6.1.4.1.1847.2021.1.3"]}
    (key,) = said["dsc_trust_list"]["DE"]["keys"]
    assert key.keys() == {"kty", "crv", "x", "y", "kid", "x5c", "x5t#S256"}
    assert (key["kid"], key["x5c"]) == (kid, [b64(GERMAN.certificate_der())])
    assert claims(published(CERTIFICATES, issuer="https://example.org"))["iss"] == "https://example.org"


def test_a_certificate_that_is_given_twice_is_there_once() -> None:
    assert len(load(published([CERTIFICATES[0], CERTIFICATES[0]])).keys) == 1


def test_usages_under_a_kid_of_two_certificates_are_nobodys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("healthcert.lists.x509.kid_of", lambda _: kid_of(b""))
    found = load(
        published([pair.certificate_der() for pair in (dsc(EntryType.TEST), dsc(), dsc(EntryType.VACCINATION))])
    )
    assert [key.usages for key in found.keys] == [
        frozenset((EntryType.TEST,)),
        None,
        frozenset((EntryType.VACCINATION,)),
    ]


def test_moments_that_are_not_in_order_are_refused() -> None:
    with pytest.raises(IssueError) as caught:
        publish(CERTIFICATES, dsc().signer(), issued_at=NOW, expires_at=NOW)
    assert caught.value.code == Code.PUBLISHING_REFUSED


def test_what_no_verifier_could_use_is_not_published() -> None:
    with pytest.raises(TrustError) as caught:
        published([b"no certificate"])
    assert caught.value.code == Code.CERTIFICATE_UNREADABLE
    key = ec.generate_private_key(ec.BrainpoolP256R1())
    subject = dsc().certificate.subject
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(NOW).not_valid_after(NOW + DAY)
    with pytest.raises(TrustError) as caught:
        published([builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)])
    assert caught.value.code == Code.CERTIFICATE_UNREADABLE
    with pytest.raises(IssueError) as refused:
        published([SIGNERS.leaf.certificate_der()])
    assert refused.value.code == Code.PUBLISHING_REFUSED


@pytest.mark.parametrize("links", [6, 8])
def test_a_chain_that_its_readers_would_not_follow_is_not_published(links: int) -> None:
    with pytest.raises(IssueError) as caught:
        published(CERTIFICATES, chain=[SIGNERS.between.certificate_der()] * links)
    assert caught.value.code == Code.PUBLISHING_REFUSED


def test_a_list_without_keys_is_not_published() -> None:
    with pytest.raises(IssueError, match="neither keys nor authorities"):
        published([])
