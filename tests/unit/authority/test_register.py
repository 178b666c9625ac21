"""The register, in both databases: what is entered is there once, and is found again."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

import healthcert as hc
from healthcert.authority.audit import entries, verify_audit
from healthcert.authority.register import Action, Register, Registered, Standing, State
from healthcert.authority.secret import RegisterSecret
from healthcert.errors import Code, IssueError, RegisterError
from healthcert.issue.pki import new_dsc
from healthcert.lists.x509 import kid_of
from tests.registers import KID, SECRET, Place, new
from tests.support import DAY, NOW, csca, dsc


@pytest.fixture
def register(place: Place) -> Register:
    return place.open(create=True)


def actions(register: Register) -> list[str]:
    return [entry.action for entry in entries(register)]


def test_what_is_entered_is_found_by_record_identifier_and_signature(register: Register) -> None:
    one, two = new("a"), new("b")
    entered = register.enter([one, two])
    assert [type(each) for each in entered] == [Registered, Registered]
    found = register.find_records([one.record, two.record, b"another"])
    assert set(found) == {one.record, two.record}
    assert found[one.record].signature == one.signature
    assert found[one.record].registered == entered[0]
    assert found[one.record].registered.terms == one.terms
    first = entered[0]
    assert isinstance(first, Registered)
    assert first == Registered(
        certificate_id=one.terms.certificate_id,
        signature_hash=one.signature_hash,
        kid=KID,
        entry_type=hc.EntryType.TEST,
        issued_at=NOW,
        expires=NOW + 30 * DAY,
        state=State.ISSUED,
        state_at=NOW,
        edition=1,
    )
    assert register.find(certificate_id=one.terms.certificate_id) == first
    assert register.find(signature_hash=two.signature_hash) == entered[1]
    assert register.find(certificate_id="URN:UVCI:01:FR:UNKNOWN") is None
    assert register.find(signature_hash=bytes(16)) is None
    assert actions(register) == [Action.INIT, Action.ISSUE, Action.ISSUE]


def test_the_same_record_twice_gives_the_first_one_s_certificate(register: Register) -> None:
    one = new("a")
    register.enter([one])
    again = new("a")
    assert again.signature != one.signature
    (given,) = register.enter([again])
    assert isinstance(given, Standing)
    assert given.signature == one.signature
    assert given.registered.terms == one.terms
    assert actions(register) == [Action.INIT, Action.ISSUE]


def test_the_same_record_twice_in_one_batch_is_entered_once_and_the_order_is_kept(register: Register) -> None:
    batch = [new("a"), new("b"), new("a"), new("c")]
    given = register.enter(batch)
    assert [type(one) for one in given] == [Registered, Registered, Standing, Registered]
    third = given[2]
    assert isinstance(third, Standing)
    assert third.registered == given[0]
    assert third.signature == batch[0].signature
    assert len(list(register.live(at=NOW))) == 3


def test_more_than_one_statement_can_hold(register: Register) -> None:
    batch = [new(number) for number in range(1201)]
    assert all(isinstance(one, Registered) for one in register.enter(batch))
    assert len(register.find_records([one.record for one in batch])) == 1201
    revoked = register.revoke([one.terms.certificate_id for one in batch])
    assert [one.certificate_id for one in revoked] == [one.terms.certificate_id for one in batch]
    assert verify_audit(register).count == 1 + 2 * 1201


def test_nothing_to_enter_or_look_for_is_nothing(register: Register) -> None:
    assert register.enter([]) == []
    assert register.find_records([]) == {}
    assert register.revoke([]) == []
    assert actions(register) == [Action.INIT]


def test_a_further_edition_stands_beside_the_first_and_is_the_one_found(register: Register) -> None:
    one, two = new("a"), new("a", edition=2)
    register.enter([one])
    assert [type(each) for each in register.enter([two])] == [Registered]
    assert register.find_records([one.record])[one.record].signature == two.signature
    assert [each.edition for each in register.live(at=NOW)] == [1, 2]
    assert actions(register)[1:] == [Action.ISSUE, Action.REISSUE]


def test_a_further_edition_may_take_the_place_of_the_earlier_ones(register: Register) -> None:
    one, two = new("a"), new("a", edition=2, replaces_earlier=True)
    register.enter([one])
    register.enter([two])
    old = register.find(certificate_id=one.terms.certificate_id)
    assert old is not None
    assert old.state is State.REPLACED
    assert [each.certificate_id for each in register.live(at=NOW)] == [two.terms.certificate_id]
    assert actions(register)[1:] == [Action.ISSUE, Action.REPLACE, Action.REISSUE]
    # Done again, as after a kill: nothing more happens.
    assert isinstance(register.enter([new("a", edition=2, replaces_earlier=True)])[0], Standing)
    assert len(actions(register)) == 4
    assert verify_audit(register).count == 4


def test_two_further_editions_in_one_batch_replace_the_first_once(register: Register) -> None:
    register.enter([new("a")])
    register.enter([new("a", edition=2, replaces_earlier=True), new("a", edition=3, replaces_earlier=True)])
    assert actions(register).count(Action.REPLACE) == 1
    assert verify_audit(register).count == 5


def test_another_record_with_the_same_identifier_is_told_and_the_others_are_entered(register: Register) -> None:
    one = new("a", certificate_id="URN:UVCI:01:FR:OWN")
    clash, fine = new("b", certificate_id="URN:UVCI:01:FR:OWN"), new("c")
    register.enter([one])
    told, entered = register.enter([clash, fine])
    assert isinstance(told, IssueError)
    assert told.code is Code.ISSUED_OTHERWISE
    assert isinstance(entered, Registered)
    both = register.enter([new("d", certificate_id="X"), new("e", certificate_id="X")])
    assert [type(each) for each in both] == [Registered, IssueError]
    assert register.find_records([clash.record]) == {}


def test_editions_of_a_record_with_an_identifier_of_its_own_share_it(register: Register) -> None:
    register.enter([new("a", certificate_id="URN:UVCI:01:FR:OWN")])
    (second,) = register.enter([new("a", edition=2, certificate_id="URN:UVCI:01:FR:OWN", replaces_earlier=True)])
    assert register.find(certificate_id="URN:UVCI:01:FR:OWN") == second
    (revoked,) = register.revoke(["URN:UVCI:01:FR:OWN"])
    assert (revoked.edition, revoked.state) == (2, State.REVOKED)
    assert {count.state: count.certificates for count in register.counts()} == {State.REVOKED: 2}
    assert verify_audit(register).count == 6


@pytest.mark.parametrize("identifier", ["", "X" * 201, "with\0nothing", "half \ud800", "two\nlines"])
def test_an_identifier_that_is_none_is_neither_entered_nor_looked_for(register: Register, identifier: str) -> None:
    (told,) = register.enter([new("a", certificate_id=identifier)])
    assert isinstance(told, IssueError)
    assert told.code is Code.FIELD_INVALID
    assert register.find(certificate_id=identifier) is None
    with pytest.raises(RegisterError) as caught:
        register.revoke([identifier])
    assert caught.value.code is Code.NOT_IN_REGISTER


def test_the_longest_identifier_is_one(register: Register) -> None:
    assert isinstance(register.enter([new("a", certificate_id="X" * 200)])[0], Registered)


def test_revoking_is_done_once_and_stays(register: Register) -> None:
    one = new("a")
    register.enter([one])
    (first,) = register.revoke([one.terms.certificate_id])
    assert first.state is State.REVOKED
    later = hc.FixedClock(NOW + DAY)
    register._clock = later
    assert register.revoke([one.terms.certificate_id]) == [first]
    assert register.revoke([one.terms.certificate_id], state=State.REPLACED) == [first]
    assert actions(register) == [Action.INIT, Action.ISSUE, Action.REVOKE]
    assert list(register.live(at=NOW)) == []


def test_what_was_replaced_can_be_revoked(register: Register) -> None:
    one = new("a")
    register.enter([one])
    assert register.revoke([one.terms.certificate_id], state=State.REPLACED)[0].state is State.REPLACED
    assert register.revoke([one.terms.certificate_id])[0].state is State.REVOKED
    assert verify_audit(register).count == 4
    with pytest.raises(ValueError, match="not issued again"):
        register.revoke([one.terms.certificate_id], state=State.ISSUED)


def test_with_what_was_replaced_its_replacement_is_revoked(register: Register) -> None:
    register.enter([new("a", certificate_id="first"), new("b", certificate_id="other")])
    register.enter([new("a", edition=2, certificate_id="second", replaces_earlier=True)])
    register.enter([new("a", edition=3, certificate_id="third", replaces_earlier=True)])
    revoked = register.revoke(["other", "first"])
    assert [(one.certificate_id, one.state) for one in revoked] == [
        (name, State.REVOKED) for name in ("other", "first", "second", "third")
    ]
    # Done again, as where the lists that come of it were lost: the same.
    assert register.revoke(["other", "first"]) == revoked
    assert list(register.live(at=NOW)) == []
    assert actions(register).count(Action.REVOKE) == 4
    verify_audit(register)


def test_a_new_edition_of_what_was_revoked_is_not_revoked_with_it(register: Register) -> None:
    register.enter([new("a", certificate_id="first")])
    register.revoke(["first"])
    register.enter([new("a", edition=2, certificate_id="second")])
    assert [one.certificate_id for one in register.revoke(["first"])] == ["first"]
    assert [one.certificate_id for one in register.live(at=NOW)] == ["second"]


def test_what_is_revoked_while_it_is_being_replaced_stays_without_a_replacement(register: Register) -> None:
    one, two = new("a", certificate_id="first"), new("a", edition=2, certificate_id="second", replaces_earlier=True)
    register.enter([one])
    register.revoke(["first"])
    (told,) = register.enter([two])
    assert isinstance(told, Standing)
    assert (told.registered.certificate_id, told.registered.state) == ("first", State.REVOKED)
    assert list(register.live(at=NOW)) == []
    assert actions(register) == [Action.INIT, Action.ISSUE, Action.REVOKE]


def test_one_unknown_identifier_and_nothing_is_revoked(register: Register) -> None:
    one = new("a")
    register.enter([one])
    with pytest.raises(RegisterError) as caught:
        register.revoke([one.terms.certificate_id, "URN:UVCI:01:FR:UNKNOWN"])
    assert caught.value.code is Code.NOT_IN_REGISTER
    assert "identifier 2" in caught.value.detail
    assert [each.state for each in register.live(at=NOW)] == [State.ISSUED]
    assert actions(register) == [Action.INIT, Action.ISSUE]


def test_live_ones_are_those_issued_and_not_expired_of_the_key_in_order(register: Register) -> None:
    other = b"another!"
    batch = [
        new(1),
        new(2, lasting=timedelta(hours=1)),
        new(3, kid=other),
        new(4),
    ]
    register.enter(batch)
    register.revoke([batch[3].terms.certificate_id])
    ids = [one.terms.certificate_id for one in batch]
    assert [one.certificate_id for one in register.live(at=NOW)] == ids[:3]
    assert [one.certificate_id for one in register.live(at=NOW + timedelta(hours=1))] == [ids[0], ids[2]]
    assert [one.certificate_id for one in register.live(kid=other, at=NOW)] == [ids[2]]
    counts = register.counts(at=NOW + timedelta(hours=2))
    assert sum(count.certificates for count in counts) == 4
    assert {(count.kid, count.state): count.unexpired for count in counts} == {
        (KID, State.ISSUED): 1,
        (KID, State.REVOKED): 1,
        (other, State.ISSUED): 1,
    }


def test_live_ones_come_in_pages_without_gap_or_repetition(register: Register, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("healthcert.authority.register.store._PAGE", 3)
    for total in (3, 4, 7):
        register.enter([new(number) for number in range(total)])
        found = [one.certificate_id for one in register.live(at=NOW)]
        assert len(found) == len(set(found)) == total


def test_the_certificates_of_the_keys_are_kept_once(register: Register) -> None:
    der = dsc().certificate_der()
    register.keep_certificate(der)
    register.keep_certificate(der)
    assert register.certificate(kid_of(der)) == der
    assert register.certificate(bytes(8)) is None
    assert actions(register) == [Action.INIT, Action.KEY]
    assert next(entry.kid for entry in entries(register, after=1)) == kid_of(der)


def test_two_certificates_with_one_kid_are_not_both_kept(register: Register, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("healthcert.authority.register.store.kid_of", lambda _: bytes(8))
    register.keep_certificate(dsc().certificate_der())
    with pytest.raises(RegisterError) as caught:
        register.keep_certificate(new_dsc(csca(), "Other", now=NOW - DAY).certificate_der())
    assert caught.value.code is Code.REGISTER_UNUSABLE
    assert register.certificate(bytes(8)) == dsc().certificate_der()


def test_a_register_opened_again_has_all_and_belongs_to_its_secret(place: Place) -> None:
    one = new("a")
    with place.open(create=True) as register:
        register.enter([one])
    with place.open(actor="other") as again:
        assert again.find_records([one.record])[one.record].signature == one.signature
        again.revoke([one.terms.certificate_id])
        assert [entry.actor for entry in entries(again)] == ["clerk", "clerk", "other"]
    with pytest.raises(RegisterError) as caught:
        place.open(secret=RegisterSecret.new())
    assert caught.value.code is Code.REGISTER_UNUSABLE
    assert "secret" in caught.value.detail


def test_none_is_made_where_there_is_one_and_none_opened_where_there_is_none(place: Place) -> None:
    if not place.url.startswith("postgresql"):
        with pytest.raises(RegisterError) as caught:
            place.open()
        assert caught.value.code is Code.REGISTER_UNUSABLE
    else:
        with pytest.raises(RegisterError, match="no register"):
            place.open()
    place.open(create=True).close()
    with pytest.raises(RegisterError, match="there is a database already"):
        place.open(create=True)
    place.open().close()


def test_another_version_s_or_program_s_database_is_refused(place: Place) -> None:
    place.open(create=True).close()
    place.sql("UPDATE meta SET value = '2' WHERE name = 'version'")
    with pytest.raises(RegisterError, match="another version's"):
        place.open()
    place.sql("UPDATE meta SET value = '1' WHERE name = 'version'")
    opened = place.open()
    place.sql("UPDATE meta SET value = '2' WHERE name = 'version'")
    # Brought to another version while this program has it open.
    with pytest.raises(RegisterError, match="another version's"):
        opened.enter([new("a")])
    opened.close()
    place.sql("UPDATE meta SET value = 'something' WHERE name = 'mark'")
    with pytest.raises(RegisterError, match="another program's"):
        place.open()


def test_a_register_without_one_of_its_tables_is_refused(place: Place) -> None:
    place.open(create=True).close()
    place.sql("DROP TABLE claim_codes")
    with pytest.raises(RegisterError, match="lacks tables"):
        place.open()


@pytest.mark.parametrize("actor", ["", "X" * 201, "two\nlines", "nothing\0"])
def test_the_actor_has_a_name_that_can_be_printed(place: Place, actor: str) -> None:
    with pytest.raises(RegisterError, match="the actor"):
        place.open(create=True, actor=actor)


def test_a_signature_that_was_moved_or_changed_is_told(place: Place, register: Register) -> None:
    one, two = new("a"), new("b")
    register.enter([one, two])
    place.sql("UPDATE certificates SET signature = (SELECT signature FROM certificates WHERE number = 2)")
    assert register.find_records([two.record])[two.record].signature == two.signature
    with pytest.raises(RegisterError, match="sealed value"):
        register.find_records([one.record])


@pytest.mark.parametrize(
    "change",
    [
        "expires = expires + 86400",
        "issued_at = issued_at - 1",
        "entry_type = 'recovery'",
        "kid = signature_hash",
        "signature_hash = record",
        "edition = 7",
        "certificate_id = 'another'",
    ],
)
def test_nothing_of_a_certificate_is_changed_unseen(place: Place, register: Register, change: str) -> None:
    one = new("a")
    register.enter([one])
    place.sql(f"UPDATE certificates SET {change}")
    with pytest.raises(RegisterError, match="sealed value"):
        register.find_records([one.record])
    with pytest.raises(RegisterError) as caught:
        verify_audit(register)
    assert caught.value.code is Code.AUDIT_BROKEN


@pytest.mark.parametrize(
    "damage", ["state = 'lost'", "entry_type = 'none'", "expires = 999999999999999", "kid = NULL, state = 'issued'"]
)
def test_a_row_that_none_has_is_told(place: Place, register: Register, damage: str) -> None:
    one = new("a")
    register.enter([one])
    if "NULL" in damage:
        with pytest.raises(Exception, match=r"NOT NULL|not-null"):
            place.sql(f"UPDATE certificates SET {damage}")
        return
    place.sql(f"UPDATE certificates SET {damage}")
    with pytest.raises(RegisterError) as caught:
        register.find(certificate_id=one.terms.certificate_id)
    assert caught.value.code is Code.REGISTER_UNUSABLE


def test_threads_that_enter_the_same_records_get_the_same_certificates(register: Register) -> None:
    records = [f"r{number}" for number in range(40)]
    results: list[dict[str, bytes]] = []

    def run() -> None:
        batch = [new(name) for name in records]
        given = register.enter(batch)
        signatures = [
            one.signature if isinstance(one, Standing) else batch[index].signature for index, one in enumerate(given)
        ]
        results.append(dict(zip(records, signatures, strict=True)))

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 4
    assert all(result == results[0] for result in results)
    assert verify_audit(register).count == 1 + len(records)


def test_find_asks_for_exactly_one(register: Register) -> None:
    with pytest.raises(TypeError):
        register.find()
    with pytest.raises(TypeError):
        register.find(certificate_id="a", signature_hash=b"b")


def test_reprs_tell_nothing(register: Register) -> None:
    one = new("a")
    register.enter([one])
    found = register.find_records([one.record])[one.record]
    assert repr(found) == "Standing(...)"
    assert repr(one) == "New(...)"
    assert repr(SECRET) == "RegisterSecret(...)"
    assert "postgres@" not in repr(register)
    assert repr(register).startswith("Register(")
