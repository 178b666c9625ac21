"""Departures from the schema that real issuers are known for, mended one by one and each reported.

Called only when a payload does not fit the schema as it stands (DCC schema 1.3.0). What is not listed here is
not mended: the payload is then refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from healthcert.encoding import cbor
from healthcert.errors import Code, Step
from healthcert.families.protocol import Finding

# Compiled when they are first needed, which is seldom; all patterns together take longer than a certificate.
_DATE_TIME = r"(?s)([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ].*"
_PADDED = r"([0-9]{4})-00(?:-00)?|([0-9]{4}-(?!00)[0-9]{2})-00"
_NO_ZONE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:[.,][0-9]+)?"

_EXACT = 2**53  # beyond it a float is not any one whole number
_GROUPS = ("v", "t", "r")
_MAY_BE_TAGGED = frozenset(("dt", "sc", "dr", "fr", "df", "du"))
_DATES = {"v": ("dt",), "t": (), "r": ("fr", "df", "du")}


def mend(payload: Mapping[Any, Any]) -> tuple[dict[Any, Any], list[Finding]]:
    """A copy of ``payload`` with the known departures put right, and what they were."""
    findings: list[Finding] = []
    mended: dict[Any, Any] = {key: value for key, value in payload.items() if isinstance(key, str)}
    if isinstance(mended.get("nam"), Mapping):
        mended["nam"] = _without_nulls(mended["nam"], "nam", findings)
    if "dob" in mended:
        mended["dob"] = mend_birth_date(mended["dob"], "dob", findings)
    for group in _GROUPS:
        if group not in mended:
            continue
        entries = mended[group]
        if entries is None or (isinstance(entries, (list, tuple)) and not entries):
            del mended[group]
            findings.append(_found(Code.EMPTY_GROUP, f"{group}: present but empty"))
        elif isinstance(entries, (list, tuple)):
            mended[group] = [
                _entry(entry, group, f"{group}[{index}]", findings) if isinstance(entry, Mapping) else entry
                for index, entry in enumerate(entries)
            ]
    return mended, findings


def _entry(entry: Mapping[Any, Any], group: str, where: str, findings: list[Finding]) -> dict[Any, Any]:
    mended = _without_nulls(entry, where, findings)
    for field in sorted(_MAY_BE_TAGGED & mended.keys()):
        # DCC schema 1.0.1 had date-times tagged (RFC 8949 §3.4.1); later versions take both.
        value = mended[field]
        if isinstance(value, cbor.Tag) and value.tag == 0 and isinstance(value.value, str):
            mended[field] = value.value
            findings.append(_found(Code.TAGGED_DATE_TIME, f"{where}.{field}: CBOR tag 0 around a date-time"))
    for field in _DATES[group]:
        mended[field] = mend_date(mended.get(field), f"{where}.{field}", findings)
    if group == "t" and isinstance(mended.get("sc"), str) and re.fullmatch(_NO_ZONE, mended["sc"]):
        mended["sc"] += "Z"
        findings.append(_found(Code.TIME_WITHOUT_ZONE, f"{where}.sc: no time zone, read as UTC"))
    if group == "v":
        for field in ("dn", "sd"):
            if field in mended:
                mended[field] = mend_number(mended[field], f"{where}.{field}", findings)
    return mended


def _without_nulls(fields: Mapping[Any, Any], where: str, findings: list[Finding]) -> dict[Any, Any]:
    nulls = sum(value is None for value in fields.values())
    if nulls:
        findings.append(_found(Code.NULL_FIELD, f"{where}: {nulls} null field(s), read as absent"))
    # A key that is no text cannot be one of the schema's; like other unknown ones it is only shown as "other".
    return {field: value for field, value in fields.items() if value is not None and isinstance(field, str)}


def mend_date(value: Any, where: str, findings: list[Finding]) -> Any:
    """The day of a date-time that stands where a date belongs."""
    match = re.fullmatch(_DATE_TIME, value) if isinstance(value, str) else None
    if match is None:
        return value
    findings.append(_found(Code.DATE_WITH_TIME, f"{where}: a date-time where a date belongs"))
    return match[1]


def mend_birth_date(value: Any, where: str, findings: list[Finding]) -> Any:
    """What is known of a date of birth whose unknown parts are written as 00."""
    value = mend_date(value, where, findings)
    match = re.fullmatch(_PADDED, value) if isinstance(value, str) else None
    if match is None:
        return value
    findings.append(_found(Code.BIRTH_DATE_PADDED, f"{where}: an unknown month or day written as 00"))
    return match[1] or match[2]


def mend_number(value: Any, where: str, findings: list[Finding]) -> Any:
    """A whole number that is written as a float."""
    if type(value) is not float or not value.is_integer() or abs(value) > _EXACT:
        return value
    findings.append(_found(Code.FLOAT_DOSE, f"{where}: a whole number written as a float"))
    return int(value)


def _found(code: Code, detail: str) -> Finding:
    return Finding(code, Step.CONTENT, detail)
