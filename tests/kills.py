"""How often tests kill processes: the whole suite has to be done within minutes."""

from __future__ import annotations

import os

VARIABLE = "HEALTHCERT_ALL_KILLS"


def kills(full: int) -> int:
    """A quarter of ``full``; all of it where the variable ``HEALTHCERT_ALL_KILLS`` is set."""
    return full if os.environ.get(VARIABLE) else full // 4
