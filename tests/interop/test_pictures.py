"""Every picture of the public suites is read, and as its text where that stands beside it.

A picture that holds no code is excused below, with the reason; the list is exact both ways.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import pytest

import healthcert as hc
from tests.interop.samples import ROOT

TESTDATA, QA = ROOT / "dgc-testdata", ROOT / "hcert-other/dcc-quality-assurance"
SCREEN = "a photograph of a verifier's screen, which shows its verdict and no code"
WITHOUT_CODE = {
    f"CY/Test/Validation/png/{name}.jpg": SCREEN
    for name in (
        "AT/AT_1_Vac_Valid",
        "AT/AT_2_Rec_Valid",
        "AT/AT_3_NAA_Test_Invalid",
        "AT/AT_4_RA_Test_Invalid",
        "BE/BE_1_Vac_Valid",
        "BE/BE_2_Rec_Valid",
        "BE/BE_3_Test_Valid",
        "CY/CY_1_Vac1_Valid",
    )
}
EMPTY = "IE/2DCode/Raw/Test.png"  # a line end, and nothing else
# A quick look must do for what was drawn by a program.
QUICK = hc.Limits(image_seconds=0)

pytestmark = pytest.mark.skipif(
    not ROOT.is_dir(), reason="no third-party test data: set HEALTHCERT_INTEROP to its folder"
)


def pictures(folder: Path) -> list[str]:
    found = folder.rglob("*")
    return sorted(
        path.relative_to(folder).as_posix() for path in found if path.suffix.lower() in (".png", ".jpg", ".jpeg")
    )


def text_beside(picture: Path) -> str | None:
    """The text that the case of the same name has: in ``raw``, or ``2DCode/raw``, beside the folder of the picture."""
    for folder in (picture.parent.parent / "2DCode/raw", picture.parent.parent / "raw"):
        case = folder / f"{picture.stem}.json"
        if case.is_file():
            text = json.loads(case.read_text("utf-8-sig")).get("PREFIX")
            return text.strip("\r\n") if text else None
    return None


@cache
def curated_texts() -> dict[str, str]:
    """The texts of the pictures of dcc-quality-assurance, of which the table beside them has most."""
    lines = (QA / "decoded.tsv").read_text("utf-8").split("\n")[1:]
    return dict(line.split("\t", 1) for line in lines if "\t" in line)


@pytest.mark.parametrize("path", [path for path in pictures(TESTDATA) if path not in (*WITHOUT_CODE, EMPTY)])
def test_a_picture_of_the_conformance_suite(path: str) -> None:
    (text,) = hc.read_barcodes(TESTDATA / path, limits=QUICK)
    assert text.startswith("HC1:")
    assert text.strip("\r\n") == (text_beside(TESTDATA / path) or text.strip("\r\n"))


@pytest.mark.parametrize("path", WITHOUT_CODE)
def test_a_picture_without_a_code(path: str) -> None:
    assert hc.read_barcodes(TESTDATA / path, limits=QUICK) == []


def test_a_file_that_is_named_as_a_picture() -> None:
    with pytest.raises(hc.DecodeError) as caught:
        hc.read_barcodes(TESTDATA / EMPTY, limits=QUICK)
    assert caught.value.code == "IMAGE_UNREADABLE"


@pytest.mark.parametrize("path", pictures(QA))
def test_a_curated_picture(path: str) -> None:
    (text,) = hc.read_barcodes(QA / path, limits=QUICK)
    assert text.startswith("HC1:")
    assert text == curated_texts().get(path, text)


def test_all_pictures_are_there_and_most_have_their_text() -> None:
    assert (len(pictures(TESTDATA)), len(pictures(QA))) == (64, 138)
    assert set(pictures(TESTDATA)) >= WITHOUT_CODE.keys()
    assert sum(text_beside(TESTDATA / path) is not None for path in pictures(TESTDATA)) >= 40
    assert len(curated_texts().keys() & set(pictures(QA))) > 100
