"""From the family-neutral model to a signed card: the way back of ``family.py``."""

from __future__ import annotations

import base64
import hmac
import json
import re
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any

from healthcert.encoding import deflate
from healthcert.encoding.algorithms import Algorithm
from healthcert.errors import Code, HealthCertError, IssueError, Step
from healthcert.families.protocol import Wire
from healthcert.families.shc.compose import bundle_for, invalid, types_for
from healthcert.families.shc.family import CARD_TYPE, RID, SHC
from healthcert.families.shc.forms import PREFIX, SINGLE_CHARS, to_digits
from healthcert.limits import DEFAULT_LIMITS
from healthcert.model import Event, Holder, Private

FHIR_VERSION = "4.0.1"
MAX_VERSION = 22
"""The largest QR symbol that a card may be in ("Health Cards as QR Codes")."""

_THUMBPRINT = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)
_ISSUER = re.compile(r"https://[!-~]{1,1000}", re.ASCII)
_RID_BYTES = 8
_SECRET_BYTES = 32
_SIGNATURE_BYTES = 64


class UnsignedCard(Private, frozen=True):
    """A card that only lacks its signature over ``to_be_signed``. ``in_barcode`` is whether it goes into a QR code."""

    to_be_signed: bytes
    in_barcode: bool

    def assemble(self, signature: bytes) -> Wire:
        """The card with this signature; ``binary`` is the JWS. A card for a file has no segments of a barcode."""
        token = self.to_be_signed + b"." + _base64url(signature)
        if not self.in_barcode:
            return Wire(text=token.decode("ascii"), binary=token, segments=())
        # "Encoding QRs": a segment of bytes with the prefix, and one of digits.
        digits = to_digits(token)
        return Wire(text=PREFIX + digits, binary=token, segments=(PREFIX.encode("ascii"), digits))


def unsigned(
    *,
    events: Sequence[Event],
    holder: Holder,
    issuer: str,
    kid: str,
    issued_at: datetime,
    expires_at: datetime | None = None,
    algorithm: Algorithm = Algorithm.ES256,
    rid: str | None = None,
    file_only: bool = False,
) -> UnsignedCard:
    """The card of vaccinations and tests of one person.

    ``issuer`` is the URL under which the key is published, ``kid`` its thumbprint, ``rid`` what names the card for
    revocation (:func:`rid_for`). Raises :class:`IssueError`: ``FIELD_INVALID`` naming the field, its rule and an
    example, ``ALGORITHM_NOT_ACCEPTED``, and ``BARCODE_TOO_LARGE`` for a card that one QR code does not hold, unless it
    is ``file_only``.
    """
    return unsigned_bundle(
        bundle_for(events, holder),
        types=types_for(events),
        issuer=issuer,
        kid=kid,
        issued_at=issued_at,
        expires_at=expires_at,
        algorithm=algorithm,
        rid=rid,
        file_only=file_only,
    )


def unsigned_bundle(
    bundle: Mapping[str, Any],
    *,
    issuer: str,
    kid: str,
    issued_at: datetime,
    types: Collection[str] = (),
    expires_at: datetime | None = None,
    algorithm: Algorithm = Algorithm.ES256,
    rid: str | None = None,
    file_only: bool = False,
) -> UnsignedCard:
    """The card of a FHIR bundle (R4) that an issuer has made itself; ``types`` are those beside the one of all cards.

    Raises :class:`IssueError` like :func:`unsigned`, and with the code of whatever a strict verifier would refuse.
    """
    # "Health Cards are Compact": header includes alg: "ES256".
    if algorithm is not Algorithm.ES256:
        raise IssueError(Code.ALGORITHM_NOT_ACCEPTED, f"{algorithm.name} is not for cards", Step.SIGNATURE)
    # "Health Cards are Compact": kid is the thumbprint of the key (RFC 7638).
    if not _THUMBPRINT.fullmatch(kid):
        rule, example = "the thumbprint of the key in base64url", "3Kfdg-XwP-7gXyywtUfUADwBumDOPKMQx-iELL11W9s"
        raise invalid("kid", rule, example)
    if not _ISSUER.fullmatch(issuer) or issuer.endswith("/"):
        raise invalid("issuer", "an https URL without a slash at its end", "https://smarthealth.cards/examples/issuer")
    vc: dict[str, Any] = {
        "type": list(dict.fromkeys((CARD_TYPE, *types))),
        "credentialSubject": {"fhirVersion": FHIR_VERSION, "fhirBundle": bundle},
    }
    if rid is not None:
        if not RID.fullmatch(rid):
            raise invalid("rid", "1 to 24 characters of the base64url alphabet", "MKyCxh7p6uQ")
        vc["rid"] = rid
    claims: dict[str, Any] = {"iss": issuer, "nbf": _seconds("issued_at", issued_at)}
    if expires_at is not None:
        claims["exp"] = _seconds("expires_at", expires_at)
        if expires_at <= issued_at:
            raise invalid("expires_at", "a moment after issued_at", "2031-08-20T10:03:12+02:00")
    header = {"zip": "DEF", "alg": algorithm.name, "kid": kid}
    payload = deflate.deflate(_json("bundle", claims | {"vc": vc}), raw=True)
    card = UnsignedCard(_base64url(_json("kid", header)) + b"." + _base64url(payload), not file_only)
    _check(card)
    return card


