"""The algorithms of certificates and CMS messages, by their identifiers."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from healthcert.encoding import ber
from healthcert.encoding.cms_write import object_id
from healthcert.encoding.oids import verify_oid
from tests.unit.encoding.messages import (
    CONTENT,
    EC_KEY,
    ECDSA_256,
    ECDSA_384,
    PSS,
    RSA,
    RSA_256,
    RSA_KEY,
    SHA_1,
    SHA_256,
    SHA_384,
    SHA_512,
    ecdsa,
    pkcs1,
    seq,
    tlv,
)


def _pss(data: bytes, digest: hashes.HashAlgorithm, salt: int, mask: hashes.HashAlgorithm | None = None) -> bytes:
    return RSA_KEY.sign(data, padding.PSS(padding.MGF1(mask or digest), salt), digest)


def pss_parameters(digest: str | None, mask: str | None, salt: int | None) -> bytes:
    parts = []
    if digest is not None:
        parts.append(tlv(0xA0, seq(object_id(digest))))
    if mask is not None:
        parts.append(tlv(0xA1, seq(object_id("1.2.840.113549.1.1.8"), seq(object_id(mask)))))
    if salt is not None:
        parts.append(tlv(0xA2, tlv(ber.INTEGER, bytes((salt,)))))
    return seq(*parts)


@pytest.mark.parametrize(
    ("oid", "digest"),
    [(ECDSA_256, hashes.SHA256()), (ECDSA_384, hashes.SHA384()), ("1.2.840.10045.4.3.4", hashes.SHA512())],
)
def test_ecdsa_by_its_identifier(oid: str, digest: hashes.HashAlgorithm) -> None:
    signature = ecdsa(CONTENT, digest)
    assert verify_oid(EC_KEY.public_key(), oid, b"", signature, CONTENT)
    assert not verify_oid(EC_KEY.public_key(), ECDSA_256 if oid != ECDSA_256 else ECDSA_384, b"", signature, CONTENT)
    assert not verify_oid(EC_KEY.public_key(), oid, b"", signature, CONTENT + b".")
    assert not verify_oid(RSA_KEY.public_key(), oid, b"", signature, CONTENT)


@pytest.mark.parametrize("size", [12, 13])
def test_rsa_with_pkcs_1_by_its_identifier(size: int) -> None:
    digest = {12: hashes.SHA384(), 13: hashes.SHA512()}[size]
    signature = pkcs1(CONTENT, digest)
    assert verify_oid(RSA_KEY.public_key(), f"1.2.840.113549.1.1.{size}", b"\x05\x00", signature, CONTENT)
    assert not verify_oid(RSA_KEY.public_key(), RSA_256, b"\x05\x00", signature, CONTENT)
    assert not verify_oid(EC_KEY.public_key(), RSA_256, b"\x05\x00", signature, CONTENT)


def test_the_digest_beside_the_algorithm_counts_only_for_those_without_one() -> None:
    signature = pkcs1(CONTENT, hashes.SHA256())
    key = RSA_KEY.public_key()
    assert verify_oid(key, RSA, b"\x05\x00", signature, CONTENT, SHA_256)
    assert not verify_oid(key, RSA, b"\x05\x00", signature, CONTENT, SHA_384)
    assert not verify_oid(key, RSA, b"\x05\x00", signature, CONTENT, SHA_1)
    assert not verify_oid(key, RSA, b"\x05\x00", signature, CONTENT)
    assert verify_oid(EC_KEY.public_key(), "1.2.840.10045.2.1", b"", ecdsa(CONTENT), CONTENT, SHA_256)
    assert not verify_oid(EC_KEY.public_key(), "1.2.840.10045.2.1", b"", ecdsa(CONTENT), CONTENT)


@pytest.mark.parametrize("salt", [0, 20, 32, 48])
def test_pss_with_the_salt_that_it_names(salt: int) -> None:
    signature = _pss(CONTENT, hashes.SHA256(), salt)
    key = RSA_KEY.public_key()
    assert verify_oid(key, PSS, pss_parameters(SHA_256, SHA_256, salt), signature, CONTENT)
    assert not verify_oid(key, PSS, pss_parameters(SHA_256, SHA_256, salt + 1), signature, CONTENT)
    # RFC 4055 §3.1: 20, where none is named.
    assert verify_oid(key, PSS, pss_parameters(SHA_256, SHA_256, None), signature, CONTENT) is (salt == 20)


def test_pss_with_sha_1_or_two_hashes_is_refused() -> None:
    key = RSA_KEY.public_key()
    mixed = _pss(CONTENT, hashes.SHA256(), 32, hashes.SHA512())
    for parameters in (
        pss_parameters(SHA_256, SHA_512, 32),
        pss_parameters(None, None, None),
        pss_parameters(SHA_256, None, 32),
        pss_parameters(None, SHA_256, 32),
        pss_parameters(SHA_1, SHA_1, 20),
        b"",
        b"\x05\x00",
        seq(tlv(0xA0)),
        seq(tlv(0xA0, seq(object_id(SHA_256))), tlv(0xA1, seq(object_id(SHA_256)))),
    ):
        assert not verify_oid(key, PSS, parameters, mixed, CONTENT)
    # One that is good but for what its parameters say of the second hash.
    assert verify_oid(key, PSS, pss_parameters(SHA_256, SHA_256, 32), _pss(CONTENT, hashes.SHA256(), 32), CONTENT)
    assert not verify_oid(key, PSS, pss_parameters(SHA_256, SHA_512, 32), _pss(CONTENT, hashes.SHA256(), 32), CONTENT)
    # The library that signs refuses SHA-1 itself where it is told to; the identifier alone is refused too.
    assert not verify_oid(key, PSS, pss_parameters(SHA_1, SHA_1, 32), _pss(CONTENT, hashes.SHA256(), 32), CONTENT)


def test_no_pss_parameters_raise() -> None:
    key, signature = RSA_KEY.public_key(), _pss(CONTENT, hashes.SHA256(), 32)

    def parameters(digest: bytes, salt: bytes = b"\x20", mgf: str = "1.2.840.113549.1.1.8") -> bytes:
        mask = seq(object_id(mgf), seq(object_id(SHA_256)))
        return seq(tlv(0xA0, digest), tlv(0xA1, mask), tlv(0xA2, tlv(ber.INTEGER, salt)))

    good = seq(object_id(SHA_256))
    assert verify_oid(key, PSS, parameters(good), signature, CONTENT)
    assert verify_oid(key, PSS, parameters(seq(object_id(SHA_256), b"\x05\x00")), signature, CONTENT)
    for bad in (
        parameters(seq()),
        parameters(seq(object_id(SHA_256), seq())),
        parameters(good, b"\x7f" * 20),
        parameters(good, b"\x02\x01"),
        parameters(good, b"\xff"),
        parameters(good, mgf="1.2.840.113549.1.1.9"),
    ):
        assert verify_oid(key, PSS, bad, signature, CONTENT) is False


def test_ed25519_by_its_identifier() -> None:
    key = Ed25519PrivateKey.generate()
    assert verify_oid(key.public_key(), "1.3.101.112", b"", key.sign(CONTENT), CONTENT)
    assert not verify_oid(key.public_key(), "1.3.101.112", b"", key.sign(CONTENT), b"")
    assert not verify_oid(key.public_key(), ECDSA_256, b"", key.sign(CONTENT), CONTENT)


def test_rsa_keys_that_are_too_short_verify_nothing() -> None:
    for size, good in ((1024, False), (2048, True)):
        key = rsa.generate_private_key(public_exponent=65537, key_size=size)
        signature = key.sign(CONTENT, padding.PKCS1v15(), hashes.SHA256())
        assert verify_oid(key.public_key(), RSA_256, b"", signature, CONTENT) is good


@pytest.mark.parametrize("oid", ["1.2.840.10045.4.1", "1.2.840.113549.1.1.5", "1.2.840.113549.1.1.4", "1.2.3"])
def test_sha_1_and_what_is_not_known_sign_nothing(oid: str) -> None:
    assert not verify_oid(EC_KEY.public_key(), oid, b"", ecdsa(CONTENT), CONTENT, SHA_256)
    assert not verify_oid(RSA_KEY.public_key(), oid, b"", pkcs1(CONTENT, hashes.SHA256()), CONTENT, SHA_256)


@given(st.binary(max_size=100), st.binary(max_size=100))
def test_no_signature_or_parameters_are_an_error(signature: bytes, parameters: bytes) -> None:
    for key in (EC_KEY.public_key(), RSA_KEY.public_key()):
        for oid in (ECDSA_256, PSS, RSA_256):
            assert not verify_oid(key, oid, parameters, signature, CONTENT)
