"""Cases of rules: HC-RUL, which of them apply to a certificate, and which are understood."""

# ruff: noqa: E501 (one case a line)

from __future__ import annotations

from typing import Any

from tools.vectors.case import Case
from tools.vectors.press import CLOCK, payload, recovery, tested, vaccination
from tools.vectors.ruling import FALSE, MET, TRUE, doses, judged, listed, rule, said

_SECOND_BEFORE, _SECOND_AFTER = "2021-08-20T09:59:59Z", "2021-08-20T10:00:01Z"


def cases() -> list[Case]:
    """Windows, types, regions, versions, engines, and the issuer's own rules."""
    return [
        *_window(),
        *_types(),
        *_regions(),
        *_versions(),
        *_gates(),
        *_invalidation(),
    ]


def _window() -> list[Case]:
    def window(number: int, title: str, applies: bool, **dates: Any) -> Case:
        states = said(GR1="FAIL", GR2="PASSED") if applies else said(GR2="PASSED")
        return judged(f"{number}", title, listed(rule(FALSE, **dates), rule(TRUE, number=2)), states)

    return [
        window(20, "A rule from this very second on", True, ValidFrom=CLOCK),
        window(21, "A rule from the next second on", False, ValidFrom=_SECOND_AFTER),
        window(22, "A rule up to this very second, and without it", False, ValidTo=CLOCK),
        window(23, "A rule up to the next second", True, ValidTo=_SECOND_AFTER),
        window(24, "A rule from this very second on, in another zone", True, ValidFrom="2021-08-20T12:00:00+02:00"),
        window(25, "A rule from the next second on, in another zone", False, ValidFrom="2021-08-20T08:00:01-02:00"),
    ]


def _types() -> list[Case]:
    made = {"V": vaccination(), "T": tested(), "R": recovery()}
    of_type = {"G": "General", "V": "Vaccination", "T": "Test", "R": "Recovery"}
    names = {"V": "a vaccination", "T": "a test", "R": "a recovery"}
    found = []
    for entry, content in made.items():
        rules = [
            rule(FALSE if letter == entry else TRUE, prefix=f"{letter}R", CertificateType=name)
            for letter, name in of_type.items()
        ]
        states = dict.fromkeys((f"{entry}R1",), "FAIL") | {"GR1": "PASSED"}
        found.append(
            judged(
                f"30-{entry}",
                f"Rules of every type, and {names[entry]}",
                listed(*rules),
                said(**states),
                payload=content,
            )
        )
    also = rule(TRUE, number=2)
    return [
        *found,
        judged("31", "A rule for a type of certificate that there is not", listed(rule(FALSE, CertificateType="Exemption"), also), said(GR2="PASSED")),
        judged("32", "A rule of another type than acceptance", listed(rule(FALSE, Type="BoosterNotification"), also), said(GR2="PASSED")),
        judged("33", "Only a rule of another type than acceptance", listed(rule(TRUE, Type="BoosterNotification")), {}, "RULES_UNKNOWN"),
    ]  # fmt: skip


def _regions() -> list[Case]:
    def region(number: int, title: str, of_rule: str | None, asked: str | None, applies: bool) -> Case:
        named: dict[str, Any] = {} if of_rule is None else {"Region": of_rule}
        lists = listed(rule(FALSE, **named), rule(TRUE, number=2))
        states = said(GR1="FAIL", GR2="PASSED") if applies else said(GR2="PASSED")
        return judged(f"{number}", title, lists, states, policy={} if asked is None else {"region": asked})

    return [
        region(40, "A rule of the region that is asked about", "IDF", "IDF", True),
        region(41, "A rule of another region", "BRE", "IDF", False),
        region(42, "A rule of a region, and none is asked about", "IDF", None, False),
        region(43, "A rule of the whole country, and a region is asked about", None, "IDF", True),
        region(44, "The country as a rule's region", "FR", None, True),
        region(45, "The country as a rule's region, and another one is asked about", "FR", "IDF", True),
        region(46, "An empty region", "", None, True),
        region(47, "The region in small letters, between spaces", "idf", " Idf ", True),
    ]


def _versions() -> list[Case]:
    def versions(number: int, title: str, counts: str, *pairs: tuple[str, dict[str, Any]]) -> Case:
        lists = listed(
            *[rule(TRUE if version == counts else FALSE, Version=version, **changes) for version, changes in pairs]
        )
        return judged(f"{number}", title, lists, said(GR1="PASSED"))

    over, to_come = {"ValidTo": _SECOND_BEFORE}, {"ValidFrom": _SECOND_AFTER}
    return [
        versions(50, "Two versions, the higher one last", "1.0.1", ("1.0.0", {}), ("1.0.1", {})),
        versions(51, "Two versions, the higher one first", "1.0.1", ("1.0.1", {}), ("1.0.0", {})),
        versions(52, "Versions are numbers, not texts", "1.0.10", ("1.0.9", {}), ("1.0.10", {})),
        versions(53, "A third number of three digits is still the third", "1.1.0", ("1.1.0", {}), ("1.0.100", {})),
        versions(54, "The higher version is over", "1.0.0", ("1.0.0", {}), ("1.0.1", over)),
        versions(55, "The higher version is still to come", "1.0.0", ("1.0.0", {}), ("1.0.1", to_come)),
        versions(56, "The higher version is of a region", "1.0.0", ("1.0.0", {}), ("1.0.1", {"Region": "IDF"})),
        versions(57, "The higher version is for tests", "1.0.0", ("1.0.0", {}), ("1.0.1", {"CertificateType": "Test"})),
        judged("58", "Two rules under one version, one of them met", listed(rule(TRUE), rule(FALSE, AffectedFields=["v.0.dn"])), said(GR1="PASSED"), "RULES_OPEN"),
        judged("59", "One rule twice", listed(rule(TRUE), rule(TRUE)), said(GR1="PASSED")),
    ]  # fmt: skip


