"""The rules that a command asks, and what its user ought to know about them."""

from __future__ import annotations

from pathlib import Path

import click

from healthcert.rules.generation import LOCAL
from healthcert.rules.rule import region_of
from healthcert.rules.store import RuleStore
from healthcert_cli.options import default_rules
from healthcert_cli.text import printable


def load_rules(path: Path | None, *, country: str | None = None, region: str | None = None) -> RuleStore:
    """The rules at a path, or those of the default store.

    Told on standard error is what could not be read, that there is no rule at all, and that none of ``country`` is of
    the ``region``, which may be a slip of the pen. Raises :class:`RuleError` (``RULE_STORE_UNREADABLE``,
    ``RULE_LIST_UNREADABLE``, ``INPUT_TOO_LONG``).
    """
    store = RuleStore.open(default_rules()) if path is None else RuleStore.from_path(path)
    if not store.lists:
        click.echo("the rule store is empty: see healthcert rules update, and rules add", err=True)
    if path is not None and LOCAL in store.state.lists:
        _tell_skipped(path, store)
    if country is not None and region is not None:
        _tell_region(store, country, region)
    return store


def _tell_skipped(path: Path, store: RuleStore) -> None:
    skipped = store.state.lists[LOCAL].skipped
    if skipped:
        first = f"{skipped[0].source}: {skipped[0].error.detail}"
        more = f" (and {len(skipped) - 1} more)" if len(skipped) > 1 else ""
        click.echo(printable(f"{path}: could not be used: {first}{more}"), err=True)


def _tell_region(store: RuleStore, country: str, region: str) -> None:
    wanted = region_of(region, country)
    if wanted is not None and all((rule.country, rule.region) != (country, wanted) for rule in store.book.rules):
        note = f"no rule of {country} is of the region {wanted}: those of the whole country count"
        click.echo(printable(note), err=True)
