"""Cases of countries' rules: HC-RUL. Here is what they come to together, and when nothing is known."""

# ruff: noqa: E501 (one case a line)

from __future__ import annotations

from typing import Any

from tools.vectors import rules_dates, rules_logic, rules_selection, rules_told
from tools.vectors.case import Case
from tools.vectors.national import EXEMPT, LIGHT
from tools.vectors.press import CLOCK, payload, vaccination
from tools.vectors.ruling import FALSE, MET, NOT_MET, OPEN, TRUE, UNKNOWN, doses, judged, listed, rule, said
from tools.vectors.who import DDCC

_LATE = "dgca-businessrule-service"
_SECOND_BEFORE, _SECOND_AFTER = "2021-08-20T09:59:59Z", "2021-08-20T10:00:01Z"
_WEEK, _OVER_A_WEEK = "2021-08-13T10:00:00Z", "2021-08-13T09:59:59Z"
_LENIENT = {"rules": "if_available"}


def cases() -> list[Case]:
    """Which rules apply, what they are told, what they come to together, and when nothing is known."""
    return [
        *_states(),
        *_unknown(),
        *_unreadable(),
        *_overdue(),
        *_kinds(),
        *rules_selection.cases(),
        *rules_told.cases(),
        *rules_logic.cases(),
        *rules_dates.cases(),
    ]


def _states() -> list[Case]:
    def states(number: int, title: str, *rules: dict[str, Any], **states: str) -> Case:
        return judged(f"{number:02}", title, listed(*rules), said(**states))

    second: dict[str, Any] = {"number": 2}
    third: dict[str, Any] = {"number": 3}
    return [
        states(1, "The only rule is met", rule(doses(2)), GR1="PASSED"),
        states(2, "The only rule is not met", rule(doses(3)), GR1="FAIL"),
        states(3, "The only rule cannot be evaluated", rule(OPEN), GR1="OPEN"),
        states(4, "One rule is met, and one is not", rule(TRUE), rule(FALSE, **second), GR1="PASSED", GR2="FAIL"),
        states(5, "One rule is met, and one cannot be evaluated", rule(TRUE), rule(OPEN, **second), GR1="PASSED", GR2="OPEN"),
        states(6, "One rule cannot be evaluated, and one is not met", rule(OPEN), rule(FALSE, **second), GR1="OPEN", GR2="FAIL"),
        states(7, "Two rules are not met, and one is", rule(FALSE), rule(TRUE, **second), rule(FALSE, **third), GR1="FAIL", GR2="PASSED", GR3="FAIL"),
        states(8, "A rule whose value is true-like, and not true", rule({"var": "payload.ver"}), GR1="OPEN"),
        states(9, "A rule whose value is false-like, and not false", rule({"var": "payload.t"}), GR1="OPEN"),
        states(10, "A rule whose value is a date-time", rule({"plusTime": [{"var": "payload.dob"}, 1, "day"]}), GR1="OPEN"),
        states(11, "A rule whose value is the number 1", rule({"+": [1, 0]}), GR1="OPEN"),
    ]  # fmt: skip


def _unknown() -> list[Case]:
    def both(
        number: int, title: str, lists: list[dict[str, Any]] | None, states: dict[str, str] | None = None
    ) -> list[Case]:
        return [
            judged(f"{number}", title, lists, states, "RULES_UNKNOWN"),
            judged(f"{number}-OPEN", f"{title}, and none are required", lists, states, "OK", UNKNOWN, policy=_LENIENT),
        ]

    return [
        judged("12", "A rule that is not met, but nobody asks", listed(NOT_MET), None, "OK", policy=None),
        *both(13, "No rules were ever had", None, {}),
        *both(14, "Rules of another country", listed(rule(FALSE, country="DE")), {}),
        *both(15, "A rule for tests, and a vaccination", listed(rule(FALSE, prefix="TR", CertificateType="Test")), {}),
        judged("16", "A rule that is met, where none were required", listed(MET), said(GR1="PASSED"), policy=_LENIENT),
        judged("17", "A rule that is not met, where none were required", listed(NOT_MET), said(GR1="FAIL"), policy=_LENIENT),
        judged("18", "A rule that cannot be evaluated, where none were required", listed(rule(OPEN)), said(GR1="OPEN"), policy=_LENIENT),
        judged("19", "The country in small letters", listed(NOT_MET), said(GR1="FAIL"), policy={"country": "fr"}),
    ]  # fmt: skip


