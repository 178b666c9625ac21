"""A proxy: it lets clients through to where they want, or to one server whatever they want, or not at all."""

from __future__ import annotations

import socket
import threading


class Tunnel:
    """Listens from when it is made until it is closed. ``heads`` are the requests as they came."""

    def __init__(self, *, to: int | None = None, status: int = 200) -> None:
        """``to`` is the port on this machine where all end up, under whatever name they ask for."""
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._to = to
        self._status = status
        self.heads: list[bytes] = []
        self.port: int = self._listening.getsockname()[1]
        threading.Thread(target=self._run, daemon=True).start()

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _run(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            if not (octet := client.recv(1)):
                client.close()
                return
            head += octet
        self.heads.append(head)
        client.sendall(b"HTTP/1.1 %d Whatever\r\n\r\n" % self._status)
        if self._status != 200:
            client.close()
            return
        host, _, port = head.split()[1].decode().partition(":")
        server = socket.create_connection((host, int(port)) if self._to is None else ("127.0.0.1", self._to))
        back = threading.Thread(target=_copy, args=(server, client), daemon=True)
        back.start()
        _copy(client, server)
        back.join()
        client.close()
        server.close()


def _copy(one: socket.socket, other: socket.socket) -> None:
    try:
        while data := one.recv(0x4000):
            other.sendall(data)
        other.shutdown(socket.SHUT_WR)
    except OSError:
        pass
