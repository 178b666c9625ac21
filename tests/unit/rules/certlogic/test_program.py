"""Evaluation: what is reached and what is not, errors, and how much an expression may cost."""

from __future__ import annotations

import inspect
import sys
import threading
from collections.abc import Callable
from time import process_time
from typing import Any

import pytest

from healthcert.errors import Code, RuleError
from healthcert.rules import certlogic
from healthcert.rules.certlogic.bounds import DEPTH, ITEMS, NODES, STEPS
from tests.unit.rules.certlogic.raising import limited, undefined, var

WRONG = {"+": ["not", "integers"]}
DATE = {"plusTime": ["2021-05-04", 0, "day"]}
SUM = {"+": [var("accumulator"), var("current")]}
BOUND = 2.0  # seconds that an evaluation may take: twice what it takes at most where the bounds were chosen


def end(call: Callable[..., Any], *args: Any) -> Code | None:
    """The code of the error that a call ends with; None where it returns."""
    try:
        call(*args)
    except RuleError as error:
        return error.code
    return None


# --- What is reached ---


def test_only_one_branch_is_evaluated() -> None:
    assert certlogic.evaluate({"if": [True, "then", WRONG]}, {}) == "then"
    assert certlogic.evaluate({"if": [False, WRONG, "else"]}, {}) == "else"
    undefined({"if": [WRONG, 1, 2]})
    undefined({"if": [True, WRONG, 2]})


def test_and_stops_at_the_first_falsy_operand() -> None:
    falsies: list[Any] = [False, 0, "", [], {"var": "none"}]
    for falsy in falsies:
        assert certlogic.evaluate({"and": [1, falsy, WRONG]}, {}) == certlogic.evaluate(falsy, {})
    undefined({"and": [1, WRONG, False]})
    undefined({"and": [True, True, WRONG]})


@pytest.mark.parametrize("name", ["===", "in", "+", "<"])
def test_both_operands_are_evaluated(name: str) -> None:
    undefined({name: [WRONG, 1]})
    undefined({name: [1, WRONG]})
    undefined({name: [WRONG, "text"]})
    undefined({name: [WRONG, ["text"]]})


def test_arrays_are_evaluated() -> None:
    assert certlogic.evaluate([1, var("x"), [{"!": [var("x")]}]], {"x": 2}) == [1, 2, [False]]
    undefined([1, WRONG])


def test_any_value_may_come_out() -> None:
    data = {"x": {"y": [1, None]}}
    assert certlogic.evaluate(var("x"), data) == {"y": [1, None]}
    assert certlogic.evaluate(var("z"), data) is None
    assert type(certlogic.evaluate(DATE, data)) is certlogic.DateTime
    assert certlogic.evaluate([DATE], data) == [certlogic.DateTime(1620086400000)]


# --- Null ---


def test_null_is_passed_on_by_three_operations_only() -> None:
    null = var("none")
    assert certlogic.evaluate(null, {}) is None
    assert certlogic.evaluate(var("none.further"), {}) is None
    assert certlogic.evaluate({"extractFromUVCI": [null, 1]}, {}) is None
    assert certlogic.evaluate({"reduce": [null, WRONG, "start"]}, {}) == "start"
    for expression in (
        {"<": [null, 1]}, {"<": [1, null]}, {"+": [null, 1]}, {"in": [1, null]}, {"in": [null, null]},
        {"plusTime": [null, 1, "day"]},
        {"dccDateOfBirth": [null]}, {"before": [null, DATE]}, {"not-after": [DATE, null]},
    ):  # fmt: skip
        undefined(expression, {})
    assert certlogic.evaluate({"===": [null, null]}, {}) is True
    assert certlogic.evaluate({"in": [null, [null]]}, {}) is True
    assert certlogic.evaluate({"!": [null]}, {}) is True


# --- extractFromUVCI ---


