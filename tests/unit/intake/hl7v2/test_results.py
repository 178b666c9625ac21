"""ORU^R01: orders and their observations to test results."""

from __future__ import annotations

import io
from datetime import datetime, timedelta, timezone

import pytest

from healthcert.codings import COVID_19, DETECTED, NAAT, NOT_DETECTED, RAPID_ANTIGEN
from healthcert.errors import Code
from healthcert.families.hcert.valuesets import coding
from healthcert.intake.mapping import read_mapping
from healthcert.intake.reading import RecoveryPolicy, RejectedRow, Row
from healthcert.intake.records import IntakeOptions, read_records
from healthcert.model import Recovery, TestResult
from tests.unit.intake.hl7v2.messages import (
    MSH,
    OBR,
    OBX,
    ORC,
    PID,
    RESULT,
    SPM,
    block,
    field,
    message,
    read,
    refused,
    result,
    row,
    rows,
)  # fmt: skip

SAMPLED = datetime(2021, 11, 15, 8, 30, tzinfo=timezone(timedelta(hours=1)))
ANTIGEN = field(
    field(OBX, 3, "94558-4^SARS-CoV-2 Ag^LN"), 18, "1232^JRC^https://covid-19-diagnostics.jrc.ec.europa.eu/devices^URI"
)


def observed(*observations: str) -> list[str]:
    return [MSH, PID, ORC, OBR, *observations, SPM]


def with_field(segment: str, number: int, value: str) -> list[str]:
    """The message with another value in a field of that segment."""
    return [field(one, number, value) if one.startswith(segment) else one for one in RESULT]


def test_a_result() -> None:
    assert result(RESULT) == TestResult(
        disease=COVID_19,
        test_type=NAAT,
        sampled_at=SAMPLED,
        result=NOT_DETECTED,
        name="Roche cobas",
        centre="Laboratoire Éxemple",
    )


def test_an_antigen_test_with_its_device() -> None:
    found = result(observed(ANTIGEN))
    assert (found.test_type, found.device) == (RAPID_ANTIGEN, coding("t.ma", "1232"))


@pytest.mark.parametrize(
    "version", ["2.3", "2.3.1", "2.4", "2.5", "2.5.1", "2.6", "2.7", "2.7.1", "2.8", "2.8.1", "2.8.2"]
)
@pytest.mark.parametrize("kind", ["ORU^R01", "ORU^R01^ORU_R01"])
def test_every_version(version: str, kind: str) -> None:
    header = field(field(MSH, 12, version), 9, kind)
    assert result([header, *RESULT[1:]]) == result(RESULT)


@pytest.mark.parametrize(
    ("kind", "value", "flags", "meant"),
    [
        ("CE", "260373001^Detected^SCT", "POS", DETECTED),
        ("CWE", "260373001^Detected^SCT^P^positif^L", "A", DETECTED),
        ("CNE", "LA6577-6^Negative^LN", "N", NOT_DETECTED),
        ("CWE", "X^?^99LAB^260415000^Not detected^SCT", "", NOT_DETECTED),
        ("ST", "Not detected", "", NOT_DETECTED),
        ("ST", "POSITIVE", "POS~A", DETECTED),
        ("NM", "17.5", "POS", DETECTED),
        ("SN", ">^40", "NEG", NOT_DETECTED),
        ("CWE", "260415000^^SCT~260415000^^SCT", "", NOT_DETECTED),
    ],
)
def test_values(kind: str, value: str, flags: str, meant: object) -> None:
    assert result(observed(field(field(field(OBX, 2, kind), 5, value), 8, flags))).result == meant


@pytest.mark.parametrize(
    ("kind", "value", "flags", "code"),
    [
        ("CWE", "260415000^^SCT", "POS", Code.CODE_NOT_MAPPED),
        ("CWE", "260415000^^SCT", "A", Code.CODE_NOT_MAPPED),
        ("CWE", "260373001^^SCT", "N", Code.CODE_NOT_MAPPED),
        ("CWE", "260373001^^SCT", "IND", Code.CODE_NOT_MAPPED),
        ("CWE", "419984006^Inconclusive^SCT", "", Code.CODE_NOT_MAPPED),
        ("CWE", "260415000^^SCT~260373001^^SCT", "", Code.CODE_NOT_MAPPED),
        ("CWE", "^Negative", "", Code.CODE_NOT_MAPPED),
        ("ST", "probably negative", "", Code.CODE_NOT_MAPPED),
        ("NM", "17.5", "", Code.CODE_NOT_MAPPED),
        ("NM", "17.5", "A", Code.CODE_NOT_MAPPED),
        ("CWE", "", "", Code.CODE_NOT_MAPPED),
        ("CWE", '""', "", Code.RECORD_NOT_FINAL),
        ("CWE", '""', "NEG", Code.RECORD_NOT_FINAL),
        ("NM", '""', "NEG", Code.RECORD_NOT_FINAL),
        ("ED", "^application^pdf^Base64^JVBERi0", "NEG", Code.RECORD_NOT_SUPPORTED),
        ("", "260415000^^SCT", "", Code.RECORD_NOT_SUPPORTED),
    ],
)
def test_values_that_say_no_result(kind: str, value: str, flags: str, code: Code) -> None:
    found, detail = refused(observed(field(field(field(OBX, 2, kind), 5, value), 8, flags)))
    assert found is code
    assert "probably" not in detail


