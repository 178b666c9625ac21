"""Issuing: a record becomes a signed certificate."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date
from functools import partial
from typing import Any

from healthcert.clock import Clock, SystemClock
from healthcert.errors import Code, IssueError, Step
from healthcert.families.hcert.encode import to_payload
from healthcert.families.hcert.uvci import new_uvci
from healthcert.issue.issued import Issued
from healthcert.issue.pending import PendingCertificate, Terms
from healthcert.issue.policy import IssuePolicy
from healthcert.issue.signer import Signer
from healthcert.issue.signing import SigningKey
from healthcert.model import EntryType, Event, Holder
from healthcert.rules.valuesets import SET_OF, shipped

_DATED_BY = {
    EntryType.VACCINATION: "date: a day that is not in the future",
    EntryType.TEST: "sampled_at: a moment that is not in the future",
    EntryType.RECOVERY: "first_positive: a day that is not in the future",
}


class Issuer:
    """Issues certificates under one document signing certificate (DSC).

    ``country`` (ISO 3166-1 alpha-2) becomes the ``iss`` claim, and the country of events that name none; ``name`` is
    the issuer of events that name none ("Ministère des Solidarités et de la Santé").
    """

    def __init__(
        self,
        signer: Signer,
        *,
        country: str,
        name: str | None = None,
        policy: IssuePolicy | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Raises :class:`IssueError` when signer and policy do not fit, :class:`TrustError` for an unreadable DSC."""
        self._signer = signer
        self._country = country
        self._name = name
        self._policy = policy or IssuePolicy()
        self._clock = clock or SystemClock()
        self._value_sets = shipped() if self._policy.value_sets is None else shipped().merged(self._policy.value_sets)
        self._key = SigningKey(signer, algorithms=self._policy.algorithms, rsa_bits=self._policy.rsa_bits)
        self._dsc = self._key.certified()
        self._judged: tuple[date, Callable[[str, str], bool]] | None = None
        self._check_country()

    def issue(self, event: Event, *, holder: Holder) -> Issued:
        """A certificate of one event, valid from now on.

        Raises :class:`IssueError`: ``FIELD_INVALID`` and its kin for the record, ``KEY_USAGE_MISMATCH``,
        ``PUBLIC_KEY_EXPIRED`` and ``PUBLIC_KEY_NOT_YET_VALID`` for the DSC, ``SIGNING_FAILED`` for the signer.
        """
        return self.prepare(event, holder=holder).sign()

    def issue_many(self, records: Iterable[tuple[Event, Holder]], *, workers: int = 1) -> Iterator[Issued | IssueError]:
        """For each event and its holder a certificate, or why there is none, in the order of the records.

        They are made as they are asked for; of a list or tuple, a few dozen are taken through each stage together,
        which is faster. With more ``workers`` than one, so many other processes do the work, for which some thousand
        records are read ahead; each has the key, or a session of its own with the module that has
        it. A record that ended each process that took it comes out as ``WORKER_LOST``. Raises :class:`BatchError`
        (``WORKER_LOST``) where no process can be started, TypeError for a signer that cannot be taken to one.
        """
        from healthcert.issue.many import issue_each, issue_over

        if workers == 1:
            yield from issue_each(self, records)
        else:
            yield from issue_over(self, self._signer, records, workers)

    def prepare(self, event: Event, *, holder: Holder) -> PendingCertificate:
        """What :meth:`issue` signs, for a signer that is elsewhere, or that signs later.

        Raises as :meth:`issue`, but for the signer.
        """
        if event.entry_type not in self._policy.validity:
            kinds = ", ".join(self._policy.validity)
            raise IssueError(
                Code.FIELD_INVALID, f"event: one that an EU DCC can hold; for example {kinds}", Step.CONTENT
            )
        if not self._dsc.may_sign((event.entry_type,)):
            # HCERT specification, Appendix A.4: the DSC's extended key usage must cover the entry.
            raise IssueError(
                Code.KEY_USAGE_MISMATCH, f"the DSC may not sign a {event.entry_type} certificate", Step.USAGE
            )
        now = self._clock.now().astimezone(UTC)
        terms = Terms(
            certificate_id=event.certificate_id or new_uvci(self._country),
            issued_at=now.replace(microsecond=0),
            expires=self._key.end(now, self._policy.validity[event.entry_type]).replace(microsecond=0),
        )
        payload = to_payload(
            event,
            holder,
            country=self._country,
            issuer=self._name,
            certificate_id=terms.certificate_id,
            may_issue=self._judge(now.date()),
            unlisted_codes=self._policy.unlisted_codes,
            transliteration=self._policy.transliteration,
        )
        if event.lies_after(now):
            rule = f"{_DATED_BY[event.entry_type]}; for example {now:%Y-%m-%d}"
            raise IssueError(Code.EVENT_IN_FUTURE, rule, Step.CONTENT)
        return PendingCertificate(
            terms=terms,
            entry_type=event.entry_type,
            payload=payload,
            country=self._country,
            own_id=event.certificate_id,
            key=self._key,
        )

    def _judge(self, day: date) -> Callable[[str, str], bool]:
        """Says which codes may be issued on ``day``: all day the same one, so that its answers may be remembered."""
        judged = self._judged
        if judged is None or judged[0] != day:
            judged = self._judged = (day, partial(self._value_sets.may_be_issued, day=day))
        return judged[1]

    def __reduce__(self) -> tuple[Callable[..., Issuer], tuple[Any, ...]]:
        # What is made ready once is made ready again where it arrives. Whether the signer may travel, it says itself.
        made = partial(Issuer, country=self._country, name=self._name, policy=self._policy, clock=self._clock)
        return made, (self._signer,)

    def _check_country(self) -> None:
        if self._country not in self._value_sets.codes[SET_OF["co"]]:
            # HCERT specification §3.3.4: ISO 3166-1 alpha-2. Issuer check I-CO1.
            raise IssueError(
                Code.FIELD_INVALID,
                "country: the two capital letters of a country (ISO 3166-1); for example FR",
                Step.CONTENT,
            )
        if self._dsc.country not in (None, self._country):
            # HCERT specification, Appendix A.4: a DSC's subject is of the country that uses it.
            raise IssueError(
                Code.FIELD_INVALID, f"country: that of the DSC; for example {self._dsc.country}", Step.CONTENT
            )
