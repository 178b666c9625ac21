"""Each check, met and not met, on a case of which one thing was changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cbor2
import pytest

from healthcert.conformance.checks import CHECKS, judge
from healthcert.conformance.structure import difference
from healthcert.encoding import base45, cbor, deflate
from healthcert.model import EntryType
from tests.support import NOW, TEST_ENTRY, Press, dsc, payload, vaccination
from tests.unit.conformance.cases import ALL, case, context, cwt_of, document

DAY = 86400


def held(folder: Path, content: dict[str, Any]) -> dict[str, bool | None]:
    judgement = judge(case(folder, content))
    assert not judgement.problem
    return {key: finding.held for key, finding in judgement.findings.items()}


def failed(folder: Path, content: dict[str, Any]) -> set[str]:
    found = held(folder, content)
    assert found.keys() == ALL.keys()
    return {key.removeprefix("EXPECTED") for key, value in found.items() if value is False}


def at(seconds: int) -> Press:
    """Issued at this distance from the moment of the case, for a day."""
    start = int(NOW.timestamp()) + seconds
    return Press(claims={6: start, 4: start + DAY})


def test_a_good_case_holds_in_every_check(tmp_path: Path) -> None:
    assert held(tmp_path, document()) == ALL


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (document(PREFIX=document()["PREFIX"]), {"PICTUREDECODE", "UNPREFIX"}),
        (document(PREFIX="HC2:" + document()["BASE45"]), {"PICTUREDECODE", "UNPREFIX"}),
        (document(BASE45="HELLO"), {"UNPREFIX", "B45DECODE"}),
        (document(COMPRESSED="00"), {"B45DECODE", "COMPRESSION"}),
        (document(Press(sign=lambda _: bytes(64))), {"VERIFY"}),
        (document(Press(sign=lambda _: b"abc")), {"VERIFY"}),
        (document(Press(kid=bytes(8))), {"VERIFY"}),
        (document(Press(kid=b"abc")), {"VERIFY"}),
        (document(Press(pair=dsc(EntryType.TEST))), {"KEYUSAGE"}),
        (document(Press(pair=dsc(EntryType.TEST), kid=bytes(8))), {"VERIFY", "KEYUSAGE"}),
        (document(JSON=payload(dob="1984")), {"DECODE", "VALIDJSON"}),
        (document(CBOR="ff"), {"VALIDJSON"}),
        (document(CBOR=cbor2.dumps(payload(dob="1984")).hex()), {"VALIDJSON"}),
        (document(Press(payload=payload(dob="31.12.1984"))), {"SCHEMAVALIDATION"}),
        (document(Press(payload=payload(t=[TEST_ENTRY], ver="1.0.0"))), {"SCHEMAVALIDATION"}),
        (document(Press(payload=vaccination(dt="2021-06-11T00:00:00Z"))), set()),
        (document(at(-DAY)), set()),  # exp is this very moment
        (document(at(-DAY - 1)), {"EXPIRATIONCHECK"}),
        (document(at(0)), set()),
        (document(at(1)), {"EXPIRATIONCHECK"}),
        (document(Press(claims={6: int(NOW.timestamp()) - 21 * DAY})), {"EXPIRATIONCHECK"}),
        (document(Press(claims={4: int(NOW.timestamp()) + 5000 * DAY})), {"EXPIRATIONCHECK"}),
        (document(Press(claims={4: int(NOW.timestamp()) + 5000 * DAY}, kid=bytes(8))), {"VERIFY", "EXPIRATIONCHECK"}),
        (document(TESTCTX=context(CERTIFICATE="AAAA")), {"VERIFY", "KEYUSAGE", "EXPIRATIONCHECK"}),
    ],
)
def test_one_thing_wrong(tmp_path: Path, content: dict[str, Any], expected: set[str]) -> None:
    assert failed(tmp_path, content) - expected == set()
    assert expected <= failed(tmp_path, content)


def test_the_cbor_may_be_the_whole_cwt(tmp_path: Path) -> None:
    content = document()
    assert held(tmp_path, content | {"CBOR": cwt_of(content).hex()}) == ALL


@pytest.mark.parametrize("field", ["PREFIX", "BASE45", "COMPRESSED", "COSE", "CBOR", "JSON", "2DCODE"])
def test_a_missing_layer_is_made_from_its_neighbours(tmp_path: Path, field: str) -> None:
    without: dict[str, Any] = {field: ...}
    found = held(tmp_path, document(**without))
    untold = {"PREFIX": {"EXPECTEDUNPREFIX"}, "2DCODE": {"EXPECTEDPICTUREDECODE"}}.get(field, set())
    assert {key for key, value in found.items() if value is not True} == untold


def test_without_a_text_the_cose_is_judged(tmp_path: Path) -> None:
    content = document()
    alone = {key: content[key] for key in ("COSE", "TESTCTX", "EXPECTEDRESULTS")}
    found = held(tmp_path, alone)
    untold = {"EXPECTEDPICTUREDECODE", "EXPECTEDUNPREFIX", "EXPECTEDB45DECODE", "EXPECTEDCOMPRESSION"}
    assert found == ALL | dict.fromkeys(untold)


def test_with_a_wrong_prefix_the_cose_is_judged(tmp_path: Path) -> None:
    found = held(tmp_path, document(PREFIX="HC2:" + document()["BASE45"]))
    assert found["EXPECTEDVERIFY"] is True


def test_nothing_to_go_by_is_nothing_told(tmp_path: Path) -> None:
    found = held(tmp_path, {"TESTCTX": {}, "EXPECTEDRESULTS": ALL})
    assert found == dict.fromkeys(ALL)
    found = held(tmp_path, document(TESTCTX=context(VALIDATIONCLOCK=..., CERTIFICATE=...)))
    untold = {"EXPECTEDVERIFY", "EXPECTEDKEYUSAGE", "EXPECTEDEXPIRATIONCHECK"}
    assert {key for key, value in found.items() if value is None} == untold


@pytest.mark.parametrize("field", ["PREFIX", "BASE45", "COMPRESSED", "COSE", "CBOR", "2DCODE"])
@pytest.mark.parametrize("value", ["é\udfff", "%" * 5000, "00" * 5000, "AAAA", 7, None, [], "9" * 100_000])
def test_any_nonsense_is_a_failed_step_and_no_crash(tmp_path: Path, field: str, value: Any) -> None:
    held(tmp_path, document(**{field: value}))


@pytest.mark.parametrize("value", [None, [], {}, 0, [[[]]], {"ver": None}, {"v": [None]}])
def test_any_payload_is_judged(tmp_path: Path, value: Any) -> None:
    press = Press(cwt=cbor2.dumps({1: "FR", 4: 2**40, 6: 1, -260: {1: value}}))
    assert "SCHEMAVALIDATION" in failed(tmp_path, document(press, JSON=value))


def test_a_bomb(tmp_path: Path) -> None:
    bomb = deflate.deflate(bytes(10_000_000))
    found = held(tmp_path, document(COMPRESSED=bomb.hex(), BASE45=base45.encode(bomb), COSE=...))
    assert found["EXPECTEDCOMPRESSION"] is False


def test_an_error_of_this_software_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: object) -> None:
        raise KeyError("Exemplaire")

    monkeypatch.setitem(CHECKS, "EXPECTEDVERIFY", broken)
    judgement = judge(case(tmp_path, document()))
    assert "internal error (KeyError)" in judgement.problem
    assert "Exemplaire" not in judgement.problem
    assert len(judgement.findings) == len(ALL) - 1


def test_no_message_holds_a_value(tmp_path: Path) -> None:
    for content in (document(JSON=payload(dob="1984")), document(Press(payload=payload(dob="31.12.1984")))):
        why = " ".join(finding.why for finding in judge(case(tmp_path, content)).findings.values())
        assert "dob" in why
        assert "1984" not in why


@pytest.mark.parametrize(
    ("found", "expected", "where"),
    [
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, None),
        ({"a": 1.0}, {"a": 1}, None),
        ({"a": True}, {"a": 1}, "a: another value"),
        ({"a": 1}, {"a": True}, "a: another value"),
        ({"a": "2021-05-03T20:00:00+02:00"}, {"a": "2021-05-03T18:00:00.000Z"}, None),
        ({"a": "2021-05-03T18:00:00"}, {"a": "2021-05-03t18:00:00z"}, None),
        ({"a": "2021-05-03T18:00:01Z"}, {"a": "2021-05-03T18:00:00Z"}, "a: another value"),
        ({"a": "2021-05-03"}, {"a": "2021-05-03T00:00:00Z"}, "a: another value"),
        ({"a": "2021-99-03T18:00:00Z"}, {"a": "2021-99-03T18:00:00z"}, "a: another value"),
        ({"a": cbor.Tag(0, "2021-05-03T18:00:00Z")}, {"a": "2021-05-03T18:00:00Z"}, None),
        ({"a": cbor.Tag(1, 5)}, {"a": 5}, "a: another value"),
        ({"a": b"x"}, {"a": "x"}, "a: another value"),
        ({"a": [1, 2]}, {"a": [1]}, "a: another number of entries"),
        ({"a": [{"b": 1}]}, {"a": [{"b": 2}]}, "a[0].b: another value"),
        ({"a": 1}, {}, "a: not expected"),
        ({}, {"a": 1}, "a: missing"),
        ({5: 1}, {}, "(a key that is no text): not expected"),
        ([], {}, "the payload: another value"),
        (None, None, None),
    ],
)
def test_values_are_compared_by_what_they_mean(found: Any, expected: Any, where: str | None) -> None:
    assert difference(found, expected) == where


def test_a_comparison_has_a_bottom() -> None:
    deep: Any = 1
    for _ in range(500):
        deep = [deep]
    assert str(difference(deep, deep)).endswith("nested too deeply")
