"""The validator: the wording of the reference, its order, and what it never lets through."""

from __future__ import annotations

import json
from typing import Any

import pytest

from healthcert.errors import RuleError
from healthcert.rules import certlogic
from healthcert.rules.certlogic.bounds import DEPTH, NODES
from tests.unit.rules.certlogic.raising import invalid, limited


def messages(expression: Any) -> list[str]:
    return [issue.message for issue in certlogic.validate(expression)]


def test_an_issue_is_what_json_has() -> None:
    wrong = {"var": 1}
    (issue,) = certlogic.validate({"!": [wrong]})
    assert issue == {"expr": wrong, "message": 'not of the form { "var": "<path>" }'}
    assert issue.expr is wrong
    assert json.loads(json.dumps(issue)) == issue


AMOUNT = '"amount" argument (#2) of "plusTime" must be an integer, but it is:'
VALID: list[Any] = [
    "", "text", True, False, 0, -1, 2**53, 1.0, [], [1, [True, "x"]], {"var": ""}, {"var": "a.0.b"}, {"if": [1, 2, 3]},
    {"and": [1, 2]}, {"and": [1, 2, 3, 4]}, {"!": [1]}, {"===": [1, 2]}, {"in": [1, [2]]}, {"+": [1, 2]},
    {"<": [1, 2]}, {"<": [1, 2, 3]}, {"before": ["a", "b"]}, {"not-after": ["a", "b", "c"]},
    {"plusTime": ["2021", -1, "year"]}, {"plusTime": [{"var": "a"}, 1.0, "hour"]}, {"dccDateOfBirth": ["1964"]},
    {"reduce": [[], {"var": "current"}, 0]}, {"extractFromUVCI": [{"var": "a"}, -1]}, {"extractFromUVCI": ["a", 1.0]},
]  # fmt: skip


@pytest.mark.parametrize("expression", VALID)
def test_valid(expression: Any) -> None:
    assert certlogic.validate(expression) == []
    assert certlogic.compile(expression).expression is expression


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        (None, "invalid CertLogic expression"), (1.5, "1.5 is a non-integer number"), (float("nan"),
        "NaN is a non-integer number"),
        (float("inf"), "Infinity is a non-integer number"), (float("-inf"), "-Infinity is a non-integer number"),
        (1e-7, "1e-7 is a non-integer number"), (0.00001, "0.00001 is a non-integer number"), (123456.75,
        "123456.75 is a non-integer number"),
        ((1, 2), "invalid CertLogic expression"), (b"x", "invalid CertLogic expression"), ({1},
        "invalid CertLogic expression"),
        ({}, "expression object must have exactly one key, but it has 0"),
        ({"var": "a", "!": [1]}, "expression object must have exactly one key, but it has 2"),
        *(({name: [1, 2]}, f'unrecognised operator: "{name}"') for name in
          ("or", "==", "!=", "!!", "-", "*", "/", "%", "map", "filter", "some", "all", "none", "merge", "cat",
          "log", "min", "max", "missing",
           "extractFromUCI", "If", "AND", "not", "", " in", "in ", "plustime", "VAR", "inn", "<<", "====")),
        *(({name: operand}, 'operation not of the form { "<operator>": [ <values...> ] }') for name in ("if", "!",
        "and", "plusTime", "in", "foo")
          for operand in (None, "text", 1, True, {"var": "a"}, {})),
        ({"!": []}, "a !-operation (logical not/negation) must have exactly 1 operand, but it has 0"),
        ({"!": [1, 2]}, "a !-operation (logical not/negation) must have exactly 1 operand, but it has 2"),
        ({"and": []}, 'an "and" operation must have at least 2 operands, but it has 0'),
        ({"and": [1]}, 'an "and" operation must have at least 2 operands, but it has 1'),
        *(({name: [1] * number}, f'an operation with operator "{name}" must have 2 operands, but it has {number}')
          for name in ("===", "in", "+") for number in (0, 1, 3)),
        *(({name: [1] * number}, f'an operation with operator "{name}" must have 2 or 3 operands, but it has {number}')
          for name in ("<", ">", "<=", ">=", "before", "after", "not-before", "not-after") for number in (0, 1, 4)),
        *(({"if": [1] * number}, f'an "if"-operation must have exactly 3 values/operands, but it has {number}')
          for number in (0, 1, 2, 4)),
        *(({"reduce": [1] * number}, f'a "reduce"-operation must have exactly 3 values/operands, but it has {number}')
          for number in (0, 2, 4)),
        ({"dccDateOfBirth": []}, 'a "dccDateOfBirth"-operation must have exactly 1 value/operand, but it has 0'),
        ({"dccDateOfBirth": ["a",
        "b"]}, 'a "dccDateOfBirth"-operation must have exactly 1 value/operand, but it has 2'),
        ({"extractFromUVCI": ["a"]},
         'an "extractFromUVCI"-operation must have exactly 2 values/operands, but it has 1'),
        ({"extractFromUVCI": ["a", "b"]},
        '"index" argument (#2) of "extractFromUVCI" must be an integer, but it is: b'),
        ({"extractFromUVCI": ["a", None]},
        '"index" argument (#2) of "extractFromUVCI" must be an integer, but it is: null'),
        ({"extractFromUVCI": ["a", True]},
        '"index" argument (#2) of "extractFromUVCI" must be an integer, but it is: true'),
        ({"plusTime": ["a", "1", "day"]}, '"amount" argument (#2) of "plusTime" must be an integer, but it is: 1'),
        ({"plusTime": ["a", 1.25, "day"]}, '"amount" argument (#2) of "plusTime" must be an integer, but it is: 1.25'),
        ({"plusTime": ["a", {"var": "n"}, "day"]},
        '"amount" argument (#2) of "plusTime" must be an integer, but it is: [object Object]'),
        ({"plusTime": ["a", [1, None, [2, False]], "day"]},
        '"amount" argument (#2) of "plusTime" must be an integer, but it is: 1,,2,false'),
        ({"plusTime": ["a", [1e21, 1e20, 123456789012345680000, -0.0], "day"]},
         f"{AMOUNT} 1e+21,100000000000000000000,123456789012345680000,0"),
        ({"plusTime": ["a", [10**5000, -(10**5000)], "day"]},
        '"amount" argument (#2) of "plusTime" must be an integer, but it is: Infinity,-Infinity'),
        ({"plusTime": ["a", 1, "days"]},
         '"unit" argument (#3) of "plusTime" must be a string equal to one of year, month, day, hour, but it is: days'),
        ({"var": "a..b"}, "data access path doesn't have a valid format: a..b"),
        ({"var": ["a"]}, 'not of the form { "var": "<path>" }'),
    ],
)  # fmt: skip
def test_invalid(expression: Any, message: str) -> None:
    assert messages(expression) == [message]
    assert messages({"if": [True, expression, True]}) == [message]
    assert messages([[expression]]) == [message]
    assert invalid(expression, {}).startswith(message[:190])


