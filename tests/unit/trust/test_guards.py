"""What an attacker who owns the network may try with a source's lists, and the guard that stops each of it.

Every attack is tried twice: with its guard, which refuses it, and without, when it succeeds.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import healthcert as hc
from healthcert.lists.anchors import Environment
from healthcert.trust import guards
from healthcert.trust.database import Memory
from healthcert.trust.sources.protocol import TrustList
from healthcert.trust.update import Change, install_list
from tests.support import DAY, NOW, Press
from tests.unit.trust.lists import (
    HOUR,
    authorities_alone,
    bundled,
    dscs,
    feed,
    narrowing,
    numbered,
    undated,
    unnumbered,
    unsigned,
)
from tests.unit.trust.lists import emptied as empty_list
from tests.vectors.mutants import function_mutants, installed

FRENCH, MORE = dscs(FR=4), dscs(FR=4, AT=1)


def put(store: hc.TrustStore, format_: str, parts: Any, at: datetime = NOW, **changes: Any) -> Change:
    force = changes.pop("force", False)
    return install_list(store, feed(format_, **changes), parts, clock=hc.FixedClock(at), force=force)


def replayed(store: hc.TrustStore) -> None:
    """An older list, good in its day, is served again: the key that was withdrawn since would come back."""
    old = numbered(MORE, NOW - HOUR)
    put(store, "at", old)
    put(store, "at", numbered(dscs(FR=4, AT=1)[:5], NOW))
    put(store, "at", old)


def older_and_never_seen(store: hc.TrustStore) -> None:
    """An older list is served that this verifier never saw: somebody kept it back."""
    put(store, "at", numbered(FRENCH, NOW))
    put(store, "at", numbered(MORE, NOW - HOUR))


def two_of_one_number(store: hc.TrustStore) -> None:
    """Two lists of one number: some are shown one, some the other."""
    put(store, "at", numbered(FRENCH, NOW))
    put(store, "at", numbered(MORE, NOW))


def number_taken_off(store: hc.TrustStore) -> None:
    """A list that tells its number is followed by one that has none, as if nothing was to be compared."""
    put(store, "at", numbered(FRENCH, NOW))
    store.remove_source("at")
    install_list(store, feed("de", name="at"), unnumbered(FRENCH, NOW), clock=hc.FixedClock(NOW))


def time_taken_off(store: hc.TrustStore) -> None:
    """A list that tells the time of its entries is followed by one that does not."""
    put(store, "de", unnumbered(FRENCH, NOW))
    store.remove_source("de")
    put(store, "fr", undated(FRENCH), name="de", anchors=())


def older_entries(store: hc.TrustStore) -> None:
    """A list without a number whose newest entry is older than that of the list before."""
    put(store, "de", unnumbered(FRENCH, NOW))
    put(store, "de", unnumbered(FRENCH, NOW - DAY))


def replaced_before(store: hc.TrustStore) -> None:
    """A list without a number, of the same newest entry, comes back after it was replaced."""
    old = unnumbered(MORE, NOW)
    put(store, "de", old)
    put(store, "de", unnumbered(dscs(FR=5, AT=1), NOW))
    put(store, "de", old)


def ended(store: hc.TrustStore) -> None:
    """A list is served after its end."""
    put(store, "at", numbered(FRENCH, NOW - 3 * DAY))


def many_gone(store: hc.TrustStore) -> None:
    """Half of the keys are gone at once."""
    put(store, "de", unnumbered(FRENCH, NOW))
    put(store, "de", unnumbered(FRENCH[:2], NOW))


def country_gone(store: hc.TrustStore) -> None:
    """All keys of one country are gone, few as they are."""
    put(store, "at", numbered(dscs(FR=9, AT=1), NOW - HOUR))
    put(store, "at", numbered(dscs(FR=9), NOW))


def emptied(store: hc.TrustStore) -> None:
    """The list is empty, its signature good."""
    put(store, "de", empty_list())


def clock_behind_the_list(store: hc.TrustStore) -> None:
    """The machine's clock stands before the list was made: it would take any old one for fresh."""
    put(store, "bundle", bundled(NOW), NOW - DAY)


