"""``healthcert rules check`` and ``verify --country``: options, verdicts, exit codes, and what strangers wrote."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import AT, Run
from tests.cli.trust_files import Clock, german, ours, write_anchor
from tests.support import TEST, Press, issue, payload, vaccination
from tests.support_rule_lists import rule, value_set

TWO_DOSES = {">=": [{"var": "payload.v.0.dn"}, 2]}
THREE_DOSES = {">=": [{"var": "payload.v.0.dn"}, 3]}
UNDEFINED = {">=": [{"var": "payload.v.0.tg"}, 3]}  # a text is no number
TEXTS = [
    {"lang": "fr", "desc": "Il faut au moins trois doses du vaccin."},
    {"lang": "en", "desc": "At least three doses of the vaccine."},
    {"lang": "de", "desc": "Mindestens drei Dosen des Impfstoffs."},
]
MET, NOT_MET, OPEN = (
    rule(number=number, Logic=logic, Description=TEXTS)
    for number, logic in enumerate((TWO_DOSES, THREE_DOSES, UNDEFINED), 1)
)
HOLDER = ("Exemplaire", "Zoé", "1984")
DOOR = ("verify", "--country", "fr", "--at", AT, "--trust", "dsc.pem")
CHECK = ("rules", "check", "--country", "FR", "--at", AT, "--trust", "dsc.pem")


def write(*given: Any, name: str = "rules.json") -> str:
    Path(name).write_text(json.dumps(given))
    return name


def json_of(output: str) -> Any:
    return json.loads(output)


@pytest.mark.parametrize(
    ("given", "exit_code", "outcome", "code"),
    [
        ([MET], 0, "accepted", "OK"),
        ([NOT_MET], 1, "refused", "RULES_NOT_MET"),
        ([OPEN], 3, "undetermined", "RULES_OPEN"),
        ([rule("DE")], 3, "undetermined", "RULES_UNKNOWN"),
        ([MET, NOT_MET, OPEN], 1, "refused", "RULES_NOT_MET"),
        ([MET, OPEN], 3, "undetermined", "RULES_OPEN"),
        ([MET, rule(number=9, Logic=...)], 3, "undetermined", "RULES_OPEN"),
    ],
    ids=["met", "not met", "open", "another's", "not met and open", "met and open", "met and unreadable"],
)
def test_check_and_verify_come_to_the_same_verdict(
    run: Run, certificates: Path, given: list[Any], exit_code: int, outcome: str, code: str
) -> None:
    rules = write(*given)
    told = run(*CHECK, "good.txt", "--store", rules, "--json")
    door = run(
        "verify", "good.txt", "--trust", "dsc.pem", "--at", AT, "--country", "fr", "--rules-store", rules, "--json"
    )
    found, at_door = json_of(told.stdout), json_of(door.stdout)
    assert (told.exit_code, found["outcome"], found["code"]) == (exit_code, outcome, code)
    assert (door.exit_code, at_door["outcome"], at_door["code"]) == (exit_code, outcome, code)
    assert found["rules"] == at_door["rules"]
    assert found["verified"] is True
    # Nobody's signature: it is not called accepted, whatever the rules say.
    loose = json_of(run(*CHECK, "good.txt", "--store", rules, "--json", "--unverified").stdout)
    assert (loose["outcome"], loose["code"]) == (None if code == "OK" else outcome, code)
    assert (loose["verified"], loose["rules"]) == (False, found["rules"] | {"results": loose["rules"]["results"]})


def test_what_decides_comes_first_and_english_before_the_other_languages(run: Run, certificates: Path) -> None:
    done = run(*CHECK, "good.png", "--store", write(MET, OPEN, NOT_MET, value_set()))
    assert done.exit_code == 1
    assert done.stdout.splitlines() == [
        " REFUSED  good.png  1 of 3 rules for FR is not met (RULES_NOT_MET)",
        "  Rules of FR at 2021-08-20 10:00 UTC",
        "  ✗ GR-FR-0002 1.0.0 (Acceptance, General)",
        "      en: At least three doses of the vaccine.",
        "      fr: Il faut au moins trois doses du vaccin.",
        "      de: Mindestens drei Dosen des Impfstoffs.",
        "      v.0.dn (2) is at least 3: no",
        "      where v.0.dn is the number of the dose",
        "  ? GR-FR-0003 1.0.0 (Acceptance, General)",
        "      en: At least three doses of the vaccine.",
        "      fr: Il faut au moins trois doses du vaccin.",
        "      de: Mindestens drei Dosen des Impfstoffs.",
        "      not an integer (CERTLOGIC_UNDEFINED)",
        "  ✓ GR-FR-0001 1.0.0 (Acceptance, General)",
    ]


def test_languages_are_named_as_what_they_are(run: Run, certificates: Path) -> None:
    rules = write(NOT_MET)
    told = run(*CHECK, "good.txt", "--store", rules, "--language", "de-AT", "--language", "pt", "--language", "it")
    texts = [line.strip() for line in told.stdout.splitlines() if line.startswith("      ") and line[8:10] == ": "]
    assert texts == ["en: At least three doses of the vaccine.", "de: Mindestens drei Dosen des Impfstoffs."]


def test_a_refusal_by_a_value_set_tells_its_date(run: Run, certificates: Path) -> None:
    asks = rule(Logic={"in": [{"var": "payload.v.0.mp"}, {"var": "external.valueSets.vaccines-covid-19-names"}]})
    rules = write(asks, value_set("vaccines-covid-19-names", "EU/1/1/1", date="2031-01-01"))
    done = run(*CHECK, "good.txt", "--store", rules)
    assert done.exit_code == 1
    assert "v.0.mp (EU/1/20/1528) is one of valueSets.vaccines-covid-19-names (EU/1/1/1): no" in done.stdout
    assert "value set vaccines-covid-19-names of 2031-01-01" in done.stdout


def test_what_is_wrong_with_the_certificate_itself_comes_first(run: Run, certificates: Path) -> None:
    rules = write(NOT_MET)
    late = run(
        "rules", "check", "good.txt", "--country", "FR", "--store", rules, "--trust", "dsc.pem", "--at", "2029-01-01"
    )
    assert late.exit_code == 1
    assert "(CWT_EXPIRED)" in late.stdout.splitlines()[0]
    assert "✗ GR-FR-0002" in late.stdout
    forged = run(*CHECK, "forged.txt", "--store", rules)
    assert (forged.exit_code, len(forged.stdout.splitlines())) == (1, 1)
    assert "(SIGNATURE_INVALID)" in forged.stdout
    stranger = run("rules", "check", "--country", "FR", "--at", AT, "good.txt", "--store", rules)
    assert stranger.exit_code == 3
    assert "GR-FR" not in stranger.stdout


def test_what_is_no_eu_dcc_is_not_refused_by_rules(run: Run, certificates: Path) -> None:
    Path("light.txt").write_text(Press(prefix="LT1:", claims={-260: ..., -250: {1: payload(v=None)}}).text())
    rules = write(MET)
    for more in ((), ("--unverified",)):
        done = run(*CHECK, "light.txt", "--store", rules, *more, "--json")
        found = json_of(done.stdout)
        assert found["outcome"] != "accepted"
        assert done.exit_code in (1, 3)
        assert found["rules"] is None
    assert found["code"] == "RULE_NOT_SUPPORTED"


def test_several_sources_and_the_worst_of_them(run: Run, certificates: Path) -> None:
    Path("both.txt").write_text(issue().text + "\n" + issue(TEST).text + "\n")
    rules = write(MET, rule("FR", number=4, CertificateType="Test", Identifier="TR-FR-0004", Logic=UNDEFINED))
    done = run(*CHECK, "both.txt", "good.txt", "missing.txt", ".", "--store", rules)
    assert done.exit_code == 3  # a test has no doses: what that is compared with is not told
    heads = [line for line in done.stdout.splitlines() if not line.startswith("  ")]
    assert [line.split("  ")[0].strip() for line in heads] == [
        "ACCEPTED", "UNDETERMINED", "ACCEPTED", "missing.txt: not read: No such file or directory",
        ".: not read: Is a directory",
    ]  # fmt: skip


def test_standard_input_and_payloads_in_json(run: Run, certificates: Path) -> None:
    rules = write(NOT_MET)
    piped = run(*CHECK, "--store", rules, stdin=issue().text)
    assert piped.exit_code == 1
    assert piped.stdout.startswith(" REFUSED  -  1 of 1 rule for FR is not met")
    Path("payload.json").write_text(json.dumps({"payload": vaccination(dn=3)}))
    loose = run(*CHECK, "payload.json", "--store", rules, "--unverified")
    assert loose.exit_code == 0
    assert loose.stdout.startswith(
        " NOT VERIFIED  payload.json  the rules are met; neither its signature nor its dates"
    )
    assert "no issuer is named: rules of invalidation, which are the issuer's, were not asked" in loose.stdout
    # Verified, a payload is nobody's certificate.
    assert run(*CHECK, "payload.json", "--store", rules).exit_code == 1
    for text in ("[]", "{", '{"a": 1, "a": 2}', '{"payload": 7}', "\0", "[" * 10_000, '{"v": ' + "[" * 10_000):
        Path("payload.json").write_text(text)
        found = run(*CHECK, "payload.json", "--store", rules, "--unverified", "--json")
        assert (found.exit_code, json_of(found.stdout)["code"]) == (1, "TEXT_UNREADABLE"), text[:20]


@pytest.mark.parametrize(
    "given",
    [
        {"v": 7},
        {"v": "x"},
        {"v": [None]},
        {"v": {"0": {"dn": 3}}},
        {"ver": 1},
        {"ver": "x" * 10_000},
        {"nam": [], "dob": {}},
        {"v": [{"dn": 1e300}]},
        {"v": [{"dn": 2**70}]},
    ],
)
def test_payloads_that_are_none_are_told_of_and_never_met(run: Run, certificates: Path, given: Any) -> None:
    Path("payload.json").write_text(json.dumps(given))
    rules = write(NOT_MET, rule(number=5, Logic={"===": [{"var": "payload.nam.fn"}, "Nobody"]}))
    for command in ("check", "forecast"):
        arguments = ["rules", command, "payload.json", "--unverified", "--country", "FR", "--store", rules]
        done = run(*arguments)
        assert done.exit_code in (1, 3), done.output
        assert "GENERAL_ERROR" not in done.output


def test_rules_of_invalidation_are_the_issuer_s(run: Run, certificates: Path) -> None:
    invalidated = rule(Identifier="IR-FR-0001", Type="Invalidation", Logic=THREE_DOSES)
    rules = write(rule("DE"), invalidated)
    for command, named in ((CHECK, "--store"), (DOOR, "--rules-store")):
        done = run(*command, "good.txt", named, rules, "--country", "DE")
        assert done.exit_code == 1
        assert "IR-FR-0001" in done.stdout
    assert (
        "✗ IR-FR-0001 1.0.0 (Invalidation, General)"
        in run(*CHECK, "good.txt", "--store", rules, "--country", "DE").stdout
    )
    met = run(*DOOR, "good.txt", "--rules-store", write(rule("DE"), rule()), "--country", "DE")
    assert "  Rules         1 rule for Germany (DE) is met" in met.stdout
    both = run(*DOOR, "good.txt", "--rules-store", write(rule(), MET | {"Identifier": "GR-FR-0005"}))
    assert "  Rules         2 rules for France (FR) are met" in both.stdout


def test_regions(run: Run, certificates: Path) -> None:
    rules = write(MET, rule(number=2, Region="IDF", Logic=THREE_DOSES))
    assert run(*CHECK, "good.txt", "--store", rules).exit_code == 0
    there = run(*CHECK, "good.txt", "--store", rules, "--region", " idf ")
    assert there.exit_code == 1
    assert "Rules of FR, IDF at" in there.stdout
    assert there.stderr == ""
    for command in (CHECK, ("verify", "--trust", "dsc.pem", "--at", AT, "--country", "FR")):
        named = ["--store" if command is CHECK else "--rules-store", rules]
        slip = run(*command, "good.txt", *named, "--region", "\x1b[31mIFD")
        assert slip.exit_code == 0
        assert slip.stderr == "no rule of FR is of the region �[31MIFD: those of the whole country count\n"
        assert "\x1b[31mI" not in slip.output


def test_wrong_usage(run: Run, certificates: Path) -> None:
    rules = write(MET)
    for arguments in (
        ["rules", "check", "good.txt"],
        ["rules", "check", "good.txt", "--country", "FR", "--national", "it"],
        ["rules", "check", "good.txt", "--country", "FRA"],
        ["rules", "check", "good.txt", "--country", "F1"],
        ["rules", "check", "good.txt", "--country", "ÄÖ"],
        ["rules", "check", "good.txt", "--country", ""],
        ["rules", "check", "good.txt", "--country", "FR", "--store", "missing.json"],
        ["rules", "check", "good.txt", "--country", "FR", "--store", rules, "--option", "mode=2G"],
        ["rules", "check", "good.txt", "--national", "it", "--store", rules, "--region", "X"],
        ["rules", "check", "good.txt", "--national", "it", "--store", rules, "--language", "en"],
        ["rules", "check", "good.txt", "--country", "FR", "--store", rules, "--at", "soon"],
        ["verify", "good.txt", "--region", "IDF"],
        ["verify", "good.txt", "--country", "FRA"],
        ["verify", "good.txt", "--country", "FR", "--rules", "off"],
        ["verify", "good.txt", "--country", "FR", "--rules-grace", "-1d"],
        ["verify", "good.txt", "--country", "FR", "--rules-store", "missing.json"],
    ):
        done = run(*arguments)
        assert done.exit_code == 2, (arguments, done.output)
        assert "Usage: " in done.output


def test_stores_that_are_empty_missing_or_none(run: Run, certificates: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hint = "the rule store is empty: see healthcert rules update, and rules add\n"
    empty = run(*CHECK, "good.txt")
    assert (empty.exit_code, empty.stderr) == (3, hint)
    door = run("verify", "good.txt", "--trust", "dsc.pem", "--at", AT, "--country", "FR")
    assert (door.exit_code, door.stderr) == (3, hint)
    assert "  Rules         no rules of FR are known for such a certificate" in door.stdout
    assert run("verify", "good.txt", "--trust", "dsc.pem", "--at", AT).stderr == ""
    lenient = run("verify", "good.txt", "--trust", "dsc.pem", "--at", AT, "--country", "FR", "--rules", "if_available")
    assert lenient.exit_code == 0
    assert "  Rules         not asked: no rules of FR are known for such a certificate" in lenient.stdout
    monkeypatch.setenv("HEALTHCERT_RULES", "good.png")
    for command in (CHECK, ("rules", "list"), ("rules", "status")):
        wrong = run(*command, *(["good.txt"] if command is CHECK else []), "--json")
        assert wrong.exit_code == 4
        assert json_of(wrong.stdout)["error"]["code"] == "RULE_STORE_UNREADABLE"
    Path("nothing.json").write_text('{"a": 1}')
    nothing = run(*CHECK, "good.txt", "--store", "nothing.json")
    assert nothing.exit_code == 1
    assert "RULE_LIST_UNREADABLE" in nothing.stderr


def test_overdue_rules_neither_accept_nor_refuse(run: Run, certificates: Path, clock: Clock) -> None:
    folder = Path("folder")
    folder.mkdir()
    for given in (MET, NOT_MET):
        (folder / "rule.json").write_text(json.dumps(given))
        added = run("rules", "add", "folder", "--max-age", "1d", "--at", "2021-08-01T00:00:00Z", "--force")
        assert added.exit_code == 0, added.output
        for arguments in (CHECK, ("verify", "--at", AT, "--country", "FR", "--trust", "dsc.pem")):
            done = run(*arguments, "good.txt")
            assert done.exit_code == 3, done.output
            assert "the rules of FR are overdue since 2021-08-02 00:00 UTC (RULES_UNKNOWN)" in done.stdout
        assert "List folder, fetched 2021-08-01 00:00 UTC, overdue since 2021-08-02" in run(*CHECK, "good.txt").stdout
        assert run(*CHECK, "good.txt", "--unverified").exit_code == 3
        ahead = run("rules", "forecast", "--country", "FR", "good.txt", "--trust", "dsc.pem")
        assert (ahead.exit_code, ahead.stdout.split()[0]) == (3, "UNDETERMINED")
    graceful = ("verify", "--at", AT, "--country", "FR", "--trust", "dsc.pem", "--rules-grace", "30d", "good.txt")
    assert run(*graceful).exit_code == 1
    assert run(*CHECK, "good.txt", "--rules-grace", "30d").exit_code == 1
    foretold = ("rules", "forecast", "--country", "FR", "good.txt", "--trust", "dsc.pem", "--rules-grace", "30d")
    assert run(*foretold).exit_code == 1


def test_rules_of_another_environment_than_the_keys(run: Run, certificates: Path, clock: Clock) -> None:
    Path("it.json").write_text("[]")
    assert run("trust", "add", "--source", "de", "--anchor", write_anchor(), *german(ours())).exit_code == 0
    assert run("rules", "add", "--format", "bundle", "--environment", "acceptance", write(MET)).exit_code == 0
    for command in (("rules", "check"), ("verify",), ("rules", "forecast")):
        done = run(*command, "good.txt", "--country", "FR", "--json")
        assert done.exit_code == 3, done.output
        assert json_of(done.stdout)["code"] == "ENVIRONMENT_MIXED"


def test_what_strangers_write_is_printed_harmlessly(run: Run, certificates: Path) -> None:
    nasty = "\x1b[2J\u202e\r\n ACCEPTED  good.txt" + "x" * 30
    evil = rule(
        Description=[{"lang": "\x1b[31m", "desc": nasty}, {"lang": "en", "desc": nasty}],
        AffectedFields=["\x1b[31m", "nam.fn"],
        Logic={"===": [{"var": "payload.nam.fn"}, "\x1b]0;owned\x07"]},
    )
    Path("named.txt").write_text(Press(payload=payload(nam={"fn": "\x1b[31mA\u202e", "fnt": "A"})).text())
    rules = write(evil)
    for arguments in (
        [*CHECK, "named.txt", "--store", rules],
        [*CHECK, "named.txt", "--store", rules, "--json"],
        ["verify", "named.txt", "--trust", "dsc.pem", "--at", AT, "--country", "FR", "--rules-store", rules],
        ["rules", "forecast", "--country", "FR", "named.txt", "--store", rules, "--trust", "dsc.pem", "--from", AT],
        ["rules", "list", "--store", rules],
        ["rules", "show", "GR-FR-0001", "--store", rules],
    ):
        done = run(*arguments)
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", done.output), arguments
        if "--json" not in arguments:
            assert not re.search(r"^ ACCEPTED", done.output, re.MULTILINE), arguments


def test_whose_certificate_it_is_is_told_by_no_error_and_no_detail(run: Run, certificates: Path) -> None:
    rules = write(
        rule(Logic={"in": ["x", {"var": "payload.nam.fn"}]}), rule(number=2, Logic={"+": [{"var": "payload.dob"}, 1]})
    )
    done = run(*CHECK, "good.txt", "--store", rules)
    assert done.exit_code == 3
    assert not any(word in done.output for word in HOLDER)
    found = json_of(run(*CHECK, "good.txt", "--store", rules, "--json").stdout)
    assert not any(word in json.dumps(found, ensure_ascii=False) for word in HOLDER)


def test_far_moments_are_no_internal_errors(run: Run, certificates: Path) -> None:
    rules = write(MET, rule(number=2, Logic={
        "before": [
            {"plusTime": [{"var": "external.validationClock"}, 1, "year"]},
            {"plusTime": [{"var": "payload.v.0.dt"}, 1, "month"]},
        ],
    }))  # fmt: skip
    for at in ("0001-01-01", "9999-12-31", "1900-02-28T23:59:59+14:00"):
        for more in ((), ("--unverified",)):
            done = run(
                "rules",
                "check",
                "good.txt",
                "--country",
                "FR",
                "--store",
                rules,
                "--trust",
                "dsc.pem",
                "--at",
                at,
                *more,
            )
            assert done.exit_code in (1, 3), done.output
            assert "GENERAL_ERROR" not in done.output


def test_the_moment_decides_which_rules_are_valid(run: Run, certificates: Path) -> None:
    later = rule(number=2, ValidFrom="2021-08-21T00:00:00Z")
    rules = write(later)
    done = run(*CHECK, "good.txt", "--store", rules)
    assert done.exit_code == 3
    assert "· 1 rule of FR known: none is about such a certificate and valid then" in done.stdout
