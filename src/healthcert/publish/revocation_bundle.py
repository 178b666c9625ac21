"""The lists of a revocation store in one signed archive, for verifiers without a network."""

from __future__ import annotations

import hashlib
import os
import zipfile
from collections.abc import Sequence
from datetime import datetime, timedelta
from mmap import mmap
from pathlib import Path

import msgspec

from healthcert.encoding import cbor, cose
from healthcert.errors import Code, IssueError, RevocationError, Step
from healthcert.issue.signer import Signer
from healthcert.revocation.carry import CONTENT_TYPE, CONTENT_TYPE_LABEL, MANIFEST, VERSION, Carried, Manifest
from healthcert.revocation.ledger import Head
from healthcert.revocation.segment import Segment
from healthcert.revocation.store import RevocationStore

_PIECE = 1 << 20
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest moment a ZIP archive can tell; the manifest tells the real one


def export_revocations(
    store: RevocationStore,
    signer: Signer,
    path: str | Path,
    *,
    now: datetime,
    life: timedelta,
    number: int | None = None,
) -> Manifest:
    """Writes the lists of a store to ``path``, in a bundle that ends after ``life``; returns what was signed.

    Who imports it pins the certificate of ``signer``. ``number`` must rise from one bundle to the next, and is the
    second of ``now`` unless given. Raises :class:`IssueError` (``PUBLISHING_REFUSED``) for a store without lists,
    :class:`RevocationError` (``REVOCATION_STORE_UNREADABLE``) for a damaged one, OSError.
    """
    if not store or store.environment is None:
        raise IssueError(Code.PUBLISHING_REFUSED, "the store has no lists to export", Step.REVOCATION)
    # Taken out of the store once: another thread may take in a new state meanwhile.
    lists = [(head, store.segments(head.source)) for head in store.state.lists.values()]
    carried = tuple(_carried(head, segments) for head, segments in lists)
    manifest = Manifest(
        version=VERSION,
        number=int(now.timestamp()) if number is None else number,
        environment=store.environment,
        issued_at=now,
        expires_at=now + life,
        lists=carried,
    )
    protected = cbor.encode({cose.ALG: signer.algorithm.value, CONTENT_TYPE_LABEL: CONTENT_TYPE, cose.KID: signer.kid})
    payload = msgspec.msgpack.encode(manifest)
    signature = signer.sign(cose.sig_structure(protected, payload))
    target = Path(path)
    beside = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with zipfile.ZipFile(beside, "w", zipfile.ZIP_STORED) as archive:
            archive.writestr(zipfile.ZipInfo(MANIFEST, _EPOCH), cose.assemble_sign1(protected, payload, signature))
            # Two lists with the same content share a file.
            for name, data in {s.path.name: s.map for _, segments in lists for s in segments}.items():
                _add(archive, name, data)
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)
    return manifest


def _carried(head: Head, segments: Sequence[Segment]) -> Carried:
    if [segment.path.name for segment in segments] != [file.name for file in head.files]:
        detail = "the lists were changed meanwhile; try again"
        raise RevocationError(Code.REVOCATION_STORE_UNREADABLE, detail, Step.REVOCATION)
    files = []
    for segment in segments:
        # What was damaged here must not be vouched for.
        segment.check()
        digest = hashlib.sha256()
        for start in range(0, segment.size, _PIECE):
            digest.update(segment.map[start : start + _PIECE])
        files.append((segment.size, digest.digest()))
    return Carried(head=head, files=tuple(files))


def _add(archive: zipfile.ZipFile, name: str, data: mmap) -> None:
    entry = zipfile.ZipInfo(name, _EPOCH)
    with archive.open(entry, "w", force_zip64=True) as file, memoryview(data) as view:
        for start in range(0, len(view), _PIECE):
            file.write(view[start : start + _PIECE])
