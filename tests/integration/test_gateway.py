"""Every format fetched from a real HTTPS server and read; and what a store makes of servers that err or cheat."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import healthcert as hc
from healthcert.encoding import cms
from healthcert.errors import Code, FetchError, TrustError
from healthcert.fetch import Bounds
from healthcert.https import HttpFetcher
from healthcert.issue.pki import KeyPair, new_csca, new_dsc
from healthcert.lists.anchors import TrustAnchor
from healthcert.lists.jwk import jwk_of, thumbprint
from healthcert.publish import austrian, dcc_zip, did, german, jwks, swedish
from healthcert.publish import gateway as member
from healthcert.trust.keys import Assurance
from healthcert.trust.sources.protocol import Context, Fetched, Known, TrustList
from healthcert.trust.sources.registry import source_named
from healthcert.trust.store import TrustStore
from healthcert.trust.update import Change, Feed, update_lists
from tests.gateway import certificates
from tests.gateway.messages import Reply, Request
from tests.gateway.server import Fault, Gateway
from tests.gateway.services import TOKEN, italian, swiss
from tests.support import DAY, NOW
from tests.support_lists import DUTCH_SIGNER, chain, dutch_key, dutch_list, spki_of, swiss_active, swiss_key, swiss_page

HOUR = timedelta(hours=1)


@cache
def _csca(country: str) -> KeyPair:
    return new_csca(country, "Authority", now=NOW - 90 * DAY)


def csca(country: str = "FR") -> KeyPair:
    return _csca(country)


@cache
def _dsc(number: int, country: str) -> KeyPair:
    return new_dsc(csca(country), f"DSC {number}", now=NOW - 60 * DAY)


def dsc(number: int, country: str = "FR") -> KeyPair:
    return _dsc(number, country)


@cache
def signer(name: str = "List Signer") -> KeyPair:
    """One who signs lists."""
    return new_dsc(csca("EU"), name, now=NOW - 60 * DAY)


def anchor(pair: KeyPair | None = None, subject: str | None = None) -> TrustAnchor:
    pair = pair or signer()
    return TrustAnchor("pinned", spki_of(pair), pair.certificate_der(), subject)


def ders(*numbers: int) -> list[bytes]:
    return [dsc(number).certificate_der() for number in numbers]


def kid64(pair: KeyPair) -> str:
    return base64.b64encode(pair.signer().kid).decode()


@pytest.fixture(scope="module")
def running() -> Iterator[Gateway]:
    with Gateway() as gateway:
        yield gateway


@pytest.fixture
def gateway(running: Gateway, monkeypatch: pytest.MonkeyPatch) -> Gateway:
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    running.reset()
    return running


@pytest.fixture
def fetcher(gateway: Gateway) -> Iterator[HttpFetcher]:
    bounds = Bounds(connect=5, read=2, total=1.5, attempts=1)
    hosts = frozenset({gateway.url.removeprefix("https://"), gateway.member_url.removeprefix("https://")})
    certificate, key = gateway.client_certificate, gateway.client_key
    with HttpFetcher(hosts=hosts, ca=gateway.ca, client_certificate=certificate, client_key=key, bounds=bounds) as made:
        yield made


def loaded(name: str, fetched: Fetched | None, context: Context) -> TrustList:
    assert fetched is not None
    return source_named(name).load(fetched.parts, context)


def known(fetched: Fetched | None, at: Any = NOW) -> Known:
    assert fetched is not None
    return Known(fetched.parts, at, at, fetched.validators)


def kids(found: TrustList) -> set[bytes]:
    return {key.kid for key in found.keys}


def kids_of(*numbers: int) -> set[bytes]:
    return {dsc(number).signer().kid for number in numbers}


# Lists that are one file, or two.


def _german(gateway: Gateway) -> tuple[str, Context]:
    url = gateway.put("/de/DSC", german.publish(ders(1, 2), signer().signer(), issued_at=NOW)["list"])
    return url, Context((anchor(),), NOW)


def _austrian(gateway: Gateway) -> tuple[str, Context]:
    parts = austrian.publish(ders(1, 2), signer().signer(), issued_at=NOW - HOUR, expires_at=NOW + DAY)
    gateway.put("/at/listsig", parts["signature"])
    return gateway.put("/at/list", parts["list"]), Context((anchor(),), NOW)


def _swedish(gateway: Gateway) -> tuple[str, Context]:
    parts = swedish.publish(ders(1, 2), signer().signer(), issued_at=NOW - HOUR, expires_at=NOW + DAY)
    return gateway.put("/se/trust-list", parts["list"]), Context((anchor(),), NOW)


def _dutch(gateway: Gateway) -> tuple[str, Context]:
    keys = {kid64(dsc(number)): [dutch_key(dsc(number), "v")] for number in (1, 2)}
    pinned = chain(DUTCH_SIGNER).anchor(DUTCH_SIGNER)
    return gateway.put("/nl/public_keys", dutch_list(keys)), Context((pinned,), NOW)


def _archive(gateway: Gateway) -> tuple[str, Context]:
    parts = dcc_zip.publish(ders(1, 2), signer().signer(), issued_at=NOW - HOUR, authorities=[csca().certificate_der()])
    gateway.put("/eu/dcc_trustlist.zip.sig.txt", parts["signature"])
    return gateway.put("/eu/dcc_trustlist.zip", parts["archive"]), Context((anchor(),), NOW)


def _british(gateway: Gateway) -> tuple[str, Context]:
    body = [
        {"kid": kid64(dsc(number)), "publicKey": base64.b64encode(spki_of(dsc(number))).decode()} for number in (1, 2)
    ]
    return gateway.put("/gb/keys", json.dumps(body).encode()), Context((), NOW)


def _with_token(gateway: Gateway, path: str, body: bytes, scheme: str) -> tuple[str, Context]:
    def answer(request: Request) -> Reply:
        if request.headers.get("authorization") != f"{scheme}{TOKEN}":
            return Reply(401)
        return Reply(304) if request.headers.get("if-none-match") == '"1"' else Reply(200, body, {"ETag": '"1"'})

    return gateway.route(path, answer), Context((), NOW, options={"token": TOKEN})


def _norwegian(gateway: Gateway) -> tuple[str, Context]:
    _british(gateway)
    return _with_token(gateway, "/no/keys", gateway.newest("/gb/keys"), "")


def _french(gateway: Gateway) -> tuple[str, Context]:
    twice = {kid64(dsc(n)): base64.b64encode(base64.b64encode(dsc(n).certificate_der())).decode() for n in (1, 2)}
    return _with_token(gateway, "/fr/conf", json.dumps({"certificatesDCC": twice}).encode(), "Bearer ")


def _key_set(gateway: Gateway) -> tuple[str, Context]:
    parts = jwks.publish(ders(1, 2), signer().signer(), issued_at=NOW - HOUR, expires_at=NOW + DAY)
    return gateway.put("/jwks", parts["list"]), Context((anchor(),), NOW)


STATIC = {
    "de": _german,
    "at": _austrian,
    "se": _swedish,
    "nl": _dutch,
    "dcc-zip": _archive,
    "gb": _british,
    "no": _norwegian,
    "fr": _french,
    "jwks": _key_set,
}


@pytest.mark.parametrize("name", STATIC)
def test_a_list_is_fetched_and_read(gateway: Gateway, fetcher: HttpFetcher, name: str) -> None:
    url, context = STATIC[name](gateway)
    fetched = source_named(name).fetch(fetcher, url, Known(), context)
    found = loaded(name, fetched, context)
    assert (kids(found), found.skipped) == (kids_of(1, 2), ())


@pytest.mark.parametrize("name", STATIC)
def test_a_list_that_did_not_change_is_not_sent_again(gateway: Gateway, fetcher: HttpFetcher, name: str) -> None:
    url, context = STATIC[name](gateway)
    source = source_named(name)
    fetched = source.fetch(fetcher, url, Known(), context)
    gateway.requests.clear()
    assert source.fetch(fetcher, url, known(fetched), context) is None
    assert all("if-none-match" in request.headers for request in gateway.requests)


@pytest.mark.parametrize("name", ["no", "fr"])
def test_a_server_that_wants_a_token(gateway: Gateway, fetcher: HttpFetcher, name: str) -> None:
    url, _ = STATIC[name](gateway)
    with pytest.raises(FetchError, match="status 401"):
        source_named(name).fetch(fetcher, url, Known(), Context((), NOW, options={"token": "another"}))


def test_half_of_a_list_in_two_files(gateway: Gateway, fetcher: HttpFetcher) -> None:
    """Between the two requests, the list was replaced: the signature is another's."""
    url, context = _austrian(gateway)
    gateway.put(
        "/at/listsig",
        austrian.publish(ders(3), signer().signer(), issued_at=NOW, expires_at=NOW + DAY)["signature"],
    )
    with pytest.raises(TrustError) as caught:
        loaded("at", source_named("at").fetch(fetcher, url, Known(), context), context)
    assert caught.value.code == Code.TRUST_LIST_NOT_AUTHENTIC


