"""Lists come from files that anybody may have made: nothing outside of them is read, and nothing without end."""

from __future__ import annotations

import gzip
import io
import lzma
import os
import stat
import struct
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from healthcert.errors import Code, RevocationError
from healthcert.limits import DEFAULT_LIMITS, Limits
from healthcert.revocation import files as module
from healthcert.revocation.files import Given, only, open_files, tar_members
from tests.unit.revocation.world import code_of, refusal

FEW = replace(DEFAULT_LIMITS, list_bytes=20_000)
OUTSIDE = [
    "../secret",
    "a/../../secret",
    "/etc/passwd",
    "..",
    ".",
    "a//b",
    "./a",
    "a\\..\\b",
    "C:/a",
    "c:a",
    "a\0b",
    "",
    "a/",
]


def refused(path: Path, name: str = "a", limits: Limits = FEW) -> Code:
    def reads_it() -> None:
        with open_files(path, limits=limits) as files:
            files.names()
            files.read(name)

    code = refusal(reads_it)
    assert code is not None
    return code


# --- One file, and folders ---


def test_one_file_goes_by_its_own_name(tmp_path: Path) -> None:
    path = tmp_path / "list.json"
    path.write_bytes(b"one")
    with open_files(path) as files:
        assert (files.names(), files.read("list.json"), files.read("other")) == (("list.json",), b"one", None)
        assert only(files) == b"one"


def test_a_file_of_too_many_bytes(tmp_path: Path) -> None:
    path = tmp_path / "list.json"
    path.write_bytes(bytes(20_000))
    with open_files(path, limits=FEW) as files:
        assert len(only(files)) == 20_000
    path.write_bytes(bytes(20_001))
    assert refused(path) is Code.INPUT_TOO_LONG
    path.rename(tmp_path / "a")
    assert refused(tmp_path) is Code.INPUT_TOO_LONG
    (tmp_path / "a").rename(tmp_path / "a.tgz")
    assert refused(tmp_path / "a.tgz") is Code.INPUT_TOO_LONG


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), open_files(tmp_path / "none"):
        pass


def test_a_folder_and_what_is_below_it(tmp_path: Path) -> None:
    (tmp_path / "b" / "c").mkdir(parents=True)
    (tmp_path / "b" / "c" / "d").write_bytes(b"deep")
    (tmp_path / "a").write_bytes(b"top")
    (tmp_path / "odd\\name").write_bytes(b"")
    with open_files(tmp_path) as files:
        assert files.names() == ("a", "b/c/d")
        assert files.read("b/c/d") == b"deep"
        assert [files.read(name) for name in ("b", "b/c", "b/d", "x" * 5000, "a/b", "odd\\name")] == [None] * 6


