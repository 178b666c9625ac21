"""The list of excuses: what it matches, when it is stale, and how a wrong one is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from healthcert.conformance.checks import CHECKS
from healthcert.conformance.deviations import Deviation, Deviations, pattern_of
from healthcert.errors import DecodeError

KEY = "EXPECTEDSCHEMAVALIDATION"


def entries(*cases: str, unseen: bool = False) -> Deviations:
    return Deviations((Deviation(cases, KEY, "because", unseen),))


@pytest.mark.parametrize(
    ("glob", "name", "matches"),
    [
        ("PL/1.3.0/2DCode/raw/8", "PL/1.3.0/2DCode/raw/8", True),
        ("PL/1.3.0/2DCode/raw/8", "pl/1.3.0/2DCode/Raw/8", True),
        ("PL/1.3.0/2DCode/raw/8", "PL/1.3.0/2DCode/raw/80", False),
        ("PL/*/2DCode/raw/8", "PL/1.0.0/2DCode/raw/8", True),
        ("PL/*/8", "PL/1.0.0/2DCode/raw/8", False),
        ("PL/**/8", "PL/1.0.0/2DCode/raw/8", True),
        ("NL/**", "NL/2DCode/raw/1", True),
        ("NL/**", "XNL/2DCode/raw/1", False),
        ("NL", "NL/2DCode/raw/1", True),
        ("NL/", "NL/2DCode/raw/1", True),
        ("NL", "NLX/1", False),
        ("N?/**", "NO/1", True),
        ("**/CO1?", "common/2DCode/raw/CO17", True),
        ("a.b", "axb", False),
        ("a+(", "a+(", True),
    ],
)
def test_patterns(glob: str, name: str, matches: bool) -> None:
    assert (pattern_of(glob).fullmatch(name) is not None) is matches


def test_an_entry_excuses_its_own_expectation_only() -> None:
    deviations = entries("NL/**")
    assert deviations.excuse("NL/1", KEY) is not None
    assert deviations.excuse("NL/1", "EXPECTEDVERIFY") is None
    assert deviations.excuse("PL/1", KEY) is None


def test_an_entry_whose_case_agrees_is_stale() -> None:
    deviations = entries("NL/1", "NL/2", "NL/3")
    checked = [("NL/1", KEY, True), ("NL/2", KEY, False), ("NL/1", "EXPECTEDVERIFY", True)]
    assert [case for _, case in deviations.stale(checked)] == ["NL/1"]


def test_a_pattern_is_stale_when_it_excuses_nothing() -> None:
    deviations = entries("NL/**")
    assert not deviations.stale([("NL/1", KEY, True), ("NL/2", KEY, False)])
    assert deviations.stale([("NL/1", KEY, True), ("NL/2", KEY, True)])
    assert not deviations.stale([("PL/1", KEY, True), ("NL/2", "EXPECTEDVERIFY", True)])
    assert not entries("NL/**", unseen=True).stale([("NL/1", KEY, True)])


def test_absent_cases_are_counted() -> None:
    assert entries("NL/**", "PL/1", "PL/2").absent(["PL/1", "FR/1"]) == 2


def test_the_list_of_the_public_suite_can_be_read() -> None:
    shipped = Deviations.of_public_suite()
    assert {entry.expectation for entry in shipped.entries} <= CHECKS.keys()
    assert all(entry.reason.endswith(".") for entry in shipped.entries)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("deviation = 5", "holds [[deviation]] entries"),
        ("[other]\n", "holds [[deviation]] entries"),
        ("deviation = [5]", "deviation 1: has the fields"),
        ("[[deviation]]\ncases = ['a']\nexpectation = 'x'\n", "deviation 1: has the fields"),
        ("[[deviation]]\ncases = ['a']\nexpectation = 'x'\nreason = 'y'\nnote = 1\n", "deviation 1: has the fields"),
        ("[[deviation]]\ncases = 'a'\nexpectation = 'x'\nreason = 'y'\n", "deviation 1: cases is a list"),
        ("[[deviation]]\ncases = []\nexpectation = 'x'\nreason = 'y'\n", "deviation 1: cases is a list"),
        ("[[deviation]]\ncases = [1]\nexpectation = 'x'\nreason = 'y'\n", "deviation 1: cases is a list"),
        ("[[deviation]]\ncases = ['a']\nexpectation = 'x'\nreason = ' '\n", "deviation 1: expectation and reason"),
        ("[[deviation]]\ncases = ['a']\nexpectation = 5\nreason = 'y'\n", "deviation 1: expectation and reason"),
        ("[[deviation]]\ncases=['a']\nexpectation='x'\nreason='y'\nunseen=1\n", "deviation 1: unseen is true or"),
        ("= 5", "not TOML"),
        (b"\xff", "not TOML"),
    ],
)
def test_a_wrong_list_is_told_by_its_rule(tmp_path: Path, text: str | bytes, rule: str) -> None:
    (tmp_path / "list.toml").write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(DecodeError) as caught:
        Deviations.load(tmp_path / "list.toml")
    assert rule in caught.value.detail


def test_an_empty_list_excuses_nothing(tmp_path: Path) -> None:
    (tmp_path / "list.toml").write_text("")
    assert Deviations.load(tmp_path / "list.toml") == Deviations()
