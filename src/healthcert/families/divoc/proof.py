"""The proof of a DIVOC document (Linked Data Proofs 1.0; suites RsaSignature2018 and Ed25519Signature2018)."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from healthcert.encoding import jsonld, jsontext
from healthcert.encoding.algorithms import Algorithm
from healthcert.encoding.jsonld import CREDENTIALS_V1, SECURITY_V2
from healthcert.errors import Code, DecodeError, Step
from healthcert.families.divoc.document import BLANK_NODES, CONTEXTS, PROOF_OPTIONS, is_identifier, proof_options
from healthcert.model import Private

# The suites, and the one algorithm that is signed with under each. RsaSignature2018 was RS256 in its draft; what
# DIVOC's library writes under that name, and what is checked in the field, is PS256 (with a salt of 32 bytes).
SUITES = {"RsaSignature2018": Algorithm.PS256, "Ed25519Signature2018": Algorithm.EdDSA}
PURPOSE = "assertionMethod"

_ALG = re.compile(r"[A-Za-z0-9-]{1,16}")
_HEADER_DEPTH = 4
_LONGEST = 1024  # characters of a verificationMethod


class Proof(Private, frozen=True):
    """A proof taken apart. ``algorithm`` is None where the header names another than the suite's."""

    algorithm: Algorithm | None
    label: str
    method: str
    purpose: str
    header: Mapping[str, Any]
    protected: str
    signature: bytes
    options: Mapping[str, Any]


def read_proof(document: Mapping[str, Any]) -> Proof:
    """The proof of a document. Raises :class:`DecodeError` (``JWS_DESERIALIZATION_FAILED``,
    ``CRITICAL_HEADER_UNKNOWN``) for one that is not of the form that DIVOC writes."""
    proof = document.get("proof")
    if not isinstance(proof, dict) or not all(isinstance(proof.get(name), str) for name in (*PROOF_OPTIONS, "jws")):
        raise _error(f"no proof with the texts {', '.join(PROOF_OPTIONS)} and jws")
    if any(name.startswith("@") or ":" in name for name in proof):
        raise _error("a proof with a keyword of JSON-LD in it")
    # The security vocabulary knows more options (domain, challenge, expires). DIVOC has none, and none is judged here.
    if len(proof) > len(PROOF_OPTIONS) + 1:
        raise _error("a proof with options that DIVOC does not have")
    # What is no URI is not in the canonical form: the key would be anybody's to name.
    method = proof["verificationMethod"]
    if not is_identifier(method) or not method.isascii() or len(method) > _LONGEST:
        raise _error("verificationMethod: not a URI")
    protected, header, signature = _jws(proof["jws"])
    suite = SUITES.get(proof["type"])
    alg = header.get("alg")
    label = alg if isinstance(alg, str) and _ALG.fullmatch(alg) else "unreadable"
    return Proof(
        algorithm=suite if suite is not None and suite.name == alg else None,
        label=label if suite is not None else f"{label} in an unknown suite",
        method=method,
        purpose=proof["proofPurpose"],
        header=header,
        protected=protected,
        signature=signature,
        options=proof_options(proof),
    )


def signing_input(document: Mapping[str, Any], options: Mapping[str, Any], protected: str) -> bytes:
    """What the signature is over (RFC 7797 §5.2): the header, a dot, and the digests of options and document.

    Raises :class:`DecodeError`: ``CANONICALIZATION_FAILED``, and ``EXTRA_MISSING`` where PyLD is not installed.
    """
    bare = {name: value for name, value in document.items() if name != "proof"}
    try:
        # Linked Data Proofs 1.0 §5.3: the options first.
        form = jsonld.canonical(options, contexts=(SECURITY_V2,), blank_nodes=1)
        digests = sha256(form).digest()
        contexts = (CREDENTIALS_V1, *CONTEXTS)
        form = jsonld.canonical(bare, contexts=contexts, blank_nodes=BLANK_NODES, loose=True)
    except DecodeError as error:
        if error.code is not Code.EXTRA_MISSING:
            raise
        detail = "a DIVOC certificate is verified over JSON-LD, which takes: pip install 'healthcert[divoc]'"
        raise DecodeError(Code.EXTRA_MISSING, detail, Step.DECODE) from None
    return protected.encode() + b"." + digests + sha256(form).digest()


def _jws(text: str) -> tuple[str, Mapping[str, Any], bytes]:
    """Header and signature of a JWS with detached content (RFC 7797 §5.2: nothing between the dots)."""
    match text.split(".", 3):
        case [protected, "", signature]:
            pass
        case _:
            raise _error("jws: not a header, nothing and a signature with dots between them")
    header = jsontext.read(_decoded(protected), max_depth=_HEADER_DEPTH, code=Code.JWS_DESERIALIZATION_FAILED)
    if not isinstance(header, dict):
        raise _error("jws: its header is no object")
    # RFC 7797 §6: b64 is false, and crit says that it has to be understood; nothing else in crit is.
    if header.get("crit") != ["b64"]:
        raise DecodeError(Code.CRITICAL_HEADER_UNKNOWN, "jws: crit lists something else than b64", Step.DECODE)
    if header.get("b64") is not False:
        raise _error("jws: its content is not detached as RFC 7797 has it (b64 is not false)")
    # RFC 7515 §2 has no padding; one writer of test cards puts it there.
    return protected, header, _decoded(signature.rstrip("=") if len(signature) % 4 == 0 else signature)


def _decoded(text: str) -> bytes:
    """What base64url stands for; one spelling only."""
    try:
        data = text.encode("ascii")
        found = base64.b64decode(data + b"=" * (-len(data) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise _error("jws: not base64url") from None
    # RFC 4648 §3.5: bits left over in the last character would make several texts of one.
    if base64.urlsafe_b64encode(found).rstrip(b"=") != data:
        raise _error("jws: not base64url as RFC 7515 has it")
    return found


def _error(detail: str) -> DecodeError:
    return DecodeError(Code.JWS_DESERIALIZATION_FAILED, detail, Step.DECODE)
