"""How the certificates of a wallet stand: whose each is, whether it is accepted, and until when."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, time

from msgspec.structs import replace

from healthcert.errors import HealthCertError, RuleError
from healthcert.families import claimed
from healthcert.limits import DEFAULT_LIMITS
from healthcert.model import Exemption, HealthCertificate, Holder, Private, Recovery
from healthcert.rules.assessment import Assessment
from healthcert.rules.forecast import accepted
from healthcert.rules.ruling import RulingOutcome
from healthcert.rules.store import RuleStore
from healthcert.rules.subject import RuleSubject
from healthcert.verify.report import Outcome, Report
from healthcert.verify.verifier import Verifier
from healthcert.wallet.persons import by_person
from healthcert.wallet.wallet import Wallet, WalletEntry

_NEVER = datetime.max.replace(tzinfo=UTC)


class Held(Private, frozen=True, kw_only=True):
    """A certificate of a wallet by its ``number``, and what a verifier says of it.

    ``content`` is what it claims: verified only where the ``report`` says so, and without a holder and events where it
    cannot be read. ``ends_with_key`` is whether it can be used no longer than the key that signed it. ``forecast`` is
    what the rules of the verifier's country say of it, around the moment that is asked about; None where no country is,
    or it could not be told.
    """

    number: int
    entry: WalletEntry
    content: HealthCertificate
    report: Report
    ends_with_key: bool = True
    forecast: Assessment | None = None

    @property
    def until(self) -> datetime | None:
        """Until when it can be used: its end, that of the key that signed it, or that of its acceptance there."""
        key = self.report.key.not_after if self.report.key is not None and self.ends_with_key else None
        forecast = None if self.forecast is None else self.forecast.valid_until
        ends = (self.content.expires_at, _last_moment(self.content), key, forecast)
        return min((moment for moment in ends if moment), default=None)

    @property
    def comes(self) -> datetime | None:
        """From when on the rules will accept it, where they do not now."""
        if self.forecast is None or self.forecast.outcome is RulingOutcome.PASSED:
            return None
        return self.forecast.valid_from

    @property
    def is_usable(self) -> bool:
        """Whether it is accepted, on one of the days for which it was issued."""
        if self.report.outcome is not Outcome.ACCEPTED:
            return False
        now, last = self.report.checked_at, _last_moment(self.content)
        starts = [event.valid_from if isinstance(event, Recovery) else None for event in self.content.events]
        begun = not starts or any(day is None or day <= now.date() for day in starts)
        return begun and (last is None or now <= last)


def look_over(wallet: Wallet, verifier: Verifier, rules: RuleStore | None = None) -> list[Held]:
    """How each certificate stands. ``rules`` are those of the country that the verifier's policy names."""
    reports = verifier.examine_many([entry.text for entry in wallet.entries])
    return [
        _held(number, entry, report, rules)
        for number, (entry, report) in enumerate(zip(wallet.entries, reports, strict=True), 1)
    ]


def by_holder(every: Iterable[Held]) -> list[tuple[Held, ...]]:
    """The certificates of each holder, the soonest to end first; whoever might be somebody else stands apart."""
    return [tuple(sorted(group, key=_end)) for group in by_person(every, lambda one: one.content.holder)]


def best_held(group: Iterable[Held]) -> Held | None:
    """Of one holder's certificates the one to show: among those accepted, the one that stays so for longest.

    Where rules are asked, one of which they cannot tell until when comes after those of which they can.
    """
    return max((one for one in group if one.is_usable), key=_rank, default=None)


def _rank(one: Held) -> tuple[bool, datetime]:
    is_foretold = one.forecast is not None and one.forecast.outcome is RulingOutcome.PASSED
    return one.report.policy.country is None or is_foretold, _end(one)


def _end(one: Held) -> datetime:
    return one.until or _NEVER


def _last_moment(content: HealthCertificate) -> datetime | None:
    """The end of the last day for which it was issued, as recoveries and exemptions have one; None without."""
    days = [event.valid_until if isinstance(event, (Recovery, Exemption)) else None for event in content.events]
    known = [day for day in days if day is not None]
    if not known or len(known) < len(days):
        return None
    return datetime.combine(max(known), time.max, UTC)


def _held(number: int, entry: WalletEntry, report: Report, rules: RuleStore | None) -> Held:
    try:
        decoded, content = claimed(entry.text, DEFAULT_LIMITS)
        ends_with_key = decoded.signed_between is None
    except HealthCertError:  # it was read when it was added: a package is missing, or another version wrote this
        ends_with_key, content = True, _unreadable(report)
    forecast = None if rules is None else _forecast(report, rules)
    return Held(
        number=number,
        entry=entry,
        content=content,
        report=report,
        ends_with_key=ends_with_key,
        forecast=forecast,
    )


def _unreadable(report: Report) -> HealthCertificate:
    return HealthCertificate(
        family=report.family or "unknown",
        version="",
        holder=Holder(),
        events=(),
        issuer=None,
        issued_at=None,
        expires_at=None,
        identifiers=(),
        raw={},
    )


def _forecast(report: Report, rules: RuleStore) -> Assessment | None:
    country, certificate, key = report.policy.country, report.certificate, report.key
    if country is None or certificate is None or key is None:
        return None
    try:
        subject = RuleSubject.of(certificate, key.kid, key.country)
        ends = [moment for moment in (subject.expires_at, key.not_after) if moment is not None]
        subject = replace(subject, expires_at=min(ends, default=None))
        return accepted(rules.book, subject, country=country, at=report.checked_at, region=report.policy.region)
    except RuleError:
        return None
