"""Samples that other projects publish: each one that is, or ought to be, an HCERT text or picture, in one table.

A row says what a sample's name, or the README beside the data, has it to be, and what the library must find. The data
is read where it lies. A file that no row is about fails a test, so that nothing is forgotten.
"""

# ruff: noqa: E501 (one row a line where it fits)

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import healthcert as hc
from healthcert.encoding import cwt
from healthcert.families.hcert.names import transliterate
from tests.interop.samples import OURS, ROOT, dsc_list, found, load, message_in, store_of, text_of
from tests.support import Press

OTHER, GDHCN, QA = "hcert-other", "gdhcn/ddcc-validator", "hcert-other/dcc-quality-assurance"
COVPASS, UTILS, TESTDATA, KDE = (
    f"{OTHER}/{name}" for name in ("covpass", "dcc-utils", "hcert-testdata", "khealthcertificate")
)
EXEMPTIONS, VALIDATOR, FIXTURES = (
    f"{OTHER}/{name}" for name in ("hcert-kotlin-ve", "ddcc-validator", "who-ddcc-fixtures")
)
SERVICE = f"{OTHER}/dgca-validation-service"

DEMO, PROD = (f"trust-lists/covpass/{name}/dsc-list.json" for name in ("demo", "prod"))
SANIPASSE = "trust-lists/sanipasse/Digital_Green_Certificate_Signing_Keys.json"
KDE_LIST = "trust-lists/khealthcertificate/eu-dgc-dsc"
AUSTRIAN = "Austrian exemption certificate"
PER_KEY_LIST = frozenset((hc.Code.EXPIRES_AFTER_KEY, hc.Code.KEY_DATES_UNKNOWN))
"""Warnings about what a list tells of a key, which differs from list to list."""

pytestmark = pytest.mark.skipif(
    not ROOT.is_dir(), reason="no third-party test data: set HEALTHCERT_INTEROP to its folder"
)


@dataclass(frozen=True)
class Row:
    """What must be found in the files of a pattern, under these keys and at this moment, and why."""

    files: str
    reason: str
    trust: tuple[str, ...] = ()
    """Key lists below the folder, a part of one after ``#``; ``CERTIFICATE`` and the like from the sample itself."""
    at: str = "2021-09-01T00:00:00Z"
    """``clock``: the sample's own; ``last``: the last moment at which both it and its key are valid."""
    code: str = "OK"
    step: str | None = None
    family: str | None = "EU DCC"
    warnings: tuple[str, ...] = ()
    detail: str = ""
    payload: str = ""
    """The file that tells what is certified; ``#`` and a name for a part of it."""
    rsa_bits: int = 2048
    but: tuple[str, ...] = ()
    """Files of the pattern that other rows are about."""


UNKNOWN, SCHEMA = "KEY_NOT_IN_TRUST_LIST", "SCHEMA_VALIDATION_FAILED"
IT_KEYS, GROUPS = f"{UTILS}/It_Test_Signing_Keys.json", f"{UTILS}/test/sanipasse_format_keys.json"
ITALIAN = f"{UTILS}/test/signed_with_italian_test_key.png"
VE_CERT = f"{EXEMPTIONS}/ve_good.json#AT_CERTIFICATE"
JORDAN, SWEDEN = f"{QA}/JO/1.0.0/VAC_booster.png", f"{QA}/SE/1.3.0/*.png"
PECULIAR = {
    f"{QA}/AD/1.0.0/TEST_*.png": ("TAGGED_DATE_TIME",),
    f"{QA}/CO/1.3.0/*.png": ("DATE_WITH_TIME",),
    f"{QA}/DE/1.3.0/REC_DE.png": ("DATE_WITH_TIME", "DATE_WITH_TIME"),
    f"{QA}/DE/1.3.0/VAC_DE.png": ("DATE_WITH_TIME",),
    f"{QA}/DE/1.3.0/*_revoked*.png": ("ISSUER_COUNTRY_MISMATCH",),  # their DSC is of WW
    f"{QA}/FR/1.3.0/specialcases/VAC.png": ("ISSUER_NOT_A_COUNTRY",),
    f"{QA}/HU/1.3.0/**/TEST*.png": ("TAGGED_DATE_TIME",),
    f"{QA}/LI/1.3.0/*.png": ("FLOAT_TIME",),
    f"{QA}/RO/1.3.0/TEST.png": ("TAGGED_DATE_TIME",),
}

