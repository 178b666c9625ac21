"""The keys on a token: found by name, held against a public key, asked what may be done with them."""

from __future__ import annotations

import secrets

import pkcs11
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from pkcs11 import Attribute, KeyType, ObjectClass

from healthcert.encoding.algorithms import Algorithm, PublicKey
from healthcert.errors import Code, IssueError, Step
from healthcert.issue.hsm.faults import unavailable
from healthcert.issue.hsm.mechanisms import sign_as
from healthcert.issue.hsm.uri import Pkcs11Uri

# RFC 5480 §2.1.1.1: named curves, as their object identifiers in DER.
CURVES: dict[bytes, ec.EllipticCurve] = {
    bytes.fromhex("06082a8648ce3d030107"): ec.SECP256R1(),
    bytes.fromhex("06052b81040022"): ec.SECP384R1(),
    bytes.fromhex("06052b81040023"): ec.SECP521R1(),
}


def find_key(session: pkcs11.Session, uri: Pkcs11Uri, wanted: PublicKey | None) -> pkcs11.PrivateKey:
    """The private key that ``uri`` names, and whose public key is ``wanted``; without that, the only one of the name.

    Raises :class:`IssueError`: ``TOKEN_UNAVAILABLE`` for none, or several that cannot be told apart,
    ``SIGNER_KEY_MISMATCH``; pkcs11.PKCS11Error.
    """
    keys = [key for key in private_keys(session, uri) if isinstance(key, pkcs11.SignMixin)]
    if not keys:
        raise unavailable("the token has no private key of this name that signs")
    if wanted is None:
        if len(keys) > 1:
            raise unavailable(f"the token has {len(keys)} private keys of this name: name the id, too")
        return keys[0]
    unknown = []
    for key in keys:
        public = public_key_of(session, key)
        if public == wanted:
            return key
        if public is None:
            unknown.append(key)
    for key in unknown:
        # A token need not have the public key: then a signature tells.
        if _signs_for(key, wanted):
            return key
    raise IssueError(Code.SIGNER_KEY_MISMATCH, "the token's key is not the one of the certificate", Step.SIGNATURE)


def private_keys(session: pkcs11.Session, uri: Pkcs11Uri) -> list[pkcs11.PrivateKey]:
    """The private keys that ``uri`` names. Raises pkcs11.PKCS11Error."""
    found = _objects(session, ObjectClass.PRIVATE_KEY, uri.object, uri.id)
    return [one for one in found if isinstance(one, pkcs11.PrivateKey)]


def public_key_of(session: pkcs11.Session, key: pkcs11.PrivateKey) -> PublicKey | None:
    """The public key of a private one, where the token tells it beyond doubt. Raises pkcs11.PKCS11Error."""
    own = _public_key(key)
    if own is not None:
        return own
    # PKCS #11 v2.40 §4.6: the halves of a pair have the same CKA_ID; where it is empty, the label has to do.
    identifier, label = attribute(key, Attribute.ID), attribute(key, Attribute.LABEL)
    if identifier:
        halves = _objects(session, ObjectClass.PUBLIC_KEY, None, identifier)
    else:
        halves = _objects(session, ObjectClass.PUBLIC_KEY, label, None) if label else []
    return _public_key(halves[0]) if len(halves) == 1 else None


def attribute(one: pkcs11.Object, name: Attribute) -> object:
    """An attribute of an object, or None where the token does not tell it."""
    try:
        value: object = one[name]
    except (pkcs11.AttributeTypeInvalid, pkcs11.AttributeSensitive, pkcs11.FunctionFailed):
        return None
    return value


def extractable(key: pkcs11.PrivateKey) -> bool | None:
    """Whether the private key can leave the token in any form; None where the token does not tell."""
    # PKCS #11 v2.40 §4.9: a key that is extractable can be wrapped, one that is not sensitive can be read.
    may_leave, sensitive = attribute(key, Attribute.EXTRACTABLE), attribute(key, Attribute.SENSITIVE)
    if may_leave is True or sensitive is False:
        return True
    return False if may_leave is False else None


def asks_each_time(key: pkcs11.PrivateKey) -> bool:
    """Whether the PIN has to be given for every signature."""
    return attribute(key, Attribute.ALWAYS_AUTHENTICATE) is True


def _objects(session: pkcs11.Session, kind: ObjectClass, label: object, identifier: object) -> list[pkcs11.Object]:
    wanted: dict[Attribute, object] = {Attribute.CLASS: kind}
    if label is not None:
        wanted[Attribute.LABEL] = label
    if identifier is not None:
        wanted[Attribute.ID] = identifier
    return list(session.get_objects(wanted))


def _public_key(one: pkcs11.Object) -> PublicKey | None:
    kind = attribute(one, Attribute.KEY_TYPE)
    try:
        if kind == KeyType.RSA:
            modulus, exponent = attribute(one, Attribute.MODULUS), attribute(one, Attribute.PUBLIC_EXPONENT)
            if isinstance(modulus, bytes) and isinstance(exponent, bytes):
                return rsa.RSAPublicNumbers(int.from_bytes(exponent), int.from_bytes(modulus)).public_key()
        elif kind == KeyType.EC:
            parameters, point = attribute(one, Attribute.EC_PARAMS), attribute(one, Attribute.EC_POINT)
            if isinstance(parameters, bytes) and isinstance(point, bytes) and parameters in CURVES:
                curve = CURVES[parameters]
                return ec.EllipticCurvePublicKey.from_encoded_point(curve, _bare_point(point, curve))
    except ValueError:
        return None
    return None


def _bare_point(point: bytes, curve: ec.EllipticCurve) -> bytes:
    """The uncompressed point without the OCTET STRING around it, which PKCS #11 asks for and some tokens leave out."""
    size = 1 + 2 * ((curve.key_size + 7) // 8)
    head = b"\x04" + (bytes((size,)) if size < 0x80 else bytes((0x81, size)))
    return point[len(head) :] if len(point) == len(head) + size and point.startswith(head) else point


def _signs_for(key: pkcs11.PrivateKey, wanted: PublicKey) -> bool:
    algorithm = Algorithm.for_key(wanted)
    if algorithm is None:
        return False
    challenge = secrets.token_bytes(32)
    try:
        signature = sign_as(algorithm)(key, algorithm.digest(challenge), None)
    except pkcs11.PKCS11Error:
        return False
    return algorithm.verify(wanted, signature, challenge)
