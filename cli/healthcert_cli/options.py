"""Options that several commands share."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from healthcert.clock import SystemClock, duration
from healthcert.limits import DEFAULT_LIMITS, read_file
from healthcert_cli.text import printable

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

json_option: Decorator = click.option("--json", "as_json", is_flag=True, help="Machine-readable output.")


def default_store() -> Path:
    """Where the trust store is when no option says otherwise."""
    named = os.environ.get("HEALTHCERT_TRUST")
    return Path(named) if named else Path(click.get_app_dir("healthcert")) / "trust.db"


def default_revocations() -> Path:
    """Where the revocation store is when no option says otherwise."""
    named = os.environ.get("HEALTHCERT_REVOCATION")
    return Path(named) if named else Path(click.get_app_dir("healthcert")) / "revocation"


def default_rules() -> Path:
    """Where the rule store is when no option says otherwise."""
    named = os.environ.get("HEALTHCERT_RULES")
    return Path(named) if named else Path(click.get_app_dir("healthcert")) / "rules.db"


class Country(click.ParamType[str]):
    """A country's code (ISO 3166-1 alpha-2): ``FR``."""

    name = "country"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if len(value) == 2 and value.isascii() and value.isalpha():
            return str(value).upper()
        return self.fail("not a country's code; for example FR", param, ctx)


def this_second() -> datetime:
    """The moment, in whole seconds, as lists and messages state it."""
    return SystemClock().now().replace(microsecond=0)


class Duration(click.ParamType[timedelta]):
    """A length of time: ``48h``, ``7d``."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        if isinstance(value, timedelta):
            return value
        try:
            return duration(value)
        except ValueError as error:
            return self.fail(str(error), param, ctx)


class Moment(click.ParamType[datetime]):
    """A date or date-time in ISO 8601; without a time zone it is UTC."""

    name = "moment"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        if isinstance(value, datetime):
            return value
        try:
            moment = datetime.fromisoformat(value)
            return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
        except (ValueError, OverflowError):
            self.fail("not a moment in ISO 8601; for example 2021-08-20T10:00:00Z", param, ctx)


at_option: Decorator = click.option(
    "--at", type=Moment(), help="Verify as of this moment (ISO 8601, UTC unless it says otherwise) instead of now."
)


def passphrase(file: Path | None, *, confirm: bool = False) -> bytes:
    """The passphrase of a key: from ``file``, the variable HEALTHCERT_PASSPHRASE, or a prompt; never from arguments."""
    if file is not None:
        return first_line(file, "passphrase")
    if named := os.environ.get("HEALTHCERT_PASSPHRASE"):
        return named.encode()
    if sys.stdin is None or not sys.stdin.isatty():
        raise click.UsageError(
            "a passphrase is needed: in --passphrase-file, in the variable HEALTHCERT_PASSPHRASE, or at a terminal"
        )
    typed: str = click.prompt("Passphrase of the key", hide_input=True, confirmation_prompt=confirm, err=True)
    return typed.encode()


def first_line(file: Path, name: str) -> bytes:
    """The secret of this ``name`` in the first line of a file. Raises DecodeError (``INPUT_TOO_LONG``), OSError."""
    lines = read_file(file, DEFAULT_LIMITS.key_file_bytes).splitlines()
    if not lines or not lines[0]:
        raise click.UsageError(f"{file} holds no {name} in its first line")
    return lines[0]


passphrase_option: Decorator = click.option(
    "--passphrase-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="File with the key's passphrase in its first line (else the variable HEALTHCERT_PASSPHRASE, or a prompt).",
)


def text_line(file: Path) -> str:
    """The password in the first line of a file. Raises DecodeError (``INPUT_TOO_LONG``), OSError."""
    try:
        return first_line(file, "password").decode()
    except UnicodeDecodeError:
        raise click.UsageError(f"{file} holds no password in UTF-8") from None


def pdf_password(file: Path | None) -> str | None:
    """The password that PDFs open with: from ``file`` or the variable HEALTHCERT_PDF_PASSWORD; None without.

    Raises as :func:`text_line`.
    """
    return os.environ.get("HEALTHCERT_PDF_PASSWORD") if file is None else text_line(file)


pdf_password_option: Decorator = click.option(
    "--pdf-password-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="File with the password of PDFs in its first line (else the variable HEALTHCERT_PDF_PASSWORD).",
)


def pin(file: Path | None, token: str) -> str:
    """The PIN of a token: from ``file``, the variable HEALTHCERT_PIN, or a prompt; never from arguments.

    A prompt asks once: a PIN that is refused is not asked for again, since a few wrong ones lock the token.
    """
    if file is not None:
        from healthcert.issue.keysource import read_pin

        return read_pin(file)
    if named := os.environ.get("HEALTHCERT_PIN"):
        return named
    if sys.stdin is None or not sys.stdin.isatty():
        raise click.UsageError("a PIN is needed: in --pin-file, in the variable HEALTHCERT_PIN, or at a terminal")
    typed: str = click.prompt(f"PIN of {printable(token)}", hide_input=True, err=True)
    return typed


PIN_FILE_HELP = "File with the hardware module's PIN in its first line (else the variable HEALTHCERT_PIN, or a prompt)."
pin_option: Decorator = click.option(
    "--pin-file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help=PIN_FILE_HELP
)


def write_private(path: Path, data: bytes) -> None:
    """Writes a new file that only its owner may read. Raises FileExistsError rather than replace a key."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """A folder to write to, which becomes ``path`` once all is written; after an error there is nothing of it.

    What an earlier run wrote would stand beside it, and be taken for a part of it: so there is no such folder yet, or
    an empty one; anything else is wrong usage.
    """
    there = path.exists()
    if there and (not path.is_dir() or any(path.iterdir())):
        raise click.UsageError(f"{path} is there, and not an empty folder: name a new one for each run")
    whole = path.resolve()
    whole.parent.mkdir(parents=True, exist_ok=True)
    beside = whole.with_name(f".{whole.name}.{os.getpid()}")
    beside.mkdir()
    try:
        yield beside
        if not there:
            beside.rename(whole)
            return
        for child in beside.iterdir():
            child.rename(whole / child.name)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


_PEM = b"-----BEGIN "


def refuse_over(path: Path, keep: Iterable[str | Path | None]) -> None:
    """Wrong usage when a file that is to be written is one of those that the command reads.

    A text names no file: it is a key of a hardware module.
    """
    if any(isinstance(other, Path) and _is_same(path, other) for other in keep):
        raise click.UsageError(f"{path} is one of the files that are read")


def refuse_over_pem(path: Path) -> None:
    """Wrong usage when a file that is to be written holds a key or a certificate, such as a CSCA's beside a profile."""
    if path.is_file():
        with path.open("rb") as file:
            if file.read(len(_PEM)) == _PEM:
                raise click.UsageError(f"{path} holds a key or a certificate, and is not written over")


def _is_same(path: Path, other: Path) -> bool:
    """Whether two names are of one file, also of one that is not there yet."""
    if path.exists() and other.exists():
        return path.samefile(other)
    return path.resolve() == other.resolve()


def write_whole(path: Path, data: bytes, *, keep: Iterable[str | Path | None] = ()) -> None:
    """Writes a file whole or not at all, and never over one of those that the command reads."""
    refuse_over(path, keep)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_bytes(data)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
