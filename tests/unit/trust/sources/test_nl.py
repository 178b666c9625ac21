"""The Dutch list: a CMS signature by one who is pinned by name, and several keys under one kid."""

from __future__ import annotations

import base64
import hashlib
import json
from contextlib import suppress
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from healthcert.errors import Code, HealthCertError, TrustError
from healthcert.fetch import Response
from healthcert.issue.pki import KeyKind
from healthcert.limits import Limits
from healthcert.lists.anchors import TrustAnchor
from healthcert.model import EntryType
from healthcert.trust.keys import Assurance
from healthcert.trust.sources.nl import Dutch
from healthcert.trust.sources.protocol import Context, Known, TrustList
from tests.support import DAY, NOW, dsc
from tests.support_lists import (
    DUTCH_SIGNER,
    WEIRD,
    Chain,
    FakeFetcher,
    anchor_of,
    b64,
    below,
    chain,
    dutch_key,
    dutch_list,
    dutch_wrapper,
    key_anchor,
    spki_of,
    spoiled,
)

SOURCE = Dutch()
SIGNERS = chain(DUTCH_SIGNER)
ANCHOR = SIGNERS.anchor(DUTCH_SIGNER)
RSA_PAIR = dsc(kind=KeyKind.RSA_3072)
KID, OTHER_KID = (b64(pair.signer().kid) for pair in (dsc(), RSA_PAIR))


def load(data: bytes, *anchors: TrustAnchor, now: datetime = NOW, **more: Any) -> TrustList:
    return SOURCE.load({"list": data}, Context(anchors or (ANCHOR,), now, **more))


def refused(data: bytes, code: Code, *anchors: TrustAnchor, now: datetime = NOW) -> None:
    with pytest.raises(TrustError) as caught:
        load(data, *anchors, now=now)
    assert caught.value.code == code


def skipped(keys: Any) -> list[str]:
    found = load(dutch_list(keys))
    assert found.keys == ()
    return [f"{one.source}: {one.error.detail}" for one in found.skipped]


def test_its_keys_and_what_it_says_of_itself() -> None:
    found = load(dutch_list({KID: [dutch_key(dsc(), "v", "r")], OTHER_KID: [dutch_key(RSA_PAIR)]}))
    first, second = found.keys
    assert (first.kid, first.spki, first.domain, first.country) == (dsc().signer().kid, spki_of(dsc()), "DCC", "FR")
    assert first.usages == frozenset((EntryType.VACCINATION, EntryType.RECOVERY))
    assert (first.certificate, first.not_before, first.not_after) == (None, None, None)
    assert second.rsa_bits == 3072
    assert found.assurance is Assurance.SIGNED_LIST
    assert (found.counter, found.issued_at, found.expires_at) == (None, None, None)
    assert found.signer == ANCHOR
    assert load(dutch_wrapper(content := b'{"eu_keys":{}}')).signed == hashlib.sha256(content).digest()
    assert found.skipped == ()


def test_every_key_of_a_kid_is_kept() -> None:
    found = load(dutch_list({KID: [dutch_key(dsc()), dutch_key(RSA_PAIR, "t"), 7]}))
    assert [key.kid for key in found.keys] == [dsc().signer().kid] * 2
    assert {key.spki for key in found.keys} == {spki_of(dsc()), spki_of(RSA_PAIR)}
    assert [one.source for one in found.skipped] == ["kid 1, key 3"]


def test_the_national_keys_are_of_another_scheme() -> None:
    data = dutch_wrapper(json.dumps({"eu_keys": {}, "nl_keys": {KID: dutch_key(dsc())}, "cl_keys": [1]}).encode())
    assert load(data).keys == ()
    refused(dutch_wrapper(b'{"nl_keys":{}}'), Code.TRUST_LIST_UNREADABLE)


# --- who signed ---


def test_the_signer_is_pinned_by_name_under_a_root() -> None:
    data = dutch_list({KID: [dutch_key(dsc())]})
    assert load(data, anchor_of(dsc()), ANCHOR).signer == ANCHOR
    assert load(data, anchor_of(SIGNERS.leaf)).signer == anchor_of(SIGNERS.leaf)
    assert load(data, key_anchor(SIGNERS.leaf)).signer == key_anchor(SIGNERS.leaf)
    assert load(data, anchor_of(SIGNERS.between, DUTCH_SIGNER)).signer == anchor_of(SIGNERS.between, DUTCH_SIGNER)
    for anchor in (SIGNERS.anchor("other.example.nl"), anchor_of(dsc()), key_anchor(dsc())):
        refused(data, Code.TRUST_LIST_NOT_AUTHENTIC, anchor)


