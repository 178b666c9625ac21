"""Certificates from lines, tables in CSV, folders and single files; and records through the door for them."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

import healthcert as hc
from healthcert.batch.protocol import Document, Text, VerifyItem
from healthcert.batch.sources import issue_source, read_document, verify_source
from healthcert.intake.reading import RejectedRow, Row
from healthcert.intake.records import IntakeOptions
from healthcert_cli.sources import read_source
from tests.support import Press
from tests.unit.barcode.test_pdf import A4, drawn, pdf
from tests.unit.intake.test_jsonlines import RECORD

TEXT = Press().text()


def told(items: list[VerifyItem]) -> list[Any]:
    """Each item as a number with its text or name, or with the code that rejects it."""
    found: list[Any] = []
    for item in items:
        if isinstance(item, Text):
            found.append((item.number, item.text))
        elif isinstance(item, Document):
            found.append((item.number, Path(item.name).name))
        else:
            assert isinstance(item.error, hc.HealthCertError)
            found.append((item.number, item.error.code))
    return found


def verify(path: Path, data: bytes | None = None, **options: Any) -> list[Any]:
    """What a file gives, which is the same where the first items are skipped."""
    if data is not None:
        path.write_bytes(data)
    source = verify_source(str(path), **options)
    found = told([*source.items()])
    for skip in (1, 2, len(found)):
        assert told([*verify_source(str(path), **options).items(skip)]) == found[skip:]
    assert source.name == str(path)
    assert source.size is not None
    assert source.done == source.size
    json.dumps(source.identity)
    return found


def test_a_text_with_a_certificate_on_each_line(tmp_path: Path) -> None:
    data = b"\xef\xbb\xbfHC1: A \r\n\n  \nHC1:B\n\xff\nHC1:C"
    assert verify(tmp_path / "x.txt", data) == [(1, "HC1: A "), (4, "HC1:B"), (5, "RECORD_UNREADABLE"), (6, "HC1:C")]
    assert verify(tmp_path / "empty", b"") == []


def test_a_line_as_long_as_the_limits_allow(tmp_path: Path) -> None:
    limits = hc.Limits(record_bytes=10)
    found = verify(tmp_path / "x", b"A" * 10 + b"\r\n" + b"A" * 11 + b"\nB" + b"C" * 200_000, limits=limits)
    assert found == [(1, "A" * 10), (2, "RECORD_UNREADABLE"), (3, "RECORD_UNREADABLE")]


def test_rows_of_json(tmp_path: Path) -> None:
    lines = [
        json.dumps({"text": "HC1:A", "row": 1}),
        '{"text":"HC1:B","text":"HC1:C"}',
        '["HC1:D"]',
        '{"row":2}',
        '{"text":null}',
        '{"text":7}',
        '{"text":""}',
        "",
        '{"text":"HC1:E"}',
        '{"text":"HC1:F',
    ]
    data = "\n".join(lines).encode()
    bad = [(number, "RECORD_UNREADABLE") for number in range(2, 8)]
    expected = [(1, "HC1:A"), *bad, (9, "HC1:E"), (10, "RECORD_UNREADABLE")]
    assert verify(tmp_path / "x.jsonl", data) == expected
    assert verify(tmp_path / "x.out", data) == expected
    assert verify(tmp_path / "y.ndjson", b'{"code":"HC1:A"}', column="code") == [(1, "HC1:A")]
    assert verify(tmp_path / "z.jsonl", b"\n[[\n" + b"[" * 1000) == [(2, "RECORD_UNREADABLE"), (3, "RECORD_UNREADABLE")]


def test_certificates_that_are_json_themselves(tmp_path: Path) -> None:
    card = {"verifiableCredential": ["a.b.c"]}
    assert verify(tmp_path / "x.smart-health-card", json.dumps(card, indent=1).encode()) == [(1, "x.smart-health-card")]
    seal = '{"data":{"hdr":{"t":"icao.vacc"}},"sig":{}}'
    assert verify(tmp_path / "x", f"{seal}\n{seal}\n".encode()) == [(1, seal), (2, seal)]


def test_a_table(tmp_path: Path) -> None:
    good, bad = [b"id,text", b'1,"HC1:A,"', b""], [b"2", b"3,HC1:B,x", b'4,"HC1:C', b"5,\xff", b"6,"]
    lines = [*good, *bad, b"7,HC1: D", b'8,"x"y', b'9,"HC1:E']
    rejected = [(number, "RECORD_UNREADABLE") for number in (4, 5, 6, 7, 8)]
    expected = [(2, "HC1:A,"), *rejected, (9, "HC1: D"), (10, "RECORD_UNREADABLE"), (11, "RECORD_UNREADABLE")]
    assert verify(tmp_path / "x.csv", b"\r\n".join(lines)) == expected
    assert verify(tmp_path / "x.tsv", b"a\tb\nHC1:A\t2\n", column="a") == [(2, "HC1:A")]


@pytest.mark.parametrize("head", [b"", b"id,name\n", b"text,text\n", b"\xff\n", b'"text\n', b"text," * 1001 + b"x\n"])
def test_a_table_without_the_column(tmp_path: Path, head: bytes) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(head + b"1,2\n")
    with pytest.raises(hc.DecodeError, match="a table whose first line") as caught:
        next(iter(verify_source(str(path)).items()))
    assert caught.value.code == "RECORD_UNREADABLE"


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    for data, text in ((b'{"text": "HC1:A"}\n', "HC1:A"), (b"HC1: A\n", "HC1: A")):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))
        source = verify_source("-")
        assert told([*source.items()]) == [(1, text)]
        assert (source.size, source.done, source.identity) == (None, 0, {})
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(OSError, match="standard input"):
        next(verify_source("-").items())


def test_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(path := tmp_path / "pipe")
    source = verify_source(str(path))
    writer = Thread(target=path.write_bytes, args=(b"HC1:B\n",))
    writer.start()
    assert told([*source.items()]) == [(1, "HC1:B")]
    writer.join()
    assert (source.size, source.done, source.identity) == (None, 0, {})


def test_a_folder(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / ".git").mkdir()
    for name in ("c.png", "a.txt", "b/z", "b/.hidden", ".git/x"):
        (tmp_path / name).write_bytes(b"HC1:A")
    (tmp_path / "link").symlink_to(tmp_path / "c.png")
    (tmp_path / "away").symlink_to("/usr")
    assert verify(tmp_path) == [(1, "a.txt"), (2, "z"), (3, "c.png")]
    before = verify_source(str(tmp_path)).identity
    assert before["files"] == 3
    assert before == verify_source(str(tmp_path)).identity
    (tmp_path / "a.txt").write_bytes(b"HC1:AB")
    assert before != verify_source(str(tmp_path)).identity


def test_a_file_whose_name_does_something_to_a_terminal(tmp_path: Path) -> None:
    (tmp_path / "a\x1b[2J\u202e.txt").write_bytes(b"HC1:A")
    (tmp_path / os.fsdecode(b"b\xff.txt")).write_bytes(b"HC1:B")
    (tmp_path / "c\n.txt").write_bytes(b"C" * 20)
    first, second, third = verify_source(str(tmp_path), limits=hc.Limits(file_bytes=10)).items()
    assert first == Document(1, f"{tmp_path}/a�[2J�.txt", b"HC1:A")
    assert second == Document(2, f"{tmp_path}/b�.txt", b"HC1:B")
    assert isinstance(third, RejectedRow)
    assert third.error.code == "INPUT_TOO_LONG"


def test_single_files(tmp_path: Path) -> None:
    path = tmp_path / "scan"
    for data in (hc.QrCode.of(TEXT).png(), pdf((A4, drawn(TEXT, 100, 100, 100)))):
        assert verify(path, data) == [(1, "scan")]
        (document,) = verify_source(str(path)).items()
        assert isinstance(document, Document)
        assert read_document(document, hc.Limits()) == [TEXT]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "NO_CERTIFICATE_FOUND"),
        (b"shopping list", "NO_CERTIFICATE_FOUND"),
        (b"\xff\xfe\x00", "NO_CERTIFICATE_FOUND"),
        (b"<svg xmlns=''/>", "NO_CERTIFICATE_FOUND"),
        (hc.QrCode.of("HTTPS://EXAMPLE.ORG").png(), "NO_CERTIFICATE_FOUND"),
        (pdf((A4, b"")), "NO_BARCODE_FOUND"),
        (b"%PDF-1.4", "IMAGE_UNREADABLE"),
        (b"\x89PNG\r\n", "IMAGE_UNREADABLE"),
    ],
)
def test_files_without_a_certificate(tmp_path: Path, data: bytes, code: str) -> None:
    (tmp_path / "x").write_bytes(data)
    for document in (Document(1, "any", data), Document(1, str(tmp_path / "x"))):
        with pytest.raises(hc.DecodeError) as caught:
            read_document(document, hc.Limits())
        assert caught.value.code == code


def test_a_file_that_is_too_long_or_not_there(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"HC1:" + b"A" * 20)
    with pytest.raises(hc.DecodeError) as caught:
        read_document(Document(1, str(tmp_path / "x")), hc.Limits(file_bytes=23))
    assert caught.value.code == "INPUT_TOO_LONG"
    with pytest.raises(FileNotFoundError):
        read_document(Document(1, str(tmp_path / "y")), hc.Limits())
    with pytest.raises(FileNotFoundError):
        verify_source(str(tmp_path / "y"))


def test_records(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    long = "z" * 500_000
    path.write_text(f"\ufeff{json.dumps(RECORD)}\n \nx\n{json.dumps(RECORD)}\r\n{long}\n{json.dumps(RECORD)}")
    for skip in range(7):
        source = issue_source(str(path), IntakeOptions())
        rows = [*source.items(skip)]
        assert [row.number for row in rows] == [1, 3, 4, 5, 6][skip:]
        assert [type(row) for row in rows] == [Row, RejectedRow, Row, RejectedRow, Row][skip:]
        assert source.done == source.size == path.stat().st_size
    assert source.identity == {"size": path.stat().st_size, "mtime_ns": path.stat().st_mtime_ns}
    with pytest.raises(FileNotFoundError):
        issue_source(str(tmp_path / "none"), IntakeOptions())
    with pytest.raises(hc.DecodeError, match="without files in Parquet"):
        issue_source(str(tmp_path), IntakeOptions())


def test_the_command_line_reads_pdfs_as_well(tmp_path: Path) -> None:
    (tmp_path / "scan.pdf").write_bytes(pdf((A4, drawn(TEXT, 100, 100, 100))))
    assert read_source(str(tmp_path / "scan.pdf"), hc.Limits()) == [TEXT]
