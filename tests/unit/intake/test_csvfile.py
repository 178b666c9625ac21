"""Tables: what a mapping makes of them, and every row of them a row or a rejected row."""

from __future__ import annotations

import io
from datetime import date
from typing import Any

import pytest

import healthcert as hc
from healthcert.codings import DETECTED, NAAT, NOT_DETECTED, RAPID_ANTIGEN
from healthcert.intake.csvfile import read_csv
from healthcert.intake.mapping import read_mapping
from healthcert.intake.reading import RejectedRow, Row, Rows
from healthcert.intake.records import IntakeOptions
from healthcert.limits import Limits

TESTS = """
kind = "test"
zone = "Europe/Paris"
[csv]
delimiter = ";"
[columns]
family_name = "Nom"
given_name = "Prénom"
birth_date = "Naissance"
test_type = "Analyse"
sampled_at = ["Date", "Heure"]
result = "Résultat"
[constants]
issuer = "CNAM"
[dates]
birth_date = ["DD/MM/YYYY", "MM/YYYY"]
sampled_at = "DD/MM/YYYY HH:mm"
[systems]
test_type = "loinc"
[codes.result]
"local:NEG" = "260415000"
"""
HEAD = "Nom;Prénom;Naissance;Sexe;Analyse;Date;Heure;Résultat"
GOOD = "Exemplaire;Zoé;29/02/1984;F;94500-6;20/08/2021;10:03;NEG"
POSITIVE = "Müller;Léa;08/1964;F;94558-4;21/08/2021;11:04;positive"


def read(text: str | bytes, mapping: str = TESTS, **options: Any) -> list[Row | RejectedRow]:
    data = text if isinstance(text, bytes) else text.encode()
    return [*rows(data, mapping, **options)]


def rows(data: bytes, mapping: str = TESTS, **options: Any) -> Rows:
    return read_csv(io.BytesIO(data), IntakeOptions(mapping=read_mapping(mapping.encode()), **options))


def table(*lines: str, head: str = HEAD, end: str = "\r\n") -> str:
    return end.join([head, *lines, ""])


def told(found: list[Row | RejectedRow]) -> list[Any]:
    """The number of each row; of a rejected one with its code."""
    return [row.number if isinstance(row, Row) else (row.number, str(row.error.code)) for row in found]


def the_only(found: list[Row | RejectedRow]) -> Row:
    (row,) = found
    assert isinstance(row, Row), row.error
    return row


def reason(found: list[Row | RejectedRow]) -> str:
    (row,) = found
    assert isinstance(row, RejectedRow)
    return row.error.detail


# --- What comes out ---


def test_results_of_a_laboratory() -> None:
    first, second = read(table(GOOD, POSITIVE))
    assert isinstance(first, Row)
    assert isinstance(second, Row)
    assert first.holder == hc.Holder(family_name="Exemplaire", given_name="Zoé", birth_date="1984-02-29")
    assert isinstance(first.event, hc.TestResult)
    assert (first.event.test_type, first.event.result) == (NAAT, NOT_DETECTED)
    assert first.event.sampled_at is not None
    assert first.event.sampled_at.isoformat() == "2021-08-20T10:03:00+02:00"
    assert (first.event.issuer, first.event.country) == ("CNAM", None)
    assert isinstance(second.event, hc.TestResult)
    assert second.holder.birth_date == "1964-08"
    assert (second.event.test_type, second.event.result) == (RAPID_ANTIGEN, DETECTED)
    assert told([first, second]) == [2, 3]


DOSES = """
kind = "vaccination"
[columns]
family_name = "name"
birth_date = "born"
vaccine = "cvx"
manufacturer = "mvx"
dose = "dose"
series = "of"
date = "day"
[systems]
vaccine = "cvx"
manufacturer = "mvx"
"""
DOSE_HEAD = "name,born,cvx,mvx,dose,of,day"


def test_doses_in_foreign_codes() -> None:
    row = the_only(read(table("Exemplaire,1984,218,PFR,2,2,2021-06-11", head=DOSE_HEAD), DOSES))
    assert isinstance(row.event, hc.Vaccination)
    event = row.event
    assert [one and one.code for one in (event.product, event.vaccine, event.manufacturer, event.disease)] == [
        "EU/1/20/1528", "1119349007", "ORG-100030215", "840539006",
    ]  # fmt: skip
    assert (event.dose, event.series, event.date) == (2, 2, date(2021, 6, 11))


