"""Lists that the tests of the store sign: Austria's (numbered, with an end), Germany's (neither), and bundles."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from healthcert.issue.pki import KeyPair, new_csca, new_dsc
from healthcert.lists.anchors import Environment, TrustAnchor
from healthcert.lists.x509 import parse_certificate
from healthcert.publish import austrian, german
from healthcert.publish.bundle import export_bundle
from healthcert.trust.store import TrustStore
from healthcert.trust.update import Feed
from tests.support import DAY, NOW

HOUR = timedelta(hours=1)


@cache
def authority(country: str) -> KeyPair:
    return new_csca(country, "CSCA", now=NOW - 90 * DAY)


@cache
def signer_of_lists() -> KeyPair:
    return new_dsc(authority("AT"), "List signer", now=NOW - 90 * DAY)


@cache
def dsc_of(country: str, number: int) -> bytes:
    return new_dsc(authority(country), f"DSC {number}", now=NOW - 90 * DAY).certificate_der()


def dscs(**counts: int) -> list[bytes]:
    """So many signing certificates of each country: ``dscs(FR=3, AT=1)``."""
    return [dsc_of(country, number) for country, count in counts.items() for number in range(count)]


def anchor(of: KeyPair | None = None) -> TrustAnchor:
    certificate = parse_certificate((of or signer_of_lists()).certificate_der())
    return TrustAnchor("the signer of lists", certificate.spki, certificate.der)


def feed(format_: str, **changes: Any) -> Feed:
    return Feed(**{"name": format_, "format": format_, "anchors": (anchor(),)} | changes)


def numbered(certificates: list[bytes], at: datetime, *, life: timedelta = 48 * HOUR) -> Mapping[str, bytes]:
    """A list that says its number and its end, as Austria's does."""
    return austrian.publish(certificates, signer_of_lists().signer(), issued_at=at, expires_at=at + life)


def unnumbered(certificates: list[bytes], at: datetime) -> Mapping[str, bytes]:
    """A list that has neither, as Germany's; its newest item is of that moment."""
    return german.publish(certificates, signer_of_lists().signer(), issued_at=at)


def unsigned(certificates: list[bytes]) -> Mapping[str, bytes]:
    """A list that nothing but its server vouches for, as Britain's."""
    found = [parse_certificate(der) for der in certificates]
    entries = [
        {"kid": base64.b64encode(one.kid).decode(), "publicKey": base64.b64encode(one.spki).decode()} for one in found
    ]
    return {"list": json.dumps(entries).encode()}


def undated(certificates: list[bytes]) -> Mapping[str, bytes]:
    """A list of certificates that tells no time at all, as France's."""
    twice = {base64.b64encode(parse_certificate(der).kid).decode(): base64.b64encode(der) for der in certificates}
    inner = {kid: base64.b64encode(text).decode() for kid, text in twice.items()}
    return {"list": json.dumps({"certificatesDCC": inner}).encode()}


def authorities_alone() -> Mapping[str, bytes]:
    """A registry with a CSCA in it and no key that signs health certificates."""
    entry = {"status": "current", "entityType": "issuer", "didDocument": authority("FR").certificate_pem().decode()}
    key_id = base64.b64encode(parse_certificate(authority("FR").certificate_der()).subject_key_id or b"").decode()
    return {"list": json.dumps({"ICAO": {f"FR#{key_id}": entry}}).encode()}


def narrowing(certificates: list[bytes]) -> Mapping[str, bytes]:
    """An unsigned registry in which these keys ended long ago."""
    found = [parse_certificate(der) for der in certificates]
    ended = {"status": "current", "validUntilDT": "2020-01-01T00:00:00Z"}
    return {
        "list": json.dumps(
            {
                "DCC": {
                    base64.b64encode(one.kid).decode(): ended | {"publicKey": base64.b64encode(one.spki).decode()}
                    for one in found
                }
            }
        ).encode()
    }


def emptied() -> Mapping[str, bytes]:
    """Germany's list without an entry, which no publisher here would write; its signature is good."""
    body = b'{"certificates":[]}'
    return {"list": base64.b64encode(signer_of_lists().signer().sign(body)) + b"\n" + body}


def bundled(at: datetime) -> Mapping[str, bytes]:
    """A bundle that says when it was made."""
    store = TrustStore.from_certificates(dscs(FR=1))
    made = export_bundle(store, signer_of_lists().signer(), now=at, life=HOUR, environment=Environment.PRODUCTION)
    return {"list": made}
