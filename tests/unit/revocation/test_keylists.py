"""Lists as they are about the certificates of one key: what is asked of them, and for how long an answer is kept."""

from __future__ import annotations

from datetime import timedelta
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from healthcert.encoding.algorithms import Algorithm
from healthcert.revocation import keylists
from healthcert.revocation.answer import RevocationAnswer, Standing
from healthcert.revocation.batch import Place
from healthcert.revocation.coordinates import Mode
from healthcert.revocation.identifiers import EU_TYPES, IdentifierType, Subject, hcert_identifiers
from healthcert.revocation.segment import Origin
from healthcert.revocation.store import RevocationStore
from tests.unit.revocation.world import (
    HOUR,
    KID,
    NOW,
    OTHER_KID,
    SIGNATURE,
    UCI,
    UVCI,
    World,
    bloom_of,
    key,
    says,
    subject,
)

NL_PROOF = IdentifierType.NL_PROOF
CI, CERTIFICATE = "URN:UVCI:01:FR:1#A", bytes(range(1, 65))
SECOND = timedelta(seconds=1)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return World(tmp_path / "store", monkeypatch)


def listing(named: dict[IdentifierType, bytes], kid: bytes | None = KID, **more: Any) -> Any:
    """A list that names identifiers of these types under a kid."""

    def script(into: Any, *_: Any) -> Any:
        for type_, one in named.items():
            into.add(type_.value, Place(type_, kid), [one], Origin())
        return says(**more)

    return script


def certificate(types: Any = None) -> dict[IdentifierType, tuple[bytes, ...]]:
    """The identifiers of a certificate."""
    return hcert_identifiers(
        signature=CERTIFICATE, algorithm=Algorithm.ES256, entries=[(CI, "FR")], issuer="FR", types=types
    )


def ask(store: RevocationStore, types: Any) -> RevocationAnswer:
    return store.ask(Subject(kid=KID, country="FR", identifiers=certificate(types)), NOW)


@pytest.mark.parametrize(
    ("script", "kid", "needed"),
    [
        (listing({SIGNATURE: key(1)}, types=EU_TYPES), KID, {SIGNATURE}),
        (listing({UCI: key(1)}, types=EU_TYPES), KID, {SIGNATURE, UCI}),
        (listing({}, types=EU_TYPES), KID, {SIGNATURE}),
        (listing({}, types=(UCI, UVCI)), KID, {UCI, UVCI}),
        (listing({}, types=(NL_PROOF, UVCI)), KID, {NL_PROOF}),
        (listing({SIGNATURE: key(1)}, types=EU_TYPES), OTHER_KID, set()),
        (listing({UCI: key(1)}, None, types=EU_TYPES), OTHER_KID, {UCI}),
    ],
    ids=["by signature", "by identifier", "empty", "no signature", "Dutch", "another key", "of whatever key"],
)
def test_only_identifiers_that_tell_something_are_asked_for(
    world: World, script: Any, kid: bytes, needed: set[IdentifierType]
) -> None:
    world.install(script)
    assert world.store.about_key(kid, "FR").types == needed


def test_filters_are_asked_by_all_that_they_may_hold(world: World) -> None:
    def script(into: Any, *_: Any) -> Any:
        into.add_filter("f", KID, None, "0", bloom_of(bytes(16)), Origin(), bloom=True)
        return says(modes={KID: Mode.POINT}, types=(SIGNATURE, UCI))

    world.install(script)
    assert world.store.about_key(KID, "FR").types == {SIGNATURE, UCI}


@pytest.mark.parametrize("speaks", [True, False], ids=["speaks for it", "speaks for others"])
def test_what_is_not_computed_changes_no_answer(world: World, speaks: bool) -> None:
    own = certificate()
    kinds = (SIGNATURE, UCI, NL_PROOF, UVCI)
    standings = set()
    for types, named in product([(SIGNATURE,), (UCI,), (SIGNATURE, UCI), (UVCI, NL_PROOF)], (None, *kinds)):
        if named is not None and named not in types:
            continue
        records = {} if named is None else {named: own[named][0]}
        world.install(listing(records, types=types, kids=frozenset({KID} if speaks else ())), force=True)
        needed = world.store.about_key(KID, "FR").types
        assert needed <= set(types)
        assert ask(world.store, needed) == ask(world.store, None)
        standings.add(ask(world.store, needed).standing)
    assert standings == {Standing.HIT, Standing.CLEAR if speaks else Standing.UNKNOWN}


def test_certificates_that_no_list_names_have_one_answer_until_a_list_ends(world: World) -> None:
    world.install(listing({}), name="short", max_age=HOUR)
    world.install(listing({}), name="long", max_age=3 * HOUR)
    lists = world.store.about_key(KID, "FR")
    for grace in (timedelta(0), HOUR, -SECOND):
        ends = [NOW + HOUR + grace, NOW + 3 * HOUR + grace]
        moments = [NOW, *ends, *(end + SECOND / 4 for end in ends), *(end - SECOND / 4 for end in ends)]
        # The clock may go back, too: what was kept of later is not said of earlier.
        for now in (*sorted(moments), *sorted(moments, reverse=True), *moments):
            answer = lists.ask(subject(key(1)), now, grace)
            assert lists.ask(subject(key(2)), now, grace) is answer
            fresh = {name for name, end in zip(("short", "long"), ends, strict=True) if now <= end}
            assert {one.source for one in answer.lists} == fresh
            assert {one.source for one in answer.overdue} == {"short", "long"} - fresh
            assert answer.standing is (Standing.CLEAR if fresh else Standing.UNKNOWN)


def test_certificates_with_other_identifiers_have_another_answer(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keylists, "_KEPT", 1)
    world.install(listing({}, types=(SIGNATURE,)))
    for _ in range(3):
        assert world.ask(key(1)) is Standing.CLEAR
        assert world.ask(key(1), type=UCI) is Standing.UNKNOWN
        assert world.ask() is Standing.UNKNOWN
    assert len(world.store.about_key(KID, "FR")._answers) == 1


def test_lists_that_are_taken_in_later_are_asked_from_then_on(world: World) -> None:
    world.install(listing({}))
    before = world.store.about_key(KID, "FR")
    assert world.store.about_key(KID, "FR") is before
    assert world.ask(key(1)) is Standing.CLEAR
    world.install(listing({SIGNATURE: key(1)}))
    assert world.ask(key(1)) is Standing.HIT
    assert before.ask(subject(key(1)), NOW, timedelta(0)).standing is Standing.CLEAR
