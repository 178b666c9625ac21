"""What an issuer revokes, one identifier an entry, whichever form it is then published in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from healthcert.errors import Code, IssueError, RevocationError, Step
from healthcert.families import recognise
from healthcert.families.hcert.family import DCC_KEY, HC1
from healthcert.families.protocol import Decoded
from healthcert.limits import DEFAULT_LIMITS
from healthcert.lists.reading import is_country
from healthcert.model import Private
from healthcert.revocation.identifiers import (
    IdentifierType,
    country_uci_hash,
    french_dcc_hash,
    hcert_identifiers,
    uci_hash,
    uvci_hash,
)

_GROUPS = ("v", "t", "r")
_MOST_UVCI = 1000  # characters; the longest that an EU DCC may have is 80


class RevokedEntry(Private, frozen=True):
    """One identifier of a certificate that is revoked. ``key`` is as long as its ``type`` has it.

    ``kid`` is the key that the certificate was signed with, and ``country`` its issuer's, None where that is not known.
    After ``expires``, a moment with a time zone, the entry is not needed any more; None where nobody said when.
    """

    type: IdentifierType
    key: bytes
    kid: bytes | None = None
    country: str | None = None
    expires: datetime | None = None


def end_of(entry: RevokedEntry, default: datetime | None = None) -> datetime | None:
    """After which moment the entry is not needed any more: its own, or ``default``.

    Raises :class:`IssueError` (``PUBLISHING_REFUSED``) for one without a time zone.
    """
    expires = entry.expires or default
    if expires is not None and expires.tzinfo is None:
        raise _refused("an end without a time zone")
    return expires


def entries_of_certificate(text: str, types: Iterable[IdentifierType]) -> list[RevokedEntry]:
    """What revokes an EU DCC (``HC1:``), by each of these types: several entries where it can be named in several ways.

    The signature is not checked: give what the issuer's own records hold, for a forged text could bear the identifier
    of somebody else. Raises :class:`IssueError` (``PUBLISHING_REFUSED``) for any other certificate and for a type that
    it cannot be named by, :class:`DecodeError` for what is none.
    """
    family, plain = recognise(text, DEFAULT_LIMITS)
    if family is not HC1:
        raise _refused("not an EU DCC")
    decoded = family.decode(plain, DEFAULT_LIMITS)
    if decoded.algorithm is None:
        raise _refused("signed with an algorithm that is not known")
    named = tuple(_entries(decoded.content.get(DCC_KEY)))
    issuer = decoded.claims.issuer
    wanted = list(dict.fromkeys(types))
    try:
        keys = hcert_identifiers(
            signature=decoded.signature, algorithm=decoded.algorithm, entries=named, issuer=issuer, types=wanted
        )
    except RevocationError as error:
        raise _refused(error.detail) from None
    country = next((one for one in (issuer, *(co for _, co in named)) if is_country(one)), None)
    return [
        RevokedEntry(type_, key, decoded.kid, country, _end(decoded))
        for type_ in wanted
        for key in _of_type(keys, type_)
    ]


def entries_of_uvci(
    uvci: str,
    *,
    country: str,
    expires: datetime | None,
    types: Iterable[IdentifierType],
    kid: bytes | None = None,
) -> list[RevokedEntry]:
    """What revokes the certificate with this identifier (``ci``), to be given exactly as the certificate has it.

    Raises :class:`IssueError` (``PUBLISHING_REFUSED``), for types that are not made of the identifier as well.
    """
    if not 0 < len(uvci) <= _MOST_UVCI or not is_country(country):
        raise _refused("an identifier and a country of two capital letters are needed")
    if expires is not None and expires.tzinfo is None:
        raise _refused("the end is a moment without a time zone")
    keys: dict[IdentifierType, tuple[bytes, ...]] = {}
    try:
        keys[IdentifierType.UCI] = (uci_hash(uvci),)
        keys[IdentifierType.COUNTRYCODEUCI] = (country_uci_hash(country, uvci),)
        keys[IdentifierType.UVCI] = (uvci_hash(uvci),)
        keys[IdentifierType.FR_DCC] = (french_dcc_hash(country, uvci),)
    except RevocationError as error:
        raise _refused(error.detail) from None
    return [
        RevokedEntry(type_, key, kid, country, expires)
        for type_ in dict.fromkeys(types)
        for key in _of_type(keys, type_)
    ]


def _entries(payload: Any) -> Iterator[tuple[str, str | None]]:
    """Identifier and country of each entry of an EU DCC."""
    found = 0
    for group in _GROUPS if isinstance(payload, dict) else ():
        entries = payload.get(group)
        for entry in entries if isinstance(entries, list | tuple) else ():
            if not isinstance(entry, dict) or not isinstance(ci := entry.get("ci"), str) or not ci:
                raise _refused("an entry without an identifier")
            co = entry.get("co")
            found += 1
            yield ci, co if isinstance(co, str) and co else None
    if not found:
        raise _refused("not an EU DCC with an entry")


def _end(decoded: Decoded) -> datetime | None:
    seconds = decoded.claims.expires_at
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _of_type(keys: Mapping[IdentifierType, tuple[bytes, ...]], type_: IdentifierType) -> tuple[bytes, ...]:
    found = keys.get(type_, ())
    if not found:
        raise _refused(f"the certificate cannot be named by its {type_.value} from what was given")
    return found


def _refused(detail: str) -> IssueError:
    return IssueError(Code.PUBLISHING_REFUSED, detail, Step.REVOCATION)
