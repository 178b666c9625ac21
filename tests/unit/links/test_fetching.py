"""The fetcher of links against a real server over TLS: passcodes, sizes, redirects, and networks it keeps out of."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from msgspec.structs import replace

from healthcert.errors import Code, FetchError, HealthCertError
from healthcert.fetch import Bounds
from healthcert.limits import DEFAULT_LIMITS, Limits
from healthcert.links._network import is_public, is_public_name
from healthcert.links.fetching import BOUNDS, BUDGET, LinkFetcher, PasscodeError
from healthcert.links.jwe import HEALTH_CARD, LinkFile
from healthcert.links.link import HealthLink
from healthcert.links.opening import open_link
from tests.gateway.messages import Reply, Request, json_reply
from tests.gateway.server import Fault, Gateway
from tests.unit.links.linked import CARD, KEY, sealed

QUICK = Bounds(connect=5, read=5, total=5, attempts=1, redirects=0)
PASSCODE = "1234"


@pytest.fixture(scope="module")
def running() -> Iterator[Gateway]:
    with Gateway() as gateway:
        yield gateway


@pytest.fixture
def gateway(running: Gateway, monkeypatch: pytest.MonkeyPatch) -> Gateway:
    # A proxy of the environment is not used: the tests would not end there.
    monkeypatch.setenv("HTTPS_PROXY", "http://192.0.2.1:9")
    running.reset()
    return running


Open = Callable[..., list[LinkFile]]


@pytest.fixture
def opened(gateway: Gateway) -> Iterator[Open]:
    made: list[LinkFetcher] = []

    def open_(link: HealthLink, *, passcode: str | None = None, limits: Limits | None = None, **options: Any) -> Any:
        made.append(LinkFetcher(**{"ca": gateway.ca, "private_hosts": True, "bounds": QUICK, **options}))
        return list(
            open_link(
                link,
                made[-1],
                recipient="Clinic",
                passcode=passcode,
                limits=DEFAULT_LIMITS if limits is None else limits,
            )
        )

    yield open_
    for one in made:
        one.close()


def guarded(gateway: Gateway) -> HealthLink:
    """A link whose server asks for a passcode, and closes after three wrong ones."""
    wrong: list[str] = []

    def answer(request: Request) -> Reply:
        if request.method != "POST" or request.headers["content-type"] != "application/json" or len(wrong) > 2:
            return Reply(404)
        asked = json.loads(request.body)
        if asked.get("passcode") != PASSCODE:
            wrong.append(asked["passcode"])
            return json_reply({"remainingAttempts": 3 - len(wrong)}, 401)
        files = [
            {"contentType": HEALTH_CARD, "embedded": sealed()},
            {"contentType": HEALTH_CARD, "location": f"{gateway.url}/file"},
        ]
        return json_reply({"files": files})

    gateway.put("/file", sealed(compress=True).encode())
    return HealthLink(url=gateway.route("/shl", answer), key=KEY, flag="P")


def direct(gateway: Gateway, body: bytes | None = None) -> HealthLink:
    url = gateway.put("/direct", sealed().encode() if body is None else body)
    return HealthLink(url=url, key=KEY, flag="U")


def refusal(open_: Open, link: HealthLink, code: Code, **options: Any) -> HealthCertError:
    with pytest.raises(HealthCertError) as caught:
        open_(link, **options)
    assert caught.value.code is code, caught.value
    return caught.value


def test_a_passcode_opens_and_wrong_ones_are_counted(gateway: Gateway, opened: Open) -> None:
    link = guarded(gateway)
    files = opened(link, passcode=PASSCODE)
    assert [(file.content_type, file.data) for file in files] == [(HEALTH_CARD, CARD)] * 2
    asked = json.loads(gateway.requests[0].body)
    assert (asked["recipient"], asked["passcode"]) == ("Clinic", PASSCODE)
    for remaining in (2, 1, 0):
        error = refusal(opened, link, Code.PASSCODE_REFUSED, passcode="0000")
        assert isinstance(error, PasscodeError)
        assert (error.remaining, error.status) == (remaining, 401)
        assert f"still takes: {remaining}" in error.detail
        assert "0000" not in str(error)
    assert "no longer active" in refusal(opened, link, Code.LINK_EXPIRED, passcode=PASSCODE).detail


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no",
        b"[]",
        b"{}",
        b'{"remainingAttempts":"5"}',
        b'{"remainingAttempts":-1}',
        b'{"remainingAttempts":true}',
        b'{"remainingAttempts":1e999}',
        b'{"remainingAttempts":3,"x":"' + b"y" * 5000 + b'"}',
    ],
)
def test_a_refusal_that_says_nothing_of_use(gateway: Gateway, opened: Open, body: bytes) -> None:
    link = HealthLink(url=gateway.route("/odd", lambda _: Reply(401, body)), key=KEY, flag="P")
    error = refusal(opened, link, Code.PASSCODE_REFUSED, passcode="0000")
    assert isinstance(error, PasscodeError)
    assert (error.remaining, error.detail) == (None, "its server does not take this passcode, or wants one")


def test_a_direct_file_is_got_once(gateway: Gateway, opened: Open) -> None:
    assert [file.data for file in opened(direct(gateway))] == [CARD]
    (request,) = gateway.requests
    assert (request.method, dict(request.query)) == ("GET", {"recipient": "Clinic"})


def test_files_and_manifests_have_a_size(gateway: Gateway, opened: Open) -> None:
    token = sealed(bytes(3000))
    link = direct(gateway, token.encode())
    assert len(opened(link, limits=Limits(file_bytes=len(token)))[0].data) == 3000
    assert "bytes" in refusal(opened, link, Code.FETCH_REFUSED, limits=Limits(file_bytes=len(token) - 1)).detail
    listed = HealthLink(url=gateway.route("/list", lambda _: json_reply({"files": [], "x": "y" * 3000})), key=KEY)
    assert opened(listed) == []
    refusal(opened, listed, Code.FETCH_REFUSED, limits=Limits(file_bytes=2000))
    gateway.misbehave("/direct", Fault.HUGE)
    refusal(opened, link, Code.FETCH_REFUSED, limits=Limits(file_bytes=100_000))


def test_no_redirect_is_followed_not_even_on_one_server(gateway: Gateway, opened: Open) -> None:
    link = direct(gateway)
    gateway.misbehave("/direct", Fault.REDIRECT, to="/file")
    refusal(opened, link, Code.FETCH_REFUSED, bounds=BOUNDS)
    listed = HealthLink(url=gateway.put("/list", b'{"files":[]}'), key=KEY)
    gateway.misbehave("/list", Fault.REDIRECT, to="/file")
    refusal(opened, listed, Code.FETCH_REFUSED)
    located = {"files": [{"contentType": HEALTH_CARD, "location": f"{gateway.url}/moved"}]}
    gateway.misbehave("/moved", Fault.REDIRECT, to="https://elsewhere.example.org/file")
    gateway.route("/located", lambda _: json_reply(located))
    refusal(opened, HealthLink(url=f"{gateway.url}/located", key=KEY), Code.FETCH_REFUSED)
    assert "/file" not in [request.path for request in gateway.requests]
    assert BOUNDS.redirects == 0
    assert 0 < BUDGET <= 600


def test_private_networks_are_kept_out_of(gateway: Gateway, opened: Open) -> None:
    link = direct(gateway)
    assert "private network" in refusal(opened, link, Code.FETCH_REFUSED, private_hosts=False).detail
    by_name = replace(link, url=link.url.replace("127.0.0.1", "localhost"))
    refusal(opened, by_name, Code.FETCH_REFUSED, private_hosts=False)
    by_number = replace(link, url=link.url.replace("127.0.0.1", "2130706433"))
    refusal(opened, by_number, Code.FETCH_REFUSED, private_hosts=False)
    assert gateway.requests == []


def test_so_is_what_a_public_name_resolves_to(gateway: Gateway, opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    port = int(gateway.url.rpartition(":")[2])

    def resolve(host: str, *_: Any, **__: Any) -> list[Any]:
        assert host in ("issuer.example", "127.0.0.1")  # by its number, once it is resolved
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    link = replace(direct(gateway), url=f"https://issuer.example:{port}/direct")
    refusal(opened, link, Code.FETCH_REFUSED, private_hosts=False)
    assert gateway.requests == []
    assert [file.data for file in opened(link)] == [CARD]


def test_through_a_proxy_names_are_judged_by_their_spelling(gateway: Gateway, opened: Open) -> None:
    link = replace(direct(gateway), url="https://issuer.example/direct")
    through = {"proxy": gateway.proxy, "private_hosts": False}
    assert [file.data for file in opened(link, **through)] == [CARD]
    for host in ("localhost", "127.0.0.1", "printer", "nas.local", "0x7f.1"):
        away = replace(link, url=f"https://{host}/direct")
        assert "private network" in refusal(opened, away, Code.FETCH_REFUSED, **through).detail
    assert len(gateway.requests) == 1


@pytest.mark.parametrize(
    ("number", "public"),
    [
        ("8.8.8.8", True),
        ("2001:4860:4860::8888", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.1.1", False),
        ("255.255.255.255", False),
        ("::1", False),
        ("::", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("ff0e::1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:10.0.0.1", False),
        ("2002:7f00:1::", False),
        ("64:ff9b::a00:1", False),
        ("issuer.example", False),
        ("", False),
    ],
)
def test_which_addresses_are_public(number: str, public: bool) -> None:
    assert is_public(number) is public


@pytest.mark.parametrize(
    ("host", "public"),
    [
        ("links.example.org", True),
        ("8.8.8.8", True),
        ("10.0.0.1", False),
        ("intranet", False),
        ("files.internal", False),
        ("1.0x7f", False),
        ("127.1", False),
        ("", False),
    ],
)
def test_which_names_are_public(host: str, public: bool) -> None:
    assert is_public_name(host) is public


def test_a_stranger_certificate_is_refused(gateway: Gateway, opened: Open) -> None:
    error = refusal(opened, direct(gateway), Code.FETCH_REFUSED, ca=None)
    assert isinstance(error, FetchError)
    assert "certificate is not trusted" in error.detail
