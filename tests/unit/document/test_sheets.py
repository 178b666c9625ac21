"""What a document says: the fields of every family in the order of the EU's form, and nothing that was not signed."""

from __future__ import annotations

import sys
import unicodedata
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace

import healthcert as hc
from healthcert import codings
from healthcert.document import names
from healthcert.document.names import plain
from healthcert.document.sheet import Section, Sheet
from healthcert.document.sheets import sheet_of
from healthcert.document.words import LANGUAGES, words_of
from healthcert.model import HealthCertificate
from tests.issuing import CASES, Case
from tests.support import EVENTS, HOLDER, RECOVERY, TEST, VACCINATION, issue

OVERRIDE, ISOLATE, POP = "\u202e", "\u2066", "\u2069"


def certificate(*events: hc.Event, holder: hc.Holder = HOLDER, **changes: Any) -> HealthCertificate:
    values: dict[str, Any] = {
        "family": "EU DCC",
        "version": "1.3.0",
        "issuer": "FR",
        "issued_at": datetime(2021, 8, 20, 10, tzinfo=UTC),
        "expires_at": datetime(2022, 8, 20, 10, tzinfo=UTC),
        "identifiers": (),
        "raw": {},
    }
    return HealthCertificate(holder=holder, events=events, **(values | changes))


def told(section: Section) -> list[tuple[str, str]]:
    return [(field.name, field.value) for field in section.fields]


def values(section: Section) -> dict[str, str]:
    return dict(told(section))


def every_field(sheet: Sheet) -> list[str]:
    return [field.value for section in (sheet.holder, *sheet.events) for field in section.fields]


# --- The EU's certificates ---


def test_a_vaccination_has_the_fields_of_the_form_in_its_order() -> None:
    issued = issue()
    sheet = sheet_of(issued.content())
    assert (sheet.lang, sheet.rtl, sheet.title, sheet.english_title) == (
        "en",
        False,
        "EU Digital COVID Certificate",
        None,
    )
    assert [(field.label, field.value) for field in sheet.holder.fields] == [
        ("Surname(s)", "Exemplaire-Müller"),
        ("Forename(s)", "Zoé"),
        ("Standardised surname(s)", "EXEMPLAIRE<MUELLER"),
        ("Standardised forename(s)", "ZOE"),
        ("Date of birth", "1984-02-29"),
    ]
    [event] = sheet.events
    assert (event.title, event.english) == ("Vaccination", None)
    assert told(event) == [
        ("disease", "COVID-19"),
        ("vaccine", "SARS-CoV-2 mRNA vaccine"),
        ("product", "Comirnaty"),
        ("manufacturer", "Biontech Manufacturing GmbH"),
        ("dose", "2/2"),
        ("date", "2021-06-11"),
        ("country", "France"),
        ("issuer", "Ministry of Examples"),
        ("certificate_id", issued.certificate_id),
    ]
    assert sheet.summary == "Vaccination 2/2, 2021-06-11"
    assert (sheet.certificate_id, sheet.issuer) == (issued.certificate_id, "Ministry of Examples")
    assert (sheet.issued_on, sheet.expires_on) == (issued.content().issued_at.date(), issued.expires.date())  # type: ignore[union-attr]


def test_a_test_has_the_moment_with_its_zone() -> None:
    sheet = sheet_of(issue(TEST).content())
    [event] = sheet.events
    assert told(event)[:-1] == [
        ("disease", "COVID-19"),
        ("test_type", "Nucleic acid amplification test (NAAT)"),
        ("test_name", "Example qPCR"),
        ("sampled_at", "2021-08-19 10:00 UTC"),
        ("result", "Not detected"),
        ("centre", "Example Centre"),
        ("country", "France"),
        ("issuer", "Ministry of Examples"),
    ]
    assert sheet.summary == "Test, Not detected, 2021-08-19"


