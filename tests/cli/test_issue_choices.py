"""Choices of an issuer: codes that are forced by name, and a country's own way of spelling names."""

from __future__ import annotations

import json

import pytest

from tests.cli.conftest import Run
from tests.cli.test_commands import FLAGS


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
