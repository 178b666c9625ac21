"""National codes of the form of HC1: read as what they are, accepted only by name, never taken for another."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

import healthcert as hc
from tests.support import EVERYTHING, EXEMPTION_ENTRY, NOW, PAYLOAD, Press, accepted, verifier

T = int(NOW.timestamp())
NAM = PAYLOAD["nam"]
LIGHT = {"ver": "1.0.0", "nam": NAM, "dob": "1984-02-29"}
EXEMPTION = {"ver": "AT-1.0.0", "nam": NAM, "dob": "1984-02-29", "ve": [EXEMPTION_ENTRY]}
LIGHT_CLAIMS: dict[Any, Any] = {1: "CH BAG", 4: T + 86400, 6: T - 3600, -260: ..., -250: {1: LIGHT}}
NATIONAL = {
    "Swiss certificate light": Press(prefix="LT1:", claims=LIGHT_CLAIMS),
    "Austrian exemption certificate": Press(prefix="AT1:", payload=EXEMPTION),
    "Norwegian domestic certificate": Press(prefix="NO1:"),
    "Danish domestic certificate": Press(prefix="DK3:"),
}


@pytest.mark.parametrize("family", NATIONAL)
def test_a_national_code_is_verified_as_what_it_is_and_accepted_only_by_name(family: str) -> None:
    text = NATIONAL[family].text()
    assert accepted(text).family == family
    report = verifier().examine(text)
    assert (report.outcome, report.step, report.code) == ("refused", "recognise", "FAMILY_NOT_ACCEPTED")
    assert report.family == family
    assert report[hc.Step.SIGNATURE].outcome is hc.StepResult.PASSED
    assert report[hc.Step.CONTENT].outcome is hc.StepResult.PASSED


@pytest.mark.parametrize("made_as", NATIONAL)
@pytest.mark.parametrize("shown_as", ["HC1:", "LT1:", "AT1:", "NO1:", "DK3:"])
def test_no_national_code_passes_for_another_by_its_prefix(made_as: str, shown_as: str) -> None:
    text = NATIONAL[made_as].text()
    if text.startswith(shown_as):
        return
    report = verifier(policy=EVERYTHING).examine(shown_as + text[4:])
    alike = {"HC1:", "NO1:", "DK3:"}  # the same payload under another prefix, which nothing signs
    if {text[:4], shown_as} <= alike:
        assert report.family != made_as
    else:
        assert report.outcome is hc.Outcome.REFUSED
        assert report.step in ("decode", "content")


def test_an_exemption_tells_its_end() -> None:
    certificate = accepted(NATIONAL["Austrian exemption certificate"].text())
    assert certificate.events == (
        hc.Exemption(
            disease=hc.COVID_19,
            valid_until=date(2021, 12, 31),
            country="AT",
            issuer="Ministry",
            certificate_id="URN:UVCI:01:AT:X#1",
        ),
    )
    assert certificate.version == "AT-1.0.0"


def test_a_light_certificate_tells_a_name_and_nothing_else() -> None:
    certificate = accepted(NATIONAL["Swiss certificate light"].text())
    assert certificate.events == ()
    assert certificate.holder.name == "Zoé Exemplaire"
