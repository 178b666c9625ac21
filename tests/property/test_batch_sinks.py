"""Outputs that are gone on with are those of a run that nothing disturbed, byte for byte."""

from __future__ import annotations

import errno
import random
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from healthcert.batch.protocol import Mark, Output
from healthcert.batch.sinks import Form, Kind, encode_rows, file_name, open_sink
from healthcert.batch.sinks.disk import write_all
from healthcert.batch.sinks.naming import checked

COLUMNS = {"row": Kind.NUMBER, "text": Kind.TEXT, "again": Kind.FLAG}
OUTS = {Form.JSONL: "out.jsonl", Form.PARQUET: "out.parquet", Form.FOLDER: "out", Form.TAR: "out.tar"}


def chunk(form: Form, place: int, size: int) -> list[Output]:
    source = random.Random(place)
    if form in (Form.FOLDER, Form.TAR):
        names = [file_name(f"URN:UVCI:01:FR:{place}/{one}", ".png") for one in range(size)]
        return [Output(source.randbytes(source.choice([0, 511, 512, 900])), name) for name in names]
    rows = [
        {"row": place * 100 + one, "text": source.choice(["", "HC1:A", "é", None]), "again": one % 2 == 0}
        for one in range(size)
    ]
    return [Output(encode_rows(form, rows, COLUMNS))]


def content(path: Path) -> dict[str, bytes]:
    if path.is_file():
        return {"": path.read_bytes()}
    return {one.name: one.read_bytes() for one in path.iterdir()}


def stop(sink: Any, *, killed: bool) -> None:
    """Ends a run, in order or as a kill does: with no more than the files closed."""
    if not killed:
        sink.close()
    for name in ("_file", "_waiting"):
        if (file := getattr(sink, name, None)) is not None:
            file.close()


@contextmanager
def full_disk() -> Iterator[None]:
    """Of whatever is written, half arrives."""

    def half(file: Any, data: bytes) -> None:
        write_all(file, data[: len(data) // 2])
        raise OSError(errno.ENOSPC, "full")

    with patch("healthcert.batch.sinks.disk.write_all", half):
        yield


STEPS = st.sampled_from(["write", "write", "flush", "end", "kill", "kill later", "full at flush", "full at write"])


@pytest.mark.parametrize("form", [*Form])
@settings(derandomize=True, max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 9), max_size=8), st.lists(STEPS, max_size=12))
@example([5] * 6, ["write", "flush"] + ["write", "flush", "kill"] * 4)  # in the middle of one part after another
def test_a_run_that_is_gone_on_with_leaves_the_same(form: Form, sizes: list[int], steps: list[str]) -> None:
    chunks = [chunk(form, place, size) for place, size in enumerate(sizes)]
    # What is said to be on the disk need not be, for no power fails here.
    with TemporaryDirectory() as folder, patch("healthcert.batch.sinks.parquet.PART_ROWS", 7), patch("os.fsync"):
        undisturbed = open_sink(f"{folder}/even-{OUTS[form]}", form)
        for one in chunks:
            undisturbed.write(one)
        undisturbed.close()
        disturbed = f"{folder}/{OUTS[form]}"
        write_with_breaks(disturbed, form, chunks, steps)
        assert content(Path(disturbed)) == content(Path(f"{folder}/even-{OUTS[form]}"))


def write_with_breaks(out: str, form: Form, chunks: list[list[Output]], steps: list[str]) -> None:
    marks: list[tuple[int, Mark | None]] = [(0, None)]
    sink, done = open_sink(out, form), 0
    for step in steps:
        if step == "write":
            sink.write(chunks[done] if done < len(chunks) else [])
            done = min(done + 1, len(chunks))
        elif step == "flush":
            marks.append((done, sink.flush()))
        elif step == "full at flush":  # and room again afterwards
            with full_disk(), suppress(OSError):
                sink.flush()
        else:
            if step == "full at write":
                with full_disk(), suppress(OSError):
                    sink.write(chunks[done] if done < len(chunks) else [])
            stop(sink, killed=step.startswith("kill"))
            # A journal may be older than the last flush: the kill came before it was written.
            if step == "kill later" and len(marks) > 1:
                marks.pop()
            done, mark = marks[-1]
            sink = open_sink(out, form, mark)
    for one in chunks[done:]:
        sink.write(one)
    sink.close()


@settings(derandomize=True, deadline=None)
@given(
    st.lists(
        st.text(max_size=12)
        | st.sampled_from(["CON", "con", "con:", "a", "A", ".", "..", "/", "%", "", "x" * 300, "X" * 300]),
        max_size=8,
    )
)
def test_names_of_files_are_plain_and_differ(names: list[str]) -> None:
    found = {checked(file_name(name, ".png")).lower() for name in names}
    assert len(found) == len(set(names))
    for name in found:
        assert name.isascii()
        assert len(name) <= 204
        assert not set(name) & set('/\\:*?"<>|\0 ')
        assert not name.startswith((".", "con."))
