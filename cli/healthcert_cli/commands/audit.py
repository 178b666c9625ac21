"""``healthcert audit``: what was done with an authority's keys and register, in a log that tells of every change."""

from __future__ import annotations

import json
from pathlib import Path

import click

from healthcert_cli.authorities import profile_of, profile_option, register_of
from healthcert_cli.exits import boundary
from healthcert_cli.options import json_option


class Head(click.ParamType[bytes]):
    """The hash of an entry, in hexadecimal."""

    name = "hash"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> bytes:
        try:
            head = value if isinstance(value, bytes) else bytes.fromhex(str(value))
        except ValueError:
            head = b""
        return head if len(head) == 32 else self.fail("not a hash of 64 hexadecimal digits", param, ctx)


@click.group()
def command() -> None:
    """Verify and export the audit log: who did when what with which certificate and key; nothing personal."""


@command.command()
@click.option("--head", type=Head(), help="A head that was noted before: tells of a log that was cut or written anew.")
@profile_option
@json_option
@boundary
def verify(head: bytes | None, profile: Path | None, as_json: bool) -> None:
    """Hold the log against itself, and the register against the log. Note the head that is told, elsewhere."""
    from healthcert.authority.audit import verify_audit

    with register_of(profile_of(profile)) as register:
        state = verify_audit(register, head=head)
    if as_json:
        click.echo(json.dumps({"entries": state.count, "head": state.head.hex()}))
    else:
        click.echo(f"{state.count} entries, and the chain holds. Head: {state.head.hex()}")


@command.command()
@click.option("--after", type=click.IntRange(min=0), default=0, show_default=True, help="Only those after this number.")
@profile_option
@boundary
def export(after: int, profile: Path | None) -> None:
    """Write the log as JSON Lines to standard output."""
    from healthcert.authority.audit import audit_lines

    with register_of(profile_of(profile)) as register:
        for line in audit_lines(register, after=after):
            click.echo(line)
