"""PathCheck's registry: every framework's keys under that framework's names."""

from __future__ import annotations

import json
from itertools import count
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given

import healthcert as hc
from healthcert.issue.pki import KeyPair
from healthcert.lists import jwk
from healthcert.trust.keys import Assurance
from healthcert.trust.sources.pathcheck import PathCheck
from healthcert.trust.sources.protocol import Known, Role, TrustList
from tests.support import csca, dsc
from tests.unit.trust.sources.world import (
    FEW,
    Table,
    answer,
    b64,
    context,
    curve_key,
    damaged,
    issuers_jwk,
    kid_of,
    loaded,
    mutations,
    problems,
    refusal,
    spki_of,
)

SOURCE = PathCheck()
PLAIN = context()
KID = b64(kid_of(dsc()))
ISS = "https://spec.example.org/issuer"
SPKI, P384 = curve_key(), curve_key(ec.SECP384R1())
SHC = f"{ISS}#{jwk.thumbprint(SPKI)}"


NO_KEY = "neither a certificate nor a public key in base64"
NO_ISSUER = "its name is not an issuer's URL with a thumbprint"


def pem(label: str, der: bytes) -> str:
    return f"-----BEGIN {label}-----\n{b64(der)}\n-----END {label}-----"


def ski(pair: KeyPair) -> str:
    return b64(pair.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest)


def entry(**changes: Any) -> dict[str, Any]:
    found = {
        "displayName": {"en": "Gov of Testland"},
        "entityType": "issuer",
        "status": "current",
        "validFromDT": "2021-01-01T01:00:00.000Z",
        "credentialType": ["t", "v", "r"],
    } | changes
    return {name: value for name, value in found.items() if value is not ...}


CERTIFICATE = entry(didDocument=pem("CERTIFICATE", dsc().certificate_der()))
CSCA = entry(didDocument=pem("CERTIFICATE", csca().certificate_der()))
REGISTRY: dict[str, Any] = {
    "CRED": {"K1.EXAMPLE.ORG": entry(publicKey=b64(curve_key(ec.SECP256K1())))},
    "EUDCC": {KID: CERTIFICATE, "AAAAAAAAAAA=": entry(didDocument=pem("PUBLIC KEY", SPKI), credentialType=["v"])},
    "SmartHealthCards": {SHC: entry(didDocument=issuers_jwk(SPKI))},
    "ICAO": {f"FR#{ski(csca())}": CSCA},
    "DIVOC": {"did:india": entry(didDocument=pem("PUBLIC KEY", SPKI))},
}
NORMALIZED: dict[str, Any] = {
    "DCC": {KID: entry(publicKey=b64(spki_of(dsc())), validUntilDT="2022-05-05T00:00:00")},
    "SHC": {SHC: entry(publicKey=b64(SPKI))},
    "ICAO": {f"FR#{ski(csca())}": entry(publicKey=b64(spki_of(csca())))},
    "DIVOC": {"did:india": entry(publicKey=b64(SPKI))},
}


def load(document: Any) -> TrustList:
    return SOURCE.load({"list": json.dumps(document).encode()}, PLAIN)


def test_the_registry() -> None:
    found = load(REGISTRY)
    assert [(key.domain, key.issuer, key.kid) for key in found.keys] == [
        ("DCC", None, kid_of(dsc())),
        ("DCC", None, b"\0" * 8),
        ("SHC", ISS, jwk.thumbprint(SPKI).encode()),
        ("DIVOC", "did:india", b"did:india"),
    ]
    (authority,) = found.authorities
    assert (authority.role, authority.country, authority.domain) == (Role.CSCA, "FR", "ICAO")
    assert authority.certificate == csca().certificate_der()
    assert problems(found) == [("framework 1", "not a framework whose keys are used here")]
    assert found.assurance is Assurance.TLS_ONLY


def test_the_normalized_registry() -> None:
    found = load(NORMALIZED)
    assert [(key.domain, key.spki) for key in found.keys] == [("DCC", spki_of(dsc())), ("SHC", SPKI), ("DIVOC", SPKI)]
    assert str(found.keys[0].not_after) == "2022-05-05 00:00:00+00:00"
    # A bare key of an authority vouches for nothing: it has no name.
    assert [why for _, why in problems(found)] == [
        "not a readable certificate, without which nothing vouches for others"
    ]


def test_keys_as_jwk() -> None:
    with_certificate = jwk.jwk_of(spki_of(dsc())) | {"x5c": [b64(dsc().certificate_der())]}
    found = load(
        {"DCC": {KID: entry(publicKeyJwk=with_certificate)}, "SHC": {SHC: entry(publicKeyJwk=jwk.jwk_of(SPKI))}}
    )
    assert [key.certificate for key in found.keys] == [dsc().certificate_der(), None]


