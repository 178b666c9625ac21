"""The record of a key ceremony: what was made or signed, when and by whom, on paper that witnesses sign.

It holds nothing secret: no key, passphrase or PIN. It is text of a fixed width, to be printed as it is.
"""

from __future__ import annotations

import hashlib
import os
import textwrap
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from msgspec import Struct

from healthcert.issue.pki.keys import CertifiedKey

_WIDTH = 72
_LABEL = 16
OPENING = b"=" * _WIDTH
"""What a file of records begins with."""
_SIGNATURES = 3
_GROUP = 4  # digits of a fingerprint that stand together
_DISTINGUISHED = {"2.5.4.6": "C", "2.5.4.10": "O", "2.5.4.11": "OU", "2.5.4.3": "CN"}


class CeremonyStep(Struct, frozen=True, kw_only=True):
    """One step: ``facts`` are its names and values, in their order."""

    at: datetime
    operator: str
    command: str
    action: str
    facts: tuple[tuple[str, str], ...]


def facts_of(certificate: x509.Certificate) -> list[tuple[str, str]]:
    """What is to be read in a record about a certificate."""
    return [
        ("Subject", _name(certificate.subject)),
        ("Issuer", _name(certificate.issuer)),
        ("Serial number", _grouped(f"{certificate.serial_number:X}")),
        ("Valid from", _time(certificate.not_valid_before_utc)),
        ("Valid until", _time(certificate.not_valid_after_utc)),
        ("Certificate", "SHA-256 " + _digest(certificate.public_bytes(Encoding.DER))),
        *facts_of_key(_spki(certificate)),
    ]


def facts_of_key(spki: bytes) -> list[tuple[str, str]]:
    """What is to be read in a record about a public key, a SubjectPublicKeyInfo in DER."""
    return [("Public key", "SHA-256 " + _digest(spki))]


def record(step: CeremonyStep) -> str:
    """The step as a block of text, with lines for the signatures of those who were there."""
    lines = [
        "=" * _WIDTH,
        "RECORD OF A KEY CEREMONY",
        "-" * _WIDTH,
        *_fact("When", _time(step.at)),
        *_fact("Who", step.operator),
        *_fact("Command", step.command),
        *_fact("Step", step.action),
    ]
    for name, value in step.facts:
        lines += _fact(name, value)
    lines += ["-" * _WIDTH, "Witnessed by (name, date, signature):"]
    for number in range(1, _SIGNATURES + 1):
        lines += ["", f"{number}. {'_' * 24}  {'_' * 12}  {'_' * 29}"]
    return "\n".join((*lines, "", ""))


def append(path: Path, steps: Sequence[CeremonyStep]) -> None:
    """Appends the records of some steps to a file, of which others may read nothing. Raises OSError."""
    data = "".join(map(record, steps)).encode("utf-8")
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "ab") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _fact(name: str, value: str) -> Iterator[str]:
    room = _WIDTH - _LABEL
    shown = "".join(character if character.isprintable() else "�" for character in value)
    for number, line in enumerate(textwrap.wrap(shown, room, break_on_hyphens=False) or [""]):
        yield f"{name if number == 0 else '':<{_LABEL}}{line}".rstrip()


def _name(name: x509.Name) -> str:
    return ", ".join(
        f"{_DISTINGUISHED.get(attribute.oid.dotted_string, attribute.oid.dotted_string)}={attribute.value!s}"
        for attribute in name
    )


def _spki(certificate: x509.Certificate) -> bytes:
    key = certificate.public_key()
    assert isinstance(key, CertifiedKey)
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _digest(data: bytes) -> str:
    return _grouped(hashlib.sha256(data).hexdigest().upper())


def _grouped(digits: str) -> str:
    return " ".join(digits[start : start + _GROUP] for start in range(0, len(digits), _GROUP))


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
