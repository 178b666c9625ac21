"""How lists are taken into use: what is refused, what is remembered, and that an error leaves everything as it was."""

from __future__ import annotations

import multiprocessing
import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

import healthcert as hc
from healthcert.errors import Code, FetchError, HealthCertError, RevocationError, Step, TrustError
from healthcert.lists.anchors import Environment, TrustAnchor
from healthcert.revocation import folder as folders
from healthcert.revocation import guards, installing, ledger
from healthcert.revocation.answer import Standing
from healthcert.revocation.batch import Held
from healthcert.revocation.feed import RevocationFeed
from healthcert.revocation.files import Given
from healthcert.revocation.gathering import Gathering
from healthcert.revocation.ledger import Memory
from healthcert.revocation.segment import Origin
from healthcert.revocation.sources import registry
from healthcert.revocation.sources.protocol import Context, Known
from healthcert.revocation.store import LEDGER, RevocationStore
from healthcert.revocation.update import install_revocations, remove_revocations, update_revocations
from tests.unit.revocation.world import (
    ANCHOR,
    HOUR,
    NOW,
    OTHER_KID,
    PLACE,
    SECOND,
    UVCI,
    World,
    code_of,
    key,
    lists,
    no_network,
    overlaid,
    says,
    subject,
)  # fmt: skip

FAILURE = RevocationError(Code.FETCH_FAILED, "cut off", Step.REVOCATION)
SIGNED: dict[str, Any] = {"signer": ANCHOR}
PINNED: dict[str, Any] = {"anchors": (ANCHOR,)}


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return World(tmp_path / "store", monkeypatch)


def refused(world: World, script: Any, **more: Any) -> Code:
    """The code that a list is refused with; everything is then as it was."""
    path = world.folder / LEDGER
    before, files = (
        (path.read_bytes() if path.exists() else b"", world.ledger() if path.exists() else ()),
        world.files(),
    )
    with pytest.raises(RevocationError) as error:
        world.install(script, **more)
    assert (path.read_bytes() if path.exists() else b"", world.ledger() if path.exists() else ()) == before
    assert world.files() == files
    assert not [one for one in world.folder.iterdir() if one.name.startswith(".update-")]
    return code_of(error)


# --- Held against the past ---


def test_an_older_list_another_one_of_its_number_and_one_without_are_refused(world: World) -> None:
    world.install(lists({"a": [key(1)]}, counter=5, signed=b"five"))
    world.install(lists({"a": [key(2)]}, counter=6, signed=b"six"))
    rolled, twice = Code.REVOCATION_LIST_ROLLED_BACK, Code.REVOCATION_LIST_EQUIVOCATES
    for force in (False, True):
        assert refused(world, lists({"a": [key(1)]}, counter=5, signed=b"five"), force=force) is rolled
        assert refused(world, lists({"a": [key(1)]}, counter=6, signed=b"other"), force=force) is twice
        assert refused(world, lists({"a": [key(1)]}, signed=b"none"), force=force) is rolled
    world.install(lists({"a": [key(2)]}, counter=6, signed=b"six"))
    assert world.ask(key(2)) is Standing.HIT
    # Not even when it was taken out of use.
    assert remove_revocations(world.store, "one")
    assert refused(world, lists({"a": [key(1)]}, counter=5, signed=b"five")) is rolled
    assert remove_revocations(world.store, "one", forget=True)
    world.install(lists({"a": [key(1)]}, counter=5, signed=b"five"))
    assert world.ask(key(1)) is Standing.HIT


def test_a_signed_list_that_was_replaced_does_not_come_back(world: World) -> None:
    world.install(lists({"a": [key(1)]}, signed=b"one", **SIGNED), **PINNED)
    world.install(lists({"a": [key(2)]}, signed=b"two", **SIGNED), **PINNED)
    assert refused(world, lists({"a": [key(1)]}, signed=b"one", **SIGNED), **PINNED) is Code.REVOCATION_LIST_ROLLED_BACK
    world.install(lists({"a": [key(2)]}, signed=b"two", **SIGNED), **PINNED)
    for number in (1, 2, 1):
        world.install(lists({"a": [key(number)]}, signed=bytes((number,))), name="unsigned")


