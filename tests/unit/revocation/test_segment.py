"""What is looked up in a segment is what was written, and nothing that merely looks like it; damage is noticed."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Mapping
from pathlib import Path

import pytest

from healthcert.errors import Code, RevocationError
from healthcert.revocation import segment as form
from healthcert.revocation.segment import NEVER, Origin, Segment, section_key
from healthcert.revocation.writer import Run, write_segment
from tests.unit.revocation.world import code_of, key, refusal

SECTION = section_key(10, "", b"kid")


def written(
    path: Path,
    records: Mapping[bytes, tuple[int, list[bytes]]],
    origins: tuple[Origin, ...] = (Origin(),),
) -> Segment:
    """A segment of these sections; each record is an identifier and the number of its origin."""
    run = Run.write(path.with_suffix(".run"), {name: (w, bytearray(b"".join(r))) for name, (w, r) in records.items()})
    write_segment(path, [run], (), origins)
    return Segment(path)


def record(identifier: bytes, origin: int = 0) -> bytes:
    return identifier + origin.to_bytes(3, "big")


def of_sixteen(path: Path, keys: list[bytes]) -> form.Section | None:
    return written(path, {SECTION: (16, [record(one) for one in keys])}).section(SECTION)


# --- What is found ---


@pytest.mark.parametrize("count", [1, 7, 8, 9, 63, 64, 65, 1000])
@pytest.mark.parametrize("width", [16, 24, 32])
def test_all_that_was_written_is_found_and_nothing_else(tmp_path: Path, count: int, width: int) -> None:
    keys = [key(number, width) for number in range(count)]
    section = written(tmp_path / "s", {SECTION: (width, [record(one) for one in keys])}).section(SECTION)
    assert section is not None
    assert (section.count, section.width) == (count, width)
    assert all(section.find(one) == 0 for one in keys)
    assert all(list(section.find_all(one)) == [0] for one in keys)
    assert all(section.find(key(number, width)) is None for number in range(count, count + 1000))
    assert list(section.find_all(key(count, width))) == []


def test_more_records_than_are_sorted_at_once(tmp_path: Path) -> None:
    count = 500_001
    keys = [struct.pack(">QQ", number * 0x9E3779B97F4A7C15 % 2**64, number) for number in range(count)]
    section = of_sixteen(tmp_path / "s", keys)
    assert section is not None
    assert section.count == count
    assert all(section.find(one) == 0 for one in keys[::97])
    assert all(section.find(one[:15] + bytes((one[15] ^ 1,))) is None for one in keys[::97])
    view = bytes(section.records())
    assert view == b"".join(map(record, sorted(keys)))


def test_identifiers_at_both_ends(tmp_path: Path) -> None:
    keys = [bytes(16), bytes(15) + b"\1", b"\0" * 3 + key(1)[3:], b"\xff" * 16, b"\xff" * 15 + b"\xfe", b"\xff\0" * 8]
    for number in range(1, len(keys) + 1):
        section = of_sixteen(tmp_path / str(number), keys[:number])
        assert section is not None
        assert [section.find(one) for one in keys] == [0] * number + [None] * (len(keys) - number)


def test_identifiers_that_differ_in_the_last_bit_alone(tmp_path: Path) -> None:
    keys = [b"\x55" * 15 + bytes((number,)) for number in range(0, 256, 2)]
    section = of_sixteen(tmp_path / "s", keys)
    assert section is not None
    found = [section.find(b"\x55" * 15 + bytes((number,))) for number in range(256)]
    assert found == [0, None] * 128


def test_a_match_that_lies_across_two_records_is_none(tmp_path: Path) -> None:
    # The end of the first, its origin and the beginning of the second make up the third, which is not there.
    first = bytes(8) + bytes(range(1, 9))
    second = bytes(9) + bytes(range(1, 8))
    across = (record(first) + record(second))[5:21]
    after = bytes(10) + bytes(6)
    for keys in ([first, second], [first, second, after]):
        data = b"".join(map(record, sorted(keys)))
        assert any(data.find(one) >= 0 for one in (across, (record(second) + record(first))[5:21]))
        section = of_sixteen(tmp_path / str(len(keys)), keys)
        assert section is not None
        for start in range(len(data) - 15):
            expected = data[start : start + 16] in keys
            assert (section.find(data[start : start + 16]) is not None) == expected
            assert (list(section.find_all(data[start : start + 16])) != []) == expected


def test_a_record_behind_a_match_across_two_others_is_found(tmp_path: Path) -> None:
    zero, one = bytes(16), bytes(15) + b"\1"
    assert (record(zero) + record(one)).find(one) < 19 + 16
    section = of_sixteen(tmp_path / "s", [zero, one])
    assert section is not None
    assert section.find(one) == 0
    assert section.find(bytes(14) + b"\1\0") is None


def test_several_origins_of_one_identifier_in_order(tmp_path: Path) -> None:
    origins = (Origin(), Origin(5, 6, "FR"), Origin(expires=7))
    rows = [record(key(1), 2), record(key(1), 0), record(key(2), 1), record(key(1), 1), record(key(1), 0)]
    segment = written(tmp_path / "s", {SECTION: (16, rows)}, origins)
    section = segment.section(SECTION)
    assert section is not None
    assert section.find(key(1)) == 0
    assert list(section.find_all(key(1))) == [0, 1, 2]
    assert section.count == 4
    assert [segment.origin(number) for number in range(3)] == list(origins)
    assert [segment.recorded(number) for number in range(4)] == [1, 2, 1, 0]
    assert segment.origin(0) == Origin(NEVER, NEVER, None)
    with pytest.raises(RevocationError) as error:
        segment.origin(3)
    assert code_of(error) is Code.REVOCATION_STORE_UNREADABLE


def test_sections_by_type_issuer_and_kid(tmp_path: Path) -> None:
    names = [
        (10, "", None),
        (10, "", b""),
        (10, "", b"*"),
        (10, "", b"k"),
        (10, "k", None),
        (10, "k", b""),
        (11, "", b"k"),
    ]
    keys = {section_key(*name): key(number) for number, name in enumerate(names)}
    assert len(keys) == len(names)
    segment = written(tmp_path / "s", {name: (16, [record(one)]) for name, one in keys.items()})
    for name in keys:
        section = segment.section(name)
        assert section is not None
        assert [one for one in keys.values() if section.find(one) is not None] == [keys[name]]
    assert segment.section(section_key(11, "", None)) is None
    assert [row.key for row in segment.all_rows()] == sorted(keys)


def test_chunks_by_kid_partition_and_name() -> None:
    names = [(None, None, "a"), (b"", None, "a"), (b"a", None, ""), (b"", "a", ""), (b"", "a", "b"), (None, "a", "b")]
    keys = [form.chunk_key(*name) for name in names]
    assert len(set(keys)) == len(names)
    assert not set(keys) & {section_key(0, "", None), section_key(0, "a", b"b")}


def test_a_segment_of_nothing(tmp_path: Path) -> None:
    segment = written(tmp_path / "s", {}, ())
    segment.check()
    assert (segment.origin_count, list(segment.all_rows()), segment.section(SECTION)) == (0, [], None)


def test_thirty_thousand_kids(tmp_path: Path) -> None:
    sections = {section_key(10, "", str(kid).encode()): (16, [record(key(kid))]) for kid in range(30_000)}
    segment = written(tmp_path / "s", sections)
    for kid in range(0, 30_000, 101):
        section = segment.section(section_key(10, "", str(kid).encode()))
        assert section is not None
        assert section.find(key(kid)) == 0
        assert section.find(key(kid + 1)) is None
    assert segment.section(section_key(10, "", b"30000")) is None


def test_opening_reads_the_header_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    segment = written(
        tmp_path / "s", {section_key(10, "", str(kid).encode()): (16, [record(key(kid))]) for kid in range(99)}
    )
    monkeypatch.setattr(Segment, "_row", lambda *_: pytest.fail("a section was read"))
    monkeypatch.setattr(Segment, "_origin", lambda *_: pytest.fail("an origin was read"))
    assert Segment(segment.path).size == segment.size


# --- Damage ---


def some(path: Path) -> Segment:
    rows = [record(key(number), number % 2) for number in range(20)]
    return written(path, {SECTION: (16, rows)}, (Origin(country="FR"), Origin()))


def test_every_byte_that_has_changed_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "s"
    good = some(path)
    good.check()
    data = path.read_bytes()
    for place in range(len(data)):
        changed = tmp_path / "changed"
        changed.write_bytes(data[:place] + bytes((data[place] ^ 1 << place % 8,)) + data[place + 1 :])
        with pytest.raises(RevocationError) as error:
            Segment(changed).check()
        assert code_of(error) is Code.REVOCATION_STORE_UNREADABLE


def test_a_header_that_changes_later_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "s"
    segment = some(path)
    with path.open("r+b") as file:
        file.write(b"X")
    with pytest.raises(RevocationError) as error:
        segment.check()
    assert code_of(error) is Code.REVOCATION_STORE_UNREADABLE


@pytest.mark.parametrize("length", [0, 1, 71, 103, 104, -1, 4096])
def test_a_file_of_another_length_is_not_opened(tmp_path: Path, length: int) -> None:
    path = tmp_path / "s"
    data = (some(path), path.read_bytes())[1]
    path.write_bytes(data[:length] if length < len(data) else data + bytes(length))
    with pytest.raises(RevocationError) as error:
        Segment(path)
    assert code_of(error) is Code.REVOCATION_STORE_UNREADABLE


def test_a_file_that_has_grown_is_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "s"
    some(path)
    with path.open("ab") as file:
        file.write(b"\0")
    with pytest.raises(RevocationError):
        Segment(path)


def with_header(path: Path, **fields: int) -> None:
    """A header that says otherwise, and whose own digest is right."""
    data = path.read_bytes()
    names = ("magic", "size", "origins", "origin_count", "rows", "row_count", "digest")
    values = dict(zip(names, form.HEADER.unpack(data[: form.HEADER.size]), strict=True)) | fields
    header = form.HEADER.pack(*values.values())
    path.write_bytes(header + hashlib.sha256(header).digest() + data[form.HEADER_BYTES :])


@pytest.mark.parametrize(
    "fields",
    [
        {"size": 0},
        {"size": 2**64 - 1},
        {"origins": 2**64 - 1},
        {"origin_count": 2**32 - 1},
        {"rows": 2**64 - 1},
        {"row_count": 2**32 - 1},
        {"row_count": form.MOST_SECTIONS + 1},
        {"row_count": 2},
    ],
    ids=str,
)
def test_a_header_that_leads_outside_is_refused(tmp_path: Path, fields: dict[str, int]) -> None:
    path = tmp_path / "s"
    some(path)
    with_header(path, **fields)
    with pytest.raises(RevocationError) as error:
        Segment(path)
    assert code_of(error) is Code.REVOCATION_STORE_UNREADABLE


def test_another_format_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "s"
    some(path)
    data = path.read_bytes()
    header = b"HCREVOC\x02" + data[8 : form.HEADER.size]
    path.write_bytes(header + hashlib.sha256(header).digest() + data[form.HEADER_BYTES :])
    with pytest.raises(RevocationError):
        Segment(path)


ROW_FIELDS = ("key", "kind", "width", "fan_bits", "start", "count", "extra")
LARGEST = {"kind": 255, "width": 255, "fan_bits": 255, "start": 2**64 - 1, "count": 2**64 - 1, "extra": 2**64 - 1}


def with_row(path: Path, **fields: int | bytes) -> Segment:
    """The segment at ``path`` with another first row."""
    data = bytearray(path.read_bytes())
    rows = form.HEADER.unpack(bytes(data[: form.HEADER.size]))[4]
    values = dict(zip(ROW_FIELDS, form.ROW.unpack_from(data, rows), strict=True)) | fields
    form.ROW.pack_into(data, rows, *values.values())
    path.write_bytes(data)
    return Segment(path)


@pytest.mark.parametrize("field", ROW_FIELDS[1:])
@pytest.mark.parametrize("value", [0, 1, 2, 3, 7, 24, 25, 255, 2**31, 2**32 - 1, 2**63, 2**64 - 1])
def test_a_row_that_says_anything_leads_to_nothing_but_a_refusal(tmp_path: Path, field: str, value: int) -> None:
    path = tmp_path / "s"
    some(path)
    segment = with_row(path, **{field: min(value, LARGEST[field])})

    def looks_up() -> None:
        section = segment.section(SECTION)
        if section is not None:
            for number in range(30):
                section.find(key(number))
                assert len(list(section.find_all(key(number)))) <= section.count
            assert len(section.records()) <= segment.size

    assert refusal(looks_up) in (None, Code.REVOCATION_STORE_UNREADABLE)


def test_a_table_that_leads_out_of_its_section_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "s"
    segment = some(path)
    (row,) = segment.all_rows()
    data = bytearray(path.read_bytes())
    for entry in range((1 << row.fan_bits) + 1):
        form.FAN.pack_into(data, row.extra + 4 * entry - 4 * (entry == 1 << row.fan_bits), 0, 2**32 - 1)
    path.write_bytes(data)
    section = Segment(path).section(SECTION)
    assert section is not None
    for look_up in (section.find, lambda one: list(section.find_all(one))):
        with pytest.raises(RevocationError) as error:
            look_up(b"\xff" * 16)
        assert code_of(error) is Code.REVOCATION_STORE_UNREADABLE


def test_an_origin_whose_country_is_none_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "s"
    some(path)
    path.write_bytes(path.read_bytes().replace(b"FR", b"\xff\xfe"))
    with pytest.raises(RevocationError) as error:
        Segment(path).origin(0)
    assert code_of(error) is Code.REVOCATION_STORE_UNREADABLE
