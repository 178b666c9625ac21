"""The secret of a register: what is kept of people and signatures is of no use to anybody without it."""

from __future__ import annotations

import hmac
import os
import re
import secrets
import stat
from pathlib import Path
from typing import NoReturn, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from healthcert.errors import Code, RegisterError

_LENGTH = 32
_NONCE = 12  # bytes; random ones do for 2^32 messages under one key (NIST SP 800-38D §8.3)
_LABEL = b"healthcert register 1: "
_FORM = re.compile(rb"([0-9a-f]{64})\n?")
_OTHERS = 0o077


class RegisterSecret:
    """32 random bytes, and the keys that are derived from them (HKDF, RFC 5869), one for each use.

    Two registers with one secret would know the same person's records as the same: each has its own.
    """

    __slots__ = ("_check", "_code", "_identifier", "_record", "_seal")

    def __init__(self, key: bytes) -> None:
        """Raises :class:`RegisterError` (``REGISTER_UNUSABLE``) for anything but 32 bytes."""
        if len(key) != _LENGTH:
            raise _unusable("the register's secret is not of 32 bytes")
        self._record = _derived(key, b"records")
        self._identifier = _derived(key, b"identifiers")
        self._code = _derived(key, b"claim codes")
        self._check = _derived(key, b"check value")
        self._seal = AESGCM(_derived(key, b"seals"))

    @classmethod
    def new(cls) -> Self:
        """A fresh one, kept nowhere: for registers that end with the process, as those of tests."""
        return cls(secrets.token_bytes(_LENGTH))

    def record_key(self, record: bytes) -> bytes:
        """By what a record is known again: 32 bytes that tell nothing of it."""
        return _tag(self._record, record)

    def identifier_seed(self, record: bytes, edition: int) -> bytes:
        """Of what the identifier of a record's certificate is made: 32 bytes that tell nothing of it.

        A run that was broken off before it could enter what it signed so gives the same identifier when it is done
        again, and a register that was restored from a backup does, too.
        """
        return _tag(self._identifier, b"%d\n%b" % (edition, record))

    def code_key(self, certificate_id: str, code: str) -> bytes:
        """What is kept of a claim code for a certificate."""
        return _tag(self._code, f"{certificate_id}\n{code}".encode())

    @property
    def check_value(self) -> bytes:
        """By what a register tells that a secret is not its own."""
        return _tag(self._check, b"")

    def seal(self, data: bytes, of: str) -> bytes:
        """``data`` encrypted, so that it opens only as that ``of`` the same thing (AES-256-GCM)."""
        nonce = os.urandom(_NONCE)
        return nonce + self._seal.encrypt(nonce, data, of.encode())

    def unseal(self, sealed: bytes, of: str) -> bytes:
        """What was sealed. Raises :class:`RegisterError` (``REGISTER_UNUSABLE``) for what was not, or was changed."""
        try:
            return self._seal.decrypt(sealed[:_NONCE], sealed[_NONCE:], of.encode())
        except (InvalidTag, ValueError):
            raise _unusable("a sealed value of the register was changed; restore it from a backup") from None

    def __repr__(self) -> str:
        return "RegisterSecret(...)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a register's secret is not pickled: each process reads it from its file")


def new_secret(path: str | Path) -> RegisterSecret:
    """A fresh secret in a new file that only its owner may read: 64 hexadecimal digits.

    Raises :class:`RegisterError` (``REGISTER_UNUSABLE``) when there is a file already, OSError when it cannot be
    written.
    """
    key = secrets.token_bytes(_LENGTH)
    try:
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise _unusable("there is a file already where the register's new secret should be; none is replaced") from None
    with os.fdopen(number, "w", encoding="ascii") as file:
        file.write(key.hex() + "\n")
        file.flush()
        os.fsync(file.fileno())
    return RegisterSecret(key)


def load_secret(path: str | Path) -> RegisterSecret:
    """The secret in a file. Raises :class:`RegisterError` (``REGISTER_UNUSABLE``), as for one that others may read.

    OSError when it cannot be read.
    """
    # A pipe in its place would be waited for, for ever.
    with open(path, "rb", opener=lambda name, flags: os.open(name, flags | getattr(os, "O_NONBLOCK", 0))) as file:
        found = os.fstat(file.fileno())
        # As ssh does with private keys: whoever else could read it may have.
        if os.name == "posix" and (not stat.S_ISREG(found.st_mode) or found.st_mode & _OTHERS):
            raise _unusable("the file of the register's secret is open to others; make it its owner's alone: chmod 600")
        match = _FORM.fullmatch(file.read(_LENGTH * 2 + 2))
    if match is None:
        raise _unusable("the file of the register's secret does not hold one (64 hexadecimal digits)")
    return RegisterSecret(bytes.fromhex(match[1].decode("ascii")))


def _derived(key: bytes, use: bytes) -> bytes:
    return HKDF(hashes.SHA256(), _LENGTH, salt=None, info=_LABEL + use).derive(key)


def _tag(key: bytes, data: bytes) -> bytes:
    return hmac.digest(key, data, "sha256")


def _unusable(detail: str) -> RegisterError:
    return RegisterError(Code.REGISTER_UNUSABLE, detail)
