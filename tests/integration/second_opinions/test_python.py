"""Certificates issued here, read back by Python that nobody here wrote: joserfc, pycose and rfc8785.

What no package reads (2D-Doc) is read by hand, with nothing of this project.
"""

from __future__ import annotations

import base64
import json
import zlib
from typing import Any

import cbor2
import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import load_der_public_key

from healthcert.lists import jwk
from tests import issuing
from tests.integration.test_second_opinion import unwrap
from tests.issuing import CASES
from tests.support import dsc


def public(spki: bytes) -> ec.EllipticCurvePublicKey:
    key = load_der_public_key(spki)
    assert isinstance(key, ec.EllipticCurvePublicKey)
    return key


# --- SMART Health Cards: joserfc ---


@pytest.mark.parametrize("name", ["shc vaccination", "shc test"])
def test_a_card_under_joserfc(name: str) -> None:
    jws = pytest.importorskip("joserfc.jws", reason="needs joserfc")
    from joserfc.errors import BadSignatureError
    from joserfc.jwk import ECKey
    from joserfc.registry import HeaderParameter

    # To joserfc the header parameter zip is unknown until it is told of it.
    registry = jws.JWSRegistry(header_registry={"zip": HeaderParameter("Compression", "str")}, algorithms=["ES256"])
    spki = issuing.key().public_key
    key = ECKey.import_key({**jwk.jwk_of(spki), "use": "sig", "alg": "ES256"})
    issued = CASES[name].issue()
    # The digits by hand, so that the token is not only what this project says it is.
    digits = issued.text.removeprefix("shc:/")
    token = "".join(chr(int(digits[at : at + 2]) + 45) for at in range(0, len(digits), 2))
    assert token.encode() == issued.binary
    found = jws.deserialize_compact(token, key, registry=registry)
    assert found.headers() == {"alg": "ES256", "zip": "DEF", "kid": key.thumbprint()}
    claims = json.loads(zlib.decompress(found.payload, wbits=-15))
    assert claims["iss"] == issuing.URL
    assert claims["vc"]["type"][0] == "https://smarthealth.cards#health-card"
    head, payload, signature = token.split(".")
    changed = ".".join((head, payload, signature[:-2] + ("AA" if signature[-2:] != "AA" else "BB")))
    with pytest.raises((BadSignatureError, ValueError)):
        jws.deserialize_compact(changed, key, registry=registry)


# --- NZ COVID Pass, DVC, the light, the exemption: pycose ---


def pycose_verifies(key: ec.EllipticCurvePublicKey, message: bytes) -> bool:
    keys = pytest.importorskip("pycose.keys", reason="needs the extra 'cose'")
    from pycose.keys.curves import P256
    from pycose.messages.sign1message import Sign1Message

    tagged = cbor2.loads(message)
    assert tagged.tag == 18
    protected, unprotected, payload, signature = tagged.value
    numbers = key.public_numbers()
    # Its own decode wants lists where cbor2 6 makes tuples, so it is given the elements.
    found = Sign1Message.from_cose_obj([protected, dict(unprotected), payload, signature], True)
    found.key = keys.EC2Key(crv=P256, x=numbers.x.to_bytes(32, "big"), y=numbers.y.to_bytes(32, "big"))
    return bool(found.verify_signature())


def test_a_pass_under_pycose() -> None:
    issued = CASES["nzcp"].issue()
    text = issued.text.removeprefix("NZCP:/1/")
    message = base64.b32decode(text + "=" * (-len(text) % 8))
    assert pycose_verifies(public(issuing.key().public_key), message)
    protected, _, payload, _ = cbor2.loads(message).value
    assert cbor2.loads(protected) == {1: -7, 4: b"key-1"}
    claims = cbor2.loads(payload)
    assert (claims[1], claims["vc"]["version"]) == (issuing.DID, "1.0.0")
    assert not pycose_verifies(public(issuing.key().public_key), message[:-1] + bytes((message[-1] ^ 1,)))


@pytest.mark.parametrize(("name", "claim"), [("dvc", -260), ("light", -250), ("exemption", -260)])
def test_a_sibling_of_the_dcc_under_pycose(name: str, claim: int) -> None:
    issued = CASES[name].issue()
    text = "HC1:" + issued.text.partition(":")[2]
    message = cbor2.dumps(cbor2.CBORTag(18, unwrap(text)))
    signer = issuing.austrian() if name == "exemption" else dsc()
    key = signer.certificate.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    assert pycose_verifies(key, message)
    claims = cbor2.loads(cbor2.loads(message).value[2])
    assert set(claims) == {1, 4, 6, claim}
    assert not pycose_verifies(key, message[:-1] + bytes((message[-1] ^ 1,)))


# --- ICAO VDS-NC: rfc8785 ---


@pytest.mark.parametrize("name", ["vds-nc vaccination", "vds-nc test"])
def test_a_seal_under_rfc8785(name: str) -> None:
    rfc8785 = pytest.importorskip("rfc8785", reason="needs rfc8785")
    seal = json.loads(CASES[name].issue().text)
    certificate = x509.load_der_x509_certificate(base64.urlsafe_b64decode(seal["sig"]["cer"]))
    key = certificate.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)

    def verify(data: Any) -> None:
        key.verify(_der(base64.urlsafe_b64decode(seal["sig"]["sigvl"])), rfc8785.dumps(data), ec.ECDSA(hashes.SHA256()))

    verify(seal["data"])
    with pytest.raises(InvalidSignature):
        verify(seal["data"] | {"hdr": seal["data"]["hdr"] | {"is": "UTO"}})


# --- 2D-Doc: by hand ---


@pytest.mark.parametrize("name", ["2d-doc vaccination", "2d-doc test"])
def test_a_2d_doc_by_hand(name: str) -> None:
    signed, _, signature = CASES[name].issue().text.partition("\x1f")
    assert signed[:12] == "DC04FR000001"
    assert signed[20:26] == ("L1" if name == "2d-doc vaccination" else "B2") + "01FR"
    assert int(signed[12:16], 16) == int(signed[16:20], 16) == 7902  # days from 2000-01-01 to 2021-08-20
    raw = base64.b32decode(signature + "=" * (-len(signature) % 8))
    key = issuing.leaf().certificate.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    key.verify(_der(raw), signed.encode("ascii"), ec.ECDSA(hashes.SHA256()))
    with pytest.raises(InvalidSignature):
        key.verify(_der(raw), signed.replace("EXEMPLAIRE", "EXEMPLAIRA").encode("ascii"), ec.ECDSA(hashes.SHA256()))


def _der(raw: bytes) -> bytes:
    half = len(raw) // 2
    return encode_dss_signature(int.from_bytes(raw[:half], "big"), int.from_bytes(raw[half:], "big"))