# Keys of issuers, each on a host of its own.


@pytest.fixture
def world(gateway: Gateway) -> Iterator[HttpFetcher]:
    """A fetcher for whom every host leads to the gateway."""
    with HttpFetcher(ca=gateway.ca, proxy=gateway.proxy, bounds=Bounds(attempts=1)) as made:
        yield made


def key_set(number: int) -> bytes:
    spki = spki_of(dsc(number))
    key = {**jwk_of(spki), "kid": thumbprint(spki), "use": "sig", "alg": "ES256"}
    return json.dumps({"keys": [key]}).encode()


def test_the_keys_of_an_issuer_of_smart_health_cards(gateway: Gateway, world: HttpFetcher) -> None:
    issuer = "https://issuer.example/cards"
    gateway.put("/cards/.well-known/jwks.json", key_set(1))
    context = Context((), NOW, options={"issuer": issuer})
    fetched = source_named("shc").fetch(world, issuer, Known(), context)
    found = loaded("shc", fetched, context)
    kid = thumbprint(spki_of(dsc(1))).encode()
    assert [(key.domain, key.issuer, key.kid) for key in found.keys] == [("SHC", issuer, kid)]
    assert gateway.requests[0].headers["host"] == "issuer.example"
    assert source_named("shc").fetch(world, issuer, known(fetched), context) is None


