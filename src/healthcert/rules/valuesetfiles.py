"""Value sets from files: one set, an array of them, or a folder of such files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from healthcert.errors import Code, DecodeError, RuleError, Step, TrustError
from healthcert.limits import DEFAULT_LIMITS, Limits, read_file
from healthcert.lists.reading import read_json
from healthcert.rules.valuesets import ValueSet, ValueSets, read_value_set


def load_value_sets(path: str | Path, limits: Limits = DEFAULT_LIMITS) -> ValueSets:
    """The value sets of a JSON file, or of every ``.json`` file of a folder, as the EU publishes them.

    One that cannot be read makes all of them unusable, since a set that is missing would change what is issued. Raises
    :class:`RuleError` (``RULE_LIST_UNREADABLE``), OSError.
    """
    path = Path(path)
    files = sorted(path.glob("*.json")) if path.is_dir() else [path]
    if len(files) > limits.list_pages:
        raise _unreadable(f"more than {limits.list_pages} files of value sets")
    found = ValueSets(one for file in files for one in _of_file(file, limits))
    if not len(found):
        raise _unreadable("no value set")
    return found


def _of_file(file: Path, limits: Limits) -> Iterator[ValueSet]:
    try:
        data = read_file(file, limits.list_bytes)
        if data.lstrip()[:1] != b"[":
            yield read_value_set(data, limits)
            return
        sets = read_json(data, list)
    except (DecodeError, TrustError) as error:
        raise _unreadable(error.detail) from None
    for one in sets:
        if not isinstance(one, dict):
            raise _unreadable("an array of other than value sets")
        yield read_value_set(one, limits)


def _unreadable(detail: str) -> RuleError:
    return RuleError(Code.RULE_LIST_UNREADABLE, detail, Step.RULES)
