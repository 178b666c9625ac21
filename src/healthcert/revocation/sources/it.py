"""Italy: the revocation list of VerificaC19 (DRL), hashes in chunks, a snapshot or what changed since; unsigned.

A chunk is JSON: ``version``, ``chunk`` and ``lastChunk``, ``totalNumberUCVI`` (of the whole list at this version), and
either ``revokedUcvi: [...]`` or ``fromVersion`` and ``delta: {insertions: [...], deletions: [...]}``; an entry is the
SHA-256 of the identifier in base64. ``{url}/check?version=N`` tells what there is to get, ``{url}?version=N&chunk=K``
gives it. The rule ``black_list_uvci`` in the settings of the apps is a second, short list: identifiers in plain, with
semicolons between them, of whatever countries.

A version below one that was seen is refused. Nothing else is behind it but the service's TLS certificate, and the
number of entries, which tells when one was lost.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from healthcert.errors import Code
from healthcert.fetch import Fetcher
from healthcert.lists.reading import read_json
from healthcert.revocation.batch import Place
from healthcert.revocation.files import Files
from healthcert.revocation.gathering import Gathering
from healthcert.revocation.identifiers import IdentifierType, uvci_hash
from healthcert.revocation.segment import Origin
from healthcert.revocation.sources.it_chunks import ChangedError, State, changes_of, entries_of, number_of, state_of
from healthcert.revocation.sources.protocol import Context, Known, Listed, covered, refused

_PLACE = Place(IdentifierType.UVCI)
_SNAPSHOT, _SETTINGS = "snapshot", "settings"
_RULE = "black_list_uvci"
_TRIES = 3


# Gets the chunk of a number, the first one being 1.
_Get = Callable[[int], dict[str, Any]]


class Italian:
    """See the module. It speaks for what Italy issued, or for the countries of the option ``countries``."""

    name = "it"
    title = "Italy (VerificaC19): hashes of identifiers, a snapshot and its changes, unsigned"
    anchored = False
    incremental = True
    options = ("countries",)

    def read(self, files: Files, into: Gathering, context: Context) -> Listed:
        """As the protocol has it: all chunks of one snapshot, or of changes to the list in use; or a file of settings.

        Settings are a list of their own, which speaks for nobody unless the option ``countries`` says so.
        """
        names, settings = _sorted(files, context)
        if settings is not None:
            into.add(_SETTINGS, _PLACE, settings, Origin())
            return Listed(types=(IdentifierType.UVCI,), countries=covered(context))
        first = _document(files, names[min(names)])
        new, count = state_of(first), number_of(first, "lastChunk")
        if set(names) != set(range(1, count + 1)):
            raise refused("the files are not all the chunks of one list")
        whole = _take(into, _start(into), new, count, lambda number: _document(files, names[number]), context)
        return _listed(new, context, whole=whole)

    def fetch(self, fetcher: Fetcher, url: str, into: Gathering, known: Known, context: Context) -> Listed | None:
        """As the protocol has it. ``url`` is what stands before ``/check``.

        A list that changes while it is fetched is begun again; changes that do not lead to the number of entries that
        there should be are given up for a snapshot.
        """
        service = _Service(fetcher, url.rstrip("/"), context)
        start, tries = _start(into), 0
        while True:
            try:
                check = service.get("/check" + ("" if start is None else f"?version={start.version}"))
                new, count = state_of(check), number_of(check, "totalChunk")
                if new == start:
                    # Nothing has changed but, perhaps, whom the operator lets it speak for.
                    return _listed(new, context, whole=False)
                if start is not None and new.version == start.version:
                    raise ChangedError("the list in use has another number of entries than it should have")
                whole = _take(into, start, new, count, service.chunks_after(start), context)
            except ChangedError:
                start, tries = None, tries + 1
                if tries == _TRIES:
                    raise
                continue
            return _listed(new, context, whole=whole)


class _Service:
    def __init__(self, fetcher: Fetcher, base: str, context: Context) -> None:
        self._fetcher, self._base, self._context = fetcher, base, context

    def get(self, path: str) -> dict[str, Any]:
        response = self._fetcher.get(self._base + path, limit=self._context.limits.list_bytes)
        document: dict[str, Any] = read_json(response.body, dict)
        return document

    def chunks_after(self, start: State | None) -> _Get:
        query = "" if start is None else f"version={start.version}&"
        return lambda number: self.get(f"?{query}chunk={number}")


def _take(into: Gathering, start: State | None, new: State, count: int, get: _Get, context: Context) -> bool:
    """Takes in ``count`` chunks that lead to ``new``; whether they are all of it, rather than changes to ``start``.

    Raises :class:`ChangedError` when they do not lead there.
    """
    if count > context.limits.list_pages:
        raise refused(f"a list of more than {context.limits.list_pages} chunks", Code.INPUT_TOO_LONG)
    chunks = _chunks(new, count, get, context)
    first: dict[str, Any] = next(chunks, {"revokedUcvi": []})
    # Asked for changes, the service answers with a snapshot all the same where it has forgotten the old version.
    if first.get("delta") is None:
        into.add(_SNAPSHOT, _PLACE, entries_of(itertools.chain((first,), chunks), new), Origin(), mark=new.mark)
        return True
    if start is None or number_of(first, "fromVersion") != start.version:
        raise ChangedError("changes to another list than the one in use")
    changes = changes_of(itertools.chain((first,), chunks), context)
    grown = sum(change.grows for change in changes.values())
    if start.total + grown != new.total:
        raise ChangedError("the changes do not lead to the number of entries that there should be")
    inserted = (key for key, change in changes.items() if change.last)
    into.add(f"changes {new.version}", _PLACE, inserted, Origin(), mark=new.mark)
    into.remove(_PLACE, (key for key, change in changes.items() if not change.last))
    return False


def _chunks(new: State, count: int, get: _Get, context: Context) -> Iterator[dict[str, Any]]:
    """The chunks in order, all of them of one version. Raises :class:`ChangedError`."""
    for number in range(1, count + 1):
        chunk = get(number)
        if state_of(chunk) != new or number_of(chunk, "chunk") != number or number_of(chunk, "lastChunk") != count:
            raise ChangedError("its chunks are of different versions")
        context.progress(number, count)
        yield chunk


def _start(into: Gathering) -> State | None:
    """The list in use, None where there is none or only settings."""
    states = []
    for batch in into.held():
        version, _, total = (into.mark(batch) or "").partition(" ")
        if total:
            states.append(State(int(version), int(total)))
    return max(states, key=lambda state: state.version, default=None)


def _sorted(files: Files, context: Context) -> tuple[dict[int, str], list[bytes] | None]:
    """The names of the files by the numbers of their chunks, and the identifiers that settings name, None without."""
    names: dict[int, str] = {}
    settings: list[bytes] | None = None
    for name in files.names():
        document = read_json(files.read(name) or b"", object)
        if isinstance(document, list):
            settings = [*(settings or []), *_settings(document)]
        elif isinstance(document, dict) and "chunk" in document:
            number = number_of(document, "chunk")
            if number in names or len(names) >= context.limits.list_pages:
                raise refused("a chunk is there twice, or there are too many")
            names[number] = name
        else:
            raise refused("neither a chunk of the list nor settings")
    # What the list takes back would be taken out of the settings as well.
    if bool(names) is (settings is not None):
        raise refused("neither chunks nor settings, or both: each is a source of its own")
    return names, settings


def _settings(rules: Iterable[Any]) -> Iterator[bytes]:
    found: list[Any] = [rule.get("value") for rule in rules if isinstance(rule, dict) and rule.get("name") == _RULE]
    if not found or not all(isinstance(value, str) for value in found):
        raise refused(f"settings without the rule {_RULE}")
    return (uvci_hash(ci) for value in found for ci in value.split(";") if ci)


def _document(files: Files, name: str) -> dict[str, Any]:
    document: dict[str, Any] = read_json(files.read(name) or b"", dict)
    return document


def _listed(new: State, context: Context, *, whole: bool) -> Listed:
    # Of a list that nobody signed, one version may come in several forms: nothing is held against its digest.
    countries = covered(context, "IT")
    return Listed(types=(IdentifierType.UVCI,), countries=countries, counter=new.version, whole=whole)
