"""Who a message is about: PID to a holder, and to the French identity where one came along."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from healthcert.errors import Code, IssueError, Step
from healthcert.intake.hl7v2.er7 import Message, Segment
from healthcert.intake.hl7v2.values import dated, partial_date
from healthcert.intake.ins import identity_of_identifiers
from healthcert.intake.reading import Identity
from healthcert.model import Holder, Private

# HL7 table 0200: the legal name; else the one in daily use; else one of which nothing is said. Not: nicknames, names of
# artists, aliases, former names, and names that are made up to keep somebody unknown (S).
_NAME_TYPES = ("L", "D", "", "U")
# HL7 table 0445, the standard's own and those of IHE's French extension (PAM): an alias, a duplicate, an identity that
# was switched off, mixed up, hidden, made up, doubted, invalidated, usurped, or of somebody who stays anonymous.
_UNRELIABLE = frozenset(
    ("AL", "ANOM", "CACH", "COLV", "DESA", "DOUA", "DOUB", "DOUT", "DOUTE", "FICT", "FICTI", "INVA", "USUR")
)
_DEFAULT_BIRTH_DATE = "UD"  # HL7 table 0445: unknown, or one that stands for unknown
_VALIDATED = "VALI"
_PREFIX_APART = ("2.3", "2.3.1")


class Patient(Private, frozen=True):
    """A person of a message."""

    holder: Holder
    identity: Identity | None


class _Name(Private, frozen=True):
    family: str
    given: str
    first: str
    is_legal: bool


def read_patient(message: Message, pid: Segment) -> Patient:
    """The person of a PID segment.

    Raises :class:`IssueError`: ``HOLDER_UNKNOWN`` where there is no name that may be certified, its sender doubts who
    it is, or the person has died; ``FIELD_INVALID``; ``IDENTITY_INVALID`` and ``IDENTITY_MISMATCH`` for a French
    identity.
    """
    reliability = {message.component(one, 1) for one in message.repetitions(pid[32])}
    if reliability & _UNRELIABLE:
        raise _unknown(
            f"PID-32: {', '.join(sorted(reliability & _UNRELIABLE))}, an identity that is not to be relied on"
        )
    if message.repetitions(pid[29]) or message.component(pid[30], 1) == "Y":
        raise _unknown("PID-29, PID-30: the person has died")
    name = _name(message, pid)
    birth_date = partial_date("PID-7", dated(message, pid[7]))
    if _DEFAULT_BIRTH_DATE in reliability:
        birth_date = ""
    holder = Holder(family_name=name.family or None, given_name=name.given or None, birth_date=birth_date)
    # Référentiel INS: the number goes along with a qualified identity alone; with any other it identifies nobody.
    return Patient(holder, _identity(message, pid, name, birth_date) if _VALIDATED in reliability else None)


def _name(message: Message, pid: Segment) -> _Name:
    """The name to be certified. Raises :class:`IssueError` where there is none, or several of one type."""
    names: dict[str, list[str]] = {}
    for repetition in message.repetitions(pid[5]):
        parts = message.components(repetition)
        names.setdefault(message.text(parts[6]).upper() if len(parts) > 6 else "", []).append(repetition)
    for kind in _NAME_TYPES:
        found = {_read_name(message, one, kind) for one in names.get(kind, ())} - {None}
        if len(found) > 1:
            raise _unknown("PID-5: several names of one type")
        if name := next(iter(found), None):
            return name
    raise _unknown("PID-5: no name that may be certified; its type is L, D or U")


def _read_name(message: Message, repetition: str, kind: str) -> _Name | None:
    """A name in letters (XPN-8 empty or ``A``); None for one in syllables or ideographs, and for an empty one."""
    parts = message.components(repetition) + [""] * 8
    if message.text(parts[7]).upper() not in ("", "A"):
        return None
    surname, *more = message.subcomponents(parts[0])
    if more and more[0] and message.version in _PREFIX_APART:
        # HL7 v2.3.1, 2.8.51 (XPN): the prefix, as in "van", stands apart; from 2.4 on the surname contains it.
        surname = f"{more[0]} {surname}"
    first, others = (message.text(part) for part in parts[1:3])
    given = _given(first, others)
    return _Name(surname, given, first, kind == "L") if surname or given else None


def _given(first: str, others: str) -> str:
    """All given names. XPN-3 holds those after the first; in France it holds all of them once more."""
    words, beginning = others.split(), first.split()
    if (
        words
        and beginning
        and [_plain(word) for word in words[: len(beginning)]] == [_plain(word) for word in beginning]
    ):
        words = words[len(beginning) :]
    return " ".join(beginning + words)


def _plain(word: str) -> str:
    """A word without its accents, which one of two fields may lack."""
    if word.isascii():
        return word.casefold()
    return "".join(c for c in unicodedata.normalize("NFD", word.casefold()) if not unicodedata.combining(c))


def _identity(message: Message, pid: Segment, name: _Name, birth_date: str) -> Identity | None:
    return identity_of_identifiers(
        _identifiers(message, pid),
        # IHE PAM, French extension: the legal name is that of birth.
        birth_name=name.family if name.is_legal else None,
        given_names=name.given if name.is_legal else None,
        first_given_name=name.first if name.is_legal else None,
        birth_date=birth_date,
        sex=message.component(pid[8], 1),
        birth_place=_birth_place(message, pid),
    )


def _identifiers(message: Message, pid: Segment) -> Iterator[tuple[str | None, str | None, str]]:
    """PID-3: each authority's OID, the type of the identifier, and its value."""
    for repetition in message.repetitions(pid[3]):
        parts = message.components(repetition) + [""] * 5
        authority = [*message.subcomponents(parts[3]), "", ""]
        kind = message.text(parts[4])
        # Systems of before the OIDs name the authority alone, as ASIP-SANTE-INS-NIR.
        yield authority[1] or None, kind or None, message.text(parts[0])


def _birth_place(message: Message, pid: Segment) -> str | None:
    """The INSEE code of the place of birth: an address of type BDL, in its ninth component."""
    for repetition in message.repetitions(pid[11]):
        parts = message.components(repetition)
        if len(parts) > 8 and message.text(parts[6]) == "BDL":
            return message.text(parts[8]) or None
    return None


def _unknown(detail: str) -> IssueError:
    return IssueError(Code.HOLDER_UNKNOWN, detail, Step.CONTENT)
