"""From the family-neutral model to a signed HC1 text: the way back of ``family.py``."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import lru_cache
from operator import attrgetter
from types import MappingProxyType
from typing import Any

from msgspec import ValidationError

from healthcert.encoding import base45, cbor, cose, cwt, deflate
from healthcert.encoding.algorithms import Algorithm
from healthcert.errors import Code, IssueError, Step, VerificationError
from healthcert.families.hcert.content import read_payload
from healthcert.families.hcert.family import DCC_KEY, HCERT_CLAIM, PREFIX
from healthcert.families.hcert.names import transliterate
from healthcert.families.hcert.payload import MAX_TEXT, SCHEMA_VERSION, SCHEMA_VERSION_WITHOUT_FNT, to_typed
from healthcert.families.hcert.valuesets import may_be_issued, product_of
from healthcert.families.protocol import Wire
from healthcert.model import Coding, Event, Holder, Private, Recovery, TestResult, Vaccination


class Unsigned(Private, frozen=True):
    """A certificate that only lacks its signature over ``to_be_signed``."""

    protected: bytes
    payload: bytes
    prefix: str = PREFIX

    @property
    def to_be_signed(self) -> bytes:
        return cose.sig_structure(self.protected, self.payload)

    def assemble(self, signature: bytes) -> Wire:
        """The certificate with this signature: the COSE message, and the text that a QR code holds as alphanumeric."""
        message = cose.assemble_sign1(self.protected, self.payload, signature)
        text = self.prefix + base45.encode(deflate.deflate(message))
        return Wire(text=text, binary=message, segments=(text,))


def unsigned(
    payload: Mapping[str, Any], *, country: str, issued_at: int, expires_at: int, algorithm: Algorithm, kid: bytes
) -> Unsigned:
    """The message for a payload of :func:`to_payload`; times are seconds since 1970."""
    content = {HCERT_CLAIM: {DCC_KEY: payload}}
    return wrap(content, issuer=country, issued_at=issued_at, expires_at=expires_at, algorithm=algorithm, kid=kid)


def wrap(
    content: Mapping[int, Any],
    *,
    issuer: str,
    issued_at: int,
    expires_at: int,
    algorithm: Algorithm,
    kid: bytes,
    prefix: str = PREFIX,
) -> Unsigned:
    """The message for claims of any kind behind any prefix; times are seconds since 1970."""
    # HCERT specification §3.3.1: alg and kid in the protected header; iss, exp, iat and hcert in the claims.
    claims = {cwt.ISS: issuer, cwt.EXP: expires_at, cwt.IAT: issued_at, **content}
    return Unsigned(_protected(algorithm, kid), cbor.encode(claims), prefix)


@lru_cache(maxsize=256)
def _protected(algorithm: Algorithm, kid: bytes) -> bytes:
    """The protected header, which every certificate of one DSC has."""
    return cbor.encode({cose.ALG: algorithm.value, cose.KID: kid})


def to_payload(
    event: Event,
    holder: Holder,
    *,
    country: str,
    issuer: str | None,
    certificate_id: str,
    may_issue: Callable[[str, str], bool] = may_be_issued,
    unlisted_codes: frozenset[str] = frozenset(),
    transliteration: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, Any]:
    """The EU DCC map of one entry. ``country``, ``issuer`` and ``certificate_id`` fill in what the event leaves open.

    Codes must be such as ``may_issue`` admits for their field (active ones of the value sets that are part of this
    library, where nothing else is given), or be among ``unlisted_codes``; names are spelt as ``transliteration`` and
    ICAO Doc 9303 say. Raises :class:`IssueError`
    (``FIELD_INVALID``, ``NAME_NEEDS_PASSPORT_SPELLING``), naming the field, its rule and an example, never its value.
    """
    _refuse_what_a_dcc_cannot_hold(event, holder)

    def code(name: str, field: str, value: object, example: str) -> str:
        given = value.code if isinstance(value, Coding) else None
        # Any code may be a device's, also what came into its column by a slip: none of them is remembered.
        judge = _judged_code if field == "t.ma" else _code
        return judge(name, field, given if isinstance(given, str) else None, example, may_issue, unlisted_codes)

    entry: dict[str, Any] = {"tg": code("disease", "tg", event.disease, "840539006")}
    match event:
        case Vaccination():
            group = "v"
            entry |= {
                "vp": code("vaccine", "vp", event.vaccine, "1119349007"),
                "mp": code("product", "mp", event.product, "EU/1/20/1528"),
                "ma": code("manufacturer", "v.ma", event.manufacturer, "ORG-100030215"),
                "dn": _number("dose", event.dose),
                "sd": _number("series", event.series),
                "dt": _day("date", event.date),
            }
            _check_product(entry["mp"], entry["ma"], entry["vp"], unlisted_codes)
        case TestResult():
            group = "t"
            entry |= {
                "tt": code("test_type", "tt", event.test_type, "LP6464-4"),
                "sc": _moment("sampled_at", event.sampled_at),
                "tr": code("result", "tr", event.result, "260415000"),
            }
            if event.name is not None:
                entry["nm"] = _spaced("name", event.name, "Roche LightCycler qPCR")
            if event.device is not None:
                entry["ma"] = code("device", "t.ma", event.device, "1232")
            if event.centre is not None:
                entry["tc"] = _spaced("centre", event.centre, "Hôpital Cochin")
        case Recovery():
            group = "r"
            entry |= {
                "fr": _day("first_positive", event.first_positive),
                "df": _day("valid_from", event.valid_from),
                "du": _day("valid_until", event.valid_until),
            }
            if event.valid_from > event.valid_until:
                raise _invalid("valid_until", "a day not before valid_from", "2021-12-01")
        case _:
            raise _invalid("event", "a vaccination, a test or a recovery", "Vaccination(...)")
    where: object = event.country or country
    entry |= {
        "co": _country(where if isinstance(where, str) else None, may_issue, unlisted_codes),
        "is": _spaced("issuer", event.issuer or issuer, "CNAM"),
        "ci": _text("certificate_id", event.certificate_id or certificate_id, "URN:UVCI:01:FR:T5DWTJYS4ZR8#4"),
    }
    born = _birth_date(holder.birth_date)
    if event.day is not None and born > event.day.isoformat()[: len(born)]:
        raise _invalid("birth_date", "a day not after what is certified", "1964-08-12")
    names = _names(holder, transliteration)
    version = SCHEMA_VERSION if "fnt" in names else SCHEMA_VERSION_WITHOUT_FNT
    payload = {"ver": version, "nam": names, "dob": born, group: [entry]}
    _check(payload)
    return payload


def _judged_code(
    name: str,
    field: str,
    given: str | None,
    example: str,
    may_issue: Callable[[str, str], bool],
    unlisted_codes: frozenset[str],
) -> str:
    text = _matching(name, given, _CODE, "a code of 1 to 80 characters without spaces, as a Coding", example)
    if text not in unlisted_codes and not may_issue(field, text):
        raise _invalid(name, "an active code of its value set", example)
    return text


# The same few codes come again and again. What was admitted is remembered, for as long as the same judge admits it.
_code = lru_cache(maxsize=4096)(_judged_code)


@lru_cache(maxsize=1024)
def _country(given: str | None, may_issue: Callable[[str, str], bool], unlisted_codes: frozenset[str]) -> str:
    rule = "the two capital letters of a country (ISO 3166-1)"
    where = _matching("country", given, _COUNTRY, rule, "FR")
    if where not in unlisted_codes and not may_issue("co", where):
        raise _invalid("country", rule, "FR")
    return where


@lru_cache(maxsize=1024)
def _check_product(code: str, manufacturer: str, vaccine: str, unlisted_codes: frozenset[str]) -> None:
    """A product goes with its manufacturer and its vaccine, or two issuers would encode one dose in two ways."""
    product = product_of(code)
    if product is None:
        return
    # EU vaccine encoding instructions (guidelines on value sets, Annex A).
    if manufacturer not in unlisted_codes | {product.manufacturer.code}:
        raise _invalid("manufacturer", "that of the product", product.manufacturer.code)
    if vaccine not in unlisted_codes | {one.code for one in product.vaccines}:
        raise _invalid("vaccine", "one of the product's", product.vaccines[0].code)


def _refuse_what_a_dcc_cannot_hold(event: Event, holder: Holder) -> None:
    """Nothing that was to be certified may be left out in silence."""
    for values, kind in ((holder, Holder), (event, type(event))):
        if kind in _NO_PLACE and not any(_OUT_OF_PLACE[kind](values)):
            continue
        for name in _NO_PLACE.get(kind, ("other",)):
            if getattr(values, name):
                raise _invalid(name, "an EU DCC has no place for it, so it must be left out", "None")


_NO_PLACE: dict[type, tuple[str, ...]] = {
    Holder: ("full_name", "sex", "nationality", "document_number", "guardian", "other"),
    Vaccination: ("partial_date", "batch", "centre", "clinician", "other"),
    TestResult: ("sampled_on", "partial_date", "resulted_at", "other"),
}
_OUT_OF_PLACE = {kind: attrgetter(*names) for kind, names in _NO_PLACE.items()}
_COUNTRY = re.compile(r"[A-Z]{1,10}")  # the schema allows organisations as well
_BIRTH_DATE = re.compile(r"(19|20)[0-9]{2}(-[0-9]{2}(-[0-9]{2})?)?")
_FIRST_YEAR = 1900
_CODE = re.compile(r"[!-~]{1,80}")
_TRANSLITERATED = re.compile(r"[A-Z]+(<[A-Z]+)*")


def _names(holder: Holder, variant: Mapping[str, str]) -> dict[str, str]:
    names: dict[str, str] = {}
    for key, name, shown, icao in (
        ("fn", "family_name", holder.family_name, holder.family_name_icao),
        ("gn", "given_name", holder.given_name, holder.given_name_icao),
    ):
        if shown:
            names[key] = _spaced(name, shown, "Müller")
        spelling = icao or (transliterate(shown, f"{name}_icao", variant=variant) if shown else "")
        if shown and not spelling:
            raise IssueError(
                Code.NAME_NEEDS_PASSPORT_SPELLING, f"{name}_icao: the spelling of the passport", Step.CONTENT
            )
        if spelling:
            rule = "capital letters, words separated by one <"
            names[f"{key}t"] = _matching(f"{name}_icao", spelling, _TRANSLITERATED, rule, "MUELLER<MEIER")
    if "fnt" not in names and "gnt" not in names:
        raise _invalid("family_name", "at least one of family_name and given_name", "Müller")
    return names


def _birth_date(value: object) -> str:
    example = "1964-08-12"
    rule = "a date from 1900 as YYYY-MM-DD, YYYY-MM or YYYY, or empty when unknown"
    if not isinstance(value, str):
        raise _invalid("birth_date", rule, example)
    if value and not _BIRTH_DATE.fullmatch(value):
        raise _invalid("birth_date", rule, example)
    try:
        if value:
            date.fromisoformat((value + "-01-01")[: len(example)])
    except ValueError:
        raise _invalid("birth_date", rule, example) from None
    return value


# What writing programs put into texts unseen; the joiners are letters' own affair, and stay.
_UNSEEN = {0xA0: " ", 0x202F: " ", 0xAD: None, 0x200E: None, 0x200F: None, 0x061C: None, 0xFEFF: None}
_SPACES = re.compile("  +")
_JOINERS = {0x200C: None, 0x200D: None}
# Nearly every text: signs of ASCII and composed Latin letters. There is nothing unseen in it.
_PLAIN = re.compile(f"[ -~\u00c0-\u017f]{{1,{MAX_TEXT}}}")


def _text(name: str, value: object, example: str) -> str:
    if isinstance(value, str) and _PLAIN.fullmatch(value) and not value.isspace():
        return value
    text = unicodedata.normalize("NFC", value).translate(_UNSEEN) if isinstance(value, str) else ""
    if not text.strip() or len(text) > MAX_TEXT or not text.translate(_JOINERS).isprintable():
        raise _invalid(name, f"text of 1 to {MAX_TEXT} printable characters", example)
    return text


def _spaced(name: str, value: object, example: str) -> str:
    """A text without what nobody sees of its spaces: else one name, of two systems, would be two."""
    text = _text(name, value, example)
    return (_SPACES.sub(" ", text) if "  " in text else text).strip(" ")


def _matching(name: str, value: object, pattern: re.Pattern[str], rule: str, example: str) -> str:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise _invalid(name, rule, example)
    return value


def _number(name: str, value: object) -> int:
    if type(value) is not int or not 1 <= value <= 99:
        raise _invalid(name, "a whole number from 1 to 99", "2")
    return value


def _day(name: str, value: object) -> str:
    if not isinstance(value, date) or isinstance(value, datetime) or value.year < _FIRST_YEAR:
        raise _invalid(name, f"a day (datetime.date) from {_FIRST_YEAR} on", "2021-05-29")
    return value.isoformat()


def _moment(name: str, value: object) -> str:
    offset = value.utcoffset() if isinstance(value, datetime) else None
    if not isinstance(value, datetime) or offset is None or offset.total_seconds() % 60 or value.year < _FIRST_YEAR:
        raise _invalid(name, "a moment with its time zone", "2021-08-20T10:03:12+02:00")
    text = value.isoformat(timespec="seconds")
    return text.removesuffix("+00:00") + "Z" if text.endswith("+00:00") else text


def _check(payload: dict[str, Any]) -> None:
    """The payload must pass what a strict verifier will ask of it, but for codes, which were judged one by one."""
    try:
        if _is_plain(payload):
            return
        findings = read_payload(payload).findings
    except VerificationError as error:
        raise IssueError(error.code, error.detail, Step.CONTENT) from None
    for finding in findings:
        # A verifier's value sets may be older than the issuer's, and what was forced by name is in none.
        if finding.code not in (Code.UNKNOWN_DISEASE, Code.UNKNOWN_CODE):
            raise IssueError(finding.code, finding.detail, Step.CONTENT)


def _is_plain(payload: dict[str, Any]) -> bool:
    """Whether a payload fits the schema, and is such that a verifier has nothing else to find in it.

    What there is to find beyond the schema is a day that no calendar has, which no date is; a text that is too long,
    which only a given spelling of a name can be here; and what another version than the usual asks for.
    """
    names = payload["nam"]
    if "fnt" not in names or max(map(len, names.values())) > MAX_TEXT:
        return False
    # The last hours of that year are in no calendar in every zone.
    if "t" in payload and payload["t"][0]["sc"] >= "9999":
        return False
    try:
        to_typed(payload)
    except ValidationError:
        return False
    return True


def _invalid(name: str, rule: str, example: str) -> IssueError:
    return IssueError(Code.FIELD_INVALID, f"{name}: {rule}; for example {example}", Step.CONTENT)