def test_nothing_outside_of_a_folder_is_read(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    folder, other = tmp_path / "folder", tmp_path / "other"
    folder.mkdir()
    other.mkdir()
    (other / "file").write_bytes(b"secret")
    (folder / "own").write_bytes(b"own")
    (folder / "link").symlink_to(tmp_path / "secret")
    (folder / "relative").symlink_to("../secret")
    (folder / "loop").symlink_to("loop")
    (folder / "dangling").symlink_to("nothing")
    (folder / "folder").symlink_to(other)
    with open_files(folder) as files:
        assert files.names() == ("own",)
        for name in (*OUTSIDE, "link", "relative", "loop", "dangling", "folder/file", str(tmp_path / "secret")):
            assert files.read(name) is None


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no such files")
def test_what_may_never_end_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with open_files(tmp_path) as files:
        assert (files.names(), files.read("pipe")) == ((), None)
    assert refused(tmp_path / "pipe") is Code.REVOCATION_LIST_UNREADABLE
    assert refused(Path(os.devnull)) is Code.REVOCATION_LIST_UNREADABLE


def test_too_many_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_FILES", 2)
    for name in ("folder/a", "folder/b"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    with open_files(tmp_path / "folder") as files:
        assert len(files.names()) == 2
    (tmp_path / "folder" / "c").touch()
    assert refused(tmp_path / "folder") is Code.INPUT_TOO_LONG
    assert refused(zipped(tmp_path, "a", "b", "c")) is Code.INPUT_TOO_LONG


def test_only_one_file_belongs_there() -> None:
    assert only(Given({"a": b"b"})) == b"b"
    for wrong in ({}, {"a": b"", "b": b""}):
        with pytest.raises(RevocationError) as error:
            only(Given(wrong))
        assert code_of(error) is Code.REVOCATION_LIST_UNREADABLE


# --- ZIP archives ---


def zipped(folder: Path, *names: str, data: bytes = b"data", method: int = zipfile.ZIP_DEFLATED) -> Path:
    path = folder / "list.zip"
    with zipfile.ZipFile(path, "w", method) as archive:
        for name in names:
            archive.writestr(zipfile.ZipInfo(name), data, method)
    return path


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_zip_archive(tmp_path: Path, method: int) -> None:
    with open_files(zipped(tmp_path, "b/c", "a", "empty/", method=method)) as files:
        assert files.names() == ("a", "b/c")
        assert (files.read("a"), files.read("c"), files.read("empty/")) == (b"data", None, None)


def test_a_zip_archive_may_have_a_comment_and_nothing_else_behind_it(tmp_path: Path) -> None:
    path = zipped(tmp_path, "a")
    for length in (1, 0xFFFF):
        with zipfile.ZipFile(path, "a") as archive:
            archive.comment = b"x" * length
        with open_files(path) as files:
            assert files.read("a") == b"data"
    whole = path.read_bytes()
    path.write_bytes(whole[:-0xFFFF] + b"x" * 100)
    assert refused(path) is Code.REVOCATION_LIST_UNREADABLE


def test_a_zip_archive_of_a_long_directory_is_not_even_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = zipped(tmp_path, "a", "b")
    data = path.read_bytes()
    length = len(data) - data.index(b"PK\1\2") - 22
    monkeypatch.setattr(module, "_LONGEST_DIRECTORY", length)
    with open_files(path) as files:
        assert files.names() == ("a", "b")
    with zipfile.ZipFile(path, "a") as archive:
        archive.comment = b"a comment"
    with open_files(path) as files:
        assert files.names() == ("a", "b")
    monkeypatch.setattr(module, "_LONGEST_DIRECTORY", length - 1)
    with monkeypatch.context() as patch:
        patch.setattr(zipfile, "ZipFile", lambda *_: pytest.fail("it was opened"))
        assert refused(path) is Code.INPUT_TOO_LONG


@pytest.mark.parametrize("behind", [0, 7])
def test_so_is_a_zip_archive_whose_64_bit_end_says_another_length(tmp_path: Path, behind: int) -> None:
    path = zipped(tmp_path, "a")
    data = path.read_bytes()
    begin, end, at = data.index(b"PK\1\2"), data[-22:], len(data) - 22
    comment = bytes(behind)

    def with_64(length: int, place: int, mark: bytes = b"PK\6\6") -> None:
        long = struct.pack("<4sQ2H2L4Q", mark, 44, 45, 45, 0, 0, 1, 1, length, begin)
        locator = struct.pack("<4sLQL", b"PK\6\7", 0, place, 1)
        path.write_bytes(data[:-22] + long + locator + end[:-2] + struct.pack("<H", behind) + comment)

    with_64(at - begin, at)
    with open_files(path) as files:
        assert files.read("a") == b"data"
    with_64(1 << 40, at)
    assert refused(path) is Code.INPUT_TOO_LONG
    # Readers do not agree where it is, unless there is one place.
    with_64(at - begin, at - 1)
    assert refused(path) is Code.REVOCATION_LIST_UNREADABLE
    with_64(at - begin, at, b"PK\6\5")
    assert refused(path) is Code.REVOCATION_LIST_UNREADABLE


@pytest.mark.parametrize("name", [name for name in OUTSIDE if name not in ("", "a/", "a\0b")])
def test_a_zip_archive_whose_names_lead_out_is_refused(tmp_path: Path, name: str) -> None:
    if os.sep == "/":
        assert refused(zipped(tmp_path, "good", name)) is Code.REVOCATION_LIST_UNREADABLE


def test_a_zip_archive_with_two_files_of_one_name(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate"):
        path = zipped(tmp_path, "a", "a")
    assert refused(path) is Code.REVOCATION_LIST_UNREADABLE


def test_a_zip_archive_that_unpacks_to_too_much(tmp_path: Path) -> None:
    with open_files(zipped(tmp_path, "a", data=bytes(20_000)), limits=FEW) as files:
        assert len(files.read("a") or b"") == 20_000
    assert refused(zipped(tmp_path, "a", data=bytes(20_001))) is Code.INPUT_TOO_LONG
    # What the directory says of the length is not believed.
    path = zipped(tmp_path, "a", data=bytes(10**6))
    path.write_bytes(path.read_bytes().replace(struct.pack("<I", 10**6), struct.pack("<I", 4)))
    assert refused(path) in (Code.INPUT_TOO_LONG, Code.REVOCATION_LIST_UNREADABLE)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_zip_archive_packed_in_another_way_is_refused(tmp_path: Path, method: int) -> None:
    path = zipped(tmp_path, "a", method=method)
    assert refused(path) is Code.REVOCATION_LIST_UNREADABLE
    path.write_bytes(path.read_bytes().replace(b"data", b"atad"))
    assert refused(path) is Code.REVOCATION_LIST_UNREADABLE
    assert issubclass(lzma.LZMAError, Exception)


def test_an_encrypted_zip_archive_is_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path, "a", method=zipfile.ZIP_STORED)
    data = bytearray(path.read_bytes())
    for magic, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        data[data.index(magic) + offset] |= 1
    path.write_bytes(data)
    assert refused(path) is Code.REVOCATION_LIST_UNREADABLE


def test_a_zip_archive_that_was_cut_off_or_changed(tmp_path: Path) -> None:
    path = zipped(tmp_path, "a", "b", data=os.urandom(300))
    good = path.read_bytes()
    for length in range(0, len(good), 7):
        path.write_bytes(good[:length])
        assert refusal(reads, path) in (None, Code.REVOCATION_LIST_UNREADABLE)
        with open_files(path) as files:
            assert files.names() == (path.name,)
    for place in range(len(good)):
        path.write_bytes(good[:place] + bytes((good[place] ^ 0xFF,)) + good[place + 1 :])
        assert refusal(reads, path) in (None, Code.REVOCATION_LIST_UNREADABLE, Code.INPUT_TOO_LONG)


# --- Gzipped tar archives ---

BLOCK = 512


def member(name: str, data: bytes = b"data", **fields: object) -> bytes:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    for field, value in fields.items():
        setattr(info, field, value)
    return info.tobuf(tarfile.GNU_FORMAT) + data + bytes(-len(data) % BLOCK)


def members(data: bytes, limits: Limits = FEW) -> dict[str, bytes]:
    return dict(tar_members(gzip.compress(data), limits))


def tar_refused(data: bytes) -> Code:
    with pytest.raises(RevocationError) as error:
        members(data)
    return code_of(error)


def test_a_tar_archive_with_and_without_its_end(tmp_path: Path) -> None:
    good = member("a/b", b"one") + member("c", b"two" * 300) + member("folder", b"", type=tarfile.DIRTYPE)
    expected = {"a/b": b"one", "c": b"two" * 300}
    for end in (0, 1, BLOCK, 2 * BLOCK, 10_240):
        assert members(good + bytes(end)) == expected
    path = tmp_path / "list.tar.gz"
    path.write_bytes(gzip.compress(good))
    with open_files(path) as files:
        assert files.names() == ("a/b", "c")
        assert files.read("a/b") == b"one"


def test_a_kid_may_have_slashes_anywhere() -> None:
    assert members(member("/ab//c=/null/a/00")) == {"/ab//c=/null/a/00": b"data"}


@pytest.mark.parametrize("name", ["../a", "a/../b", "..", "a\\b", "c:a", "/.."])
def test_a_tar_archive_whose_names_lead_out_is_refused(name: str) -> None:
    assert tar_refused(member("good") + member(name)) is Code.REVOCATION_LIST_UNREADABLE


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, b"Z"]
)
def test_links_devices_and_unknown_members_are_refused(kind: bytes) -> None:
    assert tar_refused(member("good") + member("a", b"", type=kind, linkname="good")) is Code.REVOCATION_LIST_UNREADABLE


