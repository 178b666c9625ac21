"""``healthcert publish``: what is written is read by ``trust add``, and what the gateway gets it takes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import healthcert as hc
from healthcert.issue.pki import KeyPair, new_dsc
from tests.cli.conftest import Run
from tests.gateway import certificates
from tests.gateway.server import Gateway
from tests.support import DAY, NOW
from tests.unit.trust.lists import authority, signer_of_lists
from tests.unit.trust.lists import dsc_of as certificate_of

pytestmark = pytest.mark.usefixtures("clock")
FILES = {
    "de": ("dsc-list.json",),
    "at": ("trustlist.cbor", "trustlist.sig"),
    "se": ("trust-list.jws",),
    "jwks": ("jwks.jws",),
    "dcc-zip": ("dcc_trustlist.zip", "dcc_trustlist.zip.sig.txt"),
    "dgcg": ("DSC.json", "CSCA.json", "UPLOAD.json"),
    "gdhcn": ("did.json",),
}
OPTIONS: dict[str, tuple[str, ...]] = {
    "dcc-zip": ("--authority", "AT.pem"),
    "dgcg": ("--authority", "AT.pem", "--anchor-key", "FR.key.pem", "--anchor-certificate", "FR.pem"),
    "gdhcn": ("--authority", "AT.pem", "--did", "did:web:example.org:v2:trustlist"),
}


def keep(name: str, pair: KeyPair) -> None:
    Path(f"{name}.pem").write_bytes(pair.certificate_pem())
    Path(f"{name}.key.pem").write_bytes(pair.key_pem(None))


@pytest.fixture
def desk(run: Run) -> Run:
    """A folder with a signer of lists, its country's authority, another one for an anchor, and a DSC to publish."""
    for name, pair in (("signer", signer_of_lists()), ("AT", authority("AT")), ("FR", authority("FR"))):
        keep(name, pair)
    Path("dsc.der").write_bytes(certificate_of("AT", 0))
    return run


SIGNED = ("--key", "signer.key.pem", "--certificate", "signer.pem")


@pytest.mark.parametrize("format_", FILES)
def test_what_is_published_can_be_read(desk: Run, format_: str) -> None:
    done = desk("publish", "list", format_, "dsc.der", *SIGNED, *OPTIONS.get(format_, ()), "--out", "out", "--json")
    assert done.exit_code == 0, done.output
    written = [f"out/{name}" for name in FILES[format_]]
    assert json.loads(done.stdout) == {"format": format_, "keys": 1, "files": written}
    pinned = "FR.pem" if format_ == "dgcg" else "signer.pem"
    read = desk("trust", "add", "--source", format_, "--anchor", pinned, *written, "--json")
    assert read.exit_code == 0, read.output
    assert (json.loads(read.stdout)["added"], json.loads(read.stdout)["skipped"]) == (1, [])


@pytest.mark.parametrize(
    ("arguments", "exit_code", "said"),
    [
        (("de", "dsc.der", "--life", "1h"), 2, "--life is for at, se, jwks"),
        (("dgcg", "dsc.der", "--authority", "AT.pem"), 2, "--anchor-key"),
        (("gdhcn", "dsc.der"), 2, "--did"),
        (("dcc-zip", "dsc.der", "--authority", "FR.pem"), 1, "PUBLISHING_REFUSED"),
        (("de", "key.pem"), 1, "a bare key, not a certificate"),
        (("de", "nonsense.pem"), 1, "CERTIFICATE_UNREADABLE"),
    ],
)
def test_what_cannot_be_published_is_not_written(
    desk: Run, arguments: tuple[str, ...], exit_code: int, said: str
) -> None:
    [key] = hc.TrustStore.from_path("dsc.der")
    Path("0a1b2c3d4e5f6071.pem").write_bytes(key.spki)
    Path("key.pem").mkdir()
    Path("key.pem/0a1b2c3d4e5f6071.pem").write_bytes(key.spki)
    Path("nonsense.pem").write_text("nonsense")
    done = desk("publish", "list", *arguments, *SIGNED, "--out", "out")
    assert (done.exit_code, said in done.output) == (exit_code, True), done.output
    assert not Path("out").exists()


@cache
def uploader() -> KeyPair:
    return new_dsc(authority("FR"), "Uploader", now=NOW - 90 * DAY)


def listed(gateway: Gateway) -> list[bytes]:
    """The DSCs on the gateway."""
    return [row.certificate.der for row in gateway.dgcg.rows if row.type == "DSC" and not row.deleted]


UPLOADER = ("--key", "uploader.key.pem", "--certificate", "uploader.pem")


@pytest.fixture
def gateway(desk: Run, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gateway]:
    """A gateway of which France is a member."""
    keep("uploader", uploader())
    Path("french.der").write_bytes(certificate_of("FR", 0))
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with Gateway() as running:
        running.dgcg.now = NOW - DAY
        running.dgcg.add("AUTHENTICATION", certificates.client().der, authority("EU"))
        running.dgcg.add("CSCA", authority("FR").certificate_der(), authority("EU"))
        running.dgcg.add("UPLOAD", uploader().certificate_der(), authority("EU"))
        running.dgcg.now = NOW
        yield running


def test_a_key_is_added_to_the_gateway_and_withdrawn(desk: Run, gateway: Gateway) -> None:
    there = (
        "--url", gateway.member_url, "--ca", gateway.ca,
        "--client-certificate", gateway.client_certificate, "--client-key", gateway.client_key,
    )  # fmt: skip
    done = desk("publish", "upload", "french.der", *UPLOADER, *there)
    assert (done.exit_code, done.output) == (0, "french.der: added\n")
    assert listed(gateway) == [certificate_of("FR", 0)]
    again = desk("publish", "upload", "french.der", *UPLOADER, *there)
    assert ("FETCH_FAILED" in again.output, again.exit_code) == (True, 4)
    done = desk("publish", "withdraw", "french.der", *UPLOADER, *there, "--json")
    assert (done.exit_code, json.loads(done.stdout)) == (0, {"done": "withdrawn"})
    assert listed(gateway) == []


def test_the_message_may_be_sent_by_other_means(desk: Run, gateway: Gateway) -> None:
    done = desk("publish", "request", "french.der", *UPLOADER, "--out", "request")
    assert done.exit_code == 0
    with hc.HttpFetcher(
        ca=gateway.ca, client_certificate=gateway.client_certificate, client_key=gateway.client_key
    ) as fetcher:
        body = Path("request").read_bytes().strip()
        fetcher.post(f"{gateway.member_url}/signerCertificate", body, content_type="application/cms", limit=10_000)
    assert listed(gateway) == [certificate_of("FR", 0)]
