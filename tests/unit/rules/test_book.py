"""Which rules apply, to whom and when."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta, timezone
from itertools import product
from time import process_time
from typing import Any

import pytest

from healthcert.errors import Code, RuleError
from healthcert.rules.book import MOST_RULES, RuleBook
from healthcert.rules.rule import Rule
from healthcert.rules.ruling import RuleState, RulingOutcome
from healthcert.rules.valuesets import ValueSets, read_value_set
from tests.unit.rules.judging import AT, PAYLOAD, applied, judge, rule, subject
from tests.unit.rules.lists import FAILS, value_set

PASSED, FAIL, OPEN, NO_RULES = RulingOutcome
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
FROM, TO = datetime(2022, 1, 15, tzinfo=UTC), datetime(2022, 4, 1, tzinfo=UTC)
WINDOW = {"ValidFrom": "2022-01-15T00:00:00Z", "ValidTo": "2022-04-01T00:00:00Z"}


# --- Country and type ---


def test_rules_of_the_country_of_arrival() -> None:
    rules = [rule("GR-FR-0001"), rule("GR-DE-0001"), rule("GR-AT-0001")]
    for country in ("FR", "DE", "AT"):
        assert applied(judge(*rules, country=country)) == [f"GR-{country}-0001 1.0.0"]
    assert applied(judge(*rules, country="fr")) == ["GR-FR-0001 1.0.0"]
    ruling = judge(*rules, country="fr")
    assert ruling.country == "FR"
    ruling = judge(*rules, country="PL")
    assert (ruling.outcome, ruling.results) == (NO_RULES, ())


def test_rules_of_the_kind_of_certificate() -> None:
    rules = [rule(f"{kind}-FR-0001") for kind in ("TR", "RR", "VR", "GR")]
    for group, prefix in (("v", "VR"), ("t", "TR"), ("r", "RR")):
        about = subject(payload={"ver": "1.3.0", group: [{}]})
        assert applied(judge(*rules, about=about)) == ["GR-FR-0001 1.0.0", f"{prefix}-FR-0001 1.0.0"]
    both = subject(payload={"ver": "1.3.0", "v": [{}], "t": [{}]})
    assert [name[:2] for name in applied(judge(*rules, about=both))] == ["GR", "TR", "VR"]
    none = subject(payload={"ver": "1.3.0"})
    assert [name[:2] for name in applied(judge(*rules, about=none))] == ["GR"]


def test_no_rules_for_this_kind() -> None:
    """A country with rules about tests alone says nothing about a vaccination."""
    assert judge(rule("TR-FR-0001"), rule("RR-FR-0001")).outcome is NO_RULES


@pytest.mark.parametrize(
    "type_",
    ["BoosterNotification", "Mask", "ImpfstatusBZwei", "acceptance", "ACCEPTANCE", "Acceptance ", "invalidation"],
)
def test_unknown_types_are_never_acceptance(type_: str) -> None:
    ruling = judge(rule("GR-FR-0001", Type=type_))
    assert (ruling.outcome, ruling.results) == (NO_RULES, ())
    assert judge(rule("GR-FR-0001", Type=type_, Logic=FAILS), rule("GR-FR-0002")).outcome is PASSED
    assert RuleBook([rule("GR-FR-0001", Type=type_)]).countries == ()


def test_results_are_in_the_order_of_identifiers() -> None:
    rules = [rule(name) for name in ("VR-FR-0002", "GR-FR-0010", "VR-FR-0001", "GR-FR-0002")]
    expected = ["GR-FR-0002 1.0.0", "GR-FR-0010 1.0.0", "VR-FR-0001 1.0.0", "VR-FR-0002 1.0.0"]
    assert applied(judge(*rules)) == applied(judge(*reversed(rules))) == expected


# --- The window ---


@pytest.mark.parametrize(
    ("at", "valid"),
    [
        (FROM - SECOND / 1000, False),
        (FROM, True),
        (FROM + SECOND, True),
        (TO - SECOND / 1000, True),
        (TO, False),
        (TO + DAY, False),
    ],
)
def test_window_is_half_open(at: datetime, valid: bool) -> None:
    for moment in (at, at.astimezone(timezone(timedelta(hours=9)))):
        ruling = judge(rule(**WINDOW), at=moment)
        assert ruling.outcome is (PASSED if valid else NO_RULES)
        assert len(ruling.results) == valid


def test_a_window_that_is_none() -> None:
    empty = rule(ValidFrom="2022-03-01T12:30:45Z", ValidTo="2022-03-01T12:30:45Z", Logic=FAILS)
    turned = rule("GR-FR-0002", ValidFrom="2023-01-01T00:00:00Z", ValidTo="2021-01-01T00:00:00Z", Logic=FAILS)
    for at in (AT, AT.replace(microsecond=0), FROM, TO):
        assert judge(empty, turned, at=at).outcome is NO_RULES


# --- Versions ---


def versions(*given: tuple[str, dict[str, Any]]) -> list[Rule]:
    return [rule("GR-FR-0001", Version=version, **changes) for version, changes in given]


@pytest.mark.parametrize(
    ("present", "highest"),
    [
        (["1.0.99", "1.0.100"], "1.0.100"), (["1.0.2", "1.0.12"], "1.0.12"), (["1.1.0", "1.0.100"], "1.1.0"),
        (["2.0.0", "10.0.0", "9.9.9"], "10.0.0"),
        (["1.0.0", "1.0.1", "0.9.9"], "1.0.1"),
    ],
)  # fmt: skip
def test_highest_version(present: list[str], highest: str) -> None:
    rules = versions(*((version, {}) for version in present))
    assert applied(judge(*rules)) == applied(judge(*reversed(rules))) == [f"GR-FR-0001 {highest}"]


@pytest.mark.parametrize("shadow", [{"ValidTo": "2022-02-01T00:00:00Z"}, {"ValidFrom": "2022-05-01T00:00:00Z"}])
def test_a_newer_version_that_is_not_valid_hides_nothing(shadow: dict[str, str]) -> None:
    rules = versions(("1.0.0", {"Logic": FAILS}), ("2.0.0", shadow))
    for order in (rules, rules[::-1]):
        ruling = judge(*order)
        assert (ruling.outcome, applied(ruling)) == (FAIL, ["GR-FR-0001 1.0.0"])


def test_versions_one_after_the_other() -> None:
    rules = versions(
        ("1.0.0", WINDOW),
        ("1.1.0", {"ValidFrom": "2022-02-01T00:00:00Z", "ValidTo": "2022-03-01T00:00:00Z"}),
        ("1.2.0", {"ValidFrom": "2022-04-01T00:00:00Z", "ValidTo": "2022-05-01T00:00:00Z"}),
    )
    book = RuleBook(rules)
    days = [
        (2022, 1, 14),
        (2022, 1, 15),
        (2022, 1, 31),
        (2022, 2, 1),
        (2022, 2, 28),
        (2022, 3, 1),
        (2022, 3, 31),
        (2022, 4, 1),
        (2022, 5, 1),
    ]
    found = [
        applied(book.judge(subject(), country="FR", at=datetime(*day, tzinfo=UTC))) for day in (*days, *reversed(days))
    ]
    names = [[], ["1.0.0"], ["1.0.0"], ["1.1.0"], ["1.1.0"], ["1.0.0"], ["1.0.0"], ["1.2.0"], []]
    assert found == [[f"GR-FR-0001 {one}" for one in name] for name in (*names, *reversed(names))]


def test_a_version_of_another_type_of_certificate_hides_nothing() -> None:
    """What is left is compared, after the type and the region were looked at."""
    rules = versions(("1.0.0", {"Logic": FAILS}), ("2.0.0", {"CertificateType": "Test"}), ("3.0.0", {"Region": "IDF"}))
    assert applied(judge(*rules)) == ["GR-FR-0001 1.0.0"]
    assert applied(judge(*rules, region="idf")) == ["GR-FR-0001 3.0.0"]


# --- Regions ---


@pytest.mark.parametrize(
    ("region", "expected"),
    [
        (None, ["GR-FR-0001", "GR-FR-0002"]), ("", ["GR-FR-0001", "GR-FR-0002"]), ("  ", ["GR-FR-0001", "GR-FR-0002"]),
        ("FR", ["GR-FR-0001", "GR-FR-0002"]), ("fr", ["GR-FR-0001", "GR-FR-0002"]), ("XYZ", ["GR-FR-0001",
        "GR-FR-0002"]),
        ("IDF", ["GR-FR-0001", "GR-FR-0002", "GR-FR-0003"]), (" idf ", ["GR-FR-0001", "GR-FR-0002", "GR-FR-0003"]),
        ("COR", ["GR-FR-0001", "GR-FR-0002", "GR-FR-0004"]),
    ],
)  # fmt: skip
def test_regions(region: str | None, expected: list[str]) -> None:
    rules = [
        rule("GR-FR-0001"),
        rule("GR-FR-0002", Region="FR"),
        rule("GR-FR-0003", Region="IDF"),
        rule("GR-FR-0004", Region="cor"),
    ]
    ruling = judge(*rules, region=region)
    assert [result.rule.identifier for result in ruling.results] == expected
    chosen = (region or "").strip().upper()
    assert ruling.region == (None if chosen in ("", "FR") else chosen)
    assert ruling.results[0].data["external"]["region"] == (ruling.region or "")


# --- Invalidation ---

# As the one in use: false where the certificate is to be refused.
INVALIDATION = {
    "if": [
        {"var": "payload.v.0"},
        {"!": [{"in": [{"extractFromUVCI": [{"var": "payload.v.0.ci"}, 1]}, ["IZ12345A", "IZ99999X"]]}]},
        True,
    ]
}


def with_id(identifier: str) -> Any:
    return subject(payload=PAYLOAD | {"v": [PAYLOAD["v"][0] | {"ci": identifier}]})


def test_invalidation_by_the_issuer_is_true_where_all_is_well() -> None:
    rules = [rule("GR-FR-0001"), rule("IR-DE-0001", INVALIDATION)]
    refused, fine = with_id("URN:UVCI:01DE/IZ12345A/5CWL#W"), with_id("URN:UVCI:01DE/IZ12345B/5CWL#W")
    ruling = judge(*rules, about=refused)
    assert ruling.outcome is FAIL
    assert [(one.rule.identifier, one.state) for one in ruling.results] == [
        ("GR-FR-0001", RuleState.PASSED),
        ("IR-DE-0001", RuleState.FAIL),
    ]
    assert judge(*rules, about=fine).outcome is PASSED


def test_invalidation_is_that_of_the_issuer() -> None:
    """Not that of the country of arrival, nor anybody else's."""
    rules = [rule("GR-FR-0001"), *(rule(f"IR-{country}-0001", FAILS) for country in ("FR", "AT"))]
    assert judge(*rules).outcome is PASSED
    assert judge(*rules, about=subject(issuer=None)).outcome is PASSED
    for issuer in ("AT", "at", "FR"):
        assert judge(*rules, about=subject(issuer=issuer)).outcome is FAIL
    for issuer in ("A", "AUT", "Ministry of Health", "", "A\x00T"):
        assert judge(*rules, about=subject(issuer=issuer)).outcome is PASSED


