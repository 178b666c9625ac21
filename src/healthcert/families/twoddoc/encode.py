"""From the family-neutral model to a 2D-Doc of version 4: the way back of ``family.py``."""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime

from healthcert.codings import ATC, COVID_19, DETECTED, LOINC, NOT_DETECTED, TWODDOC_RESULT
from healthcert.encoding import base32
from healthcert.encoding.algorithms import Algorithm
from healthcert.errors import Code, DecodeError, IssueError, Step, VerificationError
from healthcert.families.protocol import Wire
from healthcert.families.twoddoc.content import (
    COVID,
    CYCLES,
    RESULTS,
    SEXES,
    read_test,
    read_vaccination,
)
from healthcert.families.twoddoc.dates import days_of, to_france
from healthcert.families.twoddoc.fields import TEST, VACCINATION, read_fields, table_of
from healthcert.families.twoddoc.header import GS, US
from healthcert.model import Coding, Event, Holder, Private, TestResult, Vaccination

_VERSION, _PERIMETER, _COUNTRY = "04", "01", "FR"
_ALGORITHMS = (Algorithm.ES256, Algorithm.ES384, Algorithm.ES512)
_NAME = re.compile(r"[0-9A-Z]{4}", re.ASCII)
# What readers take; the mode C40 of the symbol has it in few bits.
_TEXT = re.compile(r"[0-9A-Z./-](?:[0-9A-Z ./-]*[0-9A-Z./-])?", re.ASCII)
_ATC_CODE = re.compile(r"[0-9A-Z]{5,7}", re.ASCII)
_LOINC_CODE = re.compile(r"[0-9]{1,5}-[0-9]", re.ASCII)
_BORN = re.compile(r"((?:19|20)[0-9]{2})(?:-([0-9]{2})(?:-([0-9]{2}))?)?", re.ASCII)
# Letters that are no letter with a mark; a hyphen or a space for what looks like one.
_LETTERS = str.maketrans(
    {"Œ": "OE", "Æ": "AE", "Ø": "O", "Ł": "L", "Đ": "D", "ẞ": "SS", "'": " ", "’": " ", "‐": "-", "‑": "-", "\xa0": " "}
)
_LETTER_OF = {coding: letter for letter, coding in SEXES.items()}
_DETECTED, _NOT_DETECTED = "P", "N"


class UnsignedTwoDDoc(Private, frozen=True):
    """A 2D-Doc that only lacks its signature over ``to_be_signed``."""

    signed: str

    @property
    def to_be_signed(self) -> bytes:
        return self.signed.encode("ascii")

    def assemble(self, signature: bytes) -> Wire:
        """The document with this signature, raw ``r || s``."""
        text = self.signed + US + base32.encode(signature)
        return Wire(text=text, binary=text.encode("ascii"), segments=(text,), symbol="datamatrix")


def unsigned(
    *,
    event: Event,
    holder: Holder,
    issued_at: datetime,
    expires_at: datetime | None,
    algorithm: Algorithm,
    authority: str,
    certificate_id: str,
) -> UnsignedTwoDDoc:
    """The document of a vaccination (type L1) or of a test for COVID-19 (type B2), dated on the day of ``issued_at``.

    ``authority`` and ``certificate_id`` name the key: ``FR00`` and ``0001``. Names are written as the specification has
    them, in capitals without accents. Raises :class:`IssueError` (``FIELD_INVALID``), naming the field, its rule and an
    example, never its value.
    """
    if expires_at is not None:
        raise _invalid("expires_at", "a 2D-Doc has no place for it, so it must be left out", "None")
    # 2D-Doc specification, signature: ECDSA on P-256, P-384 or P-521.
    if algorithm not in _ALGORITHMS:
        raise _invalid("algorithm", "one of ECDSA", "ES256")
    day = days_of(to_france(issued_at).date()) if issued_at.utcoffset() is not None else None
    if day is None:
        raise _invalid("issued_at", "a moment with its time zone, from 2000 to 2179", "2021-08-20T10:03:12+02:00")
    names = "".join(
        _matching(name, value, _NAME, "four digits and capital letters", example)
        for name, value, example in (("authority", authority, "FR00"), ("certificate_id", certificate_id, "0001"))
    )
    _refuse_what_has_no_place(event, holder)
    match event:
        case Vaccination():
            kind, fields = VACCINATION, _vaccination(event, holder)
        case TestResult():
            kind, fields = TEST, _test(event, holder)
        case _:
            raise _invalid("event", "a vaccination or a test", "Vaccination(...)")
    message = _message(kind, fields)
    _check(kind, message)
    return UnsignedTwoDDoc(f"DC{_VERSION}{names}{day}{day}{kind}{_PERIMETER}{_COUNTRY}{message}")


