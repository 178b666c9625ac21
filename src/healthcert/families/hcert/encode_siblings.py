"""From the family-neutral model to the siblings of the EU DCC: WHO's records and links, the Swiss light, the exemption.

Each function gives a certificate that only lacks its signature. What the form has no place for is refused, and what it
asks for and is not there too: nothing is left out in silence, and the family's own reader finds nothing to remark.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from healthcert.codings import PREQUALIFIED
from healthcert.encoding.algorithms import Algorithm
from healthcert.errors import Code, IssueError, Step, VerificationError
from healthcert.families.hcert.dvc import Dvc, disease_against
from healthcert.families.hcert.encode import (
    Unsigned,
    _birth_date,
    _day,
    _invalid,
    _matching,
    _names,
    _text,
    wrap,
)
from healthcert.families.hcert.family import AT1, DCC_KEY, DVC_KEY, HCERT_CLAIM, LIGHT_CLAIM, LINK_KEY, LT1, PREFIX
from healthcert.families.hcert.kind import Kind
from healthcert.families.hcert.records import ABSENT
from healthcert.families.hcert.siblings import AtExemption, SwissLight
from healthcert.families.hcert.who import HealthLink
from healthcert.model import Coding, Exemption, Holder, Private, Vaccination

LIGHT_VERSION = "1.0.0"
"""The version of the Swiss light's payload (CovidCertificate-SDK, ChLightCert)."""

EXEMPTION_VERSION = "AT-1.0.0"
"""The version of the Austrian exemption's payload (AT schema 1.0.0)."""

_SEXES = "male|female|other|unknown"
_PRODUCT = r"[A-Za-z0-9]{1,24}Product[0-9a-f]{32}"
_KID_SIZE = 8  # bytes; HCERT specification, Appendix A.1


def unsigned_dvc(
    event: Vaccination,
    holder: Holder,
    *,
    issuer: str,
    issued_at: datetime,
    expires_at: datetime | None,
    algorithm: Algorithm,
    kid: bytes,
    version: str = "1",
) -> Unsigned:
    """WHO's vaccination record (DVCMin, ICVPMin): claim -260, key -6. ``version`` is that of the printed template.

    ``issuer`` is the country of the claim iss. The product is a code of WHO's prequalified vaccines, which tells the
    disease as well. Raises :class:`IssueError` (``FIELD_INVALID``).
    """
    _refuse_all(holder, _NO_PLACE_IN_DVC[Holder])
    _refuse_all(event, _NO_PLACE_IN_DVC[Vaccination])
    product = event.product
    if product is None or product.system != PREQUALIFIED or not re.fullmatch(_PRODUCT, product.code):
        # DVCMinVaccineDetails, ICVPMin: vp is a product of the WHO's catalogue.
        raise _invalid("product", "a code of WHO's prequalified vaccines", f"Coding({PREQUALIFIED!r}, ...)")
    if event.disease is not None and event.disease != disease_against(product):
        # ICVPMin: the disease is derived from the product and has no place of its own.
        raise _invalid("disease", "the one that the product is against, or None", "None")
    # DVCMinVaccineDetails: a clinician or an issuer.
    if not (event.clinician or event.issuer):
        raise _invalid("clinician", "at least one of clinician and issuer", "Dr Example")
    sex = holder.sex.code if isinstance(holder.sex, Coding) else None
    dose = {
        "vp": product.code,
        "bo": _text("batch", event.batch, "LOT9"),
        "dt": _day("date", event.date),
        "cn": event.clinician and _text("clinician", event.clinician, "Dr Example"),
        "is": event.issuer and _text("issuer", event.issuer, "Ministry of Health"),
    }
    payload = {
        "n": _text("full_name", holder.name, "Zoé Exemplaire"),
        "dob": _born(holder, event),
        "s": _matching("sex", sex, re.compile(_SEXES), f"one of {_SEXES.replace('|', ', ')}, as a Coding", "female"),
        "nt": _matching("nationality", holder.nationality, re.compile("[A-Z]{3}"), "ISO 3166-1 alpha-3", "FRA"),
        "id": holder.document_number and _text("document_number", holder.document_number, "X1234567"),
        "gn": holder.guardian and _text("guardian", holder.guardian, "Ada Exemplaire"),
        "v": _text("version", version, "1"),
        "vx": _present(dose),
    }
    texts = {
        "full_name": holder.name, "document_number": holder.document_number, "guardian": holder.guardian,
        "batch": event.batch, "clinician": event.clinician, "issuer": event.issuer,
    }  # fmt: skip
    for name, value in texts.items():
        # Writers in JavaScript leave these where there is nothing, and readers take them for that.
        if value and value in ABSENT:
            raise _invalid(name, "a text that readers do not take for nothing", "Dr Example")
    claims = {HCERT_CLAIM: {DVC_KEY: _present(payload)}}
    _check(Dvc(), claims[HCERT_CLAIM][DVC_KEY])
    return _wrapped(claims, PREFIX, _country(issuer), issued_at, expires_at, algorithm, kid)


def unsigned_link(
    link: str,
    *,
    issuer: str,
    issued_at: datetime,
    expires_at: datetime | None,
    algorithm: Algorithm,
    kid: bytes,
) -> Unsigned:
    """A signed health link (``vhlink:/...`` or ``shlink:/...``): claim -260, key 5.

    ``issuer`` is the country of the claim iss. Raises :class:`IssueError` (``FIELD_INVALID``).
    """
    # WHO HCERT specification 1.1.1: claim 5 is the link as text.
    _check(HealthLink(), link)
    return _wrapped({HCERT_CLAIM: {LINK_KEY: link}}, PREFIX, _country(issuer), issued_at, expires_at, algorithm, kid)


