"""Records in Parquet: the types that columns may have, and files that mean harm."""

from __future__ import annotations

import io
import struct
import sys
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import healthcert as hc
from healthcert.intake.mapping import read_mapping
from healthcert.intake.parquet import read_parquet
from healthcert.intake.reading import RejectedRow, Row
from healthcert.intake.records import IntakeOptions, read_records
from tests.unit.intake.test_jsonlines import RECORD, told

AT = datetime(2021, 8, 20, 8, 3, 12, tzinfo=UTC)


def written(columns: dict[str, Any], **options: Any) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out, **options)
    return out.getvalue()


def columns(rows: int = 1, **changed: Any) -> dict[str, Any]:
    return {name: [value] * rows for name, value in RECORD.items()} | changed


def read(data: bytes, mapping: str = "", **options: Any) -> list[Row | RejectedRow]:
    return [*read_parquet(io.BytesIO(data), IntakeOptions(mapping=read_mapping(mapping.encode()), **options))]


def test_records() -> None:
    found = read(written(columns(3, result=["260415000", "260373001", None])))
    assert told(found) == [1, 2, (3, "FIELD_INVALID")]
    assert isinstance(found[0], Row)
    assert found[0].holder == hc.Holder(family_name="Exemplaire", given_name="Zoé", birth_date="1984-02")
    assert isinstance(found[0].event, hc.TestResult)
    assert found[0].event.sampled_at == AT
    assert read(written(columns(0))) == []


def test_the_door_for_records_knows_it_by_name_mark_and_option() -> None:
    data = written(columns())
    for name, options in (("x.parquet", {}), ("x", {}), ("x.csv", {"format": "parquet"})):
        given_options = IntakeOptions(
            mapping=read_mapping("".join(f"{k} = '{v}'" for k, v in options.items()).encode())
        )
        assert told([*read_records(io.BytesIO(data), given_options, name)]) == [1]


@pytest.mark.parametrize(
    "moments",
    [
        pa.array([AT], pa.timestamp("s", "UTC")),
        pa.array([AT], pa.timestamp("ms", "+02:00")),
        pa.array([AT], pa.timestamp("us", "Europe/Paris")),
        pa.array([int(AT.timestamp()) * 10**9 + 7], pa.timestamp("ns", "UTC")),
        pa.array([AT], pa.timestamp("us", "Nowhere/Land")),
    ],
    ids=["s", "ms", "us", "ns", "no zone of this name"],
)
def test_moments(moments: pa.Array) -> None:
    (row,) = read(written(columns(sampled_at=moments)))
    assert isinstance(row, Row)
    assert isinstance(row.event, hc.TestResult)
    assert row.event.sampled_at == AT
    assert row.event.sampled_at.tzinfo is not None


