"""How reports, keys and layers look to people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import click

from healthcert.errors import Step
from healthcert.families.hcert.uvci import UvciCheck, check_uvci
from healthcert.families.hcert.valuesets import value_sets
from healthcert.model import Coding, Event, Exemption, HealthCertificate, Holder, Recovery, TestResult, Vaccination
from healthcert.revocation.answer import RevocationAnswer
from healthcert.trust.keys import TrustedKey
from healthcert.verify.report import Outcome, Report, StepResult, describe_key
from healthcert_cli.text import printable

COLOURS = {Outcome.ACCEPTED: "green", Outcome.REFUSED: "red", Outcome.UNDETERMINED: "yellow"}
_MARKS = {
    StepResult.PASSED: ("✓", "green"),
    StepResult.FAILED: ("✗", "red"),
    StepResult.UNDETERMINED: ("?", "yellow"),
    StepResult.NOT_RUN: ("·", "bright_black"),
}
_LABEL_WIDTH = 14
_FAMILY_WIDTH = 30
_LONGEST_NAME = 80
# Honest issuers compute it in ways of their own: only one that holds is worth a word.
_CHECKSUMS = dict.fromkeys(UvciCheck, "") | {UvciCheck.VALID: " (its checksum holds)"}


def verdict(source: str, outcome: Outcome, code: str, detail: str) -> str:
    """The first line: the verdict, large and in colour, and why."""
    badge = click.style(f" {outcome.value.upper()} ", fg="black", bg=COLOURS[outcome], bold=True)
    why = "" if outcome is Outcome.ACCEPTED else f"  {detail} ({code})"
    return f"{badge} {printable(source + why)}"


def report_lines(source: str, report: Report) -> Iterator[str]:
    """A report for a person at a door."""
    yield verdict(source, report.outcome, report.code, report.detail)
    if report.certificate is not None:
        yield from certificate_lines(report.certificate)
    if report.key is not None:
        yield _line("Signed by", key_summary(report.key))
    yield _line("Revocation", revocation_summary(report))
    if report.policy.country is not None:
        yield _line("Rules", rules_summary(report))
    yield _line("Checked", f"{report.checked_at:%Y-%m-%d %H:%M} UTC, policy {report.policy.name}")
    yield f"  {'Steps':<{_LABEL_WIDTH}}{steps_line(report)}"
    for warning in report.warnings:
        yield _line("Warning", f"{warning.detail} ({warning.code})")
    for number, beside in enumerate(report.beside, 2):
        yield from report_lines(f"{source}, certificate {number} of {len(report.beside) + 1}", beside)


def revocation_summary(report: Report) -> str:
    """What is known of revocation, and until when."""
    step, answer = report[Step.REVOCATION], report.revocation
    if step.outcome is not StepResult.PASSED or answer is None:
        not_checked = step.outcome is StepResult.NOT_RUN
        return f"not checked: {step.detail or 'the certificate failed before'}" if not_checked else step.detail
    lists = ", ".join(one.source for one in answer.lists)
    if answer.fresh_until is None:
        return f"not revoked, by {lists}"
    word = "fresh until" if report.checked_at <= answer.fresh_until else "overdue since"
    return f"not revoked, by {lists}, {word} {answer.fresh_until:%Y-%m-%d %H:%M} UTC"


def rules_summary(report: Report) -> str:
    """What the rules of the policy's country say."""
    step, ruling = report[Step.RULES], report.rules
    if step.outcome is not StepResult.PASSED or ruling is None:
        not_asked = step.outcome is StepResult.NOT_RUN
        return f"not asked: {step.detail or 'the certificate failed before'}" if not_asked else step.detail
    region = f", {ruling.region}" if ruling.region else ""
    number = len(ruling.results)
    met = "1 rule for {} is met" if number == 1 else f"{number} rules for {{}} are met"
    return met.format(country_name(ruling.country) + region)


def coverage_lines(answer: RevocationAnswer) -> Iterator[str]:
    """The lists that speak for a certificate's issuer."""
    for word, lists in (("Fresh", answer.lists), ("Overdue", answer.overdue)):
        for one in lists:
            until = f"{one.fresh_until:%Y-%m-%d %H:%M} UTC" if one.fresh_until else "no end"
            yield _line(word, f"{one.source}, fetched {one.fetched_at:%Y-%m-%d %H:%M} UTC, good until {until}")


def steps_line(report: Report) -> str:
    """All steps with their marks."""
    parts = []
    for step in report.steps:
        mark, colour = _MARKS[step.outcome]
        parts.append(click.style(f"{mark} {step.step.value}", fg=colour))
    return "  ".join(parts)


def step_lines(report: Report) -> Iterator[str]:
    """One line a step, with what it found."""
    for step in report.steps:
        mark, colour = _MARKS[step.outcome]
        found = printable(step.detail) or ("" if step.outcome is StepResult.PASSED else step.outcome.value)
        yield f"    {click.style(mark, fg=colour)} {step.step.value:<11}{found}".rstrip()


def certificate_lines(certificate: HealthCertificate) -> Iterator[str]:
    """Who, what, and by whom."""
    yield _line("Family", certificate.family)
    if certificate.holder != Holder():
        yield _line("Holder", holder_summary(certificate.holder))
    for event in certificate.events:
        yield _line(event.entry_type.value.capitalize(), event_summary(event))
        yield _line("Issuer", issuer_summary(event, certificate))
        if event.certificate_id:
            yield _line("Identifier", event.certificate_id + _CHECKSUMS[check_uvci(event.certificate_id)])
    for link in certificate.links:
        yield _line("Link", link)
    if not certificate.events:
        for identifier in certificate.identifiers:
            yield _line("Identifier", identifier)
    yield _line("Valid", validity_summary(certificate))
    for beside in certificate.beside:
        yield from certificate_lines(beside)