def test_a_directory_of_issuers_some_of_whom_are_away(gateway: Gateway, world: HttpFetcher) -> None:
    gateway.put("/cards/.well-known/jwks.json", key_set(1))
    # One has no key set, one a certificate for another name.
    issuers = ("https://away.example/none", "https://other.example/cards", "https://issuer.example/cards")
    members = [{"iss": issuer, "name": "An Issuer"} for issuer in issuers]
    gateway.put("/vci", json.dumps({"participating_issuers": members}).encode())
    context = Context((), NOW)
    fetched = source_named("vci").fetch(world, "https://issuer.example/vci", Known(), context)
    found = loaded("vci", fetched, context)
    assert [key.issuer for key in found.keys] == ["https://issuer.example/cards"]
    assert len(found.skipped) == 2


def test_the_keys_of_new_zealand(gateway: Gateway, world: HttpFetcher) -> None:
    issuer = "did:web:passes.example"
    jwk = jwk_of(spki_of(dsc(1)))
    method = {"id": f"{issuer}#key-1", "controller": issuer, "type": "JsonWebKey2020", "publicKeyJwk": jwk}
    document = {"id": issuer, "verificationMethod": [method], "assertionMethod": [method["id"]]}
    gateway.put("/.well-known/did.json", json.dumps(document).encode())
    context = Context((), NOW, options={"issuer": issuer})
    found = loaded("nzcp", source_named("nzcp").fetch(world, issuer, Known(), context), context)
    assert [(key.domain, key.issuer, key.kid) for key in found.keys] == [("NZCP", issuer, b"key-1")]