def test_invalidation_alone_accepts_nobody() -> None:
    fine = with_id("URN:UVCI:01DE/IZ12345B/5CWL#W")
    assert judge(rule("IR-DE-0001", INVALIDATION), about=fine).outcome is NO_RULES
    assert judge(rule("IR-DE-0001", FAILS)).outcome is FAIL
    assert judge(rule("IR-DE-0001", {"var": "none"})).outcome is OPEN
    assert RuleBook([rule("IR-DE-0001")]).countries == ()


def test_invalidation_is_selected_as_acceptance_is() -> None:
    late = rule("IR-DE-0001", FAILS, ValidFrom="2023-01-01T00:00:00Z")
    other = rule("IR-DE-0002", FAILS, CertificateType="Test")
    newer = [rule("IR-DE-0003", FAILS, Version="1.0.0"), rule("IR-DE-0003", Version="1.0.1")]
    assert applied(judge(rule("GR-FR-0001"), late, other, *newer)) == ["GR-FR-0001 1.0.0", "IR-DE-0003 1.0.1"]


def test_one_identifier_as_acceptance_and_as_invalidation() -> None:
    """A list that gives an acceptance rule the identifier of an invalidation may not make that disappear."""
    mine = rule("IR-DE-0001", FAILS, Country="DE")
    theirs = rule("IR-DE-0001", Type="Acceptance", Country="FR", Version="9.0.0")
    ruling = judge(mine, theirs)
    assert (ruling.outcome, len(ruling.results)) == (FAIL, 2)
    assert len(judge(theirs, mine).results) == 2


