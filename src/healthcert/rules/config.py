"""The lists of rules in an operator's file of sources: its tables ``[[rules]]``."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from msgspec import Struct

from healthcert.errors import Code, RuleError, Step
from healthcert.lists.anchors import TrustAnchor
from healthcert.lists.config import Connection, Settings, read_config
from healthcert.rules.feed import RuleFeed
from healthcert.rules.generation import LOCAL
from healthcert.rules.sources.registry import SOURCES, source_named

UPLOADED = "dgcg"
"""The format whose rules are signed with upload certificates, which a trust store knows."""
INSTALLED = "folder"
"""The format that no server has."""


class ConfiguredRules(Struct, frozen=True):
    """A source of rules as the file has it."""

    feed: RuleFeed
    connection: Connection


def load_rule_sources(
    path: str | Path, only: Collection[str] = (), *, uploaders: Collection[TrustAnchor] = ()
) -> tuple[ConfiguredRules, ...]:
    """The lists of rules in an operator's file, in its order, or ``only`` those of these names.

    File names in it are relative to its folder. A secret names the environment variable that holds it. ``uploaders``
    are the upload certificates that are trusted for the EU gateway's rules where the file names none. Raises
    :class:`RuleError` (``RULE_CONFIG_INVALID``), :class:`TrustError` (``TRUST_ANCHOR_UNREADABLE``),
    :class:`DecodeError` (``INPUT_TOO_LONG``), OSError.
    """
    return tuple(_configured(given, tuple(uploaders)) for given in read_config(path, "rules", only, _invalid))


def _configured(given: Settings, uploaders: tuple[TrustAnchor, ...]) -> ConfiguredRules:
    if given.name == LOCAL:
        raise _invalid(f"{LOCAL} is the name of rules that no source gave")
    if given.format not in SOURCES:
        raise _invalid(f"{given.name}: no such format; there are: {', '.join(SOURCES)}")
    source = source_named(given.format)
    if given.format == INSTALLED:
        raise _invalid(f"{given.name}: a list of the format {INSTALLED} is installed, not fetched")
    if unknown := {*given.options, *given.secrets} - set(source.options):
        raise _invalid(f"{given.name}: lists of this format have no option {', '.join(sorted(unknown))}")
    anchors = given.anchors or (uploaders if given.format == UPLOADED else ())
    if source.anchored and not anchors and given.options.get("unsigned") != "yes":
        raise _invalid(f"{given.name}: lists of this format are signed: name the anchors that they must be signed with")
    feed = RuleFeed(
        name=given.name,
        format=given.format,
        url=given.url,
        anchors=anchors,
        environment=given.environment,
        max_age=given.max_age,
        max_loss=given.max_loss,
        options=given.options,
        secrets=given.secrets,
    )
    return ConfiguredRules(feed, given.connection)


def _invalid(detail: str) -> RuleError:
    return RuleError(Code.RULE_CONFIG_INVALID, detail, Step.RULES)
