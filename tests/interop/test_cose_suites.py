"""Other people's signature vectors: Wycheproof's edge cases, and the COSE working group's own examples.

Every file found is a test. Where there is no third-party data, all of them are skipped.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key

from healthcert.encoding import cose
from healthcert.encoding.algorithms import Algorithm, PublicKey
from healthcert.errors import Code, DecodeError
from tests.conftest import interop_folder

COSE = interop_folder() / "cose"
WYCHEPROOF = sorted(COSE.glob("wycheproof/*.json"))
EXAMPLES = sorted(COSE.glob("cose-wg/*/*.json"))

pytestmark = pytest.mark.skipif(
    not COSE.is_dir(), reason="no third-party test data: set HEALTHCERT_INTEROP to its folder"
)


def load(path: Path) -> dict[str, Any]:
    case: dict[str, Any] = json.loads(path.read_bytes())
    return case


def test_both_suites_are_there() -> None:
    assert WYCHEPROOF
    assert EXAMPLES


# --- Wycheproof ---

ALGORITHM_OF_GROUP = {
    ("EcdsaP1363Verify", "secp256r1", "SHA-256"): Algorithm.ES256,
    ("EcdsaP1363Verify", "secp384r1", "SHA-384"): Algorithm.ES384,
    ("RsassaPssVerify", "MGF1/SHA-256/32", "SHA-256"): Algorithm.PS256,
}


def algorithm_of(group: dict[str, Any]) -> Algorithm:
    if group["type"] == "RsassaPssVerify":
        kind = f"{group['mgf']}/{group['mgfSha']}/{group['sLen']}"
    else:
        kind = group["publicKey"]["curve"]
    return ALGORITHM_OF_GROUP[group["type"], kind, group["sha"]]


@pytest.mark.parametrize("path", WYCHEPROOF, ids=lambda path: path.stem)
def test_wycheproof_valid_is_accepted_and_everything_else_refused(path: Path) -> None:
    """``acceptable`` is for what a lenient verifier may let pass (legacy encodings, weak parameters): not here."""
    counts = {"valid": 0, "invalid": 0, "acceptable": 0}
    wrong = []
    document = load(path)
    for group in document["testGroups"]:
        algorithm = algorithm_of(group)
        key = load_der_public_key(bytes.fromhex(group["publicKeyDer"]))
        assert isinstance(key, PublicKey)
        assert algorithm.fits(key)
        for test in group["tests"]:
            counts[test["result"]] += 1
            accepted = algorithm.verify(key, bytes.fromhex(test["sig"]), bytes.fromhex(test["msg"]))
            if accepted is not (test["result"] == "valid"):
                wrong.append(f"{test['tcId']} {test['result']}: {test['comment']}")
    assert wrong == []
    assert counts["valid"] > 0
    assert counts["invalid"] > 0
    assert sum(counts.values()) == document["numberOfTests"]


# --- The COSE working group's examples ---

DEVIATIONS = {
    "ecdsa-sig-04": (
        "ES512 with a P-256 key. RFC 9053 §2.1 leaves hash and curve independent; here, as in JOSE (RFC 7518 §3.4) "
        "and in HCERT, which knows ES256 on P-256 only, an algorithm is bound to its curve."
    ),
}
"""Signatures that hold by the book and are refused here, and why. One that is accepted after all fails the test."""

CURVES: dict[str, ec.EllipticCurve] = {"P-256": ec.SECP256R1(), "P-384": ec.SECP384R1(), "P-521": ec.SECP521R1()}


def public_key(jwk: dict[str, str]) -> ec.EllipticCurvePublicKey:
    x, y = (int.from_bytes(base64.urlsafe_b64decode(jwk[name] + "==")) for name in ("x", "y"))
    return ec.EllipticCurvePublicNumbers(x, y, CURVES[jwk["crv"]]).public_key()


def decode(case: dict[str, Any]) -> cose.Sign1:
    return cose.decode_sign1(bytes.fromhex(case["output"]["cbor"]), max_depth=16)


def verifies(case: dict[str, Any], message: cose.Sign1) -> bool:
    key = public_key(case["input"]["sign0"]["key"])
    algorithm = message.algorithm
    return algorithm is not None and algorithm.verify(key, message.signature, message.to_be_signed())


def named(cases: list[Path]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("path", cases, ids=[path.stem for path in cases])


SINGLE = [path for path in EXAMPLES if "sign0" in load(path)["input"]]
GOOD = [path for path in SINGLE if not load(path).get("fail")]
BAD = [path for path in SINGLE if load(path).get("fail")]
OTHER = [path for path in EXAMPLES if path not in SINGLE]


@named(GOOD)
def test_good_example_is_signed_over_the_bytes_given_and_verifies_or_is_a_known_deviation(path: Path) -> None:
    case = load(path)
    message = decode(case)
    assert message.to_be_signed().hex().upper() == case["intermediates"]["ToBeSign_hex"].upper()
    assert message.payload == case["input"]["plaintext"].encode()
    assert message.signer.kid == case["input"]["sign0"]["key"]["kid"].encode()
    assert verifies(case, message) is (path.stem not in DEVIATIONS)


@named(BAD)
def test_bad_example_is_refused(path: Path) -> None:
    case = load(path)
    try:
        message = decode(case)
    except DecodeError as error:
        refused = error.code is Code.COSE_DESERIALIZATION_FAILED
    else:
        refused = not verifies(case, message)
    assert refused
    # It is the defect that is refused: the signature itself is good, over the bytes it was made for.
    original = bytes.fromhex(case["intermediates"]["ToBeSign_hex"])
    signature = bytes.fromhex(case["output"]["cbor"])[-64:]
    assert Algorithm.ES256.verify(public_key(case["input"]["sign0"]["key"]), signature, original)


@named(OTHER)
def test_message_for_several_signers_is_refused_by_its_tag(path: Path) -> None:
    """RFC 9052 §4.1: COSE_Sign, tag 98, which no health certificate uses."""
    case = load(path)
    assert "sign" in case["input"]
    assert case["output"]["cbor"].startswith("D862")
    with pytest.raises(DecodeError, match="tagged as something other than a COSE_Sign1") as caught:
        decode(case)
    assert caught.value.code is Code.COSE_DESERIALIZATION_FAILED


def test_examples_of_every_kind_were_found_and_every_deviation_among_them() -> None:
    assert GOOD
    assert BAD
    assert OTHER
    assert {path.stem for path in GOOD} >= DEVIATIONS.keys()
