"""Segments, separators, character sets and escapes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthcert.errors import Code, IssueError
from healthcert.intake.hl7v2.er7 import _CHARACTER_SETS, Message, read_message
from healthcert.limits import DEFAULT_LIMITS, Limits
from tests.unit.intake.hl7v2.messages import MSH, PID, RESULT, field, message, refused, result, row

UTF_8 = "UNICODE UTF-8"


def parsed(text: str, charset: str = UTF_8) -> Message:
    header = field(MSH, 18, charset)
    return read_message(f"{header}\rNTE|{text}\r".encode(_CHARACTER_SETS[charset]), DEFAULT_LIMITS)


def text_of(text: str, charset: str = UTF_8) -> str:
    read = parsed(text, charset)
    return read.text(read.segments[1][1])


def test_other_separators() -> None:
    marks = str.maketrans({"|": "!", "^": "*", "~": "@", "\\": "%", "&": "$"})
    event = result([segment.translate(marks) for segment in RESULT])
    assert event == result(RESULT)


def test_a_fifth_separator() -> None:
    header = MSH.replace(r"^~\&", r"^~\&#")
    read = read_message(f"{header}\rNTE|a\\P\\b\r".encode(), DEFAULT_LIMITS)
    assert read.text(read.segments[1][1]) == "a#b"
    with pytest.raises(IssueError, match="cut short"):
        read.text("Exemplai#")
    assert text_of("Exemplai#") == "Exemplai#"


@pytest.mark.parametrize("marks", ["abcd", "^^^^", r"^~\|", r"^~\ ", r"^~\1", '^~\\"', "^~", "", r"^~\&#x", "^~\\é"])
def test_separators_that_cannot_be_used(marks: str) -> None:
    code, detail = refused([MSH.replace(r"^~\&", marks), *RESULT[1:]])
    assert code is Code.RECORD_UNREADABLE
    assert detail.startswith("MSH-1 and MSH-2: ")


@pytest.mark.parametrize("separator", ["A", "5", '"'])
def test_a_field_separator_that_is_none(separator: str) -> None:
    code, _ = refused([segment.replace("|", separator) for segment in RESULT])
    assert code is Code.RECORD_UNREADABLE


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (r"a\F\b", "a|b"),
        (r"a\S\b", "a^b"),
        (r"a\T\b", "a&b"),
        (r"a\R\b", "a~b"),
        (r"a\E\b", r"a\b"),
        ("\\T\\\\T\\", "&&"),
        (r"Zo\XC3A9\ ", "Zoé"),
        (r"a\X0D0A\b", "a b"),
        (r"a\.br\b", "a b"),
        (r"a\.sp+2\b", "a b"),
        (r"\H\a\N\b\.in+4\ ", "ab"),
        ('""', ""),
        ("  a b ", "a b"),
    ],
)
def test_escapes(written: str, meant: str) -> None:
    assert text_of(written) == meant


@pytest.mark.parametrize(
    "written",
    [
        "a\\b",
        r"\X1\ ",
        r"\XFF\ ",
        r"\X00\ ",
        r"\X1B\ ",
        r"\C2842\ ",
        r"\M2442\ ",
        r"\Zx\ ",
        r"\Q\ ",
        r"\P\ ",
        "\\\\",
        "a&b",
    ],
)
def test_what_is_no_text(written: str) -> None:
    with pytest.raises(IssueError) as refusal:
        text_of(written)
    assert refusal.value.code is Code.FIELD_INVALID


@pytest.mark.parametrize(
    ("charset", "name"),
    [
        (UTF_8, "Zoë Łukasz Ωmega"),
        ("8859/1", "Zoë Éléonore"),
        ("8859/15", "Bœuf Š €"),
        ("8859/7", "Παπαδόπουλος"),
        ("8859/2", "Łukasz Dvořák"),
        ("ASCII", "Anna"),
        ("", "Anna"),
    ],
)
def test_character_sets(charset: str, name: str) -> None:
    assert text_of(name, charset) == name


def test_an_escape_is_of_the_message_s_character_set() -> None:
    assert text_of(r"Zo\XEB\ ", "8859/1") == "Zoë"
    assert text_of(r"\XD9\ ", "8859/7") == "Ω"


@pytest.mark.parametrize("charset", ["UNICODE", "UNICODE UTF-16", "8859/14", "ISO IR87", "utf8", "GB 18030-2000"])
def test_unknown_character_sets(charset: str) -> None:
    code, detail = refused([field(MSH, 18, charset), *RESULT[1:]])
    assert code is Code.RECORD_NOT_SUPPORTED
    assert detail.startswith("MSH-18: one of ASCII, ")


@pytest.mark.parametrize("charset", ["", '""', "ASCII"])
def test_letters_that_the_stated_character_set_lacks(charset: str) -> None:
    code, detail = refused([field(MSH, 18, charset), *RESULT[1:]])
    assert code is Code.RECORD_UNREADABLE
    assert "MSH-18" in detail


def test_bytes_of_another_character_set() -> None:
    with pytest.raises(IssueError, match="character set of MSH-18"):
        read_message(f"{MSH}\rNTE|Zoé\r".encode("latin-1"), DEFAULT_LIMITS)
    # UTF-8 that says to be Latin-1 has controls where letters should be.
    with pytest.raises(IssueError, match="control characters"):
        read_message(f"{field(MSH, 18, '8859/1')}\rNTE|É\r".encode(), DEFAULT_LIMITS)


@pytest.mark.parametrize("control", ["\0", "\x01", "\x0c", "\x1b", "\x7f", "\x85"])
def test_control_characters(control: str) -> None:
    assert refused([MSH, PID.replace("Zo", f"Zo{control}"), *RESULT[2:]])[0] is Code.RECORD_UNREADABLE


@pytest.mark.parametrize("segment", ["ob|x", "O", "OBXX|1", "ÉBX|1", " OBX|1", "1BX|1", "BTS|1", MSH])
def test_what_is_no_segment(segment: str) -> None:
    with pytest.raises(IssueError) as refusal:
        read_message(message([*RESULT[:2], segment]), DEFAULT_LIMITS)
    assert refusal.value.code is Code.RECORD_UNREADABLE
    assert refusal.value.detail.startswith("segment 3: ")


@pytest.mark.parametrize("header", ["MSH", "MSH|", "MSH|^", r"MSH|^~\&", "MSHORT"])
def test_a_header_that_is_too_short(header: str) -> None:
    assert refused([header, *RESULT[1:]])[0] in (Code.RECORD_UNREADABLE, Code.RECORD_NOT_SUPPORTED)


def test_a_message_has_as_many_segments_as_allowed() -> None:
    data = message(RESULT)
    assert len(read_message(data, Limits(message_segments=6)).segments) == 6
    with pytest.raises(IssueError) as refusal:
        read_message(data, Limits(message_segments=5))
    assert refusal.value.code is Code.INPUT_TOO_LONG


def test_fields_that_are_not_there_and_those_that_were_emptied() -> None:
    read = parsed('a^""~""~b|""|')
    note = read.segments[1]
    assert read.repetitions(note[1]) == ['a^""', "b"]
    assert read.repetitions(note[2]) == read.repetitions(note[3]) == read.repetitions(note[99]) == []
    assert read.component(note[1], 2) == read.component(note[1], 9) == ""


def test_local_segments_and_notes_are_passed_over() -> None:
    noted = [*RESULT[:5], "NTE|1||a & b \\ c", "ZLR|x\\y", RESULT[5]]
    assert row(noted) == row(RESULT)


@given(st.text(st.characters(exclude_categories=("Cc", "Cs", "Zs", "Zl", "Zp")), min_size=1))
def test_what_is_escaped_is_read_back(name: str) -> None:
    escapes = str.maketrans({"|": r"\F\ ", "^": r"\S\ ", "&": r"\T\ ", "~": r"\R\ ", "\\": r"\E\ "})
    written = name.translate({code: text.strip() for code, text in escapes.items()})
    assert text_of(written) == ("" if name == '""' else name)
