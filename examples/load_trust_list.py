"""Load a country's signed list of keys, tell what changed since the last one, and say how the store stands.

Meant to be run by hand or by a timer where lists come as files. The store is made when it is not there yet; a list that
is refused leaves it as it was. The exit code is 0 when the list is in use, 1 when it was refused, 2 for wrong usage.

    python load_trust_list.py trust.db de covpass-key.pem dsc-list.json
"""

from __future__ import annotations

import sys
from pathlib import Path

import healthcert as hc
from healthcert.trust.sources.registry import source_named


def load(store: hc.TrustStore, format_: str, anchor: Path, files: list[Path]) -> hc.Change:
    """Takes the list in ``files`` into use. Raises :class:`healthcert.TrustError` when it is refused."""
    feed = hc.Feed(name=format_, format=format_, anchors=hc.load_anchors(anchor))
    parts = {part: file.read_bytes() for part, file in zip(source_named(format_).parts, files, strict=True)}
    return hc.install_list(store, feed, parts)


def describe(store: hc.TrustStore, clock: hc.Clock) -> None:
    """One line a list: how many keys of how many countries, and until when they are to be believed."""
    for source, generation in sorted(store.state.lists.items()):
        countries = {key.country for key in generation if key.country is not None}
        end = generation.head.best_before
        state = "for ever" if end is None else f"until {end:%Y-%m-%d %H:%M} UTC"
        if end is not None and end < clock.now():
            state += ", which is over"
        print(f"{source}: {len(generation.rows)} keys of {len(countries)} countries, good {state}")


def main(path: Path, format_: str, anchor: Path, files: list[Path]) -> int:
    store = hc.TrustStore.open(path)
    try:
        change = load(store, format_, anchor, files)
    except hc.TrustError as error:
        print(f"refused: {error.detail} ({error.code})", file=sys.stderr)
        describe(store, hc.SystemClock())
        return 1
    for sign, keys in (("+", change.added), ("-", change.removed)):
        for key in keys:
            print(sign, key.kid.hex(), key.country)
    for entry in change.skipped:
        print(f"skipped: {entry.source}: {entry.error.detail}", file=sys.stderr)
    describe(store, hc.SystemClock())
    return 0


if __name__ == "__main__":
    if len(sys.argv) < 5:
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    sys.exit(main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]), [Path(name) for name in sys.argv[4:]]))
