"""What becomes of a scan: verdicts, parts of a card, and what stands in the way of a verdict."""

from __future__ import annotations

from collections import Counter

import pytest

from healthcert.errors import Code
from healthcert.limits import Limits
from healthcert.verify.report import Outcome
from healthcert_cli.scanning.desk import Desk
from healthcert_cli.scanning.sightings import GONE, Sightings
from tests import support_shc as shc
from tests.support import Press, issue, verifier

LIMITS = Limits()


def desk() -> Desk:
    return Desk(verifier(), LIMITS)


def test_each_scan_is_judged_and_counted() -> None:
    at = desk()
    text = issue().text
    for _ in range(2):  # the same one, twice in a row
        seen = at.judge(text.encode())
        assert (seen.outcome, seen.code) == (Outcome.ACCEPTED, Code.OK)
    assert at.judge(Press(sign=lambda _: bytes(64)).text()).code is Code.SIGNATURE_INVALID
    assert at.judge(None).code is Code.INPUT_TOO_LONG
    assert at.counts == Counter({Outcome.ACCEPTED: 2, Outcome.REFUSED: 2})
    assert "Exemplaire" not in repr(seen)


@pytest.mark.parametrize("text", ["", "hello", "\x1b[2J", "HC1:", "shc:/1/0/00", "shc:/9/2/", "\ufeff", "PK\x03\x04"])
def test_what_is_no_certificate_is_refused(text: str) -> None:
    assert desk().judge(text).outcome is Outcome.REFUSED


def test_another_keyboard_is_no_verdict() -> None:
    at = desk()
    seen = at.judge(b"HC&M6BF")
    assert (seen.outcome, seen.title) == (None, "CHECK THE SCANNER")
    assert at.counts.total() == 0
    assert seen.to_dict()["outcome"] == "undetermined"


def test_the_parts_of_a_card_come_in_any_order() -> None:
    at = Desk(shc.verifier(), LIMITS)
    one, two = shc.Press().parts(2)
    for _ in range(2):  # the second card is as the first
        seen = at.judge(two)
        assert (seen.outcome, seen.code, seen.title) == (None, Code.PARTS_MISSING, "SCAN THE NEXT PART")
        assert "part 1 of 2 is missing" in seen.detail
        assert at.judge(two).code is Code.PARTS_MISSING
        assert at.judge(one).outcome is Outcome.ACCEPTED
    assert at.counts == Counter({Outcome.ACCEPTED: 2})


@pytest.mark.parametrize("between", ["another certificate", "time"])
def test_the_next_holder_does_not_complete_the_card_of_the_one_before(between: str) -> None:
    at = Desk(shc.verifier(), LIMITS)
    one, two = shc.Press().parts(2)
    at.judge(one)
    if between == "time":
        at.forget()
    else:
        at.judge(issue().text)
    assert at.judge(two).code is Code.PARTS_MISSING


def test_parts_of_two_cards_are_no_verdict() -> None:
    at = Desk(shc.verifier(), LIMITS)
    one, _ = shc.Press().parts(2)
    _, other = shc.Press(claims=shc.claims(shc.bundle(shc.DOSE, shc.TEST))).parts(2)
    at.judge(one)
    seen = at.judge(other)
    assert (seen.outcome, seen.title) == (None, "SCAN ALL PARTS AGAIN")


def test_of_a_picture_with_several_certificates_there_is_no_verdict() -> None:
    at = Desk(shc.verifier(), LIMITS)
    card, parts = shc.Press().text(), shc.Press().parts(3)
    assert at.judge_together([card]).outcome is Outcome.ACCEPTED
    assert at.judge_together(parts).outcome is Outcome.ACCEPTED
    for several in ([card, issue().text], [card, *parts]):
        seen = at.judge_together(several)
        assert (seen.outcome, seen.code) == (None, Code.MULTIPLE_ENTRIES)
    assert at.counts.total() == 2


def frames(*seen: tuple[float, list[str]], is_waiting: bool = True) -> list[list[str]]:
    sightings = Sightings(LIMITS)
    return [sightings.new(texts, now, is_waiting=is_waiting) for now, texts in seen]


A, B, PART, POSTER = "HC1:A", "HC1:B", "shc:/1/2/56", "https://example.org"


def test_a_code_that_stays_in_the_picture_is_judged_once() -> None:
    long = GONE + 0.1
    assert frames((0, [A]), (0.5, [A]), (1.4, []), (1.45, [A]), (1.45 + long, [A])) == [[A], [], [], [], [A]]


def test_another_one_is_judged_and_the_first_one_after_it() -> None:
    assert frames((0, [A]), (0.1, [B]), (0.2, [A]), (0.3, [A])) == [[A], [B], [A], []]
    assert frames((0, [A]), (0.1, [A, B]), (0.2, [A, B]), (0.3, [A])) == [[A], [A, B], [], [A]]


def test_a_part_that_is_seen_again_takes_no_verdict_away() -> None:
    assert frames((0, [PART]), (0.1, [A]), (0.2, [PART])) == [[PART], [A], []]


def test_a_poster_takes_no_verdict_away() -> None:
    assert frames((0, [POSTER]), (0.1, [POSTER])) == [[POSTER], []]
    assert frames((0, [A, POSTER]), (0.1, [POSTER])) == [[A], []]
    assert frames((0, [A]), (0.1, [POSTER]), is_waiting=False) == [[A], []]
