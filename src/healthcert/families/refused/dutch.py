"""The Dutch domestic pass (CoronaCheck): a zero-knowledge proof of Idemix, which is no signature that could be checked.

What its second form discloses can be shown, as what it is: claims of whoever made the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from healthcert.encoding import ber
from healthcert.errors import Code, DecodeError, Step
from healthcert.families.protocol import Layer
from healthcert.families.refused.recognised import Recognised
from healthcert.limits import Limits

_PREFIX = re.compile(r"NL[0-9]:")
_SECOND = "NL2:"
_ALPHABET = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
_VALUE_OF = {symbol: value for value, symbol in enumerate(_ALPHABET)}
_PRINTABLE = 0x13  # PrintableString
_FIELDS = 7  # of the proof: the time of the disclosure, five numbers of the proof, and the attributes
_ATTRIBUTES = (
    "isSpecimen", "isPaperProof", "validFrom", "validForHours", "firstNameInitial", "lastNameInitial", "birthDay",
    "birthMonth", "category",
)  # fmt: skip
"""What is disclosed, behind the metadata; the last one came later."""
_FEWEST = len(_ATTRIBUTES) - 1
_MOST = 32
_LONGEST = 64  # bytes of an attribute
_LATEST = 253402300799  # the last second of the year 9999


class DutchDomestic(Recognised):
    """``NL1:``, ``NL2:`` and what may follow."""

    def recognises(self, text: str) -> bool:
        return text.startswith("NL") and _PREFIX.match(text) is not None

    def layers(self, text: str, limits: Limits) -> Iterator[Layer]:
        if not text.startswith(_SECOND):
            self._refuse()
        if len(text) > limits.text_chars:
            raise DecodeError(Code.INPUT_TOO_LONG, f"more than {limits.text_chars} characters", Step.DECODE)
        yield Layer("base45 (one number)", len(text), {"prefix": _SECOND})
        data = _big_integer(text[len(_SECOND) :])
        try:
            fields = _elements(data)
            time = _disclosed_at(fields[0])
            attributes = _attributes(fields[_FIELDS - 1])
        except DecodeError as error:
            # The reader of ASN.1 speaks of lists, which is where it is used otherwise.
            raise _unreadable() from error
        yield Layer("zero-knowledge proof (not checked)", len(data), {"disclosureTime": time})
        yield Layer("disclosed attributes (unverified)", len(fields[_FIELDS - 1].body), attributes)


def _big_integer(text: str) -> bytes:
    """The bytes of the one number that the text is to the base of 45: not the pairs of RFC 9285."""
    number = 0
    try:
        for symbol in text.encode("ascii"):
            number = number * 45 + _VALUE_OF[symbol]
    except (UnicodeEncodeError, KeyError):
        raise DecodeError(
            Code.BASE_45_DECODING_FAILED, "a character outside the base45 alphabet", Step.DECODE
        ) from None
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def _elements(data: bytes) -> list[ber.Element]:
    fields = ber.read(data, ber.SEQUENCE).children()
    tags = [field.tag for field in fields]
    if tags != [ber.INTEGER] * (_FIELDS - 1) + [ber.SEQUENCE]:
        raise _unreadable()
    return fields


def _disclosed_at(element: ber.Element) -> str:
    seconds = int.from_bytes(element.body, "big")
    if len(element.body) > _LONGEST or seconds > _LATEST:
        raise _unreadable()
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def _attributes(element: ber.Element) -> dict[str, Any]:
    children = element.children()
    if not _FEWEST < len(children) <= _MOST:
        raise _unreadable()
    values = [_value(child) for child in children]
    disclosed: dict[str, Any] = _metadata(values[0])
    names = _ATTRIBUTES + tuple(f"attribute {number}" for number in range(len(_ATTRIBUTES) + 1, _MOST))
    for name, value in zip(names, values[1:], strict=False):
        disclosed[name] = None if value is None else value.decode("utf-8", "replace")
    return disclosed


def _value(element: ber.Element) -> bytes | None:
    """What an attribute says. IRMA: a number whose lowest bit tells that there is a value, which the others are."""
    if element.tag != ber.INTEGER or not 0 < len(element.body) <= _LONGEST:
        raise _unreadable()
    number = int.from_bytes(element.body, "big")
    value = number >> 1
    return value.to_bytes((value.bit_length() + 7) // 8, "big") if number & 1 else None


def _metadata(value: bytes | None) -> dict[str, Any]:
    if value is None:
        raise _unreadable()
    fields = ber.read(value, ber.SEQUENCE).children()
    if [field.tag for field in fields] != [ber.OCTET_STRING, _PRINTABLE]:
        raise _unreadable()
    return {"credentialVersion": fields[0].body.hex(), "issuerKey": fields[1].body.decode("ascii", "replace")}


def _unreadable() -> DecodeError:
    return DecodeError(Code.FAMILY_NOT_SUPPORTED, "a Dutch domestic pass in a form that is not known", Step.DECODE)
