"""From the EU DCC payload to the family-neutral model, with every check of the content on the way."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from functools import cache
from itertools import compress, product
from typing import Any

import msgspec

from healthcert.codings import COVID_19, finding
from healthcert.errors import Code, Step, VerificationError
from healthcert.families.hcert.kind import Content
from healthcert.families.hcert.mend import mend
from healthcert.families.hcert.payload import (
    MAX_TEXT,
    Dcc,
    Name,
    RecoveryEntry,
    TestEntry,
    VaccinationEntry,
    to_typed,
)
from healthcert.families.hcert.usual import read_usual
from healthcert.families.hcert.valuesets import coding, value_sets
from healthcert.families.protocol import Finding
from healthcert.model import Coding, EntryType, Event, Holder, Recovery, TestResult, Vaccination

GROUPS = {"v": EntryType.VACCINATION, "t": EntryType.TEST, "r": EntryType.RECOVERY}

_TRANSLITERATED = re.compile(r"[A-Z<]*")
_SCHEMA_PATH = r"`\$(.*?)`"
_CURRENT = "1.3."
# What may be there of the three groups, and the types that it makes together.
_TYPES = {here: frozenset(compress(GROUPS.values(), here)) for here in product((False, True), repeat=3)}


class EuDcc:
    """The payload under key 1 of the hcert claim: one vaccination, test or recovery (DCC schema 1.0.0 to 1.3.3)."""

    def __init__(self, name: str, domains: frozenset[str]) -> None:
        self.name = name
        self.domains = domains

    def entry_types(self, payload: Mapping[Any, Any]) -> frozenset[EntryType]:
        return _TYPES[bool(payload.get("v")), bool(payload.get("t")), bool(payload.get("r"))]

    def read(self, payload: Mapping[Any, Any]) -> Content:
        return read_payload(payload)


def read_payload(payload: Mapping[Any, Any]) -> Content:
    """Holder and entry of a received payload, and how it departs from the schema.

    Raises :class:`VerificationError`: ``SCHEMA_VALIDATION_FAILED`` (also for a date that no calendar has), ``NO_ENTRY``
    or ``MULTIPLE_ENTRIES``.
    """
    return read_usual(payload) or _read_any(payload)


def _read_any(payload: Mapping[Any, Any]) -> Content:
    findings: list[Finding] = []
    dcc, mended = _typed(payload, findings)
    # DCC schema 1.3.0 (oneOf, maxItems 1): exactly one entry in total. Test DGC2 has three.
    entries = len(dcc.v) + len(dcc.t) + len(dcc.r)
    if entries == 0:
        raise VerificationError(Code.NO_ENTRY, "neither a vaccination, a test nor a recovery", Step.CONTENT)
    if entries > 1:
        raise VerificationError(Code.MULTIPLE_ENTRIES, f"{entries} entries where one belongs", Step.CONTENT)
    if len(dcc.dob) == len("YYYY-MM-DD"):
        day(dcc.dob, "dob")
    holder = holder_of(dcc.nam, dcc.dob, unnamed(payload, Dcc), findings)
    event: Event
    if dcc.v:
        event = _vaccination(dcc.v[0], payload["v"][0], findings)
    elif dcc.t:
        event = _test(dcc.t[0], payload["t"][0], findings)
    else:
        event = _recovery(dcc.r[0], payload["r"][0], findings)
    if not dcc.ver.startswith(_CURRENT) or (dcc.nam.gnt and not dcc.nam.fnt):
        _check_version(dcc.ver, mended, findings)
    return Content(dcc.ver, holder, (event,), findings)


def _typed(payload: Mapping[Any, Any], findings: list[Finding]) -> tuple[Dcc, Mapping[Any, Any]]:
    """The payload typed and as a map, mended where it does not fit the schema as it stands."""
    try:
        return to_typed(payload), payload
    except msgspec.ValidationError:
        mended, departures = mend(payload)
    findings += departures
    try:
        return to_typed(mended), mended
    except msgspec.ValidationError as error:
        raise invalid(explain(error)) from None


def _check_version(version: str, payload: Mapping[Any, Any], findings: list[Finding]) -> None:
    """Old certificates live on, and are read under today's rules; what those of their own day forbade is told."""
    from healthcert.families.hcert.schema import violations

    if not version.startswith("1."):
        findings.append(found(Code.UNKNOWN_SCHEMA_VERSION, "ver: a schema version that is not known"))
        return
    known = {finding.detail.partition(":")[0] for finding in findings}
    problems = [problem for problem in violations(payload) if problem.partition(":")[0] not in known]
    if problems:
        # DCC schema, ver: a payload follows the version it names.
        findings.append(found(Code.SCHEMA_VERSION_MISMATCH, f"against its own schema version: {'; '.join(problems)}"))


