"""``healthcert rules forecast``: from when until when certificates are accepted somewhere, and which is the best."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import click
from msgspec.structs import replace

from healthcert.clock import FixedClock, SystemClock
from healthcert.errors import RuleError
from healthcert.rules.assessment import Assessment
from healthcert.rules.book import RuleBook
from healthcert.rules.describe import describe_assessment
from healthcert.rules.forecast import Span, accepted, forecast
from healthcert.rules.holder import best_of, grouped, subject_holder
from healthcert.rules.rule import ACCEPTANCE
from healthcert.rules.ruling import RulingOutcome
from healthcert.rules.subject import RuleSubject
from healthcert.trust.store import TrustStore
from healthcert.verify.report import Outcome, Report
from healthcert.verify.verifier import Verifier
from healthcert_cli.commands.rules.given import Given, given, unverified_option
from healthcert_cli.commands.rules.shared import (
    country_option,
    doubt_about,
    grace_option,
    keys_option,
    region_option,
    rules_option,
)
from healthcert_cli.commands.rules.telling import assessment_lines
from healthcert_cli.exits import Exit, boundary
from healthcert_cli.options import Moment, json_option
from healthcert_cli.render import verdict
from healthcert_cli.rulestores import load_rules
from healthcert_cli.text import printable
from healthcert_cli.verifying import load_trust

_AHEAD = timedelta(days=366)
_WORDS = {
    RulingOutcome.PASSED: "accepted",
    RulingOutcome.FAIL: "not accepted",
    RulingOutcome.OPEN: "cannot be told",
    RulingOutcome.NO_RULES: "no rules",
}


@click.command("forecast")
@click.argument("sources", nargs=-1, metavar="[SOURCE]...")
@country_option
@region_option
@click.option("--from", "start", type=Moment(), help="Look from this moment on. [default: now]")
@click.option("--until", "end", type=Moment(), help="Look up to this moment. [default: a year later]")
@rules_option
@grace_option
@keys_option
@unverified_option
@json_option
@boundary
def forecast_command(
    sources: tuple[str, ...],
    country: str,
    region: str | None,
    start: datetime | None,
    end: datetime | None,
    rules: Path | None,
    grace: timedelta,
    trust_paths: tuple[Path, ...],
    unverified: bool,
    as_json: bool,
) -> Exit:
    """Tell from when until when certificates are accepted in a country, and which of one holder's is the best.

    SOURCE is as for check. A certificate is verified as of today or, where today is not in its time, as of the nearest
    moment that is. It ends with the key that signed it. Revocation is not asked about.

    Exit code: 0 when one is accepted, or will be, in the time that is looked at; 1 when none is; 3 when it cannot be
    told; 4 when a file could not be read, and none is accepted.
    """
    now = SystemClock().now()
    start, end = _period(start or now.replace(microsecond=0), end)
    store = load_rules(rules, country=country, region=region)
    trust = None if unverified else load_trust(trust_paths)
    accepting = [one for one in store.coverage(country) if ACCEPTANCE in one.types]
    doubt = doubt_about(f"the rules of {country}", store, accepting, trust, now, grace)
    if doubt is not None:
        found = {"country": country, "outcome": None, "code": doubt.code.value, "detail": doubt.detail}
        line = verdict(country, Outcome.UNDETERMINED, doubt.code, doubt.detail)
        click.echo(json.dumps(found) if as_json else line)
        return Exit.UNDETERMINED
    asked = _Asked(store.book, country, region, start, end)
    outcomes: set[RulingOutcome] = set()
    exits: set[Exit] = set()
    usable = []
    for one in given(sources, None if trust is None else _in_its_time(trust, now)):
        if one.subject is None or one.exit is not Exit.ACCEPTED:
            click.echo(json.dumps(one.described()) if as_json else one.line)
            exits.add(one.exit)
            continue
        try:
            subject = _until_key_ends(one)
            spans, assessment = asked.about(subject)
        except RuleError as error:
            click.echo(_unclear(one, error, as_json=as_json))
            exits.add(Exit.UNDETERMINED)
            continue
        usable.append((one.source, subject))
        outcomes |= {span.outcome for span in spans}
        click.echo("\n".join(_told(one, country, spans, assessment, start, as_json=as_json)))
    for line in _best(asked, usable, as_json=as_json):
        click.echo(line)
    if RulingOutcome.PASSED in outcomes:
        return Exit.ACCEPTED
    if Exit.ENVIRONMENT in exits:
        return Exit.ENVIRONMENT
    return Exit.REFUSED if outcomes <= {RulingOutcome.FAIL} and exits <= {Exit.REFUSED} else Exit.UNDETERMINED


class _Asked:
    """One question, for every certificate."""

    def __init__(self, book: RuleBook, country: str, region: str | None, start: datetime, end: datetime) -> None:
        self._book, self._country, self._region = book, country, region
        self._start, self._end = start, end

    def about(self, subject: RuleSubject) -> tuple[tuple[Span, ...], Assessment]:
        spans = forecast(
            self._book, subject, country=self._country, start=self._start, end=self._end, region=self._region
        )
        return spans, accepted(self._book, subject, country=self._country, at=self._start, region=self._region)

    def best(self, subjects: Sequence[RuleSubject]) -> int | None:
        """The place of the one to show, None where none is accepted."""
        found = best_of(self._book, subjects, country=self._country, at=self._start, region=self._region)
        return None if found is None else found.place


def _period(start: datetime, end: datetime | None) -> tuple[datetime, datetime]:
    try:
        end = end or start + _AHEAD
    except OverflowError:
        raise click.UsageError("--from is a moment of our times") from None
    if end <= start:
        raise click.UsageError("--until comes after --from")
    return start, end


def _in_its_time(trust: TrustStore, now: datetime) -> Callable[[str], Report]:
    """Verifies a certificate as of now or, where that is not in its time, as of the nearest moment that is.

    That it has expired by now, or is not valid yet, is for the forecast to tell.
    """

    def examine(text: str) -> Report:
        report = Verifier(trust, clock=FixedClock(now)).examine(text)
        certificate, key = report.certificate, report.key
        if report.outcome is Outcome.ACCEPTED or certificate is None or key is None:
            return report
        starts = [one for one in (certificate.issued_at, key.not_before) if one is not None]
        ends = [one for one in (certificate.expires_at, key.not_after) if one is not None]
        moment = max([min([now, *ends]), *starts])
        return report if moment == now else Verifier(trust, clock=FixedClock(moment)).examine(text)

    return examine


def _until_key_ends(one: Given) -> RuleSubject:
    """What rules are asked about, which is no longer valid than the key that signed it."""
    assert one.subject is not None, "it is usable"
    key = one.report.key if one.report is not None else None
    if key is None or key.not_after is None:
        return one.subject
    end = one.subject.expires_at
    return replace(one.subject, expires_at=key.not_after if end is None else min(end, key.not_after))


def _told(
    one: Given, country: str, spans: Sequence[Span], assessment: Assessment, start: datetime, *, as_json: bool
) -> Iterator[str]:
    if as_json:
        described = {"spans": [_span(span) for span in spans], **describe_assessment(assessment)}
        yield json.dumps({"source": one.source, "verified": one.is_verified, "country": country, **described})
        return
    yield click.style(printable(one.source), bold=True) + ("" if one.is_verified else " (not verified)")
    for span in spans:
        yield f"  {span.start:%Y-%m-%d %H:%M:%S} to {span.end:%Y-%m-%d %H:%M:%S} UTC: {_WORDS[span.outcome]}"
    yield from assessment_lines(replace(assessment, reasons=()))
    yield from (printable(f"  At {start:%Y-%m-%d %H:%M:%S} UTC: {reason}") for reason in assessment.reasons)


def _span(span: Span) -> dict[str, str]:
    return {"from": span.start.isoformat(), "until": span.end.isoformat(), "outcome": span.outcome.value}


def _unclear(one: Given, error: RuleError, *, as_json: bool) -> str:
    if as_json:
        return json.dumps(one.described() | {"outcome": None, "code": error.code.value, "detail": error.detail})
    return verdict(one.source, Outcome.UNDETERMINED, error.code, error.detail)


def _best(asked: _Asked, usable: Sequence[tuple[str, RuleSubject]], *, as_json: bool) -> Iterator[str]:
    """Of each holder's certificates, where there are several, the one to show."""
    for group in grouped(usable, lambda one: subject_holder(one[1])):
        if len(group) > 1:
            place = asked.best([subject for _, subject in group])
            name = None if place is None else group[place][0]
            if as_json:
                yield json.dumps({"best": name, "of": [source for source, _ in group]})
            else:
                yield f"Best of {len(group)} of one holder: {printable(name) if name else 'none'}"
