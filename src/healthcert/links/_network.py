"""What the fetcher of links adds to connections: which addresses it keeps away from, and why a passcode was refused.

Imported only when something is fetched.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from pathlib import Path
from typing import Any, cast

from healthcert._network import Network, _Backend, tls_context
from healthcert.encoding import jsontext
from healthcert.errors import Code, DecodeError, FetchError
from healthcert.fetch import Address, Answer, Bounds
from healthcert.links.fetching import PasscodeError

_ANSWER_BYTES = 4096  # of a refusal, which has one number in it
_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052 §2.1
_TOP_LEVEL = re.compile(r"[a-z][a-z0-9-]+")


class LinkNetwork(Network):
    """The network as the servers of links are asked through it."""

    def __init__(
        self,
        ca: str | Path | None,
        proxy: str,
        bounds: Bounds,
        monotonic: Callable[[], float],
        *,
        private_hosts: bool,
    ) -> None:
        super().__init__(tls_context(ca, None, None, None), frozenset(), proxy, bounds, monotonic)
        self._guards_names = bool(proxy) and not private_hosts
        if not proxy and not private_hosts:
            self._backend = _PublicBackend(frozenset(), monotonic)

    @contextmanager
    def ask(self, address: Address, *arguments: Any, **options: Any) -> Iterator[Answer]:
        """As it is, but that a refused passcode is told with what its server said of it."""
        if self._guards_names and not is_public_name(address.host):
            raise _private()
        with super().ask(address, *arguments, **options) as answer:
            if answer.status == 401:
                raise PasscodeError("its server does not take this passcode, or wants one", _remaining(answer.body))
            yield answer


class _PublicBackend(_Backend):
    """Connects to addresses of the public internet alone."""

    def __init__(self, pins: frozenset[str], monotonic: Callable[[], float]) -> None:
        super().__init__(pins, monotonic)
        # At the very connection, by number: a name that is looked up twice may resolve to something else.
        self._inner = cast("Any", _PublicOnly(self._inner))


class _PublicOnly:
    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def connect_tcp(self, host: str, *arguments: Any, **options: Any) -> Any:
        if not is_public(host):
            raise _private()
        return self._inner.connect_tcp(host, *arguments, **options)


def is_public(number: str) -> bool:
    """Whether an address, as a number, is one of the public internet."""
    try:
        address = ip_address(number)
    except ValueError:
        return False
    inner = _inside(address) if isinstance(address, IPv6Address) else None
    return all(one.is_global and not one.is_multicast for one in (address, inner) if one is not None)


def is_public_name(host: str) -> bool:
    """Whether a host is public by its spelling: a name with a top-level domain of its own, or a public address."""
    labels = host.rsplit(".", 1)
    if len(labels) == 2 and _TOP_LEVEL.fullmatch(labels[1]):
        return labels[1] not in ("local", "localhost", "internal", "intranet", "lan", "home", "corp", "arpa")
    return is_public(host)


def _inside(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that an IPv6 address stands for: mapped (RFC 4291), 6to4 (RFC 3056) or translated (RFC 6052)."""
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour


def _remaining(body: Iterable[bytes]) -> int | None:
    """How many passcodes can still be tried, as a server says; None where it does not."""
    received = bytearray()
    for chunk in body:
        received += chunk
        if len(received) > _ANSWER_BYTES:
            return None
    try:
        answer = jsontext.read(bytes(received), max_depth=8)
    except DecodeError:
        return None
    # SMART Health Links, "Manifest Request": remainingAttempts.
    number = answer.get("remainingAttempts") if isinstance(answer, dict) else None
    return number if isinstance(number, int) and not isinstance(number, bool) and 0 <= number < 10**6 else None


def _private() -> FetchError:
    # Not which one: whoever made the link is to learn nothing of a network from what is told here.
    return FetchError(Code.FETCH_REFUSED, "the link leads into a private network")
