"""Issuers of the siblings of the EU DCC, which all have a document signing certificate (DSC)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TypedDict

from healthcert.clock import Clock
from healthcert.encoding.algorithms import Algorithm
from healthcert.errors import Code, IssueError, Step
from healthcert.families.protocol import Unsigned
from healthcert.issue.family_issuer import FamilyIssuer, checked
from healthcert.issue.issued import IssuedCertificate
from healthcert.issue.signer import Signer
from healthcert.model import Exemption, Holder, Vaccination

_COUNTRY = 2  # letters


class _Claims(TypedDict):
    issuer: str
    issued_at: datetime
    expires_at: datetime
    algorithm: Algorithm
    kid: bytes


class DscIssuer(FamilyIssuer):
    """What the issuers of the siblings of the EU DCC have in common: a document signing certificate, and an end."""

    _algorithms = frozenset((Algorithm.ES256, Algorithm.PS256))

    def __init__(self, signer: Signer, *, issuer: str, validity: timedelta, clock: Clock | None = None) -> None:
        """``issuer`` becomes the claim iss; ``validity`` is how long a certificate lives, which never outlives the DSC.

        Raises as :class:`FamilyIssuer`, and :class:`IssueError` (``FIELD_INVALID``) for another country than the DSC's.
        """
        super().__init__(signer, clock)
        self._dsc = self._key.certified()
        self._issuer, self._validity = issuer, checked(validity)
        # HCERT specification, Appendix A.4: a DSC's subject is of the country that uses it. Only two letters are its
        # kind of code: WHO's three, and the text that Switzerland has, can be compared with nothing.
        if len(issuer) == _COUNTRY and self._dsc.country not in (None, issuer):
            raise IssueError(
                Code.FIELD_INVALID, f"issuer: the country of the DSC; for example {self._dsc.country}", Step.CONTENT
            )

    def _about(self, now: datetime) -> _Claims:
        """What every message of them is made from."""
        return {
            "issuer": self._issuer,
            "issued_at": now,
            "expires_at": self._key.end(now, self._validity),
            "algorithm": self._key.algorithm,
            "kid": self._dsc.kid,
        }

    def _sealed(self, message: Unsigned, about: _Claims) -> IssuedCertificate:
        return self._finish(message, about["issued_at"], expires=about["expires_at"])


class DvcIssuer(DscIssuer):
    """Issues WHO's records of one vaccination (DVC, ICVP), under a DSC. ``issuer`` is a country: ``FR``."""

    def issue(self, event: Vaccination, *, holder: Holder) -> IssuedCertificate:
        """A record of one dose of a vaccine that WHO prequalified."""
        from healthcert.families.hcert.encode_siblings import unsigned_dvc

        about = self._about(self._begin(event))
        return self._sealed(unsigned_dvc(event, holder, **about), about)


class LightIssuer(DscIssuer):
    """Issues Swiss certificates light, under a DSC. ``issuer`` is the text that Switzerland has there: ``CH BAG``."""

    def __init__(
        self, signer: Signer, *, issuer: str, validity: timedelta = timedelta(hours=48), clock: Clock | None = None
    ) -> None:
        super().__init__(signer, issuer=issuer, validity=validity, clock=clock)

    def issue(self, *, holder: Holder) -> IssuedCertificate:
        """A certificate light, which certifies a person alone: that its issuer has seen a full certificate."""
        from healthcert.families.hcert.encode_siblings import unsigned_light

        about = self._about(self._begin())
        return self._sealed(unsigned_light(holder, **about), about)


class LinkIssuer(DscIssuer):
    """Issues signed links to health data (VHL), under a DSC. ``issuer`` is a country: ``FR``."""

    def issue(self, link: str) -> IssuedCertificate:
        """A certificate of a link: ``vhlink:/...`` or ``shlink:/...``, whose key anyone can read in it."""
        from healthcert.families.hcert.encode_siblings import unsigned_link

        about = self._about(self._begin())
        return self._sealed(unsigned_link(link, **about), about)


class ExemptionIssuer(DscIssuer):
    """Issues exemptions from vaccination as Austria has them, under a DSC. ``issuer`` is a country: ``AT``."""

    def issue(self, event: Exemption, *, holder: Holder) -> IssuedCertificate:
        """A certificate of one exemption, which names itself (``certificate_id``)."""
        from healthcert.families.hcert.encode_siblings import unsigned_exemption

        about = self._about(self._begin(event))
        return self._sealed(unsigned_exemption(event, holder, **about), about)
