"""Compact JWS (RFC 7515): one spelling of each token, algorithms bound to keys, and no way around the header."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from healthcert.encoding import jws
from healthcert.encoding.algorithms import Algorithm, PrivateKey
from healthcert.errors import Code, DecodeError, Step

EC = {
    Algorithm.ES256: ec.generate_private_key(ec.SECP256R1()),
    Algorithm.ES384: ec.generate_private_key(ec.SECP384R1()),
    Algorithm.ES512: ec.generate_private_key(ec.SECP521R1()),
}
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
KEYS: dict[Algorithm, PrivateKey] = {
    **EC,
    Algorithm.PS256: RSA,
    Algorithm.PS384: RSA,
    Algorithm.PS512: RSA,
    Algorithm.EdDSA: Ed25519PrivateKey.generate(),
}
HASHES: dict[str, hashes.HashAlgorithm] = {
    "RS256": hashes.SHA256(),
    "RS384": hashes.SHA384(),
    "RS512": hashes.SHA512(),
}


def b64(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def token(algorithm: Algorithm = Algorithm.ES256, payload: bytes = b"payload", **header: Any) -> bytes:
    key = KEYS[algorithm]
    return jws.write(payload, {"alg": algorithm.name} | header, lambda data: algorithm.sign(key, data))


def raw(header: bytes, payload: bytes = b"payload", signature: bytes = b"signature") -> bytes:
    return b".".join(map(b64, (header, payload, signature)))


def refusal(data: bytes, code: Code = Code.TRUST_LIST_UNREADABLE) -> DecodeError:
    with pytest.raises(DecodeError) as caught:
        jws.read(data)
    assert (caught.value.code, caught.value.step) == (code, Step.DECODE)
    return caught.value


@pytest.mark.parametrize("algorithm", Algorithm)
def test_what_is_written_is_read_and_verifies_with_its_key_alone(algorithm: Algorithm) -> None:
    found = jws.read(token(algorithm, b"\x00\xffbytes", kid="1"))
    assert found.payload == b"\x00\xffbytes"
    assert found.header == {"alg": algorithm.name, "kid": "1"}
    assert found.verify(KEYS[algorithm].public_key())
    for other, key in KEYS.items():
        if KEYS[other] is not KEYS[algorithm]:
            assert not found.verify(key.public_key(), pkcs1=True)


def test_the_example_of_rfc_7515_appendix_a_3_verifies() -> None:
    numbers = (
        "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    )
    x, y = (int.from_bytes(base64.urlsafe_b64decode(number + "="), "big") for number in numbers)
    found = jws.read(
        b"eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0"
        b"cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
    )
    assert json.loads(found.payload)["iss"] == "joe"
    assert found.verify(ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key())


@pytest.mark.parametrize("name", HASHES)
def test_pkcs1_is_for_those_who_ask_for_it(name: str) -> None:
    data = jws.write(b"{}", {"alg": name}, lambda data: RSA.sign(data, padding.PKCS1v15(), HASHES[name]))
    assert not jws.read(data).verify(RSA.public_key())
    assert jws.read(data).verify(RSA.public_key(), pkcs1=True)
    assert not jws.read(data).verify(EC[Algorithm.ES256].public_key(), pkcs1=True)


def test_the_algorithm_is_the_one_that_is_named() -> None:
    """RFC 7515 §10.7, RFC 8725 §3.1."""
    key = EC[Algorithm.ES256]
    for name in ("ES384", "PS256", "RS256", "EdDSA", "es256", "none", "HS256", ""):
        data = jws.write(b"{}", {"alg": name}, lambda data: Algorithm.ES256.sign(key, data))
        assert not jws.read(data).verify(key.public_key(), pkcs1=True)
    pss = jws.write(b"{}", {"alg": "RS256"}, lambda data: Algorithm.PS256.sign(RSA, data))
    assert not jws.read(pss).verify(RSA.public_key(), pkcs1=True)


@pytest.mark.parametrize("name", ["RS256", "PS256"])
def test_rsa_keys_under_2048_bits_never_verify(name: str) -> None:
    """RFC 7518 §3.3, §3.5."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    scheme = padding.PKCS1v15() if name == "RS256" else padding.PSS(padding.MGF1(hashes.SHA256()), 32)
    data = jws.write(b"{}", {"alg": name}, lambda data: key.sign(data, scheme, hashes.SHA256()))
    assert not jws.read(data).verify(key.public_key(), pkcs1=True)


def test_der_signatures_do_not_verify() -> None:
    """RFC 7518 §3.4: r and s one after the other."""
    key = EC[Algorithm.ES256]
    data = jws.write(b"{}", {"alg": "ES256"}, lambda data: key.sign(data, ec.ECDSA(hashes.SHA256())))
    assert not jws.read(data).verify(key.public_key())


