"""The printable certificate: each time another one, in a process that has set one before."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from itertools import count

from msgspec.structs import replace

from bench import material
from bench.lines import MILLISECONDS, Line, Settings
from bench.progress import say
from bench.timing import Spread, clocked, line
from healthcert.document.paper import Paper, pdf
from healthcert.document.sheets import sheet_of
from healthcert.document.symbol import symbol_of

TURNS = 15
MOST_MILLISECONDS = 40


def lines(settings: Settings) -> Iterator[Line]:
    """A line for each paper, and one for a page from right to left."""
    say("documents")
    issued = material.issued(1, material.dsc())[0]
    content, numbers = issued.content(), count()
    symbol = symbol_of(issued.text)

    def measured(paper: Paper, lang: str) -> Line:
        def page() -> None:
            # What was set before is known to the engine, so nothing of a holder may be the same.
            number = next(numbers)
            holder = replace(
                content.holder, family_name=f"Example{number}", given_name=f"Name{number}",
                family_name_icao=f"EXAMPLE{number}", given_name_icao=f"NAME{number}",
            )  # fmt: skip
            sheet = sheet_of(replace(content, holder=holder), lang=lang)
            pdf(sheet, symbol, text=f"{issued.text}{number}", paper=paper)

        page()
        took = [clocked(page) * 1000 for _ in range(settings.turns(TURNS))]
        name = f"a printable certificate, {paper} in {lang}"
        detail = f"quickest {min(took):.1f} {MILLISECONDS}, mean {statistics.fmean(took):.1f}"
        return line(
            name, Spread.of(took), asked=MOST_MILLISECONDS, at_most=True, unit=MILLISECONDS, detail=detail
        )  # fmt: skip

    for paper, lang in ((Paper.A4, "en"), (Paper.CARD, "en"), (Paper.A4, "ar")):
        yield measured(paper, lang)
