"""Measures the intake: foreign records to holders and events, on one core, beside the bare parsing of the same bytes.

``python -m bench.intake [FORMAT ...]`` prints, for each format, how many records a second are read, what is asked, and
how often the library that parses would have read them in that time.
"""

from __future__ import annotations

import csv
import io
import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from healthcert.intake.mapping import read_mapping
from healthcert.intake.reading import RecordFormat, Row
from healthcert.intake.records import IntakeOptions, read_records

RECORDS = 20_000
TURNS = 5

MAPPING = """
kind = "test"
zone = "Europe/Paris"
[csv]
delimiter = ";"
encoding = "cp1252"
[columns]
family_name = "Nom"
given_name = "Prénom"
birth_date = "Naissance"
test_type = "Analyse"
sampled_at = ["Date", "Heure"]
result = "Résultat"
centre = "Laboratoire"
name = "Réactif"
[constants]
country = "FR"
issuer = "CNAM"
[dates]
birth_date = "DD/MM/YYYY"
sampled_at = "DD/MM/YYYY HH:mm:ss"
[systems]
test_type = "loinc"
[codes.result]
"local:NEG" = "260415000"
"local:POS" = "260373001"
"""
HEADER = "Dossier;Nom;Prénom;Naissance;Sexe;Analyse;Date;Heure;Résultat;Laboratoire;Réactif"


def main(names: Sequence[str] = ()) -> None:
    for name in names or MEASURES:
        MEASURES[name]()


def measure_csv() -> None:
    rows = [
        f"D{n};Exemplaire-{n};Zoé;{1 + n % 28:02}/{1 + n % 12:02}/{1930 + n % 90};F;"
        f"{('94500-6', '94845-5', '94558-4')[n % 3]};"
        f"{1 + n % 2:02}/07/2021;{n // 3600 % 24:02}:{n // 60 % 60:02}:{n % 60:02};{'POS' if n % 10 == 0 else 'NEG'};"
        f"Laboratoire Dupont;Exemple qPCR {n % 7}"
        for n in range(RECORDS)
    ]
    data = "\r\n".join([HEADER, *rows, ""]).encode("cp1252")
    options = IntakeOptions(format=RecordFormat.CSV, mapping=read_mapping(MAPPING.encode()))

    def bare() -> int:
        return sum(1 for _ in csv.reader(io.TextIOWrapper(io.BytesIO(data), "cp1252", newline=""), delimiter=";"))

    report("csv", data, options, 20_000, bare)


def measure_jsonl() -> None:
    records: list[dict[str, Any]] = [
        {
            "type": "test",
            "family_name": f"Exemplaire-{n}",
            "given_name": "Zoé",
            "birth_date": f"1964-08-{1 + n % 28:02}",
            "test_type": "LP6464-4",
            "sampled_at": f"2021-07-{1 + n % 28:02}T{n % 24:02}:{n % 60:02}:00+02:00",
            "result": "260415000",
            "centre": "Laboratoire Dupont",
            "country": "FR",
            "issuer": "CNAM",
        }
        for n in range(RECORDS)
    ]
    lines = [json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode() for record in records]
    data = b"\n".join(lines)
    report("jsonl", data, IntakeOptions(format=RecordFormat.JSONL), 20_000, lambda: [*map(json.loads, lines)])


