"""The quick ways of writing an EU DCC come to what the slow ones do: a text, a payload, a code by the day."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

import healthcert as hc
from healthcert.codings import COVID_19
from healthcert.families.hcert import encode
from healthcert.families.hcert.content import read_payload
from healthcert.families.hcert.encode import to_payload
from healthcert.rules.valuesets import ValueSet, ValueSets, shipped
from tests.support import DAY, HOLDER, NOW, TEST, VACCINATION, dsc

LATIN = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x180), max_size=90)
ANY = st.one_of(
    LATIN, st.text(max_size=90), st.sampled_from(["Ivanov", "Müller", "a  b", " x", "-", "e\u0301", "a\u00adb"])
)
SPELLED = st.one_of(st.none(), st.from_regex(r"[A-Z]{1,50}(<[A-Z]{1,50})?", fullmatch=True))
MOMENTS = st.datetimes(datetime(1900, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 told beside
DAYS = st.dates(date(1900, 1, 1))

holders = st.builds(
    hc.Holder,
    family_name=st.one_of(st.none(), ANY),
    given_name=st.one_of(st.none(), ANY),
    birth_date=st.sampled_from(["", "1900", "1964-08", "1964-08-12", "2000-02-30", "1964-13"]),
    family_name_icao=SPELLED,
    given_name_icao=SPELLED,
)
vaccinations = st.builds(
    lambda dose, series, day: hc.Vaccination(
        disease=VACCINATION.disease,
        vaccine=VACCINATION.vaccine,
        product=VACCINATION.product,
        manufacturer=VACCINATION.manufacturer,
        dose=dose,
        series=series,
        date=day,
    ),
    st.integers(0, 100),
    st.integers(0, 100),
    DAYS,
)
results = st.builds(
    lambda moment, centre, name: hc.TestResult(
        disease=COVID_19, test_type=TEST.test_type, result=TEST.result, sampled_at=moment, centre=centre, name=name
    ),
    MOMENTS,
    st.one_of(st.none(), ANY),
    st.one_of(st.none(), ANY),
)
recoveries = st.builds(
    lambda days: hc.Recovery(disease=COVID_19, first_positive=days[0], valid_from=days[1], valid_until=days[2]),
    st.tuples(DAYS, DAYS, DAYS),
)


@given(st.one_of(vaccinations, results, recoveries), holders, ANY)
def test_a_verifier_finds_nothing_in_what_is_issued(event: hc.Event, holder: hc.Holder, issuer: str) -> None:
    payload: dict[str, Any] | None = None
    with suppress(hc.IssueError):
        payload = to_payload(event, holder, country="FR", issuer=issuer, certificate_id="URN:UVCI:01:FR:X#A")
    assert payload is None or read_payload(payload).findings == []


@given(ANY)
def test_a_plain_text_is_what_the_careful_way_makes_of_it(text: str) -> None:
    def written() -> str | None:
        try:
            return encode._spaced("name", text, "x")
        except hc.IssueError:
            return None

    quick = written()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(encode, "_PLAIN", re.compile("(?!)"))
        assert written() == quick


def test_a_moment_that_some_zone_has_no_calendar_for() -> None:
    for moment in (datetime(9999, 12, 31, 23, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)):
        event = hc.TestResult(
            disease=COVID_19, test_type=TEST.test_type, result=TEST.result, sampled_at=moment, centre="C"
        )
        assert to_payload(event, HOLDER, country="FR", issuer="CNAM", certificate_id="X")["t"][0]["sc"][:4] == "9999"
    west = datetime.fromisoformat("9999-12-31T23:00:00-01:00")
    event = hc.TestResult(disease=COVID_19, test_type=TEST.test_type, result=TEST.result, sampled_at=west, centre="C")
    with pytest.raises(hc.IssueError, match=r"t\[0\]\.sc: no such moment"):
        to_payload(event, HOLDER, country="FR", issuer="CNAM", certificate_id="X")


class MovingClock(hc.Clock):
    moment = NOW

    def now(self) -> datetime:
        return self.moment


def test_a_code_is_judged_anew_each_day() -> None:
    """What was admitted is remembered for the day: the last day of a code is its last, also for who asked before."""
    products = shipped().get("mp")
    assert products is not None
    assert VACCINATION.product is not None
    code = VACCINATION.product.code
    last = replace(products.codes[code], valid_until=NOW.date())
    sets = ValueSets([ValueSet(products.id, "2099-01-01", {**products.codes, code: last})])
    clock = MovingClock()
    issuer = hc.Issuer(dsc().signer(), country="FR", policy=hc.IssuePolicy(value_sets=sets), clock=clock)
    for days, issued in ((0, True), (1, False), (0, True)):
        clock.moment = NOW + days * DAY
        if issued:
            assert issuer.issue(VACCINATION, holder=HOLDER).certificate_id
        else:
            with pytest.raises(hc.IssueError, match="product: an active code of its value set"):
                issuer.issue(VACCINATION, holder=HOLDER)


def test_a_device_is_not_remembered() -> None:
    before = encode._code.cache_info().currsize
    for device in ("MARTIN", "DURAND"):
        event = hc.TestResult(
            disease=COVID_19,
            test_type=TEST.test_type,
            result=TEST.result,
            sampled_at=NOW,
            centre="C",
            device=hc.Coding("", device),
        )
        to_payload(event, HOLDER, country="FR", issuer="CNAM", certificate_id="X")
    # The disease, the kind of test and its result, under the judge that is the usual one.
    assert encode._code.cache_info().currsize <= before + 3
