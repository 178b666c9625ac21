"""Links of the French wallet: the certificate comes out of them as it went in, and nothing else is touched."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from healthcert.families.links import unwrap

HOST = "https://bonjour.tousanticovid.gouv.fr/app/"
TWODDOC = "DC04XX0000011E6D1E6DL101FRL0LE EXEMPLE\x1dL1ZOE/AROHA\x1dL229021984\x1fAAAABBBB"
HC1 = "HC1:6BF%%X $*+-./:A B%4.%2%Q"
many = settings(derandomize=True, deadline=None, max_examples=300)


@pytest.mark.parametrize(
    "link",
    [
        f"{HOST}wallet?v={quote(TWODDOC)}",
        f"{HOST}wallet?v={quote(TWODDOC, safe='')}",
        f"{HOST}wallet?v={TWODDOC.replace(chr(0x1D), '%1D').replace(chr(0x1F), '%1F')}",
        f"{HOST}wallet?v={quote(TWODDOC).replace('%20', '+')}",
        f"{HOST}wallet?v={TWODDOC}",
        f"{HOST}wallet?utm=1&v={quote(TWODDOC)}&x=2",
        f"{HOST}wallet2d#{quote(TWODDOC)}",
        f"{HOST}wallet2d#{quote(TWODDOC, safe='')}",
        f"{HOST}wallet#{quote(TWODDOC)}",
        f"{HOST}wallet2d/?v={quote(TWODDOC)}",
    ],
)
def test_a_2d_doc_comes_out(link: str) -> None:
    assert unwrap(link) == TWODDOC


@pytest.mark.parametrize(
    "link",
    [
        f"{HOST}walletdcc#{quote(HC1)}",
        f"{HOST}walletdcc#{quote(HC1, safe='')}",
        f"{HOST}walletdcc#{quote(HC1, safe='$*+-./:')}",
        f"{HOST}walletdcc#{HC1}",
        f"{HOST}walletdcc?v={quote(HC1, safe='$*+-./:')}",
        f"{HOST}wallet?v={quote(HC1, safe='')}".replace("HC1%3A", "HC1:"),
    ],
)
def test_an_hc1_comes_out(link: str) -> None:
    assert unwrap(link) == HC1


@pytest.mark.parametrize(
    "text",
    [
        "",
        HC1,
        TWODDOC,
        HOST,
        f"{HOST}wallet",
        f"{HOST}wallet?v=",
        f"{HOST}wallet?q={quote(TWODDOC)}",
        f"{HOST}wallet#",
        f"{HOST}walletx#{HC1}",
        f"{HOST}wallet/../evil#{HC1}",
        f"{HOST}wallet2d#%FF%FE",
        f"{HOST}wallet2d#\ud800",
        f"http://bonjour.tousanticovid.gouv.fr/app/wallet2d#{HC1}",
        f"https://bonjour.tousanticovid.gouv.fr.evil.example/app/wallet2d#{HC1}",
        f"https://evil.example/app/wallet2d#{HC1}",
        f" {HOST}wallet2d#{HC1}",
    ],
)
def test_anything_else_stays_as_it_is(text: str) -> None:
    assert unwrap(text) == text


def test_one_link_is_opened_and_no_more() -> None:
    inner = f"{HOST}wallet2d#{quote(TWODDOC, safe='')}"
    assert unwrap(f"{HOST}wallet2d#{quote(inner, safe='')}") == inner


def test_what_is_escaped_twice_is_unescaped_once() -> None:
    assert unwrap(f"{HOST}wallet2d#DC04%251D") == "DC04%1D"


@many
@given(st.text(st.characters(min_codepoint=1, max_codepoint=0x24F), min_size=1, max_size=60))
def test_whatever_was_put_into_a_link_comes_out(certificate: str) -> None:
    escaped = quote(certificate, safe="")
    assert unwrap(f"{HOST}wallet2d#{escaped}") == certificate
    assert unwrap(f"{HOST}wallet?v={escaped}") == certificate


@many
@given(st.text(max_size=80))
def test_nothing_grows_and_nothing_is_raised(text: str) -> None:
    for start in ("", f"{HOST}wallet", f"{HOST}wallet?v=", f"{HOST}wallet2d#", f"{HOST}walletdcc#HC1:"):
        assert len(unwrap(start + text)) <= len(start + text)
