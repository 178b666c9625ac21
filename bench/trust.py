"""The EU gateway's lists: items with a signature and a chain each, against OpenSSL, one process an item.

The lines tell how many times as fast an item is verified, and the memory that all of them take.
"""

from __future__ import annotations

import base64
import json
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from string import ascii_uppercase

from bench.lines import MEGABYTES, MILLISECONDS, Line, Settings
from bench.progress import say
from bench.timing import Spread, line
from healthcert.issue.pki import KeyPair, new_csca, new_dsc
from healthcert.lists.anchors import TrustAnchor, load_anchors
from healthcert.lists.x509 import parse_certificate
from healthcert.publish.gateway import item, lists_of
from healthcert.trust.sources.dgcg import Gateway
from healthcert.trust.sources.protocol import Context

NOW = datetime(2026, 1, 1, tzinfo=UTC)
COUNTRIES = [f"{first}{second}" for first in "XY" for second in ascii_uppercase][:30]
ITEMS = 3000
SAMPLE = 50
TURNS = 5


def lines(settings: Settings) -> Iterator[Line]:
    """All items verified, against some of them under OpenSSL; and the memory that it takes."""
    say(f"{ITEMS:,} items of the EU gateway are being made")
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        parts, anchor = write_lists(folder)
        context = Context((anchor,), NOW)
        seconds_to_load(parts, context)
        sample = json.loads(parts["DSC"])[:: ITEMS // SAMPLE]
        mine, theirs = [], []
        turns = settings.turns(TURNS)
        # In turns, so that a machine that slows down slows both.
        for turn in range(turns):
            say(f"{ITEMS:,} items of the EU gateway, turn {turn + 1}")
            mine.append(seconds_to_load(parts, context) / ITEMS)
            if shutil.which("openssl") is not None:
                theirs.append(statistics.mean(seconds_of_openssl(folder, entry) for entry in sample[turn::turns]))
        each = Spread.of([took * 1e3 for took in mine])
        yield line(f"{ITEMS:,} items of the EU gateway, an item", each, unit=MILLISECONDS, detail="chain and all")
        name = "... against openssl cms -verify, a process an item"
        if theirs:
            faster = Spread.of([other / took for took, other in zip(mine, theirs, strict=True)])
            detail = f"{statistics.median(theirs) * 1e3:.2f} ms an item, and no chain"
            yield line(name, faster, detail=detail)
        else:
            yield Line(name=name, reason="no such command")
        yield Line(name="... peak memory, with all libraries", value=peak_memory(folder), unit=MEGABYTES)


def write_lists(folder: Path) -> tuple[Mapping[str, bytes], TrustAnchor]:
    """The three lists, and the trust anchor that vouches for them, also as files."""
    start = NOW - timedelta(days=1)
    anchor = new_csca("EU", "Trust anchor", now=start)
    items = []
    for country in COUNTRIES:
        csca = new_csca(country, "CSCA", now=start)
        upload = new_dsc(csca, "Upload", now=start)
        items.append(item(csca.certificate_der(), country, "CSCA", anchor.signer(), start))
        items.append(item(upload.certificate_der(), country, "UPLOAD", anchor.signer(), start))
        signer = upload.signer()
        for number in range(ITEMS // len(COUNTRIES)):
            dsc: KeyPair = new_dsc(csca, f"DSC {number}", now=start)
            items.append(item(dsc.certificate_der(), country, "DSC", signer, start))
    parts = lists_of(items)
    for name, data in parts.items():
        (folder / name).write_bytes(data)
    (folder / "anchor.pem").write_bytes(anchor.certificate_pem())
    der = anchor.certificate_der()
    return parts, TrustAnchor("trust anchor", parse_certificate(der).spki, der)


def seconds_to_load(parts: Mapping[str, bytes], context: Context) -> float:
    start = time.perf_counter()
    found = Gateway().load(parts, context)
    took = time.perf_counter() - start
    assert (len(found.keys), found.skipped) == (ITEMS, ())
    return took


def seconds_of_openssl(folder: Path, entry: Mapping[str, str]) -> float:
    """What one item takes OpenSSL, which checks its signature and nothing of its chain."""
    (folder / "content").write_bytes(base64.b64decode(entry["rawData"]))
    (folder / "message").write_bytes(base64.b64decode(entry["signature"]))
    verify = ["openssl", "cms", "-verify", "-inform", "DER", "-in", "message", "-content", "content", "-binary"]
    start = time.perf_counter()
    subprocess.run([*verify, "-noverify", "-out", "found"], cwd=folder, check=True, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start


def peak_memory(folder: Path) -> float:
    """The most memory that a process of its own takes to load the lists, in MB."""
    done = subprocess.run([sys.executable, "-m", "bench.trust", str(folder)], check=True, stdout=subprocess.PIPE)
    return float(done.stdout)


def load_once(folder: Path) -> None:
    parts = {name: (folder / name).read_bytes() for name in Gateway.parts}
    Gateway().load(parts, Context(load_anchors(folder / "anchor.pem"), NOW))
    unit = 1 if sys.platform == "darwin" else 1024  # bytes there, KiB elsewhere
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6)


if __name__ == "__main__":
    load_once(Path(sys.argv[1]))
