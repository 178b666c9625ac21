"""The packages hl7 and hl7apy as a second opinion on where segments, fields, components and repetitions end."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from healthcert.intake.hl7v2.er7 import read_message
from healthcert.limits import DEFAULT_LIMITS
from tests.unit.intake.hl7v2.messages import MSH, RESULT, VACCINATION, message

LETTERS = st.characters(categories=("Lu", "Ll", "Nd"), max_codepoint=0x24F)
PART = st.text(LETTERS, max_size=5)
FIELD = st.lists(st.lists(st.lists(PART, min_size=1, max_size=3), min_size=1, max_size=3), min_size=1, max_size=3)


def joined(field: list[list[list[str]]]) -> str:
    return "~".join("^".join("&".join(parts) for parts in components) for components in field)


def ours(text: str) -> list[list[list[list[list[str]]]]]:
    """Segments, fields, repetitions, components, subcomponents."""
    read = read_message(text.encode(), DEFAULT_LIMITS)
    return [
        [
            [
                [read.subcomponents(part) for part in read.components(one)]
                for one in field.split(read.separators.repetition)
            ]
            for field in segment.fields[1:]
        ]
        for segment in read.segments[1:]
    ]


def of_hl7(text: str) -> list[list[list[list[list[str]]]]]:
    hl7 = pytest.importorskip("hl7", reason="the package hl7 is not installed")

    def parts(item: object, depth: int) -> object:
        """hl7 leaves out levels that hold one thing."""
        if depth == 0:
            return str(item)
        inner = list(item) if isinstance(item, list) else [item]
        return [parts(one, depth - 1) for one in inner] or [parts("", depth - 1)]

    found = hl7.parse(text, encoding="utf-8")
    return [[parts(field, 3) for field in segment[1:]] for segment in list(found)[1:]]  # type: ignore[misc]


@pytest.mark.parametrize("segments", [RESULT, VACCINATION])
def test_whole_messages_against_hl7(segments: tuple[str, ...]) -> None:
    text = message(segments).decode()
    assert ours(text) == of_hl7(text)


@settings(deadline=None, max_examples=150, derandomize=True)
@given(st.lists(st.lists(FIELD, min_size=1, max_size=4), min_size=1, max_size=4))
def test_any_message_against_hl7(segments: list[list[list[list[list[str]]]]]) -> None:
    text = "".join(f"{line}\r" for line in [MSH, *("|".join(["ZZZ", *map(joined, one)]) for one in segments)])
    assert ours(text) == of_hl7(text)


@pytest.mark.parametrize(
    ("segment", "number", "component"),
    [("PID", 5, 2), ("PID", 7, 1), ("OBR", 7, 1), ("OBX", 3, 1), ("OBX", 5, 3), ("OBX", 11, 1)],
)
def test_where_fields_are_against_hl7apy(segment: str, number: int, component: int) -> None:
    parser = pytest.importorskip("hl7apy.parser", reason="the package hl7apy is not installed")
    text = message(RESULT).decode()
    theirs = next(one for one in parser.parse_message(text, find_groups=False).children if one.name == segment)
    found = getattr(theirs, f"{segment}_{number}")[0].to_er7().split("^")[component - 1]
    read = read_message(text.encode(), DEFAULT_LIMITS)
    assert read.component(next(one for one in read.segments if one.name == segment)[number], component) == found
