"""The keys and certificates of the vectors, the same in every run. All are for tests only, and known to everybody.

EC keys follow from their names. RSA keys cannot be had so simply: their private keys lie as files beside the vectors.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID, NameOID

FOLDER = Path(__file__).resolve().parents[2] / "test_vectors" / "keys"

Private = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey

# HCERT specification, Appendix A.4, and the arc that was issued by mistake.
USAGE = "1.3.6.1.4.1.1847.2021.1."
USAGE_BY_MISTAKE = "1.3.6.1.4.1.0.1847.2021.1."
TEST, VACCINATION, RECOVERY = "1", "2", "3"

BEGIN, END = datetime(2021, 7, 31, tzinfo=UTC), datetime(2023, 7, 31, tzinfo=UTC)
# The usual moment of the cases, the moment a week earlier, and a second before that.
_DAY, _WEEK_BEFORE, _LONG_BEFORE = "2021-08-20T10:00:00Z", "2021-08-13T10:00:00Z", "2021-08-13T09:59:59Z"
CROWD_SIZE = 16
"""How many keys may share a kid here (``Limits.candidate_keys``)."""

_CURVES: dict[str, tuple[ec.EllipticCurve, int]] = {
    # The curve, and the size of the digest in bytes.
    "P-256": (ec.SECP256R1(), 32),
    "P-384": (ec.SECP384R1(), 48),
    "P-521": (ec.SECP521R1(), 66),
}
_HASHES = {32: hashes.SHA256(), 48: hashes.SHA384(), 64: hashes.SHA512(), 66: hashes.SHA512()}


@dataclass(frozen=True)
class Key:
    """One entry of ``keys/``: a DSC's certificate, or bare public keys under one kid."""

    name: str
    about: str
    kid: bytes
    pem: str
    private: Private
    listed: Mapping[str, str] = field(default_factory=dict)
    """What is known of the published list that it is on: ``assurance``, ``domain``, ``best_before``."""

    @property
    def is_certificate(self) -> bool:
        return "BEGIN CERTIFICATE" in self.pem


@cache
def private_key(name: str, kind: str) -> Private:
    """The private key of this name: ``P-256``, ``P-384``, ``P-521``, ``Ed25519`` or ``RSA``."""
    if kind == "RSA":
        key = serialization.load_pem_private_key((FOLDER / f"{name}.key.pem").read_bytes(), None)
        assert isinstance(key, rsa.RSAPrivateKey)
        return key
    seed = hashlib.shake_256(f"healthcert test vectors: {name}".encode()).digest(32)
    if kind == "Ed25519":
        return ed25519.Ed25519PrivateKey.from_private_bytes(seed)
    return ec.derive_private_key(int.from_bytes(seed) >> 1, _CURVES[kind][0])


def sign_ecdsa(key: Private, data: bytes, size: int = 32) -> bytes:
    """RFC 9053 §2.1 with the nonce of RFC 6979; ``size`` is that of r and of s."""
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    scheme = ec.ECDSA(_HASHES[size], deterministic_signing=True)
    r, s = decode_dss_signature(key.sign(data, scheme))
    return r.to_bytes(size, "big") + s.to_bytes(size, "big")


