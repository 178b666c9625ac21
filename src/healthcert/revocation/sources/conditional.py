"""A document that is fetched only when it has changed."""

from __future__ import annotations

from healthcert.errors import Code, FetchError, Step
from healthcert.fetch import Fetcher, Response
from healthcert.revocation.sources.protocol import Context

_NOT_MODIFIED = 304


def get_changed(fetcher: Fetcher, url: str, etag: str | None, context: Context) -> Response | None:
    """What is at ``url``; None when it is what had this ETag. Raises :class:`FetchError`."""
    headers = {"If-None-Match": etag} if etag else {}
    response = fetcher.get(url, limit=context.limits.list_bytes, headers=headers)
    if response.status != _NOT_MODIFIED:
        return response
    # RFC 9110 §15.4.5: it answers a condition. To whom it is told unasked, it does not say what has not changed.
    if not etag:
        raise FetchError(
            Code.FETCH_REFUSED, "the server says that nothing has changed, and was not asked", Step.REVOCATION
        )
    return None
