"""ASN.1 in BER (ITU-T X.690), read element by element, as signed lists come: indefinite lengths and all.

Only what CMS needs: definite and indefinite lengths, and strings in pieces. What an element holds is given as it was
received, because signatures are over those very bytes.
"""

from __future__ import annotations

from msgspec import Struct, field

from healthcert.errors import Code, DecodeError

INTEGER, BIT_STRING, OCTET_STRING, NULL, OID = 0x02, 0x03, 0x04, 0x05, 0x06
SEQUENCE, SET = 0x30, 0x31
_CONSTRUCTED = 0x20
_MAX_DEPTH = 32
_MAX_ELEMENTS = 500_000  # looked at in all of what was read at once; a list of 100,000 certificates has as many a level
_MAX_PIECES = 2  # levels of a string in pieces; one is what anybody writes


class _Budget(Struct, eq=False):
    """How many more elements are looked at: an element may be of two bytes, and its object has a hundred."""

    left: int = field(default_factory=lambda: _MAX_ELEMENTS)

    def spend(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise unreadable(f"more than {_MAX_ELEMENTS} elements")


class Element(Struct, frozen=True):
    """One element: its identifier octet, all its bytes, and those between its length and its end."""

    tag: int
    raw: bytes
    body: bytes
    _budget: _Budget = field(default_factory=_Budget)

    def children(self) -> list[Element]:
        """The elements in a constructed one. Raises :class:`DecodeError` (``TRUST_LIST_UNREADABLE``)."""
        if not self.tag & _CONSTRUCTED:
            raise unreadable("a primitive element where a constructed one belongs")
        found, position = [], 0
        while position < len(self.body):
            element, position = _element(self.body, position, self._budget)
            found.append(element)
        return found

    def string(self, depth: int = 0) -> bytes:
        """The content of a string, put together when it comes in pieces (X.690 §8.7.3)."""
        if not self.tag & _CONSTRUCTED:
            return self.body
        if depth > _MAX_PIECES:
            raise unreadable("a string of pieces within pieces")
        return b"".join(piece.string(depth + 1) for piece in self.children())

    def definite(self, tag: int | None = None) -> bytes:
        """The element with a length in front, under its own tag or another."""
        size = len(self.body)
        octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
        length = bytes((size,)) if size < 0x80 else bytes((0x80 | len(octets),)) + octets
        return bytes((self.tag if tag is None else tag,)) + length + self.body

    def oid(self) -> str:
        """An OBJECT IDENTIFIER in dotted form (X.690 §8.19)."""
        if self.tag != OID or not self.body or self.body[-1] & 0x80:
            raise unreadable("an OBJECT IDENTIFIER is expected")
        numbers, value = [], 0
        for octet in self.body:
            value = value << 7 | octet & 0x7F
            if value >> 64:
                raise unreadable("an OBJECT IDENTIFIER of that size")
            if not octet & 0x80:
                numbers.append(value)
                value = 0
        first = min(numbers[0] // 40, 2)
        return ".".join(map(str, (first, numbers[0] - 40 * first, *numbers[1:])))


def read(data: bytes, tag: int | None = None) -> Element:
    """The one element that ``data`` is, of this tag when one is given.

    Raises :class:`DecodeError` (``TRUST_LIST_UNREADABLE``).
    """
    element, end = _element(data, 0, _Budget())
    if end != len(data):
        raise unreadable("bytes after the end")
    if tag is not None and element.tag != tag:
        raise unreadable(f"tag {element.tag:#04x} where {tag:#04x} belongs")
    return element


def unreadable(detail: str) -> DecodeError:
    return DecodeError(Code.TRUST_LIST_UNREADABLE, f"ASN.1: {detail}")


def _element(data: bytes, start: int, budget: _Budget) -> tuple[Element, int]:
    """The element at ``start``, and where the next one begins."""
    begin, stop, end = _span(data, start, 0, budget)
    return Element(data[start], data[start:end], data[begin:stop], budget), end


def _span(data: bytes, start: int, depth: int, budget: _Budget) -> tuple[int, int, int]:
    """Where the content of the element at ``start`` begins and stops, and where the next one begins."""
    # Elements without a length are gone through again at each level above them, which counts too.
    budget.spend()
    if depth > _MAX_DEPTH:
        raise unreadable(f"more than {_MAX_DEPTH} levels")
    if start + 2 > len(data):
        raise unreadable("it ends too early")
    tag, length, begin = data[start], data[start + 1], start + 2
    if tag & 0x1F == 0x1F:
        raise unreadable("a tag of several bytes")
    if length == 0x80:
        if not tag & _CONSTRUCTED:
            raise unreadable("a primitive element without a length")
        position = begin
        while data[position : position + 2] != b"\0\0":
            *_, position = _span(data, position, depth + 1, budget)
        return begin, position, position + 2
    if length > 0x80:
        count = length & 0x7F
        # X.690 §8.1.3.5 allows any number of length octets; no list needs more than four.
        if count > 4 or begin + count > len(data):
            raise unreadable("a length that cannot be")
        length, begin = int.from_bytes(data[begin : begin + count], "big"), begin + count
    end = begin + length
    if end > len(data):
        raise unreadable("it ends too early")
    return begin, end, end
