"""Cases of who vouches for the signers of seals: HC-VDS-130 to 199."""

# ruff: noqa: E501 (one case a line)

from __future__ import annotations

from typing import Any

from tools.vectors.case import Case
from tools.vectors.families_press import altered
from tools.vectors.families_vds import TESTED, VACCINATED, shown

_PROFILES, _HEADER = "ICAO VDS-NC, certificate profiles", "ICAO VDS-NC, header"
_AUTHORITIES, _PATH, _ONE_COUNTRY, _LIFE, _TYPES, _SIGNERS = (
    f"ICAO Doc {section}"
    for section in ("9303-12 §3", "9303-13 §5.4", "9303-12 §7.1.1", "9303-12 §4", "9303-12 §7.1.1.6", "9303-13 §5.4")
)
_USAGES, _VALIDATION, _PERIOD, _DATES = (
    "RFC 5280 §4.2.1.12",
    "RFC 5280 §6.1.3",
    "RFC 5280 §4.2.1.4",
    "RFC 5280 §4.1.2.5",
)
_DOMAINS, _GOVERNANCE, _STATES = "WHO trust domains", "Certificate governance §3.3", "ICAO Doc 9303-3 §5"
_UNKNOWN, _NOT_CHAINED, _MISMATCH = "KEY_NOT_IN_TRUST_LIST", "KEY_NOT_CHAINED", "KEY_USAGE_MISMATCH"
_UNREADABLE, _EMPTY, _UNSURE = "CERTIFICATE_UNREADABLE", "TRUST_STORE_EMPTY", "KEY_ASSURANCE_TOO_LOW"


def cases() -> list[Case]:
    """The authority, the certificate's purpose, its country, those added by hand, times, lists."""
    return [*_authorities(), *_purposes(), *_countries(), *_pinned(), *_times(), *_lists()]


def _of(country: str) -> Any:
    return altered(VACCINATED, "hdr", "is", to=country)


def _authorities() -> list[Case]:
    return [
        *shown("130", "No trusted keys at all", _PATH, _EMPTY, trust=()),
        *shown("131", "An authority of another name", _PATH, _UNKNOWN, signer="icao-bcs-orphan"),
        *shown("132", "Somebody else signed the certificate in the authority's name", _PATH, _NOT_CHAINED, signer="icao-bcs-forged"),
        *shown("133", "The certificate names another key of its authority", _PATH, _NOT_CHAINED, signer="icao-bcs-other-key-id"),
        *shown("134", "The certificate does not name the key of its authority", _PATH, signer="icao-bcs-no-key-id"),
        *shown("135", "The authority has another key meanwhile", _PATH, _NOT_CHAINED, trust=("icao-csca-rekeyed",)),
        *shown("136", "The authority has another key besides", _PATH, trust=("icao-csca-rekeyed", "icao-csca")),
        *shown("137", "What is added is no authority", _PATH, _UNKNOWN, trust=("icao-csca-no-authority",)),
        *shown("138", "The authority is one for EU DCCs alone", _DOMAINS, _UNKNOWN, trust=("icao-csca-elsewhere",)),
        *shown("141", "The authority is one for whatever it fits", _DOMAINS, trust=("icao-csca-any",)),
        *shown("139", "A DSC of EU DCCs and nothing else", _PATH, _UNKNOWN, trust=("dsc",)),
        *shown("140", "A forged certificate, and two authorities of the name", _PATH, _NOT_CHAINED, trust=("icao-csca-rekeyed", "icao-csca"), signer="icao-bcs-forged"),
    ]  # fmt: skip


def _purposes() -> list[Case]:
    return [
        *shown("145", "A certificate that states neither usage nor documents", f"{_USAGES}; {_PROFILES}", _NOT_CHAINED, signer="icao-bcs-plain"),
        *shown("157", "A certificate that states documents and no usage", _PROFILES, signer="icao-bcs-types-alone"),
        *shown("158", "A certificate that states a usage and no documents", _PROFILES, signer="icao-bcs-usage-alone"),
        *shown("146", "A certificate for another use", _USAGES, _NOT_CHAINED, signer="icao-bcs-clients"),
        *shown("147", "A certificate that is an authority's", _AUTHORITIES, _NOT_CHAINED, signer="icao-bcs-authority"),
        *shown("148", "A certificate that may sign certificates", _AUTHORITIES, _NOT_CHAINED, signer="icao-bcs-certifier"),
        *shown("149", "A seal of a vaccination, by a certificate for those", _TYPES, signer="icao-bcs-nv"),
        *shown("150", "A seal of a test, by a certificate for vaccinations", f"{_TYPES}; {_PROFILES}", _MISMATCH, signer="icao-bcs-nv", data=TESTED),
        *shown("151", "A seal of a test, by a certificate for tests and passports", _TYPES, signer="icao-bcs-nt", data=TESTED),
        *shown("152", "A seal of a vaccination, by a certificate for tests and passports", _TYPES, _MISMATCH, signer="icao-bcs-nt"),
        *shown("153", "A certificate for passports", _TYPES, _MISMATCH, signer="icao-bcs-passports"),
        *shown("154", "Types of documents that are none", _TYPES, _UNREADABLE, signer="icao-bcs-types-unreadable"),
        *shown("155", "Types of documents of another version", _TYPES, _UNREADABLE, signer="icao-bcs-types-v1"),
        *shown("156", "Types of documents that are not ASCII", _TYPES, _UNREADABLE, signer="icao-bcs-types-not-ascii"),
    ]  # fmt: skip


