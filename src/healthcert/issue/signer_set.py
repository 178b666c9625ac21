"""Several signers of one authority: which of them signs what when, and which must soon be replaced.

A state has a DSC for each kind of entry, or one for all, and rolls them over with overlap: the new one is made and
given to verifiers while the old one still signs, and the old one goes on verifying after the new one has taken over.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum, unique

from msgspec import Struct

from healthcert.errors import Code, IssueError, Step
from healthcert.issue.period import DSC_USE, Period, period_of
from healthcert.issue.policy import IssuePolicy
from healthcert.issue.signer import Signer
from healthcert.lists.x509 import USAGE_OIDS
from healthcert.model import EntryType
from healthcert.trust.certificates import read_certificate
from healthcert.trust.keys import TrustedKey

__all__ = ["DSC_USE", "SignerSet", "SignerWarning", "Trouble"]

_NO_TIME = timedelta(0)
_SECOND = timedelta(seconds=1)


@unique
class Trouble(StrEnum):
    """What is, or will be, wrong with a set of signers."""

    EXPIRES = "expires"
    """A DSC ends; what it signed is no longer verified then."""
    USE_ENDS = "use_ends"
    """A DSC's key should no longer sign; the DSC still verifies."""
    TAKEN_EARLY = "taken_early"
    """A DSC signs although its lead is not over: verifiers may not know it yet."""
    CUT_SHORT = "cut_short"
    """A DSC ends before the certificates that it signs should."""
    NO_SIGNER = "no_signer"
    """No DSC is valid for a kind of entry."""


class SignerWarning(Struct, frozen=True, kw_only=True):
    """Something that the authority has to look after. ``detail`` says it in words.

    ``at`` is when it begins, which may be in the past. ``kid`` is the DSC that it is about, None where there is none;
    ``entry_type`` the kind of entry, None where it is about all that the DSC may sign. ``succeeded`` is whether other
    DSCs of the set are in use for all that this one may sign, so that only the set has to be tidied up.
    """

    trouble: Trouble
    at: datetime
    detail: str
    kid: bytes | None = None
    entry_type: EntryType | None = None
    succeeded: bool = False


class _Member(Struct, frozen=True):
    signer: Signer
    dsc: TrustedKey
    period: Period
    kinds: frozenset[EntryType]
    """The kinds of entry of an EU DCC that it may sign."""

    def fitness(self, moment: datetime, validity: timedelta) -> tuple[bool, bool, bool, int, float, int]:
        """How well it fits, the best being the largest; for one that is valid and may sign.

        What is in its lead may not be known to verifiers, which harms people; what is past its use harms nobody yet.
        """
        in_use = self.period.in_use(moment)
        return (
            in_use,
            self.period.outlives(moment, validity),
            moment >= self.period.use_from,
            -len(self.kinds),
            self.period.not_before.timestamp(),
            -int.from_bytes(self.signer.kid, "big"),
        )


