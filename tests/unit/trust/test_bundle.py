"""A store in one signed file: what goes in, what comes out, and what is refused of altered and hostile ones."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from functools import cache
from typing import Any

import cbor2
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

import healthcert as hc
from healthcert.encoding import cose
from healthcert.issue.pki import KeyKind, KeyPair, new_dsc
from healthcert.lists.x509 import kid_of
from healthcert.publish.bundle import export_bundle
from healthcert.trust.sources.bundle import CONTENT_TYPE, Bundle, BundledKey, Payload
from healthcert.trust.sources.protocol import Context, TrustList
from tests.support import DAY, NOW, dsc
from tests.unit.trust.lists import HOUR, anchor, authority, dscs, feed, numbered, signer_of_lists, unnumbered, unsigned

CLOCK = hc.FixedClock(NOW)
ORIGIN = hc.Provenance("de", hc.Assurance.SIGNED_LIST, NOW - HOUR, NOW + DAY)


@cache
def other_signer() -> KeyPair:
    return new_dsc(authority("AT"), "Another signer", now=NOW - 90 * DAY)


def filled() -> hc.TrustStore:
    """A store with a key of every kind of list."""
    store = hc.TrustStore()
    for format_, parts in (
        ("de", unnumbered(dscs(FR=2), NOW - HOUR)),
        ("at", numbered(dscs(FR=1, AT=1), NOW - HOUR)),
        ("gb", unsigned(dscs(FR=1, DE=1))),
    ):
        hc.install_list(store, feed(format_), parts, clock=hc.FixedClock(NOW - HOUR))
    store.add(hc.TrustStore.from_certificates([dsc().certificate_der()], usages=[hc.EntryType.TEST], domain="DCC"))
    return store


def export(store: hc.TrustStore | None = None, **changes: Any) -> bytes:
    signer = changes.pop("signer", signer_of_lists()).signer()
    settings: dict[str, Any] = {"now": NOW, "life": 7 * DAY} | changes
    return export_bundle(store or filled(), signer, **settings)


def load(data: bytes, *, now: datetime = NOW, **options: str) -> TrustList:
    return Bundle().load({"list": data}, Context((anchor(),), now, options=options))


def install(store: hc.TrustStore, data: bytes, at: datetime = NOW, **changes: Any) -> hc.Change:
    return hc.install_list(
        store, feed("bundle", **({"max_age": None} | changes)), {"list": data}, clock=hc.FixedClock(at)
    )


def payload(*keys: BundledKey, **changes: Any) -> dict[str, Any]:
    """The payload of a bundle as plain values, which may be anything."""
    made = Payload(
        version=1, number=1, environment=hc.Environment.PRODUCTION, issued_at=NOW, expires_at=NOW + DAY, keys=keys
    )
    values: dict[str, Any] = msgspec.to_builtins(made, builtin_types=(bytes, datetime))
    return {name: value for name, value in (values | changes).items() if value is not ...}


def bundled(number: int = 0, **changes: Any) -> BundledKey:
    (key,) = hc.TrustStore.from_certificates(dscs(FR=number + 1)[number])
    return BundledKey(**({"kid": key.kid, "spki": key.spki, "origins": (ORIGIN,)} | changes))


def signed(
    content: Any, *, protected: Mapping[Any, Any] | None = None, unprotected: Mapping[Any, Any] | None = None
) -> bytes:
    signer = signer_of_lists().signer()
    body = content if isinstance(content, bytes) else msgspec.msgpack.encode(content)
    header = cbor2.dumps({1: -7, 3: CONTENT_TYPE} if protected is None else protected)
    signature = signer.sign(cose.sig_structure(header, body))
    return cbor2.dumps(cbor2.CBORTag(18, [header, dict(unprotected or {}), body, signature]))


def test_what_was_known_is_known_where_it_arrives() -> None:
    before = filled()
    data = export(before, assurances=tuple(hc.Assurance))
    found = load(data)
    assert found.skipped == ()
    assert (found.issued_at, found.expires_at, found.counter) == (NOW, NOW + 7 * DAY, int(NOW.timestamp()))
    assert found.signed == hashlib.sha256(cose.decode_sign1(data, max_depth=8).payload).digest()
    after = {key.kid: key for key in found.keys}
    assert after.keys() == {key.kid for key in before}
    for key in before:
        same = after[key.kid]
        for name in (
            "spki",
            "country",
            "usages",
            "not_before",
            "not_after",
            "certificate",
            "domain",
            "issuer",
            "chain",
        ):
            assert getattr(same, name) == getattr(key, name)
        known, is_known = ({(p.assurance, p.fetched_at, p.expires_at) for p in one.provenance} for one in (key, same))
        assert is_known == known


def test_a_key_is_as_sure_there_as_it_was_here_and_no_younger() -> None:
    store = hc.TrustStore()
    install(store, export(life=30 * DAY))
    (twice,) = store.candidates(kid_of(dscs(FR=1)[0]))
    assert {(p.source, p.assurance) for p in twice.provenance} == {
        ("bundle/de", "signed_list"),
        ("bundle/at", "signed_list"),
    }
    # As old as the list was, for as long as that stood: not from the day of the bundle, nor until its end.
    assert {p.fetched_at for p in twice.provenance} == {NOW - HOUR}
    assert {p.expires_at for p in twice.provenance} == {NOW - HOUR + 48 * HOUR}


def test_a_key_ends_with_the_bundle_where_that_comes_first() -> None:
    store = hc.TrustStore()
    install(store, export(life=HOUR))
    assert {p.expires_at for key in store for p in key.provenance} == {NOW + HOUR}


def test_what_only_a_server_vouched_for_stays_behind() -> None:
    british = kid_of(dscs(DE=1)[0])
    assert british not in {key.kid for key in load(export()).keys}
    asked = load(export(assurances=[hc.Assurance.TLS_ONLY]))
    assert british in {key.kid for key in asked.keys}
    assert {p.assurance for key in asked.keys for p in key.provenance} == {hc.Assurance.TLS_ONLY}
    store = hc.TrustStore()
    hc.install_list(store, feed("gb"), unsigned(dscs(FR=1)), clock=CLOCK)
    with pytest.raises(hc.IssueError, match="PUBLISHING_REFUSED"):
        export(store)


def test_two_keys_of_one_kid_stay_two() -> None:
    one, two = bundled(0), bundled(1)
    found = load(signed(payload(one, replace(two, kid=one.kid))))
    assert [(key.kid, key.spki) for key in found.keys] == [(one.kid, one.spki), (one.kid, two.spki)]


def test_a_bundle_of_a_signer_that_is_not_pinned() -> None:
    with pytest.raises(hc.TrustError, match="TRUST_LIST_NOT_AUTHENTIC"):
        load(export(signer=other_signer()))
    with pytest.raises(hc.TrustError, match="TRUST_ANCHOR_MISSING"):
        Bundle().load({"list": export()}, Context((), NOW))


def test_a_bundle_may_be_signed_with_rsa() -> None:
    rsa = new_dsc(authority("AT"), "RSA", now=NOW - 90 * DAY, kind=KeyKind.RSA_3072)
    found = Bundle().load({"list": export(signer=rsa)}, Context((anchor(rsa),), NOW))
    assert len(found.keys) == 4


def test_no_byte_can_be_changed() -> None:
    data = signed(payload(bundled()))
    assert len(load(data).keys) == 1
    for place in range(len(data)):
        for flip in (1, 0x80):
            changed = data[:place] + bytes((data[place] ^ flip,)) + data[place + 1 :]
            with pytest.raises(hc.TrustError) as caught:
                load(changed)
            assert caught.value.code in ("TRUST_LIST_NOT_AUTHENTIC", "TRUST_LIST_UNREADABLE")
    for wrong in (b"", data[:-1], data + b"\0", b"\xff" * 100):
        with pytest.raises(hc.TrustError, match="TRUST_LIST_UNREADABLE"):
            load(wrong)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (lambda: signed(payload(bundled()), protected={1: -7}), "TRUST_LIST_UNREADABLE"),
        (lambda: signed(payload(bundled()), protected={1: -7, 3: "application/cbor"}), "TRUST_LIST_UNREADABLE"),
        (lambda: signed(payload(bundled()), unprotected={4: b"12345678"}), "TRUST_LIST_UNREADABLE"),
        (lambda: signed(payload(bundled()), protected={3: CONTENT_TYPE}), "TRUST_LIST_NOT_AUTHENTIC"),
        (lambda: signed(payload(bundled()), protected={1: -8, 3: CONTENT_TYPE}), "TRUST_LIST_NOT_AUTHENTIC"),
        (lambda: signed(payload(bundled(), version=2)), "TRUST_LIST_UNREADABLE"),
        (lambda: signed(payload(bundled(), environment="moon")), "TRUST_LIST_UNREADABLE"),
        (lambda: signed(payload(bundled(), number="1")), "TRUST_LIST_UNREADABLE"),
        (lambda: signed(payload(bundled(), expires_at=...)), "TRUST_LIST_UNREADABLE"),
        (lambda: signed(payload(bundled(), new=1)), "TRUST_LIST_UNREADABLE"),
        (lambda: signed(payload(bundled(), expires_at="2021-08-20T10:00:00")), "TRUST_LIST_UNREADABLE"),
        (lambda: signed(payload(bundled(), issued_at="0001-01-01T00:00:00+14:00")), "TRUST_LIST_UNREADABLE"),
        (lambda: signed(payload(bundled(), expires_at="9999-12-31T23:59:59-14:00")), "TRUST_LIST_UNREADABLE"),
        (lambda: signed(payload(keys=[1])), "TRUST_LIST_UNREADABLE"),
        (lambda: signed(b""), "TRUST_LIST_UNREADABLE"),
        (lambda: signed(b"\x91" * 5000), "TRUST_LIST_UNREADABLE"),
        (lambda: signed(payload()), "TRUST_LIST_UNREADABLE"),
    ],
)
def test_what_a_signer_ought_not_to_have_signed(data: Any, code: str) -> None:
    with pytest.raises(hc.TrustError) as caught:
        install(hc.TrustStore(), data())
    assert caught.value.code == code


FAR: Any = "0001-01-01T00:00:00+14:00"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"spki": b"\x30\x00"}, "the public key cannot be read"),
        ({"origins": ()}, "no list that it was on"),
        ({"certificate": b"not its certificate"}, "not a readable X.509 certificate"),
        ({"certificate": dscs(AT=1)[0]}, "its certificate is another key's"),
        ({"not_before": datetime(2021, 1, 1)}, "without a time zone"),  # noqa: DTZ001
        ({"not_after": FAR}, "beyond all calendars"),
        ({"origins": (replace(ORIGIN, expires_at=FAR),)}, "beyond all calendars"),
        ({"origins": (ORIGIN, replace(ORIGIN, fetched_at=datetime(2021, 1, 1)))}, "without a time zone"),  # noqa: DTZ001
    ],
)
def test_one_bad_key_does_not_harm_the_others(changes: dict[str, Any], why: str) -> None:
    store = hc.TrustStore()
    change = install(store, signed(payload(bundled(0), bundled(1, **changes), bundled(2))))
    assert [entry.source for entry in change.skipped] == ["key 2"]
    assert why in change.skipped[0].error.detail
    assert len(list(store)) == 2


def test_times_of_other_zones_become_utc() -> None:
    elsewhere = timezone(timedelta(hours=5))
    (key,) = load(signed(payload(bundled(not_after=NOW.astimezone(elsewhere))))).keys
    assert (key.not_after, key.not_after and key.not_after.tzinfo) == (NOW, UTC)


def test_a_bundle_stays_in_its_environment() -> None:
    data = signed(payload(bundled(), environment="test"))
    with pytest.raises(hc.TrustError, match="the bundle is for test"):
        install(hc.TrustStore(), data)
    store = hc.TrustStore()
    install(store, data, environment=hc.Environment.TEST)
    assert store.environment == "test"
    # What comes out of it goes no further either.
    assert msgspec.msgpack.decode(cbor2.loads(export(store)).value[2])["environment"] == "test"


def test_too_many_keys() -> None:
    few = replace(hc.Limits(), trust_entries=1)
    data = signed(payload(bundled(0), bundled(1)))
    with pytest.raises(hc.TrustError, match="INPUT_TOO_LONG"):
        Bundle().load({"list": data}, Context((anchor(),), NOW, few))


def test_an_older_bundle_and_a_second_of_one_number_are_refused() -> None:
    store, source = hc.TrustStore(), filled()
    install(store, export(source, number=7))
    with pytest.raises(hc.TrustError, match="TRUST_LIST_ROLLED_BACK"):
        install(store, export(source, number=6))
    with pytest.raises(hc.TrustError, match="TRUST_LIST_EQUIVOCATES"):
        install(store, export(source, number=7, life=DAY))
    assert install(store, export(source, number=8)).unchanged
    with pytest.raises(hc.TrustError, match="TRUST_LIST_EXPIRED"):
        install(store, export(source, number=9), at=NOW + 8 * DAY)


def test_a_huge_number_harms_nothing() -> None:
    store = hc.TrustStore()
    install(store, signed(payload(bundled(), number=2**64 - 1)))
    with pytest.raises(hc.TrustError):
        install(store, signed(payload(bundled(), number=2**63)))


_VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**63), 2**64 - 1), st.floats(), st.text(max_size=9))
    | st.binary(max_size=9)
    | st.datetimes(timezones=st.just(UTC))
    | st.sampled_from(["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "2021-08-20T10:00:00Z", "de", "DCC"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=8,
)
_FIELDS = ("version", "number", "environment", "issued_at", "expires_at", "keys")
_KEY_FIELDS = BundledKey.__struct_fields__


def _changed_key(changes: dict[str, Any]) -> bytes:
    return signed(payload(keys=[payload(bundled())["keys"][0] | changes]))


@settings(max_examples=100)
@given(
    st.one_of(
        st.binary(max_size=100),
        st.dictionaries(st.sampled_from(_FIELDS), _VALUES, max_size=3).map(lambda one: signed(payload(**one))),
        st.dictionaries(st.sampled_from(_KEY_FIELDS), _VALUES, max_size=3).map(_changed_key),
        st.binary(max_size=50).map(signed),
    )
)
def test_nothing_else_is_raised(data: bytes) -> None:
    store = hc.TrustStore()
    try:
        load(data)
        install(store, data)
    except hc.HealthCertError:
        return
    for key in store:
        assert store.known(key.kid)
