"""SMART Health Cards: the key set of one issuer, and the directory of issuers that VCI kept.

An issuer is an https URL, under which it publishes its keys as a JWK set (SMART Health Cards, "Determining keys
associated with an issuer"). Its cards name it and the thumbprint of a key. A directory says which issuers there are; it
is unsigned, and so are the key sets.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from healthcert.encoding.algorithms import Algorithm
from healthcert.errors import Code, FetchError, Step, TrustError
from healthcert.fetch import Fetcher
from healthcert.lists import jwk
from healthcert.lists.publickeys import load_public_key
from healthcert.lists.reading import Rejected, read_json, unreadable
from healthcert.lists.x509 import parse_certificate
from healthcert.trust.keys import TrustedKey
from healthcert.trust.sources.plain import der_of, unsigned
from healthcert.trust.sources.protocol import Context, Fetched, Known, TrustList, check_size, get, part, rejected

DOMAIN = "SHC"
KEY_SET = "/.well-known/jwks.json"
# A host by name, so that no directory makes us ask a machine beside us; no user, query, fragment or slash at the end.
_ISSUER = re.compile(
    r"https://(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9](?::[0-9]{1,5})?(?:/[\w.~!$&'()*+,;=:@%-]+)*",
    re.ASCII | re.IGNORECASE,
)
_MAX_ISSUER = 1024


class Issuer:
    """The key set of one issuer, which the option ``issuer`` names; see the module."""

    name = "shc"
    title = "SMART Health Cards: the key set of one issuer, unsigned"
    parts = ("list",)
    anchored = False

    def load(self, parts: Mapping[str, bytes], context: Context) -> TrustList:
        return unsigned(_key_set(read_json(part(parts, "list"), dict), _option(context), context))

    def fetch(self, fetcher: Fetcher, url: str, known: Known, context: Context) -> Fetched | None:
        issuer = _option(context)
        # The address is the issuer itself, whose server speaks for it, or that of a copy, in full.
        if url and url != issuer and not url.endswith(".json"):
            raise unreadable("the address is neither the issuer nor that of a copy of its key set, ending in .json")
        address = url if url.endswith(".json") else issuer + KEY_SET
        body, validators = get(fetcher, address, known, context.limits)
        return None if body is None else Fetched({"list": body}, validators)


class Directory:
    """A directory of issuers, with one part ``jwks:<issuer>`` for the key set of each, or with these in it.

    Forms: ``{"participating_issuers": [{"iss", ...}]}``; and, as snapshots of it were kept,
    ``{"issuerInfo": [{"issuer": {"iss", ...}, "keys": [...]}]}``.
    """

    name = "vci"
    title = "SMART Health Cards: the directory of issuers that VCI kept, unsigned"
    parts = ("list",)
    anchored = False

    def load(self, parts: Mapping[str, bytes], context: Context) -> TrustList:
        entries: list[TrustedKey | Rejected] = []
        for where, issuer, given in _issuers(part(parts, "list"), context):
            try:
                if not is_issuer(issuer):
                    raise unreadable("not an https URL as issuers have it")
                name = f"jwks:{issuer}"
                if given is None and name not in parts:
                    raise unreadable("its key set is not there")
                keys = read_json(parts[name], dict) if given is None else given
                entries += [_located(where, entry) for entry in _key_set(keys, issuer, context)]
            except TrustError as error:
                entries.append(Rejected(where, error))
            check_size(len(entries), context.limits)
        return unsigned(entries)

    def fetch(self, fetcher: Fetcher, url: str, known: Known, context: Context) -> Fetched | None:
        limits = context.limits
        body, validators = get(fetcher, url, known if "list" in known.parts else Known(), limits)
        parts = {"list": known.parts["list"] if body is None else body}
        room = limits.list_bytes
        wanted = dict.fromkeys(issuer for _, issuer, keys in _issuers(parts["list"], context) if keys is None)
        if len(wanted) > limits.list_pages:
            raise FetchError(Code.FETCH_REFUSED, f"a directory of more than {limits.list_pages} issuers")
        for issuer in filter(is_issuer, wanted):
            name, address = f"jwks:{issuer}", issuer + KEY_SET
            etag = known.validators.get(address) if name in known.parts else None
            headers = {"If-None-Match": etag} if etag else {}
            try:
                response = fetcher.get(address, limit=max(0, min(limits.key_file_bytes, room)), headers=headers)
            except FetchError:
                # One issuer that cannot be reached is missing from the list, where reading it will say so.
                continue
            parts[name] = known.parts[name] if response.status == 304 else response.body
            room -= len(parts[name])
            if found := etag if response.status == 304 else response.headers.get("etag"):
                validators[address] = found
        return None if parts == dict(known.parts) else Fetched(parts, validators)


def is_issuer(text: object) -> bool:
    """Whether this is the URL of an issuer: https, without a slash at its end."""
    return isinstance(text, str) and len(text) <= _MAX_ISSUER and _ISSUER.fullmatch(text) is not None


def issuer_key(where: str, issuer: str, item: Any) -> TrustedKey | Rejected:
    """The key of an issuer's JWK (SMART Health Cards, "Determining keys associated with an issuer").

    Its dates stay unknown: the certificate that may come with it ends long before the cards that were signed with it
    do, and a key that is not to be believed any more is taken out of the set.
    """
    if not isinstance(item, dict):
        return rejected(where, "no object")
    # SHALL have kty, use, alg and crv as these; SHALL NOT have d, which public_key_of_jwk refuses.
    for member, wanted in (("kty", "EC"), ("use", "sig"), ("alg", "ES256"), ("crv", "P-256")):
        if item.get(member) != wanted:
            return rejected(where, f"{member} is not {wanted}")
    try:
        spki = jwk.public_key_of_jwk(item)
        certificate = _certificate(item["x5c"], issuer, spki) if "x5c" in item else None
    except TrustError as error:
        return Rejected(where, error)
    return thumbprint_key(where, issuer, item.get("kid"), spki, certificate)


def thumbprint_key(
    where: str, issuer: str, kid: object, spki: bytes, certificate: bytes | None = None
) -> TrustedKey | Rejected:
    """A key on P-256 that cards name by ``issuer`` and its thumbprint, which ``kid`` must be."""
    try:
        if not Algorithm.ES256.fits(load_public_key(spki)):
            return rejected(where, "not a key on P-256")
        # SHALL have kid equal to the thumbprint.
        if not isinstance(kid, str) or kid not in _thumbprints(spki):
            return rejected(where, "its kid is not its thumbprint")
    except TrustError as error:
        return Rejected(where, error)
    return TrustedKey(kid=kid.encode(), spki=spki, certificate=certificate, domain=DOMAIN, issuer=issuer)


def _thumbprints(spki: bytes) -> set[str]:
    """The thumbprint of a key (RFC 7638), and what software makes of it that drops a zero byte in front of x or y.

    RFC 7518 §6.2.1.2 has the zero byte stay. One in 128 keys has one, and issuers are known that go by the other kid;
    it is as much a fingerprint of the key.
    """
    members = jwk.jwk_of(spki)
    shorter = {name: jwk.encode(jwk.decode(members[name]).lstrip(b"\0")) for name in ("x", "y")}
    canonical = json.dumps(members | shorter, sort_keys=True, separators=(",", ":")).encode()
    return {jwk.thumbprint(spki), jwk.encode(hashlib.sha256(canonical).digest())}


def _certificate(chain: Any, issuer: str, spki: bytes) -> bytes:
    """The first certificate of ``x5c``, which is of this key and this issuer. Raises :class:`TrustError`."""
    der = der_of(chain[0]) if isinstance(chain, list) and chain else None
    certificate = parse_certificate(der or b"")
    # The key in the first certificate SHALL be that of the JWK.
    if jwk.key_bytes(load_public_key(certificate.spki)) != spki:
        raise TrustError(Code.CERTIFICATE_UNREADABLE, "its certificate is another key's", Step.TRUST)
    # "Certificates": a uniformResourceIdentifier of the subject's alternative names is the issuer.
    if issuer not in certificate.uris:
        raise TrustError(Code.CERTIFICATE_UNREADABLE, "its certificate is another issuer's", Step.TRUST)
    return certificate.der


def _key_set(document: dict[str, Any], issuer: str, context: Context) -> Iterator[TrustedKey | Rejected]:
    """The keys of a JWK set, or of one JWK alone."""
    keys = document.get("keys", [document] if "kty" in document else None)
    # RFC 7517 §5.1: the set is an array under this name.
    if not isinstance(keys, list):
        raise unreadable("not a JWK set")
    check_size(len(keys), context.limits)
    return (issuer_key(f"key {number}", issuer, item) for number, item in enumerate(keys, 1))


def _issuers(data: bytes, context: Context) -> Iterator[tuple[str, Any, dict[str, Any] | None]]:
    """Where each issuer stands, its URL as it is given, and its keys where the directory has them."""
    document = read_json(data, dict)
    snapshot = "issuerInfo" in document
    items = document.get("issuerInfo" if snapshot else "participating_issuers")
    if not isinstance(items, list):
        raise unreadable("it has no array of issuers")
    check_size(len(items), context.limits)
    for number, item in enumerate(items, 1):
        about = item.get("issuer") if snapshot and isinstance(item, dict) else item
        issuer = about.get("iss") if isinstance(about, dict) else None
        keys = {"keys": item.get("keys")} if snapshot and isinstance(item, dict) else None
        yield f"issuer {number}", issuer if isinstance(issuer, str) else "", keys


def _located(where: str, entry: TrustedKey | Rejected) -> TrustedKey | Rejected:
    return Rejected(f"{where}, {entry.source}", entry.error) if isinstance(entry, Rejected) else entry


def _option(context: Context) -> str:
    issuer = context.options.get("issuer")
    if not is_issuer(issuer):
        detail = "issuer: the https URL that cards name, without a slash at its end"
        raise TrustError(Code.TRUST_CONFIG_INVALID, detail, Step.TRUST)
    assert issuer is not None
    return issuer
