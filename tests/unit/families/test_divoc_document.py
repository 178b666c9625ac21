"""What a proof covers of a DIVOC document, and that nothing else of it is read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from healthcert.errors import Code, DecodeError, Step
from healthcert.families.divoc.document import ENTRIES, proof_options, signed_part
from healthcert.families.divoc.family import DIVOC
from healthcert.families.divoc.proof import signing_input
from healthcert.limits import DEFAULT_LIMITS
from tests.support_divoc import (
    CREDENTIALS,
    DOCUMENT,
    TEST_DOCUMENT,
    TEST_V1,
    V1,
    V2,
    changed,
    signed,
    text,
)

OPTIONS = proof_options(signed()["proof"])
PERSON, ENTRY = ("credentialSubject",), ("evidence", 0)
VERIFIER, FACILITY = (*ENTRY, "verifier"), (*ENTRY, "facility")
PLACES = [(), PERSON, (*PERSON, "address"), ENTRY, VERIFIER, FACILITY, (*FACILITY, "address")]


def form(document: Mapping[str, Any]) -> bytes:
    return signing_input(document, OPTIONS, "")


def refused(document: Any) -> str:
    with pytest.raises(DecodeError) as caught:
        signed_part(document)
    assert (caught.value.code, caught.value.step) == (Code.CANONICALIZATION_FAILED, Step.DECODE)
    return caught.value.detail


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every value that is no object, and the types."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, one in inner:
        yield from leaves(one, (*path, step))
    if not isinstance(value, (dict, list)):
        yield path


def read_again(part: Any) -> Any:
    """Everything that :func:`signed_part` lets be read."""
    return part.person, part.entries, part.issuer, part.issued, part.expires, part.test


@pytest.mark.parametrize("document", [DOCUMENT, TEST_DOCUMENT], ids=["vaccination", "test"])
def test_everything_that_is_read_is_signed(document: dict[str, Any]) -> None:
    document = document | {"expirationDate": "2022-06-12T00:00:00Z", "id": "https://health.example/1"}
    before = form(document)
    paths = [path for path in leaves(document) if path[0] != "@context" and "type" not in path]
    assert len(paths) > 35
    for path in paths:
        value = "https://other.example/" if path[-1] in ("id", "issuer") else "other"
        assert form(changed(document, *path, value=value)) != before, path
        without = changed(document, *path, value=...)
        if path[-1] != "issuer":
            signed_part(without)
        assert form(without) != before, path


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", ["programId", "Batch", "dob ", "é", ""])
def test_a_member_that_no_context_knows_is_not_signed_and_not_read(place: tuple[Any, ...], name: str) -> None:
    """Anybody can add one to a certificate, and its signature holds."""
    document = changed(DOCUMENT, *place, name, value={"dose": 2, "name": "Mallory"})
    assert form(document) == form(DOCUMENT)
    part = signed_part(document)
    assert read_again(part) == read_again(signed_part(DOCUMENT))
    (finding,) = part.findings
    assert (finding.code, finding.step) == (Code.FIELD_UNEXPECTED, Step.DECODE)
    assert "Mallory" not in finding.detail
    if name.strip():
        assert name not in finding.detail


def test_members_of_a_later_context_are_not_read_under_an_earlier_one() -> None:
    """The first context of vaccinations knows no date of birth: it was not signed, whatever the issuer meant."""
    document = changed(DOCUMENT, "@context", value=[CREDENTIALS, V1])
    part = signed_part(document)
    assert "dob" not in part.person
    assert not {"icd11Code", "prophylaxis"} & part.entries[0].keys()
    assert {one.code for one in part.findings} == {Code.FIELD_UNEXPECTED}


@pytest.mark.parametrize("place", PLACES)
def test_null_is_signed_as_little_as_nothing(place: tuple[Any, ...]) -> None:
    name = "expirationDate" if not place else "city" if "address" in place else "batch" if place == ENTRY else "name"
    document = changed(DOCUMENT, *place, name, value=None)
    without = changed(document, *place, name, value=...)
    assert form(document) == form(without)
    part = signed_part(document)
    assert [one.code for one in part.findings] == [Code.NULL_FIELD]
    assert read_again(part) == read_again(signed_part(without))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        # A prefix and an IRI state what a term does, somewhere else.
        ((*ENTRY, "schema:doseValue"), 1),
        ((*ENTRY, "https://schema.org/doseValue"), 1),
        ((*ENTRY, "vac:verifier"), {}),
        ((*PERSON, "schema:name"), "Mallory"),
        ((*PERSON, "@id"), "did:example:2"),
        ((*PERSON, "@context"), {}),
        (("@graph",), []),
        (("@reverse",), {}),
        # Terms that a context knows, where DIVOC has none.
        (("holder",), "did:example:2"),
        (("credentialStatus",), "https://example.org/"),
        (("termsOfUse",), "https://example.org/"),
        (("validUntil",), "2022-06-12T00:00:00Z"),
        (("cred",), "x"),
        (("schema",), "x"),
        (("Person",), {}),
        (("Vaccination",), "x"),
        ((*PERSON, "proof"), {}),
        ((*PERSON, "vac"), "x"),
        ((*ENTRY, "Person"), {"name": "Mallory"}),
        ((*ENTRY, "proof"), {"dose": 2}),
        ((*VERIFIER, "type"), "Person"),
        ((*FACILITY, "type"), "Vaccination"),
        ((*FACILITY, "address", "name"), "x"),
        ((*FACILITY, "address", "address"), {}),
        ((*FACILITY, "address", "seal-image"), "x"),
        ((*FACILITY, "address", "id"), "https://health.example/"),
        ((*PERSON, "address", "id"), "https://health.example/"),
    ],
)
def test_a_statement_out_of_its_place_is_refused(path: tuple[Any, ...], value: Any) -> None:
    assert "where there is none" in refused(changed(DOCUMENT, *path, value=value))


def test_what_was_stated_cannot_be_stated_elsewhere() -> None:
    """One dose of two, shown as two of two: the form is the same, and so is the signature."""
    forged = changed(changed(DOCUMENT, *ENTRY, "dose", value=2), *ENTRY, "schema:doseValue", value=1)
    assert form(forged) == form(DOCUMENT)
    refused(forged)
    entry = DOCUMENT["evidence"][0]
    apart = [
        entry | {"dose": 2, "totalDoses": 2},
        {"id": entry["id"], "type": ["Vaccination"], "dose": 1},
    ]
    forged = DOCUMENT | {"evidence": apart}
    assert form(forged) == form(DOCUMENT)
    assert "identifier of something else" in refused(forged)
    forged = changed(DOCUMENT, *ENTRY, "dose", value=[2, 1])
    forged = changed(forged, *ENTRY, "totalDoses", value=2)
    assert form(forged) == form(DOCUMENT)
    refused(forged)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ((*ENTRY, "dose"), 1.0),
        ((*ENTRY, "dose"), True),
        ((*ENTRY, "dose"), [1]),
        ((*ENTRY, "batch"), {}),
        ((*ENTRY, "batch"), ["a", "b"]),
        ((*ENTRY, "verifier"), "did:example:3"),
        ((*ENTRY, "facility"), [{}]),
        ((*FACILITY, "address"), "https://health.example/"),
        ((*PERSON, "name"), {"name": "x"}),
        ((*PERSON, "address"), []),
        (PERSON, [DOCUMENT["credentialSubject"]]),
        (PERSON, "did:example:1"),
        (PERSON, None),
        (("evidence",), {}),
        (("evidence",), "https://health.example/"),
        (("evidence",), ["https://health.example/"]),
        (("evidence",), [[DOCUMENT["evidence"][0]]]),
        (("evidence",), [{"type": "Vaccination"}] * (ENTRIES + 1)),
        (("issuer",), {"id": "https://health.example/"}),
        (("issuer",), "health.example"),
        (("issuer",), "https://health example/"),
        (("issuer",), "schema:x"),
        (("issuer",), None),
        (("issuanceDate",), 1),
        (("issuanceDate",), ["2021-06-12T04:28:46Z"]),
        (("expirationDate",), {}),
        (("nonTransferable",), 1),
        (("nonTransferable",), []),
        (("type",), "VerifiableCredential"),
        (("type",), ["VerifiableCredential", "VerifiableCredential"]),
        (("type",), ["VerifiableCredential", "ProofOfTestCertificateCredential"]),
        (("type",), ["VerifiableCredential", "ProofOfVaccinationCredential", "Person"]),
        (("type",), ["VerifiableCredential", ["ProofOfVaccinationCredential"]]),
        (("type",), {}),
        (("type",), None),
        ((*PERSON, "type"), "person"),
        ((*PERSON, "type"), ["Person", "Vaccination"]),
        ((*ENTRY, "type"), []),
        ((*ENTRY, "type"), "TestDetails"),
        ((*ENTRY, "type"), ["Vaccination", "vac:Vaccination"]),
        ((*PERSON, "id"), 7),
        ((*PERSON, "id"), "_:b0"),
        ((*PERSON, "id"), "did:a\nb"),
        ((*PERSON, "id"), "did:a\xa0b"),
        ((*PERSON, "id"), "did:a> <b"),
        ((*PERSON, "id"), "schema:name"),
        ((*PERSON, "id"), "x:"),
        ((*ENTRY, "id"), "92047670169"),
        ((*ENTRY, "id"), ""),
        ((*ENTRY, "id"), "https://health.example/vac cine"),
        ((*ENTRY, "id"), "did:Identity Card:****1234"),
        ((*FACILITY, "id"), "https://health.example/vaccine/92047670169"),
        (("id",), "https://health.example/vaccine/92047670169"),
        (("id",), "vac:x"),
    ],
)
def test_other_types_and_identifiers_are_refused(path: tuple[Any, ...], value: Any) -> None:
    refused(changed(DOCUMENT, *path, value=value))


@pytest.mark.parametrize(
    "contexts",
    [
        None,
        CREDENTIALS,
        [],
        [CREDENTIALS],
        [V1],
        [V1, CREDENTIALS],
        [CREDENTIALS, V1, V2],
        [CREDENTIALS, V1, {}],
        [CREDENTIALS, {"dose": "https://schema.org/totalDoses"}],
        [CREDENTIALS, "https://cowin.gov.in/credentials/vaccination/v3"],
        [CREDENTIALS, "https://w3id.org/security/v2"],
        [CREDENTIALS, CREDENTIALS],
        [[CREDENTIALS], V1],
    ],
)
def test_other_contexts_are_refused(contexts: Any) -> None:
    assert "contexts" in refused(DOCUMENT | {"@context": contexts})


@pytest.mark.parametrize("document", [None, [], "x", 1, {}, [DOCUMENT]])
def test_what_is_no_document_is_refused(document: Any) -> None:
    refused(document)


def test_the_number_of_values_is_bounded() -> None:
    size = sum(1 for _ in leaves(DOCUMENT)) + 20
    assert size < 100
    signed_part(DOCUMENT | {"x": list(range(400))})
    assert "512 values" in refused(DOCUMENT | {"x": list(range(512))})
    assert "512 values" in refused(DOCUMENT | {f"x{number}": number for number in range(512)})


def test_a_person_with_a_relative_identifier_is_not_covered() -> None:
    """Some countries had the number of an identity card there: whose certificate it is was never signed."""
    document = changed(DOCUMENT, *PERSON, "id", value="962433308V")
    assert not signed_part(document).covers_person
    assert form(document) == form(changed(document, *PERSON, "name", value="Mallory"))
    assert signed_part(DOCUMENT).covers_person
    assert signed_part(TEST_DOCUMENT).covers_person


@pytest.mark.parametrize("entries", range(1, ENTRIES + 1))
def test_entries_that_are_alike_have_a_form(entries: int) -> None:
    one = {"type": "Vaccination", "verifier": {}, "facility": {"address": {}}}
    document = DOCUMENT | {"evidence": [one] * entries}
    assert len(signed_part(document).entries) == entries
    assert form(document) != form(DOCUMENT | {"evidence": [one] * (entries - 1)})
    with pytest.raises(DecodeError, match="at most"):
        signed_part(DOCUMENT | {"evidence": [one] * (ENTRIES + 1)})


def test_one_that_was_verified_stays_so_with_a_member_more() -> None:
    decoded = DIVOC.decode(text(signed()), DEFAULT_LIMITS)
    more = DIVOC.decode(text(changed(signed(), *PERSON, "guardian", value="Mallory")), DEFAULT_LIMITS)
    assert (more.signed, more.signature) == (decoded.signed, decoded.signature)
    read, findings = DIVOC.parse(more, DIVOC.kinds)
    before, _ = DIVOC.parse(decoded, DIVOC.kinds)
    assert (read.holder, read.events) == (before.holder, before.events)
    assert findings == ()
    assert [one.code for one in more.findings] == [Code.FIELD_UNEXPECTED]


def test_a_test_certificate_knows_its_own_members() -> None:
    part = signed_part(TEST_DOCUMENT)
    assert part.test
    assert part.context == TEST_V1
    assert part.entries[0]["result"] == "Negative"
    assert part.findings == ()
