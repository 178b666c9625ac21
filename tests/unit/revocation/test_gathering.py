"""What an update does to the batches of a list, and what it cannot do to them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from healthcert.errors import Code, RevocationError, Step
from healthcert.limits import DEFAULT_LIMITS
from healthcert.revocation import gathering, spool
from healthcert.revocation.answer import Standing
from healthcert.revocation.batch import Place
from healthcert.revocation.coordinates import Mode
from healthcert.revocation.gathering import Gathering
from healthcert.revocation.ledger import read_batches
from healthcert.revocation.segment import NEVER, Origin
from healthcert.revocation.store import LEDGER
from tests.unit.revocation.world import (
    ALWAYS,
    HOUR,
    KID,
    NOW,
    PLACE,
    SECOND,
    SIGNATURE,
    UVCI,
    World,
    bloom_of,
    code_of,
    key,
    lists,
    overlaid,
    refusal,
    says,
)  # fmt: skip

MOMENT = timedelta(seconds=1)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return World(tmp_path / "store", monkeypatch)


def does(*steps: Callable[[Gathering], object], **more: Any) -> Any:
    def script(into: Gathering, *_: Any) -> Any:
        for step in steps:
            step(into)
        return says(**{"whole": False, **more})

    return script


def adds(batch: str, *numbers: int, origin: Origin = ALWAYS, place: Place = PLACE, mark: str = "") -> Any:
    return lambda into: into.add(batch, place, [key(n, place.type.width) for n in numbers], origin, mark=mark)


def filters_in(batch: str, data: bytes) -> Any:
    return lambda into: into.add_filter(batch, KID, None, "0", data, ALWAYS, bloom=True)


def removes(*numbers: int) -> Any:
    return lambda into: into.remove(PLACE, [key(n) for n in numbers])


def hits(world: World, *among: int) -> set[int]:
    return {number for number in among or range(20) if world.ask(key(number)) is Standing.HIT}


# --- Batches ---


def test_batches_stay_are_replaced_and_withdrawn(world: World) -> None:
    change = world.install(does(adds("a", 1, 2), adds("b", 2, 3), adds("c", 4)))
    assert (change.added, change.withdrawn, change.records) == (3, 0, 5)
    change = world.install(does(adds("a", 5), lambda into: into.withdraw("c"), lambda into: into.withdraw("none")))
    assert (change.added, change.withdrawn, change.records) == (1, 1, 3)
    assert hits(world) == {2, 3, 5}
    assert world.install(does(adds("a", 1), adds("a", 6))).records == 3
    assert hits(world) == {2, 3, 6}


def test_a_whole_list_ends_what_was_neither_kept_nor_added(world: World) -> None:
    world.install(does(adds("a", 1), adds("b", 2), adds("c", 3)))
    world.install(does(adds("a", 4), lambda into: into.keep("b"), lambda into: into.keep("new"), whole=True))
    assert hits(world) == {2, 4}
    assert set(read_batches(world.folder / LEDGER, "one")) == {"a", "b"}


@pytest.mark.parametrize("lay", [True, False])
def test_nothing_is_withdrawn_while_not_all_could_be_had(
    world: World, monkeypatch: pytest.MonkeyPatch, lay: bool
) -> None:
    if lay:
        overlaid(monkeypatch)
    problem = RevocationError(Code.FETCH_FAILED, "cut off", Step.REVOCATION)
    steps = [
        lambda into: into.withdraw("a"),
        lambda into: into.withdraw("b"),
        lambda into: into.withdraw("f"),
        adds("b", 4, mark="new"),
    ]
    modes = {KID: Mode.POINT}
    world.install(
        does(adds("a", 1, 2, mark="m"), adds("b", 3), filters_in("f", bloom_of(bytes(16))), adds("c", 7), modes=modes)
    )
    before = read_batches(world.folder / LEDGER, "one")
    change = world.install(does(*steps, problem=problem, modes=modes))
    # What takes the place of a batch does so; what just goes stays, with all that was remembered of it.
    assert (change.added, change.withdrawn, change.error) == (1, 0, problem)
    assert (hits(world), world.ask(bytes(16)), world.head().records) == ({1, 2, 4, 7}, Standing.POSSIBLE, 4)
    after = read_batches(world.folder / LEDGER, "one")
    assert {name: after[name] for name in "afc"} == {name: before[name] for name in "afc"}
    assert after["b"].mark == "new"
    # With nothing but what goes, nothing has changed.
    generation = world.head().generation
    world.install(does(*steps[:1], whole=True, problem=problem, modes=modes))
    assert (world.head().generation, hits(world)) == (generation, {1, 2, 4, 7})
    change = world.install(does(*steps, modes=modes))
    assert (change.added, change.withdrawn, change.error) == (1, 2, None)
    assert (hits(world), world.ask(bytes(16)), world.head().records) == ({4, 7}, Standing.CLEAR, 2)


def test_what_is_known_of_batches_in_use(world: World) -> None:
    seen: list[Any] = []

    def looks(into: Gathering) -> None:
        seen.append((into.mark("a"), into.mark("b"), into.mark("none"), sorted(into.held()), into.builds))

    world.install(does(looks, adds("a", 1, mark="first"), adds("b", 2)))
    world.install(does(looks))
    world.install(does(looks), incremental=False)
    assert seen == [(None, None, None, [], False), ("first", "", None, ["a", "b"], True), (None, None, None, [], False)]


def test_a_batch_that_fails_leaves_nothing_and_the_old_one_stays(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    overlaid(monkeypatch)
    world.install(does(adds("a", 1, mark="old"), adds("b", 2, origin=Origin(country="FR"))))

    def fails(into: Gathering) -> None:
        def keys() -> Any:
            yield from map(key, range(5, 15))
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            into.add("a", PLACE, keys(), Origin(), mark="new")
        with pytest.raises(RevocationError) as error:
            into.add_each("b", [(PLACE, key(3), Origin()), (PLACE, key(4)[:15], Origin())])
        assert code_of(error) is Code.REVOCATION_LIST_UNREADABLE
        assert into.mark("a") == "old"

    world.install(does(fails, adds("c", 15)))
    assert hits(world) == {1, 2, 15}
    assert world.head().records == 3
    world.install(does(adds("d", 16)))
    assert hits(world) == {1, 2, 15, 16}


@pytest.mark.parametrize(
    "origin",
    [
        Origin(expires=NEVER + 1),
        Origin(before=-NEVER - 1),
        Origin(expires=2**70),
        *(Origin(country=country) for country in ("", "F", "FRA", "fr", "é1", "ÉÉ")),
    ],
    ids=str,
)
def test_an_origin_that_cannot_be_kept_is_refused(world: World, origin: Origin) -> None:
    def tries(into: Gathering) -> None:
        found = [
            refusal(into.add, "a", PLACE, [key(1)], origin),
            refusal(into.add_each, "a", [(PLACE, key(1), origin)]),
            refusal(lambda: into.add_filter("a", KID, None, "0", bloom_of(), origin, bloom=True)),
        ]
        assert found == [Code.REVOCATION_LIST_UNREADABLE] * 3

    world.install(does(tries, adds("b", 2)))
    assert hits(world) == {2}


def test_a_filter_that_is_none_is_refused(world: World) -> None:
    def tries(into: Gathering) -> None:
        for data, bloom in ((b"", True), (bloom_of()[:-1], True), (bloom_of(), False), (b"\0\1", False)):
            with pytest.raises(RevocationError) as error:
                into.add_filter("a", KID, None, "0", data, Origin(), bloom=bloom)
            assert code_of(error) is Code.REVOCATION_LIST_UNREADABLE

    world.install(does(tries))
    assert (world.head().filters, dict(read_batches(world.folder / LEDGER, "one"))) == (0, {})


def test_what_was_skipped_is_told_up_to_a_bound(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathering, "_SKIPPED", 2)
    error = RevocationError(Code.REVOCATION_LIST_UNREADABLE, "odd", Step.REVOCATION)
    change = world.install(does(*(lambda into, n=n: into.skip(str(n), error) for n in range(5))))
    assert [(one.source, one.error) for one in change.skipped] == [("0", error), ("1", error)]
    assert (change.skipped_count, change.added) == (5, 0)


# --- Single identifiers ---


@pytest.mark.parametrize("spill", [1, 3, 1000])
@pytest.mark.parametrize("lay", [True, False])
def test_the_last_word_on_an_identifier_holds(
    world: World, monkeypatch: pytest.MonkeyPatch, spill: int, lay: bool
) -> None:
    if lay:
        overlaid(monkeypatch)
    monkeypatch.setattr(spool, "_SPILL", spill)
    monkeypatch.setattr(spool, "_STRIDE", 1)
    world.install(does(adds("base", *range(10))))
    world.install(does(adds("a", 11, 12), removes(1, 12), adds("b", 1, 13), removes(13, 2), adds("c", 2)))
    assert hits(world) == {*range(10), 11}
    assert world.head().records == 11
    world.install(does(removes(0, 1, 2), removes()))
    assert hits(world) == {*range(3, 10), 11}
    world.install(does(adds("d", 0)))
    assert hits(world) == {0, *range(3, 10), 11}
    assert world.head().records == 9


def test_removing_fails_as_a_whole(world: World) -> None:
    world.install(does(adds("a", 1, 2)))

    def tries(into: Gathering) -> None:
        with pytest.raises(RevocationError) as error:
            into.remove(PLACE, [key(1), key(2)[:15]])
        assert code_of(error) is Code.REVOCATION_LIST_UNREADABLE

    assert world.install(does(tries)).unchanged
    world.install(does(tries, adds("b", 3)))
    assert hits(world) == {1, 2, 3}


def test_an_identifier_is_removed_from_its_place_alone(world: World) -> None:
    elsewhere = Place(SIGNATURE)
    world.install(does(adds("a", 1), adds("b", 1, place=elsewhere)))
    world.install(does(removes(1)))
    assert hits(world) == {1}
    world.install(does(lambda into: into.remove(elsewhere, [key(1)])))
    assert hits(world) == set()
    assert world.head().records == 0


# --- Time ---


def test_what_expired_a_day_ago_is_dropped_and_can_come_again(world: World) -> None:
    short, long = Origin(expires=SECOND), Origin(expires=SECOND + 48 * 3600)
    both = [(PLACE, key(2), short), (PLACE, key(3), long)]
    world.install(does(adds("a", 1, origin=short, mark="m"), lambda into: into.add_each("b", both)))
    assert (hits(world), world.head().records) == ({1, 2, 3}, 3)
    world.now = NOW + 24 * HOUR
    assert hits(world) == {3}
    world.install(does(adds("c", 4)))
    # Until then it does not count, and is held.
    assert (hits(world), world.head().records) == ({3, 4}, 2)
    assert set(read_batches(world.folder / LEDGER, "one")) == {"a", "b", "c"}
    world.now += MOMENT
    world.install(does(adds("c", 4, 5)))
    assert (hits(world), world.head().records) == ({3, 4, 5}, 3)
    # Nothing is left of it, so it is not held.
    assert set(read_batches(world.folder / LEDGER, "one")) == {"b", "c"}
    world.now = NOW
    assert hits(world) == {3, 4, 5}
    world.now = NOW + 25 * HOUR
    world.install(does(adds("a", 1, origin=long, mark="m")))
    assert hits(world) == {1, 3, 4, 5}


@pytest.mark.parametrize("lay", [True, False])
def test_what_has_expired_is_found_by_who_asks_about_an_earlier_moment(
    world: World, monkeypatch: pytest.MonkeyPatch, lay: bool
) -> None:
    if lay:
        overlaid(monkeypatch)
    short = Origin(expires=SECOND + 3600)
    filter_ = bloom_of(bytes(16))
    world.install(
        does(
            adds("a", 1, origin=short),
            adds("b", *range(2, 9)),
            lambda into: into.add_filter("f", KID, None, "0", filter_, short, bloom=True),
            modes={KID: Mode.POINT},
        )
    )
    assert (world.head().records, world.head().filters) == (8, 1)
    world.now += 2 * HOUR
    world.install(does(adds("c", 9), modes={KID: Mode.POINT}))
    assert len(world.store.segments("one")) == (2 if lay else 1)
    assert (world.head().records, world.head().filters) == (8, 0)
    assert (hits(world), world.ask(bytes(16))) == ({*range(2, 10)}, Standing.CLEAR)
    world.now -= HOUR
    assert (hits(world), world.ask(bytes(16))) == ({*range(1, 10)}, Standing.POSSIBLE)
    # What was taken out of use is not there at any moment.
    world.now += HOUR
    world.install(does(lambda into: into.withdraw("a"), modes={KID: Mode.POINT}))
    assert (world.head().records, set(read_batches(world.folder / LEDGER, "one"))) == (8, {"b", "c", "f"})
    world.now -= HOUR
    assert hits(world) == {*range(2, 10)}


def test_what_lingers_takes_room(world: World) -> None:
    few = replace(DEFAULT_LIMITS, revocation_entries=10)
    world.install(does(adds("a", *range(6), origin=Origin(expires=SECOND))), limits=few)
    world.now += HOUR
    assert refusal(lambda: world.install(does(adds("b", *range(6, 11))), limits=few)) is Code.INPUT_TOO_LONG
    world.install(does(adds("b", *range(6, 10))), limits=few)
    assert (hits(world), world.head().records) == ({6, 7, 8, 9}, 4)
    world.now += 24 * HOUR
    world.install(does(adds("c", *range(10, 16))), limits=few)
    assert hits(world) == set(range(6, 16))


def test_the_numbers_of_origins_are_used_again(world: World) -> None:
    for number in range(30):
        world.install(does(adds("a", number), adds("b", number + 1), filters_in("f", bloom_of(bytes((number,))))))
        assert hits(world, number - 1, number, number + 1) == {number, number + 1}
    assert world.store.segments("one")[0].origin_count <= 6


def test_the_numbers_of_origins_behind_an_overlay_are_not_used_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    overlaid(monkeypatch)
    world.install(does(adds("base", *range(100, 200)), adds("a", 1)))
    for number in range(2, 30):
        world.install(does(adds("a", number)))
        assert hits(world, *range(1, 30)) == {number}
        assert world.head().records == 101
        if number < 20:
            assert len(world.store.segments("one")) == 2


# --- Bounds ---


def test_more_identifiers_than_a_list_may_have(world: World) -> None:
    few = replace(DEFAULT_LIMITS, revocation_entries=10)
    world.install(does(adds("a", *range(10))), limits=few)
    for wrong in (does(adds("b", 11)), does(adds("a", *range(11))), does(removes(*range(11)))):
        with pytest.raises(RevocationError) as error:
            world.install(wrong, limits=few)
        assert code_of(error) is Code.INPUT_TOO_LONG
    # What replaces another is not counted with it.
    world.install(does(adds("a", *range(5, 15))), limits=few)
    assert hits(world) == set(range(5, 15))


def test_more_filters_than_a_list_may_have(world: World) -> None:
    size = len(bloom_of())
    few = replace(DEFAULT_LIMITS, revocation_entries=-(-size // 16))

    def filters(*names: str) -> Any:
        return does(*(filters_in(name, bloom_of()) for name in names), modes={KID: Mode.POINT})

    world.install(filters("a"), limits=few)
    with pytest.raises(RevocationError) as error:
        world.install(filters("a", "b"), limits=few)
    assert code_of(error) is Code.INPUT_TOO_LONG


def test_more_batches_than_there_are_numbers(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathering, "TOMBSTONE", 3)
    world.install(does(adds("a", 1), adds("b", 2), adds("c", 3)))
    with pytest.raises(RevocationError) as error:
        world.install(does(adds("d", 4)))
    assert code_of(error) is Code.INPUT_TOO_LONG


def test_more_kids_than_a_segment_may_have(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "MOST_SECTIONS", 2)
    monkeypatch.setattr("healthcert.revocation.writer.MOST_SECTIONS", 2)
    for number in (3, 9):
        many = [adds(str(n), n, place=Place(SIGNATURE, str(n).encode())) for n in range(number)]
        with pytest.raises(RevocationError) as error:
            world.install(does(*many))
        assert code_of(error) is Code.INPUT_TOO_LONG


# --- A damaged segment ---


def test_what_is_damaged_is_not_written_anew(world: World) -> None:
    world.install(does(adds("a", 1, 2), adds("u", 3, place=Place(UVCI))))
    path = world.folder / world.head().files[0].name
    data = path.read_bytes()
    beside = path.with_suffix(".new")
    beside.write_bytes(data.replace(key(1), key(9)))
    beside.replace(path)
    with pytest.raises(RevocationError) as error:
        world.install(does(adds("b", 4)))
    assert code_of(error) is Code.REVOCATION_STORE_UNREADABLE
    # What is read whole needs nothing of it.
    world.install(lists({"a": [key(1)]}), incremental=False)
    assert hits(world) == {1}
    assert world.now == NOW
