"""``healthcert keys new-...``: keys with their certificates."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import click

from healthcert.issue.pki import (
    BARCODE_SIGNING,
    CSCA,
    DSC,
    TLS_CLIENT,
    UPLOAD,
    KeyKind,
    KeyPair,
    Profile,
    new_barcode_signer,
    new_client,
    new_csca,
    new_dsc,
)
from healthcert.lists.x509 import USAGE_OIDS
from healthcert.model import EntryType
from healthcert.trust.vouching import DOCUMENT_TYPES
from healthcert_cli.commands.keys.places import (
    Place,
    authority_options,
    kind_option,
    load_csca,
    organisation_option,
    place_options,
    tell,
    write_certificate,
)
from healthcert_cli.exits import boundary
from healthcert_cli.journal import Journal, journal_options
from healthcert_cli.options import Decorator, Duration, json_option, this_second

use_option: Decorator = click.option(
    "--use",
    type=Duration(),
    help="How long its key signs (180d), as the certificate states. [default: unstated]",
)
list_option: Decorator = click.option("--crl-url", help="URL of the CSCA's revocation list, which it names.")


def days_option(default: timedelta) -> Decorator:
    """``--days``."""
    return click.option(
        "--days", type=click.IntRange(1, 7305), default=default.days, show_default=True, help="Validity."
    )


@click.command("new-ca")
@click.option("--country", required=True, help="ISO 3166-1 alpha-2; for example FR.")
@click.option("--name", default="CSCA", show_default=True, help="The authority's common name.")
@organisation_option
@days_option(CSCA.validity)
@use_option
@kind_option
@place_options
@journal_options
@json_option
@boundary
def new_ca(
    country: str,
    name: str,
    organisation: str | None,
    days: int,
    use: timedelta | None,
    kind: str,
    place: Place,
    journal: Journal,
    as_json: bool,
) -> None:
    """Make a national signing authority: csca.pem and csca.key.pem."""
    place.check(*place.files("csca"))
    journal.check()
    key, secret = place.obtain(KeyKind(kind))
    pair = new_csca(
        country,
        name,
        now=this_second(),
        validity=timedelta(days=days),
        key=key,
        use=use,
        organisation=organisation,
    )
    _keep(pair, CSCA, place, secret, journal, as_json=as_json)


@click.command("new-dsc")
@authority_options
@click.option("--name", default="DSC", show_default=True, help="The certificate's common name.")
@organisation_option
@click.option(
    "--usage",
    "usages",
    multiple=True,
    type=click.Choice([usage.value for usage in USAGE_OIDS]),
    help="Limit what it may sign; may be repeated. [default: any entry]",
)
@days_option(DSC.validity)
@use_option
@list_option
@kind_option
@place_options
@journal_options
@json_option
@boundary
def new_dsc_command(
    ca: Path | None,
    ca_key: str | Path | None,
    ca_passphrase_file: Path | None,
    ca_pin_file: Path | None,
    name: str,
    organisation: str | None,
    usages: tuple[str, ...],
    days: int,
    use: timedelta | None,
    crl_url: str | None,
    kind: str,
    place: Place,
    journal: Journal,
    as_json: bool,
) -> None:
    """Make a document signing certificate under an authority: dsc.pem and dsc.key.pem."""
    csca = _authority(ca, ca_key, ca_passphrase_file, ca_pin_file, place)
    place.check(*place.files("dsc"))
    journal.check()
    key, secret = place.obtain(KeyKind(kind))
    pair = new_dsc(
        csca,
        name,
        now=this_second(),
        usages=[EntryType(usage) for usage in usages],
        validity=timedelta(days=days),
        key=key,
        use=use,
        organisation=organisation,
        revocation_list=crl_url,
    )
    _keep(pair, DSC, place, secret, journal, as_json=as_json)


@click.command("new-bcs")
@authority_options
@click.option("--name", default="BCS", show_default=True, help="The certificate's common name.")
@click.option(
    "--usage",
    "usages",
    multiple=True,
    type=click.Choice([usage.value for usage in DOCUMENT_TYPES.values()]),
    help="Limit what it may seal; may be repeated. [default: vaccinations and tests]",
)
@days_option(BARCODE_SIGNING.validity)
@place_options
@journal_options
@json_option
@boundary
def new_bcs(
    ca: Path | None,
    ca_key: str | Path | None,
    ca_passphrase_file: Path | None,
    ca_pin_file: Path | None,
    name: str,
    usages: tuple[str, ...],
    days: int,
    place: Place,
    journal: Journal,
    as_json: bool,
) -> None:
    """Make a barcode signer's certificate under an authority, for seals of ICAO VDS-NC: bcs.pem and bcs.key.pem."""
    csca = _authority(ca, ca_key, ca_passphrase_file, ca_pin_file, place)
    asked = [EntryType(usage) for usage in usages] or [*DOCUMENT_TYPES.values()]
    place.check(*place.files("bcs"))
    journal.check()
    key, secret = place.obtain(KeyKind.EC_P256)
    pair = new_barcode_signer(csca, name, now=this_second(), usages=asked, validity=timedelta(days=days), key=key)
    _keep(pair, BARCODE_SIGNING, place, secret, journal, as_json=as_json)


