"""``healthcert link make``: a link to some files, and what its server has to hold."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import click

from healthcert.barcode.write import QrCode
from healthcert.limits import DEFAULT_LIMITS, read_file
from healthcert.links.making import make_link
from healthcert_cli.exits import boundary
from healthcert_cli.options import Moment, json_option, new_folder, write_private

_file = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("files", nargs=-1, required=True, type=_file)
@click.option("--base", required=True, metavar="URL", help="https address under which the server answers.")
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="A new folder for it all.")
@click.option("--direct", is_flag=True, help="Lead to the one file itself: a server that hands out files will do.")
@click.option("--passcode", is_flag=True, help="Say that the server asks for a passcode; it has to check it.")
@click.option("--long-term", is_flag=True, help="Say that the link stays, and that what is behind it may change.")
@click.option("--expires", type=Moment(), help="When the link ends (ISO 8601). The server has to end it.")
@click.option("--label", help="What is behind the link, in up to 80 characters. Whoever has the link can read it.")
@click.option("--viewer", metavar="URL", help="Page that opens the link in a browser.")
@click.option("--vhl", is_flag=True, help="A Verifiable Health Link (vhlink:/), to be signed in an HC1 certificate.")
@click.option("--compress", is_flag=True, help="Make the files smaller; some readers do not know how to read that.")
@json_option
@boundary
def make(
    files: tuple[Path, ...],
    base: str,
    out: Path,
    direct: bool,
    passcode: bool,
    long_term: bool,
    expires: datetime | None,
    label: str | None,
    viewer: str | None,
    vhl: bool,
    compress: bool,
    as_json: bool,
) -> None:
    """Encrypt FILES (health cards, FHIR as JSON) under a new key, and make the link to them.

    In the new folder are `link.txt` and `link.png`, which are for the holder alone, and `server` with the one document
    that the server has to hold: it answers with it to a GET (--direct) or a POST of the link's address. The server
    never needs the key.
    """
    kind: Literal["shl", "vhl"] = "vhl" if vhl else "shl"
    made = make_link(
        [read_file(file, DEFAULT_LIMITS.file_bytes) for file in files],
        base=base,
        type=kind,
        direct=direct,
        passcode=passcode,
        long_term=long_term,
        expires_at=expires,
        label=label,
        viewer=viewer,
        compress=compress,
    )
    text = made.link.to_text()
    with new_folder(out) as folder:
        write_private(folder / "link.txt", f"{text}\n".encode("ascii"))
        # SMART Health Links, "Sharing User transmits a SMART Health Link": error correction M.
        write_private(folder / "link.png", QrCode.of_segments((text,), error_correction="M").png())
        (folder / "server").mkdir()
        (folder / "server" / made.path).write_bytes(made.document)
    method = "GET" if direct else "POST"
    if as_json:
        told: dict[str, Any] = {
            "url": made.link.url,
            "method": method,
            "media_type": made.media_type,
            "document": str(out / "server" / made.path),
            "link": str(out / "link.txt"),
        }
        click.echo(json.dumps(told))
        return
    click.echo(f"The link is in {out / 'link.txt'}: whoever has it can read the files.")
    click.echo(
        f"The server answers a {method} of {made.link.url} with {out / 'server' / made.path} ({made.media_type})."
    )
