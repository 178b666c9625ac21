"""The list of the Corona-Warn-App: archive, signature, entries."""

from __future__ import annotations

import hashlib
import io
import warnings
import zipfile
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given

from healthcert.errors import TrustError
from healthcert.limits import DEFAULT_LIMITS
from healthcert.trust.keys import Assurance
from healthcert.trust.sources.cwa import CoronaWarnApp
from healthcert.trust.sources.protocol import Known
from tests.support import dsc
from tests.unit.trust.sources.world import (
    FEW,
    Table,
    answer,
    check_no_more,
    context,
    damaged,
    flips,
    key_anchor,
    kid_of,
    loaded,
    problems,
    refusal,
    spki_of,
)

SOURCE = CoronaWarnApp()
KEY = ec.generate_private_key(ec.SECP256R1())
SPKI = KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
PINNED = context(key_anchor(SPKI))
UNSIGNED = context(unsigned="yes")
NAMES = ("export.bin", "export.sig")


def field(number: int, value: bytes) -> bytes:
    size = len(value)
    length = bytes((size,)) if size < 0x80 else bytes((size & 0x7F | 0x80, size >> 7))
    return bytes((number << 3 | 2,)) + length + value


def item(kid: bytes, der: bytes) -> bytes:
    return field(1, field(1, kid) + field(2, der))


def signatures(*found: bytes) -> bytes:
    # With a SignatureInfo, a batch number and a batch size, as the server writes them.
    return b"".join(field(1, field(1, field(4, b"262")) + b"\x10\x01\x18\x01" + field(4, one)) for one in found)


def signed(data: bytes, key: ec.EllipticCurvePrivateKey = KEY) -> bytes:
    return signatures(key.sign(data, ec.ECDSA(hashes.SHA256())))


def archive(*files: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w", method) as writer:
        warnings.simplefilter("ignore")  # of names that are there twice
        for name, data in files:
            writer.writestr(name, data)
    return buffer.getvalue()


ENTRY = item(kid_of(dsc()), dsc().certificate_der())
SIGNED = {"list": ENTRY, "signature": signed(ENTRY)}
ZIPPED = {"list": archive((NAMES[0], ENTRY), (NAMES[1], SIGNED["signature"]))}


@pytest.mark.parametrize("parts", [SIGNED, ZIPPED], ids=["two files", "archive"])
def test_a_signed_list(parts: dict[str, bytes]) -> None:
    found = SOURCE.load(parts, PINNED)
    (key,) = found.keys
    assert (key.kid, key.spki, key.country, key.domain) == (kid_of(dsc()), spki_of(dsc()), "FR", "DCC")
    assert (found.assurance, found.signer, found.skipped) == (Assurance.SIGNED_LIST, PINNED.anchors[0], ())
    assert found.signed == hashlib.sha256(ENTRY).digest()


def test_each_anchor_and_each_signature_is_tried() -> None:
    other = ec.generate_private_key(ec.SECP256R1())
    several = signatures(b"", *(key.sign(ENTRY, ec.ECDSA(hashes.SHA256())) for key in (other, KEY)))
    anchors = (key_anchor(spki_of(dsc())), key_anchor(SPKI))
    assert SOURCE.load(SIGNED | {"signature": several}, context(*anchors)).signer == anchors[1]


def test_any_byte_of_the_signed_file_matters() -> None:
    for changed in flips(ENTRY):
        assert refusal(SOURCE, {**SIGNED, "list": changed}, PINNED) == "TRUST_LIST_NOT_AUTHENTIC"


def test_a_changed_signature_file_makes_no_other_list() -> None:
    good = SOURCE.load(SIGNED, PINNED)
    for changed in flips(SIGNED["signature"]):
        check_no_more(good, loaded(SOURCE, {**SIGNED, "signature": changed}, PINNED))


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        ({"list": ENTRY, "signature": signed(ENTRY, ec.generate_private_key(ec.SECP256R1()))}, "NOT_AUTHENTIC"),
        ({"list": ENTRY, "signature": b""}, "NOT_AUTHENTIC"),
        ({"list": ENTRY, "signature": signatures()}, "NOT_AUTHENTIC"),
        ({"list": ENTRY, "signature": signatures(*[b"x"] * 16) + SIGNED["signature"]}, "NOT_AUTHENTIC"),
        ({"list": ENTRY}, "NOT_AUTHENTIC"),
        ({**ZIPPED, "signature": SIGNED["signature"]}, "NOT_AUTHENTIC"),
        ({"list": archive((NAMES[0], ENTRY))}, "UNREADABLE"),
        ({"list": archive((NAMES[0], ENTRY), (NAMES[1], b"")) + b"more"}, "NOT_AUTHENTIC"),
        ({"signature": SIGNED["signature"]}, "UNREADABLE"),
        ({"list": b"", "signature": signed(b"")}, "UNREADABLE"),
    ],
)
def test_a_list_that_does_not_check_is_refused(parts: dict[str, bytes], code: str) -> None:
    assert refusal(SOURCE, parts, PINNED) == f"TRUST_LIST_{code}"