def unsigned_light(
    holder: Holder,
    *,
    issuer: str,
    issued_at: datetime,
    expires_at: datetime | None,
    algorithm: Algorithm,
    kid: bytes,
    transliteration: Mapping[str, str] = MappingProxyType({}),
) -> Unsigned:
    """A certificate light as Switzerland has it: claim -250, key 1, and a holder's name and birth date alone.

    ``issuer`` is the text of the claim iss (``CH BAG``). Raises :class:`IssueError` (``FIELD_INVALID``,
    ``NAME_NEEDS_PASSPORT_SPELLING``).
    """
    _refuse_all(holder, _NO_PLACE_IN_NAM)
    payload = {"ver": LIGHT_VERSION, "nam": _names(holder, transliteration), "dob": _birth_date(holder.birth_date)}
    _check(SwissLight(), payload)
    issuer = _text("issuer", issuer, "CH BAG")
    return _wrapped({LIGHT_CLAIM: {DCC_KEY: payload}}, LT1.prefix, issuer, issued_at, expires_at, algorithm, kid)


def unsigned_exemption(
    event: Exemption,
    holder: Holder,
    *,
    issuer: str,
    issued_at: datetime,
    expires_at: datetime | None,
    algorithm: Algorithm,
    kid: bytes,
    transliteration: Mapping[str, str] = MappingProxyType({}),
) -> Unsigned:
    """An exemption from vaccination as Austria has it: an EU DCC of group ``ve``, behind ``AT1:``.

    ``issuer`` is the country of the claim iss. Raises :class:`IssueError` (``FIELD_INVALID``,
    ``NAME_NEEDS_PASSPORT_SPELLING``).
    """
    _refuse_all(holder, _NO_PLACE_IN_NAM)
    _refuse_all(event, ("other",))
    entry = {
        "tg": event.disease.code,
        "du": _day("valid_until", event.valid_until),
        "co": event.country or issuer,
        "is": _text("issuer", event.issuer, "Ministry of Health"),
        "ci": _text("certificate_id", event.certificate_id, "URN:UVCI:01:AT:T5DWTJYS4ZR8#4"),
    }
    payload = {
        "ver": EXEMPTION_VERSION,
        "nam": _names(holder, transliteration),
        "dob": _birth_date(holder.birth_date),
        "ve": [entry],
    }
    _check(AtExemption(), payload)
    claims = {HCERT_CLAIM: {DCC_KEY: payload}}
    return _wrapped(claims, AT1.prefix, _country(issuer), issued_at, expires_at, algorithm, kid)


_NO_PLACE_IN_NAM = ("full_name", "sex", "nationality", "document_number", "guardian", "other")
_NO_PLACE_IN_DVC: dict[type[Private], tuple[str, ...]] = {
    Holder: ("family_name_icao", "given_name_icao", "other"),
    Vaccination: (
        "partial_date", "vaccine", "manufacturer", "dose", "series", "country", "certificate_id", "centre", "other",
    ),
}  # fmt: skip


def _refuse_all(value: Private, names: tuple[str, ...]) -> None:
    """Nothing that was to be certified may be left out in silence."""
    for name in names:
        if getattr(value, name) not in (None, "", {}):
            raise _invalid(name, "this kind of certificate has no place for it, so it must be left out", "None")


def _born(holder: Holder, event: Vaccination) -> str:
    born = _birth_date(holder.birth_date)
    # ICVPMin: a fully specified date.
    if len(born) != len("YYYY-MM-DD"):
        raise _invalid("birth_date", "a day as YYYY-MM-DD", "1964-08-12")
    if event.date is not None and born > event.date.isoformat():
        raise _invalid("birth_date", "a day not after what is certified", "1964-08-12")
    return born


def _country(issuer: object) -> str:
    # HCERT specification §3.3.4: ISO 3166-1 alpha-2; WHO's issuers have a three-letter code of their own (XCL).
    rule = "the two or three capital letters of a country (ISO 3166-1)"
    return _matching("issuer", issuer, re.compile("[A-Z]{2,3}"), rule, "CH")


def _wrapped(
    content: Mapping[int, Any],
    prefix: str,
    issuer: str,
    issued_at: datetime,
    expires_at: datetime | None,
    algorithm: Algorithm,
    kid: bytes,
) -> Unsigned:
    times = []
    # HCERT specification §3.3.5 and §3.3.6: both SHALL be there.
    for name, moment in (("issued_at", issued_at), ("expires_at", expires_at)):
        if not isinstance(moment, datetime) or moment.tzinfo is None or moment.timestamp() < 0:
            raise _invalid(name, "a moment with its time zone", "2021-08-20T10:00:00+00:00")
        times.append(int(moment.timestamp()))
    if times[1] <= times[0]:
        raise _invalid("expires_at", "a moment after issued_at", "2022-08-20T10:00:00+00:00")
    if len(kid) != _KID_SIZE:
        raise _invalid("kid", f"{_KID_SIZE} bytes", "the first of the SHA-256 of the signer's certificate")
    return wrap(
        content, issuer=issuer, issued_at=times[0], expires_at=times[1], algorithm=algorithm, kid=kid, prefix=prefix
    )


def _present(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value}


def _check(kind: Kind, payload: Any) -> None:
    """The payload must pass what a strict verifier will ask of it."""
    try:
        findings = kind.read(payload).findings
    except VerificationError as error:
        raise IssueError(Code.FIELD_INVALID, error.detail, Step.CONTENT) from None
    for finding in findings:
        raise IssueError(finding.code, finding.detail, Step.CONTENT)
