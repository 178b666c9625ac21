"""The plan of a rollover: its dates, and the gaps that it warns of."""

from __future__ import annotations

from datetime import datetime

import pytest

import healthcert as hc
from healthcert.issue.pki import KeyPair, RolloverPlan, Terms, new_csca, new_dsc, plan_rollover
from healthcert.issue.pki.rollover import Action
from tests.support import DAY, NOW

CSCA_PAIR = new_csca("FR", "CSCA", now=NOW - 60 * DAY)
TERMS = Terms(lead=30 * DAY, use=180 * DAY)
TEST, VACCINATION = hc.EntryType.TEST, hc.EntryType.VACCINATION


def made(days: int, *usages: hc.EntryType, lives: int = 730, by: KeyPair = CSCA_PAIR) -> bytes:
    return new_dsc(by, "DSC", now=NOW + days * DAY, usages=usages, validity=lives * DAY).certificate_der()


OLD = new_csca("FR", "Old", now=NOW - 900 * DAY)


def plan(*dscs: bytes, csca: KeyPair | None = None, terms: Terms = TERMS, at: datetime = NOW) -> RolloverPlan:
    return plan_rollover(dscs, moment=at, csca=csca.certificate_der() if csca else None, terms=terms)


def dates(plan: RolloverPlan) -> list[tuple[int, str]]:
    return [((entry.at - NOW) // DAY, entry.action.value) for entry in plan.entries]


def test_the_dates_of_one_dsc_and_its_successor() -> None:
    found = plan(made(-40))
    assert dates(found) == [(140, "make_dsc"), (170, "first_use"), (170, "last_use"), (690, "ends")]
    assert found.gaps == ()
    make = found.entries[0]
    assert make.usages == ("recovery", "test", "vaccination")
    assert "make the next DSC for recovery, test, vaccination by then" in make.detail


def test_a_successor_that_is_there_moves_the_dates_on() -> None:
    found = plan(made(-40), made(130))
    assert dates(found) == [
        (160, "first_use"),
        (170, "last_use"),
        (310, "make_dsc"),
        (340, "first_use"),
        (340, "last_use"),
        (690, "ends"),
        (860, "ends"),
    ]
    assert found.gaps == ()


def test_kinds_of_entry_are_planned_each() -> None:
    found = plan(made(-40, TEST), made(-100, VACCINATION, by=OLD))
    plans = [(entry.usages, (entry.at - NOW) // DAY) for entry in found.entries if entry.action is Action.MAKE_DSC]
    assert plans == [((VACCINATION,), 80), ((TEST,), 140)]


def test_a_hole_between_two_dscs_is_warned_of() -> None:
    found = plan(made(-40), made(200, TEST))
    assert [((gap.begin - NOW) // DAY, gap.detail) for gap in found.gaps] == [(170, "no DSC is in use for test")]
    assert found.gaps[0].end == NOW + 230 * DAY


def test_an_overdue_successor_is_warned_of() -> None:
    (gap,) = plan(made(-190, by=OLD)).gaps
    assert (gap.begin, gap.end) == (NOW + 20 * DAY, NOW + 30 * DAY)
    assert "overdue: made today, it is known to verifiers from 2021-09-19 on" in gap.detail
    (gap,) = plan(made(-300, by=OLD)).gaps
    assert gap.begin == NOW


def test_a_first_dsc_is_not_known_to_verifiers_yet() -> None:
    (gap,) = plan(made(0, TEST)).gaps
    assert (gap.begin, gap.end, gap.detail) == (NOW, NOW + 30 * DAY, "no DSC is in use for test")
    (gap,) = plan(made(0)).gaps
    assert gap.detail == "no DSC is in use for recovery, test, vaccination"


def test_a_dsc_too_short_for_what_it_signs_is_warned_of() -> None:
    (gap,) = plan(made(-40, lives=500)).gaps
    assert (gap.begin - NOW, gap.end) == (95 * DAY, NOW + 170 * DAY)
    assert "cut short" in gap.detail
    found = plan(made(-40), terms=Terms(lead=30 * DAY, use=180 * DAY, validity=500 * DAY))
    assert [gap.detail for gap in found.gaps] == [
        "a DSC of 500 days is too short: lead, use and what it signs last take 575"
    ]


def test_the_csca_s_dates() -> None:
    found = plan(made(-40), csca=CSCA_PAIR)
    assert (275, "make_csca") in dates(found)  # its use ends 365 days after it was made, 60 days ago
    assert (1400, "ends") in dates(found)
    assert found.gaps == ()


@pytest.mark.parametrize(
    ("csca", "days", "said"),
    [(OLD, 365, "is past its use"), (OLD, 2000, "ends before the DSC would"), (OLD, 3, "is past its use")],
)
def test_a_csca_that_cannot_sign_the_next_dsc_is_warned_of(csca: KeyPair, days: int, said: str) -> None:
    terms = Terms(lead=30 * DAY, use=180 * DAY, csca_use=days * DAY)
    (gap,) = plan(made(-40, by=csca, lives=700), csca=csca, terms=terms).gaps[-1:]
    assert said in gap.detail
    assert gap.begin == NOW + 140 * DAY


def test_what_cannot_be_planned_is_refused() -> None:
    with pytest.raises(hc.IssueError, match="one DSC at least"):
        plan()
    for wrong in ({"lead": -DAY}, {"use": 0 * DAY}, {"csca_use": -DAY}):
        with pytest.raises(hc.IssueError, match="longer than nothing"):
            Terms(**wrong)
    with pytest.raises(hc.TrustError):
        plan(b"nothing")
