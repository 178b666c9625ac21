"""Cases of revocation lists: HC-REV. The identifiers are computed here, by hashlib alone."""

from __future__ import annotations

import struct
from hashlib import sha256
from typing import Any

from tools.vectors import keys
from tools.vectors.case import Case, case
from tools.vectors.press import EXPIRES, NOW, payload, vaccination
from tools.vectors.who import DDCC

_BATCHES, _SLICES = "dgc-gateway", "dgca-revocation-distribution-service"
_BLOOM, _HASHES = "dgc-bloomfilter", "dgca-partialvarhashfilter"
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # of P-256
_CI = "URN:UVCI:01:FR:T5DWTJYS4ZR8#4"
_FRESH, _OVERDUE = "2021-08-21T10:00:00Z", "2021-08-20T09:00:00Z"
_REQUIRED, _REVOKED, _UNKNOWN = {"revocation": "required"}, "REVOKED", "REVOCATION_UNKNOWN"
_OTHER = "00" * 16


def cases() -> list[Case]:
    """What a certificate is known by on a list, whose lists count, how old they may be, and what filters tell."""
    return [*_identifiers(), *_counting(), *_coverage(), *_filters()]


def high_s(private: Any, data: bytes) -> bytes:
    """The other valid signature with the same r."""
    signature = keys.sign_ecdsa(private, data)
    s = int.from_bytes(signature[32:], "big")
    return signature[:32] + (_ORDER - s).to_bytes(32, "big")


def listed(*entries: dict[str, Any], **changes: Any) -> list[dict[str, Any]]:
    """One fresh list that speaks for France."""
    values: dict[str, Any] = {"countries": ["FR"], "best_before": _FRESH, "entries": list(entries)}
    return [values | changes]


def entry(type_: str, key: str, **further: Any) -> dict[str, Any]:
    return {"type": type_, "key": key} | further


def _signature(text_case: Case) -> bytes:
    message = bytes.fromhex(text_case.layers["cose"])
    return message[-256:] if text_case.trust == ("dsc-rsa2048",) else message[-64:]


def _identifiers() -> list[Case]:
    plain = case("HC-REV-00", "Not used", _BATCHES)
    rsa = case("HC-REV-00", "Not used", _BATCHES, signer="dsc-rsa2048", alg=-37)
    kid = keys.key("dsc").kid.hex()
    r = _cut(_signature(plain)[:32])
    whole = _cut(_signature(plain))
    low = min(int.from_bytes(_signature(plain)[32:], "big"), _ORDER - int.from_bytes(_signature(plain)[32:], "big"))
    proof = _cut(_signature(plain)[:32] + low.to_bytes(32, "big"))
    uci, country_uci = _cut(_CI.encode()), _cut(b"FR" + _CI.encode())
    whole_uci, french = sha256(_CI.encode()).hexdigest(), sha256(b"FR" + _CI.encode()).hexdigest()
    two = {1: payload(), 3: DDCC}

    def revoked(number: int, title: str, made: dict[str, Any], **press: Any) -> Case:
        return case(f"HC-REV-{number:02}", title, _BATCHES, _REVOKED, revocation=listed(made), **press)

    def clear(number: int, title: str, made: dict[str, Any], **press: Any) -> Case:
        return case(f"HC-REV-{number:02}", title, _BATCHES, revocation=listed(made), policy=_REQUIRED, **press)

    return [
        revoked(1, "The hash of r is listed", entry("SIGNATURE", r, kid=kid)),
        revoked(2, "The hash of r is listed, and s was replaced", entry("SIGNATURE", r, kid=kid), sign=high_s),
        clear(3, "The hash of the whole ECDSA signature is listed, which is no identifier", entry("SIGNATURE", whole)),
        revoked(
            4,
            "The hash of a whole PS256 signature is listed",
            entry("SIGNATURE", _cut(_signature(rsa))),
            signer="dsc-rsa2048",
            alg=-37,
        ),
        clear(
            5,
            "The hash of the first half of a PS256 signature is listed, which is no identifier",
            entry("SIGNATURE", _cut(_signature(rsa)[:128])),
            signer="dsc-rsa2048",
            alg=-37,
        ),
        revoked(6, "The hash of ci is listed", entry("UCI", uci, kid=kid)),
        revoked(7, "The hash of iss and ci is listed", entry("COUNTRYCODEUCI", country_uci, kid=kid)),
        revoked(
            8,
            "The hash of co and ci is listed, and there is no iss",
            entry("COUNTRYCODEUCI", country_uci),
            claims={1: ...},
        ),
        clear(9, "The hash of ci is listed as one of iss and ci", entry("COUNTRYCODEUCI", uci)),
        clear(10, "The hash of ci in small letters is listed", entry("UCI", _cut(_CI.lower().encode()))),
        clear(11, "The hash of ci without its prefix is listed", entry("UCI", _cut(_CI[9:].encode()))),
        revoked(12, "The Dutch hash of the signature with the lower s is listed", entry("NL-PROOF", proof)),
        revoked(
            13,
            "The Dutch hash is listed, and s was replaced",
            entry("NL-PROOF", proof),
            sign=high_s,
        ),
        revoked(14, "The whole hash of ci is listed", entry("UVCI", whole_uci)),
        revoked(15, "The French hash is listed", entry("FR-DCC", french)),
        revoked(
            16,
            "Of two under one signature the second is listed",
            entry("UCI", _cut(b"URN:UVCI:01:XY:OTHER")),
            claims={-260: {1: vaccination(ci="URN:UVCI:01:XY:OTHER"), 3: DDCC}},
        ),
        clear(17, "Of two under one signature none is listed", entry("UCI", _OTHER), claims={-260: two}),
    ]


