"""A wallet keeps what was scanned as it was, opens with its passphrase alone, and tells whose each certificate is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pytest
from msgspec.structs import replace

import healthcert as hc
from healthcert.limits import Limits
from healthcert.model import Scan
from healthcert.wallet import sealed
from healthcert.wallet.held import best_held, by_holder, look_over
from healthcert.wallet.persons import is_of
from healthcert.wallet.wallet import Wallet
from tests.issuing import CASES, Case
from tests.support import CLOCK, HOLDER, NOW, Press, issue, trust

WORD = "correct horse"


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A seal that takes no time: deriving a key from a passphrase takes a second and more, as it is meant to."""
    mark = b"sealed with "

    def seal(path: Path, data: bytes, passphrase: str) -> None:
        path.write_bytes(mark + passphrase.encode() + b"\n" + data)

    def unseal(path: Path, passphrase: str, limits: Limits) -> bytes:
        head, _, data = path.read_bytes().partition(b"\n")
        if head != mark + passphrase.encode():
            raise sealed.unreadable("another passphrase")
        return data

    monkeypatch.setattr("healthcert.wallet.wallet.seal", seal)
    monkeypatch.setattr("healthcert.wallet.wallet.unseal", unseal)


@pytest.fixture
def wallet(quick: None, tmp_path: Path) -> Iterator[Wallet]:
    with Wallet.open(tmp_path / "wallet.age", WORD) as opened:
        yield opened


def test_a_file_of_age_opens_with_its_passphrase_alone(tmp_path: Path) -> None:
    path, text = tmp_path / "mine" / "wallet.age", issue().text
    with Wallet.open(path, WORD) as wallet:
        assert wallet.add(text, NOW)
        wallet.save()
    assert path.read_bytes().startswith(b"age-encryption.org/v1\n")
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert text.encode() not in path.read_bytes()
    with Wallet.open(path, WORD) as again:
        assert [(entry.text, entry.added) for entry in again.entries] == [(text, NOW)]
    with pytest.raises(hc.WalletError) as caught, Wallet.open(path, "wrong"):
        pass
    assert caught.value.code is hc.Code.WALLET_UNREADABLE
    assert {file.name for file in path.parent.iterdir()} == {"wallet.age", ".wallet.age.lock"}


@pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))
def test_every_family_comes_out_as_it_was_scanned(quick: None, tmp_path: Path, case: Case) -> None:
    issued = case.issue()
    [scan] = hc.read_barcodes(issued.symbol().png())
    assert isinstance(scan, Scan)
    with Wallet.open(tmp_path / "w", WORD) as wallet:
        assert wallet.add(scan, NOW)
        assert not wallet.add(scan, NOW)
        wallet.save()
    with Wallet.open(tmp_path / "w", WORD) as wallet:
        [entry] = wallet.entries
        assert entry.text == scan
        if scan.data != scan.encode():
            assert isinstance(entry.text, Scan)
            assert entry.text.data == scan.data
        assert entry.content().family == issued.content().family


def test_what_is_no_certificate_is_not_taken(wallet: Wallet) -> None:
    with pytest.raises(hc.HealthCertError):
        wallet.add("HELLO", NOW)
    assert wallet.entries == ()


def test_two_programs_have_it_one_after_the_other(wallet: Wallet, tmp_path: Path) -> None:
    with pytest.raises(hc.WalletError, match="another program"), Wallet.open(tmp_path / "wallet.age", WORD):
        pass


def test_an_error_inside_is_not_taken_for_a_lock(quick: None, tmp_path: Path) -> None:
    with pytest.raises(BlockingIOError), Wallet.open(tmp_path / "w", WORD):
        raise BlockingIOError


def test_no_more_than_the_limit(quick: None, tmp_path: Path) -> None:
    with Wallet.open(tmp_path / "w", WORD, limits=Limits(wallet_entries=1)) as wallet:
        assert wallet.add(issue().text, NOW)
        with pytest.raises(hc.WalletError):
            wallet.add(issue(RECOVERY).text, NOW)


