"""``healthcert document pkpass`` and ``google``: passes for telephones."""

from __future__ import annotations

import json
from pathlib import Path

import click

from healthcert.document.words import LANGUAGES
from healthcert.issue.signer import needs_passphrase
from healthcert.limits import DEFAULT_LIMITS, read_file
from healthcert_cli.commands.document.shared import accepted, out_option
from healthcert_cli.exits import boundary
from healthcert_cli.options import json_option, passphrase, passphrase_option, write_whole
from healthcert_cli.printing import load_template, template_option
from healthcert_cli.verifying import Asked, verifier_options

_existing = click.Path(exists=True, dir_okay=False, path_type=Path)
_PKCS12 = (".p12", ".pfx")
_langs = click.option(
    "--lang",
    "langs",
    type=click.Choice(LANGUAGES),
    multiple=True,
    default=("en",),
    show_default=True,
    help="Language; may be repeated. The first is for telephones in any other.",
)


@click.command()
@click.argument("source")
@out_option
@click.option("--key", required=True, type=_existing, help="Private key of the pass type, or a .p12 with both.")
@click.option("--certificate", type=_existing, help="Apple's certificate of the pass type.")
@click.option("--wwdr", required=True, type=_existing, help="Apple's intermediate certificate.")
@passphrase_option
@_langs
@template_option
@verifier_options
@boundary
def pkpass(
    source: str,
    out: Path,
    key: Path,
    certificate: Path | None,
    wwdr: Path,
    passphrase_file: Path | None,
    langs: tuple[str, ...],
    template_file: Path | None,
    asked: Asked,
) -> None:
    """Write a pass for Apple's wallet (.pkpass), signed with your own certificate from Apple."""
    from healthcert.document.document import document_of
    from healthcert.document.passes.apple import PassSigner, apple_pass

    is_pkcs12 = key.suffix.lower() in _PKCS12
    if is_pkcs12 == (certificate is not None):
        raise click.UsageError("--certificate is needed, unless --key is a .p12 that has it")
    template = load_template(template_file)
    if certificate is None:
        signer = PassSigner.load_pkcs12(key, wwdr, passphrase=passphrase(passphrase_file))
    else:
        is_locked = needs_passphrase(read_file(key, DEFAULT_LIMITS.key_file_bytes))
        secret = passphrase(passphrase_file) if is_locked else None
        signer = PassSigner.load(key, certificate, wwdr, passphrase=secret)
    document = document_of(*accepted(source, asked), template)
    sheets = [document.sheet(lang) for lang in dict.fromkeys(langs)]
    keep = (Path(source), key, certificate, wwdr, passphrase_file, template_file)
    write_whole(out, apple_pass(sheets, document.text, signer, template=template), keep=keep)


@click.command()
@click.argument("source")
@click.option("--account", "account_file", required=True, type=_existing, help="Key file of the service account.")
@click.option("--class-id", help="The class of generic passes (ISSUER.NAME).")
@click.option("--covid-card", "issuer_id", metavar="ISSUER", help="Make a COVID card of this issuer instead.")
@click.option("--origin", "origins", multiple=True, help="Web site that shows a button for it; may be repeated.")
@_langs
@template_option
@json_option
@verifier_options
@boundary
def google(
    source: str,
    account_file: Path,
    class_id: str | None,
    issuer_id: str | None,
    origins: tuple[str, ...],
    langs: tuple[str, ...],
    template_file: Path | None,
    as_json: bool,
    asked: Asked,
) -> None:
    """Print the link that saves a pass in Google's wallet, signed by your own service account.

    A generic pass is kept at Google, which allows that for health data with its permission only; a COVID card stays
    on the telephone. The link holds the certificate: send it as you would send that.
    """
    from healthcert.document.document import document_of
    from healthcert.document.passes.covid import covid_card
    from healthcert.document.passes.google import ServiceAccount, google_pass

    if (class_id is None) == (issuer_id is None):
        raise click.UsageError("give --class-id or --covid-card")
    template = load_template(template_file)
    account = ServiceAccount.load(account_file)
    document = document_of(*accepted(source, asked), template)
    sheets = [document.sheet(lang) for lang in dict.fromkeys(langs)]
    try:
        if class_id is not None:
            link = google_pass(sheets, document.text, account, class_id=class_id, origins=origins, template=template)
        else:
            assert issuer_id is not None
            link = covid_card(
                document.certificate, sheets[0], document.text, account, issuer_id=issuer_id, template=template
            )
    except ValueError as error:  # of an option's form; what is wrong with a certificate is a DocumentError
        raise click.UsageError(str(error)) from None
    if as_json:
        click.echo(json.dumps({"url": link.url, "token": link.token, "safe": link.safe}))
        return
    click.echo(link.url)
    if not link.safe:
        click.echo("The link is longer than all browsers take: hand over the token (--json) instead.", err=True)
