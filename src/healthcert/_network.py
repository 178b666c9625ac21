"""What the fetcher stands on: TLS, connections with a deadline, proxies. Imported only when something is fetched."""

from __future__ import annotations

import hashlib
import os
import re
import socket
import ssl
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import httpcore

from healthcert.errors import Code, FetchError
from healthcert.fetch import Address, Answer, Bounds, Deadline, PassingError

_CONNECTIONS = 10
_KEPT_SECONDS = 15.0
_ADDRESSES = 6  # of a name that are tried; whoever answers for the name chooses how many there are
_RECORD = 0x4000  # RFC 8446 §5.1: the longest plaintext of one TLS record
_PROXY = re.compile(r"(?:http://)?(?:([^:@/?#\s]*):([^@/?#\s]*)@)?([A-Za-z0-9._-]{1,253}):([1-9][0-9]{0,4})/?")


class Network:
    """Asks servers, each request within its deadline; every failure is a :class:`FetchError`."""

    def __init__(
        self,
        tls: ssl.SSLContext,
        pins: frozenset[str],
        proxy: str | None,
        bounds: Bounds,
        monotonic: Callable[[], float],
    ) -> None:
        self._tls = tls
        self._proxy = proxy
        self._bounds = bounds
        self._monotonic = monotonic
        self._backend = _Backend(pins, monotonic)
        self._pools: dict[str, httpcore.ConnectionPool] = {}
        self._lock = threading.Lock()
        if proxy:
            self._pool(proxy)

    @contextmanager
    def ask(
        self, address: Address, headers: Mapping[str, str], body: bytes | None, deadline: Deadline
    ) -> Iterator[Answer]:
        """The answer to one request: a POST when there is a body, else a GET."""
        if body is not None:
            headers = {**headers, "Content-Length": str(len(body))}
        request = httpcore.Request(
            "GET" if body is None else "POST",
            httpcore.URL(
                scheme=b"https", host=address.host.encode(), port=address.port, target=address.target.encode()
            ),
            headers=_encoded(address.host, headers),
            content=body,
            extensions={"timeout": self._waits(deadline)},
        )
        pool = self._pool(_proxy_of_environment(address.host) if self._proxy is None else self._proxy)
        self._backend.current.deadline = deadline.at
        try:
            response = pool.handle_request(request)
            try:
                found = ((n.decode("latin-1").lower(), v.decode("latin-1").strip()) for n, v in response.headers)
                yield Answer(response.status, tuple(found), response.iter_stream())
            finally:
                response.close()
        except httpcore.LocalProtocolError:
            raise _unsendable(address.host) from None
        except httpcore.TimeoutException:
            raise self._late(address.host, deadline) from None
        except httpcore.ProxyError:
            raise FetchError(Code.FETCH_FAILED, f"{address.host}: the proxy does not let it through") from None
        except httpcore.ProtocolError:
            raise PassingError(f"{address.host}: its answer is incomplete, or not the HTTP it should be") from None
        except httpcore.NetworkError as error:
            raise _lost(address.host, error) from None

    def close(self) -> None:
        """Closes all connections."""
        with self._lock:
            for pool in self._pools.values():
                pool.close()
            self._pools.clear()

    def _waits(self, deadline: Deadline) -> dict[str, float]:
        left = max(0.0, deadline.at - self._monotonic())
        return {"connect": self._bounds.connect, "read": self._bounds.read, "write": self._bounds.read, "pool": left}

    def _pool(self, proxy: str) -> httpcore.ConnectionPool:
        with self._lock:
            if proxy not in self._pools:
                self._pools[proxy] = httpcore.ConnectionPool(
                    ssl_context=self._tls,
                    proxy=_proxy(proxy) if proxy else None,
                    max_connections=_CONNECTIONS,
                    keepalive_expiry=_KEPT_SECONDS,
                    network_backend=self._backend,
                )
            return self._pools[proxy]

    def _late(self, host: str, deadline: Deadline) -> FetchError:
        if self._monotonic() >= deadline.at:
            return FetchError(Code.FETCH_FAILED, f"{host}: not done within {deadline.bound}")
        return PassingError(f"{host}: no answer in time")


class _Current(threading.local):
    """The deadline of the request that a thread is making; connections outlive requests."""

    deadline: float = 0.0


