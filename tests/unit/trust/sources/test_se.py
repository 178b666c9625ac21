"""The Swedish list: a token with its signer's chain, and keys that are held against their certificates."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from healthcert.encoding import jws
from healthcert.errors import Code, HealthCertError, TrustError
from healthcert.fetch import Response
from healthcert.issue.pki import KeyKind, KeyPair, new_csca, new_dsc
from healthcert.limits import Limits
from healthcert.lists.anchors import TrustAnchor
from healthcert.lists.jwk import jwk_of
from healthcert.model import EntryType
from healthcert.trust.keys import Assurance
from healthcert.trust.sources.protocol import Context, Known, TrustList
from healthcert.trust.sources.se import Swedish
from tests.support import DAY, NOW, dsc
from tests.support_lists import (
    WEIRD,
    FakeFetcher,
    anchor_of,
    b64,
    below,
    chain,
    key_anchor,
    spki_of,
    spoiled,
    swiss_token,
)

SOURCE = Swedish()
SECONDS = int(NOW.timestamp())
SIGNERS = chain("DSC-TL signer")
VACCINATION, TEST, RECOVERY = EntryType.VACCINATION, EntryType.TEST, EntryType.RECOVERY
OIDS = {TEST: "1.3.6.1.4.1.1847.2021.1.1", VACCINATION: "1.3.6.1.4.1.1847.2021.1.2"}
ZERO_OIDS = {kind: oid.replace(".1847.", ".0.1847.") for kind, oid in OIDS.items()}
RSA_PAIR = dsc(kind=KeyKind.RSA_3072)


def jwk(pair: KeyPair, **changes: Any) -> dict[str, Any]:
    members = jwk_of(spki_of(pair)) | {"kid": b64(pair.signer().kid), "x5c": [b64(pair.certificate_der())]} | changes
    return {name: value for name, value in members.items() if value is not ...}


def country(*keys: Any, eku: Any = ...) -> dict[str, Any]:
    return {"keys": list(keys)} | ({} if eku is ... else {"eku": eku})


def claims(countries: Any, **changes: Any) -> dict[str, Any]:
    said = {"iss": "x", "iat": SECONDS - 60, "exp": SECONDS + 86400, "dsc_trust_list": countries} | changes
    return {name: value for name, value in said.items() if value is not ...}


def token(payload: Any, *, by: KeyPair = SIGNERS.leaf, x5c: Any = None, **header: Any) -> bytes:
    data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    certificates = [SIGNERS.leaf, SIGNERS.between] if by is SIGNERS.leaf else [by]
    head = {"typ": "JOSE", "alg": "ES256", "x5c": [b64(one.certificate_der()) for one in certificates]}
    if x5c is not None:
        head |= {"x5c": x5c}
    return jws.write(data, head | header, by.signer().sign)


def made(countries: Any, **changes: Any) -> bytes:
    return token(claims(countries, **changes))


def load(data: bytes, *anchors: TrustAnchor, now: datetime = NOW, **more: Any) -> TrustList:
    return SOURCE.load({"list": data}, Context(anchors or (SIGNERS.anchor(),), now, **more))


def refused(data: bytes, code: Code, *anchors: TrustAnchor, now: datetime = NOW) -> None:
    with pytest.raises(TrustError) as caught:
        load(data, *anchors, now=now)
    assert caught.value.code == code


def skipped(countries: Any) -> list[str]:
    found = load(made(countries))
    assert found.keys == ()
    return [f"{one.source}: {one.error.detail}" for one in found.skipped]


def usages(pair: KeyPair, eku: Any) -> set[EntryType] | None:
    (key,) = load(made({"FR": country(jwk(pair), eku=eku)})).keys
    return None if key.usages is None else set(key.usages)


def test_its_keys_and_what_it_says_of_itself() -> None:
    found = load(made({"FR": country(jwk(dsc(TEST)), jwk(RSA_PAIR)), "DE": country()}))
    first, second = found.keys
    assert (first.domain, first.country, first.usages) == ("DCC", "FR", frozenset((TEST,)))
    assert (first.kid, first.certificate) == (dsc(TEST).signer().kid, dsc(TEST).certificate_der())
    assert second.rsa_bits == 3072
    assert found.assurance is Assurance.SIGNED_LIST
    assert (found.counter, found.issued_at) == (SECONDS - 60, NOW - timedelta(seconds=60))
    assert found.expires_at == NOW + DAY
    assert found.signer == SIGNERS.anchor()
    assert found.skipped == ()
    assert load(made({"FR": country(jwk(dsc(TEST)))}) + b"\n").keys == (first,)


# --- who signed ---


def test_the_signer_chains_up_to_what_is_pinned() -> None:
    good = made({"FR": country(jwk(dsc()))})
    for anchor in (
        SIGNERS.anchor(),
        SIGNERS.anchor("DSC-TL signer"),
        anchor_of(SIGNERS.between),
        anchor_of(SIGNERS.leaf),
        key_anchor(SIGNERS.leaf),
    ):
        assert load(good, anchor_of(dsc()), anchor).signer == anchor
    for anchor in (anchor_of(dsc()), key_anchor(dsc()), SIGNERS.anchor("somebody else")):
        refused(good, Code.TRUST_LIST_NOT_AUTHENTIC, anchor)


def test_a_chain_that_does_not_hold_is_refused() -> None:
    own = new_dsc(new_csca("SE", "CA", now=NOW - 9 * DAY), "DSC-TL signer", now=NOW - 9 * DAY)
    leaf, between = (b64(pair.certificate_der()) for pair in (SIGNERS.leaf, SIGNERS.between))
    payload = claims({"FR": country(jwk(dsc()))})
    for bad in (
        token(payload, by=own),
        token(payload, x5c=[leaf]),
        token(payload, by=own, x5c=[leaf, between]),
        token(payload, by=own, x5c=[b64(own.certificate_der()), leaf, between]),
        token(payload, alg="ES384"),
        token(payload, alg="none"),
    ):
        refused(bad, Code.TRUST_LIST_NOT_AUTHENTIC)


def test_a_certificate_that_has_ended_signs_nothing() -> None:
    old = below(SIGNERS.between, "DSC-TL signer", begin=NOW - 800 * DAY, years=1)
    certificates = [b64(pair.certificate_der()) for pair in (old, SIGNERS.between)]
    bad = token(claims({"FR": country(jwk(dsc()))}), by=old, x5c=certificates)
    refused(bad, Code.TRUST_LIST_NOT_AUTHENTIC)


def test_rs256_signs_lists() -> None:
    signers = chain("DSC-TL signer", rsa_leaf=True)
    data = swiss_token(claims({"FR": country(jwk(dsc()))}), signers)
    assert jws.read(data).header["alg"] == "RS256"
    assert len(load(data, signers.anchor()).keys) == 1


@pytest.mark.parametrize("x5c", [[], "text", [1], ["AAAA"], ["!"], [""], [b64(dsc().certificate_der())[:-8]]])
def test_without_a_readable_certificate_of_the_signer_it_is_refused(x5c: Any) -> None:
    refused(token(claims({}), x5c=x5c), Code.TRUST_LIST_UNREADABLE)


def test_a_chain_without_end_is_refused() -> None:
    leaf, between = (b64(pair.certificate_der()) for pair in (SIGNERS.leaf, SIGNERS.between))
    load(token(claims({}), x5c=[leaf, *[between] * 7]))
    refused(token(claims({}), x5c=[leaf, *[between] * 8]), Code.TRUST_LIST_UNREADABLE)


def test_a_token_without_x5c_is_refused() -> None:
    data = jws.write(b"{}", {"alg": "ES256"}, SIGNERS.leaf.signer().sign)
    refused(data, Code.TRUST_LIST_UNREADABLE, key_anchor(SIGNERS.leaf))


def test_without_an_anchor_there_is_no_list() -> None:
    with pytest.raises(TrustError) as caught:
        SOURCE.load({"list": made({})}, Context((), NOW))
    assert caught.value.code == Code.TRUST_ANCHOR_MISSING


def test_the_draft_with_its_payload_as_it_is_is_refused() -> None:
    """RFC 7797: drafts of the list before 1.0.0 had it."""
    head, _, signature = made({}).split(b".")
    refused(head + b"." + json.dumps(claims({})).encode() + b"." + signature, Code.TRUST_LIST_UNREADABLE)


def test_no_byte_can_be_changed() -> None:
    good = made({"FR": country(jwk(dsc()))})
    for position in range(len(good)):
        bad = bytearray(good)
        bad[position] ^= 1 << position % 7
        with pytest.raises(TrustError) as caught:
            load(bytes(bad))
        assert caught.value.code in (Code.TRUST_LIST_NOT_AUTHENTIC, Code.TRUST_LIST_UNREADABLE)


# --- what it says of itself ---


def test_a_list_from_the_future_is_refused_but_for_the_skew_of_clocks() -> None:
    load(made({}, iat=SECONDS + 300))
    refused(made({}, iat=SECONDS + 301), Code.TRUST_LIST_NOT_AUTHENTIC)


def test_the_end_is_told_and_judged_by_others() -> None:
    assert load(made({}, exp=SECONDS - 3600)).expires_at == NOW - timedelta(hours=1)


@pytest.mark.parametrize("name", ["iat", "exp"])
@pytest.mark.parametrize("value", [..., None, "1", 1.5, True, 1e999, 10**13, -(10**18), []])
def test_both_times_must_be_there(name: str, value: Any) -> None:
    refused(made({}, **{name: value}), Code.TRUST_LIST_UNREADABLE)


@pytest.mark.parametrize(
    "payload",
    [b"", b"[]", b"null", b"{", claims(...), claims([]), claims(None), b'{"iat":1,"iat":1}', b"[" * 100_000],
)
def test_what_is_no_list_is_refused(payload: Any) -> None:
    refused(token(payload), Code.TRUST_LIST_UNREADABLE)


@pytest.mark.parametrize("data", [b"", b"..", b"{}", b"\xff.\xff.\xff"])
def test_what_is_no_token_is_refused(data: bytes) -> None:
    refused(data, Code.TRUST_LIST_UNREADABLE)
    with pytest.raises(TrustError) as caught:
        SOURCE.load({}, Context((SIGNERS.anchor(),), NOW))
    assert caught.value.code == Code.TRUST_LIST_UNREADABLE


def test_more_entries_than_are_taken_are_refused() -> None:
    data = made({"FR": country(jwk(dsc()), jwk(RSA_PAIR))})
    load(data, limits=Limits(trust_entries=3))
    for most, countries in ((2, data), (2, made({"FR": {}, "DE": {}, "AT": {}}))):
        with pytest.raises(TrustError) as caught:
            load(countries, limits=Limits(trust_entries=most))
        assert caught.value.code == Code.INPUT_TOO_LONG


# --- its entries ---


def test_a_country_that_is_none_is_skipped() -> None:
    assert (
        skipped({"fr": country(jwk(dsc())), "FRA": country(), "": country(), "F1": country()})
        == ["a country: its code is not of two capital letters"] * 4
    )
    assert skipped({"FR": [], "DE": {"keys": {}}, "AT": country(eku=[]), "BE": country(eku=None)}) == [
        f"country {code}: no array of keys in it, or eku is no object" for code in ("FR", "DE", "AT", "BE")
    ]


def test_a_key_belongs_to_the_country_that_it_is_listed_under() -> None:
    assert skipped({"DE": country(jwk(dsc()))}) == ["country DE, key 1: its certificate is another country's"]


def test_the_key_is_that_of_its_certificate() -> None:
    """DSC-TL §2.2.2: the certificate is the normative one of the two."""
    other = jwk_of(spki_of(dsc(TEST)))
    what = "the key is not that of its certificate"
    assert skipped({"FR": country(jwk(dsc(), **other), jwk(RSA_PAIR, **(other | {"n": ...})))}) == [
        f"country FR, key 1: {what}",
        f"country FR, key 2: {what}",
    ]
    assert skipped({"FR": country(jwk(dsc(), y=other["y"]), jwk(dsc(), kty=...), jwk(dsc(), d="AQ"))}) == [
        "country FR, key 1: a member of the JWK is missing or wrong",
        "country FR, key 2: a JWK of an unknown kind of key",
        "country FR, key 3: the JWK holds a private key",
    ]


def test_coordinates_with_a_zero_in_front_are_the_same() -> None:
    x = b64(b"\0" + base64.urlsafe_b64decode(jwk_of(spki_of(dsc()))["x"] + "="))
    assert len(load(made({"FR": country(jwk(dsc(), x=x))})).keys) == 1


@pytest.mark.parametrize(
    "kid",
    [..., None, 1, "", "AAAAAAAAAAA=", b64(dsc(TEST).signer().kid), "!"],
    ids=["missing", "null", "a number", "empty", "zeros", "of another", "not base64"],
)
def test_the_kid_is_that_of_its_certificate(kid: Any) -> None:
    assert skipped({"FR": country(jwk(dsc(), kid=kid))}) == [
        "country FR, key 1: its kid is not that of its certificate"
    ]


@pytest.mark.parametrize("x5c", [..., [], None, "text", [None], [1], {"0": 1}])
def test_a_key_without_its_certificate_is_skipped(x5c: Any) -> None:
    assert skipped({"FR": country(jwk(dsc(), x5c=x5c), 1)}) == [
        "country FR, key 1: no certificate in it",
        "country FR, key 2: no certificate in it",
    ]


def test_a_certificate_that_is_none_is_skipped() -> None:
    assert skipped({"FR": country(jwk(dsc(), x5c=["!"]), jwk(dsc(), x5c=["AAAA"]), jwk(dsc(), x5c=["\ud800"]))}) == [
        "country FR, key 1: neither DER nor base64",
        "country FR, key 2: not a readable X.509 certificate",
        "country FR, key 3: neither DER nor base64",
    ]


def test_padding_may_be_missing() -> None:
    pairs = [dsc(), dsc(TEST), dsc(VACCINATION), RSA_PAIR]
    keys = [jwk(p, x5c=[b64(p.certificate_der()).rstrip("=")], kid=b64(p.signer().kid).rstrip("=")) for p in pairs]
    assert len(load(made({"FR": country(*keys)})).keys) == 4


# --- usages ---


def test_usages_are_those_of_the_certificate_and_the_list_together() -> None:
    kid = b64(dsc().signer().kid)
    for oids in (OIDS, ZERO_OIDS):
        assert usages(dsc(), {kid: [oids[TEST]]}) == {TEST}
        assert usages(dsc(), {kid: [oids[TEST], oids[VACCINATION]]}) == {TEST, VACCINATION}
    limited = dsc(TEST, RECOVERY)
    kid = b64(limited.signer().kid)
    assert usages(limited, {kid: [OIDS[TEST], OIDS[VACCINATION]]}) == {TEST}
    assert usages(limited, {kid: [OIDS[VACCINATION]]}) == set()
    assert usages(limited, {}) == {TEST, RECOVERY}


def test_other_key_usages_limit_nothing() -> None:
    """HCERT specification, Appendix A.4."""
    kid = b64(dsc().signer().kid)
    assert usages(dsc(), {kid: ["1.3.6.1.5.5.7.3.2"]}) is None
    assert usages(dsc(), {kid: []}) is None
    assert usages(dsc(TEST), {b64(dsc(TEST).signer().kid): ["1.3.6.1.5.5.7.3.2"]}) == {TEST}
    assert usages(dsc(), {"AAAAAAAAAAA=": [OIDS[TEST]]}) is None


@pytest.mark.parametrize("listed", [None, "1.3", 1, [1], [None], {"a": 1}, [OIDS[TEST], []]])
def test_usages_that_cannot_be_understood_are_not_passed_over(listed: Any) -> None:
    assert skipped({"FR": country(jwk(dsc()), eku={b64(dsc().signer().kid): listed})}) == [
        "country FR, key 1: its usages are no array of object identifiers"
    ]


# --- fetching ---


def test_it_is_one_answer() -> None:
    url = "https://lists.example/tp/trust-list"
    fetcher = FakeFetcher({url: Response(200, b"token", {"etag": '"1"'})})
    found = SOURCE.fetch(fetcher, url, Known(), Context((), NOW))
    assert found is not None
    assert (found.parts, found.validators, found.whole) == ({"list": b"token"}, {url: '"1"'}, True)
    known = Known({"list": b"token"}, NOW, NOW, {url: '"1"'})
    unchanged = FakeFetcher({url: Response(304)})
    assert SOURCE.fetch(unchanged, url, known, Context((), NOW)) is None
    assert unchanged.asked == [(url, {"If-None-Match": '"1"'})]


# --- whatever comes ---

many = settings(derandomize=True, deadline=None, max_examples=100)
GOOD = made({"FR": country(jwk(dsc()))})


def survives(data: bytes) -> None:
    with suppress(HealthCertError):
        load(data)


@many
@given(st.binary(max_size=80), st.binary(max_size=80))
def test_nothing_else_escapes_from_mutated_parts(head: bytes, tail: bytes) -> None:
    survives(head)
    survives(head + GOOD[len(head) :] + tail)


PLAIN = claims({"FR": country(jwk(dsc()), jwk(RSA_PAIR), eku={b64(dsc().signer().kid): [OIDS[TEST]]})})


@many
@given(WEIRD | spoiled(PLAIN))
def test_nothing_else_escapes_from_what_is_signed(payload: Any) -> None:
    survives(token(payload))


@many
@given(WEIRD | st.lists(WEIRD, max_size=3), st.dictionaries(st.text(max_size=4), WEIRD, max_size=2))
def test_nothing_else_escapes_from_the_header(x5c: Any, more: Mapping[str, Any]) -> None:
    try:
        data = token(PLAIN, **(dict(more) | {"alg": "ES256"})) if x5c is None else token(PLAIN, x5c=x5c)
    except ValueError:
        return
    survives(data)


def test_usages_count_however_their_kid_is_spelled() -> None:
    kid = b64(dsc().signer().kid)
    plain = kid.rstrip("=").replace("+", "-").replace("/", "_")
    assert usages(dsc(), {plain: [OIDS[TEST]]}) == {TEST}
    twice = {"FR": country(jwk(dsc()), eku={kid: [], plain: [OIDS[TEST]]})}
    assert skipped(twice) == ["country FR, key 1: its usages are listed twice"]


def test_what_is_signed_is_told() -> None:
    data = made({"FR": country(jwk(dsc()))})
    assert load(data + b"\n").signed == hashlib.sha256(jws.read(data).payload).digest()
