"""What becomes of the EU gateway's batches in one update: which are wanted, which are taken in, and whom they cover."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime

from healthcert.errors import Code, RevocationError
from healthcert.lists.reading import is_country
from healthcert.revocation.batch import Place
from healthcert.revocation.gathering import Gathering
from healthcert.revocation.segment import Origin
from healthcert.revocation.sources.dgcg_batches import TYPES, Content, Item, country_of, read_batch
from healthcert.revocation.sources.protocol import Context, Listed, covered, refused

# A batch's mark is its country and who signed it. One with nothing in use is remembered, too, and why it is empty: with
# the second in which it expired, or the country that it says that it is of, where that is another than is listed.
_EXPIRED, _FOREIGN, _UNUSABLE = "expired", "foreign", "unusable"


class Intake:
    """One update: what is listed, and what becomes of each batch."""

    def __init__(self, into: Gathering, context: Context, countries: str = "") -> None:
        """``countries`` are those that had a batch before.

        Raises :class:`RevocationError` (``REVOCATION_ANCHOR_MISSING``) when no upload certificate is pinned.
        """
        self._into, self._context = into, context
        self._anchors = [anchor for anchor in context.pinned() if country_of(anchor) is not None]
        if not self._anchors:
            detail = "batches are signed: pin the upload certificates of their countries"
            raise refused(detail, Code.REVOCATION_ANCHOR_MISSING)
        self._pinned = {country for anchor in self._anchors if (country := country_of(anchor)) is not None}
        # A certificate that has ended was valid when its batches came in. What one signed that is not pinned any more
        # goes with the next whole list, and not before: until then the list covers whom it covered.
        self._signers = {anchor.fingerprint: anchor for anchor in context.anchors}
        self._items: dict[str, Item] = {}
        self._on_list: set[str] = set()
        self._countries = {country for country in countries.split(",") if is_country(country)}
        self._doubtful: set[str] = set()
        self._missed: set[str] = set()

    @property
    def countries(self) -> str:
        """Those that ever had a batch."""
        return ",".join(sorted(self._countries))

    def basis(self, base: str) -> str:
        """What decides which batches are believed; when it changes, all of them are looked at again."""
        return hashlib.sha256("\n".join((base, *sorted(a.fingerprint for a in self._anchors))).encode()).hexdigest()

    def list_all(self, items: Iterable[Item], newest: datetime) -> datetime:
        """Takes note of what is listed. The latest moment that is named."""
        for item in items:
            self._items[item.id] = item
            newest = max(newest, item.date)
        self._countries.update(item.country for item in self._items.values())
        for country in sorted({item.country for item in self._items.values()} - self._pinned):
            detail = "no upload certificate of the country is pinned and valid"
            self._into.skip(country, refused(detail, Code.REVOCATION_LIST_NOT_AUTHENTIC))
        return newest

    def wanted(self, *, again: bool) -> list[Item]:
        """The listed batches that did not come in yet; ``again`` with those that could not be used. The others stay."""
        found = []
        for item in self._items.values():
            if item.deleted:
                continue
            self._on_list.add(item.id)
            country, why = self._standing(item.id)
            if country == item.country and self._is_settled(why, again=again):
                self._into.keep(item.id)
            elif item.country in self._pinned:
                found.append(item)
        return found

    def take_alone(self, given: Iterable[tuple[str, bytes]]) -> None:
        """Takes in batches that nobody lists. Raises :class:`RevocationError` when none of them can be used."""
        errors: list[RevocationError | None] = []
        for batch, message in given:
            self._on_list.add(batch)
            errors.append(self._take(batch, message, None))
        if all(errors):
            raise next((error for error in errors if error is not None), refused("there is no batch"))

    def take_listed(self, item: Item, message: bytes | None) -> None:
        """Takes in what there is of a listed batch."""
        if message is None:
            self._reject(item.id, item.country, refused("the listing names it, and it is not there"))
        else:
            self._take(item.id, message, item)

    def take_deleted(self, item: Item) -> None:
        """The batch was deleted after it was listed."""
        self._into.withdraw(item.id)

    def miss(self, item: Item) -> None:
        """A listed batch cannot be had at this time."""
        self._missed.add(item.country)

    def delete(self) -> None:
        """What is listed as deleted goes out of use, but for countries of which a batch cannot be had at this time.

        What it revokes may be what another batch did, which was deleted because of it.
        """
        for item in self._items.values():
            if item.deleted and item.country not in self._missed:
                self._into.withdraw(item.id)

    def listed(
        self, *, whole: bool, state: dict[str, str] | None = None, problem: RevocationError | None = None
    ) -> Listed:
        """What is to be said of the list when all is done."""
        marks = [self._standing(one) for one in self._into.held() if not whole or one in self._on_list]
        signers = {why for _, why in marks}
        unusable = ((country, why.split()) for country, why in marks if why.startswith(_UNUSABLE))
        doubtful = self._doubtful.union(*((country, *why[1:]) for country, why in unusable))
        return Listed(
            types=TYPES,
            countries=self._covered(doubtful),
            # The first of several. ``signed`` is left out: what is signed are the batches, and which of them there are
            # may honestly come to be what it was before.
            signer=next((anchor for mark, anchor in self._signers.items() if mark in signers), None),
            whole=whole,
            state=state or {},
            problem=problem,
        )

    def _covered(self, doubtful: set[str]) -> frozenset[str]:
        """The countries that the list speaks for: none of which it is not known what all batches revoke."""
        named = covered(self._context, *(self._countries & self._pinned))
        # Where a file cannot even be told whose it is, it may be anybody's.
        if "" in doubtful:
            return frozenset()
        lacking = doubtful | (self._countries - self._pinned)
        # All countries but some cannot be said; so it is those whose batches would be believed.
        if "*" in named and lacking:
            named = (named - {"*"}) | self._pinned
        return named - lacking

    def _is_settled(self, why: str, *, again: bool) -> bool:
        """Whether a batch need not be looked at any more, for what is remembered of it."""
        if why.startswith(_EXPIRED):
            # While this machine's clock was ahead, what is wanted had expired.
            return int(why.removeprefix(_EXPIRED)) <= self._context.now.timestamp()
        return why in self._signers or (why != "" and not again)

    def _take(self, batch: str, message: bytes, item: Item | None) -> RevocationError | None:
        """Takes a batch into use; why not, where it cannot be."""
        try:
            content, anchor = read_batch(message, self._anchors)
        except RevocationError as unusable:
            self._reject(batch, "" if item is None else item.country, unusable)
            return unusable
        self._countries.add(content.country)
        if item is not None and content.country != item.country:
            detail = "a batch of another country than the one that is listed for it"
            unlisted = refused(detail, Code.REVOCATION_LIST_NOT_AUTHENTIC)
            self._reject(batch, item.country, unlisted, content.country)
            return unlisted
        error = None
        if content.expires <= self._context.now:
            self._remember(batch, content.country, f"{_EXPIRED} {int(content.expires.timestamp())}")
        elif (error := self._problem_with_kid(content)) is not None:
            self._into.skip(_where(batch, content.country), error)
            self._remember(batch, content.country, _FOREIGN)
        else:
            self._into.add(
                batch,
                Place(content.type, content.kid),
                content.hashes,
                Origin(expires=int(content.expires.timestamp()), country=content.country),
                mark=f"{content.country}:{anchor.fingerprint}",
                date="" if item is None else item.date.isoformat(),
            )
        return error

    def _problem_with_kid(self, content: Content) -> RevocationError | None:
        # The gateway does not look at whose key a kid is.
        owners = self._context.countries_of(content.kid) if content.kid is not None else frozenset()
        if not owners or content.country in owners:
            return None
        return refused("its kid is that of another country's key", Code.REVOCATION_NOT_ALLOWED)

    def _reject(self, batch: str, country: str, error: RevocationError, *others: str) -> None:
        """The batch cannot be used. One of its name that is in use stays; otherwise it is remembered as such.

        It would have been of this country, or of ``others``, or those that it seemed to be of before.
        """
        self._into.skip(_where(batch, country), error)
        before, why = self._standing(batch)
        if why.startswith(_UNUSABLE):
            others = tuple(sorted({before, *others, *why.split()[1:]} - {country}))
        self._doubtful.update((country, *others))
        if why in self._signers:
            self._into.keep(batch)
        elif country:
            self._remember(batch, country, " ".join((_UNUSABLE, *others)))

    def _remember(self, batch: str, country: str, why: str) -> None:
        """Keeps in mind that nothing of a batch is in use, so that it is not fetched at every update."""
        self._into.add(batch, Place(TYPES[0]), (), Origin(), mark=f"{country}:{why}")

    def _standing(self, batch: str) -> tuple[str, str]:
        """The country of a batch that is remembered, and who signed it or why nothing of it is in use."""
        country, _, signer = (self._into.mark(batch) or "").partition(":")
        return country, signer


def _where(batch: str, country: str) -> str:
    return f"{country} {batch}".lstrip()
