"""SMART Health Cards of every content: what is written is read, and whatever arrives is answered with a report."""

from __future__ import annotations

import json
import random
import unicodedata
from contextlib import suppress
from datetime import date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

import healthcert as hc
from healthcert.codings import DETECTED, LOINC, NOT_DETECTED
from healthcert.encoding import deflate, jsontext
from healthcert.encoding.algorithms import Algorithm
from healthcert.errors import DecodeError
from healthcert.families.shc.encode import unsigned
from healthcert.families.shc.family import SHC
from healthcert.families.shc.forms import read, to_digits
from healthcert.families.shc.parts import PartCollector
from healthcert.families.shc.payload import read_claims
from healthcert.limits import DEFAULT_LIMITS, Limits
from healthcert.model import Coding
from tests.support_shc import CVX, DOSE, ISSUER, NOW, PATIENT, TEST, Press, bundle, claims, examine, key, kid, with_

MUTANTS = 5000
TOKEN = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.", min_size=1, max_size=1195)
WORDS = st.text(
    st.characters(min_codepoint=33, max_codepoint=0x24F, exclude_categories=("Cc", "Cf", "Zs")), min_size=1, max_size=30
)
TEXTS = WORDS.map(lambda text: unicodedata.normalize("NFC", text)).filter(str.isprintable)
DAYS = st.dates(date(1950, 1, 1), date(2021, 8, 19))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)


@given(TOKEN)
def test_digits_come_back(token: str) -> None:
    digits = to_digits(token.encode())
    assert digits.isdigit()
    assert read(f"shc:/{digits}", DEFAULT_LIMITS).jws == token.encode()


@given(st.binary(max_size=3000))
def test_streams_come_back(data: bytes) -> None:
    assert deflate.inflate_raw(deflate.deflate(data, raw=True), limit=len(data)) == data


@given(st.dictionaries(st.text(max_size=6), JSON, max_size=5), st.booleans())
def test_payloads_are_read_as_any_json_is(value: dict[str, Any], minified: bool) -> None:
    text = json.dumps(value, separators=(",", ":") if minified else None, ensure_ascii=not minified)
    data = text.encode("utf-8", "surrogatepass")
    limits = Limits(json_depth=4)
    try:
        expected = jsontext.read(data, max_depth=4)
    except DecodeError:
        expected = None
    try:
        found = read_claims(data, limits).raw
    except DecodeError:
        found = None
    # The bound on levels is met exactly by one of them, and by the other once there are many brackets.
    assert found == expected or found is None


@given(
    st.lists(
        st.builds(
            lambda code, day, batch, centre: hc.Vaccination(
                vaccine=Coding(CVX, code), date=day, batch=batch, centre=centre
            ),
            st.from_regex(r"[1-9][0-9]{0,2}", fullmatch=True),
            DAYS,
            st.none() | TEXTS,
            st.none() | TEXTS,
        )
        | st.builds(
            lambda at, hours, result: hc.TestResult(
                test_type=Coding(LOINC, "94558-4"),
                sampled_at=at.replace(tzinfo=timezone(timedelta(hours=hours))),
                result=result,
            ),
            st.datetimes(datetime(2020, 1, 1), datetime(2021, 8, 18)).map(lambda at: at.replace(microsecond=0)),  # noqa: DTZ001
            st.integers(-12, 14),
            st.sampled_from([DETECTED, NOT_DETECTED]),
        ),
        min_size=1,
        max_size=3,
    ),
    TEXTS,
    st.none() | TEXTS,
    st.dates(date(1900, 1, 1), date(2020, 1, 1)).map(date.isoformat) | st.sampled_from(["1964", "1964-08"]),
)
@settings(deadline=None)
def test_what_is_issued_is_read_back(
    events: list[hc.Vaccination | hc.TestResult], family: str, given_name: str | None, born: str
) -> None:
    holder = hc.Holder(family_name=family, given_name=given_name, birth_date=born)
    # "no vaccine administered" is no dose.
    events = [one for one in events if not (isinstance(one, hc.Vaccination) and one.vaccine == Coding(CVX, "998"))]
    if not events:
        return
    card = unsigned(events=events, holder=holder, issuer=ISSUER, kid=kid(), issued_at=NOW, file_only=True)
    wire = card.assemble(Algorithm.ES256.sign(key(), card.to_be_signed))
    decoded = SHC.decode(wire.text, DEFAULT_LIMITS)
    certificate, findings = SHC.parse(decoded, SHC.kinds)
    assert findings == ()
    assert certificate.holder == holder
    for found, event in zip(certificate.events, events, strict=True):
        # What a vaccine is against is part of what its code says.
        assert (replace(found, disease=None) if isinstance(found, hc.Vaccination) else found) == event


@given(st.integers(2, 12), st.randoms(use_true_random=False), st.data())
@settings(deadline=None)
def test_parts_in_any_order_make_the_card(total: int, chance: random.Random, data: st.DataObject) -> None:
    parts = Press().parts(total)
    twice = data.draw(st.lists(st.sampled_from(parts), max_size=3))
    shuffled = [*parts, *twice]
    chance.shuffle(shuffled)
    collector = PartCollector()
    found = [whole for whole in map(collector.add, shuffled) if whole is not None]
    assert [examine(whole).code for whole in found] == ["OK"]
    assert (collector.missing, collector.describe()) == ((), "")


@given(st.text(max_size=60) | st.from_regex(r"shc:/?[0-9/]{0,40}", fullmatch=True))
def test_any_text_is_a_part_or_is_not_or_is_refused(text: str) -> None:
    collector = PartCollector()
    with suppress(DecodeError):
        found = collector.add(text)
        assert found == text or (found is None and collector.missing)


@given(JSON)
@settings(deadline=None)
def test_any_content_is_answered(value: Any) -> None:
    for card in (
        claims(vc=value),
        claims(nbf=value),
        claims(bundle(with_(DOSE, status=value))),
        claims(bundle(with_(DOSE, patient=value, performer=value, protocolApplied=value))),
        claims(bundle(with_(TEST, category=value, effectivePeriod=value, device=value))),
        claims(bundle(patient=with_(PATIENT, name=value, gender=value))),
        claims({"resourceType": "Bundle", "entry": value}),
    ):
        report = examine(Press(card).text())
        assert report.code not in ("GENERAL_ERROR", "ENVIRONMENT")


@pytest.mark.parametrize("form", ["text", "jws"])
def test_no_mutant_is_accepted(form: str) -> None:
    chance = random.Random(20210820)
    genuine = Press().text() if form == "text" else Press().jws()
    for _ in range(MUTANTS):
        at = chance.randrange(len(genuine))
        letter = chance.choice("0123456789" if form == "text" else "ABCabc-_.=+/ 012")
        text = chance.choice(
            (
                genuine[:at] + letter + genuine[at + 1 :],
                genuine[:at] + genuine[at + 1 :],
                genuine[:at] + letter + genuine[at:],
                genuine[:at],
                genuine[at:] + genuine[:at],
            )
        )
        report = examine(text)
        assert report.code != "GENERAL_ERROR"
        # A letter may be replaced by itself, and the slash may be missing.
        same = text in (genuine, genuine.replace("/", "", 1))
        assert (report.outcome is hc.Outcome.ACCEPTED) == same
