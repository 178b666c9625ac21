"""The programs in ``examples/``, run as their users run them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.snippets import environment, run_command

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``dsc.pem`` and ``dsc.key.pem``."""
    folder = tmp_path_factory.mktemp("keys")
    run_command("healthcert keys new-ca --country FR --no-passphrase", folder)
    run_command("healthcert keys new-dsc --no-passphrase", folder)
    return folder


def run(folder: Path, example: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", str(EXAMPLES / example), *map(str, arguments)]
    return subprocess.run(
        command, cwd=folder, env=environment(folder), capture_output=True, encoding="utf-8", timeout=60, check=False
    )


def test_issue_and_verify(keys: Path, tmp_path: Path) -> None:
    result = run(tmp_path, "issue_and_verify.py", keys / "dsc.key.pem", keys / "dsc.pem", "certificate.png")
    assert result.returncode == 0, result.stderr
    assert "accepted: OK" in result.stdout
    assert "revocation not_run" in result.stdout


def test_own_signer(keys: Path, tmp_path: Path) -> None:
    result = run(tmp_path, "own_signer.py", keys / "dsc.key.pem", keys / "dsc.pem")
    assert result.returncode == 0, result.stderr
    assert "valid for 3 days\nverified: accepted\n" in result.stdout


def test_verify_folder(keys: Path, tmp_path: Path) -> None:
    scans = tmp_path / "scans"
    scans.mkdir()
    assert run(scans, "issue_and_verify.py", keys / "dsc.key.pem", keys / "dsc.pem", "a.png").returncode == 0

    result = run(tmp_path, "verify_folder.py", keys / "dsc.pem", "scans")
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout) == {"file": "a.png", "outcome": "accepted", "code": "OK", "step": None}

    (scans / "b.txt").write_text("hello\n", "utf-8")
    (scans / "c.png").write_bytes(b"no picture")
    (scans / "d.smart-health-card").write_text('{\n "verifiableCredential": [\n ]\n}\n', "utf-8")
    result = run(tmp_path, "verify_folder.py", keys / "dsc.pem", "scans")
    assert result.returncode == 1, result.stderr
    codes = [json.loads(line)["code"] for line in result.stdout.splitlines()]
    assert codes == ["OK", "INVALID_SCHEME_PREFIX", "IMAGE_UNREADABLE", "NO_ENTRY"]

    assert run(tmp_path, "verify_folder.py", "missing.db", "scans").returncode == 4
    assert run(tmp_path, "verify_folder.py").returncode == 2


def test_verify_folder_without_keys_is_undetermined(keys: Path, tmp_path: Path) -> None:
    scans = tmp_path / "scans"
    scans.mkdir()
    assert run(scans, "issue_and_verify.py", keys / "dsc.key.pem", keys / "dsc.pem", "a.png").returncode == 0
    (tmp_path / "nothing").mkdir()
    result = run(tmp_path, "verify_folder.py", "nothing", "scans")
    assert result.returncode == 3, result.stderr
    assert json.loads(result.stdout)["code"] == "TRUST_STORE_EMPTY"


def test_load_trust_list(keys: Path, tmp_path: Path) -> None:
    signed = f"--key {keys}/dsc.key.pem --certificate {keys}/dsc.pem"
    run_command(f"healthcert publish list at {keys}/dsc.pem {signed} --out served", tmp_path)
    served = (keys / "dsc.pem", "served/trustlist.cbor", "served/trustlist.sig")
    result = run(tmp_path, "load_trust_list.py", "trust.db", "at", *served)
    assert result.returncode == 0, result.stderr
    first, last = result.stdout.splitlines()
    assert (first[0], first[-3:]) == ("+", " FR")
    assert last.startswith("at: 1 keys of 1 countries, good until ")

    with (tmp_path / "served/trustlist.cbor").open("ab") as file:
        file.write(b"\0")
    result = run(tmp_path, "load_trust_list.py", "trust.db", "at", *served)
    assert result.returncode == 1
    assert "TRUST_LIST_NOT_AUTHENTIC" in result.stderr
    assert result.stdout == last + "\n"
    assert run(tmp_path, "load_trust_list.py", "trust.db").returncode == 2


def test_revocation(tmp_path: Path) -> None:
    result = run(tmp_path, "revocation.py")
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines() == [
        "dgcg: 1 entry, 0 skipped",
        "accepted OK ",
        "refused REVOKED revoked: it is on the list dgcg",
    ]
    assert not [*tmp_path.iterdir()]
    assert run(tmp_path, "revocation.py", "anything").returncode == 2


def test_every_family(tmp_path: Path) -> None:
    result = run(tmp_path, "every_family.py")
    assert result.returncode == 0, result.stderr
    families = [line.split(": accepted, ")[0] for line in result.stdout.splitlines()]
    assert families == ["EU DCC", "SMART Health Card", "NZ COVID Pass", "ICAO VDS-NC", "DIVOC", "2D-Doc"]
    assert not [*tmp_path.iterdir()]
    assert run(tmp_path, "every_family.py", "anything").returncode == 2


@pytest.mark.parametrize("example", sorted(path.name for path in EXAMPLES.glob("*.py")))
def test_every_example_says_what_it_does(example: str) -> None:
    assert (EXAMPLES / example).read_text("utf-8").startswith('"""')