def holder_of(nam: Name, birth_date: str, other: dict[str, Any], findings: list[Finding]) -> Holder:
    """The holder that a ``nam`` map names. Raises :class:`VerificationError` where it names nobody."""
    fn, gn, fnt, gnt = nam.fn, nam.gn, nam.fnt, nam.gnt
    # DCC schema 1.3.2: at least one transliterated name. Those that have only a display name still name somebody.
    if not (fnt + gnt + fn + gn).strip("< "):
        raise invalid("nam: no name at all")
    if not (fnt or gnt):
        findings.append(found(Code.NAME_NOT_TRANSLITERATED, "nam: neither fnt nor gnt"))
    # DCC schema, nam: ^[A-Z<]*$ (ICAO Doc 9303-3 §6).
    elif not _TRANSLITERATED.fullmatch(fnt + gnt):
        wrong = [name for name, text in (("fnt", fnt), ("gnt", gnt)) if not _TRANSLITERATED.fullmatch(text)]
        findings += [found(Code.NAME_NOT_TRANSLITERATED, f"nam.{name}: other than A-Z and <") for name in wrong]
    if max(len(fn), len(gn), len(fnt), len(gnt)) > MAX_TEXT:
        check_lengths(nam, "nam", findings)
    return Holder(
        family_name=fn or None,
        given_name=gn or None,
        birth_date=birth_date,
        family_name_icao=fnt or None,
        given_name_icao=gnt or None,
        other=other,
    )


def _vaccination(entry: VaccinationEntry, raw: Mapping[Any, Any], findings: list[Finding]) -> Vaccination:
    if entry.sd == 0:
        # DCC schema: minimum 1.
        findings.append(found(Code.DOSE_OUT_OF_RANGE, "v[0].sd: less than 1"))
    if max(len(entry.is_), len(entry.ci), len(entry.vp), len(entry.mp), len(entry.ma)) > MAX_TEXT:
        check_lengths(entry, "v[0]", findings)
    sets = value_sets()
    return Vaccination(
        disease=disease(entry.tg, "v[0].tg", findings),
        vaccine=sets.get(("vp", entry.vp)) or _unlisted("vp", entry.vp, "v[0].vp", findings),
        product=sets.get(("mp", entry.mp)) or _unlisted("mp", entry.mp, "v[0].mp", findings),
        manufacturer=sets.get(("v.ma", entry.ma)) or _unlisted("v.ma", entry.ma, "v[0].ma", findings),
        dose=entry.dn,
        series=entry.sd,
        date=day(entry.dt, "v[0].dt"),
        country=country(entry.co, "v[0].co", findings),
        issuer=entry.is_,
        certificate_id=entry.ci,
        other=unnamed(raw, VaccinationEntry),
    )


def _test(entry: TestEntry, raw: Mapping[Any, Any], findings: list[Finding]) -> TestResult:
    result = value_sets().get(("tr", entry.tr)) or coding("tr", entry.tr)
    if not entry.tr:
        findings.append(found(Code.EMPTY_CODE, "t[0].tr: empty"))
    elif result.display is None and finding(result) is not None:
        # DCC schema 1.3.0, tr: one of its value set. What is no result at all is refused in any case.
        findings.append(found(Code.UNKNOWN_CODE, "t[0].tr: not in its value set"))
    check_lengths(entry, "t[0]", findings)
    return TestResult(
        disease=disease(entry.tg, "t[0].tg", findings),
        test_type=value_sets().get(("tt", entry.tt)) or _unlisted("tt", entry.tt, "t[0].tt", findings),
        sampled_at=_moment(entry.sc, "t[0].sc"),
        result=result,
        name=entry.nm or None,
        device=coding("t.ma", entry.ma) if entry.ma else None,
        centre=entry.tc or None,
        country=country(entry.co, "t[0].co", findings),
        issuer=entry.is_,
        certificate_id=entry.ci,
        other=unnamed(raw, TestEntry) | ({"dr": entry.dr} if entry.dr else {}),
    )


