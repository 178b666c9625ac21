"""What a list is held against before it is taken into use, at each bound and one beyond."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from healthcert.errors import Code, RevocationError
from healthcert.lists.anchors import Environment
from healthcert.revocation import guards
from healthcert.revocation.ledger import File, Head, Memory, State
from tests.unit.revocation.world import ANCHOR, HOUR, NOW, code_of, refusal, says

MOMENT = timedelta(seconds=1)


def head(**more: Any) -> Head:
    files = (File("a.hcrev", 1, b""),)
    own = {"source": "one", "format": "it", "generation": 1, "files": files, "fetched_at": NOW, "loaded_at": NOW}
    return Head(**{**own, **more})


@pytest.mark.parametrize("own", Environment)
def test_environments_are_kept_apart(own: Environment) -> None:
    for environment in Environment:
        found = refusal(guards.check_environment, State({}, {}, own), environment)
        assert found is (None if environment is own else Code.ENVIRONMENT_MIXED)
    assert refusal(guards.check_environment, State({}, {}), own) is None


def test_a_name_is_of_one_format() -> None:
    assert refusal(guards.check_format, None, "it") is None
    assert refusal(guards.check_format, head(), "it") is None
    assert refusal(guards.check_format, head(), "fr") is Code.REVOCATION_CONFIG_INVALID


@pytest.mark.parametrize("signer", ["an anchor", None])
def test_a_clock_before_the_newest_signed_list_is_behind(signer: str | None) -> None:
    state = State({"a": head(issued_at=NOW, signer=signer), "b": head(signer=signer)}, {})
    edge = NOW - guards.CLOCK_SKEW
    assert refusal(guards.check_clock, state, edge) is None
    assert refusal(guards.check_clock, state, edge - MOMENT) is (Code.CLOCK_BEHIND if signer else None)
    assert refusal(guards.check_clock, State({}, {}), edge) is None


def test_a_list_that_has_ended_or_is_from_the_future() -> None:
    edge = guards.CLOCK_SKEW
    for offset, expected in ((-edge, None), (-edge - MOMENT, Code.REVOCATION_LIST_EXPIRED), (HOUR, None)):
        assert refusal(guards.check_time, says(expires_at=NOW + offset), NOW) is expected
    for offset, expected in ((edge, None), (edge + MOMENT, Code.CLOCK_BEHIND), (-HOUR, None)):
        assert refusal(guards.check_time, says(issued_at=NOW + offset), NOW) is expected
    assert refusal(guards.check_time, says(), NOW) is None


@pytest.mark.parametrize(
    ("memory", "new", "expected"),
    [
        ({}, {"counter": 1, "signed": b"a"}, None),
        ({"highest": 5, "at_highest": b"a"}, {"counter": 6, "signed": b"b"}, None),
        ({"highest": 5, "at_highest": b"a"}, {"counter": 5, "signed": b"a"}, None),
        ({"highest": 5, "at_highest": b"a"}, {"counter": 5, "signed": b"b"}, Code.REVOCATION_LIST_EQUIVOCATES),
        ({"highest": 5, "at_highest": b"a"}, {"counter": 5}, None),
        ({"highest": 5}, {"counter": 5, "signed": b"b"}, None),
        ({"highest": 5, "at_highest": b"a"}, {"counter": 4, "signed": b"c"}, Code.REVOCATION_LIST_ROLLED_BACK),
        ({"highest": 0}, {"signed": b"c"}, Code.REVOCATION_LIST_ROLLED_BACK),
        ({"superseded": (b"x", b"a")}, {"signed": b"a"}, Code.REVOCATION_LIST_ROLLED_BACK),
        ({"superseded": (b"x", b"a")}, {"signed": b"b"}, None),
        ({"superseded": (b"x", b"")}, {}, None),
    ],
    ids=str,
)
def test_the_order_of_lists(memory: dict[str, Any], new: dict[str, Any], expected: Code | None) -> None:
    assert refusal(guards.check_order, Memory(**memory), says(**new)) is expected


@pytest.mark.parametrize(
    ("before", "after", "most", "allowed"),
    [(0, 0, 0.0, True), (100, 100, 0.0, True), (0, 100, 0.0, True), (1, 0, 0.0, True),
     # So many as one batch may go, whatever part that is.
     (1000, 0, 0.0, True), (1001, 0, 0.0, False), (1001, 0, 0.25, False), (1001, 0, 1.0, True),
     (5000, 4000, 0.0, True), (5000, 3999, 0.0, False),
     # Of a longer list it is the part that counts.
     (5000, 3750, 0.25, True), (5000, 3749, 0.25, False), (5000, 0, 1.0, True)],
)  # fmt: skip
def test_how_many_entries_may_be_lost(before: int, after: int, most: float, allowed: bool) -> None:
    assert refusal(guards.check_loss, before, after, most) is (None if allowed else Code.REVOCATION_LIST_SHRANK)


def test_what_is_remembered_of_a_list_that_is_accepted() -> None:
    old = Memory(highest=4, at_highest=b"four", superseded=(b"one",), validators={"u": "1"}, error=(0, Code.OK, ""))
    new = says(counter=5, signed=b"five", signer=ANCHOR, validators={"u": "2", "v?token=x": "3"}, state={"at": "5"})
    current = head(signed=b"four", signer=ANCHOR.fingerprint, counter=4)
    found = guards.after(old, current, new)
    assert found == Memory(
        highest=5, at_highest=b"five", superseded=(b"one", b"four"), validators={"u": "2"}, state={"at": "5"}
    )
    assert guards.after(found, replace(current, signed=b"five"), new).superseded == (b"one", b"four")
    # The bytes of a list that nobody signed may honestly come again.
    assert guards.after(old, replace(current, signer=None), new).superseded == (b"one",)
    assert guards.after(old, current, says(counter=5, signed=b"five")).superseded == (b"one",)


def test_no_more_replaced_lists_are_remembered_than_needed() -> None:
    memory = Memory(superseded=tuple(bytes((number,)) for number in range(64)))
    current = head(signed=b"last", signer=ANCHOR.fingerprint)
    found = guards.after(memory, current, says(signed=b"new", signer=ANCHOR)).superseded
    assert (len(found), found[0], found[-1]) == (64, b"\1", b"last")


def test_of_a_list_that_is_not_complete_only_its_own_notes_are_remembered() -> None:
    old = Memory(highest=4, at_highest=b"four", superseded=(b"one",), validators={"u": "1"}, state={"at": "4"})
    problem = RevocationError(Code.FETCH_FAILED, "cut off")
    new = says(counter=5, signed=b"five", signer=ANCHOR, validators={"u": "2"}, state={"at": "5"}, problem=problem)
    found = guards.after(old, head(signed=b"four", signer=ANCHOR.fingerprint), new)
    assert found == replace(old, validators={}, state={"at": "5"})
    with pytest.raises(RevocationError) as error:
        guards.check_order(replace(old, superseded=(b"five",)), replace(new, counter=5))
    assert code_of(error) is Code.REVOCATION_LIST_ROLLED_BACK
