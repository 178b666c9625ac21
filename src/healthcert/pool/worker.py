"""One process of a pool, seen from both sides: what the pool knows of it, and what runs in it."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing import context, resource_tracker
from multiprocessing.connection import Connection
from queue import SimpleQueue
from threading import Thread
from typing import Any

from healthcert.pool.tasks import Piece, answer_of, packed

# Never "fork": a session with a hardware module, a connection to a database and a lock that is held do not survive it.
_SPAWN = multiprocessing.get_context("spawn")

_HERE = b"here"  # the process runs
_READY = b"ready"  # and has made what does the work

AHEAD = 2  # pieces a worker has at a time: one that it does, and the next


def carried(work: Callable[[], Any]) -> bytes:
    """``work`` as it is sent to each process that is started, those that replace another as well: so all are alike.

    Signers let themselves be pickled only while a process is being started, which is what this is for: the bytes go
    through a pipe to this package's own processes, and nowhere else. Raises TypeError, and what else pickling raises.
    """
    context.set_spawning_popen(carried)  # type: ignore[arg-type]  # asked by all only whether it is None
    try:
        return packed(work)
    finally:
        context.set_spawning_popen(None)


class Worker:
    """A process, and the pieces that it was given and has not answered.

    Nothing is sent before the process runs, and no piece before it is ready, so that sending never waits for it to
    start: a thread of it takes in whatever comes. That a process ended is noticed by its pipe, when it is listened to.
    """

    def __init__(self, work: bytes) -> None:
        """Raises OSError where no process can be started."""
        self._work = work
        self.connection, theirs = _SPAWN.Pipe()
        self._process = _SPAWN.Process(target=_run, args=(theirs,), name="healthcert worker", daemon=True)
        try:
            with theirs, _sigint_held_back():
                self._process.start()
        except BaseException:
            self.connection.close()
            raise
        self.given: deque[Piece] = deque()
        self.is_ready = False

    def give(self, piece: Piece) -> None:
        """Sends one more piece."""
        self.given.append(piece)
        self._send(piece.data)

    def listen(self) -> None:
        """Takes one message; waits for it. Raises EOFError or OSError when the process ended."""
        message = self.connection.recv_bytes()
        if self.is_ready:
            self.given.popleft().answered(message)
        elif message == _HERE:
            self._send(self._work)
        else:
            self.is_ready = True

    def end(self) -> None:
        """Ends the process at once, whatever it does, and waits until it is gone."""
        self._process.kill()
        self._process.join()
        self._process.close()
        self.connection.close()

    def _send(self, data: bytes) -> None:
        # That nobody reads it any more is seen by listening, after what the process answered before it ended.
        with suppress(OSError):
            self.connection.send_bytes(data)


@contextmanager
def _sigint_held_back() -> Iterator[None]:
    """Around the start of a process: it inherits the mask, and is not struck by Ctrl-C before it can ignore it."""
    if sys.platform == "win32":
        yield
        return
    resource_tracker.ensure_running()  # it is started together with the first process, and resets the mask
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT,))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _run(connection: Connection) -> None:
    """The worker's whole life. It ends with the main process, however that ends: then the pipe is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to all processes of a terminal; the main one decides
    if sys.platform != "win32":
        signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGINT,))
        os.set_inheritable(connection.fileno(), False)  # a command it starts must not keep the pipe open
    incoming: SimpleQueue[bytes] = SimpleQueue()
    Thread(target=_take_in, args=(connection, incoming), daemon=True).start()
    try:
        connection.send_bytes(_HERE)
        do = _made(incoming.get())
        connection.send_bytes(_READY)
        while True:
            connection.send_bytes(answer_of(do, incoming.get()))
    finally:
        # The pipe is closed, or the work itself called for an end: nothing is told but that, least of all a traceback.
        os._exit(1)


def _take_in(connection: Connection, incoming: SimpleQueue[bytes]) -> None:
    """Reads all the time, so that the main process never waits to send while this one waits to send as well."""
    with suppress(EOFError, OSError):
        while True:
            incoming.put(connection.recv_bytes())
    os._exit(0)


def _made(data: bytes) -> Callable[[Any], Any]:
    """What does a chunk. If it cannot be made, what raises the reason: it comes out at the turn of the first chunk."""
    try:
        do: Callable[[Any], Any] = pickle.loads(data)()  # noqa: S301 (from the process that started this one)
    except Exception as error:  # noqa: BLE001 (as above)
        reason = error

        def fail(_: Any) -> Any:
            raise reason

        return fail
    return do
