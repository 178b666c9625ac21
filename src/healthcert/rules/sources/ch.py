"""Switzerland: the rules of the COVID Certificate app, its own and those of other countries, in signed tokens.

The token is that of :mod:`healthcert.lists.swiss`; in it stands ``{"rules": [...], "displayRules": [...], "modeRules":
{...}, "validDuration": milliseconds, "valueSets": {identifier: [code, ...]}}``. The rules have the members of the
gateway's schema with a small initial. A document with rules for display or modes is Switzerland's own, and is kept
whole as its national rules; one without is that of another country, and a source of its own.

Nothing that is signed says when it was: against older documents there is the server's TLS certificate, and what the
store remembers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from healthcert.errors import Code, RuleError, TrustError
from healthcert.fetch import Fetcher
from healthcert.lists.anchors import TrustAnchor
from healthcert.lists.bearer import bearer
from healthcert.lists.swiss import ACCEPT, signed_token, valid_for
from healthcert.rules.sources.gathering import Gathering
from healthcert.rules.sources.protocol import Assurance, Context, Fetched, Known, RuleList, part, refused
from healthcert.rules.sources.reading import country_named, is_name, json_bytes, json_of, too_many
from healthcert.rules.sources.undated import undated, written

_OWN = ("displayRules", "modeRules")


class Swiss:
    """See the module. The server may ask for a bearer token, the secret option ``token``.

    How long the rules hold is counted from when they were fetched, or read. With the option ``unsigned`` set to
    ``yes``, and no anchor pinned, the document is taken as it is, without a token around it.
    """

    name = "ch"
    title = "Switzerland (COVID Certificate): rules, display and mode rules in a signed token"
    parts = ("rules",)
    anchored = True
    options = ("token", "unsigned")

    def load(self, parts: Mapping[str, bytes], context: Context) -> RuleList:
        payload, signer = _opened(part(parts, "rules"), context)
        document = json_of(payload, dict)
        into = Gathering(context.limits)
        rules = document.get("rules")
        if not isinstance(rules, list):
            raise refused("it has no array of rules")
        too_many(len(rules), context.limits)
        for number, rule in enumerate(rules, 1):
            _take_rule(f"rule {number}", rule, into)
        _take_value_sets(document.get("valueSets"), into)
        return into.finish(
            national={"ch": payload} if any(name in document for name in _OWN) else {},
            assurance=Assurance.TLS_ONLY if signer is None else Assurance.SIGNED_LIST,
            expires_at=_end(document, context),
            signer=signer,
            signed=() if signer is None else (hashlib.sha256(payload).digest(),),
        )

    def fetch(self, fetcher: Fetcher, url: str, known: Known, context: Context) -> Fetched | None:
        """As the protocol has it. ``url`` is that of the document (``.../verificationRules``, ``.../foreignRules/DE``).

        It never finds that nothing has changed: how long the rules hold is counted from when they were fetched.
        """
        headers = ACCEPT | bearer(context.options, lambda detail: refused(detail, Code.RULE_CONFIG_INVALID))
        response = fetcher.get(url, limit=context.limits.list_bytes, headers=headers)
        return Fetched({"rules": response.body})


def _opened(data: bytes, context: Context) -> tuple[bytes, TrustAnchor | None]:
    """The document, and which anchor vouches for who signed it; None where none needs to."""
    if context.unsigned:
        return data, None
    return signed_token(data, context.pinned(), context.now)


def _end(document: Mapping[str, Any], context: Context) -> datetime:
    try:
        return context.now + valid_for(document)
    except TrustError as error:
        raise refused(error.detail) from None


def _take_rule(where: str, rule: Any, into: Gathering) -> None:
    try:
        raw = json_bytes(rule)
    except RuleError as error:
        into.skip(where, error, country=country_named(rule))
    else:
        into.add_rule(where, raw)


def _take_value_sets(given: Any, into: Gathering) -> None:
    if not isinstance(given, dict):
        raise refused("it has no value sets")
    for name, codes in given.items():
        if (
            not is_name(name)
            or not isinstance(codes, list)
            or not all(isinstance(code, str) and code for code in codes)
        ):
            raise refused("a value set that is not an array of codes")
        into.add_value_set(f"value set {name}", written(undated(name, dict.fromkeys(codes, ""))))
