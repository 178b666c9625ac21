"""Printing: what is issued or at hand becomes a page, with a password if wanted, and is read from it again."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pypdfium2  # type: ignore[import-untyped]
import pytest

import healthcert as hc
from healthcert.document import paper
from tests.cli.conftest import AT, Run

WHO = ("--family-name", "Exemple", "--given-name", "Zoé", "--birth-date", "1984-02-29")
DOSE = ("--product", "Comirnaty", "--dose", "2", "--series", "2", "--date", "2021-06-11", "--issuer-name", "Examples")
ISSUE = ("issue", "vaccination", *WHO, *DOSE)

needs_pdftotext = pytest.mark.skipif(shutil.which("pdftotext") is None, reason="pdftotext (poppler-utils) is not here")


@pytest.fixture
def desk(run: Run) -> Run:
    """A DSC, which is trusted."""
    for arguments in (
        ("keys", "new-ca", "--country", "FR", "--no-passphrase"),
        ("keys", "new-dsc", "--no-passphrase"),
        ("trust", "add", "dsc.pem"),
    ):
        done = run(*arguments)
        assert done.exit_code == 0, done.output
    return run


def pdftotext(path: str, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["pdftotext", *options, path, "-"], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("paper", ["a4", "letter", "card"])
def test_what_is_printed_is_accepted(desk: Run, paper: str) -> None:
    done = desk(*ISSUE, "--pdf", "cert.pdf", "--paper", paper, "--lang", "fr", "--error-correction", "L")
    assert (done.exit_code, done.stdout) == (0, ""), done.output
    checked = desk("verify", "cert.pdf", "--json")
    assert checked.exit_code == 0, checked.output
    assert json.loads(checked.stdout)["outcome"] == "accepted"


def test_a_page_for_a_screen(desk: Run) -> None:
    assert desk(*ISSUE, "--html", "cert.html", "--lang", "el").exit_code == 0
    page = Path("cert.html").read_text()
    assert 'lang="el"' in page
    assert "Zoé" in page


@needs_pdftotext
@pytest.mark.parametrize("how", ["--password", "--password-file"])
def test_a_password_is_needed_to_read_it(desk: Run, how: str) -> None:
    Path("secret.txt").write_text("correct horse\n")
    value = "secret.txt" if how == "--password-file" else "correct horse"
    assert desk(*ISSUE, "--pdf", "cert.pdf", how, value).exit_code == 0
    assert "Incorrect password" in pdftotext("cert.pdf").stderr
    assert "Exemple" in pdftotext("cert.pdf", "-upw", "correct horse").stdout
    with pytest.raises(pypdfium2.PdfiumError):
        pypdfium2.PdfDocument("cert.pdf")
    with pypdfium2.PdfDocument("cert.pdf", password="correct horse") as opened:
        assert "Exemple" in opened[0].get_textpage().get_text_bounded()


def test_a_protected_page_is_verified_with_its_password(desk: Run) -> None:
    Path("secret.txt").write_text("correct horse\n")
    assert desk(*ISSUE, "--pdf", "cert.pdf", "--password-file", "secret.txt").exit_code == 0
    locked = desk("verify", "cert.pdf")
    assert (locked.exit_code, "password" in locked.output) == (1, True)
    assert desk("verify", "cert.pdf", "--pdf-password-file", "secret.txt").exit_code == 0


def test_a_password_is_made_and_told_apart_from_the_file(desk: Run) -> None:
    done = desk(*ISSUE, "--pdf", "cert.pdf", "--password")
    assert done.exit_code == 0
    [line] = [line for line in done.stderr.splitlines() if line.startswith("Password of cert.pdf: ")]
    Path("secret.txt").write_text(line.removeprefix("Password of cert.pdf: ") + "\n")
    assert desk("verify", "cert.pdf", "--pdf-password-file", "secret.txt").exit_code == 0


def test_one_password_is_asked_for(desk: Run) -> None:
    Path("secret.txt").write_text("correct horse\n")
    done = desk(*ISSUE, "--pdf", "cert.pdf", "--password", "--password-file", "secret.txt")
    assert (done.exit_code, Path("cert.pdf").exists(), "Issued" in done.stderr) == (2, False, False)


@pytest.mark.parametrize("password", ["", "a\tb", "x" * 128])
def test_a_password_that_cannot_be_typed_is_told_before_anything_is_issued(desk: Run, password: str) -> None:
    done = desk(*ISSUE, "--pdf", "cert.pdf", "--password", password)
    assert (done.exit_code, "DOCUMENT_FAILED" in done.stderr, "Issued" in done.stderr) == (1, True, False)


def test_a_missing_package_is_told_before_anything_is_issued(desk: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    paper._engine.cache_clear()
    monkeypatch.setitem(sys.modules, "typst", None)
    done = desk(*ISSUE, "--pdf", "cert.pdf")
    assert (done.exit_code, "EXTRA_MISSING" in done.stderr, "Issued" in done.stderr) == (4, True, False)


def test_nothing_is_issued_under_a_broken_template(desk: Run) -> None:
    Path("template.toml").write_text("colour = 3\n")
    done = desk(*ISSUE, "--pdf", "cert.pdf", "--template", "template.toml", "--json")
    assert (done.exit_code, json.loads(done.stdout)["error"]["code"]) == (4, "TEMPLATE_INVALID")
    assert not Path("cert.pdf").exists()


@pytest.mark.parametrize("form", ["pdf", "html"])
def test_a_certificate_at_hand_is_printed_once_it_is_accepted(run: Run, certificates: Path, form: str) -> None:
    trusted = ("--trust", "dsc.pem", "--at", AT)
    done = run("document", form, "good.png", "-o", "page", *trusted)
    assert done.exit_code == 0, done.output
    assert Path("page").stat().st_size > 1000
    refused = run("document", form, "forged.txt", "-o", "other", *trusted)
    assert (refused.exit_code, "SIGNATURE_INVALID" in refused.stderr) == (1, True)
    unknown = run("document", form, "good.png", "-o", "other", "--at", AT)
    assert (unknown.exit_code, Path("other").exists()) == (3, False)


def test_a_page_is_not_written_over_its_source(run: Run, certificates: Path) -> None:
    before = Path("good.png").read_bytes()
    done = run("document", "pdf", "good.png", "-o", "good.png", "--trust", "dsc.pem", "--at", AT)
    assert (done.exit_code, Path("good.png").read_bytes() == before) == (2, True)


def test_two_certificates_are_not_one_page(run: Run, certificates: Path) -> None:
    text = Path("good.txt").read_text()
    Path("two.txt").write_text(text + text)
    done = run("document", "pdf", "two.txt", "-o", "page", "--trust", "dsc.pem", "--at", AT)
    assert (done.exit_code, "MULTIPLE_ENTRIES" in done.output) == (1, True)


def test_the_library_prints_what_it_issued() -> None:
    from tests.support import issue

    issued = issue()
    assert issued.pdf(lang="de") == issued.pdf(lang="de")
    assert hc.read_barcodes(issued.pdf()) == [issued.text]
