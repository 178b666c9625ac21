"""``healthcert trust export`` and ``import``: a store's keys on a stick, for verifiers without a network."""

from __future__ import annotations

import json
import sys
from datetime import timedelta
from pathlib import Path

import click

from healthcert.limits import DEFAULT_LIMITS, read_file
from healthcert.lists.anchors import Environment, load_anchors
from healthcert.publish.bundle import DEFAULT_ASSURANCES, export_bundle
from healthcert.trust.keys import Assurance
from healthcert.trust.update import Feed, install_list
from healthcert_cli.commands.trust.shared import (
    SourceName,
    anchor_option,
    change_dict,
    change_line,
    open_store,
    store_option,
    tell_skipped,
)
from healthcert_cli.exits import boundary
from healthcert_cli.options import Duration, json_option, this_second, write_whole
from healthcert_cli.signing import load_signer, signer_options


@click.command()
@signer_options
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The bundle's file.")
@click.option("--life", type=Duration(), default="7d", show_default=True, help="How long the bundle stands.")
@click.option("--number", type=click.IntRange(min=0), help="Rises from bundle to bundle. [default: the time]")
@click.option(
    "--assurance",
    "assurances",
    multiple=True,
    type=click.Choice([one.value for one in Assurance]),
    help="Export keys that are known in this way; may be repeated. [default: all but tls_only]",
)
@click.option(
    "--environment",
    type=click.Choice([one.value for one in Environment]),
    help="Which world the keys are of, where the store does not say so itself.",
)
@store_option
@json_option
@boundary
def export(
    key: Path,
    certificate: Path,
    passphrase_file: Path | None,
    out: Path,
    life: timedelta,
    number: int | None,
    assurances: tuple[str, ...],
    environment: str | None,
    store: Path | None,
    as_json: bool,
) -> None:
    """Write the store's keys to one signed file, for verifiers without a network.

    They import it with `trust import --anchor CERTIFICATE`. A key is as sure there as it is here, and no younger.
    """
    signer = load_signer(key, certificate, passphrase_file)
    trusted = open_store(store)
    wanted = [Assurance(one) for one in assurances] or DEFAULT_ASSURANCES
    now = this_second()
    data = export_bundle(
        trusted,
        signer,
        now=now,
        life=life,
        number=number,
        environment=Environment(environment) if environment else None,
        assurances=wanted,
    )
    write_whole(out, data, keep=(key, certificate, trusted.path))
    ends = [p.expires_at for one in trusted.known_by(wanted) for p in one.provenance if p.assurance in wanted]
    overdue = min([now + life, *(end for end in ends if end is not None)])
    if as_json:
        values = {"file": str(out), "bytes": len(data), "expires_at": (now + life).isoformat()}
        click.echo(json.dumps(values | {"best_before": overdue.isoformat()}))
    else:
        click.echo(f"{out}: {len(data)} bytes, good until {now + life:%Y-%m-%d %H:%M} UTC")
        if overdue < now + life:
            # A key gets no younger by being carried.
            click.echo(f"its lists are overdue from {overdue:%Y-%m-%d %H:%M} UTC: update the store first", err=True)


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path))
@anchor_option
@click.option("--name", type=SourceName(), default="bundle", show_default=True, help="What to call the list.")
@click.option(
    "--environment", type=click.Choice([one.value for one in Environment]), default="production", show_default=True
)
@click.option("--force", is_flag=True, help="Accept a bundle that has lost many keys, or all of a country.")
@store_option
@json_option
@boundary
def import_(
    file: Path,
    anchors: tuple[Path, ...],
    name: str,
    environment: str,
    force: bool,
    store: Path | None,
    as_json: bool,
) -> None:
    """Take the keys of a bundle into use, which replace those of the bundle before; - reads standard input.

    Its signature must hold with an --anchor, and it must be newer than the one before.
    """
    limit = DEFAULT_LIMITS.list_bytes
    data = sys.stdin.buffer.read(limit + 1) if str(file) == "-" else read_file(file, limit)
    feed = Feed(
        name=name,
        format="bundle",
        anchors=tuple(anchor for path in anchors for anchor in load_anchors(path)),
        environment=Environment(environment),
        max_age=None,
    )
    trusted = open_store(store, create=True)
    change = install_list(trusted, feed, {"list": data}, force=force)
    if as_json:
        click.echo(json.dumps(change_dict(change) | {"keys": len(trusted)}))
    else:
        click.echo(change_line(change))
        tell_skipped(change)
