"""A visible digital seal as JSON: ``{"data": {"hdr", "msg"}, "sig": {"alg", "cer", "sigvl"}}`` (ICAO VDS-NC, 1.x).

What is signed is the canonical form (RFC 8785) of ``data``. The certificate of the signer comes along in ``sig``; who
vouches for that, the trust store says.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Container, Iterator, Mapping
from functools import lru_cache
from hashlib import sha256
from typing import Any

from msgspec.structs import replace

from healthcert.encoding import jcs, jsontext
from healthcert.encoding.algorithms import Algorithm
from healthcert.encoding.cwt import Claims
from healthcert.errors import Code, DecodeError, Step
from healthcert.families.protocol import Decoded, Finding, Layer
from healthcert.families.shapes import shape_of
from healthcert.families.vds_nc.content import FAMILY, TYPES, VERSION, read_seal
from healthcert.limits import Limits
from healthcert.model import EntryType, HealthCertificate

_KID_SIZE = 8  # bytes of the certificate's SHA-256
_MAX_READ = 256  # certificates that are remembered; a signer makes many seals
_FREQUENT = 8 * 1024  # characters of one worth remembering
# ICAO Doc 9303-3 §5: three capital letters; Germany has one.
_STATE = re.compile(r"[A-Z]{3}|D")
_LABEL = re.compile(r"[A-Za-z0-9_-]{1,16}")


class VisibleDigitalSeal:
    """The family of seals: ``icao.vacc`` and ``icao.test``."""

    name = FAMILY
    kinds = (FAMILY,)

    def recognises(self, text: str) -> bool:
        shape = shape_of(text)
        return shape is not None and shape.icao_type is not None

    def decode(self, text: str, limits: Limits) -> Decoded:
        seal = _read(text, limits)
        data, signature = seal.get("data"), seal.get("sig")
        if not isinstance(data, dict) or not isinstance(signature, dict):
            raise _error(Code.JSON_DESERIALIZATION_FAILED, "no data and sig that are objects")
        issuer = _issuer(data.get("hdr"))
        certificate, kid = _certificate(signature.get("cer"))
        alg = signature.get("alg")
        algorithm = _BY_NAME.get(alg) if isinstance(alg, str) else None
        label = alg if isinstance(alg, str) and _LABEL.fullmatch(alg) else "none" if alg is None else "unreadable"
        findings: tuple[Finding, ...] = ()
        # ICAO VDS-NC, data structure: these members and no others. What is not signed is not looked at.
        if seal.keys() > _SEAL or signature.keys() > _SIGNATURE:
            findings = (_UNSIGNED,)
        return Decoded(
            family=self,
            kinds=_KINDS,
            kid=kid,
            algorithm=algorithm,
            algorithm_label=label,
            signed=jcs.canonical(data),
            signature=_signature(signature.get("sigvl")),
            claims=_NO_CLAIMS if issuer is None else replace(_NO_CLAIMS, issuer=issuer),
            content=data,
            findings=findings,
            algorithms=ALGORITHMS,
            domains=_DOMAINS,
            certificate=certificate,
        )

    def layers(self, text: str, limits: Limits) -> Iterator[Layer]:
        seal = _read(text, limits)
        signature = seal.get("sig")
        yield Layer("JSON", len(text), {"sig": signature if isinstance(signature, dict) else {}})
        data = seal.get("data")
        canonical = jcs.canonical(data)
        yield Layer("canonical JSON", len(canonical), data if isinstance(data, dict) else {})

    def check_signer(self, decoded: Decoded) -> str | None:
        # ICAO VDS-NC, header: the issuing state is named by a code of Doc 9303-3.
        if decoded.claims.issuer is None or not _STATE.fullmatch(decoded.claims.issuer):
            return "data.hdr.is: no code of a state (three letters)"
        return None

    def entry_types(self, decoded: Decoded) -> frozenset[EntryType]:
        return frozenset((TYPES[decoded.content["hdr"]["t"]],))

    def parse(self, decoded: Decoded, kinds: Container[str]) -> tuple[HealthCertificate, tuple[Finding, ...]]:
        return read_seal(decoded.content)


VDS_NC = VisibleDigitalSeal()

_KINDS = (FAMILY,)
_DOMAINS = frozenset(("ICAO",))
# ICAO VDS-NC, signature: ECDSA, by the names of JOSE.
ALGORITHMS = frozenset((Algorithm.ES256, Algorithm.ES384, Algorithm.ES512))
_BY_NAME = {algorithm.name: algorithm for algorithm in ALGORITHMS}
_SEAL, _SIGNATURE = frozenset(("data", "sig")), frozenset(("alg", "cer", "sigvl"))
# A seal does not say when it was made, nor until when it holds: its signer's certificate ends it.
_NO_CLAIMS = Claims(None, None, None, None, (), (), {})
_UNSIGNED = Finding(Code.FIELD_UNEXPECTED, Step.DECODE, "members beside data and sig, or in sig, that nothing signs")


def _read(text: str, limits: Limits) -> Mapping[str, Any]:
    """The object of the seal, alone or as the only one in an array, as some write it."""
    value = jsontext.read(text, max_depth=limits.json_depth)
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if not isinstance(value, dict):
        raise _error(Code.JSON_DESERIALIZATION_FAILED, "no JSON object")
    return value


def _issuer(header: object) -> str | None:
    """Who the seal says that it is of, once its type and version are known to be ones that are read here."""
    if not isinstance(header, dict):
        raise _error(Code.JSON_DESERIALIZATION_FAILED, "no data.hdr that is an object")
    kind, version, issuer = header.get("t"), header.get("v"), header.get("is")
    if not isinstance(kind, str) or not kind.startswith("icao."):
        raise _error(Code.JSON_DESERIALIZATION_FAILED, "data.hdr.t: no type of a seal")
    if kind not in TYPES:
        raise _error(Code.FAMILY_NOT_SUPPORTED, "a visible digital seal that is no proof of vaccination or testing")
    # ICAO VDS-NC, header: each kind counts its versions; 1 is the only one there is.
    if version != VERSION or isinstance(version, bool):
        raise _error(Code.UNSUPPORTED_VERSION, "a version of the seal that is not supported")
    return issuer if isinstance(issuer, str) else None


def _certificate(text: object) -> tuple[bytes, bytes]:
    """The signer's certificate, in DER, and the kid by which keys are found that an operator added."""
    read = _remembered if isinstance(text, str) and len(text) <= _FREQUENT else _read_certificate
    if not isinstance(text, str) or (found := read(text)) is None:
        raise _error(Code.JSON_DESERIALIZATION_FAILED, "sig.cer: no certificate in base64url")
    return found


