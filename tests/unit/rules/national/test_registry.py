"""The names of national rules, and that whatever a document or a certificate holds, the answer is one."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from healthcert.errors import Code, RuleError
from healthcert.limits import DEFAULT_LIMITS
from healthcert.rules.assessment import Assessment, NationalRules
from healthcert.rules.national.german import MASK
from healthcert.rules.national.registry import NATIONAL, OF_RULES, national_rules
from healthcert.rules.rule import read_rule
from healthcert.rules.ruling import RulingOutcome
from healthcert.rules.subject import RuleSubject
from healthcert.rules.valuesets import shipped
from tests.unit.rules.national import test_french, test_italian, test_swiss
from tests.unit.rules.national.cases import (
    ALWAYS,
    BIONTECH,
    JANSSEN,
    NEGATIVE,
    NOVAVAX,
    PCR,
    POSITIVE,
    RAPID,
    asked,
    of,
    rule,
    since,
    subject,
    up_to,
)

NOTICE = rule("BNR-DE-0001", since("payload.v.0.dt", 30), Type="BoosterNotification")
STATUS = rule("MA-DE-0001", up_to("payload.t.0.sc", 1), Type=MASK)
DOCUMENTS = {
    "booster": json.dumps([NOTICE]).encode(),
    "de-domestic": json.dumps([STATUS]).encode(),
    "ch": test_swiss.document(since("payload.v.0.dt", 10), modeRules=test_swiss.MODES),
    "it": json.dumps([{"name": n, "type": t, "value": v} for (n, t), v in test_italian.NEWER.items()]).encode(),
    "fr": json.dumps(test_french.SETTINGS).encode(),
}


@pytest.mark.parametrize("name", NATIONAL)
def test_all_answer_the_same_question(name: str) -> None:
    rules = national_rules(name, DOCUMENTS[name], shipped())
    assert rules.name == name
    assert rules.title
    assert all(values for values in rules.options.values())
    found = asked(rules, "2022-06-01", subject(of("v")))
    assert isinstance(found, Assessment)
    assert found.outcome in RulingOutcome
    assert found.reasons


def test_all_names_have_documents_here() -> None:
    assert set(DOCUMENTS) == set(NATIONAL)


def test_some_are_made_of_rules_that_were_read_before() -> None:
    assert OF_RULES == ("booster", "de-domestic")
    rules = national_rules("booster", [read_rule(NOTICE), read_rule(rule("GR-DE-0001", ALWAYS))], shipped())
    assert asked(rules, "2022-06-01", subject(of("v"))).status == "BNR-DE-0001"
    unsure = national_rules("booster", [read_rule(NOTICE)], shipped(), unreadable_rules=1)
    assert asked(unsure, "2022-01-20", subject(of("v"))).outcome is RulingOutcome.OPEN
    with pytest.raises(RuleError) as caught:
        national_rules("it", [], shipped())
    assert caught.value.code is Code.RULE_LIST_UNREADABLE


def test_a_name_that_there_is_not_is_refused() -> None:
    with pytest.raises(RuleError) as caught:
        national_rules("at", b"{}", shipped())
    assert caught.value.code is Code.RULE_CONFIG_INVALID


@pytest.mark.parametrize("name", NATIONAL)
def test_a_document_that_is_too_long_is_refused(name: str) -> None:
    with pytest.raises(RuleError) as caught:
        national_rules(name, b" " * (DEFAULT_LIMITS.list_bytes + 1), shipped())
    assert caught.value.code is Code.RULE_LIST_UNREADABLE


@pytest.mark.parametrize("name", ["booster", "de-domestic", "ch"])
def test_too_many_rules_are_refused(name: str) -> None:
    many: Any = [0] * (DEFAULT_LIMITS.rules + 1)
    with pytest.raises(RuleError) as caught:
        national_rules(name, json.dumps({"rules": many} if name == "ch" else many).encode(), shipped())
    assert caught.value.code is Code.RULE_LIST_UNREADABLE


# --- Whatever comes ---

NUMBERS = st.one_of(
    st.integers(), st.floats(), st.sampled_from([10**400, -1, 0, 2.0, float("nan"), float("inf"), True])
)
TEXTS = st.one_of(
    st.text(max_size=12),
    st.sampled_from([
        "2022-01-10", "9999-12-31", "0001-01-01", "2022-01-10T08:00:00Z", "9999-12-31T23:59:59-23:59", "1984", "P18Y",
        BIONTECH, JANSSEN, NOVAVAX, PCR, RAPID, NEGATIVE, POSITIVE, "840539006", "180", "IT", "SM", "Sputnik-V",
    ]),
)  # fmt: skip
VALUES = st.recursive(
    st.one_of(st.none(), NUMBERS, TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)),
    max_leaves=8,
)
MEMBERS = st.sampled_from(["tg", "mp", "dn", "sd", "dt", "co", "ci", "tt", "tr", "sc", "fr", "df", "du"])
ENTRIES = st.builds(
    lambda group, changes: of(group) | changes,
    st.sampled_from(["v", "t", "r"]),
    st.dictionaries(MEMBERS, VALUES, max_size=3),
)
PAYLOADS = st.builds(
    lambda entries, changes: {**subject(*entries).payload, **changes},
    st.lists(ENTRIES, max_size=3),
    st.dictionaries(st.sampled_from(["v", "t", "r", "ver", "nam", "dob", "x"]), VALUES, max_size=2),
)
MOMENTS = st.datetimes(datetime(1902, 1, 1), datetime(8990, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
CLAIMED = st.one_of(st.none(), st.datetimes(timezones=st.just(UTC)))
SUBJECTS = st.builds(RuleSubject, payload=PAYLOADS, issued_at=CLAIMED, expires_at=CLAIMED)
NAMED = st.sampled_from(NATIONAL)


def well_formed(found: Assessment, at: datetime) -> None:
    assert found.outcome in RulingOutcome
    assert found.reasons
    if found.outcome is RulingOutcome.PASSED:
        assert found.valid_from is None or found.valid_from <= at
        assert found.valid_until is None or at < found.valid_until
    if found.valid_from is not None and found.valid_until is not None:
        assert found.valid_from < found.valid_until


def answer(rules: NationalRules, subjects: list[RuleSubject], at: datetime, data: st.DataObject) -> None:
    options = {name: data.draw(st.sampled_from(values)) for name, values in rules.options.items()}
    well_formed(rules.assess(subjects, at, options=options), at)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(NAMED, st.lists(SUBJECTS, max_size=2), MOMENTS, st.data())
def test_whatever_a_certificate_holds_there_is_an_answer(
    name: str, subjects: list[RuleSubject], at: datetime, data: st.DataObject
) -> None:
    answer(national_rules(name, DOCUMENTS[name], shipped()), subjects, at, data)


def damaged(value: Any, path: list[int], other: Any) -> Any:
    """A document with ``other`` somewhere in it."""
    if not path or not isinstance(value, (dict, list)) or not value:
        return other
    keys = list(value) if isinstance(value, dict) else list(range(len(value)))
    key = keys[path[0] % len(keys)]
    copy: Any = value.copy()
    copy[key] = damaged(value[key], path[1:], other)
    return copy


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(NAMED, st.lists(st.integers(0, 99), max_size=6), VALUES, st.lists(SUBJECTS, max_size=2), MOMENTS, st.data())
def test_whatever_a_document_holds_it_is_refused_or_there_is_an_answer(
    name: str, path: list[int], other: Any, subjects: list[RuleSubject], at: datetime, data: st.DataObject
) -> None:
    document = json.dumps(damaged(json.loads(DOCUMENTS[name]), path, other)).encode()
    refusal, rules = None, None
    try:
        rules = national_rules(name, document, shipped())
    except RuleError as error:
        refusal = error.code
    assert refusal in (None, Code.RULE_LIST_UNREADABLE)
    if rules is not None:
        answer(rules, subjects, at, data)


@given(NAMED, st.binary(max_size=60))
def test_whatever_is_no_document_is_refused(name: str, document: bytes) -> None:
    with pytest.raises(RuleError) as caught:
        national_rules(name, b"\xff" + document, shipped())
    assert caught.value.code is Code.RULE_LIST_UNREADABLE
