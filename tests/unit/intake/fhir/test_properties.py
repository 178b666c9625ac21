"""Whatever a file holds, rows and rejected rows come out of it, or one error for the file; and valid FHIR is read."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from healthcert.encoding import jsontext
from healthcert.errors import Code, DecodeError, HealthCertError, IssueError
from healthcert.intake.fhir import read_fhir
from healthcert.intake.fhir.parse import minified
from healthcert.intake.reading import RejectedRow, Row, Rows
from healthcert.intake.records import IntakeOptions
from healthcert.model import TestResult
from tests.unit.intake.fhir.make import (
    Json,
    bundle,
    device,
    immunization,
    immunization_r5,
    ndjson,
    observation,
    only_row,
    organization,
    patient,
    read,
    report,
    specimen,
    to,
)

SECRET = "Geheimnis"
RESOURCES: list[Json] = [
    patient(name=[{"use": "official", "family": SECRET, "given": [SECRET]}]),
    immunization(),
    immunization_r5(id="i2"),
    observation(specimen=to("Specimen/s1"), device=to("Device/v1")),
    observation(id="panel", valueCodeableConcept=None, hasMember=[to("Observation/o1")]),
    report(),
    organization(address=[{"country": "FR"}]),
    specimen(),
    device(),
]
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(
        ["Patient/p1", "#p1", "Observation/panel", "completed", "final", "2021-08-20", "http://loinc.org", "Bundle"]
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["coding", "code", "system", "reference", "value", "resourceType", "modifierExtension", "id"]),
        inner, max_size=3,
    ),
    max_leaves=8,
)  # fmt: skip


def paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, one in inner:
        found += paths(one, (*path, name))
    return found


def changed(resource: Json, path: tuple[Any, ...], value: Any) -> Json:
    copy: Json = json.loads(json.dumps(resource))
    target: Any = copy
    for step in path[:-1]:
        target = target[step]
    target[path[-1]] = value
    return copy


@st.composite
def damaged(draw: st.DrawFn) -> list[Json]:
    """The resources, with something else in place of one or two of their members."""
    found = list(RESOURCES)
    for _ in range(draw(st.integers(1, 2))):
        number = draw(st.integers(0, len(found) - 1))
        path = draw(st.sampled_from(paths(found[number]))) if paths(found[number]) else ()
        if path:
            found[number] = changed(found[number], path, draw(values))
    return draw(st.permutations(found))


def opened(data: bytes) -> Rows | IssueError:
    try:
        return read_fhir(io.BytesIO(data), IntakeOptions())
    except IssueError as error:
        return error


def outcome(data: bytes) -> list[Row | RejectedRow]:
    """What comes out. Nothing but an IssueError may be raised, and only before the first row."""
    rows = opened(data)
    if isinstance(rows, IssueError):
        assert rows.code in (Code.RECORD_UNREADABLE, Code.INPUT_TOO_LONG)
        assert SECRET not in str(rows)
        return []
    found = list(rows)
    for row in found:
        assert isinstance(row, Row | RejectedRow)
        assert row.number >= 1
        if isinstance(row, RejectedRow):
            assert isinstance(row.error, HealthCertError)
            assert SECRET not in str(row.error)
            assert len(row.error.detail) < 600
        assert SECRET not in repr(row)
    return found


@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    outcome(data)
    outcome(b'{"resourceType":"Immunization"' + data)
    outcome(ndjson(*RESOURCES) + data)


@settings(max_examples=100)
@given(damaged())
def test_damaged_records(resources: list[Json]) -> None:
    as_lines = outcome(ndjson(*resources))
    numbers = [row.number for row in as_lines]
    assert numbers == sorted(numbers)
    outcome(json.dumps(bundle(*[one for one in resources if "resourceType" in one])).encode())
    outcome(json.dumps(bundle() | {"entry": [{"resource": one} for one in resources]}, indent=1).encode())


@settings(max_examples=60)
@given(st.data())
def test_cut_and_changed_bytes(data: st.DataObject) -> None:
    whole = data.draw(st.sampled_from([ndjson(*RESOURCES), json.dumps(bundle(*RESOURCES)).encode()]))
    at = data.draw(st.integers(0, len(whole)))
    outcome(whole[:at])
    outcome(whole[:at] + data.draw(st.binary(max_size=4)) + whole[at + 1 :])


@given(st.permutations(range(len(RESOURCES))))
def test_the_order_of_the_lines_changes_the_numbers_alone(order: list[int]) -> None:
    known = [(row.number - 1, row.holder, row.event) for row in outcome(ndjson(*RESOURCES)) if isinstance(row, Row)]
    assert [number for number, _, _ in known] == [1, 2, 4, 5]
    found = outcome(ndjson(*[RESOURCES[number] for number in order]))
    rows = [(order[row.number - 1], row.holder, row.event) for row in found if isinstance(row, Row)]
    assert sorted(rows, key=lambda row: row[0]) == known
    assert len(found) == len(rows)


@given(st.text() | st.binary() | values.map(lambda one: json.dumps(one, indent=2)))
def test_white_space_changes_no_reading(text: str | bytes) -> None:
    octets = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")

    def read_json(data: bytes) -> Any:
        try:
            return [jsontext.read(data, max_depth=32)]
        except DecodeError:
            return None

    assert read_json(minified(octets)) == read_json(octets)


moments = st.datetimes(datetime(1950, 1, 1), datetime(2100, 1, 1)).flatmap(  # noqa: DTZ001
    lambda moment: st.integers(-14 * 60, 14 * 60).map(
        lambda minutes: moment.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    )
)


@given(moments, st.sampled_from(["final", "amended", "corrected"]), st.text(min_size=1).map(str.strip).filter(bool))
def test_what_is_valid_is_read(moment: datetime, status: str, family: str) -> None:
    observations = pytest.importorskip("fhir.resources.R4B.observation")
    patients = pytest.importorskip("fhir.resources.R4B.patient")
    record = observation(status=status, effectiveDateTime=moment.isoformat())
    person = patient(name=[{"use": "official", "family": family}])
    observations.Observation.model_validate_json(json.dumps(record))
    if family.isprintable():  # the peer is stricter about the rest than the standard
        patients.Patient.model_validate_json(json.dumps(person))
    row = only_row(read(ndjson(record, person)))
    assert isinstance(row.event, TestResult)
    assert row.event.sampled_at == moment
    assert row.holder.family_name == family
    zulu = observation(effectiveDateTime=moment.astimezone(UTC).isoformat().replace("+00:00", "Z"))
    again = only_row(read(ndjson(zulu, person))).event
    assert isinstance(again, TestResult)
    assert again.sampled_at == moment


@pytest.mark.parametrize(("package", "dose"), [("R4B.", immunization()), ("", immunization_r5())])
def test_what_these_tests_call_valid_is_so_for_the_peer(package: str, dose: Json) -> None:
    shared = [patient(), observation(), report(), organization(), specimen()]
    for one in (dose | {"primarySource": True}, *(shared if package else shared[:1])):
        module = pytest.importorskip(f"fhir.resources.{package}{one['resourceType'].lower()}")
        model = getattr(module, one["resourceType"])
        assert model.model_validate_json(msgspec.json.encode(one)).id == one["id"]