@pytest.mark.parametrize("status", ["C", "F"])
def test_final_and_corrected_ones(status: str) -> None:
    assert result(with_field("OBX", 11, status)) == result(RESULT)
    assert result(with_field("OBR", 25, status)) == result(RESULT)
    assert result(with_field("SPM", 21, '""')) == result(RESULT)
    assert result(with_field("OBR", 25, "")) == result(with_field("OBR", 25, "A")) == result(RESULT)


@pytest.mark.parametrize(
    ("segment", "number", "values"),
    [
        ("OBX", 11, ["P", "X", "D", "W", "R", "S", "I", "O", "U", "N", "", '""', "f"]),
        ("OBR", 25, ["P", "X", "I", "S", "R", "O", "Y", "Z", "M", "N", "?"]),
        ("ORC", 1, ["CA", "OC", "CR", "DC", "OD"]),
        ("ORC", 5, ["CA", "DC", "ER", "RP"]),
        ("SPM", 21, ["EX^Expired^HL70490", "RB"]),
    ],
)
def test_those_that_are_not_final(segment: str, number: int, values: list[str]) -> None:
    for value in values:
        assert refused(with_field(segment, number, value))[0] is Code.RECORD_NOT_FINAL


@pytest.mark.parametrize(
    ("number", "value"),
    [(9, "ADT^A01"), (9, "ORU^R30"), (9, "ORU"), (9, "VXU^R01"), (9, ""), (12, "2.2"), (12, "2.9"), (12, ""), (11, "T"),
     (11, "D"), (11, "")],
)  # fmt: skip
def test_messages_of_other_kinds(number: int, value: str) -> None:
    code, detail = refused(with_field("MSH", number, value))
    assert code is Code.RECORD_NOT_SUPPORTED
    assert detail.startswith(f"MSH-{number}: ")


def test_unknown_tests_are_reported() -> None:
    code, detail = refused(observed(field(OBX, 3, "2345-7^Glucose^LN")))
    assert (code, "loinc:2345-7" in detail) == (Code.CODE_NOT_MAPPED, True)
    assert refused([MSH, PID, OBR])[0] is Code.FIELD_INVALID
    other = field(OBX, 3, "PAT1^Symptoms^L")
    assert result(observed(other, OBX, field(other, 11, "P"))) == result(RESULT)


def test_several_observations_of_one_test() -> None:
    genes = [field(OBX, 4, "1"), field(OBX, 4, "2")]
    assert result(observed(*genes)) == result(RESULT)
    one_positive = field(field(genes[1], 5, "260373001^^SCT"), 8, "POS")
    assert refused(observed(genes[0], one_positive)) == (
        Code.CODE_NOT_MAPPED,
        "OBX-5: the results of one test contradict each other"
    )  # fmt: skip
    assert refused(observed(genes[0], field(genes[1], 11, "P")))[0] is Code.RECORD_NOT_FINAL
    assert refused(observed(genes[0], field(genes[1], 17, "^other")))[1].startswith("OBX-17: differs")
    assert refused(observed(genes[0], field(genes[1], 23, "other")))[1].startswith("OBX-23: differs")


def test_two_tests_of_one_order() -> None:
    found = rows(observed(OBX, ANTIGEN))
    assert [one.number for one in found] == [1, 1]
    assert [one.event for one in found] == [result(RESULT), result(observed(ANTIGEN))]
    mixed = read(message(observed(OBX, field(ANTIGEN, 11, "P"))))
    assert [type(one) for one in mixed] == [Row, RejectedRow]


def test_several_orders_and_several_patients() -> None:
    other = PID.replace("LEFÈVRE^Zoé", "Müller^Ann")
    found = rows([MSH, PID, *RESULT[2:], *RESULT[2:], other, *RESULT[3:]])
    assert [one.holder.family_name for one in found] == ["LEFÈVRE", "LEFÈVRE", "Müller"]
    assert {one.number for one in found} == {1}


