"""Test cases in the format of the public suite, made on the fly with real keys."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import cbor2

from healthcert.barcode.write import QrCode
from healthcert.conformance.checks import CHECKS
from healthcert.conformance.suite import Case, read_case
from healthcert.encoding import base45, cose, deflate
from tests.support import NOW, RECOVERY_ENTRY, TEST_ENTRY, Press, payload, payload_with

ALL = dict.fromkeys(CHECKS, True)


def document(press: Press | None = None, expected: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """A case with every layer, of which all checks are expected to succeed; a change to ... removes a field."""
    press = press or Press()
    text = press.text()
    compressed = base45.decode(text.removeprefix("HC1:"))
    message = deflate.inflate(compressed, limit=100_000)
    values: dict[str, Any] = {
        "JSON": press.payload,
        "CBOR": cbor2.dumps(press.payload).hex(),
        "COSE": message.hex(),
        "COMPRESSED": compressed.hex(),
        "BASE45": text.removeprefix("HC1:"),
        "PREFIX": text,
        "2DCODE": base64.b64encode(QrCode.of(text).png()).decode(),
        "TESTCTX": context(press),
        "EXPECTEDRESULTS": ALL if expected is None else expected,
    }
    return {key: value for key, value in (values | changes).items() if value is not ...}


def context(press: Press | None = None, **changes: Any) -> dict[str, Any]:
    """The TESTCTX of a case; a change to ... removes a field."""
    certificate = base64.b64encode((press or Press()).pair.certificate_der()).decode()
    values = {"VERSION": 1, "SCHEMA": "1.3.0", "CERTIFICATE": certificate, "VALIDATIONCLOCK": NOW.isoformat()}
    return {key: value for key, value in (values | changes).items() if value is not ...}


def cwt_of(document: dict[str, Any]) -> bytes:
    """The CWT inside a case's COSE."""
    return cose.decode_sign1(bytes.fromhex(document["COSE"]), max_depth=16).payload


def save(folder: Path, **documents: Any) -> Path:
    """Writes cases as ``FR/2DCode/raw/<name>.json``; text and bytes as they are."""
    place = folder / "FR" / "2DCode" / "raw"
    place.mkdir(parents=True, exist_ok=True)
    for name, content in documents.items():
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        (place / f"{name}.json").write_bytes(data)
    return folder


def case(tmp_path: Path, content: dict[str, Any]) -> Case:
    """The case in a document, read as from a suite."""
    save(tmp_path, case=content)
    found = read_case(tmp_path / "FR/2DCode/raw/case.json", "FR/2DCode/raw/case")
    assert isinstance(found, Case)
    return found


def small_suite(folder: Path) -> Path:
    """Good cases of each kind, and some of which a step is expected to fail."""
    forged = Press(sign=lambda _: bytes(64))
    return save(
        folder,
        vaccination=document(),
        test=document(Press(payload=payload_with("t", TEST_ENTRY))),
        recovery=document(Press(payload=payload_with("r", RECOVERY_ENTRY))),
        forged=document(forged, ALL | {"EXPECTEDVERIFY": False}),
        expired=document(Press(claims={4: 1}), {"EXPECTEDVERIFY": True, "EXPECTEDEXPIRATIONCHECK": False}),
        invalid=document(Press(payload=payload(dob="31.12.1984")), {"EXPECTEDSCHEMAVALIDATION": False}),
    )