@pytest.mark.parametrize(
    ("uvci", "parts"),
    [
        (
            "URN:UVCI:01:AT:858CC18CFCF5965EF82F60E493349AA5#K",
            ["01", "AT", "858CC18CFCF5965EF82F60E493349AA5", "K", None],
        ),
        ("a::c/#/f", ["a", "", "c", "", "", "f", None]),
        ("", ["", None]),
        ("URN:UVCI:", ["", None]),
        ("URN:UVCI:URN:UVCI:x", ["URN", "UVCI", "x", None]),
        ("urn:uvci:x", ["urn", "uvci", "x", None]),
        ("URN:UCI:x", ["URN", "UCI", "x", None]),
        (" URN:UVCI:x", [" URN", "UVCI", "x", None]),
        ("a\nb:c", ["a\nb", "c", None]),
        ("/", ["", "", None]),
    ],
)
def test_parts_of_a_uvci(uvci: str, parts: list[str | None]) -> None:
    found = [certlogic.evaluate({"extractFromUVCI": [var(""), index]}, uvci) for index in range(len(parts))]
    assert found == parts
    for index in (-1, -2, 100, 10**30):
        assert certlogic.evaluate({"extractFromUVCI": [var(""), index]}, uvci) is None


@pytest.mark.parametrize("value", [True, False, 0, 1.5, [], ["a"], {}])
def test_only_a_text_has_parts(value: Any) -> None:
    undefined({"extractFromUVCI": [var("x"), 0]}, {"x": value})


def test_the_older_name_is_no_operator() -> None:
    assert certlogic.validate({"extractFromUCI": ["a", 0]})


# --- reduce ---


def test_reduce() -> None:
    assert certlogic.evaluate({"reduce": [var("x"), SUM, 0]}, {"x": [1, 2, 3]}) == 6
    assert certlogic.evaluate({"reduce": [[], WRONG, "start"]}, {}) == "start"
    listed = {"reduce": [var("x"), [var("accumulator"), var("current")], 0]}
    assert certlogic.evaluate(listed, {"x": [1, 2]}) == [[0, 1], 2]
    inner = {"reduce": [var("current"), SUM, var("accumulator")]}
    assert certlogic.evaluate({"reduce": [var("x"), inner, 0]}, {"x": [[1, 2], [3]]}) == 6
    found = certlogic.evaluate({"reduce": [var("x"), var("current"), DATE]}, {"x": [1.0]})
    assert (found, type(found)) == (1, int)


def test_the_lambda_sees_two_things() -> None:
    data = {"x": [1], "outer": 7, "payload": {"v": [1]}}
    assert certlogic.evaluate({"reduce": [var("x"), var(""), 0]}, data) == {"current": 1, "accumulator": 0}
    for path in ("outer", "x", "data", "payload.v.0", "payload.v"):
        assert certlogic.evaluate({"reduce": [var("x"), var(path), 0]}, data) is None
    # The initial value and the array read the data outside.
    assert certlogic.evaluate({"reduce": [[var("outer")], SUM, var("outer")]}, data) == 14
    nested = {"reduce": [[1], {"reduce": [[2], var(""), var("current")]}, 0]}
    assert certlogic.evaluate(nested, data) == {"current": 2, "accumulator": 1}


@pytest.mark.parametrize("value", [True, 0, 1, "abc", "", {}, {"a": 1}, 1.5])
def test_only_an_array_is_reduced(value: Any) -> None:
    undefined({"reduce": [var("x"), var("current"), 0]}, {"x": value})


def test_an_error_in_any_part_of_a_reduction() -> None:
    for expression in (
        {"reduce": [WRONG, 1, 2]},
        {"reduce": [[1], WRONG, 2]},
        {"reduce": [[], 1, WRONG]},
        {"reduce": [DATE, 1, 2]},
    ):
        undefined(expression, {})


# --- What it may cost ---


def test_length_of_a_reduced_array() -> None:
    count = {"reduce": [var("x"), {"+": [var("accumulator"), 1]}, 0]}
    assert certlogic.evaluate(count, {"x": [0] * ITEMS}) == ITEMS
    limited(count, {"x": [0] * (ITEMS + 1)})


def counting(side: int) -> tuple[Any, Any]:
    inner = {"reduce": [var("current"), {"+": [var("accumulator"), 1]}, var("accumulator")]}
    return {"reduce": [var("x"), inner, 0]}, {"x": [[0] * side] * side}


