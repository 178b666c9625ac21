"""Departures that honest issuers are known for, each by default and under the strict policy: HC-QUIRK."""

from __future__ import annotations

from typing import Any

from cbor2 import CBORTag, undefined

from tools.vectors import keys
from tools.vectors.case import Case, quirk
from tools.vectors.press import NOW, payload, recovery, tested, vaccination

_TIME, _SCHEMA, _NAMES, _TAGGED = "RFC 8392 §2", "DCC schema 1.3.0", "ICAO Doc 9303-3 §6", "RFC 8949 §3.4.1"

_ISSUER, _UNDEFINED, _CLAIM = "HCERT specification §3.3.4", "RFC 8949 §3.3", "WHO HCERT specification 1.1.1"


def cases() -> list[Case]:
    """Two of each: a warning, and a refusal."""
    made = [*_outside(), *_payload(), *_holder(), *_entry()]
    return [one for pair in made for one in pair]


def _outside() -> list[list[Case]]:
    unprotected: dict[str, Any] = {"protected": {}, "unprotected": {1: -7, 4: keys.key("dsc").kid}}
    return [
        quirk("HC-QUIRK-01", "Spaces arrive as %20", "RFC 9285 §4", "URL_ESCAPED_TEXT", scanned=_escaped),
        quirk("HC-QUIRK-02", "alg only unprotected", "RFC 9052 §3.1", "ALGORITHM_UNPROTECTED", **unprotected),
        quirk("HC-QUIRK-03", "exp and iat are floats", _TIME, "FLOAT_TIME", claims={4: NOW + 60.5, 6: NOW - 60.25}),
        quirk("HC-QUIRK-04", "iat in CBOR tag 1", _TIME, "TAGGED_TIME", claims={6: CBORTag(1, NOW - 60)}),
        quirk("HC-QUIRK-05", "exp in CBOR tag 1", _TIME, "TAGGED_TIME", claims={4: CBORTag(1, NOW + 60)}),
        quirk("HC-QUIRK-08", "An issuer that is no country", _ISSUER, "ISSUER_NOT_A_COUNTRY", claims={1: "CNAM"}),
        quirk("HC-QUIRK-09", "An issuer that is a number", _ISSUER, "ISSUER_NOT_A_COUNTRY", claims={1: 250}),
        quirk("HC-QUIRK-91", "undefined in a map", _UNDEFINED, "UNDEFINED_VALUE", claims={7: {"x": undefined}}),
        quirk("HC-QUIRK-92", "undefined in an array", _UNDEFINED, "UNDEFINED_VALUE", claims={7: [[undefined]]}),
        quirk("HC-QUIRK-93", "undefined as a key", _UNDEFINED, "UNDEFINED_VALUE", claims={7: {undefined: 1}}),
        quirk("HC-QUIRK-94", "undefined in a tag", _UNDEFINED, "UNDEFINED_VALUE", claims={7: CBORTag(99, undefined)}),
        quirk(
            "HC-QUIRK-95", "A claim that nobody knows", _CLAIM, "UNKNOWN_CLAIM", claims={-260: {1: payload(), 99: 1}}
        ),
        quirk(
            "HC-QUIRK-06",
            "exp after the end of the DSC",
            "HCERT specification §3.3.5",
            "EXPIRES_AFTER_KEY",
            claims={4: NOW + 3 * 365 * 86400},
        ),
    ]


def _escaped(text: str) -> str:
    assert " " in text
    return text.replace(" ", "%20")


