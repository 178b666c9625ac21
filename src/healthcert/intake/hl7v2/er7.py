"""HL7 v2 messages in their usual encoding (ER7, "vertical bar"): bytes to segments, fields, components and text.

A message declares its own separators and its own character set. Both are read from its first segment, and nothing is
taken for granted but that they are usable: a separator that is a letter would cut names apart.
Source: HL7 v2.8.2, chapter 2 (2.5 to 2.7, and 2.14.9 for MSH); what differs from 2.3 on is told where it does.
"""

from __future__ import annotations

import re

from msgspec import Struct

from healthcert.errors import Code, IssueError, Step
from healthcert.limits import Limits

NULL = '""'
"""A field of this content was emptied on purpose; one of no content says nothing (HL7 v2.8.2, 2.5.3)."""

# HL7 table 0211. UNICODE alone is ambiguous and withdrawn; UTF-16 and UTF-32 do not go with separators of one byte.
_CHARACTER_SETS = {
    "": "ascii",
    "ASCII": "ascii",
    **{f"8859/{part}": f"iso8859-{part}" for part in (1, 2, 3, 4, 5, 6, 7, 8, 9, 15)},
    "UNICODE UTF-8": "utf-8",
}
VERSIONS = ("2.3", "2.3.1", "2.4", "2.5", "2.5.1", "2.6", "2.7", "2.7.1", "2.8", "2.8.1", "2.8.2")
"""HL7 table 0104, those that are read."""

# What no text of a message has: controls but tab and the ends of segments.
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_NAME = re.compile("[A-Z][A-Z0-9]{2}")
_PUNCTUATION = frozenset("!#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")
_HEXADECIMAL = re.compile("X((?:[0-9A-Fa-f]{2})+)")
# HL7 v2.8.2, 2.7.6: commands of formatted text. A break of the line becomes a space; the others show text otherwise.
_BREAKS = re.compile(r"\.(br|sp[+]?[0-9]{0,2}|ce)")
_SHOWN_OTHERWISE = re.compile(r"[HN]|\.(fi|nf|in[+-]?[0-9]{1,2}|ti[+-]?[0-9]{1,2}|sk[+]?[0-9]{1,2})")


class Separators(Struct, frozen=True):
    """Those of MSH-1 and MSH-2, in their order; ``truncation`` is empty before version 2.7."""

    field: str
    component: str
    repetition: str
    escape: str
    subcomponent: str
    truncation: str = ""


class Segment(Struct, frozen=True):
    """A segment by its name; ``segment[5]`` is its fifth field as it is written, empty where there is none."""

    name: str
    fields: list[str]

    def __getitem__(self, number: int) -> str:
        return self.fields[number] if number < len(self.fields) else ""


class Message(Struct, frozen=True):
    """A message: its segments, MSH the first of them, and how their fields are to be read."""

    separators: Separators
    charset: str
    segments: list[Segment]

    @property
    def header(self) -> Segment:
        """MSH. Its first field is the separator itself."""
        return self.segments[0]

    @property
    def version(self) -> str:
        """MSH-12 without the country's extension that may stand behind it, as in ``2.5^FRA^2.10``."""
        return self.component(self.header[12], 1)

    def repetitions(self, field: str) -> list[str]:
        """What a field holds, one text for each time; nothing where it is empty or was emptied."""
        if not field or field == NULL:
            return []
        return [one for one in field.split(self.separators.repetition) if one and one != NULL]

    def components(self, repetition: str) -> list[str]:
        """The components of one repetition as they are written."""
        return repetition.split(self.separators.component)

    def component(self, field: str, number: int) -> str:
        """A component of a field's first repetition as text; empty where there is none."""
        first = field.split(self.separators.repetition, 1)[0].split(self.separators.component)
        return self.text(first[number - 1]) if number <= len(first) else ""

    def subcomponents(self, component: str) -> list[str]:
        """The subcomponents of a component, as text."""
        return [self.text(one) for one in component.split(self.separators.subcomponent)]

    def text(self, written: str) -> str:
        """The text of a component that has no parts, without what is escaped in it, and without spaces around it.

        Raises :class:`IssueError` (``FIELD_INVALID``) where it has parts, or an escape sequence that is unknown.
        """
        if written == NULL:
            return ""
        if self.separators.subcomponent in written:
            raise _invalid("a text has parts (an unescaped separator of subcomponents)")
        if self.separators.truncation and written.endswith(self.separators.truncation):
            # HL7 v2.8.2, 2.5.5.2: the sender had no place for all of it.
            raise _invalid("a text was cut short")
        if self.separators.escape in written:
            written = self._unescaped(written)
        return written.strip()

    def _unescaped(self, written: str) -> str:
        parts = written.split(self.separators.escape)
        if len(parts) % 2 == 0:
            raise _invalid("an escape sequence is not closed")
        meant = {sequence: self._escape(sequence) for sequence in set(parts[1::2])}
        parts[1::2] = [meant[sequence] for sequence in parts[1::2]]
        return "".join(parts)

    def _escape(self, sequence: str) -> str:
        marks = self.separators
        literals = {"F": marks.field, "S": marks.component, "T": marks.subcomponent, "R": marks.repetition}
        literals |= {"E": marks.escape} | ({"P": marks.truncation} if marks.truncation else {})
        if (literal := literals.get(sequence)) is not None:
            return literal
        if found := _HEXADECIMAL.fullmatch(sequence):
            return self._characters(bytes.fromhex(found[1]))
        if _BREAKS.fullmatch(sequence):
            return " "
        if _SHOWN_OTHERWISE.fullmatch(sequence):
            return ""
        # Other character sets (\C..\, \M..\) and local sequences (\Z..\) may mean anything.
        raise _invalid("an escape sequence that is not known")

    def _characters(self, data: bytes) -> str:
        try:
            text = data.decode(self.charset)
        except UnicodeDecodeError:
            raise _invalid("an escape sequence has bytes that are no characters") from None
        text = re.sub(r"[\r\n\t]+", " ", text)
        if _CONTROLS.search(text):
            raise _invalid("an escape sequence has control characters")
        return text


