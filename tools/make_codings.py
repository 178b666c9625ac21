"""Makes src/healthcert/data/codings.json from the tables in tools/codings.

    python tools/make_codings.py [--check]

``names.csv`` says what a code is called, ``same.csv`` which codes of different systems mean the same thing (``is``) or
something that the thing covers (``kind``), ``diseases.csv`` what a vaccine protects against and a test looks for,
``makers.csv`` which products a maker of vaccines has. Each row names its source,
which ``sources.csv`` tells of. Only facts are in them. ``--check`` writes nothing, and fails where the data is not what
the tables make. The EU's own codes are not repeated here: ``make_value_sets.py`` makes those.
"""

from __future__ import annotations

import csv
import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

from healthcert import codings

ROOT = Path(__file__).parent.parent
TABLES = ROOT / "tools/codings"
TARGET = ROOT / "src/healthcert/data/codings.json"
# What the tables call a code system, and its URI.
SYSTEMS = {
    "SNOMED CT": codings.SNOMED_CT,
    "LOINC": codings.LOINC,
    "ICD-11": codings.ICD_11,
    "CVX": codings.CVX,
    "MVX": codings.MVX,
    "ATC": codings.ATC,
    "EU register": codings.EU_REGISTER,
    "EU name": codings.EU_PRODUCT_NAME,
    "PreQual": codings.PREQUALIFIED,
    "2D-Doc F5": codings.TWODDOC_RESULT,
    "v3 interpretation": codings.INTERPRETATION,
}
_RELATIONS = ("is", "kind")


def made() -> str:
    """The text of the data file. Raises KeyError or ValueError for a row that is there twice or names no source."""
    sources = {row["source"]: {name: row[name] for name in ("title", "address", "terms")} for row in _rows("sources")}
    names: dict[str, dict[str, list[str]]] = defaultdict(dict)
    for row in _rows("names"):
        _add(names[SYSTEMS[row["system"]]], row["code"], [row["name"], _known(row["source"], sources)])
    diseases: dict[str, dict[str, list[str]]] = defaultdict(dict)
    for row in _rows("diseases"):
        disease = [SYSTEMS[row["disease_system"]], row["disease"], _known(row["source"], sources)]
        _add(diseases[SYSTEMS[row["system"]]], row["code"], disease)
    things: dict[str, list[list[str]]] = defaultdict(list)
    placed: dict[str, Any] = {}
    for row in _rows("same"):
        relation = _RELATIONS[_RELATIONS.index(row["relation"])]
        things[row["thing"]].append([SYSTEMS[row["system"]], row["code"], relation, _known(row["source"], sources)])
        _add(placed, f"{row['system']} {row['code']}", row["thing"])
    makers: dict[str, dict[str, list[list[str]]]] = defaultdict(lambda: defaultdict(list))
    for row in _rows("makers"):
        product = [SYSTEMS[row["product_system"]], row["product"], _known(row["source"], sources)]
        makers[SYSTEMS[row["system"]]][row["code"]].append(product)
    table = {"sources": sources, "names": names, "same": [*things.values()], "diseases": diseases, "makers": makers}
    return json.dumps(table, ensure_ascii=False, separators=(",", ":")) + "\n"


def main() -> None:
    if sys.argv[1:] not in ([], ["--check"]):
        sys.exit(__doc__)
    text = made()
    if sys.argv[1:]:
        if TARGET.read_text("utf-8") != text:
            sys.exit(f"{TARGET.name} is not what the tables make: run tools/make_codings.py")
        return
    TARGET.write_text(text, encoding="utf-8")
    print(f"{TARGET.name}: {len(text.encode())} bytes")


def _rows(name: str) -> list[dict[str, str]]:
    with (TABLES / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _add(table: dict[str, Any], code: str, value: Any) -> None:
    if code in table:
        raise ValueError(f"{code}: told twice")
    table[code] = value


def _known(source: str, sources: dict[str, Any]) -> str:
    sources[source]  # KeyError for one that is not in the table
    return source


if __name__ == "__main__":
    main()
