"""Values of CertLogic: which are true, which are equal, and what stands at a path."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from healthcert.errors import Code, RuleError, Step
from healthcert.rules.certlogic.dates import DateTime, undefined

LARGEST = 2**53
"""Integers reach from its negative to it, as everywhere that JSON numbers are doubles (RFC 8259 §6)."""
_INDEX_DIGITS = 9
_LONGEST_KEPT = 64  # characters of a path that is kept

Reader = Callable[[Any], Any]


class CodeArray(list[str]):
    """An array of texts that is looked into often: a value set. It may not be changed."""

    __slots__ = ("members",)

    def __init__(self, codes: Any) -> None:
        super().__init__(codes)
        self.members = frozenset(self)


def truth(value: Any) -> bool:
    """Whether a value is truthy rather than falsy.

    Raises :class:`RuleError` (``CERTLOGIC_UNDEFINED``) for one that is neither.
    """
    if value is True or value is False:
        return bool(value)
    if value is None:
        return False
    if isinstance(value, (str, int, list, dict)):
        return bool(value)
    if isinstance(value, float) and value.is_integer():
        return bool(value)
    raise undefined("neither truthy nor falsy")


def integer(value: Any) -> int:
    """An integer, also one that JSON wrote as ``2.0``. Raises :class:`RuleError` (``CERTLOGIC_UNDEFINED``)."""
    if type(value) is int:
        return value
    if type(value) is float and value.is_integer():
        return int(value)
    raise undefined("not an integer")


def equal(left: Any, right: Any) -> bool:
    """``===``: of the same type, and the same.

    It is defined for scalars. Two arrays, two objects and two date-times are equal in some implementations and not in
    others: an error. Raises :class:`RuleError` (``CERTLOGIC_UNDEFINED``).
    """
    one, other = _kind(left), _kind(right)
    if one is not other:
        return False
    if one in _COMPOUND:
        raise undefined("=== of two arrays, objects or date-times")
    return bool(left == right)


def contains(array: list[Any], value: Any) -> bool:
    """``in``: whether an item is equal to the value. Raises :class:`RuleError` (``CERTLOGIC_UNDEFINED``)."""
    if isinstance(value, str):
        return value in array  # a text equals nothing but a text
    return any(equal(item, value) for item in array)


def _kind(value: Any) -> type[Any]:
    if isinstance(value, str):
        return str
    if isinstance(value, list):
        return list
    if type(value) is float:
        return int  # JSON knows but one kind of number
    return type(value)


_COMPOUND = frozenset((list, dict, DateTime))
_LEAVES = (str, int, float, DateTime)
# Where the data are not of the shape that is expected.
_OTHERWISE = (TypeError, AttributeError, KeyError, IndexError)


def reader(path: str) -> Reader:
    """What reads the value at a path of ``var``, shared by all expressions that read there.

    Raises as :func:`_made` says, when it is called.
    """
    return _kept(path) if len(path) <= _LONGEST_KEPT else _made(path)


def _made(path: str) -> Reader:
    """What reads the value at a path of ``var``: null where a step leads nowhere.

    A decimal step is an index of an array, and of an object its member of that name. The quick way is for the shapes of
    paths that nearly all rules have, and the data that these are about; whatever is not as it expects is read step by
    step. That raises :class:`RuleError` (``CERTLOGIC_UNDEFINED``) where the data are not of JSON: what is in them is
    not missing.
    """
    if not path:
        return _all_of_it
    steps = path.split(".")
    walk = _walker(steps)
    match [step if (index := _index(step)) is None else index for step in steps]:
        case [str(first), str(second)]:
            return _member(first, second, walk)
        case [str(first), str(second), str(third)]:
            return _inner_member(first, second, third, walk)
        case [str(first), str(second), int(index)]:
            return _entry(first, second, index, walk)
        case [str(first), str(second), int(index), str(last)]:
            return _member_of_entry(first, second, index, last, walk)
    return walk


_kept = lru_cache(1024)(_made)


def _all_of_it(data: Any) -> Any:
    return data


def _walker(steps: list[str]) -> Reader:
    pairs = [(step, _index(step)) for step in steps]

    def walk(data: Any) -> Any:
        value = data
        for name, index in pairs:
            if isinstance(value, dict):
                value = value.get(name)
            elif isinstance(value, list):
                value = value[index] if index is not None and index < len(value) else None
            elif value is None or isinstance(value, _LEAVES):
                return None
            else:
                raise undefined("the data are not of JSON")
        return value

    return walk


def _member(first: str, second: str, walk: Reader) -> Reader:
    def read(data: Any) -> Any:
        try:
            return data[first].get(second)
        except _OTHERWISE:
            return walk(data)

    return read


def _inner_member(first: str, second: str, third: str, walk: Reader) -> Reader:
    def read(data: Any) -> Any:
        try:
            return data[first][second].get(third)
        except _OTHERWISE:
            return walk(data)

    return read


def _entry(first: str, second: str, index: int, walk: Reader) -> Reader:
    def read(data: Any) -> Any:
        try:
            array = data[first].get(second)
        except _OTHERWISE:
            return walk(data)
        if type(array) is list:
            return array[index] if index < len(array) else None
        return None if array is None else walk(data)

    return read


def _member_of_entry(first: str, second: str, index: int, last: str, walk: Reader) -> Reader:
    def read(data: Any) -> Any:
        try:
            array = data[first].get(second)
            # A character of a text is no entry, and has no members either.
            return None if array is None else array[index].get(last)
        except _OTHERWISE:
            return walk(data)

    return read


def _index(step: str) -> int | None:
    return int(step) if step.isascii() and step.isdigit() and len(step) <= _INDEX_DIGITS else None


def too_much(detail: str) -> RuleError:
    return RuleError(Code.CERTLOGIC_LIMIT, detail, Step.RULES)
