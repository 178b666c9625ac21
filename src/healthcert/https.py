"""The fetcher: HTTP over TLS, within its bounds."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from random import SystemRandom
from typing import Self

from healthcert.errors import Code, FetchError
from healthcert.fetch import (
    DEFAULT_BOUNDS,
    Address,
    Answer,
    Bounds,
    Deadline,
    PassingError,
    Response,
    parse_address,
)

_REDIRECTS = {301, 302, 303, 307, 308}
_MAY_PASS = {408, 429, 500, 502, 503, 504}  # statuses of a server that may answer otherwise a little later
_CONDITIONS = {"if-none-match", "if-modified-since"}
_HEADER_CHARS = 4096
_JITTER = SystemRandom().random


class HttpFetcher:
    """A :class:`Fetcher` over HTTP/1.1 and TLS 1.2 or later. Made once, used by any number of threads, and closed.

    No cookies, no password files, no compression, no other server than the one that was asked.
    """

    def __init__(
        self,
        *,
        hosts: frozenset[str] | None = None,
        ca: str | Path | None = None,
        client_certificate: str | Path | None = None,
        client_key: str | Path | None = None,
        passphrase: bytes | None = None,
        pins: frozenset[str] = frozenset(),
        proxy: str | None = None,
        bounds: Bounds = DEFAULT_BOUNDS,
        budget: float | None = None,
        progress: Callable[[str, int, int | None], None] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        random: Callable[[], float] = _JITTER,
    ) -> None:
        """``hosts`` are those that may be asked at all, as ``host`` or, for a port other than 443, ``host:port``.

        ``ca`` is a PEM file with the only authorities that servers' certificates may come from, in place of the
        system's; ``client_certificate`` and ``client_key`` are PEM files to show a server that asks who is there.
        ``pins`` are the keys that a server may have, besides being certified: SHA-256 of SubjectPublicKeyInfo,
        in lower-case hexadecimal. ``proxy`` is ``http://host:port``; without it HTTPS_PROXY and NO_PROXY hold, with an
        empty one none. ``budget`` is how many seconds all requests of this fetcher have together, from the first on,
        whatever ``bounds`` allow each; then nobody is asked any more. ``progress`` is told the URL, how many bytes came
        and how many are to come, where that is known.

        Raises :class:`FetchError` for what cannot be used: ``TRUST_ANCHOR_UNREADABLE``, ``SIGNER_KEY_UNREADABLE``,
        ``FETCH_REFUSED`` for a proxy's address; OSError when a file cannot be read.
        """
        from healthcert import __version__
        from healthcert._network import Network, tls_context

        self._hosts = hosts if hosts is None else frozenset(h.lower().removesuffix(":443") for h in hosts)
        self._bounds = bounds
        self._budget = budget
        self._began: float | None = None
        self._progress = progress
        self._monotonic = monotonic
        self._sleep = sleep
        self._random = random
        self._network = Network(
            tls_context(ca, client_certificate, client_key, passphrase), pins, proxy, bounds, monotonic
        )
        self._own_headers = {
            "User-Agent": f"healthcert/{__version__}",
            # What is compressed could be of any size, whatever comes over the line.
            "Accept-Encoding": "identity",
        }

    def get(self, url: str, *, limit: int, headers: Mapping[str, str] | None = None) -> Response:
        address = self._address(url)
        deadline = self._deadline()
        attempt = 1
        while True:
            try:
                return self._follow(url, address, dict(headers or {}), limit, deadline)
            except PassingError as error:
                # Full jitter: those who lost a server together do not come back together.
                pause = self._random() * min(self._bounds.pause * 2 ** (attempt - 1), self._bounds.longest_pause)
                if error.after is not None:
                    pause += error.after
                in_vain = pause > self._bounds.longest_pause or self._monotonic() + pause >= deadline.at
                if attempt >= self._bounds.attempts or in_vain:
                    raise
            self._sleep(pause)
            attempt += 1

    def post(self, url: str, body: bytes, *, content_type: str, limit: int) -> Response:
        deadline = self._deadline()
        address = self._address(url)
        answer = self._ask(url, address, {"Content-Type": content_type}, body, limit, deadline)
        if isinstance(answer, str):
            raise _refused(address, "it sends a request elsewhere that cannot be repeated")
        return answer

    def close(self) -> None:
        """Closes the connections that are kept open between requests."""
        self._network.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _deadline(self) -> Deadline:
        """That of a request which begins now."""
        now = self._monotonic()
        own = Deadline(now + self._bounds.total, f"{self._bounds.total:g} seconds")
        if self._budget is None:
            return own
        if self._began is None:
            self._began = now
        of_all = Deadline(self._began + self._budget, f"the {self._budget:g} seconds of all requests together")
        return min(own, of_all, key=lambda deadline: deadline.at)

    def _address(self, url: str) -> Address:
        address = parse_address(url)
        if address is None:
            raise FetchError(Code.FETCH_REFUSED, "not the address of a server: https, a name, and no user or fragment")
        if self._hosts is not None and address.authority not in self._hosts:
            raise _refused(address, "not one of the servers that may be asked")
        return address

    def _follow(self, url: str, address: Address, headers: dict[str, str], limit: int, deadline: Deadline) -> Response:
        for _ in range(self._bounds.redirects + 1):
            answer = self._ask(url, address, headers, None, limit, deadline)
            if not isinstance(answer, str):
                return answer
            # Another server is another one to trust, and might be one inside the operator's network.
            elsewhere = parse_address(f"https://{address.authority}{answer}" if _is_path(answer) else answer)
            if elsewhere is None or elsewhere.authority != address.authority:
                raise _refused(address, "it redirects to another server")
            address = elsewhere
        raise _refused(address, f"it redirects more than {self._bounds.redirects} times")

    def _ask(
        self, url: str, address: Address, headers: dict[str, str], body: bytes | None, limit: int, deadline: Deadline
    ) -> Response | str:
        """The answer to one request, or where it redirects to."""
        given = {name.lower() for name in headers}
        own = self._own_headers | {"Host": address.authority} | ({} if "accept" in given else {"Accept": "*/*"})
        fixed = {name.lower() for name in own}
        sent = {name: value for name, value in headers.items() if name.lower() not in fixed} | own
        with self._network.ask(address, sent, body, deadline) as answer:
            found = _first_values(answer)
            if answer.status in _REDIRECTS and "location" in found:
                return found["location"]
            # RFC 9110 §15.4.5: only a conditional request can be answered so.
            if answer.status == 304 and not _CONDITIONS.isdisjoint(given):
                return Response(304, b"", found)
            if not 200 <= answer.status < 300:
                detail = f"{address.host}: it answered with status {answer.status}"
                if answer.status in _MAY_PASS:
                    raise PassingError(detail, _retry_after(found), status=answer.status)
                raise FetchError(Code.FETCH_FAILED, detail, status=answer.status)
            return Response(answer.status, self._body(url, address, answer, found, limit), found)

    def _body(self, url: str, address: Address, answer: Answer, found: Mapping[str, str], limit: int) -> bytes:
        if any(name == "content-encoding" and value.lower() != "identity" for name, value in answer.headers):
            raise _refused(address, "it answered in a compressed form that was not asked for")
        announced = found.get("content-length", "")
        total = int(announced) if re.fullmatch("[0-9]{1,20}", announced) else None
        if total is not None and total > limit:
            raise _refused(address, f"its answer has more than {limit} bytes")
        received = bytearray()
        for chunk in answer.body:
            received += chunk
            if len(received) > limit:
                raise _refused(address, f"its answer has more than {limit} bytes")
            if self._progress is not None:
                self._progress(url, len(received), total)
        return bytes(received)


def _is_path(location: str) -> bool:
    return location.startswith("/") and not location.startswith("//")


def _first_values(answer: Answer) -> dict[str, str]:
    """The headers by name: the first of each, and none that is longer than any has to be."""
    found: dict[str, str] = {}
    for name, value in answer.headers:
        if len(value) <= _HEADER_CHARS:
            found.setdefault(name, value)
    return found


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """How many seconds a server asks to be left alone (RFC 9110 §10.2.3); by its own clock when it names a moment."""
    from email.utils import parsedate_to_datetime

    text = headers.get("retry-after", "")
    if re.fullmatch("[0-9]{1,9}", text):
        return float(text)
    try:
        wait = parsedate_to_datetime(text) - parsedate_to_datetime(headers["date"])
    except (KeyError, ValueError, TypeError, OverflowError, IndexError):
        return None
    return max(0.0, wait.total_seconds())


def _refused(address: Address, detail: str) -> FetchError:
    return FetchError(Code.FETCH_REFUSED, f"{address.host}: {detail}")
