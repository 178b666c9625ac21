"""Whole files under a key in a hardware module: each worker has a session of its own, and the PIN is asked for once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import softhsm
from tests.cli.conftest import Run
from tests.cli.test_authority_hsm import token as token  # the fixture
from tests.cli.test_issue_batch import records, rows
from tests.cli.trust_files import json_of, lines_of


@pytest.fixture
def authority(run: Run, token: softhsm.SoftToken, request: pytest.FixtureRequest) -> Run:
    """An authority whose key is in the module, and a verifier who trusts it."""
    uri = token.uri(f"bulk {len(request.node.name)}")  # each test's own: tokens are the process's
    for command in (
        ("keys", "new-ca", "--country", "FR", "--no-passphrase"),
        ("keys", "new-dsc", "--pkcs11", uri),
        ("init", "--country", "FR", "--issuer", "Examples", "--key", uri, "--certificate", "dsc.pem"),
        ("trust", "add", "dsc.pem"),
    ):
        done = run(*command)
        assert done.exit_code == 0, done.output
    return run


def test_workers_sign_in_sessions_of_their_own(authority: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    # Workers are told what was answered: there is no variable that they could have it from.
    monkeypatch.delenv("HEALTHCERT_PIN")
    Path("pin").write_text(softhsm.PIN)
    names = [chr(65 + number // 26) + chr(97 + number % 26) for number in range(600)]
    records(*names)
    issue = ("issue", "batch", "lab.csv", "--out", "out.jsonl", "--json")
    done = authority(*issue, "--pin-file", "pin", "--workers", "2")
    assert done.exit_code == 0, done.output
    assert json_of(done)["issued"] == 600
    assert [row["row"] for row in rows()] == list(range(2, 602))
    verified = authority("verify", "batch", "out.jsonl", "--out", "verdicts.jsonl", "--json")
    assert (verified.exit_code, json_of(verified)["accepted"]) == (0, 600)
    assert {row["code"] for row in rows("verdicts.jsonl")} == {"OK"}
    assert lines_of(authority("register", "status", "--json"))[0][0]["certificates"] == 600


def test_a_wrong_pin_ends_the_run_before_there_is_a_worker(authority: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from healthcert.issue.hsm import login
    from healthcert.issue.hsm.faults import pin_refused
    from healthcert_cli import bulk

    tried: list[str] = []

    def refuse(module: object, token: object, session: object, pin: str, **more: object) -> None:
        tried.append(pin)
        raise pin_refused("the token does not take the PIN")

    monkeypatch.setattr(login, "_log_in", refuse)
    monkeypatch.setattr(bulk, "Pool", None)
    monkeypatch.setenv("HEALTHCERT_PIN", "000000")
    records("A")
    done = authority("issue", "batch", "lab.csv", "--out", "out.jsonl", "--workers", "2", "--json")
    assert (done.exit_code, json_of(done)["error"]["code"]) == (4, "PIN_REFUSED")
    assert tried == ["000000"]
    assert "000000" not in done.output
    assert not list(Path().glob("out*"))
