"""The Austrian list: its signature over a digest, what the signature must say, and its two kinds of entries."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from healthcert.encoding import cose
from healthcert.errors import Code, HealthCertError, TrustError
from healthcert.fetch import Response
from healthcert.issue.pki import KeyKind, KeyPair, new_csca, new_dsc
from healthcert.limits import Limits
from healthcert.lists.anchors import TrustAnchor
from healthcert.model import EntryType
from healthcert.trust.keys import Assurance
from healthcert.trust.sources.at import Austrian
from healthcert.trust.sources.protocol import Context, Known, TrustList
from tests.support import DAY, NOW, dsc
from tests.support_lists import WEIRD, FakeFetcher, anchor_of, b64, key_anchor, spki_of

SOURCE = Austrian()
LIST_SIGNER = new_dsc(new_csca("AT", "List CA", now=NOW - 30 * DAY), "List Signer", now=NOW - 20 * DAY)
OTHER = dsc(kind=KeyKind.RSA_3072)
SECONDS = int(NOW.timestamp())


def entry(pair: KeyPair) -> dict[str, Any]:
    return {"i": pair.signer().kid, "c": pair.certificate_der()}


def bare(pair: KeyPair, **members: Any) -> dict[str, Any]:
    return {"i": pair.signer().kid, "k": spki_of(pair)} | members


def signed(
    content: bytes,
    *,
    header: Mapping[int, Any] | None = None,
    claims: Any = None,
    unprotected: Mapping[int, Any] | None = None,
    by: KeyPair = LIST_SIGNER,
) -> dict[str, bytes]:
    """The two parts; a header parameter or claim of ``...`` is left out."""
    signer = by.signer()
    headers = {1: -7, 4: signer.kid, 42: 2} | dict(header or {})
    protected = cbor2.dumps({key: value for key, value in headers.items() if value is not ...})
    said = {2: hashlib.sha256(content).digest(), 4: SECONDS + 86400, 5: SECONDS - 60}
    if not isinstance(claims, (bytes, type(None))):
        said |= claims
    payload = claims if isinstance(claims, bytes) else cbor2.dumps({k: v for k, v in said.items() if v is not ...})
    signature = signer.sign(cose.sig_structure(protected, payload))
    message = cbor2.CBORTag(18, [protected, dict(unprotected or {}), payload, signature])
    return {"list": content, "signature": cbor2.dumps(message)}


def made(*entries: Any, **how: Any) -> dict[str, bytes]:
    return signed(cbor2.dumps({"c": list(entries)}), **how)


def context(*anchors: TrustAnchor, now: datetime = NOW, **more: Any) -> Context:
    return Context(anchors or (anchor_of(LIST_SIGNER),), now, **more)


def load(parts: Mapping[str, bytes], *anchors: TrustAnchor, now: datetime = NOW) -> TrustList:
    return SOURCE.load(parts, context(*anchors, now=now))


def refused(parts: Mapping[str, bytes], code: Code, *anchors: TrustAnchor, now: datetime = NOW) -> None:
    with pytest.raises(TrustError) as caught:
        load(parts, *anchors, now=now)
    assert caught.value.code == code


def not_authentic(parts: Mapping[str, bytes], *anchors: TrustAnchor, now: datetime = NOW) -> None:
    refused(parts, Code.TRUST_LIST_NOT_AUTHENTIC, *anchors, now=now)


def unreadable(parts: Mapping[str, bytes]) -> None:
    refused(parts, Code.TRUST_LIST_UNREADABLE)


def skipped(*entries: Any) -> list[str]:
    found = load(made(*entries, entry(dsc())))
    assert [key.kid for key in found.keys] == [dsc().signer().kid]
    return [f"{one.source}: {one.error.detail}" for one in found.skipped]


def test_its_keys_and_what_it_says_of_itself() -> None:
    found = load(made(entry(dsc(EntryType.TEST)), entry(OTHER)))
    first, second = found.keys
    assert (first.domain, first.country, first.usages) == ("DCC", "FR", frozenset((EntryType.TEST,)))
    assert (first.certificate, first.not_after) == (
        dsc(EntryType.TEST).certificate_der(),
        dsc(EntryType.TEST).certificate.not_valid_after_utc,
    )
    assert second.usages is None
    assert second.rsa_bits == 3072
    assert found.assurance is Assurance.SIGNED_LIST
    assert found.issued_at == NOW - timedelta(seconds=60)
    assert found.expires_at == NOW + timedelta(days=1)
    assert found.counter == SECONDS - 60
    assert found.signer == anchor_of(LIST_SIGNER)
    parts = made(entry(OTHER))
    claims = cbor2.loads(parts["signature"]).value[2]
    assert load(parts).signed == hashlib.sha256(claims).digest()
    assert found.skipped == ()


def test_indefinite_lengths_are_read() -> None:
    """As hcert-kotlin writes them."""
    item = b"\xbf" + b"".join(cbor2.dumps(part) for pair in entry(dsc()).items() for part in pair) + b"\xff"
    content = b"\xbf" + cbor2.dumps("c") + b"\x9f" + item + b"\xff\xff"
    assert len(load(signed(content)).keys) == 1


def test_an_anchor_is_a_certificate_or_a_bare_key() -> None:
    parts = made(entry(dsc()))
    assert load(parts, key_anchor(LIST_SIGNER)).signer == key_anchor(LIST_SIGNER)
    assert load(parts, anchor_of(OTHER), anchor_of(LIST_SIGNER)).signer == anchor_of(LIST_SIGNER)
    not_authentic(parts, anchor_of(OTHER))
    not_authentic(parts, key_anchor(OTHER))
    with pytest.raises(TrustError) as caught:
        SOURCE.load(parts, Context((), NOW))
    assert caught.value.code == Code.TRUST_ANCHOR_MISSING
    refused(parts, Code.TRUST_ANCHOR_MISSING, anchor_of(LIST_SIGNER), now=NOW + 3000 * DAY)


def test_the_anchor_is_the_one_whose_kid_is_signed() -> None:
    not_authentic(made(entry(dsc()), header={4: b"\0" * 8}))
    for parts in (
        made(entry(dsc()), header={4: ...}),
        made(entry(dsc()), header={4: ...}, unprotected={4: LIST_SIGNER.signer().kid}),
        made(entry(dsc()), header={4: "text"}),
        made(entry(dsc()), unprotected={4: LIST_SIGNER.signer().kid}),
    ):
        refused(parts, Code.TRUST_LIST_UNREADABLE, key_anchor(LIST_SIGNER))
        unreadable(parts)


@pytest.mark.parametrize("version", [..., 1, 3, -2, "2", 2.0, True, None, [2]])
def test_only_version_2_is_read(version: Any) -> None:
    """hcert-kotlin gave version 1 up on 2021-05-28."""
    unreadable(made(entry(dsc()), header={42: version}))


@pytest.mark.parametrize("label", [-65537, -65538])
def test_signatures_of_rules_and_value_sets_are_not_those_of_lists(label: int) -> None:
    unreadable(made(entry(dsc()), header={42: ..., label: 1}))


@pytest.mark.parametrize("alg", [..., -37, -35, 0, "ES256", None])
def test_the_algorithm_is_that_of_the_key(alg: Any) -> None:
    not_authentic(made(entry(dsc()), header={1: alg}))


def test_the_algorithm_is_among_what_is_signed() -> None:
    unreadable(made(entry(dsc()), header={1: ...}, unprotected={1: -7}))


def test_a_list_under_another_ones_signature_is_refused() -> None:
    good, other = made(entry(dsc())), made(entry(OTHER))
    not_authentic({"list": other["list"], "signature": good["signature"]})
    not_authentic({"list": good["list"] + b"\0", "signature": good["signature"]})
    not_authentic(made(entry(dsc()), claims={2: ...}))
    not_authentic(made(entry(dsc()), claims={2: "text"}))


def test_no_byte_can_be_changed() -> None:
    good = made(entry(dsc()))
    for name, data in good.items():
        for position in range(len(data)):
            bad = bytearray(data)
            bad[position] ^= 1 << position % 8
            with pytest.raises(TrustError) as caught:
                load(good | {name: bytes(bad)})
            assert caught.value.code in (Code.TRUST_LIST_NOT_AUTHENTIC, Code.TRUST_LIST_UNREADABLE)


def test_a_list_from_the_future_is_refused_but_for_the_skew_of_clocks() -> None:
    load(made(entry(dsc()), claims={5: SECONDS + 300}))
    not_authentic(made(entry(dsc()), claims={5: SECONDS + 301}))


def test_the_end_is_told_and_judged_by_others() -> None:
    found = load(made(entry(dsc()), claims={4: SECONDS - 3600}))
    assert found.expires_at == NOW - timedelta(hours=1)


@pytest.mark.parametrize("label", [4, 5])
@pytest.mark.parametrize("value", [..., None, "1", 1.5, True, 10**12, -(10**18), 2**63, []])
def test_both_times_must_be_there(label: int, value: Any) -> None:
    unreadable(made(entry(dsc()), claims={label: value}))


@pytest.mark.parametrize(
    "parts",
    [
        {},
        {"list": made()["list"]},
        {"signature": made()["signature"]},
        {"list": b"", "signature": b""},
        made() | {"signature": made()["signature"] + b"\0"},
        signed(b""),
        signed(b"\xff"),
        signed(cbor2.dumps([])),
        signed(cbor2.dumps({"c": 1})),
        signed(cbor2.dumps({"d": []})),
        signed(cbor2.dumps({"c": {}})),
        signed(b"\xa1\x61c" + b"\x81" * 5000 + b"\x80"),
        signed(cbor2.dumps({"c": []}) + b"\0"),
        signed(b"\xa2\x61c\x80\x61c\x80"),
        made(claims=b""),
        made(claims=b"\xa1"),
    ],
)
def test_what_is_no_list_is_refused(parts: dict[str, bytes]) -> None:
    unreadable(parts)


def test_claims_that_are_no_map_are_refused() -> None:
    not_authentic(made(claims=cbor2.dumps([1])))


def test_one_bad_entry_is_skipped() -> None:
    der, kid = dsc().certificate_der(), OTHER.signer().kid
    assert skipped(
        {"i": kid, "c": der},
        {"c": der},
        {"i": "text", "c": der},
        {"i": kid, "c": b""},
        {"i": kid, "c": "text"},
        {"i": kid},
        7,
    ) == [
        "entry 1: its kid is not that of its certificate",
        "entry 2: no kid in it",
        "entry 3: no kid in it",
        "entry 4: not a readable X.509 certificate",
        "entry 5: neither certificate nor public key in it",
        "entry 6: neither certificate nor public key in it",
        "entry 7: no kid in it",
    ]


def test_bare_keys_come_with_who_they_belong_to() -> None:
    found = load(made(bare(dsc(), su={"C": "FR"}, nb=SECONDS, na=SECONDS + 60), bare(OTHER, **{"is": {"C": "AT"}})))
    first, second = found.keys
    assert (first.kid, first.spki, first.country) == (dsc().signer().kid, spki_of(dsc()), "FR")
    assert (first.not_before, first.not_after) == (NOW, NOW + timedelta(minutes=1))
    assert (second.country, second.not_before, second.not_after) == ("AT", None, None)
    assert (second.certificate, second.usages, second.domain) == (None, None, "DCC")


def test_dates_that_stand_for_none_are_none() -> None:
    """verify-ehc writes the first second of 1970 and the last of 9999."""
    (key,) = load(made(bare(dsc(), nb=0, na=253402300799))).keys
    assert (key.not_before, key.not_after) == (None, None)
    (key,) = load(made(bare(dsc(), nb=1, na=253402300798))).keys
    assert key.not_before == datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)
    assert key.not_after is not None


@pytest.mark.parametrize("names", [{"C": "fr"}, {"C": "FRA"}, {"C": 1}, {"C": "ÉÀ"}, {}, "FR", None])
def test_what_is_no_country_is_left_out(names: Any) -> None:
    (key,) = load(made(bare(dsc(), su=names))).keys
    assert key.country is None


def test_bad_bare_keys_are_skipped() -> None:
    assert skipped(
        bare(OTHER, i=b"short"),
        bare(OTHER, k=b"no key"),
        bare(OTHER, nb="1"),
        bare(OTHER, na=10**18),
        bare(OTHER, nb=None),
        bare(OTHER, nb=False),
    ) == [
        "entry 1: its kid is not of 8 bytes",
        "entry 2: the public key cannot be read",
        "entry 3: a date in it is wrong",
        "entry 4: a date in it is wrong",
        "entry 5: a date in it is wrong",
        "entry 6: a date in it is wrong",
    ]


def test_keys_of_one_kid_are_all_kept() -> None:
    kid = dsc().signer().kid
    found = load(made(entry(dsc()), bare(OTHER, i=kid)))
    assert [key.kid for key in found.keys] == [kid, kid]


def test_more_entries_than_are_taken_are_refused() -> None:
    parts = made(entry(dsc()), entry(OTHER))
    with pytest.raises(TrustError) as caught:
        SOURCE.load(parts, context(limits=Limits(trust_entries=1)))
    assert caught.value.code == Code.INPUT_TOO_LONG
    SOURCE.load(parts, context(limits=Limits(trust_entries=2)))


# --- the object that holds both ---


def wrapped(parts: Mapping[str, bytes], **changes: Any) -> bytes:
    members = {"trustListContent": b64(parts["list"]), "trustListSignature": b64(parts["signature"]), "timeStamp": "x"}
    return json.dumps({"trustList": members | changes, "valueSets": {}}).encode()


def test_both_may_be_in_one_json_object() -> None:
    parts = made(entry(dsc()))
    assert load({"list": wrapped(parts)}) == load(parts)
    # With a signature beside it, the list is what it says that it is.
    not_authentic({"list": wrapped(parts), "signature": parts["signature"]})


@pytest.mark.parametrize(
    "change",
    [
        {"trustListContent": None},
        {"trustListContent": ""},
        {"trustListSignature": 1},
        {"trustListSignature": "!"},
        {"trustListSignature": b64(made()["signature"]) + "\n"},
        {"trustListSignature": base64.b64encode(made()["signature"]).rstrip(b"=").decode() + "====="},
    ],
)
def test_an_object_without_them_is_refused(change: dict[str, Any]) -> None:
    unreadable({"list": wrapped(made(), **change)})


@pytest.mark.parametrize(
    "data", [b"{", b"{}", b'{"trustList":1}', b'{"trustList":{},"trustList":{}}', b'{"trustList":null}']
)
def test_an_object_of_another_kind_is_refused(data: bytes) -> None:
    unreadable({"list": data})


# --- fetching ---

URL = "https://lists.example/trustlist"
GOOD = made(entry(dsc()))
ETAGS = {URL: '"1"', URL + "sig": '"2"'}


def answers(content: Response, signature: Response, at: str = URL + "sig") -> FakeFetcher:
    return FakeFetcher({URL: content, at: signature})


def test_both_files_are_fetched() -> None:
    content = Response(200, GOOD["list"], {"etag": '"1"'})
    fetcher = answers(content, Response(200, GOOD["signature"], {"etag": '"2"'}))
    found = SOURCE.fetch(fetcher, URL, Known(), context())
    assert found is not None
    assert (found.parts, found.validators, found.whole) == (GOOD, ETAGS, True)
    assert fetcher.urls == [URL, URL + "sig"]

    elsewhere = "https://lists.example/elsewhere"
    fetcher = answers(content, Response(200, GOOD["signature"]), elsewhere)
    assert SOURCE.fetch(fetcher, URL, Known(), context(options={"signature": elsewhere})) is not None


def test_what_has_not_changed_is_what_is_known() -> None:
    known = Known(GOOD, NOW, NOW, ETAGS)
    fetcher = answers(Response(304), Response(304))
    assert SOURCE.fetch(fetcher, URL, known, context()) is None
    assert [headers["If-None-Match"] for _, headers in fetcher.asked] == ['"1"', '"2"']
    found = SOURCE.fetch(answers(Response(304), Response(200, b"new")), URL, known, context())
    assert found is not None
    assert found.parts == {"list": GOOD["list"], "signature": b"new"}
    found = SOURCE.fetch(answers(Response(200, b"new"), Response(304)), URL, known, context())
    assert found is not None
    assert found.parts == {"list": b"new", "signature": GOOD["signature"]}


def test_a_server_that_was_not_asked_whether_anything_changed() -> None:
    with pytest.raises(TrustError) as caught:
        SOURCE.fetch(answers(Response(304), Response(200, b"new")), URL, Known(), context())
    assert caught.value.code == Code.TRUST_LIST_UNREADABLE


def test_an_object_that_holds_both_is_taken_apart() -> None:
    """What else is in it may change without the list, which a store must not take for another list."""
    fetcher = FakeFetcher({URL: Response(200, wrapped(GOOD), {"etag": '"1"'})})
    found = SOURCE.fetch(fetcher, URL, Known(), context())
    assert found is not None
    assert (found.parts, found.validators) == (GOOD, {})


# --- whatever comes ---

many = settings(derandomize=True, deadline=None, max_examples=100)


def survives(parts: Mapping[str, bytes]) -> None:
    with suppress(HealthCertError):
        load(parts)


@many
@given(
    st.dictionaries(
        st.sampled_from(["list", "signature"]), st.binary(max_size=80) | st.sampled_from(list(GOOD.values()))
    )
)
def test_nothing_else_escapes_from_arbitrary_parts(parts: dict[str, bytes]) -> None:
    survives(parts)


@many
@given(st.binary(max_size=60), st.binary(max_size=60), st.sampled_from(["list", "signature"]))
def test_nothing_else_escapes_from_mutated_parts(head: bytes, tail: bytes, name: str) -> None:
    survives(GOOD | {name: head + GOOD[name][len(head) :] + tail})


ENTRIES = st.lists(
    WEIRD
    | st.fixed_dictionaries(
        {"i": WEIRD | st.just(dsc().signer().kid) | st.binary(min_size=8, max_size=8)},
        optional={
            "c": WEIRD | st.binary() | st.just(dsc().certificate_der()),
            "k": WEIRD | st.binary() | st.just(spki_of(dsc())),
            "nb": WEIRD,
            "na": WEIRD,
            "su": WEIRD | st.dictionaries(st.just("C"), WEIRD),
            "is": WEIRD,
        },
    ),
    max_size=4,
)


@many
@given(
    ENTRIES,
    st.dictionaries(st.sampled_from([1, 4, 42, 2]), WEIRD, max_size=2),
    st.dictionaries(st.sampled_from([2, 4, 5]), WEIRD),
)
def test_nothing_else_escapes_from_what_is_signed(
    entries: list[Any], header: dict[int, Any], claims: dict[int, Any]
) -> None:
    try:
        content = cbor2.dumps({"c": entries})
        parts = signed(content, header=header, claims=claims)
    except (UnicodeEncodeError, cbor2.CBOREncodeError):
        return
    survives(parts)
    survives(signed(content))
