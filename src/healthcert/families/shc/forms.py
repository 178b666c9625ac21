"""The forms in which a card travels: digits (SMART Health Cards, "Encoding QRs"), a JWS, and documents with some."""

from __future__ import annotations

import base64
import re
from contextlib import suppress
from typing import Any

from healthcert.encoding import deflate, jsontext, jws
from healthcert.errors import Code, DecodeError, Step
from healthcert.families.protocol import Finding
from healthcert.limits import Limits
from healthcert.model import Private

SCHEME = "shc:"
PREFIX = "shc:/"
SINGLE_CHARS = 1195
"""Characters of a JWS that one QR symbol of version 22 holds ("Chunking Larger SHCs")."""

_TOKEN = "eyJ"  # noqa: S105 (how every JWS begins; no secret)
_SPACE = " \t\r\n"
_CARDS = "verifiableCredential"
_CARD_TYPE = b"https://smarthealth.cards#"
_HEADER_CHARS = 4096
_TOGETHER = 4  # times the bytes of one inflated card, for all of a document; real ones together stay below one
# "Encoding QRs": decimal numbers, counted from 1; a zero in front is not how one writes them.
_NUMBER = re.compile(r"[1-9][0-9]{0,8}", re.ASCII)
_OFFSET, _LARGEST = 45, 77  # "-", the smallest character of a JWS, is 00; "z", the largest, is 77
_IN_HEX = bytes(
    _OFFSET + (byte >> 4) * 10 + (byte & 15) if byte & 15 < 10 and (byte >> 4) * 10 + (byte & 15) <= _LARGEST else 0
    for byte in range(256)
)
"""The character of a pair of digits, by the byte that it is when read as hexadecimal; 0 where there is none."""

_NO_SLASH = Finding(Code.FIELD_MISSING, Step.DECODE, "shc: without its slash")
_TWO_SLASHES = Finding(Code.FIELD_UNEXPECTED, Step.DECODE, "shc: with two slashes")
_NUMBERED = Finding(Code.FIELD_UNEXPECTED, Step.DECODE, "numbered as part 1 of 1")
_TOO_LONG = Finding(
    Code.CARD_TOO_LONG,
    Step.DECODE,
    f"more than {SINGLE_CHARS} characters, which one symbol of version 22 does not hold",
)


class Part(Private, frozen=True):
    """What one text holds of a card: all of it where ``total`` is 1. ``findings`` are what is wrong with its form."""

    jws: bytes
    number: int = 1
    total: int = 1
    findings: tuple[Finding, ...] = ()


def is_token(text: str) -> bool:
    """Whether ``text`` is a JWS that claims to be a card: compressed, or else with a type of cards in its payload."""
    if not text.startswith(_TOKEN):
        # With white space around it a token is none, but it is told what it would be.
        if text[:1] not in _SPACE or not text.lstrip(_SPACE).startswith(_TOKEN):
            return False
        text = text.strip(_SPACE)
    parts = text.split(".", 3)
    if len(parts) != 3 or len(parts[0]) > _HEADER_CHARS:
        return False
    try:
        # Other tokens (JWT) are seldom compressed, and a card must be.
        return b'"zip"' in _loosely(parts[0]) or _CARD_TYPE in _loosely(parts[1])
    except ValueError:
        return False


def read(text: str, limits: Limits) -> Part:
    """The JWS in a text, or the part of it that is there.

    Raises :class:`DecodeError`: ``NUMERIC_DECODING_FAILED`` for digits that are none of a card, or numbered in an
    unknown way, ``PARTS_INCONSISTENT`` for a part beyond the last one, ``INPUT_TOO_LONG`` for too many parts, and
    ``JWS_DESERIALIZATION_FAILED`` for a token with characters that none has.
    """
    if text.lstrip(_SPACE).startswith(_TOKEN):
        try:
            token = text.encode("ascii")
        except UnicodeEncodeError:
            detail = "JWS: characters that no token has"
            raise DecodeError(Code.JWS_DESERIALIZATION_FAILED, detail, Step.DECODE) from None
        return Part(token, findings=(_TOO_LONG,) if len(token) > SINGLE_CHARS else ())
    # The scheme has no case (RFC 3986 §3.1); early wallets left out the slash.
    if text[: len(SCHEME)].lower() != SCHEME:
        raise _error("not shc:/ and digits")
    findings = () if text.startswith("/", len(SCHEME)) else (_NO_SLASH,)
    numbers, slash, digits = text[len(SCHEME) if findings else len(PREFIX) :].rpartition("/")
    token = _from_digits(digits)
    if slash and not numbers:
        findings = (*findings, _TWO_SLASHES)
    if not numbers:
        return Part(token, findings=(*findings, _TOO_LONG) if len(token) > SINGLE_CHARS else findings)
    number, _, total = numbers.partition("/")
    # "Encoding QRs": C/N, the index of the chunk and the total number of chunks.
    if not _NUMBER.fullmatch(number) or not _NUMBER.fullmatch(total):
        raise _error("parts are numbered from 1 on, without zeros in front")
    if int(number) > int(total):
        raise DecodeError(Code.PARTS_INCONSISTENT, f"part {number} of only {total}", Step.DECODE)
    if int(total) > limits.parts:
        raise DecodeError(Code.INPUT_TOO_LONG, f"more than {limits.parts} parts", Step.DECODE)
    if total == "1":
        # "Encoding QRs": numbers only if more than one chunk is required. Issuers are known that number one.
        findings = (*findings, _NUMBERED, _TOO_LONG) if len(token) > SINGLE_CHARS else (*findings, _NUMBERED)
    return Part(token, int(number), int(total), findings)


