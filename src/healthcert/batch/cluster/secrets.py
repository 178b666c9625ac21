"""What opens a key on a machine of a cluster: a file or a variable there. Nobody can be asked."""

from __future__ import annotations

import os
from pathlib import Path

from msgspec import Struct

from healthcert.errors import Code, IssueError, Step
from healthcert.issue.keysource import read_pin
from healthcert.limits import DEFAULT_LIMITS, read_file

PASSPHRASE, PIN = "HEALTHCERT_PASSPHRASE", "HEALTHCERT_PIN"


class MachineSecrets(Struct, frozen=True, kw_only=True):
    """Passphrases and PINs from these files, or else from the variables of the process that needs them.

    It goes to other machines, and holds the names of files and no secret.
    """

    passphrase_file: Path | None = None
    pin_file: Path | None = None

    def passphrase(self, path: Path) -> bytes:
        """The passphrase of a key file. Raises :class:`IssueError` (``SIGNER_KEY_UNREADABLE``), OSError."""
        if self.passphrase_file is None:
            found = os.environ.get(PASSPHRASE, "").encode()
        else:
            found = next(iter(read_file(self.passphrase_file, DEFAULT_LIMITS.key_file_bytes).splitlines()), b"")
        if not found:
            detail = f"nobody is asked on a cluster: name a passphrase-file in the profile, or set {PASSPHRASE}"
            raise IssueError(Code.SIGNER_KEY_UNREADABLE, detail, Step.SIGNATURE)
        return found

    def pin(self, token: str) -> str:
        """The PIN of a token. Raises :class:`IssueError` (``PIN_REFUSED``), OSError."""
        if self.pin_file is not None:
            return read_pin(self.pin_file)
        if found := os.environ.get(PIN):
            return found
        detail = f"nobody is asked on a cluster: name a pin-file in the profile, or set {PIN}"
        raise IssueError(Code.PIN_REFUSED, detail, Step.SIGNATURE)
