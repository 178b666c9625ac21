"""``healthcert revocation update``, ``import`` and ``remove``: lists from their servers, and from files."""

from __future__ import annotations

import json
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import click

from healthcert.errors import Code, RevocationError
from healthcert.lists.anchors import Environment, load_anchors
from healthcert.revocation.carry import FORMAT, import_revocations
from healthcert.revocation.config import UPLOADED, load_revocation_sources
from healthcert.revocation.feed import RevocationFeed
from healthcert.revocation.files import open_files
from healthcert.revocation.sources.registry import SOURCES, source_named
from healthcert.revocation.update import install_revocations, remove_revocations, update_revocations
from healthcert_cli.commands.revocation.shared import (
    change_dict,
    change_line,
    open_store,
    open_trust,
    progress_bar,
    store_option,
    tell_skipped,
    trust_option,
)
from healthcert_cli.commands.trust.shared import Pair, SourceName
from healthcert_cli.exits import Exit, boundary, exit_of_all
from healthcert_cli.fetching import config_option, fetcher_of
from healthcert_cli.options import Duration, json_option, this_second

_MAX_AGE = timedelta(hours=24)


@click.command()
@config_option
@click.option("--only", multiple=True, help="Update this source alone; may be repeated.")
@click.option("--force", is_flag=True, help="Accept lists that lost many entries.")
@trust_option
@store_option
@json_option
@boundary
def update(
    config: Path, only: tuple[str, ...], force: bool, trust: Path | None, store: Path | None, as_json: bool
) -> Exit:
    """Fetch the lists of all [[revocation]] sources, check them and take them into use.

    What fails with one source leaves its list in use as it was, and harms no other. Exit code 1: a list was refused;
    4: one could not be fetched, or written.
    """
    trusted = open_trust(trust)
    found = load_revocation_sources(config, only, uploaders=trusted.uploaders(at=this_second()))
    configured = {one.feed.name: one for one in found}
    revocations = open_store(store, create=True)
    with ExitStack() as opened, progress_bar("Updating") as progress:
        updating = update_revocations(
            revocations,
            [one.feed for one in found],
            lambda feed: opened.enter_context(fetcher_of(feed.url, configured[feed.name].connection)),
            force=force,
            countries_of=trusted.countries_of,
            progress=progress,
        )
        changes = list(updating)
    if as_json:
        click.echo(json.dumps({"sources": [change_dict(change) for change in changes], "entries": len(revocations)}))
    else:
        for change in changes:
            click.echo(change_line(change), err=change.error is not None)
            tell_skipped(change)
    return exit_of_all(change.error for change in changes)


@click.command("import")
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@click.option(
    "--format",
    "format_",
    type=click.Choice([FORMAT, *SOURCES]),
    default=FORMAT,
    show_default=True,
    help="What PATH holds: a bundle from `revocation export`, or a list as it was published.",
)
@click.option(
    "--anchor",
    "anchors",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Certificate or public key that it must be signed with; may be repeated.",
)
@click.option("--subject", help="Common name that the signer's certificate must have.")
@click.option("--name", type=SourceName(), help="What to call the list. [default: the format]")
@click.option("--option", "options", multiple=True, type=Pair(), help="Setting of the format, as in issuer=https://...")
@click.option("--max-age", type=Duration(), help="How long a list stands that does not end before. [default: 24h]")
@click.option(
    "--environment", type=click.Choice([one.value for one in Environment]), default="production", show_default=True
)
@click.option("--force", is_flag=True, help="Accept a list that lost many entries.")
@trust_option
@store_option
@json_option
@boundary
def import_(
    path: Path,
    format_: str,
    anchors: tuple[Path, ...],
    subject: str | None,
    name: str | None,
    options: tuple[tuple[str, str], ...],
    max_age: timedelta | None,
    environment: str,
    force: bool,
    trust: Path | None,
    store: Path | None,
    as_json: bool,
) -> None:
    """Take the lists in PATH into use: a file, a folder or an archive.

    The batches of the EU gateway may be signed with the upload certificates in the trust store, when no --anchor is
    named.
    """
    trusted = open_trust(trust)
    pinned = tuple(one for path in anchors for one in load_anchors(path, subject=subject))
    revocations = open_store(store, create=True)
    if format_ == FORMAT:
        if options or max_age is not None:
            raise click.UsageError("a bundle says itself how long it stands, and has no settings: name the --format")
        change = import_revocations(
            revocations,
            path,
            pinned,
            name=name or FORMAT,
            environment=Environment(environment),
            force=force,
        )
    else:
        if unknown := {key for key, _ in options} - set(source_named(format_).options):
            raise click.UsageError(f"lists of this format have no option {', '.join(sorted(unknown))}")
        feed = RevocationFeed(
            name=name or format_,
            format=format_,
            anchors=pinned or (trusted.uploaders(at=this_second()) if format_ == UPLOADED else ()),
            environment=Environment(environment),
            max_age=_MAX_AGE if max_age is None else max_age,
            options=dict(options),
        )
        with open_files(path) as files, progress_bar("Reading") as progress:
            change = install_revocations(
                revocations, feed, files, force=force, countries_of=trusted.countries_of, progress=progress
            )
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
    """Stop asking the list of SOURCE: certificates that it alone names are not revoked any more.

    The name of a bundle stands for all lists that came in it.
    """
    revocations = open_store(store)
    carried = [
        head.source
        for head in revocations.state.lists.values()
        if head.format == FORMAT and head.source.startswith(f"{source}/")
    ]
    if not sum(remove_revocations(revocations, name, forget=forget) for name in (*carried, source)):
        raise RevocationError(Code.REVOCATION_CONFIG_INVALID, "the store has no source of that name")
    click.echo(json.dumps({"removed": source}) if as_json else f"{source}: removed")
