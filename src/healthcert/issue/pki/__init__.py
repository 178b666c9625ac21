"""A country's public key infrastructure: a national authority (CSCA), and the certificates under it.

Follows the certificate governance of the EU DCC: two layers, a self-signed CSCA with path length 0, a DSC
whose authority key identifier is the CSCA's subject key identifier and whose extended key usage says
what it may sign. The keys are in files or in hardware modules; a state's CSCA belongs in one of these.
"""

from __future__ import annotations

from healthcert.issue.pki.accepting import Accepted, accept
from healthcert.issue.pki.building import Wishes
from healthcert.issue.pki.checking import check_profile
from healthcert.issue.pki.findings import Finding, Level
from healthcert.issue.pki.keys import CertifiedKey, KeyKind, KeyPair, SigningKey, key_pem, new_key
from healthcert.issue.pki.making import certify, new_barcode_signer, new_client, new_csca, new_dsc
from healthcert.issue.pki.profiles import (
    BARCODE_SIGNING,
    CSCA,
    CSCA_VALIDITY,
    DSC,
    DSC_VALIDITY,
    PROFILES,
    TLS_CLIENT,
    UPLOAD,
    Profile,
)
from healthcert.issue.pki.requests import CertificateRequest, make_request, read_request, sign_request
from healthcert.issue.pki.rollover import RolloverPlan, Terms, plan_rollover

__all__ = [
    "BARCODE_SIGNING",
    "CSCA",
    "CSCA_VALIDITY",
    "DSC",
    "DSC_VALIDITY",
    "PROFILES",
    "TLS_CLIENT",
    "UPLOAD",
    "Accepted",
    "CertificateRequest",
    "CertifiedKey",
    "Finding",
    "KeyKind",
    "KeyPair",
    "Level",
    "Profile",
    "RolloverPlan",
    "SigningKey",
    "Terms",
    "Wishes",
    "accept",
    "certify",
    "check_profile",
    "key_pem",
    "make_request",
    "new_barcode_signer",
    "new_client",
    "new_csca",
    "new_dsc",
    "new_key",
    "plan_rollover",
    "read_request",
    "sign_request",
]