def test_reductions_within_each_other_are_counted_together() -> None:
    expression, data = counting(200)
    assert certlogic.evaluate(expression, data) == 200 * 200
    expression, data = counting(2000)
    limited(expression, data)
    # What one evaluation used up is there again for the next.
    program = certlogic.compile(counting(200)[0])
    for _ in range(20):
        assert program(counting(200)[1]) == 40_000


DEAREST: list[Any] = [
    {"dccDateOfBirth": ["2020-02"]},
    {"plusTime": ["2020-02-01T00:00:00.000+01:00", 1, "month"]},
    {"not-after": [{"plusTime": ["2020-02-01T00:00:00.000+01:00", 1, "month"]}] * 3},
    {"in": [1, [True, {"var": "current"}, {"var": "none"}]]},
    {"in": [{"var": "current"}, {"var": "accumulator"}]},
    {"extractFromUVCI": ["a:b:c:d:e:f:g:h:i:j:k:l:m:n:o:p", 3]},
    {"===": [{"var": "current.a.b.c"}, {"var": "accumulator.1.2.3"}]},
    {"if": [{"!": [{"+": [1, 2]}]}, 1, [[[[]]]]]},
    {"<": [{"reduce": [[1], 1, 1]}, 2]},
]


@pytest.mark.parametrize("operation", DEAREST, ids=lambda one: next(iter(one)))
def test_an_evaluation_ends_soon(operation: Any) -> None:
    """As much of each operation as the bound allows, and one more."""
    inner: Any = {"reduce": [var("current"), {"if": [{"and": [True, operation]}, [1], [1]]}, [1]]}
    if next(iter(operation)) in ("plusTime", "dccDateOfBirth"):
        inner = {"reduce": [var("current"), operation, 0]}
    program = certlogic.compile({"reduce": [var("x"), inner, 0]})
    ended = set()
    for side in (10, 50, 100, 150, 200, 300, 500, 1000, 5000):
        start = process_time()
        ended.add(end(program, {"x": [list(range(side))] * side}))
        assert process_time() - start < BOUND
    assert ended == {None, Code.CERTLOGIC_LIMIT}


def test_long_paths_are_counted() -> None:
    """A path may have as many steps as the rule is long, and an accumulator as deep be made to walk it."""
    path = ".".join(["accumulator", *["0"] * 20_000])
    deeper = {"if": [var(path), [var("accumulator")], [var("accumulator")]]}
    start = process_time()
    limited({"reduce": [var("x"), deeper, 1]}, {"x": [0] * 10_000})
    assert process_time() - start < BOUND


def test_items_that_are_looked_through_are_counted() -> None:
    data = {"x": [[0] * 5000] * 5000}
    start = process_time()
    limited({"reduce": [var("x"), {"in": [1, var("current")]}, 0]}, data)
    long = {"x": ["a:" * 100_000] * 100}
    limited({"reduce": [var("x"), {"extractFromUVCI": [var("current"), 1]}, 0]}, long)
    assert process_time() - start < BOUND
    # Outside of reductions an array is looked through once for each time that the rule says so.
    assert certlogic.evaluate({"in": [1, var("x")]}, {"x": [0] * STEPS}) is False


def test_values_that_double() -> None:
    doubled = {"reduce": [var("x"), [var("accumulator"), var("accumulator")], 0]}
    assert certlogic.evaluate(doubled, {"x": [0, 0]}) == [[0, 0], [0, 0]]
    start = process_time()
    for items in (20, 60, 1000, ITEMS):
        limited(doubled, {"x": [0] * items})
    assert process_time() - start < BOUND
    # A value that large may be made where none of it comes out.
    assert certlogic.evaluate({"!": [doubled]}, {"x": [0] * 1000}) is False


