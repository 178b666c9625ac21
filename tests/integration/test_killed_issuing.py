"""Killed at any moment of issuing, every record is afterwards issued once and registered, or it is not issued."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests import softhsm
from tests.kills import kills
from tests.postgresql import server
from tests.support import DAY, NOW, csca

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.skipif(
    not hasattr(os, "fork"), reason="the processes are forked, which this system does not do"
)


def hammered(
    folder: Path, kills: int, *more: str, hammer: str = "issuing_hammer", variables: Mapping[str, str] | None = None
) -> int:
    """How often it was killed; two that run together may be killed once more than asked for."""
    command = [sys.executable, "-m", f"tests.integration.{hammer}", str(folder), str(kills), "1", *more]
    environment = os.environ | (variables or {})
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    assert done.stderr == ""
    return int(done.stdout.partition(" kills, ")[0])


def test_killed_again_and_again_every_record_is_issued_once(tmp_path: Path) -> None:
    assert hammered(tmp_path, kills(200)) >= kills(200)


def test_also_with_a_register_in_postgresql(tmp_path: Path) -> None:
    with server() as running:
        assert hammered(tmp_path, 12, running.new_database()) >= 12


def test_also_with_a_key_in_a_module(tmp_path: Path) -> None:
    if reason := softhsm.missing():
        pytest.skip(reason)
    from healthcert.issue.hsm.keys import new_token_key
    from healthcert.issue.pki import KeyKind, new_dsc

    token = softhsm.shared_tokens()[0]
    uri = token.uri("killed while issuing")
    key = new_token_key(uri, KeyKind.EC_P256, softhsm.PIN)
    pair = new_dsc(csca(), "DSC in a module", now=NOW - 20 * DAY, key=key)
    (tmp_path / "dsc.pem").write_bytes(pair.certificate_pem())
    variables = {
        "HAMMER_KEY": uri,
        "HAMMER_CERTIFICATE": str(tmp_path / "dsc.pem"),
        "HAMMER_PIN": softhsm.PIN,
    }
    assert hammered(tmp_path, 12, variables=token.environment() | variables) >= 12


def test_a_re_issue_that_is_killed_is_done_again_as_if_it_had_not_been(tmp_path: Path) -> None:
    assert hammered(tmp_path, 24, hammer="reissue_hammer") >= 24
