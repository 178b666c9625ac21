"""``healthcert rules list``, ``show``, ``status`` and ``formats``: which rules there are, and how old they are."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from healthcert.clock import SystemClock
from healthcert.errors import Code, RuleError
from healthcert.rules.describe import describe_rule
from healthcert.rules.generation import Generation
from healthcert.rules.rule import Rule
from healthcert.rules.sources.registry import SOURCES, source_named
from healthcert.rules.store import RuleStore
from healthcert_cli.commands.rules.shared import GRACE, open_store, rules_option, store_option
from healthcert_cli.commands.rules.telling import counted
from healthcert_cli.exits import Exit, boundary
from healthcert_cli.options import Country, at_option, json_option
from healthcert_cli.render import table
from healthcert_cli.rulestores import load_rules
from healthcert_cli.text import printable

_SHORTEST = 40  # characters of a description in a table


@click.command("list")
@click.option("--country", type=Country(), help="The rules of this country alone.")
@click.option("--type", "type_", help="The rules of this type alone: Acceptance, Invalidation ...")
@click.option("--valid", is_flag=True, help="Only those that are valid now.")
@click.option("--language", default="en", show_default=True, help="The language of the descriptions.")
@rules_option
@json_option
@boundary
def list_rules(
    country: str | None, type_: str | None, valid: bool, language: str, rules: Path | None, as_json: bool
) -> None:
    """List rules, and the countries that have some."""
    now = SystemClock().now()
    found = [
        rule
        for rule in load_rules(rules).book.rules
        if (country is None or rule.country == country)
        and (type_ is None or rule.type.lower() == type_.lower())
        and (not valid or rule.valid_from <= now < rule.valid_to)
    ]
    if as_json:
        for rule in found:
            click.echo(json.dumps(describe_rule(rule)))
        return
    heading = ("RULE", "VERSION", "TYPE", "ABOUT", "REGION", "FROM", "UNTIL", "WHAT IT ASKS")
    for line in table([heading, *(_row(rule, language) for rule in found)]):
        click.echo(line)
    countries = len({rule.country for rule in found})
    of = f"{countries} countries" if countries != 1 else "1 country"
    click.echo(f"{counted(len(found), 'rule')} of {of}", err=True)


@click.command()
@click.argument("identifier")
@click.option("--version", help="This version alone.")
@rules_option
@json_option
@boundary
def show(identifier: str, version: str | None, rules: Path | None, as_json: bool) -> Exit:
    """Show all that a rule says, in all its versions: IDENTIFIER is like VR-FR-0001."""
    found = [
        rule
        for rule in load_rules(rules).book.rules
        if rule.identifier.upper() == identifier.upper() and version in (None, rule.version)
    ]
    if not found:
        raise RuleError(Code.RULE_CONFIG_INVALID, "there is no such rule")
    for rule in found:
        if as_json:
            click.echo(json.dumps(describe_rule(rule) | _machinery(rule)))
        else:
            click.echo("\n".join(_lines(rule)))
    return Exit.ACCEPTED


@click.command()
@at_option
@store_option
@json_option
@boundary
def status(at: datetime | None, store: Path | None, as_json: bool) -> Exit:
    """Tell the age and end of every list, its rules by country, and what is wrong.

    Exit code 3: a list is so old that nothing can be told with its rules.
    """
    now = at or SystemClock().now()
    rules = open_store(store)
    lists = [_status(one, rules, now) for _, one in sorted(rules.state.lists.items())]
    never = [
        {"source": source, "state": "missing", "error": _error(rules, source)}
        for source in sorted(rules.state.memories.keys() - rules.state.lists.keys())
    ]
    sets = [{"id": one.id, "date": one.date, "codes": len(one.codes)} for one in rules.book.value_sets]
    conflicts = [f"{one.identifier} {one.version}: {one.used} counts, {one.other} differs" for one in rules.conflicts]
    if as_json:
        environment = rules.environment.value if rules.environment else None
        found = {"environment": environment, "lists": lists, "missing": never, "value_sets": sets}
        click.echo(json.dumps(found | {"conflicts": conflicts}))
    else:
        heading = ("SOURCE", "RULES", "COUNTRIES", "KNOWN BY", "FETCHED", "BEST BEFORE", "STATE")
        for line in table([heading, *map(_status_row, lists)]):
            click.echo(line)
        for line in table(
            [
                ("VALUE SET", "DATE", "CODES"),
                *((str(one["id"]), str(one["date"] or "-"), str(one["codes"])) for one in sets),
            ]
        ):
            click.echo(line)
        for line in [*(line for one in [*lists, *never] for line in _anomalies(one)), *conflicts]:
            click.echo(printable(line), err=True)
    return Exit.UNDETERMINED if never or any(one["state"] == "expired" for one in lists) else Exit.ACCEPTED


@click.command()
@json_option
@boundary
def formats(as_json: bool) -> None:
    """List the formats of published rules that can be read."""
    found = [(name, source_named(name)) for name in SOURCES]
    if as_json:
        for name, one in found:
            parts = {"parts": one.parts, "anchored": one.anchored, "options": one.options}
            click.echo(json.dumps({"name": name, "title": one.title} | parts))
        return
    rows = [
        (name, " ".join(one.parts) or "(by path)", "needed" if one.anchored else "-", " ".join(one.options), one.title)
        for name, one in found
    ]
    for line in table([("FORMAT", "FILES", "ANCHOR", "OPTIONS", "WHAT IT IS"), *rows]):
        click.echo(line)


def _machinery(rule: Rule) -> dict[str, Any]:
    return {
        "engine": rule.engine,
        "engine_version": rule.engine_version,
        "schema_version": rule.schema_version,
        "affected_fields": list(rule.affected_fields),
        "logic": rule.logic,
        "sha256": rule.digest,
    }


def _row(rule: Rule, language: str) -> tuple[str, ...]:
    days = (f"{moment:%Y-%m-%d}" for moment in (rule.valid_from, rule.valid_to))
    about = (rule.identifier, rule.version, rule.type, rule.certificate_type, rule.region or "-")
    return (*about, *days, _shortened(rule.description(language)))


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    most = max(_SHORTEST, click.get_current_context().max_content_width or 0)
    return line if len(line) <= most else f"{line[: most - 1]}…"


def _lines(rule: Rule) -> Iterator[str]:
    region = f", region {rule.region}" if rule.region else ""
    yield click.style(printable(f"{rule.identifier} {rule.version}"), bold=True)
    yield printable(f"  {rule.type} of {rule.country}{region}, about: {rule.certificate_type}")
    yield f"  valid from {rule.valid_from:%Y-%m-%d %H:%M} UTC until {rule.valid_to:%Y-%m-%d %H:%M} UTC"
    yield printable(f"  {rule.engine} {rule.engine_version}, schema {rule.schema_version}")
    for language, text in rule.descriptions:
        yield printable(f"  {language}: {' '.join(text.split())}")
    yield printable(f"  fields: {', '.join(rule.affected_fields)}")
    yield f"  logic: {json.dumps(rule.logic)}"


def _status(one: Generation, store: RuleStore, now: datetime) -> dict[str, Any]:
    head, best_before = one.head, one.head.best_before
    state = "fresh"
    if best_before is not None and now > best_before:
        state = "overdue" if now <= best_before + GRACE else "expired"
    return {
        "source": head.source,
        "format": head.format,
        "assurance": head.assurance.value,
        "rules": len(one.rules),
        "countries": dict(sorted(Counter(rule.country for rule in one.rules).items())),
        "national": sorted(one.documents.national),
        "issued_at": _iso(head.issued_at),
        "fetched_at": _iso(head.fetched_at),
        "expires_at": _iso(head.expires_at),
        "best_before": _iso(best_before),
        "state": state,
        "skipped": [{"entry": s.where, "code": s.code, "detail": s.detail} for s in one.documents.skipped],
        "error": _error(store, head.source),
    }


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _error(store: RuleStore, source: str) -> dict[str, Any] | None:
    memory = store.state.memories.get(source)
    if memory is None or memory.error is None:
        return None
    at, code, detail = memory.error
    return {"at": at, "code": code, "detail": detail}


def _status_row(one: dict[str, Any]) -> tuple[str, ...]:
    fetched, best_before = ((one[name] or "-")[:16].replace("T", " ") for name in ("fetched_at", "best_before"))
    known_by = one["assurance"].replace("_", " ")
    return (one["source"], str(one["rules"]), str(len(one["countries"])), known_by, fetched, best_before, one["state"])


def _anomalies(one: dict[str, Any]) -> Iterable[str]:
    if one["error"]:
        yield f"{one['source']}: the last attempt failed: {one['error']['detail']} ({one['error']['code']})"
    if skipped := one.get("skipped"):
        first = f"{skipped[0]['entry']}: {skipped[0]['detail']}"
        word = "entry was" if len(skipped) == 1 else "entries were"
        yield f"{one['source']}: {len(skipped)} {word} skipped, the first: {first}"
