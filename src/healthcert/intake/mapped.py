"""A record of names and plain values to a row, as a mapping has it: its kind, dates, codes and identity."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from healthcert import codings
from healthcert.errors import Code, HealthCertError, IssueError, Step
from healthcert.families.hcert.valuesets import product_of, value_sets
from healthcert.intake.dates import in_zone, read_birth_date, read_day, read_moment
from healthcert.intake.ins import NIR, identity_of_identifiers
from healthcert.intake.mapping import DATES, KindColumn, RecordMapping, invalid
from healthcert.intake.naming import SHORT_NAMES
from healthcert.intake.reading import Identity, RejectedRow, Row
from healthcert.intake.record import ENTRY_TYPES, IDENTITY_FIELDS, fields_of, read_record
from healthcert.model import Coding, EntryType, Holder

if TYPE_CHECKING:
    from healthcert.intake.records import IntakeOptions

_REMEMBERED = 4096  # values of coded fields, of which a laboratory has some dozens, and the minutes of some days
_IDENTITY = frozenset(IDENTITY_FIELDS)
_PLAIN_DATES = frozenset(DATES) - {"sampled_at"}
# A code that names its system: cvx:208. Not "eu-name:", whose codes are the EU's own names.
_NAMED_CODE = re.compile(rf"({'|'.join(sorted(SHORT_NAMES))}):(.+)")
_USUAL_SYSTEMS = {"test_type": codings.LOINC, "disease": codings.SNOMED_CT}
_VACCINE = ("vaccine", "product", "manufacturer")
# Value sets of the EU for what a field of a dose may say in the EU's own codes.
_EU_FIELDS = {"vaccine": "vp", "manufacturer": "v.ma"}


class RecordReader:
    """Reads records as a mapping has them. ``kind`` counts over what the mapping and the record say of it."""

    def __init__(self, options: IntakeOptions) -> None:
        """Raises :class:`IssueError` (``MAPPING_INVALID``) where the options contradict the mapping."""
        self._mapping = mapping = options.mapping or RecordMapping()
        self._kind = mapping.kind if options.kind is None else options.kind
        if isinstance(mapping.kind, EntryType) and mapping.kind is not self._kind:
            raise invalid("kind: the mapping is for records of another kind")
        if isinstance(self._kind, EntryType) and self._kind not in ENTRY_TYPES:
            raise invalid(f"kind: records can be taken in of: {', '.join(ENTRY_TYPES)}")
        self._constants = {
            kind: {name: value for name, value in mapping.constants.items() if name in (*fields_of(kind), *_IDENTITY)}
            for kind in ENTRY_TYPES
        }
        # Codes of the EU need no table: then a product brings what belongs to it as in any other record.
        self._foreign = bool(mapping.own.product) or not mapping.systems.keys().isdisjoint(_VACCINE)
        self._coded = lru_cache(_REMEMBERED)(self._find_coded)
        self._dose = lru_cache(_REMEMBERED)(self._find_dose)
        self._moment = lru_cache(_REMEMBERED)(self._find_moment)
        self._dated = frozenset(mapping.dates) & _PLAIN_DATES

    def kind_of(self, said: object) -> EntryType:
        """What a record is about, that says so itself. Raises :class:`IssueError` (``FIELD_INVALID``)."""
        if isinstance(self._kind, EntryType):
            if said not in (None, self._kind):
                raise _error(f"type: the records are to be of a {self._kind}")
            return self._kind
        known = self._kind.values if isinstance(self._kind, KindColumn) else _KINDS
        kind = known.get(said) if isinstance(said, str) else None
        if kind is None:
            raise _error("type: tells what the record is about, in one of the words that it may have")
        return kind

    def read(self, number: int, said: object, record: Mapping[str, Any]) -> Row | RejectedRow:
        """A row of a record's names and values; ``said`` is what it says to be about, None where it does not."""
        try:
            kind = self.kind_of(said)
            given = {**self._constants[kind], **record}
            identity = None
            if not _IDENTITY.isdisjoint(given):
                traits = {name: given.pop(name, None) for name in IDENTITY_FIELDS}
                identity = traits if any(traits.values()) else None
            self._read_dates(given)
            self._read_codes(kind, given)
            holder, event = read_record(kind, given)
            known = None if identity is None else _identity(identity, holder)
            return Row(number=number, holder=holder, event=event, identity=known)
        except HealthCertError as error:
            return RejectedRow(number, error)

    def _read_dates(self, given: dict[str, Any]) -> None:
        dates = self._mapping.dates
        for name in self._dated:
            if type(text := given.get(name)) is str:
                patterns = dates[name]
                given[name] = (
                    read_birth_date(patterns, text) if name == "birth_date" else read_day(name, patterns, text)
                )
        if type(text := given.get("sampled_at")) is str:
            given["sampled_at"] = self._moment(text)

    def _read_codes(self, kind: EntryType, given: dict[str, Any]) -> None:
        for name in ("test_type", "result") if kind is EntryType.TEST else ():
            if type(text := given.get(name)) is str:
                given[name] = self._coded(name, text)
        if type(text := given.get("disease")) is str:
            given["disease"] = self._coded("disease", text)
        if kind is EntryType.VACCINATION:
            parts = tuple(given.get(name) for name in _VACCINE)
            if all(part is None or type(part) is str for part in parts):
                given.update(self._dose(parts))

    def _find_moment(self, text: str) -> datetime:
        mapping = self._mapping
        patterns = mapping.dates.get("sampled_at", ())
        moment = read_moment(patterns, text) if patterns else _iso_moment(text)
        return in_zone(moment, mapping.zone, mapping.ambiguous)

    def _find_coded(self, field: str, text: str) -> Coding:
        codes, one = self._mapping.codes, self._coding(field, text)
        if field == "test_type":
            return codes.test_type_of([one])
        return codes.result_of([one]) if field == "result" else codes.disease_of([one])

    def _find_dose(self, parts: tuple[str | None, ...]) -> Mapping[str, Coding]:
        """What the codes of a dose say, where they are foreign ones; nothing where they are the EU's."""
        if not self._foreign and not any(part and _NAMED_CODE.fullmatch(part) for part in parts):
            return {}
        vaccine, product, maker = (
            [] if part is None else [self._coding(name, part)] for name, part in zip(_VACCINE, parts, strict=True)
        )
        found = self._mapping.codes.vaccine_of([*product, *vaccine], maker)
        return {"vaccine": found.vaccine, "product": found.product, "manufacturer": found.manufacturer}

    def _coding(self, field: str, text: str) -> Coding:
        if named := _NAMED_CODE.fullmatch(text):
            return Coding(SHORT_NAMES[named[1]], named[2])
        if (system := self._mapping.systems.get(field)) is not None:
            return Coding(system, text)
        if field == "product" and (known := product_of(text)) is not None:
            return known.product
        if field in _EU_FIELDS and (listed := value_sets().get((_EU_FIELDS[field], text))) is not None:
            return listed
        return Coding(_USUAL_SYSTEMS.get(field, ""), text)


