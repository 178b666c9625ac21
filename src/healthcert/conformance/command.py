"""Another verifier under test: a program that reads cases as JSON lines and answers each with one line.

One process answers all cases: an interpreter takes longer to start than to verify. The protocol, for those who write
such a program, is docs/reference/conformance-protocol.md.
"""

from __future__ import annotations

import base64
import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Thread
from types import TracebackType
from typing import Any, Self

from healthcert.conformance.checks import CHECKS, Found, Judgement
from healthcert.conformance.structure import difference
from healthcert.conformance.subject import AbsentError, scanned_text
from healthcert.conformance.suite import Case
from healthcert.errors import HealthCertError

MOST_ANSWER_BYTES = 1024 * 1024
_MOST_FAILURES = 3  # in a row, before the command is left alone
_MOST_WHY = 200  # characters of an explanation
_GRACE = 2.0  # seconds to end in, once there are no more cases
_COMPARED = ("EXPECTEDDECODE", "EXPECTEDVALIDJSON")


class _FailedError(Exception):
    """The command did not answer a case as the protocol has it."""


class Command:
    """A program as a judge of cases; a context manager, in which the program runs.

    After a crash, a timeout or an answer that cannot be read, the case is a problem and the program is started anew;
    after three in a row it is no longer asked.
    """

    def __init__(self, arguments: Sequence[str], *, timeout: float = 30.0) -> None:
        """``timeout`` is in seconds for one case. Raises ValueError for no arguments or no time."""
        if not arguments or not timeout > 0:
            raise ValueError("a command has a program, and time to answer")
        self._arguments = tuple(arguments)
        self._timeout = timeout
        self._failures = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._exchange: Thread | None = None

    @classmethod
    def parse(cls, line: str, *, timeout: float = 30.0) -> Self:
        """From a line as typed in a shell, though no shell is involved. Raises ValueError for unbalanced quotes."""
        return cls(shlex.split(line, posix=os.name == "posix"), timeout=timeout)

    def __enter__(self) -> Self:
        """Starts the program. Raises OSError when there is none."""
        self._process = self._start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if (process := self._process) is not None and process.stdin is not None and kind is None:
            with suppress(OSError, subprocess.TimeoutExpired):
                process.stdin.close()
                process.wait(_GRACE)
        self._stop()

    def __call__(self, case: Case) -> Judgement:
        if self._failures >= _MOST_FAILURES:
            return Judgement(problem=f"not asked: the command failed {_MOST_FAILURES} times in a row")
        try:
            judgement = read_answer(self._ask(request(case)), case)
        except (_FailedError, OSError) as error:
            self._failures += 1
            detail = str(error) if isinstance(error, _FailedError) else "the command cannot be started"
            self._stop()
            return Judgement(problem=detail)
        self._failures = 0
        return judgement

    def _start(self) -> subprocess.Popen[bytes]:
        # In a session of its own, so that what it starts can be ended with it.
        return subprocess.Popen(  # noqa: S603 The user names the program, and no shell reads the line.
            self._arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
        )

    def _ask(self, line: bytes) -> bytes:
        if self._process is None:
            self._process = self._start()
        answers: SimpleQueue[bytes] = SimpleQueue()
        # In a thread: a program that neither reads nor writes must not hold up this one.
        self._exchange = Thread(target=_exchange, args=(self._process, line, answers), daemon=True)
        self._exchange.start()
        try:
            answer = answers.get(timeout=self._timeout)
        except Empty:
            raise _FailedError(f"no answer within {self._timeout:g} seconds") from None
        if len(answer) > MOST_ANSWER_BYTES:
            raise _FailedError(f"an answer of more than {MOST_ANSWER_BYTES} bytes")
        if not answer.endswith(b"\n"):
            raise _FailedError("the command ended without an answer")
        return answer

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if sys.platform != "win32":
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
        process.kill()
        process.wait()
        if self._exchange is not None:
            self._exchange.join(_GRACE)
        if self._exchange is None or not self._exchange.is_alive():
            for stream in (process.stdin, process.stdout):
                with suppress(OSError):
                    assert stream is not None
                    stream.close()


def request(case: Case) -> bytes:
    """The line that asks about a case. What the case lacks, or has unreadably, is null."""
    values: dict[str, Any] = {"id": case.name, "text": None, "clock": None, "certificate": None, "picture": None}
    if case.clock is not None:
        values["clock"] = case.clock.isoformat()
    with suppress(HealthCertError, AbsentError):
        values["text"] = scanned_text(case)
    for name in ("certificate", "picture"):
        with suppress(HealthCertError):
            values[name] = base64.b64encode(getattr(case, name)).decode("ascii")
    return json.dumps(values).encode("ascii") + b"\n"


def read_answer(line: bytes, case: Case) -> Judgement:
    """What the answer to a case says. An expectation that it does not name is one that the program cannot tell."""
    try:
        answer = json.loads(line)
    except (ValueError, RecursionError):
        raise _FailedError("the answer is not JSON") from None
    if not isinstance(answer, dict) or answer.get("id") != case.name:
        raise _FailedError("the answer is not an object with the id of the case")
    found, why = answer.get("found"), answer.get("why", {})
    if not isinstance(found, Mapping) or not all(isinstance(value, bool) for value in found.values()):
        raise _FailedError("found is not an object of true and false")
    if not isinstance(why, Mapping) or not all(isinstance(text, str) for text in why.values()):
        raise _FailedError("why is not an object of texts")
    findings = {key: Found(found[key], why.get(key, "")[:_MOST_WHY]) for key in CHECKS if key in found}
    if "payload" in answer and "JSON" in case.fields:
        where = difference(answer["payload"], case.fields["JSON"])
        compared = Found(where is None, f"differs from JSON: {where}" if where else "")
        findings |= {key: compared for key in _COMPARED if key not in found}
    return Judgement(findings)


def _exchange(process: subprocess.Popen[bytes], line: bytes, answers: SimpleQueue[bytes]) -> None:
    assert process.stdin is not None
    assert process.stdout is not None
    answer = b""
    with suppress(OSError, ValueError):
        process.stdin.write(line)
        process.stdin.flush()
        answer = process.stdout.readline(MOST_ANSWER_BYTES + 1)
    answers.put(answer)
