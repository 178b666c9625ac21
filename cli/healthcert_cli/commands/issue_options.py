"""The options of ``healthcert issue``: those of all families, those of one, and the fields of their records."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from healthcert.families.hcert.letters import TRANSLITERATION_VARIANTS
from healthcert.intake.forms import PERSONAL, families_of, form_fields
from healthcert.intake.record import fields_of
from healthcert.model import EntryType
from healthcert_cli.authorities import profile_option
from healthcert_cli.options import Duration, json_option, passphrase_option, pin_option
from healthcert_cli.signing import KeySource

DCC = "dcc"
Option = Callable[[Any], Any]

_HELP = {
    "family_name": "Family name as the holder writes it.",
    "given_name": "Given name as the holder writes it.",
    "birth_date": "YYYY-MM-DD, YYYY-MM or YYYY.",
    "family_name_icao": "Family name as in the passport's machine-readable zone. [default: made from the name]",
    "given_name_icao": "Given name as in the passport's machine-readable zone. [default: made from the name]",
    "disease": "Disease code. [default: 840539006, COVID-19]",
    "vaccine": "Vaccine code; for example 1119349007 (mRNA).",
    "product": "Product, by code or name; for example EU/1/20/1528 or Comirnaty. It brings vaccine and manufacturer.",
    "manufacturer": "Manufacturer code; for example ORG-100030215.",
    "dose": "Number of this dose.",
    "series": "Number of doses of the series.",
    "date": "Day of the dose, YYYY-MM-DD.",
    "test_type": "LP6464-4 (NAAT) or LP217198-3 (rapid antigen).",
    "sampled_at": "Moment of sampling with its time zone; for example 2021-08-20T10:03:12+02:00.",
    "result": "260415000 (not detected) or 260373001 (detected).",
    "name": "Name of the test.",
    "device": "Device id of a rapid test; for example 1232.",
    "centre": "Testing centre.",
    "first_positive": "Day of the first positive test, YYYY-MM-DD.",
    "valid_from": "First day of use, YYYY-MM-DD.",
    "valid_until": "Last day of use, YYYY-MM-DD.",
    "country": "Country of the event. [default: the DSC's]",
    "issuer": "Who issues the certificate. [default: --issuer-name]",
    "certificate_id": "UVCI or other identifier of the certificate. [default: a new one]",
    "full_name": "Name in one piece, where given and family name are not told apart.",
    "sex": "male, female, other or unknown; M, F or X in a seal.",
    "nationality": "Nationality: three letters (dvc), or a word (divoc).",
    "document_number": "Number of a passport or other document.",
    "guardian": "Name of a guardian.",
    "batch": "Batch (lot) number of the vaccine.",
    "clinician": "Name of who gave the dose.",
    "sampled_on": "Day of sampling, YYYY-MM-DD, where the moment is not known.",
    "resulted_at": "Moment of the result with its time zone.",
    "cycle": "TE for a complete cycle of vaccination, CO for an ongoing one. [default: by dose and series]",
    "other_document": "Number of another document that the state has.",
    "document_type": "Type of the document: P, A, C, I, AC, V or D.",
    "contact_phone": "Telephone number of the testing centre.",
    "contact_email": "E-mail address of the testing centre.",
    "contact_address": "Address of the testing centre.",
    "method": "How the sample was taken: nasopharyngeal, oropharyngeal, saliva, blood or other.",
}


def options_for(kind: EntryType | None) -> tuple[Option, ...]:
    """The options of the command for this kind of record; None for a person alone."""
    families = PERSONAL if kind is None else families_of(kind)
    own = _of_families(families, required=kind is None) if families else ()
    return (*_COMMON, *(() if kind is None else _OF_DCC), *own, json_option, *_of_fields(kind))


def _of_fields(kind: EntryType | None) -> tuple[Option, ...]:
    """One option for each field of a record of this kind in any family."""
    found: dict[str, list[str]] = {}
    for name in () if kind is None else fields_of(kind):
        found[name] = [DCC]
    for family in PERSONAL if kind is None else families_of(kind):
        for name in form_fields(family, kind):
            found.setdefault(name, []).append(family)
    return tuple(
        click.option(f"--{name.replace('_', '-')}", name, help=_HELP[name] + _only(families))
        for name, families in found.items()
    )


def _only(families: list[str]) -> str:
    return "" if DCC in families else f" ({', '.join(families)})"


def _drawable(_context: click.Context, _option: click.Parameter, path: Path | None) -> Path | None:
    if path is not None and path.suffix.lower() not in (".png", ".svg", ".pdf"):
        raise click.BadParameter("the name must end in .png, .svg or .pdf")
    return path


_file = click.Path(dir_okay=False, path_type=Path)
_existing = click.Path(exists=True, dir_okay=False, path_type=Path)
_COMMON: tuple[Option, ...] = (
    click.option("--record", "record_file", metavar="FILE", help="JSON object with the record; - for standard input."),
    click.option(
        "--key",
        type=KeySource(),
        envvar="HEALTHCERT_KEY",
        help="The private key (or the variable HEALTHCERT_KEY): a file, a hardware module's key as a pkcs11: URI, or "
        "a command: that signs digests. [default: dsc.key.pem; bcs.key.pem for vds-nc, issuer.key.pem for shc, nzcp, "
        "divoc and 2d-doc]",
    ),
    click.option(
        "--certificate",
        type=_existing,
        envvar="HEALTHCERT_CERTIFICATE",
        help="The DSC (or the variable HEALTHCERT_CERTIFICATE). [default: dsc.pem; bcs.pem for vds-nc]",
    ),
    passphrase_option,
    pin_option,
    click.option(
        "--qr",
        type=_file,
        callback=_drawable,
        help="Write the QR code (2d-doc: the DataMatrix) here: a name that ends in .png, .svg or .pdf.",
    ),
    click.option("--text", "text_file", type=_file, help="Write the certificate's text here."),
    click.option("--pdf", type=_file, help="Write the printable certificate here."),
    click.option("--html", type=_file, help="Write the certificate as a page for a screen here."),
    click.option("--show", is_flag=True, help="Draw the barcode on the terminal."),
    click.option(
        "--error-correction",
        type=click.Choice(["L", "M", "Q", "H"]),
        help="Of the QR code. [default: Q; L for shc, M for vds-nc and divoc]",
    ),
)
_OF_DCC: tuple[Option, ...] = (
    profile_option,
    click.option("--new-edition", is_flag=True, help="Issue anew what was revoked (with a profile)."),
    click.option("--issuer-name", envvar="HEALTHCERT_ISSUER", help="Issuer of records that name none."),
    click.option(
        "--value-sets",
        metavar="PATH|store",
        help="Issue the codes of these value sets, where they are newer than the ones that are part of this program: a "
        "file or folder of them, a rule store, or the word store for the usual one (see: healthcert rules).",
    ),
    click.option(
        "--allow-code",
        "allow_codes",
        multiple=True,
        metavar="CODE",
        help="Issue this code although its value set does not have it, or no longer; may be repeated.",
    ),
    click.option(
        "--transliteration",
        type=click.Choice(sorted(TRANSLITERATION_VARIANTS), case_sensitive=False),
        help="Spell names as this country does where that is not the usual way of ICAO Doc 9303.",
    ),
)


def _of_families(families: Sequence[str], *, required: bool) -> tuple[Option, ...]:
    choice = click.Choice([*families] if required else [DCC, *families])
    family = (
        click.option("--family", type=choice, required=True, help="The kind of pass.")
        if required
        else click.option("--family", type=choice, default=DCC, show_default=True, help="The kind of certificate.")
    )
    cards = (
        click.option("--rid", help="What names the card for revocation, in up to 24 characters (shc)."),
        click.option("--file", "card", type=_file, help="Write the .smart-health-card file here (shc)."),
    )
    return (
        family,
        click.option(
            "--issuer-id",
            envvar="HEALTHCERT_ISSUER_ID",
            help="How the family names its issuer: https://cards.example/issuer (shc), did:web:passes.example (nzcp, "
            "divoc), FR00/0001 (2d-doc), FRA (vds-nc), FR (dvc), CH BAG (light). [default: the certificate's country]",
        ),
        click.option("--key-id", help="What the issuer's DID calls the key. [default: key-1 (nzcp); none (divoc)]"),
        click.option("--validity", type=Duration(), help="How long it lives: 48h, 30d. [default: the family's]"),
        *(cards if "shc" in families else ()),
    )
