"""Examples after those that HL7 publishes with FHIR, in R4B and in R5, of made-up persons.

They are valid for fhir.resources, go through the intake without an exception, and what cannot be certified is reported.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from healthcert.errors import Code
from healthcert.intake.fhir.kinds import KINDS
from healthcert.intake.fhir.resources import LINKED, READ, RECORDS
from healthcert.intake.reading import RejectedRow, Row
from healthcert.model import TestResult, Vaccination
from tests.unit.intake.fhir.make import bundle, document, lines

EXAMPLES = Path(__file__).parent / "examples"
EXPECTED: dict[str, tuple[Code | None, ...]] = {
    "patient": (),
    "immunization-influenza": (Code.CODE_NOT_MAPPED,),
    "immunization-historical": (Code.RECORD_NOT_SUPPORTED,),
    "immunization-not-done": (Code.RECORD_NOT_FINAL,),
    "immunization-subpotent": (Code.RECORD_NOT_SUPPORTED,),
    "immunization-protocol": (Code.CODE_NOT_MAPPED,),
    "immunization-cvx": (Code.CODE_NOT_MAPPED,),
    "immunization-in-words": (Code.FIELD_INVALID,),
    "immunization-covid": (None,),
    "observation-blood-pressure": (Code.CODE_NOT_MAPPED,),
    "observation-glucose": (Code.CODE_NOT_MAPPED,),
    "observation-covid": (None,),
    "diagnosticreport-panel": (None, Code.CODE_NOT_MAPPED),
}
RELEASES = ("r4b", "r5")


def example(release: str, name: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((EXAMPLES / release / f"{name}.json").read_text(encoding="utf-8"))
    return read


def model(release: str, kind: str) -> Any:
    """The peer's model of a kind of resource."""
    package = "fhir.resources.R4B" if release == "r4b" else "fhir.resources"
    return pytest.importorskip(package).get_fhir_model_class(kind)


@pytest.mark.parametrize("release", RELEASES)
def test_every_example_is_listed(release: str) -> None:
    assert {path.stem for path in (EXAMPLES / release).iterdir()} == EXPECTED.keys()


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("name", EXPECTED)
def test_peer_finds_it_valid(release: str, name: str) -> None:
    record = example(release, name)
    assert model(release, record["resourceType"]).model_validate_json(json.dumps(record)).id == record["id"]


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("name", EXPECTED)
def test_examples_go_through(release: str, name: str) -> None:
    record, person = example(release, name), example(release, "patient")
    both = [record] if name == "patient" else [record, person]
    found = [lines(*both, ""), document(bundle(*both)), document(bundle(*both, kind="searchset", base=None))]
    for rows in found:
        codes = tuple(row.error.code if isinstance(row, RejectedRow) else None for row in rows)
        assert codes == EXPECTED[name], [str(row.error) for row in rows if isinstance(row, RejectedRow)]
        for row in rows:
            if isinstance(row, Row):
                assert row.holder.name == "Léonie Marie Testmann"
                assert row.holder.birth_date == "1974-12-25"
            else:
                assert "Testmann" not in str(row.error)


@pytest.mark.parametrize("name", ["immunization-covid", "observation-covid", "diagnosticreport-panel"])
def test_releases_say_the_same(name: str) -> None:
    ours = [lines(example(release, name), example(release, "patient"))[0] for release in RELEASES]
    assert ours[0] == ours[1]
    assert isinstance(ours[0], Row)
    assert isinstance(ours[0].event, Vaccination | TestResult)


def test_unknown_codes_are_named() -> None:
    row = lines(example("r4b", "immunization-cvx"), example("r4b", "patient"))[0]
    assert isinstance(row, RejectedRow)
    assert "cvx:150" in row.error.detail


def test_every_kind_of_the_peer_is_known() -> None:
    fhirtypes = pytest.importorskip("fhir.resources.fhirtypes")
    names = {name.removesuffix("Type") for name in vars(fhirtypes)}
    assert {"Patient", "Immunization", "Observation", "Encounter"} <= names & KINDS
    assert READ.keys() | LINKED | RECORDS <= KINDS
