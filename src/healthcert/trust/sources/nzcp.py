"""New Zealand: the DID document of the issuer of My Vaccine Passes (NZ COVID Pass), unsigned.

Which issuer is trusted is a constant of the specification; passes name it, and one of the methods that its document
lists for assertions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from healthcert.encoding.algorithms import Algorithm
from healthcert.errors import Code, Step, TrustError
from healthcert.fetch import Fetcher
from healthcert.lists import jwk
from healthcert.lists.publickeys import load_public_key
from healthcert.lists.reading import Rejected, read_json, unreadable
from healthcert.trust.keys import TrustedKey
from healthcert.trust.sources.did import url_of
from healthcert.trust.sources.plain import unsigned
from healthcert.trust.sources.protocol import Context, Fetched, Known, TrustList, check_size, get, part, rejected

DOMAIN = "NZCP"
ISSUER = "did:web:nzcp.identity.health.nz"
"""The issuer of production (NZ COVID Pass, "Trusted Issuers")."""
_MAX_FRAGMENT = 256


class NewZealand:
    """See the module. The option ``issuer`` is another DID than that of production, such as the one for tests."""

    name = "nzcp"
    title = "New Zealand: DID document of the issuer of passes, unsigned"
    parts = ("list",)
    anchored = False

    def load(self, parts: Mapping[str, bytes], context: Context) -> TrustList:
        issuer = _issuer(context)
        _address(issuer)
        document = read_json(part(parts, "list"), dict)
        # NZ COVID Pass, "Steps to verify": the document is that of the issuer that is trusted.
        if document.get("id") != issuer:
            raise unreadable("the DID document of another issuer")
        methods, allowed = document.get("verificationMethod"), document.get("assertionMethod")
        if not isinstance(methods, list) or not isinstance(allowed, list):
            raise unreadable("a DID document without verificationMethod or assertionMethod")
        check_size(len(methods), context.limits)
        check_size(len(allowed), context.limits)
        names = {name for name in allowed if isinstance(name, str)}
        found = {
            method.get("id") for method in methods if isinstance(method, dict) and isinstance(method.get("id"), str)
        }
        entries = [_entry(f"method {number}", item, issuer, names) for number, item in enumerate(methods, 1)]
        missing = (rejected("assertionMethod", "a method that is not there") for name in names if name not in found)
        return unsigned([*entries, *missing])

    def fetch(self, fetcher: Fetcher, url: str, known: Known, context: Context) -> Fetched | None:
        address = url if url and not url.startswith("did:") else _address(url or _issuer(context))
        body, validators = get(fetcher, address, known, context.limits)
        return None if body is None else Fetched({"list": body}, validators)


def _issuer(context: Context) -> str:
    return context.options.get("issuer", ISSUER)


def _address(did: str) -> str:
    try:
        return url_of(did)
    except TrustError:
        raise TrustError(
            Code.TRUST_CONFIG_INVALID, f"issuer: a DID of the web; for example {ISSUER}", Step.TRUST
        ) from None


def _entry(where: str, method: Any, issuer: str, allowed: set[str]) -> TrustedKey | Rejected:
    if not isinstance(method, dict) or not isinstance(method.get("publicKeyJwk"), dict):
        return rejected(where, "no method with a publicKeyJwk")
    name, key = method.get("id"), method["publicKeyJwk"]
    # DID Core §5.3.2: what a method may be used for, the document says apart from it.
    if not isinstance(name, str) or name not in allowed:
        return rejected(where, "not listed under assertionMethod")
    did, _, fragment = name.partition("#")
    # NZ COVID Pass: passes name a method by the issuer and its fragment, so that another's can never be meant.
    if did != issuer or not 0 < len(fragment) <= _MAX_FRAGMENT or not fragment.isascii():
        return rejected(where, "its name is not the issuer's with a fragment")
    if method.get("controller") != issuer:
        return rejected(where, "another one controls it")
    # NZ COVID Pass, "DID Document": JsonWebKey2020 with an EC key on P-256.
    if method.get("type") != "JsonWebKey2020":
        return rejected(where, "its type is not JsonWebKey2020")
    if key.get("use", "sig") != "sig" or key.get("alg", "ES256") != "ES256":
        return rejected(where, "its key is for something else")
    try:
        spki = jwk.public_key_of_jwk(key)
        if not Algorithm.ES256.fits(load_public_key(spki)):
            return rejected(where, "not a key on P-256")
    except TrustError as error:
        return Rejected(where, error)
    return TrustedKey(kid=fragment.encode(), spki=spki, domain=DOMAIN, issuer=issuer)
