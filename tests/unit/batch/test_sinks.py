"""Outputs: what they look like, whose they are, and what they do when a disk is full or something is in the way."""

from __future__ import annotations

import io
import json
import signal
import stat
import subprocess
import sys
import tarfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import healthcert as hc
from healthcert.batch.protocol import Output
from healthcert.batch.sinks import Form, Kind, encode_rows, file_name, form_of, open_sink
from healthcert.batch.sinks.tables import of_stream
from healthcert.errors import BatchError
from tests.property.test_batch_sinks import COLUMNS, OUTS, chunk, content, full_disk, stop

AT = datetime(2021, 8, 20, 8, 3, 12, tzinfo=UTC)


def test_forms_are_told_by_name(tmp_path: Path) -> None:
    names = {"-": Form.JSONL, "a.jsonl": Form.JSONL, "a": Form.JSONL, "a.tar": Form.TAR, "a.parquet": Form.PARQUET}
    names |= {"a.parquet/": Form.PARQUET, "a/": Form.FOLDER, str(tmp_path): Form.FOLDER}
    assert {name: form_of(name) for name in names} == names


def test_rows_in_json_lines_are_ascii() -> None:
    columns = {"row": Kind.NUMBER, "at": Kind.MOMENT, "text": Kind.TEXT}
    plain = encode_rows(Form.JSONL, [{"row": 1, "at": AT, "text": "HC1:A"}, {"row": 2, "at": None}], columns)
    assert plain == b'{"row":1,"at":"2021-08-20T08:03:12+00:00","text":"HC1:A"}\n{"row":2,"at":null}\n'
    other = encode_rows(Form.JSONL, [{"row": 1, "text": "é\u202e"}], columns)
    assert other == b'{"row":1,"text":"\\u00e9\\u202e"}\n'


def test_rows_in_parquet_have_the_columns_that_were_given(tmp_path: Path) -> None:
    columns = {"row": Kind.NUMBER, "at": Kind.MOMENT, "text": Kind.TEXT, "again": Kind.FLAG}
    sink = open_sink(str(tmp_path / "x.parquet"), Form.PARQUET)
    for rows in ([{"row": 1, "at": AT, "text": "é", "again": True, "other": 7}], [], [{"text": None}]):
        sink.write([Output(encode_rows(Form.PARQUET, rows, columns))])
    sink.close()
    table = pq.read_table(tmp_path / "x.parquet" / "part-00000.parquet")
    assert table.schema.names == [*columns]
    assert table.schema.types == [pa.int64(), pa.timestamp("us", "UTC"), pa.string(), pa.bool_()]
    assert table.to_pylist() == [
        {"row": 1, "at": AT, "text": "é", "again": True}, {"row": None, "at": None, "text": None, "again": None},
    ]  # fmt: skip


def test_the_name_of_a_file_that_is_no_text_is_written_all_the_same() -> None:
    rows = [{"row": 1, "text": "b\udcff.png"}, {"row": 2, "text": "é"}]
    assert encode_rows(Form.JSONL, rows, COLUMNS) == b'{"row":1,"text":"b?.png"}\n{"row":2,"text":"\\u00e9"}\n'
    table = of_stream(encode_rows(Form.PARQUET, rows, COLUMNS))
    assert table.column("text").to_pylist() == ["b?.png", "é"]


def test_what_is_no_text_is_written_also_below_the_columns() -> None:
    rows: list[dict[str, Any]] = [
        {"row": 1, "report": {"names": [{"\ud800": "A\udfff"}, ("é", None)], "ok": True}},
        {"row": 2},
    ]
    found = encode_rows(Form.JSONL, rows, COLUMNS)
    assert found == b'{"row":1,"report":{"names":[{"?":"A?"},["\\u00e9",null]],"ok":true}}\n{"row":2}\n'


def test_an_archive_opens_with_other_programs(tmp_path: Path) -> None:
    long = file_name("URN:UVCI:01:FR:" + "x" * 60, ".png")
    sink = open_sink(str(tmp_path / "x.tar"), Form.TAR)
    sink.write([Output(b"a" * 600, "A.png"), Output(b"", long)])
    sink.close()
    with tarfile.open(tmp_path / "x.tar") as archive:
        found = [(one.name, one.size, one.mode, one.mtime, one.uid, one.uname) for one in archive]
        assert archive.extractfile("A.png").read() == b"a" * 600  # type: ignore[union-attr]
    assert found == [("A.png", 600, 0o600, 0, 0, ""), (long, 0, 0o600, 0, 0, "")]