_KINDS: Mapping[str, EntryType] = {str(kind): kind for kind in ENTRY_TYPES}


def _iso_moment(text: str) -> datetime:
    try:
        if "T" in text or " " in text:  # a day alone is no moment, and would be read as its midnight
            return datetime.fromisoformat(text)
    except ValueError:
        pass
    raise _error("sampled_at: a moment with its time zone; for example 2021-08-20T10:03:12+02:00")


def _identity(traits: Mapping[str, Any], holder: Holder) -> Identity | None:
    """The identity that came with a record, checked against what the record says of the person."""
    if not all(value is None or isinstance(value, str) for value in traits.values()):
        raise _error("ins_matricule: text; and so are the other parts of the identity")
    matricule = traits["ins_matricule"]
    if not matricule:
        raise _error("ins_matricule: is missing, and the other parts of an identity are not")
    return identity_of_identifiers(
        [(traits["ins_oid"] or NIR, None, matricule)],
        birth_name=traits["ins_birth_name"],
        given_names=traits["ins_given_names"],
        birth_date=traits["ins_birth_date"] or holder.birth_date or None,
        sex=traits["ins_sex"],
        birth_place=traits["ins_birth_place"],
    )


def _error(detail: str) -> IssueError:
    return IssueError(Code.FIELD_INVALID, detail, Step.CONTENT)
