"""DID documents (W3C DID Core) as WHO's network publishes keys in them, and the proof that they carry.

The proof (JsonWebSignature2020) is over the canonical form of what the document says as JSON-LD. What no context
knows is not in that form and could be anything: so a document has the members that it should have, each of the shape
that it should have, or is refused; and only what the proof covers is read.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct

from healthcert.encoding.algorithms import Algorithm, PublicKey
from healthcert.encoding.oids import verify_oid
from healthcert.errors import Code, Step, TrustError
from healthcert.lists import jwk
from healthcert.lists.anchors import TrustAnchor
from healthcert.lists.reading import not_authentic, read_json, unreadable
from healthcert.trust.jsonld import DID_CONTEXTS, JWS_2020, TNG_CONTEXTS, canonical, canonical_in_pieces, contexts_of

KEY_TYPE = "JsonWebKey2020"
PROOF_TYPE = "JsonWebSignature2020"
_SEGMENT = r"[A-Za-z0-9._=+-]{1,128}"
# A name with a dot whose last label begins with a letter, so that it is no number of a machine.
_HOST = r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]"
_DID = re.compile(rf"did:web:({_HOST}(?:%3[Aa][0-9]{{1,5}})?)((?::{_SEGMENT}){{0,16}})")
_LONGEST_DID = 1024
_TYPE_STATEMENT = "<{}> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <https://w3id.org/security#JsonWebKey2020> ."
_KEY_STATEMENT = re.compile(r"<([^>]+)> <https://w3id\.org/security#publicKeyJwk> ")
_FRAGMENT = re.compile(r"[A-Za-z0-9._~+/=%-]{1,128}")
_CODE = re.compile(r"#([A-Za-z0-9-]{1,32})")
_LABELS = ("domain", "participant", "keyusage")
_DOCUMENT = frozenset(("@context", "id", "controller", "verificationMethod", "proof"))
_METHOD = frozenset(("id", "type", "controller", "publicKeyJwk", *_LABELS))
_PROOF = frozenset(
    ("type", "created", "expires", "nonce", "challenge", "domain", "proofPurpose", "verificationMethod", "jws")
)
_KEY_MEMBERS = ("kty", "crv", "x", "y", "n", "e", "d", "p", "q", "k")
_KID_BYTES = 8
_MAX_CONTROLLERS = 16
_MAX_JWK_TEXT = 4096  # characters of one member; a key of 16384 bits has 2731
# RFC 5758 §3.2: what an ECDSA signature in DER is checked as.
_ECDSA_OIDS = {
    Algorithm.ES256: "1.2.840.10045.4.3.2",
    Algorithm.ES384: "1.2.840.10045.4.3.3",
    Algorithm.ES512: "1.2.840.10045.4.3.4",
}


class Method(Struct, frozen=True):
    """A key in a document. ``labels`` are its domain, participant and usage, where a member that is covered says so."""

    id: str
    key: Mapping[str, Any]
    labels: tuple[str | None, str | None, str | None]


class Document(Struct, frozen=True):
    """A DID document: the keys in it, and the identifiers of others that it refers to, of whatever form.

    ``created`` and ``expires`` are those of its proof; None without one.
    """

    id: str
    methods: tuple[Method, ...]
    references: tuple[str, ...]
    created: datetime | None
    expires: datetime | None
    _statement: Mapping[str, Any]
    _proof: Mapping[str, str] | None

    def signer(self, anchors: Iterable[TrustAnchor]) -> tuple[TrustAnchor, bytes]:
        """The anchor whose key made the proof, and the SHA-256 of what that proof is over.

        Raises :class:`TrustError`: ``TRUST_LIST_NOT_AUTHENTIC`` when there is no proof or none of them made it,
        ``TRUST_LIST_UNREADABLE``.
        """
        if self._proof is None:
            raise not_authentic("the document carries no proof")
        header, algorithm, signature = _jws(self._proof["jws"])
        options = {name: value for name, value in self._proof.items() if name != "jws"}
        signed = signed_bytes(header, self._statement, options)
        for anchor in anchors:
            if _verify(anchor.public_key(), algorithm, signature, signed):
                return anchor, hashlib.sha256(signed).digest()
        raise not_authentic("the proof was not made with a pinned key")


def read_document(data: bytes) -> Document:
    """A DID document, its proof unchecked.

    Raises :class:`TrustError` (``TRUST_LIST_UNREADABLE``).
    """
    document = read_json(data, dict)
    _members(document, _DOCUMENT, {"@context", "id", "verificationMethod"})
    contexts = contexts_of(document)
    # JSON-LD 1.1 API §5.1.2: what no context defines is left out. Without both of these that is so with keys, and
    # anyone could have put them there.
    if JWS_2020 not in contexts or not any(context in DID_CONTEXTS for context in contexts):
        raise unreadable("it does not use the JSON-LD contexts that make its keys a part of what is signed")
    methods = document["verificationMethod"]
    if not isinstance(methods, list):
        raise unreadable("a document without an array of keys")
    controller = document.get("controller", document["id"])
    controllers = controller if isinstance(controller, list) else [controller]
    if len(controllers) > _MAX_CONTROLLERS:
        raise unreadable(f"more than {_MAX_CONTROLLERS} controllers")
    for name in (document["id"], *controllers):
        parse_did(name)
    proof = _proof(document["proof"]) if "proof" in document else None
    covered = any(context in TNG_CONTEXTS for context in contexts)
    return Document(
        id=document["id"],
        methods=tuple(_method(method, covered) for method in methods if not isinstance(method, str)),
        references=tuple(reference for reference in methods if isinstance(reference, str)),
        created=_moment(proof["created"]) if proof else None,
        expires=_moment(proof["expires"]) if proof and "expires" in proof else None,
        _statement={name: value for name, value in document.items() if name != "proof"},
        _proof=proof,
    )


def parse_did(did: Any) -> tuple[str, str, tuple[str, ...]]:
    """A did:web identifier: itself, its host, and the segments of its path (did:web Method Specification, §2.1).

    Raises :class:`TrustError` (``TRUST_LIST_UNREADABLE``).
    """
    found = _DID.fullmatch(did) if isinstance(did, str) and len(did) <= _LONGEST_DID else None
    segments = tuple(found[2].split(":")[1:]) if found else ()
    if found is None or any(not segment.strip(".") for segment in segments):
        raise unreadable("an identifier that is no did:web")
    return found[0], re.sub("%3[Aa]", ":", found[1]), segments


def url_of(did: str) -> str:
    """Where the document of a did:web is (did:web Method Specification, §2.5.2). Raises like :func:`parse_did`."""
    _, host, segments = parse_did(did)
    return f"https://{host}/{'/'.join(segments or ('.well-known',))}/did.json"


def split_fragment(identifier: str) -> tuple[str, str]:
    """The DID in a DID URL, and the fragment behind it; empty where it has none."""
    did, _, fragment = identifier.partition("#")
    return did, fragment


def spells_kid(text: str, kid: bytes) -> bool:
    """Whether ``text`` is a spelling of ``kid``: base64 or base64url, escaped for a URL or not, or encoded twice."""
    return kid in _readings(text)


def spelled_kid(text: str) -> bytes | None:
    """The kid that ``text`` spells, where nothing but it says which; None for what spells none."""
    found = _readings(text)
    # HCERT specification, Appendix A.1: 8 bytes, by which it shows whether it was encoded twice.
    return next((kid for kid in found if len(kid) == _KID_BYTES), found[0] if found else None) or None


def _readings(text: str) -> list[bytes]:
    """What ``text`` can be a spelling of: what it decodes to, and what that decodes to."""
    found = []
    plain = re.sub("%([0-9A-Fa-f]{2})", lambda found: chr(int(found[1], 16)), text)
    with suppress(ValueError):
        found.append(jwk.decode(plain))
        found.append(jwk.decode(found[0].decode("ascii")))
    return found


def signed_bytes(header: str, statement: Mapping[str, Any], options: Mapping[str, str]) -> bytes:
    """What the signature of a proof is over, given the header of its JWS, the document and the proof without that.

    Raises :class:`TrustError` (``TRUST_LIST_UNREADABLE``).
    """
    # Verifiable Credential Data Integrity §4.2, §4.3: the hash of the options, and then that of the document; RFC
    # 7797 §3: which the JWS is over as they are. The options are read under the contexts of the document.
    forms = (
        canonical({"@context": statement["@context"]} | dict(options)),
        canonical_in_pieces(statement, "verificationMethod"),
    )
    _check_covered(forms[1], statement["verificationMethod"])
    return header.encode() + b"." + b"".join(hashlib.sha256(form).digest() for form in forms)


def _check_covered(form: bytes, methods: Iterable[Any]) -> None:
    """Raises :class:`TrustError` (``TRUST_LIST_UNREADABLE``) for a key that the canonical form does not have."""
    # RDF 1.1 N-Quads: of what ends a line elsewhere, only this must be escaped within a text.
    lines = set(form.decode().split("\n"))
    keys = {found[1] for found in map(_KEY_STATEMENT.match, lines) if found}
    for name in (method["id"] for method in methods if not isinstance(method, str)):
        if name not in keys or _TYPE_STATEMENT.format(name) not in lines:
            raise unreadable("a key that its proof does not cover")


def _method(method: Any, covered: bool) -> Method:
    if not isinstance(method, dict):
        raise unreadable("a key that is none")
    _members(method, _METHOD, {"id", "type", "controller", "publicKeyJwk"})
    parse_did(method["controller"])
    did, fragment = split_fragment(method["id"]) if isinstance(method["id"], str) else ("", "")
    parse_did(did)
    if fragment and not _FRAGMENT.fullmatch(fragment):
        raise unreadable("an identifier of a key that is none")
    # Without this very type the key is not in the canonical form.
    if method["type"] != KEY_TYPE or not isinstance(method["publicKeyJwk"], dict):
        raise unreadable(f"a key that is no {KEY_TYPE}")
    domain, participant, usage = (_label(method.get(name)) if covered else None for name in _LABELS)
    return Method(method["id"], method["publicKeyJwk"], (domain, participant, usage))


def _label(value: Any) -> str | None:
    """The code in ``{"code": "#DCC"}``; any other form may say something else in the canonical form."""
    if value is None:
        return None
    code = value.get("code") if isinstance(value, dict) and len(value) == 1 else None
    found = _CODE.fullmatch(code) if isinstance(code, str) else None
    if found is None:
        raise unreadable("a domain, participant or usage of another form")
    return found[1]


def _proof(proof: Any) -> dict[str, str]:
    if not isinstance(proof, dict) or not all(isinstance(value, str) for value in proof.values()):
        raise unreadable("a proof that is none")
    _members(proof, _PROOF, {"type", "created", "proofPurpose", "verificationMethod", "jws"})
    if proof["type"] != PROOF_TYPE or proof["proofPurpose"] != "assertionMethod":
        raise unreadable(f"a proof that is no {PROOF_TYPE} for an assertion")
    parse_did(split_fragment(proof["verificationMethod"])[0])
    return proof


def _members(found: Mapping[str, Any], allowed: frozenset[str], needed: set[str]) -> None:
    if not needed <= found.keys() <= allowed:
        raise unreadable("a member too many, or too few")


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise unreadable("a proof whose date is none") from None


def _jws(text: str) -> tuple[str, Algorithm, bytes]:
    """Header, algorithm and signature of a detached JWS (RFC 7515, Appendix F), each spelled in the one way."""
    header, _, rest = text.partition(".")
    signature = _exact(rest[1:]) if rest[:1] == "." else None
    decoded = _exact(header)
    if decoded is None or not signature:
        raise unreadable("a proof whose signature is no detached JWS")
    members = read_json(decoded, dict)
    name = members.get("alg")
    # RFC 7797 §3, §6: the payload is not encoded, and who does not know that must not verify.
    if members.keys() != {"alg", "b64", "crit"} or members["b64"] is not False or members["crit"] != ["b64"]:
        raise unreadable("a proof whose JWS has another header")
    if not isinstance(name, str) or name not in Algorithm.__members__:
        raise unreadable("a proof by an algorithm that is not known")
    return header, Algorithm[name], signature


def _exact(text: str) -> bytes | None:
    """What base64url stands for; None for another spelling than the one that encoding gives."""
    try:
        found = jwk.decode(text)
    except ValueError:
        return None
    return found if jwk.encode(found) == text else None


def _verify(key: PublicKey, algorithm: Algorithm, signature: bytes, signed: bytes) -> bool:
    # RFC 7518 §3.4 has r and s side by side. WHO's service puts them in DER instead, which its verifier tries first.
    oid = _ECDSA_OIDS.get(algorithm)
    if oid is not None and algorithm.fits(key) and verify_oid(key, oid, b"", signature, signed):
        return True
    return algorithm.verify(key, signature, signed)


def key_of_jwk(members: Mapping[str, Any]) -> bytes:
    """The DER SubjectPublicKeyInfo of a JWK. Raises :class:`TrustError` (``CERTIFICATE_UNREADABLE``)."""
    used = {name: members[name] for name in _KEY_MEMBERS if name in members}
    if not all(isinstance(value, str) and len(value) <= _MAX_JWK_TEXT for value in used.values()):
        raise TrustError(Code.CERTIFICATE_UNREADABLE, "a member of the JWK is no text, or too long", Step.TRUST)
    return jwk.public_key_of_jwk(used)
