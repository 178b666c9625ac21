"""Lets another implementation verify certificates as often as it is asked to, and times it."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from itertools import cycle, islice
from pathlib import Path
from typing import TypeVar

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import load_der_x509_certificate

Certificate = TypeVar("Certificate", str, bytes)


def serve(certificates: list[Certificate], verify: Callable[[Certificate], bool]) -> None:
    """Answers each line with a number by the seconds that so many certificates take, and the bare calls for them.

    A certificate that is not found good ends the process: what is faster because it fails is not measured.
    """
    folder = Path(sys.argv[-1])
    if not all(map(verify, certificates)):
        sys.exit("a certificate was not accepted")
    bare = _bare(folder)
    for asked in sys.stdin:
        count = int(asked)
        some = list(islice(cycle(certificates), count))
        start = time.process_time()
        for one in some:
            verify(one)
        middle = time.process_time()
        bare(count)
        end = time.process_time()
        print(json.dumps({"peer": middle - start, "bare": end - middle}), flush=True)


def _bare(folder: Path) -> Callable[[int], None]:
    """So many signatures verified by the library below."""
    key = load_der_x509_certificate((folder / "dsc.der").read_bytes()).public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    public, scheme = key, ec.ECDSA(hashes.SHA256())
    pairs = [
        (bytes.fromhex(der), bytes.fromhex(data)) for der, data in json.loads((folder / "signed.json").read_text())
    ]

    def run(count: int) -> None:
        for der, data in islice(cycle(pairs), count):
            public.verify(der, data, scheme)

    return run


def texts() -> list[str]:
    """The certificates as they are scanned."""
    found: list[str] = json.loads((Path(sys.argv[-1]) / "texts.json").read_text())
    return found


def messages() -> list[bytes]:
    """The certificates as COSE, for what begins there."""
    return [bytes.fromhex(one) for one in json.loads((Path(sys.argv[-1]) / "messages.json").read_text())]
