"""CMS messages that are written: others read them, and so do we."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from healthcert.encoding import ber, cms, cms_write
from healthcert.encoding.algorithms import Algorithm
from healthcert.encoding.ber import Element
from healthcert.encoding.cms_write import object_id
from healthcert.errors import Code, DecodeError, IssueError
from tests.gateway_world import Pair, make
from tests.support import NOW
from tests.unit.encoding.messages import (
    CONTENT,
    EC_KEY,
    ECDSA_256,
    RSA_KEY,
    SHA_256,
    SIGNER,
    SIGNING_TIME,
    attribute,
    seq,
    verifies,
)

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
