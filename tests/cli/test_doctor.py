"""``healthcert init`` and ``healthcert doctor``: a set-up, each of its faults, and the remedy of each."""

from __future__ import annotations

import json
import os
import shlex
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

from healthcert.authority.secret import new_secret
from healthcert.issue.signer import load_private_key
from healthcert_cli.root import group
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


def _remove(*names: str) -> Callable[[], None]:
    def remove() -> None:
        for name in names:
            Path(name).unlink()

    return remove


def _pipe(name: str) -> Callable[[], None]:
    """Puts a pipe that nobody writes to in the place of a file."""

    def put() -> None:
        Path(name).unlink(missing_ok=True)
        os.mkfifo(name, 0o644)

    return put


def _pipe_named(key: str, *, named: str) -> Callable[[], None]:
    def put() -> None:
        _pipe("pipe")()
        edit('key = "dsc.key.pem"', f'key = "{key}"\n{named}')

    return put


def _key(key: str) -> Callable[[], None]:
    return lambda: edit('key = "dsc.key.pem"', f'key = "{key}"')


def _change_signers() -> None:
    dose = ("--product", "Comirnaty", "--dose", "2", "--series", "2", "--date", "2021-06-11")
    who = ("--family-name", "Exemplaire", "--given-name", "Zoé", "--birth-date", "1984-02-29")
    assert CliRunner().invoke(group, ["issue", "vaccination", *who, *dose]).exit_code == 0
    with closing(sqlite3.connect("register.db")) as connection, connection:
        connection.execute("UPDATE signers SET certificate = x'30'")


def _other_secret() -> None:
    Path("register.key").unlink()
    new_secret("register.key")


def _damage_register() -> None:
    Path("register.db").write_bytes(b"\0" * 4096)


