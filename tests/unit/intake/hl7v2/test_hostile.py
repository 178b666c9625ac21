"""Whatever bytes a file has, rows and rejected rows come out, and nothing of what they hold is told."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from healthcert.errors import Code, IssueError
from healthcert.intake.mapping import read_mapping
from healthcert.intake.reading import RejectedRow, Row
from healthcert.intake.records import IntakeOptions
from tests.unit.intake.hl7v2.messages import RESULT, VACCINATION, block, message, read

many = settings(derandomize=True, deadline=None, max_examples=300)
ZONED = IntakeOptions(mapping=read_mapping(b'zone = "Europe/Paris"'))
WHOLE = (message(RESULT), message(VACCINATION), block(message(RESULT)))
CODES = {
    Code.RECORD_UNREADABLE, Code.RECORD_NOT_SUPPORTED, Code.RECORD_NOT_FINAL, Code.CODE_NOT_MAPPED, Code.HOLDER_UNKNOWN,
    Code.FIELD_INVALID, Code.IDENTITY_INVALID, Code.IDENTITY_MISMATCH, Code.INPUT_TOO_LONG,
}  # fmt: skip


def check(data: bytes) -> None:
    numbers = []
    for row in read(data, ZONED):
        assert isinstance(row, Row | RejectedRow)
        numbers.append(row.number)
        if isinstance(row, RejectedRow):
            assert isinstance(row.error, IssueError)
            assert row.error.code in CODES
            assert row.error.detail.isprintable()
            assert "LEF" not in row.error.detail
    assert numbers == sorted(numbers)
    assert min(numbers, default=1) == 1


@many
@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    check(data)
    check(b"MSH|^~\\&|" + data)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A good file, some pieces of which were cut out, doubled, moved or overwritten."""
    data = bytearray(b"".join(draw(st.lists(st.sampled_from(WHOLE), min_size=1, max_size=3))))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(data)))
        end = draw(st.integers(start, min(len(data), start + 60)))
        match draw(st.sampled_from(["cut", "double", "overwrite"])):
            case "cut":
                del data[start:end]
            case "double":
                data[start:start] = data[start:end]
            case _:
                data[start:end] = draw(
                    st.binary(max_size=8)
                    | st.sampled_from(
                        [b"|", b"^", b"~", b"&", b"\\", b"\r", b'""', b"\x0b", b"\x1c", b"MSH|", b"\r\r\n", b"\x00"]
                    )
                )
    return bytes(data)


@many
@given(damaged())
def test_damaged_files(data: bytes) -> None:
    check(data)


FIELD = st.text(st.sampled_from('^~&\\|"19F+.XLSCTé '), max_size=12)


@many
@given(st.lists(st.tuples(st.sampled_from([*RESULT[1:], *VACCINATION[1:]]), st.integers(1, 33), FIELD), max_size=6))
def test_damaged_fields(changes: list[tuple[str, int, str]]) -> None:
    for segments in (RESULT, VACCINATION):
        changed = list(segments)
        for segment, number, value in changes:
            for at, one in enumerate(changed):
                if one[:3] == segment[:3]:
                    fields = one.split("|") + [""] * 40
                    fields[number] = value
                    changed[at] = "|".join(fields).rstrip("|")
        check(message(changed))


@given(st.permutations(RESULT[1:]), st.permutations(VACCINATION[1:]))
def test_segments_in_any_order(result: list[str], vaccination: list[str]) -> None:
    for header, right, segments in ((RESULT[0], RESULT, result), (VACCINATION[0], VACCINATION, vaccination)):
        check(message([header, *segments]))
        rows = [row for row in read(message([header, *segments])) if isinstance(row, Row)]
        assert rows in ([], *[[row] for row in read(message(right))])
