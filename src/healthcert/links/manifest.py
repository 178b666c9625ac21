"""The manifest of a health link: which files it leads to, each in it or somewhere else."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from healthcert.encoding import jsontext
from healthcert.errors import Code, DecodeError, Step
from healthcert.fetch import parse_address
from healthcert.limits import DEFAULT_LIMITS, Limits
from healthcert.model import Private


class ManifestFile(Private, frozen=True, kw_only=True):
    """An entry of a manifest: ``embedded`` is the file as a JWE, ``location`` where it can be had.

    One of them is there. Nothing vouches for what it says of the file: a manifest is not encrypted.
    """

    content_type: str
    embedded: str | None = None
    location: str | None = None
    status: str | None = None


def read_manifest(data: bytes, limits: Limits = DEFAULT_LIMITS) -> tuple[ManifestFile, ...]:
    """The files in a manifest.

    Raises :class:`DecodeError`: ``JSON_DESERIALIZATION_FAILED``, ``SCHEMA_VALIDATION_FAILED``, and ``INPUT_TOO_LONG``
    for more files than ``Limits.cards_per_document``.
    """
    manifest = jsontext.read(data, max_depth=limits.json_depth)
    # SMART Health Links, "Manifest File": an object with an array of files; members that are not known are ignored.
    files = manifest.get("files") if isinstance(manifest, dict) else None
    if not isinstance(files, list) or not all(isinstance(entry, dict) for entry in files):
        raise _invalid("files: not an array of objects")
    if len(files) > limits.cards_per_document:
        raise DecodeError(Code.INPUT_TOO_LONG, f"more than {limits.cards_per_document} files", Step.DECODE)
    return tuple(_file(entry) for entry in files)


def write_manifest(files: Iterable[ManifestFile]) -> bytes:
    """The manifest of ``files``."""
    return json.dumps({"files": [_members(file) for file in files]}, separators=(",", ":")).encode()


def _file(entry: Mapping[str, Any]) -> ManifestFile:
    content_type, embedded, location, status = (
        _text(entry, name) for name in ("contentType", "embedded", "location", "status")
    )
    # SMART Health Links, "files array": a content type, and the file or where it is.
    if content_type is None:
        raise _invalid("contentType: is missing")
    if embedded is None and location is None:
        raise _invalid("neither embedded nor location")
    if location is not None and parse_address(location) is None:
        raise _invalid("location: not https, a name, and no user or fragment")
    return ManifestFile(content_type=content_type, embedded=embedded, location=location, status=status)


def _members(file: ManifestFile) -> dict[str, str]:
    members = {
        "contentType": file.content_type,
        "embedded": file.embedded,
        "location": file.location,
        "status": file.status,
    }
    return {name: value for name, value in members.items() if value is not None}


def _text(entry: Mapping[str, Any], name: str) -> str | None:
    value = entry.get(name)
    if value is not None and not isinstance(value, str):
        raise _invalid(f"{name}: not a text")
    return value


def _invalid(detail: str) -> DecodeError:
    return DecodeError(Code.SCHEMA_VALIDATION_FAILED, f"the manifest: {detail}", Step.DECODE)