# --- What could not be read ---


@pytest.mark.parametrize(
    ("unreadable", "count"),
    [
        ({}, 0),
        ({"FR": 2}, 2),
        ({"DE": 1}, 1),
        ({"*": 3}, 3),
        ({"AT": 5}, 0),
        ({"FR": 2, "DE": 1, "*": 3, "AT": 5}, 6),
        ({"FR": 0}, 0),
    ],
)
def test_unreadable_rules(unreadable: dict[str, int], count: int) -> None:
    book = RuleBook([rule("GR-FR-0001")], unreadable=unreadable)
    for country in ("FR", "fr"):
        ruling = book.judge(subject(issuer="de"), country=country, at=AT)
        assert (ruling.unreadable, ruling.outcome) == (count, OPEN if count else PASSED)
    refused = RuleBook([rule("GR-FR-0001", FAILS)], unreadable=unreadable).judge(subject(), country="FR", at=AT)
    assert refused.outcome is FAIL
    nothing = RuleBook([], unreadable=unreadable).judge(subject(), country="FR", at=AT)
    assert nothing.outcome is (OPEN if count else NO_RULES)


def test_the_same_country_twice_counts_once() -> None:
    book = RuleBook([rule("GR-DE-0001")], unreadable={"DE": 1})
    assert book.judge(subject(issuer="DE"), country="DE", at=AT).unreadable == 1