@pytest.mark.parametrize(
    ("codes", "said"),
    [
        ("88,PFR", "vaccine: cvx:88: not in the tables"),
        ("211,", "vaccine: cvx:211 may be "),
        ("208,MOD", "vaccine: cvx:208, mvx:MOD contradict each other"),
        (",PFR", "vaccine: no code is given"),
        ("Exemplaire,", "vaccine: a code of cvx: not in the tables"),
    ],
)
def test_doses_that_do_not_map(codes: str, said: str) -> None:
    found = read(table(f"Exemplaire,1984,{codes},2,2,2021-06-11", head=DOSE_HEAD), DOSES)
    assert reason(found).startswith(said)
    assert told(found) == [(2, "CODE_NOT_MAPPED")]


def test_columns_by_the_names_of_the_fields_need_no_mapping() -> None:
    text = (
        "type,family_name,birth_date,product,vaccine,dose,series,date,test_type,sampled_at,result\n"
        "vaccination,Exemplaire,1984,Comirnaty,,1,2,2021-06-11,,,\n"
        "vaccination,Exemplaire,1984,,cvx:207,1,2,2021-06-11,,,\n"
        "test,Exemplaire,1984,,,,,,LP6464-4,2021-08-20T10:03:12+02:00,260415000\n"
        "test,Exemplaire,1984,,,2,,,LP6464-4,2021-08-20T10:03:12+02:00,260415000\n"
        "party,Exemplaire,1984,,,,,,,,\n"
    )
    found = [*read_csv(io.BytesIO(text.encode()), IntakeOptions())]
    assert told(found) == [2, 3, 4, (5, "FIELD_INVALID"), (6, "FIELD_INVALID")]
    products = [
        row.event.product for row in found[:2] if isinstance(row, Row) and isinstance(row.event, hc.Vaccination)
    ]
    assert [one and one.code for one in products] == ["EU/1/20/1528", "EU/1/20/1507"]


@pytest.mark.parametrize("column", ["status", "deleted", "Dupont"])
def test_a_column_that_nobody_knows_is_not_passed_over(column: str) -> None:
    """It may say that the row does not count any more. A mapping says which columns do."""
    text = f"type,family_name,birth_date,test_type,sampled_at,result,{column}\n"
    with pytest.raises(hc.IssueError, match="MAPPING_INVALID") as caught:
        [*read_csv(io.BytesIO(text.encode()), IntakeOptions())]
    assert column not in caught.value.detail


def test_columns_by_number_without_a_header() -> None:
    mapping = """
    kind = "recovery"
    [csv]
    header = false
    cells = 5
    delimiter = "\\t"
    quote = ""
    [columns]
    family_name = 2
    birth_date = 1
    first_positive = 3
    valid_from = 4
    valid_until = 5
    """
    row = the_only(read('1984\tD"Or\t2021-05-01\t2021-05-12\t2021-10-28\n', mapping))
    assert row.number == 1
    assert row.holder.family_name == 'D"Or'
    assert isinstance(row.event, hc.Recovery)


def test_the_kind_by_a_column() -> None:
    mapping = """
    kind = {column = "Acte", values = {RT = "recovery"}}
    [columns]
    family_name = "Nom"
    first_positive = "Le"
    valid_from = "Du"
    valid_until = "Au"
    """
    lines = ("RT,A,2021-05-01,2021-05-12,2021-10-28", "XX,A,2021-05-01,2021-05-12,2021-10-28")
    found = read(table(*lines, head="Acte,Nom,Le,Du,Au"), mapping)
    assert told(found) == [2, (3, "FIELD_INVALID")]


def test_transliterations_and_an_identity_may_come_with_it() -> None:
    mapping = """
    kind = "recovery"
    [columns]
    family_name = "n"
    birth_date = "b"
    family_name_icao = "i"
    ins_matricule = "ins"
    first_positive = "f"
    valid_from = "v"
    valid_until = "u"
    """
    days = "2021-05-01,2021-05-12,2021-10-28"
    lines = (
        f"Müller,1955-01-02,MULLER,255011401810182,{days}",
        f"Müller,1955-01-02,MULLER,,{days}",
        f"Müller,1955-01-02,MULLER,255011401810183,{days}",
        f"Müller,1964-01-02,MULLER,255011401810182,{days}",
    )
    found = read(table(*lines, head="n,b,i,ins,f,v,u"), mapping)
    first, second = found[:2]
    assert isinstance(first, Row)
    assert isinstance(second, Row)
    assert first.holder.family_name_icao == "MULLER"
    assert first.identity is not None
    assert first.identity.matricule == "255011401810182"
    assert second.identity is None
    assert told(found[2:]) == [(4, "IDENTITY_INVALID"), (5, "IDENTITY_MISMATCH")]
    assert "2550114018101" not in repr(found) + str([row.error for row in found if isinstance(row, RejectedRow)])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "iso-8859-15"])
