"""What ``rules check`` tells of a refusal: real rules, each with a payload that its own country says it refuses."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.cli.real_rules import SUITE, Refusal, refusals
from tests.support import NOW, Press, vaccination

# A field, what it is, how much is added, and what that comes to.
_LIMIT = re.compile(r"([vtr]\.0\.\w+) \(([^)]+)\) ([+-]\d+) (day|hour)s? = (\d{4}-\d\d-\d\d)(?: (\d\d:\d\d:\d\d))?")
_CASES = [pytest.param(one, id=f"{one.rule['Country']} {one.rule['Identifier']}") for one in refusals()] or [
    pytest.param(None, id="none", marks=pytest.mark.skip("no third-party test data: set HEALTHCERT_INTEROP"))
]
needs_data = pytest.mark.skipif(not SUITE.is_dir(), reason="no third-party test data: set HEALTHCERT_INTEROP")


@pytest.mark.parametrize("given", _CASES)
def test_a_refusal_names_rule_and_reasons_and_the_dates_involved(run: Run, given: Refusal) -> None:
    rule = given.rule
    Path("payload.json").write_text(json.dumps(given.payload))
    arguments = ["--country", rule["Country"], "--store", given.folder, "--at", given.at.isoformat()]
    if region := rule.get("Region"):
        arguments += ["--region", region]
    done = run("rules", "check", "--unverified", "payload.json", *arguments)
    assert done.exit_code == 1, done.output
    assert " REFUSED  payload.json  1 of 1 rule for " in done.stdout
    assert f"✗ {rule['Identifier']} {rule['Version']} ({rule['Type']}, {rule['CertificateType']})" in done.stdout
    lines = [line.strip() for line in done.stdout.splitlines()]
    texts = {(one["lang"], " ".join(one["desc"].split())) for one in rule["Description"]}
    assert {line for line in lines if line[2:4] == ": "} == {f"{lang}: {desc}" for lang, desc in texts}
    assert "en" in {lang for lang, _ in texts}
    assert f" at {given.at:%Y-%m-%d %H:%M} UTC" in done.stdout  # the clock
    for event, limit in _limits(done.stdout, given):
        assert event == limit


def _limits(output: str, given: Refusal) -> Iterator[tuple[datetime, datetime]]:
    """Every limit in the output: what the payload's own date comes to, and what is told."""
    for path, told, amount, unit, day, time in _LIMIT.findall(output):
        group, _, name = path.split(".")
        value = given.payload[group][0][name]
        assert told == value
        event = datetime.fromisoformat(value)
        event = event.astimezone(UTC) if event.tzinfo else event.replace(tzinfo=UTC)
        limit = datetime.fromisoformat(f"{day} {time or '00:00:00'}+00:00")
        yield event + timedelta(**{f"{unit}s": int(amount)}), limit


@needs_data
def test_there_are_enough_of_them_and_of_every_kind(run: Run) -> None:
    given = refusals()
    assert len(given) >= 100
    assert set(Counter(one.rule["CertificateType"] for one in given)) == {"General", "Vaccination", "Test", "Recovery"}
    assert len({one.rule["Country"] for one in given}) >= 8
    assert sum(len(one.rule["Description"]) > 1 for one in given) >= 20
    with_dates = 0
    for one in given:
        if one.reads_clock:
            Path("payload.json").write_text(json.dumps(one.payload))
            asked = ["--country", one.rule["Country"], "--store", one.folder, "--at", one.at.isoformat()]
            output = run("rules", "check", "--unverified", "payload.json", *asked).stdout
            with_dates += f"validationClock ({one.at:%Y-%m-%d}" in output and any(_limits(output, one))
    assert with_dates >= 40  # the others are refused for something else than their dates


@needs_data
@pytest.mark.parametrize(
    ("country", "taken", "identifier", "line"),
    [
        ("AT", "2020-01-01", "VR-AT-0005", "which is not after v.0.dt (2020-01-01) +270 days = 2020-09-27: no"),
        ("CY", "2020-01-01", "VR-CY-0004", "is not after v.0.dt (2020-01-01) +365 days = 2020-12-31: no"),
        ("DE", "2020-01-01", "VR-DE-0004", "is not after v.0.dt (2020-01-01) +365 days = 2020-12-31: no"),
        ("RO", "2021-08-19", "VR-RO-0003", "is not before v.0.dt (2021-08-19) +10 days = 2021-08-29: no"),
    ],
)
def test_a_certificate_whose_signature_held_is_refused_with_the_dates_at_the_door_too(
    run: Run, certificates: Path, country: str, taken: str, identifier: str, line: str
) -> None:
    Path("old.txt").write_text(Press(payload=vaccination(dt=taken)).text())
    arguments = ["--trust", "dsc.pem", "--country", country, "old.txt", "--at", "2021-08-20T10:00:00Z"]
    assert NOW.isoformat() == "2021-08-20T10:00:00+00:00"
    told = run("rules", "check", *arguments, "--store", SUITE / country)
    assert told.exit_code == 1, told.output
    assert "REFUSED" in told.stdout
    assert identifier in told.stdout
    assert line in told.stdout
    assert "validationClock (2021-08-20 10:00:00 UTC)" in told.stdout
    assert "validationClock is the moment of the check" in told.stdout
    assert "v.0.dt is the date of the vaccination" in told.stdout
    door = run("verify", *arguments, "--rules-store", SUITE / country)
    assert door.exit_code == 1
    assert "(RULES_NOT_MET)" in door.stdout
    assert "✗ rules" in door.stdout
    assert "  Rules         " in door.stdout
