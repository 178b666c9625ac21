"""Cases of the archive in DIVOC's barcodes, and of how its bytes are spelt: HC-DIV-200 to 299."""

# ruff: noqa: E501 (one case a line)

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tools.vectors.case import Case, scan
from tools.vectors.families_divoc import DOCUMENT, Certificate, shown
from tools.vectors.families_press import minified, nested
from tools.vectors.families_zip import Archive, descriptor
from tools.vectors.layers import compress

_LOCAL, _DESCRIPTOR, _CENTRAL, _END = (f"APPNOTE §4.3.{part}" for part in ("7", "9", "12", "16"))
_FLAGS, _METHOD, _SIGNATURE = "APPNOTE §4.4.4", "APPNOTE §4.4.5", "APPNOTE §4.3.9.3"
_NAMES, _UTF8 = "RFC 8259 §4", "RFC 8259 §8.1"
_BAD, _DAMAGED = "ARCHIVE_UNREADABLE", "DECOMPRESSION_FAILED"
_LIMIT = 64 * 1024  # bytes of what is in an archive (Limits.archive_bytes)


def cases() -> list[Case]:
    """How bytes are spelt, the headers of the archive, what is in it."""
    return [*_spellings(), *_headers(), *_followed(), *_contents()]


def _spellings() -> list[Case]:
    archive = Certificate().layers()[0]
    latin = archive.decode("latin-1")
    made: list[tuple[str, str, str | bytes]] = [
        ("200", "The bytes of the archive, each a character", latin),
        ("201", "The bytes as UTF-8, as the encoders of issuers leave them", latin.encode()),
        ("202", "The bytes as UTF-8, each byte a character again", latin.encode().decode("latin-1")),
        ("203", "The bytes in the characters of code page 437", archive.decode("cp437")),
        ("204", "The bytes as UTF-8, in the characters of code page 437", latin.encode().decode("cp437")),
        ("205", "The characters of code page 437 as UTF-8", archive.decode("cp437").encode()),
        ("206", "In base64 behind B64:", "B64:" + base64.b64encode(archive).decode()),
        ("207", "In base64 behind B64:, as the bytes of a barcode", b"B64:" + base64.b64encode(archive)),
    ]
    return [
        *[scan(f"HC-DIV-{n}", title, _LOCAL, of=text, trust=("divoc",)) for n, title, text in made],
        scan("HC-DIV-208", "A character after B64: that base64 does not have", _LOCAL, _BAD, of="B64:" + base64.b64encode(archive).decode()[:-8] + "*", trust=("divoc",)),
        scan("HC-DIV-209", "A part of base64", _LOCAL, _BAD, of="B64:" + base64.b64encode(archive).decode()[:-7], trust=("divoc",)),
        scan("HC-DIV-214", "Base64 of an archive that begins otherwise", _LOCAL, _BAD, of="B64:" + base64.b64encode(b"PK\x03\x05" + archive[4:]).decode(), trust=("divoc",)),
        scan("HC-DIV-210", "B64: and no archive", _LOCAL, "INVALID_SCHEME_PREFIX", of="B64:AAAA", trust=("divoc",)),
        scan("HC-DIV-211", "An archive that begins otherwise", _LOCAL, "INVALID_SCHEME_PREFIX", of=b"PK\x05\x06" + archive[4:], trust=("divoc",)),
        scan("HC-DIV-212", "A character that is no byte", _LOCAL, _BAD, of=latin[:60] + "\u4e00" + latin[60:], trust=("divoc",)),
        scan("HC-DIV-213", "Nothing but how an archive begins", _END, _BAD, of="PK\x03\x04", trust=("divoc",)),
    ]  # fmt: skip


