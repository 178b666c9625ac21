"""The fetcher against a real server over TLS: what it asks, and every bound on what it takes."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpcore
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import healthcert
from healthcert import _network
from healthcert.errors import Code, FetchError
from healthcert.fetch import Bounds, Response, parse_address
from healthcert.https import HttpFetcher
from tests.gateway import certificates
from tests.gateway.messages import Reply, Request
from tests.gateway.server import Fault, Gateway
from tests.gateway.tunnel import Tunnel

LIMIT = 100_000
BODY = b"a list of keys " * 100
QUICK = Bounds(connect=5, read=5, total=5, attempts=1)


@pytest.fixture(scope="module")
def running() -> Iterator[Gateway]:
    with Gateway() as gateway:
        yield gateway


@pytest.fixture
def gateway(running: Gateway, monkeypatch: pytest.MonkeyPatch) -> Gateway:
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    running.behave()
    running.requests.clear()
    running.put("/list", BODY)
    return running


Make = Callable[..., HttpFetcher]


@pytest.fixture
def fetcher(gateway: Gateway) -> Iterator[Make]:
    made: list[HttpFetcher] = []

    def make(**options: Any) -> HttpFetcher:
        made.append(HttpFetcher(**{"ca": gateway.ca, "bounds": QUICK, **options}))
        return made[-1]

    yield make
    for one in made:
        one.close()


class Time:
    """Time that passes only in pauses."""

    def __init__(self) -> None:
        self.pauses: list[float] = []

    def monotonic(self) -> float:
        return 1000.0 + sum(self.pauses)

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)

    def options(self, **bounds: Any) -> dict[str, Any]:
        """For a fetcher whose pauses are always half of what they may be."""
        return {
            "bounds": Bounds(**bounds),
            "monotonic": self.monotonic,
            "sleep": self.sleep,
            "random": lambda: 0.5,
        }


def refusal(fetch: HttpFetcher, url: str, code: Code = Code.FETCH_REFUSED, **options: Any) -> str:
    with pytest.raises(FetchError) as caught:
        fetch.get(url, **{"limit": LIMIT, **options})
    assert caught.value.code == code
    return caught.value.detail


# What it asks, and what it gives.


def test_it_gets_what_is_there(gateway: Gateway, fetcher: Make) -> None:
    response = fetcher().get(f"{gateway.url}/list?page=2", limit=LIMIT, headers={"X-RESUME-TOKEN": "7"})
    assert (response.status, response.body) == (200, BODY)
    assert response.headers["content-length"] == str(len(BODY))
    (request,) = gateway.requests
    assert (request.method, request.path, request.query) == ("GET", "/list", {"page": "2"})
    assert request.headers["x-resume-token"] == "7"


def test_it_says_who_it_is_and_no_more(gateway: Gateway, fetcher: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = gateway.folder / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    gateway.put("/cookie", b"1", {"Set-Cookie": "who=1; Path=/"})
    fetch = fetcher()
    fetch.get(f"{gateway.url}/cookie", limit=LIMIT, headers={"User-Agent": "another", "accept-encoding": "gzip"})
    fetch.get(f"{gateway.url}/list", limit=LIMIT)
    assert dict(gateway.requests[1].headers) == {
        "host": gateway.url.removeprefix("https://"),
        "user-agent": f"healthcert/{healthcert.__version__}",
        "accept": "*/*",
        "accept-encoding": "identity",
    }
    assert gateway.requests[0].headers == gateway.requests[1].headers
    fetch.get(f"{gateway.url}/list", limit=LIMIT, headers={"accept": "application/json+jws"})
    assert gateway.requests[2].headers["accept"] == "application/json+jws"


def test_a_list_that_has_not_changed(gateway: Gateway, fetcher: Make) -> None:
    fetch = fetcher()
    tag = fetch.get(f"{gateway.url}/list", limit=LIMIT).headers["etag"]
    again = fetch.get(f"{gateway.url}/list", limit=LIMIT, headers={"If-None-Match": tag})
    assert (again.status, again.body, again.headers["etag"]) == (304, b"", tag)


def test_nothing_is_unchanged_that_was_not_asked_about(gateway: Gateway, fetcher: Make) -> None:
    gateway.misbehave("/list", Fault.UNCHANGED)
    assert "status 304" in refusal(fetcher(), f"{gateway.url}/list", Code.FETCH_FAILED)


def test_it_posts_once(gateway: Gateway, fetcher: Make) -> None:
    gateway.route("/post", lambda request: Reply(201, request.body[::-1]))
    answer = fetcher().post(f"{gateway.url}/post", b"message", content_type="application/cms", limit=LIMIT)
    assert (answer.status, answer.body) == (201, b"egassem")
    assert gateway.requests[0].headers["content-type"] == "application/cms"
    gateway.requests.clear()
    gateway.misbehave("/post", Fault.STATUS, status=503)
    passed = Time()
    with pytest.raises(FetchError):
        fetcher(**passed.options()).post(f"{gateway.url}/post", b"m", content_type="text/plain", limit=LIMIT)
    assert (len(gateway.requests), passed.pauses) == (1, [])


def test_a_post_is_not_sent_elsewhere(gateway: Gateway, fetcher: Make) -> None:
    gateway.misbehave("/post", Fault.REDIRECT, to="/list", status=307)
    with pytest.raises(FetchError) as caught:
        fetcher().post(f"{gateway.url}/post", b"message", content_type="text/plain", limit=LIMIT)
    assert caught.value.code == Code.FETCH_REFUSED
    assert [request.path for request in gateway.requests] == ["/post"]


def test_one_connection_serves_many_requests_and_threads(gateway: Gateway, fetcher: Make) -> None:
    fetch = fetcher(bounds=Bounds())
    found: list[Response] = []
    threads = [
        threading.Thread(target=lambda: found.extend(fetch.get(f"{gateway.url}/list", limit=LIMIT) for _ in range(5)))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [response.body for response in found] == [BODY] * 40


def test_progress_is_told(gateway: Gateway, fetcher: Make) -> None:
    told: list[tuple[str, int, int | None]] = []
    fetcher(progress=lambda *call: told.append(call)).get(f"{gateway.url}/list?token=1", limit=LIMIT)
    assert told[-1] == (f"{gateway.url}/list?token=1", len(BODY), len(BODY))
    assert [received for _, received, _ in told] == sorted(received for _, received, _ in told)


def test_what_progress_raises_is_the_callers(gateway: Gateway, fetcher: Make) -> None:
    def cancel(*_: object) -> None:
        raise UnicodeError

    with pytest.raises(UnicodeError):
        fetcher(progress=cancel).get(f"{gateway.url}/list", limit=LIMIT)


# Where it goes.


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/list",
        "ftp://example.org/list",
        "file:///etc/passwd",
        "//example.org/list",
        "example.org",
        "",
        "https://",
        "https:///list",
        "https://user:word@example.org/",
        "https://user@example.org/",
        "https://example.org#part",
        "https://example.org/a#part",
        "https://example.org/a b",
        "https://example.org/a\r\nX: 1",
        "https://example.org/a\n",
        "https://example.org\n",
        "https://example.org\\@other.example/",
        "https://example.org:0/",
        "https://example.org:65536/",
        "https://example.org:443443/",
        "https://example.org:/",
        "https://a..example.org/",
        "https://.example.org/",
        "https://example.org./",
        "https://-a.example.org/",
        f"https://{'a' * 64}.example.org/",
        f"https://{'.'.join(['a' * 60] * 5)}/",
        "https://[::1]/",
        "https://exämple.org/",
        "https://\u212aiwi.example/",
        "https://example.org/ä",
        "https://example.org/\ud800",
        " https://example.org/",
    ],
)
def test_only_plain_https_addresses_are_asked(fetcher: Make, url: str) -> None:
    detail = refusal(fetcher(), url)
    assert "example.org" not in detail
    assert parse_address(url) is None


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("https://example.org", ("example.org", 443, "/")),
        ("HTTPS://Example.ORG/List", ("example.org", 443, "/List")),
        ("https://example.org?a=B%20c", ("example.org", 443, "/?a=B%20c")),
        ("https://xn--exmple-cua.org:8443/a//b?c=https://d", ("xn--exmple-cua.org", 8443, "/a//b?c=https://d")),
        ("https://127.0.0.1:65535/", ("127.0.0.1", 65535, "/")),
    ],
)
def test_addresses(url: str, parts: tuple[str, int, str]) -> None:
    address = parse_address(url)
    assert address is not None
    assert (address.host, address.port, address.target) == parts


def test_only_the_hosts_that_it_may_ask(gateway: Gateway, fetcher: Make) -> None:
    here = gateway.url.removeprefix("https://")
    allowed = fetcher(hosts=frozenset({here.upper(), "Lists.example:443"}))
    assert allowed.get(f"{gateway.url}/list", limit=LIMIT).body == BODY
    # The same server under another name, another port, a name below; nobody is asked.
    gateway.requests.clear()
    for url in (
        gateway.url.replace("127.0.0.1", "localhost"),
        "https://127.0.0.1/list",
        "https://a.lists.example/",
        "https://lists.example.org/",
    ):
        assert "may be asked" in refusal(allowed, url)
    assert gateway.requests == []
    assert "may be asked" in refusal(fetcher(hosts=frozenset()), f"{gateway.url}/list")
    with pytest.raises(FetchError, match="may be asked"):
        allowed.post("https://elsewhere.example/", b"", content_type="text/plain", limit=LIMIT)


def test_a_host_may_be_named_with_the_usual_port(gateway: Gateway, fetcher: Make) -> None:
    for hosts in ({"issuer.example:443"}, {"issuer.example"}):
        fetch = fetcher(hosts=frozenset(hosts), proxy=gateway.proxy)
        for url in ("https://issuer.example/list", "https://Issuer.Example:443/list"):
            assert fetch.get(url, limit=LIMIT).body == BODY


def test_redirects_on_the_same_server_are_followed(gateway: Gateway, fetcher: Make) -> None:
    gateway.misbehave("/old", Fault.REDIRECT, to="/older")
    gateway.misbehave("/older", Fault.REDIRECT, to=f"{gateway.url}/list", status=308)
    assert fetcher().get(f"{gateway.url}/old", limit=LIMIT).body == BODY


@pytest.mark.parametrize(
    "to",
    [
        "https://localhost:{port}/list",
        "https://127.0.0.1/list",
        "http://127.0.0.1:{port}/list",
        "//127.0.0.1:{port}/list",
        "https://someone@127.0.0.1:{port}/list",
        "list",
        "",
        "file:///etc/passwd",
    ],
)
def test_redirects_elsewhere_are_refused(gateway: Gateway, fetcher: Make, to: str) -> None:
    port = gateway.url.rpartition(":")[2]
    gateway.misbehave("/old", Fault.REDIRECT, to=to.format(port=port))
    assert "another server" in refusal(fetcher(), f"{gateway.url}/old")
    assert [request.path for request in gateway.requests] == ["/old"]


def test_redirects_have_an_end(gateway: Gateway, fetcher: Make) -> None:
    gateway.misbehave("/round", Fault.REDIRECT, to="/round")
    assert "more than 3 times" in refusal(fetcher(), f"{gateway.url}/round")
    assert len(gateway.requests) == 4


# How much it takes.


@pytest.mark.parametrize("limit", [len(BODY), len(BODY) - 1, 0])
def test_the_limit_is_exact(gateway: Gateway, fetcher: Make, limit: int) -> None:
    gateway.route("/chunks", lambda _: Reply(200, BODY))
    if limit == len(BODY):
        assert fetcher().get(f"{gateway.url}/list", limit=limit).body == BODY
    else:
        assert f"more than {limit} bytes" in refusal(fetcher(), f"{gateway.url}/list", limit=limit)


def test_what_is_announced_as_too_long_is_not_read(gateway: Gateway, fetcher: Make) -> None:
    gateway.misbehave("/list", Fault.ANNOUNCED, length=LIMIT + 1)
    told: list[object] = []
    assert "more than" in refusal(fetcher(progress=lambda *call: told.append(call)), f"{gateway.url}/list")
    assert told == []


def test_a_body_without_end_is_cut_off(gateway: Gateway, fetcher: Make) -> None:
    gateway.misbehave("/list", Fault.HUGE)
    seen: list[int] = []
    fetch = fetcher(progress=lambda _, received, __: seen.append(received))
    assert "more than" in refusal(fetch, f"{gateway.url}/list")
    assert max(seen) <= LIMIT


def test_nothing_compressed_is_taken(gateway: Gateway, fetcher: Make) -> None:
    gateway.misbehave("/list", Fault.COMPRESSED)
    assert "compressed" in refusal(fetcher(), f"{gateway.url}/list")


def test_identity_is_no_compression(gateway: Gateway, fetcher: Make) -> None:
    gateway.put("/plain", BODY, {"Content-Encoding": "Identity"})
    assert fetcher().get(f"{gateway.url}/plain", limit=LIMIT).body == BODY


def test_headers_are_bounded_and_the_first_one_counts(gateway: Gateway, fetcher: Make) -> None:
    headers = {"X-A": "x" * 4096, "X-B": "x" * 4097, "x-c": "first", "X-C": "second"}
    gateway.route("/headers", lambda _: Reply(200, b"", headers))
    found = fetcher().get(f"{gateway.url}/headers", limit=LIMIT).headers
    assert (found["x-a"], found.get("x-b"), found["x-c"]) == ("x" * 4096, None, "first")


def test_a_head_without_end_is_cut_off(gateway: Gateway, fetcher: Make) -> None:
    gateway.route("/head", lambda _: Reply(200, b"", {f"X-{i}": "x" * 4000 for i in range(100)}))
    refusal(fetcher(), f"{gateway.url}/head", Code.FETCH_FAILED)


# How long it waits.


def took(fetch: HttpFetcher, url: str) -> tuple[str, float]:
    begin = time.monotonic()
    return refusal(fetch, url, Code.FETCH_FAILED), time.monotonic() - begin


@pytest.mark.parametrize("fault", [Fault.SLOW, Fault.SLOW_HEAD])
def test_a_server_that_drips_is_not_waited_for(gateway: Gateway, fetcher: Make, fault: Fault) -> None:
    gateway.misbehave("/list", fault, pause=0.05)
    # No single wait is longer than ``read``; only the deadline ends it.
    detail, seconds = took(fetcher(bounds=Bounds(read=5, total=0.4)), f"{gateway.url}/list")
    assert detail == "127.0.0.1: not done within 0.4 seconds"
    assert 0.3 < seconds < 2


def test_a_server_that_falls_silent_is_not_waited_for(gateway: Gateway, fetcher: Make) -> None:
    gateway.misbehave("/list", Fault.SLOW, pause=30)
    detail, seconds = took(fetcher(bounds=Bounds(read=0.2, total=20, attempts=1)), f"{gateway.url}/list")
    assert detail == "127.0.0.1: no answer in time"
    assert seconds < 2


def test_the_deadline_is_that_of_the_request_not_of_the_connection(gateway: Gateway, fetcher: Make) -> None:
    fetch = fetcher(bounds=Bounds(total=0.5))
    for _ in range(4):
        assert fetch.get(f"{gateway.url}/list", limit=LIMIT).body == BODY
        time.sleep(0.2)


def test_a_deadline_that_passed_before_the_network_was_asked(gateway: Gateway, fetcher: Make) -> None:
    moments = iter(range(0, 1000, 100))
    fetch = fetcher(bounds=Bounds(total=150), monotonic=lambda: float(next(moments)))
    assert "not done within 150 seconds" in refusal(fetch, f"{gateway.url}/list", Code.FETCH_FAILED)
    assert gateway.requests == []


def test_a_name_that_nobody_resolves_is_not_waited_for(fetcher: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()

    def resolve(*_: object, **__: object) -> list[Any]:
        over.wait(20)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    detail, seconds = took(fetcher(bounds=Bounds(total=0.4), proxy=""), "https://slow.example/")
    over.set()
    assert detail == "slow.example: not done within 0.4 seconds"
    assert 0.3 < seconds < 2


@pytest.mark.parametrize("answer", [socket.gaierror("no such name"), UnicodeError("no name at all"), []])
def test_a_name_without_addresses(fetcher: Make, monkeypatch: pytest.MonkeyPatch, answer: Any) -> None:
    def resolve(*_: object, **__: object) -> Any:
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    detail = refusal(fetcher(proxy=""), "https://unknown.example/", Code.FETCH_FAILED)
    assert detail == "unknown.example: it cannot be reached"


@pytest.mark.parametrize(("total", "waits"), [(25, [10, 10, 5]), (1000, [10] * 6)])
def test_the_addresses_of_a_server_share_the_deadline(
    fetcher: Make, monkeypatch: pytest.MonkeyPatch, total: float, waits: list[float]
) -> None:
    passed = Time()
    asked: list[str] = []

    def connect(host: str, port: int, timeout: float, *_: object) -> Any:
        asked.append(host)
        passed.sleep(timeout)
        raise httpcore.ConnectTimeout

    found = [(2, 1, 6, "", (f"192.0.2.{i // 2}", 443)) for i in range(40)]  # each of them twice
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    fetch = fetcher(**passed.options(total=total, attempts=1), proxy="")
    monkeypatch.setattr(fetch._network._backend, "_inner", SimpleNamespace(connect_tcp=connect))
    refusal(fetch, "https://many.example/", Code.FETCH_FAILED)
    assert passed.pauses == waits
    assert asked == [f"192.0.2.{i}" for i in range(len(waits))]


def test_the_next_address_of_a_server_is_tried(
    gateway: Gateway, fetcher: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve = socket.getaddrinfo

    def two(host: str, port: int, *rest: Any, **options: Any) -> Any:
        # Nobody listens at the first one: the gateway is at 127.0.0.1 alone.
        names = ["127.0.0.2", "127.0.0.1"] if host == "127.1" else [host]
        return [answer for name in names for answer in resolve(name, port, *rest, **options)]

    monkeypatch.setattr(socket, "getaddrinfo", two)
    # The certificate is still held against the name.
    assert "not trusted" in refusal(fetcher(), gateway.url.replace("127.0.0.1", "127.1"))


def test_a_server_that_hardly_reads_is_not_waited_for(gateway: Gateway, fetcher: Make) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificates.write(certificates.server(), gateway.folder, "slow"))
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 0x8000)

        def drip() -> None:
            with context.wrap_socket(listening.accept()[0], server_side=True) as client:
                while not over.wait(0.05) and client.recv(0x4000):
                    pass

        thread = threading.Thread(target=drip, daemon=True)
        thread.start()
        fetch = fetcher(bounds=Bounds(total=0.5, read=0.4))
        begin = time.monotonic()
        with pytest.raises(FetchError, match=r"not done within 0\.5 seconds"):
            fetch.post(
                f"https://127.0.0.1:{listening.getsockname()[1]}/", bytes(20_000_000), content_type="a/b", limit=LIMIT
            )
        assert time.monotonic() - begin < 2
        over.set()
        thread.join(5)


def test_all_requests_together_have_a_budget(gateway: Gateway, fetcher: Make) -> None:
    passed = Time()
    fetch = fetcher(**passed.options(total=60), budget=100)
    url = f"{gateway.url}/list"
    passed.sleep(1000)  # before the first request, nothing counts
    assert fetch.get(url, limit=LIMIT).body == BODY
    passed.sleep(80)
    assert fetch.get(url, limit=LIMIT).body == BODY
    # What is left of it bounds the pauses too.
    gateway.misbehave("/list", Fault.STATUS, status=503, headers={"Retry-After": "25"}, times=1)
    assert "status 503" in refusal(fetch, url, Code.FETCH_FAILED)
    passed.sleep(20)
    gateway.requests.clear()
    late = "127.0.0.1: not done within the 100 seconds of all requests together"
    assert refusal(fetch, url, Code.FETCH_FAILED) == late
    with pytest.raises(FetchError, match="of all requests together"):
        fetch.post(url, b"", content_type="text/plain", limit=LIMIT)
    assert gateway.requests == []


def test_a_pause_counts_towards_the_deadline(gateway: Gateway, fetcher: Make) -> None:
    passed = Time()
    gateway.misbehave("/list", Fault.STATUS, status=503, headers={"Retry-After": "25"})
    refusal(fetcher(**passed.options(total=60, attempts=10)), f"{gateway.url}/list", Code.FETCH_FAILED)
    assert passed.pauses == [25.5, 26.0]


# How often it asks.


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_what_may_pass_is_tried_again(gateway: Gateway, fetcher: Make, status: int) -> None:
    passed = Time()
    gateway.misbehave("/list", Fault.STATUS, status=status, times=3)
    assert fetcher(**passed.options()).get(f"{gateway.url}/list", limit=LIMIT).body == BODY
    # Half of 1, 2 and 4 seconds.
    assert passed.pauses == [0.5, 1.0, 2.0]


@pytest.mark.parametrize("status", [404, 410, 503])
def test_an_answer_that_failed_says_its_status(gateway: Gateway, fetcher: Make, status: int) -> None:
    gateway.misbehave("/list", Fault.STATUS, status=status)
    with pytest.raises(FetchError) as caught:
        fetcher(**Time().options(attempts=1)).get(f"{gateway.url}/list", limit=LIMIT)
    assert caught.value.status == status
    gateway.misbehave("/list", Fault.RESET)
    with pytest.raises(FetchError) as caught:
        fetcher(**Time().options(attempts=1)).get(f"{gateway.url}/list", limit=LIMIT)
    assert caught.value.status is None


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 418, 501, 505])
def test_what_will_not_pass_is_not(gateway: Gateway, fetcher: Make, status: int) -> None:
    passed = Time()
    gateway.misbehave("/list", Fault.STATUS, status=status)
    detail = refusal(fetcher(**passed.options()), f"{gateway.url}/list", Code.FETCH_FAILED)
    assert detail == f"127.0.0.1: it answered with status {status}"
    assert (len(gateway.requests), passed.pauses) == (1, [])


@pytest.mark.parametrize("fault", [Fault.RESET, Fault.TRUNCATED])
def test_a_lost_connection_is_tried_again(gateway: Gateway, fetcher: Make, fault: Fault) -> None:
    passed = Time()
    gateway.misbehave("/list", fault, times=1)
    assert fetcher(**passed.options()).get(f"{gateway.url}/list", limit=LIMIT).body == BODY
    assert passed.pauses == [0.5]


def test_half_a_body_is_never_taken(gateway: Gateway, fetcher: Make) -> None:
    gateway.misbehave("/list", Fault.TRUNCATED)
    assert "incomplete" in refusal(fetcher(), f"{gateway.url}/list", Code.FETCH_FAILED)


def test_attempts_and_pauses_are_bounded(gateway: Gateway, fetcher: Make) -> None:
    passed = Time()
    gateway.misbehave("/list", Fault.STATUS, status=500)
    refusal(
        fetcher(**passed.options(attempts=8, longest_pause=10, total=1000)), f"{gateway.url}/list", Code.FETCH_FAILED
    )
    assert passed.pauses == [0.5, 1.0, 2.0, 4.0, 5.0, 5.0, 5.0]
    assert len(gateway.requests) == 8


def test_a_server_that_nobody_listens_at(fetcher: Make) -> None:
    passed = Time()
    detail = refusal(fetcher(**passed.options(attempts=2)), "https://127.0.0.1:1/list?token=x", Code.FETCH_FAILED)
    assert detail == "127.0.0.1: it cannot be reached"
    assert passed.pauses == [0.5]


def test_a_server_that_hangs_up_before_tls_stands(fetcher: Make) -> None:
    passed = Time()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def hang_up() -> None:
            for _ in range(2):
                client, _ = listening.accept()
                client.recv(0x4000)
                client.close()

        threading.Thread(target=hang_up, daemon=True).start()
        url = f"https://127.0.0.1:{listening.getsockname()[1]}/"
        refusal(fetcher(**passed.options(attempts=2)), url, Code.FETCH_FAILED)
    assert passed.pauses == [0.5]


@pytest.mark.parametrize(
    ("headers", "pauses"),
    [
        ({"Retry-After": "7"}, [7.5]),
        ({"Retry-After": "Fri, 20 Aug 2021 10:00:09 GMT", "Date": "Fri, 20 Aug 2021 10:00:00 GMT"}, [9.5]),
        ({"Retry-After": "Fri, 20 Aug 2021 10:00:00 GMT", "Date": "Fri, 20 Aug 2021 10:00:09 GMT"}, [0.5]),
        ({"Retry-After": "Fri, 20 Aug 2021 10:00:09 GMT"}, [0.5]),
        ({"Retry-After": "Fri, 20 Aug 2021 10:00:09", "Date": "Fri, 20 Aug 2021 10:00:00 GMT"}, [0.5]),
        ({"Retry-After": "soon", "Date": "never"}, [0.5]),
        ({"Retry-After": "-1"}, [0.5]),
        ({"Retry-After": "31"}, None),
        ({"Retry-After": "999999999"}, None),
        ({"Retry-After": "9" * 400}, [0.5]),
    ],
)
def test_a_server_may_ask_for_a_pause_within_reason(
    gateway: Gateway, fetcher: Make, headers: dict[str, str], pauses: list[float] | None
) -> None:
    passed = Time()
    gateway.misbehave("/list", Fault.STATUS, status=503, headers=headers, times=1)
    fetch = fetcher(**passed.options())
    if pauses is None:
        refusal(fetch, f"{gateway.url}/list", Code.FETCH_FAILED)
    else:
        fetch.get(f"{gateway.url}/list", limit=LIMIT)
    assert passed.pauses == (pauses or [])


# Whom it believes.


def test_only_the_given_authorities(gateway: Gateway, fetcher: Make) -> None:
    passed = Time()
    detail = refusal(fetcher(ca=None, **passed.options()), f"{gateway.url}/list")
    assert "not trusted" in detail
    assert passed.pauses == []
    other = gateway.folder / "other.pem"
    other.write_bytes(certificates.make("Another Authority", None).pem)
    assert "not trusted" in refusal(fetcher(ca=other), f"{gateway.url}/list")


def test_only_a_certificate_for_that_name(gateway: Gateway, fetcher: Make) -> None:
    # The whole of 127/8 is this machine, but the certificate is for 127.0.0.1.
    url = gateway.url.replace("127.0.0.1", "127.1")
    assert "not trusted" in refusal(fetcher(), f"{url}/list")


def test_tls_is_1_2_or_later(gateway: Gateway) -> None:
    context = _network.tls_context(gateway.ca, None, None, None)
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context.check_hostname


def test_the_systems_authorities_or_the_packages(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    paths: dict[str, Any] = ssl.get_default_verify_paths()._asdict()
    for capath in ("/some", None):
        system = SimpleNamespace(**paths | {"cafile": None, "capath": capath})
        monkeypatch.setattr(ssl, "get_default_verify_paths", lambda system=system: system)
        if capath:
            assert _network._authorities() is None
    found = _network._authorities()
    assert found is not None
    assert "BEGIN CERTIFICATE" in Path(found).read_text("utf-8")


def test_a_pinned_key(gateway: Gateway, fetcher: Make) -> None:
    right = certificates.server().pin
    assert fetcher(pins=frozenset({right, "00"})).get(f"{gateway.url}/list", limit=LIMIT).body == BODY
    gateway.requests.clear()
    detail = refusal(fetcher(pins=frozenset({certificates.client().pin})), f"{gateway.url}/list")
    assert detail == "127.0.0.1: its key is not the one that is pinned"
    assert gateway.requests == []


def test_a_pin_does_not_make_up_for_a_certificate(gateway: Gateway, fetcher: Make) -> None:
    fetch = fetcher(ca=None, pins=frozenset({certificates.server().pin}))
    assert "not trusted" in refusal(fetch, f"{gateway.url}/list")


def test_a_client_certificate_is_shown(gateway: Gateway, fetcher: Make) -> None:
    url = f"{gateway.member_url}/trustList"
    assert "CERTIFICATE_REQUIRED" in refusal(fetcher(), url, Code.FETCH_FAILED)
    shown = fetcher(client_certificate=gateway.client_certificate, client_key=gateway.client_key)
    assert "status 401" in refusal(shown, url, Code.FETCH_FAILED)
    assert gateway.requests[-1].certificate == certificates.client().der


@pytest.mark.parametrize("passphrase", [certificates.PASSPHRASE, b"another", None, b"", b"x" * 5000])
def test_an_encrypted_client_key(gateway: Gateway, fetcher: Make, passphrase: bytes | None) -> None:
    certificate, key = certificates.write(certificates.client(), gateway.folder, "locked", certificates.PASSPHRASE)
    options = {"client_certificate": certificate, "client_key": key, "passphrase": passphrase}
    if passphrase == certificates.PASSPHRASE:
        assert "status 401" in refusal(fetcher(**options), f"{gateway.member_url}/trustList", Code.FETCH_FAILED)
        return
    with pytest.raises(FetchError) as caught:
        fetcher(**options)
    assert caught.value.code == Code.SIGNER_KEY_UNREADABLE


def test_files_that_are_something_else(gateway: Gateway, fetcher: Make) -> None:
    nonsense = gateway.folder / "nonsense.pem"
    nonsense.write_bytes(b"nonsense")
    with pytest.raises(FetchError) as caught:
        fetcher(ca=nonsense)
    assert (caught.value.code, caught.value.detail) == (
        Code.TRUST_ANCHOR_UNREADABLE,
        "nonsense.pem: it holds no certificates in PEM",
    )
    for certificate, key in (
        (nonsense, gateway.client_key),
        (gateway.client_certificate, nonsense),
        (gateway.client_certificate, gateway.stranger_files[1]),
    ):
        with pytest.raises(FetchError) as caught:
            fetcher(client_certificate=certificate, client_key=key)
        assert caught.value.code == Code.SIGNER_KEY_UNREADABLE
    for missing in ({"ca": gateway.folder / "missing"}, {"client_certificate": gateway.folder / "missing"}):
        with pytest.raises(FileNotFoundError):
            fetcher(**missing)


# What it never says.


def test_details_hold_neither_tokens_nor_answers(gateway: Gateway, fetcher: Make) -> None:
    fetch = fetcher(hosts=frozenset({gateway.url.removeprefix("https://")}))
    gateway.misbehave("/secret-path", Fault.STATUS, status=500)
    gateway.misbehave("/secret-way", Fault.REDIRECT, to="https://secret.example/")
    for url in (
        f"{gateway.url}/secret-path?token=secret",
        f"{gateway.url}/secret-way",
        "https://127.0.0.1/secret",
        "https://secret:secret@127.0.0.1/",
        "http://secret.example/",
    ):
        with pytest.raises(FetchError) as caught:
            fetch.get(url, limit=LIMIT, headers={"Authorization": "Bearer secret"})
        assert "secret" not in str(caught.value)
        assert caught.value.__cause__ is None


@pytest.mark.parametrize("headers", [{"X": "€"}, {"X": "a\r\nB: c"}, {"X\n": "1"}, {"": "1"}, {"X": "\ud800"}])
def test_a_header_that_cannot_be_sent(gateway: Gateway, fetcher: Make, headers: dict[str, str]) -> None:
    assert refusal(fetcher(), f"{gateway.url}/list", headers=headers) == "127.0.0.1: a header that cannot be sent"
    assert gateway.requests == []


# Through a proxy.


@pytest.fixture
def tunnel() -> Iterator[Tunnel]:
    made = Tunnel()
    yield made
    made.close()


def test_a_given_proxy(gateway: Gateway, fetcher: Make, tunnel: Tunnel) -> None:
    fetch = fetcher(proxy=f"http://some%20one:wo%3Ard@127.0.0.1:{tunnel.port}/", pins={certificates.server().pin})
    assert fetch.get(f"{gateway.url}/list?token=1", limit=LIMIT).body == BODY
    (head,) = tunnel.heads
    # All that it learns is which server is asked.
    assert head.startswith(b"CONNECT " + gateway.url.removeprefix("https://").encode() + b" ")
    assert b"proxy-authorization: basic c29tzsbvbmu6d286cmq=" in head.lower()
    assert b"token" not in head


def test_the_proxy_of_the_environment(
    gateway: Gateway, fetcher: Make, tunnel: Tunnel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"127.0.0.1:{tunnel.port}")
    url = f"{gateway.url}/list"
    fetch = fetcher()
    assert fetch.get(url, limit=LIMIT).body == BODY
    assert len(tunnel.heads) == 1
    monkeypatch.setenv("NO_PROXY", "example.org, 127.0.0.1")
    assert fetch.get(url, limit=LIMIT).body == BODY
    monkeypatch.delenv("NO_PROXY")
    assert fetcher(proxy="").get(url, limit=LIMIT).body == BODY
    assert len(tunnel.heads) == 1


@pytest.mark.parametrize(
    ("exempt", "found"),
    [
        ("", "p:1"),
        ("*", ""),
        ("lists.example", ""),
        ("example", ""),
        (".example", ""),
        ("*.example", ""),
        ("a.lists.example,ts.example", "p:1"),
        (" , LISTS.example ,", ""),
    ],
)
def test_who_is_exempt_from_the_proxy(monkeypatch: pytest.MonkeyPatch, exempt: str, found: str) -> None:
    for name in ("https_proxy", "HTTPS_PROXY", "no_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("all_proxy", "p:1")
    monkeypatch.setenv("NO_PROXY", exempt)
    assert _network._proxy_of_environment("lists.example") == found


def test_a_proxy_that_lets_nobody_through(gateway: Gateway, fetcher: Make) -> None:
    made = Tunnel(status=407)
    detail = refusal(fetcher(proxy=f"127.0.0.1:{made.port}"), f"{gateway.url}/list", Code.FETCH_FAILED)
    made.close()
    assert detail == "127.0.0.1: the proxy does not let it through"
    assert gateway.requests == []


@pytest.mark.parametrize("proxy", ["https://p:1", "p", "socks5://p:1", "http://p:70000", "http://secret@p:1", "p:1/x"])
def test_a_proxy_without_sense(fetcher: Make, proxy: str) -> None:
    with pytest.raises(FetchError) as caught:
        fetcher(proxy=proxy)
    assert (caught.value.code, "secret" in caught.value.detail) == (Code.FETCH_REFUSED, False)


# Whatever a server says.


@settings(max_examples=50, deadline=None)
@given(
    status=st.integers(100, 999),
    body=st.binary(max_size=50),
    headers=st.dictionaries(
        st.sampled_from(
            ["Location", "Retry-After", "Date", "Content-Encoding", "ETag", "X-KID", "Transfer-Encoding", "Connection"]
        ),
        st.text(st.characters(codec="latin-1", exclude_characters="\r\n"), max_size=30),
    ),
)
def test_no_answer_raises_anything_else(running: Gateway, status: int, body: bytes, headers: dict[str, str]) -> None:
    def answer(_: Request) -> Reply:
        return Reply(status, body, headers)

    running.behave()
    url = running.route("/any", answer)
    with HttpFetcher(ca=running.ca, bounds=Bounds(total=1, attempts=1, read=0.2), proxy="") as fetch:
        try:
            found = fetch.get(url, limit=LIMIT)
        except FetchError:
            return
    assert 200 <= found.status < 300
    assert len(found.body) <= LIMIT


@given(st.text(max_size=40) | st.from_regex(r"https://[a-z0-9.@:\[\]/?#%-]{0,20}", fullmatch=True))
def test_no_url_raises_anything_else(url: str) -> None:
    address = parse_address(url)
    if address is not None:
        assert parse_address(f"https://{address.authority}{address.target}") == address
