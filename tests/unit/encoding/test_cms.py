"""ASN.1 in BER, CMS messages and the algorithms named in them: whatever spelling comes, one meaning or a refusal."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from healthcert.encoding import ber, cms, cms_write
from healthcert.encoding.algorithms import Algorithm, PrivateKey
from healthcert.encoding.ber import Element
from healthcert.encoding.cms_write import object_id
from healthcert.encoding.oids import verify_oid
from healthcert.errors import Code, DecodeError, HealthCertError, IssueError
from tests.gateway_world import Pair, make
from tests.support import NOW

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


# --- ASN.1 in BER ---


def test_an_element_is_its_tag_its_bytes_and_its_content() -> None:
    data = b"\x30\x06\x02\x01\x05\x04\x01\x41"
    element = ber.read(data)
    assert (element.tag, element.raw, element.body) == (ber.SEQUENCE, data, data[2:])
    assert [(child.tag, child.raw, child.body) for child in element.children()] == [
        (ber.INTEGER, b"\x02\x01\x05", b"\x05"),
        (ber.OCTET_STRING, b"\x04\x01\x41", b"A"),
    ]


@pytest.mark.parametrize("length", [0, 1, 0x7F, 0x80, 0xFF, 0x100, 0xFFFF, 0x10000])
def test_lengths_of_every_form_are_read_and_written(length: int) -> None:
    body = bytes(length)
    written = tlv(ber.OCTET_STRING, body)
    assert ber.read(written).body == body
    # X.690 §8.1.3.5: more octets for the length than there need be are as good.
    long_form = b"\x04\x84" + length.to_bytes(4, "big") + body
    assert ber.read(long_form).body == body
    assert ber.read(long_form).definite() == written


def test_an_indefinite_length_ends_where_it_says() -> None:
    inner = endless(ber.SEQUENCE, b"\x02\x01\x05")
    data = endless(ber.SEQUENCE, inner, b"\x04\x01\x41")
    element = ber.read(data)
    assert element.raw == data
    assert [child.raw for child in element.children()] == [inner, b"\x04\x01\x41"]
    assert ber.read(inner).definite() == seq(b"\x02\x01\x05")


def test_a_string_may_come_in_pieces() -> None:
    pieces = [tlv(ber.OCTET_STRING, b"one "), endless(0x24, tlv(ber.OCTET_STRING, b"two "), b"\x04\x00"), b"\x04\x01!"]
    for whole in (tlv(0x24, *pieces), endless(0x24, *pieces)):
        assert ber.read(whole).string() == b"one two !"
    assert ber.read(b"\x04\x03abc").string() == b"abc"


@pytest.mark.parametrize(
    ("data", "detail"),
    [
        (b"", "too early"),
        (b"\x30", "too early"),
        (b"\x30\x01", "too early"),
        (b"\x30\x82\x01", "length"),
        (b"\x30\x85\x00\x00\x00\x00\x00", "length"),
        (b"\x30\xff", "length"),
        (b"\x30\x84\xff\xff\xff\xff", "too early"),
        (b"\x30\x80", "too early"),
        (b"\x30\x80\x00", "too early"),
        (b"\x30\x80\x02\x01\x05", "too early"),
        (b"\x04\x80\x00\x00", "primitive element without a length"),
        (b"\x1f\x01\x00", "tag of several bytes"),
        (b"\x30\x00\x00", "bytes after the end"),
        (b"\x30\x80" * 40 + b"\0\0" * 40, "levels"),
    ],
)
def test_what_is_no_element_is_refused(data: bytes, detail: str) -> None:
    with pytest.raises(DecodeError) as caught:
        ber.read(data)
    assert caught.value.code is Code.TRUST_LIST_UNREADABLE
    assert detail in caught.value.detail


def test_indefinite_lengths_may_stand_in_each_other_to_a_depth() -> None:
    for depth, good in ((33, True), (34, False)):
        data = b"\x30\x80" * depth + b"\0\0" * depth
        if good:
            assert ber.read(data).tag == ber.SEQUENCE
        else:
            with pytest.raises(DecodeError):
                ber.read(data)


def test_no_more_elements_are_looked_at_than_some(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ber, "_MAX_ELEMENTS", 8)
    assert len(ber.read(seq(b"\x05\x00" * 7)).children()) == 7
    for data in (seq(b"\x05\x00" * 8), endless(ber.SEQUENCE, b"\x05\x00" * 4)):
        with pytest.raises(DecodeError, match="more than 8 elements"):
            ber.read(data).children()


def test_a_primitive_element_has_no_elements_and_another_tag_is_refused() -> None:
    with pytest.raises(DecodeError):
        ber.read(b"\x04\x02\x05\x00").children()
    with pytest.raises(DecodeError):
        ber.read(b"\x04\x00", ber.SEQUENCE)


def in_pieces(depth: int) -> bytes:
    """A string that is in one piece, which is in one piece, which ..."""
    data = b"\x04\x01!"
    for _ in range(depth):
        data = tlv(0x24, data)
    return data


def test_a_string_in_pieces_of_pieces_is_one_string() -> None:
    assert ber.read(in_pieces(2)).string() == b"!"


def test_a_string_in_pieces_of_pieces_without_end_is_refused() -> None:
    for depth in (20, 3000):
        with pytest.raises(DecodeError):
            ber.read(in_pieces(depth)).string()


@pytest.mark.parametrize(
    "dotted", ["0.0", "0.39", "1.2.840.113549.1.7.2", "2.5.4.6", "2.16.840.1.101.3.4.2.1", "2.999.3", "2.23.136.1.1.2"]
)
def test_object_identifiers_are_read_as_they_are_written(dotted: str) -> None:
    assert ber.read(object_id(dotted)).oid() == dotted


@pytest.mark.parametrize("text", ["0600", "060180", "06022a86", "020105", "060b" + "ff" * 10 + "01"])
def test_what_is_no_object_identifier_is_refused(text: str) -> None:
    with pytest.raises(DecodeError):
        ber.read(bytes.fromhex(text)).oid()


# --- Reading CMS ---


def test_a_message_is_its_content_its_certificates_and_its_signatures() -> None:
    read = cms.read(message(signer_info(attributes()), content=CONTENT, certificates=SIGNER.der))
    assert (read.content_type, read.content, read.certificates) == (cms.DATA, CONTENT, (SIGNER.der,))
    (signer,) = read.signers
    assert (signer.digest, signer.algorithm, signer.parameters) == (SHA_256, ECDSA_256, b"")
    assert (signer.content_type, signer.message_digest) == (cms.DATA, hashlib.sha256(CONTENT).digest())
    assert signer.sid == seq(seq(), b"\x02\x01\x07")
    assert cms.read(message(signer_info(attributes()))).content is None


def test_a_signature_over_attributes_or_over_the_content_itself_verifies() -> None:
    for given_attributes in (attributes(), None, [*attributes(), attribute("1.2.3", b"\x05\x00")], attributes()[::-1]):
        data = message(signer_info(given_attributes))
        assert verifies(data)
        assert not verifies(data, CONTENT + b".")
        assert not verifies(data, key=ec.generate_private_key(ec.SECP256R1()))


def test_a_message_with_indefinite_lengths_throughout_verifies() -> None:
    """The form of most signatures in published lists."""
    inner = b"".join(attributes())
    signer = endless(
        ber.SEQUENCE,
        b"\x02\x01\x01",
        seq(seq(), b"\x02\x01\x07"),
        seq(object_id(SHA_256)),
        # The signature is over the attributes as they are in DER.
        endless(0xA0, inner),
        seq(object_id(ECDSA_256)),
        endless(0x24, tlv(ber.OCTET_STRING, ecdsa(tlv(ber.SET, inner)))),
    )
    content = endless(0xA0, endless(0x24, tlv(ber.OCTET_STRING, CONTENT[:5]), tlv(ber.OCTET_STRING, CONTENT[5:])))
    signed = endless(
        ber.SEQUENCE,
        b"\x02\x01\x01",
        endless(ber.SET, seq(object_id(SHA_256))),
        endless(ber.SEQUENCE, object_id(cms.DATA), content),
        endless(0xA0, SIGNER.der),
        endless(ber.SET, signer),
    )
    data = endless(ber.SEQUENCE, object_id(SIGNED_DATA), endless(0xA0, signed))
    read = cms.read(data)
    assert (read.content, read.certificates) == (CONTENT, (SIGNER.der,))
    assert verifies(data)


def test_of_two_signatures_each_is_its_own() -> None:
    stranger = ec.generate_private_key(ec.SECP256R1())
    other = signer_info(attributes(), sign=lambda data: stranger.sign(data, ec.ECDSA(hashes.SHA256())))
    read = cms.read(message(signer_info(attributes()), other))
    good = [signer.verify(EC_KEY.public_key(), CONTENT, read.content_type) for signer in read.signers]
    assert good == [True, False]


def test_a_message_may_carry_certificates_alone() -> None:
    read = cms.read(message(certificates=SIGNER.der + SIGNER.der))
    assert (read.certificates, read.signers) == ((SIGNER.der, SIGNER.der), ())
    # A certificate of another kind (RFC 5652 §10.2.2) is none that is known.
    assert cms.read(message(certificates=tlv(0xA1, b"\x05\x00") + SIGNER.der)).certificates == (SIGNER.der,)


def test_a_digest_of_something_else_is_refused() -> None:
    assert not verifies(message(signer_info(attributes(b"something else"))))
    assert not verifies(message(signer_info(attributes(digest="sha384"))))


def test_attributes_that_were_not_signed_are_refused() -> None:
    assert not verifies(message(signer_info(attributes(), signed=CONTENT)))
    # The attributes under the tag that they have in the message.
    assert not verifies(message(signer_info(attributes(), signed=tlv(0xA0, *attributes()))))
    assert not verifies(message(signer_info([*attributes(), attribute("1.2.3")], signed=tlv(ber.SET, *attributes()))))


@pytest.mark.parametrize("left", [0, 1])
def test_attributes_without_digest_or_type_are_refused(left: int) -> None:
    assert not verifies(message(signer_info([attributes()[left]])))
    assert not verifies(message(signer_info([])))


def test_content_of_another_type_than_was_signed_is_refused() -> None:
    assert not verifies(message(signer_info(attributes(kind=MASTER_LIST))))
    assert not verifies(message(signer_info(attributes()), kind=MASTER_LIST))
    assert verifies(message(signer_info(attributes(kind=MASTER_LIST)), kind=MASTER_LIST))
    # RFC 5652 §5.3: content of another type than data is signed with attributes, which say so.
    assert not verifies(message(signer_info(None), kind=MASTER_LIST))


def test_a_signature_over_attributes_is_none_over_a_content_that_looks_like_them() -> None:
    """What a signer signed as attributes, given out as content without any."""
    signed = tlv(ber.SET, *attributes())
    data = message(signer_info(None, signed=signed))
    assert verifies(data, signed)
    assert not verifies(data)


def test_an_attribute_that_is_there_twice_is_refused() -> None:
    unreadable(message(signer_info([*attributes(), attributes()[1]])), "there twice")


def test_an_attribute_with_two_values_is_as_good_as_none() -> None:
    digest = tlv(ber.OCTET_STRING, hashlib.sha256(CONTENT).digest())
    for values in ([digest, digest], []):
        assert not verifies(message(signer_info([attributes()[0], attribute(MESSAGE_DIGEST, *values)])))


@pytest.mark.parametrize("digest", [SHA_1, MD5, "1.2.3"])
def test_sha_1_and_what_is_not_known_digest_nothing(digest: str) -> None:
    name = {SHA_1: "sha1", MD5: "md5"}.get(digest, "sha256")
    assert not verifies(message(signer_info(attributes(digest=name), digest=digest)))
    # With the digest beside the key's own identifier, as some write it.
    for given_attributes in (None, attributes(digest=name)):
        data = message(
            signer_info(given_attributes, digest=digest, algorithm=RSA, sign=lambda data: _pkcs1(data, hashes.SHA256()))
        )
        assert not verifies(data, key=RSA_KEY)


@pytest.mark.parametrize(
    "data",
    [
        message(signer_info(attributes()))[:-1],
        message(signer_info(attributes())) + b"\0",
        seq(object_id(cms.DATA), tlv(0xA0, b"\x04\x00")),
        seq(object_id(SIGNED_DATA)),
        seq(object_id(SIGNED_DATA), tlv(0xA0)),
        seq(object_id(SIGNED_DATA), tlv(0xA0, seq(), seq())),
        seq(object_id(SIGNED_DATA), tlv(0xA0, seq(b"\x02\x01\x01", tlv(ber.SET), seq(object_id(cms.DATA))))),
        seq(object_id(SIGNED_DATA), tlv(0xA0, tlv(ber.SET, *[b"\x05\x00"] * 4))),
        tlv(ber.SET, object_id(SIGNED_DATA), tlv(0xA0, seq())),
        seq(b"\x02\x01\x01", tlv(0xA0, seq())),
        message(seq(b"\x02\x01\x01", seq(), seq(object_id(SHA_256)), seq(object_id(ECDSA_256)))),
        message(seq(b"\x02\x01\x01", seq(), seq(object_id(SHA_256)), tlv(0xA0), seq(object_id(ECDSA_256)))),
        message(seq(b"\x02\x01\x01", seq(), seq(), seq(object_id(ECDSA_256)), b"\x04\x00")),
        message(signer_info([seq(object_id("1.2.3"))])),
        message(signer_info([attribute("1.2.3"), b"\x05\x00"])),
    ],
)
def test_what_is_no_signed_message_is_refused(data: bytes) -> None:
    unreadable(data)


def test_a_message_without_the_set_of_signers_is_refused() -> None:
    signed = seq(b"\x02\x01\x01", tlv(ber.SET), seq(object_id(cms.DATA)), tlv(0xA0, SIGNER.der))
    unreadable(seq(object_id(SIGNED_DATA), tlv(0xA0, signed)), "without signers")


def test_content_that_is_no_octet_string_is_refused() -> None:
    signed = seq(b"\x02\x01\x01", tlv(ber.SET), seq(object_id(cms.DATA), tlv(0xA0, b"\x05\x00")), tlv(ber.SET))
    unreadable(seq(object_id(SIGNED_DATA), tlv(0xA0, signed)), "no OCTET STRING")


def test_a_message_of_three_elements_is_none() -> None:
    good = ber.read(message(signer_info(attributes())))
    unreadable(seq(good.body, b"\x05\x00"))


def test_a_message_of_another_kind_or_two_in_one_is_none() -> None:
    kind, wrapped = ber.read(message(signer_info(attributes()))).children()
    assert cms.read(seq(kind.raw, wrapped.raw)).signers
    unreadable(seq(object_id(cms.DATA), wrapped.raw), "no SignedData")
    unreadable(seq(kind.raw, tlv(0xA0, wrapped.body, b"\x05\x00")), "one element")


def test_content_in_pieces_of_pieces_without_end_is_refused() -> None:
    for inner in (in_pieces(3000), in_pieces(3000)[:-3]):
        signed = seq(b"\x02\x01\x01", tlv(ber.SET), seq(object_id(cms.DATA), tlv(0xA0, inner)), tlv(ber.SET))
        unreadable(seq(object_id(SIGNED_DATA), tlv(0xA0, signed)))


@given(st.data())
def test_a_damaged_message_is_our_own_error_or_no_signature(data: st.DataObject) -> None:
    good = bytearray(_GOOD)
    position = data.draw(st.integers(0, len(good) - 1))
    good[position] = data.draw(st.integers(0, 255))
    try:
        read = cms.read(bytes(good))
    except HealthCertError:
        return
    for signer in read.signers:
        if signer.verify(EC_KEY.public_key(), CONTENT, read.content_type):
            # Only what nobody signs was changed: a version, the name of the signer, the certificate beside it.
            assert signer.attributes == cms.read(_GOOD).signers[0].attributes
            assert signer.signature == cms.read(_GOOD).signers[0].signature


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_our_own_error(data: bytes) -> None:
    for call in (cms.read, ber.read):
        try:
            call(data)
        except HealthCertError:
            continue


_GOOD = message(signer_info(attributes()), certificates=SIGNER.der)


# --- Algorithms by their identifiers ---


def _pkcs1(data: bytes, digest: hashes.HashAlgorithm) -> bytes:
    return RSA_KEY.sign(data, padding.PKCS1v15(), digest)


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
    signature = _pkcs1(CONTENT, digest)
    assert verify_oid(RSA_KEY.public_key(), f"1.2.840.113549.1.1.{size}", b"\x05\x00", signature, CONTENT)
    assert not verify_oid(RSA_KEY.public_key(), RSA_256, b"\x05\x00", signature, CONTENT)
    assert not verify_oid(EC_KEY.public_key(), RSA_256, b"\x05\x00", signature, CONTENT)


def test_the_digest_beside_the_algorithm_counts_only_for_those_without_one() -> None:
    signature = _pkcs1(CONTENT, hashes.SHA256())
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
    assert not verify_oid(RSA_KEY.public_key(), oid, b"", _pkcs1(CONTENT, hashes.SHA256()), CONTENT, SHA_256)


@given(st.binary(max_size=100), st.binary(max_size=100))
def test_no_signature_or_parameters_are_an_error(signature: bytes, parameters: bytes) -> None:
    for key in (EC_KEY.public_key(), RSA_KEY.public_key()):
        for oid in (ECDSA_256, PSS, RSA_256):
            assert not verify_oid(key, oid, parameters, signature, CONTENT)


# --- Writing CMS ---

KEYS: dict[str, Any] = {
    "ES256": EC_KEY,
    "ES384": ec.generate_private_key(ec.SECP384R1()),
    "ES512": ec.generate_private_key(ec.SECP521R1()),
    "PS256": RSA_KEY,
    "PS384": RSA_KEY,
    "PS512": RSA_KEY,
}


def written(name: str = "ES256", *, attached: bool = False, time: datetime | None = None) -> bytes:
    key, algorithm = KEYS[name], Algorithm[name]
    pair = Pair(key, make("EU", "writer", key=key).der)
    return cms_write.write(
        CONTENT, pair.der, lambda data: algorithm.sign(key, data), algorithm, attached=attached, signing_time=time
    )


@pytest.mark.parametrize("name", KEYS)
@pytest.mark.parametrize("attached", [True, False])
def test_what_is_written_is_read(name: str, attached: bool) -> None:
    data = written(name, attached=attached, time=NOW)
    read = cms.read(data)
    assert read.content == (CONTENT if attached else None)
    assert read.content_type == cms.DATA
    assert len(read.certificates) == 1
    assert verifies(data, key=KEYS[name])
    assert not verifies(data, CONTENT + b".", key=KEYS[name])


def test_what_is_written_is_der() -> None:
    def check(element: Element) -> None:
        assert element.definite() == element.raw
        if element.tag & 0x20:
            children = element.children()
            if element.tag == ber.SET:
                assert [child.raw for child in children] == sorted(child.raw for child in children)
            for child in children:
                check(child)

    check(ber.read(written(attached=True, time=NOW)))


def test_attributes_are_in_the_order_of_their_encodings() -> None:
    """X.690 §11.6: it is in this order that other software signs and checks them."""
    for time in (None, NOW, datetime(2050, 1, 1, tzinfo=UTC)):
        attributes_ = cms.read(written(time=time)).signers[0].attributes
        assert attributes_ is not None
        inner = [child.raw for child in ber.read(attributes_, ber.SET).children()]
        assert inner == sorted(inner)
        assert len(inner) == (2 if time is None else 3)


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (datetime(2021, 8, 20, 10, 0, 5, 999, tzinfo=UTC), b"\x17\x0d210820100005Z"),
        (datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC), b"\x17\x0d491231235959Z"),
        (datetime(2050, 1, 1, tzinfo=UTC), b"\x18\x0f20500101000000Z"),
        (datetime(1949, 12, 31, tzinfo=UTC), b"\x18\x0f19491231000000Z"),
        (datetime.fromisoformat("2021-08-20T01:00:00+02:00"), b"\x17\x0d210819230000Z"),
    ],
)
def test_the_time_of_signing_is_in_the_form_of_its_century(moment: datetime, expected: bytes) -> None:
    """RFC 5652 §11.3."""
    attributes_ = cms.read(written(time=moment)).signers[0].attributes
    assert attributes_ is not None
    assert attribute(SIGNING_TIME, expected) in attributes_


def test_the_signer_is_named_as_its_certificate_names_itself() -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    data = written()
    read = cms.read(data)
    certificate = x509.load_der_x509_certificate(read.certificates[0])
    assert certificate.public_bytes(Encoding.DER) == read.certificates[0]
    issuer, serial = ber.read(read.signers[0].sid).children()
    assert issuer.raw == certificate.issuer.public_bytes()
    assert int.from_bytes(serial.body, "big") == certificate.serial_number
    assert read.signers[0].digest == SHA_256


def test_ed25519_has_no_form_here() -> None:
    key = Ed25519PrivateKey.generate()
    with pytest.raises(IssueError) as caught:
        cms_write.write(CONTENT, SIGNER.der, key.sign, Algorithm.EdDSA, attached=False)
    assert caught.value.code is Code.SIGNING_FAILED


@pytest.mark.parametrize(
    "certificate", [b"", b"x", b"\x30\x00", seq(seq()), seq(seq(b"\x02\x01\x01", seq())), seq(b"\x05\x00")]
)
def test_what_is_no_certificate_names_no_signer(certificate: bytes) -> None:
    with pytest.raises(DecodeError):
        cms_write.write(CONTENT, certificate, ecdsa_raw, Algorithm.ES256, attached=False)


def test_a_certificate_of_the_first_version_has_no_version() -> None:
    der = seq(seq(b"\x02\x01\x07", seq(object_id(ECDSA_256)), seq()))
    read = cms.read(cms_write.write(CONTENT, der, ecdsa_raw, Algorithm.ES256, attached=False))
    assert read.signers[0].sid == seq(seq(), b"\x02\x01\x07")


def ecdsa_raw(data: bytes) -> bytes:
    return Algorithm.ES256.sign(EC_KEY, data)


def test_what_a_signer_raises_passes_through() -> None:
    def failing(data: bytes) -> bytes:
        raise IssueError(Code.SIGNING_FAILED, "the module is away")

    with pytest.raises(IssueError, match="the module is away"):
        cms_write.write(CONTENT, SIGNER.der, failing, Algorithm.ES256, attached=False)
