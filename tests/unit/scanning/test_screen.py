"""What the screen says, and in which letters."""

from __future__ import annotations

from datetime import date
from io import StringIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import healthcert as hc
from healthcert.errors import Code
from healthcert.model import Holder
from healthcert.verify.report import Outcome
from healthcert_cli.scanning.card import Card, age_in_years, card_of, title_of, waiting
from healthcert_cli.scanning.lettering import headline, in_blocks, lettered
from healthcert_cli.scanning.screen import draw, layout, whole_screen
from healthcert_cli.scanning.seen import Seen
from tests.support import DAY, EVENTS, NOW, issue, verifier

DAY_OF = date(2021, 8, 20)


@pytest.mark.parametrize(
    ("birth", "age"),
    [
        ("1984-02-29", "37 years"),
        ("2003-08-20", "18 years"),
        ("2003-08-21", "17 years"),
        ("2020-08-21", "0 years"),
        ("2020-08-20", "1 year"),
        ("1964-07", "57 years"),
        ("1964-09", "56 years"),
        ("1964-08", "56 or 57 years"),
        ("1964", "56 or 57 years"),
        ("2021", "0 years"),
        ("2021-08-21", ""),
        ("2022", ""),
        ("", ""),
        ("unknown", ""),
        ("1964-XX-XX", ""),
        ("9" * 5000, ""),
        ("१९८४-02-29", ""),
    ],
)
def test_the_age_is_told_as_far_as_it_is_known(birth: str, age: str) -> None:
    assert age_in_years(birth, DAY_OF) == age


def test_who_is_born_on_29_february_is_older_on_1_march() -> None:
    assert age_in_years("2004-02-29", date(2022, 2, 28)) == "17 years"
    assert age_in_years("2004-02-29", date(2022, 3, 1)) == "18 years"


def card(event: hc.Event | None = None, *, days: int = 0, holder: Holder | None = None) -> Card:
    issued = issue(
        event or EVENTS[hc.EntryType.VACCINATION], holder=holder or Holder("Exemplaire", "Zoe", "1984-02-29")
    )
    return card_of(Seen.of(verifier(at=NOW + days * DAY).examine(issued.text)))


def test_a_card_says_who_what_and_why() -> None:
    good = card()
    assert (good.outcome, good.sign, good.word) == (Outcome.ACCEPTED, "✓", "ACCEPTED")
    assert good.large == ("Zoe Exemplaire", "37 years", "Vaccination 2/2")
    assert good.lines[0] == "✓ ACCEPTED"
    assert good.lines[1] == "Zoe Exemplaire, born 1984-02-29, 37 years"
    assert good.lines[2].startswith("Vaccination 2/2: dose 2 of 2 on 2021-06-11")
    old = card(days=900)
    assert old.lines[0] == "✗ REFUSED: the certificate has expired (CWT_EXPIRED)"
    assert old.large == ("the certificate has expired", "Zoe Exemplaire", "39 years", "Vaccination 2/2")


def test_every_event_has_a_title() -> None:
    titles = [title_of(event) for event in EVENTS.values()]
    assert titles == ["Vaccination 2/2", "Test: Not detected", "Recovery"]
    assert title_of(hc.Vaccination()) == "Vaccination"
    assert title_of(hc.Vaccination(dose=3)) == "Vaccination 3"


@pytest.mark.parametrize(
    ("family", "given_name", "drawn"),
    [("Müller", "Zoé", "ZOE MUELLER"), ("Παπαδόπουλος", "Νίκος", "NIKOS PAPADOPOULOS"), ("O'Neil", "Jo", "Jo O'Neil")],
)
def test_letters_that_cannot_be_drawn_are_those_of_the_passport(family: str, given_name: str, drawn: str) -> None:
    shown = card(holder=Holder(family, given_name, "1984-02-29"))
    assert shown.large[0] == drawn
    assert shown.lines[1].startswith(f"{given_name} {family}, born")


def test_a_notice_is_no_verdict() -> None:
    seen = Seen(outcome=None, code=Code.PARTS_MISSING, detail="part 2 of 2 is missing", title="SCAN THE NEXT PART")
    shown = card_of(seen, ("As of then",))
    assert (shown.outcome, shown.lines[1]) == (None, "As of then")
    assert shown.lines[0] == "SCAN THE NEXT PART: part 2 of 2 is missing (PARTS_MISSING)"


@settings(max_examples=40)
@given(st.integers(1, 200), st.integers(1, 70), st.sampled_from(["good", "old", "waiting"]))
def test_a_card_fits_every_screen(columns: int, rows: int, which: str) -> None:
    lines = layout(CARDS[which], columns, rows)
    assert len(lines) <= rows
    assert all(len(line) <= max(columns, 3) for line in lines)
    if rows > 12 and columns > 60:
        assert any(CARDS[which].lines[0][:20] in line for line in lines)
        assert any("█" in line for line in lines)


CARDS = {"good": card(), "old": card(days=900), "waiting": waiting(("Ctrl-C ends.",))}


def test_letters_grow_with_the_screen_and_are_left_out_where_they_cannot_be_read() -> None:
    sizes = [picture.height if (picture := lettered("REFUSED", width, 60)) else 0 for width in (20, 60, 120, 180)]
    assert sizes == sorted(set(sizes))
    assert sizes[0] == 0
    assert lettered("Ωμέγα", 500, 60) is None
    assert lettered("", 500, 60) is None
    assert headline("✓", "ACCEPTED", 10, 4) is None


def test_the_signs_differ_in_shape() -> None:
    shapes = [in_blocks(picture) for sign in "✓✗?" if (picture := headline(sign, "SAME", 120, 16)) is not None]
    assert len({"\n".join(shape) for shape in shapes}) == 3
    narrow = headline("?", "UNDETERMINED", 76, 16)  # no room beside it
    assert narrow is not None
    assert narrow.height == 16


class Terminal(StringIO):
    encoding = "utf-8"


@settings(max_examples=40)
@given(st.text(max_size=30))
def test_nothing_that_was_scanned_gives_the_terminal_orders(name: str) -> None:
    out = Terminal()
    line = f"\x1b]0;{name}\x07\x9b2J\r\n\u202e"
    draw(out, Card(outcome=Outcome.REFUSED, sign="✗", word="REFUSED", large=(line, name), lines=(line, name)), 80, 24)
    drawn = out.getvalue()
    assert "\x1b]" not in drawn
    assert not {"\x07", "\x9b", "\r", "\n", "\u202e"} & set(drawn)
    # Each order is one of ours: a colour, or a place.
    assert all(order[:1] == "[" for order in drawn.split("\x1b")[1:])


def test_a_terminal_without_block_elements_gets_the_plain_lines() -> None:
    class Old(StringIO):
        encoding = "latin-1"

    out = Old()
    draw(out, CARDS["old"], 80, 24)
    assert "█" not in out.getvalue()
    assert "REFUSED: the certificate has expired (CWT_EXPIRED)" in out.getvalue()


def test_the_screen_is_given_back_whatever_happens() -> None:
    out = Terminal()

    def broken() -> None:
        with whole_screen(out):
            draw(out, CARDS["good"], 80, 24)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        broken()
    start, end = out.getvalue().split("Zoe Exemplaire")[0], out.getvalue().rsplit("Exemplaire", 1)[1]
    assert start.startswith("\x1b[?1049h")
    assert end.index("\x1b[2J") < end.index("\x1b[?1049l")
