"""Measures every family: what an examination costs beside the bare call that verifies its signature.

The lines tell, for each, the time of everything but the signature as a part of that call; and how long it takes to tell
which family a text is of. Issuing is not measured here.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from tests.issuing import CASES, Case
from tests.support import CLOCK

import healthcert as hc
from bench.lines import MICROSECONDS, Line, Settings
from bench.progress import say
from bench.timing import Spread, line
from healthcert.encoding.algorithms import _to_der
from healthcert.families import KINDS, recognise
from healthcert.families.protocol import Decoded
from healthcert.limits import DEFAULT_LIMITS
from healthcert.model import Scan

TURNS = 15
SEVERAL = 20
TIMES = 10
ASKED = 0.60  # of the bare call
LEAST = 60.0  # microseconds
RECOGNISED = 3.0
_DIGESTS = {32: hashes.SHA256(), 48: hashes.SHA384(), 66: hashes.SHA512()}


def lines(settings: Settings) -> Iterator[Line]:
    """What an examination of each family takes beside the signature; and how long the slowest one is recognised."""
    recognised = {}
    for name, case in CASES.items():
        say(f"family {name}")
        yield measure(name, case, settings)
        scan = _scan(case.issue())
        recognised[name] = best(partial(recognise, scan, DEFAULT_LIMITS), 500)
    slowest = max(recognised, key=recognised.__getitem__)
    name, took = f"families: {slowest}, the slowest, recognised", recognised[slowest]
    yield Line(name=name, value=took, asked=RECOGNISED, at_most=True, unit=MICROSECONDS)


def measure(name: str, case: Case, settings: Settings) -> Line:
    """One family."""
    scans = [_scan(case.issue()) for _ in range(SEVERAL)]
    verifier = hc.Verifier(case.trust(), policy=hc.Policy(families=KINDS), clock=CLOCK)
    reports = [verifier.examine(scan) for scan in scans]
    assert all(report.outcome is hc.Outcome.ACCEPTED for report in reports), (name, reports[0].code)
    found = [recognise(scan, DEFAULT_LIMITS) for scan in scans]
    decoded = [family.decode(text, DEFAULT_LIMITS) for family, text in found]
    checks = [_bare(one, report) for one, report in zip(decoded, reports, strict=True)]

    def ours() -> None:
        for scan in scans:
            verifier.examine(scan)

    def bare() -> None:
        for check in checks:
            check()

    rests, signatures = paired(ours, bare, settings.turns(TURNS))
    signature = statistics.median(signatures)
    shares = Spread.of([rest / alone for rest, alone in zip(rests, signatures, strict=True)])
    return line(
        f"{name}: all but the signature, against its bare verify",
        shares,
        asked=max(ASKED, LEAST / signature),
        at_most=True,
        detail=f"{statistics.median(rests):,.1f} {MICROSECONDS} beside {signature:,.1f}",
    )


def paired(ours: Callable[[], None], bare: Callable[[], None], turns: int) -> tuple[list[float], list[float]]:
    """Microseconds that one examination takes beside its signature, and the signature alone; for each turn."""
    rests, signatures = [], []
    for _ in range(turns):
        whole, alone = best(ours, TIMES) / SEVERAL, best(bare, TIMES) / SEVERAL
        rests.append(whole - alone)
        signatures.append(alone)
    return rests, signatures


def best(call: Callable[[], object], times: int) -> float:
    """The shortest time of a call, in microseconds: what other programs of the machine take is not in it."""
    taken: list[float] = []
    for _ in range(times):
        start = time.perf_counter()
        call()
        taken.append((time.perf_counter() - start) * 1e6)
    return min(taken)


def _scan(issued: hc.IssuedCertificate) -> str:
    """The certificate as a scanner delivers it: with the bytes, where its barcode holds bytes."""
    segments: Iterable[str | bytes] = issued.wire.segments
    if all(isinstance(part, bytes) for part in segments):
        return Scan.of(b"".join(part for part in segments if isinstance(part, bytes)))
    return issued.text


def _bare(decoded: Decoded, report: hc.Report) -> Callable[[], object]:
    """The one call of ``cryptography`` that verifies the signature."""
    assert report.key is not None
    key, signature, data = report.key.public_key, decoded.signature, decoded.signed
    if isinstance(key, ec.EllipticCurvePublicKey):
        size = len(signature) // 2
        der, ecdsa = _to_der(signature, size), ec.ECDSA(_DIGESTS[size])
        return lambda: key.verify(der, data, ecdsa)
    if isinstance(key, rsa.RSAPublicKey):
        pss = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
        return lambda: key.verify(signature, data, pss, hashes.SHA256())
    return lambda: key.verify(signature, data)
