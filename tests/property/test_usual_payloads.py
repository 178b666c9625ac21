"""The short way for usual EU DCCs reads nothing otherwise than the general one, and most certificates go that way."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from healthcert.families.hcert import content
from healthcert.families.hcert.usual import read_usual

COMMON = {"tg": "840539006", "co": "FR", "is": "Ministry of Examples", "ci": "URN:UVCI:01:FR:ABC#T"}
VACCINATION = COMMON | {
    "vp": "1119349007", "mp": "EU/1/20/1528", "ma": "ORG-100030215", "dn": 2, "sd": 2, "dt": "2021-06-11",
}  # fmt: skip
TEST = COMMON | {
    "tt": "LP217198-3", "ma": "1341", "nm": "A test", "tc": "A centre", "tr": "260415000", "sc": "2021-06-11T10:05:00Z",
}  # fmt: skip
RECOVERY = COMMON | {"fr": "2021-06-11", "df": "2021-06-22", "du": "2021-12-08"}
NAME = {"fn": "Exemplaire-Müller", "fnt": "EXEMPLAIRE<MUELLER", "gn": "Zoé", "gnt": "ZOE"}
PAYLOADS = {
    group: {"ver": "1.3.0", "nam": NAME, "dob": "1984-02-29", group: [entry]}
    for group, entry in (("v", VACCINATION), ("t", TEST), ("r", RECOVERY))
}

NUMBERS = (0, 1, 2, -1, 2.0, 1.5, 2**64, True)
DAYS = ("2021-06-11", "2021-02-30", "1984", "1984-02", "1899-12-31", "2100-01-01", "20210611", "2021-W24-5", "")
MOMENTS = (
    "2021-06-11T10:05:00+02:00", "2021-06-11t10:05:00z", "2021-06-11 10:05:00Z", "2021-06-11T10:05:00", "2021-06-11",
    "2021-06-11T10:05:00.123Z", "2021-06-11T10:05:00.9999999Z", "2021-06-11T10:05:00,5Z", "2021-06-11T24:00:00Z",
    "2021-06-11T10:05:00+0200", "2021-06-11T10:05:60Z", "0001-01-01T00:00:00+10:00", "9999-12-31T23:00:00-10:00",
)  # fmt: skip
NAMES = ("", "<", "<<", "A", "MÜLLER", "müller", "A1", "A B", "É" * 80, "A" * 80, "A" * 81)
CODES = ("1.3.3", "1.3.4", "1.2.1", "1.3.0\n", "2.0.0", "840539006", "XX", "FR", "fr", "260373001", "2", "EU/1/21/1529")
WORTHLESS: tuple[Any, ...] = (None, [], {}, b"FR", [[]], {"fn": "A"}, {1: 2})
VALUES = (
    st.sampled_from((*NUMBERS, *DAYS, *MOMENTS, *NAMES, *CODES, *WORTHLESS))
    | st.text(max_size=90)
    | st.dates().map(str)
    | st.datetimes(timezones=st.timezones()).map(lambda moment: moment.isoformat())
)
FIELDS = sorted({"ver", "nam", "dob", "v", "t", "r", "x", *VACCINATION, *TEST, *RECOVERY, *NAME})


def changed(group: str, changes: list[tuple[str, str, Any, bool]]) -> dict[Any, Any]:
    payload = copy.deepcopy(PAYLOADS[group])
    for where, field, value, is_deleted in changes:
        target: Any = {"entry": payload.get(group), "name": payload.get("nam")}.get(where, payload)
        if isinstance(target, list):
            target = target[0] if target else None
        if isinstance(target, dict):
            if is_deleted:
                target.pop(field, None)
            else:
                target[field] = value
    return payload


def assert_alike(payload: dict[Any, Any]) -> bool:
    usual = read_usual(payload)
    if usual is not None:
        assert usual == content._read_any(payload)
        assert not usual.findings
    return usual is not None


@pytest.mark.parametrize("group", PAYLOADS)
def test_the_usual_payload_takes_the_short_way(group: str) -> None:
    assert assert_alike(PAYLOADS[group])


@pytest.mark.parametrize("group", PAYLOADS)
@pytest.mark.parametrize("field", FIELDS)
def test_every_value_of_every_field_is_read_alike(group: str, field: str) -> None:
    values = (
        *NUMBERS,
        *DAYS,
        *MOMENTS,
        *NAMES,
        *CODES,
        *WORTHLESS,
        [VACCINATION],
        [TEST],
        [RECOVERY],
        [VACCINATION] * 2,
    )
    for where in ("entry", "name", "payload"):
        for value in values:
            assert_alike(changed(group, [(where, field, value, False)]))
        assert_alike(changed(group, [(where, field, None, True)]))


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    st.sampled_from(sorted(PAYLOADS)),
    st.lists(
        st.tuples(st.sampled_from(("entry", "name", "payload")), st.sampled_from(FIELDS), VALUES, st.booleans()),
        max_size=4,
    ),
)
def test_changed_payloads_are_read_alike(group: str, changes: list[tuple[str, str, Any, bool]]) -> None:
    assert_alike(changed(group, changes))
