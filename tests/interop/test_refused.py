"""Codes of others that are recognised and not verified, as they were published."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest

import healthcert as hc
from healthcert.errors import Code, Step
from healthcert.families.links import unwrap
from tests.interop.samples import ROOT

DUTCH = "hcert-other/khealthcertificate/nl-coronacheck/sample-one-day.txt"
TWODDOC = "2d-doc/vectors.json"


def read(path: str) -> str:
    if not (ROOT / path).is_file():
        pytest.skip(f"no {path} in the third-party test data: set HEALTHCERT_INTEROP")
    return (ROOT / path).read_text("utf-8")


def test_the_dutch_pass_is_undetermined_and_says_what_to_ask_for() -> None:
    report = hc.Verifier(hc.TrustStore()).examine(read(DUTCH))
    assert (report.outcome, report.step, report.code) == (
        hc.Outcome.UNDETERMINED,
        Step.DECODE,
        Code.FAMILY_NOT_SUPPORTED,
    )
    assert report.certificate is None
    assert "ask for the international (HC1) code" in report.detail


def test_what_the_dutch_pass_discloses_is_unverified() -> None:
    seen = hc.inspect_unverified(read(DUTCH))
    assert (seen.family, seen.problem) == ("Dutch domestic pass", None)
    assert seen.layers[-1].name == "disclosed attributes (unverified)"
    shown = seen.layers[-1].content
    assert (shown["credentialVersion"], shown["issuerKey"]) == ("02", "VWS-CC-2")
    assert (shown["isSpecimen"], shown["isPaperProof"]) == ("1", "1")
    assert (shown["validFrom"], shown["validForHours"]) == ("1627466400", "25")
    assert (shown["firstNameInitial"], shown["lastNameInitial"]) == ("B", "B")
    assert (shown["birthDay"], shown["birthMonth"]) == ("31", "7")
    assert seen.to_dict()["verified"] is False


def test_a_2d_doc_in_a_wallet_link_is_the_one_that_was_put_there() -> None:
    vectors = json.loads(read(TWODDOC))["vectors"]
    assert len(vectors) >= 4
    for vector in vectors:
        message = vector["message"]
        for link in (
            "https://bonjour.tousanticovid.gouv.fr/app/wallet?v=" + quote(message),
            "https://bonjour.tousanticovid.gouv.fr/app/wallet?v=" + quote(message).replace("%20", "+"),
            "https://bonjour.tousanticovid.gouv.fr/app/wallet2d#" + quote(message, safe=""),
        ):
            assert unwrap(link) == message
