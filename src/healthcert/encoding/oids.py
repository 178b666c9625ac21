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
_ED25519 = "1.3.101.112"
_LEAST_RSA_BITS = 2048


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
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, DecodeError):
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
    digest = found[0xA0].children()[0].oid()
    mgf = found[0xA1].children()
    if digest not in HASHES or len(mgf) != 2 or mgf[1].children()[0].oid() != digest:
        raise ValueError("RSASSA-PSS with two hashes, or a hash that is not accepted")
    salt = int.from_bytes(found[0xA2].body, "big") if 0xA2 in found else 20
    return HASHES[digest], salt
