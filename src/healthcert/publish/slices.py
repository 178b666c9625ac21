"""Revoked hashes as the EU's distribution service hands them out: filters of each kid, and the tables that name them.

What is made are the files of :mod:`healthcert.revocation.sources.distribution`, one after the other, so that any number
of hashes can be published; a server makes the service's answers of them, with :func:`pack` for slices.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct

from healthcert.errors import Code, HealthCertError, IssueError, Step
from healthcert.limits import DEFAULT_LIMITS
from healthcert.publish.revoked import RevokedEntry, end_of
from healthcert.revocation.bloom import BloomFilter
from healthcert.revocation.coordinates import Mode, place
from healthcert.revocation.identifiers import IdentifierType
from healthcert.revocation.sources.slices import (
    BLOOMFILTER,
    TYPES,
    VARHASHLIST,
    VERSION,
    Slice,
    check_slice,
    kid_name,
    kid_text,
    read_entry,
    read_list,
    read_table,
)
from healthcert.revocation.varhash import VariableHashList

_MINUTE = 60
_LATEST = datetime(9999, 12, 31, 23, 59, tzinfo=UTC)  # the last full minute that there is
_MINUTE_BYTES = 5
_KID_BYTES = 8
_BYTES = 256


class _Kid:
    """The hashes under one kid: by their first byte, since then no more than that part of them is unpacked at once."""

    def __init__(self) -> None:
        self.count = 0
        self.latest = 0
        self.types: set[IdentifierType] = set()
        self._parts: dict[int, bytearray] = {}

    def add(self, entry: RevokedEntry, minute: int) -> None:
        self.count += 1
        self.latest = max(self.latest, minute)
        self.types.add(entry.type)
        self._parts.setdefault(entry.key[0], bytearray()).extend(minute.to_bytes(_MINUTE_BYTES, "big") + entry.key)

    def chunks(self, mode: Mode) -> Iterator[tuple[str | None, str, dict[int, list[bytes]]]]:
        """Partition, chunk, and the hashes in it by the minute in which they expire, in the order of their digits."""
        # In the mode POINT sixteen first bytes share a chunk; in the others a first byte is a chunk or a partition.
        step = 16 if mode is Mode.POINT else 1
        for start in range(0, _BYTES, step):
            found: dict[tuple[str | None, str], dict[bytes, int]] = {}
            for first in range(start, start + step):
                for minute, key in _unpacked(self._parts.get(first, b"")):
                    held = found.setdefault(place(key, mode), {})
                    held[key] = max(minute, held.get(key, 0))
            for where in sorted(found, key=lambda where: where[1]):
                by_minute: dict[int, list[bytes]] = {}
                for key, minute in found.pop(where).items():
                    by_minute.setdefault(minute, []).append(key)
                yield *where, by_minute


class _Form(Struct, frozen=True):
    """How filters are made."""

    filter: str
    false_positives: float
    minimum: int

    def slice(self, keys: Sequence[bytes], mode: Mode) -> bytes:
        made: BloomFilter | VariableHashList
        if self.filter == BLOOMFILTER:
            made = BloomFilter.create(len(keys), self.false_positives)
        else:
            made = VariableHashList.create(len(keys), mode, self.false_positives, self.minimum)
        for key in keys:
            made.add(key)
        if not all(key in made for key in keys):
            raise _refused("a filter does not have what was put in")
        return made.to_bytes()


def publish(
    entries: Iterable[RevokedEntry],
    *,
    now: datetime,
    filter: str = BLOOMFILTER,  # noqa: A002 The service's word.
    mode: Mode | None = None,
    false_positives: float = 1e-12,
    minimum: int = 4,
    default_expiry: datetime | None = None,
) -> Iterator[tuple[str, bytes]]:
    """The files' names and contents: the slices of each kid, then its table, and at the end ``lists.json``.

    ``filter`` is ``BLOOMFILTER`` or ``VARHASHLIST``, whose entries have at least ``minimum`` bytes; mind that these are
    taken for other hashes far more often than ``false_positives`` says (:func:`healthcert.revocation.varhash.odds`).
    ``mode`` is by the number of hashes of each kid, if it is not given. ``default_expiry`` is for entries without one.
    Expiries are rounded up to full minutes, since each one makes a slice of its own; entries that have expired by
    ``now`` are left out, a hash that comes twice expires at its later end. All is read as its readers will. Raises
    :class:`IssueError` (``PUBLISHING_REFUSED``), when the first file is asked for.
    """
    if filter not in (BLOOMFILTER, VARHASHLIST):
        raise _refused(f"the filter is {BLOOMFILTER} or {VARHASHLIST}")
    form = _Form(filter, false_positives, minimum)
    listed: list[dict[str, Any]] = []
    seen: set[str] = set()
    for kid, held in sorted(_by_kid(entries, now, default_expiry).items(), key=lambda item: item[0] or b""):
        item = {
            "kid": kid_text(kid),
            "mode": (mode or Mode.for_count(held.count)).value,
            "hashTypes": [type_.value for type_ in TYPES if type_ in held.types],
            "expires": _moment(held.latest * _MINUTE),
            "lastUpdated": _written(now),
        }
        listed.append(item)
        for name, content in _files_of(kid, held, item, form):
            # Two kids with the same hashes have one slice.
            if name not in seen:
                seen.add(name)
                yield name, content
    body = _json(listed)
    with _readable():
        read_list(body, DEFAULT_LIMITS)
    yield "lists.json", _sized(body)


def pack(slices: Iterable[tuple[Slice, bytes]]) -> bytes:
    """Slices in a gzipped tar archive, named as the service names them. The same slices make the same bytes."""
    packed = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as gzipped,
        tarfile.open(fileobj=gzipped, mode="w", format=tarfile.USTAR_FORMAT) as archive,
    ):
        for one, data in slices:
            # Neither a moment nor an owner: a member says what it is, and no more.
            member = tarfile.TarInfo(one.member)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return packed.getvalue()


def _by_kid(
    entries: Iterable[RevokedEntry], now: datetime, default_expiry: datetime | None
) -> dict[bytes | None, _Kid]:
    found: dict[bytes | None, _Kid] = {}
    for entry in entries:
        expires = end_of(entry, default_expiry)
        if expires is None:
            raise _refused("an entry without an expiry, and none is given for such")
        if expires > _LATEST:
            raise _refused("an expiry that is not before the year 9999 is over")
        if entry.type not in TYPES or len(entry.key) != entry.type.width:
            raise _refused(f"an entry of the type {entry.type}, or of another length than its type has")
        if entry.kid is not None and len(entry.kid) != _KID_BYTES:
            raise _refused(f"a kid that has not {_KID_BYTES} bytes")
        if expires > now:
            found.setdefault(entry.kid, _Kid()).add(entry, -int(-expires.timestamp() // _MINUTE))
    return found


def _files_of(kid: bytes | None, held: _Kid, item: dict[str, Any], form: _Form) -> Iterator[tuple[str, bytes]]:
    """The slices and the table of one kid."""
    with _readable():
        entry = read_entry(item)
    partitions: dict[str | None, dict[str, Any]] = {}
    for partition, chunk, by_minute in held.chunks(entry.mode):
        for minute, keys in sorted(by_minute.items()):
            with _readable():
                data = _sized(form.slice(sorted(keys), entry.mode))
                digest = hashlib.sha256(data).hexdigest()
                check_slice(Slice(kid, partition, chunk, digest, minute * _MINUTE, form.filter), data)
            table = partitions.setdefault(partition, {"latest": minute, "chunks": {}})
            table["latest"] = max(table["latest"], minute)
            named = {"type": form.filter, "version": VERSION, "hash": digest}
            table["chunks"].setdefault(chunk, {})[_moment(minute * _MINUTE)] = named
            yield f"slices/{digest}", data
    body = _json([_partition(item, id_, table) for id_, table in partitions.items()])
    with _readable():
        if not any(True for _ in read_table(body, entry)):
            raise _refused("a table without slices")
    yield f"partitions/{kid_name(kid)}.json", _sized(body)


def _partition(item: dict[str, Any], id_: str | None, table: dict[str, Any]) -> dict[str, Any]:
    digits = (id_ or "").ljust(2)
    return {
        "kid": item["kid"],
        "id": id_,
        "x": digits[0].strip() or None,
        "y": digits[1].strip() or None,
        "lastUpdated": item["lastUpdated"],
        "expired": _moment(table["latest"] * _MINUTE),
        "chunks": table["chunks"],
    }


def _unpacked(data: bytes | bytearray) -> Iterator[tuple[int, bytes]]:
    width = _MINUTE_BYTES + IdentifierType.UCI.width
    for start in range(0, len(data), width):
        minute = int.from_bytes(data[start : start + _MINUTE_BYTES], "big")
        yield minute, bytes(data[start + _MINUTE_BYTES : start + width])


def _sized(data: bytes) -> bytes:
    if len(data) > DEFAULT_LIMITS.list_bytes:
        raise _refused("a file is longer than its readers take: use another mode, or let more hashes expire together")
    return data


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode("ascii")


def _moment(seconds: int) -> str:
    return _written(datetime.fromtimestamp(seconds, UTC))


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


@contextmanager
def _readable() -> Iterator[None]:
    """What its readers would refuse is not published."""
    try:
        yield
    except IssueError:
        raise
    except HealthCertError as error:
        raise _refused(f"those who read it would refuse it: {error.detail}") from None
    except ValueError as error:
        raise _refused(str(error)) from None


def _refused(detail: str) -> IssueError:
    return IssueError(Code.PUBLISHING_REFUSED, detail, Step.REVOCATION)
