"""Archives: honest ones as every program writes them, and those that mean harm."""

from __future__ import annotations

import gzip
import io
import tarfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import healthcert as hc
from healthcert.batch.protocol import Document
from healthcert.batch.sources.archive import Archive, DamagedError
from healthcert.batch.sources.tar import TarFile
from healthcert.intake.reading import RejectedRow
from tests.unit.batch.test_sources import told, verify

LONG = "folder/" + "n" * 150 + "é.png"


def entry(name: str, data: bytes = b"HC1:A", **values: Any) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    for key, value in values.items():
        setattr(info, key, value)
    return info, data


def packed(*entries: tuple[tarfile.TarInfo, bytes], form: int = tarfile.PAX_FORMAT) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        for info, data in entries:
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


MEMBERS = (
    entry("folder", b"", type=tarfile.DIRTYPE),
    entry("./a.png", b"x" * 700),
    entry(".hidden"),
    entry("folder/._a.png"),
    entry(LONG, b"HC1:B"),
    entry("../outside", b""),
    entry("link", b"", type=tarfile.SYMTYPE, linkname="/etc/passwd"),
    entry("hard", b"", type=tarfile.LNKTYPE, linkname="a.png"),
    entry("device", b"", type=tarfile.CHRTYPE),
    entry("last", b"y" * 512),
)
EXPECTED = [
    (1, "a.png"), (2, LONG.rpartition("/")[2]), (3, "outside"), (4, "ARCHIVE_UNREADABLE"), (5, "ARCHIVE_UNREADABLE"),
    (6, "ARCHIVE_UNREADABLE"), (7, "last"),
]  # fmt: skip


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_files_of_an_archive(tmp_path: Path, form: int) -> None:
    data = packed(*MEMBERS, form=form)
    assert verify(tmp_path / "x.tar", data) == EXPECTED
    assert verify(tmp_path / "x", data) == EXPECTED
    assert verify(tmp_path / "x.tgz", gzip.compress(data)) == EXPECTED
    documents = [one for one in TarFile(str(tmp_path / "x.tar"), hc.Limits()).items() if isinstance(one, Document)]
    assert [document.data for document in documents] == [b"x" * 700, b"HC1:B", b"", b"y" * 512]
    assert documents[0].name == f"{tmp_path}/x.tar/./a.png"
    assert not (tmp_path / "a.png").exists()


def test_a_name_that_does_something_to_a_terminal(tmp_path: Path) -> None:
    (tmp_path / "x.tar").write_bytes(
        packed(entry("a\x1b[2J\n\u202e.png"), entry("b\udcff.png"), form=tarfile.GNU_FORMAT)
    )
    documents = [*TarFile(str(tmp_path / "x.tar"), hc.Limits()).items()]
    assert told(documents) == [(1, "a�[2J��.png"), (2, "b�.png")]


def test_a_file_as_large_as_the_limits_allow(tmp_path: Path) -> None:
    data = packed(entry("a", b"a" * 600), entry("b", b"b" * 601), entry("c"))
    found = verify(tmp_path / "x.tar", data, limits=hc.Limits(file_bytes=600))
    assert found == [(1, "a"), (2, "INPUT_TOO_LONG"), (3, "c")]


def test_an_archive_that_is_cut_off(tmp_path: Path) -> None:
    whole = packed(entry("a", b"a" * 600), entry("b"))
    for place, expected in {
        0: [(1, "ARCHIVE_UNREADABLE")],
        511: [(1, "ARCHIVE_UNREADABLE")],
        600: [(1, "ARCHIVE_UNREADABLE")],
        1536: [(1, "a"), (2, "ARCHIVE_UNREADABLE")],
        2048: [(1, "a"), (2, "ARCHIVE_UNREADABLE")],
        2560: [(1, "a"), (2, "b"), (3, "ARCHIVE_UNREADABLE")],
        3072: [(1, "a"), (2, "b")],
    }.items():
        assert verify(tmp_path / "x.tar", whole[:place]) == expected
    noise = bytes(range(256)) * 3
    squeezed = gzip.compress(packed(entry("a"), entry("b", noise)))
    assert verify(tmp_path / "x.tar.gz", squeezed[:-300]) == [(1, "a"), (2, "ARCHIVE_UNREADABLE")]
    assert verify(tmp_path / "x.tgz", squeezed[:20]) == [(1, "ARCHIVE_UNREADABLE")]


def broken(data: bytes, place: int, new: bytes) -> bytes:
    return data[:place] + new + data[place + len(new) :]


def header(**values: Any) -> bytes:
    info, _ = entry("x", b"", **values)
    return info.tobuf(tarfile.GNU_FORMAT)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (broken(packed(entry("a")), 3, b"!"), "damaged"),
        (b"noise" * 1000, "damaged"),
        (header(type=tarfile.XHDTYPE, size=16 * 1024 + 1) + bytes(40_000), "a header of more than"),
        (header(type=tarfile.GNUTYPE_LONGNAME, size=2**60), "a header of more than"),
        (header(type=tarfile.XHDTYPE, size=20) + b"9999 path=x\n".ljust(512, b"\0"), "damaged"),
        (header(type=tarfile.XHDTYPE, size=12) + b"12 size=-1a\n".ljust(512, b"\0"), "damaged"),
        (header(type=tarfile.XHDTYPE, size=22) + b"22 GNU.sparse.major=1\n".ljust(512, b"\0"), "holes"),
        (header(type=tarfile.XHDTYPE, size=5) * 3000, "damaged"),
        (header(type=tarfile.GNUTYPE_SPARSE), "holes"),
        (header(size=-1), "damaged"),
    ],
    ids=[
        "checksum",
        "noise",
        "long pax",
        "long name",
        "pax length",
        "pax size",
        "pax holes",
        "chain",
        "holes",
        "negative",
    ],
)
def test_an_archive_that_is_damaged(tmp_path: Path, data: bytes, said: str) -> None:
    path = tmp_path / "x.tar"
    path.write_bytes(data)
    (row,) = TarFile(str(path), hc.Limits()).items()
    assert isinstance(row, RejectedRow)
    assert row.error.code == "ARCHIVE_UNREADABLE"
    assert said in row.error.detail


def test_what_is_packed_too_well_is_refused(tmp_path: Path) -> None:
    zeros = gzip.compress(packed(entry("a"), entry("b", bytes(80 * 1024 * 1024))), 1)
    assert verify(tmp_path / "x.tgz", zeros) == [(1, "a"), (2, "INPUT_TOO_LONG"), (3, "ARCHIVE_UNREADABLE")]


@settings(deadline=None)
@given(st.binary(max_size=1200), st.integers(0, 6000), st.binary(max_size=30))
def test_any_bytes_are_entries_or_damaged(noise: bytes, place: int, new: bytes) -> None:
    for data in (noise, broken(packed(*MEMBERS), place, new)):
        archive = Archive(io.BytesIO(data).read)
        found = []
        try:
            for one in archive:
                assert one.size >= 0
                found.append(archive.content(one)[:1] if one.isreg() and one.size < 1000 else b"")
        except DamagedError:
            found.append(b"")
        assert len(found) <= len(data) // 512 + 1
