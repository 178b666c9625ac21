"""Measures revocation lists at the scale of the EU: 10,000 signed batches of 1,000 entries each, fetched and asked.

``python -m bench.revocation`` prints ratios against a ``bisect`` over a sorted array in memory and against the bare
verification of one ECDSA signature; and what it takes to build, open and hold the lists. A number behind it asks for
so many batches instead.
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
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

import healthcert as hc
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
ASKED = 100_000
CHANGED = 40
"""Batches that come, and as many that go, in an update between two rebuildings."""
TURNS = 7
URL = "https://gateway.example"


def main(batches: int = BATCHES) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make(folder, batches + CHANGED)
        entries = batches * EACH
        print(f"revocation lists: {entries:,} entries in {batches:,} signed batches")
        told = {"build": "build", "reconcile": "reconcile, all unchanged", "change": f"{CHANGED} come, {CHANGED} go"}
        for what, words in told.items():
            seconds, peak = map(float, in_process(what, folder).split())
            print(f"... {words}: {seconds:.1f} s, peak memory {peak:.0f} MB (asked: 500)")
        files = [path.stat().st_size for path in (folder / "store").glob("*.hcrev")]
        print(f"... mapped: {sum(files) / 1e6:.0f} MB (asked: 200), of which private to a second process:", end=" ")
        print(f"{float(in_process('hold', folder)):.1f} MB")
        print(f"... open and ask once: {float(in_process('open', folder)):.1f} ms (asked: 10)")
        measure_look_up(folder, batches)


def measure_look_up(folder: Path, batches: int) -> None:
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
    store = hc.RevocationStore.open(folder / "store")
    section = largest(store)
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
        for _ in range(ASKED // 50):
            public.verify(signature, data, scheme)

    rows = [(clocked(ours) / ASKED, clocked(bisected) / ASKED, clocked(verified) / (ASKED // 50)) for _ in range(TURNS)]
    mine, other, verify = (statistics.median(column) for column in zip(*rows, strict=True))
    against = statistics.median(a / b for a, b, _ in rows)
    share = statistics.median(a / c for a, _, c in rows)
    print(f"... look up: {mine * 1e6:.2f} µs, {against:.2f} times a bisect ({other * 1e6:.2f} µs; asked: at most 3)")
    print(f"... look up: {share:.1%} of a bare ECDSA verification ({verify * 1e6:.1f} µs; asked: under 6%)")


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


def make(folder: Path, batches: int) -> None:
    """The signed batches as the gateway stores them, and the upload certificate."""
    csca = new_csca("FR", "CSCA", now=NOW - timedelta(days=1))
    pair = new_dsc(csca, "Upload", now=NOW - timedelta(days=1))
    (folder / "upload.der").write_bytes(pair.certificate_der())
    (folder / "batches").mkdir()
    signer = pair.signer()
    for number in range(batches):
        content = {
            "country": "FR",
            "expires": (NOW + timedelta(days=30 + number % 300)).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "kid": base64.b64encode(KID).decode(),
            "hashType": "SIGNATURE",
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
        lines = Path("/proc/self/smaps").read_text("utf-8").splitlines()
    except OSError:
        return float("nan")
    for line in lines:
        if not line[:1].isupper() or line[0].isdigit():
            mine = line.endswith(".hcrev")
        elif mine and line.startswith("Private_Dirty:"):
            private += int(line.split()[1])
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


def clocked(call: Callable[[], None]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def one(what: str, folder: Path) -> None:
    unit = 1 if sys.platform == "darwin" else 1024  # bytes there, KiB elsewhere
    if what in ("build", "reconcile", "change"):
        seconds = update(folder, what)
        print(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6)
    else:
        print({"hold": hold, "open": opened}[what](folder))


if __name__ == "__main__":
    if len(sys.argv) > 2:
        one(sys.argv[1], Path(sys.argv[2]))
    else:
        main(*map(int, sys.argv[1:]))