def _headers() -> list[Case]:
    content = Certificate().layers()[1]["json"]
    deflated = compress(content)[2:-4]
    wrong: list[tuple[str, str, str, dict[str, Any]]] = [
        ("220", "A byte after the end", _END, {"behind": b"\0"}),
        ("221", "A comment of the archive", _END, {"end_comment": 1, "behind": b"x"}),
        ("222", "No comment, and a length of one", _END, {"end_comment": 1}),
        ("223", "An end of another kind", _END, {"end_magic": b"PK\x06\x06"}),
        ("224", "The second of several disks", _END, {"end_disk": 1}),
        ("244", "A directory that begins on the second of several disks", _END, {"end_first_disk": 1}),
        ("245", "Two members on this disk, says the end", _END, {"end_here": 2, "end_entries": 1}),
        ("246", "Bytes between the directory and the end", _END, {"gap": b"x"}),
        ("247", "A directory entry with a comment that is not there", _CENTRAL, {"central_comment_size": 1}),
        (
            "248",
            "Another name in the directory",
            _CENTRAL,
            {"name": b"certificate.txt!", "local_name": b"certificate.json"},
        ),
        ("225", "Two members, says the end", _END, {"end_entries": 2}),
        ("226", "Two members in all, says the end", _END, {"end_here": 1, "end_entries": 2}),
        ("227", "No member, says the end", _END, {"end_entries": 0}),
        ("228", "A directory that begins elsewhere", _END, {"end_start": 0}),
        ("229", "A directory entry of another kind", _CENTRAL, {"central_magic": b"PK\x03\x04"}),
        ("230", "A directory entry of another disk", _CENTRAL, {"central_disk": 1}),
        ("231", "A member that begins elsewhere", _CENTRAL, {"central_offset": 1}),
        ("232", "A member of another name", _CENTRAL, {"name": b"certificate.txt"}),
        ("233", "A member in a folder", _CENTRAL, {"name": b"../certificate.json"}),
        ("234", "A member that is encrypted", _FLAGS, {"flags": 1}),
        ("235", "A member of compressed patched data", _FLAGS, {"flags": 0x20}),
        ("236", "A member that is packed in another way", _METHOD, {"method": 12}),
        ("237", "Another name in the local header", _LOCAL, {"local_name": b"certificate.txt!"}),
        ("238", "Another way of packing in the local header", _LOCAL, {"local": (0, 0)}),
        ("239", "Other flags in the local header", _LOCAL, {"local": (0x0800, 8)}),
        ("240", "Other numbers in the local header", _LOCAL, {"numbers": (0, len(deflated), len(content))}),
        ("241", "Bytes between the member and the directory", _LOCAL, {"between": b"x"}),
        ("243", "Bytes before the member", _LOCAL, {"front": b"PK\x03\x04"}),
    ]
    good: list[tuple[str, str, str, dict[str, Any]]] = [
        ("250", "A member that is stored", _METHOD, {"method": 0}),
        ("251", "A member that was packed hard, with a name in UTF-8", _FLAGS, {"flags": 0x0806}),
        (
            "252",
            "Further fields and a comment in the headers",
            _CENTRAL,
            {"extra": b"UT\x01\x00\0", "central_extra": b"UT\x01\x00\0", "central_comment": b"x"},
        ),
    ]
    return [
        *[case for n, title, s, changes in wrong for case in shown(n, title, s, _BAD, archive=_with(**changes))],
        *[case for n, title, s, changes in good for case in shown(n, title, s, archive=_with(**changes))],
        *shown("249", "A directory of fewer bytes than any has", _CENTRAL, _BAD, archive=_without_directory),
        *shown("242", "A directory that stands in the member", _LOCAL, _BAD, archive=_overlapping),
    ]  # fmt: skip


def _with(**changes: Any) -> Callable[[Archive], bytes]:
    return lambda archive: replace(archive, **changes).bytes()


def _without_directory(archive: Archive) -> bytes:
    """An end that says that the ten bytes before it are the directory."""
    made = archive.bytes()
    end = len(made) - 22
    return made[: end + 12] + (10).to_bytes(4, "little") + (end - 10).to_bytes(4, "little") + made[end + 20 :]


def _overlapping(archive: Archive) -> bytes:
    """A directory that says that the member is longer by a byte than what stands there."""
    made = archive.bytes()
    start = made.rindex(b"PK\x01\x02")
    longer = (int.from_bytes(made[start + 20 : start + 24], "little") + 1).to_bytes(4, "little")
    return made[:18] + longer + made[22 : start + 20] + longer + made[start + 24 :]


