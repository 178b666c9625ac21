"""Codings, moments and days of HL7 v2."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthcert import codings
from healthcert.errors import Code, IssueError
from healthcert.intake.dates import Ambiguous
from healthcert.intake.hl7v2.er7 import read_message
from healthcert.intake.hl7v2.values import Clocks, codings_of, day, moment, offset_of, partial_date
from healthcert.limits import DEFAULT_LIMITS
from healthcert.model import Coding
from tests.unit.intake.hl7v2.messages import RESULT, message

READ = read_message(message(RESULT), DEFAULT_LIMITS)
PARIS = timezone(timedelta(hours=1))


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("208^COVID^CVX", [Coding(codings.CVX, "208")]),
        ("94500-6^x^LN^R1^y^L", [Coding(codings.LOINC, "94500-6"), Coding("", "R1")]),
        (
            "1^x^SCT^2^y^WC^^^^3^z^ATC",
            [Coding(codings.SNOMED_CT, "1"), Coding(codings.ATC, "2"), Coding(codings.ATC, "3")],
        ),
        ("^Pfizer", []),
        ('""^Pfizer^MVX', []),
        ("PFR^Pfizer^HL70227", [Coding(codings.MVX, "PFR")]),
        ("7^x^99LAB", [Coding("urn:hl7-table:0396:99LAB", "7")]),
        ("7^x^a b", [Coding("urn:hl7-table:0396", "7")]),
        ("7^x^1.2.250.1.213.2.3.2", [Coding(codings.CIP, "7")]),
        ("7^x^^^^^^^^^^^^1.2.250.1.213.2.3.2", [Coding("urn:oid:1.2.250.1.213.2.3.2", "7")]),
        ("7^x^http://lab.example/codes", [Coding("http://lab.example/codes", "7")]),
    ],
)
def test_codings(written: str, meant: list[Coding]) -> None:
    assert codings_of(READ, written) == meant


def test_a_code_is_as_long_as_codes_are() -> None:
    assert codings_of(READ, "x" * 200) == [Coding("", "x" * 200)]
    with pytest.raises(IssueError, match="FIELD_INVALID"):
        codings_of(READ, "x" * 201)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("20211115083000+0100", datetime(2021, 11, 15, 8, 30, tzinfo=PARIS)),
        ("202111150830+0100", datetime(2021, 11, 15, 8, 30, tzinfo=PARIS)),
        ("20211115083012.25-0030", datetime(2021, 11, 15, 8, 30, 12, 250000, timezone(-timedelta(minutes=30)))),
        ("20211115083000+0000", datetime(2021, 11, 15, 8, 30, tzinfo=UTC)),
        ("20211115083000", datetime(2021, 11, 15, 8, 30, tzinfo=UTC)),
    ],
)
def test_moments(written: str, meant: datetime) -> None:
    found = moment("OBR-7", written, Clocks(offset=UTC))
    assert found == meant
    assert found.utcoffset() == meant.utcoffset()


@pytest.mark.parametrize(
    "written",
    ["", "2021", "20211115", "2021111508", "20211315083000", "20211115243000", "2021-11-15T08:30", "20211115083000Z",
     "20211115083000+1401", "20211115083000+0060", "20211115083000+01", "00000101000000", "00010101000000+1400",
     "99991231235959-1400", "２０２１１１１５０８３０００"],
)  # fmt: skip
def test_what_is_no_moment(written: str) -> None:
    with pytest.raises(IssueError) as refusal:
        moment("OBR-7", written, Clocks(offset=PARIS))
    assert refusal.value.code is Code.FIELD_INVALID
    assert refusal.value.detail.startswith("OBR-7: ")


def test_a_place_s_clocks() -> None:
    paris = ZoneInfo("Europe/Paris")
    assert moment("OBR-7", "20210715083000", Clocks(zone=paris)) == datetime(2021, 7, 15, 6, 30, tzinfo=UTC)
    # The message's own time zone comes first, and a moment's before both.
    assert moment("OBR-7", "20210715083000", Clocks(UTC, paris)) == datetime(2021, 7, 15, 8, 30, tzinfo=UTC)
    assert moment("OBR-7", "20210715083000+0900", Clocks(UTC, paris)).utcoffset() == timedelta(hours=9)
    for written in ("20211031023000", "20210328023000", "20211115083000"):
        with pytest.raises(IssueError, match="FIELD_INVALID"):
            moment("OBR-7", written, Clocks(zone=None if written == "20211115083000" else paris))
    later = Clocks(zone=paris, ambiguous=Ambiguous.LATER)
    assert moment("OBR-7", "20211031023000", later).utcoffset() == timedelta(hours=1)


def test_the_time_zone_of_a_message() -> None:
    assert offset_of("20211115103000-0330") == timezone(-timedelta(hours=3, minutes=30))
    assert offset_of("20211115103000") is offset_of("now") is offset_of("") is None


@pytest.mark.parametrize(
    ("written", "meant"),
    [("19640812", "1964-08-12"), ("196408", "1964-08"), ("1964", "1964"), ("19640812103000+0100", "1964-08-12"),
     ("19640800", "1964-08"), ("19640000", "1964"), ("", ""), ('""', "")],
)  # fmt: skip
def test_birth_dates(written: str, meant: str) -> None:
    assert partial_date("PID-7", written) == meant


@pytest.mark.parametrize(
    "written", ["19640230", "196413", "19640012", "0000", "00000000", "64", "12/08/1964", "1964-08-12"]
)
def test_what_is_no_birth_date(written: str) -> None:
    with pytest.raises(IssueError, match="PID-7"):
        partial_date("PID-7", written)


def test_days() -> None:
    assert day("RXA-3", "20210529235900-1200") == date(2021, 5, 29)
    for written in ("202105", "20210532", "", '""'):
        with pytest.raises(IssueError, match="RXA-3"):
            day("RXA-3", written)


@given(st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)), st.integers(-14 * 60, 14 * 60))  # noqa: DTZ001
def test_every_moment_that_is_written_is_read(local: datetime, minutes: int) -> None:
    sign, size = "-" if minutes < 0 else "+", abs(minutes)
    written = f"{local:%Y%m%d%H%M%S}.{local.microsecond // 100:04}{sign}{size // 60:02}{size % 60:02}"
    meant = local.replace(microsecond=local.microsecond // 100 * 100, tzinfo=timezone(timedelta(minutes=minutes)))
    assert moment("OBR-7", written, Clocks()) == meant
