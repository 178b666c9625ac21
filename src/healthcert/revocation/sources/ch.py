"""Switzerland: the revoked identifiers of the COVID Certificate app, in plain, in signed tokens.

Form: ``{"revokedCerts": [UVCI, ...], "validDuration": milliseconds}``. The token brings the chain of its signer along,
up to the root of the federal government, which vouches for many others: who signs is pinned by name. Version 1 of the
service answers with everything at once. Version 2 answers in pages, and says in the header ``X-Next-Since`` what to
ask for the next one with, and in ``up-to-date`` whether there is none; it only ever adds.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from healthcert.errors import Code, FetchError
from healthcert.fetch import Fetcher, Response
from healthcert.lists.anchors import TrustAnchor
from healthcert.lists.chain import chained_token
from healthcert.lists.reading import read_json
from healthcert.revocation.files import Files
from healthcert.revocation.gathering import Gathering, Place
from healthcert.revocation.identifiers import IdentifierType, uvci_hash
from healthcert.revocation.segment import Origin
from healthcert.revocation.sources.protocol import Context, Known, Listed, covered, refused

SIGNER = "CH01-AppContentCertificate"
"""The common name of who signs for production; the test stages have others, which an anchor's ``subject`` names."""
_PLACE = Place(IdentifierType.UVCI)
_LONGEST = timedelta(days=30)
_RELOAD = timedelta(days=7)
_TOKEN = re.compile(r"[!-~]{1,4096}", re.ASCII)
_NEXT, _UP_TO_DATE = "x-next-since", "up-to-date"
_URL, _SINCE, _SIGNED = "url", "since", "signed"


class _Page(Struct, frozen=True):
    """A token whose signature held."""

    keys: tuple[bytes, ...]
    duration: timedelta
    signer: TrustAnchor
    digest: bytes


class Swiss:
    """See the module. The server may ask for a bearer token, the secret option ``token``.

    It speaks for what Switzerland issued, or for the countries of the option ``countries``. How long it holds is
    counted from when it was fetched, or read: nothing that is signed says when it was made.
    """

    name = "ch"
    title = "Switzerland (COVID Certificate): revoked identifiers in signed tokens"
    anchored = True
    incremental = True
    options = ("countries", "token")

    def read(self, files: Files, into: Gathering, context: Context) -> Listed:
        """As the protocol has it. Each file is a token; together they are the list."""
        names = files.names()
        if not 0 < len(names) <= context.limits.list_pages:
            raise refused(f"{len(names)} tokens where 1 to {context.limits.list_pages} belong")
        pages = []
        for number, name in enumerate(names, 1):
            page = _read_page(files.read(name) or b"", context)
            _take(into, name, page)
            # What it names is in: only what it says of itself is needed further on.
            pages.append(replace(page, keys=()))
            context.progress(number, len(names))
        return _listed(pages, {_SIGNED: _digest(pages).hex()}, context, whole=True)

    def fetch(self, fetcher: Fetcher, url: str, into: Gathering, known: Known, context: Context) -> Listed | None:
        """As the protocol has it. ``url`` is that of the service up to ``/revocationList``.

        Where it has pages, only those that are new are fetched, and once a week all of them again. It never finds that
        nothing has changed: how long the list holds is counted from when it was fetched.
        """
        address = f"{url.rstrip('/')}/revocationList"
        since = _digits(known.state.get(_SINCE))
        if known.state.get(_URL) != address or known.loaded_at is None or context.now - known.loaded_at > _RELOAD:
            since = None
        pages, following = _fetch_pages(fetcher, address, since, into, context)
        signed = known.state.get(_SIGNED, "") if since is not None else _digest(pages).hex()
        state = {_URL: address, _SIGNED: signed} | ({} if following is None else {_SINCE: str(following)})
        return _listed(pages, state, context, whole=since is None)


