"""The EU gateway's public archive: signed as a whole, opened within bounds, each key chained in it."""

from __future__ import annotations

import base64
import hashlib
import io
import zipfile
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from healthcert.errors import Code, HealthCertError, TrustError
from healthcert.fetch import Response
from healthcert.limits import Limits
from healthcert.lists.anchors import TrustAnchor
from healthcert.lists.x509 import parse_certificate
from healthcert.trust.keys import Assurance
from healthcert.trust.sources.dcc_zip import Archive
from healthcert.trust.sources.protocol import Context, Fetched, Known, Role, TrustList
from healthcert.trust.sources.registry import source_named
from tests.gateway_world import YEAR, Pair, authority, deep, make, repeated, uploader, world
from tests.support import DAY, NOW

FR, DE = "FR", "DE"
MADE = datetime(2021, 8, 20, 3, 0, 0, 123456, tzinfo=UTC)
VERSION = "DGCG Data Export\n\nExport Timestamp: 2021-08-20T05:00:00.123456+02:00\n"
PUBLISHER = make("EU", "Publication")


def pem(der: bytes) -> bytes:
    body = base64.encodebytes(der)
    return b"-----BEGIN CERTIFICATE-----\n" + body + b"-----END CERTIFICATE-----\n"


def entry(kind: str, pair: Pair, country: str | None = None, name: str | None = None) -> tuple[str, bytes]:
    thumbprint = hashlib.sha256(pair.der).hexdigest()
    folder = country or parse_certificate(pair.der).country
    return name or f"{kind}/DCC/{folder}/{thumbprint}.pem", pem(pair.der)


