"""The EU's gateway (DGCG): batches of up to 1,000 identifiers, each signed by the country whose certificates they name.

What is pinned are the countries' upload certificates. A batch counts when one of them signed it, of the very country
that it names. The listing is signed by nobody, and is relied on for what there is and what was deleted; nor does what
is signed say which batch it is, nor when it was signed. So who answers in the gateway's place can hold back what they
like, or give an older batch of the country for a newer one. They can add no revocation.

From files: each file is a batch as the gateway hands it out, named by its identifier with any extension. With a
``list.json``, the gateway's whole listing (``{"more": false, "batches": [...]}``), the batches are those that it
names; without one each batch stands for itself, and together they are taken for all that there are.

A country is covered from its first batch on, but not while one of its batches could not be used: what that one revokes
is not known. For the same reason a country without a pinned certificate is not; its batches are not even fetched. That
holds for the countries of the option ``countries`` as well; where it is ``*`` and a country's batches are not known,
the others with a pinned certificate are covered.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import PurePosixPath

from healthcert.errors import Code, FetchError, RevocationError, Step
from healthcert.fetch import Fetcher
from healthcert.revocation.files import Files
from healthcert.revocation.gathering import Gathering
from healthcert.revocation.sources.dgcg_batches import Item, moment_of, read_page
from healthcert.revocation.sources.dgcg_intake import Intake
from healthcert.revocation.sources.protocol import Context, Known, Listed, refused

_LISTING = "list.json"
_LONGEST_NAME = 200
_BEGIN = datetime(2021, 6, 1, tzinfo=UTC)  # before the first batch that there ever was
_RELOAD = timedelta(days=6)  # the gateway forgets deleted batches after 14 days; its documents say 7
# What is asked for once more: batches may share the moment at which a page ends, and moments may be listed without
# their fractions. The finer one is for more batches within a second than a page holds. The last goes on where more
# changed at one moment, as when many expire in one night: the gateway has no way to list the rest of them.
_OVERLAPS = (timedelta(seconds=1), timedelta(microseconds=1), timedelta(0))
_DELETED, _NOT_FOUND = 410, 404
_PATIENCE = 3  # batches in succession that cannot be had before the gateway is left alone


class Gateway:
    """See the module."""

    name = "dgcg"
    title = "EU Digital COVID Certificate Gateway: batches, each signed by its country's upload certificate"
    anchored = True
    incremental = True
    options = ("countries",)

    def read(self, files: Files, into: Gathering, context: Context) -> Listed:
        intake = Intake(into, context)
        names = _batch_files(files)
        listing = next((name for name in files.names() if PurePosixPath(name).name == _LISTING), None)
        if listing is None:
            intake.take_alone((batch, files.read(name) or b"") for batch, name in names.items())
        else:
            page = read_page(files.read(listing) or b"")
            # What the rest of it names would be taken for deleted.
            if page.more:
                raise refused("a listing that goes on elsewhere")
            intake.list_all(page.items, _BEGIN)
            for item in intake.wanted(again=True):
                name = names.get(item.id)
                intake.take_listed(item, None if name is None else files.read(name))
        return intake.listed(whole=True)

    def fetch(self, fetcher: Fetcher, url: str, into: Gathering, known: Known, context: Context) -> Listed | None:
        base = f"{url.rstrip('/')}/revocation-list"
        intake = Intake(into, context, known.state.get("countries", ""))
        basis = intake.basis(base)
        since = _since(known, basis, context.now)
        items, gap = _listing(fetcher, base, since or _BEGIN, context)
        newest = intake.list_all(items, since or _BEGIN)
        problem = _fetch_batches(fetcher, base, intake, intake.wanted(again=since is None), context)
        # What takes the place of a deleted batch may be in what is not listed.
        if gap is None:
            intake.delete()
        if problem := problem or gap:
            # The notes stay as they were, so that the next update is told the same once more.
            return intake.listed(whole=False, state=dict(known.state), problem=problem)
        notes = {"newest": min(newest, context.now).isoformat(), "basis": basis, "countries": intake.countries}
        return intake.listed(whole=since is None, state=notes)


def _fetch_batches(
    fetcher: Fetcher, base: str, intake: Intake, wanted: list[Item], context: Context
) -> RevocationError | None:
    """Takes in the batches one by one; why not all of them could be had."""
    problem, failed = None, 0
    for number, item in enumerate(wanted, 1):
        try:
            message = fetcher.get(f"{base}/{item.id}", limit=context.limits.list_bytes).body
        except FetchError as error:
            # DGCG: 410 says that the batch was deleted. 404 that there never was one, which the listing denies.
            if error.status == _DELETED:
                intake.take_deleted(item)
                continue
            if error.status == _NOT_FOUND:
                intake.take_listed(item, None)
                continue
            intake.miss(item)
            problem = problem or RevocationError(error.code, error.detail, Step.REVOCATION)
            failed += 1
            # One batch that its gateway cannot send must not keep back all that come after it.
            if failed == _PATIENCE:
                for unasked in wanted[number:]:
                    intake.miss(unasked)
                break
            continue
        failed = 0
        intake.take_listed(item, message)
        context.progress(number, len(wanted))
    return problem


def _listing(
    fetcher: Fetcher, base: str, since: datetime, context: Context
) -> tuple[list[Item], RevocationError | None]:
    """What changed after a moment, the oldest change first, and why that may not be all. Raises :class:`FetchError`."""
    found: list[Item] = []
    seen: dict[str, Item] = {}
    gap = None
    room, newest, tries = context.limits.list_bytes, since, 0
    for _ in range(context.limits.list_pages):
        # DGCG: a moment that is still to come is refused.
        moment = max(_BEGIN, min(newest, context.now) - _OVERLAPS[tries])
        response = fetcher.get(base, limit=room, headers={"If-Modified-Since": _iso(moment)})
        if response.status in (204, 304):
            return found, gap
        room -= len(response.body)
        page = read_page(response.body)
        fresh = [item for item in page.items if seen.get(item.id) != item]
        if fresh and not _OVERLAPS[tries]:
            gap = refused("more batches changed at one moment than the gateway lists at once")
        for item in fresh:
            seen[item.id] = item
            newest = max(newest, item.date)
        found += fresh
        if not page.more:
            return found, gap
        tries = 0 if fresh else tries + 1
        if tries == len(_OVERLAPS):
            raise FetchError(Code.FETCH_REFUSED, "the pages of the listing do not go on", Step.REVOCATION)
    raise FetchError(Code.FETCH_REFUSED, f"a listing of more than {context.limits.list_pages} pages", Step.REVOCATION)


def _since(known: Known, basis: str, now: datetime) -> datetime | None:
    """The moment to ask for changes since; None when the whole list is to be fetched."""
    newest = moment_of(known.state.get("newest"))
    if known.loaded_at is None or newest is None or newest > now or known.state.get("basis") != basis:
        return None
    # A clock that was ahead may have let batches expire that are listed as they were.
    if known.fetched_at is None or known.fetched_at > now:
        return None
    return newest if timedelta(0) <= now - known.loaded_at <= _RELOAD else None


def _batch_files(files: Files) -> dict[str, str]:
    """The names of the files with batches, by the batches' identifiers."""
    found: dict[str, str] = {}
    for name in files.names():
        path = PurePosixPath(name)
        if path.name == _LISTING:
            continue
        if path.stem in found or not path.stem.isprintable() or len(path.stem) > _LONGEST_NAME:
            raise refused("two files for one batch, or one whose name cannot be a batch's")
        found[path.stem] = name
    return found


def _iso(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