def test_encodings(encoding: str) -> None:
    mapping = TESTS.replace('delimiter = ";"', f'delimiter = ";"\nencoding = "{encoding}"')
    assert the_only(read(table(GOOD).encode(encoding), mapping)).holder.given_name == "Zoé"


def test_a_byte_order_mark_is_no_part_of_the_header() -> None:
    assert told(read(b"\xef\xbb\xbf" + table(GOOD).encode())) == [2]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_line_ends_blank_lines_and_white_space(end: str) -> None:
    spaced = " Exemplaire ; Zoé;29/02/1984;F;94500-6;20/08/2021;10:03;NEG  "
    found = read(table("", spaced, ";;;;;;;", GOOD, end=end) + end)
    assert told(found) == [3, 5]
    assert isinstance(found[0], Row)
    assert found[0].holder == found[1].holder if isinstance(found[1], Row) else False


def test_a_quoted_cell_may_hold_delimiters_quotes_and_line_ends() -> None:
    quoted = 'Exemplaire;Zoé;29/02/1984;"F;\n""x""";94500-6;20/08/2021;10:03;NEG'
    assert told(read(table(quoted, GOOD, end="\n"))) == [2, 4]


# --- Broken rows ---


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        (GOOD + ";", "RECORD_UNREADABLE", "a row of 9 cells in a table of 8"),
        ("Exemplaire;Zoé", "RECORD_UNREADABLE", "a row of 2 cells in a table of 8"),
        (GOOD.replace("Zoé", "Zo\0é"), "RECORD_UNREADABLE", "a row with a NUL"),
        (GOOD.replace("Zoé", '"Zoé"x'), "RECORD_UNREADABLE", "a quote that is not closed, or has text behind it"),
        (GOOD.replace("Zoé", "Zo\x1bé"), "FIELD_INVALID", "given_name: text"),
        (GOOD.replace("Zoé", '"Zo\té"'), "FIELD_INVALID", "given_name: text"),
        (GOOD.replace("29/02/1984", "1984-02-29"), "FIELD_INVALID", "birth_date: a date of the calendar"),
        (GOOD.replace("20/08/2021", "31/10/2021").replace("10:03", "02:30"), "FIELD_INVALID", "sampled_at: an hour"),
        (GOOD.replace(";10:03", ";"), "FIELD_INVALID", "sampled_at: a date of the calendar"),
        (GOOD.replace("20/08/2021;10:03", ";"), "FIELD_INVALID", "sampled_at: is missing"),
        (GOOD.replace("NEG", "douteux"), "CODE_NOT_MAPPED", "result: a code without a system"),
        (GOOD.replace("NEG", ""), "FIELD_INVALID", "result: is missing"),
        (GOOD.replace("94500-6", "94505-5"), "CODE_NOT_MAPPED", "test_type: loinc:94505-5: not in the tables"),
        (GOOD.replace("94500-6", "Exemplaire"), "CODE_NOT_MAPPED", "test_type: a code of loinc: not in"),
        (GOOD.replace("Zoé", "x" * 140_000), "RECORD_UNREADABLE", "a quote"),
        (GOOD.replace("Zoé", "x" * 300_000), "RECORD_UNREADABLE", "a row of more than 262144 bytes"),
        (GOOD.replace(";F;", ";\r;"), "RECORD_UNREADABLE", "a quote"),
    ],
)
def test_a_broken_row_is_rejected_and_the_others_are_not(line: str, code: str, said: str) -> None:
    mapping = TESTS.replace('delimiter = ";"', 'delimiter = ";"\nmultiline = false')
    found = read(table(GOOD, line, POSITIVE, end="\n"), mapping)
    assert told(found) == [2, (3, code), 4]
    assert reason(found[1:2]).startswith(said)
    assert "Exemplaire" not in reason(found[1:2])


def test_a_row_in_another_encoding_is_rejected_alone() -> None:
    data = table(GOOD).encode() + GOOD.encode("cp1252") + b"\n" + POSITIVE.encode()
    found = read(data)
    assert told(found) == [2, (3, "RECORD_UNREADABLE"), 4]
    assert reason(found[1:2]) == "a row that is not in the encoding of the table"


LONE = 'Exemplaire;"Zoé;29/02/1984;F;94500-6;20/08/2021;10:03;NEG'


