"""A PostgreSQL server of the tests' own, from the system's packages: in a folder that goes, on a Unix socket alone."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from urllib.parse import quote

import pytest

USER = "postgres"
_DEBIAN = Path("/usr/lib/postgresql")
_PORT = 5432  # the socket's name holds it; nothing listens on the network


@dataclass
class Server:
    """A server that runs. Each test takes a database of its own."""

    folder: Path
    programs: Path
    _numbers: Iterator[int] = field(default_factory=count)

    def new_database(self) -> str:
        """The URL of an empty database."""
        name = f"test{next(self._numbers)}_{os.getpid()}"
        self.sql(f"CREATE DATABASE {name}")
        return self.url(name)

    def url(self, name: str, user: str = USER) -> str:
        return f"postgresql://{user}@/{name}?host={quote(str(self.folder))}&port={_PORT}"

    def sql(self, statement: str, database: str = "postgres") -> str:
        """What a statement gives, its rows as lines."""
        command = [str(self.programs / "psql"), "-h", str(self.folder), "-p", str(_PORT), "-U", USER, "-d", database]
        options = ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", statement]
        done = subprocess.run([*command, *options], capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def stop(self, mode: str = "immediate") -> None:
        self._control("stop", "-m", mode)

    def start(self) -> None:
        options = f"-c listen_addresses='' -c unix_socket_directories='{self.folder}' -c port={_PORT} -c fsync=off"
        self._control("start", "-l", str(self.folder / "log"), "-o", options)

    def _control(self, *arguments: str) -> None:
        command = [str(self.programs / "pg_ctl"), "-w", "-D", str(self.folder / "data"), *arguments]
        _run(self.folder, command)


@contextmanager
def server() -> Iterator[Server]:
    """A server, for as long as the block runs. Skips the test where there is none to run, and says why."""
    programs = _programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed (Debian: apt-get install postgresql)")
    # Of its own, below /tmp: a socket's path is short, and the tests' folders are closed to the server's user.
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    try:
        if os.geteuid() == 0:
            account = pwd.getpwnam(USER)
            os.chown(folder, account.pw_uid, account.pw_gid)
        initdb = ["initdb", "-A", "trust", "-U", USER, "-E", "UTF8", "--locale", "C", "-N", "-D", str(folder / "data")]
        _run(folder, [str(programs / initdb[0]), *initdb[1:]])
        found = Server(folder, programs)
        found.start()
        try:
            yield found
        finally:
            with suppress(AssertionError):  # one that a test has stopped
                found.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _programs() -> Path | None:
    """The folder of the newest server programs that this user can run."""
    if os.geteuid() == 0 and not (_runuser() and any(one.pw_name == USER for one in pwd.getpwall())):
        return None
    found = sorted(_DEBIAN.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    other = shutil.which("initdb")
    return Path(other).resolve().parent if other else None


def _runuser() -> str | None:
    """The program that runs another as the server's user; a bare PATH does not lead to where Debian has it."""
    return shutil.which("runuser", path=os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/sbin")))


def _run(folder: Path, command: list[str]) -> None:
    # The server refuses to run as root.
    if os.geteuid() == 0:
        command = [_runuser() or "runuser", "-u", USER, "--", *command]
    # Its output goes to a file: the server would keep a pipe open.
    with (folder / "output").open("w") as output:
        done = subprocess.run(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=output, timeout=120, check=False
        )
    assert done.returncode == 0, (folder / "output").read_text()
