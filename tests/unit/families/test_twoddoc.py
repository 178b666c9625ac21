"""2D-Doc: the header, the fields and their ends, the signature in every form, and what is refused of them."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from healthcert.codings import COVID_19, DETECTED, NOT_DETECTED, finding
from healthcert.encoding.algorithms import Algorithm
from healthcert.errors import Code, DecodeError, Step, VerificationError
from healthcert.families.protocol import Decoded, Finding
from healthcert.families.twoddoc.family import TWODDOC, text_of
from healthcert.limits import DEFAULT_LIMITS
from healthcert.model import EntryType, HealthCertificate, Scan, TestResult, Vaccination
from healthcert.revocation.identifiers import french_2ddoc_hash
from tests.support_twoddoc import CURVES, GS, KID, RS, US, Press, a_test, key, vaccination

HEADERS = {
    "01": "DC01FR0000011E6D1E6D{type}",
    "02": "DC02FR0000011E6D1E6D{type}",
    "03": "DC03FR0000011E6D1E6D{type}01",
    "04": "DC04FR0000011E6D1E6D{type}01FR",
}


def decode(text: str) -> Decoded:
    return TWODDOC.decode(text, DEFAULT_LIMITS)


def parse(text: str) -> tuple[HealthCertificate, tuple[Finding, ...]]:
    return TWODDOC.parse(decode(text), frozenset(TWODDOC.kinds))


def codes(press: Press) -> list[str]:
    decoded = decode(press.text())
    return [str(one.code) for one in (*decoded.findings, *TWODDOC.parse(decoded, ())[1])]


def refused(text: str) -> Code:
    with pytest.raises(DecodeError) as caught:
        decode(text)
    assert caught.value.step is Step.DECODE
    return caught.value.code


def unfit(press: Press) -> Code:
    with pytest.raises(VerificationError) as caught:
        parse(press.text())
    assert caught.value.step is Step.CONTENT
    return caught.value.code


def holds(decoded: Decoded) -> bool:
    assert decoded.algorithm is not None
    return decoded.algorithm.verify(key(decoded.algorithm).public_key(), decoded.signature, decoded.signed)


def raw(press: Press) -> Scan:
    """Version 1: the signature as bytes, and what a scanner made of all of them."""
    data = press.signed.encode() + US.encode() + press.signature
    return Scan(data.decode("latin-1"), data)


# --- The form ---


@pytest.mark.parametrize("header", HEADERS.values())
def test_it_is_told_by_its_header(header: str) -> None:
    assert TWODDOC.recognises(Press(header=header).signed)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "DC",
        "DC04",
        "DC05FR0000011E6D1E6DL101FR",
        "DC00FR0000011E6D1E6DL101FR",
        "dc04FR0000011E6D1E6DL101FR",
        "DC04fr0000011E6D1E6DL101FR",
        "DC04FR0000011G6D1E6DL101FR",
        "DC04FR0000011e6d1e6dL101FR",
        "DC04FR0000011E6D1E6DL1",
        " DC04FR0000011E6D1E6DL101FR",
        "IS01" + "0" * 22,
        "DC\x04\x9b\x9b",
    ],
)
def test_anything_else_is_not(text: str) -> None:
    assert not TWODDOC.recognises(text)


@pytest.mark.parametrize("version", ["02", "03", "04"])
def test_every_version_with_a_signature_in_base32(version: str) -> None:
    decoded = decode(Press(header=HEADERS[version]).text())
    assert holds(decoded)
    assert (decoded.kid, decoded.domains, decoded.issuer) == (KID, frozenset(("2D-DOC",)), None)
    assert decoded.claims.issuer == ("FR" if version == "04" else None)
    certificate, findings = TWODDOC.parse(decoded, ())
    assert (certificate.version, certificate.issued_at) == (version, datetime(2021, 4, 29, tzinfo=UTC))
    assert findings == ()


def test_the_first_version_has_its_signature_as_bytes() -> None:
    press = Press(header=HEADERS["01"])
    decoded = decode(raw(press))
    assert decoded.signature == press.signature or holds(decoded)
    # Readers that know no bytes make a character of each.
    assert holds(decode(str(raw(press))))
    annexed = Scan("", b"").__class__(str(raw(press)) + GS + "ANNEX", raw(press).data + b"\x1dANNEX")
    assert holds(decode(annexed))
    assert refused(str(raw(press))[:-1]) is Code.TWODDOC_DESERIALIZATION_FAILED
    assert refused(press.signed + US + "\u20ac" * 64) is Code.TWODDOC_DESERIALIZATION_FAILED


@pytest.mark.parametrize("algorithm", CURVES)
def test_the_length_of_the_signature_tells_its_algorithm(algorithm: Algorithm) -> None:
    decoded = decode(Press(algorithm=algorithm).text())
    assert decoded.algorithm is algorithm
    assert holds(decoded)


def test_a_signature_of_another_length_is_of_no_algorithm() -> None:
    decoded = decode(Press().signed + US + "AAAAAAAA")
    assert decoded.algorithm is None
    assert decoded.algorithm_label == "(a signature of 5 bytes)"


@pytest.mark.parametrize(
    "spelt",
    [("<GS>", "<US>"), ("<gs>", "<us>"), ("\u241d", "\u241f"), ("{GS}", "{US}"), ("<FNC1>", "<US>"), ("\\x1D", "\\x1F"),
     ("\\u001d", "\\u001f"), ("%1D", "%1F")],
)  # fmt: skip
def test_separators_may_be_spelt_out(spelt: tuple[str, str]) -> None:
    text = Press().text()
    dump = text.replace(GS, spelt[0]).replace(US, spelt[1])
    assert holds(decode(dump))
    assert text_of(decode(dump)) == text.partition(US)[0]


def test_what_has_separators_of_its_own_spells_none_out() -> None:
    press = vaccination(**{"0C": f"https://example.test/%1D<GS>{GS}"})
    decoded = decode(press.text())
    assert holds(decoded)
    assert parse(press.text())[0].events[0].other["0C"] == "https://example.test/%1D<GS>"


def test_text_beyond_ascii_is_what_the_barcode_held() -> None:
    press = vaccination(L0=f"DÉJÀ{GS}")
    signature = press.text().rpartition(US)[2]
    assert holds(decode(press.text()))
    latin = press.signed.encode("latin-1")
    data = latin + US.encode() + signature.encode() + b"\r\n"
    decoded = decode(Scan(data.decode("latin-1"), data))
    assert (decoded.signed, text_of(decoded)) == (latin, press.signed)
    assert refused(press.signed + "\ud800" + US + signature) is Code.TWODDOC_DESERIALIZATION_FAILED


@pytest.mark.parametrize("end", ["", "=", f"{GS}ANNEX", f"={GS}"])
def test_an_annex_and_padding_are_not_part_of_the_signature(end: str) -> None:
    assert holds(decode(Press().text() + end))


@pytest.mark.parametrize("signature", ["A", "aaaaaaaa", "AAAAAAA1", "AAAA AAAA", "AB", "é"])
def test_a_signature_that_is_no_base32(signature: str) -> None:
    assert refused(Press().signed + US + signature) is Code.BASE_32_DECODING_FAILED


@pytest.mark.parametrize(
    "text", [Press().signed, Press().signed[:26], "DC04FR0000011E6D1E6DL101FR" + GS + US, "DC04FR00" + US]
)
def test_what_cannot_be_taken_apart(text: str) -> None:
    assert refused(text) is Code.TWODDOC_DESERIALIZATION_FAILED


# --- The fields ---


def test_their_order_is_free() -> None:
    fields = dict(reversed(list(Press().fields.items())))
    assert parse(Press(fields=fields).text())[0].events == parse(Press().text())[0].events


def test_a_field_twice_is_refused() -> None:
    assert refused(Press(message="".join(map("".join, Press().fields.items())) + "L73").text()) is (
        Code.TWODDOC_DESERIALIZATION_FAILED
    )


@pytest.mark.parametrize("changes", [{"L9": "1106202"}, {"L9": f"110620{GS}1"}, {"LA": "T"}, {"LA": ""}])
def test_a_field_that_is_cut_off(changes: dict[str, str]) -> None:
    fields = {name: value for name, value in vaccination().fields.items() if name not in changes} | changes
    assert refused(Press(fields=fields).text()) is Code.TWODDOC_DESERIALIZATION_FAILED


@pytest.mark.parametrize("more", ["l0", "L", "L\x1d", "é1", "  ", RS])
def test_what_is_no_field(more: str) -> None:
    assert refused(Press(message="LATE" + more).text()) is Code.TWODDOC_DESERIALIZATION_FAILED


def test_a_value_of_the_greatest_length_needs_no_separator() -> None:
    full = "A" * 30
    for value in (full, full + GS):
        assert codes(vaccination(L6=value)) == []
        assert str(parse(vaccination(L6=value).text())[0].events[0].manufacturer) == full  # type: ignore[union-attr]


def test_a_value_beyond_the_greatest_length_is_noted_and_whole() -> None:
    press = vaccination(L6="A" * 31 + GS)
    assert codes(press) == ["TEXT_TOO_LONG"]
    assert parse(press.text())[0].events[0].manufacturer.code == "A" * 31  # type: ignore[union-attr]


def test_a_truncated_value_is_marked() -> None:
    event = parse(vaccination(L5=f"COMIRNATY PFIZ{RS}").text())[0].events[0]
    assert isinstance(event, Vaccination)
    assert (str(event.product), event.other["truncated"]) == ("COMIRNATY PFIZ", ("L5",))


def test_the_last_field_may_end_with_the_zone_or_a_separator() -> None:
    last = {"L5": None}
    for end in ("", GS):
        press = vaccination(**last, **{"0C": f"https://example.test{end}"})
        assert parse(press.text())[0].events[0].other["0C"] == "https://example.test"
    assert codes(vaccination(L2=f"29021984{GS}")) == ["FIELD_UNEXPECTED"]


def test_a_field_of_another_document_is_noted_and_kept() -> None:
    press = vaccination(ZZ=f"SOMETHING{GS}")
    assert codes(press) == ["FIELD_UNEXPECTED"]
    certificate = parse(press.text())[0]
    assert certificate.events[0].other["ZZ"] == certificate.raw["ZZ"] == "SOMETHING"


# --- A vaccination ---


def test_a_vaccination() -> None:
    certificate, findings = parse(Press().text())
    (event,) = certificate.events
    assert isinstance(event, Vaccination)
    assert (certificate.holder.name, certificate.holder.birth_date) == ("ZOE MARIE EXEMPLE DURAND", "1984-02-29")
    assert (event.disease, event.dose, event.series, event.date) == (COVID_19, 2, 2, date(2021, 6, 11))
    assert event.vaccine is not None
    assert (event.vaccine.system, event.vaccine.code) == ("http://www.whocc.no/atc", "J07BX03")
    assert (str(event.product), str(event.manufacturer)) == ("COMIRNATY PFIZER/BIONTECH", "PFIZER/BIONTECH")
    assert event.other == {"cycle": "TE"}
    assert (event.country, event.issuer, event.certificate_id) == (None, None, None)
    assert (certificate.family, certificate.issuer, certificate.expires_at) == ("2D-Doc", "FR", None)
    assert findings == ()
    assert TWODDOC.entry_types(decode(Press().text())) == {EntryType.VACCINATION}


@pytest.mark.parametrize(
    ("written", "read"),
    [("00001962", "1962"), ("00051962", "1962-05"), ("05121962", "1962-12-05"), ("29022000", "2000-02-29")],
)
def test_what_is_unknown_of_a_birth_date_is_left_out(written: str, read: str) -> None:
    assert parse(vaccination(L2=written).text())[0].holder.birth_date == read


@pytest.mark.parametrize(
    "changes",
    [
        {"L2": "30021962"}, {"L2": "00131962"}, {"L2": "05001962"}, {"L2": "00000000"}, {"L2": "0512 962"},
        {"L9": "31062021"}, {"L9": "00062021"}, {"L9": "\u0661\u06611062021"[:8]}, {"L7": "X"}, {"L8": "\u00b2"},
        {"L0": GS, "L1": None}, {"L4": None, "L5": GS},
    ],
)  # fmt: skip
def test_content_that_cannot_be(changes: dict[str, str | None]) -> None:
    assert unfit(vaccination(**changes)) is Code.SCHEMA_VALIDATION_FAILED


@pytest.mark.parametrize("name", ["L0", "L1", "L2", "L3", "L4", "L5", "L6", "L7", "L8", "L9", "LA"])
def test_what_is_missing_is_noted_and_stays_unknown(name: str) -> None:
    assert codes(vaccination(**{name: None})) == ["FIELD_MISSING"]


@pytest.mark.parametrize("changes", [{"LA": "XX"}, {"L4": f"COVID VACCINE{GS}"}])
def test_unknown_codes_are_noted(changes: dict[str, str]) -> None:
    assert codes(vaccination(**changes)) == ["UNKNOWN_CODE"]


def test_another_disease_keeps_its_name() -> None:
    event = parse(vaccination(L3=f"FIEVRE JAUNE{GS}").text())[0].events[0]
    assert str(event.disease) == "FIEVRE JAUNE"
    assert event.disease != COVID_19


# --- A test ---


def result_of(press: Press) -> TestResult:
    (event,) = parse(press.text())[0].events
    assert isinstance(event, TestResult)
    return event


def test_a_test() -> None:
    certificate, findings = parse(a_test().text())
    event = result_of(a_test())
    assert certificate.holder.sex is not None
    assert (certificate.holder.name, certificate.holder.sex.code) == ("ZOE EXEMPLE", "female")
    assert (event.disease, str(event.test_type and event.test_type.code)) == (COVID_19, "94500-6")
    # Summer time in France is two hours ahead.
    assert event.sampled_at == datetime(2021, 8, 19, 8, 3, tzinfo=UTC)
    assert [one.code for one in findings] == [Code.TIME_WITHOUT_ZONE]
    assert TWODDOC.entry_types(decode(a_test().text())) == {EntryType.TEST}


@pytest.mark.parametrize(
    ("letter", "means"), [("N", NOT_DETECTED), ("P", DETECTED), ("I", None), ("X", None), ("Q", None)]
)
def test_results(letter: str, means: object) -> None:
    assert finding(result_of(a_test(F5=letter)).result) == means


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("310120211200", datetime(2021, 1, 31, 11, 0, tzinfo=UTC)),
        ("280320210159", datetime(2021, 3, 28, 0, 59, tzinfo=UTC)),
        ("280320210300", datetime(2021, 3, 28, 1, 0, tzinfo=UTC)),
        ("311020210259", datetime(2021, 10, 31, 0, 59, tzinfo=UTC)),
        ("311020210300", datetime(2021, 10, 31, 2, 0, tzinfo=UTC)),
        ("010720210000", datetime(2021, 6, 30, 22, 0, tzinfo=UTC)),
    ],
)
def test_the_time_is_that_of_france(written: str, moment: datetime) -> None:
    assert result_of(a_test(F6=written)).sampled_at == moment


@pytest.mark.parametrize(
    "changes", [{"F5": None}, {"F6": "190820212403"}, {"F6": "310620211003"}, {"F6": "19082021 003"}]
)
def test_results_that_cannot_be(changes: dict[str, str | None]) -> None:
    assert unfit(a_test(**changes)) is Code.SCHEMA_VALIDATION_FAILED


@pytest.mark.parametrize(
    ("written", "read"), [("94500-6", "94500-6"), ("945006", "94500-6"), ("94309", "94309"), ("000", "000")]
)
def test_loinc_codes_are_those_with_their_check_digit(written: str, read: str) -> None:
    code = result_of(a_test(F4=written + GS)).test_type
    assert code is not None
    assert code.code == read
    assert ("UNKNOWN_CODE" in codes(a_test(F4=written + GS))) is (written == read and "-" not in read)


def test_an_unknown_sex_is_none() -> None:
    assert parse(a_test(F3="U").text())[0].holder.sex is None
    assert "UNKNOWN_CODE" in codes(a_test(F3="Z"))


# --- Other documents, and who looks inside ---


@pytest.mark.parametrize(
    "header",
    ["DC04FR0000011E6D1E6D0101FR", "DC02FR000001FFFF1E6D28", "DC04FR0000011E6D1E6DL102FR", "DC03FR0000011E6D1E6DB20A"],
)
def test_another_document_is_read_no_further(header: str) -> None:
    press = Press(header=header, message=f"10DURAND{GS}26FR18{'1' * 50}{GS}~~")
    assert holds(decode(press.text()))
    assert unfit(press) is Code.CONTENT_NOT_SUPPORTED
    assert TWODDOC.entry_types(decode(press.text())) == frozenset()


def test_the_layers_show_the_fields_of_any_document() -> None:
    press = Press(header="DC04FR000001FFFF1E6D0101FR", message=f"10DURAND{GS}2406160{''}26FRZ9UNKNOWN{RS}18123")
    header, message, signature, annex = TWODDOC.layers(press.text() + f"{GS}MORE", DEFAULT_LIMITS)
    assert header.content["document date"] is None
    assert header.content["signature date"] == "2021-04-29"
    assert message.content == {
        "10": "DURAND", "24": "06160", "26": "FR", "Z9": "UNKNOWN", "18": "123", "(truncated)": ["Z9"],
    }  # fmt: skip
    assert signature.size == 64
    assert annex.content == {"annex": "MORE"}


# --- Times ---


def test_the_key_has_to_have_been_valid_on_the_day_of_the_signature() -> None:
    decoded = decode(Press().text())
    assert decoded.signed_between == (
        datetime(2021, 4, 29, tzinfo=UTC).timestamp(),
        datetime(2021, 4, 29, 23, 59, 59, tzinfo=UTC).timestamp(),
    )
    # The day begins at noon of the one before, in UTC, on the easternmost French islands.
    assert decoded.claims.not_before == datetime(2021, 4, 28, 12, 0, tzinfo=UTC).timestamp()
    assert (decoded.claims.expires_at, decoded.needs) == (None, frozenset())


def test_an_undated_signature_is_noted() -> None:
    decoded = decode(Press(header="DC04FR0000011E6DFFFF{type}01FR").text())
    assert (decoded.signed_between, decoded.claims.not_before) == (None, None)
    assert [one.code for one in decoded.findings] == [Code.TIME_ABSENT]
    assert TWODDOC.parse(decoded, ())[0].issued_at is None


def test_the_text_is_what_revocation_lists_hash() -> None:
    text = Press().text()
    assert french_2ddoc_hash(text_of(decode(text))) == french_2ddoc_hash(text)


def test_nothing_personal_is_shown() -> None:
    decoded = decode(Press().text())
    shown = repr(decoded) + repr(decoded.content) + repr(parse(Press().text())[0])
    assert "EXEMPLE" not in shown
    assert "19840229" not in shown