@pytest.mark.parametrize("form", [*Form])
def test_files_are_their_owners_alone(tmp_path: Path, form: Form) -> None:
    out = tmp_path / "new" / OUTS[form] if form in (Form.FOLDER, Form.PARQUET) else tmp_path / OUTS[form]
    sink = open_sink(str(out), form)
    sink.write(chunk(form, 1, 3))
    json.dumps(sink.flush())
    sink.close()
    sink.close()
    paths = [out, *out.rglob("*")] if out.is_dir() else [out]
    assert len(paths) > (form in (Form.FOLDER, Form.PARQUET))
    for path in paths:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)


def test_a_file_that_others_could_read_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    path.write_bytes(b"old")
    path.chmod(0o644)
    kept = path.open("rb")
    sink = open_sink(str(path), Form.JSONL)
    sink.write(chunk(Form.JSONL, 1, 1))
    sink.close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with kept:
        assert kept.read() == b"old"


@pytest.mark.parametrize("form", [Form.JSONL, Form.TAR])
def test_what_a_link_leads_to_is_not_written_to(tmp_path: Path, form: Form) -> None:
    (tmp_path / "other").write_bytes(b"mine")
    (tmp_path / OUTS[form]).symlink_to(tmp_path / "other")
    with pytest.raises(OSError, match=r"symbolic|symlink"):
        open_sink(str(tmp_path / OUTS[form]), form, {"bytes": 0})
    sink = open_sink(str(tmp_path / OUTS[form]), form)
    sink.write(chunk(form, 1, 1))
    sink.close()
    assert (tmp_path / "other").read_bytes() == b"mine"


def test_links_in_a_folder_are_replaced_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "other").write_bytes(b"mine")
    (tmp_path / "out").mkdir()
    for name in ("A.png", ".writing"):
        (tmp_path / "out" / name).symlink_to(tmp_path / "other")
    sink = open_sink(str(tmp_path / "out"), Form.FOLDER)
    sink.write([Output(b"new", "A.png")])
    sink.close()
    assert content(tmp_path / "out") == {"A.png": b"new"}
    assert (tmp_path / "other").read_bytes() == b"mine"


@pytest.mark.parametrize("name", [None, "", ".a", "../a.png", "/a.png", "a/b.png", "A.png\0", "A", ".", "a.png"])
@pytest.mark.parametrize("form", [Form.FOLDER, Form.TAR])
def test_no_other_names_are_written(tmp_path: Path, form: Form, name: str | None) -> None:
    sink = open_sink(str(tmp_path / OUTS[form]), form)
    with pytest.raises(ValueError, match="no name"):
        sink.write([Output(b"x", name)])
    sink.close()


def test_a_folder_of_other_files_takes_no_parts(tmp_path: Path) -> None:
    (tmp_path / "x.parquet").mkdir()
    (tmp_path / "x.parquet" / "part-00000.parquet").write_bytes(b"of an earlier run")
    open_sink(str(tmp_path / "x.parquet"), Form.PARQUET).close()
    assert content(tmp_path / "x.parquet") == {}
    (tmp_path / "x.parquet" / "notes.txt").write_bytes(b"mine")
    with pytest.raises(FileExistsError, match="other files"):
        open_sink(str(tmp_path / "x.parquet"), Form.PARQUET)
    assert content(tmp_path / "x.parquet") == {"notes.txt": b"mine"}


@pytest.mark.parametrize("form", [*Form])
@pytest.mark.parametrize(
    "mark",
    [{}, {"bytes": 10**18, "parts": 10**18, "rows": 0}, {"bytes": -1, "parts": -1, "files": -1},
     {"parts": 0, "rows": 99}, {"bytes": True, "parts": True, "files": True},
     {"bytes": "1", "parts": 1.0, "files": None}],
)  # fmt: skip
def test_a_mark_that_does_not_fit_the_output(tmp_path: Path, form: Form, mark: dict[str, Any]) -> None:
    out = str(tmp_path / OUTS[form])
    sink = open_sink(out, form)
    sink.write(chunk(form, 1, 3))
    sink.close()
    before = content(Path(out))
    with pytest.raises(BatchError) as caught:
        open_sink(out, form, mark)
    assert caught.value.code == "JOURNAL_UNUSABLE"
    assert content(Path(out)) == before


@pytest.mark.parametrize("form", [*Form])
def test_an_output_that_is_gone_cannot_be_gone_on_with(tmp_path: Path, form: Form) -> None:
    with pytest.raises(BatchError) as caught:
        open_sink(str(tmp_path / OUTS[form]), form, {"bytes": 0, "files": 1, "parts": 1, "rows": 1})
    assert caught.value.code == "JOURNAL_UNUSABLE"


def test_standard_output_and_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(out, write_through=True))
    for sink in (open_sink("-", Form.JSONL), open_sink("/dev/null", Form.JSONL), open_sink("-", Form.JSONL, {})):
        sink.write([Output(b"a\n"), Output(b"b\n")])
        assert sink.flush() == {}
        sink.close()
    assert out.getvalue() == b"a\nb\n" * 2
    full = open_sink("/dev/full", Form.JSONL)
    with pytest.raises(OSError, match="No space left"):
        full.write([Output(b"a\n")])
    full.close()


