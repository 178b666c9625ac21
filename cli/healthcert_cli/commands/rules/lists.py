"""``healthcert rules update``, ``add`` and ``remove``: lists of rules from their servers, and from files."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path

import click

from healthcert.clock import FixedClock, SystemClock
from healthcert.errors import Code, RuleError
from healthcert.https import HttpFetcher
from healthcert.limits import DEFAULT_LIMITS, read_file
from healthcert.lists.anchors import Environment, load_anchors
from healthcert.rules.config import UPLOADED, load_rule_sources
from healthcert.rules.feed import RuleFeed
from healthcert.rules.files import read_folder
from healthcert.rules.sources.protocol import Source
from healthcert.rules.sources.registry import SOURCES, source_named
from healthcert.rules.update import install_rules, recheck_rules, remove_rules, update_rules
from healthcert_cli.commands.rules.shared import change_dict, change_line, open_store, store_option, tell_skipped
from healthcert_cli.commands.rules.telling import counted
from healthcert_cli.commands.trust.shared import Pair, SourceName, anchor_option
from healthcert_cli.commands.trust.shared import open_store as open_trust
from healthcert_cli.exits import Exit, boundary, exit_of_all
from healthcert_cli.fetching import config_option, fetcher_of
from healthcert_cli.options import Decorator, Duration, Moment, json_option, this_second
from healthcert_cli.text import printable

trust_option: Decorator = click.option(
    "--trust",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The trust store that knows the countries' upload certificates. [default: the user's]",
)


@click.command()
@config_option
@click.option("--only", multiple=True, help="Update this source alone; may be repeated.")
@click.option("--force", is_flag=True, help="Accept lists that lost many rules, or seem older.")
@trust_option
@store_option
@json_option
@boundary
def update(
    config: Path, only: tuple[str, ...], force: bool, trust: Path | None, store: Path | None, as_json: bool
) -> Exit:
    """Fetch the rules and value sets of all sources, check them and take them into use.

    What fails with one source leaves its list in use as it was, and harms no other. Exit code 1: a list was refused;
    4: one could not be fetched.
    """
    uploaders = open_trust(trust).uploaders(at=this_second())
    configured = {one.feed.name: one for one in load_rule_sources(config, only, uploaders=uploaders)}
    rules = open_store(store, create=True)

    def fetcher_for(feed: RuleFeed) -> HttpFetcher:
        return opened.enter_context(fetcher_of(feed.url, configured[feed.name].connection))

    feeds = [one.feed for one in configured.values()]
    with ExitStack() as opened:
        updating = update_rules(rules, feeds, fetcher_for, force=force)
        hidden = not sys.stderr.isatty()
        with click.progressbar(updating, length=len(feeds), label="Updating", file=sys.stderr, hidden=hidden) as bar:
            changes = list(bar)
    if as_json:
        click.echo(json.dumps({"sources": [change_dict(change) for change in changes], "rules": len(rules.book.rules)}))
    else:
        for change in changes:
            click.echo(change_line(change), err=change.error is not None)
            tell_skipped(change)
    return exit_of_all(change.error for change in changes)


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option(
    "--format", "format_", type=click.Choice(list(SOURCES)), default="folder", show_default=True, help="Its format."
)
@click.option("--name", type=SourceName(), help="What to call the list. [default: its format]")
@anchor_option
@click.option("--subject", help="Common name that the list's signing certificate must have.")
@click.option(
    "--environment",
    type=click.Choice([one.value for one in Environment]),
    default=Environment.PRODUCTION.value,
    show_default=True,
    help="Which world the rules are of; a store has those of one.",
)
@click.option("--max-age", type=Duration(), help="How long the list stands. [default: for ever]")
@click.option("--option", "options", multiple=True, type=Pair(), help="A setting of the format, as NAME=VALUE.")
@click.option("--force", is_flag=True, help="Accept a list that lost many rules, or seems older.")
@click.option("--at", type=Moment(), help="Read the list as of this moment, not now: for lists that were recorded.")
@trust_option
@store_option
@json_option
@boundary
def add(
    paths: tuple[Path, ...],
    format_: str,
    name: str | None,
    anchors: tuple[Path, ...],
    subject: str | None,
    environment: str,
    max_age: timedelta | None,
    options: tuple[tuple[str, str], ...],
    force: bool,
    at: datetime | None,
    trust: Path | None,
    store: Path | None,
    as_json: bool,
) -> None:
    """Take the rules in PATHS into use: files or folders with the rules and value sets of a list.

    The rules of the EU gateway may be signed with the upload certificates in the trust store, when no --anchor is
    named.
    """
    source = source_named(format_)
    if unknown := {key for key, _ in options} - set(source.options):
        raise click.UsageError(f"lists of this format have no option {', '.join(sorted(unknown))}")
    pinned = tuple(one for path in anchors for one in load_anchors(path, subject=subject))
    if not pinned and format_ == UPLOADED:
        pinned = tuple(open_trust(trust).uploaders(at=at or this_second()))
    feed = RuleFeed(
        name=name or format_,
        format=format_,
        anchors=pinned,
        environment=Environment(environment),
        max_age=max_age,
        options=dict(options),
    )
    clock = FixedClock(at) if at else SystemClock()
    change = install_rules(open_store(store, create=True), feed, _parts(source, paths), clock=clock, force=force)
    if as_json:
        click.echo(json.dumps(change_dict(change)))
    else:
        click.echo(change_line(change))
        tell_skipped(change)


@click.command()
@click.argument("source")
@click.option("--forget", is_flag=True, help="Accept older lists of it again, too.")
@store_option
@json_option
@boundary
def remove(source: str, forget: bool, store: Path | None, as_json: bool) -> None:
    """Stop using the rules of SOURCE: countries that it alone speaks for have none any more."""
    if not remove_rules(open_store(store), source, forget=forget):
        raise RuleError(Code.RULE_CONFIG_INVALID, "the store has no source of that name")
    click.echo(json.dumps({"removed": source}) if as_json else f"{printable(source)}: removed")


@click.command()
@store_option
@json_option
@boundary
def recheck(store: Path | None, as_json: bool) -> Exit:
    """Read every list in use again from the bytes that were received, and compare.

    Tells damage of the store's file. Whoever can write to the file can change the anchors in it, too.
    """
    changes = list(recheck_rules(open_store(store)))
    bad = [change for change in changes if not change.unchanged]
    for change in changes:
        if as_json:
            click.echo(json.dumps(change_dict(change)))
        elif change.unchanged:
            click.echo(f"{printable(change.source)}: as it was accepted, {counted(change.kept, 'rule')}")
        else:
            click.echo(change_line(change), err=True)
    return Exit.ENVIRONMENT if bad else Exit.ACCEPTED


def _parts(source: Source, paths: tuple[Path, ...]) -> Mapping[str, bytes]:
    """The files of a list under the names of its parts: in their order, or, for a folder, by their names in it."""
    if len(paths) == 1 and paths[0].is_dir():
        return read_folder(paths[0])
    if not source.parts:
        named = {"/".join(file.absolute().parts[-3:]): file for file in paths}
    elif len(paths) > len(source.parts):
        raise click.UsageError(f"a list of {source.name} is: {', '.join(source.parts)}")
    else:
        named = dict(zip(source.parts, paths, strict=False))
    return {part: read_file(file, DEFAULT_LIMITS.list_bytes) for part, file in named.items()}
