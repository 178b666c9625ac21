"""What a store answers, what it does with damaged files, and that it is shared between threads."""

from __future__ import annotations

import random
import sqlite3
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from healthcert.errors import Code, RevocationError
from healthcert.revocation import ledger, lookup, varhash
from healthcert.revocation import segment as form
from healthcert.revocation import store as revocation_store
from healthcert.revocation.answer import Standing
from healthcert.revocation.batch import Place
from healthcert.revocation.bloom import BloomFilter, Header
from healthcert.revocation.coordinates import Mode
from healthcert.revocation.identifiers import IdentifierType, Subject
from healthcert.revocation.ledger import transaction
from healthcert.revocation.segment import NEVER, Origin, Section
from healthcert.revocation.store import LEDGER, RevocationStore
from tests.unit.revocation.world import (
    HOUR,
    KID,
    NOW,
    OTHER_KID,
    PLACE,
    RID,
    SECOND,
    SIGNATURE,
    UCI,
    UVCI,
    World,
    bloom_of,
    code_of,
    key,
    lists,
    overlaid,
    refusal,
    says,
    subject,
)  # fmt: skip


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return World(tmp_path / "store", monkeypatch)


# --- Which certificates a list names ---


@pytest.mark.parametrize("type_", IdentifierType)
def test_identifiers_of_every_type_with_and_without_kid(world: World, type_: IdentifierType) -> None:
    keys = [key(number, type_.width) for number in range(20)]
    for place, end in ((Place(type_, KID), 10), (Place(type_), 20)):
        world.install(lists({"a": keys[end - 10 : end]}, place=place, types=(type_,)), name=str(end))
    for number, one in enumerate(keys):
        for kid in (KID, OTHER_KID, None, b""):
            expected = number >= 10 or kid == KID
            assert (world.ask(one, kid=kid, type=type_) is Standing.HIT) == expected
        other = next(kind for kind in IdentifierType if kind is not type_ and kind.width == type_.width)
        assert world.ask(one, type=other) is Standing.UNKNOWN
    assert len(world.store) == 20


def test_a_kid_counts_under_its_issuer_alone(world: World) -> None:
    issuer = "https://example.org"
    script = lists({"a": [key(1, 24)]}, place=Place(RID, KID, issuer), types=(RID,), keys=frozenset({(issuer, KID)}))
    world.install(script)
    assert world.ask(key(1, 24), type=RID, issuer=issuer) is Standing.HIT
    assert world.ask(key(2, 24), type=RID, issuer=issuer) is Standing.CLEAR
    for other in (None, "", "https://example.com", issuer + "/"):
        assert world.ask(key(1, 24), type=RID, issuer=other) is not Standing.HIT
    assert world.ask(key(1, 24), type=RID, issuer=issuer, kid=OTHER_KID) is Standing.UNKNOWN
    # The list speaks of kids under issuers: whoever has none is not spoken for by the kid's name.
    assert world.ask(key(2, 24), type=RID, issuer="https://example.com") is Standing.UNKNOWN


def test_a_list_of_an_issuer_that_names_no_kid(world: World) -> None:
    world.install(lists({"a": [key(1, 24)]}, place=Place(RID, None, "https://example.org"), types=(RID,)))
    assert world.ask(key(1, 24), type=RID, issuer="https://example.org") is Standing.HIT
    assert world.ask(key(1, 24), type=RID, issuer="https://example.com") is not Standing.HIT
    assert world.ask(key(1, 24), type=RID) is not Standing.HIT


EXPIRED, ABROAD, YOUNGER = Origin(expires=SECOND - 1), Origin(country="DE"), Origin(before=SECOND)
ALIVE = (Origin(), Origin(expires=SECOND), Origin(country="FR"), Origin(before=SECOND + 1))


