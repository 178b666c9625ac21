"""An authority whose keys are in a hardware module: made there, signing there, and nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import softhsm
from tests.cli.conftest import Run
from tests.cli.trust_files import json_of, lines_of

DOSE = ("--product", "Comirnaty", "--dose", "2", "--series", "2", "--date", "2021-06-11")
WHO = ("--family-name", "Exemplaire", "--given-name", "Zoé", "--birth-date", "1984-02-29")


@pytest.fixture
def token(monkeypatch: pytest.MonkeyPatch) -> softhsm.SoftToken:
    if reason := softhsm.missing():
        pytest.skip(reason)
    monkeypatch.setenv("HEALTHCERT_PIN", softhsm.PIN)
    return softhsm.shared_tokens()[0]


@pytest.mark.parametrize("kind", ["ec-p256", "rsa-3072"])
def test_a_key_of_a_module_issues_for_an_authority(run: Run, token: softhsm.SoftToken, kind: str) -> None:
    uri = token.uri(f"cli-{kind}")
    assert run("keys", "new-ca", "--country", "FR", "--no-passphrase").exit_code == 0
    made = run("keys", "new-dsc", "--pkcs11", uri, "--kind", kind, "--json")
    assert made.exit_code == 0, made.output
    assert not Path("dsc.key.pem").exists()
    assert softhsm.PIN not in made.output
    assert (
        run("init", "--country", "FR", "--issuer", "Examples", "--key", uri, "--certificate", "dsc.pem").exit_code == 0
    )
    assert run("trust", "add", "dsc.pem").exit_code == 0
    issued = run("issue", "vaccination", *WHO, *DOSE)
    assert issued.exit_code == 0, issued.output
    # Its signatures differ from one to the next: that the text is the same is the register's work.
    assert run("issue", "vaccination", *WHO, *DOSE).stdout == issued.stdout
    [report] = lines_of(run("verify", "-", "--json", stdin=issued.stdout))
    assert report["code"] == "OK"
    assert run("doctor", "--pin-file", _pin_file()).exit_code == 0


def test_without_a_profile_the_key_is_named_by_its_uri(run: Run, token: softhsm.SoftToken) -> None:
    uri = token.uri("cli-alone")
    run("keys", "new-ca", "--country", "FR", "--no-passphrase")
    assert run("keys", "new-dsc", "--pkcs11", uri).exit_code == 0
    issued = run(
        "issue",
        "vaccination",
        *WHO,
        *DOSE,
        "--issuer-name",
        "Examples",
        "--key",
        uri,
        "--certificate",
        "dsc.pem",
        "--json",
    )
    assert json_of(issued)["text"].startswith("HC1:")


def test_a_wrong_pin_is_tried_once(run: Run, token: softhsm.SoftToken, monkeypatch: pytest.MonkeyPatch) -> None:
    uri = softhsm.shared_tokens()[1].uri("cli-locked")
    monkeypatch.setenv("HEALTHCERT_PIN", "000000")
    run("keys", "new-ca", "--country", "FR", "--no-passphrase")
    refused = run("keys", "new-dsc", "--pkcs11", uri)
    assert (refused.exit_code, "PIN_REFUSED" in refused.stderr, "000000" in refused.output) == (4, True, False)


def _pin_file() -> Path:
    file = Path("pin")
    file.write_text(softhsm.PIN + "\n")
    return file
