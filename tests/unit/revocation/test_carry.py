"""Bundles of revocation lists: what somebody who owns the stick, or signs the bundle, cannot do with it."""

from __future__ import annotations

import os
import struct
import warnings
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

import healthcert as hc
from healthcert.encoding import cbor, cose
from healthcert.publish.revocation_bundle import export_revocations
from healthcert.revocation.carry import CONTENT_TYPE, CONTENT_TYPE_LABEL, MANIFEST, Manifest
from healthcert.revocation.files import Given
from tests.support import DAY, NOW
from tests.support_revocation import anchor, batch, batch_id, clock, new_store, standing, uploader


def filled(folder: Path, *numbers: int, name: str = "dgcg") -> hc.RevocationStore:
    store = new_store(folder)
    feed = hc.RevocationFeed(name=name, format="dgcg", anchors=(anchor(),), max_age=DAY)
    hc.install_revocations(store, feed, Given({batch_id(1): batch(*numbers)}), clock=clock(), force=True)
    return store


def exported(store: hc.RevocationStore, path: Path, *, number: int | None = None) -> Path:
    export_revocations(store, uploader().signer(), path, now=NOW, life=7 * DAY, number=number)
    return path


def import_(store: hc.RevocationStore, path: Path, **further: Any) -> hc.RevocationChange:
    return hc.import_revocations(store, path, (anchor(),), clock=clock(), **further)


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return exported(filled(tmp_path / "here", 1, 2, 3), tmp_path / "bundle")


