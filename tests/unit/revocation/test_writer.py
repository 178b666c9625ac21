"""Segments are written of layers: what a later one says holds, and what is dead is left out."""

from __future__ import annotations

from pathlib import Path

import pytest

from healthcert.errors import Code, RevocationError
from healthcert.revocation import writer
from healthcert.revocation.segment import BLOOM, TOMBSTONE, VARHASH, Origin, Segment, chunk_key, section_key
from healthcert.revocation.writer import Filter, Old, Run, alive, write_segment
from tests.unit.revocation.world import code_of, key

SECTION = section_key(10, "", b"kid")
GONE = TOMBSTONE


def run(path: Path, *rows: tuple[bytes, int], section: bytes = SECTION, width: int = 16) -> Run:
    data = bytearray(b"".join(one + origin.to_bytes(3, "big") for one, origin in rows))
    return Run.write(path, {section: (width, data)})


def rows_of(segment: Segment) -> list[tuple[bytes, int]]:
    section = segment.section(SECTION)
    data = b"" if section is None else bytes(section.records())
    return [(data[at : at + 16], int.from_bytes(data[at + 16 : at + 19], "big")) for at in range(0, len(data), 19)]


ORIGINS = [Origin() for _ in range(10)]
A, B, C = sorted(key(number) for number in range(3))


def merged(
    tmp_path: Path, *layers: list[tuple[bytes, int]], dead: frozenset[int] = frozenset(), overlay: bool = False
) -> list[tuple[bytes, int]]:
    runs = [run(tmp_path / f"run{number}", *layer) for number, layer in enumerate(layers)]
    write_segment(tmp_path / "s", runs, (), ORIGINS, dead=dead, overlay=overlay)
    return rows_of(Segment(tmp_path / "s"))


def test_layers_are_sorted_into_one(tmp_path: Path) -> None:
    assert merged(tmp_path, [(B, 1), (A, 2)], [(C, 0), (A, 1)]) == [(A, 1), (A, 2), (B, 1), (C, 0)]


def test_a_record_that_is_there_twice_is_written_once(tmp_path: Path) -> None:
    assert merged(tmp_path, [(A, 1), (A, 1), (A, 2)]) == [(A, 1), (A, 2)]
    assert merged(tmp_path, [(A, 1)], [(A, 1)], [(A, 2)]) == [(A, 1), (A, 2)]


def test_records_of_dead_origins_are_left_out(tmp_path: Path) -> None:
    assert merged(tmp_path, [(A, 1), (A, 2), (B, 1)], dead=frozenset({1})) == [(A, 2)]


def test_what_a_later_layer_removes_is_gone_from_the_earlier_ones_alone(tmp_path: Path) -> None:
    assert merged(tmp_path, [(A, 1), (B, 1)], [(A, GONE)]) == [(B, 1)]
    assert merged(tmp_path, [(A, GONE)], [(A, 1)]) == [(A, 1)]
    assert merged(tmp_path, [(A, 1)], [(A, GONE)], [(A, 2)]) == [(A, 2)]
    assert merged(tmp_path, [(A, 1)], [(A, GONE), (A, 2)]) == [(A, 2)]


def test_in_an_overlay_what_was_removed_is_told(tmp_path: Path) -> None:
    assert merged(tmp_path, [(A, 1), (B, 1)], [(A, GONE)], overlay=True) == [(A, GONE), (B, 1)]
    assert merged(tmp_path, [(A, GONE)], [(A, 1)], overlay=True) == [(A, 1), (A, GONE)]
    assert merged(tmp_path, [(A, GONE)], [(A, GONE)], overlay=True) == [(A, GONE)]
    assert merged(tmp_path, [(A, GONE), (A, 1)], [(A, GONE)], overlay=True) == [(A, GONE)]
    assert merged(tmp_path, [(A, GONE), (A, 1)], dead=frozenset({1}), overlay=True) == [(A, GONE)]


