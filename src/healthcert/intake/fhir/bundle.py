"""Bundles (FHIR R4 and R5, Bundle): which resources they hold, and whether they are what was meant to be taken in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import Struct, field

from healthcert.encoding import jsontext
from healthcert.errors import Code, DecodeError, IssueError, Step
from healthcert.intake.fhir.elements import Meta
from healthcert.intake.fhir.parse import check_labels, check_unmodified, header_of, minified, read_resource
from healthcert.intake.fhir.places import SEVERAL, Item, Store, named_by, results_in, server_of
from healthcert.intake.fhir.resources import LINKED, RECORDS, Composition, Header, Request, Search
from healthcert.intake.reading import RejectedRow
from healthcert.limits import Limits
from healthcert.model import Private

# FHIR R4, BundleType. A history has what was once said as well; answers to transactions repeat what was sent.
_TYPES = frozenset(("document", "message", "transaction", "batch", "collection", "searchset"))
# FHIR R5, CompositionStatus.
_FINAL = frozenset(("final", "amended", "corrected", "appended"))
# What an entry has beside its resource: its link, request, response and search; some ten members.
_VALUES_OF_ENTRY, _VALUES_BESIDE = 64, 4096
_LEAST_ENTRY = len("{},")


class _Entry(Private, frozen=True, rename="camel"):
    full_url: str | None = None
    resource: msgspec.Raw = msgspec.Raw()
    request: Request = Request()
    search: Search = Search()


class _Bundle(Private, frozen=True):
    type: str | None = None
    meta: Meta = Meta()
    entry: list[_Entry] = field(default_factory=list)


class _Counted(Struct, frozen=True, gc=False):
    pass


class _Count(Struct, frozen=True):
    entry: list[_Counted] = field(default_factory=list)


_DECODER = msgspec.json.Decoder(_Bundle)
_COUNTER = msgspec.json.Decoder(_Count)


class BundleStore(Store):
    """The resources of one Bundle, or of one resource that stands alone.

    ``number`` is that of its line; where it is None, the Bundle is the whole file, and its entries are counted.
    """

    def __init__(self, data: bytes, limits: Limits, number: int | None = None) -> None:
        """Raises :class:`DecodeError` and :class:`IssueError` for what is no Bundle, or one that is not to be read."""
        super().__init__(limits)
        self._number = number
        header = header_of(data)
        alone = header is not None and header.resource_type != "Bundle"
        self._entries = [_Entry(resource=msgspec.Raw(data))] if alone else _entries_of(data, limits)
        self._headers = [header_of(entry.resource) if bytes(entry.resource) else None for entry in self._entries]
        self._named = self._by_name()
        self._twice = self._differing()
        self._index_all()
        self._of_reports, self._of_panels = self._owned("DiagnosticReport"), self._owned("Observation")

    def items(self) -> Iterator[Item | RejectedRow]:
        for position, entry in enumerate(self._entries):
            number = self._number or position + 1
            if not bytes(entry.resource) or entry.search.mode == "outcome":
                continue  # what a server did or thinks, and no resource of a person
            if entry.request.method in (None, "POST", "PUT"):
                yield Item(number, position, entry.resource, entry.full_url)
            else:
                error = IssueError(Code.RECORD_NOT_SUPPORTED, "Bundle.entry.request: POST or PUT", Step.CONTENT)
                yield RejectedRow(number, error)

    def raw_at(self, position: int) -> msgspec.Raw:
        return self._entries[position].resource

    def full_url_at(self, position: int) -> str | None:
        return self._entries[position].full_url

    def is_owned(self, item: Item, header: Header) -> bool:
        return item.position in self._of_reports or (item.position in self._of_panels and not header.is_panel)

    def is_inner(self, item: Item, header: Header) -> bool:
        return header.is_panel and item.position in self._of_panels and item.position not in self._of_reports

    def is_twice(self, item: Item, header: Header) -> bool:
        return item.position in self._twice

    def _by_name(self) -> dict[str, list[int]]:
        """The places of all records, by kind and id and by address."""
        found: dict[str, list[int]] = {}
        for position, (entry, header) in enumerate(zip(self._entries, self._headers, strict=True)):
            if header is not None and header.resource_type in RECORDS:
                for name in _names(header, entry.full_url):
                    found.setdefault(name, []).append(position)
        return found

    def _differing(self) -> set[int]:
        """The places of records of one name that differ, but for those that are of several servers."""
        found: set[int] = set()
        for positions in self._named.values():
            if len(positions) == 1:
                continue
            servers: dict[str | None, list[int]] = {}
            for position in positions:
                servers.setdefault(server_of(self.full_url_at(position)), []).append(position)
            for group in [positions] if None in servers else servers.values():
                if len({bytes(self.raw_at(position)) for position in group}) > 1:
                    found.update(group)
        return found

    def _index_all(self) -> None:
        for position, (entry, header) in enumerate(zip(self._entries, self._headers, strict=True)):
            if header is None or header.resource_type not in (*LINKED, "Observation"):
                continue
            if header.id:
                self.note(f"{header.resource_type}/{header.id}", position, entry.resource)
            if entry.full_url and ":" in entry.full_url:  # FHIR R4, Bundle.entry.fullUrl: an absolute URI
                self.note(entry.full_url, position, entry.resource)
        for position in self._twice:
            if full_url := self.full_url_at(position):
                self.note_several(full_url)

    def _owned(self, kind: str) -> set[int]:
        """The places of what resources of this kind refer to as their results.

        Where a reference leads to no one place, all that it may mean are among them.
        """
        found: set[int] = set()
        names: set[str] = set()
        for entry, header in zip(self._entries, self._headers, strict=True):
            if header is None or header.resource_type != kind:
                continue
            for reference in results_in(header):
                position = self.position_of(reference, entry.full_url)
                if position is not None and position != SEVERAL:
                    found.add(position)
                else:
                    names |= {reference, named_by(reference) or reference}
        for name in names:
            found.update(self._named.get(name, ()))
        return found


def _names(header: Header, full_url: str | None) -> set[str]:
    names = {f"{header.resource_type}/{header.id}"} if header.id else set()
    if full_url:
        names.add((server_of(full_url) and named_by(full_url)) or full_url)
    return names


def _entries_of(data: bytes, limits: Limits) -> list[_Entry]:
    """The entries of a Bundle, whose resources are not read yet."""
    try:
        _check_count(data, limits)
        bundle = _DECODER.decode(data)
        frame = _frame(data, bundle, limits)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        detail = "not one FHIR resource or Bundle that has a single reading"
        raise DecodeError(Code.RECORD_UNREADABLE, detail, Step.DECODE) from None
    if not isinstance(frame, dict) or frame.get("resourceType") != "Bundle":
        raise IssueError(Code.RECORD_NOT_SUPPORTED, "resourceType: not a FHIR resource", Step.CONTENT)
    check_unmodified(frame)
    check_labels("Bundle", bundle.meta)
    if bundle.type not in _TYPES:
        raise IssueError(Code.RECORD_NOT_SUPPORTED, f"Bundle.type: one of {', '.join(sorted(_TYPES))}", Step.CONTENT)
    if bundle.type == "document":
        _check_document(bundle, limits)
    return bundle.entry


def _check_count(data: bytes, limits: Limits) -> None:
    """Raises :class:`DecodeError` (``INPUT_TOO_LONG``) for too many entries, before anything is built of them."""
    if len(data) > limits.bundle_entries * _LEAST_ENTRY and len(_COUNTER.decode(data).entry) > limits.bundle_entries:
        detail = f"a Bundle of more than {limits.bundle_entries} entries"
        raise DecodeError(Code.INPUT_TOO_LONG, detail, Step.DECODE)


def _frame(data: bytes, bundle: _Bundle, limits: Limits) -> Any:
    """The Bundle with null in place of each resource, read so that a member that is there twice is refused.

    The resources are read one by one, so that one that is broken takes no other with it.
    """
    parts, position = [], 0
    for entry in bundle.entry:
        if resource := bytes(entry.resource):
            # Were this another place with the same text, the two members would both be in the frame, and refused.
            start = data.index(resource, position)
            parts += [data[position:start], b"null"]
            position = start + len(resource)
    text = b"".join((*parts, data[position:]))
    values = text.count(b",") + text.count(b"{") + text.count(b"[")
    if values > len(bundle.entry) * _VALUES_OF_ENTRY + _VALUES_BESIDE:
        raise ValueError("too many values")
    if values < jsontext.MAX_VALUES:
        return jsontext.read(minified(text), max_depth=limits.json_depth, code=Code.RECORD_UNREADABLE)
    return json.loads(text.decode("utf-8"), object_pairs_hook=_once)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # RFC 8259 §4: names should be unique; what is not is read in several ways.
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a member that is there twice")
    return found


def _is_open(composition: Composition) -> bool:
    return composition.status not in _FINAL or composition.of_status.absent is not None


def _check_document(bundle: _Bundle, limits: Limits) -> None:
    # FHIR R4, Documents: the first resource is the Composition, whose status is that of the whole document.
    first = bundle.entry[0].resource if bundle.entry else msgspec.Raw()
    header = header_of(first) if bytes(first) else None
    if header is None or header.resource_type != "Composition":
        raise IssueError(Code.RECORD_NOT_SUPPORTED, "Bundle: a document begins with its Composition", Step.CONTENT)
    composition = read_resource(first, limits)
    if not isinstance(composition, Composition) or _is_open(composition):
        raise IssueError(Code.RECORD_NOT_FINAL, "Composition.status: the document is not final", Step.CONTENT)
