"""Where resources stand, and where their references lead: nowhere but to the same file, and never over the network.

A reference leads to a resource that the record itself contains (``#id``), to the entry of the same Bundle of that
``fullUrl`` (FHIR R4, Bundle, "Resolving references in Bundles"), or to the resource of that kind and id.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator
from functools import lru_cache

import msgspec
from msgspec import Struct

from healthcert.errors import Code, HealthCertError, IssueError, Step
from healthcert.intake.fhir.elements import Reference
from healthcert.intake.fhir.parse import Raw, read_resource, typed, within
from healthcert.intake.fhir.resources import Header, Patient, Resource
from healthcert.intake.reading import RejectedRow
from healthcert.limits import Limits
from healthcert.model import Private

_ID = r"[A-Za-z0-9.-]{1,64}"
# FHIR R4, Reference.reference: a relative one is a kind and an id, and may have a version.
_RELATIVE = re.compile(rf"([A-Z][A-Za-z]{{1,63}})/({_ID})")
_RESTFUL = re.compile(rf"(https?://.+)/([A-Z][A-Za-z]{{1,63}}/{_ID})")
_VERSION = re.compile(rf"(.+)/_history/({_ID})")
_REMEMBERED = 128  # resources that were read, for the records that follow: many refer to one laboratory or device
SEVERAL = -1
"""The place of resources of one name that differ."""


_END = re.compile(rf"(?:.*[/:])?([A-Z][A-Za-z]{{1,63}}/{_ID})/?(?:[?#].*)?", re.DOTALL)
_UUID = re.compile(rf"urn:(?:uuid|oid):({_ID})")
_REFERENCES = msgspec.json.Decoder(list[Reference])


class Item(Struct, frozen=True):
    """A resource of a file: its number there, its place, its text, and its ``fullUrl`` where it has one."""

    number: int
    position: int
    raw: Raw
    full_url: str | None = None


class Store(ABC):
    """The resources of one file or Bundle, found by what refers to them. Only their places are kept in memory."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._index: dict[str, int] = {}
        self._full = False
        self._read = lru_cache(_REMEMBERED)(self._read_at)

    @abstractmethod
    def raw_at(self, position: int) -> Raw:
        """The text of the resource at this place."""

    @abstractmethod
    def full_url_at(self, position: int) -> str | None:
        """The ``fullUrl`` of the resource at this place."""

    @abstractmethod
    def items(self) -> Iterator[Item | RejectedRow]:
        """All resources in their order, and what of the file is none."""

    @abstractmethod
    def is_owned(self, item: Item, header: Header) -> bool:
        """Whether an observation is the result of a report or part of a panel, with which it is read."""

    @abstractmethod
    def is_inner(self, item: Item, header: Header) -> bool:
        """Whether a panel is part of a panel, and of no report: neither is read, as the outer one may be withdrawn."""

    @abstractmethod
    def is_twice(self, item: Item, header: Header) -> bool:
        """Whether the file has other records of this kind and id that differ. Which of them holds, it does not say."""

    def note(self, key: str, position: int, raw: Raw) -> None:
        """Keeps where a resource is. The same one twice is one; two of one name are none."""
        known = self._index.get(key)
        if known is None:
            if len(self._index) < self.limits.linked_resources:
                self._index[key] = position
            else:
                self._full = True
        elif known not in (SEVERAL, position) and bytes(self.raw_at(known)) != bytes(raw):
            self._index[key] = SEVERAL

    def note_several(self, key: str) -> None:
        """Of what :meth:`note` kept: that there are several of this name, which differ."""
        if key in self._index:
            self._index[key] = SEVERAL

    def position_of(self, reference: str, full_url: str | None) -> int | None:
        """The place that a reference of the resource of this ``fullUrl`` leads to; None where it leads out of here.

        It is :data:`SEVERAL` where there are several resources of that name. Raises :class:`IssueError`
        (``INPUT_TOO_LONG``) where there were too many to keep.
        """
        found = self._find(reference, full_url)
        if found is None and self._full:
            detail = f"more than {self.limits.linked_resources} resources that others refer to"
            raise IssueError(Code.INPUT_TOO_LONG, detail, Step.DECODE)
        return found

    def _find(self, reference: str, full_url: str | None) -> int | None:
        if not _RELATIVE.fullmatch(reference):
            return self._index.get(reference)
        own = _RESTFUL.fullmatch(full_url) if full_url else None
        if own is None:
            return self._index.get(reference)
        if (found := self._index.get(f"{own[1]}/{reference}")) is not None:
            return found
        found = self._index.get(reference)
        if found is None or found == SEVERAL:
            return found
        # The Patient/1 of another server is another person.
        other = _RESTFUL.fullmatch(self.full_url_at(found) or "")
        return found if other is None or other[1] == own[1] else None

    def place_at(self, position: int) -> Place:
        """The resource at a place. Raises as :func:`healthcert.intake.fhir.parse.read_resource`."""
        return Place(store=self, resource=self._read(position), key=str(position), full_url=self.full_url_at(position))

    def _read_at(self, position: int) -> Resource:
        return read_resource(self.raw_at(position), self.limits)