def test_a_recovery_has_the_days_between_which_it_may_be_used() -> None:
    sheet = sheet_of(issue(RECOVERY).content())
    [event] = sheet.events
    assert told(event)[:-1] == [
        ("disease", "COVID-19"),
        ("first_positive", "2021-05-01"),
        ("country", "France"),
        ("issuer", "Ministry of Examples"),
        ("valid_from", "2021-05-12"),
        ("valid_until", "2021-10-28"),
    ]
    assert sheet.summary == "Recovery, 2021-05-01"


@pytest.mark.parametrize(
    ("lang", "title"),
    [
        ("en", "EU Digital COVID Certificate"),
        ("fr", "Certificat COVID numérique de l’UE"),
        ("de", "Digitales COVID-Zertifikat der EU"),
        ("es", "Certificado COVID digital de la UE"),
        ("it", "Certificato COVID digitale dell’UE"),
        ("el", "Ψηφιακό πιστοποιητικό COVID της ΕΕ"),
        ("bg", "Цифров COVID сертификат на ЕС"),
        ("ar", "شهادة كوفيد الرقمية للاتحاد الأوروبي"),
    ],
)
def test_a_member_state_issues_by_the_official_name(lang: str, title: str) -> None:
    sheet = sheet_of(certificate(VACCINATION), lang=lang)
    assert sheet.title == title
    assert sheet.english_title == (None if lang == "en" else "EU Digital COVID Certificate")
    assert sheet.rtl is (lang == "ar")


@pytest.mark.parametrize(
    ("family", "issuer", "events", "title"),
    [
        ("EU DCC", "CH", (VACCINATION,), "Vaccination certificate"),
        ("EU DCC", None, (TEST,), "Test certificate"),
        ("EU DCC", "GB", (RECOVERY,), "Certificate of recovery"),
        ("WHO DVC", "FR", (VACCINATION, VACCINATION), "Vaccination certificate"),
        ("SMART Health Card", "https://cards.example", (VACCINATION, TEST), "Health certificate"),
        ("NZ COVID Pass", "did:web:passes.example", (), "Health certificate"),
    ],
)
def test_others_issue_by_what_it_is(family: str, issuer: str | None, events: tuple[hc.Event, ...], title: str) -> None:
    assert sheet_of(certificate(*events, family=family, issuer=issuer)).title == title


# --- Languages ---


@pytest.mark.parametrize("lang", [lang for lang in LANGUAGES if lang != "en"])
@pytest.mark.parametrize("event", EVENTS.values(), ids=list(EVENTS))
def test_another_language_has_the_same_fields_with_english_beside_their_labels(lang: str, event: hc.Event) -> None:
    given, english = certificate(event), words_of("en")
    sheet, other = sheet_of(given, lang=lang), sheet_of(given)
    for section, beside in zip((sheet.holder, *sheet.events), (other.holder, *other.events), strict=True):
        assert [field.name for field in section.fields] == [field.name for field in beside.fields]
        assert [field.english or field.label for field in section.fields] == [field.label for field in beside.fields]
        assert (section.english or section.title) == beside.title
    assert set(sheet.notice).isdisjoint(other.notice)
    assert sheet.barcode_alternative not in (other.barcode_alternative, english["barcode_qr"])


@pytest.mark.parametrize(
    ("lang", "result", "kind", "country"),
    [
        ("fr", "Non détecté", "Test d’amplification des acides nucléiques (TAAN)", "Allemagne"),
        ("de", "Nicht nachgewiesen", "Nukleinsäure-Amplifikationstest (NAAT)", "Deutschland"),
        ("ar", "لم يتم اكتشافه", "اختبار تضخيم الحمض النووي (NAAT)", "ألمانيا"),
        ("el", "Δεν ανιχνεύθηκε", "Δοκιμασία ενίσχυσης νουκλεϊκών οξέων (NAAT)", "Γερμανία"),
    ],
    ids=["fr", "de", "ar", "el"],
)
def test_values_are_in_the_language_of_the_page(lang: str, result: str, kind: str, country: str) -> None:
    [event] = sheet_of(certificate(replace(TEST, country="DE")), lang=lang).events
    found = values(event)
    assert (found["result"], found["test_type"], found["country"]) == (result, kind, country)
    assert found["test_name"] == "Example qPCR"


