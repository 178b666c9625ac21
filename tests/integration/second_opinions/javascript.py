"""Runs a script of this folder in Node, with readers from npm that nobody here wrote.

They are installed once, in exact versions, into a folder of the virtual environment, or into the one that the variable
HEALTHCERT_SECOND_OPINIONS names, and never become part of the project. No script of theirs runs while they are
installed. Without Node, npm or a registry within reach the tests are skipped, and say so.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import pytest

PACKAGES = ("@pathcheck/shc-sdk@0.0.8", "@vaxxnz/nzcp@1.1.1", "canonicalize@2.1.0", "jsonld@9.0.0")
_HERE = Path(__file__).parent


def ask(script: str, given: Any) -> Any:
    """What the script ``script.cjs`` answers, in JSON, to what it is given; skips the test where it cannot run."""
    folder = _installed()
    if isinstance(folder, str):
        pytest.skip(folder)
    done = subprocess.run(
        ["node", str(_HERE / f"{script}.cjs")],
        input=json.dumps(given).encode(),
        capture_output=True,
        timeout=60,
        env=os.environ | {"NODE_PATH": str(folder / "node_modules"), "NODE_NO_WARNINGS": "1"},
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


@cache
def _installed() -> Path | str:
    """The folder with the packages, or why there is none."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        return "no Node with npm on this machine, which the second opinion in JavaScript needs"
    home = Path(os.environ.get("HEALTHCERT_SECOND_OPINIONS", Path(sys.prefix) / "second-opinions"))
    folder = home / hashlib.sha256(" ".join(PACKAGES).encode()).hexdigest()[:16]
    if (folder / "node_modules").is_dir():
        return folder
    home.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(dir=home))
    quiet = ("--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund", "--omit=optional", "--omit=dev")
    # Where no registry answers, that is to be known soon.
    bounds = ("--fetch-retries=1", "--fetch-retry-mintimeout=1000", "--fetch-timeout=15000")
    try:
        done = subprocess.run(
            ["npm", "install", "--prefix", str(beside), *quiet, *bounds, *PACKAGES],
            capture_output=True,
            timeout=120,
            cwd=beside,
            check=False,
        )
        if done.returncode or not (beside / "node_modules").is_dir():
            return "npm could not install the second opinions: no registry within reach"
        with suppress(OSError):  # another process was first
            beside.rename(folder)
    except subprocess.TimeoutExpired:
        return "npm took too long to install the second opinions"
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return folder
