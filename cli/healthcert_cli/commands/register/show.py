"""``healthcert register status``, ``list`` and ``show``."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from healthcert.authority.register import Registered, State
from healthcert.clock import SystemClock
from healthcert.errors import Code, RegisterError
from healthcert_cli.authorities import profile_of, profile_option, register_of
from healthcert_cli.commands.register.naming import find
from healthcert_cli.commands.trust.shared import Kid
from healthcert_cli.exits import boundary
from healthcert_cli.options import json_option
from healthcert_cli.render import table


@click.command()
@profile_option
@json_option
@boundary
def status(profile: Path | None, as_json: bool) -> None:
    """Tell how many certificates there are, by key, kind and state."""
    with register_of(profile_of(profile)) as register:
        counts = register.counts()
    if as_json:
        click.echo(json.dumps([_count(one) for one in counts]))
        return
    rows = [tuple(str(value) for value in _count(one).values()) for one in counts]
    for line in table([("KID", "KIND", "STATE", "CERTIFICATES", "NOT EXPIRED"), *rows]):
        click.echo(line)


@click.command("list")
@click.option("--kid", type=Kid(), help="Those of this key alone.")
@profile_option
@json_option
@boundary
def list_(kid: bytes | None, profile: Path | None, as_json: bool) -> None:
    """List the certificates that are issued and have not expired."""
    now = SystemClock().now()
    with register_of(profile_of(profile)) as register:
        for one in register.live(kid=kid, at=now):
            click.echo(json.dumps(told(one)) if as_json else line_of(one))


@click.command()
@click.argument("name", metavar="IDENTIFIER|FILE|-")
@profile_option
@json_option
@boundary
def show(name: str, profile: Path | None, as_json: bool) -> None:
    """Tell what the register has of one certificate.

    It is named by its identifier, or given as a picture or text in a file or on standard input.
    """
    with register_of(profile_of(profile)) as register:
        one = find(register, name)
    if one is None:
        raise RegisterError(Code.NOT_IN_REGISTER, "the register has no such certificate")
    if as_json:
        click.echo(json.dumps(told(one)))
        return
    for label, value in told(one).items():
        click.echo(f"{label.replace('_', ' '):16}{value}")


def told(one: Registered) -> dict[str, Any]:
    """What is told of a certificate, for JSON."""
    return {
        "certificate_id": one.certificate_id,
        "state": one.state.value,
        "state_at": _moment(one.state_at),
        "kind": one.entry_type.value,
        "edition": one.edition,
        "issued_at": _moment(one.issued_at),
        "expires": _moment(one.expires),
        "kid": one.kid.hex(),
        "signature_hash": one.signature_hash.hex(),
    }


def line_of(one: Registered) -> str:
    """The same in a line, shorter."""
    state = "" if one.state is State.ISSUED else f", {one.state} {_moment(one.state_at)}"
    return f"{one.certificate_id}  {one.entry_type}, until {one.expires:%Y-%m-%d %H:%M} UTC, key {one.kid.hex()}{state}"


def _count(one: Any) -> dict[str, Any]:
    return {
        "kid": one.kid.hex(),
        "kind": one.entry_type.value,
        "state": one.state.value,
        "certificates": one.certificates,
        "not_expired": one.unexpired,
    }


def _moment(moment: datetime) -> str:
    return moment.isoformat()
