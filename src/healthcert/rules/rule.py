"""A rule of a country, as its gateway hands it out; read leniently, for what it asks is judged by its language.

Source: dgc-gateway, validation-rule.schema.json. What an author has to keep to is in
:mod:`healthcert.rules.lint.checks`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from typing import Any

from msgspec import Struct

from healthcert.errors import Code, RuleError, Step, TrustError
from healthcert.lists.reading import read_json
from healthcert.rules.certlogic.accesses import data_accesses
from healthcert.rules.certlogic.program import Program

ACCEPTANCE, INVALIDATION = "Acceptance", "Invalidation"
GENERAL = "General"
CERTLOGIC = "CERTLOGIC"
Version = tuple[int, int, int]

_VERSION = re.compile(r"([0-9]{1,9})\.([0-9]{1,9})\.([0-9]{1,9})")
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T(?!24)[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?(?:Z|[+-][0-9]{2}:[0-9]{2})"
)
_COUNTRY = re.compile(r"[A-Za-z]{2}")
_LONGEST_NAME = 64  # characters of an identifier, a type or a region
_LONGEST_VERSION = len("999999999.999999999.999999999")
_SETS = "external.valueSets."
_ALSO_CALLED = {"sl": "si", "uk": "ua"}  # languages that real rules name by their country


class Rule(Struct, frozen=True, kw_only=True, dict=True):
    """One rule, in one of its versions.

    ``type`` is Acceptance or Invalidation; national extensions have further ones, which never count as Acceptance.
    ``certificate_type`` is General, Vaccination, Test or Recovery. ``region`` is None for a rule of the whole country.
    ``descriptions`` are pairs of a language and a text. A rule holds from ``valid_from`` up to, and without,
    ``valid_to``. ``logic`` is its expression as JSON, ``digest`` the SHA-256 of the bytes it was read from in
    hexadecimal digits.
    """

    identifier: str
    type: str
    country: str
    region: str | None = None
    version: str
    schema_version: str
    engine: str
    engine_version: str
    certificate_type: str
    descriptions: tuple[tuple[str, str], ...]
    valid_from: datetime
    valid_to: datetime
    affected_fields: tuple[str, ...]
    logic: Mapping[str, Any]
    digest: str | None = None

    def __repr__(self) -> str:
        return f"Rule({self.identifier!r}, {self.version!r})"

    @property
    def program(self) -> Program:
        """The expression, compiled when it is first asked for.

        Raises :class:`RuleError`: ``CERTLOGIC_INVALID``, ``CERTLOGIC_LIMIT``.
        """
        found = self._compiled
        if isinstance(found, RuleError):
            # Another one each time: one that is raised again keeps all the frames it ever went through, and their data.
            raise RuleError(found.code, found.detail, found.step)
        return found

    @cached_property
    def _compiled(self) -> Program | RuleError:
        try:
            return Program(self.logic)
        except RuleError as error:
            return error.with_traceback(None)

    @cached_property
    def version_key(self) -> Version:
        """The version as numbers, which order versions."""
        return version_key(self.version) or (0, 0, 0)

    @cached_property
    def engine_key(self) -> Version | None:
        """The version of the language; None for one that is no version."""
        return version_key(self.engine_version)

    @cached_property
    def schema_key(self) -> Version | None:
        """The version of the certificates' schema; None for one that is no version."""
        return version_key(self.schema_version)

    @cached_property
    def value_sets(self) -> tuple[str, ...]:
        """The names of the value sets that the logic reads; none where it is too large to be looked into."""
        try:
            paths = data_accesses(self.logic)
        except RuleError:
            return ()
        return tuple(sorted(path.removeprefix(_SETS) for path in paths if path.startswith(_SETS)))

    def description(self, language: str = "en") -> str:
        """What the rule asks, in this language (``de``, ``pt-br``), else in English, else in its first one."""
        asked = language.lower().replace("_", "-")
        primary = asked.partition("-")[0]
        for name in (asked, primary, _ALSO_CALLED.get(primary), "en"):
            for lang, text in self.descriptions:  # of two in one language the first counts
                if lang.lower() == name:
                    return text
        return self.descriptions[0][1] if self.descriptions else self.identifier


