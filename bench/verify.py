"""Verifying against the bare call of ``cryptography``: text to verdict, one core; also with lists and rules asked."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import healthcert as hc
from bench import material, revocation, rules
from bench.lines import Line, Settings
from bench.progress import say
from bench.timing import rate
from healthcert.issue.pki import KeyPair

CERTIFICATES = 400
KEYS: dict[str, tuple[int | None, float | None]] = {
    "verify ES256": (None, 0.80),
    "verify PS256": (2048, 0.58),
    "verify PS256 with RSA 3072": (3072, None),
}
"""The bits of an RSA key, and what is asked: the part of the bare call's throughput."""
EVERYTHING = 0.62
LISTED = 1000
"""Batches of a thousand revoked certificates each."""


def lines(settings: Settings) -> Iterator[Line]:
    """All steps but revocation and rules, for both algorithms; and all of them."""
    for name, (rsa_bits, asked) in KEYS.items():
        say(name)
        pair = material.dsc(rsa_bits)
        trust = hc.TrustStore.from_certificates([pair.certificate_der()])
        yield from against_bare(name, pair, hc.Verifier(trust, clock=material.CLOCK), asked, settings)
    say("a store of 1,000,000 revoked certificates is being made")
    with tempfile.TemporaryDirectory() as folder:
        yield from with_lists(Path(folder), settings)


def against_bare(
    name: str, pair: KeyPair, verifier: hc.Verifier, asked: float | None, settings: Settings
) -> Iterator[Line]:
    """Two lines: of a list of certificates, of which something is asked, and of one after the other."""
    made = material.issued(CERTIFICATES, pair)
    texts = [one.text for one in made]
    for report in verifier.examine_many(texts):
        assert report.outcome is hc.Outcome.ACCEPTED, report.code
    bare = material.bare_verify(pair, [one.cose for one in made])

    def together() -> None:
        for _ in verifier.examine_many(texts):
            pass

    def alone() -> None:
        for text in texts:
            verifier.examine(text)

    yield rate(f"{name}, a list", together, bare, settings, count=CERTIFICATES, asked=asked, turns=25)
    yield rate(f"{name}, one by one", alone, bare, settings, count=CERTIFICATES)


def with_lists(folder: Path, settings: Settings) -> Iterator[Line]:
    """With a million revoked certificates of the same key, by every identifier, and a destination's rules."""
    pair = material.dsc()
    batches = settings.count(LISTED)
    revocation.make(folder, batches + revocation.CHANGED, kid=pair.signer().kid, hash_types=revocation.HASH_TYPES)
    revocation.update(folder, "build")
    (folder / "rules.json").write_text(json.dumps(rules.destination()))
    verifier = hc.Verifier(
        hc.TrustStore.from_certificates([pair.certificate_der()]),
        revocation=hc.RevocationStore.open(folder / "store"),
        rules=hc.RuleStore.from_path(folder / "rules.json"),
        policy=hc.Policy(country=rules.COUNTRY),
        clock=material.CLOCK,
    )
    entries = batches * revocation.EACH
    name = f"verify ES256 with {entries:,} revoked and 15 rules"
    yield from against_bare(name, pair, verifier, EVERYTHING, settings)
