"""Key sets and DID documents of issuers, as their own readers take them."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

import healthcert as hc
from healthcert.lists import jwk
from healthcert.publish import shc_crl
from healthcert.publish.issuer_keys import nzcp_document, shc_key_set
from healthcert.trust.sources.protocol import Context
from healthcert.trust.sources.registry import source_named
from tests.support import DAY, NOW

URL = "https://cards.example/issuer"
DID = "did:web:passes.example"
KEYS = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
SPKIS = [key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) for key in KEYS]
KIDS = [jwk.thumbprint(spki) for spki in SPKIS]
P384 = ec.generate_private_key(ec.SECP384R1()).public_key()


def loaded(format_: str, document: bytes, **options: str) -> tuple[hc.TrustedKey, ...]:
    found = source_named(format_).load({"list": document}, Context((), NOW, options=options))
    assert found.skipped == ()
    return found.keys


@cache
def certificate(uri: str) -> bytes:
    """A certificate of the first key whose alternative name is the issuer's URL."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Cards")])
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(KEYS[0].public_key())
        .serial_number(1)
        .not_valid_before(NOW)
        .not_valid_after(NOW + DAY)
        .add_extension(x509.SubjectAlternativeName([x509.UniformResourceIdentifier(uri)]), critical=False)
        .sign(KEYS[0], hashes.SHA256())
        .public_bytes(Encoding.DER)
    )


def test_a_key_set_of_cards_has_the_members_that_the_specification_asks_for() -> None:
    document = shc_key_set(SPKIS, issuer=URL)
    entries = json.loads(document)["keys"]
    for entry, kid in zip(entries, KIDS, strict=True):
        # SMART Health Cards, "Determining keys associated with an issuer".
        expected = {"kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": kid}
        assert {name: value for name, value in entry.items() if name not in ("x", "y")} == expected
    keys = loaded("shc", document, issuer=URL)
    assert [key.kid.decode() for key in keys] == KIDS
    assert [(key.spki, key.issuer, key.domain) for key in keys] == [(spki, URL, "SHC") for spki in SPKIS]


def test_the_number_of_a_revocation_list_is_in_the_key_set() -> None:
    first = shc_crl.publish(KIDS[0], {"abc": None})
    second = shc_crl.publish(KIDS[0], {"def": None}, before=first)
    entries = json.loads(shc_key_set(SPKIS, issuer=URL, crls=[second]))["keys"]
    assert [entry.get("crlVersion") for entry in entries] == [2, None]


def test_a_certificate_goes_along_with_its_key() -> None:
    document = shc_key_set([certificate(URL)], issuer=URL)
    (entry,) = json.loads(document)["keys"]
    assert (entry["kid"], len(entry["x5c"])) == (KIDS[0], 1)
    (key,) = loaded("shc", document, issuer=URL)
    assert key.certificate == certificate(URL)


def test_a_key_that_is_given_twice_is_there_once() -> None:
    assert len(json.loads(shc_key_set([SPKIS[0], SPKIS[0]], issuer=URL))["keys"]) == 1


def test_a_document_of_passes_has_the_form_of_the_specification() -> None:
    document = nzcp_document(dict(zip(("key-1", "key-2"), SPKIS, strict=True)), did=DID)
    values = json.loads(document)
    assert values["id"] == DID
    assert values["assertionMethod"] == [f"{DID}#key-1", f"{DID}#key-2"]
    # NZ COVID Pass, "DID Document".
    assert {(one["type"], one["controller"]) for one in values["verificationMethod"]} == {("JsonWebKey2020", DID)}
    assert set(values["verificationMethod"][0]["publicKeyJwk"]) == {"kty", "crv", "x", "y"}
    keys = loaded("nzcp", document, issuer=DID)
    assert [(key.kid, key.spki, key.issuer, key.domain) for key in keys] == [
        (name, spki, DID, "NZCP") for name, spki in zip((b"key-1", b"key-2"), SPKIS, strict=True)
    ]


@pytest.mark.parametrize(
    ("keys", "options", "said"),
    [
        ([], {}, "no key"),
        (SPKIS, {"issuer": "http://cards.example"}, "issuer"),
        (SPKIS, {"issuer": URL + "/"}, "issuer"),
        ([P384.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)], {}, "P-256"),
        ([certificate("https://another.example")], {}, "another issuer's"),
        (SPKIS, {"crls": [b"no list"]}, "cannot be read"),
        (SPKIS, {"crls": [b"[]"]}, "cannot be read"),
        (SPKIS, {"crls": [b"[" * 100_000]}, "cannot be read"),
        (SPKIS, {"crls": [shc_crl.publish("another", {"abc": None})]}, "not in the set"),
    ],
)
def test_a_key_set_that_nobody_would_read(keys: Any, options: dict[str, Any], said: str) -> None:
    with pytest.raises(hc.IssueError, match=said) as caught:
        shc_key_set(keys, **{"issuer": URL} | options)
    assert caught.value.code is hc.Code.PUBLISHING_REFUSED


@pytest.mark.parametrize(
    ("keys", "did"),
    [({}, DID), ({"key-1": SPKIS[0]}, "did:key:x"), ({"": SPKIS[0]}, DID), ({"clé": SPKIS[0]}, DID)],
)
def test_a_document_that_nobody_would_read(keys: dict[str, bytes], did: str) -> None:
    with pytest.raises(hc.IssueError, match="PUBLISHING_REFUSED"):
        nzcp_document(keys, did=did)


def test_a_key_that_cannot_be_read() -> None:
    with pytest.raises(hc.TrustError, match="CERTIFICATE_UNREADABLE"):
        shc_key_set([b"no key"], issuer=URL)
