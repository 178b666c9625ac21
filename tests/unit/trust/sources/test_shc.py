"""Key sets of issuers of SMART Health Cards, and the directory of issuers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given

from healthcert.errors import FetchError, TrustError
from healthcert.fetch import Response
from healthcert.limits import DEFAULT_LIMITS
from healthcert.lists import jwk
from healthcert.trust.keys import Assurance
from healthcert.trust.sources.protocol import Known, TrustList
from healthcert.trust.sources.shc import Directory, Issuer, is_issuer
from tests.support import NOW
from tests.unit.trust.sources.world import (
    FEW,
    Table,
    answer,
    b64,
    check_no_more,
    context,
    curve_key,
    damaged,
    issuers_jwk,
    loaded,
    mutations,
    problems,
    refusal,
)

ISS, OTHER = "https://spec.example.org/issuer", "https://example.com"
SOURCE, DIRECTORY = Issuer(), Directory()
OWN = context(issuer=ISS)
PLAIN = context()
PRIVATE = ec.generate_private_key(ec.SECP256R1())
SPKI = jwk.key_bytes(PRIVATE.public_key())
JWK = issuers_jwk(SPKI)


def certificate(*uris: str, key: ec.EllipticCurvePrivateKey = PRIVATE) -> str:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Issuer")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(NOW).not_valid_after(NOW + timedelta(days=1))
    if uris:
        names = [x509.UniformResourceIdentifier(uri) for uri in uris]
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return b64(builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER))


def load(*keys: Any) -> TrustList:
    return SOURCE.load({"list": json.dumps({"keys": keys}).encode()}, OWN)


def test_the_key_of_an_issuer() -> None:
    found = load(JWK)
    (key,) = found.keys
    assert (key.kid, key.spki, key.domain, key.issuer) == (jwk.thumbprint(SPKI).encode(), SPKI, "SHC", ISS)
    assert (found.assurance, key.usages, key.not_before, key.not_after) == (Assurance.TLS_ONLY, None, None, None)


def test_one_key_alone_is_a_set_of_one() -> None:
    assert len(SOURCE.load({"list": json.dumps(JWK | {"crlVersion": 1}).encode()}, OWN).keys) == 1


def test_the_certificate_is_kept_and_its_dates_are_not_the_keys() -> None:
    (key,) = load(JWK | {"x5c": [certificate(OTHER, ISS)]}).keys
    assert key.certificate is not None
    assert key.not_after is None


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"kty": ...}, "kty is not EC"),
        ({"kty": "RSA"}, "kty is not EC"),
        ({"use": ...}, "use is not sig"),
        ({"use": "enc"}, "use is not sig"),
        ({"alg": ...}, "alg is not ES256"),
        ({"alg": "ES256K"}, "alg is not ES256"),
        ({"crv": ...}, "crv is not P-256"),
        ({"crv": "P-384"}, "crv is not P-256"),
        ({"d": "AAAA"}, "the JWK holds a private key"),
        ({"x": ...}, "a member of the JWK is missing or wrong"),
        ({"y": "AAAA"}, "a member of the JWK is missing or wrong"),
        ({"kid": ...}, "its kid is not its thumbprint"),
        ({"kid": "1"}, "its kid is not its thumbprint"),
        ({"kid": jwk.thumbprint(SPKI) + "="}, "its kid is not its thumbprint"),
        ({"kid": [jwk.thumbprint(SPKI)]}, "its kid is not its thumbprint"),
        ({"x5c": []}, "not a readable X.509 certificate"),
        ({"x5c": "AAAA"}, "not a readable X.509 certificate"),
        ({"x5c": ["!"]}, "not a readable X.509 certificate"),
        ({"x5c": [certificate()]}, "its certificate is another issuer's"),
        ({"x5c": [certificate(OTHER)]}, "its certificate is another issuer's"),
        ({"x5c": [certificate(ISS + "/")]}, "its certificate is another issuer's"),
        (
            {"x5c": [certificate(ISS, key=ec.generate_private_key(ec.SECP256R1())), certificate(ISS)]},
            "its certificate is another key's",
        ),
    ],
)
def test_bad_keys_are_skipped(changes: dict[str, Any], why: str) -> None:
    found = load(issuers_jwk(SPKI, **changes), issuers_jwk(curve_key()), 5)
    assert len(found.keys) == 1
    assert problems(found) == [("key 1", why), ("key 3", "no object")]


def test_another_keys_coordinates_do_not_go_by_this_ones_kid() -> None:
    assert not load(issuers_jwk(curve_key(), kid=JWK["kid"])).keys


@pytest.mark.parametrize("short", ["x", "y"])
def test_the_thumbprint_of_a_key_whose_coordinate_begins_with_zero(short: str) -> None:
    spki = next(spki for spki in iter(curve_key, b"") if jwk.decode(jwk.jwk_of(spki)[short])[0] == 0)
    numbers = jwk.jwk_of(spki)
    stripped = numbers | {short: jwk.encode(jwk.decode(numbers[short])[1:])}
    other = jwk.encode(_sha256(json.dumps(stripped, sort_keys=True, separators=(",", ":"))))
    # The kid to the letter, with the coordinate spelled either way; and the one that some software comes to.
    for kid in (jwk.thumbprint(spki), other):
        for spelled in (numbers, stripped):
            (key,) = load(issuers_jwk(spki, **(spelled | {"kid": kid}))).keys
            assert (key.kid, key.spki) == (kid.encode(), spki)


def _sha256(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


@pytest.mark.parametrize(
    "document", [b"[]", b"{}", b'{"keys": {}}', b'{"keys": null}', b"This is none!", b'{"keys": [], "keys": []}']
)
def test_not_a_key_set(document: bytes) -> None:
    assert refusal(SOURCE, {"list": document}, OWN) == "TRUST_LIST_UNREADABLE"


def test_more_keys_than_are_taken() -> None:
    data = json.dumps({"keys": [JWK, JWK]}).encode()
    assert refusal(SOURCE, {"list": data}, context(limits=FEW, issuer=ISS)) == "INPUT_TOO_LONG"


@pytest.mark.parametrize("options", [{}, {"issuer": ISS + "/"}, {"issuer": "http://a.example"}])
def test_which_issuer_has_to_be_said(options: dict[str, str]) -> None:
    data = {"list": json.dumps({"keys": [JWK]}).encode()}
    assert refusal(SOURCE, data, context(**options)) == "TRUST_CONFIG_INVALID"


@pytest.mark.parametrize(
    ("text", "yes"),
    [
        (ISS, True),
        ("https://a.example", True),
        ("https://A.Example:8443/x/y.z~1", True),
        ("https://a.example/", False),
        ("https://a.example//x", False),
        ("https://a.example/x/", False),
        ("https://a.example?x", False),
        ("https://a.example#x", False),
        ("https://u@a.example", False),
        ("https://localhost", False),
        ("https://127.0.0.1", False),
        ("https://[::1]", False),
        ("https://a.example\n", False),
        ("https://é.example", False),
        ("https://a.example/" + "x" * 2000, False),
        ("", False),
        (None, False),
    ],
)
def test_issuers(text: Any, yes: bool) -> None:
    assert is_issuer(text) is yes


def test_a_changed_set_has_no_other_keys() -> None:
    document = {"keys": [JWK | {"x5c": [certificate(ISS)]}]}
    good = load(*document["keys"])
    for changed in mutations(document):
        check_no_more(good, loaded(SOURCE, {"list": changed}, OWN))


@given(damaged(json.dumps({"keys": [JWK | {"x5c": [certificate(ISS)]}]}).encode()))
def test_nothing_else_escapes(data: bytes) -> None:
    loaded(SOURCE, {"list": data}, OWN)


def test_fetching_a_key_set() -> None:
    address, copy = f"{ISS}/.well-known/jwks.json", "https://mirror.example/jwks.json"
    server = Table({address: answer(b"{}"), copy: answer(b"{}")})
    for url in (ISS, "", copy):
        assert SOURCE.fetch(server, url, Known(), OWN) is not None
    assert [url for url, _ in server.asked] == [address, address, copy]
    with pytest.raises(TrustError):
        SOURCE.fetch(server, OTHER, Known(), OWN)
    unchanged = Table({address: answer(b"{}", etag='"1"')})
    known = Known({"list": b"{}"}, validators={address: '"1"'})
    assert SOURCE.fetch(unchanged, ISS, known, OWN) is None


# --- The directory ---

MORE = issuers_jwk(curve_key())
LISTED = {"participating_issuers": [{"iss": ISS, "name": "x"}, {"iss": OTHER, "name": "y"}]}
PARTS = {
    "list": json.dumps(LISTED).encode(),
    f"jwks:{ISS}": json.dumps({"keys": [JWK]}).encode(),
    f"jwks:{OTHER}": json.dumps({"keys": [MORE, JWK | {"kid": "x"}]}).encode(),
}
SNAPSHOT = {
    "directory": "x",
    "issuerInfo": [
        {"issuer": {"iss": ISS, "name": "x"}, "keys": [JWK], "crls": []},
        {"issuer": {"iss": OTHER, "name": "y"}, "keys": [MORE]},
    ],
}


def test_a_directory_with_the_key_sets_beside_it() -> None:
    found = DIRECTORY.load(PARTS, PLAIN)
    assert [(key.issuer, key.kid.decode(), key.domain) for key in found.keys] == [
        (ISS, JWK["kid"], "SHC"),
        (OTHER, MORE["kid"], "SHC"),
    ]
    assert problems(found) == [("issuer 2, key 2", "its kid is not its thumbprint")]
    assert found.assurance is Assurance.TLS_ONLY


def test_a_snapshot() -> None:
    found = DIRECTORY.load({"list": json.dumps(SNAPSHOT).encode()}, PLAIN)
    assert [(key.issuer, key.kid.decode()) for key in found.keys] == [(ISS, JWK["kid"]), (OTHER, MORE["kid"])]


def test_what_is_wrong_with_one_issuer_harms_no_other() -> None:
    listed = {
        "participating_issuers": [{"iss": ISS + "/"}, 5, {"iss": ["x"]}, {"iss": "https://c.example"}, {"iss": OTHER}]
    }
    found = DIRECTORY.load(PARTS | {"list": json.dumps(listed).encode(), "jwks:https://c.example": b"!"}, PLAIN)
    assert [key.issuer for key in found.keys] == [OTHER]
    assert problems(found) == [
        ("issuer 1", "not an https URL as issuers have it"),
        ("issuer 2", "not an https URL as issuers have it"),
        ("issuer 3", "not an https URL as issuers have it"),
        ("issuer 4", "not the JSON it should be"),
        ("issuer 5, key 2", "its kid is not its thumbprint"),
    ]
    assert problems(DIRECTORY.load({"list": PARTS["list"]}, PLAIN))[0] == ("issuer 1", "its key set is not there")


def test_a_part_of_an_issuer_that_is_not_listed_is_not_looked_at() -> None:
    listed = json.dumps({"participating_issuers": [{"iss": ISS}]}).encode()
    assert [key.issuer for key in DIRECTORY.load(PARTS | {"list": listed}, PLAIN).keys] == [ISS]


@pytest.mark.parametrize("document", [b"{}", b"[]", b'{"participating_issuers": {}}', b'{"issuerInfo": 5}'])
def test_not_a_directory(document: bytes) -> None:
    assert refusal(DIRECTORY, {"list": document}, PLAIN) == "TRUST_LIST_UNREADABLE"


def test_bounds_of_a_directory() -> None:
    assert refusal(DIRECTORY, PARTS, context(limits=FEW)) == "INPUT_TOO_LONG"
    empty = {"issuerInfo": [{"issuer": {"iss": issuer}, "keys": []} for issuer in (ISS, OTHER)]}
    assert refusal(DIRECTORY, {"list": json.dumps(empty).encode()}, context(limits=FEW)) == "INPUT_TOO_LONG"
    two = context(limits=msgspec.structs.replace(DEFAULT_LIMITS, trust_entries=2))
    # Two issuers, and three keys in all.
    assert refusal(DIRECTORY, PARTS, two) == "INPUT_TOO_LONG"


def test_a_changed_directory_has_no_other_keys() -> None:
    good = DIRECTORY.load(PARTS, PLAIN)
    for changed in mutations(LISTED):
        check_no_more(good, loaded(DIRECTORY, PARTS | {"list": changed}, PLAIN))
    good = DIRECTORY.load({"list": json.dumps(SNAPSHOT).encode()}, PLAIN)
    for changed in mutations(SNAPSHOT):
        check_no_more(good, loaded(DIRECTORY, {"list": changed}, PLAIN))


@given(damaged(PARTS["list"], json.dumps(SNAPSHOT).encode()))
def test_nothing_else_escapes_from_a_directory(data: bytes) -> None:
    loaded(DIRECTORY, PARTS | {"list": data}, PLAIN)
    loaded(DIRECTORY, PARTS | {f"jwks:{ISS}": data}, PLAIN)


URL = "https://directory.example/vci-issuers.json"
ADDRESSES = [f"{issuer}/.well-known/jwks.json" for issuer in (ISS, OTHER)]


def test_fetching_a_directory_and_its_key_sets() -> None:
    names = list(PARTS)
    server = Table(
        {url: answer(PARTS[name], etag=f'"{name}"') for url, name in zip([URL, *ADDRESSES], names, strict=True)}
    )
    first = DIRECTORY.fetch(server, URL, Known(), PLAIN)
    assert first is not None
    assert (dict(first.parts), set(first.validators)) == (PARTS, {URL, *ADDRESSES})
    server.asked.clear()
    known = Known(first.parts, validators=first.validators)
    assert DIRECTORY.fetch(server, URL, known, PLAIN) is None
    assert all("If-None-Match" in headers for _, headers in server.asked)


def test_an_issuer_that_cannot_be_reached_is_missing() -> None:
    server = Table({URL: answer(PARTS["list"]), ADDRESSES[1]: answer(PARTS[f"jwks:{OTHER}"])})
    found = DIRECTORY.fetch(server, URL, Known(PARTS), PLAIN)
    assert found is not None
    # What was fetched from it before is not used in its place: a key may have been taken back.
    assert set(found.parts) == {"list", f"jwks:{OTHER}"}


def test_an_issuer_that_changed_its_keys() -> None:
    new = answer(json.dumps({"keys": []}).encode(), etag='"new"')
    server = Table({URL: answer(PARTS["list"], etag='"a"'), ADDRESSES[0]: new})
    found = DIRECTORY.fetch(server, URL, Known(PARTS, validators={URL: '"a"', ADDRESSES[0]: '"old"'}), PLAIN)
    assert found is not None
    assert found.parts[f"jwks:{ISS}"] == new.body
    assert found.validators[ADDRESSES[0]] == '"new"'


def test_what_is_not_kept_any_more_is_asked_for_without_a_condition() -> None:
    server = Table({URL: answer(PARTS["list"], etag='"1"'), ADDRESSES[0]: answer(b"{}", etag='"1"')})
    known = Known(validators=dict.fromkeys([URL, *ADDRESSES], '"1"'))
    found = DIRECTORY.fetch(server, URL, known, PLAIN)
    assert found is not None
    assert set(found.parts) == {"list", f"jwks:{ISS}"}
    assert all(headers == {} for _, headers in server.asked)


def test_the_validator_of_what_has_not_changed_is_kept() -> None:
    def unchanged(url: str, _: Mapping[str, str]) -> Response:
        return answer(PARTS["list"]) if url == URL else Response(304)

    known = Known(PARTS | {"list": b"old"}, validators=dict.fromkeys(ADDRESSES, '"1"'))
    found = DIRECTORY.fetch(Table(unchanged), URL, known, PLAIN)
    assert found is not None
    assert (dict(found.parts), dict(found.validators)) == (PARTS, dict.fromkeys(ADDRESSES, '"1"'))


def test_a_snapshot_has_its_keys_in_it() -> None:
    server = Table({URL: answer(json.dumps(SNAPSHOT).encode())})
    found = DIRECTORY.fetch(server, URL, Known(), PLAIN)
    assert found is not None
    assert [url for url, _ in server.asked] == [URL]


def test_bounds_of_fetching() -> None:
    server = Table({URL: answer(PARTS["list"]), **{address: answer(b"x" * 100) for address in ADDRESSES}})
    with pytest.raises(FetchError, match="more than 1 issuers"):
        DIRECTORY.fetch(server, URL, Known(), context(limits=msgspec.structs.replace(DEFAULT_LIMITS, list_pages=1)))
    one = msgspec.structs.replace(DEFAULT_LIMITS, key_file_bytes=99)
    found = DIRECTORY.fetch(server, URL, Known(), context(limits=one))
    assert found is not None
    assert set(found.parts) == {"list"}
    together = msgspec.structs.replace(DEFAULT_LIMITS, list_bytes=len(PARTS["list"]) + 60)
    found = DIRECTORY.fetch(server, URL, Known(), context(limits=together))
    assert found is not None
    assert set(found.parts) == {"list", f"jwks:{ISS}"}


def test_only_issuers_are_asked() -> None:
    given: list[Any] = ["https://localhost", "file:///x", ISS, ISS, [], {}]
    listed = {"participating_issuers": [{"iss": issuer} for issuer in given]}
    server = Table({URL: answer(json.dumps(listed).encode()), ADDRESSES[0]: answer(b"{}")})
    DIRECTORY.fetch(server, URL, Known(), PLAIN)
    assert [url for url, _ in server.asked] == [URL, ADDRESSES[0]]
