"""The signature of a trusted list in XML (ETSI TS 119 612 §5.7.1), in the few forms that such lists have.

XML signatures (W3C XML Signature 1.1) let a signature say what it covers, and readers have believed what it did not.
So nothing is chosen here by the signature: there is one, directly under the root, it covers the whole document but
itself in the exclusive canonical form, and what is given back are the bytes that it covers, to be read instead of the
document.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from xml.etree import ElementTree as ET

from msgspec import Struct

from healthcert.encoding.algorithms import Algorithm, PublicKey
from healthcert.encoding.oids import verify_oid
from healthcert.errors import TrustError
from healthcert.lists.anchors import TrustAnchor
from healthcert.lists.chain import anchor_of
from healthcert.lists.reading import exact_base64, not_authentic
from healthcert.lists.x509 import Certificate, parse_certificate
from healthcert.trust.sources.tsl_xml import DSIG, SIGNED_INFO, read_document

_FILTER = "{http://www.w3.org/2002/06/xmldsig-filter2}XPath"
_EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
_ENVELOPED = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
_FILTER_2 = "http://www.w3.org/2002/06/xmldsig-filter2"
_DIGESTS: Mapping[str | None, Callable[[bytes], Any]] = {
    "http://www.w3.org/2001/04/xmlenc#sha256": hashlib.sha256,
    "http://www.w3.org/2001/04/xmldsig-more#sha384": hashlib.sha384,
    "http://www.w3.org/2001/04/xmlenc#sha512": hashlib.sha512,
}
# RFC 9231 §2.3.2, §2.3.6, §2.3.10. An ECDSA signature is r and s there, one after the other.
_RSA = {
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256": "1.2.840.113549.1.1.11",
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384": "1.2.840.113549.1.1.12",
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512": "1.2.840.113549.1.1.13",
}
_OTHERS = {
    "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256": Algorithm.ES256,
    "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384": Algorithm.ES384,
    "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512": Algorithm.ES512,
    "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1": Algorithm.PS256,
    "http://www.w3.org/2007/05/xmldsig-more#sha384-rsa-MGF1": Algorithm.PS384,
    "http://www.w3.org/2007/05/xmldsig-more#sha512-rsa-MGF1": Algorithm.PS512,
}
_MAX_CERTIFICATES = 8
_LEAST_RSA_BITS = 2048


class Signed(Struct, frozen=True):
    """What a signature covers, in canonical XML, and the pinned anchor that vouches for it."""

    content: bytes
    signer: TrustAnchor


def signed_content(data: bytes, anchors: Sequence[TrustAnchor], now: datetime) -> Signed:
    """What of an XML document is signed by one whom a pinned anchor vouches for.

    Raises :class:`TrustError`: ``TRUST_LIST_UNREADABLE`` for what is no such document, ``TRUST_LIST_NOT_AUTHENTIC``.
    """
    document = read_document(data)
    content = document.content()
    if document.signature is None:
        raise not_authentic("the list is not signed")
    signature = document.signature
    info = _one(signature, SIGNED_INFO)
    _check_references(info, content, document.properties)
    # XML Signature 1.1 §4.4.1: the canonical form of what is signed is named in it.
    if _one(info, f"{DSIG}CanonicalizationMethod").get("Algorithm") != _EXCLUSIVE or document.info is None:
        raise not_authentic("signed in another canonical form than the exclusive one")
    method = _one(info, f"{DSIG}SignatureMethod").get("Algorithm")
    check = _check(method, document.info, _octets(signature, "SignatureValue"))
    return Signed(content, _signer(check, _certificates(signature), anchors, now))


def _check_references(info: ET.Element, content: bytes, properties: Mapping[str, bytes]) -> None:
    """What the signature covers is the whole document, and properties of its own; each has the digest that it says."""
    whole = False
    for reference in info.findall(f"{DSIG}Reference"):
        uri = reference.get("URI")
        if uri == "" and not whole:
            _check_transforms(reference)
            covered, whole = content, True
        elif uri is not None and uri.startswith("#") and uri[1:] in properties:
            if _transforms(reference) != [_EXCLUSIVE]:
                raise not_authentic("its properties are signed in another canonical form than the exclusive one")
            covered = properties[uri[1:]]
        else:
            raise not_authentic("the signature covers something else than the list")
        digest = _DIGESTS.get(_one(reference, f"{DSIG}DigestMethod").get("Algorithm"))
        if digest is None or digest(covered).digest() != _octets(reference, "DigestValue"):
            raise not_authentic("the list is not the one that was signed")
    if not whole:
        raise not_authentic("the signature does not cover the list")


def _check_transforms(reference: ET.Element) -> None:
    # ETSI TS 119 612 §5.7.1: enveloped, in the exclusive canonical form. ANTS removes the signature by a filter.
    transforms = _transforms(reference)
    if transforms == [_FILTER_2, _EXCLUSIVE]:
        paths = list(reference.iter(_FILTER))
        removed = [(path.get("Filter"), (path.text or "").strip()) for path in paths]
        if removed == [("subtract", "/descendant::ds:Signature")]:
            return
    elif transforms == [_ENVELOPED, _EXCLUSIVE]:
        return
    raise not_authentic("the signature covers the list in a form that is not taken")


def _transforms(reference: ET.Element) -> list[str | None]:
    found = _one(reference, f"{DSIG}Transforms").findall(f"{DSIG}Transform")
    # Exclusive XML Canonicalization §4: prefixes may be listed that are kept nevertheless.
    if any(len(transform) for transform in found if transform.get("Algorithm") == _EXCLUSIVE):
        raise not_authentic("a canonical form with prefixes of its own")
    return [transform.get("Algorithm") for transform in found]


def _check(method: str | None, signed: bytes, signature: bytes) -> Callable[[PublicKey], bool]:
    """What tells whether a key made the signature."""
    if method in _RSA:
        return lambda key: verify_oid(key, _RSA[method], b"", signature, signed)
    algorithm = _OTHERS.get(method or "")
    if algorithm is None:
        raise not_authentic("signed with an algorithm that is not taken")
    return lambda key: (
        getattr(key, "key_size", 0) >= _least_size(algorithm) and algorithm.verify(key, signature, signed)
    )


def _least_size(algorithm: Algorithm) -> int:
    return _LEAST_RSA_BITS if algorithm.name.startswith("PS") else 0


def _signer(
    check: Callable[[PublicKey], bool],
    certificates: Sequence[Certificate],
    anchors: Sequence[TrustAnchor],
    now: datetime,
) -> TrustAnchor:
    for certificate in certificates:
        try:
            key = certificate.public_key()
        except TrustError:
            continue
        if check(key):
            return anchor_of(certificate, certificates, anchors, now)
    for anchor in anchors:
        if anchor.subject is None and check(anchor.public_key()):
            return anchor
    raise not_authentic("the signature is neither of a pinned key nor of a certificate that came with it")


def _certificates(signature: ET.Element) -> list[Certificate]:
    found = []
    for element in list(signature.iterfind(f"{DSIG}KeyInfo/{DSIG}X509Data/{DSIG}X509Certificate"))[:_MAX_CERTIFICATES]:
        der = octets_of(element)
        try:
            found.append(parse_certificate(der or b""))
        except TrustError:
            continue
    return found


def octets_of(element: ET.Element) -> bytes | None:
    """What base64 in an element stands for, lines and spaces in it aside; None where there is none."""
    return exact_base64("".join((element.text or "").split())) or None


def _octets(parent: ET.Element, name: str) -> bytes:
    found = octets_of(_one(parent, DSIG + name))
    if found is None:
        raise not_authentic(f"{name}: no base64")
    return found


def _one(parent: ET.Element, tag: str) -> ET.Element:
    found = parent.findall(tag)
    if len(found) != 1:
        raise not_authentic(f"{tag.rpartition('}')[2]} is there {len(found)} times")
    return found[0]
