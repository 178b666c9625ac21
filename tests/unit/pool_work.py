"""What the workers of the pool's tests do. Apart from the tests, so that a worker need not import what tests with."""

from __future__ import annotations

import errno
import os
import signal
import time
from collections.abc import Callable, Sequence
from functools import partial

from healthcert.errors import Code, FetchError, Step

Item = int | str
KILL = "kill"


class OddError(Exception):
    """One that cannot be read again once it is pickled."""

    def __init__(self, one: str, other: str) -> None:
        super().__init__(one + other)


def squares() -> Callable[[Sequence[int]], list[int]]:
    return lambda chunk: [number * number for number in chunk]


def pids() -> Callable[[Sequence[int]], int]:
    return lambda _: os.getpid()


def slowly() -> Callable[[Sequence[int]], tuple[int, list[int]]]:
    """Takes as many milliseconds as the first number says."""

    def work(chunk: Sequence[int]) -> tuple[int, list[int]]:
        time.sleep(chunk[0] / 1000)
        return os.getpid(), list(chunk)

    return work


def mortal() -> Callable[[Sequence[Item]], list[Item]]:
    """Ends its process at one item, as a bug in a library would."""

    def work(chunk: Sequence[Item]) -> list[Item]:
        if KILL in chunk:
            os.kill(os.getpid(), signal.SIGKILL)
        return list(chunk)

    return work


def once(marker: str) -> Callable[[Sequence[int]], list[int]]:
    """Ends its process the first time that it is called at all, and leaves a file to know it by."""

    def work(chunk: Sequence[int]) -> list[int]:
        try:
            os.close(os.open(marker, os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return list(chunk)
        os._exit(1)

    return work


def alone(marker: str) -> Callable[[Sequence[int]], tuple[int, list[int]]]:
    """Lets one process begin; those that come after it end before they can."""
    try:
        os.close(os.open(marker, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        os._exit(1)
    return slowly()


def said(words: list[str]) -> Callable[[Sequence[int]], tuple[str, ...]]:
    return lambda _: tuple(words)


def raising(kind: str) -> Callable[[Sequence[int]], object]:
    """Gives a chunk back; fails at the second, or at once."""
    if kind == "at the start":
        raise FetchError(Code.FETCH_FAILED, "no such server", Step.TRUST, status=404)
    return partial(_raise, kind)


def _raise(kind: str, chunk: Sequence[int]) -> object:
    if chunk[0] < 2:
        return list(chunk)
    errors: dict[str, Exception] = {
        "own": FetchError(Code.FETCH_FAILED, "no such server", Step.TRUST, status=404),
        "place": OSError(errno.ENOSPC, "No space left on device", "here"),
        "other": ZeroDivisionError("nothing to divide by"),
        "odd": OddError("Exemplaire", "Zoé"),
        "local": type("Local", (Exception,), {})("Exemplaire"),
    }
    if kind == "result":
        return lambda: "Exemplaire"
    raise errors[kind]
