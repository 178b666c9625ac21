"""Passes for Google's wallet: what the tokens say, and that others verify them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from joserfc import jwt
from joserfc.errors import BadSignatureError
from joserfc.jwk import RSAKey

import healthcert as hc
from healthcert.document.passes.covid import covid_card
from healthcert.document.passes.google import SAFE_LINK, ServiceAccount, google_pass
from healthcert.errors import Code, DocumentError
from healthcert.model import Coding, HealthCertificate, Scan
from tests.issuing import CASES
from tests.support import CLOCK, EVENTS, HOLDER, NOW
from tests.unit.document import pass_world as world

ISSUER = "3388000000012345678"
CLASS = f"{ISSUER}.certificate"


def claims(token: str) -> dict[str, Any]:
    """What a token says, verified by another library."""
    found = jwt.decode(token, RSAKey.import_key(world.pem(world.rsa_key())), algorithms=["RS256"])
    assert found.header == {"alg": "RS256", "typ": "JWT", "kid": "key-1"}
    return found.claims


def card(event: hc.Event) -> dict[str, Any]:
    link = covid_card(certificate(event), world.sheet("en"), world.text(), world.account(), issuer_id=ISSUER)
    found = claims(link.token)
    assert found["typ"] == "savetogooglepay"
    [[kind, [only]]] = found["payload"].items()
    assert kind == "covidCardObjects"
    assert only["barcode"]["value"] == world.text()
    return dict(only)


def certificate(*events: hc.Event) -> HealthCertificate:
    return HealthCertificate(
        family="hcert",
        version="1.3.0",
        holder=HOLDER,
        events=events,
        issuer="FR",
        issued_at=NOW,
        expires_at=None,
        identifiers=(),
        raw={},
    )


def test_a_generic_pass() -> None:
    link = google_pass(world.SHEETS, world.text(), world.account(), class_id=CLASS, origins=["https://example.org"])
    found = claims(link.token)
    [generic] = found.pop("payload")["genericObjects"]
    assert found == {
        "iss": world.EMAIL,
        "aud": "google",
        "typ": "savetowallet",
        "iat": int(NOW.timestamp()),
        "origins": ["https://example.org"],
    }
    issuer, suffix = generic.pop("id").split(".")
    modules = generic.pop("textModulesData")
    assert issuer == ISSUER
    assert suffix.isalnum()
    assert "EXAMPLE" not in suffix.upper()
    assert generic == {
        "classId": CLASS,
        "state": "ACTIVE",
        "cardTitle": {"defaultValue": {"language": "en", "value": "Ministry of Examples"}},
        "header": {"defaultValue": {"language": "en", "value": "France"}},
        "subheader": {
            "defaultValue": {"language": "en", "value": "EU Digital COVID Certificate"},
            "translatedValues": [
                {"language": "de", "value": "Digitales COVID-Zertifikat der EU"},
                {"language": "ar", "value": "شهادة كوفيد الرقمية"},
            ],
        },
        "hexBackgroundColor": generic["hexBackgroundColor"],
        "barcode": {"type": "QR_CODE", "value": world.text(), "alternateText": "EU Digital COVID Certificate"},
        "validTimeInterval": {"end": {"date": "2022-08-20T23:59:59Z"}},
    }
    headers = [module.get("header") or module["localizedHeader"]["defaultValue"]["value"] for module in modules]
    assert headers == [
        "Name",
        "ICAO",
        "Date of birth",
        "Country",
        "Dose",
        "EU Digital COVID Certificate",
    ]
    assert modules[1] == {"id": "holder-2-given_name_icao", "header": "ICAO", "body": "FRANCE"}
    assert modules[3]["localizedBody"]["translatedValues"][0] == {"language": "de", "value": "Frankreich"}
    assert len({module["id"] for module in modules}) == len(modules)


def test_the_link_has_the_token_and_says_whether_it_is_safe() -> None:
    link = google_pass(world.SHEETS, world.text(), world.account(), class_id=CLASS)
    assert link.url == f"https://pay.google.com/gp/v/save/{link.token}"
    assert link.token.count(".") == 2
    assert not link.safe
    assert len(link.token) > SAFE_LINK
    assert msgspec.structs.replace(link, token="a" * SAFE_LINK).safe
    assert link.token not in repr(link)


def test_the_same_pass_is_the_same_token_and_a_changed_one_does_not_verify() -> None:
    token = google_pass(world.SHEETS, world.text(), world.account(), class_id=CLASS).token
    assert google_pass(world.SHEETS, world.text(), world.account(), class_id=CLASS).token == token
    head, body, signature = token.split(".")
    changed = body[:100] + ("A" if body[100] != "A" else "B") + body[101:]
    with pytest.raises(BadSignatureError):
        claims(f"{head}.{changed}.{signature}")


def test_a_covid_card_of_a_dose() -> None:
    found = card(EVENTS[hc.EntryType.VACCINATION])
    assert found["patientDetails"] == {
        "patientName": "France",
        "patientNameLabel": "Name",
        "dateOfBirth": "1984-02-29",
        "dateOfBirthLabel": "Date of birth",
    }
    [dose] = found["vaccinationDetails"]["vaccinationRecord"]
    assert (dose["doseLabel"], dose["doseDateTime"], dose["code"]) == ("2/2", "2021-06-11", "1119349007")
    assert dose["provider"] == "Ministry of Examples"
    assert "testingDetails" not in found
    assert found["issuerId"] == ISSUER
    assert found["expiration"] == "2022-08-20"
    assert found["cardDescription"].splitlines()[3:5] == ["Country: France", "Dose: 2/2"]


def test_a_covid_card_of_a_test() -> None:
    [test] = card(EVENTS[hc.EntryType.TEST])["testingDetails"]["testingRecord"]
    assert test["testResultCode"] == "260415000"
    assert test["administrationDateTime"] == "2021-08-19T10:00:00+00:00"
    assert test["testDescription"] == "Example qPCR"
    assert test["provider"] == "Example Centre"


def test_a_covid_card_of_a_recovery_has_it_in_its_description() -> None:
    found = card(EVENTS[hc.EntryType.RECOVERY])
    assert not {"vaccinationDetails", "testingDetails"} & found.keys()
    assert "Country: France" in found["cardDescription"]


def test_what_a_family_does_not_tell_is_not_on_the_card() -> None:
    dose = hc.Vaccination(
        vaccine=Coding("http://hl7.org/fhir/sid/cvx", "208"), partial_date="2021-06", batch="L\u202e9"
    )
    [record] = card(dose)["vaccinationDetails"]["vaccinationRecord"]
    assert record == {"code": "208", "description": "208", "doseDateTime": "2021-06", "lotNumber": "L9"}


def encrypted() -> str:
    return world.pem(world.rsa_key(), b"x").decode()


def elliptic() -> str:
    return world.pem(world.authority_key()).decode()


def test_an_account_is_loaded_from_its_key_file(tmp_path: Path) -> None:
    (tmp_path / "key.json").write_bytes(world.key_file())
    account = ServiceAccount.load(tmp_path / "key.json", clock=CLOCK)
    expected = google_pass(world.SHEETS, world.text(), world.account(), class_id=CLASS)
    assert google_pass(world.SHEETS, world.text(), account, class_id=CLASS) == expected
    assert repr(account) == f"ServiceAccount({world.EMAIL})"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (lambda: b"", Code.SIGNER_KEY_UNREADABLE),
        (lambda: b"[" * 100_000, Code.SIGNER_KEY_UNREADABLE),
        (lambda: b"\xff\xfe{}", Code.SIGNER_KEY_UNREADABLE),
        (lambda: b'"text"', Code.SIGNER_KEY_UNREADABLE),
        (lambda: world.key_file(client_email=["a"]), Code.SIGNER_KEY_UNREADABLE),
        (lambda: world.key_file(client_email="a\nb@example.org"), Code.SIGNER_KEY_UNREADABLE),
        (lambda: world.key_file(client_email="a" * 100_000), Code.SIGNER_KEY_UNREADABLE),
        (lambda: world.key_file(private_key_id="\u202e"), Code.SIGNER_KEY_UNREADABLE),
        (lambda: world.key_file(private_key=None), Code.SIGNER_KEY_UNREADABLE),
        (lambda: world.key_file(private_key="secret-words"), Code.SIGNER_KEY_UNREADABLE),
        (lambda: world.key_file(private_key="\ud800"), Code.SIGNER_KEY_UNREADABLE),
        (lambda: world.key_file(private_key=encrypted()), Code.SIGNER_KEY_UNREADABLE),
        (
            lambda: world.key_file(private_key=world.pem(world.authority_key()).decode()),
            Code.UNSUITABLE_PUBLIC_KEY_TYPE,
        ),
        (lambda: b" " * (2 * 1024 * 1024), Code.INPUT_TOO_LONG),
    ],
    ids=[
        "empty",
        "deep",
        "no-utf-8",
        "no-object",
        "list",
        "line-end",
        "long",
        "bidi",
        "no-key",
        "no-pem",
        "surrogate",
        "encrypted",
        "ec",
        "too-long",
    ],
)
def test_key_files_that_do_not_serve(tmp_path: Path, data: Callable[[], bytes], code: Code) -> None:
    (tmp_path / "key.json").write_bytes(data())
    with pytest.raises(hc.HealthCertError) as caught:
        ServiceAccount.load(tmp_path / "key.json")
    assert caught.value.code is code
    assert "secret-words" not in str(caught.value)


@pytest.mark.parametrize("class_id", ["", ISSUER, f"{ISSUER}.", f"{ISSUER}.a/b", "x.y", f"{ISSUER}.a\n"])
def test_a_class_has_the_form_that_google_gives(class_id: str) -> None:
    with pytest.raises(ValueError, match="class_id"):
        google_pass(world.SHEETS, world.text(), world.account(), class_id=class_id)


@pytest.mark.parametrize("origin", ["example.org", "http://example.org", "https://example.org/", "https://a b", ""])
def test_an_origin_is_a_site(origin: str) -> None:
    with pytest.raises(ValueError, match="origins"):
        google_pass(world.SHEETS, world.text(), world.account(), class_id=CLASS, origins=[origin])


@pytest.mark.parametrize("issuer", ["", "12.3", "abc", "1\n"])
def test_an_issuer_is_a_number(issuer: str) -> None:
    sheet, event = world.sheet("en"), EVENTS[hc.EntryType.TEST]
    with pytest.raises(ValueError, match="issuer_id"):
        covid_card(certificate(event), sheet, world.text(), world.account(), issuer_id=issuer)


def test_certificates_of_bytes_and_of_other_barcodes_get_no_pass() -> None:
    divoc, seal = CASES["divoc vaccination"].issue(), CASES["2d-doc vaccination"].issue()
    for text in (Scan.of(divoc.binary), seal.text):
        with pytest.raises(DocumentError) as caught:
            google_pass(world.SHEETS, text, world.account(), class_id=CLASS)
        assert caught.value.code is Code.DOCUMENT_FAILED


def test_a_weak_key_signs_no_pass(tmp_path: Path) -> None:
    weak = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    (tmp_path / "key.json").write_bytes(world.key_file(private_key=world.pem(weak).decode()))
    with pytest.raises(DocumentError) as caught:
        ServiceAccount.load(tmp_path / "key.json")
    assert caught.value.code is Code.PUBLIC_KEY_TOO_WEAK
