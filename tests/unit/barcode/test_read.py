"""Codes with their places, in files that hold one, many or none; and paths that are no files."""

from __future__ import annotations

import os
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

import healthcert as hc
from healthcert.barcode.found import FoundCode, Frame
from healthcert.barcode.ladder import Watch, codes_of
from healthcert.barcode.read import find_barcodes
from healthcert.barcode.write import DataMatrix
from tests.unit.barcode.test_pictures import saved


def drawn(text: str, module_pixels: int = 3) -> Image.Image:
    return Image.open(BytesIO(hc.QrCode.of(text).png(module_pixels=module_pixels))).convert("L")


def test_what_is_told_of_a_code() -> None:
    page = Image.new("L", (500, 400), 255)
    page.paste(drawn("HC1:A", 4), (100, 50))
    page.paste(Image.open(BytesIO(DataMatrix.of("DC:B").png())), (300, 200))
    qr, matrix = sorted(find_barcodes(saved(page, "PNG")), key=lambda code: code.symbology, reverse=True)
    assert (qr.text, qr.symbology, qr.frame) == ("HC1:A", "QR code", Frame(1, 500, 400))
    assert qr.text.data == b"HC1:A"
    assert [(round(x, -1), round(y, -1)) for x, y in qr.corners] == [(120, 70), (200, 70), (200, 150), (120, 150)]
    assert (matrix.text, matrix.symbology) == ("DC:B", "DataMatrix")
    assert "HC1:A" not in repr(qr)


def test_each_place_of_a_code_is_found_and_its_text_read_once() -> None:
    page = Image.new("L", (400, 150), 255)
    page.paste(drawn("HC1:A"), (0, 0))
    page.paste(drawn("HC1:A"), (200, 0))
    assert len({code.corners for code in find_barcodes(saved(page, "PNG"))}) == 2
    assert hc.read_barcodes(saved(page, "PNG")) == ["HC1:A"]


def test_fifty_codes_in_one_picture() -> None:
    texts = [f"HC1:{number:02}" for number in range(50)]
    page = Image.new("L", (1000, 500), 255)
    for number, text in enumerate(texts):
        page.paste(drawn(text), ((number % 10) * 100, number // 10 * 100))
    assert sorted(hc.read_barcodes(saved(page, "PNG"))) == texts


def test_effort_is_made_only_where_no_frame_has_a_code(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = []

    def blind(grey: Image.Image, frame: Frame, watch: Watch) -> list[FoundCode]:
        seconds.append(round(watch.left))
        return []

    monkeypatch.setattr("healthcert.barcode.read.codes_of", blind)
    blank = Image.new("L", (50, 50), 255)
    data = saved(blank, "TIFF", save_all=True, append_images=[blank, blank, blank])
    assert find_barcodes(data, limits=hc.Limits(image_seconds=40)) == []
    assert seconds == [0, 0, 0, 0, 10, 13, 20, 40]  # each its part of what the others left


def test_a_frame_that_is_read_at_once_saves_the_others_from_effort(monkeypatch: pytest.MonkeyPatch) -> None:
    efforts = []

    def watched(grey: Image.Image, frame: Frame, watch: Watch) -> list[FoundCode]:
        efforts.append(watch.left > 0)
        return codes_of(grey, frame, watch)

    monkeypatch.setattr("healthcert.barcode.read.codes_of", watched)
    blank = Image.new("L", (50, 50), 255)
    assert hc.read_barcodes(saved(blank, "TIFF", save_all=True, append_images=[drawn("HC1:A"), blank])) == ["HC1:A"]
    assert efforts == [False] * 3


def test_an_empty_file_and_a_folder(tmp_path: Path) -> None:
    (tmp_path / "empty.png").touch()
    with pytest.raises(hc.DecodeError) as caught:
        hc.read_barcodes(tmp_path / "empty.png")
    assert caught.value.code == "IMAGE_UNREADABLE"
    with pytest.raises(IsADirectoryError if os.name == "posix" else OSError):
        hc.read_barcodes(tmp_path)
    with pytest.raises(FileNotFoundError):
        hc.read_barcodes(tmp_path / "none.png")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes to be kept waiting by")
def test_devices_and_pipes_are_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    for path in ("/dev/zero", "/dev/null", tmp_path / "pipe.png"):
        with pytest.raises(hc.DecodeError, match="no file") as caught:
            hc.read_barcodes(path)
        assert caught.value.code == "IMAGE_UNREADABLE"


def test_a_file_of_more_bytes_than_the_limit(tmp_path: Path) -> None:
    data = saved(drawn("HC1:A"), "PNG")
    (tmp_path / "code.png").write_bytes(data)
    for image in (data, tmp_path / "code.png"):
        assert hc.read_barcodes(image, limits=hc.Limits(file_bytes=len(data))) == ["HC1:A"]
        with pytest.raises(hc.DecodeError) as caught:
            hc.read_barcodes(image, limits=hc.Limits(file_bytes=len(data) - 1))
        assert caught.value.code == "INPUT_TOO_LONG"
