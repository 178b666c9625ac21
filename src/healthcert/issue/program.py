"""A program that is asked in lines and answers in lines, for as long as this process needs it.

What it writes is hostile: it is bounded, taken one line for one question, and never waited for without an end.
"""

from __future__ import annotations

import os
import queue
import subprocess
import threading
import time
import weakref
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import IO

PATIENCE = 2.0
"""Seconds that a program has to end by itself, once its input is closed."""


class Program:
    """One run of a program: what is written to it, and what it writes, taken in by a thread as it comes.

    ``owner`` is the process that started it.
    """

    def __init__(self, argv: Sequence[str], environment: Mapping[str, str]) -> None:
        """Starts it, with this environment and no other. Raises OSError."""
        self.owner = os.getpid()
        process = subprocess.Popen(  # noqa: S603 (the operator's own program, by its words; no shell)
            argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, bufsize=0
        )
        assert process.stdin is not None
        assert process.stdout is not None
        self._stdin = process.stdin
        self._rest = b""
        # Bounded: a program that never stops writing waits for its reader, and fills no memory.
        self._chunks: queue.Queue[bytes] = queue.Queue(maxsize=4)
        gone = threading.Event()
        threading.Thread(target=_pump, args=(process.stdout, self._chunks, gone), daemon=True).start()
        self._process, self._gone = process, gone
        # Also when nobody closes the exchange: at the end of this process, or of the last one who had it.
        self._end = weakref.finalize(self, _end, process, self.owner, gone, PATIENCE)

    def has_spoken(self) -> bool:
        """Whether it has written what nobody asked for, or has ended."""
        return bool(self._rest) or not self._chunks.empty()

    def ask(self, line: bytes, end: float, limit: int) -> bytes:
        """The line that answers ``line``, before the moment ``end`` of the monotonic clock.

        Raises EOFError when the program has ended, TimeoutError, and ValueError for an answer that is no single line of
        at most ``limit`` bytes.
        """
        try:
            self._stdin.write(line)
        except OSError:
            raise EOFError("the signer's program ended") from None
        while b"\n" not in self._rest:
            if len(self._rest) > limit:
                raise ValueError("the signer's answer is too long")
            try:
                chunk = self._chunks.get(timeout=max(0.0, end - time.monotonic()))
            except queue.Empty:
                raise TimeoutError("the signer did not answer in time") from None
            if not chunk:
                raise EOFError("the signer's program ended without an answer")
            self._rest += chunk
        answer, self._rest = self._rest.split(b"\n", 1)
        if self._rest or len(answer) > limit:
            raise ValueError("the signer's answer is not a single line, or too long")
        return answer

    def end(self, patience: float) -> None:
        """Closes its input, and kills it when it has not ended after ``patience`` seconds."""
        if self._end.detach() is not None:
            _end(self._process, self.owner, self._gone, patience)


def _pump(stdout: IO[bytes], chunks: queue.Queue[bytes], gone: threading.Event) -> None:
    """Hands on what a program writes, at last an empty chunk, until nobody wants it any more."""
    with stdout:
        chunk = b"-"
        while chunk and not gone.is_set():
            chunk = stdout.read(65536)
            while not gone.is_set():
                try:
                    chunks.put(chunk, timeout=0.1)
                    break
                except queue.Full:
                    pass


def _end(process: subprocess.Popen[bytes], owner: int, gone: threading.Event, patience: float) -> None:
    gone.set()
    # A fork of the process that started it has no part in it.
    if os.getpid() != owner:
        return
    assert process.stdin is not None
    with suppress(OSError):
        process.stdin.close()
    with suppress(subprocess.TimeoutExpired):
        process.wait(patience)
    process.kill()
    process.wait()