@pytest.mark.parametrize(
    ("types", "usages"),
    [
        (["t", "v", "r"], {"test", "vaccination", "recovery"}),
        (["v"], {"vaccination"}),
        (["V", 5, None], set()),
        ([], set()),
        (..., set()),
        ("tvr", set()),
    ],
)
def test_usages(types: Any, usages: set[str]) -> None:
    (key,) = load({"DCC": {KID: entry(publicKey=b64(SPKI), credentialType=types)}}).keys
    assert sorted(key.usages or ()) == sorted(usages)


def test_usages_are_never_wider_than_the_certificates() -> None:
    limited = dsc(hc.EntryType.TEST)
    found = load({"DCC": {b64(kid_of(limited)): entry(didDocument=pem("CERTIFICATE", limited.certificate_der()))}})
    assert found.keys[0].usages == frozenset({hc.EntryType.TEST})


@pytest.mark.parametrize(
    ("changes", "start", "end"),
    [
        ({}, "2021-07-31 10:00:00+00:00", "2023-07-31 10:00:00+00:00"),
        ({"validFromDT": "2021-08-02T00:00:00Z"}, "2021-08-02 00:00:00+00:00", "2023-07-31 10:00:00+00:00"),
        ({"validUntilDT": "2022-01-01T00:00:00"}, "2021-07-31 10:00:00+00:00", "2022-01-01 00:00:00+00:00"),
        ({"validFromDT": "2021-02-29T01:25:35.057Z"}, "2021-07-31 10:00:00+00:00", "2023-07-31 10:00:00+00:00"),
        ({"validUntilDT": "2099-01-01"}, "2021-07-31 10:00:00+00:00", "2023-07-31 10:00:00+00:00"),
        ({"validFromDT": 5, "validUntilDT": None}, "2021-07-31 10:00:00+00:00", "2023-07-31 10:00:00+00:00"),
    ],
)  # fmt: skip
def test_dates_are_never_wider_than_the_certificates(changes: dict[str, Any], start: str, end: str) -> None:
    (key,) = load({"DCC": {KID: CERTIFICATE | changes}}).keys
    assert (str(key.not_before), str(key.not_after)) == (start, end)


def test_an_impossible_date_of_a_bare_key_is_unknown() -> None:
    (key,) = load({"DCC": {KID: entry(publicKey=b64(SPKI), validFromDT="2021-02-29T01:25:35.057Z")}}).keys
    assert (key.not_before, key.not_after) == (None, None)


@pytest.mark.parametrize("status", ["expired", "terminated", "revoked", "CURRENT", None, ...])
@pytest.mark.parametrize("framework", ["EUDCC", "SmartHealthCards", "ICAO", "DIVOC"])
def test_only_what_is_current(framework: str, status: Any) -> None:
    ((name, item),) = list(REGISTRY[framework].items())[:1]
    found = load(
        {framework: {name: {key: value for key, value in (item | {"status": status}).items() if value is not ...}}}
    )
    assert not found.keys
    assert not found.authorities
    assert problems(found) == [(f"{framework} 1", "its status is not current")]