WHO = "did:web:gdhcn.example:v2:trustlist"


def put_documents(gateway: Gateway, parts: Mapping[str, bytes]) -> None:
    """Each document where its identifier says."""
    for body in parts.values():
        gateway.put(path_of(json.loads(body)["id"]), body)


def path_of(identifier: str) -> str:
    return f"/{'/'.join(identifier.split(':')[3:])}/did.json"


@pytest.mark.parametrize(("publish", "root"), [(did.publish, WHO), (did.publish_tree, f"{WHO}-ref")])
def test_the_documents_of_who(gateway: Gateway, world: HttpFetcher, publish: Any, root: str) -> None:
    pytest.importorskip("pyld")
    put_documents(gateway, publish([csca().certificate_der(), *ders(1, 2)], signer().signer(), did=WHO, issued_at=NOW))
    source, context = source_named("gdhcn"), Context((anchor(),), NOW)
    fetched = source.fetch(world, "https://gdhcn.example" + path_of(root), Known(), context)
    found = loaded("gdhcn", fetched, context)
    assert (kids(found), found.assurance) == (kids_of(1, 2), Assurance.SIGNED_CHAIN)
    assert {(key.domain, key.country) for key in found.keys} == {("DCC", "FR")}


def test_a_document_of_who_that_another_signed(gateway: Gateway, world: HttpFetcher) -> None:
    """One of the documents below is exchanged: what it would refer to is not even asked for."""
    pytest.importorskip("pyld")
    authorities = [csca().certificate_der()]
    put_documents(gateway, did.publish_tree([*authorities, *ders(1)], signer().signer(), did=WHO, issued_at=NOW))
    forged = did.publish_tree([*authorities, *ders(9)], signer("Another").signer(), did=WHO, issued_at=NOW)
    below = f"{WHO}-ref:DCC"
    gateway.misbehave(path_of(below), Fault.OTHER, body=forged[below])
    context = Context((anchor(),), NOW)
    with pytest.raises(TrustError) as caught:
        source_named("gdhcn").fetch(world, "https://gdhcn.example" + path_of(f"{WHO}-ref"), Known(), context)
    assert caught.value.code == Code.TRUST_LIST_NOT_AUTHENTIC
    assert gateway.requests[-1].path == path_of(below)


# Switzerland and Italy: in pages.


def test_switzerland_in_pages(gateway: Gateway, fetcher: HttpFetcher) -> None:
    pages = [swiss_page(swiss_key(dsc(1)), swiss_key(dsc(2))), swiss_page(swiss_key(dsc(3)))]
    active = swiss_active([kid64(dsc(number)) for number in (1, 3)])
    url = swiss(gateway, "/ch/trust/v2", lambda: active, lambda: pages)
    source = source_named("ch")
    context = Context((chain("CH01-AppContentCertificate").anchor(),), NOW, options={"token": TOKEN})
    first = source.fetch(fetcher, url, Known(), context)
    assert first is not None
    assert first.whole
    found = loaded("ch", first, context)
    assert kids(found) == kids_of(1, 3)
    # A key comes, and one goes: only what is new is fetched.
    pages.append(swiss_page(swiss_key(dsc(4))))
    active = swiss_active([kid64(dsc(number)) for number in (3, 4)])
    gateway.requests.clear()
    second = source.fetch(fetcher, url, known(first), context)
    assert second is not None
    assert not second.whole
    assert kids(loaded("ch", second, context)) == kids_of(3, 4)
    assert all(int(request.query.get("since", "1")) >= 1 for request in gateway.requests)


