"""``healthcert trust``: the keys that certificates are verified with."""

from __future__ import annotations

import base64
import binascii
import json
from pathlib import Path
from typing import Any

import click

from healthcert.errors import Code, TrustError
from healthcert.limits import DEFAULT_LIMITS, read_file
from healthcert.model import EntryType
from healthcert.trust.keys import TrustedKey
from healthcert.trust.store import TrustStore
from healthcert.verify.report import describe_key
from healthcert_cli.exits import Exit, boundary
from healthcert_cli.options import default_store, json_option
from healthcert_cli.render import key_lines, table
from healthcert_cli.text import printable


class Kid(click.ParamType[bytes]):
    """A key identifier: 16 hexadecimal digits, or base64 as trust lists write it."""

    name = "kid"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> bytes:
        if isinstance(value, bytes):
            return value
        for decode in (bytes.fromhex, lambda text: base64.b64decode(text, validate=True)):
            try:
                kid: bytes = decode(value)
            except (ValueError, binascii.Error):
                continue
            if kid:
                return kid
        return self.fail("not a kid in hexadecimal or base64; for example d919375fc1e7b6b2", param, ctx)


_store_option = click.option(
    "--store", type=click.Path(dir_okay=False, path_type=Path), help="The trust store's file. [default: the user's]"
)


@click.group()
def command() -> None:
    """Keep the keys that certificates are verified with.

    The store is one file: --store, else the variable HEALTHCERT_TRUST, else one in the user's data folder.
    """


@command.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--kid", type=Kid(), help="The kid of a bare public key, which has none of its own.")
@click.option(
    "--usage",
    "usages",
    multiple=True,
    type=click.Choice([*(kind.value for kind in EntryType), "none"]),
    help="What the list is for, whatever more its certificates allow; may be repeated. [default: what they allow]",
)
@_store_option
@json_option
@boundary
def add(paths: tuple[Path, ...], kid: bytes | None, usages: tuple[str, ...], store: Path | None, as_json: bool) -> Exit:
    """Add certificates and public keys: PEM or DER files, bundles, or folders of them.

    Whoever adds a key vouches for it: every certificate signed with it will be accepted.
    """
    trusted = _open(store, create=True)
    known = len(trusted)
    only = [EntryType(usage) for usage in usages if usage != "none"] if usages else None
    for path in paths:
        if kid is not None:
            data = read_file(path, DEFAULT_LIMITS.key_file_bytes)
            trusted.add_public_key(data, kid=kid, source=path.name, usages=only)
        else:
            trusted.add_path(path, usages=only)
    added = len(trusted) - known
    if as_json:
        rejected = [{"source": r.source, "code": r.error.code, "detail": r.error.detail} for r in trusted.rejected]
        click.echo(json.dumps({"added": added, "keys": len(trusted), "rejected": rejected}))
    else:
        click.echo(f"{added} {'key' if added == 1 else 'keys'} added, {len(trusted)} in the store.")
        for entry in trusted.rejected:
            click.echo(printable(f"not used: {entry.source}: {entry.error.detail}"), err=True)
    return Exit.REFUSED if trusted.rejected else Exit.ACCEPTED


@command.command("list")
@_store_option
@json_option
@boundary
def list_keys(store: Path | None, as_json: bool) -> None:
    """List the trusted keys."""
    keys = sorted(_open(store), key=lambda key: (key.country or "", key.kid))
    if as_json:
        for key in keys:
            click.echo(json.dumps(describe_key(key)))
        return
    heading = ("KID", "COUNTRY", "MAY SIGN", "UNTIL", "SOURCE")
    for line in table([heading, *map(_row, keys)]):
        click.echo(line)


@command.command()
@click.argument("kid", type=Kid())
@_store_option
@json_option
@boundary
def show(kid: bytes, store: Path | None, as_json: bool) -> Exit:
    """Show all that is known of the keys with this KID."""
    keys = _open(store).candidates(kid)
    if not keys:
        raise TrustError(Code.KEY_NOT_IN_TRUST_LIST, f"kid {kid.hex()} is not in the trust store")
    for key in keys:
        click.echo(json.dumps(describe_key(key)) if as_json else "\n".join(key_lines(key)))
    return Exit.ACCEPTED


def _open(store: Path | None, *, create: bool = False) -> TrustStore:
    path = store or default_store()
    if create:
        path.parent.mkdir(parents=True, exist_ok=True)
    return TrustStore.open(path)


def _row(key: TrustedKey) -> tuple[str, ...]:
    usages = "any" if key.usages is None else " ".join(sorted(key.usages)) or "none"
    until = f"{key.not_after:%Y-%m-%d}" if key.not_after else "unknown"
    return (key.kid.hex(), key.country or "", usages, until, key.source)
