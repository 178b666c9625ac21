"""Passphrases and PINs of a run: asked for once, by the process that begins it, and known to its workers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from healthcert.errors import Code, IssueError, Step
from healthcert.issue.keysource import Secrets


class Answers:
    """Asks ``secrets`` once for each key file and token, and remembers what it answered.

    It goes to other processes only while they are started, through their own pipe: never into a file, a variable or a
    command line. There it asks nobody: a wrong PIN is tried once, by the process that began, and not by each worker.
    """

    def __init__(self, secrets: Secrets) -> None:
        self._secrets: Secrets | None = secrets
        self._passphrases: dict[Path, bytes] = {}
        self._pins: dict[str, str] = {}

    def passphrase(self, path: Path) -> bytes:
        """The passphrase of a key file. Raises what ``secrets`` raises."""
        if path not in self._passphrases:
            self._passphrases[path] = self._asked().passphrase(path)
        return self._passphrases[path]

    def pin(self, token: str) -> str:
        """The PIN of a token. Raises what ``secrets`` raises."""
        if token not in self._pins:
            self._pins[token] = self._asked().pin(token)
        return self._pins[token]

    def _asked(self) -> Secrets:
        if self._secrets is None:
            detail = "a worker was not told what opens a key: the profile was changed during the run"
            raise IssueError(Code.SIGNER_KEY_UNREADABLE, detail, Step.SIGNATURE)
        return self._secrets

    def __repr__(self) -> str:
        return "Answers(...)"

    def __reduce__(self) -> tuple[Any, ...]:
        from multiprocessing.context import assert_spawning

        assert_spawning(self)
        return _told, (self._passphrases, self._pins)


def _told(passphrases: Mapping[Path, bytes], pins: Mapping[str, str]) -> Answers:
    answers = Answers.__new__(Answers)
    answers._secrets, answers._passphrases, answers._pins = None, dict(passphrases), dict(pins)  # noqa: SLF001
    return answers
