"""One store of rules under two programs that update it, again and again killed, and four that judge by it."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the processes are forked, which this system does not do")
def test_killing_an_updater_thirty_times_loses_nothing_and_disturbs_no_reader(tmp_path: Path) -> None:
    path = tmp_path / "rules.db"
    command = [sys.executable, "-m", "tests.integration.rule_hammer", str(path), "30", "1"]
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    assert done.stderr == ""
    assert done.stdout.startswith("30 kills, ")
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
