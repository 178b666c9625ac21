"""From the family-neutral model to a DIVOC certificate: the way back of ``family.py``."""

from __future__ import annotations

import json
import re
import unicodedata
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from healthcert.codings import DETECTED, ICD_11, NOT_DETECTED, disease_of, finding, same
from healthcert.encoding.algorithms import Algorithm
from healthcert.encoding.jsonld import COWIN, CREDENTIALS_V1
from healthcert.errors import Code, DecodeError, IssueError, Step, VerificationError
from healthcert.families.divoc.archive import write
from healthcert.families.divoc.content import read_content
from healthcert.families.divoc.document import TEST, VACCINATION, is_identifier, proof_options, signed_part
from healthcert.families.divoc.proof import PURPOSE, SUITES, signing_input
from healthcert.families.protocol import Wire
from healthcert.model import Coding, Event, Holder, Private, TestResult, Vaccination

_SUITE_OF = {algorithm: suite for suite, algorithm in SUITES.items()}
_DID = re.compile(r"did:[a-z0-9]+(:[A-Za-z0-9._-]+)*")
_BORN = re.compile(r"(19|20)[0-9]{2}(-[0-9]{2}(-[0-9]{2})?)?")
_COUNTRY = re.compile(r"[A-Z]{2,3}")
_MOST_DOSES = 99
_MAX_TEXT = 200
_RESULTS = {DETECTED: "Positive", NOT_DETECTED: "Negative"}
_NO_PLACE: dict[type, tuple[str, ...]] = {
    Holder: ("family_name_icao", "given_name_icao", "document_number", "guardian", "other"),
    Vaccination: ("partial_date", "issuer", "other"),
    TestResult: ("sampled_on", "partial_date", "device", "issuer", "other"),
}


class UnsignedDivoc(Private, frozen=True):
    """A DIVOC certificate that only lacks its signature over ``to_be_signed``."""

    document: Mapping[str, Any]
    options: Mapping[str, Any]
    protected: str
    to_be_signed: bytes

    def assemble(self, signature: bytes) -> Wire:
        """The archive with this signature."""
        jws = f"{self.protected}..{urlsafe_b64encode(signature).rstrip(b'=').decode()}"
        proof = {name: value for name, value in self.options.items() if name != "@context"} | {"jws": jws}
        document = json.dumps(dict(self.document) | {"proof": proof}, ensure_ascii=False, separators=(",", ":"))
        archive = write(document.encode())
        text = archive.decode("latin-1")
        return Wire(text=text, binary=archive, segments=(archive,), media_type="application/zip")


def unsigned(
    *,
    event: Event,
    holder: Holder,
    issuer: str,
    method: str,
    issued_at: datetime,
    expires_at: datetime | None,
    algorithm: Algorithm,
) -> UnsignedDivoc:
    """The certificate of a vaccination or of a test.

    ``issuer`` is a DID, and ``method`` names its key: the DID itself, or with a fragment (``did:example#1``). Products,
    manufacturers and tests have names in a DIVOC certificate and no codes; what is coded is written by its name. Raises
    :class:`IssueError`: ``FIELD_INVALID``, naming the field, its rule and an example, never its value, and
    ``EXTRA_MISSING`` where PyLD is not installed.
    """
    if algorithm not in _SUITE_OF:
        raise _invalid("algorithm", "one that DIVOC has a signature suite for", "EdDSA")
    if not _DID.fullmatch(issuer):
        raise _invalid("issuer", "a DID", "did:example:health")
    if method.partition("#")[0] != issuer or not is_identifier(method):
        raise _invalid("method", "the issuer's DID, or that with a fragment", "did:example:health#key-1")
    _refuse_what_has_no_place(event, holder)
    match event:
        case Vaccination():
            context, types, entry = f"{COWIN}vaccination/v2", VACCINATION, _vaccination(event)
        case TestResult():
            context, types, entry = f"{COWIN}testCertificate/v1", TEST, _test(event)
        case _:
            raise _invalid("event", "a vaccination or a test", "Vaccination(...)")
    issued = _moment("issued_at", issued_at)
    document = {
        "@context": [CREDENTIALS_V1, context],
        "type": ["VerifiableCredential", types[0]],
        "credentialSubject": {"type": "Person"} | _person(holder),
        "issuer": issuer,
        "issuanceDate": issued,
        "evidence": [{"type": [types[1]]} | entry],
        "nonTransferable": "true",
    }
    if expires_at is not None:
        document["expirationDate"] = _moment("expires_at", expires_at)
    _check(document)
    suite = {"type": _SUITE_OF[algorithm], "created": issued, "verificationMethod": method, "proofPurpose": PURPOSE}
    options = proof_options(suite)
    header = json.dumps({"alg": algorithm.name, "b64": False, "crit": ["b64"]}, separators=(",", ":"))
    protected = urlsafe_b64encode(header.encode()).rstrip(b"=").decode()
    try:
        return UnsignedDivoc(document, options, protected, signing_input(document, options, protected))
    except DecodeError as error:
        raise IssueError(error.code, error.detail, Step.CONTENT) from None


def _person(holder: Holder) -> dict[str, str]:
    if holder.birth_date and not _BORN.fullmatch(holder.birth_date):
        raise _invalid("birth_date", "a day, a month or a year, or empty when unknown", "1964-08-12")
    if holder.full_name and (holder.family_name or holder.given_name):
        raise _invalid("full_name", "one name, so that no other may be given", "Asha Rao")
    return {"name": _text("full_name", holder.full_name or holder.name, "Asha Rao")} | _given(
        dob=holder.birth_date or None,
        gender=_name("sex", holder.sex, "Female"),
        nationality=_optional("nationality", holder.nationality, "Indian"),
    )


