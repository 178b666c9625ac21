"""What a document says of a certificate, in any family: its fields in the order of the EU's paper form."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime

from msgspec import Struct

from healthcert.document.names import coding, country, day, moment, plain, result, sex
from healthcert.document.sheet import Field, Section, Sheet
from healthcert.document.words import NOTHING_REPLACED, RIGHT_TO_LEFT, Words, words_of
from healthcert.families.twoddoc.family import TWODDOC
from healthcert.model import Event, Exemption, HealthCertificate, Holder, Recovery, TestResult, Vaccination

_EU_DCC = "EU DCC"
# Regulation (EU) 2021/953: who issues certificates of that name. Others do so in the same format.
_MEMBER_STATES = frozenset(
    "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK".split()  # noqa: SIM905
)
_NOTICES = ("notice_travel", "notice_use", "notice_keep")

_Item = tuple[str, str, str | None]  # the field's name, the key of its label, and its value


class _Language(Struct, frozen=True):
    """The words of a document, and those in English beside them where it is in another language."""

    tag: str
    words: Words
    english: Words | None

    def section(self, title: str, items: Iterable[_Item]) -> Section:
        """The fields that have a value, each made harmless."""
        fields = (
            Field(name=name, label=self.words[label], value=shown, english=self.beside(label))
            for name, label, value in items
            if value and (shown := plain(value))
        )
        return Section(title=self.words[title], fields=tuple(fields), english=self.beside(title))

    def beside(self, key: str) -> str | None:
        """The English of a word; None where that is what it says."""
        return None if self.english is None or self.english[key] == self.words[key] else self.english[key]

    def country(self, code: str | None) -> str | None:
        return country(code, self.tag)

    def isolated(self, value: str) -> str:
        """A value amid words that run the other way, which must not turn it (UAX #9 §2.7)."""
        return f"\u2066{value}\u2069" if self.tag in RIGHT_TO_LEFT else value


def sheet_of(
    certificate: HealthCertificate,
    *,
    lang: str = "en",
    issued_on: date | None = None,
    expires_on: date | None = None,
    wording: Words = NOTHING_REPLACED,
) -> Sheet:
    """What a document says of a certificate: whatever has a value, as it was signed, and nothing else.

    Codes have their names, dates are ISO 8601, and labels have the English one beside them where ``lang`` is another of
    :data:`healthcert.LANGUAGES`. ``issued_on`` and ``expires_on`` are the dates of the certificate where they are not
    given. ``wording`` replaces words by their keys. Of text that comes from the certificate, control characters,
    characters that change the direction of writing and unseen ones are left out. Countries are named in English where
    the extra ``paper`` is not installed.

    Raises :class:`DocumentError` (``TEMPLATE_INVALID``), ValueError for another language.
    """
    language = _Language(lang, words_of(lang, wording), None if lang == "en" else words_of("en"))
    words = language.words
    title = _title(certificate)
    beside = tuple(section for other in certificate.beside for section in _beside(other, certificate, language))
    issuers = (event.issuer for event in certificate.events if event.issuer)
    identifiers = (event.certificate_id for event in certificate.events if event.certificate_id)
    return Sheet(
        lang=lang,
        rtl=lang in RIGHT_TO_LEFT,
        title=words[title],
        english_title=language.beside(title),
        holder=language.section("section_holder", _holder(certificate.holder, language)),
        events=(*_events(certificate, language), *beside),
        summary=_summary(certificate, language),
        certificate_id=next(filter(None, map(plain, (*identifiers, *certificate.identifiers))), None),
        issuer=plain(next(issuers, None) or language.country(certificate.issuer) or ""),
        issued_on=issued_on or _date(certificate.issued_at),
        expires_on=expires_on or _date(certificate.expires_at),
        notice=tuple(words[key] for key in _NOTICES if words[key].strip()),
        barcode_alternative=words["barcode_datamatrix" if certificate.family in TWODDOC.kinds else "barcode_qr"],
    )


def _date(moment: datetime | None) -> date | None:
    return None if moment is None else moment.date()


def _title(certificate: HealthCertificate) -> str:
    if certificate.family == _EU_DCC and certificate.issuer in _MEMBER_STATES:
        return "title_eu_dcc"
    kinds = {event.entry_type for one in (certificate, *certificate.beside) for event in one.events}
    return f"title_{kinds.pop()}" if len(kinds) == 1 else "title_certificate"


def _holder(holder: Holder, language: _Language) -> Iterator[_Item]:
    yield "family_name", "label_family_name", holder.family_name
    yield "given_name", "label_given_name", holder.given_name
    yield "full_name", "label_full_name", holder.full_name
    yield "family_name_icao", "label_family_name_icao", holder.family_name_icao
    yield "given_name_icao", "label_given_name_icao", holder.given_name_icao
    yield "birth_date", "label_birth_date", holder.birth_date
    yield "sex", "label_sex", sex(holder.sex, language.words)
    yield "nationality", "label_nationality", language.country(holder.nationality)
    yield "document_number", "label_document_number", holder.document_number
    yield "guardian", "label_guardian", holder.guardian


def _beside(other: HealthCertificate, first: HealthCertificate, language: _Language) -> Iterator[Section]:
    """Another certificate under the same signature, with its holder where that is somebody else."""
    if other.holder != first.holder:
        yield language.section("section_holder", _holder(other.holder, language))
    yield from _events(other, language)


def _events(certificate: HealthCertificate, language: _Language) -> Iterator[Section]:
    for event in certificate.events:
        yield language.section(f"section_{event.entry_type}", _items(event, certificate, language))
    if not certificate.events:
        yield language.section("section_certificate", _pass(certificate, language))


def _items(event: Event, certificate: HealthCertificate, language: _Language) -> Iterator[_Item]:
    match event:
        case Vaccination():
            yield from _vaccination(event, certificate, language)
        case TestResult():
            yield from _test(event, certificate, language)
        case Recovery():
            yield from _recovery(event, certificate, language)
        case Exemption():
            yield from _exemption(event, certificate, language)
    yield "certificate_id", "label_certificate_id", event.certificate_id


# Regulation (EU) 2021/953, annex: the fields of each certificate, in this order. What other families have beside
# them stands where it belongs.


def _vaccination(event: Vaccination, certificate: HealthCertificate, language: _Language) -> Iterator[_Item]:
    words = language.words
    yield "disease", "label_disease", coding(event.disease, words)
    yield "vaccine", "label_vaccine", coding(event.vaccine, words)
    yield "product", "label_product", coding(event.product, words)
    yield "manufacturer", "label_manufacturer", coding(event.manufacturer, words)
    yield "dose", "label_dose", _dose(event)
    yield "date", "label_vaccination_date", day(event.date, event.partial_date)
    yield "batch", "label_batch", event.batch
    yield "centre", "label_vaccination_centre", event.centre
    yield "clinician", "label_clinician", event.clinician
    yield "country", "label_vaccination_country", language.country(event.country)
    yield "issuer", "label_issuer", _issuer(event, certificate, language)


def _test(event: TestResult, certificate: HealthCertificate, language: _Language) -> Iterator[_Item]:
    words = language.words
    yield "disease", "label_disease", coding(event.disease, words)
    yield "test_type", "label_test_type", coding(event.test_type, words)
    yield "test_name", "label_test_name", event.name
    yield "device", "label_device", coding(event.device, words)
    yield "sampled_at", "label_sampled_at", moment(event.sampled_at)
    if event.sampled_at is None:
        yield "sampled_on", "label_sampled_on", day(event.sampled_on, event.partial_date)
    yield "resulted_at", "label_resulted_at", moment(event.resulted_at)
    yield "result", "label_result", result(event.result, words)
    yield "centre", "label_test_centre", event.centre
    yield "country", "label_test_country", language.country(event.country)
    yield "issuer", "label_issuer", _issuer(event, certificate, language)


def _recovery(event: Recovery, certificate: HealthCertificate, language: _Language) -> Iterator[_Item]:
    yield "disease", "label_recovery_disease", coding(event.disease, language.words)
    yield "first_positive", "label_first_positive", day(event.first_positive)
    yield "country", "label_test_country", language.country(event.country)
    yield "issuer", "label_issuer", _issuer(event, certificate, language)
    yield "valid_from", "label_valid_from", day(event.valid_from)
    yield "valid_until", "label_valid_until", day(event.valid_until)


def _exemption(event: Exemption, certificate: HealthCertificate, language: _Language) -> Iterator[_Item]:
    yield "disease", "label_disease", coding(event.disease, language.words)
    yield "country", "label_country", language.country(event.country)
    yield "issuer", "label_issuer", _issuer(event, certificate, language)
    yield "valid_until", "label_valid_until", day(event.valid_until)


def _pass(certificate: HealthCertificate, language: _Language) -> Iterator[_Item]:
    """A certificate that says no more than that its holder has it, or where there is more to be read."""
    yield "issuer", "label_issuer", language.country(certificate.issuer)
    yield "issued_on", "label_issued_on", day(_date(certificate.issued_at))
    yield "expires_on", "label_expires_on", day(_date(certificate.expires_at))
    for link in certificate.links:
        yield "link", "label_link", link
    for identifier in certificate.identifiers:
        yield "certificate_id", "label_certificate_id", identifier


def _issuer(event: Event, certificate: HealthCertificate, language: _Language) -> str | None:
    """Who issued it by the event's own word, or else by that of the signer."""
    return event.issuer or language.country(certificate.issuer)


def _dose(event: Vaccination) -> str | None:
    if event.dose is None:
        return None
    return str(event.dose) if event.series is None else f"{event.dose}/{event.series}"


def _summary(certificate: HealthCertificate, language: _Language) -> str:
    """The last event that is told, in one line."""
    if not certificate.events:
        return language.words[_title(certificate)]
    event = certificate.events[-1]
    parts = [language.words[f"section_{event.entry_type}"]]
    match event:
        case Vaccination():
            if dose := _dose(event):
                parts[0] += " " + language.isolated(dose)
            told = day(event.date, event.partial_date)
        case TestResult():
            parts.append(plain(result(event.result, language.words)))
            told = day(event.day, event.partial_date)
        case Recovery():
            told = day(event.first_positive)
        case Exemption():
            told = day(event.valid_until)
    if told:
        parts.append(language.isolated(told))
    return language.words["separator"].join(parts)
