"""A DID document is read for what its proof covers, and refused when it has any other form."""

from __future__ import annotations

import base64
import copy
import hashlib
import json
from contextlib import suppress
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from healthcert.encoding.algorithms import Algorithm, PrivateKey
from healthcert.errors import Code, HealthCertError, TrustError
from healthcert.lists import jwk
from healthcert.lists.anchors import TrustAnchor
from healthcert.trust.jsonld import DID_V1, JWS_2020
from healthcert.trust.sources.did import (
    key_of_jwk,
    parse_did,
    read_document,
    signed_bytes,
    spelled_kid,
    spells_kid,
    split_fragment,
    url_of,
)
from tests.support_did import DEV_CONTEXT, HEADER, ROOT, anchor, b64, dsc, method, signed, statement

KEY = method(dsc())
DOCUMENT = statement([KEY, "did:web:example.org:trustlist"])


def refused(data: bytes) -> TrustError:
    with pytest.raises(TrustError) as caught:
        read_document(data).signer([anchor()])
    return caught.value


def unreadable(data: bytes) -> str:
    error = refused(data)
    assert error.code is Code.TRUST_LIST_UNREADABLE
    return error.detail


def not_authentic(data: bytes) -> str:
    error = refused(data)
    assert error.code is Code.TRUST_LIST_NOT_AUTHENTIC
    return error.detail


def test_a_document_is_read() -> None:
    document = read_document(signed(DOCUMENT, expires="2021-09-01T00:00:00+02:00"))
    assert document.id == ROOT
    assert [method.id for method in document.methods] == [KEY["id"]]
    assert document.methods[0].key == KEY["publicKeyJwk"]
    assert document.methods[0].labels == (None, None, None)
    assert document.references == ("did:web:example.org:trustlist",)
    assert str(document.created) == "2021-08-19 00:00:00+00:00"
    assert str(document.expires) == "2021-08-31 22:00:00+00:00"


@pytest.mark.parametrize("der", [True, False])
def test_the_signer_is_the_anchor_that_made_the_proof(der: bool) -> None:
    """WHO's service writes signatures in DER; RFC 7518 has them side by side."""
    document = read_document(signed(DOCUMENT, der=der))
    assert document.signer([anchor("another"), anchor()])[0] == anchor()


def test_another_key_and_no_proof_are_told_apart() -> None:
    assert not_authentic(signed(DOCUMENT, "another")) == "the proof was not made with a pinned key"
    assert not_authentic(json.dumps(DOCUMENT).encode()) == "the document carries no proof"


def test_what_was_signed_is_known_again_in_another_spelling() -> None:
    data = signed(DOCUMENT)
    again = json.dumps(dict(reversed(json.loads(data).items())), indent=1).encode()
    signed_again = signed(DOCUMENT, nonce="another")
    _, first = read_document(data).signer([anchor()])
    assert read_document(again).signer([anchor()])[1] == first
    assert read_document(signed_again).signer([anchor()])[1] != first
    proof = json.loads(data)["proof"]
    header = proof.pop("jws").partition(".")[0]
    assert first == hashlib.sha256(signed_bytes(header, DOCUMENT, proof)).digest()


@pytest.mark.parametrize("contexts", [[DID_V1], DID_V1, [JWS_2020], [DEV_CONTEXT], [DID_V1, DEV_CONTEXT]])
def test_without_the_contexts_that_cover_keys_nothing_is_read(contexts: Any) -> None:
    """Any key could be put under a genuine proof."""
    assert "contexts" in unreadable(signed(DOCUMENT | {"@context": contexts}))


def test_the_other_spelling_of_the_context_is_taken() -> None:
    document = DOCUMENT | {"@context": ["https://w3.org/ns/did/v1", JWS_2020]}
    assert read_document(signed(document)).signer([anchor()])[0] == anchor()


