"""A chunk on its way through a pool: whole, or split into single items once it ended too many workers."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from msgspec import Struct

from healthcert.errors import BatchError, Code

Item = TypeVar("Item")
R = TypeVar("R")

TRIES = 3  # of a chunk, and of each of its items by itself


class Lost(Struct, frozen=True):
    """Stands in the place of a result: the item ended each worker that took it."""

    item: Any
    error: BatchError


class Done(Struct, Generic[Item, R], frozen=True):
    """A chunk, and what came of it.

    Of a chunk that was done whole there is one result; of one that had to be split, one for each item. ``redone`` is
    whether a worker ended over it, so that it, or a part of it, was begun more than once.
    """

    items: Sequence[Item]
    results: tuple[R | Lost, ...]
    redone: bool


class Piece:
    """What a worker is given at a time: a chunk, or one item of it that is tried by itself."""

    __slots__ = ("answer", "data", "items", "task", "tries")

    def __init__(self, task: Task, items: Sequence[Any], data: bytes) -> None:
        self.task = task
        self.items = items
        self.data = data
        self.tries = 0
        self.answer: bytes | Lost | None = None

    def answered(self, answer: bytes | Lost) -> None:
        """Keeps what came of it, still as it was sent. What is answered is not sent again."""
        self.answer, self.data = answer, b""

    def ended_its_worker(self) -> list[Piece]:
        """Notes one more try that came to nothing. Gives what is to be tried next."""
        self.tries += 1
        self.task.redone = True
        if self.tries < TRIES:
            return [self]
        if len(self.items) > 1:
            return self.task.split()
        for item in self.items:
            detail = f"the worker ended {TRIES} times while it had this item alone"
            self.answered(Lost(item, BatchError(Code.WORKER_LOST, detail)))
        return []


class Task:
    """One chunk in the order of chunks. What it holds is sent pickled, and pickled once."""

    def __init__(self, items: Sequence[Any]) -> None:
        """Raises what pickling an item raises."""
        self.items = items
        self.redone = False
        self.pieces = [Piece(self, items, packed(items))]

    def split(self) -> list[Piece]:
        """From now on each item stands for itself: one of them may be what no worker survives."""
        parts = [self.items[at : at + 1] for at in range(len(self.items))]
        self.pieces = [Piece(self, part, packed(part)) for part in parts]
        return list(self.pieces)

    @property
    def is_done(self) -> bool:
        """Whether every piece has its answer."""
        return all(piece.answer is not None for piece in self.pieces)

    def done(self) -> Done[Any, Any]:
        """The chunk with its results. Raises what the work raised."""
        return Done(self.items, tuple([opened(piece.answer) for piece in self.pieces]), self.redone)


def packed(value: object) -> bytes:
    """What is sent through a pipe."""
    return pickle.dumps(value, pickle.HIGHEST_PROTOCOL)


def answer_of(do: Callable[[Any], Any], data: bytes) -> bytes:
    """In the worker: what is sent back for the pickled chunk ``data``: a result, or what was raised instead."""
    try:
        result = do(pickle.loads(data))  # noqa: S301 (this package's own, from the process that started this one)
    except Exception as error:  # noqa: BLE001 (raised again where the result is asked for)
        return _raised(error)
    try:
        return packed((True, result))
    except Exception:  # noqa: BLE001 (its message may quote the result)
        return _raised(BatchError(Code.GENERAL_ERROR, "what a worker made of a chunk cannot be passed on"))


def opened(answer: bytes | Lost | None) -> Any:
    """In the main process: the result, or :class:`Lost`. Raises what the work raised."""
    if not isinstance(answer, bytes):
        return answer
    good, value = pickle.loads(answer)  # noqa: S301 (from a process that this one started)
    if good:
        return value
    raise value


def _raised(error: Exception) -> bytes:
    """The error without its traceback and causes; only its type's name where it cannot be pickled and read again."""
    try:
        data = packed((False, error))
        if type(pickle.loads(data)[1]) is type(error):  # noqa: S301 (made a line above)
            return data
    except Exception:  # noqa: BLE001, S110 (many exceptions take other arguments than they keep)
        pass
    detail = f"the work failed in a worker ({type(error).__name__})"
    return packed((False, BatchError(Code.GENERAL_ERROR, detail)))
