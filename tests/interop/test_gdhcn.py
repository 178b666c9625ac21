"""WHO's onboarding data of the development environment: what its trust anchor signed, and its DID documents."""

from __future__ import annotations

import base64
import json
from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from healthcert.errors import Code, HealthCertError, TrustError
from healthcert.lists.anchors import load_anchors
from healthcert.lists.x509 import parse_certificate
from healthcert.trust.keys import Assurance
from healthcert.trust.sources.did import read_document, url_of
from healthcert.trust.sources.gdhcn import Network
from healthcert.trust.sources.onboarding import Onboarding
from healthcert.trust.sources.protocol import Context, Role

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
