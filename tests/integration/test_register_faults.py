"""Registers whose database is gone, held, full, damaged or somebody else's: refused in words, and nothing half done."""

from __future__ import annotations

import logging
import os
import shutil
import sqlite3
import subprocess
import sys
import textwrap
import threading
import traceback
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

import healthcert as hc
from healthcert.authority.audit import verify_audit
from healthcert.authority.binding import claim, claim_request, new_code
from healthcert.authority.register import New, Register, Registered, Standing, State
from healthcert.authority.secret import load_secret, new_secret
from healthcert.errors import Code, RegisterError
from healthcert.issue.pki import KeyKind, new_key
from tests.postgresql import Server, server
from tests.registers import ACTOR, SECRET, Place, new, postgresql_place, sqlite_place
from tests.support import CLOCK, NOW

ROOT = Path(__file__).resolve().parents[2]
DEVICE = hc.KeySigner(new_key(KeyKind.EC_P256))
PASSWORD = "hunter2-Pa$$"


def refused(action: Any, *arguments: Any, **options: Any) -> RegisterError:
    with pytest.raises(RegisterError) as caught:
        action(*arguments, **options)
    assert caught.value.code is Code.REGISTER_UNUSABLE
    return caught.value


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Place]:
    place = sqlite_place(tmp_path)
    yield place
    place.close()


def entered(register: Register) -> int:
    """How many certificates there are, each with its entry."""
    verify_audit(register)
    return sum(count.certificates for count in register.counts(at=NOW))


# --- Gone, and held ---


def test_a_file_that_was_removed_is_not_written_to(sqlite: Place) -> None:
    register = sqlite.open(create=True)
    register.enter([new("a")])
    Path(sqlite.url).unlink()
    assert "gone" in refused(register.enter, [new("b")]).detail
    assert not Path(sqlite.url).exists()
    refused(sqlite.open)


def test_a_file_that_took_the_place_of_the_register_is_not_written_to(sqlite: Place, tmp_path: Path) -> None:
    register = sqlite.open(create=True)
    other = sqlite_place(tmp_path / "other")
    (tmp_path / "other").mkdir()
    other.open(create=True).close()
    Path(other.url).replace(sqlite.url)
    assert "another is in its place" in refused(register.enter, [new("a")]).detail
    other.close()


def test_a_server_that_stops_is_told_and_one_that_is_back_is_used() -> None:
    with server() as own:
        place = postgresql_place(own)
        register = place.open(create=True)
        register.enter([new("a")])
        own.stop()
        for action in (lambda: register.enter([new("b")]), lambda: register.find(certificate_id="x"), place.open):
            assert "cannot be reached" in refused(action).detail
        own.start()
        assert isinstance(register.enter([new("b")])[0], Registered)
        assert entered(register) == 2
        place.close()


def test_a_connection_that_is_lost_in_the_middle_leaves_nothing(postgresql_server: Server) -> None:
    place = postgresql_place(postgresql_server)
    register = place.open(create=True)
    one = new("a")
    register.enter([one])

    def change() -> None:
        with register.changing() as change:
            own = change.connection.exec_driver_sql("SELECT pg_backend_pid()").scalar()
            change.connection.exec_driver_sql("UPDATE certificates SET state = 'revoked'")
            postgresql_server.sql(f"SELECT pg_terminate_backend({own})")
            change.connection.exec_driver_sql("UPDATE certificates SET state = 'replaced'")

    assert "lost" in refused(change).detail
    found = register.find(certificate_id=one.terms.certificate_id)
    assert found is not None
    assert found.state is State.ISSUED
    assert entered(register) == 1
    place.close()


