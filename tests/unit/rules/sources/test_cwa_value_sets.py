"""The value sets of the Corona-Warn-App: every code with its name, and nothing else."""

from __future__ import annotations

from contextlib import suppress

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthcert.errors import RuleError
from healthcert.limits import DEFAULT_LIMITS
from healthcert.rules.sources.cwa import CoronaWarnApp, read_cwa_value_sets
from healthcert.rules.sources.protocol import Assurance
from healthcert.rules.valuesets import ValueSets, read_value_set, shipped
from tests.support_rule_lists import app_value_sets, archive, context, field, key_anchor
from tests.unit.trust.sources.world import damaged

SETS = {
    1: [("1119349007", "SARS-CoV-2 mRNA-Impfstoff")],
    2: [("EU/1/20/1528", "Comirnaty"), ("EU/1/20/1507", "Spikevax")],
    3: [("ORG-100030215", "Biontech Manufacturing GmbH")],
    4: [("840539006", "COVID-19")],
    5: [("LP6464-4", "NAAT")],
    6: [("1232", "Abbott, Panbio")],
    7: [("260415000", "Nicht erkannt")],
}
NAMES = {
    "sct-vaccines-covid-19": 1,
    "vaccines-covid-19-names": 2,
    "vaccines-covid-19-auth-holders": 3,
    "disease-agent-targeted": 4,
    "covid-19-lab-test-type": 5,
    "covid-19-lab-test-manufacturer-and-name": 6,
    "covid-19-lab-result": 7,
}
DATA = app_value_sets(SETS)


def refusal(data: bytes) -> str:
    with pytest.raises(RuleError) as caught:
        read_cwa_value_sets(data)
    assert caught.value.detail.isprintable()
    return caught.value.code.value


def test_every_set_goes_by_the_name_of_the_official_one() -> None:
    found = {one.id: one for one in read_cwa_value_sets(DATA, "de")}
    assert {name: [(c.code, c.display) for c in one.codes.values()] for name, one in found.items()} == {
        name: SETS[number] for name, number in NAMES.items()
    }
    assert {code.lang for one in found.values() for code in one.codes.values()} == {"de"}


def test_a_set_without_a_date_does_not_displace_one_that_has_one() -> None:
    merged = shipped().merged(ValueSets(read_cwa_value_sets(DATA, "de")))
    assert dict(merged.codes) == dict(shipped().codes)
    assert merged.display("vp", "1119349007", "de") == "SARS-CoV-2 mRNA-Impfstoff"
    assert merged.dates == shipped().dates


def test_sets_come_in_a_signed_archive() -> None:
    found = CoronaWarnApp().load({"list": archive(DATA)}, context(key_anchor("app"), list="value-sets", language="de"))
    assert (found.assurance, len(found.value_sets), found.rules) == (Assurance.SIGNED_LIST, 7, ())
    assert [read_value_set(one.raw) for one in found.value_sets] == [one.value_set for one in found.value_sets]
    assert [one.value_set.id for one in found.value_sets] == [one.id for one in read_cwa_value_sets(DATA)]


def test_an_empty_name_is_left_out() -> None:
    (found,) = read_cwa_value_sets(field(4, field(1, field(1, b"840539006"))))
    assert found.codes["840539006"].display == ""
    assert ValueSets([found]).display("tg", "840539006") == "840539006"


ITEM = field(1, b"code") + field(2, b"name")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x07",
        field(8, field(1, ITEM)),
        b"\x08\x01",
        field(1, field(1, ITEM)) * 2,
        field(1, b""),
        field(1, field(2, ITEM)),
        field(1, b"\x08\x01"),
        field(1, field(1, b"")),
        field(1, field(1, field(2, b"name"))),
        field(1, field(1, field(1, b""))),
        field(1, field(1, ITEM + field(1, b"again"))),
        field(1, field(1, ITEM + field(3, b"more"))),
        field(1, field(1, b"\x08\x01")),
        field(1, field(1, ITEM) * 2),
        field(1, field(1, field(1, b"\xff"))),
    ],
)
def test_a_message_that_is_something_else(data: bytes) -> None:
    assert refusal(data) == "RULE_LIST_UNREADABLE"


def test_too_many_codes_are_refused() -> None:
    few = msgspec.structs.replace(DEFAULT_LIMITS, rules=8)
    assert len(read_cwa_value_sets(DATA, limits=few)) == 7
    with pytest.raises(RuleError) as caught:
        read_cwa_value_sets(DATA, limits=msgspec.structs.replace(few, rules=7))
    assert caught.value.code == "INPUT_TOO_LONG"


CODES = st.dictionaries(st.text(min_size=1, max_size=8), st.text(max_size=8), min_size=1, max_size=4)


@given(st.dictionaries(st.sampled_from(range(1, 8)), CODES, min_size=1))
def test_what_is_written_is_read(sets: dict[int, dict[str, str]]) -> None:
    found = read_cwa_value_sets(app_value_sets({number: codes.items() for number, codes in sets.items()}))
    assert {NAMES[one.id]: {c.code: c.display for c in one.codes.values()} for one in found} == sets


@given(damaged(DATA))
def test_whatever_bytes_come(data: bytes) -> None:
    with suppress(RuleError):
        assert all(one.codes for one in read_cwa_value_sets(data))
