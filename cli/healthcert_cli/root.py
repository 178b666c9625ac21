"""The ``healthcert`` command: a group that imports a command only when it is called."""

from __future__ import annotations

import sys
import warnings
from importlib import import_module
from io import TextIOWrapper

import click

from healthcert import __version__
from healthcert.errors import HealthCertError
from healthcert_cli.exits import Exit

# Name and one line of help; the module of the same name holds the rest.
COMMANDS = {
    "demo": "Sign, draw, read back and verify a certificate of a made-up person.",
    "issue": "Issue vaccination, test and recovery certificates, one by one or whole files.",
    "verify": "Verify certificates in pictures, text files or standard input.",
    "scan": "Show at a door, in large letters, whether each certificate that is scanned is valid.",
    "inspect": "Show every layer of a certificate, unverified.",
    "document": "Print a certificate, or make a card or a telephone's pass of it.",
    "wallet": "Keep one's own certificates in an encrypted file, and show the best one.",
    "link": "Show, open and make health links.",
    "trust": "Keep the keys that certificates are verified with.",
    "revocation": "Keep the lists of revoked certificates, and ask them.",
    "revoke": "Revoke certificates: make signed batches that others read.",
    "rules": "Keep the countries' rules of entry, ask them, and check one's own.",
    "publish": "Publish a country's keys in the formats that others read.",
    "keys": "Make signing authorities (CSCA) and document signing certificates (DSC).",
    "sign": "Sign digests that another machine sends: the signer's side of remote signing.",
    "init": "Set up an issuing authority: its profile, its register, and keys if wanted.",
    "doctor": "Look over an issuing authority's set-up, and tell each fault with its remedy.",
    "register": "Ask the register of what was issued, bind certificates to holders, issue anew after a lost key.",
    "audit": "Verify and export the log of what was done with an authority's keys and register.",
    "conformance": "Hold this verifier, or another, against published test cases.",
    "completion": "Print the completion script of a shell.",
}


class _NotInstalled(click.ClickException):
    exit_code = Exit.ENVIRONMENT


class LazyGroup(click.Group):
    """Knows its commands by name, and loads one when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        try:
            command = import_module(f"healthcert_cli.commands.{cmd_name}").command
        except HealthCertError as error:  # a package that it needs is not installed
            raise _NotInstalled(f"{error.code}: {error.detail}") from None
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="healthcert")
def group() -> None:
    """Issue and verify signed health certificates (EU DCC / HCERT).

    Exit codes: 0 accepted, 1 refused, 2 wrong usage, 3 could not be determined, 4 the environment failed, 130 stopped.
    """


def main() -> None:
    """The console script."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a name must not turn an accepted certificate into an error.
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")
    warnings.filterwarnings("ignore", module=r"PIL\.")  # of damaged pictures, which are judged here
    group(prog_name="healthcert")
