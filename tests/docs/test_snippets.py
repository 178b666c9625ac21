"""Whatever a page shows is run, and does what the page says."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.docs.snippets import blocks, lacks, run_page, starts_from

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = [page for page in (ROOT / "README.md", *sorted(DOCS.rglob("*.md"))) if blocks(page)]


@pytest.fixture(scope="session")
def start(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder as the tutorial leaves it."""
    folder = tmp_path_factory.mktemp("tutorial")
    run_page(DOCS / "tutorial/first-certificate.md", folder)
    return folder


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_page(page: Path, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if missing := lacks(page):
        pytest.skip(f"{missing} is not here")
    if origin := starts_from(page):
        assert origin == "tutorial/first-certificate.md"
        tmp_path = shutil.copytree(request.getfixturevalue("start"), tmp_path / "desk")
    monkeypatch.setenv("HEALTHCERT_TRUST", str(tmp_path / "trust.db"))
    run_page(page, tmp_path)


def test_blocks_are_skipped_with_a_reason_and_seldom() -> None:
    found = [block for page in PAGES for block in blocks(page)]
    assert sum(block.skipped for block in found) <= len(found) // 10


@pytest.mark.parametrize(
    "wrong",
    [
        "```console\n$ echo one\ntwo\n```\n",
        "```console\n$ exit 3\n```\n",
        "```python\nassert False\n```\n",
        "```python\nprint(1)\n```\n\n```text\n2\n```\n",
    ],
)
def test_a_wrong_page_is_noticed(wrong: str, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(wrong, "utf-8")
    with pytest.raises(AssertionError):
        run_page(page, tmp_path)


def test_dots_skips_and_continued_commands(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    right = "```console\n$ echo one \\\n    two\none ...\n$ printf 'a\nb'\na\n...\n```\n"
    page.write_text(right + "<!-- not run: it fails -->\n```console\n$ exit 1\n```\n", "utf-8")
    run_page(page, tmp_path)
    assert [block.skipped for block in blocks(page)] == [False, True]


def test_what_is_exported_holds_for_the_commands_after_it(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text('```console\n$ export WORD="of $PWD"\n```\n\n```console\n$ echo "$WORD"\nof /...\n```\n', "utf-8")
    run_page(page, tmp_path)


def test_a_page_says_what_it_needs(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    for named, missing in ((page, None), (tmp_path / "nothing", tmp_path / "nothing")):
        page.write_text(f"<!-- needs: {named} -->\n", "utf-8")
        assert lacks(page) == missing
