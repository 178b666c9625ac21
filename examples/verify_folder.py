"""For a door: verify every picture and text file that a scanner drops into a folder.

Prints one line of JSON for each certificate, without personal data: the file, the verdict, the code and the step.
The exit code is that of ``healthcert verify``: 0 when all were accepted, 1 when one was refused, 3 when one could
not be determined, 2 for wrong usage, 4 when the trust store cannot be used.

    python verify_folder.py trust.db scans/
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import healthcert as hc

PICTURES = frozenset((".png", ".jpg", ".jpeg", ".gif", ".bmp", ".webp", ".tif", ".tiff"))
MOST_BYTES = 1_000_000


def texts_in(file: Path) -> Iterator[str]:
    """The certificates of a picture, a JSON document, or a text file with one a line. Spaces in a line count."""
    if file.suffix.lower() in PICTURES:
        texts = hc.read_barcodes(file)
        if not texts:
            raise hc.DecodeError(hc.Code.NO_BARCODE_FOUND, "no code in this picture")
        yield from texts
    else:
        with file.open("rb") as stream:
            data = stream.read(MOST_BYTES + 1)
        if len(data) > MOST_BYTES:
            raise hc.DecodeError(hc.Code.INPUT_TOO_LONG, "a text file that is too large")
        text = data.decode("utf-8", "replace").replace("\r", "")
        # A file of SMART Health Cards is one document: the report on it is about the worst card in it.
        yield from [text] if text.lstrip()[:1] in ("{", "[") else filter(None, text.split("\n"))


def verdicts(verifier: hc.Verifier, folder: Path) -> Iterator[tuple[str, hc.Outcome, hc.Code, hc.Step | None]]:
    """File, outcome, code and step for every certificate of the folder. What cannot be read is refused."""
    for file in sorted(path for path in folder.iterdir() if path.is_file()):
        try:
            for report in verifier.examine_many(texts_in(file)):
                yield file.name, report.outcome, report.code, report.step
        except hc.DecodeError as error:
            yield file.name, hc.Outcome.REFUSED, error.code, error.step
        except OSError:
            yield file.name, hc.Outcome.REFUSED, hc.Code.TEXT_UNREADABLE, None


def main(store: Path, folder: Path) -> int:
    try:
        trust = hc.TrustStore.from_path(store)
    except hc.TrustError as error:
        print(error, file=sys.stderr)
        return 4
    seen = set()
    for name, outcome, code, step in verdicts(hc.Verifier(trust), folder):
        print(json.dumps({"file": name, "outcome": outcome, "code": code, "step": step}), flush=True)
        seen.add(outcome)
    if hc.Outcome.REFUSED in seen:
        return 1
    return 3 if hc.Outcome.UNDETERMINED in seen else 0


if __name__ == "__main__":
    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
