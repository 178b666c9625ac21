"""Who signs: a protocol that a file, a hardware module or a remote service can fulfil."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol, Self

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
    load_pem_private_key,
)

from healthcert.encoding.algorithms import Algorithm, PrivateKey
from healthcert.errors import Code, IssueError, Step
from healthcert.limits import DEFAULT_LIMITS, read_file
from healthcert.lists.reading import Rejected
from healthcert.lists.x509 import kid_of
from healthcert.trust.certificates import read_certificate
from healthcert.trust.files import read_entries


class Signer(Protocol):
    """Holds a document signing key, or knows the way to one, and the certificate (DSC) of that key."""

    @property
    def kid(self) -> bytes:
        """The key identifier that goes into the protected header: 8 bytes."""
        ...

    @property
    def algorithm(self) -> Algorithm:
        """The algorithm that :meth:`sign` signs with."""
        ...

    @property
    def certificate(self) -> bytes:
        """The DSC, in DER."""
        ...

    def sign(self, data: bytes, *, prehashed: bool = False) -> bytes:
        """The signature over ``data``: raw ``r || s`` for ECDSA, the modulus' length for RSA.

        ``data`` is the encoded Sig_structure, or, when ``prehashed``, its digest under the algorithm's hash, so that
        health data need not reach the signer. May raise :class:`IssueError` (``SIGNING_FAILED``).
        """
        ...


class BareSigner(Protocol):
    """Holds a signing key, or knows the way to one, in a scheme that names keys without a certificate.

    SMART Health Cards, NZ COVID Pass and DIVOC have such keys; what names them there is the issuer's affair.
    """

    @property
    def public_key(self) -> bytes:
        """The public key, a SubjectPublicKeyInfo in DER."""
        ...

    @property
    def algorithm(self) -> Algorithm:
        """The algorithm that :meth:`sign` signs with."""
        ...

    def sign(self, data: bytes, *, prehashed: bool = False) -> bytes:
        """The signature over ``data``, as :meth:`Signer.sign` gives it."""
        ...


class PemSigner:
    """Signs with a private key that was read from a file."""

    def __init__(self, key: PrivateKey, certificate: bytes) -> None:
        """``certificate`` is the DSC in DER.

        Raises :class:`IssueError` (``SIGNER_KEY_MISMATCH``), or :class:`TrustError` for an unreadable certificate.
        """
        dsc = read_certificate(certificate)
        public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        wanted = dsc.public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        algorithm = Algorithm.for_key(dsc.public_key)
        if public != wanted or algorithm is None:
            raise IssueError(Code.SIGNER_KEY_MISMATCH, "the key is not the one of the certificate", Step.SIGNATURE)
        self._key = key
        self._sign = algorithm.signing(key)
        self.algorithm = algorithm
        self.certificate = certificate
        self.kid = kid_of(certificate)

    @classmethod
    def load(cls, key: str | Path, certificate: str | Path, *, passphrase: bytes | None = None) -> Self:
        """A signer from a private key file (PEM or DER, encrypted or not) and a certificate file (PEM or DER).

        Raises :class:`IssueError` (``SIGNER_KEY_UNREADABLE``, ``SIGNER_KEY_MISMATCH``, ``CERTIFICATE_UNREADABLE``);
        OSError when a file cannot be read.
        """
        return cls(load_private_key(_read(key), passphrase), load_certificate(certificate))

    def sign(self, data: bytes, *, prehashed: bool = False) -> bytes:
        try:
            return self.algorithm.sign(self._key, data, prehashed=True) if prehashed else self._sign(data)
        except ValueError:
            raise IssueError(Code.SIGNING_FAILED, "the key cannot sign this", Step.SIGNATURE) from None

    def __reduce__(self) -> tuple[Callable[..., PemSigner], tuple[bytes, bytes]]:
        from multiprocessing.context import get_spawning_popen

        # The key goes along: over the pipe to a process that is being started, and into no other pickle.
        if get_spawning_popen() is None:
            raise TypeError("a signer holds a private key: it is pickled for a process that is being started only")
        key = self._key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        return _spawned, (key, self.certificate)

    def __repr__(self) -> str:
        return f"PemSigner(kid={self.kid.hex()}, {self.algorithm.name})"


class KeySigner:
    """Signs with a private key that was read from a file, and that has no certificate."""

    def __init__(self, key: PrivateKey) -> None:
        """Raises :class:`IssueError` (``UNSUITABLE_PUBLIC_KEY_TYPE``) for a key that no algorithm here is for."""
        algorithm = Algorithm.for_key(key.public_key())
        if algorithm is None:
            raise IssueError(
                Code.UNSUITABLE_PUBLIC_KEY_TYPE,
                "an EC key on another curve than P-256, P-384 and P-521",
                Step.SIGNATURE,
            )
        self._key = key
        self._sign = algorithm.signing(key)
        self.algorithm = algorithm
        self.public_key = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    @classmethod
    def load(cls, key: str | Path, *, passphrase: bytes | None = None) -> Self:
        """A signer from a private key file (PEM or DER, encrypted or not).

        Raises :class:`IssueError` (``SIGNER_KEY_UNREADABLE``); OSError when the file cannot be read.
        """
        return cls(load_private_key(_read(key), passphrase))

    def sign(self, data: bytes, *, prehashed: bool = False) -> bytes:
        try:
            return self.algorithm.sign(self._key, data, prehashed=True) if prehashed else self._sign(data)
        except ValueError:
            raise IssueError(Code.SIGNING_FAILED, "the key cannot sign this", Step.SIGNATURE) from None

    def __repr__(self) -> str:
        return f"KeySigner({self.algorithm.name})"


def load_certificate(path: str | Path) -> bytes:
    """The first certificate of a file (PEM or DER), in DER.

    Raises :class:`IssueError` (``CERTIFICATE_UNREADABLE``); OSError when the file cannot be read.
    """
    for entry in read_entries(_read(path), source="DSC"):
        if not isinstance(entry, Rejected) and entry.certificate is not None:
            return entry.certificate
    raise IssueError(Code.CERTIFICATE_UNREADABLE, "the DSC file holds no readable certificate", Step.SIGNATURE)


def needs_passphrase(data: bytes) -> bool:
    """Whether the private key in a PEM or DER file's bytes is encrypted."""
    try:
        _loader(data)(data, password=None)
    except TypeError:
        return True
    except (ValueError, UnsupportedAlgorithm):
        return False  # load_private_key says what is wrong with it
    return False


def load_private_key(data: bytes, passphrase: bytes | None = None) -> PrivateKey:
    """The private key in a PEM or DER file's bytes.

    Raises :class:`IssueError` (``SIGNER_KEY_UNREADABLE``), which tells a missing passphrase from a damaged file.
    """
    try:
        key = _loader(data)(data, password=passphrase or None)
    except TypeError:
        needs = "the key file is encrypted: a passphrase is needed"
        raise _unreadable(
            needs if not passphrase else "the key file is not encrypted: it takes no passphrase"
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        raise _unreadable("not a readable private key, or the wrong passphrase") from None
    if not isinstance(key, PrivateKey):
        raise _unreadable("not an EC, RSA or Ed25519 key")
    return key


def _spawned(key: bytes, certificate: bytes) -> PemSigner:
    return PemSigner(load_private_key(key), certificate)


def _loader(data: bytes) -> Callable[..., object]:
    return load_pem_private_key if b"-----BEGIN" in data else load_der_private_key


def _read(path: str | Path) -> bytes:
    return read_file(path, DEFAULT_LIMITS.key_file_bytes)


def _unreadable(detail: str) -> IssueError:
    return IssueError(Code.SIGNER_KEY_UNREADABLE, detail, Step.SIGNATURE)