def test_a_book_that_was_asked_before_answers_as_a_new_one() -> None:
    rules = [
        rule("GR-FR-0001"), rule("GR-FR-0002", FAILS, Region="IDF"), rule("VR-FR-0001"), rule("TR-FR-0001", FAILS),
        rule("GR-FR-0003", EngineVersion="1.2.0"), rule("GR-FR-0004", SchemaVersion="1.2.0"), rule("GR-DE-0001"),
        rule("IR-DE-0001", FAILS, Type="Invalidation", **WINDOW), rule("GR-FR-0005", {"nonsense": []}, **WINDOW),
    ]  # fmt: skip
    unreadable = {"DE": 1, "*": 1}
    asked = product(
        ("FR", "fr", "DE"), (None, "IDF"), ("1.3.3", "1.0.0"), ("DE", "FR", "?"), ("1.3.0", "1.1.0", None), "vt",
        (AT, TO),
    )  # fmt: skip
    known, found = RuleBook(rules, unreadable=unreadable), set()
    for country, region, engine_version, issuer, version, group, at in (*(all_ := list(asked)), *reversed(all_)):
        about = subject(issuer=issuer, payload={**PAYLOAD, "v": [], group: PAYLOAD["v"], "ver": version})
        options: dict[str, Any] = {"country": country, "region": region, "engine_version": engine_version, "at": at}
        ruling = known.judge(about, **options)
        assert ruling == RuleBook(rules, unreadable=unreadable).judge(about, **options)
        found.add((ruling.outcome, ruling.unreadable, tuple(result.state for result in ruling.results)))
    assert len(found) > 10