def version_key(text: str) -> Version | None:
    """The numbers of a version like ``1.0.12``; None for anything else."""
    return _version_key(text) if len(text) <= _LONGEST_VERSION else None


@lru_cache(256)
def _version_key(text: str) -> Version | None:
    match = _VERSION.fullmatch(text)
    return None if match is None else (int(match[1]), int(match[2]), int(match[3]))


def read_rule(data: bytes | Mapping[str, Any]) -> Rule:
    """A rule from its JSON, or from what that was read into.

    Members are those of the gateway's schema, or the same with a small initial, as Switzerland writes them; others are
    passed over. Raises :class:`RuleError` (``RULE_INVALID``).
    """
    digest = hashlib.sha256(data).hexdigest() if isinstance(data, bytes) else None
    given = _members(data)
    country = _text(given, "Country", required=_COUNTRY).upper()
    region = given.get("Region")
    if region is not None and (not isinstance(region, str) or len(region) > _LONGEST_NAME):
        raise _invalid("its Region is no short text")
    version = _text(given, "Version", required=_VERSION)
    logic = given.get("Logic")
    if not isinstance(logic, dict) or not logic:
        raise _invalid("it has no Logic that is an object")
    return Rule(
        identifier=_text(given, "Identifier"),
        type=_text(given, "Type"),
        country=country,
        region=region_of(region, country),
        version=version,
        schema_version=_text(given, "SchemaVersion"),
        engine=_text(given, "Engine"),
        engine_version=_text(given, "EngineVersion"),
        certificate_type=_text(given, "CertificateType"),
        descriptions=_descriptions(given.get("Description", [])),
        valid_from=_moment(given, "ValidFrom"),
        valid_to=_moment(given, "ValidTo"),
        affected_fields=_affected(given.get("AffectedFields", [])),
        logic=logic,
        digest=digest,
    )


def _members(data: bytes | Mapping[str, Any]) -> dict[str, Any]:
    try:
        given: Mapping[Any, Any] = read_json(data, dict) if isinstance(data, bytes) else data
    except TrustError as error:
        raise _invalid(error.detail) from None
    found = {name[:1].upper() + name[1:]: value for name, value in given.items() if isinstance(name, str)}
    if len(found) != len(given):
        raise _invalid("a member that is there twice")
    return found


def _text(given: Mapping[str, Any], name: str, *, required: re.Pattern[str] | None = None) -> str:
    value = given.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_NAME or not value.isprintable():
        raise _invalid(f"its {name} is no short text")
    if required is not None and not required.fullmatch(value):
        raise _invalid(f"its {name} is not of the form it should have")
    return value


def region_of(region: str | None, country: str) -> str | None:
    """A region in capitals; None for the country itself, which some real rules name as their region."""
    found = (region or "").strip().upper()
    return None if found in ("", country) else found


def _moment(given: Mapping[str, Any], name: str) -> datetime:
    text = given.get(name)
    try:
        if isinstance(text, str) and _MOMENT.fullmatch(text):
            return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise _invalid(f"its {name} is no date-time with a zone")


def _descriptions(given: Any) -> tuple[tuple[str, str], ...]:
    if not isinstance(given, list):
        raise _invalid("its Description is no array")
    found = []
    for entry in given:
        lang, desc = (entry.get(name) for name in ("lang", "desc")) if isinstance(entry, dict) else (None, None)
        if not isinstance(lang, str) or not isinstance(desc, str):
            raise _invalid("a Description without lang and desc")
        found.append((lang, desc))
    return tuple(found)


def _affected(given: Any) -> tuple[str, ...]:
    if not isinstance(given, list) or not all(isinstance(path, str) for path in given):
        raise _invalid("its AffectedFields are no array of texts")
    return tuple(given)


def _invalid(detail: str) -> RuleError:
    return RuleError(Code.RULE_INVALID, detail, Step.RULES)
