"""What the table of schema rules says, field by field. That its verdicts are right is for tests/interop to show."""

from __future__ import annotations

from typing import Any

import pytest

from healthcert.encoding import cbor
from healthcert.families.hcert.schema import violations
from tests.support import HOLDER, RECOVERY_ENTRY, TEST_ENTRY, payload, payload_with, vaccination


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (vaccination(**{"is": "x" * 51}) | {"ver": "1.2.1"}, "v[0].is: over 50 characters"),
        (vaccination(**{"is": "x" * 81}), "v[0].is: over 80 characters"),
        (vaccination(dn=0), "v[0].dn: less than 1"),
        (vaccination(sd=10) | {"ver": "1.0.0"}, "v[0].sd: more than 9"),
        (vaccination(dn=2.5), "v[0].dn: not a whole number"),
        (vaccination(dn=True), "v[0].dn: not a whole number"),
        (vaccination(dt="2021-02-29"), "v[0].dt: no such day in the calendar"),
        (vaccination(dt="2021-02-28T00:00:00Z"), "v[0].dt: not a date (YYYY-MM-DD)"),
        (vaccination(co="fr"), "v[0].co: no capital letter"),
        (vaccination(vp=None), "v[0].vp: not a text"),
        (payload(dob="1963-00"), "dob: no such day in the calendar"),
        (payload(dob="1963") | {"ver": "1.0.1"}, "dob: not a date of birth"),
        (payload(dob="") | {"ver": "1.2.1"}, "dob: not a date of birth"),
        (payload(nam={"gnt": "ZOE"}, ver="1.3.1"), "nam.fnt: missing"),
        (payload(nam={"fn": "Zoe"}), "nam.fnt: missing"),
        (payload(nam={"fn": "Zoe"}, ver="1.3.2"), "nam: neither fnt nor gnt"),
        (payload(nam={"fnt": "ZOÉ"}), "nam.fnt: other than A-Z and <"),
        (payload_with("t", TEST_ENTRY | {"sc": "2021-08-19T10:00:00"}), "t[0].sc: not a date-time with a time zone"),
        (payload_with("t", TEST_ENTRY | {"dr": 1}) | {"ver": "1.1.0"}, "t[0].dr: not a text"),
        (payload(v=None), "the payload: none of v, t, r"),
        (payload(t=[TEST_ENTRY], ver="1.0.0"), "the payload: several of v, t, r"),
        (payload(v=[]), "v: empty"),
        (payload(v={}), "v: not an array"),
        (payload(v=payload()["v"] * 2), "v: more than one entry"),
        (payload(v=["x"]), "v[0]: not a map"),
        (payload(ver="1"), "ver: not a version"),
        ([], "the payload: not a map"),
    ],
)
def test_the_broken_rule_is_named(value: Any, expected: str) -> None:
    assert violations(value) == [expected]


@pytest.mark.parametrize(
    "value",
    [
        payload(),
        payload(dob="1963", ver="1.1.0"),
        payload(dob=""),
        payload(nam={"gnt": "ZOE"}, ver="1.3.3"),
        payload(v=payload()["v"] * 2, ver="1.2.1"),
        payload(passport="not of the schema"),
        vaccination(dn=2.0),
        vaccination(sd=12),
        payload_with("t", TEST_ENTRY | {"sc": cbor.Tag(0, "2021-08-19T10:00:00+02")}),
        payload_with("t", TEST_ENTRY | {"dr": 1}),
        payload_with("t", {key: value for key, value in TEST_ENTRY.items() if key != "tc"}),
        payload_with("r", RECOVERY_ENTRY) | {"ver": "1.0.4"},
    ],
)
def test_what_the_release_allows(value: Any) -> None:
    assert violations(value) == []


def test_a_format_is_a_remark_to_a_validator_of_json_schema() -> None:
    loose = payload_with("r", RECOVERY_ENTRY | {"fr": "2021-05-01T00:00:00Z", "df": "soon"}) | {"dob": "1963-00"}
    assert violations(loose, formats=False) == []
    assert len(violations(loose)) == 3


def test_the_list_is_bounded_and_holds_no_values() -> None:
    entry = {"is": "Ministry" * 20, "ci": HOLDER.family_name}
    found = violations(payload(v=[entry] * 10_000, dob="31.12.1984", ver="Zoé" * 9))
    assert len(found) < 70
    assert not any(secret in " ".join(found) for secret in ("Ministry", "Exemplaire", "1984", "Zoé"))
