"""Cases of rules: HC-RUL, what they are told."""

# ruff: noqa: E501 (one case a line)

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any

import cbor2

from tools.vectors import keys
from tools.vectors.case import Case
from tools.vectors.press import CLOCK, EXPIRES, ISSUED, tested, vaccination
from tools.vectors.ruling import MET, doses, equal, is_moment, judged, listed, rule, said, value_set


def cases() -> list[Case]:
    """Value sets, external parameters, and the payload as JSON."""
    return [
        *_value_sets(),
        *_external(),
        *_payload(),
    ]


def _value_sets() -> list[Case]:
    def asked(code: str, name: str = "vaccines-covid-19-names") -> dict[str, Any]:
        return rule({"in": [code, {"var": f"external.valueSets.{name}"}]})

    products = value_set("vaccines-covid-19-names", "EU/1/20/1528", date="2023-01-01")
    inactive = value_set("vaccines-covid-19-names", "EU/1/20/1528", date="2023-01-01", active=False)
    older = value_set("vaccines-covid-19-names", "EU/1/20/1525", date="2022-12-31")
    product = {"in": [{"var": "payload.v.0.mp"}, {"var": "external.valueSets.vaccines-covid-19-names"}]}
    return [
        judged("90", "A code of the value set", listed(rule(product), value_sets=[products]), said(GR1="PASSED")),
        judged("91", "A code that the value set has not", listed(rule(product), value_sets=[products | {"valueSetValues": older["valueSetValues"]}]), said(GR1="FAIL")),
        judged("92", "A value set that there is not", listed(asked("EU/1/20/1528", "vaccines-of-tomorrow")), said(GR1="OPEN")),
        judged("93", "A code that is no longer active", listed(rule(product), value_sets=[inactive]), said(GR1="PASSED")),
        judged("94", "Two editions of a value set, the newer one first", [*listed(rule(product), value_sets=[products]), *listed(MET, value_sets=[older])], said(GR1="PASSED"), advisory="Which of two editions counts is for a verifier to say; here it is the one with the later date."),
        judged("95", "Two editions of a value set, the newer one last", [*listed(rule(product), value_sets=[older]), *listed(rule(product), value_sets=[products])], said(GR1="PASSED"), advisory="Which of two editions counts is for a verifier to say; here it is the one with the later date."),
    ]  # fmt: skip


def _external() -> list[Case]:
    kid = keys.key("dsc").kid
    found = {
        "A": ("The clock", is_moment("external.validationClock", CLOCK)),
        "B": ("The country that is asked about, in capitals", equal("external.countryCode", "FR")),
        "C": ("The issuer, as it is written", equal("external.issuerCountryCode", "FR")),
        "D": ("kid in base64", equal("external.kid", base64.b64encode(kid).decode())),
        "E": ("exp", is_moment("external.exp", _text(EXPIRES))),
        "F": ("iat", is_moment("external.iat", _text(ISSUED))),
        "G": ("The region that is asked about", equal("external.region", "IDF")),
    }
    policy = {"region": "IDF"}
    made = [
        judged(f"100-{letter}", f"{title}, told to a rule", listed(rule(logic)), said(GR1="PASSED"), policy=policy)
        for letter, (title, logic) in found.items()
    ]
    wrong = [
        judged(
            f"101-{letter}",
            f"{title}, asked to be otherwise",
            listed(rule({"!": [logic]})),
            said(GR1="FAIL"),
            policy=policy,
        )
        for letter, (title, logic) in found.items()
    ]
    missing = {"!": [{"var": "external.issuerCountryCode"}]}
    at_minute = "2021-08-20T10:00:00Z"
    return [
        *made,
        *wrong,
        judged("102", "No region is an empty text", listed(rule(equal("external.region", ""))), said(GR1="PASSED")),
        judged("103", "No issuer is null", listed(rule(missing)), said(GR1="PASSED"), claims={1: ...}),
        judged("104", "An issuer is not null", listed(rule(missing)), said(GR1="FAIL")),
        judged("105", "The issuer of another case than the key's country", listed(rule(equal("external.issuerCountryCode", "fr"))), said(GR1="PASSED"), None, "ISSUER_NOT_A_COUNTRY", claims={1: "fr"}),
        judged("106", "Times on the full minute have their seconds", listed(rule(equal("external.validationClock", at_minute))), said(GR1="PASSED")),
        judged("107", "kid of the unprotected header", listed(rule(equal("external.kid", base64.b64encode(kid).decode()))), said(GR1="PASSED"), protected={1: -7}, unprotected={4: kid}),
        judged("108", "All that a rule is told", listed(rule({"if": [{"var": ""}, is_moment("external.exp", _text(EXPIRES)), False]})), said(GR1="PASSED")),
        judged("109", "All of the external parameters", listed(rule({"if": [{"var": "external"}, is_moment("external.iat", _text(ISSUED)), False]})), said(GR1="PASSED")),
    ]  # fmt: skip


def _payload() -> list[Case]:
    sampled = is_moment("payload.t.0.sc", "2021-08-19T10:00:00Z")
    tagged = tested(sc=cbor2.CBORTag(0, "2021-08-19T10:00:00Z"))
    far = vaccination(more={"list": [1, {"a": True}], "none": None, "bytes": b"x", "half": 1.5})
    return [
        judged("110", "A date-time as text", listed(rule(sampled, prefix="TR", CertificateType="Test")), {"TR-FR-0001": "PASSED"}, payload=tested()),
        judged("111", "A tagged date-time is a text for a rule", listed(rule(sampled, prefix="TR", CertificateType="Test")), {"TR-FR-0001": "PASSED"}, None, "TAGGED_DATE_TIME", payload=tagged),
        judged("112", "A whole number that is written as a fraction is a number for a rule", listed(rule(doses(2))), said(GR1="PASSED"), None, "FLOAT_DOSE", payload=vaccination(dn=2.0)),
        judged("113", "A field that the schema does not know", listed(rule({"and": [equal("payload.v.0.more.list.0", 1), {"var": "payload.v.0.more.list.1.a"}]})), said(GR1="PASSED"), payload=far),
        judged("114", "Bytes are nothing to a rule", listed(rule({"!": [{"var": "payload.v.0.more.bytes"}]})), said(GR1="PASSED"), payload=far),
        judged("115", "A number with a fraction is no integer", listed(rule({">": [{"var": "payload.v.0.more.half"}, 1]})), said(GR1="OPEN"), payload=far),
    ]  # fmt: skip


def _text(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
