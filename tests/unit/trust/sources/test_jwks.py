"""JWK sets, signed and unsigned, read; and published."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from hypothesis import given

import healthcert as hc
from healthcert.encoding import jws
from healthcert.encoding.algorithms import Algorithm
from healthcert.errors import IssueError
from healthcert.issue.pki import KeyKind
from healthcert.lists import jwk
from healthcert.lists.anchors import TrustAnchor
from healthcert.publish.jwks import publish
from healthcert.trust.keys import Assurance
from healthcert.trust.sources.jwks import KeySet
from healthcert.trust.sources.protocol import Known, TrustList
from tests.support import NOW, csca, dsc
from tests.unit.trust.sources.world import (
    FEW,
    Table,
    answer,
    b64,
    certificate_anchor,
    check_no_more,
    context,
    curve_key,
    damaged,
    flips,
    key_anchor,
    kid_of,
    loaded,
    mutations,
    problems,
    refusal,
    spki_of,
)

SOURCE = KeySet()
PLAIN = context()
PRIVATE = ec.generate_private_key(ec.SECP256R1())
ANCHOR = key_anchor(jwk.key_bytes(PRIVATE.public_key()))
PINNED = context(ANCHOR)
SPKI = curve_key()
KID = b64(kid_of(dsc()))
BARE: dict[str, Any] = jwk.jwk_of(SPKI) | {"kid": "AAAAAAAAAAA="}
CERTIFIED: dict[str, Any] = jwk.jwk_of(spki_of(dsc())) | {"kid": KID, "x5c": [b64(dsc().certificate_der())]}
BEGIN, END = int(NOW.timestamp()), int(NOW.timestamp()) + 86400


def token(document: Any, header: dict[str, Any] | None = None) -> bytes:
    data = document if isinstance(document, bytes) else json.dumps(document).encode()
    return jws.write(data, header or {"alg": "ES256"}, lambda signed: Algorithm.ES256.sign(PRIVATE, signed))


def load(*keys: Any, **options: str) -> TrustList:
    return SOURCE.load({"list": json.dumps({"keys": keys}).encode()}, context(**options))


def test_an_unsigned_set() -> None:
    found = load(BARE, CERTIFIED)
    first, second = found.keys
    assert (first.kid, first.spki, first.domain, first.certificate) == (b"\0" * 8, SPKI, "DCC", None)
    assert (second.kid, second.certificate, second.country) == (kid_of(dsc()), dsc().certificate_der(), "FR")
    assert (found.assurance, found.signer, found.skipped) == (Assurance.TLS_ONLY, None, ())
    assert found.signed is None


def test_an_unsigned_set_says_nothing_of_when() -> None:
    data = json.dumps({"keys": [BARE], "iat": BEGIN, "exp": END}).encode()
    found = SOURCE.load({"list": data}, PLAIN)
    assert (found.counter, found.issued_at, found.expires_at) == (None, None, None)


def test_a_signed_set() -> None:
    signed = token({"keys": [BARE, CERTIFIED], "iat": BEGIN, "exp": END})
    for data in (signed, signed + b"\n"):
        found = SOURCE.load({"list": data}, PINNED)
        assert (len(found.keys), found.assurance, found.signer) == (2, Assurance.SIGNED_LIST, ANCHOR)
        assert (found.counter, found.issued_at) == (BEGIN, NOW)
        assert found.expires_at == datetime.fromtimestamp(END, UTC)
        assert found.signed == hashlib.sha256(jws.read(signed).payload).digest()


def test_a_set_that_is_signed_with_rs256() -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    data = jws.write(
        json.dumps({"keys": [BARE]}).encode(),
        {"alg": "RS256"},
        lambda d: key.sign(d, padding.PKCS1v15(), hashes.SHA256()),
    )
    assert SOURCE.load({"list": data}, context(key_anchor(jwk.key_bytes(key.public_key())))).keys


def test_each_anchor_is_tried() -> None:
    anchors = (certificate_anchor(dsc()), ANCHOR)
    assert SOURCE.load({"list": token({"keys": []})}, context(*anchors)).signer == ANCHOR


@pytest.mark.parametrize(
    ("data", "anchors", "code"),
    [
        (json.dumps({"keys": [BARE]}).encode(), (ANCHOR,), "TRUST_LIST_NOT_AUTHENTIC"),
        (b" \n" + json.dumps({"keys": [BARE]}).encode(), (ANCHOR,), "TRUST_LIST_NOT_AUTHENTIC"),
        (token({"keys": [BARE]}), (), "TRUST_ANCHOR_MISSING"),
        (token({"keys": [BARE]}), (certificate_anchor(dsc()),), "TRUST_LIST_NOT_AUTHENTIC"),
        (token({"keys": [BARE]}, {"alg": "none"}), (ANCHOR,), "TRUST_LIST_NOT_AUTHENTIC"),
        (token({"keys": [BARE]}, {"alg": "HS256"}), (ANCHOR,), "TRUST_LIST_NOT_AUTHENTIC"),
        (token({"keys": [BARE]}, {"alg": "PS256"}), (ANCHOR,), "TRUST_LIST_NOT_AUTHENTIC"),
        (token(b"[]"), (ANCHOR,), "TRUST_LIST_UNREADABLE"),
        (token({"keys": {}}), (ANCHOR,), "TRUST_LIST_UNREADABLE"),
        (token({"keys": [], "iat": "1"}), (ANCHOR,), "TRUST_LIST_UNREADABLE"),
        (token({"keys": [], "iat": True}), (ANCHOR,), "TRUST_LIST_UNREADABLE"),
        (token({"keys": [], "exp": 1.5}), (ANCHOR,), "TRUST_LIST_UNREADABLE"),
        (token({"keys": [], "exp": 1 << 62}), (ANCHOR,), "TRUST_LIST_UNREADABLE"),
        (token({"keys": []}) + b"\n\n", (ANCHOR,), "TRUST_LIST_UNREADABLE"),
        (b"", (ANCHOR,), "TRUST_LIST_UNREADABLE"),
        (b"{}", (), "TRUST_LIST_UNREADABLE"),
    ],
)
def test_sets_that_are_refused(data: bytes, anchors: tuple[TrustAnchor, ...], code: str) -> None:
    assert refusal(SOURCE, {"list": data}, context(*anchors)) == code


def test_any_byte_of_a_signed_set_matters() -> None:
    for changed in flips(token({"keys": [BARE]}) + b"\n"):
        assert loaded(SOURCE, {"list": changed}, PINNED) is None


def test_bounds() -> None:
    assert (
        refusal(SOURCE, {"list": json.dumps({"keys": [BARE, BARE]}).encode()}, context(limits=FEW)) == "INPUT_TOO_LONG"
    )


@pytest.mark.parametrize(
    ("text", "kid"),
    [
        ("__________8=", b"\xff" * 8),
        ("__________8", b"\xff" * 8),
        ("//////////8=", b"\xff" * 8),
        ("0a1b2c3d4e5f6071", bytes.fromhex("0a1b2c3d4e5f6071")),
        ("0A1B2C3D4E5F6071", bytes.fromhex("0a1b2c3d4e5f6071")),
        ("key-1", b"key-1"),
        ("é", "é".encode()),
    ],
)
def test_kids(text: str, kid: bytes) -> None:
    assert load(BARE | {"kid": text}).keys[0].kid == kid


@pytest.mark.parametrize(
    ("item", "why"),
    [
        (5, "no object"),
        (BARE | {"use": "enc"}, "its key is for something else"),
        (BARE | {"key_ops": ["sign"]}, "its key is for something else"),
        (BARE | {"key_ops": {"verify": 1}}, "its key is for something else"),
        (BARE | {"key_ops": "verify"}, "its key is for something else"),
        (BARE | {"d": "AAAA"}, "the JWK holds a private key"),
        (BARE | {"x": "AAAA"}, "a member of the JWK is missing or wrong"),
        (BARE | {"kty": "oct"}, "a JWK of an unknown kind of key"),
        (BARE | {"alg": "ES384"}, "its algorithm is not one of its key's"),
        (BARE | {"alg": "RS256"}, "its algorithm is not one of its key's"),
        (BARE | {"alg": ["ES256"]}, "its algorithm is not one of its key's"),
        (BARE | {"kid": ""}, "it has no kid"),
        (BARE | {"kid": 5}, "it has no kid"),
        (BARE | {"kid": "\ud800"}, "it has no kid"),
        (BARE | {"kid": "x" * 257}, "it has no kid"),
        (CERTIFIED | {"kid": "AAAAAAAAAAA="}, "its kid is not that of its certificate"),
        (CERTIFIED | {"kid": None}, "its kid is not that of its certificate"),
        (CERTIFIED | {"kid": "name"}, "its kid is not that of its certificate"),
        (CERTIFIED | jwk.jwk_of(SPKI), "its certificate is another key's"),
        (CERTIFIED | {"x5c": []}, "not a readable X.509 certificate"),
        (CERTIFIED | {"x5c": {}}, "not a readable X.509 certificate"),
        (CERTIFIED | {"x5c": [5]}, "not a readable X.509 certificate"),
    ],
)
def test_bad_keys_are_skipped(item: Any, why: str) -> None:
    found = load(item, BARE)
    assert len(found.keys) == 1
    assert problems(found) == [("key 1", why)]


def test_the_kid_of_a_certificate_need_not_be_there() -> None:
    assert load({name: value for name, value in CERTIFIED.items() if name != "kid"}).keys[0].kid == kid_of(dsc())


def test_rsa_keys_may_be_called_rs256() -> None:
    pair = dsc(kind=KeyKind.RSA_3072)
    for named in ({"alg": "RS256"}, {"alg": "PS256"}, {}):
        assert load(jwk.jwk_of(spki_of(pair)) | {"kid": "x"} | named).keys


def test_the_domain_is_the_operators() -> None:
    assert [key.domain for key in load(BARE, CERTIFIED, domain="DDCC").keys] == ["DDCC", "DDCC"]


def test_keys_of_one_kid_are_all_kept() -> None:
    assert len(load(BARE, BARE | jwk.jwk_of(curve_key())).keys) == 2


def test_a_changed_set_has_no_other_keys() -> None:
    document = {"keys": [CERTIFIED, BARE]}
    good = load(*document["keys"])
    spkis = {key.spki for key in good.keys}
    for changed in mutations(document):
        found = loaded(SOURCE, {"list": changed}, PLAIN)
        assert found is None or {key.spki for key in found.keys} <= spkis
    certified = {"keys": [CERTIFIED]}
    for changed in mutations(certified):
        found = loaded(SOURCE, {"list": changed}, PLAIN)
        # Without its certificate it is a bare key, whose kid has to be taken as it is given.
        kept = None if found is None or any(key.certificate is None for key in found.keys) else found
        check_no_more(load(CERTIFIED), kept)


@given(damaged(json.dumps({"keys": [BARE, CERTIFIED]}).encode(), token({"keys": [BARE]})))
def test_nothing_else_escapes(data: bytes) -> None:
    loaded(SOURCE, {"list": data}, PLAIN)
    loaded(SOURCE, {"list": data}, PINNED)
    loaded(SOURCE, {"list": token(data)}, PINNED)


def test_fetching() -> None:
    url = "https://example.org/jwks"
    server = Table({url: answer(b"{}", etag='"1"')})
    fetched = SOURCE.fetch(server, url, Known(), PLAIN)
    assert fetched is not None
    assert SOURCE.fetch(server, url, Known(fetched.parts, validators=fetched.validators), PLAIN) is None


# --- Publishing ---

LATER = NOW + timedelta(days=2)


@pytest.mark.parametrize("kind", list(KeyKind))
def test_what_is_published_is_read(kind: KeyKind) -> None:
    signer = dsc(hc.EntryType.TEST, kind=kind)
    pairs = [dsc(), signer]
    ders = [pair.certificate_der() for pair in pairs]
    parts = publish([*ders, ders[0]], signer.signer(), issued_at=NOW, expires_at=LATER)
    found = SOURCE.load(parts, context(certificate_anchor(signer)))
    assert [key.certificate for key in found.keys] == ders
    assert [key.usages for key in found.keys] == [None, {hc.EntryType.TEST}]
    assert (found.issued_at, found.expires_at, found.counter) == (NOW, LATER, BEGIN)
    header = jws.read(parts["list"]).header
    assert (header["typ"], base64.b64decode(header["kid"])) == ("jwk-set+json", kid_of(signer))


def test_published_without_a_signature() -> None:
    parts = publish([dsc().certificate_der()], None, issued_at=NOW, expires_at=LATER)
    assert json.loads(parts["list"]) == {"keys": [CERTIFIED | {"use": "sig", "alg": "ES256"}]}
    assert SOURCE.load(parts, PLAIN).keys


@pytest.mark.parametrize(
    ("ders", "begin", "end"),
    [
        ([], NOW, LATER),
        ([dsc().certificate_der()], NOW, NOW),
        ([dsc().certificate_der()], LATER, NOW),
        ([dsc().certificate_der()], NOW.replace(tzinfo=None), LATER),
        ([dsc().certificate_der()], NOW, LATER.replace(tzinfo=None)),
    ],
)
def test_what_is_not_published(ders: list[bytes], begin: datetime, end: datetime) -> None:
    with pytest.raises(IssueError) as error:
        publish(ders, csca().signer(), issued_at=begin, expires_at=end)
    assert error.value.code == "PUBLISHING_REFUSED"


def test_an_unreadable_certificate_is_not_published() -> None:
    with pytest.raises(hc.TrustError):
        publish([b"x"], None, issued_at=NOW, expires_at=LATER)


def test_a_set_that_its_readers_would_refuse_is_not_published() -> None:
    late = datetime(2199, 1, 1, tzinfo=UTC)
    with pytest.raises(IssueError, match="those who read it would refuse it"):
        publish([dsc().certificate_der()], csca().signer(), issued_at=late, expires_at=late.replace(year=2200))
