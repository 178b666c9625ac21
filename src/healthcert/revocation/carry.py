"""Revocation lists on a stick: one archive with the files of a store, and a signed manifest of what they are.

The archive is a ZIP file, nothing in it compressed. ``manifest`` is a COSE_Sign1 whose payload is a :class:`Manifest`
in MessagePack; it gives the length and SHA-256 of every other file. A list gets no younger by being carried, and ends
with the bundle at the latest.
"""

from __future__ import annotations

import errno
import hashlib
import os
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from healthcert.clock import Clock, SystemClock
from healthcert.encoding import cose
from healthcert.errors import Code, DecodeError, RevocationError, Step
from healthcert.files import sync_folder
from healthcert.limits import DEFAULT_LIMITS, Limits
from healthcert.lists.anchors import Environment, TrustAnchor, need_anchors
from healthcert.lists.archive import DAMAGED, directory_length
from healthcert.revocation import folder as folders
from healthcert.revocation import guards, ledger
from healthcert.revocation.coordinates import Mode
from healthcert.revocation.feed import RevocationChange
from healthcert.revocation.ledger import Head, Memory
from healthcert.revocation.segment import Segment
from healthcert.revocation.sources.protocol import Listed
from healthcert.revocation.store import LEDGER, RevocationStore

CONTENT_TYPE = "application/vnd.healthcert.revocation-bundle"
CONTENT_TYPE_LABEL = 3
VERSION = 1
MANIFEST = "manifest"
FORMAT = "bundle"
_MAX_DEPTH = 4
_PIECE = 1 << 20
_LONGEST_DIRECTORY = 4 << 20  # bytes of an archive's directory; a store of the most lists has a tenth of that


class Carried(Struct, frozen=True, kw_only=True):
    """A list in a bundle: its head, and the length and SHA-256 of each of its files as a whole."""

    head: Head
    files: tuple[tuple[int, bytes], ...]


class Manifest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is signed. ``number`` rises from bundle to bundle."""

    version: int
    number: int
    environment: Environment
    issued_at: datetime
    expires_at: datetime
    lists: tuple[Carried, ...]


def import_revocations(
    store: RevocationStore,
    path: str | Path,
    anchors: Sequence[TrustAnchor],
    *,
    name: str = FORMAT,
    environment: Environment = Environment.PRODUCTION,
    clock: Clock | None = None,
    force: bool = False,
    max_loss: float = 0.25,
    limits: Limits = DEFAULT_LIMITS,
) -> RevocationChange:
    """Takes the lists of a bundle into use, which replace those of the bundle ``name`` before.

    They are then called ``name``, a slash, and what they were called; so ``name`` itself has none. ``max_loss`` is the
    part of its entries that a bundle may lose at once, unless ``force``.

    Raises :class:`RevocationError` (``REVOCATION_LIST_UNREADABLE``, ``REVOCATION_LIST_NOT_AUTHENTIC``,
    ``REVOCATION_LIST_ROLLED_BACK`` ...), :class:`TrustError` (``TRUST_ANCHOR_MISSING``), OSError; the store is then as
    it was.
    """
    if store.path is None:
        raise ValueError("the store is kept nowhere: open one from a folder")
    if not name or not name.isprintable() or "/" in name:
        raise ValueError("the name of a bundle is a printable word without slashes")
    now, folder = (clock or SystemClock()).now(), store.path
    usable = need_anchors(tuple(anchors), now)
    with _opened(path) as archive, folders.locked(folder):
        store.reload()
        manifest, signed, signer = _verified(_member(archive, MANIFEST, limits.list_bytes), usable)
        if manifest.environment is not environment:
            raise _refused(f"the bundle is for {manifest.environment}", Code.ENVIRONMENT_MIXED)
        said = Listed(
            types=(),
            counter=manifest.number,
            issued_at=manifest.issued_at,
            expires_at=manifest.expires_at,
            signer=signer,
            signed=signed,
        )
        state = store.state
        memory = state.memories.get(name, Memory())
        guards.check_environment(state, environment)
        guards.check_clock(state, now)
        guards.check_time(said, now)
        guards.check_order(memory, said)
        before = {head.source: head for head in state.lists.values() if head.source.startswith(f"{name}/")}
        if any(head.format != FORMAT for head in before.values()) or name in state.lists:
            raise _refused("a list in use has this name: give the bundle another", Code.REVOCATION_CONFIG_INVALID)
        heads = [_head(carried, manifest, name, signer) for carried in manifest.lists]
        records = sum(head.records for head in heads)
        if not force:
            guards.check_loss(sum(head.records for head in before.values()), records, max_loss)
        with folders.temporary_folder(folder) as temporary:
            _unpack(archive, manifest, temporary)
            # Two lists with the same content share a file.
            for file_name in {file.name for head in heads for file in head.files}:
                (temporary / file_name).replace(folder / file_name)
            sync_folder(folder)
        with ledger.transaction(folder / LEDGER) as entry:
            if entry.state.environment is None:
                entry.settle(environment)
            for source in before:
                entry.remove(source)
            for head in heads:
                entry.put(head, {}, {})
            entry.remember(name, guards.after(memory, None, said))
        store.reload()
        folders.clean(folder, store.file_names)
    gone = sum(source not in {head.source for head in heads} for source in before)
    return RevocationChange(
        name, added=len(heads), withdrawn=gone, records=records, filters=sum(head.filters for head in heads)
    )


def _head(carried: Carried, manifest: Manifest, name: str, signer: TrustAnchor) -> Head:
    """The head of a list once it is here: under the bundle's name, and ending with it."""
    head = carried.head
    ends = [end for end in (head.best_before, manifest.expires_at) if end is not None]
    # Names of files are given here, so that none can lead anywhere, or be another list's.
    files = tuple(
        replace(file, name=f"{digest.hex()[:40]}{folders.SEGMENT}")
        for file, (_, digest) in zip(head.files, carried.files, strict=True)
    )
    return replace(
        head,
        source=f"{name}/{head.source}",
        format=FORMAT,
        files=files,
        expires_at=min(ends),
        max_age=None,
        counter=manifest.number,
        signer=signer.fingerprint,
    )


