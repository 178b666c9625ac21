"""``healthcert keys new-issuer`` and ``publish issuer``: keys without a certificate, and how others learn them."""

from __future__ import annotations

import errno
import json
import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

import click
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from healthcert.errors import Code, IssueError
from healthcert.issue.pki import KeyKind, new_key
from healthcert.issue.pki.ceremony import facts_of_key
from healthcert.limits import DEFAULT_LIMITS, read_file
from healthcert.lists import jwk
from healthcert.lists.reading import Rejected
from healthcert.publish import issuer_keys
from healthcert.trust.files import read_entries
from healthcert_cli.exits import boundary
from healthcert_cli.journal import Journal, journal_options
from healthcert_cli.options import json_option, passphrase, passphrase_option, write_private, write_whole
from healthcert_cli.text import printable

_file = click.Path(exists=True, dir_okay=False, path_type=Path)
_KINDS = {
    "shc": KeyKind.EC_P256,
    "nzcp": KeyKind.EC_P256,
    "divoc": KeyKind.RSA_3072,
    "2d-doc": KeyKind.EC_P256,
}
# How the others name their issuers: what is wrong there would only be told when something is issued.
_NAMES = {
    "divoc": (re.compile(r"did:[a-z0-9]+(:[A-Za-z0-9._-]+)*"), "a DID; for example did:web:health.example"),
    "2d-doc": (re.compile(r"[0-9A-Z]{4}/[0-9A-Z]{4}"), "four characters, a slash and four more; for example FR00/0001"),
}
# The families whose issuers publish their keys, and the name of the file on their servers.
_FILES = {"shc": "jwks.json", "nzcp": "did.json"}
_issuer_option = click.option(
    "--issuer-id",
    required=True,
    envvar="HEALTHCERT_ISSUER_ID",
    help="How certificates name the issuer: an https URL (shc), a DID such as did:web:passes.example (nzcp, divoc), "
    "the ids of authority and certificate such as FR00/0001 (2d-doc).",
)


@click.command("new-issuer")
@click.argument("family", metavar="FAMILY", type=click.Choice(list(_KINDS)))
@_issuer_option
@click.option(
    "--key-id", default="key-1", show_default=True, help="What the issuer's DID document calls the key (nzcp)."
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    help="Folder for the files. [default: here]",
)
@passphrase_option
@click.option("--no-passphrase", is_flag=True, help="Leave the private key unencrypted.")
@journal_options
@json_option
@boundary
def new_issuer(
    family: str,
    issuer_id: str,
    key_id: str,
    out: Path,
    passphrase_file: Path | None,
    no_passphrase: bool,
    journal: Journal,
    as_json: bool,
) -> None:
    """Make the key of an issuer of FAMILY: shc, nzcp, divoc or 2d-doc, whose keys need no certificate.

    The files are issuer.key.pem, the private key; issuer.pub.pem, the public one; and what the issuer puts on its
    server where the family has that: jwks.json (shc) or did.json (nzcp).
    """
    if family in _NAMES and not _NAMES[family][0].fullmatch(issuer_id):
        raise IssueError(Code.FIELD_INVALID, f"--issuer-id: {_NAMES[family][1]}")
    key = new_key(_KINDS[family])
    spki = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    secret = None if no_passphrase else passphrase(passphrase_file, confirm=True)
    encryption = BestAvailableEncryption(secret) if secret else NoEncryption()
    files = {
        "issuer.key.pem": key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption),
        "issuer.pub.pem": key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
    }
    if family in _FILES:
        files[_FILES[family]] = _list(family, issuer_id, {key_id: spki}, ())
    out.mkdir(parents=True, exist_ok=True)
    for name in files:
        if (out / name).exists():
            raise FileExistsError(errno.EEXIST, "will not be replaced", str(out / name))
    journal.check()
    for name, data in files.items():
        (write_private if name == "issuer.key.pem" else write_whole)(out / name, data)
    written = ", ".join(str(out / name) for name in files)
    places = [("Key lies in", str(out / "issuer.key.pem")), ("Written to", written)]
    journal.write(f"made: key of an issuer of {family}", [("Issuer", issuer_id), *facts_of_key(spki), *places])
    command = _trusting(family, issuer_id, out)
    if as_json:
        kid = {"kid": jwk.thumbprint(spki)} if family == "shc" else {}
        click.echo(json.dumps({"files": [str(out / name) for name in files], **kid, "trusted_with": command}))
        return
    click.echo(printable(f"{written} written"))
    click.echo(printable(f"Verifiers trust it with: {command}"))


@click.command("issuer")
@click.argument("family", metavar="FAMILY", type=click.Choice(list(_FILES)))
@click.argument("keys", metavar="[NAME=]KEY...", nargs=-1, required=True)
@_issuer_option
@click.option(
    "--crl", "crls", multiple=True, type=_file, help="Revocation list of one of the keys (shc); may be repeated."
)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="File to write.")
@json_option
@boundary
def publish_issuer(
    family: str, keys: tuple[str, ...], issuer_id: str, crls: tuple[Path, ...], out: Path, as_json: bool
) -> None:
    """Write the keys of an issuer of SMART Health Cards (shc) or NZ COVID Passes (nzcp), for its server.

    KEYs are files of public keys or certificates, in PEM or DER; passes name them, as in key-1=issuer.pub.pem. An
    issuer of cards who revokes gives each list with --crl: its number goes into the key set, or nobody would fetch it.
    """
    if crls and family != "shc":
        raise click.UsageError("--crl is for the key set of SMART Health Cards (shc)")
    named: dict[str, Path] = {}
    for number, text in enumerate(keys, 1):
        name, separator, path = text.partition("=")
        name = name if separator else f"key-{number}"
        if name in named:
            raise click.UsageError("two keys have one name")
        named[name] = Path(path if separator else text)
    lists = [read_file(path, DEFAULT_LIMITS.list_bytes) for path in crls]
    data = _list(family, issuer_id, {name: _public(path) for name, path in named.items()}, lists)
    write_whole(out, data, keep=(*crls, *named.values()))
    if as_json:
        click.echo(json.dumps({"family": family, "keys": len(named), "file": str(out)}))
    else:
        click.echo(printable(f"{len(named)} {'key' if len(named) == 1 else 'keys'} written to {out}"))


def _list(family: str, issuer: str, keys: Mapping[str, bytes], crls: Sequence[bytes]) -> bytes:
    if family == "shc":
        return issuer_keys.shc_key_set(keys.values(), issuer=issuer, crls=crls)
    return issuer_keys.nzcp_document(keys, did=issuer)


def _public(path: Path) -> bytes:
    for entry in read_entries(read_file(path, DEFAULT_LIMITS.key_file_bytes), source=path.name, kid=b"-"):
        if isinstance(entry, Rejected):
            raise entry.error
        return entry.certificate or entry.spki
    raise IssueError(Code.CERTIFICATE_UNREADABLE, f"{path.name}: no key in it")


def _trusting(family: str, issuer: str, out: Path) -> str:
    """The command with which a verifier takes the issuer into its trust store."""
    match family:
        case "divoc":
            about = ["--domain", "DIVOC", "--issuer", issuer, "--key-id", issuer, str(out / "issuer.pub.pem")]
        case "2d-doc":
            about = ["--domain", "2D-DOC", "--key-id", issuer.replace("/", ""), str(out / "issuer.pub.pem")]
        case _:
            about = ["--vouch", "--source", family, "--option", f"issuer={issuer}", str(out / _FILES[family])]
    return shlex.join(("healthcert", "trust", "add", *about))
