"""What the EU's gateway hands out of a country: a listing of its rules, each with the message that the country signed.

Source: dgc-gateway, ValidationRuleController and ValidationRuleDto.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct

from healthcert.errors import Code
from healthcert.limits import Limits
from healthcert.lists.anchors import TrustAnchor
from healthcert.lists.chain import pinned_signer
from healthcert.lists.reading import exact_base64, is_country
from healthcert.rules.rule import read_rule
from healthcert.rules.sources.protocol import refused
from healthcert.rules.sources.reading import json_of, label, moment_in, too_many

_ENVELOPE_BYTES = 64 * 1024  # of a message, beside the rule in it


class Listed(Struct, frozen=True):
    """A version of a rule as the gateway lists it; ``where`` names it when it is skipped.

    The moments are None, and the message empty, where the gateway gives none that can be read.
    """

    where: str
    identifier: str
    version: Any
    valid_from: datetime | None
    valid_to: datetime | None
    message: bytes


def read_listing(data: bytes, country: str, limits: Limits) -> Iterator[Listed]:
    """Every version of every rule of a country.

    Raises :class:`RuleError`: ``RULE_LIST_UNREADABLE`` for what is no listing, ``INPUT_TOO_LONG``.
    """
    count = 0
    for number, (identifier, versions) in enumerate(json_of(data, dict).items(), 1):
        if not isinstance(versions, list):
            raise refused("a rule whose versions are not listed")
        count += len(versions)
        too_many(count, limits)
        for version in versions:
            yield _listed(f"{country}, {label(identifier, number)}", identifier, version)


def signed_rule(listed: Listed, country: str, anchors: Sequence[TrustAnchor], limits: Limits) -> bytes:
    """The rule in a message: signed with an upload certificate of the country, and the one that is listed.

    Raises :class:`RuleError`: ``RULE_LIST_UNREADABLE``, ``RULE_LIST_NOT_AUTHENTIC``, ``RULE_INVALID``;
    :class:`TrustError`, :class:`DecodeError` for a message that is none, or that nobody signed who may.
    """
    if not 0 < len(listed.message) <= limits.rule_bytes + _ENVELOPE_BYTES:
        raise refused("no message in base64, or one that is too long")
    raw, anchor = pinned_signer(listed.message, None, anchors)
    # Certificate governance §4.4: an upload certificate is its country's, which stands in the subject.
    if country_of(anchor) != country:
        raise refused("signed with another country's upload certificate", Code.RULE_LIST_NOT_AUTHENTIC)
    if len(raw) > limits.rule_bytes:
        raise refused(f"a rule of more than {limits.rule_bytes} bytes", Code.INPUT_TOO_LONG)
    rule = read_rule(raw)
    if rule.country != country:
        raise refused("a rule of another country than the one that signed it", Code.RULE_LIST_NOT_AUTHENTIC)
    # DGCG, ValidationRuleDto: the listing repeats these of the rule, and nobody signs the listing.
    said = (rule.identifier, rule.version, rule.valid_from, rule.valid_to)
    if said != (listed.identifier, listed.version, listed.valid_from, listed.valid_to):
        raise refused("the signed rule is not the one that it is listed as", Code.RULE_LIST_NOT_AUTHENTIC)
    return raw


def country_of(anchor: TrustAnchor) -> str | None:
    """The country in the subject of a pinned certificate; a bare key has none."""
    certificate = anchor.parsed()
    return None if certificate is None or not is_country(certificate.country) else certificate.country


def _listed(where: str, identifier: str, entry: Any) -> Listed:
    given = entry if isinstance(entry, dict) else {}
    message = given.get("cms")
    return Listed(
        where=where,
        identifier=identifier,
        version=given.get("version"),
        valid_from=moment_in(given.get("validFrom")),
        valid_to=moment_in(given.get("validTo")),
        # DGCG: in base64 without line breaks.
        message=(exact_base64(message) if isinstance(message, str) else None) or b"",
    )
