"""Cases of the national codes that share the form of HC1: HC-LT1, HC-AT1, HC-NO1, HC-DK3."""

# ruff: noqa: E501 (one case a line)

from __future__ import annotations

from typing import Any

from cbor2 import dumps

from tools.vectors.case import Case, case
from tools.vectors.press import NOW, PAYLOAD, payload, without
from tools.vectors.who import DDCC

_CLAIM, _DCC, _AT = "HCERT specification §3.3.7", "DCC schema 1.3.0", "AT schema 1.0.0"
_WHO = "WHO HCERT specification 1.1.1"
_PREFIX, _USAGE = "HCERT specification §4.2.2", "HCERT specification, Appendix A.4"
_BAD, _BROKEN = "SCHEMA_VALIDATION_FAILED", "CBOR_DESERIALIZATION_FAILED"

LIGHT: dict[str, Any] = {"ver": "1.0.0", "nam": PAYLOAD["nam"], "dob": "1984-02-29"}
EXEMPTION: dict[str, Any] = {
    "tg": "840539006",
    "du": "2021-12-31",
    "co": "AT",
    "is": "Ministry of Examples",
    "ci": "URN:UVCI:01:AT:T5DWTJYS4ZR8#4",
}
EXEMPT: dict[str, Any] = {"ver": "AT-1.0.0", "nam": PAYLOAD["nam"], "dob": "1984-02-29", "ve": [EXEMPTION]}
_LIGHT = {"families": ["Swiss certificate light"]}
_EXEMPT = {"families": ["Austrian exemption certificate"]}


def cases() -> list[Case]:
    """What stands behind another prefix; none of it is accepted without being asked for by name."""
    return [*_light(), *_exemption(), *_domestic()]


def _light() -> list[Case]:
    made: dict[str, Any] = {"prefix": "LT1:", "policy": _LIGHT}
    late = {6: NOW - 48 * 3600 - 1}

    def claims(content: Any = LIGHT, **more: Any) -> dict[Any, Any]:
        return {-260: ..., -250: {1: content}} | {int(key[1:]): value for key, value in more.items()}

    return [
        case("HC-LT1-01", "A Swiss certificate light", _PREFIX, **made, claims=claims()),
        case("HC-LT1-02", "Not wanted by the default policy", _PREFIX, "FAMILY_NOT_ACCEPTED", prefix="LT1:", claims=claims()),
        case("HC-LT1-17", "Its issuer as Switzerland writes it", "HCERT specification §3.3.4", **made, claims=claims() | {1: "CH BAG"}),
        case("HC-LT1-03", "Without exp it ends 48 hours after iat", _CLAIM, "OK", "TIME_ABSENT", **made, claims=claims(_4=...)),
        case("HC-LT1-04", "Without exp, 48 hours and a second after iat", _CLAIM, "CWT_EXPIRED", "TIME_ABSENT", **made, claims=claims(_4=...) | late),
        case("HC-LT1-05", "With exp, more than 48 hours after iat", _CLAIM, **made, claims=claims() | late),
        case("HC-LT1-06", "Neither exp nor iat", _CLAIM, "CWT_TIME_INVALID", **made, claims=claims(_4=..., _6=...)),
        case("HC-LT1-07", "An EU DCC in the claim of the light", _DCC, _BAD, **made, claims=claims(payload())),
        case("HC-LT1-08", "An EU DCC behind the prefix of the light", _CLAIM, _BROKEN, **made),
        case("HC-LT1-09", "A light behind the prefix HC1", _CLAIM, _BROKEN, claims=claims()),
        case("HC-LT1-10", "A light without a name", _DCC, _BAD, **made, claims=claims(LIGHT | {"nam": {}})),
        case("HC-LT1-12", "A version of words", _DCC, _BAD, **made, claims=claims(LIGHT | {"ver": "latest"})),
        case("HC-LT1-13", "No such day of birth", _DCC, _BAD, **made, claims=claims(LIGHT | {"dob": "1985-02-29"})),
        *[
            case(f"HC-LT1-{name.upper()}{how}", f"{name}, {title}", _DCC, _BAD, **made, claims=claims(changed))
            for name in LIGHT
            for how, title, changed in (("", "missing", without(LIGHT, name)), ("-NUMBER", "a number", LIGHT | {name: 7}))
        ],
        case("HC-LT1-14", "The claims of two families", _CLAIM, _BROKEN, **made, claims={-250: {1: LIGHT}}),
        case("HC-LT1-15", "The claims of two families behind the prefix HC1", _CLAIM, _BROKEN, claims={-250: {1: LIGHT}}),
        case("HC-LT1-16", "Nothing known in the claim of the light", _WHO, "CONTENT_NOT_SUPPORTED", **made, claims={-260: ..., -250: {2: LIGHT}}),
        case("HC-LT1-11", "A light without exp behind the prefix HC1", "HCERT specification §3.3.5", "CWT_TIME_INVALID", claims={4: ...}),
    ]  # fmt: skip


