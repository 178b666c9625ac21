"""Cases of the text, base45, ZLIB and pictures: HC-PRE, HC-B45, HC-ZLIB, HC-QR."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable
from typing import Any

from tools.vectors.case import Case, case
from tools.vectors.layers import HEADER_DEFAULT, HEADER_FASTEST, base45, compress
from tools.vectors.pictures import Picture
from tools.vectors.press import Press, payload, vaccination

_PREFIX, _B45, _GROUPS = "HCERT specification §4.2.2", "RFC 9285 §6", "RFC 9285 §4"
_ZLIB, _BITS, _STORED = "RFC 1950 §2.2", "RFC 1951 §3.1.1", "RFC 1951 §3.2.4"
_LIMIT = 4300  # characters of a text (Limits.text_chars)
_NOISE = hashlib.shake_256(b"noise").hexdigest(1150)
_INFLATED = 256 * 1024  # bytes after decompression (Limits.inflated_bytes)


def cases() -> list[Case]:
    """From the picture down to the COSE message."""
    return [*_prefix(), *_base45(), *_zlib(), *_pictures()]


def _prefix() -> list[Case]:
    others = {
        "11": ("HCZ:", "The last version there can be", "UNSUPPORTED_VERSION"),
        "12": ("hc1:", "The context identifier in lower case", "INVALID_SCHEME_PREFIX"),
        "13": (" HC1:", "A space before the context identifier", "INVALID_SCHEME_PREFIX"),
        "14": ("HC1", "The context identifier without its colon", "INVALID_SCHEME_PREFIX"),
        "15": ("HC0:", "A version before the first", "INVALID_SCHEME_PREFIX"),
        "21": ("NL2:", "The prefix of a Dutch domestic certificate", "FAMILY_NOT_SUPPORTED"),
        "22": ("shc:/", "The prefix of a SMART Health Card", "NUMERIC_DECODING_FAILED"),
        "23": ("NZCP:/1/", "The prefix of a New Zealand COVID Pass", "BASE_32_DECODING_FAILED"),
        "24": ("DC04", "The prefix of a French 2D-Doc", "INVALID_SCHEME_PREFIX"),
    }
    return [
        case("HC-PRE-01", "A line end of the scanner after the text", _PREFIX, scanned=lambda text: text + "\r\n"),
        case("HC-PRE-02", "A line end before and after the text", _PREFIX, scanned=lambda text: f"\n{text}\n"),
        case("HC-PRE-05", "A byte order mark before the text", _PREFIX, scanned=lambda text: f"\ufeff{text}"),
        case("HC-PRE-03", "Nothing was scanned", _PREFIX, "INVALID_SCHEME_PREFIX", scanned=lambda _: ""),
        case(
            "HC-PRE-04",
            "More characters than any QR code holds",
            _PREFIX,
            "INPUT_TOO_LONG",
            scanned=lambda _: "HC1:".ljust(_LIMIT + 1, "0"),
        ),
        *[
            case(f"HC-PRE-{number}", title, _PREFIX, code, prefix=prefix)
            for number, (prefix, title, code) in others.items()
        ],
    ]


def _base45() -> list[Case]:
    bad = "BASE_45_DECODING_FAILED"

    def with_tail(tail: str) -> Callable[[bytes], str]:
        return lambda data: base45(data[: len(data) & ~1]) + tail

    return [
        case("HC-B45-01", "One character is left over", _GROUPS, bad, armour=with_tail("0")),
        case("HC-B45-02", "A group of three characters, one above the largest", _B45, bad, armour=with_tail("GGW")),
        case("HC-B45-03", "The largest group of three characters alone", _B45, bad, armour=lambda _: ":::"),
        case("HC-B45-04", "A last pair, one above the largest", _B45, bad, armour=with_tail("V5")),
        case("HC-B45-05", "A character that is no ASCII", _B45, bad, scanned=lambda text: text[:50] + "Ä" + text[51:]),
        case("HC-B45-06", "A line end inside the text", _B45, bad, scanned=lambda text: text[:51] + "\n" + text[51:]),
        case("HC-B45-07", "A space was lost", _GROUPS, bad, scanned=lambda text: text.replace(" ", "", 1)),
        case("HC-B45-08", "%20 stands in the code itself and means these three symbols", _GROUPS, payload=_with_20()),
        case("HC-B45-12", "A space after the text", _GROUPS, bad, armour=with_tail(" ")),
        case("HC-B45-11", "A text of some 4000 characters", _GROUPS, payload=payload(meta=_NOISE)),
        case("HC-B45-09", "Nothing after the context identifier", _ZLIB, "DECOMPRESSION_FAILED", armour=lambda _: ""),
        case("HC-B45-10", "Spaces arrive as %20, and the end is missing", _B45, bad, scanned=_cut),
    ]


def _with_20() -> dict[str, Any]:
    """The first payload whose text happens to have %20 in it."""
    return next(made for dose in range(1, 5000) if "%20" in Press(payload=(made := vaccination(dn=dose))).layers()[0])


def _cut(text: str) -> str:
    """The text without its end, in whole groups also when its spaces are escaped."""
    size = next(size for size in range(len(text) - 60, 0, -1) if (size - 4) % 3 == 0 == 2 * text[:size].count(" ") % 3)
    assert " " in text[:size]
    return text[:size].replace(" ", "%20")


def _zlib() -> list[Case]:
    bad = "DECOMPRESSION_FAILED"

    def raw(message: bytes) -> bytes:
        return compress(message)[2:-4]

    def bomb(_message: bytes) -> bytes:
        return compress(bytes(_INFLATED + 1))

    def dictionary(message: bytes) -> bytes:
        stream = compress(message)
        return b"\x78\xbb" + zlib.adler32(b"").to_bytes(4) + stream[2:]

    def checksum(message: bytes) -> bytes:
        stream = compress(message)
        return stream[:-1] + bytes((stream[-1] ^ 1,))

    return [
        case("HC-ZLIB-01", "Codes that the block brings along", _BITS, compress=lambda m: compress(m, form="brought")),
        case("HC-ZLIB-02", "A stored block", _STORED, compress=lambda m: compress(m, form="stored")),
        case(
            "HC-ZLIB-03", "A header of the default level", _ZLIB, compress=lambda m: compress(m, header=HEADER_DEFAULT)
        ),
        case(
            "HC-ZLIB-04", "A header of the fastest level", _ZLIB, compress=lambda m: compress(m, header=HEADER_FASTEST)
        ),
        case("HC-ZLIB-11", "A gzip file instead", _ZLIB, bad, compress=_gzip),
        case("HC-ZLIB-12", "Deflate without the ZLIB header", _ZLIB, bad, compress=raw),
        case("HC-ZLIB-13", "A byte after the stream", _ZLIB, bad, compress=lambda m: compress(m) + b"\0"),
        case("HC-ZLIB-14", "Two streams", _ZLIB, bad, compress=lambda m: compress(m) * 2),
        case("HC-ZLIB-15", "More than anybody needs after decompression", _ZLIB, bad, compress=bomb),
        case("HC-ZLIB-16", "A checksum of other data", _ZLIB, bad, compress=checksum),
        case("HC-ZLIB-17", "A preset dictionary", _ZLIB, bad, compress=dictionary),
        case("HC-ZLIB-18", "A header with a wrong check", _ZLIB, bad, compress=lambda m: b"\x78\xdb" + compress(m)[2:]),
        case("HC-ZLIB-19", "Cut short in the middle", _ZLIB, bad, compress=lambda m: compress(m)[:200]),
        case("HC-ZLIB-20", "Bits set after the last code", _BITS, bad, compress=lambda m: compress(m, stray=True)),
        case(
            "HC-ZLIB-21",
            "Bits set between a stored block's head and its length",
            _STORED,
            bad,
            compress=lambda m: compress(m, form="stored", stray=True),
        ),
    ]


def _gzip(message: bytes) -> bytes:
    # RFC 1952 §2.3: no name, no time.
    head = b"\x1f\x8b\x08\x00" + bytes(4) + b"\x02\xff"
    return (
        head + compress(message)[2:-4] + zlib.crc32(message).to_bytes(4, "little") + len(message).to_bytes(4, "little")
    )


def _pictures() -> list[Case]:
    return [case("HC-QR-01", "A QR code in the alphanumeric mode", _PREFIX, picture=Picture())]
