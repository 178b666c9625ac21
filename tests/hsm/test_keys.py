"""Keys made inside a token: they sign certificates and requests, and nothing gets them out."""

from __future__ import annotations

import copy
import hashlib
import shutil
import subprocess
from datetime import timedelta
from typing import Any

import pkcs11
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from pkcs11 import Attribute

import healthcert as hc
from healthcert.encoding.algorithms import Algorithm
from healthcert.issue.hsm import making, objects
from healthcert.issue.hsm.keys import TokenEcKey, TokenRsaKey, new_token_key, open_token_key
from healthcert.issue.hsm.login import close, open_session
from healthcert.issue.hsm.module import this_process
from healthcert.issue.hsm.uri import Pkcs11Uri
from healthcert.issue.pki import KeyKind
from tests import softhsm
from tests.hsm.keys import NOW, KeyOnToken

SHA256 = hashes.SHA256()
PSS = padding.PSS(padding.MGF1(SHA256), padding.PSS.DIGEST_LENGTH)


def builder_for(of: KeyOnToken) -> x509.CertificateBuilder:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "CSCA")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(of.key.public_key())
    return builder.serial_number(1).not_valid_before(NOW).not_valid_after(NOW + timedelta(days=1))


def test_a_certificate_is_signed_by_a_key_in_the_token(on_token: KeyOnToken) -> None:
    certificate = builder_for(on_token).sign(on_token.key, SHA256)
    certificate.verify_directly_issued_by(certificate)
    assert certificate.signature_hash_algorithm == SHA256


def test_a_request_proves_possession(on_token: KeyOnToken) -> None:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COUNTRY_NAME, "FR")])
    request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(on_token.key, SHA256)
    assert request.is_signature_valid


def test_an_rsa_certificate_with_pss(on_token: KeyOnToken) -> None:
    if not isinstance(on_token.key, rsa.RSAPrivateKey):
        pytest.skip("PSS is RSA's")
    certificate = builder_for(on_token).sign(on_token.key, SHA256, rsa_padding=PSS)
    certificate.verify_directly_issued_by(certificate)
    assert certificate.signature_algorithm_oid == x509.SignatureAlgorithmOID.RSASSA_PSS


@pytest.mark.parametrize("prehashed", [False, True])
def test_the_algorithms_of_cose_take_it_as_any_key(on_token: KeyOnToken, prehashed: bool) -> None:
    algorithm = Algorithm.for_key(on_token.key.public_key())
    assert algorithm is not None
    data = hashlib.sha256(b"data").digest() if prehashed else b"data"
    signature = algorithm.sign(on_token.key, data, prehashed=prehashed)
    assert algorithm.verify(on_token.key.public_key(), signature, b"data")


def test_cryptography_gets_no_secret_out(on_token: KeyOnToken) -> None:
    key = on_token.key
    with pytest.raises(hc.IssueError) as caught:
        key.private_numbers()
    assert caught.value.code is hc.Code.SIGNER_KEY_UNREADABLE
    with pytest.raises(hc.IssueError) as caught:
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    assert caught.value.code is hc.Code.SIGNER_KEY_UNREADABLE
    assert copy.copy(key) is key
    assert copy.deepcopy(key) is key


def test_the_module_gets_no_secret_out(on_token: KeyOnToken) -> None:
    def work(session: pkcs11.Session) -> None:
        (key,) = objects.private_keys(session, Pkcs11Uri.parse(on_token.uri))
        for secret in (Attribute.VALUE, Attribute.PRIVATE_EXPONENT, Attribute.PRIME_1, Attribute.COEFFICIENT):
            with pytest.raises((pkcs11.AttributeSensitive, pkcs11.AttributeTypeInvalid)):
                key[secret]
        own = Attribute.VALUE if on_token.key.key_size == 256 else Attribute.PRIVATE_EXPONENT
        with pytest.raises(pkcs11.AttributeSensitive):
            key[own]
        wrapping: Any = session.generate_key(pkcs11.KeyType.AES, 256)
        with pytest.raises((pkcs11.KeyUnextractable, pkcs11.KeyNotWrappable)):
            wrapping.wrap_key(key, mechanism=pkcs11.Mechanism.AES_KEY_WRAP_PAD)
        # What is once so cannot be undone.
        with pytest.raises(pkcs11.AttributeReadOnly):
            key[Attribute.EXTRACTABLE] = True
        with pytest.raises(pkcs11.AttributeReadOnly):
            key[Attribute.SENSITIVE] = False
        assert key[Attribute.NEVER_EXTRACTABLE] is True
        assert key[Attribute.ALWAYS_SENSITIVE] is True
        # Made here, and not brought from elsewhere.
        assert key[Attribute.LOCAL] is True
        close(session)

    uri = Pkcs11Uri.parse(on_token.uri)
    open_session(this_process().module(str(softhsm.module_file())), uri, softhsm.PIN, work, writing=True)


