"""A certificate as rules see it: its payload as JSON, and the external parameters exactly as they are to be."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import pytest
from msgspec.structs import replace

from healthcert.encoding.cbor import Tag
from healthcert.errors import Code, RuleError
from healthcert.rules import certlogic
from healthcert.rules.subject import RuleSubject, as_json
from tests import support
from tests.unit.rules.judging import AT, DOSE, PAYLOAD, subject

ISSUED = datetime(2022, 1, 20, 0, 0, tzinfo=UTC)
EXPIRES = datetime(2023, 1, 20, 23, 59, 59, 999999, tzinfo=timezone(timedelta(hours=2)))


# --- External parameters ---


def external(country: str = "FR", region: str | None = None, **changes: Any) -> dict[str, Any]:
    given = {
        "kid": bytes.fromhex("d919375fc1e7b6b2"),
        "issued_at": ISSUED,
        "expires_at": EXPIRES,
        "issuer": "DE",
        **changes,
    }
    return subject(**given).external(AT, country, region, {"some-set": ["a"]})


def test_external_parameters() -> None:
    assert external() == {
        "validationClock": "2022-03-01T12:30:45Z",
        "valueSets": {"some-set": ["a"]},
        "countryCode": "FR",
        "issuerCountryCode": "DE",
        "kid": "2Rk3X8HntrI=",
        "region": "",
        "exp": "2023-01-20T21:59:59Z",
        "iat": "2022-01-20T00:00:00Z",  # with its seconds, though there are none
    }


def test_external_parameters_are_json() -> None:
    assert json.loads(json.dumps(external())) == external()


@pytest.mark.parametrize("name", ["validationClock", "exp", "iat"])
def test_moments_are_read_by_the_language(name: str) -> None:
    shown = certlogic.evaluate({"plusTime": [{"var": name}, 0, "day"]}, external())
    assert shown.moment == {"validationClock": AT, "exp": EXPIRES, "iat": ISSUED}[name].replace(microsecond=0)


@pytest.mark.parametrize("hours", [-12, 0, 5.75, 14])
def test_clock_is_in_utc(hours: float) -> None:
    moment = AT.astimezone(timezone(timedelta(hours=hours)))
    assert subject().external(moment, "FR", None, {})["validationClock"] == "2022-03-01T12:30:45Z"


def test_what_a_certificate_does_not_say() -> None:
    found = external(kid=None, issued_at=None, expires_at=None, issuer=None)
    assert [found[name] for name in ("kid", "iat", "exp", "issuerCountryCode")] == [None] * 4


@pytest.mark.parametrize("issuer", ["IT", "it", "Ministry of Health", ""])
def test_issuer_is_given_as_it_is(issuer: str) -> None:
    assert external(issuer=issuer)["issuerCountryCode"] == issuer


def test_times_may_be_left_out() -> None:
    found = subject(issued_at=ISSUED).external(AT, "FR", "X", {}, times=False)
    assert found.keys() == {"validationClock", "valueSets", "countryCode", "issuerCountryCode", "kid", "region"}
    assert found["region"] == "X"


# --- The types of its entries ---


@pytest.mark.parametrize(
    ("groups", "types"),
    [
        ({}, set()), ({"v": [DOSE]}, {"Vaccination"}), ({"t": [{}]}, {"Test"}), ({"r": [{}]}, {"Recovery"}),
        ({"v": [], "t": [{}]}, {"Test"}),
        ({"v": None, "r": [{}]}, {"Recovery"}), ({"v": [{}], "t": [{}], "r": [{}]}, {"Vaccination", "Test",
        "Recovery"}),
    ],
)  # fmt: skip
def test_types(groups: dict[str, Any], types: set[str]) -> None:
    assert RuleSubject(payload={"ver": "1.3.0", **groups}).types == types


# --- Of a certificate ---


def test_of_a_certificate() -> None:
    certificate = support.accepted(support.Press(payload=support.payload()).text())
    found = RuleSubject.of(certificate, b"12345678")
    assert found.payload == json.loads(json.dumps(as_json(certificate.raw)))
    assert found.payload["ver"] == support.payload()["ver"]
    assert (found.issuer, found.kid) == (certificate.issuer, b"12345678")
    assert (found.issued_at, found.expires_at) == (certificate.issued_at, certificate.expires_at)
    assert RuleSubject.of(certificate).kid is None
    assert type(found.payload) is dict
    assert found.types == {"Vaccination"}


def test_of_another_family() -> None:
    certificate = replace(support.accepted(support.Press(payload=support.payload()).text()), family="NZ COVID Pass")
    with pytest.raises(RuleError) as caught:
        RuleSubject.of(certificate)
    assert caught.value.code is Code.RULE_NOT_SUPPORTED
    assert "NZ COVID Pass" in caught.value.detail


def test_nothing_is_told_by_a_repr() -> None:
    assert repr(subject()) == "RuleSubject(...)"
    assert "MUSTERMANN" not in repr(subject())


# --- As JSON ---


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (PAYLOAD, PAYLOAD), ("x", "x"), (1, 1), (True, True), (1.5, 1.5), (None, None), ([], []), ({}, {}),
        ({1: {-2: "x"}}, {"1": {"-2": "x"}}), (("a", ("b",)), ["a", ["b"]]),
        (MappingProxyType({"a": MappingProxyType({"b": 1})}), {"a": {"b": 1}}),
        (Tag(0, "2021-05-04T12:00:00Z"), "2021-05-04T12:00:00Z"), (Tag(1004, "2021-05-04"), "2021-05-04"),
        (date(2021, 5, 4), "2021-05-04"), (datetime(2021, 5, 4, 12, tzinfo=UTC), "2021-05-04T12:00:00+00:00"),
        (datetime(2021, 5, 4, 12), "2021-05-04T12:00:00+00:00"),  # noqa: DTZ001
        (b"bytes", None), (Decimal("1.5"), None), ({1, 2}, None), ([b"x", 1], [None, 1]),
    ],
)  # fmt: skip
def test_as_json(value: Any, found: Any) -> None:
    made = as_json(value)
    assert made == found
    assert json.loads(json.dumps(made)) == found


def test_dates_of_a_payload_are_read_by_the_language() -> None:
    for value in (
        datetime(2021, 5, 4, 12, tzinfo=UTC),
        Tag(0, "2021-05-04T12:00:00Z"),
        datetime(2021, 5, 4, 14, tzinfo=timezone(timedelta(hours=2))),
    ):
        data = as_json({"sc": value})
        shown = certlogic.evaluate({"plusTime": [{"var": "sc"}, 0, "hour"]}, data)
        assert shown.moment == datetime(2021, 5, 4, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("issuer", "key_country", "expected"),
    [("DE", "FR", "DE"), ("de", "FR", "DE"), (None, "FR", "FR"), ("Ministry", "FR", "FR"), ("", None, None)],
)
def test_the_country_whose_rules_of_invalidation_count(
    issuer: str | None, key_country: str | None, expected: str | None
) -> None:
    given = RuleSubject(payload={}, issuer=issuer, key_country=key_country)
    assert given.issuing_country == expected
    # What rules are told is what the certificate says.
    assert given.external(AT, "FR", None, {})["issuerCountryCode"] == issuer


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_numbers_that_are_none_are_nothing(number: float) -> None:
    assert as_json({"v": [{"dn": number, "sd": 2.5}]}) == {"v": [{"dn": None, "sd": 2.5}]}
