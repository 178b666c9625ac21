"""The command line, as a newcomer, an officer and a script use it."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

import healthcert as hc
from healthcert_cli.commands.demo import RECORD
from healthcert_cli.root import COMMANDS
from tests.cli.conftest import AT, Run
from tests.support import Press, csca, dsc, payload

FLAGS = [part for name, value in RECORD.items() for part in (f"--{name.replace('_', '-')}", str(value))]


def test_a_newcomer_s_way_from_keys_to_a_verdict(run: Run) -> None:
    assert run("keys", "new-ca", "--country", "FR", "--no-passphrase").exit_code == 0
    assert run("keys", "new-dsc", "--usage", "vaccination", "--no-passphrase").exit_code == 0
    assert run("trust", "add", "dsc.pem").exit_code == 0
    issued = run("issue", "vaccination", *FLAGS, "--qr", "out.png")
    assert issued.exit_code == 0, issued.output
    seen = run("verify", "out.png")
    assert seen.exit_code == 0, seen.output
    assert "ACCEPTED" in seen.output
    assert "Zoé Exemplaire-Müller, born 1984-02-29" in seen.output
    assert "dose 2 of 2 on 2021-06-11" in seen.output


def test_keys_are_encrypted_and_for_their_owner_alone(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEALTHCERT_PASSPHRASE", "secret words")
    assert run("keys", "new-ca", "--country", "FR").exit_code == 0
    assert run("keys", "new-dsc", "--kind", "rsa-3072").exit_code == 0
    for name in ("csca.key.pem", "dsc.key.pem"):
        assert b"ENCRYPTED" in Path(name).read_bytes()
        assert stat.S_IMODE(Path(name).stat().st_mode) == 0o600
    assert run("issue", "vaccination", *FLAGS, "--text", "a.txt").exit_code == 0
    monkeypatch.setenv("HEALTHCERT_PASSPHRASE", "other words")
    Path("ca").write_text("secret words\n")
    again = run("keys", "new-dsc", "--out", "b", "--ca-passphrase-file", "ca")
    assert again.exit_code == 0, again.output
    wrong = run("issue", "vaccination", *FLAGS)
    assert wrong.exit_code == 4
    assert "SIGNER_KEY_UNREADABLE" in wrong.output
    assert "words" not in wrong.output
    Path("phrase").write_text("secret words\n")
    assert run("issue", "vaccination", *FLAGS, "--passphrase-file", "phrase", "--text", "b.txt").exit_code == 0


def test_a_key_file_is_never_replaced(run: Run) -> None:
    assert run("keys", "new-ca", "--country", "FR", "--no-passphrase").exit_code == 0
    before = Path("csca.key.pem").read_bytes()
    again = run("keys", "new-ca", "--country", "FR", "--no-passphrase")
    assert again.exit_code == 4
    assert "csca.key.pem" in again.output
    assert Path("csca.key.pem").read_bytes() == before


@pytest.mark.parametrize("source", ["file", "stdin"])
def test_a_record_in_json_with_options_winning(run: Run, certificates: Path, source: str) -> None:
    Path("dsc.key.pem").write_bytes(dsc().key_pem(None))
    Path("r.json").write_text(json.dumps(RECORD | {"dose": 1}), encoding="utf-8")
    record, stdin = ("r.json", None) if source == "file" else ("-", json.dumps(RECORD))
    done = run("issue", "vaccination", "--record", record, "--dose", "3", "--json", stdin=stdin)
    # The DSC of the fixtures is of 2021 and expired since: told as what it is.
    assert done.exit_code == 1
    assert json.loads(done.stdout)["error"]["code"] == "PUBLIC_KEY_EXPIRED"


def test_json_of_issuing(run: Run) -> None:
    run("keys", "new-ca", "--country", "FR", "--no-passphrase")
    run("keys", "new-dsc", "--no-passphrase")
    done = run("issue", "vaccination", "--record", "-", "--dose", "3", "--json", stdin=json.dumps(RECORD))
    assert done.exit_code == 0, done.output
    values = json.loads(done.stdout)
    assert set(values) == {"certificate_id", "issued_at", "expires", "text"}
    checked = run("verify", "--trust", "dsc.pem", "--json", stdin=values["text"] + "\n")
    event = json.loads(checked.stdout)["certificate"]["events"][0]
    assert (event["dose"], event["country"]) == (3, "FR")


@pytest.mark.parametrize(
    ("kind", "changes", "said"),
    [
        ("vaccination", ["--dose", "0"], "dose: a whole number from 1 to 99; for example 2"),
        ("vaccination", ["--vaccine", "Comirnaty"], "vaccine: an active code of its value set"),
        ("vaccination", ["--country", "FRANCE"], "country: the two capital letters of a country"),
        ("vaccination", ["--date", "2999-01-01"], "date: a day that is not in the future; for example 2"),
        ("vaccination", ["--dose", "two"], "dose: a whole number from 1 to 99; for example 2"),
        ("vaccination", ["--date", "11.06.2021"], "date: a day as YYYY-MM-DD; for example 2021-05-29"),
        ("vaccination", ["--birth-date", "1984/02/29"], "birth_date: a date from 1900 as YYYY-MM-DD"),
        ("vaccination", ["--family-name", "王小明"], "family_name_icao: the spelling of the passport"),
    ],
)
def test_a_wrong_field_is_named_with_its_rule(run: Run, kind: str, changes: list[str], said: str) -> None:
    run("keys", "new-ca", "--country", "FR", "--no-passphrase")
    run("keys", "new-dsc", "--no-passphrase")
    done = run("issue", kind, *FLAGS, *changes)
    assert done.exit_code == 1
    assert said in done.stderr
    assert changes[1] not in done.stderr.replace("1 to 99", "")


def test_issue_without_keys_is_wrong_usage(run: Run) -> None:
    done = run("issue", "vaccination", *FLAGS)
    assert done.exit_code == 2
    assert "dsc.key.pem" in done.stderr


def test_verify_pictures_texts_and_standard_input(run: Run, certificates: Path) -> None:
    for source, stdin in (("good.png", None), ("good.txt", None), ("-", Path("good.txt").read_bytes())):
        done = run("verify", source, "--trust", "dsc.pem", "--at", AT, stdin=stdin)
        assert done.exit_code == 0, done.output
        assert "ACCEPTED" in done.output
    piped = run("verify", "--trust", "dsc.pem", "--at", AT, stdin=Path("good.png").read_bytes())
    assert piped.exit_code == 0, piped.output


def test_verify_many_at_once(run: Run, certificates: Path) -> None:
    both = Path("good.txt").read_text() + Path("forged.txt").read_text() + "\r\n\r\nHC2:ABC\n"
    Path("both.txt").write_text(both)
    done = run("verify", "good.png", "both.txt", "missing.png", "--trust", "dsc.pem", "--at", AT, "--json")
    *lines, missing = [json.loads(line) for line in done.stdout.splitlines()]
    assert (missing["source"], missing["outcome"], missing["code"]) == ("missing.png", None, "ENVIRONMENT")
    assert [(line["source"], line["outcome"], line["code"]) for line in lines] == [
        ("good.png", "accepted", "OK"),
        ("both.txt#1", "accepted", "OK"),
        ("both.txt#2", "refused", "SIGNATURE_INVALID"),
        ("both.txt#3", "refused", "UNSUPPORTED_VERSION"),
    ]
    assert done.exit_code == 1
    assert "2 accepted, 2 refused, 0 undetermined, 1 not read" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "exit_code"),
    [
        (["verify", "good.png", "--trust", "dsc.pem", "--at", AT], 0),
        (["verify", "good.png", "--trust", "dsc.pem", "--at", "2031-01-01"], 1),
        (["verify", "forged.txt", "--trust", "dsc.pem", "--at", AT], 1),
        (["verify", "good.png", "--at", "yesterday"], 2),
        (["verify", "--no-such-option"], 2),
        (["no-such-command"], 2),
        (["verify", "good.png", "--at", AT], 3),
        (["verify", "good.png", "--trust", "missing.db"], 4),
        (["verify", "missing.png", "good.png", "--trust", "dsc.pem", "--at", AT], 4),
        (["verify", "missing.png", "forged.txt", "--trust", "dsc.pem", "--at", AT], 1),
        (["inspect", "missing.png"], 4),
        (["keys", "new-ca", "--country", "FR"], 2),
        (["verify", "good.png", "--trust", "good.txt", "--at", AT], 3),
    ],
)
def test_exit_codes(run: Run, certificates: Path, arguments: list[str], exit_code: int) -> None:
    done = run(*arguments)
    assert done.exit_code == exit_code, done.output


def test_strict_refuses_what_is_otherwise_a_warning(run: Run, certificates: Path) -> None:
    Path("quirk.txt").write_text(Press(payload=payload(dob="1963-00")).text())
    usual = run("verify", "quirk.txt", "--trust", "dsc.pem", "--at", AT)
    assert usual.exit_code == 0
    assert "BIRTH_DATE_PADDED" in usual.output
    assert run("verify", "quirk.txt", "--trust", "dsc.pem", "--at", AT, "--strict").exit_code == 1


def test_inspect_shows_layers_and_says_unverified(run: Run, certificates: Path) -> None:
    done = run("inspect", "good.png")
    assert done.exit_code == 0
    for word in ("UNVERIFIED", "COSE_Sign1", "alg: ES256", f"kid: {dsc().signer().kid.hex()}", "dn: 2", "iss: FR"):
        assert word in done.output
    values = json.loads(run("inspect", "good.txt", "--json").stdout)
    assert values["verified"] is False
    assert [layer["name"] for layer in values["layers"]] == ["base45", "zlib", "COSE_Sign1", "CWT"]


def test_trust_add_list_and_show(run: Run, certificates: Path) -> None:
    Path("bad.pem").write_text("-----BEGIN CERTIFICATE-----\nrubbish\n-----END CERTIFICATE-----\n")
    added = run("trust", "add", "dsc.pem", "bad.pem", "--json")
    assert added.exit_code == 1
    values: dict[str, Any] = json.loads(added.stdout)
    assert (values["added"], values["keys"], len(values["rejected"])) == (1, 1, 1)
    kid = dsc().signer().kid
    assert kid.hex() in run("trust", "list").output
    assert json.loads(run("trust", "list", "--json").stdout)["country"] == "FR"
    shown = run("trust", "show", kid.hex(), "--json")
    assert json.loads(shown.stdout)["algorithm"] == "ES256"
    assert run("trust", "show", "0011223344556677").exit_code == 1
    assert run("trust", "show", "no kid").exit_code == 1
    assert run("verify", "good.png", "--at", AT).exit_code == 0


def test_trust_add_of_a_bare_key_with_its_kid(run: Run, certificates: Path) -> None:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    spki = dsc().key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    Path("bare.pem").write_bytes(spki)
    assert run("trust", "add", "bare.pem").exit_code == 1
    assert run("trust", "add", "bare.pem", "--kid", dsc().signer().kid.hex()).exit_code == 0
    done = run("verify", "good.png", "--at", AT)
    assert done.exit_code == 0
    assert "KEY_DATES_UNKNOWN" in done.output


def test_keys_show(run: Run, certificates: Path) -> None:
    Path("csca.pem").write_bytes(csca().certificate_pem())
    assert dsc().signer().kid.hex() in run("keys", "show", "dsc.pem").output
    assert run("keys", "show", ".", "--json").exit_code == 0


def test_the_demo(run: Run) -> None:
    done = run("demo", "--out", "there")
    assert done.exit_code == 0, done.output
    for step in hc.Step:
        assert step.value in done.output
    assert done.output.count("REFUSED") == 2
    assert run("verify", "there/certificate.png", "--trust", "there/dsc.pem").exit_code == 0
    reports = json.loads(run("demo", "--out", "there", "--json").stdout)
    assert [report["code"] for report in reports.values()] == ["OK", "SIGNATURE_INVALID", "CWT_EXPIRED"]


@pytest.mark.parametrize(
    "command", [[], *([name] for name in COMMANDS), ["issue", "test"], ["keys", "new-dsc"], ["trust", "add"]]
)
def test_every_command_explains_itself(run: Run, command: list[str]) -> None:
    done = run(*command, "--help")
    assert done.exit_code == 0
    assert "Usage: " in done.output


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(run: Run, shell: str) -> None:
    done = run("completion", shell)
    assert done.exit_code == 0
    assert "_HEALTHCERT_COMPLETE" in done.output


def test_the_version(run: Run) -> None:
    done = run("--version")
    assert done.output.strip() == f"healthcert, version {hc.__version__}"


def test_an_unwritable_output_is_the_environment_s_fault(run: Run) -> None:
    run("keys", "new-ca", "--country", "FR", "--no-passphrase")
    run("keys", "new-dsc", "--no-passphrase")
    done = run("issue", "vaccination", *FLAGS, "--qr", "no/such/folder.png")
    assert done.exit_code == 4
    assert os.strerror(2) in done.stderr


def test_a_certificate_file_is_never_replaced_either(run: Run) -> None:
    run("keys", "new-ca", "--country", "FR", "--no-passphrase")
    before = Path("csca.pem").read_bytes()
    Path("csca.key.pem").unlink()
    assert run("keys", "new-ca", "--country", "FR", "--no-passphrase").exit_code == 4
    assert Path("csca.pem").read_bytes() == before
    assert not Path("csca.key.pem").exists()


def test_listing_makes_no_folders(run: Run) -> None:
    assert run("trust", "list", "--store", "a/b/c.db").exit_code == 4
    assert not Path("a").exists()


def test_a_kid_is_not_for_certificates(run: Run, certificates: Path) -> None:
    assert run("trust", "add", "dsc.pem", "--kid", "0011223344556677").exit_code == 1
