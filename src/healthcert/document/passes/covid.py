"""COVID cards for Google's wallet, which stay on the telephone that they are saved on.

The reference of these cards is given to approved issuers alone; their fields are as the public sources of the English
NHS and of Singapore's Notarise use them.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from healthcert.document.names import plain
from healthcert.document.passes.barcode import message_of, serial_of
from healthcert.document.passes.content import Content, content_of
from healthcert.document.passes.google import ISSUER, SaveLink, ServiceAccount
from healthcert.document.sheet import Sheet
from healthcert.document.template import Template
from healthcert.model import Coding, HealthCertificate, TestResult, Vaccination


def covid_card(
    certificate: HealthCertificate,
    sheet: Sheet,
    text: str,
    account: ServiceAccount,
    *,
    issuer_id: str,
    template: Template | None = None,
) -> SaveLink:
    """A COVID card for the certificate ``text``, in the language of its ``sheet``.

    ``issuer_id`` is the number that Google gave the issuer. Doses and tests are its records; recoveries and
    exemptions, for which there are none, stand in its description, as all that the sheet says does. Raises
    :class:`DocumentError` (``DOCUMENT_FAILED``); ValueError for an issuer that is none.
    """
    if ISSUER.fullmatch(issuer_id) is None:
        raise ValueError("issuer_id: a number, for example 3388000000012345678")
    template = template or Template()
    message = message_of(text)
    content = content_of([sheet], template)
    card: dict[str, Any] = {
        "id": f"{issuer_id}.{serial_of(message)}",
        "issuerId": issuer_id,
        "title": content.title[0],
        "summary": content.summary.value[0],
        "cardColorHex": template.colour,
        "barcode": {"type": "qrCode", "value": message, "alternateText": content.title[0]},
        "patientDetails": _patient(content),
        "cardDescriptionLabel": content.organisation[0],
        "cardDescription": "\n".join(f"{entry.label[0]}: {entry.value[0]}" for entry in content.back),
    }
    if content.expires_on is not None:
        card["expiration"] = content.expires_on.isoformat()
    if doses := [_dose(event) for event in certificate.events if isinstance(event, Vaccination)]:
        card["vaccinationDetails"] = {"vaccinationRecord": doses}
    if tests := [_test(event) for event in certificate.events if isinstance(event, TestResult)]:
        card["testingDetails"] = {"testingRecord": tests}
    return SaveLink(token=account.token("savetogooglepay", {"covidCardObjects": [card]}))


def _patient(content: Content) -> dict[str, str]:
    found = {"patientName": content.holder.value[0], "patientNameLabel": content.holder.label[0]}
    if content.birth is not None:
        found |= {"dateOfBirth": content.birth.value[0], "dateOfBirthLabel": content.birth.label[0]}
    return found


def _dose(dose: Vaccination) -> dict[str, str]:
    counted = None if dose.dose is None else f"{dose.dose}/{dose.series}" if dose.series else str(dose.dose)
    return _told(
        doseLabel=counted,
        doseDateTime=dose.date or dose.partial_date,
        code=dose.vaccine and dose.vaccine.code,
        description=dose.product or dose.vaccine,
        manufacturer=dose.manufacturer,
        lotNumber=dose.batch,
        provider=dose.centre or dose.issuer,
    )


def _test(test: TestResult) -> dict[str, str]:
    return _told(
        testCode=test.test_type and test.test_type.code,
        testDescription=test.name or test.device or test.test_type,
        testResultCode=test.result.code,
        testResultDescription=test.result,
        administrationDateTime=test.sampled_at or test.sampled_on or test.partial_date,
        reportDateTime=test.resulted_at,
        provider=test.centre or test.issuer,
    )


def _told(**values: Coding | date | str | None) -> dict[str, str]:
    """What is told of the values, as text. A moment is a date, too, and ISO 8601 either way."""
    return {
        name: plain(value.isoformat() if isinstance(value, date) else str(value))
        for name, value in values.items()
        if value
    }