@pytest.mark.parametrize(
    "content", [b"", b"null", b"[]", b'{"version":1}', b'{"version":2,"certificates":[]}', b"[" * 10_000, b"\xff"]
)
def test_another_programs_content_is_told(quick: None, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "w").write_bytes(b"sealed with " + WORD.encode() + b"\n" + content)
    with pytest.raises(hc.WalletError) as caught, Wallet.open(tmp_path / "w", WORD):
        pass
    assert caught.value.code is hc.Code.WALLET_UNREADABLE


def test_what_is_removed_is_gone(wallet: Wallet) -> None:
    texts = [case.issue().text for case in list(CASES.values())[:3]]
    for text in texts:
        wallet.add(text, NOW)
    wallet.remove(2)
    assert [entry.text for entry in wallet.entries] == [texts[0], texts[2]]
    for number in (0, 3, -1):
        with pytest.raises(IndexError):
            wallet.remove(number)


def test_a_disk_that_fails_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "w"
    path.write_bytes(b"old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    age = SimpleNamespace(passphrase=SimpleNamespace(encrypt=lambda data, _passphrase: data))
    monkeypatch.setattr(sealed, "_pyrage", lambda: age)
    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        sealed.seal(path, b"new", WORD)
    assert (path.read_bytes(), [file.name for file in tmp_path.iterdir()]) == (b"old", ["w"])


OTHER = hc.Holder(family_name="Beispiel", given_name="Max", birth_date="1970-01-01")
RECOVERY = hc.Recovery(
    disease=hc.COVID_19,
    first_positive=date(2021, 6, 1),
    valid_from=date(2021, 6, 12),
    valid_until=date(2021, 11, 28),
    issuer="Ministry of Examples",
)


def test_certificates_stand_by_holder_the_soonest_to_end_first(wallet: Wallet) -> None:
    issued = [issue(), issue(holder=OTHER), issue(RECOVERY)]
    for one in issued:
        wallet.add(one.text, NOW)
    every = look_over(wallet, hc.Verifier(trust(), clock=CLOCK))
    groups = by_holder(every)
    ends = {one.number: one.until for one in every}
    assert {one.number for group in groups for one in group} == {1, 2, 3}
    assert sorted(map(len, groups)) == [1, 2]
    for group in groups:
        assert [ends[one.number] for one in group] == sorted(ends[one.number] or NOW for one in group)
    assert all(one.report.outcome is hc.Outcome.ACCEPTED for one in every)


def test_the_best_is_accepted_and_stays_so_for_longest(wallet: Wallet) -> None:
    forged = Press(sign=lambda _: bytes(64)).text()
    for text in (forged, issue(RECOVERY).text, issue().text):
        wallet.add(text, NOW)
    every = look_over(wallet, hc.Verifier(trust(), clock=CLOCK))
    best = best_held(every)
    assert best is not None
    assert best.number == max((one for one in every if one.number > 1), key=lambda one: one.until or NOW).number
    assert best_held(every[:1]) is None


def test_two_days_of_birth_are_two_people(wallet: Wallet) -> None:
    wallet.add(issue().text, NOW)
    wallet.add(issue(holder=replace(HOLDER, birth_date="1984-03-01")).text, NOW)
    assert len(by_holder(look_over(wallet, hc.Verifier(trust(), clock=CLOCK)))) == 2


@pytest.mark.parametrize(
    ("name", "found"), [("zoé", True), ("Müller zoé", True), ("MUELLER", True), ("Max", False), ("", True)]
)
def test_a_holder_is_found_by_words_of_the_name(name: str, found: bool) -> None:
    holder = replace(HOLDER, family_name_icao="EXEMPLAIRE<MUELLER", given_name_icao="ZOE")
    assert is_of(holder, name) is found


def test_its_repr_tells_nothing(wallet: Wallet) -> None:
    wallet.add(issue().text, NOW)
    assert repr(wallet) == "Wallet(1 certificates)"
    assert repr(wallet.entries[0]) == "WalletEntry(...)"
