"""base64url without padding, in its one spelling (RFC 7515 §2)."""

from __future__ import annotations

import base64
import binascii


def encode(data: bytes) -> str:
    """``data`` as base64url, without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def decode(text: str) -> bytes | None:
    """What ``text`` stands for; None for any spelling but the one that encoding it gives."""
    try:
        data = base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (UnicodeEncodeError, binascii.Error):
        return None
    # RFC 4648 §3.5: bits left over in the last character would make several texts of one.
    return data if encode(data) == text else None
