"""Measures the library against the bare calls it stands on, within one run: only the ratios mean anything.

Each pair is timed in turns, so that a machine that slows down slows both; the ratio is the median over the turns.
A ratio of 0.7 reads: 0.7 of the bare call's throughput.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

import healthcert as hc
from healthcert.encoding import base45, cose, deflate
from healthcert.encoding.algorithms import _to_der
from healthcert.intake.record import read_record
from healthcert.issue.pki import KeyKind, KeyPair, new_csca, new_dsc
from healthcert_cli.commands.demo import RECORD

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CLOCK = hc.FixedClock(NOW)
CERTIFICATES = 200
TURNS = 15


def main() -> None:
    csca = new_csca("FR", "Bench", now=NOW - timedelta(days=1))
    for kind in KeyKind:
        pair = new_dsc(csca, "Bench", now=NOW - timedelta(days=1), kind=kind)
        measure_verify(pair)
        measure_issue(pair)
    measure_base45()


def measure_verify(pair: KeyPair) -> None:
    holder, event = read_record(hc.EntryType.VACCINATION, RECORD)
    issuer = hc.Issuer(pair.signer(), country="FR", clock=CLOCK)
    issued = [issuer.issue(event, holder=holder) for _ in range(CERTIFICATES)]
    verifier = hc.Verifier(hc.TrustStore.from_certificates([pair.certificate_der()]), clock=CLOCK)
    texts = [one.text for one in issued]
    assert all(report.outcome is hc.Outcome.ACCEPTED for report in verifier.examine_many(texts))
    messages = [cose.decode_sign1(one.cose, max_depth=16) for one in issued]
    signed = [(message.signature, message.to_be_signed()) for message in messages]
    key = pair.key.public_key()
    if isinstance(key, ec.EllipticCurvePublicKey):
        ecdsa = ec.ECDSA(hashes.SHA256())
        ders = [(_to_der(signature, 32), data) for signature, data in signed]

        def bare() -> None:
            for signature, data in ders:
                key.verify(signature, data, ecdsa)
    else:
        assert isinstance(key, rsa.RSAPublicKey)
        pss, sha256 = padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256()

        def bare() -> None:
            for signature, data in signed:
                key.verify(signature, data, pss, sha256)

    def ours() -> None:
        for text in texts:
            verifier.examine(text)

    compare(f"verify {pair.signer().algorithm.name} against the bare verify call", ours, bare, CERTIFICATES)


def measure_issue(pair: KeyPair) -> None:
    holder, event = read_record(hc.EntryType.VACCINATION, RECORD)
    issuer = hc.Issuer(pair.signer(), country="FR", clock=CLOCK)
    data = cose.decode_sign1(issuer.issue(event, holder=holder).cose, max_depth=16).to_be_signed()
    key = pair.key
    ecdsa, sha256 = ec.ECDSA(hashes.SHA256()), hashes.SHA256()
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
    count = CERTIFICATES if isinstance(key, ec.EllipticCurvePrivateKey) else CERTIFICATES // 10

    def bare() -> None:
        for _ in range(count):
            if isinstance(key, ec.EllipticCurvePrivateKey):
                key.sign(data, ecdsa)
            else:
                key.sign(data, pss, sha256)

    def ours() -> None:
        for _ in range(count):
            issuer.issue(event, holder=holder)

    compare(f"issue {pair.signer().algorithm.name} against the bare sign call", ours, bare, count)


def measure_base45() -> None:
    try:
        import base45 as peer
    except ImportError:
        print("base45: the PyPI package is not installed, nothing to compare with")
        return
    data = deflate.deflate(bytes(range(256)) * 2)[:373].ljust(373, b"\x55")
    text = base45.encode(data)

    def repeat(call: Callable[[], object]) -> Callable[[], None]:
        def run() -> None:
            for _ in range(1000):
                call()

        return run

    compare(
        "base45 decode against PyPI base45",
        repeat(lambda: base45.decode(text)),
        repeat(lambda: peer.b45decode(text)),
        1000,
    )
    compare(
        "base45 encode against PyPI base45",
        repeat(lambda: base45.encode(data)),
        repeat(lambda: peer.b45encode(data)),
        1000,
    )


def compare(what: str, ours: Callable[[], None], bare: Callable[[], None], count: int) -> None:
    ours()
    bare()
    pairs = [(clocked(bare), clocked(ours)) for _ in range(TURNS)]
    ratio = statistics.median(theirs / mine for theirs, mine in pairs)
    micros = [statistics.median(side) / count * 1e6 for side in zip(*pairs, strict=True)]
    print(f"{what:<48} {ratio:6.2f}   ({micros[1]:.1f} µs against {micros[0]:.1f} µs)")


def clocked(call: Callable[[], None]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


main()
