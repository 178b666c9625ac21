"""Texts that no published vector can hold, or whose refusal has to say more than a code."""

from __future__ import annotations

import cbor2
import pytest

import healthcert as hc
from healthcert.encoding import base45, cose, deflate
from tests.support import Press, vaccination, verifier


def test_base45_of_another_text_is_not_mixed_in() -> None:
    first, second = Press().text(), Press(payload=vaccination(dn=3)).text()
    spliced = first[:300] + second[300:]
    assert verifier().examine(spliced).outcome is hc.Outcome.REFUSED
    assert base45.decode(first[4:]) != base45.decode(second[4:])


@pytest.mark.parametrize(
    ("prefix", "family"),
    [("NL2:", "Dutch domestic pass"), ("shc:/", "SMART Health Card"), ("NZCP:/", "NZ COVID Pass"), ("DC04", None)],
)
def test_a_text_with_the_prefix_of_another_family_is_read_as_one(prefix: str, family: str | None) -> None:
    report = verifier().examine(Press(prefix=prefix).text())
    assert report.family == family
    assert report.outcome is not hc.Outcome.ACCEPTED
    assert report.step == ("decode" if family else "recognise")


def test_hostile_headers_leave_nothing_behind() -> None:
    examine = verifier().examine
    cose._decode_protected.cache_clear()
    for number in range(50):
        header = cbor2.dumps({1: -7, 4: number.to_bytes(8), 5: [{}] * 60_000})
        message = b"\xd2\x84" + cose._bstr(header) + b"\xa0\x41\xa0\x41\x00"
        assert examine("HC1:" + base45.encode(deflate.deflate(message))).outcome is hc.Outcome.REFUSED
    assert cose._decode_protected.cache_info().currsize == 0
