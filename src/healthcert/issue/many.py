"""Many certificates issued over several processes, each with an issuer that is like this one."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

from healthcert.errors import IssueError, Step
from healthcert.families.hcert.encode import Unsigned
from healthcert.issue.issued import Issued
from healthcert.issue.pending import PendingCertificate
from healthcert.issue.signer import Signer
from healthcert.model import Event, Holder
from healthcert.pool import Lost, Pool

if TYPE_CHECKING:  # which imports this module
    from healthcert.issue.issuer import Issuer

_TOGETHER = 64  # records: as many as a processor's caches hold well
_CHUNK = 256  # records: enough that passing them costs little, few enough that the last worker does not end late

Record = tuple[Event, Holder]


def issue_over(
    issuer: Issuer, signer: Signer, records: Iterable[Record], workers: int
) -> Iterator[Issued | IssueError]:
    """What became of each record, in order. Raises as :class:`Pool`; TypeError for a signer that stays where it is."""
    rest = iter(records)
    chunks = iter(lambda: list(islice(rest, _CHUNK)), [])
    with _pool(issuer, signer, workers) as pool:
        for done in pool.map(chunks):
            for result in done.results:
                if isinstance(result, Lost):
                    yield IssueError(result.error.code, result.error.detail, Step.CONTENT)
                else:
                    yield from result


def issue_each(issuer: Issuer, records: Iterable[Record]) -> Iterator[Issued | IssueError]:
    """The same in this process: a few dozen of a list or tuple together, of any other iterable each as it comes."""
    if not isinstance(records, (list, tuple)):
        for record in records:
            yield from _together(issuer, (record,))
        return
    for start in range(0, len(records), _TOGETHER):
        yield from _together(issuer, records[start : start + _TOGETHER])


def _together(issuer: Issuer, records: Sequence[Record]) -> list[Issued | IssueError]:
    """Each stage for all of them before the next: what a stage needs then stays in the processor's caches."""
    outcomes: dict[int, Issued | IssueError] = {}
    # What an error went through holds the record, and whoever keeps the error must not keep that.
    prepared: list[tuple[int, PendingCertificate]] = []
    for place, (event, holder) in enumerate(records):
        try:
            prepared.append((place, issuer.prepare(event, holder=holder)))
        except IssueError as error:
            outcomes[place] = error.with_traceback(None)
    signed: list[tuple[int, PendingCertificate, Unsigned, bytes]] = []
    for place, pending, message in [(place, pending, pending.message) for place, pending in prepared]:
        try:
            signed.append((place, pending, message, pending.key.sign(message.to_be_signed)))
        except IssueError as error:
            outcomes[place] = error.with_traceback(None)
    for place, pending, message, signature in signed:
        outcomes[place] = pending.assembled(message, signature)
    return [outcomes[place] for place in range(len(records))]


def _pool(issuer: Issuer, signer: Signer, workers: int) -> Pool[Record, list[Issued | IssueError]]:
    try:
        return Pool(partial(_issuing, issuer), workers=workers)
    except (TypeError, AttributeError, pickle.PicklingError):
        detail = f"an issuer with this {type(signer).__name__}, policy and clock cannot be taken to other processes"
        raise TypeError(f"{detail}; one with a PemSigner or a Pkcs11Signer can") from None


def _issuing(issuer: Issuer) -> Callable[[Sequence[Record]], list[Issued | IssueError]]:
    return partial(_issue, issuer)


def _issue(issuer: Issuer, records: Sequence[Record]) -> list[Issued | IssueError]:
    return list(issue_each(issuer, records))
