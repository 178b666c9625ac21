"""Germany's form as it is published: what its source reads."""

from __future__ import annotations

import base64
import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from healthcert.encoding import cms
from healthcert.errors import Code, IssueError
from healthcert.lists.x509 import parse_certificate
from healthcert.publish import german
from healthcert.trust.sources.de import German
from healthcert.trust.sources.protocol import Context
from tests.gateway_world import Pair, make, world
from tests.support import NOW

SIGNER = make("DE", "List")


def publish(*certificates: Pair, signer: Pair = SIGNER, uploader: Pair | None = None) -> dict[str, bytes]:
    given = [pair.der for pair in (certificates or world().dsc.values())]
    return german.publish(
        given, signer.signer(), issued_at=NOW, uploader=None if uploader is None else uploader.signer()
    )


def test_what_is_published_is_what_the_source_reads() -> None:
    parts = publish()
    assert tuple(parts) == German.parts
    found = German().load(parts, Context((SIGNER.anchor(),), NOW))
    assert {key.certificate for key in found.keys} == {pair.der for pair in world().dsc.values()}
    assert (found.issued_at, found.skipped) == (NOW, ())


def test_the_signature_line_is_over_what_stands_under_it() -> None:
    line, _, body = publish()["list"].partition(b"\n")
    assert len(base64.b64decode(line, validate=True)) == 64
    items = json.loads(body)["certificates"]
    assert [item["kid"] for item in items] == sorted(item["kid"] for item in items)
    assert set(items[0]) == {
        *("kid", "timestamp", "country", "certificateType", "thumbprint", "signature", "rawData"),
    }


def test_items_are_signed_by_their_uploader_where_there_is_one() -> None:
    upload = world().upload["FR"]
    for uploader, signed_by in ((None, SIGNER), (upload, upload)):
        _, _, body = publish(world().dsc["FR"], uploader=uploader)["list"].partition(b"\n")
        (item,) = json.loads(body)["certificates"]
        message = cms.read(base64.b64decode(item["signature"]))
        key = parse_certificate(signed_by.der).public_key()
        assert message.signers[0].verify(key, world().dsc["FR"].der, message.content_type)


def test_lists_are_signed_with_es256() -> None:
    for key in (
        ec.generate_private_key(ec.SECP384R1()),
        rsa.generate_private_key(public_exponent=65537, key_size=2048),
    ):
        with pytest.raises(IssueError) as caught:
            publish(signer=make("DE", "List", key=key))
        assert caught.value.code is Code.PUBLISHING_REFUSED
        assert "signed with ES256" in caught.value.detail


def test_what_readers_would_skip_is_not_published() -> None:
    brainpool = make("FR", "DSC", world().csca["FR"], key=ec.generate_private_key(ec.BrainpoolP256R1()))
    for odd in (brainpool, make(None, "DSC")):
        with pytest.raises(IssueError) as caught:
            publish(odd)
        assert caught.value.code is Code.PUBLISHING_REFUSED
    with pytest.raises(IssueError) as caught:
        german.publish([b"x"], SIGNER.signer(), issued_at=NOW)
    assert caught.value.code is Code.PUBLISHING_REFUSED