@pytest.mark.parametrize("alive", [None, *ALIVE], ids=str)
@pytest.mark.parametrize("seed", range(4))
def test_one_origin_of_many_that_counts_is_enough(world: World, alive: Origin | None, seed: int) -> None:
    # An update may happen before what it brings expires.
    origins = [EXPIRED, ABROAD, YOUNGER, *([alive] if alive is not None else [])]
    random.Random(seed).shuffle(origins)
    world.now = NOW - HOUR

    def script(into: Any, *_: Any) -> Any:
        into.add("dead", PLACE, [key(1)], Origin())
        into.add_each("a", [(PLACE, key(1), origin) for origin in origins])
        into.withdraw("dead")
        return says()

    world.install(script)
    assert world.head().records == len(origins)
    world.now = NOW
    expected = Standing.CLEAR if alive is None else Standing.HIT
    assert world.ask(key(1), not_before=float(SECOND)) is expected


@pytest.mark.parametrize(
    ("origin", "more", "expected"),
    [
        (Origin(before=SECOND), {"not_before": SECOND - 0.5}, True),
        (Origin(before=SECOND), {"not_before": float(SECOND)}, False),
        (Origin(before=SECOND), {"not_before": None}, True),
        (Origin(before=SECOND), {"not_before": float("nan")}, True),
        (Origin(before=SECOND), {"not_before": float("inf")}, False),
        (Origin(), {"not_before": float("inf")}, True),
        (Origin(country="FR"), {"country": None}, True),
        (Origin(country="FR"), {"country": "DE"}, False),
        (Origin(country="FR"), {"country": "FR"}, True),
        (Origin(expires=SECOND), {}, True),
        (Origin(expires=SECOND - 1), {}, False),
        (Origin(expires=-NEVER), {}, False),
    ],
    ids=str,
)
def test_what_an_origin_restricts(world: World, origin: Origin, more: dict[str, Any], expected: bool) -> None:
    world.install(lists({"a": [key(1)]}, origin=origin))
    assert (world.ask(key(1), **more) is Standing.HIT) == expected