def test_values_that_deepen() -> None:
    deeper = {"reduce": [var("x"), [var("accumulator")], 0]}
    found = certlogic.evaluate(deeper, {"x": [0] * DEPTH})
    for _ in range(DEPTH):
        (found,) = found
    assert found == 0
    limited(deeper, {"x": [0] * (DEPTH + 1)})
    limited(deeper, {"x": [0] * ITEMS})
    assert certlogic.evaluate({"if": [deeper, "there", ""]}, {"x": [0] * ITEMS}) == "there"


def test_values_that_lengthen() -> None:
    longer = {"reduce": [var("x"), [var("accumulator"), 1, 2, 3], 0]}
    limited(longer, {"x": [0] * ITEMS})
    assert len(certlogic.evaluate([var("x")] * 2, {"x": [0] * (2 * NODES)})) == 2


def test_sums_are_bounded() -> None:
    data = {"x": 2**53 - 1, "y": -(2**53)}
    assert certlogic.evaluate({"+": [var("x"), 1]}, data) == 2**53
    assert certlogic.evaluate({"+": [var("y"), 0]}, data) == -(2**53)
    limited({"+": [var("x"), 2]}, data)
    limited({"+": [var("y"), -1]}, data)
    doubling = {"reduce": [var("x"), {"+": [var("accumulator"), var("accumulator")]}, 1]}
    limited(doubling, {"x": [0] * 5000})


# --- Where it runs ---


def at_depth(frames: int, call: Callable[[], Any]) -> Any:
    return call() if frames <= 0 else at_depth(frames - 1, call)


@pytest.mark.parametrize("operation", ["validate", "compile", "evaluate", "run", "explain"])
def test_called_from_deep_within(operation: str) -> None:
    """Whatever is left of the stack: a value, or the one error."""
    expression: Any = {"===": [{"var": "x"}, {"+": [1, 0]}]}
    for _ in range(DEPTH // 2 - 3):
        expression = {"and": [expression, True]}
    ready = certlogic.compile(expression)
    calls: dict[str, Callable[[], Any]] = {
        "validate": lambda: certlogic.validate(expression),
        "compile": lambda: certlogic.compile(expression),
        "evaluate": lambda: certlogic.evaluate(expression, {"x": 1}),
        "run": lambda: ready({"x": 1}),
        "explain": lambda: certlogic.explain(expression, {"x": 1}),
    }
    room = sys.getrecursionlimit() - len(inspect.stack())
    ended = {end(at_depth, room - left, calls[operation]) for left in (*range(20, 140, 3), *range(140, room - 20, 20))}
    assert ended == {None, Code.CERTLOGIC_LIMIT}


def test_one_program_in_many_threads() -> None:
    program = certlogic.compile(counting(1)[0])
    found: dict[int, Any] = {}

    def run(side: int) -> None:
        for _ in range(5):
            try:
                found[side] = program({"x": [[0] * side] * side})
            except RuleError as error:
                found[side] = error.code

    threads = [threading.Thread(target=run, args=(side,)) for side in (10, 50, 100, 150, 200, 1000, 5000)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    counted = {side: side**2 for side in (10, 50, 100, 150, 200)}
    assert found == counted | dict.fromkeys((1000, 5000), Code.CERTLOGIC_LIMIT)


def test_data_are_not_changed() -> None:
    data = {"x": [1, {"y": 2.0}], "d": "2021-05-04"}
    before = repr(data)
    expression = {"reduce": [var("x"), [var("accumulator"), var("current"), var("accumulator.0")], var("")]}
    certlogic.evaluate(expression, data)
    certlogic.evaluate({"plusTime": [var("d"), 1, "day"]}, data)
    assert repr(data) == before


def test_errors_tell_nothing_of_the_data() -> None:
    secret = "Mustermann 1964-08-12"
    for expression in (
        {"plusTime": [var("x"), 0, "day"]}, {"dccDateOfBirth": [var("x")]}, {"<": [var("x"), 1]},
        {"+": [var("x"), 1]}, {"in": [1, var("x")]},
        {"reduce": [var("x"), 1, 1]}, {"before": [var("x"), DATE]}, {"if": [var("y"), 1, 1]},
    ):  # fmt: skip
        said = undefined(expression, {"x": secret, "y": 19640812.5})
        assert "Muster" not in said
        assert "1964" not in said
