"""Who may call a module now: many threads at once, or one alone while the module is started anew."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from healthcert.issue.hsm.faults import unavailable

_PATIENCE = 60.0  # seconds; a module that has not answered by then does not answer


class Gate:
    """Entered around every call into a module. Not to be entered twice by one thread."""

    def __init__(self) -> None:
        # Entered through the lock itself, which costs a tenth of the condition's own methods.
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._inside = 0
        self._closed = False
        self.one_by_one = False
        """For a module that cannot do with several threads at once."""

    def __enter__(self) -> None:
        with self._lock:
            if self._closed or self.one_by_one:
                self._changed.wait_for(self._is_open)
            self._inside += 1

    def __exit__(self, *exception: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._closed or self.one_by_one:
                self._changed.notify_all()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Waits until no thread is inside, and lets none in meanwhile.

        Raises :class:`IssueError` (``TOKEN_UNAVAILABLE``) where one stays inside for a minute.
        """
        with self._changed:
            self._closed = True
            left = self._changed.wait_for(lambda: self._inside == 0, _PATIENCE)
        try:
            if not left:
                raise unavailable("the module does not answer")
            yield
        finally:
            with self._changed:
                self._closed = False
                self._changed.notify_all()

    def _is_open(self) -> bool:
        return not self._closed and not (self.one_by_one and self._inside)
