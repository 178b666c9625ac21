"""Italy: certificates and keys one an answer, and the kids of those that are valid at the moment; unsigned.

The service gives at ``{url}/status`` a JSON array of the valid kids, and at ``{url}/update`` one certificate or public
key after the other: base64 of DER, its kid in the header ``X-KID``, and in ``X-RESUME-TOKEN`` what to ask for the next
one with. Kept as JSON: an object with the entry, or the entries, of each kid.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from healthcert.errors import Code, FetchError
from healthcert.fetch import Fetcher
from healthcert.lists.reading import Rejected, read_json, unreadable
from healthcert.trust.keys import TrustedKey
from healthcert.trust.sources.plain import der_of, listed_key, unsigned
from healthcert.trust.sources.protocol import Context, Fetched, Known, TrustList, check_size, get, part, rejected

_FULL_RELOAD = timedelta(days=7)
_END = frozenset((203, 204))  # 204 No Content; some copies of the service answer 203
_VISIBLE = re.compile("[!-~]{1,256}", re.ASCII)


class Italian:
    """See the module. The part ``token`` is where the next update goes on; reading a list does not need it."""

    name = "it"
    title = "Italy (VerificaC19): certificates and keys one by one, unsigned"
    parts = ("keys", "status")
    anchored = False

    def load(self, parts: Mapping[str, bytes], context: Context) -> TrustList:
        entries = list(_stored(part(parts, "keys"), context))
        status = read_json(part(parts, "status"), list)
        check_size(len(status), context.limits)
        valid = {kid for kid in status if isinstance(kid, str)}
        return unsigned(_entry(f"entry {number}", *entry, valid) for number, entry in enumerate(entries, 1))

    def fetch(self, fetcher: Fetcher, url: str, known: Known, context: Context) -> Fetched | None:
        keys: dict[str, list[Any]] = {}
        token = ""
        goes_on = _goes_on(known, context)
        if goes_on:
            token = known.parts["token"].decode("ascii")
            for kid, text in _stored(known.parts["keys"], context):
                keys.setdefault(kid, []).append(text)
        status, validators = get(fetcher, f"{url}/status", known if goes_on else Known(), context.limits)
        changed = status is not None and status != known.parts.get("status")
        for kid, text, next_token in _updates(fetcher, f"{url}/update", token, context):
            token = next_token
            if text not in keys.setdefault(kid, []):
                keys[kid].append(text)
                changed = True
        if goes_on and not changed:
            return None
        written = json.dumps({kid: texts[0] if len(texts) == 1 else texts for kid, texts in keys.items()})
        parts = {"keys": written.encode(), "status": known.parts["status"] if status is None else status}
        return Fetched(parts | ({"token": token.encode()} if token else {}), validators, whole=not goes_on)


def _goes_on(known: Known, context: Context) -> bool:
    """Whether to fetch only what is new. What was put right or taken away in old entries shows in a full list alone."""
    token = known.parts.get("token", b"")
    if not known.parts.keys() >= {"keys", "status", "token"} or known.loaded_at is None:
        return False
    return context.now - known.loaded_at < _FULL_RELOAD and _VISIBLE.fullmatch(token.decode("latin-1")) is not None


def _stored(data: bytes, context: Context) -> Iterator[tuple[str, Any]]:
    """The kids with their entries; one kid may have several."""
    count = 0
    for kid, found in read_json(data, dict).items():
        for text in found if isinstance(found, list) else [found]:
            count += 1
            check_size(count, context.limits)
            yield kid, text


def _entry(where: str, kid: str, text: Any, valid: set[str]) -> TrustedKey | Rejected:
    if kid not in valid:
        return rejected(where, "not among those that are valid now", Code.KEY_NOT_IN_TRUST_LIST)
    return listed_key(where, kid, der_of(text))


def _updates(fetcher: Fetcher, url: str, token: str, context: Context) -> Iterator[tuple[str, str, str]]:
    """The kid, the text and the token of each entry that comes after ``token``.

    Raises :class:`FetchError` (``FETCH_REFUSED``) for a service that does not get on, or does not end.
    """
    seen, size = {token}, 0
    for _ in range(context.limits.trust_entries + 1):
        headers = {"X-RESUME-TOKEN": token} if token else {}
        response = fetcher.get(url, limit=context.limits.key_file_bytes, headers=headers)
        if response.status in _END:
            return
        kid, token = response.headers.get("x-kid", ""), response.headers.get("x-resume-token", "")
        if not _VISIBLE.fullmatch(kid) or not _VISIBLE.fullmatch(token):
            raise unreadable("an entry comes without its kid, or without what to ask for the next one with")
        # Anything else could go round in a circle for as long as the server likes.
        if token in seen:
            raise FetchError(Code.FETCH_REFUSED, "the service gives the same entries again")
        seen.add(token)
        size += len(response.body)
        if size > context.limits.list_bytes:
            raise FetchError(Code.FETCH_REFUSED, f"more than {context.limits.list_bytes} bytes of entries")
        yield kid, response.body.decode("ascii", "replace"), token
    raise FetchError(Code.FETCH_REFUSED, f"more than {context.limits.trust_entries} entries")
