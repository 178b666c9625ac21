"""An issuing authority at the command line: set up, issue, register, revoke, re-issue; and what stays private."""

from __future__ import annotations

import json
import logging
import os
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.cli.trust_files import Clock, json_of, lines_of

WHO = ("--family-name", "Exemplaire-Müller", "--given-name", "Zoé", "--birth-date", "1984-02-29")
DOSE = ("--product", "Comirnaty", "--dose", "2", "--series", "2", "--date", "2021-06-11")
RECORDS = """type,family_name,given_name,birth_date,test_type,sampled_at,result
test,Exemplaire,Zoé,1984-02-29,LP6464-4,2021-08-19T08:00:00+02:00,260415000
test,Beispiel,Max,1990,LP6464-4,2021-08-19T09:00:00+02:00,260373001
test,Kaputt,Kim,1991-13-01,LP6464-4,2021-08-19T09:00:00+02:00,260415000
test,Ejemplo,Ana,1992-01,LP217198-3,2021-08-19T10:00:00+02:00,260415000
"""


@pytest.fixture
def office(run: Run, clock: Clock) -> Run:
    """A folder with an authority that has keys in files, and a verifier who trusts them."""
    done = run("init", "--country", "FR", "--issuer", "Ministry of Examples", "--new-keys", "--no-passphrase")
    assert done.exit_code == 0, done.output
    assert run("trust", "add", "dsc.pem").exit_code == 0
    return run


def issue(office: Run, *more: str) -> str:
    done = office("issue", "vaccination", *WHO, *DOSE, *more)
    assert done.exit_code == 0, done.output
    return done.stdout.strip()


def verdict(office: Run, text: str) -> str:
    [report] = lines_of(office("verify", "-", "--json", stdin=text))
    return str(report["code"])


def test_the_same_record_gives_the_same_certificate(office: Run, clock: Clock) -> None:
    first = issue(office)
    clock.moment += timedelta(hours=1)
    assert issue(office) == first
    assert verdict(office, first) == "OK"
    [count] = json_of(office("register", "status", "--json"))
    assert (count["state"], count["certificates"]) == ("issued", 1)


def test_what_is_revoked_by_its_identifier_or_by_itself_is_refused(office: Run) -> None:
    by_id, by_text, kept = issue(office), issue(office, "--dose", "1"), issue(office, "--dose", "3", "--series", "3")
    identifier = json_of(office("register", "show", "-", "--json", stdin=by_id))["certificate_id"]
    done = office("revoke", "-", "--out", "batches", stdin=f"{identifier}\n{by_text}\nURN:UVCI:01:FR:NOBODYS#1\n")
    assert done.exit_code == 1
    assert "NOT_IN_REGISTER" in done.stderr
    assert "1 row rejected" in done.stderr
    imported = office("revocation", "import", "batches", "--format", "dgcg", "--anchor", "upload.pem")
    assert imported.exit_code == 0, imported.output
    assert [verdict(office, text) for text in (by_id, by_text, kept)] == ["REVOKED", "REVOKED", "OK"]
    shown = json_of(office("register", "show", identifier, "--json"))
    assert shown["state"] == "revoked"


def test_a_revoked_record_is_issued_anew_only_when_that_is_asked_for(office: Run) -> None:
    Path("old.txt").write_text(issue(office))
    assert office("revoke", "old.txt", "--out", "batches").exit_code == 0
    refused = office("issue", "vaccination", *WHO, *DOSE)
    assert (refused.exit_code, "ISSUED_AND_REVOKED" in refused.stderr) == (1, True)
    assert issue(office, "--new-edition") != Path("old.txt").read_text()


def test_a_file_of_records_is_issued_once_however_often_it_is_given(office: Run) -> None:
    Path("lab.csv").write_text(RECORDS)
    arguments = ("issue", "batch", "lab.csv", "--rejects", "rejects.tsv", "--out", "out.jsonl", "--json")
    done = office(*arguments)
    assert done.exit_code == 1, done.output
    counts = {"issued": 3, "issued_before": 0, "rejected": {"FIELD_INVALID": 1}}
    assert json_of(done) | counts == json_of(done)
    rows = [json.loads(line) for line in Path("out.jsonl").read_text().splitlines()]
    assert [row["row"] for row in rows] == [2, 3, 5]
    assert Path("out.jsonl").stat().st_mode & 0o777 == 0o600
    source, row, code, reason = Path("rejects.tsv").read_text().splitlines()[1].split("\t")
    assert (source, row, code) == ("lab.csv", "4", "FIELD_INVALID")
    assert reason.startswith("birth_date")
    again = office(*arguments)
    assert json_of(again) | counts | {"issued": 0, "issued_before": 3} == json_of(again)
    second = [json.loads(line) for line in Path("out.jsonl").read_text().splitlines()]
    assert [row["text"] for row in second] == [row["text"] for row in rows]
    assert [verdict(office, row["text"]) for row in rows] == ["OK", "TEST_RESULT_POSITIVE", "OK"]


