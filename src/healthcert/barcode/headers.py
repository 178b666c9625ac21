"""What headers of picture files tell of the memory that decoding takes, where the size of the picture does not."""

from __future__ import annotations

_START_OF_SCAN = 0xDA
# ITU-T T.81, table B.1: markers that no length follows, and start of frame for Huffman and arithmetic coding.
_ALONE = (0x01, *range(0xD0, 0xDA))
_SEQUENTIAL = (0xC0, 0xC1)
_FRAMES = (*range(0xC0, 0xC4), *range(0xC5, 0xC8), *range(0xC9, 0xCC), *range(0xCD, 0xD0))


def decoded_whole(data: bytes, start: int = 0) -> bool:
    """Whether the JPEG that starts there takes memory for all of its coefficients, however small it is decoded.

    Those do that have several scans: progressive ones, and those whose components come one after the other (ITU-T T.81,
    §4.5 and 4.11). So does, to be careful, what is no JPEG.
    """
    place, components = start + 2, 0
    while place + 4 <= len(data) and data[place] == 0xFF:
        marker = data[place + 1]
        if marker == 0xFF or marker in _ALONE:
            place += 1 if marker == 0xFF else 2
            continue
        length = int.from_bytes(data[place + 2 : place + 4])
        segment = data[place + 4 : place + 2 + length]
        if marker in _FRAMES:
            if marker not in _SEQUENTIAL or len(segment) < 6:
                return True
            components = segment[5]
        elif marker == _START_OF_SCAN:
            return not segment or segment[0] != components
        place += 2 + max(length, 2)
    return True


def jpeg_scans(data: bytes) -> int:
    """How often the pixels of a JPEG are gone through to decode it: its scans, and those of a thumbnail in it."""
    # ITU-T T.81 §B.1.1.2: within a scan, FF is followed by 0, so that this is found at markers only.
    return data.count(b"\xff\xda")


def webp_canvas(data: bytes) -> tuple[int, int]:
    """Width and height that an extended WebP file claims (RFC 9649 §2.7); of any other file, none."""
    if data[:4] != b"RIFF" or data[8:16] != b"WEBPVP8X":
        return 0, 0
    return 1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little")
