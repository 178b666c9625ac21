"""DID documents that are published are read by those who read WHO's, in both forms."""

from __future__ import annotations

import base64
import json
from datetime import datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from healthcert.errors import Code, HealthCertError, IssueError
from healthcert.issue.pki import KeyKind, new_dsc
from healthcert.lists import jwk
from healthcert.lists.anchors import TrustAnchor
from healthcert.lists.x509 import parse_certificate
from healthcert.publish.did import publish, publish_tree
from healthcert.trust.keys import Assurance
from healthcert.trust.sources.did import signed_bytes
from healthcert.trust.sources.gdhcn import Network
from healthcert.trust.sources.protocol import Context, Role
from tests.support import DAY, NOW
from tests.support_did import REFERENCES, ROOT, anchor, context, dsc, sca, signer

CERTIFICATES = [pair.certificate_der() for pair in (dsc(), sca(), dsc("DE"), sca("DE"), dsc())]
METHOD = "did:web:example.org:signer#key"
FORMS = pytest.mark.parametrize("form", [publish, publish_tree])


def made(form: Any = publish, certificates: list[bytes] = CERTIFICATES, **changes: Any) -> dict[str, bytes]:
    options = {"did": ROOT, "issued_at": NOW, "verification_method": METHOD, "nonce": "n"} | changes
    parts: dict[str, bytes] = form(certificates, signer().signer(), **options)
    return parts


@FORMS
def test_what_is_published_loads(form: Any) -> None:
    found = Network().load(
        made(form), context(options={"environment": "test", "did": ROOT if form is publish else REFERENCES})
    )
    assert sorted(str(key.country) for key in found.keys) == ["DE", "FR"]
    assert {key.certificate for key in found.keys} == {CERTIFICATES[0], CERTIFICATES[2]}
    assert {key.domain for key in found.keys} == {"DCC"}
    assert {(a.role, a.country) for a in found.authorities} == {(Role.CSCA, "FR"), (Role.CSCA, "DE")}
    assert (found.assurance, found.skipped, found.signer) == (Assurance.SIGNED_CHAIN, (), anchor())
    assert (found.issued_at, set(found.documents.values()), found.expires_at) == (NOW, {int(NOW.timestamp())}, None)
    assert found.counter == (int(NOW.timestamp()) if form is publish else None)


@FORMS
def test_a_list_that_ends_says_so(form: Any) -> None:
    assert Network().load(made(form, expires_at=NOW + DAY), context()).expires_at == NOW + DAY


def test_the_document_is_as_whos() -> None:
    document = json.loads(made()["list"])
    assert document.keys() == {"@context", "id", "controller", "verificationMethod", "proof"}
    assert document["@context"] == ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/suites/jws-2020/v1"]
    assert document["id"] == document["controller"] == ROOT
    methods = {method["id"].removeprefix(ROOT): method for method in document["verificationMethod"]}
    kid = base64.b64encode(parse_certificate(CERTIFICATES[0]).kid).decode()
    assert len(methods) == 4
    method = methods[f":DCC:FRA:DSC#{kid}"]
    assert method["type"] == "JsonWebKey2020"
    assert method["publicKeyJwk"]["kid"] == kid
    assert [base64.b64decode(der) for der in method["publicKeyJwk"]["x5c"]] == CERTIFICATES[:2]
    assert len(jwk.decode(method["publicKeyJwk"]["x"])) == 32
    proof = document["proof"]
    assert list(proof) == ["type", "created", "proofPurpose", "verificationMethod", "nonce", "jws"]
    assert (proof["created"], proof["verificationMethod"]) == ("2021-08-20T10:00:00Z", METHOD)
    assert proof["jws"].startswith("eyJiNjQiOmZhbHNlLCJjcml0IjpbImI2NCJdLCJhbGciOiJFUzI1NiJ9..")


def test_the_signature_is_in_der_as_whos_readers_have_it() -> None:
    document = json.loads(made()["list"])
    proof = document.pop("proof")
    header, _, signature = proof.pop("jws").split(".")
    key = signer().key.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    key.verify(jwk.decode(signature), signed_bytes(header, document, proof), ec.ECDSA(hashes.SHA256()))


def test_a_tree_has_a_document_for_every_level() -> None:
    parts = made(publish_tree)
    assert set(parts) == {
        "list",
        f"{REFERENCES}:DCC",
        *(
            f"{tree}:DCC:{country}:{usage}"
            for tree in (ROOT, REFERENCES)
            for country in ("FRA", "DEU")
            for usage in ("SCA", "DSC")
        ),
        *(f"{REFERENCES}:DCC:{country}" for country in ("FRA", "DEU")),
    }
    documents = {name: json.loads(data) for name, data in parts.items()}
    assert documents["list"]["id"] == REFERENCES
    assert documents["list"]["verificationMethod"] == [f"{REFERENCES}:DCC"]
    assert sorted(documents[f"{REFERENCES}:DCC:FRA"]["verificationMethod"]) == [
        f"{REFERENCES}:DCC:FRA:DSC",
        f"{REFERENCES}:DCC:FRA:SCA",
    ]
    assert documents[f"{REFERENCES}:DCC:FRA:DSC"]["verificationMethod"] == [f"{ROOT}:DCC:FRA:DSC"]
    assert all(document["id"] == name for name, document in documents.items() if name != "list")


@FORMS
def test_each_proof_has_a_nonce_of_its_own(form: Any) -> None:
    first, second = (json.loads(made(form, nonce=None)["list"])["proof"]["nonce"] for _ in range(2))
    assert first != second
    assert len(first) == 32


def test_a_signer_with_rsa_signs_as_well() -> None:
    pair = new_dsc(sca("CH", "TNG"), "RSA", now=NOW - DAY, kind=KeyKind.RSA_3072)
    parts = publish(CERTIFICATES, pair.signer(), did=ROOT, issued_at=NOW)
    pinned = TrustAnchor("rsa", parse_certificate(pair.certificate_der()).spki)
    assert len(Network().load(parts, Context((pinned,), NOW)).keys) == 2


@FORMS
@pytest.mark.parametrize(
    "changes",
    [
        {"certificates": []},
        {"certificates": [b"x"]},
        {"certificates": [dsc("QQ").certificate_der()]},
        {"certificates": [dsc("FR", "Stray", "Other").certificate_der(), sca().certificate_der()]},
        {"did": "did:web:example.org:list"},
        {"did": "did:web:example.org:trustlist-ref"},
        {"did": "did:key:x:trustlist"},
        {"did": "trustlist"},
        {"domain": "D C C"},
        {"domain": "-"},
        {"verification_method": "https://example.org"},
        {"issued_at": datetime(2021, 8, 20)},  # noqa: DTZ001
        {"expires_at": datetime(2021, 9, 20)},  # noqa: DTZ001
        {"expires_at": NOW},
        {"issued_at": NOW + 9999 * DAY},
    ],
)
def test_what_no_reader_would_take_is_not_published(form: Any, changes: dict[str, Any]) -> None:
    with pytest.raises(IssueError) as caught:
        made(form, **changes)
    assert caught.value.code is Code.PUBLISHING_REFUSED


def test_whatever_is_given_nothing_else_is_raised() -> None:
    for certificate in (b"", b"\x30\x00", CERTIFICATES[0][:-1], CERTIFICATES[0] + b"x"):
        with pytest.raises(HealthCertError):
            made(certificates=[certificate])
