"""Issuing: a record becomes a signed certificate."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from msgspec import Struct

from healthcert.barcode.write import QrCode
from healthcert.clock import Clock, SystemClock
from healthcert.errors import Code, IssueError, Step
from healthcert.families.hcert.encode import to_payload, unsigned
from healthcert.families.hcert.uvci import new_uvci
from healthcert.issue.policy import IssuePolicy
from healthcert.issue.signer import PemSigner, Signer
from healthcert.model import EntryType, Event, Holder
from healthcert.rules.valuesets import SET_OF, shipped
from healthcert.trust.certificates import read_certificate

_DATED_BY = {
    EntryType.VACCINATION: "date: a day that is not in the future",
    EntryType.TEST: "sampled_at: a moment that is not in the future",
    EntryType.RECOVERY: "first_positive: a day that is not in the future",
}


class Issued(Struct, frozen=True, kw_only=True):
    """A signed certificate. ``text`` goes into a QR code; ``cose`` is the same message before compression."""

    text: str
    cose: bytes
    certificate_id: str
    issued_at: datetime
    expires: datetime

    def qr(self, *, error_correction: str = "Q") -> QrCode:
        """The QR code of the text, ready to be drawn. Raises :class:`IssueError` (``BARCODE_TOO_LARGE``)."""
        return QrCode.of(self.text, error_correction=error_correction)

    def __repr__(self) -> str:
        return f"Issued(expires={self.expires.isoformat()})"


class Issuer:
    """Issues certificates under one document signing certificate (DSC).

    ``country`` (ISO 3166-1 alpha-2) becomes the ``iss`` claim, and the country of events that name none; ``name`` is
    the issuer of events that name none ("Ministère des Solidarités et de la Santé").
    """

    def __init__(
        self,
        signer: Signer,
        *,
        country: str,
        name: str | None = None,
        policy: IssuePolicy | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Raises :class:`IssueError` when signer and policy do not fit, :class:`TrustError` for an unreadable DSC."""
        self._signer = signer
        self._country = country
        self._name = name
        self._policy = policy or IssuePolicy()
        self._clock = clock or SystemClock()
        self._value_sets = shipped() if self._policy.value_sets is None else shipped().merged(self._policy.value_sets)
        self._dsc = read_certificate(signer.certificate)
        self._check_signer()
        self._signs_here = type(signer) is PemSigner

    def issue(self, event: Event, *, holder: Holder) -> Issued:
        """A certificate of one event, valid from now on.

        Raises :class:`IssueError`: ``FIELD_INVALID`` and its kin for the record, ``KEY_USAGE_MISMATCH``,
        ``PUBLIC_KEY_EXPIRED`` and ``PUBLIC_KEY_NOT_YET_VALID`` for the DSC, ``SIGNING_FAILED`` for the signer.
        """
        if event.entry_type not in self._policy.validity:
            kinds = ", ".join(self._policy.validity)
            raise IssueError(
                Code.FIELD_INVALID, f"event: one that an EU DCC can hold; for example {kinds}", Step.CONTENT
            )
        now = self._clock.now()
        issued_at, expires_at = self._validity(event.entry_type, now)
        if not self._dsc.may_sign((event.entry_type,)):
            # HCERT specification, Appendix A.4: the DSC's extended key usage must cover the entry.
            raise IssueError(
                Code.KEY_USAGE_MISMATCH, f"the DSC may not sign a {event.entry_type} certificate", Step.USAGE
            )
        certificate_id = event.certificate_id or new_uvci(self._country)
        payload = to_payload(
            event,
            holder,
            country=self._country,
            issuer=self._name,
            certificate_id=certificate_id,
            may_issue=partial(self._value_sets.may_be_issued, day=now.date()),
            unlisted_codes=self._policy.unlisted_codes,
            transliteration=self._policy.transliteration,
        )
        if event.lies_after(now):
            rule = f"{_DATED_BY[event.entry_type]}; for example {now:%Y-%m-%d}"
            raise IssueError(Code.EVENT_IN_FUTURE, rule, Step.CONTENT)

        message = unsigned(
            payload,
            country=self._country,
            issued_at=issued_at,
            expires_at=expires_at,
            algorithm=self._signer.algorithm,
            kid=self._signer.kid,
        )
        cose, text = message.assemble(self._sign(message.to_be_signed))
        return Issued(
            text=text,
            cose=cose,
            certificate_id=certificate_id,
            issued_at=datetime.fromtimestamp(issued_at, UTC),
            expires=datetime.fromtimestamp(expires_at, UTC),
        )

    def _sign(self, data: bytes) -> bytes:
        signature = self._signer.sign(data)
        # A module or a service may hold another key than its certificate says, or err: nothing leaves that would not
        # verify. A key in this process was held against its DSC when it was loaded, and OpenSSL signs and verifies
        # with the same code: to verify, which takes longer than all the rest, would tell nothing new.
        if not self._signs_here and not self._signer.algorithm.verify(self._dsc.public_key, signature, data):
            raise IssueError(Code.SIGNING_FAILED, "the signature does not verify with the DSC", Step.SIGNATURE)
        return signature

    def _validity(self, entry_type: EntryType, now: datetime) -> tuple[int, int]:
        """iat and exp in seconds since 1970."""
        not_before, not_after = self._dsc.not_before, self._dsc.not_after
        if not_before is None or not_after is None:
            raise IssueError(Code.KEY_DATES_UNKNOWN, "the DSC has no validity", Step.TIME)
        # HCERT specification §3.3.6: iat MUST not predate the validity of the DSC.
        if now < not_before:
            raise IssueError(Code.PUBLIC_KEY_NOT_YET_VALID, "the DSC is not valid yet", Step.TIME)
        if now >= not_after:
            raise IssueError(Code.PUBLIC_KEY_EXPIRED, "the DSC has expired", Step.TIME)
        # HCERT specification §3.3.5: exp MUST not exceed the validity of the DSC.
        expires = now + min(self._policy.validity[entry_type], not_after - now)
        return int(now.timestamp()), int(expires.timestamp())

    def _check_signer(self) -> None:
        if self._country not in self._value_sets.codes[SET_OF["co"]]:
            # HCERT specification §3.3.4: ISO 3166-1 alpha-2. Issuer check I-CO1.
            raise IssueError(
                Code.FIELD_INVALID,
                "country: the two capital letters of a country (ISO 3166-1); for example FR",
                Step.CONTENT,
            )
        if self._dsc.country not in (None, self._country):
            # HCERT specification, Appendix A.4: a DSC's subject is of the country that uses it.
            raise IssueError(
                Code.FIELD_INVALID, f"country: that of the DSC; for example {self._dsc.country}", Step.CONTENT
            )
        algorithm, key = self._signer.algorithm, self._dsc.public_key
        if algorithm not in self._policy.algorithms:
            raise IssueError(Code.ALGORITHM_NOT_ACCEPTED, f"{algorithm.name} is not for issuing", Step.SIGNATURE)
        if not algorithm.fits(key):
            raise IssueError(
                Code.UNSUITABLE_PUBLIC_KEY_TYPE, f"the DSC's key is not for {algorithm.name}", Step.SIGNATURE
            )
        if isinstance(key, RSAPublicKey) and key.key_size < self._policy.rsa_bits:
            raise IssueError(Code.PUBLIC_KEY_TOO_WEAK, f"RSA with {key.key_size} bits", Step.SIGNATURE)
        # HCERT specification, Appendix A.1: the kid is computed from the certificate.
        if self._signer.kid != self._dsc.kid:
            raise IssueError(Code.SIGNER_KEY_MISMATCH, "the signer's kid is not the DSC's", Step.SIGNATURE)
