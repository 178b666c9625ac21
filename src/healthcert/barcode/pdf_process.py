"""The process that draws PDF files: started when the first one is read, ended when one is too much for it."""

from __future__ import annotations

import atexit
import importlib.util
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from healthcert.barcode import pdf_worker
from healthcert.errors import Code, DecodeError
from healthcert.limits import Limits

_FILES = 200  # that one process reads: what PDFium does not free is gone with it
_START_SECONDS = 60.0
_HEADER_BYTES = 100_000  # beside pixels, in an answer
_PIXEL_BYTES = 4


class Reader:
    """A process of its own, which reads one PDF file at a time. Each answer is waited for until time is over."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._files = 0
        self._left = _START_SECONDS
        # -I -S: nothing of the user's folder or environment is run. Where packages are, it is told.
        command = [sys.executable, "-I", "-S", pdf_worker.__file__]
        self._process = subprocess.Popen(  # noqa: S603 Python itself, and a file of this package.
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self.ask("start", memory=limits.pdf_memory, path=[str(Path(place).absolute()) for place in sys.path])

    def serves(self, limits: Limits) -> bool:
        is_alive = self._process.poll() is None
        return is_alive and self._files < _FILES and self._limits.pdf_memory == limits.pdf_memory

    def begin(self, limits: Limits) -> None:
        """With the next file, for which all the time is there again."""
        self._files += 1
        self._limits = limits
        self._left = float(limits.pdf_seconds)

    def ask(self, what: str, data: bytes = b"", **details: Any) -> tuple[dict[str, Any], bytes]:
        """What it answers. Raises :class:`DecodeError`: ``INPUT_TOO_LONG`` when all answers together took too long,
        ``IMAGE_UNREADABLE`` when it ended: it had no more memory, or what it read broke it.
        """
        asked, answers = self._process.stdin, self._process.stdout
        assert asked is not None
        assert answers is not None
        if self._left <= 0:
            raise self._late()
        begun = time.monotonic()
        late = threading.Timer(self._left, self._process.kill)
        late.daemon = True
        late.start()
        try:
            pdf_worker.send(asked, details | {"do": what}, data)
            return pdf_worker.receive(answers, _HEADER_BYTES, _PIXEL_BYTES * self._limits.image_pixels)
        except BaseException as error:
            # What is still to come would be taken for the answer to the next request.
            self.end()
            if not isinstance(error, (EOFError, OSError, ValueError)):
                raise
            if time.monotonic() - begun >= self._left:
                raise self._late() from None
            detail = f"a PDF that breaks what draws it, or takes more than {self._limits.pdf_memory} bytes of memory"
            raise DecodeError(Code.IMAGE_UNREADABLE, detail) from None
        finally:
            late.cancel()
            self._left -= time.monotonic() - begun

    def ask_to_close(self) -> None:
        """The file. Nothing of it stays in memory; how it was read is decided by now."""
        if self._process.returncode is None:
            self._left = max(self._left, 1.0)
            with suppress(DecodeError):
                self.ask("close")

    def _late(self) -> DecodeError:
        return DecodeError(Code.INPUT_TOO_LONG, f"a PDF that takes more than {self._limits.pdf_seconds} s to draw")

    def end(self) -> None:
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            with suppress(OSError):  # what could not be sent
                pipe.close()
        self._process.wait()

    def forget(self) -> None:
        """Leaves it to the process that this one was forked from."""
        for pipe in (self._process.stdin, self._process.stdout):
            os.close(pipe.fileno())  # type: ignore[union-attr]
        self._process.returncode = 0


class _Kept:
    """The process that is kept for the next file."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.reader: Reader | None = None

    def end(self) -> None:
        if self.reader is not None:
            self.reader.end()
            self.reader = None

    def forget(self) -> None:
        """In a process that was forked: two that talk to one reader would get each other's pages."""
        if self.reader is not None:
            self.reader.forget()
        self.reader, self.lock = None, threading.Lock()


_kept = _Kept()
atexit.register(_kept.end)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_kept.forget)


@contextmanager
def reader_of(limits: Limits) -> Iterator[Reader]:
    """The process that reads PDF files, for one file at a time.

    Raises :class:`DecodeError` (``EXTRA_MISSING``, ``ENVIRONMENT``).
    """
    _check_installed()
    with _kept.lock:
        if _kept.reader is not None and not _kept.reader.serves(limits):
            _kept.end()
        if _kept.reader is None:
            try:
                _kept.reader = Reader(limits)
            except (DecodeError, OSError):
                detail = "the process of Python that reads PDF files does not start"
                raise DecodeError(Code.ENVIRONMENT, detail) from None
        _kept.reader.begin(limits)
        yield _kept.reader


def _check_installed() -> None:
    if importlib.util.find_spec("pypdfium2") is None or importlib.util.find_spec("pypdfium2_raw") is None:
        detail = "PDF files are read with the package pypdfium2: pip install 'healthcert[pdf]'"
        raise DecodeError(Code.EXTRA_MISSING, detail)
    if not sys.executable or getattr(sys, "frozen", False):
        raise DecodeError(Code.ENVIRONMENT, "PDF files are read by a process of Python, and there is none to run")