def test_two_members_of_one_name_are_refused() -> None:
    assert tar_refused(member("a", b"one") + member("a", b"two")) is Code.REVOCATION_LIST_UNREADABLE


def test_a_tar_archive_that_was_cut_off_or_damaged_is_refused() -> None:
    good = member("a", b"one") + member("b", b"x" * 600)
    for length in (1, 100, 511, 512, 600, 1024, 1025, 1300, 1536, 2000):
        cut = good[:length]
        if length == 1024:
            assert members(cut) == {"a": b"one"}  # nothing tells that there was more
        else:
            assert tar_refused(cut) is Code.REVOCATION_LIST_UNREADABLE
    damaged = bytearray(good)
    damaged[1024 + 5] ^= 1  # in the second header, whose sum is wrong then
    assert tar_refused(bytes(damaged)) is Code.REVOCATION_LIST_UNREADABLE


def test_gzip_that_unpacks_to_too_much_or_is_damaged() -> None:
    assert tar_refused(member("a", bytes(20_001))) is Code.INPUT_TOO_LONG
    packed = gzip.compress(member("a"))
    for wrong in (packed[:-9], packed[:5], b"", b"\x1f\x8b", b"plain", packed[:-1] + b"\1", packed[:20] + b"\xff" * 20):
        with pytest.raises(RevocationError) as error:
            dict(tar_members(wrong, FEW))
        assert code_of(error) is Code.REVOCATION_LIST_UNREADABLE


