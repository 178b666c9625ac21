"""ASN.1 in BER: whatever spelling comes, one meaning or a refusal."""

from __future__ import annotations

import pytest

from healthcert.encoding import ber
from healthcert.encoding.cms_write import object_id
from healthcert.errors import Code, DecodeError
from tests.unit.encoding.messages import (
    endless,
    in_pieces,
    seq,
    tlv,
)


def test_an_element_is_its_tag_its_bytes_and_its_content() -> None:
    data = b"\x30\x06\x02\x01\x05\x04\x01\x41"
    element = ber.read(data)
    assert (element.tag, element.raw, element.body) == (ber.SEQUENCE, data, data[2:])
    assert [(child.tag, child.raw, child.body) for child in element.children()] == [
        (ber.INTEGER, b"\x02\x01\x05", b"\x05"),
        (ber.OCTET_STRING, b"\x04\x01\x41", b"A"),
    ]


@pytest.mark.parametrize("length", [0, 1, 0x7F, 0x80, 0xFF, 0x100, 0xFFFF, 0x10000])
def test_lengths_of_every_form_are_read_and_written(length: int) -> None:
    body = bytes(length)
    written = tlv(ber.OCTET_STRING, body)
    assert ber.read(written).body == body
    # X.690 §8.1.3.5: more octets for the length than there need be are as good.
    long_form = b"\x04\x84" + length.to_bytes(4, "big") + body
    assert ber.read(long_form).body == body
    assert ber.read(long_form).definite() == written


def test_an_indefinite_length_ends_where_it_says() -> None:
    inner = endless(ber.SEQUENCE, b"\x02\x01\x05")
    data = endless(ber.SEQUENCE, inner, b"\x04\x01\x41")
    element = ber.read(data)
    assert element.raw == data
    assert [child.raw for child in element.children()] == [inner, b"\x04\x01\x41"]
    assert ber.read(inner).definite() == seq(b"\x02\x01\x05")


def test_a_string_may_come_in_pieces() -> None:
    pieces = [tlv(ber.OCTET_STRING, b"one "), endless(0x24, tlv(ber.OCTET_STRING, b"two "), b"\x04\x00"), b"\x04\x01!"]
    for whole in (tlv(0x24, *pieces), endless(0x24, *pieces)):
        assert ber.read(whole).string() == b"one two !"
    assert ber.read(b"\x04\x03abc").string() == b"abc"


@pytest.mark.parametrize(
    ("data", "detail"),
    [
        (b"", "too early"),
        (b"\x30", "too early"),
        (b"\x30\x01", "too early"),
        (b"\x30\x82\x01", "length"),
        (b"\x30\x85\x00\x00\x00\x00\x00", "length"),
        (b"\x30\xff", "length"),
        (b"\x30\x84\xff\xff\xff\xff", "too early"),
        (b"\x30\x80", "too early"),
        (b"\x30\x80\x00", "too early"),
        (b"\x30\x80\x02\x01\x05", "too early"),
        (b"\x04\x80\x00\x00", "primitive element without a length"),
        (b"\x1f\x01\x00", "tag of several bytes"),
        (b"\x30\x00\x00", "bytes after the end"),
        (b"\x30\x80" * 40 + b"\0\0" * 40, "levels"),
    ],
)
def test_what_is_no_element_is_refused(data: bytes, detail: str) -> None:
    with pytest.raises(DecodeError) as caught:
        ber.read(data)
    assert caught.value.code is Code.TRUST_LIST_UNREADABLE
    assert detail in caught.value.detail


def test_indefinite_lengths_may_stand_in_each_other_to_a_depth() -> None:
    for depth, good in ((33, True), (34, False)):
        data = b"\x30\x80" * depth + b"\0\0" * depth
        if good:
            assert ber.read(data).tag == ber.SEQUENCE
        else:
            with pytest.raises(DecodeError):
                ber.read(data)


def test_no_more_elements_are_looked_at_than_some(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ber, "_MAX_ELEMENTS", 8)
    assert len(ber.read(seq(b"\x05\x00" * 7)).children()) == 7
    for data in (seq(b"\x05\x00" * 8), endless(ber.SEQUENCE, b"\x05\x00" * 4)):
        with pytest.raises(DecodeError, match="more than 8 elements"):
            ber.read(data).children()


def test_a_primitive_element_has_no_elements_and_another_tag_is_refused() -> None:
    with pytest.raises(DecodeError):
        ber.read(b"\x04\x02\x05\x00").children()
    with pytest.raises(DecodeError):
        ber.read(b"\x04\x00", ber.SEQUENCE)


def test_a_string_in_pieces_of_pieces_is_one_string() -> None:
    assert ber.read(in_pieces(2)).string() == b"!"


def test_a_string_in_pieces_of_pieces_without_end_is_refused() -> None:
    for depth in (20, 3000):
        with pytest.raises(DecodeError):
            ber.read(in_pieces(depth)).string()


@pytest.mark.parametrize(
    "dotted", ["0.0", "0.39", "1.2.840.113549.1.7.2", "2.5.4.6", "2.16.840.1.101.3.4.2.1", "2.999.3", "2.23.136.1.1.2"]
)
def test_object_identifiers_are_read_as_they_are_written(dotted: str) -> None:
    assert ber.read(object_id(dotted)).oid() == dotted


@pytest.mark.parametrize("text", ["0600", "060180", "06022a86", "020105", "060b" + "ff" * 10 + "01"])
def test_what_is_no_object_identifier_is_refused(text: str) -> None:
    with pytest.raises(DecodeError):
        ber.read(bytes.fromhex(text)).oid()
