"""Measures revocation lists at the scale of the EU: 10,000 signed batches of 1,000 entries each, fetched and asked.

A look-up is held against a ``bisect`` over a sorted array in memory and against the bare verification of one ECDSA
signature; and the lines tell what it takes to build, open and hold the lists.
"""

from __future__ import annotations

import base64
import json
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from array import array
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

import healthcert as hc
from bench.lines import MEGABYTES, MILLISECONDS, SECONDS, Line, Settings
from bench.progress import say
from bench.timing import Spread, in_turns, line, micros
from healthcert.fetch import Response
from healthcert.issue.pki import new_csca, new_dsc
from healthcert.lists.x509 import parse_certificate
from healthcert.publish.gateway import signed
from healthcert.revocation.identifiers import IdentifierType, Subject
from healthcert.revocation.segment import Section
from healthcert.revocation.writer import Old

NOW = datetime(2026, 1, 1, tzinfo=UTC)
BATCHES, EACH = 10_000, 1000
KID = b"revoked!"
HASH_TYPES = ("SIGNATURE", "UCI", "COUNTRYCODEUCI")
ASKED = 100_000
VERIFIED = 2000
CHANGED = 40
"""Batches that come, and as many that go, in an update between two rebuildings."""
TURNS = 7
URL = "https://gateway.example"


def lines(settings: Settings) -> Iterator[Line]:
    """The lists made and changed, mapped and opened, and asked."""
    # What is asked is asked at the EU's scale.
    batches = 300 if settings.quick else BATCHES
    entries = f"{batches * EACH:,} revoked"
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        say(f"{batches:,} signed batches of revocations are being made")
        make(folder, batches + CHANGED)
        told = {"build": "build", "reconcile": "reconcile, all unchanged", "change": f"{CHANGED} come, {CHANGED} go"}
        for what, words in told.items():
            say(f"{entries}: {words}")
            seconds, peak = map(float, in_process(what, folder).split())
            yield Line(name=f"{entries}: {words}", value=seconds, unit=SECONDS)
            yield Line(name=f"{entries}: {words}, peak memory", value=peak, asked=500, at_most=True, unit=MEGABYTES)
        size = sum(path.stat().st_size for path in (folder / "store").glob("*.hcrev")) / 1e6
        private = f"{float(in_process('hold', folder)):.1f} MB of it private to a process that asks"
        yield Line(
            name=f"{entries}: mapped", value=size, asked=200, at_most=True, unit=MEGABYTES, detail=private
        )  # fmt: skip
        opened_in = float(in_process("open", folder))
        name = f"{entries}: open and ask once"
        yield Line(name=name, value=opened_in, asked=10, at_most=True, unit=MILLISECONDS)
        say(f"{entries}: look up")
        yield from look_up(folder, batches, f"{entries}: look up", settings)


