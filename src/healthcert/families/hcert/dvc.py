"""WHO's vaccination record of few letters, the International Certificate of Vaccination or Prophylaxis among them.

Claim -260, key -6: the logical models DVCMin and ICVPMin. Names changed from revision to revision, and all are read:
``nt`` was ``ntl``, ``id`` was ``nid``, ``dt`` was ``ndt`` beside it; ``v`` was the record, or several, before it became
the version and the record ``vx``; its date is ``dt`` or ``dv``. Sources: WHO SMART Trust PH4H (DVCMin), SMART ICVP.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from healthcert.codings import ICD_11, PREQUALIFIED, SNOMED_CT, disease_of, named
from healthcert.errors import Code
from healthcert.families.hcert.content import found, invalid
from healthcert.families.hcert.kind import Content
from healthcert.families.hcert.records import ABSENT, fields_of, required
from healthcert.families.protocol import Finding
from healthcert.model import Coding, EntryType, Holder, Vaccination

# What the codes of products begin with that were prequalified after the table was made.
_DISEASES = {"YellowFever": "1D47", "Polio": "1C81"}


class Dvc:
    """The minimal payload of a digital vaccination certificate: one dose, or several in older revisions."""

    name = "WHO DVC"
    domains = frozenset(("ICVP", "DICVP", "RACSEL-DDVC"))

    def entry_types(self, payload: Any) -> frozenset[EntryType]:
        return frozenset((EntryType.VACCINATION,))

    def read(self, payload: Any) -> Content:
        findings: list[Finding] = []
        about = fields_of(payload, "DVC", findings)
        holder = Holder(
            full_name=required(about.text("n"), "DVC.n"),
            birth_date=about.birth_date("dob"),
            sex=about.coding("s", wanted=True),
            nationality=about.text("nt", "ntl", wanted=True),
            document_number=about.text("id", "nid"),
            guardian=about.text("gn"),
        )
        version = payload.get("v")
        beside = {name: value for name, value in about.others().items() if name not in ("vx", "v")}
        doses = records_of(payload)
        wheres = ["DVC.vx"] if len(doses) == 1 else [f"DVC.v[{index}]" for index in range(len(doses))]
        events = tuple(_dose(dose, where, beside, findings) for dose, where in zip(doses, wheres, strict=True))
        return Content(version if isinstance(version, str) else "DVC", holder, events, findings)


def records_of(payload: Any) -> Sequence[Any]:
    """The records of a payload as they stand there, one at least; None for one that is not there."""
    if not isinstance(payload, Mapping):
        return [None]
    record = payload.get("vx")
    if record not in ABSENT:
        # DVCMin: one record.
        return record if isinstance(record, (list, tuple)) and len(record) == 1 else [record]
    # DVCMin, earlier: v holds one record or more. Today it is the template's version.
    record = payload.get("v")
    if isinstance(record, (list, tuple)) and record:
        return record
    return [record if isinstance(record, Mapping) else None]


def _dose(record: Any, where: str, beside: dict[str, Any], findings: list[Finding]) -> Vaccination:
    fields = fields_of(record, where, findings)
    product = fields.coding("vp", "mp", system=PREQUALIFIED)
    # DVCMinVaccineDetails: a product and a date are required.
    if product is None:
        raise invalid(f"{where}.vp: is missing")
    event = Vaccination(
        disease=_disease(fields.coding("tg"), product),
        product=product,
        manufacturer=fields.coding("ma", "mid"),
        date=fields.day("dt", "dv"),
        clinician=fields.text("cn"),
        issuer=fields.text("is"),
        batch=fields.text("bo", wanted=True),
        other=fields.others() | beside,
    )
    if event.clinician is None and event.issuer is None:
        # DVCMinVaccineDetails: a clinician or an issuer.
        findings.append(found(Code.FIELD_MISSING, f"{where}: neither cn nor is"))
    return event


def disease_against(product: Coding) -> Coding | None:
    """What a prequalified product protects against, where that is known, be it from the words in its code."""
    # ICVPMin: the disease follows from the product.
    begun = (named(ICD_11, code) for name, code in _DISEASES.items() if product.code.startswith(name))
    return disease_of(product) or next(begun, None)


def _disease(told: Coding | None, product: Coding) -> Coding | None:
    """The disease that is told, or the one that the product is against."""
    if told is None:
        return disease_against(product)
    if told.system:
        return told
    known = (named(system, told.code) for system in (ICD_11, SNOMED_CT))
    return next((coding for coding in known if coding.display is not None), told)