def _counting() -> list[Case]:
    uci, kid = _cut(_CI.encode()), keys.key("dsc").kid.hex()
    other_kid = keys.key("dsc-rsa2048").kid.hex()

    def with_entry(number: int, title: str, code: str, **made: Any) -> Case:
        lists = listed(entry("UCI", uci, **made))
        return case(f"HC-REV-{number}", title, _BATCHES, code, revocation=lists, policy=_REQUIRED)

    return [
        with_entry(20, "Listed for whatever kid", _REVOKED),
        with_entry(21, "Listed for another kid", "OK", kid=other_kid),
        with_entry(22, "Listed until this very second", _REVOKED, kid=kid, expires=NOW),
        with_entry(23, "Listed until a second ago", "OK", kid=kid, expires=NOW - 1),
        with_entry(24, "Listed by the country of the key", _REVOKED, kid=kid, country="FR", expires=EXPIRES),
        with_entry(25, "Listed by another country", "OK", kid=kid, country="DE", expires=EXPIRES),
        case(
            "HC-REV-26",
            "Listed, but nobody asks",
            _BATCHES,
            revocation=listed(entry("UCI", uci)),
            policy={"revocation": "off"},
        ),
    ]


def _coverage() -> list[Case]:
    uci, kid = entry("UCI", _cut(_CI.encode())), keys.key("dsc").kid.hex()
    other = entry("UCI", _OTHER)
    fresh, german = listed(other), listed(other, countries=["DE"])
    overdue = listed(other, best_before=_OVERDUE)
    by_kid = listed(other, countries=[], kids=[kid])

    def both(number: int, title: str, lists: list[dict[str, Any]], code: str) -> list[Case]:
        warned = () if code == "OK" else (code,)
        return [
            case(f"HC-REV-{number}", title, _BATCHES, code, revocation=lists, policy=_REQUIRED),
            case(f"HC-REV-{number}-OPEN", f"{title}, and none is required", _BATCHES, "OK", *warned, revocation=lists),
        ]

    return [
        *both(30, "A fresh list for the country", fresh, "OK"),
        *both(31, "A fresh list for the kid", by_kid, "OK"),
        *both(32, "A fresh list for all countries", listed(other, countries=["*"]), "OK"),
        *both(33, "A list for another country", german, _UNKNOWN),
        *both(34, "A list for another kid", listed(other, countries=[], kids=["0011223344556677"]), _UNKNOWN),
        *both(35, "An overdue list", overdue, _UNKNOWN),
        *both(36, "An overdue list beside a fresh one", [*overdue, *fresh], "OK"),
        *both(37, "A list that goes by what the certificate has not", listed(entry("FR-2DDOC", "00" * 32)), _UNKNOWN),
        case(
            "HC-REV-38",
            "An overdue list that has the certificate",
            _BATCHES,
            _REVOKED,
            revocation=listed(uci, best_before=_OVERDUE),
        ),
        case(
            "HC-REV-39",
            "A list of another country that has the certificate",
            _BATCHES,
            _REVOKED,
            revocation=listed(uci, countries=["DE"]),
        ),
        case(
            "HC-REV-40",
            "An overdue list, and time to spare",
            _BATCHES,
            revocation=overdue,
            policy=_REQUIRED | {"revocation_grace_seconds": 3600},
        ),
        case(
            "HC-REV-41",
            "An overdue list, and not enough time to spare",
            _BATCHES,
            _UNKNOWN,
            revocation=overdue,
            policy=_REQUIRED | {"revocation_grace_seconds": 3599},
        ),
    ]


