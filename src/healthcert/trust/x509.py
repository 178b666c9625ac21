"""Signing certificates (X.509, RFC 5280), read for what verification needs and no stricter.

A DSC is believed because it is on a trust list, not because it is a model of DER. Real ones encode default
values or leave a sequence empty; a strict parser that drops them makes every certificate they signed
invalid. So the outer structure is read as it stands, and only the fields that are used are looked into.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Annotated

from cryptography.hazmat import asn1
from cryptography.x509 import ObjectIdentifier

from healthcert.errors import Code, Step, TrustError
from healthcert.model import EntryType
from healthcert.trust.keys import TrustedKey, load_public_key

_COUNTRY_NAME = "2.5.4.6"
_EXTENDED_KEY_USAGE = "2.5.29.37"

# HCERT specification, Appendix A.4: one OID an entry type. The arc with the additional 0 was issued by
# mistake and so widely that both mean the same.
USAGE_OIDS = {
    EntryType.TEST: "1.3.6.1.4.1.1847.2021.1.1",
    EntryType.VACCINATION: "1.3.6.1.4.1.1847.2021.1.2",
    EntryType.RECOVERY: "1.3.6.1.4.1.1847.2021.1.3",
}
_USAGE_OF = {
    oid.replace(".1.1847.", f".1{extra}.1847."): entry_type
    for entry_type, oid in USAGE_OIDS.items()
    for extra in ("", ".0")
}


@asn1.sequence
class _Extension:
    oid: ObjectIdentifier
    critical: bool | None
    value: bytes


@asn1.sequence
class _Attribute:
    oid: ObjectIdentifier
    value: asn1.TLV


@asn1.sequence
class _Validity:
    not_before: asn1.UTCTime | asn1.GeneralizedTime
    not_after: asn1.UTCTime | asn1.GeneralizedTime


@asn1.sequence
class _Tbs:
    version: Annotated[int | None, asn1.Explicit(0)]
    serial: asn1.TLV
    signature: asn1.TLV
    issuer: asn1.TLV
    validity: _Validity
    subject: list[asn1.SetOf[_Attribute]]
    spki: asn1.TLV
    issuer_id: Annotated[asn1.BitString | None, asn1.Implicit(1)]
    subject_id: Annotated[asn1.BitString | None, asn1.Implicit(2)]
    extensions: Annotated[list[_Extension] | None, asn1.Explicit(3)]


@asn1.sequence
class _Certificate:
    tbs: _Tbs
    signature_algorithm: asn1.TLV
    signature: asn1.BitString


@asn1.sequence
class _UsageList:
    oids: list[ObjectIdentifier]


def kid_of(certificate: bytes) -> bytes:
    """The kid of a DER certificate: the first 8 bytes of its SHA-256 (HCERT specification, Appendix A.1)."""
    return hashlib.sha256(certificate).digest()[:8]


def read_certificate(der: bytes, *, source: str = "memory") -> TrustedKey:
    """A DER certificate as a trusted key, with its own kid.

    Raises :class:`TrustError` (``CERTIFICATE_UNREADABLE``).
    """
    try:
        tbs = asn1.decode_der(_Certificate, der).tbs
        spki = asn1.encode_der(tbs.spki)
        key = TrustedKey(
            kid=kid_of(der),
            spki=spki,
            country=_country(tbs),
            usages=_usages(tbs),
            not_before=_moment(tbs.validity.not_before),
            not_after=_moment(tbs.validity.not_after),
            certificate=der,
            source=source,
        )
    except (ValueError, TypeError, OverflowError):
        raise TrustError(Code.CERTIFICATE_UNREADABLE, "not a readable X.509 certificate", Step.TRUST) from None
    load_public_key(spki)
    return key


def _usages(tbs: _Tbs) -> frozenset[EntryType] | None:
    # HCERT specification, Appendix A.4: where one of the OIDs is present, the entry types are limited to those that
    # are; with none of them (no extension, an empty one, or foreign OIDs only) the key may sign any.
    for extension in tbs.extensions or ():
        if extension.oid.dotted_string == _EXTENDED_KEY_USAGE:
            oids = asn1.decode_der(_UsageList, _in_sequence(extension.value)).oids
            found = frozenset(_USAGE_OF[o.dotted_string] for o in oids if o.dotted_string in _USAGE_OF)
            return found or None
    return None


def _in_sequence(der: bytes) -> bytes:
    """``der`` as the only element of a SEQUENCE: the decoder takes a class, and a bare SEQUENCE OF is none."""
    size = len(der)
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return b"\x30" + (bytes((size,)) if size < 0x80 else bytes((0x80 | len(octets),)) + octets) + der


def _country(tbs: _Tbs) -> str | None:
    for name in tbs.subject:
        for attribute in name.as_list():
            if attribute.oid.dotted_string == _COUNTRY_NAME:
                return bytes(attribute.value.data).decode("ascii", "replace").upper()
    return None


def _moment(time: asn1.UTCTime | asn1.GeneralizedTime) -> datetime:
    return time.as_datetime().replace(tzinfo=UTC)
