"""The tree as it is published: where hashes are, who signed them, and what its reader makes of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from healthcert.encoding import cbor, cose
from healthcert.encoding.algorithms import Algorithm
from healthcert.errors import Code, IssueError
from healthcert.issue.pki import KeyKind
from healthcert.lists.x509 import parse_certificate
from healthcert.publish import covpass
from healthcert.publish.revoked import RevokedEntry
from healthcert.revocation.identifiers import IdentifierType
from healthcert.revocation.sources.slices import TYPES
from tests.support import DAY, NOW, dsc
from tests.support_slices import ANCHOR, KID, OTHER, Lists, entry, key_of, standing, tree

STAMP = int(NOW.timestamp())


def content(file: bytes) -> object:
    return cbor.decode(cose.decode_sign1(file, max_depth=8).payload, max_depth=8)


def test_what_is_published_is_found_again(tmp_path: Path) -> None:
    lists = Lists(tmp_path, "covpass", ANCHOR)
    files = tree(*(entry(number, TYPES[number % 3], KID if number % 2 else OTHER) for number in range(300)))
    assert not lists.install(files).skipped
    for number in range(300):
        assert standing(lists.store, number, type_=TYPES[number % 3], kid=KID if number % 2 else OTHER) == "hit"
    assert len(lists.store) == 300


def test_the_files_are_those_that_the_app_reads() -> None:
    one = key_of(1)
    files = tree(entry(1), entry(1), entry(2, IdentifierType.SIGNATURE), entry(3, kid=OTHER))
    name = f"{KID.hex()}0b"
    assert content(files["kid.lst"]) == {OTHER: {b"\x0b": 1}, KID: {b"\x0a": 1, b"\x0b": 1}}
    assert content(files[f"{name}/index.lst"]) == {one[:1]: [STAMP, 1, {one[1:2]: [STAMP, 1]}]}
    assert content(files[f"{name}/{one[:1].hex()}/chunk.lst"]) == [one]
    assert list(files)[-1] == "kid.lst"


def test_every_file_is_signed() -> None:
    key = parse_certificate(dsc().certificate_der()).public_key()
    for file in tree(entry(1), entry(2)).values():
        message = cose.decode_sign1(file, max_depth=8)
        assert message.protected == {cose.ALG: Algorithm.ES256.value}
        assert Algorithm.ES256.verify(key, message.signature, message.to_be_signed())


def test_many_hashes_of_one_first_byte_are_divided(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = [bytes((1, number % 3)) + bytes(13) + bytes((number,)) for number in range(7)]
    entries = [RevokedEntry(IdentifierType.UCI, key, KID) for key in keys]
    name = f"{KID.hex()}0b"
    for split, chunks in (
        (8, {f"{name}/01/chunk.lst"}),
        (7, {f"{name}/01/{second}/chunk.lst" for second in ("00", "01", "02")}),
    ):
        monkeypatch.setattr(covpass, "SPLIT", split)
        files = tree(*entries)
        assert set(files) == {"kid.lst", f"{name}/index.lst", *chunks}
        assert content(files[f"{name}/index.lst"]) == {
            b"\1": [STAMP, 7, {b"\0": [STAMP, 3], b"\1": [STAMP, 2], b"\2": [STAMP, 2]}]
        }
        lists = Lists(tmp_path / str(split), "covpass", ANCHOR)
        assert not lists.install(files).skipped
        assert len(lists.store) == 7


def test_what_has_expired_is_left_out() -> None:
    files = tree(entry(1, expires=NOW), entry(2, expires=None), entry(3, expires=NOW + DAY))
    assert content(files["kid.lst"]) == {KID: {b"\x0b": 2}}
    assert content(tree()["kid.lst"]) == {}


@pytest.mark.parametrize(
    ("one", "detail"),
    [
        (entry(1, kid=None), "without a kid of 8 bytes"),
        (entry(1, kid=b"short"), "without a kid of 8 bytes"),
        (RevokedEntry(IdentifierType.FR_DCC, bytes(32), KID), "of the type FR-DCC"),
        (RevokedEntry(IdentifierType.UCI, bytes(17), KID), "of another length"),
        (entry(1, expires=NOW.replace(tzinfo=None)), "without a time zone"),
    ],
)
def test_what_the_tree_has_no_place_for_is_refused(one: RevokedEntry, detail: str) -> None:
    with pytest.raises(IssueError, match=detail) as caught:
        tree(one)
    assert caught.value.code is Code.PUBLISHING_REFUSED


def test_lists_are_signed_with_es256() -> None:
    with pytest.raises(IssueError, match="signed with ES256") as caught:
        list(covpass.publish([entry(1)], dsc(kind=KeyKind.RSA_3072).signer(), timestamp=NOW))
    assert caught.value.code is Code.PUBLISHING_REFUSED


def test_a_signer_that_signs_something_else_is_found_out() -> None:
    class Absent:
        kid = dsc().signer().kid
        algorithm = Algorithm.ES256
        certificate = dsc().certificate_der()

        def sign(self, data: bytes, *, prehashed: bool = False) -> bytes:
            return bytes(64)

    with pytest.raises(IssueError, match="not signed with a pinned key") as caught:
        list(covpass.publish([entry(1)], Absent(), timestamp=NOW))
    assert caught.value.code is Code.PUBLISHING_REFUSED
