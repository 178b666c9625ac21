"""Each departure that honest issuers are known for: a warning by default, a refusal under its own code where not tolerated."""

# ruff: noqa: E501 (one case a line)

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cbor2
import pytest

import healthcert as hc
from healthcert.verify.policy import TOLERABLE
from tests.support import (
    CORE,
    DVC,
    NOW,
    PAYLOAD,
    RECOVERY_ENTRY,
    TEST_ENTRY,
    Press,
    dsc,
    payload,
    payload_with,
    trust,
    vaccination,
    verifier,
    without,
)

T = int(NOW.timestamp())
VALID_UNTIL_AFTER_THE_KEY = int(NOW.timestamp()) + 3 * 365 * 86400


def press(**changes: Any) -> str:
    return Press(**changes).text()


def sample(text: Any) -> str:
    return press(payload=payload_with("t", TEST_ENTRY | {"sc": text}))


def tagged(text: str) -> cbor2.CBORTag:
    return cbor2.CBORTag(0, text)


def url_escaped() -> str:
    """A certificate with a space in its text, as a scanner hands it over that escapes spaces."""
    for number in range(1, 100):
        text = press(payload=vaccination(dn=number))
        if " " in text:
            return text.replace(" ", "%20")
    raise AssertionError("no certificate with a space in a hundred")


QUIRKS: list[tuple[str, Callable[[], str], str]] = [
    ("spaces arrive as %20", url_escaped, "URL_ESCAPED_TEXT"),
    ("CO20 alg unprotected", lambda: press(protected={}, unprotected={1: -7, 4: dsc().signer().kid}), "ALGORITHM_UNPROTECTED"),
    ("HU exp and iat are floats", lambda: press(claims={4: T + 60.5, 6: T - 60.283}), "FLOAT_TIME"),
    ("iat tagged as a time", lambda: press(claims={6: cbor2.CBORTag(1, T - 60)}), "TAGGED_TIME"),
    ("exp after the key", lambda: press(claims={4: VALID_UNTIL_AFTER_THE_KEY}), "EXPIRES_AFTER_KEY"),
    ("SE a tagged date-time", lambda: sample(tagged("2021-08-19T10:00:00Z")), "TAGGED_DATE_TIME"),
    ("PL a day with a time", lambda: press(payload=vaccination(dt="2021-06-11T00:00:00Z")), "DATE_WITH_TIME"),
    ("CO a day with a space and a time", lambda: press(payload=vaccination(dt="2021-06-11 00:00:00")), "DATE_WITH_TIME"),
    ("SG recovery days with times", lambda: press(payload=payload_with("r", RECOVERY_ENTRY | {"df": "2021-05-12T00:00:00+08:00"})), "DATE_WITH_TIME"),
    ("BG birth date with a time", lambda: press(payload=payload(dob="1978-01-26T00:00:00")), "DATE_WITH_TIME"),
    ("a sample without a zone", lambda: sample("2021-08-19T10:00:00"), "TIME_WITHOUT_ZONE"),
    ("NL an unknown month as 00", lambda: press(payload=payload(dob="1963-00")), "BIRTH_DATE_PADDED"),
    ("an unknown day as 00", lambda: press(payload=payload(dob="1963-05-00")), "BIRTH_DATE_PADDED"),
    ("month and day as 00", lambda: press(payload=payload(dob="1963-00-00")), "BIRTH_DATE_PADDED"),
    ("BG a null group", lambda: press(payload=payload() | {"t": None}), "EMPTY_GROUP"),
    ("an empty group", lambda: press(payload=payload(r=[])), "EMPTY_GROUP"),
    ("IE a null device", lambda: press(payload=payload_with("t", TEST_ENTRY | {"ma": None, "sc": "2021-08-19T10:00:00Z"})), "NULL_FIELD"),
    ("IE float doses", lambda: press(payload=vaccination(dn=2.0)), "FLOAT_DOSE"),
    ("NL a series of 0", lambda: press(payload=vaccination(sd=0)), "DOSE_OUT_OF_RANGE"),
    ("ID an empty product", lambda: press(payload=vaccination(mp="")), "EMPTY_CODE"),
    ("HU a long centre", lambda: press(payload=payload_with("t", TEST_ENTRY | {"tc": "x" * 81})), "TEXT_TOO_LONG"),
    ("UA small letters in fnt", lambda: press(payload=payload(nam={"fn": "X", "fnt": "Exemplaire"})), "NAME_NOT_TRANSLITERATED"),
    ("only a display name", lambda: press(payload=payload(nam={"fn": "Exemplaire"})), "NAME_NOT_TRANSLITERATED"),
    ("a product of no value set", lambda: press(payload=vaccination(mp="Some-Product")), "UNKNOWN_CODE"),
    ("PL a country of no list", lambda: press(payload=vaccination(co="XY")), "UNKNOWN_CODE"),
    ("a test type of no value set", lambda: press(payload=payload_with("t", TEST_ENTRY | {"tt": "LP6464-5"})), "UNKNOWN_CODE"),
    ("a later schema", lambda: press(payload=payload(ver="2.0.0")), "UNKNOWN_SCHEMA_VERSION"),
    ("a year of birth before 1.1.0", lambda: press(payload=payload(ver="1.0.0", dob="1984")), "SCHEMA_VERSION_MISMATCH"),
    ("only a given name before 1.3.2", lambda: press(payload=payload(nam={"gn": "Zoé", "gnt": "ZOE"})), "SCHEMA_VERSION_MISMATCH"),
    ("a core data set without iat", lambda: press(cwt=cbor2.dumps(CORE)), "TIME_ABSENT"),
    ("a DVC record without a batch", lambda: press(claims={-260: {-6: DVC | {"vx": without(DVC["vx"], "bo")}}}), "FIELD_MISSING"),
    ("a claim from the future", lambda: press(claims={-260: {1: payload(), 99: {"x": 1}}}), "UNKNOWN_CLAIM"),
    ("iss is no country", lambda: press(claims={1: "CNAM"}), "ISSUER_NOT_A_COUNTRY"),
    ("no iss", lambda: press(claims={1: ...}), "ISSUER_NOT_A_COUNTRY"),
    ("an undefined value", lambda: press(claims={7: [{"x": cbor2.undefined}]}), "UNDEFINED_VALUE"),
    ("another disease", lambda: press(payload=vaccination(tg="16541001")), "UNKNOWN_DISEASE"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "code"), [q[1:] for q in QUIRKS], ids=[q[0] for q in QUIRKS])
