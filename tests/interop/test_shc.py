"""SMART Health Cards that other projects publish: what each file's name, or the README beside the data, has it to be.

Cards in any form are read as they are; payloads and bundles, of which no signed card is there, are signed in the test.
A file that no row is about fails a test, so that nothing is forgotten. The key sets there are asked about in
``test_trust_lists.py``, the revocation lists in ``test_revocation_lists.py``, the health links in ``test_links.py``.
"""

# ruff: noqa: E501 (one row a line where it fits)

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import PurePosixPath
from typing import Any

import pytest
from msgspec.structs import replace

import healthcert as hc
from healthcert.codings import DETECTED
from healthcert.trust.sources.registry import source_named
from tests.conftest import interop_folder
from tests.support_shc import CARD, Press, kid, spki
from tests.unit.trust.sources.world import context

ROOT = interop_folder() / "shc"
TOOLS, EXAMPLE = "dev-tools", "dev-tools/test-example"
SPEC = "https://spec.smarthealth.cards/examples/issuer"
CRL = "https://raw.githubusercontent.com/smart-on-fhir/health-cards-dev-tools/main/testdata/badcrl"
WASHINGTON = "trust-lists/khealthcertificate/shc-jwk/n0S0H6_mbA93e3pEu-a67qoiF4CAWYsOGoWo6TLHUzQ.jwk"
AT = datetime(2023, 1, 1, tzinfo=UTC)
FAMILY = frozenset(("SMART Health Card",))

pytestmark = pytest.mark.skipif(
    not ROOT.is_dir(), reason="no third-party test data: set HEALTHCERT_INTEROP to its folder"
)


@dataclass(frozen=True)
class Row:
    """What must be found in the files of a pattern, by default and by the letter, and why."""

    files: str
    reason: str
    code: str = "OK"
    step: str | None = None
    warnings: tuple[str, ...] = ()
    strictly: str = ""
    """The code under the strict policy, where it is another one."""
    detail: str = ""


SIGNATURE, UNKNOWN, SCHEMA = "SIGNATURE_INVALID", "KEY_NOT_IN_TRUST_LIST", "SCHEMA_VALIDATION_FAILED"
EXTRA = "FIELD_UNEXPECTED"