def _unreadable() -> list[Case]:
    ok = rule(TRUE)

    def broken(name: str, title: str, **changes: Any) -> Case:
        bad = rule(TRUE, number=2) | changes
        return judged(
            f"120-{name}",
            title,
            listed(ok, {key: value for key, value in bad.items() if value is not ...}),
            said(GR1="PASSED"),
            "RULES_OPEN",
        )

    cut = rule(TRUE, number=2) | {"Logic": ...}
    cut = {key: value for key, value in cut.items() if value is not ...}
    texts = ("Identifier", "Type", "Country", "Version", "SchemaVersion", "Engine", "EngineVersion", "CertificateType")
    return [
        *[broken(f"{name.upper()}", f"{name}, missing", **{name: ...}) for name in (*texts, "ValidFrom", "ValidTo", "Logic")],
        *[broken(f"{name.upper()}-LONG", f"{name}, far too long", **{name: "x" * 65}) for name in ("Identifier", "Type", "Region")],
        broken("REGION-NUMBER", "Region, a number", Region=7),
        broken("IDENTIFIER-LINE", "Identifier, of two lines", Identifier="GR-FR-0002\nGR"),
        broken("COUNTRY-THREE", "Country, of three letters", Country="FRA"),
        broken("VERSION-TWO", "Version, of two numbers", Version="1.0"),
        broken("VALIDFROM-ZONE", "ValidFrom, without a zone", ValidFrom="2021-07-01T00:00:00"),
        broken("VALIDFROM-DAY", "ValidFrom, on 31 June", ValidFrom="2021-06-31T00:00:00Z"),
        broken("VALIDFROM-DATE", "ValidFrom, a date alone", ValidFrom="2021-06-30"),
        broken("VALIDTO-NUMBER", "ValidTo, a number", ValidTo=1893456000),
        broken("LOGIC-EMPTY", "Logic, empty", Logic={}),
        broken("LOGIC-TRUE", "Logic, a bare true", Logic=True),
        broken("TWICE", "A member in two ways of writing", country="DE"),
        broken("DESCRIPTION-TEXT", "Description, a text", Description="In words that are no array"),
        broken("DESCRIPTION-NUMBER", "Description, a number", Description=7),
        broken("DESCRIPTION-BARE", "Description, without its language", Description=[{"desc": "In words of no language"}]),
        broken("DESCRIPTION-EMPTY", "Description, without its text", Description=[{"lang": "en"}]),
        broken("AFFECTEDFIELDS-TEXT", "AffectedFields, a text", AffectedFields="v.0.dn"),
        broken("AFFECTEDFIELDS-NUMBER", "AffectedFields, a number in them", AffectedFields=[7]),
        judged("121", "A rule that cannot be read, and one that is not met", listed(rule(FALSE), cut), said(GR1="FAIL")),
        judged("122", "A rule of a third country that cannot be read", listed(ok, cut | {"Identifier": "GR-DE-0002", "Country": "DE"}), said(GR1="PASSED")),
        judged("123", "A rule of the issuer that cannot be read", listed(rule(TRUE, country="DE"), cut), {"GR-DE-0001": "PASSED"}, "RULES_OPEN", policy={"country": "DE"}),
        judged("124", "A rule that cannot be read, of nobody knows whom", listed(ok, {"Logic": TRUE}), said(GR1="PASSED"), "RULES_OPEN"),
        judged("125", "Members with a small initial", listed({name[0].lower() + name[1:]: value for name, value in NOT_MET.items()}), said(GR1="FAIL")),
        judged("126", "Members that nobody knows", listed(NOT_MET | {"hash": "0"}), said(GR1="FAIL")),
        judged("127", "A rule without a description or fields", listed({key: value for key, value in NOT_MET.items() if key not in ("Description", "AffectedFields")}), said(GR1="FAIL")),
    ]  # fmt: skip


