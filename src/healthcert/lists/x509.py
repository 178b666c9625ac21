"""Certificates (X.509, RFC 5280), read for what trust needs and no stricter.

A DSC is believed because it is on a trust list, not because it is a model of DER. Real ones encode default values,
leave a sequence empty, have serial numbers below one; a strict parser that drops them makes every certificate they
signed invalid. So elements are read as they stand, and only those that are used are looked into.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

from msgspec import Struct

from healthcert.encoding import ber
from healthcert.encoding.algorithms import PublicKey
from healthcert.encoding.ber import Element
from healthcert.encoding.cms import algorithm_of
from healthcert.encoding.oids import verify_oid
from healthcert.errors import Code, DecodeError, Step, TrustError
from healthcert.lists.publickeys import load_any_key
from healthcert.model import EntryType

_MAX_BYTES = 64 * 1024  # of a certificate; with an RSA key of 4096 bits it has under 3 KiB
_COUNTRY_NAME = "2.5.4.6"
_COMMON_NAME = "2.5.4.3"
_SUBJECT_KEY_ID = "2.5.29.14"
_KEY_USAGE = "2.5.29.15"
_ALTERNATIVE_NAME = "2.5.29.17"
_BASIC_CONSTRAINTS = "2.5.29.19"
_AUTHORITY_KEY_ID = "2.5.29.35"
_EXTENDED_KEY_USAGE = "2.5.29.37"
_KEY_ID_CHOICE = 0x80  # of a SignerIdentifier: [0] SubjectKeyIdentifier
_KEY_CERT_SIGN = 0x04  # RFC 5280 §4.2.1.3: bit 5, counted from the left
DOCUMENT_TYPE_LIST = "2.23.136.1.1.6.2"
"""The extension with the types of document that a certificate signs (ICAO Doc 9303-12 §7.1.1.6)."""

# HCERT specification, Appendix A.4: one OID an entry type. The arc with the additional 0 was issued by
# mistake and so widely that both mean the same.
USAGE_OIDS = {
    EntryType.TEST: "1.3.6.1.4.1.1847.2021.1.1",
    EntryType.VACCINATION: "1.3.6.1.4.1.1847.2021.1.2",
    EntryType.RECOVERY: "1.3.6.1.4.1.1847.2021.1.3",
}
USAGE_OF = {
    oid.replace(".1.1847.", f".1{extra}.1847."): entry_type
    for entry_type, oid in USAGE_OIDS.items()
    for extra in ("", ".0")
}


class Certificate(Struct, frozen=True):
    """What trust needs to know of a certificate. ``der`` is its identity.

    ``subject`` and ``issuer`` are names, spelled so that those that are equal (RFC 5280 §7.1) are equal bytes.
    ``usages`` are the entry types that its extended key usage allows, None for any. ``ca`` and ``signs_certificates``
    are None where the certificate does not say.
    """

    der: bytes
    subject: bytes
    issuer: bytes
    serial: bytes
    spki: bytes
    not_before: datetime
    not_after: datetime
    country: str | None
    common_name: str | None
    usages: frozenset[EntryType] | None
    extended_usages: frozenset[str]
    ca: bool | None
    path_length: int | None
    """How many authorities may stand between it and a leaf; None for any number."""
    signs_certificates: bool | None
    subject_key_id: bytes | None
    authority_key_id: bytes | None
    uris: tuple[str, ...]
    """The URIs among its subject alternative names."""
    document_types: bytes | None
    """The extension :data:`DOCUMENT_TYPE_LIST` as encoded, for those who know its types."""
    _signed: bytes
    _algorithm: tuple[str, bytes]
    _signature: bytes

    @property
    def kid(self) -> bytes:
        """The first 8 bytes of its SHA-256 (HCERT specification, Appendix A.1)."""
        return kid_of(self.der)

    @property
    def fingerprint(self) -> str:
        """Its SHA-256, in lower-case hexadecimal; what trust lists call the thumbprint."""
        return hashlib.sha256(self.der).hexdigest()

    def public_key(self) -> PublicKey:
        """Its key, on any curve. Raises :class:`TrustError` (``CERTIFICATE_UNREADABLE``)."""
        return load_any_key(self.spki)

    def valid_at(self, moment: datetime) -> bool:
        # RFC 5280 §4.1.2.5: both ends are included.
        return self.not_before <= moment <= self.not_after

    def is_named(self, sid: bytes) -> bool:
        """Whether the signer identifier of a CMS message (RFC 5652 §5.3), as encoded, names this certificate."""
        try:
            found = ber.read(sid)
            if found.tag == _KEY_ID_CHOICE:
                return found.body == self.subject_key_id
            issuer, serial = found.children()
            return serial.body == self.serial and _canonical(issuer) == self.issuer
        except (ValueError, DecodeError):
            return False

    def problem_with_issuer(self, authority: Certificate) -> str | None:
        """Why ``authority`` cannot have issued this certificate; None when it did.

        Names, key identifiers and the signature; whether they belong to one country and are valid is asked by those
        who know which country and when.
        """
        # RFC 5280 §6.1.3 (a)(4): the issuer's name is the authority's subject.
        if self.issuer != authority.subject:
            return "another issuer is named"
        # RFC 5280 §4.2.1.1: where both certificates say which key it is, they say the same.
        if None not in (ids := (self.authority_key_id, authority.subject_key_id)) and ids[0] != ids[1]:
            return "the authority key identifier is another key's"
        # RFC 5280 §4.2.1.9, §4.2.1.3.
        if authority.ca is False or authority.signs_certificates is False:
            return "the issuer may not sign certificates"
        try:
            key = authority.public_key()
        except TrustError:
            return "the issuer's key cannot be read"
        if not verify_oid(key, *self._algorithm, self._signature, self._signed):
            return "the issuer's signature does not verify"
        return None


def kid_of(certificate: bytes) -> bytes:
    """The kid of a DER certificate: the first 8 bytes of its SHA-256 (HCERT specification, Appendix A.1)."""
    return hashlib.sha256(certificate).digest()[:8]


def parse_certificate(der: bytes) -> Certificate:
    """A certificate in DER, its signature unchecked.

    Raises :class:`TrustError` (``CERTIFICATE_UNREADABLE``).
    """
    if len(der) > _MAX_BYTES:
        raise TrustError(Code.CERTIFICATE_UNREADABLE, f"a certificate of more than {_MAX_BYTES} bytes", Step.TRUST)
    try:
        signed, algorithm, signature = ber.read(der, ber.SEQUENCE).children()
        parts = signed.children()
        # RFC 5280 §4.1.2.1: the version stands in front where it is not the first.
        serial = 1 if parts[0].tag == 0xA0 else 0
        issuer, validity, subject, spki = parts[serial + 2 : serial + 6]
        not_before, not_after = map(_moment, validity.children())
        extensions = _extensions(parts[serial + 6 :])
        names = _attributes(subject)
        extended = _object_ids(extensions.get(_EXTENDED_KEY_USAGE))
        return Certificate(
            der=der,
            subject=_canonical(subject),
            issuer=_canonical(issuer),
            serial=parts[serial].body,
            spki=spki.raw,
            not_before=not_before,
            not_after=not_after,
            country=_country(names.get(_COUNTRY_NAME, b"")),
            common_name=names[_COMMON_NAME].decode("utf-8", "replace") if _COMMON_NAME in names else None,
            usages=_usages(extended),
            extended_usages=extended,
            ca=_is_ca(extensions.get(_BASIC_CONSTRAINTS)),
            path_length=_path_length(extensions.get(_BASIC_CONSTRAINTS)),
            signs_certificates=_signs_certificates(extensions.get(_KEY_USAGE)),
            subject_key_id=_key_id(extensions.get(_SUBJECT_KEY_ID)),
            authority_key_id=_authority_key_id(extensions.get(_AUTHORITY_KEY_ID)),
            uris=_uris(extensions.get(_ALTERNATIVE_NAME)),
            document_types=extensions.get(DOCUMENT_TYPE_LIST),
            _signed=signed.raw,
            _algorithm=algorithm_of(algorithm),
            _signature=_bits(signature),
        )
    except (ValueError, TypeError, OverflowError, IndexError, DecodeError):
        raise TrustError(Code.CERTIFICATE_UNREADABLE, "not a readable X.509 certificate", Step.TRUST) from None


def _usages(extended: frozenset[str]) -> frozenset[EntryType] | None:
    # HCERT specification, Appendix A.4: where one of the OIDs is present, the entry types are limited to those that
    # are; with none of them (no extension, an empty one, or foreign OIDs only) the key may sign any.
    return frozenset(USAGE_OF[oid] for oid in extended if oid in USAGE_OF) or None


def _extensions(parts: list[Element]) -> dict[str, bytes]:
    """The values of the extensions by OID; RFC 5280 §4.2: none may be there twice."""
    found: dict[str, bytes] = {}
    for part in parts:
        if part.tag != 0xA3:
            continue
        for extension in ber.read(part.body, ber.SEQUENCE).children():
            name, *_, value = extension.children()
            if name.oid() in found:
                raise ValueError("an extension that is there twice")
            found[name.oid()] = value.string()
    return found


def _object_ids(value: bytes | None) -> frozenset[str]:
    if value is None:
        return frozenset()
    return frozenset(element.oid() for element in ber.read(value, ber.SEQUENCE).children())


def _is_ca(value: bytes | None) -> bool | None:
    if value is None:
        return None
    first = ber.read(value, ber.SEQUENCE).children()[:1]
    return bool(first) and first[0].tag == 0x01 and first[0].body not in (b"", b"\0")


def _path_length(value: bytes | None) -> int | None:
    if value is None:
        return None
    found = [part for part in ber.read(value, ber.SEQUENCE).children() if part.tag == ber.INTEGER]
    return int.from_bytes(found[0].body, "big", signed=True) if found else None


def _signs_certificates(value: bytes | None) -> bool | None:
    if value is None:
        return None
    bits = _bits(ber.read(value, ber.BIT_STRING))
    return bool(bits[:1]) and bool(bits[0] & _KEY_CERT_SIGN)


def _key_id(value: bytes | None) -> bytes | None:
    return ber.read(value, ber.OCTET_STRING).body if value is not None else None


def _authority_key_id(value: bytes | None) -> bytes | None:
    if value is None:
        return None
    return next((e.body for e in ber.read(value, ber.SEQUENCE).children() if e.tag == 0x80), None)


def _uris(value: bytes | None) -> tuple[str, ...]:
    if value is None:
        return ()
    names = ber.read(value, ber.SEQUENCE).children()
    return tuple(name.body.decode("ascii", "replace") for name in names if name.tag == 0x86)


def _bits(element: Element) -> bytes:
    """The octets of a BIT STRING; the first one counts the unused bits of the last."""
    if element.tag != ber.BIT_STRING or not element.body:
        raise ValueError("a BIT STRING is expected")
    return element.body[1:]


def _attributes(name: Element) -> dict[str, bytes]:
    """The attributes of a distinguished name; of several of one kind the first, as those who look for one mean it."""
    found: dict[str, bytes] = {}
    for relative in name.children():
        for attribute in relative.children():
            kind, value = attribute.children()
            found.setdefault(kind.oid(), value.body)
    return found


def _country(value: bytes) -> str | None:
    # RFC 5280, Appendix A.1: X520countryName is of two characters, ISO 3166 codes; what is none is no country.
    return value.decode("ascii").upper() if len(value) == 2 and value.isalpha() else None


def _canonical(name: Element) -> bytes:
    """A distinguished name to compare by: RFC 5280 §7.1 has string types, case and repeated spaces not matter."""
    found = []
    for relative in name.children():
        for attribute in relative.children():
            kind, value = attribute.children()
            body = b" ".join(value.body.lower().split())
            found.append(b"%b %d %b" % (kind.body, len(body), body))
        found.append(b"")
    return b"\0".join(found)


def _moment(time: Element) -> datetime:
    # RFC 5280 §4.1.2.5.1: a UTCTime below 50 is of this century.
    text = time.body.decode("ascii")
    if time.tag == 0x17:
        text = ("20" if text[:2] < "50" else "19") + text
    elif time.tag != 0x18:
        raise ValueError("neither UTCTime nor GeneralizedTime")
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
