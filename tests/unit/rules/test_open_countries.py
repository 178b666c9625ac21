"""A rule that could not be read makes its country OPEN at best, whoever's list it is on, and no other country."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import cbor2
import pytest

import healthcert as hc
from healthcert.lists.swiss import SIGNER
from healthcert.rules.feed import RuleFeed
from healthcert.rules.ruling import RulingOutcome
from healthcert.rules.store import RuleStore
from healthcert.rules.subject import RuleSubject
from healthcert.rules.update import install_rules
from tests.support import NOW, PAYLOAD
from tests.support_lists import chain, swiss_token
from tests.support_revocation import anchor
from tests.support_rule_lists import (
    FROM,
    TO,
    archive,
    entry,
    gateway_parts,
    key_anchor,
    raw,
    rule,
    service,
    service_parts,
    swiss_document,
)

PASSED, OPEN, NO_RULES = RulingOutcome.PASSED, RulingOutcome.OPEN, RulingOutcome.NO_RULES
BROKEN: tuple[dict[str, Any], ...] = (
    {"Logic": ...},
    {"Logic": {}},
    {"ValidTo": "for ever"},
    {"Version": "2"},
    {"Identifier": "GR-FR-0002\n"},
    {"Description": [{"lang": "en", "desc": "x" * 70_000}]},
)
Made = tuple[RuleFeed, Mapping[str, bytes]]


def _bundle(*rules: dict[str, Any]) -> Made:
    return RuleFeed(name="a", format="bundle"), {"rules": raw(list(rules))}


def _folder(*rules: dict[str, Any]) -> Made:
    return RuleFeed(name="a", format="folder"), {f"{number}/rule.json": raw(one) for number, one in enumerate(rules)}


def _app(*rules: dict[str, Any]) -> Made:
    feed = RuleFeed(name="a", format="cwa", anchors=(key_anchor("app"),), options={"list": "acceptance"})
    return feed, {"list": archive(cbor2.dumps(list(rules)))}


def _swiss(*rules: dict[str, Any]) -> Made:
    given = [{name[0].lower() + name[1:]: value for name, value in one.items()} for one in rules]
    feed = RuleFeed(name="a", format="ch", anchors=(chain(SIGNER).anchor(),))
    return feed, {"rules": swiss_token(swiss_document(*given))}


def _service(*rules: dict[str, Any]) -> Made:
    return RuleFeed(name="a", format="service", anchors=(key_anchor(),)), service_parts(service(*rules))


def _gateway(*rules: dict[str, Any]) -> Made:
    listings: dict[str, dict[str, Any]] = {"AT": {}, "FR": {}}
    for one in rules:
        # The gateway lists what it should be.
        listed = {"version": "1.0.0", "validFrom": FROM, "validTo": TO}
        listings[one["Country"]][one["Identifier"].strip()] = [entry(one, **listed)]
    feed = RuleFeed(name="a", format="dgcg", anchors=(anchor("AT"), anchor("FR")))
    return feed, gateway_parts(**listings)


SOURCES: tuple[Callable[..., Made], ...] = (_bundle, _folder, _app, _swiss, _service, _gateway)


@pytest.mark.parametrize("broken", BROKEN, ids=lambda change: next(iter(change)))
@pytest.mark.parametrize("made", SOURCES)
def test_a_rule_that_cannot_be_read(made: Callable[..., Made], broken: dict[str, Any]) -> None:
    good = rule("AT"), rule("FR")
    assert outcomes(*made(*good)) == (PASSED, PASSED, NO_RULES)
    assert outcomes(*made(*good, rule("FR", 2, **broken))) == (PASSED, OPEN, NO_RULES)


def outcomes(feed: RuleFeed, parts: Mapping[str, bytes]) -> tuple[RulingOutcome, ...]:
    """What is said in Austria, France and Poland of a certificate that no country of these issued."""
    store = RuleStore()
    install_rules(store, feed, parts, clock=hc.FixedClock(NOW))
    subject = RuleSubject(payload=PAYLOAD, issuer="ES", kid=None, issued_at=None, expires_at=None)
    return tuple(store.book.judge(subject, country=country, at=NOW).outcome for country in ("AT", "FR", "PL"))
