"""The canonical form of JSON-LD says what the published contexts make of a document, and is never made of others."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from healthcert.encoding import jsonld
from healthcert.errors import Code, HealthCertError, TrustError
from healthcert.trust.jsonld import DID_V1, JWS_2020, TNG_CONTEXTS, canonical, canonical_in_pieces
from tests.support_did import DEV_CONTEXT, dsc, method, statement

DOCUMENT = statement([method(dsc()), "did:web:example.org:trustlist"])
LABELS = {"domain": {"code": "#DCC"}, "participant": {"code": "#FRA"}, "keyusage": {"code": "#DSC"}}
PROOF = {
    "@context": [DID_V1, JWS_2020],
    "type": "JsonWebSignature2020",
    "created": "2021-08-19T00:00:00Z",
    "expires": "2021-08-29T00:00:00Z",
    "nonce": "n",
    "challenge": "c",
    "domain": "d",
    "proofPurpose": "assertionMethod",
    "verificationMethod": "did:web:example.org",
}


def test_a_small_document_in_full() -> None:
    document = {"@context": [DID_V1], "id": "did:web:b.org", "controller": ["did:web:c.org", "did:web:a.org"]}
    assert canonical(document).decode().splitlines() == [
        "<did:web:b.org> <https://w3id.org/security#controller> <did:web:a.org> .",
        "<did:web:b.org> <https://w3id.org/security#controller> <did:web:c.org> .",
    ]


def test_the_order_of_members_and_unknown_ones_do_not_matter() -> None:
    """Which is why nothing may be read of a document that is not in this form."""
    other = dict(reversed(DOCUMENT.items())) | {"surplus": {"a": 1}}
    assert canonical(other) == canonical(DOCUMENT)


def test_every_member_of_a_key_is_in_the_form() -> None:
    changed = json.loads(json.dumps(DOCUMENT))
    changed["verificationMethod"][0]["publicKeyJwk"]["x5c"].append("AAAA")
    assert canonical(changed) != canonical(DOCUMENT)


def bundled(name: str) -> Path:
    """A context as the library itself has it."""
    return Path(str(import_module("pyld").__file__)).parent / "documentloader/frozen/bundled" / name


def by_published_contexts(document: dict[str, Any], contexts: dict[str, Path]) -> bytes:
    def load(url: str, options: Any = None) -> dict[str, Any]:
        return {"document": json.loads(contexts[url].read_text()), "documentUrl": url, "contextUrl": None}

    options = {"algorithm": "URDNA2015", "format": "application/n-quads", "documentLoader": load}
    form: str = import_module("pyld.jsonld").normalize(document, options)
    return form.encode()


@pytest.mark.parametrize(
    "document", [DOCUMENT, PROOF, DOCUMENT | {"assertionMethod": "did:web:x.org"}], ids=["document", "proof", "more"]
)
def test_our_contexts_say_what_the_published_ones_do(document: dict[str, Any], interop: Path) -> None:
    published = interop / "divoc/jsonld-contexts"
    contexts = {DID_V1: bundled("did-v1.jsonld"), JWS_2020: published / "suites-jws-2020.jsonld"}
    assert canonical(document) == by_published_contexts(document, contexts)
    contexts[JWS_2020] = bundled("security-jws-2020-v1.jsonld")
    assert canonical(document) == by_published_contexts(document, contexts)


@pytest.mark.parametrize("url", TNG_CONTEXTS)
def test_whos_contexts_say_what_the_published_ones_do(url: str, interop: Path) -> None:
    document = statement([method(dsc()) | LABELS]) | {"@context": [DID_V1, JWS_2020, url]}
    contexts = {
        DID_V1: bundled("did-v1.jsonld"),
        JWS_2020: interop / "divoc/jsonld-contexts/suites-jws-2020.jsonld",
        url: interop / "gdhcn/smart-trust/tng-context" / url.rpartition("/")[2],
    }
    assert canonical(document) == by_published_contexts(document, contexts)
    assert f"ValueSet-Domains{TNG_CONTEXTS[url]}.jsonld#DCC>".encode() in canonical(document)


def test_proof_options_mean_the_same_under_the_security_context(interop: Path) -> None:
    """The library of WHO's service reads them under https://w3id.org/security/v3."""
    url = "https://w3id.org/security/v3"
    contexts = {url: interop / "divoc/jsonld-contexts/security-v3-unstable.jsonld"}
    assert canonical(PROOF) == by_published_contexts(PROOF | {"@context": url}, contexts)


def refused(document: dict[str, Any]) -> str:
    with pytest.raises(TrustError) as caught:
        canonical(document)
    assert caught.value.code is Code.TRUST_LIST_UNREADABLE
    return caught.value.detail


@pytest.mark.parametrize(
    "contexts",
    [
        None,
        [],
        "https://example.org/context",
        [DID_V1, "https://example.org/context"],
        [DID_V1, {"verificationMethod": None}],
        {"id": "@id"},
        [None],
        [[DID_V1]],
        "../../value_sets",
        [DID_V1, JWS_2020, DID_V1],
        [DID_V1, JWS_2020, *TNG_CONTEXTS],
        [DID_V1, "https://w3id.org/security/v2"],
    ],
)
def test_other_contexts_are_refused_and_none_is_fetched(contexts: Any) -> None:
    assert "context" in refused(DOCUMENT | {"@context": contexts})


