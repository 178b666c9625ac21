"""Whether a rule is one that the gateway takes and verifiers can use: what its author would like to know beforehand.

The checks are those of the gateway (JSON schema, identifier, country, validity) and those of the field's own tools
for authors (fields read, engine version, languages). :func:`healthcert.rules.lint.upload_checks.check_upload` has
those that need a clock.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from healthcert.errors import RuleError
from healthcert.limits import DEFAULT_LIMITS, Limits
from healthcert.rules.lint.authoring import member, read_document
from healthcert.rules.lint.findings import Finding, Problem, Severity, error, warning
from healthcert.rules.lint.gateway_schema import CERTIFICATE_TYPES, TYPES, schema_problems
from healthcert.rules.lint.logic_checks import logic_problems
from healthcert.rules.rule import read_rule, version_key

SHORTEST_VALIDITY = timedelta(hours=72)
OLDEST_ENGINE, NEWEST_ENGINE = (0, 7, 5), (1, 3, 3)

_PREFIXES = {"General": "GR", "Vaccination": "VR", "Test": "TR", "Recovery": "RR"}
_INVALIDATION = "IR"
_IDENTIFIER = re.compile(r"[A-Z]{2}-[A-Z]{2}-[0-9]{4}")
_MOMENT = re.compile(r"([0-9-]{10})T([0-9]{2}):([0-9]{2}):([0-9]{2})(Z|[-+][0-9]{2}:[0-9]{2})")
_LARGEST_OFFSET = timedelta(hours=18)  # what the gateway's Java knows as a time zone
# Codes of countries that stand where those of their languages should.
_COUNTRY_CODES = {
    "al": "sq", "cz": "cs", "dk": "da", "ee": "et", "gr": "el", "ie": "ga", "jp": "ja", "rs": "sr", "se": "sv",
    "si": "sl", "ua": "uk",
}  # fmt: skip


def check_rule(
    rule: Mapping[str, Any] | bytes, *, path: str = "$", limits: Limits = DEFAULT_LIMITS
) -> tuple[Problem, ...]:
    """What is wrong with a rule, the gravest first; nothing where it is fit to be published.

    ``rule`` is its JSON, as bytes or read already; ``path`` is where it stands in its document. Never raises: a rule
    that cannot be read is a problem, too.
    """
    found: list[Problem] = []
    value: Any = rule
    if isinstance(rule, bytes):
        if len(rule) > limits.rule_bytes:
            return (error(Finding.TOO_LONG, path, f"a rule of more than {limits.rule_bytes} bytes"),)
        document = read_document(rule)
        if document.value is None and document.problems:
            return document.problems
        found, value = [*document.problems], document.value
    found += schema_problems(value, path)
    if isinstance(value, Mapping):
        for check in (_identifier, _region, _engine, _period, _languages):
            found += check(value, path)
        found += logic_problems(value, path)
        found += _read(value, path, found)
    return tuple(sorted(found, key=lambda problem: problem.severity))


def moment_of(value: Any) -> datetime | None:
    """The moment of a ``ValidFrom`` or ``ValidTo`` in UTC; None for none of the calendar, or another form."""
    match = _MOMENT.fullmatch(value) if isinstance(value, str) else None
    if match is None or match[2] == "24":
        return None
    try:
        moment = datetime.fromisoformat(match[0])
        offset = moment.utcoffset()
        return moment.astimezone(UTC) if offset is not None and abs(offset) <= _LARGEST_OFFSET else None
    except (ValueError, OverflowError):
        return None


def _read(rule: Mapping[str, Any], path: str, found: list[Problem]) -> Iterator[Problem]:
    """Whether this library's verifier takes it; what it is known to be refused for needs no second word."""
    if any(problem.severity is Severity.ERROR for problem in found):
        return
    try:
        read_rule(rule)
    except RuleError as failure:
        yield error(Finding.RULE_INVALID, path, failure.detail)