@pytest.mark.parametrize(
    "file", ["register.db", "register.key", "dsc.key.pem", "dsc.pem", "healthcert.toml", "lab.csv"]
)
def test_no_output_takes_the_place_of_what_an_authority_is_made_of(office: Run, file: str) -> None:
    Path("lab.csv").write_text(RECORDS)
    issue(office)
    before = Path(file).read_bytes()
    commands = (
        ("issue", "batch", "lab.csv", "--out", file),
        ("issue", "batch", "lab.csv", "--out", "out.jsonl", "--rejects", file),
        ("register", "reissue", "lab.csv", "--kid", "00" * 8, "--out", file, "--yes"),
        ("issue", "batch", "lab.csv", "--out", "x.txt", "--rejects", "x.txt"),
    )
    for command in commands:
        done = office(*command)
        assert done.exit_code == 2, done.output
    refused = office("revoke", "lab.csv", "--out", "batches", "--rejects", file)
    assert refused.exit_code == 2, refused.output
    assert Path(file).read_bytes() == before


def test_a_pipe_stays_a_pipe(office: Run) -> None:
    Path("lab.csv").write_text(RECORDS)
    os.mkfifo("pipe")
    reader = subprocess.Popen(["cat", "pipe"], stdout=subprocess.PIPE)
    assert office("issue", "batch", "lab.csv", "--out", "pipe").exit_code == 1
    assert len(reader.communicate(timeout=30)[0].splitlines()) == 3
    assert Path("pipe").is_fifo()


def test_who_names_what_was_replaced_revokes_its_replacement_too(office: Run) -> None:
    old, own = issue(office), issue(office, "--dose", "1", "--certificate-id", "URN:UVCI:01:FR:T5DWTJYS4ZR8#4")
    shown = json_of(office("register", "show", "-", "--json", stdin=old))
    assert office("keys", "new-dsc", "--no-passphrase", "--out", "next").exit_code == 0
    office("trust", "add", "next/dsc.pem")
    profile = Path("healthcert.toml")
    profile.write_text(profile.read_text() + '\n[[signer]]\ncertificate = "next/dsc.pem"\nkey = "next/dsc.key.pem"\n')
    header = "type,family_name,given_name,birth_date,product,dose,series,date,certificate_id\n"
    rows = (("2", ""), ("1", "URN:UVCI:01:FR:T5DWTJYS4ZR8#4"))
    line = "vaccination,Exemplaire-Müller,Zoé,1984-02-29,Comirnaty,{},2,2021-06-11,{}\n"
    Path("doses.csv").write_text(header + "".join(line.format(*row) for row in rows))
    done = office("register", "reissue", "doses.csv", "--kid", shown["kid"], "--out", "new.jsonl", "--yes")
    assert done.exit_code == 0, done.output
    new, own_again = (json.loads(one)["text"] for one in Path("new.jsonl").read_text().splitlines())
    # By their identifiers, which the second has kept: then it is revoked by its signature.
    assert office("revoke", "--kid", shown["kid"], "--type", "UCI", "--out", "replaced").exit_code == 0
    office("revocation", "import", "replaced", "--format", "dgcg", "--anchor", "upload.pem")
    assert [verdict(office, one) for one in (old, own, new, own_again)] == ["REVOKED", "REVOKED", "OK", "OK"]
    assert office("revoke", "-", "--out", "batches", stdin=shown["certificate_id"]).exit_code == 0
    office("revocation", "import", "batches", "--format", "dgcg", "--anchor", "upload.pem")
    assert verdict(office, new) == "REVOKED"


def test_rows_that_the_place_is_at_fault_for_end_otherwise_than_broken_ones(office: Run, clock: Clock) -> None:
    Path("lab.csv").write_text(RECORDS)
    clock.moment += timedelta(days=1000)
    done = office("issue", "batch", "lab.csv", "--rejects", "rejects.tsv", "--out", "out.jsonl", "--json")
    assert json_of(done)["rejected"] == {"NO_SIGNER": 4}
    assert done.exit_code == 4


def test_a_positive_test_becomes_a_recovery_when_that_is_asked_for(office: Run) -> None:
    Path("lab.csv").write_text(RECORDS)
    office("issue", "batch", "lab.csv", "--recovery", "--out", "out.jsonl")
    kinds = [one["kind"] for one in json_of(office("register", "status", "--json"))]
    assert sorted(kinds) == ["recovery", "test"]