def test_switzerland_without_the_token(gateway: Gateway, fetcher: HttpFetcher) -> None:
    url = swiss(gateway, "/ch/trust/v2", lambda: swiss_active([]), lambda: [swiss_page()])
    context = Context((chain("CH01-AppContentCertificate").anchor(),), NOW)
    with pytest.raises(FetchError, match="status 403"):
        source_named("ch").fetch(fetcher, url, Known(), context)


def test_italy_one_by_one(gateway: Gateway, fetcher: HttpFetcher) -> None:
    entries = [(kid64(dsc(n)), base64.b64encode(dsc(n).certificate_der())) for n in (1, 2, 3)]
    valid = [1, 3]
    url = italian(
        gateway,
        "/it/v1/dgc/signercertificate",
        lambda: json.dumps([kid64(dsc(n)) for n in valid]).encode(),
        lambda: entries,
    )
    source, context = source_named("it"), Context((), NOW)
    first = source.fetch(fetcher, url, Known(), context)
    assert kids(loaded("it", first, context)) == kids_of(1, 3)
    assert source.fetch(fetcher, url, known(first), context) is None
    entries.append((kid64(dsc(4)), base64.b64encode(dsc(4).certificate_der())))
    valid.append(4)
    gateway.requests.clear()
    second = source.fetch(fetcher, url, known(first), context)
    assert second is not None
    assert not second.whole
    assert kids(loaded("it", second, context)) == kids_of(1, 3, 4)
    asked = [r.headers.get("x-resume-token") for r in gateway.requests if r.path.endswith("/update")]
    assert asked == ["3", "4"]


def test_italy_going_round_in_circles(gateway: Gateway, fetcher: HttpFetcher) -> None:
    url = italian(gateway, "/it", lambda: b"[]", list)
    headers = {"X-KID": kid64(dsc(1)), "X-RESUME-TOKEN": "7"}
    gateway.route("/it/update", lambda _: Reply(200, base64.b64encode(dsc(1).certificate_der()), headers))
    with pytest.raises(FetchError) as caught:
        source_named("it").fetch(fetcher, url, Known(), Context((), NOW))
    assert caught.value.code == Code.FETCH_REFUSED
    assert len(gateway.requests) <= 4


# The gateway of the EU.


@cache
def trust_anchor() -> KeyPair:
    return new_csca("EU", "Trust Anchor", now=NOW - 90 * DAY)


@cache
def _uploader(country: str) -> KeyPair:
    return new_dsc(csca(country), "Upload", now=NOW - 60 * DAY)


def uploader(country: str = "FR") -> KeyPair:
    return _uploader(country)


@cache
def stray() -> KeyPair:
    """A DSC of France under an authority that the gateway does not know."""
    return new_dsc(new_csca("FR", "Authority", now=NOW - 90 * DAY), "Stray", now=NOW - 60 * DAY)


@pytest.fixture
def members(gateway: Gateway) -> Gateway:
    """With France as a member, and DSC 1 of it listed."""
    dgcg = gateway.dgcg
    dgcg.now = NOW - DAY
    dgcg.add("AUTHENTICATION", certificates.client().der, trust_anchor())
    dgcg.add("CSCA", csca().certificate_der(), trust_anchor())
    dgcg.add("UPLOAD", uploader().certificate_der(), trust_anchor())
    dgcg.add("DSC", dsc(1).certificate_der(), uploader())
    dgcg.now = NOW
    return gateway


DGCG = Context((anchor(trust_anchor()),), NOW)


def test_the_lists_of_the_eu(members: Gateway, fetcher: HttpFetcher) -> None:
    found = loaded("dgcg", source_named("dgcg").fetch(fetcher, members.member_url, Known(), DGCG), DGCG)
    assert (kids(found), found.skipped, found.assurance) == (kids_of(1), (), Assurance.SIGNED_CHAIN)


