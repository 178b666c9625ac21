"""From the family-neutral model to a sealed proof: the way back of ``family.py``."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from healthcert.codings import DETECTED, NOT_DETECTED, finding
from healthcert.encoding import jcs
from healthcert.encoding.algorithms import Algorithm
from healthcert.errors import DecodeError, IssueError, Step, VerificationError
from healthcert.families.countries import alpha2
from healthcert.families.protocol import Wire
from healthcert.families.vds_nc.content import (
    MAX_DOCUMENT,
    MAX_ID,
    MAX_NAME,
    MAX_NUMBER,
    MAX_OPTIONAL,
    MAX_PLACE,
    TEST,
    VACCINATION,
    VERSION,
    read_seal,
)
from healthcert.families.vds_nc.family import ALGORITHMS
from healthcert.families.vds_nc.fields import (
    MAX_FREE,
    among,
    country_code,
    day,
    full_date,
    icd_11,
    invalid,
    moment,
    product_name,
    text,
)
from healthcert.families.vds_nc.members import MAX_DOSE
from healthcert.model import Event, Holder, Private, TestResult, Vaccination

TEST_TYPES = ("molecular(PCR)", "molecular(other)", "antigen", "antibody")
RESULTS = ("positive", "negative", "normal", "abnormal")
METHODS = ("nasopharyngeal", "oropharyngeal", "saliva", "blood", "other")
DOCUMENT_TYPES = ("P", "A", "C", "I", "AC", "V", "D")
"""The words and codes of ICAO VDS-NC, proof of testing."""

_RESULT_OF = {DETECTED: "positive", NOT_DETECTED: "negative"}
_DER = 0x30


class Unsigned(Private, frozen=True):
    """A seal that only lacks its signature over ``to_be_signed``."""

    data: Mapping[str, Any]
    algorithm: Algorithm
    certificate: bytes

    @property
    def to_be_signed(self) -> bytes:
        return jcs.canonical(self.data)

    def assemble(self, signature: bytes) -> Wire:
        """The seal with this signature, raw ``r || s``. It is in canonical form itself, as readers have been sloppy."""
        values = {"alg": self.algorithm.name, "cer": _base64url(self.certificate), "sigvl": _base64url(signature)}
        binary = jcs.canonical({"data": self.data, "sig": values})
        return Wire(text=binary.decode(), binary=binary, segments=(binary,), media_type="application/json")


def unsigned(
    *,
    events: Sequence[Event],
    holder: Holder,
    issuer: str,
    certificate: bytes,
    issued_at: datetime,
    algorithm: Algorithm,
    expires_at: datetime | None = None,
) -> Unsigned:
    """The seal of vaccinations, or of one test, by the state ``issuer`` (three letters of ICAO Doc 9303-3).

    ``certificate`` is that of the signer, in DER. The identifier of the seal is that of its events. Codes of other
    systems are put into ICD-11 where the table of codings has one for the same thing. A seal holds no times of its own:
    ``issued_at`` must not be before its events, and ``expires_at`` is None. Raises :class:`IssueError`
    (``FIELD_INVALID``), naming the field, its rule and an example, never its value.
    """
    if algorithm not in ALGORITHMS:
        raise invalid("algorithm", "a seal is signed with ECDSA", "ES256")
    if expires_at is not None:
        raise invalid("expires_at", "a seal has no place for it, so it must be left out", "None")
    if alpha2(issuer) is None:
        raise invalid("issuer", "the three letters of a state (ICAO Doc 9303-3)", "FRA")
    if certificate[:1] != bytes((_DER,)):
        raise invalid("certificate", "that of the signer, in DER", "KeyPair.certificate_der()")
    vaccinations = [event for event in events if isinstance(event, Vaccination)]
    tests = [event for event in events if isinstance(event, TestResult)]
    if vaccinations and len(vaccinations) == len(events):
        kind, message = VACCINATION, _vaccinations(vaccinations, holder)
    elif len(tests) == len(events) == 1:
        kind, message = TEST, _test(tests[0], holder)
    else:
        raise invalid("events", "vaccinations, or one test", "(Vaccination(...),)")
    if any(event.lies_after(issued_at) for event in events):
        raise invalid("events", "on a day not after issued_at", "2021-06-11")
    data = {"hdr": {"t": kind, "v": VERSION, "is": issuer}, "msg": message}
    _check(data)
    return Unsigned(data, algorithm, certificate)


def _vaccinations(doses: Sequence[Vaccination], holder: Holder) -> dict[str, Any]:
    _refuse(holder, "given_name_icao", "family_name_icao", "nationality", "guardian")
    _refuse_others(holder.other, "ai")
    person: dict[str, Any] = {"n": _name(holder)}
    if holder.birth_date:
        person["dob"] = full_date(holder.birth_date)
    if holder.sex is not None:
        person["sex"] = among("sex", holder.sex.code, ("M", "F", "X"))
    if holder.document_number is not None:
        person["i"] = text("document_number", holder.document_number, MAX_DOCUMENT, "X1234567")
    if "ai" in holder.other:
        person["ai"] = text("other.ai", holder.other["ai"], MAX_NUMBER, "L4567890Z")
    # ICAO VDS-NC, proof of vaccination: one of the two has to be there.
    if not {"dob", "i"} & person.keys():
        raise invalid("birth_date", "a date of birth, or else a document_number", "1984-02-29")
    if len({dose.certificate_id for dose in doses}) > 1:
        raise invalid("certificate_id", "the same one for all doses of a seal", "FR0000000001")
    events: dict[tuple[str, str, str | None], list[dict[str, Any]]] = {}
    for dose in doses:
        _refuse(dose, "partial_date", "manufacturer", "series", "issuer", "clinician")
        _refuse_others(dose.other, "dvn")
        disease = None if dose.disease is None else icd_11("disease", dose.disease, "RA01")
        about = icd_11("vaccine", dose.vaccine, "XM68M6"), product_name(dose.product), disease
        events.setdefault(about, []).append(_details(dose))
    identifier = text("certificate_id", doses[0].certificate_id, MAX_ID, "FR0000000001")
    return {"uvci": identifier, "pid": person, "ve": [_event(*about, details) for about, details in events.items()]}


def _event(vaccine: str, product: str, disease: str | None, details: list[dict[str, Any]]) -> dict[str, Any]:
    event: dict[str, Any] = {"des": vaccine, "nam": product, "vd": details}
    return event if disease is None else event | {"dis": disease}


def _details(dose: Vaccination) -> dict[str, Any]:
    if type(dose.dose) is not int or not 1 <= dose.dose <= MAX_DOSE:
        raise invalid("dose", f"a whole number from 1 to {MAX_DOSE}", "2")
    found: dict[str, Any] = {
        "dvc": day("date", dose.date),
        "seq": dose.dose,
        "ctr": country_code(dose.country),
        "lot": text("batch", dose.batch, MAX_PLACE, "300157P"),
    }
    if dose.centre is not None:
        found["adm"] = text("centre", dose.centre, MAX_PLACE, "Hôpital Cochin")
    if "dvn" in dose.other:
        found["dvn"] = full_date(dose.other["dvn"], "other.dvn")
    return found


def _test(test: TestResult, holder: Holder) -> dict[str, Any]:
    _refuse(holder, "given_name_icao", "family_name_icao", "nationality", "guardian", "sex")
    _refuse_others(holder.other, "dt")
    _refuse(test, "disease", "name", "device", "issuer", "sampled_on", "partial_date")
    _refuse_others(test.other, "cd", "m", "opt")
    result = test.result.code if test.result.system == "" else _RESULT_OF.get(finding(test.result) or test.result)
    contact = test.other.get("cd")
    if not isinstance(contact, Mapping) or contact.keys() != {"p", "e", "a"}:
        raise invalid("other.cd", "phone, e-mail and address of the centre", '{"p": "...", "e": "...", "a": "..."}')
    outcome = {
        "tc": among("test_type", None if test.test_type is None else test.test_type.code, TEST_TYPES),
        "r": among("result", result, RESULTS),
    }
    if "m" in test.other:
        outcome["m"] = among("other.m", test.other["m"], METHODS)
    message: dict[str, Any] = {
        "utci": text("certificate_id", test.certificate_id, MAX_ID, "FR0000000001"),
        "pid": {
            "n": _name(holder),
            "dob": full_date(holder.birth_date),
            "dt": among("other.dt", holder.other.get("dt"), DOCUMENT_TYPES),
            "dn": text("document_number", holder.document_number, MAX_NUMBER, "X1234567"),
        },
        "sp": {
            "spn": text("centre", test.centre, MAX_PLACE, "Hôpital Cochin"),
            "ctr": country_code(test.country),
            "cd": {name: text(f"other.cd.{name}", value, MAX_FREE, "...") for name, value in contact.items()},
        },
        "dat": {"sc": moment("sampled_at", test.sampled_at), "ri": moment("resulted_at", test.resulted_at)},
        "tr": outcome,
    }
    if "opt" in test.other:
        message["opt"] = text("other.opt", test.other["opt"], MAX_OPTIONAL, "ID12345")
    return message


def _name(holder: Holder) -> str:
    """The name as it stands in a passport: the full one, or the family name, two spaces, and the given names."""
    parts = [name for name in (holder.family_name, holder.given_name) if name]
    # ICAO VDS-NC, personal information: as in Doc 9303-3; issuers have two spaces between primary and secondary names.
    if parts and holder.full_name:
        raise invalid("full_name", "either the full name, or family_name and given_name", "MUELLER  ANNA")
    return text("full_name", "  ".join(parts) or holder.full_name, MAX_NAME, "MUELLER  ANNA")


def _refuse(given: Holder | Event, *names: str) -> None:
    """Nothing that was to be certified may be left out in silence."""
    for name in names:
        if getattr(given, name):
            raise invalid(name, "a seal has no place for it, so it must be left out", "None")


def _refuse_others(other: Mapping[str, Any], *known: str) -> None:
    if not other.keys() <= set(known):
        raise invalid("other", f"a seal has no place but for {', '.join(known)}", "{}")


def _check(data: dict[str, Any]) -> None:
    """A seal must pass what a strict verifier will ask of it."""
    try:
        jcs.canonical(data)
        _, findings = read_seal(data)
    except (VerificationError, DecodeError) as error:
        raise IssueError(error.code, error.detail, Step.CONTENT) from None
    if findings:
        raise IssueError(findings[0].code, findings[0].detail, Step.CONTENT)


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode()
