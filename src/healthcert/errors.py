"""One exception tree and one list of codes, for the library, the CLI and the documents alike.

Every code is stable: it may be added to, never renamed. What each one means, what causes it and what
helps is in ``docs/reference/codes.md``; a test compares the two.
"""

from __future__ import annotations

from enum import StrEnum, unique


@unique
class Step(StrEnum):
    """A step of the verification, in the fixed order; issuing uses the same words for its checks."""

    RECOGNISE = "recognise"
    DECODE = "decode"
    TRUST = "trust"
    SIGNATURE = "signature"
    TIME = "time"
    CONTENT = "content"
    USAGE = "usage"
    REVOCATION = "revocation"
    RULES = "rules"

    __hash__ = str.__hash__  # Enum's own is a function in Python, and steps are looked up for every certificate


@unique
class Code(StrEnum):
    """What was found. The first group carries the names that the hcert-kotlin family of verifiers uses."""

    OK = "OK"

    GENERAL_ERROR = "GENERAL_ERROR"
    INVALID_SCHEME_PREFIX = "INVALID_SCHEME_PREFIX"
    DECOMPRESSION_FAILED = "DECOMPRESSION_FAILED"
    BASE_45_DECODING_FAILED = "BASE_45_DECODING_FAILED"
    COSE_DESERIALIZATION_FAILED = "COSE_DESERIALIZATION_FAILED"
    CBOR_DESERIALIZATION_FAILED = "CBOR_DESERIALIZATION_FAILED"
    SCHEMA_VALIDATION_FAILED = "SCHEMA_VALIDATION_FAILED"
    CWT_EXPIRED = "CWT_EXPIRED"
    CWT_NOT_YET_VALID = "CWT_NOT_YET_VALID"
    KEY_NOT_IN_TRUST_LIST = "KEY_NOT_IN_TRUST_LIST"
    PUBLIC_KEY_EXPIRED = "PUBLIC_KEY_EXPIRED"
    PUBLIC_KEY_NOT_YET_VALID = "PUBLIC_KEY_NOT_YET_VALID"
    UNSUITABLE_PUBLIC_KEY_TYPE = "UNSUITABLE_PUBLIC_KEY_TYPE"
    SIGNATURE_INVALID = "SIGNATURE_INVALID"
    REVOKED = "REVOKED"

    # What those names lack.
    INPUT_TOO_LONG = "INPUT_TOO_LONG"
    UNSUPPORTED_VERSION = "UNSUPPORTED_VERSION"
    FAMILY_NOT_ACCEPTED = "FAMILY_NOT_ACCEPTED"
    FAMILY_NOT_SUPPORTED = "FAMILY_NOT_SUPPORTED"
    NOT_SIGNED = "NOT_SIGNED"
    PARTS_MISSING = "PARTS_MISSING"
    PARTS_INCONSISTENT = "PARTS_INCONSISTENT"
    EXTRA_MISSING = "EXTRA_MISSING"
    NUMERIC_DECODING_FAILED = "NUMERIC_DECODING_FAILED"
    BASE_32_DECODING_FAILED = "BASE_32_DECODING_FAILED"
    JWS_DESERIALIZATION_FAILED = "JWS_DESERIALIZATION_FAILED"
    JSON_DESERIALIZATION_FAILED = "JSON_DESERIALIZATION_FAILED"
    ARCHIVE_UNREADABLE = "ARCHIVE_UNREADABLE"
    CANONICALIZATION_FAILED = "CANONICALIZATION_FAILED"
    TWODDOC_DESERIALIZATION_FAILED = "TWODDOC_DESERIALIZATION_FAILED"
    ISSUER_INVALID = "ISSUER_INVALID"
    CRITICAL_HEADER_UNKNOWN = "CRITICAL_HEADER_UNKNOWN"
    TRUST_STORE_EMPTY = "TRUST_STORE_EMPTY"
    ALGORITHM_NOT_ACCEPTED = "ALGORITHM_NOT_ACCEPTED"
    PUBLIC_KEY_TOO_WEAK = "PUBLIC_KEY_TOO_WEAK"
    CWT_TIME_INVALID = "CWT_TIME_INVALID"
    ISSUED_BEFORE_KEY = "ISSUED_BEFORE_KEY"
    CONTENT_NOT_SUPPORTED = "CONTENT_NOT_SUPPORTED"
    NO_ENTRY = "NO_ENTRY"
    MULTIPLE_ENTRIES = "MULTIPLE_ENTRIES"
    ENTRY_TYPE_NOT_ACCEPTED = "ENTRY_TYPE_NOT_ACCEPTED"
    TEST_RESULT_POSITIVE = "TEST_RESULT_POSITIVE"
    TEST_RESULT_UNKNOWN = "TEST_RESULT_UNKNOWN"
    EVENT_IN_FUTURE = "EVENT_IN_FUTURE"
    KEY_USAGE_MISMATCH = "KEY_USAGE_MISMATCH"
    KEY_ASSURANCE_TOO_LOW = "KEY_ASSURANCE_TOO_LOW"
    TRUST_LIST_EXPIRED = "TRUST_LIST_EXPIRED"
    REVOCATION_UNKNOWN = "REVOCATION_UNKNOWN"
    REVOCATION_POSSIBLE = "REVOCATION_POSSIBLE"
    RULES_NOT_MET = "RULES_NOT_MET"
    RULES_OPEN = "RULES_OPEN"
    RULES_UNKNOWN = "RULES_UNKNOWN"

    # Departures from the letter that are seen in the wild. A policy tolerates them one by one: a
    # tolerated one is a warning in the report, any other fails its step under this very code.
    URL_ESCAPED_TEXT = "URL_ESCAPED_TEXT"
    ALGORITHM_UNPROTECTED = "ALGORITHM_UNPROTECTED"
    FLOAT_TIME = "FLOAT_TIME"
    TAGGED_TIME = "TAGGED_TIME"
    EXPIRES_AFTER_KEY = "EXPIRES_AFTER_KEY"
    KEY_DATES_UNKNOWN = "KEY_DATES_UNKNOWN"
    TAGGED_DATE_TIME = "TAGGED_DATE_TIME"
    DATE_WITH_TIME = "DATE_WITH_TIME"
    TIME_WITHOUT_ZONE = "TIME_WITHOUT_ZONE"
    BIRTH_DATE_PADDED = "BIRTH_DATE_PADDED"
    EMPTY_GROUP = "EMPTY_GROUP"
    NULL_FIELD = "NULL_FIELD"
    FLOAT_DOSE = "FLOAT_DOSE"
    DOSE_OUT_OF_RANGE = "DOSE_OUT_OF_RANGE"
    EMPTY_CODE = "EMPTY_CODE"
    TEXT_TOO_LONG = "TEXT_TOO_LONG"
    NAME_NOT_TRANSLITERATED = "NAME_NOT_TRANSLITERATED"
    UNKNOWN_DISEASE = "UNKNOWN_DISEASE"
    UNKNOWN_CODE = "UNKNOWN_CODE"
    UNKNOWN_SCHEMA_VERSION = "UNKNOWN_SCHEMA_VERSION"
    SCHEMA_VERSION_MISMATCH = "SCHEMA_VERSION_MISMATCH"
    TIME_ABSENT = "TIME_ABSENT"
    FIELD_MISSING = "FIELD_MISSING"
    UNKNOWN_CLAIM = "UNKNOWN_CLAIM"
    ISSUER_NOT_A_COUNTRY = "ISSUER_NOT_A_COUNTRY"
    UNDEFINED_VALUE = "UNDEFINED_VALUE"
    ISSUER_COUNTRY_MISMATCH = "ISSUER_COUNTRY_MISMATCH"
    TRUST_LIST_STALE = "TRUST_LIST_STALE"
    FIELD_UNEXPECTED = "FIELD_UNEXPECTED"
    CARD_TOO_LONG = "CARD_TOO_LONG"

    # Loading, issuing, reading and writing.
    CERTIFICATE_UNREADABLE = "CERTIFICATE_UNREADABLE"
    TRUST_STORE_UNREADABLE = "TRUST_STORE_UNREADABLE"
    TRUST_CONFIG_INVALID = "TRUST_CONFIG_INVALID"
    TRUST_ANCHOR_UNREADABLE = "TRUST_ANCHOR_UNREADABLE"
    TRUST_ANCHOR_MISSING = "TRUST_ANCHOR_MISSING"
    TRUST_LIST_UNREADABLE = "TRUST_LIST_UNREADABLE"
    TRUST_LIST_NOT_AUTHENTIC = "TRUST_LIST_NOT_AUTHENTIC"
    TRUST_LIST_ROLLED_BACK = "TRUST_LIST_ROLLED_BACK"
    TRUST_LIST_EQUIVOCATES = "TRUST_LIST_EQUIVOCATES"
    TRUST_LIST_SHRANK = "TRUST_LIST_SHRANK"
    ENVIRONMENT_MIXED = "ENVIRONMENT_MIXED"
    CLOCK_BEHIND = "CLOCK_BEHIND"
    KEY_NOT_CHAINED = "KEY_NOT_CHAINED"
    REVOCATION_LIST_UNREADABLE = "REVOCATION_LIST_UNREADABLE"
    REVOCATION_LIST_NOT_AUTHENTIC = "REVOCATION_LIST_NOT_AUTHENTIC"
    REVOCATION_LIST_ROLLED_BACK = "REVOCATION_LIST_ROLLED_BACK"
    REVOCATION_LIST_EQUIVOCATES = "REVOCATION_LIST_EQUIVOCATES"
    REVOCATION_LIST_SHRANK = "REVOCATION_LIST_SHRANK"
    REVOCATION_LIST_EXPIRED = "REVOCATION_LIST_EXPIRED"
    REVOCATION_ANCHOR_MISSING = "REVOCATION_ANCHOR_MISSING"
    REVOCATION_STORE_UNREADABLE = "REVOCATION_STORE_UNREADABLE"
    REVOCATION_CONFIG_INVALID = "REVOCATION_CONFIG_INVALID"
    REVOCATION_NOT_ALLOWED = "REVOCATION_NOT_ALLOWED"
    CERTLOGIC_INVALID = "CERTLOGIC_INVALID"
    CERTLOGIC_UNDEFINED = "CERTLOGIC_UNDEFINED"
    CERTLOGIC_LIMIT = "CERTLOGIC_LIMIT"
    RULE_INVALID = "RULE_INVALID"
    RULE_NOT_SUPPORTED = "RULE_NOT_SUPPORTED"
    RULE_LIST_UNREADABLE = "RULE_LIST_UNREADABLE"
    RULE_LIST_NOT_AUTHENTIC = "RULE_LIST_NOT_AUTHENTIC"
    RULE_LIST_ROLLED_BACK = "RULE_LIST_ROLLED_BACK"
    RULE_LIST_EQUIVOCATES = "RULE_LIST_EQUIVOCATES"
    RULE_LIST_SHRANK = "RULE_LIST_SHRANK"
    RULE_LIST_EXPIRED = "RULE_LIST_EXPIRED"
    RULE_ANCHOR_MISSING = "RULE_ANCHOR_MISSING"
    RULE_STORE_UNREADABLE = "RULE_STORE_UNREADABLE"
    RULE_CONFIG_INVALID = "RULE_CONFIG_INVALID"
    FETCH_FAILED = "FETCH_FAILED"
    FETCH_REFUSED = "FETCH_REFUSED"
    PUBLISHING_REFUSED = "PUBLISHING_REFUSED"
    IMAGE_UNREADABLE = "IMAGE_UNREADABLE"
    NO_BARCODE_FOUND = "NO_BARCODE_FOUND"
    NO_CERTIFICATE_FOUND = "NO_CERTIFICATE_FOUND"
    TEXT_UNREADABLE = "TEXT_UNREADABLE"
    JWE_DESERIALIZATION_FAILED = "JWE_DESERIALIZATION_FAILED"
    DECRYPTION_FAILED = "DECRYPTION_FAILED"
    LINK_EXPIRED = "LINK_EXPIRED"
    PASSCODE_REFUSED = "PASSCODE_REFUSED"
    BARCODE_TOO_LARGE = "BARCODE_TOO_LARGE"
    FIELD_INVALID = "FIELD_INVALID"
    NAME_NEEDS_PASSPORT_SPELLING = "NAME_NEEDS_PASSPORT_SPELLING"
    SIGNER_KEY_UNREADABLE = "SIGNER_KEY_UNREADABLE"
    SIGNER_KEY_MISMATCH = "SIGNER_KEY_MISMATCH"
    SIGNING_FAILED = "SIGNING_FAILED"
    PIN_REFUSED = "PIN_REFUSED"
    TOKEN_UNAVAILABLE = "TOKEN_UNAVAILABLE"  # noqa: S105 (a token is a hardware module)
    NO_SIGNER = "NO_SIGNER"
    REQUEST_INVALID = "REQUEST_INVALID"
    RECORD_UNREADABLE = "RECORD_UNREADABLE"
    RECORD_NOT_SUPPORTED = "RECORD_NOT_SUPPORTED"
    RECORD_NOT_FINAL = "RECORD_NOT_FINAL"
    CODE_NOT_MAPPED = "CODE_NOT_MAPPED"
    HOLDER_UNKNOWN = "HOLDER_UNKNOWN"
    IDENTITY_INVALID = "IDENTITY_INVALID"
    IDENTITY_MISMATCH = "IDENTITY_MISMATCH"
    MAPPING_INVALID = "MAPPING_INVALID"
    PROFILE_INVALID = "PROFILE_INVALID"
    REGISTER_UNUSABLE = "REGISTER_UNUSABLE"
    NOT_IN_REGISTER = "NOT_IN_REGISTER"
    ISSUED_AND_REVOKED = "ISSUED_AND_REVOKED"
    ISSUED_OTHERWISE = "ISSUED_OTHERWISE"
    AUDIT_BROKEN = "AUDIT_BROKEN"
    CLAIM_CODE_REFUSED = "CLAIM_CODE_REFUSED"
    CLAIM_CODE_SPENT = "CLAIM_CODE_SPENT"
    DOCUMENT_FAILED = "DOCUMENT_FAILED"
    TEMPLATE_INVALID = "TEMPLATE_INVALID"
    WALLET_UNREADABLE = "WALLET_UNREADABLE"
    WORKER_LOST = "WORKER_LOST"
    JOURNAL_UNUSABLE = "JOURNAL_UNUSABLE"
    ENVIRONMENT = "ENVIRONMENT"

    __hash__ = str.__hash__  # as above


