"""Value sets as they are published: the EU's repository, and those that an app brings with it."""

from __future__ import annotations

from datetime import date

import pytest

from healthcert.rules.valuesetfiles import load_value_sets
from healthcert.rules.valuesets import shipped
from tests.conftest import interop_folder

FOLDER = interop_folder() / "valuesets"
DAY = date(2023, 4, 20)
pytestmark = pytest.mark.usefixtures("interop")


def test_the_published_sets_are_the_shipped_ones() -> None:
    published = load_value_sets(FOLDER / "eu-dcc-valuesets")
    instructions = "vaccines-covid-19-encoding-instructions"
    assert {name: codes for name, codes in published.codes.items() if name != instructions} == shipped().codes
    assert {name: day for name, day in published.dates.items() if name != instructions} == shipped().dates
    assert len(published.codes[instructions]) == 39
    for ours in shipped():
        theirs = published.get(ours.id)
        assert theirs is not None
        for code, known in ours.codes.items():
            found = theirs.codes[code]
            assert (found.display, found.active, found.system) == (known.display, known.active, known.system)
    # Nothing but an example of devices is published there: all of them may be issued.
    assert shipped().merged(published).may_be_issued("t.ma", "0", DAY)


def test_the_sets_of_an_app_bring_the_real_devices() -> None:
    bundle = load_value_sets(FOLDER / "covpass/eu-value-sets.json")
    merged = shipped().merged(bundle)
    devices = merged.get("t.ma")
    assert devices is not None
    assert (devices.date, len(devices.codes)) == ("2023-04-11", 299)
    assert sum(code.active for code in devices.codes.values()) == 282
    for code, until in (("2390", date(2023, 5, 4)), ("1232", None)):
        assert devices.codes[code].valid_until == until
    assert merged.may_be_issued("t.ma", "2390", DAY)
    assert not merged.may_be_issued("t.ma", "2390", date(2023, 5, 5))
    assert not merged.may_be_issued("t.ma", "0", DAY)
    assert "2390" in merged.codes["covid-19-lab-test-manufacturer-and-name"]
