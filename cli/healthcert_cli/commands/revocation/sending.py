"""``healthcert revocation upload`` and ``delete``: batches on the EU gateway."""

from __future__ import annotations

import json
from pathlib import Path

import click

from healthcert.https import HttpFetcher
from healthcert.limits import DEFAULT_LIMITS, read_file
from healthcert.publish import batches
from healthcert_cli.commands.publish import gateway_options
from healthcert_cli.exits import boundary
from healthcert_cli.options import json_option, this_second
from healthcert_cli.signing import load_signer, signer_options
from healthcert_cli.text import printable

_file = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("files", metavar="BATCH...", nargs=-1, required=True, type=_file)
@gateway_options
@json_option
@boundary
def upload(
    files: tuple[Path, ...], url: str, client_certificate: Path, client_key: Path, ca: Path | None, as_json: bool
) -> None:
    """Send batches that `revoke` made to the EU gateway, over mutual TLS, and tell the identifier that each was given.

    Keep the identifiers: a batch is deleted by its own.
    """
    with HttpFetcher(ca=ca, client_certificate=client_certificate, client_key=client_key) as fetcher:
        for path in files:
            message = read_file(path, DEFAULT_LIMITS.list_bytes).strip()
            batch = batches.upload_batch(fetcher, url, message)
            click.echo(json.dumps({"file": str(path), "batch": batch}) if as_json else f"{printable(path)}: {batch}")


@click.command()
@click.argument("batch_ids", metavar="BATCH-ID...", nargs=-1, required=True)
@signer_options
@gateway_options
@json_option
@boundary
def delete(
    batch_ids: tuple[str, ...],
    key: Path,
    certificate: Path,
    passphrase_file: Path | None,
    url: str,
    client_certificate: Path,
    client_key: Path,
    ca: Path | None,
    as_json: bool,
) -> None:
    """Take batches off the EU gateway: what they named is not revoked any more."""
    signer = load_signer(key, certificate, passphrase_file)
    with HttpFetcher(ca=ca, client_certificate=client_certificate, client_key=client_key) as fetcher:
        for batch in batch_ids:
            batches.delete_batch(fetcher, url, batch, signer, signing_time=this_second())
            click.echo(json.dumps({"deleted": batch}) if as_json else f"{batch}: deleted")
