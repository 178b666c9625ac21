"""Fixtures that many tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def interop_folder() -> Path:
    """Where third-party test data lies, if it does."""
    return Path(os.environ.get("HEALTHCERT_INTEROP", ROOT.parent / "shared" / "interop"))


@pytest.fixture(scope="session")
def interop() -> Path:
    folder = interop_folder()
    if not folder.is_dir():
        pytest.skip("no third-party test data: set HEALTHCERT_INTEROP to its folder")
    return folder
