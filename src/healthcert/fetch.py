"""The one door to the network, and its bounds. Lists are fetched, never anything about one person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from msgspec import Struct, field


class Response(Struct, frozen=True):
    """What a server answered. Header names are in lower case."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


class Fetcher(Protocol):
    """Fetches within bounds, over TLS alone; every failure is a :class:`FetchError`."""

    def get(self, url: str, *, limit: int, headers: Mapping[str, str] | None = None) -> Response:
        """The answer to a GET request, when its status is 2xx or 304 and its body is of at most ``limit`` bytes.

        Raises :class:`FetchError`: ``FETCH_FAILED`` when the server could not be reached or answered otherwise, after
        retries where they may help; ``FETCH_REFUSED`` when what it answered goes beyond the bounds.
        """
        ...

    def post(self, url: str, body: bytes, *, content_type: str, limit: int) -> Response:
        """The answer to a POST request, likewise; it is sent once."""
        ...
