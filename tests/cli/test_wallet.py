"""A holder's wallet at the command line: what goes in, how it stands, and which one is shown."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import healthcert as hc
from tests.cli.conftest import AT, Run
from tests.support import issue
from tests.unit.wallet.test_wallet import OTHER, RECOVERY, quick

__all__ = ["quick"]

TRUSTED = ("--trust", "dsc.pem", "--at", AT)


@pytest.fixture
def wallet(run: Run, certificates: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("HEALTHCERT_WALLET", str(certificates / "wallet.age"))
    monkeypatch.setenv("HEALTHCERT_WALLET_PASSPHRASE", "correct horse")
    return run


@pytest.fixture
def filled(quick: None, wallet: Run) -> Run:
    Path("other.txt").write_text(issue(holder=OTHER).text + "\n" + issue(RECOVERY).text + "\n")
    done = wallet("wallet", "add", "good.png", "other.txt")
    assert (done.exit_code, done.stdout) == (0, "3 added, 0 known before, 3 in the wallet.\n"), done.output
    return wallet


def test_the_whole_way_of_a_certificate(wallet: Run) -> None:
    """With real encryption, which takes its time."""
    done = wallet("wallet", "add", "good.png")
    assert (done.exit_code, done.stdout) == (0, "1 added, 0 known before, 1 in the wallet.\n"), done.output
    assert Path("wallet.age").read_bytes().startswith(b"age-encryption.org/v1")
    done = wallet("wallet", "show", "1", "--qr", "again.png")
    assert done.exit_code == 0, done.output
    assert hc.read_barcodes("again.png") == hc.read_barcodes("good.png")


def test_what_is_there_is_told_and_not_doubled(filled: Run) -> None:
    done = filled("wallet", "add", "good.txt", "good.png")
    assert (done.exit_code, done.stdout) == (0, "0 added, 2 known before, 3 in the wallet.\n"), done.output


def test_what_is_no_certificate_is_refused_and_the_rest_is_done(quick: None, wallet: Run) -> None:
    Path("note.txt").write_text("HELLO\n")
    done = wallet("wallet", "add", "note.txt", "missing.png", "good.txt")
    assert (done.exit_code, done.stdout) == (1, "1 added, 0 known before, 1 in the wallet.\n")
    assert "INVALID_SCHEME_PREFIX" in done.stderr
    assert "missing.png: not read" in done.stderr


def test_the_list_is_by_holder(filled: Run) -> None:
    done = filled("wallet", "list", *TRUSTED)
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert [line for line in lines if not line.startswith(" ")] == [
        "Zoé Exemplaire-Müller, born 1984-02-29",
        "Max Beispiel, born 1970-01-01",
    ]
    assert [line.split()[0] for line in lines if line.startswith(" ")] in (["1", "3", "2"], ["3", "1", "2"])
    assert all("[accepted]" in line for line in lines if line.startswith(" "))
    rows = [json.loads(line) for line in filled("wallet", "list", *TRUSTED, "--json").stdout.splitlines()]
    assert {row["outcome"] for row in rows} == {"accepted"}
    assert {row["number"] for row in rows} == {1, 2, 3}


def test_without_keys_nothing_is_called_accepted(filled: Run) -> None:
    done = filled("wallet", "list", "--at", AT)
    assert "[accepted]" not in done.stdout
    assert done.stdout.count("[not verified") == 3


def test_the_best_is_of_one_holder(filled: Run) -> None:
    assert "say --holder" in filled("wallet", "best", *TRUSTED).output
    done = filled("wallet", "best", "--holder", "zoé", "--json", *TRUSTED)
    assert done.exit_code == 0, done.output
    best = json.loads(done.stdout)
    rows = [json.loads(line) for line in filled("wallet", "list", *TRUSTED, "--json").stdout.splitlines()]
    assert best["until"] == max(row["until"] for row in rows if row["birth_date"] == "1984-02-29")
    drawn = filled("wallet", "best", "--holder", "max", *TRUSTED)
    assert (drawn.exit_code, "█" in drawn.stdout) == (0, True)


def test_none_may_be_good(filled: Run) -> None:
    late = filled("wallet", "best", "--holder", "max", "--trust", "dsc.pem", "--at", "2040-01-01")
    assert (late.exit_code, "No certificate is accepted." in late.stderr) == (1, True)
    unknown = filled("wallet", "best", "--holder", "max", "--at", AT)
    assert unknown.exit_code == 3


def test_what_is_removed_is_gone(filled: Run) -> None:
    assert filled("wallet", "remove", "1", "3").stdout == "1 in the wallet.\n"
    assert filled("wallet", "remove", "2").exit_code == 2
    assert filled("wallet", "show", "2").exit_code == 2
    assert "Max Beispiel" in filled("wallet", "list", *TRUSTED).stdout


def test_another_passphrase_opens_nothing(filled: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEALTHCERT_WALLET_PASSPHRASE", "wrong")
    done = filled("wallet", "list", *TRUSTED)
    assert (done.exit_code, "WALLET_UNREADABLE" in done.stderr, "wrong" in done.output) == (4, True, False)


def test_there_must_be_a_wallet_and_a_passphrase(wallet: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "there is no wallet" in wallet("wallet", "list").output
    monkeypatch.delenv("HEALTHCERT_WALLET_PASSPHRASE")
    done = wallet("wallet", "add", "good.png")
    assert (done.exit_code, "a passphrase is needed" in done.output) == (2, True)
