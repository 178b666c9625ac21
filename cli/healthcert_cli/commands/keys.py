"""``healthcert keys``: a small public key infrastructure."""

from __future__ import annotations

import errno
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
from cryptography import x509

from healthcert.clock import SystemClock
from healthcert.errors import Code, IssueError
from healthcert.issue.pki import CSCA_VALIDITY, DSC_VALIDITY, KeyKind, KeyPair, new_barcode_signer, new_csca, new_dsc
from healthcert.issue.signer import load_private_key, needs_passphrase
from healthcert.limits import DEFAULT_LIMITS, read_file
from healthcert.lists.reading import Rejected
from healthcert.lists.x509 import USAGE_OIDS
from healthcert.model import EntryType
from healthcert.trust.files import read_path
from healthcert.trust.keys import TrustedKey
from healthcert.trust.vouching import DOCUMENT_TYPES
from healthcert.verify.report import describe_key
from healthcert_cli.commands.issuer_keys import new_issuer
from healthcert_cli.exits import Exit, boundary
from healthcert_cli.options import Decorator, json_option, passphrase, passphrase_option, write_private
from healthcert_cli.render import key_lines
from healthcert_cli.text import printable

_existing = click.Path(exists=True, dir_okay=False, path_type=Path)
_kind_option = click.option(
    "--kind",
    type=click.Choice([kind.value for kind in KeyKind]),
    default=KeyKind.EC_P256.value,
    show_default=True,
    help="Kind of key: EC P-256 signs ES256, RSA signs PS256.",
)
_out_option = click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    help="Folder for the files. [default: here]",
)
_no_passphrase_option = click.option("--no-passphrase", is_flag=True, help="Leave the private key unencrypted.")


def _days_option(default: timedelta) -> Decorator:
    return click.option(
        "--days", type=click.IntRange(1, 7305), default=default.days, show_default=True, help="Validity."
    )


@click.group()
def command() -> None:
    """Make signing authorities (CSCA), document signing certificates (DSC) and keys of other issuers.

    For pilots, tests and small issuers. Private keys are written for their owner's eyes only, and are
    encrypted unless --no-passphrase is given.
    """


@command.command("new-ca")
@click.option("--country", required=True, help="ISO 3166-1 alpha-2; for example FR.")
@click.option("--name", default="CSCA", show_default=True, help="The authority's common name.")
@_days_option(CSCA_VALIDITY)
@_kind_option
@_out_option
@passphrase_option
@_no_passphrase_option
@json_option
@boundary
def new_ca(
    country: str,
    name: str,
    days: int,
    kind: str,
    out: Path,
    passphrase_file: Path | None,
    no_passphrase: bool,
    as_json: bool,
) -> None:
    """Make a national signing authority: csca.pem and csca.key.pem."""
    secret = None if no_passphrase else passphrase(passphrase_file, confirm=True)
    pair = new_csca(country, name, now=_now(), kind=KeyKind(kind), validity=timedelta(days=days))
    _write(pair, out, "csca", secret, as_json=as_json)


@command.command("new-dsc")
@click.option("--ca", type=_existing, default=Path("csca.pem"), show_default=True, help="The CSCA's certificate.")
@click.option(
    "--ca-key", type=_existing, default=Path("csca.key.pem"), show_default=True, help="The CSCA's private key."
)
@click.option("--ca-passphrase-file", type=_existing, help="Like --passphrase-file, where the CSCA's is another.")
@click.option("--name", default="DSC", show_default=True, help="The certificate's common name.")
@click.option(
    "--usage",
    "usages",
    multiple=True,
    type=click.Choice([usage.value for usage in USAGE_OIDS]),
    help="Limit what it may sign; may be repeated. [default: any entry]",
)
@_days_option(DSC_VALIDITY)
@_kind_option
@_out_option
@passphrase_option
@_no_passphrase_option
@json_option
@boundary
def new_dsc_command(
    ca: Path,
    ca_key: Path,
    name: str,
    usages: tuple[str, ...],
    days: int,
    kind: str,
    out: Path,
    passphrase_file: Path | None,
    ca_passphrase_file: Path | None,
    no_passphrase: bool,
    as_json: bool,
) -> None:
    """Make a document signing certificate under an authority: dsc.pem and dsc.key.pem."""
    csca = _load_csca(ca, ca_key, ca_passphrase_file or passphrase_file)
    secret = None if no_passphrase else passphrase(passphrase_file, confirm=True)
    pair = new_dsc(
        csca,
        name,
        now=_now(),
        usages=[EntryType(usage) for usage in usages],
        kind=KeyKind(kind),
        validity=timedelta(days=days),
    )
    _write(pair, out, "dsc", secret, as_json=as_json)