TABLE = [
    # covpass: samples of the app for Android
    Row(f"{COVPASS}/ticketing*.txt", "a request of the validation service, no certificate", code="INVALID_SCHEME_PREFIX", step="recognise", family=None),
    Row(f"{COVPASS}/vaccination-cert.txt", "of April 2021, before the kid had 8 bytes (HCERT specification, Appendix A.1)", (f"{COVPASS}/seal-cert.pem",), at="2021-05-01T00:00:00Z", code=UNKNOWN, step="trust", detail="16 bytes"),
    Row(f"{COVPASS}/vaccination-cert.txt", "sound but for its kid", (OURS,), at="2021-05-01T00:00:00Z"),
    # khealthcertificate
    Row(f"{KDE}/eu-dgc/*.txt", "valid, signed by the *.der of its kid", (f"{KDE}/eu-dgc",)),
    Row(f"{KDE}/eu-dgc/full-vaccination-ch.txt", "production: its key is on three lists", (PROD, SANIPASSE, KDE_LIST)),
    Row(f"{KDE}/eu-dgc/*.txt", "test certificates: their key is on no production list", (PROD,), code=UNKNOWN, step="trust", but=(f"{KDE}/eu-dgc/full-vaccination-ch.txt",)),
    Row(f"{KDE}/nl-coronacheck/*.txt", "the Dutch domestic format, not HCERT", code="FAMILY_NOT_SUPPORTED", step="decode", family="Dutch domestic pass", detail="ask for the international (HC1) code"),
    # dcc-utils
    Row(f"{UTILS}/signed_cert.png", "signed by signing_certificate.crt", (f"{UTILS}/signing_certificate.crt",)),
    Row(f"{UTILS}/test/signed_cert.png", "signed by signing_certificate.crt", (f"{UTILS}/test/signing_certificate.crt",)),
    Row(f"{UTILS}/test/signed_cert.png", "the wrong certificate, which has no readable key", (f"{UTILS}/test/wrong_signing_certificate.crt",), code="TRUST_STORE_EMPTY", step="trust"),
    Row(f"{UTILS}/test/signed_cert.png", "a certificate of DSA signs nothing here", (f"{UTILS}/test/512b-dsa-example-cert.pem",), code="TRUST_STORE_EMPTY", step="trust"),
    Row(f"{UTILS}/test/signed_cert.png", "another issuer's certificate", (f"{UTILS}/test/cert_rsa.crt",), code=UNKNOWN, step="trust"),
    Row(f"{UTILS}/test/valid_ch_certificate.png", "signed by cert_rsa.crt", (f"{UTILS}/test/cert_rsa.crt",)),
    Row(f"{UTILS}/test/valid_certificate.png", "valid, its key is on the demo list", (DEMO,)),
    Row(f"{UTILS}/test/not_valid_certificate.png", "a QR code, but of something else", code="INVALID_SCHEME_PREFIX", step="recognise", family=None),
    Row(ITALIAN, "signed with the Italian test key", (IT_KEYS,)),
    Row(ITALIAN, "the same key in the form of sanipasse", (f"{GROUPS}#ValidTestKeys",)),
    Row(ITALIAN, "another key under the same kid", (f"{GROUPS}#ValidWrongKeys",), code="SIGNATURE_INVALID", step="signature"),
    Row(ITALIAN, "a key that cannot be read", (f"{GROUPS}#InvalidKeys",), code="TRUST_STORE_EMPTY", step="trust"),
    Row(ITALIAN, "no keys", (f"{GROUPS}#EmptyKeys",), code="TRUST_STORE_EMPTY", step="trust"),
    Row(f"{UTILS}/2.png", "Slovak, its key is on no list", (DEMO, PROD), code=UNKNOWN, step="trust"),
    Row(f"{UTILS}/2.png", "sound otherwise", (OURS,)),
    # hcert-testdata
    Row(f"{TESTDATA}/test1.png", "signed by issuer1", (f"{TESTDATA}/issuer1.crt",), warnings=("ISSUER_NOT_A_COUNTRY",), payload=f"{TESTDATA}/test1.json"),
    Row(f"{TESTDATA}/test1.bin", "the same without its wrapping; the key from the JWKS", (f"{TESTDATA}/jwks.json",), warnings=("ISSUER_NOT_A_COUNTRY",), payload=f"{TESTDATA}/test1.json"),
    Row(f"{TESTDATA}/test1.png", "not signed by the other issuers", tuple(f"{TESTDATA}/issuer{n}.crt" for n in (2, 3, 4)), code=UNKNOWN, step="trust", warnings=("ISSUER_NOT_A_COUNTRY",)),
    # hcert-kotlin: each as its DESCRIPTION says; upstream, HC1 and AT1 have a trust list each
    Row(f"{EXEMPTIONS}/ve_good.json", "SUCCESS", ("AT_CERTIFICATE",), "clock", family=AUSTRIAN, payload="#JSON", warnings=("ISSUER_COUNTRY_MISMATCH",)),
    Row(f"{EXEMPTIONS}/ve_bad_hc1.json", "HC1, signed by the key for exemptions, which is on the other list: KEY_NOT_IN_TRUST_LIST", ("CERTIFICATE",), "clock", code=UNKNOWN, step="trust"),
    Row(f"{EXEMPTIONS}/ve_bad_hc1.json", "the same with both lists in one store", ("CERTIFICATE", VE_CERT), "clock", code=UNKNOWN, step="trust", detail="only for: AT-EXEMPTION"),
    Row(f"{EXEMPTIONS}/ve_bad_multi_ve.json", "two exemptions: SCHEMA_VALIDATION_FAILED", ("AT_CERTIFICATE",), "clock", code=SCHEMA, step="content", family=AUSTRIAN, warnings=("ISSUER_COUNTRY_MISMATCH",)),
    Row(f"{EXEMPTIONS}/ve_bad_oid_in_cert.json", "usages of the EU DCC in the certificate: UNSUITABLE_PUBLIC_KEY_TYPE, here KEY_USAGE_MISMATCH", ("AT_CERTIFICATE",), "clock", code="KEY_USAGE_MISMATCH", step="usage", family=AUSTRIAN, warnings=("ISSUER_COUNTRY_MISMATCH",)),
    Row(f"{EXEMPTIONS}/ve_bad_vac_in_at1.json", "a vaccination as AT1: SCHEMA_VALIDATION_FAILED", ("AT_CERTIFICATE",), "clock", code=SCHEMA, step="content", family=AUSTRIAN, warnings=("ISSUER_COUNTRY_MISMATCH",)),
    Row(f"{EXEMPTIONS}/ve_bad_ve_in_hc1.json", "an exemption as HC1: SCHEMA_VALIDATION_FAILED", ("CERTIFICATE",), "clock", code=SCHEMA, step="content", warnings=("ISSUER_COUNTRY_MISMATCH",)),
    Row(f"{EXEMPTIONS}/ve_bad_wrongcert.json", "the list has another certificate: KEY_NOT_IN_TRUST_LIST", ("AT_CERTIFICATE",), "clock", code=UNKNOWN, step="trust", family=AUSTRIAN),
    # ddcc-validator: EU DCCs that it turns into FHIR
    Row(f"{VALIDATOR}/EUQR1Contents.txt", "a production key", (PROD,), payload=f"{VALIDATOR}/EUQR1Unpacked.txt"),
    Row(f"{VALIDATOR}/EUQR1Contents.txt", "the same key from other lists", (SANIPASSE, KDE_LIST)),
    Row(f"{VALIDATOR}/PROD-EU-QR1.png", "the picture of EUQR1", (PROD,), payload=f"{VALIDATOR}/EUQR1Unpacked.txt"),
    Row(f"{VALIDATOR}/EUItalyAcceptanceQRContents.txt", "the Italian acceptance key", (IT_KEYS,), payload=f"{VALIDATOR}/EUItalyAcceptanceQRUnpacked.txt"),
    Row(f"{VALIDATOR}/EUColombiaContents.txt", "its key is on the demo list", (DEMO,), at="2022-06-01T00:00:00Z", warnings=("DATE_WITH_TIME",)),
    Row(f"{VALIDATOR}/EUUruguayContents.txt", "its key is on no list", (DEMO, PROD), at="2021-12-01T00:00:00Z", code=UNKNOWN, step="trust", warnings=("FLOAT_TIME",)),
    Row(f"{VALIDATOR}/EUUruguayContents.txt", "exp is NaN", (OURS,), at="2021-12-01T00:00:00Z", code="CWT_TIME_INVALID", step="time", warnings=("FLOAT_TIME",), detail="exp"),
    # ddcc-validator: WHO DDCC, and its web front
    Row(f"{GDHCN}/WHOQR1Contents.txt", "a WHO DDCC, its key is on no list", (DEMO, PROD), code=UNKNOWN, step="trust", family="WHO DDCC", warnings=("TIME_ABSENT",)),
    Row(f"{GDHCN}/WHOQR1Contents.txt", "the content of WHOQR1Unpacked", (OURS,), family="WHO DDCC", warnings=("TIME_ABSENT",), payload=f"{GDHCN}/WHOQR1Unpacked.json"),
    Row(f"{GDHCN}/WHOQR1Contents.txt", "two days after valid_until", (OURS,), at="2022-07-10T00:00:00Z", code="CWT_EXPIRED", step="time", family="WHO DDCC"),
    Row(f"{GDHCN}/DEMO-DDCC-QR1.png", "the picture of WHOQR1", (OURS,), family="WHO DDCC", warnings=("TIME_ABSENT",), payload=f"{GDHCN}/WHOQR1Unpacked.json"),
    Row(f"{GDHCN}/web/QRCode*.*", "an EU DCC of Chile, its key is on no list", (DEMO, PROD), at="2022-07-01T00:00:00Z", code=UNKNOWN, step="trust", but=(f"{GDHCN}/web/QRCodeOut.json",)),
    Row(f"{GDHCN}/web/QRCode*.*", "spaces for fillers in its names", (OURS,), at="2022-07-01T00:00:00Z", warnings=("NAME_NOT_TRANSLITERATED", "NAME_NOT_TRANSLITERATED"), but=(f"{GDHCN}/web/QRCodeOut.json",)),
    # payloads alone, called valid
    Row(f"{FIXTURES}/dcc-valid-vs.json", "valid to its makers; the transliterated name is none", (OURS,), at="2023-01-01T00:00:00Z", warnings=("NAME_NOT_TRANSLITERATED", "NAME_NOT_TRANSLITERATED")),
    Row(f"{FIXTURES}/dcc-valid-tr.json", "valid to its makers; the test was positive, of no known disease", (OURS,), at="2023-01-01T00:00:00Z", code="TEST_RESULT_POSITIVE", step="content", warnings=("NAME_NOT_TRANSLITERATED", "NAME_NOT_TRANSLITERATED", "UNKNOWN_CODE", "UNKNOWN_DISEASE")),
    Row(f"{SERVICE}/hcert.json", "a sound payload", (OURS,), payload="#"),
    # dcc-quality-assurance: every verifier should read and verify them
    Row(f"{QA}/**/*.[pP][nN][gG]", "curated, signed with an acceptance key", (DEMO,), "last", but=(*PECULIAR, JORDAN, SWEDEN, f"{QA}/MK/1.3.0/*.png", f"{QA}/TR/1.3.0/TEST.png")),
    *[Row(files, "curated; known for this departure", (DEMO,), "last", warnings=warnings) for files, warnings in PECULIAR.items()],
    *[Row(files, "its key is not on the demo list", (DEMO,), "last", code=UNKNOWN, step="trust") for files in (JORDAN, SWEDEN)],
    Row(f"{QA}/MK/1.3.0/*.png", "RSA of 1024 bits", (DEMO,), "last", code="PUBLIC_KEY_TOO_WEAK", step="trust"),
    Row(f"{QA}/MK/1.3.0/*.png", "RSA of 1024 bits, where the policy allows it", (DEMO,), "last", rsa_bits=1024),
    Row(f"{QA}/TR/1.3.0/TEST.png", "its sample was taken after its own exp", (DEMO,), "last", code="EVENT_IN_FUTURE", step="content"),
]  # fmt: skip

