"""WHO's onboarding folders: the certificates of participants, each in a file of its own that the trust anchor signed.

Form: JSON with the certificate (``certificateRawData``), its SHA-256 (``certificateThumbprint``), the country and an
attached CMS message over the certificate (``trustAnchorSignature``). The path says what it is for, as
``XXA/onboarding/DDCC/SCA/signed/TNG_TA.signed.SCA.json``: what the signature covers does not. Issuers that are named
by an address (``Trusted_Issuer``) are signed in the same way and hold no certificate.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from healthcert.encoding import ber, cms
from healthcert.encoding.ber import Element
from healthcert.encoding.cms_write import object_id
from healthcert.errors import DecodeError, TrustError
from healthcert.fetch import Fetcher
from healthcert.lists.anchors import TrustAnchor, need_anchors
from healthcert.lists.chain import pinned_signer
from healthcert.lists.reading import Rejected, exact_base64, not_authentic, read_json, unreadable
from healthcert.lists.x509 import Certificate, parse_certificate
from healthcert.trust.countries import alpha2
from healthcert.trust.keys import Assurance
from healthcert.trust.sources.protocol import Authority, Context, Fetched, Known, Role, TrustList, check_size, get

_ROLES = {"SCA": Role.CSCA, "UP": Role.UPLOAD, "TLS": Role.TLS}
_FILE = re.compile(r"(?:.*/)?TNG_TA\.signed\.([A-Za-z_]{1,32})\.json")
_PATH = re.compile(r"(?:.*/)?([A-Z]{3})/onboarding/([A-Za-z0-9-]{1,32})/([A-Za-z]{1,32})/signed/[^/]*")
_CERTIFICATE = frozenset(("trustAnchorSignature", "certificateRawData", "certificateThumbprint", "country"))
_ISSUER = "signature"
_SIGNED_DATA = "1.2.840.113549.1.7.2"
_VERSION_1 = b"\x02\x01\x01"


class Onboarding:
    """See the module.

    Parts are files by their paths, of which those are read whose name is that of a signed file; a single part is read
    whatever its name. Options ``role``, ``domain`` and ``participant`` say it where the path does not.
    """

    name = "onboarding"
    title = "WHO GDHCN: onboarding files, signed by the trust anchor"
    parts = ()
    anchored = True

    def load(self, parts: Mapping[str, bytes], context: Context) -> TrustList:
        anchors = need_anchors(context.anchors, context.now)
        files = {path: data for path, data in sorted(parts.items()) if len(parts) == 1 or _FILE.fullmatch(path)}
        if not files:
            raise unreadable("no file has the name of a signed one")
        check_size(len(files), context.limits)
        found: list[Authority] = []
        skipped: list[Rejected] = []
        signer: TrustAnchor | None = None
        for number, (path, data) in enumerate(files.items(), 1):
            # Each file is a signed list of its own, of one entry: a bad one says nothing of the others.
            try:
                authority, signer = _read(data, _place(path, context.options), anchors)
            except TrustError as error:
                if len(files) == 1:
                    raise
                skipped.append(Rejected(_shown(path, number), error))
                continue
            if authority is not None:
                found.append(authority)
        return TrustList((), Assurance.SIGNED_LIST, tuple(skipped), tuple(found), signer=signer)

    def fetch(self, fetcher: Fetcher, url: str, known: Known, context: Context) -> Fetched | None:
        body, validators = get(fetcher, url, known, context.limits)
        return None if body is None else Fetched({url.partition("://")[2]: body}, validators)


class _Place(Struct, frozen=True):
    """What a file is for, as far as its path says."""

    role: str | None
    domain: str | None
    participant: str | None


def _place(path: str, options: Mapping[str, str]) -> _Place:
    folder, file = _PATH.fullmatch(path), _FILE.fullmatch(path)
    participant, domain, role = folder.groups() if folder else (None, None, file[1] if file else None)
    return _Place(
        role=role or options.get("role"),
        domain=domain or options.get("domain"),
        participant=participant or options.get("participant"),
    )


def _shown(path: str, number: int) -> str:
    """Where a file is, for people: its path when it is as it should be."""
    return (
        path
        if _PATH.fullmatch(path) and len(path) <= 128 and path.isascii() and path.isprintable()
        else f"file {number}"
    )


def _read(data: bytes, place: _Place, anchors: tuple[TrustAnchor, ...]) -> tuple[Authority | None, TrustAnchor]:
    """The certificate in a file, None for one that is of no use here, and who signed it. Raises :class:`TrustError`."""
    members = read_json(data, dict)
    if members.keys() == {_ISSUER}:
        content, signer = _signed(members[_ISSUER], anchors)
        _check_issuer(content)
        return None, signer
    if members.keys() != _CERTIFICATE:
        raise unreadable("neither a signed certificate nor a signed issuer")
    content, signer = _signed(members["trustAnchorSignature"], anchors)
    raw = members["certificateRawData"]
    if not isinstance(raw, str) or exact_base64(raw) != content:
        raise not_authentic("the certificate is not the one that was signed")
    certificate = parse_certificate(content)
    if members["certificateThumbprint"] != certificate.fingerprint:
        raise not_authentic("the thumbprint is not that of the certificate")
    _check_country(members["country"], certificate, place)
    return _authority(certificate, place), signer


def _signed(message: Any, anchors: tuple[TrustAnchor, ...]) -> tuple[bytes, TrustAnchor]:
    decoded = exact_base64(message) if isinstance(message, str) else None
    if not decoded:
        raise unreadable("a signature that is no base64")
    try:
        content, signer = pinned_signer(decoded, None, anchors)
        as_written = _written(cms.read(decoded), signer)
    except DecodeError as error:
        raise unreadable(error.detail) from None
    # A CMS message has room for what its signature is not over. These have none of it.
    if decoded not in as_written:
        raise not_authentic("the signed message has more in it than what was signed")
    return content, signer


def _written(signed: cms.SignedMessage, signer: TrustAnchor) -> list[bytes]:
    """The message in DER, as OpenSSL writes it (RFC 5652 §5.1, §5.3): with what was signed, by whom, and nothing else.

    There are two spellings of a hash, with the parameters NULL and without (RFC 5754 §2).
    """
    info = signed.signers[0]
    content = _element(ber.OCTET_STRING, signed.content or b"")
    method = _element(ber.SEQUENCE, object_id(info.algorithm), info.parameters)
    attributes = b"\xa0" + info.attributes[1:] if info.attributes else b""
    name = info.sid if signer.certificate is None else _issuer_and_serial(signer.certificate)
    found = []
    for parameters in (b"", b"\x05\x00"):
        digest = _element(ber.SEQUENCE, object_id(info.digest), parameters)
        signature = _element(ber.OCTET_STRING, info.signature)
        body = _element(
            ber.SEQUENCE,
            _VERSION_1,
            _element(ber.SET, digest),
            _element(ber.SEQUENCE, object_id(signed.content_type), _element(0xA0, content)),
            _element(0xA0, *signed.certificates),
            _element(ber.SET, _element(ber.SEQUENCE, _VERSION_1, name, digest, attributes, method, signature)),
        )
        found.append(_element(ber.SEQUENCE, object_id(_SIGNED_DATA), _element(0xA0, body)))
    return found


def _issuer_and_serial(certificate: bytes) -> bytes:
    """What names a certificate in a message (RFC 5652 §10.2.4)."""
    parts = ber.read(certificate).children()[0].children()
    # RFC 5280 §4.1.2.1: the version stands in front where it is not the first.
    serial, _, issuer = parts[1:4] if parts[0].tag == 0xA0 else parts[:3]
    return _element(ber.SEQUENCE, issuer.raw, serial.raw)


def _element(tag: int, *parts: bytes) -> bytes:
    return Element(tag, b"", b"".join(parts)).definite()


def _check_country(country: Any, certificate: Certificate, place: _Place) -> None:
    if certificate.country is None or country != certificate.country:
        raise not_authentic("the country is not that of the certificate")
    # WHO certificate governance: a participant's certificates are of its country.
    if place.participant is not None and alpha2(place.participant) != certificate.country:
        raise not_authentic("the certificate is of another country than the folder")


def _authority(certificate: Certificate, place: _Place) -> Authority | None:
    if place.role is None:
        raise unreadable("neither its path nor an option says what the certificate is for")
    role = _ROLES.get(place.role)
    if role is None:
        return None
    # WHO certificate governance: an SCA issues certificates, and nobody else does. The signature does not say which.
    if (role is Role.CSCA) != (certificate.ca is True):
        raise not_authentic("the certificate is not of the kind that its path says")
    return Authority(role, certificate.der, certificate.country, place.domain)


def _check_issuer(content: bytes) -> None:
    """A trusted issuer is ``country;name;url;type``, with or without a semicolon behind it."""
    fields = content.decode("utf-8", "replace").removesuffix(";").split(";")
    if len(fields) != 4 or "null" in fields or not all(fields):
        raise unreadable("a signed issuer with nothing in it")
