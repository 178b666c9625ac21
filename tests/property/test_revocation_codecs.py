"""The codecs of revocation lists under generated input, against implementations that are too simple to be wrong."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from healthcert.encoding.algorithms import Algorithm
from healthcert.errors import Code, RevocationError, Step
from healthcert.revocation import bloom, identifiers, varhash
from healthcert.revocation.bloom import BloomFilter
from healthcert.revocation.coordinates import Mode, place
from healthcert.revocation.identifiers import IdentifierType
from healthcert.revocation.varhash import VariableHashList

many = settings(derandomize=True, deadline=None, max_examples=200)
few = settings(many, max_examples=100)

hashes = st.binary(min_size=16, max_size=16) | st.builds(
    lambda head, tail: (head + tail)[:16],
    st.sampled_from((b"\xff", b"\xff" * 3, b"\xff\x80", b"\0\0")),
    st.binary(min_size=16, max_size=16),
)
elements = st.lists(hashes, max_size=20)
probabilities = st.floats(1e-12, 0.5)
surroundings = st.binary(max_size=40)


def outcome(compute: Callable[..., Any], *args: Any) -> Any:
    """What ``compute`` returns, or None when it refuses as it may; any other exception is the failure of the test."""
    try:
        return compute(*args)
    except RevocationError as error:
        found = error
    assert (found.code, found.step) == (Code.REVOCATION_LIST_UNREADABLE, Step.REVOCATION)
    return None


# --- Bloom filters ---


def naive_bloom(data: bytes, element: bytes) -> bool:
    """The bits as a text of zeros and ones."""
    rounds, bits = data[2], "".join(f"{octet:08b}" for octet in data[20:])
    for number in range(rounds):
        digest = int.from_bytes(hashlib.sha256(element + bytes([number])).digest(), "big")
        if digest >> 255:
            digest -= 1 << 256
        if bits[digest % len(bits)] == "0":
            return False
    return True


filter_files = st.builds(
    lambda version, k, function, p, n, inserted, w, words, excess: (
        struct.pack(">hbBfiii", version, k, function, p, n, inserted, w) + (words * w)[: 4 * max(w, 0)] + excess
    ),
    st.sampled_from((1, 1, 1, 2)),
    st.integers(1, 127) | st.integers(-128, 0),
    st.sampled_from((0, 0, 0, 1)),
    st.floats(0, 1, width=32) | st.floats(width=32),
    st.integers(0, 2**31 - 1) | st.integers(-(2**31), -1),
    st.integers(0, 2**31 - 1) | st.integers(-(2**31), -1),
    st.integers(-1, 8),
    st.binary(min_size=4, max_size=4),
    st.sampled_from((b"", b"", b"", b"x")),
)


@few
@given(st.integers(1, 50), probabilities, elements, elements, surroundings)
def test_filter_knows_all_that_was_added_and_agrees_with_the_simple_one(
    n: int, p: float, added: list[bytes], others: list[bytes], around: bytes
) -> None:
    made = BloomFilter.create(n, p)
    for element in added:
        made.add(element)
    data = made.to_bytes()
    found = BloomFilter.parse(data)
    assert found.to_bytes() == data
    assert found.header.inserted == len(added)
    buffer, header = around + data + around, found.header
    for element in added + others:
        known = naive_bloom(data, element)
        assert known or element not in added
        assert (element in made) is (element in found) is known
        assert bloom.contains(buffer, len(around), header.rounds, header.words, element) is known
    filled = sum(octet.bit_count() for octet in data[20:])
    share = (filled / (8 * len(data[20:]))) ** header.rounds
    assert made.odds == found.odds == bloom.measure(buffer, len(around), len(data)) == share


@many
@given(st.binary(max_size=60) | filter_files, hashes)
def test_any_bytes_are_a_filter_or_are_refused(data: bytes, element: bytes) -> None:
    found = outcome(BloomFilter.parse, data)
    assert (found is None) is (outcome(bloom.measure, data, 0, len(data)) is None)
    if found is not None:
        assert found.to_bytes() == data
        assert (element in found) is naive_bloom(data, element)
        assert 0 <= found.odds <= 1


# --- Lists of shortened hashes ---


def naive_list(data: bytes, element: bytes) -> tuple[bool, bool]:
    """Whether an entry fits as it is, and whether one does as the reference writes it."""
    size = data[10]
    entries = [data[start : start + size] for start in range(11, len(data), size)]
    prefix = element[:size]
    number = int.from_bytes(prefix, "big", signed=True)
    shortest = next(n for n in range(1, size + 1) if -(1 << 8 * n - 1) <= number < 1 << 8 * n - 1)
    legacy = number.to_bytes(shortest, "big", signed=True).rjust(size, b"\0")
    return prefix in entries, legacy in entries


list_files = st.builds(
    lambda version, p, n, s, entries, excess: struct.pack(">hfib", version, p, n, s) + entries * max(s, 0) + excess,
    st.sampled_from((1, 1, 1, 2)),
    st.floats(0, 1, width=32) | st.floats(width=32),
    st.integers(0, 2**31 - 1) | st.integers(-(2**31), -1),
    st.integers(1, 16) | st.integers(-128, 127),
    st.binary(max_size=10),
    st.sampled_from((b"", b"", b"", b"x")),
)


def check_list(data: bytes, element: bytes, around: bytes) -> None:
    found = varhash.find(around + data + around, len(around), len(data), element)
    whole, legacy = naive_list(data, element)
    assert (found is not None) is (element in VariableHashList.parse(data)) is (whole or legacy)
    if found is not None:
        assert found.legacy is not whole
        assert (found.count, found.size) == ((len(data) - 11) // data[10], data[10])


@few
@given(
    st.integers(1, 10**6), st.sampled_from(Mode), probabilities, st.integers(1, 16), elements, elements, surroundings
)
def test_list_has_all_that_was_added_and_agrees_with_the_simple_one(
    count: int, mode: Mode, p: float, minimum: int, added: list[bytes], others: list[bytes], around: bytes
) -> None:
    made = VariableHashList.create(count, mode, p, minimum)
    assert minimum <= made.size <= 16
    for element in added:
        made.add(element)
    data = made.to_bytes()
    entries = [data[start : start + made.size] for start in range(11, len(data), made.size)]
    assert entries == sorted({element[: made.size] for element in added})
    assert len(made) == len(entries)
    assert VariableHashList.parse(data).to_bytes() == data
    for element in added + others:
        assert element not in added or element in made
        check_list(data, element, around)
        assert (element in made) is (element in VariableHashList.parse(data))


@few
@given(st.integers(2, 8), elements, hashes, st.randoms(use_true_random=False))
def test_order_of_entries_does_not_matter(size: int, listed: list[bytes], element: bytes, random: Any) -> None:
    head = struct.pack(">hfib", 1, 0.5, 1, size)
    entries = [entry[:size] for entry in listed]
    random.shuffle(entries)
    data = head + b"".join(entries)
    assert VariableHashList.parse(data).to_bytes() == head + b"".join(sorted(set(entries)))
    for candidate in (*listed, element):
        check_list(data, candidate, b"")


@many
@given(st.binary(max_size=60) | list_files, hashes, surroundings)
def test_any_bytes_are_a_list_or_are_refused(data: bytes, element: bytes, around: bytes) -> None:
    found = outcome(VariableHashList.parse, data)
    assert (found is None) is (outcome(varhash.read_header, data, 0, len(data)) is None)
    if found is None:
        assert outcome(varhash.find, data, 0, len(data), element) is None
    else:
        check_list(data, element, around)


@few
@given(st.integers(0, 10**9), st.integers(1, 16), st.sampled_from(Mode))
def test_odds_are_odds(count: int, size: int, mode: Mode) -> None:
    assert 0 <= varhash.odds(count, size, mode.digits) <= 1


# --- Coordinates ---


@few
@given(hashes, st.sampled_from(Mode))
def test_names_of_partition_and_chunk_are_the_digits_in_front(found: bytes, mode: Mode) -> None:
    partition, chunk = place(found, mode)
    assert len(chunk) == 1
    assert found.hex().startswith((partition or "") + chunk)
    assert len((partition or "") + chunk) == mode.digits
    assert partition != ""


# --- Identifiers ---


@many
@given(
    st.binary(max_size=140) | st.binary(min_size=64, max_size=64),
    st.sampled_from(Algorithm),
    st.lists(st.tuples(st.text(max_size=10), st.none() | st.text(max_size=3)), max_size=3),
    st.none() | st.text(max_size=3),
)
def test_keys_of_anything_have_their_width(
    signature: bytes, algorithm: Algorithm, entries: list[tuple[str, str | None]], issuer: str | None
) -> None:
    for kind in IdentifierType:
        found = outcome(_keys_of, signature, algorithm, entries, issuer, kind)
        for key in found.get(kind, ()) if found else ():
            assert len(key) == kind.width


def _keys_of(
    signature: bytes,
    algorithm: Algorithm,
    entries: list[tuple[str, str | None]],
    issuer: str | None,
    kind: IdentifierType,
) -> dict[IdentifierType, tuple[bytes, ...]]:
    return identifiers.hcert_identifiers(
        signature=signature, algorithm=algorithm, entries=entries, issuer=issuer, types={kind}
    )


@many
@given(st.text(max_size=30) | st.text("abcXYZ019-_", max_size=30))
def test_rid_is_read_back_from_its_key_or_refused(rid: str) -> None:
    key = outcome(identifiers.rid_key, rid)
    allowed = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")
    assert (key is not None) is (1 <= len(rid) <= 24 and set(rid) <= allowed)
    if key is not None:
        assert key.rstrip(b"\0").decode("ascii") == rid