TABLE = [
    # The specification's own example, and a card of the State of Washington, in every form
    Row("ddcc-validator/DEMO-SHC-QR1.png", "the example of the specification"),
    Row("ddcc-validator/SHC*Contents.txt", "the example of the specification, and a real card"),
    Row("ddcc-validator/SHC*Unpacked.txt", "the JWS in them"),
    Row("ddcc-validator/SHC*FHIRBundle.json", "the bundles in them, spread out", warnings=("CARD_TOO_LONG",), strictly="CARD_TOO_LONG"),
    Row("khealthcertificate/shc/*.txt", "the example of the specification, issued again"),
    # Bundles
    Row(f"{EXAMPLE}-00-a-fhirBundle-bad_meta_extra_key.json", "SHALL only have meta.security, and no id; the tools warn", warnings=(EXTRA, EXTRA), strictly=EXTRA),
    Row(f"{EXAMPLE}-00-a-fhirBundle-bad_meta_non_security.json", "likewise", warnings=(EXTRA, EXTRA), strictly=EXTRA),
    Row(f"{EXAMPLE}-00-a-fhirBundle-bad_meta_wrong_security.json", "a coding with an unknown member, no FHIR", SCHEMA, "content", detail="meta.security"),
    Row(f"{EXAMPLE}-00-a-fhirBundle-occurrence-issues.json", "one dose with two occurrences, one with none", SCHEMA, "content", detail="occurrence"),
    Row(f"{EXAMPLE}-00-a-fhirBundle-profile-usa.json", "two patients, and doses that break the profile", SCHEMA, "content", detail="2 patients"),
    Row(f"{EXAMPLE}-00-a-fhirBundle-trailing_chars.json", "white space around the bundle is no part of it once it is in a payload"),
    Row(f"{EXAMPLE}-00-a-non-dm-properties.json", "a meta that is a text, no FHIR", SCHEMA, "content", detail="meta"),
    # Payloads
    Row(f"{EXAMPLE}-00-b-jws-payload-expanded-*_milliseconds.json", "seconds are meant", "CWT_TIME_INVALID", "time"),
    Row(f"{EXAMPLE}-00-b-jws-payload-expanded-expired.json", "exp has passed", "CWT_EXPIRED", "time"),
    Row(f"{EXAMPLE}-00-b-jws-payload-expanded-pre-expired.json", "exp has passed, before nbf", "CWT_EXPIRED", "time"),
    Row(f"{EXAMPLE}-00-b-jws-payload-expanded-nbf_not_yet_valid.json", "nbf is still to come", "CWT_NOT_YET_VALID", "time"),
    Row(f"{EXAMPLE}-00-b-jws-payload-expanded-missing-*-vc-type.json", "types that version 1.4.0 has nobody look at"),
    Row(f"{EXAMPLE}-00-b-jws-payload-expanded-trailing_chars.json", "a payload is to be minified", warnings=(EXTRA,), strictly=EXTRA),
    Row(f"{EXAMPLE}-covid-lab-jwspayload-missing-lab-vc-type.json", "a type that nobody looks at, and a positive test", "TEST_RESULT_POSITIVE", "content"),
    # JWS
    Row(f"{EXAMPLE}-00-d-jws-bad-fhir-metadata.txt", "as the bundles above: the tools warn", warnings=(EXTRA, EXTRA), strictly=EXTRA),
    Row(f"{EXAMPLE}-00-d-jws-der-signature*.txt", "no raw signature", SIGNATURE, "signature"),
    Row(f"{EXAMPLE}-00-d-jws-issuer-kid-mismatch.txt", "a key of another issuer", UNKNOWN, "trust", detail="of another issuer"),
    Row(f"{EXAMPLE}-00-d-jws-issuer-not-valid-with-smart-key.txt", "another issuer's name", UNKNOWN, "trust", detail="of another issuer"),
    Row(f"{EXAMPLE}-00-d-jws-jws_too_long.txt", "too long for one code; of an issuer whose keys are not there", UNKNOWN, "trust", warnings=("CARD_TOO_LONG",), strictly="CARD_TOO_LONG"),
    Row(f"{EXAMPLE}-00-d-jws-no_jws_header_alg.txt", "no alg", "ALGORITHM_NOT_ACCEPTED", "signature"),
    Row(f"{EXAMPLE}-00-d-jws-no_jws_header_kid.txt", "no kid", UNKNOWN, "trust", detail="no kid"),
    Row(f"{EXAMPLE}-00-d-jws-trailing_chars.txt", "white space around a token makes it none", "JWS_DESERIALIZATION_FAILED", "decode"),
    Row(f"{EXAMPLE}-00-d-jws-utf8_bom_prefix.txt", "a byte order mark before the payload", "JSON_DESERIALIZATION_FAILED", "decode"),
    # Files
    Row(f"{EXAMPLE}-00-e-file-bad_jwks.smart-health-card", "an issuer without a key set", UNKNOWN, "trust"),
    Row(f"{EXAMPLE}-00-e-file-invalid_deflate.smart-health-card", "a ZLIB stream", "DECOMPRESSION_FAILED", "decode"),
    Row(f"{EXAMPLE}-00-e-file-invalid_issuer_url.smart-health-card", "an issuer that there is not", UNKNOWN, "trust"),
    Row(f"{EXAMPLE}-00-e-file-issuer_url_with_trailing_slash.smart-health-card", "iss SHALL NOT end with a slash", "ISSUER_INVALID", "trust"),
    Row(f"{EXAMPLE}-00-e-file-jws_too_long.smart-health-card", "as the token above", UNKNOWN, "trust", warnings=("CARD_TOO_LONG",), strictly="CARD_TOO_LONG"),
    Row(f"{EXAMPLE}-00-e-file-multi-jws.smart-health-card", "two cards"),
    Row(f"{EXAMPLE}-00-e-file-no_deflate.smart-health-card", "not compressed", "DECOMPRESSION_FAILED", "decode", detail="zip"),
    Row(f"{EXAMPLE}-00-e-file.wrong-extension", "what a file is called is not looked at"),
    Row(f"{EXAMPLE}-00-fhirhealthcard-*.json", "what a FHIR operation answered"),
    # Codes
    Row(f"{EXAMPLE}-00-f-qr-code-numeric-value-0-index-out-of-range.txt", "part 3 of 2", "PARTS_INCONSISTENT", "decode"),
    Row(f"{EXAMPLE}-00-f-qr-code-numeric-value-0-odd-count.txt", "half a pair of digits", "NUMERIC_DECODING_FAILED", "decode"),
    Row(f"{EXAMPLE}-00-f-qr-code-numeric-value-0-wrong-multi-chunk.txt", "part 1 of 1: the tools warn", warnings=(EXTRA,), strictly=EXTRA),
    Row(f"{EXAMPLE}-00-f-qr-code-numeric-value-0-wrong_qr_header.txt", "no slash, as in early wallets", warnings=("FIELD_MISSING",), strictly="FIELD_MISSING"),
    Row(f"{EXAMPLE}-*-qr_chunk_too_*.txt", "parts without the others", "PARTS_MISSING", "decode"),
    Row(f"{EXAMPLE}-00-g-qr-code-1-qr_chunk_too_small.png", "a part without the other", "PARTS_MISSING", "decode", detail="part 2 of 2"),
    Row(f"{EXAMPLE}-00-g-qr-code-0-too_many_qr_segment.png", "a segment more than two, which is not of digits", "NUMERIC_DECODING_FAILED", "decode"),
    Row(f"{EXAMPLE}-00-g-qr-code-0-scaled-*.jpg", "pictures of other sizes"),
    Row(f"{TOOLS}/test-invalid-jws-payload.png", "a payload that is a text in JSON", "JSON_DESERIALIZATION_FAILED", "decode", detail="not an object"),
    # Cards beside revocation lists that cannot be used, which are not asked here
    Row(f"{TOOLS}/badcrl/*/jws-*.txt", "sound cards"),
    # Bundles of others
    Row("health-cards/src/fixtures/covid-vaccines-bundle.json", "the bundle has an id", warnings=(EXTRA,), strictly=EXTRA),
    Row("health-cards/src/fixtures/revoked-bundle.json", "sound, its list is not asked here"),
    Row("health-cards/src/fixtures/dr-bundle.json", "a laboratory's report about a patient who is not in it", SCHEMA, "content", warnings=("CARD_TOO_LONG",), strictly="CARD_TOO_LONG", detail="0 patients"),
    Row("who-ddcc-fixtures/Bundle-example-bundle-lab-test-results-covid.json", "a positive test", "TEST_RESULT_POSITIVE", "content"),
    Row("who-ddcc-fixtures/bundle-lab-test-results-covid-jws-payload-expanded.json", "a positive test, and the bundle has an id", "TEST_RESULT_POSITIVE", "content", warnings=(EXTRA,), strictly=EXTRA),
    Row("who-ddcc-fixtures/example-00-a-fhirBundle.json", "the bundle of the specification's example"),
    Row("who-ddcc-fixtures/example-00-b-jws-payload-expanded.json", "its payload, not minified", warnings=(EXTRA,), strictly=EXTRA),
]  # fmt: skip