class HealthCertError(Exception):
    """The root of every exception this package raises for bad input.

    ``detail`` is written to be logged: it names fields and rules, and never holds a holder's data, a key or
    raw payload.
    """

    def __init__(self, code: Code, detail: str, step: Step | None = None) -> None:
        super().__init__(code, detail, step)
        self.code = code
        self.detail = detail
        self.step = step

    def __str__(self) -> str:
        where = f" at {self.step}" if self.step else ""
        return f"{self.code}{where}: {self.detail}"


class DecodeError(HealthCertError):
    """A text, image or file could not be turned into the bytes or values it should hold."""


class TrustError(HealthCertError):
    """A certificate, key or trust store could not be used."""


class RevocationError(HealthCertError):
    """A revocation list or store could not be used."""


class RuleError(HealthCertError):
    """A rule, a list of rules or a store of them could not be used, or a rule could not be evaluated."""


class VerificationError(HealthCertError):
    """A certificate was refused, or its standing could not be determined."""


class IssueError(HealthCertError):
    """A record, signer or policy does not allow a certificate to be issued."""


class RegisterError(HealthCertError):
    """A register of issued certificates, its audit log or an issuing authority's profile could not be used."""


class BatchError(HealthCertError):
    """Bulk work could not be begun, gone on with, or done."""


class DocumentError(HealthCertError):
    """A certificate could not be put on paper, on a card or into a wallet, or a template could not be used."""


class WalletError(HealthCertError):
    """A holder's wallet could not be opened or written."""


class FetchError(HealthCertError):
    """A resource could not be fetched within its limits.

    ``status`` is the one that the server answered with, where that is what failed; None otherwise.
    """

    def __init__(self, code: Code, detail: str, step: Step | None = None, *, status: int | None = None) -> None:
        super().__init__(code, detail, step)
        self.status = status