NO_CERTIFICATES = {
    f"{OTHER}/cwa/dcc-holder-comparison.gen.json": "whether two holders are the same person, which nothing here decides",
    f"{OTHER}/cwa/dcc-holder-name-components.gen.json": "names (below)",
    f"{OTHER}/nl-coronacheck-hcert/cert.pem": "a signing certificate, with nothing it signed (below)",
    f"{KDE}/eu-dgc/ea3ab2264f346d45.der": "a signing certificate, with nothing it signed (below)",
    f"{QA}/decoded.tsv": "what the pictures beside it hold (below)",
    f"{UTILS}/**/de_v_rule*.json": "business rules",
    f"{SERVICE}/*rule.json": "business rules",
    f"{SERVICE}/decorator-identity.json": "the keys of a validation service",
    f"{TESTDATA}/jwks_sign*.json": "a signed list of keys, and the key that signed it",
    f"{VALIDATOR}/*FHIR*.json": "what the validator makes of a certificate",
    f"{GDHCN}/*FHIR*.json": "what the validator makes of a certificate",
    f"{GDHCN}/web/QRCodeOut.json": "what the validator makes of a certificate",
}
UNREADABLE = {"wrong_signing_certificate.crt", "512b-dsa-example-cert.pem"}


def files_of(row: Row) -> list[str]:
    others = {path for pattern in row.but for path in found(pattern)}
    return [path for path in found(row.files) if path not in others]


