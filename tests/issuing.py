"""An issuer of every family, the trust store that believes it, and what it may certify."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import cache

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

import healthcert as hc
from healthcert import codings
from healthcert.issue.pki import KeyKind, KeyPair, new_barcode_signer, new_csca, new_dsc, new_key
from healthcert.lists import jwk
from healthcert.model import Exemption
from healthcert.publish.issuer_keys import nzcp_document, shc_key_set
from healthcert.trust.certificates import read_certificate
from healthcert.trust.sources.protocol import Context
from healthcert.trust.sources.registry import source_named
from tests.support import CLOCK, DAY, NOW, csca, dsc

URL = "https://cards.example/issuer"
DID = "did:web:passes.example"
GENDER = "http://hl7.org/fhir/administrative-gender"
ATC = "http://www.whocc.no/atc"

PLAIN = hc.Holder(family_name="Exemplaire", given_name="Zoé", birth_date="1984-02-29")
DVC_HOLDER = hc.Holder(
    full_name="Zoé Exemplaire", birth_date="1984-02-29", sex=hc.Coding(GENDER, "female"), nationality="FRA"
)
SHC_DOSE = hc.Vaccination(
    vaccine=hc.Coding(codings.CVX, "208"), date=date(2021, 6, 11), batch="LOT9", centre="Example Hospital"
)
SHC_TEST = hc.TestResult(
    test_type=hc.Coding(codings.LOINC, "94558-4"),
    sampled_at=NOW - DAY,
    result=codings.NOT_DETECTED,
    centre="Example Hospital",
)
SEAL_DOSE = hc.Vaccination(
    disease=hc.Coding(codings.ICD_11, "RA01"),
    vaccine=hc.Coding(codings.ICD_11, "XM68M6"),
    product=hc.Coding("", "Comirnaty"),
    dose=2,
    date=date(2021, 6, 11),
    country="FR",
    batch="LOT9",
    centre="Example Hospital",
)
SEAL_HOLDER = hc.Holder(full_name="EXEMPLAIRE  ZOE", birth_date="1984-02-29", document_number="X1234567")
SEAL_TEST = hc.TestResult(
    test_type=hc.Coding("", "molecular(PCR)"),
    sampled_at=NOW - DAY,
    resulted_at=NOW - DAY / 2,
    result=hc.Coding("", "negative"),
    centre="Example Hospital",
    country="FR",
    other={"cd": {"p": "+33123456789", "e": "a@example.org", "a": "1 rue de l'Exemple"}},
)
SEAL_TESTED = hc.Holder(
    full_name="EXEMPLAIRE  ZOE", birth_date="1984-02-29", document_number="X1234567", other={"dt": "P"}
)
DOC_DOSE = hc.Vaccination(
    disease=codings.COVID_19,
    vaccine=hc.Coding(ATC, "J07BX03"),
    product=hc.Coding("", "COMIRNATY PFIZER/BIONTECH"),
    manufacturer=hc.Coding("", "PFIZER/BIONTECH"),
    dose=2,
    series=2,
    date=date(2021, 6, 11),
)
DOC_TEST = hc.TestResult(
    test_type=hc.Coding(codings.LOINC, "94309-2"), sampled_at=NOW - DAY, result=codings.NOT_DETECTED
)
DIVOC_DOSE = hc.Vaccination(
    product=hc.Coding("", "COVISHIELD"),
    vaccine=hc.Coding(codings.ICD_11, "XM9QW8"),
    manufacturer=hc.Coding("", "Serum Institute of India"),
    dose=2,
    series=2,
    date=date(2021, 6, 11),
    batch="LOT9",
    centre="Example Hospital",
    country="IN",
)
DIVOC_TEST = hc.TestResult(
    name="Example qPCR",
    test_type=hc.Coding("", "RT-PCR"),
    disease=hc.Coding("", "COVID-19"),
    sampled_at=NOW - DAY,
    resulted_at=NOW - DAY / 2,
    result=hc.Coding("", "Negative"),
    centre="Example Hospital",
    country="IN",
)
DIVOC_HOLDER = hc.Holder(full_name="Zoé Exemplaire", birth_date="1984-02-29", nationality="Indian")
DVC_DOSE = hc.Vaccination(
    product=hc.Coding(codings.PREQUALIFIED, "YellowFeverProductd2c75a15ed309658b3968519ddb31690"),
    date=date(2021, 6, 11),
    batch="LOT9",
    clinician="Dr Example",
)
EXEMPTION = Exemption(
    disease=codings.COVID_19,
    valid_until=date(2021, 12, 31),
    country="AT",
    issuer="Ministry",
    certificate_id="URN:UVCI:01:AT:T5DWTJYS4ZR8#4",
)


@dataclass(frozen=True)
class Case:
    """A certificate of one family: who issues it, under which store it is accepted, and with which warnings."""

    kind: str
    issue: Callable[[], hc.IssuedCertificate]
    trust: Callable[[], hc.TrustStore]
    warnings: tuple[str, ...] = ()
    holder: hc.Holder = PLAIN
    events: tuple[hc.Event, ...] = ()


@cache
def key(kind: KeyKind = KeyKind.EC_P256) -> hc.KeySigner:
    return hc.KeySigner(new_key(kind))


def vouched(format_: str, document: bytes, **options: str) -> hc.TrustStore:
    """A store of the keys in an unsigned list, as the operator vouches for them."""
    found = source_named(format_).load({"list": document}, Context((), NOW, options=options))
    assert not found.skipped
    return hc.TrustStore(found.keys)


def by_name(kid: str, domain: str, issuer: str | None = None, signer: hc.KeySigner | None = None) -> hc.TrustStore:
    store = hc.TrustStore()
    store.add_public_key((signer or key()).public_key, kid=kid.encode(), domain=domain, issuer=issuer)
    return store


@cache
def austrian() -> KeyPair:
    return new_dsc(new_csca("AT", "Test CSCA", now=NOW - 30 * DAY), "Test DSC", now=NOW - 20 * DAY)


@cache
def seal_signer() -> KeyPair:
    return new_barcode_signer(csca(), "Test BCS", now=NOW - 20 * DAY)


def of(*pairs: KeyPair, domain: str) -> hc.TrustStore:
    return hc.TrustStore.from_certificates([pair.certificate_der() for pair in pairs], domain=domain)


def shc() -> hc.ShcIssuer:
    return hc.ShcIssuer(key(), issuer=URL, clock=CLOCK)


def nzcp() -> hc.NzcpIssuer:
    return hc.NzcpIssuer(key(), issuer=DID, clock=CLOCK)


def seals() -> hc.VdsNcIssuer:
    return hc.VdsNcIssuer(seal_signer().signer(), issuer="FRA", clock=CLOCK)


def rsa() -> hc.KeySigner:
    return key(KeyKind.RSA_3072)


@cache
def ed25519() -> hc.KeySigner:
    return hc.KeySigner(Ed25519PrivateKey.generate())


def divoc(signer: hc.KeySigner | None = None) -> hc.DivocIssuer:
    return hc.DivocIssuer(signer or rsa(), issuer="did:example:health", clock=CLOCK)


def divoc_trust(signer: hc.KeySigner | None = None) -> hc.TrustStore:
    return by_name("did:example:health", "DIVOC", "did:example:health", signer or rsa())


@cache
def leaf() -> KeyPair:
    """The certificate of one who signs 2D-Docs, which verifiers know by its two names."""
    return new_dsc(csca(), "FR00 0001", now=NOW - 20 * DAY)


def seals_at(clock: hc.Clock) -> hc.VdsNcIssuer:
    return hc.VdsNcIssuer(seal_signer().signer(), issuer="FRA", clock=clock)


def documents() -> hc.TwoDDocIssuer:
    return hc.TwoDDocIssuer(leaf().signer(), authority="FR00", certificate_id="0001", clock=CLOCK)


def shc_trust() -> hc.TrustStore:
    return vouched("shc", shc_key_set([key().public_key], issuer=URL), issuer=URL)


def nzcp_trust() -> hc.TrustStore:
    return vouched("nzcp", nzcp_document({"key-1": key().public_key}, did=DID), issuer=DID)


def doc_trust() -> hc.TrustStore:
    known = read_certificate(leaf().certificate_der()).within("2D-DOC")
    return hc.TrustStore([dataclasses.replace(known, kid=b"FR000001")])


def dvc() -> hc.DvcIssuer:
    return hc.DvcIssuer(dsc().signer(), issuer="FR", validity=365 * DAY, clock=CLOCK)


def light() -> hc.LightIssuer:
    return hc.LightIssuer(dsc().signer(), issuer="CH BAG", clock=CLOCK)


def exemptions() -> hc.ExemptionIssuer:
    return hc.ExemptionIssuer(austrian().signer(), issuer="AT", validity=30 * DAY, clock=CLOCK)


CASES = {
    "shc vaccination": Case(
        "SMART Health Card", lambda: shc().issue(SHC_DOSE, holder=PLAIN), shc_trust, events=(SHC_DOSE,)
    ),
    "shc test": Case("SMART Health Card", lambda: shc().issue(SHC_TEST, holder=PLAIN), shc_trust, events=(SHC_TEST,)),
    "nzcp": Case("NZ COVID Pass", lambda: nzcp().issue(holder=PLAIN), nzcp_trust),
    "vds-nc vaccination": Case(
        "ICAO VDS-NC",
        lambda: seals().issue(SEAL_DOSE, holder=SEAL_HOLDER),
        lambda: of(csca(), domain="ICAO"),
        holder=SEAL_HOLDER,
        events=(SEAL_DOSE,),
    ),
    "vds-nc test": Case(
        "ICAO VDS-NC",
        lambda: seals().issue(SEAL_TEST, holder=SEAL_TESTED),
        lambda: of(csca(), domain="ICAO"),
        holder=SEAL_TESTED,
        events=(SEAL_TEST,),
    ),
    "divoc vaccination": Case(
        "DIVOC",
        lambda: divoc().issue(DIVOC_DOSE, holder=DIVOC_HOLDER),
        divoc_trust,
        holder=DIVOC_HOLDER,
        events=(DIVOC_DOSE,),
    ),
    "divoc test": Case(
        "DIVOC",
        lambda: divoc(ed25519()).issue(DIVOC_TEST, holder=DIVOC_HOLDER),
        lambda: divoc_trust(ed25519()),
        holder=DIVOC_HOLDER,
        events=(DIVOC_TEST,),
    ),
    "2d-doc vaccination": Case(
        "2D-Doc", lambda: documents().issue(DOC_DOSE, holder=PLAIN), doc_trust, events=(DOC_DOSE,)
    ),
    "2d-doc test": Case(
        "2D-Doc",
        lambda: documents().issue(DOC_TEST, holder=PLAIN),
        doc_trust,
        # The form has no zone: the letter of the specification and a warning are the same thing here.
        warnings=("TIME_WITHOUT_ZONE",),
        events=(DOC_TEST,),
    ),
    "dvc": Case(
        "WHO DVC",
        lambda: dvc().issue(DVC_DOSE, holder=DVC_HOLDER),
        lambda: of(dsc(), domain="ICVP"),
        holder=DVC_HOLDER,
        events=(DVC_DOSE,),
    ),
    "light": Case("Swiss certificate light", lambda: light().issue(holder=PLAIN), lambda: of(dsc(), domain="CH-LIGHT")),
    "exemption": Case(
        "Austrian exemption certificate",
        lambda: exemptions().issue(EXEMPTION, holder=PLAIN),
        lambda: of(austrian(), domain="AT-EXEMPTION"),
        events=(EXEMPTION,),
    ),
}
"""A certificate of each family, and of each kind of event in it."""


def shlink_payload() -> str:
    """What stands behind the scheme of a health link."""
    values = {"url": "https://links.example/" + "a" * 43, "key": jwk.encode(bytes(range(32))), "type": "vhl"}
    return jwk.encode(json.dumps(values, separators=(",", ":")).encode())
