"""Each bound of a key's validity that is known is enforced, whatever else is known of the key."""

from __future__ import annotations

import pickle
from dataclasses import replace
from datetime import datetime

import pytest

import healthcert as hc
from tests.support import CLOCK, DAY, NOW, Press, dsc, trust, verifier

KEY = next(iter(trust()))


def examine(key: hc.TrustedKey) -> hc.Report:
    return hc.Verifier(hc.TrustStore([key]), clock=CLOCK).examine(Press().text())


@pytest.mark.parametrize(
    ("start", "end", "code"),
    [
        (None, NOW - DAY, "PUBLIC_KEY_EXPIRED"),
        (NOW + DAY, None, "PUBLIC_KEY_NOT_YET_VALID"),
        (NOW, None, "ISSUED_BEFORE_KEY"),
        (NOW - DAY, NOW - DAY, "PUBLIC_KEY_EXPIRED"),
        (None, None, "OK"),
        (NOW - DAY, None, "OK"),
        (None, NOW + 100 * DAY, "OK"),
    ],
)
def test_half_known_dates(start: datetime | None, end: datetime | None, code: str) -> None:
    report = examine(replace(KEY, not_before=start, not_after=end))
    assert report.code == code
    if code == "OK":
        assert [warning.code for warning in report.warnings] == ["KEY_DATES_UNKNOWN"]


def test_the_same_key_from_another_source_never_allows_more() -> None:
    limited = replace(KEY, usages=frozenset((hc.EntryType.TEST,)), not_after=NOW - DAY)
    bare = hc.TrustedKey(kid=KEY.kid, spki=KEY.spki, source="a list of bare keys")
    for first, second in ((limited, bare), (bare, limited)):
        store = hc.TrustStore([first])
        store.add([second])
        (key,) = store.candidates(KEY.kid)
        assert (key.usages, key.not_after, key.country) == (limited.usages, limited.not_after, "FR")
        assert len(store) == 1
    both = replace(KEY, usages=frozenset((hc.EntryType.TEST, hc.EntryType.RECOVERY)))
    (key,) = hc.TrustStore([limited, both]).candidates(KEY.kid)
    assert key.usages == frozenset((hc.EntryType.TEST,))


def test_keys_and_reports_travel_between_processes() -> None:
    report = verifier().examine(Press().text())
    again = pickle.loads(pickle.dumps(report))
    assert again.to_dict() == report.to_dict()
    assert again.key.public_key == dsc().key.public_key()


def test_an_unreadable_key_is_no_obstacle_to_its_neighbour_or_to_a_description() -> None:
    from healthcert.verify.report import describe_key

    broken = hc.TrustedKey(kid=KEY.kid, spki=b"rubbish")
    report = hc.Verifier(hc.TrustStore([broken, KEY]), clock=CLOCK).examine(Press().text())
    assert report.outcome is hc.Outcome.ACCEPTED
    assert describe_key(broken)["algorithm"] is None
    alone = hc.Verifier(hc.TrustStore([broken]), clock=CLOCK).examine(Press().text())
    assert (alone.step, alone.code) == ("signature", "UNSUITABLE_PUBLIC_KEY_TYPE")


@pytest.mark.parametrize("text", [None, 5, ["HC1:"]])
def test_what_is_no_text_is_no_accident(text: object) -> None:
    assert verifier().examine(text).outcome is hc.Outcome.UNDETERMINED  # type: ignore[arg-type]
    assert hc.inspect_unverified(text).problem is not None  # type: ignore[arg-type]


def test_the_last_day_of_the_calendar_is_a_day_too() -> None:
    end = datetime.max.replace(tzinfo=NOW.tzinfo)
    assert verifier(at=end).examine(Press().text()).code == "CWT_EXPIRED"
    assert verifier(at=datetime.min.replace(tzinfo=NOW.tzinfo)).examine(Press().text()).code == "CWT_NOT_YET_VALID"


def test_steps_are_found_by_member_and_by_name() -> None:
    report = verifier().examine(Press().text())
    assert report[hc.Step.TRUST] is report["trust"]  # type: ignore[index]
    with pytest.raises(KeyError):
        report["nosuch"]  # type: ignore[index]