# --- The table ---


def moment(row: Row, path: str, store: hc.TrustStore) -> datetime:
    if row.at == "clock":
        return datetime.fromisoformat(load(path)["TESTCTX"]["VALIDATIONCLOCK"])
    if row.at != "last":
        return datetime.fromisoformat(row.at)
    message = message_in(text_of(path))
    end = cwt.decode_claims(message.payload, max_depth=16).expires_at
    assert end is not None
    kid = message.signer.kid
    assert isinstance(kid, bytes)
    return min([datetime.fromtimestamp(end, UTC), *[key.not_after for key in store.candidates(kid) if key.not_after]])


def examine(row: Row, path: str) -> hc.Report:
    text, store = text_of(path), store_of(row.trust, path)
    if row.trust == (OURS,):
        text = Press(cwt=message_in(text).payload).text()
    families = {"EU DCC", "WHO DDCC"} | ({AUSTRIAN} if path.startswith(EXEMPTIONS) else set())
    policy = hc.Policy(families=frozenset(families), rsa_bits=row.rsa_bits)
    return hc.Verifier(store, policy=policy, clock=hc.FixedClock(moment(row, path, store))).examine(text)


CASES = [pytest.param(row, path, id=f"{path} {row.reason}") for row in TABLE for path in files_of(row)]


