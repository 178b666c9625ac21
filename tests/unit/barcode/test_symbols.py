"""QR codes of several segments and DataMatrix codes, written and read again to the byte."""

from __future__ import annotations

import random
import xml.etree.ElementTree as ET
from io import BytesIO
from pathlib import Path

import pytest
import zxingcpp
from PIL import Image

import healthcert as hc
from healthcert.barcode.write import DataMatrix, QrCode
from healthcert.model import Scan
from tests.support_twoddoc import Press

TEXT = Press().text()


def scan(picture: bytes) -> Scan:
    (found,) = hc.read_barcodes(picture)
    assert isinstance(found, Scan)
    return found


# --- Segments ---


def test_each_text_is_in_the_densest_mode_that_has_all_of_it() -> None:
    # ISO/IEC 18004, table 7: version 22 at level L holds 2409 digits, 1460 alphanumeric characters, 1003 bytes.
    for character, most in (("1", 2409), ("A", 1460), ("a", 1003)):
        assert QrCode.of_segments((character * most,), error_correction="L").version == 22
        assert QrCode.of_segments((character * (most + 1),), error_correction="L").version == 23


def test_a_smart_health_card_has_two_segments() -> None:
    # SMART Health Cards, "Encoding Chunks as QR Codes": 1195 characters, two digits each, fit version 22.
    digits = "56" * 1195
    code = QrCode.of_segments(("shc:/", digits), error_correction="L", max_version=22)
    assert code.version == 22
    assert scan(code.png()) == f"shc:/{digits}"
    with pytest.raises(hc.IssueError) as caught:
        QrCode.of_segments(("shc:/", digits + "5656"), error_correction="L", max_version=22)
    assert caught.value.code == "BARCODE_TOO_LARGE"


@pytest.mark.parametrize("data", [b"PK\x03\x04" + bytes(range(256)) * 2, b"\x00", b"\xff\xfe", b"1234"])
def test_bytes_are_read_as_they_are(data: bytes) -> None:
    assert scan(QrCode.of_segments((data,)).png()).data == data


def test_bytes_and_texts_together() -> None:
    found = scan(QrCode.of_segments(("NZCP:/1/", "", "0815", b"caf", "é")).png())
    assert found == "NZCP:/1/0815café"
    assert found.data == "NZCP:/1/0815café".encode()


def test_one_segment_is_as_a_code_of_its_text() -> None:
    assert QrCode.of_segments(("HC1:ABC",)) == QrCode.of("HC1:ABC")


@pytest.mark.parametrize("segments", [(), ("",), (b"",), ("", b"")])
def test_nothing_is_no_code(segments: tuple[str | bytes, ...]) -> None:
    with pytest.raises(ValueError, match="nothing"):
        QrCode.of_segments(segments)


def test_levels_and_versions_that_are_none() -> None:
    with pytest.raises(ValueError, match="level"):
        QrCode.of_segments(("A",), error_correction="X")
    for version in (0, 41):
        with pytest.raises(ValueError, match="1 to 40"):
            QrCode.of_segments(("A",), max_version=version)


def test_what_does_not_fit_at_all() -> None:
    with pytest.raises(hc.IssueError) as caught:
        QrCode.of_segments((bytes(2954),), error_correction="L")
    assert caught.value.code == "BARCODE_TOO_LARGE"


# --- What a reader remembers ---


def test_a_scan_is_its_text_and_remembers_its_bytes() -> None:
    found = scan(QrCode.of("HC1:ABC").png())
    assert found == "HC1:ABC"
    assert found.data == b"HC1:ABC"


def test_codes_of_other_bytes_are_other_codes() -> None:
    page = Image.new("L", (1200, 600), 255)
    for number, data in enumerate((b"\x80\x81\x82" * 20, b"\x83\x84\x85" * 20)):
        page.paste(Image.open(BytesIO(QrCode.of_segments((data,)).png())), (number * 600, 50))
    out = BytesIO()
    page.save(out, "PNG")
    assert len(hc.read_barcodes(out.getvalue())) == 2


# --- DataMatrix ---


def test_a_datamatrix_reads_as_its_text() -> None:
    code = DataMatrix.of(TEXT)
    assert scan(code.png()) == TEXT
    assert scan(code.png()).data == TEXT.encode()
    (found,) = zxingcpp.read_barcodes(Image.open(BytesIO(code.png())))
    assert found.format == zxingcpp.BarcodeFormat.DataMatrix


@pytest.mark.parametrize("length", [1, 7, 12, 30, 60, 400, 2335])
def test_it_is_square_and_has_its_border(length: int) -> None:
    modules = DataMatrix.of("A" * length).modules
    assert {len(row) for row in modules} == {len(modules)}
    # ISO/IEC 16022 §7.2: a solid L at the left and below, dark and light in turn above and at the right.
    assert all(row[0] for row in modules)
    assert all(modules[-1])
    assert modules[0] == bytes(x % 2 == 0 for x in range(len(modules)))


def test_it_draws_itself_in_every_form(tmp_path: Path) -> None:
    code = DataMatrix.of(TEXT)
    side = len(code.modules) + 4
    assert Image.open(BytesIO(code.png(module_pixels=3))).size == (side * 3, side * 3)
    root = ET.fromstring(code.svg())
    assert root.attrib["viewBox"] == f"0 0 {side} {side}"
    drawn = sum(int(run.split("h")[1].split("v")[0]) for run in root[1].attrib["d"].split("z") if run)
    assert drawn == sum(map(sum, code.modules))
    assert len(code.terminal().splitlines()) == (side + 1) // 2
    code.save(tmp_path / "code.png")
    code.save(tmp_path / "code.svg")
    assert hc.read_barcodes(tmp_path / "code.png") == [TEXT]
    with pytest.raises(ValueError, match="a DataMatrix code is written"):
        code.save(tmp_path / "code.gif")


def test_what_is_no_datamatrix() -> None:
    for text in ("", "é", "DC04\x80"):
        with pytest.raises(ValueError, match="ASCII"):
            DataMatrix.of(text)
    with pytest.raises(hc.IssueError) as caught:
        DataMatrix.of("A" * 2336)
    assert caught.value.code == "BARCODE_TOO_LARGE"


@pytest.mark.parametrize("seed", range(30))
def test_noise_in_a_datamatrix_never_raises(seed: int) -> None:
    chance = random.Random(seed)
    modules = [list(row) for row in DataMatrix.of(TEXT).modules]
    for _ in range(chance.choice([1, 20, 200, 1500])):
        row = chance.randrange(1, len(modules) - 1)
        modules[row][chance.randrange(1, len(modules) - 1)] ^= True
    noisy = DataMatrix(tuple(bytes(row) for row in modules))
    found = hc.read_barcodes(noisy.png())
    # Reed-Solomon corrects some; what it cannot is no code rather than another text.
    assert found in ([], [TEXT])


def test_random_pictures_hold_nothing() -> None:
    for seed in range(5):
        pixels = random.Random(seed).randbytes(200 * 200)
        out = BytesIO()
        Image.frombytes("L", (200, 200), pixels).save(out, "PNG")
        assert hc.read_barcodes(out.getvalue()) == []
