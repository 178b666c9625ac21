"""The one door to the network, and its bounds. Lists are fetched, never anything about one person."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Protocol

from msgspec import Struct, field

from healthcert.errors import Code, FetchError

_LABEL = "[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_ADDRESS = re.compile(
    rf"https://({_LABEL}(?:\.{_LABEL})*)(?::([1-9][0-9]{{0,4}}))?(?=[/?]|\Z)", re.ASCII | re.IGNORECASE
)
_LONGEST_NAME = 253
_TARGET = re.compile(r"[/?][!\"$-~]*")  # printable ASCII but for spaces and the fragment, which is never sent
_HTTPS = 443


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


class Bounds(Struct, frozen=True, kw_only=True):
    """How long a server is waited for, in seconds, and how often it is asked."""

    connect: float = 10.0
    """Until a name's addresses are known, and then until a connection stands, for each of the first six of them."""

    read: float = 20.0
    """Without a single byte from the server."""

    total: float = 120.0
    """For one request in all: every attempt, redirect and pause. A server that drips bytes gains nothing by it."""

    attempts: int = 4
    """Times that a GET request is made at most, when the failure may pass."""

    pause: float = 1.0
    """The longest pause before the second attempt; it doubles before each further one."""

    longest_pause: float = 30.0
    """The longest of all pauses. A server that asks for a longer one is not waited for."""

    redirects: int = 3
    """Redirects that are followed, all of them on one server."""


DEFAULT_BOUNDS = Bounds()


class Address(Struct, frozen=True):
    """An https URL, taken apart once, so that nothing else can read it differently."""

    host: str
    port: int
    target: str

    @property
    def authority(self) -> str:
        return self.host if self.port == _HTTPS else f"{self.host}:{self.port}"


class Deadline(Struct, frozen=True):
    """The moment at which a request must be done, on the fetcher's clock, and the bound that set it, in words."""

    at: float
    bound: str


class Answer(Struct, frozen=True):
    """The head of a response, and its body as it arrives. Header names are in lower case, in the order received."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: Iterable[bytes]


class PassingError(FetchError):
    """A failure that may have passed when the server is asked again, in ``after`` seconds if it said so."""

    def __init__(self, detail: str, after: float | None = None, *, status: int | None = None) -> None:
        super().__init__(Code.FETCH_FAILED, detail, status=status)
        self.after = after


def parse_address(url: str) -> Address | None:
    """The parts of an https URL; None for any other, for one with a user, a fragment, or a host that is no name."""
    match = _ADDRESS.match(url)
    if match is None or len(match[1]) > _LONGEST_NAME or int(match[2] or _HTTPS) > 0xFFFF:
        return None
    target = url[match.end() :] or "/"
    if not _TARGET.fullmatch(target):
        return None
    return Address(match[1].lower(), int(match[2] or _HTTPS), target if target[0] == "/" else f"/{target}")
