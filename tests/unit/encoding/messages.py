"""CMS messages made by hand, element by element, so that any of them can be wrong."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from healthcert.encoding import ber, cms
from healthcert.encoding.algorithms import PrivateKey
from healthcert.encoding.ber import Element
from healthcert.encoding.cms_write import object_id
from healthcert.errors import Code, DecodeError
from tests.gateway_world import make

CONTENT = b"what is signed"
SHA_1, MD5 = "1.3.14.3.2.26", "1.2.840.113549.2.5"
SHA_256, SHA_384, SHA_512 = (f"2.16.840.1.101.3.4.2.{number}" for number in (1, 2, 3))
ECDSA_256, ECDSA_384 = "1.2.840.10045.4.3.2", "1.2.840.10045.4.3.3"
RSA_256, RSA, PSS = "1.2.840.113549.1.1.11", "1.2.840.113549.1.1.1", "1.2.840.113549.1.1.10"
SIGNED_DATA = "1.2.840.113549.1.7.2"
CONTENT_TYPE, MESSAGE_DIGEST, SIGNING_TIME = (f"1.2.840.113549.1.9.{number}" for number in (3, 4, 5))
MASTER_LIST = "2.23.136.1.1.2"

EC_KEY = ec.generate_private_key(ec.SECP256R1())
RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
SIGNER = make("EU", "signer", key=EC_KEY)


def tlv(tag: int, *parts: bytes) -> bytes:
    return Element(tag, b"", b"".join(parts)).definite()


def endless(tag: int, *parts: bytes) -> bytes:
    """The same with an indefinite length."""
    return bytes((tag, 0x80)) + b"".join(parts) + b"\0\0"


def seq(*parts: bytes) -> bytes:
    return tlv(ber.SEQUENCE, *parts)


def attribute(name: str, *values: bytes) -> bytes:
    return seq(object_id(name), tlv(ber.SET, *values))


def attributes(content: bytes = CONTENT, kind: str = cms.DATA, digest: str = "sha256") -> list[bytes]:
    made = tlv(ber.OCTET_STRING, hashlib.new(digest, content).digest())
    return [attribute(CONTENT_TYPE, object_id(kind)), attribute(MESSAGE_DIGEST, made)]


def ecdsa(data: bytes, digest: hashes.HashAlgorithm | None = None) -> bytes:
    return EC_KEY.sign(data, ec.ECDSA(digest or hashes.SHA256()))


def signer_info(
    given_attributes: Sequence[bytes] | None,
    *,
    sign: Callable[[bytes], bytes] = ecdsa,
    digest: str = SHA_256,
    algorithm: str = ECDSA_256,
    parameters: bytes = b"",
    signed: bytes | None = None,
) -> bytes:
    """A SignerInfo; ``signed`` is what the signature is over where it is not over what it should be."""
    inner = b"".join(given_attributes or ())
    proper = CONTENT if given_attributes is None else tlv(ber.SET, inner)
    return seq(
        b"\x02\x01\x01",
        seq(seq(), b"\x02\x01\x07"),
        seq(object_id(digest)),
        *(() if given_attributes is None else (tlv(0xA0, inner),)),
        seq(object_id(algorithm), parameters),
        tlv(ber.OCTET_STRING, sign(proper if signed is None else signed)),
    )


def message(*signers: bytes, content: bytes | None = None, kind: str = cms.DATA, certificates: bytes = b"") -> bytes:
    explicit = b"" if content is None else tlv(0xA0, tlv(ber.OCTET_STRING, content))
    signed = seq(
        b"\x02\x01\x01",
        tlv(ber.SET, seq(object_id(SHA_256))),
        seq(object_id(kind), explicit),
        *((tlv(0xA0, certificates),) if certificates else ()),
        tlv(ber.SET, *signers),
    )
    return seq(object_id(SIGNED_DATA), tlv(0xA0, signed))


def verifies(data: bytes, content: bytes = CONTENT, key: PrivateKey = EC_KEY) -> bool:
    read = cms.read(data)
    (signer,) = read.signers
    return signer.verify(key.public_key(), content, read.content_type)


def unreadable(data: bytes, detail: str = "") -> None:
    with pytest.raises(DecodeError) as caught:
        cms.read(data)
    assert caught.value.code is Code.TRUST_LIST_UNREADABLE
    assert detail in caught.value.detail


def pkcs1(data: bytes, digest: hashes.HashAlgorithm) -> bytes:
    return RSA_KEY.sign(data, padding.PKCS1v15(), digest)


def in_pieces(depth: int) -> bytes:
    """A string that is in one piece, which is in one piece, which ..."""
    data = b"\x04\x01!"
    for _ in range(depth):
        data = tlv(0x24, data)
    return data
