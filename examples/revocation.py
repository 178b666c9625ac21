"""Issue two certificates, revoke one of them, take the list into use and verify both.

All keys are made for the occasion, and everything is kept in a temporary folder. The batch is signed with an upload
certificate, as a country does for the EU gateway; that certificate is what verifiers pin.

    python revocation.py
"""

from __future__ import annotations

import sys
import tempfile
from datetime import date
from pathlib import Path

import healthcert as hc
from healthcert.publish.batches import make_batches
from healthcert.publish.revoked import entries_of_certificate

RECOVERY = hc.Recovery(
    disease=hc.COVID_19,
    first_positive=date(2021, 6, 1),
    valid_from=date(2021, 6, 12),
    valid_until=date(2021, 11, 28),
)
# A made-up person.
HOLDER = hc.Holder(family_name="Exemple-Müller", given_name="Zoé", birth_date="1984-02-29")


def revoke(text: str, upload: hc.PemSigner, folder: Path) -> None:
    """Writes the batches that revoke a certificate, as the gateway would hand them out."""
    entries = entries_of_certificate(text, [hc.IdentifierType.SIGNATURE])
    folder.mkdir()
    for number, batch in enumerate(make_batches(entries, upload, now=hc.SystemClock().now()), 1):
        (folder / f"{number}.cms").write_bytes(batch.message)


def install(store: hc.RevocationStore, folder: Path, anchor: Path) -> None:
    """Takes the batches in a folder into use. Raises :class:`healthcert.RevocationError` when they are refused."""
    feed = hc.RevocationFeed(name="dgcg", format="dgcg", anchors=hc.load_anchors(anchor))
    with hc.open_files(folder) as files:
        change = hc.install_revocations(store, feed, files)
    print(f"{change.source}: {change.records} entry, {change.skipped_count} skipped")


def main(folder: Path) -> int:
    now = hc.SystemClock().now().replace(microsecond=0)
    csca = hc.new_csca("FR", "Example CSCA", now=now)
    dsc, upload = hc.new_dsc(csca, "Example DSC", now=now), hc.new_dsc(csca, "Example upload", now=now)
    issuer = hc.Issuer(dsc.signer(), country="FR", name="Ministry of Examples")
    good, bad = (issuer.issue(RECOVERY, holder=HOLDER).text for _ in range(2))

    revoke(bad, upload.signer(), folder / "batches")
    (folder / "upload.pem").write_bytes(upload.certificate_pem())
    store = hc.RevocationStore.open(folder / "lists")
    install(store, folder / "batches", folder / "upload.pem")

    trust = hc.TrustStore.from_certificates([dsc.certificate_der()])
    policy = hc.Policy(name="border", revocation=hc.RevocationCheck.REQUIRED)
    verifier = hc.Verifier(trust, revocation=store, policy=policy)
    reports = [verifier.examine(text) for text in (good, bad)]
    for report in reports:
        print(report.outcome, report.code, report.detail)
    expected = [hc.Code.OK, hc.Code.REVOKED]
    return 0 if [report.code for report in reports] == expected else 1


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    with tempfile.TemporaryDirectory() as scratch:
        sys.exit(main(Path(scratch)))
