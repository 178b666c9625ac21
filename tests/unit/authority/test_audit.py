"""The audit log: whatever is changed in it, or beside it, is found."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

import healthcert as hc
from healthcert.authority.audit import AuditState, audit_lines, entries, verify_audit, verify_entries
from healthcert.authority.register import Action, Entry, Register
from healthcert.authority.register.chain import START
from healthcert.errors import Code, RegisterError
from tests.authority_world import authority
from tests.registers import ACTOR, KID, Place, new, sqlite_place
from tests.support import HOLDER, NOW, TEST, dsc

UNLOCK = {
    "sqlite": "DROP TRIGGER audit_update; DROP TRIGGER audit_delete",
    "postgresql": "DROP TRIGGER audit_change ON audit",
}
REST = ", kid, entry_type, issued_at, expires, state, state_at, signature FROM certificates WHERE number = 1"


@pytest.fixture
def register(place: Place) -> Register:
    """A register with six entries: made, three issued, one revoked, one replaced."""
    register = place.open(create=True)
    batch = [new(name, certificate_id=f"id-{name}") for name in "abc"]
    register.enter(batch)
    register.revoke(["id-a"])
    register.enter([new("b", edition=2, certificate_id="id-b2", replaces_earlier=True)])
    return register


def tamper(place: Place, *statements: str) -> None:
    """What somebody does who owns the database: the triggers are taken off first."""
    database = "postgresql" if place.url.startswith("postgresql") else "sqlite"
    for statement in (*UNLOCK[database].split("; "), *statements):
        place.sql(statement)


def test_a_log_that_holds_is_told_with_its_head(register: Register) -> None:
    found = verify_audit(register)
    told = list(entries(register))
    assert found == AuditState(7, told[-1].hash)
    assert [entry.action for entry in told] == [
        Action.INIT,
        Action.ISSUE,
        Action.ISSUE,
        Action.ISSUE,
        Action.REVOKE,
        Action.REPLACE,
        Action.REISSUE,
    ]
    assert [entry.number for entry in told] == list(range(1, 8))
    assert {entry.actor for entry in told} == {ACTOR}
    assert {entry.moment for entry in told} == {NOW}
    assert told[0].previous == START
    assert told[1].subject == "id-a"
    assert told[1].kid == KID
    assert told[0].subject is None


def test_heads_that_were_noted_are_found_in_a_log_that_has_grown(register: Register) -> None:
    heads = [entry.hash for entry in entries(register)]
    register.enter([new("d")])
    for head in heads:
        assert verify_audit(register, head=head).count == 8
    with pytest.raises(RegisterError) as caught:
        verify_audit(register, head=bytes(32))
    assert caught.value.code is Code.AUDIT_BROKEN


def test_the_database_itself_refuses_changes(place: Place, register: Register) -> None:
    for statement in ("UPDATE audit SET actor = 'x' WHERE number = 3", "DELETE FROM audit WHERE number = 7"):
        with pytest.raises(Exception, match="only added to"):
            place.sql(statement)
    assert verify_audit(register).count == 7


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET actor = 'somebody' WHERE number = 4",
        "UPDATE audit SET at = at + 1 WHERE number = 4",
        "UPDATE audit SET action = 'revoke' WHERE number = 4",
        "UPDATE audit SET subject = 'id-x' WHERE number = 4",
        "UPDATE audit SET subject = NULL WHERE number = 4",
        "UPDATE audit SET kid = NULL WHERE number = 4",
        "UPDATE audit SET hash = (SELECT hash FROM audit WHERE number = 2) WHERE number = 4",
        "UPDATE audit SET previous = (SELECT hash FROM audit WHERE number = 2) WHERE number = 4",
        "DELETE FROM audit WHERE number = 4",
        "UPDATE audit SET number = 40 WHERE number = 4",
    ],
)
def test_what_is_changed_or_removed_in_the_middle_is_found_at_its_number(
    place: Place, register: Register, statement: str
) -> None:
    tamper(place, statement)
    with pytest.raises(RegisterError) as caught:
        verify_audit(register)
    assert caught.value.code is Code.AUDIT_BROKEN
    assert caught.value.detail.startswith("entry 4 does not fit")
    assert "somebody" not in caught.value.detail


def test_entries_that_change_places_are_found(place: Place, register: Register) -> None:
    tamper(
        place,
        "UPDATE audit SET number = 99 WHERE number = 3",
        "UPDATE audit SET number = 3 WHERE number = 4",
        "UPDATE audit SET number = 4 WHERE number = 99",
    )
    with pytest.raises(RegisterError, match="entry 3 does not fit"):
        verify_audit(register)


def test_an_entry_that_was_put_in_is_found(place: Place, register: Register) -> None:
    tamper(
        place,
        "INSERT INTO audit (number, at, actor, action, subject, kid, previous, hash) "
        "SELECT 8, at, actor, 'revoke', 'id-c', kid, hash, hash FROM audit WHERE number = 7",
    )
    with pytest.raises(RegisterError, match="entry 8 does not fit"):
        verify_audit(register)


def test_an_entry_that_is_put_in_with_a_right_hash_is_found_by_the_certificates(
    place: Place, register: Register
) -> None:
    last = list(entries(register))[-1]
    forged = replace(last, number=8, action="issue", subject="id-x", previous=last.hash)
    _insert(place, forged)
    with pytest.raises(RegisterError, match="without an entry"):
        verify_audit(register)


def test_a_log_that_was_cut_is_found_by_the_certificates_and_by_a_head(place: Place, register: Register) -> None:
    head = verify_audit(register).head
    tamper(place, "DELETE FROM audit WHERE number > 6")
    with pytest.raises(RegisterError, match="do not agree"):
        verify_audit(register)
    # Who removes the certificate as well is found out by the head alone.
    place.sql("DELETE FROM certificates WHERE certificate_id = 'id-b2'")
    assert verify_audit(register).count == 6
    with pytest.raises(RegisterError, match="cut or rewritten"):
        verify_audit(register, head=head)


def test_a_log_that_was_written_anew_is_found_by_a_head(place: Place, register: Register) -> None:
    head = verify_audit(register).head
    told = list(entries(register))
    tamper(place, "DELETE FROM audit")
    with pytest.raises(RegisterError, match="entry 1 does not fit"):
        verify_audit(register)
    previous = START
    for entry in told:
        other = replace(entry, actor="somebody else", previous=previous)
        previous = _insert(place, other)
    assert verify_audit(register).count == 7
    with pytest.raises(RegisterError, match="cut or rewritten"):
        verify_audit(register, head=head)


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM certificates WHERE certificate_id = 'id-c'",
        "UPDATE certificates SET certificate_id = 'id-x' WHERE certificate_id = 'id-c'",
        "UPDATE certificates SET state = 'issued' WHERE certificate_id = 'id-a'",
        "UPDATE certificates SET state = 'revoked' WHERE certificate_id = 'id-c'",
        "UPDATE certificates SET state = 'issued' WHERE certificate_id = 'id-b'",
        "UPDATE certificates SET state = 'replaced' WHERE certificate_id = 'id-c'",
        "UPDATE certificates SET kid = signature_hash WHERE certificate_id = 'id-c'",
        "INSERT INTO certificates SELECT 9, signature, edition, 'id-x', signature_hash" + REST,
        "INSERT INTO certificates SELECT 9, signature, 7, certificate_id, signature_hash" + REST,
    ],
)
def test_certificates_that_were_changed_behind_the_log_are_found(
    place: Place, register: Register, statement: str
) -> None:
    place.sql(statement)
    with pytest.raises(RegisterError) as caught:
        verify_audit(register)
    assert caught.value.code is Code.AUDIT_BROKEN
    assert "do not agree" in caught.value.detail


@pytest.mark.parametrize("taken", ["issued under", "only taken into use"])
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE signers SET certificate = {}",
        "UPDATE signers SET kid = {}",
        "DELETE FROM signers",
    ],
)
def test_a_dsc_that_was_changed_or_removed_is_found(place: Place, taken: str, statement: str) -> None:
    register = place.open(create=True)
    if taken == "issued under":
        register.enter([new("a")])
    else:
        register.keep_certificate(dsc().certificate_der())
    count = verify_audit(register).count
    assert count == 2
    other = "'\\x30'" if place.url.startswith("postgresql") else "X'30'"
    which = KID if taken == "issued under" else dsc().signer().kid
    blob = f"'\\x{which.hex()}'" if place.url.startswith("postgresql") else f"X'{which.hex()}'"
    place.sql(statement.format(other) + f" WHERE kid = {blob}")
    with pytest.raises(RegisterError, match="signers and log do not agree") as caught:
        verify_audit(register)
    assert caught.value.code is Code.AUDIT_BROKEN


@pytest.mark.parametrize("value", ["'text'", "7"])
def test_a_dsc_that_is_no_bytes_is_found(tmp_path: Path, value: str) -> None:
    place = sqlite_place(tmp_path)
    register = place.open(create=True)
    register.enter([new("a")])
    place.sql(f"UPDATE signers SET certificate = {value}")
    with pytest.raises(RegisterError, match="signers and log do not agree"):
        verify_audit(register)
    with pytest.raises(RegisterError) as caught:
        register.certificate(KID)
    assert caught.value.code is Code.REGISTER_UNUSABLE
    place.close()


@pytest.mark.parametrize("other", [b"0", dsc(hc.EntryType.TEST).certificate_der()])
def test_a_batch_under_a_changed_dsc_says_that_the_register_is_meant(tmp_path: Path, other: bytes) -> None:
    place = sqlite_place(tmp_path)
    register = place.open(create=True)
    first = authority(register).issue(TEST, holder=HOLDER)
    assert authority(register).issue(TEST, holder=HOLDER) == first
    place.sql(f"UPDATE signers SET certificate = X'{other.hex()}'")
    # Under another DSC now, so that the one of the register is asked for.
    with pytest.raises(RegisterError, match="a DSC in the register was changed") as caught:
        authority(register, dsc(kind=hc.KeyKind.RSA_3072).signer()).issue(TEST, holder=HOLDER)
    assert caught.value.code is Code.REGISTER_UNUSABLE
    place.close()


def test_a_register_whose_log_lost_its_triggers_is_not_opened(place: Place, register: Register) -> None:
    tamper(place)
    with pytest.raises(RegisterError, match="not protected"):
        place.open()
    # It can still be held against itself by whoever has it open.
    assert verify_audit(register).count == 7


def test_a_switched_off_trigger_counts_as_gone(place: Place, register: Register) -> None:
    if place.url.startswith("postgresql"):
        place.sql("ALTER TABLE audit DISABLE TRIGGER audit_change")
    else:
        place.sql("DROP TRIGGER audit_update")
        place.sql("CREATE TRIGGER audit_update BEFORE UPDATE ON audit BEGIN SELECT 1; END")
    with pytest.raises(RegisterError, match="not protected"):
        place.open()


def test_the_log_as_json_lines_can_be_checked_by_anybody(register: Register) -> None:
    previous = "00" * 32
    lines = list(audit_lines(register))
    assert len(lines) == 7
    for line in lines:
        entry = json.loads(line)
        assert list(entry) == ["number", "at", "actor", "action", "subject", "kid", "previous", "hash"]
        told = [entry[name] for name in ("number", "at", "actor", "action", "subject", "kid", "previous")]
        text = json.dumps(told, ensure_ascii=False, separators=(",", ":"))
        assert entry["previous"] == previous
        previous = entry["hash"]
        assert hashlib.sha256(text.encode()).hexdigest() == previous
    assert list(audit_lines(register, after=5)) == lines[5:]


def test_a_value_that_no_entry_has_is_found(place: Place, register: Register) -> None:
    if place.url.startswith("postgresql"):
        with pytest.raises(Exception, match="type"):
            place.sql("UPDATE audit SET at = 'never'")
        return
    tamper(place, "UPDATE audit SET at = 'never' WHERE number = 2")
    with pytest.raises(RegisterError, match="entry 2 does not fit"):
        verify_audit(register)


def test_a_log_longer_than_a_page(register: Register, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("healthcert.authority.audit._PAGE", 1000)
    register.enter([new(number) for number in range(1500)])
    assert verify_audit(register).count == 1507
    assert len(list(entries(register))) == 1507


TEXTS = st.text(max_size=20)
KINDS = st.sampled_from(["number", "at", "actor", "action", "subject", "kid"])


KIDS = st.none() | st.binary(max_size=8)
ROWS = st.lists(st.tuples(TEXTS, st.none() | TEXTS, KIDS), min_size=1, max_size=6)

Told = tuple[str, str | None, bytes | None]


@given(ROWS, st.data())
def test_any_change_of_any_field_is_found(
    rows: list[tuple[str, str | None, bytes | None]], data: st.DataObject
) -> None:
    told: list[Entry] = []
    for number, (actor, subject, kid) in enumerate(rows, 1):
        previous = told[-1].hash if told else START
        entry = Entry(
            number=number, at=0, actor=actor, action="issue", subject=subject, kid=kid, previous=previous, hash=b""
        )
        told.append(replace(entry, hash=entry.digest()))
    assert verify_entries(told).count == len(rows)
    place = data.draw(st.integers(0, len(told) - 1))
    name = data.draw(KINDS)
    changes: dict[str, Callable[[Entry], object]] = {
        "number": lambda entry: entry.number + data.draw(st.integers(1, 5)),
        "at": lambda _: data.draw(st.integers(1, 2**60)),
        "actor": lambda entry: data.draw(TEXTS.filter(lambda text: text != entry.actor)),
        "action": lambda _: "revoke",
        "subject": lambda entry: data.draw((st.none() | TEXTS).filter(lambda text: text != entry.subject)),
        "kid": lambda entry: data.draw(KIDS.filter(lambda kid: kid != entry.kid)),
    }
    told[place] = replace(told[place], **{name: changes[name](told[place])})
    with pytest.raises(RegisterError) as caught:
        verify_entries(told)
    assert caught.value.code is Code.AUDIT_BROKEN


def _insert(place: Place, entry: Entry) -> bytes:
    """Writes an entry behind the register's back, with the hash that it must have."""
    found = entry.digest()
    blob = "'\\x{}'" if place.url.startswith("postgresql") else "X'{}'"
    values = (
        str(entry.number),
        str(entry.at),
        f"'{entry.actor}'",
        f"'{entry.action}'",
        "NULL" if entry.subject is None else f"'{entry.subject}'",
        "NULL" if entry.kid is None else blob.format(entry.kid.hex()),
        blob.format(entry.previous.hex()),
        blob.format(found.hex()),
    )
    columns = "number, at, actor, action, subject, kid, previous, hash"
    place.sql(f"INSERT INTO audit ({columns}) VALUES ({', '.join(values)})")
    return found
