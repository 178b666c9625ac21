"""An issuing authority: records in, certificates out, and a register that knows each of them and nobody's name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice

from healthcert.authority.batch import Again, IssuedRow, Run, Sign, Verdict, revoked_before
from healthcert.authority.desk import Desk
from healthcert.authority.register import Register, Standing, State
from healthcert.clock import Clock, SystemClock
from healthcert.intake.reading import RejectedRow, Row
from healthcert.issue.issued import Issued
from healthcert.issue.policy import IssuePolicy
from healthcert.issue.signer_set import SignerSet
from healthcert.model import Event, Holder

__all__ = ["BATCH", "IssuedRow", "IssuingAuthority", "batches"]

BATCH = 500
"""Records that are entered in one transaction where nobody says otherwise."""


class IssuingAuthority:
    """Issues under a set of signers, and gives the same record the same certificate, whenever it comes again.

    ``country`` and ``name`` are those of :class:`Issuer`. What was issued is in ``register``: without it nothing is
    given out. ``clock`` says when a certificate begins, and whether one that was issued has expired.
    """

    def __init__(
        self,
        signers: SignerSet,
        register: Register,
        *,
        country: str,
        name: str | None = None,
        policy: IssuePolicy | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Raises what :class:`Issuer` raises of any of the signers."""
        self.signers, self.register, self.country = signers, register, country
        self.policy, self.clock = policy or IssuePolicy(), clock or SystemClock()
        self.desk = Desk(signers, register, country=country, name=name, policy=self.policy, clock=self.clock)

    def issue(self, event: Event, *, holder: Holder, new_edition: bool = False) -> Issued:
        """The certificate of one event, registered: a new one, or the one that the same record has already.

        Raises :class:`IssueError`: as :meth:`Issuer.issue`; ``NO_SIGNER``; ``ISSUED_AND_REVOKED`` for a record whose
        certificate was revoked or replaced, unless ``new_edition`` is asked for; ``ISSUED_OTHERWISE`` for one that
        would be written in another way now, or that names the identifier of another record's certificate. Raises
        :class:`RegisterError` where the register cannot be used; then nothing is given out.
        """
        [answer] = self.issue_rows([Row(number=1, holder=holder, event=event)], new_edition=new_edition)
        if isinstance(answer, RejectedRow):
            raise answer.error
        return answer.issued

    def issue_rows(
        self, rows: Iterable[Row | RejectedRow], *, batch: int = BATCH, new_edition: bool = False
    ) -> Iterator[IssuedRow | RejectedRow]:
        """A certificate of each record, or why it has none, in the order of ``rows``.

        They are taken in batches: all of a batch is entered in the register before the first of it is given out. A
        record of which the register has a certificate that holds is given that one, also where it is twice among
        ``rows``; one whose certificate has expired gets a new edition. With ``new_edition`` so does one whose
        certificate was revoked or replaced. Each record that cannot be issued comes out as :class:`RejectedRow`, with
        the error that :meth:`issue` would raise. A signer that is gone (``TOKEN_UNAVAILABLE``), refuses its PIN
        (``PIN_REFUSED``) or fails three times in a row is not asked again: all that it would have to sign is rejected
        with that error, and the rest is done.

        Raises :class:`RegisterError` where the register cannot be used: nothing of that batch is given out, and the
        same rows, given again, lead each record to one certificate. Raises whatever ``rows`` raises.
        """
        if batch < 1:
            raise ValueError("a batch is of at least one record")
        return self._issue(rows, batch, new_edition)

    def run(self, *, new_edition: bool = False) -> Run:
        """For those who make the batches themselves: what :meth:`issue_rows` does with each, one after the other."""

        def judge(found: Mapping[bytes, Standing | None]) -> Mapping[bytes, Verdict]:
            return {record: self._verdict(standing, new_edition) for record, standing in found.items()}

        return Run(self.desk, self.register, judge)

    def _issue(
        self, rows: Iterable[Row | RejectedRow], batch: int, new_edition: bool
    ) -> Iterator[IssuedRow | RejectedRow]:
        run = self.run(new_edition=new_edition)
        for part in batches(rows, batch):
            for _, answer in run.answers(part):
                yield answer

    def _verdict(self, standing: Standing | None, new_edition: bool) -> Verdict:
        if standing is None:
            return Sign()
        registered = standing.registered
        if registered.state is not State.ISSUED:
            return Sign(registered.edition + 1) if new_edition else revoked_before()
        # A new edition of what holds would be a second certificate of the same. Who asks twice is given it again.
        return Again() if self.clock.now() < registered.expires else Sign(registered.edition + 1)

    def __repr__(self) -> str:
        return f"IssuingAuthority({self.country}, {self.signers!r}, {self.register!r})"


def batches(rows: Iterable[Row | RejectedRow], size: int) -> Iterator[list[Row | RejectedRow]]:
    """The rows, so many at a time."""
    rest = iter(rows)
    while part := list(islice(rest, size)):
        yield part
