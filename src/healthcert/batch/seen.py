"""Which lists a run asks: noted where it begins, and held against what each of its processes opens."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec
from msgspec import Struct

from healthcert.errors import Code, RevocationError, RuleError, Step, TrustError
from healthcert.revocation.store import RevocationStore
from healthcert.rules.store import RuleStore
from healthcert.trust.store import TrustStore


class Seen(Struct, frozen=True):
    """The SHA-256 of what a verifier's stores say of their lists, of the keys added by hand as well; None for no store.

    It goes to other processes in the place of the lists themselves, which may be large.
    """

    trust: bytes
    revocation: bytes | None
    rules: bytes | None

    @classmethod
    def of(cls, trust: TrustStore, revocation: RevocationStore | None, rules: RuleStore | None) -> Seen:
        """What the stores hold now."""
        return cls(
            # The keys as well: those that were added by hand have a list without a digest.
            _digest({name: (one.head, one.rows) for name, one in trust.state.lists.items()}),
            None if revocation is None else _digest(revocation.state.lists),
            None if rules is None else _digest(rules.lists),
        )

    def check(self, here: Seen) -> None:
        """Raises where a store has other lists here: of two processes one would refuse what the other accepts.

        :class:`TrustError` (``TRUST_STORE_UNREADABLE``), :class:`RevocationError` (``REVOCATION_STORE_UNREADABLE``),
        :class:`RuleError` (``RULE_STORE_UNREADABLE``).
        """
        if here.trust != self.trust:
            raise TrustError(Code.TRUST_STORE_UNREADABLE, _OTHERS, Step.TRUST)
        if here.revocation != self.revocation:
            raise RevocationError(Code.REVOCATION_STORE_UNREADABLE, _OTHERS, Step.REVOCATION)
        if here.rules != self.rules:
            raise RuleError(Code.RULE_STORE_UNREADABLE, _OTHERS, Step.RULES)


_OTHERS = "other lists were taken in since the run began, or this machine has others"
_encode = msgspec.msgpack.Encoder(order="deterministic").encode


def _digest(lists: Any) -> bytes:
    return hashlib.sha256(_encode(lists)).digest()