@pytest.mark.parametrize(("row", "path"), CASES)
def test_a_sample_is_what_it_is_said_to_be(row: Row, path: str) -> None:
    report = examine(row, path)
    assert (report.code, report.step, report.family) == (row.code, row.step, row.family), report.detail
    outcome = {"OK": "accepted", "TRUST_STORE_EMPTY": "undetermined", "FAMILY_NOT_SUPPORTED": "undetermined"}.get(
        row.code, "refused"
    )
    assert report.outcome == outcome
    assert sorted(w.code for w in report.warnings if w.code not in PER_KEY_LIST) == list(row.warnings)
    assert row.detail in report.detail
    if row.payload:
        name, _, part = row.payload.partition("#")
        expected = load(name or path)
        assert report.certificate is not None
        assert report.certificate.raw == (expected[part] if part else expected)


@pytest.mark.parametrize("path", sorted({path for row in TABLE if row.family for path in files_of(row)}))
def test_a_sample_can_be_looked_into(path: str) -> None:
    inside = hc.inspect_unverified(text_of(path))
    assert inside.problem is None
    names = [layer.name for layer in inside.layers]
    if inside.family == "Dutch domestic pass":
        assert names == [
            "base45 (one number)",
            "zero-knowledge proof (not checked)",
            "disclosed attributes (unverified)",
        ]
    else:
        assert names == ["base45", "zlib", "COSE_Sign1", "CWT"]


