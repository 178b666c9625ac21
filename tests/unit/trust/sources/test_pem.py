"""Bundles of certificates: their forms, and the signature beside one. And P7B wherever certificates are read."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from hypothesis import given

import healthcert as hc
from healthcert.errors import FetchError
from healthcert.issue.pki import KeyPair
from healthcert.lists.reading import Rejected
from healthcert.trust.files import read_entries, read_path
from healthcert.trust.keys import Assurance
from healthcert.trust.sources.pem import Certificates
from healthcert.trust.sources.protocol import Known
from tests.support import csca, dsc
from tests.unit.trust.sources.world import (
    FEW,
    Table,
    answer,
    b64,
    certificate_anchor,
    check_no_more,
    context,
    curve_key,
    damaged,
    flips,
    key_anchor,
    kid_of,
    loaded,
    problems,
    refusal,
    spki_of,
)

SOURCE = Certificates()
PLAIN = context()
PINNED = context(certificate_anchor(csca()))
PAIRS = [dsc(), dsc(hc.EntryType.TEST)]
PEM = b"".join(pair.certificate_pem() for pair in PAIRS)
P7B = pkcs7.serialize_certificates([pair.certificate for pair in PAIRS], Encoding.DER)
P7B_PEM = pkcs7.serialize_certificates([pair.certificate for pair in PAIRS], Encoding.PEM)


def signature(data: bytes, signer: KeyPair | None = None, *options: pkcs7.PKCS7Options) -> bytes:
    """A detached CMS signature, made by another library than the one that reads it."""
    signer = signer or csca()
    builder = pkcs7.PKCS7SignatureBuilder().set_data(data)
    builder = builder.add_signer(signer.certificate, signer.key, hashes.SHA256())
    chosen = [pkcs7.PKCS7Options.DetachedSignature, pkcs7.PKCS7Options.Binary, *options]
    return builder.sign(Encoding.DER, chosen)


@pytest.mark.parametrize("data", [PEM, P7B, P7B_PEM, b64(P7B).encode()], ids=["PEM", "P7B", "P7B in PEM", "base64"])
def test_forms(data: bytes) -> None:
    found = SOURCE.load({"list": data}, PLAIN)
    assert {(key.kid, key.domain, key.source) for key in found.keys} == {
        (kid_of(pair), "DCC", "memory") for pair in PAIRS
    }
    assert {key.usages for key in found.keys} == {None, frozenset({hc.EntryType.TEST})}
    assert (found.assurance, found.signer, found.skipped) == (Assurance.LOCAL, None, ())


def test_one_certificate_in_der() -> None:
    assert [key.kid for key in SOURCE.load({"list": dsc().certificate_der()}, PLAIN).keys] == [kid_of(dsc())]


def test_the_domain_is_the_operators() -> None:
    assert {key.domain for key in SOURCE.load({"list": PEM}, context(domain="DDCC")).keys} == {"DDCC"}


def test_bad_entries_are_skipped() -> None:
    bare = b"-----BEGIN PUBLIC KEY-----\n" + b64(curve_key()).encode() + b"\n-----END PUBLIC KEY-----\n"
    found = SOURCE.load({"list": PEM + bare + b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"}, PLAIN)
    assert len(found.keys) == 2
    assert [where for where, _ in problems(found)] == ["list#3", "list#4"]


@pytest.mark.parametrize("data", [b"", b"x", b"-----BEGIN CERTIFICATE-----", b"<html>"])
def test_no_bundle(data: bytes) -> None:
    assert refusal(SOURCE, {"list": data}, PLAIN) == "TRUST_LIST_UNREADABLE"


@pytest.mark.parametrize("data", [PEM, P7B, P7B_PEM])
def test_more_certificates_than_are_taken(data: bytes) -> None:
    assert refusal(SOURCE, {"list": data}, context(limits=FEW)) == "INPUT_TOO_LONG"


# --- The signature ---


def test_a_signed_bundle() -> None:
    detached = signature(PEM)
    for form in (detached, b64(detached).encode(), b64(detached).encode() + b"\n"):
        found = SOURCE.load({"list": PEM, "signature": form}, PINNED)
        assert (len(found.keys), found.assurance, found.signer) == (2, Assurance.SIGNED_LIST, PINNED.anchors[0])
    bare = context(key_anchor(spki_of(csca())))
    assert SOURCE.load({"list": PEM, "signature": detached}, bare).assurance is Assurance.SIGNED_LIST
    assert SOURCE.load({"list": PEM, "signature": detached}, bare).signed == hashlib.sha256(PEM).digest()


def test_a_signature_over_the_bytes_alone() -> None:
    detached = signature(PEM, None, pkcs7.PKCS7Options.NoAttributes)
    assert SOURCE.load({"list": PEM, "signature": detached}, PINNED).assurance is Assurance.SIGNED_LIST


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        ({"list": PEM}, "TRUST_LIST_NOT_AUTHENTIC"),
        ({"list": PEM, "signature": signature(PEM, dsc())}, "TRUST_LIST_NOT_AUTHENTIC"),
        ({"list": PEM, "signature": signature(P7B)}, "TRUST_LIST_NOT_AUTHENTIC"),
        ({"list": PEM, "signature": P7B}, "TRUST_LIST_NOT_AUTHENTIC"),
        ({"list": PEM, "signature": b""}, "TRUST_LIST_UNREADABLE"),
        ({"list": PEM, "signature": b64(signature(PEM)).encode() + b"\n\n"}, "TRUST_LIST_UNREADABLE"),
        ({"list": PEM, "signature": b"0"}, "TRUST_LIST_UNREADABLE"),
    ],
)
def test_a_bundle_that_does_not_check_is_refused(parts: dict[str, bytes], code: str) -> None:
    assert refusal(SOURCE, parts, PINNED) == code


def test_a_signature_that_nobody_could_check() -> None:
    assert refusal(SOURCE, {"list": PEM, "signature": signature(PEM)}, PLAIN) == "TRUST_ANCHOR_MISSING"


def test_any_byte_of_a_signed_bundle_matters() -> None:
    data = dsc().certificate_pem()
    detached = signature(data)
    for changed in flips(data):
        assert refusal(SOURCE, {"list": changed, "signature": detached}, PINNED) == "TRUST_LIST_NOT_AUTHENTIC"
    good = SOURCE.load({"list": data, "signature": detached}, PINNED)
    for changed in flips(b64(detached).encode() + b"\n"):
        check_no_more(good, loaded(SOURCE, {"list": data, "signature": changed}, PINNED))


# --- Fetching ---

URL, SIGNATURE_URL = "https://example.org/dsc.pem", "https://example.org/dsc.pem.sig"


def test_what_was_fetched_is_worth_the_name_of_its_server() -> None:
    server = Table({URL: answer(PEM, etag='"1"')})
    fetched = SOURCE.fetch(server, URL, Known(), PLAIN)
    assert fetched is not None
    assert SOURCE.load(fetched.parts, PLAIN).assurance is Assurance.TLS_ONLY
    assert SOURCE.fetch(server, URL, Known(fetched.parts, validators=fetched.validators), PLAIN) is None
    # What is not kept any more is asked for without a condition.
    assert SOURCE.fetch(server, URL, Known(validators=fetched.validators), PLAIN) is not None
    assert [headers for _, headers in server.asked] == [{}, {"If-None-Match": '"1"'}, {}]


def test_the_signature_is_fetched_with_it() -> None:
    under = context(certificate_anchor(csca()), signature=SIGNATURE_URL)
    server = Table({URL: answer(PEM, etag='"1"'), SIGNATURE_URL: answer(signature(PEM))})
    fetched = SOURCE.fetch(server, URL, Known(), under)
    assert fetched is not None
    assert SOURCE.load(fetched.parts, under).assurance is Assurance.SIGNED_LIST
    assert SOURCE.fetch(server, URL, Known(fetched.parts, validators=fetched.validators), under) is None
    with pytest.raises(FetchError):
        SOURCE.fetch(Table({URL: answer(PEM)}), URL, Known(), under)


@given(damaged(PEM, P7B, P7B_PEM))
def test_nothing_else_escapes(data: bytes) -> None:
    loaded(SOURCE, {"list": data}, PLAIN)
    loaded(SOURCE, {"list": data, "signature": signature(b"x")}, PINNED)
    loaded(SOURCE, {"list": PEM, "signature": data}, PINNED)


# --- P7B wherever certificates are read ---


def test_a_trust_store_from_p7b(tmp_path: Path) -> None:
    for name, data in {"a.p7b": P7B, "b.P7C": P7B_PEM, "c.txt": P7B}.items():
        (tmp_path / name).write_bytes(data)
    assert sorted(entry.source for entry in read_path(tmp_path)) == ["a.p7b/1", "a.p7b/2", "b.P7C/1", "b.P7C/2"]
    store = hc.TrustStore.from_path(tmp_path)
    assert (len(store), store.rejected) == (2, [])


@pytest.mark.parametrize("label", [b"PKCS7", b"CMS"])
def test_both_labels(label: bytes) -> None:
    block = P7B_PEM.replace(b" PKCS7", b" " + label)
    assert all(not isinstance(entry, Rejected) for entry in read_entries(block, source="x"))


@pytest.mark.parametrize(
    "data",
    [
        b"-----BEGIN PKCS7-----\nAAAA\n-----END PKCS7-----",
        # A label binds: a certificate in a block that says otherwise is none of its own.
        dsc().certificate_pem().replace(b" CERTIFICATE", b" PKCS7"),
        P7B_PEM.replace(b" PKCS7", b" CERTIFICATE"),
        P7B[:-1],
        P7B + b"\0",
        pkcs7.PKCS7SignatureBuilder()
        .set_data(b"x")
        .add_signer(csca().certificate, csca().key, hashes.SHA256())
        .sign(Encoding.DER, [pkcs7.PKCS7Options.NoCerts]),
    ],
    ids=["no CMS", "a certificate", "labelled as a certificate", "cut short", "more after it", "no certificates"],
)
def test_p7b_that_cannot_be_used(data: bytes) -> None:
    (entry,) = read_entries(data, source="x")
    assert isinstance(entry, Rejected)
    assert entry.error.code == "CERTIFICATE_UNREADABLE"


@pytest.mark.parametrize(
    "data",
    [
        dsc().certificate_pem().partition(b"-----END")[0],
        b"-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----",
        # With a kid a bare key can be used, but not in the place of a certificate.
        b"-----BEGIN CERTIFICATE-----\n" + b64(curve_key()).encode() + b"\n-----END CERTIFICATE-----",
    ],
    ids=["no end", "no base64", "a bare key"],
)
def test_blocks_that_cannot_be_used(data: bytes) -> None:
    (entry,) = read_entries(data, source="x", kid=b"12345678")
    assert isinstance(entry, Rejected)


def test_one_unusable_certificate_in_p7b() -> None:
    der = dsc().certificate_der()
    # The type of its key, an OBJECT IDENTIFIER, is one that there is none of.
    broken = P7B.replace(der, der.replace(bytes.fromhex("06072a8648ce3d0201"), bytes.fromhex("06072a8648ce3d02ff")))
    good, bad = sorted(read_entries(broken, source="x"), key=lambda entry: isinstance(entry, Rejected))
    assert not isinstance(good, Rejected)
    assert isinstance(bad, Rejected)
