"""A mapping file is checked whole, and what is wrong with it is told by its key."""

from __future__ import annotations

import contextlib
import pickle
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import healthcert as hc
from healthcert.codings import CVX, NAAT
from healthcert.intake.codes import SHIPPED
from healthcert.intake.mapping import RecordMapping, load_mapping, read_mapping
from healthcert.model import Coding

WHOLE = """
format = "csv"
kind = {column = "Type", values = {PCR = "test", Vaccin = "vaccination"}}
zone = "Europe/Paris"
ambiguous = "earlier"

[csv]
delimiter = ";"
quote = "'"
encoding = "latin1"
multiline = false

[columns]
family_name = "Nom"
given_name = 3
sampled_at = ["Date", "Heure"]

[constants]
country = "FR"

[dates]
birth_date = ["DD/MM/YYYY", "YYYY"]
sampled_at = "DD/MM/YYYY HH:mm"

[systems]
test_type = "loinc"
vaccine = "http://lab.example/vaccines"

[codes.vaccine]
"local:PFZ" = "Comirnaty"
"http://lab.example/vaccines|9" = "EU/1/20/1507"
"cvx:211" = "EU/1/21/1618"

[codes.result]
"local:NEG" = "260415000"
"""


def test_a_whole_mapping() -> None:
    mapping = read_mapping(WHOLE.encode())
    assert mapping.columns == {"family_name": ("Nom",), "given_name": (3,), "sampled_at": ("Date", "Heure")}
    assert mapping.table.quote == "'"
    assert [pattern.text for pattern in mapping.dates["birth_date"]] == ["DD/MM/YYYY", "YYYY"]
    assert mapping.systems["vaccine"] == "http://lab.example/vaccines"
    for one, product in (
        (Coding("", "PFZ"), "EU/1/20/1528"),
        (Coding("http://lab.example/vaccines", "9"), "EU/1/20/1507"),
        (Coding(CVX, "211"), "EU/1/21/1618"),
    ):
        assert mapping.codes.vaccine_of([one]).product.code == product
    assert str(mapping.zone) == "Europe/Paris"


def test_an_empty_mapping_is_the_usual_one() -> None:
    mapping = read_mapping(b"")
    assert mapping == RecordMapping()
    assert mapping.codes is SHIPPED


def test_a_mapping_goes_to_another_process() -> None:
    mapping = pickle.loads(pickle.dumps(read_mapping(WHOLE.encode())))
    assert mapping.codes.vaccine_of([Coding("", "PFZ")]).product.code == "EU/1/20/1528"
    assert mapping.codes.test_type_of([NAAT]) == NAAT


