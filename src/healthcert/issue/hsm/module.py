"""A PKCS #11 module in this process: loaded once, made ready for threads, and made ready anew in a child process."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pkcs11
from pkcs11._pkcs11 import lib as Library  # noqa: N812 (its class has a function's name)

from healthcert.errors import Code, IssueError, Step
from healthcert.issue.hsm import native
from healthcert.issue.hsm.faults import unavailable
from healthcert.issue.hsm.gate import Gate
from healthcert.issue.hsm.uri import Pkcs11Uri

MODULE_VARIABLE = "HEALTHCERT_PKCS11_MODULE"

# What is loaded stays loaded, in children too; what is open does not.
_libraries: dict[str, tuple[Library, native.Native]] = {}


class Module:
    """One module. Every call into it is made with :attr:`guard` held."""

    def __init__(self, path: str) -> None:
        """Raises :class:`IssueError` (``TOKEN_UNAVAILABLE``) for a file that is no module, or does not start."""
        self.path = path
        self.guard = Gate()
        self.used = False
        """Whether a session was opened since the last start."""
        self.starts = 0
        """How often the module was started here. After each start session numbers begin anew: an old one is no
        longer gone, but may be another's."""
        loaded = _libraries.get(path)
        # PKCS #11 v2.40 §5.4, Usage Guide §2.5.2: a child process is another application, which calls C_Initialize
        # itself. To finalize first would be to speak over what may be the parent's connection.
        if loaded is None:
            loaded = _libraries[path] = _load(path)
            # python-pkcs11 has initialized it with no arguments, which says that one thread alone will call it;
            # SoftHSM, for one, then does without its locks.
            loaded[1].finalize()
        self._library, self.native = loaded
        self._initialize()

    def find(self, uri: Pkcs11Uri) -> pkcs11.Token:
        """The one token that ``uri`` names, as it is now.

        Raises :class:`IssueError` (``TOKEN_UNAVAILABLE``), pkcs11.PKCS11Error.
        """
        found = []
        # To ask for the slots also makes the module look for devices that came or went (PKCS #11 v2.40 §5.5).
        for slot in self._library.get_slots():
            if uri.slot_id is not None and slot.slot_id != uri.slot_id:
                continue
            try:
                token = slot.get_token()
            except (pkcs11.TokenNotPresent, pkcs11.TokenNotRecognised, pkcs11.DeviceRemoved, pkcs11.SlotIDInvalid):
                continue
            if _is_meant(token, uri):
                found.append(token)
        if not found:
            raise unavailable("the module has no such token")
        if len(found) > 1:
            raise unavailable(f"the module has {len(found)} such tokens: name the serial number, too")
        return found[0]

    def start_anew(self) -> None:
        """Makes the module forget what it holds, and look at its devices afresh; every session with it ends.

        For a module that is itself at a loss: its device went away and came back, or another part of this process
        has finalized it. Raises :class:`IssueError` (``TOKEN_UNAVAILABLE``).
        """
        # PKCS #11 v2.40 §5.4: what C_Finalize does to calls that are under way is not defined.
        with self.guard.alone():
            self.native.finalize()
            self._initialize()

    def _initialize(self) -> None:
        self.starts += 1
        self.used = False
        answer = self.native.initialize(threads=True)
        if answer == native.CRYPTOKI_ALREADY_INITIALIZED:
            # A child whose module did not notice the fork: its copy of the parent's sessions is not to be used.
            self.native.finalize()
            answer = self.native.initialize(threads=True)
        if answer == native.CANT_LOCK:
            answer = self.native.initialize(threads=False)
            self.guard.one_by_one = True
        if answer != native.OK:
            raise unavailable(f"the module does not start: error {answer:#x}")


class Process:
    """What this process has open. A child that is forked begins with nothing of its parent's."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._modules: dict[str, Module] = {}

    def module(self, path: str) -> Module:
        """The module at ``path``. Raises :class:`IssueError` (``TOKEN_UNAVAILABLE``)."""
        if Path(path).is_absolute():
            path = os.path.realpath(path)  # a module that is loaded by two names is one all the same
        with self.lock:
            module = self._modules.get(path)
            if module is None:
                self._modules[path] = module = Module(path)
            return module


_process = Process()


def this_process() -> Process:
    """What this process, and no parent of it, has open."""
    return _process


def _after_fork() -> None:
    global _process  # noqa: PLW0603 (a process has one state)
    _process = Process()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def module_path(uri: Pkcs11Uri) -> str:
    """The file of the module that ``uri`` names, or else the variable HEALTHCERT_PKCS11_MODULE.

    Raises :class:`IssueError` (``FIELD_INVALID``).
    """
    path = uri.module_path or os.environ.get(MODULE_VARIABLE)
    if not path:
        detail = f"key: the URI has no module-path, and there is no variable {MODULE_VARIABLE}"
        raise IssueError(Code.FIELD_INVALID, detail, Step.SIGNATURE)
    return path


def _load(path: str) -> tuple[Library, native.Native]:
    # A bare name would be searched for, and what is found there may be another's.
    if not Path(path).is_absolute():
        raise unavailable("the module's path is not absolute; for example /usr/lib/softhsm/libsofthsm2.so")
    if not Path(path).is_file():
        raise unavailable("there is no module at the path that the key names")
    try:
        return pkcs11.lib(path), native.Native(path)
    except (pkcs11.PKCS11Error, OSError):
        raise unavailable("what is at the module's path cannot be loaded as a PKCS #11 module") from None


def _is_meant(token: pkcs11.Token, uri: Pkcs11Uri) -> bool:
    if not token.flags & pkcs11.TokenFlag.TOKEN_INITIALIZED:
        return False
    there = {
        "token": token.label,
        "serial": token.serial.decode("utf-8", "replace").rstrip("\0 "),
        "manufacturer": token.manufacturer_id,
        "model": token.model,
    }
    return all(getattr(uri, name) in (None, value) for name, value in there.items())
