"""The operator's file of sources: which lists are fetched, from where, and what they must be signed with (TOML)."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Collection
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct, field

from healthcert.clock import duration
from healthcert.errors import HealthCertError
from healthcert.limits import DEFAULT_LIMITS, read_file
from healthcert.lists.anchors import Environment, TrustAnchor, load_anchors

SECRETS = frozenset(("token",))
"""Options that are secret: they stand under ``secrets``, and are never kept."""
FileName = Annotated[str, Meta(pattern=r"\A[^\x00]+\Z")]
# A secret written here by mistake is no such name, and no message repeats it.
_Variable = Annotated[str, Meta(pattern=r"\A[A-Z][A-Z0-9_]{0,63}\Z")]
Kind = Literal["source", "revocation", "rules"]
Invalid = Callable[[str], HealthCertError]


class Table(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One source as the file has it."""

    name: Annotated[str, Meta(pattern=r"\A[A-Za-z0-9._-]{1,64}\Z")]
    format: str | None = None
    url: Annotated[str, Meta(min_length=1, max_length=2000)]
    anchors: tuple[FileName, ...] = ()
    subject: str | None = None
    max_age: str | None = None
    max_loss: Annotated[float, Meta(ge=0, le=1)] = 0.25
    options: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, _Variable] = field(default_factory=dict)
    ca: FileName | None = None
    client_certificate: FileName | None = None
    client_key: FileName | None = None


class _File(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    environment: Environment = Environment.PRODUCTION
    max_age: str = "48h"
    source: tuple[Table, ...] = ()
    revocation: tuple[Table, ...] = ()
    rules: tuple[Table, ...] = ()


class Connection(Struct, frozen=True):
    """How the server of a source is reached: its certificate authority, and the certificate shown to it."""

    ca: Path | None = None
    client_certificate: Path | None = None
    client_key: Path | None = None


class Settings(Struct, frozen=True, kw_only=True):
    """A source with all that its table leads to: files were read, durations and secrets looked up."""

    name: str
    format: str
    url: str
    anchors: tuple[TrustAnchor, ...]
    environment: Environment
    max_age: timedelta
    max_loss: float
    options: dict[str, str]
    secrets: dict[str, str]
    connection: Connection


def read_config(path: str | Path, kind: Kind, only: Collection[str], invalid: Invalid) -> tuple[Settings, ...]:
    """The sources of one kind in an operator's file, in its order, or ``only`` those of these names.

    File names in it are relative to its folder. Raises what ``invalid`` makes of a fault, :class:`TrustError`
    (``TRUST_ANCHOR_UNREADABLE``), :class:`DecodeError` (``INPUT_TOO_LONG``), OSError.
    """
    path = Path(path)
    given = _read(read_file(path, DEFAULT_LIMITS.key_file_bytes), invalid)
    tables: tuple[Table, ...] = getattr(given, kind)
    if not tables:
        raise invalid(f"it names no [[{kind}]]")
    names = [table.name for table in tables]
    if twice := {name for name in names if names.count(name) > 1}:
        raise invalid(f"two sources of one name: {', '.join(sorted(twice))}")
    if unknown := set(only) - set(names):
        raise invalid(f"no such source: {', '.join(sorted(unknown))}")
    return tuple(_settings(table, given, path.parent, invalid) for table in tables if not only or table.name in only)


def _read(data: bytes, invalid: Invalid) -> _File:
    try:
        return msgspec.convert(tomllib.loads(data.decode("utf-8")), _File)
    except tomllib.TOMLDecodeError as error:
        raise invalid(f"not TOML: {error}") from None
    except UnicodeDecodeError:
        raise invalid("not UTF-8") from None
    except msgspec.ValidationError as error:
        raise invalid(str(error)) from None
    except (ValueError, RecursionError):  # a number of too many digits, or nested too deep
        raise invalid("not TOML that can be read") from None


def _settings(table: Table, given: _File, folder: Path, invalid: Invalid) -> Settings:
    try:
        max_age = duration(given.max_age if table.max_age is None else table.max_age)
    except ValueError as error:
        raise invalid(f"{table.name}: max_age: {error}") from None
    if shown := SECRETS.intersection(table.options):
        raise invalid(f"{table.name}: {', '.join(sorted(shown))} is secret: it belongs under secrets")
    if (table.client_certificate is None) != (table.client_key is None):
        raise invalid(f"{table.name}: client_certificate and client_key go together")
    files = (table.ca, table.client_certificate, table.client_key)
    return Settings(
        name=table.name,
        format=table.format or table.name,
        url=table.url,
        anchors=tuple(a for name in table.anchors for a in load_anchors(folder / name, subject=table.subject)),
        environment=given.environment,
        max_age=max_age,
        max_loss=table.max_loss,
        options=table.options,
        secrets={name: _secret(table.name, variable, invalid) for name, variable in table.secrets.items()},
        connection=Connection(*(None if name is None else folder / name for name in files)),
    )


def _secret(source: str, variable: str, invalid: Invalid) -> str:
    value = os.environ.get(variable)
    if not value:
        raise invalid(f"{source}: the environment variable {variable} is not set")
    return value
