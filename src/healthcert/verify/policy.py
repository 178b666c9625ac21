"""What a verifier demands, as data."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum, unique
from typing import Any, Self

from msgspec import Struct
from msgspec.structs import asdict, force_setattr

from healthcert.encoding.algorithms import Algorithm
from healthcert.errors import Code
from healthcert.families import KINDS
from healthcert.limits import DEFAULT_LIMITS, Limits
from healthcert.model import ALL_ENTRY_TYPES, EntryType
from healthcert.rules.certlogic import VERSION as CERTLOGIC_VERSION
from healthcert.rules.rule import region_of, version_key
from healthcert.trust.keys import Assurance

TOLERABLE = frozenset(
    (
        Code.URL_ESCAPED_TEXT,
        Code.ALGORITHM_UNPROTECTED,
        Code.FLOAT_TIME,
        Code.TAGGED_TIME,
        Code.EXPIRES_AFTER_KEY,
        Code.KEY_DATES_UNKNOWN,
        Code.TAGGED_DATE_TIME,
        Code.DATE_WITH_TIME,
        Code.TIME_WITHOUT_ZONE,
        Code.BIRTH_DATE_PADDED,
        Code.EMPTY_GROUP,
        Code.NULL_FIELD,
        Code.FLOAT_DOSE,
        Code.DOSE_OUT_OF_RANGE,
        Code.EMPTY_CODE,
        Code.TEXT_TOO_LONG,
        Code.NAME_NOT_TRANSLITERATED,
        Code.UNKNOWN_DISEASE,
        Code.UNKNOWN_CODE,
        Code.UNKNOWN_SCHEMA_VERSION,
        Code.SCHEMA_VERSION_MISMATCH,
        Code.TIME_ABSENT,
        Code.FIELD_MISSING,
        Code.UNKNOWN_CLAIM,
        Code.ISSUER_NOT_A_COUNTRY,
        Code.UNDEFINED_VALUE,
        Code.ISSUER_COUNTRY_MISMATCH,
        Code.TRUST_LIST_STALE,
        Code.FIELD_UNEXPECTED,
        Code.CARD_TOO_LONG,
    )
)
"""Every departure that honest issuers are known for. Each is tolerated by name, and a warning where it is met."""


@unique
class RevocationCheck(StrEnum):
    """Whether revocation lists must be, may be, or need not be asked."""

    REQUIRED = "required"
    IF_AVAILABLE = "if_available"
    OFF = "off"


@unique
class RulesCheck(StrEnum):
    """Whether the country that is asked about must have rules for a certificate, or may have none."""

    REQUIRED = "required"
    IF_AVAILABLE = "if_available"


class Policy(Struct, frozen=True, kw_only=True):
    """What a certificate must be to be accepted. The defaults are those of a verifier at a border.

    ``families`` are those that hold anywhere; a certificate for use within one country has to be named here before
    it is accepted, as has a mere link to health data. ``algorithms`` are those that signatures may be made with,
    whatever the family; None for those that the specification of each family allows. ``tolerated`` are the departures
    that become warnings instead of refusals. ``assurances`` are the ways of knowing a key that are enough: a list that
    only its server's name vouches for is not, unless it is named. ``trust_grace`` is how long a list that is overdue is
    still believed, with a warning; after that nothing can be told. ``clock_skew`` is allowed to either side of the
    validity. Lowering ``rsa_bits`` admits weak keys.

    ``revocation`` says whether revocation lists have to tell. One that is overdue for more than ``revocation_grace``
    tells nothing. A filter errs now and then: what it has is refused when at most one in ``1 / revocation_odds``
    certificates that were not revoked would be, and undetermined otherwise.

    ``country`` is the one whose rules a certificate has to meet (ISO 3166-1 alpha-2), None where only the certificate
    itself is judged; ``region`` is a part of it with rules of its own besides. ``rules`` says what it means that no
    rules are known for such a certificate. Rules that are overdue for more than ``rules_grace`` tell nothing, nor do
    those written for a version of CertLogic after ``engine_version``.
    """

    name: str = "default"
    families: frozenset[str] = frozenset(
        ("EU DCC", "WHO DDCC", "WHO DVC", "SMART Health Card", "NZ COVID Pass", "ICAO VDS-NC", "DIVOC", "2D-Doc")
    )
    entry_types: frozenset[EntryType] = ALL_ENTRY_TYPES
    algorithms: frozenset[Algorithm] | None = None
    rsa_bits: int = 2048
    assurances: frozenset[Assurance] = frozenset((Assurance.SIGNED_CHAIN, Assurance.SIGNED_LIST, Assurance.LOCAL))
    trust_grace: timedelta = timedelta(days=7)
    clock_skew: timedelta = timedelta(0)
    tolerated: frozenset[Code] = TOLERABLE
    revocation: RevocationCheck = RevocationCheck.IF_AVAILABLE
    revocation_grace: timedelta = timedelta(0)
    revocation_odds: float = 1e-5
    country: str | None = None
    region: str | None = None
    rules: RulesCheck = RulesCheck.REQUIRED
    rules_grace: timedelta = timedelta(days=7)
    engine_version: str = CERTLOGIC_VERSION
    limits: Limits = DEFAULT_LIMITS

    def __post_init__(self) -> None:
        for name in ("families", "entry_types", "assurances", "tolerated"):
            force_setattr(self, name, frozenset(getattr(self, name)))
        if self.algorithms is not None:
            force_setattr(self, "algorithms", frozenset(self.algorithms))
        force_setattr(self, "assurances", frozenset(Assurance(one) for one in self.assurances))
        force_setattr(self, "revocation", RevocationCheck(self.revocation))
        if stray := self.tolerated - TOLERABLE:
            raise ValueError(f"not something a policy can tolerate: {', '.join(sorted(stray))}")
        if unknown := self.families - KINDS:
            raise ValueError(f"no such family: {', '.join(sorted(unknown))}")
        if self.clock_skew < timedelta(0):
            raise ValueError("clock_skew is not negative")
        if self.trust_grace < timedelta(0):
            raise ValueError("trust_grace is not negative")
        if self.revocation_grace < timedelta(0):
            raise ValueError("revocation_grace is not negative")
        if not 0 <= self.revocation_odds <= 1:
            raise ValueError("revocation_odds is a probability")
        self._check_rules()

    def _check_rules(self) -> None:
        force_setattr(self, "rules", RulesCheck(self.rules))
        if self.country is not None:
            if len(self.country) != 2 or not self.country.isascii() or not self.country.isalpha():
                raise ValueError("country is two letters, like FR")
            force_setattr(self, "country", self.country.upper())
            force_setattr(self, "region", region_of(self.region, self.country))
        elif self.region is not None:
            raise ValueError("a region is one of a country")
        if self.rules_grace < timedelta(0):
            raise ValueError("rules_grace is not negative")
        if version_key(self.engine_version) is None:
            raise ValueError("engine_version is like 1.3.3")

    @classmethod
    def strict(cls) -> Self:
        """The letter of the specification, for issuers who check what they issue."""
        return cls(name="strict", tolerated=frozenset())

    def to_dict(self) -> dict[str, Any]:
        """The policy as JSON-ready values, as it stands in a report."""
        return {
            "name": self.name,
            "families": sorted(self.families),
            "entry_types": sorted(self.entry_types),
            "algorithms": None if self.algorithms is None else sorted(one.name for one in self.algorithms),
            "rsa_bits": self.rsa_bits,
            "assurances": sorted(self.assurances),
            "trust_grace_seconds": self.trust_grace.total_seconds(),
            "clock_skew_seconds": self.clock_skew.total_seconds(),
            "tolerated": sorted(self.tolerated),
            "revocation": self.revocation.value,
            "revocation_grace_seconds": self.revocation_grace.total_seconds(),
            "revocation_odds": self.revocation_odds,
            "country": self.country,
            "region": self.region,
            "rules": self.rules.value,
            "rules_grace_seconds": self.rules_grace.total_seconds(),
            "engine_version": self.engine_version,
            "limits": asdict(self.limits),
        }