def test_every_row_is_about_a_file_and_every_file_has_a_row() -> None:
    assert [row.files for row in TABLE if not files_of(row)] == []
    assert [pattern for pattern in NO_CERTIFICATES if not found(pattern)] == []
    samples = {path for row in TABLE for path in files_of(row)}
    beside = {name.partition("#")[0] for row in TABLE for name in (*row.trust, row.payload)}
    beside |= {path for name in beside if name for path in found(f"{name}/*")}
    left_out = {path for pattern in NO_CERTIFICATES for path in found(pattern)}
    assert samples & left_out == set()
    assert {*found(f"{OTHER}/**/*"), *found(f"{GDHCN}/**/*")} - samples - beside - left_out == set()


# --- What is no certificate, but says something about them ---


def test_what_a_ddcc_says_is_shown_under_its_name() -> None:
    (row,) = [row for row in TABLE if row.files.endswith("WHOQR1Contents.txt") and row.payload]
    said, certificate = load(row.payload), examine(row, row.files).certificate
    assert certificate is not None
    (event,) = certificate.events
    assert isinstance(event, hc.Vaccination)
    shown: dict[str, Any] = {
        "name": certificate.holder.name,
        "birthDate": certificate.holder.birth_date,
        "identifier": certificate.holder.document_number,
        "date": event.date and event.date.isoformat(),
        "dose": event.dose,
        "total_doses": event.series,
        "lot": event.batch,
        "centre": event.centre,
        "hw": event.clinician,
        "pha": event.issuer,
        "hcid": event.certificate_id,
    }
    codings = {
        "sex": certificate.holder.sex,
        "vaccine": event.vaccine,
        "brand": event.product,
        "manufacturer": event.manufacturer,
        "disease": event.disease,
    }
    shown |= {name: {"code": coding.code, "system": coding.system} for name, coding in codings.items() if coding}
    assert shown.items() <= said.items()
    assert event.country == said["country"]["code"]
    assert said.keys() - shown.keys() - event.other.keys() <= {"country", "ma_holder"}


@pytest.mark.parametrize("path", [path for kind in ("der", "crt", "pem") for path in found(f"{OTHER}/**/*.{kind}")])
def test_a_signing_certificate_is_read_unless_its_key_is_none(path: str) -> None:
    store = hc.TrustStore.from_path(ROOT / path)
    assert len(store) == (Path(path).name not in UNREADABLE)
    assert [entry.error.code for entry in store.rejected] == ["CERTIFICATE_UNREADABLE"] * (1 - len(store))
    if path.endswith(".der"):
        assert [key.kid.hex() for key in store] == [Path(path).stem]


@pytest.mark.parametrize("environment", ["prod", "demo", "test"])
def test_every_certificate_of_a_national_list_is_read(environment: str) -> None:
    path = f"trust-lists/covpass/{environment}/dsc-list.json"
    entries = dsc_list(path)
    store = hc.TrustStore.from_certificates([base64.b64decode(entry["rawData"]) for entry in entries])
    assert store.rejected == []
    assert {base64.b64decode(entry["kid"]) for entry in entries} == {key.kid for key in store}


def test_letters_beyond_ascii_are_spelled_as_corona_warn_app_compares_them() -> None:
    table = load(f"{OTHER}/cwa/dcc-holder-name-components.gen.json")["data"]
    spelled = [row for row in table if not row["actName"].isascii()]
    assert spelled
    for row in spelled:
        assert [transliterate(part) for part in row["actName"].split("<")] == row["expNameComponents"]
