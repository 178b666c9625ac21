"""What the tests build certificates from: a fixed moment, keys of the day, and a press that can be told to err."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

import cbor2
from tools.vectors.press import PAYLOAD as PAYLOAD
from tools.vectors.press import RECOVERY_ENTRY as RECOVERY_ENTRY
from tools.vectors.press import TEST_ENTRY as TEST_ENTRY
from tools.vectors.press import without as without

import healthcert as hc
from healthcert.codings import COVID_19, NAAT, NOT_DETECTED
from healthcert.encoding import base45, cose, deflate
from healthcert.families import KINDS
from healthcert.families.hcert.valuesets import coding
from healthcert.issue.pki import KeyKind, KeyPair, new_csca, new_dsc

NOW = datetime(2021, 8, 20, 10, 0, tzinfo=UTC)
CLOCK = hc.FixedClock(NOW)
DAY = timedelta(days=1)

HOLDER = hc.Holder(family_name="Exemplaire-Müller", given_name="Zoé", birth_date="1984-02-29")
VACCINATION = hc.Vaccination(
    disease=COVID_19,
    vaccine=coding("vp", "1119349007"),
    product=coding("mp", "EU/1/20/1528"),
    manufacturer=coding("v.ma", "ORG-100030215"),
    dose=2,
    series=2,
    date=date(2021, 6, 11),
    issuer="Ministry of Examples",
)
TEST = hc.TestResult(
    disease=COVID_19,
    test_type=NAAT,
    sampled_at=NOW - DAY,
    result=NOT_DETECTED,
    name="Example qPCR",
    centre="Example Centre",
    issuer="Ministry of Examples",
)
RECOVERY = hc.Recovery(
    disease=COVID_19,
    first_positive=date(2021, 5, 1),
    valid_from=date(2021, 5, 12),
    valid_until=date(2021, 10, 28),
    issuer="Ministry of Examples",
)
EVENTS: dict[hc.EntryType, hc.Event] = {event.entry_type: event for event in (VACCINATION, TEST, RECOVERY)}


@cache
def csca() -> KeyPair:
    return new_csca("FR", "Test CSCA", now=NOW - 30 * DAY)


@cache
def dsc(*usages: hc.EntryType, kind: KeyKind = KeyKind.EC_P256) -> KeyPair:
    return new_dsc(csca(), "Test DSC", now=NOW - 20 * DAY, usages=usages, kind=kind)


def trust(*pairs: KeyPair) -> hc.TrustStore:
    return hc.TrustStore.from_certificates([pair.certificate_der() for pair in pairs or (dsc(),)])


def verifier(*pairs: KeyPair, policy: hc.Policy | None = None, at: datetime = NOW) -> hc.Verifier:
    return hc.Verifier(trust(*pairs), policy=policy, clock=hc.FixedClock(at))


def issue(event: hc.Event = VACCINATION, pair: KeyPair | None = None, holder: hc.Holder = HOLDER) -> hc.Issued:
    return hc.Issuer((pair or dsc()).signer(), country="FR", clock=CLOCK).issue(event, holder=holder)


EXEMPTION_ENTRY = {"tg": "840539006", "du": "2021-12-31", "co": "AT", "is": "Ministry", "ci": "URN:UVCI:01:AT:X#1"}
CORE: dict[str, Any] = {
    "name": "Zoé Exemplaire",
    "birthDate": "1984-02-29",
    "sex": {"code": "female", "system": "http://hl7.org/fhir/administrative-gender"},
    "identifier": "X1234567",
    "vaccine": {"code": "1119349007", "system": "http://snomed.info/sct"},
    "brand": {"code": "EU/1/20/1528", "system": "https://spor.ema.europa.eu/rmswi"},
    "manufacturer": {"code": "ORG-100030215", "system": "https://spor.ema.europa.eu/v1/organisations"},
    "disease": {"code": "840539006", "system": "http://snomed.info/sct"},
    "lot": "LOT9",
    "date": "2021-06-11",
    "dose": 1,
    "total_doses": 2,
    "country": {"code": "FRA", "system": "urn:iso:std:iso:3166"},
    "hcid": "HCID-1",
    "pha": "Ministry of Examples",
    "valid_from": "2021-06-11",
    "valid_until": "2022-06-11",
}
"""A DDCC core data set of a vaccination, as drafts have it: in the place of the claims."""
CORE_TEST: dict[str, Any] = {
    "name": "Zoé Exemplaire",
    "birthDate": "1984-02-29",
    "test": {
        "pathogen": {"code": "840539006", "system": "http://snomed.info/sct"},
        "type": {"code": "LP6464-4", "system": "http://loinc.org"},
        "date": "2021-08-19T10:00:00Z",
        "result": {"code": "260415000", "system": "http://snomed.info/sct"},
        "centre": "Example Centre",
        "country": "FRA",
    },
    "valid_until": "2021-08-22",
}
DVC: dict[str, Any] = {
    "n": "Zoé Exemplaire",
    "dob": "1984-02-29",
    "s": "female",
    "nt": "FRA",
    "id": "X1234567",
    "v": "1.0",
    "vx": {
        "vp": "YellowFeverProductd2c75a15ed309658b3968519ddb31690",
        "bo": "LOT9",
        "dt": "2021-06-11",
        "cn": "Dr Example",
    },
}
"""A DVC record of a yellow fever vaccination (an ICVP)."""


def payload(**changes: Any) -> dict[str, Any]:
    """A fresh copy of the payload; a change to None removes the key."""
    changed = copy.deepcopy(PAYLOAD) | changes
    return {key: value for key, value in changed.items() if value is not None}


def payload_with(group: str, entry: dict[str, Any]) -> dict[str, Any]:
    """The payload with its vaccination exchanged for another entry."""
    return payload(v=None) | {group: [dict(entry)]}


def vaccination(**changes: Any) -> dict[str, Any]:
    """A payload whose vaccination entry has these changes."""
    changed = payload()
    changed["v"][0] |= changes
    return changed


@dataclass
class Press:
    """Makes a certificate layer by layer. Each field is one layer; a test sets one of them wrong."""

    payload: Any = field(default_factory=payload)
    claims: dict[Any, Any] = field(default_factory=dict)
    """Changes to the CWT claims; a value of ``...`` removes the claim."""
    pair: KeyPair = field(default_factory=dsc)
    alg: Any = -7
    kid: Any = None
    protected: dict[Any, Any] | None = None
    unprotected: dict[Any, Any] = field(default_factory=dict)
    cwt: bytes | None = None
    sign: Callable[[bytes], bytes] | None = None
    tag: Callable[[Any], Any] = lambda message: cbor2.CBORTag(18, message)
    outer: Callable[[bytes], bytes] = lambda data: data
    compress: Callable[[bytes], bytes] = deflate.deflate
    armour: Callable[[bytes], str] = base45.encode
    prefix: str = "HC1:"

    def text(self) -> str:
        signer = self.pair.signer()
        issued_at = int(NOW.timestamp()) - 3600
        claims = {1: "FR", 4: issued_at + 30 * 86400, 6: issued_at, -260: {1: self.payload}} | self.claims
        cwt = self.cwt or cbor2.dumps({key: value for key, value in claims.items() if value is not ...})
        headers = {1: self.alg, 4: signer.kid if self.kid is None else self.kid}
        protected = headers if self.protected is None else self.protected
        protected_bytes = cbor2.dumps(protected) if protected else b""
        signature = (self.sign or signer.sign)(cose.sig_structure(protected_bytes, cwt))
        message = self.tag([protected_bytes, self.unprotected, cwt, signature])
        return self.prefix + self.armour(self.compress(self.outer(cbor2.dumps(message))))


EVERYTHING = hc.Policy(families=KINDS)


def accepted(text: str, *warnings: str) -> hc.HealthCertificate:
    """The certificate, of whatever family, that is accepted with these warnings."""
    report = verifier(policy=EVERYTHING).examine(text)
    assert (report.outcome, report.detail) == ("accepted", "")
    assert [warning.code for warning in report.warnings] == list(warnings)
    assert report.certificate is not None
    assert report.family == report.certificate.family
    return report.certificate
