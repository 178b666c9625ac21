"""The barcode that is made of a certificate's text is the one that its issuer draws, in every family."""

from __future__ import annotations

import pytest

import healthcert as hc
from healthcert.document.symbol import symbol_of
from healthcert.model import Scan
from tests.issuing import CASES, Case
from tests.support import issue

every = pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))


@every
def test_a_text_gets_the_barcode_that_its_issuer_draws(case: Case) -> None:
    issued = case.issue()
    text = Scan.of(issued.binary) if issued.wire.media_type == "application/zip" else issued.text
    level = None if issued.wire.symbol == "datamatrix" else issued.error_correction
    assert symbol_of(text, error_correction=level).modules == issued.symbol().modules


@every
def test_a_picture_is_drawn_again_as_it_was_read(case: Case) -> None:
    issued = case.issue()
    [text] = hc.read_barcodes(issued.symbol().png())
    [again] = hc.read_barcodes(symbol_of(text).png())
    assert isinstance(text, Scan)
    assert isinstance(again, Scan)
    assert (again, again.data) == (text, text.data)


def test_a_level_that_is_asked_for_is_kept() -> None:
    issued = issue()
    assert symbol_of(issued.text, error_correction="H").modules == issued.qr(error_correction="H").modules


@pytest.mark.parametrize("text", ["", "HELLO", "HC2:6BF", "shc:/abc", "eyJhbGciOiJFUzI1NiJ9.e30.AA"])
def test_what_has_no_barcode_gets_none(text: str) -> None:
    with pytest.raises(hc.DocumentError) as caught:
        symbol_of(text)
    assert caught.value.code is hc.Code.DOCUMENT_FAILED


def test_what_is_too_long_for_any_barcode_is_told() -> None:
    with pytest.raises(hc.DocumentError) as caught:
        symbol_of("HC1:" + "A" * 5000)
    assert caught.value.code is hc.Code.DOCUMENT_FAILED


@every
def test_an_issuer_reads_back_what_it_certified(case: Case) -> None:
    content = case.issue().content()
    assert content.family == case.kind
    assert content.holder.birth_date == case.holder.birth_date
    assert [event.entry_type for event in content.events] == [event.entry_type for event in case.events]
