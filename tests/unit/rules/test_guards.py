"""What an attacker who owns the network may try with a source's rules, and the guard that stops each of it.

Every attack is tried twice: with its guard, which refuses it, and without, when it succeeds.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import healthcert as hc
from healthcert.errors import RuleError
from healthcert.lists.anchors import Environment
from healthcert.rules import guards
from healthcert.rules.feed import RuleChange
from healthcert.rules.store import RuleStore
from healthcert.rules.update import install_rules, remove_rules
from tests.support import DAY, NOW
from tests.unit.rules.lists import HOUR, feed, list_of, rule_document, rules_of, value_set
from tests.vectors.mutants import function_mutants, installed

pytestmark = pytest.mark.usefixtures("_signed_lists")
FRENCH, MORE = rules_of(FR=4), rules_of(FR=4, AT=1)
ENDED = rule_document("GR-IT-0001", ValidTo="2021-08-01T00:00:00Z")
CODES = [str(number) for number in range(8)]


def put(store: RuleStore, parts: Any, at: datetime = NOW, **changes: Any) -> RuleChange:
    force = changes.pop("force", False)
    return install_rules(store, feed(**changes), parts, clock=hc.FixedClock(at), force=force)


def replayed(store: RuleStore) -> None:
    """An older list, good in its day, is served again: the rule that was dropped since would come back."""
    old = list_of(*MORE, at=NOW - HOUR)
    put(store, old)
    put(store, list_of(*MORE[:4], MORE[4] | {"Version": "1.0.1"}, at=NOW))
    put(store, old)


def older_and_never_seen(store: RuleStore) -> None:
    """An older list is served that this verifier never saw: somebody kept it back."""
    put(store, list_of(*FRENCH, at=NOW))
    put(store, list_of(*MORE, at=NOW - HOUR))


def two_of_one_number(store: RuleStore) -> None:
    """Two lists of one number: some are shown one, some the other."""
    put(store, list_of(*FRENCH, at=NOW))
    put(store, list_of(*MORE, at=NOW))


def number_taken_off(store: RuleStore) -> None:
    """A list that tells its number is followed by one that has none, as if nothing was to be compared."""
    put(store, list_of(*FRENCH, at=NOW))
    remove_rules(store, "signed")
    put(store, list_of(*FRENCH))


def of_an_earlier_moment(store: RuleStore) -> None:
    """A list without a number that is of an earlier moment than the one before."""
    put(store, list_of(*FRENCH, issued_at=NOW.isoformat()))
    put(store, list_of(*MORE, issued_at=(NOW - DAY).isoformat()))


def moment_taken_off(store: RuleStore) -> None:
    """A list that tells its moment is followed by one that does not."""
    put(store, list_of(*FRENCH, issued_at=NOW.isoformat()))
    put(store, list_of(*MORE))


def replaced_before(store: RuleStore) -> None:
    """A list that nothing orders comes back after it was replaced."""
    old = list_of(*FRENCH)
    put(store, old)
    put(store, list_of(*rules_of(FR=5)))
    put(store, old)


def older_version(store: RuleStore) -> None:
    """Nothing signs the list, and of one rule the version before is served, which lets more pass."""
    put(store, list_of(*FRENCH, rule_document("GR-FR-0003", Version="1.0.10"), signed=False))
    put(store, list_of(*FRENCH[:3], rule_document("GR-FR-0003", Version="1.0.9"), signed=False))


def older_version_after_a_while(store: RuleStore) -> None:
    """First a rule is held back, which the loss that is allowed covers, and then it is served in its version before."""
    put(store, list_of(*FRENCH, rule_document("GR-FR-0009", Version="1.0.10"), signed=False))
    put(store, list_of(*FRENCH, signed=False))
    put(store, list_of(*FRENCH, rule_document("GR-FR-0009", Version="1.0.9"), signed=False))


def half_replaced_before(store: RuleStore) -> None:
    """Of two lists that are signed each for itself, one is the new one, and the other one that was replaced."""
    put(store, list_of(*FRENCH, signatures=["rules 1", "sets 1"]))
    put(store, list_of(*FRENCH, signatures=["rules 2", "sets 2"]))
    put(store, list_of(*FRENCH, signatures=["rules 1", "sets 3"]))


def ended(store: RuleStore) -> None:
    """A list is served after its end."""
    put(store, list_of(*FRENCH, at=NOW - 3 * DAY, expires_at=(NOW - DAY).isoformat()))


def many_gone(store: RuleStore) -> None:
    """Half of the rules are gone at once."""
    put(store, list_of(*FRENCH))
    put(store, list_of(*FRENCH[:2]))


def country_gone(store: RuleStore) -> None:
    """All rules of one country are gone, few as they are."""
    put(store, list_of(*rules_of(FR=9, AT=1), at=NOW - HOUR))
    put(store, list_of(*rules_of(FR=9), at=NOW))


def invalidation_gone(store: RuleStore) -> None:
    """The one rule is gone that refuses certificates of a country that it should not have issued."""
    put(store, list_of(*rules_of(DE=9), rule_document("IR-DE-0001"), signed=False))
    put(store, list_of(*rules_of(DE=9), signed=False))


def document_gone(store: RuleStore) -> None:
    """The settings of a country are gone."""
    put(store, list_of(*FRENCH, national={"it": "[]"}))
    put(store, list_of(*FRENCH))


def codes_gone(store: RuleStore) -> None:
    """Half of the codes of a value set are gone: whoever has one of them would be refused."""
    put(store, list_of(*FRENCH, value_set("vaccines", *CODES)))
    put(store, list_of(*FRENCH, value_set("vaccines", *CODES[:4])))


def value_set_gone(store: RuleStore) -> None:
    """A value set is gone, which no loss that is allowed stands for."""
    put(store, list_of(*FRENCH, value_set("vaccines")))
    put(store, list_of(*FRENCH), max_loss=1)


def emptied(store: RuleStore) -> None:
    """The list is empty, and nothing signs it."""
    put(store, list_of(signed=False))


def unreadable(store: RuleStore) -> None:
    """Nothing on the list can be used, though its signature is good."""
    put(store, list_of(rule_document(Logic=None)))


def clock_behind_the_list(store: RuleStore) -> None:
    """The machine's clock stands before the list was made: it would take any old one for fresh."""
    put(store, list_of(*FRENCH, at=NOW), NOW - DAY)


