"""CovPass's tree: what is found in it, what its counts and signatures guard against, and what is fetched of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from healthcert.encoding import cbor, cose
from healthcert.encoding.algorithms import Algorithm
from healthcert.errors import Code, FetchError, RevocationError
from healthcert.issue.pki import KeyPair, new_dsc
from healthcert.limits import DEFAULT_LIMITS
from healthcert.lists.anchors import load_anchors
from healthcert.revocation.answer import Standing
from healthcert.revocation.identifiers import IdentifierType, Subject
from healthcert.revocation.sources.covpass_files import open_signed, read_chunk, read_index, read_kids
from healthcert.revocation.sources.slices import TYPES
from tests.support import DAY, NOW, csca, dsc
from tests.support_slices import ANCHOR, KID, OTHER, Lists, Server, entry, key_of, refusal, standing, tree

STAMP = int(NOW.timestamp())
NAME = f"{KID.hex()}0b"
ROOT = f"{NAME}/{key_of(1).hex()[:2]}"
CHUNK = f"{ROOT}/chunk.lst"
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
SPREAD = tuple(bytes((1, second)) + bytes(13) + bytes((number,)) for second in range(3) for number in range(2))
"""Six hashes with one first byte and three second ones."""


def signed(value: Any, pair: KeyPair | None = None, protected: Any = None) -> bytes:
    """A file with this content."""
    header = cbor.encode({cose.ALG: Algorithm.ES256.value} if protected is None else protected)
    payload = value if isinstance(value, bytes) else cbor2.dumps(value)
    signature = (pair or dsc()).signer().sign(cose.sig_structure(header, payload))
    return cose.assemble_sign1(header, payload, signature)


def lists(tmp_path: Path, **options: str) -> Lists:
    return Lists(tmp_path, "covpass", ANCHOR, **options)


def divided(**changes: bytes) -> dict[str, bytes]:
    """A tree of :data:`SPREAD`, divided among second bytes; ``changes`` are files by their paths."""
    leaves = {bytes((second,)): [STAMP, 2] for second in range(3)}
    files = {
        "kid.lst": signed({KID: {b"\x0b": 6}}),
        f"{NAME}/index.lst": signed({b"\1": [STAMP, 6, leaves]}),
        **{f"{NAME}/01/{s:02x}/chunk.lst": signed([one for one in SPREAD if one[1] == s]) for s in range(3)},
    }
    return files | changes


def found(store: Lists) -> int:
    """How many of :data:`SPREAD` are found."""
    subjects = [Subject(kid=KID, country="FR", identifiers={IdentifierType.UCI: (key,)}) for key in SPREAD]
    return sum(store.store.ask(one, NOW).standing is Standing.HIT for one in subjects)


# --- What is found ---


@pytest.mark.parametrize("type_", TYPES)
def test_a_certificate_is_found_by_each_hash(tmp_path: Path, type_: IdentifierType) -> None:
    there = lists(tmp_path)
    there.install(tree(entry(1, type_)))
    assert [standing(there.store, number, type_=type_) for number in (1, 2)] == ["hit", "clear"]
    assert standing(there.store, 1, type_=type_, kid=OTHER) == "unknown"


def test_hashes_divided_among_second_bytes(tmp_path: Path) -> None:
    there = lists(tmp_path)
    assert not there.install(divided()).skipped
    assert (found(there), standing(there.store, 9)) == (6, "clear")


def test_a_first_byte_may_have_an_empty_chunk_of_its_own(tmp_path: Path) -> None:
    there = lists(tmp_path)
    assert not there.install(divided(**{f"{NAME}/01/chunk.lst": signed([])})).skipped
    assert (found(there), standing(there.store, 9)) == (6, "clear")


def test_countries_are_the_operators_choice(tmp_path: Path) -> None:
    there = lists(tmp_path, countries="FR")
    there.install(tree(entry(1)))
    assert standing(there.store, 9, kid=OTHER) == "clear"


def test_the_list_says_when_it_was_made(tmp_path: Path) -> None:
    there = lists(tmp_path)
    there.install(tree(entry(1)))
    head = there.store.state.lists["list"]
    assert (head.issued_at, head.signer) == (NOW, ANCHOR.fingerprint)


def test_countries_are_spoken_for_while_nothing_is_missing(tmp_path: Path) -> None:
    there = lists(tmp_path, countries="FR")
    there.install({name: data for name, data in tree(entry(1), entry(2, kid=OTHER)).items() if name != CHUNK})
    assert [standing(there.store, 9, kid=kid) for kid in (KID, OTHER, b"unlisted")] == ["unknown", "clear", "unknown"]


# --- What is refused ---


def other_key() -> KeyPair:
    return new_dsc(csca(), "Another", now=NOW - DAY)


FILES: dict[str, tuple[Any, str, str]] = {
    "nothing": (b"", "REVOCATION_LIST_UNREADABLE", "CBOR"),
    "no message": (b"\xa0", "REVOCATION_LIST_UNREADABLE", "array of four"),
    "another key": (lambda content: signed(content, other_key()), "REVOCATION_LIST_NOT_AUTHENTIC", "pinned key"),
    "no algorithm": (lambda content: signed(content, protected={}), "REVOCATION_LIST_NOT_AUTHENTIC", "pinned key"),
    "another algorithm": (
        lambda content: signed(content, protected={1: Algorithm.PS256.value}),
        *("REVOCATION_LIST_NOT_AUTHENTIC", "pinned key"),
    ),
    "changed": (lambda content: last_bit_changed(signed(content)), "REVOCATION_LIST_NOT_AUTHENTIC", "pinned key"),
    "no CBOR": (lambda _: signed(b"\xff"), "REVOCATION_LIST_UNREADABLE", "well-formed"),
    "more than one": (lambda content: signed(cbor2.dumps(content) + b"\0"), "REVOCATION_LIST_UNREADABLE", "after the"),
    "text": (lambda _: signed("x"), "REVOCATION_LIST_UNREADABLE", "it is no"),
    "deep": (lambda _: signed(b"\x81" * 99 + b"\x80"), "REVOCATION_LIST_UNREADABLE", "well-formed"),
}


def last_bit_changed(message: bytes) -> bytes:
    return message[:-1] + bytes((message[-1] ^ 1,))


def damaged(files: Mapping[str, bytes], name: str, how: Any) -> dict[str, bytes]:
    content = cbor.decode(cose.decode_sign1(files[name], max_depth=8).payload, max_depth=8)
    return {**files, name: how if isinstance(how, bytes) else how(content)}


@pytest.mark.parametrize("case", FILES)
def test_a_bad_list_of_kids_is_refused(tmp_path: Path, case: str) -> None:
    how, code, detail = FILES[case]
    there = lists(tmp_path)
    there.install(tree(entry(1)))
    with pytest.raises(RevocationError, match=detail) as caught:
        there.install(damaged(tree(entry(1), entry(2)), "kid.lst", how))
    assert caught.value.code.value == code
    assert standing(there.store, 1) == "hit"


@pytest.mark.parametrize("name", [f"{NAME}/index.lst", CHUNK])
@pytest.mark.parametrize("case", FILES)
def test_another_bad_file_is_skipped_and_its_kid_not_spoken_for(tmp_path: Path, case: str, name: str) -> None:
    how, code, detail = FILES[case]
    there = lists(tmp_path)
    there.install(tree(entry(1), entry(2, kid=OTHER)))
    later = tree(entry(1), entry(2, kid=OTHER), at=NOW + DAY)
    change = there.install(damaged(later, name, how), at=NOW + DAY)
    (first, *_) = there.skipped(change)
    assert first[0] in (NAME, CHUNK)
    assert first[1] == code
    assert detail in first[2]
    # What is held stays.
    assert [standing(there.store, number) for number in (1, 9)] == ["hit", "unknown"]
    assert [standing(there.store, number, kid=OTHER) for number in (2, 9)] == ["hit", "clear"]
    there.install(later, at=NOW + DAY)
    assert standing(there.store, 9) == "clear"


@pytest.mark.parametrize(
    "content",
    [
        {b"short": {b"\x0b": 1}},
        {"kid 4711": {b"\x0b": 1}},
        {KID: [1]},
        {KID: {b"": 1}},
        {KID: {b"\x0a\x0b": 1}},
        {KID: {11: 1}},
        {KID: {b"\x0b": -1}},
        {KID: {b"\x0b": True}},
        {KID: {b"\x0b": 1.0}},
        [],
    ],
)
def test_a_list_of_kids_in_another_form_is_refused(tmp_path: Path, content: Any) -> None:
    with pytest.raises(RevocationError) as caught:
        lists(tmp_path).install({**tree(entry(1)), "kid.lst": signed(content)})
    assert caught.value.code is Code.REVOCATION_LIST_UNREADABLE


@pytest.mark.parametrize(
    "content",
    [
        [],
        {b"": [STAMP, 1, {}]},
        {1: [STAMP, 1, {}]},
        {b"\1": [STAMP, 1]},
        {b"\1": [STAMP, 1, []]},
        {b"\1": [STAMP, "1", {}]},
        {b"\1": [-1, 1, {}]},
        {b"\1": [2**40, 1, {}]},
        {b"\1": [STAMP, 1, {b"\1\1": [STAMP, 1]}]},
        {b"\1": [STAMP, 1, {b"\1": [STAMP]}]},
        {b"\1": [STAMP, 1, {b"\1": 1}]},
        {b"\1": [STAMP, 1, {b"\1": [None, 1]}]},
    ],
)
def test_an_index_in_another_form_is_skipped(tmp_path: Path, content: Any) -> None:
    there = lists(tmp_path)
    change = there.install({**tree(entry(1)), f"{NAME}/index.lst": signed(content)})
    ((where, code, _),) = there.skipped(change)
    assert (where, code) == (NAME, "REVOCATION_LIST_UNREADABLE")
    assert standing(there.store, 9) == "unknown"


@pytest.mark.parametrize(
    "content", [[key_of(1)[:15]], [key_of(1) + b"x"], [1], {}, [bytes(16)], [key_of(1).hex()], [[key_of(1)]]]
)
def test_a_chunk_in_another_form_is_skipped(tmp_path: Path, content: Any) -> None:
    there = lists(tmp_path)
    ((where, code, _),) = there.skipped(there.install({**tree(entry(1)), CHUNK: signed(content)}))
    assert (where, code) == (CHUNK, "REVOCATION_LIST_UNREADABLE")
    assert standing(there.store, 9) == "unknown"


def test_a_hash_belongs_under_its_second_byte(tmp_path: Path) -> None:
    there = lists(tmp_path)
    swapped = divided(**{f"{NAME}/01/00/chunk.lst": signed([one for one in SPREAD if one[1] == 1])})
    ((where, _, detail),) = there.skipped(there.install(swapped))
    assert (where, detail) == (f"{NAME}/01/00/chunk.lst", "it has a hash that does not belong there, or is none")
    assert (found(there), standing(there.store, 9)) == (4, "unknown")


COUNTS: dict[str, dict[str, bytes]] = {
    "kid.lst": {"kid.lst": signed({KID: {b"\x0b": 7}})},
    "node": {f"{NAME}/index.lst": signed({b"\1": [STAMP, 5, {bytes((s,)): [STAMP, 2] for s in range(3)}]})},
    "leaf": {f"{NAME}/index.lst": signed({b"\1": [STAMP, 6, {bytes((s,)): [STAMP, 1 + s] for s in range(3)}]})},
    "too few": {f"{NAME}/01/02/chunk.lst": signed([SPREAD[-1]])},
    "twice": {f"{NAME}/01/02/chunk.lst": signed([SPREAD[-1], SPREAD[-1]])},
    "nothing below": {f"{NAME}/index.lst": signed({b"\1": [STAMP, 6, {}]})},
    "some in each": {f"{NAME}/01/chunk.lst": signed([SPREAD[0]])},
    "too many": {f"{NAME}/01/chunk.lst": signed([*SPREAD, bytes((1, 9)) + bytes(14)])},
}


@pytest.mark.parametrize("case", COUNTS)
def test_counts_that_do_not_fit_are_told(tmp_path: Path, case: str) -> None:
    there = lists(tmp_path)
    change = there.install(divided(**COUNTS[case]))
    assert any("number of hashes" in detail for _, _, detail in there.skipped(change))
    assert standing(there.store, 9) == "unknown"


@pytest.mark.parametrize("name", [f"{NAME}/index.lst", CHUNK])
def test_a_missing_file_is_told(tmp_path: Path, name: str) -> None:
    files = tree(entry(1), entry(2, kid=OTHER))
    del files[name]
    there = lists(tmp_path)
    ((where, code, _),) = there.skipped(there.install(files))
    assert (where.startswith(NAME), code) == (True, "REVOCATION_LIST_UNREADABLE")
    assert [standing(there.store, 9), standing(there.store, 9, kid=OTHER)] == ["unknown", "clear"]


def test_a_list_of_kids_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(RevocationError, match=r"kid\.lst is missing"):
        lists(tmp_path).install({})


def test_a_type_that_is_not_known(tmp_path: Path) -> None:
    there = lists(tmp_path)
    kids = signed({KID: {b"\x0b": 1, b"\x0d": 1}})
    assert there.skipped(there.install({**tree(entry(1)), "kid.lst": kids})) == [
        (f"{KID.hex()}0d", "REVOCATION_LIST_UNREADABLE", "hashes of a type that is not known")
    ]
    assert [standing(there.store, number) for number in (1, 9)] == ["hit", "unknown"]


def test_an_anchor_is_needed(tmp_path: Path) -> None:
    with pytest.raises(RevocationError) as caught:
        Lists(tmp_path, "covpass").install(tree(entry(1)))
    assert caught.value.code is Code.REVOCATION_ANCHOR_MISSING


def test_kids_are_bounded(tmp_path: Path) -> None:
    files = tree(entry(1), entry(2, kid=OTHER))
    assert not lists(tmp_path / "a").install(files, limits=replace(DEFAULT_LIMITS, trust_entries=2)).skipped
    with pytest.raises(RevocationError) as caught:
        lists(tmp_path / "b").install(files, limits=replace(DEFAULT_LIMITS, trust_entries=1))
    assert caught.value.code is Code.INPUT_TOO_LONG


# --- What was before ---


def test_a_node_that_is_older_than_the_one_in_use_stays_out(tmp_path: Path) -> None:
    there = lists(tmp_path)
    there.install(tree(entry(1), at=NOW))
    older = tree(entry(1, kid=OTHER), entry(1), at=NOW - DAY)
    change = there.install(older)
    assert there.skipped(change) == [(CHUNK, "REVOCATION_LIST_ROLLED_BACK", "older than what is in use")]
    assert [standing(there.store, number) for number in (1, 9)] == ["hit", "unknown"]


def test_a_leaf_that_is_older_than_the_one_in_use_stays_out(tmp_path: Path) -> None:
    there = lists(tmp_path)
    there.install(divided())
    leaves = {bytes((s,)): [STAMP - (s == 1), 2] for s in range(3)}
    change = there.install(divided(**{f"{NAME}/index.lst": signed({b"\1": [STAMP + 1, 6, leaves]})}))
    assert [code for _, code, _ in there.skipped(change)] == ["REVOCATION_LIST_ROLLED_BACK"]
    assert (found(there), standing(there.store, 9)) == (6, "unknown")


def test_a_tree_that_was_replaced_does_not_come_back(tmp_path: Path) -> None:
    first = tree(entry(1), at=NOW)
    there = lists(tmp_path)
    there.install(first)
    there.install(tree(entry(1), entry(2), at=NOW + DAY), at=NOW + DAY)
    message = cose.decode_sign1(first["kid.lst"], max_depth=8)
    r, s = message.signature[:32], int.from_bytes(message.signature[32:], "big")
    mirrored = r + (P256_ORDER - s).to_bytes(32, "big")
    for changed in (
        first["kid.lst"],
        # What anybody can do to it: another signature of the same, and a header that is not signed.
        cose.assemble_sign1(message.protected_bytes, message.payload, mirrored),
        cbor2.dumps(cbor2.CBORTag(18, [message.protected_bytes, {4: b"x"}, message.payload, message.signature])),
    ):
        with pytest.raises(RevocationError) as caught:
            there.install({**first, "kid.lst": changed}, at=NOW + DAY)
        assert caught.value.code is Code.REVOCATION_LIST_ROLLED_BACK


def test_what_was_revoked_before_the_tree_was_divided_is_held_until_all_of_it_is_there(tmp_path: Path) -> None:
    whole = {
        "kid.lst": signed({KID: {b"\x0b": 6}}),
        f"{NAME}/index.lst": signed({b"\1": [STAMP - 1, 6, {}]}),
        f"{NAME}/01/chunk.lst": signed(list(SPREAD)),
    }
    there = lists(tmp_path)
    assert not there.install(whole).skipped
    files = divided()
    del files[f"{NAME}/01/01/chunk.lst"]
    assert there.skipped(there.install(files))
    assert (found(there), standing(there.store, 9)) == (6, "unknown")
    assert not there.install(divided()).skipped
    assert (found(there), standing(there.store, 9), len(there.store)) == (6, "clear", 6)
    # And together again.
    whole["kid.lst"] = signed({KID: {b"\x0b": 6}})
    whole[f"{NAME}/index.lst"] = signed({b"\1": [STAMP + 1, 6, {}]})
    assert not there.install(whole).skipped
    assert (found(there), standing(there.store, 9), len(there.store)) == (6, "clear", 6)


def test_a_tree_that_could_not_be_read_may_come_again(tmp_path: Path) -> None:
    server = Server(tree(entry(1)))
    there = lists(tmp_path)
    there.update(server)
    for status in (404, 503):
        server.failing = {f"{NAME}/index.lst": status}
        change = there.update(server)
        assert change.error is not None or change.skipped_count == 1
        server.failing.clear()
        assert there.update(server).error is None
        assert [standing(there.store, number) for number in (1, 9)] == ["hit", "clear"]


def test_what_is_no_longer_in_the_tree_is_gone(tmp_path: Path) -> None:
    there = lists(tmp_path)
    there.install(tree(entry(1), entry(2), entry(3, kid=OTHER)))
    there.install(tree(entry(2), at=NOW + DAY), at=NOW + DAY)
    assert [standing(there.store, number) for number in (1, 2)] == ["clear", "hit"]
    assert standing(there.store, 3, kid=OTHER) == "unknown"


# --- Fetching ---


def test_what_has_not_changed_is_not_fetched(tmp_path: Path) -> None:
    files = tree(*map(entry, range(20)))
    server = Server(files)
    there = lists(tmp_path)
    assert there.update(server).error is None
    assert sorted(server.asked) == sorted(files)
    server.asked.clear()
    assert there.update(server).unchanged
    assert server.asked == ["kid.lst", f"{NAME}/index.lst"]
    # One of the nodes changes.
    first = key_of(1)[:1]
    index = cbor2.loads(cose.decode_sign1(files[f"{NAME}/index.lst"], max_depth=8).payload)
    index[first][0] += 1
    server.files[f"{NAME}/index.lst"] = signed(index)
    server.asked.clear()
    assert there.update(server).error is None
    assert server.asked == ["kid.lst", f"{NAME}/index.lst", CHUNK]
    assert all(standing(there.store, number) == "hit" for number in range(20))


def test_leaves_that_have_not_changed_are_not_fetched(tmp_path: Path) -> None:
    server = Server(divided())
    there = lists(tmp_path)
    there.update(server)
    assert f"{NAME}/01/chunk.lst" in server.asked
    server.asked.clear()
    there.update(server)
    assert server.asked == ["kid.lst", f"{NAME}/index.lst"]
    assert (found(there), standing(there.store, 9)) == (6, "clear")


def test_a_count_that_changed_within_a_second_is_seen(tmp_path: Path) -> None:
    there = lists(tmp_path)
    there.install(tree(entry(1)))
    number = next(n for n in range(2, 5000) if key_of(n)[0] == key_of(1)[0])
    assert not there.install(tree(entry(1), entry(number))).skipped
    assert standing(there.store, number) == "hit"


def test_what_is_not_there_is_no_failure_of_the_server(tmp_path: Path) -> None:
    server = Server(tree(entry(1), entry(2, kid=OTHER)))
    del server.files[CHUNK]
    there = lists(tmp_path)
    change = there.update(server)
    assert (change.error, change.skipped_count) == (None, 1)
    assert [standing(there.store, 9), standing(there.store, 9, kid=OTHER)] == ["unknown", "clear"]


def test_a_failure_keeps_what_came_and_the_next_run_goes_on(tmp_path: Path) -> None:
    server = Server(tree(entry(1), entry(2, kid=OTHER)))
    server.failing[CHUNK] = 503
    there = lists(tmp_path)
    change = there.update(server)
    assert change.error is not None
    assert change.error.code is Code.FETCH_FAILED
    assert [standing(there.store, 2, kid=OTHER), standing(there.store, 9, kid=OTHER)] == ["hit", "unknown"]
    server.failing.clear()
    server.asked.clear()
    assert there.update(server).error is None
    assert [path for path in server.asked if path.endswith("chunk.lst")] == [CHUNK]
    assert [standing(there.store, 1), standing(there.store, 9, kid=OTHER)] == ["hit", "clear"]


def test_a_failure_in_the_middle_of_a_node_leaves_it_as_it_was(tmp_path: Path) -> None:
    whole = {
        "kid.lst": signed({KID: {b"\x0b": 6}}),
        f"{NAME}/index.lst": signed({b"\1": [STAMP - 1, 6, {}]}),
        f"{NAME}/01/chunk.lst": signed(list(SPREAD)),
    }
    server = Server(whole)
    there = lists(tmp_path)
    there.update(server)
    server.files = divided()
    server.failing[f"{NAME}/01/02/chunk.lst"] = 500
    assert there.update(server).error is not None
    assert (found(there), standing(there.store, 9)) == (6, "clear")


def test_without_the_list_of_kids_nothing_is_known(tmp_path: Path) -> None:
    server = Server(tree(entry(1)))
    server.failing["kid.lst"] = 500
    change = lists(tmp_path).update(server)
    assert isinstance(change.error, FetchError)
    assert change.error.status == 500


# --- Anything at all ---

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.binary(max_size=17) | st.just(KID),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.binary(max_size=2) | st.just(KID), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(VALUES)
def test_no_content_raises_anything_else(value: Any) -> None:
    for error in (
        refusal(lambda: read_kids(value, DEFAULT_LIMITS)),
        refusal(lambda: read_index(value)),
        refusal(lambda: read_chunk(value, b"")),
    ):
        assert error is None or (type(error), error.code) == (RevocationError, Code.REVOCATION_LIST_UNREADABLE)


CUT = signed({KID: {b"\x0b": 1}})


@given(
    st.binary(max_size=200) | st.builds(lambda at, more: CUT[:at] + more, st.integers(0, 200), st.binary(max_size=9))
)
def test_no_file_raises_anything_else(data: bytes) -> None:
    error = refusal(lambda: open_signed(data, (ANCHOR,), DEFAULT_LIMITS))
    if error is None:
        assert data == CUT
    else:
        assert error.code in (Code.REVOCATION_LIST_UNREADABLE, Code.REVOCATION_LIST_NOT_AUTHENTIC)


@pytest.mark.parametrize("which", ["prod", "demo"])
def test_the_published_keys_are_anchors_and_sign_none_of_ours(interop: Path, tmp_path: Path, which: str) -> None:
    path = interop / "revocation" / "covpass" / which / "revocation-list-public-key.pem"
    if not path.is_file():
        pytest.skip("the keys of CovPass are not there")
    (anchor,) = load_anchors(path)
    assert Algorithm.ES256.fits(anchor.public_key())
    with pytest.raises(RevocationError) as caught:
        Lists(tmp_path, "covpass", anchor).install(tree(entry(1)))
    assert caught.value.code is Code.REVOCATION_LIST_NOT_AUTHENTIC
