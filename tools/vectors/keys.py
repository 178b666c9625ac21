"""The keys and certificates of the vectors, the same in every run. All are for tests only, and known to everybody.

EC keys follow from their names. RSA keys cannot be had so simply: their private keys lie as files beside the vectors.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID, NameOID

from tools.vectors import families_keys
from tools.vectors.signing import Key, Private, private_key, public_pem, sign_ecdsa, sign_pss

__all__ = ("Key", "Private", "key", "private_key", "sign_ecdsa", "sign_pss")

# HCERT specification, Appendix A.4, and the arc that was issued by mistake.
USAGE = "1.3.6.1.4.1.1847.2021.1."
USAGE_BY_MISTAKE = "1.3.6.1.4.1.0.1847.2021.1."
TEST, VACCINATION, RECOVERY = "1", "2", "3"

BEGIN, END = datetime(2021, 7, 31, tzinfo=UTC), datetime(2023, 7, 31, tzinfo=UTC)
# The usual moment of the cases, the moment a week earlier, and a second before that.
_DAY, _WEEK_BEFORE, _LONG_BEFORE = "2021-08-20T10:00:00Z", "2021-08-13T10:00:00Z", "2021-08-13T09:59:59Z"
CROWD_SIZE = 16
"""How many keys may share a kid here (``Limits.candidate_keys``)."""


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
    return Key(name, about, kid, "".join(public_pem(private) for private in privates), privates[-1])


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
    "list-dcc-expired": lambda n: _listed(
        n, "dsc on a list for EU DCCs overdue by more", domain="DCC", best_before=_LONG_BEFORE
    ),
    "stranger": lambda n: _certificate(n, "a DSC that no vector's trust list has"),
}
_MAKERS |= families_keys.MAKERS
NAMES = tuple(_MAKERS)


@cache
def key(name: str) -> Key:
    """The key or certificate of this name, made when it is first asked for."""
    return _MAKERS[name](name)
