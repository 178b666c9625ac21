"""Signs with a private key that is in a hardware module and never leaves it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from multiprocessing.context import get_spawning_popen
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from healthcert.encoding.algorithms import Algorithm
from healthcert.errors import Code, IssueError, Step
from healthcert.issue.hsm.extra import needed
from healthcert.issue.hsm.uri import Pkcs11Uri
from healthcert.lists.x509 import kid_of
from healthcert.trust.certificates import read_certificate

if TYPE_CHECKING:  # python-pkcs11 is an extra, and is loaded when a token is opened
    from healthcert.issue.hsm.pool import KeyPool


class Pkcs11Signer:
    """A :class:`Signer` over PKCS #11, for several threads, and for processes forked or spawned from this one."""

    def __init__(
        self, uri: Pkcs11Uri | str, certificate: bytes, *, pin: str, sessions: int = 2, final_try: bool = False
    ) -> None:
        """The signer with the key that ``uri`` names and the DSC ``certificate`` (DER).

        ``sessions`` is how many signatures may be under way at a time. A refused PIN is never tried again in this
        process; on a token that would lock at one more wrong PIN none is tried, unless ``final_try``. Raises
        :class:`IssueError`: ``PIN_REFUSED``, ``TOKEN_UNAVAILABLE``, ``SIGNER_KEY_MISMATCH``,
        ``UNSUITABLE_PUBLIC_KEY_TYPE``, ``FIELD_INVALID``, ``EXTRA_MISSING``; :class:`TrustError` for an unreadable
        certificate.
        """
        if sessions < 1:
            raise IssueError(Code.FIELD_INVALID, "sessions: 1 or more; for example 2", Step.SIGNATURE)
        self._uri = Pkcs11Uri.parse(uri) if isinstance(uri, str) else uri
        self._public_key = read_certificate(certificate).public_key
        algorithm = Algorithm.for_key(self._public_key)
        if algorithm is None or isinstance(self._public_key, Ed25519PublicKey):
            detail = "over PKCS #11 only ECDSA and RSASSA-PSS are signed"
            raise IssueError(Code.UNSUITABLE_PUBLIC_KEY_TYPE, detail, Step.SIGNATURE)
        self._pin, self._sessions, self._final_try = pin, sessions, final_try
        self.algorithm, self.certificate, self.kid = algorithm, certificate, kid_of(certificate)
        self._hash = {"256": hashlib.sha256, "384": hashlib.sha384, "512": hashlib.sha512}[algorithm.name[2:]]
        # RFC 9053 §2.1: r and s, each of the curve's size; RFC 8017 §8.1.1: as many bytes as the modulus.
        octets = (self._public_key.key_size + 7) // 8
        self._length = octets if algorithm.name.startswith("PS") else 2 * octets
        with needed():
            from healthcert.issue.hsm.mechanisms import sign_as
            from healthcert.issue.hsm.module import this_process
        self._this_process, self._how = this_process, sign_as(algorithm)
        self._pool = self._open()

    @property
    def extractable(self) -> bool | None:
        """Whether the private key can leave the token, in the clear or wrapped; None where the token does not tell.

        A key that can is no better than one in a file: make another.
        """
        return self._current().extractable

    def sign(self, data: bytes, *, prehashed: bool = False) -> bytes:
        """As :meth:`Signer.sign`. What is signed is hashed here: the token and what carries its messages see a digest.

        Raises :class:`IssueError` (``SIGNING_FAILED``, ``TOKEN_UNAVAILABLE``, ``PIN_REFUSED``,
        ``SIGNER_KEY_MISMATCH``).
        """
        digest = data if prehashed else self._hash(data).digest()
        if prehashed and len(data) != self._hash().digest_size:
            raise IssueError(Code.SIGNING_FAILED, "no digest of the algorithm's hash", Step.SIGNATURE)
        signature = self._current().sign(self._how, digest)
        if len(signature) != self._length:
            raise IssueError(Code.SIGNING_FAILED, "the token's signature has another length", Step.SIGNATURE)
        return signature

    def close(self) -> None:
        """Ends the sessions that are open. The next signature opens others."""
        self._current().close()

    def _current(self) -> KeyPool:
        """The sessions of this process: a forked child has its parent's, and must not use them."""
        process = self._this_process()
        if self._pool.process is not process:
            with process.lock:
                if self._pool.process is not process:
                    self._pool = self._open()
        return self._pool

    def _open(self) -> KeyPool:
        from healthcert.issue.hsm.pool import KeyPool

        return KeyPool(self._uri, self._pin, self._public_key, sessions=self._sessions, final_try=self._final_try)

    def __reduce__(self) -> tuple[Callable[..., Pkcs11Signer], tuple[Any, ...]]:
        # The PIN goes along: over the pipe to a process that is being started, and into no other pickle.
        if get_spawning_popen() is None:
            raise TypeError("a signer holds a PIN: it is pickled for a process that is being started only")
        return _spawned, (str(self._uri), self.certificate, self._pin, self._sessions, self._final_try)

    def __repr__(self) -> str:
        return f"Pkcs11Signer(kid={self.kid.hex()}, {self.algorithm.name})"


def _spawned(uri: str, certificate: bytes, pin: str, sessions: int, final_try: bool) -> Pkcs11Signer:
    return Pkcs11Signer(uri, certificate, pin=pin, sessions=sessions, final_try=final_try)