def test_a_country_uploads_and_withdraws(members: Gateway, fetcher: HttpFetcher) -> None:
    """From the country's request to what another country has, with only the changes fetched."""
    source = source_named("dgcg")
    first = source.fetch(fetcher, members.member_url, Known(), DGCG)
    body = member.upload_request(dsc(2).certificate_der(), uploader().signer())
    member.upload(fetcher, members.member_url, body)
    second = source.fetch(fetcher, members.member_url, known(first), DGCG)
    assert second is not None
    assert not second.whole
    assert kids(loaded("dgcg", second, DGCG)) == kids_of(1, 2)
    # It is listed under the message that was uploaded, without its content.
    (row,) = [row for row in members.dgcg.rows if row.certificate.der == dsc(2).certificate_der()]
    assert cms.read(base64.b64decode(row.signature)).content is None
    members.dgcg.now = NOW + HOUR
    member.withdraw(fetcher, members.member_url, member.delete_request(dsc(2).certificate_der(), uploader().signer()))
    third = source.fetch(fetcher, members.member_url, known(second), DGCG)
    assert third is not None
    assert kids(loaded("dgcg", third, DGCG)) == kids_of(1)
    assert source.fetch(fetcher, members.member_url, known(third), DGCG) is None
    assert any("if-modified-since" in request.headers for request in members.requests)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (lambda: member.upload_request(dsc(1).certificate_der(), uploader().signer()), 409),
        (lambda: member.upload_request(dsc(2).certificate_der(), dsc(3).signer()), 403),
        (lambda: member.upload_request(dsc(1, "DE").certificate_der(), uploader("DE").signer()), 403),
        (lambda: member.upload_request(stray().certificate_der(), uploader().signer()), 400),
        (lambda: b"nonsense", 400),
        (lambda: member.upload_request(dsc(2).certificate_der(), uploader().signer())[:-8] + b"AAAAAAAA", 400),
    ],
)
def test_what_the_gateway_takes(members: Gateway, fetcher: HttpFetcher, body: Any, status: int) -> None:
    with pytest.raises(FetchError, match=f"status {status}"):
        member.upload(fetcher, members.member_url, body())
    assert len(members.requests) == 1


def test_withdrawing_what_is_not_there(members: Gateway, fetcher: HttpFetcher) -> None:
    with pytest.raises(FetchError, match="status 404"):
        member.withdraw(
            fetcher, members.member_url, member.delete_request(dsc(2).certificate_der(), uploader().signer())
        )


def test_many_pages_of_the_eu(members: Gateway, fetcher: HttpFetcher, monkeypatch: pytest.MonkeyPatch) -> None:
    from healthcert.trust.sources import dgcg

    monkeypatch.setattr(dgcg, "_PAGE", 2)
    for number in range(2, 8):
        members.dgcg.add("DSC", dsc(number).certificate_der(), uploader())
    found = loaded("dgcg", source_named("dgcg").fetch(fetcher, members.member_url, Known(), DGCG), DGCG)
    assert kids(found) == kids_of(*range(1, 8))
    pages = [request.query.get("page") for request in members.requests if request.path == "/trustList/DSC"]
    assert pages[:4] == ["0", "1", "2", "3"]


def test_who_may_call(members: Gateway) -> None:
    bounds = Bounds(attempts=1)
    for files, status in ((members.stranger_files, 401), (members.stateless_files, 400)):
        with (
            HttpFetcher(
                ca=members.ca, client_certificate=files[0], client_key=files[1], bounds=bounds, proxy=""
            ) as fetch,
            pytest.raises(FetchError, match=f"status {status}"),
        ):
            source_named("dgcg").fetch(fetch, members.member_url, Known(), DGCG)
    with HttpFetcher(
        ca=members.ca,
        client_certificate=members.client_certificate,
        client_key=members.client_key,
        bounds=bounds,
        proxy="",
    ) as fetch:
        with pytest.raises(FetchError, match="status 403"):
            fetch.get(f"{members.member_url}/revocation-list", limit=1000)
        for path in ("/trustList/dsc", "/trustList/DSC?page=x"):
            with pytest.raises(FetchError, match="status 400"):
                fetch.get(members.member_url + path, limit=1000)
        empty = fetch.get(f"{members.member_url}/trustList/DSC/DE", limit=1000)
        assert json.loads(empty.body) == []