@pytest.mark.parametrize(
    "change",
    [
        {"@graph": []},
        {"@id": "did:web:example.org"},
        {"@reverse": {}},
        {"controller": {"@id": "did:web:example.org"}},
        {"verificationMethod": [{"@context": {"x": "https://w3id.org/security#controller"}}]},
        {"verificationMethod": [{"@value": None, "publicKeyJwk": {}}]},
        {"verificationMethod": {"@set": []}},
        {"verificationMethod": [[[{"@included": []}]]]},
    ],
)
def test_keywords_are_refused_at_every_level(change: dict[str, Any]) -> None:
    assert refused(DOCUMENT | change) == "a keyword of JSON-LD in it"


def test_depth_is_bounded() -> None:
    deep: Any = "did:web:example.org"
    for _ in range(17):
        deep = {"controller": deep}
    assert "more than 16 levels" in refused(DOCUMENT | {"controller": deep})
    canonical(DOCUMENT | {"surplus": [[[[[[[[[[[[[[1]]]]]]]]]]]]]]})


def test_nodes_without_an_identifier_are_bounded() -> None:
    """Telling such nodes apart takes exponential time."""
    nodes = [{"controller": f"did:web:a{number}.org"} for number in range(4)]
    assert canonical(DOCUMENT | {"controller": nodes}).count(b"_:c14n") == 8
    assert "more nodes" in refused(DOCUMENT | {"controller": [*nodes, {"controller": "did:web:z.org"}]})


@pytest.mark.parametrize("number", [0, 1, 63, 64, 65, 150])
def test_a_long_document_is_the_sum_of_its_pieces(number: int) -> None:
    methods = [method(dsc(), id=f"did:web:a.org:{number * 7919 % 1000}") for number in range(number)]
    document = statement([*methods, *methods[:3]])
    assert canonical_in_pieces(document, "verificationMethod") == canonical(document)


def test_in_pieces_everything_has_an_identifier() -> None:
    with pytest.raises(TrustError, match="more nodes"):
        canonical_in_pieces(statement([{"controller": "did:web:a.org"}]), "verificationMethod")


@pytest.mark.parametrize("sign", ["><did:web:x", "<", '"', "\\", "\x00", "\x7f", "`", "|", "{", "^"])
def test_identifiers_cannot_hold_other_statements(sign: str) -> None:
    assert refused(DOCUMENT | {"controller": f"did:web:a{sign}b"}) == "an identifier that is no IRI"


@pytest.mark.parametrize("text", ["x", "#x", "/x", "//example.org/x", "../x", ""])
def test_relative_identifiers_are_refused(text: str) -> None:
    """Resolved against anything they would be the same as what is written out."""
    assert refused(DOCUMENT | {"controller": text}) == "an identifier that is no IRI"


@pytest.mark.parametrize("text", ["did:web:a b", "did:web:a> .\n<did:web:b", "did:web:a\t"])
def test_what_holds_white_space_is_not_in_the_form(text: str) -> None:
    """Which is why identifiers must be checked by those who read them."""
    assert canonical(DOCUMENT | {"controller": text}) == canonical(DOCUMENT | {"controller": []})


def test_what_others_loaded_under_a_name_is_not_used() -> None:
    library = import_module("pyld.jsonld")
    forged = {"@context": {"id": "@id", "controller": "https://example.org/forged"}}

    def load(url: str, options: Any = None) -> dict[str, Any]:
        return {"document": forged, "documentUrl": url, "contextUrl": None}

    assert "forged" in library.normalize(
        {"@context": DID_V1, "id": "did:web:a.org", "controller": "x"},
        {"algorithm": "URDNA2015", "format": "application/n-quads", "documentLoader": load},
    )
    assert b"forged" not in canonical(DOCUMENT)


@pytest.fixture
def without_extra(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setitem(sys.modules, "pyld.jsonld", None)
    jsonld._library.cache_clear()
    yield
    jsonld._library.cache_clear()


@pytest.mark.usefixtures("without_extra")
def test_without_the_extra_it_is_named() -> None:
    assert "pip install 'healthcert[gdhcn]'" in refused(DOCUMENT)


VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(st.characters(), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from((*DOCUMENT, *PROOF, "x:y", "")), inner),
    max_leaves=10,
)


@given(st.dictionaries(st.sampled_from((*DOCUMENT, *PROOF, *LABELS, "publicKeyJwk", "jws")), VALUES), st.booleans())
@settings(max_examples=75, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_other_exception_escapes(members: dict[str, Any], tng: bool) -> None:
    contexts = [DID_V1, JWS_2020, DEV_CONTEXT] if tng else [DID_V1, JWS_2020]
    for document in (members | {"@context": contexts}, DOCUMENT | members | {"@context": contexts}):
        with suppress(HealthCertError):
            assert isinstance(canonical(document), bytes)