def read_message(data: bytes, limits: Limits) -> Message:
    """The message of these bytes, from MSH on.

    Raises :class:`IssueError` (``RECORD_UNREADABLE``, ``RECORD_NOT_SUPPORTED``, ``INPUT_TOO_LONG``).
    """
    head = re.split(rb"[\r\n]", data, maxsplit=1)[0].decode("latin-1")
    separators = _separators(head)
    charset = _charset(head.split(separators.field), separators)
    try:
        text = data.decode(charset)
    except UnicodeDecodeError:
        said = "MSH-18" if charset != "ascii" else "MSH-18 (which is ASCII where it says none)"
        raise _unreadable(f"bytes that are no characters of the character set of {said}") from None
    if _CONTROLS.search(text):
        raise _unreadable("control characters; or the character set is not that of MSH-18")
    if "\n" in text:
        # HL7 v2.8.2, 2.5.4: segments end with <CR>. Files that went through an editor have <LF> or both.
        text = text.replace("\r\n", "\r").replace("\n", "\r")
    lines = [line for line in text.split("\r") if line.strip()]
    if len(lines) > limits.message_segments:
        raise IssueError(
            Code.INPUT_TOO_LONG, f"a message of more than {limits.message_segments} segments", Step.CONTENT
        )
    return Message(separators, charset, [_segment(line, separators, at) for at, line in enumerate(lines)])


def _separators(head: str) -> Separators:
    """MSH-1 and MSH-2 of the first segment."""
    marks = head[4:].split(head[3], 1)[0] if len(head) > 4 else ""
    given = head[3:4] + marks
    # HL7 v2.8.2, 2.14.9.1 and .2: four characters, from 2.7 on a fifth for what was cut short; each another one.
    if len(given) not in (5, 6) or len(set(given)) != len(given) or not set(given) <= _PUNCTUATION:
        raise _unreadable("MSH-1 and MSH-2: five or six different separators, none of them a letter, digit or quote")
    return Separators(*given)


def _charset(fields: list[str], separators: Separators) -> str:
    # Cut at the field separator MSH has its first field before the first cut: MSH-18 is at 17.
    stated = fields[17] if len(fields) > 17 else ""
    if stated == NULL:
        stated = ""
    # Further repetitions are sets to change to in the middle, by escape sequences, which are refused where they stand.
    charset = _CHARACTER_SETS.get(stated.split(separators.repetition, 1)[0].strip())
    if charset is None:
        raise IssueError(
            Code.RECORD_NOT_SUPPORTED,
            f"MSH-18: one of {', '.join(name for name in _CHARACTER_SETS if name)}",
            Step.CONTENT,
        )
    return charset


def _segment(line: str, separators: Separators, at: int) -> Segment:
    fields = line.split(separators.field)
    name = fields[0]
    if not _NAME.fullmatch(name):
        raise _unreadable(f"segment {at + 1}: does not begin with a name of three characters")
    if (name == "MSH") != (at == 0) or name in ("FHS", "BHS", "BTS", "FTS"):
        raise _unreadable(f"segment {at + 1}: a message begins with MSH, and has one")
    if name == "MSH":
        fields.insert(1, separators.field)
    return Segment(name, fields)


def _unreadable(detail: str) -> IssueError:
    return IssueError(Code.RECORD_UNREADABLE, detail, Step.CONTENT)


def _invalid(detail: str) -> IssueError:
    return IssueError(Code.FIELD_INVALID, detail, Step.CONTENT)