def test_another_trust_anchor(members: Gateway, fetcher: HttpFetcher) -> None:
    context = Context((anchor(uploader("DE")),), NOW)
    fetched = source_named("dgcg").fetch(fetcher, members.member_url, Known(), context)
    with pytest.raises(TrustError) as caught:
        loaded("dgcg", fetched, context)
    assert caught.value.code == Code.TRUST_LIST_NOT_AUTHENTIC


# What a store makes of a server that errs or cheats.


@pytest.fixture
def store(tmp_path: Path) -> TrustStore:
    return TrustStore.open(tmp_path / "trust.db")


def feeds(gateway: Gateway) -> list[Feed]:
    return [
        Feed(name="de", format="de", url=f"{gateway.url}/de/DSC", anchors=(anchor(),)),
        Feed(name="at", format="at", url=f"{gateway.url}/at/list", anchors=(anchor(),)),
    ]


def put_both(gateway: Gateway, *numbers: int, issued_at: Any = NOW, by: KeyPair | None = None) -> None:
    pair = (by or signer()).signer()
    gateway.put("/de/DSC", german.publish(ders(*numbers), pair, issued_at=issued_at)["list"])
    parts = austrian.publish(ders(*numbers), pair, issued_at=issued_at, expires_at=issued_at + DAY)
    gateway.put("/at/list", parts["list"])
    gateway.put("/at/listsig", parts["signature"])


def updated(store: TrustStore, gateway: Gateway, fetcher: HttpFetcher, at: Any = NOW) -> dict[str, Change]:
    changes = update_lists(store, feeds(gateway), lambda _: fetcher, clock=hc.FixedClock(at))
    return {change.source: change for change in changes}


def codes(changes: Mapping[str, Change]) -> dict[str, Code | None]:
    return {name: change.error.code if change.error else None for name, change in changes.items()}


def in_store(store: TrustStore, source: str) -> set[bytes]:
    store.reload()
    return {key.kid for key in store if any(origin.source == source for origin in key.provenance)}


@pytest.fixture
def filled(gateway: Gateway, fetcher: HttpFetcher, store: TrustStore) -> TrustStore:
    """A store that has seen two generations of two lists."""
    put_both(gateway, 1, 2, 3, issued_at=NOW - 3 * HOUR)
    assert codes(updated(store, gateway, fetcher)) == {"de": None, "at": None}
    put_both(gateway, 1, 2, 3, 4, issued_at=NOW - 2 * HOUR)
    assert codes(updated(store, gateway, fetcher)) == {"de": None, "at": None}
    assert in_store(store, "de") == in_store(store, "at") == kids_of(1, 2, 3, 4)
    return store


def test_a_list_that_did_not_change_stays(filled: TrustStore, gateway: Gateway, fetcher: HttpFetcher) -> None:
    gateway.requests.clear()
    changes = updated(filled, gateway, fetcher, NOW + HOUR)
    assert all(change.unchanged for change in changes.values())
    assert {request.headers.get("if-none-match") is not None for request in gateway.requests} == {True}


@pytest.mark.parametrize("fault", [Fault.STALE, Fault.ROLLED_BACK])
def test_an_old_list_does_not_come_back(
    filled: TrustStore, gateway: Gateway, fetcher: HttpFetcher, fault: Fault
) -> None:
    put_both(gateway, 1, 2, 3, 4, 5, issued_at=NOW - HOUR)
    updated(filled, gateway, fetcher)
    for path in ("/de/DSC", "/at/list", "/at/listsig"):
        gateway.misbehave(path, fault)
    changes = updated(filled, gateway, fetcher, NOW + HOUR)
    assert codes(changes) == {"de": Code.TRUST_LIST_ROLLED_BACK, "at": Code.TRUST_LIST_ROLLED_BACK}
    assert in_store(filled, "de") == in_store(filled, "at") == kids_of(1, 2, 3, 4, 5)


