"""The one door: which reader a file gets, and what it makes of hostile files."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import healthcert as hc
from healthcert.encoding.jcs import canonical
from healthcert.intake.mapping import read_mapping
from healthcert.intake.reading import RecordFormat, RecoveryPolicy, RejectedRow, Row
from healthcert.intake.records import IntakeOptions, read_records
from tests.unit.intake.test_csvfile import GOOD, HEAD, LONE, POSITIVE, TESTS
from tests.unit.intake.test_jsonlines import RECORD

MAPPING = read_mapping(TESTS.encode())
TABLE = f"{HEAD}\n{GOOD}\n{POSITIVE}\n".encode()
LINES = canonical(RECORD) + b"\n"


def numbers(data: bytes, name: str = "", **options: Any) -> list[int]:
    found = [*read_records(io.BytesIO(data), IntakeOptions(**options), name)]
    assert all(isinstance(row, Row) for row in found)
    return [row.number for row in found]


def test_the_format_is_told_by_the_options_the_name_or_the_bytes() -> None:
    assert numbers(TABLE, mapping=MAPPING) == [2, 3]
    assert numbers(TABLE, "results.CSV", mapping=MAPPING) == [2, 3]
    assert numbers(LINES) == numbers(b"\xef\xbb\xbf" + LINES) == numbers(LINES, "x.jsonl") == [1]
    assert numbers(LINES, "x.csv", format=RecordFormat.JSONL) == [1]
    assert numbers(LINES, "x.csv", mapping=read_mapping(b"format = 'jsonl'")) == [1]


def test_a_file_that_can_be_read_only_once(tmp_path: Path) -> None:
    path = tmp_path / "records"
    path.write_bytes(LINES)
    with path.open("rb") as file:
        assert len([*read_records(file, IntakeOptions())]) == 1

    class Once(io.RawIOBase):
        def readable(self) -> bool:
            return True

    with pytest.raises(hc.IssueError, match="needs its format told"):
        read_records(Once(), IntakeOptions())  # type: ignore[arg-type]


@pytest.mark.parametrize("data", [b"", b"  \r\n", b"PK\x03\x04\0\0", b"\0", b"\xff\xfeN\0o\0m\0"])
def test_a_file_that_is_nothing_of_this(data: bytes) -> None:
    with pytest.raises(hc.IssueError) as caught:
        read_records(io.BytesIO(data), IntakeOptions())
    assert caught.value.code == "RECORD_UNREADABLE"


def test_positive_tests_become_recoveries_when_asked() -> None:
    data = TABLE.replace(b"NEG", b"positive") + b"x\n"
    options = IntakeOptions(mapping=MAPPING, recovery=RecoveryPolicy())
    naat, rapid, broken = read_records(io.BytesIO(data), options)
    assert isinstance(naat, Row)
    assert isinstance(naat.event, hc.Recovery)
    assert isinstance(rapid, Row)
    assert isinstance(rapid.event, hc.TestResult)
    assert isinstance(broken, RejectedRow)


PIECES = st.sampled_from(
    [HEAD.encode(), GOOD.encode(), LONE.encode(), POSITIVE.encode("cp1252"), LINES, b"\n", b"\r\n", b"\r", b'"', b";",
     b"\0", b"\xef\xbb\xbf", b"\xff", b"MSH|^~\\&|", b"{", b'{"resourceType":"Bundle"}', b"x" * 3000]
)  # fmt: skip


@given(
    st.lists(PIECES | st.binary(max_size=40), max_size=12).map(b"".join),
    st.sampled_from([RecordFormat.CSV, RecordFormat.JSONL]),
    st.sampled_from([None, MAPPING, read_mapping(b"kind = 'test'\n[csv]\nmultiline = false\nquote = \"'\"")]),
)
@example(HEAD.encode() + b"\n" + LONE.encode(), RecordFormat.CSV, MAPPING)
def test_any_bytes_give_rows_and_rejected_rows(data: bytes, form: RecordFormat, mapping: Any) -> None:
    options = IntakeOptions(format=form, mapping=mapping, recovery=RecoveryPolicy())
    try:
        rows = read_records(io.BytesIO(data), options)
    except hc.IssueError as error:
        told = error.code
    else:
        told = hc.Code.OK
        found = [*rows]
        assert all(isinstance(row, (Row, RejectedRow)) for row in found)
        assert [row.number for row in found] == sorted({row.number for row in found})
        assert all(row.number <= data.count(b"\n") + 1 for row in found)
    assert told in ("OK", "MAPPING_INVALID", "RECORD_UNREADABLE")


@given(st.binary(max_size=200) | st.lists(PIECES, max_size=3).map(b"".join))
def test_the_start_of_any_file_is_known_or_refused(data: bytes) -> None:
    from healthcert.intake.records import _format_of

    try:
        form = _format_of(io.BytesIO(data), "")
    except hc.IssueError as error:
        form = None
        refusal = error
    assert isinstance(form, RecordFormat) or refusal.code == "RECORD_UNREADABLE"
