"""``healthcert rules check``: what a country's rules say of certificates, rule by rule, and why."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import click

from healthcert.clock import FixedClock, SystemClock
from healthcert.errors import Code, VerificationError
from healthcert.rules.describe import describe_ruling
from healthcert.rules.national.registry import NATIONAL
from healthcert.rules.ruling import RuleState, Ruling
from healthcert.rules.store import RuleStore
from healthcert.verify import steps
from healthcert.verify.policy import Policy
from healthcert.verify.report import Outcome
from healthcert.verify.verifier import Verifier
from healthcert_cli.commands.rules.given import EXITS, WORST_FIRST, Given, given, unverified_option
from healthcert_cli.commands.rules.national import ask_national
from healthcert_cli.commands.rules.shared import grace_option, keys_option, region_option, rules_option
from healthcert_cli.commands.rules.telling import counted, ruling_lines
from healthcert_cli.commands.trust.shared import Pair
from healthcert_cli.exits import Exit, boundary
from healthcert_cli.options import Country, at_option, json_option
from healthcert_cli.render import verdict
from healthcert_cli.rulestores import load_rules
from healthcert_cli.text import printable
from healthcert_cli.verifying import load_trust


@click.command()
@click.argument("sources", nargs=-1, metavar="[SOURCE]...")
@click.option("--country", type=Country(), help="The country of arrival, whose rules are asked.")
@region_option
@click.option(
    "--national",
    type=click.Choice(NATIONAL),
    help="Ask these rules instead, which are not of the EU's form; all certificates are of one holder.",
)
@click.option("--option", "options", multiple=True, type=Pair(), help="A setting of national rules, as NAME=VALUE.")
@click.option("--language", multiple=True, help="Tell reasons in this language; may be repeated. [default: all]")
@rules_option
@grace_option
@keys_option
@unverified_option
@at_option
@json_option
@boundary
def check(
    sources: tuple[str, ...],
    country: str | None,
    region: str | None,
    national: str | None,
    options: tuple[tuple[str, str], ...],
    language: tuple[str, ...],
    rules: Path | None,
    grace: timedelta,
    trust_paths: tuple[Path, ...],
    unverified: bool,
    at: datetime | None,
    as_json: bool,
) -> Exit:
    """Ask a country's rules about certificates, and tell what each rule says and why.

    SOURCE is a picture, a text file, or - for standard input (the default). The certificate is verified first; with
    --unverified it is not, and a SOURCE that ends in .json may be a payload in JSON. Revocation is not asked about:
    at a door, use verify --country.

    Exit code: 0 when all rules are met, 1 when one is not, 3 when it cannot be told, or there are no rules, 4 when a
    file could not be read.
    """
    if (country is None) == (national is None):
        raise click.UsageError("say --country or --national")
    clock = FixedClock(at or SystemClock().now())
    trust = None if unverified else load_trust(trust_paths)
    if national is not None:
        if region is not None or language:
            raise click.UsageError("--region and --language go with --country: see --option")
        certificates = list(given(sources, None if trust is None else Verifier(trust, clock=clock).examine))
        return ask_national(national, dict(options), rules, grace, certificates, trust, clock.now(), as_json=as_json)
    if options:
        raise click.UsageError("--option goes with --national")
    store = load_rules(rules, country=country, region=region)
    policy = Policy(country=country, region=region, rules_grace=grace)
    examine = None if trust is None else Verifier(trust, rules=store, policy=policy, clock=clock).examine
    known = sum(rule.country == country for rule in store.book.rules)
    exits = set()
    for one in given(sources, examine):
        ruling, outcome, code, detail = _judged(one, store, policy, clock.now())
        exits.add(Exit.ENVIRONMENT if code is Code.ENVIRONMENT else EXITS[outcome])
        if as_json:
            click.echo(json.dumps(_as_dict(one, outcome, code, detail, ruling)))
            continue
        click.echo(_headline(one, outcome, code, detail))
        if ruling is not None:
            has_issuer = one.subject is not None and one.subject.issuing_country is not None
            for line in ruling_lines(ruling, language, known=known, has_issuer=has_issuer):
                click.echo(line)
    return next((code for code in WORST_FIRST if code in exits), Exit.ACCEPTED)


def _judged(one: Given, store: RuleStore, policy: Policy, now: datetime) -> tuple[Ruling | None, Outcome, Code, str]:
    """What is wrong with the certificate itself comes first; the same steps decide as where it is verified."""
    ruling = None if one.report is None else one.report.rules
    outcome, code, detail = one.verdict
    if one.report is None and one.subject is not None:
        assert policy.country is not None, "a country is asked about"
        ruling = store.judge(one.subject, country=policy.country, at=now, region=policy.region)
        try:
            steps.rules(ruling, now, policy)
        except VerificationError as error:
            refused = error.code is Code.RULES_NOT_MET
            outcome, code, detail = Outcome.REFUSED if refused else Outcome.UNDETERMINED, error.code, error.detail
    return ruling, outcome, code, _in_short(ruling, code, detail)


def _headline(one: Given, outcome: Outcome, code: Code, detail: str) -> str:
    """The verdict; what nobody verified is not called accepted."""
    if code is Code.ENVIRONMENT:
        return one.line
    if outcome is not Outcome.ACCEPTED or one.report is not None:
        return verdict(one.source, outcome, code, detail)
    badge = click.style(" NOT VERIFIED ", fg="black", bg="yellow", bold=True)
    return f"{badge} {printable(one.source)}  the rules are met; neither its signature nor its dates were checked"


def _in_short(ruling: Ruling | None, code: Code, detail: str) -> str:
    """What the lines below tell one by one."""
    if ruling is None or code not in (Code.RULES_NOT_MET, Code.RULES_OPEN):
        return detail
    if code is Code.RULES_NOT_MET:
        failed = len(ruling.of(RuleState.FAIL))
        word = "is" if failed == 1 else "are"
        return f"{failed} of {counted(len(ruling.results), 'rule')} for {ruling.country} {word} not met"
    left = len(ruling.of(RuleState.OPEN)) + ruling.unreadable
    return f"{counted(left, 'rule')} for {ruling.country} could not be evaluated"


def _as_dict(one: Given, outcome: Outcome, code: Code, detail: str, ruling: Ruling | None) -> dict[str, Any]:
    passed = outcome is Outcome.ACCEPTED
    return {
        **one.described(),
        "outcome": None if code is Code.ENVIRONMENT or (passed and not one.is_verified) else outcome.value,
        "code": code.value,
        "detail": detail,
        "rules": None if ruling is None else describe_ruling(ruling),
    }
