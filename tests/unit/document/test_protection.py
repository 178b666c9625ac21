"""A protected page opens with its passphrase alone, and stays as accessible as it was."""

from __future__ import annotations

import re
from io import BytesIO

import pikepdf
import pypdfium2  # type: ignore[import-untyped]
import pytest

import healthcert as hc
from healthcert.barcode.write import QrCode
from healthcert.document.paper import pdf
from healthcert.document.protection import new_passphrase, protect
from tests.unit.document.sheet_world import sheet, structure, text_of

PAGE = QrCode.of("HC1:A").pdf()


def test_it_opens_with_the_passphrase_alone() -> None:
    page = pdf(sheet(), QrCode.of("HC1:A"), text="HC1:A")
    locked = protect(page, "été 7kqm-x3wd")
    for wrong in (None, "", "7kqm-x3wd"):
        with pytest.raises(pypdfium2.PdfiumError):
            text_of(locked, wrong)
    assert text_of(locked, "été 7kqm-x3wd") == text_of(page)
    assert b"EU Digital COVID" not in locked
    with pikepdf.open(BytesIO(locked), password="été 7kqm-x3wd") as opened:
        found = opened.encryption
        assert (found.R, found.bits) == (6, 256)
        assert str(found.stream_method).endswith("aesv3")
        assert opened.allow.accessibility
        assert opened.allow.print_highres
        assert not opened.allow.modify_other
        assert not opened.owner_password_matched
        clear = BytesIO()
        opened.save(clear, encryption=False)
    assert list(structure(clear.getvalue())) == list(structure(page))


def test_metadata_are_encrypted_too() -> None:
    locked = protect(pdf(sheet(), QrCode.of("HC1:A"), text="HC1:A"), "secret")
    assert b"xpacket" not in locked
    assert b"/EncryptMetadata false" not in locked


def test_no_two_are_the_same() -> None:
    assert protect(PAGE, "secret") != protect(PAGE, "secret")


@pytest.mark.parametrize("passphrase", ["", "a\nb", "\u202eabc", "e\u0301", "ﬁ", "x" * 128, "é" * 64])
def test_passphrases_that_could_lock_out_are_refused(passphrase: str) -> None:
    with pytest.raises(hc.DocumentError) as caught:
        protect(PAGE, passphrase)
    assert caught.value.code is hc.Code.DOCUMENT_FAILED
    assert not passphrase or passphrase not in caught.value.detail


def test_the_longest_is_taken_whole() -> None:
    locked = protect(PAGE, "x" * 127)
    with pypdfium2.PdfDocument(locked, password="x" * 127) as opened:
        assert len(opened) == 1
    with pytest.raises(pypdfium2.PdfiumError):
        pypdfium2.PdfDocument(locked, password="x" * 126)


@pytest.mark.parametrize("what", [b"", b"no PDF", protect(PAGE, "secret")], ids=["nothing", "text", "protected"])
def test_what_is_no_open_pdf_is_refused(what: bytes) -> None:
    with pytest.raises(hc.DocumentError) as caught:
        protect(what, "secret")
    assert caught.value.code is hc.Code.DOCUMENT_FAILED


def test_passphrases_are_read_out_without_doubt() -> None:
    made = {new_passphrase() for _ in range(200)}
    assert len(made) == 200
    assert all(re.fullmatch(r"[2-9a-hjkmnp-z]{4}(-[2-9a-hjkmnp-z]{4}){3}", one) for one in made)
    # 31 letters and digits, 16 of them: 79 bits.
    assert len(set("".join(made)) - {"-"}) == 31
