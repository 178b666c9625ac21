"""The revocation step: what a report says of lists, beyond what the vectors of HC-REV hold."""

from __future__ import annotations

import json
import pickle
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

import healthcert as hc
from healthcert.publish.batches import make_batches
from healthcert.publish.revoked import entries_of_certificate
from healthcert.revocation.files import Given
from healthcert.revocation.keylists import KeyLists
from healthcert.verify.report import odds_in_words
from tests.support import DAY, NOW, Press, dsc, issue, trust
from tests.support_revocation import anchor, batch_id, uploader

REQUIRED = hc.Policy(revocation=hc.RevocationCheck.REQUIRED)


@pytest.fixture
def store(tmp_path: Path) -> hc.RevocationStore:
    return hc.RevocationStore.open(tmp_path / "revocation")


def put(store: hc.RevocationStore, text: str | None, *, name: str = "fr", age: timedelta = timedelta(0)) -> None:
    """A French list with one certificate, or with none that anybody has."""
    key = entries_of_certificate(text, (hc.IdentifierType.FR_DCC,))[0].key.hex() if text else "00" * 32
    body = {"elements": [{"hash": key, "active": True}], "lastIndexBlacklist": 1}
    feed = hc.RevocationFeed(name=name, format="fr", max_age=DAY)
    files = Given({"dcc.json": json.dumps(body).encode()})
    hc.install_revocations(store, feed, files, clock=hc.FixedClock(NOW - age))


def put_batch(store: hc.RevocationStore, text: str) -> None:
    """A batch of the EU gateway with this certificate, by its identifier, until it expires."""
    entries = entries_of_certificate(text, (hc.IdentifierType.UCI,))
    (batch,) = make_batches(entries, uploader().signer(), now=NOW)
    feed = hc.RevocationFeed(name="dgcg", format="dgcg", anchors=(anchor(),), max_age=None)
    hc.install_revocations(store, feed, Given({batch_id(1): batch.message}), clock=hc.FixedClock(NOW))


def examine(text: str, store: hc.RevocationStore | None, policy: hc.Policy | None = None) -> hc.Report:
    return hc.Verifier(trust(), revocation=store, policy=policy, clock=hc.FixedClock(NOW)).examine(text)


def test_a_listed_certificate_is_refused_and_the_report_names_the_list_and_not_the_entry(
    store: hc.RevocationStore,
) -> None:
    text = issue().text
    put(store, text)
    report = examine(text, store)
    assert (report.outcome, report.code, report.step) == (hc.Outcome.REFUSED, hc.Code.REVOKED, hc.Step.REVOCATION)
    assert report.revocation is not None
    assert (report.revocation.standing, report.revocation.source) == (hc.Standing.HIT, "fr")
    # What follows from the content is still shown to whoever holds the certificate.
    assert report.certificate is not None
    said = json.dumps(report.to_dict()["revocation"])
    assert entries_of_certificate(text, (hc.IdentifierType.FR_DCC,))[0].key.hex() not in said


def test_a_certificate_that_no_list_names_is_accepted_and_the_report_says_until_when(
    store: hc.RevocationStore,
) -> None:
    put(store, None)
    report = examine(issue().text, store, REQUIRED)
    assert report.outcome is hc.Outcome.ACCEPTED
    assert report[hc.Step.REVOCATION].outcome is hc.StepResult.PASSED
    assert report.revocation is not None
    assert report.revocation.fresh_until == NOW + DAY
    assert report.to_dict()["revocation"] == {
        "standing": "clear",
        "source": None,
        "odds": 0.0,
        "lists": [
            {
                "source": "fr",
                "format": "fr",
                "signed": False,
                "fetched_at": NOW.isoformat(),
                "fresh_until": (NOW + DAY).isoformat(),
            }
        ],
        "overdue": [],
    }
    assert report.warnings == ()


