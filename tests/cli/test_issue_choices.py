"""Choices of an issuer: codes that are forced by name, and a country's own way of spelling names."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from healthcert.rules.feed import RuleFeed
from healthcert.rules.store import RuleStore
from healthcert.rules.update import install_rules
from tests.cli.conftest import Run
from tests.cli.test_commands import FLAGS
from tests.support import CLOCK


@pytest.fixture
def issuing(run: Run) -> Run:
    run("keys", "new-ca", "--country", "FR", "--no-passphrase")
    run("keys", "new-dsc", "--no-passphrase")
    run("trust", "add", "dsc.pem")
    return run


def certificate(run: Run, *changes: str) -> dict[str, object]:
    issued = run("issue", "vaccination", *FLAGS, *changes, "--text", "out.txt")
    assert issued.exit_code == 0, issued.output
    report = json.loads(run("verify", "out.txt", "--json").stdout)
    assert report["outcome"] == "accepted"
    found: dict[str, object] = report["certificate"]
    return found


def test_a_code_that_is_no_longer_issued_is_issued_when_named(issuing: Run) -> None:
    old = ("--vaccine", "J07BX03")
    refused = issuing("issue", "vaccination", *FLAGS, *old)
    assert refused.exit_code == 1
    assert "vaccine: an active code of its value set" in refused.output
    found = certificate(issuing, *old, "--allow-code", "J07BX03")
    assert "J07BX03" in str(found["events"])


def test_a_product_by_its_name_brings_the_rest(issuing: Run) -> None:
    record = json.dumps(
        {
            "family_name": "Exemplaire",
            "birth_date": "1984",
            "product": "Spikevax",
            "dose": 1,
            "series": 2,
            "date": "2021-06-11",
        }
    )
    done = issuing(
        "issue", "vaccination", "--record", "-", "--issuer-name", "Ministry", "--text", "out.txt", stdin=record
    )
    assert done.exit_code == 0, done.output
    events = json.loads(issuing("verify", "out.txt", "--json").stdout)["certificate"]["events"]
    codes = [events[0][name]["code"] for name in ("product", "vaccine", "manufacturer")]
    assert codes == ["EU/1/20/1507", "1119349007", "ORG-100031184"]


@pytest.mark.parametrize(("choice", "spelling"), [((), "SHCHERBA"), (("--transliteration", "bg"), "SHTERBA")])
def test_a_name_is_spelled_as_the_country_chooses(issuing: Run, choice: tuple[str, ...], spelling: str) -> None:
    found = certificate(issuing, "--family-name", "Щерба", *choice)
    holder = found["holder"]
    assert isinstance(holder, dict)
    assert holder["family_name_icao"] == spelling


# --- Newer value sets ---

TEST = (
    *("--family-name", "E", "--birth-date", "1984", "--test-type", "LP217198-3", "--result", "260415000"),
    *("--sampled-at", "2021-08-20T10:03:12+02:00", "--centre", "C", "--issuer-name", "M", "--text", "test.txt"),
)
ENTRY = {"display": "A device", "lang": "en", "active": True, "version": "", "system": "urn:devices"}
DEVICES = {
    "valueSetId": "covid-19-lab-test-manufacturer-and-name",
    "valueSetDate": "2023-04-11",
    "valueSetValues": {"1232": ENTRY, "344": ENTRY | {"active": False}},
}


@pytest.mark.parametrize("form", ["file", "array", "folder"])
def test_devices_of_a_newer_list(issuing: Run, form: str) -> None:
    Path("sets").mkdir()
    path = Path("sets/devices.json")
    path.write_text(json.dumps([DEVICES] if form == "array" else DEVICES))
    sets = ("--value-sets", path.parent if form == "folder" else path)
    assert issuing("issue", "test", *TEST, "--device", "9999").exit_code == 0
    assert issuing("issue", "test", *TEST, "--device", "1232", *sets).exit_code == 0
    for code in ("9999", "344"):
        refused = issuing("issue", "test", *TEST, "--device", code, *sets)
        assert (refused.exit_code, "device: an active code" in refused.output) == (1, True)
        assert issuing("issue", "test", *TEST, "--device", code, *sets, "--allow-code", code).exit_code == 0


def test_value_sets_that_are_none(issuing: Run) -> None:
    Path("devices.json").write_text("{}")
    done = issuing("issue", "test", *TEST, "--value-sets", "devices.json")
    assert (done.exit_code, "RULE_LIST_UNREADABLE" in done.output) == (1, True)
    missing = issuing("issue", "test", *TEST, "--value-sets", "none.json")
    assert (missing.exit_code, "none.json" in missing.output) == (4, True)


def test_value_sets_of_a_store(issuing: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEALTHCERT_RULES", "rules.db")
    nothing = issuing("issue", "test", *TEST, "--value-sets", "store")
    assert (nothing.exit_code, "rules.db" in nothing.output) == (4, True)
    Path("devices.json").write_text(json.dumps(DEVICES))
    feed = RuleFeed(name="mine", format="folder")
    install_rules(RuleStore.open("rules.db"), feed, {"devices.json": json.dumps(DEVICES).encode()}, clock=CLOCK)
    for source in ("store", "rules.db"):
        assert issuing("issue", "test", *TEST, "--device", "1232", "--value-sets", source).exit_code == 0
        assert issuing("issue", "test", *TEST, "--device", "9999", "--value-sets", source).exit_code == 1