def _payload() -> list[list[Case]]:
    tagged, timed, empty = "TAGGED_DATE_TIME", "DATE_WITH_TIME", "EMPTY_GROUP"

    def tag(text: str) -> CBORTag:
        return CBORTag(0, text)

    return [
        quirk(
            "HC-QUIRK-11", "t/sc in CBOR tag 0", _TAGGED, tagged, payload=tested(sc=tag("2021-08-19T12:00:00+02:00"))
        ),
        quirk(
            "HC-QUIRK-12",
            "t/dr in CBOR tag 0",
            f"{_TAGGED}; DCC schema 1.0.1",
            tagged,
            payload=tested(dr=tag("2021-08-19T12:00:00Z")),
        ),
        quirk("HC-QUIRK-13", "v/dt with a time", _SCHEMA, timed, payload=vaccination(dt="2021-06-11T00:00:00Z")),
        quirk(
            "HC-QUIRK-14", "v/dt with a space and a time", _SCHEMA, timed, payload=vaccination(dt="2021-06-11 00:00:00")
        ),
        quirk("HC-QUIRK-15", "r/fr with a time", _SCHEMA, timed, payload=recovery(fr="2021-05-01T00:00:00+08:00")),
        quirk("HC-QUIRK-16", "r/df with a time", _SCHEMA, timed, payload=recovery(df="2021-05-12T00:00:00+08:00")),
        quirk("HC-QUIRK-17", "r/du with a time", _SCHEMA, timed, payload=recovery(du="2021-10-28T00:00:00+08:00")),
        quirk("HC-QUIRK-18", "The birth date with a time", _SCHEMA, timed, payload=payload(dob="1978-01-26T00:00:00")),
        quirk(
            "HC-QUIRK-19", "t/sc without a zone", _SCHEMA, "TIME_WITHOUT_ZONE", payload=tested(sc="2021-08-19T10:00:00")
        ),
        quirk("HC-QUIRK-20", "A group that is null", _SCHEMA, empty, payload=payload() | {"t": None}),
        quirk("HC-QUIRK-21", "A group that is empty", _SCHEMA, empty, payload=payload(r=[])),
        quirk("HC-QUIRK-27", "t is empty", _SCHEMA, empty, payload=payload(t=[])),
        quirk("HC-QUIRK-28", "v is empty", _SCHEMA, empty, payload=tested() | {"v": []}),
        quirk("HC-QUIRK-22", "t/ma is null", _SCHEMA, "NULL_FIELD", payload=tested(ma=None)),
        quirk(
            "HC-QUIRK-23",
            "nam/gnt is null",
            _SCHEMA,
            "NULL_FIELD",
            payload=payload(nam={"fnt": "EXEMPLAIRE", "gnt": None}),
        ),
        quirk("HC-QUIRK-24", "v/dn is a float", _SCHEMA, "FLOAT_DOSE", payload=vaccination(dn=2.0)),
        quirk("HC-QUIRK-25", "v/sd is a float", _SCHEMA, "FLOAT_DOSE", payload=vaccination(sd=2.0)),
        quirk("HC-QUIRK-26", "v/sd is 0", _SCHEMA, "DOSE_OUT_OF_RANGE", payload=vaccination(sd=0)),
    ]


