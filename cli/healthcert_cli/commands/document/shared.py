"""The certificate that a document is made of."""

from __future__ import annotations

from pathlib import Path

import click

from healthcert.errors import Code, DecodeError
from healthcert.limits import DEFAULT_LIMITS
from healthcert.model import HealthCertificate
from healthcert.verify.report import Outcome
from healthcert_cli.exits import Exit
from healthcert_cli.render import report_lines
from healthcert_cli.sources import read_source
from healthcert_cli.verifying import Asked

out_option = click.option(
    "--out", "-o", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The file to write."
)
_EXITS = {Outcome.REFUSED: Exit.REFUSED, Outcome.UNDETERMINED: Exit.UNDETERMINED}


def accepted(source: str, asked: Asked) -> tuple[HealthCertificate, str]:
    """The one certificate of a source, once it was accepted, and its text.

    One that is not ends the command with its verdict. Raises :class:`DecodeError`, OSError and as
    :meth:`Asked.verifier`.
    """
    texts = read_source(source, DEFAULT_LIMITS)
    if len(texts) != 1:
        raise DecodeError(Code.MULTIPLE_ENTRIES, f"{len(texts)} certificates, where one is meant")
    report = asked.verifier().examine(texts[0])
    if report.outcome is not Outcome.ACCEPTED:
        click.echo("\n".join(report_lines(source, report)), err=True)
        click.get_current_context().exit(_EXITS[report.outcome])
    assert report.certificate is not None
    return report.certificate, texts[0]