def test_amid_arabic_a_summary_keeps_its_numbers_in_order() -> None:
    summary = sheet_of(certificate(VACCINATION), lang="ar").summary
    assert summary == f"التطعيم {ISOLATE}2/2{POP}، {ISOLATE}2021-06-11{POP}"


def test_another_language_is_refused() -> None:
    with pytest.raises(ValueError, match="documents are written in"):
        sheet_of(certificate(VACCINATION), lang="nl")


def test_a_template_replaces_words_and_not_the_english_beside_them() -> None:
    sheet = sheet_of(
        certificate(VACCINATION),
        lang="fr",
        wording={"title_eu_dcc": "Passe", "notice_travel": "", "label_dose": "Dose"},
    )
    assert (sheet.title, sheet.english_title) == ("Passe", "EU Digital COVID Certificate")
    assert len(sheet.notice) == 2
    [dose] = [field for field in sheet.events[0].fields if field.name == "dose"]
    assert (dose.label, dose.english) == ("Dose", "Number in a series of doses")


def test_a_template_with_a_word_that_does_not_exist_is_invalid() -> None:
    with pytest.raises(hc.DocumentError) as caught:
        sheet_of(certificate(VACCINATION), wording={"label_dosage": "x"})
    assert caught.value.code is hc.Code.TEMPLATE_INVALID


# --- Every family ---


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))
def test_every_family_has_a_sheet(case: Case, lang: str) -> None:
    content = case.issue().content()
    sheet = sheet_of(content, lang=lang)
    assert values(sheet.holder)["birth_date"] == "1984-02-29"
    assert any("EXEMPLAIRE" in value.upper() for value in values(sheet.holder).values())
    assert len(sheet.events) == max(1, len(content.events))
    assert all(every_field(sheet))
    assert sheet.issuer
    assert sheet.summary
    datamatrix = sheet.barcode_alternative == words_of(lang)["barcode_datamatrix"]
    assert datamatrix == (content.family == "2D-Doc")
    assert sheet.certificate_id == next(iter(content.identifiers), None)


def test_a_pass_says_until_when_and_from_whom() -> None:
    [section] = sheet_of(CASES["nzcp"].issue().content()).events
    assert told(section)[:-1] == [
        ("issuer", "did:web:passes.example"),
        ("issued_on", "2021-08-20"),
        ("expires_on", "2022-02-19"),
    ]
    assert section.fields[-1].name == "certificate_id"


def test_what_other_families_know_of_holder_and_dose_is_told() -> None:
    sheet = sheet_of(CASES["dvc"].issue().content(), lang="de")
    assert told(sheet.holder)[1:] == [
        ("birth_date", "1984-02-29"),
        ("sex", "Weiblich"),
        ("nationality", "Frankreich"),
    ]
    assert told(sheet.events[0]) == [
        ("disease", "Gelbfieber"),
        ("product", "Yellow Fever (Chumakov Federal Scientific Center)"),
        ("date", "2021-06-11"),
        ("batch", "LOT9"),
        ("clinician", "Dr Example"),
        ("issuer", "Frankreich"),
    ]


def test_a_link_to_health_data_is_told() -> None:
    [section] = sheet_of(certificate(holder=hc.Holder(), family="health link", links=("shlink:/abc",))).events
    assert ("link", "shlink:/abc") in told(section)


def test_several_entries_have_a_section_each_and_the_last_is_summed_up() -> None:
    sheet = sheet_of(certificate(replace(VACCINATION, dose=1), VACCINATION, TEST))
    assert [section.title for section in sheet.events] == ["Vaccination", "Vaccination", "Test"]
    assert sheet.summary == "Test, Not detected, 2021-08-19"


def test_what_one_signature_covers_beside_it_is_told_with_whose_it_is() -> None:
    other = certificate(TEST, holder=hc.Holder(full_name="Somebody Else"))
    sheet = sheet_of(certificate(VACCINATION, beside=(certificate(RECOVERY), other)))
    assert [section.title for section in sheet.events] == ["Vaccination", "Recovery", "Holder", "Test"]
    assert told(sheet.events[2]) == [("full_name", "Somebody Else")]


