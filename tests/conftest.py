"""Fixtures that many tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).parent.parent

# How long an example takes is the machine's affair: the first one of a test imports what it needs.
settings.register_profile("here", deadline=None)
settings.load_profile("here")


def interop_folder() -> Path:
    """Where third-party test data lies, if it does."""
    return Path(os.environ.get("HEALTHCERT_INTEROP", ROOT.parent / "shared" / "interop"))


@pytest.fixture(scope="session")
def interop() -> Path:
    folder = interop_folder()
    if not folder.is_dir():
        pytest.skip("no third-party test data: set HEALTHCERT_INTEROP to its folder")
    return folder
