"""Forecasts by the rules that countries published, against asking them again and again."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from time import thread_time
from typing import Any

import pytest

from healthcert.rules import turning
from healthcert.rules.book import RuleBook
from healthcert.rules.forecast import Span, forecast
from healthcert.rules.rule import read_rule
from healthcert.rules.ruling import RulingOutcome
from healthcert.rules.subject import RuleSubject
from healthcert.rules.valuesets import shipped
from tests.interop.samples import ROOT
from tests.unit.rules.national.cases import BIONTECH, JANSSEN, NAMES, RAPID, moment, of, subject

RULES = Path("business-rules") / "covpass" / "eu-rules.json"
DAY, HOUR, SECOND = timedelta(days=1), timedelta(hours=1), timedelta(seconds=1)
START, END = datetime(2022, 12, 1, tzinfo=UTC), datetime(2024, 7, 1, tzinfo=UTC)


@cache
def book() -> RuleBook:
    given = json.loads((ROOT / RULES).read_bytes())
    return RuleBook([read_rule(one) for one in given], shipped())  # with the example of test devices


@pytest.fixture(scope="module")
def _found(interop: Path) -> None:
    if not (interop / RULES).is_file():
        pytest.skip("no rules of others")


pytestmark = pytest.mark.usefixtures("_found")

_V = {"vp": "1119349007", "ma": "ORG-100030215", "is": "X", "mp": BIONTECH}
_T = {"ma": "1232", "is": "X", "tc": "X"}
CERTIFICATES: dict[str, RuleSubject] = {
    "vaccination": subject(of("v", dt="2023-02-03", **_V), issuer="DE", expires_at=moment("2024-02-03T12:34:56")),
    "booster": subject(of("v", dt="2022-11-30", dn=3, sd=3, **_V), issuer="DE"),
    "Janssen": subject(of("v", dt="2023-01-31", dn=1, sd=1, **_V | {"mp": JANSSEN, "ma": "ORG-100001417"})),
    "child": subject(of("v", dt="2022-06-01", **_V), born="2005-12-31"),
    "born in a year": subject(of("v", dt="2022-06-01", **_V), born="2005"),
    "test": subject(of("t", sc="2023-03-11T08:13:45.25+01:00", **_T), issued_at=moment("2023-03-11T08:00:00")),
    "rapid test": subject(of("t", sc="2023-03-11T23:59:59-02:00", tt=RAPID, **_T)),
    "recovery": subject(of("r", fr="2022-12-20", df="2022-12-31", du="2023-06-18"), issuer="DE"),
    "leap day": subject(of("r", fr="2024-01-31", df="2024-02-11", du="2024-02-29")),
    "nothing": RuleSubject(payload={"ver": "1.3.0", "nam": NAMES, "dob": "1984"}),
}


def outcome(certificate: RuleSubject, country: str, at: datetime) -> RulingOutcome:
    issued, expires = certificate.issued_at, certificate.expires_at
    if (issued is not None and at < issued) or (expires is not None and at >= expires + SECOND):
        return RulingOutcome.FAIL
    return book().judge(certificate, country=country, at=at).outcome


@pytest.mark.parametrize("name", CERTIFICATES)
def test_forecasts_by_real_rules(name: str) -> None:
    certificate = CERTIFICATES[name]
    for country in book().countries:
        began = thread_time()
        found = forecast(book(), certificate, country=country, start=START, end=END)
        assert thread_time() - began < turning.SECONDS / 2, country
        _agree(found, certificate, country)


def _agree(found: tuple[Span, ...], certificate: RuleSubject, country: str) -> None:
    assert (found[0].start, found[-1].end) == (START, END)
    asked = {START + 7 * day * HOUR + 41 * SECOND for day in range(0, 13000, 11)}
    asked |= {span.start + seconds * SECOND for span in found[1:] for seconds in range(-40, 40)}
    sampled = _sampled(certificate)
    asked |= {sampled + minutes * 20 * 60 * SECOND for minutes in range(-10, 300)} if sampled else set()
    place = 0
    for at in sorted(at for at in asked if START <= at < END):
        while found[place].end <= at:
            place += 1
        assert outcome(certificate, country, at) is found[place].outcome, (country, at)


def _sampled(certificate: RuleSubject) -> datetime | None:
    tests: Any = certificate.payload.get("t")
    return datetime.fromisoformat(tests[0]["sc"]).astimezone(UTC).replace(microsecond=0) if tests else None


def test_a_real_test_ends_to_the_second() -> None:
    """Austria's and others' 72 hours after a sample are over in one second, and not with the day."""
    ends = {
        span.start
        for country in book().countries
        for span in forecast(book(), CERTIFICATES["test"], country=country, start=START, end=END)
    }
    sampled = _sampled(CERTIFICATES["test"])
    assert sampled is not None
    assert {sampled + 72 * HOUR, sampled + 72 * HOUR + SECOND} & ends
