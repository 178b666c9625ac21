"""Holders bind a certificate to a key of their device, by a code that they were given with it.

The flow is that of the EU's issuance service (dgca-issuance-service, ``/dgci/wallet/claim``), where the code is called
TAN: the device signs a request with its key, the code says that the holder asks, and a used code is answered with
another one, by which the certificate moves to the next device.
"""

from __future__ import annotations

import hmac
import secrets
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from healthcert.authority.register import Action, Register, State  # first: it says which extra is missing

# isort: split
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from sqlalchemy import bindparam, delete, func, insert, select, update

from healthcert.authority.register.changes import Change
from healthcert.authority.register.rows import BY_ID, is_identifier, moment
from healthcert.authority.register.schema import bindings, claim_codes, meta
from healthcert.encoding.algorithms import Algorithm
from healthcert.errors import Code, RegisterError, TrustError
from healthcert.issue.signing import LEAST_RSA_BITS
from healthcert.lists.publickeys import load_public_key
from healthcert.model import Private

ALPHABET = "ACDEFGHJKMNPQRTVWXY34679"
"""The characters of a code: none that is taken for another (0 O, 1 I L, 2 Z, 5 S, 8 B, U V)."""
CODE_LENGTH = 8
"""24^8 codes are 36 bits: five guesses find one with odds of 1 in 22 thousand million."""
TRIES = 5
"""How often a code may be tried, the right try included."""
LIFETIME = timedelta(days=1)
"""How long a code may be used where nothing else is said."""

_LABEL = b"healthcert claim 1\n"
_MOST_KEY = 1024  # bytes; a key of RSA with 4096 bits has 550
_MOST_CODES = 100
_REFUSED = (
    f"there is no certificate of this identifier and code; a code has {CODE_LENGTH} characters of {ALPHABET}, "
    f"and may be tried {TRIES} times"
)
_SPENT = "the code was used, has expired or was tried too often, or the certificate is out of use"

_CODES = (
    select(claim_codes)
    .where(claim_codes.c.certificate_id == bindparam("subject"))
    .order_by(claim_codes.c.number.desc())
    .limit(_MOST_CODES)
)
_COUNT_TRY = update(claim_codes).where(claim_codes.c.number == bindparam("found")).values(tries=claim_codes.c.tries + 1)
_USE = update(claim_codes).where(claim_codes.c.number == bindparam("found")).values(used=1)
_ASKED = meta.c.name == "claims"


class Binding(Private, frozen=True, kw_only=True):
    """A certificate's device: its public key, a SubjectPublicKeyInfo in DER."""

    certificate_id: str
    public_key: bytes
    bound_at: datetime


class Claimed(Private, frozen=True, kw_only=True):
    """A certificate that was bound just now, and the code by which its holder moves it to another device."""

    binding: Binding
    next_code: str


def new_code(register: Register, certificate_id: str, *, lifetime: timedelta = LIFETIME) -> str:
    """A code by which the holder may bind the certificate; any earlier one ends. It is shown once, and kept nowhere.

    Raises :class:`RegisterError`: ``NOT_IN_REGISTER``, ``ISSUED_AND_REVOKED``, ``CLAIM_CODE_SPENT`` for a certificate
    that has expired, ``REGISTER_UNUSABLE``.
    """
    with register.changing() as change:
        row = _certificate(change, certificate_id)
        if row is None:
            raise RegisterError(Code.NOT_IN_REGISTER, "there is no certificate with this identifier")
        if row.state != State.ISSUED:
            raise RegisterError(Code.ISSUED_AND_REVOKED, f"the certificate is {row.state}")
        if row.expires <= change.now:
            raise RegisterError(Code.CLAIM_CODE_SPENT, "the certificate has expired")
        end = change.now + int(lifetime.total_seconds())
        code = _new_code(change, certificate_id, expires=min(end, row.expires))
        change.note(Action.CLAIM_CODE, certificate_id, bytes(row.kid))
    return code


def claim_request(certificate_id: str, code: str, public_key: bytes) -> bytes:
    """What the device signs with its key to claim a certificate: a label and three SHA-256 hashes.

    They are those of the identifier, the code in capitals without separators, and the public key.
    """
    parts = (certificate_id.encode(), _plain(code).encode(), public_key)
    return _LABEL + b"".join(sha256(part).digest() for part in parts)


