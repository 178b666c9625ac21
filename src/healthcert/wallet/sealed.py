"""A file that opens with a passphrase: the age format (age-encryption.org/v1), by the extra ``wallet``."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from healthcert.errors import Code, WalletError
from healthcert.files import lock, sync_folder
from healthcert.limits import Limits, read_file


def check_passphrase(passphrase: str) -> None:
    """Raises :class:`WalletError` (``WALLET_UNREADABLE``) for what protects nothing, or is no text."""
    if not passphrase:
        raise unreadable("an empty passphrase protects nothing")
    try:
        passphrase.encode()
    except UnicodeEncodeError:  # bytes of the environment that are no UTF-8
        raise unreadable("the passphrase is not in UTF-8") from None


def unseal(path: Path, passphrase: str, limits: Limits) -> bytes:
    """What a file holds.

    Raises :class:`WalletError`: ``WALLET_UNREADABLE`` for another passphrase, a damaged file or one of another kind,
    ``EXTRA_MISSING``; :class:`DecodeError` (``INPUT_TOO_LONG``), OSError.
    """
    pyrage = _pyrage()
    try:
        return bytes(pyrage.passphrase.decrypt(read_file(path, limits.wallet_bytes), passphrase))
    except pyrage.DecryptError:
        # An authenticated format does not tell a wrong passphrase from a file that was altered.
        raise unreadable("it does not open with this passphrase, or is damaged") from None


def seal(path: Path, data: bytes, passphrase: str) -> None:
    """Replaces a file, whole or not at all; only its owner may read it.

    Raises :class:`WalletError` (``EXTRA_MISSING``), OSError.
    """
    encrypted = _pyrage().passphrase.encrypt(data, passphrase)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(encrypted)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    sync_folder(path.parent)


@contextmanager
def taken(path: Path) -> Iterator[None]:
    """Keeps other programs from the file until it is done with, by an empty file beside it.

    Raises :class:`WalletError` (``WALLET_UNREADABLE``) where another has it, or it is no file of its own, OSError.
    """
    # The file is replaced as a whole: a link would be, and not what it leads to; a pipe would keep the reader waiting.
    if path.is_symlink() or (path.exists() and not path.is_file()):
        raise unreadable("it is a link, a folder or a device: name the file itself")
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    no_links = getattr(os, "O_NOFOLLOW", 0)  # Windows has no such flag
    descriptor = os.open(path.with_name(f".{path.name}.lock"), os.O_RDWR | os.O_CREAT | no_links, 0o600)
    try:
        try:
            lock(descriptor)
        except BlockingIOError:
            raise unreadable("another program has it open") from None
        yield
    finally:
        os.close(descriptor)


def unreadable(detail: str) -> WalletError:
    return WalletError(Code.WALLET_UNREADABLE, f"the wallet: {detail}")


def _pyrage() -> Any:
    try:
        import pyrage
    except ModuleNotFoundError:
        detail = "wallets are encrypted with the package pyrage: pip install 'healthcert[wallet]'"
        raise WalletError(Code.EXTRA_MISSING, detail) from None
    return pyrage
