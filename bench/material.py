"""What is measured with: a country that there is not, its keys, and made-up people who all differ."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

import healthcert as hc
from healthcert.encoding import cose
from healthcert.encoding.algorithms import _to_der
from healthcert.intake.record import read_record
from healthcert.issue.pki import KeyPair, new_csca, new_dsc
from healthcert_cli.commands.demo import RECORD

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CLOCK = hc.FixedClock(NOW)
FAMILY = ("Martin", "Bernard", "Lefèvre", "Müller", "Garcia", "Novák", "Rossi", "O'Connor", "Le Goff", "Nowak")
GIVEN = ("Marie", "Jean-Pierre", "Zoé", "Anna", "José María", "Thomas", "Björk", "Paul")

Record = tuple[hc.Event, hc.Holder]


@cache
def csca() -> KeyPair:
    """The country's root."""
    return new_csca("FR", "Bench", now=NOW - timedelta(days=1))


@cache
def dsc(rsa_bits: int | None = None) -> KeyPair:
    """A key that signs certificates: on P-256, or of RSA with so many bits."""
    key = None if rsa_bits is None else rsa.generate_private_key(public_exponent=65537, key_size=rsa_bits)
    return new_dsc(csca(), "Bench", now=NOW - timedelta(days=1), key=key)


def issuer(pair: KeyPair, clock: hc.Clock = CLOCK) -> hc.Issuer:
    """Who issues under a key."""
    return hc.Issuer(pair.signer(), country="FR", policy=hc.IssuePolicy(rsa_bits=2048), clock=clock)


def letters(number: int) -> str:
    """A number as a name may end."""
    return "".join(chr(ord("a") + int(digit)) for digit in str(number))


def person(number: int) -> dict[str, str]:
    """Name and birth of a person."""
    return {
        "family_name": f"{FAMILY[number % len(FAMILY)]}-{letters(number).capitalize()}",
        "given_name": GIVEN[number // 3 % len(GIVEN)],
        "birth_date": f"{1930 + number % 80}-{1 + number % 12:02}-{1 + number % 28:02}",
    }


def records(count: int, start: int = 0) -> list[Record]:
    """Vaccinations of so many people; the codes are those of one product, as they repeat in real life."""
    made = []
    for number in range(start, start + count):
        date = f"2025-{5 + number % 7:02}-{1 + number % 28:02}"
        holder, event = read_record(hc.EntryType.VACCINATION, {**RECORD, **person(number), "date": date})
        made.append((event, holder))
    return made


def issued(count: int, pair: KeyPair, *, clock: hc.Clock = CLOCK) -> list[hc.Issued]:
    """Certificates of so many people."""
    issuing = issuer(pair, clock)
    return [issuing.issue(event, holder=holder) for event, holder in records(count)]


def bare_verify(pair: KeyPair, messages: list[bytes]) -> Callable[[], None]:
    """The one call of ``cryptography`` for each message, with everything made ready before."""
    signed = [
        (one.signature, one.to_be_signed())
        for one in (cose.decode_sign1(message, max_depth=16) for message in messages)
    ]
    key, sha256 = pair.key.public_key(), hashes.SHA256()
    if isinstance(key, ec.EllipticCurvePublicKey):
        curve_key, ecdsa = key, ec.ECDSA(sha256)
        ders = [(_to_der(signature, 32), data) for signature, data in signed]

        def of_curve() -> None:
            for signature, data in ders:
                curve_key.verify(signature, data, ecdsa)

        return of_curve
    assert isinstance(key, rsa.RSAPublicKey)
    rsa_key, pss = key, padding.PSS(padding.MGF1(sha256), 32)

    def of_rsa() -> None:
        for signature, data in signed:
            rsa_key.verify(signature, data, pss, sha256)

    return of_rsa


def bare_sign(pair: KeyPair, count: int) -> Callable[[], None]:
    """So many signatures of data of a certificate's size."""
    key, data, sha256 = pair.key, bytes(range(256)) + bytes(94), hashes.SHA256()
    ecdsa, pss = ec.ECDSA(sha256), padding.PSS(padding.MGF1(sha256), 32)

    def run() -> None:
        for _ in range(count):
            if isinstance(key, ec.EllipticCurvePrivateKey):
                key.sign(data, ecdsa)
            else:
                key.sign(data, pss, sha256)

    return run
