"""The keys of the families beside HCERT: bare ones under an issuer, and certificates (``families_pki``)."""

# ruff: noqa: E501 (one key a line)

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from tools.vectors.families_pki import CLIENTS, authority, certificate, document_types
from tools.vectors.signing import Key, private_key, public_pem

SHC_ISSUER, SHC_ELSEWHERE = "https://cards.example/issuer", "https://cards.example/other"
NZCP_ISSUER, NZCP_ELSEWHERE = "did:web:pass.example", "did:web:other.example"
DIVOC_ISSUER, DIVOC_ELSEWHERE = "did:example:health", "did:example:other"

# The usual moment of the cases is 10:00.
_BEFORE, _AFTER = datetime(2021, 8, 20, 9, 59, 59, tzinfo=UTC), datetime(2021, 8, 20, 10, 0, 1, tzinfo=UTC)
_LATER, _LONG_AGO = datetime(2031, 7, 31, tzinfo=UTC), datetime(2021, 8, 1, tzinfo=UTC)
_OVERDUE, _EXPIRED = "2021-08-13T10:00:00Z", "2021-08-13T09:59:59Z"


def thumbprint(name: str) -> str:
    """The kid of a SMART Health Card's key: the SHA-256 of its JWK (RFC 7638)."""
    key = private_key(name, "P-256").public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    x, y = (base64url(number.to_bytes(32, "big")) for number in (key.public_numbers().x, key.public_numbers().y))
    members = {"crv": "P-256", "kty": "EC", "x": x, "y": y}
    return base64url(hashlib.sha256(json.dumps(members, separators=(",", ":")).encode()).digest())


def base64url(data: bytes) -> str:
    """RFC 7515 §2, without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _bare(
    name: str, about: str, domain: str, issuer: str | None, kid: str, key: str, kind: str = "P-256", **listed: str
) -> Key:
    private = private_key(key, kind)
    return Key(name, about, kid.encode(), public_pem(private), private, listed, domain, issuer, kid)


def _card(
    name: str, about: str, *, issuer: str = SHC_ISSUER, domain: str = "SHC", key: str = "shc", **more: str
) -> Key:
    return _bare(name, about, domain, issuer, thumbprint(key), key, **more)


def _pass(name: str, about: str, *, issuer: str = NZCP_ISSUER, domain: str = "NZCP") -> Key:
    return _bare(name, about, domain, issuer, "key-1", "nzcp")


def _divoc(
    name: str,
    about: str,
    *,
    issuer: str = DIVOC_ISSUER,
    kid: str = "",
    domain: str = "DIVOC",
    key: str = "rsa2048",
    kind: str = "RSA",
) -> Key:
    return _bare(name, about, domain, issuer, kid or issuer, key, kind)


def _document(name: str, about: str, kid: str, *, kind: str = "P-256", domain: str = "2D-DOC", **dates: Any) -> Key:
    """The certificate of a 2D-Doc's signer, which goes by the name of its authority and its own."""
    key = "twoddoc" if kind == "P-256" else name
    made = certificate(name, about, key=key, kind=kind, usage=None, types=None, **dates)
    return replace(made, kid=kid.encode(), kid_text=kid, domain=domain)


def _on_list(name: str, about: str, assurance: str = "signed_list", **facts: str) -> Key:
    made = authority("icao-csca", about)
    return replace(made, name=name, listed={"assurance": assurance, "domain": "ICAO", "role": "authority"} | facts)