DEVIATIONS = [
    Row(
        f"{EXAMPLE}-00-g-qr-code-0-bad_qr_version.png",
        "its symbol is larger than version 22, which its text does not tell",
    ),
]
"""Files whose names say of a defect that is not found: strictly those, and no others."""

NOT_CARDS = {
    f"{EXAMPLE}-00-g-qr-code-0-corrupted.png": "no code can be read in it",
    "ddcc-validator/SHCQR1FHIRComposition.json": "what another program made of a card",
}
ELSEWHERE = (
    f"{TOOLS}/valid_*.json",
    f"{TOOLS}/wrong_*_key.json",
    f"{TOOLS}/*public*.json",
    f"{TOOLS}/schema/*",
    f"{TOOLS}/shl*",
    f"{TOOLS}/shl-examples/*",
    f"{TOOLS}/badcrl/**/*.json",
    f"{TOOLS}/badjwks/**/*.json",
    "health-cards/issuer/**/*.json",
    "khealthcertificate/shc/*.jwk",
)


# --- Reading the samples and the keys ---


def matched(pattern: str) -> list[str]:
    return sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob(pattern) if path.is_file())


@cache
def texts(path: str) -> tuple[str, ...]:
    """What a verifier gets of a file; a payload or a bundle that was never signed is signed here."""
    file = ROOT / path
    if file.suffix in (".png", ".jpg"):
        return tuple(hc.read_barcodes(file))
    data, name = file.read_bytes(), PurePosixPath(path).name
    if "jws-payload" in name or "jwspayload" in name:
        return (Press(payload=data).jws(),)
    if file.suffix == ".json" and "healthcard" not in name:
        subject = b'{"fhirVersion":"4.0.1","fhirBundle":%b}' % data
        vc = b'{"type":["%b"],"credentialSubject":%b}' % (CARD.encode(), subject)
        return (Press(payload=b'{"iss":"%b","nbf":1620000000,"vc":%b}' % (SPEC.encode(), vc)).jws(),)
    return (data.decode("utf-8"),)


