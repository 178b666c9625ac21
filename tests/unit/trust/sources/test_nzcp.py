"""The DID document of the issuer of My Vaccine Passes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given

from healthcert.errors import FetchError, TrustError
from healthcert.lists import jwk
from healthcert.trust.keys import Assurance
from healthcert.trust.sources.did import url_of
from healthcert.trust.sources.nzcp import ISSUER, NewZealand
from healthcert.trust.sources.protocol import Known, TrustList
from tests.unit.trust.sources.world import (
    FEW,
    Table,
    answer,
    check_no_more,
    context,
    curve_key,
    damaged,
    loaded,
    mutations,
    problems,
    refusal,
)

SOURCE = NewZealand()
PLAIN = context()
SPKI = curve_key()
METHOD: dict[str, Any] = {
    "id": f"{ISSUER}#z12Kf7UQ",
    "controller": ISSUER,
    "type": "JsonWebKey2020",
    "publicKeyJwk": jwk.jwk_of(SPKI),
}
DOCUMENT: dict[str, Any] = {
    "@context": "https://w3.org/ns/did/v1",
    "id": ISSUER,
    "verificationMethod": [METHOD],
    "assertionMethod": [METHOD["id"]],
}


def load(*methods: Any, allowed: list[Any] | None = None, **changes: Any) -> TrustList:
    names = [method["id"] for method in methods if isinstance(method, dict)] if allowed is None else allowed
    document = DOCUMENT | {"verificationMethod": methods, "assertionMethod": names} | changes
    return SOURCE.load({"list": json.dumps(document).encode()}, PLAIN)


def test_the_key_of_the_issuer() -> None:
    found = SOURCE.load({"list": json.dumps(DOCUMENT).encode()}, PLAIN)
    (key,) = found.keys
    assert (key.kid, key.spki, key.domain, key.issuer) == (b"z12Kf7UQ", SPKI, "NZCP", ISSUER)
    assert (found.assurance, found.skipped) == (Assurance.TLS_ONLY, ())


def test_another_issuer_has_to_be_named() -> None:
    other = "did:web:nzcp.covid19.example"
    data = {"list": json.dumps(DOCUMENT).replace(ISSUER, other).encode()}
    assert refusal(SOURCE, data, PLAIN) == "TRUST_LIST_UNREADABLE"
    assert SOURCE.load(data, context(issuer=other)).keys[0].issuer == other
    assert refusal(SOURCE, data, context(issuer="did:key:x")) == "TRUST_CONFIG_INVALID"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"publicKeyJwk": None}, "no method with a publicKeyJwk"),
        ({"id": "did:web:other.example#z12Kf7UQ"}, "its name is not the issuer's with a fragment"),
        ({"id": ISSUER}, "its name is not the issuer's with a fragment"),
        ({"id": f"{ISSUER}#"}, "its name is not the issuer's with a fragment"),
        ({"id": f"{ISSUER}#é"}, "its name is not the issuer's with a fragment"),
        ({"id": f"{ISSUER}#{'x' * 257}"}, "its name is not the issuer's with a fragment"),
        ({"controller": "did:web:other.example"}, "another one controls it"),
        ({"controller": None}, "another one controls it"),
        ({"type": "EcdsaSecp256k1VerificationKey2019"}, "its type is not JsonWebKey2020"),
        ({"publicKeyJwk": METHOD["publicKeyJwk"] | {"use": "enc"}}, "its key is for something else"),
        ({"publicKeyJwk": METHOD["publicKeyJwk"] | {"alg": "ES384"}}, "its key is for something else"),
        ({"publicKeyJwk": METHOD["publicKeyJwk"] | {"d": "AAAA"}}, "the JWK holds a private key"),
        ({"publicKeyJwk": METHOD["publicKeyJwk"] | {"x": "AAAA"}}, "a member of the JWK is missing or wrong"),
        ({"publicKeyJwk": jwk.jwk_of(curve_key(ec.SECP384R1()))}, "not a key on P-256"),
    ],
)
def test_bad_methods_are_skipped(changes: dict[str, Any], why: str) -> None:
    good = METHOD | {"id": f"{ISSUER}#good", "publicKeyJwk": jwk.jwk_of(curve_key())}
    found = load(METHOD | changes, good, 5)
    assert [key.kid for key in found.keys] == [b"good"]
    assert problems(found) == [("method 1", why), ("method 3", "no method with a publicKeyJwk")]


def test_only_methods_for_assertions() -> None:
    found = load(METHOD, allowed=[f"{ISSUER}#key-2", METHOD, 5])
    assert not found.keys
    assert problems(found) == [
        ("method 1", "not listed under assertionMethod"),
        ("assertionMethod", "a method that is not there"),
    ]


def test_methods_of_one_name_are_all_kept() -> None:
    assert len(load(METHOD, METHOD | {"publicKeyJwk": jwk.jwk_of(curve_key())}).keys) == 2


@pytest.mark.parametrize("name", ["id", "verificationMethod", "assertionMethod"])
def test_not_the_document(name: str) -> None:
    document = {key: value for key, value in DOCUMENT.items() if key != name}
    assert refusal(SOURCE, {"list": json.dumps(document).encode()}, PLAIN) == "TRUST_LIST_UNREADABLE"


@pytest.mark.parametrize("name", ["verificationMethod", "assertionMethod"])
def test_bounds(name: str) -> None:
    document = DOCUMENT | {name: DOCUMENT[name] * 2}
    assert refusal(SOURCE, {"list": json.dumps(document).encode()}, context(limits=FEW)) == "INPUT_TOO_LONG"


def test_a_changed_document_has_no_other_keys() -> None:
    good = SOURCE.load({"list": json.dumps(DOCUMENT).encode()}, PLAIN)
    for changed in mutations(DOCUMENT):
        check_no_more(good, loaded(SOURCE, {"list": changed}, PLAIN))


@given(damaged(json.dumps(DOCUMENT).encode()))
def test_nothing_else_escapes(data: bytes) -> None:
    loaded(SOURCE, {"list": data}, PLAIN)


@pytest.mark.parametrize(
    ("did", "url"),
    [
        (ISSUER, "https://nzcp.identity.health.nz/.well-known/did.json"),
        ("did:web:a.example%3A8443", "https://a.example:8443/.well-known/did.json"),
        ("did:web:a.example:v2:trustlist", "https://a.example/v2/trustlist/did.json"),
        ("did:web:a.example%3a8443:x", "https://a.example:8443/x/did.json"),
    ],
)
def test_where_a_document_is(did: str, url: str) -> None:
    assert url_of(did) == url


@pytest.mark.parametrize(
    "did",
    ["", "did:web:", "did:key:x", "did:web:localhost", "did:web:127.0.0.1", "did:web:a.example:", "did:web:a.example/x",
     "did:web:a.example%2Fx", "did:web:u@a.example", "did:web:a.example:..%2f", "did:web:a.example\n",
     "did:web:" + "a." * 1000 + "example"],
)  # fmt: skip
def test_no_did_of_the_web(did: str) -> None:
    with pytest.raises(TrustError):
        url_of(did)


def test_fetching() -> None:
    own, copy = url_of(ISSUER), "https://mirror.example/did.json"
    server = Table({own: answer(b"{}"), copy: answer(b"{}")})
    for url in ("", ISSUER, copy):
        assert SOURCE.fetch(server, url, Known(), PLAIN) is not None
    assert [url for url, _ in server.asked] == [own, own, copy]
    with pytest.raises(FetchError):
        SOURCE.fetch(server, "did:web:a.example", Known(), PLAIN)
    assert server.asked[-1][0] == "https://a.example/.well-known/did.json"
    unchanged = Table({own: answer(b"{}", etag='"1"')})
    assert SOURCE.fetch(unchanged, "", Known({"list": b"{}"}, validators={own: '"1"'}), PLAIN) is None
