"""The signer of a command: its options, and how it is loaded."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, overload

import click

from healthcert.errors import IssueError
from healthcert.issue.hsm.uri import Pkcs11Uri, is_pkcs11
from healthcert.issue.keysource import COMMAND, open_signer
from healthcert.issue.signer import KeySigner, PemSigner, Signer, needs_passphrase
from healthcert.limits import DEFAULT_LIMITS, read_file
from healthcert_cli.options import PIN_FILE_HELP, passphrase, passphrase_option, pin

_existing = click.Path(exists=True, dir_okay=False, path_type=Path)
_PIN_FILE = f"{__name__}.pin_file"


class KeySource(click.ParamType["str | Path"]):
    """Where a private key is: an existing file (a path), a PKCS #11 URI or a ``command:`` line (texts)."""

    name = "key"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str | Path:
        if isinstance(value, Path):
            return value
        if is_pkcs11(value):
            try:
                Pkcs11Uri.parse(value)
            except IssueError as error:
                self.fail(error.detail, param, ctx)
            return str(value)
        if value.startswith(COMMAND):
            return str(value)
        path = _existing.convert(value, param, ctx)
        assert isinstance(path, Path)
        return path


class CommandLineSecrets:
    """Passphrases and PINs from files, variables or prompts; never from arguments, which others can see."""

    def __init__(self, passphrase_file: Path | None = None, pin_file: Path | None = None) -> None:
        self._passphrase_file, self._pin_file = passphrase_file, pin_file

    def passphrase(self, path: Path) -> bytes:
        """The passphrase of a key file: from the file named, HEALTHCERT_PASSPHRASE, or a prompt."""
        return passphrase(self._passphrase_file)

    def pin(self, token: str) -> str:
        """The PIN of a token: from the file named, HEALTHCERT_PIN, or a prompt."""
        return pin(self._pin_file, token)


def signer_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--key``, ``--certificate``, ``--passphrase-file`` and ``--pin-file`` of one who signs lists.

    The PIN's file is not handed to the command: :func:`load_signer` finds it.
    """
    for option in (
        click.option("--pin-file", type=_existing, expose_value=False, callback=_keep_pin_file, help=PIN_FILE_HELP),
        passphrase_option,
        click.option("--certificate", type=_existing, required=True, help="The signer's certificate."),
        click.option(
            "--key",
            type=KeySource(),
            required=True,
            help="The signer's private key: a file, or a key of a hardware module by its PKCS #11 URI.",
        ),
    ):
        command = option(command)
    return command


@overload
def load_signer(
    key: Path, certificate: Path, passphrase_file: Path | None, pin_file: Path | None = None
) -> PemSigner: ...
@overload
def load_signer(
    key: str | Path, certificate: Path, passphrase_file: Path | None, pin_file: Path | None = None
) -> Signer: ...
def load_signer(
    key: str | Path, certificate: Path, passphrase_file: Path | None, pin_file: Path | None = None
) -> Signer:
    """The signer with this key; a passphrase or PIN is asked for when the key needs one."""
    context = click.get_current_context(silent=True)
    if pin_file is None and context is not None:
        pin_file = context.meta.get(_PIN_FILE)
    return open_signer(key, certificate, CommandLineSecrets(passphrase_file, pin_file))


def load_key_signer(key: Path, passphrase_file: Path | None) -> KeySigner:
    """The signer with the key in this file, which has no certificate; as :func:`load_signer` otherwise."""
    encrypted = needs_passphrase(read_file(key, DEFAULT_LIMITS.key_file_bytes))
    return KeySigner.load(key, passphrase=passphrase(passphrase_file) if encrypted else None)


def _keep_pin_file(context: click.Context, _: click.Parameter, value: Path | None) -> None:
    context.meta[_PIN_FILE] = value
