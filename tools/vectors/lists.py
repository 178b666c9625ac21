"""Cases of the list that a key is on: HC-LIST."""

from __future__ import annotations

from typing import Any

from tools.vectors.case import Case, case, quirk
from tools.vectors.national import EXEMPT, LIGHT
from tools.vectors.press import payload, tested
from tools.vectors.who import DDCC, DDCC_TEST, DVC

_KID, _COUNTRY = "HCERT specification §3.3.3", "HCERT specification §3.3.4"
_DOMAINS, _GOVERNANCE = "WHO trust domains", "Certificate governance §3.3"
_UNKNOWN, _OLD, _UNSURE = "KEY_NOT_IN_TRUST_LIST", "TRUST_LIST_EXPIRED", "KEY_ASSURANCE_TOO_LOW"


def cases() -> list[Case]:
    """What a list is for, how it is known, how old it is, and whose keys it has."""
    return [*_domains(), *_assurances(), *_ages(), *_countries()]


def _domains() -> list[Case]:
    both: dict[int, Any] = {-260: {1: tested(), 4: DDCC_TEST}}
    apart: dict[int, Any] = {-260: {1: tested(), -6: DVC}}
    return [
        case("HC-LIST-01", "The DSC is on a list for EU DCCs", _DOMAINS, trust=("list-dcc",)),
        case("HC-LIST-02", "The DSC is on a list for DDCCs, which covers EU DCCs", _DOMAINS, trust=("list-ddcc",)),
        case(
            "HC-LIST-03", "The DSC is on a list for vaccination records alone", _DOMAINS, _UNKNOWN, trust=("list-icvp",)
        ),
        case(
            "HC-LIST-04", "A vaccination record, and its list", _DOMAINS, trust=("list-icvp",), claims={-260: {-6: DVC}}
        ),
        case(
            "HC-LIST-05",
            "A vaccination record, and a list for EU DCCs",
            _DOMAINS,
            _UNKNOWN,
            trust=("list-dcc",),
            claims={-260: {-6: DVC}},
        ),
        case("HC-LIST-06", "A DDCC, and its list", _DOMAINS, trust=("list-ddcc",), claims={-260: {3: DDCC}}),
        case(
            "HC-LIST-07",
            "A DDCC, and a list for EU DCCs",
            _DOMAINS,
            _UNKNOWN,
            trust=("list-dcc",),
            claims={-260: {3: DDCC}},
        ),
        case("HC-LIST-08", "Two kinds in one, on a list for both", _DOMAINS, trust=("list-ddcc",), claims=both),
        case(
            "HC-LIST-09",
            "Two kinds in one, on a list for one of them",
            _DOMAINS,
            _UNKNOWN,
            trust=("list-dcc",),
            claims=both,
        ),
        case(
            "HC-LIST-10",
            "Two kinds in one that no list is for",
            _DOMAINS,
            _UNKNOWN,
            trust=("list-dcc", "list-icvp"),
            claims=apart,
        ),
        case(
            "HC-LIST-11",
            "Nothing known in the hcert claim, on a list for EU DCCs",
            _DOMAINS,
            "CONTENT_NOT_SUPPORTED",
            trust=("list-dcc",),
            claims={-260: {9: {}}},
        ),
        case("HC-LIST-12", "Added by hand besides, for whatever it fits", _DOMAINS, trust=("list-icvp", "dsc")),
        *_national("LT1", "Swiss certificate light", "list-light", claims={-260: ..., -250: {1: LIGHT}}),
        *_national("AT1", "Austrian exemption certificate", "list-exemption", payload=EXEMPT),
        *_national("NO1", "Norwegian domestic certificate", "list-norway", payload=payload()),
        *_national("DK3", "Danish domestic certificate", "list-denmark", payload=payload()),
    ]