@pytest.mark.parametrize("at_once", [1, 2, 3, 50, 1000])
def test_in_pieces_and_at_once_the_same_file_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    # Some begin alike, up to the last byte.
    keys = [key(number) for number in range(150)] + [b"\x77" * 15 + bytes((number,)) for number in range(100)]
    layers = [[(one, number % 3) for number, one in enumerate(keys)], [(one, 4) for one in keys[::2]]]
    runs = [run(tmp_path / f"run{number}", *layer) for number, layer in enumerate(layers)]
    whole = write_segment(tmp_path / "whole", runs, (), ORIGINS)
    monkeypatch.setattr(writer, "_AT_ONCE", at_once)
    assert write_segment(tmp_path / "pieces", runs, (), ORIGINS) == whole
    assert (tmp_path / "whole").read_bytes() == (tmp_path / "pieces").read_bytes()
    section = Segment(tmp_path / "pieces").section(SECTION)
    assert section is not None
    assert all(section.find(one) is not None for one in keys)


def test_a_piece_is_no_longer_than_it_may_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "_AT_ONCE", 10)
    sections = [
        next(
            one
            for _, _, one in run(
                tmp_path / "a", *((b"\x77" * 14 + number.to_bytes(2, "big"), 0) for number in range(500))
            ).sections()
        ),
        next(one for _, _, one in run(tmp_path / "b", *((key(number), 0) for number in range(100))).sections()),
    ]
    pieces = list(writer._pieces(sections, [(0, one.count) for one in sections]))
    assert max(sum(len(part) // 19 for part in piece) for piece in pieces) <= 10
    assert b"".join(bytes(piece[0]) for piece in pieces) == bytes(sections[0].records())


def test_sections_without_a_record_are_not_written(tmp_path: Path) -> None:
    assert list(run(tmp_path / "run").sections()) == []
    assert merged(tmp_path, [], [(A, 1)], dead=frozenset({1})) == []
    assert list(Segment(tmp_path / "s").all_rows()) == []


def test_filters_are_written_as_they_are(tmp_path: Path) -> None:
    names = [chunk_key(b"kid", None, "a"), chunk_key(b"kid", None, "b")]
    blobs = [b"one", b"", b"three"]
    filters = [Filter(names[0], BLOOM, 1, 0, 3), Filter(names[1], VARHASH, 2, 0, 0), Filter(names[0], VARHASH, 3, 0, 5)]
    write_segment(
        tmp_path / "s", [], [(one, memoryview(blob)) for one, blob in zip(filters, blobs, strict=True)], ORIGINS
    )
    segment = Segment(tmp_path / "s")
    segment.check()
    found = {(one.key, one.kind, one.origin): one for one in Old(segment).filters()}
    assert {name: segment.map[one.start : one.start + one.size] for name, one in found.items()} == {
        (one.key, one.kind, one.origin): blob for one, blob in zip(filters, blobs, strict=True)
    }
    assert alive([segment], {1}, 0) == (0, 2)


def test_more_sections_than_can_be_opened_are_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "MOST_SECTIONS", 2)
    layers = [run(tmp_path / str(number), (A, 0), section=section_key(number, "", None)) for number in range(3)]
    write_segment(tmp_path / "s", layers[:2], (), ORIGINS)
    with pytest.raises(RevocationError) as error:
        write_segment(tmp_path / "s", layers, (), ORIGINS)
    assert code_of(error) is Code.INPUT_TOO_LONG


def test_what_is_alive_of_a_segment_and_one_before_it(tmp_path: Path) -> None:
    origins = [Origin(), Origin(expires=100), Origin(), Origin()]
    base = run(tmp_path / "b", (A, 0), (A, 1), (A, 2), (B, 0), (B, 1), (C, 2))
    over = run(tmp_path / "o", (A, GONE), (A, 3), (B, 3), (key(9), GONE))
    write_segment(tmp_path / "base", [base], (), origins)
    write_segment(tmp_path / "over", [over], (), origins, overlay=True)
    behind, before = Segment(tmp_path / "base"), Segment(tmp_path / "over")
    assert alive([], (), 0) == (0, 0)
    assert alive([behind], (), 100) == (6, 0)
    assert alive([behind], (), 101) == (4, 0)
    assert alive([behind, before], (), 100) == (3 + 2, 0)
    assert alive([behind, before], (), 101) == (2 + 2, 0)
    assert alive([behind, before], {0}, 101) == (1 + 2, 0)
    assert alive([behind, before], {0, 2, 3}, 101) == (0, 0)
