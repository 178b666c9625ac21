"""``healthcert issue``: a record becomes a signed QR code."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from healthcert.errors import Code, IssueError, Step
from healthcert.families.hcert.letters import TRANSLITERATION_VARIANTS
from healthcert.intake.record import ENTRY_TYPES, fields_of, read_record
from healthcert.issue.issuer import Issued, Issuer
from healthcert.issue.policy import IssuePolicy
from healthcert.limits import DEFAULT_LIMITS
from healthcert.model import EntryType
from healthcert.rules.valuesets import ValueSets
from healthcert.trust.certificates import read_certificate
from healthcert_cli.exits import boundary
from healthcert_cli.options import default_rules, json_option, passphrase_option
from healthcert_cli.signing import load_signer
from healthcert_cli.sources import read_bytes

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
    "certificate_id": "UVCI of the certificate. [default: a new one]",
}


@click.group()
def command() -> None:
    """Issue a vaccination, test or recovery certificate.

    The record is given by options, as a JSON object with the options' names (birth_date, dose ...) in a file or on
    standard input, or both: options win. Other users of a machine can see the options of running commands, so on
    a shared one use a file.
    """


def _command(kind: EntryType) -> click.Command:
    @boundary
    def run(
        record_file: str | None,
        key: Path,
        certificate: Path,
        issuer_name: str | None,
        passphrase_file: Path | None,
        qr: Path | None,
        text_file: Path | None,
        show: bool,
        error_correction: str,
        value_sets: str | None,
        allow_codes: tuple[str, ...],
        transliteration: str | None,
        as_json: bool,
        **flags: str | None,
    ) -> None:
        record = _load_record(record_file) | {name: value for name, value in flags.items() if value is not None}
        holder, event = read_record(kind, record)
        signer = load_signer(key, certificate, passphrase_file)
        country = read_certificate(signer.certificate).country or event.country or ""
        policy = IssuePolicy(
            value_sets=None if value_sets is None else _load_value_sets(value_sets),
            unlisted_codes=frozenset(allow_codes),
            transliteration=TRANSLITERATION_VARIANTS[transliteration.upper()] if transliteration else {},
        )
        issued = Issuer(signer, country=country, name=issuer_name, policy=policy).issue(event, holder=holder)
        _deliver(issued, qr, text_file, show=show, level=error_correction, as_json=as_json)

    decorated: Callable[..., None] = run
    for name in reversed(fields_of(kind)):
        decorated = click.option(f"--{name.replace('_', '-')}", name, help=_HELP[name])(decorated)
    for option in reversed(_COMMON):
        decorated = option(decorated)
    return click.command(kind.value, help=f"Issue a {kind.value} certificate.")(decorated)


def _drawable(_context: click.Context, _option: click.Parameter, path: Path | None) -> Path | None:
    if path is not None and path.suffix.lower() not in (".png", ".svg"):
        raise click.BadParameter("the name must end in .png or .svg")
    return path


_file = click.Path(dir_okay=False, path_type=Path)
_existing = click.Path(exists=True, dir_okay=False, path_type=Path)
_COMMON: tuple[Callable[[Any], Any], ...] = (
    click.option("--record", "record_file", metavar="FILE", help="JSON object with the record; - for standard input."),
    click.option(
        "--key",
        type=_existing,
        default=Path("dsc.key.pem"),
        show_default=True,
        envvar="HEALTHCERT_KEY",
        help="The DSC's private key (or the variable HEALTHCERT_KEY).",
    ),
    click.option(
        "--certificate",
        type=_existing,
        default=Path("dsc.pem"),
        show_default=True,
        envvar="HEALTHCERT_CERTIFICATE",
        help="The DSC (or the variable HEALTHCERT_CERTIFICATE).",
    ),
    click.option("--issuer-name", envvar="HEALTHCERT_ISSUER", help="Issuer of records that name none."),
    passphrase_option,
    click.option(
        "--qr",
        type=_file,
        callback=_drawable,
        help="Write the QR code here: a name that ends in .png or .svg.",
    ),
    click.option("--text", "text_file", type=_file, help="Write the certificate's text here."),
    click.option("--show", is_flag=True, help="Draw the QR code on the terminal."),
    click.option(
        "--error-correction",
        type=click.Choice(["L", "M", "Q", "H"]),
        default="Q",
        show_default=True,
        help="Of the QR code.",
    ),
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
    json_option,
)


def _load_record(source: str | None) -> dict[str, Any]:
    if source is None:
        return {}
    data = read_bytes(source, DEFAULT_LIMITS.text_chars * 16)
    try:
        record = json.loads(data, object_pairs_hook=_unique)
    except (ValueError, RecursionError):
        raise IssueError(
            Code.FIELD_INVALID, "the record is not a JSON object with unique names", Step.CONTENT
        ) from None
    if not isinstance(record, dict):
        raise IssueError(Code.FIELD_INVALID, "the record is not a JSON object", Step.CONTENT)
    return record


def _load_value_sets(source: str) -> ValueSets:
    """The value sets at a path, or in the usual store. Raises :class:`RuleError`, OSError."""
    from healthcert.rules.database import is_database
    from healthcert.rules.store import RuleStore
    from healthcert.rules.valuesetfiles import load_value_sets

    path = default_rules() if source == "store" else Path(source)
    # An empty store has no newer codes than this program: whoever names one is told, instead of issuing by old codes.
    if not path.exists():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
    return RuleStore.open(path).book.value_sets if path.is_file() and is_database(path) else load_value_sets(path)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) != len(pairs):
        raise ValueError("a name stands twice")
    return record


def _deliver(issued: Issued, qr: Path | None, text_file: Path | None, *, show: bool, level: str, as_json: bool) -> None:
    code = issued.qr(error_correction=level) if qr or show else None
    if qr and code:
        code.save(qr)
    if text_file:
        text_file.write_text(issued.text + "\n", encoding="ascii")
    if as_json:
        values = {
            "certificate_id": issued.certificate_id,
            "issued_at": issued.issued_at.isoformat(),
            "expires": issued.expires.isoformat(),
            "text": issued.text,
        }
        click.echo(json.dumps(values))
        return
    if show and code:
        click.echo(code.terminal(), nl=False)
    if not (qr or text_file or show):
        click.echo(issued.text)
    click.echo(f"Issued {issued.certificate_id}, expires {issued.expires:%Y-%m-%d %H:%M} UTC.", err=True)


for _kind in ENTRY_TYPES:
    command.add_command(_command(_kind))