@pytest.mark.parametrize("with_store", [False, True], ids=["no store", "an empty store"])
def test_without_lists_the_policy_decides(store: hc.RevocationStore, with_store: bool) -> None:
    lists = store if with_store else None
    report = examine(issue().text, lists, REQUIRED)
    assert (report.outcome, report.code) == (hc.Outcome.UNDETERMINED, hc.Code.REVOCATION_UNKNOWN)
    report = examine(issue().text, lists)
    assert report.outcome is hc.Outcome.ACCEPTED
    assert report[hc.Step.REVOCATION].outcome is hc.StepResult.NOT_RUN
    assert report[hc.Step.REVOCATION].detail == "no revocation list covers the issuer"
    assert [warning.code for warning in report.warnings] == [hc.Code.REVOCATION_UNKNOWN] * with_store
    report = examine(issue().text, lists, hc.Policy(revocation=hc.RevocationCheck.OFF))
    assert report[hc.Step.REVOCATION].detail == "off in the policy"
    assert report.revocation is None


def test_an_overdue_list_says_since_when(store: hc.RevocationStore) -> None:
    put(store, None, age=2 * DAY)
    report = examine(issue().text, store, REQUIRED)
    assert (report.outcome, report.code) == (hc.Outcome.UNDETERMINED, hc.Code.REVOCATION_UNKNOWN)
    assert report.detail == "the revocation list for the issuer is overdue since 2021-08-19 10:00 UTC"
    assert report.revocation is not None
    assert [one.source for one in report.revocation.overdue] == ["fr"]
    report = examine(issue().text, store)
    assert report.outcome is hc.Outcome.ACCEPTED
    assert (
        report[hc.Step.REVOCATION].detail == "the revocation list for the issuer is overdue since 2021-08-19 10:00 UTC"
    )
    assert [warning.code for warning in report.warnings] == [hc.Code.REVOCATION_UNKNOWN]


def test_a_revoked_and_expired_certificate_names_both_and_the_first_obstacle_first(store: hc.RevocationStore) -> None:
    text = issue().text
    put(store, text)
    verifier = hc.Verifier(trust(), revocation=store, clock=hc.FixedClock(NOW + 1000 * DAY))
    report = verifier.examine(text)
    assert report.code is hc.Code.CWT_EXPIRED
    assert report[hc.Step.REVOCATION].code is hc.Code.REVOKED


def test_a_forged_certificate_is_not_looked_for(store: hc.RevocationStore) -> None:
    put(store, None)
    other = issue(pair=dsc(hc.EntryType.VACCINATION)).text
    report = examine(other, store)
    assert report.step is hc.Step.TRUST
    assert report.revocation is None
    assert report[hc.Step.REVOCATION].outcome is hc.StepResult.NOT_RUN