def test_a_quirk_is_a_warning_where_tolerated_and_else_a_refusal(make: Callable[[], str], code: str) -> None:
    text = make()
    report = verifier().examine(text)
    assert (report.outcome, report.detail) == (hc.Outcome.ACCEPTED, "")
    assert [warning.code for warning in report.warnings] == [code]

    strict = verifier(policy=hc.Policy.strict()).examine(text)
    assert (strict.outcome, strict.code) == (hc.Outcome.REFUSED, code)
    assert strict.step == report.warnings[0].step

    all_but_this = hc.Policy(tolerated=TOLERABLE - {hc.Code(code)})
    assert verifier(policy=all_but_this).examine(text).code == code


def test_a_bare_key_has_no_dates_and_the_report_says_so() -> None:
    store = hc.TrustStore()
    key = next(iter(trust()))
    store.add_public_key(key.spki, kid=key.kid)
    clock = hc.FixedClock(NOW)
    report = hc.Verifier(store, clock=clock).examine(press())
    assert report.outcome is hc.Outcome.ACCEPTED
    assert [warning.code for warning in report.warnings] == ["KEY_DATES_UNKNOWN"]
    strict = hc.Verifier(store, policy=hc.Policy.strict(), clock=clock).examine(press())
    assert (strict.outcome, strict.step, strict.code) == ("refused", "time", "KEY_DATES_UNKNOWN")


def test_every_tolerable_departure_has_a_case() -> None:
    assert {code for _, _, code in QUIRKS} | {"KEY_DATES_UNKNOWN"} == TOLERABLE


def test_a_policy_tolerates_only_what_can_be_tolerated() -> None:
    with pytest.raises(ValueError, match="SIGNATURE_INVALID"):
        hc.Policy(tolerated=frozenset((hc.Code.SIGNATURE_INVALID,)))


@pytest.mark.parametrize(
    ("make", "read"),
    [
        (lambda: press(payload=vaccination(dt="2021-06-11T23:30:00-05:00")), "2021-06-11"),
        (lambda: press(payload=vaccination(dt="2021-06-11")), "2021-06-11"),
    ],
)
def test_the_day_that_is_shown_is_the_one_that_was_written(make: Callable[[], str], read: str) -> None:
    certificate = verifier().verify(make()).certificate
    assert isinstance(certificate.events[0], hc.Vaccination)
    assert certificate.events[0].date.isoformat() == read


