"""Keys made in a hardware module, from the first authority to a certificate that verifies; none ever leaves it."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

import healthcert as hc
from healthcert_cli.commands.demo import RECORD
from tests import softhsm
from tests.cli.conftest import Run

FLAGS = [part for name, value in RECORD.items() for part in (f"--{name.replace('_', '-')}", str(value))]


@pytest.fixture(scope="module")
def token() -> softhsm.SoftToken:
    if reason := softhsm.missing():
        pytest.skip(reason)
    return softhsm.shared_tokens()[0]


@pytest.fixture
def on_token(run: Run, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Run:
    """Runs commands with the token's PIN in the variable."""
    request.getfixturevalue("token")
    monkeypatch.setenv("HEALTHCERT_PIN", softhsm.PIN)
    return run


def files() -> list[str]:
    return sorted(path.name for path in Path().rglob("*") if path.is_file())


@pytest.mark.parametrize("kind", ["ec-p256", "rsa-3072"])
def test_from_the_authority_to_a_verdict_with_all_keys_in_the_token(
    on_token: Run, token: softhsm.SoftToken, kind: str
) -> None:
    ca, key = token.uri(f"csca {kind}"), token.uri(f"dsc {kind}")
    made = on_token("keys", "new-ca", "--country", "FR", "--kind", kind, "--pkcs11", ca, "--log", "log.txt")
    assert made.exit_code == 0, made.output
    assert "csca.pem written; its key is pkcs11:" in made.output
    made = on_token(
        "keys", "new-dsc", "--ca-key", ca, "--kind", kind, "--pkcs11", key, "--usage", "vaccination",
        "--log", "log.txt", "--json",
    )  # fmt: skip
    assert made.exit_code == 0, made.output
    assert json.loads(made.stdout)["key"].startswith("pkcs11:")
    assert files() == ["csca.pem", "dsc.pem", "log.txt"]
    assert on_token("keys", "check", "dsc.pem", "--ca", "csca.pem").exit_code == 0
    issued = on_token("issue", "vaccination", *FLAGS, "--key", key, "--certificate", "dsc.pem", "--text", "one.txt")
    assert issued.exit_code == 0, issued.output
    seen = on_token("verify", "one.txt", "--trust", "dsc.pem")
    assert (seen.exit_code, "ACCEPTED" in seen.output) == (0, True)
    log = Path("log.txt").read_text("utf-8")
    assert softhsm.PIN not in log
    assert f"object=dsc%20{kind}" in "".join(line.strip() for line in log.splitlines()).replace("Keyliesin", "")


def test_the_private_key_cannot_be_exported(on_token: Run, token: softhsm.SoftToken) -> None:
    from healthcert.issue.hsm.keys import open_token_key

    uri = token.uri("kept")
    assert on_token("keys", "request", "--country", "FR", "--pkcs11", uri).exit_code == 0
    assert files() == ["dsc.csr.pem"]
    key = open_token_key(uri, softhsm.PIN)
    assert key.extractable is False
    with pytest.raises(hc.IssueError) as caught:
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    assert caught.value.code == "SIGNER_KEY_UNREADABLE"
    with pytest.raises(hc.IssueError):
        key.private_numbers()
    key.close()
    if tool := shutil.which("pkcs11-tool"):
        module = str(softhsm.module_file())
        command = [tool, "--module", module, "--token-label", token.label, "--login", "--pin", softhsm.PIN]
        read = [*command, "--read-object", "--type", "privkey", "--label", "kept"]
        done = subprocess.run(read, env=token.environment(), capture_output=True, timeout=60, check=False)
        assert (done.stdout, done.stderr != b"") == (b"", True)


def test_a_request_of_a_token_s_key_comes_back_as_a_certificate(on_token: Run, token: softhsm.SoftToken) -> None:
    uri = token.uri("asking")
    assert on_token("keys", "new-ca", "--country", "FR", "--no-passphrase").exit_code == 0
    assert on_token("keys", "request", "--country", "FR", "--pkcs11", uri).exit_code == 0
    request = x509.load_pem_x509_csr(Path("dsc.csr.pem").read_bytes())
    assert request.is_signature_valid
    assert on_token("keys", "sign-request", "dsc.csr.pem", "--out", "signed").exit_code == 0
    for source in (["--request", "dsc.csr.pem", "--out", "a"], ["--key", uri, "--out", "b"]):
        done = on_token("keys", "accept", "signed/dsc.pem", "--ca", "csca.pem", *source)
        assert done.exit_code == 0, done.output
    again = on_token("keys", "new-dsc", "--key", uri, "--out", "c")
    assert again.exit_code == 0, again.output
    assert not list(Path("c").glob("*.key.pem"))


def test_a_label_that_is_taken_is_told(on_token: Run, token: softhsm.SoftToken) -> None:
    uri = token.uri("twice")
    assert on_token("keys", "new-ca", "--country", "FR", "--pkcs11", uri).exit_code == 0
    done = on_token("keys", "new-ca", "--country", "FR", "--pkcs11", uri, "--out", "b")
    assert (done.exit_code, "FIELD_INVALID" in done.stderr) == (1, True)
    assert not Path("b/csca.pem").exists()


def test_the_file_of_a_pin_is_not_in_the_record(
    run: Run, token: softhsm.SoftToken, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HEALTHCERT_PIN", raising=False)
    pin = Path("secret-place.txt").resolve()
    pin.write_text(softhsm.PIN + "\n")
    uri = token.uri("by file", pin_source=f"file:{pin}")
    done = run("keys", "new-ca", "--country", "FR", "--pkcs11", uri, "--log", "log.txt")
    assert done.exit_code == 0, done.output
    text = "".join(Path("log.txt").read_text("utf-8").split())
    assert "secret-place" not in text + done.output
    assert "object=by%20file" in text