def _unpack(archive: zipfile.ZipFile, manifest: Manifest, folder: Path) -> None:
    """The files of all lists, each checked against the manifest, in ``folder`` under the names they will have."""
    for carried in manifest.lists:
        for file, (size, digest) in zip(carried.head.files, carried.files, strict=True):
            path = folder / f"{digest.hex()[:40]}{folders.SEGMENT}"
            with path.open("wb") as out:
                _copy(archive, file.name, out, size, digest)
                out.flush()
                os.fsync(out.fileno())
            segment = Segment(path)
            segment.check()
            # A store does not open with a file that is another than its ledger says.
            if (segment.size, segment.digest) != (file.size, file.digest):
                raise _refused("a file that is another than its list says")


def _copy(archive: zipfile.ZipFile, name: str, out: IO[bytes], size: int, expected: bytes) -> None:
    digest, left = hashlib.sha256(), size
    with _whole():
        packed = archive.open(name)
    with packed:
        while True:
            with _whole():
                piece = packed.read(min(_PIECE, left + 1))
            left -= len(piece)
            if left < 0 or not piece:
                break
            digest.update(piece)
            out.write(piece)
    if left or digest.digest() != expected:
        raise _refused("a file that is not the one that was signed", Code.REVOCATION_LIST_NOT_AUTHENTIC)


def _verified(data: bytes, anchors: Sequence[TrustAnchor]) -> tuple[Manifest, bytes, TrustAnchor]:
    """The manifest, the SHA-256 of what was signed, and who signed it."""
    try:
        message = cose.decode_sign1(data, max_depth=_MAX_DEPTH)
    except DecodeError as error:
        raise _refused(error.detail) from None
    # RFC 9052 §3.1: alg and content type count only where they are signed, and nothing stands beside them.
    if message.protected.get(CONTENT_TYPE_LABEL) != CONTENT_TYPE or message.unprotected:
        raise _refused("not a bundle of revocation lists")
    algorithm = message.algorithm if cose.ALG in message.protected else None
    for anchor in anchors:
        if algorithm and algorithm.verify(anchor.public_key(), message.signature, message.to_be_signed()):
            return _manifest(message.payload), hashlib.sha256(message.payload).digest(), anchor
    raise _refused("the signature of the bundle does not verify with the anchor", Code.REVOCATION_LIST_NOT_AUTHENTIC)


def _manifest(payload: bytes) -> Manifest:
    try:
        manifest = msgspec.msgpack.decode(payload, type=Manifest)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise _refused("not the manifest of a bundle") from None
    if manifest.version != VERSION:
        raise _refused(f"version {manifest.version} of the format")
    sources = {carried.head.source for carried in manifest.lists}
    if len(sources) != len(manifest.lists) or not sources:
        raise _refused("no list, or two of one name")
    moments = (manifest.issued_at, manifest.expires_at, *(carried.head.fetched_at for carried in manifest.lists))
    if any(moment.tzinfo is None for moment in moments):
        raise _refused("a moment without a time zone")
    for carried in manifest.lists:
        _check(carried, manifest)
    return manifest


def _check(carried: Carried, manifest: Manifest) -> None:
    """What a store takes for granted of its lists: one that is not so would not open again."""
    head = carried.head
    if len(carried.files) != len(head.files) or not carried.files:
        raise _refused("a list without files")
    if not head.source or not head.source.isprintable() or min(head.records, head.filters) < 0:
        raise _refused("a list without a name, or with less than no entries")
    if not set(head.modes.values()) <= set(Mode):
        raise _refused("filters that are divided in no way that is known")
    # Who makes a bundle cannot have fetched anything later; it would stay fresh for too long.
    if head.fetched_at > manifest.issued_at + guards.CLOCK_SKEW:
        raise _refused("a list that was fetched after the bundle was made")


def _member(archive: zipfile.ZipFile, name: str, limit: int) -> bytes:
    with _whole(), archive.open(name) as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise _refused("a manifest of more bytes than it may have", Code.INPUT_TOO_LONG)
    return data


@contextmanager
def _opened(path: str | Path) -> Iterator[zipfile.ZipFile]:
    with Path(path).open("rb") as file:
        _check_directory(file)
        with _whole():
            archive = zipfile.ZipFile(file)
        with archive:
            if any(entry.compress_type != zipfile.ZIP_STORED for entry in archive.infolist()):
                raise _refused("an archive that is compressed")
            yield archive


def _check_directory(file: IO[bytes]) -> None:
    """Refuses an archive with a long directory, of which the reader makes objects before any signature counts."""
    length = directory_length(file)
    if length is None:
        raise _refused("no archive, or something stands behind it")
    if length > _LONGEST_DIRECTORY:
        raise _refused("an archive of more files than a bundle has", Code.INPUT_TOO_LONG)


@contextmanager
def _whole() -> Iterator[None]:
    """Around what reads the archive, and nothing else: what fails while files are written is no fault of its."""
    try:
        yield
    except (*DAMAGED, OverflowError, KeyError):
        raise _refused("a damaged archive, or a file is missing in it") from None
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        raise _refused("a damaged archive") from None  # it leads to before its own start


def _refused(detail: str, code: Code = Code.REVOCATION_LIST_UNREADABLE) -> RevocationError:
    return RevocationError(code, detail, Step.REVOCATION)
