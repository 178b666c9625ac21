"""Value sets: the codes that rules ask for, that an issuer may write, and the names that people read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from functools import cache
from types import MappingProxyType
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from healthcert.errors import Code, RuleError, Step, TrustError
from healthcert.families.hcert.valuesets import shipped_sets
from healthcert.limits import DEFAULT_LIMITS, Limits
from healthcert.lists.reading import read_json
from healthcert.rules.certlogic import CodeArray

SET_OF = MappingProxyType({field: str(given["id"]) for field, given in shipped_sets().items()})
"""The value set of each coded field of the payload; ``v.ma`` and ``t.ma`` are different fields."""

# What lists of the field call some languages by: the codes of their countries, which are not those of the languages.
_LANGUAGES = {"si": "sl", "ua": "uk"}
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class ValueSetCode(Struct, frozen=True):
    """One code. ``active`` is whether it may still be issued: certificates that have it stay what they are.

    ``display`` is its name in the language ``lang``, ``names`` those in further languages. ``valid_until`` is the last
    day of issuing, where that is known beforehand.
    """

    code: str
    display: str
    lang: str
    active: bool
    version: str
    system: str
    valid_until: date | None = None
    names: tuple[tuple[str, str], ...] = ()

    def name(self, language: str = "en") -> str:
        """The name in this language (BCP 47, ``de`` or ``de-AT``), else in its primary one, in English, or in any."""
        names = dict(reversed(((self.lang, self.display), *self.names)))
        wanted = _language(language)
        for tag in (wanted, wanted.partition("-")[0], "en"):
            if tag in names:
                return names[tag]
        return self.display


class ValueSet(Struct, frozen=True):
    """One value set as it was published on ``date`` (ISO 8601): its codes, active or not.

    The date is empty where nobody says when it was: any set that has one counts as newer.
    """

    id: str
    date: str
    codes: Mapping[str, ValueSetCode]

    def __repr__(self) -> str:
        return f"ValueSet(id={self.id!r}, date={self.date!r}, {len(self.codes)} codes)"


class ValueSets:
    """Value sets by their identifiers. Does not change: :meth:`merged` makes another one."""

    __slots__ = ("_codes", "_sets")

    def __init__(self, sets: Iterable[ValueSet] = ()) -> None:
        """Of several with one identifier the last one counts that is not older than those before it."""
        kept: dict[str, ValueSet] = {}
        for given in sets:
            kept[given.id] = _newer(kept[given.id], given) if given.id in kept else given
        self._sets = MappingProxyType(dict(sorted(kept.items())))
        # Inactive codes are kept: a certificate that was issued with one stays acceptable. The language reads an
        # object of JSON and nothing like it, so this is no proxy.
        self._codes = {name: CodeArray(sorted(given.codes)) for name, given in self._sets.items()}

    @property
    def codes(self) -> Mapping[str, CodeArray]:
        """The codes of every set, as rules read them from ``external.valueSets``. Not to be changed."""
        return self._codes

    @property
    def dates(self) -> dict[str, str]:
        """When each set was published: the first thing to look at when a rule refuses what it should not.

        Empty where nobody says.
        """
        return {name: given.date for name, given in self._sets.items()}

    def get(self, name: str) -> ValueSet | None:
        """The set of an identifier, or of a field of the payload (``mp``, ``v.ma``, ``t.ma`` ...)."""
        return self._sets.get(SET_OF.get(name, name))

    def display(self, name: str, code: str, language: str = "en") -> str:
        """What a code of a set (identifier or field) is called; the code itself where no set has it."""
        given = self.get(name)
        known = None if given is None else given.codes.get(code)
        return code if known is None else known.name(language) or code

    def may_be_issued(self, field: str, code: str, day: date) -> bool:
        """Whether the set of a field has this code, and as one that is active on ``day``.

        Devices (``t.ma``) are judged by a list that is newer than the one that is part of this library, which is but
        an example. A field without a set has no code that may be issued.
        """
        given = self.get(field)
        if given is None or (field == "t.ma" and given.date <= _example().date):
            return field == "t.ma"
        known = given.codes.get(code)
        return known is not None and known.active and (known.valid_until is None or day <= known.valid_until)

    def merged(self, other: ValueSets) -> ValueSets:
        """Both, where ``other`` counts unless its set is the older one.

        Sets of one date are no reason to keep the first: release 2.12.0 of the EU's sets added codes without moving
        the date. Names in further languages are kept from both.
        """
        return ValueSets((*self, *other))

    def __iter__(self) -> Iterator[ValueSet]:
        return iter(self._sets.values())

    def __len__(self) -> int:
        return len(self._sets)

    def __eq__(self, other: object) -> bool:
        return self._sets == other._sets if isinstance(other, ValueSets) else NotImplemented

    def __hash__(self) -> int:
        return hash(tuple(self.dates.items()))

    def __repr__(self) -> str:
        return f"ValueSets({', '.join(self._sets)})"


def read_value_set(data: bytes | Mapping[str, Any], limits: Limits = DEFAULT_LIMITS) -> ValueSet:
    """A value set from its JSON: ``valueSetId``, ``valueSetDate`` and ``valueSetValues``; other members are ignored.

    The EU's encoding instructions, which come with the value sets, are read for the names of their products. Raises
    :class:`RuleError` (``RULE_LIST_UNREADABLE``), also for one of more than ``limits.list_bytes``.
    """
    if isinstance(data, bytes):
        if len(data) > limits.list_bytes:
            raise _unreadable(f"more than {limits.list_bytes} bytes")
        try:
            data = read_json(data, dict)
        except TrustError as error:
            raise _unreadable(error.detail) from None
    match data:
        case {"valueSetId": str(name), "valueSetDate": str(day), "valueSetValues": Mapping() as values} if name:
            pass
        case _:
            raise _unreadable("not an identifier, a date and values")
    # The schema asks for a date (DCC.ValueSets.schema.json); what tells the newer set must be comparable, or empty.
    if day and (_as_day(day) is None or len(day) != len("YYYY-MM-DD")):
        raise _unreadable("valueSetDate is not a date")
    return ValueSet(name, day, {code: _code(code, value) for code, value in values.items()})


@cache
def shipped() -> ValueSets:
    """The value sets that are part of this library (release 2.12.0 of the EU's), with their inactive codes."""
    return ValueSets(
        ValueSet(
            given["id"],
            given["date"],
            {
                code: ValueSetCode(code, value["display"], "en", value["active"], "", value["system"])
                for code, value in given["codes"].items()
            },
        )
        for given in shipped_sets().values()
    )


@cache
def shipped_for_rules() -> ValueSets:
    """Those of :func:`shipped` that rules may go by: all but the list of test devices.

    That one is an example, and years behind the gateway's: by it, devices would be refused that countries accept. Where
    no list brings the devices, a rule that asks for them is OPEN.
    """
    return ValueSets(one for one in shipped() if one != _example())


@cache
def _example() -> ValueSet:
    """The devices that are part of this library."""
    example = shipped().get("t.ma")
    assert example is not None
    return example


def _code(code: str, value: Any) -> ValueSetCode:
    match value:
        # DCC.ValueSets.schema.json: all five are required.
        case {"display": str(display), "lang": str(lang), "active": bool(active), "version": str(version)} if code:
            system = value.get("system")
            until = value.get("validUntil")
            # The gateway writes a moment where the schema has a date.
            last = _as_day(until) if isinstance(until, str) else None
            if not isinstance(system, str) or (until is not None and last is None):
                raise _unreadable("a code without its code system, or until when it is valid")
            return ValueSetCode(code, display, _language(lang), active, version, system, last)
        case {"vaccine-code": str()} if code:  # an entry of the encoding instructions
            return ValueSetCode(code, code, "en", active=True, version="", system="")
        case _:
            raise _unreadable("a code without what belongs to it")


def _newer(known: ValueSet, given: ValueSet) -> ValueSet:
    """The set that counts of two with one identifier, ``given`` being the later one to come."""
    counts, other = (known, given) if given.date < known.date else (given, known)
    codes = {code: _with_names(found, other.codes.get(code)) for code, found in counts.codes.items()}
    return ValueSet(counts.id, counts.date, codes)


def _with_names(code: ValueSetCode, other: ValueSetCode | None) -> ValueSetCode:
    """The code with the other's names in the languages that it has none in itself."""
    if other is None or (other.lang == code.lang and not other.names):
        return code
    theirs = dict(((other.lang, other.display), *other.names))
    names = {lang: name for lang, name in (theirs | dict(code.names)).items() if lang != code.lang}
    return replace(code, names=tuple(sorted(names.items())))


def _language(tag: str) -> str:
    tag = tag.lower()
    return _LANGUAGES.get(tag, tag)


def _as_day(text: str) -> date | None:
    try:
        return date.fromisoformat(text[:10]) if _DAY.match(text) else None
    except ValueError:
        return None


def _unreadable(detail: str) -> RuleError:
    return RuleError(Code.RULE_LIST_UNREADABLE, f"a value set: {detail}", Step.RULES)
