"""Before a revocation list goes out it is read as those will who get it; what they would refuse is not published."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from datetime import datetime

from healthcert.clock import FixedClock
from healthcert.errors import Code, IssueError, RevocationError, Step
from healthcert.limits import DEFAULT_LIMITS
from healthcert.lists.anchors import TrustAnchor
from healthcert.revocation.feed import RevocationFeed
from healthcert.revocation.files import Given
from healthcert.revocation.store import RevocationStore
from healthcert.revocation.update import install_revocations


def check_taken(
    format_: str,
    files: Mapping[str, bytes],
    count: int,
    moment: datetime,
    *,
    anchors: tuple[TrustAnchor, ...] = (),
    options: Mapping[str, str] | None = None,
) -> None:
    """Raises :class:`IssueError` (``PUBLISHING_REFUSED``) for a list of which not all ``count`` identifiers are taken.

    ``anchors`` and ``options`` are those that its readers set up.
    """
    if any(len(data) > DEFAULT_LIMITS.list_bytes for data in files.values()):
        raise _refused("it is longer than they take")
    feed = RevocationFeed(name="published", format=format_, anchors=anchors, options=options or {})
    with tempfile.TemporaryDirectory() as folder:
        try:
            change = install_revocations(RevocationStore.open(folder), feed, Given(files), clock=FixedClock(moment))
        except RevocationError as error:
            raise _refused(error.detail) from None
    if change.skipped:
        raise _refused(change.skipped[0].error.detail)
    if change.records != count:
        raise _refused(f"{count} identifiers are {change.records} to them")


def _refused(detail: str) -> IssueError:
    return IssueError(Code.PUBLISHING_REFUSED, f"those who read it would refuse it: {detail}", Step.REVOCATION)