class SignerSet:
    """The signers of an authority, of which each entry gets the one that fits it."""

    def __init__(self, signers: Sequence[Signer], *, lead: timedelta = _NO_TIME, use: timedelta | None = None) -> None:
        """``lead`` is how long a new DSC is left unused after its beginning, so that verifiers have it.

        ``use`` is how long its key signs after that (:data:`DSC_USE` is what the governance guide recommends), None for
        as long as the DSC is valid; a private key usage period in the DSC itself narrows both. Raises
        :class:`IssueError` (``FIELD_INVALID``) for two signers of one kid, or periods that are none, and
        :class:`TrustError` for an unreadable DSC.
        """
        if lead < _NO_TIME or (use is not None and use <= _NO_TIME):
            raise IssueError(Code.FIELD_INVALID, "lead and use: not negative, and use longer than nothing", Step.TIME)
        self.signers: tuple[Signer, ...] = tuple(signers)
        self._members = tuple(_member(signer, lead, use) for signer in self.signers)
        self._by_kid = {member.signer.kid: member for member in self._members}
        if len(self._by_kid) != len(self._members):
            raise IssueError(Code.FIELD_INVALID, "signers: two of them have one kid", Step.SIGNATURE)

    def pick(self, entry_type: EntryType, moment: datetime, validity: timedelta) -> Signer:
        """The signer for a certificate of ``entry_type`` that is issued at ``moment`` and lives for ``validity``.

        Of those that may sign it and are valid: one in use before another, one that outlives the certificate before one
        that does not, one limited to fewer kinds of entry before one for all, then the newest. Raises
        :class:`IssueError` (``NO_SIGNER``), which says why there is none.
        """
        return self._pick(entry_type, moment, validity).signer

    def by_kid(self, kid: bytes) -> Signer | None:
        """The signer with this kid, whether or not it may sign now; None where the set has none."""
        member = self._by_kid.get(kid)
        return None if member is None else member.signer

    def warnings(
        self,
        moment: datetime,
        within: timedelta = timedelta(days=30),
        *,
        validity: Mapping[EntryType, timedelta] | None = None,
    ) -> tuple[SignerWarning, ...]:
        """What is wrong at ``moment``, or will be ``within`` this time, in the order in which it begins.

        ``validity`` is how long certificates of each kind live; the usual lengths where it does not say. A kind of
        entry that none of the DSCs is for is not missed.
        """
        lengths = IssuePolicy(validity=validity or {}).validity
        found = list(self._of_members(moment, moment + within))
        for entry_type in USAGE_OIDS:
            if any(entry_type in member.kinds for member in self._members):
                found += self._of_kind(entry_type, moment, moment + within, lengths[entry_type])
        return tuple(sorted(found, key=lambda one: (one.at, one.trouble, one.entry_type or "", one.kid or b"")))

    def _pick(self, entry_type: EntryType, moment: datetime, validity: timedelta) -> _Member:
        able = [m for m in self._members if m.dsc.may_sign((entry_type,)) and m.period.valid(moment)]
        if not able:
            raise IssueError(Code.NO_SIGNER, self._why_none(entry_type, moment), Step.USAGE)
        return max(able, key=lambda member: member.fitness(moment, validity))

    def _why_none(self, entry_type: EntryType, moment: datetime) -> str:
        named = [member for member in self._members if member.dsc.may_sign((entry_type,))]
        counts = {
            "may sign other entries only": len(self._members) - len(named),
            "expired": sum(moment >= member.period.not_after for member in named),
            "not valid yet": sum(moment < member.period.not_before for member in named),
        }
        reasons = ", ".join(f"{count} {reason}" for reason, count in counts.items() if count)
        return f"no DSC for a {entry_type} certificate: " + (reasons or "the set is empty")

    def _of_members(self, moment: datetime, until: datetime) -> Iterator[SignerWarning]:
        for member in self._members:
            kid, period = member.signer.kid, member.period
            if period.not_after <= until:
                succeeded = self._succeeded(member, max(moment, period.not_after))
                detail = f"the DSC {kid.hex()} {_tense(period.not_after, moment, 'expires', 'expired')}"
                yield _about(Trouble.EXPIRES, period.not_after, detail, kid=kid, succeeded=succeeded)
            if period.use_until <= until and moment < period.not_after and period.use_until < period.not_after:
                succeeded = self._succeeded(member, max(moment, period.use_until))
                tense = _tense(period.use_until, moment, "ends", "ended")
                detail = f"the use of the DSC {kid.hex()} {tense}; it verifies until {period.not_after:%Y-%m-%d}"
                yield _about(Trouble.USE_ENDS, period.use_until, detail, kid=kid, succeeded=succeeded)

    def _succeeded(self, member: _Member, moment: datetime) -> bool:
        """Whether others are in use then for all that this one may sign."""
        others = [m for m in self._members if m is not member and m.period.in_use(moment)]
        return all(any(kind in other.kinds for other in others) for kind in member.kinds)

    def _of_kind(
        self, entry_type: EntryType, moment: datetime, until: datetime, validity: timedelta
    ) -> Iterator[SignerWarning]:
        """The first moment of each trouble that a kind of entry has."""
        seen: set[Trouble] = set()
        for at in self._turns(moment, until, validity):
            try:
                member = self._pick(entry_type, at, validity)
            except IssueError as error:
                if Trouble.NO_SIGNER not in seen:
                    seen.add(Trouble.NO_SIGNER)
                    yield _about(Trouble.NO_SIGNER, at, f"{_on(at, moment)}{error.detail}", entry_type=entry_type)
                continue
            kid, period = member.signer.kid, member.period
            if at < period.use_from and Trouble.TAKEN_EARLY not in seen:
                seen.add(Trouble.TAKEN_EARLY)
                detail = (
                    f"{_on(at, moment)}only the DSC {kid.hex()} is there for a {entry_type} certificate, which "
                    f"verifiers have from {period.use_from:%Y-%m-%d} on"
                )
                yield _about(Trouble.TAKEN_EARLY, at, detail, kid=kid, entry_type=entry_type)
            if not period.outlives(at, validity) and Trouble.CUT_SHORT not in seen:
                seen.add(Trouble.CUT_SHORT)
                detail = (
                    f"{_on(at, moment)}a {entry_type} certificate, which lives {validity.days} days, ends with the DSC "
                    f"{kid.hex()} on {period.not_after:%Y-%m-%d}"
                )
                yield _about(Trouble.CUT_SHORT, at, detail, kid=kid, entry_type=entry_type)

    def _turns(self, moment: datetime, until: datetime, validity: timedelta) -> list[datetime]:
        """The moments from now on at which another signer may be picked, or the same one may fit less."""
        turns = {moment}
        for period in (member.period for member in self._members):
            last = period.not_after - validity + _SECOND
            turns |= {period.not_before, period.not_after, period.use_from, period.use_until, last}
        return sorted(turn for turn in turns if moment <= turn <= until)

    def __repr__(self) -> str:
        return f"SignerSet({len(self.signers)} signers)"


def _member(signer: Signer, lead: timedelta, use: timedelta | None) -> _Member:
    dsc = read_certificate(signer.certificate)
    kinds = frozenset(USAGE_OIDS) if dsc.usages is None else dsc.usages
    return _Member(signer, dsc, period_of(signer.certificate, lead=lead, use=use), kinds)


def _about(
    trouble: Trouble,
    at: datetime,
    detail: str,
    *,
    kid: bytes | None = None,
    entry_type: EntryType | None = None,
    succeeded: bool = False,
) -> SignerWarning:
    if succeeded:
        detail += "; others have taken over"
    return SignerWarning(trouble=trouble, at=at, detail=detail, kid=kid, entry_type=entry_type, succeeded=succeeded)


def _tense(at: datetime, moment: datetime, coming: str, gone: str) -> str:
    return f"{coming if at > moment else gone} on {at:%Y-%m-%d}"


def _on(at: datetime, moment: datetime) -> str:
    return f"from {at:%Y-%m-%d} on: " if at > moment else ""
