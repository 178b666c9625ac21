"""A press that makes a certificate layer by layer, and can be told to err in one of them; and what a case consists of.

CBOR is written by cbor2, whose encoder nobody tests here; everything else is built in this folder.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import cbor2

from tools.vectors import keys
from tools.vectors.layers import base45, compress

CLOCK = "2021-08-20T10:00:00Z"
NOW = 1629453600  # the same
ISSUED = NOW - 3600
EXPIRES = ISSUED + 30 * 86400

PAYLOAD: dict[str, Any] = {
    "ver": "1.3.0",
    "nam": {"fn": "Exemplaire", "fnt": "EXEMPLAIRE", "gn": "Zoé", "gnt": "ZOE"},
    "dob": "1984-02-29",
    "v": [
        {
            "tg": "840539006",
            "vp": "1119349007",
            "mp": "EU/1/20/1528",
            "ma": "ORG-100030215",
            "dn": 2,
            "sd": 2,
            "dt": "2021-06-11",
            "co": "FR",
            "is": "Ministry of Examples",
            "ci": "URN:UVCI:01:FR:T5DWTJYS4ZR8#4",
        }
    ],
}
TEST_ENTRY: dict[str, Any] = {
    "tg": "840539006",
    "tt": "LP6464-4",
    "nm": "Example qPCR",
    "sc": "2021-08-19T10:00:00Z",
    "tr": "260415000",
    "tc": "Example Centre",
    "co": "FR",
    "is": "Ministry of Examples",
    "ci": "URN:UVCI:01:FR:T5DWTJYS4ZR8#4",
}
RECOVERY_ENTRY: dict[str, Any] = {
    "tg": "840539006",
    "fr": "2021-05-01",
    "df": "2021-05-12",
    "du": "2021-10-28",
    "co": "FR",
    "is": "Ministry of Examples",
    "ci": "URN:UVCI:01:FR:T5DWTJYS4ZR8#4",
}


def payload(**changes: Any) -> dict[str, Any]:
    """A payload with these changes at its top; a change to ``...`` removes the key."""
    return _changed(PAYLOAD, changes)


def vaccination(**changes: Any) -> dict[str, Any]:
    """A payload whose vaccination has these changes (``is_`` for ``is``)."""
    return payload(v=[_changed(PAYLOAD["v"][0], changes)])


def tested(**changes: Any) -> dict[str, Any]:
    """A payload with a test in the vaccination's place."""
    return payload(v=..., t=[_changed(TEST_ENTRY, changes)])


def recovery(**changes: Any) -> dict[str, Any]:
    """A payload with a recovery in the vaccination's place."""
    return payload(v=..., r=[_changed(RECOVERY_ENTRY, changes)])


def without(values: dict[str, Any], *names: str) -> dict[str, Any]:
    """``values`` without some of them."""
    return {name: value for name, value in values.items() if name not in names}


def tagged_18(message: list[Any]) -> Any:
    """The usual tag around the four parts of a COSE_Sign1 (RFC 9052 §4.2)."""
    return cbor2.CBORTag(18, message)


def _changed(values: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    changed = copy.deepcopy(dict(values)) | {key.rstrip("_"): value for key, value in changes.items()}
    return {key: value for key, value in changed.items() if value is not ...}


@dataclass(frozen=True, kw_only=True)
class Press:
    """One field a layer, sound unless told otherwise."""

    payload: Any = field(default_factory=payload)
    claims: Mapping[Any, Any] = field(default_factory=dict)
    """Changes to the CWT claims; a value of ``...`` removes the claim."""
    cwt: bytes | None = None
    signer: str = "dsc"
    alg: Any = -7
    kid: Any = None
    protected: Any = None
    """A map, or the bytes of the protected header; without it, ``alg`` and ``kid``."""
    unprotected: Any = field(default_factory=dict)
    sign: Callable[[keys.Private, bytes], bytes] | None = None
    signed: Callable[[bytes], bytes] = lambda protected: protected
    """What of the protected header the signature covers."""
    tag: Callable[[list[Any]], Any] = tagged_18
    cose: Callable[[bytes], bytes] = lambda message: message
    compress: Callable[[bytes], bytes] = compress
    armour: Callable[[bytes], str] = base45
    prefix: str = "HC1:"

    def layers(self) -> tuple[str, dict[str, str]]:
        """The text, and its layers in hexadecimal digits."""
        key = keys.key(self.signer)
        claims = {1: "FR", 4: EXPIRES, 6: ISSUED, -260: {1: self.payload}} | dict(self.claims)
        cwt = self.cwt
        if cwt is None:
            cwt = cbor2.dumps({label: value for label, value in claims.items() if value is not ...})
        protected = self.protected
        if protected is None:
            protected = {1: self.alg, 4: key.kid if self.kid is None else self.kid}
        if not isinstance(protected, bytes):
            protected = cbor2.dumps(protected) if protected else b""
        # RFC 9052 §4.4.
        to_be_signed = cbor2.dumps(["Signature1", self.signed(protected), b"", cwt])
        sign = self.sign or (keys.sign_pss if self.signer.startswith("dsc-rsa") else keys.sign_ecdsa)
        signature = sign(key.private, to_be_signed)
        message = self.cose(cbor2.dumps(self.tag([protected, self.unprotected, cwt, signature])))
        compressed = self.compress(message)
        layers = {"cwt": cwt.hex(), "cose": message.hex(), "compressed": compressed.hex()}
        return self.prefix + self.armour(compressed), layers
