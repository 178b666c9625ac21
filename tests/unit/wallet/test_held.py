"""What a wallet says of its certificates: until when each can be used, and that one it cannot read stops nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
from msgspec.structs import replace

import healthcert as hc
from healthcert.families.shc.forms import to_digits
from healthcert.rules.assessment import Assessment
from healthcert.rules.ruling import RulingOutcome
from healthcert.wallet import sealed
from healthcert.wallet.held import Held, best_held, look_over
from healthcert.wallet.wallet import Wallet, WalletEntry
from tests import support_shc
from tests.issuing import CASES
from tests.support import CLOCK, NOW, RECOVERY, issue, trust, verifier
from tests.unit.wallet.test_wallet import WORD, quick

__all__ = ["quick"]


_AT_A_TERMINAL = """
import os, pty, sys
def answer(terminal):
    said = os.read(terminal, 1024)
    if b"passphrase" in said:
        os.write(terminal, sys.argv[1].encode() + b"\\n")
    return said
sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[2:], answer)))
"""
"""Runs a command that asks for a passphrase."""


@pytest.fixture
def wallet(quick: None, tmp_path: Path) -> Iterator[Wallet]:
    with Wallet.open(tmp_path / "wallet.age", WORD) as opened:
        yield opened


def test_a_recovery_is_shown_on_its_days_alone(wallet: Wallet) -> None:
    wallet.add(issue(RECOVERY).text, NOW)
    days = {
        date(2021, 5, 11): False, RECOVERY.valid_from: True, RECOVERY.valid_until: True, date(2021, 10, 29): False
    }  # fmt: skip
    for day, is_usable in days.items():
        [held] = look_over(wallet, verifier(at=max(NOW, datetime(day.year, day.month, day.day, 12, tzinfo=UTC))))
        if day >= NOW.date():
            assert held.report.outcome is hc.Outcome.ACCEPTED
            assert held.is_usable is is_usable
            assert (best_held([held]) is not None) is is_usable
            assert held.until == datetime(2021, 10, 28, 23, 59, 59, 999999, UTC)


def test_a_recovery_that_has_not_begun_is_not_shown(wallet: Wallet) -> None:
    wallet.add(issue(replace(RECOVERY, valid_from=NOW.date() + timedelta(days=1))).text, NOW)
    [held] = look_over(wallet, verifier())
    assert held.report.outcome is hc.Outcome.ACCEPTED
    assert best_held([held]) is None


def test_one_that_cannot_be_read_stops_nothing(wallet: Wallet) -> None:
    wallet.entries = (WalletEntry("HC1:6BF", NOW), WalletEntry("another program's", NOW))
    assert wallet.add(issue().text, NOW)
    assert [held.is_usable for held in look_over(wallet, verifier())] == [False, False, True]


def test_a_certificate_in_other_clothes_is_the_same(wallet: Wallet) -> None:
    text, press = issue().text, support_shc.Press()
    token = press.jws()
    assert wallet.add(text, NOW)
    assert not wallet.add("https://bonjour.tousanticovid.gouv.fr/app/walletdcc#" + quote(text), NOW)
    assert wallet.add(token, NOW)
    assert not wallet.add("shc:/" + to_digits(token.encode()), NOW)
    assert len(wallet.entries) == 2


def test_a_document_outlives_its_key(wallet: Wallet) -> None:
    """A 2D-Doc is accepted after the end of the key that signed it, and so has no end."""
    issued = CASES["2d-doc vaccination"].issue()
    wallet.add(issued.text, NOW)
    [held] = look_over(wallet, verifier())
    assert (held.ends_with_key, held.until) == (False, None)
    wallet.add(issue().text, NOW)
    *_, dcc = look_over(wallet, verifier())
    assert dcc.ends_with_key
    assert dcc.report.key is not None
    assert dcc.until is not None


def test_what_rules_cannot_foretell_comes_after_what_they_can(wallet: Wallet) -> None:
    wallet.add(issue().text, NOW)
    [held] = look_over(wallet, hc.Verifier(trust(), clock=CLOCK))
    report = replace(held.report, policy=hc.Policy(country="FR"))
    soon = Assessment(outcome=RulingOutcome.PASSED, valid_until=NOW + timedelta(days=1))
    told: Held = replace(held, number=1, report=report, forecast=soon)
    unknown: Held = replace(held, number=2, report=report, forecast=None)
    later: Held = replace(
        held,
        number=3,
        report=report,
        forecast=Assessment(outcome=RulingOutcome.NO_RULES, valid_from=NOW + timedelta(days=9)),
    )
    assert best_held([unknown, told, later]) is told
    assert later.comes == NOW + timedelta(days=9)


@pytest.mark.parametrize("passphrase", ["", "a\udcff"])
def test_a_passphrase_is_text(tmp_path: Path, passphrase: str) -> None:
    with pytest.raises(hc.WalletError) as caught, Wallet.open(tmp_path / "w", passphrase):
        pass
    assert caught.value.code is hc.Code.WALLET_UNREADABLE
    assert list(tmp_path.iterdir()) == []


def test_a_link_or_a_pipe_is_no_wallet(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    os.mkfifo(tmp_path / "pipe")
    for name in ("link", "pipe"):
        with pytest.raises(hc.WalletError, match="name the file itself"), Wallet.open(tmp_path / name, WORD):
            pass
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.skipif(shutil.which("age") is None, reason="age (Debian: age) is not here")
def test_age_opens_it(tmp_path: Path) -> None:
    path = tmp_path / "wallet.age"
    sealed.seal(path, b'{"version":1}', WORD)
    asking = (sys.executable, "-c", _AT_A_TERMINAL, WORD, "age", "-d", "-o", tmp_path / "opened", path)
    subprocess.run(asking, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True, timeout=60)
    assert (tmp_path / "opened").read_bytes() == b'{"version":1}'
