"""Issue one certificate of every family, then verify all of them with one verifier.

    python every_family.py

Nothing is written; the keys live in memory. Each certificate is drawn as the barcode of its family and read back.
For DIVOC the extra is needed: pip install 'healthcert[divoc]'.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import date

from cryptography.hazmat.primitives.asymmetric import ec, ed25519

import healthcert as hc

HOLDER = hc.Holder("Exemple", "Zoé", "1984-02-29")
DAY = date(2021, 6, 11)
CARDS, PASSES, HEALTH = "https://cards.example.org/issuer", "did:web:passes.example.org", "did:web:health.example.org"


def certificates(trust: hc.TrustStore) -> Iterator[hc.IssuedCertificate]:
    """One certificate of each family; the key of its issuer goes into the trust store, as its family names keys."""
    now = hc.SystemClock().now()
    ca = hc.new_csca("FR", "Example authority", now=now)

    dsc = hc.new_dsc(ca, "Example DSC", now=now).signer()
    trust.include(hc.TrustStore.from_certificates([dsc.certificate], domain="DCC"))
    dose = hc.Vaccination(
        disease=hc.COVID_19,
        vaccine=hc.Coding(hc.SNOMED_CT, "1119349007"),
        product=hc.Coding("", "EU/1/20/1528"),
        manufacturer=hc.Coding("", "ORG-100030215"),
        dose=2,
        series=2,
        date=DAY,
    )
    yield hc.Issuer(dsc, country="FR", name="Ministry of Examples").issue(dose, holder=HOLDER)

    key = hc.KeySigner(ec.generate_private_key(ec.SECP256R1()))
    cards = hc.ShcIssuer(key, issuer=CARDS)
    trust.add_public_key(key.public_key, kid=cards.kid.encode(), domain="SHC", issuer=CARDS)
    yield cards.issue(hc.Vaccination(vaccine=hc.named(hc.CVX, "208"), date=DAY), holder=HOLDER)

    trust.add_public_key(key.public_key, kid=b"key-1", domain="NZCP", issuer=PASSES)
    yield hc.NzcpIssuer(key, issuer=PASSES, key="key-1").issue(holder=HOLDER)

    seals = hc.new_barcode_signer(ca, "Example seals", now=now).signer()
    trust.include(hc.TrustStore.from_certificates([ca.certificate_pem()], domain="ICAO"))
    dose = hc.Vaccination(
        vaccine=hc.Coding(hc.ICD_11, "XM68M6"),
        product=hc.Coding("", "Comirnaty"),
        dose=2,
        date=DAY,
        country="FR",
        batch="AB1234",
        centre="Clinic",
    )
    yield hc.VdsNcIssuer(seals, issuer="FRA").issue(dose, holder=HOLDER)

    edwards = hc.KeySigner(ed25519.Ed25519PrivateKey.generate())
    trust.add_public_key(edwards.public_key, kid=HEALTH.encode(), domain="DIVOC", issuer=HEALTH)
    dose = hc.Vaccination(
        product=hc.Coding("", "Comirnaty"),
        manufacturer=hc.Coding("", "Pfizer"),
        dose=1,
        series=2,
        date=DAY,
        country="IND",
        batch="AB1234",
        centre="Clinic",
    )
    yield hc.DivocIssuer(edwards, issuer=HEALTH).issue(dose, holder=HOLDER)

    trust.add_public_key(key.public_key, kid=b"FR000001", domain="2D-DOC")
    dose = hc.Vaccination(
        disease=hc.COVID_19,
        vaccine=hc.Coding(hc.ATC, "J07BX03"),
        product=hc.Coding("", "COMIRNATY"),
        manufacturer=hc.Coding("", "PFIZER"),
        dose=2,
        series=2,
        date=DAY,
    )
    yield hc.TwoDDocIssuer(key, authority="FR00", certificate_id="0001").issue(dose, holder=HOLDER)


def main() -> int:
    trust = hc.TrustStore()
    verifier = hc.Verifier(trust)
    refused = 0
    for issued in certificates(trust):
        [scanned] = hc.read_barcodes(issued.symbol().png())
        report = verifier.examine(scanned)
        events = report.certificate.events if report.certificate is not None else ()
        print(f"{report.family}: {report.outcome}, {len(events)} event(s), {len(issued.text)} characters")
        refused += report.outcome is not hc.Outcome.ACCEPTED
    return 1 if refused else 0


if __name__ == "__main__":
    if len(sys.argv) != 1:
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    sys.exit(main())
