"""What the server of the Corona-Warn-App signs: ``export.bin`` in a ZIP archive, with its signatures in ``export.sig``.

``export.sig`` is a ``TEKSignatureList`` of ECDSA signatures in DER over all of ``export.bin``, which is a Protocol
Buffers message. What else an archive holds, nobody signed.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterable

from healthcert.encoding.oids import verify_oid
from healthcert.encoding.protobuf import byte_strings
from healthcert.limits import Limits
from healthcert.lists.anchors import TrustAnchor
from healthcert.lists.archive import check_method, entry_count, opened
from healthcert.lists.reading import not_authentic, unreadable

_CONTENT, _SIGNATURE = "export.bin", "export.sig"
_ECDSA_SHA256 = "1.2.840.10045.4.3.2"
_MAX_SIGNATURES = 16
_ZIP_START = b"PK\3\4"


def is_archive(data: bytes) -> bool:
    """Whether this begins as a ZIP archive does."""
    return data.startswith(_ZIP_START)


def open_export(data: bytes, limits: Limits) -> tuple[bytes, bytes]:
    """The content of an archive and the signatures that came with it, unchecked.

    Raises :class:`TrustError` (``TRUST_LIST_UNREADABLE``).
    """
    if entry_count(data) > _MAX_SIGNATURES:
        raise unreadable("an archive of more files than it should have")
    with opened(data) as archive:
        if sorted(archive.namelist()) != [_CONTENT, _SIGNATURE]:
            raise unreadable(f"an archive of other files than {_CONTENT} and {_SIGNATURE}")
        return _member(archive, _CONTENT, limits.list_bytes), _member(archive, _SIGNATURE, limits.key_file_bytes)


def export_signer(content: bytes, signatures: bytes | None, anchors: Iterable[TrustAnchor]) -> TrustAnchor:
    """Which of the anchors signed the content.

    Raises :class:`TrustError` (``TRUST_LIST_NOT_AUTHENTIC``), :class:`DecodeError` (``TRUST_LIST_UNREADABLE``).
    """
    if signatures is None:
        raise not_authentic("the list comes without a signature")
    # TEKSignatureList { repeated TEKSignature { ... bytes signature = 4 } = 1 }
    found = [value for entry in byte_strings(signatures, 1) for value in byte_strings(entry, 4)]
    for anchor in anchors:
        key = anchor.public_key()
        if any(verify_oid(key, _ECDSA_SHA256, b"", value, content) for value in found[:_MAX_SIGNATURES]):
            return anchor
    raise not_authentic("no signature of the list verifies with the anchor")


def _member(archive: zipfile.ZipFile, name: str, limit: int) -> bytes:
    check_method(archive.getinfo(name))
    # The sizes that an archive states are claims; no more than this is ever read.
    with archive.open(name) as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise unreadable(f"more than {limit} bytes in {name}")
    return data