# --- External parameters and value sets ---


def test_rules_are_told_the_parameters() -> None:
    reads = [
        ("validationClock", "2022-03-01T12:30:45Z"), ("countryCode", "FR"), ("issuerCountryCode", "DE"), ("kid",
        "MTIzNDU2Nzg="), ("region", "IDF"),
        ("exp", "2023-01-20T00:00:00Z"), ("iat", "2022-01-20T00:00:00Z"),
    ]  # fmt: skip
    rules = [
        rule(f"GR-FR-{number:04}", {"===": [{"var": f"external.{name}"}, value]})
        for number, (name, value) in enumerate(reads)
    ]
    about = subject(
        kid=b"12345678", issued_at=datetime(2022, 1, 20, tzinfo=UTC), expires_at=datetime(2023, 1, 20, tzinfo=UTC)
    )
    ruling = judge(*rules, about=about, country="fr", region="idf")
    assert [result.state for result in ruling.results] == [RuleState.PASSED] * len(reads)


@pytest.mark.parametrize("path", ["external.exp", "external.iat", "external", ""])
def test_times_are_there_where_any_rule_reads_them(path: str) -> None:
    about = subject(issued_at=datetime(2022, 1, 20, tzinfo=UTC), expires_at=datetime(2023, 1, 20, tzinfo=UTC))
    ruling = judge(rule("GR-FR-0001"), rule("GR-FR-0002", {"!": [{"!": [{"var": path}]}]}), about=about)
    assert ruling.results[0].data["external"].keys() >= {"exp", "iat"}
    assert ruling.outcome is PASSED


def test_value_sets() -> None:
    sets = ValueSets([read_value_set(value_set("disease-agent-targeted", "2", "1"))])
    asks = rule(logic={"in": ["1", {"var": "external.valueSets.disease-agent-targeted"}]})
    ruling = RuleBook([asks], sets).judge(subject(), country="FR", at=AT)
    assert (ruling.outcome, dict(ruling.value_sets)) == (PASSED, {"disease-agent-targeted": "2021-04-27"})
    assert ruling.results[0].data["external"]["valueSets"] == {"disease-agent-targeted": ["1", "2"]}
    unknown = RuleBook([asks], ValueSets()).judge(subject(), country="FR", at=AT)
    assert unknown.outcome is OPEN
    assert "disease-agent-targeted" in unknown.results[0].detail
    real = rule(logic={"in": [{"var": "payload.v.0.ma"}, {"var": "external.valueSets.vaccines-covid-19-auth-holders"}]})
    assert judge(real).outcome is PASSED


# --- Refused questions ---


@pytest.mark.parametrize("version", ["", "1", "1.3", "latest", "1.3.3 "])
def test_engine_version_is_a_version(version: str) -> None:
    with pytest.raises(RuleError) as caught:
        judge(rule(), engine_version=version)
    assert caught.value.code is Code.RULE_CONFIG_INVALID


# --- Many questions ---


def test_selections_do_not_pile_up() -> None:
    """A book that is asked for ever other regions and by ever other issuers keeps but so many answers."""
    book = RuleBook([rule("GR-FR-0001"), rule("GR-FR-0002", Region="R7"), rule("IR-DE-0001", INVALIDATION)])
    kinds = frozenset({"Vaccination"})
    start = process_time()
    for number in range(6000):
        found = book.select("FR", kinds, AT, region=f"R{number}", issuer=f"ISSUER {number}")
        assert len(found.rules) == (2 if number == 7 else 1)
    for number in range(300):
        found = book.select("FR", kinds, AT, issuer=f"{number}", region="R1")
        assert [one.identifier for one in found.rules] == ["GR-FR-0001"]
        assert found is book.select("FR", kinds, AT, issuer="nobody", region="R1")
    assert process_time() - start < 5
    assert len(book._plans) <= 4096
    about = [subject(payload=PAYLOAD | {"ver": f"1.{minor}.{patch}"}) for minor in range(20) for patch in range(10)]
    assert {book.judge(one, country="FR", at=AT).outcome for one in about} == {FAIL}
    assert len(book.select("FR", kinds, AT, issuer="DE")._gated) <= 64


