"""The page of codes, and every code that any page names, against :class:`healthcert.Code`."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import healthcert as hc
from healthcert.revocation.coordinates import Mode
from healthcert.rules.lint.findings import Finding

ROOT = Path(__file__).resolve().parents[2]
CODES_PAGE = ROOT / "docs/reference/codes.md"
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]

_ROW = re.compile(r"^\| `(\w+)` \|((?:[^|]+\|){3})$", re.MULTILINE)
_CODE_LIKE = re.compile(r"`([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)`|\bCode\.(\w+)")
# Names in capitals that are no codes.
_OTHERS = {
    *hc.RevocationCheck.__members__,
    *hc.RulesCheck.__members__,
    *hc.RuleState.__members__,
    *hc.RulingOutcome.__members__,
    *hc.StepResult.__members__,
    *hc.Assurance.__members__,
    *hc.IdentifierType.__members__,
    *hc.Standing.__members__,
    *Mode.__members__,
    *Finding.__members__,
    "CKF_OS_LOCKING_OK",
    "DSC_USE",
    "HEALTHCERT_CERTIFICATE",
    "HEALTHCERT_DEBUG",
    "HEALTHCERT_ISSUER",
    "HEALTHCERT_KEY",
    "HEALTHCERT_PASSPHRASE",
    "HEALTHCERT_PIN",
    "HEALTHCERT_PKCS11_MODULE",
    "HEALTHCERT_PROFILE",
    "HEALTHCERT_REVOCATION",
    "HEALTHCERT_PDF_PASSWORD",
    "HEALTHCERT_RULES",
    "HEALTHCERT_SOURCES",
    "HEALTHCERT_TRUST",
    "HEALTHCERT_WALLET",
    "HEALTHCERT_WALLET_PASSPHRASE",
    "KMS_PKCS11_CONFIG",
    "NOT_DETECTED",
    "SUCCESS_2G",
    "SUCCESS_2G_PLUS",
    "TEST_NEEDED",
    "TWO_G",
    "TWO_G_PLUS",
    "UNKNOWN_KID",
    "YUBIHSM_PKCS11_CONF",
}


def test_the_page_has_every_code_once_in_the_order_of_the_source() -> None:
    assert [name for name, _ in _ROW.findall(CODES_PAGE.read_text("utf-8"))] == list(hc.Code.__members__)


def test_every_code_has_step_meaning_and_remedy() -> None:
    for name, cells in _ROW.findall(CODES_PAGE.read_text("utf-8")):
        step, meaning, remedy = (cell.strip() for cell in cells.split("|")[:3])
        assert step, name
        assert meaning.endswith("."), name
        assert remedy.endswith("."), name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_page_names_a_code_that_does_not_exist(page: Path) -> None:
    named = {code or member for code, member in _CODE_LIKE.findall(page.read_text("utf-8"))}
    assert named - _OTHERS <= set(hc.Code.__members__)
