"""One door to all keys: files, tokens, commands; and how the command line asks for secrets."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric import ec

import healthcert as hc
from healthcert.issue import keysource
from healthcert.issue.hsm.signer import Pkcs11Signer
from healthcert.issue.pki import new_dsc
from healthcert.issue.signer import PemSigner, Signer, load_certificate
from healthcert_cli.exits import boundary
from healthcert_cli.options import pin_option
from healthcert_cli.signing import CommandLineSecrets, KeySource, load_signer, signer_options
from tests import softhsm
from tests.hsm.keys import NOW, KeyOnToken, csca


class Given:
    """Secrets that are known; counts how often each is asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def passphrase(self, path: Path) -> bytes:
        self.asked.append(path.name)
        return b"a passphrase of words"

    def pin(self, token: str) -> str:
        self.asked.append(token)
        return softhsm.PIN


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """A key file with a passphrase, and its DSC."""
    pair = new_dsc(csca(), "File", now=NOW)
    key, certificate = tmp_path / "dsc.key.pem", tmp_path / "dsc.pem"
    key.write_bytes(pair.key_pem(b"a passphrase of words"))
    certificate.write_bytes(pair.certificate_pem())
    return key, certificate


def test_a_file(files: tuple[Path, Path]) -> None:
    secrets = Given()
    assert isinstance(keysource.open_signer(files[0], files[1], secrets), PemSigner)
    assert isinstance(keysource.open_signer(str(files[0]), str(files[1]), secrets), PemSigner)
    assert isinstance(keysource.open_private_key(files[0], secrets), ec.EllipticCurvePrivateKey)
    assert secrets.asked == ["dsc.key.pem"] * 3


def test_a_key_of_a_token(ec_key: KeyOnToken, tmp_path: Path) -> None:
    secrets = Given()
    signer = keysource.open_signer(ec_key.uri, ec_key.certificate_file(tmp_path), secrets)
    assert isinstance(signer, Pkcs11Signer)
    key = keysource.open_private_key(ec_key.uri, secrets)
    assert key.public_key() == ec_key.key.public_key()
    assert secrets.asked == ["Health", "Health"]


def test_the_pin_in_the_file_that_the_uri_names(ec_key: KeyOnToken, token: softhsm.SoftToken, tmp_path: Path) -> None:
    secrets, pin = Given(), tmp_path / "the pin"
    pin.write_text(f"{softhsm.PIN}\nanything\n")
    uri = token.uri("DSC alone", pin_source=f"file:{pin}")
    assert keysource.open_signer(uri, ec_key.certificate_file(tmp_path), secrets).sign(b"data")
    assert secrets.asked == []


@pytest.mark.parametrize("content", [b"", b"\n123456\n", b"\xff\xfe\n"])
def test_a_pin_file_without_a_pin(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "pin").write_bytes(content)
    with pytest.raises(hc.IssueError) as caught:
        keysource.read_pin(tmp_path / "pin")
    assert caught.value.code is hc.Code.PIN_REFUSED


@pytest.mark.parametrize("key", ["command:", "command: ", "command:ssh 'unfinished"])
def test_a_command_that_is_none(files: tuple[Path, Path], key: str) -> None:
    with pytest.raises(hc.IssueError) as caught:
        keysource.open_signer(key, files[1], Given())
    assert caught.value.code is hc.Code.FIELD_INVALID


def test_a_command_signs_no_certificates_of_keys() -> None:
    with pytest.raises(hc.IssueError) as caught:
        keysource.open_private_key("command:ssh signer healthcert sign", Given())
    assert caught.value.code is hc.Code.FIELD_INVALID


def test_a_certificate_file_without_one(files: tuple[Path, Path]) -> None:
    files[1].write_text("nothing")
    with pytest.raises(hc.IssueError) as caught:
        load_certificate(files[1])
    assert caught.value.code is hc.Code.CERTIFICATE_UNREADABLE