@contextmanager
def held(place: Place) -> Iterator[None]:
    """The register, held by another program that does not let go."""
    with closing(sqlite3.connect(place.url, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield


def test_a_file_that_another_program_holds_is_waited_for_and_then_told(sqlite: Place) -> None:
    sqlite.open(create=True).close()
    register = sqlite.open(patience=0.2)
    with held(sqlite):
        assert "another program" in refused(register.enter, [new("a")]).detail
        # Readers do not wait for writers.
        assert register.find_records([b"record a"]) == {}
    assert entered(register) == 0
    assert isinstance(register.enter([new("a")])[0], Registered)


def test_a_register_that_another_session_holds_is_waited_for_and_then_told(postgresql_server: Server) -> None:
    place = postgresql_place(postgresql_server)
    place.open(create=True).close()
    holder, register = place.open(), place.open(patience=0.3)
    with holder.changing():
        assert "another program" in refused(register.enter, [new("a")]).detail
        assert register.find_records([b"record a"]) == {}
    assert isinstance(register.enter([new("a")])[0], Registered)
    assert entered(register) == 1
    place.close()


def test_whoever_waits_in_time_comes_next(place: Place) -> None:
    place.open(create=True).close()
    first, second = place.open(), place.open(patience=20.0)
    done: list[object] = []
    with first.changing():
        waiting = threading.Thread(target=lambda: done.extend(second.enter([new("a")])))
        waiting.start()
        waiting.join(0.3)
        assert not done
    waiting.join(20)
    assert [type(one) for one in done] == [Registered]
    assert entered(first) == 1


def test_what_stands_at_its_default_does_not_weaken_the_chain(postgresql_server: Server) -> None:
    """A server whose transactions see an older state than the lock does would fork the log."""
    place = postgresql_place(postgresql_server)
    name = place.url.partition("?")[0].rpartition("/")[2]
    postgresql_server.sql(f"ALTER DATABASE {name} SET default_transaction_isolation = 'repeatable read'")
    postgresql_server.sql(f"ALTER DATABASE {name} SET synchronous_commit = off")
    register, other = place.open(create=True), place.open()
    with register.changing() as change:
        assert change.connection.exec_driver_sql("SHOW synchronous_commit").scalar() == "on"
        assert change.connection.exec_driver_sql("SHOW transaction_isolation").scalar() == "read committed"
        waiting = threading.Thread(target=lambda: other.enter([new("a")]))
        waiting.start()
        waiting.join(0.3)
    waiting.join(20)
    register.enter([new("b")])
    assert entered(register) == 2
    place.close()


def test_a_user_who_does_not_own_the_tables_can_work_with_them_as_the_page_says(postgresql_server: Server) -> None:
    place = postgresql_place(postgresql_server)
    place.open(create=True).close()
    place.sql("DROP ROLE IF EXISTS desk")
    place.sql("CREATE ROLE desk LOGIN")
    page = (ROOT / "docs/reference/register.md").read_text("utf-8")
    for statement in page.split("```sql\n")[1].partition("```")[0].splitlines():
        place.sql(statement)
    desk = Place(place.url.replace("postgres@", "desk@"), place.sql)
    register = desk.open()
    register.enter([new("a", certificate_id="id-a"), new("b")])
    code = new_code(register, "id-a")
    for _ in range(2):
        proof = DEVICE.sign(claim_request("id-a", code, DEVICE.public_key))
        code = claim(register, "id-a", code, public_key=DEVICE.public_key, proof=proof).next_code
    register.revoke(["id-a"])
    assert entered(register) == 2
    for statement in ("ALTER TABLE audit DISABLE TRIGGER audit_change", "DELETE FROM certificates"):
        with pytest.raises(RegisterError, match="may not do this"), register.changing() as change:
            change.connection.exec_driver_sql(statement)
    desk.close()
    place.sql("DROP OWNED BY desk")
    place.sql("DROP ROLE desk")


# --- Full ---


def test_a_full_disk_leaves_all_as_it_was(sqlite: Place) -> None:
    register = sqlite.open(create=True)
    register.enter([new("a")])
    pages = int(sqlite.sql("PRAGMA page_count"))

    def limit(connection: sqlite3.Connection, _: object) -> None:
        connection.execute(f"PRAGMA max_page_count = {pages}")

    register.close()
    engine = register._database._engine
    event.listen(engine, "connect", limit)
    batch = [new(number) for number in range(500)]
    assert "disk is full" in refused(register.enter, batch).detail
    assert entered(register) == 1
    event.remove(engine, "connect", limit)
    register.close()
    assert all(isinstance(one, Registered) for one in register.enter(batch))
    assert entered(register) == 501


@pytest.mark.skipif(os.name != "posix", reason="there are no limits of a process's files")
def test_a_program_that_may_write_no_more_leaves_all_as_it_was(sqlite: Place, tmp_path: Path) -> None:
    new_secret(tmp_path / "secret")
    secret = load_secret(tmp_path / "secret")
    sqlite.open(create=True, secret=secret).close()
    script = """
        import resource, signal, sys
        from healthcert.authority.register import Register
        from healthcert.authority.secret import load_secret
        from healthcert.errors import RegisterError
        from tests.registers import new
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        register = Register.open(sys.argv[1], load_secret(sys.argv[2]), actor="clerk")
        register.enter([new("first")])
        resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, 150_000))
        done = 1
        try:
            for number in range(1000):
                done += len(register.enter([new(f"{number} {one}") for one in range(10)]))
        except RegisterError as error:
            print(done, error.code, error.detail)
    """
    command = [sys.executable, "-c", textwrap.dedent(script), sqlite.url, str(tmp_path / "secret")]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert result.stderr == ""
    done, code, detail = result.stdout.split(" ", 2)
    assert (code, "disk" in detail) == ("REGISTER_UNUSABLE", True)
    assert int(done) > 1
    assert entered(sqlite.open(secret=secret)) == int(done)


def test_a_log_that_cannot_be_written_keeps_certificates_out(place: Place) -> None:
    register = place.open(create=True)
    if place.url.startswith("postgresql"):
        place.sql("ALTER TABLE audit ADD CONSTRAINT none CHECK (action <> 'issue')")
    else:
        place.sql("CREATE TRIGGER none BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'no'); END")
    refused(register.enter, [new("a")])
    assert register.find_records([b"record a"]) == {}
    assert entered(register) == 0


# --- Damaged, and another's ---


def damage(place: Place, batch: list[New]) -> Code | None:
    """The code that a damaged register is told with, None where nothing of it was met."""
    try:
        register = place.open()
        verify_audit(register)
        register.find_records([one.record for one in batch])
        register.enter([new("more")])
    except RegisterError as error:
        return error.code
    return None


def test_damage_anywhere_is_told_in_words(sqlite: Place, tmp_path: Path) -> None:
    register = sqlite.open(create=True)
    batch = [new(number) for number in range(50)]
    register.enter(batch)
    register.close()
    content = Path(sqlite.url).read_bytes()
    told = 0
    for place in range(0, len(content), 997):
        damaged = sqlite_place(tmp_path / f"at{place}")
        Path(damaged.url).parent.mkdir()
        Path(damaged.url).write_bytes(content[:place] + bytes([content[place] ^ 0xFF]) * 40 + content[place + 40 :])
        code = damage(damaged, batch)
        assert code in (None, Code.REGISTER_UNUSABLE, Code.AUDIT_BROKEN)
        told += code is not None
        damaged.close()
    assert told > 5


@pytest.mark.parametrize("content", [b"", b"SQLite format 3\0", b"a register", b"SQLite format 3\0" + bytes(4096)])
def test_a_file_that_is_no_register_is_refused_and_left_as_it_is(sqlite: Place, content: bytes) -> None:
    path = Path(sqlite.url)
    path.write_bytes(content)
    refused(sqlite.open)
    assert path.read_bytes() == content
    assert [one.name for one in path.parent.iterdir()] == [path.name]
    if content:
        refused(sqlite.open, create=True)
        assert path.read_bytes() == content
    else:
        # What a killed "create" leaves.
        assert entered(sqlite.open(create=True)) == 0


def test_another_program_s_database_is_refused_and_left_as_it_is(sqlite: Place) -> None:
    sqlite.sql("CREATE TABLE notes (text)")
    before = Path(sqlite.url).read_bytes()
    refused(sqlite.open)
    refused(sqlite.open, create=True)
    assert Path(sqlite.url).read_bytes() == before
    sqlite.sql("DROP TABLE notes")
    sqlite.sql("PRAGMA application_id = 1")
    refused(sqlite.open)


def test_another_version_s_file_is_refused(sqlite: Place) -> None:
    sqlite.open(create=True).close()
    sqlite.sql("PRAGMA user_version = 2")
    assert "another version's" in refused(sqlite.open).detail


def test_a_database_of_another_program_on_a_server_is_refused(postgresql_server: Server) -> None:
    place = postgresql_place(postgresql_server)
    place.sql("CREATE TABLE meta (name text, value text)")
    assert "another program's" in refused(place.open).detail
    assert "a database already" in refused(place.open, create=True).detail
    assert place.sql("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").strip() == "1"


def test_making_is_done_whole_or_not_at_all(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("healthcert.authority.register.chain.append", fail)
        with pytest.raises(KeyboardInterrupt):
            place.open(create=True)
    refused(place.open)
    assert entered(place.open(create=True)) == 0


# --- Files, addresses and what they give away ---


@pytest.mark.skipif(os.name != "posix", reason="there are no such permissions")
def test_the_files_are_their_owner_s_alone(tmp_path: Path) -> None:
    place = sqlite_place(tmp_path / "deep" / "folder")
    old = os.umask(0o022)
    try:
        register = place.open(create=True)
        register.enter([new("a")])
        kept = sorted(Path(place.url).parent.iterdir())
        assert [path.name for path in kept] == ["register.db", "register.db-shm", "register.db-wal"]
        assert {path.stat().st_mode & 0o777 for path in kept} == {0o600}
        assert Path(place.url).parent.stat().st_mode & 0o777 == 0o700
    finally:
        os.umask(old)
    place.close()


def test_what_was_confirmed_is_on_the_disk(sqlite: Place) -> None:
    register = sqlite.open(create=True)
    with register.reading() as connection:
        found = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous")]
    assert found == ["wal", 2]


def test_a_copy_of_the_files_of_a_killed_program_holds_all(sqlite: Place, tmp_path: Path) -> None:
    register = sqlite.open(create=True)
    register.enter([new("a")])
    (tmp_path / "copy").mkdir()
    for path in tmp_path.glob("register.db*"):
        shutil.copy(path, tmp_path / "copy" / path.name)
    copied = sqlite_place(tmp_path / "copy")
    assert entered(copied.open()) == 1
    copied.close()


@pytest.mark.parametrize(
    "url",
    [
        "mysql://host/name",
        f"mysql://clerk:{PASSWORD}@host/name",
        f"nonsense://clerk:{PASSWORD}@",
        f"postgresql://clerk:{PASSWORD}@host:port/name",
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite:///file:x?mode=memory&uri=true",
        "sqlite://host/x",
        "no/such/folder/register.db",
        "://",
        "",
        "nothing\0.db",
    ],
)
def test_addresses_that_are_none_are_refused_without_being_shown(url: str) -> None:
    error = refused(Register.open, url, SECRET, actor=ACTOR)
    assert PASSWORD not in str(error)


@pytest.mark.parametrize("where", ["in the user's part", "in the options"])
def test_a_password_in_the_address_is_shown_nowhere(
    postgresql_server: Server, caplog: pytest.LogCaptureFixture, where: str
) -> None:
    place = postgresql_place(postgresql_server)
    name, _, options = place.url.partition("?")
    if where == "in the options":
        url = f"{name}?{options}&password={PASSWORD}"
    else:
        url = f"{name.replace('postgres@', f'postgres:{PASSWORD}@')}?{options}"
    with caplog.at_level(logging.DEBUG):
        with Register.open(url, SECRET, actor=ACTOR, clock=CLOCK, create=True) as register:
            shown = [repr(register), register.name, repr(register._database)]
            register.enter([new("a")])
        missing = url.replace("/test", "/none")
        error = refused(Register.open, missing, SECRET, actor=ACTOR)
    shown += [str(error), repr(error), "".join(traceback.format_exception(error)), caplog.text]
    assert "cannot be reached" in error.detail
    assert PASSWORD not in "\n".join(shown)


@pytest.mark.parametrize(
    ("missing", "url", "extra"),
    [("sqlalchemy", "register.db", "register"), ("psycopg", "postgresql://host/name", "postgresql")],
)
def test_a_missing_package_is_told_with_the_extra_that_brings_it(missing: str, url: str, extra: str) -> None:
    script = f"""
        import sys
        sys.modules["{missing}"] = None
        from healthcert.errors import RegisterError
        try:
            from healthcert.authority.register import Register
            from healthcert.authority.secret import RegisterSecret
            Register.open("{url}", RegisterSecret.new(), actor="clerk")
        except RegisterError as error:
            print(error)
    """
    command = [sys.executable, "-c", textwrap.dedent(script)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    assert result.stdout.startswith("EXTRA_MISSING")
    assert f"healthcert[{extra}]" in result.stdout


@pytest.mark.parametrize("module", ["audit", "binding", "reissue", "withdrawn", "authority"])
def test_whatever_needs_the_register_tells_of_its_missing_package(module: str) -> None:
    script = f"""
        import sys
        sys.modules["sqlalchemy"] = None
        from healthcert.errors import RegisterError
        try:
            import healthcert.authority.{module}
        except RegisterError as error:
            print(error)
    """
    command = [sys.executable, "-c", textwrap.dedent(script)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    assert result.stdout.startswith("EXTRA_MISSING")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_the_same_after_a_fork(place: Place) -> None:
    register = place.open(create=True)
    register.enter([new("a")])
    child = os.fork()
    if child == 0:  # pragma: no cover (another process)
        good = isinstance(register.enter([new("b")])[0], Registered)
        os._exit(0 if good else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert isinstance(register.enter([new("b")])[0], Standing)
    assert entered(register) == 2