@pytest.mark.parametrize(
    ("sampled", "utc"),
    [
        ("2021-08-19T10:00:00Z", "2021-08-19T10:00:00+00:00"),
        ("2021-08-19T12:00:00+02:00", "2021-08-19T10:00:00+00:00"),
        ("2021-08-19T12:00:00+0200", "2021-08-19T10:00:00+00:00"),
        ("2021-08-19T12:00:00+02", "2021-08-19T10:00:00+00:00"),
        ("2021-08-19T10:00:00.25Z", "2021-08-19T10:00:00.250000+00:00"),
        ("2021-08-19t10:00:00,007z", "2021-08-19T10:00:00.007000+00:00"),
        (tagged("2021-08-19T12:00:00+02:00"), "2021-08-19T10:00:00+00:00"),
    ],
)
def test_a_sample_time_is_read_in_every_notation_of_the_field(sampled: Any, utc: str) -> None:
    event = verifier().verify(sample(sampled)).certificate.events[0]
    assert isinstance(event, hc.TestResult)
    assert event.sampled_at.isoformat() == utc


@pytest.mark.parametrize("field", ["tg", "ci", "\x1b[2JMüller"])
def test_only_a_date_may_be_tagged_as_one(field: str) -> None:
    entry = TEST_ENTRY | {field: tagged("840539006"), "sc": tagged("2021-08-19T10:00:00Z")}
    report = verifier().examine(press(payload=payload_with("t", entry)))
    said = [warning.detail for warning in report.warnings] + [report.detail]
    assert [line for line in said if "Müller" in line] == []
    assert (report.outcome is hc.Outcome.REFUSED) is (field in TEST_ENTRY)


@pytest.mark.parametrize("dob", ["1963-05-00-00", "1963-00-05", "0000-00"])
def test_a_birth_date_padded_otherwise_is_refused(dob: str) -> None:
    assert verifier().examine(press(payload=payload(dob=dob))).code == "SCHEMA_VALIDATION_FAILED"


def test_keys_that_are_no_text_are_kept_like_other_unknown_ones() -> None:
    report = verifier().examine(press(payload=payload() | {7: "x"}))
    assert report.outcome is hc.Outcome.ACCEPTED
    assert report.certificate is not None
    assert report.certificate.holder.other == {"7": "x"}


def test_inspect_reads_what_the_verifier_reads() -> None:
    assert hc.inspect_unverified(url_escaped()).problem is None


def test_keys_the_schema_does_not_name_are_kept() -> None:
    extra = payload(meta={"reference": "R1"}) | {"pid": 7}
    extra["v"][0]["ic"] = "X"
    report = verifier().examine(press(payload=extra))
    assert report.outcome is hc.Outcome.ACCEPTED
    assert report.certificate is not None
    assert report.certificate.holder.other == {"meta": {"reference": "R1"}, "pid": 7}
    assert report.certificate.events[0].other == {"ic": "X"}
    assert report.certificate.raw == extra


@pytest.mark.parametrize("tag", [None, 18, 61])
def test_co28_a_message_may_be_untagged_or_tagged_once_or_twice(tag: int | None) -> None:
    def sign1(message: Any) -> cbor2.CBORTag:
        return cbor2.CBORTag(18, message)

    tags: dict[int | None, Callable[[Any], Any]] = {
        None: lambda message: message,
        18: sign1,
        61: lambda message: cbor2.CBORTag(61, sign1(message)),
    }
    assert verifier().examine(press(tag=tags[tag])).outcome is hc.Outcome.ACCEPTED


def test_co18_to_co21_where_the_kid_may_stand() -> None:
    kid = dsc().signer().kid
    for protected, unprotected in (({1: -7, 4: kid}, {}), ({1: -7}, {4: kid}), ({1: -7, 4: kid}, {4: b"foo"})):
        report = verifier().examine(press(protected=protected, unprotected=unprotected))
        assert (report.outcome, report.warnings) == ("accepted", ())


def test_dgc3_to_dgc6_each_kind_of_entry() -> None:
    for content in (payload(), payload_with("t", TEST_ENTRY), payload_with("r", RECOVERY_ENTRY)):
        assert verifier().examine(press(payload=content)).outcome is hc.Outcome.ACCEPTED
    assert payload() == PAYLOAD


def test_an_indefinite_length_payload_is_read() -> None:
    # RFC 9052 §9 restricts only what is signed; several CBOR writers stream their maps.
    claims = {1: "FR", 4: T + 60, 6: T - 60, -260: {1: payload()}}
    body = b"".join(cbor2.dumps(key) + cbor2.dumps(value) for key, value in claims.items())
    assert verifier().examine(press(cwt=b"\xbf" + body + b"\xff")).outcome is hc.Outcome.ACCEPTED
