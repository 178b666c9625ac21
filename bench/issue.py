"""Issuing against the bare sign call: a record validated, encoded, signed and written as text, one core."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import healthcert as hc
from bench import material
from bench.lines import Line, Settings
from bench.progress import say
from bench.timing import rate

KEYS: dict[str, tuple[int | None, int, float | None]] = {
    "issue ES256, validated": (None, 400, 0.40),
    "issue PS256, validated": (2048, 40, None),
}
"""The bits of an RSA key, certificates a turn, and what is asked: the part of the bare call's throughput."""
TURNS = 25


def lines(settings: Settings) -> Iterator[Line]:
    """Records that all differ: nothing but codes can be known from the one before."""
    for name, (rsa_bits, count, asked) in KEYS.items():
        say(name)
        pair = material.dsc(rsa_bits)
        issuer = material.issuer(pair)
        given = iter(material.records(count * (settings.turns(TURNS) + 1)))

        def ours(issuer: hc.Issuer = issuer, given: Iterator[material.Record] = given, count: int = count) -> None:
            for event, holder in islice(given, count):
                issuer.issue(event, holder=holder)

        yield rate(name, ours, material.bare_sign(pair, count), settings, count=count, asked=asked, turns=TURNS)