def _fetch_pages(
    fetcher: Fetcher, address: str, since: int | None, into: Gathering, context: Context
) -> tuple[list[_Page], int | None]:
    """Takes in the pages after ``since``; returns them without their keys, and where to go on from another time.

    Raises :class:`FetchError` (``FETCH_REFUSED``) for pages that do not go on, or have no end.
    """
    headers = _headers(context)
    pages: list[_Page] = []
    for number in range(1, context.limits.list_pages + 1):
        query = "" if since is None else f"?since={since}"
        response = fetcher.get(address + query, limit=context.limits.list_bytes, headers=headers)
        page = _read_page(response.body, context)
        pages.append(replace(page, keys=()))
        if page.keys or since is None:
            _take(into, f"since {since or 0}", page)
        context.progress(number, number)
        following = _following(response, since, at_start=number == 1, empty=not page.keys)
        if following is None or not page.keys or response.headers.get(_UP_TO_DATE) == "true":
            return pages, following
        since = following
    raise FetchError(Code.FETCH_REFUSED, f"a list of more than {context.limits.list_pages} pages")


def _take(into: Gathering, batch: str, page: _Page) -> None:
    """Takes the identifiers of a page in, where it is not the one in use."""
    mark = page.digest.hex()
    if into.mark(batch) == mark:
        into.keep(batch)
    else:
        into.add(batch, _PLACE, page.keys, Origin(), mark=mark)


def _following(response: Response, since: int | None, *, at_start: bool, empty: bool) -> int | None:
    """What to ask for the next page with; None where everything came at once."""
    following = _digits(response.headers.get(_NEXT))
    if following is None and since is None and at_start and _NEXT not in response.headers:
        return None
    if following is None or following < (since or 0) or (following == since and not empty):
        raise FetchError(Code.FETCH_REFUSED, "the pages of the list do not go on")
    return following


def _headers(context: Context) -> dict[str, str]:
    # Without it the answers are JSON that nobody signed.
    headers = {"Accept": "application/json+jws"}
    if token := context.options.get("token"):
        if not _TOKEN.fullmatch(token):
            raise refused("token: visible ASCII characters, no spaces", Code.REVOCATION_CONFIG_INVALID)
        headers["Authorization"] = f"Bearer {token}"
    return headers


def _read_page(token: bytes, context: Context) -> _Page:
    """What is in a token, when the pinned signer signed it."""
    anchors = context.pinned()
    named = [a if a.subject is not None else replace(a, subject=SIGNER) for a in anchors]
    payload, signer = chained_token(token.strip(), named, context.now)
    document = read_json(payload, dict)
    identifiers = document.get("revokedCerts")
    if not isinstance(identifiers, list) or not all(isinstance(one, str) and one for one in identifiers):
        raise refused("it has no array of identifiers")
    keys = tuple(map(uvci_hash, identifiers))
    digest = hashlib.sha256(payload).digest()
    return _Page(keys, _duration(document), anchors[named.index(signer)], digest)


def _duration(document: Mapping[str, Any]) -> timedelta:
    """How long the list holds after it was fetched; no longer than can be meant."""
    milliseconds = document.get("validDuration")
    if type(milliseconds) is not int or milliseconds <= 0:
        raise refused("it does not say for how long it holds")
    return min(timedelta(milliseconds=min(milliseconds, 10**12)), _LONGEST)


def _digest(pages: Iterable[_Page]) -> bytes:
    """Of all pages; their order is nobody's word, nor how often one comes."""
    return hashlib.sha256(b"".join(sorted({page.digest for page in pages}))).digest()


def _listed(pages: Sequence[_Page], state: Mapping[str, str], context: Context, *, whole: bool) -> Listed:
    return Listed(
        types=(IdentifierType.UVCI,),
        countries=covered(context, "CH"),
        expires_at=context.now + min(page.duration for page in pages),
        signer=pages[0].signer,
        # While pages are added, it is the list that was last fetched whole.
        signed=bytes.fromhex(state[_SIGNED]) or None,
        whole=whole,
        state=state,
    )


def _digits(text: str | None) -> int | None:
    """The number that a header, or a note, has."""
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 19 else None
