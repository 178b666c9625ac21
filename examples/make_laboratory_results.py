"""Make results of a laboratory, of made-up persons, in three formats: CSV with its mapping, FHIR in NDJSON, and HL7 v2.

All three files tell the same results in the same order. A share of them is broken, each in one of many ways and at the
same place of every file; ``broken.tsv`` tells which. The same arguments make the same files.

    python make_laboratory_results.py OUT --count 10000 --broken 0.02 --seed 1
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import random
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

FAMILY = (
    "Lefèvre", "O'Connor", "d'Aboville", "Müller-Lüdenscheidt", "Núñez Álvarez", "Le Goff", "Œuvrard", "Strauß",
    "Øster", "Þórsdóttir", "Łukaszewska", "Dvořák", "Șerban", "Παπαδόπουλος", "Οικονόμου", "Nguyen",
    "Żółć-Ðorđević", "Y",
)  # fmt: skip
GIVEN = (
    "Zoé", "Jean-Pierre", "Marie Claire", "Ærinn", "Ελένη", "Γεώργιος", "José María", "Noël", "Wójciech", "Björk Ósk",
    "Chloë-Lou", "Anaïs", "D'Arcy", "Éa",
)  # fmt: skip
CENTRES = (
    "Laboratoire Dupont & Fils",
    "Biologie | Nord; site 2",
    "Hôpital «Cochin»",
    "Labo^Plus ~ Sud",
    'Centre "Est"',
)
MOLECULAR = (("94500-6", "Exemple qPCR 1"), ("94845-5", "Exemple qPCR \\ salive"))
ANTIGEN, DEVICES = "94558-4", ("1232", "1304", "2010")
JRC = "https://covid-19-diagnostics.jrc.ec.europa.eu/devices"
RESULTS = {"NEG": ("260415000", "Not detected"), "POS": ("260373001", "Detected"), "IND": ("419984006", "Inconclusive")}
ZONE = ZoneInfo("Europe/Paris")
MAPPING = """\
format = "csv"
kind = "test"
zone = "Europe/Paris"

[csv]
delimiter = ";"
multiline = false

[columns]
family_name = "Nom"
given_name = "Prénoms"
birth_date = "Naissance"
test_type = "Analyse"
sampled_at = ["Date", "Heure"]
result = "Résultat"
centre = "Laboratoire"
name = "Réactif"
device = "Dispositif"

[dates]
birth_date = ["DD/MM/YYYY", "MM/YYYY", "YYYY"]
sampled_at = "DD/MM/YYYY HH:mm:ss"

[systems]
test_type = "loinc"

