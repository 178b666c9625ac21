"""Seals of Australia and ICAO, and the authorities of the states that made some, as others publish them."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

import healthcert as hc
from healthcert.errors import Code, Step
from healthcert.families.vds_nc.content import read_seal
from healthcert.families.vds_nc.family import VDS_NC
from healthcert.limits import DEFAULT_LIMITS
from healthcert.lists.x509 import Certificate, parse_certificate
from healthcert.model import EntryType, TestResult, Vaccination
from healthcert.trust.keys import Assurance
from healthcert.trust.update import Feed
from tests.support_seals import SEALS, STRICT

AT_THE_TIME = datetime(2021, 10, 15, tzinfo=UTC)
ICAO = frozenset({"ICAO"})
AUSTRALIA, JAPAN = "3617c1e7f56795712e3775708e55833186e9380e", "6ab4f29282bd9647f6ff2a02f7944d749e978463"


@pytest.fixture(scope="module")
def folder(interop: Path) -> Path:
    found = interop / "vds-nc"
    if not found.is_dir():
        pytest.skip("no vds-nc in the third-party test data")
    return found


@pytest.fixture(scope="module")
def australian(folder: Path) -> str:
    return (folder / "ddcc-validator/ICAOAUQR1Contents.txt").read_text("utf-8")


@pytest.fixture(scope="module")
def utopian(folder: Path) -> str:
    return (folder / "khealthcertificate/icao/single-vaccine.txt").read_text("utf-8")


def authorities(folder: Path, *states: str) -> hc.TrustStore:
    store = hc.TrustStore()
    for state in states:
        assert store.add_path(folder / "khealthcertificate/certs" / state, domain="ICAO")
    return store


def examine(text: str, trust: hc.TrustStore, at: datetime = AT_THE_TIME, policy: hc.Policy = STRICT) -> hc.Report:
    return hc.Verifier(trust, policy=policy, clock=hc.FixedClock(at)).examine(text)


def parsed(folder: Path, name: str) -> Certificate:
    return parse_certificate((folder / "khealthcertificate/certs" / name).read_bytes())


def test_australias_seal_is_accepted_under_its_authority(folder: Path, australian: str) -> None:
    report = examine(australian, authorities(folder, AUSTRALIA, JAPAN))
    assert (report.outcome, report.detail, report.warnings) == ("accepted", "", ())
    assert (report.certificate, report.key) != (None, None)
    assert report.certificate is not None
    assert report.key is not None
    (event,) = report.certificate.events
    assert isinstance(event, Vaccination)
    assert (event.dose, event.country, report.certificate.issuer) == (1, "AU", "AU")
    assert (event.vaccine and event.vaccine.code, event.disease and event.disease.code) == ("XM68M6", "RA01.0")
    assert (report.key.country, report.key.usages) == ("AU", frozenset({EntryType.VACCINATION}))
    assert [(one.role, one.subject) for one in report.key.chain] == [("CSCA", "Passport Country Signing Authority")]


def test_a_picture_of_it_holds_the_same(folder: Path, australian: str) -> None:
    (text,) = hc.read_barcodes(folder / "ddcc-validator/PROD-ICAO-Australia.png")
    report = examine(text, authorities(folder, AUSTRALIA), policy=SEALS)
    assert (report.outcome, report.step) == ("accepted", None)


@pytest.mark.parametrize("name", ["16f2.der", "16f5.der"])
def test_each_certificate_of_the_authority_vouches(folder: Path, australian: str, name: str) -> None:
    trust = hc.TrustStore.from_path(folder / "khealthcertificate/certs" / AUSTRALIA / name)
    assert examine(australian, trust).outcome == "accepted"


@pytest.mark.parametrize(
    ("at", "code"),
    [
        (datetime(2021, 8, 1, tzinfo=UTC), Code.PUBLIC_KEY_NOT_YET_VALID),
        (datetime(2031, 9, 29, tzinfo=UTC), Code.OK),
        (datetime(2031, 10, 1, tzinfo=UTC), Code.PUBLIC_KEY_EXPIRED),
    ],
)
def test_it_holds_for_as_long_as_its_signer(folder: Path, australian: str, at: datetime, code: Code) -> None:
    assert examine(australian, authorities(folder, AUSTRALIA), at).code == code


def test_without_its_authority_it_is_not_believed(folder: Path, australian: str) -> None:
    report = examine(australian, authorities(folder, JAPAN))
    assert (report.outcome, report.code, report.step) == ("refused", Code.KEY_NOT_IN_TRUST_LIST, Step.TRUST)
    assert examine(australian, hc.TrustStore()).code == Code.TRUST_STORE_EMPTY


@pytest.mark.parametrize(
    ("before", "after"), [("1961-05-15", "1961-05-16"), ('"seq":1', '"seq":2'), ('"F"', '"M"'), ("300157P", "300157Q")]
)
def test_a_change_breaks_it(folder: Path, australian: str, before: str, after: str) -> None:
    assert before in australian
    report = examine(australian.replace(before, after), authorities(folder, AUSTRALIA))
    assert (report.code, report.step) == (Code.SIGNATURE_INVALID, Step.SIGNATURE)


def test_it_is_not_another_states_seal(folder: Path, australian: str) -> None:
    report = examine(australian.replace('"is":"AUS"', '"is":"NZL"'), authorities(folder, AUSTRALIA))
    assert (report.code, report.step) == (Code.KEY_NOT_CHAINED, Step.TRUST)


def test_icaos_sample_is_for_those_who_pin_its_signer(folder: Path, utopian: str) -> None:
    """It is of Utopia and its signer, without any extension, of an authority that nobody has."""
    certificate = base64.urlsafe_b64decode(json.loads(utopian)["sig"]["cer"])
    trust = hc.TrustStore.from_certificates(certificate, domain="ICAO")
    report = examine(utopian, trust)
    assert (report.outcome, report.detail, report.warnings) == ("accepted", "", ())
    assert report.certificate is not None
    (event,) = report.certificate.events
    assert isinstance(event, Vaccination)
    assert (event.dose, event.country, event.other) == (1, "AU", {"dvn": "2021-03-24"})
    refused = examine(utopian, authorities(folder, AUSTRALIA, JAPAN))
    assert (refused.code, refused.step) == (Code.KEY_NOT_IN_TRUST_LIST, Step.TRUST)
    assert examine(utopian, trust, datetime(2026, 4, 1, tzinfo=UTC)).code == Code.PUBLIC_KEY_EXPIRED


def test_japans_authority_is_one(folder: Path) -> None:
    """A certificate that it signed itself, and one under its key of before, by RSASSA-PSS."""
    e3, e5 = parsed(folder, f"{JAPAN}/e3.der"), parsed(folder, f"{JAPAN}/e5.der")
    assert e3.problem_with_issuer(e3) is None
    assert (e3.spki, e3.subject) == (e5.spki, e5.subject)
    assert e5.problem_with_issuer(e3) == "the authority key identifier is another key's"
    found = authorities(folder, JAPAN).authorities(domains=ICAO).by_name
    assert {one.certificate.der for one in found[e3.subject]} == {e3.der, e5.der}


def test_australias_authority_is_one(folder: Path) -> None:
    f2, f5 = parsed(folder, f"{AUSTRALIA}/16f2.der"), parsed(folder, f"{AUSTRALIA}/16f5.der")
    assert f2.problem_with_issuer(f2) is None
    assert (f2.spki, f5.problem_with_issuer(f2)) == (f5.spki, "the authority key identifier is another key's")
    assert set(authorities(folder, AUSTRALIA).authorities(domains=ICAO).by_name) == {f2.subject}


def test_the_registry_of_signers_is_for_those_who_take_it_as_it_is(folder: Path, australian: str) -> None:
    """Nothing signs it, so only a policy that says so believes the authorities in it."""
    trust = hc.TrustStore()
    feed = Feed(name="registry", format="pathcheck")
    parts = {"list": (folder / "pathcheck/ICAO_health_latest.json").read_bytes()}
    hc.install_list(trust, feed, parts, clock=hc.FixedClock(AT_THE_TIME))
    assert {"AU", "JP"} <= {one.country for one in trust.state.lists["registry"].details.authorities}
    report = examine(australian, trust)
    assert (report.outcome, report.code) == ("refused", Code.KEY_ASSURANCE_TOO_LOW)
    trusting = hc.Policy(families=SEALS.families, assurances=frozenset(Assurance))
    assert examine(australian, trust, policy=trusting).outcome == "accepted"
    # Japan's is the one that it also has by itself.
    japanese = {one.certificate.der for several in trust.authorities(domains=ICAO).by_name.values() for one in several}
    assert (folder / "khealthcertificate/certs" / JAPAN / "e3.der").read_bytes() in japanese


def test_whos_examples_read_without_a_departure(folder: Path) -> None:
    for name, kind, count in (("vaccination", Vaccination, 2), ("testing", TestResult, 1)):
        example = json.loads((folder / f"who-ddcc-fixtures/{name}_example.json").read_text("utf-8"))
        certificate, findings = read_seal(example["data"])
        assert findings == ()
        assert [type(event) for event in certificate.events] == [kind] * count
        # What stands for the certificate and the signature there is cut off.
        with pytest.raises(hc.DecodeError) as caught:
            VDS_NC.decode(json.dumps(example), DEFAULT_LIMITS)
        assert caught.value.code is Code.JSON_DESERIALIZATION_FAILED
