"""An operator's mapping file: how a laboratory's or a hospital's records are written, as TOML.

What it may say is in ``docs/reference/intake.md``. It is checked whole before a record is read.
"""

from __future__ import annotations

import codecs
import tomllib
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta, Struct, field

from healthcert.codings import COVID_19, DETECTED, NAAT, NOT_DETECTED, RAPID_ANTIGEN
from healthcert.errors import Code, IssueError, Step
from healthcert.families.hcert.valuesets import product_of
from healthcert.intake.codes import SHIPPED, Codes, OwnCodes
from healthcert.intake.dates import Ambiguous, Pattern, check_pattern
from healthcert.intake.naming import SHORT_NAMES
from healthcert.intake.reading import RecordFormat
from healthcert.intake.record import ENTRY_TYPES, IDENTITY_FIELDS, fields_of
from healthcert.limits import DEFAULT_LIMITS, read_file
from healthcert.model import Coding, EntryType

FIELDS = frozenset((*IDENTITY_FIELDS, *(name for kind in ENTRY_TYPES for name in fields_of(kind))))
"""Every field that a record of some kind may have."""
DATES = ("birth_date", "date", "first_positive", "valid_from", "valid_until", "sampled_at")
CODED = ("vaccine", "product", "manufacturer", "disease", "test_type", "result")
"""Fields whose codes may be of another system than the EU's."""
# Encodings in which the signs of a table are the bytes of ASCII, and a line ends where it seems to.
ENCODINGS = (
    "utf-8", "utf-8-sig", "ascii", "cp1250", "cp1251", "cp1252", "cp1253", "cp1254", "cp1257",
    "iso8859-1", "iso8859-2", "iso8859-5", "iso8859-7", "iso8859-9", "iso8859-13", "iso8859-15",
)  # fmt: skip

_Text = Annotated[str, Meta(min_length=1, max_length=200)]
_Sign = Annotated[str, Meta(min_length=1, max_length=1)]
_Column = _Text | Annotated[int, Meta(ge=1, le=1000)]


