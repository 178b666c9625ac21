"""One revocation store under a program that updates it, again and again killed, and three that ask it."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tests.kills import kills


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the processes are forked, which this system does not do")
def test_killing_an_updater_again_and_again_loses_nothing_and_disturbs_no_reader(tmp_path: Path) -> None:
    path = tmp_path / "revocation"
    command = [sys.executable, "-m", "tests.integration.revocation_hammer", str(path), str(kills(200)), "1"]
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    assert done.stderr == ""
    assert done.stdout.startswith(f"{kills(200)} kills, ")
    connection = sqlite3.connect(path / "ledger.db")
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
