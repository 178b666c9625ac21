"""The canonical form (:mod:`healthcert.encoding.jsonld`) of WHO's DID documents, and of the options of their proofs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from healthcert.encoding import jsonld
from healthcert.errors import Code, DecodeError, Step, TrustError

T = TypeVar("T")

DID_V1 = "https://www.w3.org/ns/did/v1"
DID_CONTEXTS = (DID_V1, "https://w3.org/ns/did/v1")
JWS_2020 = "https://w3id.org/security/suites/jws-2020/v1"
TNG_CONTEXTS = {
    "https://smart.who.int/trust/tng-context/v1.jsonld": "",
    "https://smart.who.int/trust/tng-context/v1-UAT.jsonld": "-UAT",
    "https://smart.who.int/trust/tng-context/v1-DEV.jsonld": "-DEV",
}
_CONTEXTS = frozenset((*DID_CONTEXTS, JWS_2020, *TNG_CONTEXTS))
_PIECE = 64  # values
# DID documents have none, a proof has one.
_MAX_BLANK_NODES = 4


def canonical(document: Mapping[str, Any], *, blank_nodes: int = _MAX_BLANK_NODES) -> bytes:
    """The canonical N-Quads of a document whose ``@context`` names contexts of DID documents.

    ``blank_nodes`` is how many things without an identifier may be in it, at most 4. Raises :class:`TrustError`
    (``TRUST_LIST_UNREADABLE``) for more of them, for another context, for keywords anywhere below ``@context``, for
    what makes no graph of statements, and when the extra ``gdhcn`` is not installed.
    """
    allowed = min(blank_nodes, _MAX_BLANK_NODES)
    return _translated(lambda: jsonld.canonical(document, contexts=_CONTEXTS, blank_nodes=allowed))


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
    return _translated(lambda: jsonld.contexts_of(document, _CONTEXTS))


def _translated(read: Callable[[], T]) -> T:
    try:
        return read()
    except DecodeError as error:
        detail = error.detail
        if error.code is Code.EXTRA_MISSING:
            detail = "its proof is over JSON-LD, which takes: pip install 'healthcert[gdhcn]'"
        raise TrustError(Code.TRUST_LIST_UNREADABLE, detail, Step.TRUST) from None
