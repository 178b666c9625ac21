"""Lists and key sets that others published, read as they are; and changed, refused.

How many keys each holds was counted by other means than the code under test: by the size of a folder, the number of
entries in JSON, or what the project that published it says.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from healthcert.encoding.protobuf import byte_strings
from healthcert.errors import TrustError
from healthcert.lists import jwk
from healthcert.lists.x509 import parse_certificate
from healthcert.trust.keys import Assurance, TrustedKey
from healthcert.trust.sources.protocol import TrustList
from healthcert.trust.sources.registry import source_named
from tests.conftest import interop_folder
from tests.unit.trust.sources.world import context, problems

ROOT = interop_folder()
pytestmark = pytest.mark.usefixtures("interop")
SHC = "shc/dev-tools"
ISS = "https://smarthealth.cards/examples/issuer"  # the one whose certificates lie there
SPEC_ISS = "https://spec.smarthealth.cards/examples/issuer"
NZ_TEST = "did:web:nzcp.covid19.health.nz"


def load(source: str, data: str | bytes, **options: str) -> TrustList:
    parts = {"list": data if isinstance(data, bytes) else (ROOT / data).read_bytes()}
    return source_named(source).load(parts, context(**options))


def json_of(path: str) -> Any:
    return json.loads((ROOT / path).read_text("utf-8"))


def changed(path: str, *places: str | int, value: Any) -> bytes:
    document = json_of(path)
    place = document
    for key in places[:-1]:
        place = place[key]
    place[places[-1]] = value
    return json.dumps(document).encode()


# --- Lists of the EU DCC ---

CWA = "trust-lists/cwa/default_dsc_list.bin"


def test_the_list_that_the_corona_warn_app_came_with() -> None:
    found = load("cwa", CWA, unsigned="yes")
    assert (len(found.keys), found.skipped, found.assurance) == (528, (), Assurance.TLS_ONLY)
    assert {key.domain for key in found.keys} == {"DCC"}
    with pytest.raises(TrustError, match="TRUST_ANCHOR_MISSING"):
        load("cwa", CWA)


def test_a_changed_certificate_on_it() -> None:
    data = (ROOT / CWA).read_bytes()
    first = next(byte_strings(next(byte_strings(data, 1)), 2))
    flipped = first[:-1] + bytes((first[-1] ^ 1,))
    found = load("cwa", data.replace(first, flipped), unsigned="yes")
    assert problems(found) == [("entry 1", "its kid is not that of its certificate")]
    assert len(found.keys) == 527


FRENCH = "trust-lists/sanipasse/Digital_Green_Certificate_Signing_Keys.json"


def test_the_french_list_as_it_was_handed_on() -> None:
    found = load("fr", FRENCH)
    assert (len(found.keys), found.skipped, found.assurance) == (670, (), Assurance.TLS_ONLY)
    # Nobody else has these kids of British keys, and they are no hashes.
    names = [key.kid.decode() for key in found.keys if key.kid.isalnum() and key.kid.startswith(b"Key")]
    assert len(names) == 10
    assert {key.country for key in found.keys if key.kid.startswith(b"Key")} == {"GB"}
    assert all(key.not_before and key.not_after and key.certificate is None for key in found.keys)


def test_its_keys_are_those_of_the_certificates_that_others_list() -> None:
    certificates = {key.kid: key.spki for key in load("cwa", CWA, unsigned="yes").keys}
    shared = [key for key in load("fr", FRENCH).keys if key.kid in certificates]
    assert len(shared) > 100
    assert all(certificates[key.kid] == key.spki for key in shared)


@pytest.mark.parametrize("value", ["", "AAAA", None, "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE" + "A" * 86 + "A="])
def test_a_changed_key_on_it(value: Any) -> None:
    name = next(iter(json_of(FRENCH)))
    found = load("fr", changed(FRENCH, name, "publicKeyPem", value=value))
    assert (len(found.keys), [where for where, _ in problems(found)]) == (669, ["entry 1"])


def test_a_folder_of_certificates() -> None:
    files = sorted((ROOT / "trust-lists/khealthcertificate/eu-dgc-dsc").glob("*.der"))
    assert len(files) > 700
    for file in files:
        (key,) = load("pem", file.read_bytes()).keys
        assert key.kid.hex() == file.stem


# --- PathCheck ---

REGISTRY, ICAO = "trust-lists/pathcheck/test_registry.json", "trust-lists/pathcheck/ICAO_health_latest.json"


def test_the_registry_of_test_keys() -> None:
    found = load("pathcheck", REGISTRY)
    assert Counter(key.domain for key in found.keys) == {"DCC": 86, "SHC": 3}
    assert {key.issuer for key in found.keys if key.domain == "SHC"} == {
        SPEC_ISS,
        "https://ekeys-qa.ny.gov/epass/doh/dvc/2021",
    }
    # Two stand under kids that are not their certificates': one whose kid is a word, and one from Suriname.
    assert problems(found) == [
        ("framework 1", "not a framework whose keys are used here"),
        ("EUDCC 36", "its kid is not that of its certificate"),
        ("EUDCC 87", "its kid is not that of its certificate"),
    ]
    assert found.assurance is Assurance.TLS_ONLY


def test_the_authorities_of_seals() -> None:
    found = load("pathcheck", ICAO)
    assert [authority.country for authority in found.authorities] == ["HU", "NL", "JP", "TH", "LU", "EE", "AU", "TH"]
    # A Thai signer stands among the authorities.
    assert problems(found) == [("ICAO 4", "not an authority that may sign certificates")]
    assert not found.keys


@pytest.mark.parametrize("status", ["expired", "terminated", "revoked"])
def test_an_entry_that_is_not_current(status: str) -> None:
    names = list(json_of(REGISTRY)["SmartHealthCards"])
    found = load("pathcheck", changed(REGISTRY, "SmartHealthCards", names[0], "status", value=status))
    assert Counter(key.domain for key in found.keys)["SHC"] == 2


def test_its_did_document_is_no_registry() -> None:
    with pytest.raises(TrustError, match="TRUST_LIST_UNREADABLE"):
        load("pathcheck", "trust-lists/pathcheck/did.json")


# --- SMART Health Cards ---


@pytest.mark.parametrize(
    ("path", "issuer", "keys"),
    [
        (f"{SHC}/valid_key.json", ISS, 1),
        (f"{SHC}/valid_keys.json", ISS, 3),
        (f"{SHC}/valid_key_with_x5c.json", ISS, 1),
        (f"{SHC}/valid_2_chain.public.json", ISS, 1),
        (f"{SHC}/issuer.jwks.public.not.smart.json", ISS, 1),
        (f"{SHC}/badcrl/public.json", ISS, 1),
        ("shc/health-cards/issuer/.well-known/jwks.json", SPEC_ISS, 2),
    ],
)
def test_good_key_sets(path: str, issuer: str, keys: int) -> None:
    found = load("shc", path, issuer=issuer)
    assert (len(found.keys), found.skipped) == (keys, ())
    assert {key.issuer for key in found.keys} == {issuer}


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("wrong_alg_key.json", "alg is not ES256"),
        ("wrong_curve_key.json", "alg is not ES256"),
        ("wrong_kid_key.json", "its kid is not its thumbprint"),
        ("wrong_kty_key.json", "kty is not EC"),
        ("wrong_use_key.json", "use is not sig"),
        ("cert_mismatch.public.json", "its certificate is another key's"),
        ("invalid_DNS_SAN.public.json", "its certificate is another issuer's"),
        ("invalid_no_SAN.public.json", "its certificate is another issuer's"),
    ],
)
def test_bad_key_sets(name: str, why: str) -> None:
    found = load("shc", f"{SHC}/{name}", issuer=ISS)
    assert (found.keys, problems(found)) == ((), [("key 1", why)])


def test_every_bad_key_set_is_asked_about() -> None:
    files = {path.name for path in (ROOT / SHC).glob("*.json") if not path.name.startswith(("test-", "valid_"))}
    assert {name for name in files if "wrong" in name or "mismatch" in name or "invalid" in name} == {
        "wrong_alg_key.json",
        "wrong_curve_key.json",
        "wrong_kid_key.json",
        "wrong_kty_key.json",
        "wrong_use_key.json",
        "cert_mismatch.public.json",
        "invalid_DNS_SAN.public.json",
        "invalid_no_SAN.public.json",
    }


def test_what_is_no_key_set() -> None:
    with pytest.raises(TrustError, match="TRUST_LIST_UNREADABLE"):
        load("shc", f"{SHC}/badjwks/.well-known/jwks.json", issuer=ISS)


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("kid", "AAAA"),
        ("x", "AAAA"),
        ("x", "VE1AThGRVudJGJYxe3330jTHLcqQgP44WVFymYvaGa0"),
        ("y", "5FJFDayDc-L2qfhh88hoLnUGuOh40NHjOZqqf8cxAKI"),
        ("d", "AAAA"),
    ],
)
def test_a_changed_key(member: str, value: str) -> None:
    found = load("shc", changed(f"{SHC}/valid_key.json", "keys", 0, member, value=value), issuer=ISS)
    assert (found.keys, len(found.skipped)) == ((), 1)


@pytest.mark.parametrize("name", ["valid_key_with_x5c.json", "valid_2_chain.public.json"])
def test_a_certificate_of_another_issuer(name: str) -> None:
    assert not load("shc", f"{SHC}/{name}", issuer=SPEC_ISS).keys


def test_another_keys_coordinates_under_a_good_kid() -> None:
    other = json_of(f"{SHC}/valid_keys.json")["keys"][0]
    entry = json_of(f"{SHC}/valid_key.json")["keys"][0] | {"x": other["x"], "y": other["y"]}
    found = load("shc", json.dumps(entry).encode(), issuer=ISS)
    assert problems(found) == [("key 1", "its kid is not its thumbprint")]


def test_the_keys_of_the_issuers_of_the_world() -> None:
    refused: dict[str, str] = {}
    for file in sorted((ROOT / "trust-lists/khealthcertificate/shc-jwk").glob("*.jwk")):
        entry = json.loads(file.read_text("utf-8"))
        found = load("shc", file.read_bytes(), issuer=_named(entry) or ISS)
        for key in found.keys:
            assert key.kid.decode() == file.stem
        if found.skipped:
            refused[file.stem] = problems(found)[0][1]
    # RSA keys of other services, one for encryption, and one whose kid is not its thumbprint in any spelling.
    assert Counter(refused.values()) == {"kty is not EC": 10, "use is not sig": 1, "its kid is not its thumbprint": 1}


def _named(entry: dict[str, Any]) -> str | None:
    if "x5c" not in entry:
        return None
    (uri,) = parse_certificate(jwk.decode(entry["x5c"][0])).uris
    return uri


def test_four_kids_are_made_without_the_zero_that_a_coordinate_begins_with() -> None:
    stems = []
    for file in (ROOT / "trust-lists/khealthcertificate/shc-jwk").glob("*.jwk"):
        for key in load("shc", file.read_bytes(), issuer=ISS).keys:
            stems += [] if jwk.thumbprint(key.spki) == key.kid.decode() else [file.stem[:6]]
    assert sorted(stems) == ["-IgAJf", "GACNzw", "IVzjSi", "nCwM-W"]


# --- New Zealand ---


@pytest.mark.parametrize(
    ("path", "options", "kid"),
    [
        ("nzcp/nzcp-js/liveDIDDocument.json", {}, b"z12Kf7UQ"),
        ("nzcp/nzcp-js/exampleDIDDocument.json", {"issuer": NZ_TEST}, b"key-1"),
        ("nzcp/nzcp-js/mineDIDDocument.json", {"issuer": NZ_TEST}, b"01"),
        ("nzcp/nzcovidpass-spec/examples/valid/did.json", {"issuer": NZ_TEST}, b"key-1"),
    ],
)
def test_documents_of_the_issuer(path: str, options: dict[str, str], kid: bytes) -> None:
    found = load("nzcp", path, **options)
    assert [(key.kid, key.domain) for key in found.keys] == [(kid, "NZCP")]
    assert found.skipped == ()


def test_the_document_for_tests_is_not_that_of_production() -> None:
    with pytest.raises(TrustError, match="another issuer"):
        load("nzcp", "nzcp/nzcp-js/exampleDIDDocument.json")


@pytest.mark.parametrize(
    ("places", "value"),
    [
        (("assertionMethod",), []),
        (("verificationMethod", 0, "controller"), NZ_TEST),
        (("verificationMethod", 0, "type"), "x"),
        (("verificationMethod", 0, "id"), f"{NZ_TEST}#z12Kf7UQ"),
        (("verificationMethod", 0, "publicKeyJwk", "x"), "DQCKJusqMsT0u7CjpmhjVGkHln3A3fS-ayeH4Nu52tg"),
        (("verificationMethod", 0, "publicKeyJwk", "d"), "AAAA"),
    ],
)
def test_a_changed_document(places: tuple[str | int, ...], value: Any) -> None:
    found = load("nzcp", changed("nzcp/nzcp-js/liveDIDDocument.json", *places, value=value))
    assert not found.keys
    assert found.skipped


def test_every_key_has_a_domain_and_can_be_parsed() -> None:
    keys: list[TrustedKey] = [
        *load("cwa", CWA, unsigned="yes").keys,
        *load("pathcheck", REGISTRY).keys,
        *load("nzcp", "nzcp/nzcp-js/liveDIDDocument.json").keys,
    ]
    assert all(key.domain and key.public_key for key in keys)