def test_number_of_operands_comes_before_the_operands() -> None:
    wrong: Any = {"if": [None, {"!": []}]}
    assert messages(wrong) == [
        'an "if"-operation must have exactly 3 values/operands, but it has 2',
        "invalid CertLogic expression",
        "a !-operation (logical not/negation) must have exactly 1 operand, but it has 0",
    ]


def test_what_is_never_reached_is_looked_at() -> None:
    """The reference's evaluator would not: what is wrong in a rule is told before it is used."""
    for expression in ({"if": [True, 1, None]}, {"and": [False, {"foo": []}]}, {"reduce": [[], {"foo": []}, 0]}):
        invalid(expression, {})
    for extra in (
        {"if": [True, 1, 2, 3]},
        {"!": [True, True]},
        {"plusTime": ["2021", 1, "day", 1]},
        {"reduce": [[], 1, 2, 3]},
    ):
        invalid(extra, {})


def test_names_that_are_no_text() -> None:
    for key in (1, None, True, ("var",), 1.5):
        assert messages({key: ["a"]}) == [f'unrecognised operator: "{key}"']


# --- Size ---


def nested(depth: int, inner: Any = 1) -> Any:
    for _ in range(depth):
        inner = [inner]
    return inner


def test_depth() -> None:
    assert certlogic.validate(nested(DEPTH)) == []
    assert certlogic.evaluate(nested(DEPTH), {}) == nested(DEPTH)
    for look in (certlogic.validate, certlogic.data_accesses, certlogic.compile):
        for expression in (nested(DEPTH + 1), nested(100_000)):
            with pytest.raises(RuleError, match=f"nested deeper than {DEPTH}"):
                look(expression)


def test_depth_of_operations() -> None:
    expression: Any = {"var": "x"}
    for _ in range(DEPTH // 2 - 1):
        expression = {"!": [expression]}
    assert certlogic.evaluate(expression, {"x": 1}) is False
    limited({"!": [{"!": [expression]}]}, {"x": 1})


def test_number_of_values() -> None:
    assert certlogic.validate([0] * (NODES - 1)) == []
    assert certlogic.evaluate([0] * (NODES - 1), {}) == [0] * (NODES - 1)
    limited([0] * NODES)
    limited({"and": [0] * NODES})
    limited({"x": 1} | {str(number): 1 for number in range(NODES)})


def test_what_is_shared_counts_each_time() -> None:
    bomb: Any = [1]
    for _ in range(60):
        bomb = [bomb, bomb]
    limited(bomb)
    limited({"===": [bomb, bomb]})


def test_a_circle() -> None:
    circle: list[Any] = []
    circle.append(circle)
    limited(circle)
    limited({"!": circle})


@pytest.mark.parametrize("number", [2**53 + 1, -(2**53) - 1, 10**400, 1e300])
def test_large_numbers(number: Any) -> None:
    assert certlogic.validate(number) == []
    limited(number)
    limited({"+": [number, 1]})
    limited({"if": [True, 1, {"!": [number]}]})


def test_detail_of_the_error_may_stand_in_a_log() -> None:
    said = invalid({"\n\x1b[31m\u202efake " + "x" * 5000: []}, {})
    assert len(said) <= 200
    assert said.isprintable()
