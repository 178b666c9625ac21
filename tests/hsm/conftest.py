"""A token, and keys and certificates on it, for the tests of hardware keys."""

from __future__ import annotations

import pytest

from tests import softhsm
from tests.hsm.keys import KeyOnToken, key_on_token


@pytest.fixture(scope="session")
def tokens() -> tuple[softhsm.SoftToken, softhsm.SoftToken]:
    """Two tokens of one module."""
    if reason := softhsm.missing():
        pytest.skip(reason)
    return softhsm.shared_tokens()


@pytest.fixture(scope="session")
def token(tokens: tuple[softhsm.SoftToken, softhsm.SoftToken]) -> softhsm.SoftToken:
    """A token."""
    return tokens[0]


@pytest.fixture(scope="session", params=["ec-p256", "rsa-3072"])
def on_token(request: pytest.FixtureRequest, token: softhsm.SoftToken) -> KeyOnToken:
    """A key pair of each kind made inside the token, and its DSC."""
    return key_on_token(token, f"DSC {request.param}", request.param)


@pytest.fixture(scope="session")
def ec_key(token: softhsm.SoftToken) -> KeyOnToken:
    """An EC key made inside the token, and its DSC."""
    return key_on_token(token, "DSC alone", "ec-p256")
