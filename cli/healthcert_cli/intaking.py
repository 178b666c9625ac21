"""What commands that take in foreign records have in common: their options, where rows come from and go to."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, BinaryIO

import click

from healthcert.authority.profile_tables import Profile
from healthcert.batch.sinks import Form, form_of
from healthcert.intake.mapping import load_mapping
from healthcert.intake.reading import RecordFormat, RecoveryPolicy, Rows
from healthcert.intake.record import ENTRY_TYPES
from healthcert.intake.records import IntakeOptions, read_records
from healthcert.issue.issued import Issued
from healthcert.model import EntryType
from healthcert_cli.options import refuse_over, refuse_over_pem

_file = click.Path(exists=True, dir_okay=False, path_type=Path)


def intake_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """How the records are written, and where those go that cannot be used."""
    for option in (
        click.option(
            "--rejects", type=click.Path(dir_okay=False, path_type=Path), help="File for rows that cannot be used."
        ),
        click.option(
            "--recovery",
            is_flag=True,
            help="Make certificates of recovery of positive tests, as the profile's [recovery] says.",
        ),
        click.option(
            "--type",
            "kind",
            type=click.Choice([one.value for one in ENTRY_TYPES]),
            help="What records are about that do not say it themselves.",
        ),
        click.option("--mapping", type=_file, help="File (TOML) that says what the records' columns and codes are."),
        click.option(
            "--format",
            "format_",
            type=click.Choice([one.value for one in RecordFormat]),
            help="How the records are written. [default: told from the file]",
        ),
    ):
        command = option(command)
    return command


def options_of(
    profile: Profile, format_: str | None, mapping: Path | None, kind: str | None, *, recovery: bool
) -> IntakeOptions:
    """The options as the readers take them. Raises :class:`IssueError` (``MAPPING_INVALID``), OSError."""
    usual = RecoveryPolicy() if profile.recovery is None else profile.recovery.policy()
    return IntakeOptions(
        format=RecordFormat(format_) if format_ else None,
        mapping=load_mapping(mapping) if mapping else None,
        kind=EntryType(kind) if kind else None,
        recovery=usual if recovery else None,
    )


@contextmanager
def rows_of(source: str, options: IntakeOptions, label: str) -> Iterator[Rows]:
    """The records of a file, or of standard input for ``-``, with a bar that moves as they are read."""
    if source == "-":
        yield read_records(sys.stdin.buffer, options)
        return
    with Path(source).open("rb") as file:
        rows = read_records(file, options, source)
        if not sys.stderr.isatty():
            yield rows
            return
        with click.progressbar(length=os.fstat(file.fileno()).st_size, label=label, file=sys.stderr) as bar:
            yield _watched(rows, file, bar)


def _watched(rows: Rows, file: BinaryIO, bar: Any) -> Rows:
    done = 0
    for row in rows:
        at = file.tell()
        bar.update(at - done)
        done = at
        yield row


def check_output(out: str | Path, rejects: Path | None, keep: Iterable[Path | None]) -> None:
    """Wrong usage when certificates would be written over a file of ``keep``, or into that of the rejected rows.

    Nor is one in a folder that is written to: of a table, parts that are there already are removed.
    """
    if out == "-":
        return
    path, kept = Path(out), list(keep)
    refuse_over(path, kept)
    refuse_over_pem(path)
    if form_of(str(out)) in (Form.PARQUET, Form.FOLDER):
        _refuse_in(path, kept)
    if rejects is not None and path.resolve() == rejects.resolve():
        raise click.UsageError("--out and --rejects are one file")


def check_reject_table(out: str, keep: Iterable[Path | None]) -> None:
    """Wrong usage when a file of ``keep`` is in the table of rejected rows that a cluster writes beside ``out``."""
    _refuse_in(reject_table(Path(out)), keep)


def reject_table(out: Path) -> Path:
    """Where a cluster writes the rejected rows."""
    return out.with_suffix(".rejects.parquet")


def _refuse_in(folder: Path, keep: Iterable[Path | None]) -> None:
    written = folder.resolve()
    if any(path is not None and path.resolve().is_relative_to(written) for path in keep):
        raise click.UsageError(f"{folder} holds, or is, one of the files that are read")


@contextmanager
def output(out: str) -> Iterator[IO[str]]:
    """Where certificates go, which are health data: a file is its owner's alone."""
    if out == "-":
        yield sys.stdout
        return
    path = Path(out)
    if path.exists() and not path.is_file():  # a pipe or a device stays what it is
        with path.open("w", encoding="utf-8") as file:
            yield file
        return
    path.unlink(missing_ok=True)  # one that others could read would stay so
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        yield file


def line_of(source: str, number: int, issued: Issued, *, again: bool, replaces: str | None = None) -> str:
    """A certificate as a line of the output."""
    values: dict[str, Any] = {
        "source": source,
        "row": number,
        "certificate_id": issued.certificate_id,
        "issued_at": issued.issued_at.isoformat(),
        "expires": issued.expires.isoformat(),
        "again": again,
        "text": issued.text,
    }
    if replaces is not None:
        values["replaces"] = replaces
    return json.dumps(values) + "\n"
