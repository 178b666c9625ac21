"""The source of the tests, among the real ones."""

from __future__ import annotations

import pytest

from tests.unit.rules import lists


@pytest.fixture
def _signed_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("healthcert.rules.update.source_named", lists.source_named)