class Table(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a table in CSV is written.

    ``quote`` is empty where no sign quotes; ``multiline`` whether a quoted cell may hold line ends; ``cells`` how many
    cells a row has, where there is no ``header``.
    """

    delimiter: _Sign = ","
    quote: Annotated[str, Meta(max_length=1)] = '"'
    encoding: str = "utf-8"
    header: bool = True
    cells: Annotated[int, Meta(ge=1, le=1000)] | None = None
    multiline: bool = True


class KindColumn(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a record says what it is about, and in which words."""

    column: _Column
    values: Mapping[str, EntryType]


class RecordMapping(Struct, frozen=True, kw_only=True):
    """A mapping file that was read and checked. ``columns`` are, for each field, those that its cell is joined from."""

    format: RecordFormat | None = None
    kind: EntryType | KindColumn | None = None
    table: Table = Table()
    columns: Mapping[str, tuple[str | int, ...]] = {}
    constants: Mapping[str, str] = {}
    dates: Mapping[str, tuple[Pattern, ...]] = {}
    zone: ZoneInfo | None = None
    ambiguous: Ambiguous | None = None
    systems: Mapping[str, str] = {}
    codes: Codes = SHIPPED
    own: OwnCodes = OwnCodes()


class _Own(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    vaccine: dict[_Text, _Text] = field(default_factory=dict)
    test_type: dict[_Text, _Text] = field(default_factory=dict)
    result: dict[_Text, _Text] = field(default_factory=dict)
    disease: dict[_Text, _Text] = field(default_factory=dict)


class _File(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    format: RecordFormat | None = None
    kind: EntryType | KindColumn | None = None
    zone: _Text | None = None
    ambiguous: Ambiguous | None = None
    csv: Table = Table()
    columns: dict[str, _Column | list[_Column]] = field(default_factory=dict)
    constants: dict[str, _Text] = field(default_factory=dict)
    dates: dict[str, _Text | list[_Text]] = field(default_factory=dict)
    systems: dict[str, _Text] = field(default_factory=dict)
    codes: _Own = field(default_factory=_Own)


def load_mapping(path: str | Path) -> RecordMapping:
    """A mapping file.

    Raises :class:`IssueError` (``MAPPING_INVALID``) naming the key, :class:`DecodeError` (``INPUT_TOO_LONG``), OSError.
    """
    return read_mapping(read_file(path, DEFAULT_LIMITS.key_file_bytes))


def read_mapping(data: bytes) -> RecordMapping:
    """A mapping file's bytes. Raises :class:`IssueError` (``MAPPING_INVALID``)."""
    try:
        given = msgspec.convert(tomllib.loads(data.decode("utf-8")), _File)
    except tomllib.TOMLDecodeError as error:
        raise invalid(f"not TOML: {error}") from None
    except UnicodeDecodeError:
        raise invalid("not UTF-8") from None
    except msgspec.ValidationError as error:
        raise invalid(str(error)) from None
    except (ValueError, RecursionError):  # a number of too many digits, or nested too deep
        raise invalid("not TOML that can be read") from None
    _check_table(given)
    own = _own_codes(given.codes)
    return RecordMapping(
        format=given.format,
        kind=given.kind,
        table=given.csv,
        columns=_columns(given),
        constants={_known("constants", name, _fields(given)): value for name, value in given.constants.items()},
        dates={_known("dates", name, DATES): _patterns(name, value) for name, value in given.dates.items()},
        zone=None if given.zone is None else _zone(given.zone),
        ambiguous=given.ambiguous,
        systems={
            _known("systems", name, CODED): _system(f"systems.{name}", value) for name, value in given.systems.items()
        },
        codes=SHIPPED if own == OwnCodes() else Codes(own),
        own=own,
    )


def invalid(detail: str) -> IssueError:
    """What a mapping's fault raises; ``detail`` names the key."""
    return IssueError(Code.MAPPING_INVALID, detail, Step.CONTENT)


def _fields(given: _File) -> frozenset[str]:
    """The fields of the records that the file is for."""
    if isinstance(given.kind, EntryType):
        return frozenset((*IDENTITY_FIELDS, *fields_of(given.kind))) if given.kind in ENTRY_TYPES else frozenset()
    return FIELDS


def _known(table: str, name: str, names: frozenset[str] | tuple[str, ...]) -> str:
    if name not in names:
        raise invalid(f"{table}.{name}: no such field here; there are: {', '.join(sorted(names))}")
    return name


def _check_table(given: _File) -> None:
    table = given.csv
    kinds = given.kind.values.values() if isinstance(given.kind, KindColumn) else [given.kind]
    if any(kind is not None and kind not in ENTRY_TYPES for kind in kinds):
        raise invalid(f"kind: records can be taken in of: {', '.join(ENTRY_TYPES)}")
    signs = table.delimiter + table.quote
    if len({*signs}) != len(signs) or any(sign.isalnum() or sign in "\r\n\0 " or ord(sign) > 127 for sign in signs):
        raise invalid("csv.delimiter: it and the quote are two signs of ASCII, not letters, digits or line ends")
    try:
        encoding = codecs.lookup(table.encoding).name
    except (LookupError, ValueError):
        encoding = ""
    if encoding not in ENCODINGS:
        raise invalid(f"csv.encoding: one of: {', '.join(ENCODINGS)}")
    if table.header == (table.cells is not None):
        raise invalid("csv.cells: it is told where there is no header, and only there")
    if given.ambiguous and given.zone is None:
        raise invalid("ambiguous: it says nothing without a zone")


def _columns(given: _File) -> dict[str, tuple[str | int, ...]]:
    columns = {
        _known("columns", name, _fields(given)): (*value,) if isinstance(value, list) else (value,)
        for name, value in given.columns.items()
    }
    if both := columns.keys() & given.constants.keys():
        raise invalid(f"constants.{min(both)}: it has a column already")
    used = {**columns, "kind": (given.kind.column,)} if isinstance(given.kind, KindColumn) else columns
    if not given.csv.header and not columns:
        raise invalid("columns: they are told by number where there is no header")
    for name, value in used.items():
        if not value:
            raise invalid(f"columns.{name}: names no column")
        for column in value:
            if not given.csv.header and (isinstance(column, str) or column > (given.csv.cells or 0)):
                raise invalid(f"columns.{name}: a number from 1 to {given.csv.cells}, for there is no header")
    return columns


def _patterns(name: str, value: str | list[str]) -> tuple[Pattern, ...]:
    try:
        patterns = tuple(map(Pattern, [value] if isinstance(value, str) else value))
        for pattern in patterns:
            check_pattern(name, pattern)
    except ValueError as error:
        raise invalid(f"dates.{name}: {error}") from None
    if not patterns:
        raise invalid(f"dates.{name}: names no pattern")
    return patterns


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError):  # one of a folder's name is a ZoneInfoNotFoundError, a path a ValueError
        raise invalid("zone: no time zone of this name; for example Europe/Paris") from None


def _system(key: str, value: str) -> str:
    if value in SHORT_NAMES:
        return SHORT_NAMES[value]
    if ":" not in value:
        raise invalid(f"{key}: a URI, or one of: {', '.join(SHORT_NAMES)}")
    return value


def _own_codes(given: _Own) -> OwnCodes:
    def some(*codings: Coding) -> Callable[[str], str | None]:
        return lambda code: code if code in {coding.code for coding in codings} else None

    def product(name: str) -> str | None:
        found = product_of(name)
        return None if found is None else found.product.code

    return OwnCodes(
        product=_own("vaccine", given.vaccine, product, lambda codes, one: codes.vaccine_of([one])),
        test_type=_own(
            "test_type", given.test_type, some(NAAT, RAPID_ANTIGEN), lambda codes, one: codes.test_type_of([one])
        ),
        result=_own("result", given.result, some(DETECTED, NOT_DETECTED), lambda codes, one: codes.result_of([one])),
        disease=_own("disease", given.disease, some(COVID_19), lambda codes, one: codes.disease_of([one])),
    )


def _own(
    name: str, given: Mapping[str, str], target: Callable[[str], str | None], find: Callable[[Codes, Coding], Any]
) -> dict[tuple[str, str], str]:
    """A table of own codes, none of which says anything else than the library's table does."""
    found: dict[tuple[str, str], str] = {}
    for key, value in given.items():
        where = f"codes.{name}.{key!r}"
        code = target(value)
        if code is None:
            raise invalid(f"{where}: {value!r} is no code of the EU's value set for it")
        system, own = _split(where, key)
        alone = Codes(OwnCodes(**{"product" if name == "vaccine" else name: {(system, own): code}}))
        said = [_said(partial(find, codes, Coding(system, own))) for codes in (SHIPPED, alone)]
        if said[1] is None or (said[0] is not None and said[0] != said[1]):
            raise invalid(f"{where}: the library's table says otherwise")
        found[system, own] = code
    return found


def _split(where: str, key: str) -> tuple[str, str]:
    """System and code of a key: ``cvx:208``, ``local:PFZ``, or ``http://lab.example/codes|PFZ``."""
    system, bar, code = key.rpartition("|")
    if bar:
        return _system(where, system), code
    system, _, code = key.partition(":")
    if system not in SHORT_NAMES or not code:
        raise invalid(f"{where}: system and code as cvx:208, local:ABC or http://lab.example/codes|ABC")
    return SHORT_NAMES[system], code


def _said(find: Callable[[], Any]) -> Any:
    try:
        return find()
    except IssueError:
        return None
