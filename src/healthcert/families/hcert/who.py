"""What the World Health Organization puts beside the EU DCC: DDCC core data sets, the DVC record, and health links.

Drafts of several years are in circulation, with other spellings of the same fields; all that are known are read. What
a field that ought to be there lacks is reported; only without a name, a date or what was given is there no record.
Sources: WHO SMART Trust HCERT specification 1.1.1 (claims), WHO DDCC core data sets, WHO DVC logical models.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from healthcert.codings import SNOMED_CT
from healthcert.errors import Code, Step, VerificationError
from healthcert.families.hcert.content import found, invalid
from healthcert.families.hcert.kind import Content
from healthcert.families.hcert.records import ABSENT, Record
from healthcert.families.protocol import Finding
from healthcert.model import Coding, EntryType, Holder, TestResult, Vaccination

ICD_11 = "http://id.who.int/icd/release/11/mms"
PREQUALIFIED = "http://smart.who.int/pcmt-vaxprequal/CodeSystem/PreQualProductIds"
_DISEASES = {"YellowFever": Coding(ICD_11, "1D47", "Yellow fever"), "Polio": Coding(ICD_11, "1C81", "Poliomyelitis")}

# Compiled when it is first needed, which is seldom.
_LINK = r"(?:https://[^\s#]+#)?(?:shlink|vhlink):/[A-Za-z0-9_-]+=*"


class DdccVaccination:
    """The DDCC core data set of a vaccination (claim -260, key 3; drafts put it elsewhere)."""

    name = "WHO DDCC"
    domains = frozenset(("DDCC", "RACSEL-DDVC"))

    def entry_types(self, payload: Any) -> frozenset[EntryType]:
        return frozenset((EntryType.VACCINATION,))

    def read(self, payload: Any) -> Content:
        findings: list[Finding] = []
        fields = _fields(payload, "the core data set", findings)
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
        about = _fields(payload, "the core data set", findings)
        _check_alone(payload)
        holder = _ddcc_holder(about)
        test = _fields(about.value("test") or payload, "the core data set.test", findings)
        result = test.coding("result", system=SNOMED_CT)
        # WHO HCERT specification 1.1.1, DDCC core data set: a test has a result.
        if result is None:
            raise invalid("the core data set.test.result: is missing")
        event = TestResult(
            disease=test.coding("pathogen", "disease", wanted=True),
            test_type=test.coding("type", wanted=True),
            sampled_at=_moment(test.text("date", "sampled"), "the core data set.test.date", findings),
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


class Dvc:
    """The minimal payload of a digital vaccination certificate, the International Certificate of Vaccination or
    Prophylaxis among them (claim -260, key -6: DVCMin and ICVPMin).
    """

    name = "WHO DVC"
    domains = frozenset(("ICVP", "DICVP", "RACSEL-DDVC"))

    def entry_types(self, payload: Any) -> frozenset[EntryType]:
        return frozenset((EntryType.VACCINATION,))

    def read(self, payload: Any) -> Content:
        findings: list[Finding] = []
        about = _fields(payload, "DVC", findings)
        holder = Holder(
            full_name=_required(about.text("n"), "DVC.n"),
            birth_date=about.birth_date("dob"),
            sex=about.coding("s", wanted=True),
            nationality=about.text("nt", "ntl", wanted=True),
            document_number=about.text("id", "nid"),
            guardian=about.text("gn"),
        )
        # DVCMin: v is the template's version; an older revision has the record there, and no version.
        version = about.value("v")
        record = about.value("vx") or (version if isinstance(version, (Mapping, list, tuple)) else None)
        if isinstance(record, (list, tuple)) and len(record) == 1:
            record = record[0]
        fields = _fields(record, "DVC.vx", findings)
        product = fields.coding("vp", "mp", system=PREQUALIFIED)
        # DVCMinVaccineDetails: a product and a date are required.
        if product is None:
            raise invalid("DVC.vx.vp: is missing")
        disease = next((known for name, known in _DISEASES.items() if product.code.startswith(name)), None)
        event = Vaccination(
            disease=fields.coding("tg") or disease,
            product=product,
            manufacturer=fields.coding("ma", "mid"),
            date=fields.day("dt", "dv"),
            clinician=fields.text("cn"),
            issuer=fields.text("is"),
            batch=fields.text("bo", wanted=True),
            other=fields.others() | {name: value for name, value in about.others().items() if name not in ("vx", "v")},
        )
        if event.clinician is None and event.issuer is None:
            # DVCMinVaccineDetails: a clinician or an issuer.
            findings.append(found(Code.FIELD_MISSING, "DVC.vx: neither cn nor is"))
        return Content(version if isinstance(version, str) else "DVC", holder, (event,), findings)


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
        full_name=_required(fields.text("name"), "the core data set.name"),
        birth_date=fields.birth_date("birthDate"),
        sex=fields.coding("sex"),
        document_number=fields.text("identifier"),
    )


def _check_alone(core: Mapping[Any, Any]) -> None:
    # WHO HCERT specification 1.1.1, DDCC core data sets: one of a vaccination, another of a test.
    if is_test(core) and _is_vaccination(core):
        raise VerificationError(Code.MULTIPLE_ENTRIES, "a vaccination and a test in one core data set", Step.CONTENT)


def _fields(raw: Any, where: str, findings: list[Finding]) -> Record:
    if not isinstance(raw, Mapping):
        raise invalid(f"{where}: not a map")
    return Record(raw, where, findings)


def _required(value: str | None, where: str) -> str:
    if value is None or not value.strip():
        raise invalid(f"{where}: is missing")
    return value


def _moment(text: str | None, where: str, findings: list[Finding]) -> datetime:
    try:
        moment = datetime.fromisoformat(text or "")
        if moment.tzinfo is None:
            findings.append(found(Code.TIME_WITHOUT_ZONE, f"{where}: no time zone, read as UTC"))
            moment = moment.replace(tzinfo=UTC)
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise invalid(f"{where}: not a moment of the calendar") from None
