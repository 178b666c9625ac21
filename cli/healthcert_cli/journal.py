"""``--log``: the record of a key ceremony that a command writes."""

from __future__ import annotations

import getpass
import os
from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import Any

import click
from cryptography import x509
from msgspec import Struct

from healthcert.issue.pki.ceremony import OPENING, CeremonyStep, append, facts_of
from healthcert_cli.options import this_second


class Journal(Struct):
    """The record that a command writes, or none."""

    path: Path | None
    operator: str
    command: str

    def check(self) -> None:
        """Whether the record can be written, asked before anything is made that would have to be in it.

        Raises OSError; a file that is something else is wrong usage.
        """
        if self.path is None:
            return
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "rb") as file:
            found = file.read(len(OPENING))
        if found not in (b"", OPENING):
            raise click.UsageError(f"{self.path} is not a record of key ceremonies: name a new file")

    def write(self, action: str, facts: Sequence[tuple[str, str]]) -> None:
        """Appends one step."""
        if self.path is None:
            return
        step = CeremonyStep(
            at=this_second(), operator=self.operator, command=self.command, action=action, facts=tuple(facts)
        )
        append(self.path, [step])

    def made(self, title: str, certificate: x509.Certificate, key: str | None, file: Path) -> None:
        """Appends that a certificate was made; ``key`` says where its key is, None for somebody else's."""
        self.write(f"made: {title}", [*facts_of(certificate), *_places(key, file)])


def _places(key: str | None, file: Path) -> list[tuple[str, str]]:
    keys = [("Key lies in", key)] if key else [("Key", "of whoever made the request")]
    return [*keys, ("Written to", str(file))]


def journal_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--log`` and ``--operator``, handed to the command as ``journal``."""

    @wraps(command)
    def run(log: Path | None, operator: str | None, **others: Any) -> Any:
        context = click.get_current_context(silent=True)
        named = context.command_path if context is not None else "healthcert keys"
        return command(journal=Journal(log, operator or _login(), named), **others)

    wrapped: Callable[..., Any] = run
    for option in (
        click.option("--operator", help="Who does it, for the record. [default: the login name]"),
        click.option(
            "--log",
            type=click.Path(dir_okay=False, path_type=Path),
            help="Append a record of what was made to this file, to print and sign. It holds nothing secret.",
        ),
    ):
        wrapped = option(wrapped)
    return wrapped


def _login() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "unknown"
