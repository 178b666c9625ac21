"""The specification's own test suites, and rules that were in use: files are found where they lie, further ones too."""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from msgspec.structs import replace

from healthcert.errors import Code, RuleError
from healthcert.families import recognise
from healthcert.limits import DEFAULT_LIMITS
from healthcert.rules import certlogic
from healthcert.rules.book import RuleBook
from healthcert.rules.rule import ACCEPTANCE, INVALIDATION, Rule, read_rule
from healthcert.rules.ruling import RuleResult, RuleState, RulingOutcome
from healthcert.rules.sources.cwa_value_sets import read_cwa_value_sets
from healthcert.rules.subject import RuleSubject
from healthcert.rules.valuesets import ValueSets, shipped
from healthcert.verify.policy import Policy
from tests.conftest import interop_folder

ROOT = interop_folder()
RULES = ROOT / "business-rules"
SUITE, VALIDATION = ROOT / "certlogic/testSuite", ROOT / "certlogic/validation-testSuite"
pytestmark = pytest.mark.usefixtures("interop")


@cache
def load(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


def files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.json"))


# --- The suite of evaluation ---


class Assertion(NamedTuple):
    """One assertion of the suite, and whether it is to be left out."""

    name: str
    expression: Any
    data: Any
    expected: Any
    skipped: bool


def assertions_of(path: Path) -> Iterator[Assertion]:
    """``skip`` of a suite or a case holds for all in it; ``only`` is for authors, and leaves nothing out here."""
    suite = load(path)
    for number, case in enumerate(suite["cases"]):
        for at, given in enumerate(case["assertions"]):
            directives = {one.get("directive") for one in (suite, case, given)}
            assert directives <= {None, "skip", "only"}
            expression = given.get("certLogicExpression", case.get("certLogicExpression"))
            name = f"{path.name}, case {number} ({case.get('name')}), assertion {at}"
            yield Assertion(name, expression, given.get("data"), given["expected"], "skip" in directives)


@pytest.mark.parametrize("path", files(SUITE), ids=lambda path: path.stem)
def test_suite(path: Path) -> None:
    given = list(assertions_of(path))
    assert given
    for one in given:
        if one.skipped:
            continue
        assert certlogic.validate(one.expression) == [], one.name
        found = certlogic.evaluate(one.expression, one.data)
        assert (found, type(found)) == (one.expected, type(one.expected)), one.name
        assert certlogic.compile(one.expression)(one.data) == one.expected, one.name


def test_how_many_assertions_are_skipped() -> None:
    """Those that others lay beside them are counted in; of the files that are known the numbers are."""
    known = {
        "JsonLogic-testSuite": (81, 0), "and": (9, 0), "comparison": (10, 0), "date-times": (12, 0),
        "detect-missing-values": (10, 0),
        "equality": (2, 0), "if": (5, 0), "in": (7, 0), "recognising-minors-with-DCC-DOB": (15, 0), "var": (18, 0),
    }  # fmt: skip
    for path in files(SUITE):
        counts = Counter(one.skipped for one in assertions_of(path))
        if path.stem in known:
            assert (counts[False] + counts[True], counts[True]) == known[path.stem]
    assert sum(not one.skipped for path in files(SUITE) for one in assertions_of(path)) > 150


# --- The suite of validation ---


@pytest.mark.parametrize("path", files(VALIDATION), ids=lambda path: path.stem)
def test_validation_suite(path: Path) -> None:
    cases = load(path)["cases"]
    assert cases
    for number, case in enumerate(cases):
        issues = certlogic.validate(case["certLogicExpression"])
        assert issues == case["issues"], f"{path.name}, case {number} ({case.get('name')})"
        try:
            certlogic.compile(case["certLogicExpression"])
            code = None
        except RuleError as error:
            code = error.code
        assert code is (Code.CERTLOGIC_INVALID if case["issues"] else None)


def test_the_suites_lie_where_they_should() -> None:
    assert len(files(SUITE)) >= 10
    assert len(files(VALIDATION)) >= 3


# --- The cases of the Corona-Warn-App ---


@cache
def cwa() -> Any:
    return load(RULES / "cwa/dcc-validation-rules-common-test-cases.json")


@cache
def cwa_value_sets() -> ValueSets:
    """Those that come with the cases; countries are built into that app: ISO 3166-1, and so without Kosovo's XK."""
    sets = read_cwa_value_sets(base64.b64decode(cwa()["general"]["valueSetProtocolBuffer"]))
    countries = shipped().get("country-2-codes")
    assert countries is not None
    iso = {code: given for code, given in countries.codes.items() if code != "XK"}
    assert len(iso) == len(countries.codes) - 1
    return ValueSets([*sets, replace(countries, codes=iso)])


def subject_in(text: str) -> RuleSubject:
    """What rules see of a certificate whose signer is not known."""
    family, given = recognise(text, DEFAULT_LIMITS)
    decoded = family.decode(given, DEFAULT_LIMITS)
    certificate, _ = family.parse(decoded, Policy().families)
    return RuleSubject.of(certificate, decoded.kid)


@pytest.mark.parametrize("number", range(14))
def test_cwa(number: int) -> None:
    case = cwa()["testCases"][number]
    book = RuleBook(map(read_rule, case["rules"]), cwa_value_sets())
    at = datetime.fromtimestamp(int(case["validationClock"]), UTC)
    ruling = book.judge(subject_in(case["dcc"]), country=case["countryOfArrival"], at=at)
    found = [len(ruling.of(state)) for state in (RuleState.PASSED, RuleState.FAIL, RuleState.OPEN)]
    expected = [int(case[name]) for name in ("expPass", "expFail", "expOpen")]
    assert found == expected, [result.detail for result in ruling.results]
    assert (expected, ruling.outcome) == ([1, 0, 0], RulingOutcome.PASSED)


def test_there_are_so_many_cases_of_cwa() -> None:
    assert len(cwa()["testCases"]) == 14


# --- Rules that were in use ---


def rules_in(path: str, *keys: str) -> list[Rule]:
    given = load(RULES / path)
    for key in keys:
        given = given[key]
    return [read_rule(one) for one in given]


@pytest.mark.parametrize(
    ("path", "keys", "types"),
    [
        ("covpass/eu-rules.json", (), {ACCEPTANCE: 270, INVALIDATION: 1}),
        ("covpass/eu-booster-rules.json", (), {"BoosterNotification": 2}),
        (
            "covpass/domestic-rules.json",
            (),
            {"ImpfstatusBZwei": 2, "ImpfstatusCZwei": 2, "ImpfstatusEEins": 2, "ImpfstatusEZwei": 2, "Mask": 2}
            | {ACCEPTANCE: 4, INVALIDATION: 1},
        ),
        ("ch/nationalrules.json", ("rules",), None),
        ("ch/foreignRules_de.json", ("rules",), None),
    ],
)
def test_rules_in_use_are_read_and_compile(path: str, keys: tuple[str, ...], types: dict[str, int] | None) -> None:
    rules = rules_in(path, *keys)
    assert rules
    assert types in (None, Counter(rule.type for rule in rules))
    for rule in rules:
        assert rule.program.expression is rule.logic
        assert rule.engine.upper() == "CERTLOGIC"
        assert rule.engine_key is not None
        assert rule.description() != rule.identifier
        assert rule.valid_from < rule.valid_to


def test_rules_of_switzerland_for_display_and_modes_compile() -> None:
    document = load(RULES / "ch/nationalrules.json")
    for logic in (document["modeRules"]["logic"], *(one["logic"] for one in document["displayRules"])):
        assert certlogic.validate(logic) == []
        assert certlogic.compile(logic).expression is logic


DOSE = {"tg": "840539006", "vp": "1119349007", "mp": "EU/1/20/1528", "ma": "ORG-100030215", "dn": 3, "sd": 3,
"dt": "2022-01-20", "co": "AT",
        "is": "A ministry", "ci": "URN:UVCI:01:AT:10807843F94AEE0EE5093FBC254BD813#B"}  # fmt: skip
SAMPLE = {"tg": "840539006", "tt": "LP6464-4", "nm": "A test", "sc": "2022-02-28T07:00:00Z", "tr": "260415000",
"tc": "A centre", "co": "AT",
          "is": "A ministry", "ci": "URN:UVCI:01:AT:71EE2559DE38C6BF7304FB65A1A451EC#3"}  # fmt: skip
ILLNESS = {"tg": "840539006", "fr": "2022-01-01", "co": "AT", "is": "A ministry", "df": "2022-01-15",
"du": "2022-06-30",
           "ci": "URN:UVCI:01:AT:858CC18CFCF5965EF82F60E493349AA5#K"}  # fmt: skip
HOLDER = {"nam": {"fnt": "MUSTERMANN", "gnt": "ERIKA"}, "dob": "1964-08-12"}
MOMENTS = [datetime(2022, 3, 1, 12, tzinfo=UTC), datetime(2023, 4, 1, tzinfo=UTC)]


def all_results(**payload: Any) -> Iterator[tuple[str, RuleResult]]:
    """What every country's rules say of a certificate, at two moments."""
    book = RuleBook(rules_in("covpass/eu-rules.json"))
    for country in book.countries:
        for at in MOMENTS:
            about = RuleSubject(payload={"ver": "1.3.0", **HOLDER, **payload}, issuer="AT")
            for result in book.judge(about, country=country, at=at).results:
                yield country, result


@pytest.mark.parametrize(("group", "entry"), [("v", DOSE), ("t", SAMPLE), ("r", ILLNESS)])
def test_rules_in_use_are_open_only_where_they_must(group: str, entry: dict[str, Any]) -> None:
    """Togo's rule is written for a version of the language that there never was; everything else can be told."""
    states: Counter[RuleState] = Counter()
    for country, result in all_results(**{group: [entry]}):
        states[result.state] += 1
        if result.state is RuleState.OPEN:
            assert (country, result.rule.identifier) == ("TG", "GR-TG-0001")
            assert result.code is Code.RULE_NOT_SUPPORTED
            assert "newer version of CertLogic" in result.detail
    assert states[RuleState.OPEN] >= 1
    assert states[RuleState.PASSED] > 40


def test_rules_in_use_are_open_about_a_date_that_is_none() -> None:
    """``1963-00`` is in certificates: rules that read it say nothing, and never that it is well."""
    reads = False
    whole = {(one.rule.country, one.rule.identifier, one.rule.version): one for _, one in all_results(v=[DOSE])}
    for _, result in all_results(v=[DOSE], dob="1963-00"):
        before = whole[result.rule.country, result.rule.identifier, result.rule.version]
        if result.state is not before.state and result.code is Code.CERTLOGIC_UNDEFINED:
            reads = True
            assert "payload.dob" in certlogic.data_accesses(result.rule.logic)
    assert reads


def test_a_newer_schema_leaves_no_rule_closed() -> None:
    found = {(result.state, result.code) for _, result in all_results(ver="2.0.0", v=[DOSE])}
    assert found == {(RuleState.OPEN, Code.RULE_NOT_SUPPORTED)}


def test_the_cap_of_the_reference_opens_no_further_rules() -> None:
    """Of the rules in use all but Togo's name a version up to 1.0.0."""
    rules = rules_in("covpass/eu-rules.json")
    assert [rule.identifier for rule in rules if (rule.engine_key or (9, 0, 0)) > (1, 0, 0)] == ["GR-TG-0001"]


def test_the_invalidation_rule_in_use() -> None:
    """It is false for the two pharmacies whose certificates are refused, and true for all others."""
    book = RuleBook(rules_in("covpass/eu-rules.json"))
    (rule,) = [rule for rule in book.rules if rule.type == INVALIDATION]
    assert rule.identifier == "IR-DE-0001"
    refused = sorted({text for text in texts_in(rule.logic) if text.startswith("A")})
    assert len(refused) == 2
    for code, issuer in product((*refused, "A00000000"), ("DE", "AT")):
        entry = DOSE | {"ci": f"URN:UVCI:01DE/{code}/5CWLU12RNOB9RXSEOP6FG8#W", "co": "DE"}
        about = RuleSubject(payload={"ver": "1.3.0", **HOLDER, "v": [entry]}, issuer=issuer)
        ruling = book.judge(about, country="LU", at=datetime(2022, 6, 1, tzinfo=UTC))
        states = {result.rule.identifier: result.state for result in ruling.results}
        bad = issuer == "DE" and code in refused
        assert states.pop(rule.identifier, None) == (None if issuer == "AT" else "FAIL" if bad else "PASSED")
        assert set(states.values()) == {RuleState.PASSED}
        assert ruling.outcome is (RulingOutcome.FAIL if bad else RulingOutcome.PASSED)


def texts_in(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, dict)):
        for one in value.values() if isinstance(value, dict) else value:
            yield from texts_in(one)
