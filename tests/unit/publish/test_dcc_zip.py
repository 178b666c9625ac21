"""The public archive as it is published: what its source reads, and the same bytes for the same certificates."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from cryptography import x509

from healthcert.errors import Code, IssueError
from healthcert.publish import dcc_zip
from healthcert.trust.sources.dcc_zip import Archive
from healthcert.trust.sources.protocol import Context
from tests.gateway_world import Pair, make, world
from tests.support import DAY, NOW

SIGNER = make("EU", "Publication")


def publish(
    certificates: Sequence[Pair] | None = None, authorities: Sequence[Pair] | None = None, at: datetime = NOW
) -> dict[str, bytes]:
    here = world()
    return dcc_zip.publish(
        [pair.der for pair in (certificates or list(here.dsc.values()))],
        SIGNER.signer(),
        issued_at=at,
        authorities=[pair.der for pair in (authorities or list(here.csca.values()))],
    )


def test_what_is_published_is_what_the_source_reads() -> None:
    parts = publish()
    assert tuple(parts) == Archive.parts
    found = Archive().load(parts, Context((SIGNER.anchor(),), NOW))
    assert {key.certificate for key in found.keys} == {pair.der for pair in world().dsc.values()}
    assert (found.issued_at, found.counter, found.skipped) == (NOW, int(NOW.timestamp()), ())


def test_the_same_certificates_make_the_same_archive() -> None:
    here = world()
    first = publish()["archive"]
    assert publish(list(here.dsc.values())[::-1] * 2, list(here.csca.values())[::-1])["archive"] == first
    elsewhere = NOW.astimezone(timezone(timedelta(hours=5))) + timedelta(microseconds=5)
    assert publish(at=elsewhere)["archive"] == first
    assert publish(at=NOW + timedelta(seconds=1))["archive"] != first


def test_files_have_their_names_and_are_certificates(tmp_path: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(publish()["archive"])) as archive:
        archive.extractall(tmp_path)
    found = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    here = world()
    names = {
        f"{kind}/DCC/{country}/{_thumbprint(pair)}.pem"
        for kind, pairs in (("CSCA", here.csca), ("DSC", here.dsc))
        for country, pair in pairs.items()
    }
    assert found == names | {"Version.txt"}
    assert f"Export Timestamp: {NOW.isoformat()}\n" in (tmp_path / "Version.txt").read_text()
    for name in names:
        text = (tmp_path / name).read_bytes()
        assert x509.load_pem_x509_certificate(text).subject
        assert max(map(len, text.splitlines())) == 64


def _thumbprint(pair: Pair) -> str:
    from cryptography.hazmat.primitives import hashes

    return x509.load_der_x509_certificate(pair.der).fingerprint(hashes.SHA256()).hex()


def test_what_readers_would_skip_is_not_published() -> None:
    here = world()
    for certificates, authorities in (
        ([make("FR", "alone")], None),
        ([here.csca["FR"]], None),
        (None, [here.csca["DE"]]),
        (None, [here.upload["FR"]]),
        ([make(None, "DSC", here.csca["FR"])], None),
    ):
        with pytest.raises(IssueError) as caught:
            publish(certificates, authorities)
        assert caught.value.code is Code.PUBLISHING_REFUSED
    with pytest.raises(IssueError) as caught:
        dcc_zip.publish([b"x"], SIGNER.signer(), issued_at=NOW, authorities=[])
    assert caught.value.code is Code.PUBLISHING_REFUSED


def test_a_signer_that_is_not_valid_then_publishes_nothing() -> None:
    for moment in (NOW - 31 * DAY, NOW + 400 * DAY, datetime(2099, 1, 1, tzinfo=UTC)):
        with pytest.raises(IssueError) as caught:
            publish(at=moment)
        assert caught.value.code is Code.PUBLISHING_REFUSED
