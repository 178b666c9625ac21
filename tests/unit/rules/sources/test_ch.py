"""Switzerland's rules: the token, the rules with small initials, value sets without names, the national document."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given

from healthcert.errors import HealthCertError
from healthcert.limits import DEFAULT_LIMITS
from healthcert.lists.swiss import SIGNER
from healthcert.rules.sources.ch import Swiss
from healthcert.rules.sources.protocol import Assurance, Context, Known, RuleList
from tests.support import DAY, NOW
from tests.support_lists import chain, spoiled, swiss_token
from tests.support_rule_lists import (
    context,
    identities,
    loaded,
    raw,
    refusal,
    skipped,
    swiss_document,
    swiss_rule,
)
from tests.unit.trust.sources.world import Table, answer, mutations

SOURCE = Swiss()
PINNED = context(chain(SIGNER).anchor())
UNSIGNED = context(unsigned="yes")
DOCUMENT = swiss_document(swiss_rule(), swiss_rule(2, type="Invalidation", identifier="IR-CH-0001"))


def load(document: Any, under: Context = PINNED) -> RuleList:
    data = swiss_token(document) if under is PINNED else raw(document)
    return SOURCE.load({"rules": data}, under)


def test_a_signed_document() -> None:
    found = load(DOCUMENT)
    assert [(one.rule.identifier, one.rule.type) for one in found.rules] == [
        ("GR-CH-0001", "Acceptance"),
        ("IR-CH-0001", "Invalidation"),
    ]
    payload = json.dumps(DOCUMENT).encode()
    assert (found.national, found.signed) == ({"ch": payload}, (hashlib.sha256(payload).digest(),))
    assert (found.assurance, found.signer, found.skipped) == (Assurance.SIGNED_LIST, PINNED.anchors[0], ())
    assert found.expires_at == NOW + timedelta(hours=48)
    assert found.rules[0].rule.engine == "CertLogic"


def test_value_sets_are_codes_alone() -> None:
    (one,) = load(DOCUMENT).value_sets
    assert (one.value_set.id, list(one.value_set.codes)) == ("disease-agent-targeted", ["840539006"])
    assert one.value_set.date < "2000"


def test_the_document_of_another_country_is_no_national_one() -> None:
    foreign = swiss_document(swiss_rule(1, "DE"), displayRules=..., modeRules=...)
    found = load(foreign)
    assert (identities(found), found.national) == ([("GR-DE-0001", "1.0.0")], {})
    for name in ("displayRules", "modeRules"):
        assert set(load(swiss_document(**{name: ...})).national) == {"ch"}


def test_only_the_pinned_signer_counts() -> None:
    other = swiss_token(DOCUMENT, chain("somebody else"))
    assert refusal(SOURCE, {"rules": other}, PINNED) == "TRUST_LIST_NOT_AUTHENTIC"
    named = context(chain("somebody else").anchor("somebody else"))
    assert len(SOURCE.load({"rules": other}, named).rules) == 2
    assert refusal(SOURCE, {"rules": swiss_token(DOCUMENT)}, named) == "TRUST_LIST_NOT_AUTHENTIC"


def test_any_part_of_a_token_matters() -> None:
    head, payload, signature = swiss_token(DOCUMENT).split(b".")
    _, other, _ = swiss_token(swiss_document()).split(b".")
    for token in (b".".join((head, other, signature)), b".".join((head, payload)), raw(DOCUMENT), b""):
        assert refusal(SOURCE, {"rules": token}, PINNED) in ("TRUST_LIST_NOT_AUTHENTIC", "TRUST_LIST_UNREADABLE")


def test_unsigned_documents_are_taken_only_when_that_is_asked_for() -> None:
    parts = {"rules": raw(DOCUMENT)}
    assert refusal(SOURCE, parts, context()) == "TRUST_ANCHOR_MISSING"
    assert refusal(SOURCE, parts, context(unsigned="no")) == "TRUST_ANCHOR_MISSING"
    found = SOURCE.load(parts, UNSIGNED)
    assert (len(found.rules), found.assurance, found.signer, found.signed) == (2, Assurance.TLS_ONLY, None, ())
    assert found.national == {"ch": raw(DOCUMENT)}
    both = context(chain(SIGNER).anchor(), unsigned="yes")
    assert refusal(SOURCE, parts, both) == "TRUST_LIST_UNREADABLE"


@pytest.mark.parametrize(
    ("rule", "country"),
    [
        (swiss_rule(2, version="1"), "CH"),
        (swiss_rule(2, logic=...), "CH"),
        (swiss_rule(2, Type="Acceptance"), "CH"),
        (swiss_rule(2, identifier=..., country=...), None),
        ({}, None),
        ([], None),
        (None, None),
    ],
)
def test_a_rule_that_is_none_is_skipped(rule: Any, country: str | None) -> None:
    found = load(swiss_document(swiss_rule(), rule))
    assert identities(found) == [("GR-CH-0001", "1.0.0")]
    assert skipped(found) == [("rule 2", country, None, "RULE_INVALID")]


def test_numbers_that_json_does_not_have() -> None:
    text = json.dumps(swiss_document(swiss_rule(), swiss_rule(2, logic={"if": ["inf", True, True]})))
    found = SOURCE.load({"rules": text.replace('"inf"', "1e999").encode()}, UNSIGNED)
    assert skipped(found) == [("rule 2", "CH", None, "RULE_INVALID")]


@pytest.mark.parametrize(
    "changes",
    [
        {"rules": ...},
        {"rules": {}},
        {"validDuration": ...},
        {"validDuration": 0},
        {"validDuration": "172800000"},
        {"valueSets": ...},
        {"valueSets": []},
        {"valueSets": {"a-set": {}}},
        {"valueSets": {"a-set": [7]}},
        {"valueSets": {"a-set": [""]}},
        {"valueSets": {"../a": []}},
    ],
)
def test_a_document_that_lacks_what_belongs_to_it_is_refused(changes: dict[str, Any]) -> None:
    document = swiss_document(swiss_rule(), **changes)
    assert refusal(SOURCE, {"rules": swiss_token(document)}, PINNED) == "RULE_LIST_UNREADABLE"


def test_too_many_rules_are_refused() -> None:
    few = msgspec.structs.replace(DEFAULT_LIMITS, rules=3)  # with the value set
    token = {"rules": swiss_token(DOCUMENT)}
    assert len(SOURCE.load(token, context(chain(SIGNER).anchor(), limits=few)).rules) == 2
    for most in (1, 2):
        less = msgspec.structs.replace(DEFAULT_LIMITS, rules=most)
        assert refusal(SOURCE, token, context(chain(SIGNER).anchor(), limits=less)) == "INPUT_TOO_LONG"


def test_a_signer_whose_certificate_has_ended() -> None:
    late = context(chain(SIGNER).anchor(), at=NOW + 4000 * DAY)
    assert refusal(SOURCE, {"rules": swiss_token(DOCUMENT)}, late) == "TRUST_ANCHOR_MISSING"


# --- Fetching ---

URL = "https://verifier.example/trust/v2/verificationRules"


def test_the_document_is_asked_for_as_a_token() -> None:
    server = Table({URL: answer(swiss_token(DOCUMENT), etag='"1"')})
    fetched = SOURCE.fetch(server, URL, Known(), context(token="abc"))
    assert fetched is not None
    assert server.asked == [(URL, {"Accept": "application/json+jws", "Authorization": "Bearer abc"})]
    assert len(SOURCE.load(fetched.parts, PINNED).rules) == 2
    # It holds from when it was fetched, and so is fetched each time.
    assert SOURCE.fetch(server, URL, Known(fetched.parts, fetched.validators), PINNED) == fetched


def test_a_token_that_can_be_none_is_not_sent_or_shown() -> None:
    server = Table({URL: answer(b"")})
    with pytest.raises(HealthCertError) as caught:
        SOURCE.fetch(server, URL, Known(), context(token="secret\r\nHost: other"))
    assert caught.value.code == "RULE_CONFIG_INVALID"
    assert "secret" not in str(caught.value)
    assert server.asked == []


# --- Bad luck, and bad will ---


def test_whatever_a_document_holds() -> None:
    for changed in mutations(DOCUMENT):
        loaded(SOURCE, {"rules": changed}, UNSIGNED)


@given(spoiled(DOCUMENT))
def test_whatever_is_in_the_place_of_its_parts(document: Any) -> None:
    found = loaded(SOURCE, {"rules": json.dumps(document).encode()}, UNSIGNED)
    assert found is None or found.national.keys() <= {"ch"}


def test_a_document_that_is_nested_without_end() -> None:
    deep = json.dumps(DOCUMENT).replace('"840539006"', "[" * 50_000 + "]" * 50_000)
    assert refusal(SOURCE, {"rules": deep.encode()}, UNSIGNED) == "RULE_LIST_UNREADABLE"
