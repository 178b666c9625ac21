"""The checks of the public suite, one function for each expectation, made with this library's own layers.

A check tells whether *its* step succeeds; whether it was expected to is not its business. It may raise
:class:`HealthCertError`, which is a failure of the step.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from healthcert.barcode.read import read_barcodes
from healthcert.conformance.structure import difference
from healthcert.conformance.subject import CBOR_DEPTH, INFLATED_BYTES, AbsentError, Subject, dcc_of
from healthcert.conformance.suite import AUSTRIAN_PREFIX, Case
from healthcert.encoding import base45, cbor, deflate
from healthcert.errors import Code, HealthCertError, Step
from healthcert.families import recognise
from healthcert.families.hcert.content import GROUPS
from healthcert.families.hcert.family import HCERT_CLAIM
from healthcert.families.hcert.schema import violations
from healthcert.limits import DEFAULT_LIMITS
from healthcert.model import EntryType
from healthcert.verify.report import Report, StepResult


@dataclass(frozen=True, slots=True)
class Found:
    """What a check found: ``held`` is None where the case, or the verifier, cannot tell. ``why`` is for people."""

    held: bool | None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a verifier found in one case, by expectation; ``problem`` when it could not say anything more."""

    findings: Mapping[str, Found] = field(default_factory=dict)
    problem: str = ""


_TYPES = GROUPS | {"ve": EntryType.EXEMPTION}

Judge = Callable[[Case], Judgement]


def judge(case: Case) -> Judgement:
    """Every expectation of ``case`` as this library finds it. Never raises."""
    subject = Subject(case)
    findings: dict[str, Found] = {}
    problem = ""
    for expectation in case.expectations:
        if check := CHECKS.get(expectation):
            try:
                findings[expectation] = check(subject)
            except AbsentError as error:
                findings[expectation] = Found(held=None, why=f"the case has {error}")
            except HealthCertError as error:
                findings[expectation] = Found(held=False, why=f"{error.code}: {error.detail}")
            except Exception as error:  # noqa: BLE001 A case is a stranger's: whatever it breaks is shown, and the run goes on.
                # The type alone: the message may quote what it stumbled over.
                problem = f"{expectation}: an internal error ({type(error).__name__}); please report it"
    return Judgement(findings, problem)


def _picture(subject: Subject) -> Found:
    """EXPECTEDPICTUREDECODE: 2DCODE reads as PREFIX."""
    subject.needs("2DCODE")
    texts = read_barcodes(subject.case.picture)
    return _holds(subject.scanned.strip("\r\n") in texts, "another text" if texts else "no code in the picture")


def _unprefix(subject: Subject) -> Found:
    """EXPECTEDUNPREFIX: PREFIX is a valid prefix and BASE45."""
    subject.needs("PREFIX")
    family_text = recognise(subject.scanned, DEFAULT_LIMITS)[1]
    return _holds(
        family_text == subject.case.prefix + subject.base45, "PREFIX is not the context identifier and BASE45"
    )


def _base45(subject: Subject) -> Found:
    """EXPECTEDB45DECODE: BASE45 decodes to COMPRESSED."""
    subject.needs("BASE45", "PREFIX")
    decoded = base45.decode(subject.base45)
    if subject.case.text("COMPRESSED"):
        return _holds(decoded == subject.compressed, "BASE45 decodes to something other than COMPRESSED")
    # Without COMPRESSED (HR) the layer below it tells whether this was the right text.
    inflated = deflate.inflate(decoded, limit=INFLATED_BYTES)
    return _holds(inflated == subject.cose, "BASE45 holds something other than COSE")


def _compression(subject: Subject) -> Found:
    """EXPECTEDCOMPRESSION: COMPRESSED inflates, to COSE where the case has it."""
    subject.needs("COMPRESSED", "BASE45", "PREFIX")
    inflated = deflate.inflate(subject.compressed, limit=INFLATED_BYTES)
    return _holds(inflated == subject.cose, "COMPRESSED inflates to something other than COSE")


def _verify(subject: Subject) -> Found:
    """EXPECTEDVERIFY: the signature is valid with CERTIFICATE, and the kid is that of CERTIFICATE."""
    return _passed(subject.report, Step.TRUST, Step.SIGNATURE)


