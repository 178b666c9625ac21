"""Sources in Parquet, one file or a folder of parts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import healthcert as hc
from healthcert.batch.sources import issue_source, verify_source
from healthcert.intake.reading import RecordFormat, RecoveryPolicy, RejectedRow
from healthcert.intake.records import IntakeOptions
from tests.unit.batch.test_sources import verify
from tests.unit.intake.test_jsonlines import RECORD


def write(path: Path, columns: dict[str, Any], **options: Any) -> None:
    path.parent.mkdir(exist_ok=True)
    pq.write_table(pa.table(columns), path, **options)


def test_certificates_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    write(path, {"id": [1, 2, 3, 4], "text": ["HC1:A", None, "", "HC1:B"]}, row_group_size=3)
    assert verify(path) == [(1, "HC1:A"), (2, "RECORD_UNREADABLE"), (3, "RECORD_UNREADABLE"), (4, "HC1:B")]
    path.rename(other := tmp_path / "x")
    assert verify(other)[3] == (4, "HC1:B")


def test_certificates_of_a_folder_are_counted_over_its_files(tmp_path: Path) -> None:
    folder = tmp_path / "all.parquet"
    texts = [f"HC1:{number}" for number in range(1, 8)]
    for place, part in enumerate((texts[:3], [], texts[3:4], texts[4:])):
        write(folder / f"part-0000{place}.parquet", {"text": pa.array(part, pa.string())})
    (folder / "_SUCCESS").write_bytes(b"")
    (folder / ".waiting-00001").write_bytes(b"")
    assert verify(folder) == [*enumerate(texts, 1)]
    before = verify_source(str(folder)).identity
    write(folder / "part-00004.parquet", {"text": ["HC1:8"]})
    assert verify_source(str(folder)).identity != before
    folder.rename(plain := tmp_path / "all")
    assert len(verify(plain)) == 8
    (plain / "a.png").write_bytes(b"")
    assert verify(plain)[1] == (2, "a.png")


@pytest.mark.parametrize("columns", [{"code": ["HC1:A"]}, {"text": [["HC1:A"]]}, {"text": [b"HC1:A"]}])
def test_a_table_without_such_a_column(tmp_path: Path, columns: dict[str, Any]) -> None:
    write(tmp_path / "x.parquet", columns)
    with pytest.raises(hc.HealthCertError) as caught:
        next(iter(verify_source(str(tmp_path / "x.parquet")).items()))
    assert caught.value.code in ("RECORD_UNREADABLE", "MAPPING_INVALID")
    if "code" in columns:
        assert verify(tmp_path / "x.parquet", column="code") == [(1, "HC1:A")]


def test_numbers_are_no_certificates(tmp_path: Path) -> None:
    write(tmp_path / "x.parquet", {"text": [1, 2]})
    assert verify(tmp_path / "x.parquet") == [(1, "RECORD_UNREADABLE"), (2, "RECORD_UNREADABLE")]


def test_a_damaged_file_is_refused_as_a_whole(tmp_path: Path) -> None:
    (tmp_path / "x.parquet").write_bytes(b"text\nHC1:A\n")
    source = verify_source(str(tmp_path / "x.parquet"))
    for ask in (lambda: source.size, lambda: next(source.items())):
        with pytest.raises(hc.IssueError, match="no table in Parquet"):
            ask()
    (tmp_path / "none.parquet").mkdir()
    with pytest.raises(hc.DecodeError, match="without files"):
        verify_source(str(tmp_path / "none.parquet"))


def test_records(tmp_path: Path) -> None:
    rows = {name: [value] * 5 for name, value in RECORD.items()} | {"result": ["260373001", None, *["260415000"] * 3]}
    for place in range(2):
        write(tmp_path / "in" / f"{place}.parquet", rows, row_group_size=2)
    for path, count in ((tmp_path / "in" / "0.parquet", 5), (tmp_path / "in", 10)):
        for skip in (0, 1, 2, 4, 5, 6, 9, 10, 11):
            source = issue_source(str(path), IntakeOptions(recovery=RecoveryPolicy()))
            found = [*source.items(skip)]
            assert [row.number for row in found] == [*range(skip + 1, count + 1)]
            assert source.size == count
            assert skip >= count or source.done == count
            kinds = [RejectedRow if isinstance(row, RejectedRow) else type(row.event) for row in found]
            part = [hc.Recovery, RejectedRow, hc.TestResult, hc.TestResult, hc.TestResult]
            assert kinds == (part * 2)[skip:count]


def test_the_option_counts_over_the_name(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    path.write_text("type,result\ntest,x\n")
    (row,) = issue_source(str(path), IntakeOptions(format=RecordFormat.CSV)).items()
    assert row.number == 2
    path.rename(tmp_path / "x.csv")
    with pytest.raises(hc.IssueError, match="no table in Parquet"):
        next(issue_source(str(tmp_path / "x.csv"), IntakeOptions(format=RecordFormat.PARQUET)).items())
