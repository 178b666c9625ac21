"""``healthcert keys request``, ``sign-request`` and ``accept``: certificates of outside authorities, and for others."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import click
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from healthcert.issue.keysource import open_private_key
from healthcert.issue.pki import (
    BARCODE_SIGNING,
    CSCA,
    PROFILES,
    TLS_CLIENT,
    UPLOAD,
    CertificateRequest,
    Finding,
    KeyKind,
    Wishes,
    accept,
    make_request,
    read_request,
    sign_request,
)
from healthcert.issue.pki.ceremony import facts_of, facts_of_key
from healthcert.limits import DEFAULT_LIMITS, read_file
from healthcert.lists.x509 import USAGE_OIDS
from healthcert.model import EntryType
from healthcert.trust.vouching import DOCUMENT_TYPES
from healthcert_cli.commands.keys.making import list_option, use_option
from healthcert_cli.commands.keys.places import (
    Place,
    authority_options,
    existing,
    kind_option,
    load_authority,
    load_csca,
    organisation_option,
    place_options,
    source_name,
    tell,
    write_certificate,
)
from healthcert_cli.exits import boundary
from healthcert_cli.journal import Journal, journal_options
from healthcert_cli.options import json_option, passphrase_option, pin_option, this_second
from healthcert_cli.signing import CommandLineSecrets, KeySource
from healthcert_cli.text import printable

_profile_option = click.option(
    "--profile",
    type=click.Choice([name for name in PROFILES if name != CSCA.name]),
    default="dsc",
    show_default=True,
    help="What the certificate is for.",
)
_usage_option = click.option(
    "--usage",
    "usages",
    multiple=True,
    type=click.Choice([usage.value for usage in USAGE_OIDS]),
    help="Limit what it may sign; may be repeated. [default: any entry]",
)
_out_option = click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    help="Folder for the certificate. [default: here]",
)


@click.command()
@click.option("--country", required=True, help="ISO 3166-1 alpha-2; for example FR.")
@click.option("--name", default="DSC", show_default=True, help="The common name that is asked for.")
@organisation_option
@_profile_option
@_usage_option
@kind_option
@place_options
@journal_options
@json_option
@boundary
def request(
    country: str,
    name: str,
    organisation: str | None,
    profile: str,
    usages: tuple[str, ...],
    kind: str,
    place: Place,
    journal: Journal,
    as_json: bool,
) -> None:
    """Make a request (CSR) for a certificate of an outside authority: dsc.csr.pem, and dsc.key.pem for a new key."""
    file = place.out / f"{profile}.csr.pem"
    place.check(*(name for name in place.files(profile) if name.endswith(".key.pem")), file.name)
    journal.check()
    key, secret = place.obtain(KeyKind(kind))
    made = make_request(
        key,
        country,
        name,
        profile=PROFILES[profile],
        usages=_usages(profile, usages),
        organisation=organisation,
    )
    place.keep(key, profile, secret)
    with file.open("xb") as stream:
        stream.write(made.public_bytes(Encoding.PEM))
    where = place.where(profile)
    facts = facts_of_key(made.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
    subject = [("Subject", ", ".join(part for part in (country, organisation, name) if part))]
    places = [("Key lies in", where), ("Written to", str(file))]
    journal.write(f"made: request for a certificate ({PROFILES[profile].title})", [*subject, *facts, *places])
    if as_json:
        click.echo(json.dumps({"request": str(file), "key": where}))
    else:
        click.echo(printable(f"{file} written; its key is {where}"))


@click.command("sign-request")
@click.argument("file", metavar="REQUEST", type=existing)
@authority_options
@click.option("--name", help="The common name, where it is not to be the one of the request.")
@organisation_option
@_profile_option
@_usage_option
@click.option("--days", type=click.IntRange(1, 7305), help="Validity. [default: what is usual for the profile]")
@use_option
@list_option
@passphrase_option
@pin_option
@_out_option
@journal_options
@json_option
@boundary
def sign(
    file: Path,
    ca: Path | None,
    ca_key: str | Path | None,
    ca_passphrase_file: Path | None,
    ca_pin_file: Path | None,
    name: str | None,
    organisation: str | None,
    profile: str,
    usages: tuple[str, ...],
    days: int | None,
    use: timedelta | None,
    crl_url: str | None,
    passphrase_file: Path | None,
    pin_file: Path | None,
    out: Path,
    journal: Journal,
    as_json: bool,
) -> None:
    """Make a certificate for somebody's request (CSR), under an authority: dsc.pem.

    Key, name and organisation are the request's, the country must be the authority's. Extensions that the request asks
    for are not taken from it: --profile and --usage say what the certificate may do.
    """
    asked = read_request(read_file(file, DEFAULT_LIMITS.key_file_bytes))
    csca = load_csca(ca, ca_key, ca_passphrase_file or passphrase_file, ca_pin_file or pin_file)
    chosen = PROFILES[profile]
    path = out / f"{profile}.pem"
    Place(out, None, None, None, None, no_passphrase=True).check(path.name)
    journal.check()
    wishes = Wishes(
        validity=chosen.validity if days is None else timedelta(days=days),
        usages=_usages(profile, usages),
        use=use,
        organisation=organisation,
        revocation_list=crl_url,
    )
    certificate = sign_request(csca, asked, chosen, now=this_second(), wishes=wishes, name=name)
    write_certificate(certificate, path)
    journal.made(f"{chosen.title}, for a request", certificate, None, path)
    if asked.asked:
        click.echo(f"not taken from the request: the extensions {', '.join(asked.asked)}", err=True)
    tell(path, None, signs_entries=chosen not in (UPLOAD, TLS_CLIENT), as_json=as_json)


@click.command("accept")
@click.argument("file", metavar="CERTIFICATE", type=existing)
@click.option("--request", "request_file", type=existing, help="The request that it was made for.")
@click.option("--key", type=KeySource(), help="Its private key, a file or PKCS #11 URI, where the request is gone.")
@click.option("--ca", type=existing, help="The certificate of the CSCA that issued it; needed for a DSC.")
@_profile_option
@passphrase_option
@pin_option
@_out_option
@journal_options
@json_option
@boundary
def accept_command(
    file: Path,
    request_file: Path | None,
    key: str | Path | None,
    ca: Path | None,
    profile: str,
    passphrase_file: Path | None,
    pin_file: Path | None,
    out: Path,
    journal: Journal,
    as_json: bool,
) -> None:
    """Take in the certificate that an outside authority made for a request: dsc.pem, once it fits.

    It fits when it is of the request's key, issued by the authority, and as its profile needs it to be.
    """
    if (request_file is None) == (key is None):
        raise click.UsageError("either --request or --key says which key the certificate must be of")
    asked: CertificateRequest | None = None
    if request_file is not None:
        asked = read_request(read_file(request_file, DEFAULT_LIMITS.key_file_bytes))
        spki = asked.spki
    else:
        assert key is not None
        private = open_private_key(key, CommandLineSecrets(passphrase_file, pin_file))
        spki = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    path = out / f"{profile}.pem"
    Place(out, None, None, None, None, no_passphrase=True).check(path.name)
    journal.check()
    taken = accept(
        read_file(file, DEFAULT_LIMITS.key_file_bytes),
        spki,
        PROFILES[profile],
        now=this_second(),
        authority=load_authority(ca) if ca is not None else None,
        request=asked,
    )
    certificate = x509.load_der_x509_certificate(taken.certificate)
    write_certificate(certificate, path)
    places = [("Key lies in", source_name(key) if key is not None else "not looked at"), ("Written to", str(path))]
    journal.write(f"taken in: {PROFILES[profile].title}", [*facts_of(certificate), *places])
    _advise(taken.findings)
    tell(path, None, signs_entries=profile not in (UPLOAD.name, TLS_CLIENT.name), as_json=as_json)


def _advise(findings: tuple[Finding, ...]) -> None:
    for finding in findings:
        click.echo(printable(f"advice: {finding}"), err=True)


def _usages(profile: str, usages: tuple[str, ...]) -> tuple[EntryType, ...]:
    if not usages and profile == BARCODE_SIGNING.name:
        return tuple(DOCUMENT_TYPES.values())
    return tuple(EntryType(usage) for usage in usages)
