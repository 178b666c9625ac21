"""``healthcert keys roll``: when the next keys have to be made."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import click
from cryptography.hazmat.primitives.serialization import Encoding

from healthcert.errors import Code, IssueError
from healthcert.issue.period import CSCA_USE, DSC_USE
from healthcert.issue.pki import DSC_VALIDITY, Terms, plan_rollover
from healthcert.issue.pki.rollover import HEALTH_VALIDITY, LEAD, RolloverPlan
from healthcert.lists.reading import Rejected
from healthcert.lists.x509 import parse_certificate
from healthcert.trust.files import read_path
from healthcert_cli.commands.keys.making import days_option
from healthcert_cli.commands.keys.places import existing, load_authority
from healthcert_cli.exits import Exit, boundary
from healthcert_cli.options import Duration, Moment, json_option, this_second
from healthcert_cli.text import printable


@click.command()
@click.argument("paths", metavar="DSC...", nargs=-1, required=True, type=existing)
@click.option("--ca", type=existing, help="The certificate of the CSCA that the next DSC comes from.")
@click.option("--lead", type=Duration(), default=LEAD, show_default="30d", help="How long before use a key is made.")
@click.option("--use", type=Duration(), default=DSC_USE, show_default="183d", help="How long a DSC's key signs.")
@click.option("--ca-use", type=Duration(), default=CSCA_USE, show_default="365d", help="How long a CSCA's key signs.")
@click.option(
    "--health-validity",
    type=Duration(),
    default=HEALTH_VALIDITY,
    show_default="365d",
    help="How long the longest certificate of health lives.",
)
@days_option(DSC_VALIDITY)
@click.option("--at", type=Moment(), help="Plan as of this moment instead of now.")
@json_option
@boundary
def roll(
    paths: tuple[Path, ...],
    ca: Path | None,
    lead: timedelta,
    use: timedelta,
    ca_use: timedelta,
    health_validity: timedelta,
    days: int,
    at: datetime | None,
    as_json: bool,
) -> Exit:
    """Plan the dates of the next keys, and warn of gaps between them.

    DSC are the files of the certificates in use. The exit code is 1 when there is a gap. Nothing is made.
    """
    plan = plan_rollover(
        [der for path in paths for der in _certificates(path)],
        moment=at or this_second(),
        csca=load_authority(ca).public_bytes(Encoding.DER) if ca is not None else None,
        terms=Terms(
            lead=lead, use=use, validity=timedelta(days=days), csca_use=ca_use, health_validity=health_validity
        ),
    )
    click.echo(json.dumps(_values(plan)) if as_json else "\n".join(_lines(plan)))
    return Exit.REFUSED if plan.gaps else Exit.ACCEPTED


def _certificates(path: Path) -> Iterator[bytes]:
    for entry in read_path(path):
        if isinstance(entry, Rejected):
            raise IssueError(Code.CERTIFICATE_UNREADABLE, f"{entry.source}: {entry.error.detail}")
        if entry.certificate is None:
            raise IssueError(Code.CERTIFICATE_UNREADABLE, f"{entry.source}: a key without a certificate")
        if parse_certificate(entry.certificate).ca:
            raise IssueError(Code.FIELD_INVALID, f"{entry.source}: a CSCA, which --ca is for")
        yield entry.certificate


def _lines(plan: RolloverPlan) -> Iterator[str]:
    for entry in plan.entries:
        yield printable(f"{entry.at:%Y-%m-%d}  {entry.detail}")
    for gap in plan.gaps:
        until = f"to {gap.end:%Y-%m-%d}" if gap.end is not None else "on"
        yield printable(f"GAP  from {gap.begin:%Y-%m-%d} {until}: {gap.detail}")


def _values(plan: RolloverPlan) -> dict[str, object]:
    return {
        "entries": [
            {
                "at": entry.at.isoformat(),
                "action": entry.action.value,
                "kid": entry.kid.hex() if entry.kid else None,
                "usages": [usage.value for usage in entry.usages],
                "detail": entry.detail,
            }
            for entry in plan.entries
        ],
        "gaps": [
            {"begin": gap.begin.isoformat(), "end": gap.end.isoformat() if gap.end else None, "detail": gap.detail}
            for gap in plan.gaps
        ],
    }
