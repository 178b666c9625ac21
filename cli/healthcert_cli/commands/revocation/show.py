"""``healthcert revocation status``, ``check`` and ``formats``: what the store holds, and what it says."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import click
from msgspec.structs import replace

from healthcert.clock import SystemClock
from healthcert.errors import Code, HealthCertError, IssueError, RevocationError
from healthcert.families import recognise
from healthcert.limits import DEFAULT_LIMITS
from healthcert.publish.revoked import RevokedEntry, entries_of_certificate, entries_of_uvci
from healthcert.revocation.answer import RevocationAnswer, Standing
from healthcert.revocation.identifiers import IdentifierType, Subject
from healthcert.revocation.ledger import Head
from healthcert.revocation.sources.registry import SOURCES, source_named
from healthcert.revocation.store import RevocationStore
from healthcert.trust.store import TrustStore
from healthcert.verify.report import describe_answer, odds_in_words
from healthcert_cli.commands.revocation.shared import open_store, open_trust, store_option, trust_option
from healthcert_cli.exits import Exit, boundary
from healthcert_cli.options import at_option, json_option
from healthcert_cli.render import coverage_lines, table
from healthcert_cli.sources import read_source
from healthcert_cli.text import printable

_EXITS = {
    Standing.HIT: Exit.REFUSED,
    Standing.POSSIBLE: Exit.REFUSED,
    Standing.UNKNOWN: Exit.UNDETERMINED,
    Standing.CLEAR: Exit.ACCEPTED,
}
_COLOURS = {
    Standing.HIT: "red",
    Standing.POSSIBLE: "red",
    Standing.UNKNOWN: "yellow",
    Standing.CLEAR: "green",
}
_LISTED = 8  # countries in one line


@click.command()
@click.option("--verify", is_flag=True, help="Read every file of the store, and tell whether any byte has changed.")
@at_option
@store_option
@json_option
@boundary
def status(verify: bool, at: datetime | None, store: Path | None, as_json: bool) -> Exit:
    """Tell the age, end and size of every list, whose certificates it speaks for, and what is wrong.

    Exit code 3: a list is overdue or was never there; 4: one is damaged.
    """
    now = at or SystemClock().now()
    revocations = open_store(store)
    damaged = revocations.damaged | (set(_changed(revocations)) if verify else set())
    lists = [
        _status(head, revocations, now) | ({"state": "damaged"} if head.source in damaged else {})
        for _, head in sorted(revocations.state.lists.items())
    ]
    never = [
        {"source": source, "state": "missing", "error": error}
        for source in sorted(revocations.state.memories.keys() - revocations.state.lists.keys())
        if (error := _error(revocations, source))
    ]
    if as_json:
        environment = revocations.environment.value if revocations.environment else None
        values = {"environment": environment, "entries": len(revocations), "lists": lists, "missing": never}
        click.echo(json.dumps(values))
    else:
        heading = ("SOURCE", "FORMAT", "ENTRIES", "FILTERS", "SPEAKS FOR", "FETCHED", "BEST BEFORE", "STATE")
        for line in table([heading, *map(_row, lists)]):
            click.echo(line)
        for one in [*lists, *never]:
            if error := one["error"]:
                why = f"the last attempt failed: {error['detail']} ({error['code']})"
                click.echo(printable(f"{one['source']}: {why}"), err=True)
            if one["state"] == "damaged":
                mend = f"update or remove it ({Code.REVOCATION_STORE_UNREADABLE})"
                click.echo(printable(f"{one['source']}: its file is damaged: {mend}"), err=True)
    if damaged:
        return Exit.ENVIRONMENT
    return Exit.UNDETERMINED if never or any(one["state"] == "overdue" for one in lists) else Exit.ACCEPTED


@click.command()
@click.argument("sources", nargs=-1, metavar="[SOURCE]...")
@click.option("--uvci", "uvcis", multiple=True, help="Ask about this certificate identifier; may be repeated.")
@click.option("--country", help="The country that issued it (two letters); needed with --uvci.")
@at_option
@trust_option
@store_option
@json_option
@boundary
def check(
    sources: tuple[str, ...],
    uvcis: tuple[str, ...],
    country: str | None,
    at: datetime | None,
    trust: Path | None,
    store: Path | None,
    as_json: bool,
) -> Exit:
    """Ask whether certificates were revoked. Nothing else is checked: their signatures are not verified.

    SOURCE is a picture, a text file with one certificate a line, or - for standard input. Of an identifier alone, only
    lists that go by it can tell; it is looked for under all keys of its country in the trust store.

    Exit code: 0 when all are clear, 1 when one was revoked or possibly so, 3 when lists cannot tell.
    """
    if bool(uvcis) != (country is not None):
        raise click.UsageError("--uvci and --country go together")
    now = at or SystemClock().now()
    revocations, trusted = open_store(store), open_trust(trust)
    counts: Counter[Exit] = Counter()

    def tell(name: str, answer: RevocationAnswer) -> None:
        counts[_EXITS[answer.standing]] += 1
        if as_json:
            click.echo(json.dumps({"source": name} | describe_answer(answer)))
            return
        click.echo(_line(name, answer))
        for line in coverage_lines(answer):
            click.echo(line)

    for source in sources or (() if uvcis else ("-",)):
        texts = read_source(source, DEFAULT_LIMITS)
        for number, text in enumerate(texts, 1):
            name = f"{source}#{number}" if len(texts) > 1 else source
            try:
                entries, kid = _of_certificate(text)
            except HealthCertError as error:
                counts[Exit.REFUSED] += 1
                _tell_unreadable(name, error, as_json=as_json)
                continue
            countries = trusted.countries_of(kid) if kid is not None else frozenset()
            of = next(iter(countries)) if len(countries) == 1 else next((e.country for e in entries if e.country), None)
            tell(name, revocations.ask(_subject(entries, kid, of), now))
    for number, uvci in enumerate(uvcis, 1):
        assert country is not None
        by_uvci = entries_of_uvci(uvci, country=country, expires=None, types=_BY_UVCI)
        tell(f"identifier {number}", _ask_under_all(revocations, trusted, by_uvci, country, now))
    return next((code for code in (Exit.REFUSED, Exit.UNDETERMINED) if counts[code]), Exit.ACCEPTED)


@click.command()
@json_option
@boundary
def formats(as_json: bool) -> None:
    """List the formats of revocation lists that can be read."""
    found = [source_named(name) for name in SOURCES]
    if as_json:
        for source in found:
            values = {"name": source.name, "title": source.title, "anchored": source.anchored}
            click.echo(json.dumps(values | {"options": source.options}))
        return
    rows = [(s.name, "needed" if s.anchored else "-", " ".join(s.options) or "-", s.title) for s in found]
    for line in table([("FORMAT", "ANCHOR", "OPTIONS", "WHAT IT IS"), *rows]):
        click.echo(line)


_BY_UVCI = (IdentifierType.UCI, IdentifierType.COUNTRYCODEUCI, IdentifierType.UVCI, IdentifierType.FR_DCC)
_BY_CERTIFICATE = (IdentifierType.SIGNATURE, IdentifierType.NL_PROOF, *_BY_UVCI)


def _of_certificate(text: str) -> tuple[list[RevokedEntry], bytes | None]:
    """By all that the certificate can be named by, and its kid."""
    family, plain = recognise(text, DEFAULT_LIMITS)
    kid = family.decode(plain, DEFAULT_LIMITS).kid
    entries = entries_of_certificate(text, (IdentifierType.SIGNATURE,))
    for type_ in _BY_CERTIFICATE[1:]:
        try:
            entries += entries_of_certificate(text, (type_,))
        except IssueError:
            continue  # it has nothing that this type is made of
    return entries, kid


def _subject(entries: list[RevokedEntry], kid: bytes | None, country: str | None) -> Subject:
    named: dict[IdentifierType, tuple[bytes, ...]] = {}
    for entry in entries:
        named[entry.type] = (*named.get(entry.type, ()), entry.key)
    return Subject(kid=kid, country=country, identifiers=named)


def _ask_under_all(
    store: RevocationStore, trusted: TrustStore, entries: list[RevokedEntry], country: str, now: datetime
) -> RevocationAnswer:
    """What lists say of an identifier whose certificate is not at hand: they may have it under any key of its country.

    No other keys matter, for what they signed is not accepted.
    """
    kids = {key.kid for key in trusted if key.country in (country, None)}
    answer = store.ask(_subject(entries, None, country), now)
    found = [answer, *(store.ask(_subject(entries, kid, country), now) for kid in kids)]
    for standing in (Standing.HIT, Standing.POSSIBLE):
        if of := [one for one in found if one.standing is standing]:
            return min(of, key=lambda one: one.odds)
    # A list that speaks for one of the keys alone does not for the others.
    return replace(answer, standing=Standing.UNKNOWN) if not kids and answer.standing is Standing.CLEAR else answer


def _line(name: str, answer: RevocationAnswer) -> str:
    badge = click.style(f" {answer.standing.value.upper()} ", fg="black", bg=_COLOURS[answer.standing], bold=True)
    on = f": on the list {answer.source}" if answer.source else ""
    if answer.standing is Standing.UNKNOWN:
        on = ": no list speaks for its issuer"
        if answer.overdue:
            on = ": the lists for its issuer are overdue"
        elif answer.lists:
            on = ": no key of its issuer is known, under which lists may have it"
    false = f", false for {odds_in_words(answer.odds)}" if answer.standing is Standing.POSSIBLE else ""
    return f"{badge} {printable(name + on + false)}"


def _tell_unreadable(name: str, error: HealthCertError, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"source": name, "error": {"code": error.code, "detail": error.detail}}))
    else:
        click.echo(printable(f"{name}: {error.detail} ({error.code})"), err=True)


def _changed(store: RevocationStore) -> Iterator[str]:
    """The sources whose files are not, byte for byte, what was written."""
    for source in store.state.lists:
        try:
            for segment in store.segments(source):
                segment.check()
        except RevocationError:
            yield source


def _status(head: Head, store: RevocationStore, now: datetime) -> dict[str, Any]:
    best_before = head.best_before
    return {
        "source": head.source,
        "format": head.format,
        "generation": head.generation,
        "entries": head.records,
        "filters": head.filters,
        "types": [type_.value for code in head.types if (type_ := IdentifierType.from_code(code))],
        "kids": len(head.kids) + len(head.keys),
        "countries": list(head.countries),
        "signed": head.signer is not None,
        "counter": head.counter,
        "issued_at": head.issued_at.isoformat() if head.issued_at else None,
        "fetched_at": head.fetched_at.isoformat(),
        "expires_at": head.expires_at.isoformat() if head.expires_at else None,
        "best_before": best_before.isoformat() if best_before else None,
        "state": "fresh" if best_before is None or now <= best_before else "overdue",
        "bytes": sum(file.size for file in head.files),
        "error": _error(store, head.source),
    }


def _row(one: dict[str, Any]) -> tuple[str, ...]:
    speaks = _speaks_for(one)
    fetched, best_before = ((one[name] or "-")[:16].replace("T", " ") for name in ("fetched_at", "best_before"))
    return (
        one["source"], one["format"], str(one["entries"]), str(one["filters"]), speaks, fetched, best_before,
        one["state"],
    )  # fmt: skip


def _speaks_for(one: dict[str, Any]) -> str:
    countries = one["countries"]
    named = ["any country" if c == "*" else c for c in countries[:_LISTED]]
    more = [f"{len(countries) - _LISTED} more"] if len(countries) > _LISTED else []
    kids = [f"{one['kids']} {'key' if one['kids'] == 1 else 'keys'}"] if one["kids"] else []
    return ", ".join([*named, *more, *kids]) or "nobody"


def _error(store: RevocationStore, source: str) -> dict[str, Any] | None:
    memory = store.state.memories.get(source)
    if memory is None or memory.error is None:
        return None
    at, code, detail = memory.error
    return {"at": at, "code": code, "detail": detail}
