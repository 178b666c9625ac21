"""DIVOC: what is written is read, what is not is refused, and nothing else comes out."""

from __future__ import annotations

import json
from contextlib import suppress
from copy import deepcopy
from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from healthcert.errors import DecodeError, HealthCertError, VerificationError
from healthcert.families.divoc.archive import read, unpack, write
from healthcert.families.divoc.document import signed_part
from healthcert.families.divoc.family import DIVOC
from healthcert.limits import DEFAULT_LIMITS
from healthcert.model import Scan
from tests.support_divoc import CREDENTIALS, DOCUMENT, TEST_DOCUMENT, signed, text
from tests.unit.families.test_divoc_document import form

LIMIT = DEFAULT_LIMITS.archive_bytes
NAMES = sorted(
    {*DOCUMENT, *DOCUMENT["credentialSubject"], *DOCUMENT["evidence"][0], *TEST_DOCUMENT["evidence"][0]}
    | {"sex", "expirationDate", "holder", "proof", "Person", "schema:name", "x", "", "@id", "dob", "id"}
)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-3, 200)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=6)
    | st.sampled_from(
        ["2021-06-11", "2021-06-11T04:28:43Z", "did:a:b", "did:a b", "_:b0", "x", "1", "Person", CREDENTIALS]
    )
)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner), max_leaves=8
)
SLOW = settings(max_examples=75, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@given(st.binary(max_size=2000))
def test_archives_come_back(content: bytes) -> None:
    archive = write(content)
    assert read(archive, limit=LIMIT) == content
    assert unpack(Scan.of(archive), DEFAULT_LIMITS) == (archive, content)
    assert unpack(Scan.of(archive.decode("latin-1").encode()), DEFAULT_LIMITS)[1] == content
    assert unpack(archive.decode("latin-1"), DEFAULT_LIMITS)[1] == content
    assert unpack(archive.decode("cp437"), DEFAULT_LIMITS)[1] == content


@given(st.binary(max_size=200), st.data())
def test_damaged_archives_are_refused_or_the_same(content: bytes, data: st.DataObject) -> None:
    archive = bytearray(write(content))
    for _ in range(data.draw(st.integers(1, 4))):
        archive[data.draw(st.integers(0, len(archive) - 1))] = data.draw(st.integers(0, 255))
    with suppress(DecodeError):
        assert read(bytes(archive), limit=LIMIT) == content


@given(st.binary(max_size=300) | st.binary(max_size=300).map(lambda rest: b"PK\x03\x04" + rest))
def test_noise_is_refused(data: bytes) -> None:
    for what in (Scan.of(data), data.decode("latin-1")):
        DIVOC.recognises(what)
        with suppress(DecodeError):
            unpack(what, DEFAULT_LIMITS)
            raise AssertionError("noise was an archive")


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for step, one in inner for found in places(one, (*path, step)))]


def put(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    copy = deepcopy(document)
    place = copy
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return copy


@st.composite
def changed_documents(draw: st.DrawFn) -> Any:
    document = draw(st.sampled_from([DOCUMENT, TEST_DOCUMENT]))
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(places(document)[1:]))
        parent = document
        for step in path[:-1]:
            parent = parent[step]
        if isinstance(parent, dict) and draw(st.booleans()):
            path = (*path[:-1], draw(st.sampled_from(NAMES)))
        document = put(document, path, draw(VALUES))
    return document


@given(changed_documents())
@SLOW
def test_no_other_exception_escapes(document: Any) -> None:
    with suppress(DecodeError):
        made = signed(document)
        decoded = DIVOC.decode(text(made), DEFAULT_LIMITS)
        DIVOC.check_signer(decoded)
        DIVOC.entry_types(decoded)
        with suppress(VerificationError):
            certificate, findings = DIVOC.parse(decoded, DIVOC.kinds)
            assert certificate.holder.name
            assert all(one.detail for one in findings)


@given(VALUES | st.text(max_size=30))
@SLOW
def test_no_json_is_too_much(value: Any) -> None:
    for what in (json.dumps(value), Scan.of(write(json.dumps(value).encode()))):
        with suppress(HealthCertError):
            DIVOC.recognises(what)
            DIVOC.decode(what, DEFAULT_LIMITS)
            raise AssertionError("a certificate without a proof")


@given(changed_documents())
@SLOW
def test_what_is_read_alike_is_signed_alike(document: Any) -> None:
    """A document is read as another only where its canonical form is another, or two members changed places."""
    with suppress(DecodeError):
        part = signed_part(document)
        for original in (DOCUMENT, TEST_DOCUMENT):
            if form(document) == form(original) and part.covers_person:
                before = signed_part(original)
                assert (part.issuer, part.issued, part.expires, part.test) == (
                    (before.issuer, before.issued, before.expires, before.test)
                )
                assert flat(part.person) == flat(before.person)
                assert [flat(one) for one in part.entries] == [flat(one) for one in before.entries]


def flat(value: Any) -> list[str]:
    """The values in an object, in whatever members they stand, once each."""
    return sorted(
        {str(one) for path in places(value) for one in [at(value, path)] if not isinstance(one, (dict, list))}
    )


def at(value: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        value = value[step]
    return value


@given(
    st.sampled_from(["", "credentialSubject", "address", "evidence", "verifier", "facility"]),
    st.text(max_size=12),
    VALUES,
)
@SLOW
def test_a_member_more_is_refused_or_not_read(place: str, name: str, value: Any) -> None:
    entry: tuple[Any, ...] = ("evidence", 0)
    path = {
        "": (),
        "credentialSubject": ("credentialSubject",),
        "address": ("credentialSubject", "address"),
        "evidence": entry,
        "verifier": (*entry, "verifier"),
        "facility": (*entry, "facility"),
    }[place]
    assume(name not in at(DOCUMENT, path) and name not in NAMES and name not in ("sign-image", "seal-image"))
    document = put(DOCUMENT, (*path, name), value)
    with suppress(DecodeError):
        part, before = signed_part(document), signed_part(DOCUMENT)
        assert form(document) == form(DOCUMENT)
        assert (part.person, part.entries) == (before.person, before.entries)
        assert part.findings
