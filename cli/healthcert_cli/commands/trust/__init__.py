"""``healthcert trust``: the keys that certificates are verified with, and the lists they come from."""

from __future__ import annotations

import click

from healthcert_cli.commands.trust import carriage, keys, lists, show


@click.group()
def command() -> None:
    """Keep the keys that certificates are verified with.

    The store is one file: --store, else the variable HEALTHCERT_TRUST, else one in the user's data folder.
    """


for part in (keys.add, keys.remove, lists.update, show.list_keys, show.show, show.why, show.status, show.diff):
    command.add_command(part)
for part in (lists.check, carriage.export, carriage.import_, show.formats):
    command.add_command(part)
