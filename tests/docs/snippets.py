"""Reads the runnable blocks of a Markdown page, and runs them.

What an author needs to know:

* ``console`` blocks: lines that start with ``$ `` are commands (a ``\\`` at the end continues one), the others are what
  it prints. No output shown means that none is compared. A command must end with exit code 0.
* ``python`` blocks run one after the other in one namespace. A ``text`` block right after one is what it prints.
* In expected output, ``...`` stands for anything.
* ``<!-- not run: reason -->`` on the line before a block skips it.
* ``<!-- starts from: tutorial/first-certificate.md -->`` gives a page the files that another one leaves.
* ``<!-- needs: /usr/lib/... -->`` names a file without which the page's blocks are not run.
* ``$ export NAME=value`` holds for the commands after it, as in a shell.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_FENCE = re.compile(r"```(\w*)$")
_SKIP = re.compile(r"<!-- not run: .+ -->$")
_START = re.compile(r"^<!-- starts from: (\S+) -->$", re.MULTILINE)
_NEEDS = re.compile(r"^<!-- needs: (\S+) -->$", re.MULTILINE)
_EXPORT = re.compile(r"export (\w+)=.*\n")


@dataclass(frozen=True)
class Block:
    """One fenced block of a page; ``line`` is that of its first line."""

    language: str
    text: str
    line: int
    skipped: bool
    output: str | None = None


def blocks(page: Path) -> list[Block]:
    """The blocks of a page that are to be run, the skipped ones included."""
    found: list[Block] = []
    lines = page.read_text("utf-8").splitlines()
    before, number = "", 0
    while number < len(lines):
        fence = _FENCE.match(lines[number])
        if fence is None:
            before = lines[number] or (before if before == "```" else "")
            number += 1
            continue
        end = lines.index("```", number + 1)
        text = "\n".join(lines[number + 1 : end]) + "\n"
        if fence[1] in ("python", "console"):
            found.append(Block(fence[1], text, number + 2, bool(_SKIP.match(before))))
        elif fence[1] == "text" and before == "```" and found and found[-1].language == "python":
            last = found.pop()
            found.append(Block(last.language, last.text, last.line, last.skipped, text))
        before, number = "```", end + 1
    return found


def starts_from(page: Path) -> str | None:
    """The page whose files this one goes on with."""
    match = _START.search(page.read_text("utf-8"))
    return match[1] if match else None


def lacks(page: Path) -> Path | None:
    """The file that the page needs, where it is not on this machine."""
    match = _NEEDS.search(page.read_text("utf-8"))
    return None if match is None or Path(match[1]).exists() else Path(match[1])


def run_page(page: Path, folder: Path) -> None:
    """Runs every block of ``page`` in ``folder``. Raises AssertionError where one does not do what the page says."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    exported: dict[str, str] = {}
    with contextlib.chdir(folder):
        for block in blocks(page):
            if block.skipped:
                continue
            where = f"{page.name}:{block.line}"
            if block.language == "console":
                for command, expected in commands(block.text):
                    if export := _EXPORT.fullmatch(command):
                        told = run_command(f'{command}printf %s "${export[1]}"', folder, exported)
                        exported[export[1]] = told
                    else:
                        _compare(where, command, run_command(command, folder, exported), expected)
            else:
                printed = io.StringIO()
                code = compile("\n" * (block.line - 1) + block.text, str(page), "exec")
                with contextlib.redirect_stdout(printed):
                    exec(code, namespace)
                _compare(where, "the python block", printed.getvalue(), block.output)


def commands(text: str) -> Iterator[tuple[str, str | None]]:
    """The commands of a console block, each with the output shown for it."""
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        lines = part.splitlines(keepends=True)
        # A command goes on after a backslash, and until its single quotes are closed.
        ends = (i for i, line in enumerate(lines, 1) if not line.endswith("\\\n"))
        size = next(i for i in ends if "".join(lines[:i]).count("'") % 2 == 0)
        yield "".join(lines[:size]), "".join(lines[size:]) or None


def run_command(command: str, folder: Path, exported: dict[str, str] | None = None) -> str:
    """What ``command`` prints, on both streams, without a terminal. It must succeed."""
    result = subprocess.run(
        ["sh", "-c", command],
        cwd=folder,
        env=environment(folder) | (exported or {}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=60,
        check=False,
    )
    output = result.stdout.decode("utf-8")
    assert result.returncode == 0, f"exit code {result.returncode} of: {command}{output}"
    return output


def environment(folder: Path) -> dict[str, str]:
    """The caller's environment with this Python's commands first, and nothing of the user's own settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HEALTHCERT_")}
    commands = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)))
    return kept | {
        "PATH": commands,
        "HOME": str(folder),
        "HEALTHCERT_TRUST": str(folder / "trust.db"),
        "HEALTHCERT_REVOCATION": str(folder / "revocation"),
        "HEALTHCERT_RULES": str(folder / "rules.db"),
        "COLUMNS": "80",
        "PYTHONUTF8": "1",
    }


def _compare(where: str, what: str, printed: str, expected: str | None) -> None:
    if expected is None:
        return
    pattern = ".*".join(re.escape(part) for part in _trimmed(expected).split("..."))
    assert re.fullmatch(pattern, _trimmed(printed), re.DOTALL), (
        f"{where}: {what.strip()}\nprinted:\n{printed}\nthe page says:\n{expected}"
    )


def _trimmed(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip().splitlines())
