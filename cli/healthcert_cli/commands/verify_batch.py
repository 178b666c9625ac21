"""``healthcert verify batch``: files, folders and archives of certificates become verdicts."""

from __future__ import annotations

import json
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from healthcert.batch.run import TEXTS
from healthcert.batch.sinks import Form, form_of
from healthcert.batch.sources import verify_source
from healthcert.batch.summary import Summary
from healthcert.batch.verifying import REPORTS, VERDICTS, VerifyWork
from healthcert.errors import Code
from healthcert_cli.bulk import Bulk, bulk_options
from healthcert_cli.clusters import check_tables, cluster_options, on_every_machine
from healthcert_cli.exits import Exit, boundary, exit_of
from healthcert_cli.intaking import check_output
from healthcert_cli.options import json_option
from healthcert_cli.verifying import Asked, verifier_options

if TYPE_CHECKING:  # Ray and what it brings is for those who use it
    from healthcert.batch.cluster import Cluster

_VERDICTS = ("accepted", "refused", "undetermined", "rejected")


@click.command("batch")
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...", type=click.Path(exists=True, allow_dash=True))
@click.option("--column", help="Member or column of a row that holds its certificate. [default: text]")
@click.option(
    "--out",
    type=click.Path(allow_dash=True),
    default="-",
    show_default=True,
    help="Where the verdicts go: a file, a JSON object a line; NAME.parquet, a folder of tables; - is standard output.",
)
@click.option("--reports", is_flag=True, help="Write all that was found, with the health data, instead of verdicts.")
@click.option(
    "--rejects",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File for rows and files in which there is no certificate.",
)
@bulk_options
@cluster_options
@verifier_options
@json_option
@boundary
def batch(
    sources: tuple[str, ...],
    column: str | None,
    out: str,
    reports: bool,
    rejects: Path | None,
    workers: int,
    resume: bool,
    journal: Path | None,
    cluster: Cluster | None,
    asked: Asked,
    as_json: bool,
) -> Exit:
    """Verify all certificates in SOURCE, in order, and tell of each one's verdict in a line.

    SOURCE is a text file with one certificate a line, JSON Lines, CSV or Parquet with a certificate in each row, a
    folder or tar archive of pictures, PDFs and text files, a picture or PDF, or - for standard input. A verdict names
    outcome, code, step, family, issuer, key and identifier of a certificate, and nothing else of its holder. The
    summary goes to standard error where the verdicts go to standard output.

    Exit code: 0 when all were accepted, 1 when one was refused or a row held none, 3 when one could not be determined
    or there was none, 4 when a file could not be read, 130 when it was stopped by Ctrl-C, after what was begun.
    """
    form = form_of(out)
    if form in (Form.FOLDER, Form.TAR):
        raise click.UsageError("--out: verdicts are lines or tables: a file, or NAME.parquet")
    if cluster is not None:
        check_tables(sources, form, rejects)
    asked.verifier()  # what of it cannot be used is told here, once
    plan = asked.plan()
    read = [*(Path(source) for source in sources if source != "-"), *plan.trust, plan.revocation, plan.rules]
    check_output(out, rejects, read)
    _check_folders(sources, out, rejects)
    work = VerifyWork(verifier=plan if cluster is None else on_every_machine(plan), form=form, reports=reports)
    bulk = Bulk(
        sources=[verify_source(source, column=column) for source in sources],
        out=out, form=form, rejects=rejects, keep=read,
        what={
            "command": "verify", "column": column, "reports": reports, "verifier": plan.to_dict(),
            "engine": "local" if cluster is None else "ray",
        },
        workers=workers, resume=resume, journal=journal,
    )  # fmt: skip

    def tell(summary: Summary) -> None:
        _tell(summary, as_json=as_json, aside=out == "-")

    if cluster is None:
        done = bulk.go(lambda _: work, "Verifying", tell)
    else:
        done = bulk.go_on_cluster(
            cluster, lambda _: work, "Verifying", tell,
            open_source=partial(verify_source, column=column), columns=REPORTS if reports else VERDICTS, chunk=TEXTS,
        )  # fmt: skip
    return Exit.STOPPED if done.stopped else _exit_of(done)


def _check_folders(sources: tuple[str, ...], out: str, rejects: Path | None) -> None:
    """Wrong usage when results would be written into a folder that is read, and be read themselves."""
    written = [path.resolve() for path in (None if out == "-" else Path(out), rejects) if path is not None]
    for folder in (Path(source).resolve() for source in sources if source != "-"):
        if folder.is_dir() and any(path.is_relative_to(folder) for path in written):
            raise click.UsageError("--out and --rejects are not in a folder that is read")


def _exit_of(done: Summary) -> Exit:
    """A file that could not be read says nothing about a certificate, so a refusal among the others weighs more."""
    verdicts = done.of("verdict")
    unread = sum(count for code, count in done.of("code").items() if exit_of(Code(code)) is Exit.ENVIRONMENT)
    if verdicts.get("refused", 0) or verdicts.get("rejected", 0) > unread:
        return Exit.REFUSED
    if verdicts.get("undetermined", 0) or not verdicts:
        return Exit.UNDETERMINED
    return Exit.ENVIRONMENT if unread else Exit.ACCEPTED


def _tell(summary: Summary, *, as_json: bool, aside: bool) -> None:
    verdicts = summary.of("verdict")
    by_code = {code: count for code, count in summary.of("code").items() if code != Code.OK}
    counts = {name: verdicts.get(name, 0) for name in _VERDICTS}
    if as_json:
        told = {**counts, "codes": by_code, **summary.to_dict()}
        click.echo(json.dumps(told), file=sys.stderr if aside else sys.stdout)
        return
    reasons = ", ".join(f"{count} {code}" for code, count in by_code.items())
    line = ", ".join(f"{count} {name}" for name, count in counts.items())
    click.echo(f"{line} ({reasons})." if reasons else f"{line}.", err=True)
    if issuers := ", ".join(f"{count} {name}" for name, count in summary.of("issuer").items()):
        click.echo(f"Signed by: {issuers}.", err=True)
    if summary.stopped:
        click.echo(f"Stopped after {summary.rows} rows.", err=True)
