"""Whether certificates are of one holder, told as the wallets tell it: by the date of birth and parts of the names.

The comparison is that of Corona-Warn-App: titles, hyphens, the order of names and a middle name that one certificate
leaves out do not part one person's certificates. It is made for a wallet that keeps certificates together which
somebody has put into it, and proves nobody's identity: one part of each name is enough, so that twins who share a
second name are taken for one person, and so are two people of one day whose names share no more than a particle
("van", "de", "bin"). Where certificates are judged together, as :func:`one_person` says, each has to agree with all.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import chain, combinations
from typing import TypeVar

from healthcert.errors import Code, IssueError, RuleError, Step
from healthcert.families.hcert.names import transliterate
from healthcert.model import HealthCertificate, Holder, Private
from healthcert.rules.assessment import Assessment
from healthcert.rules.book import RuleBook
from healthcert.rules.certlogic import VERSION
from healthcert.rules.forecast import accepted
from healthcert.rules.ruling import RulingOutcome
from healthcert.rules.subject import RuleSubject

T = TypeVar("T")

_SEPARATORS = re.compile(r"[\s<.\-]+")
_SPELLED = {"Ä": "AE", "Ö": "OE", "Ü": "UE"}  # ß is SS in capitals anyway
_TITLE = "DR"
_FIRST, _LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


class Best(Private, frozen=True):
    """The certificate to show: which of those given it is, and for how long it is accepted."""

    place: int
    subject: RuleSubject
    assessment: Assessment


class _Person(Private, frozen=True):
    """What of a holder is compared."""

    given: frozenset[str]
    family: frozenset[str]
    born: str

    def is_same(self, other: _Person) -> bool:
        if self.born != other.born or not (self.given or self.family):
            return False
        if not self.born:
            # Without a date of birth a part of the names is too little: all of them have to agree.
            return (self.given, self.family) == (other.given, other.family)
        straight = _meet(self.given, other.given) and _meet(self.family, other.family)
        # Names that were put into each other's place.
        return straight or (_meet(self.given, other.family) and _meet(self.family, other.given))


def same_holder(one: Holder, other: Holder) -> bool:
    """Whether two holders are one person: the date of birth is the same text, and each name has a part in common.

    Given and family names may have changed places; a name that is missing agrees with one that is missing too. Holders
    without any name are never the same, those without a date of birth only by the whole of their names.
    """
    return _person(one).is_same(_person(other))


def one_person(holders: Iterable[Holder]) -> bool:
    """Whether each of several holders is the same as each other one, and so whether they may be judged together.

    A wallet groups more: a certificate with both of two names brings together two that have but one of them.
    """
    return all(one.is_same(other) for one, other in combinations({_person(holder) for holder in holders}, 2))


def name_components(name: str) -> tuple[str, ...]:
    """The parts of a name that are compared, in capitals and without a doctor's degree: ``Dr. Erika`` is ``ERIKA``."""
    capitals = unicodedata.normalize("NFC", name).upper()
    spelled = "".join(_SPELLED.get(letter, letter) for letter in capitals)
    return tuple(part for part in _SEPARATORS.split(spelled) if part and part != _TITLE)


def group_by_holder(certificates: Iterable[HealthCertificate]) -> tuple[tuple[HealthCertificate, ...], ...]:
    """The certificates by person, groups and their members in the order that they came in.

    A certificate that is of one person with two others brings these together, as in the wallets.
    """
    return grouped(certificates, lambda certificate: certificate.holder)


def grouped(items: Iterable[T], holder_of: Callable[[T], Holder]) -> tuple[tuple[T, ...], ...]:
    """Whatever belongs to holders, by person: :func:`group_by_holder` of anything."""
    given = tuple(items)
    persons = [_person(holder_of(item)) for item in given]
    born: dict[str, list[list[int]]] = {}  # the groups of each date of birth, as places in what was given
    for place, person in enumerate(persons):
        groups = born.setdefault(person.born, [])
        own = [group for group in groups if any(person.is_same(persons[other]) for other in group)]
        born[person.born] = [group for group in groups if group not in own]
        born[person.born].append(sorted([*chain.from_iterable(own), place]))
    return tuple(tuple(given[place] for place in group) for group in sorted(chain.from_iterable(born.values())))


def best_of(
    book: RuleBook,
    subjects: Sequence[RuleSubject],
    *,
    country: str,
    at: datetime,
    region: str | None = None,
    engine_version: str = VERSION,
) -> Best | None:
    """Of several certificates of one holder the one to show in ``country`` at the moment ``at``.

    It is the one among those accepted then that stays so for longest or, where none is, the one that is accepted
    soonest; of equal ones the first. None where none of them will be accepted in the time that is looked at. Raises
    :class:`RuleError`: ``FIELD_INVALID`` for certificates of several holders, and as :func:`forecast.accepted`.
    """
    if len(grouped(subjects, subject_holder)) > 1:
        raise RuleError(Code.FIELD_INVALID, "the certificates are not of one holder", Step.RULES)
    found = []
    for place, subject in enumerate(subjects):
        assessment = accepted(book, subject, country=country, at=at, region=region, engine_version=engine_version)
        if assessment.outcome is RulingOutcome.PASSED or assessment.valid_from is not None:
            found.append(Best(place, subject, assessment))
    return min(found, key=_rank, default=None)


def subject_holder(subject: RuleSubject) -> Holder:
    """The holder as the payload names them; what is no text there names nobody."""
    names = subject.payload.get("nam")
    given = names if isinstance(names, Mapping) else {}
    fn, gn, fnt, gnt = (given.get(name) for name in ("fn", "gn", "fnt", "gnt"))
    born = subject.payload.get("dob")
    return Holder(
        family_name=fn if isinstance(fn, str) else None,
        given_name=gn if isinstance(gn, str) else None,
        birth_date=born if isinstance(born, str) else "",
        family_name_icao=fnt if isinstance(fnt, str) else None,
        given_name_icao=gnt if isinstance(gnt, str) else None,
    )


def _rank(best: Best) -> tuple[bool, datetime, timedelta]:
    """What is accepted comes before what will be, the sooner before the later, the longer before the shorter."""
    window = best.assessment
    passes = window.outcome is RulingOutcome.PASSED
    start = _FIRST if passes or window.valid_from is None else window.valid_from
    return not passes, start, _LAST - (window.valid_until or _LAST)


def _person(holder: Holder) -> _Person:
    return _Person(
        frozenset(name_components(_spelling(holder.given_name_icao, holder.given_name))),
        frozenset(name_components(_spelling(holder.family_name_icao, holder.family_name))),
        holder.birth_date.strip(),
    )


def _spelling(icao: str | None, shown: str | None) -> str:
    """The name as a passport spells it: as given, or made of the one for people where there is no other."""
    if icao and icao.strip("< "):
        return icao
    with suppress(IssueError):
        return transliterate(shown or "")
    return shown or ""


def _meet(one: frozenset[str], other: frozenset[str]) -> bool:
    return not one.isdisjoint(other) or not (one or other)
