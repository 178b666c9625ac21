"""How a command names a certificate of the register: by its identifier, or by the certificate itself."""

from __future__ import annotations

from pathlib import Path

from healthcert.authority.register import Register, Registered
from healthcert.errors import Code, DecodeError
from healthcert.families import FAMILIES
from healthcert.limits import DEFAULT_LIMITS
from healthcert.publish.revoked import entries_of_certificate
from healthcert.revocation.identifiers import IdentifierType
from healthcert_cli.sources import read_source


def find(register: Register, name: str) -> Registered | None:
    """What the register has of a certificate; ``name`` is its identifier, a file with it, or - for standard input.

    Raises :class:`DecodeError`, :class:`IssueError` for what is no EU DCC, OSError.
    """
    if name != "-" and not Path(name).is_file():
        return registered_as(register, name)
    texts = read_source(name, DEFAULT_LIMITS)
    if len(texts) != 1:
        raise DecodeError(Code.NO_CERTIFICATE_FOUND, f"one certificate or identifier is expected, not {len(texts)}")
    return registered_as(register, texts[0])


def registered_as(register: Register, text: str) -> Registered | None:
    """What the register has of a certificate's text, or of an identifier.

    A certificate is found by its signature: a forged one that bears somebody else's identifier names nothing.
    """
    if not any(family.recognises(text) for family in FAMILIES):
        return register.find(certificate_id=text)
    [entry] = entries_of_certificate(text, (IdentifierType.SIGNATURE,))
    return register.find(signature_hash=entry.key)
