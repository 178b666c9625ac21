"""What the tests of national rules are about: payloads of one made-up holder, and how an answer is looked at."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from healthcert.rules.assessment import Assessment, NationalRules
from healthcert.rules.subject import RuleSubject

BIONTECH, MODERNA, JANSSEN, NOVAVAX = "EU/1/20/1528", "EU/1/20/1507", "EU/1/20/1525", "EU/1/21/1618"
PCR, RAPID = "LP6464-4", "LP217198-3"
NEGATIVE, POSITIVE = "260415000", "260373001"
COVID = "840539006"

VACCINATED = {"tg": COVID, "mp": BIONTECH, "dn": 2, "sd": 2, "dt": "2022-01-10", "co": "IT", "ci": "URN:UVCI:01:IT:V"}
TESTED = {"tg": COVID, "tt": PCR, "tr": NEGATIVE, "sc": "2022-01-10T08:00:00Z", "co": "IT", "ci": "URN:UVCI:01:IT:T"}
RECOVERED = {
    "tg": COVID, "fr": "2022-01-10", "df": "2022-01-21", "du": "2022-07-09", "co": "IT", "ci": "URN:UVCI:01:IT:R",
}  # fmt: skip
GROUPS: dict[str, dict[str, Any]] = {"v": VACCINATED, "t": TESTED, "r": RECOVERED}
NAMES = {"fn": "Exemplaire", "gn": "Zoé", "fnt": "EXEMPLAIRE", "gnt": "ZOE"}


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def subject(*entries: Mapping[str, Any], born: Any = "1984-02-29", **claims: Any) -> RuleSubject:
    """A certificate of entries, each with its members and, as ``group``, where it belongs; by default one of each."""
    payload: dict[str, Any] = {"ver": "1.3.0", "nam": NAMES, "dob": born}
    for entry in entries:
        members = dict(entry)
        payload.setdefault(str(members.pop("group")), []).append(members)
    return RuleSubject(payload=payload, **claims)


def of(group: str, **changes: Any) -> dict[str, Any]:
    """An entry of a group; a change to None leaves a member out."""
    members = GROUPS[group] | changes
    return {"group": group} | {name: value for name, value in members.items() if value is not None}


def asked(rules: NationalRules, at: str, *subjects: RuleSubject, **options: str) -> Assessment:
    return rules.assess(subjects, moment(at), options=options)


def window(answer: Assessment) -> tuple[str | None, str | None]:
    """The time in which it is good, in UTC and to the minute."""
    first, last = (
        None if at is None else at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M")
        for at in (answer.valid_from, answer.valid_until)
    )
    return first, last


def rule(identifier: str, logic: Any, **members: Any) -> dict[str, Any]:
    """A rule with the members of the gateway's schema; it holds for all of 2022 and 2023."""
    return {
        "Identifier": identifier,
        "Type": "Acceptance",
        "Country": "DE",
        "Version": "1.0.0",
        "SchemaVersion": "1.0.0",
        "Engine": "CERTLOGIC",
        "EngineVersion": "1.0.0",
        "CertificateType": "General",
        "Description": [{"lang": "en", "desc": f"what {identifier} asks"}],
        "ValidFrom": "2022-01-01T00:00:00Z",
        "ValidTo": "2024-01-01T00:00:00Z",
        "AffectedFields": [],
        "Logic": logic,
    } | members


def var(path: str) -> dict[str, str]:
    return {"var": path}


def plus(operand: Any, amount: int, unit: str) -> dict[str, Any]:
    return {"plusTime": [operand, amount, unit]}


CLOCK = plus(var("external.validationClock"), 0, "day")


def since(path: str, days: int) -> dict[str, Any]:
    """Whether the clock is not before a date and so many days."""
    return {"not-before": [CLOCK, plus(var(path), days, "day")]}


def up_to(path: str, days: int) -> dict[str, Any]:
    """Whether the clock is before a date and so many days."""
    return {"before": [CLOCK, plus(var(path), days, "day")]}


ALWAYS = {"===": [1, 1]}
NEVER = {"===": [1, 2]}
UNDEFINED = {">": [var("payload.nothing"), 1]}
