"""A page locked with a passphrase, for sending it one way while the passphrase goes another."""

from __future__ import annotations

import importlib.util
import secrets
import unicodedata
from io import BytesIO

from healthcert.document.fonts import missing
from healthcert.errors import Code, DocumentError

# Without 0 and o, 1, i and l, which are taken for one another.
_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
_GROUPS, _LETTERS = 4, 4
_MAX_BYTES = 127  # ISO 32000-2 §7.6.4.3.3


def new_passphrase() -> str:
    """Four groups of four letters and digits, as ``7kqm-x3wd-...``: 79 bits, easy to read out and to type."""
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(_LETTERS)) for _ in range(_GROUPS))


def protect(pdf: bytes, passphrase: str) -> bytes:
    """The PDF encrypted (AES-256, revision 6 of ISO 32000-2), its metadata as well.

    Whoever has the passphrase may read, print and copy it, and have it read out. Another, which nobody knows, would be
    needed to change that. No two results are the same. An encrypted file is no PDF/A (ISO 19005-2 §6.1.3).

    Raises :class:`DocumentError` (``DOCUMENT_FAILED`` for a passphrase that is empty, has more than 127 bytes or could
    be typed in more than one way, and for what is no PDF; ``EXTRA_MISSING``).
    """
    check_passphrase(passphrase)
    import pikepdf

    # Reading out (bit 10) is always allowed, as ISO 32000-2 asks for and those need who cannot see.
    allowed = pikepdf.Permissions(
        accessibility=True,
        extract=True,
        modify_annotation=False,
        modify_assembly=False,
        modify_form=False,
        modify_other=False,
    )
    lock = pikepdf.Encryption(
        owner=secrets.token_urlsafe(32), user=passphrase, R=6, aes=True, metadata=True, allow=allowed
    )
    locked = BytesIO()
    try:
        with pikepdf.open(BytesIO(pdf)) as opened:
            opened.save(locked, encryption=lock)
    except (pikepdf.PdfError, pikepdf.PasswordError):
        raise DocumentError(Code.DOCUMENT_FAILED, "what is to be protected is not an open PDF") from None
    return locked.getvalue()


def check_passphrase(passphrase: str) -> None:
    """Raises :class:`DocumentError` as :func:`protect` does, without a page."""
    # ISO 32000-2 §7.6.4.3.3: programs may normalise what is typed (SASLprep), and they take the first 127 bytes.
    plain = passphrase.isprintable() and unicodedata.normalize("NFKC", passphrase) == passphrase
    if not passphrase or not plain or len(passphrase.encode()) > _MAX_BYTES:
        raise DocumentError(
            Code.DOCUMENT_FAILED, f"a passphrase that is empty, unusual, or has more than {_MAX_BYTES} bytes"
        )
    if importlib.util.find_spec("pikepdf") is None:
        raise missing()
