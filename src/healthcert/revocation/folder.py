"""The folder of a revocation store: one update at a time, files that appear whole, and none left that no list uses."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from healthcert.errors import Code, RevocationError, Step
from healthcert.files import lock

SEGMENT = ".hcrev"
"""What the names of segments end with."""
_TEMPORARY, _LOCK = ".update-", "lock"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """One update of a store at a time. The lock goes with the process that has it.

    Raises :class:`RevocationError` (``REVOCATION_STORE_UNREADABLE``) while another program has it, OSError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / _LOCK).open("wb") as file:
        try:
            lock(file.fileno())  # where there is no such lock, the ledger alone keeps order
        except OSError:
            detail = "another program is updating the revocation store; try again"
            raise RevocationError(Code.REVOCATION_STORE_UNREADABLE, detail, Step.REVOCATION) from None
        yield


@contextmanager
def temporary_folder(folder: Path) -> Iterator[Path]:
    """A folder within ``folder``, on the same disk, that goes with what is left in it."""
    with tempfile.TemporaryDirectory(prefix=_TEMPORARY, dir=folder) as temporary:
        yield Path(temporary)


def clean(folder: Path, used: Collection[str]) -> None:
    """Removes files that no list uses: those that were replaced, and what killed updates left."""
    for path in folder.iterdir():
        if path.name.startswith(_TEMPORARY):
            shutil.rmtree(path, ignore_errors=True)
        elif path.name.endswith(SEGMENT) and path.name not in used:
            path.unlink(missing_ok=True)
