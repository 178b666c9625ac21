"""The how-to page's trial with SoftHSM2 does what the page says."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests import softhsm
from tests.docs.snippets import environment

PAGE = Path(__file__).resolve().parents[2] / "docs/how-to/use-a-hardware-module.md"


def test_the_trial(tmp_path: Path) -> None:
    if reason := softhsm.missing():
        pytest.skip(reason)
    section = PAGE.read_text("utf-8").partition("## Try it out with SoftHSM2")[2].partition("\n## ")[0]
    script = "\n".join(re.findall(r"^```sh\n(.*?)^```", section, re.DOTALL | re.MULTILINE))
    assert script.count("healthcert ") == 4
    script = script.replace("/usr/lib/softhsm/libsofthsm2.so", str(softhsm.module_file()))
    result = subprocess.run(
        ["sh", "-euc", script],
        cwd=tmp_path,
        env=environment(tmp_path),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=120,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert "ACCEPTED  one.png" in result.stdout
    assert not list(tmp_path.glob("dsc/*.key.pem"))
    assert softhsm.PIN not in result.stdout + result.stderr