def _filters() -> list[Case]:
    uci = sha256(_CI.encode()).digest()[:16]
    kid = keys.key("dsc").kid.hex()
    x, y, z = tuple(uci.hex()[:3])

    def sliced(
        number: int, title: str, section: str, code: str, made: dict[str, Any], mode: str, **further: Any
    ) -> Case:
        lists = listed(countries=[], kids=[kid], filters=[{"kid": kid, "mode": mode} | made])
        return case(f"HC-REV-{number}", title, section, code, revocation=lists, policy=_REQUIRED | further)

    full = {"format": "BLOOMFILTER", "data": _bloom(uci).hex()}
    short = {"format": "VARHASHLIST", "data": _hashes(uci, 4).hex()}
    point = {"partition": None, "chunk": x}
    return [
        sliced(50, "In a Bloom filter, by its first digit", _BLOOM, _REVOKED, full | point, "POINT"),
        sliced(51, "In a Bloom filter, by two digits", _BLOOM, _REVOKED, full | {"partition": x, "chunk": y}, "VECTOR"),
        sliced(
            52,
            "In a Bloom filter, by three digits",
            _BLOOM,
            _REVOKED,
            full | {"partition": x + y, "chunk": z},
            "COORDINATE",
        ),
        sliced(53, "In the filter of another chunk", _SLICES, "OK", full | {"partition": None, "chunk": y}, "POINT"),
        sliced(54, "In a filter that has ended", _SLICES, "OK", full | point | {"expires": NOW - 1}, "POINT"),
        sliced(55, "In a list of first bytes", _HASHES, _REVOKED, short | point, "POINT"),
        sliced(
            56,
            "In a list of first bytes that errs too often",
            _HASHES,
            "REVOCATION_POSSIBLE",
            {"format": "VARHASHLIST", "data": _hashes(uci, 2).hex()} | point,
            "POINT",
        ),
        sliced(
            57,
            "In a list of first bytes that errs as often as the policy allows",
            _HASHES,
            _REVOKED,
            {"format": "VARHASHLIST", "data": _hashes(uci, 2).hex()} | point,
            "POINT",
            revocation_odds=2**-12,
        ),
        sliced(58, "In no filter", _BLOOM, "OK", full | point | {"data": _bloom(bytes(16)).hex()}, "POINT"),
    ]


def _bloom(element: bytes) -> bytes:
    """A filter for one element, of 96 bits in 33 rounds."""
    rounds, bits = 33, 96
    field = 0
    for number in range(rounds):
        digest = sha256(element + bytes((number,))).digest()
        field |= 1 << (bits - 1 - int.from_bytes(digest, "big", signed=True) % bits)
    return struct.pack(">hBBfiii", 1, rounds, 0, 0.01, 1, 1, bits // 32) + field.to_bytes(bits // 8, "big")


def _hashes(element: bytes, size: int) -> bytes:
    return struct.pack(">hfiB", 1, 1e-6, 1, size) + element[:size]


def _cut(data: bytes) -> str:
    return sha256(data).hexdigest()[:32]