def clock_behind_the_store(store: RuleStore) -> None:
    """The machine's clock was set back behind a list in use, and an older one of another source is served."""
    put(store, list_of(*FRENCH, at=NOW))
    put(store, list_of(*FRENCH, at=NOW - 30 * DAY), NOW - 30 * DAY, name="other")


def of_the_test_environment(store: RuleStore) -> None:
    """A list of the test environment reaches a store for production."""
    put(store, list_of(*FRENCH))
    put(store, list_of(*FRENCH), name="other", environment=Environment.TEST)


def another_format(store: RuleStore) -> None:
    """A list of another format takes the name, and with it the place, of one in use."""
    put(store, list_of(*FRENCH))
    parts = {"rules": json.dumps(MORE).encode()}
    put(store, parts, format="bundle", anchors=())


Attack = Callable[[RuleStore], None]
ATTACKS: dict[Attack, tuple[str, str]] = {
    replayed: ("check_order", "RULE_LIST_ROLLED_BACK"),
    older_and_never_seen: ("check_order", "RULE_LIST_ROLLED_BACK"),
    two_of_one_number: ("check_order", "RULE_LIST_EQUIVOCATES"),
    number_taken_off: ("check_order", "RULE_LIST_ROLLED_BACK"),
    of_an_earlier_moment: ("check_newest", "RULE_LIST_ROLLED_BACK"),
    moment_taken_off: ("check_newest", "RULE_LIST_ROLLED_BACK"),
    replaced_before: ("check_newest", "RULE_LIST_ROLLED_BACK"),
    older_version: ("check_newest", "RULE_LIST_ROLLED_BACK"),
    older_version_after_a_while: ("check_newest", "RULE_LIST_ROLLED_BACK"),
    half_replaced_before: ("check_newest", "RULE_LIST_ROLLED_BACK"),
    ended: ("check_time", "RULE_LIST_EXPIRED"),
    many_gone: ("check_loss", "RULE_LIST_SHRANK"),
    country_gone: ("check_loss", "RULE_LIST_SHRANK"),
    invalidation_gone: ("check_loss", "RULE_LIST_SHRANK"),
    document_gone: ("check_loss", "RULE_LIST_SHRANK"),
    codes_gone: ("check_loss", "RULE_LIST_SHRANK"),
    value_set_gone: ("check_loss", "RULE_LIST_SHRANK"),
    emptied: ("check_entries", "RULE_LIST_UNREADABLE"),
    unreadable: ("check_entries", "RULE_LIST_UNREADABLE"),
    clock_behind_the_list: ("check_time", "CLOCK_BEHIND"),
    clock_behind_the_store: ("check_clock", "CLOCK_BEHIND"),
    of_the_test_environment: ("check_environment", "ENVIRONMENT_MIXED"),
    another_format: ("check_format", "RULE_CONFIG_INVALID"),
}
WITHOUT_RULES = ("ended", "emptied", "unreadable", "clock_behind_the_list", "number_taken_off")
FORCEABLE = {attack for attack, (guard, _) in ATTACKS.items() if guard in ("check_newest", "check_loss")}
BY_NAME = {attack.__name__: attack for attack in ATTACKS}


