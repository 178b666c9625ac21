"""Private keys of tokens as the objects that ``cryptography`` signs certificates and requests with; and making them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn, Self

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.padding import AsymmetricPadding
from cryptography.hazmat.primitives.asymmetric.utils import NoDigestInfo, Prehashed, encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, KeySerializationEncryption, PrivateFormat
from cryptography.utils import Buffer

from healthcert.errors import Code, IssueError, Step
from healthcert.issue.hsm.extra import needed
from healthcert.issue.hsm.uri import Pkcs11Uri
from healthcert.issue.pki import KeyKind

if TYPE_CHECKING:  # python-pkcs11 is an extra, and is loaded when a token is opened
    from healthcert.issue.hsm.mechanisms import SignDigest
    from healthcert.issue.hsm.pool import KeyPool

_HASHES: dict[int, hashes.HashAlgorithm] = {32: hashes.SHA256(), 48: hashes.SHA384(), 64: hashes.SHA512()}


class _TokenKey:
    """What keys of both kinds have in common: the secret stays where it is."""

    _pool: KeyPool

    @property
    def extractable(self) -> bool | None:
        """Whether the private key can leave the token; None where the token does not tell."""
        return self._pool.extractable

    def close(self) -> None:
        """Ends the sessions that are open. The next signature opens another."""
        self._pool.close()

    def private_bytes(
        self,
        encoding: Encoding,
        format: PrivateFormat,  # noqa: A002 (the base class names it so)
        encryption_algorithm: KeySerializationEncryption,
    ) -> NoReturn:
        """Raises :class:`IssueError` (``SIGNER_KEY_UNREADABLE``)."""
        self._refuse_export()

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, object]) -> Self:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key of a token is not pickled: open it where it is used")

    def __repr__(self) -> str:
        return f"{type(self).__name__}(...)"

    def _refuse_export(self) -> NoReturn:
        raise IssueError(Code.SIGNER_KEY_UNREADABLE, "the key does not leave its token", Step.SIGNATURE)


class TokenEcKey(_TokenKey, ec.EllipticCurvePrivateKey):
    """An EC key of a token."""

    def __init__(self, pool: KeyPool, public_key: ec.EllipticCurvePublicKey) -> None:
        self._pool, self._public_key = pool, public_key

    @property
    def curve(self) -> ec.EllipticCurve:
        """The key's curve."""
        return self._public_key.curve

    @property
    def key_size(self) -> int:
        """Bits of the curve's order."""
        return self._public_key.key_size

    def public_key(self) -> ec.EllipticCurvePublicKey:
        """The public key."""
        return self._public_key

    def sign(self, data: Buffer, signature_algorithm: ec.EllipticCurveSignatureAlgorithm) -> bytes:
        """An ECDSA signature over ``data``, in DER, made by the token.

        Raises :class:`IssueError` as :meth:`Pkcs11Signer.sign` does; ``SIGNING_FAILED`` also for what is not ECDSA.
        """
        from healthcert.issue.hsm.mechanisms import ecdsa

        if not isinstance(signature_algorithm, ec.ECDSA) or signature_algorithm.deterministic_signing:
            raise _no_such_way()
        raw = self._pool.sign(ecdsa, _digest(bytes(data), signature_algorithm.algorithm)[1])
        half = (self.key_size + 7) // 8
        if len(raw) != 2 * half:
            raise IssueError(Code.SIGNING_FAILED, "the token's signature has another length", Step.SIGNATURE)
        return encode_dss_signature(int.from_bytes(raw[:half]), int.from_bytes(raw[half:]))

    def exchange(self, algorithm: ec.ECDH, peer_public_key: ec.EllipticCurvePublicKey) -> NoReturn:
        """Raises :class:`IssueError` (``SIGNING_FAILED``): the key signs, and nothing else."""
        raise _no_such_way()

    def private_numbers(self) -> NoReturn:
        """Raises :class:`IssueError` (``SIGNER_KEY_UNREADABLE``)."""
        self._refuse_export()


