"""Which codes in the frames of a camera are new."""

from __future__ import annotations

from healthcert.batch.sources.documents import certificates_among
from healthcert.errors import HealthCertError
from healthcert.limits import Limits
from healthcert_cli.scanning.desk import is_part

GONE = 1.0
"""Seconds after which a code that is not seen any more has left the picture."""


class Sightings:
    """Which codes of the frames are to be judged. What stays in the picture is judged once.

    A code that is no certificate, such as one of a poster on the wall, never takes the place of a verdict.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._seen: dict[str, float] = {}
        self._judged: list[str] = []

    def new(self, texts: list[str], now: float, *, is_waiting: bool) -> list[str]:
        """The texts of a frame that are to be judged together; none where nothing came into the picture.

        ``is_waiting`` is whether no verdict is on the screen.
        """
        known = {text for text, at in self._seen.items() if now - at <= GONE}
        self._seen = {text: now if text in texts else self._seen[text] for text in known.union(texts)}
        try:
            certificates = certificates_among(texts, self._limits)
        except HealthCertError:
            return [text for text in texts if text not in known][:1] if is_waiting else []
        # Back to one after another, although it was never away: the verdict that stands is the other one's.
        is_back = len(certificates) == 1 and certificates != self._judged and not is_part(certificates[0])
        if is_back or not known.issuperset(certificates):
            self._judged = certificates
            return certificates
        return []