def clock_behind_the_store(store: hc.TrustStore) -> None:
    """The machine's clock was set back behind a list in use, and an older one of another source is served."""
    put(store, "bundle", bundled(NOW))
    put(store, "at", numbered(FRENCH, NOW - 30 * DAY), NOW - 30 * DAY)


def of_the_test_environment(store: hc.TrustStore) -> None:
    """A list of the test environment reaches a store for production."""
    put(store, "de", unnumbered(FRENCH, NOW))
    put(store, "at", numbered(FRENCH, NOW), environment=Environment.TEST)


def another_format(store: hc.TrustStore) -> None:
    """A list of another source takes the name, and with it the place, of one in use."""
    put(store, "de", unnumbered(FRENCH, NOW))
    put(store, "at", numbered(FRENCH, NOW), name="de")


def replaced_before_in_another_wrapping(store: hc.TrustStore) -> None:
    """A list that was replaced comes back with a byte more where nothing is signed."""
    old = unnumbered(MORE, NOW)
    put(store, "de", old)
    put(store, "de", unnumbered(dscs(FR=5, AT=1), NOW))
    put(store, "de", {"list": old["list"].replace(b"\n", b"\r\n", 1)})


def one_document_older(store: hc.TrustStore) -> None:
    """Of a list in several documents one is older than it was, and all others are newer."""
    older = TrustList((), hc.Assurance.SIGNED_LIST, documents={"did:web:one": 1, "did:web:two": 9})
    guards.check_order(Memory(documents={"did:web:one": 2, "did:web:two": 2}), older, b"")


Attack = Callable[[hc.TrustStore], None]
ATTACKS: dict[Attack, tuple[str, str]] = {
    replayed: ("check_order", "TRUST_LIST_ROLLED_BACK"),
    older_and_never_seen: ("check_order", "TRUST_LIST_ROLLED_BACK"),
    time_taken_off: ("check_newest", "TRUST_LIST_ROLLED_BACK"),
    two_of_one_number: ("check_order", "TRUST_LIST_EQUIVOCATES"),
    number_taken_off: ("check_order", "TRUST_LIST_ROLLED_BACK"),
    older_entries: ("check_newest", "TRUST_LIST_ROLLED_BACK"),
    replaced_before: ("check_order", "TRUST_LIST_ROLLED_BACK"),
    another_format: ("check_format", "TRUST_CONFIG_INVALID"),
    replaced_before_in_another_wrapping: ("check_order", "TRUST_LIST_ROLLED_BACK"),
    one_document_older: ("check_order", "TRUST_LIST_ROLLED_BACK"),
    ended: ("check_time", "TRUST_LIST_EXPIRED"),
    many_gone: ("check_loss", "TRUST_LIST_SHRANK"),
    country_gone: ("check_loss", "TRUST_LIST_SHRANK"),
    emptied: ("check_entries", "TRUST_LIST_UNREADABLE"),
    clock_behind_the_list: ("check_time", "CLOCK_BEHIND"),
    clock_behind_the_store: ("check_clock", "CLOCK_BEHIND"),
    of_the_test_environment: ("check_environment", "ENVIRONMENT_MIXED"),
}
WITHOUT_KEYS = (
    "ended",
    "emptied",
    "clock_behind_the_list",
    "one_document_older",
    "number_taken_off",
    "time_taken_off",
)
BY_NAME = {attack.__name__: attack for attack in ATTACKS}


@pytest.mark.parametrize("name", BY_NAME)
@pytest.mark.parametrize("kept", ["in memory", "in a file"])
def test_an_attack_is_refused_and_changes_nothing(name: str, kept: str, tmp_path: Path) -> None:
    store = hc.TrustStore() if kept == "in memory" else hc.TrustStore.open(tmp_path / "trust.db")
    with pytest.raises(hc.TrustError) as caught:
        BY_NAME[name](store)
    assert caught.value.code == ATTACKS[BY_NAME[name]][1]
    before = {key.kid for key in store}
    assert before or name in WITHOUT_KEYS
    if kept == "in a file" and before:
        assert {key.kid for key in hc.TrustStore.open(tmp_path / "trust.db")} == before


