"""Whatever text arrives, ``examine`` answers with a report, and nothing is accepted that was not signed."""

from __future__ import annotations

import copy
import itertools
import json
import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import healthcert as hc
from healthcert.encoding import base45, deflate
from healthcert.families import KINDS
from healthcert.issue.pki import KeyKind
from tests.support import (
    CORE,
    CORE_TEST,
    DVC,
    EXEMPTION_ENTRY,
    PAYLOAD,
    RECOVERY_ENTRY,
    TEST_ENTRY,
    Press,
    dsc,
    payload_with,
    verifier,
)

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
MUTANTS = 100_000
RSA = dsc(kind=KeyKind.RSA_3072)  # its certificates do not compress, and are stored
GENUINE = [
    Press().text(),
    Press(pair=RSA, alg=-37).text(),
    Press(payload=payload_with("t", TEST_ENTRY)).text(),
    Press(payload=payload_with("r", RECOVERY_ENTRY)).text(),
]


def text_mutant(genuine: str, chance: random.Random) -> str:
    """The text with a few characters exchanged, lost, added, moved or cut off."""
    text = genuine
    for _ in range(chance.choice((1, 1, 1, 2, 3, 8))):
        at = chance.randrange(len(text) or 1)
        letter = chance.choice(ALPHABET) if chance.random() < 0.9 else chr(chance.randrange(0x2000))
        text = chance.choice(
            (
                text[:at] + letter + text[at + 1 :],
                text[:at] + text[at + 1 :],
                text[:at] + letter + text[at:],
                text[:at] + text[at : at + 2][::-1] + text[at + 2 :],
                text[:at],
                text[at:] + text[:at],
            )
        )
    return text


def message_mutant(genuine: str, chance: random.Random) -> str:
    """The message with a few bytes changed under a sound compression and armour: deeper layers are reached."""
    message = bytearray(deflate.inflate(base45.decode(genuine[4:]), limit=100_000))
    for _ in range(chance.choice((1, 1, 2, 4))):
        at = chance.randrange(len(message))
        match chance.randrange(4):
            case 0:
                message[at] ^= 1 << chance.randrange(8)
            case 1:
                message[at] = chance.randrange(256)
            case 2:
                del message[at]
            case 3:
                message.insert(at, chance.randrange(256))
    return "HC1:" + base45.encode(deflate.deflate(bytes(message)))


def mutants(make: Callable[[str, random.Random], str]) -> Iterator[tuple[str, str]]:
    chance = random.Random(20210820)
    for number in range(MUTANTS // 2):
        genuine = GENUINE[number % len(GENUINE)]
        yield genuine, make(genuine, chance)


@pytest.mark.parametrize("make", [text_mutant, message_mutant])
def test_no_mutant_raises_and_none_is_accepted(make: Callable[[str, random.Random], str]) -> None:
    examine = verifier(dsc(), RSA).examine
    for genuine, mutant in mutants(make):
        report = examine(mutant)
        assert report.code != "GENERAL_ERROR", mutant
        if report.outcome is hc.Outcome.ACCEPTED and mutant.strip("\r\n") != genuine:
            # One message has more than one spelling: deflate may point at another place with the same bytes, and
            # the unprotected header is nobody's word. What is accepted is then the very bytes that were signed;
            # refusing the spelling would refuse honest encoders.
            assert signed_part(mutant) == signed_part(genuine), mutant


def signed_part(text: str) -> bytes:
    from healthcert.families import recognise

    family, scanned = recognise(text, hc.Limits())
    return family.decode(scanned, hc.Limits()).signed


@settings(max_examples=600, deadline=None, derandomize=True)
@given(st.text(max_size=200))
@example("")
@example("HC1:")
@example("HC1:\x00")
@example("\ud800")
@example("HC1:" + "\ud800")
def test_any_text_gets_a_report(text: str) -> None:
    for candidate in (text, "HC1:" + text):
        report = verifier().examine(candidate)
        # The beginning of a family that cannot be read by anybody here is one of the texts that may be drawn: EX1:
        assert report.outcome is hc.Outcome.REFUSED or report.code is hc.Code.FAMILY_NOT_SUPPORTED
        assert report.code != "GENERAL_ERROR"
        assert hc.inspect_unverified(candidate).problem is not None


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.binary(max_size=400))
def test_any_message_gets_a_report(message: bytes) -> None:
    text = "HC1:" + base45.encode(deflate.deflate(message))
    report = verifier().examine(text)
    assert report.outcome is hc.Outcome.REFUSED
    assert report.code != "GENERAL_ERROR"


