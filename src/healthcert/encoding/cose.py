"""COSE_Sign1 (RFC 9052 §4.2), strict in form and exact about which bytes were signed."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Self

from healthcert.encoding import cbor
from healthcert.encoding.algorithms import Algorithm
from healthcert.errors import Code, DecodeError, Step
from healthcert.model import Private

ALG, CRIT, CONTENT_TYPE, KID = 1, 2, 3, 4

SIGN1_TAG, CWT_TAG = 18, 61
_NAMES = {ALG: "alg", CRIT: "crit", CONTENT_TYPE: "content type", KID: "kid", 5: "IV", 33: "x5chain", 34: "x5t"}
_SHORTEST = 70  # bytes of a message with a signature of 64
_UNDERSTOOD = frozenset((ALG, CRIT, CONTENT_TYPE, KID))

Headers = Mapping[int | str, Any]
_NO_HEADERS: Headers = MappingProxyType({})


class Signer(Private, frozen=True):
    """What the headers say of the signer: every certificate of one DSC says the same.

    ``kid`` and ``alg`` are whatever the parameters of that name hold, the protected one where both buckets have it
    (RFC 9052 §3), None where neither has. ``algorithm`` is the one that ``alg`` names, None where it is not one of
    :class:`Algorithm`; ``label`` is ``alg`` as it may be shown.
    """

    kid: Any
    alg: Any
    algorithm: Algorithm | None
    label: str

    @classmethod
    def of(cls, protected: Headers, unprotected: Headers) -> Self:
        kid, alg = ((protected if label in protected else unprotected).get(label) for label in (KID, ALG))
        algorithm = Algorithm.from_cose(alg)
        return cls(kid, alg, algorithm, shown(alg) if algorithm is None else algorithm.name)


class Sign1(Private, frozen=True):
    """A decoded COSE_Sign1.

    ``protected_bytes`` are those that were signed: as they came in, but empty where they encode an empty map.
    """

    protected_bytes: bytes
    protected: Headers
    unprotected: Headers
    payload: bytes
    signature: bytes
    signer: Signer

    @property
    def algorithm(self) -> Algorithm | None:
        """The algorithm that ``alg`` names, None when absent or not one of :class:`Algorithm`."""
        return self.signer.algorithm

    def to_be_signed(self) -> bytes:
        """The encoded Sig_structure."""
        return sig_structure(self.protected_bytes, self.payload)


def named(headers: Headers) -> dict[str, Any]:
    """Header parameters by name, for people: ``{"alg": "ES256", "kid": ...}``; unknown ones by their label.

    A text label is quoted, so that one spelt ``kid`` cannot pass for the parameter of that name.
    """
    values = {_NAMES.get(la, str(la)) if isinstance(la, int) else f'"{la}"': value for la, value in headers.items()}
    if algorithm := Algorithm.from_cose(headers.get(ALG)):
        values["alg"] = algorithm.name
    return values


def sig_structure(protected_bytes: bytes, payload: bytes) -> bytes:
    """The bytes a COSE_Sign1 signature covers (RFC 9052 §4.4), with empty external_aad."""
    return b"\x84\x6aSignature1%b\x40%b" % (_bstr(protected_bytes), _bstr(payload))


def assemble_sign1(protected_bytes: bytes, payload: bytes, signature: bytes) -> bytes:
    """The tagged COSE_Sign1 message of parts that fit together; the unprotected header is empty."""
    return b"\xd2\x84" + _bstr(protected_bytes) + b"\xa0" + _bstr(payload) + _bstr(signature)


def decode_sign1(data: bytes, *, max_depth: int) -> Sign1:
    """A COSE_Sign1 message without a tag, with tag 18, or with tag 18 inside CWT tag 61.

    Raises :class:`DecodeError`: ``COSE_DESERIALIZATION_FAILED`` for anything else, ``CRITICAL_HEADER_UNKNOWN``
    when ``crit`` lists a header parameter that is not understood here.
    """
    return _decode_usual(data, max_depth) or _decode_any(data, max_depth)


def _decode_usual(data: bytes, max_depth: int) -> Sign1 | None:
    """The message in the form nearly all have, read without a decoder: tag 18, definite lengths, no unprotected header.

    None for any other form. It accepts nothing that :func:`_decode_any` would not read in the same way.
    """
    # d2 84: tag 18, an array of four; then a byte string of under 24 bytes, an empty map, two longer byte strings.
    if len(data) < _SHORTEST or data[:2] != b"\xd2\x84" or not 0x41 <= data[2] < 0x58:
        return None
    end = data[2] - 0x40 + 3
    if data[end : end + 2] == b"\xa0\x59":
        start = end + 4
    elif data[end : end + 2] == b"\xa0\x58":
        start = end + 3
    else:
        return None
    stop = start + int.from_bytes(data[end + 2 : start])
    if data[stop : stop + 2] == b"\x58\x40":
        signature = data[stop + 2 :]
        if len(signature) != 0x40:
            return None
    elif data[stop : stop + 1] == b"\x59" and len(data) == stop + 3 + int.from_bytes(data[stop + 1 : stop + 3]):
        signature = data[stop + 3 :]
    else:
        return None
    protected_bytes = data[3:end]
    read = _decode_protected(protected_bytes, max_depth)
    if read is None:
        return None
    protected, signer = read
    return Sign1(protected_bytes, protected, _NO_HEADERS, data[start:stop], signature, signer)


@lru_cache(maxsize=256)
def _decode_protected(protected_bytes: bytes, max_depth: int) -> tuple[Headers, Signer] | None:
    """The protected header, or None where it needs a closer look. Every certificate of one DSC has the same."""
    try:
        protected = cbor.decode(protected_bytes, max_depth=max_depth)
        _check_labels(protected, "protected")
    except DecodeError:
        return None
    is_plain = protected and CRIT not in protected
    return (MappingProxyType(protected), Signer.of(protected, _NO_HEADERS)) if is_plain else None


def _decode_any(data: bytes, max_depth: int) -> Sign1:
    message = cbor.decode(data, max_depth=max_depth, code=Code.COSE_DESERIALIZATION_FAILED)
    if isinstance(message, cbor.Tag) and message.tag == CWT_TAG:
        # RFC 8392 §6: the CWT tag prefixes a tagged COSE message, never a bare one.
        message = message.value
        if not (isinstance(message, cbor.Tag) and message.tag == SIGN1_TAG):
            raise _error("CWT tag 61 is not around a COSE_Sign1 (tag 18)")
    if isinstance(message, cbor.Tag):
        if message.tag != SIGN1_TAG:
            raise _error("tagged as something other than a COSE_Sign1 (tag 18)")
        message = message.value

    # RFC 9052 §4.2: [protected: bstr, unprotected: map, payload: bstr, signature: bstr].
    if not isinstance(message, (list, tuple)) or len(message) != 4:
        raise _error("not an array of four elements")
    protected_bytes, unprotected, payload, signature = message
    if not isinstance(protected_bytes, bytes) or not isinstance(signature, bytes):
        raise _error("the protected header and the signature must be byte strings")
    if not isinstance(payload, bytes):
        # RFC 9052 §4.2: nil means a detached payload; RFC 8392 §7.1 has the claims travel inside.
        raise _error("the payload must be a byte string")
    _check_labels(unprotected, "unprotected")

    # RFC 9052 §3: no parameters is a zero-length string; an encoded empty map must be accepted, and §4.4
    # has both signed as the zero-length string.
    protected: Headers = {}
    if protected_bytes:
        protected = cbor.decode(protected_bytes, max_depth=max_depth, code=Code.COSE_DESERIALIZATION_FAILED)
        _check_labels(protected, "protected")
    if not protected:
        protected_bytes = b""
    _check_crit(protected, unprotected)
    return Sign1(protected_bytes, protected, unprotected, payload, signature, Signer.of(protected, unprotected))


def _check_labels(headers: Any, bucket: str) -> None:
    # RFC 9052 §1.5: label = int / tstr.
    if not isinstance(headers, Mapping) or not all(type(label) in (int, str) for label in headers):
        raise _error(f"the {bucket} header is not a map with integer or text labels")


def _check_crit(protected: Headers, unprotected: Headers) -> None:
    # RFC 9052 §3.1: crit is a protected, non-empty array of labels that are present and must be understood.
    if CRIT in unprotected:
        raise _error("crit must be in the protected header")
    if CRIT not in protected:
        return
    labels = protected[CRIT]
    if not isinstance(labels, (list, tuple)) or not labels or not all(type(label) in (int, str) for label in labels):
        raise _error("crit must be a non-empty array of labels")
    if not all(label in protected for label in labels):
        raise _error("crit lists a header parameter that is not in the protected header")
    if not _UNDERSTOOD.issuperset(labels):
        raise DecodeError(
            Code.CRITICAL_HEADER_UNKNOWN, "crit demands a header parameter that is not understood", Step.DECODE
        )


def _bstr(data: bytes) -> bytes:
    """A byte string with the shortest definite length (RFC 9052 §9 asks it of the Sig_structure)."""
    size = len(data)
    if size < 24:
        return bytes((0x40 | size,)) + data
    if size < 0x100:
        return b"\x58" + size.to_bytes(1, "big") + data
    if size < 0x10000:
        return b"\x59" + size.to_bytes(2, "big") + data
    return b"\x5a" + size.to_bytes(4, "big") + data


def _error(detail: str) -> DecodeError:
    return DecodeError(Code.COSE_DESERIALIZATION_FAILED, detail, Step.DECODE)


def shown(alg: object) -> str:
    """An ``alg`` that nobody knows, as it may be shown."""
    if type(alg) is int and abs(alg) < 1_000_000:
        return str(alg)
    return "none" if alg is None else "unreadable"