def sign_pss(key: Private, data: bytes, *, digest: str = "sha256", salt: bytes | None = None) -> bytes:
    """RSASSA-PSS (RFC 8017 §8.1.1) with a salt that is the same every time, where a signer takes a random one."""
    assert isinstance(key, rsa.RSAPrivateKey)
    numbers = key.private_numbers()
    n, bits = numbers.public_numbers.n, numbers.public_numbers.n.bit_length() - 1
    size = (bits + 7) // 8
    new = hashlib.new
    salt = new(digest, b"salt" + data).digest() if salt is None else salt
    hashed = new(digest, bytes(8) + new(digest, data).digest() + salt).digest()
    block = (b"\x01" + salt).rjust(size - len(hashed) - 1, b"\0")
    mask = b"".join(new(digest, hashed + count.to_bytes(4)).digest() for count in range(len(block) // len(hashed) + 1))
    masked = int.from_bytes(bytes(a ^ b for a, b in zip(block, mask[: len(block)], strict=True)))
    masked &= (1 << (bits - 8 * (size - len(block)))) - 1
    encoded = masked.to_bytes(len(block)) + hashed + b"\xbc"
    return pow(int.from_bytes(encoded), numbers.d, n).to_bytes((n.bit_length() + 7) // 8)


def _pem(key: Private) -> str:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.PEM, form).decode()


def _named(name: str, country: str = "FR") -> x509.Name:
    return x509.Name(
        [x509.NameAttribute(NameOID.COUNTRY_NAME, country), x509.NameAttribute(NameOID.COMMON_NAME, f"Test {name}")]
    )


def _certificate(
    name: str,
    about: str,
    kind: str = "P-256",
    usages: tuple[str, ...] | None = None,
    key_file: str = "",
    country: str = "FR",
) -> Key:
    """A DSC or, under the name ``csca``, the authority of them all. ``usages`` () is an empty list, None is none."""
    key, authority = private_key(key_file or name, kind), private_key("csca", "P-256")
    assert isinstance(authority, ec.EllipticCurvePrivateKey)
    serial = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8]) | 1
    builder = x509.CertificateBuilder(_named("csca"), _named(name, country), key.public_key(), serial, BEGIN, END)
    is_authority = name == "csca"
    builder = builder.add_extension(x509.BasicConstraints(is_authority, 0 if is_authority else None), critical=True)
    if usages:
        builder = builder.add_extension(
            x509.ExtendedKeyUsage([x509.ObjectIdentifier(usage) for usage in usages]), critical=False
        )
    elif usages is not None:
        empty = x509.UnrecognizedExtension(ExtensionOID.EXTENDED_KEY_USAGE, b"\x30\x00")
        builder = builder.add_extension(empty, critical=False)
    certificate = builder.sign(authority, hashes.SHA256(), ecdsa_deterministic=True)
    kid = hashlib.sha256(certificate.public_bytes(serialization.Encoding.DER)).digest()[:8]
    return Key(name, about, kid, certificate.public_bytes(serialization.Encoding.PEM).decode(), key)


def _bare(name: str, about: str, kid: bytes, kind: str = "P-256", names: tuple[str, ...] = ()) -> Key:
    """Public keys without a certificate, all under ``kid``; of several, the last one signs."""
    privates = [private_key(each, kind) for each in names or (name,)]
    return Key(name, about, kid, "".join(_pem(private) for private in privates), privates[-1])


def _listed(name: str, about: str, assurance: str = "signed_list", **facts: str) -> Key:
    """The certificate of ``dsc``, as it stands on a list."""
    return replace(_key_of("dsc"), name=name, about=about, listed={"assurance": assurance, **facts})


def _key_of(name: str) -> Key:
    return key(name)


def _crowd() -> tuple[str, ...]:
    return tuple(f"crowd-{number}" for number in range(1, CROWD_SIZE + 1))


def _usage(*usages: str, arc: str = USAGE) -> tuple[str, ...]:
    return tuple(arc + usage for usage in usages)


