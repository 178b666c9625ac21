"""The documents of the EU's distribution service: its list of kids, the tables of their partitions, and slices.

Source: dgca-revocation-distribution-service, RevocationListController and the dto package.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from msgspec import Struct

from healthcert.errors import Code
from healthcert.limits import DEFAULT_LIMITS, Limits
from healthcert.lists.reading import exact_base64, read_json
from healthcert.revocation import bloom, varhash
from healthcert.revocation.coordinates import Mode
from healthcert.revocation.identifiers import EU_TYPES, IdentifierType
from healthcert.revocation.sources.protocol import refused

UNKNOWN_KID = "UNKNOWN_KID"
BLOOMFILTER, VARHASHLIST = "BLOOMFILTER", "VARHASHLIST"
VERSION = "1.0"
NO_PARTITION = "null"
TYPES = EU_TYPES

_KID_BYTES = 8
_HEX = "0123456789abcdef"
_DIGEST = re.compile("[0-9a-f]{64}")


class Entry(Struct, frozen=True):
    """A kid on the list of kids: how its hashes are divided, and of which types they are."""

    kid: bytes | None
    mode: Mode
    types: tuple[IdentifierType, ...]
    expires: int

    @property
    def name(self) -> str:
        """The kid in URLs and file names."""
        return kid_name(self.kid)


class Slice(Struct, frozen=True):
    """A filter as the table of its partition names it. It counts up to the second ``expires``."""

    kid: bytes | None
    partition: str | None
    chunk: str
    digest: str
    expires: int
    kind: str

    @property
    def batch(self) -> str:
        return f"{self.where}/{self.digest}"

    @property
    def where(self) -> str:
        return f"{kid_name(self.kid)}/{self.partition or NO_PARTITION}/{self.chunk}"

    @property
    def member(self) -> str:
        """Its name in an archive; the service's own writer of archives takes slashes in front away."""
        return f"{kid_text(self.kid)}/{self.partition or NO_PARTITION}/{self.chunk}/{self.digest}".lstrip("/")


def kid_name(kid: bytes | None) -> str:
    """A kid in URLs and file names."""
    return UNKNOWN_KID if kid is None else base64.urlsafe_b64encode(kid).rstrip(b"=").decode()


def kid_text(kid: bytes | None) -> str:
    """A kid in documents and archives."""
    return UNKNOWN_KID if kid is None else base64.b64encode(kid).decode()


def mode_of(batch: str) -> tuple[bytes, Mode]:
    """The kid that a :attr:`Slice.batch` is of, empty where it is of no kid; and how its list is divided."""
    name, partition, *_ = batch.split("/")
    kid = b"" if name == UNKNOWN_KID else base64.urlsafe_b64decode(f"{name}=")
    digits = 0 if partition == NO_PARTITION else len(partition)
    return kid, next(mode for mode in Mode if mode.offset == digits)


def read_list(body: bytes, limits: Limits) -> list[Any]:
    """The entries of GET /lists, as they came. Raises :class:`HealthCertError` for anything but a list of them."""
    items: list[Any] = read_json(body, list)
    if len(items) > limits.trust_entries:
        raise refused(f"a list of more than {limits.trust_entries} kids", Code.INPUT_TOO_LONG)
    return items


def read_entry(item: Any) -> Entry:
    """One entry of GET /lists. Raises :class:`RevocationError` (``REVOCATION_LIST_UNREADABLE``)."""
    if kid_in(item) is None:
        raise refused(f"it has no kid of {_KID_BYTES} bytes in base64")
    mode, types = item.get("mode"), item.get("hashTypes")
    if mode not in list(Mode):
        raise refused("its mode is none that is known")
    if not isinstance(types, list) or not types or not all(one in TYPES for one in types):
        raise refused("it has hashes of types that are not known")
    return Entry(_decoded_kid(item["kid"]), Mode(mode), tuple(map(IdentifierType, types)), _moment(item.get("expires")))


def read_table(body: bytes, entry: Entry, limits: Limits = DEFAULT_LIMITS) -> Iterator[Slice]:
    """The slices that GET /lists/{kid}/partitions names.

    Raises :class:`HealthCertError` for a table of another form, of another kid, or divided in another mode, and for a
    chunk of so many slices that asking them all would take long.
    """
    seen = set()
    for partition in read_json(body, list):
        if not isinstance(partition, dict) or kid_in(partition) != entry.name:
            raise refused("its table is not of this kid")
        id_, chunks = partition.get("id"), partition.get("chunks")
        if id_ == NO_PARTITION:
            id_ = None
        if not _is_partition(id_, entry.mode) or id_ in seen or not isinstance(chunks, dict):
            raise refused("its table is not divided in its mode")
        seen.add(id_)
        for chunk, slices in chunks.items():
            if len(chunk) != 1 or chunk not in _HEX or not isinstance(slices, dict):
                raise refused("its table has a chunk that is none")
            if len(slices) > limits.chunk_filters:
                raise refused(f"a chunk of more than {limits.chunk_filters} slices", Code.INPUT_TOO_LONG)
            for moment, named in slices.items():
                yield _slice(entry.kid, id_, chunk, _moment(moment), named)
    if not seen:
        raise refused("its table is empty")


def check_slice(one: Slice, data: bytes, limits: Limits = DEFAULT_LIMITS) -> None:
    """Raises :class:`RevocationError` for bytes that are not this slice, or no filter of its kind."""
    if hashlib.sha256(data).hexdigest() != one.digest:
        raise refused("a slice with another SHA-256 than its table says")
    if one.kind == BLOOMFILTER:
        bloom.read_header(data, 0, len(data))
    elif len(data) > limits.varhash_bytes:
        raise refused(f"a list of shortened hashes of more than {limits.varhash_bytes} bytes", Code.INPUT_TOO_LONG)
    else:
        varhash.read_header(data, 0, len(data))


def _slice(kid: bytes | None, partition: str | None, chunk: str, expires: int, named: Any) -> Slice:
    if not isinstance(named, dict) or not isinstance(digest := named.get("hash"), str) or not _DIGEST.fullmatch(digest):
        raise refused("its table has a slice without a SHA-256")
    kind = named.get("type")
    if kind not in (BLOOMFILTER, VARHASHLIST) or named.get("version") != VERSION:
        raise refused("its table has a slice of a kind or version that is not known")
    return Slice(kid, partition, chunk, digest, expires, kind)


def _is_partition(id_: Any, mode: Mode) -> bool:
    if id_ is None:
        return mode.offset == 0
    return isinstance(id_, str) and len(id_) == mode.offset > 0 and set(id_) <= set(_HEX)


def kid_in(item: Any) -> str | None:
    """The name of the kid that an entry has; None where it has none."""
    text = item.get("kid") if isinstance(item, dict) else None
    if not isinstance(text, str):
        return None
    kid = _decoded_kid(text)
    return kid_name(kid) if kid is not None or text == UNKNOWN_KID else None


def _decoded_kid(text: str) -> bytes | None:
    # dgc-gateway takes kids of 11 characters, without the filling, as well as of 12.
    kid = exact_base64(text if text.endswith("=") else f"{text}=")
    return kid if kid is not None and len(kid) == _KID_BYTES else None


def _moment(text: Any) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        raise refused("a moment that is none") from None
    if moment.tzinfo is None:
        raise refused("a moment without an offset from UTC")
    return int(moment.timestamp())