@command.command("new-bcs")
@click.option("--ca", type=_existing, default=Path("csca.pem"), show_default=True, help="The CSCA's certificate.")
@click.option(
    "--ca-key", type=_existing, default=Path("csca.key.pem"), show_default=True, help="The CSCA's private key."
)
@click.option("--ca-passphrase-file", type=_existing, help="Like --passphrase-file, where the CSCA's is another.")
@click.option("--name", default="BCS", show_default=True, help="The certificate's common name.")
@click.option(
    "--usage",
    "usages",
    multiple=True,
    type=click.Choice([usage.value for usage in DOCUMENT_TYPES.values()]),
    help="Limit what it may seal; may be repeated. [default: vaccinations and tests]",
)
@_days_option(DSC_VALIDITY)
@_out_option
@passphrase_option
@_no_passphrase_option
@json_option
@boundary
def new_bcs(
    ca: Path,
    ca_key: Path,
    name: str,
    usages: tuple[str, ...],
    days: int,
    out: Path,
    passphrase_file: Path | None,
    ca_passphrase_file: Path | None,
    no_passphrase: bool,
    as_json: bool,
) -> None:
    """Make a barcode signer's certificate under an authority, for seals of ICAO VDS-NC: bcs.pem and bcs.key.pem."""
    csca = _load_csca(ca, ca_key, ca_passphrase_file or passphrase_file)
    secret = None if no_passphrase else passphrase(passphrase_file, confirm=True)
    asked = [EntryType(usage) for usage in usages] or [*DOCUMENT_TYPES.values()]
    pair = new_barcode_signer(csca, name, now=_now(), usages=asked, validity=timedelta(days=days))
    _write(pair, out, "bcs", secret, as_json=as_json)


@command.command()
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@json_option
@boundary
def show(path: Path, as_json: bool) -> Exit:
    """Show the certificates in a file or folder: kid, country, what they may sign, and how long."""
    rejected = 0
    for entry in read_path(path):
        if isinstance(entry, Rejected):
            rejected += 1
            if as_json:
                click.echo(json.dumps({"source": entry.source, "code": entry.error.code, "detail": entry.error.detail}))
            click.echo(printable(f"not readable: {entry.source}: {entry.error.detail}"), err=True)
        elif as_json:
            click.echo(json.dumps(describe_key(entry)))
        else:
            click.echo("\n".join(key_lines(entry)) + "\n")
    return Exit.REFUSED if rejected else Exit.ACCEPTED


def _load_csca(certificate: Path, key: Path, passphrase_file: Path | None) -> KeyPair:
    try:
        authority = x509.load_pem_x509_certificate(read_file(certificate, DEFAULT_LIMITS.key_file_bytes))
    except ValueError:
        raise IssueError(Code.CERTIFICATE_UNREADABLE, "the CSCA's certificate cannot be read") from None
    data = read_file(key, DEFAULT_LIMITS.key_file_bytes)
    private = load_private_key(data, passphrase(passphrase_file) if needs_passphrase(data) else None)
    if private.public_key() != authority.public_key():
        raise IssueError(Code.SIGNER_KEY_MISMATCH, "the key is not the one of the CSCA's certificate")
    return KeyPair(private, authority)  # type: ignore[arg-type]


def _write(pair: KeyPair, out: Path, stem: str, secret: bytes | None, *, as_json: bool) -> None:
    out.mkdir(parents=True, exist_ok=True)
    certificate, key = out / f"{stem}.pem", out / f"{stem}.key.pem"
    for path in (key, certificate):
        if path.exists():
            raise FileExistsError(errno.EEXIST, "will not be replaced", str(path))
    write_private(key, pair.key_pem(secret))
    with certificate.open("xb") as file:
        file.write(pair.certificate_pem())
    entry = next(iter(read_path(certificate)))
    assert isinstance(entry, TrustedKey)
    if as_json:
        click.echo(json.dumps({"certificate": str(certificate), "key": str(key)} | describe_key(entry)))
    else:
        click.echo("\n".join((f"{certificate} and {key} written", *key_lines(entry))))


def _now() -> datetime:
    return SystemClock().now().astimezone(UTC).replace(microsecond=0)


command.add_command(new_issuer)
