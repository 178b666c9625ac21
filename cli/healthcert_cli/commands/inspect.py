"""``healthcert inspect``: a look inside, for developers and support."""

from __future__ import annotations

import json

import click

from healthcert.limits import DEFAULT_LIMITS
from healthcert.verify.inspect import Unverified, inspect_unverified
from healthcert_cli.exits import Exit, boundary
from healthcert_cli.options import json_option
from healthcert_cli.render import tree_lines
from healthcert_cli.sources import read_source
from healthcert_cli.text import printable


@click.command()
@click.argument("source", default="-")
@json_option
@boundary
def command(source: str, as_json: bool) -> Exit:
    """Show every layer of the certificates in SOURCE, without verifying anything.

    SOURCE is a picture, a text file, or - for standard input (the default). Anyone can have written what
    is shown. With --json, one line of JSON for each certificate.
    """
    problems = 0
    for text in read_source(source, DEFAULT_LIMITS):
        seen = inspect_unverified(text)
        problems += seen.problem is not None
        click.echo(json.dumps(seen.to_dict()) if as_json else _describe(seen))
    return Exit.REFUSED if problems else Exit.ACCEPTED


def _describe(seen: Unverified) -> str:
    lines = [click.style(" UNVERIFIED ", fg="black", bg="yellow", bold=True) + f" {seen.family or 'unknown family'}"]
    values = seen.to_dict()
    for layer in values["layers"]:
        unit = "characters" if layer["name"] == "base45" else "bytes"
        lines.append(click.style(f"{layer['name']} ({layer['size']} {unit})", bold=True))
        lines.extend(tree_lines(layer["content"]))
    if seen.problem is not None:
        lines.append(
            click.style(printable(f"Cannot be read further: {seen.problem.detail} ({seen.problem.code})"), fg="red")
        )
    return "\n".join(lines)
