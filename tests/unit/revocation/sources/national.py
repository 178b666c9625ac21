"""What the tests of national lists share: a store that takes a list in, and a server that is a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

import healthcert as hc
from healthcert.errors import Code, FetchError, HealthCertError
from healthcert.fetch import Response
from healthcert.limits import DEFAULT_LIMITS, Limits
from healthcert.lists.anchors import TrustAnchor
from healthcert.revocation.answer import Standing
from healthcert.revocation.feed import RevocationChange, RevocationFeed
from healthcert.revocation.files import Given
from healthcert.revocation.identifiers import IdentifierType, Subject
from healthcert.revocation.store import RevocationStore
from healthcert.revocation.update import install_revocations, update_revocations
from tests.support import NOW

URL = "https://lists.example/v1"


class _Refused(Exception):  # noqa: N818 it is the outcome that is looked for
    def __init__(self, code: Code, detail: str) -> None:
        super().__init__(detail)
        self.code = code


class Server:
    """Answers as the table says, or a function of URL and headers; a number is a status that fails. ``asked`` is kept.

    A body with an etag is answered with 304 to whoever has it.
    """

    def __init__(self, answers: Mapping[str, Any] | Callable[[str, Mapping[str, str]], Any]) -> None:
        self.answers = answers
        self.asked: list[tuple[str, dict[str, str]]] = []

    def get(self, url: str, *, limit: int, headers: Mapping[str, str] | None = None) -> Response:
        given = dict(headers or {})
        self.asked.append((url, given))
        found = self.answers.get(url, 404) if isinstance(self.answers, Mapping) else self.answers(url, given)
        if isinstance(found, int):
            raise FetchError(Code.FETCH_FAILED, f"status {found}", status=found or None)
        answer = found if isinstance(found, Response) else Response(200, found)
        if len(answer.body) > limit:
            raise FetchError(Code.FETCH_REFUSED, "more than was allowed")
        etag = answer.headers.get("etag")
        return Response(304, b"", answer.headers) if etag and given.get("If-None-Match") == etag else answer

    def post(self, url: str, body: bytes, *, content_type: str, limit: int) -> Response:
        raise AssertionError("nothing is sent")

    @property
    def urls(self) -> list[str]:
        """What was asked since the last look."""
        urls = [url for url, _ in self.asked]
        self.asked.clear()
        return urls


class Desk:
    """A store with one source, which lists are installed or fetched into."""

    def __init__(
        self,
        path: Path,
        format_: str,
        *anchors: TrustAnchor,
        limits: Limits = DEFAULT_LIMITS,
        max_loss: float = 0.25,
        url: str = URL,
        options: Mapping[str, str] | None = None,
    ) -> None:
        self.store = RevocationStore.open(path / "store")
        self.feed = RevocationFeed(
            name="it", format=format_, url=url, anchors=anchors, max_loss=max_loss, options=options or {}
        )
        self.limits = limits

    def install(self, files: Mapping[str, bytes], now: datetime = NOW) -> RevocationChange:
        return install_revocations(self.store, self.feed, Given(files), clock=hc.FixedClock(now), limits=self.limits)

    def refusal(self, files: Mapping[str, bytes], now: datetime = NOW) -> str:
        """The code that a list is refused with."""
        with pytest.raises(_Refused) as caught:
            self.take(files, now)
        return caught.value.code.value

    def take(self, files: Mapping[str, bytes], now: datetime = NOW) -> None:
        """As :meth:`install`, with an error of its own for what the list is refused for, and none for a mistake."""
        try:
            self.install(files, now)
        except HealthCertError as error:
            detail = error.detail
            refused = _Refused(error.code, detail)
        else:
            return
        # It is written to be logged, and no mistake of ours.
        assert detail.isprintable()
        assert "internal error" not in detail
        raise refused

    def update(self, server: Server, now: datetime = NOW) -> RevocationChange:
        (change,) = update_revocations(
            self.store, [self.feed], lambda _: server, clock=hc.FixedClock(now), limits=self.limits
        )
        return change

    def fetch(self, server: Server, now: datetime = NOW) -> RevocationChange:
        """An update that must succeed."""
        change = self.update(server, now)
        assert change.error is None, change.error
        return change

    def failure(self, server: Server, now: datetime = NOW) -> str:
        """The code that an update fails with."""
        error = self.update(server, now).error
        assert error is not None
        return error.code.value

    def ask(
        self,
        type_: IdentifierType,
        key: bytes,
        *,
        country: str | None = None,
        kid: bytes | None = None,
        issuer: str | None = None,
        not_before: float | None = None,
        now: datetime = NOW,
    ) -> Standing:
        subject = Subject(kid=kid, country=country, issuer=issuer, not_before=not_before, identifiers={type_: (key,)})
        return self.store.ask(subject, now).standing

    def skipped(self, change: RevocationChange) -> list[tuple[str, str]]:
        return [(one.source, one.error.code.value) for one in change.skipped]


def survives(path: Path, format_: str, files: Mapping[str, bytes], *anchors: TrustAnchor, **options: str) -> None:
    """Reads files that may be anything: nothing but a refusal that was foreseen may come of it."""
    with suppress(_Refused):
        Desk(path, format_, *anchors, options=options).take(files)