def file_of(cards: Sequence[bytes]) -> bytes:
    """The ``.smart-health-card`` file of these JWS, to be served as ``application/smart-health-card``.

    Raises :class:`IssueError` (``FIELD_INVALID``) for no card at all, or more than a reader takes.
    """
    most = DEFAULT_LIMITS.cards_per_document
    if not 1 <= len(cards) <= most:
        raise invalid("cards", f"1 to {most} of them", "1")
    return _json("cards", {"verifiableCredential": [card.decode("ascii") for card in cards]})


def rid_for(secret: bytes, kid: str, user_id: str) -> str:
    """The revocation identifier that the specification recommends for all cards of a person under one key.

    ``secret`` are 256 random bits that the issuer keeps. Raises :class:`IssueError` (``FIELD_INVALID``).
    """
    if len(secret) < _SECRET_BYTES:
        raise invalid("secret", f"{_SECRET_BYTES} random bytes", "those of secrets.token_bytes(32)")
    # "Revocation": base64url(hmac-sha-256(secret_key || kid, user_id)[1..64]).
    digest = hmac.digest(secret + kid.encode("utf-8"), user_id.encode("utf-8"), sha256)
    return _base64url(digest[:_RID_BYTES]).decode("ascii")


def _check(card: UnsignedCard) -> None:
    """The card must pass what a strict verifier will ask of it."""
    wire = card.assemble(bytes(_SIGNATURE_BYTES))
    # "Chunking Larger SHCs (deprecated)": a single QR code, or no code at all.
    if card.in_barcode and len(wire.binary) > SINGLE_CHARS:
        detail = (
            f"a card of {len(wire.binary)} characters, where a QR code of version {MAX_VERSION} holds {SINGLE_CHARS}"
        )
        raise IssueError(Code.BARCODE_TOO_LARGE, detail, Step.CONTENT)
    try:
        decoded = SHC.decode(wire.text, DEFAULT_LIMITS)
        _, found = SHC.parse(decoded, SHC.kinds)
    except HealthCertError as error:
        raise IssueError(error.code, error.detail, Step.CONTENT) from None
    # A file may hold what no barcode does.
    for finding in (*decoded.findings, *found):
        if finding.code is not Code.CARD_TOO_LONG:
            raise IssueError(finding.code, finding.detail, Step.CONTENT)


def _seconds(name: str, moment: datetime) -> float:
    if moment.utcoffset() is None:
        raise invalid(name, "a moment with its time zone", "2021-08-20T10:03:12+02:00")
    seconds = moment.timestamp()
    return int(seconds) if seconds.is_integer() else seconds


def _json(name: str, value: Any) -> bytes:
    # "Health Cards are Compact": all optional whitespace is stripped.
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode("utf-8")
    except (TypeError, ValueError, RecursionError):
        raise invalid(name, "what JSON can hold", '{"resourceType": "Bundle"}') from None


def _base64url(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")
