"""The revocation lists in an operator's file of sources: its tables ``[[revocation]]``."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from msgspec import Struct

from healthcert.errors import Code, RevocationError, Step
from healthcert.lists.anchors import TrustAnchor
from healthcert.lists.config import Connection, Settings, read_config
from healthcert.revocation.feed import RevocationFeed
from healthcert.revocation.sources.registry import SOURCES, source_named

UPLOADED = "dgcg"
"""The format whose batches are signed with upload certificates, which a trust store knows."""


class ConfiguredRevocation(Struct, frozen=True):
    """A source of revocation lists as the file has it."""

    feed: RevocationFeed
    connection: Connection


def load_revocation_sources(
    path: str | Path, only: Collection[str] = (), *, uploaders: Collection[TrustAnchor] = ()
) -> tuple[ConfiguredRevocation, ...]:
    """The revocation lists in an operator's file, in its order, or ``only`` those of these names.

    ``uploaders`` are the upload certificates that are trusted for the EU gateway's batches where the file names none.
    Raises :class:`RevocationError` (``REVOCATION_CONFIG_INVALID``), :class:`TrustError` (``TRUST_ANCHOR_UNREADABLE``),
    :class:`DecodeError` (``INPUT_TOO_LONG``), OSError.
    """
    return tuple(_configured(given, tuple(uploaders)) for given in read_config(path, "revocation", only, _invalid))


def _configured(given: Settings, uploaders: tuple[TrustAnchor, ...]) -> ConfiguredRevocation:
    if given.format not in SOURCES:
        raise _invalid(f"{given.name}: no such format; there are: {', '.join(SOURCES)}")
    source = source_named(given.format)
    anchors = given.anchors or (uploaders if given.format == UPLOADED else ())
    if source.anchored and not anchors:
        raise _invalid(f"{given.name}: lists of this format are signed: name the anchors that they must be signed with")
    if unknown := {*given.options, *given.secrets} - set(source.options):
        raise _invalid(f"{given.name}: lists of this format have no option {', '.join(sorted(unknown))}")
    feed = RevocationFeed(
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
    return ConfiguredRevocation(feed, given.connection)


def _invalid(detail: str) -> RevocationError:
    return RevocationError(Code.REVOCATION_CONFIG_INVALID, detail, Step.REVOCATION)
