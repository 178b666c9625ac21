"""Rules from their servers, over real HTTPS, into a store; and servers that err or cheat."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import cbor2
import pytest

from healthcert.clock import FixedClock
from healthcert.errors import Code, FetchError, RuleError
from healthcert.fetch import Bounds
from healthcert.https import HttpFetcher
from healthcert.lists.swiss import SIGNER
from healthcert.rules.feed import RuleChange, RuleFeed
from healthcert.rules.store import RuleStore
from healthcert.rules.update import recheck_rules, update_rules
from tests.gateway import certificates
from tests.gateway.dgcg import Dgcg
from tests.gateway.rules import RuleService, written_hash
from tests.gateway.server import Fault, Gateway
from tests.gateway.services import TOKEN, with_token
from tests.support import DAY, NOW
from tests.support_lists import chain, swiss_token
from tests.support_revocation import anchor, uploader
from tests.support_rule_lists import (
    app_value_sets,
    archive,
    key_anchor,
    raw,
    rule,
    service,
    signed_rule,
    swiss_document,
    swiss_rule,
    value_set,
)

HOUR = timedelta(hours=1)
SETTINGS = [{"name": "vaccine_end_day_complete", "type": "GENERIC", "value": "180"}]
VALIDITY = {"health": {"recoveryStartDay": 11}, "vaccine": {"vaccineDelay": 7}, "plus": {}}


@pytest.fixture(scope="module")
def running() -> Iterator[Gateway]:
    with Gateway() as gateway:
        yield gateway


@pytest.fixture
def gateway(running: Gateway, monkeypatch: pytest.MonkeyPatch) -> Gateway:
    """With France as a member, and the upload certificates of two countries."""
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    running.reset()
    running.dgcg = Dgcg()
    running.dgcg.now = NOW - DAY
    running.dgcg.add("AUTHENTICATION", certificates.client().der, uploader("EU"))
    for country in ("FR", "DE"):
        running.dgcg.add("UPLOAD", uploader(country).certificate_der(), uploader("EU"))
    running.dgcg.now = NOW
    return running


@pytest.fixture
def fetcher(gateway: Gateway) -> Iterator[HttpFetcher]:
    hosts = frozenset(url.removeprefix("https://") for url in (gateway.url, gateway.member_url))
    with HttpFetcher(
        hosts=hosts,
        ca=gateway.ca,
        client_certificate=gateway.client_certificate,
        client_key=gateway.client_key,
        bounds=Bounds(connect=5, read=2, total=5, attempts=1),
    ) as made:
        yield made


@dataclass
class Client:
    """A store, and how its lists are updated."""

    store: RuleStore
    fetcher: HttpFetcher

    def update(self, feed: RuleFeed, at: datetime = NOW) -> RuleChange:
        (change,) = update_rules(self.store, [feed], lambda _: self.fetcher, clock=FixedClock(at))
        return change

    def rules(self) -> list[tuple[str, str]]:
        return [(one.identifier, one.version) for one in self.store.book.rules]

    def refused(self, feed: RuleFeed, at: datetime = NOW) -> Code:
        """Why an update fails; what was in use stays."""
        before = self.rules(), self.store.lists
        change = self.update(feed, at)
        assert change.error is not None
        assert change.error.detail.isprintable()
        assert (self.rules(), self.store.lists) == before
        return change.error.code


@pytest.fixture
def client(fetcher: HttpFetcher, tmp_path: Path) -> Client:
    return Client(RuleStore.open(tmp_path / "rules.db"), fetcher)


# --- The EU gateway ---


def member_feed(gateway: Gateway, **options: str) -> RuleFeed:
    anchors = (anchor("FR"), anchor("DE"))
    return RuleFeed(name="eu", format="dgcg", url=gateway.member_url, anchors=anchors, options=options)


def enter(gateway: Gateway, *rules: dict[str, Any]) -> None:
    for one in rules:
        gateway.dgcg.rules.add(one, signed_rule(raw(one), one["Country"]))


def test_rules_of_member_states(gateway: Gateway, client: Client) -> None:
    enter(gateway, rule("DE"), rule(), rule(number=2, Version="1.2.0"))
    gateway.dgcg.rules.value_sets["disease-agent-targeted"] = raw(value_set(date="2022-01-01"))
    change = client.update(member_feed(gateway))
    assert (change.error, change.skipped, len(change.added)) == (None, (), 3)
    assert client.rules() == [("GR-DE-0001", "1.0.0"), ("GR-FR-0001", "1.0.0"), ("GR-FR-0002", "1.2.0")]
    assert client.store.book.value_sets.dates["disease-agent-targeted"] == "2022-01-01"
    assert all(request.certificate == certificates.client().der for request in gateway.requests)
    assert [head.assurance.signed for head in client.store.lists] == [True]
    assert client.update(member_feed(gateway), NOW + HOUR).unchanged
    assert client.store.lists[0].fetched_at == NOW + HOUR


def test_a_rule_is_uploaded_and_withdrawn(gateway: Gateway, client: Client) -> None:
    url, post = f"{gateway.member_url}/rules", partial(client.fetcher.post, content_type="application/cms", limit=1000)
    enter(gateway, rule("DE"), *(rule(number=number) for number in range(2, 6)))
    assert post(url, signed_rule(raw(rule())).encode()).status == 201
    client.update(member_feed(gateway))
    assert ("GR-FR-0001", "1.0.0") in client.rules()
    assert post(url, signed_rule(raw(rule(Version="1.0.1"))).encode()).status == 201
    for refused in (signed_rule(raw(rule())), signed_rule(raw(rule("DE"))), signed_rule(raw(rule()), "DE"), "?"):
        with pytest.raises(FetchError):
            post(url, refused.encode())
    client.update(member_feed(gateway))
    assert ("GR-FR-0001", "1.0.1") in client.rules()
    assert post(f"{url}/delete", signed_rule(b"GR-FR-0001").encode()).status == 204
    change = client.update(member_feed(gateway))
    assert [one.identifier for one in change.removed] == ["GR-FR-0001"]


def test_versions_that_are_to_come_are_listed_with_the_one_in_force(gateway: Gateway, client: Client) -> None:
    later = rule(Version="1.0.1", ValidFrom="2021-09-01T00:00:00Z")
    enter(gateway, rule(Version="0.9.0"), rule(), later)
    client.update(member_feed(gateway))
    assert client.rules() == [("GR-FR-0001", "1.0.0"), ("GR-FR-0001", "1.0.1")]


def test_only_some_countries(gateway: Gateway, client: Client) -> None:
    enter(gateway, rule("DE"), rule())
    client.update(member_feed(gateway, countries="FR"))
    assert client.rules() == [("GR-FR-0001", "1.0.0")]
    assert not any(request.path in ("/countrylist", "/rules/DE") for request in gateway.requests)


def test_a_tampered_rule_is_missing_and_missed(gateway: Gateway, client: Client) -> None:
    enter(gateway, rule("DE"), rule())
    message = gateway.dgcg.rules.rows[1].message
    gateway.dgcg.rules.rows[1].message = message[:1000] + ("A" if message[1000] != "A" else "B") + message[1001:]
    change = client.update(member_feed(gateway))
    assert [one.country for one in change.skipped] == ["FR"]
    assert (client.rules(), client.store.book.unreadable) == ([("GR-DE-0001", "1.0.0")], {"FR": 1})


def test_a_rule_that_nobody_signed_who_may(gateway: Gateway, client: Client) -> None:
    enter(gateway, rule("DE"))
    for country in ("DE", "IT"):
        one = rule(number=2)
        gateway.dgcg.rules.rows.clear()
        enter(gateway, rule("DE"))
        gateway.dgcg.rules.add(one, signed_rule(raw(one), country))
        change = client.update(member_feed(gateway))
        assert [one.country for one in change.skipped] == ["FR"]
        assert client.rules() == [("GR-DE-0001", "1.0.0")]


def test_a_rule_on_the_list_of_another_country(gateway: Gateway, client: Client) -> None:
    enter(gateway, rule("DE"))
    gateway.dgcg.rules.add(rule("DE", 2), signed_rule(raw(rule("DE", 2)), "DE"), country="FR")
    change = client.update(member_feed(gateway))
    assert [(one.country, one.error.code) for one in change.skipped] == [("FR", Code.RULE_LIST_NOT_AUTHENTIC)]
    assert client.rules() == [("GR-DE-0001", "1.0.0")]


def test_an_older_version_that_is_listed_again(gateway: Gateway, client: Client) -> None:
    enter(gateway, rule("DE"), rule())
    client.update(member_feed(gateway))
    enter(gateway, rule(Version="1.0.1"))
    client.update(member_feed(gateway))
    gateway.misbehave("/rules/FR", Fault.STALE)
    assert client.refused(member_feed(gateway)) is Code.RULE_LIST_ROLLED_BACK
    gateway.behave()
    assert client.update(member_feed(gateway)).error is None


def test_a_country_that_is_held_back(gateway: Gateway, client: Client) -> None:
    enter(gateway, rule("DE"), rule())
    client.update(member_feed(gateway))
    gateway.dgcg.rules.countries.remove("FR")
    assert client.refused(member_feed(gateway)) is Code.RULE_LIST_SHRANK


def test_a_caller_whom_the_gateway_does_not_know(gateway: Gateway) -> None:
    enter(gateway, rule())
    certificate, key = gateway.stranger_files
    with HttpFetcher(
        ca=gateway.ca, client_certificate=certificate, client_key=key, bounds=Bounds(attempts=1)
    ) as stranger:
        assert Client(RuleStore(), stranger).refused(member_feed(gateway)) is Code.FETCH_FAILED
    with HttpFetcher(ca=gateway.ca, bounds=Bounds(attempts=1)) as nobody:
        assert Client(RuleStore(), nobody).refused(member_feed(gateway)) is Code.FETCH_FAILED


# --- The service for verifiers' apps ---

SERVICE = "/rules-service"


def service_feed(gateway: Gateway, name: str = "service") -> RuleFeed:
    return RuleFeed(name="service", format="service", url=gateway.url + SERVICE, anchors=(key_anchor(name),))


def paths(gateway: Gateway) -> list[str]:
    """What was asked of the service since the last time."""
    found = [request.path.removeprefix(f"{SERVICE}/") for request in gateway.requests]
    gateway.requests.clear()
    return found


def test_rules_by_their_hashes(gateway: Gateway, client: Client) -> None:
    given = service(rule("DE"), rule(), sets=[value_set(date="2022-01-01")])
    given.serve(gateway, SERVICE)
    change = client.update(service_feed(gateway))
    assert (change.error, change.skipped) == (None, ())
    assert client.rules() == [("GR-DE-0001", "1.0.0"), ("GR-FR-0001", "1.0.0")]
    assert client.store.book.value_sets.dates["disease-agent-targeted"] == "2022-01-01"
    assert len(paths(gateway)) == 6

    # One rule is replaced, and another one comes: these alone are fetched.
    given.rules = [raw(rule("DE")), raw(rule(Version="1.0.1")), raw(rule(number=2))]
    given.serve(gateway, SERVICE)
    change = client.update(service_feed(gateway), NOW + HOUR)
    assert (change.error, change.skipped) == (None, ())
    assert client.rules() == [("GR-DE-0001", "1.0.0"), ("GR-FR-0001", "1.0.1"), ("GR-FR-0002", "1.0.0")]
    new = [f"rules/FR/{written_hash(one)}" for one in given.rules[1:]]
    assert paths(gateway) == ["rules", "valuesets", "countrylist", *new]
    assert client.update(service_feed(gateway), NOW + 2 * HOUR).unchanged
    assert paths(gateway) == ["rules", "valuesets", "countrylist"]


def test_a_document_with_another_hash(gateway: Gateway, client: Client) -> None:
    given = service(rule("DE"), rule())
    tampered = raw(rule(Logic={"if": [True, True, True]}))
    given.instead[written_hash(raw(rule()))] = tampered
    given.serve(gateway, SERVICE)
    change = client.update(service_feed(gateway))
    assert [(one.country, one.error.code) for one in change.skipped] == [("FR", Code.RULE_LIST_NOT_AUTHENTIC)]
    assert (client.rules(), client.store.book.unreadable) == ([("GR-DE-0001", "1.0.0")], {"FR": 1})
    # Once it is the right one, it is fetched.
    given.instead.clear()
    assert client.update(service_feed(gateway)).skipped == ()
    assert len(client.rules()) == 2


def test_a_document_that_is_gone(gateway: Gateway, client: Client) -> None:
    given = service(rule("DE"), rule())
    given.instead[written_hash(raw(rule()))] = None
    given.serve(gateway, SERVICE)
    change = client.update(service_feed(gateway))
    assert [one.country for one in change.skipped] == ["FR"]


@pytest.mark.parametrize("name", ["rules", "valuesets", "countrylist"])
def test_a_list_that_somebody_else_made(gateway: Gateway, client: Client, name: str) -> None:
    given = service(rule("DE"), rule(), sets=[value_set()])
    given.serve(gateway, SERVICE)
    client.update(service_feed(gateway))
    paths(gateway)
    wrong = {"rules": b"[]", "valuesets": b"[]", "countrylist": b'["IT"]'}[name]
    gateway.misbehave(f"{SERVICE}/{name}", Fault.OTHER, body=wrong)
    if name == "countrylist":
        # Without its signature, as here, it counts for nothing.
        assert client.update(service_feed(gateway)).error is None
        assert client.store.coverage("IT") == ()
    else:
        assert client.refused(service_feed(gateway)) is Code.RULE_LIST_NOT_AUTHENTIC
        assert not any("/" in path for path in paths(gateway))


def test_another_service_with_keys_of_its_own(gateway: Gateway, client: Client) -> None:
    service(rule("DE"), rule()).serve(gateway, SERVICE)
    assert client.refused(service_feed(gateway, "other")) is Code.RULE_LIST_NOT_AUTHENTIC
    assert paths(gateway) == ["rules"]


def test_a_list_that_comes_again(gateway: Gateway, client: Client) -> None:
    """The old list is well signed, and would bring back a rule that was replaced."""
    given = service(rule("DE"), rule())
    given.serve(gateway, SERVICE)
    client.update(service_feed(gateway))
    old = list(given.rules)
    given.rules = [raw(rule("DE")), raw(rule(Version="1.0.1"))]
    given.serve(gateway, SERVICE)
    client.update(service_feed(gateway))
    given.rules = old
    assert client.refused(service_feed(gateway)) is Code.RULE_LIST_ROLLED_BACK


def test_a_list_that_lost_most_of_its_rules(gateway: Gateway, client: Client) -> None:
    given = service(*(rule(number=number) for number in range(1, 6)))
    given.serve(gateway, SERVICE)
    client.update(service_feed(gateway))
    given.rules = given.rules[:1]
    assert client.refused(service_feed(gateway)) is Code.RULE_LIST_SHRANK


# --- The other formats ---


def _app(gateway: Gateway) -> tuple[str, RuleFeed]:
    path = "/version/v1/ehn-dgc/acceptance-rules"
    url = gateway.put(path, archive(cbor2.dumps([rule("DE"), rule()])))
    feed = RuleFeed(name="cwa", format="cwa", url=url, anchors=(key_anchor("app"),), options={"list": "acceptance"})
    return path, feed


def _swiss(gateway: Gateway) -> tuple[str, RuleFeed]:
    path = "/trust/v2/verificationRules"
    token = swiss_token(swiss_document(swiss_rule(), swiss_rule(2)))
    url = with_token(gateway, path, lambda: token, "application/json+jws")
    anchors, secrets = (chain(SIGNER).anchor(),), {"token": TOKEN}
    return path, RuleFeed(name="ch", format="ch", url=url, anchors=anchors, secrets=secrets)


def _italian(gateway: Gateway) -> tuple[str, RuleFeed]:
    path = "/v1/dgc/settings"
    return path, RuleFeed(name="it", format="it", url=gateway.put(path, raw(SETTINGS)))


def _french(gateway: Gateway) -> tuple[str, RuleFeed]:
    path = "/api/client/configuration/synchronisation/tacv"
    url = with_token(gateway, path, lambda: raw({"specificValues": {"validity": VALIDITY}}))
    return path, RuleFeed(name="fr", format="fr", url=url, secrets={"token": TOKEN})


def _service(gateway: Gateway) -> tuple[str, RuleFeed]:
    service(rule("DE"), rule(), sets=[value_set()]).serve(gateway, SERVICE)
    return f"{SERVICE}/rules", service_feed(gateway)


def _member(gateway: Gateway) -> tuple[str, RuleFeed]:
    enter(gateway, rule("DE"), rule())
    return "/rules/FR", member_feed(gateway)


FORMATS: Sequence[Callable[[Gateway], tuple[str, RuleFeed]]] = (_member, _service, _app, _swiss, _italian, _french)


def held(client: Client) -> tuple[int, list[str]]:
    """How many rules there are, and which documents of national ones."""
    documents = [name for one in client.store.state.lists.values() for name in one.documents.national]
    return len(client.rules()), documents


@pytest.mark.parametrize(
    ("serve", "count", "national"),
    [
        (_member, 2, []),
        (_service, 2, []),
        (_app, 2, []),
        (_swiss, 2, ["ch"]),
        (_italian, 0, ["it"]),
        (_french, 0, ["fr"]),
    ],
)
def test_every_format_into_a_store(
    gateway: Gateway, client: Client, serve: Any, count: int, national: list[str]
) -> None:
    path, feed = serve(gateway)
    change = client.update(feed)
    assert (change.error, change.skipped) == (None, ())
    assert held(client) == (count, national)
    assert any(request.path == path for request in gateway.requests)
    assert client.update(feed, NOW + HOUR).unchanged
    assert held(client) == (count, national)
    assert [(one.error, one.unchanged) for one in recheck_rules(client.store)] == [(None, True)]
    # The secret is neither in what is kept nor in what is shown.
    assert TOKEN not in repr((client.store.state.memories, change))


@pytest.mark.parametrize("serve", FORMATS)
@pytest.mark.parametrize(
    ("fault", "how"),
    [
        (Fault.TRUNCATED, {}),
        (Fault.UNCHANGED, {}),
        (Fault.RESET, {}),
        (Fault.HUGE, {}),
        (Fault.COMPRESSED, {}),
        (Fault.ANNOUNCED, {"length": 1 << 40}),
        (Fault.STATUS, {"status": 500}),
        (Fault.STATUS, {"status": 404}),
        (Fault.REDIRECT, {"to": "https://elsewhere.example/"}),
        (Fault.OTHER, {"body": b"<html></html>"}),
        (Fault.OTHER, {"body": b""}),
    ],
)
def test_a_server_that_errs_does_no_harm(
    gateway: Gateway, client: Client, serve: Any, fault: Fault, how: dict[str, Any]
) -> None:
    path, feed = serve(gateway)
    gateway.misbehave(path, fault, **how)
    # 304 to a request that had no condition is no answer.
    first = client.refused(feed)
    assert first in (
        Code.FETCH_FAILED,
        Code.FETCH_REFUSED,
        Code.RULE_LIST_UNREADABLE,
        Code.RULE_LIST_NOT_AUTHENTIC,
    )
    gateway.behave()
    assert client.update(feed).error is None
    before = held(client)
    if fault is not Fault.UNCHANGED:
        gateway.misbehave(path, fault, **how)
        client.refused(feed, NOW + HOUR)
        assert held(client) == before


@pytest.mark.parametrize("serve", [_swiss, _french])
def test_a_server_that_wants_another_token(gateway: Gateway, client: Client, serve: Any) -> None:
    _, feed = serve(gateway)
    for secrets in ({}, {"token": "another"}):
        other = RuleFeed(name="x", format=feed.format, url=feed.url, anchors=feed.anchors, secrets=secrets)
        assert client.refused(other) is Code.FETCH_FAILED


def test_an_archive_of_another_list_of_the_app(gateway: Gateway, client: Client) -> None:
    path, feed = _app(gateway)
    client.update(feed)
    invalidation = rule("DE", Identifier="IR-DE-0001", Type="Invalidation")
    for content in (cbor2.dumps([invalidation]), app_value_sets({4: [("840539006", "COVID-19")]})):
        gateway.put(path, archive(content))
        assert client.refused(feed) is Code.RULE_LIST_UNREADABLE
    gateway.put(path, archive(cbor2.dumps([rule("DE", Version="1.0.1"), rule()]), "somebody"))
    assert client.refused(feed) is Code.RULE_LIST_NOT_AUTHENTIC
    gateway.put(path, archive(cbor2.dumps([rule("DE", Version="1.0.1"), rule()])))
    assert client.update(feed).error is None
    gateway.misbehave(path, Fault.ROLLED_BACK)
    assert client.refused(feed) is Code.RULE_LIST_ROLLED_BACK


def test_a_swiss_document_that_was_replaced(gateway: Gateway, client: Client) -> None:
    path, feed = _swiss(gateway)
    first, second = (swiss_token(swiss_document(swiss_rule(version=version))) for version in ("1.0.0", "1.0.1"))
    tokens = [first]
    with_token(gateway, path, lambda: tokens[-1], "application/json+jws")
    for token in (first, second):
        tokens.append(token)
        assert client.update(feed).error is None
    tokens.append(first)
    assert client.refused(feed) is Code.RULE_LIST_ROLLED_BACK
    tokens.append(swiss_token(swiss_document(swiss_rule()), chain("somebody else")))
    assert client.refused(feed) is Code.RULE_LIST_NOT_AUTHENTIC
    # It ended two days after it was fetched.
    assert [one.fresh_until for one in client.store.coverage("CH")] == [NOW + 2 * DAY]


def test_one_source_that_fails_harms_no_other(gateway: Gateway, fetcher: HttpFetcher) -> None:
    feeds = [serve(gateway)[1] for serve in FORMATS]
    gateway.misbehave("/rules/FR", Fault.RESET)
    store = RuleStore()
    changes = list(update_rules(store, feeds, lambda _: fetcher, clock=FixedClock(NOW)))
    assert [change.source for change in changes if change.error is not None] == ["eu"]
    assert isinstance(changes[0].error, FetchError | RuleError)
    assert len(store.lists) == len(FORMATS) - 1


def test_a_service_without_signatures(gateway: Gateway, client: Client) -> None:
    RuleService([raw(rule())], key=None).serve(gateway, SERVICE)
    assert client.refused(service_feed(gateway)) is Code.RULE_LIST_NOT_AUTHENTIC
    url = gateway.url + SERVICE
    feed = RuleFeed(name="plain", format="service", url=url, options={"unsigned": "yes"})
    assert client.update(feed).error is None
    assert [head.assurance.signed for head in client.store.lists] == [False]
