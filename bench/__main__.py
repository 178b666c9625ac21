"""Measures the library against the bare calls it stands on, within one run: only the ratios mean anything.

Each pair is timed in turns, so that a machine that slows down slows both; the ratio is the median over the turns.
A ratio of 0.7 reads: 0.7 of the bare call's throughput.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import zxingcpp
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from PIL import Image

import healthcert as hc
from bench import authority, families, hsm, intake, register, revocation, rules, trust
from healthcert.encoding import base45, cose, deflate
from healthcert.encoding.algorithms import _to_der
from healthcert.intake.record import read_record
from healthcert.issue.pki import KeyKind, KeyPair, new_csca, new_dsc
from healthcert.lists.x509 import parse_certificate
from healthcert.publish import german
from healthcert_cli.commands.demo import RECORD

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CLOCK = hc.FixedClock(NOW)
CERTIFICATES = 200
TURNS = 15
KEYS = 3000
MOST_TIMES = 1.3  # as long may a cold verification take with that many keys


def main() -> None:
    csca = new_csca("FR", "Bench", now=NOW - timedelta(days=1))
    for kind in KeyKind:
        pair = new_dsc(csca, "Bench", now=NOW - timedelta(days=1), kind=kind)
        measure_verify(pair)
        measure_issue(pair)
    measure_base45()
    with tempfile.TemporaryDirectory() as folder:
        measure_picture(csca, Path(folder))
        measure_start(csca, Path(folder))
        measure_store(csca, Path(folder))
    trust.main()
    revocation.main()
    rules.main()
    families.main()
    intake.main()
    register.main()
    authority.main()
    hsm.main()


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

    def together() -> None:
        for _ in verifier.examine_many(texts):
            pass

    name = pair.signer().algorithm.name
    compare(f"verify {name}, one by one, against the bare call", ours, bare, CERTIFICATES)
    compare(f"verify {name}, a list of them, against the bare call", together, bare, CERTIFICATES)


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


def measure_picture(csca: KeyPair, folder: Path) -> None:
    """A clean picture to its verdict, against the scanner's quickest way and the bare verify call."""
    pair = new_dsc(csca, "Bench", now=NOW - timedelta(days=1))
    text, picture = picture_of(pair, folder)
    data, key = picture.read_bytes(), pair.key.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    verifier = hc.Verifier(hc.TrustStore.from_certificates([pair.certificate_der()]), clock=CLOCK)
    message = cose.decode_sign1(deflate.inflate(base45.decode(text[4:]), limit=10_000), max_depth=16)
    der, signed, ecdsa = _to_der(message.signature, 32), message.to_be_signed(), ec.ECDSA(hashes.SHA256())
    with Image.open(picture) as image:
        grey = image.convert("L")
    quick: dict[str, Any] = dict.fromkeys(("try_rotate", "try_downscale", "try_invert"), False)
    qr = zxingcpp.BarcodeFormats((zxingcpp.BarcodeFormat.QRCode,))

    def bare() -> None:
        for _ in range(20):
            assert zxingcpp.read_barcodes(grey, formats=qr, **quick)[0].text == text
            key.verify(der, signed, ecdsa)

    def ours() -> None:
        for _ in range(20):
            assert verifier.examine(hc.read_barcodes(data)[0]).outcome is hc.Outcome.ACCEPTED

    compare("picture to verdict against the bare scan and verify", ours, bare, 20)


def measure_start(csca: KeyPair, folder: Path) -> None:
    """Whole processes: the command against what it stands on."""
    pair = new_dsc(csca, "Bench", now=NOW - timedelta(days=1))
    _, picture = picture_of(pair, folder)
    store = folder / "trust.db"
    hc.TrustStore.open(store).add(hc.TrustStore.from_certificates([pair.certificate_der()]))
    hello = folder / "hello.py"
    hello.write_text("import click\n\n@click.command()\ndef main():\n    click.echo('hello')\n\nmain()\n")
    command = str(Path(sys.executable).with_name("healthcert"))
    verify = [command, "verify", str(picture), "--trust", str(store), "--at", NOW.isoformat()]
    libraries = [sys.executable, "-c", "import cryptography.x509, cbor2, zxingcpp, PIL.Image, click"]
    compare(
        "healthcert --version against a hello of click",
        process(command, "--version"),
        process(sys.executable, str(hello)),
        1,
    )
    compare("healthcert verify code.png against its imports", process(*verify), process(*libraries), 1)