@pytest.mark.parametrize("missing", ["pkcs11", "asn1crypto"])
def test_without_the_extra(ec_key: KeyOnToken, monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    for name in [name for name in sys.modules if name.startswith("healthcert.issue.hsm.")]:
        monkeypatch.delitem(sys.modules, name)
    for name in [name for name in sys.modules if name.partition(".")[0] == missing]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, missing, None)
    if missing == "asn1crypto":
        for name in [name for name in sys.modules if name.partition(".")[0] == "pkcs11"]:
            monkeypatch.delitem(sys.modules, name)
    with pytest.raises(hc.IssueError) as caught:
        keysource.open_private_key(ec_key.uri, Given())
    assert caught.value.code is hc.Code.EXTRA_MISSING
    assert "healthcert[hsm]" in caught.value.detail


# --- The command line ---


@click.command()
@signer_options
@boundary
def of_lists(key: str | Path, certificate: Path, passphrase_file: Path | None) -> None:
    click.echo(type(load_signer(key, certificate, passphrase_file)).__name__)


@click.command()
@click.option("--key", type=KeySource(), required=True)
@click.option("--certificate", type=click.Path(path_type=Path), required=True)
@pin_option
@boundary
def of_certificates(key: str | Path, certificate: Path, pin_file: Path | None) -> None:
    signer: Signer = load_signer(key, certificate, None, pin_file)
    click.echo(type(signer).__name__)


@pytest.mark.parametrize("command", [of_lists, of_certificates])
def test_the_pin_from_a_file_or_a_variable(
    command: click.Command, ec_key: KeyOnToken, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HEALTHCERT_PIN", raising=False)
    (tmp_path / "pin").write_text(softhsm.PIN)
    arguments = ["--key", ec_key.uri, "--certificate", str(ec_key.certificate_file(tmp_path))]
    result = CliRunner().invoke(command, [*arguments, "--pin-file", str(tmp_path / "pin")])
    assert (result.exit_code, result.output) == (0, "Pkcs11Signer\n")
    result = CliRunner().invoke(command, arguments, env={"HEALTHCERT_PIN": softhsm.PIN})
    assert (result.exit_code, result.output) == (0, "Pkcs11Signer\n")
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == 2
    assert "--pin-file" in result.output


def test_a_prompt_that_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def prompt(text: str, **choices: bool) -> str:
        asked.append((text, choices["hide_input"]))
        return "123456"

    class Terminal:
        def isatty(self) -> bool:
            return True

    monkeypatch.delenv("HEALTHCERT_PIN", raising=False)
    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr(click, "prompt", prompt)
    assert CommandLineSecrets().pin("Health\x1b[2J") == "123456"
    ((text, hidden),) = asked
    assert hidden
    assert "\x1b" not in text


@pytest.mark.parametrize(
    ("key", "says"),
    [
        ("pkcs11:token=Health?pin-value=123456", "pin-value"),
        ("pkcs11:nonsense", "name=value"),
        ("no-such-file.pem", "does not exist"),
    ],
)
def test_keys_that_are_refused_as_usage(files: tuple[Path, Path], key: str, says: str) -> None:
    result = CliRunner().invoke(of_certificates, ["--key", key, "--certificate", str(files[1])])
    assert result.exit_code == 2
    assert says in result.output
    assert "123456" not in result.output


def test_what_a_key_may_be(files: tuple[Path, Path]) -> None:
    kind = KeySource()
    assert kind.convert(str(files[0]), None, None) == files[0]
    assert kind.convert(files[0], None, None) == files[0]
    assert kind.convert("pkcs11:token=Health", None, None) == "pkcs11:token=Health"
    assert kind.convert("command:ssh signer healthcert sign", None, None) == "command:ssh signer healthcert sign"


def test_a_refused_pin_is_an_error_of_the_place(ec_key: KeyOnToken, tmp_path: Path) -> None:
    from healthcert.issue.hsm.module import this_process

    this_process().module(str(softhsm.module_file())).start_anew()
    arguments = ["--key", ec_key.uri, "--certificate", str(ec_key.certificate_file(tmp_path))]
    result = CliRunner().invoke(of_certificates, arguments, env={"HEALTHCERT_PIN": "999999"})
    assert result.exit_code == 4
    assert "PIN_REFUSED" in result.output
    assert "999999" not in result.output
