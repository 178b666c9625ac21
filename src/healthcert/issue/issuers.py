"""One issuer for each family beside the EU DCC and its siblings.

What writes a family is imported when the first certificate is issued: most programs need one of them.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from msgspec.structs import replace

from healthcert.clock import Clock
from healthcert.encoding.algorithms import Algorithm
from healthcert.errors import Code, IssueError, Step, TrustError
from healthcert.families.countries import alpha2
from healthcert.issue.family_issuer import FamilyIssuer, checked
from healthcert.issue.issued import IssuedCertificate
from healthcert.issue.signer import BareSigner, Signer
from healthcert.lists import jwk
from healthcert.model import Event, Holder, TestResult, Vaccination
from healthcert.trust.store import TrustStore
from healthcert.trust.vouching import vouched

_ID_LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # none that is read as another
_ECDSA = frozenset((Algorithm.ES256, Algorithm.ES384, Algorithm.ES512))


class ShcIssuer(FamilyIssuer):
    """Issues SMART Health Cards, under a key on P-256 that the card names by its thumbprint.

    ``issuer`` is the https URL below which the key set is published: ``https://cards.example/issuer``.
    """

    _algorithms = frozenset((Algorithm.ES256,))
    # SMART Health Cards, "Health Cards as QR Codes": the card's own limit is that of this level and version.
    _error_correction = "L"
    _max_version = 22

    def __init__(
        self,
        signer: Signer | BareSigner,
        *,
        issuer: str,
        validity: timedelta | None = None,
        clock: Clock | None = None,
    ) -> None:
        """``validity`` is how long a card lives; None where it has no end. Raises as :class:`FamilyIssuer`."""
        super().__init__(signer, clock)
        self._issuer, self._kid = issuer, jwk.thumbprint(self._key.spki)
        self._validity = None if validity is None else checked(validity)

    @property
    def kid(self) -> str:
        """The thumbprint of the key, which names it in cards, key sets and revocation lists."""
        return self._kid

    def issue(
        self, *events: Event, holder: Holder, rid: str | None = None, file_only: bool = False
    ) -> IssuedCertificate:
        """A card of vaccinations and tests of one person.

        ``rid`` is what names it for revocation (:func:`healthcert.rid_for`). One that is ``file_only`` may be larger
        than a QR code holds, and has none.
        """
        from healthcert.families.shc.compose import bundle_for, types_for

        now = self._begin(*events)
        return self._card(bundle_for(events, holder), now, types_for(events), rid, file_only=file_only)

    def issue_bundle(
        self, bundle: Mapping[str, Any], *, types: Collection[str] = (), rid: str | None = None, file_only: bool = False
    ) -> IssuedCertificate:
        """A card of a FHIR bundle (R4) that the issuer has made itself; ``types`` go beside the one of all cards.

        It must be what a strict verifier takes. Whether its events are in the future is for its maker to see.
        """
        return self._card(bundle, self._begin(), types, rid, file_only=file_only)

    def _card(
        self, bundle: Mapping[str, Any], now: datetime, types: Collection[str], rid: str | None, *, file_only: bool
    ) -> IssuedCertificate:
        from healthcert.families.shc.encode import unsigned_bundle

        expires = None if self._validity is None else now + self._validity
        message = unsigned_bundle(
            bundle,
            issuer=self._issuer,
            kid=self._kid,
            issued_at=now,
            types=types,
            expires_at=expires,
            algorithm=self._key.algorithm,
            rid=rid,
            file_only=file_only,
        )
        return self._finish(message, now, expires=expires, certificate_id=rid)

    @staticmethod
    def file_of(*cards: IssuedCertificate) -> bytes:
        """The ``.smart-health-card`` file of these cards. Raises :class:`IssueError` (``FIELD_INVALID``)."""
        from healthcert.families.shc.encode import file_of

        return file_of([card.binary for card in cards])


class NzcpIssuer(FamilyIssuer):
    """Issues NZ COVID Passes, under a key on P-256.

    ``issuer`` is the DID of the web (``did:web:passes.example.nz``) whose document has the key under the name ``key``.
    """

    _algorithms = frozenset((Algorithm.ES256,))

    def __init__(
        self,
        signer: Signer | BareSigner,
        *,
        issuer: str,
        key: str = "key-1",
        validity: timedelta = timedelta(days=183),
        clock: Clock | None = None,
    ) -> None:
        """``validity`` is how long a pass lives. Raises as :class:`FamilyIssuer`."""
        super().__init__(signer, clock)
        self._issuer, self._name, self._validity = issuer, key, checked(validity)

    def issue(self, *, holder: Holder, pass_id: UUID | None = None) -> IssuedCertificate:
        """A pass, which certifies a person alone. ``pass_id`` names it, and is a new one when not given."""
        from healthcert.families.nzcp.encode import unsigned

        now, cti = self._begin(), pass_id or uuid4()
        expires = self._key.end(now, self._validity)
        message = unsigned(
            holder=holder,
            issuer=self._issuer,
            kid=self._name,
            issued_at=now,
            expires_at=expires,
            algorithm=self._key.algorithm,
            cti=cti,
        )
        return self._finish(message, now, expires=expires, certificate_id=cti.urn)


class VdsNcIssuer(FamilyIssuer):
    """Issues seals for travellers (ICAO VDS-NC), under the certificate of a barcode signer, which goes into each one.

    ``issuer`` is the state in ICAO's three letters: ``FRA``. A seal has no end of its own, but that of the certificate.
    """

    _algorithms = _ECDSA
    _error_correction = "M"  # with it a seal of two doses is a symbol that is still read from paper

    def __init__(self, signer: Signer, *, issuer: str, clock: Clock | None = None) -> None:
        """Raises as :class:`FamilyIssuer`; :class:`IssueError` (``FIELD_INVALID``, ``KEY_USAGE_MISMATCH``) for a
        certificate of another state, or for other things than seals."""
        super().__init__(signer, clock)
        self._issuer, self._certificate = issuer, signer.certificate
        country = self._key.certified().country
        # ICAO VDS-NC, "Signature verification": the signer belongs to the state that the seal names.
        if country is None or alpha2(issuer) != country:
            rule = "the state of the certificate, in three letters (ICAO Doc 9303-3)"
            raise IssueError(Code.FIELD_INVALID, f"issuer: {rule}; for example FRA", Step.CONTENT)
        store = TrustStore.from_certificates([self._certificate])
        try:
            (key,) = vouched(
                store, self._certificate, domains=frozenset(("ICAO",)), issuer=issuer, now=self._clock.now()
            )
        except TrustError as error:
            raise IssueError(Code.KEY_USAGE_MISMATCH, error.detail, Step.USAGE) from None
        self._documents = key

    def issue(self, *events: Vaccination | TestResult, holder: Holder) -> IssuedCertificate:
        """A seal of vaccinations, or of one test. Where the events name no certificate it gets a new identifier."""
        from healthcert.families.vds_nc.encode import unsigned

        now = self._begin(*events)
        if not self._documents.may_sign({event.entry_type for event in events}):
            # Doc 9303-12, document type list: what the certificate may sign.
            raise IssueError(Code.KEY_USAGE_MISMATCH, "the certificate is not for such documents", Step.USAGE)
        named = next((event.certificate_id for event in events if event.certificate_id), None) or self._new_id()
        message = unsigned(
            events=[replace(event, certificate_id=event.certificate_id or named) for event in events],
            holder=holder,
            issuer=self._issuer,
            certificate=self._certificate,
            issued_at=now,
            algorithm=self._key.algorithm,
        )
        return self._finish(message, now, certificate_id=named)

    def _new_id(self) -> str:
        # ICAO VDS-NC: 12 characters at most; the state in front keeps those of several apart.
        return self._issuer[:2] + "".join(secrets.choice(_ID_LETTERS) for _ in range(10))


class DivocIssuer(FamilyIssuer):
    """Issues DIVOC certificates, under an RSA key (PS256) or one on Ed25519. Needs the extra ``divoc``.

    ``issuer`` is a DID, and ``method`` names its key: the DID itself when not given, or that with a fragment.
    """

    _algorithms = frozenset((Algorithm.PS256, Algorithm.EdDSA))
    _error_correction = "M"  # DIVOC's own issuers leave it at what their library takes when not told

    def __init__(
        self,
        signer: Signer | BareSigner,
        *,
        issuer: str,
        method: str | None = None,
        validity: timedelta | None = None,
        clock: Clock | None = None,
    ) -> None:
        """``validity`` is how long a certificate lives; None where it has no end. Raises as :class:`FamilyIssuer`."""
        super().__init__(signer, clock)
        self._issuer, self._method = issuer, method or issuer
        self._validity = None if validity is None else checked(validity)

    def issue(self, event: Vaccination | TestResult, *, holder: Holder) -> IssuedCertificate:
        """A certificate of one vaccination or test. Where the event names no certificate it gets a new number."""
        from healthcert.families.divoc.encode import unsigned

        now = self._begin(event)
        expires = None if self._validity is None else self._key.end(now, self._validity)
        # DIVOC, certificate issuing: certificate numbers are of eleven digits.
        named = event.certificate_id or str(10**10 + secrets.randbelow(9 * 10**10))
        message = unsigned(
            event=replace(event, certificate_id=named),
            holder=holder,
            issuer=self._issuer,
            method=self._method,
            issued_at=now,
            expires_at=expires,
            algorithm=self._key.algorithm,
        )
        return self._finish(message, now, expires=expires, certificate_id=named)


class TwoDDocIssuer(FamilyIssuer):
    """Issues French 2D-Docs of vaccinations and of tests for COVID-19, under a key on P-256, P-384 or P-521.

    ``authority`` and ``certificate_id`` name the certificate of the key: ``FR00`` and ``0001`` for tests. A 2D-Doc has
    no end; the certificate must have been valid on the day that it is dated.
    """

    _algorithms = _ECDSA

    def __init__(
        self, signer: Signer | BareSigner, *, authority: str, certificate_id: str, clock: Clock | None = None
    ) -> None:
        """Raises as :class:`FamilyIssuer`."""
        super().__init__(signer, clock)
        self._authority, self._certificate_id = authority, certificate_id

    def issue(self, event: Event, *, holder: Holder) -> IssuedCertificate:
        """A document of one vaccination (type L1) or test (type B2), dated today."""
        from healthcert.families.twoddoc.encode import unsigned

        now = self._begin(event)
        message = unsigned(
            event=event,
            holder=holder,
            issued_at=now,
            expires_at=None,
            algorithm=self._key.algorithm,
            authority=self._authority,
            certificate_id=self._certificate_id,
        )
        return self._finish(message, now)
