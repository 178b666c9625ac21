"""Which comparisons decided, and with what."""

from __future__ import annotations

from time import process_time
from typing import Any

import pytest

from healthcert.errors import Code, RuleError
from healthcert.rules import certlogic
from healthcert.rules.certlogic import Comparison, DateTime, Operand
from healthcert.rules.certlogic.dates import milliseconds_of
from tests.unit.rules.certlogic.raising import var

DATA = {"n": 1, "s": "abc", "d": "2021-05-04", "a": ["x", "y"], "uvci": "URN:UVCI:01:AT:1", "dob": "1964"}
N_IS_2 = {"===": [var("n"), 2]}
N_IS_1 = {"===": [var("n"), 1]}


def told(expression: Any, data: Any = DATA) -> list[tuple[str, bool, list[Any]]]:
    found = certlogic.explain(expression, data)
    return [(one.operator, one.held, [operand.path or operand.value for operand in one.operands]) for one in found]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (True, []),
        (N_IS_2, [("===", False, ["n", 2])]),
        ({"!": [N_IS_1]}, [("===", True, ["n", 1])]),
        # Of a conjunction that failed the operand that did, of one that held all.
        ({"and": [N_IS_1, N_IS_2, {"===": [var("s"), "x"]}]}, [("===", False, ["n", 2])]),
        ({"and": [N_IS_1, {"in": ["x", var("a")]}]}, [("===", True, ["n", 1]), ("in", True, ["x", "a"])]),
        ({"and": [N_IS_1, {"and": [{"!": [var("none")]}, N_IS_2]}]}, [("===", False, ["n", 2])]),
        # Of a choice the branch; where that is a constant what was asked.
        ({"if": [N_IS_1, N_IS_2, True]}, [("===", False, ["n", 2])]),
        ({"if": [N_IS_2, True, N_IS_1]}, [("===", True, ["n", 1])]),
        ({"if": [N_IS_2, True, False]}, [("===", False, ["n", 2])]),
        ({"if": [{"and": [N_IS_1, N_IS_2]}, True, False]}, [("===", False, ["n", 2])]),
        ({"if": [var("none.x"), N_IS_1, False]}, [("var", False, ["none.x"])]),
        ({"if": [N_IS_1, {"if": [N_IS_1, {"if": [N_IS_2, True, False]}, True]}, True]}, [("===", False, ["n", 2])]),
        ({"<": [0, var("n"), 1]}, [("<", False, [0, "n", 1])]),
        ({"reduce": [var("a"), 1, 0]}, []),
    ],
)
def test_what_decided(expression: Any, expected: list[Any]) -> None:
    assert told(expression) == expected


def test_dates_with_where_they_come_from() -> None:
    expression = {
        "not-after": [
            {"plusTime": [var("d"), 0, "day"]},
            {"plusTime": [var("dob"), 18, "year"]},
            {"dccDateOfBirth": [var("dob")]},
        ]
    }
    (comparison,) = certlogic.explain(expression, DATA)
    assert (comparison.operator, comparison.held) == ("not-after", False)
    first, second, third = comparison.operands
    assert (first.path, first.given, first.shift) == ("d", "2021-05-04", None)
    assert first.value == DateTime(milliseconds_of("2021-05-04"))
    assert (second.path, second.given, second.shift) == ("dob", "1964", (18, "year"))
    assert second.value == DateTime(milliseconds_of("1982-12-31"))
    assert (third.path, third.given, third.shift) == ("dob", "1964", None)


def test_other_operands() -> None:
    (comparison,) = certlogic.explain({"===": [{"extractFromUVCI": [var("uvci"), 1]}, "DE"]}, DATA)
    assert comparison.operands == (Operand("AT", path="uvci", given=DATA["uvci"]), Operand("DE"))
    (comparison,) = certlogic.explain(
        {"before": [{"plusTime": ["2021", 1, "day"]}, {"plusTime": [var("d"), -1, "hour"]}]}, DATA
    )
    assert [(one.path, one.given, one.shift) for one in comparison.operands] == [
        (None, "2021", (1, "day")),
        ("d", "2021-05-04", (-1, "hour")),
    ]
    (comparison,) = certlogic.explain({">": [{"+": [var("n"), 1]}, 5]}, DATA)
    assert comparison == Comparison(">", (Operand(2), Operand(5)), False)


def test_raises_as_evaluation_does() -> None:
    deep: Any = True
    for _ in range(70):
        deep = {"!": [deep]}
    for expression, code in (
        ({"foo": []}, Code.CERTLOGIC_INVALID),
        ({"<": ["a", 1]}, Code.CERTLOGIC_UNDEFINED),
        ({"if": [N_IS_1, {"<": [var("s"), 1]}, True]}, Code.CERTLOGIC_UNDEFINED),
        (deep, Code.CERTLOGIC_LIMIT),
    ):
        with pytest.raises(RuleError) as caught:
            certlogic.explain(expression, DATA)
        assert caught.value.code is code


def test_each_part_is_looked_at_once() -> None:
    """A conjunction in a conjunction in a conjunction: not again for each that it is within."""
    inner: Any = {"and": [N_IS_1] * 1600}
    costly = {"reduce": [var("items"), {"===": [{"dccDateOfBirth": ["1964-02"]}, 1]}, 0]}
    for leaf in (inner, {"!": [costly]}):
        expression = leaf
        for _ in range(55):
            expression = {"and": [expression, True]}
        start = process_time()
        once = certlogic.evaluate(expression, DATA | {"items": list(range(9000))})
        took = process_time() - start
        start = process_time()
        found = certlogic.explain(expression, DATA | {"items": list(range(9000))})
        assert process_time() - start < 8 * took + 0.5
        assert once is True
        assert len(found) == (1600 if leaf is inner else 0)


def test_nothing_is_told_by_a_repr() -> None:
    (comparison,) = certlogic.explain({"===": [var("s"), "x"]}, DATA)
    assert "abc" not in repr(comparison)
    assert "abc" not in repr(comparison.operands)
    assert "===" not in repr(comparison)
