"""Logging in to a token: once a process, never twice with a PIN that was refused, never on the last try."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable
from typing import TypeVar

import pkcs11

from healthcert.errors import IssueError
from healthcert.issue.hsm import native
from healthcert.issue.hsm.faults import is_lost, pin_refused, told, unavailable
from healthcert.issue.hsm.module import Module
from healthcert.issue.hsm.uri import Pkcs11Uri

T = TypeVar("T")

_STARTS = 3
_PAUSE = 0.05  # seconds

# PKCS #11 v2.40 §5.1.6: what C_Login says of a PIN.
_REFUSALS = {
    0xA0: "the token does not take the PIN",
    0xA1: "the PIN has characters that the token does not take",
    0xA2: "the PIN is too long or too short for the token",
    0xA3: "the PIN has expired",
    0xA4: "the token has locked the PIN",
    0x102: "the token has no PIN set yet",
}

# Kept for the life of the process, in children too: a PIN that is tried again on every certificate, or by every worker,
# locks the token for all. Digests under a key that nobody has, so that no PIN stands here.
_refused: set[bytes] = set()
_salt = secrets.token_bytes(32)


def open_session(
    module: Module,
    uri: Pkcs11Uri,
    pin: str,
    then: Callable[[pkcs11.Session], T],
    *,
    writing: bool = False,
    final_try: bool = False,
) -> T:
    """What ``then`` makes of a session with the token that ``uri`` names, with the user logged in.

    After an error the session is closed; otherwise ``then`` keeps it, or closes it. Tokens say when one more wrong PIN
    would lock them: then none is tried unless ``final_try``. Not to be called with the module's guard held; ``then`` is
    called with it held, so that the module is not started anew in between. Raises :class:`IssueError`
    (``PIN_REFUSED``, ``TOKEN_UNAVAILABLE``), and what ``then`` raises.
    """
    for left in reversed(range(_STARTS)):
        try:
            with module.guard:
                return _use(_open(module, uri, pin, writing=writing, final_try=final_try), then)
        except pkcs11.PKCS11Error as error:
            if not (left and is_lost(error)):
                raise unavailable(f"the token does not open a session: {type(error).__name__}") from None
        except IssueError:
            # While nothing is open there is nothing to lose: the module may have looked at its devices at a bad moment.
            # (SoftHSM does not see a token that another process is just writing to.)
            if module.used or not left:
                raise
            time.sleep(_PAUSE)
        module.start_anew()
    raise unavailable("the module does not start")


def _use(session: pkcs11.Session, then: Callable[[pkcs11.Session], T]) -> T:
    try:
        with told("the token does not do what is asked"):
            return then(session)
    except BaseException:
        close(session)
        raise


def close(session: pkcs11.Session) -> None:
    """Ends a session, whether it is still there or not."""
    try:
        session.close()
    except pkcs11.PKCS11Error:
        return


def check_not_refused(module: Module, token: pkcs11.Token, pin: str) -> None:
    """Raises :class:`IssueError` (``PIN_REFUSED``) for a PIN that this token refused before."""
    if _mark(module, token, pin) in _refused:
        raise pin_refused("this PIN was refused before, and is not tried again: correct it, and start anew")


def remember_refused(module: Module, token: pkcs11.Token, pin: str) -> None:
    """Keeps in mind that this token refused the PIN."""
    _refused.add(_mark(module, token, pin))


def _open(module: Module, uri: Pkcs11Uri, pin: str, *, writing: bool, final_try: bool) -> pkcs11.Session:
    token = module.find(uri)
    # Without the PIN: python-pkcs11 would log out every session of this process together with the one that logged in.
    session = token.open(rw=writing)
    module.used = True
    try:
        _log_in(module, token, session, pin, final_try=final_try)
    except BaseException:
        close(session)
        raise
    return session


def _log_in(module: Module, token: pkcs11.Token, session: pkcs11.Session, pin: str, *, final_try: bool) -> None:
    flags, flag = token.flags, pkcs11.TokenFlag
    if not flags & flag.LOGIN_REQUIRED or module.native.is_logged_in(_handle(session)):
        return
    check_not_refused(module, token, pin)
    if flags & flag.USER_PIN_LOCKED:
        raise pin_refused("the token has locked the PIN: its security officer sets a new one")
    if flags & flag.USER_PIN_FINAL_TRY and not final_try:
        raise pin_refused(
            "one more wrong PIN would lock the token, so none is tried: log in once with the token's own tools"
        )
    answer = module.native.login(_handle(session), pin.encode("utf-8"))
    if answer in _REFUSALS:
        remember_refused(module, token, pin)
        raise pin_refused(_REFUSALS[answer])
    if answer not in (native.OK, native.USER_ALREADY_LOGGED_IN):
        raise unavailable(f"the token does not log in: error {answer:#x}")


def _mark(module: Module, token: pkcs11.Token, pin: str) -> bytes:
    parts = (module.path.encode(), token.serial, token.label.encode(), pin.encode())
    return hashlib.blake2b(b"".join(len(part).to_bytes(4, "big") + part for part in parts), key=_salt).digest()


def _handle(session: pkcs11.Session) -> int:
    handle: int = session.handle  # type: ignore[attr-defined]  # python-pkcs11's types leave it out
    return handle