@pytest.mark.parametrize("change", [{"type": "JsonWebSignature2020"}, {"publicKeyJwk": None}, {"id": "did:web:a b"}])
def test_a_key_that_is_not_in_the_canonical_form_is_never_signed(change: dict[str, Any]) -> None:
    with pytest.raises(TrustError, match="does not cover"):
        signed_bytes("", statement([method(dsc(), **change)]), {"type": "JsonWebSignature2020"})


def test_no_text_in_a_key_passes_for_another_key() -> None:
    name, other = f"{ROOT}:DCC:FRA:DSC#other", "https://w3id.org/security#"
    typed = f"<{name}> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <{other}JsonWebKey2020> ."
    forged = method(dsc(), jwk={"use": f"\u2028<{name}> <{other}publicKeyJwk> x\u2028{typed}\u2028"})
    with pytest.raises(TrustError, match="does not cover"):
        signed_bytes("", statement([forged, {"id": name}]), {"type": "JsonWebSignature2020"})


def with_key(private: PrivateKey, name: str, *, der: bool = False) -> tuple[bytes, TrustAnchor]:
    """The document, signed by the algorithm of this name."""
    header = jwk.encode(json.dumps(HEADER | {"alg": name}).encode())
    options = {name: value for name, value in json.loads(signed(DOCUMENT))["proof"].items() if name != "jws"}
    data = signed_bytes(header, DOCUMENT, options)
    if der and isinstance(private, ec.EllipticCurvePrivateKey):
        signature = private.sign(data, ec.ECDSA(hashes.SHA384() if name == "ES384" else hashes.SHA256()))
    else:
        signature = Algorithm[name].sign(private, data)
    proof = options | {"jws": f"{header}..{jwk.encode(signature)}"}
    return json.dumps(DOCUMENT | {"proof": proof}).encode(), TrustAnchor("x", jwk.key_bytes(private.public_key()))


@pytest.mark.parametrize(
    ("private", "name", "der"),
    [
        (ec.generate_private_key(ec.SECP384R1()), "ES384", True),
        (ec.generate_private_key(ec.SECP384R1()), "ES384", False),
        (rsa.generate_private_key(65537, 2048), "PS256", False),
        (Ed25519PrivateKey.generate(), "EdDSA", False),
    ],
)
def test_proofs_by_other_algorithms_verify(private: PrivateKey, name: str, der: bool) -> None:
    data, pinned = with_key(private, name, der=der)
    assert read_document(data).signer([pinned])[0] == pinned


def test_the_algorithm_must_fit_the_key() -> None:
    """ECDSA in DER says nothing of the curve: SHA-256 with a key on P-384 is no ES256."""
    data, pinned = with_key(ec.generate_private_key(ec.SECP384R1()), "ES256", der=True)
    with pytest.raises(TrustError, match="not made with a pinned key"):
        read_document(data).signer([pinned])


def test_the_header_of_the_signature_is_signed() -> None:
    data = json.loads(signed(DOCUMENT))
    _, _, signature = data["proof"]["jws"].split(".")
    spaced = jwk.encode(json.dumps(HEADER).encode())
    data["proof"]["jws"] = f"{spaced}..{signature}"
    assert "not made" in not_authentic(json.dumps(data).encode())


@pytest.mark.parametrize(
    "change",
    [
        {"alg": None},
        {"alg": "none"},
        {"alg": "RS256"},
        {"alg": "HS256"},
        {"alg": ["ES256"]},
        {"b64": True},
        {"b64": 0},
        {"b64": None},
        {"crit": None},
        {"crit": []},
        {"crit": ["b64", "exp"]},
        {"crit": "b64"},
        {"kid": "x"},
    ],
)
def test_another_header_is_refused(change: dict[str, Any]) -> None:
    header = {name: value for name, value in (HEADER | change).items() if value is not None}
    assert "a proof" in unreadable(signed(DOCUMENT, header=header))


