"""The signature of an Apple pass under OpenSSL, with the pass unpacked as a telephone does."""

from __future__ import annotations

import io
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from healthcert.document.passes.apple import apple_pass
from tests.support import NOW
from tests.unit.document import pass_world as world

OPENSSL = shutil.which("openssl")

pytestmark = pytest.mark.skipif(OPENSSL is None, reason="no openssl command on this machine")


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pass")
    pkpass = apple_pass(world.SHEETS, world.text(), world.signer())
    zipfile.ZipFile(io.BytesIO(pkpass)).extractall(folder)
    (folder / "root.pem").write_bytes(world.root().public_bytes(Encoding.PEM))
    return folder


def openssl(folder: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    assert OPENSSL is not None
    return subprocess.run([OPENSSL, *arguments], cwd=folder, check=False, capture_output=True)


def verify(folder: Path, program: str) -> subprocess.CompletedProcess[bytes]:
    """The intermediate certificate is the one in the signature: the root alone is known."""
    arguments = [program, "-verify", "-inform", "DER", "-in", "signature", "-content", "manifest.json", "-binary"]
    arguments += ["-CAfile", "root.pem", "-purpose", "any", "-attime", str(int(NOW.timestamp())), "-out", "found"]
    return openssl(folder, *arguments)


@pytest.mark.parametrize("program", ["smime", "cms"])
def test_openssl_accepts_the_signature_over_the_manifest(unpacked: Path, program: str) -> None:
    found = verify(unpacked, program)
    assert found.returncode == 0, found.stderr
    assert (unpacked / "found").read_bytes() == (unpacked / "manifest.json").read_bytes()


def test_openssl_refuses_a_changed_manifest(unpacked: Path, tmp_path: Path) -> None:
    for name in ("signature", "manifest.json", "root.pem"):
        shutil.copy(unpacked / name, tmp_path)
    manifest = (tmp_path / "manifest.json").read_bytes()
    (tmp_path / "manifest.json").write_bytes(manifest.replace(b"icon", b"ikon", 1))
    assert verify(tmp_path, "cms").returncode != 0


def test_openssl_finds_the_same_digests_as_the_manifest(unpacked: Path) -> None:
    found = openssl(unpacked, "dgst", "-sha1", "-r", "pass.json", "icon.png", "ar.lproj/pass.strings")
    assert found.returncode == 0, found.stderr
    lines = [line.split() for line in found.stdout.decode().splitlines()]
    manifest = (unpacked / "manifest.json").read_text()
    assert len(lines) == 3
    assert all(f'"{name.lstrip("*")}": "{digest}"' in manifest for digest, name in lines)


def test_openssl_reads_the_time_of_signing(unpacked: Path) -> None:
    found = openssl(unpacked, "cms", "-cmsout", "-print", "-inform", "DER", "-in", "signature")
    assert found.returncode == 0, found.stderr
    assert b"Aug 20 10:00:00 2021 GMT" in found.stdout
    assert b"rsaEncryption" in found.stdout
