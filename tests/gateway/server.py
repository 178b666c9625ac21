"""The server: what tests put at a path is served over HTTPS, and, when told so, in every way that a server can err."""

from __future__ import annotations

import gzip
import hashlib
import ssl
import tempfile
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import socket
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from tests.gateway import certificates
from tests.gateway.dgcg import Dgcg
from tests.gateway.messages import Reply, Request
from tests.gateway.tunnel import Tunnel

_BODILESS = (204, 304)


class Fault(Enum):
    """A way to misbehave."""

    STALE = auto()
    """The answer before the newest, as from a cache that nobody cleared."""
    ROLLED_BACK = auto()
    """The first answer that there ever was, as from somebody who kept it."""
    OTHER = auto()
    """Another body (``body``): what another signer made."""
    EQUIVOCATING = auto()
    """The answer and another body (``body``) in turns."""
    TRUNCATED = auto()
    """Half of the body, under the length of all of it."""
    SLOW = auto()
    """The body byte by byte, with ``pause`` seconds between."""
    SLOW_HEAD = auto()
    """The head likewise."""
    HUGE = auto()
    """A body without end."""
    ANNOUNCED = auto()
    """A body of ``length`` bytes, in the head; what follows is the true one."""
    STATUS = auto()
    """Another status (``status``)."""
    REDIRECT = auto()
    """Go to ``to``."""
    COMPRESSED = auto()
    """gzip, though it was not asked for."""
    RESET = auto()
    """No answer at all."""
    UNCHANGED = auto()
    """304, whatever was asked."""


@dataclass
class Misbehaviour:
    fault: Fault
    how: dict[str, Any]
    times: int | None = None
    """How often; None for ever."""
    count: int = 0


@dataclass
class Gateway:
    """Serves while it is entered. ``url`` takes anybody; ``member_url`` is the DGCG, which asks for a certificate.

    ``ca`` is the file of the authority of its certificate; ``client_certificate`` and ``client_key`` are those of a
    member state. Through ``proxy``, every host leads here.
    """

    url: str = ""
    member_url: str = ""
    proxy: str = ""
    requests: list[Request] = field(default_factory=list)
    dgcg: Dgcg = field(default_factory=Dgcg)

    def __enter__(self) -> Self:
        self.stopped = threading.Event()
        self._folder = tempfile.TemporaryDirectory()
        self.folder = Path(self._folder.name)
        self.ca, _ = certificates.write(certificates.authority(), self.folder, "ca")
        self.client_certificate, self.client_key = certificates.write(certificates.client(), self.folder, "client")
        self.stranger_files = certificates.write(certificates.stranger(), self.folder, "stranger")
        self.stateless_files = certificates.write(certificates.stateless(), self.folder, "stateless")
        self._answers: dict[str, list[Reply]] = {}
        self._routes: dict[str, Callable[[Request], Reply]] = {}
        self._faults: dict[str, Misbehaviour] = {}
        self._lock = threading.Lock()
        self._servers = [_Server(self, members=members) for members in (False, True)]
        self.url, self.member_url = (f"https://127.0.0.1:{server.server_port}" for server in self._servers)
        self._tunnel = Tunnel(to=self._servers[0].server_port)
        self.proxy = f"http://127.0.0.1:{self._tunnel.port}"
        for server in self._servers:
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopped.set()
        self._tunnel.close()
        for server in self._servers:
            server.shutdown()
            server.server_close()
        self._folder.cleanup()

    def put(self, path: str, body: bytes, headers: Mapping[str, str] | None = None) -> str:
        """Serves this at ``path`` from now on, and says where that is."""
        self._answers.setdefault(path, []).append(_tagged(Reply(200, body, dict(headers or {}))))
        return self.url + path

    def route(self, path: str, answer: Callable[[Request], Reply]) -> str:
        """Serves what ``answer`` makes of each request."""
        self._routes[path] = answer
        return self.url + path

    def misbehave(self, path: str, fault: Fault, *, times: int | None = None, **how: Any) -> None:
        self._faults[path] = Misbehaviour(fault, how, times)

    def behave(self) -> None:
        self._faults.clear()

    def newest(self, path: str) -> bytes:
        """What is served at ``path``."""
        return self._answers[path][-1].body

    def reset(self) -> None:
        """Forgets everything."""
        with self._lock:
            self._answers.clear()
            self._routes.clear()
            self._faults.clear()
            self.requests.clear()
            self.dgcg.rows.clear()

    def answer(self, request: Request, *, members: bool) -> tuple[Reply, Misbehaviour | None]:
        """What is to be said, and how it is to be done wrong."""
        with self._lock:
            self.requests.append(request)
            reply = self._honest(request, members=members)
            if reply.status == 200 and (members or request.path in self._routes):
                history = self._answers.setdefault(request.path, [])
                if not history or history[-1].body != reply.body:
                    history.append(reply)
            wrong = self._faults.get(request.path)
            if wrong is None or wrong.count == wrong.times:
                return _conditional(reply, request), None
            wrong.count += 1
            return self._changed(reply, wrong, request), wrong

    def _honest(self, request: Request, *, members: bool) -> Reply:
        if members:
            return self.dgcg.answer(request)
        if request.path in self._routes:
            return self._routes[request.path](request)
        answers = self._answers.get(request.path)
        return answers[-1] if answers else Reply(404)

    def _changed(self, reply: Reply, wrong: Misbehaviour, request: Request) -> Reply:
        history = self._answers.get(request.path, [reply])
        if wrong.fault is Fault.STALE:
            return history[-2]
        if wrong.fault is Fault.ROLLED_BACK:
            return history[0]
        if wrong.fault is Fault.OTHER or (wrong.fault is Fault.EQUIVOCATING and wrong.count % 2 == 0):
            return _tagged(Reply(200, wrong.how["body"]))
        if wrong.fault is Fault.STATUS:
            return Reply(
                wrong.how["status"], b"It did not work: " + request.path.encode(), wrong.how.get("headers", {})
            )
        if wrong.fault is Fault.REDIRECT:
            return Reply(wrong.how.get("status", 302), b"", {"Location": wrong.how["to"]})
        if wrong.fault is Fault.COMPRESSED:
            return Reply(200, gzip.compress(reply.body), {"Content-Encoding": "gzip"})
        if wrong.fault is Fault.UNCHANGED:
            return Reply(304)
        return reply


