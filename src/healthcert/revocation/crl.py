"""A revocation list of one key of an issuer of SMART Health Cards ("Revocation", and RFC 002 for cards without a rid).

Form: ``{"kid", "method": "rid" | "hash-fhir", "ctr": number, "rids": [...]}``; an entry is a ``rid``, or
``rid.seconds``, which revokes only cards from before that moment.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from healthcert.errors import Code, RevocationError, Step
from healthcert.lists.reading import read_json
from healthcert.revocation.identifiers import IdentifierType, rid_key

METHODS = {"rid": IdentifierType.SHC_RID, "hash-fhir": IdentifierType.SHC_FHIR}
"""The types of identifiers by the names of the methods."""
_KID = re.compile("[A-Za-z0-9_-]{1,64}", re.ASCII)
_SECONDS = re.compile("[0-9]{1,12}", re.ASCII)
_LARGEST = 10**15


class Crl(Struct, frozen=True):
    """A list of one key: for each rid the second before which it revokes, None where it revokes all cards."""

    kid: str
    method: str
    counter: int
    rids: Mapping[str, int | None]

    @property
    def mark(self) -> str:
        """The counter, and a digest of what is listed."""
        listed = "\n".join((self.method, *(f"{rid}.{before}" for rid, before in sorted(self.rids.items()))))
        return f"{self.counter} {hashlib.sha256(listed.encode()).hexdigest()}"


def read_crl(data: bytes, kid: str, version: int | None = None) -> Crl:
    """The list of the key ``kid``, which is at ``version`` where that is known.

    Raises :class:`RevocationError` (``REVOCATION_LIST_UNREADABLE``), :class:`TrustError` (``TRUST_LIST_UNREADABLE``).
    """
    document = read_json(data, dict)
    # health-cards-dev-tools, crl-validator: the list is of this key, by a known method, and at the key's crlVersion.
    if document.get("kid") != kid or not is_kid(kid):
        raise _refused("its kid is not that of the key")
    method = document.get("method")
    if not isinstance(method, str) or method not in METHODS:
        raise _refused(f"its method is none of {', '.join(METHODS)}")
    counter = version_of(document.get("ctr"))
    if version is not None and counter != version:
        raise _refused("its ctr is not the crlVersion of the key")
    entries = document.get("rids")
    if not isinstance(entries, list):
        raise _refused("it has no array of rids")
    rids: dict[str, int | None] = {}
    for rid, before in map(_entry, entries):
        # health-cards-dev-tools, crl-validator: each rid once, whatever its moment.
        if rid in rids:
            raise _refused("a rid that is there twice")
        rids[rid] = before
    return Crl(kid, method, counter, rids)


def _entry(text: Any) -> tuple[str, int | None]:
    rid, dot, seconds = text.partition(".") if isinstance(text, str) else ("", "", "")
    rid_key(rid)
    if dot and not _SECONDS.fullmatch(seconds):
        raise _refused("a rid with a moment that is no number of seconds")
    return rid, int(seconds) if dot else None


def is_kid(value: object) -> bool:
    """Whether this is a kid that lists can be published under: base64url, as a thumbprint is."""
    return isinstance(value, str) and _KID.fullmatch(value) is not None


def version_of(value: object) -> int:
    """The number of a list (``ctr``, ``crlVersion``). Raises like :func:`read_crl`."""
    if type(value) is not int or not 0 <= value < _LARGEST:
        raise _refused("the number of a list is none")
    return value


def _refused(detail: str) -> RevocationError:
    return RevocationError(Code.REVOCATION_LIST_UNREADABLE, detail, Step.REVOCATION)
