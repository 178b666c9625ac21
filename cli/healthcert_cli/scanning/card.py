"""What the screen says of a scan: large words, and below them the same in plain lines, where names are exact."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime

from healthcert.errors import IssueError
from healthcert.families.hcert.names import transliterate
from healthcert.model import (
    Event,
    Exemption,
    HealthCertificate,
    Holder,
    Private,
    Recovery,
    TestResult,
    Vaccination,
)
from healthcert.verify.report import Outcome, Report
from healthcert_cli.render import event_summary, holder_summary
from healthcert_cli.scanning.lettering import has_letters
from healthcert_cli.scanning.seen import Seen

SIGNS = {Outcome.ACCEPTED: "✓", Outcome.REFUSED: "✗", Outcome.UNDETERMINED: "?"}


class Card(Private, frozen=True, kw_only=True):
    """``outcome`` is the colour; ``large`` are words to be drawn as large as there is room, ``lines`` say it all."""

    outcome: Outcome | None
    sign: str
    word: str
    large: tuple[str, ...]
    lines: tuple[str, ...]


def waiting(lines: tuple[str, ...]) -> Card:
    """What is shown between two scans."""
    return Card(outcome=None, sign="", word="SCAN A CERTIFICATE", large=(), lines=lines)


def card_of(seen: Seen, footer: tuple[str, ...] = ()) -> Card:
    """What there is to show of a scan, and the session's own lines."""
    if seen.outcome is None:
        return Card(outcome=None, sign="?", word=seen.title, large=(), lines=(_said(seen.title, seen), *footer))
    word = seen.outcome.value.upper()
    report = seen.report
    reason = () if seen.outcome is Outcome.ACCEPTED else (seen.detail,)
    large: tuple[str, ...] = reason
    lines: tuple[str, ...] = (_said(f"{SIGNS[seen.outcome]} {word}", seen), *footer)
    if report is not None:
        if report.certificate is not None:
            on = _day(report.checked_at)
            large += _large(report.certificate, on)
            lines += tuple(_lines(report.certificate, on))
        lines += tuple(_beside(report))
        lines += tuple(f"Warning: {warning.detail} ({warning.code})" for warning in report.warnings)
    return Card(outcome=seen.outcome, sign=SIGNS[seen.outcome], word=word, large=large, lines=lines)


def age_in_years(birth: str, on: date) -> str:
    """``37 years``, or ``36 or 37 years`` of a birth date that tells no day; empty where it tells too little.

    Who was born on 29 February is a year older on 1 March where there is no such day.
    """
    if not re.fullmatch(r"\d{4}(-\d\d){0,2}", birth, re.ASCII):
        return ""
    given = [int(part) for part in birth.split("-")]
    years = on.year - given[0]
    # Whether the birthday of this year has come, by as much of it as is known.
    today = (on.month, on.day)[: len(given) - 1]
    born = tuple(given[1:])
    is_sure = len(given) == 3 or today != born
    most = years - (today < born)
    if most < 0:
        return ""
    return _years(most) if is_sure or most == 0 else f"{most - 1} or {_years(most)}"


def title_of(event: Event) -> str:
    """What a certificate is, in few words: ``Vaccination 2/2``."""
    match event:
        case Vaccination():
            return " ".join(filter(None, ("Vaccination", "/".join(str(n) for n in (event.dose, event.series) if n))))
        case TestResult():
            return f"Test: {event.result}"
        case Recovery():
            return "Recovery"
        case Exemption():
            return "Exemption"


def moment_line(moment: datetime) -> str:
    """What a session says that asks about another moment than now."""
    return f"As of {moment:%Y-%m-%d %H:%M} UTC, not of now"


def _day(moment: datetime) -> date:
    """The day it is here, by which ages are reckoned."""
    try:
        return moment.astimezone().date()
    except OverflowError:  # the last hours of the year 9999
        return moment.date()


def _years(number: int) -> str:
    return "1 year" if number == 1 else f"{number} years"


def _said(word: str, seen: Seen) -> str:
    return word if seen.outcome is Outcome.ACCEPTED else f"{word}: {seen.detail} ({seen.code})"


def _large(certificate: HealthCertificate, on: date) -> tuple[str, ...]:
    """The name in letters that can be drawn, the age, and what it is."""
    return (
        _drawn(certificate.holder),
        age_in_years(certificate.holder.birth_date, on),
        *(title_of(event) for event in certificate.events[:1]),
    )


def _drawn(holder: Holder) -> str:
    """The name as it is, else as the machine-readable zone of the certificate has it, else as that would have it."""
    if has_letters(holder.name):
        return holder.name
    spelled = Holder(family_name_icao=holder.family_name_icao, given_name_icao=holder.given_name_icao).name
    if spelled:
        return spelled
    try:
        return transliterate(holder.name).replace("<", " ")
    except IssueError:  # a letter that has no rule
        return ""


def _lines(certificate: HealthCertificate, on: date) -> Iterator[str]:
    holder = certificate.holder
    if holder != Holder():
        age = age_in_years(holder.birth_date, on)
        yield holder_summary(holder) + (f", {age}" if age else "")
    for event in certificate.events:
        yield f"{title_of(event)}: {event_summary(event)}"
    if not certificate.events:
        yield certificate.family
    for beside in certificate.beside:
        yield from _lines(beside, on)


def _beside(report: Report) -> Iterator[str]:
    """The other certificates of a document that holds several."""
    for other in report.beside:
        seen = Seen.of(other)
        yield _said(f"{SIGNS[other.outcome]} {other.outcome.value.upper()}", seen)
        if other.certificate is not None:
            yield from _lines(other.certificate, _day(other.checked_at))
