"""Cases of CertLogic as rules of a country: HC-RUL-L. Each has several rules, and says what each of them does."""

# ruff: noqa: E501 (one rule a line)

from __future__ import annotations

from typing import Any

from tools.vectors.case import Case
from tools.vectors.press import CLOCK, PAYLOAD, payload, vaccination
from tools.vectors.ruling import FALSE, TRUE, doses, equal, plus, rows, same_moment

_P, _F, _O = "PASSED", "FAIL", "OPEN"
_NULL, _DOB, _DOSES = {"var": "payload.none"}, {"var": "payload.dob"}, {"var": "payload.v.0.dn"}
_UVCI = {"var": "payload.v.0.ci"}


def cases() -> list[Case]:
    """What a rule may say, and what no rule may."""
    return [
        *_truth(),
        *_numbers(),
        *_paths(),
        *_members(),
        *_identifiers(),
        *_sums(),
        *_costly(),
        *_invalid(),
    ]


def _truth() -> list[Case]:
    more = {
        "yes": True,
        "no": False,
        "zero": 0,
        "nil": "",
        "none": [],
        "nothing": {},
        "some": [0],
        "thing": {"a": 0},
        "half": 0.5,
        "one": 1,
        "text": "0",
        "whole": 1.0,
        "naught": 0.0,
    }
    truthy, falsy = (
        ("yes", "some", "thing", "one", "text", "whole"),
        ("no", "zero", "nil", "none", "nothing", "missing", "naught"),
    )

    def value(name: str) -> dict[str, Any]:
        return {"var": f"payload.v.0.more.{name}"}

    return [
        rows(
            "TRUTH", "What is true-like, what is false-like, and what is neither",
            *[({"if": [value(name), True, False]}, _P) for name in truthy], *[({"if": [value(name), True, False]}, _F) for name in falsy],
            *[({"!": [value(name)]}, _F) for name in truthy], *[({"!": [value(name)]}, _P) for name in falsy],
            *[({"!": [{"!": [{"and": [value(name), True]}]}]}, _P) for name in truthy], *[({"!": [{"and": [value(name), True]}]}, _P) for name in falsy],
            ({"if": [value("half"), True, True]}, _O), ({"!": [value("half")]}, _O), ({"and": [True, value("half")]}, _O),
            payload=vaccination(more=more),
        ),
        rows(
            "LAZY", "Only the branch that is taken counts, and of a conjunction nothing after the first that is false-like",
            ({"if": [True, True, {"<": [_DOB, 1]}]}, _P), ({"if": [False, {"<": [_DOB, 1]}, True]}, _P), ({"if": [{"<": [_DOB, 1]}, True, True]}, _O),
            ({"and": [False, {"<": [_DOB, 1]}]}, _F), ({"and": [True, {"<": [_DOB, 1]}]}, _O), ({"and": [{"<": [_DOB, 1]}, False]}, _O),
            ({"and": [TRUE, TRUE, FALSE]}, _F), ({"and": [TRUE, _DOB]}, _O), ({"and": [TRUE, _NULL]}, _O), ({"and": [_DOB, TRUE]}, _P),
        ),
    ]  # fmt: skip


