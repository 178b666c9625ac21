"""``healthcert revocation``: the lists of what was revoked, and the answers that they give."""

from __future__ import annotations

import click

from healthcert_cli.commands.revocation import carriage, issuing, lists, sending, show


@click.group()
def command() -> None:
    """Keep the lists of revoked certificates, ask them, and publish one's own.

    The store is a folder: --store, else the variable HEALTHCERT_REVOCATION, else one in the user's data folder. It is
    used by `verify`, too. Nothing is ever asked of a server about one certificate.
    """


for part in (lists.update, show.status, show.check, lists.import_, carriage.export, lists.remove, show.formats):
    command.add_command(part)
for part in (issuing.publish, sending.upload, sending.delete):
    command.add_command(part)
