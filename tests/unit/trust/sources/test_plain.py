"""Lists of bare public keys: what stands under a kid, and the token that a server asks for."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given

from healthcert.errors import TrustError
from healthcert.trust.keys import Assurance
from healthcert.trust.sources.plain import British, Norwegian, kid_of_text, moment_of
from healthcert.trust.sources.protocol import Known, Source
from tests.support import dsc
from tests.unit.trust.sources.world import (
    FEW,
    Table,
    answer,
    b64,
    check_no_more,
    context,
    curve_key,
    damaged,
    kid_of,
    loaded,
    mutations,
    problems,
    refusal,
    spki_of,
)

SOURCES: list[Source] = [British(), Norwegian()]
ENTRIES = [
    {"kid": b64(kid_of(dsc())), "publicKey": b64(spki_of(dsc()))},
    {"kid": "S2V5M1BSTw==", "publicKey": b64(curve_key())},
]
LIST = json.dumps(ENTRIES).encode()
PLAIN = context()
URL = "https://example.org/keys.json"


def load(*entries: Any) -> Any:
    return British().load({"list": json.dumps(entries).encode()}, PLAIN)


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
def test_bare_keys(source: Source) -> None:
    found = source.load({"list": LIST}, PLAIN)
    assert (found.assurance, found.skipped, found.signer) == (Assurance.TLS_ONLY, (), None)
    first, second = found.keys
    assert (first.kid, first.spki, first.domain, first.usages) == (kid_of(dsc()), spki_of(dsc()), "DCC", None)
    assert (first.country, first.not_before, first.not_after, first.certificate) == (None, None, None, None)
    # The kids of the first British keys are names.
    assert second.kid == b"Key3PRO"


def test_keys_of_one_kid_are_all_kept() -> None:
    entry = ENTRIES[0]
    found = load(entry, entry | {"publicKey": b64(curve_key())})
    assert len({key.spki for key in found.keys}) == 2


def test_a_certificate_in_the_place_of_a_key() -> None:
    der = b64(dsc().certificate_der())
    assert load({"kid": b64(kid_of(dsc())), "publicKey": der}).keys[0].certificate == dsc().certificate_der()
    found = load({"kid": "AAAAAAAAAAA=", "publicKey": der})
    assert problems(found) == [("entry 1", "its kid is not that of its certificate")]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"kid": None}, "its kid is not base64 of a few bytes"),
        ({"kid": ""}, "its kid is not base64 of a few bytes"),
        ({"kid": "A" * 48}, "its kid is not base64 of a few bytes"),
        ({"kid": "!!!!"}, "its kid is not base64 of a few bytes"),
        ({"publicKey": None}, "neither a certificate nor a public key in base64"),
        ({"publicKey": ""}, "neither a certificate nor a public key in base64"),
        ({"publicKey": "AAA"}, "neither a certificate nor a public key in base64"),
        ({"publicKey": "é"}, "neither a certificate nor a public key in base64"),
        ({"publicKey": "AAAA"}, "the public key cannot be read"),
        ({"publicKey": b64(curve_key(ec.SECP256K1()))}, "not a key that can sign health certificates"),
    ],
)
def test_bad_entries_are_skipped(change: dict[str, Any], why: str) -> None:
    found = load(ENTRIES[1], ENTRIES[0] | change, 5)
    assert len(found.keys) == 1
    assert problems(found) == [("entry 2", why), ("entry 3", "no object")]


def test_a_key_has_one_spelling() -> None:
    short = dsc().key.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    compressed = bytes.fromhex("3039301306072a8648ce3d020106082a8648ce3d030107032200") + short
    (key,) = load({"kid": "AAAAAAAAAAA=", "publicKey": b64(compressed)}).keys
    assert key.spki == spki_of(dsc())


def test_white_space_in_base64_is_nothing() -> None:
    text = b64(spki_of(dsc()))
    assert load({"kid": "AAAAAAAAAAA=", "publicKey": f"{text[:64]}\r\n{text[64:]}\n"}).keys


def test_kids() -> None:
    assert kid_of_text("__________8=") == kid_of_text("//////////8") == b"\xff" * 8
    assert kid_of_text(5) is kid_of_text("\ud800") is None


def test_moments() -> None:
    assert str(moment_of("2021-06-21T07:46:23.000Z")) == str(moment_of("2021-06-21T07:46:23"))
    assert moment_of("2021-02-29T01:00:00Z") is moment_of("0001-01-01T00:00:00+14:00") is moment_of(7) is None


def test_a_moment_without_a_zone_is_of_no_zone_in_particular(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    time.tzset()
    try:
        assert str(moment_of("2021-06-21T07:46:23")) == "2021-06-21 07:46:23+00:00"
    finally:
        monkeypatch.undo()
        time.tzset()


def test_not_a_list() -> None:
    assert refusal(British(), {}, PLAIN) == "TRUST_LIST_UNREADABLE"
    assert refusal(British(), {"list": b"{}"}, PLAIN) == "TRUST_LIST_UNREADABLE"
    assert refusal(British(), {"list": LIST}, context(limits=FEW)) == "INPUT_TOO_LONG"


def test_a_changed_list_has_no_other_keys_but_under_other_kids() -> None:
    good = British().load({"list": LIST}, PLAIN)
    for changed in mutations(ENTRIES):
        found = loaded(British(), {"list": changed}, PLAIN)
        assert found is None or {key.spki for key in found.keys} <= {key.spki for key in good.keys}
    check_no_more(good, good)


@given(damaged(LIST))
def test_nothing_else_escapes(data: bytes) -> None:
    loaded(British(), {"list": data}, PLAIN)


# --- Fetching ---


def test_the_token_is_sent_as_it_is_and_only_when_there_is_one() -> None:
    server = Table({URL: answer(LIST, etag='"1"')})
    found = Norwegian().fetch(server, URL, Known(), context(token="abc.def"))
    assert found is not None
    assert (dict(found.parts), dict(found.validators)) == ({"list": LIST}, {URL: '"1"'})
    again = Known(found.parts, validators=found.validators)
    assert British().fetch(server, URL, again, PLAIN) is None
    assert server.asked == [(URL, {"Authorization": "abc.def"}), (URL, {"If-None-Match": '"1"'})]


def test_a_server_without_validators() -> None:
    found = British().fetch(Table({URL: answer(LIST)}), URL, Known(), PLAIN)
    assert found is not None
    assert dict(found.validators) == {}


def test_what_is_not_there_any_more_is_asked_for_without_a_condition() -> None:
    server = Table({URL: answer(LIST, etag='"1"')})
    assert British().fetch(server, URL, Known(validators={URL: '"1"'}), PLAIN) is not None


@pytest.mark.parametrize("token", ["a\r\nHost: b", "", "é", "a b c", "x" * 4097, "a\n"])
def test_a_token_that_is_none_is_not_sent_and_not_shown(token: str) -> None:
    server = Table({URL: answer(LIST)})
    with pytest.raises(TrustError) as error:
        Norwegian().fetch(server, URL, Known(), context(token=token))
    assert error.value.code == "TRUST_CONFIG_INVALID"
    assert len(token) < 3 or token not in str(error.value)
    assert not server.asked
