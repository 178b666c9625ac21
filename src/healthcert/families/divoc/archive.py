"""The archive in a DIVOC barcode (PKWARE APPNOTE 6.3): one member, and every byte of it accounted for.

It is read here and not with :mod:`zipfile`, which goes by the directory at the end alone: whatever stands before and
between the members, several of one name, members that overlap, and sizes that contradict each other all pass there. Of
an archive with one member the three headers are small, and can be held against each other in full.
"""

from __future__ import annotations

import base64
import binascii
import struct
from collections.abc import Callable, Iterator
from zlib import crc32

from healthcert.encoding import deflate
from healthcert.errors import Code, DecodeError, Step
from healthcert.limits import Limits
from healthcert.model import Scan

MAGIC = "PK\x03\x04"
BASE64_PREFIX = "B64:"
MEMBER = b"certificate.json"

_MAGIC = MAGIC.encode()
# APPNOTE §4.3.7, §4.3.12, §4.3.16, §4.3.9. After the signature: versions, flags, method, time, date, CRC, sizes ...
_LOCAL = struct.Struct("<4s5H3I2H")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")
_DESCRIPTOR = struct.Struct("<3I")
_CENTRAL_MAGIC, _END_MAGIC, _DESCRIPTOR_MAGIC = b"PK\x01\x02", b"PK\x05\x06", b"PK\x07\x08"
# APPNOTE §4.4.4: how hard the compressor tried, sizes after the data, names in UTF-8. Bit 0 is encryption.
_HARNESSED, _SIZES_FOLLOW = 0x080E, 0x0008
_STORED, _DEFLATED = 0, 8
_VERSION = 20  # §4.4.3.2: 2.0, the first that knows DEFLATE
_DAY = 0x0021  # the first of January 1980: what is written says nothing of when it was


def looks_like_archive(text: str) -> bool:
    """Whether the text, or the bytes of the barcode that it was read from, begin like such an archive."""
    if isinstance(text, Scan) and text.data.startswith((_MAGIC, b"B64:UEsD")):
        return True
    return text.startswith((MAGIC, "B64:UEsD"))


def unpack(text: str, limits: Limits) -> tuple[bytes, bytes]:
    """The archive that a scan holds, and the document in it.

    Raises :class:`DecodeError`: ``ARCHIVE_UNREADABLE`` for what is no archive of one member ``certificate.json``,
    ``DECOMPRESSION_FAILED`` for a member that is damaged or larger than allowed.
    """
    problem = _error("not an archive")
    for number, data in enumerate(_spellings(text)):
        try:
            return data, read(data, limit=limits.archive_bytes)
        except DecodeError as error:
            # What is wrong with the bytes as they are is what a person can do something about.
            problem = problem if number else error
    raise problem


def read(archive: bytes, *, limit: int) -> bytes:
    """The one member ``certificate.json`` of an archive, at most ``limit`` bytes. Raises like :func:`unpack`."""
    packed, method, size, checksum = _frame(archive)
    if size > limit:
        raise DecodeError(Code.DECOMPRESSION_FAILED, f"the archive holds more than {limit} bytes", Step.DECODE)
    # The size in the header is a claim; what bounds the memory is the limit in inflating.
    content = packed if method == _STORED else deflate.inflate_raw(packed, limit=limit)
    if len(content) != size or crc32(content) != checksum:
        raise DecodeError(Code.DECOMPRESSION_FAILED, "the member is not what the archive says of it", Step.DECODE)
    return content


def write(content: bytes) -> bytes:
    """An archive with the one member ``certificate.json``; the same content gives the same bytes."""
    packed = deflate.deflate(content, raw=True)
    described = (_VERSION, 0, _DEFLATED, 0, _DAY, crc32(content), len(packed), len(content), len(MEMBER), 0)
    local = _LOCAL.pack(_MAGIC, *described) + MEMBER + packed
    central = _CENTRAL.pack(_CENTRAL_MAGIC, _VERSION, *described, 0, 0, 0, 0, 0) + MEMBER
    return local + central + _END.pack(_END_MAGIC, 0, 0, 1, 1, len(central), len(local), 0)


