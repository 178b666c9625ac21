"""Every answer of a revocation store, after any course of updates, against a dictionary that says what it should be."""

from __future__ import annotations

import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import Struct

from healthcert.errors import Code, RevocationError
from healthcert.revocation import gathering, spool, writer
from healthcert.revocation.answer import Standing
from healthcert.revocation.batch import Place
from healthcert.revocation.coordinates import Mode
from healthcert.revocation.gathering import Gathering
from healthcert.revocation.identifiers import IdentifierType
from healthcert.revocation.ledger import read_batches
from healthcert.revocation.segment import NEVER, Origin
from healthcert.revocation.store import LEDGER
from tests.unit.revocation.world import (
    HOUR,
    KID,
    NOW,
    OTHER_KID,
    SECOND,
    SIGNATURE,
    UVCI,
    World,
    bloom_of,
    says,
    subject,
)

PLACES = (Place(SIGNATURE, KID), Place(SIGNATURE, OTHER_KID), Place(SIGNATURE), Place(UVCI))
KEYS = 12
ORIGINS = (
    Origin(),
    Origin(expires=SECOND + 3600),
    Origin(expires=SECOND + 3 * 3600),
    Origin(country="FR"),
    Origin(country="DE"),
    Origin(before=SECOND - 100),
    Origin(before=SECOND + 100),
)
BATCHES = ("a", "b", "c", "d", "e")


def key(number: int, type_: IdentifierType) -> bytes:
    """Keys that lie at both ends, and in few buckets."""
    return (bytes((number * 23 % 256,)) + b"\0\xff" * 20)[: type_.width - 1] + bytes((number,))


class Add(Struct, frozen=True):
    batch: str
    entries: tuple[tuple[int, int, int], ...]  # place, key, origin
    fails: bool


class Filter(Struct, frozen=True):
    batch: str
    origin: int
    keys: tuple[int, ...]


class Withdraw(Struct, frozen=True):
    batch: str


class Remove(Struct, frozen=True):
    place: int
    keys: tuple[int, ...]
    fails: bool


class Keep(Struct, frozen=True):
    batch: str


class Round(Struct, frozen=True):
    """An update."""

    steps: tuple[Add | Filter | Withdraw | Remove | Keep, ...]
    whole: bool
    problem: bool
    refused: bool
    hours: int


_batch, _place = st.sampled_from(BATCHES), st.integers(0, len(PLACES) - 1)
_key, _origin = st.integers(0, KEYS - 1), st.integers(0, len(ORIGINS) - 1)
_rarely = st.integers(0, 9).map(lambda number: number == 0)
_entries = st.lists(st.tuples(_place, _key, _origin), max_size=12).map(tuple)
_adds = st.builds(Add, _batch, _entries, _rarely)
_few = st.lists(_key, max_size=4).map(tuple)
_steps = st.one_of(
    _adds,
    _adds,
    _adds,
    st.builds(Filter, _batch.map(lambda name: f"f{name}"), _origin, _few),
    st.builds(Withdraw, st.sampled_from((*BATCHES, "fa", "fb"))),
    st.builds(Remove, _place, _few, _rarely),
    st.builds(Keep, st.sampled_from((*BATCHES, "fa", "fb", "fc"))),
)
_rounds = st.builds(
    Round, st.lists(_steps, max_size=7).map(tuple), st.booleans(), _rarely, _rarely, st.sampled_from((0, 0, 1, 2))
)

Entry = tuple[int, int, int]


