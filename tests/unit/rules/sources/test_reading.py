"""What the answers of several servers of rules have in common."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthcert.errors import RuleError
from healthcert.rules.sources.reading import (
    countries_in,
    country_named,
    is_name,
    json_bytes,
    label,
    moment_in,
    names_in,
)
from tests.support_rule_lists import raw


def test_countries_and_names_come_once_and_in_order() -> None:
    assert countries_in(b'["FR", "DE", "FR"]') == ("DE", "FR")
    assert names_in(b'["b", "a", "b"]') == ("a", "b")
    assert names_in(b"[]") == ()


@pytest.mark.parametrize("value", [[], {}, ["fr"], ["FRA"], [None], ["ÄÖ"], "FR"])
def test_what_is_no_list_of_countries(value: Any) -> None:
    with pytest.raises(RuleError) as caught:
        countries_in(raw(value))
    assert caught.value.code == "RULE_LIST_UNREADABLE"


@pytest.mark.parametrize("value", ["", "-a", "a/b", "..", "a b", "a?b", "x" * 101, "ä", 7, None])
def test_what_is_no_name_of_a_value_set(value: Any) -> None:
    assert not is_name(value)
    assert is_name("covid-19-lab-test-manufacturer-and-name")


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2021-07-01T00:00:00Z", datetime(2021, 7, 1, tzinfo=UTC)),
        ("2021-07-01T02:00:00+02:00", datetime(2021, 7, 1, tzinfo=UTC)),
        ("2021-07-01T00:00:00.000000000Z", datetime(2021, 7, 1, tzinfo=UTC)),
        ("2021-07-01T00:00:00", None),
        ("2021-07-01", None),
        ("2021-07-01T00:00:00z", None),
        ("2021-07-01T00:00:00Z\n", None),
        ("2021-02-30T00:00:00Z", None),
        ("2021-07-01T24:00:00Z", None),
        ("0001-01-01T00:00:00+01:00", None),
        ("٢٠٢١-07-01T00:00:00Z", None),
        (0, None),
        (None, None),
    ],
)
def test_moments_are_those_of_the_gateway(text: Any, moment: datetime | None) -> None:
    assert moment_in(text) == moment


@pytest.mark.parametrize(
    ("rule", "country"),
    [
        ({"Country": "FR"}, "FR"),
        ({"Country": "fr"}, "FR"),
        ({"Country": "ß"}, None),  # whose capitals are two letters
        ({"Country": ["FR"]}, None),
        ({"country": "FR"}, "FR"),
        ({"country": "FR", "Country": "fr"}, "FR"),
        ({"country": "FR", "Country": "AT"}, None),
        ({"Identifier": "GR-FR-0001", 7: "AT"}, "FR"),
        ({"Identifier": "GR-FR-0001", "Country": "AT"}, "AT"),
        ("FR", None),
        (["Country", "FR"], None),
    ],
)
def test_the_country_that_what_is_no_rule_names(rule: Any, country: str | None) -> None:
    assert country_named(rule) == country


def test_what_a_server_wrote_is_named_only_where_it_is_an_identifier() -> None:
    assert label("GR-FR-0001", 3) == "GR-FR-0001"
    for text in ("", "gr-fr-0001", "GR-FR-0001\n", "\x1b[0m", "X" * 33):
        assert label(text, 3) == "rule 3"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), b"bytes", {1, 2}])
def test_what_json_does_not_have(value: Any) -> None:
    with pytest.raises(RuleError) as caught:
        json_bytes({"a": value})
    assert caught.value.code == "RULE_INVALID"


def test_a_nest_that_is_too_deep() -> None:
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(RuleError):
        json_bytes(deep)


@given(st.text())
def test_any_text_as_a_moment(text: str) -> None:
    found = moment_in(text)
    assert found is None or found.tzinfo is UTC
