"""Issue a vaccination certificate, draw it, read it back and verify it.

Make a key and its certificate first, and give both:

    healthcert keys new-ca --country FR --no-passphrase
    healthcert keys new-dsc --no-passphrase
    python issue_and_verify.py dsc.key.pem dsc.pem certificate.png
"""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path

import healthcert as hc

SNOMED_CT = "http://snomed.info/sct"

DOSE = hc.Vaccination(
    disease=hc.Coding(SNOMED_CT, "840539006"),
    vaccine=hc.Coding(SNOMED_CT, "1119349007"),
    product=hc.Coding("https://ec.europa.eu/health/documents/community-register/html/", "EU/1/20/1528"),
    manufacturer=hc.Coding("https://spor.ema.europa.eu/v1/organisations", "ORG-100030215"),
    dose=2,
    series=2,
    date=date(2021, 6, 11),
)
# A made-up person.
HOLDER = hc.Holder(family_name="Exemple-Müller", given_name="Zoé", birth_date="1984-02-29")


def main(key: Path, certificate: Path, picture: Path) -> int:
    signer = hc.PemSigner.load(key, certificate)
    issued = hc.Issuer(signer, country="FR", name="Ministry of Examples").issue(DOSE, holder=HOLDER)
    issued.qr().save(picture)
    print(f"issued, expires {issued.expires:%Y-%m-%d}, in {picture.name}")

    verifier = hc.Verifier(hc.TrustStore.from_path(certificate))
    for text in hc.read_barcodes(picture):
        report = verifier.examine(text)
        print(f"{report.outcome}: {report.code}")
        for step in report.steps:
            print(f"  {step.step:<11}{step.outcome:<9}{step.detail}".rstrip())
        if report.outcome is not hc.Outcome.ACCEPTED:
            return 1
    return 0


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    sys.exit(main(*map(Path, sys.argv[1:])))
