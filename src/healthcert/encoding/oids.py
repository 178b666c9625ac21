"""The signature algorithms of certificates and CMS messages, by object identifier, on top of ``cryptography``."""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from healthcert.encoding import ber
from healthcert.encoding.algorithms import PublicKey
from healthcert.errors import DecodeError

# NIST SP 800-131A: SHA-1 makes no signatures that are to be believed.
HASHES: dict[str, hashes.HashAlgorithm] = {
    "2.16.840.1.101.3.4.2.1": hashes.SHA256(),
    "2.16.840.1.101.3.4.2.2": hashes.SHA384(),
    "2.16.840.1.101.3.4.2.3": hashes.SHA512(),
}
_SHA256, _SHA384, _SHA512 = HASHES.values()
# RFC 5758 §3.2, RFC 4055 §5.
_ECDSA = {"1.2.840.10045.4.3.2": _SHA256, "1.2.840.10045.4.3.3": _SHA384, "1.2.840.10045.4.3.4": _SHA512}
_RSA = {"1.2.840.113549.1.1.11": _SHA256, "1.2.840.113549.1.1.12": _SHA384, "1.2.840.113549.1.1.13": _SHA512}
_EC_PUBLIC_KEY = "1.2.840.10045.2.1"  # some signers name the key where the signature algorithm belongs
_RSA_ENCRYPTION = "1.2.840.113549.1.1.1"  # RFC 3370 §3.2: in CMS, PKCS #1 v1.5 with the digest named beside it
_RSA_PSS = "1.2.840.113549.1.1.10"
_MGF1 = "1.2.840.113549.1.1.8"
_ED25519 = "1.3.101.112"
_LEAST_RSA_BITS = 2048
_MAX_SALT = 512  # the bytes of a signature with 4096 bits; no salt is longer


def verify_oid(
    key: PublicKey, oid: str, parameters: bytes, signature: bytes, data: bytes, digest: str | None = None
) -> bool:
    """Whether ``signature`` over ``data``, by the algorithm ``oid``, was made with ``key``; never raises.

    ``parameters`` are those of the AlgorithmIdentifier, in DER. ``digest`` is the digest that a CMS message names
    beside the algorithm. ECDSA signatures are in DER, as X.509 and CMS have them. RSA keys under 2048 bits and SHA-1
    never verify.
    """
    beside = HASHES.get(digest) if digest is not None else None
    try:
        if isinstance(key, ec.EllipticCurvePublicKey):
            chosen = beside if oid == _EC_PUBLIC_KEY else _ECDSA.get(oid)
            if chosen is None:
                return False
            key.verify(signature, data, ec.ECDSA(chosen))
            return True
        if isinstance(key, rsa.RSAPublicKey):
            if key.key_size < _LEAST_RSA_BITS:
                return False
            if oid == _RSA_PSS:
                chosen, salt = _pss(parameters)
                key.verify(signature, data, padding.PSS(padding.MGF1(chosen), salt), chosen)
                return True
            chosen = beside if oid == _RSA_ENCRYPTION else _RSA.get(oid)
            if chosen is None:
                return False
            key.verify(signature, data, padding.PKCS1v15(), chosen)
            return True
        if oid == _ED25519:
            key.verify(signature, data)
            return True
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, IndexError, OverflowError, DecodeError):
        return False
    return False


def _pss(parameters: bytes) -> tuple[hashes.HashAlgorithm, int]:
    """The hash and salt length of RSASSA-PSS-params (RFC 4055 §3.1). MGF1 is to use the same hash.

    Raises ValueError; their default, SHA-1, is not accepted.
    """
    found: dict[int, ber.Element] = {}
    for part in ber.read(parameters, ber.SEQUENCE).children():
        found[part.tag] = ber.read(part.body)
    if 0xA0 not in found or 0xA1 not in found:
        raise ValueError("RSASSA-PSS with SHA-1")
    mgf = found[0xA1].children()
    # RFC 4055 §2.2: MGF1 is the one mask generation function.
    if len(mgf) != 2 or mgf[0].oid() != _MGF1:
        raise ValueError("RSASSA-PSS with another mask generation function")
    digest = _hash_of(found[0xA0])
    if digest not in HASHES or _hash_of(mgf[1]) != digest:
        raise ValueError("RSASSA-PSS with two hashes, or a hash that is not accepted")
    length = found.get(0xA2)
    # RFC 4055 §3.1: 20 where it is not said.
    salt = 20 if length is None else int.from_bytes(length.body, "big", signed=True)
    if (length is not None and length.tag != ber.INTEGER) or not 0 <= salt <= _MAX_SALT:
        raise ValueError("RSASSA-PSS with a salt of a length that cannot be")
    return HASHES[digest], salt


def _hash_of(algorithm: ber.Element) -> str:
    """The OID of a hash. RFC 4055 §2.1: its parameters are NULL or left out."""
    parts = algorithm.children()
    if not 1 <= len(parts) <= 2 or any(part.raw != b"\x05\x00" for part in parts[1:]):
        raise ValueError("an AlgorithmIdentifier that is not one of a hash")
    return parts[0].oid()