@pytest.mark.parametrize("name", BY_NAME)
def test_an_attack_succeeds_without_its_guard(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guards, ATTACKS[BY_NAME[name]][0], lambda *_: None)
    BY_NAME[name](hc.TrustStore())


def test_every_guard_is_attacked() -> None:
    assert {guard for guard, _ in ATTACKS.values()} == {name for name in vars(guards) if name.startswith("check_")}


def test_no_line_of_a_guard_can_be_taken_out_unnoticed() -> None:
    honest(hc.TrustStore())
    mutants = list(function_mutants("healthcert.trust.guards", frozenset()))
    assert len(mutants) > 30
    unnoticed = []
    for mutant in mutants:
        with installed(mutant, ()):
            if not _noticed() and mutant.name not in EQUIVALENT:
                unnoticed.append(str(mutant))
    assert not unnoticed, "nothing needs these:\n" + "\n".join(unnoticed)


def _noticed() -> bool:
    """Whether, with the guards as they are now, an attack gets through or an honest list does not."""
    try:
        honest(hc.TrustStore())
    except Exception:  # noqa: BLE001 A mutant may break what it likes.
        return True
    for attack, (_, code) in ATTACKS.items():
        try:
            attack(hc.TrustStore())
        except hc.TrustError as error:
            if error.code == code:
                continue
        except Exception:  # noqa: BLE001
            return True
        return True
    return False


EQUIVALENT: set[tuple[str, str, str, str]] = set()


def test_what_honest_publishers_do_is_accepted(tmp_path: Path) -> None:
    honest(hc.TrustStore.open(tmp_path / "trust.db"))


def honest(store: hc.TrustStore) -> None:
    first, second = numbered(FRENCH, NOW - HOUR), numbered(MORE, NOW)
    assert len(put(store, "at", first).added) == 4
    assert put(store, "at", first).unchanged
    change = put(store, "at", second)
    assert (len(change.added), len(change.removed), change.kept) == (1, 0, 4)
    put(store, "de", unnumbered(FRENCH, NOW - DAY))
    put(store, "de", unnumbered(FRENCH, NOW - DAY))  # signed anew, which makes other bytes
    assert put(store, "de", unnumbered(MORE, NOW)).added
    assert len(store) == 5
    assert all(len(key.provenance) == 2 for key in store)
    # One that has no numbers comes to have them; of the two, the number counts.
    store.remove_source("de")
    put(store, "at", numbered(MORE, NOW - HOUR), name="de")
    # Nothing unsigned tells the order, so that an unsigned list may be again what it was.
    for certificates in (FRENCH, MORE[:4], FRENCH):
        put(store, "gb", unsigned(certificates), anchors=())
    put(store, "gb", unsigned(FRENCH[:3]), anchors=())
    put(store, "gb", unsigned(FRENCH), anchors=())
    # A list may have none but those who vouch for others.
    put(store, "pathcheck", authorities_alone(), anchors=())


@pytest.mark.parametrize("skew", [timedelta(seconds=299), timedelta(seconds=301)])
def test_clocks_may_differ_by_five_minutes(skew: timedelta) -> None:
    refused = skew > guards.CLOCK_SKEW
    early, late = hc.FixedClock(NOW - skew), hc.FixedClock(NOW + HOUR + skew)
    for clock, parts, name in ((early, bundled(NOW), "bundle"), (late, numbered(FRENCH, NOW, life=HOUR), "at")):
        store = hc.TrustStore()
        if refused:
            with pytest.raises(hc.TrustError):
                install_list(store, feed(name), parts, clock=clock)
        else:
            install_list(store, feed(name), parts, clock=clock)


