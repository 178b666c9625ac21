"""The value sets of the Corona-Warn-App: codes and the names to show for them, in Protocol Buffers.

Source: cwa-app-android, Server-Protocol-Buffer, dgc/value_sets.proto::

    ValueSets     { ValueSet vp = 1; mp = 2; ma = 3; tg = 4; tcTt = 5; tcMa = 6; tcTr = 7 }
    ValueSet      { repeated ValueSetItem items = 1 }
    ValueSetItem  { string key = 1; string displayText = 2 }

Neither when a set was published is in it, nor which codes are inactive.
"""

from __future__ import annotations

from healthcert.encoding.protobuf import fields
from healthcert.errors import DecodeError
from healthcert.limits import DEFAULT_LIMITS, Limits
from healthcert.rules.sources.protocol import refused
from healthcert.rules.sources.reading import too_many
from healthcert.rules.sources.undated import undated
from healthcert.rules.valuesets import SET_OF, ValueSet

_FIELDS = {1: "vp", 2: "mp", 3: "v.ma", 4: "tg", 5: "tt", 6: "t.ma", 7: "tr"}


def read_cwa_value_sets(data: bytes, language: str = "en", limits: Limits = DEFAULT_LIMITS) -> tuple[ValueSet, ...]:
    """The value sets of a message, whose names are in ``language``. None has a date (:mod:`.undated`).

    Raises :class:`RuleError`: ``RULE_LIST_UNREADABLE``; ``INPUT_TOO_LONG`` for more codes than ``limits.rules``.
    """
    try:
        return tuple(_read(data, language, limits))
    except DecodeError as error:
        raise refused(error.detail) from None


def _read(data: bytes, language: str, limits: Limits) -> list[ValueSet]:
    found: dict[int, ValueSet] = {}
    count = 0
    for number, value in fields(data):
        # The same keys sign all that the app loads: a message with other fields is another document.
        if number not in _FIELDS or not isinstance(value, bytes) or number in found:
            raise refused("not the value sets of the app, each once")
        codes = _codes(value)
        count += len(codes)
        too_many(count, limits)
        found[number] = undated(SET_OF[_FIELDS[number]], codes, language)
    if not found:
        raise refused("it has no value sets")
    return [found[number] for number in sorted(found)]


def _codes(data: bytes) -> dict[str, str]:
    codes: dict[str, str] = {}
    for number, item in fields(data):
        if number != 1 or not isinstance(item, bytes):
            raise refused("a value set of something else than its codes")
        given: dict[int, str] = {}
        for part, value in fields(item):
            if part not in (1, 2) or not isinstance(value, bytes) or part in given:
                raise refused("a code of something else than itself and its name")
            given[part] = _text(value)
        # proto3: what is empty is left out. A name may be; a code that is empty is none.
        code = given.get(1, "")
        if not code or code in codes:
            raise refused("a code that is empty, or there twice")
        codes[code] = given.get(2, "")
    if not codes:
        raise refused("a value set without codes")
    return codes


def _text(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        raise refused("a text that is not UTF-8") from None