def _followed() -> list[Case]:
    def following(**changes: Any) -> Callable[[Archive], bytes]:
        return lambda archive: replace(archive, flags=8, descriptor=descriptor(archive.content, **changes)).bytes()

    return [
        *shown("260", "The sizes follow the data", _DESCRIPTOR, archive=following()),
        *shown("261", "The sizes follow without their signature", f"{_SIGNATURE}; {_FLAGS}", archive=following(magic=b"")),
        *shown("262", "The sizes follow, and stand before as well", _FLAGS, archive=lambda a: replace(a, flags=8, descriptor=descriptor(a.content), numbers=_numbers(a)).bytes()),
        *shown("263", "Sizes that follow and are others", _DESCRIPTOR, _BAD, archive=following(wrong=1)),
        *shown("264", "Sizes that follow, behind another signature", _SIGNATURE, _BAD, archive=following(magic=b"PK\x07\x09")),
        *shown("265", "Sizes that follow although nothing says so", _FLAGS, _BAD, archive=lambda a: replace(a, descriptor=descriptor(a.content), numbers=_numbers(a)).bytes()),
        *shown("266", "No sizes before the data, and none behind", _DESCRIPTOR, _BAD, archive=lambda a: replace(a, flags=8, descriptor=b"").bytes()),
        *shown("267", "No sizes before the data, although nothing says so", _FLAGS, _BAD, archive=lambda a: replace(a, numbers=(0, 0, 0)).bytes()),
    ]  # fmt: skip


def _numbers(archive: Archive) -> tuple[int, int, int]:
    packed = descriptor(archive.content, magic=b"")
    checksum, size, whole = (int.from_bytes(packed[at : at + 4], "little") for at in (0, 4, 8))
    return checksum, size, whole


def _contents() -> list[Case]:
    text = minified(DOCUMENT)
    json_bad = "JSON_DESERIALIZATION_FAILED"
    return [
        *shown("270", "A size that is not the member's", _LOCAL, _DAMAGED, archive=lambda a: replace(a, size=len(a.content) + 1).bytes()),
        *shown("271", "A checksum that is not the member's", _LOCAL, _DAMAGED, archive=lambda a: replace(a, checksum=1).bytes()),
        *shown("272", "A size beyond any", _LOCAL, _DAMAGED, archive=_with(size=_LIMIT + 1)),
        *shown("273", "More than the header says, and than anybody needs", "RFC 1951 §3.2.3", _DAMAGED, archive=lambda _: Archive(bytes(_LIMIT + 1), size=9).bytes()),
        *shown("274", "Data that is no DEFLATE", "RFC 1951 §3.2.3", _DAMAGED, archive=lambda a: replace(a, packed=b"\xff" * 99).bytes()),
        *shown("275", "Bytes behind the data in the member", "RFC 1951 §3.2.3", _DAMAGED, archive=lambda a: replace(a, packed=compress(a.content)[2:-4] + b"\0").bytes()),
        *shown("276", "A document of as many bytes as there may be", _UTF8, archive=lambda a: replace(a, content=a.content.ljust(_LIMIT)).bytes()),
        *shown("277", "A document of one byte more", _UTF8, _DAMAGED, archive=lambda a: replace(a, content=a.content.ljust(_LIMIT + 1)).bytes()),
        *shown("287", "A document of one member", _UTF8, "CANONICALIZATION_FAILED", json=b'{"proof":{}}'),
        *shown("278", "A document that is no JSON", _UTF8, json_bad, json=text[:-1]),
        *shown("279", "A document that is not UTF-8", _UTF8, json_bad, json=text.replace(b"Asha", b"Ash\xe0")),
        *shown("280", "A member of the document twice", _NAMES, json_bad, json=b'{"issuer":"x",' + text[1:]),
        *shown("281", "Two documents in an array", _UTF8, json_bad, json=b"[%b,%b]" % (text, text)),
        *shown("282", "A document that is a text", _UTF8, json_bad, json=b'"x"'),
        *shown("283", "A document nested too deep", _UTF8, json_bad, json=minified(DOCUMENT | {"x": nested(40)})),
        *shown("284", "A document without a proof", "Linked Data Proofs 1.0 §5.1", "JWS_DESERIALIZATION_FAILED", json=text),
        *shown("285", "A bare document of more bytes than there may be", _UTF8, "INPUT_TOO_LONG", step="decode", scanned=lambda _: Certificate().layers()[1]["json"].decode().ljust(_LIMIT + 1)),
    ]  # fmt: skip
