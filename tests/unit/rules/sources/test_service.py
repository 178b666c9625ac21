"""The business-rule service: what its keys sign, hashes with zeros, and what is fetched once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthcert.errors import Code, FetchError, HealthCertError
from healthcert.fetch import Response
from healthcert.limits import DEFAULT_LIMITS
from healthcert.rules.sources.protocol import Assurance, Context, Fetched, Known, RuleList
from healthcert.rules.sources.service import Service
from healthcert.rules.sources.service_lists import digest_of
from tests.gateway.rules import RuleService, header_signature, written_hash
from tests.support_lists import spoiled
from tests.support_rule_lists import (
    check_no_more,
    context,
    identities,
    key_anchor,
    loaded,
    raw,
    refusal,
    rule,
    service,
    service_parts,
    signing_key,
    skipped,
    value_set,
)
from tests.unit.trust.sources.world import Table, answer, flips, mutations

SOURCE = Service()
PINNED = context(key_anchor())
UNSIGNED = context(unsigned="yes")
GIVEN = service(rule("DE"), rule(), sets=[value_set()])
PARTS = service_parts(GIVEN)
FRENCH = f"rules/FR/{digest_of(raw(rule()))}"
GERMAN = f"rules/DE/{digest_of(raw(rule('DE')))}"
SET = f"valuesets/{digest_of(raw(value_set()))}"


def load(parts: Mapping[str, bytes], under: Context = PINNED) -> RuleList:
    return SOURCE.load(parts, under)


def with_zeros(nibbles: int) -> dict[str, Any]:
    """A rule whose hash begins with so many zeros, and then with none."""
    for number in range(1_000_000):
        made = rule(Region=str(number))
        digest = digest_of(raw(made))
        if len(digest) - len(digest.lstrip("0")) == nibbles:
            return made
    raise AssertionError("no such hash")


def test_a_signed_list() -> None:
    found = load(PARTS)
    assert identities(found) == [("GR-DE-0001", "1.0.0"), ("GR-FR-0001", "1.0.0")]
    assert [one.raw for one in found.rules] == GIVEN.rules
    assert [one.raw for one in found.value_sets] == GIVEN.value_sets
    assert (found.assurance, found.signer, found.skipped) == (Assurance.SIGNED_LIST, PINNED.anchors[0], ())
    assert found.countries == {"DE", "FR"}
    assert (found.counter, found.expires_at) == (None, None)


def test_a_signed_list_is_known_again() -> None:
    first, other = load(PARTS), load(service_parts(service(rule(), sets=[value_set()])))
    assert len(first.signed) == 2
    assert load({f"{name}.json": data for name, data in PARTS.items()}).signed == first.signed
    assert first.signed != other.signed
    more_sets = load(service_parts(service(rule("DE"), rule(), sets=[value_set(), value_set("x")])))
    assert (more_sets.signed[0], more_sets.signed[1] != first.signed[1]) == (first.signed[0], True)


def test_each_anchor_is_tried() -> None:
    found = load(PARTS, context(key_anchor("other"), key_anchor()))
    assert found.signer == key_anchor()


@pytest.mark.parametrize("name", ["rules", "valuesets", "countrylist"])
def test_any_bit_of_a_signed_list_matters(name: str) -> None:
    for changed in flips(PARTS[name]):
        assert refusal(SOURCE, {**PARTS, name: changed}, PINNED) == "RULE_LIST_NOT_AUTHENTIC"


@pytest.mark.parametrize("name", ["rules", "valuesets"])
@pytest.mark.parametrize(
    "signature",
    [None, "", "?", "AAAA", header_signature(b"something else", signing_key())],
    ids=["none", "empty", "not base64", "not a signature", "of something else"],
)
def test_a_list_without_its_signature_is_refused(name: str, signature: str | None) -> None:
    assert refusal(SOURCE, service_parts(GIVEN, **{name: signature}), PINNED) == "RULE_LIST_NOT_AUTHENTIC"


def test_a_list_that_another_key_signed_is_refused() -> None:
    assert refusal(SOURCE, PARTS, context(key_anchor("other"))) == "RULE_LIST_NOT_AUTHENTIC"


def test_one_list_does_not_pass_for_the_other() -> None:
    # The same key signs both.
    swapped = service_parts(GIVEN, rules=json.loads(PARTS["signatures"])["valuesets"])
    assert refusal(SOURCE, swapped | {"rules": PARTS["valuesets"]}, PINNED) == "RULE_LIST_UNREADABLE"


def test_a_list_of_countries_that_is_not_signed_counts_for_nothing() -> None:
    found = load(service_parts(GIVEN, countrylist=None))
    assert (len(found.rules), set(found.countries)) == (2, set())
    wrong = service_parts(GIVEN, countrylist=header_signature(b"[]", signing_key()))
    assert refusal(SOURCE, wrong, PINNED) == "RULE_LIST_NOT_AUTHENTIC"


# --- Documents ---


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({FRENCH: raw(rule()) + b" "}, "RULE_LIST_NOT_AUTHENTIC"),
        ({FRENCH: json.dumps(rule()).encode()}, "RULE_LIST_NOT_AUTHENTIC"),
        ({FRENCH: raw(rule("DE"))}, "RULE_LIST_NOT_AUTHENTIC"),
        ({FRENCH: b""}, "RULE_LIST_NOT_AUTHENTIC"),
        ({FRENCH: None}, "RULE_LIST_UNREADABLE"),
    ],
)
def test_a_rule_that_is_not_what_is_listed_is_skipped(changes: dict[str, Any], code: str) -> None:
    found = load({name: data for name, data in (PARTS | changes).items() if data is not None})
    assert identities(found) == [("GR-DE-0001", "1.0.0")]
    assert skipped(found) == [("FR, GR-FR-0001", "FR", None, code)]


def test_a_rule_with_a_wrong_signature_of_its_own_is_skipped() -> None:
    found = load(service_parts(GIVEN, **{FRENCH: header_signature(b"other", signing_key())}))
    assert skipped(found) == [("FR, GR-FR-0001", "FR", None, "RULE_LIST_NOT_AUTHENTIC")]
    # The signed list names its hash, so that it needs none.
    assert load(service_parts(GIVEN, **{FRENCH: None})).skipped == ()


@pytest.mark.parametrize(
    "changes", [{"identifier": "GR-FR-0002"}, {"version": "2.0.0"}, {"country": "IT"}, {"identifier": "\x1b"}]
)
def test_a_rule_that_is_listed_as_another_is_skipped(changes: dict[str, str]) -> None:
    items = json.loads(GIVEN.rule_list())
    items[1] |= changes
    body = raw(items)
    parts = service_parts(GIVEN, rules=header_signature(body, signing_key())) | {"rules": body}
    parts |= {f"rules/IT/{digest_of(raw(rule()))}": raw(rule())}
    found = load(parts)
    assert identities(found) == [("GR-DE-0001", "1.0.0")]
    assert [(one.country, one.error.code) for one in found.skipped] == [(items[1]["country"], "RULE_INVALID")]
    assert all(one.source.isprintable() for one in found.skipped)


def test_a_value_set_that_is_not_what_is_listed_is_skipped() -> None:
    for changed in (b"{}", raw(value_set("x")), raw(value_set()) + b" "):
        found = load(PARTS | {SET: changed})
        name = "disease-agent-targeted"
        assert skipped(found) == [(f"valuesets/{name}", None, name, "RULE_LIST_NOT_AUTHENTIC")]
        assert (len(found.rules), found.value_sets) == (2, ())


def test_a_value_set_of_another_name_is_skipped() -> None:
    body = raw([{"id": "another", "hash": digest_of(raw(value_set()))}])
    parts = service_parts(GIVEN, valuesets=header_signature(body, signing_key())) | {"valuesets": body}
    found = load(parts)
    assert (found.value_sets, skipped(found)) == (
        (),
        [("valuesets/another", None, "another", "RULE_LIST_UNREADABLE")],
    )


@pytest.mark.parametrize("zeros", [0, 1, 2, 3])
def test_hashes_lose_their_zeros(zeros: int) -> None:
    given = service(with_zeros(zeros))
    (item,) = json.loads(given.rule_list())
    assert len(item["hash"]) == {0: 64, 1: 64, 2: 62, 3: 61}[zeros]
    found = load(service_parts(given))
    assert (len(found.rules), found.skipped) == (1, ())


def test_a_list_whose_own_hash_loses_its_zeros() -> None:
    for number in range(10_000):
        body = raw([*json.loads(GIVEN.rule_list())]) + b" " * number
        if digest_of(body).startswith("00"):
            break
    assert len(written_hash(body)) < 64
    parts = service_parts(GIVEN, rules=header_signature(body, signing_key())) | {"rules": body}
    assert load(parts).skipped == ()


@pytest.mark.parametrize("changes", [{"hash": "AB" * 32}, {"hash": "ab" * 32}])
def test_hashes_are_compared_without_case(changes: dict[str, str]) -> None:
    body = raw([json.loads(GIVEN.rule_list())[0] | changes])
    found = load({"rules": body, f"rules/DE/{'ab' * 32}": b"?"}, UNSIGNED)
    assert [one.error.detail for one in found.skipped] == ["it does not have the hash that is listed"]


@pytest.mark.parametrize(
    "changes",
    [
        {"hash": ""},
        {"hash": "0" * 65},
        {"hash": "xy"},
        {"hash": "../rules"},
        {"hash": "٣"},
        {"hash": 7},
        {"country": "fr"},
        {"country": "../FR"},
        {"country": None},
        {"identifier": None},
        {"version": 1},
    ],
)
def test_a_list_with_an_entry_that_is_none_is_refused_whole(changes: dict[str, Any]) -> None:
    items = json.loads(GIVEN.rule_list())
    items[1] |= changes
    assert refusal(SOURCE, PARTS | {"rules": raw(items)}, UNSIGNED) == "RULE_LIST_UNREADABLE"


@pytest.mark.parametrize("entry", [{"id": "../x", "hash": "ab"}, {"id": "x", "hash": "g"}, {"id": "x"}, "x"])
def test_a_list_of_value_sets_with_an_entry_that_is_none_is_refused_whole(entry: Any) -> None:
    assert refusal(SOURCE, PARTS | {"valuesets": raw([entry])}, UNSIGNED) == "RULE_LIST_UNREADABLE"


def test_too_many_rules_are_refused() -> None:
    few = msgspec.structs.replace(DEFAULT_LIMITS, rules=3)  # with the value set
    assert len(load(PARTS, context(key_anchor(), limits=few)).rules) == 2
    for most in (1, 2):
        less = msgspec.structs.replace(DEFAULT_LIMITS, rules=most)
        assert refusal(SOURCE, PARTS, context(key_anchor(), limits=less)) == "INPUT_TOO_LONG"


# --- Without a signature ---


def test_unsigned_lists_are_taken_only_when_that_is_asked_for() -> None:
    parts = service_parts(service(rule(), signed=False))
    assert refusal(SOURCE, parts, context()) == "TRUST_ANCHOR_MISSING"
    assert refusal(SOURCE, parts, context(unsigned="no")) == "TRUST_ANCHOR_MISSING"
    found = load(parts, UNSIGNED)
    assert (identities(found), found.assurance) == ([("GR-FR-0001", "1.0.0")], Assurance.TLS_ONLY)
    assert (found.signer, found.signed, set(found.countries)) == (None, (), {"DE", "FR"})


def test_with_an_anchor_nobody_can_leave_the_signature_out() -> None:
    parts = service_parts(service(rule(), signed=False))
    assert refusal(SOURCE, parts, context(key_anchor(), unsigned="yes")) == "RULE_LIST_NOT_AUTHENTIC"


def test_hashes_count_without_a_signature_too() -> None:
    found = load(PARTS | {FRENCH: raw(rule("DE"))}, UNSIGNED)
    assert skipped(found) == [("FR, GR-FR-0001", "FR", None, "RULE_LIST_NOT_AUTHENTIC")]


@pytest.mark.parametrize("name", ["rules", "signatures", "valuesets", "countrylist"])
def test_parts_that_are_something_else(name: str) -> None:
    for wrong in (b"7", b"\xff", b""):
        assert refusal(SOURCE, PARTS | {name: wrong}, UNSIGNED) == "RULE_LIST_UNREADABLE"


# --- Fetching ---

URL = "https://rules.example"


class Server:
    """The service, which answers as it is set at the time."""

    def __init__(self, given: RuleService) -> None:
        self.given = given
        self.table = Table(self._answer)
        self.answers: dict[str, Response] = {}

    def _answer(self, url: str, headers: Mapping[str, str]) -> Response:
        assert headers["X-VERSION"] == "1.0"
        path = url.removeprefix(f"{URL}/")
        if path in self.answers:
            return self.answers[path]
        parts = service_parts(self.given)
        # The service knows documents by the hash as it wrote it.
        for one in (*self.given.rules, *self.given.value_sets):
            parts = {name.replace(digest_of(one), written_hash(one)): data for name, data in parts.items()}
        if path not in parts:
            raise FetchError(Code.FETCH_FAILED, "no such thing", status=404)
        found = answer(parts[path])
        if self.given.key is not None:
            found = answer(parts[path], **{"x-signature": header_signature(parts[path], self.given.key)})
        return msgspec.structs.replace(found, headers={**found.headers, "etag": f'"{digest_of(parts[path])[:8]}"'})

    def paths(self) -> list[str]:
        """What was asked since the last time."""
        found = [url.removeprefix(f"{URL}/") for url, _ in self.table.asked]
        self.table.asked.clear()
        return found


def fetch(server: Server, known: Known | None = None, under: Context = PINNED) -> Fetched | None:
    return SOURCE.fetch(server.table, f"{URL}/", known or Known(), under)


def known(fetched: Fetched | None) -> Known:
    assert fetched is not None
    return Known(fetched.parts, fetched.validators)


def test_the_lists_are_fetched_and_then_what_they_name() -> None:
    server = Server(GIVEN)
    fetched = fetch(server)
    assert fetched is not None
    assert server.paths() == ["rules", "valuesets", "countrylist", GERMAN, FRENCH, SET]
    found = load(fetched.parts)
    assert (len(found.rules), len(found.value_sets), found.skipped) == (2, 1, ())
    assert found.signed == load(PARTS).signed


def test_nothing_is_fetched_again() -> None:
    server = Server(GIVEN)
    first = known(fetch(server))
    server.paths()
    assert fetch(server, first) is None
    assert server.paths() == ["rules", "valuesets", "countrylist"]


def test_only_what_is_new_is_fetched() -> None:
    server = Server(service(rule("DE"), rule()))
    first = known(fetch(server))
    server.paths()
    server.given = service(rule("DE"), rule(Version="1.0.1"))
    second = fetch(server, first)
    assert server.paths() == [
        "rules",
        "valuesets",
        "countrylist",
        f"rules/FR/{digest_of(raw(rule(Version='1.0.1')))}",
    ]
    assert second is not None
    found = load(second.parts)
    assert (identities(found), found.skipped) == ([("GR-DE-0001", "1.0.0"), ("GR-FR-0001", "1.0.1")], ())
    # What is no longer listed is not kept.
    assert FRENCH not in second.parts


def test_what_was_kept_wrong_is_fetched_again() -> None:
    server = Server(GIVEN)
    first = fetch(server)
    assert first is not None
    server.paths()
    wrong = Known({**first.parts, FRENCH: b"damaged"}, first.validators)
    second = fetch(server, wrong)
    assert server.paths()[-1] == FRENCH
    assert second is not None
    assert load(second.parts).skipped == ()


def test_no_rule_is_fetched_before_its_list_was_checked() -> None:
    server = Server(RuleService(GIVEN.rules, GIVEN.value_sets, key=signing_key("stranger")))
    with pytest.raises(HealthCertError) as caught:
        fetch(server)
    assert caught.value.code == "RULE_LIST_NOT_AUTHENTIC"
    assert server.paths() == ["rules"]


def test_a_document_that_is_gone_is_missed() -> None:
    server = Server(with_missing())
    fetched = fetch(server)
    assert fetched is not None
    assert skipped(load(fetched.parts)) == [("FR, GR-FR-0001", "FR", None, "RULE_LIST_UNREADABLE")]


def with_missing() -> RuleService:
    """A service that lists a rule which it does not have."""

    class Missing(RuleService):
        def rule_list(self) -> bytes:
            return GIVEN.rule_list()

    return Missing([raw(rule("DE"))], key=signing_key())


def test_the_hash_of_nothing_is_one_like_any_other() -> None:
    body = raw([{"identifier": "GR-FR-0001", "version": "1.0.0", "country": "FR", "hash": digest_of(b"")}])

    def serve(url: str, headers: Mapping[str, str]) -> Response:
        if url.endswith("/rules"):
            return answer(body)
        return answer(b"" if "rules" in url.removeprefix(URL) else b"[]" if url.endswith("valuesets") else b'["FR"]')

    fetched = SOURCE.fetch(Table(serve), URL, Known(), UNSIGNED)
    assert fetched is not None
    assert skipped(load(fetched.parts, UNSIGNED)) == [("FR, GR-FR-0001", "FR", None, "RULE_INVALID")]


@given(st.data())
def test_whatever_is_listed_is_asked_for_within_the_service(data: st.DataObject) -> None:
    listed = json.dumps(data.draw(spoiled(json.loads(PARTS["rules"])))).encode()

    def serve(url: str, headers: Mapping[str, str]) -> Response:
        assert url.startswith(f"{URL}/")
        assert ".." not in url
        path = url.removeprefix(f"{URL}/")
        return answer({"rules": listed, "valuesets": b"[]", "countrylist": b"[]"}.get(path, b"?"))

    try:
        fetched = SOURCE.fetch(Table(serve), URL, Known(PARTS), UNSIGNED)
    except HealthCertError:
        return
    assert fetched is not None
    assert fetched.parts["rules"] == listed


def test_any_other_failure_ends_the_update() -> None:
    server = Server(GIVEN)

    def fail(url: str, headers: Mapping[str, str]) -> Response:
        if url.endswith(FRENCH):
            raise FetchError(Code.FETCH_FAILED, "it did not work", status=503)
        return server._answer(url, headers)

    with pytest.raises(FetchError):
        SOURCE.fetch(Table(fail), URL, Known(), PINNED)


def test_answers_together_are_no_longer_than_a_list() -> None:
    size = sum(len(data) for name, data in PARTS.items() if name != "signatures")
    exact = msgspec.structs.replace(DEFAULT_LIMITS, list_bytes=size)
    assert fetch(Server(GIVEN), under=context(key_anchor(), limits=exact)) is not None
    less = msgspec.structs.replace(DEFAULT_LIMITS, list_bytes=size - 1)
    with pytest.raises(FetchError):
        fetch(Server(GIVEN), under=context(key_anchor(), limits=less))


def test_a_list_that_has_not_changed_keeps_its_signature() -> None:
    server = Server(GIVEN)
    first = fetch(server)
    assert first is not None
    second = fetch(server, Known({**first.parts, SET: b"damaged"}, first.validators))
    assert second is not None
    kept = [
        {name: text for name, text in json.loads(one.parts["signatures"]).items() if name != SET}
        for one in (first, second)
    ]
    assert kept[0] == kept[1] != {}
    assert second.validators == first.validators
    assert load(second.parts).skipped == ()


# --- Bad luck, and bad will ---


def test_whatever_a_list_holds() -> None:
    good = load(PARTS, UNSIGNED)
    for name in ("rules", "valuesets", "countrylist", "signatures"):
        for changed in mutations(json.loads(PARTS[name])):
            check_no_more(good, loaded(SOURCE, PARTS | {name: changed}, UNSIGNED))


@given(st.data())
def test_whatever_a_service_answers(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(["rules", "valuesets", "countrylist", "signatures"]))
    changed = json.dumps(data.draw(spoiled(json.loads(PARTS[name])))).encode()
    check_no_more(load(PARTS, UNSIGNED), loaded(SOURCE, PARTS | {name: changed}, UNSIGNED))
    check_no_more(load(PARTS), loaded(SOURCE, PARTS | {name: changed}, PINNED))


def test_no_more_is_asked_than_one_list_may_come_in() -> None:
    server = Server(GIVEN)
    documents = len(GIVEN.rules) + len(GIVEN.value_sets)
    enough = msgspec.structs.replace(DEFAULT_LIMITS, list_pages=3 + documents)
    assert fetch(server, under=context(key_anchor(), limits=enough)) is not None
    server.paths()
    few = msgspec.structs.replace(DEFAULT_LIMITS, list_pages=2 + documents)
    with pytest.raises(FetchError, match="FETCH_REFUSED"):
        fetch(server, under=context(key_anchor(), limits=few))
    assert len(server.paths()) == 2 + documents
