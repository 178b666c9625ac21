"""Master lists: who may sign one, and which certificates on it are authorities."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448
from hypothesis import given
from hypothesis import strategies as st

from healthcert.encoding import ber
from healthcert.errors import TrustError
from healthcert.issue.pki import KeyPair
from healthcert.trust.keys import Assurance
from healthcert.trust.sources.icao import MASTER_LIST, MASTER_LIST_SIGNER, MasterList
from healthcert.trust.sources.protocol import Known, Role
from tests.support import DAY, NOW, csca, dsc
from tests.unit.trust.sources.world import (
    FEW,
    Table,
    answer,
    certificate_anchor,
    context,
    damaged,
    flips,
    key_anchor,
    loaded,
    problems,
    refusal,
    spki_of,
)

SOURCE = MasterList()
SIGNED_AT = datetime(2021, 8, 1, 12, 0, 5, tzinfo=UTC)


# --- DER, and CMS with content of any type, written apart from what reads it ---


def der(tag: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    size = len(body)
    octets = size.to_bytes((size.bit_length() + 7) // 8 or 1, "big")
    return bytes((tag,)) + (bytes((size,)) if size < 0x80 else bytes((0x80 | len(octets),)) + octets) + body


def oid(dotted: str) -> bytes:
    return bytes.fromhex(
        {
            "signedData": "06092a864886f70d010702",
            "data": "06092a864886f70d010701",
            "contentType": "06092a864886f70d010903",
            "messageDigest": "06092a864886f70d010904",
            "signingTime": "06092a864886f70d010905",
            "sha256": "0609608648016503040201",
            "ecdsaWithSHA256": "06082a8648ce3d040302",
            MASTER_LIST: "060667810801" + "0102",
        }[dotted]
    )


def message(
    content: bytes,
    signer: KeyPair,
    *others: KeyPair,
    kind: str = MASTER_LIST,
    time: bytes | None = None,
    certificates: list[bytes] | None = None,
) -> bytes:
    attributes = [
        der(0x30, oid("contentType"), der(0x31, oid(kind))),
        der(0x30, oid("messageDigest"), der(0x31, der(4, hashlib.sha256(content).digest()))),
    ]
    moment = der(0x17, f"{SIGNED_AT:%y%m%d%H%M%SZ}".encode()) if time is None else time
    if moment:
        attributes.append(der(0x30, oid("signingTime"), der(0x31, moment)))
    assert isinstance(signer.key, ec.EllipticCurvePrivateKey)
    signature = signer.key.sign(der(0x31, *attributes), ec.ECDSA(hashes.SHA256()))
    sha256 = der(0x30, oid("sha256"))
    algorithm = der(0x30, oid("ecdsaWithSHA256"))
    info = der(
        0x30, der(2, b"\3"), der(0x80, b"key"), sha256, der(0xA0, *attributes), algorithm, der(4, signature)
    )  # fmt: skip
    enclosed = der(0xA0, *(certificates or [pair.certificate_der() for pair in (signer, *others)]))
    inner = der(0x30, oid(kind), der(0xA0, der(4, content)))
    signed = der(0x30, der(2, b"\3"), der(0x31, sha256), inner, enclosed, der(0x31, info))
    return der(0x30, oid("signedData"), der(0xA0, signed))


def listed(*certificates: bytes, version: bytes = b"\0") -> bytes:
    return der(0x30, der(2, version), der(0x31, *certificates))


def certificate(
    name: str,
    issuer: KeyPair | None = None,
    *,
    country: str = "UT",
    usage: str | None = None,
    ca: bool | None = True,
    signs: bool = True,
    key: Any = None,
    end: timedelta = 365 * DAY,
) -> KeyPair:
    key = key or ec.generate_private_key(ec.SECP256R1())
    names = [x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]
    if country:
        names.insert(0, x509.NameAttribute(x509.NameOID.COUNTRY_NAME, country, _validate=False))
    subject = x509.Name(names)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(NOW - 30 * DAY)
        .not_valid_after(NOW + end)
    )
    if ca is not None:
        builder = builder.add_extension(x509.BasicConstraints(ca, None), critical=True)
    if ca:
        builder = builder.add_extension(_key_usage(signs), critical=True)
    if usage:
        builder = builder.add_extension(x509.ExtendedKeyUsage([x509.ObjectIdentifier(usage)]), critical=True)
    return KeyPair(key, builder.sign(issuer.key if issuer else key, hashes.SHA256()))


def _key_usage(signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        key_cert_sign=signs,
        crl_sign=True,
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


ROOT = certificate("Example CSCA")
SIGNER = certificate("Master List Signer", ROOT, usage=MASTER_LIST_SIGNER, ca=False)
PASSPORTS = certificate("Document Signer", ROOT, ca=False)
PINNED = context(certificate_anchor(ROOT))


@cache
def good() -> bytes:
    return message(listed(csca().certificate_der(), ROOT.certificate_der()), SIGNER, ROOT)


def test_a_master_list() -> None:
    found = SOURCE.load({"list": good()}, PINNED)
    assert [(entry.role, entry.country, entry.domain, entry.certificate) for entry in found.authorities] == [
        (Role.CSCA, "FR", "ICAO", csca().certificate_der()),
        (Role.CSCA, "UT", "ICAO", ROOT.certificate_der()),
    ]
    assert (found.keys, found.skipped, found.assurance) == ((), (), Assurance.SIGNED_LIST)
    assert (found.signer, found.issued_at) == (PINNED.anchors[0], SIGNED_AT)
    assert found.counter == int(SIGNED_AT.timestamp())
    content = listed(csca().certificate_der(), ROOT.certificate_der())
    assert found.signed == hashlib.sha256(content).digest()


def test_a_signer_that_is_pinned_itself() -> None:
    plain = message(listed(csca().certificate_der()), PASSPORTS)
    for anchor in (certificate_anchor(PASSPORTS), key_anchor(spki_of(PASSPORTS))):
        assert SOURCE.load({"list": plain}, context(anchor)).signer == anchor


@pytest.mark.parametrize(
    "time", [b"", der(0x17, b"x"), der(0x17, b"\xff" * 13), der(0x18, b"99999999999999Z"), der(4, b"")]
)
def test_a_signing_time_that_is_not_there_or_cannot_be_is_unknown(time: bytes) -> None:
    found = SOURCE.load({"list": message(listed(), SIGNER, ROOT, time=time)}, PINNED)
    assert (found.counter, found.issued_at) == (None, None)


def test_a_signing_time_after_2049() -> None:
    later = message(listed(), SIGNER, ROOT, time=der(0x18, b"20550102030405Z"))
    assert SOURCE.load({"list": later}, PINNED).issued_at == datetime(2055, 1, 2, 3, 4, 5, tzinfo=UTC)
    before = message(listed(), SIGNER, ROOT, time=der(0x17, b"990102030405Z"))
    assert SOURCE.load({"list": before}, PINNED).issued_at == datetime(1999, 1, 2, 3, 4, 5, tzinfo=UTC)


FORGED = certificate("Example CSCA")


@pytest.mark.parametrize(
    "data",
    [
        message(listed(), certificate("Master List Signer", FORGED, usage=MASTER_LIST_SIGNER, ca=False), FORGED),
        message(listed(), PASSPORTS, ROOT),
        message(listed(), certificate("Signer", ROOT, usage="1.3.6.1.5.5.7.3.4", ca=False), ROOT),
        message(listed(), certificate("Signer", ROOT, usage=MASTER_LIST_SIGNER, ca=False, end=-DAY), ROOT),
        message(listed(), SIGNER, ROOT, kind="data"),
        # Another certificate for the key of one that signs passports, which its holder made to say what it likes.
        message(
            listed(), PASSPORTS, ROOT,
            certificate("Signer", None, usage=MASTER_LIST_SIGNER, ca=False, key=PASSPORTS.key),
        ),
        # The certificate of one that signs master lists, but did not sign this one.
        message(listed(), PASSPORTS, ROOT, SIGNER),
    ],
    ids=[
        "another root", "signs passports", "another usage", "expired", "another kind of content", "own certificate",
        "another's certificate",
    ],
)  # fmt: skip
def test_lists_that_are_not_authentic(data: bytes) -> None:
    assert refusal(SOURCE, {"list": data}, PINNED) == "TRUST_LIST_NOT_AUTHENTIC"


def test_certificates_that_have_nothing_to_do_with_it() -> None:
    stray = certificate("Stray", ROOT, usage=MASTER_LIST_SIGNER, ca=False, key=ed448.Ed448PrivateKey.generate())
    enclosed = [stray.certificate_der(), b"\x30\x00", SIGNER.certificate_der(), ROOT.certificate_der()]
    assert SOURCE.load({"list": message(listed(), SIGNER, certificates=enclosed)}, PINNED).signer


def test_another_kind_of_content_is_told_first() -> None:
    with pytest.raises(TrustError, match="another kind"):
        SOURCE.load({"list": message(listed(), SIGNER, ROOT, kind="data")}, PINNED)


def test_fetching() -> None:
    url = "https://example.int/list.ml"
    server = Table({url: answer(good(), etag='"1"')})
    fetched = SOURCE.fetch(server, url, Known(), PINNED)
    assert fetched is not None
    assert dict(fetched.parts) == {"list": good()}
    assert SOURCE.fetch(server, url, Known(fetched.parts, validators=fetched.validators), PINNED) is None


def test_without_an_anchor() -> None:
    assert refusal(SOURCE, {"list": good()}, context()) == "TRUST_ANCHOR_MISSING"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        listed(version=b"\1"),
        der(0x30, der(2, b"\0")),
        der(0x30, der(0x31)),
        der(0x30, der(2, b"\0"), der(0x30)),
        der(0x30, der(2, b"\0"), der(0x31), der(2, b"\0")),
        listed() + b"\0",
    ],
)
def test_signed_content_that_is_no_list(content: bytes) -> None:
    assert refusal(SOURCE, {"list": message(content, SIGNER, ROOT)}, PINNED) == "TRUST_LIST_UNREADABLE"


def test_more_certificates_than_are_taken() -> None:
    assert refusal(SOURCE, {"list": good()}, context(certificate_anchor(ROOT), limits=FEW)) == "INPUT_TOO_LONG"


def test_what_is_an_authority() -> None:
    new = certificate("Example CSCA")  # of the same name, with a new key
    link = certificate("Example CSCA", ROOT, key=new.key)
    next_name = certificate("Example CSCA 2", ROOT)
    foreign = certificate("Example CSCA 3", ROOT, country="UX")
    stray = certificate("Example CSCA 4", FORGED)
    below_no_authority = certificate("Example CSCA 5", SIGNER)
    not_said = certificate("Not said", ca=None)
    content = listed(
        ROOT.certificate_der(),
        new.certificate_der(),
        link.certificate_der(),
        next_name.certificate_der(),
        foreign.certificate_der(),
        stray.certificate_der(),
        dsc().certificate_der(),
        SIGNER.certificate_der(),
        below_no_authority.certificate_der(),
        not_said.certificate_der(),
        certificate("Signs none", signs=False).certificate_der(),
        b"\x30\x00",
        certificate("Below one that does not say", not_said).certificate_der(),
        ROOT.certificate_der()[:-1] + bytes((ROOT.certificate_der()[-1] ^ 1,)),
    )
    found = SOURCE.load({"list": message(content, SIGNER, ROOT)}, PINNED)
    assert [entry.certificate for entry in found.authorities] == [
        pair.certificate_der() for pair in (ROOT, new, link, next_name)
    ]
    neither, none = (
        "neither signed by itself nor by another one in the list",
        "not an authority that may sign certificates",
    )
    assert problems(found) == [
        ("certificate 5", neither),
        ("certificate 6", neither),
        ("certificate 7", none),
        ("certificate 8", none),
        ("certificate 9", neither),
        ("certificate 10", none),
        ("certificate 11", none),
        ("certificate 12", "not a readable X.509 certificate"),
        ("certificate 13", neither),
        ("certificate 14", neither),
    ]


@pytest.mark.filterwarnings("ignore:Attribute's length")  # of the library that makes it
@pytest.mark.parametrize("country", ["UTO", "U1", ""])
def test_a_country_that_is_not_two_letters_is_unknown(country: str) -> None:
    authority = certificate("Odd", country=country)
    found = SOURCE.load({"list": message(listed(authority.certificate_der()), SIGNER, ROOT)}, PINNED)
    assert [entry.country for entry in found.authorities] == [None]


def test_a_link_without_the_key_it_links_to() -> None:
    link = certificate("Example CSCA", ROOT)
    found = SOURCE.load({"list": message(listed(link.certificate_der()), SIGNER, ROOT)}, PINNED)
    assert not found.authorities


def with_odd_issuer(pair: KeyPair) -> bytes:
    """The certificate with an issuer whose name has an attribute of three parts; its signature does not matter."""
    odd = der(0x30, der(0x31, der(0x30, bytes.fromhex("0603550406"), der(0x13, b"UT"), der(0x13, b"UT"))))
    signed, *rest = ber.read(pair.certificate_der()).children()
    parts = [part.raw for part in signed.children()]
    return der(0x30, der(0x30, *parts[:3], odd, *parts[4:]), *(part.raw for part in rest))


def test_names_that_cannot_be_taken_apart() -> None:
    found = SOURCE.load({"list": message(listed(with_odd_issuer(dsc())), SIGNER, ROOT)}, PINNED)
    assert problems(found) == [("certificate 1", "not a readable X.509 certificate")]
    odd = message(listed(), SIGNER, ROOT).replace(SIGNER.certificate_der(), b"")
    assert refusal(SOURCE, {"list": odd}, PINNED) == "TRUST_LIST_UNREADABLE"
    data = message(listed(), SIGNER, ROOT, certificates=[with_odd_issuer(SIGNER), ROOT.certificate_der()])
    assert refusal(SOURCE, {"list": data}, PINNED) == "TRUST_LIST_NOT_AUTHENTIC"


def test_content_in_pieces_of_pieces() -> None:
    content = b"\x04\x01a"
    for _ in range(2000):
        content = der(0x24, content)
    inner = der(0x30, oid("data"), der(0xA0, content))
    data = der(0x30, oid("signedData"), der(0xA0, der(0x30, der(2, b"\1"), der(0x31), inner, der(0x31))))
    assert refusal(SOURCE, {"list": data}, PINNED) == "TRUST_LIST_UNREADABLE"


def test_more_in_a_message_than_there_is() -> None:
    outer = ber.read(good()).children()
    assert refusal(SOURCE, {"list": der(0x30, *(part.raw for part in outer), b"\x05\x00")}, PINNED) == (
        "TRUST_LIST_UNREADABLE"
    )


def test_any_byte_of_what_is_signed_matters() -> None:
    data = message(listed(csca().certificate_der()), SIGNER, ROOT)
    start = data.index(listed(csca().certificate_der()))
    for position, changed in enumerate(flips(data)):
        found = loaded(SOURCE, {"list": changed}, PINNED)
        if start <= position < start + len(listed(csca().certificate_der())):
            assert found is None
        # What is not signed around it may be changed, and changes nothing.
        assert found is None or [entry.certificate for entry in found.authorities] == [csca().certificate_der()]


@given(damaged(good()), st.binary(max_size=80))
def test_nothing_else_escapes(data: bytes, content: bytes) -> None:
    loaded(SOURCE, {"list": data}, PINNED)
    loaded(SOURCE, {"list": message(content, SIGNER, ROOT)}, PINNED)
    loaded(SOURCE, {"list": message(listed(content), SIGNER, ROOT)}, PINNED)
