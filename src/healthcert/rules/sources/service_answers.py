"""Fetching from the business-rule service: lists that have not changed, and documents whose hash is known, are kept."""

from __future__ import annotations

import json
from typing import Any

from healthcert.errors import Code, FetchError, RuleError, Step
from healthcert.fetch import Fetcher, Response
from healthcert.limits import Limits
from healthcert.rules.sources.protocol import Fetched, Known
from healthcert.rules.sources.reading import json_of
from healthcert.rules.sources.service_lists import Item, digest_of

RULES, VALUE_SETS, COUNTRIES, SIGNATURES = "rules", "valuesets", "countrylist", "signatures"
_VERSION = {"X-VERSION": "1.0"}
_SIGNATURE = "x-signature"
_GONE = {404, 410}


class Session:
    """The answers of one update, no longer together, and no more, than one list may be; ``parts`` are those so far."""

    def __init__(self, fetcher: Fetcher, base: str, known: Known, limits: Limits) -> None:
        self._fetcher, self._base, self._known = fetcher, base, known
        self._room = limits.list_bytes
        self._left = self._pages = limits.list_pages
        self._old_signatures = _signatures(known)
        self._signatures: dict[str, Any] = {}
        self._validators: dict[str, str] = {}
        self._parts: dict[str, bytes] = {}

    @property
    def parts(self) -> dict[str, bytes]:
        signatures = json.dumps(self._signatures, sort_keys=True).encode()
        return {**self._parts, SIGNATURES: signatures}

    def get_list(self, name: str) -> None:
        """Fetches a list, unless it is the one that is known. Raises :class:`FetchError`."""
        address = f"{self._base}/{name}"
        etag = self._known.validators.get(address) if name in self._known.parts else None
        response = self._get(address, {"If-None-Match": etag} if etag else {})
        if response.status == 304:
            self._keep(name)
        else:
            self._take(name, response)
        if found := response.headers.get("etag") or (etag if response.status == 304 else None):
            self._validators[address] = found

    def get_document(self, item: Item) -> None:
        """Fetches what an entry stands for, unless its hash is known; one that is gone is left out.

        Raises :class:`FetchError`.
        """
        if item.path in self._parts:
            return
        known = self._known.parts.get(item.path)
        if known is not None and digest_of(known) == item.digest:
            self._keep(item.path)
            return
        try:
            response = self._get(f"{self._base}/{item.address}", {})
        except FetchError as error:
            # It may have been replaced since the list was fetched; any other failure is one of the whole update.
            if error.status not in _GONE:
                raise
            return
        self._take(item.path, response)

    def fetched(self) -> Fetched | None:
        """All of it; None where it is what is known."""
        parts = self.parts
        return None if parts == dict(self._known.parts) else Fetched(parts, self._validators)

    def _get(self, address: str, more: dict[str, str]) -> Response:
        if self._left == 0:
            detail = f"a list in more than {self._pages} answers"
            raise FetchError(Code.FETCH_REFUSED, detail, Step.RULES)
        self._left -= 1
        return self._fetcher.get(address, limit=self._room, headers=_VERSION | more)

    def _keep(self, name: str) -> None:
        self._count(name, self._known.parts[name])
        if name in self._old_signatures:
            self._signatures[name] = self._old_signatures[name]

    def _take(self, name: str, response: Response) -> None:
        self._count(name, response.body)
        if (signature := response.headers.get(_SIGNATURE)) is not None:
            self._signatures[name] = signature

    def _count(self, name: str, body: bytes) -> None:
        self._parts[name] = body
        self._room = max(0, self._room - len(body))


def _signatures(known: Known) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json_of(known.parts.get(SIGNATURES, b"{}"), dict)
    except RuleError:
        return {}
    return found
