"""Makes src/healthcert/data/value_sets.json from the published EU DCC value sets.

    python tools/make_value_sets.py ../shared/interop/valuesets/eu-dcc-valuesets

Only facts are taken over: codes, names, code systems, whether a code is active, and which codes belong to one
product. The release and commit below
are those of the folder's source; change them together with the data.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

SOURCE = {
    "repository": "ehn-dcc-development/eu-dcc-valuesets",
    "commit": "60ea3d8",
    "release": "2.12.0",
    "licence": "Apache-2.0",
}
# The field of the payload, and the file of its value set.
FILES = {
    "tg": "disease-agent-targeted",
    "vp": "vaccine-prophylaxis",
    "mp": "vaccine-medicinal-product",
    "v.ma": "vaccine-mah-manf",
    "tt": "test-type",
    "tr": "test-result",
    "t.ma": "test-manf-example",
    "co": "country-2-codes",
}
INSTRUCTIONS = "vaccine-encoding-instructions"
TARGET = Path(__file__).parent.parent / "src/healthcert/data/value_sets.json"


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    folder = Path(sys.argv[1])
    sets = {}
    for field, name in FILES.items():
        published = json.loads((folder / f"{name}.json").read_text("utf-8"))
        sets[field] = {
            "id": published["valueSetId"],
            "date": published["valueSetDate"],
            "codes": {
                code: {"display": value["display"], "system": value["system"], "active": value["active"]}
                for code, value in sorted(published["valueSetValues"].items())
            },
        }
    instructions = json.loads((folder / f"{INSTRUCTIONS}.json").read_text("utf-8"))
    products = {
        value["vaccine-code"].removesuffix(" (deprecated)"): {
            "name": name,
            "manufacturer": value["vaccine-manufacturer"],
            "vaccines": value["sct-codes"],
        }
        for name, value in sorted(instructions["valueSetValues"].items())
    }
    made = {
        "source": SOURCE,
        "sets": sets,
        "instructions": {
            "id": instructions["valueSetId"], "date": instructions["valueSetDate"], "products": products,
        },
    }  # fmt: skip
    text = json.dumps(made, ensure_ascii=False, indent=1, sort_keys=False)
    TARGET.write_text(text + "\n", encoding="utf-8")
    print(f"{TARGET.name}: {sum(len(entry['codes']) for entry in sets.values())} codes, {len(products)} products")


if __name__ == "__main__":
    main()