def test_a_lost_key_is_planned_for_then_replaced(office: Run) -> None:
    Path("lab.csv").write_text(RECORDS)
    office("issue", "batch", "lab.csv", "--out", "old.jsonl")
    lonely = issue(office)
    old_kid = json_of(office("register", "show", "-", "--json", stdin=lonely))["kid"]
    assert office("keys", "new-dsc", "--no-passphrase", "--out", "next").exit_code == 0
    office("trust", "add", "next/dsc.pem")
    profile = Path("healthcert.toml")
    profile.write_text(profile.read_text() + '\n[[signer]]\ncertificate = "next/dsc.pem"\nkey = "next/dsc.key.pem"\n')
    reissue = ("register", "reissue", "lab.csv", "--kid", old_kid)
    planned = json_of(office(*reissue, "--plan", "--json"))
    by_kind = {one["kind"]: (one["live"], one["with_record"], one["without_record"]) for one in planned["plan"]}
    assert by_kind == {"test": (3, 3, 0), "vaccination": (1, 0, 1)}
    assert planned["rejected"] == 1
    assert office(*reissue, "--out", "new.jsonl").exit_code == 2  # nobody said yes
    done = office(*reissue, "--out", "new.jsonl", "--yes", "--revoke-rest", "--json")
    assert lines_of(done)[-1] == {"issued": 3, "revoked": 1, "rejected": 1}
    old, new = ([json.loads(line) for line in Path(f"{n}.jsonl").read_text().splitlines()] for n in ("old", "new"))
    assert [row["replaces"] for row in new] == [row["certificate_id"] for row in old]
    assert office("revoke", "--kid", old_kid, "--out", "batches").exit_code == 0
    office("revocation", "import", "batches", "--format", "dgcg", "--anchor", "upload.pem")
    # A positive test is refused for what it says, before any list is asked.
    assert [verdict(office, row["text"]) for row in old] == ["REVOKED", "TEST_RESULT_POSITIVE", "REVOKED"]
    assert verdict(office, lonely) == "REVOKED"
    assert [verdict(office, row["text"]) for row in new] == ["OK", "TEST_RESULT_POSITIVE", "OK"]


def test_nothing_is_revoked_for_want_of_a_key_to_issue_anew_with(office: Run) -> None:
    Path("lab.csv").write_text(RECORDS)
    office("issue", "batch", "lab.csv", "--out", "old.jsonl")
    kid = json_of(office("register", "status", "--json"))[0]["kid"]
    done = office(
        "register", "reissue", "lab.csv", "--kid", kid, "--out", "new.jsonl", "--yes", "--revoke-rest", "--json"
    )
    told = lines_of(done)[-1]["error"]
    assert (done.exit_code, told["code"]) == (4, "NO_SIGNER")
    assert "nothing was revoked" in told["detail"]
    assert {one["state"] for one in json_of(office("register", "status", "--json"))} == {"issued"}
    # Without a record there is nothing that could be issued anew: then all are the rest.
    only = office("register", "reissue", "--kid", kid, "--out", "new.jsonl", "--yes", "--revoke-rest", "--json")
    assert lines_of(only)[-1] == {"issued": 0, "revoked": 3, "rejected": 0}


@pytest.mark.parametrize(
    "name",
    [
        *("register.db", "register.db-wal", "register.db-journal", "register.key"),
        *("dsc.pem", "dsc.key.pem", "upload.key.pem", "healthcert.toml"),
    ],
)
def test_nothing_is_written_over_what_an_authority_is(office: Run, name: str) -> None:
    Path("lab.csv").write_text(RECORDS)
    before = {path: path.read_bytes() for path in Path().iterdir() if path.is_file()}
    for command in (
        ("issue", "batch", "lab.csv", "--out", name),
        ("issue", "batch", "lab.csv", "--out", "out.jsonl", "--rejects", name),
        ("issue", "vaccination", *WHO, *DOSE, "--text", name),
    ):
        refused = office(*command)
        assert (refused.exit_code, "is one of the files that are read" in refused.stderr) == (2, True)
    assert {path: path.read_bytes() for path in before} == before


def test_the_audit_log_tells_of_each_act_and_of_a_cut(office: Run) -> None:
    issue(office)
    first = json_of(office("audit", "verify", "--json"))
    issue(office, "--dose", "1")
    assert office("audit", "verify", "--head", first["head"]).exit_code == 0
    actions = [entry["action"] for entry in lines_of(office("audit", "export"))]
    assert actions == ["init", "key", "issue", "issue"]
    other = office("audit", "verify", "--head", "00" * 32)
    assert (other.exit_code, "AUDIT_BROKEN" in other.stderr) == (1, True)


def test_nothing_about_a_person_is_kept(office: Run, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    text = issue(office)
    Path("lab.csv").write_text(RECORDS)
    batch = office("issue", "batch", "lab.csv", "--rejects", "rejects.tsv", "--out", "out.jsonl")
    Path("one.txt").write_text(text)
    revoked = office("revoke", "one.txt", "--out", "batches")
    log = office("audit", "export").output
    told = [log, revoked.output, batch.stderr, caplog.text, Path("rejects.tsv").read_text()]
    kept = [path.read_bytes() for path in tmp_path.glob("register.db*")]
    assert kept
    for secret in ("Exemplaire", "Müller", "EXEMPLAIRE", "Zoé", "ZOE", "1984-02-29", "Beispiel", "BEISPIEL", "Kaputt"):
        assert not any(secret in words for words in told), secret
        assert not any(secret.encode() in data for data in kept), secret
