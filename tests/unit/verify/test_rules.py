"""The rules step: what a report says of a country's rules, beyond what the vectors of HC-RUL hold."""

from __future__ import annotations

import json
import pickle
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace
from tools.vectors.who import DDCC

import healthcert as hc
from healthcert.families import KINDS
from tests.support import CORE, DAY, EXEMPTION_ENTRY, NOW, Press, dsc, issue, payload, trust, vaccination
from tests.support_rule_lists import raw, rule, value_set

PERSONAL = ("Exemplaire", "EXEMPLAIRE", "Zoé", "ZOE", "1984", "T5DWTJYS4ZR8")
FRANCE = hc.Policy(country="FR")
LENIENT = hc.Policy(country="FR", rules=hc.RulesCheck.IF_AVAILABLE)
TWO_DOSES = {">=": [{"var": "payload.v.0.dn"}, 2]}
THREE_DOSES = {">=": [{"var": "payload.v.0.dn"}, 3]}
UNDEFINED = {">=": [{"var": "payload.v.0.tg"}, 3]}  # a text is no number
DESCRIBED = [{"lang": "en", "desc": "At least three doses are asked for."}]
MET, NOT_MET, OPEN = (
    rule(number=number, Logic=logic, Description=DESCRIBED)
    for number, logic in enumerate((TWO_DOSES, THREE_DOSES, UNDEFINED), 1)
)
Given = Mapping[str, Any]


def rules(*given: Given, age: timedelta = timedelta(0), **changes: Any) -> hc.RuleStore:
    """A store with one list of these rules, which is to be fetched every day and was so long ago."""
    store = hc.RuleStore()
    put(store, *given, age=age, **changes)
    return store


def put(store: hc.RuleStore, *given: Given, age: timedelta = timedelta(0), **changes: Any) -> None:
    parts = {f"{number}.json": raw(one) for number, one in enumerate(given)}
    feed = replace(hc.RuleFeed(name="door", format="folder", max_age=DAY, options={"countries": "FR"}), **changes)
    hc.install_rules(store, feed, parts, clock=hc.FixedClock(NOW - age))


def examine(
    store: hc.RuleStore | None, policy: hc.Policy = FRANCE, text: str | None = None, **changes: Any
) -> hc.Report:
    verifier = hc.Verifier(trust(), rules=store, policy=replace(policy, **changes), clock=hc.FixedClock(NOW))
    return verifier.examine(text or Press().text())


def said(report: hc.Report) -> tuple[str, str, str | None]:
    """Outcome, code, and what became of the step."""
    return report.outcome.value, report.code.value, report[hc.Step.RULES].outcome.value


ACCEPTED = ("accepted", "OK", "passed")
WITHOUT = ("accepted", "OK", "not_run")
REFUSED = ("refused", "RULES_NOT_MET", "failed")
UNTOLD = ("undetermined", "RULES_OPEN", "undetermined")
UNKNOWN = ("undetermined", "RULES_UNKNOWN", "undetermined")


@pytest.mark.parametrize(
    ("given", "outcome", "required", "if_available"),
    [
        ([MET], "PASSED", ACCEPTED, ACCEPTED),
        ([NOT_MET], "FAIL", REFUSED, REFUSED),
        ([OPEN], "OPEN", UNTOLD, UNTOLD),
        ([], "NO_RULES", UNKNOWN, WITHOUT),
        ([MET, NOT_MET], "FAIL", REFUSED, REFUSED),
        ([MET, OPEN], "OPEN", UNTOLD, UNTOLD),
        ([NOT_MET, OPEN], "FAIL", REFUSED, REFUSED),
        ([rule("DE")], "NO_RULES", UNKNOWN, WITHOUT),
        ([rule(CertificateType="Test", Identifier="TR-FR-0001")], "NO_RULES", UNKNOWN, WITHOUT),
    ],
    ids=["met", "not met", "open", "none", "met, not met", "met, open", "not met, open", "another's", "for tests"],
)
def test_what_the_rules_say_decides_with_the_policy(
    given: list[Given], outcome: str, required: tuple[str, ...], if_available: tuple[str, ...]
) -> None:
    store = rules(value_set(), *given)
    for policy, expected in ((FRANCE, required), (LENIENT, if_available)):
        report = examine(store, policy)
        assert said(report) == expected
        assert report.rules is not None
        assert report.rules.outcome is hc.RulingOutcome(outcome)
        warned = [hc.Code.RULES_UNKNOWN] if expected == WITHOUT else []
        assert [warning.code for warning in report.warnings] == warned
        assert report.certificate is not None


