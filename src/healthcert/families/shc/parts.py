"""Cards that are spread over several QR codes (SMART Health Cards, "Chunking Larger SHCs"), put together again."""

from __future__ import annotations

from healthcert.encoding import deflate, jws
from healthcert.errors import Code, DecodeError, Step
from healthcert.families.shc.forms import SCHEME, Part, is_token, read
from healthcert.limits import DEFAULT_LIMITS, Limits


class PartCollector:
    """Takes the texts of barcodes in any order, and hands out each card once all its parts are there.

    A part says its number and how many there are, but not of which card it is: only the first has the card's header.
    Parts of cards with different numbers of parts are told apart by that; of cards with as many parts each, one has to
    be complete before the next one begins. What was mixed up is refused where it shows, and is never accepted, for its
    signature does not hold. A collector is for the barcodes of one holder, or of one folder: it remembers parts.
    """

    def __init__(self, limits: Limits = DEFAULT_LIMITS) -> None:
        self._limits = limits
        self._cards: dict[int, dict[int, bytes]] = {}  # by how many parts there are, then by number
        self._complete: dict[tuple[int, int, bytes], None] = {}

    def add(self, text: str) -> str | None:
        """The whole text of a card when ``text`` was its last missing part, else None; a text that is no part itself.

        A part that was there before adds nothing. Raises :class:`DecodeError`: ``PARTS_INCONSISTENT`` for a part that
        another one with its number contradicts, or that completes what is no card, and the errors of a part that
        cannot be read.
        """
        stripped = text.strip("\r\n")
        if stripped[: len(SCHEME)].lower() != SCHEME or stripped.count("/") <= 1:
            return text
        if len(stripped) > self._limits.text_chars:
            raise DecodeError(Code.INPUT_TOO_LONG, f"more than {self._limits.text_chars} characters", Step.RECOGNISE)
        part = read(stripped, self._limits)
        if part.total == 1:
            return text
        key = (part.total, part.number, part.jws)
        if key in self._complete:
            return None
        found = self._cards.setdefault(part.total, {})
        if found.setdefault(part.number, part.jws) != part.jws:
            detail = f"two parts {part.number} of {part.total}: show the parts of one card before those of another"
            raise DecodeError(Code.PARTS_INCONSISTENT, detail, Step.DECODE)
        return self._whole(part.total) if len(found) == part.total else None

    @property
    def missing(self) -> tuple[tuple[int, ...], ...]:
        """The numbers of the parts still to come, for each card that is not complete."""
        return tuple(_absent(found, total) for total, found in sorted(self._cards.items()))

    def describe(self) -> str:
        """What is still to come, in words; empty where nothing is."""
        said = [f"{in_words(_absent(found, total), total)} missing" for total, found in sorted(self._cards.items())]
        return "; ".join(said)

    def _whole(self, total: int) -> str:
        found = self._cards.pop(total)
        # "Chunking Larger SHCs": once the full set is scanned, the JWS can be assembled.
        text = b"".join(piece for _, piece in sorted(found.items())).decode("ascii")
        if not _is_whole(text, self._limits):
            detail = f"the {total} parts do not make a card: they are of different ones, or one is damaged"
            raise DecodeError(Code.PARTS_INCONSISTENT, detail, Step.DECODE)
        self._complete |= dict.fromkeys((total, number, piece) for number, piece in found.items())
        while len(self._complete) > self._limits.texts_per_file:
            del self._complete[next(iter(self._complete))]
        return text


def _is_whole(text: str, limits: Limits) -> bool:
    """Whether a JWS can be taken apart; when parts of two cards are mixed up, hardly ever."""
    try:
        token = jws.read(text.encode("ascii"), code=Code.JWS_DESERIALIZATION_FAILED, needs_alg=False)
        deflate.inflate_raw(token.payload, limit=limits.inflated_bytes)
    except DecodeError:
        return False
    return is_token(text)


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


def _absent(found: dict[int, bytes], total: int) -> tuple[int, ...]:
    return tuple(number for number in range(1, total + 1) if number not in found)
