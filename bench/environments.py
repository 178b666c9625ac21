"""Environments of other implementations, each with what it asks for: made once, under the user's cache folder."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from bench.lines import MissingError
from bench.progress import say

_SECONDS = 300
"""As long may an installation take."""


def python_with(packages: tuple[str, ...], *, alone: tuple[str, ...] = ()) -> Path:
    """The interpreter of an environment with these; ``alone`` are installed without what they ask for.

    Raises MissingError when they cannot be installed.
    """
    folder = _folder("python", (sys.version.split()[0], *packages, *alone))
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    commands = [[sys.executable, "-m", "venv", str(folder)], [*pip, *packages]]
    if alone:
        commands.append([*pip, "--no-deps", *alone])
    _made(folder, commands)
    return python


def node_with(packages: Mapping[str, str], overrides: Mapping[str, str]) -> tuple[str, Path]:
    """Node itself, and a folder with these packages; ``overrides`` are versions of what they ask for.

    Raises MissingError when there is no Node, or they cannot be installed.
    """
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise MissingError("node is not here")
    manifest = json.dumps({"private": True, "dependencies": packages, "overrides": overrides})
    folder = _folder("node", (manifest,))
    leaving_out = [f"--omit={kind}" for kind in ("dev", "optional", "peer")]
    quiet = ["--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
    _made(folder, [[npm, "install", *quiet, *leaving_out, "--prefix", str(folder)]], {"package.json": manifest})
    return node, folder


def _folder(kind: str, parts: tuple[str, ...]) -> Path:
    """One for each set of versions."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "healthcert-bench" / f"{kind}-{hashlib.sha256(repr(parts).encode()).hexdigest()[:12]}"


def _made(folder: Path, commands: list[list[str]], files: Mapping[str, str] | None = None) -> None:
    """Writes the files and runs the commands that make the folder, unless all of them were run before."""
    ready = folder / ".ready"
    if ready.exists():
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name, text in (files or {}).items():
        (folder / name).write_text(text, encoding="utf-8")
    for command in commands:
        say(f"{folder.name} is being made: {' '.join(command[-3:])}")
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=_SECONDS)
        except (OSError, subprocess.SubprocessError) as error:
            shutil.rmtree(folder, ignore_errors=True)
            raise MissingError(f"it cannot be installed here: {_last_line(error)}") from None
    ready.touch()


def _last_line(error: Exception) -> str:
    """What the installer said at its end."""
    said = (getattr(error, "stderr", None) or b"").decode(errors="replace").strip()
    return said.splitlines()[-1][:120] if said else type(error).__name__
