"""The EU gateway's rules: whose signature counts, what a listing has to agree with, and what is fetched."""

from __future__ import annotations

import base64
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthcert.errors import FetchError, HealthCertError
from healthcert.fetch import Response
from healthcert.limits import DEFAULT_LIMITS
from healthcert.lists.anchors import TrustAnchor
from healthcert.rules.sources.dgcg import Dgcg
from healthcert.rules.sources.protocol import Assurance, Context, Known, RuleList
from tests.support import DAY, NOW
from tests.support_lists import spoiled
from tests.support_revocation import anchor, uploader
from tests.support_rule_lists import (
    PINNED,
    context,
    decoded,
    entry,
    gateway_parts,
    identities,
    loaded,
    raw,
    refusal,
    rule,
    signed_rule,
    skipped,
    value_set,
)
from tests.unit.trust.sources.world import Table, answer, flips

SOURCE = Dgcg()
GOOD = entry(rule())
GENERAL = "GR-FR-0001"
BOTH = gateway_parts(DE={"GR-DE-0001": [entry(rule("DE"))]}, FR={GENERAL: [GOOD]})


def load(under: Context = PINNED, **listings: Any) -> RuleList:
    return SOURCE.load(gateway_parts(**listings), under)


def why_skipped(listed: Any, identifier: str = GENERAL, under: Context = PINNED) -> tuple[str, str]:
    """The code and the words for which the only rule of France is skipped; that of Germany stays."""
    found = load(under, DE={"GR-DE-0001": [entry(rule("DE"))]}, FR={identifier: [listed]})
    assert identities(found) == [("GR-DE-0001", "1.0.0")]
    (one,) = found.skipped
    assert (one.source, one.country, one.value_set) == (f"FR, {identifier}", "FR", None)
    assert one.error.detail.isprintable()
    return one.error.code.value, one.error.detail


def test_rules_of_two_countries() -> None:
    found = SOURCE.load(BOTH, PINNED)
    assert identities(found) == [("GR-DE-0001", "1.0.0"), (GENERAL, "1.0.0")]
    assert [one.raw for one in found.rules] == [raw(rule("DE")), raw(rule())]
    assert (found.assurance, found.skipped, set(found.countries)) == (Assurance.SIGNED_RULES, (), {"DE", "FR"})
    assert (found.signer, found.signed, found.counter) == (None, (), None)


def test_a_country_without_rules_is_spoken_for() -> None:
    found = load(DE={}, FR={GENERAL: [GOOD]})
    assert (identities(found), set(found.countries)) == ([(GENERAL, "1.0.0")], {"DE", "FR"})


def test_several_versions_of_a_rule() -> None:
    later = rule(Version="1.1.0", ValidFrom="2021-09-01T00:00:00+02:00")
    found = load(FR={GENERAL: [entry(later), GOOD]})
    assert identities(found) == [(GENERAL, "1.1.0"), (GENERAL, "1.0.0")]


def test_moments_are_compared_as_moments() -> None:
    found = load(FR={GENERAL: [GOOD | {"validFrom": "2021-07-01T02:00:00+02:00"}]})
    assert identities(found) == [(GENERAL, "1.0.0")]


@pytest.mark.parametrize(
    "changes",
    [
        {"version": "1.0.1"},
        {"version": 1},
        {"version": ...},
        {"validFrom": "2021-07-02T00:00:00Z"},
        {"validFrom": "2021-07-01T00:00:00"},
        {"validFrom": "2021-02-30T00:00:00Z"},
        {"validFrom": "0001-01-01T00:00:00+10:00"},
        {"validFrom": None},
        {"validTo": "2031-06-01T00:00:00Z"},
        {"validTo": ...},
    ],
)
def test_a_rule_that_is_listed_as_another_is_skipped(changes: dict[str, Any]) -> None:
    code, detail = why_skipped({name: v for name, v in (GOOD | changes).items() if v is not ...})
    assert (code, detail) == ("RULE_LIST_NOT_AUTHENTIC", "the signed rule is not the one that it is listed as")


def test_a_rule_under_another_identifier_is_skipped() -> None:
    code, _ = why_skipped(GOOD, "GR-FR-0002")
    assert code == "RULE_LIST_NOT_AUTHENTIC"


