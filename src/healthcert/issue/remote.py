"""A signer that is somewhere else, and that never sees health data: the digest goes out, the signature comes back.

The Sig_structure holds the whole payload, so it is hashed on this side. What comes back is held against the certificate
before anything is made of it.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

from healthcert.encoding.algorithms import Algorithm
from healthcert.errors import Code, IssueError, Step
from healthcert.issue.digests import DIGEST_BYTES, DigestRequest, request_line, signature_in
from healthcert.issue.program import PATIENCE, Program
from healthcert.limits import DEFAULT_LIMITS, Limits
from healthcert.lists.publickeys import load_public_key
from healthcert.trust.certificates import read_certificate

Exchange = Callable[[DigestRequest], bytes]
"""Takes a digest to where the key is, and gives the signature: raw ``r || s`` for ECDSA, the modulus' length for RSA.

May raise :class:`IssueError`, and OSError where the signer cannot be reached.
"""

TIMEOUT = 30.0
"""Seconds for one answer: a connection may have to be made first."""
_HASHES: Mapping[int, hashes.HashAlgorithm] = {32: hashes.SHA256(), 48: hashes.SHA384(), 64: hashes.SHA512()}


class RemoteSigner:
    """Signs by asking another machine or module, which gets a hash and nothing of what it is the hash of."""

    def __init__(self, certificate: bytes, exchange: Exchange) -> None:
        """``certificate`` is the DSC in DER.

        Raises :class:`IssueError` (``UNSUITABLE_PUBLIC_KEY_TYPE``) for a key that signs no digests, and
        :class:`TrustError` for an unreadable certificate.
        """
        dsc = read_certificate(certificate)
        algorithm = Algorithm.for_key(dsc.public_key)
        if algorithm not in DIGEST_BYTES:
            raise IssueError(Code.UNSUITABLE_PUBLIC_KEY_TYPE, "the DSC's key signs no digests", Step.SIGNATURE)
        self.certificate = certificate
        self.kid = dsc.kid
        self.algorithm = algorithm
        self._key = load_public_key(dsc.spki)
        self._exchange = exchange

    def sign(self, data: bytes, *, prehashed: bool = False) -> bytes:
        """The signature over ``data``, or over the message whose digest it is, which verifies with the certificate.

        Raises :class:`IssueError` (``SIGNING_FAILED``).
        """
        digest = data if prehashed else self.algorithm.digest(data)
        if len(digest) != DIGEST_BYTES[self.algorithm]:
            raise _failed(f"not a digest for {self.algorithm.name}")
        try:
            signature = self._exchange(DigestRequest(self.kid, self.algorithm, digest))
        except OSError as error:
            raise _failed(f"the signer cannot be reached ({type(error).__name__})") from None
        if not self._holds(signature, digest):
            raise _failed("the signer's answer does not verify with the DSC")
        return signature

    def _holds(self, signature: bytes, digest: bytes) -> bool:
        """Whether the signature is this key's, over what has this digest. Asked of every one: the signer is far."""
        hashed = utils.Prehashed(_HASHES[len(digest)])
        try:
            if isinstance(self._key, ec.EllipticCurvePublicKey):
                size = (self._key.key_size + 7) // 8
                # RFC 9053 §2.1: r and s, each of the curve's size, one after the other; never DER.
                if len(signature) != 2 * size:
                    return False
                r, s = int.from_bytes(signature[:size], "big"), int.from_bytes(signature[size:], "big")
                self._key.verify(utils.encode_dss_signature(r, s), digest, ec.ECDSA(hashed))
            elif isinstance(self._key, rsa.RSAPublicKey):
                # RFC 8230 §2: PSS with MGF1 of the same hash and a salt as long as the hash.
                pss = padding.PSS(padding.MGF1(_HASHES[len(digest)]), salt_length=len(digest))
                self._key.verify(signature, digest, pss, hashed)
            else:
                return False
        except (InvalidSignature, ValueError):
            return False
        return True

    def __repr__(self) -> str:
        return f"RemoteSigner(kid={self.kid.hex()}, {self.algorithm.name})"


class CommandExchange:
    """Asks a program that runs as long as this does: ``["ssh", "signer", "healthcert", "sign", ...]``.

    It is started with the first request, spoken to in lines of JSON (:mod:`healthcert.issue.digests`), one request at a
    time, from any thread. Where it has ended, it is started once more for the same request; where it answers late,
    wrongly or unasked it is ended, and the next request starts it anew.

    No shell reads ``argv``. The program gets this process's environment without the variables of healthcert (which hold
    PINs and passphrases of this side), and with those in ``environment``. What it writes to standard error goes where
    that of this process goes.
    """

    def __init__(
        self,
        argv: Sequence[str],
        *,
        timeout: float = TIMEOUT,
        environment: Mapping[str, str] | None = None,
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        """``timeout`` in seconds is for one answer, the start of the program included."""
        if not argv or timeout <= 0:
            raise ValueError("a program, and a time that it may take")
        self._argv = tuple(argv)
        self._timeout = timeout
        self._environment = dict(environment or {})
        self._limit = limits.signer_line_bytes
        self._lock = threading.Lock()
        self._number = 0
        self._program: Program | None = None

    def __call__(self, request: DigestRequest) -> bytes:
        """Raises :class:`IssueError` (``SIGNING_FAILED``), and OSError where the program cannot be started."""
        with self._lock:
            self._number += 1
            line = request_line(self._number, request)
            end = time.monotonic() + self._timeout
            try:
                try:
                    answer = self._running().ask(line, end, self._limit)
                except EOFError:
                    self._stop()
                    answer = self._running().ask(line, end, self._limit)
                return signature_in(answer, self._number)
            except (EOFError, TimeoutError, ValueError) as error:
                self._stop()
                raise _failed(str(error)) from None

    def close(self) -> None:
        """Ends the program; another request would start it anew."""
        with self._lock:
            self._stop(patience=PATIENCE)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _running(self) -> Program:
        # A fork of this process must not speak into the pipe of its parent.
        if self._program is not None and self._program.owner != os.getpid():
            self._program = None
        if self._program is not None and self._program.has_spoken():
            self._stop()
        if self._program is None:
            self._program = Program(self._argv, self._inherited() | self._environment)
        return self._program

    def _inherited(self) -> dict[str, str]:
        return {name: value for name, value in os.environ.items() if not name.startswith("HEALTHCERT_")}

    def _stop(self, patience: float = 0.0) -> None:
        program, self._program = self._program, None
        if program is not None:
            program.end(patience)


def _failed(detail: str) -> IssueError:
    return IssueError(Code.SIGNING_FAILED, detail, Step.SIGNATURE)
