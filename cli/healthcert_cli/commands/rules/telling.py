"""What rules say, in lines for people. Everything in it that others wrote is made printable."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import click

from healthcert.rules.assessment import Assessment
from healthcert.rules.describe import sentences
from healthcert.rules.rule import Rule
from healthcert.rules.ruling import RuleResult, RuleState, Ruling
from healthcert_cli.text import printable

# What decides comes first.
_MARKS = {RuleState.FAIL: ("✗", "red"), RuleState.OPEN: ("?", "yellow"), RuleState.PASSED: ("✓", "green")}
_ORDER = list(_MARKS)
_OF_ENTRIES = {
    "v": {
        "vp": "the kind of vaccine", "mp": "the product", "ma": "the vaccine's manufacturer",
        "dn": "the number of the dose", "sd": "the doses of the series", "dt": "the date of the vaccination",
        "co": "the country of the vaccination",
    },
    "t": {
        "tt": "the kind of test", "ma": "the test's device", "sc": "when the sample was taken",
        "tr": "the result of the test", "co": "the country of the test",
    },
    "r": {
        "fr": "the date of the first positive test", "df": "the certificate's first day",
        "du": "the certificate's last day", "co": "the country of the recovery",
    },
}  # fmt: skip
# ehn-dcc-schema, DCC.Types: what the fields are that rules go by, in words.
_FIELDS = {
    "external.validationClock": "the moment of the check",
    "payload.dob": "the date of birth",
    **{f"payload.{group}.0.tg": "the disease" for group in _OF_ENTRIES},
    **{f"payload.{group}.0.{name}": text for group, names in _OF_ENTRIES.items() for name, text in names.items()},
}


def ruling_lines(ruling: Ruling, languages: tuple[str, ...], *, known: int, has_issuer: bool) -> Iterator[str]:
    """Every rule that applies, and of those that are not met, why: in these languages, or in all that it is told in.

    ``known`` is how many rules the country has.
    """
    region = f", {ruling.region}" if ruling.region else ""
    yield printable(f"  Rules of {ruling.country}{region} at {ruling.at:%Y-%m-%d %H:%M} UTC")
    for one in ruling.lists:
        if one.fetched_at is not None:
            word = "overdue since" if one.is_overdue(ruling.at) else "good until"
            until = f", {word} {one.fresh_until:%Y-%m-%d %H:%M} UTC" if one.fresh_until else ""
            yield printable(f"  List {one.source}, fetched {one.fetched_at:%Y-%m-%d %H:%M} UTC{until}")
    for result in sorted(ruling.results, key=lambda one: _ORDER.index(one.state)):
        mark, colour = _MARKS[result.state]
        rule = result.rule
        named = printable(f"{rule.identifier} {rule.version} ({rule.type}, {rule.certificate_type})")
        yield f"  {click.style(mark, fg=colour)} {named}"
        if result.state is not RuleState.PASSED:
            yield from (f"      {printable(line)}" for line in _why(result, languages, ruling.value_sets))
    if ruling.unreadable:
        yield f"  ? {counted(ruling.unreadable, 'rule')} that may apply could not be read"
    if not ruling.results and known:
        yield f"  · {counted(known, 'rule')} of {ruling.country} known: none is about such a certificate and valid then"
    if not has_issuer:
        yield "  · no issuer is named: rules of invalidation, which are the issuer's, were not asked"


def assessment_lines(assessment: Assessment, *, word: str = "Good", told: int = 0) -> Iterator[str]:
    """An assessment; ``told`` is how many of its reasons the reader knows already."""
    if assessment.status is not None:
        yield printable(f"  Status: {assessment.status}")
    bounds = (("from", assessment.valid_from), ("until", assessment.valid_until))
    if known := [f"{name} {moment:%Y-%m-%d %H:%M:%S} UTC" for name, moment in bounds if moment is not None]:
        yield f"  {word} {' '.join(known)}"
    for name, value in assessment.details.items():
        yield printable(f"  {name}: {value}")
    for reason in assessment.reasons[told:]:
        yield printable(f"  {reason}")


def counted(number: int, word: str) -> str:
    """``1 rule``, ``2 rules``."""
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def _why(result: RuleResult, languages: tuple[str, ...], dates: Mapping[str, str]) -> Iterator[str]:
    for language, text in _texts(result.rule, languages):
        yield f"{language}: {' '.join(text.split())}"
    if result.state is RuleState.OPEN:
        yield f"{result.detail} ({result.code})"
    yield from sentences(result)
    paths = dict.fromkeys(operand.path or "" for one in result.comparisons for operand in one.operands)
    if known := [f"{path.partition('.')[2]} is {_FIELDS[path]}" for path in paths if path in _FIELDS]:
        yield f"where {', '.join(known)}"
    # A set that is too old refuses what a newer one has.
    for name in result.rule.value_sets:
        if name in dates:
            yield f"value set {name} of {dates[name] or 'no known date'}"


def _texts(rule: Rule, languages: tuple[str, ...]) -> list[tuple[str, str]]:
    """What the rule asks, with the language that each text is really in; English comes first."""
    if not languages:
        return sorted(rule.descriptions, key=lambda pair: pair[0].lower() != "en")
    wanted = {rule.description(language) for language in languages}
    return [pair for pair in rule.descriptions if pair[1] in wanted]
