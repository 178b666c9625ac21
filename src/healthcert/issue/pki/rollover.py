"""When the next keys have to be made, so that certificates are issued without a gap and verified to their end.

A DSC is made, given to verifiers, and used once they have it (the lead); its key signs for its use; and it goes on
verifying until the last certificate that it signed has ended. The next DSC takes over where its use ends.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from enum import StrEnum, unique

from msgspec import Struct

from healthcert.errors import Code, IssueError, Step
from healthcert.issue.period import CSCA_USE, DSC_USE, Period, period_of
from healthcert.issue.pki.profiles import DSC_VALIDITY
from healthcert.lists.x509 import USAGE_OIDS, parse_certificate
from healthcert.model import EntryType

LEAD = timedelta(days=30)
"""How long before its use a key is made: one month at least (certificate governance guide §3.2)."""
HEALTH_VALIDITY = timedelta(days=365)
"""How long certificates of health live at most (the guide's periods are made for one year)."""
_NO_TIME = timedelta(0)


@unique
class Action(StrEnum):
    """What is done on a day of the plan, or happens on it."""

    MAKE_CSCA = "make_csca"
    MAKE_DSC = "make_dsc"
    FIRST_USE = "first_use"
    LAST_USE = "last_use"
    ENDS = "ends"


class Entry(Struct, frozen=True, kw_only=True):
    """One date of the plan: the latest one for what is made. ``kid`` is None for keys that are not there yet."""

    at: datetime
    action: Action
    detail: str
    kid: bytes | None = None
    usages: tuple[EntryType, ...] = ()


class Gap(Struct, frozen=True, kw_only=True):
    """Something that the dates do not allow. ``begin`` is when it begins, and ``end`` when it ends, None for never."""

    begin: datetime
    end: datetime | None
    detail: str


class RolloverPlan(Struct, frozen=True):
    """The dates in their order, and what stands in their way."""

    entries: tuple[Entry, ...]
    gaps: tuple[Gap, ...]


class Terms(Struct, frozen=True, kw_only=True):
    """How keys are rolled over. ``health_validity`` is how long the longest certificate of health lives."""

    lead: timedelta = LEAD
    use: timedelta = DSC_USE
    validity: timedelta = DSC_VALIDITY
    csca_use: timedelta = CSCA_USE
    health_validity: timedelta = HEALTH_VALIDITY

    def __post_init__(self) -> None:
        if self.lead < _NO_TIME or min(self.use, self.validity, self.csca_use, self.health_validity) <= _NO_TIME:
            raise IssueError(Code.FIELD_INVALID, "lead, use and validities: longer than nothing", Step.TIME)


class _Key(Struct, frozen=True):
    kid: bytes
    kinds: frozenset[EntryType]
    period: Period


def plan_rollover(
    dscs: Sequence[bytes], *, moment: datetime, csca: bytes | None = None, terms: Terms | None = None
) -> RolloverPlan:
    """The dates of the next rollover of these DSCs (DER), and of the CSCA that the next ones come from.

    Raises :class:`TrustError` (``CERTIFICATE_UNREADABLE``), :class:`IssueError` (``FIELD_INVALID``) for no DSC at all.
    """
    terms = terms or Terms()
    if not dscs:
        raise IssueError(Code.FIELD_INVALID, "certificates: one DSC at least", Step.CONTENT)
    keys = [_read(der, terms) for der in dscs]
    entries: list[Entry] = []
    gaps: list[Gap] = []
    for key in keys:
        entries += _life(key, moment)
        gaps += _too_short(key, moment, terms)
    needed = _needed(keys, moment)
    for end, kinds in sorted(needed.items()):
        entries += _next_dsc(end, tuple(sorted(kinds)), terms)
        gaps += _late(end, tuple(sorted(kinds)), moment, terms)
    gaps += _holes(keys, moment)
    if terms.lead + terms.use + terms.health_validity > terms.validity:
        days = (terms.lead + terms.use + terms.health_validity).days
        detail = f"a DSC of {terms.validity.days} days is too short: lead, use and what it signs last take {days}"
        gaps.append(Gap(begin=moment, end=None, detail=detail))
    if csca is not None:
        more, missing = _authority(csca, min(needed), moment, terms)
        entries += more
        gaps += missing
    return RolloverPlan(
        tuple(sorted(entries, key=lambda entry: (entry.at, list(Action).index(entry.action), entry.kid or b""))),
        tuple(sorted(gaps, key=lambda gap: (gap.begin, gap.detail))),
    )


def _read(der: bytes, terms: Terms) -> _Key:
    certificate = parse_certificate(der)
    kinds = frozenset(USAGE_OIDS) if certificate.usages is None else certificate.usages
    return _Key(certificate.kid, kinds, period_of(der, lead=terms.lead, use=terms.use))


def _life(key: _Key, moment: datetime) -> Iterator[Entry]:
    """What is still to come for a DSC that is there."""
    usages, name = tuple(sorted(key.kinds)), f"the DSC {key.kid.hex()}"
    period = key.period
    if period.use_from > moment:
        yield Entry(at=period.use_from, action=Action.FIRST_USE, detail=f"{name} may sign", kid=key.kid, usages=usages)
    if period.use_until > moment and period.use_from < period.use_until:
        detail = f"{name} signs no longer, and stays on the lists"
        yield Entry(at=period.use_until, action=Action.LAST_USE, detail=detail, kid=key.kid, usages=usages)
    if period.not_after > moment:
        detail = f"{name} ends, and can leave the lists"
        yield Entry(at=period.not_after, action=Action.ENDS, detail=detail, kid=key.kid, usages=usages)


def _too_short(key: _Key, moment: datetime, terms: Terms) -> Iterator[Gap]:
    begins = max(key.period.use_from, moment)
    # What is signed after this would have to end with the DSC (HCERT specification §3.3.5).
    last = max(begins, key.period.not_after - terms.health_validity)
    if last < key.period.use_until:
        days = terms.health_validity.days
        detail = f"certificates of {days} days that the DSC {key.kid.hex()} signs are cut short: it ends first"
        yield Gap(begin=last, end=key.period.use_until, detail=detail)


def _needed(keys: Sequence[_Key], moment: datetime) -> dict[datetime, set[EntryType]]:
    """When the use of the DSCs that are there ends, by kind of entry."""
    ends: dict[datetime, set[EntryType]] = {}
    for kind in sorted({kind for key in keys for kind in key.kinds}):
        # What ended long ago is needed now.
        last = max(key.period.use_until for key in keys if kind in key.kinds)
        ends.setdefault(max(last, moment), set()).add(kind)
    return ends


def _next_dsc(end: datetime, kinds: tuple[EntryType, ...], terms: Terms) -> Iterator[Entry]:
    named = ", ".join(kinds)
    detail = f"make the next DSC for {named} by then, and give it to the gateway and to verifiers"
    yield Entry(at=end - terms.lead, action=Action.MAKE_DSC, detail=detail, usages=kinds)
    yield Entry(at=end, action=Action.FIRST_USE, detail=f"the next DSC for {named} takes over", usages=kinds)


def _late(end: datetime, kinds: tuple[EntryType, ...], moment: datetime, terms: Terms) -> Iterator[Gap]:
    earliest = moment + terms.lead
    if earliest > end:
        detail = (
            f"the next DSC for {', '.join(kinds)} is overdue: made today, it is known to verifiers from "
            f"{earliest:%Y-%m-%d} on"
        )
        yield Gap(begin=end, end=earliest, detail=detail)


def _holes(keys: Sequence[_Key], moment: datetime) -> Iterator[Gap]:
    """The times before the last end of use in which no DSC is in use for a kind of entry."""
    holes: dict[tuple[datetime, datetime], list[EntryType]] = {}
    for kind in sorted({kind for key in keys for kind in key.kinds}):
        covered = moment
        windows = sorted((key.period.use_from, key.period.use_until) for key in keys if kind in key.kinds)
        for begin, end in windows:
            if end <= begin:
                continue
            if begin > covered:
                holes.setdefault((covered, begin), []).append(kind)
            covered = max(covered, end)
    for (begin, end), kinds in holes.items():
        yield Gap(begin=begin, end=end, detail=f"no DSC is in use for {', '.join(kinds)}")


def _authority(csca: bytes, next_dsc: datetime, moment: datetime, terms: Terms) -> tuple[list[Entry], list[Gap]]:
    certificate, period = parse_certificate(csca), period_of(csca, use=terms.csca_use)
    made = max(next_dsc - terms.lead, moment)
    name = f"the CSCA {certificate.kid.hex()}"
    # Guide §2.3: the shell model; a DSC that the CSCA does not outlive would be cut short.
    last = min(period.use_until, period.not_after - terms.validity)
    detail = (
        f"make the next CSCA by then, and bring it to the gateway: the last day on which {name} signs a DSC "
        f"that it outlives is {last:%Y-%m-%d}"
    )
    entries = [Entry(at=last - terms.lead, action=Action.MAKE_CSCA, detail=detail)]
    if period.not_after > moment:
        detail = f"{name} ends, and with it all that it has signed"
        entries.append(Entry(at=period.not_after, action=Action.ENDS, detail=detail))
    if made <= last:
        return entries, []
    why = "is past its use" if made > period.use_until else "ends before the DSC would"
    return entries, [Gap(begin=made, end=None, detail=f"{name} cannot sign the next DSC as planned: it {why}")]