def test_a_damaged_file_of_the_store_leaves_it_undetermined_and_not_accepted(
    store: hc.RevocationStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise hc.RevocationError(hc.Code.REVOCATION_STORE_UNREADABLE, "damaged")

    put(store, None)
    monkeypatch.setattr(store, "about_key", broken)
    report = examine(issue().text, store)
    assert (report.outcome, report.code) == (hc.Outcome.UNDETERMINED, hc.Code.REVOCATION_STORE_UNREADABLE)


def test_no_file_and_no_network_is_touched_for_a_certificate(
    store: hc.RevocationStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(store, None)
    text, verifier = issue().text, hc.Verifier(trust(), revocation=store, clock=hc.FixedClock(NOW))

    def forbidden(*_: object, **__: object) -> None:
        raise AssertionError("asked for a certificate")

    for name in ("builtins.open", "sqlite3.connect", "socket.socket.connect", "pathlib.Path.open"):
        monkeypatch.setattr(name, forbidden)
    assert verifier.examine(text).outcome is hc.Outcome.ACCEPTED


@pytest.mark.parametrize(
    "wrong", [{"revocation_grace": timedelta(seconds=-1)}, {"revocation_odds": 1.5}, {"revocation_odds": -0.1}]
)
def test_a_policy_that_makes_no_sense_is_none(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="revocation_"):
        replace(hc.Policy(), **wrong)


def test_a_policy_written_in_words_is_the_same_policy(store: hc.RevocationStore) -> None:
    policy = hc.Policy(revocation="required")  # type: ignore[arg-type]
    assert policy.revocation is hc.RevocationCheck.REQUIRED
    assert examine(issue().text, store, policy).code is hc.Code.REVOCATION_UNKNOWN
    with pytest.raises(ValueError, match="sometimes"):
        hc.Policy(revocation="sometimes")  # type: ignore[arg-type]


@pytest.mark.parametrize("policy", [REQUIRED, hc.Policy()], ids=["required", "if available"])
def test_lists_of_another_environment_than_the_keys_tell_nothing(store: hc.RevocationStore, policy: hc.Policy) -> None:
    text = issue().text
    put(store, text)
    keys = trust()
    keys.settle(hc.Environment.TEST)
    verifier = hc.Verifier(keys, revocation=store, policy=policy, clock=hc.FixedClock(NOW))
    report = verifier.examine(text)
    assert (report.outcome, report.code) == (hc.Outcome.UNDETERMINED, hc.Code.ENVIRONMENT_MIXED)
    assert report.detail == "the keys are of the environment test, and the revocation lists of production"
    assert report.revocation is None


def test_an_answer_is_of_the_lists_of_one_moment_whatever_comes_while_it_is_made(
    store: hc.RevocationStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = issue().text
    put(store, None)
    about_key = store.about_key
    put_batches: list[str] = []

    def meanwhile(*key: Any) -> KeyLists:
        lists = about_key(*key)
        if not put_batches:
            # It goes by other identifiers than the list that is asked.
            put_batch(store, text)
            put_batches.append(text)
        return lists

    monkeypatch.setattr(store, "about_key", meanwhile)
    before = examine(text, store)
    assert before.code is hc.Code.OK
    assert before.revocation is not None
    assert [one.source for one in before.revocation.lists] == ["fr"]
    assert examine(text, store).code is hc.Code.REVOKED


def test_of_a_certificate_that_cannot_be_read_nothing_is_called_clear(store: hc.RevocationStore) -> None:
    put_batch(store, issue().text)
    report = examine(Press(payload={"ver": "1.3.0"}).text(), store)
    assert (report.outcome, report.step) == (hc.Outcome.REFUSED, hc.Step.CONTENT)
    assert report[hc.Step.REVOCATION].outcome is hc.StepResult.NOT_RUN
    assert report[hc.Step.REVOCATION].detail == "the content cannot be read, and revocation lists may go by it"
    assert report.revocation is not None
    assert report.revocation.standing is hc.Standing.UNKNOWN


def test_an_entry_counts_for_as_long_as_its_certificate_may(store: hc.RevocationStore) -> None:
    midnight = NOW + timedelta(hours=14)
    text = Press(claims={4: int(midnight.timestamp()) - 60}).text()
    put_batch(store, text)
    allowing = hc.Policy(clock_skew=timedelta(minutes=5))
    at = hc.FixedClock(midnight + timedelta(minutes=3))
    report = hc.Verifier(trust(), revocation=store, policy=allowing, clock=at).examine(text)
    assert report.code is hc.Code.REVOKED


def test_what_is_allowed_to_the_validity_does_not_make_lists_live_longer(store: hc.RevocationStore) -> None:
    put(store, None, age=DAY + timedelta(minutes=1))
    policy = replace(REQUIRED, clock_skew=timedelta(minutes=5))
    assert examine(issue().text, store, policy).code is hc.Code.REVOCATION_UNKNOWN
    assert examine(issue().text, store, replace(policy, revocation_grace=timedelta(minutes=1))).code is hc.Code.OK


@pytest.mark.parametrize(
    ("odds", "words"),
    [
        (1.0, "one in 1"),
        (0.001, "one in 1,000"),
        (1e-12, "one in 1,000,000,000,000"),
        (5e-300, "one in more than a million million"),
        (0.0, "none"),
    ],
)
def test_odds_are_told_in_words_that_people_can_read(odds: float, words: str) -> None:
    assert odds_in_words(odds) == words


def test_a_report_with_an_answer_can_be_sent_to_another_process(store: hc.RevocationStore) -> None:
    put(store, None)
    report = examine(issue().text, store)
    again = pickle.loads(pickle.dumps(report))
    assert again.to_dict() == report.to_dict()
    json.dumps(again.to_dict(), allow_nan=False)
