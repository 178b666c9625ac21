"""WHO's network for trust: what its trust anchor signed, its DID documents, and the certificates of vaccination (ICVP).

The DDCC samples beside them are in ``test_hcert_other.py``.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import json
import re
from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import healthcert as hc
from healthcert.codings import ICD_11, PREQUALIFIED, disease_of, named
from healthcert.errors import Code, HealthCertError, TrustError
from healthcert.lists.anchors import load_anchors
from healthcert.lists.x509 import parse_certificate
from healthcert.trust.keys import Assurance
from healthcert.trust.sources.did import read_document, url_of
from healthcert.trust.sources.gdhcn import Network
from healthcert.trust.sources.onboarding import Onboarding
from healthcert.trust.sources.protocol import Context, Role
from tests.interop.samples import OURS, load, store_of
from tests.support import Press

NOW = datetime(2026, 6, 1, tzinfo=UTC)
NULL = "XYK/onboarding/DDCC/ISSUER/signed/TNG_TA.signed.Trusted_Issuer.json"


@pytest.fixture(scope="module")
def folder(interop: Path) -> Path:
    found = interop / "gdhcn/tng-participants-dev"
    if not found.is_dir():
        pytest.skip("no gdhcn/tng-participants-dev in the third-party test data")
    return found


@pytest.fixture(scope="module")
def under(folder: Path) -> Context:
    return Context(load_anchors(folder / "WHO/signing/DCC/TNG_TA.pem"), NOW)


@pytest.fixture(scope="module")
def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.json")}


def test_the_folder_loads_but_for_the_issuer_that_is_nobody(files: dict[str, bytes], under: Context) -> None:
    found = Onboarding().load(files, under)
    assert [(s.source, s.error.code) for s in found.skipped] == [(NULL, Code.TRUST_LIST_UNREADABLE)]
    # 39 certificates, of which two are for the exchange of data.
    assert Counter(authority.role for authority in found.authorities) == {Role.CSCA: 12, Role.UPLOAD: 12, Role.TLS: 13}
    assert {authority.domain for authority in found.authorities} == {"DCC", "DDCC", "PH4H", "RACSEL-DDVC"}
    assert {"XA", "YK", "UY", "EE"} <= {authority.country for authority in found.authorities}
    assert (found.keys, found.assurance) == ((), Assurance.SIGNED_LIST)


def test_each_signed_file_loads_by_itself(files: dict[str, bytes], under: Context) -> None:
    signed = {path: data for path, data in files.items() if "/signed/" in path}
    assert len(signed) == 40
    for path, data in signed.items():
        if path == NULL:
            with pytest.raises(TrustError, match="nothing in it"):
                Onboarding().load({path: data}, under)
        else:
            assert not Onboarding().load({path: data}, under).skipped


@pytest.mark.parametrize(
    ("path", "step"),
    [
        ("XXA/onboarding/DDCC/SCA/signed/TNG_TA.signed.SCA.json", 1),
        ("EST/onboarding/DCC/TLS/signed/TNG_TA.signed.TLS.json", 7),
        ("URY/onboarding/PH4H/UP/signed/TNG_TA.signed.UP.json", 7),
    ],
)
def test_one_byte_altered_anywhere_refuses_the_file(
    path: str, step: int, files: dict[str, bytes], under: Context
) -> None:
    data = files[path]
    for position in range(0, len(data), step):
        altered = bytearray(data)
        altered[position] ^= 1
        with pytest.raises(HealthCertError):
            Onboarding().load({path: bytes(altered)}, under)


def test_another_of_whos_keys_is_not_the_trust_anchor(files: dict[str, bytes], folder: Path) -> None:
    other = Context(load_anchors(folder / "WHO/signing/DCC/TNG_UP_SYNC.pub"), NOW)
    with pytest.raises(TrustError) as caught:
        Onboarding().load({"XXA/onboarding/DDCC/SCA/signed/TNG_TA.signed.SCA.json": files[NULL]}, other)
    assert caught.value.code is Code.TRUST_LIST_NOT_AUTHENTIC


def test_the_signers_document_is_read(files: dict[str, bytes], folder: Path) -> None:
    """It carries no proof: its key is what an operator pins."""
    document = read_document(files["WHO/signing/DID/did.json"])
    assert len(document.methods) == 1
    assert url_of(document.id) == (
        "https://raw.githubusercontent.com/WorldHealthOrganization/tng-participants-dev/main/WHO/signing/DID/did.json"
    )
    anchors = load_anchors(folder / "WHO/signing/DID/did.json")
    with pytest.raises(TrustError) as caught:
        Network().load({"list": files["WHO/signing/DID/did.json"]}, Context(anchors, NOW))
    assert caught.value.code is Code.TRUST_LIST_NOT_AUTHENTIC


def test_a_participants_document_has_its_upload_key_and_none_that_signs_documents(files: dict[str, bytes]) -> None:
    data = files["XXA/onboarding/DDCC/UP/did.json"]
    found = Network().load({"list": data}, Context((), NOW, options={"unsigned": "yes"}))
    assert (found.keys, found.skipped, found.assurance) == ((), (), Assurance.TLS_ONLY)
    (authority,) = found.authorities
    assert (authority.role, authority.country, authority.domain) == (Role.UPLOAD, "XA", "DDCC")
    # The key is that of the certificate which the trust anchor signed for the same purpose.
    signed = json.loads(files["XXA/onboarding/DDCC/UP/signed/TNG_TA.signed.UP.json"])["certificateRawData"]
    assert (authority.certificate, authority.spki) == (None, parse_certificate(base64.b64decode(signed)).spki)


@pytest.mark.parametrize("member", ["x", "y"])
def test_a_participants_document_with_another_coordinate_has_no_key(files: dict[str, bytes], member: str) -> None:
    document = json.loads(files["XXA/onboarding/DDCC/UP/did.json"])
    key = document["verificationMethod"][0]["publicKeyJwk"]
    key[member] = ("A" if key[member][0] != "A" else "B") + key[member][1:]
    found = Network().load({"list": json.dumps(document).encode()}, Context((), NOW, options={"unsigned": "yes"}))
    assert (found.keys, found.authorities) == ((), ())


def test_an_altered_document_is_no_other_error(files: dict[str, bytes]) -> None:
    data = files["XXA/onboarding/DDCC/UP/did.json"]
    under = Context((), NOW, options={"unsigned": "yes"})
    for position in range(0, len(data), 3):
        altered = bytearray(data)
        altered[position] ^= 0x55
        with suppress(HealthCertError):
            Network().load({"list": bytes(altered)}, under)
    assert json.loads(data)


# --- Certificates of vaccination: no signed one is published, so what the examples say is signed here ---

ICVP = "gdhcn/smart-icvp"


def example(interop: Path, name: str) -> str:
    file = interop / ICVP / "examples" / f"{name}.fsh.txt"
    if not file.is_file():
        pytest.skip(f"no {ICVP} in the third-party test data")
    return file.read_text("utf-8")


def said(text: str, pattern: str) -> str:
    (found,) = re.findall(pattern, text)
    assert isinstance(found, str)
    return found


def of_the_model(text: str) -> dict[str, Any]:
    """The claim that WHO's map makes of an instance of the logical model, in the names of the earlier revision."""
    record = {
        "vp": said(text, r"productID =\s+\$PreQualProductIDs#(\w+)"),
        "dt": said(text, r'\[=\].date = "(.*)"'),
        "bo": said(text, r'batchNo.coding.display = "(.*)"'),
        "cn": said(text, r'clinicianName = "(.*)"'),
        "vls": said(text, r'validityPeriod.start = "(.*)"'),
    }
    about = {"n": said(text, r'\* name = "(.*)"'), "dob": said(text, r'\* dob = "(.*)"')}
    return about | {"s": said(text, r"\* sex =\s+#(\w+)"), "ntl": said(text, r"\* nationality = #(\w+)"), "v": record}


