"""Files and references: NDJSON, Bundles, who refers to whom, and what leads nowhere."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from msgspec.structs import replace

from healthcert.errors import Code, IssueError
from healthcert.intake.fhir import read_fhir
from healthcert.intake.reading import RejectedRow, Row
from healthcert.intake.records import IntakeOptions
from healthcert.limits import DEFAULT_LIMITS, Limits
from tests.unit.intake.fhir.make import (
    Json,
    bundle,
    document,
    immunization,
    lines,
    ndjson,
    observation,
    only_rejected,
    only_row,
    organization,
    patient,
    read,
    report,
    specimen,
    to,
)

KINDS = ("collection", "searchset", "transaction", "batch", "message")


def told(rows: list[Row | RejectedRow]) -> list[tuple[int, str]]:
    return [(row.number, row.error.code if isinstance(row, RejectedRow) else row.holder.name) for row in rows]


def person(number: int) -> Json:
    return patient(id=f"p{number}", name=[{"use": "official", "family": f"N{number}", "given": ["Zoé"]}])


def test_lines_in_any_order() -> None:
    doses = [immunization(id=f"i{n}", patient=to(f"Patient/p{n}")) for n in range(3)]
    persons = [person(n) for n in range(3)]
    assert told(lines(*doses, *reversed(persons))) == [(n + 1, f"Zoé N{n}") for n in range(3)]
    assert told(lines(*persons, "", *doses)) == [(n + 5, f"Zoé N{n}") for n in range(3)]
    assert told(read(ndjson(*doses, *persons).replace(b"\n", b"\r\n"))) == told(lines(*doses, *persons))
    assert told(read(b"\xef\xbb\xbf" + ndjson(*doses, *persons))) == told(lines(*doses, *persons))
    assert told(read(ndjson(*doses, *persons).rstrip())) == told(lines(*doses, *persons))


def test_a_file_that_can_be_read_once() -> None:
    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

    data = ndjson(immunization(), patient())
    assert told(list(read_fhir(Pipe(data), IntakeOptions()))) == told(read(data))
    small = IntakeOptions(limits=Limits(bundle_bytes=len(data) - 1))
    with pytest.raises(IssueError) as caught:
        read_fhir(Pipe(data), small)
    assert caught.value.code is Code.INPUT_TOO_LONG


def test_a_broken_line_takes_no_other_with_it() -> None:
    broken = [
        '{"resourceType":"Immunization"',
        "[]",
        "null",
        '"x"',
        "{}",
        "\x00",
        '{"resourceType":"Vaccination"}',
        "{" * 999,
    ]
    rows = lines(*broken, immunization(), "", patient(), b'{"resourceType":"Patient","id":"\xff"}')
    assert [row.number for row in rows] == [*range(1, len(broken) + 2), len(broken) + 4]
    assert [isinstance(row, Row) for row in rows] == [number == len(broken) + 1 for number in [r.number for r in rows]]


@pytest.mark.parametrize(
    "line",
    [
        '{"resourceType":"Immunization","status":"not-done","status":"completed"}',
        '{"resourceType":"Immunization","resourceType":"Patient"}',
        '{"resourceType":"Patient","resourceType":"Immunization"}',
        '{"resourceType":"Patient","\\u0072esourceType":"Encounter"}',
        '{"resourceType":"Observation","code":{"coding":[{"code":"1","code":"2"}]}}',
        '{"resourceType":"Immunization","x":NaN}',
        '{"resourceType":"Immunization","x":1e400}',
        '{"resourceType":"Immunization","x":"\\ud800"}',
        '{"resourceType":"Immunization"} {}',
        '{"resourceType":"Immunization","x":%s}' % ("9" * 5000),
    ],
)
def test_what_has_several_readings(line: str) -> None:
    rejected = only_rejected(lines(line, patient()))
    assert rejected.error.code is Code.RECORD_UNREADABLE


def test_names_written_with_escapes() -> None:
    hidden = json.dumps(immunization(modifierExtension=[{}])).replace("modifierE", "modifier\\u0045")
    assert only_rejected(lines(hidden, patient())).error.code is Code.RECORD_NOT_SUPPORTED


def test_a_person_told_twice() -> None:
    assert told(lines(patient(), immunization(), patient())) == [(2, "Zoé Anaïs Müller-Lüdenscheidt")]
    rejected = only_rejected(lines(patient(), immunization(), patient(birthDate="1970-01-01")))
    assert rejected.error.code is Code.HOLDER_UNKNOWN
    broken = lines(immunization(), patient(birthDate=7))
    assert only_rejected(broken).error.code is Code.RECORD_UNREADABLE


@pytest.mark.parametrize(
    "reference",
    [
        "Patient/p2",
        "Patient/../Patient/p1",
        "Patient/p1/",
        "/Patient/p1",
        "patient/p1",
        "Organization/p1",
        "http://example.org/fhir/Patient/p1",
        "https://evil.example/Patient/p1",
        "file:///etc/passwd",
        "Patient?identifier=p1",
        "#p1",
        "#",
        "",
        "urn:uuid:7d1b1e3e-6d5f-4a0d-9d43-5d2d3a3f5a3b",
        "Patient/p1/_history/2",
        "Patient/p1\n",
        "Patient/" + "p" * 65,
    ],
)
def test_references_that_lead_nowhere(reference: str) -> None:
    dose = immunization(patient=to(reference))
    assert only_rejected(lines(dose, patient(meta={"versionId": "1"}))).error.code is Code.HOLDER_UNKNOWN


def test_a_version_that_is_there() -> None:
    dose = immunization(patient=to("Patient/p1/_history/1"))
    assert only_row(lines(dose, patient(meta={"versionId": "1"}))).number == 1
    assert only_row(lines(dose, patient())).number == 1


@pytest.mark.parametrize("kind", KINDS)
def test_bundles(kind: str) -> None:
    whole = bundle(patient(), organization(), immunization(), observation(), report(), kind=kind)
    name = "Zoé Anaïs Müller-Lüdenscheidt"
    assert told(document(whole)) == [(3, name), (5, name)]
    assert told(read(json.dumps(whole).encode())) == [(3, name), (5, name)]
    assert told(lines(whole, whole)) == [(1, name), (1, name), (2, name), (2, name)]


def test_documents_must_be_final() -> None:
    composition = {"resourceType": "Composition", "id": "c1", "status": "final"}
    parts = patient(), immunization()
    assert only_row(document(bundle(composition, *parts, kind="document"))).number == 3
    for status in ("preliminary", "entered-in-error", None):
        found = document(
            bundle(
                composition | {"status": status} if status else {"resourceType": "Composition"}, *parts, kind="document"
            )
        )
        assert only_rejected(found).error.code is Code.RECORD_NOT_FINAL
    assert only_rejected(document(bundle(*parts, kind="document"))).error.code is Code.RECORD_NOT_SUPPORTED


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "history"},
        {"type": "transaction-response"},
        {"type": None},
        {"implicitRules": "x"},
        {"meta": {"security": [{"code": "HTEST"}]}},
        {"link": [{"modifierExtension": []}]},
    ],
)
def test_bundles_that_are_not_read(changes: dict[str, Any]) -> None:
    whole = bundle(patient(), immunization()) | changes
    for rows in (document(whole), lines(whole, "", whole)[:1]):
        assert only_rejected(rows).error.code is Code.RECORD_NOT_SUPPORTED
        assert rows[0].number == 1


def test_entries_by_their_address() -> None:
    one, other = "urn:uuid:11111111-1111-4111-8111-111111111111", "urn:uuid:22222222-2222-4222-8222-222222222222"
    entries = [
        {"fullUrl": one, "resource": person(1) | {"id": "x"}},
        {"fullUrl": other, "resource": person(2) | {"id": "x"}},
        {"resource": immunization(patient=to(other))},
        {"resource": immunization(id="i2", patient=to("Patient/x"))},
    ]
    found = document({"resourceType": "Bundle", "type": "transaction", "entry": entries})
    assert told(found) == [(3, "Zoé N2"), (4, Code.HOLDER_UNKNOWN)]


def test_the_same_id_on_another_server_is_another_person() -> None:
    def entry(base: str, resource: Json) -> Json:
        return {"fullUrl": f"{base}/{resource['resourceType']}/{resource['id']}", "resource": resource}

    here, there = "https://a.example/fhir", "https://b.example/fhir"
    found = bundle() | {"entry": [entry(there, patient()), entry(here, immunization())]}
    assert told(document(found)) == [(2, Code.HOLDER_UNKNOWN)]
    found["entry"].append(entry(here, person(1)))
    assert told(document(found)) == [(2, "Zoé N1")]
    found["entry"][1]["resource"]["patient"] = to(f"{there}/Patient/p1")
    assert told(document(found)) == [(2, "Zoé Anaïs Müller-Lüdenscheidt")]


def test_entries_that_are_not_records() -> None:
    whole = bundle(patient(), immunization(), {"resourceType": "OperationOutcome"}, {"resourceType": "Encounter"})
    whole["entry"] += [{"request": {"method": "DELETE", "url": "Patient/7"}}, {"response": {"status": "201"}}]
    assert told(document(whole)) == [(2, "Zoé Anaïs Müller-Lüdenscheidt")]
    whole["entry"][1]["request"] = {"method": "DELETE"}
    assert told(document(whole)) == [(2, Code.RECORD_NOT_SUPPORTED)]
    nested = bundle(patient(), bundle(immunization()))
    assert told(document(nested)) == [(2, Code.RECORD_NOT_SUPPORTED)]


@pytest.mark.parametrize(
    "frame",
    [
        '{"resourceType":"Bundle","type":"history","type":"collection","entry":[{"resource":%s},{"resource":%s}]}',
        '{"resourceType":"Bundle","type":"collection","entry":[],"entry":[{"resource":%s},{"resource":%s}]}',
        '{"resourceType":"Bundle","type":"collection","entry":[{"resource":%s},{"resource":{},"resource":%s}]}',
        '{"resourceType":"Bundle","type":"collection","entry":[{"resource":%s},{"fullUrl":"a","fullUrl":"b","resource":%s}]}',
        '{"resourceType":"Bundle","type":"collection","entry":[{"resource":%s},{"resource":%s}],"x":1e999}',
        '{"resourceType":"Bundle","type":"collection","entry":[{"resource":%s},{"resource":%s}]',
        '{"resourceType":"Bundle","type":"collection","entry":[{"resource":%s},7,{"resource":%s}]}',
    ],
)
def test_bundles_with_several_readings(frame: str) -> None:
    text = frame % (json.dumps(patient()), json.dumps(immunization()))
    with pytest.raises(IssueError) as caught:
        read(text.encode())
    assert caught.value.code is Code.RECORD_UNREADABLE
    assert told(lines(text, immunization(), patient()))[0] == (1, Code.RECORD_UNREADABLE)


def test_a_broken_entry_takes_no_other_with_it() -> None:
    whole = bundle(patient(), immunization(), immunization(), immunization())
    text = json.dumps(whole).replace('"status": "completed"', '"status": "not-done", "status": "completed"', 1)
    assert told(read(text.encode()))[0] == (2, Code.RECORD_UNREADABLE)
    assert len(read(text.encode())) == 3


@pytest.mark.parametrize("data", [b"[]", b"not json", b"\xff\xfe{\x00}\x00", b"PK\x03\x04", b'{"resourceType":', b"1"])
def test_files_that_are_nothing_of_this(data: bytes) -> None:
    with pytest.raises(IssueError) as caught:
        read(data)
    assert caught.value.code is Code.RECORD_UNREADABLE


def test_an_empty_file_has_no_records() -> None:
    assert read(b"") == []
    assert read(b"\n \n") == []


def test_limits() -> None:
    data = ndjson(immunization(), patient())
    longest = max(map(len, data.splitlines()))
    assert told(read(data, Limits(resource_bytes=longest)))[0][1].startswith("Zoé")
    assert told(read(data, Limits(resource_bytes=longest - 1)))[0][1] == Code.INPUT_TOO_LONG
    long = ndjson(immunization(), patient(), b" " * 5000, immunization())
    assert told(read(long, Limits(bundle_bytes=4999)))[1] == (3, Code.INPUT_TOO_LONG)
    assert len(read(long, Limits(bundle_bytes=4999))) == 3
    assert len(read(long, Limits(bundle_bytes=5000))) == 2
    whole = json.dumps(bundle(immunization(), patient()), indent=1).encode()
    assert len(read(whole, Limits(bundle_bytes=len(whole)))) == 1
    with pytest.raises(IssueError) as caught:
        read(whole, Limits(bundle_bytes=len(whole) - 1))
    assert caught.value.code is Code.INPUT_TOO_LONG


def test_limit_of_what_others_refer_to() -> None:
    data = ndjson(observation(specimen=to("Specimen/s1")), patient(), specimen())
    assert told(read(data, Limits(linked_resources=2)))[0][1].startswith("Zoé")
    assert told(read(data, Limits(linked_resources=1))) == [(1, Code.INPUT_TOO_LONG)]
    results = [to("Observation/o1"), to("Observation/o2")]
    owned = ndjson(report(result=results), report(id="d2", result=results))
    assert len(read(owned, Limits(linked_resources=2))) == 4
    with pytest.raises(IssueError) as caught:
        read(owned, Limits(linked_resources=1))
    assert caught.value.code is Code.INPUT_TOO_LONG


def test_limit_of_results() -> None:
    limits = replace(DEFAULT_LIMITS, report_results=1)
    one, two = report(), report(result=[to("Observation/o1")] * 2)
    assert isinstance(read(ndjson(one, observation(), patient()), limits)[0], Row)
    rejected = read(ndjson(two, observation(), patient()), limits)[0]
    assert isinstance(rejected, RejectedRow)
    assert rejected.error.code is Code.INPUT_TOO_LONG


def test_many_entries() -> None:
    entries = ",".join(['{"resource":{"resourceType":"Patient"}}'] * 100_000)
    text = f'{{"resourceType":"Bundle","type":"collection","entry":[{entries}]}}'
    assert read(text.encode()) == []


def test_limit_of_entries() -> None:
    def of(count: int) -> bytes:
        return ('{"resourceType":"Bundle","type":"collection","entry":[' + ",".join(["{}"] * count) + "]}").encode()

    limits = Limits(bundle_entries=1000)
    assert read(of(1000), limits) == []
    with pytest.raises(IssueError) as caught:
        read(of(1001), limits)
    assert caught.value.code is Code.INPUT_TOO_LONG
    assert told(read(of(1001) + b"\n" + ndjson(immunization(), patient()), limits))[0] == (1, Code.INPUT_TOO_LONG)


@pytest.mark.parametrize("later", ["positive", "entered-in-error"])
@pytest.mark.parametrize("turned", [False, True])
def test_records_of_one_id_are_none_of_them_certified(later: str, turned: bool) -> None:
    """One may be the correction of the other, or withdraw it; the order of a file says nothing."""
    first = observation()
    second = (
        observation(status="entered-in-error")
        if later == "entered-in-error"
        else observation(issued="2021-07-15T10:00:00Z")
    )
    two = [second, first] if turned else [first, second]
    lines = read(ndjson(patient(), *two))
    assert told(lines) == [(2, Code.RECORD_UNREADABLE), (3, Code.RECORD_UNREADABLE)]
    entries = document(bundle(patient(), *two))
    assert told(entries) == [(2, Code.RECORD_UNREADABLE), (3, Code.RECORD_UNREADABLE)]


@pytest.mark.parametrize("server", ["http://s.example/fhir/", "https://other.example/"])
def test_a_result_of_a_withdrawn_report_is_not_read_alone_whatever_server_it_names(server: str) -> None:
    withdrawn = report(status="entered-in-error", result=[to(f"{server}Observation/o1")])
    assert told(read(ndjson(patient(), observation(), withdrawn))) == [(3, Code.RECORD_NOT_FINAL)]
    assert told(document(bundle(patient(), observation(), withdrawn))) == [(3, Code.RECORD_NOT_FINAL)]