MAKERS: dict[str, Callable[[str], Key]] = {
    "shc": lambda n: _card(n, "signs SMART Health Cards"),
    "shc-second": lambda n: _card(n, "another key of the same issuer", key="shc-second"),
    "shc-elsewhere": lambda n: _card(n, "the key of shc, of another issuer", issuer=SHC_ELSEWHERE),
    "shc-other-domain": lambda n: _card(n, "the key of shc, for passes of New Zealand", domain="NZCP"),
    "shc-tls-only": lambda n: _card(n, "the key of shc, on a list that only its server's name vouches for", assurance="tls_only"),
    "shc-p384": lambda n: _bare(n, "under the kid of shc a key on a curve that no card uses", "SHC", SHC_ISSUER, thumbprint("shc"), n, "P-384"),
    "nzcp": lambda n: _pass(n, "signs NZ COVID Passes"),
    "nzcp-elsewhere": lambda n: _pass(n, "the key of nzcp, of another issuer", issuer=NZCP_ELSEWHERE),
    "nzcp-other-domain": lambda n: _pass(n, "the key of nzcp, for SMART Health Cards", domain="SHC"),
    "icao-csca": lambda n: authority(n, "the authority of those who sign seals"),
    "icao-csca-elsewhere": lambda n: replace(authority(n, "the same for EU DCCs alone"), domain="DCC"),
    "icao-csca-germany": lambda n: authority(n, "under the same name and with the same key, of Germany", country="DE"),
    "icao-csca-no-authority": lambda n: authority(n, "under the same name and with the same key, and no authority", ca=False),
    "icao-csca-ended": lambda n: authority(n, "another certificate for the same, which ended a second before the usual moment", end=_BEFORE),
    "icao-csca-later": lambda n: authority(n, "another certificate for the same, which ends years later", end=_LATER),
    "icao-csca-to-come": lambda n: authority(n, "another certificate for the same, which begins a second after the usual moment and ends years later", begin=_AFTER, end=_LATER),
    "icao-csca-any": lambda n: replace(authority("icao-csca", "the same for whatever it fits"), name=n, domain=None),
    "icao-csca-rekeyed": lambda n: authority(n, "under the same name with another key", key=n),
    "icao-csca-utopia": lambda n: authority(n, "the authority of Utopia, which specimens are of", key=n, country="UT"),
    "icao-list": lambda n: _on_list(n, "icao-csca on a signed list of authorities"),
    "icao-list-elsewhere": lambda n: _on_list(n, "icao-csca on a signed list of authorities for EU DCCs", domain="DCC"),
    "icao-list-tls-only": lambda n: _on_list(n, "icao-csca on a list that only its server's name vouches for", "tls_only"),
    "icao-list-overdue": lambda n: _on_list(n, "icao-csca on a signed list overdue by seven days", best_before=_OVERDUE),
    "icao-list-expired": lambda n: _on_list(n, "icao-csca on a signed list overdue by more", best_before=_EXPIRED),
    "icao-list-no-authority": lambda n: replace(authority(n, "icao-csca-no-authority on a signed list of authorities", ca=False), listed={"assurance": "signed_list", "domain": "ICAO", "role": "authority"}),
    "icao-list-uploader": lambda n: _on_list(n, "icao-csca on a signed list, as one that uploads", role="uploader"),
    "icao-list-stranger": lambda n: replace(_on_list(n, "another authority, on a list that only its server's name vouches for", "tls_only"), pem=authority(n, "", key=n).pem),
    "icao-bcs": lambda n: certificate(n, "signs seals of vaccinations and tests"),
    "icao-bcs-p384": lambda n: certificate(n, "the same on the curve P-384", kind="P-384"),
    "icao-bcs-p521": lambda n: certificate(n, "the same on the curve P-521", kind="P-521"),
    "icao-bcs-plain": lambda n: certificate(n, "states neither usage nor types of documents", usage=None, types=None),
    "icao-bcs-types-alone": lambda n: certificate(n, "states types of documents, and no usage", usage=None),
    "icao-bcs-usage-alone": lambda n: certificate(n, "states its usage, and no types of documents", types=None),
    "icao-bcs-nowhere": lambda n: certificate(n, "is of no country", country="", issuer_country="FR"),
    "icao-bcs-clients": lambda n: certificate(n, "its extended key usage says nothing of seals", usage=CLIENTS),
    "icao-bcs-nv": lambda n: certificate(n, "may sign seals of vaccinations", types=("NV",)),
    "icao-bcs-nt": lambda n: certificate(n, "may sign seals of tests, and passports", types=("P", "NT")),
    "icao-bcs-passports": lambda n: certificate(n, "may sign passports alone", types=("P",)),
    "icao-bcs-types-unreadable": lambda n: certificate(n, "its types of documents are none", types=b"\x30\x00"),
    "icao-bcs-types-v1": lambda n: certificate(n, "its types of documents are of another version", types=document_types("NV", version=1)),
    "icao-bcs-types-not-ascii": lambda n: certificate(n, "its types of documents are no ASCII", types=document_types("NV").replace(b"NV", b"N\xff")),
    "icao-bcs-period": lambda n: certificate(n, "the period in which its key signs is over, it itself is not", period=_LONG_AGO),
    "icao-bcs-ended": lambda n: certificate(n, "ended a second before the usual moment", end=_BEFORE),
    "icao-bcs-to-come": lambda n: certificate(n, "begins a second after the usual moment", begin=_AFTER),
    "icao-bcs-forged": lambda n: certificate(n, "somebody else signed it", above="forger", key_id=b""),
    "icao-bcs-other-key-id": lambda n: certificate(n, "names another key of its authority", key_id=bytes(20)),
    "icao-bcs-no-key-id": lambda n: certificate(n, "does not name the key of its authority", key_id=b""),
    "icao-bcs-germany": lambda n: certificate(n, "is Germany's, its authority is not", country="DE", issuer_country="FR"),
    "icao-bcs-utopia": lambda n: certificate(n, "is Utopia's", country="UT", above="icao-csca-utopia"),
    "icao-bcs-orphan": lambda n: certificate(n, "nobody has its authority", issuer="icao-orphan"),
    "icao-bcs-authority": lambda n: certificate(n, "is an authority", ca=True),
    "icao-bcs-certifier": lambda n: certificate(n, "may sign certificates", signs_certificates=True),
    "icao-bcs-rsa": lambda n: certificate(n, "RSA, 2048 bits", key="rsa2048", kind="RSA"),
    "icao-bcs-unpinned-key": lambda n: replace(_bare(n, "another key under the kid of icao-bcs", "ICAO", None, "x", n), kid=certificate("icao-bcs", "").kid, kid_text=None),
    "icao-bcs-authority-bare": lambda n: replace(_bare(n, "the bare key of icao-bcs-authority under its kid", "ICAO", None, "x", "icao-bcs-authority"), kid=certificate("icao-bcs-authority", "", ca=True).kid, kid_text=None),
    "divoc": lambda n: _divoc(n, "signs DIVOC certificates; RSA, 2048 bits"),
    "divoc-ed25519": lambda n: _divoc(n, "another key of the same issuer; Ed25519", kid=f"{DIVOC_ISSUER}#ed25519", key=n, kind="Ed25519"),
    "divoc-rsa1024": lambda n: _divoc(n, "an RSA key that is too weak, of the same issuer", kid=f"{DIVOC_ISSUER}#weak", key="rsa1024"),
    "divoc-elsewhere": lambda n: _divoc(n, "the key of divoc under the same kid, of another issuer", issuer=DIVOC_ELSEWHERE, kid=DIVOC_ISSUER),
    "divoc-other-domain": lambda n: _divoc(n, "the key of divoc for seals", domain="ICAO"),
    "divoc-india": lambda n: _divoc(n, "the key of divoc, as India's", issuer="did:india"),
    "twoddoc": lambda n: _document(n, "signs 2D-Docs", "FR000001"),
    "twoddoc-p384": lambda n: _document(n, "signs 2D-Docs; P-384", "FR000384", kind="P-384"),
    "twoddoc-p521": lambda n: _document(n, "signs 2D-Docs; P-521", "FR000521", kind="P-521"),
    "twoddoc-ended": lambda n: _document(n, "the same as twoddoc, ended on 2021-08-11 at noon", "FR000001", end=datetime(2021, 8, 11, 12, tzinfo=UTC)),
    "twoddoc-to-come": lambda n: _document(n, "the same as twoddoc, begins on 2021-08-19 at noon", "FR000001", begin=datetime(2021, 8, 19, 12, tzinfo=UTC)),
    "twoddoc-other-domain": lambda n: _document(n, "the same as twoddoc, for seals", "FR000001", domain="ICAO"),
    "twoddoc-bare": lambda n: _bare(n, "the public key of twoddoc alone", "2D-DOC", None, "FR000001", "twoddoc"),
}  # fmt: skip
