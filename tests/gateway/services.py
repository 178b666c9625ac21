"""The services that answer in their own ways: whose lists come in pages, and who ask for a token."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tests.gateway.messages import Reply, Request
from tests.gateway.server import Gateway

TOKEN = "the-token-of-the-app"


def swiss(gateway: Gateway, path: str, active: Callable[[], bytes], pages: Callable[[], Sequence[bytes]]) -> str:
    """Switzerland: the ids of the active keys, and the keys in pages that are numbered from 0. Needs the app's token.

    Both are asked for anew each time, so that they may change. Gives the address up to ``/keys``.
    """

    def allowed(request: Request) -> bool:
        return request.headers.get("authorization") == f"Bearer {TOKEN}"

    def keys_list(request: Request) -> Reply:
        return Reply(200, active()) if allowed(request) else Reply(403)

    def updates(request: Request) -> Reply:
        if not allowed(request):
            return Reply(403)
        since, all_pages = int(request.query["since"]), pages()
        if request.headers.get("accept") != "application/json+jws":
            return Reply(200, b'{"certs": []}')
        last = len(all_pages) - 1
        page = all_pages[min(since, last)]
        return Reply(200, page, {"X-Next-Since": str(min(since + 1, last)), "up-to-date": str(since >= last).lower()})

    gateway.route(f"{path}/keys/list", keys_list)
    gateway.route(f"{path}/keys/updates", updates)
    return gateway.url + path


def italian(
    gateway: Gateway, path: str, status: Callable[[], bytes], entries: Callable[[], Sequence[tuple[str, bytes]]]
) -> str:
    """Italy: one entry at a time, each with what to ask for the next one with; 204 at the end."""

    def update(request: Request) -> Reply:
        token, all_entries = int(request.headers.get("x-resume-token", "0")), entries()
        if token >= len(all_entries):
            return Reply(204)
        kid, body = all_entries[token]
        return Reply(200, body, {"X-KID": kid, "X-RESUME-TOKEN": str(token + 1)})

    gateway.route(f"{path}/status", lambda _: Reply(200, status()))
    gateway.route(f"{path}/update", update)
    return gateway.url + path


def with_token(gateway: Gateway, path: str, body: Callable[[], bytes], accept: str | None = None) -> str:
    """One document, for whoever shows the app's token; with ``accept``, for whoever asks for that kind of answer."""

    def answer(request: Request) -> Reply:
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return Reply(403)
        return Reply(200, body() if accept in (None, request.headers.get("accept")) else b"{}")

    return gateway.route(path, answer)
