"""The set of signers: which DSC signs which entry when, and what the authority is warned of."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

import healthcert as hc
from healthcert.issue.pki import KeyPair, new_csca, new_dsc
from healthcert.issue.signer_set import DSC_USE, SignerSet, SignerWarning, Trouble
from healthcert.trust.certificates import read_certificate
from tests.support import DAY, NOW

VACCINATION, TEST, RECOVERY = hc.EntryType.VACCINATION, hc.EntryType.TEST, hc.EntryType.RECOVERY
YEAR = 365 * DAY


@cache
def old_csca() -> KeyPair:
    return new_csca("FR", "Old CSCA", now=NOW - 4 * YEAR, validity=12 * YEAR)


@cache
def made(days: int, *usages: hc.EntryType, lives: int = 730) -> KeyPair:
    """A DSC that begins so many days after now."""
    begins = NOW + days * DAY
    return new_dsc(old_csca(), "DSC", now=begins, usages=usages, validity=lives * DAY)


def of(*pairs: KeyPair, lead: timedelta = timedelta(0), use: timedelta | None = None) -> SignerSet:
    return SignerSet([pair.signer() for pair in pairs], lead=lead, use=use)


def picked(signers: SignerSet, kind: hc.EntryType = VACCINATION, at: datetime = NOW, lives: timedelta = YEAR) -> bytes:
    return signers.pick(kind, at, lives).kid


def kid(pair: KeyPair) -> bytes:
    return pair.signer().kid


def troubles(signers: SignerSet, at: datetime = NOW, within: timedelta = 30 * DAY) -> list[SignerWarning]:
    return list(signers.warnings(at, within))


def test_the_one_that_outlives_the_certificate_comes_first() -> None:
    long, short = made(-200), made(-10, lives=100)
    assert picked(of(short, long)) == kid(long)
    assert picked(of(short, long), lives=3 * DAY) == kid(short)
    assert picked(of(short)) == kid(short)


def test_the_one_for_fewer_kinds_comes_before_one_for_all() -> None:
    every, two, one = made(-1), made(-5, VACCINATION, TEST), made(-9, VACCINATION)
    assert picked(of(every, two, one)) == kid(one)
    assert picked(of(every, two, one), TEST) == kid(two)
    assert picked(of(every, two, one), RECOVERY) == kid(every)


def test_the_newest_signs_once_its_lead_is_over() -> None:
    old, new = made(-100), made(-10)
    assert picked(of(old, new)) == kid(new)
    led = of(old, new, lead=30 * DAY)
    assert picked(led) == kid(old)
    assert picked(led, at=NOW + 20 * DAY - timedelta(seconds=1)) == kid(old)
    assert picked(led, at=NOW + 20 * DAY) == kid(new)


def test_a_dsc_past_its_use_gives_way_and_is_better_than_none_or_one_nobody_knows() -> None:
    past, early = made(-200), made(-1)
    assert picked(of(past, use=DSC_USE)) == kid(past)
    assert picked(of(past, early, lead=30 * DAY, use=100 * DAY)) == kid(past)
    assert picked(of(early, lead=30 * DAY)) == kid(early)
    assert picked(of(past, early, use=DSC_USE)) == kid(early)


def test_a_private_key_usage_period_in_the_dsc_narrows_its_use() -> None:
    stated = new_dsc(old_csca(), "DSC", now=NOW - 50 * DAY, use=40 * DAY)
    other = made(-60)
    assert picked(of(stated, other)) == kid(other)
    assert picked(of(stated, other), at=NOW - 20 * DAY) == kid(stated)


@pytest.mark.parametrize(
    ("pairs", "kind", "said"),
    [
        ([], TEST, "the set is empty"),
        (
            [made(-800), made(5), made(-1, VACCINATION)],
            TEST,
            "1 may sign other entries only, 1 expired, 1 not valid yet",
        ),
    ],
)
def test_why_there_is_no_signer(pairs: list[KeyPair], kind: hc.EntryType, said: str) -> None:
    with pytest.raises(hc.IssueError, match=said) as caught:
        of(*pairs).pick(kind, NOW, YEAR)
    assert caught.value.code == "NO_SIGNER"


def test_the_ends_of_validity() -> None:
    signers = of(made(0, lives=10))
    assert picked(signers, at=NOW)
    for at in (NOW - timedelta(seconds=1), NOW + 10 * DAY):
        with pytest.raises(hc.IssueError):
            signers.pick(TEST, at, DAY)


def test_a_signer_is_found_by_its_kid() -> None:
    signers = of(made(-800), made(-1))
    assert [signer.kid for signer in signers.signers] == [kid(made(-800)), kid(made(-1))]
    assert signers.by_kid(kid(made(-800))) is signers.signers[0]
    assert signers.by_kid(bytes(8)) is None
    assert repr(signers) == "SignerSet(2 signers)"


def test_what_is_no_set_is_refused() -> None:
    with pytest.raises(hc.IssueError, match="one kid"):
        of(made(-1), made(-1))
    for lead, use in ((-DAY, None), (DAY, timedelta(0))):
        with pytest.raises(hc.IssueError, match="lead and use"):
            of(made(-1), lead=lead, use=use)


def test_nothing_is_wrong_with_a_fresh_set() -> None:
    assert troubles(of(made(-40), lead=30 * DAY, use=DSC_USE)) == []


def test_an_expiring_dsc_is_told_with_what_it_leaves_behind() -> None:
    found = troubles(of(made(-720, TEST)), within=30 * DAY)
    assert [(one.trouble, one.entry_type, (one.at - NOW) // DAY) for one in found] == [
        ("cut_short", TEST, 7),
        ("expires", None, 10),
        ("no_signer", TEST, 10),
    ]
    assert not any(one.succeeded for one in found)
    assert troubles(of(made(-720, TEST)), within=5 * DAY) == []
    assert "expires on 2021-08-30" in found[1].detail
    assert "1 expired" in found[2].detail


def test_a_succeeded_dsc_is_told_as_such() -> None:
    found = troubles(of(made(-720, TEST), made(-20), use=DSC_USE))
    assert {one.trouble: one.succeeded for one in found} == {Trouble.EXPIRES: True, Trouble.USE_ENDS: True}
    (gone,) = troubles(of(made(-800, TEST), made(-20)))
    assert (gone.trouble, gone.succeeded, gone.kid) == (Trouble.EXPIRES, True, kid(made(-800, TEST)))
    assert "expired on 2021-06-11; others have taken over" in gone.detail


def test_the_end_of_use_is_told_while_nothing_succeeds() -> None:
    (found,) = troubles(of(made(-170, TEST), made(-20, VACCINATION), use=DSC_USE))
    assert (found.trouble, found.at, found.succeeded) == (Trouble.USE_ENDS, NOW + 13 * DAY, False)
    assert "ends on 2021-09-02; it verifies until" in found.detail


def test_a_dsc_that_signs_before_verifiers_have_it_is_told() -> None:
    found = troubles(of(made(-1, TEST), lead=20 * DAY))
    assert [(one.trouble, one.at, one.kid) for one in found] == [("taken_early", NOW, kid(made(-1, TEST)))]
    later = troubles(of(made(5, TEST), lead=20 * DAY))
    assert [(one.trouble, one.at) for one in later] == [("no_signer", NOW), ("taken_early", NOW + 5 * DAY)]


def test_a_validity_longer_than_the_rest_of_a_dsc_is_told() -> None:
    (found,) = troubles(of(made(-400, VACCINATION)))
    assert (found.trouble, found.at, found.entry_type) == (Trouble.CUT_SHORT, NOW, VACCINATION)
    assert of(made(-400, VACCINATION)).warnings(NOW, validity={VACCINATION: 30 * DAY}) == ()


def test_an_empty_set_misses_nothing() -> None:
    assert of().warnings(NOW) == ()


@given(
    st.lists(
        st.tuples(
            st.integers(-900, 300), st.sampled_from([(), (TEST,), (VACCINATION, TEST)]), st.sampled_from([90, 730])
        ),
        max_size=5,
        unique=True,
    ),
    st.integers(0, 40),
    st.sampled_from([None, 60, 183]),
    st.integers(-800, 800),
    st.sampled_from([VACCINATION, TEST, RECOVERY]),
)
def test_what_is_picked_is_valid_and_nothing_better_is_left(
    days: list[tuple[int, tuple[hc.EntryType, ...], int]], lead: int, use: int | None, at: int, kind: hc.EntryType
) -> None:
    pairs = [made(day // 30 * 30, *usages, lives=lives) for day, usages, lives in days]
    pairs = list({kid(pair): pair for pair in pairs}.values())
    signers = of(*pairs, lead=lead * DAY, use=use * DAY if use else None)
    moment = NOW + at * DAY
    keys = {kid(pair): read_certificate(pair.certificate_der()) for pair in pairs}
    able = {
        name: key
        for name, key in keys.items()
        if key.may_sign((kind,)) and key.not_before and key.not_after and key.not_before <= moment < key.not_after
    }
    if not able:
        with pytest.raises(hc.IssueError):
            signers.pick(kind, moment, YEAR)
        return
    chosen = picked(signers, kind, moment)
    assert chosen in able

    def used(name: bytes) -> bool:
        begins = able[name].not_before
        assert begins is not None
        return begins + lead * DAY <= moment and (use is None or moment < begins + (lead + use) * DAY)

    if any(map(used, able)):
        assert used(chosen)
    assert (
        picked(SignerSet(signers.signers[::-1], lead=lead * DAY, use=use * DAY if use else None), kind, moment)
        == chosen
    )