def _countries() -> list[Case]:
    both = ("icao-csca-utopia", "icao-csca")
    return [
        *shown("160", "The seal names another country", _HEADER, _NOT_CHAINED, data=_of("DEU")),
        *shown("161", "The seal names a country that there is not", _HEADER, _NOT_CHAINED, data=_of("XQX")),
        *shown("162", "The certificate is another country's than its authority", _ONE_COUNTRY, _NOT_CHAINED, signer="icao-bcs-germany", data=_of("D")),
        *shown("163", "A specimen, by the authority of Utopia", _STATES, signer="icao-bcs-utopia", trust=both, data=_of("UTO")),
        *shown("164", "A specimen, by the authority of a country", _HEADER, _NOT_CHAINED, data=_of("UTO")),
        *shown("165", "An authority of the same name and key in another country", _ONE_COUNTRY, _UNKNOWN, trust=("icao-csca-germany",)),
    ]  # fmt: skip


def _pinned() -> list[Case]:
    bcs = ("icao-bcs",)
    return [
        *shown("170", "The signer's own certificate was added by hand", _PATH, trust=bcs),
        *shown("171", "Added by hand, and the seal names another country", _HEADER, _NOT_CHAINED, trust=bcs, data=_of("DEU")),
        *shown("172", "Added by hand, and the seal is a specimen's", _HEADER, trust=bcs, data=_of("UTO")),
        *shown("173", "Added by hand, and the seal names a country that there is not", _HEADER, _NOT_CHAINED, trust=bcs, data=_of("XQX")),
        *shown("179", "A certificate that states neither usage nor documents, added by hand", _PROFILES, trust=("icao-bcs-plain",), signer="icao-bcs-plain"),
        *shown("142", "A certificate of no country was added by hand, and the seal names one that there is not", _HEADER, _NOT_CHAINED, trust=("icao-bcs-nowhere",), signer="icao-bcs-nowhere", data=_of("XQX")),
        *shown("174", "A certificate for another use, added by hand", _USAGES, _NOT_CHAINED, trust=("icao-bcs-clients",), signer="icao-bcs-clients"),
        *shown("175", "A certificate for vaccinations, added by hand, and a seal of a test", _TYPES, _MISMATCH, trust=("icao-bcs-nv",), signer="icao-bcs-nv", data=TESTED),
        *shown("176", "An authority that was added by hand seals by itself", _AUTHORITIES, _UNKNOWN, trust=("icao-bcs-authority",), signer="icao-bcs-authority"),
        *shown("177", "Its bare key was added by hand under its kid", _AUTHORITIES, "OK", "KEY_DATES_UNKNOWN", trust=("icao-bcs-authority-bare",), signer="icao-bcs-authority"),
        *shown("178", "Another key was added by hand under the kid of the certificate", _PATH, _UNKNOWN, trust=("icao-bcs-unpinned-key",)),
    ]  # fmt: skip


def _times() -> list[Case]:
    ended, early = "PUBLIC_KEY_EXPIRED", "PUBLIC_KEY_NOT_YET_VALID"
    return [
        *shown("180", "The certificate has ended", _DATES, ended, signer="icao-bcs-ended"),
        *shown("181", "The certificate has not begun", _DATES, early, signer="icao-bcs-to-come"),
        *shown("182", "The authority has ended", f"{_VALIDATION}; {_LIFE}", ended, trust=("icao-csca-ended",)),
        *shown("183", "The authority has ended, and has another certificate", _VALIDATION, trust=("icao-csca-ended", "icao-csca")),
        *shown("184", "Two certificates of the authority, in the other order", _VALIDATION, trust=("icao-csca", "icao-csca-ended")),
        *shown("185", "The certificate lives, its authority longer", _LIFE, trust=("icao-csca-later", "icao-csca")),
        *shown("188", "Another certificate of the authority ends later, and has not begun", _VALIDATION, trust=("icao-csca-to-come", "icao-csca")),
        *shown("186", "The period in which the key signs is over", _PERIOD, signer="icao-bcs-period"),
        *shown("187", "A certificate that was added by hand has ended", _DATES, ended, signer="icao-bcs-ended", trust=("icao-bcs-ended",)),
    ]  # fmt: skip


def _lists() -> list[Case]:
    tls_only = {"policy": {"assurances": ["tls_only"]}}
    return [
        *shown("190", "The authority is on a signed list", _PATH, trust=("icao-list",)),
        *shown("198", "The authority is on a list as one that uploads", _PATH, _UNKNOWN, trust=("icao-list-uploader",)),
        *shown("191", "The authority is on a list for EU DCCs", _DOMAINS, _UNKNOWN, trust=("icao-list-elsewhere",)),
        *shown("192", "The authority is on a list that only its server's name vouches for", _GOVERNANCE, _UNSURE, trust=("icao-list-tls-only",)),
        *shown("193", "The same, which the policy accepts", _GOVERNANCE, trust=("icao-list-tls-only",), circumstances=tls_only),
        *shown("194", "The authority is on a list that is overdue by seven days", _GOVERNANCE, "TRUST_LIST_STALE", trust=("icao-list-overdue",), quirk=True, step="trust"),
        *shown("195", "The authority is on a list that is overdue by more", _GOVERNANCE, "TRUST_LIST_EXPIRED", trust=("icao-list-expired",)),
        *shown("189", "No authority of the name, and the list of authorities is too old to tell", _GOVERNANCE, "TRUST_LIST_EXPIRED", trust=("icao-list-expired",), signer="icao-bcs-orphan"),
        *shown("199", "A forged certificate, and the list of authorities is too old to tell", _GOVERNANCE, _NOT_CHAINED, trust=("icao-list-expired",), signer="icao-bcs-forged"),
        *shown("196", "What the list has is no authority", _PATH, _NOT_CHAINED, trust=("icao-list-no-authority",)),
        *shown("197", "An authority of the name, whose key is another, on a list of little assurance", _PATH, _UNKNOWN, trust=("icao-list-stranger",)),
    ]  # fmt: skip
