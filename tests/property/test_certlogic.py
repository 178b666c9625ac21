"""CertLogic under generated input: as an evaluator says that walks the tree, written from the specification alone.

What comes out is a value or one of the language's own errors, and soon; an expression without issues compiles.
"""

from __future__ import annotations

import calendar
import copy
import json
import re
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import partial
from itertools import pairwise
from time import process_time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from healthcert.errors import Code, RuleError, Step
from healthcert.rules import certlogic

many = settings(derandomize=True, deadline=None, max_examples=300)
few = settings(many, max_examples=100)
CODES = {Code.CERTLOGIC_INVALID, Code.CERTLOGIC_UNDEFINED, Code.CERTLOGIC_LIMIT}
BOUND = 3.0  # seconds

# --- The other evaluator ---


class UndefinedError(Exception):
    """What the specification leaves undefined."""


class Made:
    """A date-time: the microseconds do not matter, its milliseconds do."""

    def __init__(self, moment: datetime) -> None:
        self.moment = moment


def truthy(value: Any) -> bool:
    if isinstance(value, Made) or (isinstance(value, float) and value != int(value)):
        raise UndefinedError
    return not any(value is falsy for falsy in (None, False)) and value not in ("", 0, [], {})


def whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != int(value):
        raise UndefinedError
    return int(value)


def same(one: Any, other: Any) -> bool:
    def kind(value: Any) -> str:
        return {bool: "boolean", int: "number", float: "number"}.get(type(value), type(value).__name__)

    if kind(one) != kind(other):
        return False
    if isinstance(one, (list, dict, Made)):
        raise UndefinedError
    return bool(one == other)


def access(data: Any, path: str) -> Any:
    for step in path.split(".") if path else []:
        if isinstance(data, list):
            data = data[int(step)] if re.fullmatch("[0-9]+", step) and int(step) < len(data) else None
        else:
            data = data.get(step) if isinstance(data, dict) else None
    return data


DATE = re.compile("([0-9]{4})(-([0-9]{2})(-([0-9]{2}))?)?")
ZONE = re.compile("([+-])(?:([0-9]{1,2})|([0-9])([0-9]{2})|([0-9]{2})([0-9]{2})|([0-9]{1,2}):([0-9]{2}))")
TIME = re.compile(r"([0-9]{2}):([0-9]{2}):([0-9]{2})(\.[0-9]+)?(.*)", re.DOTALL)


def day_of(text: str) -> datetime:
    match = DATE.fullmatch(text)
    if not match:
        raise UndefinedError
    year, month = int(match[1]), int(match[3] or 12)
    if not (year >= 1 and 1 <= month <= 12):
        raise UndefinedError
    last = calendar.monthrange(year, month)[1]
    day = int(match[5] or last)
    if not 1 <= day <= last:
        raise UndefinedError
    return datetime(year, month, day, tzinfo=UTC)


def zone_of(text: str) -> timedelta:
    if text in ("", "Z"):
        return timedelta()
    match = ZONE.fullmatch(text)
    if not match:
        raise UndefinedError
    numbers = [int(group) for group in match.groups()[1:] if group is not None]
    hours, minutes = (*numbers, 0)[:2]
    if hours > 23 or minutes > 59:
        raise UndefinedError
    return (1 if match[1] == "+" else -1) * timedelta(hours=hours, minutes=minutes)


def moment_of(text: Any) -> datetime:
    if not isinstance(text, str) or len(text) > 64:
        raise UndefinedError
    day, found, time = text.partition("T")
    if not found:
        return day_of(day)
    match = TIME.fullmatch(time)
    if not match or len(day) != 10:
        raise UndefinedError
    hour, minute, second = (int(match[number]) for number in (1, 2, 3))
    if hour > 23 or minute > 59 or second > 59:
        raise UndefinedError
    fraction = int(((match[4] or ".0")[1:] + "00")[:3])
    try:
        return (
            day_of(day)
            + timedelta(hours=hour, minutes=minute, seconds=second, milliseconds=fraction)
            - zone_of(match[5])
        )
    except OverflowError:
        raise UndefinedError from None


