"""What opens keys: asked for once, and handed on to nobody but processes that are being started."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path

import pytest

from healthcert.batch.answers import Answers
from healthcert.errors import Code, IssueError
from healthcert.pool.worker import carried

KEY = Path("dsc.key.pem")


class Asked:
    """Counts what it is asked for."""

    def __init__(self) -> None:
        self.times: list[str] = []

    def passphrase(self, path: Path) -> bytes:
        self.times.append(str(path))
        return b"secret of " + str(path).encode()

    def pin(self, token: str) -> str:
        self.times.append(token)
        return f"pin of {token}"


def test_each_is_asked_for_once() -> None:
    asked = Asked()
    answers = Answers(asked)
    assert [answers.passphrase(KEY) for _ in range(2)] == [b"secret of dsc.key.pem"] * 2
    assert [answers.pin("Health") for _ in range(2)] == ["pin of Health"] * 2
    assert answers.pin("Other") == "pin of Other"
    assert asked.times == ["dsc.key.pem", "Health", "Other"]
    assert "pin" not in repr(answers)


def test_they_go_to_processes_that_are_being_started_and_nowhere_else() -> None:
    answers = Answers(Asked())
    answers.pin("Health")
    for out in (pickle.dumps, copy.deepcopy):
        with pytest.raises(RuntimeError):
            out(answers)
    told: Answers = pickle.loads(carried(answers))  # type: ignore[arg-type]
    assert told.pin("Health") == "pin of Health"
    # A worker asks nobody: it has no terminal, and one wrong PIN for each of them would lock a token.
    with pytest.raises(IssueError) as caught:
        told.pin("Other")
    assert caught.value.code is Code.SIGNER_KEY_UNREADABLE
    with pytest.raises(IssueError):
        told.passphrase(KEY)