def test_who_asks_for_no_country_asks_no_rules() -> None:
    report = examine(rules(NOT_MET), hc.Policy())
    assert said(report) == WITHOUT
    assert report[hc.Step.RULES].detail == "no country's rules were asked for"
    assert (report.rules, report.to_dict()["rules"], report.warnings) == (None, None, ())


def test_without_a_store_nothing_is_accepted_where_rules_are_asked_for() -> None:
    report = examine(None)
    assert said(report) == UNKNOWN
    assert report.detail == "no rules of FR are known for such a certificate"
    report = examine(None, LENIENT)
    assert said(report) == WITHOUT
    assert report[hc.Step.RULES].detail == "no rules of FR are known for such a certificate"
    assert [warning.code for warning in report.warnings] == [hc.Code.RULES_UNKNOWN]


@pytest.mark.parametrize("store", [None, rules(MET)], ids=["no store", "rules"])
@pytest.mark.parametrize(
    "press",
    [
        {"claims": {-260: {3: DDCC}}},
        {"prefix": "LT1:", "claims": {-260: ..., -250: {1: payload(v=None)}}},
        {"prefix": "AT1:", "payload": payload(v=None, ver="AT-1.0.0") | {"ve": [EXEMPTION_ENTRY]}},
        {"cwt_of": CORE},
    ],
    ids=["WHO DDCC", "LT1", "AT1", "core data set"],
)
def test_of_what_is_no_eu_dcc_no_rules_are_known(press: dict[str, Any], store: hc.RuleStore | None) -> None:
    if "cwt_of" in press:
        press = {"claims": {-260: {3: press["cwt_of"]}}}
    text = Press(**press).text()
    assert examine(store, hc.Policy(families=KINDS), text).outcome is hc.Outcome.ACCEPTED
    report = examine(store, FRANCE, text, families=KINDS)
    assert said(report) == UNKNOWN
    assert report.detail == "the rules of countries are about EU DCCs, and this is none"
    assert report.rules is None
    assert said(examine(store, LENIENT, text, families=KINDS)) == WITHOUT


@pytest.mark.parametrize(
    ("families", "expected"), [(None, REFUSED), (frozenset(("WHO DDCC",)), UNKNOWN)], ids=["both", "only the other"]
)
def test_rules_are_asked_about_an_eu_dcc_beside_another_kind(
    families: frozenset[str] | None, expected: tuple[str, ...]
) -> None:
    text = Press(claims={-260: {1: payload(), 3: DDCC}}).text()
    wanted = {} if families is None else {"families": families}
    assert said(examine(rules(NOT_MET), FRANCE, text, **wanted)) == expected


def test_a_domestic_certificate_with_the_payload_of_an_eu_dcc_is_asked_about() -> None:
    text = Press(prefix="NO1:").text()
    assert said(examine(rules(NOT_MET), FRANCE, text, families=KINDS)) == REFUSED


@pytest.mark.parametrize(
    ("age", "grace", "expected"),
    [
        (DAY, timedelta(0), ACCEPTED),
        (DAY + timedelta(seconds=1), timedelta(0), UNKNOWN),
        (2 * DAY, DAY, ACCEPTED),
        (2 * DAY + timedelta(seconds=1), DAY, UNKNOWN),
        (8 * DAY, None, ACCEPTED),
        (9 * DAY, None, UNKNOWN),
    ],
)
def test_overdue_rules_tell_nothing_once_the_grace_is_over(
    age: timedelta, grace: timedelta | None, expected: tuple[str, ...]
) -> None:
    policy = FRANCE if grace is None else replace(FRANCE, rules_grace=grace)
    assert said(examine(rules(MET, age=age), policy)) == expected


