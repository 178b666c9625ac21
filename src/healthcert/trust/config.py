"""The lists of keys in an operator's file of sources: its tables ``[[source]]``."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from msgspec import Struct

from healthcert.errors import Code, Step, TrustError
from healthcert.lists.config import Connection, Settings, read_config
from healthcert.trust.generation import LOCAL
from healthcert.trust.sources.registry import SOURCES, source_named
from healthcert.trust.update import Feed


class Configured(Struct, frozen=True):
    """A source as the file has it."""

    feed: Feed
    connection: Connection


def load_sources(path: str | Path, only: Collection[str] = ()) -> tuple[Configured, ...]:
    """The lists of keys in an operator's file, in its order, or ``only`` those of these names.

    File names in it are relative to its folder. A secret names the environment variable that holds it. Raises
    :class:`TrustError` (``TRUST_CONFIG_INVALID``, ``TRUST_ANCHOR_UNREADABLE``), :class:`DecodeError`
    (``INPUT_TOO_LONG``), OSError.
    """
    return tuple(map(_configured, read_config(path, "source", only, _invalid)))


def _configured(given: Settings) -> Configured:
    if given.name == LOCAL:
        raise _invalid(f"{LOCAL} is the name of the keys that were added by hand")
    if given.format not in SOURCES:
        raise _invalid(f"{given.name}: no such format; there are: {', '.join(SOURCES)}")
    if source_named(given.format).anchored and not given.anchors and given.options.get("unsigned") != "yes":
        raise _invalid(f"{given.name}: lists of this format are signed: name the anchors that they must be signed with")
    feed = Feed(
        name=given.name,
        format=given.format,
        url=given.url,
        anchors=given.anchors,
        environment=given.environment,
        max_age=given.max_age,
        max_loss=given.max_loss,
        options=given.options,
        secrets=given.secrets,
    )
    return Configured(feed, given.connection)


def _invalid(detail: str) -> TrustError:
    return TrustError(Code.TRUST_CONFIG_INVALID, detail, Step.TRUST)
