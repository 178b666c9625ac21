"""A ruling as JSON, and in words."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec import structs

from healthcert.rules.describe import describe_rule, describe_ruling, sentences
from healthcert.rules.ruling import Coverage
from tests.unit.rules.judging import PAYLOAD, judge, rule, subject
from tests.unit.rules.lists import FAILS, PASSES

CLOCK = {"plusTime": [{"var": "external.validationClock"}, 0, "day"]}
DOSE_DAY = {"var": "payload.v.0.dt"}


def said(logic: Any, **payload: Any) -> list[str]:
    (result,) = judge(rule(logic=logic), about=subject(payload=PAYLOAD | payload)).results
    return list(sentences(result))


@pytest.mark.parametrize(
    ("logic", "sentence"),
    [
        ({"===": [{"var": "payload.v.0.dn"}, 3]}, "v.0.dn (2) is 3: no"),
        ({"in": [{"var": "payload.v.0.mp"}, ["A", "B"]]}, "v.0.mp (EU/1/20/1528) is one of A, B: no"),
        (
            {"in": [{"var": "payload.v.0.mp"}, [str(number) for number in range(12)]]},
            "v.0.mp (EU/1/20/1528) is one of 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 2 more: no",
        ),
        ({"<": [{"var": "payload.v.0.sd"}, {"var": "payload.v.0.dn"}]}, "v.0.sd (2) is less than v.0.dn (2): no"),
        ({">": [3, {"var": "payload.v.0.dn"}, 2]}, "3 is more than v.0.dn (2), which is more than 2: no"),
        (
            {"not-after": [CLOCK, {"plusTime": [DOSE_DAY, 14, "day"]}]},
            "validationClock (2022-03-01 12:30:45 UTC) is not after v.0.dt (2022-01-20) +14 days = 2022-02-03: no",
        ),
        (
            {"before": [{"plusTime": [DOSE_DAY, -1, "month"]}, {"dccDateOfBirth": [{"var": "payload.dob"}]}]},
            "v.0.dt (2022-01-20) -1 month = 2021-12-20 is before dob (1964-08-12): no",
        ),
        (
            {"not-before": [{"plusTime": ["0033-04-03", 0, "day"]}, CLOCK]},
            "0033-04-03 is not before validationClock (2022-03-01 12:30:45 UTC): no",
        ),
        ({"!": [{"!": [{"var": "payload.t.0"}]}]}, "t.0 is not there"),
        ({"!": [{"var": "payload.v.0"}]}, "v.0 is there"),
        ({"===": [{"var": "payload.v.0.none"}, {"var": "payload.v"}]}, "v.0.none (nothing) is v (an object): no"),
        ({"===": [{"var": "payload.v.0.dn"}, False]}, "v.0.dn (2) is False: no"),
    ],
)
def test_sentences(logic: Any, sentence: str) -> None:
    assert said(logic) == [sentence]


def test_no_sentence_where_nothing_was_compared() -> None:
    assert said(FAILS) == []
    assert said({"or": [1, 1]}) == []


def test_ruling_as_json() -> None:
    refuses = {
        "and": [{"===": [{"var": "payload.v.0.sd"}, 2]}, {"not-after": [CLOCK, {"plusTime": [DOSE_DAY, 14, "day"]}]}]
    }
    rules = [
        rule("GR-FR-0001", PASSES),
        rule("GR-FR-0002", refuses, AffectedFields=["v.0.dt"]),
        rule("GR-FR-0003", {"foo": []}),
    ]
    ruling = judge(*rules, region="IDF")
    moment = datetime(2022, 2, 1, tzinfo=UTC)
    own = Coverage(
        source="own", format="folder", signed=False, fetched_at=moment, fresh_until=moment, types=("Acceptance",)
    )
    lists = (structs.replace(own, source="fr", fresh_until=None), own)
    found = describe_ruling(structs.replace(ruling, lists=lists))
    assert json.loads(json.dumps(found)) == found
    assert (found["country"], found["region"], found["outcome"], found["unreadable"]) == ("FR", "IDF", "FAIL", 0)
    assert found["at"] == "2022-03-01T12:30:45.678900+00:00"
    assert found["value_sets"]["disease-agent-targeted"]
    assert [one["state"] for one in found["results"]] == ["PASSED", "FAIL", "OPEN"]
    assert [one["source"] for one in found["lists"]] == ["fr", "own"]
    assert found["lists"][0]["fresh_until"] is None
    passed, failed, open_ = found["results"]
    assert failed["fields"] == {"v.0.dt": "2022-01-20"}
    assert failed["comparisons"] == [
        {
            "operator": "not-after",
            "held": False,
            "operands": [
                {
                    "value": "2022-03-01T12:30:45+00:00",
                    "path": "external.validationClock",
                    "given": "2022-03-01T12:30:45Z",
                },
                {
                    "value": "2022-02-03T00:00:00+00:00",
                    "path": "payload.v.0.dt",
                    "given": "2022-01-20",
                    "plus": [14, "day"],
                },
            ],
        }
    ]
    # What a rule that passed looked at, and one that could not be evaluated, is nobody's business.
    assert not {"fields", "comparisons"} & (passed.keys() | open_.keys())
    assert open_["code"] == "CERTLOGIC_INVALID"


def test_date_times_within_arrays_are_told() -> None:
    ruling = judge(rule(logic={"in": ["2021", [CLOCK, [CLOCK], {"var": "payload.v.0"}]]}))
    assert json.loads(json.dumps(describe_ruling(ruling)))["results"][0]["comparisons"][0]["operands"][1]["value"] == [
        "2022-03-01T12:30:45+00:00", ["2022-03-01T12:30:45+00:00"], PAYLOAD["v"][0],
    ]  # fmt: skip


def test_rule_as_json() -> None:
    twice = [{"lang": lang, "desc": desc} for lang, desc in (("en", "first"), ("de", "eins"), ("en", "second"))]
    found = describe_rule(rule("VR-FR-0001", Region="IDF", Description=twice))
    assert found == json.loads(json.dumps(found)) == {
        "identifier": "VR-FR-0001",
        "version": "1.0.0",
        "type": "Acceptance",
        "country": "FR",
        "region": "IDF",
        "certificate_type": "Vaccination",
        "valid_from": "2021-07-01T00:00:00+00:00",
        "valid_to": "2030-06-01T00:00:00+00:00",
        "descriptions": {"en": "first", "de": "eins"},
    }  # fmt: skip
