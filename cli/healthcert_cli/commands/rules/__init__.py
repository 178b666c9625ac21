"""``healthcert rules``: the rules by which countries accept certificates."""

from __future__ import annotations

import click

from healthcert_cli.commands.rules import check, forecasting, lint, lists, show


@click.group()
def command() -> None:
    """Keep the rules by which countries accept certificates, ask them, and check one's own.

    The store is one file: --store, else the variable HEALTHCERT_RULES, else one in the user's data folder.
    """


for part in (lists.update, lists.add, lists.remove, lists.recheck):
    command.add_command(part)
for part in (show.list_rules, show.show, show.status, show.formats):
    command.add_command(part)
for part in (check.check, forecasting.forecast_command, lint.lint):
    command.add_command(part)
