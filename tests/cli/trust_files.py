"""What the tests of ``healthcert trust`` share: lists as files, and a clock that can be set."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from click.testing import Result

import healthcert as hc
from healthcert.issue.pki import KeyPair
from tests.support import NOW, Press, dsc
from tests.unit.trust.lists import HOUR, numbered, signer_of_lists, unnumbered

STORE = "store/trust.db"
SECRETS = ("PRIVATE KEY", "Exemplaire", "Zoé", "1984-02-29")
"""What no output may hold."""


class Clock:
    """What stands in for the machine's clock."""

    def __init__(self) -> None:
        self.moment = NOW

    def now(self, *_: object) -> datetime:
        return self.moment


def write(folder: str, parts: Mapping[str, bytes]) -> list[str]:
    """The parts of a list as files; their names in the order of the parts."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    files = [f"{folder}/{name}" for name in parts]
    for file, data in zip(files, parts.values(), strict=True):
        Path(file).write_bytes(data)
    return files


def write_anchor(pair: KeyPair | None = None, name: str = "anchor.pem") -> str:
    Path(name).write_bytes((pair or signer_of_lists()).certificate_pem())
    return name


def ours() -> bytes:
    """The DSC that signed the certificate of :func:`certificate`."""
    return dsc().certificate_der()


def certificate(name: str = "certificate.txt") -> str:
    Path(name).write_text(Press().text() + "\n")
    return name


def json_of(done: Result) -> Any:
    return json.loads(done.stdout)


def lines_of(done: Result) -> list[Any]:
    return [json.loads(line) for line in done.stdout.splitlines()]


def kids(store: str) -> set[str]:
    return {key.kid.hex() for key in hc.TrustStore.open(store)}


def german(*certificates: bytes, at: Any = NOW, folder: str = "de") -> list[str]:
    return write(folder, unnumbered(list(certificates), at))


def austrian(*certificates: bytes, at: Any = NOW, life: timedelta = 48 * HOUR, folder: str = "at") -> list[str]:
    return write(folder, numbered(list(certificates), at, life=life))
