"""The French health identity (INS): a number with its key, the traits beside it, and what they say of each other.

Sources: the number (NIR) is that of decree 82-103 of 22 January 1982, article 4; who carries it how, and under which
OID, is in HL7 France's FR Core (profile ``fr-core-patient-ins``) and IHE's French extension of PAM. The traits are
those of the national rules of identification (RNIV): birth name and given names in capital letters without accents,
birth date, sex, and the INSEE code of the place of birth.

An identity serves to match records. It goes into no certificate and no message: errors here name a rule, and never a
value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from healthcert.errors import Code, IssueError, Step
from healthcert.intake.ins_traits import apart, birth_date_of, differences, place_of, sex_of, spelled, starts
from healthcert.intake.reading import Identity

NIR, NIA = "1.2.250.1.213.1.4.8", "1.2.250.1.213.1.4.9"
TEST, DEMO = "1.2.250.1.213.1.4.10", "1.2.250.1.213.1.4.11"
OIDS = (NIR, TEST, DEMO, NIA)
"""Who gives such numbers, the one that counts first: registered ones, those of made-up persons, provisional ones."""

# FR Core, code system fr-core-cs-v2-0203. IHE PAM France writes INS, and leaves the rest to the authority's OID.
_OF_TYPE = {"INS-NIR": NIR, "INS-NIA": NIA, "INS-NIR-TEST": TEST, "INS-NIR-DEMO": DEMO}

# Sex, year, month, department (the former ones of North Africa among them), commune or country, number in the register.
# Months beyond 12 stand for one that the civil register does not know.
_NUMBER = re.compile(
    r"(?P<sex>[123478])(?P<year>[0-9]{2})(?P<month>0[1-9]|1[0-2]|2[0-9]|3[0-9]|4[0-2]|[5-9][0-9])"
    r"(?P<place>(?:0[1-9]|[1-9][0-9]|2[AB])[0-9]{3})[0-9]{3}(?P<key>[0-9]{2})"
)
_CHANGED_BY_LAW = {"sex", "given_names"}
_SEX_OF_DIGIT = {"1": "M", "3": "M", "7": "M", "2": "F", "4": "F", "8": "F"}


def read_identity(
    matricule: str,
    oid: str = NIR,
    *,
    birth_name: str | None = None,
    given_names: str | None = None,
    first_given_name: str | None = None,
    birth_date: str | None = None,
    sex: str | None = None,
    birth_place: str | None = None,
) -> Identity:
    """An identity whose number and traits were read, and fit each other. A trait that is None or empty is not known.

    ``oid`` may begin with ``urn:oid:``. Names are brought to the spelling of the INS; ``first_given_name`` is the one
    that goes alone in many systems, and must be the first of ``given_names``. ``birth_date`` is ISO 8601 text and may
    be partial; ``sex`` is a code of the INS, FHIR or HL7 v2.

    Raises :class:`IssueError`: ``IDENTITY_INVALID`` for a number or trait of the wrong form or with the wrong key, and
    ``IDENTITY_MISMATCH`` for traits that the number contradicts.
    """
    oid = oid.removeprefix("urn:oid:")
    if oid not in OIDS:
        raise _invalid("oid: one of those that the INS has")
    names = _trait("given_names", given_names, spelled)
    first = _trait("first_given_name", first_given_name, spelled)
    if names is not None and first is not None and not starts(names, first):
        raise IssueError(Code.IDENTITY_MISMATCH, "first_given_name: the first one of the given names", Step.CONTENT)
    identity = Identity(
        matricule=read_matricule(matricule),
        oid=oid,
        birth_name=_trait("birth_name", birth_name, spelled),
        given_names=names or first,
        birth_date=_trait("birth_date", birth_date, birth_date_of),
        sex=_trait("sex", sex, sex_of),
        birth_place=_trait("birth_place", birth_place, place_of),
    )
    if contradicted := contradictions(identity):
        detail = f"{', '.join(contradicted)}: not what the number of the identity says"
        raise IssueError(Code.IDENTITY_MISMATCH, detail, Step.CONTENT)
    return identity


def identity_of_identifiers(
    identifiers: Iterable[tuple[str | None, str | None, str]],
    *,
    birth_name: str | None = None,
    given_names: str | None = None,
    first_given_name: str | None = None,
    birth_date: str | None = None,
    sex: str | None = None,
    birth_place: str | None = None,
) -> Identity | None:
    """The identity among a record's identifiers, each its system or OID, its type's code and its value.

    FHIR has them in ``Patient.identifier`` (``urn:oid:`` in ``system``; leave out those whose ``use`` is ``old``, which
    are no longer the person's), HL7 v2 in PID-3 (the OID in CX-4.2, the type in CX-5). Where no authority is named, the
    types that name one count: ``INS-NIR`` and its kin. None where no identifier is of the INS. Where a person has both,
    a registered number counts and not the provisional one.

    The traits are a record's, which need not be the INS's own: those that cannot be written as an INS writes them are
    left out, and so is a sex that is not the number's, which follows the civil register alone: how a person is treated
    elsewhere is no reason to refuse what was recorded of them.

    Raises as :func:`read_identity` for the rest, and ``IDENTITY_INVALID`` for two numbers of one authority and for a
    type that its authority does not give.
    """
    found: dict[str, set[str]] = {}
    for system, kind, value in identifiers:
        named = _OF_TYPE.get(kind or "")
        oid = system.strip().removeprefix("urn:oid:") if system and system.strip() else named
        if oid not in OIDS:
            continue
        # A provisional number is not a registered one, whatever else a system writes there (INS, NH ...).
        if named is not None and (named == NIA) != (oid == NIA):
            raise _invalid("identifier: its type is one that its authority gives")
        found.setdefault(oid, set()).add(_compact(value))
    for oid in OIDS:
        if oid not in found:
            continue
        if len(found[oid]) > 1:
            raise _invalid("identifier: one number of one authority")
        known = {"birth_name": birth_name, "given_names": given_names, "first_given_name": first_given_name}
        matricule, told = read_matricule(found[oid].pop()), sex and sex_of(sex)
        return read_identity(
            matricule,
            oid,
            **{name: text and spelled(text) for name, text in known.items()},
            birth_date=birth_date and birth_date_of(birth_date),
            sex=told if told in ("I", _SEX_OF_DIGIT[matricule[0]]) else None,
            birth_place=birth_place and place_of(birth_place),
        )
    return None


def read_matricule(text: str) -> str:
    """The number with its key, 15 characters, without the spaces that people put into it.

    Raises :class:`IssueError` (``IDENTITY_INVALID``).
    """
    number = _compact(text)
    parts = _NUMBER.fullmatch(number)
    if parts is None:
        raise _invalid("matricule: 13 digits of a NIR or NIA (2A or 2B for Corsica) and the 2 of its key")
    if int(parts["key"]) != key_of(number[:13]):
        raise _invalid("matricule: its key is not the one of its digits")
    return number


def key_of(number: str) -> int:
    """The key, 1 to 97, of the 13 characters before it.

    It tells every change of one character and every two characters that were swapped, for 97 is a prime that divides no
    such difference; but not the last digits of the number swapped with those of the key, tens with tens or units with
    units. It does not tell 2A from 19, or 2B from 18, which count as the same.
    """
    # For the key the departments of Corsica count as numbers: 2A as 19, 2B as 18.
    return 97 - int(number.replace("2A", "19").replace("2B", "18")) % 97


def contradictions(identity: Identity) -> tuple[str, ...]:
    """The names of the traits that the number contradicts, in their order.

    A month beyond 12, and a sex that is not ``M`` or ``F``, say nothing. Of the place only that it is in France or
    abroad is compared: the number keeps the code that a commune had, codes change when communes and departments do, and
    those born in Algeria, Morocco and Tunisia before independence have departments of that time.
    """
    parts = _NUMBER.fullmatch(identity.matricule)
    if parts is None:
        return ("matricule",)
    found = []
    if identity.birth_date and not _fits_birth(parts["year"], parts["month"], identity.birth_date):
        found.append("birth_date")
    if identity.sex in ("M", "F") and identity.sex != _SEX_OF_DIGIT[parts["sex"]]:
        found.append("sex")
    if identity.birth_place and apart(parts["place"], identity.birth_place):
        found.append("birth_place")
    return tuple(found)


def is_made_up(identity: Identity) -> bool:
    """Whether it is of a made-up person: of a test or a demonstration."""
    return identity.oid in (TEST, DEMO)


def same_person(one: Identity, other: Identity) -> bool | None:
    """Whether two identities are of one person: None where that cannot be told, which is no reason to join them.

    The same number with traits that agree, as far as both have them, is one person, be it registered or provisional.
    Another number is another person where birth name, birth date or place differ too; else it cannot be told, for a
    number is replaced when the civil register is corrected (sex and given names with it), and a provisional one when
    the person is registered. A made-up person is nobody else.

    Raises :class:`IssueError` (``IDENTITY_MISMATCH``) for one number with traits of two persons: somebody has to look.
    """
    if is_made_up(one) != is_made_up(other):
        return False
    differing = differences(one, other)
    if one.matricule != other.matricule:
        return None if set(differing) <= _CHANGED_BY_LAW else False
    if differing:
        raise IssueError(Code.IDENTITY_MISMATCH, f"{', '.join(differing)}: two of one number", Step.CONTENT)
    return True


def _compact(text: str) -> str:
    return text.replace(" ", "").upper()


def _fits_birth(year: str, month: str, birth_date: str) -> bool:
    if birth_date[2:4] != year:
        return False
    return int(month) > 12 or len(birth_date) < 7 or birth_date[5:7] == month


def _trait(name: str, text: str | None, read: Callable[[str], str | None]) -> str | None:
    """The trait as it is kept, None where it is not known. Raises :class:`IssueError` (``IDENTITY_INVALID``)."""
    if not text:
        return None
    value = read(text)
    if value is None:
        raise _invalid(f"{name}: {_RULES[name]}")
    return value


_RULES = {
    "birth_name": "letters, spaces, hyphens and apostrophes",
    "given_names": "letters, spaces, hyphens and apostrophes",
    "first_given_name": "letters, spaces, hyphens and apostrophes",
    "birth_date": "a day, month or year as YYYY-MM-DD; for example 1984-02-29",
    "sex": "M, F or I",
    "birth_place": "the INSEE code of a commune or country, 5 characters; for example 75056 or 99109",
}


def _invalid(detail: str) -> IssueError:
    return IssueError(Code.IDENTITY_INVALID, detail, Step.CONTENT)
