"""What the barcode of a pass holds. A telephone draws it from text, as a QR code."""

from __future__ import annotations

import hashlib

from healthcert.barcode.write import QrCode
from healthcert.document.symbol import symbol_of
from healthcert.errors import Code, DocumentError
from healthcert.families import recognise
from healthcert.limits import DEFAULT_LIMITS
from healthcert.model import Scan


def message_of(text: str) -> str:
    """The text for the barcode of a pass: a certificate's own, exactly.

    Raises :class:`DocumentError` (``DOCUMENT_FAILED``) for a certificate of bytes (DIVOC), for one whose barcode is no
    QR code (2D-Doc), and for what :func:`symbol_of` refuses.
    """
    symbol = symbol_of(text)
    _, message = recognise(text, DEFAULT_LIMITS)
    binary = isinstance(message, Scan) and message.data != message.encode()
    if not isinstance(symbol, QrCode) or binary or not (message.isascii() and message.isprintable()):
        raise DocumentError(Code.DOCUMENT_FAILED, "a certificate whose barcode no telephone's wallet can draw")
    return str(message)


def serial_of(message: str) -> str:
    """What names the pass of a certificate: always the same for one certificate, and telling nothing of it.

    It is a digest of the text, signature and all, which nobody can guess. That of a certificate's identifier would be
    the one by which revocation lists name it.
    """
    return hashlib.sha256(b"healthcert pass\0" + message.encode()).hexdigest()[:32]
