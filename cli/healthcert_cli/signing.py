"""The signer of a command: its options, and how it is loaded."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from healthcert.issue.signer import KeySigner, PemSigner, needs_passphrase
from healthcert.limits import DEFAULT_LIMITS, read_file
from healthcert_cli.options import passphrase, passphrase_option

_existing = click.Path(exists=True, dir_okay=False, path_type=Path)


def signer_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--key``, ``--certificate`` and ``--passphrase-file`` of one who signs lists."""
    for option in (
        passphrase_option,
        click.option("--certificate", type=_existing, required=True, help="The signer's certificate."),
        click.option("--key", type=_existing, required=True, help="The signer's private key."),
    ):
        command = option(command)
    return command


def load_signer(key: Path, certificate: Path, passphrase_file: Path | None) -> PemSigner:
    """The signer in these files; a passphrase is asked for when the key needs one."""
    encrypted = needs_passphrase(read_file(key, DEFAULT_LIMITS.key_file_bytes))
    return PemSigner.load(key, certificate, passphrase=passphrase(passphrase_file) if encrypted else None)


def load_key_signer(key: Path, passphrase_file: Path | None) -> KeySigner:
    """The signer with the key in this file, which has no certificate; as :func:`load_signer` otherwise."""
    encrypted = needs_passphrase(read_file(key, DEFAULT_LIMITS.key_file_bytes))
    return KeySigner.load(key, passphrase=passphrase(passphrase_file) if encrypted else None)
