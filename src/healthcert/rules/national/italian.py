"""Italy: a list of settings, each a number of days or hours, as the app VerificaC19 reads them.

Source: ministero-salute/it-dgc-verificac19-sdk-android and italia/verificac19-sdk. Two generations of the settings are
known. The older one lists the products that count, each with its own numbers, and distinguishes the country of
vaccination; the newer one, known by its setting ``EMA_vaccines``, lists the products that are authorised, and leaves
what else was completed to a further test. Days are those of Italy's clocks, and the last one counts.

Whether a recovery certificate is the one of a person who was vaccinated before is told by its signing key, which is not
known here: where the two sets of numbers differ, it is OPEN. A recovery certificate counts from its own first day, and
after its own last day what the settings alone would still accept is OPEN.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType

from healthcert.rules.assessment import Assessment
from healthcert.rules.national.italian_proofs import judge_recovery, judge_test, judge_vaccination
from healthcert.rules.national.italian_settings import read_settings
from healthcert.rules.national.payload import only_entry
from healthcert.rules.national.segments import FAIL, Timeline, always, assess_each, undetermined
from healthcert.rules.national.settings import chosen
from healthcert.rules.subject import RuleSubject

_PREFIX = "URN:UVCI:"


class Italian:
    """The rules of Italy. ``mode`` is what is asked for: 3G (any proof), 2G (no tests), BOOSTER."""

    name = "it"
    title = "Italy: VerificaC19's settings"
    options: Mapping[str, tuple[str, ...]] = MappingProxyType({"mode": ("3G", "2G", "BOOSTER")})

    def __init__(self, document: bytes) -> None:
        """Raises :class:`RuleError` (``RULE_LIST_UNREADABLE``)."""
        self._settings = read_settings(document)

    def assess(self, subjects: Sequence[RuleSubject], at: datetime, *, options: Mapping[str, str]) -> Assessment:
        mode = chosen(options, self.options)["mode"]
        return assess_each(subjects, at, lambda subject: self._judge(subject, mode))

    def _judge(self, subject: RuleSubject, mode: str) -> Timeline:
        entry = only_entry(subject.payload, last_of="v")
        blocked = self._settings.items("black_list_uvci", "black_list_uvci")
        if blocked is None:
            raise undetermined("the settings have no black_list_uvci")
        if _bare(entry.text("ci")) in map(_bare, blocked):
            return always(FAIL, "the certificate is on the list black_list_uvci")
        if not entry.is_about_covid:
            return always(FAIL, "the certificate is not about COVID-19")
        match entry.group:
            case "v":
                return judge_vaccination(entry, self._settings, mode)
            case "t":
                return judge_test(entry, self._settings, mode)
        return judge_recovery(entry, self._settings, mode)


def _bare(uvci: str) -> str:
    return uvci.upper().removeprefix(_PREFIX)