[codes.result]
"local:NEG" = "260415000"
"local:POS" = "260373001"
"""
COLUMNS = (
    "Dossier", "Nom", "Prénoms", "Naissance", "Analyse", "Date", "Heure", "Résultat", "Laboratoire", "Réactif",
    "Dispositif",
)  # fmt: skip


@dataclass(frozen=True)
class Result:
    """One result. ``birth`` is year, month and day, as far as they are known; ``sampled`` is the time in Paris."""

    number: int
    family: str
    given: str
    birth: tuple[str, ...]
    test: str
    sampled: datetime
    result: str
    centre: str
    name: str
    device: str


def make_result(number: int, day: date, chance: random.Random) -> Result:
    """A result of one of the days before ``day``."""
    born = day - timedelta(days=chance.randrange(1, 36_000))
    known = chance.choices((3, 2, 1), (90, 5, 5))[0]
    hour = time(chance.randrange(7, 20), chance.randrange(60), chance.randrange(60))
    test, name = chance.choice(MOLECULAR)
    device = ""
    if chance.random() < 0.4:
        test, name, device = ANTIGEN, "", chance.choice(DEVICES)
    return Result(
        number=number,
        family=chance.choice(FAMILY) + chance.choice(("", "", "-" + chance.choice(FAMILY))),
        given=chance.choice(GIVEN),
        birth=tuple(f"{born:%Y-%m-%d}".split("-")[:known]),
        test=test,
        sampled=datetime.combine(day - timedelta(days=chance.randrange(1, 4)), hour, ZONE),
        result="POS" if chance.random() < 0.1 else "NEG",
        centre=chance.choice(CENTRES),
        name=name,
        device=device,
    )


def csv_cells(one: Result) -> list[str]:
    """The cells of a row, as a laboratory in France may write them."""
    return [
        f"D{one.number:06}", one.family, one.given, "/".join(reversed(one.birth)), one.test, f"{one.sampled:%d/%m/%Y}",
        f"{one.sampled:%H:%M:%S}", one.result, one.centre, one.name, one.device,
    ]  # fmt: skip


def csv_row(cells: list[str]) -> bytes:
    """A row of a table with semicolons."""
    text = io.StringIO()
    csv.writer(text, delimiter=";", lineterminator="\r\n").writerow(cells)
    return text.getvalue().encode()


def fhir_bundle(one: Result) -> dict[str, Any]:
    """A Bundle with the patient, the specimen, the laboratory, the test's device and the observation."""
    code, display = RESULTS[one.result]
    device: dict[str, Any] = {"resourceType": "Device", "id": "device"}
    if one.device:
        device["identifier"] = [{"system": JRC, "value": one.device}]
    if one.name:
        device["deviceName"] = [{"name": one.name, "type": "user-friendly-name"}]
    resources = [
        {
            "resourceType": "Patient",
            "id": "patient",
            "name": [{"use": "official", "family": one.family, "given": one.given.split(" ")}],
            "birthDate": "-".join(one.birth),
        },
        {
            "resourceType": "Specimen",
            "id": "specimen",
            "subject": {"reference": "Patient/patient"},
            "collection": {"collectedDateTime": one.sampled.isoformat()},
        },
        {"resourceType": "Organization", "id": "laboratory", "name": one.centre},
        device,
        {
            "resourceType": "Observation",
            "id": "result",
            "status": "final",
            "code": {"coding": [{"system": "http://loinc.org", "code": one.test}]},
            "subject": {"reference": "Patient/patient"},
            "performer": [{"reference": "Organization/laboratory"}],
            "specimen": {"reference": "Specimen/specimen"},
            "device": {"reference": "Device/device"},
            "valueCodeableConcept": {
                "coding": [{"system": "http://snomed.info/sct", "code": code, "display": display}]
            },
        },
    ]
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in resources]}