@pytest.mark.parametrize(("left", "refused"), [(3, False), (2, True)])
def test_a_quarter_of_the_keys_may_go(left: int, refused: bool) -> None:
    store = hc.TrustStore()
    put(store, "de", unnumbered(FRENCH, NOW))
    if refused:
        with pytest.raises(hc.TrustError, match="2 of 4 keys are gone"):
            put(store, "de", unnumbered(FRENCH[:left], NOW))
    else:
        put(store, "de", unnumbered(FRENCH[:left], NOW))
    assert len(store) == (4 if refused else left)


@pytest.mark.parametrize("attack", [many_gone, country_gone, older_entries])
def test_force_accepts_what_may_be_honest(attack: Attack, monkeypatch: pytest.MonkeyPatch) -> None:
    original = put
    monkeypatch.setattr(f"{__name__}.put", lambda *args, **changes: original(*args, **changes | {"force": True}))
    attack(hc.TrustStore())


@pytest.mark.parametrize(
    "name", sorted(BY_NAME.keys() - {"many_gone", "country_gone", "older_entries", "time_taken_off"})
)
def test_force_accepts_nothing_else(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    original = put
    monkeypatch.setattr(f"{__name__}.put", lambda *args, **changes: original(*args, **changes | {"force": True}))
    with pytest.raises(hc.TrustError):
        BY_NAME[name](hc.TrustStore())


def test_a_removed_source_cannot_bring_back_an_old_list(tmp_path: Path) -> None:
    store = hc.TrustStore.open(tmp_path / "trust.db")
    old = numbered(MORE, NOW - HOUR)
    put(store, "at", old)
    put(store, "at", numbered(MORE, NOW))
    assert store.remove_source("at")
    assert not store
    with pytest.raises(hc.TrustError, match="older than"):
        put(store, "at", old)
    again = hc.TrustStore.open(tmp_path / "trust.db")
    with pytest.raises(hc.TrustError, match="older than"):
        put(again, "at", old)


def test_a_withdrawal_takes_away_one_source_s_word_alone() -> None:
    store = hc.TrustStore()
    put(store, "at", numbered(dscs(FR=5), NOW - HOUR))
    put(store, "de", unnumbered(dscs(FR=5), NOW))
    put(store, "at", numbered(dscs(FR=4), NOW))
    named = {len(key.provenance) for key in store}
    assert (len(store), named) == (5, {1, 2})
    put(store, "de", unnumbered(dscs(FR=4), NOW))
    assert len(store) == 4


def test_a_list_that_is_not_sure_enough_has_no_say() -> None:
    """Somebody who can write an unsigned list must not be able to take away what a signed one gives."""
    store = hc.TrustStore()
    put(store, "de", unnumbered(FRENCH, NOW))
    put(store, "pathcheck", narrowing(FRENCH), anchors=())
    (kid, *_) = {key.kid for key in store}
    (sure,) = store.candidates(kid, assurances=hc.Policy().assurances)
    (both,) = store.candidates(kid)
    assert [one.source for one in sure.provenance] == ["de"]
    assert sure.not_after is not None
    assert both.not_after is not None
    assert both.not_after < NOW < sure.not_after


def test_an_old_list_without_keys_says_nothing_of_a_key_that_is_missing() -> None:
    """It could not have had the key, so that the verdict on a stranger's certificate stays what it is."""
    store = hc.TrustStore()
    put(store, "pathcheck", authorities_alone(), anchors=())
    store.add(hc.TrustStore.from_certificates(dscs(AT=1)))
    late = hc.FixedClock(NOW + 20 * DAY)
    accepting = hc.Policy(assurances=frozenset(hc.Assurance))
    report = hc.Verifier(store, policy=accepting, clock=late).examine(Press().text())
    assert (report.outcome, report.code) == ("refused", "KEY_NOT_IN_TRUST_LIST")
    put(store, "pathcheck", narrowing(FRENCH), anchors=(), name="keys")
    report = hc.Verifier(store, policy=accepting, clock=late).examine(Press().text())
    assert (report.outcome, report.code) == ("undetermined", "TRUST_LIST_EXPIRED")
