"""By what revocation lists name a certificate: hashes of its signature or identifier, each country's in its own way.

Sources: dgc-gateway, RevocationHashTypeDto; the apps of Germany (CovPass, Corona-Warn-App), Italy (VerificaC19) and the
Netherlands (CoronaCheck); France's lists as sanipasse reads them; SMART Health Cards, "Revocation", and its RFC 002.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Container, Iterable, Mapping
from enum import StrEnum, unique
from hashlib import sha256
from typing import Any

from healthcert.encoding import jcs
from healthcert.encoding.algorithms import Algorithm
from healthcert.errors import Code, DecodeError, RevocationError, Step
from healthcert.model import Private

Entries = tuple[tuple[str, str | None], ...]

_TRUNCATED = 16
_RID_WIDTH = 24
_RID = re.compile(r"[A-Za-z0-9_-]{1,24}")
_FHIR_DIGEST = 8
_GROUP_END = "\x1f"  # what ends the signed part of a 2D-DOC

# Bytes of r and of s, and the order of the curve (SEC 2 §2.4.2, §2.5.1, §2.6.1).
_ECDSA = {
    Algorithm.ES256: (32, 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551),
    Algorithm.ES384: (48, 2**384 - 0x389CB27E0BC8D220A7E5F24DB74F58851313E695333AD68D),
    Algorithm.ES512: (66, 2**521 - 0x5AE79787C40D069948033FEB708F65A2FC44A36477663B851449048E16EC79BF7),
}


@unique
class IdentifierType(StrEnum):
    """What a key on a list was made of. A key tells nothing without it."""

    SIGNATURE = "SIGNATURE"
    UCI = "UCI"
    COUNTRYCODEUCI = "COUNTRYCODEUCI"
    NL_PROOF = "NL-PROOF"
    UVCI = "UVCI"
    FR_DCC = "FR-DCC"
    FR_2DDOC = "FR-2DDOC"
    SHC_RID = "SHC-RID"
    SHC_FHIR = "SHC-FHIR"

    __hash__ = str.__hash__  # Enum's own is a function in Python, and types are looked up for every certificate

    @property
    def width(self) -> int:
        """The bytes of a key."""
        return _FORMS[self][1]

    @property
    def code(self) -> int:
        """What stands for the type in files, from 0 to 255: CovPass's own number where it has one."""
        return _FORMS[self][0]

    @classmethod
    def from_code(cls, code: int) -> IdentifierType | None:
        """The type with this :attr:`code`, or None for any other number."""
        return _BY_CODE.get(code)


_FORMS = {
    IdentifierType.SIGNATURE: (0x0A, _TRUNCATED),
    IdentifierType.UCI: (0x0B, _TRUNCATED),
    IdentifierType.COUNTRYCODEUCI: (0x0C, _TRUNCATED),
    IdentifierType.NL_PROOF: (0x20, _TRUNCATED),
    IdentifierType.UVCI: (0x21, 32),
    IdentifierType.FR_DCC: (0x22, 32),
    IdentifierType.FR_2DDOC: (0x23, 32),
    IdentifierType.SHC_RID: (0x24, _RID_WIDTH),
    IdentifierType.SHC_FHIR: (0x25, _RID_WIDTH),
}
_BY_CODE = {code: kind for kind, (code, _) in _FORMS.items()}

EU_TYPES = (IdentifierType.SIGNATURE, IdentifierType.UCI, IdentifierType.COUNTRYCODEUCI)
"""Those of the EU's gateway, and of all that hands on what is there."""
ALWAYS_THERE = (IdentifierType.SIGNATURE, IdentifierType.NL_PROOF)
"""Those that every HCERT has an identifier of, whatever is in it."""
_OF_HCERTS = (
    *EU_TYPES,
    IdentifierType.NL_PROOF,
    IdentifierType.UVCI,
    IdentifierType.FR_DCC,
)


