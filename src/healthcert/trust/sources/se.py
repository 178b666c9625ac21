"""Sweden: the DSC trust list of DIGG (version 1.0.0, 2021-05-28), JSON Web Keys by country in a signed token."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from healthcert.errors import TrustError
from healthcert.fetch import Fetcher
from healthcert.lists.anchors import need_anchors
from healthcert.lists.chain import chained_token
from healthcert.lists.jwk import decode, public_key_of_jwk
from healthcert.lists.publickeys import load_public_key
from healthcert.lists.reading import Rejected, as_moment, is_country, not_authentic, read_json, unreadable
from healthcert.lists.x509 import USAGE_OF
from healthcert.model import EntryType
from healthcert.trust.certificates import read_certificate
from healthcert.trust.keys import Assurance, TrustedKey
from healthcert.trust.sources.protocol import Context, Fetched, Known, TrustList, check_size, get, part, rejected

DOMAIN = "DCC"
_SKEW = timedelta(seconds=300)


class Swedish:
    """See the module."""

    name = "se"
    title = "Sweden (DIGG): JSON Web Keys by country, in a signed token"
    parts = ("list",)
    anchored = True

    def load(self, parts: Mapping[str, bytes], context: Context) -> TrustList:
        payload, signer = chained_token(
            part(parts, "list").strip(), need_anchors(context.anchors, context.now), context.now
        )
        claims = read_json(payload, dict)
        # DSC-TL §2.2: iat, exp and the list must be there.
        issued_at, expires_at = as_moment(claims.get("iat")), as_moment(claims.get("exp"))
        countries = claims.get("dsc_trust_list")
        if issued_at is None or expires_at is None or not isinstance(countries, dict):
            raise unreadable("iat, exp or dsc_trust_list is missing or wrong")
        if issued_at > context.now + _SKEW:
            raise not_authentic("the list is signed at a time that has not come")
        check_size(len(countries) + sum(len(_keys_of(held) or ()) for held in countries.values()), context.limits)
        entries = [entry for country, held in countries.items() for entry in _entries(country, held)]
        return TrustList(
            keys=tuple(entry for entry in entries if isinstance(entry, TrustedKey)),
            skipped=tuple(entry for entry in entries if isinstance(entry, Rejected)),
            assurance=Assurance.SIGNED_LIST,
            counter=claims["iat"],
            issued_at=issued_at,
            expires_at=expires_at,
            signer=signer,
            signed=hashlib.sha256(payload).digest(),
        )

    def fetch(self, fetcher: Fetcher, url: str, known: Known, context: Context) -> Fetched | None:
        body, validators = get(fetcher, url, known, context.limits)
        return None if body is None else Fetched({"list": body}, validators)


def _keys_of(held: Any) -> list[Any] | None:
    keys = held.get("keys") if isinstance(held, dict) else None
    return keys if isinstance(keys, list) else None


def _entries(country: str, held: Any) -> Iterator[TrustedKey | Rejected]:
    keys = _keys_of(held)
    if not is_country(country):
        yield rejected("a country", "its code is not of two capital letters")
        return
    # DSC-TL §2.2.1: beside the keys, which usages each kid is limited to.
    listed = {} if keys is None else held.get("eku", {})
    if keys is None or not isinstance(listed, dict):
        yield rejected(f"country {country}", "no array of keys in it, or eku is no object")
        return
    usages = _by_kid(listed)
    for number, item in enumerate(keys, 1):
        yield _entry(f"country {country}, key {number}", country, item, usages)


def _entry(where: str, country: str, item: Any, usages: Mapping[bytes, list[Any]]) -> TrustedKey | Rejected:
    chain = item.get("x5c") if isinstance(item, dict) else None
    if not isinstance(chain, list) or not chain or not isinstance(chain[0], str):
        return rejected(where, "no certificate in it")
    try:
        # DSC-TL §2.2.2: the certificate is what counts. Its padding is missing in some lists.
        key = read_certificate(decode(chain[0]))
        same = load_public_key(public_key_of_jwk(item)) == key.public_key
    except ValueError:
        return rejected(where, "neither DER nor base64")
    except TrustError as error:
        return Rejected(where, error)
    if not same:
        return rejected(where, "the key is not that of its certificate")
    if key.country != country:
        return rejected(where, "its certificate is another country's")
    kid = item.get("kid")
    # A kid that is another certificate's would never be looked for, or lead to the wrong key.
    if not isinstance(kid, str) or _decoded(kid) != key.kid:
        return rejected(where, "its kid is not that of its certificate")
    # Of two that are listed for one kid nobody could tell which is meant.
    given = usages.get(key.kid, [[]])
    if len(given) != 1:
        return rejected(where, "its usages are listed twice")
    listed = given[0]
    if not isinstance(listed, list) or not all(isinstance(oid, str) for oid in listed):
        return rejected(where, "its usages are no array of object identifiers")
    # HCERT specification, Appendix A.4: where one of the OIDs is there, no other entry type may be signed.
    limits: set[EntryType] = {USAGE_OF[oid] for oid in listed if oid in USAGE_OF}
    return (key.limited_to(limits) if limits else key).within(DOMAIN)


def _by_kid(listed: Mapping[str, Any]) -> dict[bytes, list[Any]]:
    """What is listed for each kid, however that is spelled: in base64 or base64url, with padding or without."""
    found: dict[bytes, list[Any]] = {}
    for text, usages in listed.items():
        if (kid := _decoded(text)) is not None:
            found.setdefault(kid, []).append(usages)
    return found


def _decoded(kid: str) -> bytes | None:
    try:
        return decode(kid)
    except ValueError:
        return None
