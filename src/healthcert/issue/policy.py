"""What an issuer holds itself to, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from healthcert.encoding.algorithms import Algorithm
from healthcert.model import EntryType


def _usual_validity() -> Mapping[EntryType, timedelta]:
    # The defaults of the reference issuance service.
    return {
        EntryType.VACCINATION: timedelta(days=365),
        EntryType.TEST: timedelta(days=3),
        EntryType.RECOVERY: timedelta(days=365),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuePolicy:
    """How long certificates of each kind live, and with which algorithms they are signed.

    A certificate never outlives its DSC, whatever ``validity`` says.
    """

    validity: Mapping[EntryType, timedelta] = field(default_factory=_usual_validity)
    algorithms: frozenset[Algorithm] = frozenset((Algorithm.ES256, Algorithm.PS256))
    rsa_bits: int = 2048
