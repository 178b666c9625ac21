"""``verify --accept``: families that hold in one country only, or are mere links."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Run
from tests.support import EXEMPTION_ENTRY, Press, dsc


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


def test_a_list_is_for_what_it_is_added_for(run: Run, tmp_path: Path) -> None:
    (tmp_path / "dsc.pem").write_bytes(dsc().certificate_pem())
    run("trust", "add", "dsc.pem", "--usage", "exemption")
    assert " exemption " in run("trust", "list").output
    refused = run("verify", "--at", "2021-08-20T10:00:00Z", stdin=Press().text())
    assert (refused.exit_code, "KEY_USAGE_MISMATCH" in refused.output) == (1, True)
    exemption = {"ver": "AT-1.0.0", "nam": {"fnt": "EXEMPLAIRE"}, "dob": "1984", "ve": [EXEMPTION_ENTRY]}
    text = Press(prefix="AT1:", payload=exemption).text()
    accept = ("verify", "--at", "2021-08-20T10:00:00Z", "--accept", "Austrian exemption certificate")
    assert run(*accept, stdin=text).exit_code == 0


def test_a_key_for_nothing_signs_the_swiss_light_alone(run: Run, tmp_path: Path) -> None:
    (tmp_path / "dsc.pem").write_bytes(dsc().certificate_pem())
    run("trust", "add", "dsc.pem", "--usage", "none")
    assert " none " in run("trust", "list").output
    light = {1: "CH BAG", -260: ..., -250: {1: {"ver": "1.0.0", "nam": {"fnt": "EXEMPLAIRE"}, "dob": "1984"}}}
    verify = ("verify", "--at", "2021-08-20T10:00:00Z", "--accept", "Swiss certificate light")
    assert run(*verify, stdin=Press(prefix="LT1:", claims=light).text()).exit_code == 0
    assert "KEY_USAGE_MISMATCH" in run(*verify, stdin=Press().text()).output