class Place(Private, frozen=True, kw_only=True):
    """A resource where it stands. ``key`` is the same for the same resource; ``container`` what contains it, if any."""

    store: Store
    resource: Resource
    key: str
    full_url: str | None
    container: Place | None = None

    def follow(self, reference: Reference, kind: type[Resource]) -> Place | None:
        """The resource of this kind that a reference leads to; None where it leads out of the file, or to another kind.

        Raises :class:`healthcert.errors.HealthCertError` where it cannot be read, and where there are several.
        """
        text = reference.reference
        if not text:
            return None
        if text.startswith("#"):
            return self._contained(text[1:], kind)
        version = _VERSION.fullmatch(text)
        position = self.store.position_of(version[1] if version else text, self.full_url)
        if position is None:
            return None
        if position == SEVERAL:
            code = Code.HOLDER_UNKNOWN if kind is Patient else Code.RECORD_UNREADABLE
            raise IssueError(code, f"{kind.KIND}: twice in the file, and differently", Step.CONTENT)
        try:
            found = self.store.place_at(position)
        except HealthCertError as error:
            raise within(kind.KIND, error) from None
        told = found.resource.meta.version_id
        if version and told is not None and told != version[2]:
            return None
        return found if isinstance(found.resource, kind) else None

    def _contained(self, name: str, kind: type[Resource]) -> Place | None:
        whole = self.container or self
        found = [one for one in whole.resource.contained if name and one.get("id") == name]
        if len(found) > 1:
            raise IssueError(Code.RECORD_UNREADABLE, "contained: two of one id", Step.CONTENT)
        if not found or found[0].get("resourceType") != kind.KIND:
            return None
        resource = typed(found[0])
        return Place(store=self.store, resource=resource, key=f"{whole.key}#{name}", full_url=self.full_url,
                     container=whole)  # fmt: skip


def server_of(full_url: str | None) -> str | None:
    """The address of the server in a ``fullUrl``; None where it names none."""
    found = _RESTFUL.fullmatch(full_url) if full_url else None
    return found[1] if found else None


def named_by(text: str) -> str | None:
    """The kind and id of the observation that a reference may mean, whichever server it names.

    What may be a report's result is not read without the report, even where the reference is not followed.
    """
    if found := _END.fullmatch(text):
        return found[1]
    if found := _UUID.fullmatch(text):
        return f"Observation/{found[1]}"
    return None


def results_in(header: Header) -> Iterator[str]:
    """What a report or a panel refers to as its results: they are read with it, and not on their own."""
    raw = header.result if header.resource_type == "DiagnosticReport" else header.has_member
    try:
        found = [one.reference for one in _REFERENCES.decode(raw)] if bytes(raw) else []
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        found = _any_references(raw)  # that it is broken is told where the report is read
    for text in found:
        if text:
            version = _VERSION.fullmatch(text)
            yield version[1] if version else text


def _any_references(raw: Raw) -> list[str | None]:
    """What is called a reference, wherever it is in members of another form than they should be."""
    try:
        level = [msgspec.json.decode(raw)]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return []
    found: list[str | None] = []
    while level:
        one = level.pop()
        if isinstance(one, dict):
            text = one.get("reference")
            found += [text] if isinstance(text, str) else []
            level += one.values()
        elif isinstance(one, list):
            level += one
    return found
