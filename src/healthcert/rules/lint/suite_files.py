"""A folder of rules with their tests: ``<SET>/<RULE-ID>/rule.json`` and ``<SET>/<RULE-ID>/tests/testNNN.json``.

That is the layout of dgc-business-rules-testdata. The folder may be all of it, one set, or one rule. What lies
elsewhere is not left out unseen: each other file is among the strays.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from healthcert.errors import Code, DecodeError

RULE, TESTS = "rule.json", "tests"
MOST_FILES = 50_000
"""In one folder; the public suite has under 2,000."""

_TEST = re.compile(r"test[0-9]+\.json")
_RULE_NAME = re.compile(r"[A-Z0-9]{1,8}-[A-Z]{2}-[0-9]{4}")


class RuleFolder(Struct, frozen=True):
    """A rule with its tests. ``name`` is ``AT/VR-AT-0001``: the folders of set and rule."""

    name: str
    rule: Path
    tests: tuple[Path, ...]


class Stray(Struct, frozen=True):
    """A file that has no place in the layout. ``owner`` is the rule in whose folder it lies, None for no rule's.

    ``link`` is set where it is a link to a folder, which is not followed; ``foreign`` where neither its name nor what
    lies around it has to do with rules.
    """

    name: str
    path: Path
    owner: str | None = None
    link: bool = False
    foreign: bool = False

    @property
    def is_json(self) -> bool:
        """Whether it says of itself that it is JSON."""
        return self.path.suffix.lower() == ".json"


class Suite(Struct, frozen=True):
    """What a folder holds, in the order of the names."""

    rules: tuple[RuleFolder, ...]
    strays: tuple[Stray, ...]


def open_suite(folder: str | Path) -> Suite:
    """The rules in ``folder`` and the folders below it, but those whose name begins with a dot.

    Raises :class:`DecodeError` (``INPUT_TOO_LONG``) for more than ``MOST_FILES`` files; OSError.
    """
    root = Path(folder)
    prefix = _prefix(root)
    rules: list[RuleFolder] = []
    strays: list[Stray] = []
    owners: dict[Path, str] = {}
    for place, folders, files in _walk(root):
        name = "/".join((*prefix, *place.relative_to(root).parts))
        owner = next((owners[above] for above in (place, *place.parents) if above in owners), None)
        if RULE in files:
            owner = owners[place] = name
            tests = sorted(_tests(place / TESTS), key=lambda path: (len(path.name), path.name))
            rules.append(RuleFolder(name, place / RULE, tuple(tests)))
        of_rule = place.name == TESTS and place.parent in owners
        beside = (file for file in files if file != RULE and not (of_rule and _TEST.fullmatch(file)))
        strays += [Stray(f"{name}/{file}".lstrip("/"), place / file, owner) for file in beside]
        strays += [
            Stray(f"{name}/{one}".lstrip("/"), place / one, owner, True)
            for one in folders
            if (place / one).is_symlink()
        ]
    sets = {set_of(rule.name) for rule in rules}
    return Suite(tuple(rules), tuple(replace(stray, foreign=_is_foreign(stray.name, sets)) for stray in strays))


def set_of(name: str) -> str:
    """The set that a rule or stray belongs to: the folders above that of the rule."""
    parts = name.split("/")[:-1]
    upto = next((index for index, part in enumerate(parts) if _RULE_NAME.fullmatch(part)), len(parts))
    return "/".join(parts[:upto]) or "."


def json_files(folder: str | Path) -> list[Path]:
    """The JSON files in a folder and those below it. Raises as :func:`open_suite` does."""
    return [place / file for place, _, files in _walk(Path(folder)) for file in files if file.lower().endswith(".json")]


def _walk(root: Path) -> Iterator[tuple[Path, list[str], list[str]]]:
    seen = 0
    for place, folders, files in os.walk(root, onerror=_give_up):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        seen += len(folders) + len(files)
        if seen > MOST_FILES:
            raise DecodeError(Code.INPUT_TOO_LONG, f"a folder with more than {MOST_FILES} files")
        yield Path(place), folders, sorted(name for name in files if not name.startswith("."))


def _is_foreign(name: str, sets: set[str]) -> bool:
    parts = (part.partition(".")[0] for part in name.split("/"))
    return set_of(name) not in sets and not any(map(_RULE_NAME.fullmatch, parts))


def _tests(folder: Path) -> Iterator[Path]:
    if folder.is_dir() and not folder.is_symlink():
        yield from (path for path in folder.iterdir() if _TEST.fullmatch(path.name))


def _prefix(root: Path) -> tuple[str, ...]:
    """The names that a rule's name lacks where the folder is that of one rule, or of one set."""
    above = root.resolve().parts
    if (root / RULE).exists() or (above and _RULE_NAME.fullmatch(above[-1])):
        return above[-2:]
    folders = [path for path in root.iterdir() if path.is_dir()]
    if any((path / RULE).exists() or _RULE_NAME.fullmatch(path.name) for path in folders):
        return above[-1:]
    return ()


def _give_up(error: OSError) -> None:
    # A folder left out unread would look like one whose tests all pass.
    raise error
