"""Trusted keys from files: certificates and bare public keys, PEM or DER, alone, in bundles or in folders."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from healthcert.errors import Code, DecodeError, Step, TrustError
from healthcert.limits import DEFAULT_LIMITS, Limits, read_file
from healthcert.lists.publickeys import load_public_key
from healthcert.lists.reading import Rejected
from healthcert.trust.keys import TrustedKey

_BEGIN = b"-----BEGIN "
_SUFFIXES = frozenset((".pem", ".crt", ".cer", ".der", ".key", ".pub", ".p7b", ".p7c"))
_PKCS7 = (b"PKCS7", b"CMS")  # RFC 7468 §8, §9
_SIGNED_DATA = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02"  # the type that such a file begins with
_LONGEST_HEADER = 6  # bytes before it


def read_entries(data: bytes | str, *, source: str, kid: bytes | None = None) -> Iterator[TrustedKey | Rejected]:
    """Every certificate and public key in ``data``: DER, PEM (any number of blocks), or base64 of DER.

    A PKCS #7 file (P7B) is read likewise: a CMS message, made to carry certificates. ``kid`` is for a bare public key,
    which has none of its own. One unusable entry does not disturb the others.
    """
    octets = data.encode("utf-8", "replace") if isinstance(data, str) else data
    if _BEGIN not in octets:
        yield from _binary(octets, source, kid) if octets[:1] == b"\x30" else _encoded(octets, source, kid)
        return
    blocks = octets.split(_BEGIN)[1:]
    for number, block in enumerate(blocks, 1):
        yield from _block(block, f"{source}#{number}" if len(blocks) > 1 else source, kid)


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
            data = read_file(file, limits.file_bytes)
        except OSError as problem:
            yield Rejected(source, _error(f"cannot be read ({type(problem).__name__})"))
            continue
        except DecodeError as error:
            yield Rejected(source, _error(error.detail))
            continue
        kid = bytes.fromhex(file.stem) if re.fullmatch(r"[0-9A-Fa-f]{16}", file.stem) else None
        yield from read_entries(data, source=source, kid=kid)


def _block(block: bytes, source: str, kid: bytes | None) -> Iterator[TrustedKey | Rejected]:
    """One PEM block (RFC 7468), from after its BEGIN to before the next one's."""
    label, _, rest = block.partition(b"-----")
    body, end, _ = rest.partition(b"-----END " + label + b"-----")
    if label.endswith(b"PRIVATE KEY"):
        yield Rejected(source, _error("a private key has no place in a trust store"))
    elif not end:
        yield Rejected(source, _error("a PEM block without its end"))
    else:
        yield from _encoded(body, source, kid, label)


def _encoded(text: bytes, source: str, kid: bytes | None, label: bytes = b"") -> Iterator[TrustedKey | Rejected]:
    try:
        der = base64.b64decode(b"".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        der = b""
    if der:
        yield from _binary(der, source, kid, label)
    else:
        yield Rejected(source, _error("neither DER, PEM nor base64"))


def _binary(der: bytes, source: str, kid: bytes | None, label: bytes = b"") -> Iterator[TrustedKey | Rejected]:
    if label in _PKCS7 or (not label and der.find(_SIGNED_DATA, 0, _LONGEST_HEADER + len(_SIGNED_DATA)) > 0):
        yield from _bundle(der, source)
    else:
        yield _single(der, source, kid, certificate=label == b"CERTIFICATE")


def _bundle(der: bytes, source: str) -> Iterator[TrustedKey | Rejected]:
    """The certificates in a CMS message. Those that nobody signed (RFC 5652 §5.1) are made to carry certificates."""
    from healthcert.encoding import cms

    try:
        certificates = cms.read(der).certificates
    except DecodeError as error:
        certificates = ()
        yield Rejected(source, _error(error.detail))
    else:
        if not certificates:
            yield Rejected(source, _error("a CMS message without certificates"))
    for number, certificate in enumerate(certificates, 1):
        yield _single(certificate, f"{source}/{number}", None, certificate=True)


def _single(der: bytes, source: str, kid: bytes | None, *, certificate: bool) -> TrustedKey | Rejected:
    # A verifier that opens its trust store needs no X.509, which takes longer to import than all it does.
    from healthcert.trust.certificates import read_certificate

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
