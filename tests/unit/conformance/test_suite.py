"""Reading a folder of cases, also of one that means ill."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from healthcert.conformance import suite as suite_module
from healthcert.conformance.suite import Case, Problem, Suite, read_case
from healthcert.errors import DecodeError
from tests.unit.conformance.cases import context, document, save, small_suite


def read(folder: Path, content: Any) -> Case | Problem | None:
    save(folder, one=content)
    return read_case(folder / "FR/2DCode/raw/one.json", "FR/2DCode/raw/one")


def case_of(folder: Path, **changes: Any) -> Case:
    found = read(folder, document(**changes))
    assert isinstance(found, Case)
    return found


def problem_of(folder: Path, content: Any) -> str:
    found = read(folder, content)
    assert isinstance(found, Problem)
    return found.detail


def test_cases_are_named_from_their_country_on(tmp_path: Path) -> None:
    root = small_suite(tmp_path / "suite")
    names = list(Suite.open(root).files)
    assert "FR/2DCode/raw/forged" in names
    for folder in (root / "FR", root / "FR/2DCode", root / "FR/2DCode/raw"):
        assert list(Suite.open(folder).files) == names


def test_any_depth_any_letter_case_and_two_of_one_name(tmp_path: Path) -> None:
    for place in ("PL/1.3.0/2DCode/Raw/1.JSON", "CY/Test/Validation/2.json", "3.json", "same.json", "same.JSON"):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).write_text("{}")
    names = set(Suite.open(tmp_path).files)
    assert {"PL/1.3.0/2DCode/Raw/1", "CY/Test/Validation/2", "3", "same"} < names
    assert len(names) == 5


def test_byte_order_mark_missing_fields_and_clocks(tmp_path: Path) -> None:
    found = read(tmp_path, b"\xef\xbb\xbf" + json.dumps(document(JSON=..., CBOR=...)).encode())
    assert isinstance(found, Case)
    assert found.country == "FR"
    moment = datetime(2021, 6, 1, 10, 0, tzinfo=UTC)
    for text in ("2021-06-01T10:00:00", "2021-06-01T12:00:00+02:00", "2021-06-01T10:00:00.000Z", " 2021-06-01 10:00 "):
        assert case_of(tmp_path, TESTCTX=context(VALIDATIONCLOCK=text)).clock == moment
    for absent in (..., None, ""):
        assert case_of(tmp_path, TESTCTX=context(VALIDATIONCLOCK=absent)).clock is None


def test_a_certificate_in_a_frame_and_a_picture_in_a_url(tmp_path: Path) -> None:
    plain = case_of(tmp_path)
    framed = f"-----BEGIN CERTIFICATE-----\n{context()['CERTIFICATE']}\n-----END CERTIFICATE-----\n"
    url = f"data:image/png;base64,{plain.fields['2DCODE']}"
    other = case_of(tmp_path, **{"TESTCTX": context(CERTIFICATE=framed), "2DCODE": url})
    assert other.certificate == plain.certificate
    assert other.picture == plain.picture


@pytest.mark.parametrize("content", [{}, [], 1, "TESTCTX", {"iss": "FR", "hcert": {}}])
def test_other_json_is_no_test_case(tmp_path: Path, content: Any) -> None:
    assert read(tmp_path, content) is None


@pytest.mark.parametrize(
    ("content", "detail"),
    [
        (b"", "not JSON"),
        (b"\x89PNG", "not JSON"),
        (b"{", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b'{"a": ' + b"9" * 5000 + b"}", "not JSON"),
        ({"TESTCTX": {}}, "EXPECTEDRESULTS is not an object"),
        (document(TESTCTX=[]), "TESTCTX is not an object"),
        (document(EXPECTEDRESULTS=[True]), "EXPECTEDRESULTS is not an object"),
        (document(EXPECTEDRESULTS={"EXPECTEDVERIFY": "true"}), "EXPECTEDRESULTS holds something other"),
        (document(EXPECTEDRESULTS={"EXPECTEDVERIFY": 1}), "EXPECTEDRESULTS holds something other"),
        (document(EXPECTEDRESULTS={"Exemplaire\n": True}), "EXPECTEDRESULTS holds something other"),
        (document(TESTCTX=context(VALIDATIONCLOCK="yesterday")), "VALIDATIONCLOCK is not a moment"),
        (document(TESTCTX=context(VALIDATIONCLOCK=17)), "VALIDATIONCLOCK is not a moment"),
        (document(TESTCTX=context(VALIDATIONCLOCK="0001-01-01T00:00+14:00")), "VALIDATIONCLOCK is not a moment"),
    ],
)
def test_a_case_that_cannot_be_used_is_a_problem(tmp_path: Path, content: Any, detail: str) -> None:
    found = problem_of(tmp_path, content)
    assert found.startswith(detail)
    assert "Exemplaire" not in found


def test_null_is_not_tested(tmp_path: Path) -> None:
    assert case_of(tmp_path, EXPECTEDRESULTS={"EXPECTEDVERIFY": None}).expectations == {}


@pytest.mark.parametrize("value", ["zz", "0x00", "é", "0"])
def test_what_is_not_hexadecimal(tmp_path: Path, value: str) -> None:
    with pytest.raises(DecodeError, match="COSE is not hexadecimal"):
        case_of(tmp_path, COSE=value).hexadecimal("COSE")


@pytest.mark.parametrize("value", ["%%%", "QQ", 5, {}, "é"])
def test_what_is_not_base64(tmp_path: Path, value: Any) -> None:
    with pytest.raises(DecodeError, match="CERTIFICATE is"):
        _ = case_of(tmp_path, TESTCTX=context(CERTIFICATE=value)).certificate


def test_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case = document()
    size = len(json.dumps(case))
    monkeypatch.setattr(suite_module, "MOST_BYTES", size)
    assert isinstance(read(tmp_path, case), Case)
    monkeypatch.setattr(suite_module, "MOST_BYTES", size - 1)
    assert problem_of(tmp_path, case) == f"a file of more than {size - 1} bytes"


def test_too_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(tmp_path, a={}, b={})
    monkeypatch.setattr(suite_module, "MOST_FILES", 2)
    assert len(Suite.open(tmp_path)) == 2
    save(tmp_path, c={})
    with pytest.raises(DecodeError, match="more than 2 files"):
        Suite.open(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
def test_links_in_circles_dangling_ones_and_pipes(tmp_path: Path) -> None:
    save(tmp_path, good=document())
    (tmp_path / "FR" / "loop").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "FR" / "itself.json").symlink_to(tmp_path / "FR" / "itself.json")
    (tmp_path / "FR" / "gone.json").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "FR" / "pipe.json")
    (tmp_path / "FR" / "folder.json").mkdir()
    found = list(Suite.open(tmp_path))
    assert [type(item).__name__ for item in found] == ["Problem", "Problem", "Problem", "Case"]


def test_a_folder_that_cannot_be_read_is_not_passed_over(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="missing"):
        Suite.open(tmp_path / "missing")
