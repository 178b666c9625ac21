"""Rules and certificates that the tests of the selection share."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from healthcert.rules.book import RuleBook
from healthcert.rules.rule import Rule, read_rule
from healthcert.rules.ruling import Ruling
from healthcert.rules.subject import RuleSubject
from tests.unit.rules.lists import rule_document

AT = datetime(2022, 3, 1, 12, 30, 45, 678900, tzinfo=UTC)
DOSE = {"tg": "840539006", "vp": "1119349007", "mp": "EU/1/20/1528", "ma": "ORG-100030215", "dn": 2, "sd": 2,
"dt": "2022-01-20", "co": "DE",
        "is": "Robert Koch-Institut", "ci": "URN:UVCI:01DE/IZ12345A/5CWLU12RNOB9RXSEOP6FG8#W"}  # fmt: skip
PAYLOAD: dict[str, Any] = {"ver": "1.3.0", "nam": {"fnt": "MUSTERMANN"}, "dob": "1964-08-12", "v": [DOSE]}


def rule(identifier: str = "GR-FR-0001", logic: Any = None, **changes: Any) -> Rule:
    return read_rule(rule_document(identifier, **({} if logic is None else {"Logic": logic}), **changes))


def subject(**changes: Any) -> RuleSubject:
    return RuleSubject(**{"payload": PAYLOAD, "issuer": "DE", **changes})


def judge(
    *rules: Rule, country: str = "FR", at: datetime = AT, about: RuleSubject | None = None, **options: Any
) -> Ruling:
    return RuleBook(rules).judge(subject() if about is None else about, country=country, at=at, **options)


def applied(ruling: Ruling) -> list[str]:
    """Identifier and version of each rule that was applied."""
    return [f"{result.rule.identifier} {result.rule.version}" for result in ruling.results]
