"""``healthcert document pdf`` and ``html``."""

from __future__ import annotations

from pathlib import Path

import click

from healthcert_cli.commands.document.shared import accepted, out_option
from healthcert_cli.exits import boundary
from healthcert_cli.options import write_whole
from healthcert_cli.printing import Printing, lang_option, load_template, printing_options, template_option
from healthcert_cli.verifying import Asked, verifier_options

_LEVELS = click.Choice(["L", "M", "Q", "H"])
_level = click.option("--error-correction", type=_LEVELS, help="Of the QR code. [default: what the family has]")


@click.command()
@click.argument("source")
@out_option
@printing_options
@_level
@verifier_options
@boundary
def pdf(source: str, out: Path, printing: Printing, error_correction: str | None, asked: Asked) -> None:
    """Write the printable certificate: A4 or letter to be folded in four, or a card.

    The PDF is accessible (PDF/UA-1) and for the archive (PDF/A-2a); with a password it is encrypted, and no PDF/A.
    """
    from healthcert.document.document import document_of

    template = printing.template()
    printing.check()
    certificate, text = accepted(source, asked)
    document = document_of(certificate, text, template, error_correction=error_correction)
    printing.write_pdf(document, out, keep=(Path(source),))


@click.command()
@click.argument("source")
@out_option
@lang_option
@template_option
@_level
@verifier_options
@boundary
def html(
    source: str, out: Path, lang: str, template_file: Path | None, error_correction: str | None, asked: Asked
) -> None:
    """Write the certificate as a page for a screen: one file, which loads nothing."""
    from healthcert.document.document import document_of

    template = load_template(template_file)
    certificate, text = accepted(source, asked)
    document = document_of(certificate, text, template, error_correction=error_correction)
    write_whole(out, document.html(lang=lang).encode(), keep=(Path(source), template_file))
