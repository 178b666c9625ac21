"""What the commands of ``healthcert trust`` share."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from healthcert.errors import Code, HealthCertError, TrustError
from healthcert.trust.generation import LOCAL
from healthcert.trust.store import TrustStore
from healthcert.trust.update import Change
from healthcert_cli.options import Decorator, default_store
from healthcert_cli.text import printable


class Kid(click.ParamType[bytes]):
    """A key identifier: hexadecimal digits, or base64 as trust lists write it."""

    name = "kid"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> bytes:
        if isinstance(value, bytes):
            return value
        for kid in _decoded(value):
            return kid
        return self.fail("not a kid in hexadecimal or base64; for example d919375fc1e7b6b2", param, ctx)


class KidSpelling(click.ParamType[tuple[bytes, ...]]):
    """Every kid that a text may mean: hexadecimal, base64, or the text itself, as in ``key-1``."""

    name = "kid"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[bytes, ...]:
        if isinstance(value, tuple):
            return value
        if not value:
            return self.fail("not a kid", param, ctx)
        return tuple(dict.fromkeys((*_decoded(value), value.encode("utf-8", "replace"))))


def _decoded(text: str) -> Iterator[bytes]:
    """What a text is in hexadecimal and in base64."""
    for decode in (bytes.fromhex, lambda text: base64.b64decode(text, validate=True)):
        try:
            kid: bytes = decode(text)
        except (ValueError, binascii.Error):
            continue
        if kid:
            yield kid


class SourceName(click.ParamType[str]):
    """What to call a list; the same as in the file of sources."""

    name = "name"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if value == LOCAL or not re.fullmatch(r"[A-Za-z0-9._-]{1,64}", value):
            self.fail(f"letters, digits, dots, hyphens and underscores, and not {LOCAL!r}", param, ctx)
        return str(value)


class Pair(click.ParamType[tuple[str, str]]):
    """``NAME=VALUE``."""

    name = "name=value"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        if isinstance(value, tuple):
            return value
        name, separator, rest = value.partition("=")
        if not separator or not name:
            return self.fail("a name, an equals sign and a value", param, ctx)
        return name, rest


store_option: Decorator = click.option(
    "--store", type=click.Path(dir_okay=False, path_type=Path), help="The trust store's file. [default: the user's]"
)
anchor_option: Decorator = click.option(
    "--anchor",
    "anchors",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Certificate or public key that the list must be signed with (PEM, DER, JWK, DID document); may be repeated.",
)


def open_store(store: Path | None, *, create: bool = False) -> TrustStore:
    path = store or default_store()
    if create:
        path.parent.mkdir(parents=True, exist_ok=True)
    elif store is not None and not store.exists():
        raise TrustError(Code.TRUST_STORE_UNREADABLE, "there is no such trust store")
    return TrustStore.open(path)


def change_dict(change: Change) -> dict[str, Any]:
    """A change as JSON-ready values."""
    return {
        "source": change.source,
        "added": len(change.added),
        "removed": len(change.removed),
        "changed": len(change.changed),
        "kept": change.kept,
        "authorities": change.authorities,
        "skipped": [{"entry": r.source, "code": r.error.code, "detail": r.error.detail} for r in change.skipped],
        "error": None if change.error is None else error_dict(change.error),
    }


def error_dict(error: HealthCertError) -> Mapping[str, Any]:
    return {"code": error.code, "detail": error.detail}


def change_line(change: Change) -> str:
    """A change in one line."""
    if change.error is not None:
        return f"{printable(change.source)}: not updated: {printable(change.error.detail)} ({change.error.code})"
    count = change.kept + len(change.added)
    what = "unchanged" if change.unchanged else f"{len(change.added)} new, {len(change.removed)} gone"
    if change.changed:
        what += f", {len(change.changed)} changed"
    above = f", {change.authorities} authorities" if change.authorities else ""
    skipped = f", {len(change.skipped)} skipped" if change.skipped else ""
    return f"{printable(change.source)}: {what}, {count} {'key' if count == 1 else 'keys'}{above}{skipped}"


def tell_skipped(change: Change) -> None:
    """What was skipped, and why, on standard error."""
    for entry in change.skipped:
        detail = f"skipped: {change.source}: {entry.source}: {entry.error.detail} ({entry.error.code})"
        click.echo(printable(detail), err=True)
