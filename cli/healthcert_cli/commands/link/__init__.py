"""``healthcert link``: health links, and the files behind them."""

from __future__ import annotations

import click

from healthcert_cli.commands.link import making, opening, show


@click.group()
def command() -> None:
    """Show, open and make health links (SMART Health Links, WHO's Verifiable Health Links).

    A link says where files lie, and has the key to read them: it is a secret. Nothing is fetched but by `open`. Nothing
    signs a link by itself; one in an HC1 certificate is signed by the certificate's issuer.
    """


for part in (show.show, opening.open_, making.make, opening.decrypt):
    command.add_command(part)
