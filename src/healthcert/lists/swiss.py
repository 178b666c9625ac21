"""What the COVID Certificate app of Switzerland loads: signed tokens, in pages that are numbered in headers.

A token brings the chain of its signer along, up to the root of the federal government, which vouches for many others:
who signs is pinned by name. How long a list holds is counted from when it was fetched; nothing that is signed says
when it was made, nor which page it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace

from healthcert.lists.anchors import TrustAnchor
from healthcert.lists.chain import chained_token
from healthcert.lists.reading import unreadable

SIGNER = "CH01-AppContentCertificate"
"""The common name of who signs for production; the test stages have others, which an anchor's ``subject`` names."""
ACCEPT = {"Accept": "application/json+jws"}
"""The header to ask with: without it the answers are JSON that nobody signed."""
NEXT, UP_TO_DATE = "x-next-since", "up-to-date"
"""The headers of a page: what to ask for the next one with, and, with the value ``true``, that there is none."""
RELOAD = timedelta(days=7)
"""How long pages are added to a list before all of it is fetched again."""
_LONGEST = timedelta(days=30)


def signed_token(token: bytes, anchors: Sequence[TrustAnchor], now: datetime) -> tuple[bytes, TrustAnchor]:
    """The payload of a token, when the pinned signer signed it, and the anchor that vouches for that one.

    Raises :class:`TrustError`: ``TRUST_LIST_UNREADABLE``, ``TRUST_LIST_NOT_AUTHENTIC``.
    """
    named = [anchor if anchor.subject is not None else replace(anchor, subject=SIGNER) for anchor in anchors]
    payload, found = chained_token(token.strip(), named, now)
    return payload, anchors[named.index(found)]


def valid_for(document: Mapping[str, Any]) -> timedelta:
    """How long a list holds after it was fetched; no longer than can be meant.

    Raises :class:`TrustError` (``TRUST_LIST_UNREADABLE``).
    """
    milliseconds = document.get("validDuration")
    if type(milliseconds) is not int or milliseconds <= 0:
        raise unreadable("it does not say for how long it holds")
    return min(timedelta(milliseconds=min(milliseconds, 10**12)), _LONGEST)


def digits(text: str | None) -> int | None:
    """The number that a header, or a note of it, has; None for anything else."""
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 19 else None