def _numbers() -> list[Case]:
    more = {"whole": 2.0, "half": 2.5, "yes": True, "text": "2", "large": 2**53}

    def value(name: str) -> dict[str, Any]:
        return {"var": f"payload.v.0.more.{name}"}

    return [
        rows(
            "NUMBERS", "Only integers are compared and added; a fraction that is none is one",
            (doses(2), _P), (doses(3), _F), ({"<": [_DOSES, 3]}, _P), ({"<": [_DOSES, 2]}, _F), ({">": [_DOSES, 1]}, _P), ({">": [_DOSES, 2]}, _F),
            ({"<=": [_DOSES, 2]}, _P), ({"<=": [_DOSES, 1]}, _F), ({"<": [1, _DOSES, 3]}, _P), ({"<": [1, _DOSES, 2]}, _F), ({"<": [2, _DOSES, 3]}, _F),
            ({">=": [2, _DOSES, 2]}, _P), ({">=": [2, _DOSES, 3]}, _F), ({"<": [3, _DOSES, _DOB]}, _O),
            ({"===": [{"+": [_DOSES, -1]}, 1]}, _P), ({"===": [{"+": [value("whole"), value("whole")]}, 4]}, _P), ({">=": [value("whole"), 2]}, _P),
            ({"===": [value("whole"), _DOSES]}, _P), ({"===": [value("whole"), 2]}, _P),
            *[({">=": [value(name), 1]}, _O) for name in ("half", "yes", "text", "missing")],
            *[({"===": [{"+": [value(name), 1]}, 3]}, _O) for name in ("half", "yes", "text", "missing")],
            ({"===": [{"+": [1, value("text")]}, 3]}, _O),
            ({"===": [{"+": [value("large"), 1]}, 1]}, _O), ({">": [{"+": [value("large"), 0]}, 1]}, _P),
            payload=vaccination(more=more),
        ),
        rows(
            "EQUAL", "Equal is of one type and the same; arrays and objects are not compared",
            (equal("payload.v.0.dn", 2), _P), (equal("payload.v.0.dn", "2"), _F), (equal("payload.dob", "1984-02-29"), _P), (equal("payload.dob", 1984), _F),
            (equal("payload.none", "x"), _F), ({"===": [_NULL, {"var": "payload.also.none"}]}, _P), ({"===": [_NULL, False]}, _F), ({"===": [_NULL, 0]}, _F),
            ({"===": [True, True]}, _P), ({"===": [True, 1]}, _F), ({"===": [False, 0]}, _F), ({"===": ["", False]}, _F),
            ({"===": [{"var": "payload.nam"}, {"var": "payload.nam"}]}, _O), ({"===": [["a"], ["a"]]}, _O), ({"===": [{"var": "external.valueSets.disease-agent-targeted"}, ["a"]]}, _O),
            ({"===": [{"var": "external.validationClock"}, {"if": [True, CLOCK, ""]}]}, _P), ({"===": [{"var": "external.validationClock"}, {"if": [True, "", CLOCK]}]}, _F), ({"===": [{"var": "payload.nam"}, ["a"]]}, _F),
        ),
    ]  # fmt: skip


def _paths() -> list[Case]:
    more = {"list": ["a", "b"], "0": "zero", "length": {"0": {"x": "y"}}, "deep": {"list": [{"x": "y"}]}}
    at = "payload.v.0.more"
    return [
        rows(
            "PATHS", "What a path leads to, and that what leads nowhere is null",
            *[(equal(path, value), _P) for path, value in (
                ("payload.ver", "1.3.0"), ("payload.nam.fnt", "EXEMPLAIRE"), (f"{at}.list.0", "a"), (f"{at}.list.01", "b"), (f"{at}.0", "zero"),
                (f"{at}.length.0.x", "y"), (f"{at}.deep.list.0.x", "y"), ("payload.v.0.co", "FR"), ("external.countryCode", "FR"),
            )],
            *[({"!": [{"var": path}]}, _P) for path in (
                "nothing", "payload.nothing", "payload.ver.0", "payload.ver.length", "payload.nam.fnt.0", "payload.nam.x", "payload.x.y", "payload.ver.x.y",
                "payload.v.1", "payload.v.1.dn", "payload.v.x", "payload.v.length", "payload.v.0.x", "payload.v.0.dn.x", "payload.t.0", "payload.t.0.sc", "payload.ver.0.x",
                "payload.nam.0", "payload.nam.0.x", f"{at}.list.2", f"{at}.list.-1", f"{at}.list.x", f"{at}.list.1x", f"{at}.list.9999999999", f"{at}.list.²",
                "ver.x", "ver.x.0", "ver.x.0.y", "payload.ver.x", "external.kid.0", "payload.v.0.0", f"{at}.list.0.x", "external.valueSets.disease-agent-targeted.x.y",
            )],
            ({"!": [{"!": [{"var": ""}]}]}, _P), ({"!": [{"!": [{"var": "payload.v.0"}]}]}, _P), ({"!": [{"!": [{"var": "payload.v"}]}]}, _P),
            payload=vaccination(more=more),
        ),
        rows(
            "PATHS-DIGIT", "A number is a name of an object's member, and an index of an array alone",
            (equal("payload.nam.0", "zero"), _P), (equal("payload.nam.1.x", "y"), _P), ({"!": [{"var": "payload.nam.2"}]}, _P), ({"!": [{"var": "payload.nam.1.y"}]}, _P),
            payload=payload(nam=PAYLOAD["nam"] | {"0": "zero", "1": {"x": "y"}}),
        ),
    ]  # fmt: skip


