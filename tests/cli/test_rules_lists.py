"""``healthcert rules add``, ``update``, ``remove``, ``list``, ``show``, ``status`` and ``formats``."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import click
import pytest

from healthcert.rules.sources.registry import SOURCES
from healthcert_cli.root import group
from tests.cli.conftest import AT, Run
from tests.cli.trust_files import Clock, json_of, lines_of
from tests.gateway import certificates
from tests.gateway.dgcg import Dgcg
from tests.gateway.server import Fault, Gateway
from tests.support import DAY, NOW
from tests.support_revocation import uploader
from tests.support_rule_lists import raw, rule, service, signed_rule, signing_key, value_set

TEXT = [{"lang": "en", "desc": "The disease or agent targeted must be COVID-19."}, {"lang": "fr", "desc": "Le Covid."}]


def folder(*given: Any, name: str = "rules") -> str:
    Path(name).mkdir(exist_ok=True)
    for number, one in enumerate(given):
        (Path(name) / f"{number}.json").write_text(json.dumps(one))
    return name


def test_rules_of_a_folder_are_added_shown_and_removed(run: Run) -> None:
    added = run("rules", "add", folder(rule(), rule(Version="1.0.1", Description=TEXT), rule("DE"), value_set()))
    assert (added.exit_code, added.output) == (0, "folder: 3 new, 0 gone, 1 value set, 3 rules\n")
    listed = run("rules", "list")
    assert [line.split()[:2] for line in listed.stdout.splitlines()[1:]] == [
        ["GR-DE-0001", "1.0.0"], ["GR-FR-0001", "1.0.0"], ["GR-FR-0001", "1.0.1"],
    ]  # fmt: skip
    assert listed.stderr == "3 rules of 2 countries\n"
    assert run("rules", "list", "--country", "de").stderr == "1 rule of 1 country\n"
    assert run("rules", "list", "--type", "invalidation").stderr == "0 rules of 0 countries\n"
    assert run("rules", "list", "--valid", "--json").stdout.count("\n") == 3
    assert "Le Covid." in run("rules", "list", "--language", "fr").stdout
    shown = run("rules", "show", "gr-fr-0001", "--version", "1.0.1")
    assert shown.exit_code == 0
    assert shown.stdout.splitlines() == [
        "GR-FR-0001 1.0.1",
        "  Acceptance of FR, about: General",
        "  valid from 2021-07-01 00:00 UTC until 2030-06-01 00:00 UTC",
        "  CERTLOGIC 0.7.5, schema 1.0.0",
        "  en: The disease or agent targeted must be COVID-19.",
        "  fr: Le Covid.",
        "  fields: v.0.tg",
        '  logic: {"===": [{"var": "payload.v.0.tg"}, "840539006"]}',
    ]
    assert [one["version"] for one in lines_of(run("rules", "show", "GR-FR-0001", "--json"))] == ["1.0.0", "1.0.1"]
    missing = run("rules", "show", "GR-FR-0009")
    assert (missing.exit_code, missing.stderr) == (1, "Error RULE_CONFIG_INVALID: there is no such rule\n")
    assert run("rules", "remove", "folder").output == "folder: removed\n"
    assert run("rules", "remove", "folder").exit_code == 1
    assert run("rules", "list").stderr.endswith("0 rules of 0 countries\n")


def test_what_is_skipped_and_what_is_lost_is_told(run: Run) -> None:
    added = run("rules", "add", folder(*(rule(number=number) for number in range(1, 9)), rule(number=9, Logic=...)))
    assert added.exit_code == 0
    assert added.stdout == "folder: 8 new, 0 gone, 8 rules, 1 skipped\n"
    assert added.stderr == "skipped: folder: 8.json: it has no Logic that is an object (RULE_INVALID)\n"
    less = folder(rule(), name="less")
    lost = run("rules", "add", less)
    assert lost.exit_code == 1
    assert "RULE_LIST_SHRANK" in lost.stderr
    assert run("rules", "add", less, "--force", "--json").exit_code == 0
    assert json_of(run("rules", "add", less, "--json"))["kept"] == 1
    conflicting = folder(rule(Logic={"===": [{"var": "payload.v.0.tg"}, "1"]}), name="other")
    assert run("rules", "add", conflicting, "--name", "other").exit_code == 0
    status = run("rules", "status")
    assert status.exit_code == 0
    assert "GR-FR-0001 1.0.0: folder counts, other differs" in status.stderr


def test_status_tells_age_and_end(run: Run, clock: Clock) -> None:
    assert run("rules", "status").exit_code == 0
    assert run("rules", "add", folder(rule(), rule("DE")), "--max-age", "2d").exit_code == 0
    for days, state, exit_code in ((2, "fresh", 0), (3, "overdue", 0), (9, "overdue", 0), (10, "expired", 3)):
        done = run("rules", "status", "--at", (NOW + days * DAY).isoformat(), "--json")
        assert done.exit_code == exit_code
        [one] = json_of(done)["lists"]
        assert (one["state"], one["countries"], one["assurance"]) == (state, {"DE": 1, "FR": 1}, "local")
    table = run("rules", "status", "--at", AT).stdout
    assert "folder  2      2          local     2021-08-20 10:00  2021-08-22 10:00  fresh" in table
    assert "disease-agent-targeted" in table
    assert run("rules", "status", "--store", "missing.db").exit_code == 4


def test_wrong_usage_and_files_that_are_no_lists(run: Run) -> None:
    given = folder(rule())
    Path("text.json").write_text("{")
    Path("rule.json").write_text(json.dumps(rule()))
    for arguments, exit_code in (
        (["add"], 2),
        (["add", "missing"], 2),
        (["add", given, "--format", "zip"], 2),
        (["add", given, "--option", "token=x"], 2),
        (["add", given, "--option", "nothing"], 2),
        (["add", given, "--name", "a/b"], 2),
        (["add", given, "--max-age", "soon"], 2),
        (["add", "rule.json", "rule.json", "rule.json", "--format", "bundle"], 2),
        (["add", "text.json", "--format", "bundle"], 1),
        (["add", "rule.json", "--format", "it"], 1),
        (["add", "rule.json", "--format", "service"], 1),
        (["add", given, "--option", "countries=x"], 1),
        (["update"], 2),
        (["update", "--config", "missing.toml"], 2),
        (["show"], 2),
        (["list", "--country", "Gaul"], 2),
        (["remove", "\x1b[31m"], 1),
    ):
        done = run("rules", *arguments)
        assert done.exit_code == exit_code, (arguments, done.output)
        assert "Traceback" not in done.output
        assert "\x1b" not in done.output


def test_an_environment_is_not_mixed_with_another(run: Run) -> None:
    assert run("rules", "add", folder(rule()), "--environment", "test").exit_code == 0
    done = run("rules", "add", folder(rule()), "--name", "other")
    assert done.exit_code == 1
    assert "ENVIRONMENT_MIXED" in done.stderr
    assert json_of(run("rules", "status", "--json"))["environment"] == "test"


def test_formats_and_help(run: Run) -> None:
    assert [one["name"] for one in lines_of(run("rules", "formats", "--json"))] == list(SOURCES)
    assert len(run("rules", "formats").stdout.splitlines()) == 1 + len(SOURCES)
    rules = group.get_command(click.Context(group), "rules")
    assert isinstance(rules, click.Group)
    for name in rules.commands:
        done = run("rules", name, "--help")
        assert done.exit_code == 0
        assert done.output.startswith(f"Usage: root rules {name}") or f"rules {name}" in done.output
    assert "check" in run("rules", "--help").output


def test_completion_knows_the_commands_and_their_choices(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from click.shell_completion import ShellComplete

    completing = ShellComplete(group, {}, "healthcert", "_HEALTHCERT_COMPLETE")
    words = {one.value for one in completing.get_completions(["rules"], "")}
    assert {"check", "forecast", "update", "lint"} <= words
    assert [one.value for one in completing.get_completions(["rules", "check", "--national"], "de")] == ["de-domestic"]
    assert "--country" in {one.value for one in completing.get_completions(["rules", "check"], "--co")}


# --- From servers ---


@pytest.fixture(scope="module")
def running() -> Iterator[Gateway]:
    with Gateway() as gateway:
        yield gateway


@pytest.fixture
def gateway(running: Gateway, run: Run, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Gateway:
    """The EU gateway with rules of two countries, and the service; a file of sources that names both."""
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "HEALTHCERT_SOURCES"):
        monkeypatch.delenv(name, raising=False)
    running.reset()
    running.dgcg = Dgcg()
    running.dgcg.now = NOW - DAY
    running.dgcg.add("AUTHENTICATION", certificates.client().der, uploader("EU"))
    for country in ("FR", "DE"):
        running.dgcg.add("UPLOAD", uploader(country).certificate_der(), uploader("EU"))
        Path(f"{country}.pem").write_bytes(uploader(country).certificate_pem())
    running.dgcg.now = NOW
    for one in (rule(), rule("DE"), rule("DE", number=2)):
        running.dgcg.rules.add(one, signed_rule(raw(one), one["Country"]))
    service(rule("IT"), rule("IT", number=2), sets=[value_set(date="2031-01-01")]).serve(running, "/verifiers")
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    key = signing_key().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    Path("service.pem").write_bytes(key)
    for name in ("ca", "client_certificate", "client_key"):
        Path(f"{name}.pem").write_bytes(Path(getattr(running, name)).read_bytes())
    Path("sources.toml").write_text(
        f"""
        max_age = "12h"
        [[rules]]
        name = "dgcg"
        url = "{running.member_url}"
        anchors = ["FR.pem", "DE.pem"]
        ca = "ca.pem"
        client_certificate = "client_certificate.pem"
        client_key = "client_key.pem"
        [[rules]]
        name = "service"
        url = "{running.url}/verifiers"
        anchors = ["service.pem"]
        ca = "ca.pem"
        [[rules]]
        name = "it"
        url = "{running.url}/settings"
        ca = "ca.pem"
        """
    )
    settings = [{"name": "vaccine_end_day_complete", "type": "EU/1/20/1528", "value": "180"}]
    running.put("/settings", json.dumps(settings).encode())
    return running


UPDATE = ("rules", "update", "--config", "sources.toml")


def test_all_sources_of_the_file(run: Run, gateway: Gateway, clock: Clock) -> None:
    done = run(*UPDATE)
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "dgcg: 3 new, 0 gone, 3 rules",
        "service: 2 new, 0 gone, 1 value set, 2 rules",
        "it: 0 new, 0 gone, national rules it, 0 rules",
    ]
    states = {one["source"]: one["assurance"] for one in json_of(run("rules", "status", "--json"))["lists"]}
    assert states == {"dgcg": "signed_rules", "service": "signed_list", "it": "tls_only"}
    clock.moment = NOW + DAY / 4
    again = json_of(run(*UPDATE, "--json", "--only", "service"))
    assert (again["rules"], [(one["source"], one["kept"]) for one in again["sources"]]) == (5, [("service", 2)])


def test_what_fails_is_told_and_leaves_the_rules_in_use(run: Run, gateway: Gateway, clock: Clock) -> None:
    assert run(*UPDATE).exit_code == 0
    gateway.misbehave("/verifiers/rules", Fault.STATUS, status=503)
    done = run(*UPDATE)
    assert done.exit_code == 4
    assert done.stderr.startswith("service: not updated: ")
    assert "(FETCH_FAILED)" in done.stderr
    forged = signed_rule(raw(rule("DE", number=3)), "FR", uploader("IT"))
    gateway.dgcg.rules.add(rule("DE", number=3), forged)
    skipped = run(*UPDATE, "--only", "dgcg")
    assert skipped.exit_code == 0
    assert "skipped: dgcg: " in skipped.stderr
    assert "not signed with a pinned certificate or key" in skipped.stderr
    assert run("rules", "list").stderr == "5 rules of 3 countries\n"
    status = run("rules", "status")
    assert "service: the last attempt failed: " in status.stderr
    assert "dgcg: 1 entry was skipped, the first: " in status.stderr
    assert status.exit_code == 0
    clock.moment = NOW + 9 * DAY
    assert run("rules", "status").exit_code == 3


def test_a_source_that_was_never_there_is_missing(run: Run, gateway: Gateway) -> None:
    gateway.misbehave("/verifiers/rules", Fault.STATUS, status=503)
    assert run(*UPDATE, "--only", "service").exit_code == 4
    done = run("rules", "status", "--json")
    assert done.exit_code == 3
    assert [one["source"] for one in json_of(done)["missing"]] == ["service"]
    assert run(*UPDATE, "--only", "nobody").exit_code == 1


def test_recheck_finds_damage(run: Run) -> None:
    assert run("rules", "add", folder(rule(), rule("DE"), value_set())).exit_code == 0
    sound = run("rules", "recheck")
    assert (sound.exit_code, sound.output) == (0, "folder: as it was accepted, 2 rules\n")
    assert json_of(run("rules", "recheck", "--json"))["error"] is None
    with closing(sqlite3.connect(os.environ["HEALTHCERT_RULES"])) as connection, connection:
        (parts,) = connection.execute("SELECT parts FROM lists").fetchone()
        altered = parts.replace(b"840539006", b"840539007", 1)
        assert altered != parts
        connection.execute("UPDATE lists SET parts = ?", (altered,))
    damaged = run("rules", "recheck")
    assert (damaged.exit_code, damaged.stdout) == (4, "")
    assert run("rules", "recheck", "--json").exit_code == 4
