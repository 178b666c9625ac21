"""What a country publishes as a gateway would, and what it asks a gateway to add and withdraw."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import datetime

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from healthcert.encoding import cms
from healthcert.errors import Code, FetchError, IssueError
from healthcert.fetch import Response
from healthcert.lists.x509 import parse_certificate
from healthcert.publish import gateway
from healthcert.trust.sources.dgcg import Gateway
from tests.gateway_world import Pair, authority, context, make, uploader, world
from tests.support import DAY, NOW

FR = "FR"


def publish(*certificates: Pair, upload: Pair | None = None, csca: Pair | None = None) -> dict[str, bytes]:
    here = world()
    return gateway.publish(
        [pair.der for pair in certificates or (here.dsc[FR],)],
        (upload or here.upload[FR]).signer(),
        issued_at=NOW,
        authorities=[(csca or here.csca[FR]).der],
        anchor=here.anchor.signer(),
    )


def refused(call: Callable[[], object], detail: str) -> None:
    with pytest.raises(IssueError) as caught:
        call()
    assert caught.value.code is Code.PUBLISHING_REFUSED
    assert detail in caught.value.detail


def test_what_is_published_is_what_the_source_reads() -> None:
    parts = publish()
    assert tuple(parts) == Gateway.parts
    found = Gateway().load(parts, context())
    assert [key.certificate for key in found.keys] == [world().dsc[FR].der]
    assert found.issued_at == NOW


def test_an_item_has_the_members_that_a_gateway_sends() -> None:
    here = world()
    moment = datetime.fromisoformat("2021-08-20T12:00:00.5+02:00")
    der = here.dsc[FR].der
    found = dict(gateway.item(der, FR, "DSC", here.upload[FR].signer(), moment))
    signature = base64.b64decode(found.pop("signature"))
    assert found == {
        "kid": base64.b64encode(hashlib.sha256(der).digest()[:8]).decode(),
        "timestamp": "2021-08-20T10:00:00Z",
        "country": FR,
        "certificateType": "DSC",
        "thumbprint": hashlib.sha256(der).hexdigest(),
        "rawData": base64.b64encode(der).decode(),
    }
    message = cms.read(signature)
    assert (message.content, message.certificates) == (None, (here.upload[FR].der,))


def test_lists_of_several_countries_are_made_of_their_items() -> None:
    here = world()
    items = [gateway.item(pair.der, name, "DSC", here.upload[name].signer(), NOW) for name, pair in here.dsc.items()]
    items += [gateway.item(pair.der, name, "CSCA", here.anchor.signer(), NOW) for name, pair in here.csca.items()]
    items += [gateway.item(pair.der, name, "UPLOAD", here.anchor.signer(), NOW) for name, pair in here.upload.items()]
    found = Gateway().load(gateway.lists_of(items), context())
    assert {key.country for key in found.keys} == {"FR", "DE"}
    assert [json.loads(part) for part in gateway.lists_of([]).values()] == [[], [], []]


def test_an_rsa_signer_publishes_too() -> None:
    upload = uploader(key=rsa.generate_private_key(public_exponent=65537, key_size=2048))
    assert Gateway().load(publish(upload=upload), context()).keys


def test_what_readers_would_skip_is_not_published() -> None:
    here = world()
    refused(lambda: publish(here.dsc[FR], make(FR, "alone")), "1 entries could not be used, the first one DSC entry")
    refused(lambda: publish(upload=uploader(end=NOW - DAY)), "would refuse it")
    refused(lambda: publish(csca=uploader()), "no CSCA in it")
    refused(lambda: publish(csca=authority("DE")), "not of that country")
    refused(lambda: publish(upload=here.upload["DE"]), "not of that country")


def test_an_item_is_of_its_certificates_country_and_a_known_type() -> None:
    here = world()
    signer = here.upload[FR].signer()
    refused(lambda: gateway.item(here.dsc[FR].der, "DE", "DSC", signer, NOW), "not of that country")
    refused(lambda: gateway.item(here.dsc[FR].der, FR, "AUTHENTICATION", signer, NOW), "no items of that type")
    refused(lambda: gateway.item(b"x", FR, "DSC", signer, NOW), "not a readable X.509 certificate")


def test_algorithms_that_no_gateway_takes_are_refused() -> None:
    upload = uploader(key=ec.generate_private_key(ec.SECP384R1()))
    refused(lambda: gateway.upload_request(world().dsc[FR].der, upload.signer()), "ES256 and PS256")
    refused(lambda: publish(upload=upload), "ES256 and PS256")


# --- Requests ---


@pytest.mark.parametrize("make_request", [gateway.upload_request, gateway.delete_request])
def test_a_request_holds_the_certificate_signed_by_the_uploader(make_request: Callable[..., bytes]) -> None:
    here = world()
    body = make_request(here.dsc[FR].der, here.upload[FR].signer(), signing_time=NOW)
    assert b"\n" not in body
    message = cms.read(base64.b64decode(body, validate=True))
    assert (message.content, message.certificates) == (here.dsc[FR].der, (here.upload[FR].der,))
    (signer,) = message.signers
    assert signer.verify(parse_certificate(here.upload[FR].der).public_key(), here.dsc[FR].der, cms.DATA)
    assert b"\x17\x0d210820100000Z" in (signer.attributes or b"")


def test_a_country_uploads_its_own_certificates() -> None:
    here = world()
    stateless = make(None, "DSC", here.csca[FR])
    nowhere = uploader(None)
    for dsc, upload in ((here.dsc["DE"], here.upload[FR]), (stateless, here.upload[FR]), (stateless, nowhere)):
        with pytest.raises(IssueError) as caught:
            gateway.upload_request(dsc.der, upload.signer())
        assert caught.value.code is Code.PUBLISHING_REFUSED
    refused(lambda: gateway.upload_request(b"x", here.upload[FR].signer()), "not a readable X.509 certificate")


class Server:
    def __init__(self, status: int = 201) -> None:
        self.status = status
        self.asked: list[tuple[str, bytes, str]] = []

    def get(self, url: str, *, limit: int, headers: Mapping[str, str] | None = None) -> Response:
        raise NotImplementedError

    def post(self, url: str, body: bytes, *, content_type: str, limit: int) -> Response:
        self.asked.append((url, body, content_type))
        if self.status >= 300:
            raise FetchError(Code.FETCH_FAILED, f"status {self.status}")
        return Response(self.status)


@pytest.mark.parametrize("url", ["https://gateway.example", "https://gateway.example/"])
def test_requests_go_where_the_gateway_takes_them(url: str) -> None:
    server = Server()
    gateway.upload(server, url, b"one")
    gateway.withdraw(server, url, b"two")
    assert server.asked == [
        ("https://gateway.example/signerCertificate", b"one", "application/cms"),
        ("https://gateway.example/signerCertificate/delete", b"two", "application/cms"),
    ]


def test_a_gateway_that_turns_a_request_down_is_an_error() -> None:
    for call in (gateway.upload, gateway.withdraw):
        with pytest.raises(FetchError):
            call(Server(409), "https://gateway.example", b"body")
