"""Visible digital seals: what is read, what is refused, and in which step."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

import healthcert as hc
from healthcert.codings import ICD_11
from healthcert.encoding.algorithms import Algorithm
from healthcert.encoding.jcs import canonical
from healthcert.errors import Code, DecodeError, Step, VerificationError
from healthcert.families.vds_nc.content import read_seal
from healthcert.families.vds_nc.family import VDS_NC
from healthcert.limits import DEFAULT_LIMITS
from healthcert.model import Coding, Holder, TestResult, Vaccination
from tests.support import NOW
from tests.support_seals import STRICT, TESTED, VACCINATED, barcode_signer, base64url, changed, examine, seal

SIGNATURE = base64.urlsafe_b64decode(json.loads(seal())["sig"]["sigvl"])


def read(data: dict[str, Any]) -> tuple[hc.HealthCertificate, list[Code]]:
    certificate, findings = read_seal(data)
    assert {finding.step for finding in findings} <= {Step.CONTENT}
    return certificate, [finding.code for finding in findings]


def refusal(data: Any) -> str:
    with pytest.raises(VerificationError) as caught:
        read_seal(data)
    assert (caught.value.code, caught.value.step) == (Code.SCHEMA_VALIDATION_FAILED, Step.CONTENT)
    return caught.value.detail


def undecodable(text: str) -> Code:
    with pytest.raises(DecodeError) as caught:
        VDS_NC.decode(text, DEFAULT_LIMITS)
    assert caught.value.step is Step.DECODE
    return caught.value.code


# --- The way a seal takes ---


def test_a_proof_of_vaccination_is_accepted() -> None:
    report = examine(seal())
    assert (report.outcome, report.code, report.family, report.warnings) == ("accepted", "OK", "ICAO VDS-NC", ())
    certificate = report.certificate
    assert certificate is not None
    assert certificate.holder == Holder(
        full_name="EXEMPLAIRE  ZOE",
        birth_date="1984-02-29",
        sex=Coding("", "F"),
        document_number="X1234567",
        other={"ai": "L4567890Z"},
    )
    first = Vaccination(
        disease=Coding(ICD_11, "RA01.0"),
        vaccine=Coding(ICD_11, "XM68M6"),
        product=Coding("", "Comirnaty"),
        dose=1,
        date=date(2021, 5, 1),
        country="FR",
        certificate_id="FR0000000001",
        batch="L1",
        centre="Centre A",
        other={"dvn": "2021-05-29"},
    )
    assert certificate.events[0] == first
    second = certificate.events[1]
    assert isinstance(second, Vaccination)
    assert (second.dose, second.date, second.country, second.other) == (2, date(2021, 5, 29), "DE", {})
    assert (certificate.issuer, certificate.identifiers, certificate.version) == ("FR", ("FR0000000001",), "1")
    assert (certificate.issued_at, certificate.expires_at) == (None, None)
    assert certificate.raw == VACCINATED


def test_a_proof_of_testing_is_accepted() -> None:
    report = examine(seal(TESTED))
    assert (report.outcome, report.warnings) == ("accepted", ())
    certificate = report.certificate
    assert certificate is not None
    assert certificate.holder.document_number == "X1234567"
    assert certificate.holder.other == {"dt": "P"}
    noon = datetime(2021, 8, 19, 12, tzinfo=timezone(timedelta(hours=2)))
    assert certificate.events == (
        TestResult(
            test_type=Coding("", "molecular(PCR)"),
            sampled_at=noon,
            result=Coding("", "negative"),
            centre="Laboratoire A",
            country="FR",
            certificate_id="FR0000000002",
            resulted_at=noon + timedelta(hours=6),
            other={"opt": "ID12345", "cd": TESTED["msg"]["sp"]["cd"], "m": "saliva"},
        ),
    )
    assert certificate.identifiers == ("FR0000000002",)


@pytest.mark.parametrize(
    ("result", "code"),
    [
        ("positive", Code.TEST_RESULT_POSITIVE),
        ("abnormal", Code.TEST_RESULT_UNKNOWN),
        ("normal", Code.TEST_RESULT_UNKNOWN),
        ("not negative", Code.TEST_RESULT_UNKNOWN),
    ],
)
def test_only_a_negative_result_is_good(result: str, code: Code) -> None:
    report = examine(seal(changed(TESTED, "msg.tr.r", result)))
    assert (report.outcome, report.code, report.step) == ("refused", code, Step.CONTENT)


@pytest.mark.parametrize(
    "write",
    [
        lambda value: json.dumps(value, indent=2),
        lambda value: json.dumps([value]),
        lambda value: canonical(value).decode(),
        lambda value: "\n" + json.dumps(dict(reversed(value.items()))) + "\r\n",
    ],
    ids=["indented", "array of one", "canonical", "other order"],
)
def test_the_canonical_form_is_what_is_signed(write: Any) -> None:
    text = seal(changed(VACCINATED, "msg.pid.n", "MÜLLER  ZOÉ \U0001f600"), write=write)
    assert examine(text).outcome == "accepted"


@pytest.mark.parametrize(
    "path",
    ["msg.pid.n", "msg.uvci", "hdr.is", "msg.ve.0.vd.0.dvc", "msg.pid.new"],
)
def test_every_signed_member_counts(path: str) -> None:
    sealed = json.loads(seal())
    sealed["data"] = changed(sealed["data"], path, "FRA" if path != "hdr.is" else "UTO")
    report = examine(json.dumps(sealed))
    assert report.outcome == "refused"
    assert report.certificate is None
    assert report.step in (Step.SIGNATURE, Step.TRUST)


def test_a_seal_may_be_known_by_its_certificate() -> None:
    decoded = VDS_NC.decode(seal(), DEFAULT_LIMITS)
    der = barcode_signer().certificate_der()
    assert (decoded.certificate, decoded.kid) == (der, hashlib.sha256(der).digest()[:8])
    assert (decoded.claims.issuer, decoded.issuer, decoded.needs) == ("FRA", None, frozenset())
    assert (decoded.domains, decoded.signed) == (frozenset({"ICAO"}), canonical(VACCINATED))


def test_layers_are_shown_from_the_outside_in() -> None:
    layers = list(VDS_NC.layers(seal(), DEFAULT_LIMITS))
    assert [layer.name for layer in layers] == ["JSON", "canonical JSON"]
    assert layers[0].content["sig"]["alg"] == "ES256"
    assert layers[1].content == VACCINATED
    assert layers[1].size == len(canonical(VACCINATED))


# --- Form ---


@pytest.mark.parametrize(
    ("text", "ours"),
    [
        (seal(), True),
        (json.dumps([json.loads(seal())]), True),
        (json.dumps([json.loads(seal())] * 2), False),
        ('{"data": {"hdr": {"t": "icao.crew"}}, "sig": {}}', True),
        ('{"data": {"hdr": {"t": "ICAO.vacc"}}, "sig": {}}', False),
        ('{"note": "icao.vacc"}', False),
        ('{"data": "icao.vacc", "sig": {}}', False),
        ("HC1:icao.vacc", False),
        ("icao.vacc", False),
        ("", False),
    ],
)
def test_recognised_by_structure(text: str, ours: bool) -> None:
    assert VDS_NC.recognises(text) is ours


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (seal(changed(VACCINATED, "hdr.t", "icao.crew")), Code.FAMILY_NOT_SUPPORTED),
        (seal(changed(VACCINATED, "hdr.v", 2)), Code.UNSUPPORTED_VERSION),
        (seal(changed(VACCINATED, "hdr.v", "1")), Code.UNSUPPORTED_VERSION),
        (seal(changed(VACCINATED, "hdr.v", True)), Code.UNSUPPORTED_VERSION),
        (seal(changed(VACCINATED, "hdr.v", ...)), Code.UNSUPPORTED_VERSION),
        (seal(changed(VACCINATED, "hdr.t", 1)), Code.JSON_DESERIALIZATION_FAILED),
        (seal(changed(VACCINATED, "hdr", "icao.vacc")), Code.JSON_DESERIALIZATION_FAILED),
        (seal(["icao.vacc"]), Code.JSON_DESERIALIZATION_FAILED),
        (seal(cer=...), Code.JSON_DESERIALIZATION_FAILED),
        (seal(cer=""), Code.JSON_DESERIALIZATION_FAILED),
        (seal(cer=7), Code.JSON_DESERIALIZATION_FAILED),
        (seal(cer="no base64!"), Code.JSON_DESERIALIZATION_FAILED),
        (seal(sigvl=...), Code.JSON_DESERIALIZATION_FAILED),
        (seal(sigvl=["AAAA"]), Code.JSON_DESERIALIZATION_FAILED),
        (json.dumps({"data": VACCINATED, "sig": "AAAA"}), Code.JSON_DESERIALIZATION_FAILED),
        (json.dumps([json.loads(seal())] * 2), Code.JSON_DESERIALIZATION_FAILED),
        (seal()[:-1], Code.JSON_DESERIALIZATION_FAILED),
        (seal() + "{}", Code.JSON_DESERIALIZATION_FAILED),
        ("\ufeff" + seal(), Code.JSON_DESERIALIZATION_FAILED),
        (seal().replace('"uvci":', '"uvci": "A", "uvci":'), Code.JSON_DESERIALIZATION_FAILED),
        (seal().replace('"v": 1', '"v": 1, "x": NaN'), Code.JSON_DESERIALIZATION_FAILED),
        (seal().replace('"v": 1', '"v": 1, "x": 1e999'), Code.JSON_DESERIALIZATION_FAILED),
        (seal().replace('"v": 1', '"v": 1, "x": "\\ud800"'), Code.JSON_DESERIALIZATION_FAILED),
        (seal().replace('"v": 1', '"v": 1, "x": ' + "[" * 40 + "]" * 40), Code.JSON_DESERIALIZATION_FAILED),
    ],
)  # fmt: skip
def test_what_cannot_be_taken_apart_is_refused(text: str, code: Code) -> None:
    assert undecodable(text) is code


def test_another_kind_of_seal_is_told_apart_from_a_bad_one() -> None:
    report = examine(seal(changed(VACCINATED, "hdr.t", "icao.crew")))
    assert (report.outcome, report.code) == ("undetermined", Code.FAMILY_NOT_SUPPORTED)


def test_a_version_that_is_written_as_a_fraction_is_the_same_number() -> None:
    """RFC 8785 §3.2.2.3: the canonical form of 1.0 is 1, so the seal is the one that was signed."""
    assert examine(seal().replace('"v": 1', '"v": 1.0')).outcome == "accepted"


# --- Signatures and algorithms ---


@pytest.mark.parametrize(
    "spelling",
    [
        lambda raw: base64.urlsafe_b64encode(raw).decode(),
        lambda raw: base64.urlsafe_b64encode(raw).decode().rstrip("="),
    ],
    ids=["padded", "bare"],
)
def test_a_signature_is_read_in_base64url(spelling: Any) -> None:
    text = seal()
    again = json.loads(text)
    again["sig"]["sigvl"] = spelling(base64.urlsafe_b64decode(again["sig"]["sigvl"]))
    assert examine(json.dumps(again)).outcome == "accepted"


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text[:-1],
        lambda text: text + "=",
        lambda text: text.rstrip("=") + "\n",
        lambda text: " " + text,
        # Two of the bits of the last character are left over.
        lambda text: text[:-3] + chr(ord(text[-3]) + 1) + "==",
    ],
    ids=["half padded", "padded twice", "line end", "space", "bits left over"],
)
def test_a_signature_has_one_spelling(change: Any) -> None:
    text = json.loads(seal())
    given = text["sig"]["sigvl"]
    assert given.endswith("==")
    text["sig"]["sigvl"] = change(given)
    assert undecodable(json.dumps(text)) is Code.JSON_DESERIALIZATION_FAILED


def test_plain_base64_is_for_certificates_alone() -> None:
    der = b"\x30" + b"\xfb\xff" * 40
    standard, url = base64.b64encode(der).decode(), base64.urlsafe_b64encode(der).decode()
    assert standard != url
    for spelling in (standard, url, standard.rstrip("="), url.rstrip("=")):
        assert VDS_NC.decode(seal(cer=spelling), DEFAULT_LIMITS).certificate == der
    assert undecodable(seal(cer=standard[:20] + url[20:])) is Code.JSON_DESERIALIZATION_FAILED
    assert undecodable(seal(sigvl=standard)) is Code.JSON_DESERIALIZATION_FAILED


def test_a_signature_in_der_is_none() -> None:
    """ICAO VDS-NC: raw r and s, one after the other."""
    r, s = int.from_bytes(SIGNATURE[:32]), int.from_bytes(SIGNATURE[32:])
    assert decode_dss_signature(encode_dss_signature(r, s)) == (r, s)
    report = examine(seal(sigvl=base64url(encode_dss_signature(r, s))))
    assert (report.outcome, report.code, report.step) == ("refused", Code.SIGNATURE_INVALID, Step.SIGNATURE)


@pytest.mark.parametrize("alg", ["ES256K", "PS256", "EdDSA", "none", "HS256", "", "es256", None, 7, "x" * 100, ...])
def test_other_algorithms_are_not_accepted(alg: Any) -> None:
    report = examine(seal(alg=alg))
    assert (report.outcome, report.code, report.step) == ("refused", Code.ALGORITHM_NOT_ACCEPTED, Step.SIGNATURE)
    assert "x" * 17 not in report.detail


@pytest.mark.parametrize("alg", ["ES384", "ES512"])
def test_the_algorithm_has_to_fit_the_key(alg: str) -> None:
    report = examine(seal(alg=alg))
    assert (report.code, report.step) == (Code.UNSUITABLE_PUBLIC_KEY_TYPE, Step.SIGNATURE)


@pytest.mark.parametrize(("curve", "name"), [(ec.SECP384R1(), "ES384"), (ec.SECP521R1(), "ES512")])
def test_larger_curves_are_read(curve: ec.EllipticCurve, name: str) -> None:
    key = ec.generate_private_key(curve)
    signed = Algorithm[name].sign(key, canonical(VACCINATED))
    decoded = VDS_NC.decode(seal(alg=name, sigvl=base64url(signed)), DEFAULT_LIMITS)
    assert decoded.algorithm is Algorithm[name]
    assert decoded.algorithm in decoded.algorithms
    assert decoded.algorithm.verify(key.public_key(), decoded.signature, decoded.signed)


def test_what_is_not_signed_is_reported_and_not_looked_at() -> None:
    sealed = json.loads(seal())
    for changed_seal in (sealed | {"more": 1}, sealed | {"sig": sealed["sig"] | {"kid": "x"}}):
        report = examine(json.dumps(changed_seal))
        assert (report.outcome, [found.code for found in report.warnings]) == ("accepted", [Code.FIELD_UNEXPECTED])
        strict = examine(json.dumps(changed_seal), policy=STRICT)
        assert (strict.outcome, strict.code) == ("refused", Code.FIELD_UNEXPECTED)


@pytest.mark.parametrize("issuer", [..., 7, "", "FR", "fra", "FRAN", "FR\n", None])
def test_the_state_that_issues_has_its_code(issuer: Any) -> None:
    report = examine(seal(changed(VACCINATED, "hdr.is", issuer)))
    assert (report.outcome, report.code, report.step) == ("refused", Code.ISSUER_INVALID, Step.TRUST)


# --- Content ---


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        ("msg", ..., "data.msg"),
        ("msg.pid", ..., "data.msg.pid"),
        ("msg.pid", [], "data.msg.pid"),
        ("msg.pid.n", ..., "data.msg.pid.n"),
        ("msg.pid.n", "  ", "data.msg.pid.n"),
        ("msg.pid.n", ["X"], "data.msg.pid.n"),
        ("msg.pid.n", "X" * 1001, "data.msg.pid.n"),
        ("msg.pid.dob", "29.02.1984", "data.msg.pid.dob"),
        ("msg.pid.dob", "1983-02-29", "data.msg.pid.dob"),
        ("msg.pid.dob", "1984-13", "data.msg.pid.dob"),
        ("msg.pid.dob", "1984-0029", "data.msg.pid.dob"),
        ("msg.pid.sex", 1, "data.msg.pid.sex"),
        ("msg.uvci", 5, "data.msg.uvci"),
        ("msg.ve", ..., "data.msg.ve"),
        ("msg.ve", [], "data.msg.ve"),
        ("msg.ve", {"des": "XM68M6"}, "data.msg.ve"),
        ("msg.ve", ["XM68M6"], "data.msg.ve[0]"),
        ("msg.ve.0.des", ..., "data.msg.ve[0].des"),
        ("msg.ve.0.nam", 5, "data.msg.ve[0].nam"),
        ("msg.ve.0.vd", [], "data.msg.ve[0].vd"),
        ("msg.ve.0.vd.1.dvc", ..., "data.msg.ve[0].vd[1].dvc"),
        ("msg.ve.0.vd.1.dvc", "2021-05", "data.msg.ve[0].vd[1].dvc"),
        ("msg.ve.0.vd.1.dvc", "20210529", "data.msg.ve[0].vd[1].dvc"),
        ("msg.ve.0.vd.1.dvc", "2021-02-30", "data.msg.ve[0].vd[1].dvc"),
        ("msg.ve.0.vd.1.seq", True, "data.msg.ve[0].vd[1].seq"),
        ("msg.ve.0.vd.1.seq", 1.5, "data.msg.ve[0].vd[1].seq"),
        ("msg.ve.0.vd.1.ctr", 250, "data.msg.ve[0].vd[1].ctr"),
    ],
)
def test_vaccinations_that_say_too_little_are_refused(path: str, value: Any, field: str) -> None:
    detail = refusal(changed(VACCINATED, path, value))
    assert detail.startswith(f"{field}: ")
    report = examine(seal(changed(VACCINATED, path, value)))
    assert (report.outcome, report.code, report.step) == ("refused", Code.SCHEMA_VALIDATION_FAILED, Step.CONTENT)


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        ("msg.pid.n", ..., "data.msg.pid.n"),
        ("msg.dat", ..., "data.msg.dat"),
        ("msg.dat.sc", ..., "data.msg.dat.sc"),
        ("msg.dat.sc", "yesterday", "data.msg.dat.sc"),
        ("msg.dat.sc", "2021-02-30T10:00:00Z", "data.msg.dat.sc"),
        ("msg.dat.ri", 5, "data.msg.dat.ri"),
        ("msg.tr", ..., "data.msg.tr"),
        ("msg.tr.r", ..., "data.msg.tr.r"),
        ("msg.tr.r", False, "data.msg.tr.r"),
        ("msg.sp", "Laboratoire", "data.msg.sp"),
        ("msg.sp.cd", "phone", "data.msg.sp.cd"),
    ],
)
def test_tests_that_say_too_little_are_refused(path: str, value: Any, field: str) -> None:
    assert refusal(changed(TESTED, path, value)).startswith(f"{field}: ")


@pytest.mark.parametrize(
    ("data", "path", "value", "code"),
    [
        (VACCINATED, "msg.uvci", ..., Code.FIELD_MISSING),
        (VACCINATED, "msg.uvci", "X" * 13, Code.TEXT_TOO_LONG),
        (VACCINATED, "msg.pid.n", "X" * 40, Code.TEXT_TOO_LONG),
        (VACCINATED, "msg.pid.i", None, Code.NULL_FIELD),
        (VACCINATED, "msg.pid.nat", "FRA", Code.FIELD_UNEXPECTED),
        (VACCINATED, "msg.more", {}, Code.FIELD_UNEXPECTED),
        (VACCINATED, "hdr.more", 1, Code.FIELD_UNEXPECTED),
        (VACCINATED, "more", 1, Code.FIELD_UNEXPECTED),
        (VACCINATED, "msg.ve.0.nam", ..., Code.FIELD_MISSING),
        (VACCINATED, "msg.ve.0.nam", "", Code.FIELD_MISSING),
        (VACCINATED, "msg.ve.0.vd.0.lot", ..., Code.FIELD_MISSING),
        (VACCINATED, "msg.ve.0.vd.0.seq", ..., Code.FIELD_MISSING),
        (VACCINATED, "msg.ve.0.vd.0.ctr", ..., Code.FIELD_MISSING),
        (VACCINATED, "msg.ve.0.vd.0.ctr", "FR", Code.UNKNOWN_CODE),
        (VACCINATED, "msg.ve.0.vd.0.seq", 0, Code.DOSE_OUT_OF_RANGE),
        (VACCINATED, "msg.ve.0.vd.0.seq", "booster", Code.DOSE_OUT_OF_RANGE),
        (VACCINATED, "msg.ve.0.vd.0.dvc", "2021-05-01T10:00:00Z", Code.DATE_WITH_TIME),
        (VACCINATED, "msg.pid.dob", "1984-00-00", Code.BIRTH_DATE_PADDED),
        (TESTED, "msg.utci", ..., Code.FIELD_MISSING),
        (TESTED, "msg.pid.dob", ..., Code.FIELD_MISSING),
        (TESTED, "msg.pid.dn", ..., Code.FIELD_MISSING),
        (TESTED, "msg.pid.dt", ..., Code.FIELD_MISSING),
        (TESTED, "msg.sp.cd", ..., Code.FIELD_MISSING),
        (TESTED, "msg.sp.cd.p", ..., Code.FIELD_MISSING),
        (TESTED, "msg.dat.ri", ..., Code.FIELD_MISSING),
        (TESTED, "msg.dat.ri", "2021-08-19T18:00:00", Code.TIME_WITHOUT_ZONE),
        (TESTED, "msg.tr.tc", ..., Code.FIELD_MISSING),
        (TESTED, "msg.tr.more", 1, Code.FIELD_UNEXPECTED),
        (TESTED, "msg.opt", "X" * 21, Code.TEXT_TOO_LONG),
    ],
)
def test_departures_are_warnings(data: dict[str, Any], path: str, value: Any, code: Code) -> None:
    wrong = changed(data, path, value)
    certificate, codes = read(wrong)
    assert set(codes) == {code}
    assert certificate.raw == wrong
    report = examine(seal(wrong))
    assert (report.outcome, {found.code for found in report.warnings}) == ("accepted", {code})
    assert examine(seal(wrong), policy=STRICT).code == code


def test_what_a_seal_does_not_say_stays_unknown() -> None:
    bare = {
        "hdr": {"t": "icao.vacc", "v": 1, "is": "FRA"},
        "msg": {"uvci": "A", "pid": {"n": "X", "i": "Y"}, "ve": [{"des": "XM68M6", "nam": "N", "vd": [
            {"dvc": "2021-05-01", "seq": 1, "ctr": "FRA", "lot": "L"}]}]},
    }  # fmt: skip
    certificate, codes = read(bare)
    assert codes == []
    assert certificate.holder == Holder(full_name="X", document_number="Y")
    (event,) = certificate.events
    assert isinstance(event, Vaccination)
    assert (event.disease, event.centre, event.series, event.manufacturer, event.other) == (None, None, None, None, {})


def test_a_holder_is_told_by_birth_or_document() -> None:
    without = changed(changed(VACCINATED, "msg.pid.dob", ...), "msg.pid.i", ...)
    assert refusal(without) == "data.msg.pid: neither dob nor i"
    assert read(changed(VACCINATED, "msg.pid.dob", ...))[0].holder.birth_date == ""


@pytest.mark.parametrize(
    ("written", "known"),
    [
        ("1984", "1984"),
        ("1984-02", "1984-02"),
        ("1984-02-XX", "1984-02"),
        ("1984-XX-XX", "1984"),
        ("1984-<<-<<", "1984"),
    ],
)
def test_birth_dates_are_known_in_part(written: str, known: str) -> None:
    assert read(changed(VACCINATED, "msg.pid.dob", written))[0].holder.birth_date == known


@pytest.mark.parametrize(
    ("written", "dose"),
    [(1, 1), ("1", 1), ("02", 2), (2.0, 2), (99, 99), (100, None), (-1, None), ("1a", None), ("1" * 500, None)],
)
def test_doses_are_numbers_or_texts(written: Any, dose: int | None) -> None:
    certificate, codes = read(changed(VACCINATED, "msg.ve.0.vd.0.seq", written))
    (event, _) = certificate.events
    assert isinstance(event, Vaccination)
    assert event.dose == dose
    assert codes == ([] if dose else [Code.DOSE_OUT_OF_RANGE])
    assert event.other.get("seq") == (None if dose else written)


def test_a_sample_without_a_zone_is_known_by_its_day() -> None:
    certificate, codes = read(changed(TESTED, "msg.dat.sc", "2021-08-19T12:00:00"))
    (event,) = certificate.events
    assert isinstance(event, TestResult)
    assert (event.sampled_at, event.sampled_on, codes) == (None, date(2021, 8, 19), [Code.TIME_WITHOUT_ZONE])


def test_what_is_unknown_is_kept() -> None:
    certificate, _ = read(changed(changed(VACCINATED, "msg.more", [1]), "msg.pid.nat", "FRA"))
    assert certificate.other == {"more": [1]}
    assert certificate.holder.other == {"ai": "L4567890Z", "nat": "FRA"}


def test_countries_that_are_unknown_stay_as_they_are() -> None:
    certificate, codes = read(changed(changed(VACCINATED, "hdr.is", "XYZ"), "msg.ve.0.vd.0.ctr", "UTO"))
    assert (certificate.issuer, certificate.events[0].country, codes) == ("XYZ", "UT", [])


def test_a_vaccination_to_come_is_refused() -> None:
    report = examine(seal(changed(VACCINATED, "msg.ve.0.vd.1.dvc", "2021-09-20")))
    assert (report.code, report.step) == (Code.EVENT_IN_FUTURE, Step.CONTENT)


def test_errors_and_findings_hold_no_personal_data() -> None:
    secret = "GEHEIM"
    for path in ("msg.pid.n", "msg.pid.i", "msg.uvci", "msg.ve.0.vd.0.lot", "msg.ve.0.vd.0.ctr"):
        _, findings = read_seal(changed(VACCINATED, path, secret * 10))
        assert findings
        assert not any(secret in finding.detail for finding in findings)
    assert secret not in refusal(changed(VACCINATED, "msg.pid.dob", secret))
    _, findings = read_seal(changed(VACCINATED, f"msg.pid.{secret}", 1))
    assert secret not in findings[0].detail


def test_a_seal_ends_with_its_signer() -> None:
    assert examine(seal(), at=datetime(2023, 7, 30, tzinfo=UTC)).outcome == "accepted"
    report = examine(seal(), at=datetime(2023, 8, 20, tzinfo=UTC))
    assert (report.outcome, report.code, report.step) == ("refused", Code.PUBLIC_KEY_EXPIRED, Step.TIME)
    assert examine(seal(), at=NOW - timedelta(days=21)).code == Code.PUBLIC_KEY_NOT_YET_VALID