def _members() -> list[Case]:
    sets = {"var": "external.valueSets.disease-agent-targeted"}
    many = {"var": "payload.v.0.more"}
    return [
        rows(
            "MEMBERS", "Membership goes by equality, and only arrays have members",
            ({"in": [{"var": "payload.v.0.tg"}, ["840539006", "x"]]}, _P), ({"in": [{"var": "payload.v.0.tg"}, ["x"]]}, _F), ({"in": [{"var": "payload.v.0.tg"}, []]}, _F),
            ({"in": [{"var": "payload.v.0.tg"}, sets]}, _P), ({"in": ["x", sets]}, _F), ({"in": [_DOSES, sets]}, _F), ({"in": [_NULL, sets]}, _F), ({"in": [{"var": "payload.nam"}, sets]}, _F),
            ({"in": [_DOSES, [1, 2]]}, _P), ({"in": [_DOSES, [1, 3]]}, _F), ({"in": [True, [1]]}, _F), ({"in": [_DOSES, ["2"]]}, _F), ({"in": [_NULL, ["x"]]}, _F),
            ({"in": [{"var": "payload.nam"}, ["x"]]}, _F), ({"in": [_NULL, [{"var": "payload.also.none"}]]}, _P), ({"in": ["b", many]}, _P), ({"in": ["c", many]}, _F),
            ({"in": [2, many]}, _P), ({"in": [True, many]}, _F), ({"in": ["x", [_DOB, "x"]]}, _P), ({"in": [["a"], [["a"]]]}, _O),
            ({"in": ["a", "abc"]}, _O), ({"in": ["fn", {"var": "payload.nam"}]}, _O), ({"in": ["a", _NULL]}, _O), ({"in": ["a", _DOSES]}, _O), ({"in": [{"<": [_DOB, 1]}, ["a"]]}, _O),
            payload=vaccination(more=["a", "b", 2, 1]),
        ),
    ]  # fmt: skip


def _identifiers() -> list[Case]:
    def part(index: int, uvci: Any = _UVCI) -> dict[str, Any]:
        return {"extractFromUVCI": [uvci, index]}

    return [
        rows(
            "UVCI", "Parts of an identifier",
            ({"===": [part(0), "01"]}, _P), ({"===": [part(1), "FR"]}, _P), ({"===": [part(3), "4"]}, _P), ({"!": [part(4)]}, _P), ({"!": [part(-1)]}, _P),
            ({"===": [part(0, "urn:uvci:01"), "urn"]}, _P), ({"===": [part(2, "a::c/#/f"), "c"]}, _P), ({"===": [part(5, "a::c/#/f"), "f"]}, _P),
            ({"===": [part(1, "a::c"), ""]}, _P), ({"===": [part(0, "URN:UVCI:URN:UVCI:x"), "URN"]}, _P), ({"!": [part(0, _NULL)]}, _P),
            ({"!": [part(0, _DOSES)]}, _O), ({"!": [part(0, {"var": "payload.nam"})]}, _O), ({"in": [part(1), ["FR"]]}, _P),
        ),
    ]  # fmt: skip


def _sums() -> list[Case]:
    current, total = {"var": "current"}, {"var": "accumulator"}
    numbers = {"var": "payload.v.0.more.numbers"}

    def reduced(of: Any, step: Any, initial: Any) -> dict[str, Any]:
        return {"reduce": [of, step, initial]}

    added = {"+": [current, total]}
    hundred = {"var": "payload.v.0.more.hundred"}
    inner = reduced({"var": "accumulator.all"}, {"+": [{"var": "accumulator"}, 1]}, 0)
    nested = reduced(hundred, {"+": [total, reduced([1, 2, 3], added, 0)]}, 0)
    return [
        rows(
            "REDUCE", "A reduction sees its item and what was gathered, and nothing else",
            ({"===": [reduced(numbers, added, 0), 6]}, _P), ({"===": [reduced(_NULL, added, 7), 7]}, _P), ({"===": [reduced([], added, 7), 7]}, _P),
            ({"===": [reduced([1, 2], {"+": [total, {"if": [{"var": "payload"}, 5, 1]}]}, 0), 2]}, _P), ({"===": [nested, 600]}, _P),
            (reduced(numbers, {"and": [total, {">": [current, 0]}]}, True), _P), (reduced(numbers, {"and": [total, {">": [current, 1]}]}, True), _F),
            ({"===": [reduced(_DOB, added, 0), 0]}, _O), ({"===": [reduced(_DOSES, added, 0), 0]}, _O), ({"===": [reduced(["a"], added, 0), 0]}, _O),
            ({"===": [reduced(numbers, inner, 0), 0]}, _P),
            (reduced(numbers, {"in": [current, [1, 2, 3]]}, False), _P), (reduced(["URN:UVCI:01:FR"], {"===": [{"extractFromUVCI": [current, 1]}, "FR"]}, False), _P),
            ({"!": [reduced([_NULL], {"extractFromUVCI": [current, 0]}, 1)]}, _P),
            payload=vaccination(more={"numbers": [1, 2, 3], "hundred": [0] * 100}),
        ),
    ]  # fmt: skip