def of_the_form(text: str) -> dict[str, Any]:
    """The claim of today's revision that the answers to the questionnaire make."""

    def answer(link: str) -> str:
        return said(text, rf'linkId = "{link}"\n.*\n.*answer\.value\w+ = (?:\$?[\w:.]+#)?"?([^"\n]*?)"?(?: ".*")?\n')

    record = {"vp": answer("productID"), "dt": answer("date"), "bo": answer("batchNo")}
    record |= {"cn": answer("clinicianName"), "is": answer("issuer")}
    about = {name: answer(link) for name, link in (("n", "name"), ("dob", "dob"), ("s", "sex"), ("nt", "nationality"))}
    return about | {"id": answer("nid"), "gn": answer("guardianName"), "v": "1", "vx": record}


def examine(dvc: dict[str, Any], at: datetime, **claims: Any) -> hc.Report:
    issued = int(datetime(2025, 8, 9, tzinfo=UTC).timestamp())
    times = {1: "XCL", 4: issued + 10 * 366 * 86400, 6: issued} | {int(key[1:]): value for key, value in claims.items()}
    text = Press(claims={**times, -260: {-6: dvc}}).text()
    return hc.Verifier(store_of((OURS,), ""), clock=hc.FixedClock(at)).examine(text)


def warned(report: hc.Report) -> list[str]:
    return sorted(warning.code for warning in report.warnings if warning.code != Code.KEY_DATES_UNKNOWN)


