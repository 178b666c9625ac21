"""PathCheck: a registry of many frameworks' keys, gathered from other lists; unsigned, and good for finding keys.

Form: ``{framework: {name: {"status", "validFromDT", "validUntilDT", "credentialType", ...}}}`` with the key as
``publicKey`` (base64 of DER), ``publicKeyJwk``, or ``didDocument`` (a certificate or key in PEM, or a JWK). The name
is what certificates of the framework name the key by.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from healthcert.errors import Code, DecodeError, TrustError
from healthcert.fetch import Fetcher
from healthcert.lists import jwk
from healthcert.lists.publickeys import load_public_key
from healthcert.lists.reading import Rejected, read_json, unreadable
from healthcert.lists.x509 import parse_certificate
from healthcert.model import EntryType
from healthcert.trust.keys import TrustedKey
from healthcert.trust.sources.icao import authorities
from healthcert.trust.sources.plain import der_of, listed_key, moment_of, unsigned
from healthcert.trust.sources.protocol import (
    Authority,
    Context,
    Fetched,
    Known,
    TrustList,
    check_size,
    get,
    part,
    rejected,
)
from healthcert.trust.sources.shc import is_issuer, issuer_key, thumbprint_key

_PEM = {"CERTIFICATE", "PUBLIC KEY"}
_USAGES = {"t": EntryType.TEST, "v": EntryType.VACCINATION, "r": EntryType.RECOVERY}
_MAX_NAME = 1024

_Entry = TrustedKey | Authority | Rejected


class PathCheck:
    """See the module."""

    name = "pathcheck"
    title = "PathCheck: registry of keys of many frameworks, unsigned"
    parts = ("list",)
    anchored = False

    def load(self, parts: Mapping[str, bytes], context: Context) -> TrustList:
        document = read_json(part(parts, "list"), dict)
        if not document or not all(isinstance(entries, dict) for entries in document.values()):
            raise unreadable("not an object of frameworks with an object of entries each")
        check_size(sum(map(len, document.values())), context.limits)
        found: list[_Entry] = []
        for number, (framework, entries) in enumerate(document.items(), 1):
            # The names are the registry's own; any other is told by where it stands.
            label = framework if framework in (*_FRAMEWORKS, "ICAO") else f"framework {number}"
            if framework == "ICAO":
                found += _authorities(label, entries)
            elif framework in _FRAMEWORKS:
                found += (_key(f"{label} {n}", *entry, _FRAMEWORKS[framework]) for n, entry in _numbered(entries))
            elif entries:
                found.append(rejected(label, "not a framework whose keys are used here", Code.CONTENT_NOT_SUPPORTED))
        return unsigned(found)

    def fetch(self, fetcher: Fetcher, url: str, known: Known, context: Context) -> Fetched | None:
        body, validators = get(fetcher, url, known, context.limits)
        return None if body is None else Fetched({"list": body}, validators)


def _numbered(entries: Mapping[str, Any]) -> Iterator[tuple[int, tuple[str, Any]]]:
    return enumerate(entries.items(), 1)


def _key(where: str, name: str, item: Any, read: Callable[[str, str, dict[str, Any]], TrustedKey | Rejected]) -> _Entry:
    if problem := _problem(item):
        return rejected(where, problem)
    key = read(where, name, item)
    if isinstance(key, Rejected):
        return key
    # Where a certificate says when, the registry can only say less.
    starts = [moment for moment in (key.not_before, moment_of(item.get("validFromDT"))) if moment]
    ends = [moment for moment in (key.not_after, moment_of(item.get("validUntilDT"))) if moment]
    return replace(key, not_before=max(starts, default=None), not_after=min(ends, default=None))


def _problem(item: Any) -> str | None:
    """Why an entry is not used at all; None when it may be."""
    if not isinstance(item, dict):
        return "no object"
    if item.get("entityType", "issuer") != "issuer":
        return "not one that issues certificates"
    # The others are expired, terminated and revoked.
    return None if item.get("status") == "current" else "its status is not current"


def _dcc(where: str, name: str, item: dict[str, Any]) -> TrustedKey | Rejected:
    key = listed_key(where, name, _material(item))
    if isinstance(key, Rejected):
        return key
    types = item.get("credentialType")
    codes = types if isinstance(types, list) else []
    return key.limited_to([_USAGES[code] for code in codes if isinstance(code, str) and code in _USAGES])


def _shc(where: str, name: str, item: dict[str, Any]) -> TrustedKey | Rejected:
    issuer, _, kid = name.rpartition("#")
    if not is_issuer(issuer):
        return rejected(where, "its name is not an issuer's URL with a thumbprint")
    key = item.get("didDocument", item.get("publicKeyJwk"))
    if isinstance(key, dict) and "use" in key:
        found = issuer_key(where, issuer, key)
        # What the registry calls it, and what its key set does.
        return found if isinstance(found, Rejected) or found.kid == kid.encode("utf-8", "replace") else _misnamed(where)
    der = _material(item)
    return _misnamed(where) if der is None else thumbprint_key(where, issuer, kid, _spki(der))


def _misnamed(where: str) -> Rejected:
    return rejected(where, "its name is not the thumbprint of its key")


def _divoc(where: str, name: str, item: dict[str, Any]) -> TrustedKey | Rejected:
    did = name.partition("#")[0]
    if not did.startswith("did:") or not name.isascii() or not name.isprintable() or len(name) > _MAX_NAME:
        return rejected(where, "its name is not a DID")
    der = _material(item)
    if der is None:
        return rejected(where, "neither a certificate nor a public key")
    try:
        spki = jwk.key_bytes(load_public_key(_spki(der)))
    except TrustError as error:
        return Rejected(where, error)
    return TrustedKey(kid=name.encode(), spki=spki, domain="DIVOC", issuer=did)


_FRAMEWORKS = {"DCC": _dcc, "EUDCC": _dcc, "SHC": _shc, "SmartHealthCards": _shc, "DIVOC": _divoc}


def _authorities(label: str, entries: Mapping[str, Any]) -> Iterator[_Entry]:
    """ICAO: the authorities that vouch for the signers of seals; keys of other kinds there vouch for nothing."""
    read = []
    for number, (name, item) in _numbered(entries):
        where = f"{label} {number}"
        problem = _problem(item)
        der = None if problem else _material(item)
        if der is None or problem is not None:
            yield rejected(where, problem or "no certificate in it")
        elif problem := _misfit(name, der):
            yield rejected(where, problem)
        else:
            read.append((where, der))
    yield from authorities(read)


def _misfit(name: str, der: bytes) -> str | None:
    """Why a certificate is not the one of its name, which is its country and its key identifier in base64."""
    country, _, key_id = name.partition("#")
    try:
        certificate = parse_certificate(der)
    except TrustError:
        return "not a readable certificate, without which nothing vouches for others"
    # Countries have two letters or three; only the first can be compared.
    if len(country) == 2 and country != certificate.country:
        return "its country is not that of its certificate"
    return None if der_of(key_id) == (certificate.subject_key_id or b"") else "its name is not its key identifier"


def _material(item: dict[str, Any]) -> bytes | None:
    """The certificate or public key of an entry, in DER; the certificate where there is one."""
    given = item.get("didDocument", item.get("publicKeyJwk", item.get("publicKey")))
    if isinstance(given, str):
        return _pem(given) if "didDocument" in item else der_of(given)
    if not isinstance(given, dict):
        return None
    try:
        spki = jwk.public_key_of_jwk(given)
        if "x5c" not in given:
            return spki
        chain = given["x5c"]
        der = der_of(chain[0]) if isinstance(chain, list) and chain else None
        # RFC 7517 §4.7: the key in the first certificate is that of the JWK.
        return der if der is not None and jwk.key_bytes(load_public_key(_spki(der))) == spki else None
    except (TrustError, DecodeError):
        return None


def _pem(text: str) -> bytes | None:
    label, dashes, rest = text.strip().removeprefix("-----BEGIN ").partition("-----")
    body, end, after = rest.partition(f"-----END {label}-----")
    return der_of(body) if label in _PEM and dashes and end and not after.strip() else None


def _spki(der: bytes) -> bytes:
    """The key of a certificate, or the key that it is already."""
    try:
        return parse_certificate(der).spki
    except TrustError:
        return der