def _costly() -> list[Case]:
    """What takes longer than any real rule is given up; the same with less of it is not."""
    current, gathered = {"var": "current"}, {"var": "accumulator"}
    items = {"var": "payload.v.0.more.items"}
    kept = {"if": [{"reduce": [gathered, current, 0]}, gathered, gathered]}
    looked = {"if": [{"in": [current, gathered]}, gathered, gathered]}
    split = {"if": [{"extractFromUVCI": [gathered, 0]}, gathered, gathered]}
    text = {"var": "payload.v.0.more.text"}

    def costly(name: str, title: str, few: int, many: int, logic: Any, **more: Any) -> list[Case]:
        sizes = (("", many, _O, "too many"), ("-LESS", few, _P, "as many as may be"))
        return [
            rows(
                f"{name}{how}",
                f"{title}: {words}",
                (logic, state),
                payload=vaccination(more={"items": [0] * size} | more),
            )
            for how, size, state, words in sizes
        ]

    return [
        *costly("ITEMS", "Items to reduce", 10_000, 10_001, {"reduce": [items, True, True]}),
        *costly("STEPS", "Reductions within each other", 100, 1000, {"!": [{"!": [{"reduce": [items, kept, items]}]}]}),
        *costly("LOOKED", "Items that are looked through for each other", 100, 2000, {"!": [{"!": [{"reduce": [items, looked, items]}]}]}),
        *costly("SPLIT", "A long text that is taken apart again and again", 10, 100, {"===": [{"reduce": [items, split, text]}, text]}, text="x" * 20_000),
    ]  # fmt: skip


def _invalid() -> list[Case]:
    deep: Any = TRUE
    for _ in range(70):
        deep = {"!": [deep]}
    wrong: tuple[Any, ...] = (
        {"or": [TRUE, TRUE]}, {"==": [1, 1]}, {"!!": [TRUE]}, {"-": [2, 1]}, {"if": [True, True]}, {"if": [True, True, True, True]}, {"!": [TRUE, TRUE]},
        {"and": [TRUE]}, {"===": [1]}, {"===": [1, 1, 1]}, {"in": ["a"]}, {"+": [1]}, {"<": [1]}, {"<": [1, 2, 3, 4]}, {"before": [plus("2021")]},
        {"===": [1.5, 1.5]}, {"===": [None, None]}, {"===": [{}, 1]}, {"===": [{"var": "a", "!": [1]}, 1]}, {"!": []}, {"!": "payload"},
        {"!": [{"var": ["payload"]}]}, {"!": [{"var": "payload."}]}, {"!": [{"var": "a..b"}]}, {"!": [{"var": 0}]},
        same_moment(plus("2021", 1, "week"), plus("2021")), {"after": [{"plusTime": ["2021", "1", "day"]}, plus("2021")]}, {"after": [{"plusTime": ["2021", {"+": [1, 1]}, "day"]}, plus("2021")]},
        {"after": [{"plusTime": [plus("2021"), 1, "day"]}, plus("2021")]}, {"===": [{"extractFromUVCI": [_UVCI, "1"]}, "FR"]}, {"===": [{"reduce": [[1], 1]}, 1]},
        {"===": [9007199254740993, 1]}, deep,
    )  # fmt: skip
    return [
        rows("INVALID", "What is no CertLogic is an error, also where it is never reached", *[(one, _O) for one in wrong], ({"if": [True, True, {"or": [True, True]}]}, _O)),
    ]  # fmt: skip
