"""Many certificates over several processes, each with a verifier that is like this one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from healthcert.clock import Clock
from healthcert.errors import Code, RevocationError, Step
from healthcert.pool import Lost, Pool
from healthcert.revocation.ledger import Head
from healthcert.revocation.store import RevocationStore
from healthcert.rules import database as rule_database
from healthcert.rules.store import RuleStore
from healthcert.trust import database as trust_database
from healthcert.trust.store import TrustStore
from healthcert.verify.parcels import Parcel, pack, unpack
from healthcert.verify.policy import Policy
from healthcert.verify.report import Outcome, Report, StepOutcome, StepResult

if TYPE_CHECKING:  # which imports this module
    from healthcert.verify.verifier import Verifier

_CHUNK = 256  # texts: enough that passing them costs little, few enough that the last worker does not end late

Texts = Sequence["str | bytes"]
StoreT = TypeVar("StoreT", TrustStore, RuleStore)


def examine_over(verifier: Verifier, texts: Iterable[str | bytes], workers: int) -> Iterator[Report]:
    """A report for each text, in order. Raises as :class:`Pool` and :func:`carried`."""
    rest = iter(texts)
    chunks = iter(lambda: tuple(islice(rest, _CHUNK)), ())
    with Pool(partial(_examining, verifier), workers=workers) as pool:
        for done in pool.map(chunks):
            for result in done.results:
                if isinstance(result, Lost):
                    yield _lost(verifier, result)
                else:
                    yield from unpack(result)


def _lost(verifier: Verifier, lost: Lost) -> Report:
    """The report on a text that no worker survived: nothing is known of it."""
    nothing = verifier.examine("")
    obstacle = StepOutcome(Step.RECOGNISE, StepResult.UNDETERMINED, lost.error.code, lost.error.detail)
    steps = tuple([obstacle if one.step is obstacle.step else one for one in nothing.steps])
    return replace(nothing, outcome=Outcome.UNDETERMINED, code=lost.error.code, step=obstacle.step, steps=steps)


def carried(
    trust: TrustStore, revocation: RevocationStore | None, rules: RuleStore | None, policy: Policy, clock: Clock
) -> tuple[Callable[..., Verifier], tuple[Any, ...]]:
    """How a verifier is pickled: by what its stores hold now, so that all who unpickle it see the same keys and lists.

    Keys and rules travel by themselves, whatever has become of the stores' files. Lists of revoked certificates stay in
    their files, which are opened again; where others have been taken in since, that is an error: see :func:`_made`.
    Raises TypeError for stores of the caller's own making.
    """
    for store, kind in ((trust, TrustStore), (revocation, RevocationStore), (rules, RuleStore)):
        if store is not None and type(store) is not kind:
            raise TypeError(f"a {type(store).__name__} cannot be taken to another process; a {kind.__name__} can")
    lists = None if revocation is None else _Lists(revocation.path, revocation.state.lists)
    return _made, (trust.state, lists, None if rules is None else rules.state, policy, clock)


class _Lists(Struct, frozen=True):
    """Which lists of revoked certificates are asked, and in which folder they are."""

    path: Path | None
    heads: dict[str, Head]


def _made(
    trust: trust_database.State, lists: _Lists | None, rules: rule_database.State | None, policy: Policy, clock: Clock
) -> Verifier:
    """The verifier that was pickled. Raises :class:`RevocationError` (``REVOCATION_STORE_UNREADABLE``)."""
    from healthcert.verify.verifier import Verifier

    return Verifier(
        _filled(TrustStore(), trust),
        revocation=None if lists is None else _revocation(lists),
        rules=None if rules is None else _filled(RuleStore(), rules),
        policy=policy,
        clock=clock,
    )


def _filled(store: StoreT, state: Any) -> StoreT:
    """The store, empty until now, with the ``state`` of another of its kind."""
    with store.transaction() as change:
        change.state.lists.update(state.lists)
        change.state.memories.update(state.memories)
        change.state.environment = state.environment
    return store


def _revocation(lists: _Lists) -> RevocationStore:
    if lists.path is None:
        return RevocationStore()
    store = RevocationStore.open(lists.path)
    if store.state.lists != lists.heads:
        # Of two processes one would refuse what the other accepts.
        detail = "other lists were taken in since the store was opened: reload it before workers are asked for"
        raise RevocationError(Code.REVOCATION_STORE_UNREADABLE, detail, Step.REVOCATION)
    return store


def _examining(verifier: Verifier) -> Callable[[Texts], Parcel]:
    return partial(_examine, verifier)


def _examine(verifier: Verifier, texts: Texts) -> Parcel:
    return pack(list(verifier.examine_many(texts)))