def _overdue() -> list[Case]:
    def late(number: int, title: str, lists: list[dict[str, Any]], code: str | None, **policy: Any) -> Case:
        return judged(f"{number}", title, lists, said(GR1="PASSED"), code, policy=policy, sections=_LATE)

    def until(moment: str, logic: dict[str, Any] = MET) -> list[dict[str, Any]]:
        return listed(logic, best_before=moment)

    over = until(_OVER_A_WEEK)
    return [
        late(130, "A list that is overdue for as long as the policy believes it", until(_WEEK), None),
        late(131, "A list that is overdue for a second longer", over, "RULES_UNKNOWN"),
        judged("131-OPEN", "A list that is overdue for a second longer, and none are required", over, said(GR1="PASSED"), "RULES_UNKNOWN", policy=_LENIENT, sections=_LATE),
        late(132, "An overdue list, and no time to spare", until(_SECOND_BEFORE), "RULES_UNKNOWN", rules_grace_seconds=0),
        late(133, "A list that is fresh until this very second, and no time to spare", until(CLOCK), None, rules_grace_seconds=0),
        late(134, "An overdue list beside a fresh one", [*over, *until(CLOCK)], None),
        late(135, "An overdue list beside one without an end", [*over, *listed(MET)], None),
        judged("136", "An overdue list whose rule is not met", until(_OVER_A_WEEK, NOT_MET), said(GR1="FAIL"), "RULES_UNKNOWN", sections=_LATE),
        judged("137", "A fresh list, and no rule on it for such a certificate", until(CLOCK, rule(FALSE, CertificateType="Test")), {}, "RULES_UNKNOWN", sections=_LATE),
        judged("139", "An overdue list of the issuer's rules of invalidation", [*listed(rule(TRUE, country="DE")), *listed(rule(TRUE, prefix="IR", Type="Invalidation"), best_before=_OVER_A_WEEK)], {"GR-DE-0001": "PASSED", "IR-FR-0001": "PASSED"}, "RULES_UNKNOWN", policy={"country": "DE"}, sections=_LATE),
        judged("138", "An overdue list of another country", [*listed(rule(FALSE, country="DE"), best_before=_OVER_A_WEEK), *listed(MET)], said(GR1="PASSED"), sections=_LATE),
    ]  # fmt: skip


def _kinds() -> list[Case]:
    def kind(
        number: int,
        title: str,
        code: str,
        states: dict[str, str] | None,
        families: list[str] | None = None,
        **press: Any,
    ) -> Case:
        policy = {} if families is None else {"families": families}
        return judged(f"{number}", title, listed(NOT_MET), states, code, policy=policy, **press)

    light = {-260: ..., -250: {1: LIGHT}}
    failed = said(GR1="FAIL")
    late: dict[str, Any] = {"clock": "2021-10-20T10:00:00Z"}
    return [
        kind(140, "A core data set of WHO, which no country has rules about", "RULES_UNKNOWN", None, claims={-260: {3: DDCC}}),
        kind(141, "A Swiss certificate light, which no country has rules about", "RULES_UNKNOWN", None, ["Swiss certificate light"], prefix="LT1:", claims=light),
        kind(142, "An Austrian exemption, which no country has rules about", "RULES_UNKNOWN", None, ["Austrian exemption certificate"], prefix="AT1:", payload=EXEMPT),
        kind(143, "A Norwegian certificate has the payload of an EU DCC", "RULES_NOT_MET", failed, ["Norwegian domestic certificate"], prefix="NO1:"),
        kind(144, "A Danish certificate has the payload of an EU DCC", "RULES_NOT_MET", failed, ["Danish domestic certificate"], prefix="DK3:"),
        kind(145, "An EU DCC beside a core data set", "RULES_NOT_MET", failed, claims={-260: {1: payload(), 3: DDCC}}),
        kind(146, "An EU DCC beside a core data set, and only the latter is accepted", "RULES_UNKNOWN", None, ["WHO DDCC"], claims={-260: {1: payload(), 3: DDCC}}),
        kind(147, "An EU DCC beside a core data set, of which the former is not met by its rule", "RULES_NOT_MET", failed, ["WHO DDCC", "EU DCC"], claims={-260: {1: payload(), 3: DDCC}}),
        kind(148, "An expired certificate is judged by the rules as well", "CWT_EXPIRED", failed, **late),
        kind(149, "A dose to come is judged by the rules as well", "EVENT_IN_FUTURE", failed, payload=vaccination(dt="2021-08-22")),
        kind(150, "Content that cannot be read is not judged by the rules", "SCHEMA_VALIDATION_FAILED", None, payload=payload(dob=7)),
        kind(151, "A forgery is not judged by the rules", "SIGNATURE_INVALID", None, sign=lambda _key, _data: bytes(64)),
    ]  # fmt: skip