@pytest.mark.parametrize(
    ("framework", "name", "item", "why"),
    [
        ("DCC", "AAAAAAAAAAA=", CERTIFICATE, "its kid is not that of its certificate"),
        ("DCC", KID, entry(), NO_KEY),
        ("DCC", KID, entry(didDocument=pem("PRIVATE KEY", SPKI)), NO_KEY),
        ("DCC", KID, entry(didDocument=pem("PUBLIC KEY", SPKI) * 2), NO_KEY),
        ("DCC", KID, entry(publicKeyJwk={"d": "AAAA"}), NO_KEY),
        ("DCC", KID, entry(publicKeyJwk=jwk.jwk_of(SPKI) | {"x5c": [b64(dsc().certificate_der())]}), NO_KEY),
        ("DCC", KID, entry(publicKeyJwk=jwk.jwk_of(SPKI) | {"x5c": []}), NO_KEY),
        ("DCC", KID, entry(publicKeyJwk=jwk.jwk_of(SPKI) | {"x5c": {}}), NO_KEY),
        ("DCC", KID, entry(publicKeyJwk=jwk.jwk_of(SPKI) | {"x5c": {"0": "AAAA"}}), NO_KEY),
        ("DCC", KID, entry(publicKeyJwk=jwk.jwk_of(SPKI) | {"x5c": ["!"]}), NO_KEY),
        ("DCC", KID, entry(didDocument=pem("PUBLIC KEY", SPKI).partition("-----END")[0]), NO_KEY),
        ("DCC", KID, entry(didDocument="PUBLIC KEY"), NO_KEY),
        ("DCC", KID, 5, "no object"),
        ("DCC", KID, CERTIFICATE | {"entityType": "verifier"}, "not one that issues certificates"),
        ("SHC", ISS + "#x", entry(publicKey=b64(SPKI)), "its kid is not its thumbprint"),
        ("SHC", ISS + "#x", entry(didDocument=issuers_jwk(SPKI)), "its name is not the thumbprint of its key"),
        ("SHC", SHC, entry(didDocument=issuers_jwk(SPKI, use="enc")), "use is not sig"),
        ("SHC", SHC, entry(didDocument=issuers_jwk(SPKI, kid="x")), "its kid is not its thumbprint"),
        ("SHC", f"{ISS}#{jwk.thumbprint(P384)}", entry(publicKey=b64(P384)), "not a key on P-256"),
        ("SHC", SHC, entry(publicKey="AAAA"), "the public key cannot be read"),
        ("SHC", SHC, entry(publicKey="!"), "its name is not the thumbprint of its key"),
        ("SHC", "http://x.example#" + jwk.thumbprint(SPKI), entry(publicKey=b64(SPKI)), NO_ISSUER),
        ("SHC", jwk.thumbprint(SPKI), entry(publicKey=b64(SPKI)), NO_ISSUER),
        ("DIVOC", "india", entry(publicKey=b64(SPKI)), "its name is not a DID"),
        ("DIVOC", "did:" + "x" * 1024, entry(publicKey=b64(SPKI)), "its name is not a DID"),
        ("DIVOC", "did:\a", entry(publicKey=b64(SPKI)), "its name is not a DID"),
        ("DIVOC", "did:é", entry(publicKey=b64(SPKI)), "its name is not a DID"),
        ("DIVOC", "did:x", entry(publicKey="!"), "neither a certificate nor a public key"),
        ("DIVOC", "did:x", entry(publicKey="AAAA"), "the public key cannot be read"),
        ("ICAO", f"DE#{ski(csca())}", CSCA, "its country is not that of its certificate"),
        ("ICAO", "FR#AAAA", CSCA, "its name is not its key identifier"),
        ("ICAO", "FR", CSCA, "its name is not its key identifier"),
        ("ICAO", f"FR#{ski(dsc())}", CERTIFICATE, "not an authority that may sign certificates"),
        ("ICAO", f"FR#{ski(csca())}", entry(), "no certificate in it"),
    ],
    ids=count(),
)  # fmt: skip
def test_bad_entries_are_skipped(framework: str, name: str, item: Any, why: str) -> None:
    found = load({framework: {name: item}})
    assert not found.keys
    assert not found.authorities
    assert problems(found) == [(f"{framework} 1", why)]


def test_three_letters_for_a_country() -> None:
    assert load({"ICAO": {f"FRA#{ski(csca())}": CSCA}}).authorities[0].country == "FR"


@pytest.mark.parametrize("document", [{}, [], {"DCC": []}, {"id": "did:web:x", "verificationMethod": []}])
def test_not_a_registry(document: Any) -> None:
    assert refusal(SOURCE, {"list": json.dumps(document).encode()}, PLAIN) == "TRUST_LIST_UNREADABLE"


def test_a_framework_without_entries_is_nothing_to_tell_of() -> None:
    assert problems(load({"CRED": {}, "DCC": {}})) == []


def test_fetching() -> None:
    url = "https://example.org/registry.json"
    server = Table({url: answer(b"{}", etag='"1"')})
    fetched = SOURCE.fetch(server, url, Known(), PLAIN)
    assert fetched is not None
    assert dict(fetched.parts) == {"list": b"{}"}
    assert SOURCE.fetch(server, url, Known(fetched.parts, validators=fetched.validators), PLAIN) is None


def test_more_entries_than_are_taken() -> None:
    assert refusal(SOURCE, {"list": json.dumps(NORMALIZED).encode()}, context(limits=FEW)) == "INPUT_TOO_LONG"


@pytest.mark.parametrize("framework", list(REGISTRY))
def test_a_changed_registry_has_no_other_keys(framework: str) -> None:
    document = {framework: REGISTRY[framework]}
    good = {(key.kid, key.spki, key.issuer) for key in load(document).keys}
    for changed in mutations(document):
        found = loaded(SOURCE, {"list": changed}, PLAIN)
        assert found is None or {(key.kid, key.spki, key.issuer) for key in found.keys} <= good


def test_nothing_is_widened_by_taking_something_away() -> None:
    (good,) = load({"DCC": NORMALIZED["DCC"]}).keys
    assert good.usages is not None
    for changed in mutations({"DCC": NORMALIZED["DCC"]}):
        for key in getattr(loaded(SOURCE, {"list": changed}, PLAIN), "keys", ()):
            assert key.usages is not None
            assert key.usages <= good.usages


@given(damaged(json.dumps(REGISTRY).encode(), json.dumps(NORMALIZED).encode()))
def test_nothing_else_escapes(data: bytes) -> None:
    loaded(SOURCE, {"list": data}, PLAIN)
