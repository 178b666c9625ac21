"""The public conformance suite of the EU DCC (dgc-testdata), case by case, through ``Verifier.examine``.

``deviations.toml`` beside this file lists the expectations that are not met, each with its reason. It is strict
both ways: an expectation that is not met and not listed fails, and so does one that is listed and met.
"""

from __future__ import annotations

import base64
import json
import tomllib
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import healthcert as hc
from tests.conftest import interop_folder
from tests.support import outcomes

SUITE = interop_folder() / "dgc-testdata"
CASES = (
    [path for path in sorted(SUITE.rglob("*.json")) if "TESTCTX" in path.read_text("utf-8")] if SUITE.is_dir() else []
)
STEPS = {
    "EXPECTEDUNPREFIX": ("recognise",),
    "EXPECTEDB45DECODE": ("decode",),
    "EXPECTEDCOMPRESSION": ("decode",),
    "EXPECTEDVERIFY": ("trust", "signature"),
    "EXPECTEDEXPIRATIONCHECK": ("time",),
    "EXPECTEDKEYUSAGE": ("usage",),
}
DEVIATIONS: dict[str, str] = {
    f"{entry['case']} {entry['expectation']}": entry["reason"]
    for entry in tomllib.loads(Path(__file__).with_name("deviations.toml").read_text("utf-8"))["deviation"]
}
# What the suite's own table of checks says of each numbered case (BasicDgcTestsList).
COMMON = {
    "B1": "decode", "CBO1": "decode", "CBO2": "decode", "Z1": "decode", "Z2": "decode",
    "H1": "recognise", "H2": "recognise", "H3": "recognise",
    "CO5": "signature", "CO16": "time", "CO17": "time", "CO22": "trust", "CO23": "trust",
    "CO6": "usage", "CO7": "usage", "CO8": "usage", "CO9": "usage", "CO10": "usage", "CO11": "usage",
    "DGC1": "content", "DGC2": "content",
    "CO1": None, "CO2": None, "CO3": None, "CO12": None, "CO13": None, "CO14": None, "CO15": None, "CO18": None,
    "CO19": None, "CO20": None, "CO21": None, "CO28": None, "DGC3": None, "DGC4": None, "DGC5": None, "DGC6": None,
}  # fmt: skip

pytestmark = pytest.mark.skipif(not CASES, reason="no third-party test data: set HEALTHCERT_INTEROP to its folder")


def name_of(path: Path) -> str:
    return path.relative_to(SUITE).as_posix().removesuffix(".json")


@cache
def load(path: Path) -> dict[str, Any]:
    case: dict[str, Any] = json.loads(path.read_bytes())
    return case


@cache
def examine(path: Path) -> hc.Report:
    context = load(path)["TESTCTX"]
    store = hc.TrustStore.from_certificates([base64.b64decode(context["CERTIFICATE"])])
    clock = hc.FixedClock(datetime.fromisoformat(context["VALIDATIONCLOCK"]))
    return hc.Verifier(store, policy=hc.Policy(), clock=clock).examine(load(path)["PREFIX"])


EXPECTATIONS = [
    pytest.param(path, expectation, id=f"{name_of(path)} {expectation}")
    for path in CASES
    for expectation in STEPS
    if expectation in load(path)["EXPECTEDRESULTS"]
]


@pytest.mark.parametrize(("path", "expectation"), EXPECTATIONS)
def test_expectation(path: Path, expectation: str) -> None:
    found = outcomes(examine(path))
    held = all(found[step] == "passed" for step in STEPS[expectation])
    agrees = held == load(path)["EXPECTEDRESULTS"][expectation]
    reason = DEVIATIONS.get(f"{name_of(path)} {expectation}")
    assert agrees is (reason is None), f"{found} (deviation: {reason})"


@pytest.mark.parametrize(
    "path", [p for p in CASES if p.parts[-4] == "common" and p.stem in COMMON], ids=lambda p: p.stem
)
def test_a_common_case_ends_at_the_step_it_is_about(path: Path) -> None:
    report = examine(path)
    assert report.step == COMMON[path.stem], (report.code, report.detail)
    assert (report.outcome is hc.Outcome.ACCEPTED) is (COMMON[path.stem] is None)


@pytest.mark.parametrize("path", CASES, ids=name_of)
def test_a_picture_reads_as_its_text(path: Path) -> None:
    case = load(path)
    expected = case["EXPECTEDRESULTS"].get("EXPECTEDPICTUREDECODE")
    if expected is None or not case.get("2DCODE"):
        pytest.skip("the case says nothing of a picture")
    try:
        texts = hc.read_barcodes(base64.b64decode(case["2DCODE"]))
    except hc.DecodeError:
        texts = []
    assert (case["PREFIX"] in texts) is expected


def test_every_deviation_names_an_expectation_of_the_suite() -> None:
    known = {parameter.id for parameter in EXPECTATIONS}
    countries = {name_of(path).split("/")[0] for path in CASES}
    ours = {key for key in DEVIATIONS if key.split("/")[0] in countries}
    assert ours <= known


def test_the_suite_is_not_empty() -> None:
    assert len(EXPECTATIONS) > 1000