def test_somebody_else_under_the_root_is_refused() -> None:
    stranger = Chain(SIGNERS.root, SIGNERS.between, below(SIGNERS.between, "www.example.nl"))
    refused(dutch_list({}, stranger), Code.TRUST_LIST_NOT_AUTHENTIC)
    namesake = chain(DUTCH_SIGNER, years=9)
    assert namesake.root != SIGNERS.root
    refused(dutch_list({}, namesake), Code.TRUST_LIST_NOT_AUTHENTIC)


def test_a_root_alone_is_no_anchor() -> None:
    """It vouches for all the web servers of the country, too."""
    data = dutch_list({})
    refused(data, Code.TRUST_ANCHOR_MISSING, SIGNERS.anchor())
    assert load(data, SIGNERS.anchor(), ANCHOR).signer == ANCHOR
    with pytest.raises(TrustError) as caught:
        SOURCE.load({"list": data}, Context((), NOW))
    assert caught.value.code == Code.TRUST_ANCHOR_MISSING


def test_a_certificate_that_has_ended_signs_nothing() -> None:
    old = Chain(SIGNERS.root, SIGNERS.between, below(SIGNERS.between, DUTCH_SIGNER, begin=NOW - 800 * DAY, years=1))
    refused(dutch_list({}, old), Code.TRUST_LIST_NOT_AUTHENTIC)


def test_no_byte_of_what_is_signed_can_be_changed() -> None:
    good = dutch_list({KID: [dutch_key(dsc())]})
    expected = load(good)
    payload_end = good.index(b'","signature"')
    for position in range(len(good)):
        bad = bytearray(good)
        bad[position] ^= 1 << position % 7
        try:
            found = load(bytes(bad))
        except TrustError:
            continue
        # CMS has members that no signature covers: its version, who signed, certificates that nobody needs.
        assert position > payload_end
        assert found == expected


def test_the_payload_is_the_one_that_was_signed() -> None:
    one, other = (json.loads(dutch_list({KID: [dutch_key(pair)]})) for pair in (dsc(), RSA_PAIR))
    data = json.dumps({"payload": one["payload"], "signature": other["signature"]}).encode()
    refused(data, Code.TRUST_LIST_NOT_AUTHENTIC)


WRAPPER = json.loads(dutch_list({}))
NOT_BASE64: tuple[Any, ...] = (None, "", 1, [], "!")


@pytest.mark.parametrize(
    "change",
    [
        *({name: value} for name in WRAPPER for value in NOT_BASE64),
        *({name: text + "\n"} for name, text in WRAPPER.items()),
        {"signature": "AAAA"},
        {"signature": b64(base64.b64decode(WRAPPER["signature"])[:-9])},
        {"signature": b64(base64.b64decode(WRAPPER["signature"]) + b"\0")},
    ],
)
def test_what_is_no_signed_list_is_refused(change: dict[str, Any]) -> None:
    load(json.dumps(WRAPPER).encode())
    refused(json.dumps(WRAPPER | change).encode(), Code.TRUST_LIST_UNREADABLE)


@pytest.mark.parametrize("data", [b"", b"[]", b"{", b'{"payload":"e30=","payload":"e30="}', b"[" * 100_000, b"\xff"])
def test_what_is_no_object_is_refused(data: bytes) -> None:
    refused(data, Code.TRUST_LIST_UNREADABLE)


@pytest.mark.parametrize(
    "payload", [b"[]", b"x", b"{}", b'{"eu_keys":[]}', b'{"eu_keys":{},"eu_keys":{}}', b'{"eu_keys":null}']
)
def test_what_is_no_list_is_refused(payload: bytes) -> None:
    refused(dutch_wrapper(payload), Code.TRUST_LIST_UNREADABLE)


def test_more_entries_than_are_taken_are_refused() -> None:
    data = dutch_list({KID: [dutch_key(dsc()), dutch_key(RSA_PAIR)]})
    load(data, limits=Limits(trust_entries=3))
    for most, several in ((2, data), (2, dutch_list({"a": 1, "b": 1, "c": 1}))):
        with pytest.raises(TrustError) as caught:
            load(several, limits=Limits(trust_entries=most))
        assert caught.value.code == Code.INPUT_TOO_LONG


