"""``healthcert revocation export``: a store's lists on a stick, for verifiers without a network."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import click

from healthcert.publish.revocation_bundle import export_revocations
from healthcert_cli.commands.revocation.shared import open_store, store_option
from healthcert_cli.exits import boundary
from healthcert_cli.options import Duration, json_option, refuse_over, this_second
from healthcert_cli.signing import load_signer, signer_options


@click.command()
@signer_options
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The bundle's file.")
@click.option("--life", type=Duration(), default="7d", show_default=True, help="How long the bundle stands.")
@click.option("--number", type=click.IntRange(min=0), help="Rises from bundle to bundle. [default: the time]")
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
    store: Path | None,
    as_json: bool,
) -> None:
    """Write all lists of the store to one signed file, for verifiers without a network.

    They import it with `revocation import --anchor CERTIFICATE`. A list gets no younger by being carried.
    """
    signer = load_signer(key, certificate, passphrase_file)
    refuse_over(out, (key, certificate, passphrase_file))
    now = this_second()
    manifest = export_revocations(open_store(store), signer, out, now=now, life=life, number=number)
    ends = [one.head.best_before for one in manifest.lists if one.head.best_before is not None]
    overdue = min([manifest.expires_at, *ends])
    if as_json:
        values = {"file": str(out), "bytes": out.stat().st_size, "lists": len(manifest.lists)}
        ended = {"expires_at": manifest.expires_at.isoformat(), "best_before": overdue.isoformat()}
        click.echo(json.dumps(values | ended))
    else:
        count = f"{len(manifest.lists)} {'list' if len(manifest.lists) == 1 else 'lists'}"
        click.echo(f"{out}: {count}, {out.stat().st_size} bytes, good until {manifest.expires_at:%Y-%m-%d %H:%M} UTC")
        if overdue < manifest.expires_at:
            click.echo(f"a list in it is overdue from {overdue:%Y-%m-%d %H:%M} UTC: update the store first", err=True)