def test_unsigned_lists_are_taken_only_when_that_is_asked_for() -> None:
    assert refusal(SOURCE, {"list": ENTRY}, context()) == "TRUST_ANCHOR_MISSING"
    assert refusal(SOURCE, {"list": ENTRY}, context(unsigned="no")) == "TRUST_ANCHOR_MISSING"
    found = SOURCE.load({"list": ENTRY}, UNSIGNED)
    assert (len(found.keys), found.assurance, found.signer) == (1, Assurance.TLS_ONLY, None)
    assert SOURCE.load(ZIPPED, UNSIGNED).assurance is Assurance.TLS_ONLY


def test_with_an_anchor_nobody_can_leave_the_signature_out() -> None:
    both = context(key_anchor(SPKI), unsigned="yes")
    assert refusal(SOURCE, {"list": ENTRY}, both) == "TRUST_LIST_NOT_AUTHENTIC"
    assert SOURCE.load(SIGNED, both).assurance is Assurance.SIGNED_LIST


@pytest.mark.parametrize(
    "files",
    [
        [(NAMES[0], ENTRY), (NAMES[1], SIGNED["signature"]), ("more.bin", b"")],
        [(NAMES[0], ENTRY), (f"../{NAMES[1]}", SIGNED["signature"])],
        [(NAMES[0], ENTRY), (NAMES[0], ENTRY)],
        [(NAMES[0], ENTRY), (NAMES[1], SIGNED["signature"]), (NAMES[0], b"")],
        [(f"{number}", b"") for number in range(40)],
    ],
    ids=["another file", "a path", "one twice", "another list", "many"],
)
def test_an_archive_of_other_files(files: list[tuple[str, bytes]]) -> None:
    assert refusal(SOURCE, {"list": archive(*files)}, PINNED) == "TRUST_LIST_UNREADABLE"


def test_an_archive_is_counted_before_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    def read(*_: Any) -> None:
        raise AssertionError("it was opened")

    monkeypatch.setattr(zipfile, "ZipFile", read)
    assert refusal(SOURCE, {"list": b"PK\3\4" + b"PK\1\2" * 17}, PINNED) == "TRUST_LIST_UNREADABLE"


@pytest.mark.parametrize("name", NAMES)
def test_an_archive_that_grows_beyond_the_bounds(name: str) -> None:
    files = {NAMES[0]: ENTRY, NAMES[1]: SIGNED["signature"], name: b"\0" * 5001}
    bounds = msgspec.structs.replace(DEFAULT_LIMITS, list_bytes=5000, key_file_bytes=5000)
    with pytest.raises(TrustError, match="5000 bytes"):
        SOURCE.load({"list": archive(*files.items())}, context(key_anchor(SPKI), limits=bounds))


def test_an_archive_in_an_odd_compression() -> None:
    files = [(NAMES[0], ENTRY), (NAMES[1], SIGNED["signature"])]
    assert refusal(SOURCE, {"list": archive(*files, method=zipfile.ZIP_LZMA)}, PINNED) == "TRUST_LIST_UNREADABLE"
    assert SOURCE.load({"list": archive(*files, method=zipfile.ZIP_STORED)}, PINNED).keys


def test_bad_entries_are_skipped() -> None:
    der = dsc().certificate_der()
    data = ENTRY + item(b"another!", der) + item(kid_of(dsc()), b"x") + field(1, b"\xff") + field(1, field(1, b"k"))
    data += field(1, field(1, b"k") * 2 + field(2, der)) + b"\x08\x01"
    found = SOURCE.load({"list": data}, UNSIGNED)
    assert len(found.keys) == 1
    assert problems(found) == [
        ("entry 2", "its kid is not that of its certificate"),
        ("entry 3", "not a readable X.509 certificate"),
        ("entry 4", "not one kid and one certificate"),
        ("entry 5", "not one kid and one certificate"),
        ("entry 6", "not one kid and one certificate"),
    ]


def test_more_entries_than_are_taken() -> None:
    few = context(limits=FEW, unsigned="yes")
    assert len(SOURCE.load({"list": ENTRY}, few).keys) == 1
    assert refusal(SOURCE, {"list": ENTRY * 2}, few) == "INPUT_TOO_LONG"


@given(damaged(ENTRY, ZIPPED["list"]))
def test_nothing_else_escapes(data: bytes) -> None:
    loaded(SOURCE, {"list": data}, UNSIGNED)
    loaded(SOURCE, {"list": data}, PINNED)
    loaded(SOURCE, {"list": ENTRY, "signature": data}, PINNED)


def test_fetching() -> None:
    server = Table({"https://example.de/dscs": answer(ZIPPED["list"], etag='"1"')})
    first = SOURCE.fetch(server, "https://example.de/dscs", Known(), PINNED)
    assert first is not None
    assert dict(first.parts) == ZIPPED
    known = Known(first.parts, validators=first.validators)
    assert SOURCE.fetch(server, "https://example.de/dscs", known, PINNED) is None
