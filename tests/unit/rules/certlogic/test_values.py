"""Values of CertLogic: which are truthy, which are equal, and what stands at a path."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import pytest

from healthcert.errors import Code, RuleError
from healthcert.rules import certlogic
from healthcert.rules.certlogic import CodeArray
from tests.unit.rules.certlogic.raising import invalid, undefined, var

DATE = {"plusTime": ["2021-05-04", 0, "day"]}
TRUTHY: list[Any] = [True, 1, -1, 2**60, 1.0, "a", "0", "false", " ", [0], [None], [[]], {"a": None}]
FALSY: list[Any] = [False, None, "", 0, 0.0, -0.0, [], {}]
LARGE = 2**60  # in data only
NEITHER: list[Any] = [1.5, 0.5, float("nan"), float("inf")]


@pytest.mark.parametrize(("values", "truthy"), [(TRUTHY, True), (FALSY, False)])
def test_truth(values: list[Any], truthy: bool) -> None:
    for value in values:
        assert certlogic.evaluate({"!": [var("x")]}, {"x": value}) is not truthy
        assert certlogic.evaluate({"if": [var("x"), "yes", "no"]}, {"x": value}) == ("yes" if truthy else "no")
        found = certlogic.evaluate({"and": [var("x"), "last"]}, {"x": value})
        assert found == ("last" if truthy else value)


@pytest.mark.parametrize("value", NEITHER)
def test_numbers_that_are_no_integers_are_neither(value: float) -> None:
    for expression in ({"!": [var("x")]}, {"if": [var("x"), 1, 2]}, {"and": [var("x"), 1]}, {"and": [1, var("x")]}):
        undefined(expression, {"x": value})


def test_date_times_are_neither() -> None:
    """Also as the last operand of a conjunction, which the reference lets pass: a rule may not come to a date-time."""
    for expression in ({"!": [DATE]}, {"if": [DATE, 1, 2]}, {"and": [DATE, 1]}, {"and": [1, DATE]}):
        undefined(expression)


def test_values_come_back_as_they_are() -> None:
    for value in (True, False, 0, 7, -7, "", "x", [], [1, "a", [True]]):
        found = certlogic.evaluate(value, {})
        assert (found, type(found)) == (value, type(value))
    assert certlogic.evaluate({"and": ["a", 0, "b"]}, {}) == 0
    assert certlogic.evaluate({"and": ["a", "b"]}, {}) == "b"


# --- Equality ---


@pytest.mark.parametrize(
    ("left", "right", "equal"),
    [
        ("a", "a", True), ("a", "b", False), ("", "", True), (1, 1, True), (1, 2, False), (0, -0.0, True),
        (1, 1.0, True), (1.5, 1.5, True),
        (LARGE, LARGE, True), (True, True, True), (True, False, False), (None, None, True),
        # In Python these would be equal.
        (True, 1, False), (False, 0, False), (1, True, False), (1.0, True, False), (0, False, False),
        # Nothing is coerced.
        ("1", 1, False), ("", 0, False), ("", False, False), (None, 0, False), (None, False, False), (None, "", False),
        ([], False, False), ([], "", False), ({}, None, False), (["a"], "a", False), ("a", ["a"], False), ([],
        {}, False),
        ("a", "\u0430", False), ("é", "e\u0301", False),
    ],
)  # fmt: skip
def test_equality(left: Any, right: Any, equal: bool) -> None:
    data = {"l": left, "r": right}
    assert certlogic.evaluate({"===": [var("l"), var("r")]}, data) is equal
    assert certlogic.evaluate({"in": [var("l"), var("a")]}, {"l": left, "a": [right]}) is equal
    if isinstance(right, (str, bool, int)) and right != LARGE:
        assert certlogic.evaluate({"===": [var("l"), right]}, data) is equal
        assert certlogic.evaluate({"in": [var("l"), [right]]}, data) is equal
    if isinstance(left, (str, bool, int)) and left != LARGE:
        assert certlogic.evaluate({"===": [left, var("r")]}, data) is equal


@pytest.mark.parametrize("value", [[], [1], {}, {"a": 1}])
def test_arrays_and_objects_are_not_compared(value: Any) -> None:
    undefined({"===": [var("x"), var("x")]}, {"x": value})
    undefined({"in": [var("x"), var("a")]}, {"x": value, "a": [value]})


def test_date_times_are_not_equal_or_different() -> None:
    undefined({"===": [DATE, DATE]})
    undefined({"in": [DATE, [DATE]]})
    assert certlogic.evaluate({"===": [DATE, "2021-05-04"]}, {}) is False
    assert certlogic.evaluate({"in": [DATE, ["2021-05-04"]]}, {}) is False


@pytest.mark.parametrize("array", [None, "abc", "", 1, True, {"a": 1}, {}])
def test_in_looks_into_arrays_only(array: Any) -> None:
    undefined({"in": ["a", var("x")]}, {"x": array})
    undefined({"in": [1, var("x")]}, {"x": array})


def test_in_among_others() -> None:
    mixed = [True, "a", None, 2, [1], 3.0]
    for value, there in (("a", True), ("b", False), (2, True), (1, False), (None, True), (False, False)):
        found = {"in": [var("v"), var("x")]}
        if there:
            assert certlogic.evaluate(found, {"v": value, "x": mixed}) is True
        assert certlogic.evaluate(found, {"v": value, "x": mixed[:4]}) is there
    assert certlogic.evaluate({"in": [3, var("x")]}, {"x": mixed}) is True
    assert certlogic.evaluate({"in": [var("v"), []]}, {"v": "a"}) is False
    assert certlogic.evaluate({"in": ["a", ["b", var("v")]]}, {"v": "a"}) is True


def test_code_arrays_are_arrays_of_texts() -> None:
    codes = CodeArray(["1", "2", "True"])
    for value in ("1", "3", 1, True, None, 1.0, [], ["1"], {}, DATE):
        plain = certlogic.evaluate({"in": [var("v"), var("x")]}, {"v": value, "x": ["1", "2", "True"]})
        assert certlogic.evaluate({"in": [var("v"), var("x")]}, {"v": value, "x": codes}) is plain
    assert certlogic.evaluate({"in": [DATE, var("x")]}, {"x": codes}) is False
    assert certlogic.evaluate(var("x.0"), {"x": codes}) == "1"
    assert certlogic.evaluate(var("x.3"), {"x": codes}) is None
    assert certlogic.evaluate({"reduce": [var("x"), {"+": [var("accumulator"), 1]}, 0]}, {"x": codes}) == 3
    undefined({"===": [var("x"), var("x")]}, {"x": codes})


# --- Paths ---

NESTED = {
    "a": {"b": {"c": {"d": 1}}, "l": [{"x": [5, "s"]}, "text"], "0": "zero", "n": None, "t": "abc"},
    "": {"": 1},
    "0": 7,
}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("a.b.c.d", 1), ("a.b.c", {"d": 1}), ("0", 7), ("a.0", "zero"), ("a.l.0.x", [5, "s"]), ("a.l.0.x.0", 5),
        ("a.l.00.x.000", 5),
        ("a.l.1", "text"), ("a.l.2", None), ("a.l.2.x", None), ("a.l.x", None), ("a.l.-1", None), ("a.l.1.0", None),
        ("a.l.1.x", None),
        ("a.l.0.0", None), ("a.l.0.y", None), ("a.l.length", None), ("a.t.length", None), ("a.t.0", None),
        ("a.t.0.x", None),
        ("a.n", None), ("a.n.x", None), ("a.n.0", None), ("a.n.x.0.y", None), ("x", None), ("x.y", None),
        ("x.y.z", None), ("x.y.0", None),
        ("x.y.0.z", None), ("a.b.0", None), ("a.b.0.c", None), ("a.b.c.0", None), ("a.l. 0", None),
        ("a.l.+0", None), ("a.l.0x0", None),
        ("a.l.1e0", None), ("a.l.٠", None), ("a.l.²", None), ("a.l.99999999999999999999", None), ("a.l.000000000",
        {"x": [5, "s"]}),
        ("a.l.0000000000", None), ("a.__class__", None), ("a.l.0.__len__", None), ("a.t.upper", None), ("a.keys", None),
    ],
)  # fmt: skip
def test_paths(path: str, found: Any) -> None:
    assert certlogic.evaluate(var(path), NESTED) == found
    assert certlogic.evaluate(var(f"deep.er.{path}"), {"deep": {"er": NESTED}}) == found


def test_the_whole_context() -> None:
    for data in (NESTED, [], [1], "text", 7, None, True):
        assert certlogic.evaluate(var(""), data) == data
    assert certlogic.evaluate(var("1"), [5, 6]) == 6
    assert certlogic.evaluate(var("0.1.2.x"), [[0, [0, 0, {"x": 9}]]]) == 9


@pytest.mark.parametrize("path", ["x.z", "x.y.z", "x.y.0", "x.y.0.z", "0", "0.0", "x.0", "x.0.0", "v.w.x.y.z"])
@pytest.mark.parametrize(
    "data", [None, True, 0, 1.5, "text", [], {}, {"x": None}, {"x": "text"}, {"x": []}, {"x": {"y": "text"}}]
)
def test_a_step_that_leads_nowhere_is_null(path: str, data: Any) -> None:
    assert certlogic.evaluate(var(path), data) is None


@pytest.mark.parametrize("text", ["a", "abc"])
def test_a_text_has_no_entries(text: str) -> None:
    """Python would find a character."""
    assert certlogic.evaluate(var("p.v.0"), {"p": {"v": text}}) is None
    assert certlogic.evaluate(var("p.v.0.dn"), {"p": {"v": text}}) is None
    assert certlogic.evaluate(var("p.v.0.dn"), {"p": text}) is None
    assert certlogic.evaluate(var("p.v.0.dn"), {"p": {"v": [text]}}) is None


def test_an_object_with_digits_for_names() -> None:
    data = {"p": {"v": {"0": {"dn": 1}}}}
    assert certlogic.evaluate(var("p.v.0"), data) == {"dn": 1}
    assert certlogic.evaluate(var("p.v.0.dn"), data) == 1


def test_a_date_time_has_no_members() -> None:
    step = {"if": [var("accumulator.x"), 1, 2]}
    assert certlogic.evaluate({"reduce": [[1], step, DATE]}, {}) == 2


STRANGE: list[Any] = [
    MappingProxyType({"p": {"v": [{"dn": 1}]}}),
    {"p": MappingProxyType({"v": [{"dn": 1}]})},
    {"p": {"v": ({"dn": 1},)}},
    {"p": {"v": [MappingProxyType({"dn": 1})]}},
]


@pytest.mark.parametrize("data", STRANGE)
@pytest.mark.parametrize("path", ["p", "p.v", "p.v.0", "p.v.0.dn"])
def test_what_is_not_of_json_is_not_taken_for_missing(path: str, data: Any) -> None:
    """A rule whose guard finds nothing passes: so its guard finds it, or the rule is open."""
    try:
        found = certlogic.evaluate({"if": [var(path), {"===": [var("p.v.0.dn"), 2]}, True]}, data)
    except RuleError as error:
        found = error.code
    assert found in (False, Code.CERTLOGIC_UNDEFINED)


@pytest.mark.parametrize("path", ["a.", ".a", "a..b", ".", "..", "a.b."])
def test_paths_without_a_name_are_invalid(path: str) -> None:
    assert "doesn't have a valid format" in invalid(var(path), {})


@pytest.mark.parametrize("operand", [None, 0, 1, True, ["a"], [], {}, {"var": "a"}, ["a", "default"], 1.5])
def test_var_takes_a_text(operand: Any) -> None:
    invalid({"var": operand}, {"a": 1})


# --- Numbers ---


@pytest.mark.parametrize("operator", ["<", ">", "<=", ">=", "+"])
def test_only_integers_are_ordered(operator: str) -> None:
    values: list[Any] = ["1", "", None, True, False, [], [1], {}, 1.5, float("nan"), float("inf")]
    for value in values:
        undefined({operator: [var("x"), 1]}, {"x": value})
        undefined({operator: [1, var("x")]}, {"x": value})
    undefined({operator: [DATE, DATE]})
    undefined({operator: ["a", "b"]})


def test_integral_floats_are_integers() -> None:
    assert certlogic.evaluate({"<": [var("x"), 3]}, {"x": 2.0}) is True
    found = certlogic.evaluate({"+": [var("x"), 1]}, {"x": 2.0})
    assert (found, type(found)) == (3, int)
    found = certlogic.evaluate(var("x"), {"x": 2.0})
    assert (found, type(found)) == (2, int)
    assert certlogic.evaluate(2.0, {}) == 2
    assert certlogic.evaluate({"<": [1, var("x")]}, {"x": 10**30}) is True


@pytest.mark.parametrize(
    ("operator", "operands", "expected"),
    [
        ("<", (1, 2), True), ("<", (2, 2), False), ("<=", (2, 2), True), (">", (2, 1), True), (">", (2, 2), False),
        (">=", (2, 2), True),
        ("<", (1, 2, 3), True), ("<", (1, 1, 2), False), ("<", (1, 2, 2), False), ("<", (1, 3, 2), False), ("<=",
        (1, 1, 1), True),
        ("<=", (1, 2, 1), False), (">", (3, 2, 1), True), (">", (3, 1, 2), False), (">=", (3, 3, 3), True), (">=",
        (3, 4, 3), False),
        ("<", (-1, 0, 1), True),
    ],
)  # fmt: skip
def test_comparison(operator: str, operands: tuple[int, ...], expected: bool) -> None:
    assert certlogic.evaluate({operator: list(operands)}, {}) is expected
    named = {operator: [var(str(number)) for number in range(len(operands))]}
    assert certlogic.evaluate(named, list(operands)) is expected


def test_all_operands_of_a_comparison_are_evaluated() -> None:
    undefined({"<": [2, 1, var("none")]}, {})
    undefined({"before": [DATE, DATE, var("none")]}, {})