@pytest.mark.parametrize(
    "segments",
    [
        (MSH, ORC, OBR, OBX, PID),
        (MSH, OBX, PID, OBR, OBX),
        (MSH, PID, OBX, OBR),
        (MSH, PID, SPM, OBR, OBX),
        (MSH, PID, ORC, OBX, OBR),
        (MSH, PID, ORC, ORC, OBR, OBX),
        (MSH, PID, OBR, OBX, ORC),
        (MSH, PID, OBR, ORC, OBX),
        (MSH, PID, PID, OBR, OBX),
        (MSH, PID, OBR, OBX, PID),
        (MSH, PID),
    ],
)
def test_segments_of_the_wrong_order(segments: tuple[str, ...]) -> None:
    assert refused(segments)[0] is Code.RECORD_UNREADABLE


def test_observations_about_the_patient_and_the_specimen_are_no_results() -> None:
    header = field(MSH, 12, "2.7")
    positive = field(field(OBX, 5, "260373001^^SCT"), 8, "")
    assert result([header, PID, positive, *RESULT[2:], positive]) == result(RESULT)


def test_when_the_sample_was_taken() -> None:
    no_specimen, no_order = [*RESULT[:5]], with_field("OBR", 7, "")
    assert result(no_specimen).sampled_at == result(no_order).sampled_at == SAMPLED
    # The same moment in another zone is the same moment.
    assert result(with_field("SPM", 17, "20211115073000+0000")).sampled_at == SAMPLED
    observation = [MSH, PID, field(OBR, 7, ""), field(OBX, 14, "20211115083000+0100")]
    assert result(observation).sampled_at == SAMPLED
    for late in (with_field("SPM", 17, "20211115093000+0100"), [*RESULT, field(SPM, 17, "20211114083000+0100")]):
        assert refused(late)[1] == "SPM-17, OBR-7, OBX-14: one moment, at which the sample was taken"
    for unknown in ([MSH, PID, field(OBR, 7, ""), OBX], with_field("OBR", 7, '""'), with_field("SPM", 17, '""')):
        assert refused(unknown)[0] is Code.FIELD_INVALID
    for exactness in ("Y", "D", "H"):
        assert refused(with_field("OBR", 7, f"20211115083000+0100^{exactness}"))[0] is Code.FIELD_INVALID
    assert result(with_field("OBR", 7, "202111150830+0100^M")).sampled_at == SAMPLED
    assert refused(with_field("SPM", 17, "20211115"))[1].startswith("SPM-17: a moment to the minute")


def test_the_time_zone_of_a_message() -> None:
    local = [field(field(one, 7, "20211115083000"), 22, "") if one == OBR else one for one in RESULT[:5]]
    assert result(local).sampled_at == SAMPLED
    zoneless = [field(MSH, 7, "20211115103000"), *local[1:]]
    assert refused(zoneless)[0] is Code.FIELD_INVALID
    paris = IntakeOptions(mapping=read_mapping(b'zone = "Europe/Paris"'))
    assert result(zoneless, paris).sampled_at == SAMPLED


def test_an_operator_s_own_codes() -> None:
    own = IntakeOptions(
        mapping=read_mapping(
            b'[codes.test_type]\n"local:COVPCR" = "LP6464-4"\n[codes.disease]\n"local:COVPCR" = "840539006"'
        )
    )
    found = result(observed(field(OBX, 3, "COVPCR^PCR^L")), own)
    assert found == result(RESULT)


def test_who_performed_a_test_before_version_2_5() -> None:
    assert result(observed(field(field(OBX, 23, ""), 15, "L1^Laboratoire Ancien^99LAB"))).centre == "Laboratoire Ancien"


def test_nothing_of_a_record_is_shown() -> None:
    assert "LEF" not in repr(row(RESULT))
    assert "LEF" not in repr(read(message(with_field("OBX", 11, "P"))))


@pytest.mark.parametrize(
    ("address", "country"), [("1 rue X^^Lyon^^69000^FRA", "FR"), ("^^^^^DE", "DE"), ("^^Lyon", None)]
)
def test_the_country_of_who_performed_a_test(address: str, country: str | None) -> None:
    assert result(observed(field(OBX, 24, address))).country == country


def test_a_country_that_is_none() -> None:
    assert refused(observed(field(OBX, 24, "^^^^^ZZZ")))[0] is Code.FIELD_INVALID


def test_a_flag_confirms_a_value_and_does_not_replace_it() -> None:
    assert refused(observed(field(OBX, 5, "X1^?^99LAB")))[0] is Code.CODE_NOT_MAPPED


@pytest.mark.parametrize("name", ["results.hl7", ""])
def test_the_one_door_for_records(name: str) -> None:
    positive = message(observed(field(field(OBX, 5, "260373001^^SCT"), 8, "POS")))
    found = [*read_records(io.BytesIO(block(positive) * 2), IntakeOptions(recovery=RecoveryPolicy()), name)]
    assert [one.event.first_positive for one in found if isinstance(one, Row) and isinstance(one.event, Recovery)] == [
        SAMPLED.date()
    ] * 2
