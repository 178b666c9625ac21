"""What the World Health Organization puts beside the EU DCC: DDCC core data sets and health links.

Drafts of several years are in circulation, with other spellings of the same fields; all that are known are read. What
a field that ought to be there lacks is reported; only without a name, a date or what was given is there no record.
Sources: WHO SMART Trust HCERT specification 1.1.1 (claims), WHO DDCC core data sets.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from healthcert.codings import SNOMED_CT, named
from healthcert.errors import Code, Step, VerificationError
from healthcert.families.hcert.content import day, found, invalid
from healthcert.families.hcert.kind import Content
from healthcert.families.hcert.records import ABSENT, Record, fields_of, required
from healthcert.families.protocol import Finding
from healthcert.model import EntryType, Holder, TestResult, Vaccination

# Compiled when they are first needed, which is seldom.
_DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_LINK = r"(?:https://[^\s#]+#)?(?:shlink|vhlink):/[A-Za-z0-9_-]+=*"


class DdccVaccination:
    """The DDCC core data set of a vaccination (claim -260, key 3; drafts put it elsewhere)."""

    name = "WHO DDCC"
    domains = frozenset(("DDCC", "RACSEL-DDVC"))

    def entry_types(self, payload: Any) -> frozenset[EntryType]:
        return frozenset((EntryType.VACCINATION,))

    def read(self, payload: Any) -> Content:
        findings: list[Finding] = []
        fields = fields_of(payload, "the core data set", findings)
        _check_alone(payload)
        holder = _ddcc_holder(fields)
        vaccine = fields.coding("vaccine", wanted=True)
        product = fields.coding("brand", wanted=True)
        # WHO HCERT specification 1.1.1, DDCC core data set: vaccine and brand are required; drafts have one of them.
        if vaccine is None and product is None:
            raise invalid("the core data set: names no vaccine")
        event = Vaccination(
            disease=fields.coding("disease"),
            vaccine=vaccine,
            product=product,
            manufacturer=fields.coding("manufacturer", "ma_holder", "maholder", wanted=True),
            dose=fields.number("dose", wanted=True),
            series=fields.number("total_doses", "totalDoses"),
            date=fields.day("date"),
            country=fields.text("country", wanted=True),
            issuer=fields.text("pha"),
            certificate_id=fields.text("hcid"),
            batch=fields.text("lot", wanted=True),
            centre=fields.text("centre"),
            clinician=fields.text("hw"),
            other=fields.others(),
        )
        return Content("DDCC", holder, (event,), findings)


class DdccTest:
    """The DDCC core data set of a test result (claim -260, key 4): a map of the holder with one of the test in it."""

    name = "WHO DDCC"
    domains = frozenset(("DDCC", "RACSEL-DDVC"))

    def entry_types(self, payload: Any) -> frozenset[EntryType]:
        return frozenset((EntryType.TEST,))

    def read(self, payload: Any) -> Content:
        findings: list[Finding] = []
        about = fields_of(payload, "the core data set", findings)
        _check_alone(payload)
        holder = _ddcc_holder(about)
        test = fields_of(about.value("test") or payload, "the core data set.test", findings)
        result = test.coding("result")
        # WHO HCERT specification 1.1.1, DDCC core data set: a test has a result.
        if result is None:
            raise invalid("the core data set.test.result: is missing")
        if not result.system and result.code.isdigit():  # and not a word, as some have
            result = named(SNOMED_CT, result.code)
        sampled_at, sampled_on = _sampled(test.text("date", "sampled"), "the core data set.test.date", findings)
        event = TestResult(
            disease=test.coding("pathogen", "disease", wanted=True),
            test_type=test.coding("type", wanted=True),
            sampled_at=sampled_at,
            sampled_on=sampled_on,
            result=result,
            name=test.text("brand"),
            device=test.coding("manufacturer"),
            centre=test.text("centre"),
            country=test.text("country"),
            issuer=about.text("pha"),
            certificate_id=about.text("hcid"),
            other=about.others() | {f"test.{name}": value for name, value in test.others().items()},
        )
        return Content("DDCC", holder, (event,), findings)


class HealthLink:
    """A SMART or verifiable health link (claim -260, key 5): signed is where it leads, not what is found there."""

    name = "health link"
    domains = frozenset(("IPS-PILGRIMAGE", "PH4H"))

    def entry_types(self, payload: Any) -> frozenset[EntryType]:
        return frozenset()

    def read(self, payload: Any) -> Content:
        # WHO HCERT specification 1.1.1: claim 5 is a link.
        given = payload if isinstance(payload, (list, tuple)) else [payload]
        links = tuple(item.get("u", item.get("url")) if isinstance(item, Mapping) else item for item in given)
        if not links or not all(isinstance(link, str) and re.fullmatch(_LINK, link) for link in links):
            raise invalid("the health link: not shlink:/ or vhlink:/ and what follows")
        return Content("VHL", Holder(), (), [], links)


def is_core_data_set(raw: Mapping[Any, Any]) -> bool:
    """Whether a map looks like a DDCC core data set, which drafts have in the place of the claims, or of an EU DCC."""
    return "name" in raw and "nam" not in raw and (is_test(raw) or _is_vaccination(raw))


def is_test(core: Mapping[Any, Any]) -> bool:
    """Whether a core data set is about a test."""
    return core.get("test") not in ABSENT and core["test"] != {}


def _is_vaccination(core: Mapping[Any, Any]) -> bool:
    return any(core.get(name) not in ABSENT for name in ("vaccine", "brand"))


def _ddcc_holder(fields: Record) -> Holder:
    return Holder(
        full_name=required(fields.text("name"), "the core data set.name"),
        birth_date=fields.birth_date("birthDate"),
        sex=fields.coding("sex"),
        document_number=fields.text("identifier"),
    )


def _check_alone(core: Mapping[Any, Any]) -> None:
    # WHO HCERT specification 1.1.1, DDCC core data sets: one of a vaccination, another of a test.
    if is_test(core) and _is_vaccination(core):
        raise VerificationError(Code.MULTIPLE_ENTRIES, "a vaccination and a test in one core data set", Step.CONTENT)


def _sampled(text: str | None, where: str, findings: list[Finding]) -> tuple[datetime | None, date | None]:
    """When a sample was taken: the moment, or the day where no more is told."""
    if text is not None and re.fullmatch(_DAY, text):
        return None, day(text, where)
    try:
        moment = datetime.fromisoformat(text or "")
        if moment.tzinfo is None:
            findings.append(found(Code.TIME_WITHOUT_ZONE, f"{where}: no time zone, read as UTC"))
            moment = moment.replace(tzinfo=UTC)
        return moment.astimezone(UTC), None
    except (ValueError, OverflowError):
        raise invalid(f"{where}: not a moment of the calendar") from None
