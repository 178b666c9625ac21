"""What kind of JSON document a text is, told from the members it has and not from words in it.

Only the members that tell are looked at, in one pass, and of the rest nothing is built: a document of another kind
costs next to nothing. What is found here was not checked in any way.
"""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

T = TypeVar("T")


class Shape(Struct, frozen=True):
    """A JSON object, or an array of one, by what is in it.

    ``icao_type`` is ``data.hdr.t`` of a visible digital seal. ``proof`` is whether it has a proof of its own, as
    credentials in JSON-LD do, and ``context`` are the contexts that it names. ``cards`` is whether it is a document of
    SMART Health Cards: their file, or what a FHIR operation answered. ``openattestation`` is whether it is one of
    OpenAttestation.
    """

    icao_type: str | None = None
    proof: bool = False
    context: tuple[str, ...] = ()
    cards: bool = False
    openattestation: bool = False


class _Header(Struct):
    t: str


class _Data(Struct):
    hdr: _Header


class _Seal(Struct):
    data: _Data
    sig: Raw


class _Signature(Struct):
    type: str


class _Document(Struct):
    proof: Raw | UnsetType = UNSET
    context: Raw | UnsetType = msgspec.field(default=UNSET, name="@context")
    cards: Raw | UnsetType = msgspec.field(default=UNSET, name="verifiableCredential")
    resource: Raw | UnsetType = msgspec.field(default=UNSET, name="resourceType")
    version: Raw | UnsetType = UNSET
    signature: Raw | UnsetType = UNSET


_ONE: msgspec.json.Decoder[_Document] = msgspec.json.Decoder(_Document)
_ARRAY: msgspec.json.Decoder[list[_Document]] = msgspec.json.Decoder(list[_Document])
_SEAL: msgspec.json.Decoder[_Seal] = msgspec.json.Decoder(_Seal)
_SEALS: msgspec.json.Decoder[list[_Seal]] = msgspec.json.Decoder(list[_Seal])
_TEXT: msgspec.json.Decoder[str] = msgspec.json.Decoder(str)
_TEXTS: msgspec.json.Decoder[list[str] | str] = msgspec.json.Decoder(list[str] | str)
_SIGNATURE: msgspec.json.Decoder[_Signature] = msgspec.json.Decoder(_Signature)
_SPACE = " \t\r\n"
_SPACES, _BEGINNINGS = tuple(_SPACE), ("{", "[")
_LEADING = 1024  # characters in front of a document that may be white space


def is_document(text: str) -> bool:
    """Whether ``text`` begins like a JSON object or array."""
    if text.startswith(_BEGINNINGS):
        return True
    return text.startswith(_SPACES) and text[:_LEADING].lstrip(_SPACE).startswith(_BEGINNINGS)


def shape_of(text: str) -> Shape | None:
    """What kind of JSON document ``text`` is; None for what is no JSON object, nor an array of one."""
    if not is_document(text):
        return None
    text = str(text)  # the decoder takes no subclass, which a scan is
    # Without these letters it is none; that it is one, the structure says.
    seal = _read(text, _SEAL, _SEALS) if '"icao.' in text else None
    if seal is not None and seal.data.hdr.t.startswith("icao."):
        return Shape(icao_type=seal.data.hdr.t)
    found = _read(text, _ONE, _ARRAY)
    if found is None:
        return None
    return Shape(
        proof=found.proof is not UNSET,
        context=_context(found),
        cards=found.cards is not UNSET or _of(_TEXT, found.resource) == "Parameters",
        openattestation=_is_openattestation(found),
    )


def _read(text: str, one: msgspec.json.Decoder[T], several: msgspec.json.Decoder[list[T]]) -> T | None:
    """The object that ``text`` is, or that stands alone in an array."""
    try:
        if text[0] == "{" or text.lstrip(_SPACE)[0] == "{":
            return one.decode(text)
        array = several.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return None
    return array[0] if len(array) == 1 else None


def _context(found: _Document) -> tuple[str, ...]:
    given = _of(_TEXTS, found.context)
    return () if given is None else (given,) if isinstance(given, str) else tuple(given)


def _is_openattestation(found: _Document) -> bool:
    # OpenAttestation 2.0: version names its schema, signature is of its own type.
    version, signature = _of(_TEXT, found.version), _of(_SIGNATURE, found.signature)
    named = version is not None and version.startswith("https://schema.openattestation.com/")
    return named or (signature is not None and signature.type == "SHA3MerkleProof")


def _of(decoder: msgspec.json.Decoder[Any], given: Raw | UnsetType) -> Any:
    """What ``decoder`` reads in a member; None where it is not there, or something else."""
    if isinstance(given, UnsetType):
        return None
    try:
        return decoder.decode(given)
    except (msgspec.DecodeError, RecursionError):
        return None
