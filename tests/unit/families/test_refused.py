"""What is recognised and not verified: told by its form, refused with what it is and what to ask for."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from healthcert.errors import Code, DecodeError, Step
from healthcert.families.protocol import Family
from healthcert.families.refused import REFUSED
from healthcert.limits import DEFAULT_LIMITS, Limits
from healthcert.model import Scan

many = settings(derandomize=True, deadline=None, max_examples=300)
BY_NAME = {family.name: family for family in REFUSED}
DUTCH = BY_NAME["Dutch domestic pass"]
INS = BY_NAME["French INS DataMatrix"]

SIGNATURE = "A" * 342 + "=="
PASS = SIGNATURE + '#{"id":"01/IL/ABCD","et":1,"ct":1,"c":"IL MOH"}'
ATTESTED: dict[str, Any] = {
    "version": "https://schema.openattestation.com/2.0/schema.json",
    "data": {"id": "0:string:1"},
    "signature": {"type": "SHA3MerkleProof", "targetHash": "00", "proof": [], "merkleRoot": "00"},
}
CREDENTIAL = {"@context": {"cred": "https://www.w3.org/2018/credentials/v1"}, "type": ["X"], "proof": {"type": "Y"}}
IDENTITY = (
    "IS010000000000000000000000"
    "S1284029912345678S21.2.250.1.213.1.4.8\x1dS3ZOE AROHA\x1dS4EXEMPLE\x1dS5FS629-02-1984S799999"
)
BINARY = Scan.of(b"\xdc\x04\x21\x10" + bytes(15))

SAMPLES: dict[str, list[str]] = {
    "Dutch domestic pass": ["NL1:ABC", "NL2:ABC", "NL3:", "NL9:X"],
    "French domestic pass": ["HCFR1:ABC", "EX1:ABC"],
    "health link": ["shlink:/eyJ", "vhlink:/eyJ", "SHLINK:/EYJ", "https://viewer.example/view?x=1#shlink:/eyJ"],
    "French INS DataMatrix": [IDENTITY, "IS010000000000000000000000"],
    "binary 2D-Doc": [BINARY, Scan("anything", b"\xdc\x04\x00")],
    "PathCheck paper credential": ["CRED:STATUS:2:GBCQ:KEYS.EXAMPLE:1/X/"],
    "Israeli green pass": [PASS],
    "OpenAttestation": [
        json.dumps(ATTESTED),
        json.dumps({**ATTESTED, "version": 2}),
        json.dumps({**ATTESTED, "signature": None}),
        json.dumps([ATTESTED]),
        "https://action.openattestation.com/?q=%7B%7D",
        "https://action.openattestation.com?q=%7B%7D",
        "https://www.verify.gov.sg/verify?q=%7B%7D",
    ],
    "JSON-LD credential": [json.dumps(CREDENTIAL), json.dumps([CREDENTIAL])],
}
UNSIGNED = {"health link", "French INS DataMatrix"}


def taken_by(text: str) -> list[str]:
    return [family.name for family in REFUSED if family.recognises(text)]


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in SAMPLES.items() for text in texts])
def test_each_is_told_by_its_form_and_by_no_other(name: str, text: str) -> None:
    assert taken_by(text) == [name]


@pytest.mark.parametrize(
    "text",
    [
        "", "NL", "NLX:", "NL22:", "nl2:ABC", " NL2:", "NL2", "HC1:NL2:", "EX1", "HCFR2:", "shc:/123", "shlink:eyJ",
        "http://viewer.example/#shlink:/eyJ", "https://viewer.example/shlink:/eyJ", "https://a b#shlink:/eyJ",
        "https://" + "a" * 3000 + "#shlink:/eyJ", "IS01", "IS02" + "0" * 22, "IS01X0000000000", "IS0100", "DC04",
        "\xdc\x04", Scan("\xdc\x04", b"\xdc\x03"), "cred:1", "CREDENTIAL", PASS[1:], "A" * 344 + "#{}",
        SIGNATURE + '#{"id":"02"}',
        "https://action.openattestation.com.evil.example/?q=",
        "https://example.org/?https://action.openattestation.com/?q=",
        "{", "[]", "{}", '{"proof"', '"proof"', '{"data": {"proof": {}, "note": "openattestation"}}',
        '{"note": "SHA3MerkleProof"}', '[{"proof": {}}, {"proof": {}}]', '{"version": "openattestation 2.0"}',
    ],
)  # fmt: skip
def test_nothing_else_is_taken_for_one(text: str) -> None:
    assert taken_by(text) == []


@pytest.mark.parametrize("name", SAMPLES)
def test_the_message_says_what_it_is_and_what_to_ask_for(name: str) -> None:
    family = BY_NAME[name]
    text = SAMPLES[name][0]
    with pytest.raises(DecodeError) as caught:
        family.decode(text, DEFAULT_LIMITS)
    code = Code.NOT_SIGNED if name in UNSIGNED else Code.FAMILY_NOT_SUPPORTED
    assert (caught.value.code, caught.value.step) == (code, Step.DECODE)
    assert "ask for " in caught.value.detail
    assert text not in caught.value.detail
    assert family.kinds == ()


def test_every_one_has_a_sample() -> None:
    assert [family.name for family in REFUSED] == list(SAMPLES)


def test_the_dutch_message_is_the_one_that_people_were_promised() -> None:
    with pytest.raises(DecodeError) as caught:
        DUTCH.decode("NL2:ABC", DEFAULT_LIMITS)
    assert "CoronaCheck" in caught.value.detail
    assert "Idemix zero-knowledge proof" in caught.value.detail
    assert "international (HC1) code" in caught.value.detail


@pytest.mark.parametrize("name", sorted(set(SAMPLES) - {"Dutch domestic pass", "French INS DataMatrix"}))
def test_the_others_have_no_layers_to_show(name: str) -> None:
    with pytest.raises(DecodeError) as caught:
        list(BY_NAME[name].layers(SAMPLES[name][0], DEFAULT_LIMITS))
    assert "ask for " in caught.value.detail


# --- What the Dutch pass discloses ---

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"


def der(tag: int, body: bytes) -> bytes:
    size = len(body)
    length = bytes((size,)) if size < 0x80 else b"\x82" + size.to_bytes(2, "big")
    return bytes((tag,)) + length + body


def number(value: int) -> bytes:
    return der(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def attribute(value: bytes | None) -> bytes:
    return number(0 if value is None else int.from_bytes(value, "big") << 1 | 1)


METADATA = der(0x30, der(0x04, b"\x02") + der(0x13, b"VWS-TEST-1"))
DISCLOSED = [METADATA, b"1", b"0", b"1640995200", b"24", b"Z", b"E", b"29", b"2"]


def dutch(attributes: Sequence[bytes | None], *, time: int = 1641000000, fields: int = 5) -> str:
    body = number(time) + number(5) * fields + der(0x30, b"".join(map(attribute, attributes)))
    return in_base45(der(0x30, body))


def in_base45(data: bytes) -> str:
    value, symbols = int.from_bytes(data, "big"), ""
    while value:
        value, digit = divmod(value, 45)
        symbols = _ALPHABET[digit] + symbols
    return "NL2:" + symbols


def test_what_is_disclosed_is_shown_as_unverified() -> None:
    layers = list(DUTCH.layers(dutch([*DISCLOSED]), DEFAULT_LIMITS))
    assert [layer.name for layer in layers] == [
        "base45 (one number)",
        "zero-knowledge proof (not checked)",
        "disclosed attributes (unverified)",
    ]
    assert layers[1].content == {"disclosureTime": "2022-01-01T01:20:00+00:00"}
    assert layers[2].content == {
        "credentialVersion": "02",
        "issuerKey": "VWS-TEST-1",
        "isSpecimen": "1",
        "isPaperProof": "0",
        "validFrom": "1640995200",
        "validForHours": "24",
        "firstNameInitial": "Z",
        "lastNameInitial": "E",
        "birthDay": "29",
        "birthMonth": "2",
    }
    assert "1640995200" not in repr(layers)


def test_a_later_attribute_and_one_that_is_withheld() -> None:
    shown = list(DUTCH.layers(dutch([*DISCLOSED[:6], None, b"29", b"2", b"3", b"x"]), DEFAULT_LIMITS))[2].content
    assert shown["lastNameInitial"] is None
    assert (shown["category"], shown["attribute 10"]) == ("3", "x")


@pytest.mark.parametrize(
    "text",
    [
        "NL2:",
        "NL2:0",
        "NL2:" + ":" * 4296,
        in_base45(der(0x30, b"")),
        dutch([]),
        dutch([*DISCLOSED], fields=4),
        dutch([*DISCLOSED], fields=6),
        dutch([*DISCLOSED[:8]]),
        dutch([METADATA] + [b"1"] * 40),
        dutch([METADATA] + [b"1" * 100] * 8),
        dutch([*DISCLOSED], time=10**15),
        dutch([*DISCLOSED], time=10**400),
        dutch([None, *DISCLOSED[1:]]),
        dutch([b"1", *DISCLOSED[1:]]),
        dutch([der(0x30, der(0x04, b"\x02")), *DISCLOSED[1:]]),
    ],
)
def test_a_pass_of_another_form_is_not_guessed_at(text: str) -> None:
    with pytest.raises(DecodeError) as caught:
        list(DUTCH.layers(text, DEFAULT_LIMITS))
    assert caught.value.code is Code.FAMILY_NOT_SUPPORTED
    assert caught.value.detail == "a Dutch domestic pass in a form that is not known"


@pytest.mark.parametrize("text", ["NL2:a", "NL2:Ä", "NL2:\ud800", "NL2:A\n"])
def test_symbols_that_are_none(text: str) -> None:
    with pytest.raises(DecodeError) as caught:
        list(DUTCH.layers(text, DEFAULT_LIMITS))
    assert caught.value.code is Code.BASE_45_DECODING_FAILED


def test_the_first_form_is_not_decoded() -> None:
    with pytest.raises(DecodeError) as caught:
        list(DUTCH.layers("NL1:" + dutch([*DISCLOSED])[4:], DEFAULT_LIMITS))
    assert "Idemix" in caught.value.detail


@pytest.mark.parametrize(("family", "text"), [(DUTCH, dutch([*DISCLOSED])), (INS, IDENTITY)])
def test_no_more_is_looked_at_than_the_limits_say(family: Family, text: str) -> None:
    assert list(family.layers(text, Limits(text_chars=len(text))))
    with pytest.raises(DecodeError) as caught:
        list(family.layers(text, Limits(text_chars=len(text) - 1)))
    assert caught.value.code is Code.INPUT_TOO_LONG


@many
@given(
    st.binary(max_size=200) | st.lists(st.binary(max_size=70) | st.none(), max_size=12).map(lambda a: [METADATA, *a])
)
def test_no_text_of_that_form_raises_anything_else(content: Any) -> None:
    text = in_base45(content) if isinstance(content, bytes) else dutch(content)
    try:
        layers = list(DUTCH.layers(text, DEFAULT_LIMITS))
    except DecodeError:
        return
    assert layers[-1].name == "disclosed attributes (unverified)"


# --- What the French identity has in it ---


def test_the_fields_of_an_identity_are_shown_as_unsigned() -> None:
    header, fields = INS.layers(IDENTITY, DEFAULT_LIMITS)
    assert header.content == {"version": "01"}
    assert fields.name == "identity fields (unsigned)"
    assert fields.content == {
        "matricule INS": "284029912345678",
        "OID": "1.2.250.1.213.1.4.8",
        "first names at birth": "ZOE AROHA",
        "family name at birth": "EXEMPLE",
        "sex": "F",
        "date of birth": "29-02-1984",
        "place of birth": "99999",
    }


def test_a_field_of_the_greatest_length_needs_no_separator() -> None:
    text = IDENTITY[:26] + "S21.2.250.1.213.1.4.10S3" + "S4" * 50 + "S5M"
    _, fields = INS.layers(text, DEFAULT_LIMITS)
    assert fields.content == {"OID": "1.2.250.1.213.1.4.10", "first names at birth": "S4" * 50, "sex": "M"}


@pytest.mark.parametrize("rest", ["S9X", "X", "S5FS5M", "\x1d", "S5F\x1d\x1d"])
def test_an_identity_of_another_form_is_not_guessed_at(rest: str) -> None:
    layers = INS.layers(IDENTITY[:26] + rest, DEFAULT_LIMITS)
    assert next(layers).name == "INS DataMatrix"
    with pytest.raises(DecodeError) as caught:
        next(layers)
    assert caught.value.code is Code.NOT_SIGNED


@many
@given(st.text("S1234567\x1dAF0-.", max_size=80))
def test_no_identity_raises_anything_else(rest: str) -> None:
    try:
        _, fields = INS.layers(IDENTITY[:26] + rest, DEFAULT_LIMITS)
    except DecodeError:
        return
    assert sum(map(len, fields.content.values())) <= len(rest)


@many
@given(st.text(max_size=60) | st.text('NL2:SHC1{}[]"#/proof', max_size=40))
def test_no_text_breaks_the_recognising(text: str) -> None:
    assert len(taken_by(text)) <= 1
