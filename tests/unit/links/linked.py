"""Links and files for the tests of links, and a server that stands behind a link."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from healthcert.errors import Code, FetchError
from healthcert.fetch import Response
from healthcert.links.jwe import HEALTH_CARD, encrypt_file
from healthcert.links.link import HealthLink

KEY = bytes(range(32))
URL = "https://links.example.org/shl/Y9xwkUdtmN9wwoJoN3ffJIhX2UGvCL1JnlPVNL3kDWM"
CARD = b'{"verifiableCredential":["eyJ.eyJ.eyJ"]}'
FHIR_FILE = b'{"resourceType":"Patient"}'
LINK = HealthLink(url=URL, key=KEY)


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def members(**changes: Any) -> dict[str, Any]:
    """The members of a link's payload; a change to None takes one out."""
    payload = {"url": URL, "flag": "L", "key": b64(KEY), "label": "Vaccinations", "exp": 1_704_096_000} | changes
    return {name: value for name, value in payload.items() if value is not None}


def text_of(payload: Any, scheme: str = "shlink") -> str:
    """A link as its maker writes it, whatever is in it."""
    data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return f"{scheme}:/{b64(data)}"


def sealed(data: bytes = CARD, content_type: str = HEALTH_CARD, **options: Any) -> str:
    return encrypt_file(data, KEY, content_type=content_type, **options)


@dataclass
class Server:
    """A :class:`Fetcher` that answers what it was told to, and remembers what it was asked."""

    answers: Mapping[str, bytes | FetchError] = field(default_factory=dict)
    asked: list[tuple[str, str, bytes]] = field(default_factory=list)

    def get(self, url: str, *, limit: int, headers: Mapping[str, str] | None = None) -> Response:
        return self._answer("GET", url, b"", limit)

    def post(self, url: str, body: bytes, *, content_type: str, limit: int) -> Response:
        assert content_type == "application/json"
        return self._answer("POST", url, body, limit)

    def _answer(self, method: str, url: str, body: bytes, limit: int) -> Response:
        self.asked.append((method, url, body))
        found = self.answers.get(url, FetchError(Code.FETCH_FAILED, "no such thing", status=404))
        if isinstance(found, FetchError):
            raise found
        assert len(found) <= limit
        return Response(200, found)