def _vaccination(event: Vaccination) -> dict[str, Any]:
    dose, series = _number("dose", event.dose), _number("series", event.series)
    if dose > series:
        raise _invalid("dose", "not more than series, for the proof does not tell the two apart", "2")
    vaccine, product = event.vaccine, event.product
    code = _icd_11(vaccine)
    if event.disease is not None and event.disease not in [disease_of(one) for one in (code, vaccine, product) if one]:
        raise _invalid("disease", "a DIVOC certificate has no place for it beside the vaccine", "None")
    return _given(
        certificateId=_text("certificate_id", event.certificate_id, "92047670169"),
        batch=_optional("batch", event.batch, "4121Z008"),
        vaccine=_required("product", product, "COVISHIELD"),
        manufacturer=_name("manufacturer", event.manufacturer, "Serum Institute of India"),
        icd11Code=code.code if code else None,
        prophylaxis=_name("vaccine", vaccine, "COVID-19 vaccine")
        if vaccine and (not code or vaccine.display)
        else None,
        date=_day("date", event.date),
        dose=dose,
        totalDoses=series,
        verifier=_given(name=_optional("clinician", event.clinician, "A. Rao")),
        facility=_facility(event),
    )


def _test(event: TestResult) -> dict[str, Any]:
    result = finding(event.result)
    if result is None and event.result.system:
        raise _invalid("result", "positive, negative, or a word without a code system", "Negative")
    sampled = _moment("sampled_at", event.sampled_at)
    resulted = None if event.resulted_at is None else _moment("resulted_at", event.resulted_at)
    if event.sampled_at and event.resulted_at and event.resulted_at < event.sampled_at:
        raise _invalid("resulted_at", "a moment not before sampled_at", "2021-08-20T12:00:00Z")
    return _given(
        certificateId=_text("certificate_id", event.certificate_id, "204604148"),
        testName=_optional("name", event.name, "Example qPCR"),
        testType=_required("test_type", event.test_type, "RT-PCR"),
        disease=_required("disease", event.disease, "COVID-19"),
        sampleCollectionTimestamp=sampled,
        resultTimestamp=resulted,
        result=_RESULTS[result] if result else _text("result", event.result.code, "Negative"),
        facility=_facility(event),
    )


def _facility(event: Vaccination | TestResult) -> dict[str, Any]:
    country = event.country
    if country is not None and not _COUNTRY.fullmatch(country):
        raise _invalid("country", "the capital letters of a country (ISO 3166-1)", "IN")
    address = {"address": {"addressCountry": country}} if country else {}
    return _given(name=_optional("centre", event.centre, "District Hospital")) | address


def _icd_11(vaccine: Coding | None) -> Coding | None:
    """The vaccine's code of ICD-11; None for one that has a name and no code."""
    if vaccine is None or not vaccine.system:
        return None
    code = next((one for one in (vaccine, *same(vaccine)) if one.system == ICD_11), None)
    if code is None:
        raise _invalid("vaccine", "a code of ICD-11 or one with the same meaning, or a name without a code", "XM68M6")
    return code


def _refuse_what_has_no_place(event: Event, holder: Holder) -> None:
    """Nothing that was to be certified may be left out in silence."""
    for values, names in ((holder, _NO_PLACE[Holder]), (event, _NO_PLACE.get(type(event), ()))):
        for name in names:
            if getattr(values, name):
                raise _invalid(name, "a DIVOC certificate has no place for it, so it must be left out", "None")


def _given(**members: Any) -> dict[str, Any]:
    """The members that have a value."""
    return {name: value for name, value in members.items() if value not in (None, {})}


def _text(name: str, value: object, example: str) -> str:
    text = unicodedata.normalize("NFC", value).strip() if isinstance(value, str) else ""
    if text in ("", "-") or len(text) > _MAX_TEXT or not text.isprintable():
        raise _invalid(name, f"text of 1 to {_MAX_TEXT} printable characters", example)
    return text


def _optional(name: str, value: str | None, example: str) -> str | None:
    return None if value is None else _text(name, value, example)


def _name(name: str, coding: Coding | None, example: str) -> str | None:
    return None if coding is None else _text(name, str(coding), example)


def _required(name: str, coding: Coding | None, example: str) -> str:
    return _text(name, None if coding is None else str(coding), example)


def _number(name: str, value: object) -> int:
    if type(value) is not int or not 1 <= value <= _MOST_DOSES:
        raise _invalid(name, f"a whole number from 1 to {_MOST_DOSES}", "2")
    return value


def _day(name: str, value: object) -> str:
    if not isinstance(value, date) or isinstance(value, datetime):
        raise _invalid(name, "a day (datetime.date)", "2021-05-29")
    return value.isoformat()


def _moment(name: str, value: object) -> str:
    if not isinstance(value, datetime) or value.utcoffset() is None or value.year < 1970:
        raise _invalid(name, "a moment with its time zone", "2021-08-20T10:03:12+02:00")
    return value.astimezone(UTC).isoformat(timespec="seconds").removesuffix("+00:00") + "Z"


def _check(document: Mapping[str, Any]) -> None:
    """The document must be what a strict verifier takes."""
    try:
        signed = signed_part(document)
        findings = (*signed.findings, *read_content(signed).findings)
    except (DecodeError, VerificationError) as error:
        raise IssueError(Code.FIELD_INVALID, error.detail, Step.CONTENT) from None
    for one in findings:
        raise IssueError(one.code, one.detail, Step.CONTENT)


def _invalid(name: str, rule: str, example: str) -> IssueError:
    return IssueError(Code.FIELD_INVALID, f"{name}: {rule}; for example {example}", Step.CONTENT)