def test_a_file_with_holes_and_one_of_less_than_no_bytes_are_refused() -> None:
    sparse = bytearray(member("a", b"", type=tarfile.GNUTYPE_SPARSE))
    sparse[483:495] = b"%011o\0" % (1 << 33)  # its real size
    assert tar_refused(summed(sparse)) is Code.REVOCATION_LIST_UNREADABLE
    negative = bytearray(member("a", b""))
    negative[124:136] = (-1024).to_bytes(12, "big", signed=True)
    assert tar_refused(member("first") + summed(negative)) is Code.REVOCATION_LIST_UNREADABLE


def summed(header: bytearray) -> bytes:
    """A header with the sum that it should have."""
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header[:BLOCK])
    return bytes(header)


def test_headers_within_headers_without_end_are_refused() -> None:
    deep = member("././@LongLink", b"a\0", type=tarfile.GNUTYPE_LONGNAME)
    limits = replace(DEFAULT_LIMITS, list_bytes=10**7)
    with pytest.raises(RevocationError) as error:
        members(deep * 5000 + member("a"), limits)
    assert code_of(error) is Code.REVOCATION_LIST_UNREADABLE


# --- Anything ---


def reads(path: Path) -> None:
    with open_files(path, limits=FEW) as files:
        for name in files.names():
            data = files.read(name)
            assert data is not None
            assert len(data) <= FEW.list_bytes


def tar_of(data: bytes) -> bytes:
    return gzip.compress(data)


def zip_of(data: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a", data)
    return out.getvalue()


_TAR = member("a") + member("b", b"x" * 600)


@settings(derandomize=True, deadline=None, max_examples=300)
@given(
    data=st.binary(max_size=200) | st.binary(min_size=BLOCK, max_size=3 * BLOCK),
    changes=st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 255)), max_size=5),
    make=st.sampled_from([("a.zip", zip_of), ("a.tgz", tar_of), ("a.tar.gz", bytes), ("a", bytes)]),
    known=st.booleans(),
)
def test_anything_else_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory,
    data: bytes,
    changes: list[tuple[int, int]],
    make: tuple[str, Callable[[bytes], bytes]],
    known: bool,
) -> None:
    name, form = make
    path = tmp_path_factory.getbasetemp() / f"any-{name}"
    inner = bytearray(_TAR if known else data)
    if form is tar_of:
        for place, octet in changes:
            if inner:
                inner[place % len(inner)] = octet
        path.write_bytes(form(bytes(inner)))
    else:
        whole = bytearray(form(bytes(inner)))
        for place, octet in changes:
            if whole:
                whole[place % len(whole)] = octet
        path.write_bytes(whole)
    assert stat.S_ISREG(path.stat().st_mode)
    assert refusal(reads, path) in (None, Code.REVOCATION_LIST_UNREADABLE, Code.INPUT_TOO_LONG)
