"""The forms of a SMART Health Card: which texts are one, what is in documents, and the parts of a large one."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from itertools import permutations

import pytest

from healthcert.encoding import jws
from healthcert.encoding.algorithms import Algorithm
from healthcert.errors import Code, DecodeError, Step
from healthcert.families.shc.family import SHC
from healthcert.families.shc.forms import cards_in, is_token, read, to_digits
from healthcert.families.shc.parts import PartCollector
from healthcert.limits import DEFAULT_LIMITS, Limits
from tests.support_shc import Press, claims, examine, key

FEW = Limits(parts=3, document_chars=4000, cards_per_document=2)


def refusal(text: str, limits: Limits = DEFAULT_LIMITS) -> DecodeError:
    with pytest.raises(DecodeError) as caught:
        SHC.decode(text, limits)
    assert caught.value.step is Step.DECODE
    return caught.value


def code_of(text: str, limits: Limits = DEFAULT_LIMITS) -> Code:
    return refusal(text, limits).code


# --- Recognition ---


def test_a_card_is_recognised_by_its_scheme_or_its_header() -> None:
    card = Press()
    assert all(map(SHC.recognises, (card.text(), card.text().upper(), card.text().replace("/", ""), card.jws())))


def test_another_token_is_no_card() -> None:
    for header, payload in (({"alg": "ES256"}, b'{"iss":"https://login.example"}'), ({"alg": "none"}, b"")):
        token = jws.write(payload, header, lambda data: Algorithm.ES256.sign(key(), data)).decode()
        assert not SHC.recognises(token)
    card = Press().jws()
    assert not any(
        map(SHC.recognises, (card + ".x", card.replace(".", "", 1), "eyJ", "eyJ..", "eyJé.e.e", "HC1:" + card))
    )
    assert not is_token("eyJ" + "A" * 5000 + ".e.e")


def test_what_says_it_is_a_card_and_is_not_compressed_is_told_so() -> None:
    plain = json.dumps(claims()).encode()
    token = jws.write(plain, {"alg": "ES256", "kid": "1"}, lambda data: Algorithm.ES256.sign(key(), data)).decode()
    assert SHC.recognises(token)
    assert code_of(token) is Code.DECOMPRESSION_FAILED


# --- Digits ---


@pytest.mark.parametrize(
    "digits",
    ["", "5", "567", "5678", "567A", "5F", "99", "56 76", "5 6 7 6", "٥٦", "56\n", "-5", "+5", "5_6_7_6", "56é6"],
)
def test_what_is_no_pairs_of_digits_is_refused(digits: str) -> None:
    assert code_of(f"shc:/{digits}") is Code.NUMERIC_DECODING_FAILED


def test_every_pair_up_to_77_is_a_character() -> None:
    every = "".join(f"{number:02}" for number in range(78))
    assert read(f"shc:/{every}", DEFAULT_LIMITS).jws == bytes(range(45, 123))
    assert to_digits(bytes(range(45, 123))) == every


@pytest.mark.parametrize(
    "number", ["0/3", "1/0", "0/0", "01/3", "1/03", "x/3", "1/x", "/3", "1/", "-1/3", "1/2/3", " 1/3", "٢/3"]
)
def test_other_ways_of_numbering_parts_are_refused(number: str) -> None:
    assert code_of(f"shc:/{number}/5676") is Code.NUMERIC_DECODING_FAILED


def test_parts_are_bounded() -> None:
    assert code_of("shc:/4/3/5676") is Code.PARTS_INCONSISTENT
    assert code_of("shc:/1/3/5676", FEW) is Code.PARTS_MISSING
    assert code_of("shc:/1/4/5676", FEW) is Code.INPUT_TOO_LONG
    assert code_of("shc:/1/9999999999/5676") is Code.NUMERIC_DECODING_FAILED


def test_departures_in_the_form_are_told() -> None:
    card = Press()
    for text, code in (
        (card.text(), []),
        (card.text().upper(), []),
        (card.text().replace("/", ""), [Code.FIELD_MISSING]),
        (card.text().replace("shc:/", "shc:/1/1/"), [Code.FIELD_UNEXPECTED]),
        (Press(payload=b" " + json.dumps(claims()).encode()).text(), [Code.FIELD_UNEXPECTED]),
    ):
        assert [finding.code for finding in SHC.decode(text, DEFAULT_LIMITS).findings] == code


def test_a_card_too_long_for_one_symbol_is_told() -> None:
    # RFC 1951: a stored block makes the length a matter of the payload's alone.
    found: dict[int, set[bool]] = {}
    for padding in range(700, 760):
        payload = b"{}" + b" " * padding
        size = len(payload)
        stored = b"\x01" + size.to_bytes(2, "little") + (size ^ 0xFFFF).to_bytes(2, "little") + payload
        token = Press(compressed=stored).jws()
        for text in (token, "shc:/" + to_digits(token.encode())):
            codes = [finding.code for finding in SHC.decode(text, DEFAULT_LIMITS).findings]
            found.setdefault(len(token), set()).add(Code.CARD_TOO_LONG in codes)
    assert all(told == {length > 1195} for length, told in found.items())
    assert min(found) <= 1195 < max(found)


# --- Documents ---


def test_the_cards_of_a_file_and_of_an_operation() -> None:
    card = Press().jws()
    file = json.dumps({"verifiableCredential": [card, card]})
    other = {"name": "resourceLink", "part": [{"name": "vcIndex", "valueInteger": 0}]}
    answer = {"resourceType": "Parameters", "parameter": [{"name": "verifiableCredential", "valueString": card}, other]}
    assert cards_in(file, DEFAULT_LIMITS) == (card, card)
    assert cards_in(f"\n {json.dumps(answer, indent=1)}\n", DEFAULT_LIMITS) == (card,)
    assert cards_in('{"verifiableCredential":[]}', DEFAULT_LIMITS) == ()


@pytest.mark.parametrize(
    "text",
    [
        Press().text(),
        Press().jws(),
        "",
        "[]",
        "{}",
        '["verifiableCredential"]',
        '{"verifiableCredential":"x"}',
        '{"type":"VerifiablePresentation","verifiableCredential":[{"proof":{}}]}',
        '{"resourceType":"Parameters"}',
    ],
)
def test_other_texts_are_no_documents_of_cards(text: str) -> None:
    assert cards_in(text, DEFAULT_LIMITS) is None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('{"verifiableCredential":["x"', Code.JSON_DESERIALIZATION_FAILED),
        ('{"verifiableCredential":["x"]}x', Code.JSON_DESERIALIZATION_FAILED),
        ('{"verifiableCredential":["x",1]}', Code.JSON_DESERIALIZATION_FAILED),
        ('{"verifiableCredential":["x"],"verifiableCredential":["y"]}', Code.JSON_DESERIALIZATION_FAILED),
        ('{"verifiableCredential":["eyJ","x"]}', Code.JSON_DESERIALIZATION_FAILED),
        ('{"verifiableCredential":["shc:/5676"]}', Code.JSON_DESERIALIZATION_FAILED),
        ('{"verifiableCredential":["eyJ","eyJ","eyJ"]}', Code.INPUT_TOO_LONG),
        ('{"verifiableCredential":["x"]}' + " " * 4000, Code.INPUT_TOO_LONG),
    ],
)
def test_damaged_and_large_documents_are_refused(text: str, code: Code) -> None:
    with pytest.raises(DecodeError) as caught:
        cards_in(text, FEW)
    assert caught.value.code is code


def test_a_document_is_examined_card_by_card() -> None:
    good, bad = Press().jws(), Press(signature=bytes(64)).jws()
    report = examine(json.dumps({"verifiableCredential": [good, bad]}))
    assert (report.code, [one.code for one in report.beside]) == (Code.SIGNATURE_INVALID, [Code.OK])


# --- Parts ---


def test_parts_in_any_order_make_the_card() -> None:
    parts = Press().parts(3)
    for order in permutations(parts):
        collector = PartCollector()
        assert [collector.add(part) for part in order] == [None, None, collected(parts)]
        assert (collector.missing, collector.describe()) == ((), "")


def collected(parts: list[str]) -> str:
    collector = PartCollector()
    *_, whole = [collector.add(part) for part in parts]
    assert whole is not None
    return whole


def test_the_collected_card_is_accepted() -> None:
    for total in (2, 3, 5):
        report = examine(collected(Press().parts(total)))
        assert report.code is Code.OK


def test_what_is_missing_is_said() -> None:
    first, second, third = Press().parts(3)
    collector = PartCollector()
    assert collector.add(first + "\n") is None
    assert (collector.missing, collector.describe()) == (((2, 3),), "parts 2 and 3 of 3 are missing")
    assert collector.add(third) is None
    assert collector.add(third) is None
    assert (collector.missing, collector.describe()) == (((2,),), "part 2 of 3 is missing")
    assert collector.add(second) is not None
    assert collector.add(second) is None, "a picture that is there twice"
    assert collector.describe() == ""


def test_runs_of_missing_parts_are_said_in_short() -> None:
    collector = PartCollector()
    parts = Press().parts(12)
    for number in (4, 7):
        collector.add(parts[number - 1])
    assert collector.describe() == "parts 1 to 3, 5, 6 and 8 to 12 of 12 are missing"


def test_a_part_alone_says_which_are_missing() -> None:
    error = refusal(Press().parts(3)[0])
    assert error.code is Code.PARTS_MISSING
    assert error.detail == "part 1 of 3 of a SMART Health Card: parts 2 and 3 are missing"
    assert refusal(Press().parts(2)[0]).detail.endswith(": part 2 is missing")


@pytest.mark.parametrize(
    "text", [Press().text(), Press().jws(), "HC1:ABC", "", "shc:/1/1/5676", "https://example.org/1/2/"]
)
def test_a_text_that_is_no_part_is_handed_back(text: str) -> None:
    collector = PartCollector()
    assert collector.add(text) == text
    assert collector.missing == ()


def test_cards_with_other_numbers_of_parts_are_told_apart() -> None:
    two, three = Press(claims(nbf=1)).parts(2), Press().parts(3)
    collector = PartCollector()
    found = [collector.add(part) for part in (three[2], two[1], three[0], two[0], three[1])]
    assert [one is not None for one in found] == [False, False, False, True, True]


def test_cards_with_as_many_parts_follow_each_other() -> None:
    one, other = Press().parts(2), Press(claims(nbf=1)).parts(2)
    collector = PartCollector()
    assert [collector.add(part) is not None for part in (*one, *other)] == [False, True, False, True]


def test_parts_of_cards_with_as_many_parts_may_come_in_any_order() -> None:
    one, other = Press().parts(3), Press(claims(nbf=1)).parts(3)
    wanted = {whole_of(one), whole_of(other)}
    for seed in range(20):
        parts = [*one, *other]
        random.Random(seed).shuffle(parts)
        collector = PartCollector()
        found = [whole for part in parts if (whole := collector.add(part)) is not None]
        assert set(found) == wanted
        assert (collector.missing, collector.describe()) == ((), "")


def whole_of(parts: Sequence[str]) -> str:
    """What a collector makes of the parts of one card."""
    collector = PartCollector()
    *_, whole = [collector.add(part) for part in parts]
    assert whole is not None
    return whole


def test_parts_of_different_cards_make_none() -> None:
    one, other = Press().parts(2), Press(claims(nbf=1)).parts(2)
    collector = PartCollector()
    assert [collector.add(one[0]), collector.add(other[1])] == [None, None]
    assert collector.missing == ((),)
    assert collector.describe().startswith("the 2 parts do not make a card")
    assert collector.add(one[1]) == whole_of(one), "a wrong part does not spoil the others"
    assert collector.describe() == "part 1 of 2 is missing"


def test_so_many_parts_with_one_number_are_too_many() -> None:
    collector = PartCollector()
    for number in range(8):
        collector.add(f"shc:/1/2/{number:02}56")
    with pytest.raises(DecodeError) as caught:
        collector.add("shc:/1/2/0856")
    assert caught.value.code is Code.PARTS_INCONSISTENT


def test_the_collector_keeps_to_its_limits() -> None:
    collector = PartCollector(Limits(parts=3, text_chars=100, texts_per_file=2))
    for text, code in (("shc:/1/4/5676", Code.INPUT_TOO_LONG), ("shc:/1/3/" + "56" * 50, Code.INPUT_TOO_LONG)):
        with pytest.raises(DecodeError) as caught:
            collector.add(text)
        assert caught.value.code is code
    with pytest.raises(DecodeError) as caught:
        collector.add("shc:/2/1/5676")
    assert caught.value.code is Code.PARTS_INCONSISTENT


def test_only_so_many_parts_are_remembered() -> None:
    collector = PartCollector(Limits(texts_per_file=2))
    one, other = Press().parts(2), Press(claims(nbf=1)).parts(2)
    assert [collector.add(part) is not None for part in (*one, *other, *other)] == [
        False,
        True,
        False,
        True,
        False,
        False,
    ]
    assert collector.missing == ()
    assert [collector.add(part) is not None for part in one] == [False, True]
