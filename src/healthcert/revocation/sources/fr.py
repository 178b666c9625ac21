"""France: the block lists of TousAntiCovid Verif, one of EU DCCs and one of 2D-DOCs, unsigned.

Form: ``{"elements": [{"hash": SHA-256 in hexadecimal, "active": bool}], "lastIndexBlacklist": number}``, in pages at
``{url}/dcc/{index}`` and ``{url}/2ddoc/{index}``; what is said last of a hash holds. In files, those with ``2ddoc`` in
their names are about 2D-DOCs, those with ``dcc`` or ``qrcode`` about DCCs; numbers in names are in the order of pages.
sanipasse hands both lists on as one JSON
string of hashes with spaces between them, which no longer tells which are which, and has the first page of each alone.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from healthcert.errors import Code, FetchError
from healthcert.fetch import Fetcher
from healthcert.lists.bearer import bearer
from healthcert.lists.reading import read_json
from healthcert.revocation.batch import Place
from healthcert.revocation.files import Files
from healthcert.revocation.gathering import Gathering
from healthcert.revocation.identifiers import IdentifierType
from healthcert.revocation.segment import Origin
from healthcert.revocation.sources.protocol import Context, Known, Listed, covered, refused

_DCC, _2DDOC = IdentifierType.FR_DCC, IdentifierType.FR_2DDOC
_PATHS = {_DCC: "dcc", _2DDOC: "2ddoc"}
_HASH = re.compile("[0-9a-fA-F]{64}", re.ASCII)
_NUMBERED = re.compile("([^0-9]*)([0-9]{0,18})", re.ASCII)

_NOT_FOUND = 404

Page = tuple[list[tuple[bytes, bool]], int | None]


class French:
    """See the module. The server asks for a token, the secret option ``token``.

    It speaks for what France issued, or for the countries of the option ``countries``. What was handed on speaks for
    nobody unless that option says so, and pages of a list of which there are more never do. Nothing but the TLS
    certificate of the server keeps an older list from coming again.
    """

    name = "fr"
    title = "France (TousAntiCovid Verif): block lists of DCCs and 2D-DOCs, unsigned"
    anchored = False
    incremental = False
    options = ("countries", "token")

    def read(self, files: Files, into: Gathering, context: Context) -> Listed:
        standing: dict[IdentifierType, dict[bytes, bool]] = {}
        own = {"FR"}
        there, ends = Counter[IdentifierType](), Counter[IdentifierType]()
        # What a later page says of a hash holds.
        for number, name in enumerate(names := sorted(files.names(), key=_in_order), 1):
            document = read_json(files.read(name) or b"", object)
            types: tuple[IdentifierType, ...] = (_DCC, _2DDOC)
            if isinstance(document, str):
                found = [(_key(text), True) for text in document.split(" ")]
                own.clear()
            elif isinstance(document, dict):
                types = (_type_of(name),)
                found, last = _page(document)
                there[types[0]] += len(found)
                ends[types[0]] = max(ends[types[0]], last or 0)
            else:
                raise refused("neither a page of the list nor a text of hashes")
            for type_ in types:
                standing.setdefault(type_, {}).update(found)
                _check_size(standing[type_], context)
            context.progress(number, len(names))
        if not standing:
            raise refused("no file of a list")
        # What is missing up to the end would look as if it were not revoked, whatever countries the operator names.
        if any(there[type_] < end for type_, end in ends.items()):
            return _listed(standing, into, frozenset())
        return _listed(standing, into, covered(context, *own))

    def fetch(self, fetcher: Fetcher, url: str, into: Gathering, known: Known, context: Context) -> Listed | None:
        """As the protocol has it. ``url`` is what stands before ``/dcc`` and ``/2ddoc``; all is fetched each time."""
        headers = bearer(context.options, lambda detail: refused(detail, Code.REVOCATION_CONFIG_INVALID))
        standing: dict[IdentifierType, dict[bytes, bool]] = {_DCC: {}, _2DDOC: {}}
        for type_, path in _PATHS.items():
            _fetch_pages(fetcher, f"{url.rstrip('/')}/{path}", headers, standing[type_], context)
        return _listed(standing, into, covered(context, "FR"))


def _fetch_pages(
    fetcher: Fetcher, base: str, headers: Mapping[str, str], standing: dict[bytes, bool], context: Context
) -> None:
    """Adds the pages of one list, each asked for by how many elements came before it, until one brings nothing new.

    Raises :class:`FetchError` (``FETCH_REFUSED``) for a list that ends before it says that it does, or not at all.
    """
    index, end = 0, 0
    for number in range(1, context.limits.list_pages + 1):
        try:
            response = fetcher.get(f"{base}/{index}", limit=context.limits.list_bytes, headers=headers)
            elements, last = _page(read_json(response.body, dict))
        except FetchError as error:
            # Nobody documents what the server answers behind the end.
            if error.status != _NOT_FOUND or not number > 1:
                raise
            elements, last = [], None
        context.progress(number, number)
        index, end = index + len(elements), max(end, last or 0)
        if all(standing.get(key) is active for key, active in elements):
            # What is missing between here and the end would look as if it were not revoked.
            if index < end:
                raise FetchError(Code.FETCH_REFUSED, "the list ends before its last element")
            return
        standing.update(elements)
        _check_size(standing, context)
    raise FetchError(Code.FETCH_REFUSED, f"a list of more than {context.limits.list_pages} pages")


def _page(document: Mapping[str, Any]) -> Page:
    """The elements of a page, and the index of the last one of the list where the page tells."""
    elements, last = document.get("elements"), document.get("lastIndexBlacklist")
    if not isinstance(elements, list):
        raise refused("a page without an array of elements")
    if last is not None and (type(last) is not int or last < 0):
        raise refused("a last index that is no number")
    return [_element(item) for item in elements], last


def _element(item: Any) -> tuple[bytes, bool]:
    active = item.get("active") if isinstance(item, dict) else None
    if not isinstance(active, bool):
        raise refused("an element that does not say whether it is active")
    return _key(item.get("hash")), active


def _key(text: object) -> bytes:
    if not isinstance(text, str) or not _HASH.fullmatch(text):
        raise refused("a hash that is not 64 hexadecimal digits")
    return bytes.fromhex(text)


def _type_of(name: str) -> IdentifierType:
    """Which list a file is of, by its name or that of its folder."""
    lower = name.lower()
    if "2ddoc" in lower:
        return _2DDOC
    if "dcc" in lower or "qrcode" in lower:
        return _DCC
    raise refused("the file's name does not say whether it is the list of DCCs (dcc) or of 2D-DOCs (2ddoc)")


def _in_order(name: str) -> list[tuple[str, int]]:
    """What to sort names by, so that 10 comes after 9."""
    return [(text, int(number or 0)) for text, number in _NUMBERED.findall(name)]


def _check_size(found: Mapping[bytes, bool], context: Context) -> None:
    if len(found) > context.limits.revocation_entries:
        raise refused(f"more than {context.limits.revocation_entries} identifiers", Code.INPUT_TOO_LONG)


def _listed(
    standing: Mapping[IdentifierType, Mapping[bytes, bool]], into: Gathering, countries: frozenset[str]
) -> Listed:
    for type_, hashes in standing.items():
        into.add(_PATHS[type_], Place(type_), _active(hashes), Origin())
    return Listed(types=tuple(standing), countries=countries)


def _active(hashes: Mapping[bytes, bool]) -> Iterable[bytes]:
    return (key for key, active in hashes.items() if active)
