"""What commands that fetch lists share: the file of sources, and how a server is reached."""

from __future__ import annotations

from pathlib import Path

import click

from healthcert.fetch import parse_address
from healthcert.https import HttpFetcher
from healthcert.lists.config import Connection
from healthcert_cli.options import Decorator

_BUDGET = 1800.0  # seconds for all that one source is asked for, so that a slow server does not keep the others waiting

config_option: Decorator = click.option(
    "--config",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    required=True,
    envvar="HEALTHCERT_SOURCES",
    help="The file of sources and pinned anchors (TOML). [or the variable HEALTHCERT_SOURCES]",
)


def fetcher_of(url: str | None, connection: Connection, *, anywhere: bool = False) -> HttpFetcher:
    """A fetcher for one source: it reaches the source's own server alone, unless the list leads ``anywhere``."""
    address = parse_address(url or "")
    return HttpFetcher(
        budget=_BUDGET,
        hosts=frozenset((address.authority,)) if address is not None and not anywhere else None,
        ca=connection.ca,
        client_certificate=connection.client_certificate,
        client_key=connection.client_key,
    )