class TokenRsaKey(_TokenKey, rsa.RSAPrivateKey):
    """An RSA key of a token."""

    def __init__(self, pool: KeyPool, public_key: rsa.RSAPublicKey) -> None:
        self._pool, self._public_key = pool, public_key

    @property
    def key_size(self) -> int:
        """Bits of the modulus."""
        return self._public_key.key_size

    def public_key(self) -> rsa.RSAPublicKey:
        """The public key."""
        return self._public_key

    def sign(
        self, data: bytes, padding: AsymmetricPadding, algorithm: Prehashed | hashes.HashAlgorithm | NoDigestInfo
    ) -> bytes:
        """A signature over ``data``, made by the token: PKCS #1 v1.5, or PSS with a salt as long as the digest.

        Raises :class:`IssueError` as :meth:`Pkcs11Signer.sign` does; ``SIGNING_FAILED`` also for other ways of padding.
        """
        if isinstance(algorithm, NoDigestInfo):
            raise _no_such_way()
        hash_, digest = _digest(data, algorithm)
        return self._pool.sign(_padded(padding, hash_), digest)

    def decrypt(self, ciphertext: bytes, padding: AsymmetricPadding) -> NoReturn:
        """Raises :class:`IssueError` (``SIGNING_FAILED``): the key signs, and nothing else."""
        raise _no_such_way()

    def private_numbers(self) -> NoReturn:
        """Raises :class:`IssueError` (``SIGNER_KEY_UNREADABLE``)."""
        self._refuse_export()


TokenPrivateKey = TokenEcKey | TokenRsaKey
"""A key that stays in its token, and signs certificates and requests by ``cryptography``'s builders."""


def open_token_key(uri: Pkcs11Uri | str, pin: str, *, final_try: bool = False) -> TokenPrivateKey:
    """The key that ``uri`` names, which must be the only one of the name and have its public key on the token.

    Raises :class:`IssueError` (``PIN_REFUSED``, ``TOKEN_UNAVAILABLE``, ``FIELD_INVALID``, ``EXTRA_MISSING``).
    """
    with needed():
        from healthcert.issue.hsm.faults import unavailable
        from healthcert.issue.hsm.pool import KeyPool
    parsed = Pkcs11Uri.parse(uri) if isinstance(uri, str) else uri
    pool = KeyPool(parsed, pin, None, sessions=1, final_try=final_try)
    public_key = pool.wanted
    if isinstance(public_key, ec.EllipticCurvePublicKey):
        return TokenEcKey(pool, public_key)
    if isinstance(public_key, rsa.RSAPublicKey):
        return TokenRsaKey(pool, public_key)
    pool.close()
    raise unavailable("the token does not have the public key of this private key, or it is of another kind")


def new_token_key(uri: Pkcs11Uri | str, kind: KeyKind, pin: str, *, final_try: bool = False) -> TokenPrivateKey:
    """Makes a key pair inside the token, under the label (``object``) of ``uri``, and its ``id`` if it has one.

    The private key is sensitive and cannot be extracted, in the clear or wrapped, and does nothing but sign. Raises
    :class:`IssueError`: ``FIELD_INVALID`` for a URI without a label, or with a label or id that is taken,
    ``TOKEN_UNAVAILABLE`` also for a token that would let such a key out, and otherwise as :func:`open_token_key`.
    """
    with needed():
        from healthcert.issue.hsm.making import make_key_pair
    parsed = Pkcs11Uri.parse(uri) if isinstance(uri, str) else uri
    return open_token_key(make_key_pair(parsed, kind, pin, final_try=final_try), pin)


def _digest(data: bytes, algorithm: Prehashed | hashes.HashAlgorithm) -> tuple[hashes.HashAlgorithm, bytes]:
    """The hash and the digest; ``data`` is the digest itself when it says so."""
    from healthcert.issue.hsm.mechanisms import digest_of

    if isinstance(algorithm, Prehashed):
        hash_ = _HASHES.get(len(data))
        if hash_ is None:
            raise _no_such_way()
        return hash_, data
    if algorithm.name not in {known.name for known in _HASHES.values()}:
        raise _no_such_way()
    return algorithm, digest_of(data, algorithm)


def _padded(way: AsymmetricPadding, hash_: hashes.HashAlgorithm) -> SignDigest:
    from healthcert.issue.hsm.mechanisms import pkcs1v15, pss

    if isinstance(way, padding.PKCS1v15):
        return pkcs1v15(hash_.name)
    salts = (padding.PSS.DIGEST_LENGTH, hash_.digest_size)
    if any(way == padding.PSS(padding.MGF1(hash_), salt) for salt in salts):
        return pss(hash_.name, hash_.digest_size)
    raise _no_such_way()


def _no_such_way() -> IssueError:
    detail = "a token's key signs ECDSA, PKCS #1 v1.5 and PSS with SHA-2, and nothing else"
    return IssueError(Code.SIGNING_FAILED, detail, Step.SIGNATURE)
