"""CBOR (RFC 8949) from strangers: one item, bounded depth, no duplicate keys, no meaning given to tags.

cbor2 would turn tagged values into dates, big numbers, regular expressions or shared references. None of
that is wanted before a signature is checked, so every tag comes out as a plain :class:`Tag`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from functools import partial
from io import BytesIO
from typing import Any

import cbor2
from msgspec import Struct

from healthcert.errors import Code, DecodeError, Step

UNDEFINED_BYTE = b"\xf7"


class Tag(Struct, frozen=True):
    """A tagged value, left as it came. Unlike the decoder's own class it can be copied and sent to other processes."""

    tag: int
    value: Any


class Undefined(Enum):
    """The simple value undefined (RFC 8949 §3.3), likewise."""

    UNDEFINED = "undefined"

    def __str__(self) -> str:
        return "undefined"


# Every tag for which cbor2 has a reading of its own.
_KNOWN_TAGS = (0, 1, 2, 3, 4, 5, 25, 28, 29, 30, 35, 36, 37, 52, 54, 100, 256, 258, 260, 261, 1004, 1040, 43000, 55799)


def _keep(number: int, value: Any, _immutable: bool) -> Tag:
    return Tag(number, value)


def _keep_unknown(tag: cbor2.CBORTag, _immutable: bool) -> Tag:
    return Tag(tag.tag, tag.value)


_KEEP_TAGS = {number: partial(_keep, number) for number in _KNOWN_TAGS}
_ARRAY_OF_TWO = b"\x82"
_FAULTS = (cbor2.CBORError, ValueError, TypeError, OverflowError, RecursionError)


def decode(data: bytes, *, max_depth: int, code: Code | None = None) -> Any:
    """The one CBOR item that ``data`` consists of.

    Indefinite lengths are legal in COSE and CWT (RFC 9052 §9 restricts only the structures that are signed).
    Raises :class:`DecodeError` with ``code`` (``CBOR_DESERIALIZATION_FAILED`` where none is given) for anything
    malformed, nested deeper than ``max_depth``, with a repeated map key, or with bytes after its end.
    """
    marked = _ARRAY_OF_TWO + data + UNDEFINED_BYTE
    try:
        value, is_whole = _read(data, marked, max_depth)
    except _FAULTS:
        # The library's own message may quote the data, so it is not passed on.
        raise _error(code, "not well-formed CBOR within the limits") from None
    except BaseException as error:
        # A panic in the decoder's compiled part arrives as an exception that is no Exception.
        if type(error).__name__ == "PanicException":
            raise _error(code, "the CBOR decoder gave up") from None
        raise
    if not is_whole:
        raise _error(code, "bytes after the end of the CBOR item")
    return value


def _read(data: bytes, marked: bytes, max_depth: int) -> tuple[Any, bool]:
    """The first item in ``data``, and whether there is nothing after it; ``marked`` is an array of it and undefined."""
    # Of all texts and numbers only rare binary ones have this byte. Where it is not, it can mark the end: it comes out
    # as the second of the two only if the first ended where it had to. What else is wrong it does not tell.
    if UNDEFINED_BYTE not in data:
        try:
            value, end = cbor2.loads(
                marked,
                max_depth=max_depth + 1,
                allow_duplicate_keys=False,
                semantic_decoders=_KEEP_TAGS,
                tag_hook=_keep_unknown,
            )
        except _FAULTS:
            end = None
        if end is cbor2.undefined:
            return value, True
    source = BytesIO(data)
    decoder = cbor2.CBORDecoder(
        source, max_depth=max_depth, allow_duplicate_keys=False, semantic_decoders=_KEEP_TAGS, tag_hook=_keep_unknown
    )
    value = decoder.decode()
    if UNDEFINED_BYTE in data:
        value = _replace_undefined(value)
    return value, source.tell() == len(data)


def has_undefined(value: Any) -> bool:
    """Whether the simple value undefined stands anywhere in a decoded ``value``."""
    if isinstance(value, Mapping):
        return any(map(has_undefined, value.keys())) or any(map(has_undefined, value.values()))
    if isinstance(value, (list, tuple)):
        return any(map(has_undefined, value))
    return has_undefined(value.value) if isinstance(value, Tag) else value is Undefined.UNDEFINED


def _replace_undefined(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {_replace_undefined(key): _replace_undefined(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(map(_replace_undefined, value))
    if isinstance(value, Tag):
        return Tag(value.tag, _replace_undefined(value.value))
    return Undefined.UNDEFINED if value is cbor2.undefined else value


def encode(value: Any) -> bytes:
    """``value`` in definite lengths, maps in the order given."""
    return cbor2.dumps(value)


def _error(code: Code | None, detail: str) -> DecodeError:
    return DecodeError(code or Code.CBOR_DESERIALIZATION_FAILED, detail, step=Step.DECODE)