def _vaccination(event: Vaccination, holder: Holder) -> dict[str, str]:
    dose, series = _digit("dose", event.dose), _digit("series", event.series)
    cycle = event.other.get("cycle", "TE" if dose >= series else "CO")
    if cycle not in CYCLES:
        raise _invalid("other: cycle", "TE where the cycle is complete, CO where it is ongoing", "TE")
    return {
        "L0": _text("family_name", holder.family_name, "MULLER", 80),
        "L1": _text("given_name", holder.given_name, "JEAN PAUL", 80),
        "L2": _birth_date(holder.birth_date),
        "L3": COVID if event.disease == COVID_19 else _name("disease", event.disease, "COVID-19"),
        "L4": _code("vaccine", event.vaccine, ATC, _ATC_CODE, "a code of the ATC", "J07BX03"),
        "L5": _name("product", event.product, "COMIRNATY PFIZER/BIONTECH"),
        "L6": _name("manufacturer", event.manufacturer, "PFIZER/BIONTECH"),
        "L7": dose,
        "L8": series,
        "L9": _day("date", event.date),
        "LA": cycle,
    }


def _test(event: TestResult, holder: Holder) -> dict[str, str]:
    if event.disease not in (None, COVID_19):
        raise _invalid("disease", "COVID-19, which the type of document is for", "840539006")
    return {
        "F0": _text("given_name", holder.given_name, "JEAN PAUL", 60),
        "F1": _text("family_name", holder.family_name, "MULLER", 38),
        "F2": _birth_date(holder.birth_date),
        "F3": _sex(holder.sex),
        # The readers of the time took letters and digits only.
        "F4": _code("test_type", event.test_type, LOINC, _LOINC_CODE, "a LOINC code", "94500-6").replace("-", ""),
        "F5": _result(event.result),
        "F6": _moment("sampled_at", event.sampled_at),
    }


def _message(kind: str, fields: dict[str, str]) -> str:
    """The fields one after the other; those of variable length end with GS."""
    table = table_of(kind)
    ends = {name: "" if least == most else GS for name, (least, most) in table.items()}
    return "".join(name + value + ends[name] for name, value in fields.items())


def _check(kind: str, message: str) -> None:
    """The fields must pass what a strict verifier will ask of them, but for the zone that no document tells."""
    try:
        fields = read_fields(message, table_of(kind))
        findings = list(fields.findings)
        (read_vaccination if kind == VACCINATION else read_test)(fields, findings)
    except (DecodeError, VerificationError) as error:
        raise IssueError(error.code, error.detail, Step.CONTENT) from None
    for finding in findings:
        if finding.code is not Code.TIME_WITHOUT_ZONE:
            raise IssueError(finding.code, finding.detail, Step.CONTENT)


def _refuse_what_has_no_place(event: Event, holder: Holder) -> None:
    """Nothing that was to be certified may be left out in silence."""
    for values, names in ((holder, _NO_PLACE[Holder]), (event, _NO_PLACE.get(type(event), ()))):
        for name in names:
            if getattr(values, name):
                raise _invalid(name, "a 2D-Doc has no place for it, so it must be left out", "None")
    if isinstance(event, Vaccination):
        if holder.sex is not None:
            raise _invalid("sex", "a vaccination of 2D-Doc has no place for it, so it must be left out", "None")
        if event.other.keys() - {"cycle"}:
            raise _invalid("other", "nothing but the state of the cycle", '{"cycle": "TE"}')


