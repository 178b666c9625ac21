"""Base45 against the package of that name on PyPI."""

from __future__ import annotations

from collections.abc import Iterator

from bench.lines import Line, MissingError, Settings
from bench.progress import say
from bench.timing import rate, repeated
from healthcert.encoding import base45, deflate

TIMES = 1000


def lines(settings: Settings) -> Iterator[Line]:
    """Both directions, over data of a certificate's size."""
    say("base45")
    try:
        import base45 as peer
    except ImportError:
        raise MissingError("the package base45 is not installed") from None
    data = deflate.deflate(bytes(range(256)) * 2)[:373].ljust(373, b"\x55")
    text = base45.encode(data)
    decode, encode = repeated(lambda: base45.decode(text), TIMES), repeated(lambda: base45.encode(data), TIMES)
    their_decode, their_encode = (
        repeated(lambda: peer.b45decode(text), TIMES),
        repeated(lambda: peer.b45encode(data), TIMES),
    )
    yield rate("base45 decode, against PyPI's base45", decode, their_decode, settings, count=TIMES)
    yield rate("base45 encode, against PyPI's base45", encode, their_encode, settings, count=TIMES)