_MAKERS: dict[str, Callable[[str], Key]] = {
    "csca": lambda n: _certificate(n, "the authority that signed the DSCs; it signs no health certificates"),
    "dsc": lambda n: _certificate(n, "P-256, no extended key usage: may sign every kind of entry"),
    "dsc-test": lambda n: _certificate(n, "may sign tests", usages=_usage(TEST)),
    "dsc-vaccination": lambda n: _certificate(n, "may sign vaccinations", usages=_usage(VACCINATION)),
    "dsc-recovery": lambda n: _certificate(n, "may sign recoveries", usages=_usage(RECOVERY)),
    "dsc-test-recovery": lambda n: _certificate(n, "may sign tests and recoveries", usages=_usage(TEST, RECOVERY)),
    "dsc-test-other-arc": lambda n: _certificate(
        n, "may sign tests, said in the arc that was issued by mistake", usages=_usage(TEST, arc=USAGE_BY_MISTAKE)
    ),
    "dsc-foreign-usage": lambda n: _certificate(
        n, "its extended key usage says nothing of health", usages=(ExtendedKeyUsageOID.CLIENT_AUTH.dotted_string,)
    ),
    "dsc-mixed-usage": lambda n: _certificate(
        n, "may sign tests; has a foreign usage too", usages=("1.3.6.1.5.5.7.3.2", USAGE + TEST)
    ),
    "dsc-empty-usage": lambda n: _certificate(n, "has an extended key usage with an empty list", usages=()),
    "dsc-rsa2048": lambda n: _certificate(n, "RSA, 2048 bits", "RSA", key_file="rsa2048"),
    "dsc-rsa3072": lambda n: _certificate(n, "RSA, 3072 bits", "RSA", key_file="rsa3072"),
    "dsc-rsa1024": lambda n: _certificate(n, "RSA, 1024 bits: too weak", "RSA", key_file="rsa1024"),
    "dsc-p384": lambda n: _certificate(n, "on the curve P-384, which no algorithm of HCERT uses", "P-384"),
    "dsc-p521": lambda n: _certificate(n, "on the curve P-521, which no algorithm of HCERT uses", "P-521"),
    "dsc-ed25519": lambda n: _certificate(n, "Ed25519, which no algorithm of HCERT uses", "Ed25519"),
    "dsc-kid-7": lambda n: _bare(
        n, "the key of dsc under a kid of seven bytes", _key_of("dsc").kid[:7], names=("dsc",)
    ),
    "dsc-kid-9": lambda n: _bare(
        n, "the key of dsc under a kid of nine bytes", _key_of("dsc").kid + b"\0", names=("dsc",)
    ),
    "who-kid-2": lambda n: _bare(n, "a key under a kid of two bytes, which WHO's certificates may have", b"\x11\x11"),
    "bare": lambda n: _bare(n, "a public key without a certificate, and so without dates", b"bare-key"),
    "twin": lambda n: _bare(n, "another key under the kid of dsc", _key_of("dsc").kid),
    "twin-rsa1024": lambda n: _bare(n, "a weak RSA key under the kid of dsc", _key_of("dsc").kid, "RSA", ("rsa1024",)),
    "crowd": lambda n: _bare(n, f"{CROWD_SIZE} keys under one kid; the last one signs", b"crowded!", names=_crowd()),
    "crowd-one-more": lambda n: _bare(n, "one more key under the kid of crowd", b"crowded!"),
    "crowd-of-dsc": lambda n: _bare(
        n, f"{CROWD_SIZE} other keys under the kid of dsc, which anybody can name", _key_of("dsc").kid, names=_crowd()
    ),
    "dsc-of-germany": lambda n: _certificate(n, "its country is DE", country="DE"),
    "list-dcc": lambda n: _listed(n, "dsc on a signed list for EU DCCs", domain="DCC"),
    "list-ddcc": lambda n: _listed(n, "dsc on a signed list of WHO's network for DDCCs", domain="DDCC"),
    "list-icvp": lambda n: _listed(n, "dsc on a signed list of WHO's network for vaccination records", domain="ICVP"),
    "list-light": lambda n: _listed(n, "dsc on a signed list for Swiss lights", domain="CH-LIGHT"),
    "list-exemption": lambda n: _listed(n, "dsc on a signed list for Austrian exemptions", domain="AT-EXEMPTION"),
    "list-norway": lambda n: _listed(n, "dsc on a signed list for Norwegian domestic codes", domain="NO-DOMESTIC"),
    "list-denmark": lambda n: _listed(n, "dsc on a signed list for Danish domestic codes", domain="DK-DOMESTIC"),
    "list-tls-only": lambda n: _listed(n, "dsc on a list that only its server's name vouches for", "tls_only"),
    "list-chain": lambda n: _listed(n, "dsc with a chain up to an anchor", "signed_chain"),
    "list-current": lambda n: _listed(n, "dsc on a list that ends at the usual moment", best_before=_DAY),
    "list-overdue": lambda n: _listed(n, "dsc on a list overdue by seven days", best_before=_WEEK_BEFORE),
    "list-expired": lambda n: _listed(n, "dsc on a list overdue by more", best_before=_LONG_BEFORE),
    "stranger": lambda n: _certificate(n, "a DSC that no vector's trust list has"),
}
NAMES = tuple(_MAKERS)


@cache
def key(name: str) -> Key:
    """The key or certificate of this name, made when it is first asked for."""
    return _MAKERS[name](name)
