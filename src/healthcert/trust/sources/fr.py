"""France: the list of TousAntiCovid Verif, and the form in which others hand it on.

Form: ``{"certificatesDCC": {kid: base64 of base64 of a DER certificate or public key}, ...}``. Handed on, it is an
object of kids alone, each with the public key and what its certificate said in words; the certificate is gone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from healthcert.fetch import Fetcher
from healthcert.lists.reading import Rejected, exact_base64, read_json, unreadable
from healthcert.trust.keys import TrustedKey
from healthcert.trust.sources.plain import der_of, fetch_with_token, listed_key, moment_of, unsigned
from healthcert.trust.sources.protocol import Context, Fetched, Known, TrustList, check_size, part, rejected

_INVENTED = ("2020-01-01", "2030-01-01")  # what was written for keys that had no certificate
_ALIASES = {"UK": "GB", "EL": "GR"}  # ISO 3166-1 has other codes for what these are used for
_COUNTRY = re.compile(r"(?:^|, ?)C=([A-Za-z]{2})(?=,|$)", re.ASCII)


class French:
    """See the module. The server asks for a token, the option ``token``."""

    name = "fr"
    title = "France (TousAntiCovid Verif): certificates and keys in JSON, unsigned"
    parts = ("list",)
    anchored = False

    def load(self, parts: Mapping[str, bytes], context: Context) -> TrustList:
        document = read_json(part(parts, "list"), dict)
        original = "certificatesDCC" in document
        items = document["certificatesDCC"] if original else document
        if not isinstance(items, dict):
            raise unreadable("its certificates are not an object")
        check_size(len(items), context.limits)
        # An answer that is something else altogether is no list without entries.
        if not original and not any(isinstance(item, dict) and "publicKeyPem" in item for item in items.values()):
            raise unreadable("it holds neither certificatesDCC nor keys with a publicKeyPem")
        entry = _original if original else _handed_on
        return unsigned(entry(f"entry {number}", *item) for number, item in enumerate(items.items(), 1))

    def fetch(self, fetcher: Fetcher, url: str, known: Known, context: Context) -> Fetched | None:
        return fetch_with_token(fetcher, url, known, context, "Bearer ")


def _original(where: str, kid: str, value: Any) -> TrustedKey | Rejected:
    inner = der_of(value)
    return listed_key(where, kid, inner and exact_base64(b"".join(inner.split())))


def _handed_on(where: str, kid: str, value: Any) -> TrustedKey | Rejected:
    if not isinstance(value, dict):
        return rejected(where, "no object")
    key = listed_key(where, kid, der_of(value.get("publicKeyPem")))
    if isinstance(key, Rejected) or key.certificate is not None:
        return key
    dates = value.get("notBefore"), value.get("notAfter")
    # Without a certificate, of which a fingerprint would tell, there was nobody to say from when to when.
    if dates == _INVENTED or not value.get("fingerprint"):
        return key
    start, end = map(moment_of, dates)
    return replace(key, country=_country(value.get("subject")), not_before=start, not_after=end)


def _country(subject: object) -> str | None:
    found: set[str] = set(_COUNTRY.findall(subject)) if isinstance(subject, str) else set()
    if len(found) != 1:
        return None
    country = found.pop().upper()
    return _ALIASES.get(country, country)
