"""What a register tells and takes in."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum, unique

from msgspec import Struct

from healthcert.issue.pending import Terms
from healthcert.model import EntryType, Private


@unique
class State(StrEnum):
    """What became of a certificate since it was issued. That it has expired is told by its end alone."""

    ISSUED = "issued"
    REVOKED = "revoked"
    REPLACED = "replaced"

    __hash__ = str.__hash__  # as that of every enumeration here


class Registered(Struct, frozen=True, kw_only=True):
    """A certificate that was issued: all that a register tells of it without its secret.

    ``signature_hash`` is the EU's revocation key of type SIGNATURE, ``edition`` counts the certificates of one record
    from 1, ``state_at`` is when the state became what it is. Moments are of whole seconds, in UTC.
    """

    certificate_id: str
    signature_hash: bytes
    kid: bytes
    entry_type: EntryType
    issued_at: datetime
    expires: datetime
    state: State
    state_at: datetime
    edition: int

    @property
    def terms(self) -> Terms:
        """What :meth:`healthcert.Issuer.prepare` needs to make the same certificate again."""
        return Terms(certificate_id=self.certificate_id, issued_at=self.issued_at, expires=self.expires)


class Standing(Private, frozen=True):
    """A certificate that the record has already, with its signature: what makes it again, byte for byte."""

    registered: Registered
    signature: bytes


class New(Private, frozen=True, kw_only=True):
    """A certificate to be entered: signed, and not given out yet.

    ``record`` is :attr:`PendingCertificate.record`; only a keyed hash of it is kept. ``signature_hash`` is what
    :func:`healthcert.revocation.identifiers.signature_hash` makes of the signature. ``replaces_earlier`` takes the
    record's earlier editions out of use in the same transaction: those that are issued become replaced.
    """

    record: bytes
    terms: Terms
    kid: bytes
    entry_type: EntryType
    signature: bytes
    signature_hash: bytes
    edition: int = 1
    replaces_earlier: bool = False


class Count(Struct, frozen=True, kw_only=True):
    """How many certificates of one kind, key and state there are, and how many of these have not expired."""

    kid: bytes
    entry_type: EntryType
    state: State
    certificates: int
    unexpired: int
