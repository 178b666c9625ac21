"""Lists as the Netherlands and Switzerland sign them, which nothing in the library writes.

The signatures of the Dutch list are made by another library than the one that reads them.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, pkcs7
from cryptography.x509.oid import NameOID
from hypothesis import strategies as st

from healthcert.encoding import jws
from healthcert.encoding.algorithms import Algorithm
from healthcert.fetch import Response
from healthcert.issue.pki import KeyPair, SigningKey
from healthcert.lists.anchors import TrustAnchor
from healthcert.lists.swiss import SIGNER
from tests.support import DAY, NOW

DUTCH_SIGNER = "list.example.nl"


@dataclass(frozen=True)
class Chain:
    """A root that is pinned, an authority between, and the one that signs lists."""

    root: KeyPair
    between: KeyPair
    leaf: KeyPair

    def anchor(self, subject: str | None = None) -> TrustAnchor:
        """The root, for a signer of this common name."""
        return anchor_of(self.root, subject)


def anchor_of(pair: KeyPair, subject: str | None = None) -> TrustAnchor:
    return TrustAnchor("pinned.pem", spki_of(pair), pair.certificate_der(), subject)


def key_anchor(pair: KeyPair, subject: str | None = None) -> TrustAnchor:
    """The bare key."""
    return TrustAnchor("pinned.key", spki_of(pair), None, subject)


def spki_of(pair: KeyPair) -> bytes:
    return pair.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


@cache
def chain(name: str, *, rsa_leaf: bool = False, begin: datetime = NOW - 30 * DAY, years: int = 10) -> Chain:
    """A chain down to a signer of this common name."""
    end = begin + years * 365 * DAY
    root = _pair("Example Root", None, begin, end, authority=True)
    between = _pair("Example Regular", root, begin, end, authority=True)
    return Chain(root, between, _pair(name, between, begin, end, rsa_leaf=rsa_leaf))


def below(authority: KeyPair, name: str, *, begin: datetime = NOW - 30 * DAY, years: int = 10) -> KeyPair:
    """Another one of this name under an authority."""
    return _pair(name, authority, begin, begin + years * 365 * DAY)


def _pair(
    name: str,
    issuer: KeyPair | None,
    begin: datetime,
    end: datetime,
    *,
    authority: bool = False,
    rsa_leaf: bool = False,
) -> KeyPair:
    key: SigningKey = ec.generate_private_key(ec.SECP256R1())
    if rsa_leaf:
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )
    return KeyPair(key, builder.sign(issuer.key if issuer else key, hashes.SHA256()))


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


# --- what an attacker, or a publisher's mistake, may put anywhere ---

WEIRD = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=-(10**30), max_value=10**30)
    | st.floats(allow_nan=False)
    | st.text(st.characters(), max_size=12)
    | st.sampled_from(["", "sig", "v", "AAAAAAAAAAA=", "AQAB", "P-256", "ES256", "\ud800", "EC", "RSA", "FR", 1e999]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
"""Any value of JSON, and some that it should not have."""


def spoiled(good: Any) -> st.SearchStrategy[Any]:
    """``good`` with a part of it exchanged for something else, or missing; at any depth."""
    if isinstance(good, dict) and good:
        names = st.sampled_from(sorted(good))
        changed = names.flatmap(lambda name: spoiled(good[name]).map(lambda value: good | {name: value}))
        missing = names.map(lambda name: {key: value for key, value in good.items() if key != name})
        return changed | missing | WEIRD
    if isinstance(good, list) and good:
        return spoiled(good[0]).map(lambda value: [value, *good[1:]]) | WEIRD
    return WEIRD


# --- the Netherlands ---


def dutch_key(pair: KeyPair, *usages: str, **members: Any) -> dict[str, Any]:
    """One key as it stands under its kid; ``usages`` are letters."""
    return {"subjectPk": b64(spki_of(pair)), "keyUsage": list(usages), "san": "", "ian": "FR"} | members


def dutch_list(keys: Any, signed_by: Chain | None = None) -> bytes:
    """The signed list: ``keys`` are arrays of keys by kid in base64."""
    return dutch_wrapper(json.dumps({"eu_keys": keys, "nl_keys": {}}).encode(), signed_by)


def dutch_wrapper(payload: bytes, signed_by: Chain | None = None) -> bytes:
    signers = signed_by or chain(DUTCH_SIGNER)
    builder = pkcs7.PKCS7SignatureBuilder().set_data(payload)
    builder = builder.add_signer(signers.leaf.certificate, signers.leaf.key, hashes.SHA256())
    builder = builder.add_certificate(signers.between.certificate)
    options = [pkcs7.PKCS7Options.DetachedSignature, pkcs7.PKCS7Options.Binary, pkcs7.PKCS7Options.NoCapabilities]
    signature = builder.sign(Encoding.DER, options)
    return json.dumps({"payload": b64(payload), "signature": b64(signature)}, separators=(",", ":")).encode()


# --- Switzerland ---


def swiss_key(pair: KeyPair, use: Any = "sig", **members: Any) -> dict[str, Any]:
    """One key as it stands on a page."""
    numbers = pair.key.public_key().public_numbers()
    key: dict[str, Any] = {"keyId": b64(pair.signer().kid), "use": use}
    if isinstance(numbers, ec.EllipticCurvePublicNumbers):
        x, y = (b64(number.to_bytes(32, "big")) for number in (numbers.x, numbers.y))
        return key | {"alg": "ES256", "crv": "P-256", "x": x, "y": y, "n": None, "e": None} | members
    n, e = (b64(number.to_bytes((number.bit_length() + 7) // 8, "big")) for number in (numbers.n, numbers.e))
    return key | {"alg": "RS256", "crv": None, "n": n, "e": e} | members


def swiss_token(payload: Any, signed_by: Chain | None = None) -> bytes:
    """What the service answers: JSON, signed, with the chain of the signer but for the root."""
    signers = signed_by or chain(SIGNER)
    x5c = [b64(pair.certificate_der()) for pair in (signers.leaf, signers.between)]
    algorithm, sign = _signing(signers.leaf.key)
    return jws.write(json.dumps(payload).encode(), {"alg": algorithm, "x5c": x5c}, sign)


def _signing(key: SigningKey) -> tuple[str, Callable[[bytes], bytes]]:
    if isinstance(key, rsa.RSAPrivateKey):
        return "RS256", lambda data: key.sign(data, padding.PKCS1v15(), hashes.SHA256())
    return "ES256", lambda data: Algorithm.ES256.sign(key, data)


def swiss_page(*keys: Any, signed_by: Chain | None = None) -> bytes:
    return swiss_token({"certs": list(keys)}, signed_by)


def swiss_active(ids: Iterable[Any], *, signed_by: Chain | None = None, **members: Any) -> bytes:
    return swiss_token({"activeKeyIds": list(ids), "validDuration": 172800000} | members, signed_by)


def swiss_parts(*keys: Any, active: Sequence[Any] | None = None, **members: Any) -> dict[str, bytes]:
    """The list of these keys, all of them active unless said otherwise."""
    ids = [key["keyId"] for key in keys] if active is None else active
    return {"updates": swiss_page(*keys), "active": swiss_active(ids, **members)}


# --- fetching ---


class FakeFetcher:
    """Answers from a table. What was asked is in ``asked``."""

    def __init__(self, answers: Mapping[str, Response]) -> None:
        self._answers = answers
        self.asked: list[tuple[str, dict[str, str]]] = []

    def get(self, url: str, *, limit: int, headers: Mapping[str, str] | None = None) -> Response:
        self.asked.append((url, dict(headers or {})))
        return self._answers[url]

    def post(self, url: str, body: bytes, *, content_type: str, limit: int) -> Response:
        raise AssertionError("nothing is posted")

    @property
    def urls(self) -> list[str]:
        return [url for url, _ in self.asked]
