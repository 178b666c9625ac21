"""``healthcert trust add`` and ``remove``: keys and lists from files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

import click

from healthcert.clock import FixedClock, SystemClock
from healthcert.errors import Code, TrustError
from healthcert.limits import DEFAULT_LIMITS, read_file
from healthcert.lists.anchors import Environment, load_anchors
from healthcert.lists.config import SECRETS
from healthcert.model import EntryType
from healthcert.trust.certificates import read_certificate
from healthcert.trust.sources.protocol import Context, Role, Source, TrustList
from healthcert.trust.sources.registry import SOURCES, source_named
from healthcert.trust.store import TrustStore
from healthcert.trust.update import Feed, install_list
from healthcert_cli.commands.trust.shared import (
    Kid,
    KidSpelling,
    Pair,
    SourceName,
    anchor_option,
    change_dict,
    change_line,
    open_store,
    store_option,
    tell_skipped,
)
from healthcert_cli.exits import Exit, boundary
from healthcert_cli.options import Duration, Moment, json_option
from healthcert_cli.text import printable


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--kid", type=Kid(), help="The kid of a bare public key, which has none of its own.")
@click.option(
    "--key-id",
    help="The same in families whose kids are text: key-1 (NZ COVID Pass), a thumbprint (SMART Health Cards), FR03AHP1 "
    "(2D-Doc).",
)
@click.option("--issuer", help="URL or DID of the issuer whose keys they are, in families that key by issuer.")
@click.option(
    "--usage",
    "usages",
    multiple=True,
    type=click.Choice([*(kind.value for kind in EntryType), "none"]),
    help="What the list is for, whatever more its certificates allow; may be repeated. [default: what they allow]",
)
@click.option(
    "--domain", help="What the keys may sign at all: DCC, DDCC, SHC, NZCP, ICAO, DIVOC, 2D-DOC ... [default: anything]"
)
@click.option(
    "--source", "format_", type=click.Choice(list(SOURCES)), help="The paths are a published list in this format."
)
@click.option("--name", type=SourceName(), help="What to call the list. [default: its format]")
@anchor_option
@click.option("--subject", help="Common name that the list's signing certificate must have.")
@click.option(
    "--environment",
    type=click.Choice([one.value for one in Environment]),
    help="Which world the keys are of; a store has those of one. [default: production for a list]",
)
@click.option("--max-age", type=Duration(), help="How long the list stands. [default: 48h]")
@click.option("--option", "options", multiple=True, type=Pair(), help="A setting of the format, as NAME=VALUE.")
@click.option("--force", is_flag=True, help="Accept a list that lost many keys, or seems older.")
@click.option(
    "--vouch",
    is_flag=True,
    help="Vouch for the keys of an unsigned list: they are added like any by hand, and stay until they are removed.",
)
@click.option("--at", type=Moment(), help="Read the list as of this moment, not now: for lists that were recorded.")
@store_option
@json_option
@boundary
def add(
    paths: tuple[Path, ...],
    kid: bytes | None,
    key_id: str | None,
    issuer: str | None,
    usages: tuple[str, ...],
    domain: str | None,
    format_: str | None,
    name: str | None,
    anchors: tuple[Path, ...],
    subject: str | None,
    environment: str | None,
    max_age: timedelta | None,
    options: tuple[tuple[str, str], ...],
    force: bool,
    vouch: bool,
    at: datetime | None,
    store: Path | None,
    as_json: bool,
) -> Exit:
    """Add certificates and public keys, or a published list of them.

    PATHS are PEM or DER files, bundles, or folders of them: whoever adds a key vouches for it, and every certificate
    signed with it will be accepted. With --source they are the files of a list, in the order that `trust formats`
    tells: the list's own signature must hold with an --anchor, and it replaces the one that the source had before.
    Lists that nobody signs (the key set of an issuer of SMART Health Cards, a DID document) are not believed by
    default when a certificate is verified, unless you --vouch for what is in these files.
    """
    trusted = open_store(store, create=True)
    if format_ is None:
        if anchors or subject or options or name or force or vouch or at or max_age:
            about = "--anchor, --subject, --option, --name, --max-age, --force, --vouch and --at"
            raise click.UsageError(f"{about} are about a list: say --source")
        if environment is not None:
            trusted.settle(Environment(environment))
        if kid is not None and key_id is not None:
            raise click.UsageError("--kid and --key-id are two ways of saying the same")
        kid = kid if key_id is None else key_id.encode("utf-8", "replace")
        return _by_hand(trusted, paths, kid, usages, domain and domain.upper(), issuer, as_json=as_json)
    if kid is not None or key_id is not None or usages or domain is not None or issuer is not None:
        about = "--kid, --key-id, --usage, --domain and --issuer"
        raise click.UsageError(f"{about} are for keys added by hand; a list says so itself")
    if at is not None and at > SystemClock().now():
        raise click.UsageError("--at is a moment that has passed: a list is not fresher than it is")
    if secret := SECRETS.intersection(dict(options)):
        raise click.UsageError(f"{', '.join(sorted(secret))} is secret, and of no use for a list in files")
    feed = Feed(
        name=name or format_,
        format=format_,
        anchors=tuple(anchor for path in anchors for anchor in load_anchors(path, subject=subject)),
        environment=Environment(environment or "production"),
        max_age=max_age or timedelta(hours=48),
        options=dict(options),
    )
    clock = SystemClock() if at is None else FixedClock(at)
    if vouch:
        if name or force or max_age:
            raise click.UsageError("--name, --force and --max-age are about a list that stays one: leave out --vouch")
        if environment is not None:
            trusted.settle(feed.environment)
        source = source_named(format_)
        found = source.load(_parts(source, paths), Context(feed.anchors, clock.now(), options=feed.options))
        return _vouched(trusted, found, as_json=as_json)
    change = install_list(trusted, feed, _parts(source_named(format_), paths), clock=clock, force=force)
    if as_json:
        click.echo(json.dumps(change_dict(change) | {"keys": len(trusted)}))
    else:
        click.echo(change_line(change))
        tell_skipped(change)
    return Exit.ACCEPTED


@click.command()
@click.argument("kids", metavar="KID", type=KidSpelling(), required=False)
@click.option("--source", help="Stop trusting all that this source lists.")
@click.option("--forget", is_flag=True, help="Forget the source altogether: its older lists may come back.")
@store_option
@json_option
@boundary
def remove(kids: tuple[bytes, ...] | None, source: str | None, forget: bool, store: Path | None, as_json: bool) -> Exit:
    """Remove the keys with this KID that were added by hand, or a whole source.

    A key that is on a list stays on it until its publisher withdraws it. Older lists of a removed source stay refused.
    """
    if (kids is None) == (source is None) or (forget and source is None):
        raise click.UsageError("say a KID, or --source, with --forget or without")
    trusted = open_store(store)
    if kids is not None:
        removed = sum(map(trusted.remove, kids))
        if not removed:
            found = {p.source for kid in kids for key in trusted.known(kid) for p in key.provenance}
            where = f"only on the list of: {', '.join(sorted(found))}" if found else "not in the trust store"
            raise TrustError(Code.KEY_NOT_IN_TRUST_LIST, f"kid {kids[0].hex()} is {where}")
    else:
        assert source is not None
        before = len(trusted)
        if not trusted.remove_source(source, forget=forget):
            raise TrustError(Code.KEY_NOT_IN_TRUST_LIST, "the store has no source of that name")
        removed = before - len(trusted)
    if as_json:
        click.echo(json.dumps({"removed": removed, "keys": len(trusted)}))
    else:
        click.echo(f"{removed} {'key' if removed == 1 else 'keys'} removed, {len(trusted)} in the store.")
    return Exit.ACCEPTED


def _vouched(trusted: TrustStore, found: TrustList, *, as_json: bool) -> Exit:
    """Adds what is on a list as keys by hand, its authorities among them."""
    authorities = [
        read_certificate(one.certificate).within(one.domain, country=one.country)
        for one in found.authorities
        if one.certificate is not None and one.role is Role.CSCA
    ]
    added = trusted.add([*found.keys, *authorities])
    trusted.rejected += found.skipped
    return _told(trusted, added, as_json=as_json)


def _by_hand(
    trusted: TrustStore,
    paths: tuple[Path, ...],
    kid: bytes | None,
    usages: tuple[str, ...],
    domain: str | None,
    issuer: str | None,
    *,
    as_json: bool,
) -> Exit:
    known = len(trusted)
    only = [EntryType(usage) for usage in usages if usage != "none"] if usages else None
    for path in paths:
        if kid is not None:
            data = read_file(path, DEFAULT_LIMITS.key_file_bytes)
            trusted.add_public_key(data, kid=kid, source=path.name, usages=only, domain=domain, issuer=issuer)
        else:
            trusted.add_path(path, usages=only, domain=domain, issuer=issuer)
    return _told(trusted, len(trusted) - known, as_json=as_json)


def _told(trusted: TrustStore, added: int, *, as_json: bool) -> Exit:
    """Tells what was added by hand, and what could not be."""
    if as_json:
        rejected = [{"source": r.source, "code": r.error.code, "detail": r.error.detail} for r in trusted.rejected]
        click.echo(json.dumps({"added": added, "keys": len(trusted), "rejected": rejected}))
    else:
        click.echo(f"{added} {'key' if added == 1 else 'keys'} added, {len(trusted)} in the store.")
        for entry in trusted.rejected:
            click.echo(printable(f"not used: {entry.source}: {entry.error.detail}"), err=True)
    return Exit.REFUSED if trusted.rejected else Exit.ACCEPTED


def _parts(source: Source, paths: tuple[Path, ...]) -> Mapping[str, bytes]:
    """The files of a list under the names of its parts: in their order, or, for a folder, by their names in it."""
    if len(paths) == 1 and paths[0].is_dir():
        files = sorted(file for file in paths[0].rglob("*.json") if file.is_file())
        if len(files) > DEFAULT_LIMITS.list_pages:
            raise TrustError(Code.INPUT_TOO_LONG, f"more than {DEFAULT_LIMITS.list_pages} files")
        named = {file.relative_to(paths[0]).as_posix(): file for file in files}
    elif not source.parts:
        named = {"/".join(file.absolute().parts[-6:]): file for file in paths}
    else:
        if len(paths) > len(source.parts):
            raise click.UsageError(f"a list of {source.name} is: {', '.join(source.parts)}")
        named = dict(zip(source.parts, paths, strict=False))
    return {part: read_file(file, DEFAULT_LIMITS.list_bytes) for part, file in named.items()}
