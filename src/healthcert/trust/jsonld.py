"""The canonical form of JSON-LD (URDNA2015, the RDF Dataset Canonicalization of W3C), which the proofs of WHO's DID
documents are made over.

It is a form of what a document says and not of its bytes: members that no context knows, and values that are no
IRI where one belongs, are not in it at all. Those who read a document whose signature was checked over this
form may use only what is in it. Contexts are part of this project; none is ever fetched.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pkgutil import get_data
from typing import Any

from healthcert.errors import Code, Step, TrustError

DID_V1 = "https://www.w3.org/ns/did/v1"
DID_CONTEXTS = (DID_V1, "https://w3.org/ns/did/v1")
JWS_2020 = "https://w3id.org/security/suites/jws-2020/v1"
TNG_CONTEXTS = {
    "https://smart.who.int/trust/tng-context/v1.jsonld": "",
    "https://smart.who.int/trust/tng-context/v1-UAT.jsonld": "-UAT",
    "https://smart.who.int/trust/tng-context/v1-DEV.jsonld": "-DEV",
}
_FILES = dict.fromkeys(DID_CONTEXTS, "did-v1") | {JWS_2020: "jws-2020-v1"} | dict.fromkeys(TNG_CONTEXTS, "tng-v1")
# Each is worked through at every value, as often as it is named.
_MAX_CONTEXTS = 4
# Without a base the library takes http://example.org/base/: a relative identifier and one below that would be the same.
# What is resolved against this one is told by its scheme, and refused.
_NO_BASE = "no-base:"
_MAX_DEPTH = 16
_PIECE = 64  # values
# Telling blank nodes apart takes time that grows faster than exponentially. DID documents have none, a proof has one.
_MAX_BLANK_NODES = 4
# RDF 1.1 N-Quads: what cannot stand in an IRI. One that had it would be read as other statements than it makes.
_IRI = re.compile(r'[^\x00-\x20\x7f<>"{}|^`\\]+')


def canonical(document: Mapping[str, Any], *, blank_nodes: int = _MAX_BLANK_NODES) -> bytes:
    """The canonical N-Quads of a document whose ``@context`` names contexts of this project.

    ``blank_nodes`` is how many things without an identifier may be in it. Raises :class:`TrustError`
    (``TRUST_LIST_UNREADABLE``) for more of them, for another context, for keywords anywhere below ``@context``, for
    what makes no graph of statements, and when the extra ``gdhcn`` is not installed.
    """
    _check(document)
    try:
        library, urdna, resolver = _library()
    except ImportError:
        raise _unreadable("its proof is over JSON-LD, which takes: pip install 'healthcert[gdhcn]'") from None
    options = {"documentLoader": _load, "contextResolver": resolver, "processingMode": "json-ld-1.1"}
    options["base"] = f"{_NO_BASE}//none/"
    try:
        dataset = library.to_rdf(dict(document), options)
        _check_statements(dataset, blank_nodes)
        form: str = urdna.URDNA2015().main(dataset, {"format": "application/n-quads"})
        return form.encode()
    except TrustError:
        raise
    except (library.JsonLdError, ValueError, TypeError, LookupError, AttributeError, RecursionError):
        raise _unreadable("not the JSON-LD it should be") from None


def canonical_in_pieces(document: Mapping[str, Any], member: str) -> bytes:
    """The canonical N-Quads of a document in which all things have an identifier, and ``member`` is a long array.

    Of such a document they are those of its pieces together, in order. It is taken in pieces because the library
    compares each value of an array with all others. Raises like :func:`canonical`.
    """
    values = document[member]
    lines: set[bytes] = set()
    for start in range(0, max(len(values), 1), _PIECE):
        piece = dict(document) | {member: values[start : start + _PIECE]}
        lines.update(canonical(piece, blank_nodes=0).split(b"\n"))
    return b"".join(line + b"\n" for line in sorted(lines - {b""}))


def contexts_of(document: Mapping[str, Any]) -> list[str]:
    """The contexts that a document names.

    Raises :class:`TrustError` (``TRUST_LIST_UNREADABLE``) for unknown ones, for too many, and for one that is repeated.
    """
    given = document.get("@context")
    found: list[Any] = given if isinstance(given, list) else [given]
    if not found or not all(isinstance(name, str) and name in _FILES for name in found):
        raise _unreadable("it uses a JSON-LD context that is not known")
    if len(found) > _MAX_CONTEXTS or len(set(found)) != len(found):
        raise _unreadable(f"more than {_MAX_CONTEXTS} JSON-LD contexts, or one of them twice")
    return found


def _check(document: Mapping[str, Any]) -> None:
    contexts_of(document)
    # JSON-LD 1.1 §9: with keywords a part of a document can be given another meaning, or none.
    waiting: list[tuple[Any, int]] = [(value, 1) for name, value in document.items() if name != "@context"]
    if any(name.startswith("@") and name != "@context" for name in document):
        raise _unreadable("a keyword of JSON-LD in it")
    while waiting:
        value, depth = waiting.pop()
        if not isinstance(value, (dict, list)):
            continue
        if depth > _MAX_DEPTH:
            raise _unreadable(f"more than {_MAX_DEPTH} levels")
        if isinstance(value, dict) and any(name.startswith("@") for name in value):
            raise _unreadable("a keyword of JSON-LD in it")
        waiting.extend((inner, depth + 1) for inner in (value.values() if isinstance(value, dict) else value))


def _check_statements(dataset: Mapping[str, Any], blank_nodes: int) -> None:
    nodes = set()
    for statement in (statement for graph in dataset.values() for statement in graph):
        for term in statement.values():
            if term["type"] == "blank node":
                nodes.add(term["value"])
            elif term["type"] == "IRI" and (term["value"].startswith(_NO_BASE) or not _IRI.fullmatch(term["value"])):
                raise _unreadable("an identifier that is no IRI")
    if len(nodes) > min(blank_nodes, _MAX_BLANK_NODES):
        raise _unreadable("more nodes without an identifier than there may be")


@cache
def _library() -> tuple[Any, Any, Any]:
    library, urdna = import_module("pyld.jsonld"), import_module("pyld.canon")
    # A cache of its own: what other code of the process loaded under these names is no context of ours.
    resolver = import_module("pyld.context_resolver").ContextResolver({}, _load)
    return library, urdna, resolver


def _load(url: str, _options: Any = None) -> dict[str, Any]:
    return {"document": _context(url), "documentUrl": url, "contextUrl": None, "contentType": "application/ld+json"}


@cache
def _context(url: str) -> dict[str, Any]:
    data = get_data("healthcert.data", f"contexts/{_FILES[url]}.json")
    assert data is not None
    text = data.decode().replace("{environment}", TNG_CONTEXTS.get(url, ""))
    return {"@context": json.loads(text)["@context"]}


def _unreadable(detail: str) -> TrustError:
    return TrustError(Code.TRUST_LIST_UNREADABLE, detail, Step.TRUST)
