"""What one text can make a verifier do: the most expensive ones of each family stay within bounds of time and memory.

The bounds are those of a slow machine that does something else besides; what is measured here takes a tenth of them.
"""

from __future__ import annotations

import base64
import json
import time
import tracemalloc
from collections.abc import Callable
from copy import deepcopy
from functools import cache
from typing import Any

import cbor2
import pytest

import healthcert as hc
from healthcert.encoding import base32, deflate, jsontext
from healthcert.encoding.jsontext import MAX_VALUES
from healthcert.families.divoc.archive import write
from healthcert.families.links import _LONGEST, unwrap
from healthcert.families.shc.forms import to_digits
from healthcert.families.vds_nc.family import _remembered
from healthcert.limits import DEFAULT_LIMITS
from healthcert.model import Scan
from tests import support_divoc as divoc
from tests import support_nzcp as nzcp
from tests import support_seals as seals
from tests import support_shc as shc
from tests import support_twoddoc as twoddoc
from tests.support import NOW

SECONDS, MEGABYTES = 2.0, 100
SIZE = DEFAULT_LIMITS.inflated_bytes
LARGE = 32 * 1024 * 1024
WALLET = "https://bonjour.tousanticovid.gouv.fr/app/wallet"


@cache
def verifier() -> hc.Verifier:
    """One that trusts the keys of all of them."""
    trust = hc.TrustStore([*shc.store(), *divoc.store(), *twoddoc.store(), *seals.store(), nzcp.trusted_key()])
    return hc.Verifier(trust, clock=hc.FixedClock(NOW))


def payload(data: bytes) -> str:
    """A card with this payload, whose signature is none."""
    return shc.Press(payload=data, signature=bytes(64)).jws()


