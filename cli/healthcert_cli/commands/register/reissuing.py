"""``healthcert register reissue``: all live certificates of a lost key, issued anew under another."""

from __future__ import annotations

import json
import sys
from contextlib import ExitStack
from pathlib import Path

import click

from healthcert.authority.authority import IssuingAuthority
from healthcert.authority.reissue import ReissuePlan, plan_reissue, revoke_rest
from healthcert.authority.reissue import reissue as reissue_rows
from healthcert.errors import Code, IssueError, Step
from healthcert.intake.reading import RejectedRow, Rows
from healthcert.intake.records import IntakeOptions
from healthcert_cli.authorities import authority_of, authority_options, files_of, profile_of, profile_path
from healthcert_cli.commands.trust.shared import Kid
from healthcert_cli.exits import Exit, boundary, exit_of, exit_of_rows
from healthcert_cli.intaking import check_output, intake_options, line_of, options_of, output, rows_of
from healthcert_cli.options import json_option
from healthcert_cli.rejects import Rejects
from healthcert_cli.render import table


@click.command()
@click.argument("sources", nargs=-1, metavar="[FILE]...", type=click.Path(exists=True, dir_okay=False))
@click.option("--kid", type=Kid(), required=True, help="The DSC that signs no more.")
@click.option("--plan", "plan_only", is_flag=True, help="Tell what would be done, and do nothing.")
@click.option("--yes", is_flag=True, help="Do it without asking.")
@click.option("--revoke-rest", "rest", is_flag=True, help="Revoke the certificates that no record was given for.")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File for the new certificates, a JSON object a line. [required but with --plan]",
)
@intake_options
@authority_options
@json_option
@boundary
def reissue(
    sources: tuple[str, ...],
    kid: bytes,
    plan_only: bool,
    yes: bool,
    rest: bool,
    out: Path | None,
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
    """Issue anew what is live under a DSC that was lost or compromised. The plan is shown first.

    A register knows nothing of people, so FILE holds the records again, as for `issue batch`. Each live certificate
    that has its record gets a new edition under another DSC of the profile, and is marked as replaced; the others are
    told, and revoked with --revoke-rest. Broken off and run again, the same comes out. What belongs into revocation
    lists is then written by `healthcert revoke --kid`.
    """
    path = profile_path(profile)
    settings = profile_of(path)
    options = options_of(settings, format_, mapping, kind, recovery=recovery)
    read = [*map(Path, sources), mapping, *files_of(path, settings)]
    if out is None and not plan_only:
        raise click.UsageError("--out is where the new certificates go; --plan alone does nothing")
    if out is not None:
        check_output(out, rejects, read)
    with ExitStack() as stack:
        authority = stack.enter_context(authority_of(settings, passphrase_file, pin_file, without=(kid,)))
        plan = plan_reissue(authority, kid, _all_rows(sources, options))
        _show(plan, rest=rest, as_json=as_json)
        if plan_only or out is None:
            return Exit.ACCEPTED
        if not yes and not (sys.stdin.isatty() and click.confirm("Do it?", err=True)):
            raise click.UsageError("nothing was done: say --yes, or answer yes at a terminal")
        rejected = stack.enter_context(Rejects(rejects, read))
        written = stack.enter_context(output(str(out)))
        done = 0
        for source in sources:
            with rows_of(source, options, "Issuing anew") as rows:
                for row in reissue_rows(authority, kid, rows):
                    if isinstance(row, RejectedRow):
                        rejected.add(source, row.number, row.error)
                        continue
                    done += 1
                    written.write(
                        line_of(source, row.number, row.issued, again=row.again, replaces=row.replaced.certificate_id)
                    )
        revoked = _revoke_rest(authority, kid, rejected) if rest else 0
    if as_json:
        click.echo(json.dumps({"issued": done, "revoked": revoked, "rejected": rejected.counts.total()}))
    else:
        click.echo(f"{done} issued anew, {revoked} revoked, {rejected.counts.total()} rejected.", err=True)
    return exit_of_rows(rejected.counts)


def _all_rows(sources: tuple[str, ...], options: IntakeOptions) -> Rows:
    for source in sources:
        with rows_of(source, options, "Planning") as rows:
            yield from rows


def _revoke_rest(authority: IssuingAuthority, kid: bytes, rejected: Rejects) -> int:
    """How many were revoked.

    Raises :class:`IssueError` (``NO_SIGNER``) and revokes none where records were rejected that a signer would have
    issued anew: their holders would be left with nothing, and with a record that is not issued again.
    """
    if faults := [code for code in rejected.counts if code is Code.NO_SIGNER or exit_of(code) is Exit.ENVIRONMENT]:
        told = ", ".join(f"{rejected.counts[code]} {code}" for code in sorted(faults))
        detail = f"nothing was revoked, for records were not issued anew ({told}); correct that, and run it again"
        raise IssueError(Code.NO_SIGNER, detail, Step.SIGNATURE)
    return sum(1 for _ in revoke_rest(authority, kid))


def _show(plan: ReissuePlan, *, rest: bool, as_json: bool) -> None:
    if as_json:
        counts = [
            {
                "kind": one.entry_type.value,
                "live": one.live,
                "with_record": one.matched,
                "without_record": one.unmatched,
                "done_before": one.done,
                "successor": one.successor.hex() if one.successor else None,
            }
            for one in plan.counts
        ]
        click.echo(json.dumps({"plan": counts, "rows": plan.rows, "rejected": plan.rejected, "others": plan.others}))
        return
    click.echo(f"Plan for the DSC {plan.kid.hex()}, {plan.at:%Y-%m-%d %H:%M} UTC:", err=True)
    rows = [
        (
            one.entry_type.value,
            str(one.live),
            str(one.matched),
            str(one.unmatched),
            str(one.done),
            one.successor.hex() if one.successor else "none",
        )
        for one in plan.counts
    ]
    heading = ("KIND", "LIVE", "ISSUED ANEW", "REVOKED" if rest else "LEFT AS THEY ARE", "DONE BEFORE", "NEW KEY")
    for line in table([heading, *rows]):
        click.echo(line, err=True)
    click.echo(f"Of {plan.rows} records {plan.rejected} cannot be issued, {plan.others} are not concerned.", err=True)