# What a run does whose disk fills up: it writes and flushes until that fails, and goes on where there is room again.
FULL = """
import json, resource, sys
from healthcert.batch.sinks import Form, open_sink
from tests.property.test_batch_sinks import chunk
form, out, limit = Form(sys.argv[1]), sys.argv[2], int(sys.argv[3])
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
sink, mark, done = open_sink(out, form), None, 0
try:
    for place in range(40):
        sink.write(chunk(form, place, 30))
        if place % 3 == 2:
            mark, done = sink.flush(), place + 1
except OSError as error:
    print(json.dumps([done, mark, error.errno]))
"""


@pytest.mark.parametrize(("form", "limit"), [(Form.JSONL, 20_000), (Form.TAR, 300_000), (Form.PARQUET, 5_000)])
def test_a_full_disk_loses_nothing_that_was_flushed(tmp_path: Path, form: Form, limit: int) -> None:
    out = str(tmp_path / OUTS[form])
    arguments = [sys.executable, "-c", FULL, form, out, str(limit)]
    said = subprocess.run(arguments, capture_output=True, check=True, text=True, preexec_fn=_ignore_limit)
    done, mark, number = json.loads(said.stdout)
    assert number == 27  # EFBIG
    assert done > 0
    sink = open_sink(out, form, mark)
    even = open_sink(f"{tmp_path}/even-{OUTS[form]}", form)
    for place in range(40):
        even.write(chunk(form, place, 30))
        if place >= done:
            sink.write(chunk(form, place, 30))
    sink.close()
    even.close()
    assert content(Path(out)) == content(tmp_path / f"even-{OUTS[form]}")


@pytest.mark.parametrize("form", [*Form])
def test_what_failed_half_way_and_then_succeeds_is_there_once(tmp_path: Path, form: Form) -> None:
    out, even = str(tmp_path / OUTS[form]), str(tmp_path / f"even-{OUTS[form]}")
    chunks = [chunk(form, place, 30) for place in range(4)]
    sink = open_sink(out, form)
    sink.write(chunks[0])
    sink.flush()
    if form is Form.PARQUET:  # which writes when it is flushed
        sink.write(chunks[1])
    with full_disk(), pytest.raises(OSError, match="full"):
        sink.flush() if form is Form.PARQUET else sink.write(chunks[1])
    if form is not Form.PARQUET:
        sink.write(chunks[1])
    sink.flush()
    sink.write(chunks[2])
    mark = sink.flush()
    stop(sink, killed=True)
    resumed, undisturbed = open_sink(out, form, mark), open_sink(even, form)
    resumed.write(chunks[3])
    for one in chunks:
        undisturbed.write(one)
    for one_sink in (resumed, undisturbed):
        one_sink.close()
    assert content(Path(out)) == content(Path(even))


@pytest.mark.parametrize("form", [Form.JSONL, Form.TAR])
def test_half_of_a_chunk_is_not_left_in_what_is_closed(tmp_path: Path, form: Form) -> None:
    sinks = [open_sink(str(tmp_path / name), form) for name in ("a", "b")]
    for sink in sinks:
        sink.write(chunk(form, 1, 3))
    with full_disk(), pytest.raises(OSError, match="full"):
        sinks[0].write(chunk(form, 2, 3))
    for sink in sinks:
        sink.close()
    assert content(tmp_path / "a") == content(tmp_path / "b")


def test_a_part_whose_writing_was_broken_off_stands_in_the_way_of_nothing(tmp_path: Path) -> None:
    sink = open_sink(str(tmp_path / "x.parquet"), Form.PARQUET)
    sink.write(chunk(Form.PARQUET, 1, 3))
    mark = sink.flush()
    with full_disk(), pytest.raises(OSError, match="full"):
        sink.close()
    stop(sink, killed=True)
    assert (tmp_path / "x.parquet" / ".writing").exists()
    open_sink(str(tmp_path / "x.parquet"), Form.PARQUET, mark).close()
    table = pq.read_table(tmp_path / "x.parquet" / "part-00000.parquet")
    assert table.column("row").to_pylist() == [100, 101, 102]
    assert len(content(tmp_path / "x.parquet")) == 1


def _ignore_limit() -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)


def test_without_pyarrow_it_is_said_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    for attempt in (
        lambda: open_sink(str(tmp_path / "x.parquet"), Form.PARQUET),
        lambda: encode_rows(Form.PARQUET, [{}], COLUMNS),
    ):
        with pytest.raises(hc.HealthCertError, match=r"healthcert\[parquet\]") as caught:
            attempt()
        assert caught.value.code == "EXTRA_MISSING"
