"""The certificates of a holder and of whom they care for: kept as they were scanned, in one encrypted file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Annotated, Self

import msgspec
from msgspec import Meta, Struct

from healthcert.errors import Code, HealthCertError, WalletError
from healthcert.families import claimed
from healthcert.limits import DEFAULT_LIMITS, Limits
from healthcert.model import HealthCertificate, Private, Scan
from healthcert.wallet.sealed import check_passphrase, seal, taken, unreadable, unseal

_VERSION = 1


class WalletEntry(Private, frozen=True):
    """A certificate in a wallet: its text, which remembers the bytes of its barcode where it had some, and since when
    it is there."""

    text: str
    added: datetime

    def content(self, limits: Limits = DEFAULT_LIMITS) -> HealthCertificate:
        """What it claims, for its holder to know it by: no signature was checked. Raises :class:`HealthCertError`."""
        return claimed(self.text, limits)[1]


class _Kept(Struct, frozen=True, forbid_unknown_fields=True):
    """An entry in the file. ``data`` are the bytes of a barcode that is no text."""

    text: str
    added: Annotated[datetime, Meta(tz=True)]
    data: bytes | None = None


class _Content(Struct, frozen=True, forbid_unknown_fields=True):
    """What the file holds."""

    version: int
    certificates: tuple[_Kept, ...]


class Wallet:
    """A wallet that is open. What is added or removed is kept once it is saved."""

    def __init__(self, path: Path, passphrase: str, entries: tuple[WalletEntry, ...], limits: Limits) -> None:
        self.entries = entries
        self._path = path
        self._passphrase = passphrase
        self._limits = limits

    @classmethod
    @contextmanager
    def open(cls, path: str | Path, passphrase: str, *, limits: Limits = DEFAULT_LIMITS) -> Iterator[Self]:
        """The wallet in a file, an empty one where there is no file yet; nobody else has it meanwhile.

        Raises :class:`WalletError` (``WALLET_UNREADABLE``, ``EXTRA_MISSING``), :class:`DecodeError`
        (``INPUT_TOO_LONG``), OSError.
        """
        check_passphrase(passphrase)
        path = Path(path)
        with taken(path):
            yield cls(path, passphrase, _read(path, passphrase, limits) if path.exists() else (), limits)

    def add(self, text: str, added: datetime) -> bool:
        """Takes in a certificate that a barcode held; False where it is there already.

        Raises :class:`HealthCertError` for what is no health certificate, :class:`WalletError` (``WALLET_UNREADABLE``)
        for one more than there is room for.
        """
        entry = WalletEntry(text, added)
        signed = _signed(entry, self._limits)
        if signed in self._known():
            return False
        if len(self.entries) >= self._limits.wallet_entries:
            raise unreadable(f"it holds {self._limits.wallet_entries} certificates, and no more")
        self.entries = (*self.entries, entry)
        return True

    def _known(self) -> Iterator[tuple[bytes, bytes]]:
        for entry in self.entries:
            # One that was read when it was added, and cannot be read here, is another than what can be.
            with suppress(HealthCertError):
                yield _signed(entry, self._limits)

    def remove(self, number: int) -> None:
        """Takes out the certificate of this number, counted from 1. Raises IndexError."""
        if not 0 < number <= len(self.entries):
            raise IndexError(number)
        self.entries = self.entries[: number - 1] + self.entries[number:]

    def save(self) -> None:
        """Writes the file anew, or leaves the old one. Raises :class:`WalletError` (``EXTRA_MISSING``), OSError."""
        kept = tuple(_Kept(str(entry.text), entry.added, _data(entry.text)) for entry in self.entries)
        data = msgspec.json.encode(_Content(_VERSION, kept))
        if len(data) > self._limits.wallet_bytes // 2:
            raise WalletError(Code.INPUT_TOO_LONG, f"more than {self._limits.wallet_bytes // 2} bytes of certificates")
        seal(self._path, data, self._passphrase)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self.entries)} certificates)"


def _read(path: Path, passphrase: str, limits: Limits) -> tuple[WalletEntry, ...]:
    try:
        content = msgspec.json.decode(unseal(path, passphrase, limits), type=_Content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise unreadable("it is another program's, or of another version") from None
    if content.version != _VERSION or len(content.certificates) > limits.wallet_entries:
        raise unreadable("it is of another version, or too large")
    return tuple(WalletEntry(_text(one), one.added) for one in content.certificates)


def _text(kept: _Kept) -> str:
    return kept.text if kept.data is None else Scan(kept.text, kept.data)


def _data(text: str) -> bytes | None:
    """The bytes of a barcode, where they are not those of its text."""
    return text.data if isinstance(text, Scan) and text.data != text.encode() else None


def _signed(entry: WalletEntry, limits: Limits) -> tuple[bytes, bytes]:
    """What is signed, and the signature: one card may come in digits, as a token, and in a link.

    Raises :class:`HealthCertError`.
    """
    decoded, _ = claimed(entry.text, limits)
    return decoded.signed, decoded.signature
