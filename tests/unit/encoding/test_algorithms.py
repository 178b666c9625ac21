"""The signature algorithms against ``cryptography`` itself: right keys, right form, nothing else."""

from __future__ import annotations

import hashlib
from functools import cache

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from healthcert.encoding.algorithms import Algorithm, PrivateKey, _to_raw

MESSAGE = b"what is signed"

EC_ALGORITHMS = {
    # RFC 9053 §2.1; the curve of each as HCERT and JOSE (RFC 7518 §3.4) pair them.
    Algorithm.ES256: ("P-256", hashes.SHA256(), 32),
    Algorithm.ES384: ("P-384", hashes.SHA384(), 48),
    Algorithm.ES512: ("P-521", hashes.SHA512(), 66),
}
PSS_ALGORITHMS = {
    # RFC 8230 §2.
    Algorithm.PS256: hashes.SHA256(),
    Algorithm.PS384: hashes.SHA384(),
    Algorithm.PS512: hashes.SHA512(),
}
CURVES: dict[str, ec.EllipticCurve] = {
    "P-256": ec.SECP256R1(),
    "P-384": ec.SECP384R1(),
    "P-521": ec.SECP521R1(),
    "secp256k1": ec.SECP256K1(),
    "brainpoolP256r1": ec.BrainpoolP256R1(),
}
KEYS = (*CURVES, "RSA", "Ed25519")
KEY_OF = (
    {algorithm: name for algorithm, (name, _, _) in EC_ALGORITHMS.items()}
    | dict.fromkeys(PSS_ALGORITHMS, "RSA")
    | {Algorithm.EdDSA: "Ed25519"}
)
ALL = pytest.mark.parametrize("algorithm", Algorithm, ids=lambda algorithm: algorithm.name)
ECDSA = pytest.mark.parametrize("algorithm", EC_ALGORITHMS, ids=lambda algorithm: algorithm.name)
PSS = pytest.mark.parametrize("algorithm", PSS_ALGORITHMS, ids=lambda algorithm: algorithm.name)


@cache
def key(name: str, number: int = 0) -> PrivateKey:
    """A key of the kind; another one for another number."""
    if name == "RSA":
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return Ed25519PrivateKey.generate() if name == "Ed25519" else ec.generate_private_key(CURVES[name])


def ec_key(algorithm: Algorithm) -> ec.EllipticCurvePrivateKey:
    private = key(EC_ALGORITHMS[algorithm][0])
    assert isinstance(private, ec.EllipticCurvePrivateKey)
    return private


def rsa_key() -> rsa.RSAPrivateKey:
    private = key("RSA")
    assert isinstance(private, rsa.RSAPrivateKey)
    return private


def raw(r: int, s: int, size: int) -> bytes:
    return r.to_bytes(size, "big") + s.to_bytes(size, "big")


