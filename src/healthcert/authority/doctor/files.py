"""The machine that a set-up stands on: its clock, its disk, and who else may read what is secret."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from healthcert.authority.doctor.diagnosis import SKEW, Diagnoses, fault, fine, warning
from healthcert.authority.profile_tables import Profile, SignerTable
from healthcert.issue.hsm.uri import Pkcs11Uri, is_pkcs11
from healthcert.issue.keysource import is_file

SET_CLOCK = "set the clock and have it kept (timedatectl set-ntp true): a certificate states when it was issued"
_OTHERS_ANY, _OTHERS_WRITE = 0o077, 0o022
_LEAST_ROOM, _GOOD_ROOM = 100 * 2**20, 2**30  # bytes


def check_clock(path: Path, now: datetime) -> Diagnoses:
    """A clock that stands before the moment when the profile was written is behind."""
    written = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    if written > now + SKEW:
        told = f"the clock says {now:%Y-%m-%d %H:%M} UTC, and the profile was written on {written:%Y-%m-%d}"
        yield fault("clock", told, SET_CLOCK)
    else:
        yield fine("clock", f"{now:%Y-%m-%d %H:%M:%S} UTC")


def check_permissions(path: Path, profile: Profile) -> Diagnoses:
    """Who else could read the secrets, or change what is signed, and with what."""
    if os.name != "posix":
        return
    wrong = False
    for file in dict.fromkeys(private_files(profile)):
        # What is no file, the check that needs it tells; the modes of a device are not to be changed for that.
        mode = None if is_special(file) else _mode(file)
        if mode is not None and mode & _OTHERS_ANY:
            wrong = True
            told = f"other users of this machine can reach {file} (mode {mode:03o})"
            yield fault("permissions", told, f"chmod 600 {file}; think of who could have read it until now")
    for file in (path, path.absolute().parent):
        mode = _mode(file)
        if mode is not None and mode & _OTHERS_WRITE and not mode & stat.S_ISVTX:
            wrong = True
            yield fault(
                "permissions", f"other users of this machine can change {file} (mode {mode:03o})", f"chmod go-w {file}"
            )
    if not wrong:
        yield fine("permissions", "what is secret is its owner's alone")


def check_room(profile: Profile) -> Diagnoses:
    """The disk that the register is written to."""
    register = register_file(profile)
    if register is None or not register.parent.is_dir():
        return  # that there is none, the register's own check tells
    free = shutil.disk_usage(register.parent).free
    told = f"{free // 2**20} MiB are free at {register.parent}"
    if free < _LEAST_ROOM:
        yield fault("disk", told, "make room: nothing is issued that cannot be registered")
    elif free < _GOOD_ROOM:
        yield warning("disk", told, "make room soon")
    else:
        yield fine("disk", told)


def register_file(profile: Profile) -> Path | None:
    """The file of a register in SQLite; None for one on a server."""
    return None if "://" in profile.register.url else Path(profile.register.url)


def private_files(profile: Profile) -> Iterator[Path]:
    """The files that only their owner may read."""
    yield profile.register.secret
    if (register := register_file(profile)) is not None:
        yield register
    for signer in (*profile.signer, *([profile.upload] if profile.upload else [])):
        yield from secret_files(signer)


def secret_files(signer: SignerTable) -> Iterator[Path]:
    """The key of a signer, where it is a file, and the files of what opens it."""
    yield from (file for file in (signer.passphrase_file, signer.pin_file) if file is not None)
    if is_file(signer.key):
        yield Path(signer.key)
    elif is_pkcs11(signer.key) and (source := Pkcs11Uri.parse(signer.key).pin_source) is not None:
        yield Path(source)


def is_special(file: Path) -> bool:
    """Whether this is a pipe, a device or a folder: to read it could wait for ever, or have no end."""
    try:
        return not stat.S_ISREG(file.stat().st_mode)
    except OSError:
        return False  # that it is not there is told by the check that needs it


def _mode(file: Path) -> int | None:
    try:
        return stat.S_IMODE(file.stat().st_mode)
    except OSError:
        return None  # that it is not there is told by the check that needs it
