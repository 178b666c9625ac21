"""An empty folder, a trust store of its own, and certificates to try."""

from __future__ import annotations

from collections.abc import Callable
from functools import partialmethod
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import healthcert as hc
from healthcert.https import HttpFetcher
from healthcert_cli.root import group
from tests.cli.trust_files import Clock, german, ours, write_anchor
from tests.support import NOW, Press, dsc, issue
from tests.unit.trust.lists import dscs

AT = NOW.isoformat()
Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command in an empty folder, with a trust store of its own and no terminal."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HEALTHCERT_TRUST", str(tmp_path / "store" / "trust.db"))
    monkeypatch.setenv("HEALTHCERT_REVOCATION", str(tmp_path / "store" / "revocation"))
    monkeypatch.setenv("HEALTHCERT_RULES", str(tmp_path / "store" / "rules.db"))
    for name in ("PASSPHRASE", "PIN", "KEY", "CERTIFICATE", "ISSUER", "PROFILE"):
        monkeypatch.delenv(f"HEALTHCERT_{name}", raising=False)
    # A server that is away is asked again without a pause; that there is one is seen in tests/unit/test_fetch.py.
    monkeypatch.setattr(HttpFetcher, "__init__", partialmethod(HttpFetcher.__init__, sleep=lambda _seconds: None))

    def invoke(*arguments: str | Path, stdin: str | bytes | None = None) -> Result:
        return CliRunner().invoke(group, [str(argument) for argument in arguments], input=stdin)

    return invoke


@pytest.fixture
def certificates(tmp_path: Path) -> Path:
    """A folder with a trusted DSC, an accepted certificate as picture and text, and refused ones."""
    (tmp_path / "dsc.pem").write_bytes(dsc().certificate_pem())
    issued = issue()
    issued.qr().save(tmp_path / "good.png")
    (tmp_path / "good.txt").write_text(issued.text + "\n")
    (tmp_path / "forged.txt").write_text(Press(sign=lambda _: bytes(64)).text())
    return tmp_path


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The machine's clock, which stands at the moment of the fixtures until a test sets it."""
    clock = Clock()
    monkeypatch.setattr(hc.SystemClock, "now", clock.now)
    return clock


@pytest.fixture
def listed(run: Run) -> Run:
    """A store with the German list of four French keys and ours."""
    done = run("trust", "add", "--source", "de", "--anchor", write_anchor(), *german(ours(), *dscs(FR=4)))
    assert (done.exit_code, done.output) == (0, "de: 5 new, 0 gone, 5 keys\n")
    return run
