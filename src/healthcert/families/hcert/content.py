"""Between the EU DCC payload and the family-neutral model, both ways, with every check of the content."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from functools import cache
from typing import Any

import msgspec

from healthcert.codings import COVID_19
from healthcert.errors import Code, Step, VerificationError
from healthcert.families.hcert.mend import mend
from healthcert.families.hcert.payload import (
    MAX_TEXT,
    Dcc,
    Entry,
    RecoveryEntry,
    TestEntry,
    VaccinationEntry,
    to_typed,
)
from healthcert.families.hcert.valuesets import coding, is_listed
from healthcert.families.protocol import Finding
from healthcert.model import EntryType, Event, Holder, Recovery, TestResult, Vaccination

GROUPS = {"v": EntryType.VACCINATION, "t": EntryType.TEST, "r": EntryType.RECOVERY}

_TRANSLITERATED = re.compile(r"[A-Z<]*")
_SCHEMA_PATH = re.compile(r"`\$(.*?)`")


def read_payload(payload: object) -> tuple[Dcc, list[Finding]]:
    """The typed payload of a received map, and how it departs from schema 1.3.

    Raises :class:`VerificationError`: ``SCHEMA_VALIDATION_FAILED``, ``NO_ENTRY`` or ``MULTIPLE_ENTRIES``.
    """
    findings: list[Finding] = []
    try:
        dcc = to_typed(payload)
    except msgspec.ValidationError as first:
        if not isinstance(payload, Mapping):
            raise _invalid(_explain(first)) from None
        mended, findings = mend(payload)
        try:
            dcc = to_typed(mended)
        except msgspec.ValidationError as error:
            raise _invalid(_explain(error)) from None
    # DCC schema 1.3.0 (oneOf, maxItems 1): exactly one entry in total. Test DGC2 has three.
    entries = len(dcc.v) + len(dcc.t) + len(dcc.r)
    if entries == 0:
        raise VerificationError(Code.NO_ENTRY, "neither a vaccination, a test nor a recovery", Step.CONTENT)
    if entries > 1:
        raise VerificationError(Code.MULTIPLE_ENTRIES, f"{entries} entries where one belongs", Step.CONTENT)
    _check_holder(dcc, findings)
    _check_entry(dcc, findings)
    return dcc, findings


def to_model(dcc: Dcc, payload: Mapping[Any, Any]) -> tuple[Holder, tuple[Event, ...]]:
    """Holder and events of a payload; ``payload`` is the map as received, for what the schema does not name.

    Raises :class:`VerificationError` (``SCHEMA_VALIDATION_FAILED``) for a date that no calendar has.
    """
    nam = dcc.nam
    holder = Holder(
        family_name=nam.fn or None,
        given_name=nam.gn or None,
        birth_date=dcc.dob,
        family_name_icao=nam.fnt or None,
        given_name_icao=nam.gnt or None,
        other=_unnamed(payload, Dcc),
    )
    events: list[Event] = [_vaccination(v, _raw_entry(payload, "v")) for v in dcc.v]
    events += [_test(t, _raw_entry(payload, "t")) for t in dcc.t]
    events += [_recovery(r, _raw_entry(payload, "r")) for r in dcc.r]
    return holder, tuple(events)


def _vaccination(entry: VaccinationEntry, raw: Mapping[Any, Any]) -> Vaccination:
    return Vaccination(
        disease=coding("tg", entry.tg),
        vaccine=coding("vp", entry.vp),
        product=coding("mp", entry.mp),
        manufacturer=coding("v.ma", entry.ma),
        dose=entry.dn,
        series=entry.sd,
        date=_day(entry.dt, "v[0].dt"),
        country=entry.co,
        issuer=entry.is_,
        certificate_id=entry.ci,
        other=_unnamed(raw, VaccinationEntry),
    )


def _test(entry: TestEntry, raw: Mapping[Any, Any]) -> TestResult:
    return TestResult(
        disease=coding("tg", entry.tg),
        test_type=coding("tt", entry.tt),
        sampled_at=_moment(entry.sc, "t[0].sc"),
        result=coding("tr", entry.tr),
        name=entry.nm or None,
        device=coding("t.ma", entry.ma) if entry.ma else None,
        centre=entry.tc or None,
        country=entry.co,
        issuer=entry.is_,
        certificate_id=entry.ci,
        other=_unnamed(raw, TestEntry) | ({"dr": entry.dr} if entry.dr else {}),
    )


def _recovery(entry: RecoveryEntry, raw: Mapping[Any, Any]) -> Recovery:
    return Recovery(
        disease=coding("tg", entry.tg),
        first_positive=_day(entry.fr, "r[0].fr"),
        valid_from=_day(entry.df, "r[0].df"),
        valid_until=_day(entry.du, "r[0].du"),
        country=entry.co,
        issuer=entry.is_,
        certificate_id=entry.ci,
        other=_unnamed(raw, RecoveryEntry),
    )


def _check_holder(dcc: Dcc, findings: list[Finding]) -> None:
    nam = dcc.nam
    # DCC schema 1.3.2: at least one transliterated name. Those that have only a display name still name somebody.
    if not any(name.strip("< ") for name in (nam.fnt, nam.gnt, nam.fn, nam.gn)):
        raise _invalid("nam: no name at all")
    if not (nam.fnt or nam.gnt):
        findings.append(_found(Code.NAME_NOT_TRANSLITERATED, "nam: neither fnt nor gnt"))
    for field, text in (("fnt", nam.fnt), ("gnt", nam.gnt)):
        # DCC schema, nam: ^[A-Z<]*$ (ICAO Doc 9303-3 §6).
        if text and not _TRANSLITERATED.fullmatch(text):
            findings.append(_found(Code.NAME_NOT_TRANSLITERATED, f"nam.{field}: other than A-Z and <"))
    _check_lengths(nam, ("fn", "gn", "fnt", "gnt"), "nam", findings)
    if len(dcc.dob) == len("YYYY-MM-DD"):
        _day(dcc.dob, "dob")
    if not dcc.ver.startswith("1."):
        findings.append(_found(Code.UNKNOWN_SCHEMA_VERSION, "ver: a schema version that is not known"))


def _check_entry(dcc: Dcc, findings: list[Finding]) -> None:
    entries: tuple[Entry, ...] = (*dcc.v, *dcc.t, *dcc.r)
    entry = entries[0]
    group = "v" if dcc.v else "t" if dcc.t else "r"
    where = f"{group}[0]"
    listed: tuple[tuple[str, str], ...] = (("co", entry.co),)
    texts: tuple[str, ...] = ("is_", "ci")
    if isinstance(entry, VaccinationEntry):
        listed = (*listed, ("vp", entry.vp), ("mp", entry.mp), ("v.ma", entry.ma))
        texts = (*texts, "vp", "mp", "ma")
        if entry.sd == 0:
            # DCC schema: minimum 1.
            findings.append(_found(Code.DOSE_OUT_OF_RANGE, f"{where}.sd: less than 1"))
    elif isinstance(entry, TestEntry):
        listed = (*listed, ("tt", entry.tt))
        texts = (*texts, "tt", "nm", "ma", "tc")
        if not entry.tr:
            findings.append(_found(Code.EMPTY_CODE, f"{where}.tr: empty"))
    for field, code in listed:
        if not is_listed(field, code):
            found, what = (Code.UNKNOWN_CODE, "not in its value set") if code else (Code.EMPTY_CODE, "empty")
            findings.append(_found(found, f"{where}.{field.removeprefix('v.')}: {what}"))
    _check_lengths(entry, texts, where, findings)
    if entry.tg != COVID_19.code:
        found, what = (Code.UNKNOWN_DISEASE, "not the code of COVID-19") if entry.tg else (Code.EMPTY_CODE, "empty")
        findings.append(_found(found, f"{where}.tg: {what}"))


def _check_lengths(struct: msgspec.Struct, names: tuple[str, ...], where: str, findings: list[Finding]) -> None:
    for name in names:
        if len(getattr(struct, name)) > MAX_TEXT:
            detail = f"{where}.{name.rstrip('_')}: over {MAX_TEXT} characters"
            findings.append(_found(Code.TEXT_TOO_LONG, detail))


def _raw_entry(payload: Mapping[Any, Any], group: str) -> Mapping[Any, Any]:
    entry: Mapping[Any, Any] = payload[group][0]
    return entry


def _unnamed(raw: Mapping[Any, Any], struct: type[msgspec.Struct]) -> dict[str, Any]:
    """What ``raw`` holds under names that the schema does not know."""
    known = _known_fields(struct)
    if raw.keys() <= known:
        return {}
    return {str(key): value for key, value in raw.items() if key not in known}


@cache
def _known_fields(struct: type[msgspec.Struct]) -> frozenset[str]:
    return frozenset(struct.__struct_encode_fields__)


def _day(text: str, where: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise _invalid(f"{where}: no such day in the calendar") from None


def _moment(text: str, where: str) -> datetime:
    try:
        return datetime.fromisoformat(text.replace(",", ".").upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise _invalid(f"{where}: no such moment in the calendar") from None


def _explain(error: msgspec.ValidationError) -> str:
    """The library's message as field and rule: ``v[0].dn: expected `int`, got `str```."""
    rule, _, path = str(error).partition(" - at ")
    match = _SCHEMA_PATH.search(path)
    field = match[1].lstrip(".") if match else ""
    return f"{field or 'the payload'}: {rule[:1].lower()}{rule[1:]}"


def _invalid(detail: str) -> VerificationError:
    return VerificationError(Code.SCHEMA_VALIDATION_FAILED, detail, Step.CONTENT)


def _found(code: Code, detail: str) -> Finding:
    return Finding(code, Step.CONTENT, detail)
