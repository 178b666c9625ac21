"""Where an authority writes its certificates: each record under the DSC that fits it, and once more what it issued."""

from __future__ import annotations

from typing import NoReturn

from msgspec import structs

from healthcert.authority.register import Register, Standing
from healthcert.clock import Clock
from healthcert.encoding.algorithms import Algorithm
from healthcert.errors import Code, IssueError, RegisterError, Step, TrustError
from healthcert.families.hcert.uvci import OPAQUE_LENGTH, UvciCheck, check_uvci, new_uvci
from healthcert.issue.issued import Issued
from healthcert.issue.issuer import Issuer
from healthcert.issue.pending import PendingCertificate
from healthcert.issue.policy import IssuePolicy
from healthcert.issue.signer import Signer
from healthcert.issue.signer_set import SignerSet
from healthcert.issue.signing import SigningKey
from healthcert.model import Event, Holder
from healthcert.trust.certificates import read_certificate


class Desk:
    """Makes certificates ready to be signed, under whichever of its signers fits."""

    def __init__(
        self,
        signers: SignerSet,
        register: Register,
        *,
        country: str,
        name: str | None,
        policy: IssuePolicy,
        clock: Clock,
    ) -> None:
        """Raises what :class:`Issuer` raises of any of the signers: a wrong one is told before the first record."""
        self._signers, self._register, self._policy, self._clock = signers, register, policy, clock
        self._issuers = {
            signer.kid: Issuer(signer, country=country, name=name, policy=policy, clock=clock)
            for signer in signers.signers
        }
        self._keys: dict[bytes, SigningKey] = {}
        self._kept: set[bytes] = set()

    def prepare(self, event: Event, holder: Holder) -> PendingCertificate:
        """A certificate of this event as it would be issued now, but for its signature.

        Raises :class:`IssueError`: ``NO_SIGNER``, and as :meth:`Issuer.prepare` does.
        """
        validity = self._policy.validity.get(event.entry_type)
        if validity is None:
            kinds = ", ".join(self._policy.validity)
            detail = f"event: one that an EU DCC can hold; for example {kinds}"
            raise IssueError(Code.FIELD_INVALID, detail, Step.CONTENT)
        _check_own(event)
        signer = self._signers.pick(event.entry_type, self._clock.now(), validity)
        return self._issuers[signer.kid].prepare(event, holder=holder)

    def named(self, pending: PendingCertificate, record: bytes, edition: int) -> PendingCertificate:
        """The same with the identifier that this edition of the record has: its own, or one derived from it.

        Whoever lacks the register's secret cannot tell such an identifier from a random one.
        """
        if pending.own_id is not None:
            return pending
        seed = self._register.secret.identifier_seed(record, edition)[:OPAQUE_LENGTH]
        return pending.on(structs.replace(pending.terms, certificate_id=new_uvci(pending.country, seed)))

    def again(self, pending: PendingCertificate, standing: Standing) -> Issued:
        """The certificate that the same record has already, byte for byte, from its terms and its signature.

        Raises :class:`IssueError` (``ISSUED_OTHERWISE``) where that is not what the signature was made over.
        """
        key = self._key(standing.registered.kid)
        try:
            return pending.on(standing.registered.terms, key).complete(standing.signature)
        except IssueError as error:
            if error.code is not Code.SIGNING_FAILED:
                raise
            raise issued_otherwise() from None

    def keep(self, pending: PendingCertificate) -> None:
        """Has the register keep the DSC, before the first certificate under it is entered. Raises as it does."""
        dsc = pending.key.certified()
        if dsc.kid not in self._kept and dsc.certificate is not None:
            self._register.keep_certificate(dsc.certificate)
            self._kept.add(dsc.kid)

    def _key(self, kid: bytes) -> SigningKey:
        """The key of a DSC that is, or was, the authority's."""
        if kid not in self._keys:
            der = self._register.certificate(kid)
            if der is None:
                detail = "the register has a certificate, and not the DSC that it was signed under; restore it"
                raise RegisterError(Code.REGISTER_UNUSABLE, detail)
            # What was issued is not judged by today's policy.
            self._keys[kid] = SigningKey(_past_signer(kid, der), algorithms=tuple(Algorithm), rsa_bits=0)
        return self._keys[kid]


def _past_signer(kid: bytes, der: bytes) -> PastSigner:
    """Raises :class:`RegisterError` (``REGISTER_UNUSABLE``) for what is not the DSC that has this kid."""
    detail = "a DSC in the register was changed after it was entered, and is none or another; restore the register"
    try:
        signer = PastSigner(der)
    except (IssueError, TrustError):
        raise RegisterError(Code.REGISTER_UNUSABLE, detail) from None
    if signer.kid != kid:
        raise RegisterError(Code.REGISTER_UNUSABLE, detail)
    return signer


def issued_otherwise() -> IssueError:
    """What refuses a record whose certificate would be written in another way now."""
    detail = "it was issued before, and would be written in another way now; restore the setting, or revoke it first"
    return IssueError(Code.ISSUED_OTHERWISE, detail, Step.SIGNATURE)


def _check_own(event: Event) -> None:
    """Raises :class:`IssueError` (``FIELD_INVALID``) for an identifier of the record's own that is none.

    It goes into the register and its log, for good. A name, or a number of a person, that came into its column by a
    slip must not.
    """
    own = event.certificate_id
    if own is not None and check_uvci(own) is UvciCheck.NOT_A_UVCI:
        detail = "certificate_id: a UVCI; for example URN:UVCI:01:FR:T5DWTJYS4ZR8#4"
        raise IssueError(Code.FIELD_INVALID, detail, Step.CONTENT)


class PastSigner(Signer):
    """A DSC whose key may be gone. What it signed can be told from what it did not; it signs nothing."""

    def __init__(self, certificate: bytes) -> None:
        """``certificate`` is in DER. Raises :class:`TrustError`, :class:`IssueError` (``ALGORITHM_NOT_ACCEPTED``)."""
        dsc = read_certificate(certificate)
        algorithm = Algorithm.for_key(dsc.public_key)
        if algorithm is None:
            raise IssueError(Code.ALGORITHM_NOT_ACCEPTED, "a DSC whose key signs no certificates", Step.SIGNATURE)
        self._kid, self._algorithm, self._certificate = dsc.kid, algorithm, certificate

    @property
    def kid(self) -> bytes:
        return self._kid

    @property
    def algorithm(self) -> Algorithm:
        return self._algorithm

    @property
    def certificate(self) -> bytes:
        return self._certificate

    def sign(self, data: bytes, *, prehashed: bool = False) -> NoReturn:
        raise IssueError(Code.SIGNING_FAILED, "the key of this DSC is not at hand", Step.SIGNATURE)

    def __repr__(self) -> str:
        return f"PastSigner(kid={self.kid.hex()})"
