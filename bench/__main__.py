"""Measures the library against the bare calls it stands on and against its peers: one table, a verdict a line.

Only ratios mean anything: what is compared is timed in turns, so that a machine that slows down slows both, and a line
is the median over the turns. docs/reference/benchmarks.md tells how to read it.
"""

from __future__ import annotations

import argparse
import sys
import traceback
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path

from bench.lines import Line, MissingError, Settings
from bench.plot import svg
from bench.progress import say
from bench.table import HEAD, as_json, machine, row, summary

PARTS = {
    "verify": "verifying against the bare call",
    "issue": "issuing against the bare call",
    "picture": "QR codes drawn and read",
    "workers": "two workers against one",
    "peers": "other implementations",
    "bulk": "the two bulk commands: memory and time",
    "base45": "base45 against PyPI's",
    "start": "processes, and stores opened",
    "trust": "lists of keys",
    "revocation": "lists of the revoked",
    "rules": "rules of countries",
    "families": "every family",
    "intake": "records read",
    "register": "the register",
    "authority": "an issuing authority",
    "hsm": "a hardware module",
    "document": "the printable certificate",
    "scan": "verdicts at a door",
}
"""Each part is a module of this name; cheap and telling ones first."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the table; 1 where a measurement broke, which says nothing of how fast anything is."""
    options = parsed(arguments)
    settings = Settings(repeat=options.repeat, quick=options.quick, full=options.full)
    told = [", ".join(f"{name} {value}" for name, value in machine().items()), "", HEAD.rstrip()]
    print(*told, sep="\n")
    broken, found = False, []
    for part in options.only or PARTS:
        for line in lines_of(part, settings):
            say("")
            told.append(row(line))
            print(told[-1], flush=True)
            found.append(line)
            broken = broken or (line.reason or "").startswith(BROKEN)
    say("")
    print(summary(found))
    if options.page is not None:
        into_page(options.page, [*told, summary(found)])
    if options.json is not None:
        options.json.write_bytes(as_json(found, settings))
    if options.plot is not None:
        options.plot.write_text(svg(found, "Measured against what is asked: to the right is better"), encoding="utf-8")
    return int(broken)


def into_page(page: Path, told: Sequence[str]) -> None:
    """Puts the lines into the block of text of a page, in the place of those of another run."""
    before, _, rest = page.read_text(encoding="utf-8").partition("```text\n")
    _, end, after = rest.partition("```\n")
    page.write_text("".join((before, "```text\n", *(f"{line}\n" for line in told), end, after)), encoding="utf-8")


BROKEN = "broken: "


def lines_of(part: str, settings: Settings) -> Iterator[Line]:
    """What a part measures; a part that lacks something, or breaks, does not take the others with it."""
    try:
        yield from import_module(f"bench.{part}").lines(settings)
    except (MissingError, ImportError) as error:
        yield Line(name=PARTS[part], reason=str(error))
    except Exception as error:  # noqa: BLE001 (whatever it is, it is told, and the next part is measured)
        say("")
        traceback.print_exc()
        yield Line(name=PARTS[part], reason=f"{BROKEN}{type(error).__name__}")


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The options."""
    parts = "; ".join(f"{name}: {what}" for name, what in PARTS.items())
    parser = argparse.ArgumentParser("python -m bench", description=(__doc__ or "").split("\n", 1)[0], epilog=parts)
    parser.add_argument("--only", nargs="+", choices=PARTS, metavar="PART", help="some parts")
    parser.add_argument("--repeat", type=turns, metavar="TURNS", help="turns of each measurement")
    parser.add_argument("--quick", action="store_true", help="fewer turns, smaller inputs: noisier")
    parser.add_argument("--full", action="store_true", help="a million rows through the bulk commands")
    parser.add_argument("--json", type=Path, metavar="FILE", help="writes everything as JSON")
    parser.add_argument("--page", type=Path, metavar="FILE", help="puts the table into a page of the documents")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draws what something is asked of, as SVG")
    return parser.parse_args(arguments)


def turns(text: str) -> int:
    """A number of turns."""
    number = int(text)
    if number < 1:
        raise ValueError("one turn at least")
    return number


if __name__ == "__main__":
    sys.exit(main())
