"""Reading what authors write: JSON in UTF-8, whose repeated members are found and named instead of one of them lost."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NoReturn

from msgspec import Struct

from healthcert.rules.lint.findings import Finding, Problem, error

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")  # RFC 9535 §2.5.1.1, of ASCII
_LONGEST_NAME = 60  # characters of a member in a path
_MOST = 50  # problems of one file: a stranger may repeat a member a million times


class Document(Struct, frozen=True):
    """A file's JSON value, None where there is none; and what is wrong with it as JSON."""

    value: Any
    problems: tuple[Problem, ...] = ()


def read_document(data: bytes) -> Document:
    """The JSON value in ``data``. Never raises: what is wrong is among the problems."""
    try:
        # json itself would take UTF-16, too, which no gateway does.
        pairs = json.loads(data.decode("utf-8"), object_pairs_hook=_Pairs, parse_constant=_no_constant)
        problems: list[Problem] = []
        value = _plain(pairs, ("$", None), problems)
    except UnicodeDecodeError as failure:
        return Document(None, (error(Finding.NOT_JSON, "$", f"no UTF-8 at byte {failure.start}"),))
    except json.JSONDecodeError as failure:
        where = f"in line {failure.lineno}, column {failure.colno}"
        return Document(None, (error(Finding.NOT_JSON, "$", f"no JSON: {failure.msg} {where}"),))
    except ValueError:
        # NaN and Infinity, and numbers of thousands of digits.
        return Document(None, (error(Finding.NOT_JSON, "$", "no JSON: a number that is none, or is far too long"),))
    except RecursionError:
        return Document(None, (error(Finding.NOT_JSON, "$", "nested far too deeply"),))
    return Document(value, tuple(problems))


def member(path: str, name: str) -> str:
    """The path of a member of the object at ``path``."""
    return f"{path}.{name}" if _PLAIN.fullmatch(name) else f"{path}[{json.dumps(name[:_LONGEST_NAME])}]"


def paths_of(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Every value within ``value``, itself first, in the order of the document, each with its path."""
    open_ = [(path, value)]
    while open_:
        where, one = open_.pop()
        yield where, one
        if isinstance(one, dict):
            open_.extend((member(where, str(name)), below) for name, below in reversed(one.items()))
        elif isinstance(one, list):
            open_.extend((f"{where}[{index}]", one[index]) for index in range(len(one) - 1, -1, -1))


class _Pairs(list[tuple[str, Any]]):
    """The members of an object, in their order, those that are there twice as well."""


_Place = tuple[str | int, "_Place | None"]
"""A member or index, and where the value is that it is in: paths are written out only where they are told of."""


def _plain(value: Any, place: _Place, problems: list[Problem]) -> Any:
    if isinstance(value, _Pairs):
        found: dict[str, Any] = {}
        for name, below in value:
            if name in found and len(problems) < _MOST:
                # RFC 8259 §4: what software makes of a repeated name differs.
                problems.append(error(Finding.DUPLICATE_MEMBER, _path((name, place)), "a member that is there twice"))
            found[name] = _plain(below, (name, place), problems)
        return found
    if isinstance(value, list):
        return [_plain(item, (index, place), problems) for index, item in enumerate(value)]
    return value


def _path(place: _Place) -> str:
    steps: list[str | int] = []
    here: _Place | None = place
    while here is not None:
        step, here = here
        steps.append(step)
    path = str(steps.pop())
    for step in reversed(steps):
        path = f"{path}[{step}]" if isinstance(step, int) else member(path, step)
    return path


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")
