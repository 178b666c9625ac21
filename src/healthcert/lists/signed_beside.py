"""What CoronaCheck of the Netherlands signs: JSON with a detached CMS signature beside it, both in base64.

Form: ``{"payload": base64, "signature": base64}``. The certificate of the signer chains up to a root that vouches for
many others, so that the anchor is that root together with the name of the signer.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from healthcert.errors import Code, DecodeError, Step, TrustError
from healthcert.lists.anchors import TrustAnchor
from healthcert.lists.chain import chained_signer
from healthcert.lists.reading import exact_base64, read_json, unreadable


def signed_beside(data: bytes, anchors: Sequence[TrustAnchor], now: datetime) -> tuple[bytes, TrustAnchor]:
    """The payload, once its signature held, and the anchor that vouches for the signer.

    Raises :class:`TrustError`: ``TRUST_LIST_UNREADABLE``, ``TRUST_LIST_NOT_AUTHENTIC``, ``TRUST_ANCHOR_MISSING``.
    """
    named = _named(anchors)
    wrapper = read_json(data, dict)
    payload, signature = (_octets(wrapper.get(name)) for name in ("payload", "signature"))
    try:
        return chained_signer(signature, payload, named, now)
    except DecodeError as error:
        raise unreadable(f"its signature: {error.detail}") from None


def _named(anchors: Sequence[TrustAnchor]) -> tuple[TrustAnchor, ...]:
    """The anchors but for those authorities under which anyone at all might sign."""
    parsed = [(anchor, anchor.parsed()) for anchor in anchors]
    usable = tuple(a for a, found in parsed if a.subject is not None or found is None or found.ca is False)
    if not usable:
        detail = "a root vouches for many: pin the common name of the list's signer beside it"
        raise TrustError(Code.TRUST_ANCHOR_MISSING, detail, Step.TRUST)
    return usable


def _octets(text: Any) -> bytes:
    found = exact_base64(text) if isinstance(text, str) else None
    if not found:
        raise unreadable("payload or signature is not there in base64")
    return found
