"""Germany's list: a signature line over JSON."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import healthcert as hc
from healthcert.errors import HealthCertError
from healthcert.trust.sources.de import German
from healthcert.trust.sources.protocol import Context, TrustList
from tests.support import DAY, NOW
from tests.unit.trust.lists import anchor, authority, dscs, signer_of_lists, unnumbered

CONTEXT = Context((anchor(),), NOW)
LIST = unnumbered(dscs(FR=2, AT=1), NOW)["list"]


def load(data: bytes, context: Context = CONTEXT) -> TrustList:
    return German().load({"list": data}, context)


def refusal(data: bytes, context: Context = CONTEXT) -> str:
    with pytest.raises(hc.TrustError) as caught:
        load(data, context)
    return caught.value.code


def signed(body: bytes) -> bytes:
    return base64.b64encode(signer_of_lists().signer().sign(body)) + b"\n" + body


def with_item(**changes: Any) -> bytes:
    """The list with its first item changed, and signed anew."""
    document = json.loads(LIST.split(b"\n", 1)[1])
    document["certificates"][0] |= changes
    return signed(json.dumps(document).encode())


def test_every_key_is_for_eu_dccs_and_known_by_a_signed_list() -> None:
    found = load(LIST)
    assert (len(found.keys), found.skipped, found.assurance) == (3, (), hc.Assurance.SIGNED_LIST)
    assert {key.domain for key in found.keys} == {"DCC"}
    assert sorted(key.country or "" for key in found.keys) == ["AT", "FR", "FR"]
    assert found.signer == anchor()
    assert (found.counter, found.issued_at) == (None, NOW)


def test_a_flipped_bit_anywhere_refuses_the_list() -> None:
    for position in range(0, len(LIST), 7):
        for bit in (0, 6):
            changed = bytearray(LIST)
            changed[position] ^= 1 << bit
            assert refusal(bytes(changed)) in ("TRUST_LIST_NOT_AUTHENTIC", "TRUST_LIST_UNREADABLE")


def test_the_signature_has_one_spelling() -> None:
    line, body = LIST.split(b"\n", 1)
    assert line.endswith(b"==")
    other = line[:-3] + bytes([line[-3] + 1]) + b"=="
    assert base64.b64decode(other) == base64.b64decode(line)
    for spelling in (other, b" " + line, line + b" ", line[:-2]):
        assert refusal(spelling + b"\n" + body) == "TRUST_LIST_UNREADABLE"
    assert load(line + b"\r\n" + body).keys, "but its line may end as lines do elsewhere"


def test_white_space_around_the_json_is_as_the_app_has_it() -> None:
    line, body = LIST.split(b"\n", 1)
    assert load(line + b"\n" + body + b"\n").keys


@pytest.mark.parametrize(
    "data",
    [b"", b"\n", b"AAAA\n", LIST.split(b"\n", 1)[1], LIST.split(b"\n", 1)[0]],
    ids=["empty", "a line", "a short line", "no signature", "the signature alone"],
)
def test_what_is_no_such_list(data: bytes) -> None:
    assert refusal(data) in ("TRUST_LIST_UNREADABLE", "TRUST_LIST_NOT_AUTHENTIC")


@pytest.mark.parametrize("body", [b"[]", b"{}", b'{"certificates": {}}', b'{"certificates": [], "certificates": []}'])
def test_signed_nonsense_is_unreadable(body: bytes) -> None:
    assert refusal(signed(body)) == "TRUST_LIST_UNREADABLE"


def test_another_s_list_is_refused() -> None:
    assert refusal(LIST, Context((anchor(authority("FR")),), NOW)) == "TRUST_LIST_NOT_AUTHENTIC"
    assert load(LIST, Context((anchor(authority("FR")), anchor()), NOW)).keys, "one of several anchors suffices"


def test_without_an_anchor_nothing_is_believed() -> None:
    assert refusal(LIST, Context((), NOW)) == "TRUST_ANCHOR_MISSING"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"kid": "AAAAAAAAAAA="}, "its kid is not that of its certificate"),
        ({"kid": None}, "its kid is not that of its certificate"),
        ({"country": "DE"}, "its country is not that of its certificate"),
        ({"certificateType": "CSCA"}, "of type CSCA, which signs no health certificates"),
        ({"rawData": "!"}, "neither DER nor base64"),
        ({"rawData": "MAA="}, "not a readable X.509 certificate"),
        ({"rawData": None}, "no certificate in it"),
    ],
)
def test_one_bad_entry_is_skipped(changes: dict[str, Any], reason: str) -> None:
    found = load(with_item(**changes))
    assert len(found.keys) == 2
    (skipped,) = found.skipped
    assert (skipped.source, skipped.error.detail) == ("entry 1", reason)


def test_too_many_entries_are_refused_before_they_are_read() -> None:
    limits = hc.Limits(trust_entries=2)
    assert refusal(LIST, Context((anchor(),), NOW, limits)) == "INPUT_TOO_LONG"


@pytest.mark.parametrize("timestamp", ["yesterday", None, 7, "0001-01-01T00:00:00+14:00"])
def test_a_timestamp_that_is_none_is_passed_over(timestamp: Any) -> None:
    assert load(with_item(timestamp=timestamp)).issued_at == NOW


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["rawData", "kid", "x"]), inner),
        max_leaves=12,
    )
)
def test_no_other_exception_escapes(items: Any) -> None:
    for body in (json.dumps({"certificates": items}), json.dumps({"certificates": [items]}), json.dumps(items)):
        with suppress(HealthCertError):
            load(signed(body.encode("utf-8", "replace")))


def test_a_moment_without_a_zone_is_in_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Pacific/Kiritimati")
    time.tzset()
    try:
        body = json.dumps({"certificates": [{"timestamp": f"{NOW - DAY:%Y-%m-%dT%H:%M:%S}"}]}).encode()
        assert load(signed(body)).issued_at == NOW - DAY
    finally:
        monkeypatch.undo()
        time.tzset()


def test_a_moment_that_is_to_come_is_not_when_the_list_was_made() -> None:
    moments = [{"timestamp": (NOW + offset).isoformat()} for offset in (-DAY, -2 * DAY, DAY / 24)]
    assert load(signed(json.dumps({"certificates": moments}).encode())).issued_at == NOW - DAY


def test_what_is_signed_is_known_again_in_another_wrapping() -> None:
    line, body = LIST.split(b"\n", 1)
    digest = hashlib.sha256(body).digest()
    for data in (LIST, line + b"\r\n" + body, line + b"\n " + body + b"\n"):
        assert load(data).signed == digest
