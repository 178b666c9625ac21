"""The four functions of a PKCS #11 module that are called directly, and not through python-pkcs11.

That library initializes a module for one thread alone, and logs in only together with opening a session, which it loses
where the login fails. Structures and numbers are those of PKCS #11 v2.40.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable
from typing import Any

OK = 0
CANT_LOCK = 0x0A
CRYPTOKI_NOT_INITIALIZED = 0x190
CRYPTOKI_ALREADY_INITIALIZED = 0x191
USER_ALREADY_LOGGED_IN = 0x100

_OS_LOCKING_OK = 2
_USER = 1
_LOGGED_IN = (1, 3)  # CKS_RO_USER_FUNCTIONS, CKS_RW_USER_FUNCTIONS
_POSITIONS = {"C_Initialize": 0, "C_Finalize": 1, "C_GetSessionInfo": 15, "C_Login": 18}

# PKCS #11 v2.40 §2.1: structures are packed to single bytes on Windows, and as the compiler does elsewhere.
_PACK = 1 if sys.platform == "win32" else 0
_FIRST_FUNCTION = 2 if _PACK else ctypes.sizeof(ctypes.c_void_p)


class _InitializeArgs(ctypes.Structure):
    if _PACK:
        _pack_ = _PACK
    _fields_ = (
        ("create_mutex", ctypes.c_void_p),
        ("destroy_mutex", ctypes.c_void_p),
        ("lock_mutex", ctypes.c_void_p),
        ("unlock_mutex", ctypes.c_void_p),
        ("flags", ctypes.c_ulong),
        ("reserved", ctypes.c_void_p),
    )


class _SessionInfo(ctypes.Structure):
    if _PACK:
        _pack_ = _PACK
    _fields_ = (
        ("slot", ctypes.c_ulong),
        ("state", ctypes.c_ulong),
        ("flags", ctypes.c_ulong),
        ("device_error", ctypes.c_ulong),
    )


class Native:
    """The functions of one module, which python-pkcs11 has loaded already."""

    def __init__(self, path: str) -> None:
        """Raises OSError for a library that cannot be loaded, or is no PKCS #11 module."""
        library = ctypes.CDLL(path)
        table = ctypes.c_void_p()
        try:
            answer = library.C_GetFunctionList(ctypes.byref(table))
        except AttributeError:
            raise OSError("no C_GetFunctionList") from None
        if answer != OK or not table.value:
            raise OSError(f"C_GetFunctionList: {answer:#x}")
        self._library = library  # keeps it loaded
        self._initialize = _function(table.value, "C_Initialize", ctypes.c_void_p)
        self._finalize = _function(table.value, "C_Finalize", ctypes.c_void_p)
        self._session_info = _function(table.value, "C_GetSessionInfo", ctypes.c_ulong, ctypes.c_void_p)
        self._login = _function(table.value, "C_Login", ctypes.c_ulong, ctypes.c_ulong, ctypes.c_char_p, ctypes.c_ulong)

    def initialize(self, *, threads: bool) -> int:
        """C_Initialize, for use by several threads with the operating system's locks, or by one alone."""
        arguments = _InitializeArgs(flags=_OS_LOCKING_OK)
        return self._initialize(ctypes.addressof(arguments) if threads else None)

    def finalize(self) -> int:
        """C_Finalize: every session of this process with the module ends."""
        return self._finalize(None)

    def is_logged_in(self, session: int) -> bool:
        """Whether the user is logged in to the session's token."""
        info = _SessionInfo()
        return self._session_info(session, ctypes.addressof(info)) == OK and info.state in _LOGGED_IN

    def login(self, session: int, pin: bytes) -> int:
        """C_Login as the user: one try."""
        return self._login(session, _USER, pin, len(pin))


def _function(table: int, name: str, *arguments: Any) -> Callable[..., int]:
    address = table + _FIRST_FUNCTION + _POSITIONS[name] * ctypes.sizeof(ctypes.c_void_p)
    pointer = ctypes.c_void_p.from_address(address).value
    if pointer is None:
        raise OSError(f"no {name}")
    return ctypes.CFUNCTYPE(ctypes.c_ulong, *arguments)(pointer)
