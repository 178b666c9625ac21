"""What a seal says: proofs of vaccination (data defined by WHO) and of testing (by ICAO's CAPSCA)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from healthcert.codings import ICD_11, named
from healthcert.families.countries import alpha2
from healthcert.families.protocol import Finding
from healthcert.families.vds_nc.members import Members, invalid
from healthcert.model import Coding, EntryType, Event, HealthCertificate, Holder, TestResult, Vaccination

FAMILY = "ICAO VDS-NC"
VERSION = 1
VACCINATION, TEST = "icao.vacc", "icao.test"
TYPES = {VACCINATION: EntryType.VACCINATION, TEST: EntryType.TEST}

# ICAO VDS-NC, data structures: the most characters that a field has; what has no bound there is not here.
MAX_ID, MAX_NAME, MAX_DOCUMENT, MAX_NUMBER = 12, 39, 11, 24
MAX_SEX, MAX_CODE, MAX_PLACE, MAX_OPTIONAL = 1, 6, 20, 20

_MESSAGE = {VACCINATION: frozenset(("uvci", "pid", "ve")), TEST: frozenset(("utci", "pid", "sp", "dat", "tr", "opt"))}
_PERSON = {VACCINATION: frozenset(("n", "dob", "sex", "i", "ai")), TEST: frozenset(("n", "dob", "dt", "dn"))}
_EVENT = frozenset(("des", "nam", "dis", "vd"))
_DETAILS = frozenset(("dvc", "seq", "ctr", "adm", "lot", "dvn"))
_PROVIDER, _DATES, _RESULT = frozenset(("spn", "ctr", "cd")), frozenset(("sc", "ri")), frozenset(("tc", "r", "m"))


def read_seal(data: Mapping[str, Any]) -> tuple[HealthCertificate, tuple[Finding, ...]]:
    """The signed ``data`` of a seal as health data.

    Raises :class:`VerificationError` (``SCHEMA_VALIDATION_FAILED``) for what is of another type than it has to be, and
    where a name, what was given or tested, its day or its result is missing.
    """
    findings: list[Finding] = []
    seal = Members(data, "data", findings)
    header, message = seal.inner("hdr"), seal.inner("msg")
    kind, issuer = header.required("t"), header.required("is")
    if kind not in _MESSAGE:
        raise invalid("data.hdr.t: no type of a seal")
    read = _vaccinations if kind == VACCINATION else _test
    holder, events, identifier = read(message)
    header.others(frozenset(("t", "v", "is")))
    certificate = HealthCertificate(
        family=FAMILY,
        version=str(VERSION),
        holder=holder,
        events=events,
        issuer=alpha2(issuer) or issuer,
        issued_at=None,
        expires_at=None,
        identifiers=() if identifier is None else (identifier,),
        raw=data,
        other=message.others(_MESSAGE[kind]) | seal.others(frozenset(("hdr", "msg"))),
    )
    return certificate, tuple(findings)


def _vaccinations(message: Members) -> tuple[Holder, tuple[Event, ...], str | None]:
    identifier = message.text("uvci", MAX_ID, wanted=True)
    person = message.inner("pid")
    sex = person.text("sex", MAX_SEX)
    person.text("ai", MAX_NUMBER)
    holder = Holder(
        full_name=person.required("n", MAX_NAME),
        birth_date=person.birth_date("dob"),
        sex=None if sex is None else Coding("", sex),
        document_number=person.text("i", MAX_DOCUMENT),
        other=person.kept("ai") | person.others(_PERSON[VACCINATION]),
    )
    # ICAO VDS-NC, proof of vaccination: a date of birth where there is no number of a document.
    if not holder.birth_date and holder.document_number is None:
        raise invalid("data.msg.pid: neither dob nor i")
    doses = [dose for event in message.each("ve") for dose in _doses(event, identifier)]
    return holder, tuple(doses), identifier


def _doses(event: Members, identifier: str | None) -> Iterator[Vaccination]:
    vaccine = named(ICD_11, event.required("des", MAX_CODE))
    product = event.text("nam", wanted=True)
    disease = event.text("dis", MAX_CODE)
    others = event.others(_EVENT)
    for details in event.each("vd"):
        dose = details.dose("seq")
        yield Vaccination(
            disease=None if disease is None else named(ICD_11, disease),
            vaccine=vaccine,
            product=None if product is None else Coding("", product),
            dose=dose,
            date=details.day("dvc"),
            country=details.country("ctr"),
            certificate_id=identifier,
            batch=details.text("lot", MAX_PLACE, wanted=True),
            centre=details.text("adm", MAX_PLACE),
            other=others | details.kept("dvn", *(("seq",) if dose is None else ())) | details.others(_DETAILS),
        )


def _test(message: Members) -> tuple[Holder, tuple[Event, ...], str | None]:
    identifier = message.text("utci", MAX_ID, wanted=True)
    message.text("opt", MAX_OPTIONAL)
    person, dates, outcome = message.inner("pid"), message.inner("dat"), message.inner("tr")
    person.text("dt", wanted=True)
    holder = Holder(
        full_name=person.required("n", MAX_NAME),
        birth_date=person.birth_date("dob", wanted=True),
        document_number=person.text("dn", MAX_NUMBER, wanted=True),
        other=person.kept("dt") | person.others(_PERSON[TEST]),
    )
    provider = message.inner("sp", wanted=True)
    provider.inner("cd", wanted=True).text("p", wanted=True)
    sampled_at, sampled_on = dates.moment("sc")
    # ICAO VDS-NC, proof of testing: when the specimen was collected; it is what a test is judged by.
    if sampled_at is None and sampled_on is None:
        raise invalid("data.msg.dat.sc: is missing")
    resulted_at, _ = dates.moment("ri", wanted=True)
    test_type = outcome.text("tc", wanted=True)
    test = TestResult(
        test_type=None if test_type is None else Coding("", test_type),
        sampled_at=sampled_at,
        sampled_on=sampled_on,
        # ICAO VDS-NC, proof of testing: words, and no code system.
        result=Coding("", outcome.required("r")),
        centre=provider.text("spn", MAX_PLACE, wanted=True),
        country=provider.country("ctr"),
        certificate_id=identifier,
        resulted_at=resulted_at,
        other=message.kept("opt")
        | provider.kept("cd")
        | provider.others(_PROVIDER)
        | dates.kept(*(("ri",) if resulted_at is None else ()))
        | dates.others(_DATES)
        | outcome.kept("m")
        | outcome.others(_RESULT),
    )
    return holder, (test,), identifier