numbers = st.integers(-(2**63), 2**64 - 1) | st.floats()
strings = st.text(max_size=20) | st.binary(max_size=20)
keys = st.text(max_size=3) | st.integers(-9, 9)
json_like = st.recursive(
    st.none() | st.booleans() | numbers | strings,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=5),
    max_leaves=12,
)
SCHEMA_KEYS = st.sampled_from(
    ["ver", "nam", "dob", "v", "t", "r", "fn", "gn", "fnt", "gnt", "tg", "vp", "dn", "sc", "dt", "ci"]
)


@settings(max_examples=250, deadline=None, derandomize=True)
@given(st.dictionaries(SCHEMA_KEYS, json_like, max_size=6))
def test_any_signed_payload_gets_a_report(content: dict[str, object]) -> None:
    report = verifier().examine(Press(payload=content).text())
    assert report.outcome is hc.Outcome.REFUSED
    assert report.code != "GENERAL_ERROR"
    json.dumps(report.to_dict(), allow_nan=False)


@settings(max_examples=250, deadline=None, derandomize=True)
@given(st.sampled_from(sorted(TEST_ENTRY)), json_like)
def test_any_value_of_a_signed_field_gets_a_report(field: str, value: object) -> None:
    report = verifier().examine(Press(payload=payload_with("t", TEST_ENTRY | {field: value})).text())
    assert report.code != "GENERAL_ERROR"
    json.dumps(report.to_dict(), allow_nan=False)


# Values of WHO's maps and of the national codes, each with something else in one place.
WHOLE: dict[tuple[str, int, int], Any] = {
    ("HC1:", -260, 3): CORE,
    ("HC1:", -260, 4): CORE_TEST,
    ("HC1:", -260, -6): DVC,
    ("HC1:", -260, 5): {"u": "shlink:/eyJ1cmwiOiJodHRwczovL2V4YW1wbGUub3JnIn0"},
    ("LT1:", -250, 1): {"ver": "1.0.0", "nam": PAYLOAD["nam"], "dob": "1984-02-29"},
    ("AT1:", -260, 1): {"ver": "AT-1.0.0", "nam": PAYLOAD["nam"], "dob": "", "ve": [EXEMPTION_ENTRY]},
    ("DK3:", -260, 1): PAYLOAD,
}


@settings(max_examples=400, deadline=None, derandomize=True)
@given(st.sampled_from(sorted(WHOLE)), json_like, st.data())
def test_any_value_in_any_place_of_any_kind_gets_a_report(
    place: tuple[str, int, int], value: object, data: st.DataObject
) -> None:
    prefix, claim, key = place
    content = copy.deepcopy(WHOLE[place])
    holder: Any = content
    while isinstance(holder, (dict, list)):
        at = data.draw(st.sampled_from(sorted(holder) if isinstance(holder, dict) else range(len(holder))))
        if not isinstance(holder[at], (dict, list)) or data.draw(st.booleans()):
            break
        holder = holder[at]
    holder[at] = value
    text = Press(prefix=prefix, claims={-260: ...} | {claim: {key: content}}).text()
    report = verifier(policy=hc.Policy(families=KINDS)).examine(text)
    assert report.code != "GENERAL_ERROR", report.detail
    json.dumps(report.to_dict(), allow_nan=False)
    said = [report.detail, *(warning.detail for warning in report.warnings)]
    assert not any("Exemplaire" in line for line in said)


def test_a_list_gets_the_reports_that_its_texts_get_one_by_one() -> None:
    texts = [mutant for _, mutant in itertools.islice(mutants(message_mutant), 300)] + GENUINE * 20
    examiner = verifier(dsc(), RSA)
    assert [*examiner.examine_many(texts)] == [*examiner.examine_many(iter(texts))]
