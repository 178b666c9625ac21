"""A signer as issuers use it: held against its certificate once, and each of its signatures before it leaves."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import TypeGuard, cast

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from healthcert.encoding.algorithms import Algorithm
from healthcert.errors import Code, IssueError, Step
from healthcert.issue.signer import BareSigner, KeySigner, PemSigner, Signer
from healthcert.lists.publickeys import load_public_key
from healthcert.trust.certificates import read_certificate
from healthcert.trust.keys import TrustedKey

LEAST_RSA_BITS = 2048


class SigningKey:
    """The key of a signer. ``certificate`` is what its certificate says, None for a key that has none."""

    def __init__(
        self, signer: Signer | BareSigner, *, algorithms: Collection[Algorithm], rsa_bits: int = LEAST_RSA_BITS
    ) -> None:
        """Raises :class:`IssueError` for a signer that is not for ``algorithms``, or whose parts do not fit.

        These are ``ALGORITHM_NOT_ACCEPTED``, ``UNSUITABLE_PUBLIC_KEY_TYPE``, ``PUBLIC_KEY_TOO_WEAK`` and
        ``SIGNER_KEY_MISMATCH``; and :class:`TrustError` for an unreadable certificate or key.
        """
        self._signer = signer
        self.algorithm = signer.algorithm
        self.certificate: TrustedKey | None = None
        if _is_certified(signer):
            self.certificate = read_certificate(signer.certificate)
            self.spki, self._what = self.certificate.spki, "DSC"
        else:
            self.spki, self._what = cast("BareSigner", signer).public_key, "key"
        self.public_key = load_public_key(self.spki)
        if self.algorithm not in algorithms:
            raise IssueError(Code.ALGORITHM_NOT_ACCEPTED, f"{self.algorithm.name} is not for issuing", Step.SIGNATURE)
        if not self.algorithm.fits(self.public_key):
            raise IssueError(
                Code.UNSUITABLE_PUBLIC_KEY_TYPE, f"the {self._what} is not for {self.algorithm.name}", Step.SIGNATURE
            )
        if isinstance(self.public_key, RSAPublicKey) and self.public_key.key_size < rsa_bits:
            raise IssueError(Code.PUBLIC_KEY_TOO_WEAK, f"RSA with {self.public_key.key_size} bits", Step.SIGNATURE)
        # HCERT specification, Appendix A.1: the kid is computed from the certificate.
        if self.certificate is not None and cast("Signer", signer).kid != self.certificate.kid:
            raise IssueError(Code.SIGNER_KEY_MISMATCH, "the signer's kid is not the DSC's", Step.SIGNATURE)
        self._signs_here = type(signer) in (PemSigner, KeySigner)

    def certified(self) -> TrustedKey:
        """The certificate. Raises :class:`IssueError` (``CERTIFICATE_UNREADABLE``) for a key that has none."""
        if self.certificate is None:
            detail = "what is to be signed needs a certificate, and the signer has a key alone"
            raise IssueError(Code.CERTIFICATE_UNREADABLE, detail, Step.SIGNATURE)
        return self.certificate

    def sign(self, data: bytes) -> bytes:
        """The signature over ``data``. Raises :class:`IssueError` (``SIGNING_FAILED``)."""
        signature = self._signer.sign(data)
        # A module or a service may hold another key than its certificate says, or err: nothing leaves that would not
        # verify. A key in this process was held against its DSC when it was loaded, and OpenSSL signs and verifies
        # with the same code: to verify, which takes longer than all the rest, would tell nothing new.
        if not self._signs_here and not self.algorithm.verify(self.public_key, signature, data):
            detail = f"the signature does not verify with the {self._what}"
            raise IssueError(Code.SIGNING_FAILED, detail, Step.SIGNATURE)
        return signature

    def check_valid(self, now: datetime) -> None:
        """Whether the certificate, where there is one, is valid now. Raises :class:`IssueError`.

        ``KEY_DATES_UNKNOWN``, ``PUBLIC_KEY_NOT_YET_VALID`` and ``PUBLIC_KEY_EXPIRED``.
        """
        if self.certificate is None:
            return
        not_before, not_after = self.certificate.not_before, self.certificate.not_after
        if not_before is None or not_after is None:
            raise IssueError(Code.KEY_DATES_UNKNOWN, "the DSC has no validity", Step.TIME)
        # HCERT specification §3.3.6: iat MUST not predate the validity of the DSC.
        if now < not_before:
            raise IssueError(Code.PUBLIC_KEY_NOT_YET_VALID, "the DSC is not valid yet", Step.TIME)
        if now >= not_after:
            raise IssueError(Code.PUBLIC_KEY_EXPIRED, "the DSC has expired", Step.TIME)

    def end(self, now: datetime, validity: timedelta) -> datetime:
        """The end of what is signed ``now``: after ``validity``, and never after the certificate. Raises as above."""
        self.check_valid(now)
        not_after = self.certificate.not_after if self.certificate else None
        # HCERT specification §3.3.5: exp MUST not exceed the validity of the DSC.
        return now + (validity if not_after is None else min(validity, not_after - now))


def _is_certified(signer: Signer | BareSigner) -> TypeGuard[Signer]:
    """Whether the signer has a certificate, whatever it has besides."""
    return getattr(signer, "certificate", None) is not None
