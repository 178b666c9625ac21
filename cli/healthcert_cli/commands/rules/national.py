"""What rules that are not of the EU's form say of the certificates of one holder."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import click

from healthcert.errors import HealthCertError
from healthcert.limits import DEFAULT_LIMITS, read_file
from healthcert.rules.assessment import Assessment, NationalRules
from healthcert.rules.database import is_database
from healthcert.rules.describe import describe_assessment
from healthcert.rules.national.registry import OF_RULES, national_rules
from healthcert.rules.ruling import RulingOutcome
from healthcert.rules.valuesets import shipped_for_rules
from healthcert.trust.store import TrustStore
from healthcert.verify.report import Outcome
from healthcert_cli.commands.rules.given import WORST_FIRST, Given
from healthcert_cli.commands.rules.shared import doubt_about
from healthcert_cli.commands.rules.telling import assessment_lines
from healthcert_cli.exits import Exit
from healthcert_cli.render import COLOURS, verdict
from healthcert_cli.rulestores import load_rules
from healthcert_cli.text import printable

_EXITS = {
    RulingOutcome.PASSED: Exit.ACCEPTED,
    RulingOutcome.FAIL: Exit.REFUSED,
    RulingOutcome.OPEN: Exit.UNDETERMINED,
    RulingOutcome.NO_RULES: Exit.UNDETERMINED,
}
_COLOURS = {
    RulingOutcome.PASSED: COLOURS[Outcome.ACCEPTED],
    RulingOutcome.FAIL: COLOURS[Outcome.REFUSED],
    RulingOutcome.OPEN: COLOURS[Outcome.UNDETERMINED],
    RulingOutcome.NO_RULES: COLOURS[Outcome.UNDETERMINED],
}
# Not all national rules are about who may pass.
_WORDS = {"booster": ("NOTIFY", "NOTHING TO NOTIFY"), "de-domestic": ("A STATUS HOLDS", "NO STATUS HOLDS")}


def ask_national(
    name: str,
    options: dict[str, str],
    path: Path | None,
    grace: timedelta,
    certificates: Sequence[Given],
    trust: TrustStore | None,
    at: datetime,
    *,
    as_json: bool,
) -> Exit:
    """Asks about all certificates together; one that is not good itself is told, and nothing is asked."""
    wrong = [one for one in certificates if one.subject is None or one.exit is not Exit.ACCEPTED]
    if wrong:
        for one in wrong:
            click.echo(json.dumps(one.described()) if as_json else one.line)
        return next(code for code in WORST_FIRST if code in {one.exit for one in wrong})
    asked, doubt = _rules(name, path, grace, trust, at)
    assessment = asked.assess([one.subject for one in certificates if one.subject is not None], at, options=options)
    if doubt is not None:
        if as_json:
            click.echo(json.dumps({"national": name, "outcome": None, "code": doubt.code, "detail": doubt.detail}))
        else:
            click.echo(verdict(asked.title, Outcome.UNDETERMINED, doubt.code, doubt.detail))
        return Exit.UNDETERMINED
    verified = trust is not None
    if as_json:
        click.echo(json.dumps({"national": name, "verified": verified, **describe_assessment(assessment)}))
    else:
        click.echo(_headline(asked, assessment, verified=verified))
        for line in assessment_lines(assessment, word="Holds" if name in _WORDS else "Good", told=1):
            click.echo(line)
    return _EXITS[assessment.outcome]


def _rules(
    name: str, path: Path | None, grace: timedelta, trust: TrustStore | None, at: datetime
) -> tuple[NationalRules, HealthCertError | None]:
    """The rules, and why they tell nothing where they do not."""
    if path is not None and name not in OF_RULES and not (path.is_file() and is_database(path)):
        if path.is_dir():
            raise click.UsageError(f"the national rules {name} are one file: name it with --store")
        return national_rules(name, read_file(path, DEFAULT_LIMITS.list_bytes), shipped_for_rules()), None
    store = load_rules(path)
    found = store.national(name)
    if found is None:
        raise click.UsageError(f"no list has the national rules {name}: name their file with --store")
    what = f"the national rules {name}"
    return found, doubt_about(what, store, store.national_coverage(name), trust, at, grace)


def _headline(asked: NationalRules, assessment: Assessment, *, verified: bool) -> str:
    passed, failed = _WORDS.get(asked.name, ("ACCEPTED", "REFUSED"))
    word = {RulingOutcome.PASSED: passed, RulingOutcome.FAIL: failed}.get(assessment.outcome, "UNDETERMINED")
    badge = click.style(f" {word} ", fg="black", bg=_COLOURS[assessment.outcome], bold=True)
    if not verified:
        badge = click.style(" NOT VERIFIED ", fg="black", bg=COLOURS[Outcome.UNDETERMINED], bold=True) + f" {word}:"
    return f"{badge} {printable('  '.join((asked.title, *assessment.reasons[:1])))}"
