"""The passes that New Zealand's specification shows, good and bad, with the outcome and in the step that it says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from uuid import UUID

import pytest

import healthcert as hc
from healthcert.encoding import base32
from healthcert.encoding.algorithms import Algorithm
from healthcert.errors import Code, Step
from healthcert.families.nzcp.encode import unsigned
from healthcert.families.nzcp.family import NZCP
from healthcert.limits import DEFAULT_LIMITS
from healthcert.trust.sources.nzcp import ISSUER, NewZealand
from healthcert.trust.sources.protocol import Context
from tests.interop.samples import ROOT, found

FOLDER = "nzcp/nzcovidpass-spec/examples"
EXAMPLES = "did:web:nzcp.covid19.health.nz"
NOW = datetime(2021, 11, 20, tzinfo=UTC)
ACTIVE = datetime(2026, 11, 2, tzinfo=UTC)  # the day on which one example begins to hold

pytestmark = pytest.mark.skipif(
    not (ROOT / FOLDER).is_dir(), reason=f"no {FOLDER} in the third-party test data: set HEALTHCERT_INTEROP"
)


def text_of(name: str) -> str:
    return (ROOT / FOLDER / name).read_text("utf-8")


@cache
def store(path: str = f"{FOLDER}/valid/did.json", issuer: str = EXAMPLES) -> hc.TrustStore:
    """The keys of a DID document, as the operator installs them who believes where it came from."""
    context = Context((), NOW, options={"issuer": issuer})
    read = NewZealand().load({"list": (ROOT / path).read_bytes()}, context)
    assert (len(read.keys), read.skipped) == (1, ())
    return hc.TrustStore(read.keys)


def examine(text: str, at: datetime = NOW, trust: hc.TrustStore | None = None) -> hc.Report:
    return hc.Verifier(trust or store(), clock=hc.FixedClock(at)).examine(text)


def test_the_valid_example_is_accepted() -> None:
    report = examine(text_of("valid/nzcp.txt"))
    assert (report.outcome, report.code, report.family) == (hc.Outcome.ACCEPTED, Code.OK, "NZ COVID Pass")
    certificate = report.certificate
    assert certificate is not None
    assert certificate.holder.name == "Jack Sparrow"
    assert certificate.holder.birth_date == "1960-04-16"
    assert certificate.identifiers == ("urn:uuid:60a4f54d-4e30-4332-be33-ad78b1eafa4b",)
    assert certificate.issuer == EXAMPLES
    assert certificate.events == ()
    assert report.key is not None
    assert report.key.kid == b"key-1"
    assert report.warnings == ()
    strict = hc.Verifier(store(), policy=hc.Policy.strict(), clock=hc.FixedClock(NOW))
    assert strict.examine(text_of("valid/nzcp.txt")).code is Code.OK


@pytest.mark.parametrize(
    ("name", "step", "code"),
    [
        ("bad-public-key", Step.SIGNATURE, Code.SIGNATURE_INVALID),
        ("modified-payload", Step.SIGNATURE, Code.SIGNATURE_INVALID),
        ("modified-sig", Step.SIGNATURE, Code.SIGNATURE_INVALID),
        ("not-associated-public-key", Step.TRUST, Code.KEY_NOT_IN_TRUST_LIST),
        ("expired-payload", Step.TIME, Code.CWT_EXPIRED),
        ("notactive-payload", Step.TIME, Code.CWT_NOT_YET_VALID),
    ],
)
def test_each_invalid_example_is_refused_where_it_is_wrong(name: str, step: Step, code: Code) -> None:
    report = examine(text_of(f"invalid/nzcp-{name}.txt"))
    assert (report.outcome, report.step, report.code) == (hc.Outcome.REFUSED, step, code)
    others = {outcome.step for outcome in report.steps if outcome.outcome is hc.StepResult.FAILED}
    assert others == {step}


def test_the_examples_of_another_time_are_good_in_theirs() -> None:
    assert examine(text_of("invalid/nzcp-notactive-payload.txt"), ACTIVE + timedelta(days=1)).code is Code.OK
    assert examine(text_of("invalid/nzcp-expired-payload.txt"), datetime(2021, 1, 1, tzinfo=UTC)).code is Code.OK
    assert examine(text_of("valid/nzcp.txt"), datetime(2031, 11, 3, tzinfo=UTC)).code is Code.CWT_EXPIRED


def test_a_kid_that_is_not_listed_is_refused_although_the_signature_is_good() -> None:
    decoded = NZCP.decode(text_of("invalid/nzcp-not-associated-public-key.txt"), DEFAULT_LIMITS)
    (key,) = store()
    check = key.check_for(Algorithm.ES256)
    assert decoded.kid == b"key-2"
    assert check is not None
    assert check(decoded.signature, decoded.signed)


@pytest.mark.parametrize(
    ("path", "issuer"),
    [
        ("nzcp/nzcp-js/liveDIDDocument.json", ISSUER),
        ("nzcp/nzcp-js/mineDIDDocument.json", EXAMPLES),
    ],
)
def test_the_keys_of_others_do_not_vouch_for_it(path: str, issuer: str) -> None:
    report = examine(text_of("valid/nzcp.txt"), trust=store(path, issuer))
    assert (report.outcome, report.step, report.code) == (
        hc.Outcome.REFUSED,
        Step.TRUST,
        Code.KEY_NOT_IN_TRUST_LIST,
    )


def test_the_key_under_the_name_of_another_issuer_does_not_vouch_for_it() -> None:
    (key,) = store()
    other = hc.TrustStore([hc.TrustedKey(kid=key.kid, spki=key.spki, domain="NZCP", issuer=ISSUER)])
    report = examine(text_of("valid/nzcp.txt"), trust=other)
    assert (report.step, report.code) == (Step.TRUST, Code.KEY_NOT_IN_TRUST_LIST)
    assert "of another issuer" in report.detail


@pytest.mark.parametrize("path", found(f"{FOLDER}/*/*.png"))
def test_the_pictures_hold_what_the_texts_say(path: str) -> None:
    (text,) = hc.read_barcodes(ROOT / path)
    beside = (ROOT / path).with_suffix(".txt")
    if beside.exists():
        assert text == beside.read_text("utf-8")
        return
    # The only one without a text is of an issuer that none of these documents is about.
    report = examine(text)
    assert (report.outcome, report.step) == (hc.Outcome.REFUSED, Step.TRUST)


def test_what_is_issued_here_is_the_example_byte_for_byte() -> None:
    text = text_of("valid/nzcp.txt")
    decoded = NZCP.decode(text, DEFAULT_LIMITS)
    made = unsigned(
        holder=hc.Holder(given_name="Jack", family_name="Sparrow", birth_date="1960-04-16"),
        issuer=EXAMPLES,
        kid="key-1",
        issued_at=datetime.fromtimestamp(1635883530, UTC),
        expires_at=datetime.fromtimestamp(1951416330, UTC),
        algorithm=Algorithm.ES256,
        cti=UUID("60a4f54d-4e30-4332-be33-ad78b1eafa4b"),
    )
    assert made.to_be_signed == decoded.signed
    assert made.assemble(decoded.signature).text == text
    assert made.assemble(decoded.signature).binary == bytes.fromhex(text_of("valid/nzcp-cwt-hex.txt").strip())
    assert base32.encode(made.assemble(decoded.signature).binary) == text.removeprefix("NZCP:/1/")
