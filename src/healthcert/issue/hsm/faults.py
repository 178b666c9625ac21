"""What a module's errors mean here: a PIN that is refused, a token that is gone, a signature that is not to be had."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pkcs11

from healthcert.errors import Code, IssueError, Step

PIN_FAULTS = (
    pkcs11.PinIncorrect,
    pkcs11.PinInvalid,
    pkcs11.PinLenRange,
    pkcs11.PinLocked,
    pkcs11.PinExpired,
)

# After these the session, the login or the whole device may be gone while the key is not: what was lost is opened anew,
# once. PKCS #11 v2.40 §5.1.
_LOST = (
    pkcs11.SessionHandleInvalid,
    pkcs11.SessionClosed,
    pkcs11.KeyHandleInvalid,
    pkcs11.ObjectHandleInvalid,
    pkcs11.UserNotLoggedIn,
    pkcs11.DeviceRemoved,
    pkcs11.DeviceError,
    pkcs11.TokenNotPresent,
    pkcs11.TokenNotRecognised,
    pkcs11.SlotIDInvalid,
    pkcs11.OperationActive,
    pkcs11.OperationNotInitialized,
    pkcs11.GeneralError,
    pkcs11.FunctionFailed,
)


def is_lost(error: pkcs11.PKCS11Error) -> bool:
    """Whether opening anew may help."""
    # Codes that the library has no class for come as the root of its classes: a module that is not initialized any
    # more, and what vendors say of broken connections.
    return isinstance(error, _LOST) or type(error) is pkcs11.PKCS11Error


@contextmanager
def told(what: str) -> Iterator[None]:
    """Turns the module's errors into :class:`IssueError` (``TOKEN_UNAVAILABLE``).

    ``what`` says what did not go, for the error's detail; the kind of the module's error is added to it.
    """
    try:
        yield
    except pkcs11.PKCS11Error as error:
        raise unavailable(f"{what}: {type(error).__name__}") from None


def unavailable(detail: str) -> IssueError:
    """The error for a token that cannot be used."""
    return IssueError(Code.TOKEN_UNAVAILABLE, detail, Step.SIGNATURE)


def pin_refused(detail: str) -> IssueError:
    """The error for a PIN that is not taken."""
    return IssueError(Code.PIN_REFUSED, detail, Step.SIGNATURE)


def signing_failed(detail: str) -> IssueError:
    """The error for a signature that the module does not make."""
    return IssueError(Code.SIGNING_FAILED, detail, Step.SIGNATURE)