@pytest.mark.parametrize("given", [MET, NOT_MET, OPEN], ids=["met", "not met", "open"])
def test_what_overdue_rules_say_neither_accepts_nor_refuses(given: Given) -> None:
    report = examine(rules(given, age=9 * DAY))
    assert said(report) == UNKNOWN
    assert report.detail == "the rules of FR are overdue since 2021-08-12 10:00 UTC"
    # What they would say is shown all the same.
    assert report.rules is not None
    assert report.rules.results


def test_a_fresh_list_beside_an_overdue_one_tells() -> None:
    store = rules(MET, age=9 * DAY)
    put(store, MET, name="another")
    assert said(examine(store)) == ACCEPTED
    report = examine(store)
    assert report.rules is not None
    assert [(one.source, one.fresh_until) for one in report.rules.lists] == [
        ("another", NOW + DAY),
        ("door", NOW - 8 * DAY),
    ]


def test_a_list_without_an_end_is_never_overdue() -> None:
    assert said(examine(rules(MET, age=1000 * DAY, max_age=None))) == ACCEPTED


@pytest.mark.parametrize("policy", [FRANCE, LENIENT], ids=["required", "if available"])
def test_rules_of_another_environment_than_the_keys_tell_nothing(policy: hc.Policy) -> None:
    keys = trust()
    keys.settle(hc.Environment.TEST)
    verifier = hc.Verifier(keys, rules=rules(MET), policy=policy, clock=hc.FixedClock(NOW))
    report = verifier.examine(Press().text())
    assert said(report) == ("undetermined", "ENVIRONMENT_MIXED", "undetermined")
    assert report.detail == "the keys are of the environment test, and the rules of production"
    assert report.rules is None


def test_content_that_fails_does_not_keep_the_rules_from_being_asked() -> None:
    report = examine(rules(NOT_MET), FRANCE, Press(payload=vaccination(dt="2021-09-01")).text())
    assert (report.step, report.code) == (hc.Step.CONTENT, hc.Code.EVENT_IN_FUTURE)
    assert report.certificate is not None
    assert report[hc.Step.RULES].code is hc.Code.RULES_NOT_MET


def test_of_content_that_cannot_be_read_no_rules_are_asked() -> None:
    report = examine(rules(MET), FRANCE, Press(payload={"ver": "1.3.0"}).text())
    assert (report.outcome, report.step, report.rules) == (hc.Outcome.REFUSED, hc.Step.CONTENT, None)
    assert report[hc.Step.RULES].outcome is hc.StepResult.NOT_RUN


def test_a_forged_certificate_is_not_judged_by_rules() -> None:
    report = examine(rules(MET), FRANCE, Press(sign=lambda _: bytes(64)).text())
    assert (report.step, report.rules) == (hc.Step.SIGNATURE, None)
    assert report[hc.Step.RULES].outcome is hc.StepResult.NOT_RUN


def test_an_earlier_obstacle_is_the_one_that_is_told_and_the_rules_are_shown_too() -> None:
    verifier = hc.Verifier(trust(), rules=rules(NOT_MET), policy=FRANCE, clock=hc.FixedClock(NOW + 60 * DAY))
    report = verifier.examine(Press().text())
    assert (report.code, report.step) == (hc.Code.CWT_EXPIRED, hc.Step.TIME)
    assert report[hc.Step.RULES].code is hc.Code.RULES_UNKNOWN  # overdue by then
    wrong_usage = Press(pair=dsc(hc.EntryType.TEST))
    report = hc.Verifier(trust(wrong_usage.pair), rules=rules(MET), policy=FRANCE, clock=hc.FixedClock(NOW)).examine(
        wrong_usage.text()
    )
    assert (report.outcome, report.step) == (hc.Outcome.REFUSED, hc.Step.USAGE)
    assert report[hc.Step.RULES].outcome is hc.StepResult.PASSED


def test_a_refusal_comes_before_what_could_not_be_told() -> None:
    required = replace(FRANCE, revocation=hc.RevocationCheck.REQUIRED)
    report = examine(rules(NOT_MET), required)
    assert (report.outcome, report.code) == (hc.Outcome.REFUSED, hc.Code.RULES_NOT_MET)
    report = examine(rules(MET), required)
    assert (report.outcome, report.code) == (hc.Outcome.UNDETERMINED, hc.Code.REVOCATION_UNKNOWN)
    assert report[hc.Step.RULES].outcome is hc.StepResult.PASSED


