"""``healthcert keys show`` and ``keys check``: what certificates say, and whether they are as they should be."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import click

from healthcert.issue.pki import BARCODE_SIGNING, CSCA, DSC, PROFILES, TLS_CLIENT, Level, Profile, check_profile
from healthcert.issue.pki.profiles import CLIENT_AUTHENTICATION
from healthcert.limits import DEFAULT_LIMITS, read_file
from healthcert.lists.reading import Rejected
from healthcert.lists.x509 import Certificate, parse_certificate
from healthcert.trust.files import read_path
from healthcert.trust.keys import TrustedKey
from healthcert.trust.vouching import BARCODE_SIGNER
from healthcert.verify.report import describe_key
from healthcert_cli.commands.keys.places import existing, load_authority
from healthcert_cli.exits import Exit, boundary
from healthcert_cli.options import json_option
from healthcert_cli.render import key_lines
from healthcert_cli.text import printable

_SUFFIXES = (".pem", ".crt", ".cer", ".der", ".p7b")
_BESIDE = (b"PRIVATE KEY-----", b"CERTIFICATE REQUEST-----")


@click.command()
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@json_option
@boundary
def show(path: Path, as_json: bool) -> Exit:
    """Show the certificates in a file or folder: kid, country, what they may sign, and how long."""
    rejected = 0
    for entry in read_path(path):
        if isinstance(entry, Rejected):
            rejected += 1
            _tell_rejected(entry, as_json=as_json)
        elif as_json:
            click.echo(json.dumps(describe_key(entry)))
        else:
            click.echo("\n".join(key_lines(entry)) + "\n")
    return Exit.REFUSED if rejected else Exit.ACCEPTED


@click.command()
@click.argument("path", metavar="FILE", type=click.Path(exists=True, path_type=Path))
@click.option("--ca", type=existing, help="The certificate of the CSCA that issued them.")
@click.option(
    "--profile",
    type=click.Choice(list(PROFILES)),
    help="What they are for. [default: as they say themselves; dsc where they do not]",
)
@json_option
@boundary
def check(path: Path, ca: Path | None, profile: str | None, as_json: bool) -> Exit:
    """Check the certificates in a file or folder against their profiles in the governance guide.

    What is needed and not there makes the exit code 1; advice does not. Without --ca, who issued them is not checked.
    """
    authority = load_authority(ca) if ca is not None else None
    refused = False
    for entry in _certificates(path):
        if isinstance(entry, Rejected):
            refused = True
            _tell_rejected(entry, as_json=as_json)
            continue
        if entry.certificate is None:
            continue
        certificate = parse_certificate(entry.certificate)
        chosen = PROFILES[profile] if profile else _meant(certificate)
        own = certificate.issuer == certificate.subject
        findings = check_profile(certificate.der, chosen, None if own else authority)
        refused |= any(finding.level is Level.NEEDED for finding in findings)
        unasked = authority is None and not own
        if as_json:
            values = [
                {"level": f.level.value, "rule": f.rule, "detail": f.detail, "source": f.source} for f in findings
            ]
            about = {"source": entry.source, "kid": entry.kid.hex(), "profile": chosen.name}
            click.echo(json.dumps(about | {"issuer_checked": not unasked, "findings": values}))
            continue
        click.echo(printable(f"{entry.source}: {chosen.title}, kid {entry.kid.hex()}"))
        for finding in findings:
            click.echo(printable(f"  {finding.level.value:<8}{finding}"))
        if unasked:
            click.echo("  not checked: who issued it; --ca names the authority")
        if not findings:
            click.echo("  as it should be")
    return Exit.REFUSED if refused else Exit.ACCEPTED


def _certificates(path: Path) -> Iterator[TrustedKey | Rejected]:
    """What is in a file, or in the files of a folder but private keys and requests, which lie beside certificates."""
    files = sorted(file for file in path.rglob("*") if file.suffix in _SUFFIXES) if path.is_dir() else [path]
    for file in files:
        if path.is_dir() and any(label in read_file(file, DEFAULT_LIMITS.file_bytes) for label in _BESIDE):
            continue
        yield from read_path(file)


def _meant(certificate: Certificate) -> Profile:
    """The profile of a certificate, as far as it says."""
    if certificate.ca or certificate.signs_certificates:
        return CSCA
    if BARCODE_SIGNER in certificate.extended_usages:
        return BARCODE_SIGNING
    if CLIENT_AUTHENTICATION in certificate.extended_usages and certificate.usages is None:
        return TLS_CLIENT
    return DSC


def _tell_rejected(entry: Rejected, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"source": entry.source, "code": entry.error.code, "detail": entry.error.detail}))
    click.echo(printable(f"not readable: {entry.source}: {entry.error.detail}"), err=True)
