"""Curated certificates of real issuers (dcc-quality-assurance): pictures are read, and what they hold is understood."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

import healthcert as hc


def texts(interop: Path) -> dict[str, str]:
    """Path of each picture and the text in it."""
    lines = (interop / "hcert-other/dcc-quality-assurance/decoded.tsv").read_text("utf-8").split("\n")[1:]
    return dict(line.split("\t", 1) for line in lines if "\t" in line)


def demo_keys(interop: Path) -> hc.TrustStore:
    _, body = (interop / "trust-lists/covpass/demo/dsc-list.json").read_text("utf-8").split("\n", 1)
    entries = json.loads(body)["certificates"]
    return hc.TrustStore.from_certificates([base64.b64decode(entry["rawData"]) for entry in entries])


def test_every_picture_reads_as_its_text(interop: Path) -> None:
    folder = interop / "hcert-other/dcc-quality-assurance"
    found = texts(interop)
    assert len(found) > 100
    assert [path for path, text in found.items() if text not in hc.read_barcodes(folder / path)] == []


def test_every_certificate_whose_key_is_known_has_a_good_signature(interop: Path) -> None:
    store = demo_keys(interop)
    verifier = hc.Verifier(
        store, policy=hc.Policy(rsa_bits=1024), clock=hc.FixedClock(datetime(2022, 1, 15, tzinfo=UTC))
    )
    reports = {path: verifier.examine(text) for path, text in texts(interop).items()}
    unknown = [path for path, report in reports.items() if report[hc.Step.TRUST].outcome is not hc.StepResult.PASSED]
    signed = [path for path, report in reports.items() if report[hc.Step.SIGNATURE].outcome is hc.StepResult.PASSED]
    assert len(signed) == len(reports) - len(unknown)
    assert len(unknown) == 6  # their kid is not in the demo list


def test_the_content_of_every_signed_certificate_is_understood(interop: Path) -> None:
    verifier = hc.Verifier(
        demo_keys(interop), policy=hc.Policy(rsa_bits=1024), clock=hc.FixedClock(datetime(2023, 6, 1, tzinfo=UTC))
    )
    not_understood = {
        path: report[hc.Step.CONTENT].detail
        for path, text in texts(interop).items()
        if (report := verifier.examine(text)).key is not None and report.certificate is None
    }
    assert not_understood == {}


@pytest.mark.parametrize("environment", ["prod", "demo", "test"])
def test_every_certificate_of_a_national_list_is_read(interop: Path, environment: str) -> None:
    _, body = (interop / f"trust-lists/covpass/{environment}/dsc-list.json").read_text("utf-8").split("\n", 1)
    entries = json.loads(body)["certificates"]
    store = hc.TrustStore.from_certificates([base64.b64decode(entry["rawData"]) for entry in entries])
    assert store.rejected == []
    wanted = {(base64.b64decode(entry["kid"]), entry["country"]) for entry in entries}
    assert {kid for kid, _ in wanted} == {key.kid for key in store}
