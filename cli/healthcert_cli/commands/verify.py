"""``healthcert verify``: what a verifier at a door, or a script, calls."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from healthcert.errors import Code, DecodeError, HealthCertError, Step
from healthcert.families.shc.family import SHC
from healthcert.families.shc.parts import PartCollector
from healthcert.limits import DEFAULT_LIMITS
from healthcert.verify.report import Outcome, Report
from healthcert.verify.verifier import Verifier
from healthcert_cli.exits import Exit, boundary
from healthcert_cli.options import json_option, pdf_password, pdf_password_option
from healthcert_cli.render import Table, report_lines, verdict
from healthcert_cli.sources import certificates_among, files_in, read_source
from healthcert_cli.text import printable
from healthcert_cli.verifying import Asked, verifier_options

# A missing file says nothing about a certificate, so a refusal among the others weighs more.
_WORST_FIRST = (Exit.REFUSED, Exit.UNDETERMINED, Exit.ENVIRONMENT)
_EXITS = {Outcome.ACCEPTED: Exit.ACCEPTED, Outcome.REFUSED: Exit.REFUSED, Outcome.UNDETERMINED: Exit.UNDETERMINED}
_OUTCOMES: dict[Exit | None, Outcome] = {exit_code: outcome for outcome, exit_code in _EXITS.items()}
_BAR_FROM = 20  # sources
_BATCH = "batch"


@click.command()
@click.argument("sources", nargs=-1, metavar="[SOURCE]...")
@verifier_options
@pdf_password_option
@json_option
@boundary
def certificates(sources: tuple[str, ...], asked: Asked, pdf_password_file: Path | None, as_json: bool) -> Exit:
    """Verify certificates of any family: EU DCC, SMART Health Cards, NZ COVID Pass, ICAO seals, DIVOC, 2D-Doc ...

    SOURCE is a picture with one or more codes, a text file with one certificate a line, a file of SMART Health Cards,
    a folder of all of these, or - for standard input (the default). A card that is spread over several codes is put
    together from all sources, in any order. Of a folder, one table is printed. With --json, one line of JSON for each
    certificate.

    `healthcert verify batch` does files of thousands and millions; a file of the name batch is given as ./batch.

    Exit code: 0 when all were accepted, 1 when one was refused, 3 when one could not be determined or there was none,
    4 when a file could not be read.
    """
    verifier = asked.verifier()
    given = _expanded(sources or ("-",))
    table = Table(given) if any(given.values()) and not as_json else None
    counts: Counter[Exit | None] = Counter()
    for source, result in _results(verifier, given, pdf_password(pdf_password_file)):
        counts[_exit_of(result)] += 1
        click.echo(_row(table, source, result) if table else _shown(source, result, as_json=as_json))
    if counts.total() > 1:
        click.echo(_summary(counts), err=True)
    if counts.total() == counts[None]:
        click.echo("No certificate was found.", err=True)
        return Exit.UNDETERMINED
    return next((code for code in _WORST_FIRST if counts[code]), Exit.ACCEPTED)


def _expanded(sources: tuple[str, ...]) -> dict[str, bool]:
    """The sources, with the files of a folder in its place, and of each whether it was found in one."""
    given: dict[str, bool] = {}
    for source in sources:
        if source != "-" and Path(source).is_dir():
            given |= {found: True for found in files_in(source) if found not in given}
        else:
            given[source] = False
    return given


def _results(
    verifier: Verifier, given: dict[str, bool], password: str | None
) -> Iterator[tuple[str, Report | HealthCertError]]:
    hidden = len(given) < _BAR_FROM or sys.stdout.isatty() or not sys.stderr.isatty()
    parts = _Parts()
    with click.progressbar(given.items(), length=len(given), file=sys.stderr, hidden=hidden, label="Verifying") as bar:
        for source, found in bar:
            try:
                texts = read_source(source, DEFAULT_LIMITS, password=password)
                texts, damaged = parts.joined(source, certificates_among(texts, DEFAULT_LIMITS) if found else texts)
            except HealthCertError as error:
                yield source, _no_certificate() if found and error.code is Code.TEXT_UNREADABLE else error
                continue
            except OSError as error:
                yield source, HealthCertError(Code.ENVIRONMENT, error.strerror or "cannot be read")
                continue
            for number, report in enumerate(verifier.examine_many(texts), 1):
                yield f"{source}#{number}" if len(texts) > 1 else source, report
            for problem in damaged:
                yield source, problem
    yield from parts.unfinished()


def _no_certificate() -> HealthCertError:
    """A file of a folder that is neither a picture nor text: it is there for something else."""
    return DecodeError(Code.NO_CERTIFICATE_FOUND, "neither a picture nor text")


class _Parts:
    """The cards that are spread over several codes, collected from all sources."""

    def __init__(self) -> None:
        self._collector = PartCollector()
        self._sources: list[str] = []

    def joined(self, source: str, texts: list[str]) -> tuple[list[str], list[HealthCertError]]:
        """The texts of a source, with a whole card once its last part is there; and what is wrong with others."""
        whole: list[str] = []
        errors: list[HealthCertError] = []
        for text in texts:
            try:
                found = self._collector.add(text)
            except HealthCertError as error:
                errors.append(error)
                continue
            if found is not None:
                whole.append(found)
            elif source not in self._sources:
                self._sources.append(source)
        return whole, errors

    def unfinished(self) -> Iterator[tuple[str, HealthCertError]]:
        """What is still missing when all sources were read."""
        if detail := self._collector.describe():
            yield ", ".join(self._sources), DecodeError(Code.PARTS_MISSING, detail, Step.DECODE)


def _exit_of(result: Report | HealthCertError) -> Exit | None:
    """What a result means for the exit code; None where there was no certificate, as in many a file of a folder."""
    if isinstance(result, Report):
        return _EXITS[result.outcome]
    if result.code is Code.NO_CERTIFICATE_FOUND:
        return None
    if result.code is Code.PARTS_MISSING:
        return Exit.UNDETERMINED
    return Exit.ENVIRONMENT if result.code is Code.ENVIRONMENT else Exit.REFUSED


def _summary(counts: Counter[Exit | None]) -> str:
    words = {Exit.ACCEPTED: "accepted", Exit.REFUSED: "refused", Exit.UNDETERMINED: "undetermined"}
    parts = [f"{counts[code]} {word}" for code, word in words.items()]
    if counts[Exit.ENVIRONMENT]:
        parts.append(f"{counts[Exit.ENVIRONMENT]} not read")
    if counts[None]:
        parts.append(f"{counts[None]} without a certificate")
    return ", ".join(parts)


def _shown(source: str, result: Report | HealthCertError, *, as_json: bool) -> str:
    if as_json:
        return json.dumps({"source": source} | _as_dict(result))
    if isinstance(result, Report):
        return "\n".join(report_lines(source, result))
    if result.code is Code.ENVIRONMENT:
        return f"{printable(source)}: not read: {result.detail}"
    outcome = Outcome.UNDETERMINED if result.code is Code.PARTS_MISSING else Outcome.REFUSED
    return verdict(source, outcome, result.code, result.detail)


def _row(table: Table, source: str, result: Report | HealthCertError) -> str:
    if isinstance(result, Report):
        why = "" if result.outcome is Outcome.ACCEPTED else f"{result.detail} ({result.code})"
        return table.row(source, result.family or "-", result.outcome, why)
    family = SHC.name if result.code in (Code.PARTS_MISSING, Code.PARTS_INCONSISTENT) else "-"
    return table.row(source, family, _OUTCOMES.get(_exit_of(result)), f"{result.detail} ({result.code})")


def _as_dict(result: Report | HealthCertError) -> dict[str, Any]:
    if isinstance(result, Report):
        return result.to_dict()
    outcome = None if result.code is Code.ENVIRONMENT else Outcome.REFUSED.value
    if result.code is Code.PARTS_MISSING:
        outcome = Outcome.UNDETERMINED.value
    return {"outcome": outcome, "code": result.code.value, "step": result.step, "detail": result.detail}


class _Verify(click.Group):
    """The command above, and behind the word ``batch`` the one for whole files, imported when it is called."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        if args[:1] == [_BATCH]:
            return super().make_context(info_name, args, parent, **extra)
        return certificates.make_context(info_name, args, parent, **extra)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [_BATCH]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        from healthcert_cli.commands.verify_batch import batch

        return batch if cmd_name == _BATCH else None

    def get_help(self, ctx: click.Context) -> str:
        return certificates.get_help(ctx)


command = _Verify()