class Model:
    """What is on the list: of each batch its entries, each once; and filters."""

    def __init__(self) -> None:
        self.batches: dict[str, set[Entry]] = {}
        self.filters: dict[str, Filter] = {}
        self.covers = False

    def copy(self) -> Model:
        found = Model()
        found.batches = {name: set(entries) for name, entries in self.batches.items()}
        found.filters = dict(self.filters)
        found.covers = self.covers
        return found

    def names(self) -> set[str]:
        return {*self.batches, *self.filters}

    def withdraw(self, batch: str) -> None:
        self.batches.pop(batch, None)
        self.filters.pop(batch, None)

    def expire(self, second: int) -> None:
        for name, entries in self.batches.items():
            self.batches[name] = {entry for entry in entries if ORIGINS[entry[2]].expires >= second}
        self.filters = {n: f for n, f in self.filters.items() if ORIGINS[f.origin].expires >= second}

    def count(self, second: int) -> tuple[int, int]:
        """How many entries and filters have not expired."""
        origins = [origin for entries in self.batches.values() for _, _, origin in entries]
        filters = [one.origin for one in self.filters.values()]
        records, kept = (sum(ORIGINS[one].expires >= second for one in found) for found in (origins, filters))
        return records, kept


def played(model: Model, one: Round, into: Gathering) -> Model:
    """Does to a gathering and to a copy of the model what a round says."""
    after, kept = model.copy(), set()
    for step in one.steps:
        if isinstance(step, Add):
            entries = [(PLACES[p], key(k, PLACES[p].type), ORIGINS[o]) for p, k, o in step.entries]
            if step.fails:
                with pytest.raises(RevocationError) as error:
                    into.add_each(step.batch, [*entries, (PLACES[0], b"short", ORIGINS[0])])
                assert error.value.code is Code.REVOCATION_LIST_UNREADABLE
                continue
            places = {(p, o) for p, _, o in step.entries}
            if len(places) == 1:
                (place, origin) = next(iter(places))
                into.add(step.batch, PLACES[place], [k for _, k, _ in entries], ORIGINS[origin], mark="marked")
            else:
                into.add_each(step.batch, entries, mark="marked")
            after.batches[step.batch] = set(step.entries)
            kept.add(step.batch)
        elif isinstance(step, Filter):
            data = bloom_of(*(key(number, SIGNATURE) for number in step.keys))
            into.add_filter(step.batch, KID, None, "0", data, ORIGINS[step.origin], bloom=True, mark="marked")
            after.filters[step.batch] = step
            kept.add(step.batch)
        elif isinstance(step, Withdraw):
            into.withdraw(step.batch)
            # Nothing goes while not all could be had.
            if not one.problem:
                after.withdraw(step.batch)
        elif isinstance(step, Remove):
            where = PLACES[step.place]
            keys = [key(number, where.type) for number in step.keys]
            if step.fails:
                with pytest.raises(RevocationError):
                    into.remove(where, [*keys, b"short"])
                continue
            into.remove(where, keys)
            for name, entries_ in after.batches.items():
                after.batches[name] = {e for e in entries_ if (e[0], e[1]) not in {(step.place, k) for k in step.keys}}
        else:
            into.keep(step.batch)
            kept.add(step.batch)
    if one.whole and not one.problem:
        for name in after.names() - kept:
            after.withdraw(name)
    return after


def listed_in(model: Model, place: int, number: int, second: int, country: str | None, born: float | None) -> bool:
    for entries in model.batches.values():
        for p, k, o in entries:
            origin = ORIGINS[o]
            if (
                (p, k) == (place, number)
                and origin.expires >= second
                and (origin.country is None or country is None or origin.country == country)
                and (origin.before == NEVER or born is None or born < origin.before)
            ):
                return True
    return False