def measure_store(csca: KeyPair, folder: Path) -> None:
    """A store of a whole list against one of a single key: opened, and in a process that verifies one certificate."""
    pair = new_dsc(csca, "Bench", now=NOW - timedelta(days=1))
    holder, event = read_record(hc.EntryType.VACCINATION, RECORD)
    issued = hc.Issuer(pair.signer(), country="FR", clock=CLOCK).issue(event, holder=holder)
    (folder / "code.txt").write_text(issued.text)
    signer = new_dsc(csca, "Signer of lists", now=NOW - timedelta(days=1))
    # All with one public key, which costs nothing to make and nothing less to keep.
    others = [_certificate_of(csca, pair, number) for number in range(KEYS - 1)]
    stores = {1: folder / "one.db", KEYS: folder / "many.db"}
    for count, path in stores.items():
        parts = german.publish([pair.certificate_der(), *others[: count - 1]], signer.signer(), issued_at=NOW)
        spki = parse_certificate(signer.certificate_der()).spki
        feed = hc.Feed(name="de", format="de", anchors=(hc.TrustAnchor("signer", spki),))
        assert len(hc.install_list(hc.TrustStore.open(path), feed, parts, clock=CLOCK).added) == count

    def opened(count: int) -> Callable[[], None]:
        def run() -> None:
            assert hc.TrustStore.open(stores[count]).candidates(pair.signer().kid)

        return run

    command = str(Path(sys.executable).with_name("healthcert"))
    at = NOW.isoformat()

    def verify(count: int) -> Callable[[], None]:
        return process(command, "verify", str(folder / "code.txt"), "--trust", str(stores[count]), "--at", at)

    compare(f"open a store of {KEYS} keys and find one, against one key", opened(KEYS), opened(1), 1)
    ratio = compare(f"verify cold with {KEYS} keys against one key", verify(KEYS), verify(1), 1)
    print(f"... which takes {1 / ratio:.2f} times as long (asked: less than {MOST_TIMES})")


def _certificate_of(csca: KeyPair, pair: KeyPair, number: int) -> bytes:
    """Another certificate of the key of ``pair``."""
    builder = (
        x509.CertificateBuilder()
        .subject_name(pair.certificate.subject)
        .issuer_name(csca.certificate.subject)
        .public_key(pair.key.public_key())
        .serial_number(number + 1)
        .not_valid_before(pair.certificate.not_valid_before_utc)
        .not_valid_after(pair.certificate.not_valid_after_utc)
    )
    return builder.sign(csca.key, hashes.SHA256()).public_bytes(Encoding.DER)


def picture_of(pair: KeyPair, folder: Path) -> tuple[str, Path]:
    holder, event = read_record(hc.EntryType.VACCINATION, RECORD)
    issued = hc.Issuer(pair.signer(), country="FR", clock=CLOCK).issue(event, holder=holder)
    issued.qr().save(folder / "code.png")
    return issued.text, folder / "code.png"


def process(*command: str) -> Callable[[], None]:
    def run() -> None:
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)

    return run


def compare(what: str, ours: Callable[[], None], bare: Callable[[], None], count: int) -> float:
    ours()
    bare()
    pairs = [(clocked(bare), clocked(ours)) for _ in range(TURNS)]
    ratio = statistics.median(theirs / mine for theirs, mine in pairs)
    micros = [statistics.median(side) / count * 1e6 for side in zip(*pairs, strict=True)]
    print(f"{what:<56} {ratio:6.2f}   ({micros[1]:.1f} µs against {micros[0]:.1f} µs)")
    return ratio


def clocked(call: Callable[[], None]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


main()
