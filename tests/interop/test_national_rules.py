"""National rules as countries published them, asked about certificates that their own apps' tests are about.

Sources of what is expected: admin-ch/CovidCertificate-SDK-Kotlin (NationalRulesVerifierTest, ModeRulesVerifierTest),
ministero-salute/it-dgc-verificac19-sdk-android and italia/verificac19-sdk (their validation), lovasoa/sanipasse
(tac_verif_rules.ts), and what the rules themselves say.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest

from healthcert.errors import Code, RuleError
from healthcert.rules.assessment import Assessment, NationalRules
from healthcert.rules.national.registry import national_rules
from healthcert.rules.ruling import RulingOutcome
from healthcert.rules.valuesets import shipped
from tests.interop.samples import ROOT
from tests.unit.rules.national.cases import (
    BIONTECH,
    JANSSEN,
    MODERNA,
    NEGATIVE,
    NOVAVAX,
    PCR,
    POSITIVE,
    RAPID,
    asked,
    moment,
    of,
    subject,
    window,
)

PASSED, FAIL, OPEN, NO_RULES = (RulingOutcome(name) for name in ("PASSED", "FAIL", "OPEN", "NO_RULES"))
FOLDER = "business-rules"
ASTRAZENECA, COVAXIN_T, SEROLOGICAL, EXEMPTION = "EU/1/21/1529", "Covaxin_T", "94504-8", "medical-exemption"


@cache
def rules(name: str, path: str) -> NationalRules:
    return national_rules(name, (ROOT / FOLDER / path).read_bytes(), shipped())


@pytest.fixture(scope="module")
def _found(interop: Path) -> None:
    if not (interop / FOLDER).is_dir():
        pytest.skip("no rules of others")


pytestmark = pytest.mark.usefixtures("_found")


# --- Switzerland ---


def swiss(at: str, *entries: dict[str, Any], mode: str = "none", **claims: Any) -> Assessment:
    return asked(rules("ch", "ch/nationalrules.json"), at, subject(*entries, **claims), mode=mode)


@pytest.mark.parametrize(
    ("entries", "outcome", "decides"),
    [
        ([of("v", dt="2022-12-01")], PASSED, None),
        ([of("v", dt="2022-12-01", dn=1, sd=1)], PASSED, None),  # after an infection
        ([of("v", dt="2022-12-02")], FAIL, "VR-CH-0004"),
        ([of("v", dt="2022-03-07")], PASSED, None),  # 269 days ago
        ([of("v", dt="2022-03-06")], FAIL, "VR-CH-0006"),
        ([of("v", dt="2022-11-10", mp=JANSSEN, dn=1, sd=1)], PASSED, None),  # 21 days ago
        ([of("v", dt="2022-11-11", mp=JANSSEN, dn=1, sd=1)], FAIL, "VR-CH-0005"),
        ([of("v", dt="2022-02-14", mp=JANSSEN, dn=1, sd=1)], PASSED, None),  # 290 days ago
        ([of("v", dt="2022-02-13", mp=JANSSEN, dn=1, sd=1)], FAIL, "VR-CH-0008"),
        ([of("v", dt="2022-11-11", mp=JANSSEN, dn=2, sd=2)], PASSED, None),
        ([of("v", dt="2022-03-06", mp=JANSSEN, dn=2, sd=2)], FAIL, "VR-CH-0007"),
        ([of("v", dt="2022-12-01", dn=1)], FAIL, "VR-CH-0001"),
        ([of("v", dt="2022-12-01", mp=f"{ASTRAZENECA}/INVALID")], FAIL, "VR-CH-0002"),
        ([of("v", dt="2022-12-01", tg="01123")], FAIL, "GR-CH-0001"),
        ([of("v", dt=None)], FAIL, "VR-CH-0003"),
        ([of("v", dt="2022-12-01"), of("v", dt="2022-12-01")], FAIL, "VR-CH-0000"),
        ([of("v", dt="2022-12-01"), of("r", fr="2022-11-01")], FAIL, "RR-CH-0000"),
        ([of("t", sc="2022-11-28T13:00:00Z")], PASSED, None),  # 71 hours ago
        ([of("t", sc="2022-11-28T12:00:00Z")], FAIL, "TR-CH-0007"),
        ([of("t", sc="2022-11-30T13:00:00Z", tt=RAPID)], PASSED, None),
        ([of("t", sc="2022-11-30T12:00:00Z", tt=RAPID)], FAIL, "TR-CH-0006"),
        ([of("t", sc="2022-12-01T13:00:00Z")], FAIL, "TR-CH-0005"),
        ([of("t", sc="2022-12-01T02:00:00Z", tr=POSITIVE)], FAIL, "TR-CH-0001"),
        ([of("t", sc="2022-12-01T02:00:00Z", tt="INVALID_TEST_TYPE")], FAIL, "TR-CH-0002"),
        ([of("t", sc=None)], FAIL, "TR-CH-0004"),
        ([of("t", sc="2022-11-21T15:00:00Z", tt=RAPID, tr=POSITIVE)], PASSED, None),  # from the 10th day on
        ([of("t", sc="2022-11-22T15:00:00Z", tt=RAPID, tr=POSITIVE)], FAIL, "TR-CH-0011"),
        ([of("t", sc="2022-06-04T15:00:00Z", tt=RAPID, tr=POSITIVE)], FAIL, "TR-CH-0012"),
        ([of("t", sc="2022-10-01T02:00:00Z", tt=SEROLOGICAL, tr=POSITIVE)], PASSED, None),
        ([of("t", sc="2022-09-01T02:00:00Z", tt=SEROLOGICAL, tr=POSITIVE)], FAIL, "TR-CH-0009"),
        ([of("t", sc="2022-01-01T02:00:00Z", tt=EXEMPTION, tr=POSITIVE)], PASSED, None),
        ([of("t", sc="2022-01-01T02:00:00Z", tt=EXEMPTION, tr=NEGATIVE)], FAIL, "TR-CH-0008"),
        ([of("r", fr="2022-11-21")], PASSED, None),
        ([of("r", fr="2022-11-22")], FAIL, "RR-CH-0002"),
        ([of("r", fr="2022-06-05")], PASSED, None),  # 179 days ago
        ([of("r", fr="2022-06-04")], FAIL, "RR-CH-0003"),
        ([of("r", fr="2022-06-31")], OPEN, "RR-CH-0002"),  # no day of the calendar
    ],
)
def test_swiss_rules(entries: list[dict[str, Any]], outcome: RulingOutcome, decides: str | None) -> None:
    found = swiss("2022-12-01T12:00", *entries)
    assert found.outcome is outcome
    assert found.reasons == ("all rules are met",) if decides is None else found.reasons[0].startswith(decides)


def test_what_the_swiss_app_shows() -> None:
    found = swiss("2022-12-01T12:00", of("v", dt="2022-06-01"))
    assert found.details == {
        "display-from-date": "2022-06-01",
        "display-until-date": "2023-02-25",
        "is-only-valid-in-ch": "false",
    }
    # The rules themselves begin in September; the last day that is shown is the last one that counts.
    assert window(found) == ("2022-09-08T00:00", "2023-02-26T00:00")
    serological = swiss("2022-12-01T12:00", of("t", sc="2022-11-01T08:00:00Z", tt=SEROLOGICAL, tr=POSITIVE))
    assert serological.details["is-only-valid-in-ch"] == "true"
    assert swiss("2022-01-01", of("v")).outcome is NO_RULES


def test_vaccines_for_tourists_show_the_days_of_the_certificate() -> None:
    claims: dict[str, Any] = {"issued_at": moment("2022-11-05T12:00"), "expires_at": moment("2022-12-05T12:00")}
    found = swiss("2022-12-01T12:00", of("v", dt="2022-09-01", mp=COVAXIN_T), **claims)
    assert (found.outcome, found.details["is-only-valid-in-ch"]) == (PASSED, "true")
    assert (found.details["display-from-date"], found.details["display-until-date"]) == ("2022-11-05", "2022-12-05")
    ours = swiss("2022-12-01T12:00", of("v", dt="2022-09-01"), issuer="CH BAG", **claims)
    assert ours.details["renew-banner"] == "showRenewBanner"


@pytest.mark.parametrize(
    ("mode", "entry", "outcome", "status"),
    [
        ("THREE_G", of("v", dt="2022-06-01"), PASSED, "SUCCESS"),
        ("THREE_G", of("t", sc="2022-12-01T02:00:00Z"), PASSED, "SUCCESS"),
        ("TWO_G", of("v", dt="2022-06-01"), PASSED, "SUCCESS"),
        ("TWO_G", of("r", fr="2022-10-01"), PASSED, "SUCCESS"),
        ("TWO_G", of("t", sc="2022-12-01T02:00:00Z"), FAIL, "INVALID"),
        ("TWO_G", of("t", sc="2022-12-01T02:00:00Z", tt=RAPID), FAIL, "INVALID"),
        ("TWO_G", of("t", sc="2022-11-10T02:00:00Z", tt=RAPID, tr=POSITIVE), PASSED, "SUCCESS"),
        ("TWO_G_PLUS", of("v", dt="2022-08-03"), PASSED, "SUCCESS"),  # 120 days ago
        ("TWO_G_PLUS", of("v", dt="2022-08-02"), OPEN, "SUCCESS_2G"),
        ("TWO_G_PLUS", of("r", fr="2022-07-24"), PASSED, "SUCCESS"),
        ("TWO_G_PLUS", of("r", fr="2022-07-23"), OPEN, "SUCCESS_2G"),
        ("TWO_G_PLUS", of("t", sc="2022-12-01T02:00:00Z"), OPEN, "SUCCESS_2G_PLUS"),
        ("TWO_G_PLUS", of("t", sc="2022-11-01T02:00:00Z", tt=SEROLOGICAL, tr=POSITIVE), OPEN, "SUCCESS_2G"),
        ("TEST_CERT", of("t", sc="2022-12-01T02:00:00Z"), PASSED, "SUCCESS"),
        ("TEST_CERT", of("v", dt="2022-06-01"), FAIL, "INVALID"),
    ],
)
def test_swiss_modes(mode: str, entry: dict[str, Any], outcome: RulingOutcome, status: str) -> None:
    found = swiss("2022-12-01T12:00", entry, mode=mode)
    assert (found.outcome, found.status) == (outcome, status)


@pytest.mark.parametrize(
    ("at", "status"),
    [
        ("2022-12-02T14:59:59", "SUCCESS"),
        ("2022-12-02T15:00:00", "SUCCESS_2G"),
    ],
)
def test_a_swiss_mode_reads_the_moment_of_a_sample_as_it_is(at: str, status: str) -> None:
    """The rules take a positive rapid test as of its midnight; for modes 131 days count from its hour."""
    assert swiss(at, of("t", sc="2022-07-24T15:00:00Z", tt=RAPID, tr=POSITIVE), mode="TWO_G_PLUS").status == status


@pytest.mark.parametrize(
    ("at", "entry", "outcome", "decides"),
    [
        # 269 days, over the end of the hour of summer, which these rules do not know: their days are those of UTC.
        ("2022-12-26T23:59:59", of("v", dt="2022-04-01"), PASSED, None),
        ("2022-12-27T00:00:00", of("v", dt="2022-04-01"), FAIL, "VR-CH-0006"),
        # After, and not at, ten days from the Swiss midnight before the sample.
        ("2022-09-29T22:00:00", of("t", sc="2022-09-20T12:00:00Z", tt=RAPID, tr=POSITIVE), FAIL, "TR-CH-0011"),
        ("2022-09-29T22:00:01", of("t", sc="2022-09-20T12:00:00Z", tt=RAPID, tr=POSITIVE), PASSED, None),
        ("2022-09-30T21:59:59", of("t", sc="2022-09-20T12:00:00Z", tt=RAPID, tr=POSITIVE), PASSED, None),
        ("2024-02-28T12:00", of("v", dt="2023-06-05"), PASSED, None),
        ("2024-02-29T12:00", of("v", dt="2023-06-05"), PASSED, None),
        ("2024-03-01T00:00", of("v", dt="2023-06-05"), FAIL, "VR-CH-0006"),
    ],
)
def test_the_ends_of_swiss_days(at: str, entry: dict[str, Any], outcome: RulingOutcome, decides: str | None) -> None:
    found = swiss(at, entry)
    assert found.outcome is outcome
    assert decides is None or found.reasons[0].startswith(decides)


def test_a_swiss_document_for_another_country_shows_nothing_and_is_open() -> None:
    found = asked(rules("ch", "ch/foreignRules_de.json"), "2022-12-01T12:00", subject(of("v", dt="2022-10-01")))
    assert found.outcome is OPEN
    assert "missing" in found.reasons[0]


# --- Italy ---


@pytest.mark.parametrize(
    ("entry", "mode", "expected"),
    [
        (of("v"), "3G", ("2022-01-09T23:00", "2022-07-09T22:00")),
        (of("v", co="SK"), "3G", ("2022-01-09T23:00", "2022-10-07T22:00")),
        (of("v", co="SK"), "2G", ("2022-01-09T23:00", "2022-07-09T22:00")),
        (of("v", dn=1), "3G", ("2022-01-24T23:00", "2022-02-21T23:00")),
        (of("v", dn=1, mp=ASTRAZENECA), "2G", ("2022-01-24T23:00", "2022-04-04T22:00")),
        (of("v", dn=1, sd=1, mp=JANSSEN), "3G", ("2022-01-24T23:00", "2022-07-09T22:00")),
        (of("v", dn=2, sd=2, mp=JANSSEN), "BOOSTER", ("2022-01-09T23:00", "2022-07-09T22:00")),
        (of("v", dn=3, sd=3, mp=MODERNA), "BOOSTER", ("2022-01-09T23:00", "2022-07-09T22:00")),
        (of("v", dn=2, sd=1, mp=BIONTECH), "BOOSTER", ("2022-01-09T23:00", "2022-07-09T22:00")),
        (of("v", mp="Sputnik-V", co="SM"), "3G", ("2022-01-09T23:00", "2022-10-07T22:00")),
        (of("t"), "3G", ("2022-01-10T08:00", "2022-01-13T08:00")),
        (of("t", tt=RAPID), "3G", ("2022-01-10T08:00", "2022-01-12T08:00")),
        (of("r", du="2022-08-01"), "3G", ("2022-01-20T23:00", "2022-07-20T22:00")),
        (of("r", du="2022-07-09"), "2G", ("2022-01-20T23:00", "2022-07-09T22:00")),
    ],
)
def test_italian_settings(entry: dict[str, Any], mode: str, expected: tuple[str, str]) -> None:
    found = asked(rules("it", "it/settings.json"), "2022-01-11T12:00", subject(entry), mode=mode)
    assert window(found) == expected


@pytest.mark.parametrize(
    ("entry", "mode", "outcome"),
    [
        (of("v", mp="Sputnik-V", co="IT"), "3G", FAIL),
        (of("v", mp="Fake"), "3G", FAIL),
        (of("v", mp=NOVAVAX), "3G", FAIL),  # not listed yet
        (of("v", mp=None), "3G", OPEN),
        (of("v", dn=-1), "3G", FAIL),
        (of("v", dn=1, dt="2021-12-20"), "BOOSTER", FAIL),
        (of("v"), "BOOSTER", OPEN),
        (of("r", df="2022-01-01"), "BOOSTER", OPEN),
        (of("t"), "2G", FAIL),
        (of("t"), "BOOSTER", FAIL),
        (of("t", tr=POSITIVE), "3G", FAIL),
        (of("t", tt="Fake"), "3G", FAIL),
        (of("v", ci="URN:UVCI:01:FR:W7V2BE46QSBJ#L"), "3G", FAIL),
        (of("t", ci="URN:UVCI:01:FR:T5DWTJYS4ZR8#4"), "3G", FAIL),
    ],
)
def test_what_italian_settings_refuse(entry: dict[str, Any], mode: str, outcome: RulingOutcome) -> None:
    found = asked(rules("it", "it/settings.json"), "2022-01-11T12:00", subject(entry), mode=mode)
    assert found.outcome is outcome
    assert window(found) == (None, None)


# --- France ---


@pytest.mark.parametrize(
    ("entry", "mode", "expected"),
    [
        (of("v"), "vaccine", ("2022-01-16T23:00", "2022-08-18T22:00")),
        (of("v", dn=1, sd=1), "vaccine", ("2022-01-16T23:00", "2022-08-18T22:00")),
        (of("v", dn=3, sd=3), "vaccine", ("2022-01-16T23:00", "2038-06-14T22:00")),
        (of("v", dn=3, sd=3, dt="2021-12-20"), "vaccine", ("2021-12-19T23:00", "2038-05-24T22:00")),
        (of("v", dn=1, sd=1, mp=JANSSEN), "vaccine", ("2022-02-06T23:00", "2022-03-18T23:00")),
        (of("v", dn=2, sd=2, mp=JANSSEN), "vaccine", ("2022-01-16T23:00", "2022-05-18T22:00")),
        (of("v", mp=NOVAVAX), "vaccine", ("2022-01-16T23:00", "2022-05-18T22:00")),
        (of("t"), "health", ("2022-01-10T08:00", "2022-01-11T08:00")),
        (of("t", tt=RAPID, tr=POSITIVE), "vaccine", ("2022-01-21T08:00", "2022-07-12T08:00")),
        (of("r"), "vaccine", ("2022-01-20T23:00", "2022-07-11T22:00")),
        (of("r"), "plus", ("2022-01-20T23:00", "2038-06-14T22:00")),
        (of("t"), "vaccine", (None, None)),
        (of("t", sc="2022-01-22T12:00:00Z"), "current", ("2022-01-22T12:00", "2022-01-22T23:00")),
    ],
)
def test_french_settings(entry: dict[str, Any], mode: str, expected: tuple[str | None, str | None]) -> None:
    found = asked(rules("fr", "fr-sanipasse/validity_data.json"), "2022-01-10T12:00", subject(entry), mode=mode)
    assert window(found) == expected


# --- Germany ---

OLD, YOUNG = "1960-05-01", "1990-05-01"
BOOSTED = of("v", dn=3, sd=3, dt="2022-01-10")


@pytest.mark.parametrize(
    ("entries", "born", "at", "outcome", "named"),
    [
        ([BOOSTED], OLD, "2022-10-01", PASSED, "BNR-DE-0400"),
        ([BOOSTED], YOUNG, "2022-10-01", FAIL, None),
        ([of("v", dn=3, sd=3, dt="2022-04-02")], OLD, "2022-10-01", FAIL, None),  # a day less than six months
        ([of("v", dn=3, sd=3, dt="2022-04-01")], OLD, "2022-10-01", PASSED, "BNR-DE-0400"),
        ([BOOSTED, of("r", fr="2022-02-01")], OLD, "2022-10-01", FAIL, None),
        ([of("v"), of("r", fr="2022-02-01")], OLD, "2022-10-01", PASSED, "BNR-DE-0400"),
        ([of("v"), of("r", fr="2022-05-01")], OLD, "2022-10-01", FAIL, None),
        ([of("v")], OLD, "2022-09-30", FAIL, None),
        ([of("v")], OLD, "2022-10-01", PASSED, "BNR-DE-0500"),  # as of when two doses are not all
        ([of("v", dn=1, sd=1)], YOUNG, "2022-10-01", PASSED, "BNR-DE-0500"),
        ([of("v", dn=1, sd=1, mp=JANSSEN)], YOUNG, "2022-10-01", FAIL, None),
        ([of("r")], OLD, "2022-10-01", FAIL, None),
        ([BOOSTED], "1963-00", "2022-09-30", OPEN, None),
        ([BOOSTED], OLD, "2022-08-01", NO_RULES, None),
    ],
)
def test_booster_rules_of_covpass(
    entries: list[dict[str, Any]], born: str, at: str, outcome: RulingOutcome, named: str | None
) -> None:
    certificates = [subject(entry, born=born) for entry in entries]
    found = asked(rules("booster", "covpass/eu-booster-rules.json"), at, *certificates)
    assert (found.outcome, found.status) == (outcome, named)


def test_the_booster_rule_of_corona_warn_app() -> None:
    warned = rules("booster", "cwa/dcc_booster_rules.json")
    one = subject(of("v", ci="URN:UVCI:01DE/A80013335/EXAMPLE"))
    found = asked(warned, "2021-11-20", one, language="de")
    assert (found.outcome, found.status) == (PASSED, "BNR-DE-1000")
    assert window(found) == ("2021-11-05T00:00", "2021-11-23T00:00")
    assert found.reasons[1].startswith("Aus Sicherheitsgründen")
    assert asked(warned, "2021-11-23", one).outcome is FAIL
    assert asked(warned, "2021-11-20", subject(of("v", ci="URN:UVCI:01DE/IZ12345A/EXAMPLE"))).outcome is FAIL


@pytest.mark.parametrize(
    ("entries", "region", "status"),
    [
        ([of("v", dn=4, sd=4)], "none", "ImpfstatusBZwei"),
        ([of("v", dn=3, sd=3)], "none", "ImpfstatusCZwei"),
        ([of("v", dn=3, sd=3), of("r")], "none", "ImpfstatusBZwei"),
        ([of("v"), of("r", fr="2022-05-03")], "none", "ImpfstatusEZwei"),
        ([of("v"), of("r", fr="2022-05-04")], "none", "ImpfstatusEEins"),
        ([of("v", mp="Sputnik-V", dn=3, sd=3)], "none", None),
        ([of("v", mp="Covishield", dn=3, sd=3), of("v", dt="2021-12-01")], "none", "ImpfstatusCZwei"),
        ([of("v", mp="Covishield", dn=3, sd=3), of("v", mp=ASTRAZENECA, dt="2021-12-01")], "none", None),
        ([of("v")], "none", None),
        ([of("t", sc="2022-05-31T13:00:00Z")], "none", "Mask"),
        ([of("t", sc="2022-05-31T11:00:00Z")], "none", None),
        ([of("r", fr="2022-05-01")], "none", None),
        ([of("r", fr="2022-05-01")], "SH", "Mask"),
        ([of("r", fr="2022-03-01")], "SH", None),
        ([of("v", dn=3, sd=3, dt="2022-04-01")], "SH", "ImpfstatusCZwei, Mask"),
    ],
)
def test_statuses_of_covpass(entries: list[dict[str, Any]], region: str, status: str | None) -> None:
    domestic = rules("de-domestic", "covpass/domestic-rules.json")
    found = asked(domestic, "2022-06-01T12:00", *map(subject, entries), region=region)
    assert found.status == status
    assert found.outcome is (FAIL if status is None else PASSED)


@pytest.mark.parametrize(
    ("entries", "outcome", "reason"),
    [
        # CovPass Check asks TR-DE-0001 and -0004 before MA-DE-0100, which would take any test of the last day.
        ([of("t", sc="2022-05-31T13:00:00Z", tr=POSITIVE)], FAIL, "TR-DE-0004"),
        ([of("t", sc="2022-05-31T13:00:00Z", tt=SEROLOGICAL)], FAIL, "TR-DE-0001"),
        ([of("t", sc="2022-05-31T13:00:00Z"), of("v")], PASSED, "MA-DE-0100"),
        ([of("t", sc="2022-05-31T13:00:00Z", tr=POSITIVE), of("t", sc="2022-05-31T12:30:00Z")], FAIL, "TR-DE-0004"),
        ([of("t", sc="2022-05-31T12:00:00Z")], PASSED, "MA-DE-0100"),  # 24 hours ago
        ([of("t", sc="2022-05-31T11:59:59Z")], FAIL, "MA-DE-0100"),
        ([of("t", sc="2022-05-31T13:00:00Z", tt=RAPID, ma="no device")], FAIL, "TR-DE-0005"),
    ],
)
def test_masks_of_covpass(entries: list[dict[str, Any]], outcome: RulingOutcome, reason: str) -> None:
    domestic = rules("de-domestic", "covpass/domestic-rules.json")
    certificates = [subject(entry, issuer="DE") for entry in entries]
    found = asked(domestic, "2022-06-01T12:00", *certificates, status="Mask")
    assert found.outcome is outcome
    assert any(reason in one for one in found.reasons)


def test_a_german_pharmacy_that_was_shut_gives_no_status() -> None:
    domestic = rules("de-domestic", "covpass/domestic-rules.json")
    bad = of("v", dn=4, sd=4, ci="URN:UVCI:01DE/A51018097/EXAMPLE")
    found = asked(domestic, "2022-06-01T12:00", subject(bad, issuer="DE"))
    assert (found.outcome, found.status) == (FAIL, None)
    assert "IR-DE-0001" in found.reasons[-1]
    good = of("v", dn=4, sd=4, ci="URN:UVCI:01DE/A51018098/EXAMPLE")
    assert asked(domestic, "2022-06-01T12:00", subject(good, issuer="DE")).status == "ImpfstatusBZwei"


# --- What is no such document ---


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("it", "ch/nationalrules.json"),
        ("it", "covpass/eu-rules.json"),
        ("ch", "it/settings.json"),
        ("ch", "fr-sanipasse/validity_data.json"),
        ("fr", "it/settings.json"),
        ("booster", "ch/nationalrules.json"),
    ],
)
def test_documents_of_others_are_refused(name: str, path: str) -> None:
    with pytest.raises(RuleError) as caught:
        rules(name, path)
    assert caught.value.code is Code.RULE_LIST_UNREADABLE


def test_other_rules_are_none_for_these_questions() -> None:
    one = subject(of("v"))
    assert asked(rules("booster", "covpass/eu-rules.json"), "2022-06-01", one).outcome is NO_RULES
    assert asked(rules("de-domestic", "covpass/eu-rules.json"), "2022-06-01", one).outcome is NO_RULES
    assert PCR not in repr(one)