# --- What is known, and no more ---


def test_what_has_no_value_has_no_field() -> None:
    holder = hc.Holder(full_name="Zoé", birth_date="")
    sheet = sheet_of(certificate(hc.Vaccination(), holder=holder, family="DIVOC", issuer=None, issued_at=None))
    assert told(sheet.holder) == [("full_name", "Zoé")]
    assert [told(section) for section in sheet.events] == [[]]
    assert (sheet.issuer, sheet.certificate_id, sheet.issued_on, sheet.summary) == ("", None, None, "Vaccination")


@pytest.mark.parametrize("birth_date", ["1964", "1964-08", "1964-08-12"])
def test_a_date_of_birth_stays_as_partial_as_it_is(birth_date: str) -> None:
    assert (
        values(sheet_of(certificate(holder=replace(HOLDER, birth_date=birth_date))).holder)["birth_date"] == birth_date
    )


def test_days_that_are_told_in_part_stay_so() -> None:
    dose = replace(VACCINATION, date=None, partial_date="2021-06", series=None)
    sample = replace(TEST, sampled_at=None, partial_date="2021")
    day = replace(TEST, sampled_at=None, sampled_on=date(2021, 8, 19))
    sheet = sheet_of(certificate(dose, sample, day))
    assert (values(sheet.events[0])["date"], values(sheet.events[0])["dose"]) == ("2021-06", "2")
    assert [values(event).get("sampled_on") for event in sheet.events[1:]] == ["2021", "2021-08-19"]
    assert not [event for event in sheet.events if "sampled_at" in values(event)]


@pytest.mark.parametrize(
    ("zone", "shown"),
    [
        (UTC, "2021-08-19 10:05 UTC"),
        (timezone(timedelta(hours=2)), "2021-08-19 10:05 UTC+02:00"),
        (timezone(-timedelta(hours=3, minutes=30)), "2021-08-19 10:05 UTC-03:30"),
    ],
)
def test_a_moment_has_its_zone_and_seconds_where_there_are_any(zone: timezone, shown: str) -> None:
    moment = datetime(2021, 8, 19, 10, 5, tzinfo=zone)
    assert names.moment(moment) == shown
    assert names.moment(moment.replace(second=7)) == shown.replace("10:05", "10:05:07")


def test_a_code_that_nobody_knows_is_shown_as_it_is() -> None:
    dose = replace(
        VACCINATION,
        disease=hc.Coding("urn:x", "D1"),
        vaccine=hc.Coding("", "V1"),
        product=hc.Coding("urn:y", "P1", "Pee"),
    )
    found = values(sheet_of(certificate(dose), lang="el").events[0])
    assert (found["disease"], found["vaccine"], found["product"]) == ("D1", "V1", "Pee")


@pytest.mark.parametrize("system", [codings.SNOMED_CT, "urn:oid:2.16.840.1.113883.6.96"])
def test_another_spelling_of_a_code_system_is_the_same_code(system: str) -> None:
    dose = replace(VACCINATION, disease=hc.Coding(system, "16541001"))
    assert values(sheet_of(certificate(dose), lang="es").events[0])["disease"] == "Fiebre amarilla"


def test_that_a_list_calls_a_code_deprecated_is_not_told_its_holder() -> None:
    dose = replace(VACCINATION, product=hc.Coding("urn:x", "NVX-CoV2373", "NVX-CoV2373 (deprecated)"))
    assert values(sheet_of(certificate(dose)).events[0])["product"] == "NVX-CoV2373"


@pytest.mark.parametrize(
    ("result", "shown"),
    [
        (codings.DETECTED, "Détecté"),
        (hc.Coding("", "Negative"), "Non détecté"),
        (hc.Coding(codings.TWODDOC_RESULT, "X", "Not usable"), "Not usable"),
        (hc.Coding("", "indeterminate"), "indeterminate"),
    ],
)
def test_a_result_is_translated_where_it_is_one(result: hc.Coding, shown: str) -> None:
    assert values(sheet_of(certificate(replace(TEST, result=result)), lang="fr").events[0])["result"] == shown


