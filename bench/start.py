"""Whole processes: the command against what it stands on, and with a store of a whole list against one of a key."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

import healthcert as hc
from bench import material
from bench.lines import Line, Settings
from bench.progress import say
from bench.timing import cost
from healthcert.issue.pki import KeyPair, new_dsc
from healthcert.lists.x509 import parse_certificate
from healthcert.publish import german

KEYS = 3000
MOST_TIMES = 1.3  # as long may a cold verification take with that many keys
COMMAND = str(Path(sys.executable).with_name("healthcert"))
HELLO = "import click\n\n@click.command()\ndef main():\n    click.echo('hello')\n\nmain()\n"


def lines(settings: Settings) -> Iterator[Line]:
    """The start of the command, and of a verification."""
    say("processes are started")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        yield from started(folder, settings)
        say(f"a store of {KEYS} keys")
        yield from stored(folder, settings)


def started(folder: Path, settings: Settings) -> Iterator[Line]:
    """Beside a program of click's that says hello, and beside what a verification cannot do without."""
    pair, picture = material.dsc(), folder / "code.png"
    material.issued(1, pair)[0].qr().save(picture)
    store, hello = folder / "trust.db", folder / "hello.py"
    hc.TrustStore.open(store).add(hc.TrustStore.from_certificates([pair.certificate_der()]))
    hello.write_text(HELLO)
    verify = process(COMMAND, "verify", str(picture), "--trust", str(store), "--at", material.NOW.isoformat())
    libraries = process(sys.executable, "-c", "import cryptography.x509, cbor2, zxingcpp, PIL.Image, click")
    version, greeting = process(COMMAND, "--version"), process(sys.executable, str(hello))
    yield cost("start healthcert --version, against a hello of click", version, greeting, settings, count=1, wall=True)
    yield cost("start healthcert verify code.png, against its imports", verify, libraries, settings, count=1, wall=True)


def stored(folder: Path, settings: Settings) -> Iterator[Line]:
    """Opened, and in a process that verifies one certificate."""
    csca, pair = material.csca(), material.dsc()
    (folder / "code.txt").write_text(material.issued(1, pair)[0].text)
    signer = new_dsc(csca, "Signer of lists", now=material.NOW - timedelta(days=1))
    # All with one public key, which costs nothing to make and nothing less to keep.
    others = [_certificate_of(csca, pair, number) for number in range(KEYS - 1)]
    stores = {1: folder / "one.db", KEYS: folder / "many.db"}
    for count, path in stores.items():
        certificates = [pair.certificate_der(), *others[: count - 1]]
        parts = german.publish(certificates, signer.signer(), issued_at=material.NOW)
        spki = parse_certificate(signer.certificate_der()).spki
        feed = hc.Feed(name="de", format="de", anchors=(hc.TrustAnchor("signer", spki),))
        change = hc.install_list(hc.TrustStore.open(path), feed, parts, clock=material.CLOCK)
        assert len(change.added) == count

    def opened(count: int) -> Callable[[], None]:
        def run() -> None:
            assert hc.TrustStore.open(stores[count]).candidates(pair.signer().kid)

        return run

    def verify(count: int) -> Callable[[], None]:
        options = ("--trust", str(stores[count]), "--at", material.NOW.isoformat())
        return process(COMMAND, "verify", str(folder / "code.txt"), *options)

    many, one = verify(KEYS), verify(1)
    yield cost(
        f"open a store of {KEYS} keys and find one, against one key",
        opened(KEYS),
        opened(1),
        settings,
        count=1,
        wall=True,
    )
    yield cost(
        f"verify cold with {KEYS} keys, against one key", many, one, settings, count=1, wall=True, asked=MOST_TIMES
    )


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


def process(*command: str) -> Callable[[], None]:
    """A process from its start to its end."""

    def run() -> None:
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)

    return run