def _gates() -> list[Case]:
    def gate(
        number: int,
        title: str,
        state: str,
        *warnings: str,
        policy: dict[str, Any] | None = None,
        content: Any = None,
        **changes: Any,
    ) -> Case:
        lists = listed(rule(doses(2), **changes))
        return judged(
            f"{number}",
            title,
            lists,
            said(GR1=state),
            None,
            *warnings,
            policy=policy or {},
            payload=content or payload(),
        )

    version = "UNKNOWN_SCHEMA_VERSION"
    return [
        gate(60, "A rule for another engine", "OPEN", Engine="CQL"),
        gate(61, "The engine in other letters", "PASSED", Engine="CertLogic"),
        gate(62, "A rule for the newest version of CertLogic", "PASSED", EngineVersion="1.3.3"),
        gate(63, "A rule for a version of CertLogic to come", "OPEN", EngineVersion="1.3.4"),
        gate(64, "A rule for a version of CertLogic before the first", "PASSED", EngineVersion="0.1.0"),
        gate(65, "A version of CertLogic that is none", "OPEN", EngineVersion="newest"),
        gate(66, "A rule for the version of CertLogic that the policy knows", "PASSED", EngineVersion="1.0.0", policy={"engine_version": "1.0.0"}),
        gate(67, "A rule for a version of CertLogic after the one that the policy knows", "OPEN", EngineVersion="1.0.1", policy={"engine_version": "1.0.0"}),
        gate(68, "A rule for the certificate's own version of the schema", "PASSED", SchemaVersion="1.3.0"),
        gate(69, "A rule for a later version of the schema", "OPEN", SchemaVersion="1.3.1"),
        gate(70, "A rule for an earlier schema of another first number", "OPEN", SchemaVersion="0.9.0"),
        gate(71, "A rule for a version of the schema that is none", "OPEN", SchemaVersion="any"),
        gate(74, "A certificate whose version of the schema is no such number", "OPEN", content=payload(ver="1.3.0000000000")),
        gate(72, "A certificate of an unknown version of the schema", "OPEN", version, content=payload(ver="2.0.0")),
        gate(73, "A rule for that version of the schema", "PASSED", version, content=payload(ver="2.0.0"), SchemaVersion="2.0.0"),
    ]  # fmt: skip


def _invalidation() -> list[Case]:
    here = rule(TRUE, country="DE")

    def withdrawn(logic: Any, country: str = "FR") -> dict[str, Any]:
        return rule(logic, country=country, prefix="IR", Type="Invalidation")

    asked = {"country": "DE"}
    not_a_country = "ISSUER_NOT_A_COUNTRY"
    return [
        judged("80", "The issuer's rule of invalidation is true: nothing is wrong", listed(here, withdrawn(TRUE)), {"GR-DE-0001": "PASSED", "IR-FR-0001": "PASSED"}, policy=asked),
        judged("81", "The issuer's rule of invalidation is false", listed(here, withdrawn(FALSE)), {"GR-DE-0001": "PASSED", "IR-FR-0001": "FAIL"}, policy=asked),
        judged("82", "A rule of invalidation of the country of arrival", listed(here, withdrawn(FALSE, "DE")), {"GR-DE-0001": "PASSED"}, policy=asked),
        judged("83", "Only the issuer's rule of invalidation, and it is true", listed(withdrawn(TRUE)), {"IR-FR-0001": "PASSED"}, "RULES_UNKNOWN", policy=asked),
        judged("84", "Only the issuer's rule of invalidation, and it is false", listed(withdrawn(FALSE)), {"IR-FR-0001": "FAIL"}, policy=asked),
        judged("85", "A rule of invalidation, and no issuer is named: the country of the key counts", listed(here, withdrawn(FALSE)), {"GR-DE-0001": "PASSED", "IR-FR-0001": "FAIL"}, policy=asked, claims={1: ...}),
        judged("85-WORD", "A rule of invalidation, and the issuer is no country: the country of the key counts", listed(here, withdrawn(FALSE)), {"GR-DE-0001": "PASSED", "IR-FR-0001": "FAIL"}, None, not_a_country, policy=asked, claims={1: "Ministry"}),
        judged("85-OTHER", "The issuer is another country than its key's: its own word counts", listed(here, rule(FALSE, prefix="IR", country="DE", Type="Invalidation")), {"GR-DE-0001": "PASSED", "IR-DE-0001": "FAIL"}, None, "ISSUER_COUNTRY_MISMATCH", policy=asked, claims={1: "DE"}),
        judged("86", "The issuer in small letters", listed(here, withdrawn(FALSE)), {"GR-DE-0001": "PASSED", "IR-FR-0001": "FAIL"}, None, not_a_country, policy=asked, claims={1: "fr"}),
        judged("87", "Acceptance and invalidation of one country", listed(MET, withdrawn(FALSE)), {"GR-FR-0001": "PASSED", "IR-FR-0001": "FAIL"}),
    ]  # fmt: skip
