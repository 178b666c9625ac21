"""``healthcert keys``: a country's public key infrastructure, and keys of other issuers."""

from __future__ import annotations

import click

from healthcert_cli.commands.issuer_keys import new_issuer
from healthcert_cli.commands.keys import looking, making, requests, rolling


@click.group()
def command() -> None:
    """Make signing authorities (CSCA), document signing certificates (DSC) and keys of other issuers.

    Private keys are made in files, written for their owner's eyes only and encrypted unless --no-passphrase is
    given, or in a hardware module (--pkcs11), which they never leave. --log keeps a record to print and sign.
    """


for part in (making.new_ca, making.new_dsc_command, making.new_bcs, making.new_upload, making.new_tls, new_issuer):
    command.add_command(part)
for part in (requests.request, requests.sign, requests.accept_command):
    command.add_command(part)
for part in (rolling.roll, looking.check, looking.show):
    command.add_command(part)
