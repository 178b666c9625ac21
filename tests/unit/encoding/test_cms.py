"""CMS messages: who signed, and what, or a refusal."""

from __future__ import annotations

import hashlib

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from healthcert.encoding import ber, cms
from healthcert.encoding.cms_write import object_id
from healthcert.errors import HealthCertError
from tests.unit.encoding.messages import (
    CONTENT,
    EC_KEY,
    ECDSA_256,
    MASTER_LIST,
    MD5,
    MESSAGE_DIGEST,
    RSA,
    RSA_KEY,
    SHA_1,
    SHA_256,
    SIGNED_DATA,
    SIGNER,
    attribute,
    attributes,
    ecdsa,
    endless,
    in_pieces,
    message,
    pkcs1,
    seq,
    signer_info,
    tlv,
    unreadable,
    verifies,
)


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
            signer_info(given_attributes, digest=digest, algorithm=RSA, sign=lambda data: pkcs1(data, hashes.SHA256()))
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