_MODULE = "pkcs11:token=T;object=dsc?module-path="
FAULTS: dict[str, tuple[Callable[[], object], str, str]] = {
    "not TOML": (lambda: edit('country = "FR"', "country = "), "profile", "docs/reference/profile.md"),
    "unknown field": (lambda: edit("country", "pin = 'x'\ncountry"), "profile", "correct"),
    "secret open to others": (_open("register.key"), "permissions", "chmod 600"),
    "key open to others": (_open("dsc.key.pem"), "permissions", "chmod 600"),
    "register open to others": (_open("register.db"), "permissions", "chmod 600"),
    "profile to be changed by others": (lambda: PROFILE.chmod(0o666), "permissions", "chmod go-w"),
    "no register": (_remove("register.db"), "register", "register.db-wal and register.db-shm, and restore"),
    "no register and no secret": (_remove("register.db", "register.key"), "register", "from their backups"),
    "a changed DSC in the register": (_change_signers, "audit", "evidence"),
    "no secret": (_remove("register.key"), "register", "backup"),
    "another secret": (_other_secret, "register", "[register]"),
    "damaged register": (_damage_register, "register", "[register]"),
    "no key": (_remove("dsc.key.pem"), "signer 1", "[[signer]]"),
    "no certificate": (_remove("dsc.pem"), "signer 1", "[[signer]]"),
    "another certificate": (lambda: Path("csca.pem").replace("dsc.pem"), "signer 1", "belongs to"),
    "another country": (lambda: edit('country = "FR"', 'country = "DE"'), "signer 1", "country"),
    "no upload key": (_remove("upload.key.pem"), "upload", "[upload]"),
    "no module": (_key(f"{_MODULE}/nowhere.so&pin-source=file:pin"), "signer 1", "module-path"),
    "no module for a key that is not tried": (_key(f"{_MODULE}/nowhere.so"), "signer 1", "module-path"),
    "a module by no whole path": (_key(f"{_MODULE}healthcert.toml"), "signer 1", "module-path"),
    "a module that is none": (_key(f"{_MODULE}/etc/passwd"), "signer 1", "module-path"),
    "a module that is a folder": (_key(f"{_MODULE}/etc"), "signer 1", "module-path"),
    "no module named": (_key("pkcs11:token=T;object=dsc"), "signer 1", "[[signer]]"),
    "no command": (_key("command:"), "signer 1", "[[signer]]"),
    "a command that is none": (_key("command:'open"), "signer 1", "[[signer]]"),
    "a command that is not there": (_key("command:/nonexistent sign"), "signer 1", "[[signer]]"),
    "a command that may not be run": (_key("command:/etc/passwd"), "signer 1", "[[signer]]"),
    "a pipe for a key": (_pipe("dsc.key.pem"), "signer 1", "[[signer]]"),
    "a pipe for a DSC": (_pipe("dsc.pem"), "signer 1", "[[signer]]"),
    "a pipe for an upload key": (_pipe("upload.key.pem"), "upload", "[upload]"),
    "a pipe for a register": (_pipe("register.db"), "register", "backup"),
    "a pipe for a secret": (_pipe("register.key"), "register", "the file itself"),
    "a device for a key": (_key("/dev/zero"), "signer 1", "[[signer]]"),
    "a pipe for a passphrase": (
        _pipe_named("dsc.key.pem", named='passphrase-file = "pipe"'),
        "signer 1",
        "[[signer]]",
    ),
    "a pipe for a PIN": (_pipe_named(f"{_MODULE}/bin/sh", named='pin-file = "pipe"'), "signer 1", "[[signer]]"),
    "a pipe for a PIN of a URI": (
        _pipe_named(f"{_MODULE}/bin/sh&pin-source=file:pipe", named=""),
        "signer 1",
        "[[signer]]",
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
    if "pipe" in name or "device" in name:
        assert "chmod" not in done.output


def test_a_pipe_for_a_profile_is_not_waited_for(office: Run) -> None:
    _pipe("pipe")()
    done = office("doctor", "--profile", "pipe")
    assert (done.exit_code, "no regular file" in done.output) == (1, True)


@pytest.mark.parametrize("key", ["pkcs11:token=T;object=dsc?module-path=/bin/sh", "command:cat"])
def test_a_key_that_was_not_tried_has_no_tick(
    office: Run, clock: Clock, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    monkeypatch.setenv("HEALTHCERT_PIN", "0000")
    _key(key)()
    os.utime(PROFILE, (clock.now().timestamp(),) * 2)
    done = office("doctor")
    assert (done.exit_code, found(office)) == (0, {}), done.output
    told, remedy = found(office, "warning")["signer 1"]
    assert ("was not tried" in told, "healthcert doctor --ask" in remedy) == (True, True)
    # That it was not tried is no reason to say that nothing is there to sign.
    assert list(found(office, "warning")) == ["signer 1"]
    asked = office("doctor", "--ask")
    assert (asked.exit_code, "✗ signer 1" in asked.output) == (1, True), asked.output


def test_a_key_with_a_passphrase_is_tried_when_it_is_given(office: Run, clock: Clock) -> None:
    key = load_private_key(Path("dsc.key.pem").read_bytes())
    sealed = BestAvailableEncryption(b"a passphrase")
    Path("dsc.key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, sealed))
    assert "was not tried" in found(office, "warning")["signer 1"][0]
    assert office("doctor").exit_code == 0
    Path("given").write_text("a passphrase\n")
    done = office("doctor", "--passphrase-file", "given")
    assert (done.exit_code, "and its key fits" in done.output, "!" in done.output) == (0, True, False)


def test_a_command_is_asked_for_a_signature(office: Run, clock: Clock) -> None:
    healthcert = "import sys; from healthcert_cli.root import main; main()"
    words = shlex.join([sys.executable, "-c", healthcert, "sign", "--key", "dsc.key.pem", "--certificate", "dsc.pem"])
    edit('key = "dsc.key.pem"', f"key = {json.dumps('command:' + words)}")
    os.utime(PROFILE, (clock.now().timestamp(),) * 2)
    done = office("doctor", "--ask")
    assert (done.exit_code, "✓ signer 1: " in done.output) == (0, True), done.output


def test_a_profile_without_an_issuer_is_warned_of(office: Run, clock: Clock) -> None:
    edit('issuer = "Ministry of Examples"\n', "")
    os.utime(PROFILE, (clock.now().timestamp(),) * 2)
    told, remedy = found(office, "warning")["issuer"]
    assert ("will be rejected" in told, "set issuer" in remedy) == (True, True)
    assert office("doctor").exit_code == 0


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
