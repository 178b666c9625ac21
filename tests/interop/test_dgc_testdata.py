"""The public conformance suite of the EU DCC (dgc-testdata): every expectation of every case is a test of its own.

What is wrong in the suite is excused by ``src/healthcert/conformance/dgc-testdata.toml``, with the reason; the list is
exact both ways.
"""

from __future__ import annotations

from functools import cache

import pytest

import healthcert as hc
from healthcert.conformance.checks import judge
from healthcert.conformance.deviations import Deviations
from healthcert.conformance.report import ConformanceReport, Result, Status, judged, summarise
from healthcert.conformance.suite import Case, Suite
from tests.conftest import interop_folder

FOLDER = interop_folder() / "dgc-testdata"
SUITE = Suite.open(FOLDER) if FOLDER.is_dir() else Suite({})
CASES = {case.name: case for case in SUITE if isinstance(case, Case)}
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


@cache
def report() -> ConformanceReport:
    deviations = Deviations.of_public_suite()
    return summarise(judged(SUITE, judge, deviations), deviations)


@cache
def results() -> dict[tuple[str, str], Result]:
    return {(result.case, result.expectation): result for result in report().results}


@pytest.mark.parametrize(
    ("case", "expectation"),
    [pytest.param(name, key, id=f"{name} {key}") for name, case in CASES.items() for key in case.expectations],
)
def test_expectation(case: str, expectation: str) -> None:
    result = results()[case, expectation]
    assert result.status is not Status.DISAGREES, result.why


def test_the_whole_run() -> None:
    assert not report().problems
    assert not report().stale
    assert report().agrees
    assert report().skipped <= 1  # 6.json, a CWT as JSON


def test_only_what_a_case_lacks_or_a_verifier_cannot_do_is_left_out() -> None:
    for result in report().of(Status.NOT_CHECKED):
        assert result.why in ("the case has no 2DCODE", "not a check of a verifier")


@pytest.mark.parametrize(
    "case",
    [case for case in CASES.values() if case.country == "common" and case.name.split("/")[-1] in COMMON],
    ids=lambda case: case.name.split("/")[-1],
)
def test_a_common_case_ends_at_the_step_it_is_about(case: Case) -> None:
    assert case.clock is not None
    verifier = hc.Verifier(hc.TrustStore.from_certificates([case.certificate]), clock=hc.FixedClock(case.clock))
    found = verifier.examine(case.text("PREFIX") or "")
    step = COMMON[case.name.split("/")[-1]]
    assert found.step == step, (found.code, found.detail)
    assert (found.outcome is hc.Outcome.ACCEPTED) is (step is None)


def test_the_suite_is_not_empty() -> None:
    assert len(report().of(Status.AGREES)) > 1000