def test_a_rule_of_another_country_is_skipped() -> None:
    # Well signed, by the country whose rule it is, and on the list of another.
    code, detail = why_skipped(entry(rule("DE")), "GR-DE-0001")
    assert (code, detail) == ("RULE_LIST_NOT_AUTHENTIC", "signed with another country's upload certificate")


def test_a_rule_that_another_country_signed_is_skipped() -> None:
    code, detail = why_skipped(entry(rule(), "DE"))
    assert (code, detail) == ("RULE_LIST_NOT_AUTHENTIC", "signed with another country's upload certificate")


def test_a_country_signs_rules_of_its_own_alone() -> None:
    code, detail = why_skipped(entry(rule("DE"), "FR"), "GR-DE-0001")
    assert (code, detail) == ("RULE_LIST_NOT_AUTHENTIC", "a rule of another country than the one that signed it")


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (signed_rule(raw(rule()), "IT"), "TRUST_LIST_NOT_AUTHENTIC"),
        (signed_rule(b"no rule"), "RULE_INVALID"),
        (signed_rule(raw(rule(Version="1"))), "RULE_INVALID"),
        (signed_rule(b"[]"), "RULE_INVALID"),
        ("AAAA", "TRUST_LIST_UNREADABLE"),
        ("?", "RULE_LIST_UNREADABLE"),
        ("", "RULE_LIST_UNREADABLE"),
        (None, "RULE_LIST_UNREADABLE"),
        (7, "RULE_LIST_UNREADABLE"),
        (GOOD["cms"] + "\n", "RULE_LIST_UNREADABLE"),
        ("A" * 180_000, "RULE_LIST_UNREADABLE"),
    ],
)
def test_a_message_that_is_none_is_skipped(message: Any, code: str) -> None:
    assert why_skipped(GOOD | {"cms": message})[0] == code


def test_a_rule_longer_than_any_is_skipped() -> None:
    few = msgspec.structs.replace(DEFAULT_LIMITS, rule_bytes=len(raw(rule())))
    assert identities(load(context(anchor("FR"), limits=few), FR={GENERAL: [GOOD]})) == [(GENERAL, "1.0.0")]
    fewer = msgspec.structs.replace(few, rule_bytes=few.rule_bytes - 1)
    found = load(context(anchor("FR"), limits=fewer), FR={GENERAL: [GOOD]})
    assert skipped(found) == [(f"FR, {GENERAL}", "FR", None, "INPUT_TOO_LONG")]


def test_any_bit_of_a_message_matters() -> None:
    message = decoded(GOOD["cms"])
    good = raw(rule())
    for position, changed in enumerate(flips(message)):
        if position % 7 == 0:
            found = load(FR={GENERAL: [GOOD | {"cms": base64.b64encode(changed).decode()}]})
            # Some bits of a certificate that is looked up by its bytes, or of a time, are in no signature.
            assert [one.raw for one in found.rules] in ([], [good])
            assert len(found.rules) + len(found.skipped) == 1


def test_two_different_rules_of_one_version_are_not_both_taken() -> None:
    other = entry(rule(Logic={"if": [True, True, True]}))
    found = load(FR={GENERAL: [GOOD, other]})
    assert ([one.raw for one in found.rules], len(found.skipped)) == ([raw(rule())], 1)
    assert found.skipped[0].country == "FR"


@pytest.mark.parametrize("at", [NOW + 800 * DAY, NOW - 60 * DAY])
def test_certificates_that_are_not_valid_sign_nothing(at: Any) -> None:
    assert refusal(SOURCE, BOTH, context(anchor("DE"), anchor("FR"), at=at)) == "TRUST_ANCHOR_MISSING"


def test_without_a_pinned_certificate_there_is_no_list() -> None:
    assert refusal(SOURCE, BOTH, context()) == "TRUST_ANCHOR_MISSING"
    assert refusal(SOURCE, BOTH, context(unsigned="yes")) == "TRUST_ANCHOR_MISSING"


def test_a_bare_key_is_of_no_country() -> None:
    bare = TrustAnchor("key.pem", anchor("FR").spki)
    found = load(context(bare), FR={GENERAL: [GOOD]})
    assert skipped(found) == [(f"FR, {GENERAL}", "FR", None, "RULE_LIST_NOT_AUTHENTIC")]


