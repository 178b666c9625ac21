"""Over several processes the very same reports come out as in one."""

from __future__ import annotations

import json
import os
import pickle
import signal
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

import healthcert as hc
from healthcert.encoding import cbor
from healthcert.families import KINDS
from healthcert.model import Scan
from healthcert.publish.revoked import entries_of_certificate
from healthcert.revocation.files import Given
from healthcert.verify.parcels import Parcel, pack, unpack
from tests.issuing import CASES
from tests.support import (
    CLOCK,
    DAY,
    EVENTS,
    NOW,
    Press,
    dsc,
    issue,
    trust,
    vaccination,
    verifier,
)
from tests.support_rule_lists import raw, rule


@cache
def believing_all() -> hc.TrustStore:
    """A store in memory with the keys of every family's issuer."""
    store = trust()
    for case in CASES.values():
        store.include(case.trust())
    return store


@cache
def texts() -> tuple[str | bytes, ...]:
    """A certificate of every family, as it is and broken in several ways; and what is none."""
    good: list[str | bytes] = []
    for case in CASES.values():
        issued = case.issue()
        good.append(Scan.of(issued.wire.binary) if case.kind == "DIVOC" else issued.text)
    good += [Press().text(), issue().text, Press(payload=vaccination(dn=1)).text()]
    broken = [text[: len(text) // part] for text in good for part in (2, 3)]
    turned = [text.swapcase() for text in good if isinstance(text, str)]
    signed = [Press(sign=lambda _: bytes(64)).text(), Press(claims={4: 1}).text(), Press(kid=b"12345678").text()]
    return (*good, *broken, *turned, *signed, "", "nothing", b"\xff\x00", issue().text.encode())


def revocations(folder: Path, *revoked: str) -> hc.RevocationStore:
    """A store of revocations with one French list that names these certificates."""
    store = hc.RevocationStore.open(folder)
    install(store, *revoked)
    return store


def install(store: hc.RevocationStore, *revoked: str) -> None:
    keys = [entries_of_certificate(text, (hc.IdentifierType.FR_DCC,))[0].key.hex() for text in revoked]
    body = {"elements": [{"hash": key, "active": True} for key in keys], "lastIndexBlacklist": len(keys)}
    feed = hc.RevocationFeed(name="fr", format="fr", max_age=DAY)
    hc.install_revocations(store, feed, Given({"dcc.json": json.dumps(body).encode()}), clock=CLOCK)


def rules() -> hc.RuleStore:
    """A store of rules: a second dose is asked for."""
    store = hc.RuleStore()
    feed = hc.RuleFeed(name="door", format="folder", max_age=DAY, options={"countries": "FR"})
    hc.install_rules(store, feed, {"1.json": raw(rule(Logic={">=": [{"var": "payload.v.0.dn"}, 2]}))}, clock=CLOCK)
    return store


def shown(report: hc.Report) -> tuple[str, str]:
    """All that a report says, and the payload, so that 2 and 2.0 differ."""
    raw = report.certificate.raw if report.certificate is not None else None
    return json.dumps(report.to_dict()), repr(raw)


def test_reports_are_the_same_for_every_family_and_every_fault(tmp_path: Path) -> None:
    policy = hc.Policy(families=KINDS, country="FR", rules=hc.RulesCheck.IF_AVAILABLE)
    revoked = issue(pair=dsc()).text
    given = [*texts(), revoked]
    lists = revocations(tmp_path / "lists", revoked)
    one = hc.Verifier(believing_all(), revocation=lists, rules=rules(), policy=policy, clock=CLOCK)
    alone = list(one.examine_many(given))
    together = list(one.examine_many(iter(given), workers=2))
    assert list(map(shown, together)) == list(map(shown, alone))
    assert together == alone
    assert {"OK", "REVOKED", "RULES_NOT_MET", "SIGNATURE_INVALID", "CWT_EXPIRED"} <= {one.code for one in alone}
    assert {report.family for report in alone if report.code == "OK"} >= {case.kind for case in CASES.values()}


def carried_over(reports: list[hc.Report]) -> list[hc.Report]:
    parcel: Parcel = pickle.loads(pickle.dumps(pack(reports)))
    return list(unpack(parcel))


class ParisClock:
    """A clock whose zone is no fixed distance from UTC."""

    def now(self) -> datetime:
        return NOW.astimezone(ZoneInfo("Europe/Paris"))


def test_what_is_usual_and_what_is_not_come_out_as_they_went_in() -> None:
    given = [issue(event).text for event in EVENTS.values()]
    some = list(verifier().examine_many(["", given[0], "nothing", "", *given[1:], texts()[0]]))
    assert some[1].certificate is not None
    odd = replace(some[1], certificate=replace(some[1].certificate, raw={"tagged": NOW, "key": (1, 2.0)}))
    timed = [hc.Verifier(trust(), clock=clock).examine(given[0]) for clock in (ParisClock(), hc.SystemClock())]
    for reports in ([], some, [*some, odd, *some], timed, some[:1]):
        assert carried_over(reports) == reports
    assert list(map(shown, carried_over(some))) == list(map(shown, some))
    assert len(pack(some).others) == 4, "the usual ones are not pickled"


@pytest.mark.parametrize(
    "given",
    ["e9", "f8ff", "f7", "f97e00", "a1a1010203", "a1820102f6", "d9270f81e9", "a1c1a1e90502", "5f4101ff"],
)
def test_no_value_that_cbor_can_hold_ends_a_run(given: str) -> None:
    (report,) = verifier().examine_many([issue().text])
    assert report.certificate is not None
    odd = cbor.decode(bytes.fromhex(given), max_depth=9)
    for change in ({"raw": {"odd": odd}}, {"other": {"odd": odd}, "raw": {"odd": odd}}):
        one = replace(report, certificate=replace(report.certificate, **change))
        (same,) = carried_over([one])
        assert shown(same) == shown(one)


def test_keys_are_those_that_the_store_held_whatever_has_become_of_its_file(tmp_path: Path) -> None:
    path = tmp_path / "trust.db"
    hc.TrustStore.open(path).add(trust())
    store = hc.TrustStore.open(path)
    hc.TrustStore.open(path).remove(next(iter(store)).kid)
    one = hc.Verifier(store, clock=CLOCK)
    given = [issue().text] * 3
    assert [report.code for report in one.examine_many(given, workers=2)] == ["OK"] * 3
    store.reload()
    assert [report.code for report in one.examine_many(given, workers=2)] == ["TRUST_STORE_EMPTY"] * 3


def test_lists_that_others_took_in_meanwhile_are_an_error_and_not_another_verdict(tmp_path: Path) -> None:
    text = issue().text
    store = revocations(tmp_path, issue().text)
    one = hc.Verifier(trust(), revocation=store, clock=CLOCK)
    assert [report.code for report in one.examine_many([text], workers=2)] == ["OK"]
    install(hc.RevocationStore.open(tmp_path), text)
    with pytest.raises(hc.RevocationError, match="reload it") as raised:
        list(one.examine_many([text], workers=2))
    assert raised.value.code is hc.Code.REVOCATION_STORE_UNREADABLE
    store.reload()
    assert [report.code for report in one.examine_many([text], workers=2)] == ["REVOKED"]


class Deadly(str):
    """A text that its reader does not survive, in another process."""

    __slots__ = ()

    def __reduce__(self) -> tuple[object, ...]:
        return read, (os.getpid(),)


def read(parent: int) -> str:
    if os.getpid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)
    return ""


def test_a_text_that_no_worker_survives_is_undetermined() -> None:
    (lost,) = verifier().examine_many([Deadly("HC1:")], workers=2)
    assert lost.code is hc.Code.WORKER_LOST
    assert (lost.outcome, lost.step, lost.certificate) == (hc.Outcome.UNDETERMINED, hc.Step.RECOGNISE, None)
    assert lost.detail == "the worker ended 3 times while it had this item alone"
    assert [step.outcome for step in lost.steps] == ["undetermined", *["not_run"] * (len(lost.steps) - 1)]


class OwnStore(hc.TrustStore):
    """One that a caller made."""


class LocalClock:
    """A clock that cannot go anywhere."""

    def __init__(self) -> None:
        self.now = lambda: NOW + timedelta(0)


def test_what_cannot_be_taken_along_is_told_before_anything_is_read() -> None:
    def texts() -> Iterator[str]:
        yield pytest.fail("a text was read")

    for one in (hc.Verifier(OwnStore(), clock=CLOCK), hc.Verifier(trust(), clock=LocalClock())):
        with pytest.raises((TypeError, AttributeError)):
            next(one.examine_many(texts(), workers=2))
    with pytest.raises(TypeError, match="OwnStore cannot be taken to another process; a TrustStore can"):
        next(hc.Verifier(OwnStore(), clock=CLOCK).examine_many([""], workers=2))
    with pytest.raises(ValueError, match="one worker or more"):
        next(verifier().examine_many([""], workers=0))
    with pytest.raises(TypeError, match="takes many texts"):
        next(verifier().examine_many("HC1:", workers=2))