class Subject(Private, frozen=True, kw_only=True):
    """A certificate as revocation lists may name it.

    ``kid`` and ``country`` are those of the key that signed, ``issuer`` is its URL where keys go by issuer, as those of
    SMART Health Cards do. ``not_before`` is in seconds since 1970: some entries revoke only what is older.
    """

    kid: bytes | None
    country: str | None
    issuer: str | None = None
    not_before: float | None = None
    identifiers: Mapping[IdentifierType, tuple[bytes, ...]]


# --- The keys of one certificate ---


def hcert_identifiers(
    *,
    signature: bytes,
    algorithm: Algorithm,
    entries: Iterable[tuple[str, str | None]],
    issuer: str | None,
    types: Container[IdentifierType] | None = None,
) -> dict[IdentifierType, tuple[bytes, ...]]:
    """The keys of an HCERT: of each of ``types`` that it has any of, all of them when ``types`` is None.

    ``entries`` are the identifier (``ci``) and country (``co``) of each entry, ``issuer`` is the claim ``iss``. Raises
    like the functions for single keys.
    """
    known = tuple(entries)
    found: dict[IdentifierType, tuple[bytes, ...]] = {}
    for kind in _OF_HCERTS:
        if types is None or kind in types:
            if kind in _OF_SIGNATURES:
                found[kind] = (_OF_SIGNATURES[kind](signature, algorithm),)
            else:
                keys: list[bytes] = []
                for ci, co in known:
                    keys += _OF_ENTRIES[kind](ci, co, issuer)
                if keys:
                    found[kind] = tuple(dict.fromkeys(keys))
    return found


def shc_identifiers(rid: str | None, bundle: Mapping[str, Any] | None) -> dict[IdentifierType, tuple[bytes, ...]]:
    """The key of a SMART Health Card: of its ``rid``, or of its FHIR bundle where it has none.

    Raises like :func:`rid_key` and :func:`fhir_rid`.
    """
    if rid is not None:
        return {IdentifierType.SHC_RID: (rid_key(rid),)}
    # SMART Health Cards, RFC 002: the other methods are for cards without a rid.
    return {} if bundle is None else {IdentifierType.SHC_FHIR: (rid_key(fhir_rid(bundle)),)}


def twoddoc_identifiers(text: str) -> dict[IdentifierType, tuple[bytes, ...]]:
    """The key of a 2D-DOC. Raises like :func:`french_2ddoc_hash`."""
    return {IdentifierType.FR_2DDOC: (french_2ddoc_hash(text),)}


def _countries(co: str | None, issuer: str | None) -> Iterable[str]:
    # The German apps take iss, which may be missing; nothing says which it is where iss and co differ.
    return [country for country in dict.fromkeys((issuer, co)) if country]


# --- Single keys ---


def signature_hash(signature: bytes, algorithm: Algorithm) -> bytes:
    """The EU's key of type SIGNATURE. Of an ECDSA signature only ``r`` counts, of any other the whole.

    From ``(r, s)`` anybody can make a second valid signature with another ``s``; its holder would escape. Raises
    :class:`RevocationError` (``REVOCATION_LIST_UNREADABLE``) for a signature that is none of this algorithm.
    """
    # dgc-gateway speaks of the signature's bytes; the half is what the clients have, and what makes sense.
    if algorithm in _ECDSA:
        signature = _r_and_s(signature, algorithm)[0]
    return sha256(signature).digest()[:_TRUNCATED]


def dutch_proof_id(signature: bytes, algorithm: Algorithm) -> bytes:
    """The Netherlands' key: of the whole signature, with the lower of the two possible ``s`` where it is ECDSA.

    Raises :class:`RevocationError` (``REVOCATION_LIST_UNREADABLE``) for a signature that is none of this algorithm.
    """
    if algorithm in _ECDSA:
        size, order = _ECDSA[algorithm]
        r, s_bytes = _r_and_s(signature, algorithm)
        s = int.from_bytes(s_bytes, "big")
        if not 0 < s < order:
            raise _unreadable("an ECDSA signature whose s is out of range")
        signature = r + min(s, order - s).to_bytes(size, "big")
    return sha256(signature).digest()[:_TRUNCATED]


