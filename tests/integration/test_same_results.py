"""The same results in CSV, FHIR and HL7 v2: the same rows, the same certificates, and the same ones are rejected."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from msgspec import structs

from healthcert.authority.authority import IssuedRow
from healthcert.intake.mapping import load_mapping
from healthcert.intake.reading import RejectedRow, Row
from healthcert.intake.records import IntakeOptions, read_records
from healthcert.model import Event, Holder
from tests.authority_world import authority, register
from tests.support import NOW

PROGRAM = Path(__file__).resolve().parents[2] / "examples" / "make_laboratory_results.py"
FILES = ("results.csv", "results.ndjson", "results.hl7")
COUNT, BROKEN = 2000, 0.02
Rows = list[Row | RejectedRow]


def make(folder: Path, *options: str) -> None:
    command = [sys.executable, "-W", "error", str(PROGRAM), str(folder), f"--day={NOW:%Y-%m-%d}", *options]
    result = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=120, check=False)
    assert result.returncode == 0, result.stderr


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("results")
    make(folder, f"--count={COUNT}", f"--broken={BROKEN}")
    return folder


@pytest.fixture(scope="module")
def read(folder: Path) -> Mapping[str, Rows]:
    """The rows of each file. Their numbers are those of the results, whatever else the file has."""
    options = IntakeOptions(mapping=load_mapping(folder / "mapping.toml"))
    found: dict[str, Rows] = {}
    for name in FILES:
        with (folder / name).open("rb") as file:
            rows = [*read_records(file, options if name == "results.csv" else IntakeOptions(), name)]
        header = 1 if name == "results.csv" else 0
        found[name] = [
            structs.replace(row, number=row.number - header)
            if isinstance(row, Row)
            else RejectedRow(row.number - header, row.error)
            for row in rows
        ]
    return found


def broken(folder: Path) -> list[int]:
    lines = (folder / "broken.tsv").read_text("utf-8").splitlines()
    return [int(line.split("\t")[0]) for line in lines[1:]]


def good(rows: Rows) -> list[tuple[int, Holder, Event]]:
    return [(row.number, row.holder, row.event) for row in rows if isinstance(row, Row)]


def rejected(rows: Rows) -> dict[int, str]:
    """The reasons by the number of the record, which has one."""
    reasons = [(row.number, f"{row.error.code}: {row.error.detail}") for row in rows if isinstance(row, RejectedRow)]
    assert len(dict(reasons)) == len(reasons)
    return dict(reasons)


def test_the_same_rows(folder: Path, read: Mapping[str, Rows]) -> None:
    first, *others = (good(read[name]) for name in FILES)
    assert len(first) == COUNT - round(COUNT * BROKEN)
    assert all(rows == first for rows in others)
    assert [row[0] for row in first] == sorted({*range(1, COUNT + 1)} - {*broken(folder)})


@pytest.mark.parametrize("name", FILES)
def test_the_broken_ones_are_rejected_with_a_reason(folder: Path, read: Mapping[str, Rows], name: str) -> None:
    reasons = rejected(read[name])
    assert [*reasons] == broken(folder)
    assert all(": " in reason for reason in reasons.values())
    families = {row.holder.family_name for row in read[name] if isinstance(row, Row)}
    assert not [family for family in families if family and len(family) > 2 and family in str(reasons)]


def test_every_fault_is_found_in_every_format(tmp_path: Path) -> None:
    make(tmp_path, "--count=60", "--broken=1", "--seed=7")
    assert len({line.split("\t")[1] for line in (tmp_path / "broken.tsv").read_text("utf-8").splitlines()[1:]}) == 15
    options = IntakeOptions(mapping=load_mapping(tmp_path / "mapping.toml"))
    for name in FILES:
        with (tmp_path / name).open("rb") as file:
            rows = [*read_records(file, options if name == "results.csv" else IntakeOptions(), name)]
        assert not good(rows)
        assert len(rejected(rows)) == 60


def test_the_same_certificates(folder: Path, read: Mapping[str, Rows], tmp_path: Path) -> None:
    office = authority(register(tmp_path / "register.db", create=True))
    texts: dict[str, list[str]] = {}
    for name in FILES:
        answers = [*office.issue_rows(read[name])]
        issued = [one for one in answers if isinstance(one, IssuedRow)]
        texts[name] = [one.issued.text for one in issued]
        assert {one.again for one in issued} == {name != FILES[0]}
        assert rejected([one for one in answers if isinstance(one, RejectedRow)]) == rejected(read[name])
    assert len(set(texts[FILES[0]])) == COUNT - len(broken(folder))
    assert texts[FILES[0]] == texts[FILES[1]] == texts[FILES[2]]


def test_the_same_arguments_make_the_same_files(folder: Path, tmp_path: Path) -> None:
    for seed, is_same in ((1, True), (2, False)):
        again = tmp_path / str(seed)
        make(again, f"--count={COUNT}", f"--broken={BROKEN}", f"--seed={seed}")
        assert all(((again / name).read_bytes() == (folder / name).read_bytes()) is is_same for name in FILES)