# --- its entries ---


@pytest.mark.parametrize("kid", ["", "!", "AAAA", b64(b"\0" * 7), b64(b"\0" * 9), "\ud800"])
def test_a_kid_has_8_bytes(kid: str) -> None:
    assert skipped({kid: [dutch_key(dsc())]}) == ["kid 1: no kid of 8 bytes, or no array of keys for it"]


@pytest.mark.parametrize("held", [None, {}, "text", 1])
def test_what_is_no_array_of_keys_is_skipped(held: Any) -> None:
    assert skipped({KID: held}) == ["kid 1: no kid of 8 bytes, or no array of keys for it"]


def test_usages_that_nobody_knows_allow_nothing() -> None:
    assert skipped({KID: [dutch_key(dsc(), "x"), dutch_key(dsc(), ""), dutch_key(dsc(), "vr")]}) == [
        f"kid 1, key {number}: none of its usages is known" for number in (1, 2, 3)
    ]
    (key,) = load(dutch_list({KID: [dutch_key(dsc(), "x", "t")]})).keys
    assert key.usages == frozenset((EntryType.TEST,))


def test_no_usages_are_any() -> None:
    (key,) = load(dutch_list({KID: [dutch_key(dsc())]})).keys
    assert key.usages is None


@pytest.mark.parametrize("usages", [None, "v", 1, {"v": 1}, [None], ["v", 1], [["v"]]])
def test_usages_that_cannot_be_understood_are_not_passed_over(usages: Any) -> None:
    assert skipped({KID: [dutch_key(dsc(), keyUsage=usages)]}) == ["kid 1, key 1: no array keyUsage in it"]


@pytest.mark.parametrize("spki", [None, 1, "", "!", b64(spki_of(dsc())) + "\n"])
def test_a_key_that_is_not_there_is_skipped(spki: Any) -> None:
    assert skipped({KID: [dutch_key(dsc(), subjectPk=spki)]}) == ["kid 1, key 1: no public key in base64 in it"]


def test_a_key_that_is_none_is_skipped() -> None:
    assert skipped({KID: [dutch_key(dsc(), subjectPk="AAAA")]}) == ["kid 1, key 1: the public key cannot be read"]


@pytest.mark.parametrize("name", [None, "", "NLD", "nl", 1, ["NL"]])
def test_what_is_no_country_is_left_out(name: Any) -> None:
    (key,) = load(dutch_list({KID: [dutch_key(dsc(), ian=name)]})).keys
    assert key.country is None


# --- fetching ---


def test_it_is_one_answer() -> None:
    url = "https://lists.example/verifier/public_keys"
    fetcher = FakeFetcher({url: Response(200, b"{}", {"etag": '"1"'})})
    found = SOURCE.fetch(fetcher, url, Known(), Context((), NOW))
    assert found is not None
    assert (found.parts, found.validators) == ({"list": b"{}"}, {url: '"1"'})
    known = Known({"list": b"{}"}, NOW, NOW, {url: '"1"'})
    assert SOURCE.fetch(FakeFetcher({url: Response(304)}), url, known, Context((), NOW)) is None


# --- whatever comes ---

many = settings(derandomize=True, deadline=None, max_examples=100)
GOOD = dutch_list({KID: [dutch_key(dsc(), "v")], OTHER_KID: [dutch_key(RSA_PAIR)]})


def survives(data: bytes) -> None:
    with suppress(HealthCertError):
        load(data)


@many
@given(st.binary(max_size=80), st.integers(0, len(GOOD)), st.integers(0, 80))
def test_nothing_else_escapes_from_mutated_parts(piece: bytes, at: int, gone: int) -> None:
    survives(piece)
    survives(GOOD[:at] + piece + GOOD[at + gone :])


@many
@given(st.binary(max_size=20), st.integers(0, 3000), st.integers(0, 20))
def test_nothing_else_escapes_from_a_mutated_signature(piece: bytes, at: int, gone: int) -> None:
    signature = base64.b64decode(WRAPPER["signature"])
    bad = signature[:at] + piece + signature[at + gone :]
    survives(json.dumps(WRAPPER | {"signature": b64(bad)}).encode())


@many
@given(WEIRD | spoiled({"eu_keys": {KID: [dutch_key(dsc(), "v")]}, "nl_keys": {}}))
def test_nothing_else_escapes_from_what_is_signed(payload: Any) -> None:
    survives(dutch_wrapper(json.dumps(payload).encode()))