class _Backend(httpcore.NetworkBackend):
    """Opens connections on which no wait goes beyond the deadline, however many there are in one request."""

    def __init__(self, pins: frozenset[str], monotonic: Callable[[], float]) -> None:
        self._inner = httpcore.SyncBackend()
        self._monotonic = monotonic
        self.pins = pins
        self.current = _Current()

    def within(self, timeout: float | None) -> float:
        """The seconds that a single wait may take. Raises :class:`httpcore.TimeoutException`."""
        left = self.current.deadline - self._monotonic()
        if left <= 0:
            raise httpcore.TimeoutException("the deadline has passed")
        return left if timeout is None else min(timeout, left)

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        failure: httpcore.NetworkError | httpcore.TimeoutException = httpcore.ConnectError("a name without addresses")
        for address in _addresses(host, port, self.within(timeout)):
            # By its number: the inner one would give each address of a name the whole time anew.
            try:
                stream = self._inner.connect_tcp(address, port, self.within(timeout), local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
            else:
                return _Stream(stream, self)
        raise failure


class _Stream(httpcore.NetworkStream):
    def __init__(self, inner: httpcore.NetworkStream, backend: _Backend) -> None:
        self._inner = inner
        self._backend = backend

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, self._backend.within(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        # The inner one gives each part that goes out the whole time anew; one record goes out as a whole.
        for start in range(0, len(buffer), _RECORD):
            self._inner.write(buffer[start : start + _RECORD], self._backend.within(timeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        stream = self._inner.start_tls(ssl_context, server_hostname, self._backend.within(timeout))
        if self._backend.pins and _key_digest(stream) not in self._backend.pins:
            stream.close()
            raise FetchError(Code.FETCH_REFUSED, f"{server_hostname}: its key is not the one that is pinned")
        return _Stream(stream, self._backend)

    def get_extra_info(self, info: str) -> object:
        return self._inner.get_extra_info(info)


def _addresses(host: str, port: int, seconds: float) -> tuple[str, ...]:
    """The first few addresses of a host, as numbers. Raises :class:`httpcore.ConnectTimeout`."""
    found: list[str] = []

    def resolve() -> None:
        # A name that does not exist, or is none, has no addresses.
        with suppress(OSError, UnicodeError):
            answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            found.extend(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in answers))

    # The system's resolver takes no timeout. One that hangs is left behind, and keeps no program from ending.
    thread = threading.Thread(target=resolve, daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        raise httpcore.ConnectTimeout("its name is not resolved in time")
    return tuple(found[:_ADDRESSES])


def tls_context(
    ca: str | Path | None,
    certificate: str | Path | None,
    key: str | Path | None,
    passphrase: bytes | None,
) -> ssl.SSLContext:
    """TLS 1.2 or later, with servers that show a certificate for their name. See :class:`HttpFetcher`."""
    try:
        context = ssl.create_default_context(cafile=_authorities() if ca is None else str(ca))
    except ssl.SSLError:
        raise FetchError(
            Code.TRUST_ANCHOR_UNREADABLE, f"{Path(ca or '').name}: it holds no certificates in PEM"
        ) from None
    # BSI TR-02102-2 §3.2: neither SSL nor TLS before 1.2.
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if certificate is not None:
        try:
            # A function even without a passphrase: else OpenSSL would ask at the terminal for one.
            context.load_cert_chain(certificate, key, lambda: passphrase or b"")
        except (ssl.SSLError, ValueError):
            raise FetchError(
                Code.SIGNER_KEY_UNREADABLE,
                "the client certificate and its key cannot be used: not PEM, not a pair, or the wrong passphrase",
            ) from None
    return context


def _authorities() -> str | None:
    """A file of authorities for a system that has none; None where the system's own are used."""
    system = ssl.get_default_verify_paths()
    if sys.platform == "win32" or system.cafile or system.capath:
        return None
    import certifi

    return certifi.where()


def _encoded(host: str, headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    try:
        return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    except UnicodeError:
        raise _unsendable(host) from None


def _unsendable(host: str) -> FetchError:
    return FetchError(Code.FETCH_REFUSED, f"{host}: a header that cannot be sent")


def _key_digest(stream: httpcore.NetworkStream) -> str:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
    from cryptography.x509 import load_der_x509_certificate

    certificate = stream.get_extra_info("socket").getpeercert(binary_form=True) or b""
    try:
        key = load_der_x509_certificate(certificate).public_key()
        return hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()
    except (ValueError, UnsupportedAlgorithm):
        return ""


def _lost(host: str, error: httpcore.NetworkError) -> FetchError:
    cause = next(iter(error.args), None)  # what it was made from; its ``__cause__`` is gone on the way here
    if isinstance(cause, ssl.SSLCertVerificationError):
        return FetchError(Code.FETCH_REFUSED, f"{host}: its certificate is not trusted ({cause.verify_message[:100]})")
    if isinstance(cause, ssl.SSLError) and not isinstance(cause, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
        # OpenSSL's own word, which tells a missing client certificate from an old protocol.
        return FetchError(Code.FETCH_FAILED, f"{host}: no TLS with it ({str(cause.reason)[:60]})")
    if isinstance(error, httpcore.ConnectError):
        return PassingError(f"{host}: it cannot be reached")
    return PassingError(f"{host}: the connection was lost")


def _proxy(address: str) -> httpcore.Proxy:
    match = _PROXY.fullmatch(address)
    if match is None or int(match[4]) > 0xFFFF:
        raise FetchError(Code.FETCH_REFUSED, "the proxy's address is not http://host:port")
    auth = None if match[1] is None else (_plain(match[1]), _plain(match[2]))
    return httpcore.Proxy(httpcore.URL(scheme=b"http", host=match[3].encode(), port=int(match[4]), target=b"/"), auth)


def _plain(text: str) -> bytes:
    """Text without its percent-encoding (RFC 3986 §2.1)."""
    return re.sub(rb"%([0-9A-Fa-f]{2})", lambda match: bytes.fromhex(match[1].decode()), text.encode())


def _proxy_of_environment(host: str) -> str:
    """The proxy that the environment names for this host, in the variables that other programs read too; or none."""

    def value(name: str) -> str:
        return (os.environ.get(name) or os.environ.get(name.upper()) or "").strip()

    exempt = [entry.strip().lower().removeprefix("*").lstrip(".") for entry in value("no_proxy").split(",")]
    if "*" in value("no_proxy").split(",") or any(e and (host == e or host.endswith(f".{e}")) for e in exempt):
        return ""
    return value("https_proxy") or value("all_proxy")
