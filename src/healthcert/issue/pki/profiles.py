"""What the certificates of a country's public key infrastructure are like.

From the certificate governance guide of the EU DCC (eu-digital-green-certificates/dgc-overview,
guides/certificate-governance.md), which the HCERT specification refers to, and for signers of seals from ICAO's
certificate profiles (VDS-NC). What the guide prints bold is needed, what it prints in italics is advised.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from cryptography.x509.oid import ExtendedKeyUsageOID
from msgspec import Struct

from healthcert.issue.period import CSCA_USE, DSC_USE
from healthcert.lists.x509 import DOCUMENT_TYPE_LIST, USAGE_OF
from healthcert.trust.vouching import BARCODE_SIGNER

CSCA_VALIDITY = timedelta(days=4 * 365)
DSC_VALIDITY = timedelta(days=2 * 365)
_SHORT_VALIDITY = timedelta(days=365)
_GUIDE = "certificate governance guide"
_ICAO = "ICAO VDS-NC, certificate profiles"

CLIENT_AUTHENTICATION = ExtendedKeyUsageOID.CLIENT_AUTH.dotted_string
_SERVER_AUTHENTICATION = ExtendedKeyUsageOID.SERVER_AUTH.dotted_string


class Profile(Struct, frozen=True, kw_only=True):
    """What a certificate of one purpose has to be like; ``source`` is the section that says so."""

    name: str
    title: str
    source: str
    validity: timedelta
    """How long one is made for, where nobody says otherwise."""
    years: int
    """How long one should live at most."""
    use: timedelta | None = None
    """How long its private key should be used; None where that is not limited."""
    ca: bool = False
    key_usage: frozenset[str] = frozenset()
    """The bits of the key usage that are needed, by the names that ``cryptography`` has for them."""
    key_usage_advised: frozenset[str] = frozenset()
    extended_usage: frozenset[str] = frozenset()
    """The extended key usages that are needed."""
    extended_usage_known: frozenset[str] | None = None
    """Those that it may have besides; None for any."""
    extended_usage_critical: bool = False
    bare: bool = False
    """Whether it is without basic constraints, key usage and subject key identifier, as ICAO has it."""
    needs_document_types: bool = False
    curves: frozenset[str] = frozenset()
    least_rsa_bits: int = 3000
    most_rsa_bits: int | None = None
    """The size of an RSA key that is advised at most."""
    under_csca: bool = False
    """Whether it has to be issued by a CSCA of its country, and to name that one's key."""
    subject_key_id_needed: bool = False
    revocation_list_advised: bool = False


# Guide §4.1: ECDSA of 250 bits at least, P-256 recommended for its spread. These have that size or more.
_CURVES = frozenset(("secp256r1", "secp384r1", "secp521r1", "brainpoolP256r1", "brainpoolP384r1", "brainpoolP512r1"))

CSCA = Profile(
    name="csca",
    title="national signing authority (CSCA)",
    source=f"{_GUIDE} §4.2",
    validity=CSCA_VALIDITY,
    years=4,
    use=CSCA_USE,
    ca=True,
    key_usage=frozenset(("key_cert_sign",)),
    key_usage_advised=frozenset(("crl_sign",)),
    curves=_CURVES,
    subject_key_id_needed=True,
)
DSC = Profile(
    name="dsc",
    title="document signing certificate (DSC)",
    source=f"{_GUIDE} §4.3",
    validity=DSC_VALIDITY,
    years=2,
    use=DSC_USE,
    key_usage=frozenset(("digital_signature",)),
    extended_usage_known=frozenset(USAGE_OF),
    # Guide §4.1: other curves are not supported; RSA of 2048 bits, 3072 at most.
    curves=frozenset(("secp256r1",)),
    least_rsa_bits=2048,
    most_rsa_bits=3072,
    under_csca=True,
    revocation_list_advised=True,
)
UPLOAD = Profile(
    name="upload",
    title="upload certificate",
    source=f"{_GUIDE} §4.4",
    validity=_SHORT_VALIDITY,
    years=2,
    key_usage=frozenset(("digital_signature",)),
    curves=_CURVES,
)
TLS_CLIENT = Profile(
    name="tls",
    title="TLS client certificate",
    source=f"{_GUIDE} §4.5",
    validity=_SHORT_VALIDITY,
    years=2,
    key_usage=frozenset(("digital_signature",)),
    extended_usage=frozenset((CLIENT_AUTHENTICATION,)),
    extended_usage_known=frozenset((_SERVER_AUTHENTICATION,)),
    curves=_CURVES,
)
BARCODE_SIGNING = Profile(
    name="bcs",
    title="barcode signer's certificate",
    source=_ICAO,
    validity=DSC_VALIDITY,
    years=11,
    extended_usage=frozenset((BARCODE_SIGNER,)),
    extended_usage_known=frozenset(),
    extended_usage_critical=True,
    bare=True,
    needs_document_types=True,
    curves=frozenset(("secp256r1",)),
    under_csca=True,
)

PROFILES: Mapping[str, Profile] = {
    profile.name: profile for profile in (CSCA, DSC, UPLOAD, TLS_CLIENT, BARCODE_SIGNING)
}
"""Every profile by its name."""

# Extensions that some profile has, or that every verifier of certificates knows; another one must not be critical.
KNOWN_EXTENSIONS = frozenset(
    (
        "2.5.29.14",  # subject key identifier
        "2.5.29.15",  # key usage
        "2.5.29.16",  # private key usage period
        "2.5.29.17",  # subject alternative name
        "2.5.29.18",  # issuer alternative name
        "2.5.29.19",  # basic constraints
        "2.5.29.31",  # CRL distribution points
        "2.5.29.32",  # certificate policies
        "2.5.29.35",  # authority key identifier
        "2.5.29.37",  # extended key usage
        DOCUMENT_TYPE_LIST,
    )
)
