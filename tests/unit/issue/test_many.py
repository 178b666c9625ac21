"""Over several processes the same certificates are issued and the same records refused as in one."""

from __future__ import annotations

import pickle
from collections.abc import Callable

import pytest
from msgspec.structs import replace

import healthcert as hc
from healthcert.issue.remote import RemoteSigner
from healthcert.issue.signer import Signer
from healthcert.model import Event, Holder
from tests import softhsm
from tests.hsm.keys import NOW as TOKEN_NOW
from tests.hsm.keys import key_on_token
from tests.support import CLOCK, DAY, EVENTS, HOLDER, NOW, TEST, VACCINATION, dsc, verifier

Record = tuple[Event, Holder]
ODD = hc.Holder(family_name="Exemplaire 3", given_name="Zoé", birth_date="1984-02-29")  # no passport spells a digit


def records() -> list[Record]:
    """Good ones and bad ones, each told by an identifier of its own."""
    good: list[Record] = [
        (replace(event, certificate_id=f"URN:UVCI:01:FR:{number}"), HOLDER)
        for number, event in enumerate([*EVENTS.values()] * 100)
    ]
    bad: list[Record] = [(VACCINATION, ODD), (replace(TEST, sampled_at=NOW + DAY), HOLDER)]
    return [*good[:10], *bad, *good[10:], *bad]


def told(results: list[hc.Issued | hc.IssueError]) -> list[object]:
    """What there is to compare: all but the signature, which is another each time."""
    return [
        (one.certificate_id, one.issued_at, one.expires)
        if isinstance(one, hc.Issued)
        else (one.code, one.detail, one.step)
        for one in results
    ]


def test_several_workers_issue_and_refuse_what_one_does() -> None:
    issuer = hc.Issuer(dsc().signer(), country="FR", name="Ministry of Examples", clock=CLOCK)
    alone = list(issuer.issue_many(records()))
    together = list(issuer.issue_many(iter(records()), workers=2))
    assert told(together) == told(alone)
    assert [one.code for one in together if isinstance(one, hc.IssueError)] == [
        "NAME_NEEDS_PASSPORT_SPELLING",
        "EVENT_IN_FUTURE",
    ] * 2
    assert all(one.__traceback__ is None for one in (*alone, *together) if isinstance(one, hc.IssueError))
    texts = [one.text for one in together if isinstance(one, hc.Issued)]
    assert {report.code for report in verifier().examine_many(texts)} == {"OK"}
    assert len(texts) == 300


def test_one_worker_issues_as_it_is_asked() -> None:
    def endless() -> object:
        while True:
            yield VACCINATION, HOLDER

    results = hc.Issuer(dsc().signer(), country="FR", clock=CLOCK).issue_many(endless())  # type: ignore[arg-type]
    assert isinstance(next(results), hc.Issued)


def test_a_key_in_a_module_signs_in_each_process_in_a_session_of_its_own() -> None:
    if reason := softhsm.missing():
        pytest.skip(reason)
    from healthcert.issue.hsm.signer import Pkcs11Signer

    made = key_on_token(softhsm.shared_tokens()[0], "DSC of many", "ec-p256")
    signer = Pkcs11Signer(made.uri, made.certificate, pin=softhsm.PIN)
    clock = hc.FixedClock(TOKEN_NOW)
    events = [replace(EVENTS[hc.EntryType.VACCINATION], certificate_id=f"URN:UVCI:01:FR:{n}") for n in range(600)]
    issuer = hc.Issuer(signer, country="FR", clock=clock)
    issued = list(issuer.issue_many(((event, HOLDER) for event in events), workers=2))
    one = hc.Verifier(hc.TrustStore.from_certificates([made.certificate]), clock=clock)
    texts = [each.text for each in issued if isinstance(each, hc.Issued)]
    seen = [report.certificate for report in one.examine_many(texts) if report.code == "OK"]
    assert [each.identifiers[0] for each in seen if each] == [event.certificate_id for event in events]


def unread() -> Record:
    pytest.fail("a record was read")


def exchange(_: object) -> bytes:
    return b""


@pytest.mark.parametrize("how", [exchange, lambda _: b""], ids=["a function", "a closure"])
def test_a_signer_that_must_stay_is_told_before_anything_is_begun(how: Callable[..., bytes]) -> None:
    signer: Signer = RemoteSigner(dsc().certificate_der(), how)
    issuer = hc.Issuer(signer, country="FR", clock=CLOCK)
    with pytest.raises(TypeError, match="with this RemoteSigner, policy and clock cannot"):
        next(issuer.issue_many((unread() for _ in range(3)), workers=2))


def test_a_private_key_gets_into_no_other_pickle() -> None:
    signer = dsc().signer()
    for holder in (signer, hc.Issuer(signer, country="FR", clock=CLOCK)):
        with pytest.raises(TypeError, match="private key"):
            pickle.dumps(holder)
