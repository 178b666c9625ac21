"""The tree of the Corona-Warn-App: signed archives, kids that could be read whole, chunks that have changed."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from healthcert.fetch import Response
from healthcert.limits import DEFAULT_LIMITS
from healthcert.lists.anchors import TrustAnchor
from healthcert.revocation.answer import Standing
from healthcert.revocation.files import open_files
from healthcert.revocation.identifiers import IdentifierType
from healthcert.revocation.update import install_revocations
from tests.support import CLOCK
from tests.unit.revocation.sources.national import URL, Desk, Server, survives

KEY = ec.generate_private_key(ec.SECP256R1())
ANCHOR = TrustAnchor("key", KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
SIGNATURE, UCI = IdentifierType.SIGNATURE, IdentifierType.UCI
KID, OTHER = b"kid 4711", b"kid 0815"
HASH = hashlib.sha256(b"revoked").digest()[:16]
SECOND = HASH[:2] + bytes(14)
APART = bytes((HASH[0] ^ 1,)) + HASH[1:]
CLEAR = bytes(16)


def field(number: int, value: bytes) -> bytes:
    size = len(value)
    length = bytes((size,)) if size < 0x80 else bytes((size & 0x7F | 0x80, size >> 7))
    return bytes((number << 3 | 2,)) + length + value


def repeated(number: int, values: Sequence[bytes]) -> bytes:
    return b"".join(field(number, value) for value in values)


def archive(content: bytes, key: ec.EllipticCurvePrivateKey = KEY) -> bytes:
    signature = field(1, field(4, key.sign(content, ec.ECDSA(hashes.SHA256()))))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as writer:
        writer.writestr("export.bin", content)
        writer.writestr("export.sig", signature)
    return buffer.getvalue()


def kid_item(kid: bytes, *types: bytes) -> bytes:
    return field(1, field(1, kid) + repeated(2, types))


def index_item(x: bytes, *y: bytes) -> bytes:
    return field(1, field(1, x) + repeated(2, y))


def contents(listed: Mapping[tuple[bytes, bytes], Sequence[bytes]]) -> dict[str, bytes]:
    """The content of each part of a tree with these hashes by kid and type."""
    kids: dict[bytes, list[bytes]] = {}
    parts: dict[str, bytes] = {}
    for (kid, kind), found in listed.items():
        kids.setdefault(kid, []).append(kind)
        chunks: dict[bytes, list[bytes]] = {}
        for one in found:
            chunks.setdefault(one[:2], []).append(one)
        top = f"{kid.hex()}{kind.hex()}"
        parts[f"{top}/index"] = b"".join(index_item(start[:1], start[1:]) for start in chunks)
        for start, those in chunks.items():
            parts[f"{top}/{start[:1].hex()}/{start[1:].hex()}/chunk"] = repeated(1, those)
    parts["kid"] = b"".join(kid_item(kid, *types) for kid, types in kids.items())
    return parts


LISTED = {(KID, b"\x0a"): [HASH, SECOND, APART], (OTHER, b"\x0b"): [HASH]}
CONTENTS = contents(LISTED)
TOP = f"{KID.hex()}0a"
CHUNK = f"{TOP}/{HASH[:1].hex()}/{HASH[1:2].hex()}/chunk"


def tree(changes: Mapping[str, bytes | None] | None = None, prefix: str = "") -> dict[str, bytes]:
    """The archives; of ``changes`` the content is signed anew, and what is None is left out."""
    parts = {**CONTENTS, **(changes or {})}
    return {f"{prefix}{name}": archive(content) for name, content in parts.items() if content is not None}


def pages(files: Mapping[str, bytes]) -> dict[str, Response]:
    """The same as a server has it, with etags."""
    return {
        f"{URL}/dcc-rl/{name.removesuffix('/index')}": Response(200, data, {"etag": hashlib.sha256(data).hexdigest()})
        for name, data in files.items()
    }


def desk(path: Path, **options: str) -> Desk:
    return Desk(path, "cwa", ANCHOR, url=f"{URL}/dcc-rl", max_loss=1.0, options=options)


@pytest.mark.parametrize("prefix", ["", "version/v1/dcc-rl/"])
def test_a_tree_of_files(tmp_path: Path, prefix: str) -> None:
    found = desk(tmp_path)
    change = found.install(tree(prefix=prefix))
    assert (change.records, change.added, change.skipped) == (4, 3, ())
    for key in (HASH, SECOND, APART):
        assert found.ask(SIGNATURE, key, kid=KID) is Standing.HIT
    assert found.ask(UCI, HASH, kid=OTHER) is Standing.HIT
    assert found.ask(UCI, HASH, kid=KID) is Standing.CLEAR
    assert found.ask(SIGNATURE, CLEAR, kid=KID) is Standing.CLEAR
    assert found.ask(SIGNATURE, HASH, kid=b"kid none") is Standing.UNKNOWN


def test_an_index_may_name_a_chunk_once_for_each_of_its_hashes(tmp_path: Path) -> None:
    found = desk(tmp_path)
    change = found.install(tree({f"{TOP}/index": CONTENTS[f"{TOP}/index"] * 2}))
    assert (change.records, change.skipped) == (4, ())
    assert found.ask(SIGNATURE, HASH, kid=KID) is Standing.HIT


def test_a_folder_and_an_archive_of_files(tmp_path: Path) -> None:
    packed = tmp_path / "tree.zip"
    with zipfile.ZipFile(packed, "w") as writer:
        for name, data in tree().items():
            (tmp_path / "tree" / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "tree" / name).write_bytes(data)
            writer.writestr(name, data)
    for number, path in enumerate((tmp_path / "tree", packed)):
        found = desk(tmp_path / str(number))
        with open_files(path) as files:
            install_revocations(found.store, found.feed, files, clock=CLOCK)
        assert found.ask(SIGNATURE, HASH, kid=KID) is Standing.HIT


def test_countries_are_the_operators_word(tmp_path: Path) -> None:
    found = desk(tmp_path, countries="DE")
    found.install(tree())
    assert found.ask(SIGNATURE, CLEAR, kid=b"kid none", country="DE") is Standing.CLEAR
    assert found.ask(SIGNATURE, CLEAR, kid=b"kid none", country="FR") is Standing.UNKNOWN
    # With a kid that could not be read, nobody knows whose it is.
    change = found.install(tree({CHUNK: None}))
    assert len(change.skipped) == 1
    assert found.ask(SIGNATURE, CLEAR, kid=b"kid none", country="DE") is Standing.UNKNOWN
    assert found.ask(SIGNATURE, CLEAR, kid=KID, country="DE") is Standing.UNKNOWN


STRANGER = ec.generate_private_key(ec.SECP256R1())


@pytest.mark.parametrize(
    ("files", "code"),
    [
        (tree({"kid": None}), "UNREADABLE"),
        (tree() | {"more/kid": b""}, "UNREADABLE"),
        (tree() | {"kid": b""}, "UNREADABLE"),
        (tree() | {"kid": archive(CONTENTS["kid"], STRANGER)}, "NOT_AUTHENTIC"),
        (tree({"kid": kid_item(b"short", b"\x0a")}), "UNREADABLE"),
        (tree({"kid": kid_item(KID, b"\x0a") * 2}), "UNREADABLE"),
        (tree({"kid": kid_item(KID)}), "UNREADABLE"),
        (tree({"kid": kid_item(KID, b"\x0a\x0b")}), "UNREADABLE"),
        (tree({"kid": kid_item(KID, b"\x0a", b"\x0a")}), "UNREADABLE"),
        (tree({"kid": field(1, field(2, b"\x0a"))}), "UNREADABLE"),
        (tree({"kid": b"\xff"}), "UNREADABLE"),
    ],
)
def test_a_bad_list_of_kids_refuses_all(tmp_path: Path, files: dict[str, bytes], code: str) -> None:
    assert desk(tmp_path).refusal(files) == f"REVOCATION_LIST_{code}"


def test_without_an_anchor(tmp_path: Path) -> None:
    assert Desk(tmp_path, "cwa").refusal(tree()) == "REVOCATION_ANCHOR_MISSING"


@pytest.mark.parametrize(
    ("where", "files"),
    [
        (CHUNK, tree({CHUNK: None})),
        (CHUNK, tree() | {CHUNK: archive(CONTENTS[CHUNK], STRANGER)}),
        (CHUNK, tree() | {CHUNK: tree()[CHUNK][:-1]}),
        (CHUNK, tree({CHUNK: repeated(1, [HASH, APART])})),
        (CHUNK, tree({CHUNK: repeated(1, [HASH[:15]])})),
        (CHUNK, tree({CHUNK: b""})),
        (CHUNK, tree({CHUNK: b"\x0a"})),
        (TOP, tree({f"{TOP}/index": None})),
        (TOP, tree() | {f"{TOP}/index": archive(CONTENTS[f"{TOP}/index"], STRANGER)}),
        (TOP, tree({f"{TOP}/index": b""})),
        (TOP, tree({f"{TOP}/index": index_item(b"\x01")})),
        (TOP, tree({f"{TOP}/index": index_item(b"\x01\x02", b"\x03")})),
        (TOP, tree({f"{TOP}/index": index_item(b"\x01", b"\x02\x03")})),
        (f"{KID.hex()}0d", tree({"kid": kid_item(KID, b"\x0a", b"\x0d") + kid_item(OTHER, b"\x0b")})),
    ],
)
def test_a_kid_with_a_bad_part_is_not_covered(tmp_path: Path, where: str, files: dict[str, bytes]) -> None:
    found = desk(tmp_path)
    change = found.install(files)
    ((source, code),) = found.skipped(change)
    assert source == where
    assert code.removeprefix("REVOCATION_").removeprefix("TRUST_") in ("LIST_UNREADABLE", "LIST_NOT_AUTHENTIC")
    assert found.ask(SIGNATURE, CLEAR, kid=KID) is Standing.UNKNOWN
    assert found.ask(UCI, CLEAR, kid=OTHER) is Standing.CLEAR
    # What was read of it counts all the same.
    assert found.ask(SIGNATURE, APART, kid=KID) is (Standing.HIT if where != TOP else Standing.UNKNOWN)


@pytest.mark.parametrize("bad", [CHUNK, f"{TOP}/index"])
def test_what_was_in_use_stays_when_a_part_goes_bad(tmp_path: Path, bad: str) -> None:
    found = desk(tmp_path)
    found.install(tree())
    found.install(tree({bad: None}))
    for key in (HASH, APART):
        assert found.ask(SIGNATURE, key, kid=KID) is Standing.HIT
    assert found.ask(SIGNATURE, CLEAR, kid=KID) is Standing.UNKNOWN


def test_what_is_no_longer_listed_is_gone(tmp_path: Path) -> None:
    found = desk(tmp_path)
    found.install(tree())
    less = contents({(KID, b"\x0a"): [HASH]})
    found.install({name: archive(content) for name, content in less.items()})
    assert found.ask(SIGNATURE, HASH, kid=KID) is Standing.HIT
    assert found.ask(SIGNATURE, SECOND, kid=KID) is Standing.CLEAR
    assert found.ask(SIGNATURE, APART, kid=KID) is Standing.CLEAR
    assert found.ask(UCI, HASH, kid=OTHER) is Standing.UNKNOWN
    # What was taken back by mistake comes again, or the other way: nothing that is signed orders the two.
    found.install(tree())
    assert found.ask(SIGNATURE, SECOND, kid=KID) is Standing.HIT


def test_only_changed_chunks_are_fetched(tmp_path: Path) -> None:
    found = desk(tmp_path)
    server = Server(pages(tree()))
    assert found.fetch(server).added == 3
    assert sorted(server.urls) == sorted(pages(tree()))
    change = found.fetch(server)
    assert (change.added, change.withdrawn, change.records) == (0, 0, 4)
    assert {url for url, headers in server.asked if headers} == {url for url in pages(tree()) if url.endswith("chunk")}
    assert found.ask(SIGNATURE, HASH, kid=KID) is Standing.HIT
    server = Server(pages(tree({CHUNK: repeated(1, [HASH])})))
    assert found.fetch(server).added == 1
    assert found.ask(SIGNATURE, HASH, kid=KID) is Standing.HIT
    assert found.ask(SIGNATURE, SECOND, kid=KID) is Standing.CLEAR


def test_without_etags_the_content_tells(tmp_path: Path) -> None:
    found = desk(tmp_path)
    server = Server({url: answer.body for url, answer in pages(tree()).items()})
    assert found.fetch(server).added == 3
    # Signed anew, the archives are others; what is in them is not.
    assert found.fetch(Server({url: answer.body for url, answer in pages(tree()).items()})).added == 0
    assert found.ask(SIGNATURE, SECOND, kid=KID) is Standing.HIT


def test_a_part_that_the_server_has_not_is_skipped(tmp_path: Path) -> None:
    found = desk(tmp_path)
    change = found.fetch(Server(pages(tree({CHUNK: None}))))
    assert found.skipped(change) == [(CHUNK, "REVOCATION_LIST_UNREADABLE")]
    assert found.ask(SIGNATURE, CLEAR, kid=KID) is Standing.UNKNOWN
    assert found.ask(UCI, HASH, kid=OTHER) is Standing.HIT


def test_a_server_that_is_gone_in_the_middle(tmp_path: Path) -> None:
    found = desk(tmp_path)
    answers: dict[str, Response | int] = {**pages(tree()), f"{URL}/dcc-rl/{OTHER.hex()}0b": 503}
    assert found.failure(Server(answers)) == "FETCH_FAILED"
    assert found.ask(SIGNATURE, HASH, kid=KID) is Standing.HIT
    assert found.ask(SIGNATURE, CLEAR, kid=KID) is Standing.UNKNOWN
    server = Server(pages(tree()))
    assert found.fetch(server).added == 1
    assert found.ask(SIGNATURE, CLEAR, kid=KID) is Standing.CLEAR
    assert found.failure(Server({})) == "REVOCATION_LIST_UNREADABLE"
    assert found.failure(Server(lambda *_: 500)) == "FETCH_FAILED"
    assert found.ask(UCI, HASH, kid=OTHER) is Standing.HIT


def test_304_for_what_is_not_in_use(tmp_path: Path) -> None:
    answers = {**pages(tree()), f"{URL}/dcc-rl/{CHUNK}": Response(304)}
    found = desk(tmp_path)
    assert found.failure(Server(answers)) == "FETCH_REFUSED"
    assert found.ask(SIGNATURE, CLEAR, kid=KID) is Standing.UNKNOWN
    # Nor is it an answer about what is in use, when it was not asked about that.
    found = desk(tmp_path / "used")
    found.install(tree())
    assert found.failure(Server(answers)) == "FETCH_REFUSED"


@pytest.mark.parametrize("content", [b"\x08\x01", b"\x12\x00", b"\x0a\x0c\x0a\x08kid 4711\x18\x01", b"\x09" + bytes(8)])
def test_another_document_of_the_same_keys_is_no_empty_list(tmp_path: Path, content: bytes) -> None:
    # The app's configuration, say, begins with a number in field 1.
    assert desk(tmp_path).refusal(tree({"kid": content})) == "REVOCATION_LIST_UNREADABLE"


def test_more_kids_than_are_taken(tmp_path: Path) -> None:
    found = desk(tmp_path)
    found.limits = msgspec.structs.replace(DEFAULT_LIMITS, trust_entries=1)
    assert found.refusal(tree()) == "INPUT_TOO_LONG"


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(CONTENTS)), st.binary(max_size=40), st.booleans())
def test_nothing_else_escapes(tmp_path_factory: pytest.TempPathFactory, name: str, data: bytes, sign: bool) -> None:
    files = tree() | {name: archive(data) if sign else data}
    survives(tmp_path_factory.mktemp("gathering"), "cwa", files, ANCHOR)