def test_a_country_whose_certificate_is_not_pinned_has_rules_that_cannot_be_used() -> None:
    found = SOURCE.load(BOTH, context(anchor("DE")))
    assert identities(found) == [("GR-DE-0001", "1.0.0")]
    assert skipped(found) == [(f"FR, {GENERAL}", "FR", None, "TRUST_LIST_NOT_AUTHENTIC")]


def test_what_is_skipped_is_named_without_what_a_server_wrote() -> None:
    found = load(FR={"\x1b[31m": [GOOD], "GR-FR-0001": [{}]})
    assert [one.source for one in found.skipped] == ["FR, rule 1", f"FR, {GENERAL}"]


@pytest.mark.parametrize(
    "changes",
    [
        {"countrylist": b"{}"},
        {"countrylist": b"[]"},
        {"countrylist": b'["FRA"]'},
        {"countrylist": b'["fr"]'},
        {"countrylist": b"[7]"},
        {"countrylist": b'["FR", "DE", "IT"]'},
        {"rules/FR": b"[]"},
        {"rules/FR": b'{"GR-FR-0001": {}}'},
        {"rules/FR": b'{"GR-FR-0001": [], "GR-FR-0001": []}'},
        {"rules/FR": b"\xff"},
        {"valuesets": b"{}"},
        {"valuesets": b'["../rules/FR"]'},
    ],
)
def test_a_list_that_cannot_be_read_is_refused_whole(changes: dict[str, bytes]) -> None:
    assert refusal(SOURCE, BOTH | changes, PINNED) == "RULE_LIST_UNREADABLE"


def test_too_many_rules_are_refused() -> None:
    few = msgspec.structs.replace(DEFAULT_LIMITS, rules=2)
    assert len(SOURCE.load(BOTH, context(anchor("DE"), anchor("FR"), limits=few)).rules) == 2
    one = msgspec.structs.replace(DEFAULT_LIMITS, rules=1)
    assert refusal(SOURCE, BOTH, context(anchor("DE"), anchor("FR"), limits=one)) == "INPUT_TOO_LONG"
    many = gateway_parts(FR={GENERAL: [{}, {}]})
    assert refusal(SOURCE, many, context(anchor("FR"), limits=one)) == "INPUT_TOO_LONG"


# --- From files ---


def test_files_without_a_list_of_countries() -> None:
    files = {"rules/FR.json": BOTH["rules/FR"], "valuesets/disease-agent-targeted.json": raw(value_set())}
    found = SOURCE.load(files, PINNED)
    assert (identities(found), set(found.countries)) == ([(GENERAL, "1.0.0")], {"FR"})
    assert [one.value_set.id for one in found.value_sets] == ["disease-agent-targeted"]


@pytest.mark.parametrize("files", [{}, {"rules/France.json": b"{}"}, {"other.json": b"{}"}])
def test_files_that_are_no_list(files: dict[str, bytes]) -> None:
    assert refusal(SOURCE, files, PINNED) == "RULE_LIST_UNREADABLE"


# --- Value sets ---


def test_value_sets_are_those_that_are_listed() -> None:
    name = "disease-agent-targeted"
    sets = {"valuesets": raw([name, "gone", "wrong", "bad"]), f"valuesets/{name}": raw(value_set())}
    sets |= {"valuesets/wrong": raw(value_set()), "valuesets/bad": b"{}", "valuesets/unlisted": raw(value_set("x"))}
    found = SOURCE.load(BOTH | sets, PINNED)
    assert [one.value_set.id for one in found.value_sets] == [name]
    assert found.value_sets[0].raw == raw(value_set())
    assert sorted(one.source for one in found.skipped) == ["valuesets/bad", "valuesets/gone", "valuesets/wrong"]
    # None of them is a rule that might have refused something.
    assert all(one.value_set is not None and one.country is None for one in found.skipped)


# --- Fetching ---

URL = "https://gateway.example"


def table(**changes: Any) -> Table:
    """A gateway with the rules of two countries and a value set."""
    parts = BOTH | {"valuesets": raw(["a-set"]), "valuesets/a-set": raw(value_set("a-set"))} | changes
    return Table({f"{URL}/{name}": answer(data) for name, data in parts.items()})