def moved(moment: datetime, amount: int, unit: str) -> datetime:
    """JavaScript: the number of the day stays, and what is too much runs over."""
    try:
        if unit in ("day", "hour"):
            return moment + amount * (timedelta(days=1) if unit == "day" else timedelta(hours=1))
        months = moment.year * 12 + moment.month - 1 + (amount * 12 if unit == "year" else amount)
        return moment.replace(year=months // 12, month=months % 12 + 1, day=1) + timedelta(days=moment.day - 1)
    except (ValueError, OverflowError):
        raise UndefinedError from None


ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "<": lambda a, b: a < b, ">": lambda a, b: a > b, "<=": lambda a, b: a <= b, ">=": lambda a, b: a >= b,
    "before": lambda a, b: a < b, "after": lambda a, b: a > b,
    "not-after": lambda a, b: a <= b, "not-before": lambda a, b: a >= b,
}  # fmt: skip


def walk(expr: Any, data: Any) -> Any:
    if isinstance(expr, list):
        return [walk(one, data) for one in expr]
    if not isinstance(expr, dict):
        return expr
    ((name, operands),) = expr.items()
    if name == "var":
        return access(data, operands)
    if name == "if":
        return walk(operands[1] if truthy(walk(operands[0], data)) else operands[2], data)
    if name == "and":
        for one in operands:
            value = walk(one, data)
            if not truthy(value):
                return value
        return value
    if name == "!":
        return not truthy(walk(operands[0], data))
    if name == "reduce":
        array, accumulator = walk(operands[0], data), walk(operands[2], data)
        if array is not None and not isinstance(array, list):
            raise UndefinedError
        for item in array or []:
            accumulator = walk(operands[1], {"accumulator": accumulator, "current": item})
        return accumulator
    if name == "extractFromUVCI":
        uvci = walk(operands[0], data)
        if uvci is not None and not isinstance(uvci, str):
            raise UndefinedError
        parts = [] if uvci is None else re.split("[/#:]", re.sub("^URN:UVCI:", "", uvci))
        return parts[operands[1]] if 0 <= operands[1] < len(parts) else None
    if name == "plusTime":
        return Made(moved(moment_of(walk(operands[0], data)), operands[1], operands[2]))
    if name == "dccDateOfBirth":
        text = walk(operands[0], data)
        if not isinstance(text, str):
            raise UndefinedError
        return Made(day_of(text))
    values = [walk(one, data) for one in operands]
    if name == "===":
        return same(*values)
    if name == "in":
        if not isinstance(values[1], list):
            raise UndefinedError
        return any(same(item, values[0]) for item in values[1])
    if name == "+":
        return sum(map(whole, values))
    if name in ("<", ">", "<=", ">="):
        values = [whole(value) for value in values]
    elif not all(isinstance(value, Made) for value in values):
        raise UndefinedError
    else:
        values = [value.moment for value in values]
    return all(ORDERS[name](one, other) for one, other in pairwise(values))


def plain(value: Any) -> Any:
    """A value so that what Python takes for equal and JSON does not is told apart."""
    if isinstance(value, Made):
        return ("date-time", value.moment)
    if isinstance(value, certlogic.DateTime):
        return ("date-time", value.moment)
    if isinstance(value, list):
        return [plain(one) for one in value]
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items()}
    if isinstance(value, float) and value == int(value):
        value = int(value)
    return (type(value).__name__, value)


# --- Expressions and data ---

DATES = [
    "2021", "2020-02", "2021-02-29", "2020-02-29", "2021-01-31", "2021-05-04", "1963-00", "0001-01-01",
    "9999-12-31", "2021-05-04T12:00:00",
    "2021-05-04T00:00:00Z", "2021-05-04T02:00:00+02:00", "2021-05-03T22:30:00-130", "2021-05-04T00:00:00.0009Z",
    "2021-05-04T24:00:00Z",
    "0001-01-01T00:00:00+01:00",
]  # fmt: skip
texts = st.sampled_from(["", "a", "b", "1", "true", "URN:UVCI:01:AT:X#Y", "a::c/#/f", *DATES])
numbers = st.integers(-3, 3) | st.sampled_from([2**53, -(2**53), 2**31])
names = st.sampled_from(["a", "b", "c", "0", "1", "current", "accumulator"])
paths = st.just("") | st.lists(names, min_size=1, max_size=4).map(".".join)
json_values = st.recursive(
    st.none() | st.booleans() | numbers | st.sampled_from([1.0, 0.0, 1.5]) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=12,
)
datas = st.dictionaries(names, json_values, max_size=5) | json_values
amounts = st.integers(-40, 40) | st.sampled_from([12_000, -30_000, 10**7])


COMPARISONS = ["before", "after", "not-before", "not-after"]


def named(name: str, operands: list[Any]) -> dict[str, Any]:
    return {name: operands}


