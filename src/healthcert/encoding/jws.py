"""JSON Web Signatures in their compact form (RFC 7515), strict in form and exact about which bytes were signed.

A token has one spelling: no padding, no line breaks, no bits left over, no header parameter twice. What its header
says beyond ``alg`` is for the caller to judge; nothing in it (``jwk``, ``jku``, ``x5u``) is ever used as a key here.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from healthcert.encoding.algorithms import Algorithm, PublicKey
from healthcert.encoding.oids import verify_oid
from healthcert.errors import Code, DecodeError, Step
from healthcert.model import Private

# RFC 7518 §3.1: of the names there are, those that are signatures. MACs and "none" are not.
_ALGORITHMS = {algorithm.name: algorithm for algorithm in Algorithm}
# RFC 7518 §3.3, as object identifiers (RFC 4055 §5).
_PKCS1 = {
    "RS256": "1.2.840.113549.1.1.11",
    "RS384": "1.2.840.113549.1.1.12",
    "RS512": "1.2.840.113549.1.1.13",
}
_FREQUENT = 256  # characters of a header worth remembering
_LEAST_RSA_BITS = 2048  # RFC 7518 §3.3, §3.5


class Jws(Private, frozen=True):
    """A token that was read, its signature unchecked.

    ``payload`` are the bytes that were signed; where the header has ``zip``, they are still compressed.
    ``signing_input`` is what the signature is over.
    """

    header: Mapping[str, Any]
    payload: bytes
    signing_input: bytes
    signature: bytes

    def verify(self, key: PublicKey, *, pkcs1: bool = False) -> bool:
        """Whether the token was signed with ``key``, by the algorithm that it names; never raises.

        The algorithm is bound to the key's type and curve. ``pkcs1`` takes RS256, RS384 and RS512 as well, as some
        trust lists are signed with; no health certificate may be. RSA keys under 2048 bits never verify.
        """
        if isinstance(key, RSAPublicKey) and key.key_size < _LEAST_RSA_BITS:
            return False
        name = self.header.get("alg")
        if pkcs1 and name in _PKCS1 and isinstance(key, RSAPublicKey):
            return verify_oid(key, _PKCS1[name], b"", self.signature, self.signing_input)
        algorithm = self.algorithm
        return algorithm is not None and algorithm.verify(key, self.signature, self.signing_input)

    @property
    def algorithm(self) -> Algorithm | None:
        """The algorithm that ``alg`` names; None where it is not there, or names none that signs certificates."""
        name = self.header.get("alg")
        return _ALGORITHMS.get(name) if isinstance(name, str) else None

    def certificates(self) -> tuple[bytes, ...]:
        """The DER certificates in ``x5c``, the signer's first; none where the header has no such parameter.

        They are what the sender put there, and vouch for nothing. Raises :class:`DecodeError`
        (``TRUST_LIST_UNREADABLE``) where the parameter is not what it should be.
        """
        if "x5c" not in self.header:
            return ()
        # RFC 7515 §4.1.6: an array of base64 (not base64url) strings.
        found = self.header["x5c"]
        if not isinstance(found, list) or not found or not all(isinstance(text, str) for text in found):
            raise _error(Code.TRUST_LIST_UNREADABLE, "x5c is no array of texts")
        try:
            return tuple(base64.b64decode(text, validate=True) for text in found)
        except ValueError:
            raise _error(Code.TRUST_LIST_UNREADABLE, "x5c holds what is not base64") from None


def read(token: bytes, *, code: Code = Code.TRUST_LIST_UNREADABLE, needs_alg: bool = True) -> Jws:
    """The token in its parts. Without ``needs_alg``, one whose header has no ``alg`` is read as well; none verifies it.

    Raises :class:`DecodeError`: ``code`` for what is no compact JWS in its one spelling, and
    ``CRITICAL_HEADER_UNKNOWN`` for one whose ``crit`` or ``b64`` would have to be understood.
    """
    # RFC 7515 §7.1: three parts; two is an unsigned thing, five a JWE.
    parts = token.split(b".", 3)
    if len(parts) != 3:
        raise _error(code, "not three parts with dots between them")
    payload, signature = _exact(parts[1]), _exact(parts[2])
    if payload is None or signature is None:
        raise _error(code, "a part that is not base64url as RFC 7515 has it")
    header = _frequent(parts[0]) if len(parts[0]) <= _FREQUENT else _header(_exact(parts[0]) or b"")
    # RFC 7515 §4.1.1: alg must be there.
    if header is None or not (isinstance(header.get("alg"), str) or (not needs_alg and "alg" not in header)):
        raise _error(code, "its header is not a JSON object with alg, each parameter there once")
    # RFC 7515 §4.1.11: what crit lists must be understood, and nothing that may be listed is. RFC 7797 §3: b64 says
    # that the payload is spelled otherwise; RFC 7797 §6 has it listed in crit, but not every sender does.
    if "crit" in header or "b64" in header:
        raise _error(Code.CRITICAL_HEADER_UNKNOWN, "its header demands an extension that is not understood")
    return Jws(header, payload, token[: token.rindex(b".")], signature)


def write(payload: bytes, header: Mapping[str, Any], sign: Callable[[bytes], bytes]) -> bytes:
    """The token of ``payload`` under ``header``, which names in ``alg`` the algorithm that ``sign`` signs with.

    ``sign`` is the method of a signer, and may raise what that raises. Raises ValueError for a header that could not
    be read back.
    """
    head = json.dumps(header, separators=(",", ":")).encode()
    if "alg" not in header or "crit" in header or "b64" in header or _header(head) != header:
        raise ValueError("a header without alg, or that cannot be read back")
    signing_input = _encode(head) + b"." + _encode(payload)
    return signing_input + b"." + _encode(sign(signing_input))


@lru_cache(maxsize=64)
def _frequent(part: bytes) -> Mapping[str, Any] | None:
    """The header in a first part: an issuer writes the same one into all its tokens."""
    header = _header(_exact(part) or b"")
    return None if header is None else MappingProxyType(header)


def _header(data: bytes) -> dict[str, Any] | None:
    """The header; None for what is no JSON object in UTF-8 whose members are there once."""
    try:
        header = _JSON.decode(data.decode("utf-8"))
    except (ValueError, RecursionError):
        return None
    return header if isinstance(header, dict) else None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        # RFC 7515 §4: the names of header parameters must be unique.
        raise ValueError("a member that is there twice")
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _exact(text: bytes) -> bytes | None:
    """What base64url (RFC 7515 §2) stands for; None for any spelling but the one that encoding it gives."""
    left = len(text) % 4
    try:
        found = binascii.a2b_base64(text.translate(_TO_STANDARD) + b"=" * (-left % 4), strict_mode=True)
    except binascii.Error:
        return None
    # RFC 4648 §3.5: bits left over in the last character would make several tokens of one.
    return found if not left or _encode(found[-(len(found) % 3) :]) == text[-left:] else None


def _encode(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def _error(code: Code, detail: str) -> DecodeError:
    return DecodeError(code, f"JWS: {detail}", Step.DECODE)


_JSON = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_no_constant)
# What stands for nothing in base64url becomes what stands for nothing in base64.
_TO_STANDARD = bytes.maketrans(b"-_+/=", b"+/***")
