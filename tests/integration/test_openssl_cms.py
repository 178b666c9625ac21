"""CMS messages of this package under OpenSSL, and OpenSSL's under this package."""

from __future__ import annotations

import base64
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from healthcert.encoding import cms
from healthcert.lists.chain import pinned_signer
from healthcert.publish import gateway
from healthcert.trust.sources.dgcg import Gateway
from tests.gateway_world import Pair, context, lists, make, parts, world
from tests.support import NOW

OPENSSL = shutil.which("openssl")
CONTENT = bytes(range(256)) * 4
KEYS: dict[str, Callable[[], ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey]] = {
    "p-256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "p-384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "p-521": lambda: ec.generate_private_key(ec.SECP521R1()),
    "rsa": lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048),
}

pytestmark = pytest.mark.skipif(OPENSSL is None, reason="no openssl command on this machine")


@pytest.fixture(params=KEYS)
def signer(request: pytest.FixtureRequest) -> Pair:
    return make("EU", "Signer", key=KEYS[request.param]())


def openssl(folder: Path, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[bytes]:
    assert OPENSSL is not None
    return subprocess.run([OPENSSL, *arguments], cwd=folder, check=check, capture_output=True)


def keep(folder: Path, pair: Pair) -> None:
    """The files that OpenSSL signs and verifies with."""
    certificate = x509.load_der_x509_certificate(pair.der).public_bytes(Encoding.PEM)
    (folder / "certificate.pem").write_bytes(certificate)
    key = pair.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "key.pem").write_bytes(key)


def accepts(folder: Path, message: bytes, content: bytes | None) -> bool:
    """Whether OpenSSL accepts a message, its signer's certificate being trusted at the moment of these tests."""
    (folder / "message.der").write_bytes(message)
    arguments = ["cms", "-verify", "-inform", "DER", "-in", "message.der", "-CAfile", "certificate.pem"]
    arguments += ["-purpose", "any", "-attime", str(int(NOW.timestamp())), "-binary", "-out", "found"]
    if content is not None:
        (folder / "content").write_bytes(content)
        arguments += ["-content", "content"]
    done = openssl(folder, *arguments, check=False)
    return done.returncode == 0 and (folder / "found").read_bytes() == CONTENT


def test_openssl_accepts_what_is_written(signer: Pair, tmp_path: Path) -> None:
    keep(tmp_path, signer)
    assert accepts(tmp_path, signer.cms(CONTENT, attached=True), None)
    assert accepts(tmp_path, signer.cms(CONTENT), CONTENT)
    assert not accepts(tmp_path, signer.cms(CONTENT), CONTENT + b".")
    stranger = make("EU", "Signer", key=signer.key)
    assert not accepts(tmp_path, stranger.cms(CONTENT), CONTENT)


def test_openssl_accepts_a_request_to_a_gateway(tmp_path: Path) -> None:
    here = world()
    keep(tmp_path, here.upload["FR"])
    body = gateway.upload_request(here.dsc["FR"].der, here.upload["FR"].signer(), signing_time=NOW)
    (tmp_path / "message.der").write_bytes(base64.b64decode(body))
    verify = ["cms", "-verify", "-inform", "DER", "-in", "message.der", "-CAfile", "certificate.pem", "-binary"]
    openssl(tmp_path, *verify, "-purpose", "any", "-attime", str(int(NOW.timestamp())), "-out", "found")
    assert (tmp_path / "found").read_bytes() == here.dsc["FR"].der


@pytest.mark.parametrize("options", [(), ("-nodetach",), ("-noattr",), ("-stream", "-nodetach")])
def test_what_openssl_signs_is_read(signer: Pair, options: tuple[str, ...], tmp_path: Path) -> None:
    """Streamed messages have indefinite lengths and their content in pieces."""
    keep(tmp_path, signer)
    (tmp_path / "content").write_bytes(CONTENT * 20)
    sign = ["cms", "-sign", "-in", "content", "-signer", "certificate.pem", "-inkey", "key.pem", "-binary"]
    openssl(tmp_path, *sign, "-outform", "DER", "-out", "message.der", "-md", "sha256", *options)
    message = (tmp_path / "message.der").read_bytes()
    anchors = [signer.anchor()]
    assert pinned_signer(message, CONTENT * 20, anchors)[1] == anchors[0]
    assert (cms.read(message).content is None) is ("-nodetach" not in options)


def test_what_openssl_signs_with_pss_is_read(tmp_path: Path) -> None:
    signer = make("EU", "Signer", key=KEYS["rsa"]())
    keep(tmp_path, signer)
    (tmp_path / "content").write_bytes(CONTENT)
    sign = ["cms", "-sign", "-in", "content", "-signer", "certificate.pem", "-inkey", "key.pem", "-binary"]
    for salt in ("digest", "20", "max"):
        options = ["-keyopt", "rsa_padding_mode:pss", "-keyopt", f"rsa_pss_saltlen:{salt}", "-md", "sha256"]
        openssl(tmp_path, *sign, "-outform", "DER", "-out", "message.der", *options)
        assert pinned_signer((tmp_path / "message.der").read_bytes(), CONTENT, [signer.anchor()])


def test_an_item_that_openssl_signed_is_a_key(tmp_path: Path) -> None:
    here = world()
    keep(tmp_path, here.upload["FR"])
    (tmp_path / "content").write_bytes(here.dsc["FR"].der)
    sign = ["cms", "-sign", "-in", "content", "-signer", "certificate.pem", "-inkey", "key.pem", "-binary"]
    openssl(tmp_path, *sign, "-outform", "DER", "-out", "message.der", "-md", "sha256")
    signature = base64.b64encode((tmp_path / "message.der").read_bytes()).decode()
    found = Gateway().load(parts(DSC=[lists()["DSC"][0] | {"signature": signature}]), context())
    assert [key.country for key in found.keys] == ["FR"]