def test_a_signature_has_one_spelling() -> None:
    jws = json.loads(signed(DOCUMENT))["proof"]["jws"]
    header, _, signature = jws.split(".")
    loose = signature[:-1] + chr(ord(signature[-1]) + 1) if len(signature) % 4 else signature + "="
    spellings = [
        f"{header}.{signature}",
        f"{header}..{signature}.",
        f"{header}.x.{signature}",
        f"{header}=..{signature}",
        f"{header}..{signature}=",
        f"{header}..{signature}\n",
        f"{header}..{loose}",
        f"{header}..",
        f"..{signature}",
        f"x..{signature}",
        "",
        b64(jws.encode()),
    ]
    for spelling in spellings:
        assert refused(signed(DOCUMENT, jws=spelling)).code is Code.TRUST_LIST_UNREADABLE, spelling
    twice = jwk.encode(b'{"b64":true,"b64":false,"crit":["b64"],"alg":"ES256"}')
    assert "JSON" in unreadable(signed(DOCUMENT, jws=f"{twice}..{signature}"))


@pytest.mark.parametrize(
    "change",
    [
        {"id": f"{ROOT}x"},
        {"controller": [ROOT]},
        {"controller": f"{ROOT}x"},
        {"verificationMethod": []},
        {"verificationMethod": [KEY]},
        {"verificationMethod": [KEY, "did:web:example.org:trustlist", "did:web:example.com"]},
        {"verificationMethod": [KEY | {"id": KEY["id"] + "x"}, "did:web:example.org:trustlist"]},
        {"verificationMethod": [KEY | {"controller": f"{ROOT}x"}, "did:web:example.org:trustlist"]},
        {"verificationMethod": [method(dsc(), jwk={"x5c": []}), "did:web:example.org:trustlist"]},
        {"verificationMethod": [method(dsc(), jwk={"use": "sig"}), "did:web:example.org:trustlist"]},
    ],
)
def test_a_change_of_what_it_says_breaks_the_proof(change: dict[str, Any]) -> None:
    proof = json.loads(signed(DOCUMENT))["proof"]
    changed = json.dumps(DOCUMENT | change | {"proof": proof}).encode()
    if change == {"controller": [ROOT]}:
        assert read_document(changed).signer([anchor()])[0] == anchor()  # the same said in another way
    else:
        assert "not made" in not_authentic(changed)


@pytest.mark.parametrize("name", ["created", "nonce", "verificationMethod"])
def test_a_change_of_the_options_breaks_the_proof(name: str) -> None:
    data = json.loads(signed(DOCUMENT))
    data["proof"][name] = {"created": "2021-08-20T00:00:00Z"}.get(name, "did:web:example.com")
    assert "not made" in not_authentic(json.dumps(data).encode())
    del data["proof"][name]
    assert refused(json.dumps(data).encode()).code.startswith("TRUST_LIST_")


@pytest.mark.parametrize(
    "change",
    [
        {"id": None},
        {"id": 1},
        {"id": "did:key:z6Mk"},
        {"controller": {"id": ROOT}},
        {"controller": 1},
        {"controller": [ROOT] * 17},
        {"controller": "x"},
        {"verificationMethod": None},
        {"verificationMethod": KEY},
        {"verificationMethod": [1]},
        {"verificationMethod": [None]},
        {"verificationMethod": [[KEY]]},
        {"assertionMethod": [KEY["id"]]},
        {"https://w3id.org/security#verificationMethod": []},
        {"surplus": 1},
    ],
)
def test_a_document_of_another_form_is_refused(change: dict[str, Any]) -> None:
    """What the canonical form leaves out, or says in two places, could hide or add a key."""
    assert unreadable(signed(statement([KEY], **change)))


