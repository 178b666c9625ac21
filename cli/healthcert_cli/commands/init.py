"""``healthcert init``: the set-up of an issuing authority, asked for step by step."""

from __future__ import annotations

import errno
import json
import os
import sys
from pathlib import Path

import click

from healthcert.authority.profile import PROFILE_NAME, load_profile, open_register
from healthcert.authority.secret import new_secret
from healthcert.issue.keysource import is_file
from healthcert.issue.pki import UPLOAD, new_client, new_csca, new_dsc
from healthcert.issue.signer import load_certificate
from healthcert.trust.certificates import read_certificate
from healthcert_cli.exits import boundary
from healthcert_cli.options import Country, json_option, passphrase, passphrase_option, this_second, write_private

_SECRET, _REGISTER = "register.key", "register.db"
_NEW_KEYS = ("csca", "dsc", "upload")
_FILES = tuple(f"{stem}{suffix}" for stem in _NEW_KEYS for suffix in (".pem", ".key.pem"))


@click.command("init")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), default=Path())
@click.option("--country", type=Country(), help="The authority's country (ISO 3166-1 alpha-2); for example FR.")
@click.option("--issuer", help="The issuer's name in certificates; for example Ministry of Health.")
@click.option("--register", "url", help=f"The register: a file, or postgresql://host/name. [default: {_REGISTER}]")
@click.option("--key", help="A signing key that is there: a file, a pkcs11: URI or a command: line.")
@click.option(
    "--certificate", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="The DSC of that key."
)
@click.option(
    "--new-keys", is_flag=True, help="Make a CSCA, a DSC and an upload certificate in files: for pilots and tests."
)
@passphrase_option
@click.option("--no-passphrase", is_flag=True, help="Leave new private keys unencrypted.")
@json_option
@boundary
def command(
    folder: Path,
    country: str | None,
    issuer: str | None,
    url: str | None,
    key: str | None,
    certificate: Path | None,
    new_keys: bool,
    passphrase_file: Path | None,
    no_passphrase: bool,
    as_json: bool,
) -> None:
    """Set up an issuing authority in FOLDER: its profile (healthcert.toml), its register, and keys if wanted.

    What no option says is asked for at a terminal. Nothing that is there is replaced. `healthcert doctor` looks over
    what came of it.
    """
    asks = sys.stdin is not None and sys.stdin.isatty() and not as_json
    if new_keys and (key or certificate):
        raise click.UsageError("--new-keys makes the keys that --key and --certificate name")
    country = country or _asked(asks, "--country", "Country (two letters)", kind=Country())
    issuer = issuer or _asked(asks, "--issuer", "Name of the issuer, as certificates shall say it")
    if not (new_keys or key) and asks:
        new_keys = click.confirm("Make new keys in files (for pilots; a state's keys belong in hardware)?", err=True)
    if not new_keys:
        key = key or _asked(asks, "--key", "Signing key (file, pkcs11: URI or command: line)")
        certificate = certificate or Path(_asked(asks, "--certificate", "Its certificate (DSC), a file"))
        _check_pair(key, certificate)
    url = url or (click.prompt("Register", default=_REGISTER, err=True) if asks else _REGISTER)

    folder.mkdir(parents=True, exist_ok=True)
    for name in (PROFILE_NAME, _SECRET, *(_FILES if new_keys else ())):
        if (folder / name).exists():
            raise FileExistsError(errno.EEXIST, "will not be replaced", str(folder / name))
    if new_keys:
        secret = None if no_passphrase else passphrase(passphrase_file, confirm=True)
        _make_keys(folder, country, secret)
        key, certificate = "dsc.key.pem", Path("dsc.pem")
    assert key is not None
    assert certificate is not None
    opens = None if passphrase_file is None or no_passphrase else _below(folder, passphrase_file)
    text = _profile(country, issuer, url, _below(folder, key), _below(folder, certificate), opens, new_keys=new_keys)
    profile_file = folder / PROFILE_NAME
    write_private(profile_file, text.encode())
    try:
        profile = load_profile(profile_file)
        new_secret(profile.register.secret)
        open_register(profile, create=True).close()
    except BaseException:
        profile_file.unlink()  # half a set-up would be taken for one
        raise
    made = [PROFILE_NAME, _SECRET, *(_FILES if new_keys else ())]
    if as_json:
        click.echo(json.dumps({"folder": str(folder), "files": made, "register": str(profile.register.url)}))
        return
    click.echo(f"{', '.join(made)} written to {folder}; the register is {profile.register.url}.")
    click.echo("Keep a copy of register.key away from the register. Then: healthcert doctor")


def _asked(asks: bool, option: str, question: str, *, kind: click.ParamType[str] | None = None) -> str:
    if not asks:
        raise click.UsageError(f"{option} is needed where nobody can be asked")
    answer: str = click.prompt(question, type=kind, err=True)
    return answer


def _check_pair(key: str, certificate: Path) -> None:
    """That both are there is told now, and not at the first certificate; whether they fit, `doctor` tells."""
    if is_file(key) and not Path(key).is_file():
        raise click.BadParameter(f"File '{key}' does not exist.", param_hint="'--key'")
    read_certificate(load_certificate(certificate))


def _make_keys(folder: Path, country: str, secret: bytes | None) -> None:
    now = this_second()
    csca = new_csca(country, "CSCA", now=now)
    made = (csca, new_dsc(csca, "DSC", now=now), new_client(UPLOAD, csca, "Upload", now=now))
    for stem, pair in zip(_NEW_KEYS, made, strict=True):
        write_private(folder / f"{stem}.key.pem", pair.key_pem(secret))
        with (folder / f"{stem}.pem").open("xb") as file:
            file.write(pair.certificate_pem())


def _below(folder: Path, named: str | Path) -> str:
    """A file as the profile names it: from the profile's folder on."""
    if not is_file(named) or (Path(named).parent == Path() and (folder / named).exists()):
        return str(named)
    return os.path.relpath(named, folder)


def _profile(
    country: str, issuer: str, url: str, key: str, certificate: str, passphrase_file: str | None, *, new_keys: bool
) -> str:
    lines = [
        "# An issuing authority. Every field: docs/reference/profile.md. No secret belongs in here.",
        f"country = {_quoted(country)}",
        f"issuer = {_quoted(issuer)}",
        "",
        "[register]",
        f"url = {_quoted(url)}",
        f"secret = {_quoted(_SECRET)}",
        "",
        "[[signer]]",
        *_signer(certificate, key, passphrase_file),
        *(["", "[upload]", *_signer("upload.pem", "upload.key.pem", passphrase_file)] if new_keys else []),
    ]
    return "\n".join(lines) + "\n"


def _signer(certificate: str, key: str, passphrase_file: str | None) -> list[str]:
    opens = [] if passphrase_file is None else [f"passphrase-file = {_quoted(passphrase_file)}"]
    return [f"certificate = {_quoted(certificate)}", f"key = {_quoted(key)}", *opens]


def _quoted(text: str) -> str:
    """A text in TOML, whose basic strings have the escapes of JSON (TOML 1.0, "String")."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