def _identifier(rule: Mapping[str, Any], path: str) -> Iterator[Problem]:
    identifier, where = rule.get("Identifier"), member(path, "Identifier")
    if not isinstance(identifier, str) or not _IDENTIFIER.fullmatch(identifier):
        return
    prefix, country = identifier[:2], identifier[3:5]
    type_, certificate_type = rule.get("Type"), rule.get("CertificateType")
    # dgc-gateway, Gateway-constraints: INVALID_RULE_ID
    if type_ in TYPES and (type_ == "Invalidation") != (prefix == _INVALIDATION):
        message = f"that of an Invalidation rule, and of no other, begins with {_INVALIDATION}"
        yield error(Finding.IDENTIFIER_TYPE, where, message)
    elif prefix != _INVALIDATION and certificate_type in CERTIFICATE_TYPES and prefix != _PREFIXES[certificate_type]:
        message = f"that of a rule for {certificate_type} begins with {_PREFIXES[certificate_type]}"
        yield error(Finding.IDENTIFIER_TYPE, where, message)
    # dgc-gateway, Gateway-constraints: INVALID_COUNTRY
    if isinstance(rule.get("Country"), str) and rule["Country"] != country:
        yield error(Finding.IDENTIFIER_COUNTRY, where, "its middle part is not the Country")


def _region(rule: Mapping[str, Any], path: str) -> Iterator[Problem]:
    region = rule.get("Region")
    if isinstance(region, str) and region and region == rule.get("Country"):
        message = "the country itself: some verifiers then use the rule only where this region was asked for"
        yield warning(Finding.REGION, member(path, "Region"), message)


def _engine(rule: Mapping[str, Any], path: str) -> Iterator[Problem]:
    engine = rule.get("Engine")
    if isinstance(engine, str) and engine != "CERTLOGIC":
        yield error(Finding.ENGINE, member(path, "Engine"), "not CERTLOGIC: verifiers leave the rule open")
    text = rule.get("EngineVersion")
    version = version_key(text) if isinstance(text, str) else None
    if version is not None and not OLDEST_ENGINE <= version <= NEWEST_ENGINE:
        oldest, newest = (".".join(map(str, one)) for one in (OLDEST_ENGINE, NEWEST_ENGINE))
        yield error(Finding.ENGINE_VERSION, member(path, "EngineVersion"), f"not between {oldest} and {newest}")


def _period(rule: Mapping[str, Any], path: str) -> Iterator[Problem]:
    moments = {name: moment_of(rule.get(name)) for name in ("ValidFrom", "ValidTo")}
    for name, moment in moments.items():
        if moment is None and isinstance(rule.get(name), str) and _MOMENT.fullmatch(rule[name]):
            yield error(Finding.MOMENT, member(path, name), "no moment of the calendar")
    start, end = moments.values()
    if start is None or end is None:
        return
    # dgc-gateway, Gateway-constraints: INVALID_TIMESTAMP
    if start >= end:
        yield error(Finding.PERIOD, member(path, "ValidTo"), "not after ValidFrom")
    elif end - start < SHORTEST_VALIDITY:
        hours = SHORTEST_VALIDITY // timedelta(hours=1)
        yield error(Finding.PERIOD, member(path, "ValidTo"), f"less than {hours} hours after ValidFrom")


def _languages(rule: Mapping[str, Any], path: str) -> Iterator[Problem]:
    entries = rule.get("Description")
    seen: set[str] = set()
    for index, entry in enumerate(entries if isinstance(entries, list) else ()):
        language = entry.get("lang") if isinstance(entry, Mapping) else None
        if not isinstance(language, str):
            continue
        where = f"{member(path, 'Description')}[{index}].lang"
        if language in seen:
            yield warning(Finding.LANGUAGE_TWICE, where, "a second entry in this language: verifiers show the first")
        seen.add(language)
        if meant := _COUNTRY_CODES.get(language.partition("-")[0]):
            message = f"the code of a country; its language is {meant}"
            yield warning(Finding.LANGUAGE_COUNTRY, where, message)
