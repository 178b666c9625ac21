"""What the issuers of all families but the EU DCC have in common."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import ClassVar

from healthcert.clock import Clock, SystemClock
from healthcert.encoding.algorithms import Algorithm
from healthcert.errors import Code, IssueError, Step
from healthcert.families.protocol import Unsigned
from healthcert.issue.issued import IssuedCertificate
from healthcert.issue.signer import BareSigner, Signer
from healthcert.issue.signing import SigningKey
from healthcert.model import Event


class FamilyIssuer:
    """Issues certificates of one family under one key. Its subclasses say how the family names the issuer.

    Each has a method ``issue``, which returns an :class:`IssuedCertificate` and raises :class:`IssueError`:
    ``FIELD_INVALID`` and its kin for the record, ``EVENT_IN_FUTURE``, ``PUBLIC_KEY_EXPIRED`` and its kin where the
    signer has a certificate, which must be valid at the moment of issuing, and ``SIGNING_FAILED`` for the signer.
    """

    _algorithms: ClassVar[Collection[Algorithm]]
    _error_correction: ClassVar[str] = "Q"
    _max_version: ClassVar[int | None] = None

    def __init__(self, signer: Signer | BareSigner, clock: Clock | None) -> None:
        """Raises :class:`IssueError` for a signer that the family has no use for.

        These are ``ALGORITHM_NOT_ACCEPTED``, ``UNSUITABLE_PUBLIC_KEY_TYPE``, ``PUBLIC_KEY_TOO_WEAK`` and
        ``SIGNER_KEY_MISMATCH``; and :class:`TrustError` for an unreadable certificate or key.
        """
        self._key = SigningKey(signer, algorithms=self._algorithms)
        self._clock = clock or SystemClock()

    def _begin(self, *events: Event) -> datetime:
        """The moment of issuing, in whole seconds; the key is valid at it, and no event is after it."""
        now = self._clock.now().replace(microsecond=0)
        self._key.check_valid(now)
        if any(event.lies_after(now) for event in events):
            detail = f"event: a moment that is not in the future; for example {now:%Y-%m-%d}"
            raise IssueError(Code.EVENT_IN_FUTURE, detail, Step.CONTENT)
        return now

    def _finish(
        self,
        message: Unsigned,
        issued_at: datetime,
        *,
        expires: datetime | None = None,
        certificate_id: str | None = None,
    ) -> IssuedCertificate:
        """The certificate, signed."""
        return IssuedCertificate(
            wire=message.assemble(self._key.sign(message.to_be_signed)),
            certificate_id=certificate_id,
            issued_at=issued_at,
            expires=expires,
            error_correction=self._error_correction,
            max_version=self._max_version,
        )


def checked(validity: timedelta) -> timedelta:
    """A validity of at least a second, as the families count it. Raises ValueError."""
    if validity < timedelta(seconds=1):
        raise ValueError("a validity is at least a second")
    return validity - timedelta(microseconds=validity.microseconds)
