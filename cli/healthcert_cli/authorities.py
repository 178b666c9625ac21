"""The issuing authority that a command works for: its profile, its register, and what opens its keys."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from healthcert.authority.profile import (
    PROFILE_NAME,
    VARIABLE,
    find_profile,
    load_profile,
    open_authority,
    open_register,
)
from healthcert.authority.profile_tables import Profile
from healthcert.batch.answers import Answers
from healthcert_cli.options import Decorator, passphrase_option, pin_option
from healthcert_cli.signing import CommandLineSecrets

if TYPE_CHECKING:  # they need the extra `register`, which not everybody has
    from healthcert.authority.authority import IssuingAuthority
    from healthcert.authority.register import Register

profile_option: Decorator = click.option(
    "--profile",
    type=click.Path(dir_okay=False, path_type=Path),
    help=f"The authority's profile (or the variable {VARIABLE}). [default: {PROFILE_NAME}, where it is here]",
)


def authority_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--profile``, and what opens the keys that it names where it does not say so itself."""
    for option in (pin_option, passphrase_option, profile_option):
        command = option(command)
    return command


def profile_path(given: Path | None) -> Path:
    """The profile that is meant. Wrong usage where there is none."""
    path = given or find_profile()
    if path is None:
        raise click.UsageError(f"there is no {PROFILE_NAME} here: healthcert init makes one, --profile names another")
    return path


def profile_of(given: Path | None) -> Profile:
    """The profile that is meant, read. Raises as :func:`load_profile`."""
    return load_profile(profile_path(given))


def files_of(path: Path, profile: Profile) -> list[Path]:
    """The profile and the files that it names: what nothing may be written over."""
    from healthcert.authority.doctor.files import private_files, register_file

    tables = (*profile.signer, *([profile.upload] if profile.upload else []))
    register = register_file(profile)
    # SQLite's own, which come and go beside a register.
    beside = [register.with_name(register.name + end) for end in ("-wal", "-shm", "-journal")] if register else []
    return [path, *private_files(profile), *beside, *(table.certificate for table in tables)]


@contextmanager
def authority_of(
    profile: Profile, passphrase_file: Path | None, pin_file: Path | None, *, without: Collection[bytes] = ()
) -> Iterator[IssuingAuthority]:
    """The authority of a profile, with its keys. Raises as :func:`open_authority`."""
    authority = open_authority(profile, CommandLineSecrets(passphrase_file, pin_file), without=without)
    try:
        yield authority
    finally:
        authority.register.close()


def asked_once(profile: Profile, passphrase_file: Path | None, pin_file: Path | None) -> Answers:
    """What opens the keys of a profile, for processes that are to open them as well: they do open, here and now.

    Raises as :func:`open_authority`.
    """
    answers = Answers(CommandLineSecrets(passphrase_file, pin_file))
    open_authority(profile, answers).register.close()
    return answers


@contextmanager
def register_of(profile: Profile) -> Iterator[Register]:
    """The register of a profile; no key is opened. Raises as :func:`open_register`."""
    register = open_register(profile)
    try:
        yield register
    finally:
        register.close()
