"""The canonical form of credentials says what the published contexts make of a document."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from healthcert.encoding import jsonld
from healthcert.encoding.jsonld import CREDENTIALS_V1, SECURITY_V2, canonical
from healthcert.errors import Code, DecodeError, Step
from tests.support_divoc import DOCUMENT, TEST_DOCUMENT, TEST_V1, V1, V2, changed

CONTEXTS = (CREDENTIALS_V1, V1, V2, TEST_V1)
PROOF = {
    "@context": SECURITY_V2,
    "type": "RsaSignature2018",
    "created": "2021-03-03T04:28:46Z",
    "verificationMethod": "did:india",
    "proofPurpose": "assertionMethod",
}


def form(document: dict[str, Any], *, loose: bool = True, blank_nodes: int = 18) -> str:
    return canonical(document, contexts=CONTEXTS, blank_nodes=blank_nodes, loose=loose).decode()


def by_published_contexts(document: dict[str, Any], folder: Path) -> str:
    files = {
        CREDENTIALS_V1: "W32018CredentialsV1.json",
        SECURITY_V2: "security-v2.jsonld",
        "https://w3id.org/security/v1": "security-v1.jsonld",
        V1: "DIVOCVaccinationContextV1.json",
        V2: "DIVOCVaccinationContextV2.json",
    }

    def load(url: str, options: Any = None) -> dict[str, Any]:
        return {"document": json.loads((folder / files[url]).read_text()), "documentUrl": url, "contextUrl": None}

    options = {"algorithm": "URDNA2015", "format": "application/n-quads", "documentLoader": load}
    found: str = import_module("pyld.jsonld").normalize(document, options)
    return found


@pytest.mark.parametrize("context", [V1, V2])
def test_our_contexts_say_what_the_published_ones_do(context: str, interop: Path) -> None:
    document = changed(DOCUMENT, "credentialSubject", "id", value="did:example:1") | {
        "@context": [CREDENTIALS_V1, context],
        "id": "https://health.example/1",
        "expirationDate": "2022-06-12T00:00:00Z",
        "validUntil": "2022-06-12T00:00:00Z",
        "holder": "did:example:2",
        "termsOfUse": {"type": "Person", "name": "x"},
    }
    assert form(document) == by_published_contexts(document, interop / "divoc/jsonld-contexts")
    assert form(document, loose=False) == form(document)


@pytest.mark.parametrize("suite", ["RsaSignature2018", "Ed25519Signature2018"])
def test_proof_options_mean_what_the_published_context_says(suite: str, interop: Path) -> None:
    options = PROOF | {"type": suite}
    ours = canonical(options, contexts=(SECURITY_V2,), blank_nodes=1).decode()
    assert ours == by_published_contexts(options, interop / "divoc/jsonld-contexts")
    assert ours.count("\n") == 4


@pytest.mark.parametrize("url", sorted(jsonld._FILES))
def test_every_context_is_part_of_the_project_and_says_where_it_is_from(url: str) -> None:
    assert {"id", "type"} <= jsonld.terms(url).keys() or "type" not in jsonld.terms(url)
    name, _ = jsonld._FILES[url]
    file = Path(str(import_module("healthcert.data").__file__)).parent / f"contexts/{name}.json"
    assert "written down for this project" in json.loads(file.read_text())["provenance"]


def test_contexts_for_one_purpose_are_not_for_another() -> None:
    with pytest.raises(DecodeError) as caught:
        canonical(DOCUMENT, contexts=(CREDENTIALS_V1, V1), blank_nodes=18)
    assert (caught.value.code, caught.value.step) == (Code.CANONICALIZATION_FAILED, Step.DECODE)


def test_an_identifier_with_a_space_stands_as_it_is() -> None:
    """As the libraries of the time wrote it; today's leave out all that is said of such a person."""
    person = [line for line in form(DOCUMENT).splitlines() if line.startswith("<did:Identity Card:****1234> ")]
    assert len(person) == 9
    assert "stand-in" not in form(DOCUMENT)
    assert "Asha" not in form(DOCUMENT, loose=False)


def test_only_the_space_is_let_through() -> None:
    for sign in '\n\t<>"{}|^`\\':
        with pytest.raises(DecodeError):
            form(changed(DOCUMENT, "credentialSubject", "id", value=f"did:a b{sign}c"))


def test_the_order_of_identifiers_with_a_space_is_that_of_the_form() -> None:
    lines = form(DOCUMENT).splitlines()
    assert lines == sorted(lines)


def test_what_is_said_of_a_relative_identifier_is_left_out() -> None:
    """So it was, and what is not signed must be seen to by those who read it."""
    document = changed(DOCUMENT, "credentialSubject", "id", value="962433308V")
    assert "Asha" not in form(document)
    assert "credentialSubject>" not in form(document)
    assert "no-base" not in form(document)
    with pytest.raises(DecodeError, match="no IRI"):
        form(document, loose=False)


def test_nodes_that_are_alike_are_compared_within_a_bound() -> None:
    nodes = [{"type": "Vaccination", "facility": [{} for _ in range(8)]} for _ in range(2)]
    with pytest.raises(DecodeError, match="alike"):
        form(DOCUMENT | {"evidence": nodes}, blank_nodes=100)


def test_test_certificates_have_a_form() -> None:
    found = form(TEST_DOCUMENT)
    assert '<https://schema.org/dateTime> "2021-08-19T19:21:19.646Z"' in found
    assert (
        "<https://health.example/test/204604148> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <vac:TestDetails>"
        in found
    )