@pytest.mark.parametrize("zone", ["UTC", None])
@pytest.mark.parametrize(
    ("unit", "moment"),
    [("s", 2**64 // 10**6 + 1_600_000_000), ("ms", 2**64 // 10**3 + 1_600_000_000_000), ("ms", -(2**63))],
)
def test_a_moment_too_far_away_is_none(unit: str, moment: int, zone: str | None) -> None:
    """In microseconds the first two would be days of 2020, by what 64 bits have room for."""
    moments = pa.array([int(AT.timestamp()) * (1 if unit == "s" else 1000), moment], pa.timestamp(unit, zone))
    assert told(read(written(columns(2, sampled_at=moments)), "zone = 'UTC'")) == [1, (2, "FIELD_INVALID")]


def test_a_moment_without_a_zone_is_one_where_the_mapping_has_it() -> None:
    data = written(columns(sampled_at=pa.array([AT.replace(tzinfo=None)], pa.timestamp("us"))))
    assert told(read(data)) == [(1, "FIELD_INVALID")]
    (row,) = read(data, "zone = 'UTC'")
    assert isinstance(row, Row)
    assert isinstance(row.event, hc.TestResult)
    assert row.event.sampled_at == AT


def test_days_and_numbers() -> None:
    record = {
        "type": "vaccination", "family_name": "Exemplaire", "birth_date": date(1984, 2, 3), "product": "EU/1/20/1528",
        "dose": 2, "series": 2, "date": date(2021, 5, 29),
    }  # fmt: skip
    data = written({name: [value] for name, value in record.items()} | {"dose": pa.array([2], pa.uint8())})
    (row,) = read(data)
    assert isinstance(row, Row)
    assert isinstance(row.event, hc.Vaccination)
    assert (row.event.dose, row.event.date, row.holder.birth_date) == (2, date(2021, 5, 29), "1984-02-03")
    far = pa.array([3_000_000], pa.date32())
    assert told(read(written({name: [value] for name, value in record.items()} | {"date": far}))) == [
        (1, "FIELD_INVALID")
    ]


def test_texts_that_are_none_reject_their_row_alone() -> None:
    broken = pa.array([b"A", b"\xff\xfe", b"C"]).view(pa.string())
    assert told(read(written(columns(3, given_name=broken)))) == [1, (2, "FIELD_INVALID"), 3]
    long = pa.array(["A", "B" * 300, "C"])
    assert told(read(written(columns(3, given_name=long)), limits=hc.Limits(record_bytes=299))) == [
        1, (2, "FIELD_INVALID"), 3,
    ]  # fmt: skip
    for repeated in (long, broken):
        data = written(columns(3, given_name=repeated.dictionary_encode()))
        assert told(read(data, limits=hc.Limits(record_bytes=299))) == [1, (2, "FIELD_INVALID"), 3]


def test_wrong_types_of_a_field_reject_its_rows() -> None:
    assert told(read(written(columns(given_name=[7])))) == [(1, "FIELD_INVALID")]
    assert told(read(written(columns(type=[True])))) == [(1, "FIELD_INVALID")]
    assert told(read(written(columns(sampled_at=pa.array([date(2021, 8, 20)], pa.date32()))))) == [(1, "FIELD_INVALID")]


@pytest.mark.parametrize(
    "values",
    [[b"A"], [1.5], [["A"]], [{"a": 1}], pa.array([1], pa.decimal128(5)), pa.array([1], pa.time32("s"))],
    ids=["bytes", "float", "list", "struct", "decimal", "time"],
)
def test_columns_that_no_field_is_made_of_refuse_the_file(values: Any) -> None:
    with pytest.raises(hc.IssueError, match="given_name holds no texts") as caught:
        read(written(columns(given_name=values)))
    assert caught.value.code == "MAPPING_INVALID"


def test_columns_by_a_mapping() -> None:
    mapping = """
        kind = {column = "Acte", values = {RT = "test"}}
        [columns]
        family_name = ["Nom", "Nom2"]
        birth_date = "Né"
        test_type = "Test"
        sampled_at = "Le"
        result = "Res"
    """
    data = {"Acte": "RT", "Nom": "A", "Nom2": "B", "Né": "1984-02-03", "Test": "LP6464-4", "Le": AT, "Res": "260415000"}
    rows = {name: [value] for name, value in data.items()} | {"Note": [["no field"]]}
    (row,) = read(written(rows), mapping)
    assert isinstance(row, Row)
    assert row.holder.family_name == "A B"
    assert told(read(written(rows | {"Nom": [7]}), mapping)) == [(1, "FIELD_INVALID")]
    assert isinstance(read(written(rows | {"Nom": pa.array([None], pa.string())}), mapping)[0], Row)
    for wrong in (mapping.replace('"Né"', '"Ne"'), mapping.replace('"Né"', "3")):
        with pytest.raises(hc.IssueError) as caught:
            read(written(rows), wrong)
        assert caught.value.code == "MAPPING_INVALID"


def test_columns_that_are_no_fields_and_none_that_are() -> None:
    for table in (columns(withdrawn=["no"]), {"a": [1]}):
        with pytest.raises(hc.IssueError) as caught:
            read(written(table))
        assert caught.value.code == "MAPPING_INVALID"
    twice = pa.Table.from_arrays([pa.array(["A"])] * 2, ["given_name", "given_name"])
    out = io.BytesIO()
    pq.write_table(twice, out)
    with pytest.raises(hc.IssueError, match="or several"):
        read(out.getvalue())


WHOLE = written(columns(40), row_group_size=10)


@pytest.mark.parametrize(
    "data",
    [b"", b"PAR1", b"PAR1PAR1", b"type\ntest\n", b"PK\x03\x04" + bytes(100), WHOLE[: len(WHOLE) // 2], WHOLE[:-1],
     b"PAR1" + bytes(200) + struct.pack("<I", 100) + b"PAR1", b"PAR1" + struct.pack("<I", 2**32 - 1) + b"PAR1"],
    ids=["empty", "mark", "marks", "table", "zip", "half", "cut", "noise", "long directory"],
)  # fmt: skip
def test_what_is_no_whole_file_is_refused(data: bytes) -> None:
    with pytest.raises(hc.IssueError) as caught:
        read(data)
    assert caught.value.code == "RECORD_UNREADABLE"


def test_limits_of_columns_groups_and_rows() -> None:
    names = [f"c{place}" for place in range(5)]
    wide = written({name: [1] for name in names})
    with pytest.raises(hc.IssueError, match="more than 4 columns"):
        read(wide, limits=hc.Limits(table_columns=4))
    with pytest.raises(hc.IssueError, match="none is mapped"):
        read(wide, limits=hc.Limits(table_columns=5))
    assert len(read(WHOLE, limits=hc.Limits(table_groups=4))) == 40
    with pytest.raises(hc.IssueError, match="more than 3 groups"):
        read(WHOLE, limits=hc.Limits(table_groups=3))


def test_a_table_that_is_packed_too_well_is_refused() -> None:
    big = written({"given_name": pa.array(["A" * 1000] * 70_000)}, use_dictionary=False, compression="zstd")
    with pytest.raises(hc.IssueError, match="unpacks to more"):
        read(big)


def test_a_damaged_group_rejects_its_rows_alone() -> None:
    group = pq.ParquetFile(io.BytesIO(WHOLE)).metadata.row_group(1).column(1)
    place = group.dictionary_page_offset
    data = WHOLE[:place] + b"\xff" * group.total_compressed_size + WHOLE[place + group.total_compressed_size :]
    found = told(read(data))
    assert found == [*range(1, 11), *((number, "RECORD_UNREADABLE") for number in range(11, 21)), *range(21, 41)]


@settings(deadline=None, max_examples=60)
@given(st.integers(0, len(WHOLE) - 1), st.binary(min_size=1, max_size=8))
def test_a_changed_file_gives_rows_or_an_error(place: int, new: bytes) -> None:
    data = WHOLE[:place] + new + WHOLE[place + len(new) :]
    try:
        numbers = [row.number for row in read(data)]
    except hc.IssueError as error:
        numbers = []
        code: str = error.code
    else:
        code = "OK"
    assert numbers == [*range(1, len(numbers) + 1)]
    assert code in ("OK", "MAPPING_INVALID", "RECORD_UNREADABLE")


def test_without_the_package_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(hc.IssueError, match=r"healthcert\[parquet\]") as caught:
        read(WHOLE)
    assert caught.value.code == "EXTRA_MISSING"
