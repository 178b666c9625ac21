"""Re-issue of what was issued under a compromised DSC: the plan, the doing, and doing it again."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from msgspec import structs

import healthcert as hc
from healthcert.authority.audit import entries, verify_audit
from healthcert.authority.authority import IssuingAuthority
from healthcert.authority.register import Register, State
from healthcert.authority.reissue import ReissueCount, Reissued, plan_reissue, reissue, revoke_rest
from healthcert.authority.withdrawn import revocation_of, withdrawn
from healthcert.intake.reading import RejectedRow, Row
from healthcert.issue.pki import KeyPair, new_dsc
from healthcert.publish.batches import make_batches
from healthcert.publish.revoked import entries_of_certificate
from healthcert.revocation.identifiers import IdentifierType
from tests.authority_world import authority, register, row, texts
from tests.support import DAY, HOLDER, NOW, VACCINATION, csca, dsc, verifier


@cache
def successor() -> KeyPair:
    return new_dsc(csca(), "Next DSC", now=NOW - 10 * DAY)


OLD = dsc().signer().kid
ROWS: list[Row | RejectedRow] = [
    *(row(number) for number in range(1, 8)),
    Row(number=8, holder=HOLDER, event=VACCINATION),
    row(9, person=1),
    RejectedRow(10, hc.IssueError(hc.Code.RECORD_UNREADABLE, "no record", hc.Step.CONTENT)),
]


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Register]:
    """A register with the first six tests, one of them revoked, a vaccination, and two of which no record is left."""
    with register(tmp_path / "register.db", create=True) as opened:
        issued = list(authority(opened).issue_rows([*ROWS[:6], ROWS[7], row(20), row(21)]))
        second = issued[1]
        assert not isinstance(second, RejectedRow)
        opened.revoke([second.issued.certificate_id])
        yield opened


def office(kept: Register) -> IssuingAuthority:
    return authority(kept, successor().signer())


def numbers(answers: list[Reissued | RejectedRow]) -> list[int]:
    return [answer.number for answer in answers]


def test_the_plan_counts_and_changes_nothing(kept: Register) -> None:
    before = verify_audit(kept), kept.counts()
    plan = plan_reissue(office(kept), OLD, ROWS)
    assert (verify_audit(kept), kept.counts()) == before
    new = successor().signer().kid
    test, vaccination = hc.EntryType.TEST, hc.EntryType.VACCINATION
    assert plan.counts == (
        ReissueCount(entry_type=vaccination, live=1, matched=1, done=0, successor=new),
        ReissueCount(entry_type=test, live=7, matched=5, done=0, successor=new),
    )
    assert [count.unmatched for count in plan.counts] == [0, 2]
    # One was revoked, one was never issued; one row is broken.
    assert (plan.kid, plan.rows, plan.rejected, plan.others) == (OLD, 10, 1, 2)


def test_a_plan_says_where_no_dsc_is_left(kept: Register) -> None:
    tests_only = authority(kept, new_dsc(csca(), "T", now=NOW - DAY, usages=[hc.EntryType.TEST]).signer())
    plan = plan_reissue(tests_only, OLD, ROWS)
    assert {count.entry_type: count.successor is None for count in plan.counts} == {
        hc.EntryType.VACCINATION: True,
        hc.EntryType.TEST: False,
    }
    assert plan.rejected == 2


def test_live_ones_are_issued_anew_and_the_old_ones_replaced(kept: Register) -> None:
    answers = list(reissue(office(kept), OLD, ROWS, batch=3))
    assert numbers(answers) == [1, 3, 4, 5, 6, 8, 9, 10]
    done = [answer for answer in answers if isinstance(answer, Reissued)]
    assert [answer.again for answer in done] == [False] * 6 + [True]
    for answer in done:
        assert verifier(successor()).verify(answer.issued.text).certificate.identifiers
        new, old = (kept.find(certificate_id=name) for name in _names(answer))
        assert new is not None
        assert old is not None
        assert (new.state, new.edition, new.kid) == (State.ISSUED, 2, successor().signer().kid)
        assert (old.state, old.edition, old.kid) == (State.REPLACED, 1, OLD)
        assert answer.replaced.signature_hash == old.signature_hash
    assert texts(done[:1]) == texts(done[-1:])
    assert {one.certificate_id for one in kept.live(kid=OLD, at=NOW)} == _rest(kept)
    # In the ordinary way of issuing, the new one is what the record has.
    assert texts(office(kept).issue_rows([ROWS[0]])) == texts(done[:1])
    actions = [entry.action for entry in entries(kept)]
    assert (actions.count("reissue"), actions.count("replace")) == (6, 6)


def _names(answer: Reissued) -> tuple[str, str]:
    return answer.issued.certificate_id, answer.replaced.certificate_id


def _rest(kept: Register) -> set[str]:
    return {answer.issued.certificate_id for answer in authority(kept).issue_rows([row(20), row(21)])}  # type: ignore[union-attr]


@pytest.mark.parametrize("given", [0, 1, 2, 4, 5, 7])
def test_stopped_anywhere_and_done_again_it_is_the_same(kept: Register, given: int) -> None:
    first = reissue(office(kept), OLD, ROWS, batch=2)
    seen = [next(first) for _ in range(given)]
    del first
    whole = list(reissue(office(kept), OLD, ROWS, batch=3))
    told = {answer.number: answer for answer in whole}
    for answer in seen:
        again = told[answer.number]
        assert isinstance(answer, Reissued)
        assert isinstance(again, Reissued)
        assert again.issued == answer.issued
        assert again.again
        assert again.replaced.certificate_id == answer.replaced.certificate_id
    assert numbers(whole) == [1, 3, 4, 5, 6, 8, 9, 10]
    once_more = list(reissue(office(kept), OLD, ROWS))
    assert numbers(once_more) == numbers(whole)
    assert texts(once_more[:-1]) == texts(whole[:-1])
    assert [entry.action for entry in entries(kept)].count("reissue") == 6
    plan = plan_reissue(office(kept), OLD, ROWS)
    assert [(count.live, count.matched, count.done) for count in plan.counts] == [(0, 0, 1), (2, 0, 5)]


def test_what_has_no_record_is_revoked_only_when_asked_for(kept: Register) -> None:
    list(reissue(office(kept), OLD, ROWS))
    assert len(list(kept.live(kid=OLD, at=NOW))) == 2
    rest = _rest(kept)
    assert {one.certificate_id for one in revoke_rest(office(kept), OLD, batch=1)} == rest
    assert list(kept.live(kid=OLD, at=NOW)) == []
    assert list(revoke_rest(office(kept), OLD)) == []
    found = kept.find(certificate_id=rest.pop())
    assert found is not None
    assert found.state is State.REVOKED


def test_what_belongs_into_revocation_lists(kept: Register) -> None:
    old = texts(authority(kept).issue_rows([ROWS[0]]))
    list(reissue(office(kept), OLD, ROWS))
    list(revoke_rest(office(kept), OLD))
    gone = list(withdrawn(kept, OLD, at=NOW))
    assert len(gone) == 9
    assert list(withdrawn(kept, OLD, at=NOW)) == gone
    listed = [revocation_of(one, "FR") for one in gone]
    assert entries_of_certificate(old[0], [IdentifierType.SIGNATURE])[0].key in {entry.key for entry in listed}
    upload = new_dsc(csca(), "Upload", now=NOW - DAY)
    batches = list(make_batches(listed, upload.signer(), now=NOW))
    assert sum(batch.count for batch in batches) == 9
    assert {batch.kid for batch in batches} == {OLD}
    # What has expired is on no list any more; only the vaccination has not.
    assert len(list(withdrawn(kept, OLD, at=NOW + 4 * DAY))) == 1


def test_what_expired_is_not_issued_anew(kept: Register) -> None:
    later = authority(kept, successor().signer(), at=NOW + 4 * DAY)
    assert numbers(list(reissue(later, OLD, ROWS))) == [8, 10]


def test_what_has_its_certificate_under_another_dsc_is_not_concerned(kept: Register) -> None:
    other = office(kept)
    list(other.issue_rows([row(30)]))
    expired = authority(kept, successor().signer(), at=NOW + 4 * DAY)
    list(expired.issue_rows([row(3)]))  # a second edition, of one that had expired
    assert list(reissue(other, OLD, [row(30)])) == []
    assert list(reissue(expired, OLD, [row(3)])) == []


def test_a_record_with_an_identifier_of_its_own_keeps_it(kept: Register) -> None:
    own = Row(number=1, holder=HOLDER, event=structs.replace(VACCINATION, certificate_id="URN:UVCI:01:FR:X1"))
    list(authority(kept).issue_rows([own]))
    for again in (False, True):
        [answer] = reissue(office(kept), OLD, [own])
        assert isinstance(answer, Reissued)
        assert answer.issued.certificate_id == "URN:UVCI:01:FR:X1"
        assert answer.again is again
        assert answer.replaced.edition == 1
    found = kept.find(certificate_id="URN:UVCI:01:FR:X1")
    assert found is not None
    assert (found.edition, found.state) == (2, State.ISSUED)


def test_a_record_that_cannot_be_signed_keeps_what_it_has(kept: Register) -> None:
    tests_only = authority(kept, new_dsc(csca(), "T", now=NOW - DAY, usages=[hc.EntryType.TEST]).signer())
    [answer] = reissue(tests_only, OLD, [ROWS[7]])
    assert isinstance(answer, RejectedRow)
    assert answer.error.code is hc.Code.NO_SIGNER
    assert sum(1 for one in kept.live(kid=OLD, at=NOW) if one.entry_type is hc.EntryType.VACCINATION) == 1


def test_the_dsc_signs_no_more_and_was_the_authority_s(kept: Register) -> None:
    for doing in (plan_reissue, reissue, lambda one, kid, _: revoke_rest(one, kid)):
        with pytest.raises(hc.IssueError, match="signs no more"):
            doing(authority(kept), OLD, ROWS)
        with pytest.raises(hc.RegisterError, match="NOT_IN_REGISTER"):
            doing(office(kept), bytes(8), ROWS)
