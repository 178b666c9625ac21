"""The canonical form of JSON-LD (URDNA2015, the RDF Dataset Canonicalization of W3C), which linked-data proofs are made
over: those of WHO's DID documents, and of DIVOC's certificates.

It is a form of what a document says and not of its bytes: members that no context knows, and values that are no
IRI where one belongs, are not in it at all; two members that a context gives one meaning are the same in it. Those who
read a document whose signature was checked over this form may use only what is in it. Contexts are part of this
project; none is ever fetched.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Container, Mapping
from functools import cache
from importlib import import_module
from pkgutil import get_data
from typing import Any

from healthcert.errors import Code, DecodeError, Step

CREDENTIALS_V1 = "https://www.w3.org/2018/credentials/v1"
SECURITY_V2 = "https://w3id.org/security/v2"
COWIN = "https://cowin.gov.in/credentials/"
# Several names of one document stand for the same terms; a word in it that differs is filled in.
_FILES: dict[str, tuple[str, str]] = {
    "https://www.w3.org/ns/did/v1": ("did-v1", ""),
    "https://w3.org/ns/did/v1": ("did-v1", ""),
    "https://w3id.org/security/suites/jws-2020/v1": ("jws-2020-v1", ""),
    "https://smart.who.int/trust/tng-context/v1.jsonld": ("tng-v1", ""),
    "https://smart.who.int/trust/tng-context/v1-UAT.jsonld": ("tng-v1", "-UAT"),
    "https://smart.who.int/trust/tng-context/v1-DEV.jsonld": ("tng-v1", "-DEV"),
    CREDENTIALS_V1: ("credentials-v1", ""),
    SECURITY_V2: ("security-v2", ""),
    f"{COWIN}vaccination/v1": ("divoc-vaccination-v1", ""),
    f"{COWIN}vaccination/v2": ("divoc-vaccination-v2", ""),
    "https://divoc.prod/vaccine/credentials/vaccination/v1": ("divoc-vaccination-v2", ""),
    "https://divoc.lgcc.gov.lk/credentials/vaccination/v1": ("divoc-vaccination-v2", ""),
    "https://divoc.lgcc.gov.lk/credentials/vaccination/v2": ("divoc-vaccination-v2", ""),
    "https://www.pedulilindungi.id/credentials/vaccination/v2": ("divoc-vaccination-v2", ""),
    f"{COWIN}testCertificate/v1": ("divoc-test-v1", ""),
    "https://cvstatus.icmr.gov.in/credentials/testCertificate/v1": ("divoc-test-v1", ""),
}
# Each is worked through at every value, as often as it is named.
_MAX_CONTEXTS = 4
# Without a base the library takes http://example.org/base/: a relative identifier and one below that would be the same.
# What is resolved against this one is told by its scheme, and refused.
_NO_BASE = "no-base:"
_MAX_DEPTH = 16
# Telling blank nodes apart that are alike takes time that grows faster than exponentially; those that differ take none.
_MAX_COMPARISONS = 64
# RDF 1.1 N-Quads: what cannot stand in an IRI. One that had it would be read as other statements than it makes.
_IRI = re.compile(r'[^\x00-\x20\x7f<>"{}|^`\\]+')
_SPACED_IRI = re.compile(r'[^\x00-\x1f\x7f<>"{}|^`\\]+')


def canonical(document: Mapping[str, Any], *, contexts: Container[str], blank_nodes: int, loose: bool = False) -> bytes:
    """The canonical N-Quads of a document whose ``@context`` names some of these ``contexts``, all of this project.

    ``blank_nodes`` is how many things without an identifier may be in it. ``loose`` is the form as the libraries of
    2021 made it of identifiers that are none: one with a space in it stands as it is, and what is said of or with a
    relative one is left out, so that the caller has to see to it that nobody reads that. Raises :class:`DecodeError`:
    ``CANONICALIZATION_FAILED`` for more blank nodes, for another context, for keywords anywhere below ``@context``,
    for identifiers that are none, and for what makes no graph of statements; ``EXTRA_MISSING`` when PyLD is not
    installed.
    """
    _check(document, contexts)
    try:
        library, normalizer, resolver = _library()
    except ImportError:
        raise DecodeError(Code.EXTRA_MISSING, "JSON-LD is read with the package PyLD", Step.DECODE) from None
    options = {"documentLoader": _load, "contextResolver": resolver, "processingMode": "json-ld-1.1"}
    options["base"] = f"{_NO_BASE}//none/"
    stand_ins: dict[str, str] = {}
    try:
        dataset = library.to_rdf(_without_spaces(dict(document), stand_ins) if loose else dict(document), options)
        if loose:
            dataset = {name: _loosened(graph, stand_ins) for name, graph in dataset.items()}
        _check_statements(dataset, blank_nodes, _SPACED_IRI if loose else _IRI)
        form: str = normalizer().main(dataset, {"format": "application/n-quads"})
        return form.encode()
    except DecodeError:
        raise
    except (library.JsonLdError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError):
        raise unreadable("not the JSON-LD it should be") from None


def contexts_of(document: Mapping[str, Any], contexts: Container[str]) -> list[str]:
    """The contexts that a document names.

    Raises :class:`DecodeError` (``CANONICALIZATION_FAILED``) for any that is not among ``contexts``, for too many, and
    for one that is repeated.
    """
    given = document.get("@context")
    found: list[Any] = given if isinstance(given, list) else [given]
    if not found or not all(isinstance(name, str) and name in _FILES and name in contexts for name in found):
        raise unreadable("it uses a JSON-LD context that is not known")
    if len(found) > _MAX_CONTEXTS or len(set(found)) != len(found):
        raise unreadable(f"more than {_MAX_CONTEXTS} JSON-LD contexts, or one of them twice")
    return found


@cache
def terms(url: str) -> Mapping[str, Any]:
    """The terms that a context of this project defines, as it writes them. Not to be changed."""
    name, word = _FILES[url]
    data = get_data("healthcert.data", f"contexts/{name}.json")
    assert data is not None
    found: Mapping[str, Any] = json.loads(data.decode().replace("{environment}", word))["@context"]
    return found


def same_terms(url: str) -> str:
    """The name that stands for all names of a context of this project: which of them was used is not signed."""
    return next(name for name, file in _FILES.items() if file == _FILES[url])


def unreadable(detail: str) -> DecodeError:
    """The error of a document that has no canonical form here."""
    return DecodeError(Code.CANONICALIZATION_FAILED, detail, Step.DECODE)


def _check(document: Mapping[str, Any], contexts: Container[str]) -> None:
    contexts_of(document, contexts)
    # JSON-LD 1.1 §9: with keywords a part of a document can be given another meaning, or none.
    waiting: list[tuple[Any, int]] = [(value, 1) for name, value in document.items() if name != "@context"]
    if any(name.startswith("@") and name != "@context" for name in document):
        raise unreadable("a keyword of JSON-LD in it")
    while waiting:
        value, depth = waiting.pop()
        if not isinstance(value, (dict, list)):
            continue
        if depth > _MAX_DEPTH:
            raise unreadable(f"more than {_MAX_DEPTH} levels")
        if isinstance(value, dict) and any(name.startswith("@") for name in value):
            raise unreadable("a keyword of JSON-LD in it")
        waiting.extend((inner, depth + 1) for inner in (value.values() if isinstance(value, dict) else value))


def _without_spaces(value: Any, stand_ins: dict[str, str]) -> Any:
    """A copy in which a name that nobody can guess stands for each ``id`` with a space in it."""
    if isinstance(value, list):
        return [_without_spaces(inner, stand_ins) for inner in value]
    if not isinstance(value, dict):
        return value
    copy = {name: _without_spaces(inner, stand_ins) for name, inner in value.items()}
    if isinstance(given := copy.get("id"), str) and " " in given:
        copy["id"] = f"stand-in:{secrets.token_hex(16)}"
        stand_ins[copy["id"]] = given
    return copy


def _loosened(graph: list[dict[str, Any]], stand_ins: Mapping[str, str]) -> list[dict[str, Any]]:
    for statement in graph:
        for term in statement.values():
            term["value"] = stand_ins.get(term["value"], term["value"])
    return [one for one in graph if not any(_is_relative(term) for term in one.values())]


def _is_relative(term: Mapping[str, str]) -> bool:
    return term["type"] == "IRI" and term["value"].startswith(_NO_BASE)


def _check_statements(dataset: Mapping[str, Any], blank_nodes: int, iri: re.Pattern[str]) -> None:
    nodes = set()
    for statement in (statement for graph in dataset.values() for statement in graph):
        for term in statement.values():
            if term["type"] == "blank node":
                nodes.add(term["value"])
            elif term["type"] == "IRI" and (_is_relative(term) or not iri.fullmatch(term["value"])):
                raise unreadable("an identifier that is no IRI")
    if len(nodes) > blank_nodes:
        raise unreadable("more nodes without an identifier than there may be")


@cache
def _library() -> tuple[Any, Any, Any]:
    library, urdna = import_module("pyld.jsonld"), import_module("pyld.canon")
    # A cache of its own: what other code of the process loaded under these names is no context of ours.
    resolver = import_module("pyld.context_resolver").ContextResolver({}, _load)

    class Bounded(urdna.URDNA2015):  # type: ignore[misc, name-defined]  # known only where it is installed
        comparisons = 0

        def hash_n_degree_quads(self, *args: Any) -> Any:
            self.comparisons += 1
            if self.comparisons > _MAX_COMPARISONS:
                raise unreadable("too many nodes that are alike")
            return super().hash_n_degree_quads(*args)

    return library, Bounded, resolver


def _load(url: str, _options: Any = None) -> dict[str, Any]:
    document = {"@context": dict(terms(url))}
    return {"document": document, "documentUrl": url, "contextUrl": None, "contentType": "application/ld+json"}