def _expiration(subject: Subject) -> Found:
    """EXPECTEDEXPIRATIONCHECK: notBefore <= iat <= clock <= exp <= notAfter."""
    if subject.case.clock is None:
        raise AbsentError("no VALIDATIONCLOCK")
    found = _passed(subject.report, Step.TIME)
    if not found.held:
        return found
    # The verifier reports an exp after the key's end as a warning, and knows no key where the kid is another's.
    claims, key = subject.claims, subject.key
    if key.not_before is not None and (claims.issued_at or 0) < key.not_before.timestamp():
        return Found(held=False, why=f"{Code.ISSUED_BEFORE_KEY}: issued before the certificate was valid")
    if key.not_after is not None and (claims.expires_at or 0) > key.not_after.timestamp():
        return Found(held=False, why=f"{Code.EXPIRES_AFTER_KEY}: exp lies after the end of the certificate")
    return found


def _key_usage(subject: Subject) -> Found:
    """EXPECTEDKEYUSAGE: the extended key usage of CERTIFICATE allows this kind of entry."""
    payload = subject.payload
    groups = [group for group in _TYPES if isinstance(payload, Mapping) and payload.get(group)]
    allowed = subject.key.may_sign([_TYPES[group] for group in groups])
    return _holds(allowed, f"{Code.KEY_USAGE_MISMATCH}: CERTIFICATE may not sign: {', '.join(groups)}")


def _decode(subject: Subject) -> Found:
    """EXPECTEDDECODE: the payload of COSE equals JSON."""
    return _equal(subject.payload, subject.case)


def _valid_json(subject: Subject) -> Found:
    """EXPECTEDVALIDJSON: CBOR, the payload alone or the whole CWT, equals JSON."""
    given = subject.case.hexadecimal("CBOR")
    if given is None:
        return _equal(subject.payload, subject.case)
    value = cbor.decode(given, max_depth=CBOR_DEPTH)
    return _equal(dcc_of(value) if isinstance(value, Mapping) and HCERT_CLAIM in value else value, subject.case)


def _schema(subject: Subject) -> Found:
    """EXPECTEDSCHEMAVALIDATION: the payload passes the schema of its own ver, with one of v, t and r.

    SG 4 and PL 11 to 13 have date-times for dates and count as valid: a format is a remark here.
    """
    payload = subject.payload
    found = violations(payload, formats=False)
    ver = payload.get("ver") if isinstance(payload, Mapping) else None
    # DCC schema AT-1.0.0: an Austrian exemption has a version of its own, and no EU DCC has it.
    if isinstance(ver, str) and ver.startswith("AT-") is not (subject.case.prefix == AUSTRIAN_PREFIX):
        found = ["ver: that of another kind of certificate", *found]
    return _holds(not found, f"{Code.SCHEMA_VALIDATION_FAILED}: {'; '.join(found[:3])}")


CHECKS: Mapping[str, Callable[[Subject], Found]] = {
    "EXPECTEDPICTUREDECODE": _picture,
    "EXPECTEDUNPREFIX": _unprefix,
    "EXPECTEDB45DECODE": _base45,
    "EXPECTEDCOMPRESSION": _compression,
    "EXPECTEDVERIFY": _verify,
    "EXPECTEDKEYUSAGE": _key_usage,
    "EXPECTEDEXPIRATIONCHECK": _expiration,
    "EXPECTEDDECODE": _decode,
    "EXPECTEDVALIDJSON": _valid_json,
    "EXPECTEDSCHEMAVALIDATION": _schema,
}
"""What a verifier can be asked. EXPECTEDENCODE and EXPECTEDVALIDOBJECT are for issuers, and are not checked."""


def _equal(payload: Any, case: Case) -> Found:
    if "JSON" not in case.fields:
        return _holds(isinstance(payload, Mapping), "the payload is not a map")
    where = difference(payload, case.fields["JSON"])
    return _holds(where is None, f"differs from JSON: {where}")


def _passed(report: Report, *steps: Step) -> Found:
    for step in steps:
        outcome = report[step]
        if outcome.outcome is not StepResult.PASSED:
            # A step that was not run has no reason of its own: the one before it does.
            why = outcome if outcome.code else report[report.step or step]
            return Found(held=False, why=f"{why.code} at {why.step}: {why.detail}")
    return Found(held=True)


def _holds(held: bool, otherwise: str) -> Found:
    return Found(held, "" if held else otherwise)