def members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def pack(path: Path, files: Mapping[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def signed_again(path: Path, change: Callable[[Manifest], Manifest]) -> Path:
    """The bundle as its own signer would sign something else."""
    files = members(path)
    manifest = change(msgspec.msgpack.decode(cose.decode_sign1(files[MANIFEST], max_depth=4).payload, type=Manifest))
    signer = uploader().signer()
    protected = cbor.encode({cose.ALG: signer.algorithm.value, CONTENT_TYPE_LABEL: CONTENT_TYPE, cose.KID: signer.kid})
    payload = msgspec.msgpack.encode(manifest)
    signature = signer.sign(cose.sig_structure(protected, payload))
    return pack(path, files | {MANIFEST: cose.assemble_sign1(protected, payload, signature)})


def with_head(**changes: Any) -> Callable[[Manifest], Manifest]:
    def change(manifest: Manifest) -> Manifest:
        (carried,) = manifest.lists
        return replace(manifest, lists=(replace(carried, head=replace(carried.head, **changes)),))

    return change


def test_what_is_carried_is_asked(tmp_path: Path, bundle: Path) -> None:
    store = new_store(tmp_path / "there")
    change = import_(store, bundle)
    assert (change.added, change.records) == (1, 3)
    assert standing(store, 2) is hc.Standing.HIT
    assert list(store.state.lists) == ["bundle/dgcg"]


@pytest.mark.parametrize(
    "change",
    [
        with_head(modes={b"kid": "SIDEWAYS"}),
        with_head(records=-1),
        with_head(source="up\x1b[2J"),
        with_head(source=""),
        with_head(fetched_at=NOW + DAY),
        lambda m: with_head(files=tuple(replace(f, digest=bytes(32)) for f in m.lists[0].head.files))(m),
        lambda m: with_head(files=tuple(replace(f, size=f.size + 1) for f in m.lists[0].head.files))(m),
        with_head(files=()),
        lambda m: replace(m, lists=()),
        lambda m: replace(m, lists=m.lists * 2),
        lambda m: replace(m, version=2),
        lambda m: replace(m, issued_at=NOW + DAY),
        lambda m: replace(m, expires_at=NOW - DAY),
        lambda m: replace(m, environment=hc.Environment.TEST),
    ],
)
def test_a_signed_bundle_that_makes_no_sense_leaves_the_store_as_it_was(
    tmp_path: Path, bundle: Path, change: Callable[[Manifest], Manifest]
) -> None:
    store = filled(tmp_path / "there", 7)
    with pytest.raises(hc.RevocationError):
        import_(store, signed_again(bundle, change))
    again = new_store(tmp_path / "there")
    assert list(again.state.lists) == ["dgcg"]
    assert standing(again, 7) is hc.Standing.HIT


def _renamed(data: bytes) -> bytes:
    """A name that says it is UTF-8, and is not."""
    at = data.index(b"PK\1\2")
    flags = struct.pack("<H", 0x800)
    name = data.index(MANIFEST.encode(), at)
    return data[: at + 8] + flags + data[at + 10 : name] + b"\xff" + data[name + 1 :]


def _leading(offset: int) -> Callable[[bytes], bytes]:
    """A directory whose first file stands somewhere else."""

    def change(data: bytes) -> bytes:
        at = data.index(b"PK\1\2") + 42
        return data[:at] + struct.pack("<L", offset) + data[at + 4 :]

    return change


def _before_itself(data: bytes) -> bytes:
    """A directory that is said to be longer than all there is."""
    at = data.rindex(b"PK\5\6") + 12
    return data[:at] + struct.pack("<L", len(data)) + data[at + 4 :]


@pytest.mark.parametrize(
    "damage",
    [
        _renamed,
        _leading(0xFFFFFF),
        _leading(0x7FFFFFFF),
        _before_itself,
        lambda data: data[:-1],
        lambda data: data + b"more",
        lambda data: data[: len(data) // 2],
        lambda _: b"",
        lambda _: b"PK\5\6" + bytes(18),
        lambda data: data.replace(MANIFEST.encode(), b"manifold"),
    ],
)
def test_a_damaged_archive_is_refused_with_a_code(
    tmp_path: Path, bundle: Path, damage: Callable[[bytes], bytes]
) -> None:
    bundle.write_bytes(damage(bundle.read_bytes()))
    store = new_store(tmp_path / "there")
    with pytest.raises(hc.RevocationError) as caught:
        import_(store, bundle)
    assert caught.value.code in (hc.Code.REVOCATION_LIST_UNREADABLE, hc.Code.INPUT_TOO_LONG)
    assert not store


def test_an_archive_of_very_many_files_is_not_even_opened(
    tmp_path: Path, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = pack(bundle, {f"{number:0200d}": b"" for number in range(20_000)})
    monkeypatch.setattr(zipfile, "ZipFile", lambda *_: pytest.fail("it was opened"))
    with pytest.raises(hc.RevocationError) as caught:
        import_(new_store(tmp_path / "there"), made)
    assert caught.value.code is hc.Code.INPUT_TOO_LONG


def test_so_is_one_whose_64_bit_end_says_another_length(tmp_path: Path, bundle: Path) -> None:
    data = bundle.read_bytes()
    end = data[-22:]
    long = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, 1, 1, 1 << 40, 0)
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, len(data) - 22, 1)
    bundle.write_bytes(data[:-22] + long + locator + end)
    with pytest.raises(hc.RevocationError) as caught:
        import_(new_store(tmp_path / "there"), bundle)
    assert caught.value.code is hc.Code.INPUT_TOO_LONG


def test_a_member_that_stands_twice_or_besides_changes_nothing(tmp_path: Path, bundle: Path) -> None:
    files = members(bundle)
    with warnings.catch_warnings(), zipfile.ZipFile(bundle, "a") as archive:
        warnings.simplefilter("ignore")
        archive.writestr("../../../etc/passwd", b"x")
        archive.writestr(next(name for name in files if name != MANIFEST), b"x")
    store = new_store(tmp_path / "there")
    with pytest.raises(hc.RevocationError) as caught:
        import_(store, bundle)
    assert caught.value.code is hc.Code.REVOCATION_LIST_NOT_AUTHENTIC
    assert not list((tmp_path / "there").glob("*.hcrev"))


def test_a_disk_that_is_full_is_not_taken_for_a_damaged_archive(
    tmp_path: Path, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        import_(new_store(tmp_path / "there"), bundle)


def test_a_bundle_cannot_take_the_place_of_another_or_of_a_list(tmp_path: Path, bundle: Path) -> None:
    store = filled(tmp_path / "there", 7)
    with pytest.raises(hc.RevocationError) as caught:
        import_(store, bundle, name="dgcg")
    assert caught.value.code is hc.Code.REVOCATION_CONFIG_INVALID
    import_(store, bundle, name="a")
    for name in ("a/b", "", "a\n"):
        with pytest.raises(ValueError, match="without slashes"):
            import_(store, bundle, name=name)
    import_(store, bundle, name="b")
    assert sorted(store.state.lists) == ["a/dgcg", "b/dgcg", "dgcg"]
    # A bundle's own lists may be carried further, and then have both names.
    further = exported(store, tmp_path / "further", number=int(NOW.timestamp()) + 1)
    import_(store, further, name="a")
    assert sorted(store.state.lists) == ["a/a/dgcg", "a/b/dgcg", "a/dgcg", "b/dgcg", "dgcg"]


def test_two_lists_of_the_same_content_are_carried_once(tmp_path: Path) -> None:
    store = filled(tmp_path / "here", 1)
    first = exported(store, tmp_path / "first")
    import_(store, first, name="a")
    import_(store, first, name="b")
    second = exported(store, tmp_path / "second", number=int(NOW.timestamp()) + 1)
    assert len(members(second)) == 3
    there = new_store(tmp_path / "there")
    assert import_(there, second).added == 3
    assert standing(there, 1) is hc.Standing.HIT


def test_an_older_bundle_is_refused_and_so_is_another_of_the_same_number(tmp_path: Path) -> None:
    old = exported(filled(tmp_path / "one", 1), tmp_path / "old", number=5)
    other = exported(filled(tmp_path / "two", 2), tmp_path / "other", number=6)
    new = exported(filled(tmp_path / "one", 1), tmp_path / "new", number=6)
    store = new_store(tmp_path / "there")
    import_(store, new)
    for path, code in (
        (old, hc.Code.REVOCATION_LIST_ROLLED_BACK),
        (other, hc.Code.REVOCATION_LIST_EQUIVOCATES),
    ):
        with pytest.raises(hc.RevocationError) as caught:
            import_(store, path, force=True)
        assert caught.value.code is code
    assert standing(store, 1) is hc.Standing.HIT


def test_lists_that_change_while_they_are_exported_are_one_moments(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = filled(tmp_path / "here", 1)
    segments = store.segments

    def meanwhile(source: str) -> Any:
        monkeypatch.undo()
        filled(tmp_path / "here", 1, 2)
        store.reload()
        return segments(source)

    monkeypatch.setattr(store, "segments", meanwhile)
    with pytest.raises(hc.RevocationError, match="changed meanwhile"):
        exported(store, tmp_path / "bundle")
    assert not (tmp_path / "bundle").exists()
