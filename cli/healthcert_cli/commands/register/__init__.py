"""``healthcert register``: what an authority issued, and what becomes of it."""

from __future__ import annotations

import click

from healthcert_cli.commands.register import binding, reissuing, show


@click.group()
def command() -> None:
    """Ask the register of what was issued, bind certificates to their holders, and issue anew after a lost key.

    A register knows certificates by their identifiers; it holds no name, no birth date and no health data.
    """


for part in (show.status, show.list_, show.show, reissuing.reissue, binding.claim_code, binding.claim, binding.bound):
    command.add_command(part)
