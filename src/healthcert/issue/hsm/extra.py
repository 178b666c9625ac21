"""What is said where python-pkcs11, the extra ``hsm``, is not installed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from healthcert.errors import Code, IssueError, Step


@contextmanager
def needed() -> Iterator[None]:
    """Around imports. Raises :class:`IssueError` (``EXTRA_MISSING``) where the package is not installed."""
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] not in ("pkcs11", "asn1crypto"):
            raise
        detail = "keys in hardware modules need the package python-pkcs11: pip install 'healthcert[hsm]'"
        raise IssueError(Code.EXTRA_MISSING, detail, Step.SIGNATURE) from None
