"""The intake: foreign records to holders and events, on one core, beside the bare parsing of the same bytes.

The lines tell, for each format, how many records a second are read, and how often the library that parses would have
read them in that time. Only the processor's time counts.
"""

from __future__ import annotations

import csv
import io
import json
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

from bench.lines import RATE, Line, MissingError, Settings
from bench.progress import say
from bench.timing import Spread, line
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


def lines(settings: Settings) -> Iterator[Line]:
    """Every format."""
    for name, measure in MEASURES.items():
        say(f"records in {name}")
        yield from measure(settings)


def measure_csv(settings: Settings) -> Iterator[Line]:
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

    yield report("csv", data, options, settings, asked=20_000, bare=bare)


def measure_jsonl(settings: Settings) -> Iterator[Line]:
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
    options = IntakeOptions(format=RecordFormat.JSONL)
    yield report("jsonl", data, options, settings, asked=20_000, bare=lambda: [*map(json.loads, lines)])


def measure_hl7v2(settings: Settings) -> Iterator[Line]:
    """Messages of one result each, beside the bare splitting of hl7; and how far hl7apy comes with some of them."""
    try:
        import hl7  # type: ignore[import-untyped]
        from hl7apy.parser import parse_message  # type: ignore[import-untyped]
    except ImportError as error:
        raise MissingError(f"{error.name} is not installed") from None

    messages = [_oru(n) for n in range(RECORDS // 4)]
    data = b"".join(b"\x0b" + one.encode() + b"\x1c\r" for one in messages)
    options = IntakeOptions(format=RecordFormat.HL7V2)
    some = messages[:50]
    yield report("hl7v2", data, options, settings, bare=lambda: [*map(hl7.parse, messages)], count=len(messages))
    yield peer("... hl7apy, which makes no rows of them", lambda: [*map(parse_message, some)], len(some), settings)


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
    name: str,
    data: bytes,
    options: IntakeOptions,
    settings: Settings,
    *,
    bare: Callable[[], object],
    count: int = RECORDS,
    asked: int | None = None,
) -> Line:
    """The rate of a format over a file of ``count`` records, all of which must be good."""

    def ours() -> int:
        return sum(isinstance(row, Row) for row in read_records(io.BytesIO(data), options))

    found = ours()
    assert found == count, f"{name}: {found} of {count} records were read"
    pairs = [(_clocked(ours), _clocked(bare)) for _ in range(settings.turns(TURNS))]
    times = statistics.median(mine / theirs for mine, theirs in pairs)
    rates = Spread.of([count / mine for mine, _ in pairs])
    return line(
        f"intake: {name}, records", rates, asked=asked, unit=RATE, detail=f"{times:.1f} times the parsing alone"
    )  # fmt: skip


def peer(name: str, theirs: Callable[[], object], count: int, settings: Settings) -> Line:
    """The rate of another library over the same records."""
    return line(name, Spread.of([count / _clocked(theirs) for _ in range(settings.turns(TURNS))]), unit=RATE)


def _clocked(call: Callable[[], object]) -> float:
    """Seconds of one core: what other programs take is not in it."""
    start = time.process_time()
    call()
    return time.process_time() - start


def measure_fhir(settings: Settings) -> Iterator[Line]:
    """NDJSON as a bulk export has it, a file of Bundles, and both beside the same resources in fhir.resources."""
    try:
        from fhir.resources.R4B.observation import Observation
        from fhir.resources.R4B.patient import Patient
    except ImportError as error:
        raise MissingError(f"{error.name} is not installed") from None

    patients, observations = [_patient(n) for n in range(RECORDS)], [_observation(n) for n in range(RECORDS)]
    several = [
        json.dumps(one, ensure_ascii=False, separators=(",", ":")).encode() for one in (*patients, *observations)
    ]
    some = several[: RECORDS // 20], several[RECORDS : RECORDS + RECORDS // 20]

    def theirs() -> None:
        for patient, observation in zip(*some, strict=True):
            Patient.model_validate_json(patient)
            Observation.model_validate_json(observation)

    options = IntakeOptions(format=RecordFormat.FHIR)
    ndjson = b"\n".join(several)
    yield report("fhir", ndjson, options, settings, asked=5_000, bare=lambda: [*map(json.loads, several)])
    pairs = zip(patients, observations, strict=True)
    bundles = [
        {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in pair]} for pair in pairs
    ]
    lines = [json.dumps(one).encode() for one in bundles]
    several_lines = b"\n".join(lines)
    yield report(
        "fhir, Bundles", several_lines, options, settings, asked=5_000, bare=lambda: [*map(json.loads, lines)]
    )  # fmt: skip
    yield peer("... fhir.resources, which makes no rows of them", theirs, len(some[0]), settings)


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


MEASURES: dict[str, Callable[[Settings], Iterator[Line]]] = {
    "csv": measure_csv,
    "jsonl": measure_jsonl,
    "fhir": measure_fhir,
    "hl7v2": measure_hl7v2,
}
