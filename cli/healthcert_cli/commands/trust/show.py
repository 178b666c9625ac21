"""``healthcert trust list``, ``show``, ``why``, ``status``, ``diff`` and ``formats``: what a store holds, and why."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from healthcert.clock import SystemClock
from healthcert.errors import Code, TrustError
from healthcert.trust import database
from healthcert.trust.generation import LOCAL, Generation, Head
from healthcert.trust.keys import TrustedKey
from healthcert.trust.sources.registry import SOURCES, source_named
from healthcert.trust.store import TrustStore
from healthcert.verify.policy import Policy
from healthcert.verify.report import describe_key
from healthcert_cli.commands.trust.shared import KidSpelling, open_store, store_option
from healthcert_cli.exits import Exit, boundary
from healthcert_cli.options import at_option, json_option
from healthcert_cli.render import key_lines, kid_in_words, table
from healthcert_cli.text import printable

_GRACE = Policy().trust_grace


@click.command("list")
@store_option
@json_option
@boundary
def list_keys(store: Path | None, as_json: bool) -> None:
    """List the trusted keys."""
    keys = sorted(open_store(store), key=lambda key: (key.country or "", key.kid))
    if as_json:
        for key in keys:
            click.echo(json.dumps(describe_key(key)))
        return
    heading = ("KID", "COUNTRY", "DOMAIN", "MAY SIGN", "UNTIL", "SOURCE")
    for line in table([heading, *map(_row, keys)]):
        click.echo(line)


@click.command()
@click.argument("kids", metavar="KID", type=KidSpelling())
@store_option
@json_option
@boundary
def show(kids: tuple[bytes, ...], store: Path | None, as_json: bool) -> Exit:
    """Show all that is known of the keys with this KID."""
    keys = [key for key in open_store(store) if key.kid in kids]
    if not keys:
        raise _unknown(kids[0])
    for key in keys:
        click.echo(json.dumps(describe_key(key)) if as_json else "\n".join(key_lines(key)))
    return Exit.ACCEPTED


@click.command()
@click.argument("kids", metavar="KID", type=KidSpelling())
@store_option
@json_option
@boundary
def why(kids: tuple[bytes, ...], store: Path | None, as_json: bool) -> Exit:
    """Tell why a key is trusted: source by source, with all that vouches for it up to the pinned anchor."""
    trusted = open_store(store)
    found = [(head, key) for head, key in _everywhere(trusted) if key.kid in kids]
    if not found:
        raise _unknown(kids[0])
    for head, key in found:
        seen = {one.fingerprint for one in key.chain}
        chain = [
            *key.chain,
            *([head.signer] if head.signer is not None and head.signer.fingerprint not in seen else []),
        ]
        if as_json:
            links = [{"role": one.role, "subject": one.subject, "sha256": one.fingerprint} for one in chain]
            click.echo(json.dumps({"source": head.source, "key": describe_key(key), "chain": links}))
            continue
        click.echo(click.style(printable(f"{head.source} ({head.format}): {_because(head)}"), bold=True))
        for line in key_lines(key):
            click.echo(line)
        for depth, one in enumerate(chain, 1):
            click.echo(printable(f"  {'  ' * depth}↑ {one.role}: {one.subject}, SHA-256 {one.fingerprint}"))
    return Exit.ACCEPTED


@click.command()
@at_option
@store_option
@json_option
@boundary
def status(at: datetime | None, store: Path | None, as_json: bool) -> Exit:
    """Tell the age and end of every list, its keys by country, and what is wrong.

    Exit code 3: a list is so old that nothing can be told with its keys, or was never there.
    """
    now = at or SystemClock().now()
    trusted = open_store(store)
    lists = [_status(generation, trusted, now) for _, generation in sorted(trusted.state.lists.items())]
    never = [
        {"source": source, "state": "missing", "error": _error(trusted, source)}
        for source in sorted(trusted.state.memories.keys() - trusted.state.lists.keys())
    ]
    if as_json:
        environment = trusted.environment.value if trusted.environment else None
        click.echo(json.dumps({"environment": environment, "keys": len(trusted), "lists": lists, "missing": never}))
    else:
        heading = ("SOURCE", "KEYS", "COUNTRIES", "KNOWN BY", "FETCHED", "BEST BEFORE", "STATE")
        for line in table([heading, *map(_status_row, lists)]):
            click.echo(line)
        for one in [*lists, *never]:
            for line in _anomalies(one):
                click.echo(printable(f"{one['source']}: {line}"), err=True)
    return Exit.UNDETERMINED if never or any(one["state"] == "expired" for one in lists) else Exit.ACCEPTED


@click.command()
@click.argument("source", required=False)
@click.option(
    "--against", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Another store to compare with."
)
@store_option
@json_option
@boundary
def diff(source: str | None, against: Path | None, store: Path | None, as_json: bool) -> Exit:
    """Tell which keys came and went with the last change of a SOURCE (of all, when none is named).

    With --against the store is compared with another one.
    """
    trusted = open_store(store)
    if source is not None and source not in trusted.state.lists:
        raise TrustError(Code.KEY_NOT_IN_TRUST_LIST, "the store has no source of that name")
    names = [source] if source else sorted(trusted.state.lists.keys() - {LOCAL})
    if against is not None:
        other = open_store(against)
        before = {name: other.state.lists.get(name) for name in {*names, *(() if source else other.state.lists)}}
    else:
        before = {name: database.read_previous(trusted.path, name) if trusted.path else None for name in names}
    for name, old in sorted(before.items()):
        for sign, key in _differences(old, trusted.state.lists.get(name)):
            if as_json:
                word = "added" if sign == "+" else "removed"
                click.echo(json.dumps({"source": name, "change": word, "key": describe_key(key)}))
            else:
                click.echo(printable(f"{sign} {name}  {'  '.join(_row(key)[:5])}"))
    return Exit.ACCEPTED


@click.command()
@json_option
@boundary
def formats(as_json: bool) -> Exit:
    """List the formats of published lists that can be read, and the files that each consists of."""
    found = [(name, source_named(name)) for name in SOURCES]
    if as_json:
        for name, source in found:
            parts = {"name": name, "title": source.title, "parts": source.parts, "anchored": source.anchored}
            click.echo(json.dumps(parts))
        return Exit.ACCEPTED
    heading = ("FORMAT", "FILES", "ANCHOR", "WHAT IT IS")
    rows = [
        (name, " ".join(source.parts) or "(by path)", "needed" if source.anchored else "-", source.title)
        for name, source in found
    ]
    for line in table([heading, *rows]):
        click.echo(line)
    return Exit.ACCEPTED


def _everywhere(store: TrustStore) -> Iterator[tuple[Head, TrustedKey]]:
    for _, generation in sorted(store.state.lists.items()):
        for key in generation:
            yield generation.head, key


def _because(head: Head) -> str:
    if head.source == LOCAL:
        return "added by hand"
    fetched = f"fetched {head.fetched_at:%Y-%m-%d %H:%M} UTC"
    return f"{head.assurance.value.replace('_', ' ')}, {fetched}"


def _status(generation: Generation, store: TrustStore, now: datetime) -> dict[str, Any]:
    head = generation.head
    best_before = head.best_before
    state = "fresh"
    if best_before is not None and now > best_before:
        state = "stale" if now <= best_before + _GRACE else "expired"
    skipped = [{"entry": where, "code": code, "detail": detail} for where, code, detail in generation.details.skipped]
    ended = sum(1 for row in generation.rows if row.not_after is not None and row.not_after < now.timestamp())
    by_hand = head.source == LOCAL
    return {
        "source": head.source,
        "format": head.format,
        "assurance": head.assurance.value,
        "keys": len(generation.rows),
        "countries": dict(sorted(Counter(row.country or "unknown" for row in generation.rows).items())),
        "authorities": len(generation.details.authorities),
        "counter": head.counter,
        "issued_at": head.issued_at.isoformat() if head.issued_at else None,
        "fetched_at": None if by_hand else head.fetched_at.isoformat(),
        "age_seconds": None if by_hand else int((now - head.fetched_at).total_seconds()),
        "expires_at": head.expires_at.isoformat() if head.expires_at else None,
        "best_before": best_before.isoformat() if best_before else None,
        "state": state,
        "keys_ended": ended,
        "skipped": skipped,
        "error": _error(store, head.source),
    }


def _error(store: TrustStore, source: str) -> dict[str, Any] | None:
    memory = store.state.memories.get(source)
    if memory is None or memory.error is None:
        return None
    at, code, detail = memory.error
    return {"at": at, "code": code, "detail": detail}


def _status_row(one: dict[str, Any]) -> tuple[str, ...]:
    fetched, best_before = ((one[name] or "-")[:16].replace("T", " ") for name in ("fetched_at", "best_before"))
    known_by = one["assurance"].replace("_", " ")
    return (
        one["source"],
        str(one["keys"]),
        str(len(set(one["countries"]) - {"unknown"})),
        known_by,
        fetched,
        best_before,
        one["state"],
    )


def _anomalies(one: dict[str, Any]) -> Iterator[str]:
    if one["error"]:
        yield f"the last attempt failed: {one['error']['detail']} ({one['error']['code']})"
    if one.get("keys_ended"):
        yield f"{one['keys_ended']} keys have ended"
    if skipped := one.get("skipped"):
        yield f"{len(skipped)} entries were skipped, the first: {skipped[0]['entry']}: {skipped[0]['detail']}"


def _differences(old: Generation | None, new: Generation | None) -> Iterator[tuple[str, TrustedKey]]:
    before, after = ({(k.kid, k.spki, k.domain, k.issuer): k for k in one or ()} for one in (old, new))
    yield from (("-", key) for identity, key in before.items() if identity not in after)
    yield from (("+", key) for identity, key in after.items() if identity not in before)


def _unknown(kid: bytes) -> TrustError:
    return TrustError(Code.KEY_NOT_IN_TRUST_LIST, f"kid {kid.hex()} is not in the trust store")


def _row(key: TrustedKey) -> tuple[str, ...]:
    usages = "any" if key.usages is None else " ".join(sorted(key.usages)) or "none"
    until = f"{key.not_after:%Y-%m-%d}" if key.not_after else "unknown"
    return (kid_in_words(key), key.country or "-", key.domain or "any", usages, until, key.source)
