"""What an issuer and a remote signer say to each other: a line of JSON with a digest, a line with its signature.

    {"id": 1, "kid": "a1b2c3d4e5f60718", "algorithm": "ES256", "digest": "9f86..."}
    {"id": 1, "signature": "3045..."}   or   {"id": 1, "error": {"code": "SIGNING_FAILED", "detail": "..."}}

Bytes are hexadecimal. Nothing else is in a line, on either side: neither may hand on what the other did not ask for.
"""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta, Struct

from healthcert.encoding import jsontext
from healthcert.encoding.algorithms import Algorithm
from healthcert.errors import Code, DecodeError, HealthCertError, IssueError, Step
from healthcert.issue.signer import Signer

_DEPTH = 4
_NO_ANSWER = "the signer's answer is not one to this request"
_T = TypeVar("_T")
_Number = Annotated[int, Meta(ge=0, le=2**63 - 1)]
DIGEST_BYTES = {
    Algorithm.ES256: 32,
    Algorithm.PS256: 32,
    Algorithm.ES384: 48,
    Algorithm.PS384: 48,
    Algorithm.ES512: 64,
    Algorithm.PS512: 64,
}
"""The algorithms that sign a digest, and its length. Ed25519 signs the data themselves."""


class DigestRequest(Struct, frozen=True):
    """What a signer is asked for: the signature over the message that has this digest."""

    kid: bytes
    algorithm: Algorithm
    digest: bytes


class _Asked(Struct, frozen=True, forbid_unknown_fields=True):
    id: _Number
    kid: str
    algorithm: str
    digest: str


class _Error(Struct, frozen=True, forbid_unknown_fields=True):
    code: str
    detail: str


class _Answer(Struct, frozen=True, forbid_unknown_fields=True):
    id: _Number | None
    signature: str | None = None
    error: _Error | None = None


def request_line(number: int, request: DigestRequest) -> bytes:
    """The line that asks for a signature."""
    asked = _Asked(number, request.kid.hex(), request.algorithm.name, request.digest.hex())
    return msgspec.json.encode(asked) + b"\n"


def signature_in(line: bytes, number: int) -> bytes:
    """The signature in the answer to the request of this number. Raises ValueError for what is no answer to it.

    Raises :class:`IssueError` (``SIGNING_FAILED``) when the signer refuses: its reason is told as far as it is a code,
    for its words may be anything.
    """
    try:
        answer = _read(line, _Answer)
        if answer.id == number and answer.signature is not None and answer.error is None:
            return _bytes(answer.signature)
    except ValueError:
        raise ValueError(_NO_ANSWER) from None
    if answer.error is None or answer.signature is not None or answer.id not in (number, None):
        raise ValueError(_NO_ANSWER)
    reason = answer.error.code if answer.error.code in Code.__members__ else "for a reason that has no code here"
    raise IssueError(Code.SIGNING_FAILED, f"the signer refused: {reason}", Step.SIGNATURE)


def read_request(line: bytes, signer: Signer) -> tuple[int, DigestRequest]:
    """The number of a request and what it asks for, which is what this signer gives.

    Raises :class:`IssueError` (``REQUEST_INVALID``) for a line that is no request, for another kid or algorithm than
    the signer's, and for what cannot be a digest.
    """
    try:
        asked = _read(line, _Asked)
        kid, digest = _bytes(asked.kid), _bytes(asked.digest)
    except ValueError:
        raise _refused("a line that asks for no signature") from None
    # A signer that signs for another kid would let one request be answered by whichever key is at hand.
    if kid != signer.kid:
        raise _refused("the kid is not the one of this signer's certificate")
    if asked.algorithm != signer.algorithm.name:
        raise _refused(f"the algorithm is not this signer's, {signer.algorithm.name}")
    if len(digest) != DIGEST_BYTES.get(signer.algorithm):
        raise _refused(f"the digest has not the length of one for {signer.algorithm.name}")
    return asked.id, DigestRequest(kid, signer.algorithm, digest)


def number_of(line: bytes) -> int | None:
    """The number of a request that was refused, where one can be made out."""
    try:
        value: Any = jsontext.read(line, max_depth=_DEPTH)
    except DecodeError:
        return None
    number = value.get("id") if isinstance(value, dict) else None
    return number if type(number) is int and 0 <= number < 2**63 else None


def signature_line(number: int, signature: bytes) -> bytes:
    """The line that answers with a signature."""
    return msgspec.json.encode({"id": number, "signature": signature.hex()}) + b"\n"


def refusal_line(number: int | None, error: HealthCertError) -> bytes:
    """The line that answers with the reason why there is no signature."""
    return msgspec.json.encode({"id": number, "error": {"code": error.code.value, "detail": error.detail}}) + b"\n"


def _read(line: bytes, kind: type[_T]) -> _T:
    """Raises ValueError."""
    try:
        return msgspec.convert(jsontext.read(line, max_depth=_DEPTH), kind)
    except (DecodeError, msgspec.ValidationError):
        raise ValueError("not a line of this kind") from None


def _bytes(text: str) -> bytes:
    # bytes.fromhex passes over spaces.
    if not text.isalnum():
        raise ValueError("not hexadecimal")
    return bytes.fromhex(text)


def _refused(detail: str) -> IssueError:
    return IssueError(Code.REQUEST_INVALID, detail, Step.SIGNATURE)
