"""Makes test_vectors/cases and test_vectors/keys.

    python -m tools.make_vectors

What it writes is the same in every run and on every machine; cases that are no longer made are removed. The README
and the schema beside the cases are written by hand.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from tools.vectors import (
    content,
    cose,
    cwt,
    ddcc_times,
    families_divoc_archive,
    families_divoc_content,
    families_divoc_proof,
    families_divoc_said,
    families_nzcp,
    families_nzcp_content,
    families_refused,
    families_shc,
    families_shc_claims,
    families_shc_content,
    families_shc_documents,
    families_shc_events,
    families_shc_revocation,
    families_shc_tests,
    families_twoddoc,
    families_twoddoc_content,
    families_vds,
    families_vds_content,
    families_vds_signature,
    families_vds_trust,
    keys,
    lists,
    national,
    public_suite,
    quirks,
    revocation,
    rules,
    signatures,
    trust,
    who,
    wire,
)
from tools.vectors.case import Case

TARGET = Path(__file__).resolve().parent.parent / "test_vectors"
_MODULES = (
    public_suite,
    wire,
    cose,
    cwt,
    trust,
    signatures,
    content,
    quirks,
    who,
    ddcc_times,
    national,
    lists,
    revocation,
    rules,
    families_shc,
    families_shc_claims,
    families_shc_content,
    families_shc_events,
    families_shc_tests,
    families_shc_documents,
    families_shc_revocation,
    families_nzcp,
    families_nzcp_content,
    families_vds,
    families_vds_signature,
    families_vds_trust,
    families_vds_content,
    families_divoc_proof,
    families_divoc_archive,
    families_divoc_content,
    families_divoc_said,
    families_twoddoc,
    families_twoddoc_content,
    families_refused,
)


def all_cases() -> list[Case]:
    """Every case, in the order of the layers."""
    return [case for module in _MODULES for case in module.cases()]


def files() -> dict[str, bytes]:
    """Every file that is made, by its path below ``test_vectors``."""
    made: dict[str, bytes] = {}
    for case in all_cases():
        folder = f"cases/{case.id}"
        if f"{folder}/case.json" in made:
            raise ValueError(f"two cases are called {case.id}")
        made[f"{folder}/case.json"] = _json(case.to_dict())
        if case.picture is not None:
            made[f"{folder}/code.png"] = case.picture
    entries = [keys.key(name) for name in keys.NAMES]
    made |= {f"keys/{entry.name}.pem": entry.pem.encode() for entry in entries}
    made["keys/keys.json"] = _json(
        {
            entry.name: {
                "file": f"{entry.name}.pem",
                "holds": "certificate" if entry.is_certificate else "public keys",
                "kid": entry.kid.hex(),
                "about": entry.about,
            }
            | ({} if entry.kid_text is None else {"kid_text": entry.kid_text})
            | ({} if entry.domain is None else {"domain": entry.domain})
            | ({} if entry.issuer is None else {"issuer": entry.issuer})
            | ({"list": dict(entry.listed)} if entry.listed else {})
            for entry in entries
        }
    )
    return made


def _json(value: object) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode()


def main() -> None:
    """Writes the files."""
    made = files()
    shutil.rmtree(TARGET / "cases", ignore_errors=True)
    for path, data in made.items():
        (TARGET / path).parent.mkdir(parents=True, exist_ok=True)
        (TARGET / path).write_bytes(data)
    print(f"{sum(path.endswith('case.json') for path in made)} cases, {len(keys.NAMES)} keys and certificates")


if __name__ == "__main__":
    main()