def _national(prefix: str, family: str, own: str, **press: Any) -> list[Case]:
    made: dict[str, Any] = {"prefix": f"{prefix}:", "policy": {"families": [family]}, **press}
    return [
        case(f"HC-LIST-{prefix}-1", f"{family}, and its list", _DOMAINS, trust=(own,), **made),
        case(
            f"HC-LIST-{prefix}-2", f"{family}, and a list for EU DCCs", _DOMAINS, _UNKNOWN, trust=("list-dcc",), **made
        ),
        case(f"HC-LIST-{prefix}-3", f"An EU DCC, and the list of the {family}", _DOMAINS, _UNKNOWN, trust=(own,)),
    ]


def _assurances() -> list[Case]:
    return [
        case(
            "HC-LIST-20",
            "On a list that nothing but its server's name vouches for",
            _KID,
            _UNSURE,
            trust=("list-tls-only",),
        ),
        case(
            "HC-LIST-21",
            "The same, which the policy accepts",
            _KID,
            trust=("list-tls-only",),
            policy={"assurances": ["tls_only"]},
        ),
        case("HC-LIST-22", "On such a list and on a signed one", _KID, trust=("list-tls-only", "list-dcc")),
        case("HC-LIST-23", "With a chain up to an anchor", _KID, trust=("list-chain",)),
        case(
            "HC-LIST-24",
            "On a signed list, where the policy wants a chain",
            _KID,
            _UNSURE,
            trust=("list-dcc",),
            policy={"assurances": ["signed_chain"]},
        ),
        case(
            "HC-LIST-25",
            "Added by hand, where the policy wants a list",
            _KID,
            _UNSURE,
            policy={"assurances": ["signed_list"]},
        ),
    ]


def _ages() -> list[Case]:
    return [
        case("HC-LIST-30", "On a list that ends at this moment", _GOVERNANCE, trust=("list-current",)),
        *quirk(
            "HC-LIST-31",
            "On a list that is overdue by seven days",
            _GOVERNANCE,
            "TRUST_LIST_STALE",
            trust=("list-overdue",),
        ),
        case("HC-LIST-32", "On a list that is overdue by more", _GOVERNANCE, _OLD, trust=("list-expired",)),
        case(
            "HC-LIST-38",
            "A kid on no list, and every list is too old to tell",
            _GOVERNANCE,
            _OLD,
            signer="stranger",
            trust=("list-expired",),
        ),
        case(
            "HC-LIST-39",
            "A kid on no list, one of which is current",
            _KID,
            _UNKNOWN,
            signer="stranger",
            trust=("list-expired", "list-current"),
        ),
        case(
            "HC-LIST-33",
            "Overdue by more, which the policy bears",
            _GOVERNANCE,
            "OK",
            "TRUST_LIST_STALE",
            trust=("list-expired",),
            policy={"trust_grace_seconds": 604801},
        ),
        case(
            "HC-LIST-34",
            "Overdue, where the policy bears nothing",
            _GOVERNANCE,
            _OLD,
            trust=("list-overdue",),
            policy={"trust_grace_seconds": 0},
        ),
        case("HC-LIST-35", "On an old list and on a current one", _GOVERNANCE, trust=("list-expired", "list-current")),
        case("HC-LIST-36", "On an old list, and added by hand", _GOVERNANCE, trust=("list-expired", "dsc")),
        case(
            "HC-LIST-37",
            "On an old signed list, and on a fresh one that nothing vouches for",
            _GOVERNANCE,
            _OLD,
            trust=("list-expired", "list-tls-only"),
        ),
    ]


def _countries() -> list[Case]:
    return [
        *quirk(
            "HC-LIST-40",
            "iss is France, the DSC is Germany's",
            _COUNTRY,
            "ISSUER_COUNTRY_MISMATCH",
            signer="dsc-of-germany",
        ),
        case("HC-LIST-41", "No iss, and the DSC is Germany's", _COUNTRY, signer="dsc-of-germany", claims={1: ...}),
        case("HC-LIST-42", "A key of no known country", _COUNTRY, "OK", "KEY_DATES_UNKNOWN", signer="bare"),
    ]
