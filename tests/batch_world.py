"""A folder with an authority of its own, records to issue, and the commands as programs that can be ended."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from sqlite3 import connect
from typing import Any

HEALTHCERT = Path(sys.executable).with_name("healthcert")
HEADER = "type,family_name,given_name,birth_date,test_type,sampled_at,result\n"
PATIENCE = 60.0  # seconds; a run of the tests takes a few


class World:
    """A folder in which commands are run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("HEALTHCERT_") and name not in ("COLUMNS", "LINES")
        } | {"HEALTHCERT_TRUST": str(folder / "trust.db"), "HEALTHCERT_REVOCATION": str(folder / "none")}

    @classmethod
    def make(cls, folder: Path) -> World:
        """With an authority, and a verifier who trusts it."""
        folder.mkdir()
        world = cls(folder)
        world.done("init", "--country", "FR", "--issuer", "Ministry of Examples", "--new-keys", "--no-passphrase")
        world.done("trust", "add", "dsc.pem")
        return world

    def copy(self, name: str) -> World:
        """Another such folder, with all that is in this one."""
        other = self.folder.with_name(name)
        shutil.copytree(self.folder, other)
        return World(other)

    def records(self, name: str, count: int, first: int = 0) -> None:
        """A table of results of made-up persons."""
        lines = [
            f"test,Exemplaire-{_letters(number)},Zoé,1984-02-29,LP6464-4,2021-08-19T08:00:00+02:00,260415000\n"
            for number in range(first, first + count)
        ]
        (self.folder / name).write_text(HEADER + "".join(lines))

    def start(self, *arguments: str, **more: Any) -> subprocess.Popen[str]:
        """A command that runs, in a process group of its own."""
        return subprocess.Popen(
            [str(HEALTHCERT), *arguments], cwd=self.folder, env=self.environment, text=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True, **more,
        )  # fmt: skip

    def run(self, *arguments: str, **more: Any) -> tuple[int, str, str]:
        """Exit code and outputs of a command."""
        return ended(self.start(*arguments, **more))

    def done(self, *arguments: str) -> str:
        """What a command prints that must succeed."""
        code, out, err = self.run(*arguments)
        assert code == 0, err
        return out

    def rows(self, name: str) -> list[dict[str, Any]]:
        """The rows of an output."""
        return [json.loads(line) for line in (self.folder / name).read_text().splitlines()]

    def size(self, name: str) -> int:
        """Of an output; 0 for none."""
        with suppress(FileNotFoundError):
            return (self.folder / name).stat().st_size
        return 0

    def journal(self, name: str) -> dict[str, Any]:
        """What a journal says."""
        with suppress(FileNotFoundError, ValueError):
            found: dict[str, Any] = json.loads((self.folder / name).read_bytes())
            return found
        return {}

    def registered(self) -> int:
        """How many certificates the register has."""
        with closing(connect(self.folder / "register.db")) as database:
            return int(database.execute("SELECT count(*) FROM certificates").fetchone()[0])


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Exit code and outputs of a command that was started; whatever is left of it is ended."""
    try:
        out, err = process.communicate(timeout=PATIENCE)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    return process.returncode, out, err


def wait_until(what: Callable[[], bool], process: subprocess.Popen[str]) -> bool:
    """Waits until something is so; False when the process ended before."""
    end = time.monotonic() + PATIENCE
    while not what():
        if process.poll() is not None:
            return what()
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.002)
    return True


def children(process: subprocess.Popen[str]) -> list[int]:
    """The processes that it started, and that run."""
    with suppress(OSError):
        return [int(pid) for pid in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]
    return []


def uses(pid: int, ending: str) -> bool:
    """Whether a process has a file open whose name ends so."""
    with suppress(OSError):
        for link in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(OSError):
                if str(link.readlink()).endswith(ending):
                    return True
    return False


def seconds_used(pid: int) -> float:
    """Of a processor, by a process; 0 for one that is gone."""
    with suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return 0.0


def _letters(number: int) -> str:
    return "".join(chr(ord("a") + int(digit)) for digit in str(number))