@pytest.mark.parametrize(
    "change",
    [
        {"id": None},
        {"id": "relative#x"},
        {"id": 1},
        {"id": f"{ROOT}#"},
        {"id": f"{ROOT}#a b"},
        {"id": f"{ROOT}#a><b"},
        {"type": None},
        {"type": "Ed25519VerificationKey2020"},
        {"type": ["JsonWebKey2020"]},
        {"controller": None},
        {"controller": {"id": ROOT, "verificationMethod": [KEY]}},
        {"publicKeyJwk": None},
        {"publicKeyJwk": "x"},
        {"publicKeyMultibase": "x"},
        {"https://w3id.org/security#publicKeyJwk": {}},
    ],
)
def test_a_key_of_another_form_is_refused(change: dict[str, Any]) -> None:
    # An empty fragment is none, and the identifier then that of a document.
    data = signed(statement([method(dsc(), **change)]))
    if change == {"id": f"{ROOT}#"}:
        assert split_fragment(read_document(data).methods[0].id) == (ROOT, "")
    else:
        assert unreadable(data)


@pytest.mark.parametrize(
    "change",
    [
        {"type": "Ed25519Signature2020"},
        {"proofPurpose": "authentication"},
        {"created": None},
        {"created": "yesterday"},
        {"created": "0001-01-01T00:00:00+14:00"},
        {"expires": "never"},
        {"verificationMethod": "https://example.org"},
        {"surplus": "x"},
        {"nonce": 1},
        {"created": 1629331200},
        {"verificationMethod": ["did:web:example.org"]},
    ],
)
def test_a_proof_of_another_form_is_refused(change: dict[str, Any]) -> None:
    assert unreadable(signed(DOCUMENT, **change))


@pytest.mark.parametrize("proof", [None, [], "x", {}, {"jws": 1}, [{"jws": "x"}]])
def test_what_is_no_proof_is_refused(proof: Any) -> None:
    assert unreadable(json.dumps(DOCUMENT | {"proof": proof}).encode())


@pytest.mark.parametrize(
    "data", [b"", b"\xff", b"[]", b"{", b"null", b'{"id":"a","id":"b"}', b"[" * 100_000, b'{"a":NaN}']
)
def test_what_is_no_object_is_refused(data: bytes) -> None:
    assert unreadable(data)


def labelled(**labels: Any) -> bytes:
    made = statement([KEY | labels])
    return signed(made | {"@context": [DID_V1, JWS_2020, DEV_CONTEXT]})


def test_labels_are_read_where_the_proof_covers_them() -> None:
    data = labelled(domain={"code": "#PH4H"}, participant={"code": "#TTO"}, keyusage={"code": "#CSCA"})
    document = read_document(data)
    document.signer([anchor()])
    assert document.methods[0].labels == ("PH4H", "TTO", "CSCA")
    with pytest.raises(TrustError, match="not made"):
        read_document(data.replace(b"#PH4H", b"#DDCC")).signer([anchor()])


def test_a_key_need_not_have_labels() -> None:
    document = read_document(labelled(domain={"code": "#PH4H"}))
    assert document.methods[0].labels == ("PH4H", None, None)


def test_labels_are_not_read_where_anyone_could_have_written_them() -> None:
    data = signed(statement([KEY | {"domain": "DCC", "participant": "FRA", "keyusage": "CSCA"}]))
    for spelling in (data, data.replace(b'"CSCA"', b'"DSC"'), data.replace(b'"FRA"', b'{"code": ["x"]}')):
        document = read_document(spelling)
        document.signer([anchor()])
        assert document.methods[0].labels == (None, None, None)


@pytest.mark.parametrize(
    "value", ["DCC", {"code": "DCC"}, {"code": "#a b"}, {"code": "#A", "x": 1}, {"code": 1}, [], 1, {}]
)
def test_labels_of_another_form_are_refused(value: Any) -> None:
    assert unreadable(labelled(domain=value)) == "a domain, participant or usage of another form"


@pytest.mark.parametrize(
    ("did", "url"),
    [
        ("did:web:example.org", "https://example.org/.well-known/did.json"),
        ("did:web:tng-cdn.who.int:v2:trustlist:-:XXA:DSC", "https://tng-cdn.who.int/v2/trustlist/-/XXA/DSC/did.json"),
        ("did:web:example.org%3A8443:a", "https://example.org:8443/a/did.json"),
    ],
)
def test_a_did_web_leads_to_a_document(did: str, url: str) -> None:
    assert url_of(did) == url


