"""What the tests of list formats share: a context, keys to put on lists, a server that is a table, and bad luck."""

from __future__ import annotations

import base64
import copy
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import strategies as st

from healthcert.errors import Code, FetchError, HealthCertError
from healthcert.fetch import Response
from healthcert.issue.pki import KeyPair
from healthcert.limits import DEFAULT_LIMITS, Limits
from healthcert.lists import jwk
from healthcert.lists.anchors import TrustAnchor
from healthcert.trust.keys import TrustedKey
from healthcert.trust.sources.protocol import Context, Source, TrustList
from tests.support import NOW

FEW = msgspec.structs.replace(DEFAULT_LIMITS, trust_entries=1)
"""Bounds under which two entries are too many."""


def context(*anchors: TrustAnchor, **options: Any) -> Context:
    """What a list is read under; ``limits`` are the bounds, any other name is an option of the format."""
    limits: Limits = options.pop("limits", DEFAULT_LIMITS)
    return Context(anchors, NOW, limits, options)


def spki_of(pair: KeyPair) -> bytes:
    return pair.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def certificate_anchor(pair: KeyPair) -> TrustAnchor:
    return TrustAnchor("pinned.pem", spki_of(pair), pair.certificate_der())


def key_anchor(spki: bytes) -> TrustAnchor:
    return TrustAnchor("pinned.key", spki)


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def kid_of(pair: KeyPair) -> bytes:
    return hashlib.sha256(pair.certificate_der()).digest()[:8]


def curve_key(curve: ec.EllipticCurve | None = None) -> bytes:
    """A new bare public key."""
    key = ec.generate_private_key(curve or ec.SECP256R1()).public_key()
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def issuers_jwk(spki: bytes, **members: Any) -> dict[str, Any]:
    """A key as an issuer of SMART Health Cards publishes it; a member of ... is left out."""
    found = {**jwk.jwk_of(spki), "kid": jwk.thumbprint(spki), "use": "sig", "alg": "ES256"} | members
    return {name: value for name, value in found.items() if value is not ...}


def problems(found: TrustList) -> list[tuple[str, str]]:
    """What was skipped: where it stood, and why."""
    return [(entry.source, entry.error.detail) for entry in found.skipped]


def identity(key: TrustedKey) -> tuple[object, ...]:
    return key.kid, key.spki, key.usages, key.issuer, key.domain


def refusal(source: Source, parts: Mapping[str, bytes], under: Context) -> str:
    """The code that a list is refused with, whole."""
    with pytest.raises(HealthCertError) as error:
        source.load(parts, under)
    return error.value.code.value


# --- Bad luck, and bad will ---

ODD: tuple[Any, ...] = (
    None, True, 0, -1, 1 << 70, 1.5, 1e300, "", "A", "AAAAAAAAAAA=", "\ud800", "ü", "x" * 5000,
    [], [None], [[]], {}, {"": 0},
)  # fmt: skip
"""Values that do not belong wherever they are put."""


def mutations(document: Any) -> Iterator[bytes]:
    """A JSON document with an odd value in the place of each of its parts, one at a time; and without each part."""
    for path in _paths(document):
        for odd in ODD:
            yield json.dumps(_put(document, path, odd)).encode()
        if path:
            yield json.dumps(_put(document, path, ...)).encode()


def _paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from _paths(item, (*path, key))


def _put(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    changed = copy.deepcopy(document)
    place = changed
    for key in path[:-1]:
        place = place[key]
    if value is ...:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return changed


def flips(data: bytes) -> Iterator[bytes]:
    """The same bytes with one bit changed, at each byte another."""
    for position in range(len(data)):
        yield data[:position] + bytes((data[position] ^ 1 << position % 8,)) + data[position + 1 :]


def loaded(source: Source, parts: Mapping[str, bytes], under: Context) -> TrustList | None:
    """The list, or None when it is refused; anything else that happens is a failure of the test."""
    try:
        return source.load(parts, under)
    except HealthCertError as error:
        detail = error.detail
    # It is written to be logged.
    assert detail.isprintable()
    assert len(detail) < 300
    return None


def check_no_more(good: TrustList, found: TrustList | None) -> None:
    """That a changed list has no key, or a wider one, that the good list has not."""
    assert found is None or set(map(identity, found.keys)) <= set(map(identity, good.keys))


def damaged(*good: bytes) -> st.SearchStrategy[bytes]:
    """Any bytes, and bytes that begin, end or continue as those of a good part."""

    def change(data: bytes) -> st.SearchStrategy[bytes]:
        places = st.tuples(st.integers(0, len(data)), st.integers(0, len(data)), st.binary(max_size=12))
        return places.map(lambda place: data[: min(place[:2])] + place[2] + data[max(place[:2]) :])

    return st.one_of(st.binary(max_size=200), *map(change, good))


# --- A server ---


class Table:
    """A server that answers as the table says, or a function of URL and headers; what it was asked is kept."""

    def __init__(self, answers: Mapping[str, Response] | Callable[[str, Mapping[str, str]], Response]) -> None:
        self._answers = answers
        self.asked: list[tuple[str, dict[str, str]]] = []

    def get(self, url: str, *, limit: int, headers: Mapping[str, str] | None = None) -> Response:
        self.asked.append((url, dict(headers or {})))
        if isinstance(self._answers, Mapping):
            if url not in self._answers:
                raise FetchError(Code.FETCH_FAILED, "there is no such thing")
            answer = self._answers[url]
        else:
            answer = self._answers(url, headers or {})
        if len(answer.body) > limit:
            raise FetchError(Code.FETCH_REFUSED, "more than was allowed")
        etag = answer.headers.get("etag")
        return Response(304, b"", answer.headers) if etag and (headers or {}).get("If-None-Match") == etag else answer

    def post(self, url: str, body: bytes, *, content_type: str, limit: int) -> Response:
        raise AssertionError("nothing is sent")


def answer(body: bytes, **headers: str) -> Response:
    return Response(200, body, {name.replace("_", "-"): value for name, value in headers.items()})