@pytest.mark.parametrize("incremental", [True, False])
@pytest.mark.parametrize("lay", [True, False])
def test_a_list_that_lost_too_much_needs_force(
    world: World, monkeypatch: pytest.MonkeyPatch, incremental: bool, lay: bool
) -> None:
    if lay:
        overlaid(monkeypatch)
    monkeypatch.setattr(guards, "_A_BATCH", 0)
    more: dict[str, Any] = {"incremental": incremental, "max_loss": 0.25}
    short = Origin(expires=SECOND)

    def first(into: Gathering, *_: Any) -> Any:
        into.add("a", PLACE, map(key, range(100)), Origin())
        into.add("short", PLACE, map(key, range(100, 200)), short)
        return says()

    world.install(first, **more)
    world.now += HOUR
    world.install(lists({"a": map(key, range(75))}), **more)
    # What has expired is no loss, and three quarters of the rest may stay.
    assert world.head().records == 75
    assert refused(world, lists({"a": map(key, range(56))}), **more) is Code.REVOCATION_LIST_SHRANK
    assert world.install(lists({"a": map(key, range(56))}), force=True, **more).records == 56


def test_what_lingers_hides_no_loss(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guards, "_A_BATCH", 0)

    def takes_out(*batches: str) -> Any:
        def script(into: Gathering, *_: Any) -> Any:
            for batch in batches:
                into.withdraw(batch)
            return says(whole=False)

        return script

    def first(into: Gathering, *_: Any) -> Any:
        into.add("short", PLACE, map(key, range(100)), Origin(expires=SECOND))
        for number in range(10):
            into.add(str(number), PLACE, map(key, range(100 + number * 10, 110 + number * 10)), Origin())
        return says()

    world.install(first)
    assert world.head().records == 200
    world.now += HOUR
    # A third of what has not expired.
    assert refused(world, takes_out("0", "1", "2"), max_loss=0.25) is Code.REVOCATION_LIST_SHRANK
    assert world.install(takes_out("0", "1"), max_loss=0.25).records == 80
    # What has expired is no loss, whether it goes or stays.
    assert world.install(takes_out("short"), max_loss=0.0).records == 80


def test_a_list_may_lose_as_much_as_a_batch(world: World) -> None:
    world.install(lists({"a": map(key, range(1001))}))
    assert refused(world, lists({}), max_loss=0.25) is Code.REVOCATION_LIST_SHRANK
    assert world.install(lists({"a": [key(0)]}), max_loss=0.25).records == 1


