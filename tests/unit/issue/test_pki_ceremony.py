"""The record of a key ceremony: of one width, readable, without secrets."""

from __future__ import annotations

import hashlib
import stat
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from healthcert.issue.pki.ceremony import OPENING, CeremonyStep, append, facts_of, facts_of_key, record
from tests.support import NOW, dsc


def step(*facts: tuple[str, str]) -> CeremonyStep:
    return CeremonyStep(
        at=NOW, operator="A. Officer", command="healthcert keys new-dsc", action="made: DSC", facts=facts
    )


def test_a_record_has_what_witnesses_sign() -> None:
    certificate = dsc().certificate
    text = record(step(*facts_of(certificate), ("Key lies in", "pkcs11:token=Health;object=dsc")))
    flat = "".join(text.split())
    spki = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert hashlib.sha256(dsc().certificate_der()).hexdigest().upper() in flat
    assert hashlib.sha256(spki).hexdigest().upper() in flat
    assert f"{certificate.serial_number:X}" in flat
    for part in ("When            2021-08-20 10:00:00 UTC", "Who             A. Officer", "C=FR, CN=Test DSC"):
        assert part in text
    assert text.count("_" * 29) == 3
    assert facts_of_key(spki)[0] in facts_of(certificate)


def test_every_line_fits_whatever_stands_in_it() -> None:
    text = record(step(("Subject", "x" * 500), ("Note", "one two " * 40), ("Hostile", "a\nWho  Somebody\x1b[2J\u202e")))
    assert max(map(len, text.splitlines())) == 72
    assert text.isprintable() or all(line.isprintable() for line in text.split("\n"))
    assert not any(line.startswith("Who  Somebody") for line in text.splitlines())


def test_records_are_appended_for_their_owner(tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    append(log, [step()])
    before = log.read_bytes()
    append(log, [step(("Subject", "Ministère"))])
    assert log.read_bytes().startswith(before + OPENING)
    assert before.startswith(OPENING)
    assert "Ministère" in log.read_text("utf-8")
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