def test_a_list_with_a_window_for_each_rule() -> None:
    begin = datetime(2021, 1, 1, tzinfo=UTC)
    starts = [begin + number * DAY / 24 for number in range(4000)]
    rules = [
        rule(f"GR-FR-{number:04}", ValidFrom=start.isoformat(), ValidTo=(start + 3000 * DAY).isoformat())
        for number, start in enumerate(starts)
    ]
    book = RuleBook(rules)
    began = process_time()
    for number in (-1, 0, 1, 1999, 3999, 5000):
        at = begin + number * DAY / 24
        assert len(book.select("FR", frozenset(), at).rules) == max(0, min(number + 1, 4000))
    assert process_time() - began < 1


def test_one_book_in_many_threads() -> None:
    book = RuleBook([rule(f"GR-FR-{number:04}", Version=f"1.0.{number}", **WINDOW) for number in range(20)])
    found: list[tuple[RulingOutcome, int]] = []

    def ask(offset: int) -> None:
        for day in range(100):
            ruling = book.judge(subject(), country="FR", at=FROM + (day - offset) * DAY)
            found.append((ruling.outcome, len(ruling.results)))

    threads = [threading.Thread(target=ask, args=(offset,)) for offset in (10, 20, 30, 40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(found) == {(PASSED, 20), (NO_RULES, 0)}
    assert found.count((PASSED, 20)) == sum(0 <= day - offset < 76 for day in range(100) for offset in (10, 20, 30, 40))


def test_repr_is_short() -> None:
    assert (
        repr(RuleBook([rule("GR-FR-0001"), rule("VR-FR-0001"), rule("IR-DE-0001")]))
        == "RuleBook(3 rules of 1 countries)"
    )


# --- What a ruling may cost ---


def test_more_rules_than_anybody_has_are_not_asked() -> None:
    many = [rule(f"GR-FR-{number:04}") for number in range(MOST_RULES + 1)]
    assert judge(*many[:MOST_RULES]).outcome is PASSED
    ruling = judge(*many)
    assert ruling.outcome is OPEN
    assert {(result.state, result.code) for result in ruling.results} == {(RuleState.OPEN, Code.CERTLOGIC_LIMIT)}


def test_all_rules_of_a_ruling_have_their_steps_together() -> None:
    """So that a hundred rules, each just within its bound, do not keep a door waiting."""
    about = subject(payload={**PAYLOAD, "many": list(range(9000))})
    logic = {"reduce": [{"var": "payload.many"}, {"and": [{"var": "accumulator"}, True, True, True, True]}, True]}
    alone = judge(rule(logic=logic), about=about)
    assert alone.outcome is PASSED
    together = judge(*(rule(f"GR-FR-{number:04}", logic=logic) for number in range(10)), about=about)
    assert together.outcome is OPEN
    states = [result.state for result in together.results]
    assert states == sorted(states, key=[RuleState.PASSED, RuleState.OPEN].index)
    assert states[0] is RuleState.PASSED
    assert {result.code for result in together.of(RuleState.OPEN)} == {Code.CERTLOGIC_LIMIT}
    # The next certificate has its own.
    assert judge(rule(logic=logic), about=about).outcome is PASSED


def test_a_moment_without_a_zone_is_none() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        judge(rule(), at=AT.replace(tzinfo=None))