def test_the_example_of_the_model_is_read(interop: Path) -> None:
    dvc = of_the_model(example(interop, "ICVP123455"))
    report = examine(dvc, NOW)
    assert (report.outcome, report.family, warned(report)) == ("accepted", "WHO DVC", []), report.detail
    assert report.certificate is not None
    (dose,) = report.certificate.events
    assert isinstance(dose, hc.Vaccination)
    assert (str(dose.disease), str(dose.product)) == (
        "Acute poliomyelitis",
        "BIOPOLIO B1/3 (Bharat Biotech International Limited)",
    )
    assert (dose.clinician, dose.batch, dose.date.isoformat() if dose.date else "") == ("DR A", "67890", "2024-05-23")
    assert report.certificate.holder.nationality == "IND"


def test_a_certificate_of_vaccination_without_exp_is_told_of_and_its_validity_counts(interop: Path) -> None:
    dvc = of_the_model(example(interop, "ICVP123455"))
    assert warned(examine(dvc, NOW, _4=...)) == ["TIME_ABSENT"]
    dvc["v"]["vls"] = "2026-06-03"
    assert examine(dvc, NOW, _4=...).code == "CWT_NOT_YET_VALID"
    assert examine(dvc, datetime(2026, 6, 3, tzinfo=UTC), _4=...).outcome == "accepted"


def test_the_example_of_the_form_is_read(interop: Path) -> None:
    dvc = of_the_form(example(interop, "ICVPQRExample"))
    assert all(dvc.values())
    assert all(dvc["vx"].values())
    report = examine(dvc, NOW)
    assert (report.outcome, report.family, warned(report)) == ("accepted", "WHO DVC", []), report.detail
    assert report.certificate is not None
    (dose,) = report.certificate.events
    assert isinstance(dose, hc.Vaccination)
    assert (str(dose.disease), str(dose.product)) == ("Yellow fever", "STAMARIL (Sanofi Pasteur)")
    holder = report.certificate.holder
    assert (holder.name, holder.nationality, holder.guardian) == ("John Doe", "ATG", "Father Doe")


def test_every_prequalified_product_of_a_certificate_of_vaccination_is_known(interop: Path) -> None:
    file = interop / ICVP / "data/prequalified_vaccines.csv"
    if not file.is_file():
        pytest.skip(f"no {ICVP} in the third-party test data")
    with file.open(encoding="utf-8-sig", newline="") as rows:
        _, *products = csv.reader(rows)
    diseases = Counter[str]()
    for row in products:
        _, kind, brand, *_, maker, _ = row
        digest = hashlib.md5(f"{''.join(row)}\n".encode(), usedforsecurity=False).hexdigest()
        code = f"{re.sub('[^A-Za-z0-9]', '', kind)[:24]}Product{digest}"
        disease = disease_of(named(PREQUALIFIED, code))
        if not kind.startswith(("Yellow Fever", "Polio")):
            assert disease is None
            continue
        name = named(PREQUALIFIED, code).display
        assert disease is not None
        assert name is not None
        diseases[disease.code] += 1
        assert name.startswith(kind if brand == "n/a" else brand.strip())
        assert name.endswith(f"({maker})") or "Chumakov" in maker
        assert disease.system == ICD_11
    assert diseases == {"1D47": 11, "1C81": 46}


@pytest.mark.parametrize(
    ("path", "system", "name_of"),
    [
        (
            "valuesets/khealthcertificate/shc/hl7-cvx-codes.json",
            "http://hl7.org/fhir/sid/cvx",
            lambda value: value["n"],
        ),
        ("valuesets/khealthcertificate/icao/vaccines.json", ICD_11, lambda value: value),
    ],
)
def test_names_of_vaccines_are_those_that_others_publish(interop: Path, path: str, system: str, name_of: Any) -> None:
    if not (interop / path).is_file():
        pytest.skip(f"no {path} in the third-party test data")
    published = load(path)
    assert len(published) > 150
    for code, value in published.items():
        assert named(system, code).display == " ".join(name_of(value).split())
