"""Other implementations, each in an environment and a process of its own, verifying the same certificates as we do.

The process times the bare call of its own library as well, so that the ratio means the same on another machine.
"""

from __future__ import annotations

import base64
import json
import statistics
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path

from msgspec import Struct

import healthcert as hc
from bench import environments, material
from bench.lines import Line, MissingError, Settings
from bench.progress import say
from bench.timing import Spread, clocked, line
from healthcert.encoding import cose
from healthcert.encoding.algorithms import _to_der
from healthcert.issue.pki import KeyPair, new_csca, new_dsc

ROOT = Path(__file__).parent.parent
CERTIFICATES = 200
CBOR2 = "cbor2==5.9.0"  # pycose and its kin do not decode under cbor2 6
_CWT = ("cwt==3.3.0", "base45==0.4.4", CBOR2)
# What it asks for, without what draws, scans and reads PDF files.
_GREENPASS = (
    "base45==0.4.4",
    "pytz",
    "requests",
    "pyOpenSSL",
    "beautifulsoup4",
    "attrs",
    "ecdsa==0.19.2",
    "certvalidator",
)

# Its loader of modules does not read what later ones are written in.
_DCC_SDK = {"@peculiar/webcrypto": "1.1.7", "webcrypto-core": "1.2.0", "@peculiar/asn1-schema": "2.0.36"}


class Peer(Struct, frozen=True):
    """One of them."""

    name: str
    asked: float | None
    """As often as fast have we to be."""
    does: str
    """What it does of all that a verdict takes."""
    count: int
    """Certificates a turn."""
    command: Callable[[], list[str]]
    """Starts it; makes its environment before. Raises MissingError."""


def _python(
    module: str, *packages: str, alone: tuple[str, ...] = (), options: tuple[str, ...] = ()
) -> Callable[[], list[str]]:
    # The library below is the same as ours, or its own speed would be measured.
    below = f"cryptography=={version('cryptography')}"

    def command() -> list[str]:
        return [
            str(environments.python_with((below, *packages), alone=alone)),
            "-m",
            f"bench.foreign.{module}",
            *options,
        ]

    return command


def _node(packages: Mapping[str, str], overrides: Mapping[str, str]) -> Callable[[], list[str]]:
    def command() -> list[str]:
        node, folder = environments.node_with(packages, overrides)
        return [node, str(ROOT / "bench" / "foreign" / "dcc_sdk.cjs"), str(folder)]

    return command


PEERS = (
    Peer(
        "cwt 3.3.0 behind PyPI's base45 and zlib",
        1.9,
        "from text: base45, inflate, signature, kid, times",
        CERTIFICATES,
        _python("with_cwt", *_CWT, options=("text",)),
    ),
    Peer(
        "cwt 3.3.0 that is given COSE",
        None,
        "from COSE: signature, kid, times",
        CERTIFICATES,
        _python("with_cwt", *_CWT),
    ),
    Peer(
        "pycose 1.1.0",
        20,
        "from COSE: signature",
        20,
        _python("with_pycose", "pycose==1.1.0", CBOR2),
    ),
    Peer(
        "greenpass 4.3.1",
        20,
        "from text: base45, inflate, signature",
        20,
        _python("with_greenpass", *_GREENPASS, CBOR2, alone=("greenpass==4.3.1", "cose==0.9.dev8")),
    ),
    Peer(
        "@pathcheck/dcc-sdk 0.0.27",
        10,
        "from text: base45, inflate, trust list, signature",
        CERTIFICATES // 2,
        _node({"@pathcheck/dcc-sdk": "0.0.27"}, _DCC_SDK),
    ),
)


def lines(settings: Settings) -> Iterator[Line]:
    """How many times as fast we are as each; one that cannot be installed is a line that says so."""
    clock = hc.SystemClock()
    start = clock.now() - timedelta(days=1)
    pair = new_dsc(new_csca("FR", "Bench", now=start), "Bench", now=start)
    made = material.issued(CERTIFICATES, pair, clock=clock)
    verifier = hc.Verifier(hc.TrustStore.from_certificates([pair.certificate_der()]), clock=clock)
    bare = material.bare_verify(pair, [one.cose for one in made])
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), pair, made)
        for peer in PEERS:
            say(peer.name)
            words = f"verify, against {peer.name}"
            try:
                yield compared(words, peer, Path(folder), verifier, bare, settings)
            except MissingError as error:
                yield Line(name=words, asked=peer.asked, reason=str(error))


def compared(
    name: str, peer: Peer, folder: Path, verifier: hc.Verifier, bare: Callable[[], None], settings: Settings
) -> Line:
    """From text to verdict on our side, whatever the peer begins with; in turns."""
    texts: list[str] = json.loads((folder / "texts.json").read_text())

    def ours() -> None:
        for report in verifier.examine_many(texts):
            assert report.outcome is hc.Outcome.ACCEPTED, report.code

    command = peer.command()
    log = (folder / "stderr").open("w+b")
    with (
        log,
        subprocess.Popen([*command, str(folder)], cwd=ROOT, stdin=-1, stdout=-1, stderr=log, text=True) as process,
    ):
        ours()
        rows = []
        for _ in range(settings.turns(9)):
            theirs = asked(process, peer.count, folder / "stderr")
            mine, bare_here = clocked(ours), clocked(bare)
            rows.append(
                (theirs["peer"] / peer.count / (mine / len(texts)), theirs["bare"] / theirs["peer"], bare_here / mine)
            )
        assert process.stdin is not None
        process.stdin.close()
    times, share, own = zip(*rows, strict=True)
    of_bare = f"{statistics.median(share):.3f} of its bare call beside {statistics.median(own):.2f} of ours"
    return line(name, Spread.of(times), asked=peer.asked, detail=f"{of_bare}; {peer.does}")


def asked(process: subprocess.Popen[str], count: int, log: Path) -> dict[str, float]:
    """The seconds that so many certificates take there. Raises MissingError when it has ended instead."""
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(f"{count}\n")
        process.stdin.flush()
    except OSError:
        pass  # it has ended, and says why
    answer = process.stdout.readline()
    if not answer:
        process.wait()
        said = log.read_text(errors="replace").strip().splitlines()
        raise MissingError(f"it does not run here: {said[-1][:120] if said else process.returncode}")
    found: dict[str, float] = json.loads(answer)
    return found


def write(folder: Path, pair: KeyPair, made: list[hc.Issued]) -> None:
    """The same certificates for all of them, and the key."""
    signed = []
    for one in made:
        message = cose.decode_sign1(one.cose, max_depth=16)
        signed.append((_to_der(message.signature, 32).hex(), message.to_be_signed().hex()))
    (folder / "texts.json").write_text(json.dumps([one.text for one in made]))
    (folder / "messages.json").write_text(json.dumps([one.cose.hex() for one in made]))
    (folder / "signed.json").write_text(json.dumps(signed))
    (folder / "kid.json").write_text(json.dumps(base64.b64encode(pair.signer().kid).decode()))
    (folder / "dsc.der").write_bytes(pair.certificate_der())
    (folder / "dsc.pem").write_bytes(pair.certificate_pem())
