"""The archive of a DIVOC certificate: one member, and nothing that its headers do not tell alike."""

from __future__ import annotations

import base64
import io
import struct
import zipfile
from zlib import crc32

import pytest

from healthcert.errors import Code, DecodeError, Step
from healthcert.families.divoc.archive import looks_like_archive, read, unpack, write
from healthcert.limits import DEFAULT_LIMITS, Limits
from healthcert.model import Scan

CONTENT = '{"name": "Zoé \x80\xff"}'.encode() * 8
LIMIT = 64 * 1024


def made(*members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED, comment: bytes = b"") -> bytes:
    """An archive by another implementation."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in members or (("certificate.json", CONTENT),):
            archive.writestr(name, content)
        archive.comment = comment
    return file.getvalue()


def refused(archive: bytes, limit: int = LIMIT) -> Code:
    with pytest.raises(DecodeError) as caught:
        read(archive, limit=limit)
    assert caught.value.step is Step.DECODE
    return caught.value.code


def patched(archive: bytes, at: int, form: str, *values: int) -> bytes:
    copy = bytearray(archive)
    struct.pack_into(form, copy, at, *values)
    return bytes(copy)


OURS = write(CONTENT)
CENTRAL = OURS.index(b"PK\x01\x02")
END = OURS.index(b"PK\x05\x06")


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_archives_of_others_are_read(method: int) -> None:
    assert read(made(method=method), limit=LIMIT) == CONTENT


def test_others_read_ours() -> None:
    with zipfile.ZipFile(io.BytesIO(OURS)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["certificate.json"]
        assert archive.read("certificate.json") == CONTENT
    assert write(CONTENT) == OURS


@pytest.mark.parametrize("signature", [b"PK\x07\x08", b""])
def test_sizes_may_stand_behind_the_data(signature: bytes) -> None:
    packed = OURS[46:CENTRAL]
    numbers = struct.pack("<3I", crc32(CONTENT), len(packed), len(CONTENT))
    local = patched(OURS[:46], 6, "<H", 8)
    behind = signature + numbers
    for head in (local, patched(local, 14, "<3I", 0, 0, 0)):
        archive = head + packed + behind + patched(OURS[CENTRAL:END], 8, "<H", 8)
        archive += patched(OURS[END:], 16, "<I", CENTRAL + len(behind))
        assert read(archive, limit=LIMIT) == CONTENT
        assert refused(patched(archive, 46 + len(packed) + len(behind) - 1, "<B", 1)) is Code.ARCHIVE_UNREADABLE


@pytest.mark.parametrize(
    "archive",
    [
        b"",
        b"PK\x03\x04",
        b"PK\x05\x06" + bytes(18),
        OURS[:-1],
        OURS + b"\0",
        b"\0" + OURS,
        b"#!/bin/sh\n" + OURS,
        OURS[:CENTRAL] + b"hidden" + OURS[CENTRAL:],
        made(("other.json", CONTENT)),
        made(("../certificate.json", CONTENT)),
        made(("certificate.json", CONTENT), ("more", b"")),
        made(("more", b""), ("certificate.json", CONTENT)),
        made(method=zipfile.ZIP_BZIP2),
        made(method=zipfile.ZIP_LZMA),
        made(comment=b"a comment"),
        patched(OURS, 6, "<H", 1),
        patched(patched(OURS, 6, "<H", 1), CENTRAL + 8, "<H", 1),
        patched(patched(OURS, 6, "<H", 0x40), CENTRAL + 8, "<H", 0x40),
        patched(OURS, 8, "<H", 0),
        patched(OURS, 14, "<I", 0),
        patched(OURS, 18, "<I", 1),
        patched(OURS, 22, "<I", 1),
        patched(OURS, 26, "<H", 15),
        patched(OURS, 28, "<H", 65535),
        patched(OURS, 30, "<B", ord("C")),
        patched(OURS, CENTRAL, "<I", 0),
        patched(OURS, CENTRAL + 20, "<I", 0xFFFFFFFF),
        patched(OURS, CENTRAL + 28, "<H", 15),
        patched(OURS, CENTRAL + 28, "<H", 65535),
        patched(OURS, CENTRAL + 34, "<H", 1),
        patched(OURS, CENTRAL + 42, "<I", 4),
        patched(OURS, CENTRAL + 46, "<B", ord("C")),
        patched(OURS, END + 4, "<H", 1),
        patched(OURS, END + 6, "<H", 1),
        patched(OURS, END + 8, "<H", 2),
        patched(OURS, END + 10, "<H", 2),
        patched(OURS, END + 12, "<I", 0),
        patched(OURS, END + 16, "<I", 0),
        patched(OURS, END + 20, "<H", 1),
    ],
)
def test_anything_else_is_refused(archive: bytes) -> None:
    assert refused(archive) is Code.ARCHIVE_UNREADABLE


def test_members_cannot_overlap() -> None:
    """A directory that begins before the data end makes two of one."""
    archive = patched(OURS, 18, "<I", END - 46)
    assert refused(patched(archive, CENTRAL + 20, "<I", END - 46)) is Code.ARCHIVE_UNREADABLE
    tiny = OURS[CENTRAL:END] + patched(OURS[END:], 16, "<I", 0)
    assert refused(b"PK\x03\x04" + tiny[4:]) is Code.ARCHIVE_UNREADABLE


def test_every_bit_of_the_headers_counts() -> None:
    """But for the versions, attributes and times, which say nothing of the content."""
    free = {*range(4, 6), *range(10, 14), *range(CENTRAL + 4, CENTRAL + 8), *range(CENTRAL + 12, CENTRAL + 16)}
    free |= set(range(CENTRAL + 36, CENTRAL + 42))
    for at in [*range(46), *range(CENTRAL, len(OURS))]:
        for bit in range(8):
            archive = patched(OURS, at, "<B", OURS[at] ^ 1 << bit)
            if at in free:
                assert read(archive, limit=LIMIT) == CONTENT
            else:
                assert refused(archive) in (Code.ARCHIVE_UNREADABLE, Code.DECOMPRESSION_FAILED)


def test_a_bomb_is_refused_whatever_its_headers_say() -> None:
    bomb = made(("certificate.json", bytes(50_000_000)))
    assert len(bomb) < 60_000
    assert refused(bomb) is Code.DECOMPRESSION_FAILED
    central = bomb.index(b"PK\x01\x02")
    lying = patched(patched(bomb, 22, "<I", 10), central + 24, "<I", 10)
    assert refused(lying) is Code.DECOMPRESSION_FAILED


def test_the_bound_is_exact() -> None:
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        archive = made(("certificate.json", b"x" * 100), method=method)
        assert read(archive, limit=100) == b"x" * 100
        assert refused(archive, limit=99) is Code.DECOMPRESSION_FAILED


def test_damaged_data_are_refused() -> None:
    assert refused(patched(OURS, 50, "<B", OURS[50] ^ 0x55)) is Code.DECOMPRESSION_FAILED
    checksum = crc32(CONTENT) ^ 1
    assert (
        refused(patched(patched(OURS, 14, "<I", checksum), CENTRAL + 16, "<I", checksum)) is Code.DECOMPRESSION_FAILED
    )


# --- From the barcode to the archive ---

AS_UTF8 = OURS.decode("latin-1").encode()


@pytest.mark.parametrize(
    "text",
    [
        Scan.of(OURS),
        Scan.of(AS_UTF8),
        Scan("whatever a scanner makes of it", OURS),
        Scan("PK<ETX><EOT>", AS_UTF8),
        Scan(AS_UTF8.decode("latin-1"), AS_UTF8),
        OURS.decode("latin-1"),
        AS_UTF8.decode("latin-1"),
        OURS.decode("cp437"),
        AS_UTF8.decode("cp437"),
        Scan(OURS.decode("cp437"), OURS.decode("cp437").encode()),
        "B64:" + base64.b64encode(OURS).decode(),
        Scan.of(b"B64:" + base64.b64encode(OURS)),
    ],
    ids=range(12),
)
def test_what_scanners_make_of_it_is_undone(text: str) -> None:
    assert looks_like_archive(text)
    assert unpack(text, DEFAULT_LIMITS) == (OURS, CONTENT)


@pytest.mark.parametrize("text", ["", "PK", "PK\x05\x06", "B64:", "B64:eyJ", "HC1:PK\x03\x04", " PK\x03\x04", "UEsD"])
def test_anything_else_does_not_look_like_one(text: str) -> None:
    assert not looks_like_archive(text)
    assert not looks_like_archive(Scan.of(text.encode()))


@pytest.mark.parametrize(
    "text", ["B64:UEsD", "B64:UEsDB", "B64:UEsDB===", "B64:UEsD\nBB", "B64:UEsDé", "PK\x03\x04€\u2028", "PK\x03\x04"]
)
def test_what_cannot_be_undone_is_no_archive(text: str) -> None:
    with pytest.raises(DecodeError) as caught:
        unpack(text, DEFAULT_LIMITS)
    assert caught.value.code is Code.ARCHIVE_UNREADABLE


def test_the_first_problem_is_told() -> None:
    """A bomb is a bomb, and not something that is no UTF-8 either."""
    with pytest.raises(DecodeError) as caught:
        unpack(Scan.of(OURS), Limits(archive_bytes=10))
    assert caught.value.code is Code.DECOMPRESSION_FAILED
    assert "10 bytes" in caught.value.detail