def _recovery(entry: RecoveryEntry, raw: Mapping[Any, Any], findings: list[Finding]) -> Recovery:
    check_lengths(entry, "r[0]", findings)
    return Recovery(
        disease=disease(entry.tg, "r[0].tg", findings),
        first_positive=day(entry.fr, "r[0].fr"),
        valid_from=day(entry.df, "r[0].df"),
        valid_until=day(entry.du, "r[0].du"),
        country=country(entry.co, "r[0].co", findings),
        issuer=entry.is_,
        certificate_id=entry.ci,
        other=unnamed(raw, RecoveryEntry),
    )


def disease(code: str, where: str, findings: list[Finding]) -> Coding:
    """The disease of an entry, which has been COVID-19 in every honest one."""
    # DCC schema 1.3.0, tg: a value set of one.
    if code == COVID_19.code:
        return COVID_19
    told, what = (Code.UNKNOWN_DISEASE, "not the code of COVID-19") if code else (Code.EMPTY_CODE, "empty")
    findings.append(found(told, f"{where}: {what}"))
    return coding("tg", code)


def country(code: str, where: str, findings: list[Finding]) -> str:
    """The country of an entry, reported where no list has it."""
    if ("co", code) not in value_sets():
        _unlisted("co", code, where, findings)
    return code


def _unlisted(field: str, code: str, where: str, findings: list[Finding]) -> Coding:
    # DCC schema 1.3.0, valueset-uri: the code is one of its value set.
    told, what = (Code.UNKNOWN_CODE, "not in its value set") if code else (Code.EMPTY_CODE, "empty")
    findings.append(found(told, f"{where}: {what}"))
    return coding(field, code)


def check_lengths(struct: msgspec.Struct, where: str, findings: list[Finding]) -> None:
    """Reports each text that is longer than the schema allows."""
    # DCC schema 1.3.0: maxLength 80.
    for name in struct.__struct_fields__:
        text = getattr(struct, name)
        if isinstance(text, str) and len(text) > MAX_TEXT:
            detail = f"{where}.{name.rstrip('_')}: over {MAX_TEXT} characters"
            findings.append(found(Code.TEXT_TOO_LONG, detail))


def unnamed(raw: Mapping[Any, Any], struct: type[msgspec.Struct]) -> dict[str, Any]:
    """What ``raw`` holds under names that the schema does not know."""
    known = _known_fields(struct)
    if raw.keys() <= known:
        return {}
    return {str(key): value for key, value in raw.items() if key not in known}


@cache
def _known_fields(struct: type[msgspec.Struct]) -> frozenset[str]:
    return frozenset(struct.__struct_encode_fields__)


def day(text: str, where: str) -> date:
    """A day of the calendar. Raises :class:`VerificationError` for one that there is not."""
    # DCC schema 1.3.0, format: date.
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise invalid(f"{where}: no such day in the calendar") from None


def _moment(text: str, where: str) -> datetime:
    # DCC schema 1.3.0, format: date-time.
    try:
        return datetime.fromisoformat(text.replace(",", ".").upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise invalid(f"{where}: no such moment in the calendar") from None


def explain(error: msgspec.ValidationError) -> str:
    """The library's message as field and rule: ``v[0].dn: expected `int`, got `str```."""
    rule, _, path = str(error).partition(" - at ")
    match = re.search(_SCHEMA_PATH, path)
    field = match[1].lstrip(".") if match else ""
    return f"{field or 'the payload'}: {rule[:1].lower()}{rule[1:]}"


def invalid(detail: str) -> VerificationError:
    """The refusal of a payload that does not fit its schema."""
    return VerificationError(Code.SCHEMA_VALIDATION_FAILED, detail, Step.CONTENT)


def found(code: Code, detail: str) -> Finding:
    """A departure in the content."""
    return Finding(code, Step.CONTENT, detail)
