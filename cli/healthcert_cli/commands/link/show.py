"""``healthcert link show``: what a link says, with nothing fetched."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import click

from healthcert_cli.commands.link.shared import EXITS, found_in, found_lines, link_dict, trust_option, worst
from healthcert_cli.exits import Exit, boundary
from healthcert_cli.options import at_option, json_option


@click.command()
@click.argument("source", default="-")
@click.option("--show-key", is_flag=True, help="Show the key that the files are encrypted with: a secret.")
@trust_option
@at_option
@json_option
@boundary
def show(source: str, show_key: bool, trust_paths: tuple[Path, ...], at: datetime | None, as_json: bool) -> Exit:
    """Show what the health links in SOURCE say. Nothing is fetched.

    SOURCE is a picture, a text file, or - for standard input (the default). A link in an HC1 certificate is shown once
    its signature holds, with the verdict. With --json, one line of JSON for each link.
    """
    every = found_in(source, trust_paths, at)
    for found in every:
        if as_json:
            click.echo(json.dumps({"source": source} | link_dict(found, show_key=show_key)))
        else:
            click.echo("\n".join(found_lines(source, found, show_key=show_key)))
    return worst(EXITS[found.report.outcome] for found in every if found.report is not None)