def _read_certificate(text: str) -> tuple[bytes, bytes] | None:
    # ICAO VDS-NC, signature: base64url of DER; some write plain base64.
    found = _exact(text, plain=True)
    return (found, sha256(found).digest()[:_KID_SIZE]) if found else None


_remembered = lru_cache(_MAX_READ)(_read_certificate)


def _signature(text: object) -> bytes:
    # ICAO VDS-NC, signature: base64url (RFC 4648 §5) of r and s.
    found = _exact(text)
    if found is None:
        raise _error(Code.JSON_DESERIALIZATION_FAILED, "sig.sigvl: no signature in base64url")
    return found


def _exact(text: object, *, plain: bool = False) -> bytes | None:
    """What base64url stands for, or base64 where ``plain`` allows it, with padding or without; None for any other."""
    if not isinstance(text, str) or not text.isascii():
        return None
    bare = text.rstrip("=")
    padding = -len(bare) % 4
    if "+" in bare or "/" in bare:
        if not plain:
            return None
    else:
        bare = bare.replace("-", "+").replace("_", "/")
    if len(text) - len(bare) not in (0, padding):
        return None
    try:
        found = binascii.a2b_base64(bare + "=" * padding, strict_mode=True)
    except ValueError:
        return None
    # RFC 4648 §3.5: bits left over in the last character would give one value several spellings.
    rest = len(found) % 3
    if rest and not bare.endswith(binascii.b2a_base64(found[-rest:], newline=False).decode().rstrip("=")):
        return None
    return found


def _error(code: Code, detail: str) -> DecodeError:
    return DecodeError(code, detail, Step.DECODE)
