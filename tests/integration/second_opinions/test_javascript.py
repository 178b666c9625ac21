"""Certificates issued here, read back by JavaScript that nobody here wrote: @pathcheck/shc-sdk, @vaxxnz/nzcp, jsonld
and canonicalize, with Node's own cryptography."""

from __future__ import annotations

import json
import zipfile
from io import BytesIO
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

import healthcert as hc
from healthcert.publish.issuer_keys import nzcp_document, shc_key_set
from tests import issuing
from tests.conftest import interop_folder
from tests.integration.second_opinions.javascript import ask
from tests.issuing import CASES


def _changed(text: str) -> str:
    """The text with one character of its signed part exchanged for another that may stand there."""
    at = len(text) // 2
    return text[:at] + ("2" if text[at] != "2" else "3") + text[at + 1 :]


# --- SMART Health Cards: @pathcheck/shc-sdk ---


def shc_sdk(text: str) -> Any:
    keys = json.loads(shc_key_set([issuing.key().public_key], issuer=issuing.URL))
    return ask("shc", {"text": text, "issuer": issuing.URL, "keys": keys})


@pytest.mark.parametrize("name", ["shc vaccination", "shc test"])
def test_a_card_under_pathcheck_s_sdk(name: str) -> None:
    found = shc_sdk(CASES[name].issue().text)
    claims = found["credential"]
    assert claims["iss"] == issuing.URL
    bundle = claims["vc"]["credentialSubject"]["fhirBundle"]
    patient, event = (entry["resource"] for entry in bundle["entry"])
    assert (patient["name"][0]["family"], patient["birthDate"]) == ("Exemplaire", "1984-02-29")
    code = event["vaccineCode"] if name == "shc vaccination" else event["code"]
    assert code["coding"][0]["code"] == ("208" if name == "shc vaccination" else "94558-4")


def test_a_changed_card_under_pathcheck_s_sdk() -> None:
    assert shc_sdk(_changed(CASES["shc vaccination"].issue().text)) is None


# --- NZ COVID Pass: @vaxxnz/nzcp ---


def nzcp_js(text: str) -> Any:
    document = json.loads(nzcp_document({"key-1": issuing.key().public_key}, did=issuing.DID))
    return ask("nzcp", {"text": text, "issuer": issuing.DID, "document": document})


def test_a_pass_under_nzcp_js() -> None:
    # The library reads the machine's clock, so the pass is one of now.
    issued = hc.NzcpIssuer(issuing.key(), issuer=issuing.DID).issue(holder=issuing.PLAIN)
    found = nzcp_js(issued.text)
    assert found["violates"] is None
    assert found["success"] is True
    assert found["credentialSubject"] == {"givenName": "Zoé", "familyName": "Exemplaire", "dob": "1984-02-29"}
    assert found["raw"]["jti"] == issued.certificate_id


def test_a_changed_pass_and_an_expired_one_under_nzcp_js() -> None:
    issued = hc.NzcpIssuer(issuing.key(), issuer=issuing.DID).issue(holder=issuing.PLAIN)
    assert nzcp_js(_changed(issued.text))["success"] is False
    expired = nzcp_js(CASES["nzcp"].issue().text)
    assert expired["success"] is False
    assert "`exp`" in expired["violates"]["message"]  # which it says is still to come, though it has passed


# --- ICAO VDS-NC: canonicalize ---


@pytest.mark.parametrize("name", ["vds-nc vaccination", "vds-nc test"])
def test_a_seal_under_canonicalize(name: str) -> None:
    issued = CASES[name].issue()
    assert ask("vds", {"text": issued.text}) is True
    # The order of members is nobody's business: whoever reads it has to make the canonical form again.
    seal = json.loads(issued.text)
    turned = json.dumps({"sig": seal["sig"], "data": dict(reversed(seal["data"].items()))}, indent=1)
    assert ask("vds", {"text": turned}) is True
    assert ask("vds", {"text": issued.text.replace("LOT9", "LOT8").replace("negative", "positive")}) is False


# --- DIVOC: jsonld ---

_CONTEXTS = {
    "https://www.w3.org/2018/credentials/v1": "W32018CredentialsV1.json",
    "https://w3id.org/security/v1": "security-v1.jsonld",
    "https://w3id.org/security/v2": "security-v2.jsonld",
    "https://cowin.gov.in/credentials/vaccination/v2": "DIVOCVaccinationContextV2.json",
}


def contexts() -> dict[str, Any]:
    """The contexts as others have them, and not those of this project."""
    folder = interop_folder() / "divoc/jsonld-contexts"
    if not folder.is_dir():
        pytest.skip("no contexts of a third party: set HEALTHCERT_INTEROP to the folder of test data")
    return {url: json.loads((folder / name).read_text("utf-8")) for url, name in _CONTEXTS.items()}


@pytest.mark.parametrize("signer", [issuing.rsa, issuing.ed25519], ids=["PS256", "EdDSA"])
def test_a_divoc_certificate_under_jsonld(signer: Any) -> None:
    issued = issuing.divoc(signer()).issue(issuing.DIVOC_DOSE, holder=issuing.DIVOC_HOLDER)
    with zipfile.ZipFile(BytesIO(issued.binary)) as archive:
        assert archive.namelist() == ["certificate.json"]
        credential = json.loads(archive.read("certificate.json"))
    public = load_der_public_key(signer().public_key)
    key = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    given = {"credential": credential, "contexts": contexts(), "key": key}
    assert ask("divoc", given) is True
    credential["evidence"][0]["batch"] = "LOT8"
    assert ask("divoc", given) is False