@pytest.mark.parametrize(
    "did",
    [
        None,
        1,
        "",
        "did:web:",
        "did:web:localhost",
        "did:web:Example.org",
        "did:web:example.org:",
        "did:web:example.org:..",
        "did:web:example.org:.:a",
        "did:web:example.org:a/b",
        "did:web:example.org:%2e%2e",
        "did:web:example.org#a",
        "did:web:example.org?a",
        "did:web:example.org\n",
        "did:web:user@example.org",
        "did:web:example.org%3A",
        "did:web:example.org%3A84430000",
        "did:web:exämple.org",
        "did:key:abc",
        "did:web:example.org" + ":a" * 17,
        "did:web:example.org:" + "a" * 129,
    ],
)
def test_what_is_no_did_web_is_refused(did: Any) -> None:
    with pytest.raises(TrustError) as caught:
        parse_did(did)
    assert caught.value.code is Code.TRUST_LIST_UNREADABLE


KID = bytes.fromhex("fbefbe7f7f3f0102")


def test_every_spelling_of_a_kid_is_known() -> None:
    plain = base64.b64encode(KID).decode()
    assert "+" in plain
    assert "/" in plain
    spellings = {
        plain,
        plain.rstrip("="),
        base64.urlsafe_b64encode(KID).decode(),
        jwk.encode(KID),
        plain.replace("+", "%2B").replace("/", "%2f").replace("=", "%3D"),
        jwk.encode(plain.encode()),
        base64.b64encode(plain.encode()).decode(),
        jwk.encode(jwk.encode(KID).encode()),
    }
    assert all(spells_kid(text, KID) for text in spellings)
    assert {spelled_kid(text) for text in spellings} == {KID}
    assert spelled_kid("AAEC") == bytes((0, 1, 2))
    assert spelled_kid("") is None
    assert spelled_kid("!") is None


@pytest.mark.parametrize("text", ["", "=", "%", "%zz", "AAAA", "ü", "\x00", jwk.encode(b"\xff" * 8), KID.hex()])
def test_what_spells_no_kid_or_another(text: str) -> None:
    assert not spells_kid(text, KID)


def test_coordinates_with_a_zero_in_front_are_read() -> None:
    """Java writes one where the number's first bit is set."""
    members = dict(KEY["publicKeyJwk"])
    longer = members | {name: jwk.encode(b"\0" + jwk.decode(members[name])) for name in ("x", "y")}
    padded = members | {name: members[name] + "=" for name in ("x", "y")}
    assert key_of_jwk(longer) == key_of_jwk(members) == key_of_jwk(padded)


@pytest.mark.parametrize(
    "change",
    [
        {"x": 1},
        {"x": None},
        {"kty": []},
        {"crv": {}},
        {"x": "A" * 5000},
        {"kty": "OKP", "crv": "Ed25519", "x": 1},
        {"d": "AA"},
    ],
)
def test_a_jwk_that_is_none_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(TrustError) as caught:
        key_of_jwk(KEY["publicKeyJwk"] | change)
    assert caught.value.code is Code.CERTIFICATE_UNREADABLE


@given(st.data())
@settings(max_examples=75, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_other_exception_escapes(data: st.DataObject) -> None:
    values: st.SearchStrategy[Any] = (
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | st.just([]) | st.just({})
    )
    document: Any = copy.deepcopy(DOCUMENT) | {"proof": json.loads(signed(DOCUMENT))["proof"]}
    at = document
    while True:
        keys = list(at) if isinstance(at, dict) else list(range(len(at)))
        key = data.draw(st.sampled_from(keys))
        if isinstance(at[key], (dict, list)) and at[key] and data.draw(st.booleans()):
            at = at[key]
            continue
        at[key] = data.draw(
            values | st.lists(values, max_size=2) | st.dictionaries(st.sampled_from(("id", "code")), values)
        )
        break
    with suppress(HealthCertError):
        read_document(json.dumps(document).encode()).signer([anchor()])
