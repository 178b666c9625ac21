"""healthcert: issue and verify signed health certificates.

Everything public is named here; other modules of the package may change from one version to the next.
Each name is loaded when it is first used (PEP 562), so that importing this module costs nothing.
"""

from importlib import import_module
from typing import Any

_PUBLIC = {
    "barcode.read": ("read_barcodes",),
    "barcode.write": ("DataMatrix", "QrCode"),
    "clock": ("Clock", "FixedClock", "SystemClock"),
    "codings": (
        "ATC",
        "COVID_19",
        "CVX",
        "DETECTED",
        "ICD_11",
        "LOINC",
        "MVX",
        "NAAT",
        "NOT_DETECTED",
        "RAPID_ANTIGEN",
        "SNOMED_CT",
        "disease_of",
        "finding",
        "named",
        "same",
    ),
    "encoding.algorithms": ("Algorithm",),
    "errors": (
        "BatchError",
        "Code",
        "DecodeError",
        "FetchError",
        "HealthCertError",
        "IssueError",
        "RegisterError",
        "RevocationError",
        "RuleError",
        "Step",
        "TrustError",
        "VerificationError",
    ),
    "families.hcert.letters": ("TRANSLITERATION_VARIANTS",),
    "families.hcert.uvci": ("UvciCheck", "check_uvci"),
    "families.hcert.valuesets": ("Product", "product_of"),
    "families.protocol": ("Finding", "Layer"),
    "families.shc.encode": ("rid_for",),
    "families.shc.parts": ("PartCollector",),
    "authority.audit": ("AuditState", "verify_audit"),
    "authority.authority": ("IssuingAuthority",),
    "authority.batch": ("IssuedRow",),
    "authority.binding": ("Binding", "Claimed", "binding_of", "claim", "claim_request", "new_code"),
    "authority.profile": ("find_profile", "load_profile", "open_authority"),
    "authority.profile_tables": ("Profile",),
    "authority.register.store": ("Register",),
    "authority.register.values": ("Registered", "State"),
    "authority.reissue": ("ReissueCount", "ReissuePlan", "Reissued", "plan_reissue", "reissue", "revoke_rest"),
    "authority.secret": ("RegisterSecret", "load_secret", "new_secret"),
    "authority.withdrawn": ("revocation_of", "withdrawn"),
    "intake.mapping": ("RecordMapping", "load_mapping"),
    "intake.reading": ("Identity", "RecordFormat", "RecoveryPolicy", "RejectedRow", "Row"),
    "intake.record": ("read_record",),
    "intake.records": ("IntakeOptions", "read_records"),
    "issue.family_issuer": ("FamilyIssuer",),
    "issue.hsm.signer": ("Pkcs11Signer",),
    "issue.hsm.uri": ("Pkcs11Uri",),
    "issue.keysource": ("Secrets", "open_signer"),
    "issue.issued": ("Issued", "IssuedCertificate"),
    "issue.issuer": ("Issuer",),
    "issue.issuers": ("DivocIssuer", "NzcpIssuer", "ShcIssuer", "TwoDDocIssuer", "VdsNcIssuer"),
    "issue.dsc_issuers": ("DvcIssuer", "ExemptionIssuer", "LightIssuer", "LinkIssuer"),
    "issue.pki.keys": ("KeyKind", "KeyPair"),
    "issue.pki.making": ("new_barcode_signer", "new_csca", "new_dsc"),
    "issue.pending": ("PendingCertificate", "Terms"),
    "issue.policy": ("IssuePolicy",),
    "issue.digests": ("DigestRequest",),
    "issue.remote": ("CommandExchange", "RemoteSigner"),
    "issue.signer_set": ("SignerSet", "SignerWarning", "Trouble"),
    "issue.signer": ("BareSigner", "KeySigner", "PemSigner", "Signer"),
    "limits": ("Limits",),
    "links.fetching": ("LinkFetcher", "PasscodeError"),
    "links.jwe": ("LinkFile", "decrypt_file", "encrypt_file"),
    "links.link": ("HealthLink", "read_link"),
    "links.making": ("MadeLink", "make_link"),
    "links.opening": ("open_link",),
    "lists.anchors": ("Environment", "TrustAnchor", "load_anchors"),
    "lists.reading": ("Rejected",),
    "model": (
        "Coding",
        "EntryType",
        "Event",
        "Exemption",
        "HealthCertificate",
        "Holder",
        "Recovery",
        "Scan",
        "TestResult",
        "Vaccination",
    ),
    "fetch": ("Bounds", "Fetcher", "Response"),
    "https": ("HttpFetcher",),
    "publish.bundle": ("export_bundle",),
    "publish.revocation_bundle": ("export_revocations",),
    "revocation.carry": ("import_revocations",),
    "revocation.config": ("load_revocation_sources",),
    "revocation.files": ("open_files",),
    "revocation.identifiers": ("IdentifierType", "Subject"),
    "revocation.answer": ("Coverage", "RevocationAnswer", "Standing"),
    "revocation.store": ("RevocationStore",),
    "revocation.feed": ("RevocationChange", "RevocationFeed"),
    "revocation.update": ("install_revocations", "remove_revocations", "update_revocations"),
    "rules.assessment": ("Assessment", "NationalRules"),
    "rules.book": ("RuleBook",),
    "rules.config": ("load_rule_sources",),
    "rules.feed": ("RuleChange", "RuleFeed"),
    "rules.forecast": ("Span", "forecast"),
    "rules.holder": ("Best", "best_of", "group_by_holder", "same_holder"),
    "rules.rule": ("Rule", "read_rule"),
    "rules.ruling": ("RuleResult", "RuleState", "Ruling", "RulingOutcome"),
    "rules.store": ("RuleStore",),
    "rules.subject": ("RuleSubject",),
    "rules.update": ("install_rules", "recheck_rules", "remove_rules", "update_rules"),
    "rules.valuesets": ("ValueSet", "ValueSetCode", "ValueSets", "read_value_set"),
    "trust.config": ("load_sources",),
    "trust.keys": ("Assurance", "Link", "Provenance", "TrustedKey"),
    "trust.sources.protocol": ("TrustList",),
    "trust.store": ("TrustStore",),
    "trust.update": ("Change", "Feed", "install_list", "recheck_lists", "update_lists"),
    "verify.inspect": ("Unverified", "inspect_unverified"),
    "verify.policy": ("Policy", "RevocationCheck", "RulesCheck"),
    "verify.report": ("Outcome", "Report", "StepOutcome", "StepResult", "Verified"),
    "verify.verifier": ("Verifier",),
}
_HOME = {name: module for module, names in _PUBLIC.items() for name in names}
_PACKAGES = ("rules",)  # whose parts are public under the package's own name: hc.rules.certlogic

__version__ = "0.1.0"
__all__ = ["__version__", *_PACKAGES, *_HOME]  # noqa: PLE0604 (the values are strings)


def __getattr__(name: str) -> Any:
    if name in _PACKAGES:
        return import_module(f"{__name__}.{name}")
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