def test_the_tool_of_opensc_gets_no_secret_out(ec_key: KeyOnToken, token: softhsm.SoftToken) -> None:
    tool = shutil.which("pkcs11-tool")
    if tool is None:
        pytest.skip("pkcs11-tool is not installed (Debian: opensc)")
    command = [tool, "--module", str(softhsm.module_file()), "--token-label", token.label, "--label", "DSC alone"]
    command += ["--login", "--pin", softhsm.PIN, "--read-object", "--type"]
    private, public = (
        subprocess.run([*command, kind], env=token.environment(), capture_output=True, timeout=60, check=False)
        for kind in ("privkey", "pubkey")
    )
    assert private.stdout == b""
    assert private.stderr
    assert public.returncode == 0
    assert public.stdout == ec_key.key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


@pytest.mark.parametrize(
    "way",
    [
        ec.ECDSA(hashes.SHA1()),
        ec.ECDSA(hashes.SHA3_256()),
        ec.ECDSA(utils.Prehashed(hashes.SHA1())),
        ec.ECDSA(SHA256, deterministic_signing=True),
    ],
)
def test_ways_of_ecdsa_that_are_not_there(ec_key: KeyOnToken, way: ec.ECDSA) -> None:
    assert isinstance(ec_key.key, TokenEcKey)
    with pytest.raises(hc.IssueError) as caught:
        ec_key.key.sign(b"twenty bytes of data", way)
    assert caught.value.code is hc.Code.SIGNING_FAILED


@pytest.mark.parametrize(
    "way",
    [
        padding.PSS(padding.MGF1(hashes.SHA1()), 32),
        padding.PSS(padding.MGF1(SHA256), 20),
        padding.PSS(padding.MGF1(SHA256), padding.PSS.MAX_LENGTH),
        padding.OAEP(padding.MGF1(SHA256), SHA256, None),
    ],
)
def test_ways_of_padding_that_are_not_there(on_token: KeyOnToken, way: padding.PSS) -> None:
    if not isinstance(on_token.key, TokenRsaKey):
        pytest.skip("padding is RSA's")
    with pytest.raises(hc.IssueError) as caught:
        on_token.key.sign(b"data", way, SHA256)
    assert caught.value.code is hc.Code.SIGNING_FAILED


def test_a_key_does_nothing_but_sign(ec_key: KeyOnToken) -> None:
    assert isinstance(ec_key.key, TokenEcKey)
    with pytest.raises(hc.IssueError) as caught:
        ec_key.key.exchange(ec.ECDH(), ec_key.key.public_key())
    assert caught.value.code is hc.Code.SIGNING_FAILED


def test_a_label_or_id_that_is_taken(token: softhsm.SoftToken, ec_key: KeyOnToken) -> None:
    for uri in (token.uri("DSC alone"), token.uri()):
        with pytest.raises(hc.IssueError) as caught:
            new_token_key(uri, KeyKind.EC_P256, softhsm.PIN)
        assert caught.value.code is hc.Code.FIELD_INVALID
    first = token.uri("By id").replace("?", ";id=%C0%01?")
    new_token_key(first, KeyKind.EC_P256, softhsm.PIN)
    with pytest.raises(hc.IssueError) as caught:
        new_token_key(first.replace("By%20id", "Other"), KeyKind.EC_P256, softhsm.PIN)
    assert caught.value.code is hc.Code.FIELD_INVALID
    opened = open_token_key(token.uri().replace("?", ";id=%C0%01?"), softhsm.PIN)
    assert isinstance(opened, TokenEcKey)


def test_a_name_of_several_keys_is_no_name(token: softhsm.SoftToken, ec_key: KeyOnToken) -> None:
    new_token_key(token.uri("One more"), KeyKind.EC_P256, softhsm.PIN)
    with pytest.raises(hc.IssueError) as caught:
        open_token_key(token.uri(), softhsm.PIN)
    assert caught.value.code is hc.Code.TOKEN_UNAVAILABLE


def test_a_key_that_could_leave_is_not_kept(token: softhsm.SoftToken, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(making._PRIVATE, Attribute.EXTRACTABLE, True)
    with pytest.raises(hc.IssueError) as caught:
        new_token_key(token.uri("Loose"), KeyKind.EC_P256, softhsm.PIN)
    assert caught.value.code is hc.Code.TOKEN_UNAVAILABLE
    with pytest.raises(hc.IssueError) as caught:
        open_token_key(token.uri("Loose"), softhsm.PIN)
    assert caught.value.code is hc.Code.TOKEN_UNAVAILABLE


@pytest.mark.parametrize("curve", [ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()])
def test_points_with_and_without_their_wrapping(curve: ec.EllipticCurve) -> None:
    uncompressed = serialization.PublicFormat.UncompressedPoint
    for _ in range(40):
        point = ec.generate_private_key(curve).public_key().public_bytes(serialization.Encoding.X962, uncompressed)
        head = b"\x04" + (bytes((len(point),)) if len(point) < 128 else bytes((0x81, len(point))))
        assert objects._bare_point(head + point, curve) == point
        assert objects._bare_point(point, curve) == point