def measure_hl7v2() -> None:
    """Messages of one result each, beside the bare splitting of hl7; and how far hl7apy comes with some of them."""
    import hl7  # type: ignore[import-untyped]
    from hl7apy.parser import parse_message  # type: ignore[import-untyped]

    messages = [_oru(n) for n in range(RECORDS // 4)]
    data = b"".join(b"\x0b" + one.encode() + b"\x1c\r" for one in messages)
    options = IntakeOptions(format=RecordFormat.HL7V2)
    some = messages[:50]
    theirs = statistics.median(_clocked(lambda: [*map(parse_message, some)]) for _ in range(TURNS))
    report("hl7v2", data, options, None, lambda: [*map(hl7.parse, messages)], len(messages))
    print(f"{'':8} {len(some) / theirs:9,.0f} of the same messages a second in hl7apy, which makes no rows of them")


def _oru(n: int) -> str:
    day, moment = f"202107{1 + n % 28:02}", f"{n % 24:02}{n % 60:02}00"
    segments = (
        rf"MSH|^~\&|LAB|CHU|AUTH|GOUV|{day}230000+0200||ORU^R01^ORU_R01|{n}|P|2.5^FRA|||||FRA|UNICODE UTF-8",
        f"PID|1||{n:08}^^^CHU&2.999.1&ISO^PI||Exemplaire-{n}^Zoé^Anaïs^^^^L||{1930 + n % 90}0812|F{'|' * 24}PROV",
        "PV1|1|O",
        f"ORC|RE|{n}|{n}",
        f"OBR|1|{n}|{n}|94500-6^SARS-CoV-2 RNA^LN|||{day}{moment}+0200|||||||||||||||{day}230000+0200|||F",
        "OBX|1|CWE|94500-6^SARS-CoV-2 RNA^LN||260415000^Not detected^SCT|||NEG|||F||||||^Exemple qPCR||||||Laboratoire",
        f"SPM|1|||258500001^Nasopharyngeal swab^SCT|||||||||||||{day}{moment}+0200",
    )
    return "".join(f"{segment}\r" for segment in segments)


def report(
    name: str, data: bytes, options: IntakeOptions, asked: int | None, bare: Callable[[], object], count: int = RECORDS
) -> None:
    """Prints the rate of a format over a file of ``count`` records, all of which must be good."""

    def ours() -> int:
        return sum(isinstance(row, Row) for row in read_records(io.BytesIO(data), options))

    found = ours()
    assert found == count, f"{name}: {found} of {count} records were read"
    pairs = [(_clocked(bare), _clocked(ours)) for _ in range(TURNS)]
    theirs, mine = (statistics.median(side) for side in zip(*pairs, strict=True))
    print(
        f"{name:8} {count / mine:9,.0f} records a second{'' if asked is None else f' (asked: {asked:,})'}, "
        f"{mine / theirs:.1f} times the parsing alone ({count / theirs:,.0f} a second)"
    )


def _clocked(call: Callable[[], object]) -> float:
    """Seconds of one core: what other programs take is not in it."""
    start = time.process_time()
    call()
    return time.process_time() - start


def measure_fhir() -> None:
    """NDJSON as a bulk export has it, a file of Bundles, and both beside the same resources in fhir.resources."""
    from fhir.resources.R4B.observation import Observation
    from fhir.resources.R4B.patient import Patient

    patients, observations = [_patient(n) for n in range(RECORDS)], [_observation(n) for n in range(RECORDS)]
    several = [
        json.dumps(one, ensure_ascii=False, separators=(",", ":")).encode() for one in (*patients, *observations)
    ]
    some = several[: RECORDS // 20], several[RECORDS : RECORDS + RECORDS // 20]

    def peer() -> None:
        for patient, observation in zip(*some, strict=True):
            Patient.model_validate_json(patient)
            Observation.model_validate_json(observation)

    options = IntakeOptions(format=RecordFormat.FHIR)
    report("fhir", b"\n".join(several), options, 5_000, lambda: [*map(json.loads, several)])
    pairs = zip(patients, observations, strict=True)
    bundles = [
        {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in pair]} for pair in pairs
    ]
    lines = [json.dumps(one).encode() for one in bundles]
    report("fhir", b"\n".join(lines), options, 5_000, lambda: [*map(json.loads, lines)])
    rate = len(some[0]) / statistics.median(_clocked(peer) for _ in range(TURNS))
    print(f"{'':8} {rate:9,.0f} of the same records a second in fhir.resources, which makes no rows of them")


def _patient(n: int) -> dict[str, Any]:
    return {
        "resourceType": "Patient",
        "id": f"p{n}",
        "identifier": [{"system": "urn:oid:2.999.1", "value": f"{n:08}"}],
        "name": [{"use": "official", "family": f"Exemplaire-{n}", "given": ["Zoé", "Anaïs"]}],
        "gender": "female",
        "birthDate": f"{1930 + n % 90}-{1 + n % 12:02}-{1 + n % 28:02}",
    }


def _observation(n: int) -> dict[str, Any]:
    category = "http://terminology.hl7.org/CodeSystem/observation-category"
    return {
        "resourceType": "Observation",
        "id": f"o{n}",
        "status": "final",
        "category": [{"coding": [{"system": category, "code": "laboratory"}]}],
        "code": {"coding": [{"system": "http://loinc.org", "code": ("94500-6", "94845-5", "94558-4")[n % 3]}]},
        "subject": {"reference": f"Patient/p{n}"},
        "effectiveDateTime": f"2021-07-{1 + n % 28:02}T{n % 24:02}:{n % 60:02}:00+02:00",
        "issued": f"2021-07-{1 + n % 28:02}T23:00:00+02:00",
        "performer": [{"reference": "Organization/1", "display": "Laboratoire Dupont"}],
        "valueCodeableConcept": {"coding": [{"system": "http://snomed.info/sct", "code": "260415000"}]},
    }


MEASURES: dict[str, Callable[[], None]] = {
    "csv": measure_csv,
    "jsonl": measure_jsonl,
    "fhir": measure_fhir,
    "hl7v2": measure_hl7v2,
}


if __name__ == "__main__":
    main(sys.argv[1:])
