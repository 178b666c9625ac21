"""The sessions that one key is used through: as many as are asked for, opened when needed, opened anew when lost."""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from queue import SimpleQueue

import pkcs11

from healthcert.encoding.algorithms import PublicKey
from healthcert.issue.hsm.faults import PIN_FAULTS, is_lost, pin_refused, signing_failed, unavailable
from healthcert.issue.hsm.login import check_not_refused, close, open_session, remember_refused
from healthcert.issue.hsm.mechanisms import SignDigest
from healthcert.issue.hsm.module import Process, module_path, this_process
from healthcert.issue.hsm.objects import asks_each_time, extractable, find_key, public_key_of
from healthcert.issue.hsm.uri import Pkcs11Uri


@dataclass(frozen=True, slots=True)
class _Held:
    """A session, the key in it, and the PIN where the key asks for it with every signature."""

    session: pkcs11.Session
    key: pkcs11.PrivateKey
    pin: str | None
    start: int
    """Which start of the module it is of."""


class KeyPool:
    """A key of a token, for several threads of one process."""

    def __init__(
        self, uri: Pkcs11Uri, pin: str, wanted: PublicKey | None, *, sessions: int, final_try: bool = False
    ) -> None:
        """Opens the first session, and holds the key against the public key ``wanted``, or takes what it finds.

        Raises :class:`IssueError` (``PIN_REFUSED``, ``TOKEN_UNAVAILABLE``, ``SIGNER_KEY_MISMATCH``, ``FIELD_INVALID``).
        """
        self.process: Process = this_process()
        self._uri, self._pin, self._final_try = uri, pin, final_try
        self._module = self.process.module(module_path(uri))
        # What is taken from here has to be put back; unlike a semaphore it is not made in Python, and costs little.
        self._places: SimpleQueue[None] = SimpleQueue()
        for _ in range(sessions):
            self._places.put(None)
        self._free: deque[_Held] = deque()
        self.wanted = wanted
        self.extractable: bool | None = None
        self._free.append(self._open())

    def sign(self, how: SignDigest, digest: bytes) -> bytes:
        """A signature over ``digest``, made by the token.

        A session that was lost is opened anew, once. Raises :class:`IssueError` (``SIGNING_FAILED``,
        ``TOKEN_UNAVAILABLE``, ``PIN_REFUSED``, ``SIGNER_KEY_MISMATCH``).
        """
        self._places.get()
        try:
            return self._sign(how, digest, anew=False)
        except pkcs11.PKCS11Error as error:
            if not is_lost(error):
                raise signing_failed(f"the token does not sign this: {type(error).__name__}") from None
            return self._sign_anew(how, digest)
        finally:
            self._places.put(None)

    def close(self) -> None:
        """Ends the sessions that are not in use. The pool can be used on: it opens others."""
        with suppress(IndexError):
            while True:
                self._close(self._free.pop())

    def _sign_anew(self, how: SignDigest, digest: bytes) -> bytes:
        try:
            return self._sign(how, digest, anew=True)
        except pkcs11.PKCS11Error as error:
            raise unavailable(f"the token went away: {type(error).__name__}") from None

    def _sign(self, how: SignDigest, digest: bytes, *, anew: bool) -> bytes:
        if anew:
            self.close()
        while True:
            held = self._open() if anew else self._take()
            try:
                if held.pin is not None:
                    check_not_refused(self._module, held.session.token, held.pin)
                with self._module.guard:
                    # Its number may be another session's since the module was started anew.
                    if held.start != self._module.starts:
                        continue
                    signature = how(held.key, digest, held.pin)
            except PIN_FAULTS as error:
                remember_refused(self._module, held.session.token, self._pin)
                self._close(held)
                raise pin_refused(f"the token does not take the PIN for a signature: {type(error).__name__}") from None
            except BaseException:
                self._close(held)
                raise
            self._free.append(held)
            return signature

    def _take(self) -> _Held:
        try:
            return self._free.pop()
        except IndexError:  # another thread was quicker
            return self._open()

    def _open(self) -> _Held:
        # One at a time: several threads must not try a wrong PIN together.
        with self.process.lock:
            return open_session(self._module, self._uri, self._pin, self._hold, final_try=self._final_try)

    def _hold(self, session: pkcs11.Session) -> _Held:
        key = find_key(session, self._uri, self.wanted)
        if self.wanted is None:
            # Whatever is opened later has to be the same key.
            self.wanted = public_key_of(session, key)
        self.extractable = extractable(key)
        return _Held(session, key, self._pin if asks_each_time(key) else None, self._module.starts)

    def _close(self, held: _Held) -> None:
        with self._module.guard:
            if held.start == self._module.starts:
                close(held.session)
