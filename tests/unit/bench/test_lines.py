"""The table of measurements says what was measured, and passes nothing that falls short."""

from __future__ import annotations

import json
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from bench import __main__ as command
from bench.bulk import run
from bench.foreign import serve
from bench.lines import Line, MissingError, Settings, Verdict
from bench.plot import svg
from bench.table import as_json, number, row, summary
from bench.timing import Spread, in_turns

LINES = [
    Line(name="fast <enough>", value=0.81, low=0.79, high=0.83, asked=0.80),
    Line(name="too slow", value=0.7996, asked=0.80),
    Line(name="small enough", value=49.9, asked=50, at_most=True, unit="MB"),
    Line(name="too large", value=50.1, asked=50, at_most=True, unit="MB"),
    Line(name="told", value=3.0),
    Line(name="lacking", asked=20, reason="no such program"),
]


def test_the_verdict_is_of_the_value_as_it_was_measured() -> None:
    assert [line.verdict for line in LINES] == [
        Verdict.PASS, Verdict.FALLS_SHORT, Verdict.PASS, Verdict.FALLS_SHORT, Verdict.TOLD, Verdict.NOT_MEASURED,
    ]  # fmt: skip
    assert summary(LINES) == "2 pass, 2 falls short, 1 not measured, 1 with nothing asked"


def test_a_line_that_may_turn_is_marked() -> None:
    assert row(LINES[0]).endswith("≥ 0.80  pass ?")
    assert row(LINES[1]).endswith("≥ 0.80  falls short")
    assert row(LINES[5]).endswith("not measured  no such program")


def test_numbers_have_the_places_that_mean_something() -> None:
    assert [number(value) for value in (0.0123, 0.8, 12.34, 1234.5)] == ["0.012", "0.80", "12.3", "1,234"]
    assert (number(3.0, "MB"), number(3000.0, "/s")) == ("3.00 MB", "3,000/s")


def test_json_has_every_line_with_its_verdict() -> None:
    found = json.loads(as_json(LINES, Settings(quick=True)))
    assert [one["verdict"] for one in found["lines"]] == [line.verdict for line in LINES]
    assert found["settings"]["quick"] is True
    assert "cryptography" in found["machine"]


def test_the_plot_has_a_bar_for_what_is_asked_and_was_measured() -> None:
    drawn = ET.fromstring(svg(LINES, "a & b"))
    bars = [one for one in drawn.iter("{http://www.w3.org/2000/svg}rect") if one.get("fill") != "#fff"]
    assert len(bars) == 4
    middle = {float(one.get("x", "")) for one in bars[0::2]}  # what passes begins in the middle
    assert middle == {690.0}
    assert all(float(one.get("x", "")) < 690 for one in bars[1::2])


def test_calls_are_taken_in_turns_and_none_always_comes_first() -> None:
    order: list[str] = []
    rows = in_turns(lambda: order.append("a"), lambda: order.append("b"), turns=3)
    assert "".join(order) == "ab" + "ab" + "ba" + "ab"  # once to begin with
    assert [len(one) for one in rows] == [2, 2, 2]
    assert Spread.of([5.0, 1.0, 3.0, 2.0, 4.0]) == Spread(2.0, 3.0, 4.0)
    assert Spread.of([5.0]) == Spread(5.0, 5.0, 5.0)


def test_a_part_that_lacks_something_or_breaks_is_a_line_that_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def lacking(name: str) -> None:
        raise MissingError("no token") if name == "bench.hsm" else ZeroDivisionError

    monkeypatch.setattr(command, "import_module", lacking)
    assert command.main(["--only", "hsm"]) == 0
    assert command.main(["--only", "hsm", "issue"]) == 1
    printed = capsys.readouterr()
    assert "not measured  no token" in printed.out
    assert "not measured  broken: ZeroDivisionError" in printed.out


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="only Linux tells of all processes")
def test_the_memory_of_a_command_is_that_of_its_processes_together() -> None:
    hold = "import time; held = bytearray(b'x') * 60_000_000; time.sleep(0.3)"
    again = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {hold!r}])"
    one, two = run(sys.executable, "-c", hold), run(sys.executable, "-c", f"{again}; {hold}")
    assert one.megabytes > 60
    assert two.megabytes > one.megabytes + 50
    with pytest.raises(MissingError, match="no such thing"):
        run(sys.executable, "-c", "import sys; sys.exit('no such thing')")


def test_a_peer_that_does_not_accept_is_not_timed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="not accepted"):
        serve.serve(["a text"], lambda _: False)
    assert capsys.readouterr().out == ""


def test_a_page_takes_the_table_in_the_place_of_the_last(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("Before.\n\n```text\nan old run\n```\n\nAfter.\n")
    for told in (["a new run", "and its lines"], ["another"]):
        command.into_page(page, told)
    assert page.read_text() == "Before.\n\n```text\nanother\n```\n\nAfter.\n"