@cache
def store() -> hc.TrustStore:
    found = hc.TrustStore([hc.TrustedKey(kid=kid().encode(), spki=spki(), domain="SHC", issuer=SPEC)])
    sets = {f"shc/{TOOLS}/badcrl/{one.name}/.well-known/jwks.json": f"{CRL}/{one.name}" for one in crls()}
    sets |= {
        "shc/health-cards/issuer/.well-known/jwks.json": SPEC,
        "shc/khealthcertificate/shc/3Kfdg-XwP-7gXyywtUfUADwBumDOPKMQx-iELL11W9s.jwk": SPEC,
        f"shc/{TOOLS}/issuer.jwks.public.not.smart.json": "https://cards.example.org",
        WASHINGTON: "https://waverify.doh.wa.gov/creds",
    }
    for path, issuer in sets.items():
        listed = source_named("shc").load({"list": (ROOT.parent / path).read_bytes()}, context(issuer=issuer))
        assert listed.skipped == ()
        found.add(listed.keys)
    return found


def crls() -> list[Any]:
    return [one for one in (ROOT / TOOLS / "badcrl").iterdir() if (one / ".well-known/jwks.json").is_file()]


def examine(text: str, policy: hc.Policy) -> hc.Report:
    policy = replace(policy, families=FAMILY)
    return hc.Verifier(store(), policy=policy, clock=hc.FixedClock(AT)).examine(text)


# --- The samples ---


@pytest.mark.parametrize("row", TABLE + DEVIATIONS, ids=lambda row: row.files)
def test_every_sample_is_what_its_name_says(row: Row) -> None:
    paths = matched(row.files)
    assert paths
    for path in paths:
        (text,) = texts(path)
        report = examine(text, hc.Policy())
        assert (str(report.code), report.step) == (row.code, row.step), path
        assert row.detail in report.detail
        found = [str(one.code) for one in report.warnings if one.code != "REVOCATION_UNKNOWN"]
        assert tuple(found) == row.warnings, path
        strictly = row.strictly or row.code
        assert examine(text, hc.Policy.strict()).code in (strictly, *row.warnings), path