def _client(profile: Profile, command: str, name: str, about: str) -> click.Command:
    """The command that makes an upload or a TLS certificate: they differ in their profile alone."""

    @click.command(command, help=about)
    @authority_options
    @click.option("--self-signed", is_flag=True, help="Sign it with its own key, not a CSCA's; needs --country.")
    @click.option("--country", help="Country of a self-signed one (ISO 3166-1 alpha-2); for example FR.")
    @click.option("--name", default=name, show_default=True, help="The certificate's common name.")
    @organisation_option
    @days_option(profile.validity)
    @kind_option
    @place_options
    @journal_options
    @json_option
    @boundary
    def make(
        ca: Path | None,
        ca_key: str | Path | None,
        ca_passphrase_file: Path | None,
        ca_pin_file: Path | None,
        self_signed: bool,
        country: str | None,
        name: str,
        organisation: str | None,
        days: int,
        kind: str,
        place: Place,
        journal: Journal,
        as_json: bool,
    ) -> None:
        if self_signed != (country is not None):
            raise click.UsageError("--self-signed and --country belong together: a CSCA gives its own country")
        issuer = country or _authority(ca, ca_key, ca_passphrase_file, ca_pin_file, place)
        place.check(*place.files(profile.name))
        journal.check()
        key, secret = place.obtain(KeyKind(kind))
        pair = new_client(
            profile,
            issuer,
            name,
            now=this_second(),
            validity=timedelta(days=days),
            key=key,
            organisation=organisation,
        )
        _keep(pair, profile, place, secret, journal, as_json=as_json)

    return make


new_upload = _client(
    UPLOAD,
    "new-upload",
    "Upload",
    "Make a certificate that signs uploads to a gateway: upload.pem and upload.key.pem.",
)
new_tls = _client(
    TLS_CLIENT,
    "new-tls",
    "TLS client",
    "Make a TLS client certificate that a gateway knows a country by: tls.pem and tls.key.pem.",
)


def _authority(
    ca: Path | None, ca_key: str | Path | None, passphrase_file: Path | None, pin_file: Path | None, place: Place
) -> KeyPair:
    return load_csca(ca, ca_key, passphrase_file or place.passphrase_file, pin_file or place.pin_file)


def _keep(
    pair: KeyPair, profile: Profile, place: Place, secret: bytes | None, journal: Journal, *, as_json: bool
) -> None:
    """Writes what was made, records it, and tells."""
    file = place.out / f"{profile.name}.pem"
    place.keep(pair.key, profile.name, secret)
    write_certificate(pair.certificate, file)
    where = place.where(profile.name)
    journal.made(profile.title, pair.certificate, where, file)
    tell(file, where, signs_entries=profile not in (UPLOAD, TLS_CLIENT), as_json=as_json)