@pytest.mark.parametrize("name", BY_NAME)
@pytest.mark.parametrize("kept", ["in memory", "in a file"])
def test_an_attack_is_refused_and_changes_nothing(name: str, kept: str, tmp_path: Path) -> None:
    store = RuleStore() if kept == "in memory" else RuleStore.open(tmp_path / "rules.db")
    with pytest.raises(RuleError) as caught:
        BY_NAME[name](store)
    assert caught.value.code == ATTACKS[BY_NAME[name]][1]
    before = [(rule.identifier, rule.version, rule.logic) for rule in store.book.rules]
    assert bool(before) is (name not in WITHOUT_RULES)
    if kept == "in a file" and before:
        kept_rules = RuleStore.open(tmp_path / "rules.db").book.rules
        assert [(rule.identifier, rule.version, rule.logic) for rule in kept_rules] == before


@pytest.mark.parametrize("name", BY_NAME)
def test_an_attack_succeeds_without_its_guard(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guards, ATTACKS[BY_NAME[name]][0], lambda *_: None)
    store = RuleStore()
    BY_NAME[name](store)
    assert store.lists


def test_every_guard_is_attacked() -> None:
    assert {guard for guard, _ in ATTACKS.values()} == {name for name in vars(guards) if name.startswith("check_")}


def test_no_line_of_a_guard_can_be_taken_out_unnoticed() -> None:
    honest(RuleStore())
    mutants = list(function_mutants("healthcert.rules.guards", frozenset()))
    assert len(mutants) > 30
    unnoticed = []
    for mutant in mutants:
        with installed(mutant, ()):
            if not _noticed() and mutant.name not in EQUIVALENT:
                unnoticed.append(str(mutant))
    assert not unnoticed, "nothing needs these:\n" + "\n".join(unnoticed)


EQUIVALENT: set[tuple[str, str, str, str]] = set()


def _noticed() -> bool:
    """Whether, with the guards as they are now, an attack gets through or an honest list does not."""
    try:
        honest(RuleStore())
    except Exception:  # noqa: BLE001 A mutant may break what it likes.
        return True
    for attack, (_, code) in ATTACKS.items():
        try:
            attack(RuleStore())
        except RuleError as error:
            if error.code == code:
                continue
        except Exception:  # noqa: BLE001
            return True
        return True
    return False


def test_what_honest_publishers_do_is_accepted(tmp_path: Path) -> None:
    honest(RuleStore.open(tmp_path / "rules.db"))


