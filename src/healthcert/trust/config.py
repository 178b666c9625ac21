"""The operator's file of sources: which lists are fetched, from where, and what they must be signed with (TOML)."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Collection
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct, field

from healthcert.clock import duration
from healthcert.errors import Code, Step, TrustError
from healthcert.limits import DEFAULT_LIMITS, read_file
from healthcert.lists.anchors import Environment, load_anchors
from healthcert.trust.generation import LOCAL
from healthcert.trust.sources.registry import SOURCES, source_named
from healthcert.trust.update import Feed

SECRETS = frozenset(("token",))
"""Options that are secret: they stand under ``secrets``, and are never kept."""
_FileName = Annotated[str, Meta(pattern=r"\A[^\x00]+\Z")]
# A secret written here by mistake is no such name, and no message repeats it.
_Variable = Annotated[str, Meta(pattern=r"\A[A-Z][A-Z0-9_]{0,63}\Z")]


class _Source(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    name: Annotated[str, Meta(pattern=r"\A[A-Za-z0-9._-]{1,64}\Z")]
    format: str | None = None
    url: Annotated[str, Meta(min_length=1, max_length=2000)]
    anchors: tuple[_FileName, ...] = ()
    subject: str | None = None
    max_age: str | None = None
    max_loss: Annotated[float, Meta(ge=0, le=1)] = 0.25
    options: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, _Variable] = field(default_factory=dict)
    ca: _FileName | None = None
    client_certificate: _FileName | None = None
    client_key: _FileName | None = None


class _File(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    environment: Environment = Environment.PRODUCTION
    max_age: str = "48h"
    source: tuple[_Source, ...]


class Connection(Struct, frozen=True):
    """How the server of a source is reached: its certificate authority, and the certificate shown to it."""

    ca: Path | None = None
    client_certificate: Path | None = None
    client_key: Path | None = None


class Configured(Struct, frozen=True):
    """A source as the file has it."""

    feed: Feed
    connection: Connection


def load_sources(path: str | Path, only: Collection[str] = ()) -> tuple[Configured, ...]:
    """The sources of an operator's file, in its order, or ``only`` those of these names.

    File names in it are relative to its folder.

    A secret names the environment variable that holds it. Raises :class:`TrustError` (``TRUST_CONFIG_INVALID``,
    ``TRUST_ANCHOR_UNREADABLE``), :class:`DecodeError` (``INPUT_TOO_LONG``), OSError.
    """
    path = Path(path)
    data = read_file(path, DEFAULT_LIMITS.key_file_bytes)
    try:
        given = msgspec.convert(tomllib.loads(data.decode("utf-8")), _File)
    except tomllib.TOMLDecodeError as error:
        raise _invalid(f"not TOML: {error}") from None
    except UnicodeDecodeError:
        raise _invalid("not UTF-8") from None
    except msgspec.ValidationError as error:
        raise _invalid(str(error)) from None
    except (ValueError, RecursionError):  # a number of too many digits, or nested too deep
        raise _invalid("not TOML that can be read") from None
    names = [source.name for source in given.source]
    if twice := {name for name in names if names.count(name) > 1}:
        raise _invalid(f"two sources of one name: {', '.join(sorted(twice))}")
    if unknown := set(only) - set(names):
        raise _invalid(f"no such source: {', '.join(sorted(unknown))}")
    chosen = [source for source in given.source if not only or source.name in only]
    return tuple(_configured(source, given, path.parent) for source in chosen)


def _configured(source: _Source, given: _File, folder: Path) -> Configured:
    named = source.format or source.name
    try:
        max_age = duration(given.max_age if source.max_age is None else source.max_age)
    except ValueError as error:
        raise _invalid(f"{source.name}: max_age: {error}") from None
    if source.name == LOCAL:
        raise _invalid(f"{LOCAL} is the name of the keys that were added by hand")
    if named not in SOURCES:
        raise _invalid(f"{source.name}: no such format; there are: {', '.join(SOURCES)}")
    if source_named(named).anchored and not source.anchors and source.options.get("unsigned") != "yes":
        raise _invalid(
            f"{source.name}: lists of this format are signed: name the anchors that they must be signed with"
        )
    if shown := SECRETS.intersection(source.options):
        raise _invalid(f"{source.name}: {', '.join(sorted(shown))} is secret: it belongs under secrets")
    if (source.client_certificate is None) != (source.client_key is None):
        raise _invalid(f"{source.name}: client_certificate and client_key go together")
    feed = Feed(
        name=source.name,
        format=named,
        url=source.url,
        anchors=tuple(a for name in source.anchors for a in load_anchors(folder / name, subject=source.subject)),
        environment=given.environment,
        max_age=max_age,
        max_loss=source.max_loss,
        options=source.options,
        secrets={name: _secret(source.name, variable) for name, variable in source.secrets.items()},
    )
    files = (source.ca, source.client_certificate, source.client_key)
    return Configured(feed, Connection(*(None if name is None else folder / name for name in files)))


def _secret(source: str, variable: str) -> str:
    value = os.environ.get(variable)
    if not value:
        raise _invalid(f"{source}: the environment variable {variable} is not set")
    return value


def _invalid(detail: str) -> TrustError:
    return TrustError(Code.TRUST_CONFIG_INVALID, detail, Step.TRUST)
