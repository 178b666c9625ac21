"""How the server of a health link is reached: as any other, but that a stranger chose it.

A link can name any host. So only addresses of the public internet are connected to, whatever a name resolves to, and no
redirect is followed: else whoever makes a link could have this machine ask servers that only it can reach.
"""

from __future__ import annotations

import time
from pathlib import Path

from msgspec.structs import replace

from healthcert.errors import Code, FetchError
from healthcert.fetch import DEFAULT_BOUNDS, Bounds
from healthcert.https import HttpFetcher

BOUNDS = replace(DEFAULT_BOUNDS, redirects=0)
BUDGET = 300.0
"""Seconds that a link has in all, however many files it leads to."""


class PasscodeError(FetchError):
    """A link needs a passcode, or another one than was given.

    ``remaining`` is how many more can be tried before its server closes it; None where that is not told.
    """

    def __init__(self, detail: str, remaining: int | None = None) -> None:
        told = "" if remaining is None else f"; wrong ones that it still takes: {remaining}"
        super().__init__(Code.PASSCODE_REFUSED, detail + told, status=401)
        self.remaining = remaining


class LinkFetcher(HttpFetcher):
    """A :class:`Fetcher` for the servers that health links name. Made for one link, and closed.

    A refused passcode is a :class:`PasscodeError`, which says how many more can be tried.
    """

    def __init__(
        self,
        *,
        ca: str | Path | None = None,
        private_hosts: bool = False,
        proxy: str = "",
        bounds: Bounds = BOUNDS,
        budget: float = BUDGET,
    ) -> None:
        """``ca`` is a PEM file of authorities in place of the system's.

        ``private_hosts`` allows servers in private networks and on this machine, for who runs such a server.
        ``proxy`` is ``http://host:port``; it resolves names itself, so that it has to keep its private networks to
        itself, and only what is no public host by its spelling is refused here. Proxies that the environment names
        are not used. Raises as :class:`HttpFetcher` does.
        """
        from healthcert.links._network import LinkNetwork

        super().__init__(ca=ca, proxy=proxy, bounds=bounds, budget=budget)
        self._network = LinkNetwork(ca, proxy, bounds, time.monotonic, private_hosts=private_hosts)
