"""What a check of a rule finds: how grave, under which name, where, and why in words."""

from __future__ import annotations

from enum import StrEnum, unique

from msgspec import Struct


@unique
class Severity(StrEnum):
    """How grave a finding is."""

    ERROR = "error"
    """The gateway refuses the rule, verifiers cannot evaluate it, or it says something untrue of itself."""

    WARNING = "warning"
    """It works, but is likely not what its author meant."""


@unique
class Finding(StrEnum):
    """What a check looks for. The names are stable; docs/how-to/write-rules.md says what helps against each."""

    # The file.
    UNREADABLE = "UNREADABLE"
    NOT_JSON = "NOT_JSON"
    DUPLICATE_MEMBER = "DUPLICATE_MEMBER"
    TOO_LONG = "TOO_LONG"
    NO_RULE = "NO_RULE"

    # The rule.
    SCHEMA = "SCHEMA"
    RULE_INVALID = "RULE_INVALID"
    IDENTIFIER_TYPE = "IDENTIFIER_TYPE"
    IDENTIFIER_COUNTRY = "IDENTIFIER_COUNTRY"
    REGION = "REGION"
    ENGINE = "ENGINE"
    ENGINE_VERSION = "ENGINE_VERSION"
    OPERATOR_NEWER = "OPERATOR_NEWER"
    MOMENT = "MOMENT"
    PERIOD = "PERIOD"
    LANGUAGE_TWICE = "LANGUAGE_TWICE"
    LANGUAGE_COUNTRY = "LANGUAGE_COUNTRY"
    LOGIC = "LOGIC"
    AFFECTED_FIELDS = "AFFECTED_FIELDS"
    ACCESS_UNKNOWN = "ACCESS_UNKNOWN"
    ACCESS_OTHER_GROUP = "ACCESS_OTHER_GROUP"
    VALUE_SET_UNKNOWN = "VALUE_SET_UNKNOWN"

    # Its upload.
    PREVIOUS = "PREVIOUS"
    VERSION_NOT_GREATER = "VERSION_NOT_GREATER"
    VALID_FROM_LATE = "VALID_FROM_LATE"
    VALID_FROM_SOON = "VALID_FROM_SOON"
    VALID_FROM_BEFORE_PREVIOUS = "VALID_FROM_BEFORE_PREVIOUS"

    # Its tests.
    LAYOUT = "LAYOUT"
    FOLDER_NAME = "FOLDER_NAME"
    NO_TESTS = "NO_TESTS"
    NOT_UNUSABLE = "NOT_UNUSABLE"


UNUSABLE = frozenset((Finding.UNREADABLE, Finding.NOT_JSON, Finding.TOO_LONG, Finding.NO_RULE, Finding.LAYOUT))
"""What keeps a file from being looked into at all, or its tests from being run."""


class Problem(Struct, frozen=True):
    """One finding. ``where`` is a path in the document: ``$.Description[0].lang``."""

    severity: Severity
    name: Finding
    where: str
    message: str


def error(name: Finding, where: str, message: str) -> Problem:
    return Problem(Severity.ERROR, name, where, message)


def warning(name: Finding, where: str, message: str) -> Problem:
    return Problem(Severity.WARNING, name, where, message)
