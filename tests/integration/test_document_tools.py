"""Pages in the hands of other programs: Poppler, qpdf, and a second process."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from healthcert.barcode.write import QrCode
from healthcert.document.paper import Paper, pdf
from healthcert.document.protection import protect
from tests.unit.document.sheet_world import sheet

TEXT = "HC1:" + "6BFOXN*TS0BI$ZD4N9" * 30


def page(lang: str = "fr", paper: Paper = Paper.A4) -> bytes:
    return pdf(sheet(lang), QrCode.of(TEXT), text=TEXT, paper=paper)


def run(program: str, *arguments: str, status: int = 0) -> str:
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not here")
    done = subprocess.run([program, *arguments], capture_output=True, check=False)
    assert done.returncode == status, done.stderr
    return done.stdout.decode(errors="replace")  # pdfinfo prints some titles in UTF-16


@pytest.mark.parametrize("paper", list(Paper))
@pytest.mark.parametrize("lang", ["en", "ar"])
def test_qpdf_finds_nothing_wrong(tmp_path: Path, paper: Paper, lang: str) -> None:
    (tmp_path / "page.pdf").write_bytes(page(lang, paper))
    assert "No syntax or stream encoding errors" in run("qpdf", "--check", str(tmp_path / "page.pdf"))


def test_pdftotext_gives_the_fields_in_reading_order(tmp_path: Path) -> None:
    (tmp_path / "page.pdf").write_bytes(page())
    said = " ".join(run("pdftotext", "-raw", str(tmp_path / "page.pdf"), "-").split())
    at = 0
    for value in (
        "Certificat COVID",
        "Surname(s) Exemple-Müller",
        "Zoé",
        "Vaccination",
        "COVID-19",
        "2/2",
        "2021-06-11",
    ):
        at = said.index(value, at) + len(value)


def test_pdfinfo_sees_a_tagged_page(tmp_path: Path) -> None:
    (tmp_path / "page.pdf").write_bytes(pdf(sheet("fr", events=5), QrCode.of(TEXT), text=TEXT))
    told = run("pdfinfo", str(tmp_path / "page.pdf"))
    for line in (
        "Tagged: yes",
        "Suspects: no",
        "JavaScript: no",
        "Encrypted: no",
        "Page size: 595.276 x 841.89 pts (A4)",
    ):
        assert line in " ".join(told.split())
    tree = run("pdfinfo", "-struct-text", str(tmp_path / "page.pdf"))
    assert "1 / " not in tree  # the number of the page
    assert tree.index("H1") < tree.index("Figure") < tree.index("Exemple-Müller") < tree.index("Comirnaty")


def test_every_font_is_embedded_with_its_characters(tmp_path: Path) -> None:
    (tmp_path / "page.pdf").write_bytes(page("ar"))
    rows = run("pdffonts", str(tmp_path / "page.pdf")).splitlines()[2:]
    assert rows
    assert all(row.split()[-5:-2] == ["yes", "yes", "yes"] for row in rows)


def test_without_its_passphrase_a_protected_page_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "page.pdf"
    path.write_bytes(protect(page(), "7kqm-x3wd"))
    run("pdftotext", str(path), "-", status=1)
    run("qpdf", "--check", str(path), status=2)
    assert "Exemple-Müller" in run("pdftotext", "-upw", "7kqm-x3wd", str(path), "-")
    assert "R = 6" in run("qpdf", "--check", "--password=7kqm-x3wd", str(path))


def test_another_process_makes_the_same_bytes() -> None:
    script = (
        "import hashlib; from tests.integration.test_document_tools import page;"
        "print(hashlib.sha256(page('ar')).hexdigest())"
    )
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)}
        done = subprocess.run(
            [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
        )
        assert done.stdout.strip() == hashlib.sha256(page("ar")).hexdigest()


def test_no_font_is_left_on_the_disk(tmp_path: Path) -> None:
    script = "from tests.integration.test_document_tools import page; page()"
    environment = {**os.environ, "TMPDIR": str(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", script], env=environment, check=True)
    assert list(tmp_path.iterdir()) == []