def claim(register: Register, certificate_id: str, code: str, *, public_key: bytes, proof: bytes) -> Claimed:
    """Binds a certificate to the key of a device, which signed :func:`claim_request` (``proof``).

    ``public_key`` is a SubjectPublicKeyInfo in DER: EC on P-256, P-384 or P-521 with raw ``r || s``, RSA with PSS, or
    Ed25519. Raises :class:`RegisterError`:

    * ``REQUEST_INVALID``: the key cannot be used, or the proof is not its signature; no try is counted;
    * ``CLAIM_CODE_REFUSED``: it is not the code. The same is said, in the same words, where there is no such
      certificate or no code for it, so that nobody learns which certificates there are;
    * ``CLAIM_CODE_SPENT``: it is the code, and it cannot be used any more;
    * ``REGISTER_UNUSABLE``.
    """
    plain = _plain(code)
    if len(plain) != CODE_LENGTH or not set(plain) <= set(ALPHABET) or not is_identifier(certificate_id):
        raise RegisterError(Code.CLAIM_CODE_REFUSED, _REFUSED)
    _check_proof(public_key, proof, claim_request(certificate_id, plain, public_key))
    found = _try(register, certificate_id, plain)
    if not found:
        raise RegisterError(Code.CLAIM_CODE_SPENT, _SPENT)
    with register.changing() as change:
        row = _certificate(change, certificate_id)
        newest = change.connection.execute(_CODES, {"subject": certificate_id}).first()
        # All of it is asked again: another claim, a new code or a revocation may have come between.
        if row is None or row.state != State.ISSUED or row.expires <= change.now:
            raise RegisterError(Code.CLAIM_CODE_SPENT, _SPENT)
        if newest is None or newest.number != found or newest.used or newest.expires <= change.now:
            raise RegisterError(Code.CLAIM_CODE_SPENT, _SPENT)
        change.connection.execute(_USE, {"found": found})
        _bind(change, certificate_id, public_key)
        # The next device comes when it comes: this code is good for as long as the certificate is.
        next_code = _new_code(change, certificate_id, expires=row.expires)
        change.note(Action.CLAIM, certificate_id, bytes(row.kid))
    binding = Binding(certificate_id=certificate_id, public_key=public_key, bound_at=moment(change.now))
    return Claimed(binding=binding, next_code=next_code)


def binding_of(register: Register, certificate_id: str) -> Binding | None:
    """The device that the certificate is bound to, None for none. Raises :class:`RegisterError`."""
    if not is_identifier(certificate_id):
        return None
    with register.reading() as connection:
        row = connection.execute(select(bindings).where(bindings.c.certificate_id == certificate_id)).first()
    if row is None:
        return None
    key = register.secret.unseal(bytes(row.public_key), _sealed_as(certificate_id))
    return Binding(certificate_id=certificate_id, public_key=key, bound_at=moment(row.bound_at))


def _try(register: Register, certificate_id: str, code: str) -> int:
    """The number of the code, when it is the one to be used; 0 when it is one that cannot be used any more.

    The try is counted before anything is compared, in a transaction of its own: whoever ends the program in between
    has lost it all the same. Unknown identifiers take the same way, down to the writing, so that time tells nothing.
    """
    with register.changing() as change:
        rows = change.connection.execute(_CODES, {"subject": certificate_id}).all()
        change.connection.execute(update(meta).where(_ASKED).values(value=str(_asked(change) + 1)))
        change.connection.execute(_COUNT_TRY, {"found": rows[0].number if rows else 0})
    wanted = register.secret.code_key(certificate_id, code)
    matches = [row for row in rows if hmac.compare_digest(bytes(row.code), wanted)]
    if not matches:
        raise RegisterError(Code.CLAIM_CODE_REFUSED, _REFUSED)
    usable = matches[0].number == rows[0].number and rows[0].tries < TRIES
    return int(matches[0].number) if usable else 0


def _asked(change: Change) -> int:
    return int(change.connection.execute(select(meta.c.value).where(_ASKED)).scalar_one())


def _certificate(change: Change, certificate_id: str) -> Any:
    if not is_identifier(certificate_id):
        return None
    rows = change.connection.execute(BY_ID, {"keys": [certificate_id]}).all()
    return rows[-1] if rows else None


def _new_code(change: Change, certificate_id: str, *, expires: int) -> str:
    code = "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))
    row = {
        "number": (change.connection.execute(select(func.max(claim_codes.c.number))).scalar() or 0) + 1,
        "certificate_id": certificate_id,
        "code": change.secret.code_key(certificate_id, code),
        "expires": expires,
        "tries": 0,
        "used": 0,
    }
    change.connection.execute(insert(claim_codes), row)
    return code


def _bind(change: Change, certificate_id: str, public_key: bytes) -> None:
    sealed = change.secret.seal(public_key, _sealed_as(certificate_id))
    change.connection.execute(delete(bindings).where(bindings.c.certificate_id == certificate_id))
    row = {"certificate_id": certificate_id, "public_key": sealed, "bound_at": change.now}
    change.connection.execute(insert(bindings), row)


def _check_proof(public_key: bytes, proof: bytes, request: bytes) -> None:
    try:
        key = load_public_key(public_key) if len(public_key) <= _MOST_KEY else None
    except TrustError:
        key = None
    algorithm = None if key is None else Algorithm.for_key(key)
    if key is None or algorithm is None or (isinstance(key, RSAPublicKey) and key.key_size < LEAST_RSA_BITS):
        raise RegisterError(Code.REQUEST_INVALID, "the device's key is no EC, RSA or Ed25519 key that is strong enough")
    if not algorithm.verify(key, proof, request):
        raise RegisterError(Code.REQUEST_INVALID, "the proof is not the signature of the device's key on the request")


def _plain(code: str) -> str:
    return code.replace("-", "").replace(" ", "").upper()


def _sealed_as(certificate_id: str) -> str:
    return f"device of {certificate_id}"
