"""The table of schema rules against the published JSON schemas, applied by ``jsonschema``.

The verdicts must be equal, for every release, on the payloads of the public suites and on mutations of them. Where
the table knows more than a schema, the oracle here is told so, in the open:

* one group: exactly one of v, t and r, also before 1.3.0 (``_one_group``);
* the calendar: a date of birth that has no ``format`` since 1.1.0 is in the calendar too (``_birth_in_calendar``);
* a date-time may have an offset of hours alone, as the schemas' own tests do (``_date_time``);
* ``$`` and ``\\d`` as ECMA-262 has them, not as Python does (``_pattern``);
* a release that was never published is held to the newest one not after it.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend

from healthcert.families.hcert.schema import AUSTRIAN, RELEASES, violations
from tests.conftest import interop_folder
from tests.support import PAYLOAD, RECOVERY_ENTRY, TEST_ENTRY, payload, payload_with

SCHEMAS = interop_folder() / "dcc-schema"
SUITE = interop_folder() / "dgc-testdata"
EXEMPTION = {"tg": "840539006", "du": "2022-01-31", "co": "AT", "is": "Ministry of Examples", "ci": "URN:UVCI:01:AT:X"}
VERSIONS = (*RELEASES, AUSTRIAN)

pytestmark = pytest.mark.skipif(
    not SCHEMAS.is_dir(), reason="no third-party test data: set HEALTHCERT_INTEROP to its folder"
)

_DATE_TIME = re.compile(
    r"(\d{4}-\d{2}-\d{2})[Tt]([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?([Zz]|[+-]([01]\d|2[0-3])(:?[0-5]\d)?)",
    re.ASCII,
)
FORMATS = FormatChecker(["date"])  # jsonschema itself knows no date-time without a further package


def _date_time(value: object) -> bool:
    if not isinstance(value, str):
        return True
    match = _DATE_TIME.fullmatch(value)
    return match is not None and bool(date.fromisoformat(match[1]))


FORMATS.checks("date-time", raises=ValueError)(_date_time)


def _pattern(_: Any, pattern: str, instance: object, __: Any) -> Iterator[ValidationError]:
    ecma = re.sub(r"\$\Z", r"\\Z", pattern).replace(r"\d", "[0-9]")
    if isinstance(instance, str) and not re.search(ecma, instance):
        yield ValidationError("does not match")


Validator = extend(Draft202012Validator, {"pattern": _pattern})


@cache
def oracle(release: str, formats: bool) -> Any:
    schema = json.loads((SCHEMAS / release / "DCC.combined-schema.json").read_text("utf-8"))
    return Validator(schema, format_checker=FORMATS if formats else None)


def accepts(release: str, value: Any, *, formats: bool) -> bool:
    return (
        oracle(release, formats).is_valid(value)
        and _one_group(release, value)
        and (not formats or _birth_in_calendar(value["dob"]))
    )


def _one_group(release: str, value: dict[str, Any]) -> bool:
    return sum(group in value for group in (("ve",) if release == AUSTRIAN else ("v", "t", "r"))) == 1


def _birth_in_calendar(text: str) -> bool:
    numbers = [int(part) for part in text.split("-")] if text else []
    try:
        date(*numbers, *(2000, 1, 1)[len(numbers) :])
    except ValueError:
        return False
    return True


def check(release: str, value: Any) -> None:
    for formats in (False, True):
        found = violations(value, formats=formats)
        assert (not found) == accepts(release, value, formats=formats), (release, formats, found)


@cache
def payloads() -> list[tuple[str, Any]]:
    """Every payload of the public suites, by name."""
    found = []
    for folder in (SCHEMAS / "test", SCHEMAS / "examples"):
        found += [(str(path.relative_to(SCHEMAS)), _load(path)) for path in sorted(folder.rglob("*.json"))]
    for path in sorted(SUITE.rglob("*.json")):
        value = _load(path).get("JSON")
        if isinstance(value, dict):
            found.append((str(path.relative_to(SUITE)), value))
    return found


def _load(path: Path) -> Any:
    return json.loads(path.read_text("utf-8-sig"))


def test_every_published_payload_under_every_release() -> None:
    assert len(payloads()) > 350
    for name, value in payloads():
        for release in VERSIONS:
            try:
                check(release, value | {"ver": release})
            except AssertionError as error:
                raise AssertionError(name) from error


def test_the_verdicts_that_the_schemas_own_tests_expect() -> None:
    for folder, valid in (("valid", True), ("invalid", False)):
        for path in sorted((SCHEMAS / "test" / folder).glob("*.json")):
            # The folder is that of the newest release; its files name an older one now and then.
            assert (not violations(_load(path) | {"ver": RELEASES[-1]})) is valid, path.name


BASES: list[dict[str, Any]] = [
    payload(),
    payload_with("t", TEST_ENTRY | {"dr": "2021-08-19T12:00:00Z", "ma": "1232"}),
    payload_with("r", RECOVERY_ENTRY),
    payload_with("ve", EXEMPTION),
]
NASTY = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-1, 12),
    st.sampled_from((1.0, 2.5, 1e300, float("nan"), [], [[]], {}, [{}], [dict(PAYLOAD["v"][0])] * 2)),
    st.sampled_from(("", "A" * 50, "A" * 51, "A" * 80, "é" * 81, "A<B", "a", "fr", "FR", "FR\n", "1.3.0\n")),
    st.sampled_from(("1963", "1963-00", "1963-13", "1963-05", "1963-02-29", "1964-02-29", "1964-02-29\n", "1899")),
    st.sampled_from(("2021-08-19", "2021-02-30", "2021-08-19T10:00:00Z", "2021-08-19T10:00:00", "2021-08-19 10:00Z")),
    st.sampled_from(("2021-08-19t24:00:00Z", "2021-08-19T10:00:60.5+02:00", "2021-08-19T10:00:00+0200", "٢٠٢١-٠٨-١٩")),
    st.text(max_size=5),
)


@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data(), base=st.sampled_from(BASES), release=st.sampled_from(VERSIONS))
def test_mutated_payloads_under_every_release(data: st.DataObject, base: dict[str, Any], release: str) -> None:
    value = copy.deepcopy(base) | {"ver": release}
    for _ in range(data.draw(st.integers(0, 3))):
        places = [value] + [part for part in value.values() if isinstance(part, dict)]
        lists = [part for part in value.values() if isinstance(part, list)]
        places += [entry for part in lists for entry in part if isinstance(entry, dict)]
        place = data.draw(st.integers(0, len(places) - 1))
        further = {"fnt", "dr"} if place else {"v", "t", "r", "ve"}
        name = data.draw(st.sampled_from(sorted((places[place].keys() | further) - {"ver"})))
        if data.draw(st.booleans()):
            places[place].pop(name, None)
        else:
            places[place][name] = copy.deepcopy(data.draw(NASTY))  # a later draw may change it
    check(release, value)


@pytest.mark.parametrize("ver", ["1x3y0", "1.3.0\n", "1.3", "", "AT-1.3.0", "1.3.0.0", "100000", "١.٣.٠", 1, None])
def test_the_version_itself(ver: object) -> None:
    value = payload(ver=ver)
    release = AUSTRIAN if ver == "AT-1.3.0" else RELEASES[-1]
    check(release, value)


@pytest.mark.parametrize(
    ("ver", "release"),
    [
        ("1.0.4", "1.0.1"), ("1.1.9", "1.1.0"), ("1.2.2", "1.2.1"), ("1.9.0", "1.3.3"), ("0.9.0", "1.3.3"),
        ("2.0.0", "1.3.3"), ("AT-1.2.0", AUSTRIAN), ("9" * 5000 + ".0.0", "1.3.3"),
    ],
)  # fmt: skip
def test_a_version_that_was_never_published(ver: str, release: str) -> None:
    for _, value in payloads()[::7]:
        check(release, value | {"ver": ver})