@ALL
def test_signature_verifies_and_one_over_anything_else_does_not(algorithm: Algorithm) -> None:
    private = key(KEY_OF[algorithm])
    signature = algorithm.sign(private, MESSAGE)
    assert algorithm.verify(private.public_key(), signature, MESSAGE)
    assert not algorithm.verify(private.public_key(), signature, MESSAGE + b"\x00")
    assert not algorithm.verify(private.public_key(), signature, b"")
    assert not algorithm.verify(key(KEY_OF[algorithm], 1).public_key(), signature, MESSAGE)
    for place in (0, len(signature) // 2, -1):
        altered = bytearray(signature)
        altered[place] ^= 1
        assert not algorithm.verify(private.public_key(), bytes(altered), MESSAGE)


@ECDSA
def test_ecdsa_signature_is_raw_r_and_s_of_the_size_of_the_curve(algorithm: Algorithm) -> None:
    _, digest, size = EC_ALGORITHMS[algorithm]
    private = ec_key(algorithm)
    for _ in range(8):
        signature = algorithm.sign(private, MESSAGE)
        assert len(signature) == 2 * size
        r, s = int.from_bytes(signature[:size], "big"), int.from_bytes(signature[size:], "big")
        private.public_key().verify(encode_dss_signature(r, s), MESSAGE, ec.ECDSA(digest))


@PSS
def test_rsa_signature_is_pss_with_a_salt_as_long_as_the_hash(algorithm: Algorithm) -> None:
    digest, private = PSS_ALGORITHMS[algorithm], rsa_key()
    signature = algorithm.sign(private, MESSAGE)
    assert len(signature) == 256
    # A stated salt length is checked by the library, other than PSS.AUTO.
    expected = padding.PSS(padding.MGF1(digest), salt_length=digest.digest_size)
    private.public_key().verify(signature, MESSAGE, expected, digest)


def test_published_ecdsa_signature_verifies() -> None:
    """RFC 6979, A.2.5: P-256, SHA-256, message "sample"."""
    secret = 0xC9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721
    signature = bytes.fromhex(
        "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716"
        "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8"
    )
    public = ec.derive_private_key(secret, ec.SECP256R1()).public_key()
    assert Algorithm.ES256.verify(public, signature, b"sample")
    assert not Algorithm.ES256.verify(public, signature, b"test")


def test_published_eddsa_signature_is_made_and_verified() -> None:
    """RFC 8032 §7.1, test 1; EdDSA signatures are deterministic."""
    private = Ed25519PrivateKey.from_private_bytes(
        bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    )
    signature = bytes.fromhex(
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
        "d25bf5f0595bbe24655141438e7a100b"
    )
    assert Algorithm.EdDSA.sign(private, b"") == signature
    assert Algorithm.EdDSA.verify(private.public_key(), signature, b"")


@pytest.mark.parametrize("algorithm", [*EC_ALGORITHMS, *PSS_ALGORITHMS], ids=lambda algorithm: algorithm.name)
def test_signature_over_a_digest_is_one_over_its_message(algorithm: Algorithm) -> None:
    private = key(KEY_OF[algorithm])
    digest = hashlib.new(f"sha{algorithm.name[2:]}", MESSAGE).digest()
    signature = algorithm.sign(private, digest, prehashed=True)
    assert algorithm.verify(private.public_key(), signature, MESSAGE)
    assert not algorithm.verify(private.public_key(), signature, digest)


@pytest.mark.parametrize("algorithm", [*EC_ALGORITHMS, *PSS_ALGORITHMS], ids=lambda algorithm: algorithm.name)
def test_what_is_no_digest_of_the_hash_is_not_signed_as_one(algorithm: Algorithm) -> None:
    digest = hashlib.new(f"sha{algorithm.name[2:]}", MESSAGE).digest()
    for wrong in (b"", digest[:-1], digest + b"\x00", MESSAGE, hashlib.sha1(MESSAGE).digest()):
        with pytest.raises(ValueError, match="digest"):
            algorithm.sign(key(KEY_OF[algorithm]), wrong, prehashed=True)


def test_eddsa_signs_no_digest() -> None:
    """RFC 9053 §2.2: EdDSA is the pure variant, over the message."""
    with pytest.raises(ValueError, match="EdDSA"):
        Algorithm.EdDSA.sign(key("Ed25519"), hashlib.sha512(MESSAGE).digest(), prehashed=True)


@ALL
@pytest.mark.parametrize("name", KEYS)
def test_algorithm_is_bound_to_one_kind_of_key(algorithm: Algorithm, name: str) -> None:
    """RFC 9053 §2: the algorithm is checked against the key type, whatever the message says."""
    private = key(name)
    fits = KEY_OF[algorithm] == name
    assert algorithm.fits(private.public_key()) is fits
    if fits:
        return
    with pytest.raises(ValueError, match=algorithm.name):
        algorithm.sign(private, MESSAGE)
    for signature in (b"", bytes(64), bytes(256), algorithm.sign(key(KEY_OF[algorithm]), MESSAGE)):
        assert not algorithm.verify(private.public_key(), signature, MESSAGE)


def test_good_signature_of_another_curve_or_hash_is_refused() -> None:
    """A signature that holds under the key, but not with the algorithm that is named."""
    p256, p384, k1 = key("P-256"), key("P-384"), key("secp256k1")
    for private, digest, size in ((p256, hashes.SHA512(), 32), (p384, hashes.SHA256(), 48), (k1, hashes.SHA256(), 32)):
        assert isinstance(private, ec.EllipticCurvePrivateKey)
        r, s = decode_dss_signature(private.sign(MESSAGE, ec.ECDSA(digest)))
        signature = raw(r, s, size)
        assert not any(algorithm.verify(private.public_key(), signature, MESSAGE) for algorithm in Algorithm)


@ECDSA
def test_der_signature_is_refused(algorithm: Algorithm) -> None:
    """RFC 9053 §2.1: r and s one after the other; DER is the form of X.509."""
    private = ec_key(algorithm)
    der = private.sign(MESSAGE, ec.ECDSA(EC_ALGORITHMS[algorithm][1]))
    assert not algorithm.verify(private.public_key(), der, MESSAGE)
    # Nor when its length is made the right one.
    size = 2 * EC_ALGORITHMS[algorithm][2]
    assert not algorithm.verify(private.public_key(), der.ljust(size, b"\x00")[:size], MESSAGE)


@ALL
def test_signature_of_the_wrong_length_is_refused(algorithm: Algorithm) -> None:
    private = key(KEY_OF[algorithm])
    good = algorithm.sign(private, MESSAGE)
    for wrong in (b"", good[:1], good[:3], good[:-1], good[1:], good + b"\x00", b"\x00" + good, good + good):
        assert not algorithm.verify(private.public_key(), wrong, MESSAGE)


@ECDSA
def test_same_numbers_in_another_length_are_refused(algorithm: Algorithm) -> None:
    """RFC 9053 §2.1: one form only; a second text of the same certificate would escape a list of signatures."""
    private, size = ec_key(algorithm), EC_ALGORITHMS[algorithm][2]
    good = algorithm.sign(private, MESSAGE)
    assert algorithm.verify(private.public_key(), good, MESSAGE)
    for zeros in (1, 2, size):
        padded = good[:size] + bytes(zeros) + good[size:]
        assert not algorithm.verify(private.public_key(), padded, MESSAGE)


def test_rsa_key_too_small_for_the_padding_verifies_nothing() -> None:
    """RFC 8017 §9.1.1: 64 bytes of hash and 64 of salt do not fit into 1024 bits."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    for signature in (b"", bytes(127), bytes(128), b"\xff" * 128):
        assert not Algorithm.PS512.verify(private.public_key(), signature, MESSAGE)
    with pytest.raises(ValueError, match="key"):
        Algorithm.PS512.sign(private, MESSAGE)


# The order of the group (FIPS 186-4, D.1.2).
ORDERS = {
    Algorithm.ES256: 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
    Algorithm.ES384: int("F" * 48 + "C7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973", 16),
    Algorithm.ES512: int("1" + "F" * 64 + "FA51868783BF2F966B7FCC0148F709A5D03BB5C9B8899C47AEBB6FB71E91386409", 16),
}


@ECDSA
def test_r_or_s_outside_the_group_is_refused(algorithm: Algorithm) -> None:
    """SEC 1 §4.1.4: r and s lie in [1, n-1]. Zeros once passed everywhere (CVE-2022-21449)."""
    private, size, order = ec_key(algorithm), EC_ALGORITHMS[algorithm][2], ORDERS[algorithm]
    good = algorithm.sign(private, MESSAGE)
    r, s = int.from_bytes(good[:size], "big"), int.from_bytes(good[size:], "big")
    assert algorithm.verify(private.public_key(), raw(r, order - s, size), MESSAGE), "order is not the curve's"
    ceiling = 256**size - 1
    for bad_r, bad_s in (
        (0, 0),
        (0, s),
        (r, 0),
        (0, 1),
        (1, 0),
        (order, s),
        (r, order),
        (order, order),
        (ceiling, ceiling),
    ):
        assert not algorithm.verify(private.public_key(), raw(bad_r, bad_s, size), MESSAGE)


@PSS
def test_rsa_signature_of_any_other_padding_is_refused(algorithm: Algorithm) -> None:
    digest, private = PSS_ALGORITHMS[algorithm], rsa_key()
    size = digest.digest_size
    others: list[tuple[padding.AsymmetricPadding, hashes.HashAlgorithm]] = [
        *((padding.PSS(padding.MGF1(digest), salt), digest) for salt in (0, 20, size - 1, size + 1)),
        (padding.PSS(padding.MGF1(digest), padding.PSS.MAX_LENGTH), digest),
        (padding.PSS(padding.MGF1(hashes.SHA1()), size), digest),
        (padding.PSS(padding.MGF1(digest), size), hashes.SHA224()),
        (padding.PKCS1v15(), digest),
    ]
    for scheme, hashed in others:
        assert not algorithm.verify(private.public_key(), private.sign(MESSAGE, scheme, hashed), MESSAGE)


def test_numbers_are_those_of_the_cose_registry() -> None:
    numbers = {-7: "ES256", -35: "ES384", -36: "ES512", -8: "EdDSA", -37: "PS256", -38: "PS384", -39: "PS512"}
    found = {number: Algorithm.from_cose(number) for number in range(-70_000, 1_000)}
    assert {number: algorithm.name for number, algorithm in found.items() if algorithm} == numbers


@pytest.mark.parametrize(
    "value",
    [None, True, False, "ES256", "-7", b"\x26", -7.0, float("nan"), 2**64, -(2**64), [-7], {1: -7}, Algorithm.ES256],
    ids=repr,
)
def test_what_is_no_integer_of_the_registry_is_no_algorithm(value: object) -> None:
    assert Algorithm.from_cose(value) is None


@pytest.mark.parametrize(
    ("name", "algorithm"),
    [
        ("P-256", Algorithm.ES256),
        ("P-384", Algorithm.ES384),
        ("P-521", Algorithm.ES512),
        ("secp256k1", None),
        ("brainpoolP256r1", None),
        ("RSA", Algorithm.PS256),
        ("Ed25519", Algorithm.EdDSA),
    ],
)
def test_key_tells_the_algorithm_it_signs_with(name: str, algorithm: Algorithm | None) -> None:
    assert Algorithm.for_key(key(name).public_key()) is algorithm


@pytest.mark.parametrize(("size", "bits"), [(32, 256), (48, 384), (66, 521)])
def test_der_of_every_length_becomes_raw(size: int, bits: int) -> None:
    lengths = [1, 7, 8, 9, 15, 16, bits // 2, bits - 9, bits - 8, bits - 1, bits]
    for r in lengths:
        for s in lengths:
            first, second = (1 << r) - 1, 1 << (s - 1)
            raw = first.to_bytes(size, "big") + second.to_bytes(size, "big")
            assert _to_raw(encode_dss_signature(first, second), size) == raw
