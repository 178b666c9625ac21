"""Trusted keys from files: certificates and bare public keys, PEM or DER, alone, in bundles or in folders."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from healthcert.errors import Code, Step, TrustError
from healthcert.limits import DEFAULT_LIMITS, Limits
from healthcert.trust.keys import TrustedKey, load_public_key
from healthcert.trust.x509 import read_certificate

_PEM = re.compile(rb"-----BEGIN ([A-Z0-9 ]{1,40})-----(.{1,100000}?)-----END \1-----", re.DOTALL)
_CERTIFICATE_LABELS = (b"CERTIFICATE", b"X509 CERTIFICATE", b"TRUSTED CERTIFICATE")
_SUFFIXES = frozenset((".pem", ".crt", ".cer", ".der", ".key", ".pub"))


@dataclass(frozen=True, slots=True)
class Rejected:
    """An entry that could not be used: where it was, and why."""

    source: str
    error: TrustError


def read_entries(data: bytes | str, *, source: str, kid: bytes | None = None) -> Iterator[TrustedKey | Rejected]:
    """Every certificate and public key in ``data``: DER, PEM (any number of blocks), or base64 of DER.

    ``kid`` is for a bare public key, which has none of its own. One unusable entry does not disturb the others.
    """
    octets = data.encode("utf-8", "replace") if isinstance(data, str) else data
    if octets[:1] == b"\x30":
        yield _entry(octets, source, kid)
        return
    blocks = [(match[1], match[2]) for match in _PEM.finditer(octets)]
    if not blocks and b"-----BEGIN" not in octets:
        blocks = [(b"", octets)]
    if not blocks:
        yield Rejected(source, _error("a PEM block without its end"))
    for number, (label, body) in enumerate(blocks, 1):
        where = f"{source}#{number}" if len(blocks) > 1 else source
        if label.endswith(b"PRIVATE KEY"):
            yield Rejected(where, _error("a private key has no place in a trust store"))
            continue
        try:
            der = base64.b64decode(b"".join(body.split()), validate=True)
        except (binascii.Error, ValueError):
            yield Rejected(where, _error("neither DER, PEM nor base64"))
            continue
        yield _entry(der, where, kid, certificate=label in _CERTIFICATE_LABELS)


def read_path(path: Path, *, limits: Limits = DEFAULT_LIMITS) -> Iterator[TrustedKey | Rejected]:
    """Every entry of a file, or of the key and certificate files of a folder and the folders in it.

    A bare public key takes its kid from a file name of 16 hexadecimal digits (``0a1b2c3d4e5f6071.pem``).
    """
    folder = path.is_dir()
    files: Iterable[Path] = [path]
    if folder:
        files = (p for p in sorted(path.rglob("*")) if p.suffix.lower() in _SUFFIXES and p.is_file())
    for file in files:
        source = str(file.relative_to(path)) if folder else file.name
        try:
            with file.open("rb") as stream:
                data = stream.read(limits.file_bytes + 1)
        except OSError as problem:
            yield Rejected(source, _error(f"cannot be read ({type(problem).__name__})"))
            continue
        if len(data) > limits.file_bytes:
            yield Rejected(source, _error(f"larger than {limits.file_bytes} bytes"))
            continue
        kid = bytes.fromhex(file.stem) if re.fullmatch(r"[0-9A-Fa-f]{16}", file.stem) else None
        yield from read_entries(data, source=source, kid=kid)


def _entry(der: bytes, source: str, kid: bytes | None, certificate: bool = False) -> TrustedKey | Rejected:
    try:
        try:
            return read_certificate(der, source=source)
        except TrustError:
            if certificate:
                raise
            load_public_key(der)
        if kid is None:
            return Rejected(source, _error("a bare public key needs a kid: give one, or name the file by it"))
        return TrustedKey(kid=kid, spki=der, source=source)
    except TrustError as error:
        return Rejected(source, error)


def _error(detail: str) -> TrustError:
    return TrustError(Code.CERTIFICATE_UNREADABLE, detail, Step.TRUST)
