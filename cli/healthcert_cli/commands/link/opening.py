"""``healthcert link open`` and ``decrypt``: the files behind a link, from its server or from a disk."""

from __future__ import annotations

import errno
import json
import os
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from healthcert.errors import Code, DecodeError
from healthcert.limits import DEFAULT_LIMITS, read_file
from healthcert.links.base64url import decode
from healthcert.links.fetching import LinkFetcher
from healthcert.links.jwe import API_ACCESS, FHIR, HEALTH_CARD, LinkFile, decrypt_file
from healthcert.links.link import KEY_BYTES
from healthcert.links.opening import RECIPIENT_CHARS, open_link
from healthcert.verify.report import Outcome, Report
from healthcert.verify.verifier import Verifier
from healthcert_cli.commands.link.shared import (
    EXITS,
    Found,
    found_in,
    found_lines,
    link_dict,
    make_verifier,
    trust_option,
    worst,
)
from healthcert_cli.exits import Exit, boundary
from healthcert_cli.options import at_option, json_option, write_private
from healthcert_cli.render import report_lines
from healthcert_cli.text import printable

_ENDINGS = {HEALTH_CARD: ".smart-health-card", FHIR: ".fhir.json", API_ACCESS: ".access.json"}
_file = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("open")
@click.argument("source", default="-")
@click.option("--recipient", required=True, help="Who opens the link; its owner can read that.")
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), help="Write the files to this new folder, for you alone."
)
@click.option("--verify", is_flag=True, help="Verify the health cards among the files.")
@click.option("--passcode-file", type=_file, help="File with the passcode in its first line (else a prompt).")
@click.option("--ca", type=_file, help="Authorities of the server's certificate (PEM), in place of the system's.")
@click.option("--proxy", default="", help="http://host:port. Those that the environment names are not used.")
@click.option("--private-hosts", is_flag=True, help="Allow servers in private networks, and on this machine.")
@trust_option
@at_option
@json_option
@boundary
def open_(
    source: str,
    recipient: str,
    out: Path | None,
    verify: bool,
    passcode_file: Path | None,
    ca: Path | None,
    proxy: str,
    private_hosts: bool,
    trust_paths: tuple[Path, ...],
    at: datetime | None,
    as_json: bool,
) -> Exit:
    """Fetch and decrypt the files behind the health link in SOURCE.

    SOURCE is a picture, a text file, or - for standard input (the default), with one link. Its server was chosen by
    whoever made the link, and learns that it is opened, and by whom. A link in an HC1 certificate is opened only when
    the certificate is accepted; of a bare one you are told that nobody signed it. Many links can be opened once only.

    Exit code with --verify: 0 when all health cards were accepted, 1 when one was refused or a file was withdrawn, 3
    when one could not be determined, or there was none.
    """
    if out is None and not verify:
        raise click.UsageError("say what to do with the files: --out FOLDER, --verify, or both")
    if not 0 < len(recipient.strip()) <= RECIPIENT_CHARS:
        raise click.UsageError(f"--recipient is a name of up to {RECIPIENT_CHARS} characters")
    found = _only(found_in(source, trust_paths, at))
    if as_json:
        click.echo(json.dumps({"source": source} | link_dict(found, show_key=False)))
    else:
        click.echo("\n".join(found_lines(source, found)))
    if found.report is not None and found.report.outcome is not Outcome.ACCEPTED:
        return EXITS[found.report.outcome]
    if found.link is None:
        raise DecodeError(Code.INVALID_SCHEME_PREFIX, "the certificate holds no health link")
    verifier = make_verifier(trust_paths, at) if verify else None
    passcode = _passcode(passcode_file) if found.link.needs_passcode else None
    exits: list[Exit] = []
    with LinkFetcher(ca=ca, private_hosts=private_hosts, proxy=proxy) as fetcher:
        files = open_link(found.link, fetcher, recipient=recipient, passcode=passcode)
        folder = None if out is None else _new_folder(out)
        for number, file in enumerate(files, 1):
            path = None if folder is None else folder / f"{number}{_ENDINGS.get(file.content_type or '', '.bin')}"
            if path is not None:
                write_private(path, file.data)
            report = None if verifier is None or file.content_type != HEALTH_CARD else _examined(verifier, file)
            _tell(number, file, path, report, as_json=as_json)
            if report is not None:
                exits.append(Exit.REFUSED if file.withdrawn else EXITS[report.outcome])
    if verify and not exits:
        click.echo("No health card was among the files: nothing was verified.", err=True)
        return Exit.UNDETERMINED
    return worst(exits)


