"""DID documents as WHO's network has them (see :mod:`healthcert.trust.sources.gdhcn`): one with the keys in it, or a
tree of documents that refer to each other."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from healthcert.errors import Code, IssueError, Step, TrustError
from healthcert.issue.signer import Signer
from healthcert.lists import jwk
from healthcert.lists.x509 import Certificate, parse_certificate
from healthcert.publish.readable import check_readable
from healthcert.trust.countries import alpha3
from healthcert.trust.jsonld import DID_V1, JWS_2020
from healthcert.trust.sources.did import KEY_TYPE, PROOF_TYPE, parse_did, signed_bytes
from healthcert.trust.sources.gdhcn import Network

_LIST, _REFERENCES = "trustlist", "trustlist-ref"


def publish(
    certificates: Sequence[bytes],
    signer: Signer,
    *,
    did: str,
    issued_at: datetime,
    expires_at: datetime | None = None,
    domain: str = "DCC",
    verification_method: str | None = None,
    nonce: str | None = None,
) -> dict[str, bytes]:
    """The part ``list``: one document with the keys of these DER certificates, authorities as SCA, all others as DSC.

    ``did`` is the identifier of the root, which ends in ``:trustlist``; ``verification_method`` names the signer's key
    to those who look (its own document in WHO's network), and is ``did`` when not given. Raises :class:`IssueError`
    (``PUBLISHING_REFUSED``) for what no reader would take, :class:`TrustError` when the extra ``gdhcn`` is not
    installed, and what the signer raises.
    """
    root = _root(did)
    entries = _entries(certificates, root, domain)
    if not entries:
        raise _refused("no certificate to publish")
    statement = _statement(root, root, [method for _, method in entries])
    proof = _Proof(signer, issued_at, expires_at, verification_method or root, nonce)
    parts = {"list": proof.of(statement)}
    check_readable(Network(), parts, signer, issued_at)
    return parts


def publish_tree(
    certificates: Sequence[bytes],
    signer: Signer,
    *,
    did: str,
    issued_at: datetime,
    expires_at: datetime | None = None,
    domain: str = "DCC",
    verification_method: str | None = None,
    nonce: str | None = None,
) -> dict[str, bytes]:
    """The part ``list``, which refers to others, and these under their identifiers: by domain, participant and usage.

    As :func:`publish` in all else; each document is to be put where its identifier says.
    """
    root = _root(did)
    references = root.removesuffix(_LIST) + _REFERENCES
    proof = _Proof(signer, issued_at, expires_at, verification_method or root, nonce)
    leaves: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for path, method in _entries(certificates, root, domain):
        leaves.setdefault(path, []).append(method)
    parts: dict[str, bytes] = {}
    below: dict[tuple[str, ...], list[str]] = {}
    for path, methods in leaves.items():
        leaf = _join(root, path)
        parts[leaf] = proof.of(_statement(leaf, _join(root, path[:-1]), methods))
        below[path] = [leaf]
        for end in range(len(path)):
            here, child = below.setdefault(path[:end], []), _join(references, path[: end + 1])
            here.extend(() if child in here else (child,))
    for path, children in below.items():
        name = _join(references, path)
        parts[name if path else "list"] = proof.of(_statement(name, _join(references, path[:-1]), children))
    check_readable(Network(), parts, signer, issued_at)
    return parts


class _Proof:
    """Who signs, when, and under which name."""

    def __init__(
        self, signer: Signer, issued_at: datetime, expires_at: datetime | None, method: str, nonce: str | None
    ) -> None:
        if issued_at.tzinfo is None or (expires_at and (expires_at.tzinfo is None or expires_at <= issued_at)):
            raise _refused("the moments of a list need a time zone, and it must be issued before it expires")
        self._signer, self._nonce = signer, nonce
        self._options = {"type": PROOF_TYPE, "created": _text(issued_at)}
        if expires_at is not None:
            self._options["expires"] = _text(expires_at)
        self._options |= {"proofPurpose": "assertionMethod", "verificationMethod": method}

    def of(self, statement: Mapping[str, Any]) -> bytes:
        """The document with a proof of its own."""
        # A nonce keeps the proofs of documents that say the same apart, as WHO's service has it.
        options = self._options | {"nonce": self._nonce or secrets.token_urlsafe(24)}
        # RFC 7797 §3, §6: the payload is as it is, and a reader must know that.
        header = {"b64": False, "crit": ["b64"], "alg": self._signer.algorithm.name}
        encoded = jwk.encode(json.dumps(header, separators=(",", ":")).encode())
        signature = self._signer.sign(signed_bytes(encoded, statement, options))
        # RFC 7518 §3.4 has r and s side by side; WHO's service and those who read it have them in DER.
        if self._signer.algorithm.name.startswith("ES"):
            half = len(signature) // 2
            signature = encode_dss_signature(*(int.from_bytes(n, "big") for n in (signature[:half], signature[half:])))
        proof = options | {"jws": f"{encoded}..{jwk.encode(signature)}"}
        return json.dumps(dict(statement) | {"proof": proof}, separators=(",", ":")).encode()


def _entries(certificates: Sequence[bytes], root: str, domain: str) -> list[tuple[tuple[str, ...], dict[str, Any]]]:
    """Path and method of each certificate: authorities first, each key once."""
    try:
        parsed = [parse_certificate(der) for der in dict.fromkeys(certificates)]
    except TrustError as error:
        raise _refused(error.detail) from None
    authorities = [certificate for certificate in parsed if certificate.ca is True]
    others = [certificate for certificate in parsed if certificate.ca is not True]
    return [_entry(certificate, authorities, root, domain) for certificate in (*authorities, *others)]


def _entry(
    certificate: Certificate, authorities: Iterable[Certificate], root: str, domain: str
) -> tuple[tuple[str, ...], dict[str, Any]]:
    participant = alpha3(certificate.country or "")
    if participant is None:
        raise _refused("a certificate without the country of a participant")
    path = (domain, participant, "SCA" if certificate.ca is True else "DSC")
    issuers = [a.der for a in authorities if a is not certificate and certificate.problem_with_issuer(a) is None]
    kid = _base64(certificate.kid)
    try:
        key = jwk.jwk_of(certificate.spki)
    except TrustError as error:
        raise _refused(error.detail) from None
    # RFC 7517 §4.7: the key's own certificate first.
    members = key | {"kid": kid, "x5c": [_base64(der) for der in (certificate.der, *issuers)]}
    identifier = _named(_join(root, path))
    return path, {"id": f"{identifier}#{kid}", "type": KEY_TYPE, "controller": root, "publicKeyJwk": members}


def _statement(did: str, controller: str, methods: Sequence[Any]) -> dict[str, Any]:
    return {"@context": [DID_V1, JWS_2020], "id": did, "controller": controller, "verificationMethod": list(methods)}


def _root(did: str) -> str:
    if did.rpartition(":")[2] != _LIST:
        raise _refused(f"the identifier of the root must end in :{_LIST}")
    return _named(did)


def _named(did: str) -> str:
    try:
        return parse_did(did)[0]
    except TrustError as error:
        raise _refused(error.detail) from None


def _join(base: str, path: Sequence[str]) -> str:
    return ":".join((base, *path))


def _text(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _refused(detail: str) -> IssueError:
    return IssueError(Code.PUBLISHING_REFUSED, detail, Step.TRUST)
