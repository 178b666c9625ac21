"""The canonical form of JSON (RFC 8785): what seals are signed in, and some revocation lists hash contents in.

What was read from JSON has one spelling here: no spaces, members in the order of their names' UTF-16 code units, texts
and numbers as ECMAScript writes them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import msgspec

from healthcert.errors import Code, DecodeError, Step

_FIXED_POINT = range(-5, 22)  # where the decimal point may stand before ECMAScript takes to exponents
_EXACT = 2**53  # up to here doubles have every integer
_TEXT = frozenset((str,))


def canonical(value: object) -> bytes:
    """The canonical form of a value as :mod:`json` reads it.

    Raises :class:`DecodeError` (``CANONICALIZATION_FAILED``) for what JSON cannot say or this form refuses: NaN,
    infinity, numbers beyond the range of a double, lone surrogates, names that are no text, nesting without end.
    """
    try:
        if _is_plain(value):
            return msgspec.json.encode(value, order="sorted")
        return _written(value).encode("utf-8")
    except UnicodeEncodeError:
        # RFC 8785 §3.2.2.2: a lone surrogate must end it.
        raise _unreadable("a text with half a surrogate pair") from None
    except RecursionError:
        raise _unreadable("nested too deeply") from None


def _is_plain(value: object) -> bool:
    """Whether there is nothing in it that writers of JSON differ about: no fractions, and names that sort in one way.

    The texts of health certificates are that, and a compiled encoder writes them in a fraction of the time.
    """
    found: list[Any] = [value]
    for item in found:
        kind = type(item)
        if kind is str:
            continue
        if kind is dict:
            if not _TEXT.issuperset(map(type, item)) or not "".join(item).isascii():
                return False
            found.extend(item.values())
        elif kind is list:
            found.extend(item)
        elif kind is int:
            if not -_EXACT <= item <= _EXACT:
                return False
        elif kind is not bool and item is not None:
            return False
    return True


def _written(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        # RFC 8785 §3.2.2.2: the escapes that must be, the short ones where there are such, all else as it is.
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, int | float):
        return _number(value)
    if isinstance(value, list | tuple):
        return f"[{','.join([_written(item) for item in value])}]"
    if isinstance(value, Mapping):
        return f"{{{','.join([f'{_written(name)}:{_written(value[name])}' for name in _sorted(value)])}}}"
    raise _unreadable("a value that JSON has no form for")


def _sorted(members: Mapping[object, object]) -> list[str]:
    names = [name for name in members if isinstance(name, str)]
    if len(names) != len(members):
        raise _unreadable("a name that is no text")
    # RFC 8785 §3.2.3: by UTF-16 code units, which is not the order of code points beyond the basic plane.
    return sorted(names, key=lambda name: name.encode("utf-16-be"))


def _number(value: float) -> str:
    """A number as ECMAScript's Number::toString writes it (ECMA-262, "Number::toString").

    Like that, ``repr`` finds the fewest digits that read back, and of those the nearest; only its notation differs.
    """
    try:
        value = float(value)  # RFC 8785 §3.2.2.3: all numbers are doubles, integers too
    except OverflowError:
        raise _unreadable("a number beyond the range of a double") from None
    # RFC 8785 §3.2.2.3: NaN and infinity must end it.
    if not math.isfinite(value):
        raise _unreadable("a number that is not finite")
    if value == 0:
        return "0"  # also for the negative one
    sign = "-" if value < 0 else ""
    mantissa, _, power = repr(abs(value)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    leading = (whole + fraction).lstrip("0")
    point = len(leading) - len(fraction) + int(power or 0)  # where it stands, counted from the first digit
    digits = leading.rstrip("0")
    if point not in _FIXED_POINT:
        after = f".{digits[1:]}" if len(digits) > 1 else ""
        return f"{sign}{digits[0]}{after}e{point - 1:+d}"
    if point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    if len(digits) <= point:
        return sign + digits.ljust(point, "0")
    return f"{sign}{digits[:point]}.{digits[point:]}"


def _unreadable(detail: str) -> DecodeError:
    return DecodeError(Code.CANONICALIZATION_FAILED, f"canonical JSON: {detail}", Step.DECODE)