_NO_PLACE: dict[type, tuple[str, ...]] = {
    Holder: (
        "family_name_icao", "given_name_icao", "full_name", "nationality", "document_number", "guardian", "other",
    ),
    Vaccination: ("partial_date", "country", "issuer", "certificate_id", "batch", "centre", "clinician"),
    TestResult: (
        "sampled_on", "partial_date", "name", "device", "centre", "country", "issuer", "certificate_id", "resulted_at",
        "other",
    ),
}  # fmt: skip


def _text(name: str, value: object, example: str, most: int, least: int = 1) -> str:
    """A text in the capitals that readers take; letters lose their marks, as in French registers' own spelling."""
    rule = f"text of {least} to {most} letters from A to Z (with marks or without), digits, spaces and ./-"
    given = value.upper().translate(_LETTERS) if isinstance(value, str) else ""
    bare = "".join(c for c in unicodedata.normalize("NFD", given) if not unicodedata.combining(c))
    text = " ".join(word for word in bare.split(" ") if word)
    if not least <= len(text) <= most:
        raise _invalid(name, rule, example)
    return _matching(name, text, _TEXT, rule, example)


def _name(name: str, value: object, example: str) -> str:
    """The name of a coding, which is all that a document says of it."""
    given = value.display or value.code if isinstance(value, Coding) else None
    return _text(name, given, example, 30, 1 if name == "disease" else 5)


def _code(name: str, value: object, system: str, pattern: re.Pattern[str], rule: str, example: str) -> str:
    given = value.code if isinstance(value, Coding) and value.system == system else None
    return _matching(name, given, pattern, f"{rule}, as a Coding of the system {system}", example)


def _result(value: Coding) -> str:
    letter = {DETECTED: _DETECTED, NOT_DETECTED: _NOT_DETECTED}.get(value)
    if letter is None and value.system == TWODDOC_RESULT and value.code in RESULTS:
        letter = value.code
    if letter is None:
        raise _invalid("result", "detected or not detected, or a letter of 2D-Doc's own", "260415000")
    return letter


def _sex(value: Coding | None) -> str:
    if value not in _LETTER_OF:
        raise _invalid("sex", "male or female as a Coding of FHIR's administrative gender, or None", "female")
    return _LETTER_OF[value]


def _birth_date(value: object) -> str:
    found = _BORN.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise _invalid("birth_date", "a date from 1900 as YYYY-MM-DD, YYYY-MM or YYYY", "1964-08-12")
    return f"{found[3] or '00'}{found[2] or '00'}{found[1]}"


def _day(name: str, value: object) -> str:
    if not isinstance(value, date) or isinstance(value, datetime) or value.year < 1900:
        raise _invalid(name, "a day (datetime.date) from 1900 on", "2021-05-29")
    return f"{value:%d%m}{value.year:04}"


def _moment(name: str, value: object) -> str:
    if not isinstance(value, datetime) or value.utcoffset() is None or not 1996 <= value.year < 9999:
        raise _invalid(name, "a moment with its time zone, from 1996 on", "2021-08-20T10:03+02:00")
    if value.second or value.microsecond:
        raise _invalid(name, "a moment of whole minutes", "2021-08-20T10:03+02:00")
    return f"{to_france(value):%d%m%Y%H%M}"


def _digit(name: str, value: object) -> str:
    if type(value) is not int or not 1 <= value <= 9:
        raise _invalid(name, "a whole number from 1 to 9", "2")
    return str(value)


def _matching(name: str, value: object, pattern: re.Pattern[str], rule: str, example: str) -> str:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise _invalid(name, rule, example)
    return value


def _invalid(name: str, rule: str, example: str) -> IssueError:
    return IssueError(Code.FIELD_INVALID, f"{name}: {rule}; for example {example}", Step.CONTENT)