def test_no_sample_is_forgotten() -> None:
    asked = {path for row in TABLE + DEVIATIONS for path in matched(row.files)}
    elsewhere = {path for pattern in ELSEWHERE for path in matched(pattern)}
    assert asked.isdisjoint(NOT_CARDS)
    assert asked.isdisjoint(elsewhere)
    assert set(matched("**/*")) == asked | NOT_CARDS.keys() | elsewhere


@pytest.mark.parametrize("path", NOT_CARDS)
def test_what_is_no_card_is_told_to_be_none(path: str) -> None:
    if path.endswith(".png"):
        assert texts(path) == ()
    else:
        assert examine((ROOT / path).read_text("utf-8"), hc.Policy()).code == "INVALID_SCHEME_PREFIX"


@pytest.mark.parametrize("sample", ["SHCQR1", "SHCWAVax"])
def test_a_card_says_what_its_bundle_does(sample: str) -> None:
    (text,) = texts(f"ddcc-validator/{sample}Contents.txt")
    report = examine(text, hc.Policy.strict())
    assert report.certificate is not None
    bundle = json.loads((ROOT / f"ddcc-validator/{sample}FHIRBundle.json").read_text("utf-8"))
    resources = [entry["resource"] for entry in bundle["entry"]]
    (patient,) = [one for one in resources if one["resourceType"] == "Patient"]
    doses = [one for one in resources if one["resourceType"] == "Immunization"]
    holder = report.certificate.holder
    assert (holder.birth_date, holder.family_name) == (patient["birthDate"], patient["name"][0]["family"])
    assert holder.given_name == " ".join(patient["name"][0]["given"])
    for event, dose in zip(report.certificate.events, doses, strict=True):
        assert isinstance(event, hc.Vaccination)
        assert event.vaccine is not None
        assert (event.vaccine.code, event.batch) == (dose["vaccineCode"]["coding"][0]["code"], dose["lotNumber"])
        assert event.date is not None
        assert event.date.isoformat() == dose["occurrenceDateTime"]


def test_every_card_of_a_file_is_examined() -> None:
    for path in (*matched(f"{EXAMPLE}-00-fhirhealthcard-*.json"), f"{EXAMPLE}-00-e-file-multi-jws.smart-health-card"):
        (text,) = texts(path)
        report = examine(text, hc.Policy.strict())
        assert (report.code, [one.code for one in report.beside]) == ("OK", ["OK"])


def test_the_parts_there_are_make_the_card() -> None:
    parts = [texts(path)[0] for path in matched(f"{EXAMPLE}-02-f-qr-code-numeric-value-*-qr_chunk_too_big.txt")]
    collector = hc.PartCollector()
    first, second = map(collector.add, reversed(parts))
    assert first is None
    assert second is not None
    assert len(second) > 1195
    report = examine(second, hc.Policy())
    assert "CARD_TOO_LONG" in [warning.code for warning in report.warnings]
    collector = hc.PartCollector()
    for path in matched(f"{EXAMPLE}-00-f-*-qr_chunk_too_small.txt"):
        assert collector.add(texts(path)[0]) is None
    (missing,) = collector.missing
    assert len(missing) == 17 - len(matched(f"{EXAMPLE}-00-f-*-qr_chunk_too_small.txt"))


def test_a_result_of_the_laboratory_is_read() -> None:
    data = json.loads((ROOT / "who-ddcc-fixtures/Bundle-example-bundle-lab-test-results-covid.json").read_text("utf-8"))
    data["entry"][1]["resource"]["valueCodeableConcept"]["coding"][0]["code"] = "260415000"
    subject = {"fhirVersion": "4.0.1", "fhirBundle": data}
    card = Press({"iss": SPEC, "nbf": 1620000000, "vc": {"type": [CARD], "credentialSubject": subject}})
    report = examine(card.text(), hc.Policy.strict())
    assert report.certificate is not None
    (event,) = report.certificate.events
    assert isinstance(event, hc.TestResult)
    assert event.result != DETECTED
    assert (event.test_type and event.test_type.code, event.centre) == ("94558-4", "ABC General Hospital")