def operations(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    dates = st.one_of(
        st.tuples(
            texts | paths.map(lambda path: {"var": path}), amounts, st.sampled_from(["year", "month", "day", "hour"])
        ).map(lambda operands: {"plusTime": list(operands)}),
        inner.map(lambda one: {"dccDateOfBirth": [one]}),
        inner,
    )

    def of(name: str, *operands: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        return st.tuples(*operands).map(lambda values: {name: list(values)})

    return st.one_of(
        st.lists(inner, max_size=3),
        of("if", inner, inner, inner),
        of("!", inner),
        of("===", inner, inner),
        of("in", inner, inner | st.lists(texts, max_size=3)),
        of("+", inner, inner),
        of("reduce", inner | st.lists(inner, max_size=3), inner, inner),
        of("extractFromUVCI", inner, st.integers(-1, 7)),
        st.builds(named, st.just("and"), st.lists(inner, min_size=2, max_size=4)),
        st.builds(named, st.sampled_from(["<", ">", "<=", ">="]), st.lists(inner, min_size=2, max_size=3)),
        st.builds(named, st.sampled_from(COMPARISONS), st.lists(dates, min_size=2, max_size=3)),
        dates,
    )


expressions = st.recursive(
    st.booleans() | numbers | texts | paths.map(lambda path: {"var": path}) | names.map(lambda name: {"var": name}),
    operations,
    max_leaves=15,
)


# Expressions whose operands are nearly always of the type that they should be: most of them have a value.
KINDS: dict[str, st.SearchStrategy[Any]] = {
    "i": st.integers(-3, 3),
    "t": st.sampled_from(["", "a", "b", "URN:UVCI:01:AT:X#Y", "a::c/#/f"]),
    "d": st.sampled_from(["2021", "2020-02", "2020-02-29", "2021-01-31", "2021-05-04T02:00:00+02:00",
                           "2021-05-04T00:00:00.5Z"]),
    "b": st.booleans(),
    "l": st.lists(st.sampled_from(["a", "b", 1, 2, True, None]), max_size=4),
    "n": st.lists(st.integers(-3, 3) | st.just(2.0), max_size=4),
    "z": st.none(),
}  # fmt: skip
typed_data = st.fixed_dictionaries(
    {"x": st.fixed_dictionaries({kind: st.lists(values, min_size=1, max_size=2) for kind, values in KINDS.items()})}
)


def at(kind: str) -> st.SearchStrategy[Any]:
    return st.sampled_from([0, 0, 0, 1]).map(lambda index: {"var": f"x.{kind}.{index}"})


def operation(name: str, *operands: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.tuples(*operands).map(lambda values: {name: list(values)})


def choice(of: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return operation("if", truths, of, of)


leaves = st.booleans() | at("b") | at("z") | at("t") | at("l")
truths: st.SearchStrategy[Any] = leaves | st.deferred(lambda: logical)
whole_numbers: st.SearchStrategy[Any] = st.integers(-3, 3) | at("i") | at("i") | st.deferred(lambda: counted)
some_texts: st.SearchStrategy[Any] = KINDS["t"] | at("t") | st.deferred(lambda: parts)
some_dates = st.tuples(
    at("d") | KINDS["d"], st.integers(-30, 30), st.sampled_from(["year", "month", "day", "hour"])
).map(lambda operands: {"plusTime": list(operands)}) | st.sampled_from(["1964", "1964-02", "2021-05-04"]).map(
    lambda text: {"dccDateOfBirth": [text]}
)
some_arrays = KINDS["l"].map(lambda items: [item for item in items if item is not None]) | at("l") | at("n")
parts: st.SearchStrategy[Any] = operation("extractFromUVCI", some_texts, st.integers(-1, 6)) | choice(some_texts)
counted: st.SearchStrategy[Any] = (
    operation("+", whole_numbers, whole_numbers)
    | choice(whole_numbers)
    | operation("reduce", at("n"), st.just({"+": [{"var": "current"}, {"var": "accumulator"}]}), whole_numbers)
    | operation(
        "reduce", at("l"), st.just({"+": [{"if": [{"var": "current"}, 1, 0]}, {"var": "accumulator"}]}), whole_numbers
    )
)
logical: st.SearchStrategy[Any] = st.one_of(
    operation("!", truths),
    st.builds(named, st.just("and"), st.lists(truths, min_size=2, max_size=4)),
    choice(truths),
    operation("===", some_texts | whole_numbers | truths, some_texts | whole_numbers),
    operation("in", some_texts | whole_numbers, some_arrays),
    st.builds(named, st.sampled_from(["<", ">", "<=", ">="]), st.lists(whole_numbers, min_size=2, max_size=3)),
    st.builds(named, st.sampled_from(COMPARISONS), st.lists(some_dates, min_size=2, max_size=3)),
)


def result(call: Callable[[], Any]) -> Any:
    """What a call returns, or its code; any other exception is the failure of the test."""
    start = process_time()
    try:
        value, step = call(), None
    except RuleError as error:
        value, step = error.code, error.step
    assert process_time() - start < BOUND
    assert step is None or (step is Step.RULES and value in CODES)
    return value


# --- Properties ---


def agreed(expression: Any, data: Any) -> bool:
    """Whether it has a value; that both evaluators say so is checked."""
    assert certlogic.validate(expression) == []
    before = json.dumps([expression, data])
    found = result(lambda: certlogic.evaluate(expression, data))
    assert json.dumps([expression, data]) == before
    if found is Code.CERTLOGIC_LIMIT:  # a sum beyond 2^53
        return False
    try:
        expected = plain(walk(expression, data))
    except UndefinedError:
        assert found is Code.CERTLOGIC_UNDEFINED
        return False
    assert not isinstance(found, Code)
    assert plain(found) == expected
    return True


@many
@given(expressions, datas)
def test_both_evaluators_agree(expression: Any, data: Any) -> None:
    agreed(expression, data)


def test_both_evaluators_agree_on_expressions_that_have_a_value() -> None:
    ended: Counter[bool] = Counter()

    @many
    @given(logical | counted | some_dates, typed_data)
    def compare(expression: Any, data: Any) -> None:
        ended[agreed(expression, data)] += 1

    compare()
    assert ended[True] > ended[False]


@few
@given(expressions | logical, datas | typed_data)
def test_explaining_comes_to_the_same_end(expression: Any, data: Any) -> None:
    found = result(lambda: certlogic.evaluate(expression, data))
    told = result(lambda: certlogic.explain(expression, data))
    if isinstance(found, Code):
        assert told is found
    elif isinstance(found, bool):
        assert all(type(one.held) is bool and one.operands for one in told)
        if isinstance(expression, dict) and next(iter(expression)) in ORDERS:
            assert [one.held for one in told] == [found]


@many
@given(st.data(), expressions)
def test_an_expression_without_issues_compiles_and_no_other(draw: st.DataObject, expression: Any) -> None:
    wrong = mutated(draw, copy.deepcopy(expression))
    issues = certlogic.validate(wrong)
    for issue in issues:
        assert issue.keys() == {"expr", "message"}
        assert issue.message
    compiled = result(lambda: certlogic.compile(wrong))
    if issues:
        assert compiled is Code.CERTLOGIC_INVALID
        assert result(lambda: certlogic.evaluate(wrong, {})) is Code.CERTLOGIC_INVALID
    else:
        assert compiled is Code.CERTLOGIC_LIMIT or isinstance(compiled, certlogic.Program)
    result(lambda: certlogic.data_accesses(wrong))


def mutated(draw: st.DataObject, expression: Any) -> Any:
    """The expression with something else in one of its places."""
    places: list[tuple[Any, Any]] = []
    open_ = [expression]
    while open_:
        one = open_.pop()
        keys = range(len(one)) if isinstance(one, list) else one if isinstance(one, dict) else ()
        for key in keys:
            places.append((one, key))
            open_.append(one[key])
    if not places:
        return expression
    holder, key = draw.draw(st.sampled_from(places))
    match draw.draw(st.integers(0, 4)):
        case 0:
            holder[key] = draw.draw(json_values)
        case 1:
            del holder[key]
        case 2 if isinstance(holder, dict):
            holder[draw.draw(st.sampled_from(["or", "==", "map", "", "If", *ORDERS]))] = holder.pop(key)
        case 2 | 3 if isinstance(holder, list):
            holder.append(draw.draw(json_values))
        case _:
            holder[key] = [holder[key]]
    return expression


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.binary(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner)
        | st.dictionaries(
            st.sampled_from(["var", "if", "and", "!", "in", "+", "<", "reduce", "plusTime", "before"])
            | st.text(max_size=3),
            inner,
            max_size=2,
        )
    ),
    max_leaves=20,
)


@many
@given(anything, anything)
def test_anything_ends_in_a_value_or_an_error_of_the_language(expression: Any, data: Any) -> None:
    result(lambda: certlogic.evaluate(expression, data))
    result(lambda: certlogic.validate(expression))
    result(lambda: certlogic.data_accesses(expression))
    result(lambda: certlogic.explain(expression, data))


@few
@given(expressions, anything)
def test_any_data(expression: Any, data: Any) -> None:
    result(lambda: certlogic.evaluate(expression, data))


@settings(many, max_examples=60)
@given(st.integers(1, 4), st.sampled_from([1, 30, 300, 3000]), expressions, st.integers(0, 3))
def test_reductions_within_each_other_end_soon(depth: int, length: int, step: Any, grow: int) -> None:
    kept: Any = [
        [{"var": "accumulator"}],
        [{"var": "accumulator"}, {"var": "accumulator"}],
        step,
        {"var": "accumulator"},
    ][grow]
    expression: Any = {"reduce": [{"var": "current"}, kept, 0]}
    for _ in range(depth):
        expression = {"reduce": [{"var": "current"}, expression, 0]}
    data: Any = [1] * length
    for _ in range(depth):
        data = [data] * length
    result(lambda: certlogic.evaluate(expression, {"current": data}))


# --- Dates ---

near_dates = st.tuples(
    st.sampled_from(["2021", "2020", "1900", "0001", "0000", "9999", "20", "10000", "٢٠٢١"])
    | st.integers(0, 9999).map("{:04}".format),
    st.just("") | st.integers(0, 13).map("-{:02}".format),
    st.just("") | st.integers(0, 32).map("-{:02}".format),
    st.just("")
    | st.tuples(st.integers(0, 24), st.integers(0, 60), st.integers(0, 60)).map(
        lambda time: "T{:02}:{:02}:{:02}".format(*time)
    ),
    st.sampled_from(["", "", "", ".", ".0", ".9", ".12", ".999", ".0009", ".9999999999", ".1x"]),
    st.sampled_from(
        ["", "Z", "z", "\n", " ", "+", "+00:00", "-00:00", "+1", "-1:30", "+130", "+0130", "+23:59", "+24:00"]
    )
    | st.sampled_from(["-23:60", "+1:3", "+00001", "-12", "+2:00"]),
).map("".join)


near_dates |= st.datetimes().map(datetime.isoformat) | st.dates().map(date.isoformat)
near_dates |= st.text("0123456789-T:Z.+ ", max_size=25)


@many
@given(near_dates, amounts, st.sampled_from(["year", "month", "day", "hour"]))
def test_dates_are_read_and_moved_as_by_another_reading(text: str, amount: int, unit: str) -> None:
    for operation in ({"plusTime": [text, 0, unit]}, {"plusTime": [text, amount, unit]}, {"dccDateOfBirth": [text]}):
        found = result(partial(certlogic.evaluate, operation, {}))
        try:
            expected = walk(operation, {})
        except UndefinedError:
            assert found is Code.CERTLOGIC_UNDEFINED
        else:
            assert found.moment == expected.moment
            assert found.moment.microsecond % 1000 == 0


@few
@given(st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1)), st.integers(-23 * 60, 23 * 60))  # noqa: DTZ001
def test_one_instant_in_another_zone(local: datetime, minutes: int) -> None:
    moment = local.replace(tzinfo=UTC, microsecond=local.microsecond // 1000 * 1000)
    sign, offset = ("-" if minutes < 0 else "+"), abs(minutes)
    there = (moment + timedelta(minutes=minutes)).replace(tzinfo=None).isoformat(timespec="milliseconds")
    written = [f"{there}{sign}{offset // 60:02}{colon}{offset % 60:02}" for colon in (":", "")]
    for text in written:
        both = [
            {"plusTime": [one, 0, "day"]}
            for one in (text, moment.replace(tzinfo=None).isoformat(timespec="milliseconds"))
        ]
        assert certlogic.evaluate({"and": [{"not-before": both}, {"not-after": both}]}, {}) is True
        assert certlogic.evaluate({"after": both}, {}) is False


@pytest.mark.parametrize("unit", ["month", "year"])
def test_every_day_of_some_years_moved_by_months(unit: str) -> None:
    for first in (date(1999, 12, 1), date(2023, 12, 1)):
        for day in (first + timedelta(days=number) for number in range(460)):
            for amount in (-25, -12, -1, 1, 2, 11, 12, 13):
                found = certlogic.evaluate({"plusTime": [day.isoformat(), amount, unit]}, {})
                assert found.moment == moved(datetime(day.year, day.month, day.day, tzinfo=UTC), amount, unit)
