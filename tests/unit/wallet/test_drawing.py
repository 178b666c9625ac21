"""What a wallet draws is scanned again, whatever the certificate came in."""

from __future__ import annotations

from hashlib import sha256

import pytest

import healthcert as hc
from healthcert.barcode.write import QrCode
from healthcert.families.shc.encode import MAX_VERSION
from healthcert.families.shc.forms import to_digits
from healthcert.wallet.drawing import symbols_of
from tests import support_shc
from tests.issuing import CASES


def card(doses: int) -> support_shc.Press:
    """A card of so many doses, each with a number that does not compress."""
    many = [
        support_shc.with_(support_shc.DOSE, lotNumber=2 * sha256(bytes([number])).hexdigest())
        for number in range(doses)
    ]
    return support_shc.Press(support_shc.claims(support_shc.bundle(*many)))


@pytest.mark.parametrize("name", sorted(CASES))
def test_a_code_of_each_family_is_the_one_that_was_issued(name: str) -> None:
    issued = CASES[name].issue()
    [scan] = hc.read_barcodes(issued.symbol().png())
    [symbol] = symbols_of(scan)
    assert hc.read_barcodes(symbol.png()) == [scan]


def test_a_token_is_drawn_as_its_code_is() -> None:
    token = card(1).jws()
    [symbol] = symbols_of(token)
    assert hc.read_barcodes(symbol.png()) == ["shc:/" + to_digits(token.encode())]


@pytest.mark.parametrize(("doses", "codes"), [(12, 2)])
def test_a_card_for_several_codes(doses: int, codes: int) -> None:
    token = card(doses).jws()
    symbols = symbols_of(token)
    assert len(symbols) == codes
    collector = hc.PartCollector()
    found = [collector.add(text) for symbol in symbols for text in hc.read_barcodes(symbol.png())]
    assert found == [None] * (codes - 1) + [token]


@pytest.mark.parametrize("total", [10])
def test_a_full_part_fits_the_largest_symbol(total: int) -> None:
    token = card(1).jws()
    filled = token + "A" * (total * 1188 - len(token))
    symbols = symbols_of(filled)
    assert len(symbols) == total
    assert all(isinstance(symbol, QrCode) and symbol.version <= MAX_VERSION for symbol in symbols)


@pytest.mark.parametrize("text", ["HELLO", card(1).jws() + "A" * 64 * 1188, "HC1:" + "A" * 4294, ""])
def test_what_no_code_holds_is_told(text: str) -> None:
    with pytest.raises(hc.DocumentError) as caught:
        symbols_of(text)
    assert caught.value.code is hc.Code.DOCUMENT_FAILED