def test_all_that_is_listed_is_fetched() -> None:
    server = table()
    fetched = SOURCE.fetch(server, f"{URL}/", Known(), PINNED)
    assert fetched is not None
    assert [url.removeprefix(URL) for url, _ in server.asked] == [
        "/countrylist",
        "/rules/DE",
        "/rules/FR",
        "/valuesets",
        "/valuesets/a-set",
    ]
    found = SOURCE.load(fetched.parts, PINNED)
    assert (len(found.rules), len(found.value_sets), found.skipped) == (2, 1, ())
    assert SOURCE.fetch(server, URL, Known(fetched.parts), PINNED) is None


def test_only_some_countries_are_fetched() -> None:
    server = table()
    chosen = context(anchor("FR"), countries="FR, FR")
    fetched = SOURCE.fetch(server, URL, Known(), chosen)
    assert fetched is not None
    assert sorted(fetched.parts) == ["rules/FR", "valuesets", "valuesets/a-set"]
    found = SOURCE.load(fetched.parts, chosen)
    assert (identities(found), set(found.countries)) == ([(GENERAL, "1.0.0")], {"FR"})


@pytest.mark.parametrize("countries", ["", "FRA", "fr", "FR;DE", "FR,"])
def test_the_option_names_countries(countries: str) -> None:
    with pytest.raises(HealthCertError) as caught:
        SOURCE.fetch(table(), URL, Known(), context(anchor("FR"), countries=countries))
    assert caught.value.code == "RULE_CONFIG_INVALID"


def test_a_country_that_is_asked_for_and_not_there_is_missed() -> None:
    chosen = context(anchor("FR"), countries="FR,IT")
    assert refusal(SOURCE, {"rules/FR": BOTH["rules/FR"]}, chosen) == "RULE_LIST_UNREADABLE"
    assert refusal(SOURCE, BOTH, chosen) == "RULE_LIST_UNREADABLE"


def test_of_a_whole_list_only_some_countries_count() -> None:
    found = SOURCE.load(BOTH, context(anchor("FR"), countries="FR"))
    assert (identities(found), set(found.countries)) == ([(GENERAL, "1.0.0")], {"FR"})


def test_answers_together_are_no_longer_than_a_list() -> None:
    parts = BOTH | {"valuesets": b"[]"}
    size = sum(map(len, parts.values()))
    server = Table({f"{URL}/{name}": answer(data) for name, data in parts.items()})
    exact = msgspec.structs.replace(DEFAULT_LIMITS, list_bytes=size)
    assert SOURCE.fetch(server, URL, Known(), context(anchor("FR"), limits=exact)) is not None
    less = msgspec.structs.replace(DEFAULT_LIMITS, list_bytes=size - 1)
    with pytest.raises(FetchError):
        SOURCE.fetch(server, URL, Known(), context(anchor("FR"), limits=less))


def test_no_more_requests_than_a_list_may_take() -> None:
    few = msgspec.structs.replace(DEFAULT_LIMITS, list_pages=3)
    server = table(valuesets=raw([f"set-{number}" for number in range(4)]))
    with pytest.raises(FetchError) as caught:
        SOURCE.fetch(server, URL, Known(), context(anchor("FR"), limits=few))
    assert caught.value.code == "FETCH_REFUSED"
    assert len(server.asked) == 4


def test_an_answer_that_never_changes_is_no_list() -> None:
    server = Table(lambda *_: Response(304))
    with pytest.raises(HealthCertError) as caught:
        SOURCE.fetch(server, URL, Known(), PINNED)
    assert caught.value.code == "RULE_LIST_UNREADABLE"


# --- Bad luck, and bad will ---


@given(st.data())
def test_whatever_a_gateway_answers(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(["countrylist", "rules/FR", "valuesets"]))
    whole = BOTH | {"valuesets": raw(["a-set"]), "valuesets/a-set": raw(value_set("a-set"))}
    changed = data.draw(spoiled(json.loads(whole[name])))
    found = loaded(SOURCE, whole | {name: json.dumps(changed).encode()}, PINNED)
    if found is not None:
        assert {one.raw for one in found.rules} <= {raw(rule("DE")), raw(rule())}


@given(st.binary(max_size=60))
def test_whatever_bytes_are_signed(content: bytes) -> None:
    found = load(FR={GENERAL: [GOOD | {"cms": signed_rule(content, pair=uploader("FR"))}]})
    assert (found.rules, len(found.skipped)) == ((), 1)