@click.command()
@click.argument("file", type=_file)
@click.option("--link", "link_source", help="Picture or text file with the link that the file belongs to.")
@click.option("--key-file", type=_file, help="File with the key in its first line, as links have it.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write what is in it to this new file.")
@boundary
def decrypt(file: Path, link_source: str | None, key_file: Path | None, out: Path | None) -> None:
    """Decrypt FILE, which was fetched from the server of a health link. Nothing is fetched.

    Without --out, what is in it is written to standard output.
    """
    if (link_source is None) == (key_file is None):
        raise click.UsageError("give the key: either --link or --key-file")
    key = _key_in(key_file) if key_file is not None else _link_key(link_source or "")
    data = read_file(file, DEFAULT_LIMITS.file_bytes)
    decrypted = decrypt_file(data.decode("latin-1"), key)
    if out is not None:
        write_private(out, decrypted.data)
    else:
        click.echo(decrypted.data, nl=False)
    kind = decrypted.content_type or "of no type that it names"
    click.echo(printable(f"{kind}, {len(decrypted.data)} bytes; nobody's signature was checked"), err=True)


def _only(every: list[Found]) -> Found:
    if len(every) != 1:
        raise click.UsageError(f"open one link at a time: here are {len(every)}")
    return every[0]


def _new_folder(path: Path) -> Path:
    """A folder for files that are opened once: they are kept as they come, whatever happens to the next one."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any(path.iterdir()):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
    return path


def _passcode(file: Path | None) -> str:
    """From ``file`` or a prompt; never from arguments, which other users of a machine can see."""
    if file is not None:
        return _first_line(file)
    if sys.stdin is None or not sys.stdin.isatty():
        raise click.UsageError("the link needs a passcode: in --passcode-file, or at a terminal")
    typed: str = click.prompt("Passcode of the link", hide_input=True, err=True)
    return typed


def _first_line(file: Path) -> str:
    lines = read_file(file, DEFAULT_LIMITS.key_file_bytes).decode("utf-8", "replace").splitlines()
    if not lines or not lines[0]:
        raise click.UsageError(f"{file} holds nothing in its first line")
    return lines[0]


def _key_in(file: Path) -> bytes:
    key = decode(_first_line(file))
    if key is None or len(key) != KEY_BYTES:
        raise click.UsageError("the key is not 43 characters of base64url")
    return key


def _link_key(source: str) -> bytes:
    found = _only(found_in(source, (), None))
    if found.link is None:
        raise DecodeError(Code.INVALID_SCHEME_PREFIX, "no health link that can be read")
    return found.link.key


def _examined(verifier: Verifier, file: LinkFile) -> Report:
    # A card that is no UTF-8 is none; what is wrong with it the verifier says.
    return verifier.examine(file.data.decode("utf-8", "replace"))


def _tell(number: int, file: LinkFile, path: Path | None, report: Report | None, *, as_json: bool) -> None:
    if as_json:
        told: dict[str, Any] = {
            "file": number,
            "content_type": file.content_type,
            "bytes": len(file.data),
            "status": file.status,
            "path": None if path is None else str(path),
            "report": None if report is None else report.to_dict(),
        }
        click.echo(json.dumps(told))
        return
    where = "" if path is None else f", written to {path}"
    click.echo(printable(f"File {number}: {file.content_type or 'of unknown type'}, {len(file.data)} bytes{where}"))
    if file.withdrawn:
        click.echo(f"  {click.style('Withdrawn', fg='red', bold=True)}  by who shares it: {file.status}")
    if report is not None:
        click.echo("\n".join(report_lines(f"file {number}", report)))
