"""What an issuer revokes, from wherever it is written: certificates, identifiers, batches that were signed before."""

from __future__ import annotations

import errno
import os
import re
import sys
from codecs import getincrementaldecoder
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import IO

import click
from msgspec import Struct

from healthcert.errors import Code, DecodeError, HealthCertError, IssueError, Step
from healthcert.families import FAMILIES
from healthcert.limits import DEFAULT_LIMITS, read_file
from healthcert.lists.anchors import TrustAnchor
from healthcert.publish.revoked import RevokedEntry, entries_of_certificate, entries_of_uvci
from healthcert.revocation.identifiers import IdentifierType
from healthcert.revocation.sources.dgcg_batches import read_batch
from healthcert_cli.rejects import Rejects

_IDENTIFIER = re.compile("[!-~]+")  # visible ASCII without spaces; countries do not keep to the letters of Annex 2
_CMS_START = b"MI"  # of a CMS message in base64: a SEQUENCE of more than 127 bytes


class Wanted(Struct, frozen=True):
    """How certificates are to be named. ``types`` of None: by the signature, and what is an identifier by that.

    ``country`` and ``expires`` are for identifiers, which do not say them. ``anchors`` are those that batches were
    signed with.
    """

    types: tuple[IdentifierType, ...] | None
    country: str | None
    expires: datetime | None
    anchors: tuple[TrustAnchor, ...] = ()


def read_entries(sources: Sequence[str], wanted: Wanted, rejects: Rejects) -> Iterator[RevokedEntry]:
    """What revokes all that the sources hold. A row that cannot be used goes to ``rejects``, and the rest is done.

    A source is a picture, a signed batch, or text with a certificate or an identifier a line; - is standard input.
    """
    return read_rows(sources, rejects, lambda found: entries_of(found, wanted))


def read_rows(
    sources: Sequence[str], rejects: Rejects, read: Callable[[str | bytes], Iterable[RevokedEntry]]
) -> Iterator[RevokedEntry]:
    """What ``read`` makes of each row of the sources: a text, or the bytes of a signed batch."""
    for source in sources:
        rows, row = _rows(source), 0
        while True:
            row += 1
            try:
                found = next(rows, None)
                if found is None:
                    break
                # All of a row or nothing: half a batch would look like a whole one.
                entries = list(read(found))
            except HealthCertError as error:
                rejects.add(source, row, error)
                continue
            yield from entries


def entries_of(found: str | bytes, wanted: Wanted) -> Iterable[RevokedEntry]:
    """What revokes all of a row. Raises :class:`HealthCertError` for one that cannot be used."""
    return _entries(found, wanted) if isinstance(found, str) else _of_batch(found, wanted)


def _rows(source: str) -> Iterator[str | bytes]:
    from healthcert.barcode.read import is_image, read_barcodes

    if source == "-":
        if sys.stdin is None:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF), "standard input")
        yield from _lines(sys.stdin.buffer)
        return
    with Path(source).open("rb") as file:
        head = file.read(512)
        if is_image(head):
            texts = read_barcodes(read_file(source, DEFAULT_LIMITS.file_bytes))
            if not texts:
                raise DecodeError(Code.NO_BARCODE_FOUND, "no QR, Aztec or DataMatrix code in this picture")
            yield from texts
        elif head.startswith(_CMS_START) and b"\n" not in head.strip():
            yield read_file(source, DEFAULT_LIMITS.list_bytes).strip()
        else:
            _check_text(head)
            file.seek(0)
            yield from _lines(file)


def _check_text(head: bytes) -> None:
    """The lines of a file that is no text would be taken for identifiers, and be revoked."""
    try:
        if "\0" not in getincrementaldecoder("utf-8")().decode(head):
            return
    except UnicodeDecodeError:
        pass
    raise DecodeError(Code.TEXT_UNREADABLE, "neither a picture, nor a batch, nor text in UTF-8")


def _lines(file: IO[bytes]) -> Iterator[str]:
    # Read as they come: there may be millions of them. Of a line that is longer than any certificate, the start is
    # enough to refuse it.
    while line := file.readline(DEFAULT_LIMITS.text_chars + 3):
        rest = line
        while rest and not rest.endswith(b"\n"):
            rest = file.readline(DEFAULT_LIMITS.text_chars)
        text = line.decode("utf-8", "replace").strip("\ufeff\r\n")
        if text.strip():
            yield text


def _entries(text: str, wanted: Wanted) -> Iterable[RevokedEntry]:
    if any(family.recognises(text) for family in FAMILIES):
        return entries_of_certificate(text, wanted.types or (IdentifierType.SIGNATURE,))
    if wanted.country is None:
        raise click.UsageError("identifiers do not say whose they are: name the --country that issued them")
    types = wanted.types or (IdentifierType.UCI,)
    if not _IDENTIFIER.fullmatch(text := text.strip()):
        raise IssueError(Code.PUBLISHING_REFUSED, "neither a certificate nor an identifier", Step.REVOCATION)
    return entries_of_uvci(text, country=wanted.country, expires=wanted.expires, types=types)


def _of_batch(message: bytes, wanted: Wanted) -> Iterator[RevokedEntry]:
    if not wanted.anchors:
        raise click.UsageError("a signed batch needs the --anchor it was signed with: its upload certificate")
    content, _ = read_batch(message, wanted.anchors)
    for key in content.hashes:
        yield RevokedEntry(content.type, key, content.kid, content.country, content.expires)