def files(*more: tuple[str, bytes], **changes: list[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
    """What is in an archive; ``changes`` exchange the CSCAs, the DSCs or the rest."""
    here = world()
    every = {
        "rest": [
            ("Readme.txt", b"read me"),
            ("License.txt", b""),
            ("Version.txt", VERSION.encode()),
            ("DSC/", b""),
            ("DSC/DCC/FR/", b""),
        ],
        "CSCA": [entry("CSCA", pair) for pair in here.csca.values()],
        "DSC": [entry("DSC", pair) for pair in here.dsc.values()],
    } | changes
    return [*every["rest"], *every["CSCA"], *every["DSC"], *more]


def zipped(content: Iterable[tuple[str, bytes]], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, data in content:
            archive.writestr(zipfile.ZipInfo(name), data, compression)
    return buffer.getvalue()


def signed(archive: bytes, signer: Pair = PUBLISHER) -> dict[str, bytes]:
    return {"archive": archive, "signature": base64.b64encode(signer.cms(archive))}


def context(*anchors: TrustAnchor, now: datetime = NOW) -> Context:
    return Context(anchors or (PUBLISHER.anchor(),), now)


def load(*more: tuple[str, bytes], **changes: list[tuple[str, bytes]]) -> TrustList:
    return Archive().load(signed(zipped(files(*more, **changes))), context())


def refused(parts: Mapping[str, bytes], code: Code, given_: Context | None = None) -> str:
    with pytest.raises(TrustError) as caught:
        Archive().load(parts, given_ or context())
    assert caught.value.code is code
    return caught.value.detail


def skipped(found: TrustList) -> list[tuple[str, Code, str]]:
    return [(one.source.partition("/DCC/")[0], one.error.code, one.error.detail) for one in found.skipped]


def test_each_key_is_chained_and_the_archive_dated() -> None:
    found = load()
    here = world()
    assert {key.certificate for key in found.keys} == {pair.der for pair in here.dsc.values()}
    key = next(key for key in found.keys if key.country == FR)
    assert (key.domain, key.kid) == ("DCC", parse_certificate(here.dsc[FR].der).kid)
    assert [(one.role, one.subject) for one in key.chain] == [("CSCA", "FR CSCA"), ("publisher", "the anchor")]
    assert (found.assurance, found.skipped) == (Assurance.SIGNED_CHAIN, ())
    assert (found.issued_at, found.counter) == (MADE, int(MADE.timestamp()))
    assert found.signer == PUBLISHER.anchor()
    parts = signed(zipped(files()))
    assert Archive().load(parts, context()).signed == hashlib.sha256(parts["archive"]).digest()
    assert {(one.role, one.country) for one in found.authorities} == {(Role.CSCA, FR), (Role.CSCA, DE)}


def test_it_is_the_format_of_that_name() -> None:
    assert isinstance(source_named("dcc-zip"), Archive)


def test_the_signature_may_end_its_line() -> None:
    parts = signed(zipped(files()))
    assert Archive().load(parts | {"signature": parts["signature"] + b"\n"}, context()).keys
    for other in (parts["signature"] + b"\n\n", b" " + parts["signature"], parts["signature"] + b"="):
        refused(parts | {"signature": other}, Code.TRUST_LIST_UNREADABLE)


def test_a_key_is_valid_no_longer_than_its_authority() -> None:
    csca = authority(end=NOW + DAY)
    found = load(CSCA=[entry("CSCA", csca)], DSC=[entry("DSC", make(FR, "DSC", csca))])
    assert found.keys[0].not_after == NOW + DAY


# --- The signature ---


def test_no_byte_of_the_archive_can_be_changed() -> None:
    parts = signed(zipped(files()))
    for position in range(0, len(parts["archive"]), 7):
        changed = bytearray(parts["archive"])
        changed[position] ^= 1
        refused(parts | {"archive": bytes(changed)}, Code.TRUST_LIST_NOT_AUTHENTIC)
    refused(parts | {"archive": parts["archive"] + b"\0"}, Code.TRUST_LIST_NOT_AUTHENTIC)


def test_an_archive_that_a_stranger_signed_is_refused() -> None:
    refused(signed(zipped(files()), make("EU", "Publication")), Code.TRUST_LIST_NOT_AUTHENTIC)
    # The publisher's certificate beside a stranger's signature.
    posing = Pair(PUBLISHER.key, make("EU", "Publication", key=PUBLISHER.key).der)
    refused(signed(zipped(files()), posing), Code.TRUST_LIST_NOT_AUTHENTIC)


def test_an_anchor_of_the_gateway_is_not_asked_for_who_publishes() -> None:
    refused(signed(zipped(files())), Code.TRUST_LIST_NOT_AUTHENTIC, context(world().anchor.anchor()))
    refused(signed(zipped(files())), Code.TRUST_ANCHOR_MISSING, Context((), NOW))
    refused(signed(zipped(files())), Code.TRUST_ANCHOR_MISSING, context(now=NOW + 2 * YEAR))


def test_nothing_of_an_archive_is_opened_before_its_signature_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    def opened(*args: Any) -> None:
        raise AssertionError

    monkeypatch.setattr(zipfile, "ZipFile", opened)
    parts = signed(b"whatever", make("EU", "Publication"))
    refused(parts, Code.TRUST_LIST_NOT_AUTHENTIC)


@pytest.mark.parametrize("signature", [b"", b"AAAA", b"no base64", b"\xff", b"MAA=\n\n", b" MAA="])
def test_what_is_no_signature_is_refused(signature: bytes) -> None:
    refused(signed(zipped(files())) | {"signature": signature}, Code.TRUST_LIST_UNREADABLE)


def test_a_second_signature_is_refused() -> None:
    archive = zipped(files())
    twice = base64.b64encode(repeated(PUBLISHER.cms(archive), 1, 2))
    refused({"archive": archive, "signature": twice}, Code.TRUST_LIST_NOT_AUTHENTIC)


@pytest.mark.parametrize("name", ["archive", "signature"])
def test_both_parts_are_needed(name: str) -> None:
    parts = signed(zipped(files()))
    del parts[name]
    refused(parts, Code.TRUST_LIST_UNREADABLE)


# --- The archive, which its publisher signed and may have made wrong ---


@pytest.mark.parametrize("archive", [b"", b"PK", b"PK\5\6" + bytes(18), b"no archive", zipped(files())[:-30]])
def test_what_is_no_archive_is_refused(archive: bytes) -> None:
    refused(signed(archive), Code.TRUST_LIST_UNREADABLE)


def test_an_archive_that_does_not_tell_when_it_was_made_is_refused() -> None:
    refused(signed(zipped(files(rest=[]))), Code.TRUST_LIST_UNREADABLE)
    for text in (
        "",
        "2021-08-20T05:00:00+02:00",
        "Export Timestamp: ",
        "Export Timestamp: yesterday",
        "Export Timestamp: 2021-08-20T05:00:00",
        "Export Timestamp: 0001-01-01T00:00:00+23:00",
        VERSION + VERSION,
    ):
        detail = refused(signed(zipped(files(rest=[("Version.txt", text.encode())]))), Code.TRUST_LIST_UNREADABLE)
        assert detail == "Version.txt does not tell when the archive was made"


def test_names_that_are_there_twice_are_refused() -> None:
    doubled = [("Version.txt", VERSION.encode()), ("Version.txt", VERSION.encode())]
    with pytest.warns(UserWarning, match="Duplicate"):
        archive = zipped(files(rest=doubled))
    assert refused(signed(archive), Code.TRUST_LIST_UNREADABLE) == "an archive with two files of one name"


@pytest.mark.parametrize("compression", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_only_the_usual_compression_is_read(compression: int) -> None:
    refused(signed(zipped(files(), compression)), Code.TRUST_LIST_UNREADABLE)
    assert Archive().load(signed(zipped(files(), zipfile.ZIP_STORED)), context()).keys


def test_an_encrypted_file_is_refused() -> None:
    archive = bytearray(zipped([("Version.txt", VERSION.encode())]))
    archive[archive.index(b"PK\1\2") + 8] |= 1
    refused(signed(bytes(archive)), Code.TRUST_LIST_UNREADABLE)


def test_a_file_that_grows_beyond_what_a_certificate_is_is_refused() -> None:
    name, _ = entry("DSC", world().dsc[FR])
    for data in (bytes(1 << 20), Random(1).randbytes(20_000)):
        refused(signed(zipped(files(DSC=[(name, data)]))), Code.INPUT_TOO_LONG)
    # One that grows out of nearly nothing, though to no more than a certificate's size.
    refused(signed(zipped(files(DSC=[(name, bytes(16_000))]))), Code.INPUT_TOO_LONG)


def test_a_file_that_states_another_size_than_it_has_is_refused() -> None:
    name, _ = entry("DSC", world().dsc[FR])
    archive = bytearray(zipped([*files(DSC=[]), (name, bytes(1 << 20))]))
    last = archive.rindex(b"PK\1\2")
    archive[last + 24 : last + 28] = (1000).to_bytes(4, "little")
    refused(signed(bytes(archive)), Code.TRUST_LIST_UNREADABLE)


def test_bounds_of_entries_and_bytes() -> None:
    archive = signed(zipped(files()))
    few = replace(context(), limits=Limits(trust_entries=8))
    refused(archive, Code.INPUT_TOO_LONG, few)
    assert Archive().load(archive, replace(context(), limits=Limits(trust_entries=9))).keys
    refused(archive, Code.INPUT_TOO_LONG, replace(context(), limits=Limits(list_bytes=1000)))


@pytest.mark.parametrize(
    "name",
    [
        "../../DSC/DCC/FR/{0}.pem",
        "/DSC/DCC/FR/{0}.pem",
        "DSC/DCC/fr/{0}.pem",
        "DSC/DCC/FRA/{0}.pem",
        "DSC/DCC/FR/x/{0}.pem",
        "DSC/DCC/FR/{0}.pem/",
        "DSC/DCC/FR/{0}.PEM",
        "DSC/DDCC/FR/{0}.pem",
        "UPLOAD/DCC/FR/{0}.pem",
        "DSC\\DCC\\FR\\{0}.pem.txt",
    ],
)
def test_files_under_other_names_are_not_looked_at(name: str) -> None:
    pair = world().dsc[FR]
    renamed = entry("DSC", pair, name=name.format(hashlib.sha256(pair.der).hexdigest()))
    found = load(DSC=[renamed, entry("DSC", world().dsc[DE])])
    assert [key.country for key in found.keys] == [DE]
    assert found.skipped == ()


def test_nothing_is_written(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert load(("../outside", b"x"), ("inside", b"x")).keys
    assert list(tmp_path.iterdir()) == []


# --- The certificates in it ---


def test_a_dsc_of_an_authority_that_is_not_in_the_archive_is_skipped() -> None:
    found = load(CSCA=[entry("CSCA", world().csca[DE])])
    assert [key.country for key in found.keys] == [DE]
    assert skipped(found) == [("DSC", Code.KEY_NOT_CHAINED, "no trusted authority of that name")]


def test_a_self_signed_dsc_is_skipped() -> None:
    found = load(DSC=[entry("DSC", make(FR, "FR CSCA"))])
    assert skipped(found) == [("DSC", Code.KEY_NOT_CHAINED, "the issuer's signature does not verify")]


def test_a_csca_is_no_dsc() -> None:
    csca = world().csca[FR]
    for pair in (csca, make(FR, "DSC", csca, key=csca.key)):
        found = load(DSC=[entry("DSC", pair)])
        assert found.keys == ()
        assert skipped(found) == [("DSC", Code.KEY_NOT_CHAINED, "its key is that of its CSCA")]


def test_csca_of_another_country_is_no_authority_here() -> None:
    csca = authority(DE)
    found = load(CSCA=[entry("CSCA", csca)], DSC=[entry("DSC", make(FR, "DSC", csca))])
    assert skipped(found) == [("DSC", Code.KEY_NOT_CHAINED, "the authority is another country's")]


@pytest.mark.parametrize("kind", ["CSCA", "DSC"])
def test_a_certificate_in_another_countrys_folder_is_skipped(kind: str) -> None:
    here = world()
    pair = (here.csca if kind == "CSCA" else here.dsc)[FR]
    found = load(**{kind: [entry(kind, pair, DE)]})
    assert found.keys == ()
    where = (kind, Code.CERTIFICATE_UNREADABLE, "the folder is not that of the certificate's country")
    assert skipped(found)[0] == where


@pytest.mark.parametrize("kind", ["CSCA", "DSC"])
def test_a_certificate_under_another_thumbprint_is_skipped(kind: str) -> None:
    here = world()
    pair = (here.csca if kind == "CSCA" else here.dsc)[FR]
    renamed = entry(kind, pair, name=f"{kind}/DCC/FR/{'0' * 64}.pem")
    found = load(**{kind: [renamed]})
    assert skipped(found)[0][2] == "the name of the file is not the thumbprint of its certificate"
    assert found.keys == ()


@pytest.mark.parametrize("pair", [uploader(), make(FR, "CA", ca=False, signs=None)])
def test_what_does_not_say_that_it_is_an_authority_is_none(pair: Pair) -> None:
    found = load(CSCA=[entry("CSCA", pair)], DSC=[entry("DSC", make(FR, "DSC", pair))])
    assert [one[0] for one in skipped(found)] == ["CSCA", "DSC"]
    assert found.keys == ()


@pytest.mark.parametrize("data", [b"", b"x", b"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n", pem(b"x")])
def test_what_is_no_certificate_is_skipped(data: bytes) -> None:
    name, _ = entry("DSC", world().dsc[FR])
    found = load(DSC=[(name, data), entry("DSC", world().dsc[DE])])
    assert [key.country for key in found.keys] == [DE]
    assert skipped(found)[0][1] is Code.CERTIFICATE_UNREADABLE


def test_a_file_holds_one_certificate() -> None:
    name, data = entry("DSC", world().dsc[FR])
    _, other = entry("DSC", world().dsc[DE])
    for both in (data + other, other + data, b"x" + data, data.replace(b"=", b"", 1) if b"=" in data else b""):
        assert load(DSC=[(name, both)]).keys == ()


def test_a_key_that_cannot_sign_health_certificates_is_skipped() -> None:
    brainpool = make(FR, "DSC", world().csca[FR], key=ec.generate_private_key(ec.BrainpoolP256R1()))
    assert skipped(load(DSC=[entry("DSC", brainpool)]))[0][1] is Code.CERTIFICATE_UNREADABLE


def test_an_issuer_without_a_readable_name_harms_one_certificate_only() -> None:
    damaged = world().dsc[FR].der.replace(b"\x13\x02FR", b"\x05\0\x05\0", 1)
    found = load(DSC=[entry("DSC", Pair(PUBLISHER.key, damaged), FR), entry("DSC", world().dsc[DE])])
    assert [key.country for key in found.keys] == [DE]
    assert skipped(found)[0][:2] == ("DSC", Code.CERTIFICATE_UNREADABLE)


def test_a_certificate_of_too_many_levels_harms_one_certificate_only() -> None:
    found = load(DSC=[entry("DSC", deep(world().dsc[FR]), FR), entry("DSC", world().dsc[DE])])
    assert [key.country for key in found.keys] == [DE]
    assert skipped(found)[0][:2] == ("DSC", Code.CERTIFICATE_UNREADABLE)


@given(st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_is_signed_nothing_but_our_own_errors_comes_out(data: st.DataObject) -> None:
    """An archive that its publisher signed, damaged before that: only what is in it protects."""
    archive = bytearray(_GOOD)
    for _ in range(data.draw(st.integers(1, 4))):
        # The headers are the last part, and what is seldom right by chance.
        start = data.draw(st.sampled_from([0, len(archive) - 1500]))
        archive[data.draw(st.integers(start, len(archive) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = Archive().load(signed(bytes(archive)), context())
    except HealthCertError:
        return
    assert {key.certificate for key in found.keys} <= {pair.der for pair in world().dsc.values()}


_GOOD = zipped(files(), zipfile.ZIP_STORED)


@given(st.binary(max_size=300), st.binary(max_size=300))
def test_arbitrary_bytes_are_our_own_error(archive: bytes, signature: bytes) -> None:
    for parts in (
        {"archive": archive, "signature": signature},
        {"archive": archive, "signature": base64.b64encode(signature)},
        signed(archive),
    ):
        with pytest.raises(HealthCertError):
            Archive().load(parts, context())


# --- Fetching ---

URL = "https://publication.example/dcc_trustlist.zip"


class Server:
    """Serves both files, each with an ETag that changes with it."""

    def __init__(self, parts: Mapping[str, bytes]) -> None:
        self.bodies = {URL: parts["archive"], f"{URL}.sig.txt": parts["signature"]}
        self.asked: list[str] = []

    def get(self, url: str, *, limit: int, headers: Mapping[str, str] | None = None) -> Response:
        self.asked.append(url)
        body = self.bodies[url]
        etag = hashlib.sha256(body).hexdigest()
        if (headers or {}).get("If-None-Match") == etag:
            return Response(304)
        return Response(200, body, {"etag": etag})

    def post(self, url: str, body: bytes, *, content_type: str, limit: int) -> Response:
        raise NotImplementedError


def fetch(server: Server, known: Known | None = None) -> Fetched | None:
    return Archive().fetch(server, URL, known or Known(), context())


def test_both_files_are_fetched_and_once_only() -> None:
    server = Server(signed(zipped(files())))
    found = fetch(server)
    assert found is not None
    assert found.whole
    assert server.asked == [URL, f"{URL}.sig.txt"]
    assert len(Archive().load(found.parts, context()).keys) == 2
    assert fetch(server, Known(found.parts, validators=found.validators)) is None
    # Without what was received, a validator is of no use.
    assert fetch(server, Known({}, validators=found.validators)) is not None


def test_of_what_changed_the_rest_is_kept() -> None:
    parts = signed(zipped(files()))
    first = fetch(Server(parts))
    assert first is not None
    again = signed(parts["archive"])
    found = fetch(Server(again), Known(first.parts, validators=first.validators))
    assert found is not None
    assert found.parts == again
