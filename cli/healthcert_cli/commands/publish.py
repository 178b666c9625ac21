"""``healthcert publish``: a country's keys, in the formats that other countries read, and to the EU gateway."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from healthcert.errors import Code, IssueError
from healthcert.https import HttpFetcher
from healthcert.lists.reading import Rejected
from healthcert.publish import austrian, dcc_zip, did, gateway, german, jwks, swedish
from healthcert.trust.files import read_path
from healthcert_cli.commands.issuer_keys import publish_issuer
from healthcert_cli.exits import Exit, boundary
from healthcert_cli.options import Duration, json_option, this_second
from healthcert_cli.signing import load_signer, signer_options

_existing = click.Path(exists=True, path_type=Path)
_file = click.Path(exists=True, dir_okay=False, path_type=Path)

# The files that the parts of each format are written to.
_FILES: dict[str, Mapping[str, str]] = {
    "dgcg": {"DSC": "DSC.json", "CSCA": "CSCA.json", "UPLOAD": "UPLOAD.json"},
    "dcc-zip": {"archive": "dcc_trustlist.zip", "signature": "dcc_trustlist.zip.sig.txt"},
    "de": {"list": "dsc-list.json"},
    "at": {"list": "trustlist.cbor", "signature": "trustlist.sig"},
    "se": {"list": "trust-list.jws"},
    "jwks": {"list": "jwks.jws"},
    "gdhcn": {"list": "did.json"},
}


_DATED = ("at", "se", "jwks")


@click.group()
def command() -> None:
    """Publish a country's keys for others to verify with.

    What is written is first read as those will who get it, and not written when they would refuse or skip any of it.
    """


@command.command("list")
@click.argument("format_", metavar="FORMAT", type=click.Choice(list(_FILES)))
@click.argument("certificates", nargs=-1, required=True, type=_existing)
@signer_options
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), required=True, help="Folder to write to.")
@click.option("--life", type=Duration(), help="How long the list stands (at, se, jwks). [default: 48h]")
@click.option(
    "--authority", "authorities", multiple=True, type=_existing, help="CSCA that issued them (dgcg, dcc-zip)."
)
@click.option("--anchor-key", type=_file, help="The trust anchor's private key (dgcg).")
@click.option("--anchor-certificate", type=_file, help="The trust anchor's certificate (dgcg).")
@click.option(
    "--chain", multiple=True, type=_existing, help="Certificates from the signer's up to the pinned one (se)."
)
@click.option("--did", "did_", help="Identifier of the document: did:web:...:trustlist (gdhcn).")
@click.option("--domain", default="DCC", show_default=True, help="What the keys may sign (gdhcn).")
@json_option
@boundary
def list_(
    format_: str,
    certificates: tuple[Path, ...],
    key: Path,
    certificate: Path,
    passphrase_file: Path | None,
    out: Path,
    life: timedelta | None,
    authorities: tuple[Path, ...],
    anchor_key: Path | None,
    anchor_certificate: Path | None,
    chain: tuple[Path, ...],
    did_: str | None,
    domain: str,
    as_json: bool,
) -> None:
    """Write the DSCs in CERTIFICATES (files or folders) as a signed list in FORMAT, to files in a folder."""
    signer = load_signer(key, certificate, passphrase_file)
    now = this_second()
    if life is not None and format_ not in _DATED:
        raise click.UsageError(f"lists of this format do not say when they end; --life is for {', '.join(_DATED)}")
    ders, above = _ders(certificates), _ders(authorities)
    dated: dict[str, Any] = {"issued_at": now, "expires_at": now + (life or timedelta(hours=48))}

    def to_gateway() -> Mapping[str, bytes]:
        if anchor_key is None or anchor_certificate is None:
            raise click.UsageError("the lists of a gateway need --anchor-key and --anchor-certificate")
        anchor = load_signer(anchor_key, anchor_certificate, passphrase_file)
        return gateway.publish(ders, signer, issued_at=now, authorities=above, anchor=anchor)

    def as_document() -> Mapping[str, bytes]:
        if did_ is None:
            raise click.UsageError("a DID document needs --did")
        return did.publish([*above, *ders], signer, did=did_, issued_at=now, domain=domain)

    makers: dict[str, Callable[[], Mapping[str, bytes]]] = {
        "dgcg": to_gateway,
        "dcc-zip": lambda: dcc_zip.publish(ders, signer, issued_at=now, authorities=above),
        "de": lambda: german.publish(ders, signer, issued_at=now),
        "at": lambda: austrian.publish(ders, signer, **dated),
        "se": lambda: swedish.publish(ders, signer, **dated, chain=_ders(chain)),
        "jwks": lambda: jwks.publish(ders, signer, **dated),
        "gdhcn": as_document,
    }
    parts = makers[format_]()
    out.mkdir(parents=True, exist_ok=True)
    written = [out / _FILES[format_][part] for part in parts]
    for path, data in zip(written, parts.values(), strict=True):
        path.write_bytes(data)
    if as_json:
        click.echo(json.dumps({"format": format_, "keys": len(ders), "files": [str(path) for path in written]}))
    else:
        keys = f"{len(ders)} {'key' if len(ders) == 1 else 'keys'}"
        click.echo(f"{keys} written to {', '.join(str(path) for path in written)}")


def gateway_options(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option("--ca", type=_file, help="Authority of the gateway's certificate. [default: the system's]"),
        click.option("--client-key", type=_file, required=True, help="The country's TLS key."),
        click.option("--client-certificate", type=_file, required=True, help="The country's TLS certificate."),
        click.option("--url", required=True, help="Address of the gateway."),
    ):
        command = option(command)
    return command


@command.command()
@click.argument("dsc", type=_file)
@signer_options
@click.option("--out", type=click.File("wb"), default="-", help="Where to write it. [default: standard output]")
@boundary
def request(dsc: Path, key: Path, certificate: Path, passphrase_file: Path | None, out: Any) -> Exit:
    """Write the CMS message that adds a DSC to the gateway, or withdraws it, to be sent by other means."""
    (der,) = _ders((dsc,))
    signer = load_signer(key, certificate, passphrase_file)
    out.write(gateway.upload_request(der, signer, signing_time=this_second()) + b"\n")
    return Exit.ACCEPTED


def _to_gateway(
    name: str, make: Callable[..., bytes], send: Callable[..., None], done: str, says: str
) -> click.Command:
    @click.command(name, help=says)
    @click.argument("dsc", type=_file)
    @signer_options
    @gateway_options
    @json_option
    @boundary
    def run(
        dsc: Path,
        key: Path,
        certificate: Path,
        passphrase_file: Path | None,
        url: str,
        client_certificate: Path,
        client_key: Path,
        ca: Path | None,
        as_json: bool,
    ) -> None:
        (der,) = _ders((dsc,))
        body = make(der, load_signer(key, certificate, passphrase_file), signing_time=this_second())
        with HttpFetcher(ca=ca, client_certificate=client_certificate, client_key=client_key) as fetcher:
            send(fetcher, url, body)
        click.echo(json.dumps({"done": done}) if as_json else f"{dsc.name}: {done}")

    return run


def _ders(paths: tuple[Path, ...]) -> list[bytes]:
    """The certificates in files and folders, in DER; one that cannot be read is an error, not a gap in the list."""
    found: list[bytes] = []
    for path in paths:
        for entry in read_path(path):
            if isinstance(entry, Rejected):
                raise IssueError(Code.CERTIFICATE_UNREADABLE, f"{entry.source}: {entry.error.detail}")
            if entry.certificate is None:
                raise IssueError(Code.CERTIFICATE_UNREADABLE, f"{entry.source}: a bare key, not a certificate")
            found.append(entry.certificate)
    return found


command.add_command(
    _to_gateway(
        "upload",
        gateway.upload_request,
        gateway.upload,
        "added",
        "Add a DSC to the EU gateway, signed with the upload certificate, over mutual TLS.",
    )
)
command.add_command(
    _to_gateway(
        "withdraw",
        gateway.delete_request,
        gateway.withdraw,
        "withdrawn",
        "Withdraw a DSC from the EU gateway: no certificate signed with it will be accepted any more.",
    )
)
command.add_command(publish_issuer)
