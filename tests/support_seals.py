"""Visible digital seals for tests: an authority, signers under it, and a press that can be told to err."""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Callable
from datetime import datetime
from functools import cache
from typing import Any, Protocol

import healthcert as hc
from healthcert.encoding import jcs
from healthcert.issue.pki import KeyPair, new_barcode_signer, new_csca
from healthcert.issue.signer import PemSigner
from tests.support import DAY, NOW

SEALS = hc.Policy(families=frozenset({"ICAO VDS-NC"}))
STRICT = hc.Policy(families=SEALS.families, tolerated=frozenset())

VACCINATED: dict[str, Any] = {
    "hdr": {"t": "icao.vacc", "v": 1, "is": "FRA"},
    "msg": {
        "uvci": "FR0000000001",
        "pid": {"n": "EXEMPLAIRE  ZOE", "dob": "1984-02-29", "sex": "F", "i": "X1234567", "ai": "L4567890Z"},
        "ve": [
            {
                "des": "XM68M6",
                "nam": "Comirnaty",
                "dis": "RA01.0",
                "vd": [
                    {"dvc": "2021-05-01", "seq": 1, "ctr": "FRA", "adm": "Centre A", "lot": "L1", "dvn": "2021-05-29"},
                    {"dvc": "2021-05-29", "seq": 2, "ctr": "DEU", "adm": "Centre B", "lot": "L2"},
                ],
            }
        ],
    },
}
TESTED: dict[str, Any] = {
    "hdr": {"t": "icao.test", "v": 1, "is": "FRA"},
    "msg": {
        "utci": "FR0000000002",
        "pid": {"n": "EXEMPLAIRE  ZOE", "dob": "1984-02-29", "dt": "P", "dn": "X1234567"},
        "sp": {
            "spn": "Laboratoire A",
            "ctr": "FRA",
            "cd": {"p": "+33100000000", "e": "a@example.org", "a": "1 Rue A"},
        },
        "dat": {"sc": "2021-08-19T12:00:00+02:00", "ri": "2021-08-19T18:00:00+02:00"},
        "tr": {"tc": "molecular(PCR)", "r": "negative", "m": "saliva"},
        "opt": "ID12345",
    },
}


class Signing(Protocol):
    """A private key and its certificate, which need not be one that a strict parser takes."""

    def certificate_der(self) -> bytes: ...

    def signer(self) -> PemSigner: ...


@cache
def state() -> KeyPair:
    """A national authority."""
    return new_csca("FR", "State CSCA", now=NOW - 30 * DAY)


@cache
def barcode_signer() -> KeyPair:
    return new_barcode_signer(state(), "Barcode Signer", now=NOW - 20 * DAY)


def changed(data: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy with one member exchanged; ``...`` removes it. Numbers in the path count in arrays."""
    found = copy.deepcopy(data)
    *steps, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    here: Any = found
    for step in steps:
        here = here[step]
    if value is ...:
        del here[last]
    else:
        here[last] = value
    return found


def seal(
    data: Any = None,
    *,
    pair: Signing | None = None,
    certificate: bytes | None = None,
    canonical: Callable[[Any], bytes] = jcs.canonical,
    write: Callable[[Any], str] = json.dumps,
    **sig: Any,
) -> str:
    """A sealed text; what is given in ``sig`` stands there instead, ``...`` for nothing."""
    data, pair = VACCINATED if data is None else data, pair or barcode_signer()
    signer = pair.signer()
    values = {
        "alg": signer.algorithm.name,
        "cer": base64url(certificate or pair.certificate_der()),
        "sigvl": base64url(signer.sign(canonical(data))),
    } | sig
    return write({"data": data, "sig": {name: value for name, value in values.items() if value is not ...}})


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode()


def store(*pairs: Signing, domain: str | None = "ICAO") -> hc.TrustStore:
    """A store to which these certificates were added by hand."""
    return hc.TrustStore.from_certificates([pair.certificate_der() for pair in pairs or (state(),)], domain=domain)


def examine(
    text: str, *, trust: hc.TrustStore | None = None, at: datetime = NOW, policy: hc.Policy = SEALS
) -> hc.Report:
    return hc.Verifier(store() if trust is None else trust, policy=policy, clock=hc.FixedClock(at)).examine(text)
