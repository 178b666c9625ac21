"""Codes are issued by the newest value sets that the issuer has, and only active ones; any other is forced by name."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from msgspec.structs import replace

import healthcert as hc
from healthcert.rules.valuesets import SET_OF, ValueSet, ValueSetCode, ValueSets
from tests.support import CLOCK, HOLDER, NOW, RECOVERY, TEST, VACCINATION, dsc, verifier

LATER = "2023-12-31"


def newer(field: str, *active: str, inactive: tuple[str, ...] = (), until: date | None = None) -> ValueSets:
    codes = {
        code: ValueSetCode(code, code, "en", code not in inactive, "", "urn:test", until)
        for code in (*active, *inactive)
    }
    return ValueSets([ValueSet(SET_OF[field], LATER, codes)])


def issuing(event: hc.Event, sets: ValueSets | None, *, country: str = "FR", **policy: Any) -> str:
    issuer = hc.Issuer(dsc().signer(), country=country, clock=CLOCK, policy=hc.IssuePolicy(value_sets=sets, **policy))
    return issuer.issue(event, holder=HOLDER).text


def refused(event: hc.Event, sets: ValueSets | None) -> str:
    with pytest.raises(hc.IssueError) as caught:
        issuing(event, sets)
    assert (caught.value.code, caught.value.step) == ("FIELD_INVALID", "content")
    return caught.value.detail


def device(code: str) -> hc.TestResult:
    return replace(TEST, device=hc.Coding("", code), name=None)


def of(code: str) -> hc.Vaccination:
    return replace(VACCINATION, product=hc.Coding("", code))


def test_a_code_of_a_newer_set_is_issued_and_read() -> None:
    assert refused(of("EU/1/23/9999"), None).startswith("product: an active code of its value set")
    text = issuing(of("EU/1/23/9999"), newer("mp", "EU/1/23/9999"))
    report = verifier(dsc()).examine(text)
    assert report.outcome is hc.Outcome.ACCEPTED


def test_a_code_that_a_newer_set_dropped_or_calls_inactive_is_not() -> None:
    assert issuing(VACCINATION, newer("mp", "EU/1/20/1528"))
    assert "EU/1/20/1528" not in refused(VACCINATION, newer("mp", "EU/1/20/1507")).partition(";")[0]
    sets = newer("mp", "EU/1/20/1507", inactive=("EU/1/20/1528",))
    assert refused(VACCINATION, sets).startswith("product: ")
    assert issuing(VACCINATION, sets, unlisted_codes=frozenset({"EU/1/20/1528"}))


def test_a_code_is_issued_until_its_last_day() -> None:
    assert issuing(VACCINATION, newer("mp", "EU/1/20/1528", until=NOW.date()))
    assert refused(VACCINATION, newer("mp", "EU/1/20/1528", until=date(2021, 8, 19)))


def test_devices_are_judged_once_there_is_a_list_of_them() -> None:
    assert issuing(device("9999"), None)
    sets = newer("t.ma", "1232", inactive=("344",))
    assert issuing(device("1232"), sets)
    for code in ("9999", "344"):
        assert refused(device(code), sets).startswith("device: ")
    assert issuing(device("9999"), sets, unlisted_codes=frozenset({"9999"}))
    assert issuing(TEST, sets)


def test_sets_that_are_older_or_not_given_are_those_of_the_library() -> None:
    older = ValueSets([ValueSet(SET_OF["mp"], "2020-01-01", {})])
    for event in (VACCINATION, TEST, RECOVERY):
        assert issuing(event, older)
        assert issuing(event, ValueSets())


def test_countries_are_those_of_the_newer_set() -> None:
    event = replace(RECOVERY, country="QZ")
    assert refused(event, None).startswith("country: ")
    assert issuing(event, newer("co", "FR", "QZ"))
    with pytest.raises(hc.IssueError, match="FIELD_INVALID"):
        issuing(RECOVERY, newer("co", "DE"))


def test_another_disease_of_a_newer_set_is_issued() -> None:
    event = replace(RECOVERY, disease=hc.Coding("", "840533007"))
    assert refused(event, None).startswith("disease: ")
    assert issuing(event, newer("tg", "840539006", "840533007"))