REVOCATION = replace(FRANCE, revocation=hc.RevocationCheck.REQUIRED)


@pytest.mark.parametrize(
    ("forgotten", "policy"),
    [("ask_rules", FRANCE), ("ask_rules", LENIENT), ("ask_lists", REVOCATION), ("judge", hc.Policy())],
)
def test_nothing_is_accepted_when_a_step_was_demanded_and_did_not_run(
    forgotten: str, policy: hc.Policy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Should this software forget a step, the verdict is nobody's."""
    monkeypatch.setattr(f"healthcert.verify.verifier._Run.{forgotten}", lambda *_: None)
    report = examine(rules(MET), policy)
    assert (report.outcome, report.code) == (hc.Outcome.UNDETERMINED, hc.Code.GENERAL_ERROR)


def test_an_error_of_our_own_in_the_step_is_no_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("Zoé Exemplaire")

    monkeypatch.setattr("healthcert.rules.book.RuleBook.judge", broken)
    report = examine(rules(MET))
    assert said(report) == ("undetermined", "GENERAL_ERROR", "undetermined")
    assert report.detail == "an internal error (ZeroDivisionError); please report it"


def test_rules_that_could_not_be_read_leave_it_open() -> None:
    store = rules(MET, rule(number=7, Logic=...))
    report = examine(store)
    assert said(report) == UNTOLD
    assert report.detail == "rules that may apply could not be read: 1"
    assert report.rules is not None
    assert (report.rules.unreadable, [one.state for one in report.rules.results]) == (1, ["PASSED"])
    assert said(examine(rules(NOT_MET, rule(number=7, Logic=...)))) == REFUSED
    # Those of a country that is neither of arrival nor of issue do not matter.
    assert said(examine(rules(MET, rule("DE", number=7, Logic=...)))) == ACCEPTED


def test_the_detail_names_the_first_rule_and_says_how_many_more() -> None:
    third = rule(number=4, Logic=THREE_DOSES, Description=DESCRIBED)
    report = examine(rules(MET, NOT_MET, third))
    assert report.detail == "GR-FR-0002 is not met: At least three doses are asked for. (and 1 more)"
    assert examine(rules(NOT_MET)).detail == "GR-FR-0002 is not met: At least three doses are asked for."
    assert examine(rules(OPEN)).detail == "GR-FR-0003 could not be evaluated: not an integer"


def test_invalidation_rules_are_those_of_the_issuer_and_true_is_fine() -> None:
    def invalidation(country: str, logic: Given) -> Given:
        return rule(country, Identifier=f"IR-{country}-0001", Type="Invalidation", Logic=logic)

    here = rule("DE")
    policy = replace(FRANCE, country="DE")
    assert said(examine(rules(here, invalidation("FR", TWO_DOSES)), policy)) == ACCEPTED
    assert said(examine(rules(here, invalidation("FR", THREE_DOSES)), policy)) == REFUSED
    assert said(examine(rules(here, invalidation("DE", THREE_DOSES)), policy)) == ACCEPTED
    # That the issuer takes nothing back does not say that the country of arrival accepts it.
    assert said(examine(rules(invalidation("FR", TWO_DOSES)), policy)) == UNKNOWN


def test_the_moment_of_the_rules_is_that_of_the_check() -> None:
    at = {"not-before": [{"plusTime": [{"var": "external.validationClock"}, 0, "day"]}, MOMENT]}
    clock = rule(Logic=at)
    for moment, expected in ((NOW, ACCEPTED), (NOW - timedelta(seconds=1), REFUSED)):
        verifier = hc.Verifier(trust(), rules=rules(clock, age=DAY), policy=FRANCE, clock=hc.FixedClock(moment))
        report = verifier.examine(Press().text())
        assert said(report) == expected
        assert report.rules is not None
        assert report.rules.at == report.checked_at == moment


MOMENT = {"plusTime": ["2021-08-20T10:00:00Z", 0, "day"]}


def test_the_report_tells_the_caller_what_a_rule_found_and_keeps_it_out_of_details() -> None:
    asks_name = {"===": [{"var": "payload.nam.fn"}, "Nobody"]}
    born = {"before": [{"plusTime": [{"var": "payload.dob"}, 1, "day"]}, {"plusTime": ["1900-01-01", 0, "day"]}]}
    shown = rule(number=1, Logic=asks_name, AffectedFields=["nam.fn"])
    dates = rule(number=2, Logic=born, AffectedFields=["dob"])
    wrong = rule(number=3, Logic={">=": [{"var": "payload.nam.fn"}, 3]}, AffectedFields=["nam.fn"])
    report = examine(rules(shown, dates, wrong))
    ruling = report.rules
    assert ruling is not None
    assert dict(ruling.of(hc.RuleState.FAIL)[0].values) == {"nam.fn": "Exemplaire"}
    assert "1984" in json.dumps(report.to_dict()["rules"])
    safe = [
        report.detail,
        repr(report),
        repr(ruling),
        *map(repr, ruling.results),
        *map(repr, ruling.results[0].comparisons),
    ]
    safe += [step.detail for step in report.steps] + [result.detail for result in ruling.results]
    with pytest.raises(hc.VerificationError) as caught:
        hc.Verifier(trust(), rules=rules(shown), policy=FRANCE, clock=hc.FixedClock(NOW)).verify(Press().text())
    safe += [str(caught.value), repr(caught.value)]
    assert [word for word in PERSONAL for line in safe if word in line] == []


def test_the_json_form_says_which_rules_were_asked_and_what_each_said() -> None:
    report = examine(rules(MET, NOT_MET, OPEN), replace(FRANCE, region="IDF"))
    told = report.to_dict()["rules"]
    assert (told["country"], told["region"], told["at"]) == ("FR", "IDF", "2021-08-20T10:00:00+00:00")
    assert (told["outcome"], told["unreadable"]) == ("FAIL", 0)
    assert [(one["identifier"], one["state"], one["code"]) for one in told["results"]] == [
        ("GR-FR-0001", "PASSED", None),
        ("GR-FR-0002", "FAIL", None),
        ("GR-FR-0003", "OPEN", "CERTLOGIC_UNDEFINED"),
    ]
    assert told["lists"][0]["source"] == "door"
    assert told["lists"][0]["fresh_until"] == (NOW + DAY).isoformat()
    assert told["value_sets"]["disease-agent-targeted"] == "2021-04-27"
    policy = report.to_dict()["policy"]
    assert {name: policy[name] for name in ("country", "region", "rules", "rules_grace_seconds", "engine_version")} == {
        "country": "FR",
        "region": "IDF",
        "rules": "required",
        "rules_grace_seconds": 604800.0,
        "engine_version": "1.3.3",
    }


def test_a_report_with_a_ruling_can_be_sent_to_another_process() -> None:
    report = examine(rules(MET, NOT_MET, OPEN))
    again = pickle.loads(pickle.dumps(report))
    assert again.to_dict() == report.to_dict()
    json.dumps(again.to_dict(), allow_nan=False)


def test_no_file_and_no_network_is_touched_for_a_certificate(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    store = hc.RuleStore.open(tmp_path / "rules.db")
    put(store, MET, value_set())
    store = hc.RuleStore.open(tmp_path / "rules.db")
    text = issue().text
    verifier = hc.Verifier(trust(), rules=store, policy=FRANCE, clock=hc.FixedClock(NOW))
    assert verifier.examine(text).outcome is hc.Outcome.ACCEPTED  # and whatever is loaded once is loaded

    def forbidden(*_: object, **__: object) -> None:
        raise AssertionError("asked for a certificate")

    for name in ("builtins.open", "sqlite3.connect", "socket.socket.connect", "pathlib.Path.open"):
        monkeypatch.setattr(name, forbidden)
    assert verifier.examine(text).outcome is hc.Outcome.ACCEPTED
    assert verifier.examine(Press(payload=vaccination(dn=1)).text()).code is hc.Code.RULES_NOT_MET


def test_many_at_once_are_judged_as_one_by_one() -> None:
    texts = [Press(payload=vaccination(dn=doses)).text() for doses in (1, 2, 3)]
    verifier = hc.Verifier(trust(), rules=rules(MET), policy=FRANCE, clock=hc.FixedClock(NOW))
    codes = [report.code for report in verifier.examine_many(texts)]
    assert codes == [verifier.examine(text).code for text in texts]
    assert codes == [hc.Code.RULES_NOT_MET, hc.Code.OK, hc.Code.OK]


@pytest.mark.parametrize(
    ("wrong", "said_of_it"),
    [
        ({"country": "FRA"}, "country is two letters"),
        ({"country": ""}, "country is two letters"),
        ({"country": "F1"}, "country is two letters"),
        ({"country": "ÉÉ"}, "country is two letters"),
        ({"region": "IDF"}, "a region is one of a country"),
        ({"rules_grace": timedelta(seconds=-1)}, "rules_grace"),
        ({"engine_version": "newest"}, "engine_version"),
        ({"engine_version": "1.3"}, "engine_version"),
        ({"rules": "sometimes"}, "sometimes"),
    ],
)
def test_a_policy_that_makes_no_sense_is_none(wrong: dict[str, Any], said_of_it: str) -> None:
    with pytest.raises(ValueError, match=said_of_it):
        hc.Policy(**wrong)


def test_a_policy_written_in_words_is_the_same_policy() -> None:
    policy = hc.Policy(country="fr", region=" idf ", rules="if_available")  # type: ignore[arg-type]
    assert (policy.country, policy.region, policy.rules) == ("FR", "IDF", hc.RulesCheck.IF_AVAILABLE)
    # A region that is the country is none: what some real rules write.
    assert hc.Policy(country="AT", region="at").region is None
    assert hc.Policy(country="AT", region="").region is None


def test_a_newer_language_than_the_policy_knows_leaves_it_open() -> None:
    newer = rule(EngineVersion="1.3.3", Logic=TWO_DOSES)
    assert said(examine(rules(newer))) == ACCEPTED
    assert said(examine(rules(newer), engine_version="1.0.0")) == UNTOLD


@pytest.mark.parametrize("policy", [FRANCE, LENIENT], ids=["required", "if available"])
def test_overdue_rules_are_no_absent_ones(policy: hc.Policy) -> None:
    # A rule that was not met yesterday may be met today; that nobody looked is no reason to let anybody pass.
    assert said(examine(rules(NOT_MET, age=9 * DAY), policy)) == UNKNOWN


INVALIDATION = {"Type": "Invalidation", "Identifier": "IR-FR-0001"}


def test_overdue_rules_of_invalidation_tell_nothing_either() -> None:
    store = rules(MET)
    put(store, {**MET, **INVALIDATION}, name="issuer", age=9 * DAY)
    report = examine(store)
    assert said(report) == UNKNOWN
    assert report.rules is not None
    assert [one.source for one in report.rules.issuer_lists] == ["door", "issuer"]


@pytest.mark.parametrize("issuer", [..., "Ministry", "FR"])
def test_a_certificate_without_a_country_does_not_escape_the_rules_of_invalidation(issuer: Any) -> None:
    text = Press(claims={1: issuer}).text()
    assert examine(rules(MET), text=text).outcome is hc.Outcome.ACCEPTED
    assert said(examine(rules(MET, {**NOT_MET, **INVALIDATION}), text=text)) == REFUSED


def test_what_a_rule_says_of_itself_cannot_write_a_log() -> None:
    asked = "At the door\n\x1b[31mACCEPTED \u202e" + "x" * 5000
    report = examine(rules({**NOT_MET, "Description": [{"lang": "en", "desc": asked}]}))
    assert report.detail.isprintable()
    assert len(report.detail) < 500


def test_neither_a_ruling_nor_an_assessment_is_true() -> None:
    ruling = examine(rules(NOT_MET)).rules
    for answer in (ruling, hc.Assessment(outcome=hc.RulingOutcome.FAIL)):
        with pytest.raises(TypeError, match="no truth value"):
            bool(answer)