def check_answers(world: World, model: Model) -> None:
    second = int(world.now.timestamp())
    types = {SIGNATURE, UVCI} if model.names() or world.store else set()
    for number in range(KEYS):
        for kid, first in ((KID, 0), (OTHER_KID, 1), (b"another", None)):
            for country, born in (("FR", None), ("DE", SECOND), (None, float(SECOND - 200))):
                expected = any(
                    listed_in(model, place, number, second, country, born) for place in (first, 2) if place is not None
                )
                found = world.answer(key(number, SIGNATURE), kid=kid, country=country, not_before=born)
                assert (found.standing is Standing.HIT) == expected, (number, kid, country, born)
                filtered = kid == KID and any(
                    number in one.keys
                    and ORIGINS[one.origin].expires >= second
                    and (country is None or ORIGINS[one.origin].country in (None, country))
                    and (born is None or born < ORIGINS[one.origin].before)
                    for one in model.filters.values()
                    if key(number, SIGNATURE)[0] >> 4 == 0
                )
                if not expected:
                    covered = Standing.CLEAR if model.covers and kid == KID and types else Standing.UNKNOWN
                    assert found.standing is (Standing.POSSIBLE if filtered else covered), (number, kid, country)
        expected = listed_in(model, 3, number, second, "FR", None)
        assert (world.ask(key(number, UVCI), type=UVCI) is Standing.HIT) == expected


def run(world: World, model: Model, one: Round, *, incremental: bool) -> Model:
    """Plays a round, and holds the store against the model."""
    world.now += one.hours * HOUR
    second = int(world.now.timestamp())
    start = model if incremental else Model()
    after: list[Model] = []
    refused = RevocationError(Code.REVOCATION_LIST_UNREADABLE, "told to")

    def script(into: Gathering, *_: Any) -> Any:
        after.append(played(start, one, into))
        if one.refused:
            raise refused
        modes = {KID: Mode.POINT}
        return says(types=(SIGNATURE, UVCI), modes=modes, whole=one.whole, problem=refused if one.problem else None)

    first = not world.store
    before = world.ledger() if world.store else None
    part = one.problem and not incremental and not first
    if one.refused or part:
        with pytest.raises(RevocationError) as error:
            world.install(script, incremental=incremental)
        assert error.value is refused
        assert before is None or world.ledger() == before
        check_answers(world, model)
        return model
    generation = 0 if first else world.head().generation
    world.install(script, incremental=incremental)
    model = after[0]
    model.expire(second - gathering._LINGERING)
    model.covers = model.covers if one.problem and incremental else not one.problem
    if world.head().generation > generation:
        assert (world.head().records, world.head().filters) == model.count(second)
        held = read_batches(world.folder / LEDGER, "one")
        assert set(held) >= set(model.filters) | {name for name, entries in model.batches.items() if entries}
    for segment in world.store.segments("one"):
        segment.check()
    assert world.files() == {file.name for file in world.head().files}
    check_answers(world, model)
    if one.hours and gathering._LINGERING:
        # Whoever asks about an earlier moment still finds what expired after it.
        world.now -= timedelta(seconds=gathering._LINGERING)
        check_answers(world, model)
        world.now += timedelta(seconds=gathering._LINGERING)
    return model


@pytest.mark.parametrize("incremental", [True, False])
@pytest.mark.parametrize("small", [True, False])
@settings(derandomize=True, deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(
    rounds=st.lists(_rounds, min_size=1, max_size=6),
    spill=st.integers(1, 9),
    overlay=st.sampled_from((1, 2, 5)),
    lingering=st.sampled_from((0, 3600)),
)
def test_a_store_answers_as_a_dictionary_would(
    small: bool, incremental: bool, rounds: list[Round], spill: int, overlay: int, lingering: int
) -> None:
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
        patch.setattr(gathering, "_LINGERING", lingering)
        if small:
            patch.setattr(gathering, "_SMALL", 1)
            patch.setattr(gathering, "_OVERLAY", overlay)
            patch.setattr(spool, "_SPILL", spill)
            patch.setattr(spool, "_STRIDE", min(spill, 2))
            patch.setattr(writer, "_AT_ONCE", 4)
        world, model = World(Path(folder) / "store", patch), Model()
        patch.setattr("os.fsync", lambda _: None)
        for one in rounds:
            model = run(world, model, one, incremental=incremental)
        assert world.now >= NOW
        world.store.ask(subject(key(0, SIGNATURE)), world.now)
