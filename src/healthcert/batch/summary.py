"""What a bulk run tells in the end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct


class Summary(Struct, frozen=True, kw_only=True):
    """How many rows a run did, and what became of them, in all of its parts where it was broken off and gone on with.

    ``counts`` are those of :class:`ChunkResult`, ``seconds`` the time it took. ``resumed`` is whether it went on with
    an earlier one, ``stopped`` whether it was told to stop before all was done.
    """

    rows: int
    counts: Mapping[str, int]
    seconds: float
    resumed: bool = False
    stopped: bool = False

    def of(self, kind: str) -> dict[str, int]:
        """The counts by ``verdict``, ``code`` or ``issuer``, in the order of their names; none that are zero."""
        begin = f"{kind}:"
        return {name.removeprefix(begin): n for name, n in sorted(self.counts.items()) if name.startswith(begin) and n}

    def to_dict(self) -> dict[str, Any]:
        """What every run tells, as values of JSON."""
        return {
            "rows": self.rows,
            "seconds": round(self.seconds, 3),
            "resumed": self.resumed,
            "stopped": self.stopped,
            "issuers": self.of("issuer"),
        }
