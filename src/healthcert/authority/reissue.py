"""A DSC is compromised: what was issued under it is issued anew under another, and the old ones are revoked.

A register knows nothing of people, so the records have to be given again. Those of which it has a live certificate
under the DSC are re-issued; what no record was given for stays as it is, until it is revoked for being of this DSC.
Each replacement is one transaction, the new edition entered and the old one marked: stopped at any moment and done
again, the same comes out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import islice

from msgspec import Struct

from healthcert.authority.authority import BATCH, IssuingAuthority, batches
from healthcert.authority.batch import Again, Run, Sign, Verdict
from healthcert.authority.register import Register, Registered, Standing, State
from healthcert.authority.withdrawn import replaced_by
from healthcert.errors import Code, IssueError, RegisterError, Step
from healthcert.intake.reading import RejectedRow, Row
from healthcert.issue.issued import Issued
from healthcert.model import EntryType, Private


class ReissueCount(Struct, frozen=True, kw_only=True):
    """The certificates of one kind under the DSC that is replaced.

    ``live`` are issued and have not expired; a record was given for ``matched`` of them. ``done`` were replaced before,
    by certificates that still hold, and a record was given for them. ``successor`` is the kid of the DSC that would
    sign the new ones now, None where there is none.
    """

    entry_type: EntryType
    live: int
    matched: int
    done: int
    successor: bytes | None

    @property
    def unmatched(self) -> int:
        """Those that no record was given for."""
        return self.live - self.matched


class ReissuePlan(Struct, frozen=True, kw_only=True):
    """What a re-issue would do ``at`` that moment; nothing was done yet.

    Of the ``rows`` that were read, ``rejected`` cannot be issued, and ``others`` have no live certificate under this
    DSC: they were never issued, have expired or were revoked, or have theirs under another DSC.
    """

    kid: bytes
    at: datetime
    counts: tuple[ReissueCount, ...]
    rows: int
    rejected: int
    others: int


class Reissued(Private, frozen=True, kw_only=True):
    """A record with its new certificate, and what the register has of the one that it replaces.

    ``again`` says that it was replaced before, and that this is the same new one.
    """

    number: int
    issued: Issued
    again: bool
    replaced: Registered


def plan_reissue(authority: IssuingAuthority, kid: bytes, rows: Iterable[Row | RejectedRow]) -> ReissuePlan:
    """What :func:`reissue` would do with these rows. Nothing is signed or changed.

    ``authority`` signs with the DSC ``kid`` no more: raises :class:`IssueError` (``FIELD_INVALID``) where it would.
    Raises :class:`RegisterError`: ``NOT_IN_REGISTER`` for a kid under which nothing was issued.
    """
    _check(authority, kid)
    judge = _Judge(authority, kid)
    matched: dict[EntryType, set[str]] = {kind: set() for kind in EntryType}
    done: dict[EntryType, set[str]] = {kind: set() for kind in EntryType}
    count = rejected = others = 0
    for part in batches(rows, BATCH):
        records: list[bytes] = []
        for row in part:
            count += 1
            try:
                if isinstance(row, RejectedRow):
                    raise row.error
                records.append(authority.desk.prepare(row.event, row.holder).record)
            except IssueError:
                rejected += 1
        found = authority.register.find_records(list(dict.fromkeys(records)))
        verdicts = judge({record: found.get(record) for record in dict.fromkeys(records)})
        for record in records:
            if verdicts[record] is None:
                others += 1
                continue
            one = found[record].registered
            kinds = matched if isinstance(verdicts[record], Sign) else done
            kinds[one.entry_type].add(one.certificate_id)
    now = authority.clock.now()
    live = _live(authority.register, kid, now)
    counts = tuple(
        ReissueCount(
            entry_type=kind,
            live=live.get(kind, 0),
            matched=len(matched[kind]),
            done=len(done[kind]),
            successor=_successor(authority, kind, now),
        )
        for kind in EntryType
        if kind in live or done[kind]
    )
    return ReissuePlan(kid=kid, at=now, counts=counts, rows=count, rejected=rejected, others=others)


def reissue(
    authority: IssuingAuthority, kid: bytes, rows: Iterable[Row | RejectedRow], *, batch: int = BATCH
) -> Iterator[Reissued | RejectedRow]:
    """Issues anew each of these records that has a live certificate under the DSC ``kid``, in their order.

    Each gets a new edition under another DSC, and the old one is marked as replaced in the same transaction. A new one
    begins now, and lives as long as any that is issued now. A record that was re-issued before gives the same new
    certificate again, and one that is not concerned nothing. What cannot be issued comes out as :class:`RejectedRow`;
    its old certificate is left as it was. Raises as :func:`plan_reissue` and :meth:`IssuingAuthority.issue_rows` do.
    """
    _check(authority, kid)
    return _reissue(authority, kid, rows, batch)


def _reissue(
    authority: IssuingAuthority, kid: bytes, rows: Iterable[Row | RejectedRow], batch: int
) -> Iterator[Reissued | RejectedRow]:
    judge = _Judge(authority, kid)
    run = Run(authority.desk, authority.register, judge)
    for part in batches(rows, batch):
        for record, answer in run.answers(part):
            if isinstance(answer, RejectedRow) or record is None:
                assert isinstance(answer, RejectedRow)
                yield answer
                continue
            replaced = judge.replaced[record]
            yield Reissued(number=answer.number, issued=answer.issued, again=answer.again, replaced=replaced)


def revoke_rest(authority: IssuingAuthority, kid: bytes, *, batch: int = BATCH) -> Iterator[Registered]:
    """Revokes every certificate under the DSC that is still live: those that no record was given for.

    To be called when :func:`reissue` is through with all records. Raises :class:`RegisterError`; what was given by then
    is revoked, and doing it again does the rest.
    """
    _check(authority, kid)
    return _revoke_rest(authority, kid, batch)


def _revoke_rest(authority: IssuingAuthority, kid: bytes, batch: int) -> Iterator[Registered]:
    live = authority.register.live(kid=kid, at=authority.clock.now())
    while part := [one.certificate_id for one in islice(live, batch)]:
        yield from authority.register.revoke(part)


class _Judge:
    """Says what becomes of the records of a batch; ``replaced`` are their old certificates, for those concerned."""

    def __init__(self, authority: IssuingAuthority, kid: bytes) -> None:
        self._register, self._clock, self._kid = authority.register, authority.clock, kid
        self.replaced: dict[bytes, Registered] = {}

    def __call__(self, found: Mapping[bytes, Standing | None]) -> Mapping[bytes, Verdict]:
        now = self._clock.now()
        holding = {
            record: standing.registered
            for record, standing in found.items()
            if standing is not None and standing.registered.state is State.ISSUED and now < standing.registered.expires
        }
        old = {record: one for record, one in holding.items() if one.kid == self._kid}
        others = {record: one for record, one in holding.items() if one.kid != self._kid and one.edition > 1}
        before = replaced_by(self._register, self._kid, [one.certificate_id for one in others.values()])
        done = {record: before[one.certificate_id] for record, one in others.items() if one.certificate_id in before}
        self.replaced = old | done
        verdicts: dict[bytes, Verdict] = dict.fromkeys(found)
        for record, one in old.items():
            verdicts[record] = Sign(one.edition + 1, replaces_earlier=True)
        for record in done:
            verdicts[record] = Again()
        return verdicts


def _check(authority: IssuingAuthority, kid: bytes) -> None:
    if authority.signers.by_kid(kid) is not None:
        detail = "kid: that of a DSC which signs no more; leave it out of the signers"
        raise IssueError(Code.FIELD_INVALID, detail, Step.USAGE)
    if authority.register.certificate(kid) is None:
        raise RegisterError(Code.NOT_IN_REGISTER, "nothing was issued under a DSC with this kid")


def _live(register: Register, kid: bytes, now: datetime) -> dict[EntryType, int]:
    counts = register.counts(at=now)
    return {one.entry_type: one.unexpired for one in counts if one.kid == kid and one.state is State.ISSUED}


def _successor(authority: IssuingAuthority, kind: EntryType, now: datetime) -> bytes | None:
    try:
        return authority.signers.pick(kind, now, authority.policy.validity[kind]).kid
    except IssueError:
        return None
