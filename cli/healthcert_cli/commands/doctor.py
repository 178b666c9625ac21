"""``healthcert doctor``: what is wrong with an authority's set-up, and what to do about it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click
import msgspec

from healthcert.authority.doctor import Level, examine
from healthcert.clock import SystemClock
from healthcert_cli.authorities import profile_option, profile_path
from healthcert_cli.exits import Exit, boundary
from healthcert_cli.options import default_revocations, default_store, json_option, passphrase_option, pin_option
from healthcert_cli.signing import CommandLineSecrets
from healthcert_cli.text import printable

_MARKS = {Level.FINE: ("✓", "green"), Level.WARNING: ("!", "yellow"), Level.FAULT: ("✗", "red")}


@click.command("doctor")
@profile_option
@passphrase_option
@pin_option
@click.option("--ask", is_flag=True, help="Try all keys: ask for passphrases and PINs, and commands for a signature.")
@json_option
@boundary
def command(
    profile: Path | None, passphrase_file: Path | None, pin_file: Path | None, ask: bool, as_json: bool
) -> Exit:
    """Look over an authority's set-up: clock, permissions, disk, register, keys, expiry and lists.

    Each fault is told with its remedy, and nothing is changed. Keys whose passphrase or PIN is neither in the profile
    nor given are tried with --ask alone. Exit code 1 when there is a fault.
    """
    given = ask or passphrase_file is not None or pin_file is not None
    secrets = CommandLineSecrets(passphrase_file, pin_file) if given else None
    faults = 0
    for found in examine(
        profile_path(profile),
        clock=SystemClock(),
        secrets=secrets,
        trust=default_store(),
        revocation=default_revocations(),
    ):
        faults += found.level is Level.FAULT
        if as_json:
            click.echo(json.dumps(msgspec.to_builtins(found)))
            continue
        mark, colour = _MARKS[found.level]
        click.echo(f"{click.style(mark, fg=colour)} {found.check}: {printable(found.told)}")
        if found.remedy:
            click.echo(f"    {printable(found.remedy)}")
        sys.stdout.flush()
    return Exit.REFUSED if faults else Exit.ACCEPTED