def fhir_line(bundle: Mapping[str, Any]) -> bytes:
    """A line of NDJSON."""
    return json.dumps(bundle, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def hl7_segments(one: Result) -> list[str]:
    """The segments of an ORU^R01 of version 2.5."""
    sampled, came = f"{one.sampled:%Y%m%d%H%M%S%z}", f"{one.sampled + timedelta(hours=4):%Y%m%d%H%M%S%z}"
    first, *others = one.given.split(" ")
    code, display = RESULTS[one.result]
    flag = one.result if one.result in ("NEG", "POS") else ""
    centre, name = hl7_text(one.centre), hl7_text(one.name)
    device = f"{one.device}^^{JRC}^URI" if one.device else ""
    return [
        rf"MSH|^~\&|LAB|EXEMPLE|AUTORITE|FRA|{came}||ORU^R01^ORU_R01|{one.number}|P|2.5^FRA|||||FRA|UNICODE UTF-8",
        f"PID|1||{one.number}^^^LAB^PI||{hl7_text(one.family)}^{first}^{' '.join(others)}^^^^L||{''.join(one.birth)}|U",
        f"ORC|RE||{one.number}",
        f"OBR|1||{one.number}|{one.test}^^LN|||{sampled}|||||||||||||||{came}|||F",
        f"OBX|1|CWE|{one.test}^^LN||{code}^{display}^SCT|||{flag}|||F||||||^{name}|{device}|||||{centre}",
        f"SPM|1|||258500001^Nasopharyngeal swab^SCT|||||||||||||{sampled}",
    ]


def hl7_text(text: str) -> str:
    """A text without separators."""
    escapes = {"\\": "\\E\\", "|": "\\F\\", "^": "\\S\\", "&": "\\T\\", "~": "\\R\\"}
    return "".join(escapes.get(letter, letter) for letter in text)


def hl7_block(segments: list[str]) -> bytes:
    """A message in a block of MLLP."""
    return b"\x0b" + "".join(f"{segment}\r" for segment in segments).encode() + b"\x1c\r"


Written = tuple[bytes, bytes, bytes]


def write(one: Result) -> Written:
    """The result in the three formats: a row, a line, and a message."""
    return csv_row(csv_cells(one)), fhir_line(fhir_bundle(one)), hl7_block(hl7_segments(one))


def main() -> int:
    """The program."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("folder", type=Path, metavar="OUT", help="where the files go; made where it is missing")
    parser.add_argument("--count", type=int, default=10_000, help="how many results")
    parser.add_argument("--broken", type=float, default=0.02, help="the share of them that is broken")
    parser.add_argument("--seed", type=int, default=1, help="another seed makes other persons")
    parser.add_argument(
        "--day", type=date.fromisoformat, default=date(2021, 11, 15), help="results are of the days before"
    )
    options = parser.parse_args()
    if not (options.count > 0 and 0 <= options.broken <= 1):
        parser.error("--count is at least 1, --broken from 0 to 1")
    chance = random.Random(options.seed)  # noqa: S311 (nothing here is to be kept secret)
    broken = set(chance.sample(range(1, options.count + 1), round(options.count * options.broken)))
    options.folder.mkdir(parents=True, exist_ok=True)
    faults = list(FAULTS)
    with (
        (options.folder / "results.csv").open("wb") as table,
        (options.folder / "results.ndjson").open("wb") as lines,
        (options.folder / "results.hl7").open("wb") as messages,
        (options.folder / "broken.tsv").open("w", encoding="utf-8") as manifest,
    ):
        table.write(csv_row([*COLUMNS]))
        manifest.write("number\tfault\n")
        for number in range(1, options.count + 1):
            one = make_result(number, options.day, chance)
            fault = faults[number % len(faults)] if number in broken else None
            written = write(one) if fault is None else FAULTS[fault](one)
            for file, data in zip((table, lines, messages), written, strict=True):
                file.write(data)
            if fault is not None:
                manifest.write(f"{number}\t{fault}\n")
    (options.folder / "mapping.toml").write_text(MAPPING, encoding="utf-8")
    print(f"{options.count} results, {len(broken)} of them broken, in {options.folder}")
    return 0


# --- What is broken, and how. Each fault breaks a result in all three formats. ---


def _changed(**changes: Any) -> Callable[[Result], Written]:
    """A result that says something else, in every format."""
    return lambda one: write(Result(**{**one.__dict__, **changes}))


def _cut(one: Result) -> Written:
    """The second half is missing."""
    _, line, block = write(one)
    return csv_row(csv_cells(one)[:6]), line[: len(line) // 2] + b"\n", block[: len(block) // 2]


def _other_bytes(one: Result) -> Written:
    """A name in another character set than the file's."""
    row, line, block = write(Result(**{**one.__dict__, "family": "Lef?vre"}))
    return (
        row.replace(b"Lef?vre", b"Lef\xe8vre"),
        line.replace(b"Lef?vre", b"Lef\xe8vre"),
        block.replace(b"f?v", b"f\xe8v"),
    )


def _nul(one: Result) -> Written:
    """A NUL in a name."""
    row, line, block = write(Result(**{**one.__dict__, "family": "Lef?vre"}))
    return row.replace(b"f?v", b"f\0v"), line.replace(b"f?v", b"f\0v"), block.replace(b"f?v", b"f\0v")


def _day_alone(one: Result) -> Written:
    """The day of the sample, and no time."""
    cells, bundle, segments = csv_cells(one), fhir_bundle(one), hl7_segments(one)
    cells[6] = ""
    bundle["entry"][1]["resource"]["collection"]["collectedDateTime"] = f"{one.sampled:%Y-%m-%d}"
    sampled = f"{one.sampled:%Y%m%d%H%M%S%z}"
    return csv_row(cells), fhir_line(bundle), hl7_block([text.replace(sampled, sampled[:8]) for text in segments])


def _no_such_time(one: Result) -> Written:
    """A time that clocks do not show."""
    cells, bundle, segments = csv_cells(one), fhir_bundle(one), hl7_segments(one)
    cells[6] = "25:61:00"
    bundle["entry"][1]["resource"]["collection"]["collectedDateTime"] = f"{one.sampled:%Y-%m-%d}T25:61:00+01:00"
    sampled = f"{one.sampled:%Y%m%d%H%M%S%z}"
    other = [text.replace(sampled, f"{sampled[:8]}256100{sampled[14:]}") for text in segments]
    return csv_row(cells), fhir_line(bundle), hl7_block(other)


def _no_time_zone(one: Result) -> Written:
    """A time without its zone; in the table, whose zone is known, an hour that the clocks left out."""
    cells, bundle, segments = csv_cells(one), fhir_bundle(one), hl7_segments(one)
    cells[5:7] = ["28/03/2021", "02:30:00"]
    bundle["entry"][1]["resource"]["collection"]["collectedDateTime"] = f"{one.sampled:%Y-%m-%dT%H:%M:%S}"
    return csv_row(cells), fhir_line(bundle), hl7_block([text.replace(f"{one.sampled:%z}", "") for text in segments])


def _not_final(one: Result) -> Written:
    """A preliminary result; the table has no place to say so, and has none yet."""
    cells, bundle, segments = csv_cells(one), fhir_bundle(one), hl7_segments(one)
    cells[7] = ""
    bundle["entry"][4]["resource"]["status"] = "preliminary"
    return csv_row(cells), fhir_line(bundle), hl7_block([text.replace("|||F|||||", "|||P|||||") for text in segments])


def _nobody(one: Result) -> Written:
    """A result without a person."""
    cells, bundle, segments = csv_cells(one), fhir_bundle(one), hl7_segments(one)
    cells[1:4] = ["", "", "?"]
    del bundle["entry"][0]
    return csv_row(cells), fhir_line(bundle), hl7_block([text for text in segments if not text.startswith("PID")])


def _no_name(one: Result) -> Written:
    """A person without a name that may be certified; the table's first cell has moved all others."""
    cells, bundle, segments = csv_cells(one), fhir_bundle(one), hl7_segments(one)
    bundle["entry"][0]["resource"]["name"][0]["use"] = "anonymous"
    return (
        csv_row(["", *cells[:-1]]),
        fhir_line(bundle),
        hl7_block([text.replace("^^^^L|", "^^^^S|") for text in segments]),
    )


def _no_such_form(one: Result) -> Written:
    """What is no row, no resource and no message."""
    cells, bundle, segments = csv_cells(one), fhir_bundle(one), hl7_segments(one)
    del bundle["resourceType"]
    return csv_row([*cells, "", ""]), fhir_line(bundle), hl7_block(segments[1:])


def _said_twice(one: Result) -> Written:
    """A quote that is not closed; a member that is there twice; two headers in one message."""
    row, line, _ = write(one)
    twice = line.replace(b'"status":"final"', b'"status":"preliminary","status":"final"')
    segments = hl7_segments(one)
    return row.replace(b";", b';"', 1), twice, hl7_block([segments[0], *segments])


def _contradicting(one: Result) -> Written:
    """A result and a flag that says otherwise; in the table, a word that is no result."""
    cells, bundle, segments = csv_cells(one), fhir_bundle(one), hl7_segments(one)
    cells[7] = "NEG/POS"
    flag = "NEG" if one.result == "POS" else "POS"
    system = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
    bundle["entry"][4]["resource"]["interpretation"] = [{"coding": [{"system": system, "code": flag}]}]
    other = [text.replace(f"|||{one.result}|||F", f"|||{flag}|||F") for text in segments]
    return csv_row(cells), fhir_line(bundle), hl7_block(other)


FAULTS: Mapping[str, Callable[[Result], Written]] = {
    "no such day of birth": _changed(birth=("1984", "02", "30")),
    "another test": _changed(test="2345-7"),
    "no clear result": _changed(result="IND"),
    "cut off": _cut,
    "another character set": _other_bytes,
    "a NUL": _nul,
    "a day and no time": _day_alone,
    "no such time": _no_such_time,
    "no time zone": _no_time_zone,
    "not final": _not_final,
    "nobody": _nobody,
    "no name": _no_name,
    "no such form": _no_such_form,
    "said twice": _said_twice,
    "contradicting": _contradicting,
}

if __name__ == "__main__":
    sys.exit(main())