def _tagged(reply: Reply) -> Reply:
    tag = f'"{hashlib.sha256(reply.body).hexdigest()[:16]}"'
    return Reply(reply.status, reply.body, {"ETag": tag, **reply.headers})


def _conditional(reply: Reply, request: Request) -> Reply:
    # RFC 9110 §13.1.2.
    tag = reply.headers.get("ETag")
    return Reply(304, b"", {"ETag": tag}) if tag and request.headers.get("if-none-match") == tag else reply


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, gateway: Gateway, *, members: bool) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.gateway = gateway
        self.members = members
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(*certificates.write(certificates.server(), gateway.folder, "server"))
        if members:
            self._context.verify_mode = ssl.CERT_REQUIRED
            self._context.load_verify_locations(gateway.ca)

    def finish_request(self, request: Any, client_address: Any) -> None:
        assert isinstance(request, socket)
        request.settimeout(30)
        # In the connection's own thread, so that one that never says a word keeps nobody waiting.
        with self._context.wrap_socket(request, server_side=True) as connection:
            _Handler(connection, client_address, self)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that go away are what is tested."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server
    connection: ssl.SSLSocket

    def do_GET(self) -> None:
        self._serve(b"")

    def do_POST(self) -> None:
        self._serve(self.rfile.read(int(self.headers["Content-Length"])))

    def log_message(self, *_: object) -> None:
        pass

    def _serve(self, body: bytes) -> None:
        parts = urlsplit(self.path)
        request = Request(
            method=self.command,
            path=parts.path,
            query=dict(parse_qsl(parts.query)),
            headers={name.lower(): ", ".join(self.headers.get_all(name, ())) for name in self.headers},
            body=body,
            certificate=self.connection.getpeercert(binary_form=True),
        )
        reply, wrong = self.server.gateway.answer(request, members=self.server.members)
        fault = wrong.fault if wrong else None
        pause = wrong.how.get("pause", 1.0) if wrong else 0.0
        if fault is Fault.RESET:
            self.close_connection = True
            return
        length: int | None = len(reply.body)
        if wrong and fault is Fault.ANNOUNCED:
            length = wrong.how["length"]
        elif fault is Fault.HUGE:
            length = None
        self._head(reply, length, pause if fault is Fault.SLOW_HEAD else 0.0)
        if fault is Fault.SLOW:
            self._drip(reply.body, pause)
        elif fault is Fault.HUGE:
            while not self.server.gateway.stopped.is_set():
                self.wfile.write(b"4000\r\n" + bytes(0x4000) + b"\r\n")
        elif fault is Fault.TRUNCATED:
            self.wfile.write(reply.body[: len(reply.body) // 2])
        elif reply.status not in _BODILESS:
            self.wfile.write(reply.body)
        if fault in (Fault.TRUNCATED, Fault.ANNOUNCED):
            self.close_connection = True

    def _head(self, reply: Reply, length: int | None, pause: float) -> None:
        lines = [f"HTTP/1.1 {reply.status} {'OK' if reply.status == 200 else 'Otherwise'}"]
        lines += [f"{name}: {value}" for name, value in reply.headers.items()]
        if length is None:
            lines.append("Transfer-Encoding: chunked")
        elif reply.status not in _BODILESS:
            lines.append(f"Content-Length: {length}")
        head = "\r\n".join((*lines, "", "")).encode("latin-1")
        if pause:
            self._drip(head, pause)
        else:
            self.wfile.write(head)

    def _drip(self, data: bytes, pause: float) -> None:
        for octet in data:
            self.wfile.write(bytes((octet,)))
            if self.server.gateway.stopped.wait(pause):
                return
