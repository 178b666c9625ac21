"""2D-Docs of any fields are read as they were written, and of any other text nothing is made."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

import healthcert as hc
from healthcert.codings import ATC, DETECTED, NOT_DETECTED, finding
from healthcert.encoding.algorithms import Algorithm
from healthcert.errors import HealthCertError
from healthcert.families.twoddoc.content import MANUFACTURER, PRODUCT
from healthcert.families.twoddoc.dates import in_france, read_moment, to_france
from healthcert.families.twoddoc.encode import unsigned
from healthcert.families.twoddoc.family import TWODDOC
from healthcert.families.twoddoc.fields import TEST, VACCINATION, read_fields, table_of
from healthcert.limits import DEFAULT_LIMITS
from healthcert.model import Coding, Scan
from tests.support_twoddoc import GS, HOLDER, NOW, RS, Press
from tests.support_twoddoc import TEST as A_TEST

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ./-"


def spelt(least: int, most: int) -> st.SearchStrategy[str]:
    """Words as a document has them, with one space between."""
    return st.text(LETTERS, min_size=least, max_size=most).filter(
        lambda text: text == " ".join(text.split(" ")).strip() and "  " not in text and text.strip() == text
    )


def signed(event: hc.Vaccination | hc.TestResult, holder: hc.Holder) -> str:
    return unsigned(
        event=event,
        holder=holder,
        issued_at=NOW,
        expires_at=None,
        algorithm=Algorithm.ES256,
        authority="FR00",
        certificate_id="0001",
    ).signed


def read(message: str) -> hc.HealthCertificate:
    decoded = TWODDOC.decode(message + "\x1fAAAAAAAA", DEFAULT_LIMITS)
    certificate, _ = TWODDOC.parse(decoded, ())
    return certificate


@given(
    spelt(1, 80),
    spelt(1, 80).filter(lambda text: "/" not in text),
    st.dates(date(1900, 1, 1), date(2021, 8, 20)),
    st.tuples(spelt(5, 30), spelt(5, 30)),
    st.tuples(st.integers(1, 9), st.integers(1, 9)),
)
def test_vaccinations_are_read_as_they_were_written(
    family: str, given_name: str, born: date, names: tuple[str, str], doses: tuple[int, int]
) -> None:
    holder = hc.Holder(family_name=family, given_name=given_name, birth_date=born.isoformat())
    event = hc.Vaccination(
        disease=hc.Coding("urn:2d-doc:L3", "FIEVRE JAUNE"),
        vaccine=Coding(ATC, "J07BL01"),
        product=Coding(PRODUCT, names[0], names[0]),
        manufacturer=Coding(MANUFACTURER, names[1], names[1]),
        dose=doses[0],
        series=doses[1],
        date=date(2021, 8, 19),
        other={"cycle": "TE"},
    )
    certificate = read(signed(event, holder))
    assert certificate.holder == holder
    assert certificate.events == (event,)


@given(st.datetimes(datetime(1996, 1, 1), datetime(2100, 1, 1)), st.sampled_from([DETECTED, NOT_DETECTED]))  # noqa: DTZ001
def test_tests_are_read_as_they_were_written(at: datetime, result: Coding) -> None:
    at = at.replace(second=0, microsecond=0, tzinfo=UTC)
    event = hc.TestResult(test_type=A_TEST.test_type, sampled_at=at, result=result)
    (found,) = read(signed(event, HOLDER)).events
    assert isinstance(found, hc.TestResult)
    assert finding(found.result) == result
    # Once a year the clock shows an hour twice, and the first of the two is meant.
    assert found.sampled_at in (at, at - timedelta(hours=1))
    assert found.sampled_at == at or (at.month, at.hour) == (10, 1)


@given(st.datetimes(datetime(1900, 1, 1), datetime(9998, 1, 1)))  # noqa: DTZ001
def test_wall_clocks_in_france(local: datetime) -> None:
    moment = in_france(local)
    shown = to_france(moment).replace(tzinfo=None)
    # In March an hour is left out: what names it is an hour later.
    assert shown == local or (local.month, local.hour, shown - local) == (3, 2, timedelta(hours=1))
    assert read_moment(f"{local:%d%m}{local.year:04}{local:%H%M}") == moment.replace(second=0, microsecond=0)


identifiers = st.sampled_from(sorted(table_of(None)))
values = st.text(st.characters(codec="ascii", exclude_characters=GS + RS + "\x1f"), max_size=20)


@given(st.dictionaries(identifiers, values, max_size=12), st.sampled_from([GS, RS]))
def test_the_fields_of_any_document_are_read_as_they_were_written(fields: dict[str, str], end: str) -> None:
    table = table_of(None)
    expected, message = {}, ""
    for name, value in fields.items():
        least, most = table[name]
        expected[name] = value[: most or 20].ljust(least, "0")
        message += name + expected[name] + (end if least != most else "")
    found = read_fields(message, table)
    assert dict(found.values) == expected
    assert set(found.truncated) == ({name for name in fields if len(set(table[name])) == 2} if end == RS else set())


@given(st.binary(max_size=400), st.booleans())
def test_noise_behind_a_header_is_refused_as_what_it_is(noise: bytes, ending: bool) -> None:
    for version in ("DC01FR0000011E6D1E6D{0}", "DC02FR0000011E6D1E6D{0}", "DC04FR0000011E6D1E6D{0}01FR"):
        for kind in (VACCINATION, TEST, "01"):
            data = version.format(kind).encode() + noise + (b"\x1fAAAAAAAA" if ending else b"")
            text = Scan.of(data)
            for given_text in (text, str(text)):
                if TWODDOC.recognises(given_text):
                    with suppress(HealthCertError):
                        TWODDOC.parse(TWODDOC.decode(given_text, DEFAULT_LIMITS), ())
                    with suppress(HealthCertError):
                        list(TWODDOC.layers(given_text, DEFAULT_LIMITS))


@given(st.integers(0, 300), st.sampled_from([GS, RS, "\x1f", "\x00", "é", "~", "0"]))
def test_a_damaged_character_is_never_the_same_document(position: int, other: str) -> None:
    good = Press().text()
    position %= len(good)
    damaged = good[:position] + other + good[position + 1 :]
    decoded = TWODDOC.decode(good, DEFAULT_LIMITS)
    with suppress(HealthCertError):
        found = TWODDOC.decode(damaged, DEFAULT_LIMITS)
        assert damaged == good or (found.signed, found.signature) != (decoded.signed, decoded.signature)