def test_a_file(tmp_path: Path) -> None:
    path = tmp_path / "lab.toml"
    path.write_text(WHOLE, encoding="utf-8")
    assert load_mapping(path).constants == {"country": "FR"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("kind = 'exemption'", "kind: records can be taken in of: vaccination, test, recovery"),
        ("kind = {column = 'T', values = {a = 'exemption'}}", "kind: records can be taken in of"),
        ("kind = 'party'", "Invalid enum value 'party' - at `$.kind`"),
        ("kind = {column = 'T'}", "missing required field `values` - at `$.kind`"),
        ("colums = {}", "unknown field `colums`"),
        ("[csv]\nsep = ';'", "unknown field `sep` - at `$.csv`"),
        ("[csv]\ndelimiter = ';;'", "at `$.csv.delimiter`"),
        ("[csv]\ndelimiter = '\"'", "csv.delimiter: "),
        ("[csv]\ndelimiter = 'x'", "csv.delimiter: "),
        ("[csv]\nquote = ' '", "csv.delimiter: "),
        ("[csv]\nquote = '«'", "csv.delimiter: "),
        ("[csv]\nencoding = 'utf-16'", "csv.encoding: one of: utf-8, "),
        ("[csv]\nencoding = 'rot13'", "csv.encoding: "),
        ("[csv]\nencoding = 'a\\u0000b'", "csv.encoding: "),
        ("[csv]\nheader = false", "csv.cells: "),
        ("[csv]\ncells = 3", "csv.cells: "),
        ("[csv]\nheader = false\ncells = 3", "columns: they are told by number"),
        ("[csv]\nheader = false\ncells = 3\n[columns]\ndate = 4", "columns.date: a number from 1 to 3"),
        ("[csv]\nheader = false\ncells = 3\n[columns]\ndate = 'D'", "columns.date: a number from 1 to 3"),
        ("[columns]\nfamliy_name = 'Nom'", "columns.famliy_name: no such field here"),
        ("kind = 'test'\n[columns]\ndose = 'D'", "columns.dose: no such field here"),
        ("[columns]\ndate = 0", "at `$.columns[...]`"),
        ("[columns]\ndate = []", "columns.date: names no column"),
        ("[columns]\ndate = true", "at `$.columns[...]`"),
        ("[columns]\ndate = 'D'\n[constants]\ndate = '2021-01-01'", "constants.date: it has a column already"),
        ("[constants]\nwhat = 'x'", "constants.what: no such field here"),
        ("[constants]\ndose = 2", "Expected `str`, got `int`"),
        ("[dates]\nname = 'YYYY'", "dates.name: no such field here"),
        ("[dates]\ndate = 'YYYY'", "dates.date: it needs the day"),
        ("[dates]\ndate = 'DD/MM/YY'", "dates.date: parts are"),
        ("[dates]\ndate = []", "dates.date: names no pattern"),
        ("zone = 'Mars/Olympus'", "zone: no time zone of this name"),
        ("zone = '../etc/passwd'", "zone: no time zone of this name"),
        ("zone = 'Europe'", "zone: no time zone of this name"),
        ("ambiguous = 'later'", "ambiguous: it says nothing without a zone"),
        ("[systems]\ndevice = 'cvx'", "systems.device: no such field here"),
        ("[systems]\nvaccine = 'cxv'", "systems.vaccine: a URI, or one of: "),
        ("[codes.vaccine]\n'local:PFZ' = 'Comirnatty'", "codes.vaccine.'local:PFZ': 'Comirnatty' is no code"),
        ("[codes.vaccine]\n'PFZ' = 'Comirnaty'", "codes.vaccine.'PFZ': system and code as"),
        ("[codes.vaccine]\n'cvx:' = 'Comirnaty'", "codes.vaccine.'cvx:': system and code as"),
        ("[codes.vaccine]\n'x|1' = 'Comirnaty'", "codes.vaccine.'x|1': a URI, or one of"),
        ("[codes.vaccine]\n'cvx:207' = 'Comirnaty'", "codes.vaccine.'cvx:207': the library's table says otherwise"),
        ("[codes.vaccine]\n'cvx:88' = 'Comirnaty'", "codes.vaccine.'cvx:88': the library's table says otherwise"),
        ("[codes.result]\n'snomed:260415000' = '260373001'", "codes.result.'snomed:260415000': the library's table"),
        ("[codes.result]\n'local:positive' = '260415000'", "codes.result.'local:positive': the library's table"),
        ("[codes.result]\n'snomed:1' = 'negative'", "codes.result.'snomed:1': 'negative' is no code"),
        ("[codes.test_type]\n'loinc:94558-4' = 'LP6464-4'", "the library's table says otherwise"),
        ("[codes.disease]\n'local:FLU' = '6142004'", "is no code of the EU's value set"),
        ("[codes.device]\n'local:1' = '1232'", "unknown field `device` - at `$.codes`"),
        ("kind", "not TOML: "),
        ("a = " + "9" * 5000, "not TOML that can be read"),
    ],
)
def test_what_is_wrong_is_told_by_its_key(text: str, said: str) -> None:
    with pytest.raises(hc.IssueError) as caught:
        read_mapping(text.encode())
    assert (caught.value.code, caught.value.step) == ("MAPPING_INVALID", "content")
    assert said in caught.value.detail


def test_no_text() -> None:
    with pytest.raises(hc.IssueError, match="not UTF-8"):
        read_mapping(b"zone = '\xff'")


@given(st.text(max_size=200) | st.sampled_from(WHOLE.splitlines()))
def test_any_text_is_a_mapping_or_invalid(text: str) -> None:
    with contextlib.suppress(hc.IssueError):
        assert isinstance(read_mapping(text.encode("utf-8", "surrogatepass")), RecordMapping)
