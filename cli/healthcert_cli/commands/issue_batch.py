"""``healthcert issue batch``: files of records become certificates, each issued once and registered."""

from __future__ import annotations

import hashlib
import json
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from healthcert.authority.doctor.files import register_file
from healthcert.batch.issuing import ISSUED, Image, IssueWork
from healthcert.batch.run import RECORDS
from healthcert.batch.sinks import Form, form_of
from healthcert.batch.sources import issue_source
from healthcert.batch.summary import Summary
from healthcert.errors import Code
from healthcert.limits import DEFAULT_LIMITS, read_file
from healthcert_cli.authorities import asked_once, authority_options, files_of, profile_of, profile_path
from healthcert_cli.bulk import Begun, Bulk, bulk_options
from healthcert_cli.clusters import check_tables, cluster_options, secrets_of_machines
from healthcert_cli.exits import Exit, boundary, exit_of_rows
from healthcert_cli.intaking import check_output, intake_options, options_of
from healthcert_cli.options import json_option
from healthcert_cli.printing import lang_option, load_template, paper_option, template_option

if TYPE_CHECKING:  # Ray and what it brings is for those who use it
    from healthcert.batch.cluster import Cluster


@click.command("batch")
@click.argument("sources", nargs=-1, required=True, metavar="FILE...", type=click.Path(exists=True, allow_dash=True))
@click.option("--new-edition", is_flag=True, help="Issue anew also what was revoked or replaced.")
@click.option(
    "--out",
    type=click.Path(allow_dash=True),
    default="-",
    show_default=True,
    help="Where the certificates go: a file, a JSON object a line; NAME.parquet, a folder of tables; NAME.tar or a "
    "folder (NAME/), pictures; - is standard output.",
)
@click.option(
    "--image",
    type=click.Choice([one.value for one in Image]),
    default=Image.PNG.value,
    show_default=True,
    help="How certificates are drawn, in a folder or archive: the bare code, or the page that is printed.",
)
@lang_option
@paper_option
@template_option
@intake_options
@bulk_options
@cluster_options
@authority_options
@json_option
@boundary
def batch(
    sources: tuple[str, ...],
    new_edition: bool,
    out: str,
    image: str,
    lang: str,
    paper: str,
    template_file: Path | None,
    format_: str | None,
    mapping: Path | None,
    kind: str | None,
    recovery: bool,
    rejects: Path | None,
    workers: int,
    resume: bool,
    journal: Path | None,
    cluster: Cluster | None,
    profile: Path | None,
    passphrase_file: Path | None,
    pin_file: Path | None,
    as_json: bool,
) -> Exit:
    """Issue certificates for all records in FILE (CSV, JSON Lines, FHIR, HL7 v2, Parquet); - is standard input.

    The authority's profile names keys and register. A record that was issued before gives the very same certificate
    again, so that a run which was broken off is simply run again; with --resume it goes on where it was. A row that
    cannot be used is told with its number and the reason, never with what it holds, and the rest is done: exit code 1,
    or 4 where it was the place's fault, as of a hardware module that is gone. Ctrl-C finishes what was begun: exit code
    130. The summary goes to standard error where the certificates go to standard output.
    """
    path = profile_path(profile)
    settings = profile_of(path)
    options = options_of(settings, format_, mapping, kind, recovery=recovery)
    files = (Path(source) for source in sources if source != "-")
    read = [*files, mapping, template_file, *files_of(path, settings)]
    check_output(out, rejects, read)
    form = form_of(out)
    if cluster is not None:
        check_tables(sources, form, rejects)
    draws = form in (Form.FOLDER, Form.TAR)
    template = load_template(template_file) if template_file else None
    if draws and image == Image.PAGE:
        from healthcert.document.paper import prepare

        prepare()
    what = {
        "command": "issue",
        "profile": _digest(path),
        "mapping": None if mapping is None else _digest(mapping),
        "options": [format_, kind, recovery, new_edition],
        "image": image if draws else None,
        "page": [lang, paper, template_file and _digest(template_file)] if draws and image == Image.PAGE else None,
        "engine": "local" if cluster is None else "ray",
    }
    bulk = Bulk(
        sources=[issue_source(source, options) for source in sources],
        out=out, form=form, rejects=rejects, keep=read, what=what,
        workers=workers, resume=resume, journal=journal,
    )  # fmt: skip
    secrets = (asked_once if cluster is None else secrets_of_machines)(settings, passphrase_file, pin_file)

    def work(begun: Begun) -> IssueWork:
        return IssueWork(
            profile=settings,
            secrets=secrets,
            began=begun.at,
            resumed=begun.resumed,
            form=form,
            image=Image(image),
            lang=lang,
            paper=paper,
            template=template,
            new_edition=new_edition,
        )

    def tell(summary: Summary) -> None:
        _tell(summary, as_json=as_json, aside=out == "-")

    if cluster is None:
        done = bulk.go(work, "Issuing", tell)
    else:
        done = bulk.go_on_cluster(
            cluster, work, "Issuing", tell,
            open_source=partial(issue_source, options=options), columns=ISSUED, chunk=RECORDS,
            one_machine=register_file(settings) is not None,
        )  # fmt: skip
    return Exit.STOPPED if done.stopped else exit_of_rows(Code(code) for code in done.of("code"))


def _digest(path: Path) -> str:
    return hashlib.sha256(read_file(path, DEFAULT_LIMITS.key_file_bytes)).hexdigest()


def _tell(summary: Summary, *, as_json: bool, aside: bool) -> None:
    verdicts, by_code = summary.of("verdict"), summary.of("code")
    issued, again, rejected = (verdicts.get(name, 0) for name in ("issued", "issued_before", "rejected"))
    if as_json:
        told = {"issued": issued, "issued_before": again, "rejected": by_code, **summary.to_dict()}
        click.echo(json.dumps(told), file=sys.stderr if aside else sys.stdout)
        return
    reasons = ", ".join(f"{count} {code}" for code, count in by_code.items())
    line = f"{issued} issued, {again} issued before, {rejected} rejected"
    click.echo(f"{line} ({reasons})." if reasons else f"{line}.", err=True)
    if summary.stopped:
        click.echo(f"Stopped after {summary.rows} rows.", err=True)
