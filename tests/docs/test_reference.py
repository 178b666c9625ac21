"""The hand-written pages of reference, against the classes they describe; and the tool that checks the others."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from msgspec import NODEFAULT
from msgspec.structs import fields

import healthcert as hc
from healthcert_cli.exits import Exit
from tests.docs.snippets import environment

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = ROOT / "docs/reference"


def rows(page: Path, name: str = r"`(\w+)`") -> dict[str, str]:
    """The second cells of a page's tables by their first, where that is a name in backticks."""
    return dict(re.findall(rf"^\| {name} \| ([^|]*?) \|", page.read_text("utf-8"), re.MULTILINE))


def test_limits_are_all_there_with_their_defaults() -> None:
    assert {name: int(value) for name, value in rows(REFERENCE / "limits.md").items() if value.isdigit()} == {
        field.name: field.default for field in fields(hc.Limits)
    }


@pytest.mark.parametrize("policy", [hc.Policy, hc.IssuePolicy])
def test_every_field_of_a_policy_is_described(policy: type[hc.Policy | hc.IssuePolicy]) -> None:
    described = rows(REFERENCE / "policy.md")
    for field in fields(policy):
        assert field.name in described
        if isinstance(field.default, int):
            assert described[field.name] == str(field.default)
        assert field.default is not NODEFAULT or field.default_factory is not NODEFAULT


def test_every_field_of_a_report_is_described() -> None:
    described = rows(REFERENCE / "json-report.md")
    report = hc.Verifier(hc.TrustStore()).examine("").to_dict()
    assert [*described] == ["source", *report]
    assert json.dumps(report)


def test_every_exit_code_is_in_the_readme() -> None:
    assert [*rows(ROOT / "README.md", r"(\d+)")] == [str(code.value) for code in Exit]


def test_help_on_the_page_is_what_the_command_prints(tmp_path: Path) -> None:
    command = [str(Path(sys.executable).with_name("healthcert")), "verify", "--help"]
    printed = subprocess.run(command, env=environment(tmp_path), capture_output=True, text=True, check=True).stdout
    assert f"```text\n{printed}```" in (REFERENCE / "cli.md").read_text("utf-8")


def test_documents_fit_the_code() -> None:
    command = [sys.executable, str(ROOT / "tools/check_docs.py")]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
