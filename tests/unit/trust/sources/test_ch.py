"""The Swiss list: pages and active ids, a signer pinned by name, usages in letters, and paging that ends."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from healthcert.encoding import jws
from healthcert.errors import Code, FetchError, HealthCertError, TrustError
from healthcert.fetch import Response
from healthcert.issue.pki import KeyKind
from healthcert.limits import Limits
from healthcert.lists.anchors import TrustAnchor
from healthcert.lists.swiss import SIGNER
from healthcert.model import EntryType
from healthcert.trust.keys import Assurance
from healthcert.trust.sources.ch import Swiss
from healthcert.trust.sources.protocol import Context, Fetched, Known, TrustList
from tests.support import DAY, NOW, dsc
from tests.support_lists import (
    WEIRD,
    Chain,
    FakeFetcher,
    anchor_of,
    b64,
    below,
    chain,
    key_anchor,
    spki_of,
    spoiled,
    swiss_active,
    swiss_key,
    swiss_page,
    swiss_parts,
    swiss_token,
)

SOURCE = Swiss()
SIGNERS = chain(SIGNER)
VACCINATION, TEST, RECOVERY = EntryType.VACCINATION, EntryType.TEST, EntryType.RECOVERY
RSA_PAIR = dsc(kind=KeyKind.RSA_3072)
FIRST, SECOND, THIRD = dsc(), dsc(TEST), dsc(VACCINATION)


def load(parts: Mapping[str, bytes], *anchors: TrustAnchor, now: datetime = NOW, **more: Any) -> TrustList:
    return SOURCE.load(parts, Context(anchors or (SIGNERS.anchor(),), now, **more))


def refused(parts: Mapping[str, bytes], code: Code, *anchors: TrustAnchor, now: datetime = NOW) -> None:
    with pytest.raises(TrustError) as caught:
        load(parts, *anchors, now=now)
    assert caught.value.code == code


def skipped(*keys: Any) -> list[str]:
    found = load(swiss_parts(*keys))
    assert found.keys == ()
    return [f"{one.source}: {one.error.detail}" for one in found.skipped]


def kids(found: TrustList) -> list[bytes]:
    return [key.kid for key in found.keys]


def kid(*pairs: Any) -> list[bytes]:
    return [pair.signer().kid for pair in pairs]


def test_its_keys_and_what_it_says_of_itself() -> None:
    found = load(swiss_parts(swiss_key(FIRST, "vr"), swiss_key(RSA_PAIR, "sig"), upTo=77))
    first, second = found.keys
    assert (first.kid, first.spki, first.domain) == (FIRST.signer().kid, spki_of(FIRST), "DCC")
    assert first.usages == frozenset((VACCINATION, RECOVERY))
    assert (first.country, first.certificate, first.not_before, first.not_after) == (None, None, None, None)
    assert (second.spki, second.usages) == (spki_of(RSA_PAIR), None)
    assert found.assurance is Assurance.SIGNED_LIST
    assert (found.counter, found.issued_at) == (None, None)
    assert found.expires_at == NOW + 2 * DAY
    assert found.signer == SIGNERS.anchor()
    parts = swiss_parts(swiss_key(FIRST))
    payloads = [jws.read(parts[name].strip()).payload for name in ("active", "updates")]
    digests = sorted(hashlib.sha256(payload).digest() for payload in payloads)
    assert load(parts).signed == hashlib.sha256(b"".join(digests)).digest()
    assert found.skipped == ()


def test_it_is_signed_with_rsa_too() -> None:
    signers = chain(SIGNER, rsa_leaf=True)
    key = swiss_key(FIRST)
    parts = {
        "updates": swiss_page(key, signed_by=signers),
        "active": swiss_active([key["keyId"]], signed_by=signers) + b"\n",
    }
    assert jws.read(parts["updates"]).header["alg"] == "RS256"
    assert kids(load(parts, signers.anchor())) == kid(FIRST)


def test_what_is_not_active_is_not_trusted() -> None:
    first, second = swiss_key(FIRST), swiss_key(SECOND)
    assert kids(load(swiss_parts(first, second, active=[second["keyId"]]))) == kid(SECOND)
    found = load(swiss_parts(first, active=[second["keyId"], first["keyId"], "x", 1, None]))
    assert kids(found) == kid(FIRST)
    assert [(one.source, one.error.detail) for one in found.skipped] == [("activeKeyIds", "2 of them are on no page")]
    assert load(swiss_parts(first, active=[])).keys == ()


def test_the_pages_are_an_array_or_one_token() -> None:
    first, second = swiss_key(FIRST), swiss_key(SECOND)
    pages = [swiss_page(first).decode(), swiss_page(first, second).decode(), swiss_page().decode()]
    active = swiss_active([first["keyId"], second["keyId"]])
    assert kids(load({"updates": json.dumps(pages).encode(), "active": active})) == kid(FIRST, SECOND)
    assert kids(load({"updates": b" " + pages[1].encode() + b"\n", "active": active})) == kid(FIRST, SECOND)
    assert load({"updates": b"[]", "active": active}).keys == ()


def test_keys_of_one_id_are_all_kept() -> None:
    one = swiss_key(FIRST, "v")
    other = swiss_key(RSA_PAIR, "t", keyId=one["keyId"])
    found = load(swiss_parts(one, other, swiss_key(FIRST, "r"), one))
    assert [(key.spki, key.usages) for key in found.keys] == [
        (spki_of(FIRST), frozenset((VACCINATION,))),
        (spki_of(RSA_PAIR), frozenset((TEST,))),
        (spki_of(FIRST), frozenset((RECOVERY,))),
    ]
    assert set(kids(found)) == set(kid(FIRST))


# --- usages ---


@pytest.mark.parametrize(
    ("use", "usages"),
    [("v", {VACCINATION}), ("r", {RECOVERY}), ("t", {TEST}), ("vrt", {VACCINATION, RECOVERY, TEST}), ("t,x", {TEST})],
)
def test_usages_are_letters(use: str, usages: set[EntryType]) -> None:
    (key,) = load(swiss_parts(swiss_key(FIRST, use))).keys
    assert key.usages == frozenset(usages)


@pytest.mark.parametrize("use", ["", "x", "SIG", "sig ", "V", None, 1, ["v"], {"v": 1}, True])
def test_usages_that_nobody_knows_allow_nothing(use: Any) -> None:
    assert skipped(swiss_key(FIRST, use)) == ["page 1, key 1: none of its usages is known"]


def test_light_certificates_are_a_domain_of_their_own() -> None:
    """Their certificate has no entry of any type, so that a key for them may sign none."""
    (light,) = load(swiss_parts(swiss_key(FIRST, "l"))).keys
    assert (light.domain, light.usages) == ("CH-LIGHT", frozenset())
    assert light.may_sign(())
    assert not light.may_sign((TEST,))
    both = load(swiss_parts(swiss_key(FIRST, "tl"))).keys
    assert [(key.domain, key.usages) for key in both] == [("DCC", frozenset((TEST,))), ("CH-LIGHT", frozenset())]
    assert [key.domain for key in load(swiss_parts(swiss_key(FIRST, "sig"))).keys] == ["DCC"]


# --- who signed ---


def test_the_signer_is_pinned_by_name_under_a_root() -> None:
    parts = swiss_parts(swiss_key(FIRST))
    for anchor in (SIGNERS.anchor(), SIGNERS.anchor(SIGNER), anchor_of(SIGNERS.leaf), key_anchor(SIGNERS.leaf)):
        assert load(parts, anchor_of(FIRST), anchor).signer == anchor
    for anchor in (SIGNERS.anchor(f"{SIGNER}-abn"), anchor_of(FIRST), key_anchor(FIRST)):
        refused(parts, Code.TRUST_LIST_NOT_AUTHENTIC, anchor)
    with pytest.raises(TrustError) as caught:
        SOURCE.load(parts, Context((), NOW))
    assert caught.value.code == Code.TRUST_ANCHOR_MISSING


@pytest.mark.parametrize("name", ["www.example.ch", f"{SIGNER}-ref", f"{SIGNER}-abn", SIGNER.lower(), f"x{SIGNER}"])
def test_somebody_else_under_the_root_is_refused(name: str) -> None:
    stranger = Chain(SIGNERS.root, SIGNERS.between, below(SIGNERS.between, name))
    key, good = swiss_key(FIRST), swiss_parts(swiss_key(FIRST))
    page, active = swiss_page(key, signed_by=stranger), swiss_active([key["keyId"]], signed_by=stranger)
    refused(good | {"updates": page}, Code.TRUST_LIST_NOT_AUTHENTIC)
    refused(good | {"active": active}, Code.TRUST_LIST_NOT_AUTHENTIC)
    several = json.dumps([good["updates"].decode(), page.decode()]).encode()
    refused(good | {"updates": several}, Code.TRUST_LIST_NOT_AUTHENTIC)
    # The stages for tests have such names, and are trusted where the operator says so.
    assert load({"updates": page, "active": active}, SIGNERS.anchor(name)).signer == SIGNERS.anchor(name)


def test_a_certificate_that_has_ended_signs_nothing() -> None:
    old = Chain(SIGNERS.root, SIGNERS.between, below(SIGNERS.between, SIGNER, begin=NOW - 800 * DAY, years=1))
    refused({"updates": swiss_page(signed_by=old), "active": swiss_active([])}, Code.TRUST_LIST_NOT_AUTHENTIC)


def test_no_byte_can_be_changed() -> None:
    good = swiss_parts(swiss_key(FIRST))
    for name, data in good.items():
        for position in range(len(data)):
            bad = bytearray(data)
            bad[position] ^= 1 << position % 7
            with pytest.raises(TrustError) as caught:
                load(good | {name: bytes(bad)})
            assert caught.value.code in (Code.TRUST_LIST_NOT_AUTHENTIC, Code.TRUST_LIST_UNREADABLE)


# --- what it says of itself ---


@pytest.mark.parametrize("milliseconds", [None, 0, -1, "1", 1.5, True, 1e999, []])
def test_how_long_it_holds_must_be_there(milliseconds: Any) -> None:
    refused(swiss_parts(swiss_key(FIRST), validDuration=milliseconds), Code.TRUST_LIST_UNREADABLE)


@pytest.mark.parametrize("milliseconds", [30 * 86400000, 30 * 86400000 + 1, 10**12, 10**400])
def test_it_holds_for_no_longer_than_can_be_meant(milliseconds: int) -> None:
    assert load(swiss_parts(swiss_key(FIRST), validDuration=milliseconds)).expires_at == NOW + 30 * DAY
    assert load(swiss_parts(swiss_key(FIRST), validDuration=1)).expires_at == NOW + timedelta(milliseconds=1)


def test_what_is_no_list_is_refused() -> None:
    good = swiss_parts(swiss_key(FIRST))
    for bad in (
        {"active": good["active"]},
        {"updates": good["updates"]},
        good | {"updates": good["active"]},
        good | {"active": good["updates"]},
        good | {"updates": b""},
        good | {"updates": b"["},
        good | {"updates": b"[1]"},
        good | {"updates": b'["\\ud800"]'},
        good | {"updates": json.dumps([[good["updates"].decode()]]).encode()},
        good | {"updates": b"[" * 100_000},
        good | {"updates": swiss_token([])},
        good | {"updates": swiss_token({"certs": {}})},
        good | {"active": swiss_token({"activeKeyIds": "x", "validDuration": 1})},
        good | {"active": swiss_token(None)},
    ):
        refused(bad, Code.TRUST_LIST_UNREADABLE)


def test_more_than_is_taken_is_refused() -> None:
    parts = swiss_parts(swiss_key(FIRST), swiss_key(SECOND))
    pages = json.dumps([parts["updates"].decode()] * 2).encode()
    load(parts | {"updates": pages}, limits=Limits(trust_entries=4, list_pages=2))
    for bad, limits in (
        (parts, Limits(trust_entries=1)),
        (parts | {"updates": pages}, Limits(trust_entries=3)),
        (parts | {"updates": swiss_page()}, Limits(trust_entries=1)),
        (parts | {"updates": pages}, Limits(list_pages=1)),
    ):
        with pytest.raises(TrustError) as caught:
            load(bad, limits=limits)
        assert caught.value.code == Code.INPUT_TOO_LONG


# --- its entries ---


def test_the_kind_of_key_is_told_by_its_algorithm() -> None:
    assert skipped(
        swiss_key(FIRST, alg="PS256"),
        swiss_key(FIRST, alg=None),
        swiss_key(FIRST, alg=["ES256"]),
        swiss_key(FIRST, crv="P-384"),
        swiss_key(FIRST, alg="RS256"),
        swiss_key(RSA_PAIR, alg="ES256"),
    ) == [
        "page 1, key 1: a key of an unknown kind",
        "page 1, key 2: a key of an unknown kind",
        "page 1, key 3: a key of an unknown kind",
        "page 1, key 4: a key of an unknown kind",
        "page 1, key 5: a member of the JWK is missing or wrong",
        "page 1, key 6: a member of the JWK is missing or wrong",
    ]
    assert kids(load(swiss_parts(swiss_key(FIRST, crv=None)))) == kid(FIRST)


def test_a_key_that_is_none_is_skipped() -> None:
    wrong = "page 1, key 1: a member of the JWK is missing or wrong"
    for change in ({"x": None}, {"x": "!"}, {"y": 1}, {"x": b64(b"\1" * 32)}, {"y": "A" * 100_000}):
        assert skipped(swiss_key(FIRST, **change)) == [wrong]
    for change in ({"n": None}, {"e": ""}, {"e": "AA=="}, {"e": "Ag=="}):
        assert skipped(swiss_key(RSA_PAIR, **change)) == [wrong]


@pytest.mark.parametrize("key_id", ["", "AAAA", b64(b"\0" * 9)])
def test_an_id_has_8_bytes(key_id: str) -> None:
    assert skipped(swiss_key(FIRST, keyId=key_id)) == ["page 1, key 1: its id is not of 8 bytes"]


@pytest.mark.parametrize("key_id", ["!", "\ud800", "A"])
def test_an_id_is_base64(key_id: str) -> None:
    assert skipped(swiss_key(FIRST, keyId=key_id)) == ["page 1, key 1: its id is not base64"]


def test_what_has_no_id_cannot_be_active() -> None:
    parts = {"updates": swiss_page(1, None, [], {}, {"keyId": 1}), "active": swiss_active([1, None])}
    found = load(parts)
    assert (found.keys, found.skipped) == ((), ())


def test_a_private_key_would_not_be_read() -> None:
    key = swiss_key(FIRST, d="AQ")
    assert kids(load(swiss_parts(key))) == kid(FIRST)
    assert isinstance(FIRST.key, ec.EllipticCurvePrivateKey)


# --- fetching ---

URL = "https://lists.example/trust/v2"
KEYS = [swiss_key(pair) for pair in (FIRST, SECOND, THIRD)]
IDS = [key["keyId"] for key in KEYS]
UPDATES = f"{URL}/keys/updates"


def updates(since: int, up_to: int | None = 9) -> str:
    end = "" if up_to is None else f"&upTo={up_to}"
    return f"{UPDATES}?certFormat=ANDROID&since={since}{end}"


def page(*keys: Any, following: str | None = None, last: bool = False, **more: Any) -> Response:
    headers = {"up-to-date": "true" if last else "false"} | ({"x-next-since": following} if following else {})
    return Response(200, swiss_page(*keys, **more), headers)


def service(pages: Mapping[str, Response], active: bytes | None = None, **headers: str) -> FakeFetcher:
    answer = Response(200, active or swiss_active(IDS, upTo=9), headers)
    return FakeFetcher({f"{URL}/keys/list": answer, **pages})


def fetched(fetcher: FakeFetcher, known: Known | None = None, **more: Any) -> Fetched:
    found = SOURCE.fetch(fetcher, URL, known or Known(), Context((SIGNERS.anchor(),), NOW, **more))
    assert found is not None
    return found


def fails(error: type[HealthCertError], code: Code, fetcher: FakeFetcher, known: Known | None = None) -> None:
    with pytest.raises(error) as caught:
        fetched(fetcher, known)
    assert caught.value.code == code


def texts(found: Fetched) -> list[str]:
    pages: list[str] = json.loads(found.parts["updates"])
    return pages


def test_all_pages_are_fetched() -> None:
    fetcher = service(
        {
            updates(0): page(KEYS[0], following="4"),
            updates(4): page(KEYS[1], following="7"),
            updates(7): page(KEYS[2], following="9", last=True),
        }
    )
    found = fetched(fetcher, options={"token": "t0ken"})
    assert (found.whole, found.validators) == (True, {UPDATES: "9"})
    assert kids(load(found.parts)) == kid(FIRST, SECOND, THIRD)
    assert fetcher.urls == [f"{URL}/keys/list", updates(0), updates(4), updates(7)]
    for _, headers in fetcher.asked:
        assert headers == {"Accept": "application/json+jws", "Authorization": "Bearer t0ken"}


def test_where_the_pages_end_is_signed_or_in_a_header_or_unknown() -> None:
    unsigned = swiss_active(IDS)
    for up_to, headers in ((8, {"up-to": "8"}), (None, {}), (None, {"up-to": "8&since=0"}), (None, {"up-to": "²"})):
        fetcher = service({updates(0, up_to): page(*KEYS, following="8", last=True)}, unsigned, **headers)
        assert len(texts(fetched(fetcher))) == 1
    for wrong in (-1, 1.5, "9", True, 10**18):
        fetcher = service({updates(0, None): page(*KEYS, following="8", last=True)}, swiss_active(IDS, upTo=wrong))
        assert len(texts(fetched(fetcher))) == 1


def test_an_empty_page_is_the_last_one_and_not_kept() -> None:
    found = fetched(service({updates(0): page(*KEYS, following="4"), updates(4): page(following="4")}))
    assert len(texts(found)) == 1
    assert found.validators == {UPDATES: "4"}


@pytest.mark.parametrize("following", [None, "0", "-1", "x", "", "1" * 19, "²", "1&since=0"])
def test_pages_that_do_not_go_on_are_refused(following: str | None) -> None:
    fetcher = service({updates(0): page(KEYS[0], following=following)})
    fails(FetchError, Code.FETCH_REFUSED, fetcher)
    assert len(fetcher.asked) == 2


def test_pages_end() -> None:
    pages = {updates(number): page(KEYS[0], following=str(number + 1)) for number in range(30)}
    fetcher = service(pages)
    fails(FetchError, Code.FETCH_REFUSED, fetcher)
    assert len(fetcher.asked) == 21
    pages[updates(19)] = page(KEYS[0], following="20", last=True)
    fetched(service(pages))


def test_nothing_is_fetched_after_what_is_not_authentic() -> None:
    stranger = Chain(SIGNERS.root, SIGNERS.between, below(SIGNERS.between, "www.example.ch"))
    fetcher = service({}, swiss_active(IDS, signed_by=stranger))
    fails(TrustError, Code.TRUST_LIST_NOT_AUTHENTIC, fetcher)
    assert len(fetcher.asked) == 1
    fails(TrustError, Code.TRUST_LIST_NOT_AUTHENTIC, service({updates(0): page(KEYS[0], signed_by=stranger)}))
    fails(TrustError, Code.TRUST_LIST_UNREADABLE, service({updates(0): Response(304)}))
    fails(TrustError, Code.TRUST_LIST_UNREADABLE, service({}, b"{}"))


@pytest.mark.parametrize("token", ["a b", "a\r\nHost: b", "é", " "])
def test_a_token_that_cannot_stand_in_a_header_is_not_sent(token: str) -> None:
    fetcher = service({})
    with pytest.raises(TrustError) as caught:
        fetched(fetcher, options={"token": token})
    assert caught.value.code == Code.TRUST_CONFIG_INVALID
    assert token not in caught.value.detail.split(": ")
    assert fetcher.asked == []


# --- only what is new ---


def known(
    pages: Sequence[bytes],
    *,
    since: str = "4",
    age: timedelta = DAY,
    up_to: int | None = 4,
    active: bytes | None = None,
) -> Known:
    parts = {
        "updates": json.dumps([one.decode() for one in pages]).encode(),
        "active": active or swiss_active(IDS[:1], upTo=up_to),
    }
    return Known(parts, NOW - DAY, NOW - age, {UPDATES: since})


def test_only_new_pages_are_fetched() -> None:
    before = swiss_page(KEYS[0])
    new = page(KEYS[1], KEYS[2], following="9", last=True)
    found = fetched(service({updates(4): new}), known([before]))
    assert (found.whole, found.validators) == (False, {UPDATES: "9"})
    assert texts(found) == [before.decode(), new.body.decode()]
    assert kids(load(found.parts)) == kid(FIRST, SECOND, THIRD)
    again = fetched(service({updates(4): Response(200, before, {"up-to-date": "true"})}), known([before]))
    assert texts(again) == [before.decode()]


def test_when_nothing_is_new_the_list_still_holds_for_longer() -> None:
    before = known([swiss_page(*KEYS)], since="9", up_to=9)
    found = fetched(service({updates(9): page(last=True)}), before)
    assert found.parts["updates"] == before.parts["updates"]
    assert found.validators == {UPDATES: "9"}
    found = fetched(service({updates(9): page(following="4", last=True)}), before)
    assert found.validators == {UPDATES: "9"}


@pytest.mark.parametrize("missing", ["old", "never", "since", "pages", "damaged", "ended", "many"])
def test_everything_is_fetched_again_where_the_pages_are_of_no_use(missing: str) -> None:
    old = Chain(SIGNERS.root, SIGNERS.between, below(SIGNERS.between, SIGNER, begin=NOW - 800 * DAY, years=1))
    one, limits = swiss_page(KEYS[0]), Limits()
    before = known([one])
    if missing == "old":
        before = known([one], age=7 * DAY + timedelta(seconds=1))
    elif missing == "never":
        before = Known(before.parts, NOW, None, before.validators)
    elif missing == "since":
        before = known([one], since="x")
    elif missing == "pages":
        before = Known({"active": before.parts["active"]}, NOW, NOW, before.validators)
    elif missing == "damaged":
        before = Known({**before.parts, "updates": b"[1]"}, NOW, NOW, before.validators)
    elif missing == "ended":
        before = known([one, swiss_page(KEYS[1], signed_by=old)])
    else:
        limits = Limits(list_pages=20)
    everything = page(*KEYS, following="9", last=True)
    found = fetched(service({updates(0): everything}), before, limits=limits)
    assert found.whole
    assert texts(found) == [everything.body.decode()]


def test_older_active_ids_than_those_known_are_refused() -> None:
    before = known([swiss_page(KEYS[0])], up_to=10)
    fails(TrustError, Code.TRUST_LIST_ROLLED_BACK, service({}), before)
    fails(TrustError, Code.TRUST_LIST_ROLLED_BACK, service({}, swiss_active(IDS), **{"up-to": "11"}), before)
    for up_to, active in ((9, None), (8, None), (None, None), (10, b"damaged")):
        fetcher = service({updates(4): page(*KEYS, following="9", last=True)})
        assert not fetched(fetcher, known([swiss_page(KEYS[0])], up_to=up_to, active=active)).whole


# --- whatever comes ---

many = settings(derandomize=True, deadline=None, max_examples=100)
GOOD = swiss_parts(swiss_key(FIRST, "vl"), swiss_key(RSA_PAIR))


def survives(parts: Mapping[str, bytes]) -> None:
    with suppress(HealthCertError):
        load(parts)


@many
@given(
    st.dictionaries(
        st.sampled_from(["updates", "active"]), st.binary(max_size=80) | st.sampled_from(list(GOOD.values()))
    )
)
def test_nothing_else_escapes_from_arbitrary_parts(parts: dict[str, bytes]) -> None:
    survives(parts)


@many
@given(st.sampled_from(["updates", "active"]), st.binary(max_size=80), st.integers(0, 3000), st.integers(0, 80))
def test_nothing_else_escapes_from_mutated_parts(name: str, piece: bytes, at: int, gone: int) -> None:
    survives({**GOOD, name: GOOD[name][:at] + piece + GOOD[name][at + gone :]})


@many
@given(WEIRD | st.lists(WEIRD))
def test_nothing_else_escapes_from_an_array_of_anything(pages: Any) -> None:
    survives(GOOD | {"updates": json.dumps(pages).encode()})


CERTS = {"certs": [swiss_key(FIRST, "vl"), swiss_key(RSA_PAIR)]}
ACTIVE = {"activeKeyIds": [b64(FIRST.signer().kid), b64(RSA_PAIR.signer().kid)], "validDuration": 1, "upTo": 1}


@many
@given(WEIRD | spoiled(CERTS), spoiled(ACTIVE) | st.just(ACTIVE))
def test_nothing_else_escapes_from_what_is_signed(certs: Any, active: Any) -> None:
    survives({"updates": swiss_token(certs), "active": swiss_token(active)})


@many
@given(
    spoiled(ACTIVE),
    WEIRD | spoiled(CERTS),
    st.dictionaries(st.sampled_from(["x-next-since", "up-to-date", "up-to"]), st.text(max_size=8) | st.just("true")),
    st.dictionaries(
        st.sampled_from(["updates", "active"]), st.binary(max_size=30) | st.sampled_from(list(GOOD.values()))
    ),
)
def test_nothing_else_escapes_from_fetching(
    active: Any, certs: Any, headers: dict[str, str], parts: dict[str, bytes]
) -> None:
    class Always(FakeFetcher):
        def get(self, url: str, *, limit: int, headers: Mapping[str, str] | None = None) -> Response:
            return listed if url.endswith("/list") else answered

    listed, answered = Response(200, swiss_token(active), headers), Response(200, swiss_token(certs), headers)
    with suppress(HealthCertError):
        fetched(Always({}), Known(parts, NOW, NOW, {UPDATES: "4"}))
