"""``healthcert sign``: digests in, signatures out, and nothing of what they are signatures of."""

from __future__ import annotations

import hashlib
import json
import re
import stat
import sys
from pathlib import Path
from typing import Any

import pytest

import healthcert as hc
from healthcert.issue.keysource import open_signer
from healthcert.issue.pki import KeyKind, KeyPair
from healthcert.limits import DEFAULT_LIMITS
from healthcert_cli.commands.demo import RECORD
from tests import softhsm
from tests.cli.conftest import Run
from tests.cli.trust_files import Clock
from tests.support import CLOCK, HOLDER, TEST, dsc, verifier

KEY = ("--key", "dsc.key.pem", "--certificate", "dsc.pem")
DIGEST = hashlib.sha256(b"the Sig_structure").digest()


def desk(folder: Path, kind: KeyKind = KeyKind.EC_P256, passphrase: bytes | None = None) -> KeyPair:
    pair = dsc(kind=kind)
    (folder / "dsc.key.pem").write_bytes(pair.key_pem(passphrase))
    (folder / "dsc.pem").write_bytes(pair.certificate_pem())
    return pair


def asked(pair: KeyPair, **changes: Any) -> str:
    signer = pair.signer()
    request = {"id": 1, "kid": signer.kid.hex(), "algorithm": signer.algorithm.name, "digest": DIGEST.hex()}
    return json.dumps(request | changes) + "\n"


@pytest.mark.parametrize("kind", list(KeyKind))
def test_a_signature_for_every_digest(run: Run, tmp_path: Path, kind: KeyKind) -> None:
    pair = desk(tmp_path, kind)
    done = run("sign", *KEY, stdin="".join(asked(pair, id=number) for number in (1, 2, 3)))
    assert done.exit_code == 0, done.output
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [answer["id"] for answer in answers] == [1, 2, 3]
    for answer in answers:
        signature = bytes.fromhex(answer["signature"])
        assert pair.signer().algorithm.verify(pair.key.public_key(), signature, b"the Sig_structure")
        assert list(answer) == ["id", "signature"]


@pytest.mark.parametrize(
    "changes",
    [{"kid": "00" * 8}, {"algorithm": "PS256"}, {"digest": "ab" * 31}, {"digest": "ab" * 48}, {"payload": "Zoé"}],
)
def test_what_it_does_not_sign(run: Run, tmp_path: Path, changes: dict[str, Any]) -> None:
    pair = desk(tmp_path)
    done = run("sign", *KEY, "--log", "log", stdin=asked(pair, **changes) + asked(pair, id=2))
    assert done.exit_code == 0
    refused, answered = (json.loads(line) for line in done.stdout.splitlines())
    assert (refused["id"], refused["error"]["code"]) == (1, "REQUEST_INVALID")
    assert "signature" not in refused
    assert "Zo" not in done.output
    # One that asks for something else is told so, and the next one is served.
    assert (answered["id"], "signature" in answered) == (2, True)
    assert len(Path("log").read_text().splitlines()) == 1


@pytest.mark.parametrize("line", ["\n", "no JSON\n", "[]\n", '{"id": 1}\n', '{"id": 1, "id": 2}\n', "\x00\n"])
def test_a_line_that_is_no_request(run: Run, tmp_path: Path, line: str) -> None:
    pair = desk(tmp_path)
    done = run("sign", *KEY, stdin=line + asked(pair))
    first, second = (json.loads(answer) for answer in done.stdout.splitlines())
    assert first["error"]["code"] == "REQUEST_INVALID"
    assert "signature" in second


def test_a_line_without_an_end_ends_it(run: Run, tmp_path: Path) -> None:
    pair = desk(tmp_path)
    limit = DEFAULT_LIMITS.signer_line_bytes
    last = asked(pair)[:-2] + " " * (limit - len(asked(pair))) + "}\n"
    assert len(last) == limit
    assert "signature" in run("sign", *KEY, stdin=last).stdout
    done = run("sign", *KEY, stdin=" " + last + asked(pair))
    assert done.exit_code == 1
    [answer] = done.stdout.splitlines()
    assert json.loads(answer)["error"]["code"] == "REQUEST_INVALID"


def test_the_log_names_each_signature_and_no_more(run: Run, tmp_path: Path, clock: Clock) -> None:
    pair = desk(tmp_path)
    for _ in range(2):
        assert run("sign", *KEY, "--log", "log", stdin=asked(pair) * 2).exit_code == 0
    lines = Path("log").read_text().splitlines()
    moment = re.escape(clock.now().isoformat(timespec="seconds"))
    assert len(lines) == 4
    for line in lines:
        assert re.fullmatch(rf"{moment} {pair.signer().kid.hex()} {DIGEST[:8].hex()}", line)
    assert stat.S_IMODE(Path("log").stat().st_mode) == 0o600


def test_nothing_is_signed_that_cannot_be_logged(run: Run, tmp_path: Path) -> None:
    pair = desk(tmp_path)
    done = run("sign", *KEY, "--log", "/dev/full", stdin=asked(pair))
    assert done.exit_code == 4
    assert done.stdout == ""
    assert "ENVIRONMENT" in done.stderr


