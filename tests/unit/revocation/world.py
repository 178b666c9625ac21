"""What the tests of the revocation store share: a format that does as it is told, and certificates to ask about."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import healthcert as hc
from healthcert.errors import Code, RevocationError
from healthcert.fetch import Fetcher
from healthcert.lists.anchors import TrustAnchor
from healthcert.revocation import gathering, installing, ledger, spool, writer
from healthcert.revocation.answer import RevocationAnswer, Standing
from healthcert.revocation.batch import Place
from healthcert.revocation.bloom import BloomFilter
from healthcert.revocation.feed import RevocationChange, RevocationFeed
from healthcert.revocation.files import Files, Given
from healthcert.revocation.gathering import Gathering
from healthcert.revocation.identifiers import IdentifierType, Subject
from healthcert.revocation.ledger import Head
from healthcert.revocation.segment import Origin
from healthcert.revocation.sources.protocol import Context, Known, Listed
from healthcert.revocation.store import LEDGER, RevocationStore
from healthcert.revocation.update import install_revocations, update_revocations

NOW = datetime(2022, 3, 1, 12, 0, tzinfo=UTC)
SECOND = int(NOW.timestamp())
HOUR = timedelta(hours=1)
SIGNATURE, UCI, UVCI, RID = (
    IdentifierType.SIGNATURE,
    IdentifierType.UCI,
    IdentifierType.UVCI,
    IdentifierType.SHC_RID,
)
KID, OTHER_KID = b"kid-0001", b"kid-0002"
PLACE = Place(SIGNATURE, KID)
ALWAYS = Origin()
ANCHOR = TrustAnchor("pinned.key", b"a key, as far as the store is concerned")

Script = Callable[[Gathering, Known, Context], Listed | None]


def key(number: int, width: int = 16) -> bytes:
    """The identifier of this number."""
    return hashlib.sha512(str(number).encode()).digest()[:width]


def subject(
    *keys: bytes,
    kid: bytes | None = KID,
    country: str | None = "FR",
    issuer: str | None = None,
    not_before: float | None = None,
    type: IdentifierType = SIGNATURE,  # noqa: A002
) -> Subject:
    return Subject(kid=kid, country=country, issuer=issuer, not_before=not_before, identifiers={type: keys})


def says(**more: Any) -> Listed:
    """What a list for the kid ``KID`` says of itself."""
    return Listed(**{"types": (SIGNATURE,), "kids": frozenset({KID}), **more})


def bloom_of(*elements: bytes, n: int = 100, p: float = 1e-6) -> bytes:
    made = BloomFilter.create(n, p)
    for element in elements:
        made.add(element)
    return made.to_bytes()


class Told:
    """A format of lists that does as it is told."""

    name, title, anchored = "told", "what a test says", False
    options: tuple[str, ...] = ()

    def __init__(self, script: Script, *, incremental: bool) -> None:
        self._script = script
        self.incremental = incremental

    def read(self, files: Files, into: Gathering, context: Context) -> Listed:
        found = self._script(into, Known(), context)
        assert found is not None
        return found

    def fetch(self, fetcher: Fetcher, url: str, into: Gathering, known: Known, context: Context) -> Listed | None:
        return self._script(into, known, context)


class World:
    """A store in a folder, and lists that are put into it."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.store = RevocationStore.open(folder)
        self.now = NOW
        self._patch = patch

    def tell(self, script: Script, *, incremental: bool = True) -> None:
        self._patch.setattr(installing, "source_named", lambda _: Told(script, incremental=incremental))

    def install(
        self, script: Script, *, name: str = "one", incremental: bool = True, force: bool = False, **more: Any
    ) -> RevocationChange:
        """Lets a script say what is on the list of a source, and installs it; ``more`` is of the feed."""
        self.tell(script, incremental=incremental)
        limits = more.pop("limits", hc.limits.DEFAULT_LIMITS)
        feed = RevocationFeed(**{"name": name, "format": "told", "max_loss": 1.0, **more})
        clock = hc.FixedClock(self.now)
        return install_revocations(self.store, feed, Given({}), clock=clock, force=force, limits=limits)

    def fetch(self, script: Script, *, name: str = "one", incremental: bool = True, **more: Any) -> RevocationChange:
        """As :meth:`install`, from a service."""
        self.tell(script, incremental=incremental)
        feed = RevocationFeed(**{"name": name, "format": "told", "url": "https://example.org", "max_loss": 1.0, **more})
        (change,) = update_revocations(self.store, [feed], no_network, clock=hc.FixedClock(self.now))
        return change

    def ask(self, *keys: bytes, **more: Any) -> Standing:
        return self.answer(*keys, **more).standing

    def answer(self, *keys: bytes, **more: Any) -> RevocationAnswer:
        return self.store.ask(subject(*keys, **more), self.now)

    def head(self, name: str = "one") -> Head:
        return self.store.state.lists[name]

    def files(self) -> set[str]:
        """The segments in the folder."""
        return {path.name for path in self.folder.iterdir() if path.suffix == ".hcrev"}

    def ledger(self) -> tuple[Any, ...]:
        """All that the ledger says."""
        state = ledger.read_state(self.folder / LEDGER)
        batches = {name: ledger.read_batches(self.folder / LEDGER, name) for name in state.lists}
        return state.lists, state.memories, state.environment, batches


def no_network(_: RevocationFeed) -> Any:
    return None


def lists(
    batches: Mapping[str, Iterable[bytes]], *, place: Place = PLACE, origin: Origin = ALWAYS, **more: Any
) -> Script:
    """A script that puts batches on a list; ``more`` is what the list says of itself."""

    def script(into: Gathering, _known: Known, _context: Context) -> Listed:
        for name, keys in batches.items():
            into.add(name, place, keys, origin)
        return says(**more)

    return script


def code_of(error: pytest.ExceptionInfo[Any]) -> Code:
    """The code of an error that may be logged."""
    found = error.value
    assert isinstance(found, hc.HealthCertError)
    assert found.detail.isprintable()
    return found.code


def refusal(compute: Callable[..., Any], *args: Any) -> Code | None:
    """The code that something is refused with, or None; anything else that happens is the failure of the test."""
    try:
        compute(*args)
    except RevocationError as error:
        found = error
    else:
        return None
    assert found.detail.isprintable()
    return found.code


def overlaid(patch: pytest.MonkeyPatch) -> None:
    """Makes small lists behave as large ones do: laid over, spilled, and merged in pieces."""
    patch.setattr(gathering, "_SMALL", 1)
    patch.setattr(gathering, "_OVERLAY", 1)
    patch.setattr(spool, "_SPILL", 7)
    patch.setattr(spool, "_STRIDE", 3)
    patch.setattr(writer, "_AT_ONCE", 5)
