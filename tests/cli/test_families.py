"""``verify --accept``: families that hold in one country only, or are mere links."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Run
from tests.support import Press, dsc


def test_a_national_code_is_accepted_by_name_only(run: Run, tmp_path: Path) -> None:
    trust = tmp_path / "dsc.pem"
    trust.write_bytes(dsc().certificate_pem())
    text = Press(prefix="NO1:").text()
    verify = ("verify", "--trust", str(trust), "--at", "2021-08-20T10:00:00Z")
    refused = run(*verify, stdin=text)
    assert refused.exit_code == 1
    assert "the policy does not accept: Norwegian domestic certificate (FAMILY_NOT_ACCEPTED)" in refused.output
    assert "✓ signature" in refused.output
    assert run(*verify, "--accept", "Danish domestic certificate", stdin=text).exit_code == 1
    accepted = run(*verify, "--accept", "norwegian domestic certificate", stdin=text)
    assert accepted.exit_code == 0
    assert "Family        Norwegian domestic certificate" in accepted.output
    assert run(*verify, "--accept", "HCERT", stdin=text).exit_code == 2
