"""The United Kingdom and Norway: bare public keys under their kids, in JSON that nobody signed.

Form: ``[{"kid": base64, "publicKey": base64 of a DER SubjectPublicKeyInfo}]``. Nothing vouches for such a
list but the name of the server that it was fetched from; a checksum that comes with it is made by whoever made it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from healthcert.errors import Code, Step, TrustError
from healthcert.fetch import Fetcher
from healthcert.lists import jwk
from healthcert.lists.publickeys import load_public_key
from healthcert.lists.reading import Rejected, exact_base64, read_json
from healthcert.lists.x509 import parse_certificate
from healthcert.trust.certificates import read_certificate
from healthcert.trust.keys import Assurance, TrustedKey
from healthcert.trust.sources.protocol import Authority, Context, Fetched, Known, TrustList, check_size, part, rejected

DOMAIN = "DCC"
_MAX_KID = 44  # characters; a whole SHA-256 has as many
_TOKEN = re.compile(r"[!-~]{1,4096}( [!-~]{1,4096})?", re.ASCII)


class _Plain:
    parts = ("list",)
    anchored = False

    def load(self, parts: Mapping[str, bytes], context: Context) -> TrustList:
        items = read_json(part(parts, "list"), list)
        check_size(len(items), context.limits)
        return unsigned(_entry(number, item) for number, item in enumerate(items, 1))

    def fetch(self, fetcher: Fetcher, url: str, known: Known, context: Context) -> Fetched | None:
        return fetch_with_token(fetcher, url, known, context)


class British(_Plain):
    """See the module."""

    name = "gb"
    title = "United Kingdom (NHS): public keys in JSON, unsigned"


class Norwegian(_Plain):
    """See the module. Its server asks for a token, the option ``token``."""

    name = "no"
    title = "Norway: public keys in JSON, unsigned"


def _entry(number: int, item: Any) -> TrustedKey | Rejected:
    where = f"entry {number}"
    if not isinstance(item, dict):
        return rejected(where, "no object")
    return listed_key(where, item.get("kid"), der_of(item.get("publicKey")))


def listed_key(where: str, kid: object, der: bytes | None) -> TrustedKey | Rejected:
    """A DSC or a bare public key in DER that stands under ``kid`` in a list of the EU DCC.

    The kid of a certificate is its own; that of a bare key has to be taken as it is given.
    """
    stated = kid_of_text(kid)
    if stated is None:
        return rejected(where, "its kid is not base64 of a few bytes")
    if der is None:
        return rejected(where, "neither a certificate nor a public key in base64")
    try:
        if not _is_certificate(der):
            # Written anew, so that one key has one spelling.
            return TrustedKey(kid=stated, spki=jwk.key_bytes(load_public_key(der)), domain=DOMAIN)
        key = read_certificate(der)
    except TrustError as error:
        return Rejected(where, error)
    # HCERT specification, Appendix A.1: a kid that is another certificate's leads to the wrong key, or to none.
    if stated != key.kid:
        return rejected(where, "its kid is not that of its certificate")
    return key.within(DOMAIN)


def kid_of_text(kid: object) -> bytes | None:
    """The bytes of a kid in base64 or base64url, padded or not; None for anything else.

    They are eight where there is a certificate. The first British keys, which never had one, go by names of six and
    seven letters.
    """
    if not isinstance(kid, str) or len(kid) > _MAX_KID:
        return None
    try:
        return jwk.decode(kid) or None
    except ValueError:
        return None


def der_of(text: object) -> bytes | None:
    """What base64 stands for, lines and spaces between it aside; None where there is none."""
    return exact_base64("".join(text.split())) or None if isinstance(text, str) else None


def moment_of(text: object) -> datetime | None:
    """A moment in ISO 8601; None for what is none (2021-02-29), for then it is not known."""
    try:
        moment = datetime.fromisoformat(text) if isinstance(text, str) else None
        return moment and (moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC))
    except (ValueError, OverflowError):
        return None


def unsigned(entries: Iterable[TrustedKey | Authority | Rejected], *more: Rejected) -> TrustList:
    """The list that entries make for which nothing vouches but the server's name; ``more`` are skipped as well."""
    found = list(entries)
    return TrustList(
        keys=tuple(entry for entry in found if isinstance(entry, TrustedKey)),
        authorities=tuple(entry for entry in found if isinstance(entry, Authority)),
        skipped=(*(entry for entry in found if isinstance(entry, Rejected)), *more),
        assurance=Assurance.TLS_ONLY,
    )


def fetch_with_token(fetcher: Fetcher, url: str, known: Known, context: Context, scheme: str = "") -> Fetched | None:
    """The one part of a list whose server asks for a token, the option ``token``; it is sent only where it is set.

    Raises :class:`TrustError` (``TRUST_CONFIG_INVALID``) for a token that cannot stand in a header, which is not shown.
    """
    headers = {}
    if (token := context.options.get("token")) is not None:
        if not _TOKEN.fullmatch(token):
            raise TrustError(
                Code.TRUST_CONFIG_INVALID, "token: visible ASCII characters, one space at most", Step.TRUST
            )
        headers["Authorization"] = scheme + token
    if "list" in known.parts and (etag := known.validators.get(url)):
        headers["If-None-Match"] = etag
    response = fetcher.get(url, limit=context.limits.list_bytes, headers=headers)
    if response.status == 304:
        return None
    found = response.headers.get("etag")
    return Fetched({"list": response.body}, {url: found} if found else {})


def _is_certificate(der: bytes) -> bool:
    try:
        parse_certificate(der)
    except TrustError:
        return False
    return True
