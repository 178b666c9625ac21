"""Makes a key pair inside a token, so that its private half has never been anywhere else."""

from __future__ import annotations

import secrets

import msgspec
import pkcs11
from cryptography.hazmat.primitives.asymmetric import ec
from pkcs11 import Attribute, KeyType, MechanismFlag

from healthcert.errors import Code, IssueError, Step
from healthcert.issue.hsm.faults import unavailable
from healthcert.issue.hsm.login import close, open_session
from healthcert.issue.hsm.module import module_path, this_process
from healthcert.issue.hsm.objects import CURVES, extractable, private_keys
from healthcert.issue.hsm.uri import Pkcs11Uri
from healthcert.issue.pki import KeyKind

_RSA_BITS = 3072
_ID_BYTES = 2  # what every module takes; a YubiHSM has object numbers of two bytes

_PRIVATE = {
    # PKCS #11 v2.40 §4.9: with these two the key can be neither read nor wrapped, and no one can change them back.
    Attribute.SENSITIVE: True,
    Attribute.EXTRACTABLE: False,
    Attribute.DECRYPT: False,
    Attribute.UNWRAP: False,
    Attribute.DERIVE: False,
}
_PUBLIC = {Attribute.ENCRYPT: False, Attribute.WRAP: False}


def make_key_pair(uri: Pkcs11Uri, kind: KeyKind, pin: str, *, final_try: bool) -> Pkcs11Uri:
    """Makes the pair, and gives the URI with its label and id. Raises as :func:`.keys.new_token_key`."""
    if not uri.object:
        raise IssueError(Code.FIELD_INVALID, "key: a label for the new key; for example object=DSC", Step.SIGNATURE)
    process = this_process()
    module = process.module(module_path(uri))
    label = uri.object

    def make(session: pkcs11.Session) -> bytes:
        identifier = _free_id(session, uri)
        _, private = _generate(session, kind, label, identifier)
        _check_kept(private)
        close(session)
        return identifier

    with process.lock:
        identifier = open_session(module, uri, pin, make, writing=True, final_try=final_try)
    return msgspec.structs.replace(uri, id=identifier)


def _free_id(session: pkcs11.Session, uri: Pkcs11Uri) -> bytes:
    """The id for the new key. Label and id must be new, or it could be taken for another key."""
    taken = "key: the token has a private key of this label or id already; name a new one"
    if private_keys(session, Pkcs11Uri(object=uri.object)):
        raise IssueError(Code.FIELD_INVALID, taken, Step.SIGNATURE)
    if uri.id is not None:
        if not uri.id or private_keys(session, Pkcs11Uri(id=uri.id)):
            raise IssueError(Code.FIELD_INVALID, taken, Step.SIGNATURE)
        return uri.id
    while private_keys(session, Pkcs11Uri(id=(identifier := secrets.token_bytes(_ID_BYTES)))):
        continue
    return identifier


def _generate(
    session: pkcs11.Session, kind: KeyKind, label: str, identifier: bytes
) -> tuple[pkcs11.PublicKey, pkcs11.PrivateKey]:
    signing = MechanismFlag.SIGN | MechanismFlag.VERIFY
    if kind is KeyKind.RSA_3072:
        return session.generate_keypair(
            KeyType.RSA,
            _RSA_BITS,
            id=identifier,
            label=label,
            store=True,
            capabilities=signing,
            public_template=_PUBLIC,
            private_template=_PRIVATE,
        )
    (parameters,) = (der for der, curve in CURVES.items() if isinstance(curve, ec.SECP256R1))
    domain = session.create_domain_parameters(KeyType.EC, {Attribute.EC_PARAMS: parameters}, local=True)
    return domain.generate_keypair(
        id=identifier,
        label=label,
        store=True,
        capabilities=signing,
        public_template=_PUBLIC,
        private_template=_PRIVATE,
    )


def _check_kept(private: pkcs11.PrivateKey) -> None:
    """A token may do as it likes with what it is asked: a key that can leave it is not kept."""
    if extractable(private) is True:
        private.destroy()
        raise unavailable("the token made a key that can leave it; the key was destroyed")
