"""``healthcert rules forecast``: from when until when, and which certificate is the best."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import healthcert as hc
from tests.cli.conftest import Run
from tests.cli.trust_files import Clock, json_of, lines_of
from tests.support import NOW, TEST, Press, dsc, issue, vaccination
from tests.support_rule_lists import rule

CLOCK = {"plusTime": [{"var": "external.validationClock"}, 0, "day"]}
FOR_A_TIME = rule(
    Identifier="VR-FR-0001",
    CertificateType="Vaccination",
    Logic={
        "not-after": [
            {"plusTime": [{"var": "payload.v.0.dt"}, 14, "day"]},
            CLOCK,
            {"plusTime": [{"var": "payload.v.0.dt"}, 100, "day"]},
        ]
    },
)
HERE = ("--country", "FR", "--trust", "dsc.pem", "--store", "rules.json")


@pytest.fixture
def ahead(run: Run, certificates: Path, clock: Clock) -> Run:
    """Runs the command on a rule by which doses count from the 14th to the 100th day."""
    Path("rules.json").write_text(json.dumps([FOR_A_TIME]))

    def forecast(*arguments: str) -> Any:
        return run("rules", "forecast", *HERE, *arguments)

    return forecast


def dose(day: str, name: str, **changes: Any) -> str:
    Path(name).write_text(Press(payload=vaccination(dt=day) | changes).text())
    return name


def test_from_when_until_when(ahead: Run) -> None:
    done = ahead("good.txt", "--until", "2021-12-01")
    assert done.exit_code == 0
    assert done.stdout.splitlines() == [
        "good.txt",
        "  2021-08-20 10:00:00 to 2021-09-19 00:00:01 UTC: accepted",
        "  2021-09-19 00:00:01 to 2021-12-01 00:00:00 UTC: not accepted",
        "  Good from 2021-08-20 10:00:00 UTC until 2021-09-19 00:00:01 UTC",
        "  At 2021-08-20 10:00:00 UTC: all rules are met",
    ]
    found = json_of(ahead("good.txt", "--json"))
    assert [one["outcome"] for one in found["spans"]] == ["PASSED", "FAIL"]
    assert (found["verified"], found["outcome"]) == (True, "PASSED")
    assert found["valid_until"] == "2021-09-19T00:00:01+00:00"


def test_one_that_will_be_accepted_and_one_that_never_is(ahead: Run) -> None:
    soon = ahead(dose("2021-08-18", "new.txt"))
    assert soon.exit_code == 0
    assert "2021-09-01 00:00:00 to 2021-09-" in soon.stdout
    never = ahead(dose("2020-08-18", "old.txt"))
    assert never.exit_code == 1
    assert "there is no time ahead at which it is accepted" in never.stdout
    assert ahead("old.txt", "new.txt").exit_code == 0
    assert ahead("new.txt", "--until", "2021-08-25").exit_code == 1


def test_an_expired_certificate_is_looked_at_as_of_its_own_time(ahead: Run, clock: Clock) -> None:
    clock.moment = NOW.replace(year=2031)
    then = ahead("good.txt", "--from", "2021-08-20T10:00:00Z")
    assert then.exit_code == 0
    now = ahead("good.txt")
    assert now.exit_code == 1
    assert "the certificate has expired" in now.stdout


def test_a_certificate_ends_with_the_key_that_signed_it(ahead: Run) -> None:
    Path("rules.json").write_text(json.dumps([rule()]))
    end = hc.TrustStore.from_certificates([dsc().certificate_der()]).candidates(dsc().signer().kid)[0].not_after
    assert end is not None
    Path("long.txt").write_text(Press(claims={4: int(end.timestamp()) + 400 * 86_400}).text())
    found = json_of(ahead("long.txt", "--until", "2026-01-01", "--json"))
    assert found["spans"][-1]["outcome"] == "FAIL"
    assert found["valid_until"][:16] == f"{end:%Y-%m-%dT%H:%M}"
    loose = json_of(ahead("long.txt", "--until", "2026-01-01", "--json", "--unverified"))
    assert loose["valid_until"] != found["valid_until"]
    assert loose["verified"] is False


def test_what_is_not_accepted_for_its_own_faults_is_not_foretold(run: Run, ahead: Run) -> None:
    Path("wrong.txt").write_text(Press(pair=dsc(hc.EntryType.TEST)).text())
    Path("test-dsc.pem").write_bytes(dsc(hc.EntryType.TEST).certificate_pem())
    for name, code in (("forged.txt", "SIGNATURE_INVALID"), ("wrong.txt", "KEY_USAGE_MISMATCH")):
        done = ahead(name, "--trust", "test-dsc.pem", "--json")
        assert done.exit_code == 1
        assert (json_of(done)["code"], json_of(done)["outcome"]) == (code, "refused")
    assert ahead("missing.txt").exit_code == 4
    assert ahead("missing.txt", "good.txt").exit_code == 0
    assert ahead("missing.txt", "--json").stdout.startswith('{"source": "missing.txt", "outcome": null')


def test_the_best_of_each_holder(ahead: Run) -> None:
    Path("rules.json").write_text(json.dumps([FOR_A_TIME, rule(Identifier="TR-FR-0001", CertificateType="Test")]))
    other = {"nam": {"fn": "Autre", "fnt": "AUTRE", "gn": "Anne", "gnt": "ANNE"}}
    given = [dose("2021-05-20", "a.txt"), dose("2021-07-20", "b.txt"), dose("2021-07-10", "c.txt", **other)]
    done = ahead(*given)
    assert done.exit_code == 0
    assert done.stdout.splitlines()[-1] == "Best of 2 of one holder: b.txt"
    assert lines_of(ahead(*given, "--json"))[-1] == {"best": "b.txt", "of": ["a.txt", "b.txt"]}
    old = [dose("2020-07-01", "a.txt"), dose("2020-07-20", "b.txt")]
    assert ahead(*old).stdout.splitlines()[-1] == "Best of 2 of one holder: none"
    # No names in what is told.
    assert not any(word in done.output for word in ("Exemplaire", "Autre", "Anne", "1984"))


def test_no_rules_and_wrong_usage(ahead: Run) -> None:
    Path("rules.json").write_text(json.dumps([rule("DE")]))
    done = ahead("good.txt")
    assert done.exit_code == 3
    assert "UTC: no rules" in done.stdout
    Path("test.txt").write_text(issue(TEST).text)
    assert ahead("test.txt").exit_code == 3
    for arguments in (
        ["--until", "2020-01-01"],
        ["--from", "2021-09-01", "--until", "2021-09-01"],
        ["--from", "9999-06-01"],
        ["--region", "X", "--country", "EUR"],
    ):
        assert ahead("good.txt", *arguments).exit_code == 2, arguments
    far = ahead("good.txt", "--until", "2031-01-01", "--json")
    assert (far.exit_code, json_of(far)["code"]) == (3, "FIELD_INVALID")
    early = ahead("good.txt", "--from", "0001-01-01", "--until", "0001-02-01")
    assert early.exit_code == 3
    assert "GENERAL_ERROR" not in early.output