def test_a_key_that_needs_a_passphrase(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pair = desk(tmp_path, passphrase=b"secret words")
    assert run("sign", *KEY, stdin=asked(pair)).exit_code == 2  # standard input is the requests': no prompt
    Path("words").write_text("secret words\n")
    assert "signature" in run("sign", *KEY, "--passphrase-file", "words", stdin=asked(pair)).stdout
    monkeypatch.setenv("HEALTHCERT_PASSPHRASE", "other words")
    wrong = run("sign", *KEY, stdin=asked(pair))
    assert wrong.exit_code == 4
    assert "words" not in wrong.output


class NoSecrets:
    def passphrase(self, path: Path) -> bytes:
        raise AssertionError("no passphrase is needed")

    def pin(self, token: str) -> str:
        raise AssertionError("no PIN is needed")


@pytest.mark.parametrize("kind", list(KeyKind))
def test_an_issuer_through_the_command(run: Run, tmp_path: Path, kind: KeyKind) -> None:
    """The whole way: an issuer without a key, and the installed command as its signer."""
    pair = desk(tmp_path, kind)
    healthcert = Path(sys.executable).with_name("healthcert")
    key = f"command:{healthcert} sign --key dsc.key.pem --certificate dsc.pem --log log"
    issuer = hc.Issuer(open_signer(key, "dsc.pem", NoSecrets()), country="FR", clock=CLOCK)
    pending = issuer.prepare(TEST, holder=HOLDER)
    assert verifier(pair, policy=hc.Policy.strict()).examine(pending.sign().text).code == "OK"
    assert pending.digest[:8].hex() in Path("log").read_text()
    assert verifier(pair).examine(issuer.issue(TEST, holder=HOLDER).text).code == "OK"


def test_a_list_through_the_command(run: Run, tmp_path: Path, clock: Clock) -> None:
    """Whatever is signed with a key source is signed through a command, too."""
    desk(tmp_path)
    healthcert = Path(sys.executable).with_name("healthcert")
    key = f"command:{healthcert} sign --key dsc.key.pem --certificate dsc.pem --log log"
    done = run("publish", "list", "at", "dsc.pem", "--key", key, "--certificate", "dsc.pem", "--out", "served")
    assert done.exit_code == 0, done.output
    assert len(Path("log").read_text().splitlines()) == 1


def test_a_command_with_another_key_signs_nothing(run: Run, tmp_path: Path) -> None:
    desk(tmp_path)
    (tmp_path / "other").mkdir()
    desk(tmp_path / "other", KeyKind.RSA_3072)
    healthcert = Path(sys.executable).with_name("healthcert")
    key = f"command:{healthcert} sign --key dsc.key.pem --certificate dsc.pem"
    lists = ("publish", "list", "at", "dsc.pem", "--key", key, "--certificate", "other/dsc.pem", "--out", "served")
    done = run(*lists)
    assert done.exit_code == 4
    assert "SIGNING_FAILED: the signer refused: REQUEST_INVALID" in done.output


def test_a_key_in_a_hardware_module(run: Run, tmp_path: Path) -> None:
    """The way of an authority: the issuer has no key, and the signer's never leaves its module."""
    if reason := softhsm.missing():
        pytest.skip(reason)
    pytest.importorskip("pkcs11")
    from tests.hsm.keys import NOW, key_on_token

    token, _ = softhsm.shared_tokens()
    held = key_on_token(token, "Remote DSC", KeyKind.EC_P256.value)
    held.certificate_file(tmp_path)
    (tmp_path / "pin").write_text(softhsm.PIN + "\n")
    healthcert = Path(sys.executable).with_name("healthcert")
    words = f"{healthcert} sign --key '{held.uri}' --certificate dsc.pem --log log --pin-file"
    clock = hc.FixedClock(NOW)
    issuer = hc.Issuer(open_signer(f"command:{words} pin", "dsc.pem", NoSecrets()), country="FR", clock=clock)
    issued = issuer.issue(TEST, holder=HOLDER)
    trust = hc.TrustStore.from_certificates([held.certificate])
    assert hc.Verifier(trust, clock=clock, policy=hc.Policy.strict()).examine(issued.text).code == "OK"
    assert len(Path("log").read_text().splitlines()) == 1


def test_issue_and_verify_without_a_key_of_one_s_own(run: Run) -> None:
    assert run("keys", "new-ca", "--country", "FR", "--no-passphrase").exit_code == 0
    assert run("keys", "new-dsc", "--no-passphrase", "--out", "signer").exit_code == 0
    assert run("trust", "add", "signer/dsc.pem").exit_code == 0
    healthcert = Path(sys.executable).with_name("healthcert")
    words = f"command:{healthcert} sign --key signer/dsc.key.pem --certificate signer/dsc.pem --log log"
    record = [part for name, value in RECORD.items() for part in (f"--{name.replace('_', '-')}", str(value))]
    issued = run("issue", "vaccination", *record, "--key", words, "--certificate", "signer/dsc.pem", "--qr", "out.png")
    assert issued.exit_code == 0, issued.output
    assert run("verify", "out.png").exit_code == 0
    assert len(Path("log").read_text().splitlines()) == 1