def test_a_list_that_another_signed(filled: TrustStore, gateway: Gateway, fetcher: HttpFetcher) -> None:
    forged = german.publish(ders(1, 2, 3, 4, 9), signer("Another").signer(), issued_at=NOW)["list"]
    gateway.misbehave("/de/DSC", Fault.OTHER, body=forged)
    assert codes(updated(filled, gateway, fetcher)) == {"de": Code.TRUST_LIST_NOT_AUTHENTIC, "at": None}
    assert in_store(filled, "de") == kids_of(1, 2, 3, 4)


def test_two_lists_under_one_number(filled: TrustStore, gateway: Gateway, fetcher: HttpFetcher) -> None:
    """The publisher shows others another list than this store: both signed, both of the same moment."""
    moment = NOW - 2 * HOUR
    other = austrian.publish(ders(1, 2, 3, 4, 9), signer().signer(), issued_at=moment, expires_at=moment + DAY)
    gateway.misbehave("/at/list", Fault.EQUIVOCATING, body=other["list"])
    gateway.misbehave("/at/listsig", Fault.EQUIVOCATING, body=other["signature"])
    first, second = (codes(updated(filled, gateway, fetcher))["at"] for _ in range(2))
    assert (first, second) == (None, Code.TRUST_LIST_EQUIVOCATES)
    assert in_store(filled, "at") == kids_of(1, 2, 3, 4)


def test_a_list_that_lost_half(filled: TrustStore, gateway: Gateway, fetcher: HttpFetcher) -> None:
    put_both(gateway, 1, 2, issued_at=NOW - HOUR)
    assert set(codes(updated(filled, gateway, fetcher)).values()) == {Code.TRUST_LIST_SHRANK}
    assert in_store(filled, "de") == kids_of(1, 2, 3, 4)


@pytest.mark.parametrize(
    ("fault", "how", "code"),
    [
        (Fault.TRUNCATED, {}, Code.FETCH_FAILED),
        (Fault.SLOW, {"pause": 0.05}, Code.FETCH_FAILED),
        (Fault.HUGE, {}, Code.FETCH_REFUSED),
        (Fault.ANNOUNCED, {"length": 1 << 40}, Code.FETCH_REFUSED),
        (Fault.STATUS, {"status": 500}, Code.FETCH_FAILED),
        (Fault.STATUS, {"status": 204}, Code.TRUST_LIST_UNREADABLE),
        (Fault.REDIRECT, {"to": "https://elsewhere.example/list"}, Code.FETCH_REFUSED),
        (Fault.COMPRESSED, {}, Code.FETCH_REFUSED),
        (Fault.RESET, {}, Code.FETCH_FAILED),
        (Fault.OTHER, {"body": b"<html>Sign in to use this network</html>"}, Code.TRUST_LIST_UNREADABLE),
    ],
)
def test_what_fails_with_one_list_harms_no_other(
    filled: TrustStore, gateway: Gateway, fetcher: HttpFetcher, fault: Fault, how: dict[str, Any], code: Code
) -> None:
    put_both(gateway, 1, 2, 3, 4, 5, issued_at=NOW - HOUR)
    gateway.misbehave("/de/DSC", fault, **how)
    changes = updated(filled, gateway, fetcher)
    assert codes(changes) == {"de": code, "at": None}
    assert in_store(filled, "de") == kids_of(1, 2, 3, 4)
    assert in_store(filled, "at") == kids_of(1, 2, 3, 4, 5)
    # What went wrong is over, and the store catches up.
    gateway.behave()
    assert codes(updated(filled, gateway, fetcher)) == {"de": None, "at": None}
    assert in_store(filled, "de") == kids_of(1, 2, 3, 4, 5)
