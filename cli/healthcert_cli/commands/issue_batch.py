"""``healthcert issue batch``: files of records become certificates, each issued once and registered."""

from __future__ import annotations

import json
import sys
from contextlib import ExitStack
from pathlib import Path

import click

from healthcert.intake.reading import RejectedRow
from healthcert_cli.authorities import authority_of, authority_options, files_of, profile_of, profile_path
from healthcert_cli.exits import Exit, boundary, exit_of_rows
from healthcert_cli.intaking import check_output, intake_options, line_of, options_of, output, rows_of
from healthcert_cli.options import json_option
from healthcert_cli.rejects import Rejects


@click.command("batch")
@click.argument(
    "sources", nargs=-1, required=True, metavar="FILE...", type=click.Path(exists=True, dir_okay=False, allow_dash=True)
)
@click.option("--new-edition", is_flag=True, help="Issue anew also what was revoked or replaced.")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, allow_dash=True),
    default="-",
    show_default=True,
    help="File for the certificates, a JSON object a line; - is standard output.",
)
@intake_options
@authority_options
@json_option
@boundary
def batch(
    sources: tuple[str, ...],
    new_edition: bool,
    out: str,
    format_: str | None,
    mapping: Path | None,
    kind: str | None,
    recovery: bool,
    rejects: Path | None,
    profile: Path | None,
    passphrase_file: Path | None,
    pin_file: Path | None,
    as_json: bool,
) -> Exit:
    """Issue certificates for all records in FILE (CSV, JSON Lines, FHIR, HL7 v2); - is standard input.

    The authority's profile names keys and register. A record that was issued before gives the very same certificate
    again, so that a run which was broken off is simply run again. A row that cannot be used is told with its number and
    the reason, never with what it holds, and the rest is done: exit code 1, or 4 where it was the place's fault, as of
    a hardware module that is gone. The summary goes to standard error where the certificates go to standard output.
    """
    path = profile_path(profile)
    settings = profile_of(path)
    options = options_of(settings, format_, mapping, kind, recovery=recovery)
    read = [*(Path(source) for source in sources if source != "-"), mapping, *files_of(path, settings)]
    check_output(out, rejects, read)
    issued = again = 0
    with ExitStack() as stack:
        authority = stack.enter_context(authority_of(settings, passphrase_file, pin_file))
        rejected = stack.enter_context(Rejects(rejects, read))
        written = stack.enter_context(output(out))
        try:
            for source in sources:
                with rows_of(source, options, "Issuing") as rows:
                    for row in authority.issue_rows(rows, new_edition=new_edition):
                        if isinstance(row, RejectedRow):
                            rejected.add(source, row.number, row.error)
                            continue
                        written.write(line_of(source, row.number, row.issued, again=row.again))
                        issued, again = issued + (not row.again), again + row.again
        finally:
            # Also of a run that breaks off: what was given out until then.
            _tell(issued, again, rejected, as_json=as_json, aside=out == "-")
    return exit_of_rows(rejected.counts)


def _tell(issued: int, again: int, rejected: Rejects, *, as_json: bool, aside: bool) -> None:
    by_code = {code.value: count for code, count in sorted(rejected.counts.items())}
    if as_json:
        summary = {"issued": issued, "issued_before": again, "rejected": by_code}
        click.echo(json.dumps(summary), file=sys.stderr if aside else sys.stdout)
        return
    reasons = ", ".join(f"{count} {code}" for code, count in by_code.items())
    told = f"{issued} issued, {again} issued before, {rejected.counts.total()} rejected"
    click.echo(f"{told} ({reasons})." if reasons else f"{told}.", err=True)