def test_no_byte_can_be_changed() -> None:
    good = token()
    key = KEYS[Algorithm.ES256].public_key()
    assert jws.read(good).verify(key)
    for position in range(len(good)):
        for change in (1, 4, 32):
            bad = bytearray(good)
            bad[position] ^= change
            try:
                assert not jws.read(bytes(bad)).verify(key)
            except DecodeError:
                continue


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"..",
        token().rsplit(b".", 1)[0],
        token() + b".",
        token() + b"\n",
        b" " + token(),
        token() + b"=",
        token().replace(b".", b"=.", 1),
        token().replace(b".", b"\n.", 1),
        b"a" + token(),
        token().decode().encode("utf-16"),
    ],
)
def test_other_forms_are_refused(data: bytes) -> None:
    refusal(data)


def test_bits_left_over_are_refused() -> None:
    """RFC 4648 §3.5: otherwise one signature would have several spellings."""
    head, payload, signature = token(payload=b"p").split(b".")
    assert payload == b"cA"
    for other in b"BCDEFGHIJKLMNOP":
        refusal(b".".join((head, b"c" + bytes((other,)), signature)))
    standard = b"+/8"
    refusal(b".".join((head, standard, signature)))
    assert jws.read(b".".join((head, b"-_8", signature))).payload == b"\xfb\xff"


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b'"ES256"',
        b'{"alg":null}',
        b'{"alg":["ES256"]}',
        b'{"alg":"ES256","alg":"ES256"}',
        b'{"alg":"ES256","a":{"b":1,"b":1}}',
        b'{"alg":"ES256","a":NaN}',
        b'{"alg":"ES256","a":Infinity}',
        b'{"alg":"ES256"',
        b'{"alg":"ES256"} x',
        b'\xef\xbb\xbf{"alg":"ES256"}',
        b'{"alg":"ES256","a":"\xff"}',
        '{"alg":"ES256"}'.encode("utf-16"),
        b'{"alg":"ES256","a":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"alg":"ES256","a":' + b"9" * 5000 + b"}",
    ],
)
def test_a_header_that_is_none_is_refused(header: bytes) -> None:
    refusal(raw(header))


@pytest.mark.parametrize(
    "header", [{"crit": ["exp"], "exp": 1}, {"crit": []}, {"b64": False, "crit": ["b64"]}, {"b64": False}]
)
def test_extensions_that_would_have_to_be_understood_are_refused(header: dict[str, Any]) -> None:
    """RFC 7515 §4.1.11, RFC 7797 §3, §6."""
    refusal(raw(json.dumps({"alg": "ES256"} | header).encode()), Code.CRITICAL_HEADER_UNKNOWN)
    with pytest.raises(ValueError, match="header"):
        token(**header)


def test_the_code_is_the_callers() -> None:
    with pytest.raises(DecodeError) as caught:
        jws.read(b"x", code=Code.COSE_DESERIALIZATION_FAILED)
    assert caught.value.code == Code.COSE_DESERIALIZATION_FAILED


def test_keys_in_the_header_are_of_no_moment() -> None:
    found = jws.read(token(jwk={"kty": "EC"}, jku="https://example.org/keys", zip="DEF"))
    assert found.payload == b"payload"
    assert not found.verify(ec.generate_private_key(ec.SECP256R1()).public_key())


def test_certificates_come_as_they_were_sent() -> None:
    """RFC 7515 §4.1.6."""
    assert jws.read(token()).certificates() == ()
    assert jws.read(token(x5c=["AAE=", "AgM="])).certificates() == (b"\0\1", b"\2\3")


@pytest.mark.parametrize("x5c", [None, [], "AAE=", [1], ["AAE=", None], ["-_8="], ["AA E="], ["AAE"], ["\ud800"]])
def test_certificates_that_are_none_are_refused(x5c: Any) -> None:
    found = jws.read(token(x5c=x5c))
    with pytest.raises(DecodeError) as caught:
        found.certificates()
    assert caught.value.code == Code.TRUST_LIST_UNREADABLE


@pytest.mark.parametrize(
    "header", [{}, {"alg": "ES256", 1: 2}, {"alg": "ES256", "x5c": (1,)}, {"alg": "ES256", "a": float("nan")}]
)
def test_a_header_that_could_not_be_read_back_is_not_written(header: dict[Any, Any]) -> None:
    with pytest.raises(ValueError, match=r"header|JSON"):
        jws.write(b"", header, lambda data: data)


def test_nothing_of_a_token_is_shown() -> None:
    found = jws.read(token(payload=b"secret"))
    assert repr(found) == "Jws(...)"
    assert "secret" not in str(refusal(b"secret"))


@settings(derandomize=True, deadline=None, max_examples=300)
@given(
    st.lists(st.binary(max_size=60), min_size=1, max_size=4).map(lambda parts: b".".join(map(b64, parts))) | st.binary()
)
def test_nothing_but_decode_errors_comes_out(data: bytes) -> None:
    try:
        found = jws.read(data)
        found.verify(KEYS[Algorithm.ES256].public_key(), pkcs1=True)
        found.certificates()
    except DecodeError:
        pass
