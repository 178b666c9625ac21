"""``healthcert scan``: codes in pictures, and a live session at a door."""

from __future__ import annotations

from pathlib import Path

import click

from healthcert.barcode.found import FoundCode
from healthcert.errors import HealthCertError
from healthcert.limits import DEFAULT_LIMITS
from healthcert_cli.exits import Exit, boundary, tell_unread
from healthcert_cli.options import json_option, pdf_password, pdf_password_option, write_whole
from healthcert_cli.text import printable
from healthcert_cli.verifying import Asked, verifier_options


@click.command()
@click.argument("pictures", nargs=-1, metavar="[PICTURE]...")
@click.option("--serial", metavar="DEVICE", help="Live: a scanner on this serial line instead of one that types.")
@click.option("--baud", type=click.IntRange(min=50), default=9600, show_default=True, help="Speed of the serial line.")
@click.option("--camera", metavar="N", help="Live: the camera of this number (extra camera), or a device or video.")
@click.option(
    "--seconds",
    type=click.FloatRange(min=0.5, max=600),
    default=6,
    show_default=True,
    help="Live: how long a verdict stays on the screen.",
)
@click.option("--count", is_flag=True, help="Live: tell at the end how many were accepted, refused and undetermined.")
@click.option(
    "--annotate",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the picture as PNG with its codes marked and numbered.",
)
@click.option("--frame", type=click.IntRange(min=1), help="Frame or page for --annotate.  [default: 1]")
@verifier_options
@pdf_password_option
@json_option
@boundary
def command(
    pictures: tuple[str, ...],
    serial: str | None,
    baud: int,
    camera: str | None,
    seconds: float,
    count: bool,
    annotate: Path | None,
    frame: int | None,
    asked: Asked,
    pdf_password_file: Path | None,
    as_json: bool,
) -> Exit:
    """Verify one certificate after the other at a door, in large letters; or tell where the codes in PICTUREs are.

    Without a PICTURE, a handheld scanner types into this terminal, or is on a serial line, or a camera looks. The whole
    screen shows whether the certificate is accepted, why not, and who its holder is, and clears itself. Nothing is
    kept. Ctrl-C ends it, and so does Ctrl-D. Where the output is no terminal, or with --json, each verdict is a line;
    where the input is none, each of its lines is a certificate.

    With PICTUREs or PDFs, each code in them is listed with its place in pixels, its family, and the step that read it.
    Nothing is verified: the options about trust, revocation and rules say nothing there.

    Exit code: 130 when somebody ended the session by Ctrl-C or a signal; where its input ended, that of `healthcert
    verify`. With pictures: 0 when there is a code in each, 1 when one could not be read as a picture, 3 when one has
    none, 4 when a file could not be read.
    """
    if frame is not None and annotate is None:
        raise click.UsageError("--frame says what --annotate marks")
    if annotate is not None and len(pictures) != 1:
        raise click.UsageError("--annotate marks one PICTURE")
    if pictures:
        if serial is not None or camera is not None:
            raise click.UsageError("--serial and --camera are for a live session, which has no PICTURE")
        return _list(pictures, annotate, frame, pdf_password(pdf_password_file), as_json=as_json)
    from healthcert_cli.scanning.sessions import Source, run

    source = Source(serial=serial, baud=baud, camera=camera)
    return run(asked, source, seconds=seconds, tell_counts=count, as_json=as_json)


def _list(
    pictures: tuple[str, ...], annotated: Path | None, frame: int | None, password: str | None, *, as_json: bool
) -> Exit:
    """Lists the codes in pictures, and marks them in one."""
    from healthcert.barcode.read import find_barcodes
    from healthcert_cli.scanning.places import place_json, place_lines

    exits: set[Exit] = set()
    for picture in pictures:
        try:
            codes = find_barcodes(picture, password=password)
        except (HealthCertError, OSError) as error:
            exits.add(tell_unread(picture, error))
            continue
        for line in (place_json if as_json else place_lines)(picture, codes, DEFAULT_LIMITS):
            click.echo(line)
        if not codes:
            exits.add(Exit.UNDETERMINED)
            click.echo(f"{printable(picture)}: no code was found", err=True)
        if annotated is not None:
            write_whole(annotated, _marked(picture, codes, frame or 1, password), keep=[Path(picture)])
    # As verify has it: a refusal weighs more than what could not be told, and that more than a file at fault.
    return next((code for code in (Exit.REFUSED, Exit.UNDETERMINED, Exit.ENVIRONMENT) if code in exits), Exit.ACCEPTED)


def _marked(picture: str, codes: list[FoundCode], frame: int, password: str | None) -> bytes:
    """A PNG of one frame with its codes, by the numbers that they have in the list."""
    from healthcert.barcode.annotate import annotate

    try:
        return annotate(picture, codes, frame=frame, password=password)
    except ValueError:
        raise click.UsageError(f"{picture} has no frame or page {frame}") from None
