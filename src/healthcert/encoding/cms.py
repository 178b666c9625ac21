"""CMS SignedData (RFC 5652), attached and detached, in DER or BER: who signed, and what.

A signature is checked with the public key that the caller trusts. The certificates in the message are only what its
sender put there: they help to find that key, and vouch for nothing.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

from msgspec import Struct

from healthcert.encoding import ber
from healthcert.encoding.algorithms import PublicKey
from healthcert.encoding.ber import Element, unreadable
from healthcert.encoding.oids import HASHES, verify_oid

DATA = "1.2.840.113549.1.7.1"
_SIGNED_DATA = "1.2.840.113549.1.7.2"
_CONTENT_TYPE = "1.2.840.113549.1.9.3"
_MESSAGE_DIGEST = "1.2.840.113549.1.9.4"
_SIGNING_TIME = "1.2.840.113549.1.9.5"
_UTC_TIME, _GENERALIZED_TIME = 0x17, 0x18


class SignerInfo(Struct, frozen=True):
    """One signature of a message: over the content itself, or over attributes that hold its digest."""

    sid: bytes
    """What names the signer's certificate: issuer and serial number, or the subject key identifier, as encoded."""
    digest: str
    algorithm: str
    parameters: bytes
    signature: bytes
    attributes: bytes | None
    content_type: str | None
    message_digest: bytes | None
    signing_time: datetime | None = None
    """When it was made, as the signer says among what is signed; None where it does not."""

    def verify(self, key: PublicKey, content: bytes, content_type: str) -> bool:
        """Whether ``key`` made this signature over ``content``; never raises. SHA-1 and older hashes never do."""
        # RFC 5652 §5.4: without signed attributes the signature is over the content ...
        if self.attributes is None:
            # ... §5.3: which they must be there to say the type of, when it is any other than data.
            return content_type == DATA and verify_oid(
                key, self.algorithm, self.parameters, self.signature, content, self.digest
            )
        # RFC 5652 §5.4, §11.1, §11.2: with them it is over them, and they hold the content's digest and type.
        if self.digest not in HASHES or self.content_type != content_type:
            return False
        if self.message_digest != hashlib.new(HASHES[self.digest].name, content).digest():
            return False
        return verify_oid(key, self.algorithm, self.parameters, self.signature, self.attributes, self.digest)


class SignedMessage(Struct, frozen=True):
    """A CMS SignedData: its content (None when detached), the certificates that came with it, the signatures."""

    content_type: str
    content: bytes | None
    certificates: tuple[bytes, ...]
    signers: tuple[SignerInfo, ...]


def read(data: bytes) -> SignedMessage:
    """A CMS SignedData in BER or DER.

    Raises :class:`DecodeError` (``TRUST_LIST_UNREADABLE``).
    """
    kind, wrapped, *more = _expect(ber.read(data), ber.SEQUENCE, 2)
    # RFC 5652 §3, §5.1.
    if more or kind.oid() != _SIGNED_DATA:
        raise unreadable("a CMS message that is no SignedData")
    parts = _expect(_only(wrapped), ber.SEQUENCE, 4)
    content_type, content = _content(parts[2])
    certificates: tuple[bytes, ...] = ()
    signers: tuple[SignerInfo, ...] | None = None
    for part in parts[3:]:
        if part.tag == 0xA0:
            certificates = tuple(element.raw for element in part.children() if element.tag == ber.SEQUENCE)
        elif part.tag == ber.SET:
            signers = tuple(map(_signer, part.children()))
    if signers is None:
        raise unreadable("a SignedData without signers")
    return SignedMessage(content_type, content, certificates, signers)


def _string(element: Element) -> bytes:
    try:
        return element.string()
    except RecursionError:
        raise unreadable("a string in pieces of pieces without end") from None


def _content(part: Element) -> tuple[str, bytes | None]:
    kind, *explicit = _expect(part, ber.SEQUENCE, 1)
    if not explicit:
        return kind.oid(), None
    octets = _only(explicit[0])
    if octets.tag & ~0x20 != ber.OCTET_STRING:
        raise unreadable("content that is no OCTET STRING")
    return kind.oid(), _string(octets)


def _signer(element: Element) -> SignerInfo:
    _, sid, digest, *rest = _expect(element, ber.SEQUENCE, 5)
    attributes = rest.pop(0) if rest[0].tag == 0xA0 else None
    if len(rest) < 2:
        raise unreadable("a SignerInfo without a signature")
    algorithm, parameters = algorithm_of(rest[0])
    values = {} if attributes is None else _attributes(attributes)
    declared = values.get(_CONTENT_TYPE)
    stated = values.get(_MESSAGE_DIGEST)
    return SignerInfo(
        sid=sid.raw,
        digest=algorithm_of(digest)[0],
        algorithm=algorithm,
        parameters=parameters,
        signature=_string(rest[1]),
        # RFC 5652 §5.4: signed as a SET OF, whatever tag they have in the message.
        attributes=None if attributes is None else attributes.definite(ber.SET),
        content_type=None if declared is None else declared.oid(),
        message_digest=None if stated is None else _string(stated),
        signing_time=_time(values.get(_SIGNING_TIME)),
    )


def _attributes(part: Element) -> dict[str, Element]:
    """The signed attributes that have one value, as those that matter have (RFC 5652 §11); none is there twice."""
    found: dict[str, Element] = {}
    for attribute in part.children():
        name, values = _expect(attribute, ber.SEQUENCE, 2)[:2]
        if name.oid() in found:
            raise unreadable("a signed attribute that is there twice")
        given = values.children()
        if len(given) == 1:
            found[name.oid()] = given[0]
    return found


def _time(element: Element | None) -> datetime | None:
    if element is None or element.tag not in (_UTC_TIME, _GENERALIZED_TIME):
        return None
    # RFC 5652 §11.3: as in certificates, and a UTCTime below 50 is of this century.
    text = element.body.decode("ascii", "replace")
    if element.tag == _UTC_TIME:
        text = ("20" if text[:2] < "50" else "19") + text
    try:
        return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None


def algorithm_of(element: Element) -> tuple[str, bytes]:
    """The OID of an AlgorithmIdentifier (RFC 5280 §4.1.1.2), and its parameters as encoded."""
    oid, *parameters = _expect(element, ber.SEQUENCE, 1)
    return oid.oid(), b"".join(parameter.raw for parameter in parameters)


def _expect(element: Element, tag: int, least: int) -> list[Element]:
    if element.tag != tag:
        raise unreadable(f"tag {element.tag:#04x} where {tag:#04x} belongs")
    children = element.children()
    if len(children) < least:
        raise unreadable("fewer elements than there must be")
    return children


def _only(element: Element) -> Element:
    children = element.children()
    if len(children) != 1:
        raise unreadable("one element is expected")
    return children[0]
