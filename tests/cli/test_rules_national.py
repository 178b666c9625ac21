"""``healthcert rules check --national``: rules of other forms, from files and from a store."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import AT, Run
from tests.cli.real_rules import FOLDER
from tests.cli.trust_files import Clock, german, json_of, ours, write_anchor
from tests.support import DAY, NOW, Press, vaccination
from tests.support_rule_lists import rule

SETTINGS = [
    {"name": name, "type": type_, "value": value}
    for name, type_, value in (
        ("vaccine_start_day_complete", "EU/1/20/1528", "0"),
        ("vaccine_end_day_complete", "EU/1/20/1528", "180"),
        ("vaccine_start_day_complete_IT", "GENERIC", "0"),
        ("vaccine_end_day_complete_IT", "GENERIC", "180"),
        ("vaccine_start_day_complete_NOT_IT", "GENERIC", "0"),
        ("vaccine_end_day_complete_NOT_IT", "GENERIC", "90"),
        ("black_list_uvci", "black_list_uvci", "X"),
    )
]
BOOSTER = rule(
    "DE",
    Identifier="BNR-DE-0001",
    Type="BoosterNotification",
    Logic={"===": [{"var": "payload.v.0.dn"}, 2]},
    Description=[{"lang": "en", "desc": "A third dose is recommended."}, {"lang": "de", "desc": "Dritte Dosis."}],
)
STATUS = rule("DE", Identifier="IB2-DE-0001", Type="ImpfstatusBZwei", Logic={"===": [{"var": "payload.v.0.dn"}, 2]})
CHECK = ("rules", "check", "--at", AT, "--trust", "dsc.pem", "good.txt", "--national")


def write(given: Any, name: str = "given.json") -> str:
    Path(name).write_text(json.dumps(given))
    return name


def test_settings_from_a_file(run: Run, certificates: Path) -> None:
    done = run(*CHECK, "it", "--store", write(SETTINGS))
    assert (done.exit_code, done.stderr) == (0, "")
    head, window = done.stdout.splitlines()
    assert head == (
        " ACCEPTED  Italy: VerificaC19's settings  from vaccine_start_day_complete_NOT_IT (0 days) to "
        "vaccine_end_day_complete_NOT_IT (90 days) after the vaccination (complete)"
    )
    assert window.endswith(" until 2021-09-09 22:00:00 UTC")
    booster = run(*CHECK, "it", "--store", "given.json", "--option", "mode=BOOSTER")
    assert booster.exit_code == 3
    assert "Status: TEST_NEEDED" in booster.stdout
    loose = run(*CHECK, "it", "--store", "given.json", "--unverified")
    assert loose.exit_code == 0
    assert loose.stdout.startswith(" NOT VERIFIED  ACCEPTED: Italy")
    found = json_of(run(*CHECK, "it", "--store", "given.json", "--json"))
    assert (found["national"], found["verified"], found["outcome"]) == ("it", True, "PASSED")


@pytest.mark.parametrize("from_store", [False, True], ids=["file", "store"])
def test_what_does_not_accept_anybody_is_not_called_so(run: Run, certificates: Path, from_store: bool) -> None:
    given = write([BOOSTER, STATUS])
    named = ["--store", given]
    if from_store:
        assert run("rules", "add", "--format", "bundle", given).exit_code == 0
        named = []
    notify = run(*CHECK, "booster", *named)
    assert notify.exit_code == 0
    assert notify.stdout.splitlines()[0] == (
        " NOTIFY  Germany: booster notifications  notify: BNR-DE-0001 is met; nothing is accepted or refused by it"
    )
    assert "  Status: BNR-DE-0001" in notify.stdout
    assert "  Holds from 2021-08-20 10:00:00 UTC until 2030-06-01 00:00:00 UTC" in notify.stdout
    assert "A third dose is recommended." in notify.stdout
    assert "Dritte Dosis." in run(*CHECK, "booster", *named, "--option", "language=de").stdout
    status = run(*CHECK, "de-domestic", *named)
    assert status.exit_code == 0
    assert status.stdout.startswith(" A STATUS HOLDS  Germany: vaccination and mask status")
    assert "  ImpfstatusBZwei: PASSED" in status.stdout
    Path("good.txt").write_text(Press(payload=vaccination(dn=1)).text())
    assert run(*CHECK, "booster", *named).stdout.startswith(" NOTHING TO NOTIFY ")
    assert run(*CHECK, "de-domestic", *named).stdout.startswith(" NO STATUS HOLDS ")


def test_rules_that_could_not_be_read_leave_it_open(run: Run, certificates: Path) -> None:
    write([BOOSTER | {"Logic": {"===": [{"var": "payload.v.0.dn"}, 9]}}, rule("DE", number=8, Logic=...)])
    assert run("rules", "add", "--format", "bundle", "given.json").exit_code == 0
    for named in ([], ["--store", "given.json"]):
        done = run(*CHECK, "booster", *named)
        assert done.exit_code == 3, done.output
        assert "1 rules could not be read" in done.stdout


def test_overdue_settings_and_those_of_another_environment_tell_nothing(
    run: Run, certificates: Path, clock: Clock
) -> None:
    assert run("rules", "add", "--format", "it", write(SETTINGS), "--max-age", "1d").exit_code == 0
    assert run(*CHECK, "it").exit_code == 0
    later = (NOW + 9 * DAY).isoformat()
    for more in ((), ("--json",), ("--unverified",)):
        done = run(*CHECK, "it", "--at", later, *more)
        assert done.exit_code == 3
        assert "the national rules it are overdue since 2021-08-21 10:00 UTC" in done.stdout
    assert run(*CHECK, "it", "--at", later, "--rules-grace", "30d").exit_code == 0
    anchored = ("--environment", "acceptance", "--anchor", write_anchor(), *german(ours()))
    assert run("trust", "add", "--source", "de", *anchored).exit_code == 0
    mixed = run("rules", "check", "--at", AT, "good.txt", "--national", "it", "--json")
    assert (mixed.exit_code, json_of(mixed)["code"]) == (3, "ENVIRONMENT_MIXED")


def test_certificates_that_are_not_good_themselves_are_told_and_nothing_is_asked(run: Run, certificates: Path) -> None:
    write(SETTINGS)
    done = run(*CHECK, "it", "--store", "given.json", "forged.txt", "missing.txt")
    assert done.exit_code == 1
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["REFUSED", "missing.txt:"]
    missing = ("rules", "check", "--national", "it", "--store", "given.json", "--trust", "dsc.pem", "missing.txt")
    assert run(*missing).exit_code == 4
    other = {"nam": {"fn": "Autre", "fnt": "AUTRE", "gn": "Anne", "gnt": "ANNE"}}
    Path("other.txt").write_text(Press(payload=vaccination() | other).text())
    two = run(*CHECK, "it", "--store", "given.json", "other.txt")
    assert two.exit_code == 3
    assert "the certificates are not of one holder" in two.stdout
    assert "Autre" not in two.output


def test_wrong_usage(run: Run, certificates: Path) -> None:
    Path("folder").mkdir()
    write(SETTINGS)
    for arguments, exit_code in (
        (["it"], 2),
        (["booster"], 2),
        (["uk"], 2),
        (["it", "--store", "folder"], 2),
        (["it", "--store", "given.json", "--option", "mode=4G"], 1),
        (["it", "--store", "given.json", "--option", "colour=red"], 1),
        (["ch", "--store", "given.json"], 1),
        (["fr", "--store", "given.json"], 1),
        (["it", "--store", "good.png"], 1),
    ):
        done = run(*CHECK, *arguments)
        assert done.exit_code == exit_code, (arguments, done.output)
        assert "Traceback" not in done.output
        assert "GENERAL_ERROR" not in done.output


@pytest.mark.skipif(not FOLDER.is_dir(), reason="no third-party test data: set HEALTHCERT_INTEROP")
@pytest.mark.parametrize(
    ("name", "file", "exit_codes"),
    [
        ("booster", "covpass/eu-booster-rules.json", (0, 1, 3)),
        ("de-domestic", "covpass/domestic-rules.json", (0, 1, 3)),
        ("ch", "ch/nationalrules.json", (0, 1, 3)),
        ("it", "it/settings.json", (0, 1)),
        ("fr", "fr-sanipasse/validity_data.json", (0, 1)),
    ],
)
def test_real_ones_from_their_files_and_from_a_store_alike(
    run: Run, certificates: Path, name: str, file: str, exit_codes: tuple[int, ...]
) -> None:
    direct = run(*CHECK, name, "--store", FOLDER / file, "--json")
    assert direct.exit_code in exit_codes
    format_ = "bundle" if name in ("booster", "de-domestic") else name
    unsigned = ["--option", "unsigned=yes"] if name == "ch" else []
    added = run("rules", "add", "--format", format_, *unsigned, FOLDER / file)
    if name == "ch" and added.exit_code:
        # The app's own copy is the document; what is published is a signed token with it.
        assert "RULE_LIST_UNREADABLE" in added.output
        return
    assert added.exit_code == 0, added.output
    stored = run(*CHECK, name, "--json")
    assert (stored.exit_code, json_of(stored)) == (direct.exit_code, json_of(direct))
