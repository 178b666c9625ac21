"""What is recognised and not verified, and what is in links, through the verifier's own door."""

from __future__ import annotations

from urllib.parse import quote

import pytest

import healthcert as hc
from healthcert.errors import Code, Step
from healthcert.families.refused import REFUSED
from tests.support import Press, verifier
from tests.unit.families.test_refused import SAMPLES, UNSIGNED


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in SAMPLES.items() for text in texts])
def test_nothing_that_is_not_verified_is_accepted(name: str, text: str) -> None:
    report = verifier().examine(text)
    assert (report.family, report.step, report.certificate) == (name, Step.DECODE, None)
    if name in UNSIGNED:
        assert (report.outcome, report.code) == (hc.Outcome.REFUSED, Code.NOT_SIGNED)
    else:
        assert (report.outcome, report.code) == (hc.Outcome.UNDETERMINED, Code.FAMILY_NOT_SUPPORTED)
    assert "ask for " in report.detail


@pytest.mark.parametrize("text", ["HC2:6BF", "HC9:6BF", "HCA:6BF", "HCZ:6BF"])
def test_a_later_hcert_is_not_one_of_them(text: str) -> None:
    report = verifier().examine(text)
    assert (report.step, report.code) == (Step.RECOGNISE, Code.UNSUPPORTED_VERSION)
    assert not any(family.recognises(text) for family in REFUSED)


@pytest.mark.parametrize("path", ["walletdcc#", "wallet?v="])
def test_a_certificate_in_a_link_of_the_wallet_is_verified(path: str) -> None:
    link = "https://bonjour.tousanticovid.gouv.fr/app/" + path + quote(Press().text(), safe=":")
    report = verifier().examine(link)
    assert (report.outcome, report.family) == (hc.Outcome.ACCEPTED, "EU DCC")
