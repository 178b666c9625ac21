"""A ZIP archive of one member, written header by header (PKWARE APPNOTE), so that any of them can be wrong."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

from tools.vectors.layers import compress


@dataclass(frozen=True, kw_only=False)
class Archive:
    """The three headers agree unless told otherwise."""

    content: bytes
    name: bytes = b"certificate.json"
    method: int = 8
    flags: int = 0
    packed: bytes | None = None
    size: int | None = None
    checksum: int | None = None
    descriptor: bytes | None = None
    """What stands behind the data; the numbers in the local header are then zero unless ``numbers`` says otherwise."""
    local: tuple[int, int] | None = None
    """Flags and method of the local header, where they are others."""
    local_name: bytes | None = None
    numbers: tuple[int, int, int] | None = None
    """Checksum and sizes of the local header, where they are others."""
    extra: bytes = b""
    central_extra: bytes = b""
    central_comment: bytes = b""
    central_comment_size: int | None = None
    gap: bytes = b""
    """What stands between the directory and the end."""
    central_magic: bytes = b"PK\x01\x02"
    central_disk: int = 0
    central_offset: int = 0
    between: bytes = b""
    """What stands between the data and the directory."""
    front: bytes = b""
    end_magic: bytes = b"PK\x05\x06"
    end_disk: int = 0
    end_first_disk: int = 0
    end_entries: int = 1
    end_here: int | None = None
    end_start: int | None = None
    end_comment: int = 0
    behind: bytes = b""

    def bytes(self) -> bytes:
        """APPNOTE §4.3.7, §4.3.9, §4.3.12, §4.3.16."""
        packed = self.packed
        if packed is None:
            packed = self.content if self.method == 0 else compress(self.content)[2:-4]
        numbers = (
            zlib.crc32(self.content) if self.checksum is None else self.checksum,
            len(packed),
            len(self.content) if self.size is None else self.size,
        )
        own = numbers if self.descriptor is None else (0, 0, 0)
        flags, method = self.local or (self.flags, self.method)
        name = self.name if self.local_name is None else self.local_name
        local = struct.pack(
            "<4s5H3I2H", b"PK\x03\x04", 20, flags, method, 0, 0x21, *(self.numbers or own), len(name), len(self.extra)
        )
        local += name + self.extra + packed + (self.descriptor or b"") + self.between
        start = len(self.front) + len(local) if self.end_start is None else self.end_start
        central = struct.pack(
            "<4s6H3I5H2I",
            self.central_magic,
            *(20, 20, self.flags, self.method, 0, 0x21, *numbers),
            *(
                len(self.name),
                len(self.central_extra),
                len(self.central_comment) if self.central_comment_size is None else self.central_comment_size,
                self.central_disk,
                0,
                0,
                self.central_offset,
            ),
        )
        central += self.name + self.central_extra + self.central_comment
        here = self.end_entries if self.end_here is None else self.end_here
        end = struct.pack(
            "<4s4H2IH",
            self.end_magic,
            self.end_disk,
            self.end_first_disk,
            here,
            self.end_entries,
            len(central),
            start,
            self.end_comment,
        )
        return self.front + local + central + self.gap + end + self.behind


def descriptor(content: bytes, *, magic: bytes = b"PK\x07\x08", wrong: int = 0) -> bytes:
    """What follows data whose sizes were not known before (APPNOTE §4.3.9)."""
    return magic + struct.pack("<3I", zlib.crc32(content) ^ wrong, len(compress(content)[2:-4]), len(content))
