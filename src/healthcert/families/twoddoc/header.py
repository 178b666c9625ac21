"""The header of a 2D-Doc, and where its parts end: message, signature, annex.

Source: France Titres (ANTS), "Spécifications techniques des codes à barres 2D-Doc", versions 2.0.1 to 3.3.
"""

from __future__ import annotations

import re

from healthcert.encoding import base32
from healthcert.errors import Code, DecodeError, Step
from healthcert.model import Private, Scan

GS, RS, US = "\x1d", "\x1e", "\x1f"

# Marker and version, authority, certificate, the days of the document and of the signature, type; from version 3 on the
# perimeter, from version 4 on the country.
_SIZES = {"01": 22, "02": 22, "03": 24, "04": 26}
_SHAPE = re.compile(
    r"DC0(?:[12][0-9A-Z]{8}[0-9A-F]{8}|3[0-9A-Z]{8}[0-9A-F]{8}[0-9A-Z]{2}|4[0-9A-Z]{8}[0-9A-F]{8}[0-9A-Z]{4})[0-9A-Z]{2}"
).match

# How dumps and readers spell the separators, which do not print.
_SPELLINGS = {
    **dict.fromkeys(("<gs>", "{gs}", "<fnc1>", "{fnc1}", "\\x1d", "\\u001d", "%1d", "\u241d"), GS),
    **dict.fromkeys(("<rs>", "{rs}", "\\x1e", "\\u001e", "%1e", "\u241e"), RS),
    **dict.fromkeys(("<us>", "{us}", "\\x1f", "\\u001f", "%1f", "\u241f"), US),
}
_SPELT = re.compile("|".join(map(re.escape, _SPELLINGS)), re.IGNORECASE)
_LINE_ENDS = b"\r\n"
_RAW_SIZES = (64, 96, 132)  # bytes of r and s on P-256, P-384 and P-521


class Header(Private, frozen=True):
    """What the first characters say. Days are as they are written; ``perimeter`` and ``country`` empty if not there."""

    size: int
    version: str
    authority: str
    certificate: str
    dated: str
    signed: str
    type: str
    perimeter: str
    country: str


class Parts(Private, frozen=True):
    """A 2D-Doc taken apart. ``signed`` are the bytes that the signature covers, ``message`` the fields among them."""

    header: Header
    message: str
    signed: bytes
    signature: bytes
    annex: str


def is_twoddoc(text: str) -> bool:
    """Whether ``text`` begins with the header of a 2D-Doc."""
    return text.startswith("DC0") and _SHAPE(text) is not None


def take_apart(text: str) -> Parts:
    """The parts of a 2D-Doc.

    Raises :class:`DecodeError`: ``TWODDOC_DESERIALIZATION_FAILED``, ``BASE_32_DECODING_FAILED``.
    """
    version = text[2:4]
    # 2D-Doc specification, signature: US ends the message, and all that stands before it is signed.
    signed, separator, rest = _bytes_of(text, version).partition(b"\x1f")
    if not separator:
        raise error("no signature: the separator US is missing")
    shown = as_text(signed)
    # The version that the text tells is how its bytes are read, so these have to tell the same one.
    if _SHAPE(shown) is None or shown[2:4] != version:
        raise error("a damaged header")
    size = _SIZES[version]
    header = Header(
        size=size,
        version=version,
        authority=shown[4:8],
        certificate=shown[8:12],
        dated=shown[12:16],
        signed=shown[16:20],
        type=shown[20:22],
        perimeter=shown[22:24] if size > 22 else "",
        country=shown[24:26] if size > 24 else "",
    )
    # 2D-Doc specification 1: the signature is binary; base32 came with version 2.
    signature, annex = _raw_signature(rest) if version == "01" else _signature(rest)
    return Parts(header, shown[size:], signed, signature, as_text(annex))


def as_text(data: bytes) -> str:
    """Bytes as the text that they are: UTF-8, or Latin-1 where they are not that. The two differ beyond ASCII only."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def error(detail: str) -> DecodeError:
    return DecodeError(Code.TWODDOC_DESERIALIZATION_FAILED, detail, Step.DECODE)


def _bytes_of(text: str, version: str) -> bytes:
    """What the barcode holds; of a dump in which the separators are spelt out, what it stands for."""
    if US not in text:
        text = _SPELT.sub(lambda found: _SPELLINGS[found[0].lower()], text)
    if text.isascii():
        return text.encode("ascii")
    if isinstance(text, Scan):
        return text.data if version == "01" else text.data.strip(_LINE_ENDS)
    try:
        # Of a binary signature, readers without bytes make one character a byte.
        return text.encode("latin-1" if version == "01" else "utf-8")
    except UnicodeEncodeError:
        raise error("characters that no barcode has held") from None


def _signature(rest: bytes) -> tuple[bytes, bytes]:
    """The signature in base32, and what follows it behind GS; some wallets pad what the specification does not."""
    signature, _, annex = rest.partition(b"\x1d")
    return base32.decode(as_text(signature.rstrip(b"="))), annex


def _raw_signature(rest: bytes) -> tuple[bytes, bytes]:
    """A binary signature may hold any byte, so its end is told by its length."""
    for size in _RAW_SIZES:
        if len(rest) == size or rest[size : size + 1] == b"\x1d":
            return rest[:size], rest[size + 1 :]
    raise error("a binary signature of a length that none has")
