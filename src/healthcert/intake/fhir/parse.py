"""The text of one resource to its struct: JSON with a single reading, and nothing in it that changes what it says."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from healthcert.encoding import jsontext
from healthcert.errors import Code, DecodeError, HealthCertError, IssueError, Step
from healthcert.intake.fhir.elements import Meta
from healthcert.intake.fhir.resources import READ, Header, Resource
from healthcert.limits import Limits

Raw = bytes | msgspec.Raw
# FHIR R4, modifierExtension and implicitRules: who does not understand them must not read the rest.
_MODIFIERS = ("modifierExtension", "implicitRules")
# v3-ActReason: test data that looks like health data. v3-ObservationValue: a resource that lacks some of its members.
_LABELS = frozenset(("HTEST", "SUBSETTED"))
_KIND = re.compile(r"[A-Z][A-Za-z]{1,63}")
_ESCAPED = re.compile(rb"\\u([0-9A-Fa-f]{4})")
_HEADER = msgspec.json.Decoder(Header)


def header_of(raw: Raw) -> Header | None:
    """What a resource says it is, before all of it is read; None where it is no JSON object of that form."""
    try:
        return _HEADER.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def read_resource(raw: Raw, limits: Limits) -> Resource:
    """The resource in a text.

    Raises :class:`DecodeError` (``RECORD_UNREADABLE``, ``INPUT_TOO_LONG``), and :class:`IssueError`
    (``RECORD_UNREADABLE``, ``RECORD_NOT_SUPPORTED``).
    """
    octets = minified(bytes(raw))
    value = check_single(octets, limits)
    # A name can be written with escapes, so that only the value read tells for certain that it is not there.
    if b"\\u" in octets or any(name.encode() in octets for name in _MODIFIERS):
        check_unmodified(value)
    return typed(value)


def check_single(raw: Raw, limits: Limits) -> dict[str, Any]:
    """The JSON object in a text, which can be read in one way only. Raises :class:`DecodeError`, as above."""
    octets = bytes(raw)
    if len(octets) > limits.resource_bytes:
        raise DecodeError(Code.INPUT_TOO_LONG, f"a resource of more than {limits.resource_bytes} bytes", Step.DECODE)
    value = jsontext.read(octets, max_depth=limits.json_depth, code=Code.RECORD_UNREADABLE)
    if not isinstance(value, dict):
        raise DecodeError(Code.RECORD_UNREADABLE, "not a FHIR resource", Step.DECODE)
    return value


def minified(octets: bytes) -> bytes:
    """JSON without white space between its values, and with its letters as they are, which is read much sooner.

    What is no JSON stays as it is, and letters beside an escaped backslash do, which may not be escapes.
    """
    try:
        octets = msgspec.json.format(octets, indent=-1)
    except (msgspec.MsgspecError, RecursionError):
        return octets
    return _ESCAPED.sub(_letter, octets) if b"\\u" in octets and b"\\\\" not in octets else octets


def _letter(found: re.Match[bytes]) -> bytes:
    """The letter of an escape sequence; those of ASCII, which may be quotes, and halves of pairs stay escaped."""
    letter = int(found[1], 16)
    return found[0] if letter < 0x80 or 0xD800 <= letter < 0xE000 else chr(letter).encode()


def check_unmodified(value: Any) -> None:
    """Raises :class:`IssueError` (``RECORD_NOT_SUPPORTED``) where extensions or rules may change what is said."""
    level = [value]
    while level:
        one = level.pop()
        if isinstance(one, dict):
            for name in _MODIFIERS:
                if name in one:
                    raise IssueError(
                        Code.RECORD_NOT_SUPPORTED, f"{name}: may change what the record says", Step.CONTENT
                    )
            level += one.values()
        elif isinstance(one, list):
            level += one


def typed(value: dict[str, Any]) -> Resource:
    """A resource that was read, as the struct of its kind. Raises as :func:`read_resource`."""
    kind = value.get("resourceType")
    struct = READ.get(kind) if isinstance(kind, str) else None
    if struct is None:
        raise unsupported_kind(kind)
    try:
        resource = msgspec.convert(value, struct)
    except (msgspec.ValidationError, RecursionError) as error:
        # Messages of msgspec name types and members, and quote no values.
        detail = str(error) if isinstance(error, msgspec.ValidationError) else "too many levels"
        raise IssueError(Code.RECORD_UNREADABLE, f"{kind}: {detail}", Step.DECODE) from None
    check_labels(struct.KIND, resource.meta)
    return resource


def check_labels(kind: str, meta: Meta) -> None:
    """Raises :class:`IssueError` (``RECORD_NOT_SUPPORTED``) for what is marked as made up, or as not whole."""
    for label in (*meta.security, *meta.tag):
        if label.code in _LABELS:
            raise IssueError(Code.RECORD_NOT_SUPPORTED, f"{kind}.meta: it is marked {label.code}", Step.CONTENT)


def unsupported_kind(kind: object) -> IssueError:
    """Of a resource that is of no kind that is known."""
    named = kind if isinstance(kind, str) and _KIND.fullmatch(kind) else "missing or not a name"
    return IssueError(Code.RECORD_NOT_SUPPORTED, f"resourceType: {named}: not a kind of FHIR resource", Step.CONTENT)


def within(kind: str, error: HealthCertError) -> IssueError:
    """An error of a resource, for the record that refers to it."""
    return IssueError(error.code, f"{kind}: {error.detail}", error.step)
