"""Cards that are spread over several QR codes (SMART Health Cards, "Chunking Larger SHCs"), put together again."""

from __future__ import annotations

from itertools import islice, product

from healthcert.encoding import deflate, jsontext, jws
from healthcert.errors import Code, DecodeError, Step
from healthcert.families.shc.forms import SCHEME, Part, is_token, read
from healthcert.limits import DEFAULT_LIMITS, Limits

_MOST_ALIKE = 8  # parts with one number, of cards that are collected at the same time
_MOST_TRIES = 256
_MOST_READ = 8  # of those tries, which can be inflated


class PartCollector:
    """Takes the texts of barcodes in any order, and hands out each card once all its parts are there.

    A part says its number and how many there are, but not of which card it is: only the first has the card's header.
    So of parts with one number all are kept, and those that make a card together are found by trying: what is put
    together wrongly is no compressed stream. What was mixed up all the same is never accepted, for its signature does
    not hold. A collector is for the barcodes of one holder, or of one folder: it remembers parts.
    """

    def __init__(self, limits: Limits = DEFAULT_LIMITS) -> None:
        self._limits = limits
        self._parts: dict[int, dict[int, list[bytes]]] = {}  # by how many parts there are, then by number
        self._complete: dict[tuple[int, int, bytes], None] = {}

    def add(self, text: str) -> str | None:
        """The whole text of a card when ``text`` was its last missing part, else None; a text that is no part itself.

        A part that was there before adds nothing, nor does one that makes no card with the others: it may be they that
        are of another card, or damaged, and :meth:`describe` says so. Raises :class:`DecodeError`:
        ``PARTS_INCONSISTENT`` for too many parts with one number, and the errors of a part that cannot be read.
        """
        stripped = text.strip("\r\n")
        if stripped[: len(SCHEME)].lower() != SCHEME or stripped.count("/") <= 1:
            return text
        if len(stripped) > self._limits.text_chars:
            raise DecodeError(Code.INPUT_TOO_LONG, f"more than {self._limits.text_chars} characters", Step.RECOGNISE)
        part = read(stripped, self._limits)
        if part.total == 1:
            return text
        found = self._parts.setdefault(part.total, {})
        pieces = found.setdefault(part.number, [])
        if (part.total, part.number, part.jws) in self._complete or part.jws in pieces:
            self._drop_empty(part.total)
            return None
        if len(pieces) == _MOST_ALIKE:
            detail = (
                f"more than {_MOST_ALIKE} parts {part.number} of {part.total}: show the parts of one card at a time"
            )
            raise DecodeError(Code.PARTS_INCONSISTENT, detail, Step.DECODE)
        pieces.append(part.jws)
        return self._whole(part) if len(found) == part.total else None

    @property
    def missing(self) -> tuple[tuple[int, ...], ...]:
        """The numbers of the parts still to come, for each card that is not complete."""
        return tuple(_absent(found, total) for total, found in sorted(self._parts.items()))

    def describe(self) -> str:
        """What is still to come, in words; empty where nothing is."""
        said = []
        for total, found in sorted(self._parts.items()):
            absent = _absent(found, total)
            of_others = f"the {total} parts do not make a card: they are of different ones, or one is damaged"
            said.append(f"{in_words(absent, total)} missing" if absent else of_others)
        return "; ".join(said)

    def _whole(self, last: Part) -> str | None:
        """The card that the part which came last makes with others. "Chunking Larger SHCs": the JWS in order."""
        found = self._parts[last.total]
        choices = [found[number] if number != last.number else [last.jws] for number in range(1, last.total + 1)]
        inflated = 0
        for pieces in islice(product(*choices), _MOST_TRIES):
            text = b"".join(pieces).decode("ascii")
            payload = _payload(text, self._limits)
            # Nearly all that is put together wrongly ends there; what somebody made so that it does not is costly.
            inflated += payload is not None
            if inflated > _MOST_READ:
                return None
            if payload is not None and _is_json(payload, self._limits):
                self._take_out(last.total, pieces)
                return text
        return None

    def _take_out(self, total: int, pieces: tuple[bytes, ...]) -> None:
        for number, piece in enumerate(pieces, 1):
            self._parts[total][number].remove(piece)
            self._complete[total, number, piece] = None
        self._drop_empty(total)
        while len(self._complete) > self._limits.texts_per_file:
            del self._complete[next(iter(self._complete))]

    def _drop_empty(self, total: int) -> None:
        self._parts[total] = {number: pieces for number, pieces in self._parts[total].items() if pieces}
        if not self._parts[total]:
            del self._parts[total]


def _payload(text: str, limits: Limits) -> bytes | None:
    """What is in the token that parts make; None where they make none, as those of two cards hardly ever do."""
    if not is_token(text):
        return None
    try:
        token = jws.read(text.encode("ascii"), code=Code.JWS_DESERIALIZATION_FAILED, needs_alg=False)
        return deflate.inflate_raw(token.payload, limit=limits.inflated_bytes)
    except DecodeError:
        return None


def _is_json(payload: bytes, limits: Limits) -> bool:
    try:
        jsontext.read(payload, max_depth=limits.json_depth)
    except DecodeError:
        return False
    return True


def alone(part: Part) -> DecodeError:
    """The error of a part that came without the others."""
    others = tuple(number for number in range(1, part.total + 1) if number != part.number)
    detail = f"part {part.number} of {part.total} of a SMART Health Card: {in_words(others)} missing"
    return DecodeError(Code.PARTS_MISSING, detail, Step.DECODE)


def in_words(numbers: tuple[int, ...], total: int | None = None) -> str:
    """``part 2 is``, ``parts 1 and 3 of 3 are``, ``parts 1, 4 to 9 and 12 are``."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    words: list[str] = []
    for run in runs:
        words += [f"{run[0]} to {run[-1]}"] if len(run) > 2 else map(str, run)
    *most, last = words
    said = f"{', '.join(most)} and {last}" if most else last
    of = "" if total is None else f" of {total}"
    return f"parts {said}{of} are" if len(numbers) > 1 else f"part {said}{of} is"


def _absent(found: dict[int, list[bytes]], total: int) -> tuple[int, ...]:
    return tuple(number for number in range(1, total + 1) if number not in found)
