"""Switzerland: the keys of the COVID Certificate app, in signed tokens: pages of keys, and the ids of the active ones.

The tokens are those of :mod:`healthcert.lists.swiss`. A key that is not active is not trusted, whatever page it is on.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from healthcert.errors import Code, FetchError, Step, TrustError
from healthcert.fetch import Fetcher, Response
from healthcert.limits import Limits
from healthcert.lists.anchors import TrustAnchor, need_anchors
from healthcert.lists.bearer import bearer
from healthcert.lists.jwk import decode, public_key_of_jwk
from healthcert.lists.reading import Rejected, read_json, unreadable
from healthcert.lists.swiss import ACCEPT, NEXT, RELOAD, UP_TO_DATE, digits, signed_token, valid_for
from healthcert.model import EntryType
from healthcert.trust.keys import Assurance, TrustedKey
from healthcert.trust.sources.protocol import Context, Fetched, Known, TrustList, check_size, part, rejected

DOMAIN, LIGHT = "DCC", "CH-LIGHT"
_USAGES = {"v": EntryType.VACCINATION, "r": EntryType.RECOVERY, "t": EntryType.TEST}
_ALL, _LIGHT_LETTER = "sig", "l"
_KID_SIZE = 8
_PAGES = 20
_UP_TO = "up-to"


class Swiss:
    """See the module."""

    name = "ch"
    title = "Switzerland (COVID Certificate): pages of keys and the list of active ones, in signed tokens"
    parts = ("updates", "active")
    anchored = True

    def load(self, parts: Mapping[str, bytes], context: Context) -> TrustList:
        active_payload, signer = _signed(part(parts, "active").strip(), context)
        active = read_json(active_payload, dict)
        ids = active.get("activeKeyIds")
        if not isinstance(ids, list):
            raise unreadable("it has no array of active ids")
        check_size(len(ids), context.limits)
        wanted = {text for text in ids if isinstance(text, str)}
        payloads = [_signed(page, context)[0] for page in _pages(part(parts, "updates"), context.limits)]
        pages = [_certs(read_json(payload, dict)) for payload in payloads]
        check_size(sum(map(len, pages)), context.limits)
        entries = list(_active_entries(pages, wanted))
        keys = (entry for entry in entries if isinstance(entry, TrustedKey))
        return TrustList(
            # Pages that were fetched at different times may overlap.
            keys=tuple(dict.fromkeys(keys)),
            skipped=tuple(entry for entry in entries if isinstance(entry, Rejected)),
            assurance=Assurance.SIGNED_LIST,
            # There is no counter: upTo does not fall, but stays as it is when a key is no longer active.
            expires_at=context.now + valid_for(active),
            signer=signer,
            # The order of the pages is nobody's word, nor how often one comes.
            signed=hashlib.sha256(
                b"".join(sorted({hashlib.sha256(one).digest() for one in (active_payload, *payloads)}))
            ).digest(),
        )

    def fetch(self, fetcher: Fetcher, url: str, known: Known, context: Context) -> Fetched | None:
        """As the protocol has it. ``url`` is that of the service up to ``/keys``; the option ``token`` is the bearer
        token that it asks for. Only pages that are new are fetched, and once a week all of them again.

        It never finds that nothing has changed: how long the list holds is counted from when it was fetched.
        """
        api = _Api(fetcher, url.rstrip("/") + "/keys", context)
        response = api.get("/list")
        up_to = _up_to(_signed_json(response.body.strip(), context))
        _check_order(known, up_to, context)
        if up_to is None:
            up_to = digits(response.headers.get(_UP_TO))
        since = digits(known.validators.get(api.updates))
        before = _usable(known, context)
        if since is None or before is None:
            pages, since = api.pages(0, up_to)
            return _fetched(response.body, pages, {api.updates: str(since)}, whole=True)
        pages, since = api.pages(since, up_to)
        more = [page for page in pages if page not in before]
        return _fetched(response.body, before + more, {api.updates: str(since)}, whole=False)


class _Api:
    """The two resources of the service."""

    def __init__(self, fetcher: Fetcher, base: str, context: Context) -> None:
        self._fetcher, self._base, self._context = fetcher, base, context
        self._headers = ACCEPT | bearer(context.options, _invalid)
        self.updates = f"{base}/updates"

    def get(self, path: str) -> Response:
        return self._fetcher.get(self._base + path, limit=self._context.limits.list_bytes, headers=self._headers)

    def pages(self, since: int, up_to: int | None) -> tuple[list[bytes], int]:
        """The pages of keys after ``since``, and where to go on from another time.

        Raises :class:`FetchError` (``FETCH_REFUSED``) for pages without end, and like :meth:`Swiss.load`.
        """
        found: list[bytes] = []
        end = "" if up_to is None else f"&upTo={up_to}"
        for _ in range(_PAGES):
            response = self.get(f"/updates?certFormat=ANDROID&since={since}{end}")
            page = response.body.strip()
            certs = _certs(_signed_json(page, self._context))
            if certs:
                found.append(page)
            following = digits(response.headers.get(NEXT))
            if not certs or response.headers.get(UP_TO_DATE) == "true":
                return found, since if following is None else max(since, following)
            if following is None or following <= since:
                raise FetchError(Code.FETCH_REFUSED, "the pages of the list do not go on", Step.TRUST)
            since = following
        raise FetchError(Code.FETCH_REFUSED, f"a list of more than {_PAGES} pages", Step.TRUST)


def _fetched(active: bytes, pages: Sequence[bytes], validators: Mapping[str, str], *, whole: bool) -> Fetched:
    updates = json.dumps([page.decode("ascii") for page in pages]).encode()
    return Fetched({"updates": updates, "active": active}, validators, whole)


def _check_order(known: Known, up_to: int | None, context: Context) -> None:
    """Raises :class:`TrustError` (``TRUST_LIST_ROLLED_BACK``) where the active keys were listed before those known."""
    try:
        before = _up_to(_signed_json(part(known.parts, "active").strip(), context))
    except TrustError:
        return
    if before is not None and (up_to is None or up_to < before):
        detail = "the ids of the active keys are older than those that were fetched before"
        raise TrustError(Code.TRUST_LIST_ROLLED_BACK, detail, Step.TRUST)


def _usable(known: Known, context: Context) -> list[bytes] | None:
    """The pages that new ones can be added to; None where all of them are to be fetched."""
    if known.loaded_at is None or context.now - known.loaded_at > RELOAD:
        return None
    try:
        pages = _pages(part(known.parts, "updates"), context.limits)
        # With a signer whose certificate has ended, the whole list would be refused for the sake of one page.
        for page in pages:
            _signed_json(page, context)
    except TrustError:
        return None
    return pages if len(pages) + _PAGES <= context.limits.list_pages else None


def _signed(token: bytes, context: Context) -> tuple[bytes, TrustAnchor]:
    """The payload of a token, when the pinned signer signed it, and which anchor vouches for that one."""
    return signed_token(token, need_anchors(context.anchors, context.now), context.now)


def _signed_json(token: bytes, context: Context) -> dict[str, Any]:
    document: dict[str, Any] = read_json(_signed(token, context)[0], dict)
    return document


def _pages(updates: bytes, limits: Limits) -> list[bytes]:
    """The tokens: an array of them, or the only one as it was fetched."""
    if not updates.lstrip().startswith(b"["):
        return [updates.strip()]
    found = read_json(updates, list)
    if not all(isinstance(text, str) for text in found):
        raise unreadable("a page that is no text")
    if len(found) > limits.list_pages:
        raise TrustError(Code.INPUT_TOO_LONG, f"a list of more than {limits.list_pages} pages", Step.TRUST)
    return [text.encode("utf-8", "replace") for text in found]


def _active_entries(pages: Sequence[Sequence[Any]], wanted: set[str]) -> Iterator[TrustedKey | Rejected]:
    """The keys on the pages whose ids are wanted."""
    given = set()
    for number, page in enumerate(pages, 1):
        for position, item in enumerate(page, 1):
            key_id = item.get("keyId") if isinstance(item, dict) else None
            if isinstance(key_id, str) and key_id in wanted:
                given.add(key_id)
                yield from _entries(f"page {number}, key {position}", key_id, item)
    if missing := len(wanted - given):
        yield rejected("activeKeyIds", f"{missing} of them are on no page", Code.TRUST_LIST_UNREADABLE)


def _certs(page: Mapping[str, Any]) -> list[Any]:
    certs = page.get("certs")
    if not isinstance(certs, list):
        raise unreadable("a page without an array of keys")
    return certs


def _entries(where: str, key_id: str, item: Mapping[str, Any]) -> list[TrustedKey | Rejected]:
    """A key, once for each domain that it may sign in."""
    use = item.get("use")
    usages = {_USAGES[letter] for letter in _USAGES if letter in use} if isinstance(use, str) else set()
    light = isinstance(use, str) and _LIGHT_LETTER in use
    # The app takes letters from wherever they stand, "sig" for everything, and what it does not know for nothing.
    if use != _ALL and not usages and not light:
        return [rejected(where, "none of its usages is known")]
    try:
        kid = decode(key_id)
        spki = public_key_of_jwk(_jwk(item))
    except ValueError:
        return [rejected(where, "its id is not base64")]
    except TrustError as error:
        return [Rejected(where, error)]
    # HCERT specification, Appendix A.1.
    if len(kid) != _KID_SIZE:
        return [rejected(where, f"its id is not of {_KID_SIZE} bytes")]
    key = TrustedKey(kid=kid, spki=spki)
    found: list[TrustedKey | Rejected] = []
    if use == _ALL:
        found.append(key.within(DOMAIN))
    elif usages:
        found.append(key.limited_to(usages).within(DOMAIN))
    if light:
        # A light certificate has no entry of any type; a key for them alone may sign nothing that has one.
        found.append(key.limited_to(()).within(LIGHT))
    return found


def _jwk(item: Mapping[str, Any]) -> dict[str, Any]:
    """The key as a JWK, which it is but for kty; "RS256" stands for an RSA key, whatever it signs with."""
    if item.get("alg") == "ES256" and item.get("crv", "P-256") in ("P-256", None):
        return {"kty": "EC", "crv": "P-256", "x": item.get("x"), "y": item.get("y")}
    if item.get("alg") == "RS256":
        return {"kty": "RSA", "n": item.get("n"), "e": item.get("e")}
    raise TrustError(Code.CERTIFICATE_UNREADABLE, "a key of an unknown kind", Step.TRUST)


def _up_to(active: Mapping[str, Any]) -> int | None:
    """The number of the last key there was when the active ones were listed."""
    value = active.get("upTo")
    return value if type(value) is int and 0 <= value < 10**18 else None


def _invalid(detail: str) -> TrustError:
    return TrustError(Code.TRUST_CONFIG_INVALID, detail, Step.TRUST)
