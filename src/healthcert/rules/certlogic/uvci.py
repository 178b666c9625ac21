"""``extractFromUVCI``: a part of a certificate's identifier (specification 1.3.3)."""

from __future__ import annotations

import re
from typing import Any

from healthcert.rules.certlogic.dates import undefined

_PREFIX = "URN:UVCI:"
_SEPARATORS = re.compile(r"[/#:]")


def extract(uvci: Any, index: int) -> str | None:
    """The part of a UVCI at ``index``; None where it has no such part, or is None itself. No form is wrong.

    Raises :class:`RuleError` (``CERTLOGIC_UNDEFINED``) for anything but a text.
    """
    if uvci is None:
        return None
    if not isinstance(uvci, str):
        raise undefined("a UVCI is a text")
    parts = _SEPARATORS.split(uvci.removeprefix(_PREFIX))
    return parts[index] if 0 <= index < len(parts) else None
