"""``healthcert trust update`` and ``check``: lists from their servers, and once more from what was received."""

from __future__ import annotations

import json
import sys
from contextlib import ExitStack
from pathlib import Path

import click

from healthcert.https import HttpFetcher
from healthcert.trust.config import load_sources
from healthcert.trust.update import Feed, recheck_lists, update_lists
from healthcert_cli.commands.trust.shared import change_dict, change_line, open_store, store_option, tell_skipped
from healthcert_cli.exits import Exit, boundary, exit_of_all
from healthcert_cli.fetching import config_option, fetcher_of
from healthcert_cli.options import json_option


@click.command()
@config_option
@click.option("--only", multiple=True, help="Update this source alone; may be repeated.")
@click.option("--force", is_flag=True, help="Accept lists that lost many keys, or seem older.")
@store_option
@json_option
@boundary
def update(config: Path, only: tuple[str, ...], force: bool, store: Path | None, as_json: bool) -> Exit:
    """Fetch the lists of all sources, check them and take them into use.

    What fails with one source leaves its list in use as it was, and harms no other. Exit code 1: a list was refused;
    4: one could not be fetched.
    """
    configured = {one.feed.name: one for one in load_sources(config, only)}
    trusted = open_store(store, create=True)

    def fetcher_for(feed: Feed) -> HttpFetcher:
        # A directory of issuers leads to their servers; any other list comes from its own alone.
        anywhere = feed.format == "vci"
        return opened.enter_context(fetcher_of(feed.url, configured[feed.name].connection, anywhere=anywhere))

    feeds = [one.feed for one in configured.values()]
    # On standard error, and only at a terminal, so that the output can be read by a machine.
    hidden = not sys.stderr.isatty()
    with ExitStack() as opened:
        updating = update_lists(trusted, feeds, fetcher_for, force=force)
        with click.progressbar(updating, length=len(feeds), label="Updating", file=sys.stderr, hidden=hidden) as bar:
            changes = list(bar)
    if as_json:
        click.echo(json.dumps({"sources": [change_dict(change) for change in changes], "keys": len(trusted)}))
    else:
        for change in changes:
            click.echo(change_line(change), err=change.error is not None)
            tell_skipped(change)
    return exit_of_all(change.error for change in changes)


@click.command()
@store_option
@json_option
@boundary
def check(store: Path | None, as_json: bool) -> Exit:
    """Read every list in use again from the bytes that were received, and compare.

    Tells damage of the store's file. Whoever can write to the file can change the anchors in it, too.
    """
    changes = list(recheck_lists(open_store(store)))
    bad = [change for change in changes if not change.unchanged]
    for change in changes:
        if as_json:
            click.echo(json.dumps(change_dict(change)))
        elif change.unchanged:
            click.echo(f"{change.source}: as it was accepted, {change.kept} keys")
        else:
            click.echo(change_line(change), err=True)
    return Exit.ENVIRONMENT if bad else Exit.ACCEPTED
