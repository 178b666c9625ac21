"""A batch of records on its way through an authority: prepared, looked up, signed, entered, and only then given out.

Whatever stops it, a kill at any moment included, a record is afterwards either entered in the register with its entry
in the audit log, or it is not, and nobody has a certificate of it. Done again, the first is given out once more as it
was, and the second is issued.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

from msgspec import Struct

from healthcert.authority.desk import Desk, issued_otherwise
from healthcert.authority.register import New, Register, Registered, Standing, State
from healthcert.errors import Code, HealthCertError, IssueError, Step
from healthcert.families.hcert.encode import Unsigned
from healthcert.intake.reading import RejectedRow, Row
from healthcert.issue.issued import Issued
from healthcert.issue.pending import PendingCertificate
from healthcert.model import Private
from healthcert.revocation.identifiers import signature_hash

# What says that a signer can sign nothing, and not only that it did not sign this. It is not asked again in the same
# run: a module counts wrong PINs, and one that is unplugged takes its time to answer for each record.
_GONE = frozenset((Code.PIN_REFUSED, Code.TOKEN_UNAVAILABLE, Code.SIGNER_KEY_MISMATCH, Code.EXTRA_MISSING))

_FAILURES = 3


class IssuedRow(Private, frozen=True, kw_only=True):
    """A record that has its certificate. ``again`` says that it had it before, and that this is the same."""

    number: int
    issued: Issued
    again: bool


class Sign(Struct, frozen=True):
    """A record is to get a new certificate: its ``edition``, counted from 1."""

    edition: int = 1
    replaces_earlier: bool = False


class Again(Struct, frozen=True):
    """A record is to be given the certificate that it has."""


Verdict = Sign | Again | IssueError | None
"""What becomes of a record: an error refuses it, None passes it over."""
Judge = Callable[[Mapping[bytes, Standing | None]], Mapping[bytes, Verdict]]
"""Says what becomes of records, by the certificates that they have already."""
Answer = IssuedRow | RejectedRow
_Outcome = Issued | HealthCertError


class _Prepared(Private, frozen=True):
    number: int
    record: bytes
    pending: PendingCertificate


class _Signed(Private, frozen=True):
    record: bytes
    pending: PendingCertificate
    verdict: Sign
    message: Unsigned
    signature: bytes


class Run:
    """Takes one batch after the other. A signer that is gone for one is gone for all that follow."""

    def __init__(self, desk: Desk, register: Register, judge: Judge) -> None:
        """``judge`` is asked once a batch."""
        self._desk, self._register, self._judge = desk, register, judge
        self._gone: dict[bytes, HealthCertError] = {}
        self._failures: Counter[bytes] = Counter()

    def answers(self, rows: Sequence[Row | RejectedRow]) -> Iterator[tuple[bytes | None, Answer]]:
        """What becomes of each row, in order, with its record; nothing of those that are passed over.

        All of it is done before the first is given. Raises :class:`RegisterError` where the register cannot be used;
        then nothing is given, and what was entered is given when it is done again.
        """
        prepared = [self._prepare(row) for row in rows]
        pending: dict[bytes, PendingCertificate] = {}
        for one in prepared:
            if isinstance(one, _Prepared):
                pending.setdefault(one.record, one.pending)
        return _in_order(prepared, pending, *self._done(pending))

    def _prepare(self, row: Row | RejectedRow) -> _Prepared | RejectedRow:
        if isinstance(row, RejectedRow):
            return row
        try:
            pending = self._desk.prepare(row.event, row.holder)
        except IssueError as error:
            return RejectedRow(row.number, error)
        return _Prepared(row.number, pending.record, pending)

    def _done(self, pending: Mapping[bytes, PendingCertificate]) -> tuple[dict[bytes, _Outcome], set[bytes]]:
        """The certificate of each record, or what refuses it; and which of them are new."""
        found = self._register.find_records(list(pending)) if pending else {}
        verdicts = self._judge({record: found.get(record) for record in pending})
        done: dict[bytes, _Outcome] = {}
        fresh: set[bytes] = set()
        signing: list[tuple[bytes, PendingCertificate, Sign]] = []
        for record, one in pending.items():
            verdict = verdicts[record]
            if isinstance(verdict, IssueError):
                done[record] = verdict
            elif isinstance(verdict, Again):
                done[record] = self._again(one, found[record])
            elif verdict is not None:
                signing.append((record, self._desk.named(one, record, verdict.edition), verdict))
        signed = self._signed(signing, done)
        entered = self._register.enter([_new(one) for one in signed]) if signed else []
        for each, standing in zip(signed, entered, strict=True):
            if isinstance(standing, Registered):
                done[each.record] = each.pending.assembled(each.message, each.signature)
                fresh.add(each.record)
            elif isinstance(standing, Standing):
                # Another process was faster. What was signed here is forgotten: only what is registered leaves.
                done[each.record] = self._overtaken(pending[each.record], standing)
            else:
                done[each.record] = standing
        return done, fresh

    def _signed(
        self, signing: Sequence[tuple[bytes, PendingCertificate, Sign]], done: dict[bytes, _Outcome]
    ) -> list[_Signed]:
        """Those that could be signed; the others are ``done`` with. Encoded are all before the first is signed.

        What a stage needs then stays in the processor's caches.
        """
        signed: list[_Signed] = []
        for record, pending, verdict, message in [(*each, each[1].message) for each in signing]:
            signature = self._sign(pending, message)
            if isinstance(signature, bytes):
                signed.append(_Signed(record, pending, verdict, message, signature))
            else:
                done[record] = signature
        return signed

    def _sign(self, pending: PendingCertificate, message: Unsigned) -> bytes | HealthCertError:
        kid = pending.key.certified().kid
        if gone := self._gone.get(kid):
            return gone
        try:
            signature = pending.key.sign(message.to_be_signed)
        except IssueError as error:
            self._failures[kid] += 1
            if error.code in _GONE or self._failures[kid] >= _FAILURES:
                self._gone[kid] = error
            return error
        self._failures[kid] = 0
        self._desk.keep(pending)
        return signature

    def _again(self, pending: PendingCertificate, standing: Standing) -> _Outcome:
        try:
            return self._desk.again(pending, standing)
        except IssueError as error:
            return error

    def _overtaken(self, pending: PendingCertificate, standing: Standing) -> _Outcome:
        if standing.registered.state is State.ISSUED:
            return self._again(pending, standing)
        return revoked_before()


def revoked_before() -> IssueError:
    """What refuses a record whose certificate was revoked or replaced."""
    detail = "it was issued before, and revoked or replaced; where that is over, ask for a new edition"
    return IssueError(Code.ISSUED_AND_REVOKED, detail, Step.REVOCATION)


def _says_the_same(one: PendingCertificate, other: PendingCertificate) -> bool:
    """Whether two of one record would be written alike, but for their terms."""
    return one is other or one.on(other.terms, other.key).message == other.message


def _new(signed: _Signed) -> New:
    pending = signed.pending
    return New(
        record=signed.record,
        terms=pending.terms,
        kid=pending.key.certified().kid,
        entry_type=pending.entry_type,
        signature=signed.signature,
        signature_hash=signature_hash(signed.signature, pending.key.algorithm),
        edition=signed.verdict.edition,
        replaces_earlier=signed.verdict.replaces_earlier,
    )


def _in_order(
    prepared: Sequence[_Prepared | RejectedRow],
    pending: Mapping[bytes, PendingCertificate],
    done: Mapping[bytes, _Outcome],
    fresh: set[bytes],
) -> Iterator[tuple[bytes | None, Answer]]:
    for one in prepared:
        if isinstance(one, RejectedRow):
            yield None, one
            continue
        outcome = done.get(one.record)
        if isinstance(outcome, Issued) and not _says_the_same(one.pending, pending[one.record]):
            # As it would be answered in another batch: where a batch ends must not matter.
            yield one.record, RejectedRow(one.number, issued_otherwise())
        elif isinstance(outcome, Issued):
            # The first of several rows of one record is what it was issued for.
            yield one.record, IssuedRow(number=one.number, issued=outcome, again=one.record not in fresh)
            fresh.discard(one.record)
        elif outcome is not None:
            yield one.record, RejectedRow(one.number, outcome)