def _frame(archive: bytes) -> tuple[bytes, int, int, int]:
    """What the one member is packed to, how, its size and its checksum; the headers say so with one voice."""
    end = len(archive) - _END.size
    if end < 0 or not archive.startswith(_MAGIC):
        raise _error("not an archive")
    # APPNOTE §4.3.16: the end record is the last thing, where it has no comment.
    magic, disk, first_disk, here, entries, central_size, central_at, comment = _END.unpack_from(archive, end)
    if magic != _END_MAGIC or comment or disk or first_disk:
        raise _error("it does not end with the record that ends an archive")
    if here != 1 or entries != 1 or central_at + central_size != end or central_size < _CENTRAL.size:
        raise _error("it does not hold one member and nothing else")
    central = _CENTRAL.unpack_from(archive, central_at)
    magic, _, _, flags, method, _, _, checksum, packed_size, size, name_size, extra, comment, disk, _, _, at = central
    name = archive[central_at + _CENTRAL.size :][:name_size]
    if magic != _CENTRAL_MAGIC or _CENTRAL.size + name_size + extra + comment != central_size or disk or at:
        raise _error("its directory is not that of one member")
    if name != MEMBER:
        raise _error("its member is not certificate.json")
    # APPNOTE §4.4.4, §4.4.5: no encryption, no patched data, no method but these two.
    if flags & ~_HARNESSED or method not in (_STORED, _DEFLATED):
        raise _error("its member is encrypted, or packed in a way that is not supported")
    described = (flags, method, checksum, packed_size, size)
    return _packed(archive, central_at, described), method, size, checksum


def _packed(archive: bytes, central_at: int, described: tuple[int, int, int, int, int]) -> bytes:
    """What stands between the local header and the directory, less the descriptor; all as the directory has it."""
    flags, method, *numbers = described
    if central_at < _LOCAL.size:
        raise _error("its headers overlap")
    _, _, local_flags, local_method, _, _, *local_numbers, name_size, extra = _LOCAL.unpack_from(archive)
    start = _LOCAL.size + name_size + extra
    # APPNOTE §4.4.4: with bit 3 the three numbers may be zero here, and stand behind the data.
    follow = flags & _SIZES_FOLLOW
    agree = local_numbers == numbers or (follow and not any(local_numbers))
    if (local_flags, local_method) != (flags, method) or not agree or archive[_LOCAL.size :][:name_size] != MEMBER:
        raise _error("its headers contradict each other")
    stop = start + numbers[1]
    behind = archive[stop:central_at]
    expected = _DESCRIPTOR.pack(*numbers) if follow else b""
    # APPNOTE §4.3.9.3: the signature of a descriptor is customary.
    if stop > central_at or behind not in (expected, _DESCRIPTOR_MAGIC + expected if follow else b""):
        raise _error("there is more in it than its member")
    return archive[start:stop]


def _spellings(text: str) -> Iterator[bytes]:
    """The bytes that a scan may stand for, the likeliest first, each once.

    The programs that made these barcodes hand the archive over as a text of 256 characters, which their QR encoder then
    stores as UTF-8; scanners decode what they find as UTF-8, Latin-1 or code page 437. Each of these can be undone.
    """
    if isinstance(text, Scan):
        start = text.data
        if start.startswith(b"B64:"):
            text = start.decode("latin-1")
    if text.startswith(BASE64_PREFIX):
        try:
            yield base64.b64decode(text[len(BASE64_PREFIX) :], validate=True)
        except (binascii.Error, ValueError):
            raise _error("not base64 after B64:") from None
        return
    candidates: list[Callable[[], bytes]] = []
    if isinstance(text, Scan):
        data = text.data
        candidates = [
            lambda: data,
            lambda: data.decode("utf-8").encode("latin-1"),
            lambda: data.decode("utf-8").encode("cp437"),
        ]
    candidates += [
        lambda: text.encode("latin-1"),
        lambda: text.encode("latin-1").decode("utf-8").encode("latin-1"),
        lambda: text.encode("cp437"),
        lambda: text.encode("cp437").decode("utf-8").encode("latin-1"),
    ]
    seen: set[bytes] = set()
    for candidate in candidates:
        try:
            found = candidate()
        except UnicodeError:
            continue
        if found not in seen:
            seen.add(found)
            yield found


def _error(detail: str) -> DecodeError:
    return DecodeError(Code.ARCHIVE_UNREADABLE, detail, Step.DECODE)