def filled(unit: bytes, start: bytes = b'{ "a":[', end: bytes = b"1]}") -> bytes:
    return start + unit * ((SIZE - len(start) - len(end)) // len(unit)) + end


def together(card: str) -> str:
    return json.dumps({"verifiableCredential": [card] * DEFAULT_LIMITS.cards_per_document})


def with_member(value: Any) -> str:
    seal = json.loads(seals.seal())
    seal["data"]["x"] = value
    return json.dumps(seal, separators=(",", ":"))[: DEFAULT_LIMITS.document_chars]


def nested(depth: int) -> Any:
    return json.loads("[" * depth + "]" * depth)


def with_certificate(der: bytes) -> str:
    seal = json.loads(seals.seal())
    seal["sig"]["cer"] = base64.urlsafe_b64encode(der).decode()
    return json.dumps(seal)


def entries(number: int, **of_each: Any) -> str:
    entry = {name: value for name, value in divoc.DOCUMENT["evidence"][0].items() if name != "id"} | of_each
    document = {name: value for name, value in divoc.signed().items() if name != "id"}
    return divoc.text(document | {"evidence": [entry] * number})


def person(identifier: str) -> str:
    return divoc.text(divoc.changed(divoc.signed(), "credentialSubject", "id", value=identifier))


def a_pass(claims: bytes) -> str:
    message = cbor2.dumps(cbor2.CBORTag(18, [cbor2.dumps({4: b"key-1", 1: -7}), {}, claims, bytes(64)]))
    return "NZCP:/1/" + base32.encode(message)


def a_document(message: str) -> str:
    return f"{twoddoc.HEADER.format(type='L1')}{message}"[:4100] + "\x1f" + "A" * 103


ALIKE = {"verifier": {"name": "a"}, "facility": {"name": "b", "address": {"city": "c"}}}
INPUTS: dict[str, Callable[[], str | bytes]] = {
    "shc: white space": lambda: payload(filled(b" ", b"{", b"}")),
    "shc: too large": lambda: payload(b" " * 100 * SIZE),
    "shc: empty arrays": lambda: payload(filled(b"[],")),
    "shc: objects": lambda: payload(filled(b'{"":1},')),
    "shc: levels": lambda: payload(filled(b"[" * 28 + b"]" * 28 + b",")),
    "shc: long numbers": lambda: payload(filled(b"9" * 4290 + b",")),
    "shc: fractions": lambda: payload(filled(b"1." + b"1" * 4000 + b",")),
    "shc: members": lambda: payload(b"{%b}" % b",".join(b'"%d" :1' % number for number in range(MAX_VALUES - 1))),
    "shc: members twice": lambda: payload(filled(b'"a" :1,', b"{", b'"b":1}')),
    "shc: doses": lambda: shc.Press(shc.claims(shc.bundle(*[shc.DOSE] * 700))).jws(),
    "shc: tests": lambda: shc.Press(shc.claims(shc.bundle(*[shc.TEST] * 700))).jws(),
    "shc: cards together": lambda: together(payload(filled(b"[],"))),
    "shc: cards just within": lambda: together(payload(filled(b"[],")[: SIZE // 16 - 3] + b"1]}")),
    "shc: a long issuer": lambda: shc.Press(shc.claims(iss="https://" + "a" * 200_000), signature=bytes(64)).jws(),
    "vds-nc: arrays": lambda: with_member([[]] * 80_000),
    "vds-nc: fractions": lambda: with_member([1.5] * (MAX_VALUES - 100)),
    "vds-nc: names to sort": lambda: with_member({f"é{number}": 1 for number in range(MAX_VALUES - 100)}),
    "vds-nc: levels": lambda: with_member([1.5, *[nested(26)] * 600]),
    "vds-nc: long numbers": lambda: with_member([int("9" * 300)] * 800),
    "vds-nc: a certificate of elements": lambda: with_certificate(b"\x30\x82\xff\xf0" + b"\x30\x00" * 32_760),
    "vds-nc: doses": lambda: seals.seal(
        seals.changed(seals.VACCINATED, "msg.ve", [seals.VACCINATED["msg"]["ve"][0] | {"vd": [{}] * 64}] * 64)
    ),
    "divoc: alike entries": lambda: entries(4, **ALIKE),
    "divoc: fewer of them": lambda: entries(3, **ALIKE),
    "divoc: entries without anything": lambda: entries(4, verifier={}, facility={}),
    "divoc: steps up": lambda: person("../" * 20_000),
    "divoc: segments": lambda: person("/" * 60_000),
    "divoc: spaces": lambda: person("did:a" + " b" * 29_000),
    "divoc: members": lambda: divoc.text(divoc.signed() | {f"k{number}": "v" for number in range(430)}),
    "divoc: a long text": lambda: divoc.text(divoc.signed() | {"x": '\\"' * 20_000}),
    "divoc: a bomb": lambda: write(b" " * LARGE),
    "divoc: arrays": lambda: write(b'{"a":[%b1]}' % (b"[]," * 21_000)),
    "divoc: contexts": lambda: divoc.text(divoc.signed() | {"@context": [divoc.CREDENTIALS, divoc.V2] * 400}),
    "nzcp: arrays": lambda: a_pass(b"\x99\x09\x00" + b"\x80" * 2304),
    "nzcp: levels": lambda: a_pass(b"\x81" * 2400),
    "nzcp: a long number": lambda: a_pass(b"\xc2\x59\x09\x00" + b"\xff" * 2304),
    "nzcp: nothing": lambda: "NZCP:/1/" + "7" * 4290,
    "2d-doc: separators": lambda: a_document("L229021984" + "\x1d" * 4000),
    "2d-doc: fields": lambda: a_document("".join(f"{a}{b}\x1d" for a in "MNOPQRSTUV" for b in "ABCDEFGHIJKLMNOP")),
    "2d-doc: separators spelt": lambda: f"{twoddoc.HEADER.format(type='L1')}{'<gs' * 1300}",
    "links: escapes": lambda: f"{WALLET}2d#" + "%41" * (LARGE // 3),
    "links: parameters": lambda: f"{WALLET}?" + "&" * LARGE,
    "links: within": lambda: f"{WALLET}2d#" + "%41" * ((_LONGEST - 60) // 3),
    "refused: a number to the base of 45": lambda: "NL2:" + "Z" * 4290,
    "refused: a viewer": lambda: "https://" + "#" * 4200,
    "documents: white space": lambda: " " * LARGE + "{",
    "documents: contexts": lambda: json.dumps({"@context": ["a"] * 60_000, "proof": 1})[
        : DEFAULT_LIMITS.document_chars
    ],
}


@pytest.mark.parametrize("name", INPUTS)
def test_no_text_costs_more_than_a_little(name: str) -> None:
    given = INPUTS[name]()
    verifier()
    tracemalloc.start()
    try:
        report, seen = verifier().examine(given), hc.inspect_unverified(given)
        memory = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert report.code != "GENERAL_ERROR"
    assert seen.problem is None or seen.problem.code != "GENERAL_ERROR"
    assert memory < MEGABYTES * 1_000_000
    start = time.process_time()
    verifier().examine(given)
    assert time.process_time() - start < SECONDS


def test_parts_that_fit_too_well_are_not_tried_for_long() -> None:
    """Every beginning makes, with every end, a token whose JSON breaks off at its very end."""
    _, middle, signature = payload(filled(b"9" * 4290 + b",", end=b"1]")).split(".")
    heads = [base64.urlsafe_b64encode(b'{"zip":"DEF","number":%d}' % number).decode().strip("=") for number in range(8)]
    ends = [[letter + signature[at : at + 20] for letter in "ABCDEFGH"] for at in (1, 21, 41)]
    collector = hc.PartCollector()
    for number, pieces in enumerate((heads, [f".{middle}."], *ends), 1):
        for piece in pieces:
            start = time.process_time()
            assert collector.add(f"shc:/{number}/5/{to_digits(piece.encode())}") is None
            assert time.process_time() - start < SECONDS
    assert "do not make a card" in collector.describe()


def test_what_strangers_send_is_not_remembered() -> None:
    """What is kept from one text to the next has bounds in size and not in number alone."""
    genuine, before = json.loads(seals.seal()), _remembered.cache_info().currsize
    for number in range(20):
        seal = deepcopy(genuine)
        seal["sig"]["cer"] = base64.urlsafe_b64encode(b"\x30%d" % number + b"\x01" * 100_000).decode()
        assert verifier().examine(json.dumps(seal)).outcome is hc.Outcome.REFUSED
    assert _remembered.cache_info().currsize <= before + 1
    report = verifier().examine(shc.Press(shc.claims(iss="https://" + "a" * 1024)).jws())
    assert (report.step, report.code) == ("trust", "ISSUER_INVALID")


def test_values_are_bounded() -> None:
    for separator in (b",", b", "):
        within = b"[%b]" % separator.join([b"1"] * MAX_VALUES)
        assert len(jsontext.read(within, max_depth=2)) == MAX_VALUES
        with pytest.raises(hc.DecodeError, match="JSON_DESERIALIZATION_FAILED"):
            jsontext.read(within[:-1] + b",1]", max_depth=2)


def test_cards_of_one_document_are_bounded_together() -> None:
    def document(count: int, size: int) -> str:
        return json.dumps({"verifiableCredential": [payload(b" " * size)] * count})

    report = verifier().examine(document(16, SIZE // 4))
    assert report.code == "JSON_DESERIALIZATION_FAILED", "each was looked at"
    report = verifier().examine(document(17, SIZE // 4))
    assert (report.step, report.code) == ("recognise", "INPUT_TOO_LONG")
    # One that cannot be inflated is told by its own report.
    good = shc.Press().jws()
    report = hc.Verifier(shc.store(), clock=hc.FixedClock(shc.NOW)).examine(
        json.dumps({"verifiableCredential": [good, shc.Press(compressed=deflate.deflate(b"x")).jws()]})
    )
    assert (report.code, report.beside[0].code) == ("DECOMPRESSION_FAILED", "OK")


def test_a_link_is_unwrapped_up_to_a_length() -> None:
    link = f"{WALLET}2d#" + "A" * (_LONGEST - len(f"{WALLET}2d#"))
    assert unwrap(link) != link
    assert unwrap(link + "A") == link + "A"


@pytest.mark.parametrize("space", ["", " ", "\n", "\r\n\t ", " " * 1023])
def test_white_space_in_front_of_a_document_is_passed_over(space: str) -> None:
    document = space + json.dumps({"verifiableCredential": [shc.Press().jws()]})
    assert hc.Verifier(shc.store(), clock=hc.FixedClock(shc.NOW)).examine(document).code == "OK"


def test_a_scan_of_few_characters_and_many_bytes_is_bounded() -> None:
    report = verifier().examine(Scan("PK\x03\x04", write(b"{}") + bytes(LARGE)))
    assert report.outcome is hc.Outcome.REFUSED
