"""What the commands of ``healthcert revocation`` share."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from healthcert.errors import Code, RevocationError
from healthcert.revocation.feed import RevocationChange
from healthcert.revocation.sources.protocol import Progress
from healthcert.revocation.store import RevocationStore
from healthcert.trust.store import TrustStore
from healthcert_cli.commands.trust.shared import error_dict
from healthcert_cli.options import Decorator, default_revocations, default_store
from healthcert_cli.text import printable

store_option: Decorator = click.option(
    "--store",
    type=click.Path(file_okay=False, path_type=Path),
    help="The revocation store's folder. [default: the user's]",
)
trust_option: Decorator = click.option(
    "--trust",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The trust store that knows the countries' keys and upload certificates. [default: the user's]",
)


def open_store(store: Path | None, *, create: bool = False) -> RevocationStore:
    path = store or default_revocations()
    if create:
        path.mkdir(parents=True, exist_ok=True)
    elif store is not None and not store.is_dir():
        raise RevocationError(Code.REVOCATION_STORE_UNREADABLE, "there is no such revocation store")
    return RevocationStore.open(path)


def open_trust(trust: Path | None) -> TrustStore:
    return TrustStore.open(trust or default_store())


@contextmanager
def progress_bar(label: str) -> Iterator[Progress]:
    """A bar on standard error, only at a terminal."""
    bar: Any = None

    def show(done: int, of: int) -> None:
        nonlocal bar
        if bar is None or bar.length != of:
            finish()
            bar = click.progressbar(length=of, label=label, file=sys.stderr, hidden=not sys.stderr.isatty())
            bar.__enter__()
        bar.update(done - bar.pos)

    def finish() -> None:
        if bar is not None:
            bar.__exit__(None, None, None)

    try:
        yield show
    finally:
        finish()


def change_dict(change: RevocationChange) -> dict[str, Any]:
    """A change as JSON-ready values."""
    return {
        "source": change.source,
        "added": change.added,
        "withdrawn": change.withdrawn,
        "entries": change.records,
        "filters": change.filters,
        "skipped": [{"entry": r.source, "code": r.error.code, "detail": r.error.detail} for r in change.skipped],
        "skipped_count": change.skipped_count,
        "error": None if change.error is None else error_dict(change.error),
    }


def change_line(change: RevocationChange) -> str:
    """A change in one line."""
    if change.error is not None:
        partly = "updated in part" if change.added or change.withdrawn else "not updated"
        return f"{printable(change.source)}: {partly}: {printable(change.error.detail)} ({change.error.code})"
    what = "unchanged" if change.unchanged else f"{change.added} batches new, {change.withdrawn} withdrawn"
    filters = f", {change.filters} filters" if change.filters else ""
    skipped = f", {change.skipped_count} skipped" if change.skipped_count else ""
    entries = f"{change.records} {'entry' if change.records == 1 else 'entries'}"
    return f"{printable(change.source)}: {what}, {entries}{filters}{skipped}"


def tell_skipped(change: RevocationChange) -> None:
    """What was skipped, and why, on standard error."""
    for entry in change.skipped:
        detail = f"skipped: {change.source}: {entry.source}: {entry.error.detail} ({entry.error.code})"
        click.echo(printable(detail), err=True)
    if change.skipped_count > len(change.skipped):
        click.echo(f"and {change.skipped_count - len(change.skipped)} more", err=True)
