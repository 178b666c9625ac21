"""Switzerland: the revoked identifiers of the COVID Certificate app, in plain, in signed tokens.

Form: ``{"revokedCerts": [UVCI, ...], "validDuration": milliseconds}`` (:mod:`healthcert.lists.swiss`). Version 1 of the
service answers with everything at once. Version 2 answers in pages, and says in the header ``X-Next-Since`` what to
ask for the next one with, and in ``up-to-date`` whether there is none; it only ever adds.

Nobody signs these headers, nor when a token was made. A list that another one has replaced here is refused when it
comes again as a whole; against older tokens that were never seen here, and pages that are held back, there is only the
service's TLS certificate.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

from msgspec import Struct
from msgspec.structs import replace

from healthcert.errors import Code, FetchError
from healthcert.fetch import Fetcher, Response
from healthcert.lists.anchors import TrustAnchor
from healthcert.lists.bearer import bearer
from healthcert.lists.reading import read_json
from healthcert.lists.swiss import ACCEPT, NEXT, RELOAD, UP_TO_DATE, digits, signed_token, valid_for
from healthcert.revocation.batch import Place
from healthcert.revocation.files import Files
from healthcert.revocation.gathering import Gathering
from healthcert.revocation.identifiers import IdentifierType, uvci_hash
from healthcert.revocation.segment import Origin
from healthcert.revocation.sources.protocol import Context, Known, Listed, covered, refused

_PLACE = Place(IdentifierType.UVCI)
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
    counted from when it was fetched, or read.
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
        since = digits(known.state.get(_SINCE))
        if known.state.get(_URL) != address or known.loaded_at is None or context.now - known.loaded_at > RELOAD:
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
    headers = ACCEPT | bearer(context.options, lambda detail: refused(detail, Code.REVOCATION_CONFIG_INVALID))
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
        if following is None or not page.keys or response.headers.get(UP_TO_DATE) == "true":
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
    following = digits(response.headers.get(NEXT))
    if following is None and since is None and at_start and NEXT not in response.headers:
        return None
    if following is None or following < (since or 0) or (following == since and not empty):
        raise FetchError(Code.FETCH_REFUSED, "the pages of the list do not go on")
    return following


def _read_page(token: bytes, context: Context) -> _Page:
    """What is in a token, when the pinned signer signed it."""
    payload, signer = signed_token(token, context.pinned(), context.now)
    document = read_json(payload, dict)
    identifiers = document.get("revokedCerts")
    if not isinstance(identifiers, list) or not all(isinstance(one, str) and one for one in identifiers):
        raise refused("it has no array of identifiers")
    keys = tuple(map(uvci_hash, identifiers))
    digest = hashlib.sha256(payload).digest()
    return _Page(keys, valid_for(document), signer, digest)


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
