"""OpenSSL, as another implementation, believes the certificates and requests that are made."""

from __future__ import annotations

import shutil
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

import healthcert as hc
from healthcert.issue.pki import (
    DSC,
    TLS_CLIENT,
    UPLOAD,
    KeyKind,
    KeyPair,
    Wishes,
    make_request,
    new_barcode_signer,
    new_client,
    new_csca,
    new_dsc,
    new_key,
    read_request,
    sign_request,
)
from tests.support import NOW

OPENSSL = shutil.which("openssl")
pytestmark = pytest.mark.skipif(OPENSSL is None, reason="the openssl program is not installed")
AT = str(int(NOW.timestamp()) + 60)


def openssl(folder: Path, *arguments: str) -> str:
    assert OPENSSL is not None
    done = subprocess.run([OPENSSL, *arguments], cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def verified(folder: Path, authority: KeyPair, pair: KeyPair, *purpose: str) -> str:
    (folder / "csca.pem").write_bytes(authority.certificate_pem())
    (folder / "leaf.pem").write_bytes(pair.certificate_pem())
    strict = ("verify", "-x509_strict", "-check_ss_sig", "-attime", AT, "-CAfile", "csca.pem")
    return openssl(folder, *strict, *purpose, "leaf.pem")


@pytest.mark.parametrize("kind", list(KeyKind))
def test_every_certificate_verifies_strictly(tmp_path: Path, kind: KeyKind) -> None:
    authority = new_csca("FR", "FR DGC CSCA 1", now=NOW, kind=kind, organisation="Ministry")
    url = "https://health.example/csca.crl"
    dsc = new_dsc(authority, "DSC", now=NOW, kind=kind, usages=tuple(hc.EntryType)[:1], revocation_list=url)
    upload = new_client(UPLOAD, authority, "Upload", now=NOW, kind=kind)
    client = new_client(TLS_CLIENT, authority, "Client", now=NOW, kind=kind)
    assert verified(tmp_path, authority, authority) == "leaf.pem: OK\n"
    assert verified(tmp_path, authority, dsc) == "leaf.pem: OK\n"
    assert verified(tmp_path, authority, upload, "-purpose", "any") == "leaf.pem: OK\n"
    assert verified(tmp_path, authority, client, "-purpose", "sslclient") == "leaf.pem: OK\n"
    assert verified(tmp_path, authority, new_barcode_signer(authority, "BCS", now=NOW)) == "leaf.pem: OK\n"
    own = new_client(TLS_CLIENT, "FR", "Client", now=NOW, kind=kind)
    assert verified(tmp_path, own, own, "-purpose", "sslclient") == "leaf.pem: OK\n"


def test_a_tls_client_is_no_server(tmp_path: Path) -> None:
    authority = new_csca("FR", "CSCA", now=NOW)
    with pytest.raises(AssertionError, match="purpose"):
        verified(tmp_path, authority, new_client(TLS_CLIENT, authority, "Client", now=NOW), "-purpose", "sslserver")


def test_the_private_key_usage_period_is_read(tmp_path: Path) -> None:
    authority = new_csca("FR", "CSCA", now=NOW, use=timedelta(days=365))
    (tmp_path / "csca.pem").write_bytes(authority.certificate_pem())
    text = openssl(tmp_path, "x509", "-in", "csca.pem", "-noout", "-text")
    assert "Private Key Usage Period" in text
    assert "Not Before: Aug 20 10:00:00 2021 GMT, Not After: Aug 20 10:00:00 2022 GMT" in text


@pytest.mark.parametrize("kind", list(KeyKind))
def test_requests_verify(tmp_path: Path, kind: KeyKind) -> None:
    made = make_request(new_key(kind), "FR", "Region 1", profile=DSC, organisation="Région")
    (tmp_path / "dsc.csr.pem").write_bytes(made.public_bytes(Encoding.PEM))
    assert "verify OK" in openssl(tmp_path, "req", "-verify", "-in", "dsc.csr.pem", "-noout", "-utf8")


def test_a_request_of_openssl_gets_a_certificate(tmp_path: Path) -> None:
    openssl(tmp_path, "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", "key.pem")
    openssl(
        tmp_path, "req", "-new", "-utf8", "-key", "key.pem", "-subj", "/C=FR/O=Région/CN=Région 1", "-out", "csr.pem"
    )
    request = read_request((tmp_path / "csr.pem").read_bytes())
    assert (request.country, request.name, request.organisation) == ("FR", "Région 1", "Région")
    authority = new_csca("FR", "CSCA", now=NOW)
    certificate = sign_request(authority, request, DSC, now=NOW, wishes=Wishes(validity=DSC.validity))
    assert verified(tmp_path, authority, KeyPair(authority.key, certificate)) == "leaf.pem: OK\n"
