"""Plain files and folders of rules, as an operator or the author of rules has them: one list each."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from healthcert.errors import Code, DecodeError, RuleError
from healthcert.limits import DEFAULT_LIMITS, Limits, read_file
from healthcert.rules.generation import NO_MOMENT
from healthcert.rules.sources.documents import is_passed_over
from healthcert.rules.sources.protocol import Context, RuleList, refused
from healthcert.rules.sources.registry import source_named

_MOST_FILES = 1_000_000  # that are looked at by name


def read_folder(path: str | Path, *, limits: Limits = DEFAULT_LIMITS) -> Mapping[str, bytes]:
    """The parts of a list of the format ``folder``: the JSON files in a folder, by their paths in it.

    Tests, schemas and hidden files are passed over, links are not followed. Raises :class:`RuleError`
    (``INPUT_TOO_LONG``), OSError.
    """
    parts: dict[str, bytes] = {}
    left = limits.list_bytes
    for name, file in _files(Path(path)):
        if len(parts) == limits.rules:
            raise refused(f"a folder of more than {limits.rules} files", Code.INPUT_TOO_LONG)
        parts[name] = _read(file, left)
        left -= len(parts[name])
    return parts


def read_path(path: Path, limits: Limits) -> tuple[str, Mapping[str, bytes], RuleList]:
    """The format of what is at ``path``, its parts, and the list that they make.

    Raises :class:`RuleError` (``RULE_LIST_UNREADABLE``, ``INPUT_TOO_LONG``), OSError.
    """
    if path.is_dir():
        format_, parts = "folder", read_folder(path, limits=limits)
    else:
        format_, parts = "bundle", {"rules": _read(path, limits.list_bytes)}
    # Whoever gives a file to be read vouches for it, at whatever moment.
    context = Context((), NO_MOMENT, limits)
    found = source_named(format_).load(parts, context)
    if not found.rules and not found.value_sets:
        why = "".join(f": {first.source}: {first.error.detail}" for first in found.skipped[:1])
        raise refused(f"it holds neither a rule nor a value set{why}")
    return format_, parts, found


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    seen = 0
    for place, folders, names in os.walk(folder, onerror=_raise):
        inside = Path(place).relative_to(folder)
        folders[:] = sorted(name for name in folders if not is_passed_over((inside / name / "x.json").as_posix()))
        seen += len(folders) + len(names)
        if seen > _MOST_FILES:
            raise refused(f"a folder of more than {_MOST_FILES} files", Code.INPUT_TOO_LONG)
        for name in sorted(names):
            file = Path(place) / name
            # A link could lead to any file of this machine; what is neither file nor folder may never end.
            if not is_passed_over((inside / name).as_posix()) and file.is_file() and not file.is_symlink():
                yield (inside / name).as_posix(), file


def _raise(error: OSError) -> None:
    raise error


def _read(file: Path, most: int) -> bytes:
    try:
        return read_file(file, most)
    except DecodeError as error:
        raise RuleError(error.code, error.detail) from None
