"""What a source of certificates is, by its name or by what it begins with."""

from __future__ import annotations

import os
from enum import Enum, auto
from pathlib import Path

from healthcert.batch.sources.archive import GZIP
from healthcert.batch.sources.documents import is_whole
from healthcert.batch.sources.files import STDIN, TABLE, is_part
from healthcert.limits import Limits

_TAR = (".tar", ".tar.gz", ".tgz")
_CSV = (".csv", ".tsv")
_LINES = (".jsonl", ".ndjson")
_PARQUET = b"PAR1"
# POSIX.1-2001, pax, "ustar Interchange Format": where a header says what it is.
_USTAR, _USTAR_AT = b"ustar", 257


class Kind(Enum):
    """What a source is: all of LINES is read for rows of JSON where its first line is one, and for texts else."""

    LINES = auto()
    CSV = auto()
    PARQUET = auto()
    FOLDER = auto()
    TAR = auto()
    DOCUMENT = auto()


def kind_of(name: str, limits: Limits) -> Kind:
    """What a source is. Raises OSError."""
    lower = name.lower()
    if name == STDIN or lower.endswith(_LINES):
        return Kind.LINES
    if Path(name).is_dir():
        return Kind.PARQUET if lower.rstrip("/").endswith(TABLE) or _has_parts_alone(name) else Kind.FOLDER
    for suffixes, kind in ((_TAR, Kind.TAR), (_CSV, Kind.CSV), (TABLE, Kind.PARQUET)):
        if lower.endswith(suffixes):
            return kind
    return _kind_within(Path(name), limits) if Path(name).is_file() else Kind.LINES


def _kind_within(path: Path, limits: Limits) -> Kind:
    with path.open("rb") as file:
        start = file.read(limits.document_chars)
        is_all = not file.read(1)
    if start.startswith(_PARQUET):
        return Kind.PARQUET
    if start.startswith(GZIP) or start[_USTAR_AT:].startswith(_USTAR):
        return Kind.TAR
    return Kind.DOCUMENT if is_whole(start, is_all=is_all) else Kind.LINES


def _has_parts_alone(folder: str) -> bool:
    """Whether a folder holds nothing but the files of a table, hidden ones aside."""
    with os.scandir(folder) as found:
        names = [one.name for one in found if not one.name.startswith((".", "_"))]
    return bool(names) and all(map(is_part, names))
