"""``healthcert init`` and ``healthcert doctor``: a set-up, each of its faults, and the remedy of each."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from healthcert.authority.secret import new_secret
from tests.cli.conftest import Run
from tests.cli.trust_files import Clock, lines_of

PROFILE = Path("healthcert.toml")


@pytest.fixture
def office(run: Run, clock: Clock) -> Run:
    done = run("init", "--country", "FR", "--issuer", "Ministry of Examples", "--new-keys", "--no-passphrase")
    assert done.exit_code == 0, done.output
    # The clock of the tests stands in the past, where no file was written.
    os.utime(PROFILE, (clock.now().timestamp(),) * 2)
    assert run("trust", "add", "dsc.pem").exit_code == 0
    return run


def found(office: Run, level: str = "fault") -> dict[str, tuple[str, str]]:
    """What the doctor tells of one level, by the name of the check."""
    return {
        one["check"]: (one["told"], one["remedy"])
        for one in lines_of(office("doctor", "--json"))
        if one["level"] == level
    }


def edit(old: str, new: str) -> None:
    text = PROFILE.read_text()
    assert old in text
    PROFILE.write_text(text.replace(old, new))
    os.utime(PROFILE, (0, 0))


def test_a_good_set_up_has_no_fault(office: Run) -> None:
    done = office("doctor")
    assert (done.exit_code, found(office), found(office, "warning")) == (0, {}, {}), done.output
    checks = list(found(office, "fine"))
    assert checks == ["profile", "clock", "permissions", "disk", "register", "audit", "signer 1", "upload", "trust"]


def test_no_file_is_another_users_to_read(office: Run) -> None:
    for name in ("healthcert.toml", "register.key", "register.db", "csca.key.pem", "dsc.key.pem", "upload.key.pem"):
        assert Path(name).stat().st_mode & 0o077 == 0, name


def test_nothing_that_is_there_is_replaced(office: Run) -> None:
    before = {path.name: path.read_bytes() for path in Path().glob("*.*")}
    again = office("init", "--country", "FR", "--issuer", "Others", "--new-keys", "--no-passphrase")
    assert (again.exit_code, "will not be replaced" in again.output) == (4, True)
    assert {path.name: path.read_bytes() for path in Path().glob("*.*")} == before


@pytest.mark.parametrize("missing", ["--country", "--issuer", "--key", "--certificate"])
def test_what_cannot_be_asked_must_be_said(run: Run, missing: str) -> None:
    given = {"--country": "FR", "--issuer": "Examples", "--key": "dsc.key.pem", "--certificate": "dsc.pem"}
    for name in ("dsc.key.pem", "dsc.pem"):
        Path(name).write_text("")
    arguments = [word for pair in given.items() if pair[0] != missing for word in pair]
    done = run("init", *arguments)
    assert (done.exit_code, missing in done.output) == (2, True)
    assert not PROFILE.exists()


def test_a_set_up_that_cannot_be_made_leaves_no_profile(run: Run) -> None:
    Path("register.db").write_text("somebody else's")
    done = run("init", "--country", "FR", "--issuer", "Examples", "--new-keys", "--no-passphrase")
    assert (done.exit_code, "REGISTER_UNUSABLE" in done.output) == (4, True)
    assert not PROFILE.exists()
    assert Path("register.db").read_text() == "somebody else's"


def test_without_a_profile_the_remedy_is_to_make_one(run: Run) -> None:
    assert "healthcert init" in run("doctor").output
    assert "healthcert init" in run("doctor", "--profile", "absent.toml").output


def _open(name: str) -> Callable[[], None]:
    return lambda: Path(name).chmod(0o644)


def _remove(name: str) -> Callable[[], None]:
    return lambda: Path(name).unlink()


def _other_secret() -> None:
    Path("register.key").unlink()
    new_secret("register.key")


def _damage_register() -> None:
    Path("register.db").write_bytes(b"\0" * 4096)


_NOWHERE = "pkcs11:token=T;object=dsc?module-path=/nowhere.so&pin-source=file:pin"
FAULTS: dict[str, tuple[Callable[[], object], str, str]] = {
    "not TOML": (lambda: edit('country = "FR"', "country = "), "profile", "docs/reference/profile.md"),
    "unknown field": (lambda: edit("country", "pin = 'x'\ncountry"), "profile", "correct"),
    "secret open to others": (_open("register.key"), "permissions", "chmod 600"),
    "key open to others": (_open("dsc.key.pem"), "permissions", "chmod 600"),
    "register open to others": (_open("register.db"), "permissions", "chmod 600"),
    "profile to be changed by others": (lambda: PROFILE.chmod(0o666), "permissions", "chmod go-w"),
    "no register": (_remove("register.db"), "register", "healthcert init"),
    "no secret": (_remove("register.key"), "register", "backup"),
    "another secret": (_other_secret, "register", "[register]"),
    "damaged register": (_damage_register, "register", "[register]"),
    "no key": (_remove("dsc.key.pem"), "signer 1", "[[signer]]"),
    "no certificate": (_remove("dsc.pem"), "signer 1", "[[signer]]"),
    "another certificate": (lambda: Path("csca.pem").replace("dsc.pem"), "signer 1", "belongs to"),
    "another country": (lambda: edit('country = "FR"', 'country = "DE"'), "signer 1", "country"),
    "no upload key": (_remove("upload.key.pem"), "upload", "[upload]"),
    "no module": (
        lambda: edit(
            'key = "dsc.key.pem"', 'key = "pkcs11:token=T;object=dsc?module-path=/nowhere.so&pin-source=file:pin"'
        ),
        "signer 1",
        "",
    ),
    "no value sets": (lambda: edit('issuer = "', 'value-sets = "absent.json"\nissuer = "'), "value sets", "value-sets"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_is_named_with_its_remedy(office: Run, clock: Clock, name: str) -> None:
    break_it, check, remedy = FAULTS[name]
    break_it()
    os.utime(PROFILE, (clock.now().timestamp(),) * 2)
    done = office("doctor")
    assert done.exit_code == 1, done.output
    told = found(office)
    assert check in told, told
    assert told[check][1]
    assert remedy in told[check][1]
    for words in told.values():
        assert words[1], "a fault without a remedy"


@pytest.mark.parametrize(
    ("days", "level", "words"),
    [(-2, "fault", "is not valid before"), (720, "warning", "expires"), (800, "fault", "expired")],
)
def test_the_clock_and_the_ends_of_keys_are_told(office: Run, clock: Clock, days: int, level: str, words: str) -> None:
    now = clock.now().timestamp()
    clock.moment += timedelta(days=days)
    os.utime(PROFILE, (now,) * 2)
    told = [one["told"] for one in lines_of(office("doctor", "--json")) if one["level"] == level]
    assert any(words in one for one in told), told
    assert ("clock" in found(office)) == (days < 0)
