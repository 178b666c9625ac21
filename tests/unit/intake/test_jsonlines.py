"""JSON Lines: every line a row or a rejected row."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import healthcert as hc
from healthcert.intake.jsonlines import read_jsonl
from healthcert.intake.mapping import FIELDS, read_mapping
from healthcert.intake.reading import RejectedRow, Row
from healthcert.intake.records import IntakeOptions
from healthcert.limits import Limits

RECORD: dict[str, Any] = {
    "type": "test",
    "family_name": "Exemplaire",
    "given_name": "Zoé",
    "birth_date": "1984-02",
    "test_type": "LP6464-4",
    "sampled_at": "2021-08-20T10:03:12+02:00",
    "result": "260415000",
}


def read(*lines: str | bytes | dict[str, Any], mapping: str = "", **options: Any) -> list[Row | RejectedRow]:
    texts = [
        line if isinstance(line, bytes) else (line if isinstance(line, str) else json.dumps(line)).encode()
        for line in lines
    ]
    given = IntakeOptions(mapping=read_mapping(mapping.encode()), **options)
    return [*read_jsonl(io.BytesIO(b"\n".join(texts)), given)]


def told(found: list[Row | RejectedRow]) -> list[Any]:
    return [row.number if isinstance(row, Row) else (row.number, str(row.error.code)) for row in found]


def test_records() -> None:
    found = read(RECORD, "", json.dumps(RECORD, ensure_ascii=False, indent=None) + "\r", b"\xef\xbb\xbf")
    assert told(found) == [1, 3, (4, "RECORD_UNREADABLE")]
    assert isinstance(found[0], Row)
    assert found[0].holder == hc.Holder(family_name="Exemplaire", given_name="Zoé", birth_date="1984-02")
    assert found[0].event == (found[1].event if isinstance(found[1], Row) else None)


def test_a_byte_order_mark_at_the_start() -> None:
    assert told(read(b"\xef\xbb\xbf" + json.dumps(RECORD).encode())) == [1]


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        ('{"type":"test","type":"vaccination"}', "RECORD_UNREADABLE", "single reading"),
        ("[" * 100_000, "RECORD_UNREADABLE", "single reading"),
        ('{"a":{"b":{"c":1}}}', "RECORD_UNREADABLE", "single reading"),
        ('{"a":NaN}', "RECORD_UNREADABLE", "single reading"),
        ("{}{}", "RECORD_UNREADABLE", "single reading"),
        (b'{"a":"\xff"}', "RECORD_UNREADABLE", "single reading"),
        (b'{"a":"\\ud800"}', "RECORD_UNREADABLE", "single reading"),
        ("[]", "RECORD_UNREADABLE", "one object"),
        ("null", "RECORD_UNREADABLE", "one object"),
        ("{}", "FIELD_INVALID", "type: "),
        (RECORD | {"type": ["test"]}, "FIELD_INVALID", "type: "),
        (RECORD | {"type": "exemption"}, "FIELD_INVALID", "type: "),
        (RECORD | {"family_name": 7}, "FIELD_INVALID", "family_name: text"),
        (RECORD | {"family_name": {"x": 1}}, "FIELD_INVALID", "family_name: text"),
        (RECORD | {"family_name": "A\nB"}, "FIELD_INVALID", "family_name: text"),
        (RECORD | {"test_type": 1}, "FIELD_INVALID", "test_type: "),
        (RECORD | {"test_type": ""}, "CODE_NOT_MAPPED", "test_type: a code of loinc"),
        (RECORD | {"sampled_at": "2021-08-20"}, "FIELD_INVALID", "sampled_at: a moment"),
        (RECORD | {"sampled_at": "2021-08-20T10:03:12"}, "FIELD_INVALID", "sampled_at: a moment"),
        (RECORD | {"sampled_at": 20}, "FIELD_INVALID", "sampled_at: a moment"),
        (RECORD | {"nom": "Exemplaire"}, "FIELD_INVALID", "nom: not a field"),
        (RECORD | {"Exemplaire Zoé": 1}, "FIELD_INVALID", "1 name(s): not a field"),
        (RECORD | {"ins_matricule": 1}, "FIELD_INVALID", "ins_matricule: text"),
        (RECORD | {"ins_sex": "F"}, "FIELD_INVALID", "ins_matricule: is missing"),
        (RECORD | {"disease": "6142004"}, "CODE_NOT_MAPPED", "disease: snomed:6142004"),
    ],
)
def test_a_broken_line_is_rejected_and_the_others_are_not(line: Any, code: str, said: str) -> None:
    found = read(RECORD, line, RECORD)
    assert told(found) == [1, (2, code), 3]
    assert isinstance(found[1], RejectedRow)
    assert said in found[1].error.detail
    assert "Exemplaire" not in found[1].error.detail


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=3,
) | st.sampled_from(["test", "vaccination", "recovery", "2021-08-20", "cvx:208", "208", "local:x", "260415000", "1984"])


@given(
    st.lists(st.dictionaries(st.sampled_from(sorted(FIELDS | {"type", "x"})) | st.text(max_size=4), VALUES), max_size=4)
)
def test_any_values_give_rows_and_rejected_rows(records: list[dict[str, Any]]) -> None:
    for mapping in ("", "zone = 'Europe/Paris'\n[systems]\nvaccine = 'cvx'\n[dates]\nbirth_date = 'YYYY'"):
        found = read(*[json.dumps(record) for record in records], mapping=mapping)
        assert [row.number for row in found] == [*range(1, len(records) + 1)]


def test_lines_are_bounded() -> None:
    text = json.dumps(RECORD)
    assert told(read(text, text + " ", text, limits=Limits(record_bytes=len(text)))) == [1, (2, "RECORD_UNREADABLE"), 3]
    assert told(read("x" * 10_000_000, text)) == [(1, "RECORD_UNREADABLE"), 2]


def test_a_kind_for_all() -> None:
    untyped = {name: value for name, value in RECORD.items() if name != "type"}
    assert told(read(untyped, RECORD, kind=hc.EntryType.TEST)) == [1, 2]
    assert told(read(RECORD, kind=hc.EntryType.VACCINATION)) == [(1, "FIELD_INVALID")]


def test_members_of_other_names() -> None:
    mapping = """
    kind = {column = "k", values = {T = "test"}}
    zone = "Europe/Paris"
    [columns]
    family_name = "n"
    test_type = "a"
    sampled_at = ["d", "h"]
    result = "r"
    [constants]
    birth_date = "1984"
    """
    line = {
        "k": "T",
        "n": "Exemplaire",
        "a": "loinc:94500-6",
        "d": "2021-08-20",
        "h": "10:03",
        "r": "Negative",
        "z": {},
    }
    found = read(line, line | {"h": 10}, line | {"h": None}, mapping=mapping)
    assert told(found) == [1, (2, "FIELD_INVALID"), (3, "FIELD_INVALID")]
    with pytest.raises(hc.IssueError, match="members of JSON have names"):
        read(mapping="[columns]\ndate = 1")