def test_a_tombstone_hides_what_stands_behind_it_also_beside_what_has_expired(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    overlaid(monkeypatch)
    world.install(lists({"base": [key(number) for number in range(50)]}))

    def script(into: Any, *_: Any) -> Any:
        into.remove(PLACE, [key(1), key(2)])
        into.add("late", PLACE, [key(1)], Origin(expires=SECOND + 60))
        return says(whole=False)

    world.install(script)
    assert len(world.store.segments("one")) == 2
    assert world.head().records == 49
    assert [world.ask(key(number)) for number in (0, 1, 2)] == [Standing.HIT, Standing.HIT, Standing.CLEAR]
    world.now += HOUR
    assert [world.ask(key(number)) for number in (0, 1, 2)] == [Standing.HIT, Standing.CLEAR, Standing.CLEAR]


# --- In which order lists are asked, and for whom they speak ---


def filtered(*keys: bytes, chunk: str = "0", kid: bytes | None = KID, **more: Any) -> Any:
    """A list with a filter for all chunks that begin with 0."""

    def script(into: Any, *_: Any) -> Any:
        into.add_filter("f", kid, None, chunk, bloom_of(*keys), Origin(), bloom=True)
        return says(modes={KID if kid else b"": Mode.POINT}, **more)

    return script


LOW = bytes(16)


def test_a_hit_beats_a_possible_one_and_that_beats_coverage(world: World) -> None:
    world.install(lists({}), name="a clear one")
    assert world.ask(LOW) is Standing.CLEAR
    world.install(filtered(LOW), name="a filter")
    answer = world.answer(LOW)
    assert (answer.standing, answer.source) == (Standing.POSSIBLE, "a filter")
    assert 0 < answer.odds < 0.01
    assert {one.source for one in answer.lists} == {"a clear one", "a filter"}
    world.install(lists({"b": [LOW]}, kids=frozenset()), name="the list")
    answer = world.answer(LOW)
    assert (answer.standing, answer.source, answer.odds) == (Standing.HIT, "the list", 0.0)
    assert [one.source for one in answer.lists] == ["the list"]
    assert world.ask(b"\0" + key(1)[:15]) is Standing.CLEAR


def test_overdue_lists_still_name_and_no_longer_clear(world: World) -> None:
    world.install(lists({"a": [key(1)]}), max_age=HOUR)
    world.install(filtered(LOW), name="filter", max_age=HOUR)
    for passed, grace, fresh in ((HOUR, 0, True), (HOUR + timedelta(seconds=1), 0, False), (2 * HOUR, 1, True)):
        now, delay = NOW + passed, grace * HOUR
        hit = world.store.ask(subject(key(1)), now, grace=delay)
        assert hit.standing is Standing.HIT
        assert (len(hit.lists), len(hit.overdue)) == ((1, 0) if fresh else (0, 1))
        assert world.store.ask(subject(LOW), now, grace=delay).standing is Standing.POSSIBLE
        other = world.store.ask(subject(key(2)), now, grace=delay)
        assert other.standing is (Standing.CLEAR if fresh else Standing.UNKNOWN)
        assert (len(other.lists), len(other.overdue)) == ((2, 0) if fresh else (0, 2))


def test_a_list_that_ends_at_the_end_of_time(world: World) -> None:
    world.install(lists({}, expires_at=NOW.replace(year=9999)), max_age=timedelta.max)
    for grace in (timedelta(0), 365 * 24 * HOUR, 2000 * 365 * 24 * HOUR):
        answer = world.store.ask(subject(key(1)), NOW.replace(year=9998), grace=grace)
        assert answer.standing is Standing.CLEAR
    assert world.store.ask(subject(key(1)), NOW).fresh_until == NOW.replace(year=9999)


@pytest.mark.parametrize(
    ("says_of", "asked", "covered"),
    [
        ({"kids": {KID}}, {}, True),
        ({"kids": {KID}}, {"kid": OTHER_KID}, False),
        ({"kids": {KID}}, {"kid": None}, False),
        ({"kids": (), "countries": {"FR"}}, {}, True),
        ({"kids": (), "countries": {"DE"}}, {}, False),
        ({"kids": (), "countries": {"FR"}}, {"country": None}, False),
        ({"kids": (), "countries": {"*"}}, {"country": None, "kid": None}, True),
        ({"kids": (), "keys": {("https://a", KID)}}, {"issuer": "https://a"}, True),
        ({"kids": (), "keys": {("https://a", KID)}}, {"issuer": "https://b"}, False),
        ({"kids": (), "keys": {("https://a", KID)}}, {}, False),
        ({"kids": {KID}, "countries": {"*"}}, {"issuer": "https://a"}, False),
        ({"types": (UCI,)}, {}, False),
        ({"types": (UCI, SIGNATURE)}, {}, True),
        ({"types": ()}, {}, False),
    ],
    ids=str,
)
def test_whom_a_list_speaks_for(world: World, says_of: dict[str, Any], asked: dict[str, Any], covered: bool) -> None:
    said: dict[str, Any] = {name: v if name == "types" else frozenset(v) for name, v in says_of.items()}
    world.install(lists({}, **said))
    assert (world.ask(key(1), **asked) is Standing.CLEAR) == covered


def test_a_certificate_without_any_identifier_is_not_cleared(world: World) -> None:
    world.install(lists({"a": [key(1)]}, countries=frozenset({"*"})))
    assert world.ask() is Standing.UNKNOWN
    assert world.store.ask(Subject(kid=KID, country="FR", identifiers={}), NOW).standing is Standing.UNKNOWN


def test_when_an_answer_ends(world: World) -> None:
    assert world.answer(key(1)).fresh_until is None
    world.install(lists({}), name="a", max_age=HOUR)
    world.install(lists({}), name="b", max_age=2 * HOUR)
    assert world.answer(key(1)).fresh_until == NOW + 2 * HOUR
    world.install(lists({}), name="c", max_age=None)
    assert world.answer(key(1)).fresh_until is None


# --- Filters ---


def test_odds_are_those_of_all_filters_that_were_asked(world: World) -> None:
    many = [b"\0" + key(number)[:15] for number in range(100)]

    def script(into: Any, *_: Any) -> Any:
        into.add_filter("a", KID, None, "0", bloom_of(*many, n=30, p=0.1), Origin(), bloom=True)
        into.add_filter("b", None, None, "0", bloom_of(*many[1:], n=20, p=0.1), Origin(), bloom=True)
        listed = varhash.VariableHashList.create(3, Mode.POINT, 0.1, minimum=4)
        for one in many[2:5]:
            listed.add(one)
        into.add_filter("c", KID, None, "0", listed.to_bytes(), Origin(), bloom=False)
        into.add_filter("over", KID, None, "0", bloom_of(*many), Origin(expires=SECOND - 1), bloom=True)
        into.add_filter("abroad", KID, None, "0", bloom_of(*many), Origin(country="DE"), bloom=True)
        return says(types=(SIGNATURE, UCI), modes={KID: Mode.POINT, b"": Mode.POINT})

    world.install(script)
    measured = {
        segment_row: lookup._measure(world.store.segments("one")[0], segment_row, Mode.POINT)
        for segment_row in world.store.segments("one")[0].all_rows()
        if segment_row.count != len(bloom_of())
    }
    assert len(measured) == 3
    answer = world.answer(many[0])
    assert answer.standing is Standing.POSSIBLE
    assert answer.odds == pytest.approx(min(1.0, sum(measured.values())))
    both = Subject(kid=KID, country="FR", identifiers={SIGNATURE: (many[0],), UCI: (many[3],)})
    assert world.store.ask(both, NOW).odds == pytest.approx(min(1.0, 2 * sum(measured.values())))
    # Another type than the EU's is in none.
    assert world.ask(many[0] + many[1], type=UVCI) is Standing.UNKNOWN
    assert world.ask(many[0], kid=None) is Standing.POSSIBLE or many[0] not in many[1:]


def test_the_better_of_two_filters_is_told(world: World) -> None:
    def rough(into: Any, *_: Any) -> Any:
        into.add_filter("f", KID, None, "0", bloom_of(*(bytes((0, n)) + LOW[2:] for n in range(99)), n=30, p=0.2),
                        Origin(), bloom=True)  # fmt: skip
        return says(modes={KID: Mode.POINT})

    world.install(rough, name="a")
    world.install(filtered(LOW), name="b")
    assert world.answer(LOW).source == "b"
    world.install(filtered(LOW), name="0")
    assert world.answer(LOW).odds < 1e-4


def test_a_filter_that_never_errs_is_still_no_proof_and_no_miss(world: World) -> None:
    # One element among so many bits: the odds are less than the smallest number there is.
    filter_ = BloomFilter(Header(127, 0.5, 1, 0, 1 << 16), bytearray(20 + 4 * (1 << 16)))
    filter_.add(LOW)
    assert filter_.odds == 0.0

    def script(into: Any, *_: Any) -> Any:
        into.add_filter("f", KID, None, "0", filter_.to_bytes(), Origin(), bloom=True)
        return says(modes={KID: Mode.POINT})

    world.install(script)
    answer = world.answer(LOW)
    assert answer.standing is Standing.POSSIBLE
    assert 0 < answer.odds < 1e-300


@pytest.mark.parametrize("mode", Mode)
def test_filters_are_looked_for_where_the_mode_says(world: World, mode: Mode) -> None:
    one = bytes.fromhex("abcdef") + bytes(13)
    partition, chunk = {"POINT": (None, "a"), "VECTOR": ("a", "b"), "COORDINATE": ("ab", "c")}[mode]

    def script(into: Any, *_: Any) -> Any:
        into.add_filter("f", KID, partition, chunk, bloom_of(one), Origin(), bloom=True)
        return says(modes={KID: mode})

    world.install(script)
    assert world.ask(one) is Standing.POSSIBLE
    assert world.ask(one, kid=OTHER_KID) is Standing.UNKNOWN


def test_filters_behind_an_overlay_count_until_they_are_withdrawn(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    overlaid(monkeypatch)

    def base(into: Any, *_: Any) -> Any:
        into.add("a", PLACE, [key(number) for number in range(50)], Origin())
        into.add_filter("f", KID, None, "0", bloom_of(LOW), Origin(), bloom=True)
        return says(modes={KID: Mode.POINT})

    world.install(base)
    world.install(lists({"b": [key(99)]}, whole=False, modes={KID: Mode.POINT}))
    assert len(world.store.segments("one")) == 2
    assert (world.head().filters, world.ask(LOW), world.ask(key(99))) == (1, Standing.POSSIBLE, Standing.HIT)

    def withdraws(into: Any, *_: Any) -> Any:
        into.withdraw("f")
        return says(whole=False, modes={KID: Mode.POINT})

    world.install(withdraws)
    assert len(world.store.segments("one")) == 2
    assert (world.head().filters, world.ask(LOW), world.ask(key(1))) == (0, Standing.CLEAR, Standing.HIT)
    monkeypatch.setattr("healthcert.revocation.gathering._SMALL", 10**6)
    world.install(lists({"c": [key(98)]}, whole=False, modes={KID: Mode.POINT}))
    assert len(world.store.segments("one")) == 1
    assert (world.head().filters, world.head().dead, world.ask(LOW)) == (0, (), Standing.CLEAR)


# --- Opening ---


def test_a_folder_that_is_not_there_is_an_empty_store(tmp_path: Path) -> None:
    store = RevocationStore.open(tmp_path / "none" / "such")
    assert (len(store), bool(store), store.environment, store.types) == (0, False, None, frozenset())
    assert store.ask(subject(key(1)), NOW).standing is Standing.UNKNOWN
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "empty").mkdir()
    assert not RevocationStore.open(tmp_path / "empty")
    (tmp_path / "killed").mkdir()
    (tmp_path / "killed" / LEDGER).touch()
    assert not RevocationStore.open(tmp_path / "killed")


def test_a_file_where_the_folder_should_be_is_no_empty_store(tmp_path: Path) -> None:
    (tmp_path / "trust.db").touch()
    with pytest.raises(RevocationError) as error:
        RevocationStore.open(tmp_path / "trust.db")
    assert code_of(error) is Code.REVOCATION_STORE_UNREADABLE


def is_told(world: World) -> None:
    """Whoever opens the store now learns which list is damaged, and nothing is clear to them."""
    store = RevocationStore.open(world.folder)
    assert store.damaged == {world.head().source}
    assert store
    with pytest.raises(RevocationError) as error:
        store.ask(subject(key(999)), NOW)
    assert code_of(error) is Code.REVOCATION_STORE_UNREADABLE
    # Who had it open still has what it was.
    assert world.ask(key(1)) is Standing.HIT


def segment_of(world: World) -> Path:
    return world.folder / world.head().files[0].name


@pytest.fixture
def full(world: World) -> World:
    world.install(lists({"a": [key(number) for number in range(50)]}))
    return world


def test_a_missing_or_another_segment_is_told(full: World) -> None:
    path = segment_of(full)
    data = path.read_bytes()
    path.unlink()
    is_told(full)
    path.mkdir()
    is_told(full)
    path.rmdir()
    for wrong in (data[:-1], data + b"\0", data[:50], b"", bytes(len(data)), b"X" + data[1:]):
        path.write_bytes(wrong)
        is_told(full)
    path.write_bytes(data)
    # One of the same length, whole in itself, is not the one that was written, either.
    full.install(lists({"a": [key(number + 1) for number in range(50)]}), name="two")
    other = full.folder / full.head("two").files[0].name
    assert other.stat().st_size == len(data)
    path.write_bytes(other.read_bytes())
    is_told(full)
    # What another list has is a hit all the same.
    beside = RevocationStore.open(full.folder)
    assert beside.ask(subject(key(1)), NOW).source == "two"
    # An update of the damaged list makes it whole, and what was remembered of it is not forgotten.
    full.install(lists({"a": [key(number) for number in range(50)]}))
    assert RevocationStore.open(full.folder).damaged == frozenset()
    assert full.ask(key(1)) is Standing.HIT


def test_a_reader_tries_again_when_a_list_was_replaced_meanwhile(full: World, monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[int] = []
    real = ledger.read_state

    def replaced_after(path: Path) -> Any:
        state = real(path)
        if not reads:
            reads.append(1)
            full.install(lists({"b": [key(77)]}))
        return state

    reader = RevocationStore.open(full.folder)
    monkeypatch.setattr(ledger, "read_state", replaced_after)
    reader.reload()
    assert reader.ask(subject(key(77)), NOW).standing is Standing.HIT
    assert reader.ask(subject(key(1)), NOW).standing is Standing.CLEAR


@pytest.mark.parametrize("change", [{"modes": {KID: "SPIRAL"}}, {"max_age": -1}, {"types": b"\xff"}], ids=str)
def test_a_head_that_says_anything_raises_nothing_else(full: World, change: dict[str, Any]) -> None:
    with transaction(full.folder / LEDGER) as entry:
        entry.put(replace(full.head(), **change), {}, {})
    code = refusal(lambda: RevocationStore.open(full.folder).ask(subject(key(1)), NOW))
    assert code in (None, Code.REVOCATION_STORE_UNREADABLE)


# --- Damage that is met while asking ---


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        overlaid(patch)
        world = World(tmp_path_factory.mktemp("sound") / "store", patch)

        def script(into: Any, *_: Any) -> Any:
            for number in range(3):
                into.add(str(number), PLACE, [key(n) for n in range(number, 60, 3)], Origin(country="FR"))
            into.add("any", Place(SIGNATURE), [key(n) for n in range(60, 90)], Origin())
            into.add_filter("f", KID, None, "0", bloom_of(LOW), Origin(), bloom=True)
            into.add_filter("v", KID, None, "0", LISTED, Origin(), bloom=False)
            return says(modes={KID: Mode.POINT})

        world.install(script)
        world.install(lists({"over": [key(n) for n in range(90, 99)]}, whole=False, modes={KID: Mode.POINT}))
        assert len(world.files()) == 2
        return world, {name: (world.folder / name).read_bytes() for name in world.files()}


LISTED = b"\0\1" + b"\x35\x86\x37\xbd" + (2).to_bytes(4, "big") + b"\4" + b"\0\0\0\0\0\0\0\1"


def asked_about(world: World) -> None:
    """Opens the store, asks, and checks it; nothing may come of it but answers and the refusal of a damaged store."""

    def asks() -> None:
        store = RevocationStore.open(world.folder)
        for one in (LOW, b"\0" * 15 + b"\1", *map(key, range(0, 110, 7))):
            for kid in (KID, OTHER_KID):
                store.ask(subject(one, kid=kid, not_before=1.0), NOW)
        for found in store.segments("one"):
            found.check()

    assert refusal(asks) is Code.REVOCATION_STORE_UNREADABLE


@settings(derandomize=True, deadline=None, max_examples=100)
@given(
    which=st.integers(0, 1),
    changes=st.lists(st.tuples(st.floats(0, 0.999), st.binary(min_size=1, max_size=9)), min_size=1, max_size=4),
)
def test_random_bytes_in_a_segment_raise_nothing_else(
    sound: tuple[World, dict[str, bytes]], which: int, changes: list[tuple[float, bytes]]
) -> None:
    world, good = sound
    name = sorted(good)[which]
    data = bytearray(good[name])
    for place, octets in changes:
        start = form.HEADER_BYTES + int(place * (len(data) - form.HEADER_BYTES))
        data[start : start + len(octets)] = octets[: len(data) - start]
    if data == good[name]:
        data[-1] ^= 1
    path = world.folder / name
    beside = path.with_suffix(".new")
    beside.write_bytes(data)
    beside.replace(path)
    try:
        asked_about(world)
    finally:
        beside.write_bytes(good[name])
        beside.replace(path)


@pytest.mark.parametrize("octet", [0, 1, 0x7F, 0x80, 0xFF])
def test_every_byte_of_the_tables_may_be_anything(sound: tuple[World, dict[str, bytes]], octet: int) -> None:
    world, good = sound
    for name, data in good.items():
        origins, _, rows = form.HEADER.unpack(data[: form.HEADER.size])[2:5]
        path = world.folder / name
        for place in range(origins, len(data)):
            if data[place] == octet:
                continue
            beside = path.with_suffix(".new")
            beside.write_bytes(data[:place] + bytes((octet,)) + data[place + 1 :])
            beside.replace(path)
            if place % 3 == octet % 3 or place > rows:
                asked_about(world)
        beside.write_bytes(data)
        beside.replace(path)


# --- Speed, memory and threads ---


def test_asking_needs_neither_the_ledger_nor_a_file(full: World, monkeypatch: pytest.MonkeyPatch) -> None:
    full.store.reload()
    monkeypatch.setattr(sqlite3, "connect", lambda *_, **__: pytest.fail("the ledger was asked"))
    monkeypatch.setattr(Path, "open", lambda *_, **__: pytest.fail("a file was opened"))
    assert full.ask(key(1)) is Standing.HIT
    assert full.ask(key(99)) is Standing.CLEAR
    assert full.ask(key(99), kid=OTHER_KID) is Standing.UNKNOWN


def test_each_section_is_searched_once(full: World, monkeypatch: pytest.MonkeyPatch) -> None:
    full.install(lists({"a": [key(99)]}, place=Place(SIGNATURE)), name="any")
    searched: list[int] = []
    real = Section.find

    def finds(self: Section, one: bytes) -> int | None:
        searched.append(id(self))
        return real(self, one)

    monkeypatch.setattr(Section, "find", finds)
    for kid, issuer in ((KID, None), (None, None), (None, ""), (KID, "")):
        searched.clear()
        assert full.ask(key(50), kid=kid, issuer=issuer) is not Standing.HIT
        assert len(searched) == len(set(searched)) == (1 if kid is None else 2)


def test_what_is_kept_in_mind_is_bounded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookup, "_MEASURED", 10)
    monkeypatch.setattr(revocation_store, "_KEYS", 10)

    def script(into: Any, *_: Any) -> Any:
        into.add("a", PLACE, [key(1)], Origin())
        for number in range(16):
            into.add_filter(
                f"f{number}", KID, None, f"{number:x}", bloom_of(bytes((number * 16,)) + LOW[1:]), Origin(), bloom=True
            )
        return says(modes={KID: Mode.POINT})

    world.install(script)
    (one,) = world.store._index.lists
    for number in range(50):
        assert world.ask(key(number), kid=str(number).encode()) is Standing.UNKNOWN
        assert world.ask(bytes((number % 16 * 16,)) + LOW[1:]) is Standing.POSSIBLE
    assert world.ask(key(1)) is Standing.HIT
    assert len(world.store._index._by_key) <= 10
    assert len(one._measured) == 10


def test_thirty_thousand_kids_open_without_being_read(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    kids = [number.to_bytes(8, "big") for number in range(30_000)]

    def script(into: Any, *_: Any) -> Any:
        for number, kid in enumerate(kids):
            into.add(kid.hex(), Place(SIGNATURE, kid), [key(number), key(-1)], Origin())
        return says(kids=frozenset(kids))

    world.install(script)
    rows: list[int] = []
    real = form.Segment._row

    def row(self: form.Segment, number: int) -> form.Row:
        rows.append(number)
        return real(self, number)

    monkeypatch.setattr(form.Segment, "_row", row)
    store = RevocationStore.open(world.folder)
    assert rows == []
    for number in range(0, 30_000, 37):
        for other, standing in ((number, Standing.HIT), (number + 1, Standing.CLEAR), (-1, Standing.HIT)):
            assert store.ask(subject(key(other), kid=kids[number]), NOW).standing is standing
    assert len(rows) < 5 * 30_000 / 37
    assert len(store) == 60_000


def test_threads_ask_while_another_takes_in(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    # Each list names the certificates of one number modulo 3, and the one that all have.
    def numbered(number: int) -> Any:
        return lists({"a": [key(0), *(key(n) for n in range(1, 100) if n % 3 == number % 3)]})

    world.install(numbered(0))
    shared = RevocationStore.open(world.folder)
    problems: list[BaseException] = []
    done = threading.Event()

    def asks() -> None:
        try:
            while not done.is_set():
                assert shared.ask(subject(key(0)), NOW).standing is Standing.HIT
                assert shared.ask(subject(key(200)), NOW).standing is Standing.CLEAR
                shared.reload()
        except BaseException as error:  # noqa: BLE001
            problems.append(error)

    threads = [threading.Thread(target=asks) for _ in range(3)]
    for thread in threads:
        thread.start()
    for number in range(1, 25):
        world.install(numbered(number))
    done.set()
    for thread in threads:
        thread.join()
    assert problems == []
    shared.reload()
    assert shared.ask(subject(key(3)), NOW).standing is Standing.HIT