def test_what_is_removed_one_by_one_counts_as_lost(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    overlaid(monkeypatch)
    monkeypatch.setattr(guards, "_A_BATCH", 0)

    def removes(*numbers: int) -> Any:
        def script(into: Gathering, *_: Any) -> Any:
            into.remove(PLACE, map(key, numbers))
            return says(whole=False)

        return script

    world.install(lists({"a": map(key, range(100))}))
    assert world.install(removes(*range(20)), max_loss=0.2).records == 80
    assert len(world.store.segments("one")) == 2
    assert refused(world, removes(*range(20, 37)), max_loss=0.2) is Code.REVOCATION_LIST_SHRANK
    assert world.install(removes(*range(20, 36)), max_loss=0.2).records == 64


def test_environments_formats_clocks_and_ends(world: World) -> None:
    world.install(lists({"a": [key(1)]}, issued_at=NOW, **SIGNED), **PINNED)
    good = lists({"b": [key(2)]})
    assert refused(world, good, name="two", environment=Environment.TEST) is Code.ENVIRONMENT_MIXED
    assert refused(world, good, format="another") is Code.REVOCATION_CONFIG_INVALID
    assert refused(world, lists({}, expires_at=NOW - HOUR)) is Code.REVOCATION_LIST_EXPIRED
    assert refused(world, lists({}, issued_at=NOW + HOUR)) is Code.CLOCK_BEHIND
    world.now -= HOUR
    assert refused(world, good, name="two") is Code.CLOCK_BEHIND
    assert world.ask(key(1)) is Standing.HIT


def test_nothing_is_built_on_whom_the_operator_no_longer_believes(world: World) -> None:
    other = TrustAnchor("new.key", b"another key")
    seen: list[Any] = []

    def script(into: Gathering, known: Known, _: Context) -> Any:
        seen.append((dict(known.validators), known.fetched_at, into.held()))
        if known.validators:
            return None
        into.add("a", PLACE, [key(1)], Origin())
        return says(signer=other if len(seen) > 1 else ANCHOR, validators={"u": "1"})

    world.fetch(script, **PINNED)
    assert world.fetch(script, **PINNED).unchanged
    world.fetch(script, anchors=(other,))
    assert seen == [({}, None, ()), ({"u": "1"}, NOW, ("a",)), ({}, None, ())]
    assert world.head().signer == other.fingerprint
    change = world.fetch(lambda *_: None, **PINNED)
    assert change.error is not None
    assert world.head().signer == other.fingerprint


@pytest.mark.parametrize("incremental", [True, False])
def test_what_is_asked_for_otherwise_is_asked_for_anew(world: World, incremental: bool) -> None:
    seen: list[Known] = []

    def script(into: Gathering, known: Known, _: Context) -> Any:
        seen.append(known)
        into.add("a", PLACE, [key(1)], Origin())
        return says(validators={"u": "1"}, state={"at": "1"})

    def known_to(**more: Any) -> bool:
        """Whether the format is told of the last update; of nothing, or of all."""
        assert world.fetch(script, incremental=incremental, **more).error is None
        assert seen[-1] in (Known(), Known(world.now, world.now, {"u": "1"}, {"at": "1"}))
        assert world.ask(key(1)) is Standing.HIT
        return seen[-1] != Known()

    told = [
        known_to(),
        known_to(),
        known_to(options={"countries": "FR", "filter": "x"}),
        known_to(options={"filter": "x", "countries": "FR"}),
        known_to(options={"countries": "DE", "filter": "x"}),
        known_to(),
        known_to(url="https://example.com"),
        known_to(url="https://example.com"),
        # A secret may change at every update.
        known_to(url="https://example.com", secrets={"token": "1"}, max_age=HOUR),
    ]
    assert told == [False, True, False, True, False, False, False, True, True]
    # Nor is it any secret that is kept.
    assert b"example.com" not in (world.folder / LEDGER).read_bytes()


def test_what_failed_when_asked_for_otherwise_is_asked_for_anew_again(world: World) -> None:
    seen: list[bool] = []
    outcomes: list[Any] = [says(state={"at": "1"}), FAILURE, says(state={"at": "2"}), says()]

    def script(_into: Gathering, known: Known, _: Context) -> Any:
        seen.append(known == Known())
        outcome = outcomes.pop(0)
        if isinstance(outcome, RevocationError):
            raise outcome
        return outcome

    world.fetch(script)
    for _ in range(3):
        world.fetch(script, options={"countries": "DE"})
    assert seen == [True, True, True, False]


def test_what_a_clock_that_was_ahead_fetched_is_asked_for_anew(world: World) -> None:
    seen: list[datetime | None] = []

    def script(into: Gathering, known: Known, _: Context) -> Any:
        seen.append(known.fetched_at)
        into.add("a", PLACE, [key(1)], Origin())
        return says(validators={"u": "1"}, state={"at": "1"})

    second = timedelta(seconds=1)
    for offset in (HOUR, timedelta(0), -guards.CLOCK_SKEW, -2 * guards.CLOCK_SKEW - second):
        world.now = NOW + offset
        assert world.fetch(script).error is None
        assert world.head().fetched_at == world.now
    # Two clocks are never quite the same.
    assert seen == [None, None, NOW, None]


# --- Lists of nothing, of the same, and of a part ---


@pytest.mark.parametrize("incremental", [True, False])
def test_a_list_of_nothing_says_that_nothing_was_revoked(world: World, incremental: bool) -> None:
    change = world.install(lists({}), incremental=incremental)
    assert (change.records, change.filters, change.error) == (0, 0, None)
    assert world.ask(key(1)) is Standing.CLEAR
    assert world.ask(key(1), kid=OTHER_KID) is Standing.UNKNOWN
    assert bool(world.store)
    world.install(lists({"a": [key(1)]}), incremental=incremental)
    assert world.ask(key(1)) is Standing.HIT
    world.install(lists({}), incremental=incremental)
    assert world.ask(key(1)) is Standing.CLEAR


def test_a_list_that_has_not_changed_is_fresh_again_with_its_batches(world: World) -> None:
    world.install(lists({"a": [key(1)]}, expires_at=NOW + HOUR))
    before = world.head()
    batches = ledger.read_batches(world.folder / LEDGER, "one")
    world.now += HOUR

    def keeps(into: Gathering, *_: Any) -> Any:
        into.keep("a")
        return says(kids=frozenset({OTHER_KID}), expires_at=NOW + 3 * HOUR, validators={"u": "2"})

    assert world.install(keeps).unchanged
    after = world.head()
    assert after == replace(
        before, kids=(OTHER_KID,), expires_at=NOW + 3 * HOUR, fetched_at=world.now, loaded_at=world.now
    )
    assert ledger.read_batches(world.folder / LEDGER, "one") == batches
    assert world.store.state.memories["one"].validators == {"u": "2"}
    assert world.ask(key(2), kid=OTHER_KID) is Standing.CLEAR
    world.now += HOUR
    assert world.fetch(lambda *_: None).unchanged
    assert world.head() == replace(after, fetched_at=world.now)


def test_nothing_where_a_list_should_be_is_an_error(world: World) -> None:
    change = world.fetch(lambda *_: None)
    assert change.error is not None
    assert change.error.code is Code.REVOCATION_LIST_UNREADABLE
    assert not world.store


def part(*numbers: int, **more: Any) -> Any:
    return lists({f"b{n}": [key(n)] for n in numbers}, whole=False, problem=FAILURE, **more)


def test_part_of_a_first_list_names_and_never_clears(world: World) -> None:
    change = world.fetch(part(1, counter=3, signed=b"x", state={"at": "1"}, validators={"u": "1"}))
    assert (change.error, change.added, change.records) == (FAILURE, 1, 1)
    assert (world.ask(key(1)), world.ask(key(2))) == (Standing.HIT, Standing.UNKNOWN)
    head, memory = world.head(), world.store.state.memories["one"]
    assert (head.complete, head.counter, head.loaded_at.year) == (False, None, 1970)
    assert memory == Memory(state={"at": "1"}, options=memory.options, error=(SECOND, Code.FETCH_FAILED, "cut off"))
    # Nothing new does not make it whole.
    assert world.fetch(lambda *_: None).unchanged
    assert world.store.state.memories["one"].error is not None
    assert (world.head(), world.ask(key(2))) == (head, Standing.UNKNOWN)
    # The rest does.
    seen: list[Known] = []

    def rest(into: Gathering, known: Known, _: Context) -> Any:
        seen.append(known)
        into.keep("b1")
        into.add("b2", PLACE, [key(2)], Origin())
        return says(counter=3, signed=b"y")

    world.fetch(rest)
    assert (seen[0].state, dict(seen[0].validators)) == ({"at": "1"}, {})
    assert [world.ask(key(n)) for n in (1, 2, 3)] == [Standing.HIT, Standing.HIT, Standing.CLEAR]
    assert (world.head().complete, world.head().loaded_at) == (True, NOW)
    assert world.store.state.memories["one"].error is None


def test_part_of_a_later_list_adds_what_it_names_and_refreshes_nothing(world: World) -> None:
    more: dict[str, Any] = {"counter": 1, "signed": b"one", "validators": {"u": "1"}, "expires_at": NOW + 5 * HOUR}
    world.fetch(lists({"a": [key(1)], "b": [key(2)]}, **more))
    before = world.head()
    world.now += HOUR
    script = part(3, counter=2, signed=b"two", validators={"u": "2"}, expires_at=NOW + 9 * HOUR, types=(UVCI,),
                  kids=frozenset({OTHER_KID}))  # fmt: skip
    assert world.fetch(script).error is FAILURE
    assert [world.ask(key(n)) for n in (1, 2, 3, 4)] == [Standing.HIT, Standing.HIT, Standing.HIT, Standing.CLEAR]
    assert world.ask(key(4), kid=OTHER_KID) is Standing.UNKNOWN
    after = world.head()
    assert after == replace(
        before, generation=2, files=after.files, records=3, complete=False, types=bytes((0x0A, UVCI.code))
    )
    memory = world.store.state.memories["one"]
    assert (memory.highest, memory.at_highest, memory.validators) == (1, b"one", {})
    # A part with nothing in it, and no news, refresh nothing either.
    assert world.fetch(part(counter=2)).error is FAILURE
    assert world.fetch(lambda *_: None).error is None
    assert world.head() == after
    world.now = NOW + 6 * HOUR
    assert world.ask(key(4)) is Standing.UNKNOWN
    world.fetch(lists({"a": [key(1)]}, counter=2, signed=b"all", whole=True))
    assert (world.head().complete, world.ask(key(3))) == (True, Standing.CLEAR)


def test_part_of_a_list_that_brings_all_each_time_does_not_replace_it(world: World) -> None:
    world.fetch(lists({"a": [key(1)]}), incremental=False)
    before = world.head()
    assert world.fetch(part(2), incremental=False).error is FAILURE
    assert world.head() == before
    assert (world.ask(key(1)), world.ask(key(2))) == (Standing.HIT, Standing.CLEAR)


# --- What fails ---


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (FetchError(Code.FETCH_FAILED, "no answer"), Code.FETCH_FAILED),
        (TrustError(Code.TRUST_LIST_UNREADABLE, "odd"), Code.REVOCATION_LIST_UNREADABLE),
        (TrustError(Code.TRUST_LIST_NOT_AUTHENTIC, "odd"), Code.REVOCATION_LIST_NOT_AUTHENTIC),
        (TrustError(Code.TRUST_ANCHOR_MISSING, "odd"), Code.REVOCATION_ANCHOR_MISSING),
        (TrustError(Code.TRUST_ANCHOR_UNREADABLE, "odd"), Code.REVOCATION_ANCHOR_MISSING),
        (TrustError(Code.CERTIFICATE_UNREADABLE, "odd"), Code.REVOCATION_LIST_UNREADABLE),
        (hc.DecodeError(Code.INPUT_TOO_LONG, "long"), Code.INPUT_TOO_LONG),
        (OSError(28, "No space left on device"), Code.ENVIRONMENT),
        (KeyError("a secret"), Code.REVOCATION_LIST_UNREADABLE),
        (RecursionError(), Code.REVOCATION_LIST_UNREADABLE),
    ],
    ids=repr,
)
def test_whatever_a_format_raises_is_told_and_remembered(world: World, error: Exception, code: Code) -> None:
    world.install(lists({"a": [key(1)]}, state={"at": "1"}))
    before = world.ledger()

    def raises(into: Gathering, *_: Any) -> Any:
        into.add("a", PLACE, [key(2)], Origin())
        into.withdraw("a")
        raise error

    change = world.fetch(raises)
    assert change.error is not None
    assert change.error.code is code
    assert "secret" not in str(change.error)
    heads, memories, *rest = world.ledger()
    assert (heads, *rest) == (before[0], *before[2:])
    assert memories["one"] == replace(before[1]["one"], error=(SECOND, code, change.error.detail))
    assert world.store.state.memories == memories
    assert world.ask(key(1)) is Standing.HIT
    world.fetch(lists({"a": [key(1)]}))
    assert world.store.state.memories["one"].error is None


