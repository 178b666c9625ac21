"""The specimens of 2D-Doc that France published, by the keys of its test authorities."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import msgspec
import pytest

import healthcert as hc
from healthcert.barcode.write import DataMatrix
from healthcert.errors import Code, Step
from tests.interop.samples import ROOT, load

FILE = "2d-doc/vectors.json"
NOW = datetime(2021, 8, 20, 10, 0, tzinfo=UTC)

pytestmark = pytest.mark.skipif(
    not (ROOT / FILE).is_file(), reason=f"no {FILE} in the third-party test data: set HEALTHCERT_INTEROP"
)

# What the specimens say, and where they depart from the letter: F4 of one has no check digit, of another no digit.
EXPECTED = {
    "specimen-vaccination-L1": (hc.Outcome.ACCEPTED, Code.OK, None, []),
    "specimen-test-B2-berthier": (hc.Outcome.REFUSED, Code.TEST_RESULT_UNKNOWN, Step.CONTENT, ["UNKNOWN_CODE"]),
    "specimen-test-B2-dhi0": (hc.Outcome.ACCEPTED, Code.OK, None, ["UNKNOWN_CODE"]),
    "specimen-test-B2-dhi0-altered": (hc.Outcome.REFUSED, Code.SIGNATURE_INVALID, Step.SIGNATURE, []),
}


def specimens() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = load(FILE)["vectors"] if (ROOT / FILE).is_file() else []
    return found


@cache
def store() -> hc.TrustStore:
    found = hc.TrustStore()
    for name, key in load(FILE)["keys_spki_base64"].items():
        found.add_public_key(base64.b64decode(key), kid=name.replace("/", "").encode(), domain="2D-DOC")
    return found


def examine(text: str | bytes, trust: hc.TrustStore | None = None, at: datetime = NOW) -> hc.Report:
    return hc.Verifier(store() if trust is None else trust, clock=hc.FixedClock(at)).examine(text)


def warned(report: hc.Report, step: Step) -> list[str]:
    return sorted(one.code for one in report.warnings if one.step is step)


def test_every_specimen_is_known_here() -> None:
    assert {specimen["name"] for specimen in specimens()} == set(EXPECTED)


@pytest.mark.parametrize("specimen", specimens(), ids=lambda specimen: specimen["name"])
def test_every_specimen_has_the_outcome_that_is_said_of_it(specimen: dict[str, Any]) -> None:
    outcome, code, step, warnings = EXPECTED[specimen["name"]]
    report = examine(specimen["message"])
    assert (report.outcome, report.code, report.step) == (outcome, code, step)
    assert (report[Step.SIGNATURE].outcome == "passed") is specimen["signature_valid"]
    if specimen["signature_valid"]:
        time = [] if "L1" in specimen["name"] else ["TIME_WITHOUT_ZONE"]
        assert warned(report, Step.CONTENT) == sorted([*warnings, *time])
        # The keys were given without their certificates.
        assert warned(report, Step.TIME) == ["KEY_DATES_UNKNOWN"]


def test_the_vaccination() -> None:
    certificate = examine(specimens()[0]["message"]).certificate
    assert certificate is not None
    (event,) = certificate.events
    assert isinstance(event, hc.Vaccination)
    assert (certificate.family, certificate.version, certificate.issuer) == ("2D-Doc", "04", "FR")
    assert (event.dose, event.series, event.other) == (1, 2, {"cycle": "CO"})
    assert str(event.product) == "COMIRNATY PFIZER/BIONTECH"


@pytest.mark.parametrize("specimen", specimens(), ids=lambda specimen: specimen["name"])
@pytest.mark.parametrize("spelt", [("<GS>", "<US>"), ("\u241d", "\u241f"), ("%1D", "%1F")])
def test_dumps_and_symbols_say_the_same(specimen: dict[str, Any], spelt: tuple[str, str]) -> None:
    message = specimen["message"]
    expected = examine(message)
    dump = message.replace("\x1d", spelt[0]).replace("\x1f", spelt[1])
    (scanned,) = hc.read_barcodes(DataMatrix.of(message).png())
    for text in (dump, scanned, message + "\r\n", message.encode()):
        report = examine(text)
        assert (report.outcome, report.code, report.certificate) == (
            expected.outcome,
            expected.code,
            expected.certificate,
        )


def test_any_other_character_breaks_the_signature() -> None:
    message = specimens()[0]["message"]
    for position in range(26, message.index("\x1f")):
        other = "A" if message[position] != "A" else "B"
        report = examine(message[:position] + other + message[position + 1 :])
        assert report.outcome is hc.Outcome.REFUSED
        assert report.code in (Code.SIGNATURE_INVALID, Code.TWODDOC_DESERIALIZATION_FAILED)


def test_an_unknown_key_and_one_of_another_domain() -> None:
    message = specimens()[0]["message"]
    assert examine(message, hc.TrustStore()).code is Code.TRUST_STORE_EMPTY
    other = hc.TrustStore()
    key = base64.b64decode(load(FILE)["keys_spki_base64"]["FR00/0001"])
    other.add_public_key(key, kid=b"FR000001", domain="DCC")
    assert examine(message, other).code is Code.KEY_NOT_IN_TRUST_LIST


def test_the_key_is_judged_on_the_day_of_the_signature() -> None:
    message = specimens()[0]["message"]  # signed on 2021-04-29
    key = base64.b64decode(load(FILE)["keys_spki_base64"]["FR00/0001"])
    for start, end, code in (
        ("2021-04-29T08:00", "2021-05-01T00:00", Code.OK),
        ("2020-01-01T00:00", "2021-04-29T08:00", Code.OK),
        ("2020-01-01T00:00", "2021-04-28T23:59", Code.PUBLIC_KEY_EXPIRED),
        ("2021-04-30T00:00", "2022-01-01T00:00", Code.PUBLIC_KEY_NOT_YET_VALID),
    ):
        dates = [datetime.fromisoformat(moment).replace(tzinfo=UTC) for moment in (start, end)]
        known = hc.TrustedKey(kid=b"FR000001", spki=key, domain="2D-DOC", not_before=dates[0], not_after=dates[1])
        assert examine(message, hc.TrustStore([known])).code is code
    assert examine(message, at=datetime(2021, 4, 28, 11, 59, tzinfo=UTC)).code is Code.CWT_NOT_YET_VALID
    assert examine(message, at=datetime(2021, 4, 28, 12, tzinfo=UTC) + timedelta(days=3650)).code is Code.OK


def test_strictly_only_the_letter_holds() -> None:
    policy = msgspec.structs.replace(hc.Policy.strict(), tolerated=frozenset((Code.KEY_DATES_UNKNOWN,)))
    verifier = hc.Verifier(store(), policy=policy, clock=hc.FixedClock(NOW))
    assert [str(verifier.examine(one["message"]).code) for one in specimens()[::2]] == ["OK", "TIME_WITHOUT_ZONE"]
