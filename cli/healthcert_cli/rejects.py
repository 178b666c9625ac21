"""Where rows go that cannot be used, in every command that does many."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Self

import click

from healthcert.errors import Code, HealthCertError
from healthcert_cli.options import refuse_over
from healthcert_cli.text import printable


class Rejects:
    """Where rows go that cannot be used: their source, their number and the reason; never what they hold."""

    def __init__(self, path: Path | None, keep: Iterable[str | Path | None] = ()) -> None:
        """``keep`` are files that are read: rows are not written over them."""
        if path is not None:
            refuse_over(path, keep)
        self._path = path
        self._stack = ExitStack()
        self._file: IO[str] | None = None
        self.counts: Counter[Code] = Counter()

    def __enter__(self) -> Self:
        if self._path is not None:
            self._file = self._stack.enter_context(self._path.open("w", encoding="utf-8"))
            self._file.write("source\trow\tcode\treason\n")
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def add(self, source: str, row: int, error: HealthCertError) -> None:
        self.counts[error.code] += 1
        line = f"{printable(source)}\t{row}\t{error.code}\t{printable(error.detail)}"
        if self._file is not None:
            self._file.write(line + "\n")
        else:
            click.echo(f"rejected: {line.replace(chr(9), ' ')}", err=True)
