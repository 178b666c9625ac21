"""``healthcert keys``: a country's keys from the first authority to the next rollover, on the command line."""

from __future__ import annotations

import getpass
import json
import stat
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

import healthcert as hc
from healthcert.trust.certificates import read_certificate
from tests.cli.conftest import Run
from tests.cli.trust_files import Clock
from tests.support import DAY, NOW, csca, dsc

CA = ["keys", "new-ca", "--country", "FR", "--no-passphrase"]
PLAIN = "--no-passphrase"


@pytest.fixture
def authority(run: Run, clock: Clock) -> Run:
    """A CSCA in the folder, made at the moment of the fixtures."""
    done = run(*CA, "--organisation", "Ministry of Examples")
    assert done.exit_code == 0, done.output
    return run


def certificate(name: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(Path(name).read_bytes())


@pytest.mark.parametrize("kind", ["upload", "tls"])
def test_upload_and_tls_certificates(authority: Run, kind: str) -> None:
    done = authority("keys", f"new-{kind}", PLAIN, "--organisation", "Ministry of Examples", "--json")
    assert done.exit_code == 0, done.output
    values = json.loads(done.stdout)
    assert (values["certificate"], values["key"], values["country"]) == (f"{kind}.pem", f"{kind}.key.pem", "FR")
    assert stat.S_IMODE(Path(f"{kind}.key.pem").stat().st_mode) == 0o600
    checked = authority("keys", "check", f"{kind}.pem", "--ca", "csca.pem", "--profile", kind)
    assert (checked.exit_code, checked.output.splitlines()[1:]) == (0, ["  as it should be"])


def test_a_self_signed_one_names_its_country(run: Run) -> None:
    done = run("keys", "new-tls", "--self-signed", "--country", "FR", PLAIN)
    assert done.exit_code == 0, done.output
    assert "May sign" not in done.output
    certificate("tls.pem").verify_directly_issued_by(certificate("tls.pem"))
    for wrong in (["--self-signed"], ["--country", "FR"]):
        assert run("keys", "new-upload", *wrong, PLAIN).exit_code == 2


def test_a_dsc_with_all_that_is_advised(authority: Run) -> None:
    done = authority(
        "keys", "new-dsc", PLAIN, "--organisation", "Ministry of Examples", "--crl-url", "https://a.example/crl",
        "--use", "180d", "--usage", "test",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    checked = authority("keys", "check", "dsc.pem", "--ca", "csca.pem")
    assert (checked.exit_code, checked.output.splitlines()[1:]) == (0, ["  as it should be"])


def test_what_is_not_as_it_must_is_told_and_refused(run: Run) -> None:
    Path("csca.pem").write_bytes(csca().certificate_pem())
    Path("dsc.pem").write_bytes(dsc().certificate_pem())
    assert run("keys", "check", "dsc.pem", "--ca", "csca.pem").exit_code == 0
    alone = run("keys", "check", "dsc.pem")
    assert "not checked: who issued it" in alone.output
    wrong = run("keys", "check", "dsc.pem", "--profile", "tls", "--json")
    assert wrong.exit_code == 1
    values = json.loads(wrong.stdout)
    assert (values["profile"], values["issuer_checked"]) == ("tls", False)
    assert values["findings"][0]["rule"] == "extended-key-usage"
    Path("nothing.pem").write_text("nothing")
    assert run("keys", "check", "nothing.pem").exit_code == 1


def test_a_folder_is_checked_without_its_keys_and_requests(authority: Run) -> None:
    assert authority("keys", "new-dsc", PLAIN).exit_code == 0
    assert authority("keys", "new-bcs", PLAIN).exit_code == 0
    assert authority("keys", "new-tls", PLAIN).exit_code == 0
    assert authority("keys", "request", "--country", "FR", "--out", "r", PLAIN).exit_code == 0
    done = authority("keys", "check", ".", "--ca", "csca.pem")
    assert done.exit_code == 0, done.output
    titles = [line.split(": ")[1].split(",")[0] for line in done.output.splitlines() if ", kid " in line]
    assert titles == [
        "barcode signer's certificate",
        "national signing authority (CSCA)",
        "document signing certificate (DSC)",
        "TLS client certificate",
    ]


def test_a_key_that_is_there_already_gets_a_certificate(authority: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEALTHCERT_PASSPHRASE", "secret words")
    assert authority("keys", "request", "--country", "FR").exit_code == 0
    assert b"ENCRYPTED" in Path("dsc.key.pem").read_bytes()
    before = Path("dsc.key.pem").read_bytes()
    done = authority("keys", "new-dsc", "--key", "dsc.key.pem")
    assert done.exit_code == 0, done.output
    assert Path("dsc.key.pem").read_bytes() == before
    key = load_pem_private_key(before, b"secret words")
    assert certificate("dsc.pem").public_key() == key.public_key()


def test_a_request_is_made_signed_and_taken_in(authority: Run) -> None:
    done = authority(
        "keys", "request", "--country", "FR", "--name", "Region 1", "--usage", "vaccination", "--out", "region", PLAIN,
        "--log", "region.log",
    )  # fmt: skip
    assert (done.exit_code, done.output) == (0, "region/dsc.csr.pem written; its key is region/dsc.key.pem\n")
    signed = authority(
        "keys", "sign-request", "region/dsc.csr.pem", "--usage", "test", "--days", "100", "--out", "signed"
    )
    assert signed.exit_code == 0, signed.output
    assert "not taken from the request: the extensions 2.5.29.15, 2.5.29.37" in signed.stderr
    assert list(Path("signed").iterdir()) == [Path("signed/dsc.pem")]
    found = read_certificate(dsc_der("signed/dsc.pem"))
    assert found.usages == frozenset((hc.EntryType.TEST,))
    assert found.not_after == NOW + 100 * DAY
    taken = authority(
        "keys", "accept", "signed/dsc.pem", "--request", "region/dsc.csr.pem", "--ca", "csca.pem", "--out", "region",
        "--log", "region.log",
    )  # fmt: skip
    assert taken.exit_code == 0, taken.output
    assert "advice: usages: it may sign test, which is not what was asked for" in taken.stderr
    assert Path("region/dsc.pem").read_bytes() == Path("signed/dsc.pem").read_bytes()
    assert Path("region.log").read_text("utf-8").count("RECORD OF A KEY CEREMONY") == 2
    again = authority(
        "keys", "accept", "signed/dsc.pem", "--key", "region/dsc.key.pem", "--ca", "csca.pem", "--out", "region"
    )
    assert (again.exit_code, "will not be replaced" in again.output) == (4, True)


def dsc_der(name: str) -> bytes:
    return certificate(name).public_bytes(Encoding.DER)


def test_what_does_not_fit_is_not_taken_in(authority: Run) -> None:
    assert authority("keys", "request", "--country", "FR", PLAIN).exit_code == 0
    Path("other.pem").write_bytes(dsc().certificate_pem())
    done = authority("keys", "accept", "other.pem", "--request", "dsc.csr.pem", "--ca", "csca.pem")
    assert (done.exit_code, "SIGNER_KEY_MISMATCH" in done.stderr) == (4, True)
    assert not Path("dsc.pem").exists()
    for wrong in ([], ["--request", "dsc.csr.pem", "--key", "dsc.key.pem"]):
        assert authority("keys", "accept", "other.pem", "--ca", "csca.pem", *wrong).exit_code == 2


def test_a_foreign_country_s_request_is_refused(authority: Run) -> None:
    assert authority("keys", "request", "--country", "DE", PLAIN).exit_code == 0
    done = authority("keys", "sign-request", "dsc.csr.pem", "--out", "signed")
    assert (done.exit_code, "REQUEST_INVALID" in done.stderr) == (1, True)
    assert not Path("signed").exists()


def test_the_plan_of_a_rollover(authority: Run, clock: Clock) -> None:
    assert authority("keys", "new-dsc", PLAIN).exit_code == 0
    clock.moment = NOW + 40 * DAY
    done = authority("keys", "roll", "dsc.pem", "--ca", "csca.pem")
    assert done.exit_code == 0, done.output
    assert done.output.splitlines()[0] == (
        "2022-02-19  make the next DSC for recovery, test, vaccination by then, "
        "and give it to the gateway and to verifiers"
    )
    clock.moment = NOW + 400 * DAY
    late = authority("keys", "roll", "dsc.pem", "--ca", "csca.pem", "--json")
    assert late.exit_code == 1
    gaps = json.loads(late.stdout)["gaps"]
    assert any("overdue" in gap["detail"] for gap in gaps)
    assert "GAP  from 2022-09-24" in authority("keys", "roll", "dsc.pem").output
    assert authority("keys", "roll", "csca.pem").exit_code == 1
    Path("nothing.pem").write_text("nothing")
    assert authority("keys", "roll", "nothing.pem").exit_code == 1


def test_the_record_of_a_ceremony(authority: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEALTHCERT_PASSPHRASE", "secret words")
    for command in (
        ["new-ca", "--country", "FR", "--out", "2"],
        ["new-dsc", "--out", "2"],
        ["new-bcs", "--out", "2"],
        ["new-upload", "--out", "2"],
        ["new-tls", "--out", "2"],
        ["new-issuer", "shc", "--issuer-id", "https://cards.example/issuer", "--out", "2"],
    ):
        done = authority("keys", *command, "--log", "log.txt", "--operator", "A. Officer")
        assert done.exit_code == 0, done.output
    text = Path("log.txt").read_text("utf-8")
    assert text.count("RECORD OF A KEY CEREMONY") == text.count("Who             A. Officer") == 6
    assert "Command         healthcert keys new-ca" in text or "keys new-ca" in text
    assert "Key lies in     2/dsc.key.pem" in text
    assert "secret" not in text
    assert "PRIVATE" not in text
    assert max(map(len, text.splitlines())) == 72
    monkeypatch.setattr(getpass, "getuser", lambda: "alice")
    assert authority("keys", "new-dsc", "--out", "3", "--log", "log.txt").exit_code == 0
    assert "Who             alice" in Path("log.txt").read_text("utf-8")

    def nobody() -> str:
        raise OSError("no login name")

    monkeypatch.setattr(getpass, "getuser", nobody)
    assert authority("keys", "new-dsc", "--out", "4", "--log", "log.txt").exit_code == 0
    assert "Who             unknown" in Path("log.txt").read_text("utf-8")


def test_a_record_that_cannot_be_kept_is_told_before_a_key_is_made(authority: Run) -> None:
    before = Path("csca.key.pem").read_bytes()
    done = authority("keys", "new-dsc", PLAIN, "--log", "csca.key.pem")
    assert (done.exit_code, "not a record" in done.output) == (2, True)
    assert authority("keys", "new-dsc", PLAIN, "--log", "no/such/log.txt").exit_code == 4
    assert not Path("dsc.key.pem").exists()
    assert Path("csca.key.pem").read_bytes() == before


@pytest.mark.parametrize(
    "arguments",
    [
        ["--pkcs11", "pkcs11:token=T;object=d?module-path=/m.so", "--key", "csca.key.pem"],
        ["--pkcs11", "pkcs11:token=T;object=d?module-path=/m.so", "--no-passphrase"],
        ["--pkcs11", "pkcs11:token=T;object=d?pin-value=1234"],
        ["--pkcs11", "dsc"],
        ["--key", "missing.pem"],
    ],
)
def test_wrong_sources_of_keys(authority: Run, arguments: list[str]) -> None:
    done = authority("keys", "new-dsc", *arguments)
    assert done.exit_code == 2, done.output
    assert "1234" not in done.output


def test_times_are_of_the_machine_s_clock(authority: Run, clock: Clock) -> None:
    clock.moment = NOW + 10 * DAY + timedelta(microseconds=5)
    assert authority("keys", "new-dsc", PLAIN).exit_code == 0
    assert certificate("dsc.pem").not_valid_before_utc == NOW + 10 * DAY


@pytest.mark.parametrize("content", [b"nothing", b"-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n"])
def test_an_authority_that_cannot_be_read(authority: Run, content: bytes) -> None:
    Path("csca.pem").write_bytes(content)
    done = authority("keys", "new-dsc", PLAIN)
    assert (done.exit_code, "CERTIFICATE_UNREADABLE" in done.stderr) == (1, True)


def test_another_authority_s_key(authority: Run) -> None:
    assert authority(*CA, "--out", "2").exit_code == 0
    done = authority("keys", "new-dsc", "--ca-key", "2/csca.key.pem", PLAIN)
    assert (done.exit_code, "SIGNER_KEY_MISMATCH" in done.stderr) == (4, True)
    assert authority("keys", "new-dsc", "--ca-key", "command:signer", PLAIN).exit_code == 1
    assert not Path("dsc.key.pem").exists()


def test_without_an_authority_it_is_wrong_usage(run: Run) -> None:
    done = run("keys", "new-dsc", PLAIN)
    assert (done.exit_code, "csca.pem" in done.stderr) == (2, True)
