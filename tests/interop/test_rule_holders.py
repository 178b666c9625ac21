"""Whose certificates a wallet keeps together: the tables that Corona-Warn-App's apps are tested with."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest

from healthcert.model import Holder
from healthcert.rules.holder import name_components, same_holder
from tests.conftest import interop_folder

FOLDER = interop_folder() / "hcert-other/cwa"
pytestmark = pytest.mark.usefixtures("interop")


@cache
def cases(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((FOLDER / f"dcc-holder-{name}.gen.json").read_text("utf-8"))["data"]
    return found


def holder(given: dict[str, Any]) -> Holder:
    names = given["nam"]
    return Holder(family_name_icao=names.get("fnt"), given_name_icao=names.get("gnt"), birth_date=given["dob"])


@pytest.mark.parametrize("number", range(38))
def test_holders(number: int) -> None:
    assert len(cases("comparison")) == 38
    case = cases("comparison")[number]
    one, other = holder(case["actHolderA"]), holder(case["actHolderB"])
    assert same_holder(one, other) is case["expIsSameHolder"], case["description"]
    assert same_holder(other, one) is case["expIsSameHolder"], case["description"]


@pytest.mark.parametrize("number", range(19))
def test_parts_of_names(number: int) -> None:
    assert len(cases("name-components")) == 19
    case = cases("name-components")[number]
    assert list(name_components(case["actName"])) == case["expNameComponents"], case["description"]
