"""Revocation lists of issuers of SMART Health Cards (see :mod:`healthcert.revocation.crl`), one for each key."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime

from healthcert.errors import Code, HealthCertError, IssueError, Step
from healthcert.publish.readable_revocations import check_taken
from healthcert.revocation.crl import METHODS, Crl, read_crl

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ISSUER = "https://issuer.example"  # who reads a list back needs one; the list does not name it


def publish(
    kid: str, rids: Mapping[str, datetime | None], *, before: bytes | None = None, method: str = "rid"
) -> bytes:
    """The list of the key ``kid``, to be put at ``<issuer>/.well-known/crl/<kid>.json``.

    ``rids`` are revoked beside those of ``before``, the list until now: only cards from before the moment that is
    given, or all. A rid that was revoked is never less so than it was. The list's ``ctr`` is one more than that of
    ``before``, which itself is returned where nothing is new; it must go into the key's ``crlVersion`` in the issuer's
    key set as well, or nobody fetches the list.

    Raises :class:`IssueError` (``PUBLISHING_REFUSED``).
    """
    if method not in METHODS:
        raise _refused(f"the method is none of {', '.join(METHODS)}")
    old = _old(before, kid, method)
    listed = dict(old.rids)
    for rid, moment in rids.items():
        seconds = None if moment is None else _seconds(moment)
        if rid in listed:
            until = listed[rid]
            seconds = None if until is None or seconds is None else max(until, seconds)
        listed[rid] = seconds
    if before is not None and listed == old.rids:
        return before
    data = _written(Crl(kid, method, old.counter + 1, listed))
    check_taken("shc", {f"{kid}.json": data}, len(listed), _EPOCH, options={"issuer": _ISSUER})
    return data


def _old(before: bytes | None, kid: str, method: str) -> Crl:
    if before is None:
        return Crl(kid, method, 0, {})
    try:
        old = read_crl(before, kid)
    except HealthCertError as error:
        raise _refused(f"the list until now: {error.detail}") from None
    # SMART Health Cards, RFC 002: one method for each key.
    if old.method != method:
        raise _refused("the list until now is of another method")
    return old


def _seconds(moment: datetime) -> int:
    if moment.tzinfo is None:
        raise _refused("a moment without a time zone")
    # Cards of the very second are revoked by one that is after it.
    return math.ceil(moment.timestamp())


def _written(crl: Crl) -> bytes:
    rids = [rid if before is None else f"{rid}.{before}" for rid, before in sorted(crl.rids.items())]
    return json.dumps({"kid": crl.kid, "method": crl.method, "ctr": crl.counter, "rids": rids}, indent=1).encode()


def _refused(detail: str) -> IssueError:
    return IssueError(Code.PUBLISHING_REFUSED, detail, Step.REVOCATION)
