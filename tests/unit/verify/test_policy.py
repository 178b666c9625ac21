"""A policy can ask only for what there is."""

from __future__ import annotations

import pytest

import healthcert as hc


def test_a_policy_tolerates_only_what_can_be_tolerated() -> None:
    with pytest.raises(ValueError, match="SIGNATURE_INVALID"):
        hc.Policy(tolerated=frozenset((hc.Code.SIGNATURE_INVALID,)))


def test_a_policy_names_only_what_there_is() -> None:
    with pytest.raises(ValueError, match="no such family: HCERT"):
        hc.Policy(families=frozenset(("HCERT",)))
