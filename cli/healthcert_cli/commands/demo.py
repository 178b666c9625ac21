"""``healthcert demo``: the whole way of a certificate, each step named."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import click

from healthcert.barcode.read import read_barcodes
from healthcert.clock import FixedClock, SystemClock
from healthcert.encoding import base45, cose, deflate
from healthcert.errors import Code, DocumentError
from healthcert.families.hcert.family import PREFIX
from healthcert.intake.record import read_record
from healthcert.issue.issued import Issued
from healthcert.issue.issuer import Issuer
from healthcert.issue.pki import new_csca, new_dsc
from healthcert.limits import DEFAULT_LIMITS
from healthcert.model import EntryType
from healthcert.trust.store import TrustStore
from healthcert.verify.report import Outcome, Report
from healthcert.verify.verifier import Verifier
from healthcert_cli.exits import Exit, boundary
from healthcert_cli.options import json_option
from healthcert_cli.render import certificate_lines, key_summary, step_lines, verdict

# A made-up person; nobody's data.
RECORD = {
    "family_name": "Exemplaire-Müller",
    "given_name": "Zoé",
    "birth_date": "1984-02-29",
    "vaccine": "1119349007",
    "product": "EU/1/20/1528",
    "manufacturer": "ORG-100030215",
    "dose": 2,
    "series": 2,
    "date": "2021-06-11",
    "country": "FR",
    "issuer": "Ministry of Examples",
}


Say = Callable[[str], None]


@click.command()
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), default=Path("demo-output"), show_default=True,
    help="Folder for the certificate, its QR code and the signing certificate.",
)  # fmt: skip
@click.option("--show", is_flag=True, help="Draw the QR code on the terminal.")
@json_option
@boundary
def command(out: Path, show: bool, as_json: bool) -> Exit:
    """Sign a vaccination record, draw it as a QR code, read the picture and verify what it says.

    With keys made for the occasion, and a person made up.
    """
    now = SystemClock().now().replace(microsecond=0)
    clock = FixedClock(now)
    out.mkdir(parents=True, exist_ok=True)

    say: Say = _silent if as_json else click.echo
    say(_title("1. Keys: a national authority (CSCA) and a document signing certificate (DSC) for vaccinations"))
    csca = new_csca("FR", "Demo CSCA", now=now)
    dsc = new_dsc(csca, "Demo DSC", now=now, usages=[EntryType.VACCINATION])
    (out / "dsc.pem").write_bytes(dsc.certificate_pem())
    trust = TrustStore.from_certificates([dsc.certificate_der()])
    say(f"    {key_summary(next(iter(trust)))}")

    say(_title("2. Record: a dose given to a made-up person"))
    holder, event = read_record(EntryType.VACCINATION, RECORD)
    say(f"    {json.dumps(RECORD, ensure_ascii=False)}")

    say(_title("3. Sign: claims → CBOR → COSE_Sign1 → deflate → base45"))
    issued = Issuer(dsc.signer(), country="FR", clock=clock).issue(event, holder=holder)
    (out / "certificate.txt").write_text(issued.text + "\n", encoding="ascii")
    say(f"    {_sizes(issued)}")
    say(f"    {issued.text[:60]}…")

    say(_title("4. Draw: a QR code"))
    code = issued.qr()
    picture = out / "certificate.png"
    code.save(picture)
    say(f"    version {code.version}, {len(code.modules)} modules a side, in {picture}")
    if page := _page(issued):
        (out / "certificate.pdf").write_bytes(page)
        say(f"    and on a page to print, in {out / 'certificate.pdf'}")
    if show:
        say(code.terminal())

    say(_title("5. Read: the text back from the picture"))
    texts = read_barcodes(picture)
    say(f"    {len(texts)} code found, {'the same text' if texts == [issued.text] else 'NOT the same text'}")

    verifier = Verifier(trust, clock=clock)
    say(_title("6. Verify, step by step"))
    genuine = verifier.examine(texts[0])
    _tell(say, "the certificate", genuine)

    say(_title("7. The same certificate with a dose more than was signed"))
    forged = verifier.examine(_forge(issued))
    _tell(say, "the forgery", forged)

    say(_title("8. The genuine one, a day after it expired"))
    late = Verifier(trust, clock=FixedClock(issued.expires + timedelta(days=1))).examine(issued.text)
    _tell(say, "the expired certificate", late)

    if as_json:
        reports = {"genuine": genuine, "forged": forged, "expired": late}
        click.echo(json.dumps({name: report.to_dict() for name, report in reports.items()}))
    say(f"\nNow try: healthcert verify {picture} --trust {out / 'dsc.pem'}")
    right = (Outcome.ACCEPTED, Outcome.REFUSED, Outcome.REFUSED)
    return Exit.ACCEPTED if (genuine.outcome, forged.outcome, late.outcome) == right else Exit.REFUSED


def _silent(_text: str) -> None:
    """Says nothing: with --json, only the JSON is wanted."""


def _title(text: str) -> str:
    return "\n" + click.style(text, bold=True)


def _sizes(issued: Issued) -> str:
    message = cose.decode_sign1(issued.cose, max_depth=DEFAULT_LIMITS.cbor_depth)
    compressed = base45.decode(issued.text[len(PREFIX) :])
    return (
        f"{len(message.payload)} bytes of CBOR, {len(issued.cose)} signed, "
        f"{len(compressed)} compressed, {len(issued.text)} characters"
    )


def _page(issued: Issued) -> bytes | None:
    """The printable certificate; None where what sets it is not installed."""
    try:
        return issued.pdf()
    except DocumentError as error:
        if error.code is Code.EXTRA_MISSING:
            return None
        raise


def _forge(issued: Issued) -> str:
    """The certificate with its dose changed from 2 to 3 under the old signature."""
    forged = issued.cose.replace(b"\x62dn\x02", b"\x62dn\x03")
    return PREFIX + base45.encode(deflate.deflate(forged))


def _tell(say: Say, source: str, report: Report) -> None:
    for line in step_lines(report):
        say(line)
    say("  " + verdict(source, report.outcome, report.code, report.detail))
    if report.outcome is Outcome.ACCEPTED and report.certificate is not None:
        for line in certificate_lines(report.certificate):
            say("  " + line)
