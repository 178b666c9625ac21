"""What an issuer holds itself to, as data."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from msgspec import Struct, field
from msgspec.structs import force_setattr

from healthcert.encoding.algorithms import Algorithm
from healthcert.families.hcert.names import check_variant
from healthcert.model import EntryType
from healthcert.rules.valuesets import ValueSets

# The defaults of the reference issuance service.
_USUAL_VALIDITY = {
    EntryType.VACCINATION: timedelta(days=365),
    EntryType.TEST: timedelta(days=3),
    EntryType.RECOVERY: timedelta(days=365),
}


class IssuePolicy(Struct, frozen=True, kw_only=True):
    """How long certificates of each kind live, and with which algorithms they are signed.

    ``validity`` need only name the types whose validity is not the usual one (365 days, tests 3 days). A certificate
    never outlives its DSC, whatever ``validity`` says. ``value_sets`` say which codes may be issued; where they are
    older than those that are part of this library, or lack a set, the library's count. ``unlisted_codes`` may be issued
    although the value sets do not have them, or no longer. ``transliteration`` is a state's own way of spelling letters
    in the machine-readable zone where it is not the usual one of ICAO Doc 9303, as in ``{"Ä": "A"}``.
    """

    validity: Mapping[EntryType, timedelta] = field(default_factory=dict)
    algorithms: frozenset[Algorithm] = frozenset((Algorithm.ES256, Algorithm.PS256))
    rsa_bits: int = 2048
    value_sets: ValueSets | None = None
    unlisted_codes: frozenset[str] = frozenset()
    transliteration: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        force_setattr(self, "validity", {**_USUAL_VALIDITY, **self.validity})
        force_setattr(self, "unlisted_codes", frozenset(self.unlisted_codes))
        force_setattr(self, "algorithms", frozenset(self.algorithms))
        if min(self.validity.values()) <= timedelta(0):
            raise ValueError("every validity is longer than nothing")
        check_variant(self.transliteration)