def look_up(folder: Path, batches: int, name: str, settings: Settings) -> Iterator[Line]:
    """One look-up against ``bisect`` and against a signature, in turns."""
    keys = array("Q")
    for number in range(batches):
        keys.extend(int.from_bytes(key[:8], "big") for key in keys_of(number))
    keys = array("Q", sorted(keys))
    rng = random.Random(2)
    listed = [rng.choice(keys_of(rng.randrange(CHANGED, batches))) for _ in range(ASKED // 100)] * 50
    asked = listed + [rng.randbytes(16) for _ in range(ASKED - len(listed))]
    rng.shuffle(asked)
    numbers = [int.from_bytes(key[:8], "big") for key in asked]
    section = largest(hc.RevocationStore.open(folder / "store"))
    assert sum(section.find(key) is not None for key in asked) >= len(listed)
    key = ec.generate_private_key(ec.SECP256R1())
    scheme, data = ec.ECDSA(hashes.SHA256()), bytes(300)
    signature, public = key.sign(data, scheme), key.public_key()

    def ours() -> None:
        find = section.find
        for one in asked:
            find(one)

    def bisected() -> None:
        for number in numbers:
            at = bisect_left(keys, number)
            _ = at < len(keys) and keys[at] == number

    def verified() -> None:
        for _ in range(VERIFIED):
            public.verify(signature, data, scheme)

    rows = in_turns(ours, bisected, verified, turns=settings.turns(7))
    against = Spread.of([mine / bisect for mine, bisect, _ in rows])
    yield line(
        f"{name}, against a bisect", against, asked=3, at_most=True, detail=micros(rows, ASKED, ASKED)
    )  # fmt: skip
    share = Spread.of([mine / ASKED / (verify / VERIFIED) for mine, _, verify in rows])
    yield line(f"{name}, against a bare ECDSA verify", share, asked=0.06, at_most=True)


def largest(store: hc.RevocationStore) -> Section:
    """The section with the most records."""
    found = (section for _, _, section in Old(store.segments("dgcg")[0]).sections())
    return max(found, key=lambda section: section.count)


def keys_of(batch: int) -> list[bytes]:
    """The entries of a batch, the same every time."""
    data = random.Random(batch).randbytes(16 * EACH)
    return [data[start : start + 16] for start in range(0, len(data), 16)]


def batch_id(number: int) -> str:
    return str(UUID(int=number))


def make(folder: Path, batches: int, *, kid: bytes = KID, hash_types: Sequence[str] = HASH_TYPES[:1]) -> None:
    """The signed batches as the gateway stores them, and the upload certificate; the types of hashes in turn."""
    csca = new_csca("FR", "CSCA", now=NOW - timedelta(days=1))
    pair = new_dsc(csca, "Upload", now=NOW - timedelta(days=1))
    (folder / "upload.der").write_bytes(pair.certificate_der())
    (folder / "batches").mkdir()
    signer = pair.signer()
    for number in range(batches):
        content = {
            "country": "FR",
            "expires": (NOW + timedelta(days=30 + number % 300)).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "kid": base64.b64encode(kid).decode(),
            "hashType": hash_types[number % len(hash_types)],
            "entries": [{"hash": base64.b64encode(key).decode()} for key in keys_of(number)],
        }
        message = signed(json.dumps(content).encode(), signer, attached=True)
        (folder / "batches" / batch_id(number)).write_bytes(message)


class Gateway:
    """The gateway's answers, from files."""

    def __init__(self, folder: Path, *, changed: bool) -> None:
        self._folder = folder / "batches"
        self._count = sum(1 for _ in self._folder.iterdir()) - CHANGED * (not changed)
        self._changed = changed

    def get(self, url: str, *, limit: int, headers: Mapping[str, str] | None = None) -> Response:
        path = url.removeprefix(f"{URL}/revocation-list").lstrip("/")
        if path:
            return Response(200, (self._folder / path).read_bytes())
        since = datetime.fromisoformat((headers or {})["If-Modified-Since"])
        start = NOW - timedelta(days=10)
        dated = [(number, start + timedelta(seconds=number)) for number in range(CHANGED, self._count)]
        gone = [(number, start + timedelta(days=9 * self._changed, seconds=number)) for number in range(CHANGED)]
        page = sorted(((number, date) for number, date in dated + gone if date > since), key=lambda one: one[1])
        if not page:
            return Response(204)
        items = [
            {
                "batchId": batch_id(number),
                "country": "FR",
                "date": date.isoformat(),
                "deleted": self._changed and number < CHANGED,
            }
            for number, date in page[:1000]
        ]
        return Response(200, json.dumps({"more": len(page) > 1000, "batches": items}).encode())

    def post(self, url: str, body: bytes, **_: object) -> Response:
        raise AssertionError("nothing is sent here")


def update(folder: Path, what: str) -> float:
    der = (folder / "upload.der").read_bytes()
    anchor = hc.TrustAnchor("upload", parse_certificate(der).spki, der)
    feed = hc.RevocationFeed(name="dgcg", format="dgcg", url=URL, anchors=(anchor,))
    # A week later the whole listing is read again.
    clock = hc.FixedClock(NOW if what == "build" else NOW + timedelta(days=7))
    start = time.perf_counter()
    store = hc.RevocationStore.open(folder / "store")
    gateway = Gateway(folder, changed=what == "change")
    (change,) = hc.update_revocations(store, [feed], lambda _: gateway, clock=clock)
    assert change.error is None, change.error
    assert change.skipped_count == 0
    return time.perf_counter() - start


def hold(folder: Path) -> float:
    """What a process that asks keeps for itself of the files that it has mapped, in MB."""
    store = hc.RevocationStore.open(folder / "store")
    section = largest(store)
    for number in range(1000):
        section.find(random.Random(number).randbytes(16))
    private, mine = 0, False
    try:
        mappings = Path("/proc/self/smaps").read_text("utf-8").splitlines()
    except OSError:
        return float("nan")
    for one in mappings:
        if not one[:1].isupper() or one[0].isdigit():
            mine = one.endswith(".hcrev")
        elif mine and one.startswith("Private_Dirty:"):
            private += int(one.split()[1])
    return private / 1000


def opened(folder: Path) -> float:
    """Milliseconds to open the store and answer the first question; the library is already imported."""
    times = []
    for number in range(CHANGED, CHANGED + TURNS):
        subject = Subject(kid=KID, country="FR", identifiers={IdentifierType.SIGNATURE: (keys_of(number)[0],)})
        start = time.perf_counter()
        answer = hc.RevocationStore.open(folder / "store").ask(subject, NOW)
        times.append(time.perf_counter() - start)
        assert answer.standing is hc.Standing.HIT
    return statistics.median(times) * 1e3


def in_process(what: str, folder: Path) -> str:
    """What a process of its own prints, so that nothing else counts."""
    command = [sys.executable, "-m", "bench.revocation", what, str(folder)]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def one(what: str, folder: Path) -> None:
    unit = 1 if sys.platform == "darwin" else 1024  # bytes there, KiB elsewhere
    if what in ("build", "reconcile", "change"):
        seconds = update(folder, what)
        print(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6)
    else:
        print({"hold": hold, "open": opened}[what](folder))


if __name__ == "__main__":
    one(sys.argv[1], Path(sys.argv[2]))