@pytest.mark.parametrize(
    ("code", "lang", "shown"),
    [
        ("AT", "en", "Austria"),
        ("AUT", "it", "Austria"),
        ("D", "fr", "Allemagne"),
        ("XK", "bg", "Косово"),
        ("CI", "it", "Costa d’Avorio"),
        ("EU", "es", "Unión Europea"),
        ("UT", "en", "UT"),
        ("UTO", "de", "UTO"),
        ("XX", "de", "XX"),
        ("001", "de", "001"),
        ("Indian", "ar", "Indian"),
        (None, "en", None),
    ],
)
def test_a_country_has_its_name_and_what_is_none_stays(code: str | None, lang: str, shown: str | None) -> None:
    assert names.country(code, lang) == shown


def test_without_babel_countries_are_named_in_english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "babel", None)
    names._territories.cache_clear()
    try:
        found = [names.country(code, "fr") for code in ("DE", "CI", "EU", "XX")]
    finally:
        names._territories.cache_clear()
    assert found == ["Germany", "Côte d'Ivoire", "EU", "XX"]


@pytest.mark.parametrize(
    ("sex", "shown"),
    [("female", "Féminin"), ("M", "Masculin"), ("X", "X"), ("other", "other"), ("Malevolent", "Malevolent")],
)
def test_a_sex_is_translated_where_it_is_one_of_two(sex: str, shown: str) -> None:
    holder = replace(HOLDER, sex=hc.Coding("", sex))
    assert values(sheet_of(certificate(holder=holder), lang="fr").holder)["sex"] == shown


# --- What strangers write ---


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"Zoé{OVERRIDE}éoZ", "ZoééoZ"),
        ("a\x00b\x1b[31mc\nd\te", "a b [31mc d e"),
        ("\u2067a\u2069\u200fb\u061c", "ab"),
        ("a\u2028b\u2029c\u0085d", "a b c d"),
        ("soft\u00adhy\u200bphen\ufeff", "softhyphen"),
        ("\U000e0041tag\U000e007f", "tag"),
        ("  two  blanks ", "two blanks"),
        ("<b>&amp;", "<b>&amp;"),
        ("\ud800\ufffe", "\ufffd\ufffd"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("क्\u200dष", "क्\u200dष"),
    ],
)
def test_text_of_a_stranger_is_one_harmless_line(text: str, shown: str) -> None:
    assert plain(text) == shown


@given(st.text())
@example("\u2066\u202e")
def test_no_text_turns_its_line(text: str) -> None:
    shown = plain(text)
    assert plain(shown) == shown
    for character in shown:
        assert unicodedata.category(character) not in ("Cc", "Cs", "Zl", "Zp")
        assert unicodedata.bidirectional(character) not in (
            "LRE",
            "RLE",
            "LRO",
            "RLO",
            "PDF",
            "LRI",
            "RLI",
            "FSI",
            "PDI",
        )
        assert character not in "\u200e\u200f\u061c"


@given(st.text(min_size=1))
def test_every_text_of_a_certificate_is_made_harmless(text: str) -> None:
    coded = hc.Coding("urn:x", text, text)
    dose = replace(
        VACCINATION,
        disease=coded,
        product=coded,
        batch=text,
        country=text,
        issuer=text,
        certificate_id=text,
        partial_date=None,
    )
    sample = replace(TEST, name=text, result=coded, centre=text)
    holder = hc.Holder(family_name=text, given_name=text, birth_date=text, sex=coded, guardian=text)
    given = certificate(dose, sample, holder=holder, issuer=text, links=(text,), identifiers=(text,))
    sheet = sheet_of(given)
    shown = (*every_field(sheet), sheet.summary, sheet.issuer, sheet.certificate_id or "")
    assert [value for value in shown if value != plain(value)] == []


def test_a_sheet_shows_nothing_of_its_holder_in_a_traceback() -> None:
    sheet = sheet_of(certificate(VACCINATION))
    assert repr((sheet, sheet.holder, sheet.holder.fields[0])) == "(Sheet(...), Section(...), Field(...))"
