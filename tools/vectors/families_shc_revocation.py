"""Cases of the revocation of SMART Health Cards: HC-SHC-460 to 499."""

# ruff: noqa: E501 (one case a line)

from __future__ import annotations

import hashlib
import json
from typing import Any

from tools.vectors.case import Case
from tools.vectors.families_keys import SHC_ELSEWHERE, SHC_ISSUER, base64url, thumbprint
from tools.vectors.families_press import altered
from tools.vectors.families_shc import BUNDLE, shown
from tools.vectors.press import ISSUED

_REVOCATION = 'SMART Health Cards, "Revocation"'
_FRESH, _OVERDUE = "2021-08-21T10:00:00Z", "2021-08-20T09:00:00Z"


def cases() -> list[Case]:
    """How a list names a card, and whose lists count."""
    return [*_revoked(), *_covered()]


def _list(*entries: dict[str, Any], **changes: Any) -> list[dict[str, Any]]:
    """One fresh list that speaks for the key of the cards."""
    kid = thumbprint("shc").encode().hex()
    return [
        {"countries": [], "keys": [{"issuer": SHC_ISSUER, "kid": kid}], "best_before": _FRESH, "entries": list(entries)}
        | changes
    ]


def _entry(
    rid: str, type_: str = "SHC-RID", *, key: str = "shc", issuer: str = SHC_ISSUER, **further: Any
) -> dict[str, Any]:
    return {
        "type": type_,
        "key": rid.encode().ljust(24, b"\0").hex(),
        "kid": thumbprint(key).encode().hex(),
        "issuer": issuer,
    } | further


def _fhir(bundle: Any) -> str:
    """RFC 002: eight bytes of the SHA-256 of the base64url of the canonical form, which for ASCII is this."""
    canonical = json.dumps(bundle, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()
    return base64url(hashlib.sha256(base64url(canonical).encode()).digest()[:8])


def _revoked() -> list[Case]:
    listed, none = _entry("revoked1"), _entry("x" * 24)
    rid: dict[str, Any] = {"vc": {"rid": "revoked1"}}
    made: list[tuple[str, str, str, list[dict[str, Any]], dict[str, Any]]] = [
        ("460", "A card whose rid is listed", "REVOKED", _list(listed), rid),
        ("461", "A card of the longest rid, which is listed", "REVOKED", _list(none), {"vc": {"rid": "x" * 24}}),
        (
            "462",
            "A rid that is listed for what is older, and the card is",
            "REVOKED",
            _list(listed | {"before": ISSUED + 1}),
            rid,
        ),
        (
            "463",
            "A rid that is listed for what is older, and the card is not",
            "OK",
            _list(listed | {"before": ISSUED}),
            rid,
        ),
        ("464", "Another rid is listed", "OK", _list(none), rid),
        ("465", "The same rid of another key", "OK", _list(_entry("revoked1", key="shc-second")), rid),
        ("466", "The same rid of another issuer", "OK", _list(_entry("revoked1", issuer=SHC_ELSEWHERE)), rid),
        (
            "467",
            "A card without a rid, by the hash of its bundle",
            "REVOKED",
            _list(_entry(_fhir(BUNDLE), "SHC-FHIR")),
            {},
        ),
        (
            "468",
            "The hash of another bundle",
            "OK",
            _list(_entry(_fhir(altered(BUNDLE, "type", to="x")), "SHC-FHIR")),
            {},
        ),
        (
            "469",
            "A card with a rid is not named by the hash of its bundle",
            "OK",
            _list(_entry(_fhir(BUNDLE), "SHC-FHIR"), listed | {"before": 0}),
            rid,
        ),
    ]
    required = {"policy": {"revocation": "required"}}
    cases = [
        case
        for n, title, code, revocation, card in made
        for case in shown(
            f"HC-SHC-{n}",
            title,
            _REVOCATION,
            code,
            circumstances={"revocation": revocation} | (required if code == "OK" else {}),
            **card,
        )
    ]
    bad = "SCHEMA_VALIDATION_FAILED"
    return [
        *cases,
        *shown("HC-SHC-470", "A rid of more characters than any has", _REVOCATION, bad, vc={"rid": "x" * 25}),
        *shown("HC-SHC-471", "A rid with a character that none has", _REVOCATION, bad, vc={"rid": "revoked.1"}),
        *shown("HC-SHC-472", "An empty rid", _REVOCATION, bad, vc={"rid": ""}),
        *shown("HC-SHC-473", "A rid that is a number", _REVOCATION, bad, vc={"rid": 7}),
        *shown("HC-SHC-474", "A rid that is null", _REVOCATION, bad, vc={"rid": None}),
        *shown("HC-SHC-475", "A rid with a line end", _REVOCATION, bad, vc={"rid": "revoked1\n"}),
    ]  # fmt: skip


def _covered() -> list[Case]:
    unknown, kid = "REVOCATION_UNKNOWN", thumbprint("shc").encode().hex()
    required = {"revocation": "required"}
    elsewhere = [{"issuer": SHC_ELSEWHERE, "kid": kid}]
    return [
        *shown("HC-SHC-480", "No list, and one is required", _REVOCATION, unknown, circumstances={"policy": required}),
        *shown("HC-SHC-481", "A list that is overdue", _REVOCATION, unknown, circumstances={"revocation": _list(_entry("x"), best_before=_OVERDUE), "policy": required}, vc={"rid": "revoked1"}),
        *shown("HC-SHC-482", "A list of another issuer's key of the same name", _REVOCATION, unknown, circumstances={"revocation": _list(_entry("x"), keys=elsewhere), "policy": required}, vc={"rid": "revoked1"}),
        *shown("HC-SHC-483", "A list of EU DCCs of every country", _REVOCATION, unknown, circumstances={"revocation": [{"countries": ["*"], "best_before": _FRESH, "entries": [{"type": "UCI", "key": "00" * 16}]}], "policy": required}, vc={"rid": "revoked1"}),
    ]  # fmt: skip
