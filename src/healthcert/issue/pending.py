"""A certificate that lacks its signature: what goes to the signer, and what its answer makes of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct, structs

from healthcert.errors import Code, IssueError, Step
from healthcert.families.hcert.encode import Unsigned, unsigned
from healthcert.issue.issued import Issued
from healthcert.issue.signing import SigningKey
from healthcert.model import EntryType, Private


class Terms(Struct, frozen=True, kw_only=True):
    """What an issuer adds to a record: the certificate's identifier (UVCI), and from when until when it holds.

    The moments have a time zone, and are of whole seconds: a certificate says no more.
    """

    certificate_id: str
    issued_at: datetime
    expires: datetime


class PendingCertificate(Private, frozen=True, kw_only=True):
    """A certificate of one event that only lacks its signature over ``to_be_signed``, the encoded Sig_structure.

    ``payload`` is the EU DCC, and ``own_id`` the identifier that the record itself named, where it did. The message is
    encoded when it is asked for, so that other terms cost nothing.
    """

    terms: Terms
    entry_type: EntryType
    payload: Mapping[str, Any]
    country: str
    own_id: str | None
    key: SigningKey

    @property
    def message(self) -> Unsigned:
        """What is signed, and then put together with its signature."""
        return unsigned(
            self.payload,
            country=self.country,
            issued_at=int(self.terms.issued_at.timestamp()),
            expires_at=int(self.terms.expires.timestamp()),
            algorithm=self.key.algorithm,
            kid=self.key.certified().kid,
        )

    @property
    def record(self) -> bytes:
        """What it certifies, in JSON: the same for two records that certify the same of the same person.

        Not the terms, and nothing that changes with how an issuer writes: version of the schema, transliteration, name
        of the issuer, time zone of a moment. One that comes again after such a change is so known again, and not issued
        a second time. It holds health data; what is kept of it must be a keyed hash.
        """
        names = self.payload["nam"]
        person = [names.get("fn") or names.get("fnt"), names.get("gn") or names.get("gnt"), self.payload["dob"]]
        entries = {
            group: [_certified(entry, self.own_id) for entry in value]
            for group, value in self.payload.items()
            if isinstance(value, list)
        }
        return _RECORD.encode([self.country, person, entries]).encode()

    @property
    def to_be_signed(self) -> bytes:
        """The Sig_structure in CBOR (RFC 9052 §4.4). It holds the health data."""
        return self.message.to_be_signed

    @property
    def digest(self) -> bytes:
        """The digest of the Sig_structure under the algorithm's hash: all that a signer needs to see."""
        return self.key.algorithm.digest(self.to_be_signed)

    def on(self, terms: Terms, key: SigningKey | None = None) -> PendingCertificate:
        """The same certified on other terms, and under another DSC of the issuer where its key is given.

        What was issued before is so made again. Neither clock nor DSC are asked whether it could be issued now.
        """
        payload = {
            name: [{**entry, "ci": terms.certificate_id} for entry in value] if isinstance(value, list) else value
            for name, value in self.payload.items()
        }
        return structs.replace(self, terms=terms, payload=payload, key=key or self.key)

    def sign(self) -> Issued:
        """The certificate, signed by the issuer's signer. Raises :class:`IssueError` (``SIGNING_FAILED``)."""
        message = self.message
        return self.assembled(message, self.key.sign(message.to_be_signed))

    def complete(self, signature: bytes) -> Issued:
        """The certificate with a signature that was made elsewhere (raw ``r || s`` for ECDSA).

        Raises :class:`IssueError` (``SIGNING_FAILED``) for one that does not verify with the DSC.
        """
        message = self.message
        if not self.key.algorithm.verify(self.key.public_key, signature, message.to_be_signed):
            raise IssueError(Code.SIGNING_FAILED, "the signature does not verify with the DSC", Step.SIGNATURE)
        return self.assembled(message, signature)

    def assembled(self, message: Unsigned, signature: bytes) -> Issued:
        """The certificate of its own :attr:`message` and the signature over it, which is not checked.

        For those who take many through each stage together.
        """
        return Issued(
            wire=message.assemble(signature),
            signature=signature,
            certificate_id=self.terms.certificate_id,
            issued_at=self.terms.issued_at,
            expires=self.terms.expires,
        )


_RECORD = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _certified(entry: Mapping[str, Any], own_id: str | None) -> dict[str, Any]:
    """An entry of an EU DCC without what an issuer adds to it. One moment is one, in whichever time zone it is told."""
    told = {**entry, "ci": own_id, "is": None}
    if sampled := entry.get("sc"):
        # In seconds, as no calendar has the first and the last hours of every other zone.
        told["sc"] = int(datetime.fromisoformat(sampled).timestamp())
    return told