def to_digits(token: bytes) -> str:
    """A JWS in digits, two for each character."""
    return "".join([f"{character - _OFFSET:02d}" for character in token])


def cards_in(text: str, limits: Limits) -> tuple[str, ...] | None:
    """The cards in a document: a ``.smart-health-card`` file, or what the operation ``$health-cards-issue`` answers.

    None for any other text. Raises :class:`DecodeError`: ``INPUT_TOO_LONG``, also for cards that are too much together
    once they are inflated, and ``JSON_DESERIALIZATION_FAILED`` for a document that is damaged or holds something else.
    """
    # The name stands in both; without it there is nothing to read.
    if _CARDS not in text or text.lstrip()[:1] != "{":
        return None
    if len(text) > limits.document_chars:
        raise DecodeError(Code.INPUT_TOO_LONG, f"more than {limits.document_chars} characters", Step.DECODE)
    document = jsontext.read(text, max_depth=limits.json_depth)
    found = _listed(document)
    # A presentation of other credentials has objects under this name.
    if found is None or (found and not any(isinstance(card, str) for card in found)):
        return None
    # "via File Download": each is a JWS. What else might be put there has bounds made for one of it in a barcode.
    if not all(isinstance(card, str) and card.startswith(_TOKEN) for card in found):
        raise DecodeError(Code.JSON_DESERIALIZATION_FAILED, f"{_CARDS}: not a JWS each", Step.DECODE)
    if len(found) > limits.cards_per_document:
        raise DecodeError(Code.INPUT_TOO_LONG, f"more than {limits.cards_per_document} cards", Step.DECODE)
    _check_together(found, limits)
    return tuple(found)


def _check_together(cards: list[str], limits: Limits) -> None:
    """Raises :class:`DecodeError` where cards are each within the bounds, and too much to be read one after another."""
    left = _TOGETHER * limits.inflated_bytes
    for card in cards:
        with suppress(DecodeError):  # a card that is damaged has a report of its own
            payload = jws.read(card.encode("utf-8", "surrogatepass"), needs_alg=False).payload
            left -= len(deflate.inflate_raw(payload, limit=limits.inflated_bytes))
    if left < 0:
        raise DecodeError(Code.INPUT_TOO_LONG, "the cards of the document hold too much together", Step.DECODE)


def _listed(document: Any) -> list[Any] | None:
    """What a document has for cards; None where it is none of the two that have them."""
    if not isinstance(document, dict):
        return None
    if document.get("resourceType") == "Parameters":
        # "$health-cards-issue Operation": a parameter for each card, beside others.
        given = document.get("parameter")
        parameters = [one for one in given if isinstance(one, dict)] if isinstance(given, list) else []
        return [one.get("valueString") for one in parameters if one.get("name") == _CARDS]
    # "via File Download": an object containing an array of JWS.
    given = document.get(_CARDS)
    return given if isinstance(given, list) else None


def _from_digits(digits: str) -> bytes:
    # "Encoding QRs": two digits for each character, Ord(c) - 45.
    try:
        pairs = bytes.fromhex(digits)
    except ValueError:
        raise _error("not pairs of digits") from None
    # Spaces between them are passed over there.
    if not pairs or 2 * len(pairs) != len(digits):
        raise _error("not pairs of digits")
    characters = pairs.translate(_IN_HEX)
    if 0 in characters:
        raise _error(f"not a pair of digits from 00 to {_LARGEST}")
    return characters


def _loosely(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "==")


def _error(detail: str) -> DecodeError:
    return DecodeError(Code.NUMERIC_DECODING_FAILED, detail, Step.DECODE)