def test_what_stands_behind_a_lone_quote_is_no_record() -> None:
    """A line behind it may be a piece of a cell, and what somebody wrote into a cell must not become a record."""
    found = read(table(GOOD, LONE, *[GOOD] * 500))
    assert told(found) == [2, (3, "RECORD_UNREADABLE")]
    assert reason(found[1:]) == (
        "a quote that is not closed, or has text behind it, over 100 lines; nothing behind it was read"
    )
    assert told(read(table(GOOD, LONE, GOOD))) == [2, (3, "RECORD_UNREADABLE")]
    assert told(read(table(LONE, "x" * 300_000, GOOD))) == [(2, "RECORD_UNREADABLE")]
    assert told(read(table("x" * 300_000, GOOD))) == [(2, "RECORD_UNREADABLE")]
    assert told(read(table(GOOD, LONE))) == [2, (3, "RECORD_UNREADABLE")]


def test_a_lone_quote_breaks_its_line_alone_where_no_cell_holds_line_ends() -> None:
    mapping = TESTS.replace('delimiter = ";"', 'delimiter = ";"\nmultiline = false')
    assert told(read(table(GOOD, LONE, GOOD, LONE), mapping)) == [
        2, (3, "RECORD_UNREADABLE"), 4, (5, "RECORD_UNREADABLE"),
    ]  # fmt: skip


def test_rows_are_bounded() -> None:
    limits = Limits(record_bytes=200, record_lines=3)
    short = 'A;B;1984;"\n\n";94500-6;20/08/2021;10:03;NEG'
    assert told(read(table(short, end="\n"), limits=limits)) == [(2, "FIELD_INVALID")]
    found = read(table(short.replace("\n", "\n\n"), end="\n"), limits=limits)
    assert "over 3 lines" in reason(found)
    fits = GOOD.replace("Exemplaire", "E" * (200 - len(GOOD.encode()) + len("Exemplaire") - 1))
    assert told(read(table(fits, end="\n"), limits=limits)) == [2]
    assert told(read(table("E" + fits, end="\n"), limits=limits)) == [(2, "RECORD_UNREADABLE")]


def test_a_line_of_many_megabytes_is_passed_over() -> None:
    mapping = TESTS.replace('delimiter = ";"', 'delimiter = ";"\nmultiline = false')
    data = table(GOOD).encode() + b"x" * 20_000_000 + b"\n" + GOOD.encode()
    assert told(read(data, mapping)) == [2, (3, "RECORD_UNREADABLE"), 4]


# --- Files that the mapping does not fit ---


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("", "RECORD_UNREADABLE", "no header"),
        ("\n" + GOOD, "RECORD_UNREADABLE", "no header"),
        ('"Nom', "RECORD_UNREADABLE", "no header"),
        (table(GOOD, head=HEAD.replace("Nom", "Name")), "MAPPING_INVALID", "family_name: the table has 0 columns"),
        (table(GOOD, head=HEAD.replace("Sexe", "Nom")), "MAPPING_INVALID", "family_name: the table has 2 columns"),
        (table(GOOD, head=HEAD.replace(";", ",")), "MAPPING_INVALID", "family_name: the table has 0 columns"),
    ],
)  # fmt: skip
def test_a_file_that_does_not_fit(text: str, code: str, said: str) -> None:
    with pytest.raises(hc.IssueError, match=said) as caught:
        rows(text.encode())
    assert caught.value.code == code


def test_a_column_that_is_there_twice_and_not_used_is_no_matter() -> None:
    assert told(read(table(GOOD + ";x", head=HEAD + ";Sexe"))) == [2]


@pytest.mark.parametrize(
    ("mapping", "data", "said"),
    [
        ("", b"a,b\n", "columns: none is mapped"),
        ("[columns]\ndate = 3", b"a,b\n", "columns.date: the table has 2 columns"),
        (
            "[columns]\ndate = 'a'\n[csv]\nheader = true\n[constants]\nissuer = 'x'",
            b"b\n",
            "columns.date: the table has 0",
        ),
    ],
)
def test_a_mapping_that_does_not_fit(mapping: str, data: bytes, said: str) -> None:
    with pytest.raises(hc.IssueError, match=said):
        rows(data, mapping)


def test_a_kind_that_the_mapping_is_not_for() -> None:
    with pytest.raises(hc.IssueError, match="kind: the mapping is for records of another kind"):
        rows(table(GOOD).encode(), kind=hc.EntryType.VACCINATION)
    with pytest.raises(hc.IssueError, match="kind: records can be taken in of"):
        rows(b"family_name\nA\n", "", kind=hc.EntryType.EXEMPTION)