def _holder() -> list[list[Case]]:
    padded, spelt = "BIRTH_DATE_PADDED", "NAME_NOT_TRANSLITERATED"
    mismatch = "SCHEMA_VERSION_MISMATCH"
    long = {"fn": "Exemplaire", "fnt": "EXEMPLAIRE"}
    return [
        quirk("HC-QUIRK-31", "An unknown month of birth as 00", _SCHEMA, padded, payload=payload(dob="1963-00")),
        quirk("HC-QUIRK-32", "An unknown day of birth as 00", _SCHEMA, padded, payload=payload(dob="1963-05-00")),
        quirk("HC-QUIRK-33", "Month and day of birth as 00", _SCHEMA, padded, payload=payload(dob="1963-00-00")),
        quirk("HC-QUIRK-34", "Small letters in fnt", _NAMES, spelt, payload=payload(nam=long | {"fnt": "Exemplaire"})),
        quirk("HC-QUIRK-35", "A digit in gnt", _NAMES, spelt, payload=payload(nam=long | {"gnt": "ZOE2"})),
        quirk(
            "HC-QUIRK-36",
            "Only a display name",
            "DCC schema 1.3.2",
            spelt,
            payload=payload(nam={"fn": "Exemplaire"}, ver="1.3.2"),
        ),
        *[
            quirk(
                f"HC-QUIRK-{number}",
                f"nam/{name} of 81 characters",
                _SCHEMA,
                "TEXT_TOO_LONG",
                payload=payload(nam=long | {name: "X" * 81}),
            )
            for number, name in zip(("37", "38", "39", "40"), ("fn", "gn", "fnt", "gnt"), strict=True)
        ],
        quirk("HC-QUIRK-41", "A later schema", "DCC schema", "UNKNOWN_SCHEMA_VERSION", payload=payload(ver="2.0.0")),
        quirk("HC-QUIRK-43", "No fnt, before 1.3.2", "DCC schema 1.3.2", mismatch, payload=payload(nam={"gnt": "ZOE"})),
        quirk(
            "HC-QUIRK-44", "A year of birth in 1.0.0", "DCC schema", mismatch, payload=payload(ver="1.0.0", dob="1984")
        ),
        quirk("HC-QUIRK-45", "Dose 10 in 1.2.1", "DCC schema", mismatch, payload=vaccination(dn=10) | {"ver": "1.2.1"}),
        quirk(
            "HC-QUIRK-42",
            "An earlier schema than the first",
            "DCC schema",
            "UNKNOWN_SCHEMA_VERSION",
            payload=payload(ver="0.9.0"),
        ),
    ]


def _entry() -> list[list[Case]]:
    unknown, empty, long = "UNKNOWN_CODE", "EMPTY_CODE", "TEXT_TOO_LONG"
    found: list[tuple[str, str, str, Any]] = [
        ("51", "v/mp of no value set", unknown, vaccination(mp="Some-Product")),
        ("52", "v/vp of no value set", unknown, vaccination(vp="1")),
        ("53", "v/ma of no value set", unknown, vaccination(ma="ORG-1")),
        ("54", "v/co of no list", unknown, vaccination(co="XY")),
        ("55", "t/co of no list", unknown, tested(co="XY")),
        ("56", "r/co of no list", unknown, recovery(co="XY")),
        ("57", "t/tt of no value set", unknown, tested(tt="LP6464-5")),
        ("58", "t/tr of no value set, which says not detected", unknown, tested(tr="260385009")),
        ("61", "v/mp is empty", empty, vaccination(mp="")),
        ("62", "v/vp is empty", empty, vaccination(vp="")),
        ("63", "v/ma is empty", empty, vaccination(ma="")),
        ("64", "v/co is empty", empty, vaccination(co="")),
        ("65", "t/tt is empty", empty, tested(tt="")),
        ("66", "v/tg is empty", empty, vaccination(tg="")),
        ("71", "v/is of 81 characters", long, vaccination(is_="x" * 81)),
        ("72", "v/ci of 81 characters", long, vaccination(ci="X" * 81)),
        ("73", "t/tc of 81 characters", long, tested(tc="x" * 81)),
        ("74", "t/nm of 81 characters", long, tested(nm="x" * 81)),
        ("75", "t/is of 81 characters", long, tested(is_="x" * 81)),
        ("76", "t/ma of 81 characters", long, tested(ma="1" * 81)),
        ("77", "r/ci of 81 characters", long, recovery(ci="X" * 81)),
        (
            "78",
            "v/dn is a float, beside a field that only tests have",
            "FLOAT_DOSE",
            vaccination(dn=2.0, sc="2021-08-19T10:00:00"),
        ),
        ("81", "v/tg is another disease", "UNKNOWN_DISEASE", vaccination(tg="16541001")),
        ("82", "t/tg is another disease", "UNKNOWN_DISEASE", tested(tg="16541001")),
        ("83", "r/tg is another disease", "UNKNOWN_DISEASE", recovery(tg="16541001")),
    ]
    return [quirk(f"HC-QUIRK-{n}", title, _SCHEMA, code, payload=content) for n, title, code, content in found]
