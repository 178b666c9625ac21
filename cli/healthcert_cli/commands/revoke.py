"""``healthcert revoke``: what an issuer calls to revoke certificates."""

from __future__ import annotations

import json
from contextlib import ExitStack
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import Any

import click

from healthcert.authority.profile import find_profile, load_profile, open_key
from healthcert.authority.profile_tables import Profile
from healthcert.issue.signer import Signer
from healthcert.lists.x509 import parse_certificate
from healthcert.publish import batches
from healthcert_cli.authorities import authority_options, files_of, register_of
from healthcert_cli.commands.revocation.entries import read_entries
from healthcert_cli.commands.revocation.issuing import done, files_read, source_options, wanted_of, write_file
from healthcert_cli.commands.trust.shared import Kid
from healthcert_cli.exits import Exit, boundary
from healthcert_cli.options import json_option, new_folder, this_second
from healthcert_cli.rejects import Rejects
from healthcert_cli.signing import CommandLineSecrets, KeySource, load_signer

_file = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("revoke")
@source_options(required=False)
@click.option("--kid", type=Kid(), help="All that was revoked or replaced under this DSC, as the register has it.")
@click.option("--unregistered", is_flag=True, help="Revoke also what the authority's register does not have.")
@click.option("--key", type=KeySource(), help="The key of the upload certificate. [default: the profile's]")
@click.option("--certificate", type=_file, help="The country's upload certificate. [default: the profile's]")
@authority_options
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), required=True, help="New folder to write to.")
@json_option
@boundary
def command(
    sources: tuple[str, ...],
    types: tuple[str, ...],
    country: str | None,
    expires: datetime | None,
    rejects: Path | None,
    kid: bytes | None,
    unregistered: bool,
    key: str | Path | None,
    certificate: Path | None,
    profile: Path | None,
    passphrase_file: Path | None,
    pin_file: Path | None,
    out: Path,
    as_json: bool,
) -> Exit:
    """Make signed batches that revoke what is in SOURCE, for the EU gateway.

    SOURCE is a picture of a certificate, or text with a certificate or an identifier (UVCI) a line; - is standard
    input. The batches expire with the certificates. They are signed with the country's upload certificate; send them
    with `revocation upload`. A row that cannot be used is told with its number, and the rest is done: exit code 1.

    Where there is an authority's profile, what is revoked is looked up in its register and marked there, and named to
    others by its signature.
    """
    path = profile or find_profile()
    authority = None if path is None else load_profile(path)
    if (kid is not None or unregistered) and authority is None:
        raise click.UsageError("--kid and --unregistered are about an authority's register: there is no profile here")
    if not (sources or kid):
        raise click.UsageError("what is to be revoked? SOURCE names it, or --kid all that was withdrawn under a DSC")
    signer = _upload_signer(authority, key, certificate, passphrase_file, pin_file)
    wanted = wanted_of(types, country or parse_certificate(signer.certificate).country, expires)
    now = this_second()
    with ExitStack() as stack:
        kept = [] if path is None or authority is None else files_of(path, authority)
        rejected = stack.enter_context(Rejects(rejects, files_read(sources, key, certificate, passphrase_file, *kept)))
        folder = stack.enter_context(new_folder(out))
        if authority is None:
            entries = read_entries(sources, wanted, rejected)
        else:
            from healthcert_cli.commands.revocation.registered import revoke_registered, withdrawn_entries

            register = stack.enter_context(register_of(authority))
            entries = revoke_registered(register, sources, wanted, rejected, now=now, unregistered=unregistered)
            if kid is not None:
                entries = chain(entries, withdrawn_entries(register, kid, wanted, now=now))
        made = batches.make_batches(entries, signer, now=now, default_expiry=expires)
        written = [_write_batch(folder, out, number, batch) for number, batch in enumerate(made, 1)]
    count = sum(one["entries"] for one in written)
    if as_json:
        click.echo(json.dumps({"entries": count, "batches": written, "rejected": rejected.counts.total()}))
    else:
        for one in written:
            click.echo(f"{one['file']}: {one['entries']} by {one['type']}, until {one['expires'][:10]}")
    return done(count, rejected)


def _upload_signer(
    authority: Profile | None,
    key: str | Path | None,
    certificate: Path | None,
    passphrase_file: Path | None,
    pin_file: Path | None,
) -> Signer:
    """Who signs the batches: the one that the options name, else the profile's."""
    if key is not None and certificate is not None:
        return load_signer(key, certificate, passphrase_file, pin_file)
    if key is not None or certificate is not None or authority is None or authority.upload is None:
        raise click.UsageError("batches are signed: --key and --certificate, or [upload] of a profile, name with what")
    return open_key(authority.upload, CommandLineSecrets(passphrase_file, pin_file))


def _write_batch(folder: Path, out: Path, number: int, batch: batches.Batch) -> dict[str, Any]:
    kid = batch.kid.hex() if batch.kid is not None else "any"
    name = f"{number:05d}-{batch.country}-{kid}-{batch.type.value.lower()}.cms"
    write_file(folder, name, batch.message)
    values: dict[str, Any] = {"file": str(out / name), "entries": batch.count, "country": batch.country, "kid": kid}
    return values | {"type": batch.type.value, "expires": batch.expires.isoformat()}