def _exemption() -> list[Case]:
    made: dict[str, Any] = {"prefix": "AT1:", "policy": _EXEMPT}
    return [
        case("HC-AT1-01", "An Austrian exemption certificate", _AT, **made, payload=EXEMPT),
        case("HC-AT1-02", "Not wanted by the default policy", _AT, "FAMILY_NOT_ACCEPTED", prefix="AT1:", payload=EXEMPT),
        case("HC-AT1-03", "An EU DCC behind the prefix AT1", _AT, _BAD, **made),
        case("HC-AT1-04", "A version of the EU's", _AT, _BAD, **made, payload=EXEMPT | {"ver": "1.3.0"}),
        case("HC-AT1-05", "Two exemptions", _AT, _BAD, **made, payload=EXEMPT | {"ve": [EXEMPTION] * 2}),
        case("HC-AT1-06", "No exemption", _AT, _BAD, **made, payload=EXEMPT | {"ve": []}),
        case("HC-AT1-07", "A vaccination beside the exemption", _AT, _BAD, **made, payload=EXEMPT | {"v": PAYLOAD["v"]}),
        case("HC-AT1-08", "No such last day", _AT, _BAD, **made, payload=EXEMPT | {"ve": [EXEMPTION | {"du": "2021-02-30"}]}),
        case("HC-AT1-10", "An issuer of 81 characters", _AT, "OK", "TEXT_TOO_LONG", **made, payload=EXEMPT | {"ve": [EXEMPTION | {"is": "x" * 81}]}),
        case("HC-AT1-11", "No such day of birth", _AT, _BAD, **made, payload=EXEMPT | {"dob": "1985-02-29"}),
        case("HC-AT1-12", "A day without hyphens", _AT, _BAD, **made, payload=EXEMPT | {"ve": [EXEMPTION | {"du": "20211231"}]}),
        *[
            case(f"HC-AT1-{name.upper()}{how}", f"ve: {name}, {title}", _AT, _BAD, **made, payload=EXEMPT | {"ve": [changed]})
            for name in EXEMPTION
            for how, title, changed in (("", "missing", without(EXEMPTION, name)), ("-NUMBER", "a number", EXEMPTION | {name: 7}))
        ],
        *[
            case(f"HC-AT1-{name.upper()}{how}", f"{name}, {title}", _AT, _BAD, **made, payload=changed)
            for name in EXEMPT
            for how, title, changed in (("", "missing", without(EXEMPT, name)), ("-NUMBER", "a number", EXEMPT | {name: 7}))
        ],
        case("HC-AT1-13", "A DSC for vaccinations signs an exemption", _USAGE, "KEY_USAGE_MISMATCH", **made, payload=EXEMPT, signer="dsc-vaccination"),
        case("HC-AT1-14", "A core data set as AT1, which has none", _CLAIM, _BROKEN, **made, cwt=dumps(DDCC)),
        case("HC-AT1-15", "A core data set in the EU DCC's place as AT1", _AT, _BAD, **made, payload=DDCC),
        case("HC-AT1-09", "An exemption behind the prefix HC1", _DCC, "NO_ENTRY", payload=EXEMPT | {"ver": "1.3.0"}),
    ]  # fmt: skip


def _domestic() -> list[Case]:
    norway, denmark = ({"families": [f"{name} domestic certificate"]} for name in ("Norwegian", "Danish"))
    unwanted = "FAMILY_NOT_ACCEPTED"
    return [
        case("HC-NO1-01", "A Norwegian domestic certificate", _PREFIX, prefix="NO1:", policy=norway),
        case("HC-NO1-02", "Not wanted by the default policy", _PREFIX, unwanted, prefix="NO1:"),
        case("HC-NO1-03", "A Norwegian certificate where only Danish ones are wanted", _PREFIX, unwanted, prefix="NO1:", policy=denmark),
        case("HC-DK3-01", "A Danish domestic certificate", _PREFIX, prefix="DK3:", policy=denmark),
        case("HC-DK3-02", "Not wanted by the default policy", _PREFIX, unwanted, prefix="DK3:"),
    ]  # fmt: skip
