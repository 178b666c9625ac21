"""An issuing authority: the same record has the same certificate, and nothing leaves that is not registered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

import healthcert as hc
from healthcert.authority.audit import verify_audit
from healthcert.authority.authority import IssuedRow, IssuingAuthority
from healthcert.authority.register import Register, State
from healthcert.authority.secret import RegisterSecret
from healthcert.families.hcert.uvci import UvciCheck, check_uvci
from healthcert.intake.reading import RejectedRow, Row
from healthcert.issue.signer_set import SignerSet
from tests.authority_world import ISSUER, SECRET, authority, register, row, texts
from tests.support import CLOCK, DAY, EVENTS, HOLDER, NOW, TEST, VACCINATION, dsc, verifier

KINDS = hc.KeyKind


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Register]:
    with register(tmp_path / "register.db", create=True) as opened:
        yield opened


def codes(answers: list[Any]) -> list[str | None]:
    return [answer.error.code.value if isinstance(answer, RejectedRow) else None for answer in answers]


class Failing:
    """A signer that fails: after ``good`` signatures it raises, each time that it is asked."""

    def __init__(self, good: int, code: hc.Code, pair: Any = None) -> None:
        self._signer = (pair or dsc()).signer()
        self.kid, self.algorithm = self._signer.kid, self._signer.algorithm
        self.certificate = self._signer.certificate
        self.good, self.code, self.asked = good, code, 0

    def sign(self, data: bytes, *, prehashed: bool = False) -> bytes:
        self.asked += 1
        if self.asked > self.good:
            raise hc.IssueError(self.code, "the token is gone", hc.Step.SIGNATURE)
        return self._signer.sign(data, prehashed=prehashed)


# --- Idempotency ---


@pytest.mark.parametrize("kind", [KINDS.EC_P256, KINDS.RSA_3072])
@pytest.mark.parametrize("event", EVENTS.values())
def test_the_same_record_gives_the_same_certificate_also_later(kept: Register, event: hc.Event, kind: Any) -> None:
    signer = dsc(kind=kind).signer()
    first = authority(kept, signer).issue(event, holder=HOLDER)
    later = authority(kept, signer, at=NOW + DAY).issue(event, holder=HOLDER)
    assert later == first
    assert verifier(dsc(kind=kind)).verify(first.text).certificate.identifiers == (first.certificate_id,)
    assert sum(count.certificates for count in kept.counts()) == 1


def test_what_is_issued_is_in_the_register(kept: Register) -> None:
    issued = authority(kept).issue(TEST, holder=HOLDER)
    found = kept.find(certificate_id=issued.certificate_id)
    assert found is not None
    assert (found.kid, found.issued_at, found.expires) == (dsc().signer().kid, issued.issued_at, issued.expires)
    assert (found.state, found.edition, found.entry_type) == (State.ISSUED, 1, hc.EntryType.TEST)
    assert kept.find(signature_hash=found.signature_hash) == found
    assert kept.certificate(found.kid) == dsc().certificate_der()
    assert verify_audit(kept).count == 3  # made, a key taken into use, a certificate issued


def test_an_identifier_follows_from_record_edition_and_secret(tmp_path: Path) -> None:
    """What a run that was broken off signed and could not enter has the same identifier when it is done again."""
    names: dict[str, list[str]] = {}
    for name, secret in {"one": SECRET, "its copy": SECRET, "other": RegisterSecret(bytes(32))}.items():
        with register(tmp_path / f"{name}.db", create=True, secret=secret) as kept:
            desk = authority(kept)
            names[name] = [answer.issued.certificate_id for answer in desk.issue_rows([row(1), row(2)])]  # type: ignore[union-attr]
            kept.revoke(names[name][:1])
            names[name].append(desk.issue(row(1).event, holder=row(1).holder, new_edition=True).certificate_id)
    assert names["one"] == names["its copy"]
    together = names["one"] + names["other"]
    assert len(set(together)) == len(together) == 6
    assert all(check_uvci(identifier) is UvciCheck.VALID for identifier in together)


def test_another_person_or_fact_gives_another_certificate(kept: Register) -> None:
    office = authority(kept)
    events = [TEST, structs.replace(TEST, centre="Another"), structs.replace(TEST, sampled_at=NOW - 2 * DAY)]
    people = [HOLDER, structs.replace(HOLDER, given_name="Zoe"), structs.replace(HOLDER, birth_date="1984-02")]
    issued = {office.issue(event, holder=holder).certificate_id for event in events for holder in people}
    assert len(issued) == 9


def test_spelling_that_certifies_the_same_is_the_same_record(kept: Register) -> None:
    office = authority(kept)
    first = office.issue(TEST, holder=HOLDER)
    decomposed = structs.replace(HOLDER, given_name="Zoe\u0301")
    named = structs.replace(TEST, country="FR", issuer=ISSUER)
    unnamed = structs.replace(TEST, issuer=None)
    assert office.issue(TEST, holder=decomposed) == first
    assert office.issue(named, holder=HOLDER) == first
    assert office.issue(unnamed, holder=HOLDER) == first


def test_it_is_the_same_when_its_dsc_is_no_longer_among_the_signers(kept: Register) -> None:
    old, new = dsc(), dsc(kind=KINDS.RSA_3072)
    first = authority(kept, old.signer()).issue(TEST, holder=HOLDER)
    office = authority(kept, new.signer())
    assert office.issue(TEST, holder=HOLDER) == first
    another = office.issue(VACCINATION, holder=HOLDER)
    found = kept.find(certificate_id=another.certificate_id)
    assert found is not None
    assert found.kid == new.signer().kid


def test_an_expired_one_gets_a_new_edition_and_that_stays(kept: Register) -> None:
    first = authority(kept).issue(TEST, holder=HOLDER)
    assert authority(kept, at=first.expires - timedelta(seconds=1)).issue(TEST, holder=HOLDER) == first
    later = authority(kept, at=first.expires)
    second = later.issue(TEST, holder=HOLDER)
    assert second.certificate_id != first.certificate_id
    assert second.issued_at == first.expires
    assert later.issue(TEST, holder=HOLDER) == second
    found = kept.find(certificate_id=second.certificate_id)
    assert found is not None
    assert found.edition == 2


@pytest.mark.parametrize("state", [State.REVOKED, State.REPLACED])
def test_a_revoked_one_is_refused_unless_a_new_edition_is_asked_for(kept: Register, state: State) -> None:
    office = authority(kept)
    first = office.issue(TEST, holder=HOLDER)
    kept.revoke([first.certificate_id], state=state)
    with pytest.raises(hc.IssueError, match="ISSUED_AND_REVOKED"):
        office.issue(TEST, holder=HOLDER)
    second = office.issue(TEST, holder=HOLDER, new_edition=True)
    assert second.certificate_id != first.certificate_id
    # Asked for twice, as after a crash, it is the same one.
    assert office.issue(TEST, holder=HOLDER, new_edition=True) == second
    assert office.issue(TEST, holder=HOLDER) == second


def test_one_that_was_revoked_and_has_expired_stays_refused(kept: Register) -> None:
    first = authority(kept).issue(TEST, holder=HOLDER)
    kept.revoke([first.certificate_id])
    with pytest.raises(hc.IssueError, match="ISSUED_AND_REVOKED"):
        authority(kept, at=first.expires + DAY).issue(TEST, holder=HOLDER)


def test_what_would_be_written_in_another_way_now_is_told(kept: Register, monkeypatch: pytest.MonkeyPatch) -> None:
    from healthcert.issue import pending

    office = authority(kept)
    office.issue(TEST, holder=HOLDER)
    kept_unsigned = vars(pending)["unsigned"]
    monkeypatch.setattr(pending, "unsigned", lambda payload, **about: kept_unsigned({**payload, "ver": "9"}, **about))
    with pytest.raises(hc.IssueError, match="ISSUED_OTHERWISE"):
        office.issue(TEST, holder=HOLDER)


def test_a_record_that_names_its_own_identifier_keeps_it(kept: Register) -> None:
    office = authority(kept)
    own = structs.replace(TEST, certificate_id="URN:UVCI:01:FR:T5DWTJYS4ZR8#4")
    first = office.issue(own, holder=HOLDER)
    assert first.certificate_id == own.certificate_id
    assert office.issue(own, holder=HOLDER) == first
    with pytest.raises(hc.IssueError, match="ISSUED_OTHERWISE"):
        office.issue(own, holder=structs.replace(HOLDER, given_name="Another"))
    kept.revoke([first.certificate_id])
    second = office.issue(own, holder=HOLDER, new_edition=True)
    assert second.certificate_id == first.certificate_id
    assert office.issue(own, holder=HOLDER) == second


@pytest.mark.parametrize("slip", ["Dupont Zoé", "DUPONT", "1984-02-29", "184027511600107", "FR/DUPONT", ""])
def test_what_is_no_identifier_comes_into_no_register(kept: Register, slip: str) -> None:
    own = structs.replace(TEST, certificate_id=slip)
    [answer] = authority(kept).issue_rows([Row(number=1, holder=HOLDER, event=own)])
    assert isinstance(answer, RejectedRow)
    assert answer.error.code is hc.Code.FIELD_INVALID
    assert "certificate_id: a UVCI" in answer.error.detail
    assert not slip or slip not in answer.error.detail
    assert kept.counts() == ()


def test_a_dsc_that_the_register_lost_is_told(tmp_path: Path) -> None:
    import sqlite3

    with register(tmp_path / "register.db", create=True) as kept:
        authority(kept).issue(TEST, holder=HOLDER)
    connection = sqlite3.connect(tmp_path / "register.db")
    with connection:
        connection.execute("DELETE FROM signers")
    connection.close()
    with register(tmp_path / "register.db") as kept, pytest.raises(hc.RegisterError, match="REGISTER_UNUSABLE"):
        authority(kept).issue(TEST, holder=HOLDER)


# --- Rows ---


def test_rows_come_out_in_order_with_the_rejected_ones_among_them(kept: Register) -> None:
    broken = structs.replace(row(3), holder=hc.Holder(given_name="Zoé", birth_date="29.02.1984"))
    unread = RejectedRow(4, hc.IssueError(hc.Code.RECORD_UNREADABLE, "no JSON", hc.Step.CONTENT))
    rows: list[Row | RejectedRow] = [row(1), row(2), broken, unread, row(5), row(6, person=1), row(7)]
    for batch in (2, 500):
        answers = list(authority(kept).issue_rows(rows, batch=batch))
        assert [answer.number for answer in answers] == [1, 2, 3, 4, 5, 6, 7]
        assert codes(answers) == [None, None, "FIELD_INVALID", "RECORD_UNREADABLE", None, None, None]
    assert sum(count.certificates for count in kept.counts()) == 4


@pytest.mark.parametrize("batch", [1, 2, 3, 500])
def test_a_record_that_is_there_twice_gets_one_certificate_twice(kept: Register, batch: int) -> None:
    rows = [row(1, person=1), row(2, person=2), row(3, person=1)]
    answers = list(authority(kept).issue_rows(rows, batch=batch))
    assert [answer.again for answer in answers if isinstance(answer, IssuedRow)] == [False, False, True]
    first, second, third = texts(answers)
    assert first == third != second
    again = list(authority(kept).issue_rows(rows, batch=batch))
    assert texts(again) == [first, second, third]
    assert all(answer.again for answer in again if isinstance(answer, IssuedRow))
    assert verify_audit(kept).count == 4


def test_nothing_is_given_out_before_its_batch_is_registered(kept: Register) -> None:
    answers = authority(kept).issue_rows((row(number) for number in range(1, 8)), batch=3)
    for number, answer in enumerate(answers, 1):
        assert isinstance(answer, IssuedRow)
        entered = sum(count.certificates for count in kept.counts())
        assert entered == min(7, -(-number // 3) * 3)
        assert kept.find(certificate_id=answer.issued.certificate_id) is not None


def test_rows_are_read_as_they_are_needed(kept: Register) -> None:
    read: list[int] = []

    def reading() -> Iterator[Row]:
        for number in range(1, 100):
            read.append(number)
            yield row(number)

    answers = authority(kept).issue_rows(reading(), batch=5)
    assert read == []
    next(answers)
    assert read == [1, 2, 3, 4, 5]


def test_a_batch_is_of_at_least_one_record(kept: Register) -> None:
    with pytest.raises(ValueError, match="batch"):
        authority(kept).issue_rows([], batch=0)


def test_no_rows_touch_nothing(kept: Register) -> None:
    assert list(authority(kept).issue_rows([])) == []
    assert verify_audit(kept).count == 1


@settings(max_examples=25, deadline=None)
@given(people=st.lists(st.integers(0, 8), max_size=20), batch=st.integers(1, 7), cut=st.integers(0, 20))
def test_however_often_and_in_whatever_batches_each_record_has_one_certificate(
    tmp_path_factory: pytest.TempPathFactory, people: list[int], batch: int, cut: int
) -> None:
    rows = [row(number, person=person) for number, person in enumerate(people, 1)]
    with register(tmp_path_factory.mktemp("r") / "register.db", create=True) as kept:
        office = authority(kept)
        given_out: dict[int, set[str]] = {}
        for part in (rows[:cut], rows):
            for text, person in zip(texts(office.issue_rows(part, batch=batch)), people, strict=False):
                given_out.setdefault(person, set()).add(text)
        assert all(len(found) == 1 for found in given_out.values())
        assert sum(count.certificates for count in kept.counts()) == len(set(people))


# --- Signers ---


def test_each_record_is_signed_by_the_dsc_for_its_kind(kept: Register) -> None:
    tests, others = dsc(hc.EntryType.TEST), dsc(hc.EntryType.VACCINATION)
    office = authority(kept, tests.signer(), others.signer())
    for event, pair in ((TEST, tests), (VACCINATION, others)):
        issued = office.issue(event, holder=HOLDER)
        report = verifier(pair).examine(issued.text)
        assert report.outcome is hc.Outcome.ACCEPTED
    with pytest.raises(hc.IssueError, match="NO_SIGNER"):
        office.issue(EVENTS[hc.EntryType.RECOVERY], holder=HOLDER)


def test_what_an_eu_dcc_cannot_hold_is_rejected(kept: Register) -> None:
    exemption = hc.Exemption(disease=hc.COVID_19, valid_until=NOW.date())
    with pytest.raises(hc.IssueError, match="one that an EU DCC can hold"):
        authority(kept).issue(exemption, holder=HOLDER)


def test_a_wrong_signer_is_told_before_the_first_record(kept: Register) -> None:
    from healthcert.issue.pki import new_csca, new_dsc

    foreign = new_dsc(new_csca("DE", "Test CSCA", now=NOW - 30 * DAY), "Test DSC", now=NOW - 20 * DAY)
    with pytest.raises(hc.IssueError, match="country"):
        authority(kept, foreign.signer())


@pytest.mark.parametrize("code", [hc.Code.TOKEN_UNAVAILABLE, hc.Code.PIN_REFUSED])
def test_a_signer_that_is_gone_in_the_middle_is_not_asked_again(kept: Register, code: hc.Code) -> None:
    list(authority(kept).issue_rows([row(8)]))
    signer = Failing(3, code)
    answers = list(authority(kept, signer).issue_rows([row(number) for number in range(1, 10)], batch=5))
    told = code.value
    # The eighth was issued before, which needs no signer.
    assert codes(answers) == [None, None, None, told, told, told, told, None, told]
    assert signer.asked == 4
    assert sum(count.certificates for count in kept.counts()) == 4
    first = texts(answers[:3])
    whole = list(authority(kept).issue_rows([row(number) for number in range(1, 10)]))
    assert texts(whole)[:3] == first
    assert verify_audit(kept).count == 2 + 9


def test_another_signer_goes_on_when_one_is_gone(kept: Register) -> None:
    gone = Failing(0, hc.Code.TOKEN_UNAVAILABLE, dsc(hc.EntryType.TEST))
    office = authority(kept, gone, dsc(hc.EntryType.VACCINATION).signer())
    rows = [row(1), Row(number=2, holder=HOLDER, event=VACCINATION), row(3)]
    assert codes(list(office.issue_rows(rows))) == ["TOKEN_UNAVAILABLE", None, "TOKEN_UNAVAILABLE"]


def test_a_signature_that_fails_once_rejects_one_record(kept: Register) -> None:
    signer = Failing(99, hc.Code.SIGNING_FAILED)
    wrong = iter([True])
    sign = signer.sign
    signer.sign = lambda data, **given: bytes(64) if next(wrong, False) else sign(data, **given)  # type: ignore[method-assign]
    answers = list(authority(kept, signer).issue_rows([row(1), row(2)]))
    assert codes(answers) == ["SIGNING_FAILED", None]


def test_a_signer_that_fails_three_times_in_a_row_is_taken_for_gone(kept: Register) -> None:
    signer = Failing(2, hc.Code.SIGNING_FAILED)
    answers = list(authority(kept, signer).issue_rows([row(number) for number in range(1, 10)], batch=2))
    assert codes(answers) == [None, None, *["SIGNING_FAILED"] * 7]
    assert signer.asked == 5
    sometimes = Failing(99, hc.Code.SIGNING_FAILED)
    sign, turn = sometimes.sign, iter([1, 1, 0, 1, 1, 0, 0])
    sometimes.sign = lambda data, **given: bytes(64) if next(turn) else sign(data, **given)  # type: ignore[method-assign]
    answers = list(authority(kept, sometimes).issue_rows([row(number) for number in range(3, 10)]))
    assert [code is None for code in codes(answers)] == [False, False, True, False, False, True, True]


def test_a_signer_that_raises_anything_else_leaves_nothing_behind(kept: Register) -> None:
    signer = Failing(2, hc.Code.SIGNING_FAILED)

    def sign(data: bytes, *, prehashed: bool = False) -> bytes:
        raise RuntimeError("a driver's own")

    signer.sign = sign  # type: ignore[method-assign]
    with pytest.raises(RuntimeError):
        list(authority(kept, signer).issue_rows([row(1)]))
    assert kept.counts() == ()


def test_one_record_raises_what_rejects_it(kept: Register) -> None:
    with pytest.raises(hc.IssueError) as caught:
        authority(kept, Failing(0, hc.Code.PIN_REFUSED)).issue(TEST, holder=HOLDER)
    assert caught.value.code is hc.Code.PIN_REFUSED


# --- The database ---


def test_a_database_that_is_gone_gives_nothing_out_and_a_second_run_issues_each_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "register.db"
    rows = [row(number) for number in range(1, 8)]
    given_out: list[str] = []
    with register(path, create=True) as kept:
        office = authority(kept)
        enter, calls = kept.enter, Counter[str]()

        def failing(new: Any) -> Any:
            calls["enter"] += 1
            if calls["enter"] == 2:
                raise hc.RegisterError(hc.Code.REGISTER_UNUSABLE, "the connection was lost")
            return enter(new)

        monkeypatch.setattr(kept, "enter", failing)
        with pytest.raises(hc.RegisterError, match="REGISTER_UNUSABLE"):
            given_out.extend(texts([answer]).pop() for answer in office.issue_rows(rows, batch=3))
    assert len(given_out) == 3
    with register(path) as kept:
        assert texts(authority(kept).issue_rows(rows, batch=3))[:3] == given_out
        assert verify_audit(kept).count == 2 + 7


def test_what_another_process_entered_meanwhile_is_what_is_given_out(
    kept: Register, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = authority(kept)
    with register(tmp_path / "register.db") as other:
        # Between looking up and entering, the other one issues both, and revokes one.
        find, faster = kept.find_records, authority(other)
        theirs: list[str] = []

        def overtaken(records: Any) -> Any:
            found = find(records)
            if not theirs:
                both = list(faster.issue_rows([row(1), row(2)]))
                theirs.extend(texts(both))
                assert isinstance(both[1], IssuedRow)
                other.revoke([both[1].issued.certificate_id])
            return found

        monkeypatch.setattr(kept, "find_records", overtaken)
        answers = list(office.issue_rows([row(1), row(2), row(3)]))
    assert codes(answers) == [None, "ISSUED_AND_REVOKED", None]
    assert isinstance(answers[0], IssuedRow)
    assert answers[0].again
    assert answers[0].issued.text == theirs[0]
    assert sum(count.certificates for count in kept.counts()) == 3


def test_reprs_tell_no_one(kept: Register) -> None:
    office = IssuingAuthority(SignerSet([dsc().signer()]), kept, country="FR", name="N", clock=CLOCK)
    [answer] = office.issue_rows([row(1)])
    assert repr(answer) == "IssuedRow(...)"
    assert "Exemplaire" not in repr(office)