def honest(store: RuleStore) -> None:
    first, second = list_of(*FRENCH, at=NOW - HOUR, expires_at=(NOW + HOUR).isoformat()), list_of(*MORE, at=NOW)
    assert len(put(store, first).added) == 4
    assert put(store, first).unchanged
    change = put(store, second)
    assert (len(change.added), len(change.removed), change.kept) == (1, 0, 4)
    # A number orders better than the versions of rules do.
    put(store, list_of(*MORE[:4], MORE[4] | {"Version": "0.9.0"}, at=NOW + timedelta(seconds=60)))
    # Without a number: the same list again, further rules, other versions, and a quarter of its rules less.
    one = list_of(*FRENCH, value_set("vaccines", *CODES), issued_at=(NOW - DAY).isoformat())
    put(store, one, name="dated")
    put(store, one, name="dated")
    put(store, list_of(*FRENCH[:3], value_set("vaccines", *CODES[:6]), issued_at=NOW.isoformat()), name="dated")
    # One that has no number comes to have one; the number counts.
    put(store, list_of(*FRENCH, value_set("vaccines", *CODES), at=NOW - HOUR), name="dated")
    # Nothing unsigned tells the order, so that an unsigned list may be again what it was.
    for rules in (FRENCH, MORE[:4], rules_of(FR=5), FRENCH):
        put(store, list_of(*rules, signed=False), name="unsigned")
    # What has ended may go, also when it was all of a country; and what is gone in many versions is one rule.
    put(store, list_of(*FRENCH, ENDED), name="ending")
    put(store, list_of(*FRENCH), name="ending")
    versions = [FRENCH[0] | {"Version": f"1.0.{number}"} for number in range(9)]
    put(store, list_of(*versions, *FRENCH[1:]), name="versions")
    put(store, list_of(versions[-1], *FRENCH[1:]), name="versions")
    # A signed list may say that there is nothing, an unsigned one consist of value sets or documents alone.
    put(store, list_of(countries=["FR"]), name="empty")
    put(store, list_of(value_set(), signed=False), name="sets")
    put(store, list_of(national={"it": "[]"}, signed=False), name="settings")
    # The clock of an unsigned list proves nothing.
    put(store, list_of(*FRENCH, issued_at=(NOW + timedelta(seconds=60)).isoformat(), signed=False), name="clock")
    put(store, list_of(*FRENCH, at=NOW), NOW - timedelta(seconds=200), name="skewed")


@pytest.mark.parametrize("skew", [timedelta(seconds=299), timedelta(seconds=301)])
def test_clocks_may_differ_by_five_minutes(skew: timedelta) -> None:
    refused = skew > guards.CLOCK_SKEW
    for clock in (hc.FixedClock(NOW - skew), hc.FixedClock(NOW + HOUR + skew)):
        parts = list_of(*FRENCH, at=NOW, expires_at=(NOW + HOUR).isoformat())
        store = RuleStore()
        if refused:
            with pytest.raises(RuleError, match=r"CLOCK_BEHIND|RULE_LIST_EXPIRED"):
                install_rules(store, feed(), parts, clock=clock)
        else:
            install_rules(store, feed(), parts, clock=clock)
        assert bool(store.lists) is not refused


@pytest.mark.parametrize("name", sorted(attack.__name__ for attack in FORCEABLE))
def test_force_accepts_what_may_be_honest(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    original = put
    monkeypatch.setattr(f"{__name__}.put", lambda *args, **changes: original(*args, **changes | {"force": True}))
    store = RuleStore()
    BY_NAME[name](store)
    assert store.lists


@pytest.mark.parametrize("name", sorted(attack.__name__ for attack in ATTACKS.keys() - FORCEABLE))
def test_force_accepts_nothing_else(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    original = put
    monkeypatch.setattr(f"{__name__}.put", lambda *args, **changes: original(*args, **changes | {"force": True}))
    with pytest.raises(RuleError, match=ATTACKS[BY_NAME[name]][1]):
        BY_NAME[name](RuleStore())


def test_a_removed_source_cannot_bring_back_an_old_list(tmp_path: Path) -> None:
    store = RuleStore.open(tmp_path / "rules.db")
    old = list_of(*MORE, at=NOW - HOUR)
    put(store, old)
    put(store, list_of(*MORE, at=NOW))
    assert remove_rules(store, "signed")
    assert not store.book.rules
    for one in (store, RuleStore.open(tmp_path / "rules.db")):
        with pytest.raises(RuleError, match="older than"):
            put(one, old)
    assert not remove_rules(store, "signed")
    assert remove_rules(store, "signed", forget=True)
    assert len(put(store, old).added) == 5


def test_only_so_many_replaced_lists_are_remembered() -> None:
    store = RuleStore()
    for number in range(70):
        put(store, list_of(*FRENCH, number=number))
    assert len(store.state.memories["signed"].superseded) == 64