def uci_hash(ci: str) -> bytes:
    """The EU's key of type UCI: of the identifier exactly as it is written, prefix and check character included."""
    return sha256(_utf8(ci)).digest()[:_TRUNCATED]


def country_uci_hash(country: str, ci: str) -> bytes:
    """The EU's key of type COUNTRYCODEUCI: of country and identifier with nothing between them."""
    return sha256(_utf8(country + ci)).digest()[:_TRUNCATED]


def uvci_hash(ci: str) -> bytes:
    """The key that Italy publishes, and by which identifiers that are published in plain are kept here."""
    return sha256(_utf8(ci)).digest()


def french_dcc_hash(country: str, ci: str) -> bytes:
    """France's key for an EU DCC: of the country in capitals and the identifier."""
    return sha256(_utf8(country.upper() + ci)).digest()


def french_2ddoc_hash(text: str) -> bytes:
    """France's key for a 2D-DOC: of what comes before its signature."""
    return sha256(_utf8(text.partition(_GROUP_END)[0])).digest()


def rid_key(rid: object) -> bytes:
    """The key of a ``rid``: its characters, filled up with zero bytes.

    Raises :class:`RevocationError` (``REVOCATION_LIST_UNREADABLE``) for what is no ``rid``.
    """
    # SMART Health Cards, "Revocation": base64url alphabet, at most 24 characters.
    if not isinstance(rid, str) or not _RID.fullmatch(rid):
        raise _unreadable("a rid that is not 1 to 24 characters of base64url")
    return rid.encode("ascii").ljust(_RID_WIDTH, b"\0")


def fhir_rid(bundle: Mapping[str, Any]) -> str:
    """The ``rid`` that is computed for a card without one, by the method ``hash-fhir`` (RFC 002 of SMART Health Cards).

    Raises :class:`RevocationError` (``REVOCATION_LIST_UNREADABLE``) for what has no canonical form.
    """
    try:
        canonical = jcs.canonical(bundle)
    except DecodeError as error:
        raise _unreadable(error.detail) from None
    # SMART Health Cards, RFC 002: the digest is of base64url text, not of the bundle's bytes.
    return _base64url(sha256(_base64url(canonical).encode("ascii")).digest()[:_FHIR_DIGEST])


_OF_SIGNATURES: Mapping[IdentifierType, Callable[[bytes, Algorithm], bytes]] = {
    IdentifierType.SIGNATURE: signature_hash,
    IdentifierType.NL_PROOF: dutch_proof_id,
}
_OF_ENTRIES: Mapping[IdentifierType, Callable[[str, str | None, str | None], Iterable[bytes]]] = {
    IdentifierType.UCI: lambda ci, _co, _issuer: (uci_hash(ci),),
    IdentifierType.COUNTRYCODEUCI: lambda ci, co, issuer: [country_uci_hash(c, ci) for c in _countries(co, issuer)],
    IdentifierType.UVCI: lambda ci, _co, _issuer: (uvci_hash(ci),),
    IdentifierType.FR_DCC: lambda ci, co, _issuer: (french_dcc_hash(co, ci),) if co else (),
}
"""What makes the keys of an entry: of its identifier, its country, and the claim ``iss``."""


def _r_and_s(signature: bytes, algorithm: Algorithm) -> tuple[bytes, bytes]:
    size, _ = _ECDSA[algorithm]
    # RFC 9053 §2.1: r and s, each of the curve's size, one after the other.
    if len(signature) != 2 * size:
        raise _unreadable("an ECDSA signature of another length than its algorithm has")
    return signature[:size], signature[size:]


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _utf8(text: str) -> bytes:
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        raise _unreadable("an identifier with half a surrogate pair") from None


def _unreadable(detail: str) -> RevocationError:
    return RevocationError(Code.REVOCATION_LIST_UNREADABLE, detail, Step.REVOCATION)
