"""What is found in a certificate that is not as it should be, and how keys and extensions are looked at."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum, unique
from typing import TypeVar

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from msgspec import Struct

from healthcert.issue.pki.profiles import Profile

CRYPTOGRAPHY = "certificate governance guide §4.1"
"""The section with the requirements on keys and hashes."""
HASHES = ("sha256", "sha384", "sha512")
"""The hashes that certificates and requests may be signed over (guide §4.1: SHA-2 with 256 bits or more)."""
_LEAST_EXPONENT = 2**16

UNREADABLE = (
    ValueError,
    TypeError,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)
"""What ``cryptography`` raises for a certificate or request that it cannot read."""

Extension = TypeVar("Extension", bound=x509.ExtensionType)


@unique
class Level(StrEnum):
    """How much a finding weighs."""

    NEEDED = "needed"
    """The source requires it: others may refuse the certificate."""
    ADVISED = "advised"
    """The source recommends it."""


class Finding(Struct, frozen=True):
    """One point in which a certificate is not as its profile has it."""

    level: Level
    rule: str
    """The point's short name: ``key-usage``."""
    detail: str
    source: str
    """The section that has it so."""

    def __str__(self) -> str:
        return f"{self.rule}: {self.detail} ({self.source})"


def check_key(key: object, profile: Profile) -> Iterator[Finding]:
    """Where a public key is not of a kind and size that the profile has."""
    if isinstance(key, ec.EllipticCurvePublicKey):
        # Guide §4.1: P-256 alone for DSCs; 250 bits at least for the others.
        if key.curve.name not in profile.curves:
            yield Finding(Level.NEEDED, "key", f"an EC key on the curve {key.curve.name}", CRYPTOGRAPHY)
    elif isinstance(key, rsa.RSAPublicKey):
        if key.key_size < profile.least_rsa_bits:
            detail = f"RSA with {key.key_size} bits, of {profile.least_rsa_bits} at least"
            yield Finding(Level.NEEDED, "key", detail, CRYPTOGRAPHY)
        if profile.most_rsa_bits is not None and key.key_size > profile.most_rsa_bits:
            detail = f"RSA with {key.key_size} bits, of {profile.most_rsa_bits} at most"
            yield Finding(Level.ADVISED, "key", detail, CRYPTOGRAPHY)
        if key.public_numbers().e <= _LEAST_EXPONENT:
            yield Finding(Level.NEEDED, "key", "an RSA exponent of 65536 or less", CRYPTOGRAPHY)
    else:
        yield Finding(Level.NEEDED, "key", "neither an EC nor an RSA key", CRYPTOGRAPHY)


def extension_of(extensions: x509.Extensions, kind: type[Extension]) -> x509.Extension[Extension] | None:
    """The extension of this kind, None where there is none."""
    try:
        return extensions.get_extension_for_class(kind)
    except x509.ExtensionNotFound:
        return None