def test_a_disk_that_is_full_is_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.install(lists({"a": [key(1)]}))

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("healthcert.revocation.installing.sync_folder", full)
        # The file has its name already, and is nobody's.
        with pytest.raises(RevocationError) as error:
            world.install(lists({"a": [key(2)]}))
        assert code_of(error) is Code.ENVIRONMENT
        patch.setattr(os, "fsync", full)
        assert world.fetch(lists({"a": [key(2)]})).error is not None
    assert world.ask(key(1)) is Standing.HIT
    assert len(world.files()) == 2
    world.install(lists({"a": [key(2)]}))
    assert world.files() == {world.head().files[0].name}


def test_a_folder_that_cannot_be_made_is_told(world: World) -> None:
    world.folder.touch()
    with pytest.raises(RevocationError) as error:
        world.install(lists({}))
    assert code_of(error) is Code.ENVIRONMENT


def test_what_fails_with_one_source_harms_no_other(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.tell(lists({"a": [key(1)]}))
    known = vars(installing)["source_named"]

    def named(format_: str) -> Any:
        if format_ == "unheard of":
            raise RevocationError(Code.REVOCATION_CONFIG_INVALID, "no such format")
        return known(format_)

    monkeypatch.setattr(installing, "source_named", named)
    feeds = [
        RevocationFeed(name="a", format="unheard of", url="https://example.org"),
        RevocationFeed(name="b", format="told"),
        RevocationFeed(name="c", format="told", url="https://example.org", environment=Environment.TEST),
        RevocationFeed(name="d", format="told", url="https://example.org"),
        RevocationFeed(name="e", format="told", url="https://example.org", environment=Environment.TEST),
    ]
    found = list(update_revocations(world.store, feeds, no_network, clock=hc.FixedClock(NOW)))
    codes = [None if one.error is None else one.error.code for one in found]
    assert codes == [Code.REVOCATION_CONFIG_INVALID, Code.FETCH_REFUSED, None, Code.ENVIRONMENT_MIXED, None]
    assert set(world.store.state.lists) == {"c", "e"}
    assert {name for name, memory in world.store.state.memories.items() if memory.error} == {"a", "b", "d"}


def test_what_a_caller_may_not_do(world: World) -> None:
    world.tell(lists({}))
    for store, name in ((RevocationStore(), "one"), (world.store, ""), (world.store, "a\nb")):
        with pytest.raises(ValueError, match=r"store|name"):
            install_revocations(store, RevocationFeed(name=name, format="told"), Given({}), clock=hc.FixedClock(NOW))
    with pytest.raises(RevocationError) as error:
        registry.source_named("no such")
    assert code_of(error) is Code.REVOCATION_CONFIG_INVALID


def test_secrets_are_never_shown() -> None:
    feed = RevocationFeed(name="one", format="it", url="https://example.org?key=secret", secrets={"token": "secret"})
    assert "secret" not in repr(feed)


def test_a_format_gets_its_options_and_what_is_known_of_keys(world: World) -> None:
    seen: list[Context] = []

    def looks(_into: Gathering, _known: Known, context: Context) -> Any:
        seen.append(context)
        context.progress(1, 2)
        return says()

    world.tell(looks)
    told: list[Any] = []
    feed = RevocationFeed(name="one", format="told", options={"a": "1"}, secrets={"b": "2"})
    install_revocations(
        world.store, feed, Given({}), clock=hc.FixedClock(NOW), countries_of=lambda kid: frozenset({kid.decode()}),
        progress=lambda *done: told.append(done),
    )  # fmt: skip
    assert (dict(seen[0].options), told) == ({"a": "1", "b": "2"}, [(1, 2)])
    assert seen[0].countries_of(b"FR") == {"FR"}


# --- Two at once, and what is left behind ---


def test_a_second_updater_is_refused_and_the_first_goes_on(world: World) -> None:
    problems: list[HealthCertError] = []

    def meanwhile(into: Gathering, *_: Any) -> Any:
        other = RevocationStore.open(world.folder)
        with pytest.raises(RevocationError) as error:
            install_revocations(other, RevocationFeed(name="two", format="told"), Given({}), clock=hc.FixedClock(NOW))
        problems.append(error.value)
        into.add("a", PLACE, [key(1)], Origin())
        return says()

    world.install(meanwhile)
    assert problems[0].code is Code.REVOCATION_STORE_UNREADABLE
    assert "another program is updating" in problems[0].detail
    assert set(world.store.state.lists) == {"one"}
    world.install(lists({"a": [key(2)]}), name="two")
    assert world.ask(key(1)) is world.ask(key(2)) is Standing.HIT


def test_the_lock_goes_with_the_process(world: World) -> None:
    world.install(lists({"a": [key(1)]}))
    held = multiprocessing.get_context("fork").Process(target=_holds_and_dies, args=(world.folder,))
    held.start()
    held.join()
    world.install(lists({"a": [key(2)]}))
    assert world.ask(key(2)) is Standing.HIT


def _holds_and_dies(folder: Path) -> None:
    with folders.locked(folder):
        os._exit(0)


def test_without_a_lock_a_list_that_changed_meanwhile_is_not_mixed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.install(lists({"a": [key(1)]}))

    def meanwhile(into: Gathering, *_: Any) -> Any:
        with ledger.transaction(world.folder / LEDGER) as entry:
            entry.put(replace(entry.state.lists["one"], generation=9), {"x": Held(0, 1, 1)}, {})
        into.add("b", PLACE, [key(2)], Origin())
        return says(whole=False)

    with pytest.raises(RevocationError) as error:
        world.install(meanwhile)
    assert code_of(error) is Code.REVOCATION_STORE_UNREADABLE
    assert world.ledger()[0]["one"].generation == 9


def test_what_is_left_behind_is_removed_and_what_is_in_use_never(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    overlaid(monkeypatch)
    world.install(lists({"a": map(key, range(50))}))
    world.install(lists({"b": [key(77)]}, whole=False))
    world.install(lists({"a": [key(1)]}), name="two")
    used = world.store.file_names
    assert len(used) == 3
    reader = RevocationStore.open(world.folder)
    (world.folder / "00000009-orphan.hcrev").write_bytes(b"")
    (world.folder / ".update-killed").mkdir()
    (world.folder / ".update-killed" / "run0").write_bytes(b"x")
    (world.folder / "notes.txt").write_text("the operator's")
    world.install(lists({"a": [key(2)]}), name="three")
    assert world.files() == used | {world.head("three").files[0].name}
    assert {one.name for one in world.folder.iterdir()} == {*world.files(), LEDGER, "lock", "notes.txt"}
    # Whoever has a list open asks it on, though it was replaced.
    world.install(lists({"c": [key(99)]}), incremental=False)
    assert reader.ask(subject(key(77)), NOW).standing is Standing.HIT
    assert world.ask(key(77)) is Standing.CLEAR


def test_two_lists_of_the_same_content_do_not_take_each_others_file(world: World) -> None:
    for name in ("one", "two"):
        world.install(lists({"a": [key(1)]}), name=name)
    world.install(lists({"a": [key(2)]}), name="one")
    assert (world.ask(key(1)), world.ask(key(2))) == (Standing.HIT, Standing.HIT)
    assert remove_revocations(world.store, "two")
    assert not remove_revocations(world.store, "two")
    assert (world.ask(key(1)), world.ask(key(2))) == (Standing.CLEAR, Standing.HIT)
    assert world.files() == {world.head().files[0].name}
    assert not remove_revocations(RevocationStore(), "one")


def test_how_long_a_list_stands(world: World) -> None:
    for age, end in ((HOUR, NOW + HOUR), (None, None), (timedelta.max, None)):
        world.install(lists({}), max_age=age)
        assert world.head().best_before == end