def issuer_summary(event: Event, certificate: HealthCertificate) -> str:
    """Who certified an event, or the whole certificate where an event names nobody; and the country of the event."""
    issuer = event.issuer or certificate.issuer
    named = (None if issuer == event.country else issuer, country_name(event.country))
    return ", ".join(part for part in named if part) or "unknown"


def validity_summary(certificate: HealthCertificate) -> str:
    """From when until when; not every family says so."""
    start, end = (at and f"{at:%Y-%m-%d %H:%M} UTC" for at in (certificate.issued_at, certificate.expires_at))
    if start is None and end is None:
        return "it does not say from when until when"
    return f"{start or 'unknown'} to {end}" if end else f"from {start}, without an end"


def holder_summary(holder: Holder) -> str:
    return holder.name + (f", born {holder.birth_date}" if holder.birth_date else ", date of birth unknown")


def event_summary(event: Event) -> str:
    about: tuple[Coding | str | None, ...] = ()
    match event:
        case Vaccination():
            dose = f"dose {event.dose}" if event.dose else "dose"
            series = f" of {event.series}" if event.series else ""
            what = f"{dose}{series} on {event.date or 'an unknown day'}"
            if event.date is None and event.partial_date:
                what = f"{dose}{series} in {event.partial_date}"
            about = (event.product or event.vaccine, event.batch and f"batch {event.batch}")
        case TestResult():
            what = str(event.result)
            about = (event.test_type, sampling_summary(event))
        case Recovery():
            what = f"first positive {event.first_positive}, usable {event.valid_from} to {event.valid_until}"
        case Exemption():
            what = f"until {event.valid_until}"
    return ", ".join([what, *(str(part) for part in about if part)]) + (f" ({event.disease})" if event.disease else "")


def sampling_summary(test: TestResult) -> str:
    """When a sample was taken, as exactly as it is known."""
    if test.sampled_at is not None:
        return f"sampled {test.sampled_at:%Y-%m-%d %H:%M} UTC"
    if test.sampled_on is None and test.partial_date:
        return f"sampled in {test.partial_date}"
    return f"sampled on {test.sampled_on or 'an unknown day'}"


def country_name(code: str | None) -> str:
    """A country with its name: ``France (FR)``; the code alone where the list has no name."""
    known = value_sets().get(("co", code or ""))
    return f"{known} ({code})" if known else code or ""


def key_summary(key: TrustedKey) -> str:
    usages = "any entry" if key.usages is None else ", ".join(sorted(key.usages)) or "no entry"
    until = f", until {key.not_after:%Y-%m-%d}" if key.not_after else ""
    owner = key.country or key.issuer or "country unknown"
    return f"key {kid_in_words(key)}, {owner}, may sign {usages}{until}"


def kid_in_words(key: TrustedKey) -> str:
    """A kid as its family writes it: a name where keys go by issuer or have one, hexadecimal digits elsewhere."""
    named = key.issuer is not None or key.domain == "2D-DOC"
    return key.kid.decode("utf-8", "replace") if named else key.kid.hex()


def key_lines(key: TrustedKey) -> Iterator[str]:
    """All that is known of a key."""
    values = describe_key(key)
    yield _line("Kid", kid_in_words(key))
    yield _line("Country", values["country"] or "unknown")
    yield _line("Algorithm", values["algorithm"] or "unreadable")
    yield _line("May sign", "any entry" if values["usages"] is None else ", ".join(values["usages"]) or "no entry")
    yield _line("Valid", f"{values['not_before'] or 'unknown'} to {values['not_after'] or 'unknown'}")
    yield _line("Source", values["source"])


def tree_lines(values: Mapping[str, Any], indent: int = 2) -> Iterator[str]:
    """Nested values, one a line."""
    for name, value in values.items():
        if isinstance(value, Mapping) and value:
            yield f"{' ' * indent}{printable(name)}:"
            yield from tree_lines(value, indent + 2)
        elif isinstance(value, list) and any(isinstance(item, Mapping) for item in value):
            for number, item in enumerate(value):
                yield f"{' ' * indent}{printable(name)}[{number}]:"
                yield from tree_lines(item if isinstance(item, Mapping) else {"": item}, indent + 2)
        else:
            yield f"{' ' * indent}{printable(name)}: {printable(value)}"


def table(rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    """Rows in aligned columns."""
    cells = [tuple(printable(cell) for cell in row) for row in rows]
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))] if cells else []
    for row in cells:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


class Table:
    """One line for each certificate of many: file, family, verdict, reason. The columns fit what will be named."""

    def __init__(self, sources: Iterable[str]) -> None:
        longest = max((len(source) for source in sources), default=0)
        self._width = min(longest + len("#10"), _LONGEST_NAME)

    def row(self, source: str, family: str, outcome: Outcome | None, why: str) -> str:
        """A line of the table; without an outcome, of a file in which there is no certificate."""
        name = printable(source)
        if len(name) > self._width:
            name = "…" + name[1 - self._width :]
        word = click.style(f"{outcome or 'none':<12}", fg=COLOURS[outcome] if outcome else "bright_black")
        return f"{name:<{self._width}}  {printable(family):<{_FAMILY_WIDTH}}  {word}  {printable(why)}".rstrip()


def _line(label: str, text: str) -> str:
    return f"  {label:<{_LABEL_WIDTH}}{printable(text)}"
