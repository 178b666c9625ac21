"""``healthcert document``: what a holder is handed, made of a certificate that is at hand."""

from __future__ import annotations

import click

from healthcert_cli.commands.document import pages, passes


@click.group()
def command() -> None:
    """Print a certificate, or make a page for a screen or a telephone's pass of it.

    SOURCE is a picture, a PDF or a text file with one certificate, or - for standard input. It is verified first, as
    `healthcert verify` does it, and nothing is made of one that is not accepted.
    """


for part in (pages.pdf, pages.html, passes.pkpass, passes.google):
    command.add_command(part)
