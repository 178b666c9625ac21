"""What rules are asked about: a certificate's payload as JSON, and what its envelope says."""

from __future__ import annotations

import math
from binascii import b2a_base64
from collections.abc import Mapping
from datetime import UTC, date, datetime
from itertools import product
from typing import Any

from healthcert.encoding.cbor import Tag
from healthcert.errors import Code, RuleError, Step
from healthcert.families import claimed
from healthcert.limits import DEFAULT_LIMITS, Limits
from healthcert.lists.reading import is_country
from healthcert.model import HealthCertificate, Private
from healthcert.rules.certlogic.dates import Moment, moment_in

GROUPS = {"v": "Vaccination", "t": "Test", "r": "Recovery"}
"""The groups of a payload, and the type of the rules that are about each."""
_TYPES = {
    present: frozenset(name for name, there in zip(GROUPS.values(), present, strict=True) if there)
    for present in product((False, True), repeat=len(GROUPS))
}
_PAYLOADS = frozenset(("EU DCC", "Norwegian domestic certificate", "Danish domestic certificate"))


class RuleSubject(Private, frozen=True, kw_only=True):
    """A certificate as rules see it.

    ``payload`` is that of an EU DCC as JSON. ``issuer`` is the claim ``iss``, ``kid`` that of the header, and
    ``issued_at`` and ``expires_at`` are ``iat`` and ``exp``; None where the certificate does not say. ``key_country``
    is the country that the signing key is of, as far as that is known.
    """

    payload: Mapping[str, Any]
    issuer: str | None = None
    kid: bytes | None = None
    issued_at: datetime | None = None
    expires_at: datetime | None = None
    key_country: str | None = None

    @classmethod
    def of(
        cls, certificate: HealthCertificate, kid: bytes | None = None, key_country: str | None = None
    ) -> RuleSubject:
        """The certificate, or what stands beside it under the same signature, that has the payload of an EU DCC.

        Raises :class:`RuleError` (``RULE_NOT_SUPPORTED``) where there is none: the rules are written for no other.
        """
        for one in (certificate, *certificate.beside):
            if one.family in _PAYLOADS:
                return cls(
                    payload=one.raw if _is_json(one.raw) else as_json(one.raw),
                    issuer=one.issuer,
                    kid=kid,
                    issued_at=one.issued_at,
                    expires_at=one.expires_at,
                    key_country=key_country,
                )
        detail = f"the rules of countries are about EU DCCs, and this is a {certificate.family}"
        raise RuleError(Code.RULE_NOT_SUPPORTED, detail, Step.RULES)

    @classmethod
    def unverified(cls, text: str, limits: Limits = DEFAULT_LIMITS) -> RuleSubject:
        """What a certificate claims to be, for authors of rules and for travellers: nobody's signature was checked.

        Raises :class:`DecodeError`, :class:`VerificationError` for content that cannot be read, and as :meth:`of`.
        """
        decoded, certificate = claimed(text, limits)
        return cls.of(certificate, decoded.kid)

    @property
    def issuing_country(self) -> str | None:
        """The country whose rules of invalidation count: ``iss`` or, where that names no country, the key's."""
        # HCERT specification §3.3.4: iss may be left out, which must not let a certificate escape these rules.
        issuer = self.issuer.upper() if self.issuer is not None else None
        return issuer if is_country(issuer) else self.key_country

    @property
    def types(self) -> frozenset[str]:
        """The types of its entries, as rules call them; one, where the certificate is as it should be."""
        payload = self.payload
        return _TYPES[bool(payload.get("v")), bool(payload.get("t")), bool(payload.get("r"))]

    def external(
        self, at: datetime, country: str, region: str | None, codes: Mapping[str, Any], *, times: bool = True
    ) -> dict[str, Any]:
        """What rules are told beside the payload (the external parameters of the EU's rules).

        Moments are in UTC and always have their seconds, without which CertLogic does not read them. ``exp`` and
        ``iat`` may be left out where no rule reads them, as hardly any does.
        """
        external: dict[str, Any] = {
            "validationClock": moment_in(math.floor(at.timestamp())),
            "valueSets": codes,
            "countryCode": country,
            "issuerCountryCode": self.issuer,
            "kid": None if self.kid is None else b2a_base64(self.kid, newline=False).decode(),
            "region": region or "",
        }
        if times:
            external["exp"] = None if self.expires_at is None else Moment(self.expires_at)
            external["iat"] = None if self.issued_at is None else Moment(self.issued_at)
        return external


_SCALARS = frozenset((str, int, bool, type(None)))


def _is_json(value: Any) -> bool:
    """Whether there is nothing to change in a value, as in nearly every payload; looked at before it is copied."""
    kind = type(value)
    if kind is dict:
        for name, item in value.items():
            if type(name) is not str or (type(item) not in _SCALARS and not _is_json(item)):
                return False
        return True
    return kind is list and all(type(item) in _SCALARS or _is_json(item) for item in value)


def as_json(value: Any) -> Any:
    """A value of CBOR as the JSON that rules are written for: dates as text, names of members as text.

    What has no place in JSON becomes null, which no rule takes for anything.
    """
    kind = type(value)
    if kind is str or kind is int or kind is bool:
        return value
    if kind is float:
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {name if type(name) is str else str(name): as_json(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [as_json(item) for item in value]
    if isinstance(value, Tag):
        return as_json(value.value)
    if isinstance(value, datetime):
        aware = value.replace(tzinfo=UTC) if value.tzinfo is None else value
        return aware.isoformat()
    return value.isoformat() if isinstance(value, date) else None
