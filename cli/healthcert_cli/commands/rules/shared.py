"""What the commands of ``healthcert rules`` share."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import click

from healthcert.errors import Code, HealthCertError, RuleError
from healthcert.rules.feed import RuleChange
from healthcert.rules.ruling import Coverage
from healthcert.rules.store import RuleStore
from healthcert.trust.store import TrustStore
from healthcert.verify.policy import Policy
from healthcert_cli.commands.rules.telling import counted
from healthcert_cli.commands.trust.shared import error_dict
from healthcert_cli.options import Country, Decorator, Duration, default_rules
from healthcert_cli.text import printable

GRACE = Policy().rules_grace
"""How long overdue rules are still asked."""
store_option: Decorator = click.option(
    "--store", type=click.Path(dir_okay=False, path_type=Path), help="The rule store's file. [default: the user's]"
)
rules_option: Decorator = click.option(
    "--store",
    "rules",
    type=click.Path(exists=True, path_type=Path),
    help="Rule store, or a file or folder of rules. Default: the store that 'rules update' fills.",
)
country_option: Decorator = click.option(
    "--country", type=Country(), required=True, help="The country of arrival, whose rules are asked."
)
grace_option: Decorator = click.option(
    "--rules-grace",
    "grace",
    type=Duration(),
    default=GRACE,
    help=f"How long overdue rules are still asked. [default: {GRACE.days}d]",
)
region_option: Decorator = click.option("--region", help="A region of it that has rules of its own.")
keys_option: Decorator = click.option(
    "--trust",
    "trust_paths",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Trust store, certificate file or folder; may be repeated. Default: the store that 'trust add' fills.",
)


def open_store(store: Path | None, *, create: bool = False) -> RuleStore:
    path = store or default_rules()
    if create:
        path.parent.mkdir(parents=True, exist_ok=True)
    elif store is not None and not store.exists():
        raise RuleError(Code.RULE_STORE_UNREADABLE, "there is no such rule store")
    return RuleStore.open(path)


def doubt_about(
    what: str, store: RuleStore, lists: Collection[Coverage], trust: TrustStore | None, now: datetime, grace: timedelta
) -> HealthCertError | None:
    """Why rules tell nothing: they are of another environment than the keys, or all lists of them are overdue."""
    environments = {None if trust is None else trust.environment, store.environment} - {None}
    if len(environments) > 1:
        detail = f"the keys are of the environment {trust and trust.environment}, and the rules of {store.environment}"
        return RuleError(Code.ENVIRONMENT_MIXED, detail)
    ends = [one.fresh_until for one in lists]
    late = [end for end in ends if end is not None and now - end > grace]
    if late and len(late) == len(ends):
        return RuleError(Code.RULES_UNKNOWN, f"{what} are overdue since {max(late):%Y-%m-%d %H:%M} UTC")
    return None


def change_dict(change: RuleChange) -> dict[str, Any]:
    """A change as JSON-ready values."""
    return {
        "source": change.source,
        "added": len(change.added),
        "removed": len(change.removed),
        "changed": len(change.changed),
        "kept": change.kept,
        "value_sets": list(change.value_sets),
        "national": list(change.national),
        "skipped": [{"entry": r.source, "code": r.error.code, "detail": r.error.detail} for r in change.skipped],
        "error": None if change.error is None else error_dict(change.error),
    }


def change_line(change: RuleChange) -> str:
    """A change in one line."""
    if change.error is not None:
        return f"{printable(change.source)}: not updated: {printable(change.error.detail)} ({change.error.code})"
    count = change.kept + len(change.added) + len(change.changed)
    what = "unchanged" if change.unchanged else f"{len(change.added)} new, {len(change.removed)} gone"
    if change.changed:
        what += f", {len(change.changed)} changed"
    if change.value_sets:
        what += f", {counted(len(change.value_sets), 'value set')}"
    if change.national:
        what += f", national rules {', '.join(change.national)}"
    skipped = f", {len(change.skipped)} skipped" if change.skipped else ""
    return f"{printable(change.source)}: {what}, {counted(count, 'rule')}{skipped}"


def tell_skipped(change: RuleChange) -> None:
    """What was skipped, and why, on standard error."""
    for entry in change.skipped:
        detail = f"skipped: {change.source}: {entry.source}: {entry.error.detail} ({entry.error.code})"
        click.echo(printable(detail), err=True)
