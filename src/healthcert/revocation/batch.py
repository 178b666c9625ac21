"""What a list is made of: batches, and the places that their identifiers belong to."""

from __future__ import annotations

from msgspec import Struct

from healthcert.revocation.identifiers import IdentifierType
from healthcert.revocation.segment import section_key


class Held(Struct, frozen=True):
    """A batch that is in use: its origins' numbers, how many records it brought, and the mark it was given."""

    first: int
    last: int
    records: int
    mark: str = ""
    date: str = ""


class Place(Struct, frozen=True):
    """Where identifiers belong: their type, and whose certificates they may name.

    ``kid`` is the key that these were signed with, None where the list does not say; ``issuer`` the URL under which
    the kid holds, in schemes that key by issuer.
    """

    type: IdentifierType
    kid: bytes | None = None
    issuer: str = ""

    @property
    def key(self) -> bytes:
        return section_key(self.type.code, self.issuer, self.kid)
